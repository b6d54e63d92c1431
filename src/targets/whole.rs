//! The blocks of one family that are whole: all of their addresses are targets, of one entry. They stand in
//! runs, not one by one, and are visited by a golden stride around them.

use crate::targets::pieces::Pieces;
use crate::targets::scatter::{golden_stride, inverse, mul_mod};
use crate::targets::span::Family;

/// Neighbouring whole blocks of one owner.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// How many whole blocks stand before it.
    before: u64,
    /// The number of its first block: the key without the bits within a block.
    first: u64,
    owner: u32,
}

/// A block and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) number: u64,
    pub(super) owner: u32,
}

/// The whole blocks of a family, and the stride that visits each once.
#[derive(Debug)]
pub(super) struct Whole {
    runs: Vec<Run>,
    count: u64,
    /// The first run that reaches behind each bucket's start; a bucket is `1 << bucket_bits` blocks.
    buckets: Vec<u32>,
    bucket_bits: u32,
    stride: u64,
    start: u64,
}

/// The most buckets for one run.
const BUCKETS_PER_RUN: u64 = 2;

impl Whole {
    /// The whole blocks among a family's pieces; `start` says with which the stride begins.
    pub(super) fn of(pieces: &Pieces, family: Family, start: u64) -> Self {
        let whole = |&number: &usize| pieces.get(number).count >= family.block_size();
        let numbers = || pieces.of(family).filter(whole);
        let mut runs = Vec::with_capacity(numbers().count());
        let mut count = 0;
        for piece in numbers().map(|number| pieces.get(number)) {
            let block = |key: u128| u64::try_from(key >> family.block_bits()).unwrap_or(u64::MAX);
            runs.push(Run { before: count, first: block(piece.first), owner: piece.owner });
            count += block(piece.count);
        }
        let bucket_bits = bucket_bits(count, runs.len() as u64);
        let mut buckets = Vec::new();
        let mut run = 0;
        for start in (0..count).step_by(1 << bucket_bits) {
            while runs.get(run + 1).is_some_and(|next: &Run| next.before <= start) {
                run += 1;
            }
            // There are fewer runs than pieces, of which there are fewer than 2^32.
            buckets.push(u32::try_from(run).unwrap_or(u32::MAX));
        }
        let start = if count == 0 { 0 } else { start % count };
        Self { runs, count, buckets, bucket_bits, stride: golden_stride(count), start }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Which of the blocks, by ascending number, is visited at a place of the row.
    pub(super) fn at(&self, place: u64) -> u64 {
        self.around(mul_mod(place.into(), self.stride.into(), self.count.into()) + u128::from(self.start))
    }

    /// How much further the block is that is visited `places` later.
    pub(super) fn step(&self, places: u64) -> u64 {
        if self.count == 0 {
            return 0;
        }
        self.around(mul_mod((places % self.count).into(), self.stride.into(), self.count.into()))
    }

    /// The place at which a block, by ascending number, is visited.
    pub(super) fn place_of(&self, index: u64) -> u64 {
        let (count, stride) = (u128::from(self.count), u128::from(self.stride));
        let distance = (u128::from(index) + count - u128::from(self.start)) % count;
        self.around(mul_mod(distance, inverse(stride, count), count))
    }

    /// The block of a number among the whole ones.
    pub(super) fn block(&self, index: u64) -> Block {
        let bucket = usize::try_from(index >> self.bucket_bits).unwrap_or(usize::MAX);
        let low = self.buckets[bucket] as usize;
        let high = self.buckets.get(bucket + 1).map_or(self.runs.len(), |&next| next as usize + 1);
        let at = low + self.runs[low..high].partition_point(|run| run.before <= index) - 1;
        let run = self.runs[at];
        Block { number: run.first + (index - run.before), owner: run.owner }
    }

    /// The number among the whole ones of a block that is one of them.
    pub(super) fn index_of(&self, block: u64) -> Option<u64> {
        let run = self.runs[..self.runs.partition_point(|run| run.first <= block)].last()?;
        Some(run.before + (block - run.first))
    }

    fn around(&self, sum: u128) -> u64 {
        u64::try_from(sum % u128::from(self.count)).unwrap_or(0)
    }
}

/// Buckets of so many bits that there are one or two for each run, and no more than blocks.
fn bucket_bits(count: u64, runs: u64) -> u32 {
    let mut bits = 0;
    while count >> bits > runs.max(1).saturating_mul(BUCKETS_PER_RUN) {
        bits += 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::span::{Span, V4_FIRST};

    fn pieces(blocks: &[(u64, u64)]) -> Pieces {
        let mut pieces = Pieces::default();
        for (owner, (first, count)) in (0..).zip(blocks) {
            let (first, count) = (V4_FIRST + u128::from(*first) * 256, u128::from(*count));
            pieces.push(Span { first, last: first + count * 256 - 1, owner });
        }
        pieces
    }

    #[test]
    fn each_whole_block_is_found_by_its_index_and_has_one_place() {
        for blocks in [
            vec![(5, 1)],
            vec![(0, 3), (7, 1), (8, 2), (100, 1000), (5000, 1), (5002, 1), (5004, 1), (5006, 1)],
            (0..300).map(|n| (n * 3, 1 + n % 2)).collect(),
        ] {
            let pieces = pieces(&blocks);
            let whole = Whole::of(&pieces, Family::V4, 12_345);
            let numbers = blocks.iter().zip(0..).flat_map(|(&(first, count), owner)| {
                (first..first + count).map(move |n| Block { number: 0xff_ff00_0000 + n, owner })
            });
            let mut places = vec![false; usize::try_from(whole.count()).unwrap()];
            for (index, block) in (0..).zip(numbers) {
                assert_eq!(whole.block(index), block);
                assert_eq!(whole.index_of(block.number), Some(index));
                let place = whole.place_of(index);
                assert_eq!(whole.at(place), index);
                places[usize::try_from(place).unwrap()] = true;
            }
            assert!(places.iter().all(|&seen| seen));
            for step in [1, 2, 7] {
                assert_eq!(whole.at(step), (whole.at(0) + whole.step(step)) % whole.count());
            }
        }
    }

    #[test]
    fn without_whole_blocks_there_is_nothing_to_visit() {
        let whole = Whole::of(&Pieces::default(), Family::V6, 1);
        assert_eq!((whole.count(), whole.step(3)), (0, 0));
    }
}
