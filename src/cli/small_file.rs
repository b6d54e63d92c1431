//! Files of a person's own that are read as a whole: settings and the like, which are small. Whatever else is
//! named by mistake, as a device without an end, takes no memory and ends.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The most that is read of a file that somebody wrote by hand.
pub(super) const BY_HAND: u64 = 1 << 20;
/// The most that is read of a checkpoint: it holds a number for each target under way.
pub(super) const CHECKPOINT: u64 = 1 << 28;

/// All bytes of a file that has at most `most`.
pub(super) fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it is longer than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

/// The same as text.
pub(super) fn text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(bytes(path, most)?).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_or_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings");
        std::fs::write(&path, "rate = 1").unwrap();
        assert_eq!(text(&path, 8).unwrap(), "rate = 1");
        for (path, most, told) in [
            (path.as_path(), 7, "it is longer than 0 MiB"),
            (Path::new("/dev/zero"), BY_HAND, "it is longer than 1 MiB"),
            (folder.path(), BY_HAND, "is a directory"),
            (Path::new("/nonexistent"), BY_HAND, "No such file or directory (os error 2)"),
        ] {
            assert_eq!(text(path, most).unwrap_err().to_string(), told);
        }
        std::fs::write(&path, b"rate = \xff").unwrap();
        assert_eq!(text(&path, BY_HAND).unwrap_err().to_string(), "it is not UTF-8 text");
    }
}
