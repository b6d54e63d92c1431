//! What is asked of DNS and what comes back, as values. Knows no packet, no upstream, no host.

pub(super) mod origin;

use std::net::IpAddr;
use std::time::Duration;

use self::origin::Origin;
use crate::evidence::Status;
use crate::name::DnsName;

/// A record type that banneret asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The names of an address (RFC 1035 §3.3.12).
    Ptr,
    /// IPv4 addresses (RFC 1035 §3.4.1).
    A,
    /// IPv6 addresses (RFC 3596 §2.1).
    Aaaa,
    /// Mail exchangers (RFC 1035 §3.3.9).
    Mx,
    /// The name servers of a zone (RFC 1035 §3.3.11).
    Ns,
    /// The start of a zone (RFC 1035 §3.3.13).
    Soa,
}

impl Kind {
    /// The number on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Soa => 6,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Aaaa => 28,
        }
    }

    /// The type under which an address of this family stands.
    pub fn of_family(ip: IpAddr) -> Self {
        if ip.is_ipv4() { Self::A } else { Self::Aaaa }
    }
}

/// One question: a name and a record type, class IN.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// The name, asked as it stands.
    pub name: DnsName,
    /// The record type.
    pub kind: Kind,
}

impl Question {
    /// Asks `name` for records of `kind`.
    pub fn new(name: DnsName, kind: Kind) -> Self {
        Self { name, kind }
    }

    /// Asks for the names of an address.
    pub fn ptr(ip: IpAddr) -> Self {
        Self::new(DnsName::reverse(ip), Kind::Ptr)
    }
}

/// A mail exchanger as published.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Exchange {
    /// The lower, the sooner it is tried.
    pub preference: u16,
    /// The host; the root alone means that the domain takes no mail (RFC 7505 §3).
    pub host: DnsName,
}

/// The records of an answer, without duplicates, in the order of the answer. The size of a DNS message bounds
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Records {
    /// None: every status but `found`.
    #[default]
    None,
    /// Of a PTR or NS question; of an SOA question the primary server.
    Names(Vec<DnsName>),
    /// Of an A or AAAA question.
    Addresses(Vec<IpAddr>),
    /// Of an MX question.
    Exchanges(Vec<Exchange>),
}

/// How a question went over the wire at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection, after a truncated datagram.
    Tcp,
}

/// How a question ended. Every question ends in exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The one word.
    pub status: Status,
    /// What was found.
    pub records: Records,
    /// How long it holds: the least TTL on the way to the records, or the zone's for absence (RFC 2308 §5);
    /// zero for everything else.
    pub ttl: Duration,
    /// How it came.
    pub transport: Transport,
    /// Packets sent for it.
    pub attempts: u8,
    /// Whether some of them were not answered in time.
    pub was_late: bool,
    /// Of absence: the zone that says so, as its SOA names it.
    pub zone: Option<DnsName>,
    /// Of absence: the name that is denied, where aliases lead to it; `None` for the name asked.
    pub target: Option<DnsName>,
    /// Who gave it, and when; `None` where no upstream did.
    pub origin: Option<Origin>,
}

impl Answer {
    /// An answer without records.
    pub fn bare(status: Status) -> Self {
        Self {
            status,
            records: Records::None,
            ttl: Duration::ZERO,
            transport: Transport::Udp,
            attempts: 0,
            was_late: false,
            zone: None,
            target: None,
            origin: None,
        }
    }

    /// Records found, to hold for `ttl`.
    pub fn found(records: Records, ttl: Duration) -> Self {
        Self { records, ttl, ..Self::bare(Status::Found) }
    }

    /// The name that a denial of a question denies: where the name asked is an alias, the one at its end.
    pub fn denied<'a>(&'a self, question: &'a Question) -> &'a DnsName {
        self.target.as_ref().unwrap_or(&question.name)
    }

    /// Whether two answers say the same, in whatever order. That a name has nothing of a type and that there
    /// is no such name comes to the same for a host.
    pub fn says_the_same(&self, other: &Self) -> bool {
        if self.status.is_absent() && other.status.is_absent() {
            return true;
        }
        let names = |answer: &Self| {
            let mut names = answer.names().to_vec();
            names.sort_unstable();
            names
        };
        let addresses = |answer: &Self| {
            let mut addresses = answer.addresses().to_vec();
            addresses.sort_unstable();
            addresses
        };
        let exchanges = |answer: &Self| {
            let mut exchanges = answer.exchanges().to_vec();
            exchanges.sort_unstable();
            exchanges
        };
        self.status == other.status
            && names(self) == names(other)
            && addresses(self) == addresses(other)
            && exchanges(self) == exchanges(other)
    }

    /// The PTR names or name servers found.
    pub fn names(&self) -> &[DnsName] {
        if let Records::Names(names) = &self.records { names } else { &[] }
    }

    /// The addresses found.
    pub fn addresses(&self) -> &[IpAddr] {
        if let Records::Addresses(addresses) = &self.records { addresses } else { &[] }
    }

    /// The mail exchangers found.
    pub fn exchanges(&self) -> &[Exchange] {
        if let Records::Exchanges(exchanges) = &self.records { exchanges } else { &[] }
    }
}
