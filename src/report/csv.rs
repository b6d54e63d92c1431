//! CSV: a header, then one row a record, quoted as RFC 4180 has it, lines ended by a line feed as Unix tools
//! expect.
//!
//! The columns are [`COLUMNS`], then one for each tag. A text that a spreadsheet would run is guarded
//! ([`crate::record::cell`]); numbers stand as they are.

use std::sync::Arc;

use super::rows::Encode;
use crate::record::Record;
use crate::record::cell::needs_guard;
use crate::record::column::{COLUMNS, Filled, Kind, TAG, tag};

/// Writes rows.
#[derive(Debug, Clone)]
pub struct Csv {
    tags: Vec<Arc<str>>,
    cell: String,
}

impl Csv {
    /// A table with a column for each of `tags`; a record without one of them has an empty cell there.
    pub fn new(tags: Vec<Arc<str>>) -> Self {
        Self { tags, cell: String::new() }
    }
}

impl Encode for Csv {
    fn head(&mut self, block: &mut Vec<u8>) {
        for (index, column) in COLUMNS.iter().enumerate() {
            separate(block, index);
            put(block, column.name);
        }
        for name in &self.tags {
            block.push(b',');
            self.cell.clear();
            self.cell.push_str(TAG);
            self.cell.push_str(name);
            put(block, &self.cell);
        }
        block.push(b'\n');
    }

    fn row(&mut self, record: &Record, block: &mut Vec<u8>) {
        for (index, column) in COLUMNS.iter().enumerate() {
            separate(block, index);
            self.cell.clear();
            match (column.cell(record, &mut self.cell), column.kind) {
                (Filled::Null, _) => {}
                (Filled::Value, Kind::Number) => block.extend_from_slice(self.cell.as_bytes()),
                (Filled::Value, Kind::Text) => value(block, &self.cell),
            }
        }
        for name in &self.tags {
            block.push(b',');
            if let Some(tag) = tag(record, name) {
                value(block, tag);
            }
        }
        block.push(b'\n');
    }
}

fn separate(block: &mut Vec<u8>, index: usize) {
    if index > 0 {
        block.push(b',');
    }
}

/// Appends the cell of a text, which is not empty even if the text is: an empty cell is a null.
fn value(block: &mut Vec<u8>, text: &str) {
    if text.is_empty() { block.push(b'\'') } else { put(block, text) }
}

/// Appends a text cell, guarded and quoted where it has to be.
pub(super) fn put(block: &mut Vec<u8>, text: &str) {
    let guard = needs_guard(text);
    let quoted = text.bytes().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r'));
    if !quoted {
        if guard {
            block.push(b'\'');
        }
        block.extend_from_slice(text.as_bytes());
        return;
    }
    block.push(b'"');
    if guard {
        block.push(b'\'');
    }
    for (index, part) in text.split('"').enumerate() {
        if index > 0 {
            block.extend_from_slice(b"\"\"");
        }
        block.extend_from_slice(part.as_bytes());
    }
    block.push(b'"');
}
