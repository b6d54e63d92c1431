//! A resolver that is lost in the middle of a scan, in each way in which one is lost: no verdict differs from
//! that of an undisturbed scan but those `undetermined`, and a later pass over DNS alone makes the two equal.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use banneret::demo::dns::{Questions, Sockets};
use banneret::demo::load::Load;
use banneret::demo::plain::Plain;
use banneret::demo::zone::{Answer, Data, Fault, Kind, Zone, cut};
use banneret::name::DnsName;
use banneret::prefix::Prefix;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::support::hosts::RESOLVER;
use crate::support::namespace::{alone, await_some};
use crate::support::program::{Ran, command};
use crate::support::schema;

const BLOCK: &str = "198.18.0.0/16";
/// Hosts to be scanned; `TEST_OUTAGE_TARGETS` sets another number up to 65536.
const TARGETS: &str = "TEST_OUTAGE_TARGETS";
const USUALLY: u64 = 2048;
/// How long a lie lasts that is noticed for sure.
const LIE: Duration = Duration::from_millis(400);
/// Set to a file by `scripts/faults`: each fault adds its row there.
const TABLE: &str = "TEST_FAULTS_TABLE";

/// How a resolver is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Its process is gone: the kernel says so.
    Killed,
    /// It answers, if at all, in a way that settles nothing.
    Fault(Fault),
    /// It says that nothing exists.
    Denies,
    /// It has its own address for every name, and its own name for every address.
    Invents,
    /// It has its own address for every name that does not exist.
    Rewrites,
}

/// Hosts of all kinds, and a resolver that is in trouble for some of its questions.
struct World {
    hosts: Plain,
    asked: AtomicU64,
    /// The first question in trouble, and the first that is not any more.
    from: AtomicU64,
    until: AtomicU64,
    loss: Loss,
    /// How long trouble lasts, if not until a number of questions, and when it began.
    lasts: OnceLock<Duration>,
    began: OnceLock<Instant>,
    /// Told when trouble begins that the zone alone cannot make.
    lost: mpsc::SyncSender<()>,
}

impl World {
    fn is_in_trouble(&self, number: u64) -> bool {
        number >= self.from.load(Ordering::SeqCst) && number < self.until.load(Ordering::SeqCst)
    }

    fn undisturbed(&self, owner: &DnsName, kind: Option<Kind>) -> Answer {
        let found = self.hosts.find(owner, kind);
        let ip = match &found {
            Answer::Records(data) => match data.first() {
                Some(Data::A(ip)) => *ip,
                Some(Data::Ptr(name)) => match self.hosts.find(name, Some(Kind::A)) {
                    Answer::Records(data) => match data.first() {
                        Some(Data::A(ip)) => *ip,
                        _ => return found,
                    },
                    _ => return found,
                },
                _ => return found,
            },
            _ => return elsewhere(owner, kind),
        };
        match (ip.octets()[3] & 7, kind) {
            (0, Some(Kind::Ptr)) | (4, Some(Kind::A)) => Answer::NxDomain,
            (3, Some(Kind::Ptr)) => {
                let name = format!("mx-{:08x}.elsewhere.sj", u32::from(ip));
                Answer::Records(vec![Data::Ptr(DnsName::parse(&name).unwrap())])
            }
            _ => found,
        }
    }
}

fn portal() -> Answer {
    Answer::Records(vec![Data::A([203, 0, 113, 1].into())])
}

/// The names that hosts of the third kind have in reverse DNS lead back to them.
fn elsewhere(owner: &DnsName, kind: Option<Kind>) -> Answer {
    let text = owner.to_string();
    let digits = text.strip_prefix("mx-").and_then(|rest| rest.strip_suffix(".elsewhere.sj"));
    match digits.map(|digits| u32::from_str_radix(digits, 16)) {
        Some(Ok(ip)) if kind == Some(Kind::A) => Answer::Records(vec![Data::A(ip.into())]),
        Some(Ok(_)) => Answer::NoData,
        _ => Answer::NxDomain,
    }
}

impl Zone for World {
    fn is_served(&self, zone: &DnsName) -> bool {
        let denies = matches!(self.loss, Loss::Denies | Loss::Invents);
        cut(zone) == *zone && !(denies && self.is_in_trouble(self.asked.load(Ordering::SeqCst)))
    }

    fn find(&self, owner: &DnsName, kind: Option<Kind>) -> Answer {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        let in_trouble = self.is_in_trouble(number);
        if in_trouble {
            let began = *self.began.get_or_init(Instant::now);
            if self.lasts.get().is_some_and(|lasts| began.elapsed() >= *lasts) {
                self.until.store(number, Ordering::SeqCst);
            }
        }
        match self.loss {
            _ if !in_trouble => {}
            Loss::Fault(fault) => return Answer::Fault(fault),
            Loss::Denies => return Answer::NxDomain,
            Loss::Invents if kind == Some(Kind::Ptr) => {
                return Answer::Records(vec![Data::Ptr(DnsName::parse("portal.elsewhere.sj").unwrap())]);
            }
            Loss::Invents => return portal(),
            Loss::Rewrites => {
                let found = self.undisturbed(owner, kind);
                return if found == Answer::NxDomain && kind == Some(Kind::A) { portal() } else { found };
            }
            // Once is enough.
            Loss::Killed => drop(self.lost.try_send(())),
        }
        self.undisturbed(owner, kind)
    }
}

/// A resolver that runs until it is dropped, and is gone with its sockets then.
struct Resolver {
    address: &'static str,
    world: Arc<World>,
    runtime: Option<Runtime>,
}

impl Resolver {
    fn start(loss: Loss) -> (Self, mpsc::Receiver<()>) {
        Self::start_at(RESOLVER, loss)
    }

    fn start_at(address: &'static str, loss: Loss) -> (Self, mpsc::Receiver<()>) {
        let (sender, told) = mpsc::sync_channel(1);
        let never = || AtomicU64::new(u64::MAX);
        let hosts = Plain::of(Prefix::parse(BLOCK).unwrap());
        let world = World {
            hosts,
            asked: AtomicU64::new(0),
            from: never(),
            until: never(),
            loss,
            lasts: OnceLock::new(),
            began: OnceLock::new(),
            lost: sender,
        };
        let mut resolver = Self { address, world: Arc::new(world), runtime: None };
        resolver.rise();
        (resolver, told)
    }

    fn rise(&mut self) {
        // Who was killed leaves its port within a moment.
        let sockets = await_some("the port", || Sockets::bind(self.address.parse().unwrap()).ok());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime
            .spawn(sockets.serve(Arc::clone(&self.world) as Arc<dyn Zone>, Arc::new(Questions::default())));
        self.runtime = Some(runtime);
    }

    fn fall(&mut self) {
        self.runtime.take().unwrap().shutdown_timeout(Duration::from_secs(10));
    }

    /// Trouble for so many questions after the next so many.
    fn disturb(&self, after: u64, length: u64) {
        let from = self.world.asked.load(Ordering::SeqCst) + after;
        self.world.until.store(from.saturating_add(length), Ordering::SeqCst);
        self.world.from.store(from, Ordering::SeqCst);
    }

    fn mend(&self) {
        self.disturb(u64::MAX / 2, 0);
    }
}

fn targets() -> u64 {
    std::env::var(TARGETS).ok().map_or(USUALLY, |text| text.parse().expect("a number"))
}

fn scan(work: &Path, name: &str) -> PathBuf {
    let file = work.join(name);
    let ran: Ran = scanning(&file, "unlimited").output().unwrap().into();
    assert_eq!(ran.ends(0).err, "");
    file
}

fn scanning(file: &Path, rate: &str) -> Command {
    let count = targets().to_string();
    let words = [
        &["scan", BLOCK, "--max-targets", &count, "--seed", "7", "--allow-reserved"][..],
        &["--rate", rate, "--prefix-rate", "unlimited", "--resolver", RESOLVER],
        &["--dns-timeout", "2s", "-q", "--overwrite", "-o", file.to_str().unwrap()],
    ];
    command(&words.concat())
}

/// The DNS pass afterwards.
fn resolve(work: &Path, records: &Path) -> PathBuf {
    let file = work.join("resolved.jsonl");
    let words = [
        "judge",
        "--resolve",
        "--resolver",
        RESOLVER,
        records.to_str().unwrap(),
        "--overwrite",
        "-o",
        file.to_str().unwrap(),
    ];
    let ran: Ran = command(&words).output().unwrap().into();
    assert_eq!(ran.ends(0).err, "");
    file
}

/// All records by address, what took how long aside; each address has one.
fn read(file: &Path) -> BTreeMap<IpAddr, Value> {
    let text = fs::read_to_string(file).unwrap();
    let records = schema::assert_lines(&text).into_iter().map(|mut record| {
        record["time"] = Value::Null;
        record["smtp"]["connect_ms"] = Value::Null;
        record["smtp"]["banner_ms"] = Value::Null;
        (record["target"]["ip"].as_str().unwrap().parse().unwrap(), record)
    });
    let records: BTreeMap<IpAddr, Value> = records.collect();
    assert_eq!(
        (records.len() as u64, text.lines().count() as u64),
        (targets(), targets()),
        "{}",
        file.display()
    );
    records
}

fn counts(records: &BTreeMap<IpAddr, Value>) -> BTreeMap<String, usize> {
    records.values().fold(BTreeMap::new(), |mut counts, record| {
        *counts.entry(record["verdict"].as_str().unwrap().to_owned()).or_default() += 1;
        counts
    })
}

/// Records whose verdict is another than the true one and not `undetermined`.
fn wrong<'r>(records: &'r BTreeMap<IpAddr, Value>, truth: &BTreeMap<IpAddr, Value>) -> Vec<&'r Value> {
    let is_wrong = |(ip, record): &(&IpAddr, &Value)| {
        record["verdict"] != "undetermined" && record["verdict"] != truth[ip]["verdict"]
    };
    records.iter().filter(is_wrong).map(|(_, record)| record).collect()
}

/// Adds a row to the table of faults, if there is one.
fn tell(fault: &str, wrong: usize) {
    println!("{fault}: {wrong} wrong");
    if let Some(table) = std::env::var_os(TABLE) {
        let file = fs::OpenOptions::new().append(true).create(true).open(table);
        let row = format!("{fault}\t1\t0\t0\t{wrong}\n");
        file.and_then(|mut file| file.write_all(row.as_bytes())).expect("the table can be added to");
    }
}

#[test]
fn a_resolver_lost_at_half_makes_no_verdict_wrong_and_a_later_pass_makes_all_right() {
    alone(
        "outage::a_resolver_lost_at_half_makes_no_verdict_wrong_and_a_later_pass_makes_all_right",
        |work| {
            let hosts = Plain::of(Prefix::parse(BLOCK).unwrap());
            let _load = Load::start(hosts, 25).unwrap();
            let (resolver, _) = Resolver::start(Loss::Killed);
            let truth = read(&scan(work, "truth.jsonl"));
            println!("undisturbed: {:?}", counts(&truth));
            assert_eq!(counts(&truth).len(), 4, "hosts of all kinds");
            drop(resolver);
            let losses = [
                Loss::Killed,
                Loss::Fault(Fault::Silence),
                Loss::Fault(Fault::ServFail),
                Loss::Fault(Fault::Refused),
                Loss::Denies,
                Loss::Invents,
            ];
            for loss in losses {
                let (mut resolver, told) = Resolver::start(loss);
                // Each host is worth about two questions.
                resolver.disturb(targets(), u64::MAX / 2);
                let disturbed = thread::scope(|scope| {
                    let scan = scope.spawn(|| scan(work, "disturbed.jsonl"));
                    if loss == Loss::Killed {
                        told.recv().unwrap();
                        resolver.fall();
                    }
                    scan.join().unwrap()
                });
                let records = read(&disturbed);
                println!("{loss:?} at half: {:?}", counts(&records));
                let wrong = wrong(&records, &truth);
                tell(&format!("resolver lost at half: {loss:?}"), wrong.len());
                assert!(wrong.is_empty(), "{loss:?}: {} wrong, as {}", wrong.len(), wrong[0]);
                assert!(counts(&records)["undetermined"] as u64 > targets() / 8, "{loss:?}: it was lost");
                if loss == Loss::Killed {
                    resolver.rise();
                }
                resolver.mend();
                let after = read(&resolve(work, &disturbed));
                let differ: Vec<_> = after.iter().filter(|(ip, record)| truth[ip] != **record).collect();
                assert!(differ.is_empty(), "{loss:?}: {} differ, as {:?}", differ.len(), differ[0]);
                println!("{loss:?}: equal to the undisturbed scan after `judge --resolve`");
                for file in [disturbed, work.join("resolved.jsonl")] {
                    fs::remove_file(file).unwrap();
                }
            }
        },
    );
}

#[test]
fn a_resolver_that_comes_back_before_the_end_leaves_no_trace() {
    alone("outage::a_resolver_that_comes_back_before_the_end_leaves_no_trace", |work| {
        let hosts = Plain::of(Prefix::parse(BLOCK).unwrap());
        let _load = Load::start(hosts, 25).unwrap();
        let (resolver, _) = Resolver::start(Loss::Killed);
        let truth = read(&scan(work, "truth.jsonl"));
        drop(resolver);
        let faults = [Fault::ServFail, Fault::Refused, Fault::Silence, Fault::Lame].map(Loss::Fault);
        for loss in faults.into_iter().chain([Loss::Denies, Loss::Invents]) {
            let (resolver, _) = Resolver::start(loss);
            if matches!(loss, Loss::Denies | Loss::Invents) {
                // Only a lie that outlasts a round of controls is noticed for sure.
                resolver.world.lasts.set(LIE).unwrap();
                resolver.disturb(targets() / 2, u64::MAX / 2);
            } else {
                // Whoever is silent is soon asked no more, and would stay silent for ever.
                resolver.disturb(targets() / 2, 1000);
            }
            let file = scan(work, "disturbed.jsonl");
            let records = read(&file);
            println!("{loss:?} in between: {:?}", counts(&records));
            let differ: Vec<_> = records.iter().filter(|(ip, record)| truth[ip] != **record).collect();
            assert!(differ.is_empty(), "{loss:?}: {} differ, as {:?}", differ.len(), differ[0]);
            fs::remove_file(file).unwrap();
        }
    });
}

#[test]
fn a_scan_stopped_while_hosts_wait_for_dns_writes_them_as_they_are() {
    alone("outage::a_scan_stopped_while_hosts_wait_for_dns_writes_them_as_they_are", |work| {
        let hosts = Plain::of(Prefix::parse(BLOCK).unwrap());
        let load = Load::start(hosts, 25).unwrap();
        let (resolver, _) = Resolver::start(Loss::Fault(Fault::Refused));
        resolver.disturb(0, u64::MAX / 2);
        let file = work.join("stopped.jsonl");
        let child = scanning(&file, "1000").spawn().unwrap();
        await_some("hosts that wait", || (load.greeted() > 100).then_some(()));
        let stop = format!("kill -INT {}", child.id());
        assert!(Command::new("sh").args(["-c", &stop]).status().unwrap().success());
        let ran: Ran = child.wait_with_output().unwrap().into();
        ran.ends(3);
        let before = fs::read_to_string(&file).unwrap();
        // A few may have been in mid-conversation.
        assert!(schema::assert_lines(&before).len() > 80, "{before}");
        resolver.mend();
        let checkpoint = format!("{}.checkpoint", file.display());
        let ran: Ran = command(&["scan", "--resume", &checkpoint, "-q"]).output().unwrap().into();
        ran.ends(0);
        let records = read(&file);
        let unknown = counts(&records).get("undetermined").copied().unwrap_or(0);
        assert_eq!(unknown, before.lines().count(), "the others have their answers");
    });
}

/// A second resolver beside [`RESOLVER`].
const OTHER: &str = "127.0.0.2:53";

#[test]
fn a_resolver_that_rewrites_absence_is_told_of_and_what_it_invents_makes_no_verdict_wrong() {
    let name =
        "outage::a_resolver_that_rewrites_absence_is_told_of_and_what_it_invents_makes_no_verdict_wrong";
    alone(name, |work| {
        let hosts = Plain::of(Prefix::parse(BLOCK).unwrap());
        let _load = Load::start(hosts, 25).unwrap();
        let (resolver, _) = Resolver::start(Loss::Rewrites);
        let truth = read(&scan(work, "truth.jsonl"));
        resolver.disturb(0, u64::MAX / 2);
        let assert_told = |file: &Path| {
            let manifest = fs::read_to_string(format!("{}.manifest.json", file.display())).unwrap();
            let manifest: Value = serde_json::from_str(&manifest).unwrap();
            let warning = format!(
                "resolver `{RESOLVER}` answers for names that do not exist, with `203.0.113.1`; what it says against \
                 a host is not believed; name another with `--resolver`"
            );
            assert_eq!(manifest["warnings"], serde_json::json!([warning]));
        };
        let file = scan(work, "rewritten.jsonl");
        assert_told(&file);
        let records = read(&file);
        assert!(wrong(&records, &truth).is_empty(), "{:?}", counts(&records));
        let unknown: Vec<_> = records.values().filter(|record| record["verdict"] == "undetermined").collect();
        assert_eq!(unknown.len(), counts(&truth)["unconfirmed"], "whose names do not exist");
        assert!(unknown.iter().all(|record| record["dns"]["ptr"]["names"][0]["status"] == "untrusted"));

        let (_honest, _) = Resolver::start_at(OTHER, Loss::Killed);
        let file = work.join("both.jsonl");
        let ran: Ran = scanning(&file, "unlimited").args(["--resolver", OTHER]).output().unwrap().into();
        ran.ends(0);
        assert_told(&file);
        assert!(read(&file) == truth);
    });
}
