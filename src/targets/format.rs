//! What a list that is no list of targets seems to be, told by its first line. Knows no other line.

use std::fmt;

use crate::targets::cells::split_cells;
use crate::targets::line::{Kind, parse};

/// A form of list that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// An object or an array.
    Json,
    /// Tags.
    Xml,
    /// Items behind `- `.
    Dashes,
    /// What `nmap -oG` writes.
    Grepable,
    /// What `masscan -oL` writes.
    Masscan,
    /// gzip or Zstandard.
    Compressed,
    /// ZIP, which is what spreadsheets are kept in.
    Spreadsheet,
    /// CSV whose header has no column of targets.
    Header,
    /// CSV without a header.
    Headerless,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => {
                "seems to be JSON; write one target a line, as `jq -r .ip` prints them, or CSV with a header"
            }
            Self::Xml => "seems to be XML; write one target a line, or CSV with a header that has a column `ip`",
            Self::Dashes => "seems to be a YAML list; leave off the `- ` before each target",
            Self::Grepable => {
                "seems to be output of `nmap -oG`; write one target a line, as `awk '{print $2}'` prints them"
            }
            Self::Masscan => {
                "seems to be output of `masscan -oL`; write one target a line, as `awk '{print $4}'` prints them"
            }
            Self::Compressed => "seems to be compressed; unpack it, and give it on stdin with `-`",
            Self::Spreadsheet => {
                "seems to be a spreadsheet or a ZIP archive; save the sheet as CSV, in UTF-8, with a header"
            }
            Self::Header => {
                "seems to be a CSV header without a column of targets; name the column that holds them `target`"
            }
            Self::Headerless => {
                "seems to be CSV without a header; put a header line above it, as `ip,name`, or write one target a \
                 line"
            }
        })
    }
}

/// What the first line that says anything tells of its list; `None` if it may be a list of targets.
pub(super) fn tell(line: &[u8]) -> Option<Foreign> {
    if line.starts_with(b"\x1f\x8b") || line.starts_with(b"\x28\xb5\x2f\xfd") {
        return Some(Foreign::Compressed);
    }
    if line.starts_with(b"PK\x03\x04") {
        return Some(Foreign::Spreadsheet);
    }
    let text = std::str::from_utf8(line).ok()?.trim();
    match text.as_bytes() {
        [b'{', ..] | b"[" => return Some(Foreign::Json),
        // `[192.0.2.1]` and `[2001:db8::1]` are addresses.
        [b'[', second, ..] if matches!(second, b'"' | b'{' | b'[' | b']') || second.is_ascii_whitespace() => {
            return Some(Foreign::Json);
        }
        [b'<', ..] => return Some(Foreign::Xml),
        [b'-', b' ', ..] | b"---" => return Some(Foreign::Dashes),
        _ => {}
    }
    if text.starts_with("Host: ") {
        return Some(Foreign::Grepable);
    }
    if text.starts_with("open tcp ") || text.starts_with("banner tcp ") {
        return Some(Foreign::Masscan);
    }
    tell_cells(text)
}

/// Several cells, of which at least one other than the first target is none.
fn tell_cells(text: &str) -> Option<Foreign> {
    let delimiter = [b',', b';', b'\t', b'|'].into_iter().max_by_key(|&delimiter| {
        // The earlier one, if there are as many of both.
        (text.bytes().filter(|&byte| byte == delimiter).count(), u8::MAX - delimiter)
    })?;
    let cells = split_cells(text.as_bytes(), delimiter);
    if cells.len() < 2 && !text.starts_with('"') {
        return None;
    }
    let targets = cells.iter().filter(|cell| is_target(cell)).count();
    if targets > 0 {
        return Some(Foreign::Headerless);
    }
    // A header's names are words; what has digits and dots may be an address with a slip in it.
    let is_word = |cell: &String| {
        let named = cell.trim_matches('"');
        named.chars().any(char::is_alphabetic) && !named.contains(['.', ':', '/', '@'])
    };
    cells.iter().all(|cell| cell.is_empty() || is_word(cell)).then_some(Foreign::Header)
}

fn is_target(cell: &str) -> bool {
    // `AS64500` may well be the name of a column.
    parse(cell).is_ok_and(|kind| !matches!(kind, Kind::Asn(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_another_form_is_told_by_its_first_line() {
        for (line, told) in [
            ("{\"ip\":\"192.0.2.1\"}", Foreign::Json),
            ("{", Foreign::Json),
            ("[", Foreign::Json),
            ("[\"192.0.2.1\",", Foreign::Json),
            ("[ {", Foreign::Json),
            ("<?xml version=\"1.0\"?>", Foreign::Xml),
            ("<nmaprun>", Foreign::Xml),
            ("- 192.0.2.1", Foreign::Dashes),
            ("---", Foreign::Dashes),
            ("Host: 192.0.2.1 ()\tStatus: Up", Foreign::Grepable),
            ("open tcp 25 192.0.2.1 1700000000", Foreign::Masscan),
            ("PK\u{3}\u{4}x", Foreign::Spreadsheet),
            ("daddr,sport", Foreign::Header),
            ("\"Name\",\"Comment\"", Foreign::Header),
            ("name;site;owner", Foreign::Header),
            ("name\tsite", Foreign::Header),
            ("name | site", Foreign::Header),
            ("192.0.2.10,La Union (CCR1016)", Foreign::Headerless),
            ("192.0.2.1,192.0.2.2", Foreign::Headerless),
            ("7;mail.example.org;x", Foreign::Headerless),
            ("\"192.0.2.1\"", Foreign::Headerless),
            ("\"192.0.2.1\",\"x\"", Foreign::Headerless),
            ("192.0.2.0/24\tx", Foreign::Headerless),
        ] {
            let line = line.as_bytes();
            assert_eq!(tell(line), Some(told), "{}", String::from_utf8_lossy(line));
        }
        assert_eq!(tell(b"\x1f\x8b\x08\x00"), Some(Foreign::Compressed));
        assert_eq!(tell(b"\x28\xb5\x2f\xfd\x04"), Some(Foreign::Compressed));
    }

    #[test]
    fn what_may_be_a_target_is_left_to_be_read_as_one() {
        for line in [
            "192.0.2.1",
            "[2001:db8::1]",
            "[192.0.2.1]",
            "mail.example.org",
            "192.0.2.1 - 192.0.2.9",
            "192.0.2.1 mail.example.org",
            "not a target",
            "-",
            "1.2.3",
            "192.0.2.300,192.0.2.301",
            "\u{fffd}",
            "",
        ] {
            assert_eq!(tell(line.as_bytes()), None, "{line}");
        }
        assert_eq!(tell(b"\xff\x00"), None);
    }
}
