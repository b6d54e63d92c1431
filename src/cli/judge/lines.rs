//! The lines of a file, bytes and all, each with its place. Knows no form of a line.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use crate::report::input::End;

/// The most of a line that is kept, in bytes: several times the longest record.
const MAX_LINE: usize = 4 << 20;
/// What a UTF-8 file may open with.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// Whether all of a line is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// All of it.
    Whole,
    /// The first [`MAX_LINE`] bytes.
    Cut,
}

/// One line.
#[derive(Debug)]
pub(super) struct Line<'l> {
    /// Its bytes, the line end (LF or CRLF) taken off.
    pub(super) bytes: &'l [u8],
    /// Whether these are all.
    pub(super) length: Length,
    /// Whether a line end stands behind it; the last line of half a file has none.
    pub(super) is_ended: bool,
    /// Its number, from 1.
    number: u64,
    file: &'l Path,
}

impl Line<'_> {
    /// File and number, for a person: `old.json line 3`.
    pub(super) fn place(&self) -> String {
        let file = if self.file == Path::new("-") { "stdin".into() } else { self.file.to_string_lossy() };
        format!("{file} line {}", self.number)
    }
}

/// Reads lines.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    file: PathBuf,
    number: u64,
    bytes: Vec<u8>,
    end: End,
}

impl Lines {
    /// The lines of a text; `file` is for messages.
    pub(super) fn new(file: &Path, reader: Box<dyn BufRead>) -> Self {
        Self { reader, file: file.to_owned(), number: 0, bytes: Vec::new(), end: End::Whole }
    }

    /// The next line; `None` at the end, and where compressed data is cut off.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Line<'_>>> {
        self.bytes.clear();
        let limit = (MAX_LINE + 1) as u64;
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.bytes);
        let read = match read {
            Err(wrong) => match End::of(&wrong) {
                // A line that is cut off is none.
                Some(end) => {
                    self.end = end;
                    0
                }
                None => return Err(super::unreadable_file(&self.file, wrong)),
            },
            Ok(read) => read,
        };
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut length = Length::Whole;
        if self.bytes.len() > MAX_LINE && self.bytes.last() != Some(&b'\n') {
            length = Length::Cut;
            self.bytes.truncate(MAX_LINE);
            self.reader.skip_until(b'\n').map_err(|wrong| super::unreadable_file(&self.file, wrong))?;
        }
        let is_ended = length == Length::Cut || self.bytes.ends_with(b"\n");
        let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if self.number == 1 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        Ok(Some(Line { bytes: line, length, is_ended, number: self.number, file: &self.file }))
    }

    /// How the reading ended.
    pub(super) fn end(&self) -> End {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &'static [u8]) -> Vec<(String, Vec<u8>, Length)> {
        let mut lines = Lines::new(Path::new("a"), Box::new(text));
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push((line.place(), line.bytes.to_vec(), line.length));
        }
        read
    }

    #[test]
    fn every_line_end_ends_one_line_and_no_end_the_last() {
        let all: Vec<Vec<u8>> =
            lines(b"\xef\xbb\xbfone\r\n\ntwo\xff\n\r\nlast").into_iter().map(|(_, line, _)| line).collect();
        assert_eq!(all, [&b"one"[..], b"", b"two\xff", b"", b"last"]);
        assert!(lines(b"").is_empty());
        assert_eq!(lines(b"a\nb\n").len(), 2);
        assert_eq!(lines(b"a\nb\n")[1].0, "a line 2");
    }

    #[test]
    fn a_line_beyond_the_limit_is_cut_and_the_next_one_is_whole() {
        let text: &'static [u8] = [vec![b'x'; MAX_LINE + 5], b"\nnext\n".to_vec()].concat().leak();
        let read = lines(text);
        assert_eq!((read[0].1.len(), read[0].2), (MAX_LINE, Length::Cut));
        assert_eq!((&read[1].1[..], read[1].2), (&b"next"[..], Length::Whole));
        let exact: &'static [u8] = [vec![b'x'; MAX_LINE], b"\nnext\n".to_vec()].concat().leak();
        assert_eq!((lines(exact)[0].1.len(), lines(exact)[0].2), (MAX_LINE, Length::Whole));
    }
}
