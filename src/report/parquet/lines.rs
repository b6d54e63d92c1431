//! Whole records read back, as the lines of JSON that they were made from: a text like any other, of which
//! one record is in memory at a time.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::time::{Duration, UNIX_EPOCH};

use ::parquet::file::reader::SerializedFileReader;
use ::parquet::record::reader::RowIter;
use ::parquet::record::{Field, Row};
use serde_json::{Map, Value};

use super::broken;
use crate::record::{SCHEMA, time};

/// The text.
pub struct Lines {
    rows: RowIter<'static>,
    line: Vec<u8>,
    taken: usize,
}

impl Lines {
    /// The lines of a file.
    pub fn new(file: SerializedFileReader<File>) -> Self {
        Self { rows: file.into_iter(), line: Vec::new(), taken: 0 }
    }
}

impl BufRead for Lines {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken >= self.line.len()
            && let Some(row) = self.rows.next()
        {
            let mut record = object(&row.map_err(broken)?);
            record.insert("schema".to_owned(), SCHEMA.into());
            self.line.clear();
            self.taken = 0;
            serde_json::to_writer(&mut self.line, &record)?;
            self.line.push(b'\n');
        }
        Ok(&self.line[self.taken.min(self.line.len())..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

fn object(row: &Row) -> Map<String, Value> {
    row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
}

fn value(field: &Field) -> Value {
    match field {
        Field::Bool(truth) => (*truth).into(),
        Field::Byte(number) => (*number).into(),
        Field::Short(number) => (*number).into(),
        Field::Int(number) => (*number).into(),
        Field::Long(number) => (*number).into(),
        Field::UByte(number) => (*number).into(),
        Field::UShort(number) => (*number).into(),
        Field::UInt(number) => (*number).into(),
        Field::ULong(number) => (*number).into(),
        Field::Float(number) => (*number).into(),
        Field::Double(number) => (*number).into(),
        Field::Str(text) => text.as_str().into(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into(),
        Field::TimestampMillis(since) => point(Duration::from_millis(since.unsigned_abs())),
        Field::TimestampMicros(since) => point(Duration::from_micros(since.unsigned_abs())),
        Field::Group(row) => object(row).into(),
        Field::ListInternal(list) => list.elements().iter().map(value).collect(),
        Field::MapInternal(map) => {
            let text = |field: &Field| value(field).as_str().map(str::to_owned);
            let pairs = map.entries().iter().filter_map(|(key, field)| Some((text(key)?, value(field))));
            Value::Object(pairs.filter(|(_, value)| !value.is_null()).collect())
        }
        // No field of a record is of these types; where one is null, it is said so.
        Field::Null
        | Field::Float16(_)
        | Field::Decimal(_)
        | Field::Date(_)
        | Field::TimeMillis(_)
        | Field::TimeMicros(_) => Value::Null,
    }
}

fn point(since: Duration) -> Value {
    UNIX_EPOCH.checked_add(since).map_or(Value::Null, |at| time::to_string(at).into())
}
