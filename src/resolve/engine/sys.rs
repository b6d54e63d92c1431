//! System calls that neither std nor socket2 has: many datagrams at once, epoll, a wake-up descriptor.
//!
//! `unsafe` is here because these are calls of libc with pointers; each is wrapped so that the pointers are
//! valid for the call and nothing is kept by the kernel. Knows no DNS.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::task::Wake;
use std::time::Duration;

/// Datagrams taken or given by one call.
pub(super) const MANY: usize = 32;
/// Room for one datagram: more than we ever offer to take.
const ROOM: usize = 2048;
/// Events taken by one wait.
const EVENTS: usize = 64;

/// Waits for any of many descriptors.
#[derive(Debug)]
pub(super) struct Poll(OwnedFd);

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer.
        let fd = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel has just given it to us, and to nobody else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Watches a descriptor for input; closing it ends that.
    pub(super) fn watch(&self, fd: &impl AsRawFd, mark: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN.cast_unsigned(), u64: mark };
        // SAFETY: `event` lives through the call, which copies it.
        let done = unsafe {
            libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event)
        };
        checked(done).map(drop)
    }

    /// Waits at most so long, to the next millisecond, and appends the marks of those that have input.
    pub(super) fn wait(&self, patience: Duration, marks: &mut Vec<u64>) -> io::Result<()> {
        let wait = i32::try_from(patience.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        let room = i32::try_from(EVENTS).unwrap_or(1);
        // SAFETY: `events` has room for as many as we say and lives through the call.
        let count = checked(unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), room, wait) });
        let count = match count {
            Ok(count) => usize::try_from(count).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        marks.extend(events[..count].iter().map(|event| event.u64));
        Ok(())
    }
}

/// Wakes a [`Poll`] from another thread.
#[derive(Debug)]
pub(super) struct Bell(OwnedFd);

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer.
        let fd = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the kernel has just given it to us, and to nobody else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Makes it silent again.
    pub(super) fn hush(&self) {
        let mut count = 0u64;
        // SAFETY: `count` has the eight bytes that the call writes and lives through it.
        unsafe { libc::read(self.0.as_raw_fd(), (&raw mut count).cast(), size_of::<u64>()) };
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let one = 1u64;
        // SAFETY: `one` has the eight bytes that the call reads and lives through it. A full counter rings
        // already.
        unsafe { libc::write(self.0.as_raw_fd(), (&raw const one).cast(), size_of::<u64>()) };
    }
}

/// How the kernel is given datagrams of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segments {
    /// As one, to be cut into datagrams as late as it can (`UDP_SEGMENT`): about a third cheaper.
    Together,
    /// Each for itself.
    Apart,
}

/// Sends datagrams, which stand sorted by length, to the peer of a socket. Tells how many went; an error
/// means that the first did not.
pub(super) fn send_many(socket: &impl AsRawFd, datagrams: &[&[u8]], segments: Segments) -> io::Result<usize> {
    let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MANY];
    let mut messages = [EMPTY; MANY];
    let mut cuts = [const { Cut::new() }; MANY];
    let mut counts = [0usize; MANY];
    for (part, datagram) in parts.iter_mut().zip(datagrams) {
        // The call only reads what `iov_base` points to.
        *part = libc::iovec { iov_base: datagram.as_ptr().cast_mut().cast(), iov_len: datagram.len() };
    }
    let mut rest = &mut parts[..datagrams.len().min(MANY)];
    let mut groups = 0;
    while let Some(first) = rest.first() {
        let length = first.iov_len;
        let same = match segments {
            Segments::Together => rest.iter().take_while(|part| part.iov_len == length).count(),
            Segments::Apart => 1,
        };
        let (group, behind) = rest.split_at_mut(same);
        rest = behind;
        let message = &mut messages[groups].msg_hdr;
        message.msg_iov = group.as_mut_ptr();
        message.msg_iovlen = same;
        if same > 1 {
            cuts[groups].length = u16::try_from(length).unwrap_or(u16::MAX);
            message.msg_control = (&raw mut cuts[groups]).cast();
            message.msg_controllen = size_of::<Cut>();
        }
        counts[groups] = same;
        groups += 1;
    }
    let (fd, count, flags) = (socket.as_raw_fd(), u32::try_from(groups).unwrap_or(0), libc::MSG_NOSIGNAL);
    // SAFETY: the first `count` messages point to as many parts as they say, these into `datagrams`, and to
    // no control data or one `Cut`; all live through the call.
    let sent = unsafe { libc::sendmmsg(fd, messages.as_mut_ptr(), count, flags) };
    checked(sent).map(|sent| counts[..usize::try_from(sent).unwrap_or(0)].iter().sum())
}

/// The control message that has a message cut into datagrams of one length.
#[repr(C)]
struct Cut {
    header: libc::cmsghdr,
    length: u16,
    /// Control messages end at a multiple of eight octets.
    padding: [u16; 3],
}

impl Cut {
    const fn new() -> Self {
        let header = libc::cmsghdr {
            cmsg_len: size_of::<libc::cmsghdr>() + size_of::<u16>(),
            cmsg_level: libc::SOL_UDP,
            cmsg_type: libc::UDP_SEGMENT,
        };
        Self { header, length: 0, padding: [0; 3] }
    }
}

/// Room for the datagrams of one call.
#[derive(Debug)]
pub(super) struct Intake {
    rooms: Vec<u8>,
    taken: Vec<(usize, bool)>,
}

impl Intake {
    pub(super) fn new() -> Self {
        Self { rooms: vec![0; MANY * ROOM], taken: Vec::with_capacity(MANY) }
    }

    /// Takes what a socket has, at most [`MANY`] datagrams, without waiting.
    pub(super) fn receive(&mut self, socket: &impl AsRawFd) -> io::Result<usize> {
        self.taken.clear();
        let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MANY];
        let mut messages = [EMPTY; MANY];
        for ((part, message), room) in
            parts.iter_mut().zip(&mut messages).zip(self.rooms.chunks_exact_mut(ROOM))
        {
            *part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            message.msg_hdr.msg_iov = part;
            message.msg_hdr.msg_iovlen = 1;
        }
        let many = u32::try_from(MANY).unwrap_or(1);
        // SAFETY: each message points to one part, each part to a room of its own as long as it says; all
        // live through the call, and nothing else borrows the rooms meanwhile.
        let count = checked(unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                messages.as_mut_ptr(),
                many,
                libc::MSG_DONTWAIT,
                std::ptr::null_mut(),
            )
        })?;
        let count = usize::try_from(count).unwrap_or(0);
        self.taken.extend(messages[..count].iter().map(|message| {
            let whole = message.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
            (ROOM.min(message.msg_len as usize), whole)
        }));
        Ok(count)
    }

    /// The datagrams of the last call, and whether each is whole.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (&[u8], bool)> {
        self.rooms
            .chunks_exact(ROOM)
            .zip(&self.taken)
            .map(|(room, &(length, whole))| (&room[..length], whole))
    }
}

/// Asks for a receive buffer beyond the system's limit; refused without the privilege, which harms nobody.
pub(super) fn force_receive_buffer(socket: &impl AsRawFd, bytes: i32) {
    let length = u32::try_from(size_of::<i32>()).unwrap_or(0);
    // SAFETY: `bytes` has the four bytes that the call reads and lives through it.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const bytes).cast(),
            length,
        )
    };
}

/// How many descriptors this process may have.
pub(super) fn descriptor_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` has room for the answer and lives through the call.
    let done = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if done == 0 { usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX) } else { 0 }
}

const EMPTY: libc::mmsghdr = libc::mmsghdr {
    msg_hdr: libc::msghdr {
        msg_name: std::ptr::null_mut(),
        msg_namelen: 0,
        msg_iov: std::ptr::null_mut(),
        msg_iovlen: 0,
        msg_control: std::ptr::null_mut(),
        msg_controllen: 0,
        msg_flags: 0,
    },
    msg_len: 0,
};

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
