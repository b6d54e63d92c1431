//! Names whose addresses are known beforehand: five of the root servers. Their operators keep these addresses
//! for decades, and resolvers have the names in their caches.
//!
//! Addresses: the root hints of `InterNIC` (<https://www.internic.net/domain/named.root>, 2025). The servers
//! whose addresses changed lately (b, 2023) are left out. Of the PTR names, those of a (both families) and of
//! f, i and k (IPv4) were found in public text; the others are taken to be alike, and have not been checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::kind::ControlKind;
use crate::name::DnsName;
use crate::resolve::question::{Kind, Question};

/// The letter of a root server, its IPv4 and its IPv6 address.
const ROOT_SERVERS: [(char, Ipv4Addr, Ipv6Addr); 5] = [
    ('a', Ipv4Addr::new(198, 41, 0, 4), Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)),
    ('f', Ipv4Addr::new(192, 5, 5, 241), Ipv6Addr::new(0x2001, 0x500, 0x2f, 0, 0, 0, 0, 0xf)),
    ('i', Ipv4Addr::new(192, 36, 148, 17), Ipv6Addr::new(0x2001, 0x7fe, 0, 0, 0, 0, 0, 0x53)),
    ('k', Ipv4Addr::new(193, 0, 14, 129), Ipv6Addr::new(0x2001, 0x7fd, 0, 0, 0, 0, 0, 1)),
    ('m', Ipv4Addr::new(202, 12, 27, 33), Ipv6Addr::new(0x2001, 0xdc3, 0, 0, 0, 0, 0, 0x35)),
];

/// How many fixed names there are.
pub(super) const COUNT: usize = ROOT_SERVERS.len();

/// A host whose name and address are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownHost {
    pub(super) ip: IpAddr,
    pub(super) name: DnsName,
}

impl KnownHost {
    /// The question of a kind to which this host is the answer.
    pub(super) fn question(&self, kind: ControlKind) -> Question {
        match kind {
            ControlKind::PtrV4 | ControlKind::PtrV6 => Question::ptr(self.ip),
            ControlKind::A => Question::new(self.name.clone(), Kind::A),
            ControlKind::Aaaa => Question::new(self.name.clone(), Kind::Aaaa),
        }
    }
}

/// The fixed host of a number, in the family of a kind.
pub(super) fn host(number: usize, kind: ControlKind) -> Option<KnownHost> {
    let (letter, v4, v6) = ROOT_SERVERS.get(number)?;
    let ip = match kind {
        ControlKind::PtrV4 | ControlKind::A => IpAddr::V4(*v4),
        ControlKind::PtrV6 | ControlKind::Aaaa => IpAddr::V6(*v6),
    };
    Some(KnownHost { ip, name: DnsName::parse(&format!("{letter}.root-servers.net")).ok()? })
}
