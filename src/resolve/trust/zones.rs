//! Zones that denials name, each tried at the upstream that named it: who serves a zone, or asks its servers,
//! finds its SOA and its name servers; who makes denials up does not. So a private network with honest
//! servers of its own needs no Internet. Used where nothing better can be had.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::control::{Showing, ZonePart};
use super::kind::ControlKind;
use super::standing::Standing;
use super::zone::can_be_tried;
use crate::name::DnsName;

/// Zones that are remembered: of some hundred bytes each.
const MOST: usize = 4096;
/// Zones that wait for a round at once; the others wait for these.
const MOST_WANTED: usize = 64;
/// The least time between two rounds of one zone.
const GAP: Duration = Duration::from_millis(100);
/// The same after a round that showed nothing, or the opposite.
const AGAIN: Duration = Duration::from_millis(500);

/// A zone as one upstream sees it, for one kind of question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ZoneAt {
    pub(super) upstream: usize,
    pub(super) kind: ControlKind,
    pub(super) zone: DnsName,
}

#[derive(Debug, Default)]
struct State {
    standing: Standing,
    is_wanted: bool,
    asked: Option<Instant>,
    /// What the round under way has shown, by part.
    round: Option<Round>,
}

#[derive(Debug)]
struct Round {
    sent: Instant,
    open: u32,
    soa: Option<Showing>,
    servers: Option<Showing>,
    absent: Option<Showing>,
}

/// All zones that were named.
#[derive(Debug, Default)]
pub(super) struct Zones {
    all: HashMap<ZoneAt, State>,
    wanted: Vec<ZoneAt>,
}

impl Zones {
    /// What an upstream has shown about a zone.
    pub(super) fn standing(&self, at: &ZoneAt) -> Option<&Standing> {
        self.all.get(at).map(|state| &state.standing)
    }

    /// A denial waits for this zone to be tried.
    pub(super) fn want(&mut self, at: &ZoneAt) {
        if self.wanted.len() >= MOST_WANTED {
            return;
        }
        if let Some(state) = self.all.get_mut(at) {
            if !std::mem::replace(&mut state.is_wanted, true) {
                self.wanted.push(at.clone());
            }
            return;
        }
        if !can_be_tried(&at.zone) {
            return;
        }
        if self.all.len() >= MOST {
            self.all.retain(|_, state| state.is_wanted || state.round.is_some());
        }
        if self.all.len() < MOST {
            self.all.insert(at.clone(), State { is_wanted: true, ..State::default() });
            self.wanted.push(at.clone());
        }
    }

    /// Nothing waits any more, as far as is known.
    pub(super) fn want_nothing(&mut self) {
        for at in self.wanted.drain(..) {
            if let Some(state) = self.all.get_mut(&at) {
                state.is_wanted = false;
            }
        }
    }

    /// Those whose round is due.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = &ZoneAt> {
        self.wanted.iter().filter(move |at| self.due_at(at, now).is_some_and(|due| due <= now))
    }

    /// When the next round is due.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.wanted.iter().filter_map(|at| self.due_at(at, now)).min()
    }

    fn due_at(&self, at: &ZoneAt, now: Instant) -> Option<Instant> {
        self.all.get(at)?.due(now)
    }

    /// A round begins.
    pub(super) fn begin(&mut self, at: &ZoneAt, now: Instant) {
        let Some(state) = self.all.get_mut(at) else { return };
        state.asked = Some(now);
        state.round = Some(Round { sent: now, open: 3, soa: None, servers: None, absent: None });
        if std::mem::take(&mut state.is_wanted) {
            self.wanted.retain(|wanted| wanted != at);
        }
    }

    /// Takes the answer to one part; tells what its standing is if that ended a round.
    pub(super) fn answered(
        &mut self,
        at: &ZoneAt,
        part: ZonePart,
        showing: Showing,
        now: Instant,
    ) -> Option<Ended> {
        let state = self.all.get_mut(at)?;
        let round = state.round.as_mut()?;
        let place = match part {
            ZonePart::Soa => &mut round.soa,
            ZonePart::Servers => &mut round.servers,
            ZonePart::Absent => &mut round.absent,
        };
        *place = Some(showing);
        round.open -= 1;
        if round.open > 0 {
            return None;
        }
        let round = state.round.take()?;
        let is_absent = matches!(round.absent, Some(Showing::Denied | Showing::Failed));
        let clean = is_absent.then_some(round.sent);
        let is_zone = match (round.soa, round.servers) {
            (Some(Showing::Found), Some(Showing::Found)) if is_absent => {
                state.standing.found(round.sent, now);
                Some(true)
            }
            (Some(Showing::Denied), Some(Showing::Denied)) => {
                state.standing.failed();
                Some(false)
            }
            // A zone with a wildcard shows nothing, and neither does one that is out of reach.
            _ => None,
        };
        Some(Ended { is_zone, clean })
    }
}

/// What a round of one zone has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    /// Whether the zone is there; `None` where nothing was shown.
    pub(super) is_zone: Option<bool>,
    /// When the question for a label that does not exist was sent, if it was not found.
    pub(super) clean: Option<Instant>,
}

impl State {
    fn due(&self, now: Instant) -> Option<Instant> {
        if self.round.is_some() {
            return None;
        }
        let gap = if self.standing.finds(now) { GAP } else { AGAIN };
        Some(self.asked.map_or(now, |at| at + gap))
    }
}
