//! One SMTP reply: a code and lines of text (RFC 5321 §4.2), bytes as they came. Knows no meaning of either.

mod reader;

pub use reader::{Limit, MAX_LINE, MAX_LINES, MAX_REPLY, Progress, Reader};

/// A reply code, or its absence: text that opens with no three digits has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(u16);

impl Code {
    /// The largest of three digits.
    pub const MAX: u16 = 999;

    /// A code of three digits, 000 to 999.
    pub fn new(code: u16) -> Option<Self> {
        (code <= Self::MAX).then_some(Self(code))
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

/// The text of a reply, line by line as it came: without code, separator and line end, never with a line feed
/// inside.
///
/// A text that carried no code keeps its whole lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    /// The lines, joined by line feeds: one allocation for each reply.
    joined: Vec<u8>,
    lines: u32,
}

impl Text {
    /// Adds a line; line feeds inside end it early, for a line holds none.
    pub fn push(&mut self, line: &[u8]) {
        if self.lines > 0 {
            self.joined.push(b'\n');
        }
        self.joined.extend(line.split(|&b| b == b'\n').next().unwrap_or_default());
        self.lines += 1;
    }

    /// The lines, the first one first.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.joined.split(|&b| b == b'\n').take(self.lines as usize)
    }

    /// The first line (RFC 5321 §4.2: the authoritative one), empty if there is none.
    pub fn first(&self) -> &[u8] {
        self.lines().next().unwrap_or_default()
    }

    /// How many lines.
    pub fn len(&self) -> usize {
        self.lines as usize
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }
}

impl<L: AsRef<[u8]>> FromIterator<L> for Text {
    fn from_iter<I: IntoIterator<Item = L>>(lines: I) -> Self {
        let mut text = Self::default();
        for line in lines {
            text.push(line.as_ref());
        }
        text
    }
}

/// A reply as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The code of line 1; `None` where line 1 opens with no three digits.
    pub code: Option<Code>,
    /// The text behind the codes.
    pub text: Text,
}
