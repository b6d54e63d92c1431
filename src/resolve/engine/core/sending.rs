//! What goes out: which question next, to whom, on which socket, how it is spelt, and how long its answer is
//! waited for.

use std::time::Instant;

use rand::{Rng, RngExt};

use super::{BATCH, Batch, Core, Lane, PROBES, is_queued, jitter};
use crate::name::DnsName;
use crate::resolve::engine::keys::{Key, Waiting};
use crate::resolve::engine::slots::{Slot, Spelling, State, Ticket};
use crate::resolve::engine::upstream::Upstream;
use crate::resolve::question::Kind;
use crate::resolve::wire::{self, Edns, Letters};

/// One in so many packets is the first of its question, whatever waits to be asked once more.
const NEW_AMONG: u32 = 8;
/// Each wait is so many times the one before it: the last packets must outlast a short outage.
const PATIENCE: u32 = 3;

impl Core {
    /// Fills a batch and names the socket it is for; `None` if nothing may be sent now.
    pub(in crate::resolve::engine) fn next_batch(&mut self, now: Instant, batch: &mut Batch) -> Option<Lane> {
        batch.bytes.clear();
        batch.ends.clear();
        if let Some(lane) = self.probe(now, batch) {
            return Some(lane);
        }
        for _ in 0..self.upstreams.len() {
            let upstream = self.turn;
            self.turn = (self.turn + 1) % self.upstreams.len();
            let waits = !self.fresh.is_empty() || !self.again[upstream].is_empty();
            if !waits {
                continue;
            }
            let lane = Lane(self.lane(upstream));
            self.fill(upstream, lane, now, batch);
            if !batch.ends.is_empty() {
                return Some(lane);
            }
        }
        None
    }

    /// Fills a batch with what may go to an upstream now, and tells its pace what keeps the rest.
    fn fill(&mut self, upstream: usize, lane: Lane, now: Instant, batch: &mut Batch) {
        let allowed = self.upstreams[upstream].allowance(now);
        while batch.ends.len() < allowed.packets.min(BATCH) {
            let window = &self.upstreams[upstream].pace.window;
            let load = self.keys.load(upstream);
            let has_room = window.room(load) > 0;
            let Some(ticket) = self.next_queued(upstream, has_room) else { break };
            self.send(ticket, lane, now, batch);
        }
        let waits = !self.fresh.is_empty() || !self.again[upstream].is_empty();
        let pace = &mut self.upstreams[upstream].pace;
        if waits && batch.ends.len() >= allowed.tokens {
            pace.press();
        } else if !self.fresh.is_empty() && pace.window.room(self.keys.load(upstream)) == 0 {
            pace.window.press();
        }
    }

    /// A random socket of an upstream, another one than that on which the first to be sent once more went
    /// last.
    fn lane(&mut self, upstream: usize) -> u16 {
        let first = u16::try_from(upstream).unwrap_or(0) * self.lanes;
        let drawn = self.random.random_range(0..self.lanes);
        let again = self.again[upstream].front().copied();
        let last = again.and_then(|ticket| self.slots.get(ticket)?.keys.last()).map(Key::lane);
        let drawn = if last == Some(Lane(first + drawn)) { (drawn + 1) % self.lanes } else { drawn };
        first + drawn
    }

    /// Puts a question of our own to an upstream that may not be there: any answer shows that it is.
    fn probe(&mut self, now: Instant, batch: &mut Batch) -> Option<Lane> {
        let due = |upstream: &Upstream| upstream.probe_at().is_some_and(|at| at <= now);
        let upstream = self.upstreams.iter().position(due).filter(|_| self.slots.taken() > 0)?;
        let lane = Lane(self.lane(upstream));
        let slot = PROBES + u32::try_from(upstream).unwrap_or(0);
        let waiting = Waiting { slot, letters: Letters::SMALL, edns: Edns::Plain, is_late: false };
        let key = self.keys.insert_unused(lane, waiting, &mut self.random);
        if let Some(old) = self.probes[upstream].replace(key) {
            self.keys.remove(old);
        }
        self.upstreams[upstream].probed(now);
        wire::write_query(&mut batch.bytes, key.id(), &DnsName::root(), Kind::A, Edns::Plain);
        batch.ends.push(batch.bytes.len());
        Some(lane)
    }

    /// The next question for an upstream: one asked before, or one that was not if its window `has_room`.
    fn next_queued(&mut self, upstream: usize, has_room: bool) -> Option<Ticket> {
        loop {
            // Now and then a new one goes first: by these alone it shows whether a cut has helped.
            self.drawn = self.drawn.wrapping_add(1);
            let is_new = has_room && self.drawn.is_multiple_of(NEW_AMONG);
            let new = if is_new { self.fresh.pop_front() } else { None };
            let next = new.or_else(|| self.again[upstream].pop_front());
            let ticket = next.or_else(|| if has_room { self.fresh.pop_front() } else { None })?;
            if is_queued(&mut self.slots, ticket) {
                return Some(ticket);
            }
        }
    }

    fn send(&mut self, ticket: Ticket, lane: Lane, now: Instant, batch: &mut Batch) {
        let upstream = self.upstream_of(lane);
        let letters = self.letters(ticket, upstream);
        let edns = self.edns(ticket, upstream);
        let waiting = Waiting { slot: ticket.slot, letters, edns, is_late: false };
        let key = self.keys.insert_unused(lane, waiting, &mut self.random);
        let Some(slot) = self.slots.get(ticket) else { return };
        if let Some(forgotten) = slot.keys.push(key) {
            self.keys.remove(forgotten);
        }
        slot.packets += 1;
        slot.offered = edns;
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
        let start = batch.bytes.len();
        wire::write_query(&mut batch.bytes, key.id(), &slot.name, slot.kind, edns);
        if letters != Letters::SMALL {
            letters.write(&mut batch.bytes[start..], &slot.name);
        }
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

    /// How the next packet of a question is spelt. The last one is in small letters: whatever an upstream
    /// does to others loses nobody an answer.
    fn letters(&mut self, ticket: Ticket, upstream: usize) -> Letters {
        let attempts = self.attempts;
        let drawn = |slot: &mut Slot| slot.spelling == Spelling::Drawn && slot.packets + 1 < attempts;
        if self.upstreams[upstream].is_spelt_by_chance() && self.slots.get(ticket).is_some_and(drawn) {
            return Letters::drawn(self.random.next_u32());
        }
        Letters::SMALL
    }

    /// Whether the next packet of a question offers EDNS.
    fn edns(&mut self, ticket: Ticket, upstream: usize) -> Edns {
        match self.slots.get(ticket) {
            Some(slot) if slot.edns == Edns::Offered => {
                self.upstreams[upstream].edns.offer(slot.packets, self.attempts)
            }
            _ => Edns::Plain,
        }
    }
}
