//! `banneret check --verify`, in a network of its own: a resolver that keeps old answers, the servers of the
//! zones, and mail servers.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, SystemTime};

use banneret::demo::zone::cut;
use banneret::name::DnsName;
use banneret::record::time;
use serde_json::Value;

use crate::cli::{Ran, run};
use crate::support::namespace::alone;

const RESOLVER: [u8; 4] = [198, 18, 0, 53];
const FIRST: [u8; 4] = [198, 18, 0, 61];
const SECOND: [u8; 4] = [198, 18, 0, 62];

/// Who is asked, which name, which type, and what is answered: the time to live, and the data; none for
/// NXDOMAIN.
type Line = ([u8; 4], &'static str, u16, u32, &'static [&'static str]);

const A: u16 = 1;
const NS: u16 = 2;
const SOA: u16 = 6;
const PTR: u16 = 12;

#[rustfmt::skip]
const ZONES: &[Line] = &[
    // Fixed, and the resolver still keeps that there was nothing.
    (RESOLVER, "10.1.18.198.in-addr.arpa", PTR, 600, &[]),
    (FIRST, "10.1.18.198.in-addr.arpa", PTR, 3600, &["mail.example.org"]),
    (SECOND, "10.1.18.198.in-addr.arpa", PTR, 3600, &["mail.example.org"]),
    (RESOLVER, "mail.example.org", A, 300, &["198.18.1.10", "198.18.1.11"]),
    (FIRST, "mail.example.org", A, 300, &["198.18.1.11", "198.18.1.10"]),
    (SECOND, "mail.example.org", A, 300, &["198.18.1.10", "198.18.1.11"]),
    // Nothing was changed.
    (RESOLVER, "11.1.18.198.in-addr.arpa", PTR, 60, &["old.example.org"]),
    (FIRST, "11.1.18.198.in-addr.arpa", PTR, 60, &["old.example.org"]),
    (SECOND, "11.1.18.198.in-addr.arpa", PTR, 60, &["old.example.org"]),
    (RESOLVER, "old.example.org", A, 60, &["198.18.1.11"]),
    (FIRST, "old.example.org", A, 60, &["198.18.1.11"]),
    (SECOND, "old.example.org", A, 60, &["198.18.1.11"]),
    // One server of the zone has not taken over the change.
    (RESOLVER, "12.1.18.198.in-addr.arpa", PTR, 60, &[]),
    (FIRST, "12.1.18.198.in-addr.arpa", PTR, 60, &["mail.example.org"]),
    (SECOND, "12.1.18.198.in-addr.arpa", PTR, 60, &[]),
    // The new name leads nowhere.
    (RESOLVER, "13.1.18.198.in-addr.arpa", PTR, 600, &[]),
    (FIRST, "13.1.18.198.in-addr.arpa", PTR, 60, &["lost.example.org"]),
    (SECOND, "13.1.18.198.in-addr.arpa", PTR, 60, &["lost.example.org"]),
    // The first server has the root, too, and names the servers of the zones.
    (RESOLVER, ".", NS, 60, &["ns1.example.net"]),
    (FIRST, "1.18.198.in-addr.arpa", NS, 60, &["ns1.example.net", "ns2.example.net"]),
    (FIRST, "example.org", NS, 60, &["ns1.example.net", "ns2.example.net"]),
    (FIRST, "ns1.example.net", A, 60, &["198.18.0.61"]),
    (FIRST, "ns2.example.net", A, 60, &["198.18.0.62"]),
    (RESOLVER, "1.18.198.in-addr.arpa", NS, 60, &["ns1.example.net", "ns2.example.net"]),
    (RESOLVER, "example.org", NS, 60, &["ns1.example.net", "ns2.example.net"]),
    (RESOLVER, "ns1.example.net", A, 60, &["198.18.0.61"]),
    (RESOLVER, "ns2.example.net", A, 60, &["198.18.0.62"]),
];

fn wire(name: &str) -> Vec<u8> {
    DnsName::parse(name).unwrap().as_wire().to_vec()
}

/// The reply of one server to a query of one question; what stands in no line does not exist for a minute.
fn reply(server: [u8; 4], query: &[u8]) -> Option<Vec<u8>> {
    let name_end = 12 + query.get(12..)?.iter().position(|&byte| byte == 0)? + 1;
    let question = query.get(12..name_end + 4)?;
    let kind = u16::from_be_bytes([question[question.len() - 4], question[question.len() - 3]]);
    let name = question[..question.len() - 4].to_ascii_lowercase();
    let line = ZONES.iter().find(|(at, owner, of, ..)| *at == server && *of == kind && wire(owner) == name);
    let (ttl, data) = line.map_or((60, &[][..]), |(.., ttl, data)| (*ttl, *data));
    let soa =
        [wire("ns1.example.net"), wire("hostmaster.example.net"), vec![0; 16], ttl.to_be_bytes().to_vec()];
    let zone = cut(&DnsName::from_wire(&name)?);
    let is_apex = kind == SOA && zone.as_wire() == name;
    let records: Vec<(u16, Vec<u8>)> = match kind {
        _ if data.is_empty() => vec![(SOA, soa.concat())],
        A => data.iter().map(|ip| (A, ip.parse::<Ipv4Addr>().unwrap().octets().to_vec())).collect(),
        _ => data.iter().map(|name| (kind, wire(name))).collect(),
    };
    let (answers, authorities, rcode) = if is_apex {
        (1, 0, 0)
    } else if data.is_empty() {
        (0, 1, 3)
    } else {
        (u8::try_from(records.len()).unwrap(), 0, 0)
    };
    let mut reply = vec![query[0], query[1], 0x85, 0x80 | rcode, 0, 1, 0, answers, 0, authorities, 0, 0];
    reply.extend_from_slice(question);
    for (kind, data) in records {
        let length = u16::try_from(data.len()).unwrap();
        // An SOA stands at the zone.
        let owner = if kind == SOA { zone.as_wire() } else { &[0xc0, 12] };
        reply.extend(
            [owner, &kind.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &length.to_be_bytes(), &data].concat(),
        );
    }
    Some(reply)
}

/// Answers until the namespace ends.
fn serve_names(server: [u8; 4]) {
    let socket = UdpSocket::bind(SocketAddr::new(IpAddr::from(server), 53)).unwrap();
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query) {
            if let Some(reply) = reply(server, &query[..length]) {
                socket.send_to(&reply, from).unwrap();
            }
        }
    });
}

/// Greets until the namespace ends.
fn serve_mail(ip: [u8; 4], greeting: &'static str) {
    let listener = TcpListener::bind(SocketAddr::new(IpAddr::from(ip), 25)).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.write_all(greeting.as_bytes());
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"221 Bye\r\n");
        }
    });
}

fn check(target: &str, flags: &[&str]) -> Ran {
    let words =
        ["check", target, "--allow-reserved", "--resolver", "198.18.0.53", "--dns-timeout", "2s", "--verify"];
    run(&[&words, flags].concat())
}

fn verified(target: &str) -> Value {
    let told: Value = serde_json::from_str(&check(target, &["--format", "json"]).fine()).unwrap();
    told["servers"][0]["verify"].clone()
}

#[test]
fn a_fix_that_does_not_show_is_told_apart_from_none() {
    alone("verify::a_fix_that_does_not_show_is_told_apart_from_none", |_| {
        [RESOLVER, FIRST, SECOND].into_iter().for_each(serve_names);
        serve_mail([198, 18, 1, 10], "220 mail.example.org ESMTP Postfix\r\n");
        serve_mail([198, 18, 1, 11], "220 old.example.org ESMTP Exim 4.98\r\n");
        serve_mail([198, 18, 1, 12], "220 mail.example.org ESMTP Postfix\r\n");

        let began = SystemTime::now();
        let fixed = verified("198.18.1.10");
        let ended = SystemTime::now();
        assert_eq!(fixed["outlook"], "fixed_pending_cache", "{fixed:#}");
        let clean = time::parse(fixed["clean"].as_str().unwrap()).unwrap();
        let ttl = Duration::from_secs(600);
        // Records say milliseconds.
        assert!(clean + Duration::from_millis(1) >= began + ttl && clean <= ended + ttl, "{fixed:#}");
        let ptr = &fixed["questions"][0];
        assert_eq!(
            (&ptr["type"], &ptr["standing"], &ptr["ttl"]),
            (&"PTR".into(), &"pending_cache".into(), &600.into())
        );
        assert_eq!(ptr["cached"]["status"], "nxdomain");
        let servers: Vec<&Value> =
            ptr["servers"].as_array().unwrap().iter().map(|said| &said["name"]).collect();
        assert_eq!(servers, ["ns1.example.net", "ns2.example.net"]);
        assert_eq!(ptr["servers"][1]["answer"]["found"][0], "mail.example.org");
        let forward = &fixed["questions"][1];
        assert_eq!(
            (&forward["type"], &forward["standing"]),
            (&"A".into(), &"same".into()),
            "order does not matter"
        );
        let doors: Vec<(String, &Value)> = fixed["doors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|door| {
                (format!("{}:{} {}", door["ip"], door["port"], door["outcome"]), &door["banner_name"])
            })
            .collect();
        assert_eq!(
            doors,
            [
                (r#""198.18.1.10":25 "greeted""#.to_owned(), &"mail.example.org".into()),
                (r#""198.18.1.10":465 "refused""#.to_owned(), &Value::Null),
                (r#""198.18.1.10":587 "refused""#.to_owned(), &Value::Null),
                (r#""198.18.1.11":25 "greeted""#.to_owned(), &"old.example.org".into()),
                (r#""198.18.1.11":465 "refused""#.to_owned(), &Value::Null),
                (r#""198.18.1.11":587 "refused""#.to_owned(), &Value::Null),
            ]
        );

        let text = check("198.18.1.10", &[]).fine().split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "verify: fixed_pending_cache",
            "fixed: the fix is published, and the resolver keeps the old answer for 10m more; this resolver shows it from 2",
            "others up to 10m after the change, by 2",
            "10.1.18.198.in-addr.arpa: another answer is published",
            "resolver: nxdomain, for 10m more",
            "ns1.example.net (198.18.0.61): mail.example.org",
            "what greets at the addresses of mail.example.org",
            "198.18.1.10 (PTR nxdomain): 25 greeted as mail.example.org (match, info), 465",
            "mail.example.org: 198.18.1.10, 198.18.1.11, the same everywhere",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert_eq!(verified("198.18.1.11")["outlook"], "current");
        let divided = verified("198.18.1.12");
        assert_eq!(
            (&divided["outlook"], &divided["clean"]),
            (&"divided".into(), &Value::Null),
            "{divided:#}"
        );
        let ran = check("198.18.1.10", &["--nagios"]);
        assert_eq!(ran.code, 2);
        assert!(ran.out.contains(", fixed_pending_cache until "), "{ran:?}");
    });
}

#[test]
fn what_is_published_is_judged_with_what_is_accepted() {
    alone("verify::what_is_published_is_judged_with_what_is_accepted", |_| {
        [RESOLVER, FIRST, SECOND].into_iter().for_each(serve_names);
        serve_mail([198, 18, 1, 13], "220 mail.example.org ESMTP Postfix\r\n");
        let directory = tempfile::tempdir().unwrap();
        let accepted = directory.path().join("accepted.toml");
        let entry = "[[accept]]\ncode = \"ptr_unconfirmed\"\nreason = \"known\"\nuntil = 2999-12-31\n";
        std::fs::write(&accepted, entry).unwrap();
        let outlook = |flags: &[&str]| {
            let told = check("198.18.1.13", &[&["--format", "json"], flags].concat()).fine();
            let told: Value = serde_json::from_str(&told).unwrap();
            told["servers"][0]["verify"]["outlook"].clone()
        };
        assert_eq!(outlook(&[]), "changed_pending_cache");
        assert_eq!(outlook(&["--accept", accepted.to_str().unwrap()]), "fixed_pending_cache");
    });
}

#[test]
fn where_no_name_server_is_heard_none_of_them_is_blamed() {
    alone("verify::where_no_name_server_is_heard_none_of_them_is_blamed", |_| {
        serve_names(RESOLVER);
        serve_mail([198, 18, 1, 11], "220 old.example.org ESMTP Exim 4.98\r\n");
        let ran = check("198.18.1.11", &["--verify-timeout", "8s"]);
        let begun = "banneret: checking 198.18.1.11, then asking the zones' own servers; 8s at most";
        assert!(ran.err.starts_with(begun), "{ran:?}");
        let flat = ran.fine().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("verify: unknown"), "{flat}");
        assert!(flat.contains("no name server of any zone was heard from this machine"), "{flat}");
        assert!(!flat.contains("is delegated to"), "{flat}");
    });
}

#[test]
fn a_plugin_that_verifies_says_one_line_and_nothing_beside_it() {
    alone("verify::a_plugin_that_verifies_says_one_line_and_nothing_beside_it", |_| {
        [RESOLVER, FIRST, SECOND].into_iter().for_each(serve_names);
        serve_mail([198, 18, 1, 11], "220 old.example.org ESMTP Exim 4.98\r\n");
        let ran = check("198.18.1.11", &["--nagios"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        assert!(ran.out.contains(", current"), "{ran:?}");
    });
}
