//! `banneret report` and `banneret diff`.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use banneret::judge::{Code, Finding, Severity, Verdict};
use banneret::record::Record;
use serde_json::Value;

use crate::cli::{program, run, run_with, write};
use crate::support::records::healthy_record;

fn without_ptr() -> Record {
    let mut record = healthy_record();
    record.judgement.verdict = Some(Verdict::NoPtr);
    record.judgement.severity = Some(Severity::High);
    record.judgement.findings = vec![Finding { code: Code::PtrMissing, severity: Severity::High }];
    record
}

#[test]
fn many_files_are_one_summary_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let one = write(directory.path(), "a.jsonl.gz", &[healthy_record(), without_ptr()]);
    let other = write(directory.path(), "b.csv", &[healthy_record()]);
    let files = [one.to_str().unwrap(), other.to_str().unwrap()];
    let shown = |flags: &[&str]| run(&[&["report"], &files[..], flags].concat()).fine();
    let json: Value = serde_json::from_str(&shown(&["--format", "json"])).unwrap();
    assert_eq!((&json["records"], &json["by_verdict"]["no_ptr"]), (&3.into(), &1.into()));
    for kind in ["prefix", "asn", "domain", "platform", "banner_name"] {
        assert!(json["groups"][kind].is_array(), "{kind}");
    }
    assert!(shown(&["--format", "csv"]).lines().count() > 3);
    assert!(shown(&["--format", "markdown"]).contains('|'));
    assert!(shown(&["--format", "prometheus"]).contains("banneret_records"));
    assert!(shown(&[]).contains("no_ptr"));
}

#[test]
fn the_page_goes_beside_the_text_or_to_stdout() {
    let directory = tempfile::tempdir().unwrap();
    let records = write(directory.path(), "a.jsonl", &[healthy_record()]);
    let (records, page) = (records.to_str().unwrap(), directory.path().join("a.html"));
    assert!(run(&["report", records, "--html", page.to_str().unwrap()]).fine().contains("match"));
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("a.jsonl"));
    assert!(page.contains("href=\"./a.fixes.csv\""));
    let list = fs::read_to_string(directory.path().join("a.fixes.csv")).unwrap();
    assert_eq!(list.lines().count(), 1, "nothing is to be fixed: {list}");
    let alone = run(&["report", records, "--html", "-"]).fine();
    assert!(
        alone.starts_with("<!doctype html>") && !alone.contains("fixes.csv"),
        "a stream has nothing beside it"
    );
    assert!(
        run(&["report", records, "--html", "/nowhere/a.html"])
            .wrong(4)
            .contains("`/nowhere/a.fixes.csv` can't be written")
    );
}

#[test]
fn a_report_reads_stdin_and_says_what_it_can_not_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.csv", &[healthy_record()]);
    let table = fs::read(path).unwrap();
    let counted = run_with(&["report", "-", "--from", "csv", "--format", "json"], &table).fine();
    assert!(counted.contains(r#""records":1"#) || counted.contains(r#""records": 1"#), "{counted}");
    for (words, told) in [
        (
            &["report", "a.xml"][..],
            "`a.xml` has an ending that names no format; end it in `.jsonl` or `.csv`, or say `--from`",
        ),
        (
            &["report", "missing.jsonl"],
            "records `missing.jsonl` can't be read: No such file or directory (os error 2)",
        ),
        (
            &["report", "a.jsonl", "--format", "xml"],
            "`xml` is no format of a report; there are `json`, `csv`, `markdown` and `prometheus`",
        ),
        (&["report", "-", "-"], "stdin can be read once only; `-` stands for more than one file"),
        (
            &["report", "-", "--format", "json", "--html", "-"],
            "--format and `--html -` both write to stdout; name a file for the page",
        ),
    ] {
        assert_eq!(run(words).wrong(2), format!("banneret: {told}"), "{words:?}");
    }
    assert_eq!(run_with(&["report", "-"], b"no record\n").code, 2);
    assert_eq!(run(&["report"]).code, 2);
}

#[test]
fn a_torn_file_is_counted_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &[healthy_record(), healthy_record()]);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let ran = run(&["report", path.to_str().unwrap(), "--format", "json"]);
    assert!(ran.err.ends_with("end in the middle of a record; what stands before is counted\n"), "{ran:?}");
    assert_eq!(serde_json::from_str::<Value>(&ran.fine()).unwrap()["records"], 1);
}

#[test]
fn a_regression_is_shown_and_fails_if_wished() {
    let directory = tempfile::tempdir().unwrap();
    let old = write(directory.path(), "old.jsonl", &[healthy_record()]);
    let new = write(directory.path(), "new.csv", &[without_ptr()]);
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let text = run(&["diff", old, new]).fine();
    assert!(text.starts_with("regressed ") && text.contains("+ptr_missing"), "{text}");
    assert_eq!(run(&["diff", old, new, "--fail-on-regression"]).code, 1);
    assert_eq!(run(&["diff", new, old, "--fail-on-regression"]).code, 0);
    assert!(run(&["diff", new, old]).fine().starts_with("fixed "));
    let json: Value = serde_json::from_str(&run(&["diff", old, new, "--format", "json"]).fine()).unwrap();
    assert_eq!((&json["change"], &json["new"]["trouble"][0]), (&"regressed".into(), &"ptr_missing".into()));
    let csv = run(&["diff", old, new, "--format", "csv"]).fine();
    assert!(csv.lines().nth(1).unwrap().starts_with("regressed,"), "{csv}");
    let same = run(&["diff", old, old, "--fail-on-regression"]).fine();
    assert!(same.contains("same"), "{same}");
}

#[test]
fn a_diff_says_what_it_can_not_read() {
    for (words, told) in [
        (&["diff", "-", "-"][..], "stdin can be read once only; `-` stands for more than one file"),
        (
            &["diff", "missing.jsonl", "-"],
            "records `missing.jsonl` can't be read: No such file or directory (os error 2)",
        ),
    ] {
        assert_eq!(run(words).wrong(2), format!("banneret: {told}"), "{words:?}");
    }
    assert_eq!(run(&["diff", "a.jsonl"]).code, 2);
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let directory = tempfile::tempdir().unwrap();
    let path = write(directory.path(), "a.jsonl", &vec![without_ptr(); 2000]);
    let path = path.to_str().unwrap();
    for words in [
        &["judge", path][..],
        &["report", path, "--format", "json"],
        &["diff", path, path, "--format", "json"],
    ] {
        let mut child = program(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""), "{words:?}");
    }
}
