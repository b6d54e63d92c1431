//! stdout carries data, stderr the rest, and whoever stops reading ends the program quietly.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use banneret::report::{Form, Start, sink};

use crate::support::program::{command, run};

/// Commands that write more than a pipe holds, or as much as they have.
const WRITERS: &[&[&str]] = &[
    &["targets", "--allow-reserved", "198.18.0.0/15"],
    &["targets", "--allow-reserved", "--count", "198.18.0.0/15"],
    &["scan", "--dry-run", "198.18.0.0/15"],
    &["completions", "zsh"],
    &["man"],
    &["help", "records"],
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
    for words in [
        &["targets", "--allow-reserved", "198.18.0.0/15"][..],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["scan", "-h"],
        &["--version"],
        &["help", "scan"],
        &["help", "records"],
    ] {
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

#[test]
fn words_of_a_stranger_do_nothing_to_the_terminal() {
    let word = "\u{1b}]0;mine\u{7}\u{1b}[2J\u{202e}";
    for words in [
        &["scan", "--rate", word][..],
        &["scan", word, "--frobnicate"],
        &["scan", &format!("--{word}")],
        &[word],
        &["report", "--format", word, "x"],
        &["scan", "-i", word],
        &["explain", word],
    ] {
        let ran = run(words).ends(2);
        let acts = |letter: char| letter != '\n' && banneret::record::neutral::acts(letter);
        assert!(!ran.err.is_empty() && !ran.err.contains(acts), "{words:?}: {:?}", ran.err);
    }
    let mut scan = command(&["scan", "192.0.2.1"]);
    let ran = scan.env("BANNERET_RATE", word).output().unwrap();
    assert!(!ran.stderr.contains(&0x1b) && ran.status.code() == Some(2), "{ran:?}");
}

#[test]
fn comparisons_end_quietly_when_their_reader_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("old.jsonl"), "").unwrap();
    let new = path("new.jsonl");
    let form = Form::of(new.as_ref(), None).unwrap();
    let mut sink = sink::open(new.as_ref(), form, &[], Start::New).unwrap();
    for host in 0..9_000_u32 {
        let mut record = crate::support::records::healthy_record();
        record.target.ip = Some(std::net::Ipv4Addr::from(0xc612_0000 + host).into());
        record.evidence.ip = record.target.ip;
        sink.write(&record).unwrap();
    }
    sink.finish().unwrap();
    for format in ["text", "json", "csv"] {
        let (old, new) = (path("old.jsonl"), path("new.jsonl"));
        let mut child = command(&["diff", &old, &new, "--format", format]).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(
            (ended.status.code(), ended.stderr.as_slice()),
            (Some(0), &b""[..]),
            "{format}: {ended:?}"
        );
    }
}

#[test]
fn a_signal_before_anything_is_sent_ends_a_scan_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &list, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT, rustix::process::Signal::HUP]
    {
        let mut words = command(&["scan", "--resolver", "127.0.0.1", "-i", list.to_str().unwrap()]);
        let child = words.spawn().unwrap();
        // Open as soon as the scan reads its list, which does not end.
        let _writer = std::fs::File::options().write(true).open(&list).unwrap();
        let process = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(process, signal).unwrap();
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), &*told), (Some(3), "banneret: stopped before anything was sent\n"));
    }
}
