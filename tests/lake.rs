//! Parquet among others: what we write, other programs read; what these make of it, we read; and the numbers
//! of a fleet are the same from each file and by the other program's own GROUP BY.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic")]

#[path = "lake/scan.rs"]
mod scan;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use banneret::record::Record;
use banneret::report::input::Input;
use banneret::report::{Form, Start, sink};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use support::fleet;
use support::program::{measure, run};
use support::records::any_record;
use support::server::servers;

/// Hosts of the fleet: as many as a test has time for. `scripts/fleet` makes ten million.
const FLEET: u32 = 200_000;
/// The most memory that a report may take, in bytes.
const MEMORY: u64 = 300 << 20;

/// Writes the first hosts of the fleet into files.
fn write(count: u32, paths: &[&Path]) {
    write_all((0..count).map(fleet::record), &["customer".into()], paths);
}

fn write_all(records: impl Iterator<Item = Record>, tags: &[Arc<str>], paths: &[&Path]) {
    let open = |path: &&Path| sink::open(path, Form::of(path, None).unwrap(), tags, Start::New).unwrap();
    let mut sinks: Vec<_> = paths.iter().map(open).collect();
    let mut count = 0;
    for record in records {
        count += 1;
        for sink in &mut sinks {
            sink.write(&record).unwrap();
        }
    }
    for sink in sinks {
        assert_eq!(sink.finish().unwrap().rows, count);
    }
}

/// What a script prints that is run by the Python which has a package.
fn python(package: &str, script: &str, files: &[&Path]) -> String {
    let python = servers().join(package).join("bin/python");
    let ran = Command::new(&python).arg("-c").arg(script).args(files).output();
    let ran = ran.unwrap_or_else(|wrong| panic!("`{}`: {wrong}: run scripts/setup", python.display()));
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}\n{err}");
    out.into_owned()
}

fn report(path: &Path, words: &[&str]) -> String {
    run(&[&["report", path.to_str().unwrap()], words].concat()).ends(0).out
}

fn whole(path: &Path) -> Vec<String> {
    let mut records = Vec::new();
    Input::open(path, None).unwrap().records(|record| records.push(format!("{record:?}"))).unwrap();
    records
}

const BY_DUCKDB: &str = "import duckdb, sys
duckdb.sql(f\"COPY (SELECT * FROM '{sys.argv[1]}') TO '{sys.argv[2]}' (FORMAT parquet)\")";

const BY_PYARROW: &str = "import pyarrow.parquet as pq, sys
pq.write_table(pq.read_table(sys.argv[1]), sys.argv[2])";

#[test]
fn what_duckdb_and_pyarrow_make_of_our_files_is_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (ours, lines) = (path("a.parquet"), path("a.jsonl"));
    write(600, &[&ours, &lines]);
    let (duckdb, pyarrow) = (path("duckdb.parquet"), path("pyarrow.parquet"));
    python("duckdb", BY_DUCKDB, &[&ours, &duckdb]);
    python("pyarrow", BY_PYARROW, &[&ours, &pyarrow]);
    let words = ["--format", "json", "--group-by", "tag:customer", "--group-by", "finding"];
    let (expected, records) = (report(&lines, &words), whole(&lines));
    assert_eq!(records.len(), 600);
    for other in [&ours, &duckdb, &pyarrow] {
        assert_eq!(report(other, &words), expected, "{}", other.display());
        assert!(whole(other) == records, "{}: other records", other.display());
        let judged = run(&["judge", other.to_str().unwrap()]).ends(0).out;
        assert_eq!(judged, run(&["judge", lines.to_str().unwrap()]).ends(0).out, "{}", other.display());
    }
    let words = ["diff", lines.to_str().unwrap(), duckdb.to_str().unwrap(), "--format", "json"];
    for line in run(&words).ends(0).lines() {
        let change = serde_json::from_str::<Value>(line).unwrap()["change"].clone();
        assert!(["same", "still_wrong", "unknown"].contains(&change.as_str().unwrap()), "{line}");
    }
}

/// The same file in each compression that the program has, as `NAME.parquet`.
const CODECS_BY_PYARROW: &str = "import pyarrow.parquet as pq, sys
table = pq.read_table(sys.argv[1])
for codec in ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4']:
    pq.write_table(table, f'{sys.argv[2]}/pyarrow-{codec}.parquet', compression=codec)
pq.write_table(table, f'{sys.argv[2]}/pyarrow-mixed.parquet', compression={'target.asked': 'brotli'})";

const CODECS_BY_DUCKDB: &str = "import duckdb, sys
for codec in ['uncompressed', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4']:
    to = f'{sys.argv[2]}/duckdb-{codec}.parquet'
    duckdb.sql(f\"COPY (SELECT * FROM '{sys.argv[1]}') TO '{to}' (FORMAT parquet, COMPRESSION {codec})\")";

#[test]
fn parquet_of_any_compression_is_read_or_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (ours, lines) = (path("a.parquet"), path("a.jsonl"));
    write(60, &[&ours, &lines]);
    python("pyarrow", CODECS_BY_PYARROW, &[&ours, folder.path()]);
    python("duckdb", CODECS_BY_DUCKDB, &[&ours, folder.path()]);
    let (mut read, mut refused) = (0, 0);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let other = entry.unwrap().path();
        let name = other.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((_, codec)) = name.split_once('-') else { continue };
        let word = match codec {
            "brotli" | "mixed" => "brotli",
            "lz4" => "lz4_raw",
            _ => {
                assert_eq!(
                    report(&other, &["--format", "json"]),
                    report(&lines, &["--format", "json"]),
                    "{name}"
                );
                assert!(whole(&other) == whole(&lines), "{name}");
                read += 1;
                continue;
            }
        };
        let other = other.to_str().unwrap();
        let told = format!(
            "banneret: records `{other}` are Parquet whose columns are compressed by `{word}`, which is not read; write it \
             with zstd, gzip or snappy\n"
        );
        for words in [&["report", other][..], &["judge", other], &["diff", lines.to_str().unwrap(), other]] {
            let ran = run(words).ends(2);
            assert_eq!((ran.err, ran.out.as_str()), (told.clone(), ""), "{words:?}");
        }
        refused += 1;
    }
    assert_eq!((read, refused), (8, 5));
}

/// A file with an absurd number in its third record, for each field that holds a number: `FIELD.parquet`.
const ABSURD_BY_PYARROW: &str = "import pyarrow as pa, pyarrow.parquet as pq, sys
table = pq.read_table(sys.argv[1])
for path, value in [('smtp.code', 1000), ('smtp.attempts', 256), ('smtp.connect_ms', -5.5), ('smtp.banner_ms', 1e300),
        ('smtp.tls.alert', -1), ('smtp.tls.code', -1), ('smtp.tls.certificate.count', 1 << 40), ('dns.ptr.count', -1),
        ('network.asn', -1), ('target.port', 70000)]:
    records = table.to_pylist()
    at = records[2]
    *outer, name = path.split('.')
    for part in outer:
        at = at[part]
    at[name] = value
    pq.write_table(pa.Table.from_pylist(records, schema=table.schema), f'{sys.argv[2]}/{path}.parquet')";

#[test]
fn absurd_numbers_in_parquet_are_told_alike_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("a.parquet");
    let mut record = support::records::healthy_record();
    record.evidence.observation.tls = Some(Box::new(banneret::evidence::Tls {
        certificate: Some(banneret::evidence::Certificate::default()),
        ..banneret::evidence::Tls::bare(banneret::evidence::TlsStatus::Established)
    }));
    let records = (1..=5).map(|last| {
        let mut record = record.clone();
        record.target.ip = Some([192, 0, 2, last].into());
        record
    });
    write_all(records, &[], &[&ours]);
    let made = folder.path().join("made");
    std::fs::create_dir(&made).unwrap();
    python("pyarrow", ABSURD_BY_PYARROW, &[&ours, &made]);
    let mut count = 0;
    for entry in std::fs::read_dir(&made).unwrap() {
        let other = entry.unwrap().path();
        let field = other.file_stem().unwrap().to_str().unwrap();
        let shown = match field {
            "smtp.code" => "1000",
            "smtp.attempts" => "256",
            "smtp.connect_ms" => "-5.5",
            "smtp.banner_ms" => "1e300",
            "smtp.tls.certificate.count" => "1099511627776",
            "target.port" => "70000",
            _ => "-1",
        };
        let path = other.to_str().unwrap();
        let told = format!(
            "banneret: records `{path}`: 1 record has numbers that their field can't hold, the first is `{shown}` in \
             `{field}` in record 3; they are left out\n"
        );
        for words in [&["report", path][..], &["judge", path], &["diff", ours.to_str().unwrap(), path]] {
            assert_eq!(run(words).ends(0).err, told, "{words:?}");
        }
        count += 1;
    }
    assert_eq!(count, 10);
}

/// What is in a file of CSV, written anew by programs that take all cells for text, its header for a row like
/// others.
const CSV_BY_DUCKDB: &str = "import csv, duckdb, sys
csv.field_size_limit(1 << 26)
width = len(next(csv.reader(open(sys.argv[1], newline=''))))
columns = {f'c{n}': 'VARCHAR' for n in range(width)}
rows = duckdb.read_csv(sys.argv[1], auto_detect=False, columns=columns, header=False, delimiter=',', quotechar='\"',
    escapechar='\"', lineterminator=r'\\n', strict_mode=True)
rows.write_csv(sys.argv[2], header=False)";

const CSV_BY_PYTHON: &str = "import csv, sys
csv.field_size_limit(1 << 26)
with open(sys.argv[1], newline='') as given, open(sys.argv[2], 'w', newline='') as made:
    csv.writer(made).writerows(csv.reader(given))";

/// Holds the other forms against the JSONL by a decoder that was written from the guide's chapter `records`
/// alone.
pub(crate) fn assert_same_values(lines: &Path, others: &[&Path]) -> String {
    python("pyarrow", include_str!("lake/forms.py"), &[&[lines], others].concat())
}

/// Records that hurt wherever a stranger or a list fills them: as many as `TEST_RECORDS` says.
#[test]
fn every_form_says_the_same_by_the_rules_of_the_guide_and_so_does_what_others_make_of_it() {
    let count: u32 = std::env::var("TEST_RECORDS").map_or(300, |count| count.parse().unwrap());
    let mut runner = TestRunner::deterministic();
    let any = any_record();
    let records: Vec<Record> = (0..count).map(|_| any.new_tree(&mut runner).unwrap().current()).collect();
    let said = records.iter().filter_map(|record| record.target.inventory.as_deref());
    let tags: BTreeSet<Arc<str>> = said.flat_map(|said| &said.tags).map(|(tag, _)| tag.clone()).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (lines, csv, parquet) = (path("a.jsonl"), path("a.csv"), path("a.parquet"));
    let (ecs, syslog) = (path("a.ecs.jsonl"), path("a.syslog"));
    let tags: Vec<_> = tags.into_iter().collect();
    write_all(records.into_iter(), &tags, &[&lines, &csv, &parquet, &ecs, &syslog]);
    let others = ["duckdb.csv", "python.csv", "duckdb.parquet", "pyarrow.parquet"].map(path);
    python("duckdb", CSV_BY_DUCKDB, &[&csv, &others[0]]);
    python("duckdb", CSV_BY_PYTHON, &[&csv, &others[1]]);
    python("duckdb", BY_DUCKDB, &[&parquet, &others[2]]);
    python("pyarrow", BY_PYARROW, &[&parquet, &others[3]]);
    let others: Vec<&Path> =
        [&csv, &parquet, &ecs, &syslog].into_iter().chain(&others).map(std::path::PathBuf::as_path).collect();
    println!("{}", assert_same_values(&lines, &others));
    for other in &others[4..6] {
        assert_eq!(report(other, &["--format", "json"]), report(&csv, &["--format", "json"]));
    }
    for other in [&others[1], &others[6], &others[7]] {
        assert!(whole(other) == whole(&lines), "{}: other records", other.display());
    }
}

/// The statements of the guide's chapter `reports`, in a folder that has `block.parquet`.
const RECIPES: &str = "import duckdb, os, re, sys
os.chdir(sys.argv[1])
text = open(sys.argv[2]).read()
block = re.search('```sql\\n(.*?)```', text, re.S).group(1)
for statement in filter(str.strip, block.split(';\\n')):
    rows = duckdb.execute(statement).fetchall()
    print(len(rows))";

#[test]
fn the_recipes_of_the_guide_run() {
    let folder = tempfile::tempdir().unwrap();
    write(2000, &[&folder.path().join("block.parquet")]);
    let chapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/reports.md");
    let told = python("duckdb", RECIPES, &[folder.path(), &chapter]);
    let rows: Vec<u32> = told.lines().map(|line| line.parse().unwrap()).collect();
    assert!(rows.len() >= 5 && rows.iter().all(|&count| count > 0), "{rows:?}");
    assert!(folder.path().join("block.csv").exists());
}

/// Counts by each key, as `{kind: {key: count}}`.
const GROUP_BY: &str = "import duckdb, json, sys
source = f\"FROM '{sys.argv[1]}'\"
kinds = {
    'outcome': 'outcome', 'verdict': 'verdict', 'severity': 'severity', 'finding': 'unnest(findings)',
    'prefix': 'network.prefix', 'asn': 'network.asn', 'banner_name': 'smtp.banner_name', 'platform': 'platform.name',
    'tag:customer': \"target.tags['customer']\",
}
counts = {}
for kind, key in kinds.items():
    rows = duckdb.sql(f'SELECT key, count(*) FROM (SELECT {key} AS key {source}) WHERE key IS NOT NULL GROUP BY key')
    counts[kind] = {str(key): count for key, count in rows.fetchall()}
print(json.dumps(counts))";

#[test]
fn a_fleet_has_the_same_numbers_from_each_file_and_by_duckdb_within_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (parquet, lines) = (folder.path().join("a.parquet"), folder.path().join("a.jsonl.zst"));
    write(FLEET, &[&parquet, &lines]);
    let words = |path: &Path| {
        let path = path.to_str().unwrap().to_owned();
        [
            "report".to_owned(),
            path,
            "--format".to_owned(),
            "json".to_owned(),
            "--group-by".to_owned(),
            "tag:customer".to_owned(),
        ]
    };
    let cost = |path: &Path| measure(&words(path).each_ref().map(String::as_str));
    let (by_columns, by_lines) = (cost(&parquet), cost(&lines));
    for cost in [&by_columns, &by_lines] {
        assert!(cost.memory < MEMORY, "{} MiB", cost.memory >> 20);
    }
    let report = by_columns.ran.ends(0).out;
    assert!(report == by_lines.ran.ends(0).out, "Parquet and JSONL give other numbers");
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["records"], FLEET);
    let counts: BTreeMap<String, BTreeMap<String, u64>> =
        serde_json::from_str(&python("duckdb", GROUP_BY, &[&parquet])).unwrap();
    for kind in ["outcome", "verdict", "severity", "finding"] {
        let told: BTreeMap<String, u64> =
            serde_json::from_value(report[format!("by_{kind}")].clone()).unwrap();
        assert_eq!(told, counts[kind], "{kind}");
        assert!(told.len() > 1, "{kind} has but one word");
    }
    for kind in ["prefix", "asn", "banner_name", "platform", "tag:customer"] {
        let all = &counts[kind];
        let mut listed = 0;
        for group in report["groups"][kind].as_array().unwrap() {
            let count = group["records"].as_u64().unwrap();
            listed += count;
            let key = match &group["key"] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(all.get(&key), Some(&count), "{kind} {key}");
        }
        assert_eq!(listed, all.values().sum::<u64>(), "{kind}");
    }
}
