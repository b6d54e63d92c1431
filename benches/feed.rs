//! CPU time of a target before anybody speaks to it, over all of IPv4 less 100,000 excluded prefixes.
//!
//! `order` draws turns, exclusions left out, and that is all. `feed` is the dispatcher of a scan at
//! `unlimited`: order, pace of prefixes, places, batches, and what a worker does before it connects, the
//! overall pace's permit; a stand-in for the worker says at once that each conversation has ended.
//! `cargo bench --bench feed` measures both, each in a process of its own, from its start to its end;
//! `scripts/bench` holds them against what they may cost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "a measurement that fails has no result"
)]

#[path = "support/internet.rs"]
mod internet;

use std::hint::black_box;
use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use banneret::probe::FamilyAccess;
use banneret::rate::Rate;
use banneret::resolve::unserved;
use banneret::scan::attempt::Attempt;
use banneret::scan::dispatch::canary::CanaryConfig;
use banneret::scan::dispatch::loss;
use banneret::scan::dispatch::pace::Pace;
use banneret::scan::dispatch::{DispatchChannels, DispatchSettings, Dispatcher};
use banneret::scan::events::DispatchEvent;
use banneret::scan::events::{Contact, WorkerReport};
use banneret::scan::progress::Progress;
use banneret::scan::sanity;
use banneret::scan::schedule::{Schedule, Scope};
use banneret::scan::stop::Stop;
use banneret::targets::{Order, Shard};
use clap::{Parser, ValueEnum};
use tokio::sync::mpsc;

const TARGETS: u64 = 20_000_000;
const ROUNDS: usize = 5;
/// Targets where only that it runs is to be seen.
const FEW: u64 = 100_000;
/// Conversations at once.
const CONCURRENCY: usize = 10_000;

#[derive(Parser)]
struct Args {
    /// What cargo adds where it measures; without, each part runs once on few targets.
    #[arg(long, hide = true)]
    bench: bool,
    /// This part alone.
    part: Option<Part>,
    #[arg(long, default_value_t = TARGETS)]
    targets: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    /// Turns, drawn.
    Order,
    /// Turns, drawn, paced, handed out and taken back.
    Feed,
    /// The prefixes that are left out, one a line.
    Exclusions,
}

fn main() {
    let args = Args::parse();
    match args.part {
        Some(Part::Order) => told(args.targets, draw(args.targets)),
        Some(Part::Feed) => told(args.targets, feed(args.targets)),
        Some(Part::Exclusions) => print!("{}", internet::opt_outs()),
        None if args.bench => measure(TARGETS, ROUNDS),
        None => measure(FEW, 1),
    }
}

fn told(targets: u64, done: u64) {
    println!("targets {done} lost {}", targets - done);
}

fn order() -> (Arc<Scope>, Arc<Order>) {
    let exclusions = internet::exclusions(&internet::opt_outs());
    let set = Arc::new(internet::set("0.0.0.0/0", &exclusions));
    let order = Arc::new(Order::new(Arc::clone(&set), 7, Shard::WHOLE));
    (Arc::new(Scope::new(set, exclusions, Vec::new(), vec![25])), order)
}

fn draw(targets: u64) -> u64 {
    let (_, order) = order();
    order.iter_from(0).zip(0..targets).map(black_box).fold(0, |count, _| count + 1)
}

fn feed(targets: u64) -> u64 {
    let (scope, order) = order();
    let schedule = Schedule::new(scope, order, Some(targets.into()));
    let (notes, heard) = mpsc::unbounded_channel();
    let (inbox, _cases) = unserved();
    let (passed_over, _turns) = mpsc::unbounded_channel();
    let (feed, mut batches) = mpsc::channel(1);
    let (writer, _seen) = mpsc::channel(1);
    let pace = Pace::new(Rate::Unlimited, 1);
    let settings = DispatchSettings {
        rate: Rate::Unlimited,
        prefix_rate: Rate::Unlimited,
        concurrency: CONCURRENCY,
        canaries: CanaryConfig::default(),
        sanity: sanity::SanitySettings::default(),
        loss: loss::LossSettings::default(),
    };
    let outlets = DispatchChannels {
        workers: vec![feed],
        resolver: inbox,
        passed_over,
        notes: heard,
        writer,
        scanner: Arc::default(),
        tell: Box::new(|_| ()),
        say: |_| (),
        answers: Arc::default(),
    };
    let schedule = (schedule, Arc::new(FamilyAccess::everything()));
    let dispatcher =
        Dispatcher::new(settings, schedule, outlets, Arc::new(Progress::default()), Stop::default());
    let worker = async move {
        let mut started = 0;
        while let Some(batch) = batches.recv().await {
            let begun = batch.iter().map(black_box).filter(|_| pace.is_due());
            let met: Vec<Contact> = begun.map(met).collect();
            let report = WorkerReport { ended: met.len(), met, ..WorkerReport::default() };
            started += report.ended as u64;
            // A dispatcher that has ended hears nothing more, and hands out nothing more.
            notes.send(DispatchEvent::Worker(report)).ok();
        }
        started
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::join!(dispatcher.run(), worker).1 })
}

/// What came of a conversation: of 16 addresses one greets.
fn met(attempt: &Attempt) -> Contact {
    let met = Contact::nobody(attempt);
    let greeted = matches!(met.socket.ip(), IpAddr::V4(ip) if ip.octets()[3].is_multiple_of(16));
    Contact { greeted, ..met }
}

/// Runs both parts in turns and prints what a target costs.
fn measure(targets: u64, rounds: usize) {
    let parts = ["order", "feed"];
    let mut costs = parts.map(|_| Vec::new());
    println!("{:<6} {:>10} {:>12}", "", "targets", "ns CPU each");
    for _ in 0..rounds {
        for (part, costs) in parts.iter().zip(&mut costs) {
            let before = cpu_of_children();
            let mut command = Command::new(std::env::current_exe().unwrap());
            let output = command.args([part, "--targets", &targets.to_string()]).output().unwrap();
            let cost = cpu_of_children().saturating_sub(before).as_secs_f64() * 1e9 / targets as f64;
            assert_eq!(String::from_utf8_lossy(&output.stdout), format!("targets {targets} lost 0\n"));
            println!("{part:<6} {targets:>10} {cost:>12.1}");
            costs.push(cost);
        }
    }
    let [order, feed] = costs.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    });
    println!("median: {order:.1} and {feed:.1} ns CPU a target");
}

/// User and system time of the children that have ended (fields 16 and 17 of proc(5) `stat`).
fn cpu_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(')').next().unwrap();
    let ticks = behind_name.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
    // Linux shows them at 100 a second on every architecture.
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
