//! What happens to a question from submission to its one answer, without sockets: datagrams and the time are arguments,
//! batches of datagrams are the result.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::pace::Pace;
use super::slots::{Slots, State, Ticket};
use super::timers::Timers;
use super::upstream::{Tone, Turn, Upstream};
use crate::evidence::Status;
use crate::name::DnsName;
use crate::resolve::health::Health;
use crate::resolve::plan::Token;
use crate::resolve::question::{Answer, Kind, Question, Records, Transport};
use crate::resolve::settings::Settings;
use crate::resolve::wire::{self, Edns, Fault, Reading};

/// Questions under way at once. One that nobody answers takes its place for the whole timeout.
pub(crate) const SLOTS: usize = 16_384;
/// Datagrams in one batch: enough to make the system call cheap, few enough for one socket's buffer.
pub(crate) const BATCH: usize = 32;
/// Aliases asked for by questions of their own.
const MAX_DEPTH: u8 = 8;
/// Answers with a failure code that end a question.
const MOST_FAILURES: u8 = 3;
/// Answers that settle nothing that end a question: the second one has had its chance to differ.
const MOST_UNCLEAR: u8 = 2;
/// The pause after the first failure; doubled for each further one, a quarter more or less.
const PAUSE: Duration = Duration::from_millis(250);
/// Each wait is so many times the one before it: the last packets must outlast a short outage.
const PATIENCE: u32 = 3;

/// One of the sockets, numbered through all upstreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lane(pub(crate) u16);

/// Datagrams for one socket.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// One behind the other.
    pub(crate) bytes: Vec<u8>,
    /// Where each ends.
    pub(crate) ends: Vec<usize>,
}

/// A question to be put over TCP.
#[derive(Debug)]
pub(crate) struct TcpAsk {
    pub(super) ticket: Ticket,
    /// The number of the upstream.
    pub(crate) upstream: usize,
    pub(crate) name: DnsName,
    pub(crate) kind: Kind,
    pub(crate) edns: Edns,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct TcpReply {
    pub(crate) ask: TcpAsk,
    /// `None` where no connection gave an answer to the question.
    pub(crate) reading: Option<Reading>,
}

pub(crate) struct Core {
    timeout: Duration,
    attempts: u8,
    lanes: u16,
    upstreams: Vec<Upstream>,
    slots: Slots,
    timers: Timers,
    keys: HashMap<u32, u32, BuildHasherDefault<KeyHasher>>,
    /// Never sent.
    fresh: VecDeque<Ticket>,
    /// To be sent once more, by upstream.
    again: Vec<VecDeque<Ticket>>,
    tcp: Vec<TcpAsk>,
    answers: Vec<(Token, Answer)>,
    random: StdRng,
    /// The upstream whose turn it is.
    turn: usize,
    fired: Vec<u32>,
}

impl Core {
    /// Nothing under way; `lanes` sockets to each upstream.
    pub(crate) fn new(settings: &Settings, lanes: u16, random: StdRng, now: Instant) -> (Self, Arc<Health>) {
        let health = Arc::new(Health::new(&settings.upstreams));
        let upstreams: Vec<Upstream> = (0..settings.upstreams.len())
            .map(|index| Upstream::new(index, Pace::new(settings.rate, now), Arc::clone(&health), now))
            .collect();
        let core = Self {
            timeout: settings.timeout,
            attempts: settings.attempts.get(),
            lanes,
            again: vec![VecDeque::new(); upstreams.len()],
            upstreams,
            slots: Slots::new(SLOTS),
            timers: Timers::new(SLOTS, now),
            keys: HashMap::default(),
            fresh: VecDeque::new(),
            tcp: Vec::new(),
            answers: Vec::new(),
            random,
            turn: 0,
            fired: Vec::new(),
        };
        (core, health)
    }

    /// How many more questions there is room for.
    pub(crate) fn room(&self) -> usize {
        self.slots.room()
    }

    /// How many are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.slots.taken()
    }

    /// Takes a question; the caller has looked for room.
    pub(crate) fn submit(&mut self, token: Token, question: &Question, now: Instant) {
        let ticket = self.slots.take(token, question, now);
        self.fresh.push_back(ticket);
        self.timers.set(ticket.slot, now + self.timeout);
    }

    /// Answers since the last call.
    pub(crate) fn take_answers(&mut self, answers: &mut Vec<(Token, Answer)>) {
        answers.append(&mut self.answers);
    }

    /// Whether there are answers to take.
    pub(crate) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Questions to be put over TCP since the last call.
    pub(crate) fn take_tcp(&mut self) -> std::vec::Drain<'_, TcpAsk> {
        self.tcp.drain(..)
    }

    /// Fills a batch and names the socket it is for; `None` if nothing may be sent now.
    pub(crate) fn next_batch(&mut self, now: Instant, batch: &mut Batch) -> Option<Lane> {
        batch.bytes.clear();
        batch.ends.clear();
        for _ in 0..self.upstreams.len() {
            let upstream = self.turn;
            self.turn = (self.turn + 1) % self.upstreams.len();
            let waits = !self.fresh.is_empty() || !self.again[upstream].is_empty();
            if !waits {
                continue;
            }
            let allowed = self.upstreams[upstream].allowance(now).min(BATCH);
            let lane = Lane(self.lane(upstream));
            while batch.ends.len() < allowed {
                let Some(ticket) = self.next_queued(upstream) else { break };
                self.send(ticket, upstream, lane, now, batch);
            }
            if batch.ends.len() == allowed {
                self.upstreams[upstream].pace.press();
            }
            if !batch.ends.is_empty() {
                return Some(lane);
            }
        }
        None
    }

    /// When something is to be done next if nothing comes in before.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let fresh = !self.fresh.is_empty();
        let sending = self.upstreams.iter().zip(&self.again);
        let sending = sending.filter(|(_, again)| fresh || !again.is_empty());
        sending.map(|(upstream, _)| upstream.next(now)).chain(self.timers.next()).min()
    }

    /// Lets time pass.
    pub(crate) fn expire(&mut self, now: Instant) {
        for upstream in &mut self.upstreams {
            upstream.tick(now);
        }
        let mut fired = std::mem::take(&mut self.fired);
        self.timers.expire(now, &mut fired);
        for slot in fired.drain(..) {
            self.fire(slot, now);
        }
        self.fired = fired;
    }

    /// Takes a datagram that came in on a socket. What belongs to no question is ignored.
    pub(crate) fn receive(&mut self, lane: Lane, datagram: &[u8], whole: bool, now: Instant) {
        let Some(id) = wire::answer_id(datagram) else { return };
        let key = key(lane, id);
        let Some(&index) = self.keys.get(&key) else { return };
        let slot = self.slots.at(index);
        let Some(reading) = wire::read(datagram, &slot.name, slot.kind) else { return };
        // What does not fit our buffer does not fit a datagram.
        let reading = if whole { reading } else { Reading::Truncated };
        let upstream = usize::from(lane.0 / self.lanes);
        let after = (slot.keys.last() == Some(&key)).then(|| now.saturating_duration_since(slot.last_sent));
        let tone = match &reading {
            Reading::Fault(Fault::Refused) => Tone::Refusing,
            Reading::Fault(Fault::ServFail | Fault::FormErr) => Tone::Failing,
            _ => Tone::Sound,
        };
        let turn = self.upstreams[upstream].heard(now, after, tone);
        self.turned(upstream, turn);
        if tone == Tone::Refusing
            && self.upstreams[upstream].mostly_refuses()
            && self.another(upstream).is_some()
        {
            let turn = self.upstreams[upstream].set_aside(now);
            self.turned(upstream, turn);
        }
        // An answer counts once, however often it comes.
        self.slots.at(index).keys.retain(|other| *other != key);
        self.keys.remove(&key);
        self.conclude(index, upstream, reading, Transport::Udp, now);
    }

    /// Takes what came of a question put over TCP.
    pub(crate) fn receive_tcp(&mut self, reply: TcpReply, now: Instant) {
        if self.slots.get(reply.ask.ticket).is_none() {
            return;
        }
        let reading = match reply.reading {
            None | Some(Reading::Truncated) => Reading::Fault(Fault::Unclear),
            Some(reading) => reading,
        };
        self.conclude(reply.ask.ticket.slot, reply.ask.upstream, reading, Transport::Tcp, now);
    }

    /// A socket reported that nobody listens at its other end.
    pub(crate) fn unreachable(&mut self, lane: Lane, now: Instant) {
        let upstream = usize::from(lane.0 / self.lanes);
        let turn = self.upstreams[upstream].unreachable(now);
        self.turned(upstream, turn);
    }

    /// A random socket of an upstream.
    fn lane(&mut self, upstream: usize) -> u16 {
        let first = u16::try_from(upstream).unwrap_or(0) * self.lanes;
        first + self.random.random_range(0..self.lanes)
    }

    fn next_queued(&mut self, upstream: usize) -> Option<Ticket> {
        loop {
            let ticket = self.again[upstream].pop_front().or_else(|| self.fresh.pop_front())?;
            if self.slots.get(ticket).is_some_and(|slot| slot.state == State::Queued) {
                return Some(ticket);
            }
        }
    }

    fn send(&mut self, ticket: Ticket, upstream: usize, lane: Lane, now: Instant, batch: &mut Batch) {
        let (id, key) = self.unused_id(lane);
        self.keys.insert(key, ticket.slot);
        let Some(slot) = self.slots.get(ticket) else { return };
        slot.keys.push(key);
        slot.packets += 1;
        slot.state = State::Sent;
        slot.upstream = upstream;
        slot.last_sent = now;
        let upstream_state = &mut self.upstreams[upstream];
        if slot.first_sent.is_none() {
            slot.first_sent = Some(now);
            slot.epoch = upstream_state.pace.sent_first();
            slot.epoch_upstream = upstream;
        }
        upstream_state.sent(now);
        wire::write_query(&mut batch.bytes, id, &slot.name, slot.kind, slot.edns);
        batch.ends.push(batch.bytes.len());
        let gives_up = slot.gives_up(self.timeout).unwrap_or(now);
        let left = gives_up.saturating_duration_since(now);
        let more = u32::from(self.attempts.saturating_sub(slot.packets));
        let wait = upstream_state.wait() * PATIENCE.saturating_pow(u32::from(slot.packets - 1));
        // The packets left must fit the time left.
        let wait = wait.min(left / (more + 1));
        let wait = jitter(wait, self.random.next_u32());
        self.timers.set(ticket.slot, (now + wait).min(gives_up));
    }

    fn unused_id(&mut self, lane: Lane) -> (u16, u32) {
        loop {
            #[expect(clippy::cast_possible_truncation, reason = "any 16 random bits")]
            let id = self.random.next_u32() as u16;
            let key = key(lane, id);
            // At most `SLOTS` times the attempts of all upstreams' numbers are taken: far fewer than there are.
            if !self.keys.contains_key(&key) {
                return (id, key);
            }
        }
    }

    fn fire(&mut self, index: u32, now: Instant) {
        let timeout = self.timeout;
        let attempts = self.attempts;
        let slot = self.slots.at(index);
        let over = slot.gives_up(timeout).is_some_and(|at| now >= at);
        let (state, upstream) = (slot.state, slot.upstream);
        if state == State::Sent {
            let first = slot.packets == 1 && slot.depth == 0 && !slot.counted_failed;
            slot.counted_failed |= first;
            let (epoch, epoch_upstream) = (slot.epoch, slot.epoch_upstream);
            slot.state = State::Late;
            if first {
                self.upstreams[epoch_upstream].pace.failed(epoch);
            }
            let turn = self.upstreams[upstream].timed_out(now);
            self.turned(upstream, turn);
        }
        if over {
            return self.give_up(index);
        }
        let slot = self.slots.at(index);
        let may = slot.packets < attempts;
        match state {
            State::Queued if slot.first_sent.is_none() => {
                if self.upstreams.iter().any(Upstream::is_up) {
                    // Paced, not lost: its time begins with its first packet.
                    self.timers.set(index, now + timeout);
                } else {
                    self.give_up(index);
                }
            }
            State::Sent | State::Parked if may => self.queue_again(index, upstream),
            State::Parked => self.give_up(index),
            State::Queued | State::Sent | State::Late => {
                let at = slot.gives_up(timeout).unwrap_or(now);
                self.timers.set(index, at);
            }
            State::Tcp => {}
        }
    }

    /// Queues a question once more, at another upstream than the last if there is one.
    fn queue_again(&mut self, index: u32, last: usize) {
        let upstream = self.another(last).unwrap_or(last);
        self.queue_at(index, upstream);
    }

    fn queue_at(&mut self, index: u32, upstream: usize) {
        let ticket = self.slots.ticket(index);
        let timeout = self.timeout;
        let slot = self.slots.at(index);
        slot.state = State::Queued;
        slot.upstream = upstream;
        let at = slot.gives_up(timeout).unwrap_or(slot.last_sent + timeout);
        self.timers.set(index, at);
        self.again[upstream].push_back(ticket);
    }

    /// The next upstream that is up, other than this one.
    fn another(&self, than: usize) -> Option<usize> {
        let count = self.upstreams.len();
        (1..count).map(|step| (than + step) % count).find(|&index| self.upstreams[index].is_up())
    }

    /// After an upstream went down or came up, nothing waits at one that is down while another is up.
    fn turned(&mut self, upstream: usize, turn: Turn) {
        let from: Vec<usize> = match turn {
            Turn::None => return,
            Turn::WentDown => vec![upstream],
            Turn::CameUp => {
                (0..self.upstreams.len()).filter(|&other| !self.upstreams[other].is_up()).collect()
            }
        };
        for from in from {
            if let Some(to) = self.another(from) {
                let mut moved = std::mem::take(&mut self.again[from]);
                self.again[to].append(&mut moved);
            }
        }
    }

    fn conclude(
        &mut self,
        index: u32,
        upstream: usize,
        reading: Reading,
        transport: Transport,
        now: Instant,
    ) {
        match reading {
            Reading::Found(records, ttl) => self.settle(index, Status::Found, records, ttl, transport),
            Reading::NoData(ttl) => self.settle(index, Status::NoData, Records::None, ttl, transport),
            Reading::NxDomain(ttl) => self.settle(index, Status::NxDomain, Records::None, ttl, transport),
            Reading::Alias(target, ttl) => self.follow(index, upstream, target, ttl, now),
            Reading::Truncated => self.ask_over_tcp(index, upstream),
            Reading::Fault(fault) => self.fail(index, upstream, fault, transport, now),
        }
    }

    /// A definite answer.
    fn settle(&mut self, index: u32, status: Status, records: Records, ttl: u32, transport: Transport) {
        let slot = self.slots.at(index);
        if slot.counted_failed && slot.failures == 0 {
            let (epoch, upstream) = (slot.epoch, slot.epoch_upstream);
            self.upstreams[upstream].pace.recovered(epoch);
        }
        let ttl = Duration::from_secs(u64::from(ttl.min(self.slots.at(index).ttl)));
        self.finish(index, Answer { status, records, ttl, transport, attempts: 0 });
    }

    /// Asks for the name that the last one is an alias for.
    fn follow(&mut self, index: u32, upstream: usize, target: DnsName, ttl: u32, now: Instant) {
        let slot = self.slots.at(index);
        slot.depth += 1;
        if slot.depth > MAX_DEPTH {
            slot.fault = Some(Fault::Unclear);
            return self.give_up(index);
        }
        slot.ttl = slot.ttl.min(ttl);
        slot.name = target;
        slot.spent = slot.spent.saturating_add(slot.packets);
        slot.packets = 0;
        slot.failures = 0;
        slot.blamed = 0;
        slot.last_sent = now;
        for key in slot.keys.drain(..) {
            self.keys.remove(&key);
        }
        self.queue_at(index, upstream);
    }

    fn ask_over_tcp(&mut self, index: u32, upstream: usize) {
        let ticket = self.slots.ticket(index);
        self.timers.clear(index);
        let slot = self.slots.at(index);
        slot.state = State::Tcp;
        for key in slot.keys.drain(..) {
            self.keys.remove(&key);
        }
        self.tcp.push(TcpAsk { ticket, upstream, name: slot.name.clone(), kind: slot.kind, edns: slot.edns });
    }

    /// An answer that settles nothing: another upstream is asked at once, the same after a pause.
    fn fail(&mut self, index: u32, upstream: usize, fault: Fault, transport: Transport, now: Instant) {
        let count = self.upstreams.len();
        let up: u64 =
            (0..count).filter(|&other| self.upstreams[other].is_up()).fold(0, |up, other| up | bit(other));
        let (timeout, attempts) = (self.timeout, self.attempts);
        let slot = self.slots.at(index);
        slot.fault = Some(fault);
        if !slot.counted_failed && slot.depth == 0 {
            slot.counted_failed = true;
            let (epoch, upstream) = (slot.epoch, slot.epoch_upstream);
            self.upstreams[upstream].pace.failed(epoch);
        }
        let may = slot.packets < attempts;
        if fault == Fault::FormErr && slot.edns == Edns::Offered && may {
            slot.edns = Edns::Plain;
            return self.queue_at(index, upstream);
        }
        slot.failures += 1;
        slot.blamed |= bit(upstream);
        let most = match fault {
            Fault::ServFail | Fault::Refused => MOST_FAILURES,
            Fault::FormErr | Fault::Unclear => MOST_UNCLEAR,
        };
        if slot.failures >= most {
            return self.give_up(index);
        }
        let gives_up = slot.gives_up(timeout).unwrap_or(now);
        if !may {
            // What is still out may be answered better.
            if slot.keys.is_empty() {
                return self.give_up(index);
            }
            slot.state = State::Late;
            return self.timers.set(index, gives_up);
        }
        let unasked = up & !slot.blamed;
        let next = (1..count).map(|step| (upstream + step) % count).find(|&other| unasked & bit(other) != 0);
        if let Some(next) = next {
            return self.queue_at(index, next);
        }
        if transport == Transport::Tcp {
            // The connections were tried more than once.
            return self.give_up(index);
        }
        slot.state = State::Parked;
        slot.upstream = upstream;
        let pause = PAUSE * 2u32.pow(u32::from(slot.failures - 1));
        let pause = jitter(pause, self.random.next_u32());
        self.timers.set(index, (now + pause).min(gives_up));
    }

    /// Ends a question without a definite answer.
    fn give_up(&mut self, index: u32) {
        let status = match self.slots.at(index).fault {
            None => Status::TimedOut,
            Some(Fault::ServFail) => Status::ServFail,
            Some(Fault::Refused) => Status::Refused,
            Some(Fault::FormErr | Fault::Unclear) => Status::Malformed,
        };
        self.finish(index, Answer::bare(status));
    }

    /// The one place where a question ends.
    fn finish(&mut self, index: u32, answer: Answer) {
        self.timers.clear(index);
        let slot = self.slots.at(index);
        for key in &slot.keys {
            self.keys.remove(key);
        }
        let attempts = slot.spent.saturating_add(slot.packets);
        self.answers.push((slot.token, Answer { attempts, ..answer }));
        self.slots.free(index);
    }
}

/// A quarter more or less.
fn jitter(wait: Duration, random: u32) -> Duration {
    wait * 3 / 4 + wait / 2 * (random >> 16) / (1 << 16)
}

fn bit(upstream: usize) -> u64 {
    1 << (upstream % 64)
}

fn key(lane: Lane, id: u16) -> u32 {
    u32::from(lane.0) << 16 | u32::from(id)
}

/// Keys are random already: spreading their bits is enough.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte) ^ (self.0 >> 32) as u32);
        }
    }

    fn write_u32(&mut self, key: u32) {
        self.0 = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
