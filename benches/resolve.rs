//! CPU time of a lookup: banneret's resolver beside hickory-resolver's and, where it is installed, massdns, in turns,
//! against one NSD.
//!
//! The names are those of a zone of `tests/support/bulk.rs`: a host has no PTR record, or one whose name leads back, so
//! that it is one lookup or two; massdns asks for the PTR record alone. Every answer is held against the zone. Each client
//! is a process of its own, on one processor, and NSD is on another one; loopback bills the kernel's work for both sides
//! to whoever sends. CPU time is user and system, all threads.
//!
//! `cargo bench --bench resolve [-- HOSTS [ROUNDS [CLIENT]]]`; CLIENT is `banneret`, `hickory` or `massdns`.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use banneret::evidence::Status;
use banneret::name::DnsName;
use banneret::resolve::{Case, Rate, Settings, Solution, Want, start};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use support::bulk::{self, Sort, address};
use support::program::peak_memory;

/// Hosts asked for in each round; hickory is given a tenth.
const HOSTS: u32 = 200_000;
const ROUNDS: usize = 5;
/// The same where only that it runs is to be seen.
const TRIAL: (u32, usize) = (1000, 1);
/// Lookups under way in hickory: where it does best.
const IN_FLIGHT: usize = 256;
/// Lookups under way in massdns: where it does best.
const MASSDNS_IN_FLIGHT: &str = "64";
const CLIENTS: [&str; 3] = ["banneret", "hickory", "massdns"];

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let measured = args.iter().any(|arg| arg == "--bench");
    args.retain(|arg| arg != "--bench");
    let number = |at: usize| args.get(at).and_then(|text| text.parse().ok());
    if let [client, upstream, hosts] = &args[..]
        && let Ok(upstream) = upstream.parse()
    {
        return ask(client, upstream, hosts.parse().unwrap());
    }
    let (hosts, rounds) = if measured { (HOSTS, ROUNDS) } else { TRIAL };
    let hosts = number(0).unwrap_or(hosts);
    let rounds = number(1).map_or(rounds, |rounds| usize::try_from(rounds).unwrap());
    compare(hosts, rounds, args.get(2).map(String::as_str));
}

/// Runs the clients in turns and prints what each costs.
fn compare(hosts: u32, rounds: usize, only: Option<&str>) {
    let work = tempfile::tempdir().unwrap();
    let upstream = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let SocketAddr::V4(at) = upstream else { panic!("{upstream}") };
    let last = numbers().nth(hosts as usize).unwrap();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let [for_server, for_client] = if processors > 1 { [Some(0), Some(1)] } else { [None, None] };
    let _nsd = bulk::serve(work.path(), at, last, for_server);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:<10} {:>9} {:>12} {:>9} {:>9}",
        "client", "lookups", "us CPU each", "a second", "peak MiB"
    )
    .unwrap();
    let mut costs = CLIENTS.map(|_| Vec::new());
    for _ in 0..rounds {
        for (client, costs) in CLIENTS.iter().zip(&mut costs) {
            if only.is_some_and(|only| only != *client) {
                continue;
            }
            let share = if *client == "hickory" { hosts.div_ceil(10) } else { hosts };
            let Some(run) = Run::of(client, at, share, work.path(), for_client) else {
                writeln!(out, "{client:<10} not installed").unwrap();
                continue;
            };
            let (cost, pace) = (run.cost(), f64::from(run.lookups) / run.wall.as_secs_f64());
            let memory = run.memory.map_or_else(|| "-".to_owned(), |bytes| (bytes >> 20).to_string());
            writeln!(out, "{client:<10} {:>9} {cost:>12.2} {pace:>9.0} {memory:>9}", run.lookups).unwrap();
            costs.push(cost);
        }
    }
    let medians = costs.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list.get(list.len() / 2).copied()
    });
    let ours = medians[0];
    for (client, median) in CLIENTS.iter().zip(medians) {
        let Some(median) = median else { continue };
        let share = ours.map_or_else(String::new, |ours| format!(", {:.2} times ours", median / ours));
        writeln!(out, "median {client}: {median:.2} us CPU a lookup{share}").unwrap();
    }
}

/// What one client took.
struct Run {
    lookups: u32,
    cpu: Duration,
    wall: Duration,
    /// At its peak, in bytes, where the client tells.
    memory: Option<u64>,
}

impl Run {
    /// Runs a client over so many hosts; `None` if it is not installed.
    fn of(client: &str, at: SocketAddrV4, hosts: u32, work: &Path, processor: Option<usize>) -> Option<Self> {
        let own = std::env::current_exe().unwrap();
        let mut command = match processor {
            Some(processor) => Command::new("taskset").pinned(processor),
            None => Command::new("env"),
        };
        if client == "massdns" {
            let list = massdns_files(work, at, hosts)?;
            command.args([
                "massdns",
                "-q",
                "-t",
                "PTR",
                "-o",
                "B",
                "-w",
                "/dev/null",
                "-s",
                MASSDNS_IN_FLIGHT,
            ]);
            command.args(["-r", "resolvers"]).arg(list).current_dir(work);
        } else {
            command.arg(own).args([client, &at.to_string(), &hosts.to_string()]);
        }
        let (cpu, begin) = (children_cpu(), Instant::now());
        let ended: Output = command.stderr(Stdio::inherit()).output().unwrap();
        let (cpu, wall) = (children_cpu().saturating_sub(cpu), begin.elapsed());
        assert!(ended.status.success(), "{client} ended with {}", ended.status);
        let told = String::from_utf8(ended.stdout).unwrap();
        let mut numbers = told.split_whitespace().map(|number| number.parse::<u64>().unwrap());
        let lookups = if client == "massdns" { u64::from(hosts) } else { numbers.next().unwrap() };
        Some(Self { lookups: u32::try_from(lookups).unwrap(), cpu, wall, memory: numbers.next() })
    }

    /// Microseconds of CPU time for each lookup.
    fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.lookups)
    }
}

trait Pinned {
    fn pinned(self, processor: usize) -> Self;
}

impl Pinned for Command {
    fn pinned(mut self, processor: usize) -> Self {
        self.args(["-c", &processor.to_string()]);
        self
    }
}

/// The list of resolvers and that of names; the latter's file. `None` where massdns is not installed.
fn massdns_files(work: &Path, at: SocketAddrV4, hosts: u32) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| folder.join("massdns").is_file())?;
    std::fs::write(work.join("resolvers"), format!("{at}\n")).unwrap();
    let names = numbers().take(hosts as usize).map(|number| DnsName::reverse(address(number).into()));
    let list = work.join("names");
    std::fs::write(&list, names.map(|name| format!("{name}\n")).collect::<String>()).unwrap();
    Some(list)
}

/// The hosts of the zone whose lookups every client does alike.
fn numbers() -> impl Iterator<Item = u32> {
    (0..).filter(|&number| matches!(Sort::of(number), Sort::Absent | Sort::Plain))
}

/// The client's side: asks for all hosts and tells lookups and memory.
fn ask(client: &str, upstream: SocketAddr, hosts: u32) {
    let lookups = match client {
        "banneret" => banneret(upstream, hosts),
        "hickory" => hickory(upstream, hosts),
        other => panic!("no client `{other}`"),
    };
    let memory = peak_memory(std::process::id()).unwrap();
    writeln!(std::io::stdout(), "{lookups} {memory}").unwrap();
}

/// Asks for all hosts; counts the lookups that were answered as they must be.
fn banneret(upstream: SocketAddr, hosts: u32) -> u32 {
    let mut settings = Settings::new(vec![upstream]);
    settings.rate = Rate::Unlimited;
    let mut resolver = start(settings).unwrap();
    let health = Arc::clone(&resolver.health);
    let inbox = resolver.inbox;
    let feeder = std::thread::spawn(move || {
        let mut numbers = numbers().take(hosts as usize);
        loop {
            let batch: Vec<_> = numbers
                .by_ref()
                .take(256)
                .map(|number| Case {
                    want: Want::Identity { ip: address(number).into(), banner: None },
                    carry: number,
                })
                .collect();
            if batch.is_empty() || inbox.send_blocking(batch).is_err() {
                return;
            }
        }
    });
    let mut lookups = 0;
    while let Some(batch) = resolver.solved.blocking_recv() {
        for solved in batch {
            let Solution::Identity(resolution) = solved.solution else { panic!() };
            if Sort::of(solved.carry) == Sort::Absent {
                assert_eq!(resolution.ptr, Status::NxDomain, "{}", solved.carry);
                lookups += 1;
            } else {
                assert_eq!(resolution.names[0].forward.confirms, Some(true), "{}", solved.carry);
                lookups += 2;
            }
        }
    }
    feeder.join().unwrap();
    let sent = health.upstreams[0].sent.load(Ordering::Relaxed);
    if sent > u64::from(lookups) + u64::from(lookups / 100) {
        // NSD was overrun: the figure holds more than one packet a lookup.
        eprintln!("{sent} packets for {lookups} lookups");
    }
    lookups
}

/// The same with hickory-resolver, tuned as it does best: one thread, no cache, no hosts file.
fn hickory(upstream: SocketAddr, hosts: u32) -> u32 {
    let mut connection = ConnectionConfig::udp();
    connection.port = upstream.port();
    let server = NameServerConfig::new(upstream.ip(), true, vec![connection]);
    let mut options = ResolverOpts::default();
    options.ndots = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    options.num_concurrent_reqs = 1;
    let mut builder = Resolver::builder_with_config(
        ResolverConfig::from_parts(None, Vec::new(), vec![server]),
        TokioRuntimeProvider::new(),
    );
    *builder.options_mut() = options;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let resolver = Arc::new(builder.build().unwrap());
        let mut tasks = tokio::task::JoinSet::new();
        let mut lookups = 0;
        for number in numbers().take(hosts as usize) {
            if tasks.len() >= IN_FLIGHT {
                lookups += tasks.join_next().await.unwrap().unwrap();
            }
            tasks.spawn(hickory_host(Arc::clone(&resolver), number));
        }
        while let Some(host) = tasks.join_next().await {
            lookups += host.unwrap();
        }
        lookups
    })
}

async fn hickory_host(resolver: Arc<TokioResolver>, number: u32) -> u32 {
    let ip: Ipv4Addr = address(number);
    let names = resolver.lookup(Name::from(IpAddr::from(ip)), RecordType::PTR).await;
    if Sort::of(number) == Sort::Absent {
        assert!(names.is_err());
        return 1;
    }
    let names = names.unwrap();
    let Some(RData::PTR(name)) = names.answers().first().map(|record| record.data.clone()) else { panic!() };
    let mut name = name.0;
    name.set_fqdn(true);
    let addresses = resolver.lookup(name, RecordType::A).await.unwrap();
    assert!(
        matches!(addresses.answers().first().map(|record| &record.data), Some(RData::A(found)) if found.0 == ip)
    );
    2
}

/// User and system time of the children that have ended (fields 16 and 17 of proc(5) `stat`).
fn children_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 =
        behind_name.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // Linux shows them at 100 a second on every architecture.
    Duration::from_millis(ticks * 10)
}
