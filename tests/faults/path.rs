//! Trouble of this machine or of its path, in mid-scan: routes that go away, firewalls that reject, drop or
//! let few packets through. No host is told of it, and every host is met once it is over.

use std::fs;
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::Value;

use super::network::{ROUTE, filter, ip_all};
use super::run::{Scan, end_of, said};
use super::support::namespace::alone;
use super::support::program::command;
use super::tally::Tally;
use super::world::{RESOLVER, SIZE, World};
use super::{STUCK, Size, midway, size, tries};

/// How a trouble begins and ends.
type Switch = fn();

/// How long a trouble lasts: as long as people have seen it, or long enough to be noticed.
fn length(chance: &mut rand::rngs::StdRng) -> Duration {
    match size() {
        Size::Full => Duration::from_secs(5),
        Size::Short => Duration::from_millis(chance.random_range(100..1500)),
    }
}

/// What the manifest warns of.
fn warnings(scan: &Scan) -> Vec<String> {
    let manifest: Value = serde_json::from_str(&fs::read_to_string(scan.manifest()).unwrap()).unwrap();
    manifest["warnings"].as_array().unwrap().iter().map(Value::to_string).collect()
}

/// Scans with a trouble in the middle: every record is right, and one line at most tells of it.
fn trouble(name: &str, fault: &str, begin: Switch, end: Switch) {
    alone(name, |work| {
        let world = World::start();
        filter("add table ip path");
        filter("add chain ip path output { type filter hook output priority 0 ; }");
        tries(fault, &world, work, |scan, chance| {
            let target = world.accepted() + midway(chance);
            let mut child = scan.command().spawn().unwrap();
            world.await_accepted(target, &mut child);
            begin();
            // The time of the trouble is the fault: nothing is waited for.
            thread::park_timeout(length(chance));
            end();
            let ended = end_of(child);
            assert!(ended.status.success(), "{}", said(&ended));
            let told = warnings(scan);
            println!("{fault}: {told:?}");
            assert!(told.len() <= 1 && (size() == Size::Short || told.len() == 1), "{told:?}");
            ended
        });
        world.assert_polite();
    });
}

#[test]
fn a_route_that_says_unreachable_for_a_while_blames_no_host() {
    trouble(
        "path::a_route_that_says_unreachable_for_a_while_blames_no_host",
        "an unreachable route",
        || ip_all(&["route add unreachable 198.18.4.0/22 table local"]),
        || ip_all(&["route del unreachable 198.18.4.0/22 table local"]),
    );
}

#[test]
fn a_route_that_swallows_for_a_while_blames_no_host() {
    trouble(
        "path::a_route_that_swallows_for_a_while_blames_no_host",
        "a blackhole route",
        || ip_all(&["route add blackhole 198.18.4.0/22 table local"]),
        || ip_all(&["route del blackhole 198.18.4.0/22 table local"]),
    );
}

#[test]
fn a_route_lost_for_half_of_the_hosts_blames_none() {
    trouble(
        "path::a_route_lost_for_half_of_the_hosts_blames_none",
        "a route of two is lost",
        || ip_all(&["route add throw 198.18.4.0/23 table local"]),
        || ip_all(&["route del throw 198.18.4.0/23 table local"]),
    );
}

#[test]
fn our_own_firewall_that_resets_for_a_while_blames_no_host() {
    trouble(
        "path::our_own_firewall_that_resets_for_a_while_blames_no_host",
        "our firewall resets",
        || filter("add rule ip path output tcp dport 25 reject with tcp reset"),
        || filter("flush chain ip path output"),
    );
}

#[test]
fn our_own_firewall_that_rejects_for_a_while_blames_no_host() {
    trouble(
        "path::our_own_firewall_that_rejects_for_a_while_blames_no_host",
        "our firewall rejects",
        || filter("add rule ip path output tcp dport 25 reject with icmp type admin-prohibited"),
        || filter("flush chain ip path output"),
    );
}

#[test]
fn our_own_firewall_that_drops_for_a_while_blames_no_host() {
    trouble(
        "path::our_own_firewall_that_drops_for_a_while_blames_no_host",
        "our firewall drops",
        || filter("add rule ip path output tcp dport 25 drop"),
        || filter("flush chain ip path output"),
    );
}

/// The outcomes in a scan's records, and how many hosts of a network have each.
fn outcomes(scan: &Scan, network: &str) -> Vec<String> {
    let text = fs::read_to_string(&scan.outputs()[0]).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_network =
        records.filter(|record| record["target"]["ip"].as_str().is_some_and(|ip| ip.starts_with(network)));
    of_network.map(|record| record["outcome"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_network_that_is_dead_is_unreachable_and_a_block_that_half_refuses_draws_no_alarm() {
    alone(
        "path::a_network_that_is_dead_is_unreachable_and_a_block_that_half_refuses_draws_no_alarm",
        |work| {
            let _world = World::start();
            ip_all(&["route add unreachable 198.18.5.0/24 table local"]);
            filter("add table ip path");
            filter("add chain ip path input { type filter hook input priority 0 ; }");
            filter("add rule ip path input tcp dport 25 ip daddr & 0.0.0.1 == 0.0.0.1 reject with tcp reset");
            let scan = Scan::new(work, 1);
            let begin = Instant::now();
            let ended: Output = end_of(scan.command().spawn().unwrap());
            assert!(ended.status.success(), "{}", said(&ended));
            let took = begin.elapsed();
            let dead =
                outcomes(&scan, "198.18.5.").iter().filter(|outcome| *outcome == "unreachable").count();
            let refused = outcomes(&scan, "198.18.").iter().filter(|outcome| *outcome == "refused").count();
            println!("{dead} unreachable, {refused} refused in {took:.1?}");
            assert_eq!((dead, refused), (256, 384));
            assert_eq!(warnings(&scan), Vec::<String>::new());
            assert!(took < Duration::from_secs(30), "{took:?}");
            let lost = 640 - u32::try_from(dead + refused).unwrap();
            Tally::of_lossy(1, lost).tell("a dead /24 and hosts that refuse, told so within 30 s");
        },
    );
}

#[test]
fn a_route_lost_for_good_ends_the_scan_within_five_minutes() {
    if size() == Size::Short {
        return;
    }
    alone("path::a_route_lost_for_good_ends_the_scan_within_five_minutes", |work| {
        let world = World::start();
        let scan = Scan::new(work, 1);
        // The resolver stays: what the hosts said before is judged.
        ip_all(&["route add local 198.18.0.53/32 dev lo"]);
        let mut child = scan.command_loud().spawn().unwrap();
        world.await_accepted(SIZE / 2, &mut child);
        ip_all(&["route del local 198.18.0.0/15 dev lo"]);
        let begin = Instant::now();
        let ended = child.wait_with_output().unwrap();
        let took = begin.elapsed();
        println!("{took:.1?}: {}", said(&ended));
        assert_eq!(ended.status.code(), STUCK, "{}", said(&ended));
        assert!(took < Duration::from_secs(300), "{took:?}");
        let told = String::from_utf8_lossy(&ended.stderr).matches("banneret: this machine can't").count();
        assert_eq!(told, 1, "one line: {}", said(&ended));
        ip_all(&[ROUTE]);
        scan.finish(&ended, super::run::Met::Hosts);
        let mut tally = Tally::default();
        tally.count(&scan);
        tally.conclude("the route is lost for good, then again");
    });
}

#[test]
fn a_policer_on_the_path_costs_few_hosts_or_is_told() {
    if size() == Size::Short {
        return;
    }
    alone("path::a_policer_on_the_path_costs_few_hosts_or_is_told", |work| {
        let _world = World::start();
        filter("add table ip path");
        filter("add chain ip path input { type filter hook input priority 0 ; }");
        let syns = "tcp dport 25 tcp flags & (syn|ack) == syn";
        filter(&format!("add rule ip path input {syns} limit rate over 60/second drop"));
        let (mut missed, resolver) = (0, format!("{RESOLVER}:53"));
        for seed in 1..=5 {
            let out = work.join(format!("{seed}.jsonl"));
            let (seed, path) = (seed.to_string(), out.to_str().unwrap());
            let words = ["scan", "--allow-reserved", "198.18.4.0-198.18.4.99", "--keep", "all"];
            let pace = ["--prefix-rate", "unlimited", "--progress", "never", "--seed", &seed];
            let rest = ["--resolver", &resolver, "-o", path];
            let ended = command(&[&words[..], &pace, &rest].concat()).output().unwrap();
            assert!(ended.status.success(), "{}", said(&ended));
            let text = fs::read_to_string(&out).unwrap();
            let silent = text.lines().filter(|line| line.contains(r#""outcome":"timed_out""#)).count();
            println!("seed {seed}: {silent} missed; {}", said(&ended));
            assert!(silent <= 1, "{silent} of 100 missed");
            missed += u32::try_from(silent).unwrap();
        }
        Tally::of_lossy(5, missed).tell("a policer of 60 SYNs a second, 100 hosts (1 a scan may be missed)");
    });
}
