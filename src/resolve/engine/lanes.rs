//! The sockets: some to each upstream, connected, so that the kernel drops what others send and reports an
//! upstream that is not there. Each is replaced now and then, so that its port is not worth finding out.
//! Knows no DNS.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use socket2::{Domain, Protocol, Socket, Type};

use super::core::Batch;
use super::keys::Lane;
use super::sys::{self, Intake, MANY, Poll, Segments};

/// Sockets to each upstream: spreads the numbers of questions without spreading a batch of answers.
const LANES: u16 = 16;
/// All upstreams together take at most this part of the descriptors: the rest is for conversations.
const SHARE: usize = 8;
/// A socket is replaced after so many datagrams, or so long after its first.
const MOST_SENT: usize = 4096;
const MOST_AGE: Duration = Duration::from_secs(30);
/// How long a replaced socket still takes answers. The latest answer comes within the timeout; most within
/// this.
const DRAIN: Duration = Duration::from_secs(15);
/// Room for answers that wait in a socket.
const RECEIVE_BUFFER: usize = 2 << 20;
/// How often a batch is tried that the kernel does not take, and the pause before: its queues empty fast.
const MOST_STUCK: u32 = 5;
const FULL: Duration = Duration::from_micros(200);
/// Ports tried before the kernel is left to choose.
const PORT_TRIES: usize = 8;
/// Source ports: above those that services and firewalls give a meaning to.
const PORTS: std::ops::RangeInclusive<u16> = 10_240..=65_535;

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// It went, or what did not go is as good as lost.
    All,
    /// Nobody listens there, or no route leads there.
    Unreachable,
}

#[derive(Debug)]
pub(super) struct Lanes {
    states: Vec<LaneState>,
    each: u16,
    draining: Vec<(UdpSocket, Instant, u64)>,
    random: StdRng,
    segments: Segments,
    /// Marks so far: each socket has its own, so that a late event is not taken for another's.
    marks: u64,
}

#[derive(Debug)]
struct LaneState {
    upstream: SocketAddr,
    socket: UdpSocket,
    mark: u64,
    sent: usize,
    /// When the first datagram went.
    opened: Option<Instant>,
}

impl Lanes {
    /// Opens as many sockets to each upstream as descriptors allow, at least one. Takes upstreams off the
    /// list that can't be sent to, unless none is left.
    pub(super) fn open(upstreams: &mut Vec<SocketAddr>, poll: &Poll, mut random: StdRng) -> io::Result<Self> {
        let share = sys::descriptor_limit() / SHARE / upstreams.len().max(1);
        let mut each = u16::try_from(share).unwrap_or(LANES).clamp(1, LANES);
        loop {
            match Self::open_each(upstreams, each, poll, StdRng::from_rng(&mut random)) {
                Err(error) if is_short(&error) && each > 1 => each /= 2,
                result => return result,
            }
        }
    }

    fn open_each(
        upstreams: &mut Vec<SocketAddr>,
        each: u16,
        poll: &Poll,
        random: StdRng,
    ) -> io::Result<Self> {
        let segments = Segments::Together;
        let mut lanes = Self { states: Vec::new(), each, draining: Vec::new(), random, segments, marks: 0 };
        let mut reachable = Vec::new();
        let mut reason = None;
        for &upstream in upstreams.iter() {
            match lanes.connect_all(upstream, poll) {
                Ok(()) => reachable.push(upstream),
                Err(error) if is_short(&error) => return Err(error),
                Err(error) => reason = Some(error),
            }
        }
        match reason {
            Some(error) if reachable.is_empty() => Err(error),
            _ => {
                *upstreams = reachable;
                Ok(lanes)
            }
        }
    }

    /// Sockets to each upstream.
    pub(super) fn each(&self) -> u16 {
        self.each
    }

    /// Sends a batch.
    pub(super) fn send(&mut self, lane: Lane, batch: &Batch, poll: &Poll, now: Instant) -> Sent {
        let index = usize::from(lane.0);
        let state = &self.states[index];
        let old = state.opened.is_some_and(|at| now.saturating_duration_since(at) >= MOST_AGE);
        if state.sent >= MOST_SENT || old {
            self.replace(index, poll, now);
        }
        let state = &mut self.states[index];
        state.opened.get_or_insert(now);
        state.sent += batch.ends.len();
        send(&state.socket, batch, &mut self.segments)
    }

    /// Closes replaced sockets that have drained.
    pub(super) fn drain(&mut self, now: Instant) {
        self.draining.retain(|(_, until, _)| *until > now);
    }

    /// Takes datagrams from the socket with a mark; tells which lane it belongs to and how many came.
    pub(super) fn receive(&mut self, mark: u64, intake: &mut Intake) -> Option<(Lane, io::Result<usize>)> {
        let lane = Lane(lane_of(mark));
        let state = self.states.get(usize::from(lane.0))?;
        if state.mark == mark {
            return Some((lane, intake.receive(&state.socket)));
        }
        let (socket, ..) = self.draining.iter().find(|(.., other)| *other == mark)?;
        Some((lane, intake.receive(socket)))
    }

    fn replace(&mut self, index: usize, poll: &Poll, now: Instant) {
        let upstream = self.states[index].upstream;
        // Without a descriptor to spare the old one has to do.
        if let Ok(fresh) = self.connect(index, upstream, poll) {
            let old = std::mem::replace(&mut self.states[index], fresh);
            self.draining.push((old.socket, now + DRAIN, old.mark));
        } else {
            self.states[index].sent = 0;
            self.states[index].opened = None;
        }
    }

    fn connect_all(&mut self, upstream: SocketAddr, poll: &Poll) -> io::Result<()> {
        for _ in 0..self.each {
            let lane = self.connect(self.states.len(), upstream, poll)?;
            self.states.push(lane);
        }
        Ok(())
    }

    fn connect(&mut self, index: usize, upstream: SocketAddr, poll: &Poll) -> io::Result<LaneState> {
        let socket = Socket::new(Domain::for_address(upstream), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        // The larger of what anyone may have and what the privileged get.
        socket.set_recv_buffer_size(RECEIVE_BUFFER).ok();
        sys::force_receive_buffer(&socket, i32::try_from(RECEIVE_BUFFER).unwrap_or(i32::MAX));
        self.bind(&socket, upstream)?;
        socket.connect(&upstream.into())?;
        self.marks += 1;
        let mark = self.marks << 16 | index as u64;
        poll.watch(&socket, mark)?;
        Ok(LaneState { upstream, socket: socket.into(), mark, sent: 0, opened: None })
    }

    /// Binds to a random port (RFC 5452 §9.2).
    fn bind(&mut self, socket: &Socket, upstream: SocketAddr) -> io::Result<()> {
        let any = match upstream.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        for _ in 0..PORT_TRIES {
            let port = self.random.random_range(PORTS);
            if socket.bind(&SocketAddr::new(any, port).into()).is_ok() {
                return Ok(());
            }
        }
        socket.bind(&SocketAddr::new(any, 0).into())
    }
}

fn lane_of(mark: u64) -> u16 {
    // The lane is in the low 16 bits.
    u16::try_from(mark & 0xffff).unwrap_or(0)
}

/// Sends a batch, the shortest datagrams first. Errors of one datagram lose it alone: that happens to
/// datagrams anyway, and its question is put again.
fn send(socket: &UdpSocket, batch: &Batch, segments: &mut Segments) -> Sent {
    let mut room: [&[u8]; MANY] = [&[]; MANY];
    let mut start = 0;
    for (place, &end) in room.iter_mut().zip(&batch.ends) {
        *place = &batch.bytes[start..end];
        start = end;
    }
    let mut rest = &mut room[..batch.ends.len().min(MANY)];
    rest.sort_unstable_by_key(|datagram| datagram.len());
    let mut result = Sent::All;
    let mut stuck = 0;
    while !rest.is_empty() && stuck < MOST_STUCK {
        stuck += 1;
        match sys::send_many(socket, rest, *segments) {
            Ok(sent) if sent > 0 => {
                rest = &mut rest[sent..];
                stuck = 0;
            }
            // It tells of an earlier datagram; these may still go.
            Err(error) if is_unreachable(&error) => result = Sent::Unreachable,
            // Some ways out can't cut (IPsec), some kernels don't know how.
            Err(error) if is_unable(&error) && *segments == Segments::Together => *segments = Segments::Apart,
            _ => std::thread::sleep(FULL),
        }
    }
    result
}

/// Whether an error says that this process or system has no descriptor left.
fn is_short(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

fn is_unable(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL | libc::EOPNOTSUPP | libc::ENOPROTOOPT))
}

/// Whether an error says that nobody can be reached at the other end.
pub(super) fn is_unreachable(error: &io::Error) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable, Unsupported,
    };
    matches!(
        error.kind(),
        AddrNotAvailable | ConnectionRefused | HostUnreachable | NetworkUnreachable | Unsupported
    )
}
