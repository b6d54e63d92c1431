//! From cases to questions and back: each distinct question is put once however many hosts wait for it, forward answers
//! are kept, answers are joined to their hosts. Time is an argument; knows no upstream and no packet.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, RandomState};
use std::sync::Arc;
use std::time::Instant;

use super::cache::Cache;
use super::canary::{Canaries, Known, Outcome, Put};
use super::inquiry::Inquiry;
use super::keyed::{Keyed, Passed};
use super::later::{Intake, Later, Pass, Reach};
use super::question::{Answer, Question};
use super::want::{Case, Solved};

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
    canaries: Canaries<Open<T>>,
    later: Later<Open<T>>,
    /// Counts the times between lies; a case of an earlier one may have answers that were lies.
    stretch: u32,
    /// What is done with those who have answers that are not believed.
    again: Again,
    solved: Vec<Solved<T>>,
}

/// When questions are put again whose answers were not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// At once: others are there to be asked.
    Now,
    /// In the second pass.
    Later,
}

/// How often a case is asked at once about answers that were not believed.
const MOST_REFUSED: u8 = 3;

#[derive(Debug)]
struct Open<T> {
    inquiry: Inquiry,
    pass: Pass,
    /// The stretch in which its answers began to come.
    stretch: u32,
    /// How often its answers were not believed.
    refused: u8,
    carry: T,
}

impl<T> Open<T> {
    /// Takes back what it has against its host from before a stretch.
    fn believe_since(&mut self, stretch: u32) {
        if self.stretch < stretch && self.inquiry.is_against() {
            self.inquiry.disavow();
        }
    }

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
    /// The stretch in which it began.
    stretch: u32,
}

#[derive(Debug, Clone, Copy)]
struct Waiter {
    case: u32,
    /// The index of the question within the case.
    index: usize,
}

impl<T> Plan<T> {
    /// Nothing open; `held_back` hosts at most wait for a second pass.
    pub(super) fn new(held_back: usize) -> Self {
        Self {
            cases: Slab::new(),
            flights: Slab::new(),
            by_hash: HashMap::default(),
            hash: RandomState::new(),
            ready: VecDeque::new(),
            cache: Cache::default(),
            canaries: Canaries::new(),
            later: Later::new(held_back),
            stretch: 0,
            again: Again::Later,
            solved: Vec::new(),
        }
    }

    /// Takes a case in.
    pub(super) fn admit(&mut self, case: Case<T>, now: Instant) {
        let inquiry = Inquiry::new(&case.want);
        let open = Open { inquiry, pass: Pass::First, stretch: self.stretch, refused: 0, carry: case.carry };
        let id = self.cases.insert(open);
        self.advance(id, now);
    }

    /// Begins the second pass of those whose time has come.
    pub(super) fn ask_again(&mut self, now: Instant, reach: Reach, intake: Intake) {
        while let Some(mut open) = self.later.next(now, reach, intake) {
            open.believe_since(self.stretch);
            self.put_again(Open { pass: Pass::Second, ..open }, now);
        }
    }

    /// Opens what a case has no definite answer to.
    fn put_again(&mut self, mut open: Open<T>, now: Instant) {
        open.inquiry.reopen();
        let id = self.cases.insert(Open { stretch: self.stretch, ..open });
        self.advance(id, now);
    }

    /// Begins a round of canaries if one is due.
    pub(super) fn try_upstreams(
        &mut self,
        now: Instant,
        upstreams: impl Iterator<Item = usize>,
        put: &mut Vec<Put>,
    ) {
        if let Some(outcome) = self.canaries.begin(now, upstreams, put) {
            self.take_outcome(outcome, now);
        }
    }

    /// Takes the answer to a canary; tells which upstreams were found to lie. `again` says what becomes of the questions
    /// that they answered.
    pub(super) fn canary_answered(
        &mut self,
        token: Token,
        answer: &Answer,
        again: impl FnOnce(&[usize]) -> Again,
        now: Instant,
    ) -> Vec<usize> {
        let Some(outcome) = self.canaries.answered(token, answer) else { return Vec::new() };
        match &outcome {
            Outcome::Lies(_, liars) => self.turn_over(again(liars)),
            Outcome::Recovered(_) => self.turn_over(Again::Now),
            Outcome::BorneOut(_) | Outcome::Unclear(_) => {}
        }
        self.take_outcome(outcome, now)
    }

    /// Begins a stretch: nothing that came before it, or comes late, is believed.
    fn turn_over(&mut self, again: Again) {
        self.stretch += 1;
        self.again = again;
        self.cache = Cache::default();
    }

    fn take_outcome(&mut self, outcome: Outcome<Open<T>>, now: Instant) -> Vec<usize> {
        let (cases, again, liars) = match outcome {
            Outcome::BorneOut(cases) => {
                for open in cases {
                    self.settle(open, now);
                }
                return Vec::new();
            }
            Outcome::Recovered(cases) => (cases, self.again, Vec::new()),
            Outcome::Unclear(cases) => (cases, Again::Later, Vec::new()),
            Outcome::Lies(cases, liars) => (cases, self.again, liars),
        };
        for open in cases {
            self.refuse(open, again, now);
        }
        liars
    }

    /// Whether upstreams told the truth when they were last tried.
    pub(super) fn is_well(&self) -> bool {
        self.canaries.is_well()
    }

    /// When the next round of canaries is due.
    pub(super) fn trial_due(&self) -> Option<Instant> {
        self.canaries.due()
    }

    /// There is no time for second passes any more: hosts that wait for theirs are solved as they are.
    pub(super) fn hurry(&mut self) {
        for mut open in self.later.close() {
            open.believe_since(self.stretch);
            self.solved.push(open.into_solved());
        }
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

    /// Cases that wait for answers, or for canaries to bear them out.
    pub(super) fn waiting(&self) -> usize {
        self.cases.len() + self.canaries.len()
    }

    /// The next question to put; each comes once and wants one answer.
    pub(super) fn next_question(&mut self) -> Option<(Token, &Question)> {
        let flight = self.ready.pop_front()?;
        self.flights.get(flight).map(|open| (Token(flight), &open.question.question))
    }

    /// Takes the answer to a question; a second one to the same is a fault of the caller and ignored.
    pub(super) fn answered(&mut self, token: Token, answer: Answer, now: Instant) {
        let Some(flight) = self.flights.remove(token.0) else { return };
        if self.by_hash.get(&flight.question.hash()) == Some(&token.0) {
            self.by_hash.remove(&flight.question.hash());
        }
        let answer = Arc::new(answer);
        if flight.stretch == self.stretch {
            self.cache.put(flight.question, &answer, now);
        }
        for waiter in std::iter::once(flight.first).chain(flight.more) {
            if let Some(open) = self.cases.get_mut(waiter.case) {
                open.stretch = open.stretch.min(flight.stretch);
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

    /// Takes up to `most` solved cases, the first solved first.
    pub(super) fn take_solved(&mut self, most: usize) -> Vec<Solved<T>> {
        if self.solved.len() <= most {
            return std::mem::replace(&mut self.solved, Vec::with_capacity(most.min(self.cases.len())));
        }
        let rest = self.solved.split_off(most);
        std::mem::replace(&mut self.solved, rest)
    }

    /// Puts what a case has to ask now; gives it back if that is nothing.
    fn advance(&mut self, case: u32, now: Instant) {
        let Some(open) = self.cases.get_mut(case) else { return };
        while let Some((index, question)) = open.inquiry.next_question() {
            let question = Keyed::new(question.clone(), &self.hash);
            if let Some(answer) = self.cache.get(&question, now) {
                open.inquiry.learn(index, &answer);
                continue;
            }
            let waiter = Waiter { case, index };
            let known = self.by_hash.get(&question.hash()).and_then(|&id| self.flights.get_mut(id));
            if let Some(flight) = known.filter(|flight| flight.question == question) {
                flight.more.push(waiter);
                continue;
            }
            let hash = question.hash();
            let id = self.flights.insert(Flight {
                question,
                first: waiter,
                more: Vec::new(),
                stretch: self.stretch,
            });
            self.by_hash.entry(hash).or_insert(id);
            self.ready.push_back(id);
        }
        if open.inquiry.is_solved()
            && let Some(open) = self.cases.remove(case)
        {
            self.conclude(open, now);
        }
    }

    /// All questions of a case have their answers: what counts against a host is to be borne out before it is believed.
    fn conclude(&mut self, open: Open<T>, now: Instant) {
        if self.canaries.wants(now)
            && let Some((ip, name, ttl)) = open.inquiry.exemplar()
        {
            self.canaries.learn(Known { ip, name: name.clone(), ttl }, now);
        }
        if !open.inquiry.is_against() {
            self.settle(open, now);
        } else if open.stretch < self.stretch {
            self.refuse(open, self.again, now);
        } else if let Err(open) = self.canaries.doubt(open, now) {
            self.settle(open, now);
        }
    }

    /// The answers of a case are believed: it is solved, or waits for a second pass.
    fn settle(&mut self, open: Open<T>, now: Instant) {
        let kept = match open.pass {
            Pass::First if open.inquiry.is_definite() => Err(open),
            Pass::First if open.inquiry.is_of_host() => self.later.keep_host(open, now),
            Pass::First => self.later.keep_name(open, now),
            Pass::Second => Err(open),
        };
        if let Err(open) = kept {
            self.solved.push(open.into_solved());
        }
    }

    /// What a case has against its host is not believed: it is asked again, or settles nothing.
    fn refuse(&mut self, mut open: Open<T>, again: Again, now: Instant) {
        open.inquiry.disavow();
        open.refused += 1;
        if again == Again::Now && open.refused <= MOST_REFUSED {
            self.put_again(open, now);
        } else {
            self.settle(open, now);
        }
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
