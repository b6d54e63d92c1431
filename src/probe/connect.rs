//! From SYN to connected, without blocking and without options on the socket.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::pin::pin;
use std::task::Poll;

use socket2::{Domain, Socket, Type};
use tokio::time::Instant;

use super::LocalTrouble;
use super::drive::Timer;
use super::fault::{Fault, When};
use super::offender::{self, Curiosity, Source};
use super::resent::is_resent;
use super::route::{Routed, Witness};
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
    /// Whether the first SYN, or the answer to it, was lost.
    pub(super) is_resent: bool,
}

/// What a probe learns from one connection for the next ones.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) witness: Witness,
    pub(super) curiosity: Curiosity,
}

/// How a try to connect came out.
pub(super) type Connecting = Result<Connected, Outcome>;

/// Connects, until `deadline` at the latest.
pub(super) async fn connect(
    target: SocketAddr,
    sources: &Sources,
    memory: &Memory,
    timer: &mut Timer<'_>,
    deadline: Instant,
) -> Result<Connecting, LocalTrouble> {
    let is_curious = target.is_ipv6() && memory.curiosity.is_awake();
    let stream = match start(target, sources, is_curious) {
        Ok(stream) => stream,
        Err(error) => {
            return match Fault::of(&error, When::AtOnce) {
                Fault::Outcome(outcome) => Ok(Err(outcome)),
                Fault::Local(trouble) => Err(trouble),
                Fault::NoRoute => match memory.witness.routed(target.ip()) {
                    Routed::Target => Ok(Err(Outcome::Unreachable)),
                    Routed::Others => Err(LocalTrouble::NoPath),
                    Routed::Nobody => Err(LocalTrouble::NetworkDown),
                },
            };
        }
    };
    memory.witness.saw(target.ip());
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
    let established = |stream: Stream, end| {
        if is_curious {
            offender::keep_errors(stream.as_fd(), false);
        }
        let is_resent = is_resent(stream.as_fd(), timer.now());
        Ok(Ok(Connected { stream, end, is_resent }))
    };
    match failed.map(|error| Fault::of(&error, When::Later)) {
        None => established(stream, HangUp::Closed),
        Some(Fault::Outcome(Outcome::Reset)) => established(stream, HangUp::Reset),
        Some(Fault::Outcome(Outcome::Unreachable)) => {
            memory.curiosity.wake();
            match offender::source_of_error(stream.as_fd(), target.ip()) {
                Source::Near => Err(LocalTrouble::NoPath),
                Source::Far => Ok(Err(Outcome::Unreachable)),
            }
        }
        Some(Fault::Outcome(outcome)) => Ok(Err(outcome)),
        Some(Fault::Local(trouble)) => Err(trouble),
        Some(Fault::NoRoute) => Err(LocalTrouble::NoPath),
    }
}

/// Sends the SYN.
fn start(target: SocketAddr, sources: &Sources, is_curious: bool) -> io::Result<Stream> {
    let socket = Socket::new(Domain::for_address(target), Type::STREAM.nonblocking(), None)?;
    if is_curious {
        offender::keep_errors(socket.as_fd(), true);
    }
    sources.bind(&socket, target.ip())?;
    match socket.connect(&target.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    Stream::of(socket)
}
