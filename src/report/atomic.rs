//! Small files that are there whole or not at all: written beside, brought to disk, then renamed.
//!
//! The file beside is `NAME.PID.tmp`, and locked as long as its writer lives: what a killed process left can
//! be told from what a living one is about to put in place.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::identity::{directory_of, follow};
use super::stream;

/// Names that are tried for the file beside; more are taken only by somebody who means harm.
const MOST_NAMES: u32 = 16;

/// Puts `bytes` at `path`: a reader sees the old file or the new one, never a part, and a loss of power
/// changes nothing about that. On error the old file stays and no other is left. A link is followed; a device
/// or a pipe is written to as it is, for nothing can take its place, and a pipe that nobody reads is an error
/// after [`stream::PATIENCE`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_stream(path) {
        return stream::write(path, bytes, stream::PATIENCE);
    }
    replace(path, |file| file.write_all(bytes))
}

/// Whether something stands at `path` that is no regular file, as a device or a pipe.
pub fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// The same with what `fill` writes, in a regular file.
pub fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    if is_stream(path) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let path = follow(path);
    let (beside, mut new) = create_beside(&path)?;
    let written = fill(&mut new).and_then(|()| new.sync_all());
    if let Err(error) = written.and_then(|()| fs::rename(&beside, &path)) {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
        return Err(error);
    }
    sync_directory(&path)
}

/// Brings the entry of `path` in its directory to disk.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}

/// The name of this process's file beside `path`, links followed: only in the same directory can a rename
/// replace.
pub fn beside(path: &Path) -> PathBuf {
    named_beside(&follow(path), 0)
}

fn named_beside(path: &Path, attempt: u32) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(match attempt {
        0 => format!(".{}.tmp", std::process::id()),
        _ => format!(".{}-{attempt}.tmp", std::process::id()),
    });
    path.with_file_name(name)
}

/// Makes the file beside. Its name can be guessed: what stands there, as a link that somebody put there, is
/// never written through and never removed, unless an earlier process of this number left it.
pub(super) fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut attempt = 0;
    loop {
        let beside = named_beside(path, attempt);
        match File::options().read(true).write(true).create_new(true).open(&beside) {
            Ok(file) => {
                // Where a file system knows no locks, there is none.
                let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                return Ok((beside, file));
            }
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) if is_abandoned(&beside) && fs::remove_file(&beside).is_ok() => {}
            Err(error) if attempt == MOST_NAMES => return Err(error),
            Err(_) => attempt += 1,
        }
    }
}

/// Removes the files that killed processes left beside `path`: those of living ones stay.
pub fn remove_leftovers(path: &Path) {
    let path = follow(path);
    if let Some(name) = path.file_name() {
        remove_leftovers_in(directory_of(&path), |found| found == name);
    }
}

/// The same for all files of a directory whose names are among `ours`.
pub fn remove_leftovers_in(directory: &Path, ours: impl Fn(&OsStr) -> bool) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.filter_map(Result::ok) {
        let is_left = owner(&entry.file_name()).is_some_and(|(name, process)| ours(name) && !lives(process));
        if is_left && is_abandoned(&entry.path()) {
            // If it can't be removed, it does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Which file and which process a file beside belongs to: `NAME.PID.tmp` or `NAME.PID-N.tmp`.
fn owner(found: &OsStr) -> Option<(&OsStr, i32)> {
    let stem = found.as_bytes().strip_suffix(b".tmp")?;
    let dot = stem.iter().rposition(|&byte| byte == b'.')?;
    let numbers = std::str::from_utf8(&stem[dot + 1..]).ok()?;
    let (process, attempt) = numbers.split_once('-').unwrap_or((numbers, "0"));
    let are_digits = [process, attempt].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let process = process.parse().ok().filter(|&process: &i32| are_digits && process > 0)?;
    Some((OsStr::from_bytes(&stem[..dot]), process))
}

/// Whether a process of that number lives here. What an earlier process of our own number left makes way when
/// its name is needed.
fn lives(process: i32) -> bool {
    Pid::from_raw(process).is_some_and(|process| test_kill_process(process) != Err(Errno::SRCH))
}

/// Whether a regular file stands there that no process is writing.
fn is_abandoned(path: &Path) -> bool {
    let Ok(data) = fs::symlink_metadata(path) else { return false };
    if !data.is_file() {
        return false;
    }
    let Ok(file) = File::open(path) else { return false };
    let is_it = file.metadata().is_ok_and(|open| (open.dev(), open.ino()) == (data.dev(), data.ino()));
    is_it && flock(&file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn the_new_file_replaces_the_old_one_and_nothing_is_left_beside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        for text in ["first, longer", "second"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(names(directory.path()), ["a.json"]);
    }

    #[test]
    fn a_device_is_written_to_and_stays_one() {
        assert!(is_stream(Path::new("/dev/null")));
        write(Path::new("/dev/null"), b"text").unwrap();
        assert!(is_stream(Path::new("/dev/null")), "nothing took its place");
        write(Path::new("/dev/full"), b"text").unwrap_err();
    }

    #[test]
    fn a_link_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("a.json"), directory.path().join("b.json"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_link_to_what_is_not_there_yet_is_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("a.json"), directory.path().join("b.json"));
        std::os::unix::fs::symlink("a.json", &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_has_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        let at = |name: &str| directory.path().join(name);
        let living = std::os::unix::process::parent_id();
        // No process has so high a number: Linux ends at 2^22 (proc(5), pid_max).
        let left = ["a.json.99999999.tmp", "a.json.99999999-2.tmp", "a.json.88888888.tmp"];
        let others = [
            &format!("a.json.{living}.tmp"),
            "a.json.x.tmp",
            "a.json.99999999.tmp.old",
            "b.json.99999999.tmp",
            "a.json.-5.tmp",
        ];
        for name in left.iter().chain(&others) {
            fs::write(at(name), "part").unwrap();
        }
        let held = File::open(at(left[2])).unwrap();
        flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
        fs::create_dir(at("a.json.77777777.tmp")).unwrap();
        remove_leftovers(&path);
        let mut expected: Vec<&str> = others.to_vec();
        expected.extend([left[2], "a.json.77777777.tmp"]);
        let (mut found, mut expected): (Vec<_>, Vec<_>) =
            (names(directory.path()), expected.iter().map(ToString::to_string).collect());
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_an_earlier_process_of_this_number_left_makes_way() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        fs::write(beside(&path), "part").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(names(directory.path()), ["a.json"]);
        let held = File::create(beside(&path)).unwrap();
        flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
        write(&path, b"newer").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "newer");
        assert!(beside(&path).exists(), "another process is at it");
    }

    #[test]
    fn a_link_in_the_way_is_not_written_through() {
        let directory = tempfile::tempdir().unwrap();
        let (path, precious) = (directory.path().join("a.json"), directory.path().join("precious"));
        fs::write(&precious, "kept").unwrap();
        std::os::unix::fs::symlink(&precious, beside(&path)).unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn what_can_not_be_put_in_place_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "").unwrap();
        write(&path, b"text").unwrap_err();
        assert_eq!(names(directory.path()), ["a.json"]);
        assert!(write(&directory.path().join("none/a.json"), b"text").is_err());
    }
}
