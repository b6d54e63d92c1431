//! The one list of a record's columns: header and cells of every table come from it, in this order.
//!
//! Behind [`COLUMNS`] stands one column `tag_NAME` for each tag. A null is an empty cell, and so is a list of
//! findings or names that holds none; lists are joined as [`super::list`] has it.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::field;
use super::{AddressFamily, Record, cell, escape, json, list, time};
use crate::evidence::{Forward, Resolution};
use crate::judge::what_if::{Remedies, Remedy};
use crate::judge::{Fcrdns, Relation, Severity, Verdict};

/// What stands in front of a tag's name in a header.
pub const TAG: &str = "tag_";

/// Stands in `clears_by` where no single change is enough: an empty cell says that there is nothing to clear.
pub const NO_REMEDY: &str = "none";

/// What a cell holds, for those who treat texts of strangers with care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, ours or a stranger's.
    Text,
    /// Digits, and perhaps a point.
    Number,
}

/// Whether there is anything to be told in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// Nothing is known, or there is nothing.
    Null,
    /// What was written is the value, also if it is empty.
    Value,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The name in the header.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: Kind,
    cell: fn(&Record, &mut String) -> Filled,
}

impl Column {
    /// Appends the cell of a record.
    pub fn cell(&self, record: &Record, cell: &mut String) -> Filled {
        (self.cell)(record, cell)
    }
}

/// The columns that every table has.
pub static COLUMNS: [Column; 31] = [
    text("ip", |r, cell| put(cell, r.target.ip)),
    number("port", |r, cell| put(cell, Some(r.target.port))),
    text("asked", |r, cell| put(cell, Some(&r.target.asked))),
    text("outcome", |r, cell| put(cell, Some(r.outcome_word()))),
    text("verdict", |r, cell| put(cell, r.judgement.verdict.map(Verdict::as_str))),
    text("severity", |r, cell| put(cell, r.judgement.severity.map(Severity::as_str))),
    text("findings", |r, cell| words(cell, r.judgement.findings.iter().map(|it| it.code.as_str()))),
    number("code", |r, cell| put(cell, r.code())),
    text("banner", banner),
    text("banner_name", |r, cell| put(cell, r.judgement.banner_name.as_deref())),
    text("ehlo_name", |r, cell| put(cell, r.judgement.ehlo_name.as_deref())),
    text("ptr_status", |r, cell| put(cell, dns(r).map(|dns| r.status_word(dns.ptr, field::PTR_STATUS, 0)))),
    text("ptr_names", |r, cell| words(cell, dns(r).iter().flat_map(|dns| &dns.names).map(|ptr| &ptr.name))),
    text("fcrdns", |r, cell| put(cell, r.judgement.fcrdns.filter(|_| dns(r).is_some()).map(Fcrdns::as_str))),
    text("banner_forward_status", |r, cell| {
        put(cell, banner_forward(r).map(|it| r.status_word(it.status, field::BANNER_FORWARD, 0)))
    }),
    text("banner_forward_confirms", |r, cell| {
        put(cell, banner_forward(r).and_then(|it| it.confirms(r.evidence.ip)))
    }),
    text("relation", |r, cell| put(cell, r.judgement.relation.map(Relation::as_str))),
    text("platform", |r, cell| put(cell, r.judgement.platform.as_ref().map(|it| it.name))),
    text("tenancy", |r, cell| put(cell, Some(r.judgement.tenancy.as_str()))),
    text("prefix", |r, cell| put(cell, r.prefix())),
    number("asn", |r, cell| put(cell, r.network.as_ref().map(|it| it.asn))),
    text("as_name", |r, cell| put(cell, r.network.as_ref().and_then(|it| it.name.as_deref()))),
    number("connect_ms", |r, cell| milliseconds(cell, r.evidence.observation.connect)),
    number("banner_ms", |r, cell| milliseconds(cell, r.evidence.observation.banner)),
    text("time", |r, cell| {
        cell.extend(time::format(r.time).iter().map(|&b| char::from(b)));
        Filled::Value
    }),
    text("expected_name", |r, cell| {
        put(cell, r.target.inventory.as_deref().and_then(|it| it.expected_name.as_deref()))
    }),
    text("accepted", |r, cell| words(cell, r.judgement.accepted.iter().map(|it| it.code.as_str()))),
    text("clears_by", |r, cell| match r.judgement.clears_by {
        Some(remedies) if remedies == Remedies::default() => put(cell, Some(NO_REMEDY)),
        Some(remedies) => words(cell, remedies.iter().map(Remedy::as_str)),
        None => Filled::Null,
    }),
    text("unresolved_family", |r, cell| {
        let family = r.target.unresolved.and_then(|it| it.family).map(AddressFamily::as_str);
        put(cell, family.or_else(|| r.foreign.get(field::UNRESOLVED_FAMILY)))
    }),
    text("unresolved_status", |r, cell| {
        put(cell, r.target.unresolved.map(|it| r.status_word(it.status, field::UNRESOLVED_STATUS, 0)))
    }),
    text("fix", |r, cell| words(cell, &r.judgement.fix)),
];

/// The value of a tag; `None` where the record has no such tag.
pub fn tag<'r>(record: &'r Record, name: &str) -> Option<&'r str> {
    let tags = &record.target.inventory.as_deref()?.tags;
    tags.iter().find(|(header, _)| &**header == name).map(|(_, value)| value.as_str())
}

const fn text(name: &'static str, cell: fn(&Record, &mut String) -> Filled) -> Column {
    Column { name, kind: Kind::Text, cell }
}

const fn number(name: &'static str, cell: fn(&Record, &mut String) -> Filled) -> Column {
    Column { name, kind: Kind::Number, cell }
}

fn put(cell: &mut String, value: Option<impl Display>) -> Filled {
    let Some(value) = value else { return Filled::Null };
    // Writing to a `String` does not fail.
    let _ = write!(cell, "{value}");
    Filled::Value
}

/// A list whose items hold no `;` and are never empty. None of them is an empty cell.
fn words(cell: &mut String, words: impl IntoIterator<Item = impl Display>) -> Filled {
    let mut filled = Filled::Null;
    for (place, word) in words.into_iter().enumerate() {
        if place > 0 {
            cell.push(list::JOIN);
        }
        filled = put(cell, Some(word));
    }
    filled
}

fn banner(record: &Record, cell: &mut String) -> Filled {
    let Some(greeting) = &record.evidence.observation.greeting else { return Filled::Null };
    for (place, line) in greeting.text.lines().enumerate() {
        let line = escape::escape(line);
        match line.as_bytes().first() {
            // A spreadsheet that parts cells at `;` takes each line for a cell of its own.
            Some(&first) if place > 0 && cell::needs_guard(&line) => {
                let hex = escape::hex(first).map(char::from);
                list::push(cell, place, Some(&format!("\\x{}{}{}", hex[0], hex[1], &line[1..])));
            }
            _ => list::push(cell, place, Some(&line)),
        }
    }
    Filled::Value
}

fn milliseconds(cell: &mut String, duration: Option<Duration>) -> Filled {
    let Some(tenths) = duration.map(json::tenths) else { return Filled::Null };
    put(cell, Some(format_args!("{}.{}", tenths / 10, tenths % 10)))
}

fn dns(record: &Record) -> Option<&Resolution> {
    record.evidence.resolution.as_ref()
}

fn banner_forward(record: &Record) -> Option<&Forward> {
    dns(record).map(|dns| &dns.banner_forward)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_are_the_documented_ones_in_order() {
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(
            names.join(","),
            "ip,port,asked,outcome,verdict,severity,findings,code,banner,banner_name,ehlo_name,ptr_status,ptr_names,\
             fcrdns,banner_forward_status,banner_forward_confirms,relation,platform,tenancy,prefix,asn,as_name,\
             connect_ms,banner_ms,time,expected_name,accepted,clears_by,unresolved_family,unresolved_status,fix"
        );
    }
}
