//! `banneret demo`: with nothing but the program, everybody of its block is judged right.

use crate::support::program::{command, run};
use crate::support::schema::assert_lines;

#[test]
fn the_demo_judges_its_whole_block_right_without_network_root_or_settings() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = command(&["demo", "-q"]);
    demo.current_dir(folder.path());
    // Settings of other commands are none of its own.
    let ended = demo.env("BANNERET_RATE", "1").output().unwrap();
    let out = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{out}");
    assert!(out.starts_with("self-check: 1024 of 1024 hosts judged right (100.0 %), in "), "{out}");
    let folder = folder.path().join("banneret-demo");
    let records = assert_lines(&std::fs::read_to_string(folder.join("demo.jsonl")).unwrap());
    assert_eq!(records.len(), 1024);
    let rows = csv::Reader::from_path(folder.join("demo.csv")).unwrap().records().count();
    assert_eq!(rows, 1024);
    let page = std::fs::read_to_string(folder.join("demo.html")).unwrap();
    assert!(page.contains("<figcaption>127.25.0.0/22</figcaption>"), "the block has its map");
}

#[test]
fn a_demo_whose_reader_has_left_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let words = ["demo", "-q", "--seed", "2", "-o", folder.to_str().unwrap()];
    let ended = command(&words).stdout(writer).output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]), "{ended:?}");
    let refused = run(&words).ends(2);
    assert!(refused.err.ends_with("new` exists; name a new one, or say `--overwrite`\n"), "{refused:?}");
    assert_eq!(run(&["demo", "--frobnicate"]).code, Some(2));
}
