//! One conversation with a server, from the connection to the last goodbye, as a machine of values: what was heard and
//! the time go in, what to do next comes out. Knows no socket and no clock; times count from the first SYN.
//!
//! Lock-step throughout: nothing is sent before the greeting's last line has come (a server may refuse those who talk
//! early), and nothing but QUIT where nothing is to be asked (RFC 5321 §3.1: a client that met a 554 sends QUIT too).

use std::time::Duration;

use super::reply::{Progress, Reader, Reply};
use super::said::Said;

/// The most octets heard in one conversation: the largest reply and half as much again for the rest.
pub const MAX_HEARD: usize = 96 * 1024;
/// How long after QUIT the 221 and the server's close are waited for: a courtesy, so that the server closes first.
pub const FAREWELL: Duration = Duration::from_secs(2);

const QUIT: &[u8] = b"QUIT\r\n";

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the connection to the greeting's last line.
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
    /// Whether time, a limit or a reset cut it short.
    pub truncated: bool,
    /// From the connection to the greeting's last line, or to the close that ended it.
    pub banner: Option<Duration>,
}

/// The machine.
#[derive(Debug)]
pub struct Dialogue {
    patience: Patience,
    connected: Duration,
    heard: usize,
    state: State,
    result: Heard,
}

#[derive(Debug)]
enum State {
    Greeting(Reader),
    Goodbye { sent: usize, until: Duration },
    Over(Leave),
}

#[derive(Debug, Clone, Copy)]
enum Leave {
    Close,
    Abort,
}

/// What ended the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    LastLine,
    Limit,
    Time,
    HangUp(HangUp),
}

impl Dialogue {
    /// A conversation over a connection that stands since `connected`.
    pub fn new(patience: Patience, connected: Duration) -> Self {
        Self {
            patience,
            connected,
            heard: 0,
            state: State::Greeting(Reader::default()),
            result: Heard { ending: Ending::Silent, greeting: None, truncated: false, banner: None },
        }
    }

    /// What to do next.
    pub fn step(&self) -> Step<'_> {
        match self.state {
            State::Greeting(_) => Step::Listen { until: self.greeting_deadline() },
            State::Goodbye { sent, until } if sent < QUIT.len() => {
                Step::Send { octets: &QUIT[sent..], until }
            }
            State::Goodbye { until, .. } => Step::Listen { until },
            State::Over(Leave::Close) => Step::Close,
            State::Over(Leave::Abort) => Step::Abort,
        }
    }

    /// So many octets of the last [`Step::Send`] are on their way.
    pub fn sent(&mut self, octets: usize) {
        if let State::Goodbye { sent, .. } = &mut self.state {
            *sent = (*sent + octets).min(QUIT.len());
        }
    }

    /// The server said this, cut anywhere.
    pub fn hear(&mut self, octets: &[u8], now: Duration) {
        self.heard = self.heard.saturating_add(octets.len());
        if let State::Greeting(reader) = &mut self.state {
            match reader.feed(octets) {
                Progress::NeedMore => {}
                Progress::Done { .. } => self.end_greeting(Cause::LastLine, now),
                Progress::Limit(_) => self.end_greeting(Cause::Limit, now),
            }
        }
        if self.heard > MAX_HEARD {
            self.leave(Leave::Abort);
        }
    }

    /// The other side ended the connection.
    pub fn hang_up(&mut self, how: HangUp, now: Duration) {
        self.end_greeting(Cause::HangUp(how), now);
        self.leave(Leave::Close);
    }

    /// Time has passed; nothing happens before the time that [`Dialogue::step`] named.
    pub fn tick(&mut self, now: Duration) {
        match self.state {
            State::Greeting(_) if now >= self.greeting_deadline() => self.end_greeting(Cause::Time, now),
            State::Goodbye { until, .. } if now >= until => self.leave(Leave::Abort),
            _ => {}
        }
    }

    /// Whether it is settled how the greeting came out; what follows is courtesy.
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

    fn leave(&mut self, leave: Leave) {
        if !matches!(self.state, State::Over(_)) {
            self.state = State::Over(leave);
        }
    }

    fn end_greeting(&mut self, cause: Cause, now: Duration) {
        let State::Greeting(reader) = &mut self.state else { return };
        let reader = std::mem::take(reader);
        let has_line = reader.lines() > 0;
        let is_overlong = reader.is_overlong();
        let greeting = reader.finish();
        let said = greeting.as_ref().map_or(Said::NotSmtp, Said::of);
        let is_whole = matches!(cause, Cause::LastLine | Cause::HangUp(HangUp::Closed));
        self.result = Heard {
            ending: match cause {
                Cause::Time if !has_line => Ending::Silent,
                Cause::HangUp(HangUp::Reset) if !has_line => Ending::Reset,
                Cause::HangUp(HangUp::Closed) if greeting.is_none() => Ending::Closed,
                _ => Ending::Said(said),
            },
            truncated: greeting.is_some() && (is_overlong || !is_whole),
            banner: (greeting.is_some() && is_whole).then(|| now.saturating_sub(self.connected)),
            greeting,
        };
        let speaks_smtp =
            said != Said::NotSmtp && self.result.greeting.as_ref().is_some_and(|g| g.code.is_some());
        self.state = match cause {
            Cause::LastLine if speaks_smtp => {
                State::Goodbye { sent: 0, until: now.saturating_add(FAREWELL).min(self.patience.host) }
            }
            Cause::LastLine | Cause::HangUp(_) => State::Over(Leave::Close),
            Cause::Limit | Cause::Time => State::Over(Leave::Abort),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn dialogue() -> Dialogue {
        Dialogue::new(Patience { greeting: s(45), host: s(90) }, s(1))
    }

    #[test]
    fn a_polite_conversation_sends_quit_after_the_last_line_and_waits_for_the_close() {
        let mut dialogue = dialogue();
        assert_eq!(dialogue.step(), Step::Listen { until: s(46) });
        dialogue.hear(b"220-mail.example.org\r\n220 rea", s(2));
        assert_eq!(dialogue.step(), Step::Listen { until: s(46) }, "a teaser is no reason to talk");
        dialogue.hear(b"dy\r\n", s(8));
        assert_eq!(dialogue.step(), Step::Send { octets: b"QUIT\r\n", until: s(10) });
        dialogue.sent(2);
        assert_eq!(dialogue.step(), Step::Send { octets: b"IT\r\n", until: s(10) });
        dialogue.sent(4);
        assert_eq!(dialogue.step(), Step::Listen { until: s(10) });
        dialogue.hear(b"221 bye\r\n", s(8));
        assert_eq!(dialogue.step(), Step::Listen { until: s(10) }, "the server closes first");
        dialogue.hang_up(HangUp::Closed, s(9));
        assert_eq!(dialogue.step(), Step::Close);
        let heard = dialogue.finish();
        assert_eq!(heard.ending, Ending::Said(Said::Welcome));
        assert_eq!((heard.truncated, heard.banner), (false, Some(s(7))));
        assert_eq!(heard.greeting.unwrap().text.len(), 2);
    }

    #[test]
    fn a_server_that_does_not_close_is_left_after_two_seconds() {
        let mut dialogue = dialogue();
        dialogue.hear(b"220 a\r\n", s(3));
        dialogue.sent(6);
        dialogue.tick(Duration::from_millis(4999));
        assert_eq!(dialogue.step(), Step::Listen { until: s(5) });
        dialogue.tick(s(5));
        assert_eq!(dialogue.step(), Step::Abort);
        assert_eq!(dialogue.finish().ending, Ending::Said(Said::Welcome));
    }

    #[test]
    fn the_host_deadline_bounds_every_wait() {
        let mut late = Dialogue::new(Patience { greeting: s(45), host: s(20) }, s(1));
        assert_eq!(late.step(), Step::Listen { until: s(20) });
        late.hear(b"220 a\r\n", s(19));
        assert_eq!(late.step(), Step::Send { octets: QUIT, until: s(20) });
        late.tick(s(20));
        assert_eq!(late.step(), Step::Abort);
        let endless = Dialogue::new(Patience { greeting: Duration::MAX, host: Duration::MAX }, s(1));
        assert_eq!(endless.step(), Step::Listen { until: Duration::MAX });
    }

    /// What happens after the bytes of a row.
    #[derive(Debug, Clone, Copy)]
    enum Then {
        Nothing,
        Time,
        Closed,
        Reset,
    }

    #[test]
    fn each_way_to_end_a_greeting_has_its_ending() {
        use Ending::{Closed, Reset, Silent};
        let long = vec![b'x'; 70_000];
        let said = Ending::Said;
        for (bytes, then, ending, truncated, has_greeting) in [
            (&b""[..], Then::Time, Silent, false, false),
            (b"\r\n", Then::Time, Silent, false, false),
            (b"220 mail.exam", Then::Time, Silent, true, true),
            (b"220-mail.example.org\r\n", Then::Time, said(Said::Welcome), true, true),
            (b"554-no\r\n554 bec", Then::Time, said(Said::Refusal), true, true),
            (b"", Then::Closed, Closed, false, false),
            (b"\r\n", Then::Closed, Closed, false, false),
            (b"220 mail.exam", Then::Closed, said(Said::Welcome), false, true),
            (b"220-mail.example.org\r\n", Then::Closed, said(Said::Welcome), false, true),
            (b"421", Then::Closed, said(Said::Refusal), false, true),
            (b"22", Then::Closed, said(Said::NotSmtp), false, true),
            (b"5.7.1 no", Then::Closed, said(Said::Refusal), false, true),
            (b"", Then::Reset, Reset, false, false),
            (b"220 mail.exam", Then::Reset, Reset, true, true),
            (b"220-mail.example.org\r\n", Then::Reset, said(Said::Welcome), true, true),
            (b"SSH-2.0-x\r\n", Then::Nothing, said(Said::NotSmtp), false, true),
            (b"700 what\r\n", Then::Nothing, said(Said::NotSmtp), false, true),
            (b"mail refused: blacklisted\r\n", Then::Nothing, said(Said::Refusal), false, true),
            (&long, Then::Nothing, said(Said::NotSmtp), true, true),
        ] {
            let mut dialogue = dialogue();
            dialogue.hear(bytes, s(2));
            match then {
                Then::Nothing => {}
                Then::Time => dialogue.tick(s(46)),
                Then::Closed => dialogue.hang_up(HangUp::Closed, s(3)),
                Then::Reset => dialogue.hang_up(HangUp::Reset, s(3)),
            }
            let row = bytes.escape_ascii().to_string().chars().take(40).collect::<String>();
            let left = match then {
                Then::Time => Step::Abort,
                Then::Nothing if bytes.len() > 60_000 => Step::Abort,
                _ => Step::Close,
            };
            assert_eq!(dialogue.step(), left, "{row} {then:?}: QUIT is for whole greetings with a code");
            let heard = dialogue.finish();
            assert_eq!((heard.ending, heard.truncated), (ending, truncated), "{row} {then:?}");
            assert_eq!(heard.greeting.is_some(), has_greeting, "{row} {then:?}");
        }
    }

    #[test]
    fn refusals_are_left_with_quit_too() {
        for greeting in [&b"421 busy\r\n"[..], b"554 no\r\n", b"220\r\n", b"220 ****\r\n"] {
            let mut dialogue = dialogue();
            dialogue.hear(greeting, s(2));
            assert!(
                matches!(dialogue.step(), Step::Send { octets: QUIT, .. }),
                "{}",
                greeting.escape_ascii()
            );
            dialogue.hang_up(HangUp::Reset, s(2));
            assert_eq!(dialogue.step(), Step::Close);
            assert!(
                matches!(dialogue.finish().ending, Ending::Said(_)),
                "a reset after the greeting changes nothing"
            );
        }
    }

    #[test]
    fn a_host_that_talks_on_is_left_when_it_has_said_enough() {
        let mut dialogue = dialogue();
        dialogue.hear(b"220 a\r\n", s(2));
        dialogue.sent(6);
        let mut heard = 7;
        while dialogue.step() != Step::Abort {
            dialogue.hear(&[b'x'; 1000], s(2));
            heard += 1000;
            assert!(heard <= MAX_HEARD + 1000);
        }
        assert!(heard > MAX_HEARD);
        assert_eq!(dialogue.finish().greeting.unwrap().text.first(), b"a");
    }

    #[test]
    fn a_waiting_conversation_is_small() {
        assert!(size_of::<Dialogue>() <= 320, "{} octets", size_of::<Dialogue>());
    }

    proptest! {
        #[test]
        fn nothing_is_sent_before_the_greeting_is_whole(
            parts in prop::collection::vec(prop::sample::select(vec![
                &b"220-"[..], b"220 ", b"x", b"\r\n", b"\n", b"554", b"-", b"\0",
            ]), 0..40),
        ) {
            let mut dialogue = dialogue();
            let mut fed = Vec::new();
            for part in parts {
                dialogue.hear(part, s(2));
                fed.extend_from_slice(part);
                if matches!(dialogue.step(), Step::Send { .. }) {
                    let whole = matches!(Reader::default().feed(&fed), Progress::Done { .. });
                    prop_assert!(whole, "{}", fed.escape_ascii());
                }
            }
        }

        #[test]
        fn whatever_happens_the_conversation_ends_by_its_deadline(
            events in prop::collection::vec((0u8..4, prop::collection::vec(any::<u8>(), 0..30)), 0..30),
        ) {
            let mut dialogue = dialogue();
            for (kind, bytes) in events {
                match kind {
                    0 => dialogue.hear(&bytes, s(2)),
                    1 => dialogue.sent(bytes.len()),
                    2 => dialogue.tick(s(3)),
                    _ => dialogue.hear(b"220 a\r\n", s(2)),
                }
            }
            for _ in 0..3 {
                match dialogue.step() {
                    Step::Send { until, .. } | Step::Listen { until } => {
                        prop_assert!(until <= s(90));
                        dialogue.tick(until);
                    }
                    Step::Close | Step::Abort => break,
                }
            }
            prop_assert!(matches!(dialogue.step(), Step::Close | Step::Abort));
        }
    }
}
