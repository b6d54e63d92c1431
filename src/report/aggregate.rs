//! Many record files counted into one summary, record by record: memory does not grow with the records.
//!
//! Beside a file may stand the manifest of the scan that wrote it: it knows of targets that left no record.

use std::path::{Path, PathBuf};

use super::asn::AsnDb;
use super::format::Format;
use super::input::{End, Input, InputError};
use super::manifest::{self, Told};
use super::odd::OddRecords;
use super::repeats::Repeats;
use super::split::Split;
use super::summary::{Mark, Summary};

/// The numbers of record files.
#[derive(Debug, Clone, Default)]
pub struct Aggregate {
    /// The numbers.
    pub summary: Summary,
    /// The files that are not there as a whole, as a crash leaves them, and how each ends: what stands before
    /// is counted.
    pub torn: Vec<(PathBuf, End)>,
    /// Manifests that can't be read or are of other records than those they stand beside; they count for
    /// nothing.
    pub passed_over: Vec<PathBuf>,
    /// Records that were given before.
    pub repeats: Repeats,
    /// Of each file, what of its records this version does not know.
    pub odd: Vec<(PathBuf, OddRecords)>,
}

/// What else is done with the records.
#[derive(Debug, Default)]
pub struct Beside<'a> {
    /// Records that lack their network get it from here.
    pub networks: Option<&'a AsnDb>,
    /// Lists of what to fix, which take each record.
    pub split: Option<&'a mut Split>,
}

/// Counts the records of all files, `-` being stdin, into a summary; `asked` wins over their endings.
pub fn aggregate<P: AsRef<Path>>(
    files: &[P],
    asked: Option<Format>,
    summary: Summary,
    beside: Beside<'_>,
) -> Result<Aggregate, InputError> {
    let Beside { networks, mut split } = beside;
    let mut aggregate = Aggregate { summary, ..Aggregate::default() };
    aggregate.summary.sources.extend(networks.map(|data| data.about().to_string()));
    for (number, file) in files.iter().map(AsRef::as_ref).enumerate() {
        let mark = aggregate.summary.mark();
        let mut odd = OddRecords::default();
        let end = Input::open(file, asked)?.rows(|row| {
            if let Some(networks) = networks {
                networks.complete(row);
            }
            odd.add(&row.odd);
            aggregate.summary.add(row);
            aggregate.repeats.add(row, number);
            if let Some(split) = &mut split {
                split.add(row);
            }
        })?;
        aggregate.odd.push((file.to_owned(), odd));
        aggregate.file_ends(file, end, &mark);
    }
    Ok(aggregate)
}

impl Aggregate {
    /// Takes note of how the reading of a file ended, and of what its manifest tells; `mark` was taken before
    /// it.
    pub fn file_ends(&mut self, file: &Path, end: End, mark: &Mark) {
        if let Some(why) = end.why() {
            self.torn.push((file.to_owned(), end));
            self.summary.incomplete.push((file.display().to_string(), why));
        }
        let Some(path) = manifest::path_of(file).filter(|path| path.is_file()) else {
            return self.summary.add_bare_file();
        };
        let told = Told::read(&path).filter(|told| told.is_of(self.summary.records_since(mark)));
        if let Some(told) = told {
            match told.ended() {
                Some(ended) => self.summary.add_unkept(ended, mark),
                None => self.summary.add_bare_file(),
            }
            for warning in told.warnings() {
                let warning = (file.display().to_string(), warning.clone());
                if !self.summary.warnings.contains(&warning) {
                    self.summary.warnings.push(warning);
                }
            }
            let source = told.asn_db().map(ToString::to_string);
            if let Some(source) = source.filter(|source| !self.summary.sources.contains(source)) {
                self.summary.sources.push(source);
            }
        } else {
            self.passed_over.push(path);
            self.summary.add_bare_file();
        }
    }
}
