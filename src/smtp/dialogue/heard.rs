//! What a conversation brings, as words and replies. Knows nothing of how it is held.

use std::time::Duration;

use crate::smtp::reply::{Code, Reply};
use crate::smtp::said::Said;

/// How the other side ended the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// By FIN.
    Closed,
    /// By RST.
    Reset,
}

/// How the greeting came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Something was said.
    Said(Said),
    /// Not one line came in time.
    Silent,
    /// Closed without a word.
    Closed,
    /// Reset before a line was whole.
    Reset,
    /// Where TLS comes first: something was said, and no TLS came of it.
    TlsFailed,
}

/// How TLS failed, or the words before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Time ended it.
    TimedOut,
    /// FIN ended it.
    Closed,
    /// RST ended it.
    Reset,
    /// The peer said something that is not TLS, or would not go on.
    Protocol,
}

impl From<HangUp> for Failure {
    fn from(how: HangUp) -> Self {
        match how {
            HangUp::Closed => Self::Closed,
            HangUp::Reset => Self::Reset,
        }
    }
}

/// How far a conversation came with TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// The reply to EHLO does not offer STARTTLS.
    NotOffered,
    /// STARTTLS was answered by this code, or by none.
    Refused(Option<Code>),
    /// It is TLS's turn, or STARTTLS's reply is awaited.
    Begun,
    /// It failed, before the handshake or amid it.
    Failed(Failure),
    /// The handshake was made.
    Made,
}

/// What TLS began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It came first of all.
    First,
    /// STARTTLS.
    Asked,
}

/// What a conversation brought of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// What it began with.
    pub opening: Opening,
    /// How far it came.
    pub security: Security,
    /// What was said in plain between the go-ahead and the handshake; its first [`super::MAX_PLAINTEXT`]
    /// octets.
    pub plaintext: Vec<u8>,
    /// The reply to the EHLO inside TLS, where TLS began with STARTTLS.
    pub ehlo: Option<Reply>,
}

impl Secured {
    pub(super) fn new(opening: Opening, security: Security) -> Self {
        Self { opening, security, plaintext: Vec::new(), ehlo: None }
    }
}

/// What a conversation brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// How the greeting came out.
    pub ending: Ending,
    /// The greeting, whole or as far as it came.
    pub greeting: Option<Reply>,
    /// The reply to EHLO, or to HELO where EHLO is not known; whole or as far as it came.
    pub ehlo: Option<Reply>,
    /// What was seen of TLS; `None` where it was not come to.
    pub tls: Option<Box<Secured>>,
    /// Whether time, a limit or a reset cut the greeting short.
    pub truncated: bool,
    /// From the connection to the greeting's last line, or to the close that ended it.
    pub banner: Option<Duration>,
}
