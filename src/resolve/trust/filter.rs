//! Answers that say something about the network that the resolver stands in, and nothing about a host:
//! addresses that DNS64 makes up for IPv6-only networks, and the addresses that filters give for names they
//! block.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The prefix that every network may use for DNS64 (RFC 6052 §2.1).
const WELL_KNOWN: Prefix64 = Prefix64 { bits: 0x0064_ff9b << 96, length: 96 };
/// What `ipv4only.arpa` leads to (RFC 7050 §2.2).
const IPV4_ONLY: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];
/// The lengths that a prefix may have (RFC 6052 §2.2).
const LENGTHS: [u32; 6] = [32, 40, 48, 56, 64, 96];

/// A prefix under which a resolver makes up IPv6 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix64 {
    bits: u128,
    length: u32,
}

impl Prefix64 {
    /// The prefix that an address of `ipv4only.arpa` shows (RFC 7050 §3).
    pub(super) fn shown_by(ip: IpAddr) -> Option<Self> {
        let IpAddr::V6(v6) = ip else { return None };
        let length = LENGTHS.into_iter().find(|&length| IPV4_ONLY.contains(&embedded(v6, length)))?;
        Some(Self { bits: u128::from(v6) & mask(length), length })
    }

    /// Whether an address lies under it.
    fn holds(self, ip: Ipv6Addr) -> bool {
        u128::from(ip) & mask(self.length) == self.bits
    }
}

fn mask(length: u32) -> u128 {
    u128::MAX << (128 - length)
}

/// The IPv4 address within an IPv6 address of a prefix of this length; octet 8 holds none of it (RFC 6052
/// §2.2).
fn embedded(v6: Ipv6Addr, length: u32) -> Ipv4Addr {
    let octets = v6.octets();
    let first = usize::try_from(length / 8).unwrap_or(12);
    let mut places = (first..16).filter(|&place| place != 8 || length == 96);
    let mut next = || places.next().map_or(0, |place| octets[place]);
    Ipv4Addr::from([next(), next(), next(), next()])
}

/// Whether a resolver made an address up (DNS64).
pub(super) fn is_synthesized(ip: IpAddr, prefixes: &[Prefix64]) -> bool {
    let IpAddr::V6(v6) = ip else { return false };
    WELL_KNOWN.holds(v6) || prefixes.iter().any(|prefix| prefix.holds(v6))
}

/// Whether an address is one that filters give for names they block: `0.0.0.0`, `::`, or this machine's own.
pub(in crate::resolve) fn is_blocking(ip: IpAddr) -> bool {
    ip.is_unspecified() || ip.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_network_is_read_from_its_own_answer() {
        for (answer, inside, outside) in [
            ("64:ff9b::192.0.0.170", "64:ff9b::198.51.100.1", "2001:db8::1"),
            ("2001:db8:64::192.0.0.171", "2001:db8:64::198.51.100.1", "2001:db8:65::1"),
            ("2001:db8:c000:aa::", "2001:db8:c633:6401::", "2001:db9::1"),
            ("2001:db8:122:c000:0:aa00::", "2001:db8:122:c633:64:100::", "2001:db8:123::1"),
            ("2001:db8:122:344:c0:0:aa00:0", "2001:db8:122:344:c6:3364:100:0", "2001:db8:122:345::1"),
        ] {
            let prefix = Prefix64::shown_by(answer.parse().unwrap());
            let prefixes = [prefix.unwrap_or_else(|| panic!("{answer}"))];
            assert!(is_synthesized(inside.parse().unwrap(), &prefixes), "{inside}");
            assert!(!is_synthesized(outside.parse().unwrap(), &prefixes), "{outside}");
        }
        assert_eq!(Prefix64::shown_by("2001:db8::1".parse().unwrap()), None);
        assert!(is_synthesized("64:ff9b::1".parse().unwrap(), &[]));
    }
}
