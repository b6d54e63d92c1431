//! Faults of the network: packets that get lost, a resolver that falls silent in mid-scan. What could not be known is told
//! as unknown, and what can be had by asking again is had.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::run::{Scan, end_of, said};
use super::support::namespace::alone;
use super::world::{SIZE, Truth, World, truths};
use super::{MARGIN, tries};

/// Runs one `nft` command in the namespace.
fn filter(command: &str) {
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
        let mut truths = truths();
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
    // The PTR may have been answered just before the forward questions were not.
    let open = matches!(ptr, Some("timed_out" | "servfail" | "found"));
    if same && open && verdict == Some("undetermined") { Told::Unknown } else { Told::Wrong }
}
