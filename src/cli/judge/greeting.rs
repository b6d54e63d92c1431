//! A greeting that somebody wrote down → what a conversation with its server would have shown. It is heard by
//! the very machine that listens to live servers, so that the same text means the same.

use std::time::{Duration, SystemTime};

use crate::evidence::{Observation, Outcome};
use crate::record::{Record, Target};
use crate::smtp::dialogue::{Dialogue, Ending, HangUp, Patience};

/// The port that a greeting is taken to come from.
const PORT: u16 = 25;

/// How a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With a close, as far as anybody knows.
    Closed,
    /// Somebody ran out of patience.
    Waited,
}

/// The record of one line of a list of greetings, of no known address.
pub(super) fn read(line: &[u8], place: String, now: SystemTime) -> Record {
    let target = Target { ip: None, port: PORT, asked: place.into(), inventory: None, unresolved: None };
    super::record(target, hear(&unescape(line), Ended::Closed), now)
}

/// What a server showed that said `bytes`.
pub(super) fn hear(bytes: &[u8], ended: Ended) -> Observation {
    // Nobody measured; any time serves that has not run out.
    let patience = Patience { greeting: Duration::from_secs(1), host: Duration::from_secs(2) };
    let mut dialogue = Dialogue::new(patience, None, Duration::ZERO);
    if !bytes.is_empty() {
        dialogue.hear(bytes, Duration::ZERO);
    }
    if !dialogue.is_settled() {
        match ended {
            Ended::Closed => dialogue.hang_up(HangUp::Closed, Duration::ZERO),
            Ended::Waited => dialogue.tick(patience.greeting),
        }
    }
    let heard = dialogue.finish();
    let outcome = match heard.ending {
        Ending::Said(said) => said.into(),
        Ending::Silent => Outcome::Silent,
        Ending::Closed => Outcome::Closed,
        Ending::Reset => Outcome::Reset,
        Ending::TlsFailed => Outcome::TlsFailed,
    };
    Observation { greeting: heard.greeting, truncated: heard.truncated, ..Observation::bare(outcome, 0) }
}

/// The bytes that `\r`, `\n`, `\xHH` and `\\` stand for. A backslash before anything else stands for itself:
/// lists that were never escaped are common.
fn unescape(line: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, used) = match (first, tail) {
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'\\', ..]) => (b'\\', 2),
            (b'\\', [b'x', high, low, ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, 4),
                _ => (first, 1),
            },
            _ => (first, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    bytes
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_read_and_what_is_none_stays() {
        for (written, bytes) in [
            (&br"220 a\r\n"[..], &b"220 a\r\n"[..]),
            (br"caf\xe9 \xE9", b"caf\xe9 \xe9"),
            (br"a\\r", br"a\r"),
            (br"a\q\", br"a\q\"),
            (br"\x4", br"\x4"),
            (br"\xzz", br"\xzz"),
            (b"\xff", b"\xff"),
            (b"", b""),
        ] {
            assert_eq!(unescape(written), bytes, "{}", String::from_utf8_lossy(written));
        }
    }

    #[test]
    fn what_was_written_down_shows_what_the_wire_would() {
        for (bytes, outcome, truncated) in [
            (&b"220 mail.example.org ESMTP\r\n"[..], Outcome::Greeted, false),
            (b"220 mail.example.org ESMTP", Outcome::Greeted, false),
            (b"220-mail.example.org ESMTP\r\n", Outcome::Greeted, false),
            (b"554 go away", Outcome::Rejected, false),
            (b"SSH-2.0-x\r\n", Outcome::NotSmtp, false),
            (b"\x16\x03", Outcome::NotSmtp, false),
            (b"", Outcome::Closed, false),
        ] {
            let seen = hear(bytes, Ended::Closed);
            assert_eq!((seen.outcome, seen.truncated), (outcome, truncated), "{bytes:?}");
        }
        assert_eq!(hear(b"", Ended::Waited).outcome, Outcome::Silent);
        let cut = hear(b"220-mail.example.org\r\n220-", Ended::Waited);
        assert_eq!((cut.outcome, cut.truncated), (Outcome::Greeted, true));
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn any_line_becomes_a_record(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let record = read(&line, "a line 1".to_owned(), SystemTime::UNIX_EPOCH);
            prop_assert_eq!(record.target.ip, None);
        }

        #[test]
        fn what_records_escape_is_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let escaped = crate::record::escape::escape(&bytes);
            prop_assert_eq!(unescape(escaped.as_bytes()), bytes);
        }
    }
}
