//! Looks now and then whether each upstream is of use, and tells of those that are not. What counts as such
//! is in `trust`; knows no question.

use std::time::{Duration, Instant};

use super::health::{Health, UpstreamHealth};
use super::trust::{UpstreamBehavior, UpstreamWarning, Useless, UselessWatch};

/// How often.
const LOOK: Duration = Duration::from_millis(500);

/// All upstreams.
#[derive(Debug)]
pub(super) struct UseOfUpstreams {
    watches: Vec<UselessWatch>,
    looked: Option<Instant>,
}

impl UseOfUpstreams {
    /// Nothing seen yet, of so many upstreams.
    pub(super) fn new(upstreams: usize) -> Self {
        Self { watches: (0..upstreams).map(|_| UselessWatch::default()).collect(), looked: None }
    }

    /// Looks if it is time to; tells how long it is not.
    pub(super) fn look(
        &mut self,
        health: &Health,
        now: Instant,
        mut tell: impl FnMut(&UpstreamWarning),
    ) -> Duration {
        let since = self.looked.map(|at| now.saturating_duration_since(at));
        if let Some(since) = since.filter(|since| *since < LOOK) {
            return LOOK.checked_sub(since).unwrap_or(LOOK);
        }
        self.looked = Some(now);
        for (watch, upstream) in self.watches.iter_mut().zip(&health.upstreams) {
            if let Some(useless) = watch.look(upstream, now) {
                tell(&warning(upstream, useless));
            }
        }
        LOOK
    }

    /// A look when nothing is left to be asked, for now or for good.
    pub(super) fn last_look(
        &mut self,
        health: &Health,
        now: Instant,
        mut tell: impl FnMut(&UpstreamWarning),
    ) {
        for (watch, upstream) in self.watches.iter_mut().zip(&health.upstreams) {
            if let Some(useless) = watch.last_look(upstream, now) {
                tell(&warning(upstream, useless));
            }
        }
    }
}

fn warning(upstream: &UpstreamHealth, useless: Useless) -> UpstreamWarning {
    UpstreamWarning { upstream: upstream.address, behavior: UpstreamBehavior::Useless(useless) }
}
