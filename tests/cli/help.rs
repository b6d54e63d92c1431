//! What help shows is what is built: each name of the contract is either shown and understood, or neither.

use crate::support::program::run;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));

/// The commands of the contract, each with words that it takes.
const COMMANDS: &[(&str, &[&str])] = &[
    ("scan", &["--dry-run", "192.0.2.1"]),
    ("targets", &["--count", "192.0.2.1"]),
    ("check", &["--help"]),
    ("judge", &["--help"]),
    ("report", &["--help"]),
    ("diff", &["--help"]),
    ("explain", &["--help"]),
    ("demo", &["--help"]),
    ("completions", &["bash"]),
    ("man", &[]),
];

/// The flags of `scan` in the contract, each with a value that it takes; `FOLDER/` becomes a folder of the
/// test's own.
const SCAN: &[(&str, &str)] = &[
    ("input", "FOLDER/list"),
    ("exclude", "192.0.2.9"),
    ("exclude-file", "FOLDER/list"),
    ("allow-reserved", ""),
    ("port", "25,587"),
    ("probe", "banner"),
    ("ehlo-name", "scan.example.org"),
    ("rate", "0.5"),
    ("prefix-rate", "unlimited"),
    ("concurrency", "7"),
    ("connect-timeout", "500ms"),
    ("greeting-timeout", "5s"),
    ("host-timeout", "60s"),
    ("retries", "2"),
    ("resolver", "127.0.0.1:5353"),
    ("dns-rate", "unlimited"),
    ("dns-timeout", "2s"),
    ("dns-attempts", "2"),
    ("seed", "7"),
    ("shard", "1/2"),
    ("max-targets", "3"),
    ("output", "FOLDER/out.jsonl"),
    ("overwrite", ""),
    ("format", "csv"),
    ("samples", "2"),
    ("source-ip", "127.0.0.1"),
    ("own-address", "203.0.113.9"),
    ("engine", "connect"),
    ("keep", "all"),
    ("html", "FOLDER/report.html"),
    ("summary", "FOLDER/summary.json"),
    ("checkpoint", "FOLDER/progress"),
    ("resume", "FOLDER/progress"),
    ("asn-db", "FOLDER/asn.mmdb"),
    ("accept", "FOLDER/accept.toml"),
    ("providers", "FOLDER/providers"),
    ("fail-on", "high"),
    ("dry-run", ""),
    ("status", "FOLDER/status"),
    ("metrics", "127.0.0.1:0"),
    ("progress", "never"),
    ("quiet", ""),
    ("verbose", ""),
    ("config", "FOLDER/settings.toml"),
    ("help", ""),
];
/// Flags whose values must be files of a form of their own: that they are understood is shown by what they
/// complain of.
const NEED_A_FILE: &[&str] = &["resume", "asn-db", "accept", "providers"];
/// The short names of the contract.
const SHORT: &[(&str, &str)] = &[
    ("-i", "--input"),
    ("-x", "--exclude"),
    ("-p", "--port"),
    ("-r", "--rate"),
    ("-c", "--concurrency"),
    ("-o", "--output"),
    ("-q", "--quiet"),
    ("-v", "--verbose"),
];
/// Flags of `targets`: those that say what to list, and its own.
const TARGETS: &[&str] = &[
    "input",
    "exclude",
    "exclude-file",
    "allow-reserved",
    "skip-bad-targets",
    "seed",
    "shard",
    "max-targets",
    "asn-db",
    "count",
    "config",
    "help",
];

/// The long flags that a help text lists, each with its text up to the next one.
fn flags(help: &str) -> Vec<(String, String)> {
    let opens = |line: &str| {
        let start = line.get(..6)?.trim_start();
        let named =
            line.get(6..)?.strip_prefix("--").filter(|_| start.is_empty() || start.ends_with(", "))?;
        Some(named.split([' ', '=', '[', '.']).next()?.to_owned())
    };
    let mut flags: Vec<(String, String)> = Vec::new();
    for line in help.lines() {
        match (opens(line), flags.last_mut()) {
            (Some(name), _) => flags.push((name, line.to_owned())),
            (None, Some((_, text))) => text.extend([" ", line.trim()]),
            (None, None) => {}
        }
    }
    flags
}

fn names(help: &str) -> Vec<String> {
    flags(help).into_iter().map(|(name, _)| name).collect()
}

fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let own = listed.take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    own.filter(|line| !line.starts_with(' ')).map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn a_command_is_in_help_exactly_if_it_is_built() {
    let shown = commands(&run(&["--help"]).ends(0).out);
    for (name, words) in COMMANDS {
        let ran = run(&[&[*name], *words].concat());
        assert_eq!(ran.code, Some(if shown.iter().any(|it| it == name) { 0 } else { 2 }), "{name}: {ran:?}");
    }
    let more: Vec<_> =
        shown.iter().filter(|name| *name != "help" && COMMANDS.iter().all(|it| it.0 != *name)).collect();
    assert!(more.is_empty(), "not of the contract: {more:?}");
    for name in ["scan", "targets", "demo", "completions", "man"] {
        assert!(shown.iter().any(|it| it == name), "{name} is built");
    }
}

#[test]
fn a_flag_of_scan_is_in_help_exactly_if_it_is_built() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("list", "192.0.2.8\n"), ("settings.toml", "rate = 5\n")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let shown = names(&run(&["scan", "--help"]).ends(0).out);
    for (name, value) in SCAN {
        let long = format!("--{name}");
        let value = value.replace("FOLDER", folder.path().to_str().unwrap());
        let mut words = vec!["scan", "--dry-run", "--resolver", "127.0.0.1", "192.0.2.1"];
        if *name == "dry-run" {
            words.remove(1);
        }
        if *name == "resume" {
            words = vec!["scan"];
        }
        if *name == "shard" {
            words.extend(["--seed", "7"]);
        }
        words.push(&long);
        words.extend((!value.is_empty()).then_some(value.as_str()));
        let ran = run(&words);
        let unknown = ran.err.contains("unexpected argument");
        assert_eq!(shown.contains(&(*name).to_owned()), !unknown, "{name}: {ran:?}");
        if !unknown && !NEED_A_FILE.contains(name) {
            ran.ends(0);
        } else {
            ran.ends(2);
        }
    }
    let more: Vec<_> = shown
        .iter()
        .filter(|name| SCAN.iter().all(|it| it.0 != *name) && *name != "skip-bad-targets")
        .collect();
    assert!(more.is_empty(), "not of the contract: {more:?}");
}

#[test]
fn short_names_stand_beside_their_long_ones() {
    let help = run(&["scan", "--help"]).ends(0).out;
    for (short, long) in SHORT {
        assert!(help.contains(&format!("{short}, {long}")), "{short}, {long}\n{help}");
    }
    assert_eq!(run(&["scan", "-h"]).ends(0).err, "");
}

#[test]
fn targets_lists_the_flags_that_choose_targets_and_no_other() {
    let mut shown = names(&run(&["targets", "--help"]).ends(0).out);
    let (scan, asn) = (names(&run(&["scan", "--help"]).out), "asn-db".to_owned());
    let expected = TARGETS.iter().filter(|name| **name != asn || scan.contains(&asn));
    let mut expected: Vec<String> = expected.map(|&name| name.to_owned()).collect();
    expected.sort();
    shown.sort();
    assert_eq!(shown, expected);
}

#[test]
fn defaults_are_those_of_the_contract_and_help_says_them() {
    let flags = flags(&run(&["scan", "--help"]).ends(0).out);
    for (flag, default) in [
        ("--port", "25"),
        ("--probe", "banner"),
        ("--rate", "1000"),
        ("--prefix-rate", "10"),
        ("--connect-timeout", "5s"),
        ("--greeting-timeout", "45s"),
        ("--host-timeout", "90s"),
        ("--retries", "1"),
        ("--dns-timeout", "15s"),
        ("--dns-attempts", "4"),
        ("--shard", "1/1"),
        ("--keep", "greeted"),
        ("--progress", "auto"),
    ] {
        let (_, text) = flags.iter().find(|(name, _)| flag[2..] == **name).expect(flag);
        assert!(text.contains(&format!("[default: {default}]")), "{flag}: {text}");
    }
}

#[test]
fn the_version_the_manual_and_completions_go_to_stdout() {
    let version = run(&["--version"]).ends(0);
    assert_eq!(
        (version.out.as_str(), version.err.as_str()),
        (concat!("banneret ", env!("CARGO_PKG_VERSION"), "\n"), "")
    );
    let page = run(&["man"]).ends(0);
    assert!(page.out.contains(".TH banneret 1") && page.err.is_empty(), "{page:?}");
    for (shell, sign) in [
        ("bash", "complete -F _banneret"),
        ("zsh", "#compdef banneret"),
        ("fish", "complete -c banneret"),
        ("elvish", "edit:completion:arg-completer[banneret]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = run(&["completions", shell]).ends(0);
        assert!(script.out.contains(sign) && script.out.contains("prefix-rate"), "{shell}: {}", script.out);
        assert_eq!(script.err, "", "{shell}");
    }
}

#[test]
fn each_chapter_of_the_guide_is_listed_printed_and_a_page_of_the_manual() {
    let help = run(&["--help"]).ends(0).out;
    let names = commands(&help);
    for chapter in banneret::guide::CHAPTERS {
        let line = help.lines().find(|line| line.trim_start().starts_with(&format!("{} ", chapter.name)));
        assert!(line.is_some_and(|line| line.ends_with(chapter.about)), "{}\n{help}", chapter.name);
        assert!(!names.iter().any(|name| name == chapter.name), "{} is a command", chapter.name);
        let printed = run(&["help", chapter.name]).ends(0);
        assert_eq!((printed.out.as_str(), printed.err.as_str()), (chapter.text, ""));
        let page = run(&["man", chapter.name]).ends(0).out;
        assert!(page.contains(&format!(".TH banneret-{} 7", chapter.name)), "{page}");
        let file = format!("src/guide/{}.md", chapter.name.replace('-', "_"));
        let row = format!("| [`{}`]({file}) | {} |", chapter.name, chapter.about);
        assert!(README.contains(&row), "the README lacks {row}");
    }
    assert!(README.lines().count() <= 220, "what a stranger need not know at once is for a chapter");
}

#[test]
fn each_command_has_a_page_of_the_manual_and_a_word_that_is_neither_is_told() {
    for (name, _) in COMMANDS {
        let page = run(&["man", name]).ends(0).out;
        let title = format!(".TH banneret-{name} 1  \"banneret {}\"", env!("CARGO_PKG_VERSION"));
        assert!(page.contains(&title) && page.contains(&format!("\\fBbanneret {name}\\fR")), "{page}");
    }
    assert_eq!(
        run(&["man", "recods"]).ends(2).err,
        "banneret: no command and no chapter of the guide is called `recods`; `banneret --help` lists both\n"
    );
    assert!(run(&["help", "recods"]).ends(2).err.contains("recods"));
}

#[test]
fn without_a_command_it_says_what_there_is_and_ends_as_misused() {
    for words in [&[][..], &["frobnicate"], &["scan", "--frobnicate"], &["completions", "korn"]] {
        let ran = run(words).ends(2);
        assert!(ran.out.is_empty() && !ran.err.is_empty(), "{words:?}: {ran:?}");
    }
}
