//! A sample that is stopped and resumed is the sample that was begun.

use std::collections::BTreeSet;
use std::fs;

use banneret::demo::zone::Held;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::hosts::{RESOLVER, serve_hosts, serve_names};
use crate::support::namespace::{alone, await_some};
use crate::support::program::{Ran, command, run};

const WORDS: [&str; 7] =
    ["--allow-reserved", "--seed", "7", "--max-targets", "300", "198.18.0.0/20", "198.19.0.0/30"];

#[test]
fn a_sample_is_resumed_where_it_was_stopped() {
    alone("samples::a_sample_is_resumed_where_it_was_stopped", |work| {
        serve_hosts(&[25], |_, _| b"220 mail.example.org ESMTP\r\n".to_vec());
        serve_names(Held::default());
        let output = work.join("sample.jsonl");
        let path = output.to_str().unwrap();
        let flags = ["--rate", "100", "--resolver", RESOLVER, "-o", path, "--dns-timeout", "1s"];
        let scan = command(&[&["scan"], &flags[..], &WORDS].concat()).spawn().unwrap();
        let rows = || fs::read_to_string(&output).map_or(0, |text| text.lines().count());
        await_some("some records", || (rows() >= 20).then_some(()));
        let process = Pid::from_raw(i32::try_from(scan.id()).unwrap()).unwrap();
        kill_process(process, Signal::INT).unwrap();
        Ran::from(scan.wait_with_output().unwrap()).ends(3);
        assert!((20..300).contains(&rows()), "{} records at the stop", rows());
        run(&["scan", "--resume", &format!("{path}.checkpoint")]).ends(0);

        let text = fs::read_to_string(&output).unwrap();
        let address = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["target"]["ip"].as_str().unwrap().to_owned()
        };
        let scanned: BTreeSet<String> = text.lines().map(address).collect();
        assert_eq!((scanned.len(), text.lines().count()), (300, 300), "each once");
        let listed = run(&[&["targets"], &WORDS[..]].concat()).ends(0);
        assert_eq!(scanned, listed.out.lines().map(str::to_owned).collect());
    });
}
