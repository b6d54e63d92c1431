//! What a scan of the simulated block asks of DNS: every question that judging needs, each once, and no
//! other.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use banneret::demo::Block;
use banneret::demo::zone::{self, Data, Held, Zone};
use banneret::evidence::Status;
use banneret::evidence::resolution::MAX_PTR_NAMES;
use banneret::name::{DnsName, HostName, registrable};
use banneret::prefix::Prefix;
use banneret::resolve::{Answer, Case, Kind, Question, Records, Want, start_with};

/// Large enough that names meet again as they do in a provider's block.
const BLOCK: &str = "127.64.0.0/20";
/// Questions a host, at most: PTR, the address of its name, and that of the banner where it is another one. A
/// block without so many hosts of several names as this one takes fewer.
const MOST: f64 = 2.4;
/// Ends of names that are no business of DNS.
const NOT_ASKED: [&str; 5] = [".local", ".localhost", ".invalid", ".onion", ".arpa"];

/// A question as a test writes it: type and name.
type Asked = (&'static str, String);

/// The records of a name, aliases followed.
fn records(zone: &Held, owner: &DnsName, kind: zone::Kind) -> Result<Vec<Data>, Status> {
    let mut owner = owner.clone();
    for _ in 0..8 {
        match zone.find(&owner, Some(kind)) {
            zone::Answer::Records(records) => return Ok(records),
            zone::Answer::Alias(target) => owner = target,
            zone::Answer::NoData => return Err(Status::NoData),
            // What is not settled is asked again, which is another matter: here all is settled.
            zone::Answer::NxDomain | zone::Answer::Fault(_) => break,
        }
    }
    Err(Status::NxDomain)
}

fn ptr_names(zone: &Held, ip: IpAddr) -> Vec<DnsName> {
    let found = records(zone, &DnsName::reverse(ip), zone::Kind::Ptr).unwrap_or_default();
    found.into_iter().filter_map(|data| if let Data::Ptr(name) = data { Some(name) } else { None }).collect()
}

fn answer(zone: &Held, question: &Question) -> Answer {
    let kind = match question.kind {
        Kind::Ptr => zone::Kind::Ptr,
        Kind::A => zone::Kind::A,
        other => panic!("nothing needs {other:?} of {}", question.name),
    };
    let found = records(zone, &question.name, kind);
    let ttl = Duration::from_secs(300);
    match found {
        Err(status) => Answer { ttl, ..Answer::bare(status) },
        Ok(found) if kind == zone::Kind::Ptr => {
            let names = found.into_iter().filter_map(|data| match data {
                Data::Ptr(name) => Some(name),
                _ => None,
            });
            Answer::found(Records::Names(names.collect()), ttl)
        }
        Ok(found) => {
            let addresses = found.into_iter().filter_map(|data| match data {
                Data::A(ip) => Some(IpAddr::V4(ip)),
                _ => None,
            });
            Answer::found(Records::Addresses(addresses.collect()), ttl)
        }
    }
}

#[test]
fn each_question_that_judging_needs_is_asked_once_and_no_other() {
    let block = Block::new(Prefix::parse(BLOCK).unwrap(), 7).unwrap();
    let zone = block.zone();
    let hosts: Vec<(IpAddr, Option<HostName>)> = block
        .truths()
        .filter(|truth| truth.outcome.is_judged())
        .map(|truth| (truth.ip.into(), truth.banner_name.and_then(|name| HostName::parse(&name).ok())))
        .collect();

    let mut needed = BTreeMap::<Asked, u32>::new();
    for (ip, banner) in &hosts {
        needed.insert(("PTR", DnsName::reverse(*ip).to_string()), 1);
        let mut names: Vec<String> = ptr_names(&zone, *ip).iter().map(ToString::to_string).collect();
        let banner = banner.as_ref().map(ToString::to_string);
        // Of a host with more names than anybody follows, those nearest to the banner's are asked.
        let domain = banner.as_deref().and_then(registrable);
        let is_near = |name: &String| domain.is_some() && registrable(name) == domain;
        names.sort_by_key(|name| (Some(name) != banner.as_ref(), !is_near(name)));
        names.truncate(MAX_PTR_NAMES);
        let banner =
            banner.filter(|name| name.contains('.') && !NOT_ASKED.iter().any(|end| name.ends_with(end)));
        for name in names.into_iter().chain(banner) {
            needed.insert(("A", name), 1);
        }
    }

    let asked = Arc::new(Mutex::new(BTreeMap::<Asked, u32>::new()));
    let counted = Arc::clone(&asked);
    let mut resolver = start_with(move |question: &Question| {
        let kind = if question.kind == Kind::Ptr { "PTR" } else { "A" };
        *counted.lock().unwrap().entry((kind, question.name.to_string())).or_default() += 1;
        answer(&zone, question)
    })
    .unwrap();
    let inbox = resolver.inbox;
    let count = hosts.len();
    let feeder = std::thread::spawn(move || {
        for batch in hosts.chunks(100) {
            let cases = batch.iter().cloned();
            let cases = cases.map(|(ip, banner)| Case { want: Want::Identity { ip, banner }, carry: () });
            inbox.send_blocking(cases.collect()).unwrap();
        }
    });
    let mut solved = 0;
    while let Some(batch) = resolver.solved.blocking_recv() {
        solved += batch.len();
    }
    feeder.join().unwrap();
    assert_eq!(solved, count);

    let asked = asked.lock().unwrap();
    // A round of canaries asks for a name that cannot exist, and for one host's names once more.
    let (rounds, asked): (BTreeMap<_, _>, BTreeMap<_, _>) = asked
        .iter()
        .map(|(question, times)| (question.clone(), *times))
        .partition(|(question, _)| is_canary(question));
    let rounds = rounds.values().sum::<u32>();
    println!("{rounds} rounds of canaries");
    assert!(rounds as usize * 200 < count, "{rounds} rounds of canaries for {count} hosts");
    let needless: Vec<_> = asked.iter().filter(|(question, _)| !needed.contains_key(question)).collect();
    assert!(needless.is_empty(), "asked, and nothing needs it: {needless:?}");
    let missing: Vec<_> = needed.keys().filter(|question| !asked.contains_key(question)).collect();
    assert!(missing.is_empty(), "needed and not asked: {missing:?}");
    let again: u32 = asked.values().map(|times| times - 1).sum();
    assert!(again <= 2 * rounds, "asked more than once: {again}");
    let each = asked.len() as f64 / count as f64;
    println!("{} questions for {count} hosts: {each:.2} a host", asked.len());
    assert!(each < MOST, "{each:.2} questions a host");
}

/// Whether a name is made up by the resolver: no network is called by letters.
fn is_canary((_, name): &Asked) -> bool {
    name.strip_suffix(".2.0.192.in-addr.arpa")
        .is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_lowercase()))
}
