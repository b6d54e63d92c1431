//! Many hosts at once, and the pace of connections, as the network sees them: in a namespace, at real ports.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "scale/calls.rs"]
mod calls;
#[path = "scale/pace.rs"]
mod pace;
#[path = "scale/storm.rs"]
mod storm;
mod support;
#[path = "scale/windows.rs"]
mod windows;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use banneret::demo::load::Load;
use banneret::demo::plain::{self, Plain};
use banneret::prefix::Prefix;
use serde_json::Value;
use support::hosts::{RESOLVER, serve_names};
use support::namespace::alone;
use support::program::{command, watch_memory};
use support::schema;

/// The block: every address a live host.
const BLOCK: &str = "198.18.0.0/16";
const HOSTS: usize = 65_536;
/// The most memory that such a scan may hold, in bytes.
const MEMORY: u64 = 150 << 20;

/// A block of healthy hosts at port 25 and their DNS.
fn serve() -> Load {
    let hosts = Plain::of(Prefix::parse(BLOCK).unwrap());
    serve_names(hosts);
    Load::start(hosts, 25).unwrap()
}

#[test]
fn of_65536_live_hosts_none_is_lost_or_doubled_and_memory_stays_small() {
    alone("of_65536_live_hosts_none_is_lost_or_doubled_and_memory_stays_small", |work| {
        let load = serve();
        let records = work.join("records.jsonl");
        let mut child = command(&[
            "scan",
            "--allow-reserved",
            BLOCK,
            "--rate",
            "unlimited",
            "--prefix-rate",
            "unlimited",
            "--resolver",
            RESOLVER,
            "--dns-rate",
            "unlimited",
            "-o",
            records.to_str().unwrap(),
            "--progress",
            "never",
        ])
        .spawn()
        .unwrap();
        let peak = watch_memory(&mut child);
        let ended = child.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        println!("peak {} KiB, {} greeted\n{told}", peak / 1024, load.greeted());
        assert!(ended.status.success(), "{told}");
        check(&records);
        assert_eq!(load.greeted(), HOSTS as u64, "each host is met once");
        assert!(peak > 0 && peak < MEMORY, "{peak} bytes");
    });
}

/// Every host of the block has one record, and the right one.
fn check(records: &Path) {
    let text = fs::read_to_string(records).unwrap();
    let mut met = vec![0_u8; HOSTS];
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let ip: std::net::Ipv4Addr = record["target"]["ip"].as_str().unwrap().parse().unwrap();
        met[(u32::from(ip) & 0xffff) as usize] += 1;
        let told = (&record["verdict"], &record["smtp"]["banner_name"], &record["dns"]["fcrdns"]);
        let name = plain::name(ip);
        assert_eq!(told, (&"match".into(), &name.into(), &"pass".into()), "{line}");
    }
    let counts = met.iter().fold(BTreeMap::new(), |mut counts: BTreeMap<u8, usize>, &times| {
        *counts.entry(times).or_default() += 1;
        counts
    });
    assert_eq!(counts, BTreeMap::from([(1, HOSTS)]), "records of a host: hosts");
    // All lines are of one form, so a few of them stand for all against the schema.
    let sample: Vec<&str> = text.lines().step_by(1000).collect();
    schema::assert_lines(&(sample.join("\n") + "\n"));
}
