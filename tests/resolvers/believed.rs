//! Who is believed: whatever a resolver says, no host is told a falsehood; beside an honest resolver each is
//! told the truth, and in a network of its own without the Internet an honest resolver suffices.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::hosts::{serve_at, serve_hosts};
use crate::support::namespace::alone;
use crate::support::program::{Ran, command};
use crate::support::schema::assert_lines;
use crate::upstream::{Behavior, Upstream, has_ptr, own_name};

/// Where the upstreams of a case answer.
const FIRST: &str = "127.0.0.2:53";
const SECOND: &str = "127.0.0.3:53";
const BLOCK: &str = "198.18.0.0/25";
const BLOCK_V6: &str = "2001:db8::/121";
const HOSTS: u32 = 128;
/// Set to 1 by `scripts/faults full`: every case, five seeds each.
const FULL: &str = "TEST_TRUST_FULL";

const LIARS: [Behavior; 12] = [
    Behavior::DeniesAll,
    Behavior::EmptiesAll,
    Behavior::EmptiesAllInZone,
    Behavior::DeniesPtr,
    Behavior::DeniesForward,
    Behavior::DeniesPtrInTrueZone,
    Behavior::EmptiesPtrInTrueZone,
    Behavior::DeniesForwardInTrueZone,
    Behavior::EmptiesForwardInTrueZone,
    Behavior::Invents,
    Behavior::Policy,
    Behavior::PolicyElsewhere,
];

fn is_full() -> bool {
    std::env::var_os(FULL).is_some_and(|value| value == "1")
}

/// The cases in which an honest resolver is slower than the liar, out of all.
fn is_chosen(behavior: Behavior, ttl: u32) -> bool {
    ttl == 0 && matches!(behavior, Behavior::DeniesAll | Behavior::DeniesPtrInTrueZone | Behavior::Policy)
}

/// How many hosts were told what, by verdict and PTR status.
type Told = BTreeMap<String, u32>;

fn told(records: &[Value]) -> Told {
    records.iter().fold(Told::new(), |mut told, record| {
        *told.entry(record["verdict"].as_str().unwrap().to_owned()).or_default() += 1;
        told
    })
}

/// Asserts that each host is told the truth.
fn assert_true(what: &str, records: &[Value]) {
    for record in records {
        let ip: IpAddr = record["target"]["ip"].as_str().unwrap().parse().unwrap();
        let verdict = if has_ptr(ip) { "match" } else { "no_ptr" };
        assert_eq!(record["verdict"], verdict, "{what}: {:?}: {record}", told(records));
    }
}

/// Asserts that nothing definite is said of any host.
fn assert_unknown(what: &str, records: &[Value]) {
    for record in records {
        assert_eq!(record["verdict"], "undetermined", "{what}: {:?}: {record}", told(records));
        let findings = record["findings"].as_array().unwrap();
        let about = |code: &&Value| {
            let code = code.as_str().unwrap();
            code.starts_with("ptr_") || code == "banner_unresolvable" || code == "banner_resolves_elsewhere"
        };
        assert!(!findings.iter().any(|code| about(&code)), "{what}: {record}");
    }
}

fn scan(work: &Path, resolvers: &[&str], timeout: &str, extra: &[&str]) -> (Vec<Value>, Value, Duration) {
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile_in(work).unwrap();
    let mut words = vec!["scan", "--allow-reserved", "--dns-timeout", timeout, "-q", "-o"];
    words.extend([file.path().to_str().unwrap(), "--prefix-rate", "unlimited", "--rate", "unlimited"]);
    for resolver in resolvers {
        words.extend(["--resolver", resolver]);
    }
    words.extend(extra);
    let began = Instant::now();
    let ran: Ran = command(&words).output().unwrap().into();
    assert_eq!(ran.ends(0).err, "");
    let took = began.elapsed();
    let records = assert_lines(&std::fs::read_to_string(file.path()).unwrap());
    let manifest = std::fs::read(format!("{}.manifest.json", file.path().display())).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    (records, manifest["warnings"].clone(), took)
}

fn greet() {
    serve_hosts(&[25], |ip, _| greeting(ip.into()));
}

fn greeting(ip: IpAddr) -> Vec<u8> {
    format!("220 {} ESMTP Postfix\r\n", own_name(ip)).into_bytes()
}

/// The same for hosts of the other family.
fn greet_v6() {
    let route = ["-6", "route", "add", "local", "2001:db8::/32", "dev", "lo"];
    assert!(Command::new("ip").args(route).status().unwrap().success());
    for last in 0..HOSTS {
        let ip = Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(last)).into();
        serve_at(ip, 25, greeting(ip));
    }
}

fn seeds() -> Vec<String> {
    (0..if is_full() { 5 } else { 1 }).map(|seed: u32| seed.to_string()).collect()
}

/// Each behavior once, those that lie about one kind alone in IPv6; all of it five times in a full run.
fn rows(behavior: Behavior) -> Vec<(String, &'static str)> {
    let is_narrow = matches!(
        behavior,
        Behavior::EmptiesPtrInTrueZone | Behavior::DeniesForwardInTrueZone | Behavior::Invents
    );
    let blocks: &[&str] = match is_narrow {
        _ if is_full() => &[BLOCK, BLOCK_V6],
        true => &[BLOCK_V6],
        false => &[BLOCK],
    };
    let both = |seed: String| blocks.iter().map(move |block| (seed.clone(), *block));
    seeds().into_iter().flat_map(both).collect()
}

#[test]
fn a_resolver_that_lies_alone_is_believed_nothing_against_a_host() {
    alone("believed::a_resolver_that_lies_alone_is_believed_nothing_against_a_host", |work| {
        greet();
        greet_v6();
        for (number, behavior) in (10..).zip(LIARS) {
            let at = format!("127.0.0.{number}:53");
            Upstream::of(behavior).serve(&at);
            for (seed, block) in rows(behavior) {
                let (records, warnings, took) = scan(work, &[&at], "1s", &["--seed", &seed, block]);
                println!("{behavior:?} alone, seed {seed}: {:?} in {took:?}, {warnings}", told(&records));
                assert_eq!(u32::try_from(records.len()), Ok(HOSTS));
                assert_unknown(&format!("{behavior:?} alone"), &records);
                let warnings = warnings.to_string();
                assert!(
                    warnings.contains(&at) && warnings.contains("--resolver"),
                    "{behavior:?}: {warnings}"
                );
            }
        }
    });
}

#[test]
fn beside_an_honest_resolver_every_host_is_told_the_truth() {
    alone("believed::beside_an_honest_resolver_every_host_is_told_the_truth", |work| {
        greet();
        let mut number = 10;
        let mut serve = |upstream: Upstream| {
            number += 1;
            let at = format!("127.0.0.{number}:53");
            upstream.serve(&at);
            at
        };
        let more = [Behavior::Flaps, Behavior::SilentForControls];
        let ttls: &[u32] = if is_full() { &[0, 1, 300, 1 << 31] } else { &[0, 1 << 31] };
        for ttl in ttls {
            for behavior in LIARS.into_iter().chain(more) {
                let liar = serve(Upstream { ttl: *ttl, ..Upstream::of(behavior) });
                // The slow ones take seconds each.
                let delays: &[u64] = if is_full() || is_chosen(behavior, *ttl) { &[0, 4] } else { &[0] };
                for &delay in delays {
                    let delay = Duration::from_millis(delay);
                    let honest = serve(Upstream { ttl: *ttl, delay, ..Upstream::of(Behavior::Honest) });
                    for resolvers in [[&*liar, &*honest], [&*honest, &*liar]] {
                        for seed in seeds() {
                            let (records, _, took) = scan(work, &resolvers, "5s", &["--seed", &seed, BLOCK]);
                            let what =
                                format!("{behavior:?} beside honest, ttl {ttl}, {delay:?}, seed {seed}");
                            println!("{what}: {:?} in {took:?}", told(&records));
                            assert_true(&what, &records);
                        }
                    }
                }
            }
        }
    });
}

#[test]
fn honest_resolvers_are_believed_with_and_without_the_internet() {
    alone("believed::honest_resolvers_are_believed_with_and_without_the_internet", |work| {
        greet();
        greet_v6();
        // A block without any PTR name.
        let at = "127.0.0.4:53";
        Upstream::of(Behavior::WithoutPtr).serve(at);
        for block in [BLOCK, BLOCK_V6] {
            let (records, warnings, took) = scan(work, &[at], "1s", &[block]);
            println!("without PTR names, {block}: {:?} in {took:?}", told(&records));
            assert!(records.iter().all(|record| record["verdict"] == "no_ptr"), "{:?}", told(&records));
            assert_eq!(warnings, serde_json::json!([]));
        }
        for (has_internet, at) in [(false, FIRST), (true, SECOND)] {
            for ttl in [0, 300] {
                let at = at.replace(":53", &format!(":{}", 53 + ttl));
                Upstream { ttl, has_internet, ..Upstream::of(Behavior::Honest) }.serve(&at);
                let (records, warnings, took) = scan(work, &[&at], "1s", &[BLOCK]);
                println!("honest, internet {has_internet}, ttl {ttl}: {:?} in {took:?}", told(&records));
                assert_true("honest alone", &records);
                assert_eq!(warnings, serde_json::json!([]));
                let (records, ..) = scan(work, &[&at], "1s", &[BLOCK_V6]);
                assert_true("honest alone, IPv6", &records);
                // One host, and hosts none of which has a PTR name.
                for targets in [&["198.18.0.3"][..], &["198.18.0.3", "198.18.0.7", "198.18.0.11"]] {
                    let (records, _, took) = scan(work, &[&at], "1s", targets);
                    println!("  {targets:?}: {:?} in {took:?}", told(&records));
                    assert_true("without PTR names", &records);
                    assert!(took < Duration::from_secs(4), "within the hold: {took:?}");
                }
            }
        }
    });
}
