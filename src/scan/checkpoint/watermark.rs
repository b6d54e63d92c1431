//! Which turns are done: a low-water mark, and a bit for each turn above it that has been drawn.
//!
//! Turns end out of order. With turns 0 1 2 4 done and 3 still in flight, `low` is 3, `high` is 5 and 3 is
//! pending; when 3 ends, `low` is 5. A scan goes on from `(high, pending)` alone, for the order is
//! arithmetic.

use std::collections::VecDeque;

/// The turns done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermark {
    /// All turns below are done; a multiple of 64.
    base: u128,
    /// A bit for each turn from `base` on: 1 is done.
    words: VecDeque<u64>,
    /// One above the highest turn done.
    high: u128,
}

impl Watermark {
    /// Goes on from what [`Watermark::high`] and [`Watermark::pending`] said.
    pub fn resume(high: u128, pending: &[u128]) -> Self {
        let low = pending.iter().copied().min().unwrap_or(high).min(high);
        let mut mark = Self { base: low / 64 * 64, words: VecDeque::new(), high };
        let words = usize::try_from(high.div_ceil(64) - mark.base / 64).unwrap_or(0);
        mark.words = std::iter::repeat_n(u64::MAX, words).collect();
        if let Some(last) = mark.words.back_mut()
            && !high.is_multiple_of(64)
        {
            *last = (1 << (high % 64)) - 1;
        }
        for &turn in pending.iter().filter(|&&turn| turn < high) {
            if let Some((word, bit)) = mark.place(turn) {
                mark.words[word] &= !bit;
            }
        }
        mark.settle();
        mark
    }

    /// A turn's records are all written or dropped.
    pub fn done(&mut self, turn: u128) {
        if turn < self.base {
            return;
        }
        self.high = self.high.max(turn + 1);
        let word = usize::try_from((turn - self.base) / 64).unwrap_or(usize::MAX);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (turn % 64);
        if word == 0 {
            self.settle();
        }
    }

    /// One above the highest turn done: from here on every turn is still to be drawn.
    pub fn high(&self) -> u128 {
        self.high
    }

    /// The turns below [`Watermark::high`] that are not done.
    pub fn pending(&self) -> impl Iterator<Item = u128> {
        // Nearly all words are full: they are to cost no look at each of their bits.
        let open = self.words.iter().enumerate().filter(|(_, word)| **word != u64::MAX);
        let turns = open.flat_map(|(index, &word)| {
            let first = self.base + 64 * index as u128;
            let mut left = !word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(first + u128::from(bit))
            })
        });
        turns.take_while(|&turn| turn < self.high)
    }

    /// How many turns lie between the first that is pending and the highest done.
    pub fn span(&self) -> u128 {
        self.high.saturating_sub(self.base)
    }

    fn place(&self, turn: u128) -> Option<(usize, u64)> {
        let word = usize::try_from(turn.checked_sub(self.base)? / 64).ok()?;
        (word < self.words.len()).then_some((word, 1 << (turn % 64)))
    }

    fn settle(&mut self) {
        while self.words.front() == Some(&u64::MAX) {
            self.words.pop_front();
            self.base += 64;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_in_flight_is_pending() {
        let mut mark = Watermark::default();
        for turn in [0, 1, 2, 4] {
            mark.done(turn);
        }
        assert_eq!((mark.high(), mark.pending().collect::<Vec<_>>()), (5, vec![3]));
        mark.done(3);
        assert_eq!((mark.high(), mark.pending().count()), (5, 0));
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn it_agrees_with_a_set_and_comes_back_from_a_checkpoint(turns in proptest::collection::vec(0u128..700, 0..600)) {
            let mut mark = Watermark::default();
            let mut set = BTreeSet::new();
            for &turn in &turns {
                mark.done(turn);
                set.insert(turn);
            }
            let high = set.last().map_or(0, |last| last + 1);
            let missing: Vec<u128> = (0..high).filter(|turn| !set.contains(turn)).collect();
            prop_assert_eq!(mark.high(), high);
            prop_assert_eq!(mark.pending().collect::<Vec<_>>(), missing.clone());
            let mut back = Watermark::resume(high, &missing);
            prop_assert_eq!(back.pending().collect::<Vec<_>>(), missing.clone());
            for turn in missing {
                back.done(turn);
            }
            prop_assert_eq!(back.pending().count(), 0);
            prop_assert_eq!(back.high(), high);
        }
    }

    #[test]
    fn done_turns_cost_nothing() {
        let mut mark = Watermark::default();
        for turn in 0..1_000_000 {
            mark.done(turn);
        }
        assert!(mark.words.len() <= 1);
    }
}
