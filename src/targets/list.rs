//! A whole list read line by line: plain text, or CSV when its first line is a header with a column of
//! targets.
//!
//! However long the list or one of its lines, no more than one bounded line is held. Knows no file: the
//! caller opens it and says its name.

use std::io::{self, BufRead};
use std::sync::Arc;

use crate::targets::error::{Place, Purpose, Shown, TargetError};
use crate::targets::format;
use crate::targets::header::Columns;
use crate::targets::line::{Entry, LineError, parse};
use crate::targets::lines::{Cut, Lines};
use crate::targets::rows::Rows;

/// The entries of a list, as they are read. A line that can't be read is an error among them; after an error
/// of which [`TargetError::is_one_value`] says no, nothing more comes.
#[derive(Debug)]
pub struct TargetList<R> {
    purpose: Purpose,
    name: Arc<str>,
    state: State<R>,
}

#[derive(Debug)]
enum State<R> {
    /// Before the first line that says anything.
    Start(Lines<R>),
    Plain(Lines<R>),
    Csv(Box<Rows<R>>),
    Done,
}

impl<R: BufRead> TargetList<R> {
    /// Starts to read a list; `name` is what messages call it.
    pub fn new(input: R, purpose: Purpose, name: &str) -> Self {
        Self { purpose, name: name.into(), state: State::Start(Lines::new(input)) }
    }

    fn value_error(&self, line: u64, value: &[u8], wrong: LineError) -> TargetError {
        let place = Place::Line(self.purpose, Arc::clone(&self.name), line);
        TargetError::Value { place, value: Shown(value).to_string(), wrong }
    }

    fn read_error(&self, source: io::Error) -> TargetError {
        TargetError::Read { purpose: self.purpose, list: Arc::clone(&self.name), source }
    }
}

impl<R: BufRead> Iterator for TargetList<R> {
    type Item = Result<Entry, TargetError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return None,
                State::Start(mut lines) => match lines.next_content() {
                    Err(error) => return Some(Err(self.read_error(error))),
                    Ok(false) => return None,
                    Ok(true) if lines.is_utf16() => {
                        let (purpose, list) = (self.purpose, Arc::clone(&self.name));
                        return Some(Err(TargetError::Utf16 { purpose, list }));
                    }
                    Ok(true) => {
                        let place = Place::Line(self.purpose, Arc::clone(&self.name), lines.number);
                        match Columns::of_header(&lines.line, place) {
                            Err(error) => return Some(Err(error)),
                            Ok(None) => {
                                if let Some(foreign) = self.foreign(&lines) {
                                    return Some(Err(foreign));
                                }
                                let item = self.first_entry(&lines);
                                self.state = State::Plain(lines);
                                return Some(item);
                            }
                            Ok(Some(columns)) => match lines.into_rest() {
                                Err(error) => return Some(Err(self.read_error(error))),
                                Ok((input, line)) => {
                                    self.state = State::Csv(Box::new(Rows::new(input, line, columns)));
                                }
                            },
                        }
                    }
                },
                State::Plain(mut lines) => match lines.next_content() {
                    Err(error) => return Some(Err(self.read_error(error))),
                    Ok(false) => return None,
                    Ok(true) => {
                        let item = self.entry(&lines);
                        self.state = State::Plain(lines);
                        return Some(item);
                    }
                },
                State::Csv(mut rows) => {
                    let row = rows.next(self.purpose, &self.name)?;
                    if !matches!(&row, Err(error) if !error.is_one_value()) {
                        self.state = State::Csv(rows);
                    }
                    return Some(row);
                }
            }
        }
    }
}

impl<R: BufRead> TargetList<R> {
    /// What a first line of another form is refused for.
    fn foreign(&self, lines: &Lines<R>) -> Option<TargetError> {
        let seems = format::tell(&lines.line)?;
        let place = Place::Line(self.purpose, Arc::clone(&self.name), lines.number);
        Some(TargetError::Foreign { place, value: Shown(&lines.line).to_string(), seems })
    }

    /// The entry of a first line, which may be meant as a header.
    fn first_entry(&self, lines: &Lines<R>) -> Result<Entry, TargetError> {
        self.entry(lines).map_err(|error| match error {
            TargetError::Value { place, value, wrong: LineError::OneLabel } => {
                TargetError::Value { place, value, wrong: LineError::LoneLabel }
            }
            other => other,
        })
    }

    fn entry(&self, lines: &Lines<R>) -> Result<Entry, TargetError> {
        read_value(&lines.line, lines.is_cut)
            .and_then(parse)
            .map(Entry::from)
            .map_err(|wrong| self.value_error(lines.number, &lines.line, wrong))
    }
}

/// Reads one argument of the command line.
pub fn read_argument(purpose: Purpose, text: &str) -> Result<Entry, TargetError> {
    let value = text.trim();
    read_value(value.as_bytes(), Cut::No).and_then(parse).map(Entry::from).map_err(|wrong| {
        let (place, value) = (Place::Argument(purpose), Shown(value.as_bytes()).to_string());
        TargetError::Value { place, value, wrong }
    })
}

fn read_value(value: &[u8], is_cut: Cut) -> Result<&str, LineError> {
    if value.contains(&0) {
        return Err(LineError::Nul);
    }
    if is_cut == Cut::Yes {
        return Err(LineError::TooLong);
    }
    std::str::from_utf8(value).map(str::trim).map_err(|_| LineError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use proptest::prelude::*;

    use super::*;
    use crate::targets::lines::MAX_LINE;

    fn read(bytes: &[u8]) -> Vec<String> {
        // A buffer of three bytes shows that nothing depends on where a read ends.
        let input = BufReader::with_capacity(3, bytes);
        TargetList::new(input, Purpose::Targets, "mx.txt")
            .map(|item| match item {
                Ok(entry) => entry.kind.to_string(),
                Err(error) => error.to_string(),
            })
            .collect()
    }

    #[test]
    fn blanks_comments_and_line_ends_of_every_system_are_fine() {
        let entries = ["192.0.2.1", "192.0.2.0/24", "mail.example.org"];
        for list in [
            "192.0.2.1\n192.0.2.0/24\nmail.example.org",
            "192.0.2.1\r\n192.0.2.0/24\r\nmail.example.org\r\n",
            "192.0.2.1\r192.0.2.0/24\rmail.example.org\r",
            "\u{feff}192.0.2.1\n\n\n192.0.2.0/24\n\t mail.example.org \n",
            "# head\n192.0.2.1 # one\n192.0.2.0/24\t# two\nmail.example.org# three\n   # end\n",
            "; head\n192.0.2.1 ; one\n192.0.2.0/24\n;x\nmail.example.org\n\n",
            "\u{feff}# head\r\n\r\n192.0.2.1\r\n192.0.2.0/24\r\nmail.example.org",
        ] {
            assert_eq!(read(list.as_bytes()), entries, "{list:?}");
        }
        let latin1 = b"192.0.2.1 # B\xfccher\n192.0.2.0/24\nmail.example.org # \0\n";
        assert_eq!(read(latin1), entries, "a comment may be any bytes");
        for empty in ["", "\n", "# only\n", "\u{feff}", "\r\n\r\n"] {
            assert!(read(empty.as_bytes()).is_empty(), "{empty:?}");
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_with_its_place() {
        let long = format!("# ok\n{}\n192.0.2.1\n", "a".repeat(MAX_LINE + 1));
        let shown = format!("{}…", "a".repeat(60));
        let long_error = format!("target list `mx.txt` line 2: `{shown}` is longer than 4096 bytes");
        for (list, said) in [
            (
                b"192.0.2.1\r\n\r\n10.0.0.0/33\r\n192.0.2.2".to_vec(),
                vec![
                    "192.0.2.1",
                    "target list `mx.txt` line 3: `10.0.0.0/33` has a length over 32",
                    "192.0.2.2",
                ],
            ),
            (
                b"192.0.2.1\r1.2.3\r".to_vec(),
                vec![
                    "192.0.2.1",
                    "target list `mx.txt` line 2: `1.2.3` is not an address: write it as `192.0.2.7` or `2001:db8::7`",
                ],
            ),
            (
                b"a\0b\nmail.example.org".to_vec(),
                vec![
                    r"target list `mx.txt` line 1: `a\u{0}b` holds a NUL byte; save the list as UTF-8 text",
                    "mail.example.org",
                ],
            ),
            (
                b"b\xfccher.example\n192.0.2.2".to_vec(),
                vec![
                    r"target list `mx.txt` line 1: `b\xfccher.example` is not UTF-8; save the list as UTF-8 text",
                    "192.0.2.2",
                ],
            ),
            (long.into_bytes(), vec![long_error.as_str(), "192.0.2.1"]),
            (
                b"\xff\xfe1\x009\x002\x00\n\x00".to_vec(),
                vec!["target list `mx.txt` is UTF-16 text; save it as UTF-8"],
            ),
            (b"\xfe\xff\x001\x009".to_vec(), vec!["target list `mx.txt` is UTF-16 text; save it as UTF-8"]),
        ] {
            assert_eq!(read(&list), said);
        }
        let of_exclusions = TargetList::new(&b"nope nope"[..], Purpose::Exclusions, "no\x1b.txt").next();
        assert_eq!(
            of_exclusions.unwrap().unwrap_err().to_string(),
            r"exclusion list `no\u{1b}.txt` line 1: `nope nope` holds more than one target; write one a line"
        );
        assert_eq!(
            read_argument(Purpose::Targets, "10.0.0.0/33").unwrap_err().to_string(),
            "target `10.0.0.0/33` has a length over 32"
        );
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let mut list = TargetList::new(
            BufReader::new(io::repeat(b'a').take(50_000_000).chain(&b"\n192.0.2.1"[..])),
            Purpose::Targets,
            "-",
        );
        assert!(list.next().unwrap().unwrap_err().to_string().ends_with("is longer than 4096 bytes"));
        let State::Plain(lines) = &list.state else { panic!("{:?}", list.state) };
        assert!(lines.line.capacity() <= 2 * MAX_LINE);
        assert_eq!(list.next().unwrap().unwrap().kind.to_string(), "192.0.2.1");
    }

    #[test]
    fn a_comment_may_be_longer_than_a_line() {
        let list = format!("192.0.2.1 # {}\n# {0}\n192.0.2.2", "x".repeat(3 * MAX_LINE));
        assert_eq!(read(list.as_bytes()), ["192.0.2.1", "192.0.2.2"]);
    }

    #[test]
    fn a_read_error_ends_the_list() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("disk on fire"))
            }
        }
        let mut list =
            TargetList::new(BufReader::new((&b"192.0.2.1\n"[..]).chain(Broken)), Purpose::Targets, "mx.txt");
        assert!(list.next().unwrap().is_ok());
        let error = list.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "target list `mx.txt` can't be read: disk on fire");
        assert!(!error.is_one_value());
        assert!(list.next().is_none());
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let lines = bytes.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1;
            prop_assert!(read(&bytes).len() <= lines);
        }
    }
}
