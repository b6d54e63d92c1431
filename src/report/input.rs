//! Record files read back in bounded memory: JSONL and CSV, plain, gzip or zstd, line by line; Parquet by its
//! columns.
//!
//! Compression is told by its first bytes, whatever the name says. A last line, gzip member or zstd frame
//! that is cut off in the middle is what a crash leaves, or half a download: what stands before it is read,
//! and the [`End`] is told.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use ::parquet::file::reader::SerializedFileReader;

use super::expand::{Expanded, Unfinished};
use super::format::{Compression, Form, Format, FormatError};
use super::parquet::{self, Broken};
use crate::record::read::ReadError;
use crate::record::row::{Header, Row};
use crate::record::{Record, read};

/// The longest line that is read, in bytes: several times the record of the longest greeting that is kept,
/// every byte of it escaped.
const MAX_LINE: usize = 4 << 20;
/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// What is said of forms that nothing is read from.
const FOR_OTHERS: &str = "is for other systems and not read back; give the JSONL, CSV or Parquet file";
/// What a spreadsheet's "Unicode text" opens with.
const UTF16: &[u8] = b"\xff\xfe";
/// What a UTF-8 file may open with.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// Why records can't be read.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The name does not tell the form.
    #[error(transparent)]
    Form(#[from] FormatError),
    /// The file can't be opened or read, or its compression is broken.
    #[error("records `{name}` can't be read: {source}")]
    Read {
        /// Which file.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// A line is not a record.
    #[error("records `{name}` line {line} {source}")]
    Line {
        /// Which file.
        name: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        source: ReadError,
    },
    /// The file is no Parquet, or a damaged one.
    #[error("records `{name}` are no sound Parquet: {reason}")]
    Parquet {
        /// Which file.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The file is Parquet of a compression that is not read.
    #[error(
        "records `{name}` are Parquet whose columns are compressed by `{codec}`, which is not read; write it with zstd, \
         gzip or snappy"
    )]
    Codec {
        /// Which file.
        name: String,
        /// The compression.
        codec: String,
    },
    /// Parquet is read from its end, which a stream does not show.
    #[error("Parquet is read from its end and can't come from stdin; give the file")]
    Stream,
    /// A line is too long or not UTF-8, or a row is not CSV.
    #[error("records `{name}` line {line} {reason}")]
    Text {
        /// Which file.
        name: String,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        reason: &'static str,
    },
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With a whole line.
    Whole,
    /// In the middle of a line, which was passed over.
    Torn,
    /// Where compressed data ends that is not whole; a line that is not whole was passed over.
    Unfinished(Unfinished),
}

impl End {
    /// Why what was read is not all; `None` if it is.
    pub fn why(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Torn => Some("it ends in the middle of a record"),
            Self::Unfinished(what) => Some(what.as_str()),
        }
    }

    /// This end, or the other if this one is whole.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::Whole { other } else { self }
    }

    /// The end that an error of reading means, if it is one.
    pub fn of(error: &io::Error) -> Option<Self> {
        Unfinished::of(error).map(Self::Unfinished)
    }
}

/// An open record file.
pub struct Input {
    name: String,
    form: Form,
    source: Source,
}

enum Source {
    Text(Box<dyn BufRead>),
    Parquet(SerializedFileReader<File>),
}

impl Input {
    /// Opens the file at `path`, `-` being stdin; `asked` wins over the ending.
    pub fn open(path: &Path, asked: Option<Format>) -> Result<Self, InputError> {
        let form = Form::of(path, asked)?;
        if path == Path::new("-") {
            if form.format == Format::Parquet {
                return Err(InputError::Stream);
            }
            return Self::new("-", form, io::stdin());
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| InputError::Read { name: name.clone(), source })?;
        if form.format != Format::Parquet {
            return Self::new(&name, form, file);
        }
        let reader = parquet::open(file).map_err(|wrong| broken(&name, wrong))?;
        Ok(Self { name, form, source: Source::Parquet(reader) })
    }

    /// Reads text from any source; `name` is for messages.
    pub fn new(name: &str, form: Form, source: impl Read + 'static) -> Result<Self, InputError> {
        let mut source = BufReader::with_capacity(CHUNK, source);
        let failed = |source| InputError::Read { name: name.to_owned(), source };
        let begin = source.fill_buf().map_err(failed)?;
        if begin.starts_with(UTF16) {
            let told = "it is UTF-16; save it as UTF-8";
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, told)));
        }
        let is_empty = form.compression != Compression::None && begin.is_empty();
        let expanded = Expanded::new(source).map_err(failed)?;
        let reader: Box<dyn BufRead> = if is_empty {
            // Nothing at all is no archive.
            Box::new(BufReader::new(Nothing))
        } else {
            Box::new(BufReader::with_capacity(CHUNK, expanded))
        };
        Ok(Self { name: name.to_owned(), form, source: Source::Text(reader) })
    }

    /// Hands the short view of each record in turn to `each`.
    pub fn rows(self, mut each: impl FnMut(&mut Row<'_>)) -> Result<End, InputError> {
        if !self.form.format.is_read_back() {
            return Err(self.text(1, FOR_OTHERS));
        }
        match (self.source, self.form.format) {
            (Source::Parquet(file), _) => {
                parquet::rows(&file, each).map_err(|wrong| broken(&self.name, wrong))?;
                Ok(End::Whole)
            }
            (source, Format::Csv) => Self { source, ..self }.table(each),
            (source, _) => {
                Self { source, ..self }.lines(|line| Row::from_json(line).map(|mut row| each(&mut row)))
            }
        }
    }

    /// Hands each record in turn to `each`. CSV rows do not hold whole records: from CSV it is an error.
    pub fn records(self, mut each: impl FnMut(Record)) -> Result<End, InputError> {
        if !self.form.format.is_read_back() {
            return Err(self.text(1, FOR_OTHERS));
        }
        if self.form.format == Format::Csv {
            return Err(self.text(1, "is CSV, which holds no whole records; give the JSONL or Parquet file"));
        }
        self.lines(|line| read::decode(line).map(&mut each))
    }

    /// The expanded text, for lines of another form; of Parquet that of JSONL.
    pub fn into_text(self) -> Box<dyn BufRead> {
        match self.source {
            Source::Text(text) => text,
            Source::Parquet(file) => Box::new(parquet::Lines::new(file)),
        }
    }

    fn lines(self, mut take: impl FnMut(&str) -> Result<(), ReadError>) -> Result<End, InputError> {
        let name = self.name.clone();
        let mut reader = self.into_text();
        let text = |line, reason| InputError::Text { name: name.clone(), line, reason };
        let mut bytes = Vec::new();
        for number in 1.. {
            bytes.clear();
            let limit = (MAX_LINE + 1) as u64;
            let read = (&mut reader).take(limit).read_until(b'\n', &mut bytes);
            match read {
                Ok(0) => break,
                Ok(_) if bytes.len() > MAX_LINE => return Err(text(number, "is longer than 4 MiB")),
                Ok(_) => {}
                Err(source) => {
                    let read = InputError::Read { name: name.clone(), source };
                    return read.into_end();
                }
            }
            let whole = bytes.ends_with(b"\n");
            let line = if number == 1 { bytes.strip_prefix(BOM).unwrap_or(&bytes) } else { &bytes };
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            let taken = std::str::from_utf8(line).ok().map(&mut take);
            match taken {
                Some(Ok(())) => {}
                _ if !whole => return Ok(End::Torn),
                Some(Err(source)) => {
                    return Err(InputError::Line { name: name.clone(), line: number, source });
                }
                None => return Err(text(number, "is not UTF-8")),
            }
        }
        Ok(End::Whole)
    }

    fn table(self, mut each: impl FnMut(&mut Row<'_>)) -> Result<End, InputError> {
        let name = self.name.clone();
        let mut reader = self.into_text();
        let mut first = Vec::new();
        if let Err(source) = reader.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut first) {
            return InputError::Read { name, source }.into_end();
        }
        let delimiter = delimiter_of(&first);
        let reader = io::Cursor::new(first).chain(reader);
        let reader = Remembering { reader, last: b'\n', given: 0 };
        // A row that is short is told below, with what it lacks; one that was cut off is the last.
        let mut builder = csv::ReaderBuilder::new();
        let builder = builder.has_headers(true).flexible(true).delimiter(delimiter);
        let mut table = builder.from_reader(reader);
        let names = match table.headers() {
            Ok(names) => names.clone(),
            Err(error) => return csv_error(error, &name).into_end(),
        };
        if names.is_empty() {
            return Ok(End::Whole);
        }
        let wrong_header = |line, source| InputError::Line { name: name.clone(), line, source };
        let mut header = Header::read(names.iter()).map_err(|source| wrong_header(1, source))?;
        let mut columns = names.len();
        let mut cells = csv::StringRecord::new();
        loop {
            table.get_mut().given = 0;
            let wrong = match table.read_record(&mut cells) {
                // Where tables were put one behind the other.
                Ok(true) if header.is_again(&cells.iter()) => {
                    let line = cells.position().map_or(1, csv::Position::line);
                    header = Header::read(cells.iter()).map_err(|source| wrong_header(line, source))?;
                    columns = cells.len();
                    continue;
                }
                Ok(true) => match take_row(&header, columns, &cells, &name) {
                    Ok(mut row) => {
                        each(&mut row);
                        continue;
                    }
                    Err(wrong) => wrong,
                },
                Ok(false) => return Ok(End::Whole),
                Err(error) => csv_error(error, &name),
            };
            return match wrong {
                wrong @ InputError::Read { .. } => wrong.into_end(),
                // A line end behind it shows that the row was meant so, unless it stands within an open
                // quote.
                _ if is_at_end(&mut table)
                    && (table.get_ref().last != b'\n'
                        || cells.iter().next_back().is_some_and(|c| c.ends_with('\n'))) =>
                {
                    Ok(End::Torn)
                }
                wrong => Err(wrong),
            };
        }
    }

    fn text(&self, line: u64, reason: &'static str) -> InputError {
        InputError::Text { name: self.name.clone(), line, reason }
    }
}

/// What stands between the cells of a table that a spreadsheet may have saved again: the first of these by
/// which its first line has the columns that a table of records must have.
fn delimiter_of(line: &[u8]) -> u8 {
    let has_columns = |&delimiter: &u8| {
        let mut table = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
        let mut names = csv::StringRecord::new();
        table.read_record(&mut names).unwrap_or(false) && Header::read(names.iter()).is_ok()
    };
    [b',', b';', b'\t', b'|'].into_iter().find(has_columns).unwrap_or(b',')
}

/// A source that knows its last byte so far, and gives no more than a row may have.
struct Remembering<R> {
    reader: R,
    last: u8,
    /// The bytes given since the last row.
    given: usize,
}

impl<R: Read> Read for Remembering<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given > MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row is longer than 4 MiB"));
        }
        let count = self.reader.read(buffer)?;
        self.given += count;
        self.last = buffer[..count].last().copied().unwrap_or(self.last);
        Ok(count)
    }
}

fn take_row<'c>(
    header: &'c Header,
    columns: usize,
    cells: &'c csv::StringRecord,
    name: &str,
) -> Result<Row<'c>, InputError> {
    let line = cells.position().map_or(1, csv::Position::line);
    if cells.len() < columns {
        let reason = "has fewer cells than the header";
        return Err(InputError::Text { name: name.to_owned(), line, reason });
    }
    let row = header.row(|index| cells.get(index));
    row.map_err(|source| InputError::Line { name: name.to_owned(), line, source })
}

fn broken(name: &str, wrong: Broken) -> InputError {
    let name = name.to_owned();
    match wrong {
        Broken::Codec(codec) => InputError::Codec { name, codec },
        Broken::File(wrong) => InputError::Parquet { name, reason: wrong.to_string() },
        Broken::Row { row, source } => InputError::Line { name, line: row, source },
    }
}

fn csv_error(error: csv::Error, name: &str) -> InputError {
    let (name, line) = (name.to_owned(), error.position().map_or(1, csv::Position::line));
    match error.into_kind() {
        csv::ErrorKind::Io(source) => InputError::Read { name, source },
        _ => InputError::Text { name, line, reason: "is not UTF-8" },
    }
}

/// Whether nothing comes any more. The reader itself knows only after it has asked once more.
fn is_at_end(table: &mut csv::Reader<impl Read>) -> bool {
    matches!(table.read_byte_record(&mut csv::ByteRecord::new()), Ok(false))
}

/// A compressed file of no bytes.
struct Nothing;

impl Read for Nothing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(Unfinished::Cut.into())
    }
}

impl InputError {
    /// The end of a file that is not there as a whole, or the error if it is another.
    fn into_end(self) -> Result<End, Self> {
        match &self {
            Self::Read { source, .. } => End::of(source).ok_or(self),
            _ => Err(self),
        }
    }
}
