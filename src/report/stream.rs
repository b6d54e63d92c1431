//! Pipes and devices as outputs: opened and written without ever waiting long for a reader who does not come.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;

/// How long a pipe may have no reader, or take nothing: whoever starts the reader second is in time, and a
/// run with nobody at the other end still ends.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts to open a FIFO that nobody reads yet: the kernel tells nobody when a reader comes.
const EACH: Duration = Duration::from_millis(20);

/// Opens a FIFO or a device for writing; a FIFO must get a reader within `patience`. Writes wait for the
/// reader from then on, as they do in any pipe.
pub fn open(path: &Path, patience: Duration) -> io::Result<File> {
    let file = open_without_waiting(path, patience)?;
    let flags = fcntl_getfl(&file)?;
    fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(file)
}

/// Writes all of `bytes` to the FIFO or device at `path`, which must take some of them every `patience`.
pub fn write(path: &Path, bytes: &[u8], patience: Duration) -> io::Result<()> {
    let mut file = open_without_waiting(path, patience)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(wrong) if wrong.kind() == ErrorKind::Interrupted => {}
            Err(wrong) if wrong.kind() == ErrorKind::WouldBlock => wait_for_room(&file, patience)?,
            Err(wrong) => return Err(wrong),
        }
    }
    Ok(())
}

fn open_without_waiting(path: &Path, patience: Duration) -> io::Result<File> {
    let never_wait = OFlags::NONBLOCK | OFlags::NOCTTY;
    let until = Instant::now() + patience;
    loop {
        match File::options().write(true).custom_flags(never_wait.bits().cast_signed()).open(path) {
            // fifo(7): nobody reads it.
            Err(wrong) if Errno::from_io_error(&wrong) == Some(Errno::NXIO) => {
                if Instant::now() >= until {
                    let reason = format!(
                        "nobody has read from this pipe for {} s; start its reader first, or name a file",
                        patience.as_secs()
                    );
                    return Err(io::Error::new(ErrorKind::TimedOut, reason));
                }
                std::thread::sleep(EACH.min(patience));
            }
            opened => return opened,
        }
    }
}

fn wait_for_room(file: &File, patience: Duration) -> io::Result<()> {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let wait = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(file, PollFlags::OUT)], Some(&wait)) {
            Ok(0) => {
                let reason = format!(
                    "its reader has taken nothing for {} s; let it read on, or name a file",
                    patience.as_secs()
                );
                return Err(io::Error::new(ErrorKind::TimedOut, reason));
            }
            Err(Errno::INTR) => {}
            Err(wrong) => return Err(wrong.into()),
            Ok(_) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn fifo(folder: &Path) -> PathBuf {
        let path = folder.join("fifo");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }

    #[test]
    fn a_fifo_that_nobody_reads_is_an_error_and_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        for wrong in
            [write(&path, b"text", Duration::ZERO).unwrap_err(), open(&path, Duration::ZERO).unwrap_err()]
        {
            assert_eq!(wrong.kind(), ErrorKind::TimedOut);
            assert!(wrong.to_string().starts_with("nobody has read from this pipe for 0 s;"), "{wrong}");
        }
    }

    #[test]
    fn a_pipe_whose_reader_does_not_read_is_an_error_as_soon_as_it_is_full() {
        let (reader, writer) = io::pipe().unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", writer.as_raw_fd()));
        let wrong = write(&path, &vec![0; 1 << 20], Duration::ZERO).unwrap_err();
        assert!(wrong.to_string().starts_with("its reader has taken nothing for 0 s;"), "{wrong}");
        drop(reader);
    }

    #[test]
    fn a_reader_who_comes_later_and_reads_gets_everything() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        let text: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
        let read = std::thread::scope(|scope| {
            let writing = scope.spawn(|| write(&path, &text, Duration::from_secs(60)));
            let mut read = Vec::new();
            File::open(&path).unwrap().read_to_end(&mut read).unwrap();
            writing.join().unwrap().unwrap();
            read
        });
        assert!(read == text);
    }

    #[test]
    fn rows_wait_for_their_reader_once_there_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let _reader = File::options().read(true).custom_flags(flags).open(&path).unwrap();
        let file = open(&path, Duration::ZERO).unwrap();
        assert!(!fcntl_getfl(&file).unwrap().contains(OFlags::NONBLOCK));
        write(Path::new("/dev/null"), b"text", Duration::ZERO).unwrap();
        assert!(write(Path::new("/dev/full"), b"text", Duration::ZERO).is_err());
    }
}
