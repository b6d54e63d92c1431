//! Drives a [`Dialogue`] over a stream, with time. A waiting conversation holds no buffer: what is read goes
//! through one that all conversations of a thread share.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::LocalTrouble;
use super::fault::{Fault, When};
use crate::smtp::dialogue::{Dialogue, HangUp, Step};

/// How much is read at once: more than all but the longest greetings, so that one read shows that a socket is
/// drained.
const SCRATCH: usize = 8 * 1024;

/// A timer that fires so late was held up by a machine that slept or a program that was stopped, which
/// notices that time is over before it notices what came in time …
const SLEPT: Duration = Duration::from_millis(250);
/// … so it is given this long to hear it.
const GRACE: Duration = Duration::from_millis(50);

thread_local! {
    static BUFFER: RefCell<[u8; SCRATCH]> = const { RefCell::new([0; SCRATCH]) };
}

/// One timer for all waits of a conversation, moved only when it would come too late or has come too early.
#[derive(Debug)]
pub(super) struct Timer<'a> {
    start: Instant,
    sleep: Pin<&'a mut Sleep>,
}

impl<'a> Timer<'a> {
    /// A timer over a sleep that has not been polled; time counts from `start`.
    pub(super) fn new(start: Instant, sleep: Pin<&'a mut Sleep>) -> Self {
        Self { start, sleep }
    }

    /// Time since the first SYN.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The instant so long after the first SYN; `None` beyond what a clock can say.
    pub(super) fn at(&self, since_start: Duration) -> Option<Instant> {
        self.start.checked_add(since_start)
    }

    /// Ready once `deadline` has come.
    pub(super) fn poll_until(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if deadline < self.sleep.deadline() {
            // A deadline that has passed may have its grace already: a further look makes that no longer.
            let now = Instant::now();
            let due = if deadline <= now { now + GRACE } else { deadline };
            if due < self.sleep.deadline() {
                self.sleep.as_mut().reset(due);
            }
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            let (now, fired) = (Instant::now(), self.sleep.deadline());
            if fired < deadline {
                self.sleep.as_mut().reset(deadline);
            } else if fired == deadline && now.saturating_duration_since(fired) > SLEPT {
                self.sleep.as_mut().reset(now + GRACE);
            } else {
                return Poll::Ready(());
            }
        }
    }
}

/// Takes what has come already, if anything has; how the stream ended, if it has.
pub(super) async fn catch_up<S: AsyncRead + Unpin>(
    stream: &mut S,
    dialogue: &mut Dialogue<'_>,
    timer: &Timer<'_>,
) -> Option<HangUp> {
    poll_fn(|cx| {
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            Poll::Ready(match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().is_empty() => Some(HangUp::Closed),
                Poll::Ready(Ok(())) => {
                    dialogue.hear(buffer.filled(), timer.now());
                    None
                }
                Poll::Ready(Err(_)) => Some(HangUp::Reset),
                Poll::Pending => None,
            })
        })
    })
    .await
}

/// How the conversation is to be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// By closing.
    Close,
    /// By a reset.
    Abort,
    /// Not at all: it is TLS's turn.
    Handshake,
}

/// Carries out a dialogue to its end; `end` is what the end of the stream means. An error is trouble of this
/// machine.
pub(super) async fn drive<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    dialogue: &mut Dialogue<'_>,
    end: HangUp,
    timer: &mut Timer<'_>,
) -> Result<Leave, LocalTrouble> {
    poll_fn(|cx| {
        loop {
            let (until, progress) = match dialogue.step() {
                Step::Send { octets, until } => {
                    let sent = Pin::new(&mut *stream).poll_write(cx, octets);
                    (until, sent.map_ok(|sent| dialogue.sent(sent)))
                }
                Step::Listen { until } => (until, poll_hear(stream, dialogue, end, timer, cx)),
                Step::Close => return Poll::Ready(Ok(Leave::Close)),
                Step::Abort => return Poll::Ready(Ok(Leave::Abort)),
                Step::Handshake { .. } => return Poll::Ready(Ok(Leave::Handshake)),
            };
            match progress {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => match Fault::of(&error, When::Later) {
                    Fault::Local(trouble) if !dialogue.is_settled() => return Poll::Ready(Err(trouble)),
                    _ => dialogue.hang_up(HangUp::Reset, timer.now()),
                },
                Poll::Pending => {
                    match timer.at(until) {
                        Some(deadline) => ready!(timer.poll_until(deadline, cx)),
                        None => return Poll::Pending,
                    }
                    dialogue.tick(timer.now().max(until));
                }
            }
        }
    })
    .await
}

fn poll_hear<S: AsyncRead + Unpin>(
    stream: &mut S,
    dialogue: &mut Dialogue<'_>,
    end: HangUp,
    timer: &Timer<'_>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
        match buffer.filled() {
            [] => dialogue.hang_up(end, timer.now()),
            octets => dialogue.hear(octets, timer.now()),
        }
        Poll::Ready(Ok(()))
    })
}
