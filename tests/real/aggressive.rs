//! A resolver that concludes from signed denials which other names do not exist (RFC 8198): what it denies
//! without asking is as true, and hosts are told the same as through one that asks each time.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::Value;

use super::dns;
use super::internet::{AGGRESSIVE, Internet, RESOLVER};
use super::support::namespace::alone;
use super::support::program::run;

/// Hosts of two signed zones; of the sixteen three have PTR names.
const BLOCKS: [&str; 2] = ["198.18.8.8/29", "198.18.16.8/29"];

/// Every host greets by the name of one that has a PTR name.
fn greet() {
    let listener = TcpListener::bind("0.0.0.0:25").unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let _ = stream.write_all(b"220 mail.s16.example ESMTP Postfix\r\n");
                let _ = stream.read(&mut [0; 64]);
                let _ = stream.write_all(b"221 Bye\r\n");
            });
        }
    });
}

/// The words that each host is told through a resolver.
fn words(resolver: &str, targets: &[&str]) -> BTreeMap<String, [Value; 4]> {
    let dns = ["--resolver", resolver, "--dns-timeout", "5s", "-q"];
    let rate = ["--prefix-rate", "unlimited", "--keep", "all", "--allow-reserved"];
    let ran = run(&[&["scan"], targets, &dns, &rate].concat()).ends(0);
    let word = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        let ip = record["target"]["ip"].as_str().unwrap().to_owned();
        let dns = &record["dns"]["ptr"]["status"];
        (ip, [record["verdict"].clone(), record["severity"].clone(), record["findings"].clone(), dns.clone()])
    };
    ran.out.lines().map(word).collect()
}

#[test]
fn hosts_are_told_the_same_with_and_without_aggressive_use_of_denials() {
    alone("aggressive::hosts_are_told_the_same_with_and_without_aggressive_use_of_denials", |work| {
        let mut internet = Internet::start(work);
        let _aggressive = internet.start_aggressive();
        greet();
        // Twice: the second time out of what it has concluded.
        for _ in 0..2 {
            let [plain, aggressive] = [RESOLVER, AGGRESSIVE].map(|at| words(&format!("{at}:53"), &BLOCKS));
            assert_eq!(plain, aggressive);
            let of = |verdict: &str| plain.values().filter(|words| words[0] == verdict).count();
            println!("{} hosts: {} no_ptr, {} undetermined", plain.len(), of("no_ptr"), of("undetermined"));
            assert_eq!((plain.len(), of("no_ptr")), (16, 13), "{plain:?}");
        }
        // Behind an alias (RFC 2317, DNAME), asked alone: the zone at its end is the one that speaks for the
        // denial.
        for alone in ["198.18.2.12", "198.18.3.12"] {
            let told = words(&format!("{RESOLVER}:53"), &[alone]);
            let [verdict, .., status] = &told[alone];
            println!("{alone} alone: {verdict} {status}");
            assert_eq!(verdict, "no_ptr", "{told:?}");
        }
        // It does conclude: a name that nobody has asked for is denied though the zone's server is gone.
        internet.stop_signer();
        let concluded = dns::try_ask(AGGRESSIVE, "200.16.18.198.in-addr.arpa", dns::TYPE_PTR);
        assert_eq!(concluded.map(|answer| answer.code), Some(dns::NXDOMAIN));
    });
}
