//! Faults of the network: packets that get lost, a resolver that falls silent in mid-scan. What could not be
//! known is told as unknown, and what can be had by asking again is had.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use banneret::demo::load::Load;
use banneret::demo::plain::Plain;
use banneret::prefix::Prefix;
use rand::RngExt as _;
use serde_json::Value;

use super::run::{Scan, end_of, said};
use super::support::hosts::serve_names;
use super::support::namespace::alone;
use super::support::program::{Ran, command};
use super::tally::Tally;
use super::world::{SIZE, SMALL, Truth, World};
use super::{MARGIN, Size, midway, size, support, tries};

/// Runs one `nft` command in the namespace.
pub(crate) fn filter(command: &str) {
    let done =
        Command::new("nft").args(command.split(' ')).status().expect("`nft` is there: run scripts/setup");
    assert!(done.success(), "`nft {command}` failed");
}

/// A chain that sees every packet that comes in.
fn watch() {
    filter("add table ip fault");
    filter("add chain ip fault input { type filter hook input priority 0 ; }");
}

#[test]
fn packets_lost_on_the_way_cost_no_host_its_record() {
    alone("network::packets_lost_on_the_way_cost_no_host_its_record", |work| {
        let world = World::start();
        watch();
        filter("add rule ip fault input tcp dport 25 numgen random mod 100 < 2 drop");
        filter("add rule ip fault input tcp sport 25 numgen random mod 100 < 2 drop");
        filter("add rule ip fault input udp dport 53 numgen random mod 100 < 2 drop");
        tries("2 % of packets lost", &world, work, |scan, _| {
            let ended = end_of(scan.command().spawn().unwrap());
            assert!(ended.status.success(), "{}", said(&ended));
            ended
        });
    });
}

/// Runs `ip` commands in the namespace.
pub(crate) fn ip_all(commands: &[&str]) {
    for command in commands {
        let done =
            Command::new("ip").args(command.split(' ')).status().expect("`ip` is there: run scripts/setup");
        assert!(done.success(), "`ip {command}` failed");
    }
}

/// Takes the network away in mid-scan and gives it back: no host is told to be unreachable, for it was not
/// asked.
fn outage(name: &str, fault: &str, take: &[&str], give: &[&str]) {
    alone(name, |work| {
        let world = World::start();
        tries(fault, &world, work, |scan, chance| {
            let target = world.accepted() + midway(chance);
            let mut child = scan.command().spawn().unwrap();
            world.await_accepted(target, &mut child);
            ip_all(take);
            // The time without a network is the fault: nothing is waited for.
            thread::park_timeout(Duration::from_millis(chance.random_range(100..1500)));
            ip_all(give);
            let ended = end_of(child);
            assert!(ended.status.success(), "{}", said(&ended));
            ended
        });
    });
}

pub(crate) const ROUTE: &str = "route replace local 198.18.0.0/15 dev lo";

#[test]
fn an_interface_that_goes_down_in_mid_scan_makes_no_host_unreachable() {
    outage(
        "network::an_interface_that_goes_down_in_mid_scan_makes_no_host_unreachable",
        "the interface goes down",
        &["link set lo down"],
        &["link set lo up", ROUTE],
    );
}

#[test]
fn a_route_that_is_lost_in_mid_scan_makes_no_host_unreachable() {
    outage(
        "network::a_route_that_is_lost_in_mid_scan_makes_no_host_unreachable",
        "the route is lost",
        &["route del local 198.18.0.0/15 dev lo"],
        &[ROUTE],
    );
}

#[test]
fn connections_that_are_forbidden_for_a_while_are_made_later() {
    outage(
        "network::connections_that_are_forbidden_for_a_while_are_made_later",
        "connections are forbidden",
        &["route add prohibit 198.18.4.0/22 table local"],
        &["route del prohibit 198.18.4.0/22 table local"],
    );
}

/// The most hosts that a percent of lost SYNs may cost.
const MISSED: u32 = 5;

#[test]
fn a_percent_of_syns_lost_costs_next_to_no_host() {
    alone("network::a_percent_of_syns_lost_costs_next_to_no_host", |work| {
        let hosts = match size() {
            Size::Full => 100_000_u32,
            Size::Short => 4096,
        };
        let plain = Plain::of(Prefix::parse("198.18.0.0/15").unwrap());
        serve_names(plain);
        let load = Load::start(plain, 25).unwrap();
        watch();
        filter(
            "add rule ip fault input tcp dport 25 tcp flags & (syn|ack) == syn numgen random mod 100 < 1 counter drop",
        );
        let out = work.join("records.jsonl");
        let (count, path) = (hosts.to_string(), out.to_str().unwrap());
        let words = ["scan", "--allow-reserved", "198.18.0.0/15", "--max-targets", &count, "--keep", "all"];
        let pace = ["--rate", "unlimited", "--prefix-rate", "unlimited", "--dns-rate", "unlimited"];
        let rest = ["--resolver", support::hosts::RESOLVER, "-o", path, "--progress", "never", "-q"];
        let ran: Ran = command(&[&words[..], &pace, &rest].concat()).output().unwrap().into();
        ran.ends(0);
        let text = fs::read_to_string(&out).unwrap();
        let met = text.lines().filter(|line| line.contains(r#""outcome":"greeted""#)).count();
        let silent = text.lines().filter(|line| line.contains(r#""outcome":"timed_out""#)).count();
        assert_eq!(
            (text.lines().count(), met + silent),
            (hosts as usize, hosts as usize),
            "a loss is a time-out"
        );
        println!("{silent} of {hosts} missed; {} greeted", load.greeted());
        let again = text.lines().filter(|line| line.contains(r#""attempts":2"#)).count();
        let dropped = Command::new("nft").args(["list", "table", "ip", "fault"]).output().unwrap();
        println!("{again} at a second attempt; {}", String::from_utf8_lossy(&dropped.stdout));
        let missed = u32::try_from(silent).unwrap();
        Tally::of_lossy(1, missed).tell(&format!("1 % of SYNs lost, {hosts} hosts (5 may be missed)"));
        assert!(missed <= MISSED, "{missed} of {hosts} missed");
    });
}

#[test]
fn a_resolver_that_falls_silent_leaves_verdicts_undetermined_and_none_wrong() {
    alone("network::a_resolver_that_falls_silent_leaves_verdicts_undetermined_and_none_wrong", |work| {
        let world = World::start();
        watch();
        let scan = Scan::new(work, 1);
        let mut child = scan.command().args(["--dns-timeout", "2s"]).spawn().unwrap();
        world.await_accepted(SIZE / 2, &mut child);
        filter("add rule ip fault input udp dport 53 drop");
        let ended = end_of(child);
        assert!(ended.status.success(), "{}", said(&ended));
        let text = fs::read_to_string(&scan.outputs()[0]).unwrap();
        let mut truths = SMALL.truths();
        let (mut known, mut unknown) = (0, 0);
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let ip = record["target"]["ip"].as_str().unwrap();
            let truth =
                truths.remove(ip).unwrap_or_else(|| panic!("{ip} is told twice, or was not asked for"));
            match told(&record, &truth) {
                Told::Truth => known += 1,
                Told::Unknown => unknown += 1,
                Told::Wrong => panic!("{ip} is {truth:?}, its record: {line}"),
            }
        }
        assert!(truths.is_empty(), "{} hosts have no record", truths.len());
        assert!(
            known > MARGIN && unknown > MARGIN,
            "{known} known, {unknown} unknown: the silence fell in between"
        );
    });
}

/// What a record says of a host whose DNS may have been silent.
enum Told {
    Truth,
    /// All that the host itself said, and nothing else.
    Unknown,
    Wrong,
}

fn told(record: &Value, truth: &Truth) -> Told {
    let same = record["outcome"] == truth.outcome
        && record["smtp"]["banner_name"].as_str() == truth.banner_name.as_deref();
    let verdict = record["verdict"].as_str();
    let ptr = record["dns"]["ptr"]["status"].as_str();
    if same && verdict == truth.verdict {
        return Told::Truth;
    }
    // The PTR may have been answered just before the forward questions, or the controls of a denial, were
    // not.
    let open = matches!(ptr, Some("timed_out" | "servfail" | "found" | "untrusted"));
    if same && open && verdict == Some("undetermined") { Told::Unknown } else { Told::Wrong }
}
