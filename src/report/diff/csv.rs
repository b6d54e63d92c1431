//! A comparison as a table: one row a host, those that did not change included.

use std::io::{self, Write};
use std::net::IpAddr;

use super::{Entry, Host, State};
use crate::judge::{Code, Verdict};
use crate::record::cell::needs_guard;
use crate::record::list::JOIN;
use crate::record::time;

/// The columns of one side, behind `old_` and `new_`.
const SIDE: [&str; 5] = ["outcome", "verdict", "banner_name", "ptr_names", "trouble"];

/// Writes a header and the rows. A host that a side has no record of has empty cells there.
pub fn write(entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    let sides = ["old", "new"].iter().flat_map(|side| SIDE.map(|column| format!("{side}_{column}")));
    let header = ["change", "ip", "port"].map(str::to_owned).into_iter().chain(sides);
    let header = header.chain(["since", "moved", "moved_to", "moved_from", "asked"].map(str::to_owned));
    table.write_record(header)?;
    for entry in entries {
        let Host { ip, port, asked } = entry.host;
        let host = [entry.change.as_str().to_owned(), ip.to_string(), port.to_string()];
        let address = |ip: Option<IpAddr>| ip.map(|ip| ip.to_string()).unwrap_or_default();
        let more = [
            entry.since().map(time::to_string).unwrap_or_default(),
            // The column of before: where one of the two is.
            address(entry.moved_to.or(entry.moved_from)),
            address(entry.moved_to),
            address(entry.moved_from),
            guarded(asked.as_deref().unwrap_or_default().to_owned()),
        ];
        table.write_record(host.into_iter().chain(side(entry.old)).chain(side(entry.new)).chain(more))?;
    }
    table.flush()
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
             new_outcome,new_verdict,new_banner_name,new_ptr_names,new_trouble,since,moved,moved_to,moved_from,asked\n\
             gone,192.0.2.1,25,greeted,no_ptr,\"'=1+1,\"\"x\",mail.example.org,ptr_missing,,,,,,,,,,\n"
        );
    }
}
