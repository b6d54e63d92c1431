//! A list of what to fix for each group: one CSV file a group in a folder, as `--split` writes them.
//!
//! Groups are named by strangers as much as by the user, so a file's name holds letters, digits, `-`, `_` and `.` only and
//! opens with a letter or digit; where that changed anything, a part of the name's hash tells it from what looks alike.
//! Of many files few are open at a time.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::file::hex;
use super::html::fixes;
use super::summary::Kind;
use super::summary::detail::Fix;
use crate::record::row::Row;

/// Files that are open at once: far below what a process may have.
const OPEN: usize = 64;
/// The most that waits in memory for one file, in bytes, and for all.
const WAITING: usize = 64 << 10;
const ALL_WAITING: usize = 32 << 20;
/// The longest readable part of a file's name, in bytes; file systems take 255.
const LONGEST: usize = 100;

/// Why the lists can't be written.
#[derive(Debug, thiserror::Error)]
#[error("fix list `{path}` can't be written: {source}", path = path.display())]
pub struct SplitError {
    path: PathBuf,
    source: io::Error,
}

/// The lists, as they grow.
#[derive(Debug)]
pub struct Split {
    folder: PathBuf,
    kind: Kind,
    places: HashMap<String, usize>,
    lists: Vec<List>,
    taken: HashMap<String, u32>,
    open: Vec<usize>,
    waiting: usize,
    failed: Option<SplitError>,
    /// Hosts with something to fix that are in no group.
    pub without: u64,
}

#[derive(Debug)]
struct List {
    path: PathBuf,
    file: Option<File>,
    waiting: Vec<u8>,
    is_begun: bool,
}

impl Split {
    /// Lists by `kind` in a folder, which is made where it is not there.
    pub fn new(folder: &Path, kind: Kind) -> Result<Self, SplitError> {
        fs::create_dir_all(folder).map_err(|source| SplitError { path: folder.to_owned(), source })?;
        Ok(Self {
            folder: folder.to_owned(),
            kind,
            places: HashMap::new(),
            lists: Vec::new(),
            taken: HashMap::new(),
            open: Vec::new(),
            waiting: 0,
            failed: None,
            without: 0,
        })
    }

    /// Takes one record; after an error nothing more is written, and [`Split::finish`] tells it.
    pub fn add(&mut self, row: &Row<'_>) {
        let Some(fix) = Fix::of(row) else { return };
        if self.failed.is_some() {
            return;
        }
        let mut keys = Vec::new();
        self.kind.keys(row, |key| keys.push(key.to_owned()));
        if keys.is_empty() {
            self.without += 1;
        }
        for key in keys {
            let place = self.place(key);
            let list = &mut self.lists[place];
            let before = list.waiting.len();
            fixes::row(&fix, &mut list.waiting);
            self.waiting += list.waiting.len() - before;
            let written = match list.waiting.len() {
                WAITING.. => self.write(place),
                _ if self.waiting >= ALL_WAITING => {
                    (0..self.lists.len()).try_for_each(|place| self.write(place))
                }
                _ => Ok(()),
            };
            if let Err(wrong) = written {
                self.failed = Some(wrong);
                return;
            }
        }
    }

    /// Writes what still waits; how many lists there are.
    pub fn finish(mut self) -> Result<usize, SplitError> {
        if let Some(wrong) = self.failed.take() {
            return Err(wrong);
        }
        (0..self.lists.len()).try_for_each(|place| self.write(place))?;
        Ok(self.lists.len())
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
        let path = self.folder.join(format!("{name}.csv"));
        let mut waiting = Vec::new();
        fixes::header(&mut waiting);
        self.lists.push(List { path, file: None, waiting, is_begun: false });
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
        list.write().map_err(|source| SplitError { path: list.path.clone(), source })
    }
}

impl List {
    fn write(&mut self) -> io::Result<()> {
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let mut options = File::options();
            // What an earlier report left is replaced.
            let options =
                if self.is_begun { options.append(true) } else { options.write(true).truncate(true) };
            self.file.insert(options.create(true).open(&self.path)?)
        };
        self.is_begun = true;
        file.write_all(&self.waiting)?;
        self.waiting = Vec::new();
        Ok(())
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(last: u8, finding: &str, customer: &str) -> String {
        let record = serde_json::json!({
            "schema": "banneret.record/1", "time": "2026-01-02T03:04:05.678Z", "outcome": "greeted",
            "target": {"ip": format!("192.0.2.{last}"), "port": 25, "tags": {"customer": customer}},
            "findings": [finding], "tenancy": "unknown", "network": {"asn": 64500},
        });
        record.to_string()
    }

    fn add(split: &mut Split, last: u8, customer: &str) {
        split.add(&Row::from_json(&line(last, "ptr_missing", customer)).unwrap());
    }

    fn lists(folder: &Path) -> Vec<(String, usize)> {
        let mut lists: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.starts_with("ip,port,"), "{text}");
                (path.file_name().unwrap().to_str().unwrap().to_owned(), text.lines().count() - 1)
            })
            .collect();
        lists.sort();
        lists
    }

    #[test]
    fn every_group_has_its_list_and_what_looks_alike_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("lists");
        for _ in 0..2 {
            let mut split = Split::new(&inside, Kind::Tag("customer".into())).unwrap();
            for (last, customer) in
                [(1, "C-17"), (2, "c-17"), (3, "C-17"), (4, "../C-17"), (5, "C/17"), (6, "C:17"), (7, "")]
            {
                add(&mut split, last, customer);
            }
            split.add(&Row::from_json(&line(9, "ptr_multiple", "sound")).unwrap());
            assert_eq!((split.without, split.finish().unwrap()), (1, 5));
        }
        let lists = lists(&inside);
        let told: Vec<(&str, usize)> = lists.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(
            told,
            [
                ("C-17-5f2e53e8.csv", 1),
                ("C-17.csv", 2),
                ("C_17-07379c29.csv", 1),
                ("C_17-7c98581f.csv", 1),
                ("c-17~2.csv", 1),
            ]
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written beside");
    }

    #[test]
    fn more_lists_than_open_files_lose_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let mut split = Split::new(folder.path(), Kind::Tag("customer".into())).unwrap();
        for round in 0..3u8 {
            for customer in 0..2 * OPEN {
                let customer = format!("C{customer}");
                add(&mut split, round, &customer);
                let place = split.places[&customer];
                split.write(place).unwrap();
                assert!(split.lists.iter().filter(|list| list.file.is_some()).count() <= OPEN);
            }
        }
        assert_eq!(split.finish().unwrap(), 2 * OPEN);
        let lists = lists(folder.path());
        assert_eq!(lists.len(), 2 * OPEN);
        assert!(lists.iter().all(|(_, rows)| *rows == 3), "{lists:?}");
    }

    #[test]
    fn a_list_that_can_not_be_written_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let wrong = Split::new(&file, Kind::Asn).unwrap_err().to_string();
        assert!(wrong.starts_with(&format!("fix list `{}` can't be written: ", file.display())), "{wrong}");
        fs::create_dir(folder.path().join("AS64500.csv")).unwrap();
        let mut split = Split::new(folder.path(), Kind::Asn).unwrap();
        add(&mut split, 1, "any");
        assert!(
            split.finish().unwrap_err().to_string().contains("AS64500.csv` can't be written: Is a directory")
        );
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn a_file_name_leads_nowhere_else(key in any::<String>()) {
            let name = file_name(&key);
            prop_assert!(!name.is_empty() && name.len() < 120);
            prop_assert!(name.starts_with(|first: char| first.is_ascii_alphanumeric()));
            prop_assert!(!name.contains(['/', '\\', '\0', ':']));
        }
    }
}
