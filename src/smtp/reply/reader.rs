//! A reply read from bytes that arrive cut anywhere: bounded, and the same whatever the cuts. Decides where a
//! reply ends, never what it means.
//!
//! A line ends with a line feed, a carriage return before it belongs to the end. Three digits that no fourth
//! follows are a code; a hyphen behind them says that lines follow (RFC 5321 §4.2.1), all else that this was
//! the last one.
//!
//! ```
//! use banneret::smtp::reply::{Progress, Reader};
//! let mut reader = Reader::default();
//! assert_eq!(reader.feed(b"220-mail.exam"), Progress::NeedMore);
//! assert_eq!(reader.feed(b"ple.org ESMTP\r\n220 at your service\r\nmore"), Progress::Done { used: 36 });
//! let reply = reader.finish().unwrap();
//! assert_eq!(reply.code.map(|code| code.get()), Some(220));
//! assert_eq!(reply.text.first(), b"mail.example.org ESMTP");
//! ```

use super::{Code, Reply, Text};

/// The longest line that is kept, in octets: four times what RFC 5321 §4.5.3.1.5 allows, for banners that
/// hold more. Of a longer line the front is kept and the rest read past.
pub const MAX_LINE: usize = 2048;
/// The longest reply that is read, in octets: [`MAX_LINES`] lines of the 512 octets of RFC 5321 §4.5.3.1.5.
pub const MAX_REPLY: usize = 64 * 1024;
/// The most lines of a reply: the longest greetings and EHLO replies seen in the field have about thirty.
pub const MAX_LINES: usize = 128;

/// Which limit a reply ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`MAX_REPLY`].
    Octets,
    /// [`MAX_LINES`].
    Lines,
}

/// How far the reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The reply goes on.
    NeedMore,
    /// The reply is whole; `used` octets of the bytes just fed belong to it, none if it was whole before.
    Done {
        /// How many octets of the last bytes.
        used: usize,
    },
    /// The reply is over-long; nothing more of it is read.
    Limit(Limit),
}

/// Reads one reply.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    code: Option<Code>,
    text: Text,
    /// The front of a line whose end has not come, at most [`MAX_LINE`] octets; no allocation while lines
    /// come whole.
    pending: Vec<u8>,
    /// Octets of that line so far, kept or not.
    pending_seen: usize,
    /// Its last octet: a carriage return counts only when no line feed follows.
    pending_last: u8,
    /// Octets read of the whole reply.
    read: usize,
    overlong: bool,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Done,
    Limit(Limit),
}

impl Reader {
    /// Reads on. After the end it takes nothing more and says the same again.
    pub fn feed(&mut self, bytes: &[u8]) -> Progress {
        let mut used = 0;
        while self.end.is_none() {
            let allowed = (bytes.len() - used).min(MAX_REPLY - self.read);
            if allowed == 0 {
                return Progress::NeedMore;
            }
            let front = &bytes[used..used + allowed];
            let line_end = front.iter().position(|&b| b == b'\n');
            let taken = line_end.map_or(allowed, |at| at + 1);
            used += taken;
            self.read += taken;
            match line_end {
                Some(at) => self.end_line(&front[..at]),
                None => self.keep(front),
            }
            if self.end.is_none() && self.read == MAX_REPLY {
                self.end = Some(End::Limit(Limit::Octets));
            }
        }
        match self.end {
            Some(End::Limit(limit)) => Progress::Limit(limit),
            _ => Progress::Done { used },
        }
    }

    /// How many lines are whole.
    pub fn lines(&self) -> usize {
        self.text.len()
    }

    /// Whether a line was longer than what is kept of it.
    pub fn is_overlong(&self) -> bool {
        self.overlong
    }

    /// Whether nothing came that a reply could hold: no octet, or line ends alone.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && matches!(self.pending.as_slice(), [] | [b'\r'])
    }

    /// The reply, or what there is of it, the front of an unfinished line included; `None` if nothing came.
    pub fn finish(mut self) -> Option<Reply> {
        if !matches!(self.pending.as_slice(), [] | [b'\r']) {
            self.end_line(&[]);
        }
        (!self.text.is_empty()).then_some(Reply { code: self.code, text: self.text })
    }

    /// Keeps the front of a line for later.
    fn keep(&mut self, part: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.pending.len());
        self.pending.extend_from_slice(&part[..part.len().min(room)]);
        self.pending_seen += part.len();
        self.pending_last = part.last().copied().unwrap_or(self.pending_last);
    }

    /// Takes a line whose last part is `tail`, without its line feed.
    fn end_line(&mut self, tail: &[u8]) {
        if self.pending_seen == 0 {
            let line = tail.strip_suffix(b"\r").unwrap_or(tail);
            self.overlong |= line.len() > MAX_LINE;
            self.take_line(&line[..line.len().min(MAX_LINE)]);
            return;
        }
        self.keep(tail);
        let mut line = std::mem::take(&mut self.pending);
        let length = self.pending_seen - usize::from(self.pending_last == b'\r');
        line.truncate(length);
        self.overlong |= length > MAX_LINE;
        self.pending_seen = 0;
        self.take_line(&line);
    }

    fn take_line(&mut self, line: &[u8]) {
        // Some hosts open with an empty line; it says nothing, and what follows is the greeting.
        if self.text.is_empty() && line.is_empty() {
            return;
        }
        let Line { code, text, place } = Line::read(line);
        let first = self.text.is_empty();
        if first {
            self.code = code;
        }
        self.text.push(text);
        let last = match place {
            Place::Last => true,
            Place::MoreFollow => false,
            // Without a code a reply has no lines that could follow; in the midst of one it is stray text.
            Place::Unknown => first,
        };
        if last {
            self.end = Some(End::Done);
        } else if self.text.len() == MAX_LINES {
            self.end = Some(End::Limit(Limit::Lines));
        }
    }
}

/// One line taken apart.
struct Line<'a> {
    code: Option<Code>,
    text: &'a [u8],
    place: Place,
}

enum Place {
    MoreFollow,
    Last,
    Unknown,
}

impl<'a> Line<'a> {
    fn read(line: &'a [u8]) -> Self {
        let stray = Self { code: None, text: line, place: Place::Unknown };
        let Some((digits, rest)) = line.split_first_chunk::<3>() else { return stray };
        if !digits.iter().all(u8::is_ascii_digit) {
            return stray;
        }
        let code = Code::new(digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0')));
        match rest {
            [b'0'..=b'9', ..] => stray,
            [b'-', text @ ..] => Self { code, text, place: Place::MoreFollow },
            [b' ', text @ ..] | text => Self { code, text, place: Place::Last },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Read = (Option<u16>, Vec<String>);

    fn read(bytes: &[u8]) -> (Progress, Option<Read>) {
        let mut reader = Reader::default();
        let progress = reader.feed(bytes);
        let said = reader.finish().map(|reply| {
            let lines = reply.text.lines().map(|line| line.escape_ascii().to_string());
            (reply.code.map(Code::get), lines.collect())
        });
        (progress, said)
    }

    #[test]
    fn whole_replies_end_where_their_last_line_ends() {
        for (bytes, code, lines) in [
            ("220 mail.example.org ESMTP\r\n", Some(220), &["mail.example.org ESMTP"][..]),
            ("220 bare line feed\n", Some(220), &["bare line feed"]),
            ("220\r\n", Some(220), &[""]),
            ("220 \r\n", Some(220), &[""]),
            ("220-a\r\n220-b\n220 c\r\n", Some(220), &["a", "b", "c"]),
            ("220-\r\n220\r\n", Some(220), &["", ""]),
            ("220-a\r\n221 another code\r\n", Some(220), &["a", "another code"]),
            ("220-a\r\nstray\r\n\r\n220 c\r\n", Some(220), &["a", "stray", "", "c"]),
            (
                "220-a\r\n22 stray\r\n2200 stray\r\n220 c\r\n",
                Some(220),
                &["a", "22 stray", "2200 stray", "c"],
            ),
            ("554-5.7.1 no\r\n554 5.7.1 never\r\n", Some(554), &["5.7.1 no", "5.7.1 never"]),
            ("220mail.example.org\r\n", Some(220), &["mail.example.org"]),
            ("220\tmail.example.org\r\n", Some(220), &["\\tmail.example.org"]),
            ("220 lone\rreturn\r\n", Some(220), &["lone\\rreturn"]),
            ("220 two returns\r\r\n", Some(220), &["two returns\\r"]),
            ("\r\n\n220 after empty lines\r\n", Some(220), &["after empty lines"]),
            ("000 zeros\r\n", Some(0), &["zeros"]),
            ("SSH-2.0-example\r\n", None, &["SSH-2.0-example"]),
            ("2200 four digits\r\n", None, &["2200 four digits"]),
            ("22012345678901234567 twenty\r\n", None, &["22012345678901234567 twenty"]),
            ("22 two digits\r\n", None, &["22 two digits"]),
            (" 220 a space first\r\n", None, &[" 220 a space first"]),
            ("\u{662}\u{662}\u{660} other digits\n", None, &["\\xd9\\xa2\\xd9\\xa2\\xd9\\xa0 other digits"]),
            ("220 \0\u{1b}[2J\u{ff}\r\n", Some(220), &["\\x00\\x1b[2J\\xc3\\xbf"]),
        ] {
            let (progress, said) = read(bytes.as_bytes());
            assert_eq!(progress, Progress::Done { used: bytes.len() }, "{bytes:?}");
            assert_eq!(said, Some((code, lines.iter().map(ToString::to_string).collect())), "{bytes:?}");
        }
    }

    #[test]
    fn unfinished_replies_ask_for_more_and_keep_what_came() {
        for (bytes, said) in [
            ("", None),
            ("\r\n", None),
            ("\r", None),
            ("2", Some((None, &["2"][..]))),
            ("220", Some((Some(220), &[""]))),
            ("220 mail.example.org", Some((Some(220), &["mail.example.org"]))),
            ("220 mail.example.org\r", Some((Some(220), &["mail.example.org"]))),
            ("220-a\r\n", Some((Some(220), &["a"]))),
            ("220-a\r\n\r", Some((Some(220), &["a"]))),
            ("220-a\r\n22", Some((Some(220), &["a", "22"]))),
            ("garbage", Some((None, &["garbage"]))),
        ] {
            let expected = said.map(|(code, lines)| (code, lines.iter().map(ToString::to_string).collect()));
            assert_eq!(read(bytes.as_bytes()), (Progress::NeedMore, expected), "{bytes:?}");
        }
    }

    #[test]
    fn bytes_behind_the_end_are_left_alone() {
        let mut reader = Reader::default();
        assert_eq!(reader.feed(b"220 a\r\n250 b\r\n"), Progress::Done { used: 7 });
        assert_eq!(reader.feed(b"250 b\r\n"), Progress::Done { used: 0 });
        assert_eq!(reader.finish().unwrap().text, Text::from_iter(["a"]));
    }

    #[test]
    fn a_line_is_kept_up_to_its_limit_and_read_to_its_end() {
        for (length, end, overlong) in [
            (MAX_LINE, "\r\n", false),
            (MAX_LINE, "\n", false),
            (MAX_LINE + 1, "\r\n", true),
            (MAX_LINE + 1, "\n", true),
            (MAX_REPLY - 2, "\r\n", true),
        ] {
            let line = format!("220 {}{end}", "x".repeat(length - 4));
            for cut in [1, 7, MAX_LINE, MAX_REPLY] {
                let mut reader = Reader::default();
                let last = line.as_bytes().chunks(cut).map(|part| reader.feed(part)).last();
                assert!(matches!(last, Some(Progress::Done { .. })), "{length} {cut}");
                assert_eq!(reader.is_overlong(), overlong, "{length} {cut}");
                assert_eq!(reader.finish().unwrap().text.first().len(), length.min(MAX_LINE) - 4);
            }
        }
    }

    #[test]
    fn endless_replies_end_at_a_limit() {
        let mut reader = Reader::default();
        assert_eq!(reader.feed(&vec![b'x'; MAX_REPLY - 1]), Progress::NeedMore);
        assert_eq!(reader.feed(b"xx"), Progress::Limit(Limit::Octets));
        assert_eq!(reader.lines(), 0);
        assert_eq!(reader.finish().unwrap().text.first().len(), MAX_LINE);

        let mut reader = Reader::default();
        for _ in 1..MAX_LINES {
            assert_eq!(reader.feed(b"220-x\r\n"), Progress::NeedMore);
        }
        assert_eq!(reader.feed(b"220-x\r\n220 y\r\n"), Progress::Limit(Limit::Lines));
        assert_eq!(reader.finish().unwrap().text.len(), MAX_LINES);

        let mut reader = Reader::default();
        assert_eq!(reader.feed("\r\n".repeat(MAX_REPLY).as_bytes()), Progress::Limit(Limit::Octets));
        assert_eq!(reader.finish(), None);
    }

    #[test]
    fn the_last_octet_that_is_allowed_may_end_the_reply() {
        let mut bytes = vec![b'x'; MAX_REPLY];
        bytes[MAX_REPLY - 1] = b'\n';
        assert_eq!(Reader::default().feed(&bytes), Progress::Done { used: MAX_REPLY });
    }

    /// Bytes that are likely to hold codes, separators and line ends.
    fn talk() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec![&b"220-"[..], b"220 ", b"554", b"\r\n", b"\n", b"\r", b"-", b" ", b"1"])
                .prop_map(<[u8]>::to_vec),
            2 => prop::collection::vec(any::<u8>(), 0..20),
            1 => (any::<u8>(), MAX_LINE - 8..MAX_LINE + 8).prop_map(|(byte, length)| vec![byte; length]),
        ];
        prop::collection::vec(piece, 0..300).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(crate::property_tests::cases(200))]

        #[test]
        fn a_reply_is_the_same_however_its_bytes_are_cut(bytes in talk(), cuts in prop::collection::vec(1usize..400, 1..40)) {
            let mut whole = Reader::default();
            let progress = whole.feed(&bytes);
            let mut parts = Reader::default();
            let (mut at, mut used, mut last) = (0, 0, parts.feed(b""));
            for cut in cuts.iter().cycle() {
                if at == bytes.len() {
                    break;
                }
                let end = (at + cut).min(bytes.len());
                last = parts.feed(&bytes[at..end]);
                match last {
                    Progress::Done { used: here } => used += here,
                    _ => used = end,
                }
                at = end;
            }
            match (progress, last) {
                (Progress::Done { used: all }, Progress::Done { .. }) => prop_assert_eq!(all, used),
                (one, other) => prop_assert_eq!(one, other),
            }
            prop_assert_eq!(whole.is_overlong(), parts.is_overlong());
            prop_assert_eq!(whole.lines(), parts.lines());
            prop_assert_eq!(whole.finish(), parts.finish());
        }

        #[test]
        fn memory_and_lines_stay_bounded(bytes in talk(), times in 1usize..60) {
            let mut reader = Reader::default();
            for _ in 0..times {
                reader.feed(&bytes);
                prop_assert!(reader.pending.len() <= MAX_LINE);
                prop_assert!(reader.pending.capacity() <= 2 * MAX_LINE);
                prop_assert!(reader.text.joined.capacity() <= 2 * MAX_REPLY);
                prop_assert!(reader.text.len() <= MAX_LINES);
                prop_assert!(reader.read <= MAX_REPLY);
            }
        }
    }
}
