//! Two scans of a block in which hosts were fixed, broken, renamed and moved: `banneret diff` names every
//! change right.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

mod support;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use banneret::demo::block::{Block, DEMO_PREFIX, DEMO_SEED};
use banneret::demo::host::Host;
use banneret::demo::persona::{self, Life, Persona};
use banneret::demo::zone::{Data, Kind};
use banneret::judge::Verdict;
use banneret::name::DnsName;
use banneret::prefix::Prefix;
use banneret::record::json;
use serde_json::Value;
use support::namespace::alone;
use support::program::run;
use support::records::healthy_record;

/// Hosts of each fate.
const EACH: usize = 6;

/// What became of an address, and so what `diff` has to say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fixed,
    Broken,
    Renamed,
    Opened,
    Closed,
    MovedTo(Ipv4Addr),
    MovedFrom(Ipv4Addr),
}

fn persona(code: &str) -> &'static Persona {
    persona::all().find(|persona| persona.code == code).unwrap()
}

/// Who gets which fate: some of the sound, of the nameless, and of the addresses where nobody listens.
fn fates(block: &Block) -> BTreeMap<Ipv4Addr, Fate> {
    let of =
        |code: &'static str| block.truths().filter(move |truth| truth.persona == code).map(|truth| truth.ip);
    let mut fates: BTreeMap<Ipv4Addr, Fate> = of("no_ptr").take(EACH).map(|ip| (ip, Fate::Fixed)).collect();
    let (mut sound, mut nobody) = (of("postfix"), of("refused"));
    for _ in 0..EACH {
        let [broken, renamed, closed, moved] = [(); 4].map(|()| sound.next().unwrap());
        let [opened, new_home] = [(); 2].map(|()| nobody.next().unwrap());
        fates.extend([
            (broken, Fate::Broken),
            (renamed, Fate::Renamed),
            (closed, Fate::Closed),
            (opened, Fate::Opened),
            (moved, Fate::MovedTo(new_home)),
            (new_home, Fate::MovedFrom(moved)),
        ]);
    }
    fates
}

/// The life of an address after its fate.
fn settle(host: Host, fates: &BTreeMap<Ipv4Addr, Fate>) -> (&'static Persona, Life) {
    let live = |code, host| (persona(code), (persona(code).live)(host));
    match fates.get(&host.ip) {
        None => {
            let drawn = persona::draw(host);
            (drawn, (drawn.live)(host))
        }
        Some(Fate::Broken) => live("no_ptr", host),
        Some(Fate::Fixed | Fate::Opened) => live("postfix", host),
        // By a name of the next block, which nobody has here.
        Some(Fate::Renamed) => moved(host, Ipv4Addr::from_bits(host.ip.to_bits() ^ 1 << 10)),
        Some(Fate::Closed | Fate::MovedTo(_)) => live("refused", host),
        Some(&Fate::MovedFrom(ip)) => moved(host, ip),
    }
}

/// The life of another address, lived here: its records of DNS have moved along.
fn moved(host: Host, from: Ipv4Addr) -> (&'static Persona, Life) {
    let (persona, to) = (persona("postfix"), host.ip);
    let mut life = (persona.live)(Host { ip: from, ..host });
    for entry in &mut life.entries {
        if entry.owner == DnsName::reverse(from.into()) {
            entry.owner = DnsName::reverse(to.into());
        }
        if let (Kind::A, banneret::demo::zone::Answer::Records(data)) = (entry.kind, &mut entry.answer) {
            for ip in data.iter_mut().filter(|data| **data == Data::A(from)) {
                *ip = Data::A(to);
            }
        }
    }
    (persona, life)
}

/// Scans a block at a port, 0 for the system's choice; the port, and the file of the records.
fn scan(block: &Block, port: u16, work: &Path, name: &str) -> (u16, PathBuf) {
    let running = block.serve_on(port).unwrap();
    let path = work.join(name);
    let (port, dns) = (running.smtp_port(), running.dns().to_string());
    let port_word = port.to_string();
    let words = [
        "scan",
        DEMO_PREFIX,
        "--allow-reserved",
        "-p",
        &port_word,
        "--resolver",
        &dns,
        "--keep",
        "all",
        "-q",
        "--rate",
        "unlimited",
        "--prefix-rate",
        "unlimited",
        "--dns-rate",
        "unlimited",
        "--dns-timeout",
        "2s",
        "--greeting-timeout",
        "4s",
        "--host-timeout",
        "8s",
        "--retries",
        "0",
        "-o",
        path.to_str().unwrap(),
    ];
    run(&words).ends(0);
    (port, path)
}

fn diff(files: &[&Path], more: &[&str]) -> String {
    let files = files.iter().map(|path| path.to_str().unwrap());
    let words: Vec<&str> = std::iter::once("diff").chain(files).chain(more.iter().copied()).collect();
    run(&words).ends(0).out
}

/// What `diff` says, by address.
fn told(files: &[&Path]) -> BTreeMap<Ipv4Addr, Value> {
    let lines = diff(files, &["--format", "json"]);
    let entries = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    entries.map(|entry| (entry["ip"].as_str().unwrap().parse().unwrap(), entry)).collect()
}

#[test]
fn every_change_between_two_scans_is_named_right() {
    alone("every_change_between_two_scans_is_named_right", |work| {
        let prefix = Prefix::parse(DEMO_PREFIX).unwrap();
        let before = Block::new(prefix, DEMO_SEED).unwrap();
        let fates = fates(&before);
        let after = Block::settled(prefix, DEMO_SEED, |host| settle(host, &fates)).unwrap();
        let (port, old) = scan(&before, 0, work, "old.jsonl");
        let (_, new) = scan(&after, port, work, "new.jsonl");
        let entries = told(&[&old, &new]);
        for truth in before.truths() {
            let entry = entries.get(&truth.ip);
            let word = entry.map(|entry| entry["change"].as_str().unwrap());
            let moved = |side: &str| entry.unwrap()[side].as_str().map(|ip| ip.parse::<Ipv4Addr>().unwrap());
            match fates.get(&truth.ip) {
                Some(Fate::Fixed) => assert_eq!(word, Some("fixed"), "{truth:?}"),
                Some(Fate::Broken) => assert_eq!(word, Some("regressed"), "{truth:?}"),
                Some(Fate::Renamed) => assert_eq!(word, Some("renamed"), "{truth:?}"),
                Some(Fate::Opened) => {
                    assert_eq!((word, moved("moved_from")), (Some("new"), None), "{truth:?}");
                }
                Some(Fate::Closed) => {
                    assert_eq!((word, moved("moved_to")), (Some("gone"), None), "{truth:?}");
                }
                Some(&Fate::MovedTo(ip)) => {
                    assert_eq!((word, moved("moved_to")), (Some("gone"), Some(ip)), "{truth:?}");
                }
                Some(&Fate::MovedFrom(ip)) => {
                    assert_eq!((word, moved("moved_from")), (Some("new"), Some(ip)), "{truth:?}");
                }
                None if truth.verdict.is_none() => assert_eq!(word, None, "{truth:?}"),
                None if truth.verdict == Some(Verdict::Undetermined) => {
                    assert_eq!(word, Some("unknown"), "{truth:?}");
                }
                None if truth.must.contains(&"ptr_missing") => {
                    assert_eq!(word, Some("still_wrong"), "{truth:?}");
                }
                None if truth.verdict == Some(Verdict::Match) && truth.must.is_empty() => {
                    assert_eq!(word, Some("same"), "{truth:?}");
                }
                None => assert!(matches!(word, Some("same" | "still_wrong")), "{word:?}: {truth:?}"),
            }
        }
        // And back: what was mended and broken again goes back and forth, what was never mended says since
        // when.
        let (_, again) = scan(&before, port, work, "again.jsonl");
        let history = told(&[&old, &new, &again]);
        let first = told(&[&old, &old]);
        for (ip, entry) in &history {
            let word = entry["change"].as_str().unwrap();
            match fates.get(ip) {
                Some(Fate::Fixed | Fate::Broken) => assert_eq!(word, "flapping", "{entry}"),
                Some(Fate::Renamed) => assert_eq!(word, "renamed", "{entry}"),
                Some(Fate::Closed | Fate::MovedTo(_)) => assert_eq!(word, "same", "{entry}"),
                Some(Fate::Opened | Fate::MovedFrom(_)) => assert_eq!(word, "gone", "{entry}"),
                None if word == "still_wrong" => assert_eq!(entry["since"], first[ip]["since"], "{entry}"),
                None => assert!(["same", "unknown"].contains(&word), "{entry}"),
            }
        }
        assert_views(&old, &new, work);
    });
}

/// Every view has the same counts, and the exit code tells a monitoring system.
fn assert_views(old: &Path, new: &Path, work: &Path) {
    let page = work.join("diff.html");
    let text = diff(&[old, new], &["--html", page.to_str().unwrap()]);
    let csv = diff(&[old, new], &["--format", "csv"]);
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect();
    let page = std::fs::read_to_string(page).unwrap();
    for (word, count) in
        [("regressed", EACH), ("fixed", EACH), ("renamed", EACH), ("new", 2 * EACH), ("gone", 2 * EACH)]
    {
        assert!(text.contains(&format!("\n{word:<12} {count:>12}\n")), "{word}: {text}");
        assert_eq!(rows.iter().filter(|row| &row[0] == word).count(), count, "{word}");
        assert!(page.contains(&format!(">{count}</b><span>{word}</span>")), "{word}");
    }
    for (flags, code) in [
        (&["--fail-on", "fixed"][..], 1),
        (&["--fail-on", "flapping"], 0),
        (&["--fail-on", "flapping,gone"], 1),
        (&["--fail-on-regression"], 1),
    ] {
        let words = [&["diff", old.to_str().unwrap(), new.to_str().unwrap()], flags].concat();
        run(&words).ends(code);
    }
}

/// Hosts that are renamed at once.
const RENAMED: u32 = 500;

/// A file of records of sound hosts, each at a number's address and by a number's name.
fn records(work: &Path, name: &str, hosts: impl Iterator<Item = (u32, u32)>) -> PathBuf {
    let mut lines = Vec::new();
    for (address, named) in hosts {
        let mut record = healthy_record();
        record.target.ip = Some(address_of(address).into());
        record.judgement.banner_name = Some(format!("host-{named}.example.org"));
        json::encode(&record, &mut lines);
    }
    let path = work.join(name);
    std::fs::write(&path, lines).unwrap();
    path
}

fn address_of(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + number)
}

#[test]
fn renamed_hosts_say_where_their_names_are_now_and_hosts_that_swapped_say_so() {
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    // Host n was called n and is called 10,000 + n; 5,000 + n is called n and was not there.
    let old = records(work, "old.jsonl", (0..RENAMED).map(|n| (n, n)));
    let new = (0..RENAMED).flat_map(|n| [(n, 10_000 + n), (5_000 + n, n)]);
    let new = records(work, "new.jsonl", new);
    let entries = told(&[&old, &new]);
    let is_at = |entry: &Value, side: &str, number: u32| entry[side] == address_of(number).to_string();
    let both = (0..RENAMED).filter(|&n| {
        let (renamed, new) = (&entries[&address_of(n)], &entries[&address_of(5_000 + n)]);
        (&renamed["change"], &new["change"]) == (&"renamed".into(), &"new".into())
            && is_at(renamed, "moved_to", 5_000 + n)
            && renamed["moved_from"].is_null()
            && is_at(new, "moved_from", n)
            && new["moved_to"].is_null()
    });
    let both = both.count();
    println!("{both} of {RENAMED} renamed hosts and the hosts that took their names tell of each other");
    assert_eq!((both, entries.len()), (500, 1000));
    let text = diff(&[&old, &new], &[]);
    assert_eq!(text.matches("its old name is now at 198.18.").count(), 500);

    // Rings of 2, 3 and 7 hosts, each of which took the name of the next.
    for ring in [2, 3, 7] {
        let rings = RENAMED / ring;
        let next = |n: u32| n / ring * ring + (n + 1) % ring;
        let old = records(work, "old.jsonl", (0..rings * ring).map(|n| (n, n)));
        let new = records(work, "new.jsonl", (0..rings * ring).map(|n| (n, next(n))));
        let entries = told(&[&old, &new]);
        let told = (0..rings * ring).filter(|&n| {
            let entry = &entries[&address_of(next(n))];
            is_at(entry, "moved_to", n) && is_at(&entries[&address_of(n)], "moved_from", next(n))
        });
        let told = told.count();
        println!("{told} of {} hosts in rings of {ring} tell of each other", rings * ring);
        assert_eq!(told, (rings * ring) as usize);
        let text = diff(&[&old, &new], &[]);
        let said = if ring == 2 { "swapped names with 198.18." } else { "its old name is now at 198.18." };
        assert_eq!(text.matches(said).count(), told, "{text}");
    }
}
