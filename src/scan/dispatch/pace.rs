//! How fast connections start: overall by `governor`, and for each prefix by the order itself.
//!
//! The order visits each block once a lap, so a lap of B blocks that takes at least 1/p seconds keeps every
//! prefix at p connections a second or fewer: the pace is min(R, p × B). With R = 100/s, p = 10/s and laps of
//! B = 4 blocks, the prefixes bind: 40/s, a visit each 25 ms, and a block's turn comes each 100 ms.
//!
//! A permit is taken by the thread that connects, right before it does: a thread that the machine held up
//! finds the bucket as time has filled it, and sends no burst of what it was permitted before. The bucket is
//! [`Rate::burst`] deep, ten milliseconds' worth, less one for each thread that may be held up between its
//! permit and its SYN.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::rate::Rate;

/// The most permits in one batch: what a worker starts without looking up.
pub const MAX_BATCH: u32 = 256;
/// A batch is this share of a second's permits.
const BATCHES_PER_SECOND: f64 = 250.0;

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<std::time::Instant>>;

/// How many connections make a batch at a rate: four milliseconds' worth.
pub fn batch(rate: Rate) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=256 first")]
    let batch = (rate.per_second() / BATCHES_PER_SECOND).clamp(1.0, f64::from(MAX_BATCH)) as u32;
    batch
}

/// The overall pace, kept by all workers together.
#[derive(Debug)]
pub struct Pace(Option<Limiter>);

impl Pace {
    /// A pace of `rate` connections a second over so many threads.
    pub fn new(rate: Rate, threads: usize) -> Self {
        if rate == Rate::Unlimited {
            return Self(None);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 1e7")]
        let burst = (rate.burst() as u32).saturating_sub(u32::try_from(threads).unwrap_or(u32::MAX));
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(rate.interval()).map(|quota| quota.allow_burst(burst));
        Self(quota.map(|quota| RateLimiter::direct_with_clock(quota, MonotonicClock)))
    }

    /// Whether a connection may start now; it is then taken as started.
    pub fn is_due(&self) -> bool {
        self.0.as_ref().is_none_or(|limiter| limiter.check().is_ok())
    }

    /// Waits until a connection may start; it is then to start without a further wait.
    pub async fn wait(&self) {
        let Some(limiter) = &self.0 else { return };
        while let Err(not_yet) = limiter.check() {
            tokio::time::sleep(not_yet.wait_time_from(MonotonicClock.now())).await;
        }
    }
}

/// The pace of laps: one visit of each block in 1/p seconds.
#[derive(Debug)]
pub struct LapPacer {
    prefix_rate: Rate,
    due: Option<Instant>,
    /// The start of the last visits that were.
    last: Option<Instant>,
    /// Whether there were visits since the last rest.
    visited: bool,
}

impl LapPacer {
    /// A pace of `prefix_rate` connections a second for each prefix.
    pub fn new(prefix_rate: Rate) -> Self {
        Self { prefix_rate, due: None, last: None, visited: false }
    }

    /// How many visits a batch may hold in a lap of `blocks`: four milliseconds' worth, as overall.
    pub fn batch(&self, blocks: u128) -> u32 {
        let Rate::PerSecond(each) = self.prefix_rate else { return MAX_BATCH };
        let share = (each * blocks as f64 / BATCHES_PER_SECOND).clamp(1.0, f64::from(MAX_BATCH));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=256")]
        let share = share as u32;
        share
    }

    /// When the next visits may start, counted from `now`; they are then taken as started.
    pub fn book(&mut self, now: Instant, visits: u32, blocks: u128) -> Instant {
        let start = self.advance(now, visits, blocks);
        self.last = Some(start);
        self.visited = true;
        start
    }

    /// So many visits don't take place here; their time passes. An interval after the last that did, every
    /// prefix is rested, however many were passed over.
    pub fn pass_over(&mut self, now: Instant, visits: u32, blocks: u128) {
        self.advance(now, visits, blocks);
        let rested = self.last.map_or(now, |last| last + self.interval());
        self.due = self.due.map(|due| due.min(rested.max(now)));
    }

    /// Lets the time of so many visits pass; when they start.
    fn advance(&mut self, now: Instant, visits: u32, blocks: u128) -> Instant {
        let Rate::PerSecond(each) = self.prefix_rate else { return now };
        let start = self.due.map_or(now, |due| due.max(now));
        let lasts = f64::from(visits) / (each * (blocks.max(1) as f64));
        self.due = Some(start + Duration::from_secs_f64(lasts));
        start
    }

    /// The shortest time between two visits of a prefix.
    pub fn interval(&self) -> Duration {
        self.prefix_rate.interval()
    }

    /// When every prefix that the order visited is rested: at once if there were no visits since the last
    /// [`LapPacer::rest`].
    pub fn rested(&self, now: Instant) -> Instant {
        if self.visited { now + self.interval() } else { now }
    }

    /// Lets no visit of the order follow one that had no place in it by less than a prefix's interval.
    pub fn rest(&mut self, now: Instant) {
        let rested = now + self.prefix_rate.interval();
        self.last = Some(now);
        self.visited = false;
        self.due = Some(self.due.map_or(rested, |due| due.max(rested)));
    }
}

/// What binds the rate of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `--rate`.
    Rate,
    /// `--prefix-rate` times the prefixes in a lap.
    Prefixes,
    /// Conversations at once, over the time that a silent target holds one.
    Descriptors,
    /// Nothing but the machine.
    Machine,
}

/// The rate in force at the start, and what bounds it. `holding` is how long a silent target keeps its place.
pub fn in_force(
    rate: Rate,
    prefix_rate: Rate,
    blocks: u128,
    concurrency: usize,
    holding: Duration,
) -> (Rate, Bound) {
    let prefixes = prefix_rate.per_second() * blocks.max(1) as f64;
    let descriptors = concurrency as f64 / holding.as_secs_f64().max(1e-3);
    let overall = rate.per_second();
    let least = overall.min(prefixes);
    if least.is_infinite() {
        (Rate::Unlimited, Bound::Machine)
    } else if descriptors < least {
        (Rate::PerSecond(descriptors), Bound::Descriptors)
    } else if prefixes < overall {
        (Rate::PerSecond(prefixes), Bound::Prefixes)
    } else {
        (rate, Bound::Rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_stays_within_the_promised_burst() {
        for each in [0.05, 1.0, 50.0, 249.0, 1000.0, 20_000.0] {
            let rate = Rate::PerSecond(each);
            let pace = Pace::new(rate, 2);
            let begin = std::time::Instant::now();
            let mut at_once = 0;
            while pace.is_due() {
                at_once += 1;
                assert!(at_once < 2_000, "no bucket is that deep");
            }
            // The checks take time, in which permits are earned.
            let earned = each * begin.elapsed().as_secs_f64();
            assert!(f64::from(at_once) <= rate.burst() + earned, "{each}/s let {at_once} out at once");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn laps_keep_each_prefix_at_its_rate() {
        for (prefix_rate, blocks) in [(10.0, 1u128), (10.0, 4), (10.0, 3000), (0.5, 2)] {
            let mut pace = LapPacer::new(Rate::PerSecond(prefix_rate));
            let mut now = Instant::now();
            let (mut visits, begin) = (0u32, now);
            while visits < 20_000 {
                let batch = pace.batch(blocks);
                now = pace.book(now, batch, blocks);
                visits += batch;
            }
            let last_batch = f64::from(pace.batch(blocks));
            let laps = (f64::from(visits) - last_batch) / blocks as f64;
            let rate = laps / (now - begin).as_secs_f64();
            assert!(
                (rate / prefix_rate - 1.0).abs() < 0.01,
                "{rate} a second where {prefix_rate} were allowed"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_is_not_made_up_for() {
        let mut pace = LapPacer::new(Rate::PerSecond(10.0));
        let begin = Instant::now();
        pace.book(begin, 1, 1);
        let late = begin + Duration::from_secs(5);
        assert_eq!(pace.book(late, 1, 1), late);
        assert_eq!(pace.book(late, 1, 1), late + Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_passed_over_takes_time_but_no_more_than_an_interval() {
        let mut pace = LapPacer::new(Rate::PerSecond(10.0));
        let begin = Instant::now();
        pace.pass_over(begin, 5000, 4);
        assert_eq!(pace.book(begin, 1, 4), begin, "nobody was visited");
        pace.pass_over(begin, 1, 4);
        assert_eq!(pace.book(begin, 1, 4), begin + Duration::from_millis(50));
        pace.pass_over(begin, 5000, 1);
        assert_eq!(pace.book(begin, 1, 4), begin + Duration::from_millis(150));
        pace.rest(begin + Duration::from_millis(400));
        pace.pass_over(begin + Duration::from_millis(400), 1, 4);
        assert_eq!(pace.book(begin + Duration::from_millis(400), 1, 4), begin + Duration::from_millis(500));
    }

    #[test]
    fn what_binds_is_told() {
        let hold = Duration::from_secs(5);
        let per = Rate::PerSecond;
        for (rate, prefix_rate, blocks, concurrency, bound) in [
            (per(1000.0), per(10.0), 1000, 20_000, (per(1000.0), Bound::Rate)),
            (per(1000.0), per(10.0), 4, 20_000, (per(40.0), Bound::Prefixes)),
            (per(1000.0), per(10.0), 1000, 500, (per(100.0), Bound::Descriptors)),
            (Rate::Unlimited, Rate::Unlimited, 4, 500, (Rate::Unlimited, Bound::Machine)),
        ] {
            assert_eq!(in_force(rate, prefix_rate, blocks, concurrency, hold), bound);
        }
    }
}
