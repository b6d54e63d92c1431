//! Tells a target without a route from a network that is down. One target that has none (a family or a prefix that this
//! machine does not reach) is unreachable; when the last address that packets left for has lost its route too, nothing
//! can be said of any target until the network is back.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use socket2::{Domain, Socket, Type};

/// The last address that a SYN left for.
#[derive(Debug, Default)]
pub(super) struct Witness(Mutex<Option<IpAddr>>);

impl Witness {
    /// A SYN left for this address.
    pub(super) fn saw(&self, ip: IpAddr) {
        if let Ok(mut last) = self.0.lock() {
            *last = Some(ip);
        }
    }

    /// Whether it is this one target that has no route, and not all of them.
    pub(super) fn blames(&self, ip: IpAddr) -> bool {
        // TCP is refused a route to broadcast and multicast addresses as well: no host stands there.
        if has_route(ip) {
            return true;
        }
        self.0.lock().ok().and_then(|last| *last).is_some_and(has_route)
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
    fn without_any_witness_a_target_without_a_route_is_not_to_blame() {
        assert_eq!(source_towards([127, 9, 9, 9].into()), Some([127, 0, 0, 1].into()));
        let nowhere: IpAddr = "0:0:0:ffff::1".parse().unwrap();
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let witness = Witness::default();
        assert!(has_route(loopback));
        assert!(witness.blames(loopback));
        if has_route(nowhere) {
            return;
        }
        assert!(!witness.blames(nowhere));
        witness.saw(loopback);
        assert!(witness.blames(nowhere));
    }
}
