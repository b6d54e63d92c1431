//! Rounds of controls: which are due, how they are put, and what their answers show. Knows no case.

use std::time::Instant;

use super::behavior::UpstreamBehavior;
use super::control::{self, Control, ZonePart, showing};
use super::desk::{Desk, Verdict};
use super::filter::Prefix64;
use super::kind::ControlKind;
use super::zones::ZoneAt;
use super::{FIRST, MOST, Put, Reachable, Trust, UnderWay};
use crate::resolve::backend::Token;
use crate::resolve::question::{Answer, Question};

/// Zones of one upstream that are tried in one go.
const ZONES_AT_ONCE: usize = 8;

impl Trust {
    /// When the next controls are due.
    pub(in crate::resolve) fn due(&self, up: &[Reachable], now: Instant) -> Option<Instant> {
        let desks = up.iter().filter_map(|&Reachable { upstream, rate }| {
            self.desks.get(upstream)?.iter().filter_map(|desk| desk.due(rate, now)).min()
        });
        let doubted = self.doubted.iter().any(|doubted| doubted.is_among(up));
        desks.chain(self.zones.next(now)).chain(doubted.then_some(now)).min()
    }

    /// Begins the rounds that are due.
    pub(in crate::resolve) fn begin(&mut self, up: &[Reachable], now: Instant, put: &mut Vec<Put>) {
        for &Reachable { upstream, rate } in up {
            for kind in ControlKind::ALL {
                let shared = self.shared(upstream, kind, now).cloned();
                let Some(desk) = self.desks.get_mut(upstream).map(|desks| &mut desks[kind.index()]) else {
                    continue;
                };
                if desk.due(rate, now).is_none_or(|at| at > now) || self.under_way.len() + 8 > MOST {
                    continue;
                }
                let controls = desk.begin(kind, shared.as_ref(), now);
                self.put(upstream, kind, controls, now, put);
            }
            self.begin_zones(upstream, now, put);
        }
        self.begin_existence(up, now, put);
    }

    fn put(
        &mut self,
        upstream: usize,
        kind: ControlKind,
        controls: Vec<Control>,
        now: Instant,
        put: &mut Vec<Put>,
    ) {
        let mut absent = control::absent(kind);
        for control in controls {
            let question = match &control {
                Control::Confirmed(host) | Control::Shared(host) | Control::Fixed(_, host) => {
                    Some(host.question(kind))
                }
                Control::Absent => absent.next(),
                Control::Dns64 => control::dns64(),
                Control::Zone(..) | Control::Existence(..) => None,
            };
            if let Some(question) = question {
                self.submit(upstream, kind, control, question, now, put);
            }
        }
    }

    fn begin_zones(&mut self, upstream: usize, now: Instant, put: &mut Vec<Put>) {
        let room = (MOST.saturating_sub(self.under_way.len() + 8) / 3).min(ZONES_AT_ONCE);
        let here = self.zones.due(now).filter(|at| at.upstream == upstream);
        let due: Vec<ZoneAt> = here.take(room).cloned().collect();
        for at in due {
            let Some(parts) = control::about(&at.zone, at.kind) else { continue };
            self.zones.begin(&at, now);
            for (part, question) in parts {
                self.submit(upstream, at.kind, Control::Zone(at.zone.clone(), part), question, now, put);
            }
        }
    }

    pub(super) fn submit(
        &mut self,
        upstream: usize,
        kind: ControlKind,
        control: Control,
        question: Question,
        now: Instant,
        put: &mut Vec<Put>,
    ) {
        let token = loop {
            self.next_token = (self.next_token + 1) % 1024;
            if !self.under_way.contains_key(&self.next_token) {
                break self.next_token;
            }
        };
        self.under_way.insert(token, UnderWay { upstream, kind, control, sent: now });
        put.push(Put { upstream, token: Token(FIRST + token), question });
    }

    /// Takes the answer to a control; tells the upstream if it failed one.
    pub(in crate::resolve) fn answered(
        &mut self,
        token: Token,
        answer: &Answer,
        now: Instant,
    ) -> Option<usize> {
        let UnderWay { upstream, kind, control, sent } = self.under_way.remove(&(token.0 - FIRST))?;
        let showing = showing(&control, kind, answer);
        if let Control::Zone(zone, part) = control {
            self.zone_answered(&ZoneAt { upstream, kind, zone }, part, showing, now);
            return None;
        }
        if let Control::Existence(name, denial) = control {
            return self.existence_answered(upstream, kind, name, &denial, answer, now);
        }
        if control == Control::Dns64 {
            let shown = answer.addresses().iter().filter_map(|ip| Prefix64::shown_by(*ip));
            self.prefixes.get_mut(upstream)?.extend(shown);
            return None;
        }
        let finds_others = self.desks.get(upstream)?.iter().any(Desk::finds_fixed);
        let desk = &mut self.desks.get_mut(upstream)?[kind.index()];
        let verdict = desk.answered(&control, showing, sent, now, finds_others);
        self.has_changed |= verdict != Verdict::Nothing;
        match verdict {
            Verdict::Nothing | Verdict::Passed => None,
            Verdict::Failed(name) => {
                self.denied[upstream] = Some(name);
                Some(upstream)
            }
            Verdict::Invented => {
                self.hijacked[upstream].add(answer);
                self.warn(upstream, UpstreamBehavior::Inventing(self.hijacked[upstream].clone()));
                Some(upstream)
            }
        }
    }

    fn zone_answered(&mut self, at: &ZoneAt, part: ZonePart, showing: control::Showing, now: Instant) {
        let Some(ended) = self.zones.answered(at, part, showing, now) else { return };
        self.has_changed = true;
        if let (Some(sent), Some(desks)) = (ended.clean, self.desks.get_mut(at.upstream)) {
            let standing = &mut desks[at.kind.index()].standing;
            if !standing.invents() {
                standing.stayed_clean(sent, now);
            }
        }
        if ended.is_zone == Some(false) {
            self.denied[at.upstream].get_or_insert_with(|| at.zone.clone());
        }
    }
}
