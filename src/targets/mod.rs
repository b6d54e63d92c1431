//! What to scan: lines read into entries, entries into a set without exclusions, the set drawn in a seeded
//! order.

mod bounded;
mod build;
mod cells;
mod cut;
mod digest;
mod error;
mod exclude;
mod format;
mod header;
mod laps;
mod line;
mod lines;
mod list;
mod order;
mod parts;
mod pieces;
mod reserved;
mod rows;
mod sample;
mod scatter;
mod set;
mod shard;
mod share;
mod span;
mod turns;
mod whole;

use std::sync::Arc;

pub use bounded::MAX_ROW;
pub use build::TargetSetBuilder;
pub use error::{BadLines, Place, Purpose, TargetError};
pub use exclude::{ARGUMENT_LIST, Exclusions, ExclusionsBuilder, RESERVED_LIST};
pub use format::Foreign;
pub use line::{Entry, Kind, LineError, parse};
pub use lines::MAX_LINE;
pub use list::{TargetList, read_argument};
pub use order::{Order, Visit};
pub use reserved::{Class, RESERVED, Reserved, ReservedPolicy, reserved};
pub use sample::{SampleSize, SampleSizeError, SampleTooLarge};
pub use set::{EntryRef, Removed, TargetSet};
pub use shard::{MAX_SHARDS, Shard, ShardError};
pub use share::Share;
pub use turns::Turns;

/// What the user said of a host beside its address: a row of a CSV target list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventory {
    /// The name that the host ought to have.
    pub expected_name: Option<String>,
    /// A HELO name that the user observed.
    pub helo_name: Option<String>,
    /// Further columns, header and value, in the order of the file.
    pub tags: Vec<(Arc<str>, String)>,
}
