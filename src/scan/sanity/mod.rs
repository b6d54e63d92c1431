//! Tells targets that fail from a path that fails. A firewall on this machine, a tunnel that is down or a router without
//! a neighbour refuses, rejects or swallows whatever is sent, and every target looks as if it were its own fault.
//!
//! A failure is held back until a later connection shows that the path works. Where more targets fail in a row than is
//! likely, a few hosts that had greeted are looked at again. Where they fail in the same way, the path is broken: the
//! order waits, and what failed meanwhile is asked again. Where they answer, what failed is asked again once, for a short
//! trouble may be over by then. What this machine or its gateway says of a target is asked again once in any case.
//!
//! By example: half of the targets answer; then twenty in a row are refused. Three hosts that had greeted are looked at.
//! All three are refused, too: the order waits. Each second one of the twenty is asked again, until one greets. Then the
//! order goes on, and the other nineteen are asked again in the next pass.
//!
//! Knows no socket and no clock.

mod share;
mod witnesses;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use self::share::Share;
use self::witnesses::Witnesses;
use super::aim::{Aim, Seen};
use super::failure::{Blame, Failure, Further};
use super::vantage::Doubt;
use crate::evidence::Outcome;

/// Hosts that are looked at when many targets fail in a row.
const LOOKS: usize = 3;
/// While the path is broken, so many attempts at targets for each look at a host that had greeted.
const TARGETS_A_LOOK: u32 = 4;
/// Failures that are held at most; then they are taken as they are.
const MOST_HELD: usize = 65_536;
/// A failure that comes so shortly after a suspicion was cleared belongs to it.
const AFTERMATH: Duration = Duration::from_secs(1);
/// Targets without a path, before any has answered, that are worth a warning.
const NO_PATH: usize = 16;
/// The same warning is not given again so soon.
const TOLD_EACH: Duration = Duration::from_secs(60);

/// How long things are waited for.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Before a target that this machine could not reach is asked again.
    pub recovery: Duration,
    /// Between two attempts while the path is broken.
    pub beat: Duration,
    /// Between two looks at one host that had greeted.
    pub rest: Duration,
    /// Before a broken path, or a machine that can speak to nobody, ends the scan.
    pub give_up: Duration,
}

impl Default for Settings {
    /// The end of the scan leaves time for what is under way: it comes five minutes after the path broke at the latest.
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
    AskNow(Aim),
    /// A target is to be asked in the next pass.
    AskAgain(Aim),
    /// This is what is to be written of a target.
    Settle(Seen),
    /// A person should know.
    Warn(Doubt),
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
    Suspicious { since: Instant, open: usize, alike: usize, unlike: usize },
    /// Hosts that had greeted fail as the others do.
    Broken { since: Instant, next: Instant, beats: u32 },
    /// It was for too long.
    GivenUp,
}

/// Failures in a row, among targets that are asked for the first time or again.
#[derive(Debug, Default)]
struct Run {
    share: Share,
    length: usize,
}

/// Failures that are held back, and what is known of the path.
#[derive(Debug)]
pub struct SanityCheck {
    settings: Settings,
    state: State,
    held: VecDeque<Failure>,
    first: Run,
    /// Who is asked again is a target that did not answer before: there, runs are longer by nature.
    later: Run,
    witnesses: Witnesses,
    /// When the last connection was established.
    answered: Option<Instant>,
    /// Failures up to this time are asked again once.
    distrusted: Option<Instant>,
    /// Failures up to this time belong to a broken path: they are asked again however often they were.
    discarded: Option<Instant>,
    /// When the last trouble began and when it was last noticed.
    trouble: Option<(Instant, Instant)>,
    /// Targets without a path.
    without_path: usize,
    told: Option<Instant>,
    steps: VecDeque<Step>,
}

impl SanityCheck {
    /// Nothing is known yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Sound,
            held: VecDeque::new(),
            first: Run::default(),
            later: Run::default(),
            witnesses: Witnesses::default(),
            answered: None,
            distrusted: None,
            discarded: None,
            trouble: None,
            without_path: 0,
            told: None,
            steps: VecDeque::new(),
        }
    }

    /// A host of the scan greeted.
    pub fn greeted(&mut self, socket: SocketAddr) {
        self.witnesses.greeted(socket);
    }

    /// So many targets were connected to when they were asked first, and so many when they were asked again; the last
    /// connection of all was established at that time.
    pub fn answered(&mut self, now: Instant, (first, later): (usize, usize), last: Instant) {
        self.first.share.add(first, 0);
        self.later.share.add(later, 0);
        self.answered = self.answered.max(Some(last));
        match self.state {
            State::Sound => {
                for failure in self.take_held() {
                    if failure.at <= last {
                        self.take_as_seen(failure);
                    } else {
                        self.hold(failure);
                    }
                }
            }
            State::Suspicious { since, .. } if last > since => self.clear(now),
            State::Broken { since, .. } if last > since => self.mend(now),
            _ => {}
        }
    }

    /// A target could not be connected to.
    pub fn failed(&mut self, now: Instant, failure: Failure) {
        if failure.observation.outcome == Outcome::Silent {
            return self.fell_silent(failure);
        }
        if failure.blame == Blame::Near {
            self.without_path += 1;
            self.troubled(now);
        }
        if self.answered.is_none() && self.without_path == NO_PATH {
            self.without_path += 1;
            self.warn(now, Doubt::NoPath);
        }
        if matches!(self.state, State::Sound) {
            let is_proven = self.answered.is_some_and(|answered| failure.at <= answered);
            if is_proven || self.witnesses.is_empty() {
                return self.take_as_seen(failure);
            }
        }
        self.hold(failure);
        if !matches!(self.state, State::Sound) {
            return;
        }
        if [&self.first, &self.later].iter().any(|run| run.length >= run.share.unlikely_run()) {
            self.suspect(now);
        }
        if self.held.len() > MOST_HELD {
            for failure in self.take_held() {
                self.take_as_seen(failure);
            }
        }
    }

    /// What came of a look.
    pub fn looked(&mut self, now: Instant, look: LookResult) {
        let held = &self.held;
        let State::Suspicious { open, alike, unlike, .. } = &mut self.state else { return };
        *open = open.saturating_sub(1);
        match look {
            LookResult::Failed(outcome)
                if held.iter().any(|failure| failure.observation.outcome == outcome) =>
            {
                *alike += 1;
            }
            LookResult::Failed(_) | LookResult::Connected => *unlike += 1,
            LookResult::Void => {}
        }
        let (is_over, is_broken) = (*open == 0, *alike > 0 && *unlike == 0);
        if is_over && is_broken {
            let how = self.held.back().map_or(Outcome::TimedOut, |failure| failure.observation.outcome);
            self.state = State::Broken { since: now, next: now, beats: 0 };
            self.troubled(now);
            self.warn(now, Doubt::PathLost { how, wait: self.settings.give_up });
        } else if is_over {
            self.clear(now);
        }
    }

    /// This machine or its path is in trouble just now.
    pub fn troubled(&mut self, now: Instant) {
        self.trouble = match self.trouble {
            Some((since, last)) if now - last < self.settings.recovery => Some((since, now)),
            _ => Some((now, now)),
        };
    }

    /// A target that had failed was connected to when it was asked again.
    pub fn recovered(&mut self, now: Instant) {
        if self.told.is_none() {
            self.warn(now, Doubt::Recovered);
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
                    self.steps.extend(picked.into_iter().map(Step::Look));
                } else {
                    let first = self.held.pop_front();
                    self.steps.extend(first.map(|failure| Step::AskNow(failure.undone())));
                }
            }
        }
        self.steps.pop_front()
    }

    /// When to poll again, if nothing else happens.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        match self.state {
            _ if !self.steps.is_empty() => Some(now),
            State::Broken { since, next, .. } => Some(next.min(since + self.settings.give_up)),
            _ => None,
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

    /// Nothing more is under way: what is held back is taken as it is, as long as nothing speaks against it.
    pub fn release(&mut self) {
        if matches!(self.state, State::Sound) {
            for failure in self.take_held() {
                self.take_as_seen(failure);
            }
        }
    }

    fn run_of(&mut self, failure: &Failure) -> &mut Run {
        let is_first = failure.aim.attempts <= 1 && failure.aim.doubted == 0;
        if is_first { &mut self.first } else { &mut self.later }
    }

    fn hold(&mut self, failure: Failure) {
        self.run_of(&failure).length += 1;
        self.held.push_back(failure);
    }

    fn take_held(&mut self) -> VecDeque<Failure> {
        (self.first.length, self.later.length) = (0, 0);
        std::mem::take(&mut self.held)
    }

    fn suspect(&mut self, now: Instant) {
        let picked = self.witnesses.pick(now, LOOKS, self.settings.rest);
        if !picked.is_empty() {
            self.state = State::Suspicious { since: now, open: picked.len(), alike: 0, unlike: 0 };
            self.steps.extend(picked.into_iter().map(Step::Look));
        }
    }

    /// The path works. It may have been broken for a moment.
    fn clear(&mut self, now: Instant) {
        self.state = State::Sound;
        self.distrusted = Some(now + AFTERMATH);
        for failure in self.take_held() {
            self.take_as_seen(failure);
        }
    }

    /// The path works again.
    fn mend(&mut self, now: Instant) {
        self.state = State::Sound;
        self.discarded = Some(now + self.settings.recovery);
        self.troubled(now);
        for failure in self.take_held() {
            self.steps.push_back(Step::AskAgain(failure.undone()));
        }
    }

    /// A target was connected to and then said nothing: its words, or ours, may have been lost.
    fn fell_silent(&mut self, failure: Failure) {
        let overlaps = |(since, last)| failure.at >= since && failure.since <= last;
        let is_doubtful = self.is_waiting() || self.trouble.is_some_and(overlaps);
        self.steps.push_back(if is_doubtful {
            Step::AskAgain(failure.undone())
        } else {
            Step::Settle(failure.settled())
        });
    }

    /// Nothing speaks for a path that fails.
    fn take_as_seen(&mut self, failure: Failure) {
        self.run_of(&failure).share.add(0, 1);
        let is_before = |until: Option<Instant>| until.is_some_and(|until| failure.at <= until);
        // Silence has attempts of its own: how many, the user says.
        let is_silence = failure.observation.outcome == Outcome::TimedOut;
        let is_doubtful = failure.blame == Blame::Near || (is_before(self.distrusted) && !is_silence);
        let is_new = failure.aim.doubted == 0;
        self.steps.push_back(if is_before(self.discarded) {
            Step::AskAgain(failure.undone())
        } else if failure.further == Further::Attempt {
            Step::AskAgain(failure.aim)
        } else if is_doubtful && is_new {
            Step::AskAgain(failure.undone())
        } else {
            Step::Settle(failure.settled())
        });
    }

    fn warn(&mut self, now: Instant, doubt: Doubt) {
        if self.told.is_none_or(|told| now - told >= TOLD_EACH) {
            self.told = Some(now);
            self.steps.push_back(Step::Warn(doubt));
        }
    }
}

#[cfg(test)]
mod tests;
