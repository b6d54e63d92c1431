//! What lists may hold, what is left of them after exclusions, and the order in which it comes.

use std::collections::BTreeSet;

use crate::support::program::{run, run_with_stdin};

/// Lists the targets of some words, sorted.
#[track_caller]
fn listed(words: &[&str], stdin: &[u8]) -> Vec<String> {
    let ran = run_with_stdin(&[&["targets", "--allow-reserved"], words].concat(), stdin).ends(0);
    let mut lines: Vec<String> = ran.lines().into_iter().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn every_form_of_a_list_is_read() {
    let plain = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
    for list in [
        "192.0.2.1\n192.0.2.2\n2001:db8::1\n",
        "\u{feff}192.0.2.1\r\n192.0.2.2\r\n2001:db8::1",
        "192.0.2.1\r192.0.2.2\r2001:db8::1\r",
        "\t192.0.2.1\t\n  192.0.2.2  \n\n\n2001:db8::1   # the third\n# the end",
        "; ours\n192.0.2.1 ; one\n192.0.2.2\n2001:db8::1\n",
        "192.0.2.1\n::ffff:192.0.2.2\n[2001:DB8::1]\n",
        "192.0.2.1-192.0.2.2\n2001:db8::1/128\n192.0.2.1/32\n192.0.2.2\n",
        "name,ip\none,192.0.2.1\ntwo,192.0.2.2\nthree,2001:db8::1\n",
        "TARGET;customer\n192.0.2.1;a\n192.0.2.2;b\n\"2001:db8::1\";\"c;d\"\n",
    ] {
        assert_eq!(listed(&["-i", "-"], list.as_bytes()), plain, "{list:?}");
    }
    for headed in [
        "saddr\n192.0.2.1\n192.0.2.2\n2001:db8::1\n",
        "\"IP Address\",\"Host Name\"\n\"192.0.2.1\",a\n\"192.0.2.2\",b\n\"2001:db8::1\",c\n",
        "id,address,status\n1,192.0.2.1/24,active\n2,192.0.2.2/24,active\n3,2001:db8::1/64,active\n",
        "HOSTNAME;ip_address\na;192.0.2.1\nb;192.0.2.2\nc;2001:db8::1\n",
    ] {
        assert_eq!(listed(&["-i", "-"], headed.as_bytes()), plain, "{headed:?}");
    }
    assert_eq!(listed(&["-i", "-"], b""), [""; 0]);
    let names = "B\u{fc}cher.Example.\nmx:Example.org\nmail.example.org\nMAIL.example.org.\n".as_bytes();
    assert_eq!(listed(&["-i", "-"], names), ["mail.example.org", "mx:example.org", "xn--bcher-kva.example"]);
}

#[test]
fn overlaps_are_listed_once_and_every_address_is() {
    let words = [
        "192.0.2.0/24",
        "192.0.2.128/25",
        "192.0.2.7",
        "192.0.2.250-198.51.100.3",
        "::ffff:192.0.2.0/120",
        "-x",
        "192.0.3.0-198.51.99.255",
    ];
    let all = listed(&words, b"");
    let distinct: BTreeSet<&String> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (260, 260));
    assert!(distinct.contains(&"192.0.2.0".to_owned()) && distinct.contains(&"192.0.2.255".to_owned()));
}

#[test]
fn an_exclusion_wins_however_and_wherever_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("never");
    std::fs::write(&path, "# 2026-01-02 asked by mail\n192.0.2.3\n192.0.2.8/29\n").unwrap();
    let file = path.to_str().unwrap();
    let left = listed(
        &["192.0.2.0/28", "192.0.2.3", "192.0.2.9", "-x", "192.0.2.0-192.0.2.1", "--exclude-file", file],
        b"",
    );
    assert_eq!(left, ["192.0.2.2", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7"]);
    let left = listed(&["192.0.2.3", "192.0.2.4", "--exclude-file", "-"], b"::ffff:192.0.2.3\n");
    assert_eq!(left, ["192.0.2.4"]);
    assert_eq!(listed(&["192.0.2.0/24", "-x", "0.0.0.0/0"], b""), [""; 0]);
}

#[test]
fn special_purpose_addresses_are_left_out_unless_they_are_allowed() {
    let special =
        ["127.0.0.1", "10.0.0.0/30", "192.0.2.1", "198.18.0.1", "224.0.0.1", "::1", "2001:db8::1", "fe80::1"];
    assert_eq!(run(&[&["targets"], &special[..]].concat()).ends(0).out, "");
    // Nobody can be spoken to at a multicast address.
    assert_eq!(listed(&special, b"").len(), 10);
}

#[test]
fn bad_lines_are_told_and_left_out_if_so_wished() {
    let list = b"192.0.2.1\n192.0.2.5/24\n192.0.2.2\nnot a target\n192.0.2.3\n";
    let ran = run_with_stdin(
        &["targets", "--allow-reserved", "--skip-bad-targets", "-i", "-", "192.0.2.300"],
        list,
    )
    .ends(0);
    assert_eq!(ran.lines().len(), 3, "{ran:?}");
    assert_eq!(
        ran.err,
        "banneret: skipped: target `192.0.2.300` is not an address: write it as `192.0.2.7` or `2001:db8::7`\n\
         banneret: skipped: target list `stdin` line 2: `192.0.2.5/24` has bits set behind the prefix; the network is `192.0.2.0/24`\n\
         banneret: skipped: target list `stdin` line 4: `not a target` holds more than one target; write one a line\n"
    );
}

#[test]
fn one_seed_is_one_order_and_another_seed_another() {
    let words = |seed| {
        [
            "targets",
            "--allow-reserved",
            "198.18.0.0/20",
            "2001:db8::/118",
            "192.0.2.9-192.0.2.77",
            "--seed",
            seed,
        ]
    };
    let (first, again, other) = (run(&words("7")), run(&words("7")), run(&words("8")));
    assert_eq!(first.out, again.out);
    assert_ne!(first.out, other.out);
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&first.out), sorted(&other.out));
    assert_eq!(first.lines().len(), 4096 + 1024 + 69);
    assert_ne!(run(&words("7")[..4]).out, run(&words("7")[..4]).out, "without a seed, each run has its own");
    // The order of the words is no part of it.
    let shuffled = [
        "targets",
        "--allow-reserved",
        "--seed",
        "7",
        "2001:db8::/118",
        "192.0.2.9-192.0.2.77",
        "198.18.0.0/20",
    ];
    assert_eq!(run(&shuffled).out, first.out);
}

#[test]
fn a_sample_is_the_same_for_one_seed_and_the_sum_of_its_shards() {
    let words =
        ["targets", "--allow-reserved", "198.18.0.0/20", "192.0.2.7", "a.example.org", "mx:b.example.org"];
    let sample = |more: &[&str]| -> BTreeSet<String> {
        let ran = run(&[&words[..], more].concat()).ends(0);
        let lines: BTreeSet<String> = ran.out.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), ran.out.lines().count(), "each once");
        lines
    };
    let all = sample(&["--seed", "7"]);
    for size in ["100", "3", "10%", "4098"] {
        let whole = sample(&["--seed", "7", "--max-targets", size]);
        assert!(whole.is_subset(&all));
        assert_eq!(whole, sample(&["--seed", "7", "--max-targets", size]));
        assert_ne!(whole, sample(&["--seed", "8", "--max-targets", size]));
        let shards = ["1/3", "2/3", "3/3"]
            .map(|shard| sample(&["--seed", "7", "--max-targets", size, "--shard", shard]));
        assert_eq!(shards.iter().map(BTreeSet::len).sum::<usize>(), whole.len(), "{size}");
        assert_eq!(shards.into_iter().flatten().collect::<BTreeSet<_>>(), whole, "{size}");
    }
    let counted = |most: &str| run(&[&words[..], &["--count", "--max-targets", most]].concat()).ends(0).out;
    let counts = ["100", "9999", "0", "100%", "1%", "0.1%"].map(counted);
    assert_eq!(counts, ["100\n", "4099\n", "0\n", "4099\n", "41\n", "5\n"]);
    let wrong = run(&["targets", "--max-targets", "50%", "0.0.0.0/1"]).ends(2).err;
    assert!(wrong.contains("--max-targets: a sample of 1") && wrong.contains("is too large"), "{wrong}");
}

#[test]
fn shards_are_disjoint_and_together_all_and_keep_a_network_whole() {
    let words = [
        "targets",
        "--allow-reserved",
        "198.18.0.0/18",
        "192.0.2.0/26",
        "a.example.org",
        "b.example.org",
        "--seed",
        "7",
        "--shard",
    ];
    let mut met = BTreeSet::new();
    let mut networks = BTreeSet::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let part = run(&[&words[..], &[shard]].concat()).ends(0);
        let own: BTreeSet<String> = part
            .lines()
            .iter()
            .filter_map(|line| line.parse::<std::net::Ipv4Addr>().ok())
            .map(|ip| ip.to_string().rsplit_once('.').unwrap().0.to_owned())
            .collect();
        for line in part.lines() {
            assert!(met.insert(line.to_owned()), "{line} is in two shards");
        }
        for network in own {
            assert!(networks.insert(network.clone()), "{network} is torn");
        }
        assert!(part.lines().len() > 16_384 / 4, "shard {shard} has its share");
    }
    assert_eq!(met.len(), 16_384 + 64 + 2);
}
