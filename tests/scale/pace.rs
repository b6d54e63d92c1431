//! `--rate` and `--prefix-rate` in every window, the first included, by the kernel's time of each SYN.

use std::collections::BTreeMap;
use std::path::Path;

use banneret::demo::plain;

use crate::support::hosts::RESOLVER;
use crate::support::namespace::alone;
use crate::support::program::{Ran, command};
use crate::support::syns::{Syn, Syns};
use crate::windows::most;

const SECOND: u64 = 1_000_000_000;
/// The windows that are looked at, in nanoseconds.
const WIDTHS: [u64; 2] = [SECOND / 10, SECOND];

/// Scans so many addresses of the block at a pace; the SYNs that it took.
fn syns(work: &Path, targets: &[&str], count: usize, pace: &[&str]) -> Vec<Syn> {
    let _hosts = crate::serve();
    let listener = Syns::listen();
    let (count_text, out) = (count.to_string(), work.join("records.jsonl"));
    let words = [
        "scan",
        "--allow-reserved",
        "--resolver",
        RESOLVER,
        "--dns-rate",
        "unlimited",
        "--max-targets",
        &count_text,
        "--progress",
        "never",
        "-o",
        out.to_str().unwrap(),
    ];
    let ran: Ran = command(&[&words[..], pace, targets].concat()).output().unwrap().into();
    let ran = ran.ends(0);
    let syns: Vec<Syn> = listener.end().into_iter().filter(|syn| syn.port == 25).collect();
    assert_eq!(syns.len(), count, "a SYN for each target: {}", ran.err);
    syns
}

/// What is promised: in any window at most rate × window + burst, the burst being one or ten milliseconds'
/// worth.
fn allowed(rate: f64, width: u64) -> f64 {
    rate * (width as f64 / SECOND as f64) + (rate / 100.0).max(1.0)
}

/// Holds the times against the promise; gives the fullest windows, for people.
fn over(times: &[u64], rate: f64) -> (Vec<String>, String) {
    let met: Vec<(u64, usize)> = WIDTHS.iter().map(|&width| (width, most(times, width))).collect();
    let shown = met.iter().map(|(width, met)| {
        format!("{met} in {} ms (allowed {:.1})", width / 1_000_000, allowed(rate, *width))
    });
    let shown: Vec<String> = shown.collect();
    let over = met.iter().zip(&shown).filter(|((width, met), _)| *met as f64 > allowed(rate, *width));
    (over.map(|(_, shown)| shown.clone()).collect(), shown.join(", "))
}

fn assert_paced(name: &str, rate: u32, count: usize) {
    alone(name, |work| {
        let syns =
            syns(work, &[crate::BLOCK], count, &["--rate", &rate.to_string(), "--prefix-rate", "unlimited"]);
        let times: Vec<u64> = syns.iter().map(|syn| syn.time).collect();
        let (over, shown) = over(&times, f64::from(rate));
        let lasted = (times[times.len() - 1] - times[0]) as f64 / SECOND as f64;
        let first = most(&times[..times.partition_point(|&time| time < times[0] + WIDTHS[0])], WIDTHS[0]);
        println!(
            "--rate {rate}: {shown}; {first} in the first 100 ms; {:.0} a second over {lasted:.2} s",
            (count - 1) as f64 / lasted
        );
        assert!(over.is_empty(), "{over:?}");
    });
}

#[test]
fn a_rate_of_50_holds_in_every_window() {
    assert_paced("pace::a_rate_of_50_holds_in_every_window", 50, 150);
}

#[test]
fn a_rate_of_1000_holds_in_every_window() {
    assert_paced("pace::a_rate_of_1000_holds_in_every_window", 1000, 4000);
}

#[test]
fn a_rate_of_20000_holds_in_every_window() {
    assert_paced("pace::a_rate_of_20000_holds_in_every_window", 20_000, 20_000);
}

#[test]
fn a_prefix_rate_of_10_holds_for_each_prefix_in_every_window() {
    alone("pace::a_prefix_rate_of_10_holds_for_each_prefix_in_every_window", |work| {
        let syns = syns(
            work,
            &["198.18.0.0/20", "198.18.64.0/26"],
            640,
            &["--rate", "unlimited", "--prefix-rate", "10"],
        );
        assert_eq!(assert_prefixes_paced(&syns), 17);
    });
}

/// Holds the SYNs of each prefix against 10 a second; how many prefixes there are.
fn assert_prefixes_paced(syns: &[Syn]) -> usize {
    let mut prefixes: BTreeMap<[u8; 3], Vec<u64>> = BTreeMap::new();
    for syn in syns {
        let [a, b, c, _] = syn.ip.octets();
        prefixes.entry([a, b, c]).or_default().push(syn.time);
    }
    for (prefix, times) in &prefixes {
        let (over, shown) = over(times, 10.0);
        println!("{prefix:?} at 10 a second: {} in all, {shown}", times.len());
        assert!(over.is_empty(), "{prefix:?}: {over:?}");
    }
    prefixes.len()
}

#[test]
fn addresses_of_names_beside_their_network_keep_its_pace_in_every_window() {
    alone("pace::addresses_of_names_beside_their_network_keep_its_pace_in_every_window", |work| {
        // Two networks of the order with names that lead into them, and one that only names lead into.
        let hosts = (0..3).flat_map(|network| (100..116).map(move |last| [198, 18, network, last].into()));
        let names: Vec<String> = hosts.map(plain::name).collect();
        let mut targets = vec!["198.18.0.0/27", "198.18.1.0/27"];
        targets.extend(names.iter().map(String::as_str));
        let count = 2 * 32 + names.len();
        let syns = syns(work, &targets, count, &["--rate", "unlimited", "--prefix-rate", "10"]);
        assert_eq!(assert_prefixes_paced(&syns), 3);
    });
}
