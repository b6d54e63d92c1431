//! Two resolvers that pass every control and contradict each other about single names: no host is told a word
//! that one of them denies, and both are named.

use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::Value;

use crate::support::hosts::serve_hosts;
use crate::support::namespace::alone;
use crate::support::program::{Ran, command};
use crate::support::schema::assert_lines;
use crate::upstream::{Behavior, Upstream, has_ptr, own_name};

const HONEST: &str = "127.0.0.2:53";
const DEVIATING: &str = "127.0.0.3:53";
const BLOCK: &str = "198.18.0.0/25";

/// Asserts that hosts about which nobody differs are told the truth, and the others nothing that is said
/// against them. Gives how many are undetermined.
fn assert_none_wrong(what: &str, records: &[Value]) -> usize {
    let mut open = 0;
    for record in records {
        let ip: Ipv4Addr = record["target"]["ip"].as_str().unwrap().parse().unwrap();
        let verdict = record["verdict"].as_str().unwrap();
        let is_disputed = matches!(ip.octets()[3] % 8, 1 | 2);
        let truth = if has_ptr(ip.into()) { "match" } else { "no_ptr" };
        if is_disputed && verdict == "undetermined" {
            open += 1;
            let dns = record["dns"].to_string();
            assert!(dns.contains("untrusted"), "{what}: {record}");
            assert_eq!(record["findings"], serde_json::json!([]), "{what}: {record}");
        } else {
            assert_eq!(verdict, truth, "{what}: {record}");
        }
    }
    open
}

/// The lines that name both resolvers.
fn lines_of_both(text: &str) -> Vec<&str> {
    let is_it = |line: &&str| line.contains("contradict each other");
    let lines: Vec<&str> = text.lines().filter(is_it).collect();
    assert!(lines.iter().all(|line| line.contains(HONEST) && line.contains(DEVIATING)), "{text}");
    lines
}

fn run(work: &Path, words: &[&str], resolvers: [&str; 2]) -> (Vec<Value>, String) {
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile_in(work).unwrap();
    let out = file.path().to_str().unwrap();
    let dns = ["--resolver", resolvers[0], "--resolver", resolvers[1], "--dns-timeout", "5s"];
    let ran: Ran = command(&[words, &dns, &["--overwrite", "-o", out]].concat()).output().unwrap().into();
    let err = ran.ends(0).err;
    (assert_lines(&std::fs::read_to_string(file.path()).unwrap()), err)
}

#[test]
fn resolvers_that_contradict_each_other_are_named_and_their_hosts_are_undetermined() {
    alone(
        "contradicting::resolvers_that_contradict_each_other_are_named_and_their_hosts_are_undetermined",
        |work| {
            serve_hosts(&[25], |ip, _| format!("220 {} ESMTP Postfix\r\n", own_name(ip.into())).into_bytes());
            Upstream::of(Behavior::Honest).serve(HONEST);
            Upstream::of(Behavior::Deviates).serve(DEVIATING);
            let scan =
                ["scan", "--allow-reserved", BLOCK, "--prefix-rate", "unlimited", "--progress", "never"];
            for resolvers in [[HONEST, DEVIATING], [DEVIATING, HONEST]] {
                let (records, err) = run(work, &scan, resolvers);
                let open = assert_none_wrong("scan", &records);
                println!("{resolvers:?}: {open} of 32 undetermined by scan: {err}");
                assert!(records.len() == 128 && open > 0, "{open}: {err}");
                assert_eq!(lines_of_both(&err).len(), 1, "{err}");
                let stored = work.join("stored.jsonl");
                let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
                std::fs::write(&stored, lines.join("\n")).unwrap();
                let judge = ["judge", "--resolve=all", stored.to_str().unwrap()];
                let (records, err) = run(work, &judge, resolvers);
                let open = assert_none_wrong("judge", &records);
                println!("{resolvers:?}: {open} of 32 undetermined by judge: {err}");
                assert!(records.len() == 128 && open > 0, "{open}: {err}");
                assert_eq!(lines_of_both(&err).len(), 1, "{err}");
            }
            for target in ["198.18.0.1", "198.18.0.2", "198.18.0.3"] {
                let words = ["check", "--allow-reserved", "--format", "json", target, "--resolver", HONEST];
                let ran: Ran =
                    command(&[&words[..], &["--resolver", DEVIATING]].concat()).output().unwrap().into();
                let told: Value = serde_json::from_str(&ran.out).unwrap();
                let record = told["servers"][0]["record"].clone();
                println!("check {target}: {} {}", record["verdict"], ran.err);
                let open = assert_none_wrong("check", &[record]);
                assert_eq!(lines_of_both(&ran.err).len(), open, "{}", ran.err);
            }
        },
    );
}
