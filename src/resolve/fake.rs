//! A resolver that asks nobody: a function answers. For tests, and for whoever has the answers already.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::Duration;

use super::backend::{Resolve, Token};
use super::health::Health;
use super::question::{Answer, Question};

/// Questions taken between two turns.
const ROOM: usize = 1024;

/// Answers by a function.
pub(super) struct FakeResolver<F> {
    answer: F,
    answers: Vec<(Token, Answer)>,
    alarm: Arc<Alarm>,
    health: Arc<Health>,
}

impl<F> FakeResolver<F> {
    /// Answers each question by `answer`.
    pub(super) fn new(answer: F) -> Self {
        Self { answer, answers: Vec::new(), alarm: Arc::default(), health: Arc::new(Health::new(&[])) }
    }
}

impl<F: FnMut(&Question) -> Answer + Send> Resolve for FakeResolver<F> {
    fn room(&self) -> usize {
        ROOM - self.answers.len()
    }

    fn submit(&mut self, token: Token, question: &Question) {
        let answer = (self.answer)(question);
        self.answers.push((token, answer));
    }

    fn submit_to(&mut self, _: usize, token: Token, question: &Question) {
        self.submit(token, question);
    }

    fn set_aside(&mut self, _: usize) {}

    fn turn(&mut self, patience: Duration, answers: &mut Vec<(Token, Answer)>) {
        if self.answers.is_empty() {
            self.alarm.wait(patience);
        }
        answers.append(&mut self.answers);
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.alarm))
    }

    fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }
}

#[derive(Default)]
struct Alarm {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Alarm {
    fn wait(&self, patience: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.wait_timeout_while(rung, patience, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.bell.notify_one();
    }
}
