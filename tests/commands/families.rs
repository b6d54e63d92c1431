//! A host with addresses of both families: each is set up for itself, so each is checked, scanned and told of
//! for itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use banneret::demo::zone::{Answer, Data, Entry, Held};
use banneret::name::DnsName;
use serde_json::Value;

use crate::cli::run as check_run;
use crate::support::hosts::{RESOLVER, serve_names};
use crate::support::namespace::{alone, await_some};
use crate::support::program::{Ran, run};
use crate::support::schema::assert_lines;

const FOUR: &str = "198.18.1.7";
const SIX: &str = "2001:db8:1::7";
const HOST: &str = "mail.kestrel.example";

fn name(text: &str) -> DnsName {
    DnsName::parse(text).unwrap()
}

/// Both addresses have the host's name; only the IPv4 one has a PTR record.
fn zone() -> Held {
    let (four, six): (IpAddr, IpAddr) = (FOUR.parse().unwrap(), SIX.parse().unwrap());
    let (IpAddr::V4(a), IpAddr::V6(aaaa)) = (four, six) else { unreachable!() };
    let mut held = Held::default();
    for (owner, data) in [
        (name(HOST), Data::A(a)),
        (name(HOST), Data::Aaaa(aaaa)),
        (DnsName::reverse(four), Data::Ptr(name(HOST))),
        (name("kestrel.example"), Data::Mx(10, name(HOST))),
    ] {
        held.insert(Entry { owner, kind: data.kind(), answer: Answer::Records(vec![data]) });
    }
    held
}

/// Greets at both addresses until the namespace ends.
fn serve() {
    let address = format!("{SIX}/128");
    let added = Command::new("ip").args(["addr", "add", &address, "dev", "lo", "nodad"]).status().unwrap();
    assert!(added.success());
    for ip in [FOUR, SIX] {
        let listener = TcpListener::bind((ip, 25)).unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let _ = stream.write_all(format!("220 {HOST} ESMTP Postfix\r\n").as_bytes());
                let _ = stream.read(&mut [0; 64]);
                let _ = stream.write_all(b"221 Bye\r\n");
            }
        });
    }
    serve_names(zone());
    // The kernel takes its time with the route to a new address.
    await_some("a way to both", || {
        [FOUR, SIX].iter().all(|ip| TcpStream::connect((*ip, 25)).is_ok()).then_some(())
    });
}

#[test]
fn both_families_of_a_host_stand_side_by_side() {
    alone("families::both_families_of_a_host_stand_side_by_side", |_| {
        serve();
        let check = |flags: &[&str]| {
            check_run(&[&["check", HOST, "--allow-reserved", "--resolver", RESOLVER], flags].concat()).fine()
        };
        let text = check(&[]);
        for line in [
            "mail.kestrel.example: 2 places\n",
            "    address             verdict  severity  FCrDNS  banner name           PTR name\n",
            "    198.18.1.7:25       match    none      pass    mail.kestrel.example  mail.kestrel.example\n",
            "    [2001:db8:1::7]:25  no_ptr   high      no PTR  mail.kestrel.example  -\n",
            "\nURGENT  mail.kestrel.example at 2001:db8:1::7, asked as mail.kestrel.example\n",
            ".ip6.arpa. IN PTR mail.kestrel.example.\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        // The sound one has nothing to add to its line.
        assert!(!text.contains("at 198.18.1.7") && text.lines().count() < 40, "{text}");
        assert!(check(&["-v"]).contains("\n198.18.1.7 port 25, asked as mail.kestrel.example\n"));
        let told: Value = serde_json::from_str(&check(&["--format", "json"])).unwrap();
        let verdicts: Vec<&Value> =
            told["servers"].as_array().unwrap().iter().map(|server| &server["record"]["verdict"]).collect();
        assert_eq!(verdicts, ["match", "no_ptr"]);
    });
}

#[test]
fn a_named_target_of_a_scan_has_a_record_for_each_address() {
    alone("families::a_named_target_of_a_scan_has_a_record_for_each_address", |_| {
        serve();
        for target in [HOST, "mx:kestrel.example"] {
            let words =
                ["scan", target, "--allow-reserved", "-q", "--resolver", RESOLVER, "-p", "25", "--seed", "1"];
            let mut told: Vec<String> = assert_lines(&check_run(&words).fine())
                .iter()
                .map(|record| {
                    let target = &record["target"];
                    format!("{} {} {}", target["ip"], target["asked"], record["verdict"])
                })
                .collect();
            told.sort();
            let line = |ip: &str, verdict: &str| format!("{ip:?} {target:?} {verdict:?}");
            assert_eq!(told, [line(FOUR, "match"), line(SIX, "no_ptr")], "{target}");
        }
    });
}

#[test]
fn two_names_of_one_host_are_one_host_of_the_summary() {
    alone("families::two_names_of_one_host_are_one_host_of_the_summary", |work| {
        serve();
        let file = work.join("summary.json");
        let (ran, records, _) =
            scan(work, &["--summary", file.to_str().unwrap(), "-p", "25", HOST, "mx:kestrel.example"]);
        ran.ends(0);
        let summary: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!((records.len(), &summary["records"], &summary["hosts"]), (4, &4.into(), &2.into()));
    });
}

/// What a scan of these targets came to: its end, what it said, its records by address, and its manifest.
fn scan(work: &Path, words: &[&str]) -> (Ran, Vec<(String, Value)>, Value) {
    let folder = tempfile::tempdir_in(work).unwrap();
    let output = folder.path().join("scan.jsonl");
    let fixed = ["scan", "--allow-reserved", "--resolver", RESOLVER, "-o", output.to_str().unwrap()];
    let ran = run(&[&fixed[..], &["--keep", "all", "--progress", "never"], words].concat());
    let records = assert_lines(&fs::read_to_string(&output).unwrap());
    let address = |record: &Value| record["target"]["ip"].as_str().unwrap_or_default().to_owned();
    let mut records: Vec<_> = records.into_iter().map(|record| (address(&record), record)).collect();
    records.sort_by(|one, other| one.0.cmp(&other.0));
    let manifest = fs::read(folder.path().join("scan.jsonl.manifest.json")).unwrap();
    (ran, records, serde_json::from_slice(&manifest).unwrap())
}

fn assert_untried(record: &Value) {
    assert_eq!(
        (&record["outcome"], &record["verdict"], &record["dns"]),
        (&"not_tried".into(), &Value::Null, &Value::Null)
    );
}

/// Of a name with addresses of both families the IPv4 one is spoken to; of IPv6 alone nothing is. Both at
/// once.
fn assert_no_ipv6(work: &Path, flags: &[&str], told: &str) {
    let begin = Instant::now();
    let (ran, records, manifest) = scan(work, &[flags, &[HOST][..]].concat());
    let ran = ran.ends(0);
    assert_eq!(ran.err.lines().filter(|line| line.contains("IPv6")).count(), 1, "{}", ran.err);
    assert!(ran.err.contains(told), "{}", ran.err);
    let [(four, of_four), (six, of_six)] = &records[..] else { panic!("{records:?}") };
    assert_eq!((&four[..], &six[..], &of_four["verdict"]), (FOUR, SIX, &"match".into()));
    assert_untried(of_six);
    let counts = ["greeted", "not_tried", "unreachable"].map(|word| manifest["by_outcome"][word].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(0)]);
    let warnings = manifest["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|line| line.as_str().unwrap().contains(told)), "{warnings:?}");

    // A thousand times what `--prefix-rate` lets start in a second.
    let (ran, records, manifest) = scan(work, &[flags, &["2001:db8:7::/114", "mx:kestrel.example"]].concat());
    let ran = ran.ends(0);
    assert_eq!(
        (records.len(), &manifest["by_outcome"]["not_tried"]),
        (16_386, &16_385.into()),
        "{}",
        ran.err
    );
    let (ran, records, _) = scan(work, &[flags, &["2001:db8:7::1-2001:db8:7::9"]].concat());
    assert!(ran.ends(4).err.contains(told));
    assert_eq!(records.len(), 9);
    for (_, record) in &records {
        assert_untried(record);
    }

    let check = |target: &str| {
        let words = ["check", "--allow-reserved", "--resolver", RESOLVER, "--format", "json", target];
        run(&[&words[..], flags].concat())
    };
    let ran = check(HOST).ends(0);
    let seen: Value = serde_json::from_str(&ran.out).unwrap();
    let outcomes = [0, 1].map(|at| &seen["servers"][at]["record"]["outcome"]);
    assert_eq!(outcomes, ["greeted", "not_tried"]);
    assert_eq!((ran.err.lines().count(), ran.err.contains(told)), (1, true), "{}", ran.err);
    let ran = check(SIX).ends(4);
    assert_eq!((ran.err.lines().count(), ran.err.contains(told)), (1, true), "{}", ran.err);
    assert!(begin.elapsed() < Duration::from_secs(60), "nothing is waited for: {:?}", begin.elapsed());
}

#[test]
fn without_a_way_to_one_family_the_other_is_scanned_as_if_alone() {
    alone("families::without_a_way_to_one_family_the_other_is_scanned_as_if_alone", |work| {
        serve();
        assert_no_ipv6(work, &["--source-ip", FOUR], "no address of --source-ip is IPv6");
        let told = "this machine can't reach IPv6 addresses";
        let address = format!("{SIX}/128");
        assert!(Command::new("ip").args(["addr", "del", &address, "dev", "lo"]).status().unwrap().success());
        assert_no_ipv6(work, &[], told);
        // As containers often run.
        fs::write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1").unwrap();
        assert_no_ipv6(work, &[], told);
    });
}
