//! A resolver that stands inside a network, whose names lead to private addresses: the scan says so.

use std::net::{IpAddr, Ipv4Addr};

use banneret::demo::zone::{Answer, Data, Entry, Held, Kind};
use banneret::name::DnsName;
use serde_json::Value;

use crate::support::hosts::{serve_at, serve_names};
use crate::support::namespace::alone;
use crate::support::program::run;

#[test]
fn a_scan_with_a_resolver_inside_a_network_warns_on_stderr_and_in_its_manifest() {
    alone("inside::a_scan_with_a_resolver_inside_a_network_warns_on_stderr_and_in_its_manifest", |work| {
        let mut zone = Held::default();
        for number in 1..=4 {
            let ip: IpAddr = Ipv4Addr::new(198, 18, 9, number).into();
            let name = DnsName::parse(&format!("mail{number}.kestrel.bv")).unwrap();
            let ptr = Answer::Records(vec![Data::Ptr(name.clone())]);
            zone.insert(Entry { owner: DnsName::reverse(ip), kind: Kind::Ptr, answer: ptr });
            let leads = Ipv4Addr::new(10, 0, 0, number);
            zone.insert(Entry { owner: name, kind: Kind::A, answer: Answer::Records(vec![Data::A(leads)]) });
            serve_at(ip, 25, format!("220 mail{number}.kestrel.bv ESMTP\r\n").into_bytes());
        }
        serve_names(zone);
        let out = work.join("a.jsonl");
        let out = out.to_str().unwrap();
        let words = ["scan", "--allow-reserved", "198.18.9.0/29", "--resolver", "127.0.0.1", "-o", out];
        let ran = run(&[&words[..], &["--progress", "never", "--prefix-rate", "unlimited"]].concat()).ends(0);
        let told = "4 of 4 judged hosts have names that lead to private addresses only";
        assert!(ran.err.contains(&format!("banneret: {told}")), "{ran:?}");
        let manifest = std::fs::read_to_string(format!("{out}.manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let warnings = manifest["warnings"].as_array().unwrap();
        assert!(warnings.iter().any(|it| it.as_str().unwrap().starts_with(told)), "{warnings:?}");
    });
}
