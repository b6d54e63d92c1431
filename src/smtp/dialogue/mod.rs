//! One conversation with a server, from the connection to the last goodbye, as a machine of values: what was heard and
//! the time go in, what to do next comes out. Knows no socket and no clock; times count from the first SYN.
//!
//! Lock-step throughout: nothing is sent before the last line of a reply has come (a server may refuse those who talk
//! early). A welcome is answered by EHLO if its reply is wanted, a refusal by QUIT alone (RFC 5321 §3.1).

use std::time::Duration;

use super::reply::{Code, Progress, Reader, Reply};
use super::said::Said;
use crate::name::HostName;

/// The most octets heard in one conversation: the largest reply and half as much again for the rest.
pub const MAX_HEARD: usize = 96 * 1024;
/// How long after QUIT the 221 and the server's close are waited for: a courtesy, so that the server closes first.
pub const FAREWELL: Duration = Duration::from_secs(2);

const QUIT: &[u8] = b"QUIT\r\n";

/// How we introduce ourselves, where the reply to EHLO is wanted; made once for a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Introduction {
    ehlo: Box<[u8]>,
    helo: Box<[u8]>,
}

impl Introduction {
    /// By this name, our own (RFC 5321 §4.1.1.1; a server may refuse an empty one).
    pub fn new(own_name: &HostName) -> Self {
        let command = |verb: &str| [verb.as_bytes(), own_name.as_str().as_bytes(), b"\r\n"].concat().into();
        Self { ehlo: command("EHLO "), helo: command("HELO ") }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the connection to the greeting's last line; from a command to its reply's.
    pub greeting: Duration,
    /// Absolute, from the first SYN to the end.
    pub host: Duration,
}

/// What to do next. Until that is done or `until` is reached, the machine waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Send these octets.
    Send {
        /// What is left of a command.
        octets: &'a [u8],
        /// When to call [`Dialogue::tick`].
        until: Duration,
    },
    /// Listen.
    Listen {
        /// When to call [`Dialogue::tick`].
        until: Duration,
    },
    /// Close; the conversation has ended by itself.
    Close,
    /// Abort with a reset: the peer holds on, and its connection is not to linger on our side.
    Abort,
}

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
    /// Whether time, a limit or a reset cut the greeting short.
    pub truncated: bool,
    /// From the connection to the greeting's last line, or to the close that ended it.
    pub banner: Option<Duration>,
}

/// The machine.
#[derive(Debug)]
pub struct Dialogue<'a> {
    patience: Patience,
    introduction: Option<&'a Introduction>,
    connected: Duration,
    heard: usize,
    state: State,
    result: Heard,
}

#[derive(Debug)]
enum State {
    Greeting(Reader),
    Sending {
        verb: Verb,
        sent: usize,
        until: Duration,
    },
    Reply {
        verb: Introducing,
        reader: Reader,
        until: Duration,
    },
    /// After QUIT: the 221 and the close are waited for, whatever the words.
    Farewell {
        until: Duration,
    },
    Over(Leave),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Introduce(Introducing),
    Quit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Introducing {
    Ehlo,
    Helo,
}

#[derive(Debug, Clone, Copy)]
enum Leave {
    Close,
    Abort,
}

/// What ended a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    LastLine,
    Limit,
    Time,
    HangUp(HangUp),
}

impl<'a> Dialogue<'a> {
    /// A conversation over a connection that stands since `connected`; without an introduction it ends with the
    /// greeting.
    pub fn new(patience: Patience, introduction: Option<&'a Introduction>, connected: Duration) -> Self {
        Self {
            patience,
            introduction,
            connected,
            heard: 0,
            state: State::Greeting(Reader::default()),
            result: Heard {
                ending: Ending::Silent,
                greeting: None,
                ehlo: None,
                truncated: false,
                banner: None,
            },
        }
    }

    /// What to do next.
    pub fn step(&self) -> Step<'_> {
        match self.state {
            State::Greeting(_) => Step::Listen { until: self.greeting_deadline() },
            State::Sending { verb, sent, until } => {
                Step::Send { octets: self.command(verb).get(sent..).unwrap_or_default(), until }
            }
            State::Reply { until, .. } | State::Farewell { until } => Step::Listen { until },
            State::Over(Leave::Close) => Step::Close,
            State::Over(Leave::Abort) => Step::Abort,
        }
    }

    /// So many octets of the last [`Step::Send`] are on their way.
    pub fn sent(&mut self, octets: usize) {
        let State::Sending { verb, sent, until } = self.state else { return };
        let sent = sent.saturating_add(octets);
        self.state = match verb {
            _ if sent < self.command(verb).len() => State::Sending { verb, sent, until },
            Verb::Introduce(verb) => State::Reply { verb, reader: Reader::default(), until },
            Verb::Quit => State::Farewell { until },
        };
    }

    /// The server said this, cut anywhere. What it says behind the end of a reply answers nothing that was asked, and
    /// is passed over.
    pub fn hear(&mut self, octets: &[u8], now: Duration) {
        self.heard = self.heard.saturating_add(octets.len());
        if let State::Greeting(reader) | State::Reply { reader, .. } = &mut self.state {
            match reader.feed(octets) {
                Progress::NeedMore => {}
                Progress::Done { .. } => self.end_reply(Cause::LastLine, now),
                Progress::Limit(_) => self.end_reply(Cause::Limit, now),
            }
        }
        if self.heard > MAX_HEARD {
            self.end_reply(Cause::Limit, now);
            self.leave(Leave::Abort);
        }
    }

    /// The other side ended the connection.
    pub fn hang_up(&mut self, how: HangUp, now: Duration) {
        self.end_reply(Cause::HangUp(how), now);
        self.leave(Leave::Close);
    }

    /// Time has passed; nothing happens before the time that [`Dialogue::step`] named.
    pub fn tick(&mut self, now: Duration) {
        let until = match self.state {
            State::Greeting(_) => self.greeting_deadline(),
            State::Sending { until, .. } | State::Reply { until, .. } | State::Farewell { until } => until,
            State::Over(_) => return,
        };
        if now >= until {
            self.end_reply(Cause::Time, now);
            self.leave(Leave::Abort);
        }
    }

    /// Whether it is settled how the greeting came out.
    pub fn is_settled(&self) -> bool {
        !matches!(self.state, State::Greeting(_))
    }

    /// What was heard.
    pub fn finish(self) -> Heard {
        self.result
    }

    fn greeting_deadline(&self) -> Duration {
        self.connected.saturating_add(self.patience.greeting).min(self.patience.host)
    }

    fn command(&self, verb: Verb) -> &'a [u8] {
        match (verb, self.introduction) {
            (Verb::Introduce(Introducing::Ehlo), Some(introduction)) => &introduction.ehlo,
            (Verb::Introduce(Introducing::Helo), Some(introduction)) => &introduction.helo,
            (Verb::Quit, _) | (_, None) => QUIT,
        }
    }

    fn say(&mut self, verb: Verb, now: Duration) {
        let patience = if verb == Verb::Quit { FAREWELL } else { self.patience.greeting };
        self.state =
            State::Sending { verb, sent: 0, until: now.saturating_add(patience).min(self.patience.host) };
    }

    fn leave(&mut self, leave: Leave) {
        if !matches!(self.state, State::Over(_)) {
            self.state = State::Over(leave);
        }
    }

    /// Ends the reply that is being read, if one is.
    fn end_reply(&mut self, cause: Cause, now: Duration) {
        match &mut self.state {
            State::Greeting(reader) => {
                let reader = std::mem::take(reader);
                self.end_greeting(reader, cause, now);
            }
            State::Reply { verb, reader, .. } => {
                let (verb, reader) = (*verb, std::mem::take(reader));
                self.end_introduction(verb, reader, cause, now);
            }
            State::Sending { .. } | State::Farewell { .. } | State::Over(_) => {}
        }
    }

    fn end_greeting(&mut self, reader: Reader, cause: Cause, now: Duration) {
        let has_line = reader.lines() > 0;
        let is_overlong = reader.is_overlong();
        let greeting = reader.finish();
        let said = greeting.as_ref().map_or(Said::NotSmtp, Said::of);
        let has_code = greeting.as_ref().is_some_and(|greeting| greeting.code.is_some());
        let is_whole = matches!(cause, Cause::LastLine | Cause::HangUp(HangUp::Closed));
        self.result = Heard {
            ending: match cause {
                Cause::Time if !has_line => Ending::Silent,
                Cause::HangUp(HangUp::Reset) if !has_line => Ending::Reset,
                Cause::HangUp(HangUp::Closed) if greeting.is_none() => Ending::Closed,
                _ => Ending::Said(said),
            },
            ehlo: None,
            truncated: greeting.is_some() && (is_overlong || !is_whole),
            banner: (greeting.is_some() && is_whole).then(|| now.saturating_sub(self.connected)),
            greeting,
        };
        match (cause, said) {
            (Cause::LastLine, Said::Welcome) if self.introduction.is_some() => {
                self.say(Verb::Introduce(Introducing::Ehlo), now);
            }
            (Cause::LastLine, Said::Welcome | Said::Refusal) if has_code => self.say(Verb::Quit, now),
            (Cause::LastLine | Cause::HangUp(_), _) => self.leave(Leave::Close),
            (Cause::Limit | Cause::Time, _) => self.leave(Leave::Abort),
        }
    }

    fn end_introduction(&mut self, verb: Introducing, reader: Reader, cause: Cause, now: Duration) {
        let reply = reader.finish();
        let code = reply.as_ref().and_then(|reply| reply.code).map(Code::get);
        // The reply to EHLO stands where HELO brings none.
        self.result.ehlo = reply.or(self.result.ehlo.take());
        match cause {
            // RFC 5321 §3.2: a server that does not know EHLO may know HELO.
            Cause::LastLine if verb == Introducing::Ehlo && matches!(code, Some(500 | 502 | 504)) => {
                self.say(Verb::Introduce(Introducing::Helo), now);
            }
            Cause::LastLine => self.say(Verb::Quit, now),
            Cause::HangUp(_) => self.leave(Leave::Close),
            Cause::Limit | Cause::Time => self.leave(Leave::Abort),
        }
    }
}

#[cfg(test)]
mod tests;
