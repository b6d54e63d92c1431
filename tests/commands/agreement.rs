//! One record, one judgement: what `scan` writes, `check --format json` and `judge` print is the same word
//! for word, for the same evidence, `--accept` and `--providers`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use banneret::demo::Block;
use banneret::judge::{Code, Context};
use banneret::prefix::Prefix;
use banneret::record::{Record, Unjudged, json, read};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::cli::run;
use crate::support::evidence::{acceptances, providers, seen};
use crate::support::hosts::serve_at;
use crate::support::namespace::alone;
use crate::support::schema::assert_lines;

fn line(record: &Record) -> String {
    let mut line = Vec::new();
    json::encode(record, &mut line);
    String::from_utf8(line).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A scan writes the line of what it has judged, `check` prints that line, `judge` reads it and judges
    /// what it read.
    #[test]
    fn a_stored_record_is_judged_as_it_was_when_it_was_seen(
        seen in seen(), acceptances in acceptances(), providers in providers(),
    ) {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let context =
            Context { accepts: Some((&acceptances, now)), providers: Some(&providers), ..Context::default() };
        let written = line(&seen.judge(&context));
        let again = Unjudged::from(read::decode(&written).unwrap()).judge(&context);
        prop_assert_eq!(line(&again), written);
    }

    /// DNS is asked for the same name by a scan, which has the host before it, and by `judge --resolve`,
    /// which has a line.
    #[test]
    fn a_stored_record_asks_for_the_name_that_the_scan_asked_for(seen in seen()) {
        let asked = seen.evidence.greeting_source().name_to_resolve();
        let stored = read::decode(&line(&seen.judge(&Context::default()))).unwrap();
        prop_assert_eq!(stored.evidence.greeting_source().name_to_resolve(), asked);
    }
}

#[test]
fn random_evidence_reaches_every_finding_of_one_host() {
    let mut runner = TestRunner::deterministic();
    let mut met = BTreeSet::new();
    for _ in 0..20_000 {
        let (seen, providers) = (seen(), providers()).new_tree(&mut runner).unwrap().current();
        let context = Context { providers: Some(&providers), ..Context::default() };
        met.extend(seen.judge(&context).judgement.findings.iter().map(|finding| finding.code.as_str()));
    }
    // These two need the other hosts of a run.
    let of_a_run = [Code::ClonedImage, Code::StaleBanner];
    let all = Code::ALL.iter().filter(|code| !of_a_run.contains(code)).map(|code| code.as_str());
    assert_eq!(met, all.collect::<BTreeSet<_>>());
}

/// The record without what differs from one conversation to the next.
fn lasting(record: &Value) -> Value {
    let mut lasting = record.clone();
    lasting["time"].take();
    lasting["target"]["asked"].take();
    for field in ["connect_ms", "banner_ms", "attempts"] {
        lasting["smtp"][field].take();
    }
    lasting
}

const ACCEPT: &str = "[[accept]]\ncode = \"ptr_missing\"\naddress = \"127.25.0.0/25\"\nreason = \"known\"\nuntil = \"2099-12-31\"\n\
    [[accept]]\ncode = \"banner_differs\"\nreason = \"known\"\nuntil = \"2099-12-31\"\n";

#[test]
fn scan_check_and_judge_say_the_same_of_hostile_hosts() {
    alone("agreement::scan_check_and_judge_say_the_same_of_hostile_hosts", |work| {
        let block = Block::new(Prefix::parse("127.25.0.0/25").unwrap(), 5).unwrap();
        let running = block.serve().unwrap();
        let echoes = [
            ("127.26.0.1", &b"220 scanner.probe.bv ESMTP\r\n"[..]),
            ("127.26.0.2", b"220 [127.0.0.9] ESMTP\r\n"),
            ("127.26.0.3", b"220 127.0.0.9 ESMTP\r\n"),
            ("127.26.0.4", b"220 [203.0.113.9] ESMTP\r\n"),
            ("127.26.0.5", b"220 [127.26.0.5] ESMTP\r\n"),
            ("127.26.0.6", b"554 scanner.probe.bv is not welcome\r\n"),
        ];
        for (ip, greeting) in echoes {
            serve_at(ip.parse().unwrap(), running.smtp_port(), greeting.to_vec());
        }
        let file = |name: &str| work.join(name).to_str().unwrap().to_owned();
        fs::write(file("accept.toml"), ACCEPT).unwrap();
        fs::write(file("providers"), "isp.bv\nhost.bv shared # a crowd\n").unwrap();
        let (port, dns) = (running.smtp_port().to_string(), running.dns().to_string());
        let rules = ["--accept", &file("accept.toml"), "--providers", &file("providers")].map(str::to_owned);
        let (accept, providers) = (&rules[1], &rules[3]);
        let of_hosts = format!(
            "--allow-reserved --port {port} --probe ehlo --ehlo-name scanner.probe.bv --source-ip 127.0.0.9 \
             --own-address 203.0.113.9 --resolver {dns} --dns-rate unlimited --dns-timeout 1s --retries 0 \
             --connect-timeout 1s --greeting-timeout 2500ms --accept {accept} --providers {providers}"
        );
        let output = file("a.jsonl");
        let scan = format!(
            "scan {of_hosts} --prefix-rate unlimited --keep all --progress never -o {output} 127.25.0.0/25 127.26.0.0/29"
        );
        run(&scan.split_whitespace().collect::<Vec<_>>()).fine();
        let written = fs::read_to_string(&output).unwrap();
        let records = assert_lines(&written);
        // Read from a pipe, so that nothing of the whole run is known; so does a scan.
        let judge = format!("judge --accept {accept} --providers {providers} -");
        let judged =
            crate::cli::run_with(&judge.split_whitespace().collect::<Vec<_>>(), written.as_bytes()).fine();
        for (judged, written) in judged.lines().zip(written.lines()) {
            assert_eq!(judged, written, "`judge` of what `scan` wrote");
        }
        assert_eq!(judged.lines().count(), records.len());
        let mut compared = 0;
        let by_ip: BTreeMap<IpAddr, &Value> =
            records.iter().map(|it| (it["target"]["ip"].as_str().unwrap().parse().unwrap(), it)).collect();
        for (ip, scanned) in by_ip.iter().filter(|(_, scanned)| !scanned["verdict"].is_null()) {
            let check = format!("check {of_hosts} --format json {ip}");
            let told: Value =
                serde_json::from_str(&run(&check.split_whitespace().collect::<Vec<_>>()).told()).unwrap();
            let checked = &told["servers"][0]["record"];
            // A host that says another name each time gives other evidence, and so does a resolver without
            // Internet that denies: one host alone has fewer controls for it than a block has.
            let is_same = |part: &str, field: &str| checked[part][field] == scanned[part][field];
            if is_same("smtp", "banner") && is_same("dns", "ptr") && is_same("dns", "banner_forward") {
                compared += 1;
                assert_eq!(lasting(checked), lasting(scanned), "`check` and `scan` of {ip}");
            }
        }
        assert!(compared > 80, "{compared} hosts compared");
        let of = |ip: &str| by_ip[&ip.parse().unwrap()];
        for (ip, finding) in [
            ("127.26.0.1", "banner_absent"),
            ("127.26.0.2", "banner_absent"),
            ("127.26.0.3", "banner_absent"),
            ("127.26.0.4", "banner_absent"),
            ("127.26.0.5", "banner_literal"),
            ("127.26.0.6", "banner_absent"),
        ] {
            let record = of(ip);
            let banner: Vec<&Value> = record["findings"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|code| code.as_str().unwrap().starts_with("banner_"))
                .collect();
            assert_eq!(banner, [finding], "{record}");
            assert_eq!(record["smtp"]["banner_name"], Value::Null);
            assert_eq!(record["dns"]["banner_forward"]["status"], "not_asked", "an echo is not asked for");
        }
        // Nothing is open of them, so that DNS is asked nothing more and their words stay.
        let resolve = format!("judge --resolve --resolver {dns} --accept {accept} --providers {providers} -");
        let echoes: String = written.split_inclusive('\n').filter(|it| it.contains("\"127.26.0.")).collect();
        let resolved =
            crate::cli::run_with(&resolve.split_whitespace().collect::<Vec<_>>(), echoes.as_bytes());
        assert_eq!(resolved.out, echoes);
        // What the user says of the server is kept with it, as a target list would say it.
        let check = format!("check {of_hosts} --tenancy shared --format json 127.26.0.1");
        let told: Value =
            serde_json::from_str(&run(&check.split_whitespace().collect::<Vec<_>>()).fine()).unwrap();
        let record = &told["servers"][0]["record"];
        assert_eq!(
            (&record["tenancy"], &record["target"]["tags"]["tenancy"]),
            (&"shared".into(), &"shared".into())
        );
        let scanner = serde_json::json!({
            "name": "scanner.probe.bv",
            "ip": "127.0.0.9",
            "engine": "connect",
            "own_addresses": ["203.0.113.9"],
        });
        assert_eq!(of("127.26.0.1")["scanner"], scanner);
        drop(running);
    });
}
