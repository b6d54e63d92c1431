//! Tables of ranges, comma or tab between their cells: `start,end,asn,name`, iptoasn's
//! `start end asn country name`, or anything with a header that names its columns. Where ranges overlap, the
//! narrowest counts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use super::ranges::Ranges;
use super::{AsnError, number};
use crate::prefix::{Prefix, parse_address};
use crate::record::Network;
use crate::report::format::Format;
use crate::report::input::Input;

/// The longest row, in bytes.
const MAX_ROW: u64 = 1 << 16;
/// What may stand above each column, small letters.
const NAMES: [(&[&str], Column); 5] = [
    (&["start", "first", "range_start", "start_ip", "ip_from"], Column::Start),
    (&["end", "last", "range_end", "end_ip", "ip_to"], Column::End),
    (&["network", "prefix", "cidr"], Column::Network),
    (&["asn", "as_number", "autonomous_system_number"], Column::Number),
    (&["name", "as_name", "as_description", "organization", "autonomous_system_organization"], Column::Name),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Start,
    End,
    Network,
    Number,
    Name,
}

/// Where the columns stand.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    start: Option<usize>,
    end: Option<usize>,
    network: Option<usize>,
    number: Option<usize>,
    name: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    /// Each with the place of its system in `systems`.
    ranges: Ranges,
    systems: Vec<Network>,
}

/// What comments at the head of a table say of it: `# date: 2026-01-02`, `# licence: …`.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) date: Option<String>,
    pub(super) licence: Option<String>,
}

impl Table {
    pub(super) fn open(path: &Path, shown: &str) -> Result<(Self, Said), AsnError> {
        let mut table = Self::default();
        let said = table.read(Input::open(path, Some(Format::Csv))?.into_text(), shown)?;
        table.systems.shrink_to_fit();
        Ok((table, said))
    }

    fn read(&mut self, mut text: impl BufRead, path: &str) -> Result<Said, AsnError> {
        let (mut said, mut layout, mut known) = (Said::default(), None, HashMap::new());
        let mut bytes = Vec::new();
        for number in 1.. {
            let row = |reason| AsnError::Row { path: path.to_owned(), line: number, reason };
            let unread = |source| AsnError::Read { path: path.to_owned(), source };
            bytes.clear();
            if text.by_ref().take(MAX_ROW).read_until(b'\n', &mut bytes).map_err(unread)? == 0 {
                break;
            }
            let line = std::str::from_utf8(&bytes).map_err(|_| row("is not UTF-8"))?;
            let line = line.trim_start_matches('\u{feff}').trim();
            if let Some(comment) = line.strip_prefix('#') {
                said.hear(comment);
                continue;
            }
            if line.is_empty() {
                continue;
            }
            let Some((columns, delimiter)) = layout else {
                let delimiter = if line.contains('\t') { b'\t' } else { b',' };
                let cells = cells(line, delimiter);
                let (columns, is_header) = Columns::of(&cells).ok_or_else(|| {
                    row("names no columns that are known; write `start,end,asn,name` or `network,asn,name`")
                })?;
                layout = Some((columns, delimiter));
                if !is_header {
                    self.add(columns, &cells, &mut known).map_err(row)?;
                }
                continue;
            };
            self.add(columns, &cells(line, delimiter), &mut known).map_err(row)?;
        }
        self.ranges.settle();
        Ok(said)
    }

    fn add(
        &mut self,
        columns: Columns,
        cells: &[Cow<'_, str>],
        known: &mut HashMap<(u32, String), u32>,
    ) -> Result<(), &'static str> {
        let cell = |place: Option<usize>| place.and_then(|place| cells.get(place)).map(|cell| cell.trim());
        let asn = cell(columns.number).and_then(number).ok_or("has no number of a system, as `64500`")?;
        if asn == 0 {
            return Ok(());
        }
        let name = cell(columns.name).unwrap_or_default();
        let next = u32::try_from(self.systems.len()).map_err(|_| "is one system too many")?;
        let at = *known.entry((asn, name.to_owned())).or_insert(next);
        if at == next {
            self.systems.push(Network { asn, name: (!name.is_empty()).then(|| Arc::from(name)) });
        }
        if let Some(network) = cell(columns.network) {
            let prefix = Prefix::parse(network).map_err(|_| "has no prefix, as `192.0.2.0/24`")?;
            self.ranges.push(prefix.first(), prefix.last(), at);
            return Ok(());
        }
        let ends = (cell(columns.start).and_then(address), cell(columns.end).and_then(address));
        let (Some(start), Some(end)) = ends else {
            return Err("has no range of addresses, as `192.0.2.0,192.0.2.255`");
        };
        let is_range = self.ranges.push(start, end, at);
        is_range.then_some(()).ok_or("has a range that ends before it starts, or in another family")
    }

    /// Whether no row names a system.
    pub(super) fn is_empty(&self) -> bool {
        self.systems.is_empty()
    }

    pub(super) fn network(&self, ip: IpAddr) -> Option<Network> {
        self.systems.get(self.ranges.get(ip)? as usize).cloned()
    }

    /// The prefixes of a system.
    pub(super) fn prefixes(&self, asn: u32) -> Vec<Prefix> {
        self.ranges.prefixes(|at| self.systems.get(at as usize).is_some_and(|system| system.asn == asn))
    }
}

impl Columns {
    /// Reads the first row: a header, or a row whose number of cells tells what they are.
    fn of(cells: &[Cow<'_, str>]) -> Option<(Self, bool)> {
        if cells.first().and_then(|cell| address(cell.trim())).is_some() {
            let name = match cells.len() {
                3 => None,
                4 => Some(3),
                5.. => Some(4),
                _ => return None,
            };
            let found = Self { start: Some(0), end: Some(1), number: Some(2), name, ..Self::default() };
            return Some((found, false));
        }
        let mut found = Self::default();
        for (place, cell) in cells.iter().enumerate() {
            let cell = cell.trim().to_ascii_lowercase();
            let Some((_, column)) = NAMES.iter().find(|(names, _)| names.contains(&cell.as_str())) else {
                continue;
            };
            match column {
                Column::Start => found.start = Some(place),
                Column::End => found.end = Some(place),
                Column::Network => found.network = Some(place),
                Column::Number => found.number = Some(place),
                Column::Name => found.name = Some(place),
            }
        }
        let ranges = found.network.is_some() || found.start.is_some() && found.end.is_some();
        (ranges && found.number.is_some()).then_some((found, true))
    }
}

impl Said {
    fn hear(&mut self, comment: &str) {
        let Some((word, text)) = comment.split_once(':') else { return };
        let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        match word.trim().to_ascii_lowercase().as_str() {
            "date" => self.date = text,
            "licence" | "license" => self.licence = text,
            _ => {}
        }
    }
}

/// The cells of a line. Tabs are never quoted; commas may be (RFC 4180).
fn cells(line: &str, delimiter: u8) -> Vec<Cow<'_, str>> {
    if delimiter == b'\t' || !line.contains('"') {
        return line.split(char::from(delimiter)).map(Cow::Borrowed).collect();
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_bytes());
    let row = reader.records().next().and_then(Result::ok).unwrap_or_default();
    row.iter().map(|cell| Cow::Owned(cell.to_owned())).collect()
}

/// An address as tables write it; a bare number is one of IPv4.
fn address(text: &str) -> Option<IpAddr> {
    parse_address(text).ok().or_else(|| text.parse().ok().map(|number: u32| Ipv4Addr::from(number).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<Table, String> {
        let mut table = Table::default();
        let read = table.read(text.as_bytes(), "a.csv");
        read.map(|_| table).map_err(|wrong| wrong.to_string())
    }

    fn of(table: &Table, ip: &str) -> Option<(u32, Option<String>)> {
        table.network(ip.parse().unwrap()).map(|it| (it.asn, it.name.map(|name| name.to_string())))
    }

    #[test]
    fn every_shape_of_table_is_read() {
        let named = Some((64500, Some("EXAMPLE".to_owned())));
        for (text, found) in [
            ("192.0.2.0,192.0.2.255,64500,EXAMPLE\n", named.clone()),
            ("192.0.2.0\t192.0.2.255\t64500\tZZ\tEXAMPLE\n", named.clone()),
            ("start,end,asn,name\n192.0.2.0,192.0.2.255,AS64500,EXAMPLE\n", named.clone()),
            ("NAME,ASN,END,START\nEXAMPLE,64500,192.0.2.255,192.0.2.0\n", named.clone()),
            (
                "network,autonomous_system_number,autonomous_system_organization\n192.0.2.0/24,64500,EXAMPLE\n",
                named.clone(),
            ),
            ("3221225984,3221226239,64500,\"EXAMPLE\"\n", named.clone()),
            ("192.0.2.0,192.0.2.255,64500\n", Some((64500, None))),
            (
                "192.0.2.0,192.0.2.255,64500,EXAMPLE\n192.0.2.4,192.0.2.9,64501,INNER\n",
                Some((64501, Some("INNER".to_owned()))),
            ),
            // The pieces of an outer range that are short prefixes don't hide an inner one.
            (
                "192.0.2.1,192.0.2.8,64500,OUTER\n192.0.2.6,192.0.2.7,64501,INNER\n192.0.2.2,192.0.2.9,64502,OTHER\n",
                Some((64501, Some("INNER".to_owned()))),
            ),
            ("192.0.2.0\t192.0.2.255\t0\tNone\tNot routed\n", None),
            ("192.0.2.0,192.0.2.6,64500,EXAMPLE\n", None),
            ("2001:db8::,2001:db8::ffff,64500,EXAMPLE\n", None),
        ] {
            assert_eq!(of(&table(text).unwrap(), "192.0.2.7"), found, "{text}");
        }
        let v6 = table("2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,64500,EXAMPLE\n").unwrap();
        assert_eq!(of(&v6, "2001:db8::1"), named);
        assert_eq!(v6.prefixes(64500).len(), 1);
    }

    #[test]
    fn a_row_that_says_nothing_stops_with_its_line() {
        for (text, told) in [
            ("192.0.2.0,192.0.2.255,64500,A\n192.0.2.0,x,64500,A\n", "line 2 has no range of addresses"),
            (
                "192.0.2.0,192.0.2.255,64500,A\n\n192.0.2.0,192.0.2.255,none,A\n",
                "line 3 has no number of a system",
            ),
            ("192.0.2.9,192.0.2.0,64500,A\n", "line 1 has a range that ends before it starts"),
            ("192.0.2.0,2001:db8::,64500,A\n", "line 1 has a range that ends before it starts"),
            ("a,b,c\n", "line 1 names no columns that are known"),
            ("192.0.2.0,192.0.2.255\n", "line 1 names no columns that are known"),
            ("network,asn\n192.0.2.5/24,64500\n", "line 2 has no prefix"),
            ("start,end,asn\n192.0.2.0,192.0.2.255,AS4294967296\n", "line 2 has no number of a system"),
        ] {
            let wrong = table(text).unwrap_err();
            assert!(wrong.starts_with(&format!("ASN data `a.csv` {told}")), "{text}: {wrong}");
        }
    }
}
