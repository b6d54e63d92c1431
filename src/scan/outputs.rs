//! All outputs of a scan as one: each record goes to every sink and into the summary, or to none.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::record::Record;
use crate::record::row::Row;
use crate::report::file::{Reach, Written};
use crate::report::summary::Summary;
use crate::report::{Committed, Sink};
use crate::scan::ScanError;
use crate::scan::checkpoint::OutputMark;

/// A sink and its path.
pub struct Output {
    /// As it was named; `-` for stdout.
    pub path: PathBuf,
    /// Where its records go.
    pub sink: Box<dyn Sink>,
}

/// The sinks, and the summary of what went to them.
#[derive(Default)]
pub struct Outputs {
    outputs: Vec<Output>,
    summary: Summary,
}

impl Outputs {
    /// So many sinks, and a summary that may go on from an earlier run's.
    pub fn new(outputs: Vec<Output>, summary: Summary) -> Self {
        Self { outputs, summary }
    }

    /// Gives a record to every sink.
    pub fn write(&mut self, record: &Record) -> Result<(), ScanError> {
        for output in &mut self.outputs {
            output.sink.write(record)?;
        }
        self.summary.add(&Row::of(record));
        Ok(())
    }

    /// Brings all that was written as far as `reach` says, and tells up to where each output is whole.
    pub fn commit(&mut self, reach: Reach) -> Result<Vec<OutputMark>, ScanError> {
        let mut marks = Vec::with_capacity(self.outputs.len());
        for output in &mut self.outputs {
            let committed = output.sink.flush(reach)?;
            marks.push(OutputMark::new(output.path.to_string_lossy().into_owned(), committed));
        }
        Ok(marks)
    }

    /// What a checkpoint says of outputs that hold nothing yet.
    pub fn unwritten(&self) -> Vec<OutputMark> {
        let sha256 = Some(Sha256::digest([]).into());
        let nothing = Committed { length: 0, rows: 0, sha256 };
        let path = |output: &Output| output.path.to_string_lossy().into_owned();
        self.outputs.iter().map(|output| OutputMark::new(path(output), nothing)).collect()
    }

    /// What was written so far, counted.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Ends every output, and tells what each came to.
    pub fn finish(self) -> Result<(Vec<Written>, Summary), ScanError> {
        let written =
            self.outputs.into_iter().map(|output| output.sink.finish()).collect::<Result<_, _>>()?;
        Ok((written, self.summary))
    }
}
