//! Before anything is sent: no file that a run writes is one that it reads, or another that it writes, or one
//! that is there with something in it, unless the user said so.
//!
//! Files are compared by `identity`, so spelling and links make no difference. What a run writes beside an
//! output (its manifest, its checkpoint, the list of fixes, files under a name for the time being) counts as
//! an output.

use std::io::{self, stdin, stdout};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::identity::{self, Identity, Kind, directory_of, follow, identity};
use super::{atomic, parquet};

/// What happens to files that are there and not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and the run ends before it begins.
    Keep,
    /// They are replaced (`--overwrite`).
    Overwrite,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// Rows as they come: a file, a pipe or a device.
    Rows,
    /// As a whole, put in place when it is ready; a pipe or a device takes it as it is.
    Whole,
    /// Only a file will do, as for Parquet, whose gathered rows are read back.
    FileOnly,
}

/// Whether what is there may go without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It may not: somebody may need it.
    Unknown,
    /// It may: this program wrote it, and the run goes on from it or renews it.
    Ours,
}

/// Why a run must not begin.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// It would destroy what it reads, or write two things into one file.
    #[error("{role} `{path}` is also the {other_role} `{other}`; name another file", path = path.display(),
        other = other.display())]
    Clash {
        /// What would be written.
        role: &'static str,
        /// Where.
        path: PathBuf,
        /// What else the file is.
        other_role: &'static str,
        /// Under which name.
        other: PathBuf,
    },
    /// Something is there.
    #[error("{role} `{path}` exists and is not empty; {way_out}", path = path.display())]
    Occupied {
        /// What would be written.
        role: &'static str,
        /// Where.
        path: PathBuf,
        /// What to do.
        way_out: String,
    },
    /// It can't be written, or not so.
    #[error("{role} `{path}` can't be written: {source}", path = path.display())]
    Unwritable {
        /// What would be written.
        role: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

#[derive(Debug)]
struct Named {
    role: &'static str,
    path: PathBuf,
    identity: Option<Identity>,
    kind: io::Result<Kind>,
}

#[derive(Debug)]
struct Planned {
    file: Named,
    writing: Writing,
    before: Before,
}

/// The files of a run.
#[derive(Debug)]
pub struct Preflight {
    existing: Existing,
    checkpoint: Option<PathBuf>,
    read: Vec<Named>,
    written: Vec<Planned>,
}

impl Preflight {
    /// A run without files.
    pub fn new(existing: Existing) -> Self {
        Self { existing, checkpoint: None, read: Vec::new(), written: Vec::new() }
    }

    /// Adds files that are read, `-` being stdin.
    pub fn reads<P: AsRef<Path>>(&mut self, role: &'static str, paths: impl IntoIterator<Item = P>) {
        self.read.extend(paths.into_iter().map(|path| Named::new(role, path.as_ref(), stdin())));
    }

    /// Adds a file that is written, `-` being stdout.
    pub fn writes(&mut self, role: &'static str, path: &Path, writing: Writing, before: Before) {
        let file = Named::new(role, path, stdout());
        let is_put_in_place =
            writing == Writing::Whole && matches!(file.kind, Ok(Kind::Nothing | Kind::File(_)));
        self.written.push(Planned { file, writing, before });
        if is_put_in_place && path != Path::new("-") {
            let file = Named::new("unfinished file", &atomic::beside(path), stdout());
            self.written.push(Planned { file, writing, before: Before::Ours });
        }
    }

    /// Says where the checkpoint of a scan lies that wrote these outputs, if it stopped early.
    pub fn resumed_by(&mut self, checkpoint: PathBuf) {
        self.checkpoint = Some(checkpoint);
    }

    /// All files so far.
    pub fn identities(&self) -> Vec<Identity> {
        let written = self.written.iter().map(|planned| &planned.file);
        self.read.iter().chain(written).filter_map(|file| file.identity.clone()).collect()
    }

    /// Whether the run may begin.
    pub fn check(&self) -> Result<(), PreflightError> {
        self.written.iter().enumerate().try_for_each(|(at, planned)| self.check_apart(at, planned))?;
        self.written.iter().try_for_each(|planned| self.check_place(planned))
    }

    /// Removes what killed runs left beside these outputs; what belongs to a living process stays.
    pub fn remove_leftovers(&self) {
        for planned in &self.written {
            if matches!(planned.file.kind, Ok(Kind::Nothing | Kind::File(_))) {
                atomic::remove_leftovers(&planned.file.path);
            }
        }
    }

    fn check_apart(&self, at: usize, planned: &Planned) -> Result<(), PreflightError> {
        let file = &planned.file;
        let earlier = self.written[..at].iter().map(|planned| &planned.file);
        let both_stdout = |other: &Named| file.path == Path::new("-") && other.path == file.path;
        let read = self.read.iter().find(|other| file.is_same(other));
        let other = read.or_else(|| earlier.clone().find(|other| both_stdout(other) || file.is_same(other)));
        other.map_or(Ok(()), |other| {
            Err(PreflightError::Clash {
                role: file.role,
                path: file.path.clone(),
                other_role: other.role,
                other: other.path.clone(),
            })
        })
    }

    fn check_place(&self, Planned { file, writing, before }: &Planned) -> Result<(), PreflightError> {
        let unwritable =
            |source| PreflightError::Unwritable { role: file.role, path: file.path.clone(), source };
        let told = |kind: io::ErrorKind, text: &str| unwritable(io::Error::new(kind, text));
        if file.path == Path::new("-") {
            return match writing {
                Writing::FileOnly => Err(told(io::ErrorKind::InvalidInput, NO_FILE)),
                Writing::Rows | Writing::Whole => Ok(()),
            };
        }
        let kind = match &file.kind {
            Ok(kind) => *kind,
            Err(error) => return Err(told(error.kind(), &error.to_string())),
        };
        match kind {
            Kind::Directory => Err(unwritable(io::ErrorKind::IsADirectory.into())),
            Kind::Other => Err(told(io::ErrorKind::InvalidInput, "it is neither a file nor a pipe")),
            Kind::Pipe | Kind::Device if *writing == Writing::FileOnly => {
                Err(told(io::ErrorKind::InvalidInput, NO_FILE))
            }
            Kind::File(_) | Kind::Pipe | Kind::Device => {
                access(&file.path, Access::WRITE_OK).map_err(|error| unwritable(error.into()))?;
                let may_go = *before == Before::Ours || self.existing == Existing::Overwrite;
                if may_go || !matches!(kind, Kind::File(1..)) { Ok(()) } else { Err(self.occupied(file)) }
            }
            Kind::Nothing => {
                let target = follow(&file.path);
                access(directory_of(&target), Access::WRITE_OK).map_err(|error| unwritable(error.into()))
            }
        }
    }

    fn occupied(&self, file: &Named) -> PreflightError {
        let unfinished =
            self.checkpoint.as_deref().filter(|path| path.metadata().is_ok_and(|data| data.len() > 0));
        let way_out = match unfinished {
            Some(path) => format!(
                "go on with its scan by `banneret scan --resume {}`, or replace it with `--overwrite`",
                path.display()
            ),
            None => "name another file, or replace it with `--overwrite`".to_owned(),
        };
        PreflightError::Occupied { role: file.role, path: file.path.clone(), way_out }
    }
}

/// Of a device or a pipe where only a file will do.
const NO_FILE: &str = "it is no file that can be cut back or written to its end first; give a file";

impl Named {
    fn new(role: &'static str, path: &Path, stream: impl std::os::fd::AsFd) -> Self {
        let (identity, kind) = (identity(path, &stream), identity::kind(path, &stream));
        Self { role, path: path.to_owned(), identity, kind }
    }

    /// Whether both are one file, and writing to one harms the other. Terminals and `/dev/null` are read and
    /// written at once as a matter of course.
    fn is_same(&self, other: &Self) -> bool {
        let is_harmed = matches!(self.kind, Ok(Kind::Nothing | Kind::File(_) | Kind::Pipe));
        is_harmed && self.identity.is_some() && self.identity == other.identity
    }
}

/// Whether the rows that gathered for a Parquet file are what a killed run left: no checkpoint needs them,
/// and no manifest says that they are an output of their own.
pub fn is_leftover(gathered: &Path, checkpoint: &Path) -> bool {
    let manifest = super::manifest::path_of(gathered);
    !checkpoint.exists() && !manifest.is_some_and(|path| path.exists()) && parquet::is_gathered(gathered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn refused(files: &Preflight) -> String {
        files.check().unwrap_err().to_string()
    }

    #[test]
    fn an_output_may_be_new_or_empty_or_ours_and_nothing_else_unless_that_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old"), "text").unwrap();
        fs::write(at("empty"), "").unwrap();
        for (name, before, existing, fine) in [
            ("new", Before::Unknown, Existing::Keep, true),
            ("empty", Before::Unknown, Existing::Keep, true),
            ("old", Before::Unknown, Existing::Keep, false),
            ("old", Before::Ours, Existing::Keep, true),
            ("old", Before::Unknown, Existing::Overwrite, true),
        ] {
            for writing in [Writing::Rows, Writing::Whole, Writing::FileOnly] {
                let mut files = Preflight::new(existing);
                files.writes("output", &at(name), writing, before);
                assert_eq!(files.check().is_ok(), fine, "{name}, {before:?}, {existing:?}, {writing:?}");
            }
        }
        let mut files = Preflight::new(Existing::Keep);
        files.writes("output", &at("old"), Writing::Rows, Before::Unknown);
        files.resumed_by(at("none"));
        assert!(refused(&files).ends_with("name another file, or replace it with `--overwrite`"));
        files.resumed_by(at("empty"));
        assert!(refused(&files).ends_with("name another file, or replace it with `--overwrite`"));
        fs::write(at("old.checkpoint"), "text").unwrap();
        files.resumed_by(at("old.checkpoint"));
        assert!(refused(&files).contains("old.checkpoint`, or replace it with `--overwrite`"));
    }

    #[test]
    fn even_overwriting_no_output_is_an_input_or_an_output_or_a_file_beside_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("list"), "text").unwrap();
        fs::hard_link(at("list"), at("other")).unwrap();
        let mut files = Preflight::new(Existing::Overwrite);
        files.reads("target list", [at("list")]);
        files.writes("output", &at("other"), Writing::Rows, Before::Ours);
        assert!(refused(&files).contains("/other` is also the target list `"));
        let mut files = Preflight::new(Existing::Overwrite);
        files.writes("page", &at("new"), Writing::Whole, Before::Unknown);
        files.writes("output", &atomic::beside(&at("new")), Writing::Rows, Before::Unknown);
        assert!(refused(&files).contains("` is also the unfinished file `"));
        // Nothing is harmed where nothing is kept.
        let mut files = Preflight::new(Existing::Keep);
        files.reads("target list", ["/dev/null"]);
        for _ in 0..2 {
            files.writes("output", Path::new("/dev/null"), Writing::Rows, Before::Unknown);
        }
        files.check().unwrap();
        let mut files = Preflight::new(Existing::Keep);
        for _ in 0..2 {
            files.writes("output", Path::new("-"), Writing::Rows, Before::Unknown);
        }
        assert!(refused(&files).contains("output `-` is also the output `-`"));
    }
}
