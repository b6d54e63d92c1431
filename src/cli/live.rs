//! Records as lines of a table, for a person who looks on.

use std::io::{self, Write};
use std::path::PathBuf;

use super::terminal;
use crate::record::Record;
use crate::record::row::Row;
use crate::report::table::{self, Paint};
use crate::report::{Committed, OutputError, Reach, Sink, Written};

/// A sink that is the terminal.
#[derive(Debug)]
pub struct Live {
    width: usize,
    paint: Paint,
    rows: u64,
}

impl Live {
    /// A table on stdout, as wide as the terminal.
    pub fn start(width: usize) -> Self {
        // The convention of no-color.org.
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { width, paint: if plain { Paint::Plain } else { Paint::Ansi }, rows: 0 }
    }

    fn print(line: &str) -> Result<(), OutputError> {
        let path = || PathBuf::from("-");
        terminal::beside_bar(|| writeln!(io::stdout(), "{line}")).map_err(|source| match source.kind() {
            io::ErrorKind::BrokenPipe => OutputError::Closed { path: path() },
            _ => OutputError::Write { path: path(), source },
        })
    }
}

impl Sink for Live {
    fn write(&mut self, record: &Record) -> Result<(), OutputError> {
        if self.rows == 0 {
            Self::print(&table::header(self.width))?;
        }
        self.rows += 1;
        Self::print(&table::row(&Row::of(record), self.width, self.paint))
    }

    fn flush(&mut self, _: Reach) -> Result<Committed, OutputError> {
        Ok(Committed { length: 0, rows: self.rows, sha256: None })
    }

    fn finish(self: Box<Self>) -> Result<Written, OutputError> {
        Ok(Written { path: PathBuf::from("-"), rows: self.rows, length: 0, sha256: String::new() })
    }
}
