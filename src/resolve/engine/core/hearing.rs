//! What comes in: datagrams, answers over TCP, news of upstreams that went or came back. Nothing that comes
//! in is believed before it is shown to belong to a question.

use std::time::Instant;

use super::ending::Source;
use super::{Core, Lane, PROBES, TcpAsk, TcpReply};
use crate::name::DnsName;
use crate::resolve::engine::keys::{Key, Waiting};
use crate::resolve::engine::slots::{Route, Spelling, State};
use crate::resolve::engine::upstream::{Tone, Turn, Upstream};
use crate::resolve::question::{Kind, Transport};
use crate::resolve::wire::{self, Edns, Fault, Letters, Reading};

impl Core {
    /// Takes a datagram that came in on a socket. What belongs to no question is ignored.
    pub(crate) fn receive(&mut self, lane: Lane, datagram: &[u8], whole: bool, now: Instant) {
        let Some(id) = wire::answer_id(datagram) else { return };
        let key = Key::new(lane, id);
        let Some(Waiting { slot: index, letters, edns, .. }) = self.keys.get(key) else { return };
        let upstream = self.upstream_of(lane);
        if index >= PROBES {
            return self.receive_probe(key, upstream, datagram, now);
        }
        let slot = self.slots.at(index);
        let Some(reading) = wire::read(datagram, &slot.name, slot.kind) else { return };
        if letters != Letters::SMALL {
            let repeated = letters.are_in(datagram, &slot.name);
            self.upstreams[upstream].repeated(repeated);
            if !repeated {
                return self.ask_in_small_letters(index, upstream, tone(&reading), now);
            }
        }
        let slot = self.slots.at(index);
        // What does not fit our buffer does not fit a datagram.
        let reading = if whole { reading } else { Reading::Truncated };
        let after = (slot.keys.last() == Some(key)).then(|| now.saturating_duration_since(slot.last_sent));
        let tone = tone(&reading);
        let fault = if let Reading::Fault(fault) = reading { Some(fault) } else { None };
        self.upstreams[upstream].edns.answered(edns, fault, slot.last_sent, now);
        let turn = self.upstreams[upstream].heard(now, after, tone);
        self.turned(upstream, turn);
        // An answer counts once, however often it comes.
        self.slots.at(index).keys.remove(key);
        self.keys.remove(key);
        self.conclude(index, Source { upstream, transport: Transport::Udp, edns, now }, reading);
        // Not before: to be set aside ends what waits for this upstream alone, and that may be this very
        // question.
        if tone == Tone::Refusing && self.upstreams[upstream].mostly_refuses() {
            self.set_aside(upstream, now);
        }
    }

    /// What does not repeat the question's letters is not believed: it is forged, or the upstream changes
    /// letters, and then answers the question once more.
    fn ask_in_small_letters(&mut self, index: u32, upstream: usize, tone: Tone, now: Instant) {
        let turn = self.upstreams[upstream].heard(now, None, tone);
        self.turned(upstream, turn);
        let attempts = self.attempts;
        let slot = self.slots.at(index);
        let was_drawn = std::mem::replace(&mut slot.spelling, Spelling::Small) == Spelling::Drawn;
        if was_drawn && slot.packets < attempts && matches!(slot.state, State::Sent | State::Late) {
            self.queue_at(index, upstream);
        }
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
        let TcpAsk { ticket, upstream, edns, .. } = reply.ask;
        self.conclude(ticket.slot, Source { upstream, transport: Transport::Tcp, edns, now }, reading);
    }

    /// A socket reported that nobody listens at its other end.
    pub(crate) fn unreachable(&mut self, lane: Lane, now: Instant) {
        let upstream = self.upstream_of(lane);
        let turn = self.upstreams[upstream].unreachable(now);
        self.turned(upstream, turn);
    }

    /// After an upstream went down or came up, nothing waits at one that is down while another is up.
    pub(super) fn turned(&mut self, upstream: usize, turn: Turn) {
        let from: Vec<usize> = match turn {
            Turn::None => return,
            Turn::WentDown => vec![upstream],
            Turn::CameUp => {
                (0..self.upstreams.len()).filter(|&other| !self.upstreams[other].is_up()).collect()
            }
        };
        for from in from {
            if let Some(to) = self.another(from) {
                for ticket in std::mem::take(&mut self.again[from]) {
                    match self.slots.get(ticket).filter(|slot| slot.state == State::Queued) {
                        Some(slot) if slot.route == Route::Alone => self.give_up(ticket.slot),
                        Some(_) => self.again[to].push_back(ticket),
                        None => {}
                    }
                }
            }
        }
        if !self.upstreams.iter().any(Upstream::is_up) {
            for upstream in 0..self.upstreams.len() {
                let turn = self.upstreams[upstream].recall();
                self.turned(upstream, turn);
            }
        }
    }

    fn receive_probe(&mut self, key: Key, upstream: usize, datagram: &[u8], now: Instant) {
        if let Some(reading) = wire::read(datagram, &DnsName::root(), Kind::A) {
            let fault = if let Reading::Fault(fault) = reading { Some(fault) } else { None };
            self.upstreams[upstream].edns.answered(Edns::Plain, fault, now, now);
            self.keys.remove(key);
            self.probes[upstream] = None;
            let turn = self.upstreams[upstream].heard(now, None, tone(&reading));
            self.turned(upstream, turn);
        }
    }
}

/// How an answer sounds: failure codes, whatever they answer, are no sign that an upstream keeps up.
fn tone(reading: &Reading) -> Tone {
    match reading {
        Reading::Fault(Fault::Refused) => Tone::Refusing,
        Reading::Fault(Fault::ServFail | Fault::NotImp | Fault::FormErr) => Tone::Failing,
        _ => Tone::Sound,
    }
}
