//! JSON Lines: one record, one line. The line is [`crate::record::json`]'s.

use super::rows::Encode;
use crate::record::{Record, json};

/// Writes lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonLines;

impl Encode for JsonLines {
    fn head(&mut self, _block: &mut Vec<u8>) {}

    fn row(&mut self, record: &Record, block: &mut Vec<u8>) {
        json::encode(record, block);
    }
}
