//! What a running scan tells programs: lines of JSON in a file, and metrics over HTTP. Reads the scan's
//! counters; stops with the scan, and never stops it.

pub mod http;
pub mod metrics;
pub mod status;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use crate::evidence::Outcome;
use crate::judge::Verdict;
use crate::resolve::Health;
use crate::scan::progress::Progress;
use http::Server;
use status::Status;

/// A rate is that of about this long.
const RATE_OVER: Duration = Duration::from_secs(1);
/// What is left is told by the pace of this long: shorter, and it jumps with each network that ends.
const PACE_OVER: Duration = Duration::from_secs(30);
/// Before that, too little is known to tell what is left.
const TELLING: Duration = Duration::from_secs(2);

/// Where a scan tells of itself.
#[derive(Debug, Clone, Default)]
pub struct ConcurrencyLimiter {
    /// A file for lines of JSON.
    pub status: Option<PathBuf>,
    /// What becomes of the lines that are there.
    pub opening: Opening,
    /// An address at which metrics can be fetched.
    pub metrics: Option<SocketAddr>,
}

/// What becomes of the lines that a status file holds already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opening {
    /// They are replaced.
    #[default]
    Anew,
    /// They stay: this scan goes on from the one that wrote them.
    AtEnd,
}

/// How a scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// All targets had their turn.
    Complete,
    /// It stopped before; it can be resumed.
    Stopped,
    /// It could not go on.
    Failed,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// Both, while the scan runs.
pub struct Monitor {
    status: Option<Status>,
    _metrics: Option<Server>,
}

impl Monitor {
    /// Opens what was asked for. `Err` if a place can't be had: before the first connection a person can mend
    /// it.
    pub fn start(places: &ConcurrencyLimiter, watched: &Watched) -> anyhow::Result<Self> {
        let start = |path| Status::start(path, places.opening, watched.clone());
        let status = places.status.as_deref().map(start).transpose()?;
        let metrics = places.metrics.map(|address| Server::start(address, watched.clone())).transpose()?;
        Ok(Self { status, _metrics: metrics })
    }

    /// Says how it ended; without it, a scan has failed.
    pub fn end(mut self, state: State) {
        if let Some(status) = self.status.take() {
            status.end(state);
        }
    }
}

/// What is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The scan.
    pub progress: Arc<Progress>,
    /// The resolver.
    pub health: Arc<Health>,
}

/// The figures of one moment.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    pub(super) elapsed: Duration,
    /// Connections a second, further attempts included.
    pub(super) rate: f64,
    /// Attempts that end a second.
    pub(super) ended_rate: f64,
    pub(super) left: Option<Duration>,
    outcomes: [(&'static str, u64); Outcome::ALL.len()],
    verdicts: [(&'static str, u64); Verdict::ALL.len()],
}

/// The counters of one moment that rates are made of.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    drawn: u64,
    retried: u64,
    done: u64,
}

impl Sample {
    fn of(watched: &Watched, at: Instant) -> Self {
        let progress = &watched.progress;
        let (drawn, retried) = (progress.drawn.load(Relaxed), progress.retried.load(Relaxed));
        Self { at, drawn, retried, done: progress.turns_done.load(Relaxed) }
    }

    fn connections(self) -> u64 {
        self.drawn + self.retried
    }

    /// Attempts that ended: each turn's last, and those that were followed by another.
    fn ended(self) -> u64 {
        self.done + self.retried
    }
}

/// Takes figures, and the rates between them.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) watched: Watched,
    /// When it began.
    first: Sample,
    /// Moments at least [`RATE_OVER`] apart, of the last [`PACE_OVER`].
    samples: VecDeque<Sample>,
    rate: f64,
    ended_rate: f64,
}

impl Meter {
    /// Starts now.
    pub(super) fn new(watched: Watched) -> Self {
        let first = Sample::of(&watched, Instant::now());
        Self { watched, first, samples: VecDeque::from([first]), rate: 0.0, ended_rate: 0.0 }
    }

    /// The figures now.
    pub(super) fn figures(&mut self, now: Instant) -> Figures {
        let sample = Sample::of(&self.watched, now);
        let last = self.samples.back().copied().unwrap_or(self.first);
        let passed = now.saturating_duration_since(last.at);
        if passed >= RATE_OVER {
            let a_second = |more: u64, before: u64| more.saturating_sub(before) as f64 / passed.as_secs_f64();
            self.rate = a_second(sample.connections(), last.connections());
            self.ended_rate = a_second(sample.ended(), last.ended());
            self.samples.push_back(sample);
            while self.samples.get(1).is_some_and(|next| now.saturating_duration_since(next.at) >= PACE_OVER)
            {
                self.samples.pop_front();
            }
        }
        let progress = &self.watched.progress;
        Figures {
            elapsed: now.saturating_duration_since(self.first.at),
            rate: self.rate,
            ended_rate: self.ended_rate,
            left: self.left(sample),
            outcomes: Outcome::ALL.map(|outcome| (outcome.as_str(), progress.outcome(outcome))),
            verdicts: Verdict::ALL.map(|verdict| (verdict.as_str(), progress.verdict(verdict))),
        }
    }

    /// What is left at the pace of late, in whole seconds; nothing while there is too little to tell by.
    ///
    /// What is counted are attempts: of a block that is mostly silent, only few turns end before the second
    /// pass.
    fn left(&self, now: Sample) -> Option<Duration> {
        let turns = self.watched.progress.turns.load(Relaxed);
        let since = self.samples.front().copied().unwrap_or(self.first);
        let passed = now.at.saturating_duration_since(since.at);
        let ended = now.ended().saturating_sub(since.ended());
        if now.done >= turns || ended == 0 || now.at.saturating_duration_since(self.first.at) < TELLING {
            return None;
        }
        let in_flight = self.watched.progress.in_flight.load(Relaxed);
        let drawn = now.drawn.saturating_sub(self.first.drawn).min(turns);
        // Once all are drawn, those under way are further attempts.
        let tried = if now.drawn >= turns { drawn } else { drawn.saturating_sub(in_flight) }.max(1);
        let again = (now.retried.saturating_sub(self.first.retried) as f64 / tried as f64).min(MAX_AGAIN);
        let expected = (turns - now.done) as f64;
        // Of those not tried yet, some will be tried again; of those that are, this is their last attempt.
        let untried = turns.saturating_sub(self.first.drawn + tried) as f64;
        let attempts = expected + untried * again;
        Duration::try_from_secs_f64((attempts / ended as f64 * passed.as_secs_f64()).round()).ok()
    }
}

/// The most attempts after the first (`--retries` is a byte).
const MAX_AGAIN: f64 = 255.0;

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::resolve::Health;
    use crate::scan::progress::{Progress, Retention};

    /// A scan at work: 400 turns, 100 done, two records.
    pub(in crate::cli) fn watched() -> Watched {
        let watched = Watched {
            progress: Arc::new(Progress::default()),
            health: Arc::new(Health::new(&["192.0.2.53:53".parse().unwrap()])),
        };
        watched.progress.turns.store(400, Relaxed);
        watched.progress.turns_done.store(100, Relaxed);
        watched.progress.drawn.store(110, Relaxed);
        watched.progress.in_flight.store(10, Relaxed);
        watched.progress.count(Outcome::Greeted, Some(Verdict::Match), Retention::Written);
        watched.progress.count(Outcome::Refused, None, Retention::Dropped);
        watched.health.answers.store(3, Relaxed);
        watched.health.upstreams[0].sent.store(4, Relaxed);
        watched
    }

    /// A meter of a scan that has done all this since it was started.
    pub(in crate::cli) fn meter() -> Meter {
        let mut meter = Meter::new(watched());
        let first = Sample { at: meter.first.at, drawn: 0, retried: 0, done: 0 };
        (meter.first, meter.samples) = (first, VecDeque::from([first]));
        meter
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut meter = Meter::new(watched());
        let began = meter.first.at;
        assert!(meter.figures(began + Duration::from_millis(500)).rate.abs() < 1e-9, "too early to tell");
        meter.watched.progress.drawn.store(410, Relaxed);
        meter.watched.progress.turns_done.store(340, Relaxed);
        let figures = meter.figures(began + Duration::from_secs(3));
        assert!((figures.rate - 100.0).abs() < 1e-9, "{figures:?}");
        assert!((figures.ended_rate - 80.0).abs() < 1e-9, "{figures:?}");
        assert!((meter.figures(began + Duration::from_millis(3500)).rate - 100.0).abs() < 1e-9);
        assert!(meter.figures(began + Duration::from_secs(6)).rate.abs() < 1e-9, "nothing went on since");
    }

    #[test]
    fn conversations_that_only_end_have_a_rate_too() {
        let mut meter = Meter::new(watched());
        meter.watched.progress.turns_done.store(200, Relaxed);
        let figures = meter.figures(meter.first.at + Duration::from_secs(1));
        assert!((figures.ended_rate - 100.0).abs() < 1e-9 && figures.rate.abs() < 1e-9, "{figures:?}");
    }

    /// A scan of `turns` at 100 attempts a second, of which `silent` in a hundred time out after five seconds
    /// and are tried once more when all were tried once; the time left as told in each second, and as it was.
    fn told(turns: u64, silent: u64) -> Vec<(u64, u64, f64)> {
        const RATE: u64 = 100;
        const TIMEOUT: u64 = 5;
        let watched = watched();
        let progress = Arc::clone(&watched.progress);
        progress.turns.store(turns, Relaxed);
        progress.turns_done.store(0, Relaxed);
        progress.drawn.store(0, Relaxed);
        let mut meter = Meter::new(watched);
        let again = turns * silent / 100;
        let lasts = (turns + again) / RATE + TIMEOUT;
        (1..lasts)
            .map(|second| {
                let started = (second * RATE).min(turns + again);
                let timed_out = (second.saturating_sub(TIMEOUT) * RATE).min(turns + again);
                let first = started.min(turns);
                let answered = first - first * silent / 100;
                let retried = timed_out.min(turns) * silent / 100;
                let given_up = timed_out.saturating_sub(turns);
                progress.drawn.store(first, Relaxed);
                progress.retried.store(retried, Relaxed);
                progress.turns_done.store(answered + given_up, Relaxed);
                progress.in_flight.store(started - answered - retried - given_up, Relaxed);
                let left = meter.figures(meter.first.at + Duration::from_secs(second)).left;
                (second, lasts - second, left.map_or(f64::NAN, |left| left.as_secs_f64()))
            })
            .collect()
    }

    #[test]
    fn the_time_left_is_right_by_half_from_a_tenth_of_the_scan_on() {
        for (turns, silent) in [(10_000, 0), (10_000, 50), (10_000, 80), (10_000, 99), (100_000, 95)] {
            for (second, left, told) in told(turns, silent) {
                let is_begun = second * 100 * 10 > turns && second > 10;
                if is_begun && left > 10 {
                    let off = told / left as f64;
                    assert!(
                        (0.5..2.0).contains(&off),
                        "{silent} % silent, second {second}: {told}, not {left}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_time_left_is_not_guessed_from_nothing() {
        let left = |done: u64, turns: u64, seconds: u64| {
            let mut meter = Meter::new(watched());
            meter.watched.progress.turns.store(turns, Relaxed);
            meter.watched.progress.turns_done.store(100 + done, Relaxed);
            meter.figures(meter.first.at + Duration::from_secs(seconds)).left.map(|left| left.as_secs())
        };
        assert_eq!(left(0, 400, 9), None, "nothing ended");
        assert_eq!(left(300, 400, 9), None, "all ended");
        assert_eq!(left(5, 400, 1), None, "too early");
        assert_eq!(left(150, 400, 4), Some(4));
        assert_eq!(left(1, u64::MAX, 4), None, "longer than any clock counts");
    }
}
