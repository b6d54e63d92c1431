//! The bytes that a CSV reader is given: no more than one row may take, and a mark behind the end. Knows no
//! column.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use crate::targets::lines::fill;

/// The longest row of a CSV list, in bytes: a hundred columns of a few hundred bytes.
pub const MAX_ROW: u64 = 65_536;
/// What the CSV reader takes from its input at a time, in bytes.
pub(super) const READ_AHEAD: usize = 8_192;
/// What is given behind the input's end: a row that only a quote left open can swallow.
pub(super) const END: &[u8] = b"\nx\n";

/// An input that gives no more than it may, for a row with an open quote would take all of it; that turns a
/// CR without LF into LF, for the CSV reader ends a comment at LF only; that knows where its lines end; and
/// that gives [`END`] behind its end.
#[derive(Debug)]
pub(super) struct Bounded<R> {
    input: R,
    /// The bytes given so far.
    given: u64,
    /// The bytes that may be given.
    limit: u64,
    /// Where lines ended of late.
    line_ends: VecDeque<u64>,
    /// How many line ends are no longer in `line_ends`.
    passed: u64,
    /// How much of [`END`] was given; nothing before the input's end.
    end_given: usize,
}

impl<R> Bounded<R> {
    pub(super) fn new(input: R) -> Self {
        let limit = MAX_ROW + READ_AHEAD as u64;
        Self { input, given: 0, limit, line_ends: VecDeque::new(), passed: 0, end_given: 0 }
    }

    /// Lets one more row be given, behind the `consumed` bytes.
    pub(super) fn allow(&mut self, consumed: u64) {
        self.limit = consumed + MAX_ROW + READ_AHEAD as u64;
    }

    /// Whether all of [`END`] is among the `consumed` bytes.
    pub(super) fn is_past_end(&self, consumed: u64) -> bool {
        self.end_given == END.len() && consumed >= self.given + END.len() as u64
    }

    /// How many lines ended before a byte; asked in ascending order.
    pub(super) fn line_ends_before(&mut self, byte: u64) -> u64 {
        while self.line_ends.front().is_some_and(|end| *end < byte) {
            self.line_ends.pop_front();
            self.passed += 1;
        }
        self.passed
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the row is too long")]
pub(super) struct RowTooLong;

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given >= self.limit {
            return Err(io::Error::other(RowTooLong));
        }
        let count = self.input.read(buffer)?;
        if count == 0 {
            let mut rest = &END[self.end_given..];
            let count = rest.read(buffer)?;
            self.end_given += count;
            return Ok(count);
        }
        let given = &mut buffer[..count];
        let next = if given.last() == Some(&b'\r') { fill(&mut self.input)?.first().copied() } else { None };
        for at in 0..count {
            if given[at] == b'\r' && given.get(at + 1).copied().or(next) != Some(b'\n') {
                given[at] = b'\n';
            }
            if given[at] == b'\n' {
                self.line_ends.push_back(self.given + at as u64);
            }
        }
        self.given += count as u64;
        Ok(count)
    }
}
