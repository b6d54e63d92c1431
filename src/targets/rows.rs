//! A CSV list: a column `target` or `ip`, if wished `expected_name` and `helo_name`, and tags in the order of the file,
//! of which `tenancy` may hold known words only.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use crate::name::HostName;
use crate::targets::Inventory;
use crate::targets::error::{Place, Purpose, Shown, TargetError};
use crate::targets::line::{Entry, LineError, parse};
use crate::targets::list::fill;

/// The longest row of a CSV list, in bytes: a hundred columns of a few hundred bytes.
pub const MAX_ROW: u64 = 65_536;
/// What the CSV reader takes from its input at a time, in bytes.
const READ_AHEAD: usize = 8_192;
/// The longest HELO name, in octets (RFC 5321 §4.5.3.1.2).
const MAX_HELO: usize = 255;

/// The tag that says whose address it is, in any case; it travels with the records as any tag does, so that the judgement
/// of a stored record heeds it, too.
const TENANCY: &str = "tenancy";
/// What may stand in it.
const TENANCIES: [&str; 4] = ["shared", "dedicated", "unknown", ""];

fn is_tenancy(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case(TENANCY)
}

/// What each column of a header stands for.
#[derive(Debug)]
pub(super) struct Columns {
    delimiter: u8,
    count: usize,
    target: usize,
    expected_name: Option<usize>,
    helo_name: Option<usize>,
    tags: Vec<(usize, Arc<str>)>,
}

impl Columns {
    /// The columns of a first line that is a CSV header: comma, semicolon or tab between them, `target` or `ip` one of
    /// them. `None` if it is a plain line.
    pub(super) fn of_header(line: &[u8], place: Place) -> Result<Option<Self>, TargetError> {
        for delimiter in [b',', b';', b'\t'] {
            let names = split_header(line, delimiter);
            let find = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
            let Some(target) = find("target").or_else(|| find("ip")) else { continue };
            if let Some(twice) = find_twice(&names) {
                return Err(TargetError::TwoColumns { place, column: Shown(twice.as_bytes()).to_string() });
            }
            let (expected_name, helo_name) = (find("expected_name"), find("helo_name"));
            let is_tag = |&(column, name): &(usize, &String)| {
                ![Some(target), expected_name, helo_name].contains(&Some(column)) && !name.is_empty()
            };
            let tags = names.iter().enumerate().filter(is_tag).map(|(c, n)| (c, n.as_str().into())).collect();
            let count = names.len();
            return Ok(Some(Self { delimiter, count, target, expected_name, helo_name, tags }));
        }
        Ok(None)
    }
}

fn split_header(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
    let mut record = ByteRecord::new();
    // Reading from memory does not fail, and one record can't be uneven.
    if !reader.read_byte_record(&mut record).unwrap_or(false) {
        return Vec::new();
    }
    record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}

fn find_twice(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find_map(|(at, name)| {
        let again = names[..at].iter().any(|other| other.eq_ignore_ascii_case(name));
        (again && !name.is_empty()).then_some(name)
    })
}

/// The rows behind a header.
#[derive(Debug)]
pub(super) struct Rows<R> {
    reader: Reader<Bounded<R>>,
    record: ByteRecord,
    /// The line on which the last row, or the header, ended.
    line: u64,
    /// The lines before the reader's first.
    lines_before: u64,
    columns: Columns,
}

impl<R: BufRead> Rows<R> {
    /// Reads on behind the header, which was line `header_line`.
    pub(super) fn new(input: R, header_line: u64, columns: Columns) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .delimiter(columns.delimiter)
            .buffer_capacity(READ_AHEAD)
            .from_reader(Bounded::new(input));
        Self { reader, record: ByteRecord::new(), line: header_line, lines_before: header_line, columns }
    }

    /// The next row's entry; `None` at the end.
    pub(super) fn next(&mut self, purpose: Purpose, list: &Arc<str>) -> Option<Result<Entry, TargetError>> {
        loop {
            match self.reader.read_byte_record(&mut self.record) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err(self.read_error(error, purpose, list))),
            }
            // The reader's own count of lines does not know CRLF. The last byte taken is the row's line end, or the LF
            // of it is still to come; so the row ended on the line that holds the byte before.
            let consumed = self.reader.position().byte();
            self.line =
                self.lines_before + 1 + self.reader.get_mut().line_ends_before(consumed.saturating_sub(1));
            self.reader.get_mut().allow(consumed);
            if self.record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            return Some(self.entry().map_err(|(value, wrong)| {
                let within = self.record.iter().flatten().filter(|&&b| b == b'\n').count() as u64;
                let place = Place::Line(purpose, Arc::clone(list), self.line.saturating_sub(within));
                TargetError::Value { place, value: Shown(&value).to_string(), wrong }
            }));
        }
    }

    fn read_error(&self, error: csv::Error, purpose: Purpose, list: &Arc<str>) -> TargetError {
        let list = Arc::clone(list);
        match error.into_kind() {
            ErrorKind::Io(error)
                if error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<RowTooLong>) =>
            {
                TargetError::LongRow { place: Place::Line(purpose, list, self.line + 1) }
            }
            ErrorKind::Io(source) => TargetError::Read { purpose, list, source },
            // No row is uneven, for all lengths are taken; nothing is decoded here.
            other => TargetError::Read { purpose, list, source: io::Error::other(format!("{other:?}")) },
        }
    }

    fn entry(&self) -> Result<Entry, (Vec<u8>, LineError)> {
        let target = self.record.get(self.columns.target).unwrap_or_default().trim_ascii();
        if self.record.len() != self.columns.count {
            let wrong = LineError::Columns { found: self.record.len(), header: self.columns.count };
            return Err((target.to_vec(), wrong));
        }
        let text = |cell: usize| {
            let cell = self.record.get(cell).unwrap_or_default();
            match std::str::from_utf8(cell) {
                Ok(text) if !text.contains('\0') => Ok(text),
                Ok(_) => Err((cell.to_vec(), LineError::Nul)),
                Err(_) => Err((cell.to_vec(), LineError::NotUtf8)),
            }
        };
        let named = |cell: Option<usize>| match cell.map(|cell| text(cell).map(str::trim)) {
            None | Some(Ok("")) => Ok(None),
            Some(Ok(name)) => Ok(Some(name)),
            Some(Err(wrong)) => Err(wrong),
        };
        let wrong = |value: &str, wrong: LineError| (value.as_bytes().to_vec(), wrong);

        let asked = text(self.columns.target)?.trim();
        let kind = parse(asked).map_err(|e| wrong(asked, e))?;
        let expected_name = named(self.columns.expected_name)?
            .map(|name| {
                HostName::parse(name)
                    .map(|host| host.to_string())
                    .map_err(|e| wrong(name, LineError::ExpectedName(e)))
            })
            .transpose()?;
        let helo_name = named(self.columns.helo_name)?
            .map(|name| {
                let fits = name.len() <= MAX_HELO && !name.contains(char::is_control);
                if fits { Ok(name.to_owned()) } else { Err(wrong(name, LineError::HeloName)) }
            })
            .transpose()?;
        let mut tags = Vec::with_capacity(self.columns.tags.len());
        for (column, name) in &self.columns.tags {
            let value = text(*column)?;
            if is_tenancy(name) && !TENANCIES.iter().any(|word| value.trim().eq_ignore_ascii_case(word)) {
                return Err(wrong(value, LineError::Tenancy));
            }
            tags.push((Arc::clone(name), value.to_owned()));
        }
        let inventory = Inventory { expected_name, helo_name, tags };
        let inventory = (inventory != Inventory::default()).then(|| Arc::new(inventory));
        Ok(Entry { kind, inventory })
    }
}

/// An input that gives no more than it may, for a row with an open quote would take all of it; that turns a CR without
/// LF into LF, for the CSV reader ends a comment at LF only; and that knows where its lines end.
#[derive(Debug)]
struct Bounded<R> {
    input: R,
    /// The bytes given so far.
    given: u64,
    /// The bytes that may be given.
    limit: u64,
    /// Where lines ended of late.
    line_ends: VecDeque<u64>,
    /// How many line ends are no longer in `line_ends`.
    passed: u64,
}

impl<R> Bounded<R> {
    fn new(input: R) -> Self {
        let limit = MAX_ROW + READ_AHEAD as u64;
        Self { input, given: 0, limit, line_ends: VecDeque::new(), passed: 0 }
    }

    /// Lets one more row be given, behind the `consumed` bytes.
    fn allow(&mut self, consumed: u64) {
        self.limit = consumed + MAX_ROW + READ_AHEAD as u64;
    }

    /// How many lines ended before a byte; asked in ascending order.
    fn line_ends_before(&mut self, byte: u64) -> u64 {
        while self.line_ends.front().is_some_and(|end| *end < byte) {
            self.line_ends.pop_front();
            self.passed += 1;
        }
        self.passed
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the row is too long")]
struct RowTooLong;

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given >= self.limit {
            return Err(io::Error::other(RowTooLong));
        }
        let count = self.input.read(buffer)?;
        let given = &mut buffer[..count];
        let next = if given.last() == Some(&b'\r') { fill(&mut self.input)?.first().copied() } else { None };
        for at in 0..count {
            if given[at] == b'\r' && given.get(at + 1).copied().or(next) != Some(b'\n') {
                given[at] = b'\n';
            }
            if given[at] == b'\n' {
                self.line_ends.push_back(self.given + at as u64);
            }
        }
        self.given += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::targets::list::TargetList;

    fn entries(bytes: &[u8]) -> Vec<Result<Entry, String>> {
        let input = BufReader::with_capacity(5, bytes);
        TargetList::new(input, Purpose::Targets, "hosts.csv")
            .map(|item| item.map_err(|e| e.to_string()))
            .collect()
    }

    fn inventory(expected: Option<&str>, helo: Option<&str>, tags: &[(&str, &str)]) -> Inventory {
        Inventory {
            expected_name: expected.map(str::to_owned),
            helo_name: helo.map(str::to_owned),
            tags: tags.iter().map(|&(name, value)| (name.into(), value.to_owned())).collect(),
        }
    }

    #[test]
    fn a_header_with_target_or_ip_makes_a_list_csv() {
        let csv = "# from the inventory\r\n\r\ncustomer,Target,expected_name,helo_name,note\r\n\
                   C-17, 192.0.2.1 ,Mail.Example.org.,localhost,\"a, \"\"b\"\"\nc\"\r\n\
                   # gone: 192.0.2.2\r\n\
                   ,,,,\r\n\
                   C-18,mail.example.net,,,\r\n";
        let read = entries(csv.as_bytes());
        assert_eq!(read.len(), 2, "{read:?}");
        let first = read[0].as_ref().unwrap();
        assert_eq!(first.kind.to_string(), "192.0.2.1");
        assert_eq!(
            first.inventory.as_deref(),
            Some(&inventory(
                Some("mail.example.org"),
                Some("localhost"),
                &[("customer", "C-17"), ("note", "a, \"b\"\nc")]
            ))
        );
        let second = read[1].as_ref().unwrap();
        assert_eq!(second.kind.to_string(), "mail.example.net");
        assert_eq!(
            second.inventory.as_deref(),
            Some(&inventory(None, None, &[("customer", "C-18"), ("note", "")]))
        );
    }

    #[test]
    fn other_delimiters_a_bom_and_a_lone_column_are_fine() {
        for csv in [
            "ip;customer\n192.0.2.1;C-17\n",
            "\u{feff}ip\tcustomer\r\n192.0.2.1\tC-17",
            "\"ip\",\"customer\"\r192.0.2.1,C-17\r",
            "port,,ip,customer\n25,x,192.0.2.1,C-17\n",
        ] {
            let read = entries(csv.as_bytes());
            let entry = read[0].as_ref().unwrap();
            assert_eq!((read.len(), entry.kind.to_string().as_str()), (1, "192.0.2.1"), "{csv:?}");
            let tags = &entry.inventory.as_ref().unwrap().tags;
            assert_eq!(tags.last().unwrap(), &("customer".into(), "C-17".to_owned()), "{csv:?}");
        }
        let lone = entries(b"target\n192.0.2.1\n\n192.0.2.2");
        assert_eq!(lone.len(), 2);
        assert_eq!(lone[0].as_ref().unwrap().inventory, None);
    }

    #[test]
    fn target_goes_before_ip_which_is_then_a_tag() {
        let read = entries(b"ip,target\n192.0.2.1,192.0.2.0/24\n");
        let entry = read[0].as_ref().unwrap();
        assert_eq!(entry.kind.to_string(), "192.0.2.0/24");
        assert_eq!(entry.inventory.as_ref().unwrap().tags, [("ip".into(), "192.0.2.1".to_owned())]);
    }

    #[test]
    fn a_bad_row_is_named_with_its_place_and_the_next_is_read() {
        for (row, said) in [
            (
                &b"192.0.2.5/24,,"[..],
                "`192.0.2.5/24` has bits set behind the prefix; the network is `192.0.2.0/24`",
            ),
            (b",x.example,", "`` is empty"),
            (b"192.0.2.1,x.example", "`192.0.2.1` stands in a row of 2 columns where the header has 3"),
            (b"192.0.2.1,,,", "`192.0.2.1` stands in a row of 4 columns where the header has 3"),
            (
                b"192.0.2.1,two words,",
                "`two words` is no name that a host can be expected to have: it has a character that no host name may hold",
            ),
            (
                b"192.0.2.1,192.0.2.1,",
                "`192.0.2.1` is no name that a host can be expected to have: it looks like an address",
            ),
            (
                b"192.0.2.1,,a\x1bb",
                "`a\\u{1b}b` is no HELO name: it is longer than 255 octets or holds a control character",
            ),
            (b"192.0.2.1,,\xff", "`\\xff` is not UTF-8; save the list as UTF-8 text"),
            (b"192.0.2.1\0,,", "`192.0.2.1\\u{0}` holds a NUL byte; save the list as UTF-8 text"),
        ] {
            for end in ["\r\n", "\n", "\r"] {
                let before =
                    ["", "ip,expected_name,helo_name", "192.0.2.9,\"\",\"\"", "# gone", "", ",,", ""];
                let mut csv = before.join(end).into_bytes();
                csv.extend_from_slice(row);
                csv.extend_from_slice(format!("{end}192.0.2.2,,{end}").as_bytes());
                let read = entries(&csv);
                assert_eq!(read.len(), 3, "{read:?}");
                assert_eq!(read[1], Err(format!("target list `hosts.csv` line 7: {said}")), "{end:?}");
                assert!(read[2].is_ok());
            }
        }
    }

    #[test]
    fn a_row_over_several_lines_is_named_by_its_first() {
        let csv = "ip,note\r\n192.0.2.1,\"a\r\nb\"\r\n1.2.3,\"a\r\nb\r\nc\"\r\n1.2.4,x";
        let read = entries(csv.as_bytes());
        assert!(
            read[1].as_ref().unwrap_err().starts_with("target list `hosts.csv` line 4: `1.2.3`"),
            "{read:?}"
        );
        assert!(
            read[2].as_ref().unwrap_err().starts_with("target list `hosts.csv` line 7: `1.2.4`"),
            "{read:?}"
        );
    }

    #[test]
    fn a_header_with_a_name_twice_is_refused() {
        for csv in ["ip,customer,Customer\n192.0.2.1,a,b", "target,target\n192.0.2.1,192.0.2.2"] {
            let read = entries(csv.as_bytes());
            assert_eq!(read.len(), 1);
            assert!(read[0].as_ref().unwrap_err().contains("the header has two columns `"), "{read:?}");
        }
    }

    #[test]
    fn an_open_quote_does_not_take_the_memory() {
        let mut csv = b"ip,note\n192.0.2.1,\"".to_vec();
        csv.resize(1_000_000, b'x');
        let read = entries(&csv);
        assert_eq!(
            read,
            [Err("target list `hosts.csv` line 2: the row is longer than 65536 bytes; is a `\"` left open?"
                .to_owned())]
        );
        let long_but_fine = format!("ip,note\n192.0.2.1,\"{}\"\n192.0.2.2,x\n", "y".repeat(60_000)).repeat(1);
        assert!(entries(long_but_fine.as_bytes()).iter().all(Result::is_ok));
    }
}
