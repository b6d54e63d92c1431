//! Half a file, a file in another dress, and what is no file of records: told, counted as far as it goes,
//! never taken for the whole.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::{run, run_with};

fn stored(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/0.1").join(name)
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    member.write_all(text).unwrap();
    member.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 3).unwrap()
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn summary(out: &str) -> Value {
    serde_json::from_str(out).unwrap()
}

#[test]
fn half_a_file_is_counted_as_far_as_it_goes_and_ends_with_4() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read(stored("records.jsonl")).unwrap();
    let table = fs::read(stored("records.csv")).unwrap();
    let in_the_middle = "its compressed data ends in the middle";
    let behind = "something else stands behind its compressed data";
    let torn = "it ends in the middle of a record";
    for (name, bytes, why, all) in [
        ("a.jsonl.gz", gzip(&text)[..5000].to_vec(), in_the_middle, false),
        ("b.jsonl.gz", gzip(&text)[..gzip(&text).len() - 8].to_vec(), in_the_middle, true),
        ("c.jsonl.gz", [&gzip(&text)[..], b"<html>"].concat(), behind, true),
        ("d.jsonl.zst", zstd(&text)[..zstd(&text).len() / 2].to_vec(), in_the_middle, false),
        ("e.jsonl.zst", [&zstd(&text)[..], b"<html>"].concat(), behind, true),
        ("f.csv.gz", gzip(&table)[..3000].to_vec(), in_the_middle, false),
        ("g.jsonl", text[..text.len() - 20].to_vec(), torn, false),
        ("h.csv", table[..table.len() - 200].to_vec(), torn, false),
        ("i.jsonl.gz", Vec::new(), in_the_middle, false),
    ] {
        let path = put(folder.path(), name, &bytes);
        let ran = run(&["report", "--format", "json", &path]);
        let told = format!(
            "banneret: records `{path}` are not complete: {why}; what stands before is counted (`--allow-partial` ends with \
             0 all the same)\n"
        );
        assert_eq!((ran.code, &ran.err), (4, &told), "{name}");
        let counted = summary(&ran.out);
        assert_eq!(counted["complete"], false, "{name}");
        assert_eq!(counted["incomplete"], serde_json::json!([{ "file": path, "why": why }]));
        let records = counted["records"].as_u64().unwrap();
        assert!(if all { records == 124 } else { records < 124 }, "{name}: {records}");
        for form in ["csv", "markdown", "prometheus"] {
            let ran = run(&["report", "--format", form, &path]);
            let sign = ["files,incomplete,1", "Not complete: ", "banneret_complete 0"];
            assert!(ran.code == 4 && sign.iter().any(|sign| ran.out.contains(sign)), "{ran:?}");
        }
        let whole = run(&["report", "--format", "json", "--allow-partial", &path]);
        assert_eq!((whole.code, whole.err, whole.out), (0, told.clone(), ran.out));

        let ran = run(&["diff", &path, stored("later.jsonl").to_str().unwrap()]);
        assert_eq!((ran.code, &ran.err), (4, &told), "{name}");
        run(&["diff", "--allow-partial", &path, stored("later.jsonl").to_str().unwrap()]).fine();
        if !name.contains("csv") {
            let ran = run(&["judge", &path]);
            assert_eq!((ran.code, ran.err), (4, told.replace("is counted", "is judged")), "{name}");
            let judged = ran.out.lines().count() as u64;
            // A line that is cut off has a record that says so.
            assert!(judged == records || judged == records + 1, "{name}: {judged}");
        }
    }
    let whole = run(&["report", "--format", "json", stored("records.jsonl").to_str().unwrap()]).fine();
    assert_eq!(
        (&summary(&whole)["complete"], &summary(&whole)["incomplete"]),
        (&true.into(), &Value::Array(vec![]))
    );
}

#[test]
fn records_are_read_in_whatever_dress_they_come() {
    let folder = tempfile::tempdir().unwrap();
    let (text, table) =
        (fs::read(stored("records.jsonl")).unwrap(), fs::read(stored("records.csv")).unwrap());
    let count = |ran: crate::cli::Ran| {
        assert_eq!(ran.err, "");
        let told = summary(&ran.fine());
        (told["records"].as_u64().unwrap(), told["by_verdict"].clone(), told["groups"].clone())
    };
    let whole = count(run(&["report", "--format", "json", &put(folder.path(), "a.jsonl", &text)]));
    for bytes in [&text, &gzip(&text), &zstd(&text)] {
        assert_eq!(count(run_with(&["report", "--format", "json", "-"], bytes)), whole, "stdin");
        let path = put(folder.path(), "b.jsonl", bytes);
        assert_eq!(count(run(&["report", "--format", "json", &path])), whole, "under another name");
    }
    // As spreadsheets of many countries save it.
    for delimiter in [b';', b'\t', b'|'] {
        let mut saved = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(&table[..]);
        for row in rows.byte_records() {
            saved.write_byte_record(&row.unwrap()).unwrap();
        }
        let bytes = [b"\xef\xbb\xbf", &saved.into_inner().unwrap()[..]].concat();
        let path = put(folder.path(), "saved.csv", &bytes);
        let told = count(run(&["report", "--format", "json", &path]));
        assert_eq!(told, whole, "{}", char::from(delimiter));
    }
    // One behind the other, the second with other columns.
    let later = fs::read(stored("later.csv")).unwrap();
    let other: Vec<u8> = {
        let mut turned = csv::Writer::from_writer(Vec::new());
        for row in csv::ReaderBuilder::new().has_headers(false).from_reader(&later[..]).byte_records() {
            let row = row.unwrap();
            let cells: Vec<&[u8]> = row.iter().collect();
            turned.write_record(cells.iter().rev()).unwrap();
        }
        turned.into_inner().unwrap()
    };
    let apart = [put(folder.path(), "1.csv", &table), put(folder.path(), "2.csv", &later)];
    let apart = run(&["report", "--format", "json", &apart[0], &apart[1]]);
    let one = put(folder.path(), "both.csv", &[&table[..], &other].concat());
    let one = run(&["report", "--format", "json", &one]);
    assert_eq!(summary(&one.out)["groups"], summary(&apart.out)["groups"]);
    assert_eq!(summary(&one.out)["records"], summary(&apart.out)["records"]);
    // What is none of these is said to be what it is.
    for (bytes, told) in [
        (&b"\xfd7zXZ\0\0"[..], "it is xz, which is not read; expand it first, or use gzip or zstd"),
        (
            b"PK\x03\x04xxxx",
            "it is a zip archive or a spreadsheet, which is not read; save it as CSV or JSONL",
        ),
        (b"PAR1xxxx", "it is Parquet; name it `.parquet`, or say so with `--from parquet`"),
        (b"\xff\xfei\0p\0", "it is UTF-16; save it as UTF-8"),
    ] {
        let path = put(folder.path(), "c.csv", bytes);
        let wrong = run(&["report", &path]).wrong(2);
        assert_eq!(wrong, format!("banneret: records `{path}` can't be read: {told}"));
    }
}

#[test]
fn target_lists_are_read_compressed_and_half_a_list_stops_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let list = b"target,customer\n192.0.2.1,a\n198.51.100.0/30,b\n";
    let targets = |path: &str| {
        ["targets", "--allow-reserved", "--count", "-i"]
            .map(str::to_owned)
            .into_iter()
            .chain([path.to_owned()])
            .collect::<Vec<String>>()
    };
    for (name, bytes) in [("a.csv.gz", gzip(list)), ("a.zst", zstd(list)), ("list", gzip(list))] {
        let path = put(folder.path(), name, &bytes);
        assert_eq!(run(&targets(&path)).fine(), "5\n", "{name}");
        assert_eq!(run_with(&targets("-"), &bytes).fine(), "5\n", "{name}");
    }
    let many: Vec<String> = (0..4000).map(|n| format!("192.0.{}.{}", n / 256, n % 256)).collect();
    let many = many.join("\n");
    let half = put(folder.path(), "half.gz", &gzip(many.as_bytes())[..3000]);
    let wrong = run(&targets(&half)).wrong(2);
    assert!(wrong.ends_with("its compressed data ends in the middle"), "{wrong}");
    let exclusions = ["targets", "--allow-reserved", "--count", "192.0.0.0/16", "--exclude-file", &half];
    let wrong = run(&exclusions).wrong(2);
    assert!(wrong.ends_with("its compressed data ends in the middle"), "{wrong}");
}
