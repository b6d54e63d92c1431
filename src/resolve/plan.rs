//! From cases to questions and back: each distinct question is put once however many hosts wait for it, forward answers
//! are kept, answers are joined to their hosts, and what counts against a host waits until it may be believed. Time is an
//! argument; knows no packet.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cache::Cache;
use super::hold::{Hold, Hope};
use super::inquiry::Inquiry;
use super::keyed::{Keyed, Passed};
use super::later::{Intake, Later, Pass, Reach};
use super::question::{Answer, Question};
use super::trust::{Belief, Claim, Put, Reachable, Trust, UpstreamBehavior};
use super::want::{Case, Solved};
use crate::name::DnsName;

/// What stands for one question between `Plan::next_question` and `Plan::answered`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u32);

/// All open cases and the questions that they wait for.
#[derive(Debug)]
pub(super) struct Plan<T> {
    cases: Slab<Open<T>>,
    flights: Slab<Flight>,
    /// Flights by the hash of their question: two questions with one hash, one pair in 2^64, are just not joined.
    by_hash: HashMap<u64, u32, BuildHasherDefault<Passed>>,
    hash: RandomState,
    /// Flights whose question was not handed out yet.
    ready: VecDeque<u32>,
    cache: Cache,
    trust: Trust,
    hold: Hold<Open<T>>,
    /// The upstreams that can be asked.
    up: Vec<Reachable>,
    /// Cases that are asked about for the first time, or in their second pass.
    fresh: usize,
    later: Later<Open<T>>,
    solved: VecDeque<Solved<T>>,
}

/// Whose answers are to be checked, and how long hosts may wait for that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checks {
    /// How many upstreams there are to be checked; 0: all is believed.
    pub(super) upstreams: usize,
    /// How long hosts wait for a check after the last answers.
    pub(super) patience: Duration,
}

/// How often the questions of a case are put again because their answers could not be confirmed any more.
const MOST_REPEATS: u8 = 8;
/// How long an upstream that had no definite answer is not asked for it again.
const REST: Duration = Duration::from_millis(500);
/// An upstream that is trusted answers for one whose controls take longer than this.
const SLOW: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Open<T> {
    inquiry: Inquiry,
    pass: Pass,
    /// How often its questions were put again.
    repeats: u8,
    /// Since when its answers wait for controls.
    held_since: Option<Instant>,
    /// Questions that go to one upstream alone, and the answers that stand unless that one has a definite one.
    pinned: Vec<(usize, usize, Arc<Answer>)>,
    /// Questions, by their index, and the upstreams that they were put to again.
    tried: Vec<(usize, usize)>,
    /// Those of them to which no definite answer came, and when.
    useless: Vec<(usize, usize, Instant)>,
    /// Zones that denials of it named.
    named: Vec<DnsName>,
    carry: T,
}

impl<T> Open<T> {
    fn into_solved(self) -> Solved<T> {
        Solved { solution: self.inquiry.solution(), carry: self.carry }
    }
}

/// One question on its way, and who waits for it.
#[derive(Debug)]
struct Flight {
    question: Keyed,
    first: Waiter,
    more: Vec<Waiter>,
    /// The one upstream that it goes to.
    pinned: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Waiter {
    case: u32,
    /// The index of the question within the case.
    index: usize,
}

impl<T> Plan<T> {
    /// Nothing open; `held_back` hosts at most wait for a second pass.
    pub(super) fn new(held_back: usize, checks: Checks) -> Self {
        Self {
            cases: Slab::new(),
            flights: Slab::new(),
            by_hash: HashMap::default(),
            hash: RandomState::new(),
            ready: VecDeque::new(),
            cache: Cache::default(),
            trust: Trust::new(checks.upstreams),
            hold: Hold::new(checks.patience),
            up: Vec::new(),
            fresh: 0,
            later: Later::new(held_back),
            solved: VecDeque::new(),
        }
    }

    /// Takes a case in.
    pub(super) fn admit(&mut self, case: Case<T>, now: Instant) {
        self.ask(Inquiry::new(&case.want), Pass::First, case.carry, now);
    }

    /// Begins the second pass of those whose time has come.
    pub(super) fn ask_again(&mut self, now: Instant, reach: Reach, intake: Intake) {
        while let Some(mut open) = self.later.next(now, reach, intake) {
            open.inquiry.reopen();
            self.ask(open.inquiry, Pass::Second, open.carry, now);
        }
    }

    fn ask(&mut self, inquiry: Inquiry, pass: Pass, carry: T, now: Instant) {
        let open = Open {
            inquiry,
            pass,
            repeats: 0,
            held_since: None,
            pinned: Vec::new(),
            tried: Vec::new(),
            useless: Vec::new(),
            named: Vec::new(),
            carry,
        };
        let id = self.cases.insert(open);
        self.fresh += 1;
        self.advance(id, now);
    }

    /// Takes note of the upstreams that can be asked.
    pub(super) fn reachable(&mut self, up: impl Iterator<Item = Reachable>) {
        self.up.clear();
        self.up.extend(up);
    }

    /// When controls are due next.
    pub(super) fn controls_due(&self, now: Instant) -> Option<Instant> {
        self.trust.due(&self.up, now)
    }

    /// Begins the rounds of controls that are due.
    pub(super) fn begin_controls(&mut self, now: Instant, put: &mut Vec<Put>) {
        self.trust.begin(&self.up, now, put);
    }

    /// Takes the answer to a control; tells the upstream if it failed.
    pub(super) fn control_answered(&mut self, token: Token, answer: &Answer, now: Instant) -> Option<usize> {
        self.trust.answered(token, answer, now)
    }

    /// Whether some upstream has not failed its last controls.
    pub(super) fn is_well(&self) -> bool {
        self.trust.is_well(&self.up)
    }

    /// What is to be told of upstreams since the last call.
    pub(super) fn take_warnings(&mut self) -> Vec<(usize, UpstreamBehavior)> {
        self.trust.take_warnings()
    }

    /// Cases that wait for controls.
    pub(super) fn held(&self) -> usize {
        self.hold.len()
    }

    /// Looks again at the cases that wait for controls: if something was shown, or `is_time` to look for those that have
    /// waited long enough. Tells whether it did.
    pub(super) fn review(&mut self, is_time: bool, now: Instant) -> bool {
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

    /// Settles a case if its answers are believed, puts what can't be confirmed any more to an upstream that is trusted, or
    /// holds the case until one is, or its time is over.
    fn consider(&mut self, mut open: Open<T>, now: Instant) {
        let mut waiting = Vec::new();
        for (index, claim) in open.inquiry.claims() {
            let Some((question, answer)) = open.inquiry.settled(index) else { continue };
            let belief = self.trust.belief(question, answer, claim, now);
            if belief != Belief::Confirmed {
                waiting.push((index, claim, belief));
            }
        }
        if waiting.is_empty() {
            return self.settle(open, now);
        }
        let since = *open.held_since.get_or_insert(now);
        let hope = self.hope(&open, &waiting);
        if self.hold.is_over(since, hope, now) {
            return self.give_up(open, &waiting, now);
        }
        let mut again = Vec::new();
        for &(index, claim, belief) in &waiting {
            let other = self.other(&mut open, index, claim, belief, now);
            again.extend(other.map(|(upstream, former)| (index, upstream, former)));
        }
        if !again.is_empty() {
            return self.repeat(open, again, now);
        }
        for &(index, claim, belief) in &waiting {
            if let Some((question, answer)) = open.inquiry.settled(index) {
                self.trust.want(question, answer, claim, belief, now);
                if claim == Claim::Denial {
                    self.trust.want_zones(question, &open.named, now);
                }
            }
        }
        self.hold.cases.push(open);
    }

    /// To which upstream a question is to be put again whose answer can't be confirmed, and that answer: one that is
    /// trusted, else one that was not asked yet, whose denial may name another zone by which it can be tried.
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
        if let Some(upstream) = self.trust.trusted(question, claim, &useful, now) {
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

    fn hope(&self, open: &Open<T>, waiting: &[(usize, Claim, Belief)]) -> Hope {
        let mut settled = waiting.iter().filter_map(|(index, ..)| open.inquiry.settled(*index));
        let is_hopeless = settled.any(|(question, answer)| self.trust.is_hopeless(question, answer));
        if is_hopeless || open.pass == Pass::Second { Hope::Little } else { Hope::Open }
    }

    /// Puts questions again, each to one upstream, whose answers then have a control before them.
    fn repeat(&mut self, mut open: Open<T>, again: Vec<(usize, usize, Arc<Answer>)>, now: Instant) {
        open.repeats = open.repeats.saturating_add(1);
        for (index, ..) in &again {
            open.inquiry.forget(*index);
        }
        open.pinned = again;
        let id = self.cases.insert(open);
        self.advance(id, now);
    }

    /// Nobody could confirm these answers: they count for nothing.
    fn give_up(&mut self, mut open: Open<T>, waiting: &[(usize, Claim, Belief)], now: Instant) {
        for &(index, claim, belief) in waiting {
            let Some((question, answer)) = open.inquiry.settled(index) else { continue };
            // A target's name that is found counts against nobody.
            if claim == Claim::Target && belief == Belief::Waiting {
                continue;
            }
            self.trust.gave_up(question, answer);
            open.inquiry.distrust(index);
        }
        self.settle(open, now);
    }

    /// There is no time for second passes any more: hosts that wait for theirs are solved as they are.
    pub(super) fn hurry(&mut self, now: Instant) {
        for open in self.later.close() {
            self.solved.push_back(open.into_solved());
        }
        // Names are left as if they had never come; hosts may still be confirmed for a moment.
        self.hold.cases.retain(|case| case.inquiry.is_of_host());
        self.hold.hurry(now);
    }

    /// Cases that wait for a second pass.
    pub(super) fn held_back(&self) -> usize {
        self.later.len()
    }

    /// When the next second pass is due, if nothing makes it due before.
    pub(super) fn due(&self, reach: Reach) -> Option<Instant> {
        self.later.due(reach)
    }

    /// Cases taken in and not given back, those aside that wait for a second pass.
    pub(super) fn open(&self) -> usize {
        self.waiting() + self.solved.len()
    }

    /// Cases that wait for answers, or for controls.
    pub(super) fn waiting(&self) -> usize {
        self.cases.len() + self.hold.len()
    }

    /// The next question to put, and the one upstream that it goes to if not to any; each comes once and wants one answer.
    pub(super) fn next_question(&mut self) -> Option<(Token, &Question, Option<usize>)> {
        let flight = self.ready.pop_front()?;
        self.flights.get(flight).map(|open| (Token(flight), &open.question.question, open.pinned))
    }

    /// Takes the answer to a question; a second one to the same is a fault of the caller and ignored.
    pub(super) fn answered(&mut self, token: Token, answer: Answer, now: Instant) {
        let Some(flight) = self.flights.remove(token.0) else { return };
        if self.by_hash.get(&flight.question.hash()) == Some(&token.0) {
            self.by_hash.remove(&flight.question.hash());
        }
        let answer = Arc::new(self.trust.stamp(&flight.question.question, answer, now));
        self.cache.put(flight.question, &answer, now);
        for waiter in std::iter::once(flight.first).chain(flight.more) {
            if let Some(open) = self.cases.get_mut(waiter.case) {
                open.inquiry.learn(waiter.index, &answer);
                self.advance(waiter.case, now);
            }
        }
    }

    /// Questions that were not handed out yet.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Solved cases that were not taken yet.
    pub(super) fn solved(&self) -> usize {
        self.solved.len()
    }

    /// Takes up to `most` solved cases, the first solved first, in room of their own size.
    pub(super) fn take_solved(&mut self, most: usize) -> Vec<Solved<T>> {
        let count = most.min(self.solved.len());
        self.solved.drain(..count).collect()
    }

    /// Puts what a case has to ask now; gives it back if that is nothing.
    fn advance(&mut self, case: u32, now: Instant) {
        let Some(open) = self.cases.get_mut(case) else { return };
        while let Some((index, question)) = open.inquiry.next_question() {
            let question = Keyed::new(question.clone(), &self.hash);
            let pinned = open.pinned.iter().find(|(at, ..)| *at == index).map(|(_, upstream, _)| *upstream);
            let kept = self.cache.get(&question, now);
            if let Some(answer) =
                kept.filter(|it| is_usable(&self.trust, &question.question, it, pinned, now))
            {
                open.inquiry.learn(index, &answer);
                continue;
            }
            let waiter = Waiter { case, index };
            let known = self.by_hash.get(&question.hash()).and_then(|&id| self.flights.get_mut(id));
            let is_same = |flight: &&mut Flight| {
                flight.question == question && (pinned.is_none() || flight.pinned == pinned)
            };
            if let Some(flight) = known.filter(is_same) {
                flight.more.push(waiter);
                continue;
            }
            self.trust.prime(&question.question);
            let hash = question.hash();
            let id = self.flights.insert(Flight { question, first: waiter, more: Vec::new(), pinned });
            self.by_hash.entry(hash).or_insert(id);
            self.ready.push_back(id);
        }
        if open.inquiry.is_solved()
            && let Some(open) = self.cases.remove(case)
        {
            self.conclude(open, now);
        }
    }

    /// All questions of a case have their answers: what counts against a host is to be confirmed before it is believed.
    fn conclude(&mut self, mut open: Open<T>, now: Instant) {
        let trust = &mut self.trust;
        open.inquiry
            .confirmed_by(|upstream, question, ip, name| trust.learn(upstream, question, ip, name, now));
        for (index, upstream, former) in std::mem::take(&mut open.pinned) {
            if open.inquiry.restore(index, former) {
                open.useless.push((index, upstream, now));
            }
        }
        if open.repeats == 0 {
            self.fresh = self.fresh.saturating_sub(1);
        }
        self.consider(open, now);
    }

    /// A case has nothing more to wait for: it is solved, or waits for a second pass.
    fn settle(&mut self, open: Open<T>, now: Instant) {
        let kept = match open.pass {
            Pass::First if !open.inquiry.has_failed() => Err(open),
            Pass::First if open.inquiry.is_of_host() => self.later.keep_host(open, now),
            Pass::First => self.later.keep_name(open, now),
            Pass::Second => Err(open),
        };
        if let Err(open) = kept {
            self.solved.push_back(open.into_solved());
        }
    }
}

/// Whether the controls of an answer take so long that another one may do.
fn is_slow(answer: &Answer, now: Instant) -> bool {
    answer.origin.as_ref().is_some_and(|origin| now.saturating_duration_since(origin.came) > SLOW)
}

/// Whether an answer that was kept is as good as one asked for now.
fn is_usable(
    trust: &Trust,
    question: &Question,
    answer: &Answer,
    pinned: Option<usize>,
    now: Instant,
) -> bool {
    let claim = if answer.status.is_absent() { Claim::Denial } else { Claim::Elsewhere };
    match (pinned, claim) {
        (None, Claim::Elsewhere) => trust.is_current(question, answer),
        _ => match trust.belief(question, answer, claim, now) {
            Belief::Confirmed => true,
            Belief::Waiting => !is_slow(answer, now),
            Belief::Lost => false,
        },
    }
}

/// Values under numbers that are used again.
#[derive(Debug)]
struct Slab<V> {
    places: Vec<Option<V>>,
    free: Vec<u32>,
}

impl<V> Slab<V> {
    fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }

    fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn insert(&mut self, value: V) -> u32 {
        if let Some(id) = self.free.pop() {
            self.places[id as usize] = Some(value);
            return id;
        }
        self.places.push(Some(value));
        // Callers bound what is open far below 2^32.
        u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
    }

    fn get(&self, id: u32) -> Option<&V> {
        self.places.get(id as usize)?.as_ref()
    }

    fn get_mut(&mut self, id: u32) -> Option<&mut V> {
        self.places.get_mut(id as usize)?.as_mut()
    }

    fn remove(&mut self, id: u32) -> Option<V> {
        let value = self.places.get_mut(id as usize)?.take()?;
        self.free.push(id);
        Some(value)
    }
}

#[cfg(test)]
mod tests;
