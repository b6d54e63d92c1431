//! The figures of a running scan, for whoever shows them: counters that any thread may read at any time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::evidence::{Evidence, InsideViews, Outcome};
use crate::judge::Verdict;
use crate::probe::LocalTrouble;
use crate::scan::checkpoint::Counts;
use crate::scan::sanity::vantage::VantageWarning;
use crate::scan::schedule::resolved_address::{FailingExchangers, LeftOut};

/// Counters that only grow, but for `in_flight`.
#[derive(Debug, Default)]
pub struct Progress {
    /// Turns of this scan, saturated at `u64::MAX`: addresses times ports, and names.
    pub turns: AtomicU64,
    /// Turns that ended.
    pub turns_done: AtomicU64,
    /// Targets that left the order: each becomes one record or is dropped by `--keep`.
    pub drawn: AtomicU64,
    /// Records written.
    pub written: AtomicU64,
    /// Records that `--keep` dropped.
    pub dropped: AtomicU64,
    /// Addresses of names that stood in the target list already.
    pub merged: AtomicU64,
    /// Attempts made again after a time-out.
    pub retried: AtomicU64,
    /// Conversations held just now.
    pub in_flight: AtomicU64,
    /// Targets waiting for a further attempt or for their prefix.
    pub waiting: AtomicU64,
    /// Times that this machine could not start a conversation.
    pub troubles: AtomicU64,
    /// Further looks at hosts that greeted, to see whether new connections get through.
    pub looks: AtomicU64,
    /// Looks that had no answer.
    pub silent_looks: AtomicU64,
    /// Times that such hosts fell silent one after the other, and the scan slowed down.
    pub losses: AtomicU64,
    /// Times that a mail server said that it is too much (421).
    pub slowdowns: AtomicU64,
    /// Judged hosts with a name that leads to private addresses only.
    pub inside_views: AtomicU64,
    /// What names led to beyond what is followed.
    pub left_out: LeftOut,
    /// Mail exchangers whose addresses could not be found.
    pub failing_exchangers: FailingExchangers,
    outcomes: [AtomicU64; Outcome::ALL.len()],
    verdicts: [AtomicU64; Verdict::ALL.len()],
    last_trouble: Mutex<Option<LocalTrouble>>,
    doubts: Mutex<Vec<VantageWarning>>,
}

impl Progress {
    /// Counts one finished target.
    pub fn count(&self, outcome: Outcome, verdict: Option<Verdict>, fate: Retention) {
        self.outcomes[outcome as usize].fetch_add(1, Relaxed);
        if let Some(verdict) = verdict {
            self.verdicts[verdict as usize].fetch_add(1, Relaxed);
        }
        match fate {
            Retention::Written => self.written.fetch_add(1, Relaxed),
            Retention::Dropped => self.dropped.fetch_add(1, Relaxed),
        };
    }

    /// Takes up the figures of an earlier run.
    pub fn restore(&self, counts: &Counts) {
        for outcome in Outcome::ALL {
            let count = counts.outcomes.get(outcome.as_str()).copied().unwrap_or(0);
            self.outcomes[outcome as usize].store(count, Relaxed);
        }
        for verdict in Verdict::ALL {
            let count = counts.verdicts.get(verdict.as_str()).copied().unwrap_or(0);
            self.verdicts[verdict as usize].store(count, Relaxed);
        }
        self.inside_views.store(counts.inside_views, Relaxed);
        self.drawn.store(counts.drawn, Relaxed);
        self.written.store(counts.written, Relaxed);
        self.dropped.store(counts.dropped, Relaxed);
    }

    /// Counts a judged host, of which DNS may have said what it says inside a network.
    pub fn count_view(&self, evidence: &Evidence) {
        if evidence.resolution.as_ref().is_some_and(|dns| dns.is_inside_view(evidence.ip)) {
            self.inside_views.fetch_add(1, Relaxed);
        }
    }

    /// The hosts seen from inside, of all that were judged.
    pub fn views(&self) -> InsideViews {
        let judged = Verdict::ALL.into_iter().map(|verdict| self.verdict(verdict)).sum();
        InsideViews { hosts: self.inside_views.load(Relaxed), judged }
    }

    /// How many targets ended so.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize].load(Relaxed)
    }

    /// How many targets were judged so.
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts[verdict as usize].load(Relaxed)
    }

    /// Targets that ended, written or dropped.
    pub fn finished(&self) -> u64 {
        self.written.load(Relaxed) + self.dropped.load(Relaxed)
    }

    /// Targets that sent anything.
    pub fn answered(&self) -> u64 {
        let spoke = Outcome::ALL.into_iter().filter(|outcome| outcome.has_spoken());
        spoke.map(|outcome| self.outcome(outcome)).sum()
    }

    /// Notes what speaks against taking the records at their word, if anything does.
    pub fn doubt(&self, doubt: impl IntoIterator<Item = VantageWarning>) {
        let mut doubts = doubt.into_iter().peekable();
        if doubts.peek().is_some() {
            self.doubts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(doubts);
        }
    }

    /// What speaks against it, so far.
    pub fn doubts(&self) -> Vec<VantageWarning> {
        self.doubts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Notes trouble of this machine.
    pub fn trouble(&self, trouble: LocalTrouble) {
        self.troubles.fetch_add(1, Relaxed);
        *self.last_trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(trouble);
    }

    /// The last trouble of this machine.
    pub fn last_trouble(&self) -> Option<LocalTrouble> {
        *self.last_trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// It stands in every output.
    Written,
    /// `--keep` did not want it.
    Dropped,
}
