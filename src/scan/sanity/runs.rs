//! Failures in a row, each kind by itself: where nine of ten targets are silent anyway, eight that refuse are
//! still no chance. And each by how its targets came to be asked, for who did not answer once seldom does
//! later.

use super::share::{Rarity, Run};
use crate::evidence::Outcome;
use crate::scan::attempt::Attempt;
use crate::scan::failure::Failure;

/// What a failure looks like; a path that is broken gives every target the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// RST, before the connection stood or right after.
    Reset,
    /// ICMP, or no route.
    Unreachable,
    /// Nothing.
    Silence,
}

impl Kind {
    const COUNT: usize = 3;

    pub(super) fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Refused | Outcome::Reset => Self::Reset,
            Outcome::Unreachable => Self::Unreachable,
            _ => Self::Silence,
        }
    }
}

/// How a target came to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// For the first time.
    First,
    /// Once more, for the path may have been at fault.
    Doubted,
    /// Once more, for it had not answered.
    Later,
}

impl Class {
    const COUNT: usize = 3;

    /// By the number of the attempt, counted from 1, and by whether an earlier one was doubted.
    pub fn new(attempt: u8, was_doubted: bool) -> Self {
        match (attempt, was_doubted) {
            (0 | 1, false) => Self::First,
            (0 | 1, true) => Self::Doubted,
            _ => Self::Later,
        }
    }

    fn of(attempt: &Attempt) -> Self {
        Self::new(attempt.attempts, attempt.doubted > 0)
    }
}

/// Targets that were connected to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Connected([usize; Class::COUNT]);

impl Connected {
    /// Counts one.
    pub fn count(&mut self, class: Class) {
        self.0[class as usize] += 1;
    }
}

/// All runs.
#[derive(Debug, Default)]
pub(super) struct Runs([[Run; Kind::COUNT]; Class::COUNT]);

impl Runs {
    /// Targets were connected to.
    pub(super) fn connected(&mut self, connected: Connected) {
        for (kinds, count) in self.0.iter_mut().zip(connected.0) {
            for run in kinds {
                run.add(count, 0);
            }
        }
    }

    /// A failure that is no part of any run.
    pub(super) fn add(&mut self, failure: &Failure) {
        self.run(failure).add(0, 1);
    }

    /// A failure that nothing speaks against as part of a run.
    pub(super) fn grow(&mut self, failure: &Failure) {
        self.run(failure).grow();
    }

    /// Begins anew with these failures.
    pub(super) fn recount<'a>(&mut self, failures: impl Iterator<Item = &'a Failure>) {
        self.0.as_flattened_mut().iter_mut().for_each(Run::end);
        failures.for_each(|failure| self.grow(failure));
    }

    /// Whether any of them is no chance.
    pub(super) fn are_unlikely(&self, rarity: Rarity) -> bool {
        self.0.as_flattened().iter().any(|run| run.is_unlikely(rarity))
    }

    /// Targets are asked again that failed in a trouble of the path: most of them will answer as others do.
    pub(super) fn expect_answers(&mut self) {
        let [first, doubted, _] = &mut self.0;
        for (run, other) in doubted.iter_mut().zip(first) {
            *run = Run::guess(other.share());
        }
    }

    /// Targets are asked again of which nobody knows whether they failed by themselves.
    pub(super) fn expect_anything(&mut self) {
        self.0[Class::Doubted as usize] = std::array::from_fn(|_| Run::guess(0.5));
    }

    fn run(&mut self, failure: &Failure) -> &mut Run {
        let kind = Kind::of(failure.observation.outcome);
        &mut self.0[Class::of(&failure.attempt) as usize][kind as usize]
    }
}
