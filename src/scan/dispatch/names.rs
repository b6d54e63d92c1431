//! What names lead to, in the dispatcher: names go to the resolver beside the order, and the addresses that
//! come back wait for a pass, or are already drawn by the set's own turns.

use std::collections::HashSet;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::Instant;

use super::{Dispatcher, MAX_EARLY, MAX_WAITING};
use crate::resolve::{self, Case};
use crate::scan::attempt::{Attempt, LookupSubject};
use crate::scan::schedule::NameTurn;

/// Names that may be resolving at once: half of the cases that a resolver has open, so that hosts find room
/// beside them however long names take. At a second each, so many names are resolved in one.
const MAX_NAMES: usize = resolve::HOSTS_IN_FLIGHT / 2;
/// Names that go to the resolver together.
const NAMES_BATCH: usize = 256;
/// Between two looks at whether the resolver takes more names.
const NAMES_LOOK: Duration = Duration::from_millis(20);

impl Dispatcher {
    /// Hands names to the resolver, as many as it may have and takes without a wait: conversations don't wait
    /// for names.
    pub(super) async fn send_names(&mut self) {
        while self.schedule.names_left() > 0 && self.resolving < MAX_NAMES {
            let Some(resolver) = self.resolver.as_ref().filter(|it| it.room_for_names() > 0) else {
                return;
            };
            let room = NAMES_BATCH.min(MAX_NAMES - self.resolving);
            let case =
                |NameTurn { turn, name, want }| Case { want, carry: LookupSubject::Name { turn, name } };
            let names: Vec<_> =
                std::iter::from_fn(|| self.schedule.next_name()).take(room).map(case).collect();
            if names.is_empty() {
                return;
            }
            self.resolving += names.len();
            // The resolver ends only after its inboxes are dropped.
            let _ = resolver.send_names(names).await;
        }
    }

    /// When to look whether the resolver takes more names, if there are any for it.
    pub(super) fn names_due(&self, now: Instant) -> Option<Instant> {
        let is_held_up = self.schedule.names_left() > 0 && self.resolving < MAX_NAMES;
        is_held_up.then_some(now + NAMES_LOOK)
    }

    pub(super) fn all_resolved(&self) -> bool {
        self.unresolved == 0
    }

    /// Whether another target may be begun: what it shows may have to be kept for a name that leads to it.
    pub(super) fn may_begin(&self) -> bool {
        self.all_resolved() || self.begun_early < MAX_EARLY
    }

    /// Brings what names led to before the limiter, as far as there is room.
    pub(super) fn enter_resolved(&mut self, now: Instant) {
        let rested = self.rested.max(now);
        while self.limiter.len() < MAX_WAITING && self.may_begin() {
            let Some(attempt) = self.resolved.pop_front() else { return };
            self.begun_early += usize::from(!self.all_resolved());
            self.limiter.enter(rested, attempt.ip, attempt);
        }
    }

    /// Whether a turn of the set is taken by a name that leads to its target; else notes it as drawn.
    pub(super) fn is_taken(&mut self, attempt: &Attempt) -> bool {
        let socket = attempt.whom().socket;
        if !self.named.is_empty() && self.named.contains(&attempt.ip) {
            // The writer hears until the scan is over.
            let _ = self.passed_over.send((attempt.turn, socket));
            return true;
        }
        if !self.all_resolved() {
            self.early.insert(socket);
            self.begun_early += 1;
        }
        self.progress.drawn.fetch_add(1, Relaxed);
        false
    }

    /// Takes what a name led to; what was drawn already is spoken to by its own turn.
    pub(super) fn take_resolved(&mut self, attempts: Vec<Attempt>) {
        self.resolving = self.resolving.saturating_sub(1);
        self.unresolved = self.unresolved.saturating_sub(1);
        for attempt in attempts {
            if self.early.contains(&attempt.whom().socket) {
                continue;
            }
            if self.schedule.draws(attempt.ip) {
                self.named.insert(attempt.ip);
            }
            if self.reach.lacks(attempt.ip) {
                self.leave_untried(attempt);
            } else {
                self.resolved.push_back(attempt);
            }
        }
        if self.all_resolved() {
            self.early = HashSet::default();
        }
    }
}
