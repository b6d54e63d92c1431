//! Scans that version 0.1 left unfinished are gone on with: every record is there, exactly once. The
//! checkpoints in `tests/data/0.1` name `/mnt` as their folder, which the namespace has to itself.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use banneret::demo::zone::{Answer, Data, Entry, Held, Kind};
use banneret::name::DnsName;
use banneret::scan::checkpoint::Checkpoint;
use serde_json::Value;

use crate::support::hosts::{serve_at, serve_names};
use crate::support::namespace::alone;
use crate::support::program::run;
use crate::support::schema::complaints;

/// Where the scans were started.
const FOLDER: &str = "/mnt";

/// Lays out a stored scan as it was when it was killed; outputs may have grown since the checkpoint, so they
/// have a torn line more.
fn lay_out(scan: &str, torn: &[&str]) {
    for words in [
        &["mount", "-t", "tmpfs", "none", FOLDER][..],
        &["ip", "-6", "route", "add", "local", "2001:db8::/32", "dev", "lo"],
    ] {
        let done = Command::new(words[0]).args(&words[1..]).status().expect("it is there: run scripts/setup");
        assert!(done.success(), "{words:?}");
    }
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/0.1").join(scan);
    for entry in fs::read_dir(stored).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), Path::new(FOLDER).join(entry.file_name())).unwrap();
    }
    for name in torn {
        let mut file = OpenOptions::new().append(true).open(Path::new(FOLDER).join(name)).unwrap();
        file.write_all(b"{\"schema\":\"banneret.rec").unwrap();
    }
}

fn v4(third: u8, last: u8) -> IpAddr {
    Ipv4Addr::new(198, 18, third, last).into()
}

fn v6(third: u16, last: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, third, 0, 0, 0, 0, last).into()
}

/// A zone in which each name leads to its addresses and each address back to it.
fn zone(hosts: &[(IpAddr, String)]) -> Held {
    let mut zone = Held::default();
    let mut leads: BTreeMap<(&str, bool), Vec<Data>> = BTreeMap::new();
    for (ip, name) in hosts {
        let owner = DnsName::reverse(*ip);
        let answer = Answer::Records(vec![Data::Ptr(DnsName::parse(name).unwrap())]);
        zone.insert(Entry { owner, kind: Kind::Ptr, answer });
        let data = match ip {
            IpAddr::V4(ip) => Data::A(*ip),
            IpAddr::V6(ip) => Data::Aaaa(*ip),
        };
        leads.entry((name, ip.is_ipv4())).or_default().push(data);
    }
    for ((name, is_v4), data) in leads {
        let kind = if is_v4 { Kind::A } else { Kind::Aaaa };
        zone.insert(Entry { owner: DnsName::parse(name).unwrap(), kind, answer: Answer::Records(data) });
    }
    zone
}

/// Each record by address, port and entry; no two are of one.
fn records(name: &str) -> BTreeMap<(String, u64, String), Value> {
    let text = fs::read_to_string(Path::new(FOLDER).join(name)).unwrap();
    let mut all = BTreeMap::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(complaints(&record), Vec::<String>::new(), "{line}");
        let target = &record["target"];
        let key = (target["ip"].to_string(), target["port"].as_u64().unwrap(), target["asked"].to_string());
        assert!(all.insert(key.clone(), record).is_none(), "{key:?} has two records");
    }
    all
}

fn resume(checkpoint: &str) {
    run(&["scan", "--resume", &format!("{FOLDER}/{checkpoint}"), "--progress", "never"]).ends(0);
    assert!(!Path::new(FOLDER).join(checkpoint).exists(), "a complete scan leaves no checkpoint");
}

#[test]
fn a_scan_that_0_1_left_midway_ends_with_every_record_once() {
    alone("stored::a_scan_that_0_1_left_midway_ends_with_every_record_once", |_| {
        lay_out("middle", &["middle.jsonl", "middle.csv"]);
        let mut hosts: Vec<(IpAddr, String)> = (0..64).map(|n| (v4(1, n), format!("mail.m{n}.bv"))).collect();
        hosts.extend((0..32).map(|n| (v6(1, n), format!("mail.s{n}.bv"))));
        serve_names(zone(&hosts));
        for (number, (ip, name)) in hosts.iter().enumerate() {
            if number % 7 > 0 {
                serve_at(*ip, 25, format!("220 {name} ESMTP Postfix\r\n").into_bytes());
            }
        }
        let written = records_of_checkpoint("middle.jsonl.checkpoint");
        resume("middle.jsonl.checkpoint");
        let all = records("middle.jsonl");
        let met: Vec<&String> = all.keys().map(|(ip, ..)| ip).collect();
        let mut expected: Vec<String> = hosts.iter().map(|(ip, _)| format!("\"{ip}\"")).collect();
        expected.sort();
        assert_eq!(met, expected.iter().collect::<Vec<_>>());
        // Those of before say nothing of who asked, those of now do.
        let unknown = all.values().filter(|record| record["scanner"].is_null()).count();
        assert_eq!(unknown, written);
        let table = fs::read_to_string(Path::new(FOLDER).join("middle.csv")).unwrap();
        assert_eq!(table.lines().count(), 1 + hosts.len());
        for name in ["middle.jsonl.zst", "middle.parquet", "middle.csv"] {
            let path = format!("{FOLDER}/{name}");
            let told = run(&["report", "--format", "json", &path]).ends(0);
            let told: Value = serde_json::from_str(&told.out).unwrap();
            assert_eq!(told["records"], hosts.len(), "{name}");
        }
    });
}

/// How many records of the first output a checkpoint counts.
fn records_of_checkpoint(name: &str) -> usize {
    let text = fs::read_to_string(Path::new(FOLDER).join(name)).unwrap();
    let body: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let rows = body["outputs"][0]["rows"].as_u64().unwrap();
    assert!(rows > 10, "{body}");
    usize::try_from(rows).unwrap()
}

#[test]
fn a_scan_that_0_1_left_with_names_under_way_ends_with_every_record_once() {
    alone("stored::a_scan_that_0_1_left_with_names_under_way_ends_with_every_record_once", |_| {
        lay_out("names", &["names.jsonl"]);
        let mut hosts: Vec<(IpAddr, String)> = Vec::new();
        for n in 0..12 {
            let name = format!("mail.n{n}.bv");
            let all = [v4(2, n * 3), v4(2, n * 3 + 1), v6(2, n.into())];
            hosts.extend(all.map(|ip| (ip, name.clone())));
        }
        hosts.extend((0..2).map(|n| (v4(3, n), format!("mail.x{n}.bv"))));
        let mut zone = zone(&hosts);
        let exchanger = |preference, name| Data::Mx(preference, DnsName::parse(name).unwrap());
        zone.insert(Entry {
            owner: DnsName::parse("dom.bv").unwrap(),
            kind: Kind::Mx,
            answer: Answer::Records(vec![exchanger(10, "mail.x0.bv"), exchanger(20, "mail.x1.bv")]),
        });
        serve_names(zone);
        for (ip, name) in &hosts {
            serve_at(*ip, 25, format!("220 {name} ESMTP Postfix\r\n").into_bytes());
        }
        resume("names.jsonl.checkpoint");
        let all = records("names.jsonl");
        // The hosts, a name that leads nowhere, and an address at which nobody listens.
        let mut expected: Vec<String> = hosts.iter().map(|(ip, _)| format!("\"{ip}\"")).collect();
        expected.extend(["null".to_owned(), "\"198.18.2.200\"".to_owned()]);
        expected.sort();
        let mut met: Vec<String> = all.keys().map(|(ip, ..)| ip.clone()).collect();
        met.sort();
        assert_eq!(met, expected);
        let table = fs::read_to_string(Path::new(FOLDER).join("names.csv")).unwrap();
        assert_eq!(table.lines().count(), 1 + expected.len());
    });
}

#[test]
fn a_sample_that_0_1_drew_in_its_own_way_is_refused_with_what_to_do() {
    alone("stored::a_sample_that_0_1_drew_in_its_own_way_is_refused_with_what_to_do", |_| {
        lay_out("middle", &[]);
        let path = Path::new(FOLDER).join("middle.jsonl.checkpoint");
        let mut checkpoint = Checkpoint::decode(&fs::read(&path).unwrap()).unwrap();
        // That version hashed the whole set, and stopped after so many turns.
        checkpoint.arguments.insert(2, "--max-targets=60".to_owned());
        fs::write(&path, checkpoint.encode()).unwrap();
        let ran = run(&["scan", "--resume", path.to_str().unwrap(), "--progress", "never"]).ends(2);
        let told = "banneret: checkpoint `/mnt/middle.jsonl.checkpoint` is of version 0.1.0, which drew the sample of \
            `--max-targets` in another way; let that version finish the scan, or start anew\n";
        assert_eq!(ran.err, told);
        assert!(path.exists(), "a refusal changes nothing");
    });
}
