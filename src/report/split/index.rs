//! The index of a folder of lists: which files a report wrote there, and what was in them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::atomic;
use crate::report::csv::put;
use crate::report::file::{hash_file, hex};

/// Its name in the folder. Lists end in `.csv`, pages in `.html`, mails in `.txt`.
pub(super) const INDEX: &str = "index.json";
/// The table of all lists, for people and their programs.
pub(super) const TABLE: &str = "index.csv";
const SCHEMA: &str = "banneret.split/1";
/// The longest index that is read, in bytes: some hundred thousand lists.
const LONGEST: u64 = 64 << 20;

/// The files of a folder.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    schema: String,
    /// The lists.
    pub(super) files: Vec<Entry>,
    /// Whether it stood in the folder.
    #[serde(skip)]
    pub(super) was_read: bool,
}

/// A list as it was written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The group that it is of, as the records have it: a file's name can't hold every one.
    #[serde(default)]
    pub(super) group: Option<String>,
    pub(super) length: u64,
    pub(super) sha256: String,
}

impl Index {
    /// Of these lists.
    pub(super) fn new(files: Vec<Entry>) -> Self {
        Self { schema: SCHEMA.to_owned(), files, was_read: false }
    }

    /// That of a folder; an empty one where there is none, or one of somebody else. It names files of this
    /// folder only, whatever was written into it.
    pub(super) fn read(folder: &Path) -> Self {
        let mut text = Vec::new();
        let path = folder.join(INDEX);
        if path.is_symlink() || !path.is_file() {
            return Self::default();
        }
        let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut text));
        let index = read.ok().and_then(|_| serde_json::from_slice::<Self>(&text).ok());
        let Some(mut index) = index.filter(|index| index.schema == SCHEMA) else { return Self::default() };
        index.files.retain(|entry| is_list(&entry.name));
        Self { was_read: true, ..index }
    }

    /// Puts it in place.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        atomic::write(path, &text)
    }
}

/// Appends the header of the table of all lists.
pub(super) fn header(table: &mut Vec<u8>) {
    table.extend_from_slice(b"group,hosts,high,medium,low,list,page,mail\n");
}

/// Appends the row of a group whose files are called `base`.
pub(super) fn row(table: &mut Vec<u8>, (group, base): (&str, &str), severities: [u64; 3]) {
    put(table, group);
    let [high, medium, low] = severities;
    let all = high + medium + low;
    let row = format!(",{all},{high},{medium},{low},{base}.csv,{base}.html,{base}.txt\n");
    table.extend_from_slice(row.as_bytes());
}

impl Entry {
    /// Whether it is the list of a group, not its page or mail.
    pub(super) fn is_list_of_group(&self) -> bool {
        self.name != TABLE && Path::new(&self.name).extension().is_some_and(|ending| ending == "csv")
    }

    /// Whether the file at `path` is as it was written.
    pub(super) fn is_unchanged(&self, path: &Path) -> bool {
        let is_file =
            fs::symlink_metadata(path).is_ok_and(|data| data.is_file() && data.len() == self.length);
        let hash = || {
            let mut hash = Sha256::new();
            hash_file(&mut File::open(path)?, self.length, &mut hash)?;
            io::Result::Ok(hex(&hash.finalize()))
        };
        is_file && hash().is_ok_and(|hash| hash == self.sha256)
    }
}

/// Whether a name can be that of a list: a file of the folder itself.
fn is_list(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
        && Path::new(name).extension().is_some_and(|it| it == "csv" || it == "html" || it == "txt")
}
