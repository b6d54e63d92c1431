//! What of a later version's records is carried on: fields that nobody knows to where they stood in JSONL,
//! words of the evidence into every form that has the field.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::later::{LATER, extend, known, later, stored, write};
use crate::cli::run;

/// Where unknown fields stand in a value. What is judged anew is so with all that stood in it.
fn extended(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let at = format!("{at}/{name}");
                match name.as_str() {
                    "later" => found.push(at),
                    "platform" | "accepted" => {}
                    _ => extended(field, &at, found),
                }
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                extended(item, &format!("{at}/{place}"), found);
            }
        }
        _ => {}
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|wrong| panic!("{wrong}: {line}")))
        .collect()
}

/// Judges a file into each of these, beside it.
fn judge_into(path: &str, names: &[&str]) -> Vec<std::path::PathBuf> {
    let outputs: Vec<_> = names.iter().map(|name| Path::new(path).with_file_name(name)).collect();
    let mut words = vec!["judge", path];
    for output in &outputs {
        words.extend(["-o", output.to_str().unwrap()]);
    }
    run(&words).fine();
    outputs
}

#[test]
fn fields_of_a_later_version_are_written_again_where_they_stood() {
    let folder = tempfile::tempdir().unwrap();
    let (_, mut after, _) = later();
    after.iter_mut().for_each(extend);
    let path = write(folder.path(), "later.jsonl", &after);
    let outputs = judge_into(&path, &["a.jsonl", "a.ecs.jsonl", "a.syslog", "a.csv", "a.parquet"]);
    let records = lines(&outputs[0]);
    let mut places: BTreeMap<String, u64> = BTreeMap::new();
    for (record, was) in records.iter().zip(&after) {
        let (mut before, mut now) = (Vec::new(), Vec::new());
        extended(was, "", &mut before);
        extended(record, "", &mut now);
        assert_eq!(now, before, "{record}");
        for place in before {
            assert_eq!(record.pointer(&place), was.pointer(&place), "{place}");
            *places.entry(place).or_default() += 1;
        }
    }
    for place in [
        "",
        "/target",
        "/smtp",
        "/smtp/tls",
        "/smtp/tls/certificate",
        "/dns",
        "/dns/ptr",
        "/dns/ptr/names/0",
        "/dns/ptr/names/1",
        "/dns/banner_forward",
        "/network",
    ] {
        assert!(places.contains_key(&format!("{place}/later")), "{place}: {places:?}");
    }
    // The other forms have no place for them, and say the same without.
    for output in &outputs[1..4] {
        assert!(!fs::read_to_string(output).unwrap().contains("later"), "{}", output.display());
    }
    let plain = write(folder.path(), "plain.jsonl", &after.iter().map(known).collect::<Vec<_>>());
    let plain = judge_into(&plain, &["b.jsonl", "b.ecs.jsonl", "b.syslog", "b.csv", "b.parquet"]);
    for (with, without) in outputs.iter().zip(&plain).skip(1).take(3) {
        assert_eq!(fs::read_to_string(with).unwrap(), fs::read_to_string(without).unwrap());
    }
    let expected: Vec<Value> = records.iter().map(known).collect();
    assert_eq!(expected, lines(&plain[0]));
    let from_parquet = run(&["judge", outputs[4].to_str().unwrap()]).fine();
    let from_parquet: Vec<Value> =
        from_parquet.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(from_parquet, expected);
    // And once more, however deep they are.
    let mut deep = stored()[0].to_string();
    deep.truncate(deep.len() - 1);
    let field = format!(r#""deep":{}{}"#, "[".repeat(5000), "]".repeat(5000));
    let again = folder.path().join("deep.jsonl");
    fs::write(&again, format!("{deep},{field},\"big\":1e400}}\n")).unwrap();
    let outputs = judge_into(again.to_str().unwrap(), &["c.jsonl", "c.ecs.jsonl", "c.syslog", "c.parquet"]);
    let told = fs::read_to_string(&outputs[0]).unwrap();
    assert!(told.contains(&format!(",{field},\"big\":1e400}}")), "{}", &told[..2000]);
    assert_eq!(lines(&outputs[1])[0]["banneret"]["outcome"], stored()[0]["outcome"]);
    assert!(fs::read_to_string(&outputs[2]).unwrap().contains(" outcome=\""));
    assert_eq!(run(&["judge", outputs[0].to_str().unwrap()]).fine(), told);
}

/// A word of the evidence: where it stands in JSONL and in ECS, and what it is called in syslog and, if it is
/// there, in CSV.
const PLACES: [(&str, &str, &str, Option<&str>); 9] = [
    ("/outcome", "/event/action", "outcome", Some("outcome")),
    ("/dns/ptr/status", "/banneret/ptr_status", "ptr_status", Some("ptr_status")),
    ("/dns/ptr/names/0/status", "/banneret/ptr_names/0/status", "ptr_statuses", None),
    (
        "/dns/banner_forward/status",
        "/banneret/banner_forward/status",
        "banner_forward_status",
        Some("banner_forward_status"),
    ),
    ("/smtp/tls/status", "/banneret/tls/status", "tls_status", None),
    ("/smtp/tls/certificate/x509_error", "/banneret/tls/certificate/x509_error", "tls_x509_error", None),
    ("/scanner/engine", "/banneret/engine", "scanner_engine", None),
    (
        "/target/unresolved/family",
        "/banneret/unresolved/family",
        "unresolved_family",
        Some("unresolved_family"),
    ),
    (
        "/target/unresolved/status",
        "/banneret/unresolved/status",
        "unresolved_status",
        Some("unresolved_status"),
    ),
];

#[test]
fn a_word_of_a_later_version_stands_in_every_form_as_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let has = |record: &&Value, pointer: &str| record.pointer(pointer).is_some_and(|value| !value.is_null());
    let all = stored();
    let mut whole = all
        .iter()
        .find(|it| has(it, "/smtp/tls/certificate") && has(it, "/dns/ptr/names/0"))
        .unwrap()
        .clone();
    whole["scanner"] =
        json!({ "name": "scanner.example.net", "ip": "192.0.2.9", "engine": "connect", "own_addresses": [] });
    whole["target"]["unresolved"] = json!({ "family": "ipv6", "status": "timed_out" });
    let records: Vec<Value> = PLACES
        .iter()
        .map(|(pointer, ..)| {
            let mut record = whole.clone();
            *record.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = LATER.into();
            record
        })
        .collect();
    let path = write(folder.path(), "later.jsonl", &records);
    let outputs = judge_into(&path, &["a.jsonl", "a.ecs.jsonl", "a.syslog", "a.csv", "a.parquet"]);
    let (jsonl, ecs) = (lines(&outputs[0]), lines(&outputs[1]));
    let syslog = fs::read_to_string(&outputs[2]).unwrap();
    let mut table = csv::Reader::from_path(&outputs[3]).unwrap();
    let headers = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let from_parquet = run(&["judge", outputs[4].to_str().unwrap()]).fine();
    let from_parquet: Vec<Value> =
        from_parquet.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (at, (pointer, in_ecs, parameter, column)) in PLACES.iter().enumerate() {
        for (form, record, pointer) in [
            ("jsonl", &jsonl[at], pointer),
            ("parquet", &from_parquet[at], pointer),
            ("ecs", &ecs[at], in_ecs),
        ] {
            assert_eq!(record.pointer(pointer), Some(&LATER.into()), "{form}: {pointer}");
        }
        let line = syslog.lines().nth(at).unwrap();
        // `\x1b` is the escape of banners, and each backslash has that of RFC 5424.
        assert!(line.contains(&format!(r#" {parameter}="bright\"\\x1b""#)), "{parameter}: {line}");
        let cell = column.map(|name| &rows[at][headers.iter().position(|it| it == name).unwrap()]);
        assert!(cell.is_none_or(|cell| cell == LATER), "{pointer}: {cell:?}");
    }
    // An outcome stands in the header and in the message, too.
    let line = syslog.lines().next().unwrap();
    assert!(line.contains(" banneret - bright\" [") && line.contains(": bright\"\\x1b"), "{line}");
    assert_eq!(ecs[0]["banneret"]["outcome"], LATER);
    assert_eq!(ecs[0]["event"]["outcome"], "unknown");
    assert_eq!(ecs[4]["tls"]["established"], Value::Null, "nobody knows");
    for output in [&outputs[0], &outputs[3], &outputs[4]] {
        let told = run(&["report", "--format", "json", output.to_str().unwrap()]).fine();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(
            (&told["records"], &told["by_outcome"]["other"]),
            (&9.into(), &1.into()),
            "{}",
            output.display()
        );
    }
}

#[test]
fn fields_are_added_to_every_object_of_the_test_records() {
    let mut record = json!({ "a": 1, "b": [{ "c": 1 }] });
    extend(&mut record);
    let mut found = Vec::new();
    extended(&record, "", &mut found);
    assert_eq!(found, ["/b/0/later", "/later"]);
}
