//! Nested values as flat columns, by the levels of Parquet (after the Dremel paper, Melnik et al. 2010).
//!
//! Each leaf of the schema is a column. A value in it has two numbers beside it: how many of the optional and
//! repeated fields above it are there (definition), and at which repeated field its list went on
//! (repetition). For a list of lists `[[a, b], [], [c]]` the column is a(0,2) b(2,2) -(1,1) c(1,2),
//! repetition first.

use std::io::Write;
use std::time::UNIX_EPOCH;

use ::parquet::basic::{ConvertedType, Repetition, Type as Physical};
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::errors::{ParquetError, Result};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::{SchemaDescriptor, Type, TypePtr};
use serde_json::Value;

use crate::record::time;

/// Columns that fill, row by row.
pub(super) struct Shredder {
    schema: TypePtr,
    columns: Vec<Column>,
    rows: usize,
}

struct Column {
    /// The greatest levels; where one is 0 it is not written.
    most: Levels,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    values: Values,
}

enum Values {
    Booleans(Vec<bool>),
    Int32s(Vec<i32>),
    Int64s(Vec<i64>),
    Doubles(Vec<f64>),
    Texts(Vec<ByteArray>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Levels {
    definition: i16,
    repetition: i16,
}

/// Where a walk through the schema stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The first column below the node.
    column: usize,
    /// The levels of a value there.
    levels: Levels,
    /// How many repeated fields are above.
    depth: i16,
}

impl Shredder {
    /// No rows yet.
    pub(super) fn new(schema: TypePtr) -> Self {
        let leaves = SchemaDescriptor::new(schema.clone());
        let columns = leaves.columns().iter().map(|leaf| Column {
            most: Levels { definition: leaf.max_def_level(), repetition: leaf.max_rep_level() },
            definitions: Vec::new(),
            repetitions: Vec::new(),
            values: Values::of(leaf.physical_type()),
        });
        Self { columns: columns.collect(), schema, rows: 0 }
    }

    /// How many rows wait to be written.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Takes one record. A field that the schema requires and that is missing, or of another kind, becomes
    /// the kind's zero: the rows of all columns stay in step.
    pub(super) fn push(&mut self, record: &Value) {
        let schema = self.schema.clone();
        let place = Place { column: 0, levels: Levels { definition: 0, repetition: 0 }, depth: 0 };
        self.group(&schema, record, place);
        self.rows += 1;
    }

    /// Writes the rows as one group, and is empty again.
    pub(super) fn write<W: Write + Send>(&mut self, writer: &mut SerializedFileWriter<W>) -> Result<()> {
        let mut group = writer.next_row_group()?;
        for column in &mut self.columns {
            let short = || ParquetError::General("the file has fewer columns than its schema".to_owned());
            let mut out = group.next_column()?.ok_or_else(short)?;
            let definitions = (column.most.definition > 0).then_some(&*column.definitions);
            let repetitions = (column.most.repetition > 0).then_some(&*column.repetitions);
            match &column.values {
                Values::Booleans(all) => {
                    out.typed::<BoolType>().write_batch(all, definitions, repetitions)?
                }
                Values::Int32s(all) => out.typed::<Int32Type>().write_batch(all, definitions, repetitions)?,
                Values::Int64s(all) => out.typed::<Int64Type>().write_batch(all, definitions, repetitions)?,
                Values::Doubles(all) => {
                    out.typed::<DoubleType>().write_batch(all, definitions, repetitions)?
                }
                Values::Texts(all) => {
                    out.typed::<ByteArrayType>().write_batch(all, definitions, repetitions)?
                }
            };
            out.close()?;
            column.definitions.clear();
            column.repetitions.clear();
            column.values.clear();
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    /// Any field, there or not.
    fn field(&mut self, node: &Type, value: &Value, mut place: Place) {
        if node.get_basic_info().repetition() == Repetition::OPTIONAL {
            if value.is_null() {
                return self.absent(node, place);
            }
            place.levels.definition += 1;
        }
        if node.is_primitive() {
            let column = &mut self.columns[place.column];
            column.step(place.levels);
            column.values.push(value);
            return;
        }
        match node.get_basic_info().converted_type() {
            ConvertedType::LIST => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                self.repeated(&node.get_fields()[0], items.iter(), place, |shredder, node, item, place| {
                    shredder.field(&node.get_fields()[0], item, place);
                });
            }
            ConvertedType::MAP => {
                let entries = value.as_object().into_iter().flatten();
                self.repeated(
                    &node.get_fields()[0],
                    entries,
                    place,
                    |shredder, node, (key, value), place| {
                        let [key_node, value_node] = node.get_fields() else { return };
                        shredder.field(key_node, &Value::from(key.as_str()), place);
                        shredder.field(value_node, value, Place { column: place.column + 1, ..place });
                    },
                );
            }
            _ => self.group(node, value, place),
        }
    }

    fn group(&mut self, node: &Type, value: &Value, mut place: Place) {
        for child in node.get_fields() {
            self.field(child, value.get(child.name()).unwrap_or(&Value::Null), place);
            place.column += leaves(child);
        }
    }

    fn repeated<I>(
        &mut self,
        node: &Type,
        items: impl Iterator<Item = I>,
        place: Place,
        each: impl Fn(&mut Self, &Type, I, Place),
    ) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return self.absent(node, place);
        }
        let depth = place.depth + 1;
        for (index, item) in items.enumerate() {
            let repetition = if index == 0 { place.levels.repetition } else { depth };
            let levels = Levels { definition: place.levels.definition + 1, repetition };
            each(self, node, item, Place { column: place.column, levels, depth });
        }
    }

    fn absent(&mut self, node: &Type, place: Place) {
        for column in &mut self.columns[place.column..place.column + leaves(node)] {
            column.step(place.levels);
        }
    }
}

impl Column {
    fn step(&mut self, levels: Levels) {
        self.definitions.push(levels.definition);
        self.repetitions.push(levels.repetition);
    }
}

impl Values {
    fn of(physical: Physical) -> Self {
        match physical {
            Physical::BOOLEAN => Self::Booleans(Vec::new()),
            Physical::INT32 => Self::Int32s(Vec::new()),
            Physical::INT64 => Self::Int64s(Vec::new()),
            Physical::DOUBLE => Self::Doubles(Vec::new()),
            _ => Self::Texts(Vec::new()),
        }
    }

    fn push(&mut self, value: &Value) {
        match self {
            Self::Booleans(all) => all.push(value.as_bool().unwrap_or_default()),
            Self::Int32s(all) => {
                all.push(value.as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or_default());
            }
            Self::Int64s(all) => {
                all.push(value.as_str().map_or_else(|| value.as_i64(), millis).unwrap_or_default());
            }
            Self::Doubles(all) => all.push(value.as_f64().unwrap_or_default()),
            Self::Texts(all) => all.push(ByteArray::from(value.as_str().unwrap_or_default())),
        }
    }

    fn clear(&mut self) {
        match self {
            Self::Booleans(all) => all.clear(),
            Self::Int32s(all) => all.clear(),
            Self::Int64s(all) => all.clear(),
            Self::Doubles(all) => all.clear(),
            Self::Texts(all) => all.clear(),
        }
    }
}

/// A text where a number stands is a point in time.
fn millis(text: &str) -> Option<i64> {
    let since = time::parse(text)?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

fn leaves(node: &Type) -> usize {
    if node.is_primitive() { 1 } else { node.get_fields().iter().map(|child| leaves(child)).sum() }
}
