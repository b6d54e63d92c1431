//! One timer for each slot, on a wheel of linked lists: setting, clearing and firing cost a few stores, and
//! what was answered leaves nothing behind. Time is an argument.

use std::time::{Duration, Instant};

/// The step of the wheel; waits are rounded up to it. Retransmissions are hundreds of milliseconds apart.
const STEP_MS: u64 = 8;
/// Places on the wheel: 2,048 steps are 16 s, longer waits go around again.
const PLACES: usize = 2048;
/// No slot.
const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Timers {
    start: Instant,
    /// The last step that was looked at.
    now: u64,
    heads: Vec<u32>,
    /// One bit for each place that holds a timer.
    taken: [u64; PLACES / 64],
    links: Vec<Link>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
    /// The place it hangs at; [`NONE`] for a timer that is not set.
    place: u32,
    /// The step at which it fires.
    due: u64,
}

impl Timers {
    /// None set, for so many slots.
    pub(super) fn new(slots: usize, now: Instant) -> Self {
        let idle = Link { previous: NONE, next: NONE, place: NONE, due: 0 };
        Self {
            start: now,
            now: 0,
            heads: vec![NONE; PLACES],
            taken: [0; PLACES / 64],
            links: vec![idle; slots],
        }
    }

    /// Sets the timer of a slot, in place of what it was set to.
    pub(super) fn set(&mut self, slot: u32, at: Instant) {
        self.clear(slot);
        let due = self.milliseconds(at).div_ceil(STEP_MS).max(self.now + 1);
        self.hang(slot, due);
    }

    /// Unsets the timer of a slot.
    pub(super) fn clear(&mut self, slot: u32) {
        let link = self.links[slot as usize];
        if link.place == NONE {
            return;
        }
        match link.previous {
            NONE => self.heads[link.place as usize] = link.next,
            previous => self.links[previous as usize].next = link.next,
        }
        if link.next != NONE {
            self.links[link.next as usize].previous = link.previous;
        }
        if self.heads[link.place as usize] == NONE {
            self.taken[link.place as usize / 64] &= !(1 << (link.place % 64));
        }
        self.links[slot as usize].place = NONE;
    }

    /// Appends the slots whose time has come, and unsets their timers.
    pub(super) fn expire(&mut self, now: Instant, fired: &mut Vec<u32>) {
        let until = self.milliseconds(now) / STEP_MS;
        let mut step = self.now.max(until.saturating_sub(PLACES as u64));
        self.now = self.now.max(until);
        while step < until {
            step += 1;
            let mut slot = self.heads[place(step)];
            while slot != NONE {
                let Link { next, due, .. } = self.links[slot as usize];
                self.clear(slot);
                if due <= until {
                    fired.push(slot);
                } else {
                    self.hang(slot, due);
                }
                slot = next;
            }
        }
    }

    /// No timer fires before this.
    pub(super) fn next(&self) -> Option<Instant> {
        let first = place(self.now + 1);
        let steps = (0..=PLACES / 64).find_map(|word| {
            let index = (first / 64 + word) % (PLACES / 64);
            let mut bits = self.taken[index];
            if word == 0 {
                bits &= u64::MAX << (first % 64);
            }
            let at = index * 64 + bits.trailing_zeros() as usize;
            (bits != 0).then(|| (at + PLACES - first) % PLACES)
        })?;
        Some(self.start + Duration::from_millis((self.now + 1 + steps as u64) * STEP_MS))
    }

    /// From the start, whole ones. `Duration::as_millis` counts in 128 bits, which costs more than all of the
    /// wheel.
    fn milliseconds(&self, at: Instant) -> u64 {
        let passed = at.saturating_duration_since(self.start);
        passed.as_secs() * 1000 + u64::from(passed.subsec_millis())
    }

    fn hang(&mut self, slot: u32, due: u64) {
        let place = place(due.min(self.now + PLACES as u64 - 1));
        let next = self.heads[place];
        // Places are few thousand.
        self.links[slot as usize] =
            Link { previous: NONE, next, place: u32::try_from(place).unwrap_or(0), due };
        if next != NONE {
            self.links[next as usize].previous = slot;
        }
        self.heads[place] = slot;
        self.taken[place / 64] |= 1 << (place % 64);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below `PLACES`")]
fn place(step: u64) -> usize {
    (step % PLACES as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        /// Against a plain list of deadlines: everything fires once, never early, at most one step late.
        #[test]
        fn timers_fire_once_in_their_step(script in prop::collection::vec((0u32..8, 0u64..40_000, 0u64..3_000), 1..200)) {
            let start = Instant::now();
            let mut timers = Timers::new(8, start);
            let mut wanted = [None; 8];
            let mut now = start;
            for (slot, wait, pass) in script {
                if wait % 5 == 0 {
                    timers.clear(slot);
                    wanted[slot as usize] = None;
                } else {
                    let at = now + Duration::from_millis(wait);
                    timers.set(slot, at);
                    wanted[slot as usize] = Some(at);
                }
                now += Duration::from_millis(pass);
                if let (Some(next), Some(first)) = (timers.next(), wanted.iter().flatten().min()) {
                    prop_assert!(next <= (*first).max(now) + Duration::from_millis(2 * STEP_MS));
                }
                prop_assert_eq!(timers.next().is_none(), wanted.iter().flatten().next().is_none());
                let mut fired = Vec::new();
                timers.expire(now, &mut fired);
                for slot in fired {
                    let at = wanted[slot as usize].take();
                    prop_assert!(at.is_some_and(|at| at <= now));
                }
                for at in wanted.iter().flatten() {
                    prop_assert!(*at + Duration::from_millis(2 * STEP_MS) > now);
                }
            }
        }
    }
}
