//! Address prefixes, a map from them, and the unit in which a network is paced and grouped. Knows no target
//! and no record.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};
use prefix_trie::joint::JointPrefixMap;

/// The prefix length that paces and groups IPv4: one /24 is routed, owned and rate-limited as one network.
pub const GROUP_V4: u8 = 24;
/// The same for IPv6: a /48 is what one site is given (RFC 6177 §2).
pub const GROUP_V6: u8 = 48;

/// Why a text is not a prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// The address half can't be read.
    #[error("is not an address: {0}")]
    Address(AddressError),
    /// The length is not a plain number.
    #[error("has no length behind the `/`")]
    NoLength,
    /// The length is over 32 or 128.
    #[error("has a length over {0}")]
    LengthOver(u8),
    /// Bits are set behind the prefix.
    #[error("has bits set behind the prefix; the network is `{0}`")]
    HostBits(Prefix),
}

/// Why a text is not an address that a scan can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// `010.0.0.1`: decimal to some programs, octal to others.
    #[error("an octet has a leading zero, which some programs read as octal; write it without")]
    LeadingZero,
    /// `fe80::1%eth0`: a zone means something on one machine only (RFC 4007 §11).
    #[error("a zone (`%…`) means something on one machine only; leave it off")]
    Zone,
    /// Anything else.
    #[error("write it as `192.0.2.7` or `2001:db8::7`")]
    Syntax,
}

/// A network: an address and a length, no bit set behind the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prefix(IpNet);

impl Prefix {
    /// The prefix of `length` bits that holds an address; the length is cut to what the family has.
    pub fn of(ip: IpAddr, length: u8) -> Self {
        let net = match ip {
            IpAddr::V4(v4) => Ipv4Net::new(v4, length.min(32)).map(IpNet::V4),
            IpAddr::V6(v6) => Ipv6Net::new(v6, length.min(128)).map(IpNet::V6),
        };
        Self(net.map_or_else(|_| IpNet::from(ip), |net| net.trunc()))
    }

    /// An IPv4 prefix written into the program; no bit may be set behind the length.
    pub(crate) const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Self {
        Self(IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)))
    }

    /// An IPv6 prefix written into the program, as the upper and the lower half of its address; no bit may be
    /// set behind the length.
    pub(crate) const fn v6(upper: u64, lower: u64, length: u8) -> Self {
        let bits = ((upper as u128) << 64) | lower as u128;
        Self(IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), length)))
    }

    /// The /24 or /48 in which an address is paced and grouped.
    pub fn group(ip: IpAddr) -> Self {
        Self::of(ip, if ip.is_ipv4() { GROUP_V4 } else { GROUP_V6 })
    }

    /// Reads `192.0.2.0/24` or `2001:db8::/32`. A v4-mapped prefix of 96 bits or more becomes the IPv4 one.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let (address, length) = text.split_once('/').ok_or(PrefixError::NoLength)?;
        let ip = parse_written(address).map_err(PrefixError::Address)?;
        if length.is_empty() || !length.bytes().all(|b| b.is_ascii_digit()) {
            return Err(PrefixError::NoLength);
        }
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let length = length.parse::<u8>().ok().filter(|&l| l <= most).ok_or(PrefixError::LengthOver(most))?;
        let prefix = Self::of(ip, length);
        if prefix.first() != ip {
            return Err(PrefixError::HostBits(prefix));
        }
        match (ip.to_canonical(), length) {
            (v4 @ IpAddr::V4(_), 96..) if ip.is_ipv6() => Ok(Self::of(v4, length - 96)),
            _ => Ok(prefix),
        }
    }

    /// The fewest prefixes that together are all addresses from the first to the last, both included; none if
    /// these are of two families or the wrong way round.
    pub fn within(first: IpAddr, last: IpAddr) -> impl Iterator<Item = Self> {
        let (v4, v6) = match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
                (Some(Ipv4Subnets::new(first, last, 0)), None)
            }
            (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
                (None, Some(Ipv6Subnets::new(first, last, 0)))
            }
            _ => (None, None),
        };
        let v4 = v4.into_iter().flatten().map(|net| Self(IpNet::V4(net)));
        v4.chain(v6.into_iter().flatten().map(|net| Self(IpNet::V6(net))))
    }

    /// The first address.
    pub fn first(self) -> IpAddr {
        self.0.network()
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        self.0.broadcast()
    }

    /// The length in bits.
    pub fn length(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether it holds an address.
    pub fn contains(self, ip: IpAddr) -> bool {
        self.0.contains(&ip)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpNet::V4(net) => write_v4(f, net),
            IpNet::V6(net) => net.fmt(f),
        }
    }
}

/// By hand, for each record of a scanned prefix has one.
fn write_v4(f: &mut fmt::Formatter<'_>, net: Ipv4Net) -> fmt::Result {
    let mut text = [0; "255.255.255.255/32".len()];
    let mut end = 0;
    let numbers = net.addr().octets().into_iter().chain([net.prefix_len()]);
    for (mark, number) in [b' ', b'.', b'.', b'.', b'/'].into_iter().zip(numbers) {
        if mark != b' ' {
            text[end] = mark;
            end += 1;
        }
        for digit in itoa::Buffer::new().format(number).bytes() {
            text[end] = digit;
            end += 1;
        }
    }
    f.write_str(std::str::from_utf8(&text[..end]).unwrap_or_default())
}

/// Values by prefix, IPv4 and IPv6 side by side; an address gets the value of the longest prefix that holds
/// it.
#[derive(Debug, Clone)]
pub struct PrefixMap<V>(JointPrefixMap<IpNet, V>);

impl<V> PrefixMap<V> {
    /// The empty map.
    pub fn new() -> Self {
        Self(JointPrefixMap::new())
    }

    /// Sets the value of a prefix; what it had before comes back.
    pub fn insert(&mut self, prefix: Prefix, value: V) -> Option<V> {
        self.0.insert(prefix.0, value)
    }

    /// The longest prefix that holds an address, and its value. A v4-mapped address is looked up as the IPv4
    /// one.
    pub fn longest(&self, ip: IpAddr) -> Option<(Prefix, &V)> {
        self.0.get_lpm(&IpNet::from(ip.to_canonical())).map(|(net, value)| (Prefix(net), value))
    }

    /// The value of exactly this prefix.
    pub fn get(&self, prefix: Prefix) -> Option<&V> {
        self.0.get(&prefix.0)
    }

    /// How many prefixes have a value.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<V> Default for PrefixMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> FromIterator<(Prefix, V)> for PrefixMap<V> {
    fn from_iter<I: IntoIterator<Item = (Prefix, V)>>(pairs: I) -> Self {
        let mut map = Self::new();
        map.extend(pairs);
        map
    }
}

impl<V> Extend<(Prefix, V)> for PrefixMap<V> {
    fn extend<I: IntoIterator<Item = (Prefix, V)>>(&mut self, pairs: I) {
        for (prefix, value) in pairs {
            self.insert(prefix, value);
        }
    }
}

/// Reads one address; a v4-mapped one becomes the IPv4 address that a connection would reach.
pub fn parse_address(text: &str) -> Result<IpAddr, AddressError> {
    parse_written(text).map(|ip| ip.to_canonical())
}

fn parse_written(text: &str) -> Result<IpAddr, AddressError> {
    if text.contains('%') {
        return Err(AddressError::Zone);
    }
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| AddressError::Syntax);
    }
    let leading_zero = |part: &str| part.len() > 1 && part.starts_with('0');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if text.split('.').all(digits) && text.split('.').any(leading_zero) {
        return Err(AddressError::LeadingZero);
    }
    text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| AddressError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read() {
        for (typed, read) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7/32", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ] {
            assert_eq!(Prefix::parse(typed).map(|p| p.to_string()), Ok(read.to_owned()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_prefix_is_refused_with_the_reason() {
        for (typed, reason) in [
            ("10.0.0.0/33", "has a length over 32"),
            ("2001:db8::/129", "has a length over 128"),
            ("192.0.2.5/24", "has bits set behind the prefix; the network is `192.0.2.0/24`"),
            ("192.0.2.0/", "has no length behind the `/`"),
            ("192.0.2.0/+8", "has no length behind the `/`"),
            ("192.0.2.0/999", "has a length over 32"),
        ] {
            assert_eq!(Prefix::parse(typed).unwrap_err().to_string(), reason, "{typed}");
        }
        for typed in ["192.0.2/24", "010.0.0.0/8", "fe80::%eth0/64", "x/8"] {
            assert!(matches!(Prefix::parse(typed), Err(PrefixError::Address(_))), "{typed}");
        }
    }

    #[test]
    fn addresses_are_read_as_a_connection_would_use_them() {
        assert_eq!(parse_address("::ffff:192.0.2.1"), Ok(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(parse_address("010.0.0.1"), Err(AddressError::LeadingZero));
        assert_eq!(parse_address("fe80::1%eth0"), Err(AddressError::Zone));
        for typed in ["1.2.3", "256.0.0.1", "", "[::1]", "1.2.3.4.5", "0x7f.1"] {
            assert!(parse_address(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn the_longest_prefix_gives_the_value() {
        let prefix = |text| Prefix::parse(text).unwrap();
        let map: PrefixMap<u32> = [
            (prefix("0.0.0.0/0"), 0),
            (prefix("192.0.2.0/24"), 24),
            (prefix("192.0.2.128/25"), 25),
            (prefix("2001:db8::/32"), 32),
            (prefix("2001:db8:1::/48"), 48),
        ]
        .into_iter()
        .collect();
        assert_eq!(map.len(), 5);
        for (ip, held_by) in [
            ("192.0.2.127", Some(("192.0.2.0/24", 24))),
            ("192.0.2.128", Some(("192.0.2.128/25", 25))),
            ("::ffff:192.0.2.200", Some(("192.0.2.128/25", 25))),
            ("198.51.100.1", Some(("0.0.0.0/0", 0))),
            ("2001:db8:1::9", Some(("2001:db8:1::/48", 48))),
            ("2001:db8:2::9", Some(("2001:db8::/32", 32))),
            ("2001:db9::", None),
        ] {
            let found = map.longest(ip.parse().unwrap()).map(|(p, &v)| (p.to_string(), v));
            assert_eq!(found, held_by.map(|(p, v)| (p.to_owned(), v)), "{ip}");
        }
        assert_eq!(map.get(prefix("192.0.2.0/25")), None);
    }

    #[test]
    fn a_range_is_the_fewest_prefixes() {
        for (first, last, prefixes) in [
            ("192.0.2.0", "192.0.2.255", &["192.0.2.0/24"][..]),
            ("192.0.2.7", "192.0.2.7", &["192.0.2.7/32"]),
            ("192.0.2.7", "192.0.2.10", &["192.0.2.7/32", "192.0.2.8/31", "192.0.2.10/32"]),
            ("0.0.0.0", "255.255.255.255", &["0.0.0.0/0"]),
            ("2001:db8::", "2001:db8::ffff", &["2001:db8::/112"]),
            ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["::/0"]),
            ("192.0.2.9", "192.0.2.8", &[]),
            ("192.0.2.9", "2001:db8::", &[]),
        ] {
            let found = Prefix::within(first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(
                found.map(|prefix| prefix.to_string()).collect::<Vec<_>>(),
                prefixes,
                "{first}-{last}"
            );
        }
    }

    #[test]
    fn the_group_of_an_address_is_its_24_or_48() {
        assert_eq!(Prefix::group([192, 0, 2, 200].into()).to_string(), "192.0.2.0/24");
        assert_eq!(Prefix::group("2001:db8:1:2::3".parse().unwrap()).to_string(), "2001:db8:1::/48");
    }
}
