//! Upstreams that are of no use, told by the numbers of their health: it is not there, it refuses, it fails
//! at everything, or its answers of one type settle nothing. Whoever settles a question now and then is of
//! use, however many names fail. Time is an argument; knows no question.
//!
//! By example: the last question that an upstream settled was 3 s ago. It got 40 packets since, and answered
//! REFUSED to 38: that is told, with "38 of 40" and the time since when. If it settles one again, and another
//! 3 s pass in the same way, it is told once more.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::resolve::health::UpstreamHealth;
use crate::resolve::question::Kind;

/// How long nothing was settled before it is told. At the start, a person waits for a first word.
const QUIET: Duration = Duration::from_secs(3);
/// Packets, or answers, without which nothing can be told.
const LEAST: u64 = 3;
/// Answers of REFUSED, of an upstream that was of use before.
const MANY_REFUSED: u64 = 20;
/// The same of SERVFAIL, which names of dead zones bring in rows.
const MANY_FAILED: u64 = 100;
/// Of a type of question, at least so many in a hundred answers have to settle nothing.
const MOST: u64 = 90;
/// Answers of one type without which its share says nothing, if some of them settled something.
const SHARE_OF: u64 = 50;

/// Why an upstream is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It does not answer.
    Silent,
    /// It answers REFUSED.
    Refusing,
    /// It answers SERVFAIL or another failure code.
    Failing,
    /// Its answers to questions for this type settle nothing, as those of filters and policy zones.
    Unclear(Kind),
}

/// How much of what an upstream was asked came to nothing, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Useless {
    /// Why.
    pub trouble: Trouble,
    /// Packets sent, or answers, that came to nothing.
    pub failed: u64,
    /// Of so many.
    pub of: u64,
    /// How long ago that began; `None`: it has been so from the start.
    pub since: Option<Duration>,
}

/// The numbers of one upstream at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Numbers {
    sent: u64,
    answered: u64,
    servfail: u64,
    refused: u64,
    settled: u64,
}

impl Numbers {
    fn of(health: &UpstreamHealth) -> Self {
        Self {
            sent: health.sent.load(Ordering::Relaxed),
            answered: health.answered.load(Ordering::Relaxed),
            servfail: health.servfail.load(Ordering::Relaxed),
            refused: health.refused.load(Ordering::Relaxed),
            settled: health.settled.sum(),
        }
    }
}

/// Watches one upstream.
#[derive(Debug, Default)]
pub(in crate::resolve) struct UselessWatch {
    /// When it settled something last, or got its first packet, and its numbers then.
    since: Option<(Instant, Numbers)>,
    /// When it answered last, in whatever way, and its numbers then.
    answered: Option<(Instant, Numbers)>,
    was_of_use: bool,
    is_told: bool,
    unclear_told: [bool; 2],
}

impl UselessWatch {
    /// Looks at an upstream's numbers; tells what is to be told of it.
    pub(in crate::resolve) fn look(&mut self, health: &UpstreamHealth, now: Instant) -> Option<Useless> {
        self.look_after(QUIET, health, now)
    }

    /// The same when nothing is left to be asked: a run may have been short, and who was of no use in all of
    /// it is told.
    pub(in crate::resolve) fn last_look(&mut self, health: &UpstreamHealth, now: Instant) -> Option<Useless> {
        self.look_after(if self.was_of_use { QUIET } else { Duration::ZERO }, health, now)
    }

    fn look_after(&mut self, quiet: Duration, health: &UpstreamHealth, now: Instant) -> Option<Useless> {
        let numbers = Numbers::of(health);
        if numbers.sent == 0 {
            return None;
        }
        let (since, before) = *self.since.get_or_insert((now, Numbers::default()));
        if numbers.settled > before.settled {
            self.since = Some((now, numbers));
            self.answered = self.since;
            self.was_of_use = true;
            self.is_told = false;
        } else {
            let (_, last) = *self.answered.get_or_insert((since, before));
            if numbers.answered > last.answered {
                self.answered = Some((now, numbers));
            }
            if !self.is_told
                && let Some(useless) = self.is_useless(quiet, health, numbers, now)
            {
                self.is_told = true;
                return Some(useless);
            }
        }
        self.is_unclear(quiet, health, now)
    }

    fn is_useless(
        &self,
        quiet: Duration,
        health: &UpstreamHealth,
        numbers: Numbers,
        now: Instant,
    ) -> Option<Useless> {
        let ((since, before), (heard, last)) = (self.since?, self.answered?);
        let is_down = !health.up.load(Ordering::Relaxed);
        let ago = |at: Instant| now.saturating_duration_since(at);
        let unanswered = numbers.sent.saturating_sub(last.sent);
        let never = numbers.answered == 0;
        if ago(heard) >= quiet && unanswered >= LEAST && (never || is_down) {
            let since = (!never).then(|| ago(heard));
            return Some(Useless { trouble: Trouble::Silent, failed: unanswered, of: unanswered, since });
        }
        if ago(since) < quiet {
            return None;
        }
        let of = numbers.answered - before.answered;
        let refused = numbers.refused - before.refused;
        let failing = numbers.servfail - before.servfail;
        let since = self.was_of_use.then(|| ago(since));
        let enough = if self.was_of_use { MANY_REFUSED } else { LEAST };
        if refused >= enough && refused * 100 >= of * MOST {
            return Some(Useless { trouble: Trouble::Refusing, failed: refused, of, since });
        }
        // Of one that was of use, a row of dead zones can hardly be told from a fault of its own: it has to
        // be a long one, after a time in which most questions were settled.
        let was_well = before.settled * 2 >= before.answered;
        let is_failing = if self.was_of_use { was_well && failing >= MANY_FAILED } else { failing >= LEAST };
        (is_failing && failing * 100 >= of * MOST).then_some(Useless {
            trouble: Trouble::Failing,
            failed: failing,
            of,
            since,
        })
    }

    fn is_unclear(&mut self, quiet: Duration, health: &UpstreamHealth, now: Instant) -> Option<Useless> {
        let is_young = self.since.is_none_or(|(since, _)| now.saturating_duration_since(since) < quiet);
        for (number, kind) in [Kind::Ptr, Kind::A].into_iter().enumerate() {
            let unclear = health.unclear.of(kind).load(Ordering::Relaxed);
            let settled = health.settled.of(kind).load(Ordering::Relaxed);
            let of = unclear + settled;
            let is_enough = of >= SHARE_OF || settled == 0 && unclear >= LEAST && !is_young;
            if is_enough && unclear * 100 >= of * MOST && !self.unclear_told[number] {
                self.unclear_told[number] = true;
                return Some(Useless { trouble: Trouble::Unclear(kind), failed: unclear, of, since: None });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::health::Health;

    /// What happened by a second.
    #[derive(Debug, Clone, Copy)]
    struct By {
        second: u64,
        sent: u64,
        refused: u64,
        servfail: u64,
        unclear: u64,
        settled: u64,
    }

    fn by(second: u64, [sent, refused, servfail, unclear, settled]: [u64; 5]) -> By {
        By { second, sent, refused, servfail, unclear, settled }
    }

    /// What is told of an upstream with such a history, and after how many seconds.
    fn told(history: &[By]) -> Vec<(u64, Useless)> {
        let health = Health::new(&["192.0.2.53:53".parse().unwrap()]);
        let upstream = &health.upstreams[0];
        let (start, mut watch, mut told) = (Instant::now(), UselessWatch::default(), Vec::new());
        for it in history {
            upstream.sent.store(it.sent, Ordering::Relaxed);
            let answered = it.refused + it.servfail + it.unclear + it.settled;
            upstream.answered.store(answered, Ordering::Relaxed);
            upstream.refused.store(it.refused, Ordering::Relaxed);
            upstream.servfail.store(it.servfail, Ordering::Relaxed);
            upstream.unclear.of(Kind::Ptr).store(it.unclear, Ordering::Relaxed);
            upstream.settled.of(Kind::Ptr).store(it.settled, Ordering::Relaxed);
            upstream.up.store(it.sent < 1000, Ordering::Relaxed);
            let useless = watch.look(upstream, start + Duration::from_secs(it.second));
            told.extend(useless.map(|useless| (it.second, useless)));
        }
        told
    }

    #[test]
    fn an_upstream_of_no_use_is_told_once_with_its_share_and_since_when() {
        let steady = |numbers: [u64; 5]| -> Vec<By> {
            (0..=9).map(|second| by(second, numbers.map(|number| number * (second + 1)))).collect()
        };
        for (what, history, trouble, failed, of) in [
            ("nothing there", steady([8, 0, 0, 0, 0]), Trouble::Silent, 32, 32),
            ("refused", steady([8, 8, 0, 0, 0]), Trouble::Refusing, 32, 32),
            ("nearly all refused", steady([20, 19, 1, 0, 0]), Trouble::Refusing, 76, 80),
            ("failing", steady([8, 0, 8, 0, 0]), Trouble::Failing, 32, 32),
            ("settling nothing", steady([8, 0, 0, 8, 0]), Trouble::Unclear(Kind::Ptr), 32, 32),
        ] {
            let wanted = Useless { trouble, failed, of, since: None };
            assert_eq!(told(&history), [(3, wanted)], "{what}");
        }
    }

    #[test]
    fn an_upstream_that_is_of_use_is_not_told() {
        for history in [
            // Dead zones, and a name now and then that is not.
            vec![by(0, [9, 0, 8, 0, 1]), by(4, [90, 0, 80, 0, 1]), by(5, [200, 0, 180, 0, 2])],
            vec![by(0, [9, 0, 8, 0, 1]), by(9, [999, 0, 900, 0, 1])],
            vec![by(0, [9, 0, 0, 0, 1]), by(4, [90, 0, 80, 0, 1])],
            vec![by(0, [9, 0, 0, 0, 9]), by(4, [300, 0, 180, 0, 10]), by(8, [500, 0, 270, 0, 11])],
            // Silence about names, but not about the probe that showed it to be up.
            vec![by(0, [9, 0, 0, 0, 1]), by(9, [200, 0, 0, 0, 1])],
            vec![by(0, [2, 0, 0, 0, 0]), by(9, [2, 0, 0, 0, 0])],
            vec![by(0, [9, 5, 0, 0, 4]), by(1, [20, 10, 0, 0, 10]), by(2, [30, 12, 0, 0, 18])],
            vec![by(0, [40, 0, 0, 20, 20])],
        ] {
            assert_eq!(told(&history), [], "{history:?}");
        }
    }

    #[test]
    fn trouble_that_begins_half_way_says_since_when_and_comes_again() {
        let history = [
            by(0, [100, 0, 0, 0, 100]),
            by(1, [200, 0, 0, 0, 200]),
            by(3, [260, 60, 0, 0, 200]),
            by(4, [300, 100, 0, 0, 200]),
            by(5, [400, 200, 0, 0, 200]),
            by(6, [500, 200, 0, 0, 300]),
            by(7, [700, 400, 0, 0, 300]),
            by(9, [900, 600, 0, 0, 300]),
            // Down since second 9.
            by(13, [1010, 600, 0, 0, 301]),
            by(14, [1011, 600, 0, 0, 301]),
            by(17, [1015, 600, 0, 0, 301]),
        ];
        let failing = [
            by(0, [100, 0, 0, 0, 100]),
            by(1, [200, 0, 10, 0, 190]),
            by(3, [280, 0, 90, 0, 190]),
            by(4, [300, 0, 109, 0, 190]),
            by(5, [311, 0, 120, 0, 190]),
            by(6, [400, 0, 209, 0, 190]),
        ];
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(
            told(&history),
            [
                (4, Useless { trouble: Trouble::Refusing, failed: 100, of: 100, since: seconds(3) }),
                (9, Useless { trouble: Trouble::Refusing, failed: 400, of: 400, since: seconds(3) }),
                (17, Useless { trouble: Trouble::Silent, failed: 5, of: 5, since: seconds(4) }),
            ]
        );
        let wanted = Useless { trouble: Trouble::Failing, failed: 110, of: 110, since: seconds(4) };
        assert_eq!(told(&failing), [(5, wanted)]);
    }
}
