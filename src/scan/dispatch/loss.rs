//! Loss on the path, from the connections themselves: one whose SYN the kernel had to send again lost a
//! packet. From that follow the pace that the path bears, and how many hosts were probably missed.
//!
//! By example: of 22 connections eleven needed a second SYN, so half of the packets get lost. A hundred SYNs
//! were sent in five seconds, twenty a second: the path lets half of them through, so from now on ten start a
//! second. Targets that did not answer at all are asked again at that pace. Where two of ten that answer then
//! needed a second SYN and each had five, one in 0.2^5 is missed: one in 3,000.
//!
//! What was lost while the path swallowed everything is no loss of this kind: that trouble is told by itself.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

pub use crate::probe::Handshake;
use crate::scan::sanity::vantage::{Permille, VantageWarning};

/// As many connections as it takes to say anything of loss …
const ENOUGH: u32 = 10;
/// … and as many of them with a loss.
const ENOUGH_RESENT: u32 = 5;
/// Above this share of connections with a loss the pace is lowered …
const LOSSY: f64 = 0.1;
/// … below this one it is raised again.
const CLEAN: f64 = 0.02;
/// A share of losses that a person is told of.
const WORTH_TELLING: f64 = 0.05;
/// What was started in so long makes the pace; a SYN is answered within it, or not at all.
const SPAN: Duration = Duration::from_secs(5);
/// Losses are counted for so long at least: they show in bursts, a second apart.
const WINDOW: Duration = Duration::from_secs(1);
/// Between two changes of the pace: what was started after the last one has shown its losses by then.
const CALM: Duration = Duration::from_secs(3);
/// The pace is raised by this factor.
const RISE: f64 = 1.25;
/// No pace is lower, in connections a second.
const SLOWEST: f64 = 5.0;
/// Where losses stay the same at so many lower paces in a row, the pace is not their cause …
const FUTILE: u32 = 3;
/// … and is left alone for so long.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// So many of the last connections with a loss can turn out to be no loss.
const MOST_RECENT: usize = 16_384;
/// So many times in which the path swallowed everything are remembered: a connection may be told of a minute
/// later.
const MOST_SWALLOWED: usize = 16;

/// What is known of attempts beforehand.
#[derive(Debug, Clone, Copy)]
pub struct LossSettings {
    /// SYNs that the kernel sends within the time for connecting.
    pub syns: u32,
    /// Further attempts at a target that timed out.
    pub retries: u8,
}

impl Default for LossSettings {
    /// As Linux does within five seconds, with one further attempt.
    fn default() -> Self {
        Self { syns: 5, retries: 1 }
    }
}

/// Connections counted.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    made: u32,
    resent: u32,
}

impl Tally {
    fn add(&mut self, handshake: Handshake) {
        self.made += 1;
        self.resent += u32::from(handshake == Handshake::Resent);
    }

    /// One that lost a packet is not counted any more.
    fn take_resent(&mut self) {
        self.made = self.made.saturating_sub(1);
        self.resent = self.resent.saturating_sub(1);
    }

    fn lost(self) -> f64 {
        f64::from(self.resent) / f64::from(self.made.max(1))
    }
}

/// The pace that is in force.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Connections a second.
    pace: f64,
    /// What there was before it.
    before: f64,
    /// The share of losses at the pace before.
    lost: f64,
    /// Paces in a row that changed nothing.
    futile: u32,
    /// When the next connection may start.
    next: Instant,
}

/// Losses so far, and the pace that follows.
#[derive(Debug)]
pub struct PathLoss {
    settings: LossSettings,
    /// Connections at the first attempt.
    first: Tally,
    /// Connections at later attempts.
    later: Tally,
    window: Tally,
    opened: Option<Instant>,
    /// Starts, by quarters of a second.
    starts: VecDeque<(Instant, usize)>,
    /// Starts since the last change.
    fresh: usize,
    changed: Option<Instant>,
    limit: Option<Limit>,
    left_alone: Option<Instant>,
    /// The lowest pace that there was.
    slowest: Option<f64>,
    /// When the last connections with a loss began, and at which attempt.
    recent: VecDeque<(Instant, u8)>,
    /// When the path swallowed everything.
    swallowed: VecDeque<(Instant, Instant)>,
}

impl PathLoss {
    /// Nothing is lost so far.
    pub fn new(settings: LossSettings) -> Self {
        Self {
            settings,
            first: Tally::default(),
            later: Tally::default(),
            window: Tally::default(),
            opened: None,
            starts: VecDeque::new(),
            fresh: 0,
            changed: None,
            limit: None,
            left_alone: None,
            slowest: None,
            recent: VecDeque::new(),
            swallowed: VecDeque::new(),
        }
    }

    /// So many connections were started.
    pub fn started(&mut self, now: Instant, count: usize) {
        const GRAIN: Duration = Duration::from_millis(250);
        self.fresh += count;
        match self.starts.back_mut() {
            Some((begin, starts)) if now - *begin < GRAIN => *starts += count,
            _ => self.starts.push_back((now, count)),
        }
        while self.starts.front().is_some_and(|(begin, _)| now - *begin > SPAN) {
            self.starts.pop_front();
        }
        if let Some(limit) = &mut self.limit {
            limit.next = limit.next.max(now) + Duration::from_secs_f64(count as f64 / limit.pace);
        }
    }

    /// A connection that began at `since` was established at that attempt, counted from 1.
    pub fn connected(&mut self, now: Instant, since: Instant, attempt: u8, handshake: Handshake) {
        if handshake == Handshake::Resent {
            if self.swallowed.iter().any(|&(from, until)| since >= from && since <= until) {
                return;
            }
            self.recent.push_back((since, attempt));
            self.recent.drain(..self.recent.len().saturating_sub(MOST_RECENT));
        }
        self.tally(attempt).add(handshake);
        self.window.add(handshake);
        let is_early = self.changed.is_some_and(|changed| now - changed < CALM);
        let is_short = now - *self.opened.get_or_insert(now) < WINDOW;
        if self.window.made < ENOUGH || is_early || is_short {
            return;
        }
        let lost = self.window.lost();
        let is_lossy = lost >= LOSSY && self.window.resent >= ENOUGH_RESENT;
        if is_lossy && self.fresh >= ENOUGH as usize {
            self.lower(now, lost);
        } else if lost < CLEAN {
            self.raise();
        } else {
            return;
        }
        (self.window, self.opened) = (Tally::default(), None);
        if self.limit.is_some() {
            (self.changed, self.fresh) = (Some(now), 0);
        }
    }

    /// Between these times the path swallowed everything: that is told, and is no reason to slow down.
    pub fn swallowed(&mut self, from: Instant, until: Instant) {
        self.swallowed.push_back((from, until));
        self.swallowed.drain(..self.swallowed.len().saturating_sub(MOST_SWALLOWED));
        for (since, attempt) in std::mem::take(&mut self.recent) {
            if since >= from && since <= until {
                self.tally(attempt).take_resent();
            } else {
                self.recent.push_back((since, attempt));
            }
        }
        (self.window, self.opened) = (Tally::default(), None);
        if self.changed.is_some_and(|changed| changed >= from) {
            (self.limit, self.changed, self.slowest) = (None, None, None);
        }
    }

    fn tally(&mut self, attempt: u8) -> &mut Tally {
        if attempt <= 1 { &mut self.first } else { &mut self.later }
    }

    /// How many connections may start now.
    pub fn room(&self, now: Instant) -> usize {
        if self.limit.is_none() { usize::MAX } else { usize::from(self.closed_until(now).is_none()) }
    }

    /// Until when none may start, if the pace says so.
    pub fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.limit.map(|limit| limit.next).filter(|&next| next > now)
    }

    /// What a reader of the records should know at the end.
    pub fn doubt(&self) -> Option<VantageWarning> {
        let found = f64::from(self.first.made + self.later.made);
        let by_attempts = f64::from(self.later.made) / found.max(1.0);
        let resent = self.first.resent + self.later.resent;
        // With one SYN an attempt, only further attempts show what was lost.
        let (lost, seen) = match self.settings.syns {
            1 => (by_attempts, self.later.made),
            _ => (f64::from(resent) / found.max(1.0), resent),
        };
        if seen < ENOUGH_RESENT || lost < WORTH_TELLING {
            return None;
        }
        let final_pass = if self.settings.retries == 0 { self.first } else { self.later };
        let missed_each = match self.settings.syns {
            1 => by_attempts,
            syns => final_pass.lost().powi(i32::try_from(syns).unwrap_or(i32::MAX)),
        };
        let missed_each = missed_each.min(0.95);
        let missed = f64::from(final_pass.made) * missed_each / (1.0 - missed_each);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 5 and what started"
        )]
        let pace = self.slowest.map(|pace| pace as u64);
        Some(VantageWarning::Lossy {
            lost: Permille::of(lost),
            missed: Permille::of(missed / (found + missed)),
            pace,
        })
    }

    fn lower(&mut self, now: Instant, lost: f64) {
        if self.left_alone.is_some_and(|until| now < until) {
            return;
        }
        let starts: usize = self.starts.iter().map(|(_, starts)| starts).sum();
        let recent = starts as f64 / SPAN.as_secs_f64();
        let pace = self.limit.map_or(recent, |limit| recent.min(limit.pace));
        let pace = (pace * (1.0 - lost)).max(SLOWEST);
        let futile = match self.limit {
            Some(limit) if lost >= 0.7 * limit.lost => limit.futile + 1,
            _ => 0,
        };
        let before = self.limit.map_or(recent, |limit| limit.before);
        self.limit = (futile < FUTILE).then_some(Limit { pace, before, lost, futile, next: now });
        self.left_alone = self.limit.is_none().then_some(now + LEFT_ALONE);
        self.slowest =
            self.limit.map(|limit| self.slowest.unwrap_or(limit.pace).min(limit.pace)).or(self.slowest);
    }

    fn raise(&mut self) {
        let raised = self.limit.map(|limit| Limit { pace: limit.pace * RISE, futile: 0, ..limit });
        self.limit = raised.filter(|limit| limit.pace < limit.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Handshake::{Clean, Resent};

    fn free() -> PathLoss {
        PathLoss::new(LossSettings::default())
    }

    /// Connections at one time, so many of them after a loss.
    fn connect(loss: &mut PathLoss, now: Instant, attempt: u8, (clean, resent): (u32, u32)) {
        let handshakes = (0..clean).map(|_| Clean).chain((0..resent).map(|_| Resent));
        handshakes.for_each(|handshake| loss.connected(now, now, attempt, handshake));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_loss_nothing_is_slowed_and_nothing_told() {
        let begin = Instant::now();
        let mut loss = free();
        for second in 0..100 {
            let now = begin + Duration::from_secs(second);
            loss.started(now, 1000);
            connect(&mut loss, now, 1, (500, 5));
            assert_eq!(loss.room(now), usize::MAX, "one in a hundred is no reason");
        }
        assert_eq!(loss.doubt(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_that_is_cut_down_makes_a_pace_that_the_path_bears() {
        let begin = Instant::now();
        let mut loss = free();
        loss.started(begin, 100);
        connect(&mut loss, begin, 1, (11, 0));
        let second = |count| begin + Duration::from_secs(count);
        connect(&mut loss, second(1), 1, (0, 11));
        for count in 2..5 {
            connect(&mut loss, second(count), 1, (0, 11));
        }
        let (mut now, mut started) = (second(6), 0);
        while started < 45 {
            assert_eq!(loss.room(now), 1, "one by one");
            loss.started(now, 1);
            started += 1;
            connect(&mut loss, now, 2, (1, 0));
            now = loss.closed_until(now).unwrap_or(now);
        }
        assert!(now > second(8), "{:?}", now - begin);
        let Some(VantageWarning::Lossy { lost, missed, pace: Some(5) }) = loss.doubt() else {
            panic!("loss is told: {:?}", loss.doubt())
        };
        assert!(lost > Permille::of(0.4) && missed == Permille::of(0.0), "{lost} {missed}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_path_that_loses_at_any_pace_is_not_slowed_for_long() {
        let begin = Instant::now();
        let mut loss = free();
        let mut slowed = 0;
        for second in 0..60 {
            let now = begin + Duration::from_secs(second);
            loss.started(now, 100);
            connect(&mut loss, now, 1, (70, 30));
            slowed += usize::from(loss.room(now) != usize::MAX);
        }
        assert!((3..20).contains(&slowed), "{slowed} seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_comes_back_when_nothing_is_lost_any_more() {
        let begin = Instant::now();
        let mut loss = free();
        loss.started(begin, 100);
        connect(&mut loss, begin, 1, (10, 10));
        let mut second = 4;
        while loss.limit.is_some() {
            let now = begin + Duration::from_secs(second);
            loss.started(now, 20);
            connect(&mut loss, now, 1, (20, 0));
            second += 4;
            assert!(second < 60, "{:?}", loss.limit);
        }
    }

    #[test]
    fn what_was_missed_is_estimated_from_the_last_attempts() {
        let one = LossSettings { retries: 0, ..LossSettings::default() };
        let short = LossSettings { syns: 1, ..LossSettings::default() };
        for (settings, first, later, missed) in [
            (LossSettings::default(), (500, 500), (0, 0), 0.0),
            // 0.8 to the fifth power of those at the last attempt.
            (LossSettings::default(), (0, 0), (20, 80), 0.328),
            (one, (20, 80), (0, 0), 0.328),
            // A tenth answers at the second attempt only, so a hundredth of all is missed at both.
            (short, (900, 0), (90, 0), 0.009),
        ] {
            let tally = |(clean, resent)| Tally { made: clean + resent, resent };
            let loss = PathLoss { first: tally(first), later: tally(later), ..PathLoss::new(settings) };
            let Some(VantageWarning::Lossy { missed: told, .. }) = loss.doubt() else {
                panic!("{first:?} {later:?}")
            };
            assert_eq!(told, Permille::of(missed), "{first:?} {later:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_path_swallowed_is_no_loss_whenever_it_is_told_of() {
        let begin = Instant::now();
        let second = |count| begin + Duration::from_secs(count);
        let mut loss = free();
        loss.started(begin, 400);
        connect(&mut loss, begin, 1, (100, 0));
        let late = |loss: &mut PathLoss, now, began| {
            (0..100).for_each(|_| loss.connected(now, began, 1, Resent));
        };
        late(&mut loss, second(6), second(2));
        late(&mut loss, second(7), second(3));
        assert!(loss.doubt().is_some() && loss.room(second(7)) != usize::MAX, "it seems so");
        loss.swallowed(second(1), second(4));
        assert_eq!((loss.doubt(), loss.room(second(7))), (None, usize::MAX));
        late(&mut loss, second(9), second(4));
        assert_eq!(loss.doubt(), None);
        late(&mut loss, second(9), second(5));
        assert!(
            matches!(loss.doubt(), Some(VantageWarning::Lossy { lost, .. }) if lost == Permille::of(0.5))
        );
    }
}
