//! `--accept`, wherever it is taken.

use std::fs;
use std::path::{Path, PathBuf};

use banneret::evidence::Evidence;
use banneret::record::Record;
use banneret::smtp::reply::{Code, Reply};
use serde_json::Value;

use crate::check::{TOWN, home};
use crate::cli::{run, sound, write};
use crate::support::schema::assert_lines;

fn accepting(directory: &Path, entry: &str) -> PathBuf {
    let path = directory.join("accepted.toml");
    fs::write(&path, format!("[[accept]]\n{entry}")).unwrap();
    path
}

/// A record of a host that greets by a default name.
fn default_name() -> Record {
    let record = sound();
    let mut observation = record.evidence.observation.clone();
    observation.greeting =
        Some(Reply { code: Code::new(220), text: ["localhost ESMTP"].into_iter().collect() });
    Record { evidence: Evidence { observation, ..record.evidence.clone() }, ..record }
}

const WHOLE: &str = "code = \"banner_default\"\nreason = \"to be replaced\"\nuntil = 2999-12-31\n";

#[test]
fn stored_records_are_judged_with_what_is_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let records = write(directory.path(), "a.jsonl", &[default_name()]);
    let judged = |entry: &str| {
        let file = accepting(directory.path(), entry);
        let ran = run(&["judge".as_ref(), records.as_os_str(), "--accept".as_ref(), file.as_os_str()]);
        let told = ran.err.clone();
        (assert_lines(&ran.fine()).remove(0), told)
    };
    let unqualified = WHOLE.replace("banner_default", "banner_unqualified");
    let (record, told) = judged(&format!("{WHOLE}[[accept]]\n{unqualified}"));
    assert_eq!(told, "");
    assert_eq!(record["severity"], "none");
    assert_eq!(record["findings"], serde_json::json!(["banner_unqualified", "banner_default"]));
    assert_eq!(record["accepted"][1]["code"], "banner_default");
    assert_eq!(record["accepted"][1]["reason"], "to be replaced");
    assert_eq!(record["accepted"][1]["until"], "2999-12-31");

    let (record, told) = judged(&WHOLE.replace("2999", "1999"));
    assert_eq!((&record["severity"], &record["accepted"]), (&"medium".into(), &Value::Array(Vec::new())));
    assert!(
        told.ends_with(
            "accepted.toml` line 1: `banner_default` was accepted until 1999-12-31 and is not any more\n"
        ),
        "{told}"
    );
}

#[test]
fn a_mistake_stops_before_anything_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let file = accepting(directory.path(), &WHOLE.replace("2999-12-31", "\"later\""));
    let told = format!(
        "banneret: accepted findings `{}` line 4: `later` is no day; write the last one as 2026-12-31",
        file.display()
    );
    let file = file.to_str().unwrap();
    for words in [
        &["scan", "127.27.0.1", "--allow-reserved", "--resolver", "127.0.0.1", "--accept", file][..],
        &["check", "127.27.0.1", "--allow-reserved", "--resolver", "127.0.0.1", "--accept", file],
        &["judge", "-", "--accept", file],
    ] {
        assert_eq!(run(words).wrong(2), told, "{words:?}");
    }
    let missing = run(&["judge", "-", "--accept", "missing.toml"]).wrong(2);
    assert_eq!(
        missing,
        "banneret: accepted findings `missing.toml` can't be read: No such file or directory (os error 2)"
    );
}

#[test]
fn what_is_accepted_fails_neither_a_scan_nor_a_check_and_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let truth = home("no_ptr");
    let address = truth.ip.to_string();
    let entry = format!(
        "code = \"ptr_missing\"\naddress = \"{address}\"\nreason = \"asked for\"\nuntil = 2999-12-31\n"
    );
    let file = accepting(directory.path(), &entry);
    let (port, dns) = (TOWN.running.smtp_port().to_string(), TOWN.running.dns().to_string());
    let common = [&address, "--allow-reserved", "-p", &port, "--resolver", &dns, "--fail-on", "low"];
    let accept = ["--accept", file.to_str().unwrap()];

    assert_eq!(run(&[&["check"], &common[..]].concat()).code, 1);
    let screen = run(&[&["check"], &common[..], &accept].concat()).fine();
    assert!(screen.contains("ptr_missing (accepted until 2999-12-31: asked for)"), "{screen}");

    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (lines, table, summary) = (path("a.jsonl"), path("a.csv"), path("a.json"));
    let outputs = ["-o", &lines, "-o", &table, "--summary", &summary];
    let ran = run(&[&["scan"], &common[..], &accept, &outputs].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let record = assert_lines(&fs::read_to_string(&lines).unwrap()).remove(0);
    assert_eq!((&record["verdict"], &record["severity"]), (&"no_ptr".into(), &"none".into()));
    assert_eq!((&record["accepted"][0]["reason"], &record["clears_by"]), (&"asked for".into(), &Value::Null));
    let mut rows = csv::Reader::from_path(table).unwrap();
    let at = rows.headers().unwrap().iter().position(|name| name == "accepted").unwrap();
    assert_eq!(&rows.records().next().unwrap().unwrap()[at], "ptr_missing");
    let summary: Value = serde_json::from_str(&fs::read_to_string(summary).unwrap()).unwrap();
    assert_eq!(
        (&summary["by_finding"], &summary["by_accepted"]["ptr_missing"]),
        (&serde_json::json!({}), &1.into())
    );
    assert_eq!((&summary["what_if"]["in_trouble"], &summary["what_if"]["accepted"]), (&1.into(), &1.into()));
}
