//! How much goes out unheard: an upstream that pauses, as one does that the system runs nothing of for a
//! while, is not sent more than its socket holds. Time is an argument; knows no packet.
//!
//! After 128 packets without any answer in between nothing goes for 5 ms, after 128 more for 10, 20 and 40
//! ms; then 128 go each 40 ms, until an answer of whatever kind shows that it is there. Answers that take
//! long do not slow anything down: others come meanwhile.

use std::time::{Duration, Instant};

/// Packets without an answer before the first pause: half of what a receive buffer of 212 KB, the default,
/// holds.
const UNHEARD: usize = 128;
/// The first pause, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(40);

#[derive(Debug)]
pub(super) struct Flow {
    unheard: usize,
    pause: Duration,
    closed_until: Option<Instant>,
}

impl Flow {
    pub(super) fn new() -> Self {
        Self { unheard: 0, pause: FIRST_PAUSE, closed_until: None }
    }

    /// A packet went out.
    pub(super) fn sent(&mut self, now: Instant) {
        self.unheard += 1;
        if self.unheard >= UNHEARD {
            self.unheard = 0;
            self.closed_until = Some(now + self.pause);
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// An answer came.
    pub(super) fn heard(&mut self) {
        *self = Self::new();
    }

    /// Packets that may go now.
    pub(super) fn allowance(&self, now: Instant) -> usize {
        if self.closed_until.is_some_and(|until| now < until) { 0 } else { UNHEARD - self.unheard }
    }

    /// When the next packet may go.
    pub(super) fn next(&self, now: Instant) -> Instant {
        self.closed_until.map_or(now, |until| until.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many packets go within so many milliseconds to one who answers them all at the milliseconds of
    /// `answers`.
    fn poured(milliseconds: u64, answers: &[u64]) -> usize {
        let (begin, mut flow, mut sent) = (Instant::now(), Flow::new(), 0);
        for passed in 0..milliseconds {
            let now = begin + Duration::from_millis(passed);
            if answers.contains(&passed) {
                flow.heard();
            }
            while flow.allowance(now) > 0 {
                assert_eq!(flow.next(now), now);
                flow.sent(now);
                sent += 1;
            }
            assert!(flow.next(now) > now);
        }
        sent
    }

    #[test]
    fn little_is_poured_on_who_is_silent_and_it_never_ends() {
        for (milliseconds, sent) in
            [(1, 128), (5, 128), (6, 256), (16, 384), (36, 512), (76, 640), (1036, 25 * 128 + 512)]
        {
            assert_eq!(poured(milliseconds, &[]), sent, "within {milliseconds} ms");
        }
    }

    #[test]
    fn an_answer_opens_it_again() {
        assert_eq!(poured(4, &[1, 2, 3]), 4 * 128);
        // The pause begins anew, too.
        assert_eq!((poured(21, &[]), poured(21, &[15])), (3 * 128, 4 * 128));
    }
}
