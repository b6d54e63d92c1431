//! How many hosts records are of: a host is an address and a port, and names that lead to one address have a
//! record each.
//!
//! By example: three names lead to 192.0.2.1, and a prefix holds 192.0.2.2: four records, two hosts. Up to
//! `MOST` hosts the count is exact. Beyond, a host that was not met before counts anew each time: memory
//! stays bounded.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;

use crate::record::row::Row;

/// Hosts that are told apart: some 16 MiB.
const MOST: usize = 1 << 20;

/// Whether a host was met before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    First,
    Again,
    /// The record has no address.
    Nobody,
}

/// The hosts of records.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    /// Hashes, keyed at random: two hosts of one hash are met once in many millions of runs.
    seen: HashSet<u64, RandomState>,
    count: u64,
    is_beyond: bool,
    /// No host has two records, so none needs to be told apart.
    are_apart: bool,
}

impl Hosts {
    /// Of records that have a host each, as those of a scan without names have.
    pub fn apart() -> Self {
        Self { are_apart: true, ..Self::default() }
    }

    /// How many there are; at most so many where there are very many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether the count is exact.
    pub fn is_exact(&self) -> bool {
        !self.is_beyond
    }

    pub(super) fn add(&mut self, row: &Row<'_>) -> Met {
        let Some(ip) = row.ip else { return Met::Nobody };
        if self.are_apart {
            self.count += 1;
            return Met::First;
        }
        let hash = self.seen.hasher().hash_one((ip, row.port));
        if self.seen.contains(&hash) {
            return Met::Again;
        }
        self.count += 1;
        if self.seen.len() < MOST {
            self.seen.insert(hash);
        } else {
            self.is_beyond = true;
        }
        Met::First
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use crate::judge::{Severity, Verdict};

    #[test]
    fn a_host_is_an_address_and_a_port_whatever_led_to_it() {
        let at = |last, port, asked: &'static str| Row {
            port,
            asked: asked.into(),
            ..row([192, 0, 2, last], Verdict::Match, Severity::None)
        };
        let mut hosts = Hosts::default();
        let met = [
            (at(1, 25, "a.example"), Met::First),
            (at(1, 25, "b.example"), Met::Again),
            (at(1, 587, "a.example"), Met::First),
            (at(2, 25, "192.0.2.0/24"), Met::First),
            (Row { ip: None, ..at(1, 25, "c.example") }, Met::Nobody),
        ];
        for (row, expected) in met {
            assert_eq!(hosts.add(&row), expected, "{row:?}");
        }
        assert_eq!((hosts.count(), hosts.is_exact()), (3, true));
        let mut apart = Hosts::apart();
        let met = [at(1, 25, "192.0.2.0/24"), at(2, 25, "192.0.2.0/24")].map(|row| apart.add(&row));
        assert_eq!((met, apart.count(), apart.is_exact()), ([Met::First; 2], 2, true));
    }
}
