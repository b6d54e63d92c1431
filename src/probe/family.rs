//! Whether this machine has anything to reach a family of addresses by: an address of its own in it, and a
//! route. Many machines have nothing for IPv6. Found out without a packet: to connect a UDP socket only looks
//! up the way.
//!
//! One look at an address of the Internet settles it for a family that is there. Where it fails, there may
//! still be a way to some addresses only, as in a test network or a VPN; so then each target is looked at
//! until one has a way.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};

use super::route;

/// Addresses of root name servers (`a.root-servers.net`), which stand for the Internet. Nothing is sent
/// there.
const FAR_AWAY: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(198, 41, 0, 4)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30)),
];

/// What this machine has to reach the two families by.
#[derive(Debug)]
pub struct FamilyAccess {
    v4: Family,
    v6: Family,
}

#[derive(Debug)]
struct Family {
    /// No address of `--source-ip` is of this family, and another one is.
    is_ruled_out: bool,
    /// Some address of it has a way.
    has_way: AtomicBool,
    /// A target was left untried.
    is_missed: AtomicBool,
}

/// A family of addresses that this machine has nothing to reach by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoWay {
    family: &'static str,
    is_ruled_out: bool,
}

impl fmt::Display for NoWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, is_ruled_out } = self;
        if *is_ruled_out {
            write!(f, "no address of --source-ip is {family}: such targets are `not_tried`")
        } else {
            write!(
                f,
                "this machine can't reach {family} addresses, for it has no {family} route or address of its own: such \
                 targets are `not_tried`"
            )
        }
    }
}

impl FamilyAccess {
    /// Looks for ways, as from these addresses if there are any.
    pub fn find(sources: &[IpAddr]) -> Self {
        let find = |far_away: IpAddr| {
            let is_same = |ip: &IpAddr| ip.is_ipv4() == far_away.is_ipv4();
            Family {
                is_ruled_out: !sources.is_empty() && !sources.iter().any(is_same),
                has_way: AtomicBool::new(has_way(far_away)),
                is_missed: AtomicBool::new(false),
            }
        };
        let [v4, v6] = FAR_AWAY.map(find);
        Self { v4, v6 }
    }

    /// All of both families, whatever the machine has: for probes that are no sockets.
    pub fn everything() -> Self {
        let all = || Family {
            is_ruled_out: false,
            has_way: AtomicBool::new(true),
            is_missed: AtomicBool::new(false),
        };
        Self { v4: all(), v6: all() }
    }

    /// Whether there is nothing to reach a target by.
    pub fn lacks(&self, ip: IpAddr) -> bool {
        let family = if ip.is_ipv4() { &self.v4 } else { &self.v6 };
        if family.is_ruled_out {
            return true;
        }
        if family.has_way.load(Ordering::Relaxed) {
            return false;
        }
        if has_way(ip) {
            family.has_way.store(true, Ordering::Relaxed);
            return false;
        }
        // Without either family the network is down, which may pass.
        ip.is_ipv6() || self.v6.has_way.load(Ordering::Relaxed)
    }

    /// Notes that a target was left untried; `Some` for the first one of its family.
    pub fn miss(&self, ip: IpAddr) -> Option<NoWay> {
        let (family, name) = if ip.is_ipv4() { (&self.v4, "IPv4") } else { (&self.v6, "IPv6") };
        let is_first = !family.is_missed.swap(true, Ordering::Relaxed);
        is_first.then_some(NoWay { family: name, is_ruled_out: family.is_ruled_out })
    }

    /// The families of which targets were left untried.
    pub fn missed(&self) -> impl Iterator<Item = NoWay> + '_ {
        let families = [(&self.v4, "IPv4"), (&self.v6, "IPv6")].into_iter();
        let missed = families.filter(|(family, _)| family.is_missed.load(Ordering::Relaxed));
        missed.map(|(family, name)| NoWay { family: name, is_ruled_out: family.is_ruled_out })
    }
}

/// Whether a packet to an address would leave from one of our own that can have an answer.
fn has_way(ip: IpAddr) -> bool {
    let is_link_local = |ip| matches!(ip, IpAddr::V6(ip) if Ipv6Addr::is_unicast_link_local(&ip));
    match route::source_towards(ip) {
        Some(own) => !is_link_local(own) || is_link_local(ip),
        None => route::has_route(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_loopback_is_reached_whatever_else_is() {
        let reach = FamilyAccess::find(&[]);
        assert!(!reach.lacks(ip("127.9.9.9")));
        assert_eq!(reach.missed().count(), 0);
    }

    #[test]
    fn the_other_family_than_that_of_the_sources_is_ruled_out() {
        let reach = FamilyAccess::find(&[ip("127.0.0.1")]);
        assert!(!reach.lacks(ip("127.9.9.9")) && reach.lacks(ip("::1")));
        let told = reach.miss(ip("::1")).unwrap().to_string();
        assert_eq!(told, "no address of --source-ip is IPv6: such targets are `not_tried`");
        assert_eq!((reach.miss(ip("::2")), reach.missed().count()), (None, 1));
        let both = FamilyAccess::find(&[ip("127.0.0.1"), ip("::1")]);
        assert!(!both.v4.is_ruled_out && !both.v6.is_ruled_out);
    }

    #[test]
    fn everything_is_everything() {
        let reach = FamilyAccess::everything();
        assert!(!reach.lacks(ip("192.0.2.1")) && !reach.lacks(ip("2001:db8::1")));
    }
}
