//! A block for load: every address a healthy host with a PTR of its own that leads back. All of it is
//! computed from the address, so that a /8 costs no more memory than one host.

use std::net::{IpAddr, Ipv4Addr};

use super::zone::{Answer, Data, Kind, Zone};
use crate::name::DnsName;
use crate::prefix::Prefix;

/// Octets of a name: `mail.`, eight letters, `.bv`.
const NAME: usize = 16;
/// Octets of a greeting.
pub const GREETING: usize = 4 + NAME + 16;

/// A prefix full of healthy hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain {
    prefix: Prefix,
}

impl Plain {
    /// Every address of a prefix.
    pub fn of(prefix: Prefix) -> Self {
        Self { prefix }
    }

    /// The prefix.
    pub fn prefix(self) -> Prefix {
        self.prefix
    }

    /// Whether a host lives there.
    pub fn contains(self, ip: Ipv4Addr) -> bool {
        self.prefix.contains(IpAddr::V4(ip))
    }
}

/// The name of a host: `mail.hpbjaaah.bv` for 127.25.0.7. Its PTR, its banner and its EHLO reply have it.
pub fn name(ip: Ipv4Addr) -> String {
    text_of(ip).iter().map(|&byte| char::from(byte)).collect()
}

/// The whole greeting of a host, line end included.
pub fn greeting(ip: Ipv4Addr) -> [u8; GREETING] {
    let mut greeting = *b"220 mail.aaaaaaaa.bv ESMTP Postfix\r\n";
    greeting[4..4 + NAME].copy_from_slice(&text_of(ip));
    greeting
}

fn text_of(ip: Ipv4Addr) -> [u8; NAME] {
    let mut text = *b"mail.aaaaaaaa.bv";
    for (pair, octet) in text[5..13].chunks_exact_mut(2).zip(ip.octets()) {
        pair.copy_from_slice(&[b'a' + (octet >> 4), b'a' + (octet & 15)]);
    }
    text
}

/// The host of a name, if it is one's.
fn host_of(name: &DnsName) -> Option<Ipv4Addr> {
    let letters: [u8; 8] = match name.as_wire() {
        [4, b'm', b'a', b'i', b'l', 8, rest @ ..] if &rest[8.min(rest.len())..] == b"\x02bv\0" => {
            rest.get(..8)?.try_into().ok()?
        }
        _ => return None,
    };
    let mut octets = [0; 4];
    for (octet, pair) in octets.iter_mut().zip(letters.chunks_exact(2)) {
        let value = |letter: u8| letter.checked_sub(b'a').filter(|&value| value < 16);
        *octet = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(octets.into())
}

/// The address of a reverse name under `in-addr.arpa` (RFC 1035 §3.5).
fn address_of(name: &DnsName) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut labels = name.labels();
    for octet in octets.iter_mut().rev() {
        *octet = std::str::from_utf8(labels.next()?).ok()?.parse().ok()?;
    }
    let rest = (labels.next()?, labels.next()?, labels.next());
    (rest == (b"in-addr", b"arpa", None)).then(|| octets.into())
}

impl Zone for Plain {
    fn find(&self, owner: &DnsName, kind: Option<Kind>) -> Answer {
        let (own, data) = if let Some(ip) = address_of(owner).filter(|&ip| self.contains(ip)) {
            let Ok(name) = DnsName::parse(&name(ip)) else { return Answer::NxDomain };
            (Kind::Ptr, Data::Ptr(name))
        } else if let Some(ip) = host_of(owner).filter(|&ip| self.contains(ip)) {
            (Kind::A, Data::A(ip))
        } else {
            return Answer::NxDomain;
        };
        if kind == Some(own) { Answer::Records(vec![data]) } else { Answer::NoData }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_a_name_that_leads_back() {
        let plain = Plain::of(Prefix::parse("198.18.0.0/15").unwrap());
        for ip in ["198.18.0.0", "198.19.255.255", "198.18.37.201"] {
            let ip: Ipv4Addr = ip.parse().unwrap();
            let own = DnsName::parse(&name(ip)).unwrap();
            let reverse = DnsName::reverse(ip.into());
            assert_eq!(plain.find(&reverse, Some(Kind::Ptr)), Answer::Records(vec![Data::Ptr(own.clone())]));
            assert_eq!(plain.find(&own, Some(Kind::A)), Answer::Records(vec![Data::A(ip)]));
            assert_eq!(plain.find(&own, Some(Kind::Aaaa)), Answer::NoData);
            assert_eq!(greeting(ip), format!("220 {} ESMTP Postfix\r\n", name(ip)).as_bytes());
        }
    }

    #[test]
    fn what_is_not_of_the_block_does_not_exist() {
        let plain = Plain::of(Prefix::parse("198.18.0.0/15").unwrap());
        for text in [
            "1.2.0.192.in-addr.arpa",
            "0.18.198.in-addr.arpa",
            "0.0.0.18.198.in-addr.arpa",
            "0.0.18.198.ip6.arpa",
            "x.0.18.198.in-addr.arpa",
            "mail.aaaaaaaa.bv",
            "mail.mgbcaaaz.bv",
            "mail.mgbcaaa.bv",
            "mail.mgbcaaaa.sj",
            "web.mgbcaaaa.bv",
            "bv",
        ] {
            let name = DnsName::parse(text).unwrap();
            assert_eq!(plain.find(&name, Some(Kind::A)), Answer::NxDomain, "{text}");
        }
    }
}
