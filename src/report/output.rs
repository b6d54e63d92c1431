//! What an output is told and what it tells: where to start, how far to bring what was written, what came of
//! it, what went wrong. Opens nothing.

use std::io;
use std::path::PathBuf;

/// Up to where an output is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// In bytes of the file.
    pub length: u64,
    /// In rows, header not counted.
    pub rows: u64,
    /// The SHA-256 hash of these bytes; `None` where it was not kept.
    pub sha256: Option<[u8; 32]>,
}

/// Whither a flush brings what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the system: other programs see it; it outlives a crash of this one.
    System,
    /// To the disk: it outlives a loss of power.
    Disk,
}

/// Where writing starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With an empty file; an existing one is replaced at the first flush, not before.
    New,
    /// Behind what an earlier run wrote; the rest is cut off.
    At(Committed),
}

/// What an output came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name as given.
    pub path: PathBuf,
    /// Its rows, header not counted.
    pub rows: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The SHA-256 hash of its bytes, in hex.
    pub sha256: String,
}

/// Why an output can't go on.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Not to be opened for writing.
    #[error("output `{path}` can't be opened: {source}", path = path.display())]
    Open {
        /// Which output.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A write failed: no space, no permission, a broken disk.
    #[error("output `{path}` can't be written: {source}", path = path.display())]
    Write {
        /// Which output.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The reader of a pipe went away: the usual end of `… | head`.
    #[error("output `{path}` was closed by its reader", path = path.display())]
    Closed {
        /// Which output.
        path: PathBuf,
    },
    /// The file is not what an earlier run left.
    #[error(
        "output `{path}` holds {found} bytes, fewer than the {length} that were written to it: it is another file or \
         was changed; put the old one back, or start anew",
        path = path.display()
    )]
    CutShort {
        /// Which output.
        path: PathBuf,
        /// What it holds.
        found: u64,
        /// What it ought to hold at least.
        length: u64,
    },
    /// The file was edited since.
    #[error(
        "output `{path}` differs from what was written to it: its first {length} bytes have the SHA-256 hash {found}, \
         not {expected}; put the old one back, or start anew",
        path = path.display()
    )]
    Edited {
        /// Which output.
        path: PathBuf,
        /// How much of it was compared.
        length: u64,
        /// The hash of these bytes now.
        found: String,
        /// The hash of what was written.
        expected: String,
    },
    /// Another process writes to it.
    #[error(
        "output `{path}` is being written by another scan; let it end, or name another file",
        path = path.display()
    )]
    Locked {
        /// Which output.
        path: PathBuf,
    },
    /// A stream can't be cut back.
    #[error("output `{path}` is no file that can be cut back or written to its end first; give a file", path = path.display())]
    NoFile {
        /// Which output.
        path: PathBuf,
    },
}
