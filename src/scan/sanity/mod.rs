//! Tells targets that fail from a path that fails. A firewall on this machine, a tunnel that is down or a
//! router without a neighbour refuses, rejects or swallows whatever is sent, and every target looks as if it
//! were its own fault.
//!
//! A failure is held back until a connection that began later shows that the path works, and for a moment
//! more: the first failures of a burst look like any other, and not all that fails is heard of in its order.
//! Silence is decided by what began meanwhile: while other connections were established, a target is silent
//! by itself. Where more targets fail in a row than is likely, a few hosts that had greeted are looked at
//! again. Where they fail in the same way, the path is broken: the order waits, and what failed meanwhile is
//! asked again. Where they answer, what failed is asked again, for a short trouble may be over by then. What
//! this machine or its gateway says of a target is asked again in any case.
//!
//! By example: half of the targets answer; then 21 in a row are refused. Three hosts that had greeted are
//! looked at. All three are refused, too: the order waits. Each second one of the 21 is asked again, until
//! one greets. Then the order goes on, and the other twenty are asked again in the next pass.
//!
//! What is not told from chance: a burst so short that fewer targets fail in it than in a row that is likely.
//!
//! Knows no socket and no clock.

mod held;
mod runs;
mod share;
pub mod vantage;
mod witnesses;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::held::Held;
pub use self::runs::{Class, Connected};
use self::runs::{Kind, Runs};
use self::share::Rarity;
use self::witnesses::Witnesses;
use crate::evidence::Outcome;
use crate::probe::ConnectionTimes;
use crate::scan::attempt::{Attempt, ProbeResult};
use crate::scan::failure::{Blame, Failure, Further};
use crate::scan::sanity::vantage::VantageWarning;

/// Hosts that are looked at when many targets fail in a row.
const LOOKS: usize = 3;
/// While the path is broken, so many attempts at targets for each look at a host that had greeted.
const TARGETS_A_LOOK: u32 = 4;
/// Failures that are held at most; then they are taken as they are.
const MOST_HELD: usize = 65_536;
/// A failure is held for so long once a later connection was established: reports of conversations come late
/// on a busy machine, and not in the order of what they tell.
const LATE: Duration = Duration::from_secs(1);
/// Suspicions that were cleared, as many as are remembered.
const MOST_BURSTS: usize = 16;
/// A target that fails in one burst after the other is asked so often again.
const MOST_DOUBTED: u8 = 3;
/// Targets without a path, before any has answered, that are worth a warning.
const NO_PATH: usize = 16;
/// The same warning is not given again so soon.
const TOLD_EACH: Duration = Duration::from_secs(60);

/// How long things are waited for.
#[derive(Debug, Clone, Copy)]
pub struct SanitySettings {
    /// Before a target that this machine could not reach is asked again.
    pub recovery: Duration,
    /// Between two attempts while the path is broken.
    pub beat: Duration,
    /// Between two looks at one host that had greeted.
    pub rest: Duration,
    /// Before a broken path, or a machine that can speak to nobody, ends the scan.
    pub give_up: Duration,
}

impl Default for SanitySettings {
    /// The end of the scan leaves time for what is under way: it comes five minutes after the path broke at
    /// the latest.
    fn default() -> Self {
        Self {
            recovery: Duration::from_secs(10),
            beat: Duration::from_secs(1),
            rest: Duration::from_secs(10),
            give_up: Duration::from_secs(240),
        }
    }
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// A host that had greeted is to be looked at; tell with [`SanityCheck::looked`] what came of it.
    Look(SocketAddr),
    /// A target is to be asked now.
    AskNow(Attempt),
    /// A target is to be asked in the next pass.
    AskAgain(Attempt),
    /// This is what is to be written of a target.
    Settle(ProbeResult),
    /// In this time the path swallowed everything: what was lost then is accounted for.
    Swallowed(Instant, Instant),
    /// A person should know.
    Warn(VantageWarning),
    /// The path was broken for too long.
    GiveUp,
}

/// What came of a look at a host that had greeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookResult {
    /// It was connected to.
    Connected,
    /// It could not be connected to.
    Failed(Outcome),
    /// It was not looked at.
    Void,
}

#[derive(Debug)]
enum State {
    /// The path works, as far as is known.
    Sound,
    /// Too many failed in a row, and hosts that had greeted are looked at.
    Suspicious { since: Instant, looks: Looks },
    /// Hosts that had greeted fail as the others do.
    Broken { since: Instant, next: Instant, beats: u32 },
    /// It was for too long.
    GivenUp,
}

/// Looks at hosts that had greeted, and what came of them.
#[derive(Debug, Default)]
struct Looks {
    open: usize,
    alike: Option<Outcome>,
    unlike: usize,
}

/// A time in which targets failed that may not have been at fault.
#[derive(Debug, Clone, Copy)]
struct Burst {
    from: Instant,
    /// What began later is no part of it …
    until: Instant,
    /// … unless it failed so soon after.
    aftermath: Duration,
}

impl Burst {
    fn holds(&self, failure: &Failure) -> bool {
        failure.at >= self.from && (failure.since <= self.until || failure.at <= self.until + self.aftermath)
    }
}

/// Failures that are held back, and what is known of the path.
#[derive(Debug)]
pub struct SanityCheck {
    settings: SanitySettings,
    times: Arc<ConnectionTimes>,
    state: State,
    held: Held,
    runs: Runs,
    witnesses: Witnesses,
    /// Looks of an earlier suspicion that have not come back.
    stale_looks: usize,
    /// When the first of what was held failed, as the last suspicion arose.
    suspected_from: Option<Instant>,
    /// What failed in these is asked again, though not for ever.
    distrusted: VecDeque<Burst>,
    /// What failed in this belongs to a broken path: it is asked again however often it was.
    discarded: Option<Burst>,
    /// When the last trouble began and when it was last noticed.
    trouble: Option<(Instant, Instant)>,
    /// Targets without a path.
    without_path: usize,
    told: Option<Instant>,
    /// Whether targets are asked again for a trouble that nobody was told of.
    has_untold: bool,
    steps: VecDeque<Step>,
}

impl SanityCheck {
    /// Nothing is known yet but when connections began.
    pub fn new(settings: SanitySettings, times: Arc<ConnectionTimes>) -> Self {
        Self {
            settings,
            times,
            state: State::Sound,
            held: Held::default(),
            runs: Runs::default(),
            witnesses: Witnesses::default(),
            stale_looks: 0,
            suspected_from: None,
            distrusted: VecDeque::new(),
            discarded: None,
            trouble: None,
            without_path: 0,
            told: None,
            has_untold: false,
            steps: VecDeque::new(),
        }
    }

    /// A host of the scan greeted.
    pub fn greeted(&mut self, socket: SocketAddr) {
        self.witnesses.greeted(socket);
    }

    /// So many targets were connected to, since when connections may have begun that show that the path
    /// works.
    pub fn answered(&mut self, now: Instant, connected: Connected) {
        self.runs.connected(connected);
        let Some(began) = self.times.latest() else { return };
        match self.state {
            State::Sound if self.held.is_passed(began) => {
                if self.runs.are_unlikely(Rarity::Anywhere) {
                    // There was nobody to be looked at.
                    return self.clear(now);
                }
                self.pass(now, began);
            }
            State::Suspicious { since, .. } if began > since => self.clear(now),
            State::Broken { since, .. } if began > since => self.mend(now),
            _ => {}
        }
    }

    fn pass(&mut self, now: Instant, began: Instant) {
        let (mut own, times, runs) = (Vec::new(), &self.times, &mut self.runs);
        self.held.pass(began, now + LATE, |failure| {
            let is_own = failure.is_silence() && times.path_worked(failure.since, failure.at);
            if is_own || !failure.is_silence() {
                runs.add(&failure);
            }
            if is_own {
                own.push(failure);
                return None;
            }
            Some(failure)
        });
        self.runs.recount(self.held.in_a_row());
        for failure in own {
            self.take(now, failure);
        }
    }

    /// A target could not be connected to.
    pub fn failed(&mut self, now: Instant, failure: Failure) {
        if failure.observation.outcome == Outcome::Silent {
            return self.fell_silent(now, failure);
        }
        if failure.blame == Blame::Near {
            self.without_path += 1;
            self.troubled(now);
        }
        let latest = self.times.latest();
        if latest.is_none() && self.without_path == NO_PATH {
            self.without_path += 1;
            self.warn(now, VantageWarning::NoPath);
        }
        let is_sound = matches!(self.state, State::Sound);
        if self.is_own_silence(&failure) || (is_sound && self.witnesses.is_empty()) {
            self.runs.add(&failure);
            return self.take(now, failure);
        }
        let is_passed = is_sound && latest.is_some_and(|began| failure.since <= began);
        if is_passed && !failure.is_silence() {
            self.runs.add(&failure);
        } else {
            self.runs.grow(&failure);
        }
        if is_passed {
            self.held.hold_until(now + LATE, failure);
        } else {
            self.held.hold(failure);
        }
        if !is_sound {
            return;
        }
        if self.runs.are_unlikely(Rarity::Anywhere) {
            self.suspect(now);
        }
        if self.held.len() > MOST_HELD {
            self.let_all_go(now);
        }
    }

    /// What came of a look.
    pub fn looked(&mut self, now: Instant, look: LookResult) {
        if self.stale_looks > 0 {
            self.stale_looks -= 1;
            return;
        }
        let State::Suspicious { looks, .. } = &mut self.state else { return };
        looks.open = looks.open.saturating_sub(1);
        match look {
            LookResult::Failed(outcome) if self.held.has(Kind::of(outcome)) => looks.alike = Some(outcome),
            LookResult::Failed(_) | LookResult::Connected => looks.unlike += 1,
            LookResult::Void => {}
        }
        match *looks {
            Looks { open: 0, alike: Some(how), unlike: 0 } => {
                self.state = State::Broken { since: now, next: now, beats: 0 };
                self.troubled(now);
                self.warn(now, VantageWarning::PathLost { how, wait: self.settings.give_up });
            }
            Looks { open: 0, .. } => self.clear(now),
            _ => {}
        }
    }

    /// This machine or its path is in trouble just now.
    pub fn troubled(&mut self, now: Instant) {
        self.trouble = match self.trouble {
            Some((since, last)) if now - last < self.settings.recovery => Some((since, now)),
            _ => Some((now, now)),
        };
    }

    /// A person was told of trouble of this machine.
    pub fn told(&mut self, now: Instant) {
        self.told = Some(now);
        self.has_untold = false;
    }

    /// Whether a person was told lately.
    pub fn was_told(&self, now: Instant) -> bool {
        self.told.is_some_and(|told| now - told < TOLD_EACH)
    }

    /// A target that had failed was connected to when it was asked again.
    pub fn recovered(&mut self, now: Instant) {
        if self.has_untold {
            self.warn(now, VantageWarning::Recovered);
        }
    }

    /// The next thing to do, if anything is to be done now.
    pub fn poll(&mut self, now: Instant) -> Option<Step> {
        if let State::Broken { since, next, beats } = &mut self.state {
            if now >= *since + self.settings.give_up {
                self.state = State::GivenUp;
                self.steps.push_back(Step::GiveUp);
            } else if now >= *next {
                self.trouble = self.trouble.map(|(since, _)| (since, now));
                *next = now + self.settings.beat;
                *beats += 1;
                let is_look = self.held.is_empty() || beats.is_multiple_of(TARGETS_A_LOOK + 1);
                if is_look {
                    let picked = self.witnesses.pick(now, 1, self.settings.rest);
                    // What the target of a look says is of no matter; that it was connected to is.
                    self.stale_looks += picked.len();
                    self.steps.extend(picked.into_iter().map(Step::Look));
                } else {
                    let first = self.held.pop();
                    self.steps.extend(first.map(|failure| Step::AskNow(failure.undone())));
                }
            }
        } else if matches!(self.state, State::Sound) && self.held.due().is_some_and(|due| due <= now) {
            let passed = self.held.take_due(now);
            self.let_go(now, passed);
        }
        self.steps.pop_front()
    }

    /// When to poll again, if nothing else happens.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        match self.state {
            _ if !self.steps.is_empty() => Some(now),
            State::Sound => self.held.due(),
            State::Broken { since, next, .. } => Some(next.min(since + self.settings.give_up)),
            State::Suspicious { .. } | State::GivenUp => None,
        }
    }

    /// Whether nothing but looks and targets of [`Step::AskNow`] may start.
    pub fn is_waiting(&self) -> bool {
        !matches!(self.state, State::Sound)
    }

    /// How many failures are held back.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Nothing more is under way, and no connection will show whether the path works: hosts that had greeted
    /// do, if it may have broken just before. Else what is held back is taken as it is.
    pub fn release(&mut self, now: Instant) {
        if !matches!(self.state, State::Sound) {
            return;
        }
        let passed = self.held.take_passed();
        self.let_go(now, passed);
        if !self.runs.are_unlikely(Rarity::AtTheEnd) {
            self.let_all_go(now);
        } else if !self.suspect(now) {
            // They were looked at just now; those that failed are asked again when they are rested.
            self.clear(now);
        }
    }

    /// Looks at hosts that had greeted, if there are any that are rested.
    fn suspect(&mut self, now: Instant) -> bool {
        let picked = self.witnesses.pick(now, LOOKS, self.settings.rest);
        let is_any = !picked.is_empty();
        if is_any {
            self.suspected_from = self.held.iter().map(|failure| failure.since).min();
            let looks = Looks { open: picked.len(), ..Looks::default() };
            self.state = State::Suspicious { since: now, looks };
            self.steps.extend(picked.into_iter().map(Step::Look));
        }
        is_any
    }

    /// The path works. It may have been broken for a moment.
    fn clear(&mut self, now: Instant) {
        let from = self.end_suspicion(now);
        self.distrusted.push_back(Burst { from, until: now, aftermath: Duration::ZERO });
        self.distrusted.drain(..self.distrusted.len().saturating_sub(MOST_BURSTS));
        self.let_all_go(now);
        self.runs.expect_anything();
    }

    /// The path works again.
    fn mend(&mut self, now: Instant) {
        let from = self.end_suspicion(now);
        self.discarded = Some(Burst { from, until: now, aftermath: self.settings.recovery });
        self.told = self.told.map(|_| now);
        for failure in self.held.take() {
            self.steps.push_back(Step::AskAgain(failure.undone()));
        }
        self.runs.recount(std::iter::empty());
        self.runs.expect_answers();
    }

    /// Back to sound; since when targets failed.
    fn end_suspicion(&mut self, now: Instant) -> Instant {
        let first = |held: &Held| held.iter().map(|failure| failure.since).min();
        let from = self.suspected_from.take().or_else(|| first(&self.held)).unwrap_or(now);
        if let State::Suspicious { looks, .. } = &self.state {
            self.stale_looks += looks.open;
        }
        self.state = State::Sound;
        self.trouble = match self.trouble {
            Some((since, last)) if from <= last + self.settings.recovery => Some((since.min(from), now)),
            _ => Some((from, now)),
        };
        let silent = self.held.in_a_row().filter(|failure| failure.is_silence());
        if let Some(first) = silent.map(|failure| failure.since).min() {
            let (since, until) = self.times.gap(first);
            self.steps.push_back(Step::Swallowed(since, until));
        }
        from
    }

    /// Whether a target was silent while others were connected to.
    fn is_own_silence(&self, failure: &Failure) -> bool {
        failure.is_silence() && self.times.path_worked(failure.since, failure.at)
    }

    /// A target was connected to and then said nothing: its words, or ours, may have been lost.
    fn fell_silent(&mut self, now: Instant, failure: Failure) {
        let overlaps = |(since, last)| failure.at >= since && failure.since <= last;
        if self.is_waiting() || self.trouble.is_some_and(overlaps) {
            self.doubt(now, failure);
        } else {
            self.steps.push_back(Step::Settle(failure.settled()));
        }
    }

    fn let_all_go(&mut self, now: Instant) {
        for failure in self.held.in_a_row() {
            self.runs.add(failure);
        }
        let all = self.held.take();
        self.runs.recount(std::iter::empty());
        for failure in all {
            self.take(now, failure);
        }
    }

    /// Lets those go that a later connection passed.
    fn let_go(&mut self, now: Instant, passed: Vec<Failure>) {
        for failure in passed.iter().filter(|failure| failure.is_silence()) {
            self.runs.add(failure);
        }
        self.runs.recount(self.held.in_a_row());
        for failure in passed {
            self.take(now, failure);
        }
    }

    /// What is to become of a target whose failure is held no longer.
    fn take(&mut self, now: Instant, failure: Failure) {
        let doubted = failure.attempt.doubted;
        let is_distrusted =
            self.distrusted.iter().any(|burst| burst.holds(&failure)) && !self.is_own_silence(&failure);
        if self.discarded.is_some_and(|burst| burst.holds(&failure)) {
            self.steps.push_back(Step::AskAgain(failure.undone()));
        } else if is_distrusted && doubted < MOST_DOUBTED || failure.blame == Blame::Near && doubted == 0 {
            self.doubt(now, failure);
        } else if failure.further == Further::Attempt {
            self.steps.push_back(Step::AskAgain(failure.attempt));
        } else {
            self.steps.push_back(Step::Settle(failure.settled()));
        }
    }

    /// A target is asked again for what may not be its own fault.
    fn doubt(&mut self, now: Instant, failure: Failure) {
        self.has_untold |= !self.was_told(now);
        self.steps.push_back(Step::AskAgain(failure.undone()));
    }

    fn warn(&mut self, now: Instant, doubt: VantageWarning) {
        if !self.was_told(now) {
            self.told(now);
            self.steps.push_back(Step::Warn(doubt));
        }
    }
}

#[cfg(test)]
mod tests;
