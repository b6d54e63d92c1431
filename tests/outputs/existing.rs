//! What becomes of what stands where an output is to go: one table of every flag that names an output and
//! every kind of file that may be there.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::namespace::{alone, is_root};
use crate::support::program::{self, Ran};
use crate::support::syns::Syns;
use crate::world;

const OLD: &str = "what somebody needs\n";
/// Who says what an output is to be.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Writing {
    Rows,
    Parquet,
    Whole,
    Status,
}

/// A flag that names an output: the words of a command before it, and how it is written.
struct Flag(&'static str, &'static str, &'static str, Writing);

const FLAGS: &[Flag] = &[
    Flag("scan", "-i list.txt --format jsonl", "-o", Writing::Rows),
    Flag("scan", "-i list.txt --format parquet", "-o", Writing::Parquet),
    Flag("scan", "-i list.txt", "--html", Writing::Whole),
    Flag("scan", "-i list.txt", "--summary", Writing::Whole),
    Flag("scan", "-i list.txt", "--status", Writing::Status),
    Flag("judge", "list.txt --from greetings --format jsonl", "-o", Writing::Rows),
    Flag("judge", "list.txt --from greetings --format parquet", "-o", Writing::Parquet),
    Flag("report", "list.txt --from jsonl", "-o", Writing::Whole),
    Flag("report", "list.txt --from jsonl", "--html", Writing::Whole),
    Flag("diff", "list.txt list.txt --from jsonl", "--html", Writing::Whole),
];

/// What stands there, made by a function from the place for it.
struct Kind(&'static str, fn(&Path) -> PathBuf, fn(Writing) -> Then);

/// What is to become of it.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Then {
    /// Refused with this code, before anything is sent; `--overwrite` changes nothing about that.
    Refused(i32),
    /// Refused with 2 unless `--overwrite` is said.
    Asked,
    /// Written, and a file in the end.
    Written,
    /// Written, and in the end what it was.
    Passed,
    /// Begun, and ended with this code.
    Failed(i32),
}

fn file(path: &Path, text: &str) -> PathBuf {
    fs::write(path, text).unwrap();
    path.to_owned()
}

/// A device of its own where that may be made, else the system's mounted over a file.
fn device(path: &Path, minor: &str) -> PathBuf {
    let path = path.to_owned();
    if is_root() {
        command("mknod", &[path.to_str().unwrap(), "c", "1", minor]);
    } else {
        file(&path, "");
        let source = if minor == "7" { "/dev/full" } else { "/dev/null" };
        command("mount", &["--bind", source, path.to_str().unwrap()]);
    }
    path
}

fn command(program: &str, words: &[&str]) {
    assert!(Command::new(program).args(words).status().unwrap().success(), "{program} {words:?}");
}

fn beside(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(name)
}

fn stream(code: i32) -> impl Fn(Writing) -> Then {
    move |writing| match (writing, code) {
        (Writing::Parquet, _) => Then::Refused(4),
        (Writing::Status, _) | (_, 0) => Then::Passed,
        _ => Then::Failed(code),
    }
}

const KINDS: &[Kind] = &[
    Kind("nothing", Path::to_owned, |_| Then::Written),
    Kind("an empty file", |path| file(path, ""), |_| Then::Written),
    Kind("a file", |path| file(path, OLD), |_| Then::Asked),
    Kind("the input", |path| beside(path, "list.txt"), |_| Then::Refused(2)),
    Kind("the input by way of its folder", |path| beside(path, "../work/list.txt"), |_| Then::Refused(2)),
    Kind(
        "a link to the input",
        |path| {
            symlink("list.txt", path).unwrap();
            path.to_owned()
        },
        |_| Then::Refused(2),
    ),
    Kind(
        "a hard link of the input",
        |path| {
            fs::hard_link(beside(path, "list.txt"), path).unwrap();
            path.to_owned()
        },
        |_| Then::Refused(2),
    ),
    Kind(
        "the input through a linked folder",
        |path| {
            symlink(".", beside(path, "door")).unwrap();
            beside(path, "door/list.txt")
        },
        |_| Then::Refused(2),
    ),
    Kind(
        "a link to a file",
        |path| {
            symlink(file(&beside(path, "target"), OLD), path).unwrap();
            path.to_owned()
        },
        |_| Then::Asked,
    ),
    Kind(
        "a link to nothing yet",
        |path| {
            symlink("target", path).unwrap();
            path.to_owned()
        },
        |_| Then::Written,
    ),
    Kind(
        "a folder",
        |path| {
            fs::create_dir(path).unwrap();
            path.to_owned()
        },
        |_| Then::Refused(4),
    ),
    Kind("a place in no folder", |path| beside(path, "nowhere/out"), |_| Then::Refused(4)),
    Kind("the null device", |path| device(path, "3"), |writing| stream(0)(writing)),
    Kind("a full device", |path| device(path, "7"), |writing| stream(4)(writing)),
    Kind(
        "a link to the null device",
        |path| {
            symlink("/dev/null", path).unwrap();
            path.to_owned()
        },
        |writing| stream(0)(writing),
    ),
    Kind(
        "a pipe",
        |path| {
            command("mkfifo", &[path.to_str().unwrap()]);
            path.to_owned()
        },
        |writing| stream(0)(writing),
    ),
    Kind(
        "a read-only file",
        |path| {
            let text = path.to_str().unwrap();
            file(path, OLD);
            command("mount", &["--bind", text, text]);
            command("mount", &["-o", "remount,bind,ro", text]);
            path.to_owned()
        },
        |_| Then::Refused(4),
    ),
];

/// A folder with an input that every command can read as far as it must.
fn prepare(work: &Path, command: &str) -> String {
    let records = work.join("records.jsonl");
    if !records.exists() {
        world::scan(&["198.18.0.1", "-q", "-o", records.to_str().unwrap()]).ends(0);
    }
    let folder = work.join("work");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let input = match command {
        "scan" => "198.18.0.1\n".to_owned(),
        "judge" => "220 mail.example.org ESMTP\n".to_owned(),
        _ => fs::read_to_string(records).unwrap(),
    };
    file(&folder.join("list.txt"), &input);
    input
}

fn run(folder: &Path, words: &[&str]) -> Ran {
    let mut command = match words {
        ["scan", rest @ ..] => world::command_of(rest),
        _ => program::command(words),
    };
    command.current_dir(folder).output().unwrap().into()
}

#[test]
fn no_output_destroys_what_stands_there() {
    alone("existing::no_output_destroys_what_stands_there", |work| {
        world::start(work);
        command("mount", &["-t", "tmpfs", "-o", "dev", "tmpfs", work.to_str().unwrap()]);
        let mut rows = 0;
        for Flag(name, before, flag, writing) in FLAGS {
            for Kind(kind, make, then) in KINDS {
                for overwrite in [false, true] {
                    let input = prepare(work, name);
                    let folder = work.join("work");
                    let place = make(&folder.join("out"));
                    let row = format!("{name} {flag} on {kind}, overwrite {overwrite} ({writing:?})");
                    let mut words = vec![*name];
                    words.extend(before.split(' '));
                    words.extend([*flag, place.to_str().unwrap()]);
                    words.extend(overwrite.then_some("--overwrite"));
                    check(&folder, &words, (&place, &row), then(*writing), overwrite);
                    if let Ok(found) = fs::read_to_string(folder.join("list.txt")) {
                        assert_eq!(found, input, "the input is as it was: {row}");
                    }
                    let _ = Command::new("umount").arg(&place).stderr(std::process::Stdio::null()).status();
                    rows += 1;
                }
            }
        }
        assert_eq!(rows, FLAGS.len() * KINDS.len() * 2);
    });
}

fn check(folder: &Path, words: &[&str], (place, row): (&Path, &str), then: Then, overwrite: bool) {
    let is_link = place.is_symlink();
    let form = fs::metadata(place).ok().map(|data| data.file_type());
    let mut pipe = form.filter(fs::FileType::is_fifo).map(|_| {
        let flags = libc::O_NONBLOCK;
        File::options().read(true).write(true).custom_flags(flags).open(place).unwrap()
    });
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let (names_before, listener) = (names(), Syns::listen());
    let ran = run(folder, words);
    let sent = listener.end().iter().filter(|syn| syn.port == 25).count();
    let refused = match then {
        Then::Refused(code) => Some(code),
        Then::Asked if !overwrite => Some(2),
        _ => None,
    };
    assert_eq!(place.is_symlink(), is_link, "a link stays one: {row}");
    if let Some(code) = refused {
        assert_eq!((ran.code, ran.out.as_str(), sent), (Some(code), "", 0), "{row}: {ran:?}");
        assert_eq!(ran.err.lines().count(), 1, "{row}: {ran:?}");
        assert_eq!(names(), names_before, "nothing is left: {row}");
        if then == Then::Asked {
            assert_eq!(fs::read_to_string(place).unwrap(), OLD, "{row}");
            assert!(
                ran.err
                    .contains("exists and is not empty; name another file, or replace it with `--overwrite`")
            );
        }
        return;
    }
    let code = if let Then::Failed(code) = then { code } else { 0 };
    assert_eq!(ran.code, Some(code), "{row}: {ran:?}");
    assert!(!ran.out.contains("<html") && !ran.out.contains("\"by_outcome\""), "not to stdout: {row}");
    match then {
        Then::Written | Then::Asked => {
            let bytes = fs::read(place).unwrap();
            assert!(fs::metadata(place).unwrap().is_file() && !bytes.is_empty(), "{row}");
            assert!(!bytes.starts_with(OLD.as_bytes()), "{row}");
            assert!(
                !names().iter().any(|name| name.to_string_lossy().ends_with(".tmp")),
                "nothing unfinished: {row}"
            );
        }
        _ => {
            let now = fs::metadata(place).unwrap().file_type();
            assert_eq!(Some(now), form, "it is what it was: {row}");
            assert!(now.is_char_device() || now.is_fifo(), "{row}");
        }
    }
    if let Some(pipe) = &mut pipe {
        let mut byte = [0];
        assert_eq!(pipe.read(&mut byte).unwrap_or(0), 1, "it got what was written: {row}");
    }
}

#[test]
fn no_output_is_another_output_or_what_stands_beside_one() {
    alone("existing::no_output_is_another_output_or_what_stands_beside_one", |work| {
        let input = prepare_without_network(work);
        for (words, role, other) in [
            ("scan -i list.txt -o a.jsonl --html ./a.jsonl", "page", "output"),
            ("scan -i list.txt -o a.jsonl --summary a.jsonl", "summary", "output"),
            ("scan -i list.txt -o a.jsonl --status door/a.jsonl", "status file", "output"),
            ("scan -i list.txt -o a.jsonl --checkpoint a.jsonl", "checkpoint", "output"),
            ("scan -i list.txt -o a.jsonl -o door/a.jsonl", "output", "output"),
            ("scan -i list.txt -o a.jsonl --summary a.jsonl.manifest.json", "summary", "manifest"),
            ("scan -i list.txt -o a.jsonl --html a.jsonl.checkpoint", "page", "checkpoint"),
            ("scan -i list.txt -o a.parquet -o a.parquet.jsonl.zst", "output", "unfinished file"),
            ("scan -i list.txt -o a.fixes.csv --html a.html", "list of fixes", "output"),
            (
                "scan -i list.txt --exclude-file gone.txt -o gone.txt --format jsonl",
                "output",
                "exclusion list",
            ),
            (
                "scan -i list.txt --accept gone.toml -o gone.toml --format jsonl",
                "output",
                "list of accepted findings",
            ),
            ("scan -i list.txt --asn-db gone.csv -o gone.csv", "output", "network data"),
            ("scan -i list.txt --summary -", "summary", "output"),
            ("scan -i - -o /proc/self/fd/0 --format jsonl", "output", "target list"),
            ("report list.txt --from jsonl --html a.html -o a.fixes.csv", "list of fixes", "report"),
            ("judge a.jsonl -o a.jsonl --overwrite", "output", "records"),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            let mut command = program::command(&words);
            command.current_dir(work).stdin(File::open(work.join("list.txt")).unwrap());
            let ran = Ran::from(command.output().unwrap()).ends(2);
            assert!(ran.err.starts_with(&format!("banneret: {role} `")), "{words:?}: {}", ran.err);
            assert!(ran.err.contains(&format!("` is also the {other} `")), "{words:?}: {}", ran.err);
            assert_eq!(fs::read_to_string(work.join("list.txt")).unwrap(), input);
        }
        // Standard output that is appended to an input would never end.
        let list = File::options().append(true).open(work.join("list.txt")).unwrap();
        let mut command = program::command(&["judge", "--from", "greetings", "list.txt"]);
        let ran = Ran::from(command.current_dir(work).stdout(list).output().unwrap()).ends(2);
        assert!(ran.err.contains("output `-` is also the records `list.txt`"), "{}", ran.err);
        assert_eq!(fs::read_to_string(work.join("list.txt")).unwrap(), input);
    });
}

fn prepare_without_network(work: &Path) -> String {
    symlink(".", work.join("door")).unwrap();
    let input = "198.18.0.1\n";
    file(&work.join("list.txt"), input);
    input.to_owned()
}
