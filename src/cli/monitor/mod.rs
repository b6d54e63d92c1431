//! What a running scan tells programs: lines of JSON in a file, and metrics over HTTP. Reads the scan's counters; stops
//! with the scan, and never stops it.

pub mod http;
pub mod metrics;
pub mod status;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::bar::{Watched, time_left};
use crate::evidence::Outcome;
use crate::judge::Verdict;
use http::Server;
use status::Status;

/// A rate is that of about this long.
const RATE_OVER: Duration = Duration::from_secs(1);

/// Where a scan tells of itself.
#[derive(Debug, Clone, Default)]
pub struct Places {
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
    /// Opens what was asked for. `Err` if a place can't be had: before the first connection a person can mend it.
    pub fn start(places: &Places, watched: &Watched) -> anyhow::Result<Self> {
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

/// The figures of one moment.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    pub(super) elapsed: Duration,
    /// Connections a second, further attempts included.
    pub(super) rate: f64,
    left: Option<Duration>,
    outcomes: [(&'static str, u64); Outcome::ALL.len()],
    verdicts: [(&'static str, u64); Verdict::ALL.len()],
}

/// Takes figures, and the rate between them.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) watched: Watched,
    began: Instant,
    /// When the rate was last taken, and the count of connections then.
    since: (Instant, u64),
    rate: f64,
}

impl Meter {
    /// Starts now.
    pub(super) fn new(watched: Watched) -> Self {
        let now = Instant::now();
        let before = connections(&watched);
        Self { watched, began: now, since: (now, before), rate: 0.0 }
    }

    /// The figures now.
    pub(super) fn figures(&mut self, now: Instant) -> Figures {
        let count = connections(&self.watched);
        let passed = now.saturating_duration_since(self.since.0);
        if passed >= RATE_OVER {
            self.rate = count.saturating_sub(self.since.1) as f64 / passed.as_secs_f64();
            self.since = (now, count);
        }
        let progress = &self.watched.progress;
        let elapsed = now.saturating_duration_since(self.began);
        let (done, turns) = (progress.turns_done.load(Relaxed), progress.turns.load(Relaxed));
        Figures {
            elapsed,
            rate: self.rate,
            left: time_left(done, turns, elapsed),
            outcomes: Outcome::ALL.map(|outcome| (outcome.as_str(), progress.outcome(outcome))),
            verdicts: Verdict::ALL.map(|verdict| (verdict.as_str(), progress.verdict(verdict))),
        }
    }
}

fn connections(watched: &Watched) -> u64 {
    watched.progress.drawn.load(Relaxed) + watched.progress.retried.load(Relaxed)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::resolve::Health;
    use crate::scan::progress::{Fate, Progress};

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
        watched.progress.count(Outcome::Greeted, Some(Verdict::Match), Fate::Written);
        watched.progress.count(Outcome::Refused, None, Fate::Dropped);
        watched.health.answers.store(3, Relaxed);
        watched.health.upstreams[0].sent.store(4, Relaxed);
        watched
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let mut meter = Meter::new(watched());
        let began = meter.began;
        assert!(meter.figures(began + Duration::from_millis(500)).rate.abs() < 1e-9, "too early to tell");
        meter.watched.progress.drawn.store(410, Relaxed);
        let figures = meter.figures(began + Duration::from_secs(3));
        assert!((figures.rate - 100.0).abs() < 1e-9, "{figures:?}");
        assert_eq!(figures.left, Some(Duration::from_secs(9)));
        assert!((meter.figures(began + Duration::from_millis(3500)).rate - 100.0).abs() < 1e-9);
        assert!(meter.figures(began + Duration::from_secs(6)).rate.abs() < 1e-9, "nothing went on since");
    }
}
