//! Which targets get a record, how the program ends, how often a silent target is tried.

use std::path::Path;

use crate::files::{json_rows, read};
use crate::support::namespace::alone;
use crate::support::syns::Syns;
use crate::world;

const TARGETS: [&str; 3] = ["198.18.0.0/28", "-x", "198.18.0.15"];

#[test]
fn keep_chooses_among_the_same_rows() {
    alone("choices::keep_chooses_among_the_same_rows", |work| {
        world::start(work);
        // The host that drops one SYN is met first, so that all scans find it alike.
        world::scan(&["198.18.0.9", "-q"]).ends(0);
        let kept = |which: &str| {
            let path = work.join(format!("{which}.jsonl"));
            world::scan(&[&TARGETS[..], &["--keep", which, "-o", path.to_str().unwrap()]].concat()).ends(0);
            json_rows(&read(Path::new(&path)))
        };
        let (all, greeted, findings) = (kept("all"), kept("greeted"), kept("findings"));
        assert_eq!(all.len(), 15);
        let sent = |outcome: &str| ["greeted", "rejected", "not_smtp"].contains(&outcome);
        assert_eq!(greeted, all.iter().filter(|row| sent(&row[3])).cloned().collect());
        assert_eq!(findings, all.iter().filter(|row| !row[5].is_empty()).cloned().collect());
        assert!(findings.len() < greeted.len() && !findings.is_empty());
        // Without a word, it is `greeted`, on stdout.
        assert_eq!(json_rows(&world::scan(&[&TARGETS[..], &["-q"]].concat()).ends(0).out), greeted);
    });
}

#[test]
fn findings_as_severe_as_feared_end_it_with_1() {
    alone("choices::findings_as_severe_as_feared_end_it_with_1", |work| {
        world::start(work);
        for (target, severity, code) in [
            // No PTR: high.
            ("198.18.0.10", "high", 1),
            ("198.18.0.10", "info", 1),
            // No name in the banner: low.
            ("198.18.0.5", "info", 0),
            ("198.18.0.3", "low", 1),
            ("198.18.0.3", "high", 0),
            ("198.18.0.1", "info", 0),
        ] {
            let ran = world::scan(&[target, "--fail-on", severity, "-q"]).ends(code);
            let told = format!("banneret: findings reached `--fail-on {severity}`; the first: {target}:25 ");
            assert_eq!(ran.err.starts_with(&told) && ran.err.lines().count() == 1, code == 1, "{ran:?}");
            assert_eq!(ran.err.is_empty(), code == 0, "{ran:?}");
        }
        world::scan(&["198.18.0.10", "-q"]).ends(0);
        // A row that is not kept still counts.
        world::scan(&["198.18.0.10", "--fail-on", "high", "-q", "--format", "csv"]).ends(1);
    });
}

#[test]
fn a_target_that_drops_a_syn_is_tried_again_as_often_as_wished() {
    alone("choices::a_target_that_drops_a_syn_is_tried_again_as_often_as_wished", |work| {
        world::start(work);
        let tried = |target: &str, retries: &str| {
            let listener = Syns::listen();
            let ran = world::scan(&[target, "--retries", retries, "--keep", "all", "-q"]).ends(0);
            let row = json_rows(&ran.out).pop_first().unwrap();
            let attempts =
                serde_json::from_str::<serde_json::Value>(&ran.out).unwrap()["smtp"]["attempts"].clone();
            (listener.end().len(), row[3].clone(), attempts.as_u64())
        };
        // Silent for ever, then silent for once.
        for (retries, syns) in [("0", 1), ("1", 2), ("3", 4)] {
            assert_eq!(tried("198.18.0.7", retries).0, syns, "--retries {retries}");
        }
        assert_eq!(tried("198.18.0.7", "1").1, "timed_out");
        assert_eq!(tried("198.18.0.9", "1"), (2, "greeted".to_owned(), Some(2)));
        // A refusal is an answer.
        assert_eq!(tried("198.18.0.8", "3").0, 1);
    });
}
