//! Blocks that are not whole, or of several owners: each the pieces of it, from the first on.

use std::cmp::Reverse;

use crate::targets::pieces::Pieces;
use crate::targets::scatter::shuffle;
use crate::targets::span::Family;

/// So many pieces of one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) piece: u32,
    pub(super) pieces: u32,
}

impl Part {
    /// How many targets it has.
    pub(super) fn size(self, pieces: &Pieces) -> u128 {
        pieces.count(self.piece as usize, self.pieces as usize)
    }
}

/// All parts: those with more than 256 targets, and the others; the larger ones first, shuffled by the two
/// seeds among those of one size.
pub(super) fn find_parts(pieces: &Pieces, seeds: [u64; 2]) -> (Vec<Part>, Vec<Part>) {
    let (mut large, mut small) = (Vec::new(), Vec::new());
    for family in [Family::V4, Family::V6] {
        let numbers = pieces.of(family);
        let mut number = numbers.start;
        while number < numbers.end {
            let piece = pieces.get(number);
            let block = piece.first >> family.block_bits();
            let mut end = number + 1;
            if piece.count < family.block_size() {
                while end < numbers.end && pieces.get(end).first >> family.block_bits() == block {
                    end += 1;
                }
                // A set has fewer than 2^32 pieces.
                if let (Ok(piece), Ok(count)) = (u32::try_from(number), u32::try_from(end - number)) {
                    let part = Part { piece, pieces: count };
                    let is_large = part.size(pieces) > Family::V4.block_size();
                    if is_large { large.push(part) } else { small.push(part) }
                }
            }
            number = end;
        }
    }
    large.shrink_to_fit();
    small.shrink_to_fit();
    shuffle(&mut large, seeds[0]);
    shuffle(&mut small, seeds[1]);
    large.sort_by_cached_key(|part| Reverse(part.size(pieces)));
    // A small key keeps the sort's memory small.
    small.sort_by_cached_key(|part| Reverse(u16::try_from(part.size(pieces)).unwrap_or(u16::MAX)));
    (large, small)
}
