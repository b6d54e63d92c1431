//! The same numbers in every view of a report: each is parsed as its reader would, and compared with the
//! others.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic")]

mod support;

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use banneret::record::row::Row;
use banneret::report::html::{self, Page};
use banneret::report::summary::{Ended, Kind, Mark, Summary, View};
use serde_json::Value;
use support::fleet;

type Counts = BTreeMap<String, u64>;

/// The closed sets whose words every view tells.
const KINDS: [&str; 4] = ["outcome", "verdict", "severity", "finding"];

fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

fn shown(summary: &Summary, view: View) -> String {
    let mut out = Vec::new();
    view.write(summary, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn from_json(report: &Value, kind: &str) -> Counts {
    let counts = report[format!("by_{kind}")].as_object().unwrap();
    counts.iter().map(|(word, count)| (word.clone(), count.as_u64().unwrap())).collect()
}

/// Of a kind of groups: the records of each key.
fn groups_of_json(report: &Value, kind: &str) -> Counts {
    let groups = report["groups"][kind].as_array().unwrap().iter();
    let text = |key: &Value| key.as_str().map_or_else(|| key.to_string(), str::to_owned);
    groups.map(|group| (text(&group["key"]), group["records"].as_u64().unwrap())).collect()
}

fn from_csv(text: &str, kind: &str) -> Counts {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let rows = table.records().map(Result::unwrap).filter(|row| &row[0] == kind);
    rows.map(|row| (if row[1].is_empty() { "null".to_owned() } else { row[1].to_owned() }, number(&row[2])))
        .collect()
}

fn from_markdown(text: &str, kind: &str) -> Counts {
    let head = format!("| {kind} | Records |");
    let text = text.replace("&#95;", "_").replace("&#58;", ":");
    let rows = text.lines().skip_while(|line| !line.starts_with(&head)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells.map(|cells| (cells[1].to_owned(), number(cells[2]))).collect()
}

fn from_prometheus(text: &str, kind: &str) -> Counts {
    let head = format!("banneret_{kind}_records{{{kind}=\"");
    let series = text.lines().filter_map(|line| line.strip_prefix(&head)?.split_once("\"} "));
    let counts = series.map(|(word, count)| (word.to_owned(), number(count)));
    // Words that were not met are told, too.
    counts.filter(|&(_, count)| count > 0).collect()
}

fn from_terminal(text: &str, kind: &str) -> Counts {
    let rows =
        text.lines().skip_while(|line| *line != kind).skip(1).take_while(|line| line.starts_with("  "));
    let words = rows.map(|row| row.split_whitespace().collect::<Vec<_>>());
    words.map(|words| (words[0].to_owned(), number(words[1]))).collect()
}

fn from_html(page: &str, kind: &str) -> Counts {
    let titles =
        [("outcome", "Outcomes"), ("verdict", "Verdicts"), ("severity", "Severity"), ("finding", "Findings")];
    let (_, title) = titles.iter().find(|(known, _)| *known == kind).unwrap();
    let (_, section) = page.split_once(&format!("<h2>{title}</h2>")).expect("the page has the section");
    let (section, _) = section.split_once("</section>").unwrap();
    let rows = section.split("<tr>").filter(|row| row.starts_with("<th scope=\"row\">"));
    // What stands between tags: the word, its count, its share.
    let texts = rows.map(|row| {
        let parts = row.split('<').filter_map(|part| Some(part.split_once('>')?.1.trim()));
        parts.filter(|text| !text.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    });
    texts.map(|texts| (texts[0].clone(), number(&texts[1]))).collect()
}

#[test]
fn every_view_tells_the_same_numbers() {
    let kinds = ["tag:customer", "prefix:12"].map(|word| Kind::parse(word).unwrap());
    let mut summary = Summary::grouped(1 << 16, kinds.to_vec()).detailed();
    for number in (0..40_000).map(|number| number * 37) {
        summary.add(&Row::of(&fleet::record(number)));
    }
    let nothing = BTreeMap::new();
    let ended = Ended { by_outcome: &nothing, by_verdict: &nothing, complete: true };
    summary.add_unkept(ended, &Mark::default());
    let json: Value = serde_json::from_str(&shown(&summary, View::Json)).unwrap();
    let [csv, markdown, prometheus, terminal] =
        [View::Csv, View::Markdown, View::Prometheus, View::Terminal { width: 100 }]
            .map(|view| shown(&summary, view));
    let mut page = Vec::new();
    html::write(&summary, &Page { subject: "a fleet", made: UNIX_EPOCH, fixes: None, runs: &[] }, &mut page)
        .unwrap();
    let page = String::from_utf8(page).unwrap();
    for kind in KINDS {
        let told = from_json(&json, kind);
        assert!(told.len() > 1, "{kind} has but one word");
        assert_eq!(from_csv(&csv, kind), told, "CSV, {kind}");
        assert_eq!(from_markdown(&markdown, kind), told, "Markdown, {kind}");
        assert_eq!(from_prometheus(&prometheus, kind), told, "Prometheus, {kind}");
        assert_eq!(from_terminal(&terminal, kind), told, "terminal, {kind}");
        assert_eq!(from_html(&page, kind), told, "HTML, {kind}");
    }
    for kind in
        ["prefix", "asn", "domain", "ptr_domain", "platform", "banner_name", "tag:customer", "prefix:12"]
    {
        let told = groups_of_json(&json, kind);
        assert_eq!(from_csv(&csv, kind), told, "CSV, {kind}");
        for (label, records) in from_markdown(&markdown, kind) {
            let key = label.strip_prefix("AS").and_then(|label| label.split(' ').next()).unwrap_or(&label);
            assert_eq!(told.get(key), Some(&records), "Markdown, {kind}, {key}");
        }
    }
    let all = json["records"].as_u64().unwrap();
    assert!(prometheus.lines().any(|line| line == format!("banneret_records {all}")));
    for reach in ["asked", "answered", "judged", "undetermined"] {
        let told = json["coverage"][reach].as_u64().unwrap();
        assert_eq!(from_csv(&csv, "coverage").get(reach), Some(&told), "CSV, {reach}");
        assert!(
            prometheus.contains(&format!("banneret_coverage_records{{reach=\"{reach}\"}} {told}\n")),
            "{reach}"
        );
    }
}
