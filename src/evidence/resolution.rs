//! What DNS said of one target: its PTR names, where each leads, and where the banner's name leads.

use std::net::IpAddr;

use crate::name::DnsName;

/// The most PTR names that are asked forward, one equal to the banner's name always among them. Hosts with more exist
/// (a thousand over TCP); no receiver follows even this many.
pub const MAX_PTR_NAMES: usize = 16;

/// How a question ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Records of the type asked.
    Found,
    /// The name exists and has none of that type: NOERROR with the zone's SOA (RFC 2308 §2.2).
    NoData,
    /// The name does not exist (RFC 2308 §2.1).
    NxDomain,
    /// SERVFAIL, NOTIMP, or another failure code.
    ServFail,
    /// REFUSED.
    Refused,
    /// No answer in time, or no upstream within reach.
    TimedOut,
    /// An answer that settles nothing: FORMERR, a CNAME loop or over-long chain, a lame referral, an answer for another
    /// name, TC without TCP, NOERROR with neither answer nor SOA, a denial without the SOA of a zone at or above the name,
    /// an answer marked as stale, addresses that filters and DNS64 make up.
    Malformed,
    /// An answer against the host of an upstream that has not shown itself honest.
    Untrusted,
    /// Nobody asked.
    NotAsked,
}

impl Status {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 9] = [
        Self::Found,
        Self::NoData,
        Self::NxDomain,
        Self::ServFail,
        Self::Refused,
        Self::TimedOut,
        Self::Malformed,
        Self::Untrusted,
        Self::NotAsked,
    ];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::NoData => "no_data",
            Self::NxDomain => "nxdomain",
            Self::ServFail => "servfail",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::Untrusted => "untrusted",
            Self::NotAsked => "not_asked",
        }
    }

    /// The status a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether it settles the question: only these may count against a host.
    pub fn is_definite(self) -> bool {
        matches!(self, Self::Found | Self::NoData | Self::NxDomain)
    }

    /// Whether it proves that there is no such record.
    pub fn is_absent(self) -> bool {
        matches!(self, Self::NoData | Self::NxDomain)
    }
}

/// Where a name leads in the family of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// How the question ended.
    pub status: Status,
    /// The addresses found, capped for records.
    pub addresses: Vec<IpAddr>,
    /// Whether the target's address is among all that were found; `None` where that is unknown.
    pub confirms: Option<bool>,
}

impl Forward {
    /// A question that nobody asked.
    pub fn not_asked() -> Self {
        Self { status: Status::NotAsked, addresses: Vec::new(), confirms: None }
    }
}

/// One PTR name and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtrName {
    /// The name, bytes and all.
    pub name: DnsName,
    /// Its addresses.
    pub forward: Forward,
}

/// All that DNS said of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// How the PTR question ended.
    pub ptr: Status,
    /// How many distinct PTR names there are; `names` holds at most [`MAX_PTR_NAMES`] of them.
    pub ptr_count: u32,
    /// The PTR names, in the order of the answer.
    pub names: Vec<PtrName>,
    /// Where the banner's name leads.
    pub banner_forward: Forward,
}

impl Resolution {
    /// Nothing asked yet.
    pub fn not_asked() -> Self {
        Self { ptr: Status::NotAsked, ptr_count: 0, names: Vec::new(), banner_forward: Forward::not_asked() }
    }
}
