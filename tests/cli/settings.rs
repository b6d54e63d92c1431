//! Where settings come from: a file under the environment, the environment under the command line.

use std::path::PathBuf;

use crate::support::program::{Ran, command, run};

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
        Self(folder)
    }

    fn file(&self) -> String {
        self.path("settings.toml").to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// A dry run, whose words show the rate in force.
fn dry(words: &[&str], environment: &[(&str, &str)]) -> Ran {
    let words = [&["scan", "--dry-run", "--allow-reserved", "127.18.0.0/16"], words].concat();
    command(&words).envs(environment.iter().copied()).output().unwrap().into()
}

#[track_caller]
fn assert_rate(ran: Ran, rate: &str) {
    let ran = ran.ends(0);
    assert!(ran.out.contains(&format!("\n{rate} connections a second")), "not {rate}: {ran:?}");
}

#[test]
fn the_command_line_wins_then_the_environment_then_the_file() {
    let folder = Folder::with("rate = 111\n");
    let file = folder.file();
    let (config, environment) = (["--config", &file], [("BANNERET_RATE", "222")]);
    assert_rate(dry(&[], &[]), "800");
    assert_rate(dry(&config, &[]), "111");
    assert_rate(dry(&config, &environment), "222");
    assert_rate(dry(&[], &environment), "222");
    assert_rate(dry(&["--config", &file, "--rate", "333"], &environment), "333");
    assert_rate(dry(&["-r333"], &environment), "333");
    assert_rate(dry(&[], &[("BANNERET_CONFIG", &file)]), "111");
    let equals = format!("--config={file}");
    assert_rate(dry(&[&equals], &[("BANNERET_CONFIG", "/nonexistent")]), "111");
}

#[test]
fn every_flag_can_stand_in_the_file() {
    let folder = Folder::with("");
    let list = folder.path("list");
    std::fs::write(&list, "127.51.100.0/24\n").unwrap();
    let settings = format!(
        "input = ['{0}']\nexclude = ['127.51.100.1', '127.51.100.2']\nexclude-file = []\nallow-reserved = true\n\
         skip-bad-targets = true\nseed = 9\nshard = '1/1'\nmax-targets = 200\nport = [25, 587]\nprobe = 'banner'\n\
         ehlo-name = 'scan.example.org'\nrate = 0.5\nprefix-rate = 'unlimited'\nconcurrency = 50\n\
         connect-timeout = '1s'\ngreeting-timeout = '2s'\nhost-timeout = '3s'\nretries = 0\nsource-ip = '127.0.0.1'\nown-address = ['203.0.113.9', '2001:db8::9']\n\
         resolver = ['127.0.0.1', '[::1]:5353']\ndns-rate = 100\ndns-timeout = '1s'\ndns-attempts = 2\n\
         keep = 'all'\nfail-on = 'high'\nprogress = 'never'\nquiet = true\nsummary = '{0}.json'\ndry-run = true\n",
        list.display()
    );
    std::fs::write(folder.path("settings.toml"), settings).unwrap();
    let ran = run(&["scan", "--config", &folder.file()]).ends(0);
    assert!(
        ran.out.starts_with(
            "400 targets, of which 0 host names; seed 9\n2 addresses excluded by --exclude\n0.5 "
        ),
        "{ran:?}"
    );
}

#[test]
fn every_flag_can_stand_in_the_environment() {
    let folder = Folder::with("");
    let (list, never) = (folder.path("list"), folder.path("never"));
    std::fs::write(&list, "127.51.100.0/24\n").unwrap();
    std::fs::write(&never, "127.51.100.0/25\n").unwrap();
    let environment = [
        ("INPUT", list.to_str().unwrap()),
        ("EXCLUDE_FILE", never.to_str().unwrap()),
        ("EXCLUDE", "127.51.100.200"),
        ("ALLOW_RESERVED", "true"),
        ("SEED", "9"),
        ("RATE", "2"),
    ];
    let mut scan = command(&["scan", "--dry-run"]);
    let ran: Ran = scan
        .envs(environment.map(|(name, value)| (format!("BANNERET_{name}"), value)))
        .output()
        .unwrap()
        .into();
    assert!(
        ran.code == Some(0) && ran.out.starts_with("127 targets, of which 0 host names; seed 9\n"),
        "{ran:?}"
    );
    for (value, allowed) in
        [("1", true), ("yes", true), ("true", true), ("0", false), ("false", false), ("no", false)]
    {
        let ran: Ran = command(&["targets", "127.51.100.1"])
            .env("BANNERET_ALLOW_RESERVED", value)
            .output()
            .unwrap()
            .into();
        assert_eq!(ran.ends(0).lines().len(), usize::from(allowed), "{value}");
    }
}

#[test]
fn a_flag_typed_is_not_joined_by_what_file_or_environment_say() {
    let folder = Folder::with("exclude = ['127.51.100.1']\nport = [25, 587]\n");
    let ran = run(&[
        "targets",
        "--config",
        &folder.file(),
        "--allow-reserved",
        "127.51.100.0/30",
        "-x",
        "127.51.100.2",
        "--count",
    ])
    .ends(0);
    // As the command line wins, its exclusion stands in the place of the file's.
    assert_eq!(ran.out, "3\n");
}

#[test]
fn a_file_that_cannot_be_read_or_names_no_flag_is_refused() {
    let file = |settings: &str| {
        let folder = Folder::with(settings);
        (folder.file(), folder)
    };
    for (settings, told) in [
        ("rat = 5\n", "`rat` is no flag of any command; did you mean `rate`?"),
        ("exclude_file = 'x'\n", "`exclude_file` is no flag of any command; did you mean `exclude-file`?"),
        ("password = 'x'\n", "`password` is no flag of any command; `banneret scan --help` lists them"),
        ("rate = [1, 2]\n", "`rate` takes one value"),
        ("rate = \n", "line 1 are not valid TOML: "),
        ("config = 'x.toml'\n", "`config` is no flag of any command"),
        ("rate = {a = 1}\n", "`rate` must be a text, number, true or false, or a list of these"),
    ] {
        let (path, _folder) = file(settings);
        let ran = dry(&["--config", &path], &[]).ends(2);
        assert!(
            ran.err.starts_with(&format!("banneret: settings `{path}`")) && ran.err.contains(told),
            "{ran:?}"
        );
        assert_eq!(ran.err.lines().count(), 1, "{ran:?}");
    }
    let ran = dry(&["--config", "/nonexistent/settings.toml"], &[]).ends(2);
    assert_eq!(
        ran.err,
        "banneret: settings `/nonexistent/settings.toml` can't be read: No such file or directory (os error 2)\n"
    );
    let (path, _folder) = file("rate = 'fast'\n");
    let ran = dry(&["--config", &path], &[]).ends(2);
    assert!(ran.err.contains("`fast` is not a rate"), "{ran:?}");
}

#[test]
fn a_dry_run_can_be_wished_for_anywhere() {
    let folder = Folder::with("dry-run = true\n");
    let scan = ["scan", "--allow-reserved", "127.51.100.0/30", "--port", "1", "--keep", "all"];
    let ran = run(&[&scan[..], &["--config", &folder.file()]].concat()).ends(0);
    assert!(ran.out.ends_with("nothing was sent\n"), "{ran:?}");
    let ran: Ran = command(&scan).env("BANNERET_DRY_RUN", "1").output().unwrap().into();
    assert!(ran.ends(0).out.ends_with("nothing was sent\n"));
}

/// Commands that end at once, with words that they take.
const COMMANDS: &[&[&str]] = &[
    &["scan", "--dry-run", "192.0.2.1"],
    &["targets", "--allow-reserved", "192.0.2.1"],
    &["explain", "no_ptr"],
    &["report", "RECORDS"],
    &["diff", "RECORDS", "RECORDS"],
    &["judge", "RECORDS"],
    &["check", "192.0.2.1"],
    &["demo", "--frobnicate"],
];

#[test]
fn a_variable_that_is_no_flag_stops_every_command_and_none_that_helps() {
    let folder = Folder::with("");
    let records = folder.path("records.jsonl");
    std::fs::write(&records, "").unwrap();
    for words in COMMANDS {
        let words: Vec<&str> = words
            .iter()
            .map(|&word| if word == "RECORDS" { records.to_str().unwrap() } else { word })
            .collect();
        let ran: Ran = command(&words).env("BANNERET_EXCLUDE_FIEL", "opt-outs.txt").output().unwrap().into();
        assert_eq!(
            ran.ends(2).err,
            "banneret: variable `BANNERET_EXCLUDE_FIEL` is no flag of any command; did you mean `BANNERET_EXCLUDE_FILE`?\n",
            "{words:?}"
        );
    }
    for words in [
        &["--help"][..],
        &["scan", "--help"],
        &["help", "scan"],
        &["help", "records"],
        &["--version"],
        &["man"],
        &["man", "scan"],
        &["completions", "bash"],
    ] {
        let ran: Ran = command(words)
            .envs([("BANNERET_EXCLUDE_FIEL", "x"), ("BANNERET_CONFIG", "/nonexistent")])
            .output()
            .unwrap()
            .into();
        assert_eq!(ran.ends(0).err, "", "{words:?}");
    }
    let plugin: Ran =
        command(&["check", "--nagios", "192.0.2.1"]).env("BANNERET_RATES", "1").output().unwrap().into();
    assert!(plugin.ends(3).out.starts_with("SMTP IDENTITY UNKNOWN - "));
}

#[test]
fn what_kubernetes_sets_for_a_service_is_passed_over_with_one_line() {
    let ran: Ran = command(&["targets", "--allow-reserved", "192.0.2.1"])
        .envs([
            ("BANNERET_SERVICE_HOST", "10.0.0.7"),
            ("BANNERET_SERVICE_PORT", "9"),
            ("BANNERET_PORT", "tcp://10.0.0.7:9"),
            ("BANNERET_PORT_9_TCP_ADDR", "10.0.0.7"),
        ])
        .output()
        .unwrap()
        .into();
    let ran = ran.ends(0);
    assert_eq!(ran.out, "192.0.2.1\n");
    assert_eq!(
        ran.err,
        "banneret: passed over `BANNERET_PORT` and 3 more, as Kubernetes sets them for a service called `banneret`\n"
    );
}

#[test]
fn the_flags_of_every_command_are_heard_in_file_and_environment() {
    let folder = Folder::with("format = 'csv'\ngroup-by = ['verdict']\n");
    let records = folder.path("records.jsonl");
    std::fs::write(&records, "").unwrap();
    let records = records.to_str().unwrap();
    let by_flag = run(&["report", records, "--format", "csv", "--group-by", "verdict"]).ends(0).out;
    let by_file = run(&["report", records, "--config", &folder.file()]).ends(0).out;
    let before = run(&["--config", &folder.file(), "report", records]).ends(0).out;
    let by_environment: Ran = command(&["report", records])
        .envs([("BANNERET_FORMAT", "csv"), ("BANNERET_GROUP_BY", "verdict")])
        .output()
        .unwrap()
        .into();
    assert_ne!(by_flag, run(&["report", records]).ends(0).out);
    assert_eq!((&by_file, &before, &by_environment.ends(0).out), (&by_flag, &by_flag, &by_flag));
    // A word of the command line wins.
    let ran: Ran = command(&["report", records, "--format", "json", "--config", &folder.file()])
        .env("BANNERET_FORMAT", "markdown")
        .output()
        .unwrap()
        .into();
    assert!(ran.ends(0).out.starts_with('{'));
    let diff: Ran =
        command(&["diff", records, records]).env("BANNERET_FORMAT", "csv").output().unwrap().into();
    assert!(diff.ends(0).out.contains(','));
}

#[test]
fn a_file_without_an_end_takes_no_memory() {
    let ran = dry(&["--config", "/dev/zero"], &[]).ends(2);
    assert_eq!(ran.err, "banneret: settings `/dev/zero` can't be read: it is longer than 1 MiB\n");
    for (flag, told) in [
        ("--accept", "banneret: accepted findings `/dev/zero` can't be read: it is longer than 1 MiB\n"),
        ("-i", "banneret: target list `/dev/zero` can't be read: it is no text\n"),
        ("--exclude-file", "banneret: exclusion list `/dev/zero` can't be read: it is no text\n"),
    ] {
        assert_eq!(dry(&[flag, "/dev/zero"], &[]).ends(2).err, told, "{flag}");
    }
    let ran = run(&["report", "--from", "csv", "/dev/zero"]).ends(2);
    assert_eq!(ran.err, "banneret: records `/dev/zero` can't be read: a row is longer than 4 MiB\n");
}
