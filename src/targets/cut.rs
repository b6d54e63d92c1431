//! The excluded keys taken out of ascending spans, and the rest cut at the edges of blocks, so that a piece
//! is either whole blocks or a part of one.

use std::iter::Peekable;

use crate::targets::pieces::{Piece, Pieces};
use crate::targets::span::{Family, Span};

/// Cuts spans; both they and the exclusions come by ascending key.
pub(super) struct Cutter<I: Iterator<Item = Piece>> {
    excluded: Peekable<I>,
    removed: Vec<u128>,
    pieces: Pieces,
}

impl<I: Iterator<Item = Piece>> Cutter<I> {
    /// Starts with the excluded pieces, whose owners are the numbers of so many lists.
    pub(super) fn new(excluded: I, lists: usize) -> Self {
        Self { excluded: excluded.peekable(), removed: vec![0; lists], pieces: Pieces::default() }
    }

    /// Takes a span behind all others.
    pub(super) fn push(&mut self, span: Span) {
        let mut first = span.first;
        while self.excluded.next_if(|piece| piece.last() < first).is_some() {}
        while let Some(piece) = self.excluded.peek().copied().filter(|piece| piece.first <= span.last) {
            if piece.first > first {
                self.push_blocks(Span { first, last: piece.first - 1, ..span });
                first = piece.first;
            }
            let end = piece.last().min(span.last);
            if let Some(removed) = self.removed.get_mut(piece.owner as usize) {
                // All of both families is one more than fits.
                *removed = removed.saturating_add(end - first + 1);
            }
            if end == span.last {
                return;
            }
            first = end + 1;
            self.excluded.next();
        }
        self.push_blocks(Span { first, ..span });
    }

    /// The pieces, and how many addresses each list took away.
    pub(super) fn finish(self) -> (Pieces, Vec<u128>) {
        (self.pieces, self.removed)
    }

    fn push_blocks(&mut self, span: Span) {
        let within = Family::of(span.first).block_size() - 1;
        let mut first = span.first;
        if first & within != 0 || first | within > span.last {
            let end = (first | within).min(span.last);
            self.pieces.push(Span { last: end, ..span });
            if end == span.last {
                return;
            }
            first = end + 1;
        }
        // `first` now starts a block; if the last block is not whole, it stands alone.
        if span.last & within == within {
            self.pieces.push(Span { first, ..span });
            return;
        }
        let part = span.last & !within;
        if part > first {
            self.pieces.push(Span { first, last: part - 1, ..span });
        }
        self.pieces.push(Span { first: part, ..span });
    }
}
