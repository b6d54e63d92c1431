//! A file of a later version: fields, words and statuses that this one does not know. Every command reads it,
//! loses nothing that it knows, and says what it does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::run;

/// Words of a later version, by where they stand; the last says whether it is evidence, which is kept.
const WORDS: [(&str, Kept); 14] = [
    ("/verdict", Kept::No),
    ("/severity", Kept::No),
    ("/findings/0", Kept::No),
    ("/relation", Kept::No),
    ("/tenancy", Kept::No),
    ("/clears_by/0", Kept::No),
    ("/dns/fcrdns", Kept::No),
    ("/platform/name", Kept::No),
    ("/outcome", Kept::Yes),
    ("/dns/ptr/status", Kept::Yes),
    ("/dns/ptr/names/0/status", Kept::Yes),
    ("/dns/banner_forward/status", Kept::Yes),
    ("/smtp/tls/status", Kept::Yes),
    ("/scanner/engine", Kept::Yes),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    Yes,
    No,
}

pub(super) const LATER: &str = "bright\"\u{1b}";

pub(super) fn stored() -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/0.1/records.jsonl");
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(super) fn write(folder: &Path, name: &str, records: &[Value]) -> String {
    let path = folder.join(name);
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    path.to_str().unwrap().to_owned()
}

/// Puts a field that nobody knows into every object.
pub(super) fn extend(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(extend);
            // A tag is text, whatever it is called.
            if !fields.contains_key("customer") && !fields.values().all(Value::is_string) {
                fields.insert("later".to_owned(), json!({ "a": [1, null, { "b": "c" }] }));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(extend),
        _ => {}
    }
}

/// The stored records as a later version might write them, and how many hold an unknown word at each place.
pub(super) fn later() -> (Vec<Value>, Vec<Value>, BTreeMap<&'static str, u64>) {
    let before = stored();
    let mut after = before.clone();
    let mut met = BTreeMap::new();
    for (number, record) in after.iter_mut().enumerate() {
        if number % 3 > 0 {
            extend(record);
        }
        // Every place in turn, and all at once.
        for (at, (pointer, _)) in WORDS.iter().enumerate() {
            let is_due = number % 16 == at || number % 16 == 14;
            if let Some(Value::String(word)) = record.pointer_mut(pointer).filter(|_| is_due) {
                LATER.clone_into(word);
                *met.entry(*pointer).or_default() += 1;
            }
        }
    }
    (before, after, met)
}

/// The record without fields that nobody knows.
pub(super) fn known(record: &Value) -> Value {
    match record {
        Value::Object(fields) => {
            let known = fields.iter().filter(|(name, _)| *name != "later");
            Value::Object(known.map(|(name, value)| (name.clone(), self::known(value))).collect())
        }
        Value::Array(items) => items.iter().map(known).collect(),
        other => other.clone(),
    }
}

fn judged(path: &str) -> (Vec<Value>, String) {
    let ran = run(&["judge", path]);
    let err = ran.err.clone();
    (ran.fine().lines().map(|line| serde_json::from_str(line).unwrap()).collect(), err)
}

#[test]
fn records_of_a_later_version_are_judged_on_what_is_known_and_kept_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after, met) = later();
    assert!(WORDS.iter().filter(|(pointer, _)| met.contains_key(pointer)).count() >= 10, "{met:?}");
    let (plain, told) = judged(&write(folder.path(), "plain.jsonl", &before));
    assert_eq!(told, "");
    let path = write(folder.path(), "later.jsonl", &after);
    let (records, told) = judged(&path);
    let expected = format!("banneret: records `{path}`: ");
    assert!(told.starts_with(&expected) && told.lines().count() == 1, "{told}");
    assert!(told.contains("`bright\"\\x1b` in `"), "{told}");

    assert_eq!(records.len(), before.len());
    for (number, (record, was)) in records.iter().zip(&after).enumerate() {
        assert_eq!(record["target"]["tags"]["unreadable"], Value::Null, "{record}");
        for (pointer, kept) in WORDS {
            let (now, was) = (record.pointer(pointer), was.pointer(pointer));
            if was.and_then(Value::as_str) == Some(LATER) && kept == Kept::Yes {
                assert_eq!(now, was, "{pointer} of record {number}");
            }
        }
        // What is worked out is what it would be without the later words, unless these are of its evidence.
        let is_whole = WORDS.iter().all(|(pointer, kept)| {
            *kept == Kept::No || was.pointer(pointer).and_then(Value::as_str) != Some(LATER)
        });
        if is_whole {
            assert_eq!(known(record), plain[number], "record {number}");
        } else if was["outcome"] == LATER {
            assert_eq!((&record["verdict"], &record["findings"]), (&Value::Null, &json!([])));
        }
        for field in ["ip", "port", "asked", "tags", "expected_name", "helo_name"] {
            assert_eq!(record["target"][field], plain[number]["target"][field], "{field} of record {number}");
        }
        for field in ["code", "banner", "extensions", "samples", "connect_ms", "banner_ms"] {
            assert_eq!(record["smtp"][field], plain[number]["smtp"][field], "{field} of record {number}");
        }
    }
    // A PTR status that nobody knows settles nothing.
    let open = records.iter().filter(|it| it["dns"]["ptr"]["status"] == LATER);
    open.for_each(|it| assert!(it["verdict"].is_null() || it["verdict"] == "undetermined", "{it}"));
    // And once more: what was kept is kept again.
    let (again, _) = judged(&write(folder.path(), "again.jsonl", &records));
    assert_eq!(again, records);
}

#[test]
fn records_of_a_later_version_are_counted_with_its_words_as_others_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after, met) = later();
    let path = write(folder.path(), "later.jsonl", &after);
    let count = |path: &str| -> Value {
        serde_json::from_str(&run(&["report", "--format", "json", path]).fine()).unwrap()
    };
    let (plain, told) = (count(&write(folder.path(), "plain.jsonl", &before)), count(&path));
    assert_eq!(told["records"], before.len());
    for (field, pointer) in [
        ("by_outcome", "/outcome"),
        ("by_verdict", "/verdict"),
        ("by_severity", "/severity"),
        ("by_finding", "/findings/0"),
    ] {
        let other = told[field]["other"].as_u64().unwrap_or(0);
        assert_eq!(other, met.get(pointer).copied().unwrap_or(0), "{field}: {}", told[field]);
        // A finding that was accepted and is not known is none that is accepted.
        if field == "by_finding" {
            continue;
        }
        let sum =
            |counts: &Value| counts.as_object().unwrap().values().filter_map(Value::as_u64).sum::<u64>();
        assert_eq!(sum(&told[field]), sum(&plain[field]), "{field}");
    }
    for form in ["text", "csv", "markdown", "prometheus"] {
        let words = ["report", "--format", form, &path];
        let ran = if form == "text" { run(&["report", &path]) } else { run(&words) };
        assert!(ran.err.contains("words that this version does not know"), "{form}: {}", ran.err);
        assert!(ran.fine().contains("other"), "{form}");
    }
    let groups = run(&["report", "--group-by", "verdict", "--format", "json", &path]).fine();
    let groups: Value = serde_json::from_str(&groups).unwrap();
    let other = groups["groups"]["verdict"].as_array().unwrap().iter().find(|group| group["key"] == "other");
    assert_eq!(other.unwrap()["records"], told["by_verdict"]["other"]);

    // Judged and written in each form, the words of the evidence are still there to be counted.
    let forms = ["a.jsonl", "a.csv", "a.parquet", "a.jsonl.zst"].map(|name| {
        let out = folder.path().join(name).to_str().unwrap().to_owned();
        run(&["judge", &path, "-o", &out]).fine();
        count(&out)
    });
    assert_eq!(forms[0]["by_outcome"]["other"], told["by_outcome"]["other"]);
    for form in &forms[1..] {
        for field in ["records", "by_outcome", "by_verdict", "by_severity", "by_finding", "groups"] {
            assert_eq!(form[field], forms[0][field], "{field}");
        }
    }
}

#[test]
fn a_comparison_takes_no_word_of_a_later_version_for_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after, _) = later();
    let (old, new) = (write(folder.path(), "old.jsonl", &before), write(folder.path(), "new.jsonl", &after));
    for (old, new) in [(&old, &new), (&new, &old)] {
        let ran = run(&["diff", "--format", "json", old, new]);
        assert!(ran.err.contains("words that this version does not know"), "{}", ran.err);
        let entries: Vec<Value> =
            ran.fine().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(entries.len() > 40);
        for entry in &entries {
            let change = entry["change"].as_str().unwrap();
            // A finding that is not known was one that is: the host has one less.
            assert!(
                ["same", "still_wrong", "unknown", "fixed", "regressed"].contains(&change),
                "neither gone nor new: {entry}"
            );
        }
    }
}

#[test]
fn numbers_that_no_field_can_hold_are_told_alike_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for (pointer, number, field) in [
        ("/smtp/connect_ms", json!(-5), "smtp.connect_ms"),
        ("/smtp/banner_ms", json!(1e300), "smtp.banner_ms"),
        ("/smtp/code", json!(99_999), "smtp.code"),
        ("/smtp/attempts", json!(4000), "smtp.attempts"),
        ("/target/port", json!(-25), "target.port"),
        ("/dns/ptr/count", json!(-1), "dns.ptr.count"),
        ("/network/asn", json!(1_u64 << 40), "network.asn"),
        ("/smtp/tls/alert", json!(256), "smtp.tls.alert"),
        ("/smtp/tls/code", json!(0.5), "smtp.tls.code"),
        ("/smtp/tls/certificate/count", json!(-7), "smtp.tls.certificate.count"),
    ] {
        let mut records = stored();
        let has = |it: &Value| it["dns"] != Value::Null && it.pointer(pointer).is_some();
        let at = records.iter().position(|it| it["outcome"] == "greeted" && has(it)).unwrap();
        *records[at].pointer_mut(pointer).unwrap() = number.clone();
        let path = write(folder.path(), "a.jsonl", &records);
        let told = format!(
            "banneret: records `{path}`: 1 record has numbers that their field can't hold, the first is `{}` in `{field}` in \
             record {}; they are left out\n",
            if number == json!(1e300) { "1e300".to_owned() } else { number.to_string() },
            at + 1
        );
        let (judged, err) = judged(&path);
        assert_eq!((judged.len(), err), (records.len(), told.clone()), "{field}");
        assert_eq!(judged[at]["target"]["tags"]["unreadable"], Value::Null);
        let ran = run(&["report", "--format", "json", &path]);
        assert_eq!(ran.err, told);
        let summary: Value = serde_json::from_str(&ran.fine()).unwrap();
        assert_eq!(summary["records"], records.len());
        assert_eq!(run(&["diff", &path, &path]).err, told.repeat(2));
    }
    // Other programs write a number as they please.
    let mut records = stored();
    let at = records.iter().position(|it| it["smtp"]["code"] == 220).unwrap();
    records[at]["smtp"]["code"] = json!(220.0);
    let (judged, err) = judged(&write(folder.path(), "b.jsonl", &records));
    assert_eq!((err.as_str(), &judged[at]["smtp"]["code"]), ("", &json!(220)));
}
