//! Datagrams many at a time: `recvmmsg` and `sendmmsg`, for which the standard library has no safe form.
//!
//! The only unsafe code here is the two calls. They get pointers into vectors that live across the call and
//! are not touched meanwhile, and lengths taken from these vectors.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Datagrams for one call: beyond a few dozen the call's own cost is spread thin enough.
const MANY: usize = 64;
/// The longest query taken; a question and EDNS need less than half.
const LONGEST: usize = 1024;

/// Queries received together and the replies to them.
pub(super) struct Batch {
    queries: Vec<[u8; LONGEST]>,
    lengths: Vec<usize>,
    peers: Vec<libc::sockaddr_storage>,
    peer_lengths: Vec<libc::socklen_t>,
    replies: Vec<Vec<u8>>,
}

impl Batch {
    pub(super) fn new() -> Self {
        // SAFETY: a `sockaddr_storage` of zeros is a valid value: plain integers and arrays of them.
        let nobody: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        Self {
            queries: vec![[0; LONGEST]; MANY],
            lengths: Vec::with_capacity(MANY),
            peers: vec![nobody; MANY],
            peer_lengths: vec![0; MANY],
            replies: vec![Vec::new(); MANY],
        }
    }

    /// Takes what has arrived, [`MANY`] at most, without waiting; how many.
    pub(super) fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        let mut parts: Vec<libc::iovec> =
            self.queries.iter_mut().map(|query| part(query.as_mut_ptr(), query.len())).collect();
        let mut headers: Vec<libc::mmsghdr> = parts
            .iter_mut()
            .zip(&mut self.peers)
            .map(|(part, peer)| header(peer, size_of::<libc::sockaddr_storage>(), part))
            .collect();
        // SAFETY: `headers` points into `parts`, `peers` and `queries`, which all outlive the call; the count
        // is theirs.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                length_of(headers.len()),
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        self.lengths.clear();
        for (at, header) in headers.iter().take(count).enumerate() {
            self.lengths.push(usize::try_from(header.msg_len).unwrap_or(0).min(LONGEST));
            self.peer_lengths[at] = header.msg_hdr.msg_namelen;
        }
        Ok(count)
    }

    /// Has each query answered into its reply; one that gets no answer keeps an empty reply.
    pub(super) fn answer(&mut self, mut respond: impl FnMut(&[u8], &mut Vec<u8>) -> bool) {
        for ((query, &length), reply) in self.queries.iter().zip(&self.lengths).zip(&mut self.replies) {
            if !respond(&query[..length], reply) {
                reply.clear();
            }
        }
    }

    /// Sends the replies, each to whom it is for. What the kernel has no room for is lost, as datagrams are.
    pub(super) fn send(&mut self, socket: BorrowedFd<'_>) {
        let count = self.lengths.len();
        let mut parts = Vec::with_capacity(count);
        let mut owners = Vec::with_capacity(count);
        for (at, reply) in self.replies.iter_mut().take(count).enumerate() {
            if !reply.is_empty() {
                parts.push(part(reply.as_mut_ptr(), reply.len()));
                owners.push(at);
            }
        }
        let mut headers = Vec::with_capacity(parts.len());
        for (part, &at) in parts.iter_mut().zip(&owners) {
            headers.push(header(&mut self.peers[at], self.peer_lengths[at] as usize, part));
        }
        let mut sent = 0;
        while sent < headers.len() {
            let rest = &mut headers[sent..];
            // SAFETY: `rest` points into `parts`, `peers` and `replies`, which all outlive the call; the
            // count is its own.
            let count = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    rest.as_mut_ptr(),
                    length_of(rest.len()),
                    libc::MSG_DONTWAIT,
                )
            };
            match usize::try_from(count) {
                Ok(count) if count > 0 => sent += count,
                // The first of the rest can't be sent, now or at all: it is lost, the others have their turn.
                _ => sent += 1,
            }
        }
    }
}

fn part(start: *mut u8, length: usize) -> libc::iovec {
    libc::iovec { iov_base: start.cast(), iov_len: length }
}

fn header(peer: &mut libc::sockaddr_storage, peer_length: usize, part: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: an `mmsghdr` of zeros is a valid value: null pointers and zero lengths.
    let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
    header.msg_hdr.msg_name = std::ptr::from_mut(peer).cast();
    header.msg_hdr.msg_namelen = libc::socklen_t::try_from(peer_length).unwrap_or(0);
    header.msg_hdr.msg_iov = part;
    header.msg_hdr.msg_iovlen = 1;
    header
}

/// A count of at most [`MANY`] as the calls want it.
fn length_of(count: usize) -> libc::c_uint {
    libc::c_uint::try_from(count).unwrap_or(0)
}
