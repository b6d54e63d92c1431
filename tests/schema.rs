//! Every line that is written keeps the committed schema and comes back; a line that does not is refused.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod support;

use banneret::evidence::{Observation, Status, Tls};
use banneret::judge::{Code, judge};
use banneret::record::{Foreign, Record, json, read, row::Row};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::records::{any_record, healthy_record};
use support::schema::{assert_lines, complaints, own_complaints};

fn line(record: &Record) -> String {
    let mut line = Vec::new();
    json::encode(record, &mut line);
    String::from_utf8(line).unwrap()
}

#[test]
fn the_documented_example_is_written_to_the_letter() {
    let expected = concat!(
        r#"{"schema":"banneret.record/1","time":"2026-01-02T03:04:05.678Z","#,
        r#""target":{"ip":"192.0.2.1","port":25,"asked":"192.0.2.0/24","expected_name":null,"helo_name":null,"tags":{"customer":"C-17"},"unresolved":null},"#,
        r#""outcome":"greeted","#,
        r#""smtp":{"code":220,"banner":["mail.example.org ESMTP Postfix"],"banner_name":"mail.example.org","ehlo_name":null,"extensions":null,"#,
        r#""tls":null,"truncated":false,"attempts":1,"connect_ms":12.3,"banner_ms":45.6,"samples":null},"#,
        r#""dns":{"ptr":{"status":"found","count":1,"names":[{"name":"mail.example.org","status":"found","addresses":["192.0.2.1"],"confirms":true}]},"#,
        r#""fcrdns":"pass","#,
        r#""banner_forward":{"status":"found","addresses":["192.0.2.1"],"confirms":true}},"#,
        r#""relation":"exact","verdict":"match","severity":"none","findings":[],"#,
        r#""platform":{"name":"postfix","version":null},"tenancy":"unknown","#,
        r#""network":{"prefix":"192.0.2.0/24","asn":64500,"as_name":"EXAMPLE"},"accepted":[],"clears_by":null,"fix":null,"#,
        r#""scanner":{"name":"scanner.example.net","ip":"198.51.100.7","engine":"connect","own_addresses":[]}}"#,
        "\n"
    );
    assert_eq!(line(&healthy_record()), expected);
    assert_lines(expected);
}

#[test]
fn every_finding_code_is_in_the_schema() {
    for code in Code::ALL {
        let mut record: Value = serde_json::from_str(&line(&healthy_record())).unwrap();
        record["findings"] = json!([code.as_str()]);
        assert_eq!(complaints(&record), Vec::<String>::new(), "{code:?}");
    }
}

#[test]
fn a_line_that_breaks_the_form_is_refused() {
    let good: Value = serde_json::from_str(&line(&healthy_record())).unwrap();
    let changes: &[(&str, Value)] = &[
        ("/schema", json!("banneret.record/2")),
        ("/time", json!("2026-01-02 03:04:05")),
        ("/time", json!("2026-01-02T03:04:05Z")),
        ("/target/ip", json!("192.0.2.256")),
        ("/target/ip", json!("mail.example.org")),
        ("/target/port", json!(65536)),
        ("/target/asked", json!(null)),
        ("/target/tags", json!({"a": 1})),
        ("/outcome", json!("answered")),
        ("/outcome", json!("silent")),
        ("/smtp", json!(null)),
        ("/smtp/code", json!(1000)),
        ("/smtp/banner", json!("one line")),
        ("/smtp/banner", json!([r"a\b"])),
        ("/smtp/banner", json!(["a\u{1b}[2J"])),
        ("/smtp/banner", json!(["\u{9b}2J"])),
        ("/smtp/attempts", json!(null)),
        ("/smtp/connect_ms", json!(-1)),
        ("/smtp/truncated", json!("no")),
        ("/dns/ptr/status", json!("missing")),
        ("/dns/ptr/names/0/confirms", json!("yes")),
        ("/dns/ptr/names/0/name", json!("a b")),
        ("/dns/fcrdns", json!("none")),
        ("/verdict", json!("ok")),
        ("/verdict", json!(null)),
        ("/severity", json!(null)),
        ("/relation", json!(null)),
        ("/findings", json!(["no_such_code"])),
        ("/findings", json!([{"code": "ptr_missing"}])),
        ("/platform", json!("postfix")),
        ("/tenancy", json!(null)),
        ("/network", json!(null)),
        ("/network/prefix", json!("192.0.2.0/25")),
        ("/network/asn", json!("AS64500")),
        ("/accepted", json!(null)),
        ("/accepted", json!(["ptr_generic"])),
        ("/accepted", json!([{"code": "no_such_code", "reason": "x", "until": "2026-12-31"}])),
        ("/accepted", json!([{"code": "ptr_generic", "until": "2026-12-31"}])),
        ("/clears_by", json!("ptr")),
        ("/clears_by", json!(["helo"])),
        ("/scanner", json!("scanner.example.net")),
        ("/scanner/ip", json!("scanner.example.net")),
        ("/scanner/engine", json!("telnet")),
        ("/scanner/own_addresses", json!(null)),
    ];
    for (pointer, value) in changes {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is in the record")) = value.clone();
        assert!(!complaints(&bad).is_empty(), "{pointer} = {value} passed");
    }
}

#[test]
fn this_version_leaves_no_field_out_and_adds_none_but_tags() {
    let good: Value = serde_json::from_str(&line(&healthy_record())).unwrap();
    for pointer in objects(&good, String::new()) {
        let fields: Vec<String> =
            good.pointer(&pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        if pointer.ends_with("/tags") {
            continue;
        }
        for field in fields {
            let mut bad = good.clone();
            bad.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(&field);
            assert!(!own_complaints(&bad).is_empty(), "{pointer}/{field} can be left out");
        }
        let mut bad = good.clone();
        bad.pointer_mut(&pointer).unwrap()["extra"] = json!({"deep": [1]});
        assert!(!own_complaints(&bad).is_empty(), "{pointer} takes a field more");
        assert_eq!(complaints(&bad), Vec::<String>::new(), "{pointer} takes no field of a later version");
    }
}

fn objects(value: &Value, at: String) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(fields) = value.as_object() {
        for (name, field) in fields {
            found.extend(objects(field, format!("{at}/{name}")));
        }
        found.push(at);
    } else if let Some(items) = value.as_array() {
        for (index, item) in items.iter().enumerate() {
            found.extend(objects(item, format!("{at}/{index}")));
        }
    }
    found
}

#[test]
fn lines_of_other_versions_are_read() {
    let mut newer: Value = serde_json::from_str(&line(&healthy_record())).unwrap();
    newer["novelty"] = json!({"deep": [1, 2]});
    newer["smtp"]["novelty"] = json!(null);
    let read = read::decode(&newer.to_string()).unwrap();
    assert_eq!(Record { foreign: Foreign::default(), ..read.clone() }, healthy_record());
    assert_eq!(serde_json::from_str::<Value>(&line(&read)).unwrap(), newer, "and written as they were");

    let bare = r#"{"schema":"banneret.record/1","time":"2026-01-02T03:04:05.678Z","target":{"ip":null,"port":25},"outcome":"unresolved"}"#;
    let record = read::decode(bare).unwrap();
    assert_eq!((record.target.ip, record.evidence.resolution.is_none()), (None, true));
    assert_lines(&line(&record));

    let mut newer: Value = serde_json::from_str(&line(&record)).unwrap();
    newer["target"]["unresolved"] = json!({"family": "ipv6", "status": "timed_out", "novelty": 1});
    assert_eq!(complaints(&newer), Vec::<String>::new());
    let again = line(&read::decode(&newer.to_string()).unwrap());
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), newer);
}

#[test]
fn fields_of_a_later_version_go_with_the_answers_that_they_stood_in() {
    let mut later: Value = serde_json::from_str(&line(&healthy_record())).unwrap();
    for pointer in ["", "/smtp", "/dns", "/dns/ptr", "/dns/ptr/names/0", "/dns/banner_forward"] {
        later.pointer_mut(pointer).unwrap()["novelty"] = json!(1e300);
    }
    let record = read::decode(&later.to_string()).unwrap();
    let same = record.evidence.resolution.clone().unwrap();
    let mut other_ptr = same.clone();
    other_ptr.ptr_count = 2;
    let mut other_name = same.clone();
    other_name.names[0].forward.status = Status::ServFail;
    let mut other_banner = same.clone();
    other_banner.banner_forward.status = Status::ServFail;
    for (answer, left) in [
        (same, &["", "/smtp", "/dns", "/dns/ptr", "/dns/ptr/names/0", "/dns/banner_forward"][..]),
        (other_ptr, &["", "/smtp", "/dns/ptr/names/0", "/dns/banner_forward"]),
        (other_name, &["", "/smtp", "/dns/banner_forward"]),
        (other_banner, &["", "/smtp", "/dns/ptr", "/dns/ptr/names/0"]),
    ] {
        let mut record = record.clone();
        record.answer(answer);
        let told: Value = serde_json::from_str(&line(&record)).unwrap();
        let with = objects(&told, String::new());
        let with = with.into_iter().filter(|at| !told.pointer(at).unwrap()["novelty"].is_null());
        let mut with: Vec<String> = with.collect();
        with.sort_unstable();
        let mut left = left.to_vec();
        left.sort_unstable();
        assert_eq!(with, left);
    }
}

#[test]
fn what_is_no_record_is_refused_with_the_reason() {
    let good = line(&healthy_record());
    for (text, reason) in [
        (String::new(), "is not a record: EOF while parsing a value at column 0"),
        (
            "[]".to_owned(),
            "is not a record: invalid length 0, expected struct Line with 17 elements at column 2",
        ),
        ("{}".to_owned(), "has no `schema`"),
        (
            good.replace("record/1", "record/9"),
            "is of the form `banneret.record/9`; this version reads `banneret.record/1`",
        ),
        (good.replace(r#""port":25,"#, ""), "has no `port`"),
        (
            good.replace("192.0.2.1\",\"port", "192.0.2\",\"port"),
            "has `192.0.2` in `ip`, which this version does not know",
        ),
        (
            good.replace("mail.example.org ESMTP", r"\\q"),
            r"has `\q Postfix` in `banner`, which this version does not know",
        ),
    ] {
        assert_eq!(read::decode(&text).unwrap_err().to_string(), reason, "{text}");
    }
}

/// What a line can hold of a record: whole milliseconds, tenths of durations, the EHLO reply as name and
/// extensions, no severity for each finding, no inventory that says nothing.
fn as_told(record: &Record) -> Record {
    read::decode(&line(record)).unwrap()
}

proptest! {
    #[test]
    fn every_line_keeps_the_schema(record in any_record()) {
        let text = line(&record);
        prop_assert_eq!(text.matches('\n').count(), 1);
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(complaints(&value), Vec::<String>::new());
        prop_assert_eq!(own_complaints(&value), Vec::<String>::new());
    }

    #[test]
    fn every_line_comes_back(record in any_record()) {
        let back = as_told(&record);
        prop_assert_eq!(line(&back), line(&record), "the line of what was read is the line");
        prop_assert_eq!(&back.target.ip, &record.target.ip);
        prop_assert_eq!(&back.target.asked, &record.target.asked);
        prop_assert_eq!(&back.evidence.resolution, &record.evidence.resolution);
        prop_assert_eq!(&back.evidence.scanner, &record.evidence.scanner);
        let (seen, told) = (&record.evidence.observation, &back.evidence.observation);
        prop_assert_eq!(&told.greeting, &seen.greeting, "not a byte of the greeting is lost");
        prop_assert_eq!((told.outcome, told.truncated, told.attempts), (seen.outcome, seen.truncated, seen.attempts));
        prop_assert_eq!(&told.samples, &seen.samples);
        let tls = |seen: &Observation| seen.tls.as_ref().map(|tls| Tls { ehlo: None, ..(**tls).clone() });
        prop_assert_eq!(tls(told), tls(seen));
        prop_assert_eq!(as_told(&back), back);
    }

    #[test]
    fn the_short_view_of_a_line_is_that_of_its_record(record in any_record()) {
        let text = line(&record);
        let from_line = Row::from_json(&text).unwrap();
        let from_record = Row::of(&record);
        prop_assert_eq!(from_line.ptr_names.to_strings(), from_record.ptr_names.to_strings());
        for (tag, _) in record.target.inventory.iter().flat_map(|inventory| &inventory.tags) {
            prop_assert_eq!(from_line.tags.get(tag), from_record.tags.get(tag), "{}", tag);
        }
        let (ptr_names, tags) = (from_record.ptr_names.clone(), from_record.tags.clone());
        prop_assert_eq!(Row { ptr_names, tags, ..from_line }, from_record);
    }

    /// The EHLO reply is kept as name and extensions, which is all that is read in it.
    #[test]
    fn a_stored_record_is_judged_again_as_it_was(record in any_record()) {
        let mut record = record;
        record.evidence.observation.ehlo = None;
        if let Some(tls) = &mut record.evidence.observation.tls {
            tls.ehlo = None;
        }
        let inventory = record.target.inventory.as_deref().cloned().unwrap_or_default();
        record.judgement = judge(&record.evidence, &inventory);
        let back = as_told(&record);
        let inventory = back.target.inventory.as_deref().cloned().unwrap_or_default();
        prop_assert_eq!(&back.judgement, &record.judgement);
        prop_assert_eq!(judge(&back.evidence, &inventory), record.judgement);
    }

    #[test]
    fn a_changed_line_never_panics(record in any_record(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = line(&record).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes) {
            let _ = read::decode(&text);
            let _ = Row::from_json(&text);
        }
    }
}
