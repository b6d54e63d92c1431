//! The addresses that are no ordinary hosts: IANA's special-purpose registries of IPv4 and IPv6, multicast,
//! and what lies outside global unicast. None is scanned unless asked for, some never.
//!
//! The rows are those of the registries <https://www.iana.org/assignments/iana-ipv4-special-registry> and
//! <https://www.iana.org/assignments/iana-ipv6-special-registry> as of 2025-10-09.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::prefix::Prefix;
use Class::{Liftable, Never};

/// A reserved prefix.
#[derive(Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The addresses.
    pub prefix: Prefix,
    /// What they are for.
    pub name: &'static str,
    /// Where that is laid down.
    pub source: &'static str,
    /// Whether they can be scanned at all.
    pub class: Class,
}

/// Whether a reserved prefix can be scanned on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// With `--allow-reserved`: networks that have hosts, in some place.
    Liftable,
    /// No single host ever answers there.
    Never,
}

/// What to do about reserved addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReservedPolicy {
    /// None is scanned.
    #[default]
    Exclude,
    /// Those of [`Class::Liftable`] are scanned.
    Allow,
}

impl ReservedPolicy {
    /// The prefixes that are not scanned.
    pub fn excluded(self) -> impl Iterator<Item = &'static Reserved> {
        RESERVED.iter().filter(move |row| self == Self::Exclude || row.class == Never)
    }
}

/// The most specific reserved prefix that holds an address. An IPv6 address that leads to an IPv4 one (6to4,
/// RFC 3056 §2; the well-known translation prefix, RFC 6052 §2.1) is also judged by that one.
pub fn reserved(ip: IpAddr) -> Option<&'static Reserved> {
    let ip = ip.to_canonical();
    let own = RESERVED.iter().filter(|row| row.prefix.contains(ip)).max_by_key(|row| row.prefix.length());
    let led_to = embedded(ip).and_then(|v4| reserved(IpAddr::V4(v4))).filter(|row| row.class == Never);
    led_to.or(own)
}

/// The 6to4 prefix, of which each IPv4 address has a /48 (RFC 3056 §2).
pub(super) const SIX_TO_FOUR: Prefix = Prefix::v6(0x2002_0000_0000_0000, 0, 16);
/// The well-known prefix behind which a translator puts IPv4 addresses (RFC 6052 §2.1).
pub(super) const TRANSLATED: Prefix = Prefix::v6(0x0064_ff9b_0000_0000, 0, 96);

fn embedded(ip: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = ip else { return None };
    let bits = v6.to_bits();
    #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are the address")]
    let v4 = |shift: u32| Some(Ipv4Addr::from_bits((bits >> shift) as u32));
    if SIX_TO_FOUR.contains(ip) {
        v4(80)
    } else if TRANSLATED.contains(ip) {
        v4(0)
    } else {
        None
    }
}

/// The first and last IPv6 addresses that lead to the IPv4 addresses of a range.
pub(super) fn leading_to(first: Ipv4Addr, last: Ipv4Addr) -> [(Ipv6Addr, Ipv6Addr); 2] {
    let (low, high) = (u128::from(first.to_bits()), u128::from(last.to_bits()));
    let base = |prefix: Prefix| match prefix.first() {
        IpAddr::V6(v6) => v6.to_bits(),
        IpAddr::V4(_) => 0,
    };
    let six_to_four = (base(SIX_TO_FOUR) | low << 80, base(SIX_TO_FOUR) | high << 80 | ((1 << 80) - 1));
    let translated = (base(TRANSLATED) | low, base(TRANSLATED) | high);
    [six_to_four, translated].map(|(first, last)| (Ipv6Addr::from_bits(first), Ipv6Addr::from_bits(last)))
}

const fn row(prefix: Prefix, name: &'static str, source: &'static str, class: Class) -> Reserved {
    Reserved { prefix, name, source, class }
}

/// All reserved prefixes, IPv4 first; some lie within others.
#[rustfmt::skip]
pub static RESERVED: &[Reserved] = &[
    row(Prefix::v4(0, 0, 0, 0, 8), "this network", "RFC 791 §3.2", Never),
    row(Prefix::v4(10, 0, 0, 0, 8), "private use", "RFC 1918", Liftable),
    row(Prefix::v4(100, 64, 0, 0, 10), "shared address space", "RFC 6598", Liftable),
    row(Prefix::v4(127, 0, 0, 0, 8), "loopback", "RFC 1122 §3.2.1.3", Liftable),
    row(Prefix::v4(169, 254, 0, 0, 16), "link local", "RFC 3927", Liftable),
    row(Prefix::v4(172, 16, 0, 0, 12), "private use", "RFC 1918", Liftable),
    row(Prefix::v4(192, 0, 0, 0, 24), "IETF protocol assignments", "RFC 6890 §2.1", Liftable),
    row(Prefix::v4(192, 0, 0, 0, 29), "IPv4 service continuity", "RFC 7335", Liftable),
    row(Prefix::v4(192, 0, 0, 8, 32), "IPv4 dummy address", "RFC 7600", Liftable),
    row(Prefix::v4(192, 0, 0, 9, 32), "port control protocol anycast", "RFC 7723", Liftable),
    row(Prefix::v4(192, 0, 0, 10, 32), "TURN anycast", "RFC 8155", Liftable),
    row(Prefix::v4(192, 0, 0, 170, 32), "NAT64/DNS64 discovery", "RFC 8880", Liftable),
    row(Prefix::v4(192, 0, 0, 171, 32), "NAT64/DNS64 discovery", "RFC 8880", Liftable),
    row(Prefix::v4(192, 0, 2, 0, 24), "documentation (TEST-NET-1)", "RFC 5737", Liftable),
    row(Prefix::v4(192, 31, 196, 0, 24), "AS112-v4", "RFC 7535", Liftable),
    row(Prefix::v4(192, 52, 193, 0, 24), "AMT", "RFC 7450", Liftable),
    row(Prefix::v4(192, 88, 99, 0, 24), "deprecated 6to4 relay anycast", "RFC 7526", Liftable),
    row(Prefix::v4(192, 88, 99, 2, 32), "6a44 relay anycast", "RFC 6751", Liftable),
    row(Prefix::v4(192, 168, 0, 0, 16), "private use", "RFC 1918", Liftable),
    row(Prefix::v4(192, 175, 48, 0, 24), "direct delegation AS112", "RFC 7534", Liftable),
    row(Prefix::v4(198, 18, 0, 0, 15), "benchmarking", "RFC 2544", Liftable),
    row(Prefix::v4(198, 51, 100, 0, 24), "documentation (TEST-NET-2)", "RFC 5737", Liftable),
    row(Prefix::v4(203, 0, 113, 0, 24), "documentation (TEST-NET-3)", "RFC 5737", Liftable),
    row(Prefix::v4(224, 0, 0, 0, 4), "multicast", "RFC 5771", Never),
    row(Prefix::v4(240, 0, 0, 0, 4), "reserved", "RFC 1112 §4", Never),
    row(Prefix::v4(255, 255, 255, 255, 32), "limited broadcast", "RFC 919 §7", Never),
    row(Prefix::v6(0, 0, 128), "unspecified address", "RFC 4291 §2.5.2", Never),
    row(Prefix::v6(0, 0x0000_0000_0000_0001, 128), "loopback address", "RFC 4291 §2.5.3", Liftable),
    row(Prefix::v6(0, 0, 96), "deprecated IPv4-compatible addresses", "RFC 4291 §2.5.5.1", Liftable),
    row(Prefix::v6(0, 0x0000_ffff_0000_0000, 96), "IPv4-mapped addresses", "RFC 4291 §2.5.5.2", Never),
    row(Prefix::v6(0x0064_ff9b_0000_0000, 0, 96), "IPv4-IPv6 translation", "RFC 6052", Liftable),
    row(Prefix::v6(0x0064_ff9b_0001_0000, 0, 48), "local-use IPv4-IPv6 translation", "RFC 8215", Liftable),
    row(Prefix::v6(0x0100_0000_0000_0000, 0, 64), "discard only", "RFC 6666", Liftable),
    row(Prefix::v6(0x0100_0000_0000_0001, 0, 64), "dummy prefix", "RFC 9780", Liftable),
    row(Prefix::v6(0x2001_0000_0000_0000, 0, 23), "IETF protocol assignments", "RFC 2928", Liftable),
    row(Prefix::v6(0x2001_0000_0000_0000, 0, 32), "Teredo", "RFC 4380", Liftable),
    row(Prefix::v6(0x2001_0001_0000_0000, 0x0000_0000_0000_0001, 128), "port control protocol anycast", "RFC 7723", Liftable),
    row(Prefix::v6(0x2001_0001_0000_0000, 0x0000_0000_0000_0002, 128), "TURN anycast", "RFC 8155", Liftable),
    row(Prefix::v6(0x2001_0001_0000_0000, 0x0000_0000_0000_0003, 128), "DNS-SD service registration anycast", "RFC 9665", Liftable),
    row(Prefix::v6(0x2001_0002_0000_0000, 0, 48), "benchmarking", "RFC 5180", Liftable),
    row(Prefix::v6(0x2001_0003_0000_0000, 0, 32), "AMT", "RFC 7450", Liftable),
    row(Prefix::v6(0x2001_0004_0112_0000, 0, 48), "AS112-v6", "RFC 7535", Liftable),
    row(Prefix::v6(0x2001_0010_0000_0000, 0, 28), "deprecated ORCHID", "RFC 4843", Liftable),
    row(Prefix::v6(0x2001_0020_0000_0000, 0, 28), "ORCHIDv2", "RFC 7343", Liftable),
    row(Prefix::v6(0x2001_0030_0000_0000, 0, 28), "drone remote ID", "RFC 9374", Liftable),
    row(Prefix::v6(0x2001_0db8_0000_0000, 0, 32), "documentation", "RFC 3849", Liftable),
    row(Prefix::v6(0x2002_0000_0000_0000, 0, 16), "6to4", "RFC 3056", Liftable),
    row(Prefix::v6(0x2620_004f_8000_0000, 0, 48), "direct delegation AS112", "RFC 7534", Liftable),
    row(Prefix::v6(0x3fff_0000_0000_0000, 0, 20), "documentation", "RFC 9637", Liftable),
    row(Prefix::v6(0x5f00_0000_0000_0000, 0, 16), "segment routing SIDs", "RFC 9602", Liftable),
    row(Prefix::v6(0xfc00_0000_0000_0000, 0, 7), "unique local", "RFC 4193", Liftable),
    row(Prefix::v6(0xfe80_0000_0000_0000, 0, 10), "link-local unicast", "RFC 4291 §2.5.6", Liftable),
    row(Prefix::v6(0xfec0_0000_0000_0000, 0, 10), "deprecated site-local unicast", "RFC 3879", Liftable),
    row(Prefix::v6(0xff00_0000_0000_0000, 0, 8), "multicast", "RFC 4291 §2.7", Never),
    row(Prefix::v6(0, 0, 3), "outside global unicast", "RFC 4291 §2.4", Liftable),
    row(Prefix::v6(0x4000_0000_0000_0000, 0, 2), "outside global unicast", "RFC 4291 §2.4", Liftable),
    row(Prefix::v6(0x8000_0000_0000_0000, 0, 1), "outside global unicast", "RFC 4291 §2.4", Liftable),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_has_bits_set_behind_its_prefix_and_none_stands_twice() {
        for (at, row) in RESERVED.iter().enumerate() {
            let written: ipnet::IpNet = row.prefix.to_string().parse().unwrap();
            assert_eq!(written.addr(), row.prefix.first(), "{}", row.prefix);
            assert!(RESERVED[..at].iter().all(|other| other.prefix != row.prefix), "{}", row.prefix);
        }
    }

    #[test]
    fn an_address_has_the_most_specific_row() {
        for (ip, prefix, class) in [
            ("0.0.0.1", "0.0.0.0/8", Never),
            ("10.1.2.3", "10.0.0.0/8", Liftable),
            ("127.0.0.1", "127.0.0.0/8", Liftable),
            ("100.127.255.255", "100.64.0.0/10", Liftable),
            ("172.31.0.1", "172.16.0.0/12", Liftable),
            ("192.0.0.9", "192.0.0.9/32", Liftable),
            ("192.0.0.100", "192.0.0.0/24", Liftable),
            ("198.19.255.255", "198.18.0.0/15", Liftable),
            ("239.0.0.1", "224.0.0.0/4", Never),
            ("255.255.255.255", "255.255.255.255/32", Never),
            ("::ffff:10.0.0.1", "10.0.0.0/8", Liftable),
            ("::", "::/128", Never),
            ("::1", "::1/128", Liftable),
            ("::192.0.2.1", "::/96", Liftable),
            ("2001:db8::1", "2001:db8::/32", Liftable),
            ("2001:0:1::", "2001::/32", Liftable),
            ("2002:c000:201::1", "2002::/16", Liftable),
            ("2002:e000:1::1", "224.0.0.0/4", Never),
            ("64:ff9b::192.0.2.1", "64:ff9b::/96", Liftable),
            ("64:ff9b::240.0.0.1", "240.0.0.0/4", Never),
            ("fe80::1", "fe80::/10", Liftable),
            ("ff02::1", "ff00::/8", Never),
            ("4000::1", "4000::/2", Liftable),
            ("1fff::1", "::/3", Liftable),
        ] {
            let row = reserved(ip.parse().unwrap()).unwrap_or_else(|| panic!("{ip} is not reserved"));
            assert_eq!((row.prefix.to_string().as_str(), row.class), (prefix, class), "{ip}");
        }
    }

    #[test]
    fn ordinary_addresses_are_not_reserved() {
        for ip in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2000::",
            "2001:200::",
            "2001:db9::",
            "2a00::1",
            "3ffe::1",
            "2620:4f:8001::",
        ] {
            assert_eq!(reserved(ip.parse().unwrap()), None, "{ip}");
        }
    }

    #[test]
    fn lifting_leaves_what_is_never_scanned() {
        let never: Vec<_> = ReservedPolicy::Allow.excluded().map(|row| row.prefix.to_string()).collect();
        let rows = [
            "0.0.0.0/8",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "255.255.255.255/32",
            "::/128",
            "::ffff:0.0.0.0/96",
            "ff00::/8",
        ];
        assert_eq!(never, rows);
        assert_eq!(ReservedPolicy::Exclude.excluded().count(), RESERVED.len());
    }

    #[test]
    fn the_addresses_that_lead_to_others_are_those_that_embed_them() {
        let (first, last) = (Ipv4Addr::new(198, 51, 100, 0), Ipv4Addr::new(198, 51, 100, 255));
        for (low, high) in leading_to(first, last) {
            assert_eq!(embedded(low.into()), Some(first));
            assert_eq!(embedded(high.into()), Some(last));
            assert_ne!(embedded(Ipv6Addr::from_bits(low.to_bits() - 1).into()), Some(first));
            assert_ne!(embedded(Ipv6Addr::from_bits(high.to_bits() + 1).into()), Some(last));
        }
        assert_eq!(embedded("2001:db8::1".parse().unwrap()), None);
    }
}
