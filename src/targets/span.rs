//! One key space for both families, and the sweep that makes overlapping spans disjoint.
//!
//! A key is an IPv6 address as a number; IPv4 stands in it as v4-mapped addresses do (`::ffff:0:0/96`, RFC
//! 4291 §2.5.5.2), for these are never scanned as IPv6. Knows no entry and no exclusion, only the numbers of
//! their owners.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::prefix::{GROUP_V4, GROUP_V6};
use crate::targets::line::Kind;

/// The first key of IPv4.
pub(super) const V4_FIRST: u128 = 0xffff << 32;
/// The last key of IPv4.
pub(super) const V4_LAST: u128 = V4_FIRST | 0xffff_ffff;

/// An address family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    /// The family of a key.
    pub(super) fn of(key: u128) -> Self {
        if key >> 32 == 0xffff { Self::V4 } else { Self::V6 }
    }

    /// How many bits of a key lie within a block, which is a /24 or a /48.
    pub(super) const fn block_bits(self) -> u32 {
        match self {
            Self::V4 => 32 - GROUP_V4 as u32,
            Self::V6 => 128 - GROUP_V6 as u32,
        }
    }

    /// How many addresses a block has.
    pub(super) const fn block_size(self) -> u128 {
        1 << self.block_bits()
    }
}

/// The key of an address; a v4-mapped one has that of the IPv4 address.
pub(super) fn key(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(v4) => V4_FIRST | u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address of a key.
pub(super) fn address(key: u128) -> IpAddr {
    match Family::of(key) {
        #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are the address")]
        Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(key as u32)),
        Family::V6 => IpAddr::V6(Ipv6Addr::from_bits(key)),
    }
}

/// The first and the last key of what a line names. Two spans where an IPv6 line reaches around the keys of
/// IPv4, none for a name.
pub(super) fn spans_of(kind: &Kind) -> impl Iterator<Item = (u128, u128)> {
    let (first, last) = match kind {
        Kind::Address(ip) => (ip.to_canonical(), ip.to_canonical()),
        Kind::Prefix(prefix) => (prefix.first(), prefix.last()),
        Kind::Range(first, last) => (*first, *last),
        Kind::Host(_) | Kind::Mx(_) | Kind::Asn(_) => return [None, None].into_iter().flatten(),
    };
    let (low, high) = (key(first), key(last));
    let parts = if first.is_ipv4() {
        [Some((low, high)), None]
    } else {
        let below = (low < V4_FIRST).then(|| (low, high.min(V4_FIRST - 1)));
        let above = (high > V4_LAST).then(|| (low.max(V4_LAST + 1), high));
        [below, above]
    };
    parts.into_iter().flatten()
}

/// Keys from `first` to `last`, both included, and whose they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u128,
    pub(super) last: u128,
    pub(super) owner: u32,
}

/// Makes spans disjoint: where several overlap, the one with the lowest rank owns the keys. Takes them sorted
/// by their first key, gives them in ascending order; neighbours of one owner and family come as one.
pub(super) fn sweep<R: Ord>(
    spans: impl Iterator<Item = Span>,
    rank: impl Fn(&Span) -> R,
    mut emit: impl FnMut(Span),
) {
    let mut grown: Option<Span> = None;
    cut_overlaps(spans, rank, |span| match &mut grown {
        Some(before) if before.is_continued_by(&span) => before.last = span.last,
        _ => {
            if let Some(before) = grown.replace(span) {
                emit(before);
            }
        }
    });
    if let Some(last) = grown {
        emit(last);
    }
}

impl Span {
    fn is_continued_by(&self, next: &Self) -> bool {
        self.owner == next.owner
            && self.last.checked_add(1) == Some(next.first)
            && Family::of(self.last) == Family::of(next.first)
    }
}

fn cut_overlaps<R: Ord>(
    spans: impl Iterator<Item = Span>,
    rank: impl Fn(&Span) -> R,
    mut emit: impl FnMut(Span),
) {
    let mut spans = spans.peekable();
    let mut open: BinaryHeap<Reverse<(R, u128, u32)>> = BinaryHeap::new();
    let mut at = 0;
    loop {
        while let Some(span) = spans.next_if(|span| span.first <= at) {
            open.push(Reverse((rank(&span), span.last, span.owner)));
        }
        while open.peek().is_some_and(|Reverse((_, last, _))| *last < at) {
            open.pop();
        }
        let Some(&Reverse((_, last, owner))) = open.peek() else {
            match spans.peek() {
                Some(span) => at = span.first,
                None => return,
            }
            continue;
        };
        // The next span starts behind `at`, so there is a key before it.
        let last = spans.peek().map_or(last, |next| last.min(next.first - 1));
        emit(Span { first: at, last, owner });
        match last.checked_add(1) {
            Some(next) => at = next,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::line::parse;

    #[test]
    fn keys_and_addresses_are_one_to_one() {
        for text in ["0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::1", "ffff::ffff"] {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(address(key(ip)), ip);
        }
        assert_eq!(address(key("::ffff:192.0.2.1".parse().unwrap())), IpAddr::from([192, 0, 2, 1]));
    }

    #[test]
    fn an_ipv6_span_never_holds_a_key_of_ipv4() {
        for (text, spans) in [
            ("0.0.0.0/0", vec![(V4_FIRST, V4_LAST)]),
            ("::/0", vec![(0, V4_FIRST - 1), (V4_LAST + 1, u128::MAX)]),
            ("::/96", vec![(0, 0xffff_ffff)]),
            ("2001:db8::1", vec![(key("2001:db8::1".parse().unwrap()), key("2001:db8::1".parse().unwrap()))]),
            ("mail.example.org", vec![]),
        ] {
            assert_eq!(spans_of(&parse(text).unwrap()).collect::<Vec<_>>(), spans, "{text}");
        }
    }

    #[test]
    fn the_lowest_rank_owns_what_overlaps() {
        let span = |first, last, owner| Span { first, last, owner };
        let mut swept = Vec::new();
        let spans = [
            span(0, 99, 9),
            span(10, 19, 3),
            span(15, 29, 2),
            span(40, 49, 9),
            span(100, 100, 1),
            span(V4_FIRST - 5, V4_FIRST - 1, 1),
            span(V4_FIRST, V4_FIRST, 1),
            span(u128::MAX, u128::MAX, 0),
        ];
        sweep(spans.into_iter(), |s| s.owner, |s| swept.push(s));
        assert_eq!(
            swept,
            [
                span(0, 9, 9),
                span(10, 14, 3),
                span(15, 29, 2),
                span(30, 99, 9),
                span(100, 100, 1),
                span(V4_FIRST - 5, V4_FIRST - 1, 1),
                span(V4_FIRST, V4_FIRST, 1),
                span(u128::MAX, u128::MAX, 0)
            ]
        );
    }
}
