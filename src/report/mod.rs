//! Records → files and summaries. Knows no network.
//!
//! A [`Sink`] takes records one by one, from one thread, and can say at any time up to which length its
//! output is whole. A checkpoint keeps that length; to go on, the output is cut back to it. [`sink::open`]
//! makes one from a path.

pub mod aggregate;
pub mod asn;
pub mod atomic;
pub mod csv;
pub mod diff;
pub mod ecs;
pub mod expand;
pub mod file;
pub mod format;
pub mod html;
pub mod identity;
pub mod input;
pub mod jsonl;
pub mod manifest;
pub mod odd;
pub mod output;
pub mod parquet;
pub mod preflight;
pub mod repeats;
pub mod rows;
pub mod sink;
pub mod split;
pub mod stream;
pub mod summary;
pub mod syslog;
pub mod table;

pub use format::{Compression, Form, Format, FormatError};
pub use output::{Committed, OutputError, Reach, Start, Written};

use crate::record::Record;

/// Where records go.
///
/// After an error nothing that [`Sink::flush`] has reported is lost. An output in a regular file is left
/// whole, and the same call may be tried again once there is space.
pub trait Sink: Send {
    /// Takes one record; it may stay in memory until the next flush.
    fn write(&mut self, record: &Record) -> Result<(), OutputError>;

    /// Hands over all that was taken, and says up to where the output is whole.
    fn flush(&mut self, reach: Reach) -> Result<Committed, OutputError>;

    /// Brings everything to disk and closes the output.
    fn finish(self: Box<Self>) -> Result<Written, OutputError>;
}
