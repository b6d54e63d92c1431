//! What speaks against the place that is scanned from, each made in a network of its own: a relay that
//! answers for everybody, a way out that is blocked, an address of our own without a name.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;

use banneret::demo::zone::{Answer, Data, Kind, Zone};
use banneret::name::DnsName;
use serde_json::Value;

use crate::cli::{Ran, run};
use crate::support::hosts::{RESOLVER, serve_hosts, serve_names};
use crate::support::namespace::alone;

/// Hosts of twelve networks and twelve domains: `198.18.N.1` is `mail.kestrelN.net`, both ways.
struct Unrelated;

impl Zone for Unrelated {
    fn find(&self, owner: &DnsName, kind: Option<Kind>) -> Answer {
        for network in 0..12 {
            let ip = Ipv4Addr::new(198, 18, network, 1);
            let name = DnsName::parse(&format!("mail.kestrel{network}.net")).unwrap();
            if kind == Some(Kind::Ptr) && *owner == DnsName::reverse(IpAddr::V4(ip)) {
                return Answer::Records(vec![Data::Ptr(name)]);
            }
            if kind == Some(Kind::A) && *owner == name {
                return Answer::Records(vec![Data::A(ip)]);
            }
        }
        Answer::NxDomain
    }
}

/// Scans the first host of each network; what was said, and the warnings of the manifest.
fn scan(work: &Path, flags: &[&str]) -> (Ran, Value) {
    let targets: Vec<String> = (0..12).map(|network| format!("198.18.{network}.1")).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    let output = work.join("records.jsonl");
    let fixed = [
        "scan",
        "--allow-reserved",
        "--resolver",
        RESOLVER,
        "--seed",
        "1",
        "--retries",
        "0",
        "--progress",
        "never",
    ];
    let outputs = ["--overwrite", "-o", output.to_str().unwrap()];
    let ran = run(&[&fixed, &targets[..], &outputs, flags].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let manifest = std::fs::read(work.join("records.jsonl.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    (ran, manifest["warnings"].clone())
}

fn command(words: &str) {
    let words: Vec<&str> = words.split(' ').collect();
    assert!(Command::new(words[0]).args(&words[1..]).status().unwrap().success(), "{words:?}");
}

#[test]
fn a_relay_that_greets_in_place_of_everybody_is_noticed() {
    alone("vantage::a_relay_that_greets_in_place_of_everybody_is_noticed", |work| {
        serve_hosts(&[25], |_, _| b"220 relay.carrier.net ESMTP ready\r\n".to_vec());
        serve_names(Unrelated);
        let (ran, doubts) = scan(work, &[]);
        let told = "8 unrelated hosts greet as `relay.carrier.net`: something on the way may answer in their place, and the records would tell of it alone";
        assert_eq!(doubts, serde_json::json!([told]));
        assert_eq!(ran.err.matches(told).count(), 1, "one line, when it is noticed: {}", ran.err);
        let (quiet, doubts) = scan(work, &["-q"]);
        assert_eq!((quiet.err.as_str(), &doubts), ("", &serde_json::json!([told])));
    });
}

#[test]
fn hosts_that_greet_for_themselves_raise_no_doubt() {
    alone("vantage::hosts_that_greet_for_themselves_raise_no_doubt", |work| {
        serve_hosts(&[25], |ip, _| format!("220 mail.kestrel{}.net ESMTP\r\n", ip.octets()[2]).into_bytes());
        serve_names(Unrelated);
        let (ran, doubts) = scan(work, &[]);
        assert_eq!(doubts, serde_json::json!([]));
        assert!(!ran.err.contains("doubt"), "{}", ran.err);
    });
}

#[test]
fn a_way_out_that_is_blocked_is_noticed() {
    alone("vantage::a_way_out_that_is_blocked_is_noticed", |work| {
        command("nft add table ip way");
        command("nft add chain ip way out { type filter hook output priority 0 ; }");
        command("nft add rule ip way out tcp dport 25 drop");
        serve_names(Unrelated);
        let (_, doubts) = scan(work, &["--connect-timeout", "200ms"]);
        let told =
            "not one of 12 targets answered: this network may block outbound port 25, as many providers do";
        assert_eq!(doubts, serde_json::json!([told]));
    });
}

#[test]
fn an_address_of_our_own_without_a_name_is_told() {
    /// As good as any that no registry reserves: this network ends with the test.
    const OWN: &str = "44.1.2.3";
    alone("vantage::an_address_of_our_own_without_a_name_is_told", |work| {
        command(&format!("ip addr add {OWN}/32 dev lo"));
        serve_hosts(&[25], |ip, _| format!("220 mail.kestrel{}.net ESMTP\r\n", ip.octets()[2]).into_bytes());
        serve_names(Unrelated);
        let (ran, doubts) = scan(work, &["--source-ip", OWN]);
        let told = "our own address `44.1.2.3` has no PTR record: some servers turn such clients away in their greeting";
        assert_eq!(doubts, serde_json::json!([told]), "{}", ran.err);
        // What stands behind a translation of addresses is not what receivers see.
        let (_, doubts) = scan(work, &["--source-ip", "198.18.200.1"]);
        assert_eq!(doubts, serde_json::json!([]));
    });
}
