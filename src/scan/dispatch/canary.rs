//! Canaries: hosts that greeted are looked at again now and then, to tell silent space from a path that loses
//! packets. Where a table of connections on the way is full (a NAT, a firewall), new ones vanish, and every
//! host looks as silent as an empty address. Hosts that are known to answer don't, so their silence is the
//! path's.
//!
//! Its manners: at most `MOST` hosts are remembered, one of a network; one look each minute at the most, none
//! at all while fewer than `ENOUGH` have greeted; a host is looked at again ten minutes after the last
//! conversation with it, and once a minute only while all are silent. A look is a conversation like any
//! other, at the pace of its network. Nothing of it is written.
//!
//! With looks that come to answer, silence, silence, silence, answer, the third silence in a row is loss, and
//! the answer after it is the end of it.

use crate::scan::events::CanaryResult;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::prefix::Prefix;
use crate::probe::NoWay;

/// Hosts that are remembered: at a look a minute, each has its turn in half an hour.
const MOST: usize = 32;
/// So many silent looks in a row, at hosts of as many networks, are loss; one host may be down, or tired of
/// us.
const ENOUGH: usize = 3;
/// While looks are silent, so many times as often.
const HASTE: u32 = 6;

/// How often is looked.
#[derive(Debug, Clone, Copy)]
pub struct CanaryConfig {
    /// Between two looks.
    pub each: Duration,
    /// Between two conversations with one host.
    pub seldom: Duration,
}

impl Default for CanaryConfig {
    fn default() -> Self {
        Self { each: Duration::from_secs(60), seldom: Duration::from_secs(600) }
    }
}

/// What looks tell of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathEvent {
    /// Known-good hosts have fallen silent.
    Lost,
    /// They are heard again.
    Found,
    /// Targets of a family are left untried.
    NoWay(NoWay),
}

#[derive(Debug)]
struct Known {
    socket: SocketAddr,
    /// When the last conversation with it ended.
    heard: Instant,
    /// Whether that was a look without an answer.
    missed: bool,
}

/// The hosts that are known to answer, the one unvisited for longest first.
#[derive(Debug)]
pub struct Canaries {
    canary_config: CanaryConfig,
    known: VecDeque<Known>,
    under_way: Option<Known>,
    next: Instant,
    /// When the last host was taken up.
    taken: Option<Instant>,
    silent: usize,
    is_lost: bool,
}

impl Canaries {
    /// No hosts yet.
    pub fn new(canary_config: CanaryConfig, now: Instant) -> Self {
        let (known, next) = (VecDeque::new(), now + canary_config.each);
        Self { canary_config, known, under_way: None, next, taken: None, silent: 0, is_lost: false }
    }

    /// A host of the scan greeted. Once there are enough, a new one takes the place of the oldest now and
    /// then.
    pub fn greeted(&mut self, now: Instant, socket: SocketAddr) {
        let is_full = self.known.len() >= MOST;
        let is_recent = self.taken.is_some_and(|taken| now - taken < self.canary_config.each);
        if self.is_lost || (is_full && is_recent) {
            return;
        }
        let network = Prefix::group(socket.ip());
        if self.known.iter().any(|known| Prefix::group(known.socket.ip()) == network) {
            return;
        }
        if is_full {
            self.known.pop_front();
        }
        self.taken = Some(now);
        self.known.push_back(Known { socket, heard: now, missed: false });
    }

    /// Whom to look at now, if anybody; tell with [`Canaries::looked`] what came of it.
    pub fn look(&mut self, now: Instant) -> Option<SocketAddr> {
        let pause = if self.is_lost { self.canary_config.each } else { self.canary_config.seldom };
        let is_due = self.under_way.is_none() && now >= self.next && self.known.len() >= ENOUGH;
        if !is_due || self.known.front().is_none_or(|first| now - first.heard < pause) {
            return None;
        }
        self.under_way = self.known.pop_front();
        self.under_way.as_ref().map(|known| known.socket)
    }

    /// What the look came to.
    pub fn looked(&mut self, now: Instant, look: CanaryResult) -> Option<PathEvent> {
        let mut known = self.under_way.take()?;
        known.heard = now;
        known.missed = look == CanaryResult::Silent;
        match look {
            CanaryResult::Void => {}
            CanaryResult::Answered => {
                self.silent = 0;
                if !self.is_lost {
                    // Others were heard while these were not.
                    self.known.retain(|known| !known.missed);
                }
                self.known.push_back(known);
            }
            CanaryResult::Silent => {
                self.silent += 1;
                self.known.push_back(known);
            }
        }
        let is_doubtful = self.is_lost || self.silent > 0;
        self.next = now + if is_doubtful { self.canary_config.each / HASTE } else { self.canary_config.each };
        match look {
            CanaryResult::Answered if self.is_lost => {
                self.is_lost = false;
                self.known.iter_mut().for_each(|known| known.missed = false);
                Some(PathEvent::Found)
            }
            // Told again each time that so many more are silent: what was done about it was not enough.
            CanaryResult::Silent if self.silent.is_multiple_of(ENOUGH) => {
                self.is_lost = true;
                Some(PathEvent::Lost)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn host(network: u8) -> SocketAddr {
        SocketAddr::new(IpAddr::from([192, 0, network, 1]), 25)
    }

    fn canaries(begin: Instant, hosts: u8) -> Canaries {
        let mut canaries = Canaries::new(CanaryConfig::default(), begin);
        for network in 0..hosts {
            canaries.greeted(begin, host(network));
        }
        canaries
    }

    /// Looks each second for so long, with the same result.
    fn look_for(
        canaries: &mut Canaries,
        from: Instant,
        seconds: u64,
        look: CanaryResult,
    ) -> Vec<(u64, SocketAddr, Option<PathEvent>)> {
        let mut looks = Vec::new();
        for second in 0..seconds {
            let now = from + Duration::from_secs(second);
            if let Some(socket) = canaries.look(now) {
                assert_eq!(canaries.look(now), None, "one look at a time");
                looks.push((second, socket, canaries.looked(now, look)));
            }
        }
        looks
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_looked_at_while_few_have_greeted_or_too_soon() {
        let begin = Instant::now();
        assert_eq!(look_for(&mut canaries(begin, 2), begin, 7200, CanaryResult::Answered), []);
        let mut one_network = canaries(begin, 0);
        for last in 0..9 {
            one_network.greeted(begin, SocketAddr::new(IpAddr::from([192, 0, 2, last]), 25));
        }
        assert_eq!(
            look_for(&mut one_network, begin, 7200, CanaryResult::Answered),
            [],
            "one host of a network"
        );
        let mut three = canaries(begin, 3);
        let looks = look_for(&mut three, begin, 1900, CanaryResult::Answered);
        let seconds: Vec<u64> = looks.iter().map(|(second, ..)| *second).collect();
        assert_eq!(seconds, [600, 660, 720, 1200, 1260, 1320, 1800, 1860]);
        for network in 0..3 {
            let visits: Vec<u64> =
                looks.iter().filter(|look| look.1 == host(network)).map(|look| look.0).collect();
            assert!(visits.windows(2).all(|pair| pair[1] - pair[0] >= 600), "{visits:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn three_silent_in_a_row_are_loss_until_one_is_heard() {
        let begin = Instant::now();
        let mut canaries = canaries(begin, 9);
        let from = begin + MINUTE * 10;
        let looks = look_for(&mut canaries, from, 70, CanaryResult::Silent);
        let told: Vec<_> = looks.iter().map(|(second, _, notice)| (*second, *notice)).collect();
        let lost = Some(PathEvent::Lost);
        assert_eq!(
            told,
            [(0, None), (10, None), (20, lost), (30, None), (40, None), (50, lost), (60, None)],
            "sooner while in doubt"
        );
        let found = look_for(&mut canaries, from + Duration::from_secs(70), 1, CanaryResult::Answered);
        assert_eq!(found[0].2, Some(PathEvent::Found));
        let calm = look_for(&mut canaries, from + Duration::from_secs(71), 60, CanaryResult::Answered);
        assert_eq!(calm.len(), 1, "and once a minute from then on: {calm:?}");
        assert_eq!(calm[0].2, None);
    }

    #[tokio::test(start_paused = true)]
    async fn while_all_are_silent_each_is_visited_once_a_minute_at_the_most() {
        let begin = Instant::now();
        let mut canaries = canaries(begin, 3);
        let looks = look_for(&mut canaries, begin + MINUTE * 10, 600, CanaryResult::Silent);
        assert!(looks.len() > 20, "{}", looks.len());
        for network in 0..3 {
            let visits: Vec<u64> =
                looks.iter().filter(|look| look.1 == host(network)).map(|look| look.0).collect();
            assert!(visits.windows(2).all(|pair| pair[1] - pair[0] >= 60), "{visits:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_silent_while_others_are_heard_is_not_asked_again() {
        let begin = Instant::now();
        let mut canaries = canaries(begin, 5);
        let from = begin + MINUTE * 10;
        assert_eq!(canaries.look(from), Some(host(0)));
        assert_eq!(canaries.looked(from, CanaryResult::Silent), None);
        let later = look_for(&mut canaries, from + Duration::from_secs(1), 7200, CanaryResult::Answered);
        assert!(later.len() > 20 && later.iter().all(|look| look.1 != host(0)), "{later:?}");
        assert!(later.iter().all(|look| look.2.is_none()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_looked_at_says_nothing_and_is_forgotten() {
        let begin = Instant::now();
        let mut canaries = canaries(begin, 4);
        let looks = look_for(&mut canaries, begin + MINUTE * 10, 600, CanaryResult::Void);
        assert_eq!(looks.len(), 2, "then they are too few");
        assert!(looks.iter().all(|look| look.2.is_none()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_makes_room_once_a_minute() {
        let begin = Instant::now();
        let mut canaries = canaries(begin, 40);
        assert_eq!(canaries.known.len(), MOST);
        canaries.greeted(begin + MINUTE, host(200));
        canaries.greeted(begin + MINUTE, host(201));
        assert_eq!(canaries.known.len(), MOST);
        let has =
            |canaries: &Canaries, network| canaries.known.iter().any(|known| known.socket == host(network));
        assert!(has(&canaries, 200) && !has(&canaries, 0) && !has(&canaries, 201));
    }
}
