//! The stages, one after the other by hand, over the whole simulated block: what they make of each host is held against
//! the truth.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use banneret::demo::block::{DEMO_PREFIX, DEMO_SEED, GREETING_TIMEOUT};
use banneret::demo::{Block, Running, check};
use banneret::evidence::{Evidence, Observation};
use banneret::judge::around::{FOREIGN, MANY};
use banneret::judge::judge;
use banneret::name::HostName;
use banneret::prefix::Prefix;
use banneret::probe::{Depth, Probe, Settings, Smtp};
use banneret::record::row::Row;
use banneret::record::{Record, Target};
use banneret::report::summary::Summary;
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
