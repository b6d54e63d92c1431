//! The core against invented upstreams in invented time: losses, limits, outages. Nothing here waits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU32};

use rand::{RngExt, SeedableRng};

use super::*;
use crate::evidence::Status;
use crate::resolve::settings::Rate;

mod edns;
mod letters;
mod load;
mod outage;
mod tcp;

/// What an upstream sends back, and after how long.
type Replies = Vec<(Duration, Vec<u8>)>;
/// An upstream: at this time, this many-th packet, this query.
type Manner<'a> = dyn FnMut(Duration, &[u8]) -> Replies + 'a;

const RTT: Duration = Duration::from_millis(20);
/// The second pause after failures, a quarter less.
const PAUSE_AT_LEAST: Duration = Duration::from_millis(375);

/// A datagram under way to a socket: when it arrives, which of those at that time it is.
type Coming = (Instant, u64, u16, Vec<u8>);

/// Invented time, upstreams, and what happened.
struct World<'a> {
    core: Core,
    health: Arc<Health>,
    start: Instant,
    now: Instant,
    upstreams: Vec<Box<Manner<'a>>>,
    coming: BinaryHeap<Reverse<Coming>>,
    order: u64,
    /// When each packet went to which upstream, and on which socket under which number.
    packets: Vec<(Duration, usize, u16, u16)>,
    answers: BTreeMap<u32, (Answer, Duration)>,
    over_tcp: OverTcp,
    /// Questions put over TCP and not replied to.
    tcp: Vec<TcpAsk>,
}

/// What becomes of questions put over TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OverTcp {
    /// There are none.
    Unused,
    /// Each comes back without an answer when its time there is over.
    InVain,
    /// None ever comes back.
    Lost,
}

impl<'a> World<'a> {
    fn new(change: impl FnOnce(&mut Settings), upstreams: Vec<Box<Manner<'a>>>) -> Self {
        let addresses = (1..).zip(&upstreams).map(|(last, _)| SocketAddr::from(([192, 0, 2, last], 53)));
        let mut settings = Settings::new(addresses.collect());
        change(&mut settings);
        let start = Instant::now();
        let (core, health) = Core::new(&settings, 4, StdRng::seed_from_u64(7), start);
        Self {
            core,
            health,
            start,
            now: start,
            upstreams,
            coming: BinaryHeap::new(),
            order: 0,
            packets: Vec::new(),
            answers: BTreeMap::new(),
            over_tcp: OverTcp::Unused,
            tcp: Vec::new(),
        }
    }

    fn submit(&mut self, token: u32) {
        let name = DnsName::parse(&format!("h{token}.example.org")).unwrap();
        self.core.submit(Token(token), &Question::new(name, Kind::A), self.now);
    }

    fn submit_to(&mut self, upstream: usize, token: u32) {
        let name = DnsName::parse(&format!("h{token}.example.org")).unwrap();
        self.core.submit_to(upstream, Token(token), &Question::new(name, Kind::A), self.now);
    }

    /// Lets time pass until every question has its answer; more are put in from `more` as there is room.
    fn run(&mut self, more: &mut dyn Iterator<Item = u32>) {
        let mut batch = Batch::default();
        loop {
            while self.core.room() > 0 {
                let Some(token) = more.next() else { break };
                self.submit(token);
            }
            if self.core.upstreams.iter().any(Upstream::is_up) {
                let room = QUEUE.saturating_sub(self.core.fresh.len());
                assert!(self.core.room() <= room, "only as much waits as goes soon");
            }
            self.core.expire(self.now);
            while let Some(lane) = self.core.next_batch(self.now, &mut batch) {
                self.deliver(lane, &batch);
            }
            self.tcp.extend(self.core.take_tcp());
            assert!(self.tcp.is_empty() || self.over_tcp != OverTcp::Unused);
            if self.over_tcp == OverTcp::Lost {
                self.tcp.clear();
            }
            let mut answers = Vec::new();
            self.core.take_answers(&mut answers);
            for (token, answer) in answers {
                let before = self.answers.insert(token.0, (answer, self.took()));
                assert!(before.is_none(), "question {token:?} was answered twice");
            }
            if self.core.under_way() == 0 && more.size_hint().0 == 0 {
                return;
            }
            if self.core.under_way() == 0 {
                continue;
            }
            let deadline = self.core.deadline(self.now).expect("what is under way has a deadline");
            let arrival = self.coming.peek().map(|Reverse(packet)| packet.0);
            // The shell sleeps a millisecond at least.
            let next =
                deadline.max(self.now + Duration::from_millis(1)).min(arrival.unwrap_or(deadline + RTT));
            let returned = self.tcp.iter().map(|ask| ask.until).min();
            self.now = next.min(returned.unwrap_or(next)).max(self.now);
            let now = self.now;
            for ask in self.tcp.extract_if(.., |ask| ask.until <= now) {
                self.core.receive_tcp(TcpReply { ask, reading: None }, now);
            }
            while self.coming.peek().is_some_and(|Reverse(packet)| packet.0 <= self.now) {
                let Some(Reverse((_, _, lane, bytes))) = self.coming.pop() else { break };
                self.core.receive(Lane(lane), &bytes, true, self.now);
            }
        }
    }

    fn deliver(&mut self, lane: Lane, batch: &Batch) {
        let mut start = 0;
        for &end in &batch.ends {
            let query = &batch.bytes[start..end];
            start = end;
            let upstream = usize::from(lane.0 / 4);
            let passed = self.took();
            self.packets.push((passed, upstream, lane.0, u16::from_be_bytes([query[0], query[1]])));
            for (after, bytes) in (self.upstreams[upstream])(passed, query) {
                self.order += 1;
                self.coming.push(Reverse((self.now + after, self.order, lane.0, bytes)));
            }
        }
    }

    fn count(&self, status: Status) -> usize {
        assert!(
            self.core.fresh.is_empty() && self.core.again.iter().all(VecDeque::is_empty),
            "a queue keeps what has ended"
        );
        self.answers.values().filter(|(answer, _)| answer.status == status).count()
    }

    /// Answers a second, without the tail of those that take long.
    fn rate(&self) -> f64 {
        let mut ends: Vec<Duration> = self.answers.values().map(|(_, at)| *at).collect();
        ends.sort_unstable();
        let most = ends.len() * 9 / 10;
        most as f64 / ends[most].as_secs_f64()
    }

    fn took(&self) -> Duration {
        self.now.duration_since(self.start)
    }
}

/// An answer to a query with a code, and one address if that is 0.
fn reply(query: &[u8], rcode: u8) -> Vec<u8> {
    let opt = if query[11] == 1 { 11 } else { 0 };
    let mut message = query[..query.len() - opt].to_vec();
    message[2] = 0x81;
    message[3] = 0x80 | rcode;
    message[11] = 0;
    if rcode == 0 {
        message[7] = 1;
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1]);
    }
    message
}

/// The number in the name asked, as [`World::submit`] makes it; that of a probe is 1.
fn number(query: &[u8]) -> u32 {
    if query[12] == 0 {
        return 1;
    }
    let label = &query[14..13 + usize::from(query[12])];
    label.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

fn healthy(_: Duration, query: &[u8]) -> Replies {
    vec![(RTT, reply(query, 0))]
}

fn silent(_: Duration, _: &[u8]) -> Replies {
    Vec::new()
}

/// Answers so many a second, evenly, and does something else with the rest.
fn limited(rate: u32, rest: u8) -> impl FnMut(Duration, &[u8]) -> Replies {
    let mut tokens = 0.0;
    let mut filled = Duration::ZERO;
    move |now, query| {
        let burst = f64::from(rate) / 20.0;
        tokens = (tokens + now.saturating_sub(filled).as_secs_f64() * f64::from(rate)).min(burst);
        filled = now;
        if tokens >= 1.0 {
            tokens -= 1.0;
            return healthy(now, query);
        }
        if rest == 0 { Vec::new() } else { vec![(RTT, reply(query, rest))] }
    }
}

fn window(packets: &[(Duration, usize, u16, u16)], length: Duration) -> usize {
    let mut most = 0;
    let mut from = 0;
    for (to, packet) in packets.iter().enumerate() {
        while packets[from].0 + length <= packet.0 {
            from += 1;
        }
        most = most.max(to + 1 - from);
    }
    most
}

#[test]
fn silence_is_given_up_after_the_timeout_and_four_packets() {
    let mut world = World::new(|_| {}, vec![Box::new(silent)]);
    world.run(&mut (0..7));
    assert_eq!((world.count(Status::TimedOut), world.packets.len()), (7, 28));
    for (answer, at) in world.answers.values() {
        assert_eq!(answer.attempts, 4);
        assert!((15.0..15.1).contains(&at.as_secs_f64()), "{at:?}");
    }
    let last = world.packets.last().unwrap().0.as_secs_f64();
    assert!((3.0..14.0).contains(&last), "the last packet outlasts a short outage, and leaves time: {last}");
}

#[test]
fn an_answer_counts_as_long_as_the_question_waits() {
    for (delay, status) in [(14_500, Status::Found), (15_500, Status::TimedOut)] {
        let slow = move |_: Duration, query: &[u8]| vec![(Duration::from_millis(delay), reply(query, 0))];
        let mut world = World::new(|_| {}, vec![Box::new(slow)]);
        world.run(&mut (0..1));
        assert_eq!(world.answers[&0].0.status, status, "{delay} ms");
    }
}

#[test]
fn each_packet_has_a_number_of_its_own_and_another_upstream_where_there_is_one() {
    let mut world = World::new(|_| {}, vec![Box::new(silent), Box::new(silent), Box::new(silent)]);
    world.run(&mut (0..1));
    let upstreams: Vec<usize> = world.packets.iter().map(|packet| packet.1).collect();
    assert!(upstreams.windows(2).all(|pair| pair[0] != pair[1]), "{upstreams:?}");
    let mut numbers: Vec<u16> = world.packets.iter().map(|packet| packet.3).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
}

#[test]
fn a_question_put_again_goes_out_on_another_socket() {
    let mut world = World::new(|_| {}, vec![Box::new(silent)]);
    // Few enough that nobody doubts the upstream, and probes it.
    for token in 0..7 {
        world.run(&mut (token..token + 1));
    }
    assert_eq!(world.packets.len(), 28);
    for packets in world.packets.chunks(4) {
        assert!(packets.windows(2).all(|pair| pair[0].2 != pair[1].2), "{packets:?}");
    }
}

#[test]
fn the_other_upstream_is_asked_at_once_and_the_same_after_a_pause() {
    let failing = |_: Duration, query: &[u8]| vec![(RTT, reply(query, 2))];
    let mut world = World::new(|_| {}, vec![Box::new(failing), Box::new(failing)]);
    world.run(&mut (0..1));
    let [first, second, third] = &world.packets[..] else { panic!("{:?}", world.packets) };
    assert_ne!(first.1, second.1);
    assert!(second.0.saturating_sub(first.0) < 2 * RTT, "{:?}", world.packets);
    assert!(third.0.saturating_sub(second.0) > PAUSE_AT_LEAST, "{:?}", world.packets);
}

#[test]
fn no_second_holds_more_packets_than_the_limit() {
    for limit in [1, 7, 50, 1000] {
        let lossy = |_: Duration, query: &[u8]| {
            if number(query).is_multiple_of(3) { Vec::new() } else { healthy(RTT, query) }
        };
        let rate = Rate::AtMost(NonZeroU32::new(limit).unwrap());
        let mut world = World::new(|settings| settings.rate = rate, vec![Box::new(lossy)]);
        world.run(&mut (0..limit * 4));
        let most = window(&world.packets, Duration::from_secs(1));
        assert!(
            most <= (limit + limit / 100 + 1) as usize,
            "{most} packets within a second of at most {limit}"
        );
        assert_eq!(world.count(Status::Found) + world.count(Status::TimedOut), limit as usize * 4);
    }
}

#[test]
fn attempts_bound_the_packets_whatever_the_upstream_does() {
    for attempts in 1..=5u8 {
        for rcode in [0u8, 1, 2, 5, 9, 15] {
            let mute = rcode == 0;
            let upstream = move |_: Duration, query: &[u8]| {
                if mute { Vec::new() } else { vec![(RTT, bare(query, rcode))] }
            };
            let change = |settings: &mut Settings| settings.attempts = NonZeroU8::new(attempts).unwrap();
            let mut world = World::new(change, vec![Box::new(upstream)]);
            world.run(&mut (0..1));
            assert!(world.packets.len() <= usize::from(attempts), "{attempts} attempts, rcode {rcode}");
            let seconds = if mute { 16 } else { 3 };
            assert!(
                world.took().as_secs() < seconds,
                "an end is not waited for: {attempts} attempts, rcode {rcode}"
            );
            assert!(!world.answers[&0].0.status.is_definite());
        }
    }
}

/// A failure, whatever additional records the query had.
fn bare(query: &[u8], rcode: u8) -> Vec<u8> {
    vec![query[0], query[1], 0x81, 0x80 | rcode, 0, 0, 0, 0, 0, 0, 0, 0]
}

#[test]
fn loss_duplicates_and_forgeries_lose_no_question_and_make_none_wrong() {
    let mut random = StdRng::seed_from_u64(1);
    let hostile = move |_: Duration, query: &[u8]| {
        let mut replies = Vec::new();
        let answer = reply(query, 0);
        if random.random_ratio(1, 50) {
            let mut forged = reply(query, 3);
            forged[0] ^= 0x10;
            replies.push((RTT / 2, forged));
            let mut altered = reply(query, 3);
            altered[13] ^= 1;
            replies.push((RTT / 2, altered));
            replies.push((RTT / 2, vec![random.random(); 40]));
        }
        if !random.random_ratio(1, 20) {
            let times = if random.random_ratio(1, 50) { 2 } else { 1 };
            replies.extend(std::iter::repeat_n((RTT, answer), times));
        }
        replies
    };
    let mut world = World::new(|_| {}, vec![Box::new(hostile)]);
    world.run(&mut (0..40_000));
    assert_eq!(world.answers.len(), 40_000);
    assert_eq!(world.count(Status::NxDomain), 0);
    assert!(world.count(Status::TimedOut) <= 5, "{} timed out", world.count(Status::TimedOut));
}

#[test]
fn a_question_for_one_upstream_alone_that_is_set_aside_ends_once() {
    // Some so late that a question waits to be sent once more when its first packet is answered.
    for late in (200..4000).step_by(200).map(Duration::from_millis) {
        let refusing = |_: Duration, query: &[u8]| vec![(late, reply(query, 5))];
        let rate = Rate::AtMost(NonZeroU32::new(200).unwrap());
        let upstreams: Vec<Box<Manner<'_>>> = vec![Box::new(refusing), Box::new(healthy)];
        let mut world = World::new(|settings| settings.rate = rate, upstreams);
        for token in 0..300 {
            world.submit_to(0, token);
        }
        world.run(&mut (300..1500));
        assert_eq!((world.answers.len(), world.core.under_way()), (1500, 0), "{late:?}");
    }
}

#[test]
fn an_upstream_that_refuses_is_left_alone_unless_there_is_no_other() {
    let refusing = |_: Duration, query: &[u8]| vec![(RTT, reply(query, 5))];
    let mut world = World::new(|_| {}, vec![Box::new(refusing), Box::new(healthy)]);
    world.run(&mut (0..30_000));
    assert_eq!(world.count(Status::Found), 30_000);
    let refused = world.packets.iter().filter(|packet| packet.1 == 0).count();
    assert!(refused < 600, "{refused} packets to one that refuses");

    let gone = |now: Duration, query: &[u8]| if now.as_secs() < 2 { healthy(now, query) } else { Vec::new() };
    let rate = Rate::AtMost(NonZeroU32::new(1000).unwrap());
    let mut world = World::new(|settings| settings.rate = rate, vec![Box::new(refusing), Box::new(gone)]);
    world.run(&mut (0..10_000));
    let refusals = world.answers.values().filter(|(answer, _)| answer.status == Status::Refused);
    let first = refusals.map(|(_, at)| *at).min().unwrap();
    assert!(first < Duration::from_secs(12), "the other is asked again when this one is gone: {first:?}");
    assert!(
        world.took() < Duration::from_secs(60),
        "{:?}: to fail at any rate is no reason to slow down",
        world.took()
    );
}

#[test]
fn the_rate_rises_while_answers_allow() {
    let mut world = World::new(|_| {}, vec![Box::new(healthy)]);
    world.run(&mut (0..80_000));
    assert_eq!(world.count(Status::Found), 80_000);
    assert!(world.took() < Duration::from_secs(4), "{:?}", world.took());
}

#[test]
fn dead_zones_do_not_throttle() {
    for (share, rcode) in [(10, 0), (10, 2), (5, 0), (5, 2)] {
        let lame = move |now: Duration, query: &[u8]| match (number(query) % share, rcode) {
            (0, 0) => Vec::new(),
            (0, rcode) => vec![(RTT, reply(query, rcode))],
            _ => healthy(now, query),
        };
        let mut world = World::new(|_| {}, vec![Box::new(lame)]);
        world.run(&mut (0..80_000));
        assert_eq!(world.count(Status::Found), (80_000 - 80_000 / share) as usize);
        // A dead zone holds its slot for the whole timeout: 16,384 slots let this many pass.
        let bound = 80_000.0 / f64::from(share) / SLOTS as f64 * 15.0 + 15.0;
        let allowed = if rcode == 0 { bound * 1.6 } else { 25.0 };
        assert!(world.took().as_secs_f64() < allowed, "1 in {share}, rcode {rcode}: {:?}", world.took());
    }
}

#[test]
fn an_upstream_that_drops_above_its_limit_is_not_overrun() {
    let mut world = World::new(|_| {}, vec![Box::new(limited(5000, 0))]);
    world.run(&mut (0..50_000));
    let rate = world.rate();
    assert!(world.count(Status::TimedOut) <= 100, "{} lost", world.count(Status::TimedOut));
    assert!(rate > 4000.0, "{rate} of 5000 a second");
}

#[test]
fn an_upstream_that_fails_above_its_limit_is_not_read_as_absence() {
    for rcode in [2, 5] {
        let mut world = World::new(|_| {}, vec![Box::new(limited(5000, rcode))]);
        world.run(&mut (0..50_000));
        let rate = world.rate();
        let failed = 50_000 - world.count(Status::Found);
        assert!(failed <= 1500, "{failed} failed with {rcode}");
        assert!(rate > 4000.0, "{rate} of 5000 a second");
    }
}
