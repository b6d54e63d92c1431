//! Opens the sink that a path and a format call for.

use std::path::Path;
use std::sync::Arc;

use super::Sink;
use super::csv::Csv;
use super::ecs::Ecs;
use super::file::Output;
use super::format::{Form, Format};
use super::jsonl::JsonLines;
use super::output::{OutputError, Start};
use super::parquet::Parquet;
use super::rows::Rows;
use super::syslog::Syslog;

/// Opens the sink at `path` (`-` is stdout); `tags` are the tag columns of tables.
pub fn open(path: &Path, form: Form, tags: &[Arc<str>], start: Start) -> Result<Box<dyn Sink>, OutputError> {
    let output = || Output::open(path, form.compression, start);
    Ok(match form.format {
        Format::Jsonl => Box::new(Rows::new(JsonLines, output()?, start)),
        Format::Csv => Box::new(Rows::new(Csv::new(tags.to_vec()), output()?, start)),
        Format::Ecs => Box::new(Rows::new(Ecs, output()?, start)),
        Format::Syslog => Box::new(Rows::new(Syslog::new(), output()?, start)),
        Format::Parquet => Box::new(Parquet::open(path, start)?),
    })
}
