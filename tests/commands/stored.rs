//! What version 0.1 left behind is read: records in every form, and a manifest. `tests/data/0.1` was written
//! by that version: two scans of the same hosts, at two ports and in both families.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli::run;
use crate::support::schema::{assert_lines, complaints};

/// The forms of which `judge` makes records again.
const WHOLE: [&str; 3] = ["records.jsonl", "records.jsonl.zst", "records.parquet"];

fn stored(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/0.1").join(name)
}

fn lines(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(stored(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What DNS said of the PTR names. Whether one confirms is no evidence: it is worked out from the addresses
/// each time.
fn as_seen(record: &Value) -> Value {
    let mut ptr = record["dns"]["ptr"].clone();
    let names = ptr.get_mut("names").and_then(Value::as_array_mut).into_iter().flatten();
    names.filter_map(Value::as_object_mut).for_each(|name| drop(name.remove("confirms")));
    ptr
}

fn json(words: &[&str]) -> Value {
    serde_json::from_str(&run(words).fine()).unwrap()
}

#[test]
fn stored_records_keep_the_schema() {
    for name in ["records.jsonl", "later.jsonl", "middle/middle.jsonl", "names/names.jsonl"] {
        for (at, record) in lines(name).iter().enumerate() {
            assert_eq!(complaints(record), Vec::<String>::new(), "{name} line {}", at + 1);
        }
    }
}

#[test]
fn stored_records_are_judged_again_on_all_their_evidence() {
    let before = lines("records.jsonl");
    let accept = stored("accept.toml");
    let judged = WHOLE.map(|name| {
        let ran = run(&["judge", "--accept", accept.to_str().unwrap(), stored(name).to_str().unwrap()]);
        assert_eq!(ran.err, "", "{name}");
        assert_lines(&ran.fine())
    });
    assert_eq!(judged[0].len(), 124);
    for (at, record) in judged[0].iter().enumerate() {
        let (was, ip) = (&before[at], &before[at]["target"]["ip"]);
        for field in ["time", "outcome", "network"] {
            assert_eq!(record[field], was[field], "{field} of {ip}");
        }
        for field in ["ip", "port", "asked", "expected_name", "helo_name", "tags"] {
            assert_eq!(record["target"][field], was["target"][field], "{field} of {ip}");
        }
        assert_eq!(record["target"]["unresolved"], Value::Null, "no name was half resolved");
        for field in ["code", "banner", "extensions", "tls", "truncated", "attempts", "samples"] {
            assert_eq!(record["smtp"][field], was["smtp"][field], "{field} of {ip}");
        }
        assert_eq!(as_seen(record), as_seen(was), "{ip}");
        assert_eq!(record["scanner"], Value::Null, "nobody wrote down who asked");
    }
    assert_eq!(judged[1], judged[0], "zst");
    assert_eq!(judged[2], judged[0], "parquet");
    let accepted: Vec<&Value> =
        judged[0].iter().filter(|it| it["accepted"] != Value::Array(Vec::new())).collect();
    assert_eq!(accepted.len(), 2);
    // What the list said of a host decides again.
    let of = |ip: &str| {
        let found = judged[0].iter().find(|it| it["target"]["ip"] == ip && it["target"]["port"] == 25);
        found.unwrap_or_else(|| panic!("{ip}"))
    };
    assert_eq!(of("198.18.0.1")["tenancy"], "dedicated");
    assert_eq!(of("198.18.0.2")["tenancy"], "shared");
    assert_eq!(of("198.18.0.2")["target"]["helo_name"], "out.h2.bv");
    assert_eq!(of("2001:db8::3")["tenancy"], "shared");
    assert_eq!(of("198.18.0.43")["target"]["tags"]["=site"], "say \"hi\"");
}

#[test]
fn stored_records_are_summed_up_alike_in_every_form() {
    let report = |name: &str| json(&["report", "--format", "json", stored(name).to_str().unwrap()]);
    let whole = report("records.jsonl");
    let outcomes: BTreeMap<String, u64> = whole["by_outcome"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(k, v)| (k.clone(), v.as_u64().unwrap()))
        .collect();
    let counted =
        outcomes.iter().filter(|(_, count)| **count > 0).map(|(word, count)| (word.as_str(), *count));
    assert_eq!(
        counted.collect::<Vec<_>>(),
        [
            ("closed", 1),
            ("excluded", 1),
            ("greeted", 47),
            ("not_smtp", 2),
            ("refused", 64),
            ("rejected", 3),
            ("reset", 1),
            ("silent", 1),
            ("timed_out", 1),
            ("unreachable", 2),
            ("unresolved", 1)
        ]
    );
    assert_eq!((&whole["records"], &whole["by_verdict"]["match"]), (&124.into(), &21.into()));
    for name in ["records.jsonl.zst", "records.csv", "records.parquet"] {
        let told = report(name);
        for part in ["records", "by_outcome", "by_verdict", "by_severity", "by_finding", "groups"] {
            assert_eq!(told[part], whole[part], "{part} of {name}");
        }
    }
    // The manifest beside the file tells of the run.
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    run(&["report", "--html", page.to_str().unwrap(), stored("records.jsonl").to_str().unwrap()]).fine();
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("scanner.probe.bv"), "the page tells the command line of the manifest");
}

#[test]
fn stored_scans_are_compared_alike_in_every_form() {
    let changes = |old: &str, new: &str| {
        let ran =
            run(&["diff", "--format", "json", stored(old).to_str().unwrap(), stored(new).to_str().unwrap()]);
        let lines: Vec<Value> = ran.fine().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!lines.is_empty());
        lines
    };
    let whole = changes("records.jsonl", "later.jsonl");
    for (ip, change) in [
        ("198.18.0.3", "fixed"),
        ("198.18.0.44", "regressed"),
        ("198.18.0.45", "regressed"),
        ("198.18.0.6", "gone"),
        ("198.18.0.47", "new"),
    ] {
        let found = whole.iter().find(|it| it["ip"] == ip && it["port"] == 25);
        assert_eq!(found.unwrap_or_else(|| panic!("{ip} is told of"))["change"], change, "{ip}");
    }
    for (old, new) in [
        ("records.csv", "later.csv"),
        ("records.parquet", "later.parquet"),
        ("records.jsonl.zst", "later.csv"),
    ] {
        let told = changes(old, new);
        let words = |all: &[Value]| -> Vec<(Value, Value, Value)> {
            all.iter().map(|it| (it["ip"].clone(), it["port"].clone(), it["change"].clone())).collect()
        };
        assert_eq!(words(&told), words(&whole), "{old} {new}");
    }
}
