//! Disjoint pieces of both families, sorted, each with its owner: twelve bytes for an IPv4 piece, 36 for an
//! IPv6 one.
//!
//! A piece is found by a key in O(log n), and by its number: IPv4 pieces come first, whatever their keys.

use crate::targets::span::{Family, Span, V4_FIRST, V4_LAST};

/// Disjoint pieces, sorted within their family.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    v4: Column<u32>,
    v6: Column<u128>,
}

/// A piece and how many addresses stand before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) first: u128,
    pub(super) count: u128,
    pub(super) owner: u32,
}

impl Piece {
    /// The last key.
    pub(super) fn last(&self) -> u128 {
        self.first + (self.count - 1)
    }
}

impl Pieces {
    /// Adds a span behind all spans of its family.
    pub(super) fn push(&mut self, span: Span) {
        let count = span.last - span.first + 1;
        match Family::of(span.first) {
            Family::V4 => self.v4.push(span.first - V4_FIRST, count, span.owner),
            Family::V6 => self.v6.push(span.first, count, span.owner),
        }
    }

    /// Gives back memory that pushing took ahead.
    pub(super) fn shrink(&mut self) {
        self.v4.shrink();
        self.v6.shrink();
    }

    /// How many pieces there are.
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// The numbers of a family's pieces.
    pub(super) fn of(&self, family: Family) -> std::ops::Range<usize> {
        match family {
            Family::V4 => 0..self.v4.len(),
            Family::V6 => self.v4.len()..self.len(),
        }
    }

    /// How many addresses there are.
    pub(super) fn total(&self) -> u128 {
        // The registries' never-scanned prefixes and IPv4's keys leave room; a set without them could be
        // full.
        self.v4.total.saturating_add(self.v6.total)
    }

    /// A piece by its number.
    pub(super) fn get(&self, number: usize) -> Piece {
        match number.checked_sub(self.v4.len()) {
            None => {
                let mut piece = self.v4.get(number);
                piece.first += V4_FIRST;
                piece
            }
            Some(number) => self.v6.get(number),
        }
    }

    /// The owner of a piece.
    pub(super) fn owner(&self, number: usize) -> u32 {
        match number.checked_sub(self.v4.len()) {
            None => self.v4.owner[number],
            Some(number) => self.v6.owner[number],
        }
    }

    /// The number of the first piece of its family that starts at a key or behind; behind the last, one more
    /// than its.
    pub(super) fn first_from(&self, key: u128) -> usize {
        match Family::of(key) {
            Family::V4 => self.v4.first.partition_point(|first| u128::from(*first) < key - V4_FIRST),
            Family::V6 => self.v4.len() + self.v6.first.partition_point(|first| *first < key),
        }
    }

    /// The number of the first piece of the key's family that starts behind it.
    pub(super) fn first_behind(&self, key: u128) -> usize {
        match Family::of(key) {
            Family::V4 => self.v4.first.partition_point(|first| u128::from(*first) <= key - V4_FIRST),
            Family::V6 => self.v4.len() + self.v6.first.partition_point(|first| *first <= key),
        }
    }

    /// How many addresses of its family stand before a piece.
    pub(super) fn before(&self, number: usize) -> u128 {
        match number.checked_sub(self.v4.len()) {
            None => self.v4.before(number),
            Some(number) => self.v6.before(number),
        }
    }

    /// How many addresses a run of pieces of one family has.
    pub(super) fn count(&self, start: usize, pieces: usize) -> u128 {
        match start.checked_sub(self.v4.len()) {
            None => self.v4.before(start + pieces) - self.v4.before(start),
            Some(start) => self.v6.before(start + pieces) - self.v6.before(start),
        }
    }

    /// The piece of a run of pieces of one family that holds the run's address of this rank, from zero, and
    /// the key.
    pub(super) fn nth(&self, start: usize, pieces: usize, rank: u128) -> (usize, u128) {
        match start.checked_sub(self.v4.len()) {
            None => {
                let (at, key) = self.v4.nth(start, pieces, rank);
                (at, key + V4_FIRST)
            }
            Some(start) => {
                let (at, key) = self.v6.nth(start, pieces, rank);
                (at + self.v4.len(), key)
            }
        }
    }

    /// The number of the piece that holds a key.
    pub(super) fn find(&self, key: u128) -> Option<usize> {
        match Family::of(key) {
            Family::V4 => self.v4.find(key - V4_FIRST),
            Family::V6 => self.v6.find(key).map(|at| at + self.v4.len()),
        }
    }

    /// All pieces by ascending key.
    pub(super) fn iter(&self) -> impl Iterator<Item = Piece> + '_ {
        let v6_below = self.v4.len() + self.v6.first.partition_point(|&first| first <= V4_LAST);
        (self.v4.len()..v6_below).chain(0..self.v4.len()).chain(v6_below..self.len()).map(|n| self.get(n))
    }
}

/// A number as wide as its family needs.
trait Number: Copy + Ord {
    fn narrow(wide: u128) -> Self;
    fn wide(self) -> u128;
}

impl Number for u32 {
    #[expect(clippy::cast_possible_truncation, reason = "an IPv4 offset has 32 bits")]
    fn narrow(wide: u128) -> Self {
        wide as u32
    }

    fn wide(self) -> u128 {
        u128::from(self)
    }
}

impl Number for u128 {
    fn narrow(wide: u128) -> Self {
        wide
    }

    fn wide(self) -> u128 {
        self
    }
}

/// The pieces of one family; its keys start at zero.
#[derive(Debug, Default)]
struct Column<N> {
    first: Vec<N>,
    /// The addresses of all pieces before. There is room: behind a piece stands at least one address less.
    before: Vec<N>,
    owner: Vec<u32>,
    total: u128,
}

impl<N: Number> Column<N> {
    fn push(&mut self, first: u128, count: u128, owner: u32) {
        self.first.push(N::narrow(first));
        self.before.push(N::narrow(self.total));
        self.owner.push(owner);
        self.total += count;
    }

    fn shrink(&mut self) {
        self.first.shrink_to_fit();
        self.before.shrink_to_fit();
        self.owner.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.first.len()
    }

    fn before(&self, number: usize) -> u128 {
        self.before.get(number).map_or(self.total, |before| before.wide())
    }

    fn get(&self, number: usize) -> Piece {
        Piece {
            first: self.first[number].wide(),
            count: self.before(number + 1) - self.before[number].wide(),
            owner: self.owner[number],
        }
    }

    fn nth(&self, start: usize, pieces: usize, rank: u128) -> (usize, u128) {
        if pieces == 1 {
            return (start, self.first[start].wide() + rank);
        }
        let wanted = self.before[start].wide() + rank;
        let run = &self.before[start..start + pieces];
        let at = start + run.partition_point(|before| before.wide() <= wanted) - 1;
        (at, self.first[at].wide() + (wanted - self.before[at].wide()))
    }

    fn find(&self, key: u128) -> Option<usize> {
        let key_here = N::narrow(key);
        let number = self.first.partition_point(|first| *first <= key_here).checked_sub(1)?;
        let piece = self.get(number);
        (key - piece.first < piece.count).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(first: u128, last: u128, owner: u32) -> Span {
        Span { first, last, owner }
    }

    #[test]
    fn pieces_come_back_by_key_and_by_number() {
        let spans = [
            span(5, 9, 1),
            span(V4_FIRST, V4_FIRST + 255, 2),
            span(V4_FIRST + 300, V4_LAST, 3),
            span(V4_LAST + 1, V4_LAST + 1, 4),
            span(1 << 120, u128::MAX, 5),
        ];
        let mut pieces = Pieces::default();
        for span in spans {
            pieces.push(span);
        }
        let listed: Vec<_> = pieces.iter().map(|p| span(p.first, p.last(), p.owner)).collect();
        assert_eq!(listed, spans);
        for span in spans {
            for key in [span.first, span.last] {
                assert_eq!(pieces.find(key).map(|n| pieces.get(n).owner), Some(span.owner));
            }
        }
        for key in [0, 4, 10, V4_FIRST - 1, V4_FIRST + 256, V4_FIRST + 299, V4_LAST + 2, (1 << 120) - 1] {
            assert_eq!(pieces.find(key), None);
        }
        assert_eq!((pieces.len(), pieces.of(Family::V6)), (5, 2..5));
        assert_eq!(pieces.count(0, 2), (1 << 32) - 44);
        assert_eq!(pieces.nth(0, 2, 256), (1, V4_FIRST + 300));
        assert_eq!(pieces.nth(2, 2, 5), (3, V4_LAST + 1));
        assert_eq!(pieces.nth(2, 3, 7), (4, (1 << 120) + 1));
    }

    #[test]
    fn all_of_ipv4_fits_its_column() {
        let mut pieces = Pieces::default();
        pieces.push(span(V4_FIRST, V4_LAST - 1, 0));
        pieces.push(span(V4_LAST, V4_LAST, 1));
        assert_eq!(pieces.total(), 1 << 32);
        assert_eq!(pieces.get(1), Piece { first: V4_LAST, count: 1, owner: 1 });
    }
}
