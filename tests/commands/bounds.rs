//! DNS does not decide how many hosts are spoken to: of a name with many addresses the lowest are, of a mail
//! domain the most preferred exchangers, in `scan` and `check` alike, and what is left out is told.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use banneret::demo::zone::{Answer, Data, Entry, Held, Kind};
use banneret::name::DnsName;
use serde_json::Value;

use crate::support::hosts::{RESOLVER, serve_hosts, serve_names};
use crate::support::namespace::alone;
use crate::support::program::run;

/// Addresses of the wide name, and of each exchanger.
const WIDE: u32 = 1000;
const EXCHANGERS: u32 = 20;
const EACH: u32 = 40;

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

fn wide(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 8, 0)) + number)
}

fn of_exchanger(exchanger: u32, number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 19, 0, 0)) + exchanger * 256 + number)
}

fn zone() -> Held {
    let mut held = Held::default();
    let mut line = |owner: &str, kind: Kind, records: Vec<Data>| {
        held.insert(Entry { owner: name(owner), kind, answer: Answer::Records(records) });
    };
    line("wide.example", Kind::A, (0..WIDE).rev().map(|number| Data::A(wide(number))).collect());
    // The last ones are preferred; of the same preference the name decides.
    let exchanger = |number: u32| format!("mx{number:02}.many.example");
    let preference = |number: u32| if number < 10 { 20 } else { 10 };
    let all = (0..EXCHANGERS).map(|number| Data::Mx(preference(number), name(&exchanger(number))));
    line("many.example", Kind::Mx, all.collect());
    for number in 0..EXCHANGERS {
        let addresses = (0..EACH).rev().map(|last| Data::A(of_exchanger(number, last)));
        line(&exchanger(number), Kind::A, addresses.collect());
    }
    held
}

fn scan(work: &Path, words: &[&str]) -> (String, Value) {
    let folder = tempfile::tempdir_in(work).unwrap();
    let output = folder.path().join("scan.jsonl");
    let fixed = ["scan", "--allow-reserved", "--resolver", RESOLVER, "-o", output.to_str().unwrap()];
    let fast = ["--prefix-rate", "unlimited", "--progress", "never"];
    let ran = run(&[&fixed[..], &fast, words].concat()).ends(0);
    let manifest = fs::read(folder.path().join("scan.jsonl.manifest.json")).unwrap();
    (ran.err, serde_json::from_slice::<Value>(&manifest).unwrap()["warnings"].clone())
}

#[test]
fn many_addresses_bring_few_conversations_in_scan_and_check() {
    alone("bounds::many_addresses_bring_few_conversations_in_scan_and_check", |work| {
        let met = Arc::new(Mutex::new(Vec::new()));
        let meets = Arc::clone(&met);
        serve_hosts(&[25], move |ip, _| {
            meets.lock().unwrap().push(ip);
            b"220 mail.example.org ESMTP\r\n".to_vec()
        });
        serve_names(zone());
        let spoken_to = || {
            let all = std::mem::take(&mut *met.lock().unwrap());
            let each: BTreeSet<Ipv4Addr> = all.iter().copied().collect();
            assert_eq!(each.len(), all.len(), "nobody twice");
            each
        };
        let lowest: BTreeSet<Ipv4Addr> = (0..32).map(wide).collect();
        // 10 to 19 are preferred, then 0 to 5 come by name.
        let preferred: BTreeSet<Ipv4Addr> =
            (10..20).chain(0..6).flat_map(|mx| (0..32).map(move |last| of_exchanger(mx, last))).collect();
        for (target, wanted, told) in [
            ("wide.example", &lowest, "968 addresses and 0 mail exchangers are left out"),
            ("mx:many.example", &preferred, "128 addresses and 4 mail exchangers are left out"),
        ] {
            let (err, warnings) = scan(work, &[target, "--max-targets", "1"]);
            assert_eq!(spoken_to(), *wanted, "{target}");
            assert_eq!(err.matches(told).count(), 1, "{err}");
            let lines = warnings.as_array().unwrap().iter().filter_map(Value::as_str);
            assert_eq!(lines.filter(|line| line.contains(told)).count(), 1, "{warnings}");
            let ran = run(&["check", "--allow-reserved", "--resolver", RESOLVER, target]).ends(0);
            assert_eq!(spoken_to(), *wanted, "check {target}");
            assert_eq!(ran.err.matches(told).count(), 1, "{}", ran.err);
        }
        let (err, _) = scan(work, &["mx00.many.example", "wide.example", "-q"]);
        assert_eq!((err.as_str(), spoken_to().len()), ("", 64));
    });
}
