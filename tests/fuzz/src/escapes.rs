//! Strangers' text on its way to a terminal, a page, a spreadsheet, a program: shown, never obeyed, and not
//! lost where it is to be read back.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::SystemTime;

use banneret::evidence::{Outcome, Status};
use banneret::judge::{Code, Fcrdns, Severity, Tenancy, Verdict};
use banneret::record::cell;
use banneret::record::escape::{escape, unescape};
use banneret::record::neutral::{Safe, acts};
use banneret::record::row::{PtrNames, Row, Tags};
use banneret::report::html::fixes::Sheet;
use banneret::report::html::{self, Page, Run};
use banneret::report::summary::Summary;
use banneret::report::summary::view::View;
use banneret::report::table::{self, Paint};

use super::safe::assert_harmless;

/// The elements that the page has.
const ELEMENTS: &str = " !doctype html head meta title style body header h1 h2 p main section table thead tbody tr th td \
                        svg rect g text path line circle figure figcaption desc caption div span ul li a b h3 article dl dt dd details summary ";

/// One text in every place that shows it.
pub fn escapes(data: &[u8]) {
    let escaped = escape(data);
    assert!(!escaped.contains(char::is_control), "{escaped:?}");
    assert_eq!(unescape(&escaped).as_deref(), Ok(data));
    let text = String::from_utf8_lossy(data);
    if let Ok(bytes) = unescape(&text) {
        assert_eq!(unescape(&escape(&bytes)), Ok(bytes));
    }
    let safe = Safe(&text).to_string();
    assert_harmless(&safe);
    assert!(text.contains(acts) || safe == text, "{safe:?} of {text:?}");

    let guarded = if cell::needs_guard(&text) { format!("'{text}") } else { text.to_string() };
    assert!(!is_run(&guarded), "a spreadsheet runs {guarded:?}");
    assert_eq!(cell::unguard(&guarded), text);

    let row = row(&text);
    for width in [0, 60, 61 + data.len() % 200] {
        let line = table::row(&row, width, Paint::Plain);
        assert_harmless(&line);
        assert!(table::columns(&line) <= width.max(60), "{line:?} in {width} columns");
        let cell = table::cell(&text, width);
        assert!(table::columns(&cell) <= width.max(1), "{cell:?} in {width} columns");
        assert_harmless(&cell);
    }
    let mut summary = Summary::new().detailed();
    summary.add(&row);
    assert_page(&mut summary, &text);
    assert_views(&summary);
}

/// Whether a spreadsheet takes a cell for a formula.
pub fn is_run(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

fn row(text: &str) -> Row<'_> {
    Row {
        time: SystemTime::UNIX_EPOCH,
        ip: Some(IpAddr::from([192, 0, 2, 1])),
        port: 25,
        asked: text.into(),
        outcome: Outcome::Greeted,
        verdict: Some(Verdict::Mismatch),
        severity: Some(Severity::Low),
        findings: [Code::PtrGeneric, Code::BannerDiffers].into_iter().collect(),
        banner_name: Some(text.into()),
        ptr_status: Some(Status::Found),
        ptr_names: PtrNames::Text(vec![Cow::Borrowed(text), "mail.example.org".into()]),
        fcrdns: Some(Fcrdns::Pass),
        platform: Some(text.into()),
        tenancy: Tenancy::Unknown,
        asn: Some(64500),
        as_name: Some(text.into()),
        accepted: banneret::record::row::Codes::default(),
        clears_by: None,
        fix: Vec::new(),
        expected_name: Some(text.into()),
        tags: Tags::Text(vec![("customer".into(), text.into())]),
        unresolved: None,
        odd: banneret::record::foreign::Oddities::default(),
    }
}

fn assert_page(summary: &mut Summary, text: &str) {
    let fixes = summary.detail.as_mut().map(|detail| std::mem::take(&mut detail.fixes));
    let sheet = Sheet::new(fixes.unwrap_or_default());
    let mut list = Vec::new();
    sheet.write(&mut list).expect("memory takes it");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(list.as_slice());
    for row in reader.records() {
        assert!(!row.expect("rows are even").iter().any(is_run), "a spreadsheet runs {list:?}");
    }
    let manifest = serde_json::json!({ text: text, "settings": { text: [text] } });
    let runs = [Run { name: text.to_owned(), manifest: Some(manifest) }];
    let mut page = Vec::new();
    let around =
        Page { subject: text, made: SystemTime::UNIX_EPOCH, fixes: Some((&sheet, text)), runs: &runs };
    html::write(summary, &around, &mut page).expect("memory takes it");
    let page = String::from_utf8(page).expect("a page is UTF-8");
    assert_lines_harmless(&page);
    let (head, body) = page.split_once("</style>").expect("a page has a style");
    assert_eq!(head.matches("<style>").count(), 1);
    for tag in body.split('<').skip(1) {
        let (tag, behind) = tag.split_once('>').expect("a tag ends");
        assert!(!behind.contains('>'), "a stray `>` behind {tag:?}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        assert!(ELEMENTS.contains(&format!(" {name} ")), "<{tag}>");
        assert!(tag.matches('"').count().is_multiple_of(2) && !tag.contains('\''), "<{tag}>");
        for attribute in tag.split('"').step_by(2) {
            let attribute = attribute.trim();
            assert!(!attribute.starts_with("on") && !attribute.starts_with("style"), "<{tag}>");
        }
        if let Some((_, to)) = tag.split_once("href=\"") {
            assert!(to.starts_with('#') || to.starts_with("./"), "<{tag}> leads elsewhere");
            assert!(!to[2..].split('"').any(|part| part.contains("//")), "<{tag}> leads elsewhere");
        }
    }
}

fn assert_views(summary: &Summary) {
    let write = |view: View| {
        let mut out = Vec::new();
        view.write(summary, &mut out).expect("memory takes it");
        String::from_utf8(out).expect("a view is UTF-8")
    };
    assert_lines_harmless(&write(View::Terminal { width: 80 }));
    assert_lines_harmless(&write(View::Markdown));
    serde_json::from_str::<serde_json::Value>(&write(View::Json)).expect("it is JSON");
    let table = write(View::Csv);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(true).flexible(false).from_reader(table.as_bytes());
    for row in reader.records() {
        for cell in &row.expect("rows are even") {
            assert!(!is_run(cell), "a spreadsheet runs {cell:?}");
        }
    }
    for line in write(View::Prometheus).lines() {
        let is_series = line.starts_with("banneret_")
            && line.rsplit_once(' ').is_some_and(|(_, value)| value.bytes().all(|b| b.is_ascii_digit()));
        assert!(line.starts_with("# ") || is_series, "{line:?} is no metric");
    }
}

fn assert_lines_harmless(text: &str) {
    text.split('\n').for_each(assert_harmless);
}
