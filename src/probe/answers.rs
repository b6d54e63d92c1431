//! When a connection was last established, by any conversation of a scan. A greeting may take a minute; that the path
//! works is known as soon as the connection is there.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Shared by all conversations of a scan.
#[derive(Debug)]
pub struct LastAnswer {
    begin: Instant,
    /// Microseconds since `begin`, and one more; 0 stands for never.
    last: AtomicU64,
}

impl Default for LastAnswer {
    fn default() -> Self {
        Self { begin: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl LastAnswer {
    /// A connection was established at that time.
    pub fn note(&self, at: Instant) {
        let since = at.saturating_duration_since(self.begin).as_micros();
        self.last.fetch_max(u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1), Relaxed);
    }

    /// When the last one was established, if any was.
    pub fn at(&self) -> Option<Instant> {
        let since = self.last.load(Relaxed).checked_sub(1)?;
        Some(self.begin + Duration::from_micros(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_latest_answer_counts_in_whatever_order_they_are_noted() {
        let answers = LastAnswer::default();
        assert_eq!(answers.at(), None);
        let begin = Instant::now();
        for seconds in [0, 7, 3] {
            answers.note(begin + Duration::from_secs(seconds));
        }
        assert_eq!(answers.at(), Some(begin + Duration::from_secs(7)));
    }
}
