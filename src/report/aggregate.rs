//! Many record files counted into one summary, record by record: memory does not grow with the records.

use std::path::{Path, PathBuf};

use super::format::Format;
use super::input::{End, Input, InputError};
use super::summary::Summary;

/// The numbers of record files.
#[derive(Debug, Clone, Default)]
pub struct Aggregate {
    /// The numbers.
    pub summary: Summary,
    /// The files that end in the middle of a record, as a crash leaves them: what stands before is counted.
    pub torn: Vec<PathBuf>,
}

/// Counts the records of all files, `-` being stdin; `asked` wins over their endings.
pub fn aggregate<P: AsRef<Path>>(files: &[P], asked: Option<Format>) -> Result<Aggregate, InputError> {
    Aggregate::default().with(files, asked)
}

impl Aggregate {
    /// The same, counted on top of what was counted so far.
    pub fn with<P: AsRef<Path>>(mut self, files: &[P], asked: Option<Format>) -> Result<Self, InputError> {
        for file in files {
            let end = Input::open(file.as_ref(), asked)?.rows(|row| self.summary.add(row))?;
            if end == End::Torn {
                self.torn.push(file.as_ref().to_owned());
            }
        }
        Ok(self)
    }
}
