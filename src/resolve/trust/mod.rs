//! Which upstream may be believed. An answer that counts against a host (a denial, or a name that leads
//! elsewhere) is believed only if its upstream has passed controls of the same kind before it and after it
//! (`standing`).
//!
//! Controls are questions whose answers are known: a host that this upstream has confirmed itself, or a name
//! in a greeting that leads to the address that greeted; else fixed names (`fixed`); else the zone that the
//! denial itself names (`zones`), with a look at whether the denied name is there under another type
//! (`existence`). Names that exist nowhere must not be found. Which are due is a `desk`'s business, one for
//! each upstream and kind of question (`kind`); they are asked in rounds, however many answers wait for one.
//! SERVFAIL, REFUSED and silence show nothing.
//!
//! Upstreams that are both trusted and contradict each other all the same are in `contradiction`.
//!
//! Some answers are neither true nor false, and settle nothing (`filter`). What people are told of upstreams
//! is in `behavior`. Time is an argument; knows no socket and no host.

mod behavior;
mod contradiction;
mod control;
mod desk;
mod existence;
mod filter;
mod fixed;
mod kind;
mod rounds;
mod standing;
mod useless;
mod zone;
mod zones;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::control::Control;
use self::desk::Desk;
use self::existence::Doubted;
use self::filter::Prefix64;
use self::fixed::KnownHost;
use self::kind::ControlKind;
use self::zones::{ZoneAt, Zones};
use super::backend::Token;
use super::question::origin::Origin;
use super::question::{Answer, Kind, Question, Records};
use crate::evidence::Status;
use crate::name::DnsName;

pub use behavior::{HijackedAnswers, UpstreamBehavior, UpstreamWarning};
pub(super) use contradiction::{Contradiction, Opinion};
pub(super) use filter::is_blocking;
pub(super) use standing::{Belief, Claim};
pub(super) use useless::UselessWatch;
pub use useless::{Trouble, Useless};

/// The most controls under way at once, of all upstreams.
pub(super) const MOST: usize = 1024;
/// The first of their tokens.
const FIRST: u32 = u32::MAX - 1024;
/// A host that serves as a control for other upstreams is replaced by a fresh one when it is so old.
const SHARED_RENEWED: Duration = Duration::from_secs(1);

/// Whether a token is a control's.
pub(super) fn is_control(token: Token) -> bool {
    token.0 >= FIRST
}

/// An upstream that can be asked now, and how many packets a second it is given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reachable {
    pub(super) upstream: usize,
    pub(super) rate: u32,
}

/// A control to be put.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) upstream: usize,
    pub(super) token: Token,
    pub(super) question: Question,
}

#[derive(Debug)]
struct UnderWay {
    upstream: usize,
    kind: ControlKind,
    control: Control,
    sent: Instant,
}

/// What all upstreams have shown.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// By upstream and kind.
    desks: Vec<[Desk; 4]>,
    zones: Zones,
    /// The last host that some upstream has confirmed, by kind: who, and which upstream.
    shared: [Option<(KnownHost, usize, Instant)>; 4],
    /// Denials whose names are to be asked for under another type.
    doubted: Vec<Doubted>,
    under_way: HashMap<u32, UnderWay>,
    next_token: u32,
    is_primed: [bool; 4],
    prefixes: Vec<Vec<Prefix64>>,
    hijacked: Vec<HijackedAnswers>,
    /// Why each was not believed last, and whether that was told.
    denied: Vec<Option<DnsName>>,
    told: Vec<Vec<UpstreamBehavior>>,
    warnings: Vec<(usize, UpstreamBehavior)>,
    /// Pairs of upstreams that contradict each other, and those of them that are to be told.
    contradicting: Vec<[usize; 2]>,
    contradictions: Vec<Contradiction>,
    /// Whether something was shown since the last look.
    has_changed: bool,
    /// Who is asked next of several that are trusted.
    turn: usize,
}

impl Trust {
    /// Nothing has been shown yet, by so many upstreams. With none, all answers are believed.
    pub(super) fn new(upstreams: usize) -> Self {
        Self {
            desks: (0..upstreams).map(|_| <[Desk; 4]>::default()).collect(),
            prefixes: vec![Vec::new(); upstreams],
            hijacked: vec![HijackedAnswers::default(); upstreams],
            denied: vec![None; upstreams],
            told: vec![Vec::new(); upstreams],
            ..Self::default()
        }
    }

    /// A question is about to be asked: its kind is tried at every upstream, so that denials have a control
    /// before them.
    pub(super) fn prime(&mut self, question: &Question) {
        let kind = ControlKind::of(question);
        if !std::mem::replace(&mut self.is_primed[kind.index()], true) {
            self.desks.iter_mut().for_each(|desks| desks[kind.index()].prime());
        }
    }

    /// Notes with an answer what its upstream has shown by now, and takes away what settles nothing.
    pub(super) fn stamp(&self, question: &Question, mut answer: Answer, now: Instant) -> Answer {
        let Some(origin) = &answer.origin else { return answer };
        let upstream = origin.upstream;
        let kind = ControlKind::of(question);
        let Some(desks) = self.desks.get(upstream) else { return answer };
        let shown = desks[kind.index()].standing.shown(now);
        let zone = answer.zone.as_ref().filter(|_| answer.status.is_absent() && shown.finds.is_none());
        let zone = zone.map(|zone| ZoneAt { upstream, kind, zone: zone.clone() });
        let in_zone = zone.and_then(|at| Some(Box::new(self.zones.standing(&at)?.shown(now))));
        if let Some(origin) = &mut answer.origin {
            origin.shown = shown;
            origin.zone = in_zone;
        }
        if question.kind == Kind::Aaaa { self.without_synthesized(answer, upstream) } else { answer }
    }

    /// Addresses that DNS64 has made up are dropped; without others the answer settles nothing.
    fn without_synthesized(&self, mut answer: Answer, upstream: usize) -> Answer {
        let prefixes = self.prefixes.get(upstream).map_or(&[][..], Vec::as_slice);
        let Records::Addresses(addresses) = &mut answer.records else { return answer };
        addresses.retain(|ip| !filter::is_synthesized(*ip, prefixes));
        if addresses.is_empty() { Answer::bare(Status::Malformed) } else { answer }
    }

    /// Whether an answer holds addresses that are known by now to be made up.
    fn is_synthesized(&self, answer: &Answer, origin: &Origin) -> bool {
        let prefixes = self.prefixes.get(origin.upstream).map_or(&[][..], Vec::as_slice);
        answer.addresses().iter().any(|ip| filter::is_synthesized(*ip, prefixes))
    }

    /// What an answer is worth that says something against a host.
    pub(super) fn belief(&self, question: &Question, answer: &Answer, claim: Claim, now: Instant) -> Belief {
        let Some(origin) = &answer.origin else { return Belief::Confirmed };
        if origin.is_confirmed() {
            return Belief::Confirmed;
        }
        let kind = ControlKind::of(question);
        let Some(desks) = self.desks.get(origin.upstream) else { return Belief::Confirmed };
        if self.is_synthesized(answer, origin) {
            return Belief::Lost;
        }
        if claim == Claim::Target && desks[kind.index()].standing.invents() {
            // Names that exist lead where they lead, also where absence is rewritten.
            let is_hijacked = self.hijacked[origin.upstream].are_in(answer);
            return if is_hijacked { Belief::Lost } else { Belief::Confirmed };
        }
        let mut belief = desks[kind.index()].standing.belief(origin.shown, origin.came, claim, now);
        if belief != Belief::Confirmed
            && claim == Claim::Denial
            && let Some(at) = zone_at(answer, origin, kind)
            && let Some(standing) = self.zones.standing(&at)
            && !desks[kind.index()].standing.is_out()
            && self.shared(origin.upstream, kind, now).is_none()
        {
            let at_zone =
                standing.belief(origin.zone.as_deref().copied().unwrap_or_default(), origin.came, claim, now);
            belief = belief.max(existence::belief(question, answer, origin, at_zone));
        }
        if belief == Belief::Confirmed {
            origin.confirm();
        }
        belief
    }

    /// Whether an answer is of the epoch that still holds: else it is as if nobody had answered.
    pub(super) fn is_current(&self, question: &Question, answer: &Answer) -> bool {
        let Some(origin) = answer.origin.as_ref().filter(|origin| !origin.is_confirmed()) else {
            return true;
        };
        let Some(desks) = self.desks.get(origin.upstream) else { return true };
        let standing = &desks[ControlKind::of(question).index()].standing;
        !standing.invents() && origin.shown.epoch == standing.epoch()
    }

    /// An upstream that a question can be put to, so that its answer has a control before it. `former` is the
    /// answer that it would replace, or be compared with.
    pub(super) fn trusted(
        &mut self,
        question: &Question,
        former: &Answer,
        claim: Claim,
        up: &[Reachable],
        now: Instant,
    ) -> Option<usize> {
        let count = up.len();
        let mut turn = (0..count).map(|step| up[(self.turn + step) % count].upstream);
        let found = turn.find(|&upstream| self.is_trusted(upstream, question, former, claim, now))?;
        self.turn = (self.turn + 1) % count;
        Some(found)
    }

    fn is_trusted(
        &self,
        upstream: usize,
        question: &Question,
        former: &Answer,
        claim: Claim,
        now: Instant,
    ) -> bool {
        let kind = ControlKind::of(question);
        let Some(desks) = self.desks.get(upstream) else { return false };
        let standing = &desks[kind.index()].standing;
        if standing.is_ready(claim, now) {
            return true;
        }
        if claim != Claim::Denial || standing.is_out() || self.shared(upstream, kind, now).is_some() {
            return false;
        }
        let is_ready = |zone| {
            let standing = self.zones.standing(&ZoneAt { upstream, kind, zone });
            standing.is_some_and(|standing| standing.is_ready(claim, now))
        };
        // Asked again, an upstream denies out of the same zone, and no other zone confirms that.
        let is_its_own = former.origin.as_ref().is_some_and(|origin| origin.upstream == upstream);
        match former.zone.clone().filter(|_| is_its_own) {
            Some(zone) => is_ready(zone),
            None => zone::above(former.denied(question)).any(is_ready),
        }
    }

    /// An answer waits for controls: of its own upstream, or of any, if that can't help it any more.
    pub(super) fn want(
        &mut self,
        question: &Question,
        answer: &Arc<Answer>,
        claim: Claim,
        belief: Belief,
        now: Instant,
    ) {
        let kind = ControlKind::of(question);
        let Some(origin) = &answer.origin else { return };
        if claim == Claim::Denial {
            self.doubt(question, answer, now);
        }
        for (upstream, desks) in self.desks.iter_mut().enumerate() {
            if belief == Belief::Waiting && upstream != origin.upstream {
                continue;
            }
            let desk = &mut desks[kind.index()];
            match claim {
                Claim::Denial => desk.want(),
                Claim::Elsewhere | Claim::Target if desk.standing.finds(now) && belief == Belief::Waiting => {
                    desk.want();
                }
                Claim::Elsewhere | Claim::Target => desk.want_clean(),
            }
            if claim == Claim::Denial
                && (desk.needs_zones(now) || belief == Belief::Waiting && origin.shown.finds.is_none())
                && let Some(zone) = &answer.zone
            {
                self.zones.want(&ZoneAt { upstream, kind, zone: zone.clone() });
            }
        }
    }

    /// A denial waits for zones that were named for it to be tried, at every upstream where nothing better
    /// can be had.
    pub(super) fn want_zones(&mut self, question: &Question, zones: &[DnsName], now: Instant) {
        let kind = ControlKind::of(question);
        for (upstream, desks) in self.desks.iter().enumerate() {
            if desks[kind.index()].needs_zones(now) {
                for zone in zones {
                    self.zones.want(&ZoneAt { upstream, kind, zone: zone.clone() });
                }
            }
        }
    }

    /// Begins to count anew what waits.
    pub(super) fn want_nothing(&mut self) {
        self.desks.iter_mut().flatten().for_each(Desk::want_nothing);
        self.zones.want_nothing();
        self.doubted.clear();
    }

    /// Takes note of a host's name that an upstream has found to lead to its address, and of the name it has
    /// for the address, if that is the one.
    pub(super) fn learn(
        &mut self,
        upstream: usize,
        question: &Question,
        ip: IpAddr,
        name: &DnsName,
        now: Instant,
    ) {
        let kind = ControlKind::of(question);
        if let Some(desks) = self.desks.get_mut(upstream) {
            let host = || KnownHost { ip, name: name.clone() };
            desks[kind.index()].learn(host, now);
            let shared = &mut self.shared[kind.index()];
            if shared.as_ref().is_none_or(|(_, _, at)| now >= *at + SHARED_RENEWED) {
                *shared = Some((host(), upstream, now));
            }
        }
    }

    /// A host that another upstream than this one has confirmed lately. While there is one, that a zone
    /// exists does not suffice.
    fn shared(&self, upstream: usize, kind: ControlKind, now: Instant) -> Option<&KnownHost> {
        let (host, by, at) = self.shared[kind.index()].as_ref()?;
        (*by != upstream && now.saturating_duration_since(*at) <= standing::EPOCH).then_some(host)
    }

    /// Whether something was shown since the last call.
    pub(super) fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// Whether hosts need not wait long for an answer to be confirmed or given by another upstream: each has
    /// failed a control, or others have waited for it in vain.
    pub(super) fn is_hopeless(&self, question: &Question, answer: &Answer) -> bool {
        let kind = ControlKind::of(question);
        self.desks.iter().enumerate().all(|(upstream, desks)| {
            let desk = &desks[kind.index()];
            let zone = answer.zone.clone().map(|zone| ZoneAt { upstream, kind, zone });
            let zone = zone.and_then(|at| self.zones.standing(&at));
            desk.is_exhausted
                || desk.standing.is_failing()
                || zone.is_some_and(standing::Standing::is_failing)
        })
    }

    /// A host has waited in vain for this answer to be confirmed.
    pub(super) fn gave_up(&mut self, question: &Question, answer: &Answer) {
        let Some(Origin { upstream, .. }) = answer.origin else { return };
        let kind = ControlKind::of(question);
        self.desks.iter_mut().for_each(|desks| desks[kind.index()].is_exhausted = true);
        if self.desks.get(upstream).is_none_or(|desks| desks[kind.index()].standing.invents()) {
            return;
        }
        let behavior = match &self.denied[upstream] {
            Some(name) => UpstreamBehavior::Denying(name.clone()),
            None => UpstreamBehavior::Unproven,
        };
        self.warn(upstream, behavior);
    }

    fn warn(&mut self, upstream: usize, behavior: UpstreamBehavior) {
        let is_same =
            |told: &UpstreamBehavior| std::mem::discriminant(told) == std::mem::discriminant(&behavior);
        if !self.told[upstream].iter().any(is_same) {
            self.told[upstream].push(behavior.clone());
            self.warnings.push((upstream, behavior));
        }
    }

    /// What is to be told of upstreams since the last call.
    pub(super) fn take_warnings(&mut self) -> Vec<(usize, UpstreamBehavior)> {
        std::mem::take(&mut self.warnings)
    }

    /// Whether there is an upstream that has not failed its last controls.
    pub(super) fn is_well(&self, up: &[Reachable]) -> bool {
        up.iter().any(|Reachable { upstream, .. }| {
            self.desks.get(*upstream).is_none_or(|desks| !desks.iter().any(|desk| desk.standing.is_failing()))
        })
    }
}

fn zone_at(answer: &Answer, origin: &Origin, kind: ControlKind) -> Option<ZoneAt> {
    let zone = answer.zone.clone()?;
    Some(ZoneAt { upstream: origin.upstream, kind, zone })
}
