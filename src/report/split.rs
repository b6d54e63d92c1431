//! A list of what to fix for each group, as `--split` writes them: in one folder a CSV file for each group,
//! and made from it a page and a mail, and a table of them all.
//!
//! Groups are named by strangers as much as by the user, so a file's name holds letters, digits, `-`, `_` and
//! `.` only and opens with a letter or digit; where that changed anything, a part of the name's hash tells it
//! from what looks alike. Of many files few are open at a time.
//!
//! The lists are written beside and put in place at the end, all or none. The folder's index says which files
//! these are: the next report into the folder replaces them, and removes those of groups that have nothing to
//! fix any more, as long as nobody has changed them.

mod index;
pub mod template;
mod views;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write, stdin};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::atomic;
use super::file::hex;
use super::html::fixes;
use super::identity::{Identity, Kind as Standing, identity, kind};
use super::preflight::Existing;
use super::summary::Kind;
use super::summary::detail::BrokenHost;
use crate::record::row::Row;
use index::{Entry, INDEX, Index, TABLE};
use template::Template;
use views::{Views, views};

/// Files that are open at once: far below what a process may have.
const OPEN: usize = 64;
/// The most that waits in memory for one file, in bytes, and for all.
const WAITING: usize = 64 << 10;
const ALL_WAITING: usize = 32 << 20;
/// The longest readable part of a file's name, in bytes; file systems take 255.
const LONGEST: usize = 100;

/// Why the lists can't be written.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// Trouble of this machine.
    #[error("fix list `{path}` can't be written: {source}", path = path.display())]
    Write {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something is there that no earlier report wrote, or that was changed since.
    #[error(
        "fix list `{path}` exists and was not written by an earlier report, or was changed since; split into another \
         folder, or replace it with `--overwrite`",
        path = path.display()
    )]
    Occupied {
        /// Which file.
        path: PathBuf,
    },
    /// What is there is also read or written otherwise.
    #[error("fix list `{path}` would replace a file that this report reads or writes otherwise; split into another folder",
        path = path.display())]
    Clash {
        /// Which file.
        path: PathBuf,
    },
}

/// Where lists go.
#[derive(Debug)]
pub struct Place<'a> {
    /// The folder, which is made where it is not there.
    pub folder: &'a Path,
    /// What happens to files in it that no earlier report wrote.
    pub existing: Existing,
    /// The other files of this report.
    pub taken: Vec<Identity>,
}

/// The lists, as they grow.
#[derive(Debug)]
pub struct Split {
    folder: PathBuf,
    existing: Existing,
    taken_files: Vec<Identity>,
    kind: Kind,
    header: fn(&mut Vec<u8>),
    /// What mails are made from; without one there are no pages and mails, only lists.
    template: Option<Template>,
    places: HashMap<String, usize>,
    lists: Vec<List>,
    taken: HashMap<String, u32>,
    open: Vec<usize>,
    waiting: usize,
    failed: Option<SplitError>,
    /// Hosts with something to fix that are in no group.
    pub without: u64,
}

/// What came of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Lists {
    /// How many there are.
    pub written: usize,
    /// Lists of groups that have nothing to fix any more, which are gone.
    pub removed: usize,
    /// Such lists that were changed since, which stay.
    pub changed: Vec<PathBuf>,
}

#[derive(Debug)]
struct List {
    name: String,
    /// The group that it is of; `None` of the table of all.
    group: Option<String>,
    /// Where it grows; `None` before its first write, and once it is in place.
    beside: Option<PathBuf>,
    file: Option<File>,
    waiting: Vec<u8>,
    hash: Sha256,
    length: u64,
}

impl Split {
    /// Lists of what to fix by `kind`, each with a page and with a mail from the template.
    pub fn new(place: Place<'_>, kind: Kind, template: Template) -> Result<Self, SplitError> {
        Self::of(place, kind, (fixes::header, Some(template)))
    }

    /// Lists of rows of another kind, which [`Split::append`] adds below this header.
    pub fn of_rows(place: Place<'_>, kind: Kind, header: fn(&mut Vec<u8>)) -> Result<Self, SplitError> {
        Self::of(place, kind, (header, None))
    }

    fn of(
        place: Place<'_>,
        kind: Kind,
        (header, template): (fn(&mut Vec<u8>), Option<Template>),
    ) -> Result<Self, SplitError> {
        let Place { folder, existing, taken } = place;
        fs::create_dir_all(folder).map_err(|source| SplitError::Write { path: folder.to_owned(), source })?;
        Ok(Self {
            folder: folder.to_owned(),
            existing,
            taken_files: taken,
            kind,
            header,
            template,
            places: HashMap::new(),
            lists: Vec::new(),
            // The index and the table of all are no group's.
            taken: HashMap::from([("index".to_owned(), 1)]),
            open: Vec::new(),
            waiting: 0,
            failed: None,
            without: 0,
        })
    }

    /// Takes one record; after an error nothing more is written, and [`Split::finish`] tells it.
    pub fn add(&mut self, row: &Row<'_>) {
        let Some(fix) = BrokenHost::of(row) else { return };
        if self.failed.is_some() {
            return;
        }
        let mut keys = Vec::new();
        self.kind.keys(row, |key| keys.push(key.to_owned()));
        if keys.is_empty() {
            self.without += 1;
        }
        for key in keys {
            self.append(key, |waiting| fixes::row(&fix, waiting));
        }
    }

    /// Adds a row to the list of a group; after an error nothing more is written.
    pub fn append(&mut self, group: String, row: impl FnOnce(&mut Vec<u8>)) {
        if self.failed.is_some() {
            return;
        }
        let place = self.place(group);
        let list = &mut self.lists[place];
        let before = list.waiting.len();
        row(&mut list.waiting);
        self.waiting += list.waiting.len() - before;
        let written = match list.waiting.len() {
            WAITING.. => self.write(place),
            _ if self.waiting >= ALL_WAITING => (0..self.lists.len()).try_for_each(|place| self.write(place)),
            _ => Ok(()),
        };
        self.failed = written.err();
    }

    /// Writes what still waits, and puts the lists in place; after an error none of them is, or it is this
    /// machine's trouble.
    pub fn finish(mut self) -> Result<Lists, SplitError> {
        if let Some(wrong) = self.failed.take() {
            return Err(wrong);
        }
        (0..self.lists.len()).try_for_each(|place| self.write(place))?;
        let written = self.lists.len();
        self.views()?;
        let index = Index::read(&self.folder);
        self.check(&index)?;
        self.remove_leftovers(&index);
        for list in &mut self.lists {
            let path = self.folder.join(&list.name);
            list.put(&path).map_err(|source| SplitError::Write { path, source })?;
        }
        let names: HashSet<&str> = self.lists.iter().map(|list| list.name.as_str()).collect();
        let (mut removed, mut changed) = (0, Vec::new());
        for entry in index.files.iter().filter(|entry| !names.contains(entry.name.as_str())) {
            let path = self.folder.join(&entry.name);
            if !entry.is_unchanged(&path) {
                changed.extend(path.exists().then_some(path));
            } else if fs::remove_file(&path).is_ok() && entry.is_list_of_group() {
                removed += 1;
            }
        }
        let index = Index::new(self.lists.iter().map(List::entry).collect());
        let path = self.folder.join(INDEX);
        index.write(&path).map_err(|source| SplitError::Write { path, source })?;
        Ok(Lists { written, removed, changed })
    }

    /// Makes the page and the mail of each list, and the table of all lists, from the lists as they were
    /// written.
    fn views(&mut self) -> Result<(), SplitError> {
        let Some(template) = self.template.take() else { return Ok(()) };
        let mut table = Vec::new();
        for place in 0..self.lists.len() {
            let list = &mut self.lists[place];
            let (name, group) = (list.name.clone(), list.group.clone().unwrap_or_default());
            let path = self.folder.join(&name);
            let made = list.read().and_then(|csv| views(csv, (&group, &name), &template));
            let made = made.map_err(|source| SplitError::Write { path, source })?;
            let base = name.strip_suffix(".csv").unwrap_or(&name).to_owned();
            let Views { page, mail, severities } = made;
            index::row(&mut table, (&group, &base), severities);
            self.put_beside(format!("{base}.html"), Some(group.clone()), page)?;
            self.put_beside(format!("{base}.txt"), Some(group), mail.into_bytes())?;
        }
        if table.is_empty() {
            return Ok(());
        }
        let mut whole = Vec::new();
        index::header(&mut whole);
        whole.extend_from_slice(&table);
        self.put_beside(TABLE.to_owned(), None, whole)
    }

    /// Writes a file whole, to be put in place with the lists.
    fn put_beside(&mut self, name: String, group: Option<String>, text: Vec<u8>) -> Result<(), SplitError> {
        let path = self.folder.join(&name);
        let mut list = List::new(name, group, text);
        let written = list.write(&path);
        list.file = None;
        self.lists.push(list);
        written.map_err(|source| SplitError::Write { path, source })
    }

    /// Makes sure that what the lists replace may go.
    fn check(&self, index: &Index) -> Result<(), SplitError> {
        let before: HashMap<&str, &Entry> =
            index.files.iter().map(|entry| (entry.name.as_str(), entry)).collect();
        let index_is_ours = index.was_read;
        let names = self.lists.iter().map(|list| (list.name.as_str(), before.get(list.name.as_str())));
        for (name, entry) in names.chain([(INDEX, None)]) {
            let path = self.folder.join(name);
            if identity(&path, stdin()).is_some_and(|found| self.taken_files.contains(&found)) {
                return Err(SplitError::Clash { path });
            }
            let standing = if path.is_symlink() { Ok(Standing::Other) } else { kind(&path, stdin()) };
            match standing.map_err(|source| SplitError::Write { path: path.clone(), source })? {
                Standing::Nothing | Standing::File(0) => {}
                Standing::File(_) if self.existing == Existing::Overwrite => {}
                Standing::File(_) if name == INDEX && index_is_ours => {}
                Standing::File(_) if entry.is_some_and(|entry| entry.is_unchanged(&path)) => {}
                Standing::File(_) => return Err(SplitError::Occupied { path }),
                Standing::Directory => {
                    return Err(SplitError::Write { path, source: io::ErrorKind::IsADirectory.into() });
                }
                Standing::Pipe | Standing::Device | Standing::Other => {
                    let source = io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file");
                    return Err(SplitError::Write { path, source });
                }
            }
        }
        Ok(())
    }

    /// Removes what killed reports left of these lists.
    fn remove_leftovers(&self, index: &Index) {
        let mut names: HashSet<&OsStr> = index.files.iter().map(|entry| OsStr::new(&entry.name)).collect();
        names.extend(self.lists.iter().map(|list| OsStr::new(&list.name)));
        names.insert(OsStr::new(INDEX));
        atomic::remove_leftovers_in(&self.folder, |name| names.contains(name));
    }

    fn place(&mut self, key: String) -> usize {
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let mut name = file_name(&key);
        let before = self.taken.entry(name.to_ascii_lowercase()).or_insert(0);
        *before += 1;
        if *before > 1 {
            name = format!("{name}~{before}");
        }
        let place = self.lists.len();
        let mut waiting = Vec::new();
        (self.header)(&mut waiting);
        self.lists.push(List::new(format!("{name}.csv"), Some(key.clone()), waiting));
        self.places.insert(key, place);
        place
    }

    /// Appends what waits to its file, which is opened again if it had to make way for another.
    fn write(&mut self, place: usize) -> Result<(), SplitError> {
        if self.lists[place].waiting.is_empty() {
            return Ok(());
        }
        if self.lists[place].file.is_none() {
            if self.open.len() >= OPEN {
                let closed = self.open.remove(0);
                self.lists[closed].file = None;
            }
            self.open.push(place);
        }
        let list = &mut self.lists[place];
        self.waiting = self.waiting.saturating_sub(list.waiting.len());
        let path = self.folder.join(&list.name);
        list.write(&path).map_err(|source| SplitError::Write { path, source })
    }
}

impl List {
    fn new(name: String, group: Option<String>, waiting: Vec<u8>) -> Self {
        Self { name, group, beside: None, file: None, waiting, hash: Sha256::new(), length: 0 }
    }

    /// What was written of it, from the start.
    fn read(&mut self) -> io::Result<File> {
        let beside = self.beside.as_deref().ok_or(io::ErrorKind::NotFound)?;
        File::open(beside)
    }

    /// Writes what waits to the file that will be at `path`.
    fn write(&mut self, path: &Path) -> io::Result<()> {
        let file = match (&mut self.file, &self.beside) {
            (Some(file), _) => file,
            (file, Some(beside)) => file.insert(File::options().append(true).open(beside)?),
            (file, None) => {
                let (beside, made) = atomic::create_beside(path)?;
                self.beside = Some(beside);
                file.insert(made)
            }
        };
        file.write_all(&self.waiting)?;
        self.hash.update(&self.waiting);
        self.length += self.waiting.len() as u64;
        self.waiting = Vec::new();
        Ok(())
    }

    fn put(&mut self, path: &Path) -> io::Result<()> {
        self.file = None;
        match self.beside.take() {
            Some(beside) => fs::rename(&beside, path).inspect_err(|_| self.beside = Some(beside)),
            None => Ok(()),
        }
    }

    fn entry(&self) -> Entry {
        let sha256 = hex(&self.hash.clone().finalize());
        Entry { name: self.name.clone(), group: self.group.clone(), length: self.length, sha256 }
    }
}

impl Drop for List {
    /// What is not in place is left nowhere.
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

/// A name that is one name in every folder, and says what it is of.
fn file_name(key: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let mut name: String =
        key.chars().map(|character| if plain(character) { character } else { '_' }).collect();
    name.truncate(LONGEST);
    let opening =
        name.len() - name.trim_start_matches(|character: char| !character.is_ascii_alphanumeric()).len();
    name.drain(..opening);
    if name == key && !name.is_empty() {
        return name;
    }
    let digest = hex(&Sha256::digest(key));
    let gap = if name.is_empty() { "" } else { "-" };
    format!("{name}{gap}{}", &digest[..8])
}

#[cfg(test)]
mod tests;
