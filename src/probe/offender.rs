//! Who said that a target can't be reached: the kernel's error queue keeps the address that an ICMP message
//! came from (ip(7)). This machine and its gateway speak of themselves, everybody else of the target.
//!
//! For IPv4 the kernel keeps the source of what ends a connection attempt unasked. For IPv6 it has to be
//! asked, by a call for each connection, so it is only asked while such messages come: the first one switches
//! that on, and its own source stays unknown.
//!
//! Unsafe is the one `recvmsg` that reads the queue, and reading what it has filled: no crate here knows
//! these messages.
#![allow(unsafe_code)]

use std::fs;
use std::io;
use std::mem::{self, MaybeUninit};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::route::source_towards;

/// So long after such a message the next ones are asked for their source.
const CURIOUS: Duration = Duration::from_secs(30);
/// The routing tables (proc(5)); a gateway changes seldom.
const ROUTES_V4: &str = "/proc/net/route";
const ROUTES_V6: &str = "/proc/net/ipv6_route";

/// Where an error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// This machine or its gateway, or nobody knows: it may speak of the path from here alone.
    Near,
    /// The target itself or a router further on.
    Far,
}

/// Whether errors are asked for their source just now.
#[derive(Debug, Default)]
pub(super) struct Curiosity(Mutex<Option<Instant>>);

impl Curiosity {
    /// Such a message came.
    pub(super) fn wake(&self) {
        if let Ok(mut until) = self.0.lock() {
            *until = Some(Instant::now() + CURIOUS);
        }
    }

    /// Whether one came lately.
    pub(super) fn is_awake(&self) -> bool {
        self.0.lock().is_ok_and(|until| until.is_some_and(|until| Instant::now() < until))
    }
}

/// Has the kernel keep the source of errors for this IPv6 socket, or no longer. On an established connection
/// such messages are to be ignored (RFC 1122 §4.2.3.9), which the kernel does only while it does not keep
/// them.
pub(super) fn keep_errors(socket: BorrowedFd<'_>, keep: bool) {
    let on = libc::c_int::from(keep);
    let Ok(length) = libc::socklen_t::try_from(size_of_val(&on)) else { return };
    let (level, option) = (libc::IPPROTO_IPV6, libc::IPV6_RECVERR);
    // SAFETY: the descriptor is open while it is borrowed, and `on` is live and of the length said. Where it
    // fails, sources stay unknown.
    let _ = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length) };
}

/// Where the error in a socket's queue comes from.
pub(super) fn source_of_error(socket: BorrowedFd<'_>, target: IpAddr) -> Source {
    let Ok(Some(offender)) = offender(socket) else { return Source::Near };
    if offender == target { Source::Far } else { source_of(offender) }
}

fn source_of(offender: IpAddr) -> Source {
    let is_own = source_towards(offender) == Some(offender);
    if is_own || gateways().contains(&offender) { Source::Near } else { Source::Far }
}

/// The address that the first message in the queue came from.
fn offender(socket: BorrowedFd<'_>) -> io::Result<Option<IpAddr>> {
    // Aligned as control messages have to be; larger than the two that may be there.
    let mut control = [MaybeUninit::<u64>::uninit(); 64];
    // SAFETY: all zero is a valid `msghdr`: no address, no buffers.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: the descriptor is open, and the header names one live buffer with its length.
    let read = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_ERRQUEUE) };
    if read < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel filled the header and as much of the buffer as it says; the macros stay within that.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !next.is_null() {
        // SAFETY: `next` points to a control message within the buffer.
        let head = unsafe { next.read_unaligned() };
        // SAFETY: its data follows it.
        let data = unsafe { libc::CMSG_DATA(next) };
        let is_error = (head.cmsg_level == libc::SOL_IP && head.cmsg_type == libc::IP_RECVERR)
            || (head.cmsg_level == libc::SOL_IPV6 && head.cmsg_type == libc::IPV6_RECVERR);
        // SAFETY: an empty message of the same kind says how much its head takes.
        let length = head.cmsg_len.saturating_sub(unsafe { libc::CMSG_LEN(0) } as usize);
        if is_error {
            // SAFETY: so many octets of data are there.
            return Ok(address_in(unsafe { std::slice::from_raw_parts(data, length) }));
        }
        // SAFETY: as for the first.
        next = unsafe { libc::CMSG_NXTHDR(&raw const message, next) };
    }
    Ok(None)
}

/// The address behind a `sock_extended_err`: a family in the machine's order, then as in `sockaddr_in` or
/// `sockaddr_in6`.
fn address_in(data: &[u8]) -> Option<IpAddr> {
    let address = data.get(size_of::<libc::sock_extended_err>()..)?;
    let family = i32::from(u16::from_ne_bytes(address.get(..2)?.try_into().ok()?));
    match family {
        libc::AF_INET => Some(Ipv4Addr::from(<[u8; 4]>::try_from(address.get(4..8)?).ok()?).into()),
        libc::AF_INET6 => {
            Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(address.get(8..24)?).ok()?)).to_canonical())
        }
        _ => None,
    }
}

/// The gateways of this machine.
fn gateways() -> Vec<IpAddr> {
    let v4 = fs::read_to_string(ROUTES_V4).unwrap_or_default();
    let v6 = fs::read_to_string(ROUTES_V6).unwrap_or_default();
    gateways_v4(&v4).chain(gateways_v6(&v6)).collect()
}

/// The third column is the gateway's address as a number of this machine, in hexadecimal.
fn gateways_v4(table: &str) -> impl Iterator<Item = IpAddr> {
    let column = |line: &str| u32::from_str_radix(line.split_whitespace().nth(2)?, 16).ok();
    let numbers = table.lines().filter_map(column).filter(|number| *number != 0);
    numbers.map(|number| Ipv4Addr::from(number.to_ne_bytes()).into())
}

/// The fifth column is the next hop, its 16 octets in hexadecimal.
fn gateways_v6(table: &str) -> impl Iterator<Item = IpAddr> {
    let column = |line: &str| u128::from_str_radix(line.split_whitespace().nth(4)?, 16).ok();
    let numbers = table.lines().filter_map(column).filter(|number| *number != 0);
    numbers.map(|number| Ipv6Addr::from(number).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_are_read_from_the_routing_tables() {
        let number = u32::from_ne_bytes([192, 0, 2, 254]);
        let v4 = format!(
            "Iface\tDestination\tGateway \tFlags\neth0\t00000000\t{number:08X}\t0003\neth0\t000200C0\t00000000\t0001\n"
        );
        assert_eq!(gateways_v4(&v4).collect::<Vec<_>>(), [IpAddr::from([192, 0, 2, 254])]);
        let v6 = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                  20010db8000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n\
                  20010db8000000000000000000000000 20 00000000000000000000000000000000 00 \
                  00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n";
        let gateway: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(gateways_v6(v6).collect::<Vec<_>>(), [gateway]);
    }

    #[test]
    fn an_address_of_our_own_is_near_and_others_are_far() {
        assert_eq!(source_of([127, 0, 0, 1].into()), Source::Near);
        assert_eq!(source_of([127, 7, 7, 7].into()), Source::Far, "no address that we connect from");
    }

    #[test]
    fn what_is_no_address_is_none() {
        let mut data = vec![0; size_of::<libc::sock_extended_err>()];
        assert_eq!(address_in(&data), None);
        data.extend([0; 16]);
        assert_eq!(address_in(&data), None, "AF_UNSPEC: the kernel does not know");
        let family = u16::try_from(libc::AF_INET).unwrap().to_ne_bytes();
        let end = data.len() - 16;
        data[end..end + 2].copy_from_slice(&family);
        data[end + 4..end + 8].copy_from_slice(&[192, 0, 2, 7]);
        assert_eq!(address_in(&data), Some(IpAddr::from([192, 0, 2, 7])));
    }
}
