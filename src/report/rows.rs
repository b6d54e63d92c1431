//! A sink of rows: an encoder on top of an output.

use super::Sink;
use super::file::Output;
use super::output::{Committed, OutputError, Reach, Start, Written};
use crate::record::Record;

/// Turns records into rows.
pub trait Encode: Send {
    /// Appends what stands above the first row.
    fn head(&mut self, block: &mut Vec<u8>);
    /// Appends one row, its line end included.
    fn row(&mut self, record: &Record, block: &mut Vec<u8>);
}

/// A sink with one row a record.
#[derive(Debug)]
pub struct Rows<E> {
    encoder: E,
    output: Output,
}

impl<E: Encode> Rows<E> {
    /// Puts the head into an output that is empty yet.
    pub fn new(mut encoder: E, mut output: Output, start: Start) -> Self {
        let is_empty = match start {
            Start::New => true,
            Start::At(committed) => committed.length == 0,
        };
        if is_empty {
            encoder.head(output.block());
        }
        Self { encoder, output }
    }
}

impl<E: Encode> Sink for Rows<E> {
    fn write(&mut self, record: &Record) -> Result<(), OutputError> {
        self.encoder.row(record, self.output.block());
        self.output.end_row()
    }

    fn flush(&mut self, reach: Reach) -> Result<Committed, OutputError> {
        self.output.flush(reach)
    }

    fn finish(self: Box<Self>) -> Result<Written, OutputError> {
        self.output.finish()
    }
}
