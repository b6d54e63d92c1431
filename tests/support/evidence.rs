//! Evidence of one host as scans meet it: few names, so that they meet again in greeting, EHLO, certificate,
//! reverse and forward DNS, inventory and acceptances, and every finding is reached.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use banneret::evidence::{
    Certificate, Evidence, Forward, Observation, Outcome, PtrName, Resolution, Scanner, Status, Tls,
    TlsStatus,
};
use banneret::judge::Code;
use banneret::judge::accept::{Acceptance, Acceptances, Names};
use banneret::judge::providers::{ProviderKind, Providers};
use banneret::name::{DnsName, HostName};
use banneret::prefix::Prefix;
use banneret::record::{Target, Unjudged};
use banneret::smtp::reply::{self, Reply, Text};
use banneret::targets::Inventory;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// The name and an address of ours.
pub const OURS: (&str, [u8; 4]) = ("scanner.probe.bv", [198, 51, 100, 7]);
/// A domain that only the user knows as a provider's, and one of shared hosts.
pub const FURTHER: [&str; 2] = ["rented.bv", "crowd.bv"];

/// Names of every kind that a rule knows.
const NAMES: [&str; 27] = [
    "mail.kestrel.bv",
    "mail.kestrel.bv",
    "out.kestrel.bv",
    "mx.heron.bv",
    "mx.heron.bv",
    "192-0-2-1.dyn.isp.bv",
    "2001-db8--1.dyn.isp.bv",
    "static.1.2.0.192.clients.your-server.de",
    "mail_1.kestrel.bv",
    "localhost",
    "localhost.localdomain",
    "ex01.corp.local",
    "mail",
    "ubuntu",
    "%WPI_HOSTNAME%",
    "mx.google.com",
    "outlook.com",
    "server1.example.com",
    "vps12345",
    "premium1.web-hosting.com",
    "c1234.rented.bv",
    "box7.crowd.bv",
    "0123456789ab",
    "mail.kestrel.bv.kestrel.bv",
    "host.invalid",
    "2.0.192",
    OURS.0,
];

const GREETINGS: [&str; 14] = [
    "{} ESMTP Postfix",
    "{} ESMTP Postfix",
    "{} ESMTP",
    "{} ESMTP Exim 4.96",
    "{} Microsoft ESMTP MAIL Service ready at Mon, 30 Nov 2026 12:00:00 +0000",
    "{} ESMTP 192si278251wma.146 - gsmtp",
    "SG ESMTP service ready at {}",
    "{} ESMTP Exim 4.96 #1\nWe do not authorize the use of this system to transport unsolicited, {}",
    "[@] ESMTP",
    "@ ESMTP",
    "[198.51.100.7] ESMTP",
    "********************",
    "ESMTP ready",
    "<\u{1b}[31m{}> \\x1b \u{202e}",
];

fn name() -> impl Strategy<Value = &'static str> {
    select(&NAMES[..])
}

fn reply_of(code: u16, text: &str) -> Reply {
    let lines: Text = text.split('\n').collect();
    Reply { code: reply::Code::new(code), text: lines }
}

fn greeting(ip: IpAddr) -> impl Strategy<Value = (Outcome, Reply)> {
    let code = prop_oneof![4 => Just(220u16), 1 => select(&[421u16, 550, 554][..])];
    (code, select(&GREETINGS[..]), name()).prop_map(move |(code, shape, name)| {
        let outcome = if code < 400 { Outcome::Greeted } else { Outcome::Rejected };
        (outcome, reply_of(code, &shape.replace("{}", name).replace('@', &ip.to_string())))
    })
}

/// Where a name leads, and what that says of the host.
fn forward(ip: IpAddr) -> impl Strategy<Value = Forward> {
    let elsewhere: IpAddr =
        if ip.is_ipv4() { [203, 0, 113, 5].into() } else { "2001:db8:5::5".parse().expect("an address") };
    let found =
        |addresses: Vec<IpAddr>| move |()| Forward { status: Status::Found, addresses: addresses.clone() };
    let other = select(&Status::ALL[1..]).prop_map(|status| Forward { status, addresses: Vec::new() });
    prop_oneof![
        4 => Just(()).prop_map(found(vec![ip])),
        2 => Just(()).prop_map(found(vec![elsewhere])),
        1 => Just(()).prop_map(found(vec![elsewhere, ip])),
        3 => other,
    ]
}

fn resolution(ip: IpAddr) -> impl Strategy<Value = Resolution> {
    let ptr = (name(), forward(ip));
    let status = prop_oneof![5 => Just(Status::Found), 2 => select(&Status::ALL[..])];
    (status, vec(ptr, 1..5), forward(ip), 0..3u32).prop_map(|(status, ptrs, banner_forward, more)| {
        let mut names: Vec<PtrName> = Vec::new();
        for (name, forward) in ptrs {
            let name = DnsName::parse(name).expect("a name of DNS");
            if status == Status::Found && names.iter().all(|known| known.name != name) {
                names.push(PtrName { name, forward });
            }
        }
        let ptr_count =
            u32::try_from(names.len()).expect("few") + if names.is_empty() { 0 } else { more / 2 };
        Resolution { ptr: status, ptr_count, names, banner_forward }
    })
}

fn ehlo() -> impl Strategy<Value = Reply> {
    (name(), select(&["", " Hello scanner.probe.bv [198.51.100.7]", " at your service"][..])).prop_map(
        |(name, rest)| {
            reply_of(250, &format!("{name}{rest}\nPIPELINING\nSIZE 35882577\nX-EXPS=LOGIN\nCHUNKING"))
        },
    )
}

fn tls() -> impl Strategy<Value = Box<Tls>> {
    (vec(name(), 0..3), option::of(ehlo())).prop_map(|(names, ehlo)| {
        let names: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        let certificate = Certificate {
            count: u32::try_from(names.len()).expect("few"),
            names,
            not_before: None,
            not_after: None,
            sha256: [7; 32],
            error: None,
        };
        Box::new(Tls { certificate: Some(certificate), ehlo, ..Tls::bare(TlsStatus::Established) })
    })
}

fn scanner() -> impl Strategy<Value = Scanner> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(named, placed, behind)| Scanner {
        name: HostName::parse(OURS.0).ok().filter(|_| named),
        ip: placed.then(|| OURS.1.into()),
        own_addresses: behind.then(|| IpAddr::from(OURS.1)).into_iter().collect(),
        ..Scanner::default()
    })
}

fn inventory() -> impl Strategy<Value = Option<Arc<Inventory>>> {
    let tenancy = option::of(select(&["shared", "Dedicated", "unknown", ""][..]));
    (option::weighted(0.3, name()), option::weighted(0.3, name()), tenancy).prop_map(
        |(expected, helo, tenancy)| {
            let mut tags: Vec<(Arc<str>, String)> = vec![("customer".into(), "C-17".to_owned())];
            tags.extend(tenancy.map(|word| ("tenancy".into(), word.to_owned())));
            let own = |name: &'static str| HostName::parse(name).ok().map(|name| name.to_string());
            let inventory =
                Inventory { expected_name: expected.and_then(own), helo_name: helo.map(str::to_owned), tags };
            Some(Arc::new(inventory)).filter(|said| said.tags.len() > 1 || said.expected_name.is_some())
        },
    )
}

/// One host as a scan has seen it, DNS asked.
pub fn seen() -> impl Strategy<Value = Unjudged> {
    let ip = select(&["192.0.2.1", "2001:db8::1"][..]).prop_map(|ip| ip.parse::<IpAddr>().expect("one"));
    ip.prop_flat_map(|ip| {
        let said = (greeting(ip), option::of(ehlo()), option::weighted(0.4, tls()));
        let samples = prop_oneof![2 => Just(Vec::new()), 1 => vec(option::of(name()), 2..4)];
        let around = (option::weighted(0.9, resolution(ip)), option::weighted(0.8, scanner()), inventory());
        (Just(ip), said, samples, around).prop_map(
            |(ip, ((outcome, greeting), ehlo, tls), samples, (resolution, scanner, inventory))| {
                let observation = Observation {
                    greeting: Some(greeting),
                    ehlo,
                    tls,
                    samples: samples.into_iter().map(|name| name.map(Box::from)).collect(),
                    connect: Some(Duration::from_millis(3)),
                    banner: Some(Duration::from_millis(7)),
                    ..Observation::bare(outcome, 1)
                };
                Unjudged {
                    time: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
                    target: Target {
                        ip: Some(ip),
                        port: 25,
                        asked: "192.0.2.0/24".into(),
                        inventory,
                        unresolved: None,
                    },
                    evidence: Evidence {
                        ip: Some(ip),
                        observation,
                        resolution,
                        scanner: scanner.map(Arc::new),
                    },
                    network: None,
                    foreign: banneret::record::Foreign::default(),
                }
            },
        )
    })
}

/// What a user may accept.
pub fn acceptances() -> impl Strategy<Value = Acceptances> {
    let narrowed = (any::<bool>(), option::weighted(0.4, name()), any::<bool>());
    let one = (select(&Code::ALL[..]), narrowed).prop_map(|(code, (network, name, tagged))| Acceptance {
        code,
        network: Prefix::parse("192.0.2.0/24").ok().filter(|_| network),
        names: name.map(Names::parse),
        tags: if tagged { vec![("customer".to_owned(), "C-17".to_owned())] } else { Vec::new() },
        reason: "a fix is under way".into(),
        until: "2036-12-31".into(),
        ends: UNIX_EPOCH + Duration::from_secs(2_114_380_800),
    });
    vec(one, 0..5).prop_map(Acceptances::new)
}

/// Domains that a user may know.
pub fn providers() -> impl Strategy<Value = Providers> {
    (any::<bool>(), any::<bool>()).prop_map(|(rented, crowd)| {
        let mut providers = Providers::default();
        let kinds = [ProviderKind::Network, ProviderKind::SharedHosting];
        for ((domain, kind), known) in FURTHER.into_iter().zip(kinds).zip([rented, crowd]) {
            if known {
                providers.add(&HostName::parse(domain).expect("a domain"), kind);
            }
        }
        providers
    })
}
