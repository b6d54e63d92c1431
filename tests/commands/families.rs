//! A host with addresses of both families: each is set up for itself, so each is checked, scanned and told of for itself.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use banneret::demo::zone::{Answer, Data, Entry, Held};
use banneret::name::DnsName;
use serde_json::Value;

use crate::cli::run;
use crate::support::hosts::{RESOLVER, serve_names};
use crate::support::namespace::{alone, await_some};
use crate::support::schema::assert_lines;

const FOUR: &str = "198.18.1.7";
const SIX: &str = "2001:db8:1::7";
const HOST: &str = "mail.kestrel.example";

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

/// Both addresses have the host's name; only the IPv4 one has a PTR record.
fn zone() -> Held {
    let (four, six): (IpAddr, IpAddr) = (FOUR.parse().unwrap(), SIX.parse().unwrap());
    let (IpAddr::V4(a), IpAddr::V6(aaaa)) = (four, six) else { unreachable!() };
    let mut held = Held::default();
    for (owner, data) in [
        (name(HOST), Data::A(a)),
        (name(HOST), Data::Aaaa(aaaa)),
        (DnsName::reverse(four), Data::Ptr(name(HOST))),
        (name("kestrel.example"), Data::Mx(10, name(HOST))),
    ] {
        held.insert(Entry { owner, kind: data.kind(), answer: Answer::Records(vec![data]) });
    }
    held
}

/// Greets at both addresses until the namespace ends.
fn serve() {
    let address = format!("{SIX}/128");
    let added = Command::new("ip").args(["addr", "add", &address, "dev", "lo", "nodad"]).status().unwrap();
    assert!(added.success());
    for ip in [FOUR, SIX] {
        let listener = TcpListener::bind((ip, 25)).unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let _ = stream.write_all(format!("220 {HOST} ESMTP Postfix\r\n").as_bytes());
                let _ = stream.read(&mut [0; 64]);
                let _ = stream.write_all(b"221 Bye\r\n");
            }
        });
    }
    serve_names(zone());
    // The kernel takes its time with the route to a new address.
    await_some("a way to both", || {
        [FOUR, SIX].iter().all(|ip| TcpStream::connect((*ip, 25)).is_ok()).then_some(())
    });
}

#[test]
fn both_families_of_a_host_stand_side_by_side() {
    alone("families::both_families_of_a_host_stand_side_by_side", |_| {
        serve();
        let check = |flags: &[&str]| {
            run(&[&["check", HOST, "--allow-reserved", "--resolver", RESOLVER], flags].concat()).fine()
        };
        let text = check(&[]);
        for line in [
            "mail.kestrel.example: 2 places\n",
            "    address             verdict  severity  FCrDNS     banner name           PTR name\n",
            "    198.18.1.7:25       match    none      pass       mail.kestrel.example  mail.kestrel.example\n",
            "    [2001:db8:1::7]:25  no_ptr   high      permerror  mail.kestrel.example  -\n",
            "\n2001:db8:1::7 port 25, asked as mail.kestrel.example\n",
            " `mail.kestrel.example. IN AAAA 2001:db8:1::7`\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        // The sound one has nothing to add to its line.
        assert!(!text.contains("198.18.1.7 port 25") && text.lines().count() < 40, "{text}");
        assert!(check(&["-v"]).contains("\n198.18.1.7 port 25, asked as mail.kestrel.example\n"));
        let told: Value = serde_json::from_str(&check(&["--format", "json"])).unwrap();
        let verdicts: Vec<&Value> =
            told["servers"].as_array().unwrap().iter().map(|server| &server["record"]["verdict"]).collect();
        assert_eq!(verdicts, ["match", "no_ptr"]);
    });
}

#[test]
fn a_named_target_of_a_scan_has_a_record_for_each_address() {
    alone("families::a_named_target_of_a_scan_has_a_record_for_each_address", |_| {
        serve();
        for target in [HOST, "mx:kestrel.example"] {
            let words =
                ["scan", target, "--allow-reserved", "-q", "--resolver", RESOLVER, "-p", "25", "--seed", "1"];
            let mut told: Vec<String> = assert_lines(&run(&words).fine())
                .iter()
                .map(|record| {
                    let target = &record["target"];
                    format!("{} {} {}", target["ip"], target["asked"], record["verdict"])
                })
                .collect();
            told.sort();
            let line = |ip: &str, verdict: &str| format!("{ip:?} {target:?} {verdict:?}");
            assert_eq!(told, [line(FOUR, "match"), line(SIX, "no_ptr")], "{target}");
        }
    });
}
