//! Runs the program, and says what came of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use banneret::judge::judge;
use banneret::record::Record;
use banneret::report::{Form, Start, sink};

use crate::support::records::healthy_record;

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// What it wrote, of a run that ended well.
    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What it wrote, of a check that could say something or nothing.
    pub(crate) fn told(self) -> String {
        assert!(matches!(self.code, 0 | 4), "{self:?}");
        self.out
    }

    /// The one line that says what is wrong, of a run that ended with `code` and wrote no data.
    pub(crate) fn wrong(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        self.err.trim_end().to_owned()
    }
}

/// The program with these words, deaf to the environment of the test.
pub(crate) fn program<W: AsRef<std::ffi::OsStr>>(words: &[W]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banneret"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BANNERET_")) {
        command.env_remove(name);
    }
    command.args(words);
    command
}

/// Runs it with nothing to read.
pub(crate) fn run<W: AsRef<std::ffi::OsStr>>(words: &[W]) -> Ran {
    run_with(words, b"")
}

/// Runs it with `input` on stdin.
pub(crate) fn run_with<W: AsRef<std::ffi::OsStr>>(words: &[W], input: &[u8]) -> Ran {
    let mut command = program(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // The program need not read what it does not want.
    let feeder = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Writes records to a file of a directory.
pub(crate) fn write(directory: &Path, name: &str, records: &[Record]) -> PathBuf {
    let path = directory.join(name);
    let mut sink = sink::open(&path, Form::of(&path, None).unwrap(), &[], Start::New).unwrap();
    for record in records {
        sink.write(record).unwrap();
    }
    sink.finish().unwrap();
    path
}

/// A record of a sound server, judged by today's rules.
pub(crate) fn sound() -> Record {
    let mut record = healthy_record();
    let inventory = record.target.inventory.clone().unwrap_or_default();
    record.judgement = judge(&record.evidence, &inventory);
    record
}
