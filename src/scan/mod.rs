//! The engine: order, pace, probe, resolve, judge and write joined into one stream. Knows no command line,
//! draws nothing.

pub mod attempt;
pub mod checkpoint;
pub mod checkpoint_writer;
pub mod dispatch;
pub mod events;
pub mod failure;
mod library;
pub mod limits;
pub mod moderation;
pub mod outputs;
pub mod pipeline;
pub mod progress;
pub mod sample;
pub mod sanity;
pub mod schedule;
pub mod stop;
pub mod worker;
pub mod worst;
pub mod writer;

use std::path::PathBuf;

use crate::report::file::OutputError;
pub use library::{Scan, ScanConfig, ScanReport};

/// Why a scan cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// A thread or its runtime can't be had.
    #[error("can't start a thread: {0}")]
    Thread(#[source] std::io::Error),
    /// An output can't be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Progress can't be kept.
    #[error("checkpoint `{path}` can't be written: {source}", path = path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A stage fell over: a defect of this program.
    #[error("a stage of the scan ended unexpectedly; what is written stands, and `--resume` goes on from it")]
    Panicked,
}
