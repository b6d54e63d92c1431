//! The file below a sink: whole blocks, handed over entire or taken back, and a length up to which all is
//! whole.
//!
//! Rows gather in a block. A block that is full, or a flush, becomes one write; under compression it becomes
//! one gzip member or zstd frame of its own, so that a file cut back to any reported length can still be
//! read. What a failed write left behind the last whole block is cut off at once, and the block stays for
//! another try.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use zstd::zstd_safe::CParameter;

use super::format::Compression;
pub use super::output::{Committed, OutputError, Reach, Start, Written};
use super::{atomic, stream};

/// Plain rows in one write: more saves no system calls worth the memory.
const PLAIN_BLOCK: usize = 64 << 10;
/// Rows in one compressed frame: below this the ratio falls, above it hardly rises.
const COMPRESSED_BLOCK: usize = 1 << 20;
/// The level of gzip's and zstd's own programs.
const GZIP_LEVEL: u32 = 6;
/// See [`GZIP_LEVEL`].
const ZSTD_LEVEL: i32 = 3;

/// An open output.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    file: File,
    kind: Kind,
    compression: Compression,
    block: Vec<u8>,
    block_rows: u64,
    whole: Committed,
    hash: Sha256,
    known_on_disk: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A file that still holds what stood behind the place where writing starts.
    Untouched,
    /// A file that can be cut back.
    File,
    /// A pipe, terminal or device.
    Stream,
}

impl Output {
    /// Opens the output at `path`, `-` being stdout. Nothing of an existing file is lost before the first
    /// flush.
    pub fn open(path: &Path, compression: Compression, start: Start) -> Result<Self, OutputError> {
        let failed = |source| OutputError::Open { path: path.to_owned(), source };
        let file = if path == Path::new("-") {
            io::stdout().as_fd().try_clone_to_owned().map(File::from)
        } else if start == Start::New && atomic::is_stream(path) {
            stream::open(path, stream::PATIENCE)
        } else {
            File::options()
                .read(matches!(start, Start::At(_)))
                .write(true)
                .create(start == Start::New)
                .truncate(false)
                .open(path)
        };
        let file = file.map_err(failed)?;
        let is_file = path != Path::new("-") && file.metadata().map_err(failed)?.is_file();
        // The lock ends with the process, however it ends. Where a file system knows no locks, there is none.
        if is_file && flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
            return Err(OutputError::Locked { path: path.to_owned() });
        }
        let mut output = Self {
            path: path.to_owned(),
            file,
            kind: if is_file { Kind::Untouched } else { Kind::Stream },
            compression,
            block: Vec::new(),
            block_rows: 0,
            whole: Committed::default(),
            hash: Sha256::new(),
            known_on_disk: false,
        };
        if let Start::At(committed) = start {
            output.resume_at(committed)?;
        }
        Ok(output)
    }

    /// Where rows are put before they are whole; end each with [`Output::end_row`].
    pub fn block(&mut self) -> &mut Vec<u8> {
        &mut self.block
    }

    /// Counts the row just put into the block, and hands a full block over.
    pub fn end_row(&mut self) -> Result<(), OutputError> {
        self.block_rows += 1;
        let full = match self.compression {
            Compression::None => PLAIN_BLOCK,
            Compression::Gzip | Compression::Zstd => COMPRESSED_BLOCK,
        };
        if self.block.len() < full {
            return Ok(());
        }
        self.hand_over()
    }

    /// Hands over the block, as far as `reach` says.
    pub fn flush(&mut self, reach: Reach) -> Result<Committed, OutputError> {
        self.hand_over()?;
        if reach == Reach::Disk && self.kind == Kind::File {
            self.file.sync_data().map_err(|source| self.failed(source))?;
            if !self.known_on_disk {
                atomic::sync_directory(&self.path).map_err(|source| self.failed(source))?;
                self.known_on_disk = true;
            }
        }
        Ok(Committed { sha256: Some(self.hash.clone().finalize().into()), ..self.whole })
    }

    /// Brings all to disk and tells what came of it.
    pub fn finish(mut self) -> Result<Written, OutputError> {
        let mut whole = self.flush(Reach::Disk)?;
        if whole.length == 0 && self.compression != Compression::None {
            // Nothing at all is no archive: `gunzip` calls it broken.
            self.hand_over_block()?;
            whole = self.flush(Reach::Disk)?;
        }
        let Committed { length, rows, .. } = whole;
        Ok(Written { path: self.path, rows, length, sha256: hex(&self.hash.finalize()) })
    }

    /// Makes sure that the file is the one that an earlier run left. It is cut back at the first flush, so
    /// that nothing is lost if another output of the run is refused.
    fn resume_at(&mut self, committed: Committed) -> Result<(), OutputError> {
        let Committed { length, sha256, .. } = committed;
        let path = &self.path;
        if self.kind == Kind::Stream {
            return Err(OutputError::NoFile { path: path.clone() });
        }
        let failed = |source| OutputError::Open { path: path.clone(), source };
        let found = self.file.metadata().map_err(failed)?.len();
        if found < length {
            return Err(OutputError::CutShort { path: path.clone(), found, length });
        }
        hash_file(&mut self.file, length, &mut self.hash).map_err(failed)?;
        let found: [u8; 32] = self.hash.clone().finalize().into();
        if let Some(expected) = sha256.filter(|expected| *expected != found) {
            let (found, expected) = (hex(&found), hex(&expected));
            return Err(OutputError::Edited { path: path.clone(), length, found, expected });
        }
        self.file.seek(SeekFrom::Start(length)).map_err(failed)?;
        self.whole = committed;
        Ok(())
    }

    fn hand_over(&mut self) -> Result<(), OutputError> {
        if self.kind == Kind::Untouched {
            self.file.set_len(self.whole.length).map_err(|source| self.failed(source))?;
            self.kind = Kind::File;
        }
        if self.block.is_empty() { Ok(()) } else { self.hand_over_block() }
    }

    fn hand_over_block(&mut self) -> Result<(), OutputError> {
        let squeezed = match self.compression {
            Compression::None => None,
            Compression::Gzip => Some(gzip(&self.block)),
            Compression::Zstd => Some(zstd(&self.block)),
        };
        let squeezed = squeezed.transpose().map_err(|source| self.failed(source))?;
        let bytes = squeezed.as_deref().unwrap_or(&self.block);
        if let Err(source) = self.file.write_all(bytes) {
            self.take_back();
            return Err(self.failed(source));
        }
        self.hash.update(bytes);
        self.whole.length += bytes.len() as u64;
        self.whole.rows += self.block_rows;
        self.block.clear();
        self.block_rows = 0;
        Ok(())
    }

    /// Cuts off what a failed write left. If even that fails, a resumed run does it from the reported length.
    fn take_back(&mut self) {
        if self.kind == Kind::File {
            let _ = self.file.set_len(self.whole.length);
            let _ = self.file.seek(SeekFrom::Start(self.whole.length));
        }
    }

    fn failed(&self, source: io::Error) -> OutputError {
        let path = self.path.clone();
        match source.kind() {
            ErrorKind::BrokenPipe => OutputError::Closed { path },
            _ => OutputError::Write { path, source },
        }
    }
}

fn gzip(block: &[u8]) -> io::Result<Vec<u8>> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    member.write_all(block)?;
    member.finish()
}

/// One frame, with a checksum: damage inside it is told by whoever reads it.
fn zstd(block: &[u8]) -> io::Result<Vec<u8>> {
    let mut frame = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
    frame.set_parameter(CParameter::ChecksumFlag(true))?;
    frame.compress(block)
}

/// Hashes the first `length` bytes of a file.
pub(super) fn hash_file(file: &mut File, length: u64, hash: &mut Sha256) -> io::Result<()> {
    let mut chunk = vec![0; PLAIN_BLOCK];
    file.rewind()?;
    let mut file = file.take(length);
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(()),
            length => hash.update(&chunk[..length]),
        }
    }
}

/// Bytes in hex, lower case.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|&byte| crate::record::escape::hex(byte)).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::expand::{Expanded, Unfinished};
    use std::fs;

    fn open(path: &Path, compression: Compression, start: Start) -> Output {
        Output::open(path, compression, start).unwrap()
    }

    fn put(output: &mut Output, row: &str) {
        output.block().extend_from_slice(row.as_bytes());
        output.end_row().unwrap();
    }

    fn sha256(bytes: &[u8]) -> String {
        hex(&Sha256::digest(bytes))
    }

    #[test]
    fn an_existing_file_is_replaced_at_the_first_flush_and_not_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        fs::write(&path, "what an earlier run left behind\n").unwrap();
        let mut output = open(&path, Compression::None, Start::New);
        put(&mut output, "one\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "what an earlier run left behind\n");
        let committed = output.flush(Reach::System).unwrap();
        assert_eq!((committed.length, committed.rows), (4, 1));
        assert_eq!(committed.sha256.map(|hash| hex(&hash)), Some(sha256(b"one\n")));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
    }

    #[test]
    fn what_was_written_is_told_with_its_hash() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        let mut output = open(&path, Compression::None, Start::New);
        put(&mut output, "one\n");
        put(&mut output, "two\n");
        let written = output.finish().unwrap();
        assert_eq!(written, Written { path, rows: 2, length: 8, sha256: sha256(b"one\ntwo\n") });
        // The hash that `printf 'one\ntwo\n' | sha256sum` prints.
        assert!(written.sha256.starts_with("c3f9c8c283a2b1f2"), "{}", written.sha256);
    }

    #[test]
    fn a_resumed_output_is_cut_back_and_ends_as_if_it_had_never_stopped() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a");
            let mut output = open(&path, compression, Start::New);
            put(&mut output, "one\n");
            let committed = output.flush(Reach::Disk).unwrap();
            put(&mut output, "written, but in no checkpoint\n");
            output.flush(Reach::System).unwrap();
            drop(output);

            let mut output = open(&path, compression, Start::At(committed));
            put(&mut output, "two\n");
            let written = output.finish().unwrap();
            let bytes = fs::read(&path).unwrap();
            assert_eq!(expand(&bytes, compression), "one\ntwo\n");
            assert_eq!((written.rows, written.length), (2, bytes.len() as u64));
            assert_eq!(written.sha256, sha256(&bytes));
        }
    }

    #[test]
    fn compressed_outputs_are_whole_at_every_flush_and_even_when_empty() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a");
            let mut output = open(&path, compression, Start::New);
            let mut rows = String::new();
            for number in 0..5 {
                let row = format!("{number}\n");
                put(&mut output, &row);
                rows.push_str(&row);
                let committed = output.flush(Reach::System).unwrap();
                let bytes = fs::read(&path).unwrap();
                assert_eq!(committed.length, bytes.len() as u64);
                assert_eq!(expand(&bytes, compression), rows);
            }
            let empty = directory.path().join("empty");
            open(&empty, compression, Start::New).finish().unwrap();
            let bytes = fs::read(&empty).unwrap();
            assert!(!bytes.is_empty());
            assert_eq!(expand(&bytes, compression), "");
        }
    }

    #[test]
    fn one_changed_byte_of_a_compressed_output_is_told_wherever_it_is() {
        for compression in [Compression::Gzip, Compression::Zstd] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a");
            let mut output = open(&path, compression, Start::New);
            for number in 0..200 {
                put(&mut output, &format!("{}\n", number * 7919));
            }
            output.finish().unwrap();
            let whole = fs::read(&path).unwrap();
            let text = expand(&whole, compression);
            // Behind the mark that says what it is, and in gzip the time and the system (RFC 1952 §2.3.1).
            let first = if compression == Compression::Gzip { 10 } else { 4 };
            for at in first..whole.len() {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x10;
                let mut found = Vec::new();
                let read = Expanded::new(&damaged[..]).and_then(|mut read| read.read_to_end(&mut found));
                let told = read.err().is_some_and(|wrong| Unfinished::of(&wrong).is_some());
                assert!(told || found == text.as_bytes(), "{compression:?} at {at}");
            }
        }
    }

    #[test]
    fn another_file_than_the_one_left_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.jsonl");
        let start = Start::At(Committed { length: 5, rows: 1, sha256: None });
        let missing = Output::open(&path, Compression::None, start).unwrap_err();
        assert!(matches!(missing, OutputError::Open { .. }), "{missing}");
        fs::write(&path, "four").unwrap();
        let short = Output::open(&path, Compression::None, start).unwrap_err();
        assert!(matches!(short, OutputError::CutShort { found: 4, length: 5, .. }), "{short}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "four", "a refusal changes nothing");
        let device = Output::open(Path::new("/dev/null"), Compression::None, start).unwrap_err();
        assert!(matches!(device, OutputError::NoFile { .. }), "{device}");
    }

    #[test]
    fn an_output_that_was_edited_at_equal_length_is_refused_and_stays_as_it_is() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a");
            let mut output = open(&path, compression, Start::New);
            put(&mut output, "one\n");
            let committed = output.flush(Reach::Disk).unwrap();
            put(&mut output, "in no checkpoint\n");
            output.finish().unwrap();
            let sound = fs::read(&path).unwrap();
            let mut edited = sound.clone();
            edited[2] ^= 1;
            fs::write(&path, &edited).unwrap();
            let error = Output::open(&path, compression, Start::At(committed)).unwrap_err();
            assert!(matches!(error, OutputError::Edited { .. }), "{error}");
            let expected = hex(&committed.sha256.unwrap());
            assert!(error.to_string().contains(&expected), "{error}");
            assert_eq!(fs::read(&path).unwrap(), edited, "a refusal changes nothing");
            // Checkpoints of earlier versions hold no hash.
            let start = Start::At(Committed { sha256: None, ..committed });
            drop(open(&path, compression, start));
            assert_eq!(fs::read(&path).unwrap(), edited, "nor does anything before the first flush");
            fs::write(&path, &sound).unwrap();
            open(&path, compression, Start::At(committed)).flush(Reach::System).unwrap();
            assert_eq!(fs::read(&path).unwrap(), sound[..usize::try_from(committed.length).unwrap()]);
        }
    }

    #[test]
    fn what_can_not_be_opened_or_written_is_told_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let error = Output::open(directory.path(), Compression::None, Start::New).unwrap_err();
        assert!(error.to_string().contains("can't be opened: Is a directory"), "{error}");

        let mut full = open(Path::new("/dev/full"), Compression::None, Start::New);
        put(&mut full, "one\n");
        let error = full.flush(Reach::System).unwrap_err();
        assert_eq!(
            error.to_string(),
            "output `/dev/full` can't be written: No space left on device (os error 28)"
        );
    }

    #[test]
    fn a_reader_who_left_is_told_apart() {
        let (reader, writer) = io::pipe().unwrap();
        let mut output = open(Path::new("/dev/null"), Compression::None, Start::New);
        output.file = File::from(std::os::fd::OwnedFd::from(writer));
        drop(reader);
        put(&mut output, "one\n");
        let error = output.flush(Reach::System).unwrap_err();
        assert!(matches!(error, OutputError::Closed { .. }), "{error}");
    }

    fn expand(bytes: &[u8], compression: Compression) -> String {
        let mut text = String::new();
        let read = match compression {
            Compression::None => return String::from_utf8(bytes.to_vec()).unwrap(),
            Compression::Gzip => flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text),
            Compression::Zstd => zstd::Decoder::new(bytes).unwrap().read_to_string(&mut text),
        };
        read.unwrap();
        text
    }
}
