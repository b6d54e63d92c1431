//! What we say, as octets made once for a scan.

use crate::name::HostName;

pub(super) const QUIT: &[u8] = b"QUIT\r\n";
pub(super) const STARTTLS: &[u8] = b"STARTTLS\r\n";

/// How we introduce ourselves, where the reply to EHLO is wanted, and what for; made once for a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    ehlo: Box<[u8]>,
    helo: Box<[u8]>,
    pub(super) purpose: Purpose,
}

/// What follows the reply to EHLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Nothing but QUIT.
    #[default]
    Names,
    /// STARTTLS where it is offered (RFC 3207), then EHLO again.
    Tls,
}

impl Introduction {
    /// By this name, our own (RFC 5321 §4.1.1.1; a server may refuse an empty one).
    pub fn new(own_name: &HostName) -> Self {
        let command = |verb: &str| [verb.as_bytes(), own_name.as_str().as_bytes(), b"\r\n"].concat().into();
        Self { ehlo: command("EHLO "), helo: command("HELO "), purpose: Purpose::Names }
    }

    /// The same, for this purpose.
    #[must_use]
    pub fn with_purpose(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }
}

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Ask(Asking),
    Quit,
}

/// A command whose reply is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    Ehlo,
    Helo,
    StartTls,
}

impl Verb {
    pub(super) fn octets(self, introduction: Option<&Introduction>) -> &[u8] {
        match (self, introduction) {
            (Self::Ask(Asking::Ehlo), Some(introduction)) => &introduction.ehlo,
            (Self::Ask(Asking::Helo), Some(introduction)) => &introduction.helo,
            (Self::Ask(Asking::StartTls), Some(_)) => STARTTLS,
            (Self::Quit, _) | (_, None) => QUIT,
        }
    }
}
