//! What to scan: lines read into entries, entries into a set without exclusions, the set drawn in a seeded order.

mod error;
mod line;
mod list;
mod rows;
mod span;

use std::sync::Arc;

pub use error::{BadLines, Place, Purpose, TargetError};
pub use line::{Entry, Kind, LineError, parse};
pub use list::{MAX_LINE, TargetList, read_argument};
pub use rows::MAX_ROW;

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
