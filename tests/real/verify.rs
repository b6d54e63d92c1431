//! `banneret check --verify` before and after changes, on a small Internet: what it says must be true, or it
//! must say that it can't tell.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::dns;
use super::internet::{ABSENCE, DELEGATION, Internet, RESOLVER, TIME_TO_LIVE, greetings};
use super::support::namespace::alone;
use super::support::program::{program, run};

/// What must be said of one target, before or after the changes.
struct Told {
    what: &'static str,
    target: &'static str,
    outlook: &'static str,
    effect: Option<&'static str>,
    /// How long it takes, in seconds, this resolver at most, and others at most.
    times: Option<(u32, u32)>,
    /// Parts of the text, spaces and breaks aside.
    text: &'static [&'static str],
    /// What must not be in it.
    never: &'static [&'static str],
}

const NOTHING: Told =
    Told { what: "", target: "", outlook: "current", effect: None, times: None, text: &[], never: &[] };

const fn sound(what: &'static str, target: &'static str) -> Told {
    Told { what, target, text: &["the same everywhere"], ..NOTHING }
}

const fn fixed(
    what: &'static str,
    target: &'static str,
    times: (u32, u32),
    text: &'static [&'static str],
) -> Told {
    Told {
        what,
        target,
        outlook: "fixed_pending_cache",
        effect: Some("better"),
        times: Some(times),
        text,
        ..NOTHING
    }
}

const fn open(what: &'static str, target: &'static str, text: &'static [&'static str]) -> Told {
    Told {
        what,
        target,
        outlook: "unknown",
        text,
        never: &["verify: current", "ask again later", "in-addr.arpa: mail"],
        ..NOTHING
    }
}

const BEFORE: [Told; 16] = [
    sound("plain", "198.18.1.10"),
    sound("RFC 2317", "198.18.2.10"),
    sound("DNAME", "198.18.3.10"),
    sound("moved delegation", "198.18.4.10"),
    sound("wrong box", "mail.s5.example"),
    sound("wrong box, by PTR", "198.18.5.20"),
    sound("one stale server of six", "198.18.6.10"),
    sound("negative cache", "198.18.7.10"),
    sound("negative cache, a name", "new.s7.example"),
    sound("DNSSEC", "198.18.8.10"),
    open(
        "refusing",
        "198.18.9.10",
        &["`9.18.198.in-addr.arpa` is delegated to ns3.example (198.18.0.3), which refuses: its only server"],
    ),
    open(
        "nobody there",
        "198.18.10.10",
        &["delegated to ns97.example (198.18.0.97), which has no DNS server running: its only server"],
    ),
    Told {
        what: "two of three servers dead",
        target: "198.18.11.10",
        outlook: "partly_answered",
        text: &[
            "the same at 1 of 3 servers",
            "ns97.example (198.18.0.97), which has no DNS server running: 1 of its 3 servers",
            "ns98.example (198.18.0.98), which does not answer: 1 of its 3 servers",
        ],
        ..NOTHING
    },
    open(
        "failing",
        "198.18.12.10",
        &["delegated to ns3.example (198.18.0.3), which fails (SERVFAIL): its only server"],
    ),
    open(
        "silent",
        "198.18.13.10",
        &["delegated to ns98.example (198.18.0.98), which does not answer: its only server"],
    ),
    open(
        "RFC 2317 into a refusing zone",
        "198.18.14.10",
        &["`0-31.14.18.198.in-addr.arpa` is delegated to ns3.example (198.18.0.3), which refuses"],
    ),
];

const AFTER: [Told; 13] = [
    fixed("plain", "198.18.1.10", (TIME_TO_LIVE, TIME_TO_LIVE), &["resolver: old.s1.example, for 9m"]),
    fixed(
        "RFC 2317",
        "198.18.2.10",
        (TIME_TO_LIVE, TIME_TO_LIVE),
        &[
            "ns2.example (198.18.0.2): an alias for 10.0-31.2.18.198.in-addr.arpa",
            "ns3.example (198.18.0.3): mail.s2.example",
        ],
    ),
    fixed(
        "DNAME",
        "198.18.3.10",
        (TIME_TO_LIVE, TIME_TO_LIVE),
        &["an alias for 10.rev.s3.example", "ns3.example (198.18.0.3): mail.s3.example"],
    ),
    fixed(
        "moved delegation",
        "198.18.4.10",
        (TIME_TO_LIVE + 300, DELEGATION + 300),
        &[
            "ns5.example (198.18.0.5): mail.s4.example",
            "ns4.example (198.18.0.4), not delegated to any more: old.s4.example",
            "the resolver keeps the servers of `4.18.198.in-addr.arpa` from before",
        ],
    ),
    Told {
        what: "wrong box",
        target: "mail.s5.example",
        outlook: "changed_pending_cache",
        effect: Some("worse"),
        times: Some((TIME_TO_LIVE, TIME_TO_LIVE)),
        text: &[
            "makes it worse",
            "198.18.5.11 (PTR other.s5.example, by the new records): 25 greeted as other.s5.example",
        ],
        ..NOTHING
    },
    Told {
        what: "wrong box, by PTR",
        target: "198.18.5.20",
        outlook: "changed_pending_cache",
        effect: Some("same"),
        times: Some((TIME_TO_LIVE, TIME_TO_LIVE)),
        text: &[
            "makes it no better",
            "198.18.5.11 (PTR other.s5.example, by the new records): 25 greeted as other.s5.example",
        ],
        ..NOTHING
    },
    Told {
        what: "one stale server of six",
        target: "198.18.6.10",
        outlook: "divided",
        text: &["ns26.example (198.18.0.26): old.s6.example", "ns24.example (198.18.0.24): mail.s6.example"],
        never: &["in-addr.arpa: old.s6.example, the same"],
        ..NOTHING
    },
    fixed("negative cache", "198.18.7.10", (ABSENCE, ABSENCE), &["resolver: nxdomain, for 4m"]),
    fixed("negative cache, a name", "new.s7.example", (ABSENCE, ABSENCE), &["25 greeted as new.s7.example"]),
    Told {
        what: "DNSSEC broken, not in the cache",
        target: "198.18.8.11",
        outlook: "dnssec_bogus",
        text: &["resolver says servfail", "DNSSEC", "ns8.example (198.18.0.8): second.s8.example"],
        never: &["in-addr.arpa: second.s8.example, the same"],
        ..NOTHING
    },
    Told {
        what: "DNSSEC broken, the record still in the cache",
        target: "198.18.16.10",
        // Once Unbound has found it out, it gives no reason any more.
        outlook: "dnssec_bogus or unknown",
        text: &[
            "a name of `16.18.198.in-addr.arpa` that it has to ask for",
            "DNSSEC of the zone does not hold",
        ],
        never: &["in-addr.arpa: mail.s16.example, the same"],
        ..NOTHING
    },
    // Its denials are still in the cache, too, and nothing shows that it is broken.
    Told {
        what: "DNSSEC broken, all still in the cache",
        target: "198.18.8.10",
        outlook: "partly_answered",
        text: &["the resolver checked the signatures of `8.18.198.in-addr.arpa`"],
        ..NOTHING
    },
    sound("nothing changed", "198.18.15.10"),
];

#[test]
fn what_is_said_of_a_fix_that_does_not_show_is_true() {
    alone("verify::what_is_said_of_a_fix_that_does_not_show_is_true", |work| {
        let mut internet = Internet::start(work);
        serve_mail();
        let mut wrong = told_wrongly("before", &BEFORE);
        say_why_names_are_unresolved(work);
        // The resolver has it, and no denial of that zone.
        assert_eq!(
            dns::ask(RESOLVER, "10.16.18.198.in-addr.arpa", dns::TYPE_PTR).names,
            ["mail.s16.example"]
        );
        internet.change();
        wrong.extend(told_wrongly("after", &AFTER));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// A name that does not exist, one whose exchanger does not, and one that the resolver fails at are told
/// apart.
fn say_why_names_are_unresolved(work: &Path) {
    let flags = ["--allow-reserved", "--dns-timeout", "3s", "--resolver", &format!("{RESOLVER}:53")];
    let names = [
        ("mx:gone.s17.example", "nxdomain"),
        ("mx:none.s17.example", "nxdomain"),
        ("mx:s17.example", "servfail"),
    ];
    let list = work.join("names");
    std::fs::write(&list, names.map(|(name, _)| name).join("\n")).unwrap();
    let scan = [&["scan", "--keep", "all", "-i", list.to_str().unwrap()], &flags[..]].concat();
    let records = run(&scan).ends(0);
    for exchanger in ["`nowhere.s17.example` (nxdomain)", "`mx.s18.example` (servfail)"] {
        assert!(records.err.contains(exchanger), "{records:?}");
    }
    for (name, status) in names {
        let is_of = |record: &Value| record["target"]["asked"] == name;
        let record = records.lines().into_iter().map(|line| serde_json::from_str(line).unwrap()).find(is_of);
        let record = record.unwrap_or_default();
        assert_eq!(record["target"]["unresolved"]["status"], status, "{name}: {record}");
        let checked = run(&[&["check", name, "--format", "json"], &flags[..]].concat()).ends(4);
        if status == "servfail" {
            let cause = "could not be resolved (servfail of its exchanger `mx.s18.example`)";
            assert!(checked.err.contains(cause), "{checked:?}");
        } else {
            let told: Value = serde_json::from_str(&checked.out).unwrap();
            let unresolved = &told["servers"][0]["record"]["target"]["unresolved"];
            assert_eq!(unresolved["status"], status, "{name}: {told}");
        }
    }
}

/// Checks all of them at once, and gives what is wrong with what was said.
fn told_wrongly(state: &str, table: &[Told]) -> Vec<String> {
    let looking: Vec<_> = table
        .iter()
        .map(|told| {
            let target = told.target;
            thread::spawn(move || (check(target, &["--format", "json"]), check(target, &[])))
        })
        .collect();
    let mut wrong = Vec::new();
    for (told, thread) in table.iter().zip(looking) {
        let ((json, took), (text, _)) = thread.join().unwrap();
        let mut verify =
            serde_json::from_str::<Value>(&json).unwrap_or_default()["servers"][0]["verify"].take();
        println!("{state} {}: {} after {took:?}\n{text}", told.what, verify["outlook"]);
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_in_time = took < Duration::from_secs(25);
        let mut complain =
            |what: String| wrong.push(format!("{state}, {} ({}): {what}", told.what, told.target));
        let is_right = told.outlook.split(" or ").any(|word| verify["outlook"] == word);
        if !is_right || verify["effect"].as_str() != told.effect {
            complain(format!("is told as {} {}, not {}", verify["outlook"], verify["effect"], told.outlook));
        }
        if !is_in_time {
            complain(format!("takes {took:?}, where 20 s is the most"));
        }
        told.text
            .iter()
            .filter(|part| !flat.contains(**part))
            .for_each(|part| complain(format!("lacks `{part}`")));
        told.never
            .iter()
            .filter(|part| flat.contains(**part))
            .for_each(|part| complain(format!("has `{part}`")));
        match (told.times, verify["clean"].take(), verify["clean_everywhere"].take()) {
            (None, Value::Null, Value::Null) => {}
            (Some((here, everywhere)), Value::String(clean), Value::String(latest)) => {
                let left = |time: &str| {
                    let time = banneret::record::time::parse(time).unwrap();
                    time.duration_since(std::time::SystemTime::now()).unwrap_or_default()
                };
                let (clean, latest) = (left(&clean), left(&latest));
                let at_most = |seconds: u32| Duration::from_secs(u64::from(seconds));
                let near =
                    |time: Duration, most: u32| time <= at_most(most) && time + at_most(90) >= at_most(most);
                if !near(clean, here) || !near(latest, everywhere) {
                    complain(format!("shows in {clean:?} here and {latest:?} elsewhere"));
                }
            }
            other => complain(format!("says these times: {other:?}")),
        }
    }
    wrong
}

fn check(target: &str, flags: &[&str]) -> (String, Duration) {
    let began = Instant::now();
    let ran = Command::new(program())
        .args(["check", target, "--verify", "--allow-reserved", "--resolver", &format!("{RESOLVER}:53")])
        .args(flags)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    println!("{target} {:?}: {said}", began.elapsed());
    if !matches!(ran.status.code(), Some(0 | 4)) {
        println!("{target} ends with {}: {said}", ran.status);
    }
    (String::from_utf8_lossy(&ran.stdout).into_owned(), began.elapsed())
}

/// Greets at every address with the name of its own, until the namespace ends.
fn serve_mail() {
    let listener = TcpListener::bind("0.0.0.0:25").unwrap();
    let greetings = greetings();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let Ok(IpAddr::V4(own)) = stream.local_addr().map(|at| at.ip()) else { continue };
            let Some(name) = greetings.get(&own).copied() else { continue };
            thread::spawn(move || {
                let _ = stream.write_all(format!("220 {name} ESMTP Postfix\r\n").as_bytes());
                let _ = stream.read(&mut [0; 64]);
                let _ = stream.write_all(b"221 Bye\r\n");
            });
        }
    });
}
