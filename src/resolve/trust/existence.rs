//! Denials that only the zone they name speaks for. That an upstream finds a zone says nothing about one type
//! of record in it, for some upstreams deny one type alone. So such a denial has to say that the name does
//! not exist (NXDOMAIN), and the same upstream is asked for the SOA of that name: a type that it has just
//! answered for the zone.
//!
//! By example: an upstream denies the PTR records of `7.2.0.192.in-addr.arpa` by NXDOMAIN. If it says
//! NXDOMAIN to the SOA question, too, there is nothing at all at the name (RFC 8020 §2), and the denial may
//! be true. If it says NODATA, there is something, and one of its two answers is wrong: it is caught, and no
//! denial of this kind is believed until it finds a host that was confirmed. NODATA to the PTR question
//! itself can't be tried so, and stays unknown. Where the name asked is an alias, what is denied is the name
//! at its end: that one is asked for, and its zone is the one that counts.

use std::sync::Arc;
use std::time::Instant;

use super::control::Control;
use super::kind::ControlKind;
use super::standing::{Belief, Standing};
use super::zones::ZoneAt;
use super::{MOST, Put, Reachable, Trust};
use crate::evidence::Status;
use crate::name::DnsName;
use crate::resolve::question::origin::{Existence, Origin};
use crate::resolve::question::{Answer, Kind, Question};

/// The most that wait to be asked; the others are taken up at the next look.
const MOST_DOUBTED: usize = 512;

/// A denial whose name is to be asked for under another type.
#[derive(Debug)]
pub(super) struct Doubted {
    question: Question,
    denial: Arc<Answer>,
}

impl Doubted {
    fn upstream(&self) -> Option<usize> {
        self.denial.origin.as_ref().map(|origin| origin.upstream)
    }

    /// Whether its upstream can be asked now.
    pub(super) fn is_among(&self, up: &[Reachable]) -> bool {
        up.iter().any(|it| Some(it.upstream) == self.upstream())
    }
}

/// What a denial is worth whose zone is worth `at_zone`. Records of other types (MX) are not what a host is
/// judged by, and the zone suffices for them.
pub(super) fn belief(question: &Question, answer: &Answer, origin: &Origin, at_zone: Belief) -> Belief {
    match (question.kind, answer.status, origin.existence()) {
        (Kind::Mx | Kind::Ns | Kind::Soa, ..) | (_, Status::NxDomain, Existence::Absent) => at_zone,
        (_, _, Existence::Present) => Belief::Lost,
        _ => at_zone.min(Belief::Waiting),
    }
}

impl Trust {
    /// A denial waits for its name to be asked for under another type.
    pub(super) fn doubt(&mut self, question: &Question, denial: &Arc<Answer>, now: Instant) {
        let Some(origin) = &denial.origin else { return };
        let kind = ControlKind::of(question);
        let Some(desks) = self.desks.get(origin.upstream) else { return };
        let desk = &desks[kind.index()];
        let is_lost = desk.standing.is_out() || self.zone_of(denial, kind).is_some_and(Standing::is_failing);
        let needs = !is_lost && desk.needs_zones(now);
        // Also where the zone can't be tried, as the root: whoever contradicts itself is caught.
        let is_new = origin.existence() == Existence::Unknown && denial.status == Status::NxDomain;
        if needs && is_new && self.doubted.len() < MOST_DOUBTED {
            self.doubted.push(Doubted { question: question.clone(), denial: Arc::clone(denial) });
        }
    }

    /// Asks for the names of denials, as far as there is room beside other controls.
    pub(super) fn begin_existence(&mut self, up: &[Reachable], now: Instant, put: &mut Vec<Put>) {
        for doubted in std::mem::take(&mut self.doubted) {
            let Some(origin) = doubted.denial.origin.as_ref().filter(|_| doubted.is_among(up)) else {
                continue;
            };
            if origin.existence() != Existence::Unknown || self.under_way.len() >= MOST / 2 {
                continue;
            }
            origin.set_existence(Existence::Asked);
            let kind = ControlKind::of(&doubted.question);
            let upstream = origin.upstream;
            let name = doubted.denial.denied(&doubted.question).clone();
            let question = Question::new(name.clone(), Kind::Soa);
            self.submit(upstream, kind, Control::Existence(name, doubted.denial), question, now, put);
        }
    }

    /// Takes the answer; tells the upstream if it contradicts itself.
    pub(super) fn existence_answered(
        &mut self,
        upstream: usize,
        kind: ControlKind,
        name: DnsName,
        denial: &Answer,
        answer: &Answer,
        now: Instant,
    ) -> Option<usize> {
        let origin = denial.origin.as_ref()?;
        let existence = match answer.status {
            Status::NxDomain => Existence::Absent,
            Status::Found | Status::NoData => Existence::Present,
            _ => Existence::Unknown,
        };
        origin.set_existence(existence);
        // Thousands of these come; they make no difference where the zone is not found.
        self.has_changed |= match existence {
            Existence::Present => true,
            Existence::Absent => self.zone_of(denial, kind).is_some_and(|zone| zone.finds(now)),
            Existence::Unknown | Existence::Asked => false,
        };
        if existence != Existence::Present {
            return None;
        }
        self.desks.get_mut(upstream)?[kind.index()].standing.disputed();
        self.denied[upstream] = Some(name);
        Some(upstream)
    }

    /// What its upstream has shown of the zone that a denial names.
    fn zone_of(&self, denial: &Answer, kind: ControlKind) -> Option<&Standing> {
        let upstream = denial.origin.as_ref()?.upstream;
        self.zones.standing(&ZoneAt { upstream, kind, zone: denial.zone.clone()? })
    }

    /// Whether an upstream's word about a host is worth less because this denial of it could not be
    /// confirmed: it was caught, or it says that an existing name has no such record, and nothing shows that
    /// it ever finds one.
    pub(in crate::resolve) fn is_doubtful(&self, question: &Question, answer: &Answer, now: Instant) -> bool {
        let Some(origin) = &answer.origin else { return false };
        let kind = ControlKind::of(question);
        let Some(desks) = self.desks.get(origin.upstream) else { return false };
        let desk = &desks[kind.index()];
        let is_made_up = self.zone_of(answer, kind).is_some_and(Standing::is_failing);
        let is_empty = answer.status == Status::NoData;
        desk.standing.is_failing() || !desk.standing.finds(now) && (is_made_up || is_empty)
    }

    /// Whether nothing but the zone that it names speaks for a denial.
    pub(in crate::resolve) fn rests_on_zone(
        &self,
        question: &Question,
        denial: &Answer,
        now: Instant,
    ) -> bool {
        let desks = denial.origin.as_ref().and_then(|origin| self.desks.get(origin.upstream));
        desks.is_some_and(|desks| !desks[ControlKind::of(question).index()].standing.finds(now))
    }
}
