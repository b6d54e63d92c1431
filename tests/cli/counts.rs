//! The largest sets: how many there are is told at once and in little memory, and the first of them as well.

use crate::support::program::{measure, run};

/// Processor time that a count may take, in milliseconds, and memory, in bytes.
const TIME: u64 = 1000;
const MEMORY: u64 = 50 << 20;

/// What no scan speaks to, allowed or not: 0.0.0.0/8, 224.0.0.0/4 and 240.0.0.0/4.
const NEVER: u128 = (1 << 24) + (1 << 29);

#[test]
fn the_whole_internet_is_counted_at_once_and_in_little_memory() {
    for (words, count) in [
        (&["0.0.0.0/0"][..], (1_u128 << 32) - NEVER),
        (&["2001:db8::/32"], 1 << 96),
        (&["0.0.0.0/0", "-x", "192.0.2.0/24"], (1 << 32) - NEVER - 256),
        (&["2001:db8::/32", "2001:db8:7::/48", "0.0.0.0/0"], (1 << 96) + (1 << 32) - NEVER),
        (&["128.0.0.0/2", "--shard", "1/2", "--seed", "7"], 1 << 29),
    ] {
        let cost = measure(&[&["targets", "--count", "--allow-reserved"], words].concat());
        println!("{words:?}: {} ms, {} KiB", cost.milliseconds, cost.memory / 1024);
        assert_eq!(cost.ran.ends(0).out, format!("{count}\n"), "{words:?}");
        assert!(cost.milliseconds < TIME && cost.memory < MEMORY, "{words:?}");
    }
}

#[test]
fn all_of_ipv6_can_be_counted() {
    for words in [
        &["targets", "--count", "::/0"][..],
        &["targets", "--count", "--allow-reserved", "::/0", "0.0.0.0/0"],
    ] {
        let cost = measure(words);
        println!("{words:?}: {} ms, {} KiB: {}", cost.milliseconds, cost.memory / 1024, cost.ran.out.trim());
        let count: u128 = cost.ran.ends(0).out.trim().parse().expect("a number");
        assert!(count > 1 << 124, "{words:?}: {count}");
        assert!(cost.milliseconds < TIME && cost.memory < MEMORY, "{words:?}");
    }
}

#[test]
fn the_first_of_the_largest_sets_come_at_once_too() {
    for prefix in ["0.0.0.0/0", "2001:db8::/32", "::/0"] {
        let cost = measure(&["targets", "--allow-reserved", "--max-targets", "1000", prefix]);
        println!("{prefix}: {} ms, {} KiB", cost.milliseconds, cost.memory / 1024);
        assert_eq!(cost.ran.ends(0).lines().len(), 1000, "{prefix}");
        assert!(cost.milliseconds < TIME && cost.memory < MEMORY, "{prefix}");
    }
}

/// Prefixes of half a network each, all over IPv4, none beside another.
#[test]
fn a_hundred_thousand_exclusions_hold_up_the_first_target_by_little() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("never.txt");
    let prefix = |number: u32| format!("{}/25\n", std::net::Ipv4Addr::from((1 << 24) + number * 0x9000));
    let cost = |listed: u32| {
        std::fs::write(&file, (0..listed).map(prefix).collect::<String>()).unwrap();
        let file = file.to_str().unwrap();
        let cost = measure(&["targets", "--max-targets", "1", "0.0.0.0/0", "--exclude-file", file]);
        println!("{listed} exclusions: {} ms, {} KiB", cost.milliseconds, cost.memory / 1024);
        cost
    };
    let (few, many) = (cost(10_000), cost(100_000));
    assert_eq!(many.ran.ends(0).lines().len(), 1);
    // In proportion to the list, and not to its square, which would be a hundred times as much.
    assert!(many.milliseconds < 20 * few.milliseconds.max(50), "{} ms", many.milliseconds);
    assert!(many.memory < few.memory + (64 << 20), "{} bytes", many.memory);
}

#[test]
fn a_dry_run_tells_how_many_how_long_and_what_is_left_out_by_which_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("never.txt");
    std::fs::write(&path, "198.51.100.0/25\n").unwrap();
    let file = path.to_str().unwrap();
    let ran = run(&[
        "scan",
        "--dry-run",
        "--allow-reserved",
        "198.51.100.0/24",
        "mail.example.org",
        "--exclude-file",
        file,
        "-x",
        "198.51.100.200",
        "--seed",
        "7",
    ])
    .ends(0);
    assert_eq!(
        ran.out,
        format!(
            "128 targets, of which 1 host name; seed 7\n\
             1 address excluded by --exclude\n\
             128 addresses excluded by {file}\n\
             10 connections a second, bounded by --prefix-rate over 1 network; at most 4000 conversations at once\n\
             at least 13s at that rate\n\
             nothing was sent\n"
        )
    );
    assert_eq!(ran.err, "");
    let reserved = run(&["scan", "--dry-run", "192.0.2.0/24", "203.0.113.7", "192.88.98.1"]).ends(0);
    assert!(
        reserved.out.starts_with("1 target,") && reserved.out.contains("257 addresses excluded by"),
        "{reserved:?}"
    );
    for large in ["0.0.0.0/0", "::/0"] {
        let ran = run(&["scan", "--dry-run", large]).ends(0);
        assert!(ran.out.ends_with("nothing was sent\n") && ran.out.contains("at least "), "{ran:?}");
    }
}

#[test]
fn names_are_estimated_by_the_overall_rate_and_samples_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let names = folder.path().join("names.txt");
    std::fs::write(&names, (0..1000).map(|n| format!("mail{n}.example.org")).collect::<Vec<_>>().join("\n"))
        .unwrap();
    let names = names.to_str().unwrap();
    let dry = |words: &[&str]| run(&[&["scan", "--dry-run", "--allow-reserved"], words].concat()).ends(0).out;
    for (words, told) in [
        (&["-i", names][..], "\nat least 1s at that rate\n"),
        (&["-i", names, "198.51.100.0/24"], "bounded by --prefix-rate over 1 network; "),
        (&["-i", names, "198.51.100.0/24"], "\nat least 26s at that rate\n"),
        (
            &["198.51.100.0/26", "--samples", "3"],
            "\nat least 7s at that rate, and up to 20s as more of the targets greet (--samples 3)\n",
        ),
    ] {
        let out = dry(words);
        assert!(out.contains(told), "{words:?}: {out}");
    }
}

#[test]
fn a_shard_without_targets_says_why() {
    let words = ["198.51.100.0/24", "--allow-reserved", "--seed", "3"];
    let told = "has none of the targets: each /24 or /48 is one machine's as a whole, and there are fewer of them than shards";
    let mut empty = 0;
    for shard in ["1/4", "2/4", "3/4", "4/4"] {
        let ran = run(&[&["targets", "--count", "--shard", shard], &words[..]].concat()).ends(0);
        if ran.out == "0\n" {
            empty += 1;
            assert_eq!(ran.err, format!("banneret: shard {shard} {told}\n"));
            let dry = run(&[&["scan", "--dry-run", "--shard", shard], &words[..]].concat()).ends(0);
            assert!(dry.out.contains(&format!("\nshard {shard} {told}\n")), "{dry:?}");
        } else {
            assert_eq!((ran.out.as_str(), ran.err.as_str()), ("256\n", ""));
        }
    }
    assert_eq!(empty, 3);
}

#[test]
fn network_data_without_a_network_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("empty.mmdb", ""),
        ("empty.csv", ""),
        ("comment.csv", "# date: 2026-01-02\n\n"),
        ("header.csv", "start,end,asn,name\n"),
        ("routed-by-nobody.tsv", "192.0.2.0\t192.0.2.255\t0\tNone\tNot routed\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        let ran = run(&["targets", "--allow-reserved", "192.0.2.1", "--asn-db", path]).ends(2);
        let told =
            format!("banneret: ASN data `{path}` holds no network; an empty file may be half a download\n");
        assert_eq!((ran.out.as_str(), ran.err), ("", told));
    }
}
