//! How many packets a second one upstream is given: tokens, and a rate that rises while answers keep up. Time
//! is an argument; knows no packet.
//!
//! Trouble alone says nothing about load: in a scan of PTR records one name in ten may lead to a dead or
//! failing zone at any rate. So the rate is cut on trial when more first packets fail than usual. If the
//! share of failures falls with the rate, the cut stays; if it does not, the failures are the names' own, the
//! cut is undone and that share is usual from then on. How many packets may be open at once is cut and
//! restored with the rate (`window`). Neither rises by what was allowed: only while questions waited for it,
//! and answers kept up.
//!
//! Ten epochs of a server that drops all above 1,000 a second: 200, 400, 800 answered; of 1,600 only 1,000
//! (38 % fail, usual is 0): cut to 1,000 on trial; 3 % fail: kept; 1,040, 1,080 … until more than 5 % fail
//! again.

use std::time::{Duration, Instant};

use super::window::{Load, Window};

/// The time over which packets are counted together.
const EPOCH: Duration = Duration::from_millis(100);
/// Epochs remembered: more than the longest wait for an answer and a trial together.
const EPOCHS: usize = 64;
/// Packets a second at first.
const START: f64 = 2000.0;
/// The same where no limit is wanted.
const START_UNLIMITED: f64 = 20_000.0;
/// No cut goes below this: a slow answer is better than none.
const FLOOR: f64 = 100.0;
/// Growth for each epoch before the first cut that stayed.
const FAST: f64 = 2.0;
/// Growth for each epoch afterwards.
const SLOW: f64 = 1.04;
/// Packets that may go at once: 10 ms of the rate, and within what a default receive buffer of 212 KB holds.
const MAX_BURST: f64 = 200.0;
/// Tokens come in strides of so many seconds, or one by one where that takes longer.
const STRIDE: f64 = 0.0006;
/// More failures than usual by this share start a trial.
const NOTICE: f64 = 0.05;
/// A trial is lost if this much of the share of failures remains.
const REMAINS: f64 = 0.7;
/// No more than this is ever usual.
const MOST_USUAL: f64 = 0.5;
/// First packets that a judgement needs.
const LEAST_JUDGED: u32 = 50;
/// Epochs that a judgement looks at, and that a trial lasts: a limiter that resets each second must not fool
/// it.
const JUDGED: u64 = 10;
/// The same for the cut itself while the rate still rose fast.
const RISING: u64 = 3;
/// How many times as long a trial waits for enough packets to take part.
const PATIENT: u64 = 3;
/// How often a trial is cut again, of an upstream that may be filled up by names that take long, and how many
/// are late there at least.
const MOST_DEEPER: u8 = 2;
const MANY_LATE: u32 = 100;
/// Epochs without another trial after one that was lost, doubled each time, and the most: one that fails at
/// any rate is not worth slowing down for.
const FIRST_REPRIEVE: u64 = 100;
const MOST_REPRIEVE: u64 = 600;
/// Growth needs this share of recent packets answered.
const KEEPS_UP: f64 = 0.4;

/// The epoch in which a first packet went out.
pub(super) type Epoch = u64;

#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    cap: f64,
    tokens: f64,
    filled: Instant,
    start: Instant,
    epoch: Epoch,
    counts: [Count; EPOCHS],
    phase: Phase,
    growth: f64,
    usual: f64,
    /// How long no trial followed the last one that was lost, and until when.
    reprieve: u64,
    untried_until: Epoch,
    /// Epochs before this are not judged.
    judged_from: Epoch,
    /// Whether packets waited for tokens in this epoch.
    pressed: bool,
    /// The rate at which it starts, which needs no proof.
    start_rate: f64,
    /// How many packets may be open.
    pub(super) window: Window,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// All packets.
    sent: u32,
    /// First packets of their question.
    first: u32,
    /// Of these, failed.
    failed: u32,
    /// Of these, those that no answer came to in time.
    late: u32,
    /// Answers that came in this epoch, without failure codes.
    answered: u32,
    /// Failure codes that came in this epoch.
    codes: u32,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Calm,
    Trial(Trial),
}

/// How the first packet of a question failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer came in time.
    Late,
    /// An answer came, and settled nothing.
    Answered,
}

/// Which packet of a question may have brought its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packet {
    /// The first alone.
    First,
    /// One that was sent again, or the first.
    Repeated,
}

/// A cut that is to show whether it helps.
#[derive(Debug, Clone, Copy)]
struct Trial {
    /// What was in force before.
    rate: f64,
    window: f64,
    /// The share of failures before.
    share: f64,
    until: Epoch,
    /// How often it was cut again within this trial.
    deeper: u8,
}

impl Pace {
    /// Starts at the usual rate, never above `cap` packets a second.
    pub(super) fn new(rate: crate::resolve::Rate, now: Instant) -> Self {
        use crate::resolve::Rate;
        let (start, cap) = match rate {
            Rate::Rising => (START, f64::INFINITY),
            Rate::AtMost(cap) => (START.min(f64::from(cap.get())), f64::from(cap.get())),
            Rate::Unlimited => (START_UNLIMITED, f64::INFINITY),
        };
        Self {
            rate: start,
            cap,
            tokens: 1.0,
            filled: now,
            start: now,
            epoch: 0,
            counts: [Count::default(); EPOCHS],
            phase: Phase::Calm,
            growth: FAST,
            usual: 0.0,
            reprieve: 0,
            untried_until: 0,
            judged_from: 0,
            pressed: false,
            start_rate: start,
            window: if rate == Rate::Unlimited { Window::unlimited() } else { Window::new() },
        }
    }

    /// Packets a second now.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Packets that may go now.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most the burst, never negative"
    )]
    pub(super) fn allowance(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        let burst = (self.rate / 100.0).clamp(1.0, MAX_BURST);
        self.tokens = (self.tokens + passed * self.rate).min(burst);
        self.tokens.max(0.0) as usize
    }

    /// When to look for tokens again, if there is none at `now`. At a high rate several come at once: to wake
    /// up for each packet would cost more than the packet.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let wanted = (self.rate * STRIDE).max(1.0);
        let missing = if self.tokens < 1.0 { wanted - self.tokens } else { 0.0 };
        now + Duration::from_secs_f64(missing / self.rate)
    }

    /// Packets wait for tokens.
    pub(super) fn press(&mut self) {
        self.pressed = true;
    }

    /// A packet went out.
    pub(super) fn sent(&mut self) {
        self.tokens -= 1.0;
        self.count(self.epoch).sent += 1;
    }

    /// It was the first of its question.
    pub(super) fn sent_first(&mut self) -> Epoch {
        self.count(self.epoch).first += 1;
        self.epoch
    }

    /// An answer came that is no failure code.
    pub(super) fn answered(&mut self) {
        self.count(self.epoch).answered += 1;
    }

    /// Whether it is being found out if failures are a matter of load.
    pub(super) fn is_on_trial(&self) -> bool {
        matches!(self.phase, Phase::Trial(_))
    }

    /// A failure code came.
    pub(super) fn failed_at_once(&mut self) {
        self.count(self.epoch).codes += 1;
    }

    /// The first packet of a question failed: no answer in time, or one that settles nothing.
    pub(super) fn failed(&mut self, epoch: Epoch, failure: Failure) {
        if self.remembers(epoch) {
            self.count(epoch).failed += 1;
            self.count(epoch).late += u32::from(failure == Failure::Late);
        }
    }

    /// What counted as failed was answered after all. That a repeated packet was answered says nothing of the
    /// first one, but whether a cut helps shows by what came of each question in the end.
    pub(super) fn recovered(&mut self, epoch: Epoch, by: Packet) {
        if by == Packet::Repeated && matches!(self.phase, Phase::Calm) {
            return;
        }
        if self.remembers(epoch) {
            let count = self.count(epoch);
            count.failed = count.failed.saturating_sub(1);
            count.late = count.late.min(count.failed);
        }
    }

    /// Lets time pass; answers take `mean` as a rule, and first packets are judged once they are older than
    /// `patience`.
    pub(super) fn tick(&mut self, now: Instant, mean: Duration, patience: Duration, load: Load) {
        let current = epochs(now.saturating_duration_since(self.start));
        if current == self.epoch {
            return;
        }
        self.judge(epochs(mean), epochs(patience) + 1, load);
        for epoch in (self.epoch + 1..=current).rev().take(EPOCHS) {
            *self.count(epoch) = Count::default();
        }
        self.epoch = current;
        self.pressed = false;
    }

    fn judge(&mut self, lag: u64, young: u64, load: Load) {
        let ripe = self.epoch.saturating_sub(young);
        let from = match self.phase {
            Phase::Calm => self.judged_from.max(ripe.saturating_sub(JUDGED)),
            // Where little may go, a trial takes longer.
            Phase::Trial(_) => self.judged_from.max(ripe.saturating_sub(PATIENT * JUDGED)).min(ripe),
        };
        let (first, failed) = self.sum(from..ripe);
        let enough = first >= LEAST_JUDGED;
        let share = f64::from(failed) / f64::from(first.max(1));
        let seen = self.seen();
        match self.phase {
            Phase::Calm if enough && share > self.usual + NOTICE && self.epoch >= self.untried_until => {
                self.cut(share, load);
            }
            // Failure codes come at once, and are not waited for.
            Phase::Calm if seen > self.usual + NOTICE && self.epoch >= self.untried_until => {
                self.cut(seen, load);
            }
            Phase::Calm => {
                if enough && share < self.usual {
                    self.usual += (share - self.usual) * 0.1;
                }
                let keeps_up = self.keeps_up(lag) && seen <= self.usual + NOTICE;
                if self.pressed && keeps_up {
                    self.rate = self.rate.max((self.rate * self.growth).min(self.cap).min(self.shown()));
                }
                self.window.step(keeps_up);
            }
            Phase::Trial(trial)
                if ripe >= trial.until && (enough || ripe >= trial.until + PATIENT * JUDGED) =>
            {
                self.end_trial(trial, enough.then_some(share), load);
            }
            Phase::Trial(_) => {}
        }
    }

    /// A trial is over; `share` is the share of failures now, if enough packets took part.
    fn end_trial(&mut self, trial: Trial, share: Option<f64>, load: Load) {
        let helped = share.is_some_and(|share| share <= trial.share * REMAINS);
        self.judged_from = self.epoch;
        let is_filled_up = !helped && self.is_filled_up(load);
        if is_filled_up && trial.deeper < MOST_DEEPER {
            self.rate = (self.rate / 2.0).max(FLOOR.min(self.rate));
            self.window.cut(load);
            self.judged_from = self.epoch + 1;
            let until = self.epoch + 1 + JUDGED;
            self.phase = Phase::Trial(Trial { until, deeper: trial.deeper + 1, ..trial });
            return;
        }
        self.phase = Phase::Calm;
        if helped {
            self.growth = SLOW;
            self.window.keep_cut(trial.window);
            self.reprieve = 0;
            return;
        }
        if is_filled_up {
            self.growth = SLOW;
            self.window.keep_cut(trial.window);
        } else {
            self.rate = trial.rate;
            self.window.restore(trial.window);
        }
        // Of one that is filled up, the names that it is late with are the ones that fail at any rate.
        let share = if is_filled_up { Some(self.late_share()) } else { share };
        self.usual = share.unwrap_or(self.usual).min(MOST_USUAL);
        self.reprieve = (self.reprieve * 2).clamp(FIRST_REPRIEVE, MOST_REPRIEVE);
        self.untried_until = self.epoch + self.reprieve;
    }

    fn late_share(&self) -> f64 {
        let recent = self.epoch.saturating_sub(PATIENT * JUDGED)..self.epoch;
        let (first, late) = recent.fold((0, 0), |(first, late), epoch| {
            let count = self.counts[slot(epoch)];
            (first + count.first, late + count.late)
        });
        f64::from(late) / f64::from(first.max(1))
    }

    /// Whether names that take long may fill the upstream up, so that a cut helps later than at once: many
    /// are late, and failure codes come for others.
    fn is_filled_up(&self, load: Load) -> bool {
        let recent = self.epoch.saturating_sub(JUDGED)..self.epoch + 1;
        let (codes, answered) = recent.fold((0, 0), |(codes, answered), epoch| {
            let count = self.counts[slot(epoch)];
            (codes + count.codes, answered + count.answered)
        });
        load.late >= MANY_LATE && load.late * 4 >= load.open && codes > 0 && codes * 10 >= answered
    }

    /// The share of first packets of the last epochs, this one included, that are known to have failed by
    /// now.
    fn seen(&self) -> f64 {
        let from = self.judged_from.max(self.epoch.saturating_sub(JUDGED));
        let (first, failed) = self.sum(from..self.epoch + 1);
        if first < LEAST_JUDGED { 0.0 } else { f64::from(failed) / f64::from(first) }
    }

    /// The rate that it has shown to answer at, doubled, or that at which it starts. Failure codes show
    /// nothing.
    fn shown(&self) -> f64 {
        let recent = self.epoch.saturating_sub(JUDGED)..self.epoch + 1;
        let most = recent.map(|epoch| self.counts[slot(epoch)].answered).max().unwrap_or(0);
        (FAST * f64::from(most) / EPOCH.as_secs_f64()).max(self.start_rate)
    }

    fn cut(&mut self, share: f64, load: Load) {
        // While it still rose, what came at first says little.
        let epochs = if self.growth > SLOW { RISING } else { JUDGED };
        let recent = self.epoch.saturating_sub(epochs)..self.epoch;
        let epochs = (recent.end - recent.start).max(1);
        let answered: u32 = recent.map(|epoch| self.counts[slot(epoch)].answered).sum();
        let answered = f64::from(answered) / (epochs as f64 * EPOCH.as_secs_f64());
        let until = self.epoch + 1 + JUDGED;
        let window = self.window.cut(load);
        self.phase = Phase::Trial(Trial { rate: self.rate, window, share, until, deeper: 0 });
        self.rate = answered.clamp(FLOOR.min(self.rate), self.rate);
        // What was sent before the cut says nothing about it, nor does what waits behind it.
        self.judged_from = self.epoch + 1;
    }

    /// Whether the answers of this epoch are in step with the packets that they answer.
    fn keeps_up(&self, lag: u64) -> bool {
        let sent = self.counts[slot(self.epoch.saturating_sub(lag.min(EPOCHS as u64 - 1)))].sent;
        let answered = self.counts[slot(self.epoch)].answered;
        answered > 0 && f64::from(answered) >= KEEPS_UP * f64::from(sent)
    }

    fn sum(&self, epochs: std::ops::Range<Epoch>) -> (u32, u32) {
        epochs.fold((0, 0), |(first, failed), epoch| {
            let count = self.counts[slot(epoch)];
            (first + count.first, failed + count.failed)
        })
    }

    fn remembers(&self, epoch: Epoch) -> bool {
        epoch + (EPOCHS as u64) > self.epoch
    }

    fn count(&mut self, epoch: Epoch) -> &mut Count {
        &mut self.counts[slot(epoch)]
    }
}

/// Whole epochs in a time.
fn epochs(time: Duration) -> u64 {
    u64::try_from(time.as_millis() / EPOCH.as_millis()).unwrap_or(0)
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below `EPOCHS`")]
fn slot(epoch: Epoch) -> usize {
    (epoch % EPOCHS as u64) as usize
}
