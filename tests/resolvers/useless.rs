//! A resolver that is of no use is told: which, why, since when, how much, and what to do; at the start soon
//! enough for a person who waits.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::hosts::serve_hosts;
use crate::support::namespace::alone;
use crate::support::program::{Ran, command};
use crate::upstream::{Behavior, Upstream, own_name};

const BLOCK: &str = "198.18.0.0/25";
/// When it is to be told: five seconds, and some for a machine that is busy.
const SOON: Duration = Duration::from_secs(8);

/// The line that a command wrote about a resolver, and when.
fn line_about(at: &str, words: &[&str]) -> (String, Duration) {
    let began = Instant::now();
    let mut child = command(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut about = lines.filter(|line| line.contains(&format!("resolver `{at}`")));
    let first = about.next().unwrap_or_else(|| panic!("{words:?} said nothing about it"));
    let after = began.elapsed();
    assert!(about.count() <= 1, "it is told once, or for PTR names and for addresses");
    child.wait().unwrap();
    (first, after)
}

/// A scan of a few hosts; by turns judging its records with DNS asked again, or a check of one host.
fn commands(work: &Path, at: &str, turn: usize) -> [Vec<String>; 2] {
    let records = work.join("records.jsonl");
    let records = records.to_str().unwrap();
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    let dns = ["--resolver", at, "--dns-timeout", "2s"];
    let out = ["--progress", "never", "--overwrite", "-o", records];
    let scan = [&["scan", "--allow-reserved", BLOCK, "--prefix-rate", "unlimited"][..], &dns, &out].concat();
    let judge = [&["judge", "--resolve", records][..], &dns].concat();
    let check = [&["check", "--allow-reserved", "198.18.0.1"][..], &dns].concat();
    [owned(&scan), owned(if turn.is_multiple_of(2) { &judge } else { &check })]
}

#[test]
fn a_resolver_of_no_use_is_told_within_seconds() {
    alone("useless::a_resolver_of_no_use_is_told_within_seconds", |work| {
        serve_hosts(&[25], |ip, _| format!("220 {} ESMTP Postfix\r\n", own_name(ip.into())).into_bytes());
        let rows = [
            (None, "127.0.0.9:53", "has not answered any of"),
            (Some(Behavior::Refuses), "127.0.0.10:53", "(REFUSED)"),
            (Some(Behavior::Fails), "127.0.0.11:53", "(SERVFAIL)"),
            (Some(Behavior::Policy), "127.0.0.12:53", "filters and policy zones"),
        ];
        for (turn, (behavior, at, said)) in rows.into_iter().enumerate() {
            if let Some(behavior) = behavior {
                Upstream::of(behavior).serve(at);
            }
            for words in commands(work, at, turn) {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let (line, after) = line_about(at, &words);
                println!("{} {at} after {after:?}: {line}", words[0]);
                assert!(line.contains(said) && line.contains("since the start"), "{line}");
                assert!(line.contains("name another with `--resolver`"), "{line}");
                assert!(after < SOON, "{after:?}: {line}");
            }
        }
    });
}

#[test]
fn a_resolver_that_is_of_no_more_use_half_way_is_told_with_the_time_since_when() {
    alone("useless::a_resolver_that_is_of_no_more_use_half_way_is_told_with_the_time_since_when", |work| {
        serve_hosts(&[25], |ip, _| format!("220 {} ESMTP Postfix\r\n", own_name(ip.into())).into_bytes());
        let rows = [
            (Behavior::RefusesLater, "127.0.0.9:53", "questions since 2", "(REFUSED)"),
            (Behavior::FailsLater, "127.0.0.10:53", "questions since 2", "(SERVFAIL)"),
            (Behavior::SilentLater, "127.0.0.11:53", "packets since 2", "has not answered any of"),
        ];
        // At once, for each takes as long as the hosts' pace asks for.
        std::thread::scope(|scope| {
            for (behavior, at, since, said) in rows {
                Upstream::of(behavior).serve(at);
                scope.spawn(move || assert_told_half_way(work, at, since, said));
            }
        });
    });
}

fn assert_told_half_way(work: &Path, at: &str, since: &str, said: &str) {
    let file = work.join(format!("{}.jsonl", at.replace(':', "-")));
    let words = ["scan", "--allow-reserved", BLOCK, "--prefix-rate", "20", "--resolver", at, "--dns-timeout"];
    let end = ["2s", "--progress", "never", "-o", file.to_str().unwrap()];
    let ran: Ran = command(&[&words[..], &end].concat()).output().unwrap().into();
    let err = ran.ends(0).err;
    println!("{at}: {err}");
    let line = err.lines().find(|line| line.contains(said)).unwrap_or_else(|| panic!("{at}: {err}"));
    assert!(line.contains(at) && line.contains(since) && line.contains("`--resolver`"), "{line}");
    let manifest = std::fs::read_to_string(format!("{}.manifest.json", file.display())).unwrap();
    assert!(manifest.contains(said), "{manifest}");
}
