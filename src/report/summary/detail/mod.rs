//! What a page shows of single hosts, in bounded memory: the verdict of each address for its map, and what is
//! to be fixed where.

pub mod fixes;
pub mod marks;

pub(in crate::report::summary) use fixes::who_has_to_act;
pub use fixes::{BrokenHost, Fixes};
pub use marks::{Mark, Marks};

use crate::record::row::Row;

/// Single hosts.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    /// The verdict of each IPv4 address.
    pub marks: Marks,
    /// What is to be fixed.
    pub fixes: Fixes,
}

impl Detail {
    /// Takes up one record.
    pub fn add(&mut self, row: &Row<'_>) {
        self.marks.add(row);
        self.fixes.add(row);
    }
}
