//! What a simulated host does once somebody has connected: values, played by `smtp`.

use std::borrow::Cow;
use std::time::Duration;

/// One thing that a host does unasked, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Sends bytes as they are.
    Send(Cow<'static, [u8]>),
    /// Lets time pass.
    Wait(Duration),
    /// Sends the same bytes again and again, a pause behind each.
    Repeat {
        /// What.
        bytes: Cow<'static, [u8]>,
        /// How often.
        times: u32,
        /// The pause; none if zero.
        pause: Duration,
    },
}

/// What a host does when its acts are over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Answers commands until QUIT.
    Converse(Manner),
    /// Reads and says nothing until the peer goes.
    Hold,
    /// Closes with FIN.
    Close,
    /// Closes with RST.
    Reset,
    /// Does not listen at all: the peer's SYN is answered with RST. No act is ever played.
    Refuse,
}

/// How a host answers commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// As a mail server: the name it gives in its 250, and the lines below it.
    Serving {
        /// What stands behind `250-`.
        name: Box<str>,
        /// Keywords of extensions, one a line (RFC 5321 §4.1.1.1).
        extensions: &'static [&'static str],
    },
    /// Waits for QUIT and refuses all else (RFC 5321 §3.1, after a 554 greeting).
    Refusing,
}

/// A host's whole behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// What it does first.
    pub acts: Vec<Act>,
    /// And then.
    pub end: End,
}

/// What Postfix offers with its settings as packaged.
pub const POSTFIX: &[&str] = &[
    "PIPELINING",
    "SIZE 10240000",
    "VRFY",
    "ETRN",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "DSN",
    "SMTPUTF8",
    "CHUNKING",
];
/// What Exim offers.
pub const EXIM: &[&str] = &["SIZE 52428800", "8BITMIME", "PIPELINING", "PIPECONNECT", "CHUNKING", "HELP"];
/// What Exchange and Microsoft 365 offer.
pub const EXCHANGE: &[&str] =
    &["SIZE 37748736", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING"];
/// What little most others have in common.
pub const PLAIN: &[&str] = &["PIPELINING", "8BITMIME"];

impl Script {
    /// A greeting of one or more lines, CRLF added to the last, and then a conversation under a name.
    pub fn greeting(lines: impl AsRef<[u8]>, name: &str, extensions: &'static [&'static str]) -> Self {
        let mut bytes = lines.as_ref().to_vec();
        bytes.extend_from_slice(b"\r\n");
        Self::raw(bytes, End::Converse(Manner::Serving { name: name.into(), extensions }))
    }

    /// Bytes as they are, and an end.
    pub fn raw(bytes: impl Into<Cow<'static, [u8]>>, end: End) -> Self {
        Self { acts: vec![Act::Send(bytes.into())], end }
    }

    /// No word, and an end.
    pub fn mute(end: End) -> Self {
        Self { acts: Vec::new(), end }
    }

    /// The same with an act before all others.
    #[must_use]
    pub fn after(mut self, act: Act) -> Self {
        self.acts.insert(0, act);
        self
    }
}

/// What a host answers to one command line, and whether the conversation is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Sends and listens on.
    Say(String),
    /// Sends and closes.
    Bye(&'static str),
}

impl Manner {
    /// The answer to one command line, line end or not.
    pub fn answer(&self, line: &[u8]) -> Answer {
        let verb = Verb::of(line);
        match (self, verb) {
            (_, Verb::Quit) => Answer::Bye("221 2.0.0 Bye\r\n"),
            // RFC 5321 §3.1: what waits for QUIT answers 503 to all else.
            (Self::Refusing, _) => Answer::Say("503 5.5.1 Bad sequence of commands\r\n".to_owned()),
            (Self::Serving { name, extensions }, Verb::Ehlo) => Answer::Say(ehlo(name, extensions)),
            (Self::Serving { name, .. }, Verb::Helo) => Answer::Say(format!("250 {name}\r\n")),
            (Self::Serving { .. }, Verb::Noop) => Answer::Say("250 2.0.0 Ok\r\n".to_owned()),
            (Self::Serving { .. }, Verb::Other) => {
                Answer::Say("502 5.5.2 Command not recognized\r\n".to_owned())
            }
        }
    }
}

/// The commands that a polite scanner may send; all others are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// EHLO.
    Ehlo,
    /// HELO.
    Helo,
    /// NOOP, RSET.
    Noop,
    /// QUIT.
    Quit,
    /// Anything else.
    Other,
}

impl Verb {
    /// The command that a line opens with; case does not matter (RFC 5321 §2.4).
    pub fn of(line: &[u8]) -> Self {
        let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        match word.to_ascii_uppercase().as_slice() {
            b"EHLO" => Self::Ehlo,
            b"HELO" => Self::Helo,
            b"NOOP" | b"RSET" => Self::Noop,
            b"QUIT" => Self::Quit,
            _ => Self::Other,
        }
    }
}

fn ehlo(name: &str, extensions: &[&str]) -> String {
    let mut reply = String::new();
    let mut lines = std::iter::once(name).chain(extensions.iter().copied()).peekable();
    while let Some(line) = lines.next() {
        reply.push_str(if lines.peek().is_some() { "250-" } else { "250 " });
        reply.push_str(line);
        reply.push_str("\r\n");
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_answered_as_a_mail_server_does() {
        let manner =
            Manner::Serving { name: "mail.example.org".into(), extensions: &["PIPELINING", "8BITMIME"] };
        for (line, answer) in [
            (
                "EHLO scan.example.net\r\n",
                Answer::Say("250-mail.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n".into()),
            ),
            ("helo scan.example.net\r\n", Answer::Say("250 mail.example.org\r\n".into())),
            ("QUIT\r\n", Answer::Bye("221 2.0.0 Bye\r\n")),
            ("RCPT TO:<a@example.org>\r\n", Answer::Say("502 5.5.2 Command not recognized\r\n".into())),
            ("", Answer::Say("502 5.5.2 Command not recognized\r\n".into())),
        ] {
            assert_eq!(manner.answer(line.as_bytes()), answer, "{line:?}");
        }
    }

    #[test]
    fn a_host_that_refused_waits_for_quit_alone() {
        assert_eq!(Manner::Refusing.answer(b"QUIT\r\n"), Answer::Bye("221 2.0.0 Bye\r\n"));
        let Answer::Say(reply) = Manner::Refusing.answer(b"EHLO a.example\r\n") else { panic!("it closed") };
        assert!(reply.starts_with("503 "), "{reply}");
    }
}
