//! Cases whose answers settle nothing, kept for a second pass: what they have of definite answers stands, and
//! only the rest is asked again, as late as may be. Bounded in number, and in time, for their turns stay open
//! all the while. Time is an argument; knows no question.
//!
//! By example, with room for 8: while cases 1 to 9 fail and nobody is there to ask, 1 to 8 are kept and 9 is
//! given back. As soon as somebody is there, 1 and 2 go again, so that there is room; 3 to 8 go when the last
//! case of all has had its first pass, or five minutes old.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long a host waits at most while its resolver can be asked. A watermark keeps a bit for each turn since
/// the first that is open: at a million turns a second, 40 MB.
const HOSTS_WAIT: Duration = Duration::from_secs(300);
/// How long a name of the target list waits: a scan does not end before it is resolved.
const NAMES_WAIT: Duration = Duration::from_secs(5);

/// Which pass over its questions a case is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// All of them are new.
    First,
    /// What the first left open.
    Second,
}

/// How the questions of a case failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LookupFailure {
    /// Every packet was answered in time, as by a resolver that has too much to do.
    AtOnce,
    /// Some packet was not, as for names of dead zones.
    Late,
}

/// Whether anybody is there to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Some upstream.
    Somebody,
    /// None of them.
    Nobody,
}

/// Whether more cases may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intake {
    /// They may.
    Open,
    /// All have come, and had their first pass.
    Over,
}

/// Who waits.
#[derive(Debug)]
pub(super) struct Later<C> {
    most: usize,
    /// Hosts whose questions failed at once. In the end they are asked about before the others and alone, for
    /// names of dead zones fill a resolver up.
    quick: VecDeque<(Instant, C)>,
    hosts: VecDeque<(Instant, C)>,
    /// Whether those others go in this round.
    is_last_round: bool,
    names: VecDeque<(Instant, C)>,
}

impl<C> Later<C> {
    /// Room for so many hosts; without room each case has one pass.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            quick: VecDeque::new(),
            hosts: VecDeque::new(),
            is_last_round: true,
            names: VecDeque::new(),
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting_hosts() + self.names.len()
    }

    fn waiting_hosts(&self) -> usize {
        self.quick.len() + self.hosts.len()
    }

    /// Takes a host, or gives it back if there is no room.
    pub(super) fn keep_host(&mut self, case: C, failure: LookupFailure, now: Instant) -> Result<(), C> {
        let most = self.most.saturating_sub(self.waiting_hosts());
        let queue = match failure {
            LookupFailure::AtOnce => &mut self.quick,
            LookupFailure::Late => &mut self.hosts,
        };
        let most = queue.len() + most;
        keep(queue, case, now + HOSTS_WAIT, most)
    }

    /// Takes a name, or gives it back if there is no room.
    pub(super) fn keep_name(&mut self, case: C, now: Instant) -> Result<(), C> {
        keep(&mut self.names, case, now + NAMES_WAIT, self.most)
    }

    /// Second passes begin, of those that `next` gives.
    pub(super) fn begin_round(&mut self) {
        self.is_last_round = self.quick.is_empty();
    }

    /// The next case whose second pass is due.
    pub(super) fn next(&mut self, now: Instant, reach: Reach, intake: Intake) -> Option<C> {
        let is_old = |queue: &VecDeque<(Instant, C)>| queue.front().is_some_and(|(until, _)| *until <= now);
        let is_full = self.waiting_hosts() > self.most / 4 * 3;
        let goes = |queue: &VecDeque<(Instant, C)>| match (reach, intake) {
            (_, Intake::Over) => true,
            (Reach::Somebody, Intake::Open) => is_full || is_old(queue),
            (Reach::Nobody, Intake::Open) => false,
        };
        let has_late = intake == Intake::Open || self.is_last_round;
        let queue = if is_old(&self.names) || intake == Intake::Over && !self.names.is_empty() {
            &mut self.names
        } else if !self.quick.is_empty() && goes(&self.quick) {
            &mut self.quick
        } else if has_late && goes(&self.hosts) {
            &mut self.hosts
        } else {
            return None;
        };
        queue.pop_front().map(|(_, case)| case)
    }

    /// Ends all waiting, for now and later; gives back the hosts. Names are left as if they had never come.
    pub(super) fn close(&mut self) -> impl Iterator<Item = C> + use<C> {
        self.most = 0;
        self.names.clear();
        let quick = std::mem::take(&mut self.quick);
        quick.into_iter().chain(std::mem::take(&mut self.hosts)).map(|(_, case)| case)
    }

    /// When the next one grows old.
    pub(super) fn due(&self, reach: Reach) -> Option<Instant> {
        let hosts = self.quick.front().into_iter().chain(self.hosts.front());
        let hosts = hosts.filter(|_| reach == Reach::Somebody);
        self.names.front().into_iter().chain(hosts).map(|(until, _)| *until).min()
    }
}

fn keep<C>(queue: &mut VecDeque<(Instant, C)>, case: C, until: Instant, most: usize) -> Result<(), C> {
    if queue.len() >= most {
        return Err(case);
    }
    queue.push_back((until, case));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those that go at once.
    fn due(later: &mut Later<u32>, now: Instant, reach: Reach, intake: Intake) -> Vec<u32> {
        later.begin_round();
        std::iter::from_fn(|| later.next(now, reach, intake)).collect()
    }

    #[test]
    fn hosts_wait_for_the_end_or_for_their_time_while_somebody_is_there() {
        let now = Instant::now();
        let mut later = Later::new(8);
        for host in 1..=8 {
            assert_eq!(
                later.keep_host(host, LookupFailure::Late, now + Duration::from_secs(u64::from(host))),
                Ok(())
            );
        }
        assert_eq!(later.keep_host(9, LookupFailure::Late, now), Err(9), "the number is bounded");
        assert!(due(&mut later, now, Reach::Nobody, Intake::Open).is_empty());
        assert_eq!(due(&mut later, now, Reach::Somebody, Intake::Open), [1, 2], "to have room again");
        let then = now + HOSTS_WAIT + Duration::from_secs(4);
        assert!(due(&mut later, then, Reach::Nobody, Intake::Open).is_empty());
        assert_eq!(later.due(Reach::Nobody), None);
        assert_eq!(later.due(Reach::Somebody), Some(now + HOSTS_WAIT + Duration::from_secs(3)));
        assert_eq!(due(&mut later, then, Reach::Somebody, Intake::Open), [3, 4]);
        assert_eq!(
            due(&mut later, then, Reach::Nobody, Intake::Over),
            [5, 6, 7, 8],
            "the end waits for nobody"
        );
        assert_eq!(later.len(), 0);
    }

    #[test]
    fn names_wait_a_short_while_whoever_is_there() {
        let now = Instant::now();
        let mut later = Later::new(8);
        assert_eq!((later.keep_name(1, now), later.keep_host(2, LookupFailure::Late, now)), (Ok(()), Ok(())));
        assert!(due(&mut later, now, Reach::Nobody, Intake::Open).is_empty());
        assert_eq!(later.due(Reach::Nobody), Some(now + NAMES_WAIT));
        assert_eq!(due(&mut later, now + NAMES_WAIT, Reach::Nobody, Intake::Open), [1]);
        assert_eq!(due(&mut later, now, Reach::Somebody, Intake::Over), [2]);
    }

    #[test]
    fn at_the_end_hosts_that_failed_at_once_go_before_those_that_were_waited_for() {
        let now = Instant::now();
        let mut later = Later::new(4);
        for (host, failure) in [
            (1, LookupFailure::Late),
            (2, LookupFailure::AtOnce),
            (3, LookupFailure::Late),
            (4, LookupFailure::AtOnce),
        ] {
            assert_eq!(later.keep_host(host, failure, now), Ok(()));
        }
        assert_eq!(later.keep_host(5, LookupFailure::AtOnce, now), Err(5), "the number of both is bounded");
        assert_eq!(later.len(), 4);
        assert_eq!(due(&mut later, now, Reach::Somebody, Intake::Over), [2, 4], "alone");
        assert_eq!(due(&mut later, now, Reach::Somebody, Intake::Over), [1, 3], "in a round of their own");
    }

    #[test]
    fn without_room_nobody_waits() {
        let now = Instant::now();
        let mut later: Later<u32> = Later::new(0);
        assert_eq!((later.keep_host(1, LookupFailure::Late, now), later.keep_name(2, now)), (Err(1), Err(2)));
    }
}
