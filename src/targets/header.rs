//! The header of a CSV list: which column holds the targets, what the others stand for, and whether cells may
//! hold line ends. Knows no row.

use std::sync::Arc;

use crate::targets::cells::{split_cells, split_cells_untrimmed};
use crate::targets::error::{Place, Shown, TargetError};

/// What inventories and scanners call the column of the targets, the first found counts; see [`plain_name`].
pub(super) const TARGET_NAMES: [&str; 10] =
    ["target", "ip", "ipaddress", "ipaddr", "saddr", "address", "hostname", "host", "fqdn", "dnsname"];

/// What each column of a header stands for.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) delimiter: u8,
    pub(super) count: usize,
    pub(super) target: usize,
    pub(super) lengths: Lengths,
    pub(super) line_ends: LineEnds,
    pub(super) expected_name: Option<usize>,
    pub(super) helo_name: Option<usize>,
    pub(super) tags: Vec<(usize, Arc<str>)>,
}

/// What a prefix length in the column of the targets means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lengths {
    /// All addresses of the prefix.
    Prefix,
    /// The netmask of an interface that has this one address, as `NetBox` exports them.
    Netmask,
}

/// Whether a quoted cell may go on over a line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// The header's names are quoted, each of them, as a program writes them that quotes every text: a quote
    /// in a row is then no slip of a person's.
    InCells,
    /// A quote that is still open where its line ends may be one that was forgotten.
    OfRows,
}

impl Columns {
    /// The columns of a first line that is a CSV header: comma, semicolon, tab or bar between them, one of
    /// them a name of [`TARGET_NAMES`]. `None` if it is a plain line.
    pub(super) fn of_header(line: &[u8], place: Place) -> Result<Option<Self>, TargetError> {
        for delimiter in [b',', b';', b'\t', b'|'] {
            let names = split_cells(line, delimiter);
            let find = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
            let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
            let Some(target) =
                TARGET_NAMES.iter().find_map(|known| plain.iter().position(|name| name == known))
            else {
                continue;
            };
            if is_left_open(line, delimiter) {
                return Err(TargetError::OpenQuote { place });
            }
            if let Some(twice) = find_twice(&names) {
                return Err(TargetError::TwoColumns { place, column: Shown(twice.as_bytes()).to_string() });
            }
            let (expected_name, helo_name) = (find("expected_name"), find("helo_name"));
            let is_tag = |&(column, name): &(usize, &String)| {
                ![Some(target), expected_name, helo_name].contains(&Some(column)) && !name.is_empty()
            };
            let tags = names.iter().enumerate().filter(is_tag).map(|(c, n)| (c, n.as_str().into())).collect();
            return Ok(Some(Self {
                delimiter,
                count: names.len(),
                target,
                lengths: lengths_of(&plain, target),
                line_ends: line_ends_of(line, delimiter),
                expected_name,
                helo_name,
                tags,
            }));
        }
        Ok(None)
    }
}

/// A column's name without case and what stands between its words: `IP Address` is `ip_address` is
/// `ipaddress`.
pub(super) fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|letter| !matches!(letter, ' ' | '_' | '-' | '.'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// `NetBox` exports its addresses with the length of their network, beside a column `id` and a column
/// `status`.
fn lengths_of(plain: &[String], target: usize) -> Lengths {
    let has = |wanted: &str| plain.iter().any(|name| name == wanted);
    let is_address = matches!(plain[target].as_str(), "address" | "ipaddress");
    if is_address && has("id") && has("status") { Lengths::Netmask } else { Lengths::Prefix }
}

fn line_ends_of(line: &[u8], delimiter: u8) -> LineEnds {
    let is_quoted = |cell: &[u8]| {
        let cell = cell.trim_ascii();
        cell.len() > 2 && cell.starts_with(b"\"") && cell.ends_with(b"\"")
    };
    if line.split(|&byte| byte == delimiter).all(is_quoted) { LineEnds::InCells } else { LineEnds::OfRows }
}

/// Whether a quote is open where the line ends. What stands behind the line end is then read as part of its
/// last cell.
fn is_left_open(line: &[u8], delimiter: u8) -> bool {
    let ended = [line, b"\n"].concat();
    split_cells_untrimmed(&ended, delimiter).last().is_some_and(|cell| cell.ends_with(b"\n"))
}

fn find_twice(names: &[String]) -> Option<&String> {
    names.iter().enumerate().find_map(|(at, name)| {
        let again = names[..at].iter().any(|other| other.eq_ignore_ascii_case(name));
        (again && !name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::error::Purpose;

    fn columns(line: &str) -> Option<Columns> {
        let place = Place::Line(Purpose::Targets, "x.csv".into(), 1);
        Columns::of_header(line.as_bytes(), place).unwrap()
    }

    #[test]
    fn names_that_inventories_use_are_read_in_any_case() {
        for (header, target) in [
            ("target", 0),
            ("ip;target", 1),
            ("hostname,ip", 1),
            ("IP Address", 0),
            ("\"Host Name\",\"IP Address\"", 1),
            ("ip_address\thostname", 0),
            ("saddr", 0),
            ("saddr,daddr,sport", 0),
            ("id,address,status", 1),
            ("HOSTNAME", 0),
            ("Name,FQDN", 1),
            ("name;dns_name", 1),
            ("ip|reason", 0),
        ] {
            assert_eq!(columns(header).map(|columns| columns.target), Some(target), "{header}");
        }
        for plain in ["192.0.2.1", "mail.example.org", "daddr", "name,comment", "a.ip", "", "ips,targets"] {
            assert!(columns(plain).is_none(), "{plain}");
        }
    }

    #[test]
    fn only_beside_id_and_status_is_a_length_a_netmask() {
        for (header, lengths) in [
            ("id,address,vrf,status", Lengths::Netmask),
            ("ID,IP Address,Status", Lengths::Netmask),
            ("address,status", Lengths::Prefix),
            ("id,address", Lengths::Prefix),
            ("id,target,address,status", Lengths::Prefix),
        ] {
            assert_eq!(columns(header).unwrap().lengths, lengths, "{header}");
        }
    }

    #[test]
    fn a_header_with_every_name_quoted_says_that_cells_may_hold_line_ends() {
        for (header, line_ends) in [
            ("\"ip\",\"reason\"", LineEnds::InCells),
            ("\"ip\"", LineEnds::InCells),
            ("\"ip\"; \"reason\"", LineEnds::InCells),
            ("ip,reason", LineEnds::OfRows),
            ("ip,\"reason\"", LineEnds::OfRows),
            ("\"ip\",reason", LineEnds::OfRows),
        ] {
            assert_eq!(columns(header).unwrap().line_ends, line_ends, "{header}");
        }
    }

    #[test]
    fn a_header_with_an_open_quote_is_refused() {
        for header in ["ip,\"reason", "\"ip", "ip,\"a\"\"", "note,\"ip"] {
            let place = Place::Line(Purpose::Exclusions, "x.csv".into(), 1);
            let wrong = Columns::of_header(header.as_bytes(), place).unwrap_err();
            assert!(wrong.to_string().contains("a `\"` is left open"), "{header}: {wrong}");
        }
    }
}
