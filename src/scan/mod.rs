//! The engine: order, pace, probe, resolve, judge and write joined into one stream. Knows no command line, draws nothing.

pub mod added;
pub mod aim;
pub mod canary;
pub mod checkpoint;
pub mod course;
pub mod failure;
pub mod feeder;
pub mod gate;
pub mod keeper;
pub mod lead;
mod library;
pub mod limits;
pub mod loss;
pub mod moderation;
pub mod named;
pub mod occupied;
pub mod outputs;
pub mod pace;
pub mod pipeline;
pub mod places;
pub mod progress;
pub mod sample;
pub mod sanity;
pub mod shard;
pub mod stop;
pub mod vantage;
pub mod watermark;
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
