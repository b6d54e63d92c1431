//! Rows read back, a column at a time and only the columns that a row needs: files of our own, and what other
//! programs made of them. These wrap lists otherwise, count time otherwise, and allow nulls anywhere; names
//! and nesting of fields are what is looked for.

use std::borrow::Cow;
use std::fs::File;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use ::parquet::column::reader::ColumnReader;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::{ParquetError, Result as Read};
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;

use super::numbers::Numbers;
use crate::evidence::{Outcome, Status};
use crate::judge::remedy::Change;
use crate::judge::what_if::{Remedies, Remedy};
use crate::judge::{Code, Fcrdns, Severity, Tenancy, Verdict};
use crate::record::field::{self, ReadError, known};
use crate::record::foreign::Oddities;
use crate::record::row::{PtrNames, Row, Tags};
use crate::record::{AddressFamily, Unresolved};

/// Records that are held at once.
const BATCH: usize = 4096;

/// A leaf of the schema that a row needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Time,
    Ip,
    Port,
    Asked,
    TagName,
    TagValue,
    Outcome,
    BannerName,
    PtrStatus,
    PtrName,
    Fcrdns,
    Verdict,
    Severity,
    Finding,
    Platform,
    Tenancy,
    Asn,
    AsName,
    Accepted,
    ClearsBy,
    UnresolvedFamily,
    UnresolvedStatus,
    Fix,
    ExpectedName,
}

/// Where each leaf stands: the fields that lead to it, and its own name where a list is between.
const LEAVES: [(Leaf, &[&str], Option<&str>); 24] = [
    (Leaf::Time, &["time"], None),
    (Leaf::Ip, &["target", "ip"], None),
    (Leaf::Port, &["target", "port"], None),
    (Leaf::Asked, &["target", "asked"], None),
    (Leaf::TagName, &["target", "tags"], Some("key")),
    (Leaf::TagValue, &["target", "tags"], Some("value")),
    (Leaf::Outcome, &["outcome"], None),
    (Leaf::BannerName, &["smtp", "banner_name"], None),
    (Leaf::PtrStatus, &["dns", "ptr", "status"], None),
    (Leaf::PtrName, &["dns", "ptr", "names"], Some("name")),
    (Leaf::Fcrdns, &["dns", "fcrdns"], None),
    (Leaf::Verdict, &["verdict"], None),
    (Leaf::Severity, &["severity"], None),
    (Leaf::Finding, &["findings"], None),
    (Leaf::Platform, &["platform", "name"], None),
    (Leaf::Tenancy, &["tenancy"], None),
    (Leaf::Asn, &["network", "asn"], None),
    (Leaf::AsName, &["network", "as_name"], None),
    (Leaf::Accepted, &["accepted"], Some("code")),
    (Leaf::ClearsBy, &["clears_by"], None),
    (Leaf::UnresolvedFamily, &["target", "unresolved", "family"], None),
    (Leaf::UnresolvedStatus, &["target", "unresolved", "status"], None),
    (Leaf::Fix, &["fix"], None),
    (Leaf::ExpectedName, &["target", "expected_name"], None),
];

/// Why rows can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The file is damaged, or nothing of its kind.
    #[error(transparent)]
    File(#[from] ParquetError),
    /// Its columns are compressed in a way that is not read.
    #[error("columns compressed by `{0}` are not read")]
    Codec(String),
    /// A row holds what no record holds.
    #[error("row {row} {source}")]
    Row {
        /// Counted from 1.
        row: u64,
        /// What is wrong.
        source: ReadError,
    },
}

/// Hands each row in turn to `each`.
pub fn rows(file: &SerializedFileReader<File>, mut each: impl FnMut(&mut Row<'_>)) -> Result<(), Broken> {
    let schema = file.metadata().file_metadata().schema_descr_ptr();
    let mut columns: Vec<Column> = LEAVES
        .iter()
        .map(|(_, head, tail)| {
            let at = schema.columns().iter().position(|leaf| stands(leaf.path().parts(), head, *tail));
            Column::new(at, at.map(|at| &*schema.columns()[at]))
        })
        .collect();
    for (needed, field) in [(Leaf::Ip, "target.ip"), (Leaf::Outcome, "outcome")] {
        if columns[needed as usize].at.is_none() {
            return Err(Broken::Row { row: 1, source: ReadError::Missing { field } });
        }
    }
    let mut numbers = Numbers::of(&schema);
    let mut before = 0;
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group)?;
        let mut readers = columns.iter().map(|column| column.open(&*group)).collect::<Read<Vec<_>>>()?;
        numbers.open(&*group)?;
        loop {
            let mut count = 0;
            for (column, reader) in columns.iter_mut().zip(&mut readers) {
                if let Some(reader) = reader {
                    count = column.fill(reader)?;
                }
            }
            if count == 0 {
                break;
            }
            numbers.fill(count)?;
            let mut batch = Batch { columns: &columns, cursors: [Cursor::default(); LEAVES.len()] };
            for index in 0..count {
                let row = before + index as u64 + 1;
                let mut row = batch.row().map_err(|source| Broken::Row { row, source })?;
                numbers.tell(index, &mut row.odd);
                each(&mut row);
            }
            before += count as u64;
        }
    }
    Ok(())
}

fn stands(parts: &[String], head: &[&str], tail: Option<&str>) -> bool {
    parts.len() >= head.len()
        && parts.iter().zip(head).all(|(part, name)| part == name)
        && tail.is_none_or(|tail| parts.last().is_some_and(|last| last == tail))
}

/// The values of one leaf of a batch, with their levels (see `shred`).
struct Column {
    at: Option<usize>,
    most: (i16, i16),
    /// How many of its units a second has, where it holds points in time.
    unit: u32,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    levels: usize,
    texts: Vec<ByteArray>,
    numbers: Vec<i64>,
    small: Vec<i32>,
}

/// How far into a column the rows so far reach.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    level: usize,
    value: usize,
}

impl Column {
    fn new(at: Option<usize>, leaf: Option<&ColumnDescriptor>) -> Self {
        let unit = leaf.map_or(1000, |leaf| match (leaf.logical_type_ref(), leaf.converted_type()) {
            (Some(LogicalType::Timestamp(time)), _) => match time.unit {
                TimeUnit::MILLIS => 1000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            },
            (_, ConvertedType::TIMESTAMP_MICROS) => 1_000_000,
            _ => 1000,
        });
        Self {
            at,
            most: leaf.map_or((0, 0), |leaf| (leaf.max_def_level(), leaf.max_rep_level())),
            unit,
            definitions: Vec::new(),
            repetitions: Vec::new(),
            levels: 0,
            texts: Vec::new(),
            numbers: Vec::new(),
            small: Vec::new(),
        }
    }

    fn open(&self, group: &dyn RowGroupReader) -> Read<Option<ColumnReader>> {
        self.at.map(|at| group.get_column_reader(at)).transpose()
    }

    /// Reads the next batch; how many records it has.
    fn fill(&mut self, reader: &mut ColumnReader) -> Read<usize> {
        let Self { definitions, repetitions, texts, numbers, small, .. } = self;
        definitions.clear();
        repetitions.clear();
        texts.clear();
        numbers.clear();
        let (definitions, repetitions) = (Some(definitions), Some(repetitions));
        let (records, _, levels) = match reader {
            ColumnReader::ByteArrayColumnReader(reader) => {
                reader.read_records(BATCH, definitions, repetitions, texts)?
            }
            ColumnReader::Int64ColumnReader(reader) => {
                reader.read_records(BATCH, definitions, repetitions, numbers)?
            }
            ColumnReader::Int32ColumnReader(reader) => {
                small.clear();
                let read = reader.read_records(BATCH, definitions, repetitions, small)?;
                numbers.extend(small.iter().map(|&number| i64::from(number)));
                read
            }
            _ => {
                return Err(ParquetError::General(
                    "a column that records have is of another type".to_owned(),
                ));
            }
        };
        self.levels = levels;
        Ok(records)
    }

    /// Goes through the values of one record: the place of each among the column's, `None` for a null.
    fn step(&self, cursor: &mut Cursor, mut each: impl FnMut(Option<usize>)) {
        let (definition, repetition) = self.most;
        let first = cursor.level;
        while cursor.level < self.levels {
            let goes_on =
                repetition > 0 && self.repetitions.get(cursor.level).is_some_and(|&level| level > 0);
            if cursor.level > first && !goes_on {
                return;
            }
            let is_there = definition == 0 || self.definitions.get(cursor.level) == Some(&definition);
            each(is_there.then_some(cursor.value));
            cursor.value += usize::from(is_there);
            cursor.level += 1;
        }
    }

    fn text(&self, place: usize) -> Result<&str, ReadError> {
        let bytes = self.texts.get(place).map_or(&[][..], ByteArray::data);
        std::str::from_utf8(bytes).map_err(|_| ReadError::Unknown {
            field: "text",
            value: String::from_utf8_lossy(bytes).into_owned(),
        })
    }
}

/// The columns of a batch, and how far its rows have come.
struct Batch<'b> {
    columns: &'b [Column],
    cursors: [Cursor; LEAVES.len()],
}

impl<'b> Batch<'b> {
    fn row(&mut self) -> Result<Row<'b>, ReadError> {
        let odd = &mut Oddities::default();
        let outcome = self.text(Leaf::Outcome)?.ok_or(ReadError::Missing { field: "outcome" })?;
        let ip = self.text(Leaf::Ip)?.map(|text| known("ip", text, text.parse::<IpAddr>().ok()));
        let port = self.number(Leaf::Port).unwrap_or(25);
        let asn = self.number(Leaf::Asn);
        let clears = self.clears_by(odd)?;
        Ok(Row {
            time: self.time(),
            ip: ip.transpose()?,
            port: odd.number("target.port", &port, u16::try_from(port).ok()).unwrap_or(0),
            asked: self.text(Leaf::Asked)?.map(Cow::Borrowed).unwrap_or_default(),
            outcome: odd.word(field::OUTCOME, outcome, Outcome::parse(outcome)).unwrap_or(Outcome::Other),
            verdict: self.word(Leaf::Verdict, "verdict", Verdict::parse, odd)?,
            severity: self.word(Leaf::Severity, "severity", Severity::parse, odd)?,
            findings: self.words(Leaf::Finding, "findings", Code::parse, odd)?,
            banner_name: self.text(Leaf::BannerName)?.map(Cow::Borrowed),
            ptr_status: self.status(Leaf::PtrStatus, field::PTR_STATUS, odd)?,
            ptr_names: PtrNames::Text(self.names()?),
            fcrdns: self.word(Leaf::Fcrdns, "dns.fcrdns", Fcrdns::parse, odd)?,
            platform: self.text(Leaf::Platform)?.map(Cow::Borrowed),
            tenancy: self.word(Leaf::Tenancy, "tenancy", Tenancy::parse, odd)?.unwrap_or(Tenancy::Unknown),
            asn: asn.and_then(|asn| odd.number("network.asn", &asn, u32::try_from(asn).ok())),
            as_name: self.text(Leaf::AsName)?.map(Cow::Borrowed),
            accepted: self.words(Leaf::Accepted, "accepted", Code::parse, odd)?,
            clears_by: clears,
            fix: self.words(Leaf::Fix, "fix", Change::parse, odd)?,
            expected_name: self.text(Leaf::ExpectedName)?.map(Cow::Borrowed),
            tags: self.tags()?,
            unresolved: self.unresolved(odd)?,
            odd: std::mem::take(odd),
        })
    }

    /// The remedies; none are told where all words are of a later version.
    fn clears_by(&mut self, odd: &mut Oddities) -> Result<Option<Remedies>, ReadError> {
        if self.is_null(Leaf::ClearsBy) {
            self.step(Leaf::ClearsBy, |_| ());
            return Ok(None);
        }
        let before = odd.iter().count();
        let known: Remedies = self.words(Leaf::ClearsBy, "clears_by", Remedy::parse, odd)?;
        let says_nothing = known == Remedies::default() && odd.iter().count() > before;
        Ok(Some(known).filter(|_| !says_nothing))
    }

    fn step(&mut self, leaf: Leaf, each: impl FnMut(Option<usize>)) -> &'b Column {
        let column = &self.columns[leaf as usize];
        column.step(&mut self.cursors[leaf as usize], each);
        column
    }

    fn text(&mut self, leaf: Leaf) -> Result<Option<&'b str>, ReadError> {
        let mut place = None;
        let column = self.step(leaf, |found| place = found);
        place.map(|place| column.text(place)).transpose()
    }

    fn number(&mut self, leaf: Leaf) -> Option<i64> {
        let mut place = None;
        let column = self.step(leaf, |found| place = found);
        column.numbers.get(place?).copied()
    }

    fn word<T>(
        &mut self,
        leaf: Leaf,
        field: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        odd: &mut Oddities,
    ) -> Result<Option<T>, ReadError> {
        Ok(self.text(leaf)?.and_then(|word| odd.word(field, word, parse(word))))
    }

    fn status(
        &mut self,
        leaf: Leaf,
        field: &'static str,
        odd: &mut Oddities,
    ) -> Result<Option<Status>, ReadError> {
        let word = self.text(leaf)?;
        Ok(word.map(|word| odd.word(field, word, Status::parse(word)).unwrap_or(Status::Other)))
    }

    fn unresolved(&mut self, odd: &mut Oddities) -> Result<Option<Unresolved>, ReadError> {
        let family =
            self.word(Leaf::UnresolvedFamily, field::UNRESOLVED_FAMILY, AddressFamily::parse, odd)?;
        let status = self.status(Leaf::UnresolvedStatus, field::UNRESOLVED_STATUS, odd)?;
        Ok(status.map(|status| Unresolved { family, status }))
    }

    fn time(&mut self) -> SystemTime {
        let unit = self.columns[Leaf::Time as usize].unit;
        let since = self.number(Leaf::Time).and_then(|since| u64::try_from(since).ok()).unwrap_or(0);
        let nanoseconds = since % u64::from(unit) * (1_000_000_000 / u64::from(unit));
        let since = Duration::new(since / u64::from(unit), u32::try_from(nanoseconds).unwrap_or(0));
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }

    /// Whether the field itself, a list, is null in the next record.
    fn is_null(&self, leaf: Leaf) -> bool {
        let column = &self.columns[leaf as usize];
        column.definitions.get(self.cursors[leaf as usize].level).is_none_or(|&definition| definition == 0)
    }

    fn words<T, W: FromIterator<T>>(
        &mut self,
        leaf: Leaf,
        field: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        odd: &mut Oddities,
    ) -> Result<W, ReadError> {
        let mut places = Vec::new();
        let column = self.step(leaf, |place| places.extend(place));
        let words = places.into_iter().map(|place| column.text(place));
        let known = words.map(|word| word.map(|word| odd.word(field, word, parse(word))));
        known.filter_map(Result::transpose).collect()
    }

    fn names(&mut self) -> Result<Vec<Cow<'b, str>>, ReadError> {
        let mut places = Vec::new();
        let column = self.step(Leaf::PtrName, |place| places.extend(place));
        places.into_iter().map(|place| column.text(place).map(Cow::Borrowed)).collect()
    }

    fn tags(&mut self) -> Result<Tags<'b>, ReadError> {
        let (mut names, mut values) = (Vec::new(), Vec::new());
        let of_names = self.step(Leaf::TagName, |place| names.push(place));
        let of_values = self.step(Leaf::TagValue, |place| values.push(place));
        let pairs = names.into_iter().zip(values).filter_map(|(name, value)| Some((name?, value?)));
        let texts =
            pairs.map(|(name, value)| Ok((of_names.text(name)?.into(), of_values.text(value)?.into())));
        texts.collect::<Result<_, _>>().map(Tags::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_stand_at_their_own_place_in_the_list() {
        for (place, (leaf, ..)) in LEAVES.iter().enumerate() {
            assert_eq!(*leaf as usize, place);
        }
    }

    #[test]
    fn lists_are_wrapped_as_it_pleases() {
        let parts = |path: &str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        for (path, head, tail, is_it) in [
            ("findings.list.element", &["findings"][..], None, true),
            ("findings.bag.array_element", &["findings"], None, true),
            ("dns.ptr.names.list.item.name", &["dns", "ptr", "names"], Some("name"), true),
            ("dns.ptr.names.list.item.status", &["dns", "ptr", "names"], Some("name"), false),
            ("smtp.banner.list.element", &["smtp", "banner_name"], None, false),
            ("smtp", &["smtp", "banner_name"], None, false),
            ("target.tags.key_value.value", &["target", "tags"], Some("value"), true),
        ] {
            assert_eq!(stands(&parts(path), head, tail), is_it, "{path}");
        }
    }
}
