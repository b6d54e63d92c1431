//! The findings: their codes and what each weighs by tenancy.

use super::Severity;

/// What can be found. Codes never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// NXDOMAIN or no data for the address.
    PtrMissing,
}

impl Code {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 1] = [Self::PtrMissing];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PtrMissing => "ptr_missing",
        }
    }

    /// The code a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

/// One finding on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// How much it matters on this host.
    pub severity: Severity,
}
