//! What an answer does to its question: it settles it, sends it on, or fails it. Every question ends here.

use std::time::{Duration, Instant};

use rand::Rng;

use super::{Core, TcpAsk, jitter};
use crate::evidence::Status;
use crate::name::DnsName;
use crate::resolve::engine::pace::{Failure, Packet};
use crate::resolve::engine::slots::{Route, State};
use crate::resolve::question::origin::Origin;
use crate::resolve::question::{Answer, Records, Transport};
use crate::resolve::wire::{Absence, Edns, Fault, Reading};

/// Aliases asked for by questions of their own.
const MAX_DEPTH: u8 = 8;
/// Answers with a failure code that end a question.
const MOST_FAILURES: u8 = 3;
/// The same while it is being found out whether they are a matter of load.
const MOST_FAILURES_OF_LOAD: u8 = 4;
/// Answers that settle nothing that end a question: the second one has had its chance to differ.
const MOST_UNCLEAR: u8 = 2;
/// The pause after the first failure; doubled for each further one, a quarter more or less.
const PAUSE: Duration = Duration::from_millis(250);
/// The same while failures may be a matter of load, which takes seconds to pass.
const PAUSE_OF_LOAD: Duration = Duration::from_secs(1);

/// Where an answer came from, how and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) upstream: usize,
    pub(super) transport: Transport,
    /// What the query had offered.
    pub(super) edns: Edns,
    pub(super) now: Instant,
}

impl Core {
    /// Does to a question what its answer says.
    pub(super) fn conclude(&mut self, index: u32, source: Source, reading: Reading) {
        let settled = |status, records, ttl: u32| Answer {
            records,
            ttl: Duration::from_secs(u64::from(ttl)),
            transport: source.transport,
            origin: Some(Origin::new(source.upstream, source.now)),
            ..Answer::bare(status)
        };
        let slot = self.slots.at(index);
        let alias = (slot.depth > 0).then(|| slot.name.clone());
        let denied = |status, Absence { zone, target, ttl }| Answer {
            zone: Some(zone),
            target: target.or(alias),
            ..settled(status, Records::None, ttl)
        };
        match reading {
            Reading::Found(records, ttl) => {
                self.settle(index, source.upstream, settled(Status::Found, records, ttl));
            }
            Reading::NoData(absence) => {
                self.settle(index, source.upstream, denied(Status::NoData, absence));
            }
            Reading::NxDomain(absence) => {
                self.settle(index, source.upstream, denied(Status::NxDomain, absence));
            }
            Reading::Alias(target, ttl) => self.follow(index, source, target, ttl),
            Reading::Truncated => self.ask_over_tcp(index, source),
            Reading::Fault(fault) => self.fail(index, source, fault),
        }
    }

    /// Ends a question without a definite answer.
    pub(super) fn give_up(&mut self, index: u32) {
        let status = self.slots.at(index).fault.map_or(Status::TimedOut, Fault::status);
        self.finish(index, Answer::bare(status));
    }

    fn settle(&mut self, index: u32, upstream: usize, answer: Answer) {
        let slot = self.slots.at(index);
        self.upstreams[upstream].settled(slot.kind);
        if slot.counted_failed && slot.failures == 0 {
            let (epoch, upstream) = (slot.epoch, slot.epoch_upstream);
            let by = if slot.packets > 1 { Packet::Repeated } else { Packet::First };
            self.upstreams[upstream].pace.recovered(epoch, by);
        }
        let ttl = answer.ttl.min(Duration::from_secs(u64::from(self.slots.at(index).ttl)));
        self.finish(index, Answer { ttl, ..answer });
    }

    /// Asks for the name that the last one is an alias for. The time for all of them is that of one question.
    fn follow(&mut self, index: u32, source: Source, target: DnsName, ttl: u32) {
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
        for key in slot.keys.take() {
            self.keys.remove(key);
        }
        self.queue_at(index, source.upstream);
    }

    /// Asks over TCP within the time that the question has left, or half of it if another upstream could be
    /// asked afterwards.
    fn ask_over_tcp(&mut self, index: u32, source: Source) {
        let Source { upstream, edns, now, .. } = source;
        let ticket = self.slots.ticket(index);
        let timeout = self.timeout;
        let blamed = self.slots.at(index).blamed | bit(upstream);
        let has_other = self.another_of(upstream, |other| blamed & bit(other) == 0).is_some();
        let slot = self.slots.at(index);
        slot.state = State::Tcp;
        for key in slot.keys.take() {
            self.keys.remove(key);
        }
        let gives_up = slot.gives_up(timeout).unwrap_or(now);
        let left = gives_up.saturating_duration_since(now);
        let may = has_other && slot.route == Route::Any && slot.packets < self.attempts;
        let until = if may { now + left / 2 } else { gives_up };
        self.timers.set(index, gives_up);
        self.tcp.push(TcpAsk { ticket, upstream, name: slot.name.clone(), kind: slot.kind, edns, until });
    }

    /// The time of a question that was asked over TCP is over.
    pub(super) fn give_up_tcp(&mut self, index: u32) {
        self.slots.at(index).fault = Some(Fault::Unclear);
        self.give_up(index);
    }

    /// After an answer that settles nothing another upstream is asked at once, the same one after a pause.
    fn fail(&mut self, index: u32, source: Source, fault: Fault) {
        let Source { upstream, now, .. } = source;
        self.count_failure(index, Failure::Answered);
        let (timeout, attempts) = (self.timeout, self.attempts);
        let slot = self.slots.at(index);
        slot.fault = Some(fault);
        if fault == Fault::Unclear {
            self.upstreams[upstream].unclear(slot.kind);
        }
        let may = slot.packets < attempts;
        let rejects = matches!(fault, Fault::FormErr | Fault::NotImp) && source.edns == Edns::Offered;
        if rejects && may {
            slot.edns = Edns::Plain;
            return self.queue_at(index, upstream);
        }
        slot.failures += 1;
        if slot.route == Route::Alone {
            return self.give_up(index);
        }
        slot.blamed |= bit(upstream);
        let most = match fault {
            Fault::ServFail | Fault::NotImp | Fault::Refused => MOST_FAILURES,
            Fault::FormErr | Fault::Unclear => MOST_UNCLEAR,
        };
        let is_loaded = self.upstreams[upstream].pace.is_on_trial();
        let most = if is_loaded { most.max(MOST_FAILURES_OF_LOAD) } else { most };
        let slot = self.slots.at(index);
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
        let blamed = slot.blamed;
        if let Some(next) = self.another_of(upstream, |other| blamed & bit(other) == 0) {
            return self.queue_at(index, next);
        }
        if source.transport == Transport::Tcp {
            // The connections were tried more than once.
            return self.give_up(index);
        }
        let slot = self.slots.at(index);
        slot.state = State::Parked;
        slot.upstream = upstream;
        let first = if is_loaded { PAUSE_OF_LOAD } else { PAUSE };
        let pause = first * 2u32.pow(u32::from(slot.failures - 1));
        let pause = jitter(pause, self.random.next_u32());
        self.timers.set(index, (now + pause).min(gives_up));
    }

    /// The one place where a question ends.
    fn finish(&mut self, index: u32, answer: Answer) {
        let slot = self.slots.at(index);
        if !slot.taken {
            return;
        }
        for key in slot.keys.take() {
            self.keys.remove(key);
        }
        self.timers.clear(index);
        let slot = self.slots.at(index);
        let attempts = slot.spent.saturating_add(slot.packets);
        self.answers.push((slot.token, Answer { attempts, was_late: slot.was_late, ..answer }));
        self.slots.free(index);
    }
}

fn bit(upstream: usize) -> u64 {
    1 << (upstream % 64)
}
