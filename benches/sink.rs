//! What a record costs on its way out: encoding alone, and writing to a file with its hash.

use std::io::Write;
use std::path::Path;

use banneret::name::DnsName;
use banneret::record::{Record, json, read, row::Row};
use banneret::report::csv::Csv;
use banneret::report::jsonl::JsonLines;
use banneret::report::rows::Encode;
use banneret::report::summary::Summary;
use banneret::report::{Form, Sink, Start, sink};
use banneret::smtp::reply::{Reply, Text};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

#[path = "../tests/support/records.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    reason = "shared with the tests, which use more of it"
)]
mod records;

fn main() {
    divan::main();
}

/// The records of a bench: the ordinary one, and one whose every text needs an escape.
fn record(name: &str) -> Record {
    let mut record = records::healthy_record();
    if name == "hostile" {
        let line = b"\x1b]0;\"\\caf\xe9 </script> mail.example.org".as_slice();
        let greeting = Reply { code: None, text: Text::from_iter([line, line]) };
        record.evidence.observation.greeting = Some(greeting);
        if let Some(dns) = &mut record.evidence.resolution {
            let ptr = dns.names.remove(0);
            let strange = DnsName::from_wire(b"\x04a\x1b.b\x07example\0").unwrap_or_else(DnsName::root);
            dns.names = vec![banneret::evidence::PtrName { name: strange, ..ptr }; 4];
        }
    }
    record
}

#[divan::bench(args = ["healthy", "hostile"])]
fn encode_jsonl(bencher: Bencher<'_, '_>, name: &str) {
    encode(bencher, JsonLines, &record(name));
}

#[divan::bench(args = ["healthy", "hostile"])]
fn encode_csv(bencher: Bencher<'_, '_>, name: &str) {
    encode(bencher, Csv::new(vec!["customer".into()]), &record(name));
}

fn encode(bencher: Bencher<'_, '_>, mut encoder: impl Encode, record: &Record) {
    let mut block = Vec::new();
    encoder.row(record, &mut block);
    bencher.counter(ItemsCount::new(1usize)).counter(BytesCount::new(block.len())).bench_local(move || {
        block.clear();
        encoder.row(divan::black_box(record), &mut block);
        divan::black_box(block.len())
    });
}

/// Through the sink into a file: blocks, hash, system calls, compression.
#[divan::bench(args = ["a.jsonl", "a.csv", "a.jsonl.gz", "a.jsonl.zst"])]
fn write_thousand(bencher: Bencher<'_, '_>, name: &str) {
    const RECORDS: usize = 1000;
    let Ok(directory) = tempfile::tempdir() else { return };
    let path = directory.path().join(name);
    let record = record("healthy");
    bencher.counter(ItemsCount::new(RECORDS)).with_inputs(|| open(&path)).bench_local_values(|mut sink| {
        for _ in 0..RECORDS {
            if let Err(error) = sink.write(divan::black_box(&record)) {
                // A bench that writes nothing would be fast.
                let _ = writeln!(std::io::stderr(), "{error}");
                std::process::exit(1);
            }
        }
        let _ = sink.flush(banneret::report::Reach::System);
        sink
    });
}

fn open(path: &Path) -> Box<dyn Sink> {
    let form = Form::of(path, None);
    let opened = form.map(|form| sink::open(path, form, &["customer".into()], Start::New));
    match opened {
        Ok(Ok(sink)) => sink,
        _ => std::process::exit(1),
    }
}

#[divan::bench]
fn decode_record(bencher: Bencher<'_, '_>) {
    let line = line();
    bencher.counter(ItemsCount::new(1usize)).bench(|| read::decode(divan::black_box(&line)));
}

#[divan::bench]
fn decode_row(bencher: Bencher<'_, '_>) {
    let line = line();
    bencher
        .counter(ItemsCount::new(1usize))
        .bench(|| Row::from_json(divan::black_box(&line)).map(|row| row.port));
}

/// Counting while a scan runs: the record is in hand.
#[divan::bench]
fn summarise(bencher: Bencher<'_, '_>) {
    let mut record = record("healthy");
    let mut summary = Summary::new();
    let mut number = 0u32;
    bencher.counter(ItemsCount::new(1usize)).bench_local(move || {
        number = number.wrapping_add(1);
        // 2,048 networks in turn, as an order that spreads load has them.
        let [.., high, low] = (number % 2048).to_be_bytes();
        record.target.ip = Some(std::net::IpAddr::from([198, 18 + high / 8, low, 1]));
        summary.add(&Row::of(&record));
    });
}

fn line() -> String {
    let mut line = Vec::new();
    json::encode(&record("healthy"), &mut line);
    String::from_utf8_lossy(&line).into_owned()
}
