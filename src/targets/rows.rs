//! The rows of a CSV list: each a target, if wished `expected_name` and `helo_name`, and tags in the order of
//! the file, of which `tenancy` may hold known words only.
//!
//! A quote that is left open would make one cell of all rows behind it, and an exclusion list with such a row
//! would exclude one address only. So an open quote at the end is an error, and so is a cell over a line end
//! that may hide rows.

use std::error::Error;
use std::io::{self, BufRead};
use std::sync::Arc;

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use crate::name::HostName;
use crate::targets::Inventory;
use crate::targets::bounded::{Bounded, END, READ_AHEAD, RowTooLong};
use crate::targets::error::{Place, Purpose, Shown, TargetError};
use crate::targets::header::{Columns, Lengths, LineEnds};
use crate::targets::line::{Entry, Kind, LineError, parse};

/// The longest HELO name, in octets (RFC 5321 §4.5.3.1.2).
const MAX_HELO: usize = 255;

/// The tag that says whose address it is, in any case; it travels with the records as any tag does, so that
/// the judgement of a stored record heeds it, too.
const TENANCY: &str = "tenancy";
/// What may stand in it.
const TENANCIES: [&str; 4] = ["shared", "dedicated", "unknown", ""];

fn is_tenancy(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case(TENANCY)
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
            // The reader's own count of lines does not know CRLF. The last byte taken is the row's line end,
            // or the LF of it is still to come; so the row ended on the line that holds the byte before.
            let consumed = self.reader.position().byte();
            self.line =
                self.lines_before + 1 + self.reader.get_mut().line_ends_before(consumed.saturating_sub(1));
            self.reader.get_mut().allow(consumed);
            if self.reader.get_mut().is_past_end(consumed) {
                let is_end = self.record.len() == 1 && self.record.get(0) == Some(b"x");
                let within = self.line_ends_within().saturating_sub(line_ends(END));
                let first = self.line.saturating_sub(within);
                let place = Place::Line(purpose, Arc::clone(list), first);
                return (!is_end).then_some(Err(TargetError::OpenQuote { place }));
            }
            if self.record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            if self.record.as_slice().contains(&b'\n')
                && let Some(error) = self.over_lines(purpose, list)
            {
                return Some(Err(error));
            }
            return Some(self.entry().map_err(|(value, wrong)| {
                let first = self.line.saturating_sub(self.line_ends_within());
                let place = Place::Line(purpose, Arc::clone(list), first);
                TargetError::Value { place, value: Shown(&value).to_string(), wrong }
            }));
        }
    }

    fn line_ends_within(&self) -> u64 {
        line_ends(self.record.as_slice())
    }

    /// What is wrong with a row over several lines, if anything is.
    fn over_lines(&self, purpose: Purpose, list: &Arc<str>) -> Option<TargetError> {
        let first = self.line.saturating_sub(self.line_ends_within());
        let place = || Place::Line(purpose, Arc::clone(list), first);
        let row = self.record.iter().find_map(|cell| self.row_in(cell));
        match (self.columns.line_ends, purpose, row) {
            (LineEnds::OfRows, Purpose::Exclusions, _) | (LineEnds::OfRows, Purpose::Targets, Some(_)) => {
                Some(TargetError::RowOverLines { place: place() })
            }
            (LineEnds::InCells, Purpose::Exclusions, Some(row)) => {
                Some(TargetError::RowInCell { place: place(), value: Shown(row).to_string() })
            }
            (LineEnds::InCells, Purpose::Targets, _) | (_, _, None) => None,
        }
    }

    /// A further line of a cell that has a target where a row has it.
    fn row_in<'c>(&self, cell: &'c [u8]) -> Option<&'c [u8]> {
        let mut lines = cell.split(|&byte| byte == b'\n').skip(1);
        lines.find(|line| {
            let target = line.split(|&byte| byte == self.columns.delimiter).nth(self.columns.target);
            let target = target.and_then(|cell| std::str::from_utf8(cell).ok()).unwrap_or_default();
            parse(target.trim_matches(|c: char| c == '"' || c.is_whitespace())).is_ok()
        })
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
        let kind = self.kind(asked).map_err(|e| wrong(asked, e))?;
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

/// How many lines end in some bytes.
fn line_ends(bytes: &[u8]) -> u64 {
    bytes.split(|&byte| byte == b'\n').count() as u64 - 1
}

impl<R> Rows<R> {
    fn kind(&self, asked: &str) -> Result<Kind, LineError> {
        // An address as its interface has it, with the length of its network: the network is not asked for.
        match asked.split_once('/') {
            Some((address, length))
                if self.columns.lengths == Lengths::Netmask && length.parse::<u8>().is_ok() =>
            {
                parse(address)
            }
            _ => parse(asked),
        }
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
    fn a_tenancy_is_one_of_the_known_words_and_travels_as_a_tag() {
        for word in ["shared", " Dedicated ", "unknown", ""] {
            let csv = format!("ip,Tenancy\n192.0.2.1,{word}\n");
            let read = entries(csv.as_bytes());
            let entry = read[0].as_ref().unwrap();
            assert_eq!(entry.inventory.as_deref(), Some(&inventory(None, None, &[("Tenancy", word)])));
        }
        let read = entries(b"ip,tenancy,note\n192.0.2.1,leased,leased\n");
        let wrong = read[0].as_ref().unwrap_err();
        assert!(
            wrong.ends_with("`leased` is no tenancy; write `shared` or `dedicated`, or leave it empty"),
            "{wrong}"
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

    fn read(purpose: Purpose, csv: &str) -> Vec<String> {
        let input = BufReader::with_capacity(5, csv.as_bytes());
        TargetList::new(input, purpose, "x.csv")
            .map(|item| item.map_or_else(|error| error.to_string(), |entry| entry.kind.to_string()))
            .collect()
    }

    #[test]
    fn an_open_quote_at_the_end_is_an_error_with_the_line_of_its_row() {
        for (csv, line) in [
            ("ip,reason\n9.9.9.1,\"asked us by mail\n9.9.9.2,abuse desk\n9.9.9.3,legal\n", 2),
            ("ip,reason\n9.9.9.1,\"asked us by mail", 2),
            ("ip,reason\r\n9.9.9.1,a\r\n9.9.9.2,\"b\r\n9.9.9.3,c\r\n", 3),
            ("ip,reason\n\n# x\n9.9.9.1,\"12\"\" rack\n9.9.9.2,x", 4),
            ("target,note\n\"9.9.9.1,x\n9.9.9.2,y\n", 2),
            ("ip\n\"9.9.9.1\n", 2),
            ("\"ip\",\"reason\"\n9.9.9.1,\"", 2),
            ("ip;reason\n9.9.9.1;\"a\n9.9.9.2;b", 2),
            ("ip\treason\n9.9.9.1\t\"a\n9.9.9.2\tb", 2),
        ] {
            for purpose in [Purpose::Targets, Purpose::Exclusions] {
                let told = read(purpose, csv);
                let message = format!(
                    "{purpose} list `x.csv` line {line}: a `\"` is left open; close it, or double it if it is part of a text"
                );
                assert_eq!(told.last(), Some(&message), "{csv:?}");
            }
        }
        for csv in ["ip,note\n9.9.9.1,\"x\"", "ip\n9.9.9.1", "ip\n9.9.9.1\nx.example", "ip\n9.9.9.1\n# x"] {
            assert_eq!(read(Purpose::Exclusions, csv)[0], "9.9.9.1", "{csv:?}");
        }
        assert_eq!(read(Purpose::Targets, "ip\nx").len(), 1, "the mark of the end is told from such a row");
    }

    #[test]
    fn a_cell_over_a_line_end_hides_no_row() {
        let hidden = "9.9.9.1,\"asked us\n9.9.9.2,on paper\"\n9.9.9.3,legal\n";
        let prose = "9.9.9.1,\"asked us\non paper\"\n9.9.9.3,legal\n";
        let over = |purpose| {
            format!(
                "{purpose} list `x.csv` line 2: a quoted cell goes on over the line end and may hide rows; is a `\"` left \
                 open? if not, put every name of the header in quotes, as `\"ip\",\"reason\"`, to say that cells may hold \
                 line ends"
            )
        };
        let (bare, quoted) = ("ip,reason\n", "\"ip\",\"reason\"\n");
        let all = vec!["9.9.9.1".to_owned(), "9.9.9.3".to_owned()];
        let inner = "exclusion list `x.csv` line 2: a quoted cell holds the line `9.9.9.2,on paper`, which reads as a row; \
                     is a `\"` left open?";
        for (header, rows, purpose, told) in [
            (bare, hidden, Purpose::Exclusions, vec![over(Purpose::Exclusions)]),
            (bare, prose, Purpose::Exclusions, vec![over(Purpose::Exclusions)]),
            (quoted, hidden, Purpose::Exclusions, vec![inner.to_owned()]),
            (quoted, prose, Purpose::Exclusions, all.clone()),
            (bare, hidden, Purpose::Targets, vec![over(Purpose::Targets)]),
            (bare, prose, Purpose::Targets, all.clone()),
            (quoted, hidden, Purpose::Targets, all.clone()),
        ] {
            assert_eq!(read(purpose, &format!("{header}{rows}")), told, "{purpose} {header}{rows}");
        }
        // Text behind a closing quote and quotes within a text hide nothing.
        let odd = "ip,reason\n9.9.9.1,\"12\" rack\n9.9.9.2,x\n9.9.9.3,y \"z\"\n9.9.9.4,z\n";
        assert_eq!(read(Purpose::Exclusions, odd), ["9.9.9.1", "9.9.9.2", "9.9.9.3", "9.9.9.4"]);
    }

    #[test]
    fn an_address_of_netbox_loses_the_length_of_its_network() {
        let csv = "id,address,status\n1,192.0.2.7/24,active\n2,2001:db8::7/64,active\n3,192.0.2.9,x\n4,192.0.2.1/x,x\n";
        let told = read(Purpose::Targets, csv);
        assert_eq!(told[..3], ["192.0.2.7", "2001:db8::7", "192.0.2.9"]);
        assert!(told[3].contains("`192.0.2.1/x` has no length behind the `/`"), "{told:?}");
        assert!(read(Purpose::Targets, "address,x\n192.0.2.7/24,a")[0].contains("has bits set behind"));
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
