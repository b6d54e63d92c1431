//! The lines of a plain list, without their comments: no more than one bounded line is held. Knows no target.

use std::io::{self, BufRead};

/// The longest line of a plain list, in bytes: sixteen times the longest name, for the comment behind it.
pub const MAX_LINE: usize = 4096;

/// Whether a line was longer than what is kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    No,
    Yes,
}

/// Lines that end with LF, CRLF or CR, without their comments and the blanks around them.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    /// What the last line said; at most [`MAX_LINE`] bytes.
    pub(super) line: Vec<u8>,
    pub(super) is_cut: Cut,
    /// The number of the last line, from one.
    pub(super) number: u64,
    /// The last line ended with CR; an LF behind it belongs to it.
    after_cr: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), is_cut: Cut::No, number: 0, after_cr: false }
    }

    /// Goes on to the next line that says anything; `false` at the end.
    pub(super) fn next_content(&mut self) -> io::Result<bool> {
        while self.next_line()? {
            if self.number == 1 && self.line.starts_with(b"\xef\xbb\xbf") {
                self.line.drain(..3);
            }
            if self.is_utf16() {
                return Ok(true);
            }
            self.cut_comment();
            if !self.line.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the first line starts with the byte order mark of UTF-16.
    pub(super) fn is_utf16(&self) -> bool {
        self.number == 1 && (self.line.starts_with(b"\xff\xfe") || self.line.starts_with(b"\xfe\xff"))
    }

    /// The input behind the last line, and that line's number.
    pub(super) fn into_rest(mut self) -> io::Result<(R, u64)> {
        self.skip_lf()?;
        Ok((self.input, self.number))
    }

    fn next_line(&mut self) -> io::Result<bool> {
        self.skip_lf()?;
        self.line.clear();
        self.is_cut = Cut::No;
        let mut started = false;
        loop {
            let available = fill(&mut self.input)?;
            if available.is_empty() {
                self.number += u64::from(started);
                return Ok(started);
            }
            started = true;
            let end = available.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let part = &available[..end.unwrap_or(available.len())];
            let room = MAX_LINE - self.line.len();
            if part.len() > room {
                self.is_cut = Cut::Yes;
            }
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if self.is_cut == Cut::Yes && self.line.contains(&0) {
                // A device of zeros has no line end to wait for.
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no text"));
            }
            let used = part.len();
            let Some(end) = end else {
                self.input.consume(used);
                continue;
            };
            self.after_cr = available[end] == b'\r';
            self.input.consume(used + 1);
            self.number += 1;
            return Ok(true);
        }
    }

    fn skip_lf(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.after_cr) && fill(&mut self.input)?.first() == Some(&b'\n') {
            self.input.consume(1);
        }
        Ok(())
    }

    /// Takes off what stands behind `#`, or behind `;` at the start or after a blank; a comment may be any
    /// bytes, and longer than a line.
    fn cut_comment(&mut self) {
        let blank_before = |at: usize| at == 0 || self.line[at - 1].is_ascii_whitespace();
        let comment = (0..self.line.len()).find(|&at| match self.line[at] {
            b'#' => true,
            b';' => blank_before(at),
            _ => false,
        });
        if let Some(comment) = comment {
            self.line.truncate(comment);
            self.is_cut = Cut::No;
        }
        if self.is_cut == Cut::No {
            let trimmed = self.line.trim_ascii();
            let start = self.line.len() - self.line.trim_ascii_start().len();
            let length = trimmed.len();
            self.line.copy_within(start..start + length, 0);
            self.line.truncate(length);
        }
    }
}

/// [`BufRead::fill_buf`] that goes on after a signal.
pub(super) fn fill<R: BufRead>(input: &mut R) -> io::Result<&[u8]> {
    // Asked twice because a borrow that may be returned can't be given up in a loop.
    while let Err(error) = input.fill_buf() {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    input.fill_buf()
}
