//! A target that could not be connected to, or fell silent, before it is decided whether that is its own fault.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use super::aim::{Aim, Seen};
use crate::evidence::{Observation, Outcome, Scanner};

/// Who said that a target can't be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The target, somebody far from here, or nobody at all.
    Far,
    /// This machine or its gateway.
    Near,
}

/// Whether a target may be asked once more because it did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Further {
    /// It has attempts left.
    Attempt,
    /// It has had all of them.
    None,
}

/// A target that could not be connected to, or that said nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The target; the failed attempt is counted.
    pub aim: Aim,
    /// What it showed: `refused`, `timed_out`, `unreachable` or `silent`.
    pub observation: Observation,
    /// Who said so.
    pub blame: Blame,
    /// Whether it has attempts left.
    pub further: Further,
    /// When the attempt began.
    pub since: Instant,
    /// When it failed.
    pub at: Instant,
    /// The same for the record.
    pub time: SystemTime,
    /// Who asked.
    pub scanner: Arc<Scanner>,
}

impl Failure {
    /// Whether an outcome is one of a target that could not be connected to.
    pub fn is_one(outcome: Outcome) -> bool {
        matches!(outcome, Outcome::Refused | Outcome::TimedOut | Outcome::Unreachable)
    }

    /// The target, to be asked again as if this attempt had not been made.
    #[must_use]
    pub fn undone(self) -> Aim {
        let Aim { attempts, doubted, .. } = self.aim;
        Aim { attempts: attempts.saturating_sub(1), doubted: doubted.saturating_add(1), ..self.aim }
    }

    /// What is to be written of the target.
    pub fn settled(self) -> Seen {
        let doubted = if self.blame == Blame::Near { self.aim.doubted } else { 0 };
        let attempts = self.aim.attempts.saturating_add(doubted);
        let Self { aim, observation, time, scanner, .. } = self;
        Seen { aim, observation: Observation { attempts, ..observation }, time, scanner }
    }
}
