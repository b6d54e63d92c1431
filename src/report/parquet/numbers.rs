//! Numbers that a row has no use for. They are looked at all the same: every command says which ones are
//! absurd, whatever the form of the file. A column of another type than a number's is not looked at.

use std::time::Duration;

use ::parquet::basic::{LogicalType, Type};
use ::parquet::column::reader::ColumnReader;
use ::parquet::errors::Result as Read;
use ::parquet::file::reader::RowGroupReader;
use ::parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use crate::record::foreign::Oddities;
use crate::smtp::reply;

/// What a number can be.
#[derive(Debug, Clone, Copy)]
enum Range {
    /// A code of a reply.
    Code,
    /// A natural number of so many bits.
    Bits(u32),
    /// Milliseconds.
    Time,
}

/// Where each stands, and what it can be.
const NUMBERS: [(&str, Range); 8] = [
    ("smtp.code", Range::Code),
    ("smtp.attempts", Range::Bits(8)),
    ("smtp.connect_ms", Range::Time),
    ("smtp.banner_ms", Range::Time),
    ("smtp.tls.alert", Range::Bits(8)),
    ("smtp.tls.code", Range::Code),
    ("smtp.tls.certificate.count", Range::Bits(32)),
    ("dns.ptr.count", Range::Bits(32)),
];

impl Range {
    fn has(self, number: f64) -> bool {
        let is_natural = number >= 0.0 && number.fract() == 0.0;
        match self {
            Self::Code => is_natural && number <= f64::from(reply::Code::MAX),
            Self::Bits(bits) => is_natural && number < 2_f64.powi(bits.cast_signed()),
            Self::Time => Duration::try_from_secs_f64(number / 1000.0).is_ok(),
        }
    }
}

/// The columns of these numbers, a batch at a time.
pub(super) struct Numbers(Vec<Column>);

struct Column {
    at: usize,
    field: &'static str,
    range: Range,
    is_unsigned: bool,
    deepest: i16,
    reader: Option<ColumnReader>,
    /// The absurd ones of the batch, by their place in it.
    absurd: Vec<(usize, f64)>,
}

impl Numbers {
    pub(super) fn of(schema: &SchemaDescriptor) -> Self {
        let column = |&(field, range): &(&'static str, Range)| {
            let at = schema.columns().iter().position(|leaf| leaf.path().string() == field)?;
            let leaf: &ColumnDescriptor = &schema.columns()[at];
            let is_number =
                matches!(leaf.physical_type(), Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE);
            let is_one = leaf.max_rep_level() == 0;
            let logical = leaf.logical_type_ref();
            let is_unsigned = matches!(logical, Some(LogicalType::Integer(kind)) if !kind.is_signed);
            let deepest = leaf.max_def_level();
            let column = Column { at, field, range, is_unsigned, deepest, reader: None, absurd: Vec::new() };
            (is_number && is_one).then_some(column)
        };
        Self(NUMBERS.iter().filter_map(column).collect())
    }

    /// Goes on with a group of rows.
    pub(super) fn open(&mut self, group: &dyn RowGroupReader) -> Read<()> {
        self.0.iter_mut().try_for_each(|column| {
            column.reader = Some(group.get_column_reader(column.at)?);
            Ok(())
        })
    }

    /// Looks at the next so many rows.
    pub(super) fn fill(&mut self, rows: usize) -> Read<()> {
        self.0.iter_mut().try_for_each(|column| column.fill(rows))
    }

    /// Says which numbers of a row of the batch are absurd.
    pub(super) fn tell(&self, row: usize, odd: &mut Oddities) {
        for column in &self.0 {
            let Some((_, number)) = column.absurd.iter().find(|(place, _)| *place == row) else { continue };
            // Very large ones are a row of zeros otherwise.
            let shown = if number.abs() < 1e15 { number.to_string() } else { format!("{number:e}") };
            odd.number(column.field, &shown, None::<()>);
        }
    }
}

impl Column {
    #[expect(clippy::cast_precision_loss, reason = "a number that large is absurd either way")]
    fn fill(&mut self, rows: usize) -> Read<()> {
        let mut levels = Vec::new();
        let is_unsigned = self.is_unsigned;
        let numbers: Vec<f64> = match &mut self.reader {
            Some(ColumnReader::Int32ColumnReader(reader)) => {
                let mut read = Vec::new();
                reader.read_records(rows, Some(&mut levels), None, &mut read)?;
                let as_real =
                    |number: i32| if is_unsigned { number.cast_unsigned().into() } else { number.into() };
                read.into_iter().map(as_real).collect()
            }
            Some(ColumnReader::Int64ColumnReader(reader)) => {
                let mut read = Vec::new();
                reader.read_records(rows, Some(&mut levels), None, &mut read)?;
                let as_real =
                    |number: i64| if is_unsigned { number.cast_unsigned() as f64 } else { number as f64 };
                read.into_iter().map(as_real).collect()
            }
            Some(ColumnReader::FloatColumnReader(reader)) => {
                let mut read: Vec<f32> = Vec::new();
                reader.read_records(rows, Some(&mut levels), None, &mut read)?;
                read.into_iter().map(f64::from).collect()
            }
            Some(ColumnReader::DoubleColumnReader(reader)) => {
                let mut read = Vec::new();
                reader.read_records(rows, Some(&mut levels), None, &mut read)?;
                read
            }
            _ => Vec::new(),
        };
        self.absurd.clear();
        let places = levels.iter().enumerate().filter(|(_, level)| **level == self.deepest).map(|(at, _)| at);
        // A column that no row may leave out has no levels.
        let places: Vec<usize> =
            if self.deepest == 0 { (0..numbers.len()).collect() } else { places.collect() };
        let absurd = places.into_iter().zip(numbers).filter(|(_, number)| !self.range.has(*number));
        self.absurd.extend(absurd);
        Ok(())
    }
}
