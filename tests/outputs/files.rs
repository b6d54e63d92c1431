//! One scan into every form of file at once: the same rows in each, and what stands beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use banneret::report::input::Input;
use serde_json::Value;

use crate::support::namespace::alone;
use crate::support::program;
use crate::support::schema::assert_lines;
use crate::world;

/// Columns that both forms hold as plain text.
type Key = [String; 8];

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Rows of JSONL by what they say.
pub(crate) fn json_rows(text_of_file: &str) -> BTreeSet<Key> {
    let rows = assert_lines(text_of_file).into_iter().map(|record| {
        let (target, smtp, dns) = (&record["target"], &record["smtp"], &record["dns"]);
        let findings: Vec<String> = record["findings"].as_array().unwrap().iter().map(text).collect();
        [
            text(&target["ip"]),
            text(&target["port"]),
            text(&target["asked"]),
            text(&record["outcome"]),
            text(&record["verdict"]),
            findings.join(";"),
            text(&smtp["code"]),
            text(&dns["fcrdns"]),
        ]
    });
    collect(rows)
}

fn csv_rows(text_of_file: &str) -> BTreeSet<Key> {
    let mut reader = csv::Reader::from_reader(text_of_file.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(
        header.iter().collect::<Vec<_>>().join(","),
        "ip,port,asked,outcome,verdict,severity,findings,code,banner,banner_name,ehlo_name,ptr_status,ptr_names,fcrdns,\
         banner_forward_status,banner_forward_confirms,relation,platform,tenancy,prefix,asn,as_name,connect_ms,banner_ms,\
         time,expected_name,accepted,clears_by,unresolved_family,unresolved_status,fix"
    );
    let columns = ["ip", "port", "asked", "outcome", "verdict", "findings", "code", "fcrdns"];
    let places = columns.map(|column| header.iter().position(|name| name == column).unwrap());
    collect(reader.records().map(|row| {
        let row = row.unwrap();
        places.map(|place| row[place].to_owned())
    }))
}

/// The same of Parquet, whose banners are not among what a short view holds.
fn parquet_rows(path: &Path) -> BTreeSet<Key> {
    let mut lines = Vec::new();
    let mut text = Input::open(path, None).unwrap().into_text();
    text.read_to_end(&mut lines).unwrap();
    json_rows(&String::from_utf8(lines).unwrap())
}

fn collect(rows: impl Iterator<Item = Key>) -> BTreeSet<Key> {
    let mut set = BTreeSet::new();
    for row in rows {
        assert!(set.insert(row.clone()), "{row:?} is there twice");
    }
    set
}

pub(crate) fn read(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map(drop),
        Some("zst") => zstd::decode_all(bytes.as_slice()).map(|all| text = String::from_utf8(all).unwrap()),
        _ => String::from_utf8(bytes).map(|all| text = all).map_err(std::io::Error::other),
    }
    .unwrap();
    text
}

#[test]
fn every_form_holds_the_same_rows_and_the_manifest_counts_them() {
    alone("files::every_form_holds_the_same_rows_and_the_manifest_counts_them", |work| {
        world::start(work);
        let path = |name: &str| work.join(name).to_str().unwrap().to_owned();
        let outputs =
            ["a.jsonl", "b.csv", "c.jsonl.gz", "d.csv.gz", "e.jsonl.zst", "f.csv.zst", "g.parquet"].map(path);
        let mut words = vec![
            "198.18.0.0/28",
            "mail.h0x1.bv",
            "mail.far.bv",
            "mx:dom.bv",
            "mail.kept-out.bv",
            "gone.bv",
            "198.18.0.4-198.18.0.9",
        ];
        words.extend([
            "-x",
            "198.18.0.15",
            "-x",
            "198.18.0.0",
            "-p",
            "25,587",
            "--keep",
            "all",
            "--fail-on",
            "high",
        ]);
        let summary = path("summary.json");
        let systems = path("systems.csv");
        std::fs::write(&systems, "# licence: none\n198.18.0.0,198.18.0.255,64500,BENCH\n").unwrap();
        let page = path("page.html");
        words.extend(["--summary", &summary, "--html", &page, "--asn-db", &systems]);
        for output in &outputs {
            words.extend(["-o", output]);
        }
        let ran = world::scan(&words).ends(1);
        let all = json_rows(&read(Path::new(&outputs[0])));
        for output in &outputs[1..] {
            if output.ends_with(".parquet") {
                assert_eq!(parquet_rows(Path::new(output)), all, "{output}");
                continue;
            }
            let text = read(Path::new(output));
            let rows = if output.contains(".csv") { csv_rows(&text) } else { json_rows(&text) };
            assert_eq!(rows, all, "{output}");
        }
        // Each file on its own gives the numbers that the scan gave.
        let page = read(Path::new(&page));
        for output in &outputs {
            let report = program::run(&["report", output, "--format", "json"]).ends(0).out;
            let report: Value = serde_json::from_str(&report).unwrap();
            assert_eq!(
                (&report["records"], counted(&report["by_outcome"])),
                (&all.len().into(), by(&all, 3)),
                "{output}"
            );
            assert_eq!(counted(&report["by_verdict"]), by(&all, 4), "{output}");
            for (verdict, count) in by(&all, 4) {
                let cell = format!("<tr><th scope=\"row\">{verdict}</th><td>{count}</td>");
                assert!(page.contains(&cell), "{cell} is not on the page");
            }
        }
        assert_targets(&all);
        for output in &outputs {
            assert_manifest(Path::new(&format!("{output}.manifest.json")), &all, &outputs);
        }
        let summary: Value = serde_json::from_str(&read(Path::new(&summary))).unwrap();
        assert_eq!(summary["records"], all.len());
        assert_eq!(counted(&summary["by_outcome"]), by(&all, 3));
        let systems = &summary["groups"]["asn"];
        assert_eq!(
            (&systems[0]["key"], &systems[0]["name"], &systems[0]["records"]),
            (&64500.into(), &"BENCH".into(), &30.into())
        );
        assert_eq!(systems.as_array().unwrap().len(), 1, "{systems}");
        assert!(
            summary["sources"][0].as_str().unwrap().starts_with("networks by systems.csv of 2"),
            "{summary}"
        );
        assert_eq!(counted(&summary["by_verdict"]), by(&all, 4));
        for gone in ["a.jsonl.checkpoint", "g.parquet.jsonl.zst"] {
            assert!(!work.join(gone).exists(), "{gone}: {}", ran.err);
        }
        assert!(ran.out.is_empty(), "stdout carries data only: {}", ran.out);
    });
}

fn by(rows: &BTreeSet<Key>, column: usize) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in rows.iter().filter(|row| !row[column].is_empty()) {
        *counts.entry(row[column].clone()).or_default() += 1;
    }
    counts
}

/// Counts above zero.
fn counted(counts: &Value) -> BTreeMap<String, u64> {
    let counts =
        counts.as_object().unwrap().iter().map(|(word, count)| (word.clone(), count.as_u64().unwrap()));
    counts.filter(|&(_, count)| count > 0).collect()
}

/// Fourteen addresses at two ports, to one of which a name and a mail domain lead; two more that another name
/// and the domain lead to, and one of the latter alone; a name that leads only to what is excluded, and one
/// that leads nowhere.
fn assert_targets(rows: &BTreeSet<Key>) {
    let outcome = |ip: &str, port: &str, asked: &str| {
        let met: Vec<&str> = rows
            .iter()
            .filter(|row| row[..2] == [ip, port] && (asked.is_empty() || row[2] == asked))
            .map(|row| row[3].as_str())
            .collect();
        met.join(" and ")
    };
    for (last, met) in [
        // A name and a mail domain lead there.
        ("1", "greeted and greeted"),
        ("2", "greeted"),
        ("3", "greeted"),
        ("4", "rejected"),
        ("5", "not_smtp"),
        ("6", "closed"),
        ("7", "timed_out"),
        ("8", "refused"),
        ("9", "greeted"),
        ("10", "greeted"),
    ] {
        let ip = format!("198.18.0.{last}");
        assert_eq!(outcome(&ip, "25", ""), met, "{ip}");
        let met = if last == "1" { met } else { "greeted" };
        assert_eq!(outcome(&ip, "587", ""), met, "{ip}");
    }
    assert_eq!(outcome("", "25", "mail.kept-out.bv"), "excluded");
    assert_eq!(outcome("", "25", "gone.bv"), "unresolved");
    for last in 1..=3 {
        // The name leads to the first two, the mail domain to all three.
        let met = if last == 3 { "greeted" } else { "greeted and greeted" };
        assert_eq!(outcome(&format!("198.18.5.{last}"), "25", ""), met, "of a name: {last}");
        assert_eq!(outcome(&format!("198.18.5.{last}"), "587", ""), met, "of a name: {last}");
    }
    for never in ["198.18.0.15", "198.18.0.0"] {
        assert!(rows.iter().all(|row| row[0] != never), "{never} is excluded");
    }
    // One of the fourteen has the records of a name and of a mail domain, and none of the prefix.
    assert_eq!(rows.len(), (13 + 2 + 2 + 3) * 2 + 2, "{rows:#?}");
}

fn assert_manifest(path: &Path, rows: &BTreeSet<Key>, outputs: &[String]) {
    let manifest: Value = serde_json::from_str(&read(path)).unwrap();
    assert_eq!(
        (&manifest["seed"], &manifest["shard"], &manifest["complete"]),
        (&7.into(), &"1/1".into(), &true.into())
    );
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["resolvers"], serde_json::json!(["127.0.0.1:53"]));
    assert_eq!(manifest["command"][1], "scan");
    assert_eq!(
        (&manifest["asn_db"]["name"], &manifest["asn_db"]["licence"]),
        (&"systems.csv".into(), &"none".into())
    );
    assert_eq!(
        (&manifest["settings"]["keep"], &manifest["settings"]["rate"]),
        (&"all".into(), &"1000".into())
    );
    assert_eq!(counted(&manifest["by_outcome"]), by(rows, 3));
    assert_eq!(counted(&manifest["by_verdict"]), by(rows, 4));
    assert!(manifest["start"].as_str().unwrap() < manifest["end"].as_str().unwrap());
    assert!(manifest["targets"].as_u64().is_some_and(|targets| targets >= 28 + 5), "{manifest}");
    for (told, path) in manifest["outputs"].as_array().unwrap().iter().zip(outputs) {
        assert_eq!((&told["path"], &told["rows"]), (&path.as_str().into(), &rows.len().into()));
    }
}
