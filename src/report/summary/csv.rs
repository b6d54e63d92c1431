//! The summary as one CSV table: a row for every count, `kind` and `key` first, then the records, then those
//! of each verdict and each severity where the row is a group.

use std::io::{self, Write};

use super::json::LISTED;
use super::{Breakdown, Listed, Summary, Tally};
use crate::judge::{Severity, Verdict};
use crate::report::csv::put;

/// The columns behind `kind`, `key` and `records`.
const CELLS: usize = Verdict::ALL.len() + Severity::ALL.len();

/// Writes the table, its header first.
pub fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table { block: b"kind,key,records".to_vec() };
    for verdict in Verdict::ALL {
        table.cell(verdict.as_str());
    }
    for severity in Severity::ALL {
        table.cell(&format!("severity_{}", severity.as_str()));
    }
    table.end();
    table.group("all", "", &summary.all);
    table.count("files", "incomplete", summary.incomplete.len() as u64);
    let coverage = summary.coverage();
    table.count("coverage", "known", u64::from(coverage.is_known()));
    if coverage.is_known() {
        for (key, count) in [
            ("asked", coverage.asked),
            ("answered", coverage.answered),
            ("judged", coverage.judged),
            ("undetermined", coverage.undetermined),
        ] {
            table.count("coverage", key, count);
        }
    }
    for (why, count) in coverage.why {
        table.count("undetermined", why, count);
    }
    for Breakdown { kind, counts, .. } in summary.breakdowns() {
        for (word, count) in counts {
            table.count(kind, word, count);
        }
    }
    for (name, records) in summary.clones.listed().into_iter().take(summary.shown(LISTED)) {
        table.count("cloned_image", name, records);
    }
    for grouping in summary.groupings() {
        let kind = grouping.kind.to_string();
        let Listed { groups, others, .. } = grouping.groups.worst_listed(summary.shown(LISTED));
        for (key, tally) in groups {
            table.group(&kind, &key.to_string(), &tally);
        }
        if others.records > 0 {
            table.group(&kind, "", &others);
        }
    }
    out.write_all(&table.block)
}

struct Table {
    block: Vec<u8>,
}

impl Table {
    fn cell(&mut self, text: &str) {
        self.block.push(b',');
        put(&mut self.block, text);
    }

    fn number(&mut self, number: u64) {
        self.block.extend_from_slice(format!(",{number}").as_bytes());
    }

    fn end(&mut self) {
        self.block.push(b'\n');
    }

    /// A count that was met; its cells for verdicts and severities are empty.
    fn count(&mut self, kind: &str, key: &str, count: u64) {
        if count > 0 {
            put(&mut self.block, kind);
            self.cell(key);
            self.number(count);
            self.block.extend_from_slice(&[b','; CELLS]);
            self.end();
        }
    }

    fn group(&mut self, kind: &str, key: &str, tally: &Tally) {
        put(&mut self.block, kind);
        self.cell(key);
        self.number(tally.records);
        for verdict in Verdict::ALL {
            self.number(tally.verdict(verdict));
        }
        for severity in Severity::ALL {
            self.number(tally.severity(severity));
        }
        self.end();
    }
}
