//! Hundreds of thousands of names against a real name server: none is lost, every value is the zone's, over a
//! network that is whole and over one that loses packets. `TEST_NAMES` says how many; the figures are
//! printed.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

mod support;

use std::net::SocketAddrV4;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;

use banneret::resolve::{Case, Rate, Settings, Solution, Want, start};
use support::bulk::{self, Count};
use support::namespace::alone;

/// Set to how many hosts are asked for.
const NAMES: &str = "TEST_NAMES";
/// As many as a test run has time for.
const FEW: u32 = 20_000;
/// Where NSD answers: beyond the loopback network, so that it is treated as one beyond this machine.
const UPSTREAM: &str = "198.18.0.53:53";
/// Hosts in one batch.
const BATCH: usize = 256;

fn hosts() -> u32 {
    std::env::var(NAMES).map_or(FEW, |text| text.parse().expect("a number of names"))
}

/// Asks for every host, and holds each answer against the zone.
fn ask(rate: Rate) -> Count {
    let hosts = hosts();
    let settings = Settings { rate, ..Settings::new(vec![UPSTREAM.parse().unwrap()]) };
    let mut resolver = start(settings).unwrap();
    let (inbox, health) = (resolver.inbox, resolver.health);
    let feeder = std::thread::spawn(move || {
        let mut numbers = 0..hosts;
        loop {
            let identity = |number| Want::Identity { ip: bulk::address(number).into(), banner: None };
            let batch: Vec<Case<u32>> = numbers
                .by_ref()
                .take(BATCH)
                .map(|number| Case { want: identity(number), carry: number })
                .collect();
            if batch.is_empty() {
                return;
            }
            inbox.send_blocking(batch).unwrap();
        }
    });
    let (mut count, mut met) = (Count::default(), vec![false; hosts as usize]);
    while let Some(batch) = resolver.solved.blocking_recv() {
        for solved in batch {
            let Solution::Identity(told) = solved.solution else { panic!("an identity was asked for") };
            let met = &mut met[solved.carry as usize];
            assert!(!std::mem::replace(met, true), "host {} was solved twice", solved.carry);
            count.add(solved.carry, &told);
        }
    }
    feeder.join().unwrap();
    let lost = met.iter().filter(|met| !**met).count();
    count.packets = health.upstreams[0].sent.load(Ordering::Relaxed);
    println!("{hosts} hosts: lost {lost}; {count}");
    assert_eq!(lost, 0, "hosts without a solution");
    assert!(count.wrong.is_empty(), "{} answers are not the zone's:\n{}", count.wrong.len(), count.wrong[0]);
    count
}

fn served(name: &str, body: impl FnOnce(&Path)) {
    alone(name, |work| {
        let at: SocketAddrV4 = UPSTREAM.parse().unwrap();
        let _nsd = bulk::serve(work, &[at], hosts());
        body(work);
    });
}

#[test]
fn of_all_names_of_a_real_server_none_is_lost_and_every_value_is_the_zones() {
    served("of_all_names_of_a_real_server_none_is_lost_and_every_value_is_the_zones", |_| {
        let count = ask(Rate::Unlimited);
        assert_eq!(count.timed_out, 0);
    });
}

#[test]
fn where_a_packet_in_twenty_is_lost_no_answer_is_wrong_and_next_to_none_is_missing() {
    served("where_a_packet_in_twenty_is_lost_no_answer_is_wrong_and_next_to_none_is_missing", |_| {
        lose("udp dport 53 numgen random mod 100 < 5 drop");
        let count = ask(Rate::Rising);
        assert!(
            count.packets * 100 > count.questions as u64 * 104,
            "{} packets: nothing was lost",
            count.packets
        );
        assert!(
            count.timed_out <= count.may_be_lost(),
            "{} of {} timed out",
            count.timed_out,
            count.questions
        );
    });
}

/// Has the namespace's own loopback lose what a rule of nftables says.
fn lose(rule: &str) {
    let rules = ["add table inet lossy", "add chain inet lossy in { type filter hook input priority 0; }"];
    for command in rules.into_iter().map(str::to_owned).chain([format!("add rule inet lossy in {rule}")]) {
        let done = Command::new("nft").arg(&command).status().expect("`nft` is there: run scripts/setup");
        assert!(done.success(), "nft: {command}");
    }
}
