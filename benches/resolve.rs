//! CPU time of a lookup: banneret's resolver beside hickory-resolver's, in turns, against the same responder.
//!
//! The responder is a child process on the loopback interface that answers from the question alone: the PTR name of
//! `a.b.c.d` is `h-a-b-c-d.example.net`, whose address is `a.b.c.d`; one address in seven has no PTR record. Each host
//! is so 1.86 lookups. Loopback bills half of the kernel's work on both sides to each process.
//!
//! `cargo bench --bench resolve [-- HOSTS [ROUNDS [banneret|hickory]]]`. CPU time is that of this process, user and system.

#![allow(clippy::unwrap_used, reason = "a measurement that fails has no result")]

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use banneret::evidence::Status;
use banneret::resolve::{Case, Rate, Settings, Solution, Want, start};
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Resolver, TokioResolver};

/// Hosts asked for by banneret in each round; hickory is given a tenth.
const HOSTS: u32 = 300_000;
const ROUNDS: usize = 5;
/// The block that is asked for: benchmarking addresses (RFC 2544), and what lies behind them.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// Lookups under way in hickory: where it does best.
const IN_FLIGHT: usize = 256;
/// One address in so many has no PTR record.
const SPARSE: u32 = 7;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let first = args.next();
    if first.as_deref() == Some("respond") {
        return respond();
    }
    let hosts = first.and_then(|text| text.parse().ok()).unwrap_or(HOSTS);
    let rounds = args.next().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let only = args.next();
    let responder = Responder::start();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<10} {:>10} {:>12} {:>12}", "", "lookups", "us CPU each", "a second").unwrap();
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (index, (name, run)) in
            [("banneret", banneret as fn(_, _) -> u32), ("hickory", hickory)].into_iter().enumerate()
        {
            if only.as_deref().is_some_and(|only| only != name) {
                continue;
            }
            let (cpu, wall) = (cpu_time(), Instant::now());
            let lookups = run(responder.address, if index == 0 { hosts } else { hosts / 10 });
            let (cpu, wall) = (cpu_time().saturating_sub(cpu), wall.elapsed());
            let cost = cpu.as_secs_f64() * 1e6 / f64::from(lookups);
            let pace = f64::from(lookups) / wall.as_secs_f64();
            writeln!(out, "{name:<10} {lookups:>10} {cost:>12.2} {pace:>12.0}").unwrap();
            costs[index].push(cost);
        }
    }
    if only.is_some() {
        return;
    }
    let [ours, theirs] = costs.map(|mut list| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    });
    writeln!(out, "median: {ours:.2} and {theirs:.2} us CPU a lookup, 1/{:.1}", theirs / ours).unwrap();
}

fn addresses(hosts: u32) -> impl Iterator<Item = Ipv4Addr> {
    (FIRST..FIRST + hosts).map(Ipv4Addr::from)
}

/// Asks for all hosts; counts the lookups that were answered as they must be.
fn banneret(upstream: SocketAddr, hosts: u32) -> u32 {
    let mut settings = Settings::new(vec![upstream]);
    settings.rate = Rate::Unlimited;
    let mut resolver = start(settings).unwrap();
    let health = Arc::clone(&resolver.health);
    let inbox = resolver.inbox;
    let feeder = std::thread::spawn(move || {
        let mut addresses = addresses(hosts);
        loop {
            let batch: Vec<_> = addresses
                .by_ref()
                .take(256)
                .map(|ip| Case { want: Want::Identity { ip: ip.into(), banner: None }, carry: ip })
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
            if u32::from(solved.carry) % SPARSE == 0 {
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
        // The responder was overrun: the figure holds more than one packet a lookup.
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
        for ip in addresses(hosts) {
            if tasks.len() >= IN_FLIGHT {
                lookups += tasks.join_next().await.unwrap().unwrap();
            }
            tasks.spawn(hickory_host(Arc::clone(&resolver), ip));
        }
        while let Some(host) = tasks.join_next().await {
            lookups += host.unwrap();
        }
        lookups
    })
}

async fn hickory_host(resolver: Arc<TokioResolver>, ip: Ipv4Addr) -> u32 {
    let names = resolver.lookup(Name::from(IpAddr::from(ip)), RecordType::PTR).await;
    if u32::from(ip) % SPARSE == 0 {
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

/// User and system time of this process, ended threads included.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let behind_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 =
        behind_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // Linux shows them at 100 a second on every architecture.
    Duration::from_millis(ticks * 10)
}

/// The responder's process; dropped, it ends.
struct Responder {
    child: Child,
    address: SocketAddr,
}

impl Responder {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("respond")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().parse().unwrap() }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn respond() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    socket.set_recv_buffer_size(8 << 20).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let socket = UdpSocket::from(socket);
    println!("{}", socket.local_addr().unwrap());
    // The parent's end of this pipe closes when it ends, however it ends.
    std::thread::spawn(|| {
        std::io::stdin().read_line(&mut String::new()).ok();
        std::process::exit(0);
    });
    let mut message = [0; 2048];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut message) else { continue };
        let length = answer(&mut message, length);
        socket.send_to(&message[..length], peer).ok();
    }
}

/// Makes an answer of the query in place; tells its length.
fn answer(message: &mut [u8; 2048], length: usize) -> usize {
    let mut numbers = [0u8; 4];
    let mut end = 12;
    let forward = message[13] == b'h' && message[14] == b'-';
    let digits: &[u8] = &message[if forward { 15..13 + usize::from(message[12]) } else { 13..length }];
    let mut at = 0;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => numbers[at] = numbers[at].wrapping_mul(10).wrapping_add(byte - b'0'),
            _ if at == 3 => break,
            _ => at += 1,
        }
    }
    while message[end] != 0 {
        end += 1 + usize::from(message[end]);
    }
    end += 5;
    if !forward {
        numbers.reverse();
    }
    let exists = forward || u32::from_be_bytes(numbers) % SPARSE != 0;
    message[2] = 0x81;
    message[3] = if exists { 0x80 } else { 0x83 };
    message[6..12].copy_from_slice(&[0, u8::from(exists), 0, u8::from(!exists), 0, 0]);
    let mut record = vec![0xc0, 12, 0, if forward { 1 } else { 12 }, 0, 1, 0, 0, 1, 44, 0];
    if forward {
        record.push(4);
        record.extend(numbers);
    } else if exists {
        let label = format!("h-{}-{}-{}-{}", numbers[0], numbers[1], numbers[2], numbers[3]);
        let name =
            [&[u8::try_from(label.len()).unwrap()], label.as_bytes(), b"\x07example\x03net\0"].concat();
        record.push(u8::try_from(name.len()).unwrap());
        record.extend(name);
    } else {
        record = b"\x07in-addr\x04arpa\0\0\x06\0\x01\0\0\x01\x2c\0\x18\0\x01n\0".to_vec();
        record.extend([0; 16]);
        record.extend([0, 0, 1, 44]);
    }
    message[end..end + record.len()].copy_from_slice(&record);
    end + record.len()
}
