//! What the dispatcher does about this machine and its path: it hears how connections went, holds failures
//! back, looks at hosts that had greeted, waits, and gives up. What to do, [`SanityCheck`] and [`PathLoss`]
//! decide.
//!
//! [`SanityCheck`]: crate::scan::sanity::SanityCheck
//! [`PathLoss`]: crate::scan::dispatch::loss::PathLoss

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::Instant;

use super::{DispatchEnd, Dispatcher, ENOUGH_TO_TRY};
use crate::probe::LocalTrouble;
use crate::scan::attempt::{Attempt, AttemptKind};
use crate::scan::events::Contact;
use crate::scan::failure::Failure;
use crate::scan::sanity::vantage::VantageWarning;
use crate::scan::sanity::{Class, Connected, LookResult, Step};
use crate::scan::stop::Level;

/// A shortage, as of ports, passes by itself and is told only after so long; a network that is down is told
/// at once.
const SHORTAGE: Duration = Duration::from_secs(5);
/// The same trouble is not told again so soon.
const TOLD_EACH: Duration = Duration::from_secs(60);

/// Whether this machine can speak to anybody.
#[derive(Debug, Default)]
pub(super) struct Machine {
    troubled_since: Option<Instant>,
    /// When the last trouble was told.
    told: Option<Instant>,
}

impl Machine {
    /// A conversation was held that began then.
    fn held(&mut self, since: Instant) {
        self.troubled_since = self.troubled_since.filter(|troubled| since < *troubled);
    }

    /// It can't; for how long already.
    fn fails(&mut self, now: Instant) -> Duration {
        now - *self.troubled_since.get_or_insert(now)
    }

    /// Whether this trouble is to be told.
    fn is_news(&mut self, now: Instant) -> bool {
        let is_told = |told| self.troubled_since.is_some_and(|since| since <= told) || now - told < TOLD_EACH;
        let is_news = !self.told.is_some_and(is_told);
        self.told = if is_news { Some(now) } else { self.told };
        is_news
    }
}

impl Dispatcher {
    /// Hears how connections went.
    pub(super) fn hear_of_path(
        &mut self,
        now: Instant,
        met: &[Contact],
        failed: Vec<Failure>,
        checked: &[LookResult],
    ) {
        let mut connected = Connected::default();
        // A trouble that passes loses packets, too, and is no reason to slow down.
        let is_recovering = self.recovered_at.is_some_and(|at| now < at);
        for met in met {
            if let Some(since) = met.held_since {
                self.machine.held(since);
            }
            let (Some(since), Some(handshake)) = (met.held_since, met.connected) else { continue };
            connected.count(Class::new(met.attempt, met.was_doubted));
            if !is_recovering {
                self.loss.connected(now, since, met.attempt, handshake);
            }
            if met.was_doubted {
                self.sanity.recovered(now);
            }
            if met.greeted {
                self.canaries.greeted(now, met.socket);
                self.sanity.greeted(met.socket);
            }
        }
        self.sanity.answered(now, connected);
        for failure in failed {
            self.sanity.failed(now, failure);
        }
        for look in checked {
            self.sanity.looked(now, *look);
        }
    }

    /// Does what the path asks for.
    pub(super) fn follow_path(&mut self, now: Instant) {
        // The prefixes that were visited last get their interval's rest.
        let rested = now + self.laps.interval();
        while let Some(step) = self.sanity.poll(now) {
            match step {
                Step::Look(socket) => {
                    self.checks.push_back((rested, Attempt::look(socket, AttemptKind::PathCheck)));
                }
                Step::AskNow(attempt) => self.checks.push_back((rested, attempt)),
                Step::AskAgain(attempt) => {
                    self.progress.retried.fetch_add(1, Relaxed);
                    if attempt.doubted > 0 {
                        self.recovered_at = Some(now + self.patience.recovery);
                    }
                    self.parked.push(attempt);
                }
                Step::Settle(seen) => self.settled.push(seen),
                Step::Swallowed(from, until) => self.loss.swallowed(from, until),
                Step::Warn(doubt) => self.warn(doubt),
                Step::GiveUp => self.given_up = Some(LocalTrouble::PathLost),
            }
        }
    }

    /// The next look, or target that shows whether the path works, that may start now.
    pub(super) fn next_check(&mut self, now: Instant) -> Option<Attempt> {
        while self.checks.front().is_some_and(|(due, _)| *due <= now) {
            let (_, attempt) = self.checks.pop_front()?;
            if attempt.errand == AttemptKind::PathCheck && self.occupied.holds(attempt.ip) {
                self.sanity.looked(now, LookResult::Void);
                continue;
            }
            return Some(attempt);
        }
        None
    }

    /// When the path asks for something, if nothing else happens.
    pub(super) fn path_due(&self, now: Instant) -> Option<Instant> {
        let check = self.checks.front().map(|(due, _)| *due);
        [check, self.sanity.due(now)].into_iter().flatten().min()
    }

    /// Whether nothing is held back.
    pub(super) fn is_path_settled(&self) -> bool {
        let is_quiet = self.sanity.held() == 0 && !self.sanity.is_waiting();
        is_quiet && self.checks.is_empty() && self.settled.is_empty()
    }

    /// Where nothing is under way and nothing new can start, no connection will speak for what is held back.
    pub(super) fn release_held(&mut self, now: Instant) -> bool {
        let nothing_to_come = self.is_order_over()
            && self.all_resolved()
            && self.resolved.is_empty()
            && self.places.taken() == 0
            && self.limiter.is_empty()
            && self.again.is_empty();
        let releases = nothing_to_come && self.sanity.held() > 0 && !self.sanity.is_waiting();
        if releases {
            self.sanity.release(now);
        }
        releases
    }

    /// Passes on what is to be written.
    pub(super) async fn pass_settled(&mut self) {
        if !self.settled.is_empty() {
            // The writer ends before the dispatcher only with an error, which ends the scan.
            let _ = self.writer.send(std::mem::take(&mut self.settled)).await;
        }
    }

    /// Whether this machine can speak to nobody, and enough targets wait to show when it can again.
    pub(super) fn is_stalled(&self) -> bool {
        !self.sound && self.again.len() + self.limiter.len() + self.places.taken() >= ENOUGH_TO_TRY
    }

    /// This machine could not speak to any target since the last trouble.
    pub(super) fn machine_in_trouble(&mut self, trouble: LocalTrouble) {
        let now = Instant::now();
        let lasts = self.machine.fails(now);
        self.sanity.troubled(now);
        let is_clear = matches!(trouble, LocalTrouble::NetworkDown | LocalTrouble::Forbidden);
        let is_worth_telling = (is_clear || lasts >= SHORTAGE) && !self.sanity.was_told(now);
        if is_worth_telling && self.machine.is_news(now) {
            self.sanity.told(now);
            self.warn(VantageWarning::Waiting { trouble, wait: self.patience.give_up });
        }
        if lasts >= self.patience.give_up {
            self.given_up = Some(trouble);
        }
    }

    /// Ends the scan: what was not done is left for a resumed one.
    pub(super) fn give_up(&mut self, trouble: LocalTrouble) -> DispatchEnd {
        let [turns, done] =
            [&self.progress.turns, &self.progress.turns_done].map(|turns| turns.load(Relaxed));
        self.stop.ask(Level::Drain);
        DispatchEnd::Failed(usize::try_from(turns.saturating_sub(done)).unwrap_or(usize::MAX), trouble)
    }

    /// Tells what was lost on the way.
    pub(super) fn tell_loss(&mut self) {
        self.loss.doubt().into_iter().for_each(|doubt| self.warn(doubt));
    }

    fn warn(&mut self, doubt: VantageWarning) {
        (self.say)(&doubt);
        self.progress.doubt([doubt]);
    }
}
