//! Tells a target without a route from a network that is down. One target may have none (a family or a prefix
//! that this machine does not reach) while others do; when all addresses that packets left for lately have
//! lost theirs too, nothing can be said of any target until the network is back.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use socket2::{Domain, Socket, Type};

/// Addresses that are remembered of each family, each of other networks.
const NETWORKS: usize = 8;

/// Who has a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Routed {
    /// The target itself: TCP is refused a route to broadcast and multicast addresses, where no host stands.
    Target,
    /// Others, and not the target.
    Others,
    /// Nobody.
    Nobody,
}

/// The last addresses that SYNs left for, over both families and several networks of each.
#[derive(Debug, Default)]
pub(super) struct Witness(Mutex<[Option<IpAddr>; 2 * NETWORKS]>);

impl Witness {
    /// A SYN left for this address.
    pub(super) fn saw(&self, ip: IpAddr) {
        if let Ok(mut last) = self.0.lock() {
            last[place(ip)] = Some(ip);
        }
    }

    /// Who has a route, now that this target was refused one.
    pub(super) fn routed(&self, ip: IpAddr) -> Routed {
        if has_route(ip) {
            return Routed::Target;
        }
        let last = self.0.lock().map_or([None; 2 * NETWORKS], |last| *last);
        if last.into_iter().flatten().any(has_route) { Routed::Others } else { Routed::Nobody }
    }
}

/// Networks that share a place share their first octets, or their sum.
fn place(ip: IpAddr) -> usize {
    match ip {
        IpAddr::V4(ip) => ip.octets()[..3].iter().map(|octet| usize::from(*octet)).sum::<usize>() % NETWORKS,
        IpAddr::V6(ip) => {
            let sum: usize = ip.octets()[..6].iter().map(|octet| usize::from(*octet)).sum();
            NETWORKS + sum % NETWORKS
        }
    }
}

/// The address that the kernel would connect to another one from; nothing is sent.
pub fn source_towards(ip: IpAddr) -> Option<IpAddr> {
    let own = route(ip).ok()?.local_addr().ok()?.as_socket()?.ip();
    Some(own.to_canonical())
}

/// Asks the kernel for a route by naming the peer of a datagram socket: nothing is sent.
fn route(ip: IpAddr) -> io::Result<Socket> {
    /// Discard (RFC 863): any port would do.
    const PORT: u16 = 9;
    let target = SocketAddr::new(ip, PORT);
    let socket = Socket::new(Domain::for_address(target), Type::DGRAM, None)?;
    socket.connect(&target.into())?;
    Ok(socket)
}

/// Whether the kernel has a route to an address.
pub(super) fn has_route(ip: IpAddr) -> bool {
    // A broadcast address answers EACCES: it is routed.
    route(ip).map_or_else(|error| error.raw_os_error() == Some(libc::EACCES), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_without_a_route_is_alone_with_that_only_if_others_have_one() {
        assert_eq!(source_towards([127, 9, 9, 9].into()), Some([127, 0, 0, 1].into()));
        let nowhere: IpAddr = "0:0:0:ffff::1".parse().unwrap();
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let witness = Witness::default();
        assert!(has_route(loopback));
        assert_eq!(witness.routed(loopback), Routed::Target);
        if has_route(nowhere) {
            return;
        }
        assert_eq!(witness.routed(nowhere), Routed::Nobody);
        witness.saw(loopback);
        witness.saw(nowhere);
        assert_eq!(witness.routed(nowhere), Routed::Others, "one family has a route");
    }
}
