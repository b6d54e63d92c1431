//! Places for conversations: how many are free, on which worker, and how many fewer while the machine is in
//! trouble.

use std::time::Duration;

use tokio::time::Instant;

/// After trouble nothing starts for so long, doubling while it goes on …
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Places come back by this share of all, each second that passes without trouble.
const REGAIN: f64 = 0.05;
/// Never fewer places than this, as long as there were so many.
const FEWEST: usize = 4;

/// The places of all workers.
#[derive(Debug)]
pub struct ConcurrencyLimiter {
    /// As many as the user and the open-file limit allow.
    all: usize,
    /// As many as there were no trouble with, lately.
    allowed: f64,
    /// Taken, by worker.
    taken: Vec<usize>,
    pause: Duration,
    closed_until: Option<Instant>,
    regained: Option<Instant>,
    /// Whether places come back at all.
    path: Path,
}

/// Whether new connections get through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    Sound,
    Lossy,
}

impl ConcurrencyLimiter {
    /// `all` places over so many workers.
    pub fn new(all: usize, workers: usize) -> Self {
        Self {
            all,
            allowed: all as f64,
            taken: vec![0; workers],
            pause: FIRST_PAUSE,
            closed_until: None,
            regained: None,
            path: Path::Sound,
        }
    }

    /// How many are taken.
    pub fn taken(&self) -> usize {
        self.taken.iter().sum()
    }

    /// How many are free.
    pub fn room(&mut self, now: Instant) -> usize {
        if self.closed_until(now).is_some() {
            return 0;
        }
        self.closed_until = None;
        if let (Some(last), Path::Sound) = (self.regained, self.path) {
            let gained = REGAIN * self.all as f64 * (now - last).as_secs_f64();
            self.allowed = (self.allowed + gained).min(self.all as f64);
            self.regained = (self.allowed < self.all as f64).then_some(now);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and `all`")]
        let allowed = self.allowed as usize;
        allowed.saturating_sub(self.taken())
    }

    /// Until when nothing may start, if trouble closed the places.
    pub fn closed_until(&self, now: Instant) -> Option<Instant> {
        self.closed_until.filter(|&until| until > now)
    }

    /// Takes `count` places on the emptiest worker, and says which.
    pub fn take(&mut self, count: usize) -> usize {
        let emptiest = self.emptiest();
        self.taken[emptiest] += count;
        emptiest
    }

    /// The worker with the fewest taken places.
    pub fn emptiest(&self) -> usize {
        (0..self.taken.len()).min_by_key(|&worker| self.taken[worker]).unwrap_or(0)
    }

    /// Places of a worker are free again; `sound` if none of them ended in trouble.
    pub fn give_back(&mut self, worker: usize, count: usize, sound: bool) {
        self.taken[worker] = self.taken[worker].saturating_sub(count);
        if sound && count > 0 && self.closed_until.is_none() {
            self.pause = FIRST_PAUSE;
        }
    }

    /// This machine is in trouble: half as many places as were taken, after a pause. Trouble told again
    /// within the pause is the same trouble.
    pub fn shrink(&mut self, now: Instant) {
        if self.closed_until(now).is_some() {
            return;
        }
        self.halve();
        self.closed_until = Some(now + self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.regained = Some(now + self.pause);
    }

    /// New connections vanish on the way: half as many places as were taken, until it is told that they get
    /// through.
    pub fn lose(&mut self) {
        self.halve();
        self.path = Path::Lossy;
    }

    /// They get through again: places come back.
    pub fn find(&mut self, now: Instant) {
        self.path = Path::Sound;
        self.regained = Some(now);
    }

    fn halve(&mut self) {
        let fewest = FEWEST.min(self.all) as f64;
        self.allowed = (self.allowed.min(self.taken().max(1) as f64) / 2.0).max(fewest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trouble_halves_the_places_and_time_brings_them_back() {
        let begin = Instant::now();
        let mut places = ConcurrencyLimiter::new(1000, 2);
        assert_eq!(places.room(begin), 1000);
        assert_ne!(places.take(400), places.take(400), "the emptiest worker is chosen");
        assert_eq!(places.room(begin), 200);
        places.shrink(begin);
        places.shrink(begin);
        assert_eq!(places.room(begin), 0);
        assert_eq!(places.closed_until(begin), Some(begin + FIRST_PAUSE));
        places.give_back(0, 400, true);
        places.give_back(1, 400, true);
        let open = begin + FIRST_PAUSE;
        assert_eq!(places.room(open), 400);
        assert!(places.room(open + Duration::from_secs(5)) > 600);
        assert_eq!(places.room(open + Duration::from_secs(60)), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_lossy_path_places_come_back_only_when_it_bears_again() {
        let begin = Instant::now();
        let mut places = ConcurrencyLimiter::new(1000, 1);
        places.take(400);
        places.lose();
        places.give_back(0, 400, true);
        let later = begin + Duration::from_secs(600);
        assert_eq!(places.room(later), 200, "at once, for nothing is wrong with this machine; and no more");
        places.find(later);
        assert_eq!(places.room(later), 200);
        assert_eq!(places.room(later + Duration::from_secs(60)), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_that_goes_on_makes_the_pause_longer_up_to_a_bound() {
        let mut now = Instant::now();
        let mut places = ConcurrencyLimiter::new(1000, 1);
        let mut last = Duration::ZERO;
        for _ in 0..12 {
            places.shrink(now);
            let pause = places.closed_until(now).unwrap() - now;
            assert!(pause >= last && pause <= LONGEST_PAUSE);
            (last, now) = (pause, now + pause);
        }
        assert_eq!(last, LONGEST_PAUSE);
        assert_eq!(places.room(now), FEWEST);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_sound_conversation_the_next_pause_is_short_again() {
        let begin = Instant::now();
        let mut places = ConcurrencyLimiter::new(1000, 1);
        places.shrink(begin);
        places.shrink(begin + FIRST_PAUSE);
        let open = begin + FIRST_PAUSE * 3;
        assert!(places.room(open) > 0);
        places.take(2);
        places.give_back(0, 1, true);
        places.shrink(open);
        assert_eq!(places.closed_until(open), Some(open + FIRST_PAUSE));
    }
}
