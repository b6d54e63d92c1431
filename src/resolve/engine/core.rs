//! What happens to a question from submission to its one answer, without sockets: datagrams and the time are
//! arguments, batches of datagrams are the result.

mod ending;
mod hearing;
mod sending;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;

use super::keys::{Key, Keys, Lane};
use super::pace::{Failure, Pace};
use super::slots::{Route, Slots, State, Ticket};
use super::timers::Timers;
use super::upstream::Upstream;
use crate::name::DnsName;
use crate::resolve::backend::Token;
use crate::resolve::health::Health;
use crate::resolve::question::{Answer, Kind, Question};
use crate::resolve::settings::Settings;
use crate::resolve::trust;
use crate::resolve::wire::{Edns, Reading};

/// Questions under way at once. One that nobody answers takes its place for the whole timeout.
pub(crate) const SLOTS: usize = 16_384;
/// Questions that wait for their first packet; the rest waits with its host.
const QUEUE: usize = 512;
/// Datagrams in one batch: enough to make the system call cheap, few enough for one socket's buffer.
pub(crate) const BATCH: usize = 32;
/// Keys lead to slots, and from here on to upstreams that are probed.
const PROBES: u32 = u32::MAX - 0xffff;
/// While no upstream is up, nothing is given up unasked for so many timeouts: 30 s by default, in which those
/// who feed the resolver wait. Afterwards a question waits for its own timeout only, so that a scan goes on.
const OUTAGE: u32 = 2;

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
    /// When it is given up, whether it was put or not.
    pub(crate) until: Instant,
}

#[cfg(test)]
impl TcpAsk {
    /// One of no question in particular.
    pub(crate) fn new(upstream: usize, name: DnsName, kind: Kind, edns: Edns, until: Instant) -> Self {
        Self { ticket: Ticket::default(), upstream, name, kind, edns, until }
    }
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
    keys: Keys,
    /// Never sent.
    fresh: VecDeque<Ticket>,
    /// To be sent once more, by upstream.
    again: Vec<VecDeque<Ticket>>,
    tcp: Vec<TcpAsk>,
    answers: Vec<(Token, Answer)>,
    random: StdRng,
    /// The last probe of each upstream, while it may be answered.
    probes: Vec<Option<Key>>,
    /// The upstream whose turn it is.
    turn: usize,
    fired: Vec<u32>,
    /// Questions drawn from queues.
    drawn: u32,
    /// Since when no upstream has been up.
    out_since: Option<Instant>,
}

impl Core {
    /// Nothing under way; `lanes` sockets to each upstream.
    pub(crate) fn new(settings: &Settings, lanes: u16, random: StdRng, now: Instant) -> (Self, Arc<Health>) {
        let health = Arc::new(Health::new(&settings.upstreams));
        let paces = settings.upstreams.iter().map(|&upstream| Pace::new(settings.rate_to(upstream), now));
        let upstreams: Vec<Upstream> = paces
            .enumerate()
            .map(|(index, pace)| Upstream::new(index, pace, Arc::clone(&health), now))
            .collect();
        let core = Self {
            timeout: settings.timeout,
            attempts: settings.attempts.get(),
            lanes,
            again: vec![VecDeque::new(); upstreams.len()],
            probes: vec![None; upstreams.len()],
            slots: Slots::new(SLOTS),
            timers: Timers::new(SLOTS + trust::MOST, now),
            keys: Keys::new(upstreams.len(), lanes),
            fresh: VecDeque::new(),
            upstreams,
            tcp: Vec::new(),
            answers: Vec::new(),
            random,
            turn: 0,
            fired: Vec::new(),
            drawn: 0,
            out_since: None,
        };
        (core, health)
    }

    /// How many more questions there is room for.
    pub(crate) fn room(&self) -> usize {
        // While nobody is there to ask, as many as possible wait: their time is running.
        let queue = if self.upstreams.iter().any(Upstream::is_up) { QUEUE } else { SLOTS };
        self.slots.room().min(queue.saturating_sub(self.fresh.len()))
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

    /// Takes a question for one upstream alone; it does not wait for one that is down. There is room for
    /// controls beyond that for questions.
    pub(crate) fn submit_to(&mut self, upstream: usize, token: Token, question: &Question, now: Instant) {
        let ticket = self.slots.take(token, question, now);
        let slot = self.slots.at(ticket.slot);
        slot.route = Route::Alone;
        slot.upstream = upstream;
        self.again[upstream].push_back(ticket);
        self.timers.set(ticket.slot, now + self.timeout);
    }

    /// Leaves an upstream alone for a while, if there is another one to ask.
    pub(crate) fn set_aside(&mut self, upstream: usize, now: Instant) {
        if self.another(upstream).is_some() {
            let turn = self.upstreams[upstream].set_aside(now);
            self.turned(upstream, turn);
        }
    }

    /// Answers since the last call.
    pub(crate) fn take_answers(&mut self, answers: &mut Vec<(Token, Answer)>) {
        if answers.is_empty() {
            std::mem::swap(answers, &mut self.answers);
        } else {
            answers.append(&mut self.answers);
        }
    }

    /// Whether there are answers to take.
    pub(crate) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Questions to be put over TCP since the last call.
    pub(crate) fn take_tcp(&mut self) -> std::vec::Drain<'_, TcpAsk> {
        self.tcp.drain(..)
    }

    /// When something is to be done next if nothing comes in before.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let fresh = !self.fresh.is_empty();
        let sending = self.upstreams.iter().zip(&self.again).enumerate();
        let sending = sending.filter(|(number, (upstream, again))| {
            let (window, load) = (&upstream.pace.window, self.keys.load(*number));
            !again.is_empty() || fresh && window.room(load) > 0
        });
        let sending = sending.filter_map(|(_, (upstream, _))| upstream.next(now));
        let idle = self.slots.taken() == 0;
        let probing = self.upstreams.iter().filter_map(Upstream::probe_at).filter(|_| !idle);
        sending.chain(probing).chain(self.timers.next()).min()
    }

    /// Lets time pass.
    pub(crate) fn expire(&mut self, now: Instant) {
        for upstream in 0..self.upstreams.len() {
            let turn = self.upstreams[upstream].tick(self.keys.load(upstream), now);
            self.turned(upstream, turn);
        }
        let is_out = !self.upstreams.iter().any(Upstream::is_up);
        self.out_since = is_out.then(|| self.out_since.unwrap_or(now));
        let mut fired = std::mem::take(&mut self.fired);
        self.timers.expire(now, &mut fired);
        for slot in fired.drain(..) {
            self.fire(slot, now);
        }
        self.fired = fired;
        // What has ended while it waited leaves its queue even if nothing is sent.
        for queue in self.again.iter_mut().chain([&mut self.fresh]) {
            while queue.front().is_some_and(|&ticket| !is_queued(&mut self.slots, ticket)) {
                queue.pop_front();
            }
        }
    }

    fn upstream_of(&self, lane: Lane) -> usize {
        usize::from(lane.0 / self.lanes)
    }

    fn fire(&mut self, index: u32, now: Instant) {
        let (timeout, attempts) = (self.timeout, self.attempts);
        let slot = self.slots.at(index);
        if !slot.taken {
            // Ended by what another one's end brought about.
            return;
        }
        let (state, upstream) = (slot.state, slot.upstream);
        if state == State::Sent {
            slot.state = State::Late;
            slot.was_late = true;
            if let Some(key) = slot.keys.last() {
                self.keys.is_late(key);
            }
            if slot.packets == 1 {
                self.count_failure(index, Failure::Late);
            }
            let slot = self.slots.at(index);
            if slot.offered == Edns::Offered {
                self.upstreams[upstream].edns.unanswered(slot.last_sent);
            }
            let turn = self.upstreams[upstream].timed_out(now);
            self.turned(upstream, turn);
        }
        let slot = self.slots.at(index);
        let gives_up = slot.gives_up(timeout);
        let may = slot.packets < attempts;
        match (state, gives_up) {
            (State::Tcp, Some(at)) if now >= at => self.give_up_tcp(index),
            (_, Some(at)) if now >= at => self.give_up(index),
            (State::Sent | State::Parked, _) if may => self.queue_again(index, upstream),
            (State::Parked, _) => self.give_up(index),
            (_, Some(at)) => self.timers.set(index, at),
            (_, None) => self.fire_unsent(index, now),
        }
    }

    /// A question whose time came before its first packet: paced, not lost, while there is somebody to ask.
    fn fire_unsent(&mut self, index: u32, now: Instant) {
        let is_alone = self.slots.at(index).route == Route::Alone;
        let patience = match self.out_since {
            _ if is_alone => None,
            None => Some(now + self.timeout),
            Some(since) => Some(since + self.timeout * OUTAGE).filter(|&until| now < until),
        };
        match patience {
            Some(until) => self.timers.set(index, until),
            None => self.give_up(index),
        }
    }

    /// Counts the first packet of a question as failed, once.
    fn count_failure(&mut self, index: u32, failure: Failure) {
        let slot = self.slots.at(index);
        if slot.depth == 0 && !slot.counted_failed {
            slot.counted_failed = true;
            let (epoch, upstream) = (slot.epoch, slot.epoch_upstream);
            self.upstreams[upstream].pace.failed(epoch, failure);
        }
    }

    /// Queues a question once more, at another upstream than the last if there is one.
    fn queue_again(&mut self, index: u32, last: usize) {
        let upstream = match self.slots.at(index).route {
            Route::Any => self.another(last).unwrap_or(last),
            Route::Alone => last,
        };
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
        self.another_of(than, |_| true)
    }

    /// The same among some.
    fn another_of(&self, than: usize, among: impl Fn(usize) -> bool) -> Option<usize> {
        let count = self.upstreams.len();
        let others = (1..count).map(|step| (than + step) % count);
        others.into_iter().find(|&other| self.upstreams[other].is_up() && among(other))
    }
}

fn is_queued(slots: &mut Slots, ticket: Ticket) -> bool {
    slots.get(ticket).is_some_and(|slot| slot.state == State::Queued)
}

/// A quarter more or less.
fn jitter(wait: Duration, random: u32) -> Duration {
    wait * 3 / 4 + wait / 2 * (random >> 16) / (1 << 16)
}
