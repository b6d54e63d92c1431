//! From SYN to connected, without blocking and without options on the socket.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use socket2::{Domain, Socket, Type};
use tokio::time::Instant;

use super::LocalTrouble;
use super::drive::Timer;
use super::fault::{Fault, When};
use super::route::Witness;
use super::source::Sources;
use super::watch::{Attempt, Stream};
use crate::evidence::Outcome;
use crate::smtp::dialogue::HangUp;

/// A connection that stands, or stood.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: Stream,
    /// What the end of its bytes will mean: a peer that greets and resets before we look has left both.
    pub(super) end: HangUp,
}

/// How a try to connect came out.
pub(super) type Connecting = Result<Connected, Outcome>;

/// Connects, until `deadline` at the latest.
pub(super) async fn connect(
    target: SocketAddr,
    sources: &Sources,
    witness: &Witness,
    timer: &mut Timer<'_>,
    deadline: Instant,
) -> Result<Connecting, LocalTrouble> {
    let blame = |fault| match fault {
        Fault::Outcome(outcome) => Ok(Err(outcome)),
        Fault::Local(trouble) => Err(trouble),
        Fault::NoRoute if witness.blames(target.ip()) => Ok(Err(Outcome::Unreachable)),
        Fault::NoRoute => Err(LocalTrouble::NetworkDown),
    };
    let stream = match start(target, sources) {
        Ok(stream) => stream,
        Err(error) => return blame(Fault::of(&error, When::AtOnce)),
    };
    witness.saw(target.ip());
    let ready = {
        let mut attempted = pin!(stream.attempted());
        poll_fn(|cx| match attempted.as_mut().poll(cx) {
            Poll::Ready(ready) => Poll::Ready(Some(ready)),
            Poll::Pending => timer.poll_until(deadline, cx).map(|()| None),
        })
        .await
    };
    let failed = match ready {
        None => return Ok(Err(Outcome::TimedOut)),
        Some(Err(error)) => Some(error),
        // Only a socket that reports an error is asked which: one system call less for each that connects.
        Some(Ok(Attempt::Failed)) => stream.take_error().unwrap_or_else(Some),
        Some(Ok(Attempt::Made)) => None,
    };
    match failed.map(|error| Fault::of(&error, When::Later)) {
        None => Ok(Ok(Connected { stream, end: HangUp::Closed })),
        Some(Fault::Outcome(Outcome::Reset)) => Ok(Ok(Connected { stream, end: HangUp::Reset })),
        Some(fault) => blame(fault),
    }
}

/// Sends the SYN.
fn start(target: SocketAddr, sources: &Sources) -> io::Result<Stream> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM.nonblocking(), None)?;
    sources.bind(&socket, target.ip())?;
    match socket.connect(&target.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    Stream::of(socket)
}
