//! Whether a connection needed more than one SYN, which is how a lossy path shows at its end (tcp(7),
//! `TCP_INFO`).
//!
//! Unsafe is the one `getsockopt`: no crate here knows this structure.
#![allow(unsafe_code)]

use std::mem;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::time::Duration;

/// The kernel sends a SYN again after a second at the earliest (RFC 6298 §2); a connection that was
/// established sooner needs no question, and costs no call.
const SOONEST: Duration = Duration::from_millis(900);

/// Whether a connection that was established after `took` had its SYN sent again.
pub(super) fn is_resent(socket: BorrowedFd<'_>, took: Duration) -> bool {
    took >= SOONEST && retransmissions(socket).is_some_and(|count| count > 0)
}

/// How many segments the kernel has sent again.
fn retransmissions(socket: BorrowedFd<'_>) -> Option<u32> {
    // SAFETY: all zero is a valid `tcp_info`: it holds numbers alone.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
    // SAFETY: the descriptor is open while it is borrowed; the kernel writes at most `length` octets into
    // `info`.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    (done == 0).then_some(info.tcpi_total_retrans)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn a_connection_that_nothing_of_was_lost_was_made_with_one_syn() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(retransmissions(stream.as_fd()), Some(0));
        assert!(!is_resent(stream.as_fd(), Duration::from_secs(4)), "it was slow for another reason");
    }
}
