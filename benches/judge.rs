//! Nanoseconds for one judgement, over a mix of hosts as a provider's block shows them: sound ones,
//! provider's PTR names, default names, services, refusals, open answers; and for one PTR name the search for
//! signs of a provider.

#![expect(clippy::unwrap_used, reason = "the hosts below are constants")]

use std::net::IpAddr;

use banneret::evidence::{Evidence, Forward, Observation, Outcome, PtrName, Resolution, Status};
use banneret::judge::providers::Providers;
use banneret::judge::run::Run;
use banneret::judge::{generic, judge, platform};
use banneret::name::DnsName;
use banneret::smtp::greeting::{Greeting, Own};
use banneret::smtp::reply::{Code, Reply};
use banneret::targets::Inventory;

fn main() {
    divan::main();
}

/// A code, the greeting's lines, PTR names and where each leads, where the banner's name leads.
type Host<'a> = (u16, &'a [&'a str], &'a [(&'a str, Lead)], Lead);

const HOSTS: [Host<'_>; 12] = [
    (
        220,
        &["mail.kestrel.example ESMTP Postfix (Debian/GNU)"],
        &[("mail.kestrel.example", Lead::Here)],
        Lead::Here,
    ),
    (
        220,
        &["mx1.kestrel.example ESMTP Exim 4.96 Tue, 25 Mar 2025 01:02:03 +0000"],
        &[("out.kestrel.example", Lead::Here)],
        Lead::Here,
    ),
    (
        220,
        &[
            "server.kestrel.example ESMTP Exim 4.98.2 #2 Wed, 26 Mar 2025 11:12:13 +0100 ",
            "We do not authorize the use of this system to transport unsolicited, ",
            "and/or bulk e-mail.",
        ],
        &[("192-0-2-1.static.provider.example", Lead::Here)],
        Lead::Elsewhere,
    ),
    (
        220,
        &["localhost.localdomain ESMTP Postfix"],
        &[("192-0-2-1.static.provider.example", Lead::Here)],
        Lead::Nowhere,
    ),
    (
        220,
        &["mx.google.com ESMTP 192si278251wma.146 - gsmtp"],
        &[("wr-in-f26.1e100.net", Lead::Here)],
        Lead::Nowhere,
    ),
    (
        220,
        &[
            "CH3PEPF00000015.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at Tue, 25 Mar 2025 01:02:03 +0000 [08DDB07650EC6878]",
        ],
        &[("mail-ch3pepf0000001.inbound.protection.outlook.com", Lead::Here)],
        Lead::Nowhere,
    ),
    (
        220,
        &["EX01.corp.local Microsoft ESMTP MAIL Service ready at Tue, 25 Mar 2025 01:02:03 +0000"],
        &[("static-192-0-2-1.provider.example", Lead::Elsewhere)],
        Lead::Nowhere,
    ),
    (
        220,
        &[
            "mail.example.co.uk ESMTP Sendmail 8.15.2/8.15.2; Tue, 25 Mar 2025 01:02:03 GMT; (No UCE/UBE) logging access from: [192.0.2.9](FAIL)-[192.0.2.9]",
        ],
        &[],
        Lead::Here,
    ),
    (
        554,
        &["mail.kestrel.example ESMTP not accepting messages"],
        &[("mail.kestrel.example", Lead::Open)],
        Lead::Here,
    ),
    (
        220,
        &["SG ESMTP service ready at ismtpd0013p1las1.sendgrid.net"],
        &[("o1.sendgrid.net", Lead::Here)],
        Lead::Elsewhere,
    ),
    (220, &["****************************************"], &[("mail.kestrel.example", Lead::Here)], Lead::Open),
    (
        220,
        &["mail.kestrel.example ESMTP"],
        &[
            ("a.kestrel.example", Lead::Here),
            ("b.kestrel.example", Lead::Here),
            ("c.kestrel.example", Lead::Nowhere),
        ],
        Lead::Here,
    ),
];

#[derive(Clone, Copy)]
enum Lead {
    Here,
    Elsewhere,
    Nowhere,
    Open,
}

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

fn forward(lead: Lead) -> Forward {
    let (status, addresses) = match lead {
        Lead::Here => (Status::Found, vec![HERE]),
        Lead::Elsewhere => (Status::Found, vec![ELSEWHERE]),
        Lead::Nowhere => (Status::NxDomain, Vec::new()),
        Lead::Open => (Status::TimedOut, Vec::new()),
    };
    Forward { status, addresses }
}

fn mix() -> Vec<Evidence> {
    HOSTS.iter().map(|(code, lines, names, banner)| evidence(*code, lines, names, *banner)).collect()
}

fn evidence(code: u16, lines: &[&str], names: &[(&str, Lead)], banner: Lead) -> Evidence {
    let outcome = if code < 400 { Outcome::Greeted } else { Outcome::Rejected };
    let greeting = Reply { code: Code::new(code), text: lines.iter().collect() };
    let names: Vec<_> = names
        .iter()
        .map(|(name, lead)| PtrName { name: DnsName::parse(name).unwrap(), forward: forward(*lead) })
        .collect();
    Evidence {
        ip: Some(HERE),
        observation: Observation { greeting: Some(greeting), ..Observation::bare(outcome, 1) },
        resolution: Some(Resolution {
            ptr: if names.is_empty() { Status::NxDomain } else { Status::Found },
            ptr_count: u32::try_from(names.len()).unwrap(),
            names,
            banner_forward: forward(banner),
        }),
        scanner: None,
    }
}

/// One round is the whole mix; a judgement takes a twelfth of it.
#[divan::bench]
fn judge_twelve_hosts(bencher: divan::Bencher<'_, '_>) {
    let hosts = mix();
    let inventory = Inventory::default();
    bencher.counter(divan::counter::ItemsCount::new(hosts.len())).bench(|| {
        for host in &hosts {
            divan::black_box(judge(divan::black_box(host), &inventory));
        }
    });
}

/// A PTR name that holds the address, and one that does not.
#[divan::bench(args = ["192-0-2-1.static.provider.example", "mail-wr1-f54.kestrel.example"])]
fn sign_of_one_name(name: &str) -> Option<generic::Sign> {
    generic::sign(divan::black_box(name), HERE)
}

/// The platform of a greeting of so many lines that tells none, all its words being words of platforms: the
/// time grows with the greeting and with nothing else.
#[divan::bench(args = [1, 8, 64])]
fn platform_of_a_long_greeting(bencher: divan::Bencher<'_, '_>, lines: usize) {
    let text = "mail.kestrel.example of exim postfix sendmail microsoft google courier haraka zimbra";
    let host = evidence(220, &vec![text; lines], &[], Lead::Open);
    let banner = Greeting::read(host.observation.greeting.as_ref().unwrap(), Own::default());
    bencher
        .counter(divan::counter::BytesCount::new(text.len() * lines))
        .bench(|| platform::platform(divan::black_box(&host.observation), &banner, Providers::built_in()));
}

/// The host with the most to suppose: sixteen PTR names, half of which lead away.
#[divan::bench]
fn judge_a_host_with_sixteen_names(bencher: divan::Bencher<'_, '_>) {
    let names: Vec<String> = (0..16).map(|number| format!("name{number}.kestrel.example")).collect();
    let names: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), if at % 2 == 0 { Lead::Here } else { Lead::Elsewhere }))
        .collect();
    let host = evidence(220, &["localhost ESMTP Postfix"], &names, Lead::Nowhere);
    let inventory = Inventory::default();
    bencher.bench(|| judge(divan::black_box(&host), &inventory));
}

/// The first pass over a run: one host counted.
#[divan::bench]
fn count_twelve_hosts_of_a_run(bencher: divan::Bencher<'_, '_>) {
    let hosts = mix();
    bencher.counter(divan::counter::ItemsCount::new(hosts.len())).with_inputs(Run::default).bench_values(
        |mut run| {
            for host in &hosts {
                run.add(divan::black_box(host));
            }
            run
        },
    );
}
