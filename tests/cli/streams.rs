//! stdout carries data, stderr the rest, and whoever stops reading ends the program quietly.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::support::program::{command, run};

/// Commands that write more than a pipe holds, or as much as they have.
const WRITERS: &[&[&str]] = &[
    &["targets", "--allow-reserved", "198.18.0.0/15"],
    &["targets", "--allow-reserved", "--count", "198.18.0.0/15"],
    &["scan", "--dry-run", "198.18.0.0/15"],
    &["completions", "zsh"],
    &["man"],
    &["scan", "--help"],
    &["--version"],
];

#[test]
fn a_reader_that_stops_after_a_line_ends_the_program_quietly() {
    for words in WRITERS {
        let mut child = command(words).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(
            (ended.status.code(), ended.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{words:?}: {ended:?}"
        );
    }
}

#[test]
fn a_pipe_that_nobody_reads_ends_the_program_quietly() {
    for words in WRITERS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = command(words).stdout(writer).output().unwrap();
        assert_eq!(
            (ended.status.code(), ended.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{words:?}: {ended:?}"
        );
    }
}

#[test]
fn messages_that_nobody_reads_change_nothing() {
    let dead_pipe = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    for (words, code) in [
        (&["targets", "--skip-bad-targets", "--allow-reserved", "1.2.3", "192.0.2.1"][..], 0),
        (&["targets", "1.2.3"], 2),
        (&["scan", "--frobnicate"], 2),
    ] {
        let ended = command(words).stderr(dead_pipe()).output().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{words:?}");
    }
    let all = command(&["targets", "--skip-bad-targets", "--allow-reserved", "1.2.3", "192.0.2.1"]);
    let mut all = all;
    assert_eq!(all.stderr(dead_pipe()).output().unwrap().stdout, b"192.0.2.1\n");
}

#[test]
fn a_full_disk_is_told_and_is_none_of_the_users_mistakes() {
    for words in [&["targets", "--allow-reserved", "198.18.0.0/15"][..], &["man"], &["completions", "bash"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = command(words).stdout(Stdio::from(full)).output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(told.contains("No space left on device") && told.lines().count() == 1, "{words:?}: {told}");
        assert_eq!(ended.status.code(), Some(4), "{words:?}: {told}");
    }
}

#[test]
fn the_list_goes_to_stdout_and_nothing_else_does() {
    let ran =
        run(&["targets", "--allow-reserved", "192.0.2.7", "mx:example.org", "mail.example.org"]).ends(0);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("192.0.2.7\nmx:example.org\nmail.example.org\n", ""));
}
