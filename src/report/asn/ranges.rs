//! Values by ranges of addresses, kept as ranges: a range off the borders of prefixes would be dozens of
//! these.
//!
//! Where ranges overlap, the narrowest that holds an address counts, of equals the later one. On ten numbers:
//! `0-9: a`, `2-5: b` and `4-7: c` are settled as `0-1: a`, `2-3: b`, `4-7: c`, `8-9: a`, and looked up by
//! halving.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::prefix::Prefix;

/// Ranges of both families, each with a value.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    v4: Family<u32>,
    v6: Family<u128>,
}

/// The ranges of one family.
#[derive(Debug)]
struct Family<A> {
    /// In the order of the data, overlaps and all.
    given: Vec<Range<A>>,
    /// Disjoint and in order, once settled.
    settled: Vec<Range<A>>,
}

impl<A> Default for Family<A> {
    fn default() -> Self {
        Self { given: Vec::new(), settled: Vec::new() }
    }
}

/// All addresses from the first to the last, and their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range<A> {
    first: A,
    last: A,
    value: u32,
}

impl Ranges {
    /// Adds a range; false if it ends before it starts, or in the other family.
    pub(super) fn push(&mut self, first: IpAddr, last: IpAddr, value: u32) -> bool {
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
                self.v4.given.push(Range { first: first.to_bits(), last: last.to_bits(), value });
            }
            (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
                self.v6.given.push(Range { first: first.to_bits(), last: last.to_bits(), value });
            }
            _ => return false,
        }
        true
    }

    /// Adds a prefix, as a part of the range before it where that goes on: data by prefix hold a range in
    /// pieces.
    pub(super) fn join(&mut self, prefix: Prefix, value: u32) {
        match (prefix.first(), prefix.last()) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                put(&mut self.v4.given, Range { first: first.to_bits(), last: last.to_bits(), value });
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => {
                put(&mut self.v6.given, Range { first: first.to_bits(), last: last.to_bits(), value });
            }
            _ => {}
        }
    }

    /// To be called when all are there, before any is looked up.
    pub(super) fn settle(&mut self) {
        self.v4.settle();
        self.v6.settle();
    }

    /// The value at an address. A v4-mapped address is looked up as the IPv4 one.
    pub(super) fn get(&self, ip: IpAddr) -> Option<u32> {
        match ip.to_canonical() {
            IpAddr::V4(ip) => self.v4.get(ip.to_bits()),
            IpAddr::V6(ip) => self.v6.get(ip.to_bits()),
        }
    }

    /// The prefixes of all ranges whose value `is_meant`, IPv4 first, else in the order of the data.
    pub(super) fn prefixes(&self, is_meant: impl Fn(u32) -> bool) -> Vec<Prefix> {
        let v4 = self.v4.given.iter().filter(|range| is_meant(range.value));
        let v6 = self.v6.given.iter().filter(|range| is_meant(range.value));
        let v4 = v4.map(|range| [range.first, range.last].map(|end| IpAddr::from(Ipv4Addr::from_bits(end))));
        let v6 = v6.map(|range| [range.first, range.last].map(|end| IpAddr::from(Ipv6Addr::from_bits(end))));
        v4.chain(v6).flat_map(|[first, last]| Prefix::within(first, last)).collect()
    }
}

/// An address as a number.
trait Number: Copy + Ord {
    fn after(self) -> Option<Self>;
    fn before(self) -> Self;
    fn distance(self, from: Self) -> Self;
}

macro_rules! number {
    ($kind:ty) => {
        impl Number for $kind {
            fn after(self) -> Option<Self> {
                self.checked_add(1)
            }

            fn before(self) -> Self {
                self.saturating_sub(1)
            }

            fn distance(self, from: Self) -> Self {
                self.saturating_sub(from)
            }
        }
    };
}

number!(u32);
number!(u128);

impl<A: Number> Family<A> {
    fn get(&self, at: A) -> Option<u32> {
        let behind = self.settled.partition_point(|range| range.first <= at);
        let range = self.settled.get(behind.checked_sub(1)?)?;
        (at <= range.last).then_some(range.value)
    }

    /// Goes through the addresses once, from start to start and from end to end of ranges.
    fn settle(&mut self) {
        self.given.shrink_to_fit();
        let mut starts: Vec<usize> = (0..self.given.len()).collect();
        starts.sort_by_key(|&index| self.given[index].first);
        let mut starts = starts.into_iter().peekable();
        // Those that have begun, the narrowest on top, of equals the later.
        let mut begun = BinaryHeap::new();
        let mut at = None;
        self.settled.clear();
        loop {
            while let Some(&Reverse((_, Reverse(index)))) = begun.peek() {
                let range: Range<A> = self.given[index];
                if at.is_some_and(|at| range.last >= at) {
                    break;
                }
                begun.pop();
            }
            let next = starts.peek().map(|&index| self.given[index].first);
            if begun.is_empty() {
                let Some(next) = next else { break };
                at = Some(next);
            }
            let Some(here) = at else { break };
            while let Some(index) = starts.next_if(|&index| self.given[index].first <= here) {
                let range = self.given[index];
                begun.push(Reverse((range.last.distance(range.first), Reverse(index))));
            }
            let Some(&Reverse((_, Reverse(index)))) = begun.peek() else { continue };
            let range = self.given[index];
            let end =
                starts.peek().map_or(range.last, |&index| self.given[index].first.before().min(range.last));
            put(&mut self.settled, Range { first: here, last: end, ..range });
            at = end.after();
            if at.is_none() {
                break;
            }
        }
        self.settled.shrink_to_fit();
    }
}

/// Adds a range, or makes the one before longer.
fn put<A: Number>(ranges: &mut Vec<Range<A>>, range: Range<A>) {
    match ranges.last_mut() {
        Some(before) if before.value == range.value && before.last.after() == Some(range.first) => {
            before.last = range.last;
        }
        _ => ranges.push(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn ranges(given: &[(u8, u8, u32)]) -> Ranges {
        let mut ranges = Ranges::default();
        for &(first, last, value) in given {
            assert!(ranges.push(ip(first), ip(last), value));
        }
        ranges.settle();
        ranges
    }

    #[test]
    fn the_narrowest_counts_and_of_equals_the_later() {
        for (given, told) in [
            (&[(0, 9, 1), (2, 5, 2), (4, 7, 3)][..], "1122333311"),
            (&[(4, 7, 3), (2, 5, 2), (0, 9, 1)], "1122223311"),
            (&[(0, 9, 1), (0, 9, 2)], "2222222222"),
            (&[(3, 3, 1), (5, 6, 2)], "...1.22..."),
            (&[(0, 4, 1), (5, 9, 1)], "1111111111"),
            (&[], ".........."),
        ] {
            let ranges = ranges(given);
            let found =
                (0..10).map(|last| ranges.get(ip(last)).map_or(".".to_owned(), |value| value.to_string()));
            assert_eq!(found.collect::<String>(), told, "{given:?}");
        }
    }

    #[test]
    fn the_ends_of_the_address_space_are_addresses_like_others() {
        let mut ranges = Ranges::default();
        for (first, last, value) in [
            ("0.0.0.0", "255.255.255.255", 1),
            ("255.255.255.255", "255.255.255.255", 2),
            ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 3),
        ] {
            assert!(ranges.push(first.parse().unwrap(), last.parse().unwrap(), value));
        }
        ranges.settle();
        for (ip, value) in [
            ("0.0.0.0", 1),
            ("255.255.255.254", 1),
            ("255.255.255.255", 2),
            ("::2", 3),
            ("::ffff:192.0.2.1", 1),
        ] {
            assert_eq!(ranges.get(ip.parse().unwrap()), Some(value), "{ip}");
        }
        assert!(!ranges.push(ip(1), "2001:db8::".parse().unwrap(), 1) && !ranges.push(ip(1), ip(0), 1));
        ranges.join(Prefix::parse("10.0.0.0/9").unwrap(), 4);
        ranges.join(Prefix::parse("10.128.0.0/9").unwrap(), 4);
        assert_eq!(ranges.v4.given.len(), 3, "two halves are one range");
        assert_eq!(
            ranges.prefixes(|value| value == 1).iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["0.0.0.0/0"]
        );
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn what_is_settled_says_what_a_look_at_all_ranges_says(
            given in prop::collection::vec((0..40u8, 0..40u8, 0..4u32), 0..12)
        ) {
            let given: Vec<_> = given.into_iter().map(|(a, b, value)| (a.min(b), a.max(b), value)).collect();
            let mut whole = Ranges::default();
            for &(first, last, value) in &given {
                prop_assert!(whole.push(ip(first), ip(last), value));
            }
            whole.settle();
            for last in 0..45 {
                let IpAddr::V4(v4) = ip(last) else { unreachable!() };
                let at = v4.to_bits();
                let holds = whole.v4.given.iter().enumerate().filter(|(_, range)| range.first <= at && at <= range.last);
                let counts = holds.min_by_key(|(index, range)| (range.last - range.first, Reverse(*index)));
                prop_assert_eq!(whole.get(ip(last)), counts.map(|(_, range)| range.value), "{}", last);
            }
            prop_assert!(whole.v4.settled.windows(2).all(|pair| pair[0].last < pair[1].first));
        }
    }
}
