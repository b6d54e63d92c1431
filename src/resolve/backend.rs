//! What a resolver asks through: questions in, answers out, each under the token that it was put with.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::health::Health;
use super::question::{Answer, Question};

/// What stands for one question between the plan, which puts it, and the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u32);

/// What asks questions. Every question submitted ends in exactly one answer.
pub trait Resolve: Send {
    /// How many more questions it takes now.
    fn room(&self) -> usize;

    /// Takes a question; the caller has looked for room.
    fn submit(&mut self, token: Token, question: &Question);

    /// Takes a question for one upstream alone, by its number in [`Resolve::health`]; no other is asked in
    /// its place.
    fn submit_to(&mut self, upstream: usize, token: Token, question: &Question);

    /// Leaves an upstream alone for a while, if there is another one to ask.
    fn set_aside(&mut self, upstream: usize);

    /// Works, and appends answers, until there are some, `patience` has passed, or its waker was woken.
    fn turn(&mut self, patience: Duration, answers: &mut Vec<(Token, Answer)>);

    /// Ends a turn from any thread.
    fn waker(&self) -> Waker;

    /// How its upstreams do.
    fn health(&self) -> Arc<Health>;
}
