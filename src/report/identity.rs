//! Which file a path leads to, however it is spelt: links, hard links, `./x` and `/proc/self/fd/1` included.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The kernel gives up after so many links in a row, too (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// A file as the kernel tells it apart from all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// It exists: device and inode.
    There(u64, u64),
    /// It does not exist yet: device and inode of its directory, and its name there.
    Missing(u64, u64, PathBuf),
}

/// What stands at a path, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Nothing,
    /// A regular file of so many bytes.
    File(u64),
    /// A directory.
    Directory,
    /// A pipe or FIFO.
    Pipe,
    /// A character device, as a terminal or `/dev/null`.
    Device,
    /// A block device or a socket, which no output is meant for.
    Other,
}

/// The file at `path`, `-` being the standard stream `stream`; `None` if its directory does not exist either.
pub fn identity(path: &Path, stream: impl AsFd) -> Option<Identity> {
    if path == Path::new("-") {
        let status = rustix::fs::fstat(stream).ok()?;
        return Some(Identity::There(status.st_dev, status.st_ino));
    }
    if let Ok(data) = fs::metadata(path) {
        return Some(Identity::There(data.dev(), data.ino()));
    }
    let path = follow(path);
    let directory = fs::metadata(directory_of(&path)).ok()?;
    Some(Identity::Missing(directory.dev(), directory.ino(), path.file_name()?.into()))
}

/// What stands at `path`, `-` being the standard stream `stream`.
pub fn kind(path: &Path, stream: impl AsFd) -> io::Result<Kind> {
    let data = if path == Path::new("-") {
        fs::File::from(stream.as_fd().try_clone_to_owned()?).metadata()
    } else {
        fs::metadata(path)
    };
    let data = match data {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kind::Nothing),
        data => data?,
    };
    let form = data.file_type();
    Ok(match form {
        _ if form.is_file() => Kind::File(data.len()),
        _ if form.is_dir() => Kind::Directory,
        _ if form.is_fifo() => Kind::Pipe,
        _ if form.is_char_device() => Kind::Device,
        _ => Kind::Other,
    })
}

/// Where the links at `path` lead in the end, also if nothing is there yet.
pub fn follow(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = directory_of(&path).join(target),
            Err(_) => break,
        }
    }
    path
}

/// The directory that a path's last name stands in.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::stdin;
    use std::os::unix::fs::symlink;

    fn same(one: &Path, other: &Path) -> bool {
        let (one, other) = (identity(one, stdin()), identity(other, stdin()));
        assert!(one.is_some() && other.is_some());
        one == other
    }

    #[test]
    fn a_file_is_the_same_by_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("in")).unwrap();
        symlink("in", at("door")).unwrap();
        fs::write(at("in/a"), "text").unwrap();
        fs::hard_link(at("in/a"), at("hard")).unwrap();
        symlink("in/a", at("soft")).unwrap();
        symlink("soft", at("softer")).unwrap();
        fs::write(at("b"), "text").unwrap();
        for name in ["in/a", "door/a", "hard", "soft", "softer", "in/../in/./a"] {
            assert!(same(&at("in/a"), &at(name)), "{name}");
        }
        assert!(!same(&at("in/a"), &at("b")));
        let open = fs::File::open(at("in/a")).unwrap();
        let descriptor = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
        assert!(same(&at("in/a"), Path::new(&descriptor)));
        assert_eq!(identity(Path::new("-"), &open), identity(&at("in/a"), stdin()));
    }

    #[test]
    fn a_file_that_does_not_exist_yet_is_known_by_its_directory_and_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("in")).unwrap();
        symlink("in", at("door")).unwrap();
        symlink("in/new", at("dangling")).unwrap();
        for name in ["in/new", "door/new", "dangling", "in/../door/./new"] {
            assert!(same(&at("in/new"), &at(name)), "{name}");
        }
        assert!(!same(&at("in/new"), &at("in/newer")));
        assert!(!same(&at("in/new"), &at("new")));
        assert_eq!(identity(&at("nowhere/new"), stdin()), None);
        assert_eq!(follow(&at("dangling")), at("in/new"));
        symlink("round", at("round")).unwrap();
        follow(&at("round"));
    }

    #[test]
    fn what_stands_there_is_told_links_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "text").unwrap();
        symlink("/dev/null", at("null")).unwrap();
        for (path, expected) in [
            (at("a"), Kind::File(4)),
            (at("none"), Kind::Nothing),
            (folder.path().to_owned(), Kind::Directory),
            (at("null"), Kind::Device),
            ("/dev/full".into(), Kind::Device),
        ] {
            assert_eq!(kind(&path, stdin()).unwrap(), expected, "{}", path.display());
        }
        let (reader, _writer) = io::pipe().unwrap();
        assert_eq!(kind(Path::new("-"), &reader).unwrap(), Kind::Pipe);
        kind(&at("a/b"), stdin()).unwrap_err();
    }
}
