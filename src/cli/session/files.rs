//! The files of a scan: outputs, checkpoint, manifest, summary; new, or where an earlier run left them.

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::SystemTime;

use anyhow::{Context, bail};

use super::super::{exit::Unable, files, lists::Loaded, live::Live, report, resume::Resumed, terminal};
use super::Session;
use crate::record::neutral::Safe;
use crate::record::time;
use crate::report::asn::AsnDb;
use crate::report::file::{OutputError, Start, Written};
use crate::report::format::{Form, Format};
use crate::report::html::Run;
use crate::report::input::Input;
use crate::report::manifest::{self, Canaries, Completion, Manifest};
use crate::report::summary::{Hosts, MAX_GROUPS, Summary, json};
use crate::report::{atomic, parquet, sink};
use crate::scan::ScanError;
use crate::scan::checkpoint::PartlyDone;
use crate::scan::checkpoint::watermark::Watermark;
use crate::scan::checkpoint::{Checkpoint, Counts, Numbering, TurnCounts};
use crate::scan::checkpoint_writer::{CheckpointWriter, counts};
use crate::scan::dispatch::DispatchEnd;
use crate::scan::outputs::{Output, Outputs};
use crate::scan::progress::Progress;
use crate::targets::Order;

/// Groups of a kind that keep their own count where only the terminal shows the largest: each name that is
/// seen once would take some 300 bytes.
const SHOWN_GROUPS: usize = 4096;

impl Session {
    pub(super) fn open_outputs(&self) -> anyhow::Result<Vec<Output>> {
        let stdout = [PathBuf::from("-")];
        let default = self.outputs.is_empty();
        if default && io::stdout().is_terminal() && self.format.is_none() {
            let sink = Box::new(Live::start(terminal::width()));
            return Ok(vec![Output { path: stdout[0].clone(), sink }]);
        }
        let paths = if default { &stdout[..] } else { &self.outputs };
        let open = |(at, path): (usize, &PathBuf)| {
            let form = Form::of(path, self.format)?;
            let mark = self.resumed.as_ref().and_then(|resumed| resumed.checkpoint.outputs.get(at));
            let start = match mark {
                Some(mark) if path != Path::new("-") => Start::At(mark.committed()?),
                _ => Start::New,
            };
            let sink = match sink::open(path, form, &self.loaded.tags, start) {
                // The file is at fault, not this machine.
                Err(wrong @ (OutputError::Edited { .. } | OutputError::CutShort { .. })) => {
                    return Err(wrong.into());
                }
                opened => opened.map_err(ScanError::Output)?,
            };
            Ok(Output { path: path.clone(), sink })
        };
        paths.iter().enumerate().map(open).collect()
    }

    /// The turns that an earlier run did, what it did of further names, and the addresses of the set that it
    /// spoke to for names.
    pub(super) fn done_before(
        &self,
        order: &Order,
    ) -> anyhow::Result<(Watermark, Vec<PartlyDone>, Vec<IpAddr>)> {
        let Some(Resumed { path, checkpoint }) = &self.resumed else { return Ok(Default::default()) };
        if checkpoint.targets != digest(&self.loaded) {
            if checkpoint.has_other_sample() {
                bail!(
                    "checkpoint `{}` is of version {}, which drew the sample of `--max-targets` in another way; let that \
                     version finish the scan, or start anew",
                    path.display(),
                    Safe(&checkpoint.version)
                );
            }
            bail!(
                "the targets or exclusions are not those that checkpoint `{}` was made with; put the old lists back, or \
                 start anew (what is to be excluded from now on goes to the end of an exclusion list)",
                path.display()
            );
        }
        let wrong = |wrong| anyhow::anyhow!("checkpoint `{}` {wrong}", path.display());
        let addresses = order.len().saturating_mul(self.ports.len() as u128);
        let names = self.loaded.names.len() as u128;
        let counts = TurnCounts { addresses, names, shard: self.loaded.shard };
        let checkpoint = checkpoint.clone().with_names_first(counts).map_err(wrong)?;
        Ok((checkpoint.watermark().map_err(wrong)?, checkpoint.partly_done, checkpoint.claimed))
    }

    /// The summary of what an earlier run wrote, read from its first file.
    pub(super) fn summary_before(&self) -> anyhow::Result<Summary> {
        let groups = if self.summary.is_some() || self.html.is_some() { MAX_GROUPS } else { SHOWN_GROUPS };
        let mut summary = Summary::with_groups(groups);
        if self.html.is_some() {
            summary = summary.detailed();
        }
        if self.loaded.names.is_empty() {
            summary.hosts = Hosts::apart();
        }
        if self.resumed.is_none() {
            return Ok(summary);
        }
        for path in self.files() {
            // Until a scan is complete, what is to be Parquet stands as lines.
            let input = match Form::of(path, self.format)?.format {
                Format::Parquet => Input::open(&parquet::gathered(path), None)?,
                format if format.is_read_back() => Input::open(path, Some(format))?,
                _ => continue,
            };
            input.rows(|row| summary.add(row))?;
            return Ok(summary);
        }
        if !self.outputs.is_empty() && !self.quiet {
            let told = "no output can be read back, so the summary is of what is still to come alone";
            super::super::say(format_args!("banneret: {told}"));
        }
        Ok(summary)
    }

    /// The outputs that are files: not stdout, no device, no pipe.
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        files::files(&self.outputs)
    }

    /// The first of them.
    fn first_file(&self) -> Option<&PathBuf> {
        self.files().next()
    }

    pub(super) fn began(&self) -> SystemTime {
        let before = self.resumed.as_ref().and_then(|resumed| time::parse(&resumed.checkpoint.began));
        before.unwrap_or_else(SystemTime::now)
    }

    pub(super) fn checkpoint_writer(
        &self,
        began: SystemTime,
        (progress, outputs): (&Arc<Progress>, &Outputs),
        listed: Vec<u64>,
    ) -> anyhow::Result<CheckpointWriter> {
        let beside = || self.first_file().map(files::checkpoint_beside);
        let resumed = self.resumed.as_ref();
        let path = resumed.map(|resumed| resumed.path.clone());
        let Some(path) =
            path.or_else(|| self.checkpoint.clone()).or_else(beside).filter(|_| !self.words.is_empty())
        else {
            return Ok(CheckpointWriter::none(Arc::clone(progress)));
        };
        let checkpoint = Checkpoint {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: self.words.clone(),
            folder: std::env::current_dir()?.to_string_lossy().into_owned(),
            seed: self.seed,
            targets: digest(&self.loaded),
            listed,
            began: time::to_string(began),
            high: 0,
            pending: Vec::new(),
            outputs: Vec::new(),
            claimed: Vec::new(),
            partly_done: Vec::new(),
            numbering: Numbering::NamesFirst,
            counts: Counts::default(),
        };
        let mut checkpoint_writer = CheckpointWriter::new(path, checkpoint, Arc::clone(progress));
        if resumed.is_none() {
            checkpoint_writer.begin(outputs)?;
        }
        Ok(checkpoint_writer)
    }

    /// Writes the manifest beside each output that is a file, and hands it over.
    pub(super) fn write_manifest(
        &self,
        progress: &Progress,
        written: &[Written],
        began: SystemTime,
        fed: DispatchEnd,
    ) -> anyhow::Result<serde_json::Value> {
        let command: Vec<String> =
            std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let resolvers: Vec<String> = self.resolver.upstreams.iter().map(SocketAddr::to_string).collect();
        let counts = counts(progress);
        let doubts = progress.doubts();
        let warnings: Vec<String> =
            self.warnings.iter().cloned().chain(doubts.iter().map(ToString::to_string)).collect();
        let manifest = Manifest {
            version: env!("CARGO_PKG_VERSION"),
            command: &command,
            settings: &self.settings,
            seed: self.seed,
            shard: &self.loaded.shard.to_string(),
            targets: progress.turns.load(Relaxed),
            resolvers: &resolvers,
            warnings: &warnings,
            start: began,
            end: SystemTime::now(),
            canaries: Canaries {
                looks: progress.looks.load(Relaxed),
                silent: progress.silent_looks.load(Relaxed),
                slowdowns: progress.losses.load(Relaxed),
            },
            by_outcome: &counts.outcomes,
            by_verdict: &counts.verdicts,
            completion: if fed == DispatchEnd::All { Completion::Complete } else { Completion::Stopped },
            asn_db: self.loaded.networks.as_deref().map(AsnDb::about),
            outputs: written,
        };
        for path in self.files().filter_map(|path| manifest::path_of(path)) {
            manifest.write(&path).context(Unable)?;
        }
        Ok(manifest.value())
    }

    /// The report as a page, if it is wanted.
    pub(super) fn write_page(
        &self,
        summary: &mut Summary,
        manifest: serde_json::Value,
    ) -> anyhow::Result<()> {
        let Some(path) = &self.html else { return Ok(()) };
        let run = Run { name: self.subject.clone(), manifest: Some(manifest) };
        report::write_html(summary, &self.subject, &[run], path)
    }

    /// Removes what Parquet files were made from: until now a resumed scan could have needed it.
    pub(super) fn tidy(&self) {
        for path in &self.outputs {
            if Form::of(path, self.format).is_ok_and(|form| form.format == Format::Parquet) {
                parquet::forget(path);
            }
        }
    }

    pub(super) fn write_summary(&self, summary: &Summary) -> anyhow::Result<()> {
        let Some(path) = &self.summary else { return Ok(()) };
        let mut text = Vec::new();
        json::write(summary, &mut text)?;
        let written =
            if path == Path::new("-") { io::stdout().write_all(&text) } else { atomic::write(path, &text) };
        written.with_context(|| format!("summary `{}` can't be written", path.display())).context(Unable)
    }
}

fn digest(loaded: &Loaded) -> String {
    format!("{:032x}", loaded.set.digest())
}
