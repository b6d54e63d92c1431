//! The pace of what has no place in the order: retries, addresses that a name led to, prefixes that asked for
//! less.
//!
//! Each prefix has a time before which nothing of it may start. What comes early waits in one heap, so that
//! no slow prefix holds up another.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::prefix::Prefix;
use crate::rate::Rate;

/// The most prefixes that are remembered as slowed; a scan in which more ask for less has other troubles.
const MAX_SLOWED: usize = 65_536;
/// No prefix is slowed below this many connections a second.
const SLOWEST: f64 = 1.0;
/// Prefixes whose time has passed are forgotten when so many are known, and from then on each time that twice
/// as many are known as were left: so what is looked through is paid for by what came in since.
const TIDY_ABOVE: usize = 8_192;

/// A waiting thing and when it may start.
struct Waiting<T> {
    due: Instant,
    serial: u64,
    ip: IpAddr,
    item: T,
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.serial).cmp(&(other.due, other.serial))
    }
}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Waiting<T> {}

/// What is known of a prefix that asked for less.
struct Slowed {
    /// Connections a second.
    pace: f64,
    /// When the last of it started, or asked for less.
    last: Instant,
}

/// Holds what came before its prefix was due.
pub struct PrefixLimiter<T> {
    rate: Rate,
    /// When the next of a prefix may start.
    next: HashMap<Prefix, Instant>,
    /// With so many of them, those whose time has passed are forgotten.
    tidy_at: usize,
    /// How many were looked at to forget some.
    looked_at: usize,
    /// Prefixes that asked for less.
    slowed: HashMap<Prefix, Slowed>,
    waiting: BinaryHeap<Reverse<Waiting<T>>>,
    serial: u64,
}

impl<T> PrefixLimiter<T> {
    /// A limiter at `rate` connections a second for each prefix.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            next: HashMap::new(),
            tidy_at: TIDY_ABOVE,
            looked_at: 0,
            slowed: HashMap::new(),
            waiting: BinaryHeap::new(),
            serial: 0,
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether the prefix of an address asked for less, so that its visits go through the limiter.
    pub fn is_slowed(&self, ip: IpAddr) -> bool {
        !self.slowed.is_empty() && self.slowed.contains_key(&Prefix::group(ip))
    }

    /// A mail server said that it is too much (421): its prefix goes at half its pace from now on, never
    /// below one a second. Does nothing where prefixes are not paced.
    pub fn slow_down(&mut self, now: Instant, ip: IpAddr) {
        let Rate::PerSecond(rate) = self.rate else { return };
        let prefix = Prefix::group(ip);
        if rate <= SLOWEST || (self.slowed.len() >= MAX_SLOWED && !self.slowed.contains_key(&prefix)) {
            return;
        }
        let slowed = self.slowed.entry(prefix).or_insert(Slowed { pace: rate, last: now });
        slowed.pace = (slowed.pace / 2.0).max(SLOWEST);
    }

    /// Puts something in line behind all of its prefix.
    pub fn enter(&mut self, now: Instant, ip: IpAddr, item: T) {
        let prefix = Prefix::group(ip);
        let interval = self.interval(prefix);
        let due = self.next.get(&prefix).map_or(now, |&due| due.max(now));
        if !interval.is_zero() {
            if self.next.len() >= self.tidy_at {
                self.looked_at += self.next.len();
                self.next.retain(|_, due| *due > now);
                self.tidy_at = (self.next.len() * 2).max(TIDY_ABOVE);
            }
            self.next.insert(prefix, due + interval);
        }
        self.serial += 1;
        self.waiting.push(Reverse(Waiting { due, serial: self.serial, ip, item }));
    }

    /// The next that may start at `now`.
    pub fn pass(&mut self, now: Instant) -> Option<T> {
        loop {
            if self.waiting.peek()?.0.due > now {
                return None;
            }
            let Reverse(waiting) = self.waiting.pop()?;
            let Some(slowed) = self.slowed.get_mut(&Prefix::group(waiting.ip)) else {
                return Some(waiting.item);
            };
            // Its time was set when it came in, and its prefix may have asked for less since.
            let due = slowed.last + Rate::PerSecond(slowed.pace).interval();
            if due <= now {
                slowed.last = now;
                return Some(waiting.item);
            }
            self.waiting.push(Reverse(Waiting { due, ..waiting }));
        }
    }

    /// When the first in line may start.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.peek().map(|Reverse(waiting)| waiting.due)
    }

    fn interval(&self, prefix: Prefix) -> Duration {
        match self.slowed.get(&prefix) {
            Some(slowed) => Rate::PerSecond(slowed.pace).interval(),
            None => self.rate.interval(),
        }
    }

    /// All that wait, in no order: the scan is stopping.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn pass_all(limiter: &mut PrefixLimiter<u32>, begin: Instant) -> Vec<(u32, u128)> {
        let mut passed = Vec::new();
        while let Some(due) = limiter.due() {
            while let Some(item) = limiter.pass(due) {
                passed.push((item, (due - begin).as_millis()));
            }
        }
        passed
    }

    #[tokio::test(start_paused = true)]
    async fn a_prefix_passes_at_its_rate_and_holds_up_nobody_else() {
        let begin = Instant::now();
        let mut limiter = PrefixLimiter::new(Rate::PerSecond(10.0));
        for item in 0..3 {
            limiter.enter(begin, ip("192.0.2.1"), item);
        }
        limiter.enter(begin, ip("198.51.100.1"), 9);
        assert_eq!(pass_all(&mut limiter, begin), [(0, 0), (9, 0), (1, 100), (2, 200)]);
        assert!(limiter.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn each_421_halves_the_pace_of_its_prefix_but_not_below_one_a_second() {
        let begin = Instant::now();
        let mut limiter = PrefixLimiter::new(Rate::PerSecond(10.0));
        limiter.slow_down(begin, ip("192.0.2.200"));
        assert!(limiter.is_slowed(ip("192.0.2.1")));
        assert!(!limiter.is_slowed(ip("192.0.3.1")));
        for item in 0..3 {
            limiter.enter(begin, ip("192.0.2.1"), item);
        }
        assert_eq!(pass_all(&mut limiter, begin), [(0, 200), (1, 400), (2, 600)]);
        for _ in 0..9 {
            limiter.slow_down(begin, ip("192.0.2.200"));
        }
        let later = begin + Duration::from_secs(60);
        for item in 0..2 {
            limiter.enter(later, ip("192.0.2.1"), item);
        }
        assert_eq!(pass_all(&mut limiter, later), [(0, 0), (1, 1000)]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_costs_the_same_however_many_prefixes_wait() {
        let begin = Instant::now();
        let mut limiter = PrefixLimiter::new(Rate::PerSecond(10.0));
        let entered: usize = 1 << 17;
        for item in 0..u32::try_from(entered).unwrap() {
            limiter.enter(begin, IpAddr::from((item << 8).to_be_bytes()), item);
        }
        assert!(limiter.looked_at <= 2 * entered, "{} looks for {entered} that came in", limiter.looked_at);
        let later = begin + Duration::from_secs(1);
        for item in 0..u32::try_from(entered).unwrap() {
            limiter.enter(later, IpAddr::from((item << 8 | 0x4000_0000).to_be_bytes()), item);
        }
        assert!(limiter.next.len() <= 2 * entered, "what has passed is forgotten: {}", limiter.next.len());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_prefix_rate_nothing_waits_and_nothing_slows() {
        let begin = Instant::now();
        let mut limiter = PrefixLimiter::new(Rate::Unlimited);
        limiter.slow_down(begin, ip("192.0.2.1"));
        assert!(!limiter.is_slowed(ip("192.0.2.1")));
        for item in 0..3 {
            limiter.enter(begin, ip("192.0.2.1"), item);
        }
        assert_eq!(pass_all(&mut limiter, begin), [(0, 0), (1, 0), (2, 0)]);
    }
}
