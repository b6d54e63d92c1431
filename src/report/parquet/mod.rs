//! Parquet: the record's fields as nested columns, in one file that is there whole or not at all.
//!
//! A Parquet file can't be read before its last byte is written, so a scan that may stop at any time gathers
//! its records in JSON Lines beside it (`FILE.jsonl.zst`: whole at every flush, cut back on resume, readable
//! by itself) and turns them into columns at the end, a row group at a time. What was gathered stays until
//! whoever has the sink knows that nothing will go on from it.

mod lines;
mod numbers;
mod rows;
mod shred;

use std::fs;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Compression as Codec, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{KeyValue, ParquetMetaData, RowGroupMetaData};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use sha2::{Digest, Sha256};

use super::Sink;
use super::atomic;
use super::expand::Expanded;
use super::file::{Output, hex};
use super::format::Compression;
use super::output::{Committed, OutputError, Reach, Start, Written};
use crate::record::read::ReadError;
use crate::record::{Record, SCHEMA, json};
use shred::Shredder;

pub use lines::Lines;
pub use rows::{Broken, rows};

/// The columns, in the order of the JSON fields. What is null in every record of this version has no column.
const COLUMNS: &str = include_str!("columns.txt");
/// Under which key a file says which form its records have.
const FORM: &str = "schema";
/// Rows in one group: some 25 MiB in memory while they are turned into columns.
const GROUP: usize = 16_384;

/// Gathers records, and turns them into columns at the end.
#[derive(Debug)]
pub struct Parquet {
    path: PathBuf,
    gathered: PathBuf,
    output: Output,
}

impl Parquet {
    /// A sink for the file at `path`, which must be a name: a stream has no end to come back from.
    pub fn open(path: &Path, start: Start) -> Result<Self, OutputError> {
        if path == Path::new("-") || atomic::is_stream(path) {
            return Err(OutputError::NoFile { path: path.to_owned() });
        }
        let gathered = gathered(path);
        let output = Output::open(&gathered, Compression::Zstd, start)?;
        Ok(Self { path: path.to_owned(), gathered, output })
    }
}

impl Sink for Parquet {
    fn write(&mut self, record: &Record) -> Result<(), OutputError> {
        json::encode_known(record, self.output.block());
        self.output.end_row()
    }

    fn flush(&mut self, reach: Reach) -> Result<Committed, OutputError> {
        self.output.flush(reach)
    }

    fn finish(self: Box<Self>) -> Result<Written, OutputError> {
        let rows = self.output.finish()?.rows;
        let mut told = None;
        let written = atomic::replace(&self.path, |file| {
            told = Some(columns(&self.gathered, rows, file)?);
            Ok(())
        });
        written.map_err(|source| OutputError::Write { path: self.path.clone(), source })?;
        let (length, sha256) = told.unwrap_or_default();
        Ok(Written { path: self.path, rows, length, sha256 })
    }
}

/// A file to be read back. One that says it is of another form is refused.
pub fn open(file: fs::File) -> Result<SerializedFileReader<fs::File>, Broken> {
    let reader = SerializedFileReader::new(file)?;
    check_codecs(reader.metadata())?;
    let said = reader.metadata().file_metadata().key_value_metadata();
    let form =
        said.into_iter().flatten().find(|pair| pair.key == FORM).and_then(|pair| pair.value.as_deref());
    match form {
        Some(form) if form != SCHEMA => Err(Broken::Row {
            row: 1,
            source: ReadError::Schema(form.chars().take(SCHEMA.len() * 2).collect()),
        }),
        _ => Ok(reader),
    }
}

/// Makes sure that all columns are compressed in a way that is read.
fn check_codecs(file: &ParquetMetaData) -> Result<(), Broken> {
    let columns = file.row_groups().iter().flat_map(RowGroupMetaData::columns);
    for column in columns {
        let codec = column.compression();
        if !matches!(codec, Codec::UNCOMPRESSED | Codec::SNAPPY | Codec::GZIP(_) | Codec::ZSTD(_)) {
            // `BROTLI(BrotliLevel(1))` → `brotli`
            let word = format!("{codec:?}").to_lowercase();
            return Err(Broken::Codec(word.split('(').next().unwrap_or_default().to_owned()));
        }
    }
    Ok(())
}

/// Takes away what a Parquet file was made from: nothing will go on from it. It does no harm if it stays.
pub fn forget(path: &Path) {
    let _ = fs::remove_file(gathered(path));
}

/// Whether the file at `path` begins as records do that gather for a Parquet file.
pub fn is_gathered(path: &Path) -> bool {
    const BEGINNING: &[u8] = b"{\"schema\":\"banneret.record/";
    let mut found = [0; BEGINNING.len()];
    let read =
        fs::File::open(path).and_then(zstd::Decoder::new).and_then(|mut text| text.read_exact(&mut found));
    read.is_ok() && found == BEGINNING
}

/// Where the records of a Parquet file gather.
pub fn gathered(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".jsonl.zst");
    PathBuf::from(name)
}

/// Turns gathered records, `rows` in number, into a Parquet file; its length and hash.
fn columns(gathered: &Path, rows: u64, file: &mut fs::File) -> io::Result<(u64, String)> {
    let schema = Arc::new(parse_message_type(COLUMNS).map_err(broken)?);
    let properties = WriterProperties::builder()
        .set_compression(Codec::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(vec![KeyValue::new(FORM.to_owned(), SCHEMA.to_owned())]))
        .build();
    let mut shredder = Shredder::new(Arc::clone(&schema));
    let mut found = 0;
    {
        let mut writer = SerializedFileWriter::new(BufWriter::new(&mut *file), schema, Arc::new(properties))
            .map_err(broken)?;
        let text = BufReader::new(Expanded::new(BufReader::new(fs::File::open(gathered)?))?);
        for line in text.lines() {
            shredder.push(&serde_json::from_str(&line?)?);
            found += 1;
            if shredder.rows() >= GROUP {
                shredder.write(&mut writer).map_err(broken)?;
            }
        }
        if found != rows {
            let message = format!("{found} records gathered, {rows} were written");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if shredder.rows() > 0 {
            shredder.write(&mut writer).map_err(broken)?;
        }
        writer.finish().map_err(broken)?;
        writer.inner_mut().flush()?;
    }
    told(file)
}

/// The length and hash of what was written, read back: the disk has what the manifest says.
fn told(file: &mut fs::File) -> io::Result<(u64, String)> {
    file.rewind()?;
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut chunk = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok((length, hex(&hash.finalize())));
        }
        hash.update(&chunk[..read]);
        length += read as u64;
    }
}

/// An error of the writer; one of the disk below it keeps its kind.
fn broken(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}
