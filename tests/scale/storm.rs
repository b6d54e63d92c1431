//! Servers of one network that ask for less (421) get less, and nobody else does.

use std::collections::BTreeMap;

use crate::support::hosts::{RESOLVER, serve_hosts, serve_names};
use crate::support::namespace::alone;
use crate::support::program::{Ran, command};
use crate::support::syns::Syns;
use banneret::demo::plain::{self, Plain};
use banneret::prefix::Prefix;

/// The third octet of the network that asks for less.
const STORM: u8 = 7;
const MILLISECOND: u64 = 1_000_000;

#[test]
fn a_network_that_says_421_is_slowed_to_one_a_second_and_no_other_is() {
    alone("storm::a_network_that_says_421_is_slowed_to_one_a_second_and_no_other_is", |work| {
        serve_hosts(&[25], |ip, _| match ip.octets()[2] {
            STORM => format!("421 {} too many connections\r\n", plain::name(ip)).into_bytes(),
            _ => plain::greeting(ip).to_vec(),
        });
        serve_names(Plain::of(Prefix::parse(crate::BLOCK).unwrap()));
        let out = work.join("records.csv");
        let listener = Syns::listen();
        let targets: Vec<String> = (0..8)
            .map(|network| {
                format!("198.18.{network}.0-198.18.{network}.{}", if network == STORM { 8 } else { 19 })
            })
            .collect();
        let mut words = vec![
            "scan",
            "--allow-reserved",
            "--prefix-rate",
            "10",
            "--resolver",
            RESOLVER,
            "-o",
            out.to_str().unwrap(),
            "--progress",
            "never",
        ];
        words.extend(targets.iter().map(String::as_str));
        let ran: Ran = command(&words).output().unwrap().into();
        let ran = ran.ends(0);
        let mut times: BTreeMap<u8, Vec<u64>> = BTreeMap::new();
        for syn in listener.end() {
            times.entry(syn.ip.octets()[2]).or_default().push(syn.time);
        }
        let gaps = |network: u8| -> Vec<u64> {
            times[&network].windows(2).map(|pair| (pair[1] - pair[0]) / MILLISECOND).collect()
        };
        println!("421 from 198.18.{STORM}.0/24: gaps of {:?} ms", gaps(STORM));
        let slowed = gaps(STORM);
        assert_eq!(slowed.len(), 8, "a 421 is not tried again: {}", ran.err);
        assert!(slowed[4..].iter().all(|&gap| gap >= 950), "one a second at last: {slowed:?}");
        assert!(slowed.iter().all(|&gap| gap < 1500), "and no slower: {slowed:?}");
        for network in (0..8).filter(|&network| network != STORM) {
            let lasted = (times[&network][19] - times[&network][0]) / MILLISECOND;
            println!("198.18.{network}.0/24: 20 within {lasted} ms");
            // Nineteen intervals of 100 ms, less what a stall may have taken from the first of them.
            assert!((1850..3000).contains(&lasted), "198.18.{network}.0/24: 20 within {lasted} ms");
        }
    });
}
