//! Records of every shape that a scan can give, as proptest strategies.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use banneret::evidence::{
    Certificate, Engine, Evidence, Forward, Observation, Outcome, PtrName, Resolution, Scanner, Status, Tls,
    TlsStatus, X509Error,
};
use banneret::judge::accept::Accepted;
use banneret::judge::remedy::Change;
use banneret::judge::what_if::{Remedies, Remedy};
use banneret::judge::{
    Code, Fcrdns, Finding, Judgement, Platform, Relation, Severity, Tenancy, Verdict, platform,
};
use banneret::name::{DnsName, HostName};
use banneret::record::{AddressFamily, Network, Record, Target, Unresolved};
use banneret::smtp::reply::{self, Reply, Text};
use banneret::targets::Inventory;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Selector, select, subsequence};

/// Any record: every outcome, hostile bytes in every place that a stranger fills.
pub fn any_record() -> impl Strategy<Value = Record> {
    let seen = (observation(), resolution(), option::of(scanner().prop_map(Arc::new)));
    (time(), target(), seen, judgement(), option::of(network())).prop_map(
        |(time, target, (observation, resolution, scanner), judgement, network)| {
            let judged = observation.outcome.is_judged();
            Record {
                time,
                evidence: Evidence {
                    ip: target.ip,
                    observation,
                    resolution: if judged { resolution } else { None },
                    scanner,
                },
                target,
                judgement: if judged { judgement } else { unjudged(judgement) },
                network,
                foreign: banneret::record::Foreign::default(),
            }
        },
    )
}

/// A record of a healthy server, for benches and tables.
pub fn healthy_record() -> Record {
    let name = DnsName::parse("mail.example.org").expect("a name");
    let ip = IpAddr::from([192, 0, 2, 1]);
    let forward = Forward { status: Status::Found, addresses: vec![ip] };
    Record {
        time: UNIX_EPOCH + Duration::from_millis(1_767_323_045_678),
        target: Target {
            ip: Some(ip),
            port: 25,
            asked: "192.0.2.0/24".into(),
            inventory: Some(Arc::new(Inventory {
                tags: vec![(Arc::from("customer"), "C-17".to_owned())],
                ..Inventory::default()
            })),
            unresolved: None,
        },
        evidence: Evidence {
            ip: Some(ip),
            observation: Observation {
                greeting: Some(Reply {
                    code: reply::Code::new(220),
                    text: Text::from_iter(["mail.example.org ESMTP Postfix"]),
                }),
                connect: Some(Duration::from_micros(12_300)),
                banner: Some(Duration::from_micros(45_600)),
                ..Observation::bare(Outcome::Greeted, 1)
            },
            resolution: Some(Resolution {
                ptr: Status::Found,
                ptr_count: 1,
                names: vec![PtrName { name, forward: forward.clone() }],
                banner_forward: forward,
            }),
            scanner: Some(Arc::new(Scanner {
                name: HostName::parse("scanner.example.net").ok(),
                ip: Some(IpAddr::from([198, 51, 100, 7])),
                ..Scanner::default()
            })),
        },
        judgement: Judgement {
            banner_name: Some("mail.example.org".to_owned()),
            ehlo_name: None,
            fcrdns: Some(Fcrdns::Pass),
            relation: Some(Relation::Exact),
            verdict: Some(Verdict::Match),
            severity: Some(Severity::None),
            findings: Vec::new(),
            platform: Some(Platform { name: "postfix", version: None }),
            tenancy: Tenancy::Unknown,
            accepted: Vec::new(),
            clears_by: None,
            fix: Vec::new(),
        },
        network: Some(Network { asn: 64500, name: Some(Arc::from("EXAMPLE")) }),
        foreign: banneret::record::Foreign::default(),
    }
}

fn unjudged(judgement: Judgement) -> Judgement {
    Judgement {
        fcrdns: None,
        relation: None,
        verdict: None,
        severity: None,
        findings: Vec::new(),
        accepted: Vec::new(),
        clears_by: None,
        fix: Vec::new(),
        ..judgement
    }
}

fn time() -> impl Strategy<Value = SystemTime> {
    (0..253_402_300_800_000u64).prop_map(|millis| UNIX_EPOCH + Duration::from_millis(millis))
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        any::<u32>().prop_map(|low| IpAddr::from((0x2001_0db8_u128 << 96 | u128::from(low)).to_be_bytes())),
    ]
}

/// Texts that hurt: quotes, separators, formulas, escapes, controls, markup, and ordinary ones.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.-]{0,20}",
        any::<String>(),
        "['=+@\t\r\n\";,\\\\<>&\u{1b}\u{9b}\u{202e}x -]{0,12}",
        Just("</style><script>alert(1)</script>".to_owned()),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    let of_name = (option::of(select(&AddressFamily::ALL)), select(&Status::ALL));
    let unresolved = option::of(of_name.prop_map(|(family, status)| Unresolved { family, status }));
    (option::weighted(0.9, ip()), any::<u16>(), text(), option::of(inventory()), unresolved).prop_map(
        |(ip, port, asked, inventory, unresolved)| Target {
            ip,
            port,
            asked: asked.into(),
            inventory: inventory.map(Arc::new),
            unresolved,
        },
    )
}

fn inventory() -> impl Strategy<Value = Inventory> {
    (option::of(text()), option::of(text()), btree_map(text(), text(), 0..4)).prop_map(
        |(expected_name, helo_name, tags)| Inventory {
            expected_name,
            helo_name,
            tags: tags.into_iter().map(|(name, value)| (Arc::from(name), value)).collect(),
        },
    )
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-zA-Z0-9 .-]{0,40}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..60),
        text().prop_map(String::into_bytes),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    (option::of(0..1000u16), vec(line(), 0..5)).prop_map(|(code, lines)| Reply {
        code: code.and_then(reply::Code::new),
        text: lines.iter().collect(),
    })
}

fn duration() -> impl Strategy<Value = Option<Duration>> {
    option::of((0..90_000_000_000u64).prop_map(Duration::from_nanos))
}

fn observation() -> impl Strategy<Value = Observation> {
    let outcome = prop_oneof![select(&Outcome::ALL[..2]), select(&Outcome::ALL[..])];
    let samples = vec(option::of(text().prop_map(Box::from)), 0..4);
    let figures = (any::<bool>(), any::<u8>(), duration(), duration());
    (outcome, option::of(reply()), option::of(reply()), option::of(tls()), samples, figures).prop_map(
        |(outcome, greeting, ehlo, tls, samples, (truncated, attempts, connect, banner))| Observation {
            outcome,
            greeting,
            ehlo,
            tls: tls.map(Box::new),
            samples,
            truncated,
            resent: false,
            attempts,
            connect,
            banner,
        },
    )
}

fn tls() -> impl Strategy<Value = Tls> {
    let status = (select(&TlsStatus::WORDS[..]), any::<u8>())
        .prop_map(|(word, alert)| TlsStatus::parse(word, Some(alert)).expect("a word of the list"));
    let told = (option::of(text()), option::of(text()), option::of(0..1000u16), option::of(any::<u8>()));
    (status, told, option::of(certificate()), option::of(reply()), any::<bool>(), vec(any::<u8>(), 0..40))
        .prop_map(|(status, (version, cipher, code, late_alert), certificate, ehlo, injected, plaintext)| {
            Tls {
                status,
                late_alert: late_alert.filter(|_| status.alert().is_none()),
                code: code.and_then(reply::Code::new),
                version: version.map(Box::from),
                cipher: cipher.map(Box::from),
                certificate,
                ehlo,
                injected,
                plaintext,
            }
        })
}

fn certificate() -> impl Strategy<Value = Certificate> {
    let validity = || option::of((0..253_402_300_800u64).prop_map(|at| UNIX_EPOCH + Duration::from_secs(at)));
    let error = option::of(select(&[X509Error::Malformed, X509Error::Names][..]));
    (
        vec("[ -~]{0,30}".prop_map(Box::from), 0..5),
        any::<u32>(),
        validity(),
        validity(),
        any::<[u8; 32]>(),
        error,
    )
        .prop_map(|(names, count, not_before, not_after, sha256, error)| Certificate {
            names,
            count,
            not_before,
            not_after,
            sha256,
            error,
        })
}

fn forward() -> impl Strategy<Value = Forward> {
    (select(&Status::ALL[..]), vec(ip(), 0..4)).prop_map(|(status, addresses)| Forward { status, addresses })
}

fn dns_name() -> impl Strategy<Value = DnsName> {
    let label = prop_oneof!["[a-z0-9-]{1,20}".prop_map(String::into_bytes), vec(any::<u8>(), 1..63),];
    vec(label, 0..4).prop_map(|labels| {
        let mut wire = Vec::new();
        for label in &labels {
            wire.push(u8::try_from(label.len()).expect("63 at most"));
            wire.extend(label);
        }
        wire.push(0);
        DnsName::from_wire(&wire).unwrap_or_else(DnsName::root)
    })
}

fn resolution() -> impl Strategy<Value = Option<Resolution>> {
    let ptr = (dns_name(), forward()).prop_map(|(name, forward)| PtrName { name, forward });
    let resolution = (select(&Status::ALL[..]), any::<u32>(), vec(ptr, 0..4), forward()).prop_map(
        |(ptr, ptr_count, names, banner_forward)| Resolution { ptr, ptr_count, names, banner_forward },
    );
    option::weighted(0.9, resolution)
}

fn scanner() -> impl Strategy<Value = Scanner> {
    let name = option::of(select(&["scanner.example.net", "mail.example.org", "localhost"][..]));
    (name, option::of(ip()), select(&Engine::ALL[..]), vec(ip(), 0..3)).prop_map(
        |(name, ip, engine, own_addresses)| Scanner {
            name: name.and_then(|name| HostName::parse(name).ok()),
            ip,
            engine,
            own_addresses: own_addresses.into(),
        },
    )
}

fn judgement() -> impl Strategy<Value = Judgement> {
    let codes = subsequence(Code::ALL.to_vec(), 0..=Code::ALL.len().min(6));
    let platform = (select(platform::rows()), option::of(text()))
        .prop_map(|(row, version)| Platform { name: row.name, version });
    (
        (option::of(text()), option::of(text()), select(&Fcrdns::ALL[..]), select(&Relation::ALL[..])),
        (select(&Verdict::ALL[..]), select(&Severity::ALL[..]), codes, option::of(platform)),
        (select(&Tenancy::ALL[..]), any::<Selector>(), text(), remedies(), changes()),
    )
        .prop_map(
            |(
                (banner_name, ehlo_name, fcrdns, relation),
                (verdict, severity, codes, platform),
                (tenancy, which, reason, clears_by, fix),
            )| {
                let accepted = which.try_select(codes.clone()).map(|code| Accepted {
                    code,
                    reason: reason.into(),
                    until: "2026-12-31".into(),
                });
                Judgement {
                    banner_name,
                    ehlo_name,
                    fcrdns: Some(fcrdns),
                    relation: Some(relation),
                    verdict: Some(verdict),
                    severity: Some(severity),
                    findings: codes.into_iter().map(|code| Finding { code, severity }).collect(),
                    platform,
                    tenancy,
                    accepted: accepted.into_iter().collect(),
                    clears_by,
                    fix,
                }
            },
        )
}

fn remedies() -> impl Strategy<Value = Option<Remedies>> {
    option::of(subsequence(Remedy::ALL.to_vec(), 0..=3).prop_map(Remedies::from_iter))
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let words = ["forward=mail.example.org", "ptr=mail.example.org", "ptr=", "banner=mail.example.org"];
    subsequence(words.map(|word| Change::parse(word).expect("a word of a record")).to_vec(), 0..=3)
}

fn network() -> impl Strategy<Value = Network> {
    (any::<u32>(), option::of(text())).prop_map(|(asn, name)| Network { asn, name: name.map(Arc::from) })
}
