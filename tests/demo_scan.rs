//! The stages, one after the other by hand, over the whole simulated block: what they make of each host is
//! held against the truth.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod support;

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use banneret::demo::block::{DEMO_PREFIX, DEMO_SEED, GREETING_TIMEOUT};
use banneret::demo::host::Host;
use banneret::demo::persona::{self, Life};
use banneret::demo::script::{PLAIN, Script};
use banneret::demo::zone::{Answer, Data, Entry, Kind};
use banneret::demo::{Block, Running, check};
use banneret::evidence::{Evidence, Observation};
use banneret::judge::around::{FOREIGN, MANY};
use banneret::judge::remedy::{Change, Remedy};
use banneret::judge::what_if::WEIGHT;
use banneret::judge::{Verdict, judge};
use banneret::name::{DnsName, HostName};
use banneret::prefix::Prefix;
use banneret::probe::{Depth, Probe, Settings, Smtp};
use banneret::record::row::Row;
use banneret::record::{Record, Target};
use banneret::report::html::fixes::Sheet;
use banneret::report::summary::Summary;
use banneret::report::summary::detail::Fixes;
use banneret::report::summary::what_if::WORDS;
use banneret::resolve::{self, Case, Rate, Solution, Want};
use banneret::smtp::greeting::{Greeting, Own};
use banneret::targets::Inventory;
use tokio::task::JoinSet;

/// For questions that nobody answers; on one machine an answer takes a thousandth of it.
const DNS_TIMEOUT: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn every_host_of_the_demo_is_judged_as_it_is() {
    let block = Block::new(Prefix::parse(DEMO_PREFIX).unwrap(), DEMO_SEED).unwrap();
    let running = block.serve().unwrap();
    let observed = probe(&block, &running).await;
    let records = resolved(&block, &running, observed).await;
    let report = check(&block, &records);
    let wrong: Vec<String> = report.wrong.iter().map(ToString::to_string).collect();
    assert!(wrong.is_empty(), "{} of 1024 are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((report.right, report.unseen.len()), (1024, 0));
    assert_what_if(&block, &records);
    assert_clones(&block, &records);
    let manners = running.manners();
    assert_eq!((manners.early, manners.improper, manners.most_at_once), (0, 0, 1));
}

/// The list of fixes is carried out as a machine would, by its column `fix` alone: then nothing of weight is
/// left, and every host that was in the list matches.
#[test]
fn a_block_to_which_the_listed_fixes_are_applied_scans_clean() {
    support::namespace::alone("a_block_to_which_the_listed_fixes_are_applied_scans_clean", |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(apply_and_scan_again());
    });
}

async fn apply_and_scan_again() {
    let prefix = Prefix::parse(DEMO_PREFIX).unwrap();
    let before = scan(&Block::new(prefix, DEMO_SEED).unwrap()).await;
    let listed = listed(&before);
    let settled = |record: &&Record| record.judgement.clears_by.is_some();
    let (known, open): (Vec<&Record>, Vec<&Record>) = in_trouble(&before).partition(settled);
    let one_enough =
        known.iter().filter(|record| record.judgement.clears_by != Some([].into_iter().collect()));
    let is_named = |record: &&&Record| {
        let changes = listed.get(&record.target.ip.unwrap());
        changes.is_some_and(|it| !it.is_empty() && it.iter().all(|change| change.name.is_some()))
    };
    let (mut ones, mut ones_named) = (0, 0);
    for record in one_enough {
        ones += 1;
        ones_named += usize::from(is_named(&record) && listed[&record.target.ip.unwrap()].len() == 1);
    }
    let named = known.iter().filter(|record| is_named(record)).count();
    let all = known.len() + open.len();
    println!(
        "in trouble {all}: one change enough {ones}, told exactly {ones_named}; all told exactly {named}"
    );
    assert_eq!(ones, ones_named, "every host that one change clears is told which");
    assert!(named * 100 >= all * 80, "{named} of {all} are told exactly what to change");

    let after = Block::settled(prefix, DEMO_SEED, |host| {
        let persona = persona::draw(host);
        let changes = listed.get(&IpAddr::V4(host.ip)).map_or(&[][..], Vec::as_slice);
        (persona, changes.iter().fold((persona.live)(host), |life, change| changed(life, host, change)))
    });
    let after = scan(&after.unwrap()).await;
    let left: Vec<String> = after
        .iter()
        .filter(|record| listed.get(&record.target.ip.unwrap()).is_some_and(|changes| !changes.is_empty()))
        .filter(|it| it.judgement.verdict != Some(Verdict::Match) || it.judgement.severity >= Some(WEIGHT))
        .map(|it| format!("{:?} {:?} {:?}", it.target.ip, it.judgement, listed[&it.target.ip.unwrap()]))
        .collect();
    assert!(left.is_empty(), "{} hosts are not clean:\n{}", left.len(), left.join("\n"));
    let unsettled: Vec<_> = open.iter().map(|record| record.target.ip).collect();
    let worse: Vec<_> = in_trouble(&after).filter(|it| !unsettled.contains(&it.target.ip)).collect();
    assert!(worse.is_empty(), "{worse:?}");
    println!(
        "scanned again: {} hosts in trouble, those whose DNS gave no answer",
        in_trouble(&after).count()
    );
}

fn in_trouble(records: &[Record]) -> impl Iterator<Item = &Record> {
    records.iter().filter(|record| record.judgement.severity >= Some(WEIGHT))
}

async fn scan(block: &Block) -> Vec<Record> {
    let running = block.serve().unwrap();
    let observed = probe(block, &running).await;
    resolved(block, &running, observed).await
}

/// The changes of each host, read from the list of fixes as it is written beside a page.
fn listed(records: &[Record]) -> HashMap<IpAddr, Vec<Change>> {
    let mut fixes = Fixes::default();
    for record in records {
        fixes.add(&Row::of(record));
    }
    let mut list = Vec::new();
    Sheet::new(fixes).write(&mut list).unwrap();
    let mut reader = csv::Reader::from_reader(list.as_slice());
    let at = |name: &str, header: &csv::StringRecord| header.iter().position(|cell| cell == name).unwrap();
    let header = reader.headers().unwrap().clone();
    let (ip, fix) = (at("ip", &header), at("fix", &header));
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let words = row[fix].split(';').filter(|word| !word.is_empty());
        (row[ip].parse().unwrap(), words.map(|word| Change::parse(word).unwrap()).collect())
    });
    rows.collect()
}

/// A host after one change. Where a name has to be agreed on, it is one of the customer's.
fn changed(mut life: Life, host: Host, change: &Change) -> Life {
    let name = change.name.as_ref().map_or_else(|| host.own("mx"), |name| name.as_str().to_owned());
    let wire = DnsName::parse(&name).unwrap();
    let (owner, kind, data) = match change.remedy {
        Remedy::Banner => {
            life.script = Script::greeting(format!("220 {name} ESMTP"), &name, PLAIN);
            life.banner_name = Some(name);
            return life;
        }
        Remedy::Ptr => (DnsName::reverse(host.ip.into()), Kind::Ptr, Data::Ptr(wire)),
        Remedy::Forward => (wire, Kind::A, Data::A(host.ip)),
    };
    let mut records = vec![data];
    life.entries.retain(|entry| {
        let is_meant = entry.owner == owner && entry.kind == kind;
        if let (true, Remedy::Forward, Answer::Records(there)) = (is_meant, change.remedy, &entry.answer) {
            records.extend(there.iter().cloned());
        }
        !is_meant
    });
    life.entries.push(Entry { owner, kind, answer: Answer::Records(records) });
    life
}

/// What one change would clear over the whole block, as each persona's truth has it.
fn assert_what_if(block: &Block, records: &[Record]) {
    let summary = summed(records);
    let clears: Vec<&[&str]> = block.truths().filter_map(|truth| truth.clears).collect();
    let by = |word: &str| clears.iter().filter(|by| by.contains(&word)).count() as u64;
    let none = clears.iter().filter(|by| by.is_empty()).count() as u64;
    let expected = [by("ptr"), by("banner"), by("forward"), none, 0, 0];
    let counted: Vec<u64> = (0..WORDS.len()).map(|at| summary.what_if.counts.at(at)).collect();
    assert_eq!((counted.as_slice(), summary.what_if.in_trouble), (&expected[..], clears.len() as u64));
    assert!(expected[..4].iter().all(|count| *count > 10), "the block is too small to tell: {expected:?}");
}

/// Default and foreign names at three addresses or more, as the personas' truths have them.
fn assert_clones(block: &Block, records: &[Record]) {
    let foreign = FOREIGN.map(banneret::judge::Code::as_str);
    let mut names: BTreeMap<String, u64> = BTreeMap::new();
    for truth in block.truths().filter(|truth| truth.must.iter().any(|code| foreign.contains(code))) {
        *names.entry(truth.banner_name.unwrap()).or_default() += 1;
    }
    names.retain(|_, count| *count >= MANY as u64);
    let summary = summed(records);
    let listed: BTreeMap<String, u64> =
        summary.clones.listed().into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    assert_eq!(listed, names);
    assert!(names.contains_key("localhost.localdomain"));
}

fn summed(records: &[Record]) -> Summary {
    let mut summary = Summary::new();
    for record in records {
        summary.add(&Row::of(record));
    }
    summary
}

async fn probe(block: &Block, running: &Running) -> Vec<(SocketAddr, Observation)> {
    let settings = Settings {
        depth: Depth::Banner,
        own_name: None,
        connect_timeout: GREETING_TIMEOUT,
        greeting_timeout: GREETING_TIMEOUT,
        host_timeout: GREETING_TIMEOUT * 2,
        sources: Vec::new(),
        answers: Arc::default(),
    };
    let smtp = Arc::new(Smtp::new(settings).unwrap());
    let mut probes = JoinSet::new();
    for truth in block.truths() {
        let (smtp, target) = (Arc::clone(&smtp), SocketAddr::new(truth.ip.into(), running.smtp_port()));
        probes.spawn(async move { (target, smtp.probe(target).await.unwrap().observation) });
    }
    probes.join_all().await
}

async fn resolved(block: &Block, running: &Running, observed: Vec<(SocketAddr, Observation)>) -> Vec<Record> {
    let settings = resolve::Settings {
        rate: Rate::Unlimited,
        timeout: DNS_TIMEOUT,
        attempts: NonZeroU8::new(2).unwrap(),
        ..resolve::Settings::new(vec![running.dns()])
    };
    let mut resolver = resolve::start(settings).unwrap();
    let (judged, others): (Vec<_>, Vec<_>) =
        observed.into_iter().partition(|(_, observation)| observation.outcome.is_judged());
    let cases = judged.into_iter().map(|(target, observation)| {
        let name =
            observation.greeting.as_ref().and_then(|greeting| Greeting::read(greeting, Own::default()).name);
        let banner = name.and_then(|name| HostName::parse(&name).ok());
        Case { want: Want::Identity { ip: target.ip(), banner }, carry: (target, observation) }
    });
    resolver.inbox.send(cases.collect()).await.unwrap();
    drop(resolver.inbox);
    let bare = others.into_iter().map(|(target, observation)| record(block, target, observation, None));
    let mut records: Vec<Record> = bare.collect();
    while let Some(solved) = resolver.solved.recv().await {
        records.extend(solved.into_iter().map(|solved| {
            let Solution::Identity(resolution) = solved.solution else { panic!("another want was solved") };
            let (target, observation) = solved.carry;
            record(block, target, observation, Some(resolution))
        }));
    }
    records
}

fn record(
    block: &Block,
    target: SocketAddr,
    observation: Observation,
    resolution: Option<banneret::evidence::Resolution>,
) -> Record {
    let evidence = Evidence { ip: Some(target.ip()), observation, resolution, scanner: None };
    let judgement = judge(&evidence, &Inventory::default());
    let asked = block.prefix().to_string().into();
    let target =
        Target { ip: Some(target.ip()), port: target.port(), asked, inventory: None, unresolved: None };
    Record {
        time: SystemTime::now(),
        target,
        evidence,
        judgement,
        network: None,
        foreign: banneret::record::Foreign::default(),
    }
}
