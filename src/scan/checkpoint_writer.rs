//! Keeps the checkpoint: outputs to disk first, then the file that counts them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::evidence::Outcome;
use crate::judge::Verdict;
use crate::report::atomic;
use crate::report::file::Reach;
use crate::scan::ScanError;
use crate::scan::checkpoint::watermark::Watermark;
use crate::scan::checkpoint::{Checkpoint, Counts, runs};
use crate::scan::outputs::Outputs;
use crate::scan::progress::Progress;
use crate::scan::schedule::named::NamedTargets;

/// Keeps one scan's checkpoint, or nothing where a scan has none.
pub struct CheckpointWriter {
    kept: Option<Kept>,
    progress: Arc<Progress>,
}

struct Kept {
    path: PathBuf,
    checkpoint: Checkpoint,
}

impl Kept {
    fn write(&self) -> Result<(), ScanError> {
        atomic::write(&self.path, &self.checkpoint.encode())
            .map_err(|source| ScanError::Checkpoint { path: self.path.clone(), source })
    }
}

impl CheckpointWriter {
    /// Keeps `checkpoint` at `path`, renewed with each save.
    pub fn new(path: PathBuf, checkpoint: Checkpoint, progress: Arc<Progress>) -> Self {
        Self { kept: Some(Kept { path, checkpoint }), progress }
    }

    /// Keeps nothing: outputs are only flushed.
    pub fn none(progress: Arc<Progress>) -> Self {
        Self { kept: None, progress }
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&Path> {
        self.kept.as_ref().map(|kept| kept.path.as_path())
    }

    /// Puts the checkpoint of a new scan on disk before anything is in its outputs: whenever it is killed,
    /// either they are as they were or it can be resumed.
    pub fn begin(&mut self, outputs: &Outputs) -> Result<(), ScanError> {
        let Some(kept) = &mut self.kept else { return Ok(()) };
        kept.checkpoint.outputs = outputs.unwritten();
        kept.write()
    }

    /// Makes all that was written durable, then says so in the checkpoint.
    pub fn save(
        &mut self,
        outputs: &mut Outputs,
        watermark: &Watermark,
        named: &NamedTargets,
    ) -> Result<(), ScanError> {
        let Some(kept) = &mut self.kept else {
            outputs.commit(Reach::System)?;
            return Ok(());
        };
        let marks = outputs.commit(Reach::Disk)?;
        let checkpoint = &mut kept.checkpoint;
        checkpoint.outputs = marks;
        checkpoint.high = watermark.high();
        checkpoint.pending = runs(watermark.pending());
        checkpoint.claimed = named.claimed();
        checkpoint.partly_done = named.partly_done();
        checkpoint.counts = counts(&self.progress);
        kept.write()
    }

    /// The scan is complete: nothing is left to go on with.
    pub fn remove(self) -> Result<(), ScanError> {
        let Some(kept) = self.kept.filter(|kept| !atomic::is_stream(&kept.path)) else { return Ok(()) };
        match fs::remove_file(&kept.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ScanError::Checkpoint { path: kept.path, source })
            }
            _ => Ok(()),
        }
    }
}

/// What became of the targets so far. Targets under way are counted when they end: drawn is what ended.
pub fn counts(progress: &Progress) -> Counts {
    let (written, dropped) = (progress.written.load(Relaxed), progress.dropped.load(Relaxed));
    Counts {
        drawn: written + dropped,
        written,
        dropped,
        inside_views: progress.inside_views.load(Relaxed),
        outcomes: Outcome::ALL.iter().map(|&o| (o.as_str().to_owned(), progress.outcome(o))).collect(),
        verdicts: Verdict::ALL.iter().map(|&v| (v.as_str().to_owned(), progress.verdict(v))).collect(),
    }
}
