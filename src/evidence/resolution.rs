//! What DNS said of one target: its PTR names, where each leads, and where the banner's name leads.

use std::net::IpAddr;

use crate::name::DnsName;

/// The most PTR names of a host that a scan asks forward: the one equal to the banner's name before all, then
/// those in its registrable domain, then the rest. Hosts with more exist (a thousand over TCP); no receiver
/// follows even this many.
pub const MAX_PTR_NAMES: usize = 16;
/// The most that are asked forward where a single host is looked at: as many as a UDP answer of usual size
/// holds.
pub const MOST_PTR_NAMES: usize = 128;

/// Addresses kept of one forward answer, the target's own always among them. A list this long may have been
/// cut, so it proves nothing about an address that is missing from it.
pub const MAX_KEPT_ADDRESSES: usize = 64;

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
    /// An answer that settles nothing: FORMERR, a CNAME loop or over-long chain, a lame referral, an answer
    /// for another name, TC without TCP, NOERROR with neither answer nor SOA, a denial without the SOA of a
    /// zone at or above the name, an answer marked as stale, addresses that filters and DNS64 make up.
    Malformed,
    /// An answer against the host of an upstream that has not shown itself honest, or that another one
    /// contradicts.
    Untrusted,
    /// Nobody asked.
    NotAsked,
    /// Of a stored record, a word that this version does not know; nothing is concluded from it. No question
    /// ends so, and it is not among [`Status::ALL`].
    Other,
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
            Self::Other => "other",
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
    /// The addresses found, at most [`MAX_KEPT_ADDRESSES`] of them.
    pub addresses: Vec<IpAddr>,
}

impl Forward {
    /// A question that nobody asked.
    pub fn not_asked() -> Self {
        Self { status: Status::NotAsked, addresses: Vec::new() }
    }

    /// Whether the target's address is among those that the name leads to; `None` where that is unknown:
    /// nothing was found, the list may have been cut, or it holds no address that tells anything about the
    /// target's family.
    ///
    /// It is worked out from the addresses each time, so a record can't contradict itself.
    pub fn confirms(&self, target: Option<IpAddr>) -> Option<bool> {
        let target = target?.to_canonical();
        if self.status != Status::Found {
            return None;
        }
        let mut tells = false;
        for address in &self.addresses {
            let address = address.to_canonical();
            if address == target {
                return Some(true);
            }
            tells |= address.is_ipv4() == target.is_ipv4() && !is_made_up(address, target);
        }
        (tells && self.addresses.len() < MAX_KEPT_ADDRESSES).then_some(false)
    }

    /// Whether only private addresses were found for a target that is public: what DNS says inside a network,
    /// which the rest of the world may not see.
    pub fn is_inside_view(&self, target: Option<IpAddr>) -> bool {
        let is_public = target.is_some_and(|ip| !is_private(ip.to_canonical()));
        is_public
            && self.status == Status::Found
            && !self.addresses.is_empty()
            && self.addresses.iter().all(|address| is_private(address.to_canonical()))
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
    /// How many distinct PTR names there are; `names` holds those that were asked forward.
    pub ptr_count: u32,
    /// The PTR names, in the order of the answer.
    pub names: Vec<PtrName>,
    /// Where the banner's name leads.
    pub banner_forward: Forward,
}

/// Whether an address was put there by a resolver on the way and not by the owner of the name: what a filter
/// answers in place of an address, or an IPv4 address in the clothes of IPv6 (DNS64, RFC 6052 §2.1).
fn is_made_up(address: IpAddr, target: IpAddr) -> bool {
    let is_filter = address.is_unspecified() || address.is_loopback() && !target.is_loopback();
    is_filter || matches!(address, IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0])
}

/// RFC 1918 §3, RFC 4193 §3, and the addresses of one link (RFC 3927, RFC 4291 §2.5.6).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

impl Resolution {
    /// Whether any name of the host leads to private addresses only, while the host is public.
    pub fn is_inside_view(&self, target: Option<IpAddr>) -> bool {
        let forwards = self.names.iter().map(|ptr| &ptr.forward).chain([&self.banner_forward]);
        forwards.into_iter().any(|forward| forward.is_inside_view(target))
    }

    /// Nothing asked yet.
    pub fn not_asked() -> Self {
        Self { ptr: Status::NotAsked, ptr_count: 0, names: Vec::new(), banner_forward: Forward::not_asked() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(addresses: &[&str]) -> Forward {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Forward { status: Status::Found, addresses }
    }

    #[test]
    fn confirmation_is_worked_out_from_the_addresses() {
        for (target, addresses, confirms) in [
            ("192.0.2.1", &["192.0.2.1"][..], Some(true)),
            ("192.0.2.1", &["198.51.100.7", "192.0.2.1"], Some(true)),
            ("::ffff:192.0.2.1", &["192.0.2.1"], Some(true)),
            ("192.0.2.1", &["198.51.100.7"], Some(false)),
            ("192.0.2.1", &["198.51.100.7", "127.0.0.1"], Some(false)),
            ("192.0.2.1", &["10.0.0.7"], Some(false)),
            ("2001:db8::1", &["2001:db8::1"], Some(true)),
            ("2001:db8::1", &["2001:db8::7"], Some(false)),
            // Nothing of the target's family.
            ("192.0.2.1", &[], None),
            ("192.0.2.1", &["2001:db8::1"], None),
            ("2001:db8::1", &["192.0.2.1"], None),
            // What filters say.
            ("192.0.2.1", &["0.0.0.0"], None),
            ("192.0.2.1", &["127.0.0.1", "127.0.0.53"], None),
            ("2001:db8::1", &["::"], None),
            ("2001:db8::1", &["::1"], None),
            // In a network of its own, loopback addresses are addresses.
            ("127.0.0.9", &["127.0.0.9"], Some(true)),
            ("127.0.0.9", &["127.0.0.8"], Some(false)),
            ("127.0.0.9", &["0.0.0.0"], None),
            // DNS64.
            ("2001:db8::1", &["64:ff9b::c000:201"], None),
            ("2001:db8::1", &["64:ff9b::c000:201", "2001:db8::7"], Some(false)),
            ("64:ff9b::c000:201", &["64:ff9b::c000:201"], Some(true)),
            ("2001:db8::1", &["64:ff9b:1::c000:201"], Some(false)),
        ] {
            assert_eq!(found(addresses).confirms(target.parse().ok()), confirms, "{target} in {addresses:?}");
            assert_eq!(found(addresses).confirms(None), None);
        }
    }

    #[test]
    fn only_a_list_that_was_not_cut_refutes() {
        let mut forward = Forward { status: Status::Found, addresses: vec![[198, 51, 100, 7].into(); 63] };
        let target = Some([192, 0, 2, 1].into());
        assert_eq!(forward.confirms(target), Some(false));
        forward.addresses.push([198, 51, 100, 8].into());
        assert_eq!(forward.confirms(target), None);
        forward.addresses[63] = [192, 0, 2, 1].into();
        assert_eq!(forward.confirms(target), Some(true));
    }

    #[test]
    fn what_was_not_found_confirms_nothing_whatever_stands_beside_it() {
        let target = Some([192, 0, 2, 1].into());
        for status in Status::ALL.into_iter().filter(|status| *status != Status::Found) {
            for addresses in [Vec::new(), vec![[192, 0, 2, 1].into()], vec![[198, 51, 100, 7].into()]] {
                assert_eq!(Forward { status, addresses }.confirms(target), None, "{status:?}");
            }
        }
    }

    #[test]
    fn private_addresses_alone_are_an_inside_view_of_a_public_host() {
        for (target, addresses, inside) in [
            ("192.0.2.1", &["10.0.0.7"][..], true),
            ("192.0.2.1", &["192.168.0.7", "172.16.0.1"], true),
            ("2001:db8::1", &["fd00::1"], true),
            ("192.0.2.1", &["10.0.0.7", "198.51.100.7"], false),
            ("192.0.2.1", &[], false),
            ("10.0.0.1", &["10.0.0.7"], false),
        ] {
            assert_eq!(
                found(addresses).is_inside_view(target.parse().ok()),
                inside,
                "{target} {addresses:?}"
            );
        }
    }
}
