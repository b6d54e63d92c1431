//! Bytes as they were before they were compressed, whatever the file is called: gzip and Zstandard are told
//! by their first bytes, members and frames one behind the other are read as one, and of half a file is said
//! what is wrong with it.
//!
//! By example: a file of two gzip members, the second cut off: all of the first and the beginning of the
//! second come out, then an error that [`Unfinished::of`] knows as [`Unfinished::Cut`].

use std::io::{self, BufRead, ErrorKind, Read};

/// How gzip members begin (RFC 1952 §2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// How Zstandard frames begin (RFC 8878 §3.1.1), the first byte first.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// What is told by its first bytes and not read, and what to do about it.
const REFUSED: [(&[u8], &str); 5] = [
    (b"PAR1", "it is Parquet; name it `.parquet`, or say so with `--from parquet`"),
    (b"\xfd7zXZ\0", "it is xz, which is not read; expand it first, or use gzip or zstd"),
    (b"BZh", "it is bzip2, which is not read; expand it first, or use gzip or zstd"),
    (b"\x04\x22\x4d\x18", "it is lz4, which is not read; expand it first, or use gzip or zstd"),
    (b"PK\x03\x04", "it is a zip archive or a spreadsheet, which is not read; save it as CSV or JSONL"),
];
/// The longest of these beginnings.
const LONGEST: usize = 6;

/// What is wrong with a file that is not there as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// Its compressed data ends in the middle.
    Cut,
    /// Something else stands behind its compressed data.
    Garbage,
    /// Its compressed data is damaged.
    Damaged,
}

impl Unfinished {
    /// What an error of reading says, if it is one of these.
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Broken>().map(|&Broken(what)| what)
    }

    /// What is wrong, for a sentence whose subject is the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "its compressed data ends in the middle",
            Self::Garbage => "something else stands behind its compressed data",
            Self::Damaged => "its compressed data is damaged",
        }
    }
}

impl From<Unfinished> for io::Error {
    fn from(what: Unfinished) -> Self {
        Self::new(ErrorKind::InvalidData, Broken(what))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{}", self.0.as_str())]
struct Broken(Unfinished);

/// The expanded bytes.
pub struct Expanded<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    /// The first bytes, and what stands behind them.
    Plain(io::Chain<io::Cursor<Vec<u8>>, R>),
    Gzip(Box<flate2::bufread::GzDecoder<Source<R>>>),
    Zstd(Box<zstd::Decoder<'static, Source<R>>>),
    End,
}

/// The compressed bytes: those that were looked at first, then the rest.
type Source<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

impl<R: BufRead> Expanded<R> {
    /// Looks at the first bytes of `input`. What is neither text nor one of the two compressions is an error
    /// that says what it is.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut first = Vec::with_capacity(LONGEST);
        while first.len() < LONGEST {
            let available = input.fill_buf();
            let available = match available {
                Err(wrong) if wrong.kind() == ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                break;
            }
            let taken = available.len().min(LONGEST - first.len());
            first.extend_from_slice(&available[..taken]);
            input.consume(taken);
        }
        if let Some((_, what)) = REFUSED.iter().find(|(beginning, _)| first.starts_with(beginning)) {
            return Err(io::Error::new(ErrorKind::InvalidData, *what));
        }
        let is_compressed = first.starts_with(GZIP) || is_frame(&first);
        let source = io::Cursor::new(first).chain(input);
        Ok(Self { state: if is_compressed { State::next(source)? } else { State::Plain(source) } })
    }
}

/// Whether a Zstandard frame begins so, one to be skipped included (RFC 8878 §3.1.2).
fn is_frame(bytes: &[u8]) -> bool {
    bytes.starts_with(ZSTD) || matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

impl<R: BufRead> State<R> {
    /// What comes behind a member or a frame, or at the beginning.
    fn next(mut source: Source<R>) -> io::Result<Self> {
        let first = source.fill_buf()?;
        if first.is_empty() {
            return Ok(Self::End);
        }
        // A beginning that lies across two reads is told by its first byte; if it is none, its decoder says
        // so.
        match first[0] {
            byte if byte == GZIP[0] => Ok(Self::Gzip(Box::new(flate2::bufread::GzDecoder::new(source)))),
            0x28 | 0x50..=0x5f => {
                let frame = zstd::Decoder::with_buffer(source)?.single_frame();
                Ok(Self::Zstd(Box::new(frame)))
            }
            0 => Self::padding(source),
            _ => Err(Unfinished::Garbage.into()),
        }
    }

    /// Tapes and disks fill up with zeros: they end a file, nothing else may follow.
    fn padding(mut source: Source<R>) -> io::Result<Self> {
        loop {
            let zeros = source.fill_buf()?;
            let length = zeros.len();
            if length == 0 {
                return Ok(Self::End);
            }
            if zeros.iter().any(|&byte| byte != 0) {
                return Err(Unfinished::Garbage.into());
            }
            source.consume(length);
        }
    }
}

/// What a decoder's error means; one of the file itself, as of a disk, stays what it is.
fn told(wrong: io::Error) -> io::Error {
    match wrong.kind() {
        _ if wrong.raw_os_error().is_some() => wrong,
        ErrorKind::Interrupted => wrong,
        ErrorKind::UnexpectedEof => Unfinished::Cut.into(),
        _ => Unfinished::Damaged.into(),
    }
}

impl<R: BufRead> Read for Expanded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.state {
                State::End => return Ok(0),
                State::Plain(source) => return source.read(buffer),
                State::Gzip(member) => member.read(buffer).map_err(told),
                State::Zstd(frame) => frame.read(buffer).map_err(told),
            };
            match read {
                Ok(0) => {}
                Err(wrong) if wrong.kind() == ErrorKind::Interrupted => return Err(wrong),
                Err(wrong) => {
                    self.state = State::End;
                    return Err(wrong);
                }
                read => return read,
            }
            let source = match std::mem::replace(&mut self.state, State::End) {
                State::Gzip(member) => member.into_inner(),
                State::Zstd(frame) => frame.finish(),
                State::Plain(_) | State::End => return Ok(0),
            };
            self.state = State::next(source)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        member.write_all(text).unwrap();
        member.finish().unwrap()
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        zstd::bulk::compress(text, 3).unwrap()
    }

    /// What comes out, through reads of one byte at a time and of many.
    fn expand(bytes: &[u8]) -> (Vec<u8>, Option<Unfinished>) {
        let both = [1, 8192].map(|size| {
            let mut out = Vec::new();
            let read = Expanded::new(BufReader::with_capacity(size, bytes));
            let ended = read.and_then(|mut expanded| expanded.read_to_end(&mut out));
            (out, ended.err().map(|wrong| Unfinished::of(&wrong).expect("told what is wrong")))
        });
        assert_eq!(both[0], both[1]);
        both.into_iter().next().unwrap()
    }

    #[test]
    fn compressed_or_not_the_text_comes_out() {
        let skipped = [&[0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        for (bytes, text) in [
            (b"one\ntwo\n".to_vec(), &b"one\ntwo\n"[..]),
            (Vec::new(), b""),
            (b"P".to_vec(), b"P"),
            (gzip(b"one"), b"one"),
            (zstd(b"one"), b"one"),
            ([gzip(b"one"), gzip(b""), gzip(b"two")].concat(), b"onetwo"),
            ([zstd(b"one"), skipped.clone(), zstd(b"two")].concat(), b"onetwo"),
            ([skipped, zstd(b"two")].concat(), b"two"),
            ([gzip(b"one"), vec![0; 512]].concat(), b"one"),
        ] {
            assert_eq!(expand(&bytes), (text.to_vec(), None), "{bytes:?}");
        }
    }

    #[test]
    fn half_a_file_gives_what_it_has_and_says_what_is_wrong() {
        let text: Vec<u8> = (0..50_000u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        for whole in [gzip(&text), zstd(&text)] {
            for left in [whole.len() / 2, whole.len() - 1, whole.len() - 8, 7] {
                let (out, wrong) = expand(&whole[..left]);
                assert_eq!(wrong, Some(Unfinished::Cut), "{left} of {}", whole.len());
                assert!(text.starts_with(&out));
            }
            for behind in [&b"\nrm -rf"[..], b"\0\0x", b"\x1f", b"(x"] {
                let (out, wrong) = expand(&[&whole, behind].concat());
                assert!(out == text && wrong.is_some(), "{behind:?}");
            }
            let (out, wrong) = expand(&[&whole[..], b"garbage"].concat());
            assert!(out == text && wrong == Some(Unfinished::Garbage));
        }
        let mut damaged = gzip(&text);
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0xaa);
        assert!(expand(&damaged).1.is_some());
        let mut altered = gzip(b"one\ntwo\n");
        let at = altered.len() - 6;
        altered[at] ^= 1;
        assert_eq!(expand(&altered), (b"one\ntwo\n".to_vec(), Some(Unfinished::Damaged)), "its checksum");
    }

    #[test]
    fn what_is_something_else_is_refused_with_what_it_is() {
        for (bytes, told) in [
            (&b"PAR1\0\0"[..], "it is Parquet;"),
            (b"\xfd7zXZ\0\0", "it is xz,"),
            (b"BZh91AY", "it is bzip2,"),
            (b"\x04\x22\x4d\x18xx", "it is lz4,"),
            (b"PK\x03\x04xx", "it is a zip archive"),
        ] {
            let wrong = Expanded::new(bytes).err().unwrap().to_string();
            assert!(wrong.starts_with(told), "{wrong}");
        }
    }
}
