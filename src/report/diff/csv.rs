//! A comparison as a table: one row a host, those that did not change included.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::IpAddr;

use super::{Entry, Host, State};
use crate::judge::{Code, Verdict};
use crate::record::cell::needs_guard;
use crate::record::column::TAG;
use crate::record::list::JOIN;
use crate::record::time;

/// The columns of one side, behind `old_` and `new_`.
const SIDE: [&str; 5] = ["outcome", "verdict", "banner_name", "ptr_names", "trouble"];

/// Writes a header and the rows. A host that a side has no record of has empty cells there; behind the other
/// columns stands one for each tag that a host has.
pub fn write(entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    let names: BTreeSet<&str> = entries.iter().flat_map(Entry::tags).map(|(name, _)| &**name).collect();
    let mut table = csv::Writer::from_writer(out);
    let tags = names.iter().map(|name| guarded(format!("{TAG}{name}")));
    table.write_record(header().chain(tags))?;
    for entry in entries {
        let tag = |name: &&str| entry.tags().iter().find(|(tag, _)| **tag == **name);
        let tags = names
            .iter()
            .map(|name| guarded(tag(name).map_or_else(String::new, |(_, value)| value.to_string())));
        table.write_record(cells(entry).chain(tags))?;
    }
    table.flush()
}

/// Appends the header of a list of one group.
pub fn put_header(line: &mut Vec<u8>) {
    put(line, header().chain(["tags".to_owned()]));
}

/// Appends the row of a host to such a list, all its tags in one cell.
pub fn put_row(entry: &Entry<'_>, line: &mut Vec<u8>) {
    let tags = entry.tags().iter().map(|(name, value)| format!("{name}={value}"));
    let tags = tags.collect::<Vec<_>>().join(&JOIN.to_string());
    put(line, cells(entry).chain([guarded(tags)]));
}

fn put(line: &mut Vec<u8>, cells: impl Iterator<Item = String>) {
    let mut table = csv::Writer::from_writer(line);
    // Memory takes it.
    let _ = table.write_record(cells.collect::<Vec<_>>());
    let _ = table.flush();
}

fn header() -> impl Iterator<Item = String> {
    let sides = ["old", "new"].iter().flat_map(|side| SIDE.map(|column| format!("{side}_{column}")));
    let header = ["change", "ip", "port"].map(str::to_owned).into_iter().chain(sides);
    header.chain(["since", "moved", "moved_to", "moved_from", "asked", "fix"].map(str::to_owned))
}

fn cells(entry: &Entry<'_>) -> impl Iterator<Item = String> {
    let Host { ip, port, asked } = entry.host;
    let host = [entry.change.as_str().to_owned(), ip.to_string(), port.to_string()];
    let address = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
    let fix: Vec<String> = entry.new.iter().flat_map(|state| &state.fix).map(ToString::to_string).collect();
    let more = [
        entry.since().map(time::to_string).unwrap_or_default(),
        // The column of before: where one of the two is.
        address(entry.moved_to.or(entry.moved_from)),
        address(entry.moved_to),
        address(entry.moved_from),
        guarded(asked.as_deref().unwrap_or_default().to_owned()),
        fix.join(&JOIN.to_string()),
    ];
    host.into_iter().chain(side(entry.old)).chain(side(entry.new)).chain(more)
}

fn side(state: Option<&State>) -> [String; SIDE.len()] {
    let Some(state) = state else { return Default::default() };
    let join = |words: &mut dyn Iterator<Item = &str>| {
        let mut cell = String::new();
        for word in words {
            if !cell.is_empty() {
                cell.push(JOIN);
            }
            cell.push_str(word);
        }
        cell
    };
    [
        state.outcome.as_str().to_owned(),
        state.verdict.map(Verdict::as_str).unwrap_or_default().to_owned(),
        guarded(state.banner_name.as_deref().unwrap_or_default().to_owned()),
        guarded(join(&mut state.ptr_names.iter().map(String::as_str))),
        join(&mut state.trouble.iter().map(Code::as_str)),
    ]
}

/// A text that no spreadsheet runs.
fn guarded(text: String) -> String {
    if needs_guard(&text) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{row, scan};
    use super::*;
    use crate::record::row::Row;

    #[test]
    fn a_row_holds_both_sides_and_no_formula() {
        let hostile =
            Row { banner_name: Some("=1+1,\"x".into()), ..row(1, Verdict::NoPtr, &[Code::PtrMissing]) };
        let (old, new) = (scan(&[hostile]), scan(&[]));
        let mut out = Vec::new();
        write(&old.compare(&new), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "change,ip,port,old_outcome,old_verdict,old_banner_name,old_ptr_names,old_trouble,\
             new_outcome,new_verdict,new_banner_name,new_ptr_names,new_trouble,since,moved,moved_to,moved_from,asked,fix\n\
             gone,192.0.2.1,25,greeted,no_ptr,\"'=1+1,\"\"x\",mail.example.org,ptr_missing,,,,,,,,,,,\n"
        );
    }
}
