//! Failures that are held back until it is known whether the path was at fault.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::runs::Kind;
use crate::scan::failure::Failure;

/// Failures that are held back.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Since these were begun, no connection began that was established.
    open: VecDeque<Failure>,
    /// Since these one did. They are let go at that time, unless they turn out to be the begin or the end of
    /// a burst.
    passed: VecDeque<(Instant, Failure)>,
}

impl Held {
    /// How many.
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.passed.len()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Holds one for as long as it takes.
    pub(super) fn hold(&mut self, failure: Failure) {
        self.open.push_back(failure);
    }

    /// Holds one until then.
    pub(super) fn hold_until(&mut self, until: Instant, failure: Failure) {
        self.passed.push_back((until, failure));
    }

    /// A connection that began then was established: what was begun before is held no longer than until
    /// `until`. Each is shown to `see`, which says what is to become of it.
    pub(super) fn pass(
        &mut self,
        began: Instant,
        until: Instant,
        mut see: impl FnMut(Failure) -> Option<Failure>,
    ) {
        for failure in std::mem::take(&mut self.open) {
            if failure.since > began {
                self.open.push_back(failure);
            } else if let Some(failure) = see(failure) {
                self.passed.push_back((until, failure));
            }
        }
    }

    /// Whether a connection that began then passes any.
    pub(super) fn is_passed(&self, began: Instant) -> bool {
        self.open.iter().any(|failure| failure.since <= began)
    }

    /// Those that may belong to one run: no connection came after them, or they were silent while nobody
    /// answered.
    pub(super) fn in_a_row(&self) -> impl Iterator<Item = &Failure> {
        let passed = self.passed.iter().map(|(_, failure)| failure);
        self.open.iter().chain(passed.filter(|failure| failure.is_silence()))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Failure> {
        self.open.iter().chain(self.passed.iter().map(|(_, failure)| failure))
    }

    /// Whether any looks like this.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.iter().any(|failure| Kind::of(failure.observation.outcome) == kind)
    }

    /// When the next is let go.
    pub(super) fn due(&self) -> Option<Instant> {
        self.passed.front().map(|(until, _)| *until)
    }

    /// Lets those go whose time has come.
    pub(super) fn take_due(&mut self, now: Instant) -> Vec<Failure> {
        let count = self.passed.iter().take_while(|(until, _)| *until <= now).count();
        self.passed.drain(..count).map(|(_, failure)| failure).collect()
    }

    /// Lets all go that a connection came after.
    pub(super) fn take_passed(&mut self) -> Vec<Failure> {
        std::mem::take(&mut self.passed).into_iter().map(|(_, failure)| failure).collect()
    }

    /// Lets all go.
    pub(super) fn take(&mut self) -> Vec<Failure> {
        let mut all = self.take_passed();
        all.extend(std::mem::take(&mut self.open));
        all
    }

    /// One to be asked whether the path works again.
    pub(super) fn pop(&mut self) -> Option<Failure> {
        let passed = |held: &mut Self| held.passed.pop_front().map(|(_, failure)| failure);
        self.open.pop_front().or_else(|| passed(self))
    }
}
