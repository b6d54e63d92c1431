//! The addresses to connect from, each in its turn. A socket is bound to its address but not to a port: a
//! port chosen before the peer is known is taken from all peers, and a thousand conversations use up a
//! thousand ports; chosen at `connect`, the same port serves one conversation with each peer.
//!
//! `IP_BIND_ADDRESS_NO_PORT` (Linux 4.2) asks for that; socket2 has no word for it, hence one `unsafe` call.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of_val;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use socket2::{Domain, Socket, Type};

/// An address that can't be connected from.
#[derive(Debug, thiserror::Error)]
#[error("source address `{ip}` can't be used: {reason}; give one of this machine's own")]
pub struct SourceError {
    /// The address.
    pub ip: IpAddr,
    /// What the kernel said.
    pub reason: io::Error,
}

/// The addresses to connect from.
#[derive(Debug, Default)]
pub(super) struct Sources {
    v4: Vec<IpAddr>,
    v6: Vec<IpAddr>,
    turn: AtomicUsize,
}

impl Sources {
    /// Takes addresses that this machine has; each is tried once, so that a wrong one shows before the first
    /// packet.
    pub(super) fn new(addresses: &[IpAddr]) -> Result<Self, SourceError> {
        for &ip in addresses {
            let bound = Socket::new(Domain::for_address(SocketAddr::new(ip, 0)), Type::STREAM, None)
                .and_then(|socket| bind(&socket, ip));
            bound.map_err(|reason| SourceError { ip, reason })?;
        }
        let (v4, v6) = addresses.iter().partition(|ip| ip.is_ipv4());
        Ok(Self { v4, v6, turn: AtomicUsize::new(0) })
    }

    /// The one address that every socket to the target is bound to; `None` where there are several, or the
    /// system chooses.
    pub(super) fn only(&self, target: IpAddr) -> Option<IpAddr> {
        let family = if target.is_ipv4() { &self.v4 } else { &self.v6 };
        if let [ip] = family[..] { Some(ip) } else { None }
    }

    /// Binds a socket to the next address of the target's family; the system chooses where none was given.
    pub(super) fn bind(&self, socket: &Socket, target: IpAddr) -> io::Result<()> {
        let family = if target.is_ipv4() { &self.v4 } else { &self.v6 };
        if family.is_empty() {
            return Ok(());
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        bind(socket, family[turn % family.len()])
    }
}

fn bind(socket: &Socket, ip: IpAddr) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of_val(&on)).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the kernel reads `length`
    // octets of `on`, which is that large and outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            std::ptr::from_ref(&on).cast(),
            length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    socket.bind(&SocketAddr::new(ip, 0).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(sources: &Sources, target: &str) -> Option<SocketAddr> {
        let target: IpAddr = target.parse().unwrap();
        let socket =
            Socket::new(Domain::for_address(SocketAddr::new(target, 0)), Type::STREAM, None).unwrap();
        sources.bind(&socket, target).unwrap();
        socket.local_addr().unwrap().as_socket().filter(|local| !local.ip().is_unspecified())
    }

    #[test]
    fn sources_take_turns_and_no_port() {
        let addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map(|ip| ip.parse().unwrap());
        let sources = Sources::new(&addresses).unwrap();
        let turns: Vec<_> = (0..4).map(|_| bound(&sources, "127.1.1.1").unwrap()).collect();
        let expected =
            ["127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0", "127.0.0.1:0"].map(|at| at.parse().unwrap());
        assert_eq!(turns, expected);
        assert_eq!(sources.only([127, 1, 1, 1].into()), None);
    }

    #[test]
    fn a_family_without_sources_is_left_to_the_system() {
        assert_eq!(bound(&Sources::default(), "127.0.0.1"), None);
        let sources = Sources::new(&["127.0.0.1".parse().unwrap()]).unwrap();
        assert_eq!(bound(&sources, "::1"), None);
        assert_eq!(sources.only([127, 1, 1, 1].into()), Some([127, 0, 0, 1].into()));
        assert_eq!(sources.only([0; 16].into()), None);
    }

    #[test]
    fn an_address_that_is_not_ours_is_refused_before_the_first_packet() {
        let error = Sources::new(&["127.0.0.1".parse().unwrap(), "192.0.2.1".parse().unwrap()]).unwrap_err();
        assert_eq!(error.ip, "192.0.2.1".parse::<IpAddr>().unwrap());
        assert!(error.to_string().starts_with("source address `192.0.2.1` can't be used: "), "{error}");
    }
}
