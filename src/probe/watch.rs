//! The sockets of a thread that holds many conversations: one epoll set and one table for all of them,
//! without locks and without an allocation for each. Elsewhere a socket is tokio's.
//!
//! tokio's own reactor serves any thread, so each of its sockets has a lock, a record on the heap, a system
//! call to leave the set and one to see the end of the stream. Here the record is a place in a table, closing
//! leaves the set, and the end is known from the event that told of the last octets. The set stands inside
//! tokio's: one event there stands for all that is ready here.
//!
//! Unsafe is the one call that enters the set into tokio's, which has no safe form any more: it wants a
//! descriptor that stays open and the same as long as it is entered.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use socket2::Socket;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// Events taken at once.
const EVENTS: usize = 512;
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

thread_local! {
    static SET: RefCell<Option<Set>> = const { RefCell::new(None) };
}

/// Runs work whose conversations this thread's own set is to watch; conversations that outlast it can only be
/// dropped. Where the kernel has none to give, tokio's serves.
pub async fn watched<T>(work: impl Future<Output = T>) -> T {
    let Ok(ready) = open() else { return work.await };
    // Dropped after the work.
    let _close = Close;
    let mut work = pin!(work);
    let mut events = Vec::with_capacity(EVENTS);
    let mut awake = Vec::with_capacity(EVENTS);
    poll_fn(|cx| {
        turn(&ready, &mut events, &mut awake, cx);
        work.as_mut().poll(cx)
    })
    .await
}

fn open() -> io::Result<AsyncFd<OwnedFd>> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    // SAFETY: an `OwnedFd` that nobody replaces is one open descriptor until it is dropped, together with its
    // entry.
    let ready = unsafe { AsyncFd::register_with_interest(epoll.try_clone()?, Interest::READABLE) }?;
    SET.set(Some(Set { epoll, places: Vec::new(), free: Vec::new() }));
    Ok(ready)
}

struct Close;

impl Drop for Close {
    fn drop(&mut self) {
        SET.set(None);
    }
}

/// Takes what is ready, and wakes whom it concerns.
fn turn(ready: &AsyncFd<OwnedFd>, events: &mut Vec<Event>, awake: &mut Vec<Waker>, cx: &mut Context<'_>) {
    while let Poll::Ready(Ok(mut guard)) = ready.poll_read_ready(cx) {
        events.clear();
        let taken = epoll::wait(ready.get_ref(), spare_capacity(events), Some(&AT_ONCE)).unwrap_or(0);
        SET.with_borrow_mut(|set| {
            let Some(set) = set else { return };
            awake.extend(events.iter().filter_map(|event| set.happened(*event)));
        });
        // Outside the borrow: a waker may drop what it wakes.
        awake.drain(..).for_each(Waker::wake);
        if taken == EVENTS {
            // The woken first; then the rest.
            cx.waker().wake_by_ref();
            return;
        }
        guard.clear_ready();
    }
}

/// The set, and what is known of each socket in it.
struct Set {
    epoll: OwnedFd,
    places: Vec<Place>,
    free: Vec<u32>,
}

/// What is known of a socket.
#[derive(Default)]
struct Place {
    /// What happened and was not used up: [`READABLE`], [`WRITABLE`], [`ENDED`], [`FAILED`].
    happened: EventFlags,
    waker: Option<Waker>,
}

const READABLE: EventFlags = EventFlags::IN;
const WRITABLE: EventFlags = EventFlags::OUT;
/// The peer ended its side; what it said before is there.
const ENDED: EventFlags = EventFlags::RDHUP;
const FAILED: EventFlags = EventFlags::ERR.union(EventFlags::HUP);

impl Set {
    fn enter(&mut self, socket: &Socket) -> io::Result<u32> {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            // One for each descriptor at most.
            u32::try_from(self.places.len() - 1).unwrap_or(u32::MAX)
        });
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let entered = epoll::add(&self.epoll, socket, EventData::new_u64(u64::from(place)), flags);
        if let Err(error) = entered {
            self.free.push(place);
            return Err(error.into());
        }
        Ok(place)
    }

    fn happened(&mut self, event: Event) -> Option<Waker> {
        let at = usize::try_from(event.data.u64()).ok()?;
        let place = self.places.get_mut(at)?;
        let flags = event.flags;
        place.happened |= flags;
        if flags.intersects(FAILED) {
            // A call tells the error.
            place.happened |= READABLE | WRITABLE;
        } else if flags.contains(ENDED) {
            place.happened |= READABLE;
        }
        place.waker.take()
    }
}

/// A connection, or one that is about to stand.
#[derive(Debug)]
pub(super) enum Stream {
    /// One that this thread's set watches.
    Own(Own),
    /// One of tokio's.
    Tokio(TcpStream),
}

/// A socket in a place of the thread's set.
#[derive(Debug)]
pub(super) struct Own {
    socket: Socket,
    place: u32,
    /// Nothing more will come.
    over: bool,
}

/// How a connection attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It stands.
    Made,
    /// The socket holds an error.
    Failed,
}

impl Stream {
    /// Takes a socket that is connecting.
    pub(super) fn of(socket: Socket) -> io::Result<Self> {
        let place = SET.with_borrow_mut(|set| set.as_mut().map(|set| set.enter(&socket)));
        match place {
            Some(place) => Ok(Self::Own(Own { place: place?, socket, over: false })),
            None => TcpStream::from_std(socket.into()).map(Self::Tokio),
        }
    }

    /// Ready once the attempt to connect has come to an end.
    pub(super) async fn attempted(&self) -> io::Result<Attempt> {
        let failed = match self {
            Self::Own(own) => poll_fn(|cx| own.poll_attempted(cx)).await?,
            Self::Tokio(stream) => {
                let ready = stream.ready(Interest::WRITABLE | Interest::ERROR).await?;
                ready.is_error() || ready.is_write_closed()
            }
        };
        Ok(if failed { Attempt::Failed } else { Attempt::Made })
    }

    /// The error that the socket holds.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Self::Own(own) => own.socket.take_error(),
            Self::Tokio(stream) => stream.take_error(),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Own(own) => own.socket.as_fd(),
            Self::Tokio(stream) => stream.as_fd(),
        }
    }
}

impl Own {
    /// What happened, once `wanted` is among it; pending, and woken, when it has not yet.
    fn poll_happened(&self, cx: &Context<'_>, wanted: EventFlags) -> Poll<io::Result<EventFlags>> {
        let gone = || io::Error::from(io::ErrorKind::NotConnected);
        SET.with_borrow_mut(|set| {
            let place = set.as_mut().and_then(|set| set.places.get_mut(self.place as usize));
            let Some(place) = place else { return Poll::Ready(Err(gone())) };
            if place.happened.contains(wanted) {
                return Poll::Ready(Ok(place.happened));
            }
            match &mut place.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                waker => *waker = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
    }

    fn used_up(&self, what: EventFlags) {
        SET.with_borrow_mut(|set| {
            if let Some(place) = set.as_mut().and_then(|set| set.places.get_mut(self.place as usize)) {
                place.happened.remove(what);
            }
        });
    }

    fn poll_attempted(&self, cx: &Context<'_>) -> Poll<io::Result<bool>> {
        self.poll_happened(cx, WRITABLE).map_ok(|happened| happened.intersects(FAILED))
    }

    fn poll_read(&mut self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while !self.over {
            let happened = match self.poll_happened(cx, READABLE) {
                Poll::Ready(happened) => happened?,
                Poll::Pending => return Poll::Pending,
            };
            let room = buf.initialize_unfilled();
            let length = room.len();
            match (&self.socket).read(room) {
                Ok(read) => {
                    buf.advance(read);
                    if read < length {
                        // All that had come is read; with the end behind it, that is all there is.
                        self.over = happened.contains(ENDED) && !happened.intersects(FAILED);
                        self.used_up(READABLE);
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.used_up(READABLE);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, cx: &Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.poll_happened(cx, WRITABLE) {
                Poll::Ready(happened) => happened?,
                Poll::Pending => return Poll::Pending,
            };
            match (&self.socket).write(octets) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.used_up(WRITABLE);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Closing takes the socket out of the set: nobody else holds it open.
        let waker = SET.with_borrow_mut(|set| {
            let set = set.as_mut()?;
            let place = set.places.get_mut(self.place as usize)?;
            set.free.push(self.place);
            std::mem::take(place).waker
        });
        drop(waker);
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Own(own) => own.poll_read(cx, buf),
            Self::Tokio(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Own(own) => own.poll_write(cx, octets),
            Self::Tokio(stream) => Pin::new(stream).poll_write(cx, octets),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Own(_) => Poll::Ready(Ok(())),
            Self::Tokio(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Own(own) => Poll::Ready(own.socket.shutdown(std::net::Shutdown::Write)),
            Self::Tokio(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
