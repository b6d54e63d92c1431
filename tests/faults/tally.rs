//! Records against the truth: how many were lost, doubled, wrong. Every output of a scan is read and counted
//! by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use super::run::Scan;
use super::world::{Block, SMALL, Truth};

/// Set to a file by `scripts/faults`: each fault adds its row there.
const TABLE: &str = "TEST_FAULTS_TABLE";

/// What became of the records under one fault.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tally {
    tries: u32,
    lost: u32,
    doubled: u32,
    wrong: u32,
    /// The first few that were none of the good.
    samples: Vec<String>,
}

/// How many bad records are kept for the message.
const SAMPLES: usize = 5;

impl Tally {
    /// Counts every output of a finished scan.
    pub(crate) fn count(&mut self, scan: &Scan) {
        self.tries += 1;
        let [jsonl, csv, zstd, gzip, parquet] = scan.outputs();
        self.count_jsonl(scan.block, &jsonl, &read(&jsonl));
        self.count_rows(scan.block, &csv, csv_rows(&read(&csv)));
        self.count_jsonl(scan.block, &zstd, &unpacked(&zstd));
        self.count_jsonl(scan.block, &gzip, &unzipped(&gzip));
        self.count_rows(scan.block, &parquet, parquet_rows(&parquet));
    }

    /// Counts records that came another way than by files.
    pub(crate) fn count_text(&mut self, name: &str, text: &str) {
        self.tries += 1;
        self.count_jsonl(SMALL, Path::new(name), text);
    }

    fn count_jsonl(&mut self, block: Block, path: &Path, text: &str) {
        self.count_rows(block, path, text.split_inclusive('\n').map(json_row).collect());
    }

    fn count_rows(&mut self, block: Block, path: &Path, rows: Vec<Row>) {
        let mut missing = block.truths();
        let mut known: BTreeMap<String, Truth> = missing.clone();
        for row in rows {
            match row {
                Ok((ip, said)) if missing.get(&ip) == Some(&said) => drop(missing.remove(&ip)),
                Ok((ip, _)) if known.contains_key(&ip) && !missing.contains_key(&ip) => {
                    self.doubled += 1;
                    self.sample(format!("{}: {ip} again", path.display()));
                }
                Ok((ip, said)) => {
                    self.wrong += 1;
                    self.sample(format!(
                        "{}: {ip} is {said:?}, not {:?}",
                        path.display(),
                        missing.remove(&ip)
                    ));
                    known.remove(&ip);
                }
                Err(line) => {
                    self.wrong += 1;
                    self.sample(format!("{}: no record: {line}", path.display()));
                }
            }
        }
        self.lost += u32::try_from(missing.len()).unwrap();
        if let Some(ip) = missing.keys().next() {
            self.sample(format!("{}: {} are missing, as {ip}", path.display(), missing.len()));
        }
    }

    /// Scans counted so far.
    pub(crate) fn tries(&self) -> u32 {
        self.tries
    }

    /// Whether any record is not as it should be.
    pub(crate) fn is_bad(&self) -> bool {
        self.lost + self.doubled + self.wrong > 0
    }

    fn sample(&mut self, text: String) {
        if self.samples.len() < SAMPLES {
            self.samples.push(text);
        }
    }

    /// A row of hosts that may be lost, as long as few are.
    pub(crate) fn of_lossy(tries: u32, lost: u32) -> Self {
        Self { tries, lost, ..Self::default() }
    }

    /// Adds the row to the table.
    pub(crate) fn tell(&self, fault: &str) {
        if let Some(table) = std::env::var_os(TABLE) {
            let row = format!("{fault}\t{}\t{}\t{}\t{}\n", self.tries, self.lost, self.doubled, self.wrong);
            let file = fs::OpenOptions::new().append(true).create(true).open(table);
            file.and_then(|mut file| file.write_all(row.as_bytes())).expect("the table can be added to");
        }
    }

    /// Adds the row to the table, and fails if any record is not as it should be.
    pub(crate) fn conclude(&self, fault: &str) {
        self.tell(fault);
        let mut text = format!("{fault}: {} lost, {} doubled, {} wrong", self.lost, self.doubled, self.wrong);
        for sample in &self.samples {
            let _ = write!(text, "\n  {sample}");
        }
        assert!(!self.is_bad(), "{text}");
    }
}

/// One row's host and what it says; else the line that is no row.
type Row = Result<(String, Truth), String>;

fn json_row(line: &str) -> Row {
    let whole = line.ends_with('\n');
    let value: Value = serde_json::from_str(line).map_err(|_| line.to_owned())?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let fields = (
        text(&value["target"]["ip"]),
        text(&value["outcome"]),
        text(&value["verdict"]),
        text(&value["smtp"]["banner_name"]),
    );
    match fields {
        (Some(ip), Some(outcome), verdict, banner_name) if whole => {
            row(ip, &outcome, verdict.as_deref(), banner_name)
        }
        _ => Err(line.to_owned()),
    }
}

fn csv_rows(text: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    let place = |name: &str| header.iter().position(|known| known == name);
    let places = ["ip", "outcome", "verdict", "banner_name"].map(place);
    let filled = |cell: &str| (!cell.is_empty()).then(|| cell.to_owned());
    let rows = reader.records().map(|record| {
        let record = record.map_err(|error| error.to_string())?;
        let [ip, outcome, verdict, name] =
            places.map(|place| place.and_then(|place| record.get(place)).unwrap_or(""));
        row(ip.to_owned(), outcome, filled(verdict).as_deref(), filled(name))
    });
    rows.collect()
}

/// A row with the words of the contract; other words make it no row.
fn row(ip: String, outcome: &str, verdict: Option<&str>, banner_name: Option<String>) -> Row {
    let known = |word: &str| {
        let words = ["greeted", "closed", "rejected", "match", "mismatch", "no_ptr", "unconfirmed"];
        words.into_iter().find(|known| *known == word).ok_or_else(|| format!("{ip} {word}"))
    };
    let (outcome, verdict) = (known(outcome)?, verdict.map(known).transpose()?);
    Ok((ip, Truth { outcome, verdict, banner_name }))
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// As much as can be unpacked.
fn unpacked(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = zstd::decode_all(bytes.as_slice()).unwrap_or_else(|error| error.to_string().into_bytes());
    String::from_utf8_lossy(&text).into_owned()
}

/// As much as can be unpacked.
fn unzipped(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let mut text = String::new();
    match flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text) {
        Ok(_) => text,
        Err(error) => text + &error.to_string(),
    }
}

fn parquet_rows(path: &Path) -> Vec<Row> {
    let file = fs::File::open(path).map_err(|error| error.to_string());
    let reader = file.and_then(|file| SerializedFileReader::new(file).map_err(|error| error.to_string()));
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return vec![Err(error)],
    };
    let rows = reader.get_row_iter(None).map(|rows| {
        rows.map(|row| json_row(&format!("{}\n", row.map_err(|error| error.to_string())?.to_json_value())))
    });
    rows.map_or_else(|error| vec![Err(error.to_string())], Iterator::collect)
}

#[cfg(test)]
mod claims {
    use super::*;

    fn line(ip: &str, truth: &Truth) -> String {
        let record = serde_json::json!({
            "target": {"ip": ip}, "outcome": truth.outcome, "verdict": truth.verdict,
            "smtp": {"banner_name": truth.banner_name},
        });
        format!("{record}\n")
    }

    fn tally(change: impl FnOnce(&mut Vec<String>)) -> (u32, u32, u32) {
        let mut lines: Vec<String> = SMALL.truths().iter().map(|(ip, truth)| line(ip, truth)).collect();
        change(&mut lines);
        let mut tally = Tally::default();
        tally.count_jsonl(SMALL, Path::new("a.jsonl"), &lines.concat());
        (tally.lost, tally.doubled, tally.wrong)
    }

    #[test]
    fn each_bad_record_is_counted_once_by_what_is_wrong_with_it() {
        assert_eq!(tally(|_| ()), (0, 0, 0));
        assert_eq!(tally(|lines| drop(lines.pop())), (1, 0, 0));
        assert_eq!(tally(|lines| lines.push(lines[5].clone())), (0, 1, 0));
        assert_eq!(tally(|lines| lines[5] = lines[5].replace("match", "no_ptr")), (0, 0, 1));
        assert_eq!(tally(|lines| lines[5].truncate(20)), (2, 0, 1), "a torn line takes the next with it");
        assert_eq!(tally(|lines| lines[1023] = lines[1023].trim_end().to_owned()), (1, 0, 1), "no line end");
        assert_eq!(tally(Vec::clear), (1024, 0, 0));
    }

    #[test]
    fn a_csv_is_counted_like_the_lines() {
        let mut text = "ip,outcome,verdict,banner_name\n".to_owned();
        for (ip, Truth { outcome, verdict, banner_name }) in SMALL.truths() {
            let _ = writeln!(
                text,
                "{ip},{outcome},{},{}",
                verdict.unwrap_or(""),
                banner_name.unwrap_or_default()
            );
        }
        let mut whole = Tally::default();
        whole.count_rows(SMALL, Path::new("b.csv"), csv_rows(&text));
        assert_eq!((whole.lost, whole.doubled, whole.wrong), (0, 0, 0));
        let mut cut = Tally::default();
        cut.count_rows(SMALL, Path::new("b.csv"), csv_rows(&text[..text.len() - 60]));
        assert!(cut.lost > 0, "{cut:?}");
    }
}
