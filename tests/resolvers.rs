//! What is not known is not held against a host: the program asks resolvers that fail in every way there is,
//! and says `undetermined`; the same questions answered for certain bring the verdicts that certainty allows.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "resolvers/believed.rs"]
mod believed;
#[path = "resolvers/contradicting.rs"]
mod contradicting;
#[path = "resolvers/outage.rs"]
mod outage;
mod support;
#[path = "resolvers/upstream.rs"]
mod upstream;
#[path = "resolvers/useless.rs"]
mod useless;
#[path = "resolvers/zone.rs"]
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use banneret::demo::zone::{Answer, Data, Entry, Fault, Held, Kind};
use banneret::name::DnsName;
use serde_json::Value;
use support::hosts::{RESOLVER, serve_hosts, serve_names};
use support::namespace::alone;
use support::program::{Ran, command};
use support::schema::assert_lines;

/// The third octet of the hosts that are known for certain.
const CERTAIN: u8 = 100;
/// How each fault is told.
const FAULTS: [(Fault, &str); 11] = [
    (Fault::ServFail, "servfail"),
    (Fault::Refused, "refused"),
    (Fault::NotImp, "servfail"),
    (Fault::FormErr, "malformed"),
    (Fault::Silence, "timed_out"),
    (Fault::Lame, "malformed"),
    (Fault::AliasLoop, "malformed"),
    (Fault::OtherOwner, "malformed"),
    (Fault::Empty, "malformed"),
    (Fault::PointerLoop, "malformed"),
    (Fault::CutShort, "malformed"),
];
/// Verdicts and findings that only a definite answer allows.
const VERDICTS: [&str; 4] = ["no_ptr", "unconfirmed", "no_name", "mismatch"];
const FINDINGS: [&str; 6] = [
    "ptr_missing",
    "ptr_unconfirmed",
    "ptr_partly_unconfirmed",
    "banner_unresolvable",
    "banner_resolves_elsewhere",
    "banner_differs",
];

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

/// The name that the host at an address gives itself.
fn own_name(ip: Ipv4Addr) -> String {
    let [_, _, third, last] = ip.octets();
    format!("mail.h{third}x{last}.bv")
}

fn greeting(ip: Ipv4Addr) -> Vec<u8> {
    match ip.octets() {
        [.., CERTAIN, 6] => b"220 mail.elsewhere.sj ESMTP Postfix\r\n".to_vec(),
        [.., CERTAIN, last] if last != 5 => format!("220 {} ESMTP Postfix\r\n", own_name(ip)).into_bytes(),
        [.., CERTAIN, _] | [.., 4] => b"220 ESMTP\r\n".to_vec(),
        _ => format!("220 {} ESMTP Postfix\r\n", own_name(ip)).into_bytes(),
    }
}

#[derive(Default)]
struct Zone(Held);

impl Zone {
    fn line(&mut self, owner: DnsName, kind: Kind, answer: Answer) {
        self.0.insert(Entry { owner, kind, answer });
    }

    fn ptr(&mut self, ip: Ipv4Addr, names: &[&str]) {
        let records = names.iter().map(|text| Data::Ptr(name(text))).collect();
        self.line(DnsName::reverse(ip.into()), Kind::Ptr, Answer::Records(records));
    }

    fn address(&mut self, owner: &str, ip: Ipv4Addr) {
        self.line(name(owner), Kind::A, Answer::Records(vec![Data::A(ip)]));
    }

    /// Of each fault four hosts: the PTR lookup meets it; the forward lookup of the only PTR name, which is
    /// the banner's; that of one PTR name while the other leads elsewhere; that of the only PTR name, and the
    /// banner has none.
    fn faults(&mut self) {
        for (third, (fault, _)) in (1..).zip(FAULTS) {
            let host = |last| Ipv4Addr::new(198, 18, third, last);
            self.line(DnsName::reverse(host(1).into()), Kind::Ptr, Answer::Fault(fault));
            self.line(name(&own_name(host(1))), Kind::A, Answer::Fault(fault));
            self.ptr(host(2), &[&own_name(host(2))]);
            self.line(name(&own_name(host(2))), Kind::A, Answer::Fault(fault));
            let (lost, other) = (format!("lost.h{third}.bv"), format!("other.h{third}.bv"));
            self.ptr(host(3), &[&other, &lost]);
            self.address(&other, Ipv4Addr::new(198, 18, 200, 1));
            self.line(name(&lost), Kind::A, Answer::Fault(fault));
            self.line(name(&own_name(host(3))), Kind::A, Answer::Fault(fault));
            self.ptr(host(4), &[&lost]);
        }
    }

    /// The same questions, answered.
    fn certain(&mut self) {
        let host = |last| Ipv4Addr::new(198, 18, CERTAIN, last);
        // 1: nothing at all. 2: the name is there, a PTR is not.
        self.line(DnsName::reverse(host(2).into()), Kind::A, Answer::Records(vec![Data::A(host(2))]));
        self.ptr(host(3), &["gone.bv"]);
        self.ptr(host(4), &["other.bv"]);
        self.address("other.bv", Ipv4Addr::new(198, 18, 200, 1));
        // 8: names lead to addresses that nobody asked to have scanned.
        self.ptr(host(8), &["inner.bv", "own.bv"]);
        self.address("inner.bv", INNER[0]);
        self.address("own.bv", INNER[1]);
        // 9: the root, which some publish for "none".
        self.ptr(host(9), &["."]);
        for last in 5..=7 {
            self.ptr(host(last), &[&own_name(host(last))]);
            self.address(&own_name(host(last)), host(last));
        }
    }
}

/// What the hosts that are known for certain are told to be.
const KNOWN: [(u8, &str, &str); 9] = [
    (1, "nxdomain", "no_ptr"),
    (2, "no_data", "no_ptr"),
    (3, "found", "unconfirmed"),
    (4, "found", "unconfirmed"),
    (5, "found", "no_name"),
    (6, "found", "mismatch"),
    (7, "found", "match"),
    (8, "found", "unconfirmed"),
    (9, "found", "unconfirmed"),
];

/// Where a name may lead, and nobody follows.
const INNER: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 0, 9), Ipv4Addr::new(198, 18, 201, 1)];

fn scan(work: &Path, resolvers: &[&str], targets: &[&str]) -> BTreeMap<Ipv4Addr, Value> {
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile_in(work).unwrap();
    let mut words =
        vec!["scan", "--allow-reserved", "--dns-timeout", "1500ms", "--prefix-rate", "unlimited", "-q"];
    words.extend(["-o", file.path().to_str().unwrap()]);
    for resolver in resolvers {
        words.extend(["--resolver", resolver]);
    }
    words.extend(targets);
    let ran: Ran = command(&words).output().unwrap().into();
    assert_eq!(ran.ends(0).err, "");
    let records = assert_lines(&std::fs::read_to_string(file.path()).unwrap());
    records
        .into_iter()
        .map(|record| (record["target"]["ip"].as_str().unwrap().parse().unwrap(), record))
        .collect()
}

fn told(record: &Value) -> (&str, &str) {
    (record["dns"]["ptr"]["status"].as_str().unwrap(), record["verdict"].as_str().unwrap())
}

fn assert_nothing_held_against(record: &Value) {
    let (_, verdict) = told(record);
    assert!(verdict == "undetermined" && !VERDICTS.contains(&verdict), "{record}");
    let findings = record["findings"].as_array().unwrap();
    let held: Vec<_> = FINDINGS.iter().filter(|code| findings.contains(&Value::from(**code))).collect();
    assert!(held.is_empty(), "{held:?}: {record}");
    assert_ne!(record["dns"]["fcrdns"], "fail", "{record}");
    assert_ne!(record["dns"]["fcrdns"], "permerror", "{record}");
}

#[test]
fn a_failing_lookup_is_never_held_against_a_host_and_a_definite_one_is() {
    alone("a_failing_lookup_is_never_held_against_a_host_and_a_definite_one_is", |work| {
        let met = Arc::new(Mutex::new(BTreeSet::new()));
        let meets = Arc::clone(&met);
        serve_hosts(&[25], move |ip, _| {
            meets.lock().unwrap().insert(ip);
            greeting(ip)
        });
        let mut zone = Zone::default();
        zone.faults();
        zone.certain();
        serve_names(zone.0);
        let targets: Vec<String> = (1..=FAULTS.len()).map(|third| format!("198.18.{third}.1-4")).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).chain(["198.18.100.1-9"]).collect();
        let records = scan(work, &[RESOLVER], &targets);
        assert_eq!(records.len(), 4 * FAULTS.len() + KNOWN.len());
        for (third, (fault, status)) in (1..).zip(FAULTS) {
            let record = |last| &records[&Ipv4Addr::new(198, 18, third, last)];
            assert_eq!(told(record(1)), (status, "undetermined"), "{fault:?}: {}", record(1));
            for last in 2..=4 {
                assert_eq!(told(record(last)), ("found", "undetermined"), "{fault:?}: {}", record(last));
                let names = record(last)["dns"]["ptr"]["names"].as_array().unwrap();
                let met = names.iter().any(|name| name["status"] == status && name["confirms"].is_null());
                assert!(met, "{fault:?}: {}", record(last));
            }
            assert_eq!(record(2)["dns"]["banner_forward"]["status"], status, "{fault:?}");
            (1..=4).for_each(|last| assert_nothing_held_against(record(last)));
        }
        for (last, status, verdict) in KNOWN {
            let record = &records[&Ipv4Addr::new(198, 18, CERTAIN, last)];
            assert_eq!(told(record), (status, verdict), "{record}");
        }
        let findings = &records[&Ipv4Addr::new(198, 18, CERTAIN, 9)]["findings"];
        assert!(findings.as_array().unwrap().contains(&"ptr_malformed".into()), "{findings}");
        assert!(met.lock().unwrap().iter().eq(records.keys()), "nobody else is spoken to: {met:?}");
        // What is undetermined may have findings, and is kept with them.
        let kept = scan(work, &[RESOLVER], &["198.18.1.1-4", "198.18.100.1-9", "--keep", "findings"]);
        let open =
            records.iter().filter(|(ip, record)| ip.octets()[2] == 1 && told(record).1 == "undetermined");
        assert!(open.count() == 4 && (1..=4).all(|last| kept.contains_key(&Ipv4Addr::new(198, 18, 1, last))));
        assert!(!kept.contains_key(&Ipv4Addr::new(198, 18, CERTAIN, 7)), "a match has none");
    });
}

#[test]
fn resolvers_that_cannot_be_reached_hold_nothing_against_anybody() {
    alone("resolvers_that_cannot_be_reached_hold_nothing_against_anybody", |work| {
        serve_hosts(&[25], |ip, _| greeting(ip));
        let mut zone = Zone::default();
        zone.certain();
        serve_names(zone.0);
        // Nobody listens there: one is refused by the kernel.
        let records = scan(work, &["127.0.0.1:54"], &["198.18.100.1-9"]);
        assert_eq!(records.len(), KNOWN.len());
        for record in records.values() {
            assert_eq!(told(record), ("timed_out", "undetermined"), "{record}");
            assert_nothing_held_against(record);
        }
        // Beside a good one it loses nobody anything.
        let records = scan(work, &["127.0.0.1:54", RESOLVER], &["198.18.100.1-9"]);
        for (last, status, verdict) in KNOWN {
            let record = &records[&Ipv4Addr::new(198, 18, CERTAIN, last)];
            assert_eq!(told(record), (status, verdict), "{record}");
        }
    });
}
