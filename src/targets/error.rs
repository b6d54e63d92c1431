//! What can be wrong with targets and exclusions, each in one line that says where and what to do.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::targets::format::Foreign;
use crate::targets::line::LineError;

/// The most characters of a value that a message shows.
const MAX_SHOWN: usize = 60;

/// What a list or an argument is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be scanned.
    Targets,
    /// Never to be touched.
    Exclusions,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Targets => "target",
            Self::Exclusions => "exclusion",
        })
    }
}

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On the command line.
    Argument(Purpose),
    /// In a list, by its name and the line, counted from one.
    Line(Purpose, Arc<str>, u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(purpose) => purpose.fmt(f),
            Self::Line(purpose, list, line) => {
                write!(f, "{purpose} list `{}` line {line}:", Shown(list.as_bytes()))
            }
        }
    }
}

/// Why there is no set of targets.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// One value can't be read; the lines after it can.
    #[error("{place} `{value}` {wrong}")]
    Value {
        /// Where it stands.
        place: Place,
        /// The value, escaped and shortened.
        value: String,
        /// What is wrong with it.
        wrong: LineError,
    },
    /// The whole list is UTF-16.
    #[error("{purpose} list `{}` is UTF-16 text; save it as UTF-8", Shown(.list.as_bytes()))]
    Utf16 {
        /// What the list is for.
        purpose: Purpose,
        /// Its name.
        list: Arc<str>,
    },
    /// Two columns of a CSV header have one name, or it can't be read.
    #[error("{place} the header has two columns `{column}`; rename one")]
    TwoColumns {
        /// The header's line.
        place: Place,
        /// The name, escaped and shortened.
        column: String,
    },
    /// The whole list has another form.
    #[error("{place} `{value}` {seems}")]
    Foreign {
        /// The line that tells.
        place: Place,
        /// That line, escaped and shortened.
        value: String,
        /// What it seems to be.
        seems: Foreign,
    },
    /// A quote that nothing closes: all rows behind it would be one cell.
    #[error("{place} a `\"` is left open; close it, or double it if it is part of a text")]
    OpenQuote {
        /// Where its row starts.
        place: Place,
    },
    /// A quoted cell over a line end that may hold rows of its own.
    #[error(
        "{place} a quoted cell goes on over the line end and may hide rows; is a `\"` left open? if not, put every \
         name of the header in quotes, as `\"ip\",\"reason\"`, to say that cells may hold line ends"
    )]
    RowOverLines {
        /// Where its row starts.
        place: Place,
    },
    /// The same in a list whose header says that cells may hold line ends, with a line that reads as a row.
    #[error("{place} a quoted cell holds the line `{value}`, which reads as a row; is a `\"` left open?")]
    RowInCell {
        /// Where the outer row starts.
        place: Place,
        /// The line, escaped and shortened.
        value: String,
    },
    /// A CSV row over [`crate::targets::MAX_ROW`].
    #[error("{place} the row is longer than 65536 bytes; is a `\"` left open?")]
    LongRow {
        /// Where it starts.
        place: Place,
    },
    /// The operating system's word.
    #[error("{purpose} list `{}` can't be read: {source}", Shown(.list.as_bytes()))]
    Read {
        /// What the list is for.
        purpose: Purpose,
        /// Its name.
        list: Arc<str>,
        /// Why.
        source: io::Error,
    },
    /// `AS64500` without anything that knows its prefixes.
    #[error("target `AS{0}` needs to know the prefixes of the network; add `--asn-db FILE`")]
    AsnUnknown(u32),
    /// More entries or pieces than a set can number.
    #[error("the targets fall into more than 4294967294 pieces; scan them in parts")]
    TooMany,
}

impl TargetError {
    /// Whether the lines after this one can still be read.
    pub fn is_one_value(&self) -> bool {
        matches!(self, Self::Value { .. })
    }
}

/// What to do about a line that can't be read. In a list of exclusions it always stops the scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadLines {
    /// Nothing is scanned.
    #[default]
    Stop,
    /// The line is reported, the others count.
    Skip,
}

/// A value as a message shows it: printable characters as they are, others escaped, not too many of them.
pub(super) struct Shown<'a>(pub(super) &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = MAX_SHOWN;
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                if left == 0 {
                    return f.write_str("…");
                }
                left -= 1;
                // Anything invisible or that turns the line around is written as its number.
                if matches!(char, ' '..='~') || !char.is_ascii() && char.escape_debug().len() == 1 {
                    write!(f, "{char}")?;
                } else {
                    write!(f, "{}", char.escape_default())?;
                }
            }
            for byte in chunk.invalid() {
                if left == 0 {
                    return f.write_str("…");
                }
                left -= 1;
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_harmless_and_short() {
        for (value, shown) in [
            (&b"192.0.2.1"[..], "192.0.2.1"),
            ("bücher".as_bytes(), "bücher"),
            (b"a\x1b[2Jb\tc", r"a\u{1b}[2Jb\tc"),
            ("a\u{202e}b\u{200b}".as_bytes(), r"a\u{202e}b\u{200b}"),
            (b"\xff\xfe", r"\xff\xfe"),
            (b"it's \"here\"", "it's \"here\""),
        ] {
            assert_eq!(Shown(value).to_string(), shown);
        }
        let long = Shown(&[b'a'; 9000]).to_string();
        assert_eq!(long, format!("{}…", "a".repeat(60)));
    }
}
