//! CPU time of a lookup: banneret's resolver beside hickory-resolver's, in turns, against one NSD.
//!
//! The names are those of a zone of `tests/support/bulk.rs`: a host has no PTR record, or one whose name
//! leads back, so that it is one lookup or two. Every answer is held against the zone. Each client is a
//! process of its own; CPU time is its user and system time, all threads.
//!
//! `cargo bench --bench resolve` measures on the loopback network, where the kernel bills its work for both
//! sides to whoever sends. `scripts/bench` pins clients and NSD to cores of their own, and asks massdns too,
//! where it is installed; for it, `-- serve` is NSD alone, `-- ask` one client, `-- names` the names for
//! others to ask.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use banneret::evidence::Status;
use banneret::name::DnsName;
use banneret::resolve::{Case, Rate, Settings, Solution, Want, start};
use clap::{Parser, Subcommand, ValueEnum};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};
use support::bulk::{self, Count, Sort, address};

/// Hosts asked for by banneret in each round; hickory is given a tenth.
const HOSTS: u32 = 200_000;
const ROUNDS: usize = 5;
/// Hosts where only that it runs is to be seen.
const FEW: u32 = 1000;
/// Lookups under way in hickory: where it does best.
const IN_FLIGHT: usize = 256;

#[derive(Parser)]
struct Args {
    /// What cargo adds where it measures; without, each client asks once for few hosts.
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// NSD with a zone that holds so many hosts for the clients, until it is killed; says `nsd` once it
    /// answers.
    Serve {
        #[arg(long)]
        hosts: u32,
        /// Where it answers.
        #[arg(long, required = true)]
        at: Vec<SocketAddrV4>,
    },
    /// One client; says how many lookups it made, and how many of them are lost.
    Ask {
        client: Client,
        #[arg(long)]
        hosts: u32,
        #[arg(long)]
        upstream: SocketAddr,
    },
    /// The names that clients ask for, one a line.
    Names {
        #[arg(long)]
        hosts: u32,
        /// Those with addresses, not those of addresses.
        #[arg(long)]
        forward: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Client {
    /// banneret's resolver.
    Banneret,
    /// The same, on hosts of every sort that the zone has; what timed out counts as lost beyond five in
    /// 100,000.
    Sorts,
    /// hickory-resolver, plain.
    Hickory,
}

fn main() {
    let args = Args::parse();
    match args.part {
        Some(Part::Serve { hosts, at }) => serve(hosts, &at),
        Some(Part::Ask { client, hosts, upstream }) => {
            let (lookups, lost) = match client {
                Client::Banneret => (banneret(upstream, hosts) as usize, 0),
                Client::Sorts => sorts(upstream, hosts),
                Client::Hickory => (hickory(upstream, hosts) as usize, 0),
            };
            println!("lookups {lookups} lost {lost}");
        }
        Some(Part::Names { hosts, forward }) => list(hosts, forward),
        None if args.bench => compare(HOSTS, ROUNDS),
        None => compare(FEW, 1),
    }
}

fn serve(hosts: u32, at: &[SocketAddrV4]) {
    let work = tempfile::tempdir().unwrap();
    let _nsd = bulk::serve(work.path(), at, range(hosts));
    println!("nsd");
    loop {
        std::thread::park();
    }
}

/// Runs the clients in turns and prints what each costs.
fn compare(hosts: u32, rounds: usize) {
    let work = tempfile::tempdir().unwrap();
    let upstream = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let SocketAddr::V4(at) = upstream else { panic!("{upstream}") };
    let _nsd = bulk::serve(work.path(), &[at], range(hosts));
    println!("{:<10} {:>9} {:>12}", "", "lookups", "us CPU each");
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (costs, (client, hosts)) in
            costs.iter_mut().zip([("banneret", hosts), ("hickory", hosts.div_ceil(10))])
        {
            let before = children_cpu();
            let lookups = run(client, hosts, upstream);
            let cost = children_cpu().saturating_sub(before).as_secs_f64() * 1e6 / f64::from(lookups);
            println!("{client:<10} {lookups:>9} {cost:>12.2}");
            costs.push(cost);
        }
    }
    let [ours, theirs] = costs.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    });
    println!("median: {ours:.2} and {theirs:.2} us CPU a lookup, 1/{:.1}", theirs / ours);
}

/// Runs one client to its end; the lookups that it made.
fn run(client: &str, hosts: u32, upstream: SocketAddr) -> u32 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["ask", client, "--hosts", &hosts.to_string(), "--upstream", &upstream.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut told).unwrap();
    assert!(child.wait().unwrap().success(), "{client}");
    told.split(' ').nth(1).unwrap().parse().unwrap()
}

fn list(hosts: u32, forward: bool) {
    for number in numbers().take(hosts as usize) {
        if forward {
            for name in bulk::names(number) {
                println!("{name}");
            }
        } else {
            println!("{}", DnsName::reverse(address(number).into()));
        }
    }
}

/// The hosts of the zone whose lookups every client does alike.
fn numbers() -> impl Iterator<Item = u32> {
    (0..).filter(|&number| matches!(Sort::of(number), Sort::Absent | Sort::Plain))
}

/// How many numbers hold so many of these hosts.
fn range(hosts: u32) -> u32 {
    numbers().nth(hosts as usize).unwrap()
}

/// Asks for each of these hosts and hands on what came of it; the packets that it took.
fn identities(
    upstream: SocketAddr,
    mut numbers: impl Iterator<Item = u32> + Send + 'static,
    mut take: impl FnMut(u32, &banneret::evidence::Resolution),
) -> u64 {
    let mut settings = Settings::new(vec![upstream]);
    settings.rate = Rate::Unlimited;
    let mut resolver = start(settings).unwrap();
    let (inbox, health) = (resolver.inbox, Arc::clone(&resolver.health));
    let feeder = std::thread::spawn(move || {
        loop {
            let want = |number| Want::Identity { ip: address(number).into(), banner: None };
            let batch: Vec<_> =
                numbers.by_ref().take(256).map(|number| Case { want: want(number), carry: number }).collect();
            if batch.is_empty() || inbox.send_blocking(batch).is_err() {
                return;
            }
        }
    });
    while let Some(batch) = resolver.solved.blocking_recv() {
        for solved in batch {
            let Solution::Identity(resolution) = solved.solution else { panic!() };
            take(solved.carry, &resolution);
        }
    }
    feeder.join().unwrap();
    health.upstreams[0].sent.load(Ordering::Relaxed)
}

/// Asks for all hosts; counts the lookups that were answered as they must be.
fn banneret(upstream: SocketAddr, hosts: u32) -> u32 {
    let mut lookups = 0;
    let packets = identities(upstream, numbers().take(hosts as usize), |number, told| {
        if Sort::of(number) == Sort::Absent {
            assert_eq!(told.ptr, Status::NxDomain, "{}", address(number));
            lookups += 1;
        } else {
            assert_eq!(
                told.names[0].forward.confirms(Some(address(number).into())),
                Some(true),
                "{}",
                address(number)
            );
            lookups += 2;
        }
    });
    if packets > u64::from(lookups) + u64::from(lookups / 100) {
        // NSD was overrun, or stood still: the figure holds more than one packet a lookup.
        eprintln!("{packets} packets for {lookups} lookups");
    }
    lookups
}

/// Asks for hosts of every sort; lookups, and those whose answer is not the zone's or missing beyond what may
/// be.
fn sorts(upstream: SocketAddr, hosts: u32) -> (usize, usize) {
    let mut count = Count::default();
    count.packets = identities(upstream, 0..hosts, |number, told| count.add(number, told));
    eprintln!("{count}");
    (count.questions, count.wrong.len() + count.timed_out.saturating_sub(count.may_be_lost()))
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
