//! The summary as one CSV table: a row for every count, `kind` and `key` first, then the records, then those of each
//! verdict where the row is a group.

use std::fmt::Display;
use std::hash::Hash;
use std::io::{self, Write};

use super::json::LISTED;
use super::{Breakdown, Groups, Summary, Tally};
use crate::judge::Verdict;
use crate::report::csv::put;

/// Writes the table, its header first.
pub fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table { block: b"kind,key,records".to_vec() };
    for verdict in Verdict::ALL {
        table.cell(verdict.as_str());
    }
    table.end();
    table.group("all", "", &summary.all);
    for Breakdown { kind, counts, .. } in summary.breakdowns() {
        for (word, count) in counts {
            table.count(kind, word, count);
        }
    }
    for (name, records) in summary.clones.listed().into_iter().take(LISTED) {
        table.count("cloned_image", name, records);
    }
    table.groups("prefix", &summary.prefixes);
    table.groups("asn", &summary.systems);
    table.groups("domain", &summary.domains);
    table.groups("platform", &summary.platforms);
    table.groups("banner_name", &summary.banner_names);
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

    /// A count that was met; its cells for verdicts are empty.
    fn count(&mut self, kind: &str, key: &str, count: u64) {
        if count > 0 {
            put(&mut self.block, kind);
            self.cell(key);
            self.number(count);
            self.block.extend_from_slice(&[b','; Verdict::ALL.len()]);
            self.end();
        }
    }

    fn groups<K: Hash + Ord + Clone + Display>(&mut self, kind: &str, groups: &Groups<K>) {
        let (listed, others) = groups.listed(LISTED);
        for (key, tally) in listed {
            self.group(kind, &key.to_string(), tally);
        }
        if others.records > 0 {
            self.group(kind, "", &others);
        }
    }

    fn group(&mut self, kind: &str, key: &str, tally: &Tally) {
        put(&mut self.block, kind);
        self.cell(key);
        self.number(tally.records);
        for verdict in Verdict::ALL {
            self.number(tally.verdict(verdict));
        }
        self.end();
    }
}
