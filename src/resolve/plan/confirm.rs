//! Cases whose answers are to be confirmed: they are settled, held, asked again elsewhere, or given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Open, Pin, Plan, Purpose};
use crate::resolve::hold::Hope;
use crate::resolve::later::Pass;
use crate::resolve::question::Answer;
use crate::resolve::trust::{Belief, Claim, Reachable};

/// How often the questions of a case are put again because their answers could not be confirmed any more.
const MOST_REPEATS: u8 = 8;
/// How long an upstream that had no definite answer is not asked for it again.
const REST: Duration = Duration::from_millis(500);
/// An upstream that is trusted answers for one whose controls take longer than this.
const SLOW: Duration = Duration::from_secs(1);

impl<T> Plan<T> {
    /// Looks again at the cases that wait for controls: if something was shown, or `is_time` to look for
    /// those that have waited long enough. Tells whether it did.
    pub(in crate::resolve) fn review(&mut self, is_time: bool, now: Instant) -> bool {
        self.hold.is_quiet(self.fresh == 0, now);
        if !self.trust.take_change() && !is_time || self.hold.len() == 0 {
            return false;
        }
        self.trust.want_nothing();
        for case in std::mem::take(&mut self.hold.cases) {
            self.consider(case, now);
        }
        true
    }

    /// Settles a case if its answers are believed, puts what can't be confirmed any more to an upstream that
    /// is trusted, or holds the case until one is, or its time is over.
    pub(super) fn consider(&mut self, mut open: Box<Open<T>>, now: Instant) {
        if let Some(first) = open.first.take() {
            return self.compare(open, first, now);
        }
        let mut waiting = Vec::new();
        let is_evasive = open.inquiry.has_malformed();
        for (index, claim) in open.inquiry.claims() {
            let Some((question, answer)) = open.inquiry.settled(index) else { continue };
            let mut belief = self.trust.belief(question, answer, claim, now);
            // Whoever denies forward names as policy zones do, and shows of itself no more than a zone, is
            // not believed.
            if is_evasive && claim == Claim::Denial && self.trust.rests_on_zone(question, answer, now) {
                belief = belief.min(Belief::Waiting);
            }
            if belief != Belief::Confirmed {
                waiting.push((index, claim, belief));
            }
        }
        if waiting.is_empty() {
            return self.ask_a_second(open, now);
        }
        let since = *open.held_since.get_or_insert(now);
        let hope = self.hope(&open, &waiting);
        if self.hold.is_over(since, hope, now) {
            return self.give_up(open, &waiting, now);
        }
        let mut again = Vec::new();
        for &(index, claim, belief) in &waiting {
            let other = self.other(&mut open, index, claim, belief, now);
            let pin = |(upstream, former)| Pin { index, upstream, former, purpose: Purpose::Confirm };
            again.extend(other.map(pin));
        }
        if !again.is_empty() {
            return self.repeat(open, again, now);
        }
        self.wait(open, &waiting, now);
    }

    /// Holds a case until its answers are confirmed.
    pub(super) fn wait(&mut self, open: Box<Open<T>>, waiting: &[(usize, Claim, Belief)], now: Instant) {
        for &(index, claim, belief) in waiting {
            if let Some((question, answer)) = open.inquiry.settled(index) {
                self.trust.want(question, answer, claim, belief, now);
                if claim == Claim::Denial {
                    self.trust.want_zones(question, &open.named, now);
                }
            }
        }
        self.hold.cases.push(open);
    }

    /// To which upstream a question is to be put again whose answer can't be confirmed, and that answer: one
    /// that is trusted, else one that was not asked yet, whose denial may name another zone by which it can
    /// be tried.
    fn other(
        &mut self,
        open: &mut Open<T>,
        index: usize,
        claim: Claim,
        belief: Belief,
        now: Instant,
    ) -> Option<(usize, Arc<Answer>)> {
        let (question, answer) = open.inquiry.settled(index)?;
        let answer = Arc::clone(answer);
        if let Some(zone) = answer.zone.as_ref().filter(|zone| !open.named.contains(zone)) {
            open.named.push(zone.clone());
        }
        let is_lost = belief == Belief::Lost;
        if open.repeats >= MOST_REPEATS || !is_lost && !is_slow(&answer, now) {
            return None;
        }
        let rests = |&(at, upstream, since): &(usize, usize, Instant), it: &Reachable| {
            (at, upstream) == (index, it.upstream) && now.saturating_duration_since(since) < REST
        };
        let is_useful = |it: &&Reachable| !open.useless.iter().any(|useless| rests(useless, it));
        let useful: Vec<Reachable> = self.up.iter().filter(is_useful).copied().collect();
        if let Some(upstream) = self.trust.trusted(question, &answer, claim, &useful, now) {
            return Some((upstream, answer));
        }
        if !is_lost {
            return None;
        }
        open.tried.extend(answer.origin.as_ref().map(|origin| (index, origin.upstream)));
        let is_new = |it: &&Reachable| !open.tried.contains(&(index, it.upstream));
        let upstream = useful.iter().find(is_new)?.upstream;
        open.tried.push((index, upstream));
        Some((upstream, answer))
    }

    pub(super) fn hope(&self, open: &Open<T>, waiting: &[(usize, Claim, Belief)]) -> Hope {
        let mut settled = waiting.iter().filter_map(|(index, ..)| open.inquiry.settled(*index));
        let is_hopeless = settled.any(|(question, answer)| self.trust.is_hopeless(question, answer));
        if is_hopeless || open.pass == Pass::Second { Hope::Little } else { Hope::Open }
    }

    /// Puts questions again, each to one upstream, whose answers then have a control before them.
    pub(super) fn repeat(&mut self, mut open: Box<Open<T>>, again: Vec<Pin>, now: Instant) {
        open.repeats = open.repeats.saturating_add(1);
        for pin in &again {
            open.inquiry.forget(pin.index);
        }
        open.pinned = again;
        let id = self.cases.insert(open);
        self.advance(id, now);
    }

    /// Nobody could confirm these answers: they count for nothing. Neither do other denials of an upstream
    /// that is doubtful by one of these.
    fn give_up(&mut self, mut open: Box<Open<T>>, waiting: &[(usize, Claim, Belief)], now: Instant) {
        let denials = open.inquiry.claims().into_iter().filter(|(_, claim)| *claim == Claim::Denial);
        let denials: Vec<usize> = denials.map(|(index, _)| index).collect();
        let mut doubtful = Vec::new();
        for &(index, claim, belief) in waiting {
            let Some((question, answer)) = open.inquiry.settled(index) else { continue };
            // A target's name that is found counts against nobody.
            if claim == Claim::Target && belief == Belief::Waiting {
                continue;
            }
            if claim == Claim::Denial && self.trust.is_doubtful(question, answer, now) {
                doubtful.extend(answer.origin.as_ref().map(|origin| origin.upstream));
            }
            self.trust.gave_up(question, answer);
            open.inquiry.distrust(index);
        }
        for index in denials {
            let origin = open.inquiry.settled(index).and_then(|(_, answer)| answer.origin.as_ref());
            if origin.is_some_and(|origin| doubtful.contains(&origin.upstream)) {
                open.inquiry.distrust(index);
            }
        }
        self.settle(open, now);
    }
}

/// Whether the controls of an answer take so long that another one may do.
pub(super) fn is_slow(answer: &Answer, now: Instant) -> bool {
    answer.origin.as_ref().is_some_and(|origin| now.saturating_duration_since(origin.came) > SLOW)
}
