//! Reports end to end: record files of every form give the same numbers, and no view lets a stranger's text
//! act.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use banneret::record::Record;
use banneret::record::neutral::acts;
use banneret::record::row::Row;
use banneret::report::aggregate::{Beside, aggregate};
use banneret::report::diff::{Change, Scan};
use banneret::report::input::Input;
use banneret::report::summary::{Summary, View};
use banneret::report::{Form, Start, sink};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use support::records::{any_record, healthy_record};

const VIEWS: [View; 5] =
    [View::Terminal { width: 80 }, View::Json, View::Csv, View::Markdown, View::Prometheus];

fn write_all(path: &Path, records: &[Record]) -> PathBuf {
    let mut sink = sink::open(path, Form::of(path, None).unwrap(), &[], Start::New).unwrap();
    for record in records {
        sink.write(record).unwrap();
    }
    sink.finish().unwrap().path
}

fn shown(summary: &Summary, view: View) -> String {
    let mut out = Vec::new();
    view.write(summary, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn scan(path: &Path) -> Scan {
    let mut scan = Scan::default();
    Input::open(path, None).unwrap().rows(|row| scan.add(row)).unwrap();
    scan
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn files_of_every_form_and_the_scan_itself_give_the_same_numbers(
        records in vec(any_record(), 0..12), at in any::<prop::sample::Index>()
    ) {
        // A cell can't tell an empty name from none.
        let records: Vec<Record> = records.into_iter().map(|mut record| {
            record.judgement.banner_name = record.judgement.banner_name.filter(|name| !name.is_empty());
            if let Some(network) = &mut record.network {
                network.name = None;
            }
            record
        }).collect();
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = records.split_at(at.index(records.len() + 1));
        let mut live = Summary::new();
        for record in &records {
            live.add(&Row::of(record));
        }
        for (one, other) in [("a.jsonl", "b.csv"), ("a.jsonl.gz", "b.jsonl.zst"), ("a.csv.gz", "b.csv.zst"), ("a.parquet", "b.parquet")] {
            let files = [write_all(&directory.path().join(one), first), write_all(&directory.path().join(other), second)];
            let read = aggregate(&files, None, Summary::new(), Beside::default()).unwrap();
            prop_assert!(read.torn.is_empty());
            for view in VIEWS {
                prop_assert_eq!(shown(&read.summary, view), shown(&live, view));
            }
        }
    }

    #[test]
    fn counts_add_up_in_every_view(records in vec(any_record(), 0..20)) {
        let mut summary = Summary::new();
        for record in &records {
            summary.add(&Row::of(record));
        }
        let json: Value = serde_json::from_str(&shown(&summary, View::Json)).unwrap();
        let sum = |value: &Value| value.as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>();
        let judged = records.iter().filter(|record| record.judgement.verdict.is_some()).count() as u64;
        prop_assert_eq!(json["records"].as_u64(), Some(records.len() as u64));
        prop_assert_eq!(sum(&json["by_outcome"]), records.len() as u64);
        prop_assert_eq!(sum(&json["by_verdict"]), judged);
        prop_assert_eq!(sum(&json["by_severity"]), judged);

        let csv = shown(&summary, View::Csv);
        let mut table = csv::Reader::from_reader(csv.as_bytes());
        prop_assert_eq!(table.headers().unwrap().len(), 15);
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        let of_kind = |kind: &str| -> u64 {
            rows.iter().filter(|row| &row[0] == kind).map(|row| row[2].parse::<u64>().unwrap()).sum()
        };
        prop_assert_eq!((of_kind("all"), of_kind("outcome")), (records.len() as u64, records.len() as u64));
        prop_assert_eq!((of_kind("verdict"), of_kind("severity")), (judged, judged));

        for view in [View::Terminal { width: 80 }, View::Markdown] {
            prop_assert!(!shown(&summary, view).chars().any(|c| c != '\n' && acts(c)));
        }
        for line in shown(&summary, View::Markdown).lines().filter(|line| line.starts_with('|')) {
            let cells = line.matches('|').count();
            prop_assert!((3..=4).contains(&cells) || cells == 6, "{}", line);
            prop_assert!(!line.contains(['<', '`', '[', '*']), "{}", line);
        }
    }

    #[test]
    fn a_scan_compared_with_itself_has_no_change(records in vec(any_record(), 0..12)) {
        let directory = tempfile::tempdir().unwrap();
        let (jsonl, csv) = (directory.path().join("a.jsonl"), directory.path().join("a.csv"));
        write_all(&jsonl, &records);
        write_all(&csv, &records);
        let (jsonl, again, csv) = (scan(&jsonl), scan(&jsonl), scan(&csv));
        let quiet = [Change::Same, Change::StillWrong, Change::Unknown, Change::Flapping];
        for entry in jsonl.compare(&again) {
            prop_assert!(quiet.contains(&entry.change), "{:?}", entry);
        }
        let (jsonl, csv) = (jsonl.compare(&again), csv.compare(&csv));
        let changes = |entries: &[banneret::report::diff::Entry<'_>]| -> Vec<_> {
            entries.iter().map(|entry| (entry.host.clone(), entry.change)).collect()
        };
        prop_assert_eq!(changes(&jsonl), changes(&csv));
    }
}

#[test]
fn a_torn_file_is_counted_and_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = write_all(&directory.path().join("a.jsonl"), &[healthy_record(), healthy_record()]);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let read = aggregate(&[&path], None, Summary::new(), Beside::default()).unwrap();
    assert_eq!((read.summary.all.records, read.torn), (1, vec![(path, banneret::report::input::End::Torn)]));
}

#[test]
fn a_missing_file_is_told_with_its_name() {
    let error =
        aggregate(&["missing.jsonl"], None, Summary::new(), Beside::default()).unwrap_err().to_string();
    assert_eq!(error, "records `missing.jsonl` can't be read: No such file or directory (os error 2)");
}
