//! Sinks end to end: what is written is read back the same from every format, harmless, and whole whatever
//! happens.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

mod support;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use banneret::record::column::{COLUMNS, Filled, Kind};
use banneret::record::row::{PtrNames, Row, Tags};
use banneret::record::{Record, cell, time};
use banneret::report::input::{End, Input};
use banneret::report::{Committed, Form, Format, OutputError, Reach, Sink, Start, parquet as columnar, sink};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::namespace::{as_root, is_skipped};
use support::records::{any_record, healthy_record, text};
use support::schema::assert_lines;

fn open(path: &Path, tags: &[Arc<str>]) -> Box<dyn Sink> {
    sink::open(path, Form::of(path, None).unwrap(), tags, Start::New).unwrap()
}

fn write_all(path: &Path, records: &[Record]) {
    let mut sink = open(path, &tags(records));
    for record in records {
        sink.write(record).unwrap();
    }
    let written = sink.finish().unwrap();
    assert_eq!(written.rows, records.len() as u64);
    assert_eq!(written.length, fs::metadata(path).unwrap().len());
}

/// The rows of a file.
fn rows(path: &Path) -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    let end = Input::open(path, None).unwrap().rows(|row| rows.push(normal(row))).unwrap();
    assert_eq!(end, End::Whole);
    rows
}

/// The same from every form: what is borrowed in one is owned in another, and tags of a table are in its
/// order.
fn normal(row: &Row<'_>) -> Row<'static> {
    let owned = |text: &str| Some(text.to_owned().into());
    let names = row.ptr_names.to_strings().into_iter().map(Into::into);
    let mut tags: Vec<(Cow<'_, str>, Cow<'_, str>)> = match &row.tags {
        Tags::Inventory(tags) => {
            tags.iter().map(|(name, value)| (name.to_string().into(), value.clone().into())).collect()
        }
        Tags::Text(tags) => {
            tags.iter().map(|(name, value)| (name.to_string().into(), value.to_string().into())).collect()
        }
    };
    tags.sort();
    Row {
        expected_name: row.expected_name.as_ref().map(|name| Cow::Owned(name.clone().into_owned())),
        asked: row.asked.clone().into_owned().into(),
        banner_name: row.banner_name.as_deref().and_then(owned),
        platform: row.platform.as_deref().and_then(owned),
        as_name: row.as_name.as_deref().and_then(owned),
        ptr_names: PtrNames::Text(names.collect()),
        tags: Tags::Text(tags),
        ..row.clone()
    }
}

/// The names of all tags.
fn tags(records: &[Record]) -> Vec<Arc<str>> {
    let said = records.iter().filter_map(|record| record.target.inventory.as_deref());
    let names: BTreeSet<Arc<str>> =
        said.flat_map(|said| &said.tags).map(|(name, _)| Arc::clone(name)).collect();
    names.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_records_give_the_same_rows_in_every_format(records in vec(any_record(), 0..6)) {
        let directory = tempfile::tempdir().unwrap();
        let expected: Vec<_> = records.iter().map(|record| normal(&Row::of(record))).collect();
        for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.csv", "a.csv.gz", "a.parquet"] {
            let path = directory.path().join(name);
            write_all(&path, &records);
            prop_assert_eq!(rows(&path), expected.clone(), "{}", name);
        }
        assert_lines(&fs::read_to_string(directory.path().join("a.jsonl")).unwrap());
    }

    #[test]
    fn parquet_holds_every_field_of_every_record(records in vec(any_record(), 0..6)) {
        let directory = tempfile::tempdir().unwrap();
        let (path, lines) = (directory.path().join("a.parquet"), directory.path().join("a.jsonl"));
        write_all(&path, &records);
        write_all(&lines, &records);
        let expected: Vec<Value> = assert_lines(&fs::read_to_string(&lines).unwrap()).into_iter().map(|mut record| {
            let millis = time::parse(record["time"].as_str().unwrap()).unwrap().duration_since(UNIX_EPOCH).unwrap();
            record["time"] = json!(u64::try_from(millis.as_millis()).unwrap());
            record.as_object_mut().unwrap().remove("schema");
            record
        }).collect();
        prop_assert_eq!(columns(&path), expected);
        let whole = |path: &Path| {
            let mut records = Vec::new();
            Input::open(path, None).unwrap().records(|record| records.push(record)).unwrap();
            records
        };
        prop_assert_eq!(whole(&path), whole(&lines));
        // What was gathered stays for a scan that goes on; whoever has the sink takes it away.
        columnar::forget(&path);
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing is left beside");
    }

    #[test]
    fn every_cell_comes_back_and_none_can_run(record in any_record(), tag in text()) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.csv");
        let mut record = record;
        let inventory = Arc::make_mut(record.target.inventory.get_or_insert_default());
        // Each beginning that a spreadsheet runs or a reader takes for a guard, before the same text.
        let begins = ["", "=", "+", "-", "@", "\t", "\r", "'", "''="];
        let tags: Vec<Arc<str>> = begins.iter().map(|begin| format!("tag {begin}").into()).collect();
        let texts = begins.map(|begin| format!("{begin}{tag}"));
        inventory.tags = tags.iter().cloned().zip(texts.iter().cloned()).collect();
        let mut sink = open(&path, &[&tags[..], &[Arc::from("=site")]].concat());
        sink.write(&record).unwrap();
        sink.finish().unwrap();

        let mut table = csv::Reader::from_path(&path).unwrap();
        let header = table.headers().unwrap().clone();
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        let own = tags.iter().map(|tag| format!("tag_{tag}")).chain(["tag_=site".to_owned()]);
        let names: Vec<String> = names.into_iter().map(str::to_owned).chain(own).collect();
        prop_assert_eq!(header.iter().collect::<Vec<_>>(), names);
        let cells: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        prop_assert_eq!(cells.len(), 1);
        for (index, column) in COLUMNS.iter().enumerate() {
            let mut expected = String::new();
            let filled = column.cell(&record, &mut expected);
            match column.kind {
                Kind::Number => prop_assert!(expected.is_empty() || expected.parse::<f64>().is_ok()),
                Kind::Text => prop_assert!(!cells[0][index].starts_with(['=', '+', '-', '@', '\t', '\r'])),
            }
            let expected = (filled == Filled::Value).then_some(&*expected);
            prop_assert_eq!(cell::read(&cells[0][index]), expected, "{}", column.name);
        }
        let mut own = cells[0].iter().skip(COLUMNS.len());
        for text in &texts {
            let cell = own.next().unwrap();
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{:?}", cell);
            prop_assert_eq!(cell::read(cell), Some(&**text));
        }
        prop_assert_eq!(own.collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn a_file_cut_anywhere_is_read_up_to_its_last_whole_record(
        records in vec(any_record(), 1..5), at in any::<prop::sample::Index>()
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        write_all(&path, &records);
        let bytes = fs::read(&path).unwrap();
        let cut = &bytes[..at.index(bytes.len())];
        fs::write(&path, cut).unwrap();
        let mut count = 0;
        Input::open(&path, None).unwrap().rows(|_| count += 1).unwrap();
        let whole = cut.split(|&byte| byte == b'\n').count() - 1;
        // Without its line feed alone, a line is whole.
        prop_assert!(count == whole || count == whole + 1);
    }
}

#[test]
fn a_table_cut_anywhere_is_read_up_to_its_last_whole_row() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.csv");
    let mut record = healthy_record();
    record.evidence.observation.greeting.as_mut().unwrap().text =
        ["mail.example.org, caf\u{e9} \"ready\""].iter().collect();
    // A row ends with cells that are empty here: of a text that is cut nobody can tell.
    record.target.inventory = None;
    write_all(&path, &[record.clone(), record]);
    let bytes = fs::read(&path).unwrap();
    // Each row opens with its address, and the first one with the header before it.
    let starts = |at: usize| at == bytes.len() || bytes[at..].starts_with(b"192.0.2.1,");
    let ends: Vec<usize> = (1..=bytes.len()).filter(|&end| bytes[end - 1] == b'\n' && starts(end)).collect();
    for cut in ends[0]..=bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        let mut count = 0;
        let end = Input::open(&path, None).unwrap().rows(|_| count += 1);
        let end = end.unwrap_or_else(|wrong| panic!("cut at {cut} of {}: {wrong}", bytes.len()));
        let whole = ends.iter().filter(|&&end| end <= cut).count() - 1;
        // Without its line feed alone, a row is whole.
        let is_whole = ends.iter().any(|&end| (end - 1..=end).contains(&cut));
        assert!(count == whole || is_whole && count == whole + 1, "cut at {cut} of {}: {count}", bytes.len());
        assert_eq!(end == End::Whole, is_whole, "cut at {cut} of {}", bytes.len());
    }
    fs::write(&path, "ip,outcome,time\n192.0.2.1,silent\n").unwrap();
    assert!(Input::open(&path, None).unwrap().rows(|_| ()).is_err(), "a short row that is whole is an error");
}

#[test]
fn a_compressed_file_cut_anywhere_is_read_up_to_its_last_whole_frame() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.jsonl.gz", "a.jsonl.zst", "a.csv.zst"] {
        let path = directory.path().join(name);
        let mut sink = open(&path, &[]);
        sink.write(&healthy_record()).unwrap();
        let one = sink.flush(Reach::System).unwrap().length;
        sink.write(&healthy_record()).unwrap();
        let two = sink.finish().unwrap().length;
        let bytes = fs::read(&path).unwrap();
        for cut in one..two {
            fs::write(&path, &bytes[..usize::try_from(cut).unwrap()]).unwrap();
            let mut count = 0;
            let end = Input::open(&path, None).unwrap().rows(|_| count += 1).unwrap();
            // What a decoder gives of the broken frame is read, too.
            assert!((1..=2).contains(&count), "{name} cut at {cut} of {two}: {count}");
            assert!(end != End::Whole || cut == one || count == 2, "{name} cut at {cut} of {two}");
        }
    }
}

/// The rows of a Parquet file, its time in milliseconds.
fn columns(path: &Path) -> Vec<Value> {
    let file = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = file.get_row_iter(None).unwrap().map(|row| {
        let row = row.unwrap();
        let mut value = row.to_json_value();
        let time = row.get_column_iter().find(|(name, _)| *name == "time").map(|(_, field)| field.clone());
        let Some(Field::TimestampMillis(millis)) = time else { panic!("{time:?}") };
        value["time"] = json!(millis);
        value
    });
    rows.collect()
}

#[test]
fn parquet_takes_more_rows_than_a_group_and_goes_on_after_a_stop() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.parquet");
    let form = Form::of(&path, None).unwrap();
    fs::write(&path, "what an earlier scan left").unwrap();
    let mut sink = open(&path, &[]);
    for _ in 0..10_000 {
        sink.write(&healthy_record()).unwrap();
    }
    let committed = sink.flush(Reach::Disk).unwrap();
    assert_eq!(committed.rows, 10_000);
    sink.write(&healthy_record()).unwrap();
    drop(sink);
    assert_eq!(fs::read(&path).unwrap(), b"what an earlier scan left", "there whole or not at all");

    let mut sink = sink::open(&path, form, &[], Start::At(committed)).unwrap();
    for _ in 0..10_000 {
        sink.write(&healthy_record()).unwrap();
    }
    let written = sink.finish().unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!((written.rows, written.length), (20_000, bytes.len() as u64));
    let file = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let groups: Vec<i64> = file.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(groups, [16_384, 3_616]);
    assert_eq!(columns(&path).len(), 20_000);
}

#[test]
fn parquet_wants_a_file() {
    let form = Form::of(Path::new("-"), Some(Format::Parquet)).unwrap();
    let Err(error) = sink::open(Path::new("-"), form, &[], Start::New) else { panic!("a stream was taken") };
    assert!(matches!(error, OutputError::NoFile { .. }), "{error}");
}

#[test]
fn the_csv_row_of_a_healthy_server_is_the_documented_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.csv");
    let mut sink = open(&path, &[Arc::from("customer")]);
    sink.write(&healthy_record()).unwrap();
    sink.finish().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(
        text.lines().nth(1).unwrap(),
        "192.0.2.1,25,192.0.2.0/24,greeted,match,none,,220,mail.example.org ESMTP Postfix,mail.example.org,,found,\
         mail.example.org,pass,found,true,exact,postfix,unknown,192.0.2.0/24,64500,EXAMPLE,12.3,45.6,\
         2026-01-02T03:04:05.678Z,,,,,,,C-17"
    );
}

#[test]
fn a_resumed_table_has_one_header() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.csv");
    let form = Form::of(&path, None).unwrap();
    let mut sink = open(&path, &[]);
    let empty = sink.flush(Reach::Disk).unwrap();
    assert_eq!(empty.rows, 0);
    sink.write(&healthy_record()).unwrap();
    let one = sink.flush(Reach::Disk).unwrap();
    drop(sink);
    for start in [Start::At(Committed::default()), Start::At(one), Start::At(empty)] {
        let mut sink = sink::open(&path, form, &[], start).unwrap();
        sink.write(&healthy_record()).unwrap();
        sink.finish().unwrap();
        let rows = if start == Start::At(one) { 2 } else { 1 };
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("ip,port").count(), 1, "{start:?}");
        assert_eq!(text.lines().count(), rows + 1, "{start:?}");
    }
}

#[test]
fn files_that_are_no_records_are_refused_with_file_and_line() {
    let directory = tempfile::tempdir().unwrap();
    let good = "{\"schema\":\"banneret.record/1\",\"time\":\"2026-01-02T03:04:05.678Z\",\"target\":{\"ip\":null,\"port\":25},\"outcome\":\"reset\"}\n";
    for (name, content, message) in [
        ("a.jsonl", format!("{good}\n{{}}\n").into_bytes(), "line 3 has no `schema`"),
        ("b.jsonl", [good.as_bytes(), b"\xff\n"].concat(), "line 2 is not UTF-8"),
        (
            "c.csv",
            b"ip,port\n192.0.2.1,25\n".to_vec(),
            "line 1 names no column `outcome`; a table of records begins with",
        ),
        ("h.csv", b"192.0.2.1,25,192.0.2.0/24,greeted\n".to_vec(), "line 1 names no column `ip`; a table of"),
        ("d.csv", b"ip,outcome\n192.0.2.1,greeted\nx,y\n".to_vec(), "line 3 has `x` in `ip`"),
        ("e.csv", b"ip,outcome\n192.0.2.1\n192.0.2.1,greeted\n".to_vec(), "line 2 has fewer cells"),
        ("f.jsonl.gz", b"this is not gzip data\n".to_vec(), "line 1 is not a record: "),
        ("g.jsonl", vec![b'['; (4 << 20) + 1], "line 1 is longer than 4 MiB"),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        let error = Input::open(&path, None).and_then(|input| input.rows(|_| {})).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(message), "{error}");
    }
}

#[test]
fn byte_order_marks_blank_lines_and_carriage_returns_are_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let (jsonl, csv) = (directory.path().join("a.jsonl"), directory.path().join("a.csv"));
    for path in [&jsonl, &csv] {
        write_all(path, &[healthy_record(), healthy_record()]);
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, format!("\u{feff}{}", text.replace('\n', "\r\n\r\n"))).unwrap();
        assert_eq!(rows(path).len(), 2);
    }
}

/// A file system of its own, small enough to fill, in a mount name space of its own.
#[test]
fn a_full_disk_is_told_and_leaves_whole_records() {
    const DISK: &str = "TEST_DISK";
    let Some(disk) = std::env::var_os(DISK) else {
        if is_skipped("a_full_disk_is_told_and_leaves_whole_records") {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let inside = "mount -t tmpfs -o size=256k tmpfs \"$TEST_DISK\" && exec \"$0\" --exact \"$1\"";
        let status = Command::new("unshare")
            .args(as_root())
            .args(["--mount", "sh", "-c", inside])
            .arg(std::env::current_exe().unwrap())
            .arg("a_full_disk_is_told_and_leaves_whole_records")
            .env(DISK, directory.path())
            .status();
        assert!(status.is_ok_and(|status| status.success()));
        return;
    };
    for name in ["a.jsonl", "a.csv", "a.jsonl.zst"] {
        let filler = Path::new(&disk).join("filler");
        fs::write(&filler, vec![0; 64 << 10]).unwrap();
        let path = Path::new(&disk).join(name);
        let mut sink = open(&path, &[]);
        let mut committed = Committed::default();
        let mut record = healthy_record();
        let mut noise = 1u64;
        let error = loop {
            // Text that does not compress.
            record.target.asked = (0..40)
                .map(|_| {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(b'a' + u8::try_from(noise >> 60).unwrap())
                })
                .collect::<String>()
                .into();
            match sink.write(&record).and_then(|()| sink.flush(Reach::System)) {
                Ok(whole) => committed = whole,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, OutputError::Write { .. }), "{error}");
        assert!(error.to_string().contains(name) && error.to_string().contains("No space left"), "{error}");
        assert_eq!(fs::metadata(&path).unwrap().len(), committed.length, "cut back to what was told");
        assert_eq!(rows(&path).len() as u64, committed.rows);
        assert!(committed.rows > 10);

        // With space again, the same sink goes on: nothing is lost, nothing doubled.
        fs::remove_file(&filler).unwrap();
        let written = sink.finish().unwrap();
        assert_eq!(written.rows, committed.rows + 1);
        assert_eq!(rows(&path).len() as u64, written.rows);
        fs::remove_file(&path).unwrap();
    }
}
