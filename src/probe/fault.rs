//! The one table from errors of the kernel to outcomes of a target and to trouble of this machine.
//!
//! When an error shows matters as much as which it is: what `connect` itself answers, this machine decided
//! (its routes, its firewall, its ports); what comes later, the network or the peer said. Linux takes ICMP
//! errors in only after `connect` has returned, on loopback too.

use std::io;

use crate::evidence::Outcome;

use super::LocalTrouble;

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The target's outcome.
    Outcome(Outcome),
    /// Never the target's.
    Local(LocalTrouble),
    /// There is no route to the target; whether there is one to anywhere, [`super::route`] tells.
    NoRoute,
}

/// When an error showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// The call itself failed.
    AtOnce,
    /// The socket reported it afterwards.
    Later,
}

impl Fault {
    pub(super) fn of(error: &io::Error, when: When) -> Self {
        // Errors without a number are tokio's own: its reactor is shutting down.
        let Some(errno) = error.raw_os_error() else { return Self::Local(LocalTrouble::Other(0)) };
        match errno {
            libc::ECONNREFUSED => Self::Outcome(Outcome::Refused),
            libc::ETIMEDOUT => Self::Outcome(Outcome::TimedOut),
            libc::ECONNRESET | libc::EPIPE | libc::ECONNABORTED => Self::Outcome(Outcome::Reset),
            libc::EMFILE | libc::ENFILE => Self::Local(LocalTrouble::Descriptors),
            // EAGAIN: older kernels without a free local port.
            libc::EADDRNOTAVAIL | libc::EADDRINUSE | libc::EAGAIN => Self::Local(LocalTrouble::Ports),
            libc::ENOBUFS | libc::ENOMEM => Self::Local(LocalTrouble::Memory),
            libc::ENETDOWN => Self::Local(LocalTrouble::NetworkDown),
            // A control group or a security module. A packet filter that drops on the way out looks like
            // silence.
            libc::EPERM => Self::Local(LocalTrouble::Forbidden),
            _ => match when {
                When::AtOnce => Self::of_this_machine(errno),
                When::Later => Self::of_the_network(errno),
            },
        }
    }

    /// What routes say before a packet leaves.
    fn of_this_machine(errno: i32) -> Self {
        match errno {
            // No route; or no such address family in this kernel.
            libc::ENETUNREACH | libc::EAFNOSUPPORT => Self::NoRoute,
            // `unreachable` and `blackhole` routes. They may stand for the target's prefix, or for all but a
            // tunnel that is down.
            libc::EHOSTUNREACH | libc::EINVAL => Self::Local(LocalTrouble::NoPath),
            // `prohibit` routes, and security modules.
            libc::EACCES => Self::Local(LocalTrouble::Forbidden),
            _ => Self::Local(LocalTrouble::Other(errno)),
        }
    }

    /// What ICMP turns into (RFC 792, RFC 4443 §3): net, host, protocol unreachable, prohibited (EACCES, for
    /// IPv6), too big, parameter problem.
    fn of_the_network(errno: i32) -> Self {
        match errno {
            libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::ENOPROTOOPT
            | libc::EACCES
            | libc::EMSGSIZE
            | libc::EOPNOTSUPP
            | libc::EPROTO => Self::Outcome(Outcome::Unreachable),
            _ => Self::Local(LocalTrouble::Other(errno)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_peer_or_the_network_says_is_an_outcome_and_what_this_machine_says_is_not() {
        use When::{AtOnce, Later};
        let outcome = Fault::Outcome;
        let local = Fault::Local;
        for (errno, when, fault) in [
            (libc::ECONNREFUSED, AtOnce, outcome(Outcome::Refused)),
            (libc::ECONNREFUSED, Later, outcome(Outcome::Refused)),
            (libc::ETIMEDOUT, Later, outcome(Outcome::TimedOut)),
            (libc::ECONNRESET, Later, outcome(Outcome::Reset)),
            (libc::EPIPE, Later, outcome(Outcome::Reset)),
            (libc::EHOSTUNREACH, Later, outcome(Outcome::Unreachable)),
            (libc::ENETUNREACH, Later, outcome(Outcome::Unreachable)),
            (libc::EACCES, Later, outcome(Outcome::Unreachable)),
            (libc::ENOPROTOOPT, Later, outcome(Outcome::Unreachable)),
            (libc::EHOSTUNREACH, AtOnce, local(LocalTrouble::NoPath)),
            (libc::EINVAL, AtOnce, local(LocalTrouble::NoPath)),
            (libc::ENETUNREACH, AtOnce, Fault::NoRoute),
            (libc::EAFNOSUPPORT, AtOnce, Fault::NoRoute),
            (libc::ENETDOWN, AtOnce, local(LocalTrouble::NetworkDown)),
            (libc::ENETDOWN, Later, local(LocalTrouble::NetworkDown)),
            (libc::EACCES, AtOnce, local(LocalTrouble::Forbidden)),
            (libc::EPERM, AtOnce, local(LocalTrouble::Forbidden)),
            (libc::EMFILE, AtOnce, local(LocalTrouble::Descriptors)),
            (libc::ENFILE, AtOnce, local(LocalTrouble::Descriptors)),
            (libc::EADDRNOTAVAIL, AtOnce, local(LocalTrouble::Ports)),
            (libc::EADDRINUSE, AtOnce, local(LocalTrouble::Ports)),
            (libc::ENOBUFS, AtOnce, local(LocalTrouble::Memory)),
            (libc::ENOMEM, Later, local(LocalTrouble::Memory)),
            (libc::EBADF, AtOnce, local(LocalTrouble::Other(libc::EBADF))),
            (libc::EIO, Later, local(LocalTrouble::Other(libc::EIO))),
        ] {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!(Fault::of(&error, when), fault, "{error} {when:?}");
        }
        assert_eq!(Fault::of(&io::Error::other("gone"), Later), local(LocalTrouble::Other(0)));
    }
}
