//! banneret against hosts on the loopback network: what a host costs, in CPU time of the client, user and
//! system.
//!
//! `conversations` are the engine alone: the order, the dispatcher, and a thread of conversations for each
//! core that this process may use, all as in a scan; what they hand on, batch by batch, is counted here and
//! goes no further, so there is no DNS, no verdict and no record in the figure. `scan` is the whole program:
//! banner, PTR, forward lookup, verdict, JSONL to a file.
//!
//! `cargo bench --bench scan` measures both on 127.64.0.0/16, with the server in this process, so that the
//! kernel bills each of the two for half of the loopback's work. `scripts/bench` pins client and server to
//! cores of their own and holds both against the bare epoll client; for it,
//! `cargo bench --bench scan -- conversations --hosts PREFIX --port PORT` is the client alone.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

use std::num::NonZeroU8;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use banneret::demo::dns::{Questions, Sockets};
use banneret::demo::load::Load;
use banneret::demo::plain::Plain;
use banneret::evidence::Outcome;
use banneret::prefix::Prefix;
use banneret::probe::{self, FamilyAccess, Smtp};
use banneret::rate::Rate;
use banneret::resolve::unserved;
use banneret::scan::dispatch::canary::CanaryConfig;
use banneret::scan::dispatch::loss;
use banneret::scan::dispatch::pace::Pace;
use banneret::scan::dispatch::{self, Dispatcher};
use banneret::scan::moderation::moderated;
use banneret::scan::progress::Progress;
use banneret::scan::schedule::{Schedule, Scope};
use banneret::scan::stop::Stop;
use banneret::scan::{limits, sanity, worker};
use banneret::targets::{ExclusionsBuilder, Order, ReservedPolicy, Shard, TargetSetBuilder};
use clap::{Parser, Subcommand};
use tokio::sync::mpsc;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Conversations at once.
const CONCURRENCY: usize = 1000;
const ROUNDS: usize = 5;

#[derive(Parser)]
struct Args {
    /// What cargo adds where it measures; without, each part runs once on few hosts.
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// Conversations with every host of a block, and nothing else.
    Conversations {
        /// The block.
        #[arg(long)]
        hosts: String,
        /// The hosts' port.
        #[arg(long)]
        port: u16,
        /// Conversations at once.
        #[arg(long, default_value_t = CONCURRENCY)]
        concurrency: usize,
    },
}

fn main() {
    let args = Args::parse();
    match args.part {
        Some(Part::Conversations { hosts, port, concurrency }) => {
            let (hosts, spoken) = converse(&hosts, port, concurrency);
            println!("hosts {spoken} lost {}", hosts - spoken);
        }
        None if args.bench => measure("127.64.0.0/16", 65_536, ROUNDS),
        None => measure("127.64.0.0/22", 1024, 1),
    }
}

/// Speaks to every host of a block; how many there are, and how many of them greeted.
fn converse(hosts: &str, port: u16, concurrency: usize) -> (u128, u128) {
    let concurrency = limits::concurrency(limits::raise_open_files(), Some(concurrency));
    limits::size_file_table(concurrency + 64).unwrap();
    let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
    let mut builder = TargetSetBuilder::new();
    builder.argument(hosts).unwrap();
    let set = Arc::new(builder.build(Arc::clone(&exclusions)).unwrap());
    let order = Arc::new(Order::new(Arc::clone(&set), 7, Shard::WHOLE));
    let schedule = Schedule::new(Arc::new(Scope::new(set, exclusions, Vec::new(), vec![port])), order, None);
    let turns = schedule.turns();
    let settings = probe::Settings::default();
    let workers = std::thread::available_parallelism().unwrap().get();
    let (stop, progress) = (Stop::default(), Arc::new(Progress::default()));
    let pace = Arc::new(Pace::new(Rate::Unlimited, workers));
    let (notes, heard) = mpsc::unbounded_channel();
    let (inbox, mut cases) = unserved();
    let (passed_over, _turns) = mpsc::unbounded_channel();
    let (seen, mut seen_by_us) = mpsc::channel(64);
    let (mut feeds, mut threads) = (Vec::new(), Vec::new());
    for number in 0..workers {
        let (feed, batches) = mpsc::channel(1);
        feeds.push(feed);
        let worker_settings = worker::WorkerSettings {
            number,
            retries: 1,
            samples: NonZeroU8::MIN,
            scanner: Arc::default(),
            pace: Arc::clone(&pace),
            stop: stop.clone(),
            added: Arc::default(),
        };
        let outlets = worker::WorkerChannels {
            resolver: inbox.clone(),
            writer: seen.clone(),
            dispatcher: notes.clone(),
        };
        let probe = Smtp::new(settings.clone()).unwrap();
        let progress = Arc::clone(&progress);
        threads.push(std::thread::spawn(move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = moderated(&mut builder).enable_all().build().unwrap();
            runtime.block_on(worker::run(worker_settings, probe, batches, outlets, progress));
        }));
    }
    let outlets = dispatch::DispatchChannels {
        workers: feeds,
        resolver: inbox,
        passed_over,
        writer: seen.clone(),
        notes: heard,
        scanner: Arc::default(),
        tell: Box::new(|_| ()),
        say: |_| (),
        answers: Arc::clone(&settings.answers),
    };
    let rates = dispatch::DispatchSettings {
        rate: Rate::Unlimited,
        prefix_rate: Rate::Unlimited,
        concurrency,
        canaries: CanaryConfig::default(),
        sanity: sanity::SanitySettings::default(),
        loss: loss::LossSettings::default(),
    };
    let schedule = (schedule, Arc::new(FamilyAccess::everything()));
    let dispatcher = Dispatcher::new(rates, schedule, outlets, progress, stop);
    threads.push(std::thread::spawn(move || {
        runtime().block_on(dispatcher.run());
    }));
    drop((seen, notes));
    let mut spoken = 0;
    runtime().block_on(async {
        loop {
            let greeted = tokio::select! {
                Some(batch) = cases.recv() => {
                    batch.iter().filter(|case| is_greeted(&case.carry)).count()
                }
                Some(others) = seen_by_us.recv() => {
                    eprintln!("{} hosts came out as {}", others.len(), others[0].observation.outcome.as_str());
                    0
                }
                else => break,
            };
            spoken += greeted as u128;
        }
    });
    for thread in threads {
        thread.join().unwrap();
    }
    (turns, spoken)
}

fn is_greeted(asking: &banneret::scan::attempt::LookupSubject) -> bool {
    let banneret::scan::attempt::LookupSubject::Host(seen) = asking else { return false };
    seen.observation.outcome == Outcome::Greeted
        && seen.observation.greeting.as_ref().is_some_and(|reply| !reply.text.first().is_empty())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Serves a block and measures both clients on it, in turns.
fn measure(block: &str, hosts: u32, rounds: usize) {
    let plain = Plain::of(Prefix::parse(block).unwrap());
    let load = Load::start(plain, 0).unwrap();
    let names = Sockets::local().unwrap();
    let (port, resolver) = (load.port().to_string(), names.address().unwrap().to_string());
    std::thread::spawn(move || {
        runtime().block_on(names.serve(Arc::new(plain), Arc::new(Questions::default())))
    });
    let work = tempfile::tempdir().unwrap();
    let records = work.path().join("records.jsonl");
    let mut costs = [const { Vec::new() }; 2];
    println!("{:<14} {:>8} {:>12} {:>10}", "", "hosts", "us CPU each", "a second");
    for _ in 0..rounds {
        let mut conversations = Command::new(std::env::current_exe().unwrap());
        conversations.args(["conversations", "--hosts", block, "--port", &port]);
        let mut scan = Command::new(env!("CARGO_BIN_EXE_banneret"));
        scan.args(["scan", "--allow-reserved", block, "--port", &port, "--resolver", &resolver]);
        scan.args(["--rate", "unlimited", "--prefix-rate", "unlimited", "--dns-rate", "unlimited"]);
        scan.args(["--concurrency", &CONCURRENCY.to_string(), "--quiet", "--progress", "never"]);
        scan.arg("-o").arg(&records);
        for ((name, command), costs) in
            [("conversations", conversations), ("scan", scan)].iter_mut().zip(&mut costs)
        {
            let (cpu, wall) = (cpu_of_children(), Instant::now());
            let output = command.output().unwrap();
            let (cpu, wall) = (cpu_of_children().saturating_sub(cpu), wall.elapsed());
            assert!(output.status.success(), "{output:?}");
            if *name == "scan" {
                assert_eq!(matches(&records), hosts as usize, "records with the verdict `match`");
                std::fs::remove_file(&records).unwrap();
            } else {
                assert_eq!(String::from_utf8_lossy(&output.stdout), format!("hosts {hosts} lost 0\n"));
            }
            let cost = cpu.as_secs_f64() * 1e6 / f64::from(hosts);
            println!("{name:<14} {hosts:>8} {cost:>12.2} {:>10.0}", f64::from(hosts) / wall.as_secs_f64());
            costs.push(cost);
        }
    }
    let [conversations, scan] = costs.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    });
    println!("median: {conversations:.2} and {scan:.2} us CPU a host");
}

fn matches(records: &Path) -> usize {
    std::fs::read_to_string(records).unwrap().matches(r#""verdict":"match""#).count()
}

/// User and system time of the children that have ended.
fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(')').next().unwrap();
    let ticks = behind_name.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    // Linux shows them at 100 a second on every architecture.
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
