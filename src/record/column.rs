//! The one list of a record's columns: header and cells of every table come from it, in this order.
//!
//! Behind [`COLUMNS`] stands one column `tag_NAME` for each tag. A null is an empty cell; lists are joined with `;`.

use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::read::field;
use super::{AddressFamily, Record, escape, json, time};
use crate::evidence::{Forward, Resolution};
use crate::judge::what_if::{Remedies, Remedy};
use crate::judge::{Fcrdns, Relation, Severity, Verdict};

/// What stands in front of a tag's name in a header.
pub const TAG: &str = "tag_";

/// What joins the parts of a list in one cell.
pub const JOIN: char = ';';

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

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The name in the header.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: Kind,
    cell: fn(&Record, &mut String),
}

impl Column {
    /// Appends the cell of a record.
    pub fn cell(&self, record: &Record, cell: &mut String) {
        (self.cell)(record, cell);
    }
}

/// The columns that every table has.
pub static COLUMNS: [Column; 30] = [
    text("ip", |r, cell| put(cell, r.target.ip)),
    number("port", |r, cell| put(cell, Some(r.target.port))),
    text("asked", |r, cell| cell.push_str(&r.target.asked)),
    text("outcome", |r, cell| cell.push_str(r.outcome_word())),
    text("verdict", |r, cell| put(cell, r.judgement.verdict.map(Verdict::as_str))),
    text("severity", |r, cell| put(cell, r.judgement.severity.map(Severity::as_str))),
    text("findings", |r, cell| list(cell, r.judgement.findings.iter().map(|it| it.code.as_str()))),
    number("code", |r, cell| put(cell, r.code())),
    text("banner", banner),
    text("banner_name", |r, cell| put(cell, r.judgement.banner_name.as_deref())),
    text("ehlo_name", |r, cell| put(cell, r.judgement.ehlo_name.as_deref())),
    text("ptr_status", |r, cell| put(cell, dns(r).map(|dns| r.status_word(dns.ptr, field::PTR_STATUS, 0)))),
    text("ptr_names", |r, cell| list(cell, dns(r).iter().flat_map(|dns| &dns.names).map(|ptr| &ptr.name))),
    text("fcrdns", |r, cell| {
        put(cell, r.judgement.fcrdns.filter(|_| dns(r).is_some()).map(Fcrdns::as_str));
    }),
    text("banner_forward_status", |r, cell| {
        put(cell, banner_forward(r).map(|it| r.status_word(it.status, field::BANNER_FORWARD, 0)));
    }),
    text("banner_forward_confirms", |r, cell| {
        put(cell, banner_forward(r).and_then(|it| it.confirms(r.evidence.ip)));
    }),
    text("relation", |r, cell| put(cell, r.judgement.relation.map(Relation::as_str))),
    text("platform", |r, cell| put(cell, r.judgement.platform.as_ref().map(|it| it.name))),
    text("tenancy", |r, cell| cell.push_str(r.judgement.tenancy.as_str())),
    text("prefix", |r, cell| put(cell, r.prefix())),
    number("asn", |r, cell| put(cell, r.network.as_ref().map(|it| it.asn))),
    text("as_name", |r, cell| put(cell, r.network.as_ref().and_then(|it| it.name.as_deref()))),
    number("connect_ms", |r, cell| milliseconds(cell, r.evidence.observation.connect)),
    number("banner_ms", |r, cell| milliseconds(cell, r.evidence.observation.banner)),
    text("time", |r, cell| cell.extend(time::format(r.time).iter().map(|&b| char::from(b)))),
    text("expected_name", |r, cell| {
        put(cell, r.target.inventory.as_deref().and_then(|it| it.expected_name.as_deref()));
    }),
    text("accepted", |r, cell| list(cell, r.judgement.accepted.iter().map(|it| it.code.as_str()))),
    text("clears_by", |r, cell| match r.judgement.clears_by {
        Some(remedies) if remedies == Remedies::default() => cell.push_str(NO_REMEDY),
        Some(remedies) => list(cell, remedies.iter().map(Remedy::as_str)),
        None => {}
    }),
    text("unresolved_family", |r, cell| {
        let family = r.target.unresolved.and_then(|it| it.family).map(AddressFamily::as_str);
        put(cell, family.or_else(|| r.foreign.get(field::UNRESOLVED_FAMILY)));
    }),
    text("unresolved_status", |r, cell| {
        put(cell, r.target.unresolved.map(|it| r.status_word(it.status, field::UNRESOLVED_STATUS, 0)));
    }),
];

/// The value of a tag; `None` where the record has no such tag.
pub fn tag<'r>(record: &'r Record, name: &str) -> Option<&'r str> {
    let tags = &record.target.inventory.as_deref()?.tags;
    tags.iter().find(|(header, _)| &**header == name).map(|(_, value)| value.as_str())
}

const fn text(name: &'static str, cell: fn(&Record, &mut String)) -> Column {
    Column { name, kind: Kind::Text, cell }
}

const fn number(name: &'static str, cell: fn(&Record, &mut String)) -> Column {
    Column { name, kind: Kind::Number, cell }
}

fn put(cell: &mut String, value: Option<impl Display>) {
    if let Some(value) = value {
        // Writing to a `String` does not fail.
        let _ = write!(cell, "{value}");
    }
}

fn list(cell: &mut String, parts: impl Iterator<Item = impl Display>) {
    for (index, part) in parts.enumerate() {
        if index > 0 {
            cell.push(JOIN);
        }
        put(cell, Some(part));
    }
}

fn banner(record: &Record, cell: &mut String) {
    let Some(greeting) = &record.evidence.observation.greeting else { return };
    for (index, line) in greeting.text.lines().enumerate() {
        if index > 0 {
            cell.push(JOIN);
        }
        escape::push_escaped(line, cell);
    }
}

fn milliseconds(cell: &mut String, duration: Option<Duration>) {
    if let Some(tenths) = duration.map(json::tenths) {
        put(cell, Some(format_args!("{}.{}", tenths / 10, tenths % 10)));
    }
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
             connect_ms,banner_ms,time,expected_name,accepted,clears_by,unresolved_family,unresolved_status"
        );
    }
}
