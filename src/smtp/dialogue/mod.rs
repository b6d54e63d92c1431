//! One conversation with a server, from the connection to the last goodbye, as a machine of values: what was
//! heard and the time go in, what to do next comes out. Knows no socket and no clock; times count from the
//! first SYN.
//!
//! Lock-step throughout: nothing is sent before the last line of a reply has come (a server may refuse those
//! who talk early). A welcome is answered by EHLO if its reply is wanted, a refusal by QUIT alone (RFC 5321
//! §3.1).
//!
//! TLS itself is the owner's: the machine says when ([`Step::Handshake`]) and is told how it went. What is
//! heard between the go-ahead and the handshake was never asked for; it is kept apart and reaches no reply
//! (RFC 3207 §4.2, §6).

mod command;
mod heard;

use std::time::Duration;

use super::ehlo;
use super::reply::{Code, Progress, Reader, Reply};
use super::said::Said;
use command::{Asking, Verb};

pub use command::{Introduction, Purpose};
pub use heard::{Ending, Failure, HangUp, Heard, Opening, Secured, Security};

/// The most octets heard in one conversation: the largest reply and half as much again for the rest.
pub const MAX_HEARD: usize = 96 * 1024;
/// How long after QUIT the 221 and the server's close are waited for: a courtesy, so that the server closes
/// first.
pub const FAREWELL: Duration = Duration::from_secs(2);
/// How much of a text that came in place of a handshake is kept: enough to read two lines of it.
pub const MAX_PLAINTEXT: usize = 512;

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
    /// Shake hands for TLS, then say [`Dialogue::secured`] or [`Dialogue::failed`]. What had come before the
    /// first octet of the handshake is for [`Dialogue::hear`].
    Handshake {
        /// When to call [`Dialogue::tick`].
        until: Duration,
    },
    /// Close; the conversation has ended by itself.
    Close,
    /// Abort with a reset: the peer holds on, and its connection is not to linger on our side.
    Abort,
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
        to: Asking,
        reader: Reader,
        until: Duration,
    },
    Handshake {
        until: Duration,
    },
    /// After QUIT: the 221 and the close are waited for, whatever the words.
    Farewell {
        until: Duration,
    },
    Over(Leave),
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
    /// A conversation over a connection that stands since `connected`; without an introduction it ends with
    /// the greeting.
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
                tls: None,
                truncated: false,
                banner: None,
            },
        }
    }

    /// The same over a connection on which TLS comes first (RFC 8314 §3.3).
    #[must_use]
    pub fn tls_first(mut self) -> Self {
        self.result.tls = Some(Box::new(Secured::new(Opening::First, Security::Begun)));
        self.state = State::Handshake { until: self.greeting_deadline() };
        self
    }

    /// What to do next.
    pub fn step(&self) -> Step<'_> {
        match self.state {
            State::Greeting(_) => Step::Listen { until: self.greeting_deadline() },
            State::Sending { verb, sent, until } => {
                Step::Send { octets: verb.octets(self.introduction).get(sent..).unwrap_or_default(), until }
            }
            State::Reply { until, .. } | State::Farewell { until } => Step::Listen { until },
            State::Handshake { until } => Step::Handshake { until },
            State::Over(Leave::Close) => Step::Close,
            State::Over(Leave::Abort) => Step::Abort,
        }
    }

    /// So many octets of the last [`Step::Send`] are on their way.
    pub fn sent(&mut self, octets: usize) {
        let State::Sending { verb, sent, until } = self.state else { return };
        let sent = sent.saturating_add(octets);
        self.state = match verb {
            _ if sent < verb.octets(self.introduction).len() => State::Sending { verb, sent, until },
            Verb::Ask(to) => State::Reply { to, reader: Reader::default(), until },
            Verb::Quit => State::Farewell { until },
        };
    }

    /// The server said this, cut anywhere. What it says behind the end of a reply answers nothing that was
    /// asked, and is passed over.
    pub fn hear(&mut self, octets: &[u8], now: Duration) {
        self.heard = self.heard.saturating_add(octets.len());
        match &mut self.state {
            State::Greeting(reader) | State::Reply { reader, .. } => match reader.feed(octets) {
                Progress::NeedMore => {}
                Progress::Done { used } => {
                    self.end_reply(Cause::LastLine, now);
                    self.set_aside(octets.get(used..).unwrap_or_default());
                }
                Progress::Limit(_) => self.end_reply(Cause::Limit, now),
            },
            State::Handshake { .. } => self.set_aside(octets),
            State::Sending { .. } | State::Farewell { .. } | State::Over(_) => {}
        }
        if self.heard > MAX_HEARD {
            self.end_reply(Cause::Limit, now);
            self.leave(Leave::Abort);
        }
    }

    /// The handshake was made: all that follows is said and heard inside TLS.
    pub fn secured(&mut self, now: Duration) {
        let State::Handshake { .. } = self.state else { return };
        self.settle(Security::Made);
        if self.result.greeting.is_none() {
            self.state = State::Greeting(Reader::default());
        } else {
            // RFC 3207 §4.2: what was learnt before does not count any more.
            self.say(Verb::Ask(Asking::Ehlo), now);
        }
    }

    /// The handshake failed.
    pub fn failed(&mut self, failure: Failure) {
        let State::Handshake { .. } = self.state else { return };
        self.settle(Security::Failed(failure));
        if self.result.greeting.is_none() {
            self.result.ending = match failure {
                Failure::TimedOut => Ending::Silent,
                Failure::Closed => Ending::Closed,
                Failure::Reset => Ending::Reset,
                Failure::Protocol => Ending::TlsFailed,
            };
        }
        self.leave(if failure == Failure::TimedOut { Leave::Abort } else { Leave::Close });
    }

    /// After the end: it was TLS itself that failed after the handshake, as where a server wants a
    /// certificate of ours and says so only then. Whether nothing had been heard inside, so that there was no
    /// TLS for the server.
    pub fn tls_failed(&mut self) -> bool {
        let Some(tls) = &mut self.result.tls else { return false };
        let heard = match tls.opening {
            Opening::First => self.result.greeting.is_some(),
            Opening::Asked => tls.ehlo.is_some(),
        };
        if heard {
            return false;
        }
        tls.security = Security::Failed(Failure::Protocol);
        if tls.opening == Opening::First {
            self.result.ending = Ending::TlsFailed;
        }
        true
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
            State::Sending { until, .. }
            | State::Reply { until, .. }
            | State::Handshake { until }
            | State::Farewell { until } => until,
            State::Over(_) => return,
        };
        if now >= until {
            self.end_reply(Cause::Time, now);
            self.leave(Leave::Abort);
        }
    }

    /// Whether anything was said in plain since it is TLS's turn.
    pub fn has_plaintext(&self) -> bool {
        self.result.tls.as_ref().is_some_and(|tls| !tls.plaintext.is_empty())
    }

    /// Whether it is settled how the greeting came out.
    pub fn is_settled(&self) -> bool {
        match self.state {
            State::Greeting(_) => false,
            State::Handshake { .. } => self.result.greeting.is_some(),
            State::Sending { .. } | State::Reply { .. } | State::Farewell { .. } | State::Over(_) => true,
        }
    }

    /// When the connection stood.
    pub fn connected(&self) -> Duration {
        self.connected
    }

    /// What was heard.
    pub fn finish(self) -> Heard {
        self.result
    }

    fn greeting_deadline(&self) -> Duration {
        self.connected.saturating_add(self.patience.greeting).min(self.patience.host)
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

    fn settle(&mut self, security: Security) {
        if let Some(tls) = &mut self.result.tls {
            tls.security = security;
        }
    }

    /// Keeps what was said where a handshake is due, away from all replies.
    fn set_aside(&mut self, octets: &[u8]) {
        if let (State::Handshake { .. }, Some(tls)) = (&self.state, &mut self.result.tls) {
            let room = MAX_PLAINTEXT.saturating_sub(tls.plaintext.len());
            tls.plaintext.extend(octets.iter().take(room));
        }
    }

    /// Ends the reply that is being read, or the handshake that is being made.
    fn end_reply(&mut self, cause: Cause, now: Duration) {
        match &mut self.state {
            State::Greeting(reader) => {
                let reader = std::mem::take(reader);
                self.end_greeting(reader, cause, now);
            }
            State::Reply { to, reader, .. } => {
                let (to, reader) = (*to, std::mem::take(reader));
                match to {
                    Asking::Ehlo | Asking::Helo => self.end_introduction(to, reader, cause, now),
                    Asking::StartTls => self.end_starttls(reader, cause, now),
                }
            }
            State::Handshake { .. } => self.failed(cause.failure()),
            State::Sending { verb: Verb::Ask(Asking::StartTls), .. } => {
                self.settle(Security::Failed(cause.failure()));
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
            tls: self.result.tls.take(),
            truncated: greeting.is_some() && (is_overlong || !is_whole),
            banner: (greeting.is_some() && is_whole).then(|| now.saturating_sub(self.connected)),
            greeting,
        };
        match (cause, said) {
            (Cause::LastLine, Said::Welcome) if self.introduction.is_some() => {
                self.say(Verb::Ask(Asking::Ehlo), now);
            }
            (Cause::LastLine, Said::Welcome | Said::Refusal) if has_code => self.say(Verb::Quit, now),
            (Cause::LastLine | Cause::HangUp(_), _) => self.leave(Leave::Close),
            (Cause::Limit | Cause::Time, _) => self.leave(Leave::Abort),
        }
    }

    fn end_introduction(&mut self, to: Asking, reader: Reader, cause: Cause, now: Duration) {
        let reply = reader.finish();
        let code = reply.as_ref().and_then(|reply| reply.code).map(Code::get);
        // Inside TLS after STARTTLS the reply has a place of its own; where TLS came first, there is but one.
        let inside = self.result.tls.as_mut().filter(|tls| tls.opening == Opening::Asked);
        let place = inside.map_or(&mut self.result.ehlo, |tls| &mut tls.ehlo);
        // The reply to EHLO stands where HELO brings none.
        *place = reply.or(place.take());
        let accepted = matches!(code, Some(200..=299));
        let wants_tls = self.introduction.is_some_and(|it| it.purpose == Purpose::Tls);
        match cause {
            // RFC 5321 §3.2: a server that does not know EHLO may know HELO.
            Cause::LastLine if to == Asking::Ehlo && matches!(code, Some(500 | 502 | 504)) => {
                self.say(Verb::Ask(Asking::Helo), now);
            }
            Cause::LastLine if wants_tls && accepted && self.result.tls.is_none() => {
                self.ask_for_tls(to, now);
            }
            Cause::LastLine => self.say(Verb::Quit, now),
            Cause::HangUp(_) => self.leave(Leave::Close),
            Cause::Limit | Cause::Time => self.leave(Leave::Abort),
        }
    }

    fn ask_for_tls(&mut self, after: Asking, now: Duration) {
        let offers = |reply: &Reply| after == Asking::Ehlo && ehlo::offers(reply, "STARTTLS");
        if self.result.ehlo.as_ref().is_some_and(offers) {
            self.result.tls = Some(Box::new(Secured::new(Opening::Asked, Security::Begun)));
            self.say(Verb::Ask(Asking::StartTls), now);
        } else {
            self.result.tls = Some(Box::new(Secured::new(Opening::Asked, Security::NotOffered)));
            self.say(Verb::Quit, now);
        }
    }

    fn end_starttls(&mut self, reader: Reader, cause: Cause, now: Duration) {
        let code = reader.finish().and_then(|reply| reply.code);
        match cause {
            Cause::LastLine if code.map(Code::get) == Some(220) => {
                let until = now.saturating_add(self.patience.greeting).min(self.patience.host);
                self.state = State::Handshake { until };
            }
            Cause::LastLine => {
                self.settle(Security::Refused(code));
                self.say(Verb::Quit, now);
            }
            Cause::Limit | Cause::Time | Cause::HangUp(_) => {
                self.settle(Security::Failed(cause.failure()));
                self.leave(if matches!(cause, Cause::HangUp(_)) { Leave::Close } else { Leave::Abort });
            }
        }
    }
}

impl Cause {
    fn failure(self) -> Failure {
        match self {
            Self::Time => Failure::TimedOut,
            Self::HangUp(how) => how.into(),
            Self::LastLine | Self::Limit => Failure::Protocol,
        }
    }
}

#[cfg(test)]
mod tests;
