//! From cases to questions and back: each distinct question is put once however many hosts wait for it, forward answers
//! are kept, answers are joined to their hosts. Time is an argument; knows no upstream and no packet.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Instant;

use super::cache::Cache;
use super::inquiry::Inquiry;
use super::keyed::{ByQuestion, Keyed};
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
    by_question: ByQuestion<u32>,
    hash: RandomState,
    /// Flights whose question was not handed out yet.
    ready: VecDeque<u32>,
    cache: Cache,
    later: Later<Open<T>>,
    solved: Vec<Solved<T>>,
}

#[derive(Debug)]
struct Open<T> {
    inquiry: Inquiry,
    pass: Pass,
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
            by_question: ByQuestion::default(),
            hash: RandomState::new(),
            ready: VecDeque::new(),
            cache: Cache::default(),
            later: Later::new(held_back),
            solved: Vec::new(),
        }
    }

    /// Takes a case in.
    pub(super) fn admit(&mut self, case: Case<T>, now: Instant) {
        let inquiry = Inquiry::new(&case.want);
        let id = self.cases.insert(Open { inquiry, pass: Pass::First, carry: case.carry });
        self.advance(id, now);
    }

    /// Begins the second pass of those whose time has come.
    pub(super) fn ask_again(&mut self, now: Instant, reach: Reach, intake: Intake) {
        while let Some(mut open) = self.later.next(now, reach, intake) {
            open.inquiry.reopen();
            let id = self.cases.insert(Open { pass: Pass::Second, ..open });
            self.advance(id, now);
        }
    }

    /// There is no time for second passes any more: hosts that wait for theirs are solved as they are.
    pub(super) fn hurry(&mut self) {
        for open in self.later.close() {
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
        self.cases.len() + self.solved.len()
    }

    /// Cases that wait for answers.
    pub(super) fn waiting(&self) -> usize {
        self.cases.len()
    }

    /// The next question to put; each comes once and wants one answer.
    pub(super) fn next_question(&mut self) -> Option<(Token, &Question)> {
        let flight = self.ready.pop_front()?;
        self.flights.get(flight).map(|open| (Token(flight), &open.question.question))
    }

    /// Takes the answer to a question; a second one to the same is a fault of the caller and ignored.
    pub(super) fn answered(&mut self, token: Token, answer: Answer, now: Instant) {
        let Some(flight) = self.flights.remove(token.0) else { return };
        self.by_question.remove(&flight.question);
        let answer = Arc::new(answer);
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
            match self.by_question.entry(question.clone()) {
                Entry::Occupied(entry) => {
                    if let Some(flight) = self.flights.get_mut(*entry.get()) {
                        flight.more.push(waiter);
                    }
                }
                Entry::Vacant(entry) => {
                    let id = self.flights.insert(Flight { question, first: waiter, more: Vec::new() });
                    self.ready.push_back(*entry.insert(id));
                }
            }
        }
        if open.inquiry.is_solved()
            && let Some(open) = self.cases.remove(case)
        {
            self.conclude(open, now);
        }
    }

    /// All questions of a case have their answers: it is solved, or waits for a second pass.
    fn conclude(&mut self, open: Open<T>, now: Instant) {
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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::evidence::Status;
    use crate::name::{DnsName, HostName};
    use crate::resolve::question::{Kind, Records};
    use crate::resolve::want::{Solution, Want};

    fn identity(last: u8, banner: &str) -> Case<u8> {
        let ip = std::net::IpAddr::from([192, 0, 2, last]);
        Case { want: Want::Identity { ip, banner: Some(HostName::parse(banner).unwrap()) }, carry: last }
    }

    /// Every question so far, answered by a function.
    fn answer_all(plan: &mut Plan<u8>, now: Instant, answer: impl Fn(&Question) -> Answer) -> Vec<Question> {
        let mut asked = Vec::new();
        while let Some((token, question)) = plan.next_question() {
            let question = question.clone();
            plan.answered(token, answer(&question), now);
            asked.push(question);
        }
        asked
    }

    fn by_kind(question: &Question) -> Answer {
        let ttl = Duration::from_secs(300);
        match question.kind {
            Kind::Ptr => Answer::found(Records::Names(vec![DnsName::parse("mx.example.org").unwrap()]), ttl),
            _ => Answer::found(Records::Addresses(vec!["192.0.2.1".parse().unwrap()]), ttl),
        }
    }

    #[test]
    fn hosts_that_wait_for_one_question_share_its_answer() {
        let (mut plan, now) = (Plan::new(0), Instant::now());
        for last in 1..=100 {
            plan.admit(identity(last, "mx.example.org"), now);
        }
        let asked = answer_all(&mut plan, now, by_kind);
        assert_eq!(asked.len(), 101, "100 PTR and one A");
        let mut carried: Vec<u8> =
            plan.take_solved(usize::MAX).into_iter().map(|solved| solved.carry).collect();
        carried.sort_unstable();
        assert_eq!((carried, plan.open()), ((1..=100).collect(), 0));
    }

    #[test]
    fn a_kept_answer_is_not_asked_again_until_it_is_old() {
        let (mut plan, now) = (Plan::new(0), Instant::now());
        for (seconds, questions) in [(0, 2), (299, 1), (301, 2)] {
            let then = now + Duration::from_secs(seconds);
            plan.admit(identity(1, "mx.example.org"), then);
            assert_eq!(answer_all(&mut plan, then, by_kind).len(), questions, "after {seconds} s");
        }
        assert_eq!(plan.take_solved(usize::MAX).len(), 3);
    }

    #[test]
    fn a_failure_is_asked_again_by_the_next_host() {
        let (mut plan, now) = (Plan::new(0), Instant::now());
        for _ in 0..2 {
            plan.admit(identity(1, "mx.example.org"), now);
            let asked = answer_all(&mut plan, now, |_| Answer::bare(Status::TimedOut));
            assert_eq!(asked.len(), 2);
        }
        let solved = plan.take_solved(usize::MAX);
        let Solution::Identity(resolution) = &solved[1].solution else { panic!() };
        assert_eq!((resolution.ptr, resolution.banner_forward.status), (Status::TimedOut, Status::TimedOut));
    }

    #[test]
    fn an_answer_given_twice_counts_once() {
        let (mut plan, now) = (Plan::new(0), Instant::now());
        plan.admit(Case { want: Want::Addresses(HostName::parse("a.example.org").unwrap()), carry: 0 }, now);
        let token = plan.next_question().unwrap().0;
        plan.answered(token, Answer::bare(Status::NoData), now);
        plan.answered(token, Answer::bare(Status::NoData), now);
        assert_eq!((plan.solved(), plan.waiting()), (0, 1));
    }

    #[test]
    fn solved_cases_leave_in_order_and_in_parts() {
        let (mut plan, now) = (Plan::new(0), Instant::now());
        for last in 1..=10 {
            plan.admit(identity(last, "mail.local"), now);
        }
        answer_all(&mut plan, now, |_| Answer::bare(Status::NxDomain));
        let parts: Vec<Vec<u8>> = [4, 4, 4]
            .map(|most| plan.take_solved(most).into_iter().map(|solved| solved.carry).collect())
            .into();
        assert_eq!(parts, [vec![1, 2, 3, 4], vec![5, 6, 7, 8], vec![9, 10]]);
    }

    /// Everything asked in a second pass at the end.
    fn second_pass(plan: &mut Plan<u8>, now: Instant) -> Vec<Question> {
        plan.ask_again(now, Reach::Somebody, Intake::Over);
        answer_all(plan, now, by_kind)
    }

    #[test]
    fn only_what_was_not_settled_is_asked_again_and_once() {
        let (mut plan, now) = (Plan::new(10), Instant::now());
        plan.admit(identity(1, "mx.example.org"), now);
        plan.admit(identity(2, "mail.example.org"), now);
        answer_all(&mut plan, now, |question| match question.kind {
            Kind::Ptr => by_kind(question),
            _ if question.name == DnsName::parse("mail.example.org").unwrap() => {
                Answer::bare(Status::ServFail)
            }
            _ => by_kind(question),
        });
        assert_eq!((plan.solved(), plan.held_back(), plan.open()), (1, 1, 1));
        plan.ask_again(now, Reach::Somebody, Intake::Open);
        assert_eq!(plan.held_back(), 1, "not before the end");
        plan.ask_again(now, Reach::Nobody, Intake::Over);
        let asked = answer_all(&mut plan, now, |_| Answer::bare(Status::TimedOut));
        assert_eq!(asked, [Question::new(DnsName::parse("mail.example.org").unwrap(), Kind::A)]);
        assert_eq!((plan.solved(), plan.held_back(), plan.open()), (2, 0, 2), "there is no third pass");
        let Solution::Identity(resolution) = &plan.take_solved(9)[1].solution else { panic!() };
        assert_eq!((resolution.ptr, resolution.banner_forward.status), (Status::Found, Status::TimedOut));
        assert_eq!(resolution.names[0].forward.status, Status::Found);
    }

    #[test]
    fn a_ptr_that_comes_in_the_second_pass_is_followed() {
        for status in [Status::ServFail, Status::Refused, Status::TimedOut, Status::Malformed] {
            let (mut plan, now) = (Plan::new(10), Instant::now());
            plan.admit(identity(1, "mx.example.org"), now);
            answer_all(&mut plan, now, |question| match question.kind {
                Kind::Ptr => Answer::bare(status),
                _ => by_kind(question),
            });
            assert_eq!(second_pass(&mut plan, now), [Question::ptr([192, 0, 2, 1].into())], "{status:?}");
            let Solution::Identity(resolution) = &plan.take_solved(9)[0].solution else { panic!() };
            assert_eq!(resolution.names[0].forward.confirms, Some(true));
        }
    }

    #[test]
    fn beyond_the_room_for_a_second_pass_hosts_are_solved_as_they_are() {
        let (mut plan, now) = (Plan::new(10), Instant::now());
        for last in 1..=20 {
            plan.admit(identity(last, "mail.local"), now);
        }
        answer_all(&mut plan, now, |_| Answer::bare(Status::TimedOut));
        assert_eq!((plan.solved(), plan.held_back()), (10, 10));
        assert_eq!(second_pass(&mut plan, now).len(), 11, "ten PTR, one A");
        assert_eq!(plan.take_solved(99).len(), 20);
    }
}
