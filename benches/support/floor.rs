//! The floor: the least that greeting, QUIT and 221 cost a client on this kernel, to hold banneret's own
//! figures against.
//!
//! `cargo bench --bench floor -- --hosts 127.64.0.0/16 --port 40123`, where `blockd` serves. One thread, one epoll set,
//! nothing else: no timers, no retries, no records, no allocation for a host. For each host it makes the system calls
//! `socket`, `connect`, `epoll_ctl`, `recv` (the greeting), `send` (QUIT), `recv` (the 221) and `close`, and shares an
//! `epoll_wait` with all that are ready; what comes in pieces costs a `recv` more. At its end it tells on stdout how
//! many hosts it spoke to and how many it lost: `hosts 65536 lost 0`.
//!
//! `--moderated` has it take events in strides, as banneret does: each wake-up that falls out saves a task
//! switch, so this is below what is called the floor here.
//!
//! Unsafe are the calls themselves: each gets descriptors that are open, and live memory with its own length.
#![allow(unsafe_code)]

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use banneret::prefix::Prefix;
use banneret::scan::moderation::NAP;
use clap::Parser;

/// Events taken at once.
const EVENTS: usize = 1024;
/// With nothing heard for so many milliseconds, whoever is still awaited is lost.
const PATIENCE: libc::c_int = 10_000;
/// More than a greeting or a farewell of `blockd` takes.
const SCRATCH: usize = 512;

#[derive(Parser)]
struct Args {
    /// The block.
    #[arg(long, value_parser = Prefix::parse)]
    hosts: Prefix,
    /// The hosts' port.
    #[arg(long)]
    port: u16,
    /// Conversations at once.
    #[arg(long, default_value_t = 1000)]
    concurrency: usize,
    /// Nap between waits that are short, as a scan's own threads of conversations do.
    #[arg(long)]
    moderated: bool,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// How far a conversation has come, by its descriptor: the kernel gives out the lowest free one, so the table
/// is dense.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Farewell,
    Closed,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let IpAddr::V4(first) = args.hosts.first() else { bail!("the floor is measured over IPv4") };
    let count = 1_u64 << (32 - u32::from(args.hosts.length()));
    let first = u32::from(first);
    let mut targets = (0..count).map(|at| first.wrapping_add(at as u32));
    // SAFETY: no pointer is passed.
    let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    check(epoll).context("no epoll set")?;
    let mut stages = vec![Stage::Closed; args.concurrency + 64];
    let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS];
    let (mut open, mut spoken) = (0, 0);
    let mut waited = Duration::MAX;
    loop {
        for target in targets.by_ref().take(args.concurrency - open) {
            let fd = start(epoll, target, args.port)?;
            *stages.get_mut(fd as usize).context("more descriptors than conversations")? = Stage::Greeting;
            open += 1;
        }
        if open == 0 {
            break;
        }
        if args.moderated && waited < NAP {
            std::thread::sleep(NAP);
        }
        let begin = Instant::now();
        // SAFETY: `events` is a live array of EVENTS events, which the call fills from its start.
        let ready = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), EVENTS as libc::c_int, PATIENCE) };
        if check(ready)? == 0 {
            break;
        }
        waited = begin.elapsed();
        for event in &events[..ready as usize] {
            let fd = event.u64 as RawFd;
            let stage = &mut stages[fd as usize];
            *stage = hear(fd, *stage, &mut spoken);
            if *stage == Stage::Closed {
                // SAFETY: the descriptor is ours, open, and in no other hands.
                unsafe { libc::close(fd) };
                open -= 1;
            }
        }
    }
    writeln!(io::stdout(), "hosts {spoken} lost {}", count - spoken)?;
    Ok(())
}

/// Sends the SYN to a host, and has the set watch for what it says.
fn start(epoll: RawFd, target: u32, port: u16) -> anyhow::Result<RawFd> {
    // SAFETY: no pointer is passed.
    let fd = unsafe {
        libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0)
    };
    check(fd).context("no socket; the limit of open files must be above the concurrency")?;
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: target.to_be() },
        sin_zero: [0; 8],
    };
    let length = size_of_val(&address) as libc::socklen_t;
    // SAFETY: `address` is live, of that length, and only read by the call.
    let connected = unsafe { libc::connect(fd, (&raw const address).cast(), length) };
    if let Err(error) = check(connected)
        && error.raw_os_error() != Some(libc::EINPROGRESS)
    {
        return Err(error).with_context(|| format!("no connection to {}", Ipv4Addr::from(target)));
    }
    let mut event =
        libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET).cast_unsigned(), u64: fd as u64 };
    // SAFETY: `event` is live and only read by the call.
    check(unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &raw mut event) })?;
    Ok(fd)
}

/// Takes what a host said as far as it has come, and says QUIT to its greeting.
fn hear(fd: RawFd, stage: Stage, spoken: &mut u64) -> Stage {
    const QUIT: &[u8] = b"QUIT\r\n";
    let mut scratch = [0_u8; SCRATCH];
    // SAFETY: `scratch` is a live array of SCRATCH octets, which the call fills from its start.
    let heard = unsafe { libc::recv(fd, scratch.as_mut_ptr().cast(), SCRATCH, 0) };
    let heard = &scratch[..usize::try_from(heard).unwrap_or(0)];
    match stage {
        Stage::Greeting if heard.starts_with(b"220 ") && heard.ends_with(b"\n") => {
            // SAFETY: QUIT is live, of that length, and only read by the call.
            let sent = unsafe { libc::send(fd, QUIT.as_ptr().cast(), QUIT.len(), libc::MSG_NOSIGNAL) };
            if sent == QUIT.len() as isize { Stage::Farewell } else { Stage::Closed }
        }
        Stage::Farewell if heard.starts_with(b"221 ") => {
            *spoken += 1;
            Stage::Closed
        }
        _ => Stage::Closed,
    }
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
