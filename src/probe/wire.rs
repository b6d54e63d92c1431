//! The stream under TLS: text that comes before the first record is held back from TLS, and what comes in all
//! is bounded.
//!
//! A peer that is to shake hands may say something in plain first: lines that were put in behind its
//! go-ahead, or a complaint that our hello is no command. Such lines are set aside until something that is a
//! record follows. Only text is treated so; other octets are TLS's to refuse.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most octets taken from a peer under TLS: several times the largest certificate message and all that a
/// dialogue hears, so that records without content don't go on for ever.
const MAX_WIRE: usize = 512 * 1024;
/// The most text before the first record.
const MAX_TEXT: usize = 8 * 1024;
const SCRATCH: usize = 1024;

/// What came before the first record.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The text.
    pub(super) text: Vec<u8>,
    /// Whether a record followed.
    pub(super) record: bool,
}

/// The same, told to who owns the conversation while TLS owns the stream. Nobody else is there to wait for.
#[derive(Debug, Default)]
pub(super) struct Plain(Mutex<Before>);

impl Plain {
    pub(super) fn get(&self) -> MutexGuard<'_, Before> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stream under TLS.
pub(super) struct Wire<'a, S> {
    stream: &'a mut S,
    before: &'a Plain,
    /// Octets that are TLS's and not yet taken by it, or may be the start of a record.
    held: Vec<u8>,
    read: usize,
}

impl<'a, S> Wire<'a, S> {
    pub(super) fn new(stream: &'a mut S, before: &'a Plain) -> Self {
        Self { stream, before, held: Vec::new(), read: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<'_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let mut before = this.before.get();
            if before.record {
                if !this.held.is_empty() {
                    let count = this.held.len().min(buf.remaining());
                    buf.put_slice(&this.held[..count]);
                    this.held.drain(..count);
                    return Poll::Ready(Ok(()));
                }
                drop(before);
                let filled = buf.filled().len();
                ready!(Pin::new(&mut *this.stream).poll_read(cx, buf))?;
                this.read += buf.filled().len() - filled;
                return Poll::Ready(bounded(this.read, MAX_WIRE));
            }
            let mut scratch = [0; SCRATCH];
            let mut scratch = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut *this.stream).poll_read(cx, &mut scratch))?;
            if scratch.filled().is_empty() {
                before.text.append(&mut this.held);
                return Poll::Ready(Ok(()));
            }
            this.read += scratch.filled().len();
            this.held.extend_from_slice(scratch.filled());
            let text = text_length(&this.held, before.text.is_empty());
            before.text.extend(this.held.drain(..text));
            before.record = this.held.len() >= RECORD;
            bounded(before.text.len(), MAX_TEXT)?;
        }
    }
}

/// Octets by which a record is told: its type and the two of its version (RFC 8446 §5.1).
const RECORD: usize = 3;

/// How many octets come before the first that may open a record. At the very front, whatever is not text is
/// left to TLS.
fn text_length(octets: &[u8], is_front: bool) -> usize {
    if is_front && octets.first().is_some_and(|&first| !is_text(first)) {
        return 0;
    }
    let opens = |at: usize| match &octets[at..] {
        [0x14..=0x17, 0x03, version, ..] => *version <= 4,
        [0x14..=0x17, 0x03] | [0x14..=0x17] => true,
        _ => false,
    };
    (0..octets.len()).find(|&at| opens(at)).unwrap_or(octets.len())
}

fn is_text(octet: u8) -> bool {
    matches!(octet, b' '..=b'~' | b'\r' | b'\n' | b'\t')
}

/// More comes than there is need of.
#[derive(Debug, thiserror::Error)]
#[error("more comes than there is need of")]
pub(super) struct TooMuch;

fn bounded(octets: usize, most: usize) -> io::Result<()> {
    if octets > most { Err(io::Error::new(io::ErrorKind::InvalidData, TooMuch)) } else { Ok(()) }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<'_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.get_mut().stream).poll_write(cx, octets)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().stream).poll_shutdown(cx)
    }
}
