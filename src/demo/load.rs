//! A server of [`Plain`] hosts for load: one thread, one epoll set, one listener for all addresses.
//!
//! The listener is bound to every address and to the loopback device, which an ordinary user may do (Linux
//! 5.7): it hears all of 127.0.0.0/8, and in a network namespace whatever the namespace routes to itself, but
//! nothing from outside of the machine. The price is that no address of it can refuse, which a load test does
//! not ask for.
//!
//! It answers QUIT, EHLO and the rest, each taken to arrive whole, as a lock-step client sends them.
//!
//! Unsafe are the three epoll calls, for which the standard library has no safe form: they get a descriptor
//! that `Epoll` owns, and a live array with its own length.
#![allow(unsafe_code)]

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use super::descriptors;
use super::plain::{self, Plain};
use super::script::Verb;

/// Events taken at once.
const EVENTS: usize = 512;
/// Connections accepted before others have their turn.
const ACCEPTS: usize = 256;
/// Connections that may wait; the kernel cuts it to `somaxconn`.
const BACKLOG: i32 = 65_535;

/// A running server. Dropping it closes all connections and ends its thread.
#[derive(Debug)]
pub struct Load {
    address: SocketAddrV4,
    greeted: Arc<AtomicU64>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Serves the hosts at a port of all addresses of the loopback device; port 0 for the system's choice.
    pub fn start(hosts: Plain, port: u16) -> io::Result<Self> {
        // 20,000 connections at once is what a load test holds; fewer may be allowed, and then fewer are
        // held.
        descriptors::raise();
        let listener = listen(port)?;
        let SocketAddr::V4(address) = listener.local_addr()? else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let (stop, stopped) = UnixStream::pair()?;
        let greeted = Arc::new(AtomicU64::new(0));
        let server = Server::new(hosts, listener, stopped, Arc::clone(&greeted))?;
        let thread = std::thread::Builder::new().name("load smtp".to_owned()).spawn(|| server.run())?;
        Ok(Self { address, greeted, stop: Some(stop), thread: Some(thread) })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Greetings sent so far.
    pub fn greeted(&self) -> u64 {
        self.greeted.load(Ordering::Relaxed)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // The other end sees the close, and the thread ends.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.bind_device(Some(b"lo"))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

struct Server {
    hosts: Plain,
    listener: TcpListener,
    stopped: UnixStream,
    greeted: Arc<AtomicU64>,
    epoll: Epoll,
    /// Open connections by descriptor: the kernel gives out the lowest free one, so the vector stays dense.
    open: Vec<Option<TcpStream>>,
}

impl Server {
    fn new(
        hosts: Plain,
        listener: TcpListener,
        stopped: UnixStream,
        greeted: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add(listener.as_raw_fd(), libc::EPOLLIN)?;
        epoll.add(stopped.as_raw_fd(), libc::EPOLLIN)?;
        Ok(Self { hosts, listener, stopped, greeted, epoll, open: Vec::new() })
    }

    fn run(mut self) {
        let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        loop {
            let Ok(count) = self.epoll.wait(&mut events) else { return };
            for event in &events[..count] {
                // The number put in with `add`, a descriptor.
                let Ok(fd) = RawFd::try_from(event.u64) else { continue };
                if fd == self.stopped.as_raw_fd() {
                    return;
                } else if fd == self.listener.as_raw_fd() {
                    self.accept();
                } else {
                    self.hear(fd);
                }
            }
        }
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS {
            // Nobody waits, or no descriptor is free: the listener stays ready, and the next round tries
            // again.
            let Ok((stream, _)) = self.listener.accept() else { return };
            // Gone again, or of no use: dropped, which closes.
            let _ = self.greet(stream);
        }
    }

    /// Greets a new connection. It stays blocking, which saves a call: what is sent fits an empty buffer, and
    /// nothing is read before the set says that something is there.
    fn greet(&mut self, mut stream: TcpStream) -> io::Result<()> {
        let IpAddr::V4(ip) = stream.local_addr()?.ip() else { return Ok(()) };
        if !self.hosts.contains(ip) {
            return Ok(());
        }
        stream.write_all(&plain::greeting(ip))?;
        self.greeted.fetch_add(1, Ordering::Relaxed);
        let fd = stream.as_raw_fd();
        self.epoll.add(fd, libc::EPOLLIN | libc::EPOLLRDHUP)?;
        let at = usize::try_from(fd).map_err(|_| io::ErrorKind::InvalidData)?;
        if self.open.len() <= at {
            self.open.resize_with(at + 1, || None);
        }
        self.open[at] = Some(stream);
        Ok(())
    }

    /// Reads one command and answers it; closes on QUIT, at the end, and on any trouble.
    fn hear(&mut self, fd: RawFd) {
        let Some(slot) = usize::try_from(fd).ok().and_then(|at| self.open.get_mut(at)) else { return };
        let Some(stream) = slot else { return };
        let mut line = [0; 512];
        let stays = match stream.read(&mut line) {
            Ok(0) => false,
            Ok(length) => reply(stream, &line[..length]).unwrap_or(false),
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        if !stays {
            *slot = None;
        }
    }
}

/// Answers one command; whether the conversation goes on.
fn reply(stream: &mut TcpStream, line: &[u8]) -> io::Result<bool> {
    match Verb::of(line) {
        Verb::Quit => stream.write_all(b"221 2.0.0 Bye\r\n").map(|()| false),
        Verb::Other => stream.write_all(b"502 5.5.2 Command not recognized\r\n").map(|()| true),
        Verb::Noop => stream.write_all(b"250 2.0.0 Ok\r\n").map(|()| true),
        verb @ (Verb::Ehlo | Verb::Helo) => {
            let IpAddr::V4(ip) = stream.local_addr()?.ip() else { return Ok(false) };
            let more = if verb == Verb::Ehlo { "250 PIPELINING\r\n" } else { "" };
            let dash = if more.is_empty() { ' ' } else { '-' };
            stream.write_all(format!("250{dash}{}\r\n{more}", plain::name(ip)).as_bytes()).map(|()| true)
        }
    }
}

/// An epoll set (epoll(7)), level-triggered.
struct Epoll(OwnedFd);

impl Epoll {
    fn new() -> io::Result<Self> {
        // SAFETY: no pointer is passed; a result that is not negative is a new descriptor that nobody else
        // owns.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: see above.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Watches a descriptor until it is closed; events carry its number.
    fn add(&self, fd: RawFd, events: i32) -> io::Result<()> {
        let number = u64::try_from(fd).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: number };
        // SAFETY: `event` is live and only read by the call.
        let done = unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits for events, for as long as it takes; how many came.
    fn wait(&self, events: &mut [libc::epoll_event]) -> io::Result<usize> {
        let room = i32::try_from(events.len()).unwrap_or(i32::MAX);
        loop {
            // SAFETY: `events` is a live array of at least `room` events, which the call fills from its
            // start.
            let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), events.as_mut_ptr(), room, -1) };
            if let Ok(count) = usize::try_from(count) {
                return Ok(count);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_is_tied_to_the_loopback_device() {
        let listener = listen(0).unwrap();
        assert_eq!(socket2::SockRef::from(&listener).device().unwrap().as_deref(), Some(b"lo".as_slice()));
    }
}
