//! What a conversation asks of the system.

use std::collections::BTreeMap;
use std::fs;

use crate::serve;
use crate::support::hosts::RESOLVER;
use crate::support::namespace::alone;
use crate::support::program::command_under;

const HOSTS: usize = 2048;
/// What one conversation needs, with how often. `getsockname`: each route may have an address of ours of its
/// own, and the record says which it was.
const NEEDED: [(&str, usize); 7] = [
    ("socket", 1),
    ("connect", 1),
    ("epoll_ctl", 1),
    ("recvfrom", 2), // the greeting, the 221
    ("sendto", 1),   // QUIT
    ("getsockname", 1),
    ("close", 1),
];

#[test]
fn a_conversation_makes_the_calls_that_it_needs_and_few_more() {
    alone("calls::a_conversation_makes_the_calls_that_it_needs_and_few_more", |work| {
        let _load = serve();
        let (records, trace) = (work.join("records.jsonl"), work.join("trace"));
        // Each call with the name of its thread.
        let strace = ["strace", "-fqqY", "-s", "0", "-e", "signal=none", "-o", trace.to_str().unwrap()];
        let scan = "scan --allow-reserved 198.18.0.0/21 --rate unlimited --prefix-rate unlimited --dns-rate unlimited \
                    --progress never --concurrency 1024";
        let mut words: Vec<&str> = scan.split_whitespace().collect();
        words.extend(["--resolver", RESOLVER, "-o", records.to_str().unwrap()]);
        let ended = command_under(&strace, &words).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        assert_eq!(fs::read_to_string(&records).unwrap().lines().count(), HOSTS);
        let text = fs::read_to_string(&trace).unwrap();
        let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
        for line in
            text.lines().filter(|line| line.contains("<conversations>") && !line.contains(" resumed>"))
        {
            let (_, call) = line.split_once("> ").unwrap();
            *calls.entry(call.trim_start().split('(').next().unwrap()).or_default() += 1;
        }
        // What a build with debug assertions asks of each descriptor before it closes it.
        calls.remove("fcntl");
        println!("for {HOSTS} hosts: {calls:?}");
        for (call, times) in NEEDED {
            let made = calls.remove(call).unwrap_or_default();
            assert!(made >= HOSTS * times, "`{call}` was counted: {made}");
            assert!(made < HOSTS * times + HOSTS / 32, "`{call}`: {made}");
        }
        // A connection that takes 0.9 s, as many do where the machine is busy, is asked once whether its SYN
        // was lost.
        let asked = calls.remove("getsockopt").unwrap_or_default();
        assert!(asked < HOSTS, "`getsockopt`: {asked}");
        // Waits, naps and wakes serve many conversations at once.
        let shared: usize = calls.values().sum();
        assert!(shared < HOSTS, "{shared}: {calls:?}");
    });
}
