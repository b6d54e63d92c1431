//! A provider's fleet of any size, record by record: what each host is follows from its number alone.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use banneret::evidence::{Forward, Observation, Outcome, PtrName, Resolution, Status};
use banneret::judge::{Code, Fcrdns, Finding, Judgement, Platform, Relation, Severity, Tenancy, Verdict};
use banneret::name::DnsName;
use banneret::record::{Network, Record, Target};
use banneret::smtp::reply::{Code as ReplyCode, Reply, Text};
use banneret::targets::Inventory;

use super::records::healthy_record;

/// Customers of the fleet.
pub const CUSTOMERS: u32 = 5000;

/// The host of a number.
pub fn record(number: u32) -> Record {
    let mut record = healthy_record();
    let ip = IpAddr::V4(Ipv4Addr::from(u32::from_be_bytes([10, 0, 0, 0]).wrapping_add(number)));
    let customer = number.wrapping_mul(2_654_435_761) % CUSTOMERS;
    let lot = number.wrapping_mul(2_246_822_519) >> 8 & 0xff;
    let name = format!("mail{number}.customer{customer}.example");
    record.time += Duration::from_millis(u64::from(number));
    record.target = Target {
        ip: Some(ip),
        port: 25,
        asked: "10.0.0.0/8".into(),
        inventory: Some(Arc::new(Inventory {
            tags: vec![(Arc::from("customer"), format!("C-{customer}"))],
            ..Inventory::default()
        })),
        unresolved: None,
    };
    record.evidence.ip = Some(ip);
    record.network = Some(Network { asn: 64500 + number / 65536 % 200, name: Some(Arc::from("FLEET")) });
    let (verdict, codes, banner): (_, &[Code], _) = match lot {
        0..12 => (Verdict::NoPtr, &[Code::PtrMissing], name.clone()),
        12..24 => (Verdict::Undetermined, &[], name.clone()),
        24..40 => {
            (Verdict::NoName, &[Code::BannerDefault, Code::ClonedImage], "localhost.localdomain".to_owned())
        }
        40..64 => (Verdict::Mismatch, &[Code::BannerDiffers], format!("node{}.other.example", number % 4096)),
        64..72 => {
            record.evidence.observation = Observation::bare(Outcome::Silent, 1);
            record.evidence.resolution = None;
            record.judgement = Judgement { platform: None, ..unjudged(&record.judgement) };
            return record;
        }
        _ => (Verdict::Match, &[], name.clone()),
    };
    record.evidence.observation.greeting = Some(Reply {
        code: ReplyCode::new(220),
        text: Text::from_iter([format!("{banner} ESMTP Postfix (Debian/GNU)").as_bytes()]),
    });
    record.evidence.resolution = Some(resolution(verdict, &name, ip));
    let tenancy = Tenancy::Unknown;
    let findings: Vec<Finding> =
        codes.iter().map(|&code| Finding { code, severity: code.severity(tenancy) }).collect();
    record.judgement.severity = Some(findings.iter().map(|it| it.severity).max().unwrap_or(Severity::None));
    record.judgement.relation =
        Some(if verdict == Verdict::Match { Relation::Exact } else { Relation::Unrelated });
    record.judgement.fcrdns = Some(match verdict {
        Verdict::NoPtr => Fcrdns::PermError,
        Verdict::Undetermined => Fcrdns::TempError,
        _ => Fcrdns::Pass,
    });
    let platform = ["postfix", "exim"][number as usize % 2];
    record.judgement.platform = Some(Platform { name: platform, version: None });
    record.judgement.banner_name = Some(banner);
    record.judgement.verdict = Some(verdict);
    record.judgement.tenancy = tenancy;
    record.judgement.findings = findings;
    record
}

fn resolution(verdict: Verdict, name: &str, ip: IpAddr) -> Resolution {
    let found = Forward { status: Status::Found, addresses: vec![ip] };
    let names = match verdict {
        Verdict::NoPtr | Verdict::Undetermined => Vec::new(),
        _ => DnsName::parse(name).map(|name| PtrName { name, forward: found.clone() }).into_iter().collect(),
    };
    Resolution {
        ptr: match verdict {
            Verdict::NoPtr => Status::NxDomain,
            Verdict::Undetermined => Status::TimedOut,
            _ => Status::Found,
        },
        ptr_count: u32::try_from(names.len()).unwrap_or(0),
        names,
        banner_forward: found,
    }
}

fn unjudged(judgement: &Judgement) -> Judgement {
    Judgement {
        banner_name: None,
        ehlo_name: None,
        fcrdns: None,
        relation: None,
        verdict: None,
        severity: None,
        findings: Vec::new(),
        ..judgement.clone()
    }
}
