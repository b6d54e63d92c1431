//! When connections began that were established. The path from here worked then: that tells a target that
//! fails from a path that fails. A greeting may take a minute, so this is noted as soon as the connection is
//! there.
//!
//! Kept are the begin of the latest one, and for each hundredth of a second of the last minutes the latest
//! begin in it, of those that needed no second SYN: the first SYN of the others was lost, so they say nothing
//! of the time it was sent.
//!
//! By example: the path swallows everything from second 10 to second 15. Connections began until 10.00 and
//! again from 15.00 on. A target that was silent from 10.3 to 15.3 had no chance: none began between 10.3 and
//! 12.8. One that was silent from 14.0 to 19.0 is silent by itself: connections began at 15.0, and its SYN
//! was sent again after that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// Microseconds of a stretch of time of which the latest begin is kept.
const GRAIN: u64 = 10_000;
/// Stretches that are kept: 82 seconds.
const GRAINS: u64 = 8_192;
/// A connection attempt that lasts so long sends its SYN again in its second half (RFC 6298 §5.5: after one
/// second, then each time twice as late).
const TWO_SYNS: Duration = Duration::from_secs(2);
/// So soon after an attempt another one that is established shows that the path worked for a single SYN.
const SOON: Duration = Duration::from_millis(50);

/// Whether a connection was established by its first SYN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// The first SYN was answered.
    Clean,
    /// A later one was.
    Resent,
}

/// When connections began that were established, shared by all conversations of a scan. Times are kept as
/// microseconds since `begin`, and one more; 0 stands for never.
#[derive(Debug)]
pub struct ConnectionTimes {
    begin: Instant,
    last: AtomicU64,
    clean: Box<[AtomicU64]>,
}

impl Default for ConnectionTimes {
    fn default() -> Self {
        let clean = (0..GRAINS).map(|_| AtomicU64::new(0)).collect();
        Self { begin: Instant::now(), last: AtomicU64::new(0), clean }
    }
}

impl ConnectionTimes {
    /// A connection was established that began then.
    pub fn note(&self, began: Instant, handshake: Handshake) {
        let time = self.time(began);
        self.last.fetch_max(time, Relaxed);
        if handshake == Handshake::Clean
            && let Some(latest) = self.clean.get(place(time / GRAIN))
        {
            latest.fetch_max(time, Relaxed);
        }
    }

    /// When the latest of them began, if any was established.
    pub fn latest(&self) -> Option<Instant> {
        let time = self.last.load(Relaxed);
        (time > 0).then(|| self.instant(time))
    }

    /// Whether the path worked while a target was silent that was attempted between these times: another
    /// connection began and was established so early that the target would have got a SYN after it.
    pub fn path_worked(&self, since: Instant, at: Instant) -> bool {
        let lasted = at.saturating_duration_since(since);
        let window = if lasted < TWO_SYNS { SOON } else { lasted / 2 };
        let (first, last) = (self.time(since), self.time(since + window));
        let is_within = |time: u64| time > first && time <= last;
        (first / GRAIN..=last / GRAIN).filter_map(|grain| self.latest_in(grain)).any(is_within)
    }

    /// The time around an instant in which none began, as far as it is remembered.
    pub fn gap(&self, at: Instant) -> (Instant, Instant) {
        let time = self.time(at);
        let grain = time / GRAIN;
        let first = grain.saturating_sub(GRAINS - 1);
        let before = (first..=grain).rev().filter_map(|grain| self.latest_in(grain)).find(|&it| it <= time);
        let after = (grain..grain + GRAINS).find(|&grain| self.latest_in(grain).is_some_and(|it| it > time));
        // The first begin in a stretch is not known: it is at its end at the latest.
        let until = after.map_or((grain + GRAINS) * GRAIN, |grain| (grain + 1) * GRAIN);
        (self.instant(before.unwrap_or(first * GRAIN)), self.instant(until))
    }

    fn latest_in(&self, grain: u64) -> Option<u64> {
        let latest = self.clean.get(place(grain))?.load(Relaxed);
        (latest > 0 && latest / GRAIN == grain).then_some(latest)
    }

    fn time(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.begin).as_micros();
        u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn instant(&self, time: u64) -> Instant {
        self.begin + Duration::from_micros(time.saturating_sub(1))
    }
}

fn place(grain: u64) -> usize {
    usize::try_from(grain % GRAINS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(begin: Instant, milliseconds: u64) -> Instant {
        begin + Duration::from_millis(milliseconds)
    }

    #[tokio::test(start_paused = true)]
    async fn the_latest_begin_counts_in_whatever_order_they_are_noted() {
        let times = ConnectionTimes::default();
        assert_eq!(times.latest(), None);
        let begin = times.begin;
        for (seconds, handshake) in [(0, Handshake::Clean), (7, Handshake::Resent), (3, Handshake::Clean)] {
            times.note(begin + Duration::from_secs(seconds), handshake);
        }
        assert_eq!(times.latest(), Some(begin + Duration::from_secs(7)));
    }

    /// The path swallows everything from second 10 to second 15.
    fn outage() -> ConnectionTimes {
        let times = ConnectionTimes::default();
        for milliseconds in (0..30_000).step_by(5) {
            let handshake = match milliseconds {
                10_000..15_000 => Handshake::Resent,
                _ => Handshake::Clean,
            };
            times.note(at(times.begin, milliseconds), handshake);
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_was_silent_while_the_path_was_had_no_chance() {
        let times = outage();
        for (since, until, worked) in [
            (4_000, 9_000, true),
            (9_980, 14_980, true),
            (9_994, 14_994, true),
            // Right after the last that was established.
            (9_995, 14_995, false),
            (10_000, 15_000, false),
            (10_990, 15_990, false),
            (12_000, 17_000, false),
            (14_000, 19_000, true),
            // With one SYN alone.
            (9_940, 10_940, true),
            (12_000, 13_000, false),
            (14_900, 15_900, false),
            (14_990, 15_990, true),
        ] {
            let told = times.path_worked(at(times.begin, since), at(times.begin, until));
            assert_eq!(told, worked, "{since} to {until}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_gap_reaches_from_the_last_that_was_established_to_the_next() {
        let times = outage();
        let gap = |milliseconds| {
            let (from, until) = times.gap(at(times.begin, milliseconds));
            ((from - times.begin).as_millis(), (until - times.begin).as_millis())
        };
        assert_eq!(gap(12_000), (9_995, 15_009));
        assert_eq!(gap(9_995), (9_995, 15_009));
        assert_eq!(gap(50_000), (29_995, 131_919), "nobody knows the end yet");
        times.note(at(times.begin, 400_000), Handshake::Clean);
        assert_eq!(gap(400_100).0, 400_000);
    }
}
