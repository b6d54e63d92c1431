//! Forward answers kept for a while, bounded in number. PTR answers are not kept: a scan asks each address
//! once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::keyed::{ByQuestion, Keyed};
use super::question::{Answer, Kind};
use crate::evidence::Status;

/// Answers kept at most: two generations of half as many. 65,536 of them take about 15 MB.
pub(super) const CAPACITY: usize = 65_536;
/// Names found are kept at least this long: within one scan, shorter TTLs only repeat the question.
const LEAST_FOUND: Duration = Duration::from_secs(60);
/// Names found are kept at most this long.
const MOST_FOUND: Duration = Duration::from_secs(3600);
/// Absence is kept at most this long (RFC 2308 §5 allows hours; a fix should show sooner).
const MOST_ABSENT: Duration = Duration::from_secs(900);

/// A cache of two generations: when the young one is full it becomes the old one, and the old one is dropped;
/// what is asked for again becomes young.
#[derive(Debug, Default)]
pub(super) struct Cache {
    young: ByQuestion<Entry>,
    old: ByQuestion<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    until: Instant,
    answer: Arc<Answer>,
}

impl Cache {
    /// What is known of a question at `now`.
    pub(super) fn get(&mut self, question: &Keyed, now: Instant) -> Option<Arc<Answer>> {
        if !is_kept(question.question.kind) {
            return None;
        }
        if let Some(entry) = self.young.get(question) {
            return (entry.until > now).then(|| Arc::clone(&entry.answer));
        }
        let (question, entry) = self.old.remove_entry(question).filter(|(_, entry)| entry.until > now)?;
        let answer = Arc::clone(&entry.answer);
        self.insert(question, entry);
        Some(answer)
    }

    /// Keeps an answer as long as its TTL and the limits say; failures never.
    pub(super) fn put(&mut self, question: Keyed, answer: &Arc<Answer>, now: Instant) {
        let keep = match answer.status {
            Status::Found => answer.ttl.clamp(LEAST_FOUND, MOST_FOUND),
            Status::NoData | Status::NxDomain => answer.ttl.min(MOST_ABSENT),
            _ => Duration::ZERO,
        };
        if is_kept(question.question.kind) && !keep.is_zero() {
            self.insert(question, Entry { until: now + keep, answer: Arc::clone(answer) });
        }
    }

    fn insert(&mut self, question: Keyed, entry: Entry) {
        if self.young.len() >= CAPACITY / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(question, entry);
    }
}

fn is_kept(kind: Kind) -> bool {
    matches!(kind, Kind::A | Kind::Aaaa)
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;
    use std::sync::LazyLock;

    use super::*;
    use crate::name::DnsName;
    use crate::resolve::question::{Question, Records};

    fn state() -> &'static RandomState {
        static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        &STATE
    }

    fn question(text: &str, kind: Kind) -> Keyed {
        Keyed::new(Question::new(DnsName::parse(text).unwrap(), kind), state())
    }

    fn kept_for(status: Status, ttl: u64) -> Option<u64> {
        let (now, asked) = (Instant::now(), question("m.example.org", Kind::A));
        let answer = Answer { ttl: Duration::from_secs(ttl), ..Answer::bare(status) };
        let mut cache = Cache::default();
        cache.put(asked.clone(), &Arc::new(answer), now);
        let at = |seconds| now + Duration::from_secs(seconds);
        cache.get(&asked, now)?;
        (1..=4000).find(|&seconds| cache.get(&asked, at(seconds)).is_none())
    }

    #[test]
    fn answers_are_kept_within_the_limits_and_failures_never() {
        for (status, ttl, seconds) in [
            (Status::Found, 0, Some(60)),
            (Status::Found, 300, Some(300)),
            (Status::Found, u64::from(u32::MAX), Some(3600)),
            (Status::NxDomain, 0, None),
            (Status::NxDomain, 120, Some(120)),
            (Status::NoData, 86_400, Some(900)),
            (Status::ServFail, 300, None),
            (Status::Refused, 300, None),
            (Status::TimedOut, 300, None),
            (Status::Malformed, 300, None),
        ] {
            assert_eq!(kept_for(status, ttl), seconds, "{status:?} {ttl}");
        }
    }

    #[test]
    fn it_never_holds_more_than_its_capacity_and_keeps_what_is_asked_again() {
        let (now, mut cache) = (Instant::now(), Cache::default());
        let answer = Arc::new(Answer::found(Records::None, Duration::from_secs(3600)));
        let popular = question("popular.example.org", Kind::A);
        cache.put(popular.clone(), &answer, now);
        for n in 0..3 * CAPACITY {
            cache.put(question(&format!("h{n}.example.org"), Kind::A), &answer, now);
            if n % 1000 == 0 {
                assert!(cache.get(&popular, now).is_some(), "lost at {n}");
                assert!(cache.young.len() + cache.old.len() <= CAPACITY);
            }
        }
        assert!(cache.get(&question("h0.example.org", Kind::A), now).is_none());
    }

    #[test]
    fn types_are_apart_and_ptr_is_not_kept() {
        let (now, mut cache) = (Instant::now(), Cache::default());
        let answer = Arc::new(Answer::found(Records::None, Duration::from_secs(3600)));
        for kind in [Kind::A, Kind::Ptr, Kind::Mx] {
            cache.put(question("m.example.org", kind), &answer, now);
        }
        let kept = [Kind::A, Kind::Aaaa, Kind::Ptr, Kind::Mx]
            .map(|kind| cache.get(&question("m.example.org", kind), now).is_some());
        assert_eq!(kept, [true, false, false, false]);
    }
}
