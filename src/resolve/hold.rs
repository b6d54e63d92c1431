//! Cases whose answers wait for controls of the upstreams that gave them. Bounded in number, for intake waits
//! when there are many, and in time. Time is an argument; knows no upstream.
//!
//! By example, with a DNS timeout of 2 s: host 1 has a denial at 10 s, and is held. Other hosts are still
//! being asked until 30 s. From then on host 1 has 4 s left for a control to confirm the denial, or 2 s if
//! one has failed.

use std::time::{Duration, Instant};

/// With so many cases held no others are taken in.
pub(super) const MOST_HELD: usize = 12_000;
/// How long a case is held while others are being asked. A watermark keeps a bit for each turn since the
/// first that is open, as for [`super::later`].
const LONGEST: Duration = Duration::from_secs(300);
/// How long a case is held, after the last answers, if nothing is to be expected of its upstream.
const HOPELESS: Duration = Duration::from_secs(2);
/// How long a case is still held once the scan is to end: shorter than whoever writes its record waits.
const HURRIED: Duration = Duration::from_secs(1);

/// What is to be expected of a case's upstreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hope {
    /// No control has failed.
    Open,
    /// A control has failed, or others have waited in vain.
    Little,
}

/// Who waits.
#[derive(Debug)]
pub(super) struct Hold<C> {
    pub(super) cases: Vec<C>,
    /// Twice the DNS timeout.
    patience: Duration,
    /// Since when no case has been asked about.
    quiet_since: Option<Instant>,
    /// Since when there is no time to wait.
    hurried_since: Option<Instant>,
}

impl<C> Hold<C> {
    /// Nobody waits; those who will have `patience` after the last answers.
    pub(super) fn new(patience: Duration) -> Self {
        Self { cases: Vec::new(), patience, quiet_since: None, hurried_since: None }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.cases.len()
    }

    /// Takes note of whether any case is being asked about.
    pub(super) fn is_quiet(&mut self, is_quiet: bool, now: Instant) {
        self.quiet_since = is_quiet.then(|| self.quiet_since.unwrap_or(now));
    }

    /// From the first call on, cases wait a moment only.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.hurried_since.get_or_insert(now);
    }

    /// Whether a case that was held since then has waited long enough.
    pub(super) fn is_over(&self, since: Instant, hope: Hope, now: Instant) -> bool {
        let patience = match hope {
            Hope::Open => self.patience,
            Hope::Little => self.patience.min(HOPELESS),
        };
        let last = self.quiet_since.map(|quiet| quiet.max(since) + patience);
        let hurried = self.hurried_since.map(|hurried| hurried + HURRIED);
        last.into_iter().chain(hurried).chain([since + LONGEST.max(self.patience)]).any(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_runs_from_the_last_answers_of_all_and_is_short_where_a_control_has_failed() {
        let start = Instant::now();
        let at = |tenths: u64| start + Duration::from_millis(100 * tenths);
        let mut hold: Hold<u8> = Hold::new(Duration::from_secs(4));
        assert!(!hold.is_over(start, Hope::Little, at(2999)), "others are still being asked");
        assert!(hold.is_over(start, Hope::Open, at(3000)), "but not for ever");
        hold.is_quiet(true, at(100));
        hold.is_quiet(true, at(110));
        for (hope, tenths, is_over) in [
            (Hope::Little, 119, false),
            (Hope::Little, 120, true),
            (Hope::Open, 139, false),
            (Hope::Open, 140, true),
        ] {
            assert_eq!(hold.is_over(start, hope, at(tenths)), is_over, "{hope:?} {tenths}");
        }
        assert!(!hold.is_over(at(115), Hope::Little, at(120)), "who came later waits as long");
        hold.is_quiet(false, at(130));
        assert!(!hold.is_over(start, Hope::Open, at(200)));
        hold.hurry(at(200));
        hold.hurry(at(205));
        assert!(!hold.is_over(start, Hope::Open, at(209)), "a scan that ends waits for a moment");
        assert!(hold.is_over(start, Hope::Open, at(210)), "and no longer");
    }
}
