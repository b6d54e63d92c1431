//! From cases to questions and back: each distinct question is put once however many hosts wait for it,
//! forward answers are kept, answers are joined to their hosts, and what counts against a host waits until it
//! may be believed. Time is an argument; knows no packet.

mod confirm;
mod second;
mod slab;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::confirm::is_slow;
use self::slab::Slab;
use super::backend::Token;
use super::cache::Cache;
use super::hold::Hold;
use super::inquiry::Inquiry;
use super::keyed::{Keyed, Passed};
use super::later::{Intake, Later, Pass, Reach};
use super::question::{Answer, Question};
use super::trust::{Belief, Claim, Contradiction, Put, Reachable, Trust, UpstreamBehavior};
use super::want::{Case, Solved};
use crate::name::DnsName;

/// All open cases and the questions that they wait for.
#[derive(Debug)]
pub(super) struct Plan<T> {
    cases: Slab<Box<Open<T>>>,
    flights: Slab<Flight>,
    /// Flights by the hash of their question: two questions with one hash, one pair in 2^64, are just not
    /// joined.
    by_hash: HashMap<u64, u32, BuildHasherDefault<Passed>>,
    hash: RandomState,
    /// Flights of hosts whose question was not handed out yet.
    ready: VecDeque<u32>,
    /// The same of names, which go first: hosts wait for what names lead to, and nothing waits for a host.
    ready_names: VecDeque<u32>,
    cache: Cache,
    trust: Trust,
    hold: Hold<Box<Open<T>>>,
    /// The upstreams that can be asked.
    up: Vec<Reachable>,
    /// Cases that are asked about for the first time, or in their second pass.
    fresh: usize,
    later: Later<Box<Open<T>>>,
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

/// Handed about in a box, for it is long.
#[derive(Debug)]
struct Open<T> {
    inquiry: Inquiry,
    pass: Pass,
    /// How often its questions were put again.
    repeats: u8,
    /// Since when its answers wait for controls.
    held_since: Option<Instant>,
    /// Questions that go to one upstream alone.
    pinned: Vec<Pin>,
    /// What was found before, while a second upstream is asked about it.
    first: Option<Box<Inquiry>>,
    /// Since when a second upstream is wanted.
    second_since: Option<Instant>,
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

/// A question of a case that goes to one upstream alone.
#[derive(Debug)]
struct Pin {
    /// The index of the question within the case.
    index: usize,
    upstream: usize,
    /// The answer that stands unless that upstream has a definite one.
    former: Arc<Answer>,
    purpose: Purpose,
}

/// Why a question goes to one upstream alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Its answer can be confirmed there, and replaces the former one.
    Confirm,
    /// Its answer is compared with the former one.
    Compare,
}

/// One question on its way, and who waits for it.
#[derive(Debug)]
struct Flight {
    question: Keyed,
    first: Waiter,
    more: Vec<Waiter>,
    /// The one upstream that it goes to, and why.
    pinned: Option<(usize, Purpose)>,
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
            ready_names: VecDeque::new(),
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
        self.later.begin_round();
        while let Some(mut open) = self.later.next(now, reach, intake) {
            open.inquiry.reopen();
            self.ask(open.inquiry, Pass::Second, open.carry, now);
        }
    }

    fn ask(&mut self, inquiry: Inquiry, pass: Pass, carry: T, now: Instant) {
        let open = Box::new(Open {
            inquiry,
            pass,
            repeats: 0,
            held_since: None,
            pinned: Vec::new(),
            first: None,
            second_since: None,
            tried: Vec::new(),
            useless: Vec::new(),
            named: Vec::new(),
            carry,
        });
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

    /// The upstreams that were found to contradict each other since the last call, and about what.
    pub(super) fn take_contradictions(&mut self) -> Vec<Contradiction> {
        self.trust.take_contradictions()
    }

    /// Cases that wait for controls.
    pub(super) fn held(&self) -> usize {
        self.hold.len()
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

    /// The next question to put, and the one upstream that it goes to if not to any; each comes once and
    /// wants one answer.
    pub(super) fn next_question(&mut self) -> Option<(Token, &Question, Option<usize>)> {
        let flight = self.ready_names.pop_front().or_else(|| self.ready.pop_front())?;
        let open = self.flights.get(flight)?;
        let upstream = open.pinned.map(|(upstream, _)| upstream);
        Some((Token(flight), &open.question.question, upstream))
    }

    /// Takes the answer to a question; a second one to the same is a fault of the caller and ignored.
    pub(super) fn answered(&mut self, token: Token, answer: Answer, now: Instant) {
        let Some(flight) = self.flights.remove(token.0) else { return };
        if self.by_hash.get(&flight.question.hash()) == Some(&token.0) {
            self.by_hash.remove(&flight.question.hash());
        }
        let answer = Arc::new(self.trust.stamp(&flight.question.question, answer, now));
        // A second opinion is kept with the first (`second`).
        if flight.pinned.is_none_or(|(_, purpose)| purpose == Purpose::Confirm) {
            self.cache.put(flight.question, &answer, now);
        }
        for waiter in std::iter::once(flight.first).chain(flight.more) {
            if let Some(open) = self.cases.get_mut(waiter.case) {
                open.inquiry.learn(waiter.index, &answer);
                self.advance(waiter.case, now);
            }
        }
    }

    /// Questions for names that were not handed out yet.
    pub(super) fn ready_names(&self) -> usize {
        self.ready_names.len()
    }

    /// Questions that were not handed out yet.
    pub(super) fn ready(&self) -> usize {
        self.ready_names.len() + self.ready.len()
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
            let pin = open.pinned.iter().find(|pin| pin.index == index);
            let pinned = pin.map(|pin| (pin.upstream, pin.purpose));
            let kept = if let Some(Pin { purpose: Purpose::Compare, former, .. }) = pin {
                second::of(former)
            } else {
                let kept = self.cache.get(&question, now);
                kept.filter(|it| is_usable(&self.trust, &question.question, it, pin, now))
            };
            if let Some(answer) = kept {
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
            let ready = if open.inquiry.is_of_host() { &mut self.ready } else { &mut self.ready_names };
            ready.push_back(id);
        }
        if open.inquiry.is_solved()
            && let Some(open) = self.cases.remove(case)
        {
            self.conclude(open, now);
        }
    }

    /// All questions of a case have their answers: what counts against a host is to be confirmed before it is
    /// believed.
    fn conclude(&mut self, mut open: Box<Open<T>>, now: Instant) {
        let trust = &mut self.trust;
        // What a second upstream says is to be held against the first, and shows nothing of either.
        if open.first.is_none() {
            open.inquiry
                .confirmed_by(|upstream, question, ip, name| trust.learn(upstream, question, ip, name, now));
        }
        for Pin { index, upstream, former, purpose } in std::mem::take(&mut open.pinned) {
            if let (Purpose::Compare, Some((_, answer))) = (purpose, open.inquiry.settled(index)) {
                second::keep(&former, answer);
            }
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
    fn settle(&mut self, open: Box<Open<T>>, now: Instant) {
        let kept = match (open.pass, open.inquiry.failure()) {
            (Pass::First, Some(failure)) if open.inquiry.is_of_host() => {
                self.later.keep_host(open, failure, now)
            }
            (Pass::First, Some(_)) => self.later.keep_name(open, now),
            (Pass::First, None) | (Pass::Second, _) => Err(open),
        };
        if let Err(open) = kept {
            self.solved.push_back(open.into_solved());
        }
    }
}

/// Whether an answer that was kept is as good as one asked for now.
fn is_usable(
    trust: &Trust,
    question: &Question,
    answer: &Answer,
    pinned: Option<&Pin>,
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

#[cfg(test)]
mod tests;
