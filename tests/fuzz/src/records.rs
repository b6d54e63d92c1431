//! Stored records: a line that is read is written as the same, every table of it reads back, and a file that
//! breaks off loses no more than its last row.

use std::io::Cursor;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use banneret::evidence::Outcome;
use banneret::judge::judge;
use banneret::record::column::{COLUMNS, Kind};
use banneret::record::foreign::Oddities;
use banneret::record::row::{PtrNames, Row, Tags};
use banneret::record::{Record, cell, json, read};
use banneret::report::csv::Csv;
use banneret::report::input::{End, Input, InputError};
use banneret::report::rows::Encode;
use banneret::report::summary::Summary;
use banneret::report::table::{self, Paint};
use banneret::report::{Compression, Form, Format};

use super::draw::Draw;
use super::escapes::is_run;
use super::safe::{assert_harmless, assert_message};
use super::verdict::assert_unknown_is_not_wrong;

/// The longest window.
const WIDTH: usize = 200;

/// A file of JSON lines.
pub fn line(data: &[u8]) {
    let mut draw = Draw::new(data);
    let cut = usize::from(draw.number());
    let bytes = draw.rest();
    if let Err(wrong) = open(Format::Jsonl, bytes).records(|_| ()) {
        assert_message(&wrong);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let text = text.split('\n').next().unwrap_or_default();
    match Row::from_json(text) {
        Ok(row) => assert_row(&row),
        Err(wrong) => assert_message(&wrong),
    }
    match read::decode(text) {
        Ok(record) => assert_record(&record, text, cut),
        Err(wrong) => assert_message(&wrong),
    }
}

/// A CSV file, ours or somebody else's.
pub fn stored_csv(data: &[u8]) {
    let mut summary = Summary::new();
    let mut rows = 0;
    let end = open(Format::Csv, data).rows(|row| {
        assert_row(row);
        summary.add(row);
        rows += 1;
    });
    if let Err(wrong) = end {
        assert_message(&wrong);
    }
    assert!(rows <= data.iter().filter(|&&b| matches!(b, b'\n' | b'\r')).count(), "{rows} rows");
    assert_eq!(summary.all.records, rows as u64);
    assert!(open(Format::Csv, data).records(|_| ()).is_err(), "CSV holds no whole records");
}

fn assert_record(record: &Record, text: &str, cut: usize) {
    Row::from_json(text).expect("a record has a short view");
    let line = encode(record);
    assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
    assert!(!line.trim_end_matches('\n').contains(|c: char| c.is_ascii_control()), "{line:?}");
    let again = read::decode(&line).expect("what is written is a record");
    assert_eq!(encode(&again), line, "the line of what was read is the line");
    let millis = record.time.duration_since(UNIX_EPOCH).expect("no earlier time is read").as_millis();
    let told = UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).expect("no later year than 9999"));
    assert_eq!(again, Record { time: told, ..record.clone() });

    let from_line = Row::from_json(&line).expect("a line has a short view");
    let of_record = Row::of(&again);
    assert_eq!(plain(&from_line), plain(&of_record));
    assert_row(&of_record);
    assert_table(&again, cut);
    assert_torn_lines(&line, cut);

    let inventory = again.target.inventory.as_deref().cloned().unwrap_or_default();
    let judged = judge(&again.evidence, &inventory);
    assert_eq!(judged.verdict.is_some(), again.evidence.observation.outcome.is_judged());
    assert_unknown_is_not_wrong(&again.evidence, &inventory);
}

/// A row with its PTR names and tags as text, wherever they came from. A cell can't tell an empty tag from
/// none.
fn plain(row: &Row<'_>) -> (Vec<String>, Vec<(String, String)>, String) {
    let tags: Vec<(String, String)> = match &row.tags {
        Tags::Inventory(tags) => tags.iter().map(|(tag, value)| (tag.to_string(), value.clone())).collect(),
        Tags::Text(tags) => tags.iter().map(|(tag, value)| (tag.to_string(), value.to_string())).collect(),
    };
    let tags = tags.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let odd = Oddities::default();
    let rest = Row { ptr_names: PtrNames::Wire(&[]), tags: Tags::Inventory(&[]), odd, ..row.clone() };
    (row.ptr_names.to_strings(), tags, format!("{rest:?}"))
}

/// The CSV row of a record is what its columns say, is run by no spreadsheet, and has the same short view.
fn assert_table(record: &Record, cut: usize) {
    let tags: Vec<Arc<str>> = record
        .target
        .inventory
        .iter()
        .flat_map(|said| said.tags.iter().map(|(name, _)| Arc::clone(name)))
        .collect();
    let mut encoder = Csv::new(tags);
    let mut file = Vec::new();
    encoder.head(&mut file);
    let head = file.len();
    encoder.row(record, &mut file);

    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(false).from_reader(&file[head..]);
    let cells: Vec<_> = reader.records().map(|row| row.expect("a row is CSV")).collect();
    assert_eq!(cells.len(), 1, "one record is one row");
    for (column, cell) in COLUMNS.iter().zip(&cells[0]) {
        let mut said = String::new();
        column.cell(record, &mut said);
        match column.kind {
            Kind::Number => assert!(cell == said && said.bytes().all(|b| b.is_ascii_digit() || b == b'.')),
            Kind::Text => assert_eq!(cell::unguard(cell), said, "{}", column.name),
        }
    }
    for cell in &cells[0] {
        assert!(!is_run(cell), "a spreadsheet runs {cell:?}");
    }

    let mut rows = Vec::new();
    let end = open(Format::Csv, &file).rows(|row| rows.push(plain(row)));
    assert!(matches!(end, Ok(End::Whole)), "{end:?}");
    let row = Row::of(record);
    let is_joined = row.ptr_names.to_strings().iter().all(|name| !name.contains(';'));
    if is_joined {
        assert_eq!(rows, [plain(&row)]);
    }
    let left = head + cut % (file.len() - head);
    let mut rows = 0;
    match open(Format::Csv, &file[..left]).rows(|_| rows += 1) {
        Ok(_) => assert!(rows <= 1),
        Err(wrong) => panic!("a table cut off at {left} of {}: {wrong}", file.len()),
    }
}

/// Of two lines cut off anywhere the first is read if it is there, and the rest is torn.
fn assert_torn_lines(line: &str, cut: usize) {
    let twice = line.repeat(2);
    let left = cut % twice.len();
    let mut records = 0;
    let end = open(Format::Jsonl, &twice.as_bytes()[..left]).records(|_| records += 1);
    let end = end.unwrap_or_else(|wrong| panic!("lines cut off at {left} of {}: {wrong}", twice.len()));
    let whole = usize::from(left + 1 >= line.len()) + usize::from(left + 1 >= twice.len());
    assert_eq!(records, whole, "cut off at {left} of {}", twice.len());
    let is_between = [0, line.len() - 1, line.len(), twice.len() - 1].contains(&left);
    assert_eq!(end == End::Whole, is_between, "cut off at {left} of {}", twice.len());
}

/// Any row can be shown.
fn assert_row(row: &Row<'_>) {
    for width in [60, WIDTH] {
        let line = table::row(row, width, Paint::Plain);
        assert_harmless(&line);
        assert!(line.chars().count() <= width, "{line:?}");
    }
    assert!(Outcome::ALL.contains(&row.outcome) || row.outcome == Outcome::Other);
}

fn encode(record: &Record) -> String {
    let mut line = Vec::new();
    json::encode(record, &mut line);
    String::from_utf8(line).expect("a line is UTF-8")
}

fn open(format: Format, bytes: &[u8]) -> Input {
    let form = Form { format, compression: Compression::None };
    let opened: Result<Input, InputError> = Input::new("records", form, Cursor::new(bytes.to_vec()));
    opened.expect("nothing is read yet")
}
