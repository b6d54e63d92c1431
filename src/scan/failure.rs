//! A target that could not be connected to, or fell silent, before it is decided whether that is its own
//! fault.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::evidence::{Observation, Outcome, Scanner};
use crate::scan::attempt::{Attempt, ProbeResult};

/// No timeout is shorter: what ends sooner is an answer of a kind.
const SHORTEST_SILENCE: Duration = Duration::from_millis(50);

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
    pub attempt: Attempt,
    /// What it showed: `refused`, `timed_out`, `unreachable`, `reset` or `silent`.
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
    /// Whether an outcome is one of a target that could not be connected to. A firewall on this machine that
    /// begins to reject while a connection is made resets it.
    pub fn is_one(outcome: Outcome) -> bool {
        matches!(outcome, Outcome::Refused | Outcome::TimedOut | Outcome::Unreachable | Outcome::Reset)
    }

    /// Whether the target did not answer for so long that others show whether the path worked meanwhile.
    pub fn is_silence(&self) -> bool {
        let lasted = self.at.saturating_duration_since(self.since);
        self.observation.outcome == Outcome::TimedOut && lasted >= SHORTEST_SILENCE
    }

    /// The target, to be asked again as if this attempt had not been made.
    #[must_use]
    pub fn undone(self) -> Attempt {
        let Attempt { attempts, doubted, .. } = self.attempt;
        Attempt { attempts: attempts.saturating_sub(1), doubted: doubted.saturating_add(1), ..self.attempt }
    }

    /// What is to be written of the target.
    pub fn settled(self) -> ProbeResult {
        let doubted = if self.blame == Blame::Near { self.attempt.doubted } else { 0 };
        let attempts = self.attempt.attempts.saturating_add(doubted);
        let Self { attempt, observation, time, scanner, .. } = self;
        ProbeResult { attempt, observation: Observation { attempts, ..observation }, time, scanner }
    }
}
