//! One scan from loaded targets to its exit code: what `scan` and `demo` have in common.

mod files;
mod own;
mod told;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::args::ProgressWord;
use super::bar::Display;
use super::excluded_names::late_addresses;
use super::exclusion_watch::{ExclusionWatch, WatchedLists};
use super::exit::{Exit, Unable};
use super::lists::LateEntries;
use super::lists::Loaded;
use super::monitor::Watched;
use super::monitor::{ConcurrencyLimiter, Monitor, State};
use super::resume::Resumed;
use super::upstreams::{Voice, Warnings};
use crate::evidence::{Outcome, Scanner};
use crate::judge::Severity;
use crate::judge::accept::Acceptances;
use crate::judge::providers::Providers;
use crate::probe::{self, FamilyAccess, Smtp};
use crate::rate::Rate;
use crate::report::file::{OutputError, Written};
use crate::report::format::Format;
use crate::report::summary::{Ended, Mark, Summary};
use crate::report::table::counted;
use crate::resolve;
use crate::scan::ScanError;
use crate::scan::checkpoint_writer::{CheckpointWriter, counts};
use crate::scan::dispatch::canary::CanaryConfig;
use crate::scan::dispatch::loss;
use crate::scan::dispatch::{self, DispatchEnd};
use crate::scan::limits;
use crate::scan::outputs::Outputs;
use crate::scan::pipeline::{self, ScanPlan};
use crate::scan::progress::Progress;
use crate::scan::sanity;
use crate::scan::sanity::vantage::VantageCheck;
use crate::scan::schedule::live_exclusions::LiveExclusions;
use crate::scan::schedule::named::NamedTargets;
use crate::scan::schedule::{Schedule, Scope};
use crate::scan::worst::Worst;
use crate::scan::writer::{Keep, Writer};
use crate::targets::Order;

/// All that a scan is to do, settled.
pub struct Session {
    /// What to scan.
    pub loaded: Loaded,
    /// The files of `--exclude-file`, to be looked at again.
    pub exclusion_files: Vec<PathBuf>,
    /// The order's key.
    pub seed: u64,
    /// The ports.
    pub ports: Vec<u16>,
    /// How conversations go.
    pub probe: probe::Settings,
    /// Who we are.
    pub scanner: Arc<Scanner>,
    /// Connections a second.
    pub rate: Rate,
    /// Connections a second for each prefix.
    pub prefix_rate: Rate,
    /// Conversations at once, as wished.
    pub concurrency: Option<usize>,
    /// Further attempts at a target that timed out.
    pub retries: u8,
    /// Conversations with each target that greets.
    pub samples: NonZeroU8,
    /// How DNS is asked.
    pub resolver: resolve::Settings,
    /// Which targets get a record.
    pub keep: Keep,
    /// Findings that the user accepts.
    pub accepts: Acceptances,
    /// Further domains of providers.
    pub providers: Providers,
    /// Files for records; empty for the default of stdout.
    pub outputs: Vec<PathBuf>,
    /// Their format, where it was said.
    pub format: Option<Format>,
    /// Where the report goes as an HTML page.
    pub html: Option<PathBuf>,
    /// What its title says was scanned.
    pub subject: String,
    /// Where the summary goes as JSON.
    pub summary: Option<PathBuf>,
    /// The severity at which the exit code is 1.
    pub fail_on: Option<Severity>,
    /// When progress is shown.
    pub progress: ProgressWord,
    /// Where the scan tells programs of itself.
    pub places: ConcurrencyLimiter,
    /// Errors only.
    pub quiet: bool,
    /// Where progress is kept, if not beside the first output file.
    pub checkpoint: Option<PathBuf>,
    /// The command line as words that mean the same later.
    pub words: Vec<String>,
    /// The scan to go on with.
    pub resumed: Option<Resumed>,
    /// The settings in force, for the manifest.
    pub settings: serde_json::Value,
    /// What a reader of the records should know, for the manifest.
    pub warnings: Vec<String>,
}

/// What a finished scan came to.
pub struct Finished {
    /// How the program is to end.
    pub exit: Exit,
    /// What was written, counted.
    pub summary: Summary,
    /// The outputs.
    pub written: Vec<Written>,
    /// How long it took.
    pub took: Duration,
}

pub use told::dry_run;

impl Session {
    /// Scans to the end, whichever it is.
    pub fn run(mut self) -> anyhow::Result<Finished> {
        let stop = super::signals::under_way().context("signals can't be listened to")?;
        let open_files = limits::raise_open_files();
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        check_open_files(open_files, shards)?;
        let concurrency = limits::concurrency(open_files, self.concurrency);
        // Where that fails, the table grows as it is needed.
        let _ = limits::size_file_table(concurrency + 64);

        let probes = (0..shards).map(|_| Smtp::new(self.probe.clone())).collect::<Result<Vec<_>, _>>()?;
        let late = std::mem::take(&mut self.loaded.late);
        let Loaded { set, exclusions, names, shard, policy, .. } = &self.loaded;
        let order = Arc::new(Order::new(Arc::clone(set), self.seed, *shard));
        let added = Arc::new(LiveExclusions::default());
        if let Some(exclusions) = late.exclusions(*policy) {
            added.renew(exclusions);
        }
        let scope = Scope::new(Arc::clone(set), Arc::clone(exclusions), names.clone(), self.ports.clone());
        let scope = Arc::new(scope.with_added(Arc::clone(&added)).with_share(&order));
        let (watermark, partly_done, claimed) = self.done_before(&order)?;
        let pending = watermark.pending().collect();
        let schedule = Schedule::resume(Arc::clone(&scope), order, None, watermark.high(), pending);
        let progress = Arc::new(self.progress_so_far(&schedule));
        if !self.quiet {
            self.announce(&schedule, concurrency);
        }

        let began = self.began();
        let mut outputs = Outputs::new(self.open_outputs()?, self.summary_before()?);
        let mut checkpoint_writer =
            self.checkpoint_writer(began, (&progress, &outputs), late.counts.clone())?;
        let named = NamedTargets::new(schedule.names_left());
        let named = named.resumed(partly_done, self.targets_of(&claimed));
        // On disk before the first connection.
        checkpoint_writer.save(&mut outputs, &watermark, &named)?;
        let worst = Worst::new(worst_of(outputs.summary()), self.fail_on);
        let voice = if self.quiet { Voice::Quiet } else { Voice::Loud };
        let warnings = Warnings::of(&self.resolver, voice);
        let resolver = resolve::start_telling(self.resolver.clone(), warnings.teller())?;
        let watched = Watched { progress: Arc::clone(&progress), health: Arc::clone(&resolver.health) };
        let monitor = Monitor::start(&self.places, &watched)?;
        let display = Display::start(watched, self.progress, self.quiet);
        let watch = self.watch(late, &added);
        let own = self.look_at_own(&progress);

        let clock = Instant::now();
        let reach = Arc::new(FamilyAccess::find(&self.probe.sources));
        let plan = ScanPlan {
            claimed,
            ..self.plan(schedule, concurrency, (Arc::clone(&reach), Arc::clone(&added)))
        };
        let writer = |notes| Writer {
            scope,
            keep: self.keep,
            accepts: self.accepts.clone(),
            providers: self.providers.clone(),
            scanner: Arc::clone(&self.scanner),
            outputs,
            checkpoint_writer,
            watermark,
            notes,
            progress: Arc::clone(&progress),
            named,
            worst,
            networks: self.loaded.networks.clone(),
            vantage: VantageCheck::new(told::doubt(self.quiet)),
            undone: 0,
            cut_off: false,
        };
        let ended = pipeline::run(plan, probes, resolver, writer, (&progress, &stop));
        drop((display, watch, own));
        self.warnings.extend(reach.missed().map(|no_way| no_way.to_string()));
        self.warnings.extend(told::of_names(&progress, voice));
        let ended = match ended {
            // The reader of the only output has seen enough: a quiet end, as of any filter.
            Err(ScanError::Output(OutputError::Closed { .. })) if self.outputs.len() <= 1 => {
                return Ok(Finished::quietly());
            }
            Err(ScanError::Output(closed @ OutputError::Closed { .. })) => {
                super::say(format_args!(
                    "banneret: {closed}; the other outputs can be completed with `--resume`"
                ));
                return Ok(Finished { exit: Exit::Stopped, ..Finished::quietly() });
            }
            other => other?,
        };
        let (fed, worst, checkpoint_writer) = (ended.fed, ended.writer.worst, ended.writer.checkpoint_writer);
        let (written, mut summary) = ended.writer.outputs.finish()?;
        let took = clock.elapsed();
        monitor.end(state_of(fed));
        add_unkept(&mut summary, &progress, fed);
        summary.sources.extend(self.loaded.networks.iter().map(|data| data.about().to_string()));
        self.warnings.extend(warnings.take());
        if let Some(views) = progress.views().too_many() {
            if !self.quiet {
                super::say(format_args!("banneret: {views}"));
            }
            self.warnings.push(views.to_string());
        }
        let manifest = self.write_manifest(&progress, &written, began, fed)?;
        self.write_summary(&summary)?;
        self.write_page(&mut summary, manifest)?;
        if !self.quiet {
            told::tell(&summary, &progress, took)?;
        }
        let exit = unless_in_vain(self.leave(fed, &worst, checkpoint_writer)?, &progress);
        Ok(Finished { exit, summary, written, took })
    }

    fn plan(
        &self,
        schedule: Schedule,
        concurrency: usize,
        (reach, added): (Arc<FamilyAccess>, Arc<LiveExclusions>),
    ) -> ScanPlan {
        ScanPlan {
            schedule,
            claimed: Vec::new(),
            reach,
            dispatcher: self.paced(concurrency),
            retries: self.retries,
            samples: self.samples,
            scanner: Arc::clone(&self.scanner),
            added,
            tell: Box::new(told::notice(self.quiet)),
            say: told::doubt(self.quiet),
            answers: Arc::clone(&self.probe.answers),
        }
    }

    /// The figures as an earlier run left them, or those of none.
    fn progress_so_far(&self, schedule: &Schedule) -> Progress {
        let progress = Progress::default();
        progress.turns.store(u64::try_from(schedule.turns()).unwrap_or(u64::MAX), Relaxed);
        if let Some(resumed) = &self.resumed {
            progress.restore(&resumed.checkpoint.counts);
            progress.turns_done.store(u64::try_from(schedule.turns_done()).unwrap_or(u64::MAX), Relaxed);
        }
        progress
    }

    /// Addresses on each port.
    fn targets_of(&self, addresses: &[IpAddr]) -> impl Iterator<Item = SocketAddr> {
        let on_each = |&ip: &IpAddr| self.ports.iter().map(move |&port| SocketAddr::new(ip, port));
        addresses.iter().flat_map(on_each)
    }

    fn paced(&self, concurrency: usize) -> dispatch::DispatchSettings {
        let Self { rate, prefix_rate, .. } = *self;
        dispatch::DispatchSettings {
            rate,
            prefix_rate,
            concurrency,
            canaries: CanaryConfig::default(),
            sanity: sanity::SanitySettings::default(),
            loss: loss::LossSettings {
                syns: limits::syns_within(self.probe.connect_timeout),
                retries: self.retries,
            },
        }
    }

    /// Looks at the exclusion files again while the scan runs.
    fn watch(&self, late: LateEntries, added: &Arc<LiveExclusions>) -> ExclusionWatch {
        ExclusionWatch::start(WatchedLists {
            files: self.exclusion_files.clone(),
            late,
            policy: self.loaded.policy,
            addresses: late_addresses(self.resolver.clone()),
            added: Arc::clone(added),
            quiet: self.quiet,
        })
    }

    /// All is written: leaves what a resumed scan needs, or nothing of it, and says how the program is to
    /// end.
    fn leave(
        &self,
        fed: DispatchEnd,
        worst: &Worst,
        checkpoint_writer: CheckpointWriter,
    ) -> anyhow::Result<Exit> {
        let kept = checkpoint_writer.path().map(Path::to_owned);
        if fed == DispatchEnd::All {
            checkpoint_writer.remove()?;
            self.tidy();
        } else if let (Some(path), false) = (&kept, self.quiet) {
            super::say(format_args!(
                "banneret: stopped early; go on with `banneret scan --resume {}`",
                path.display()
            ));
        }
        Ok(match fed {
            DispatchEnd::Stopped => Exit::Stopped,
            DispatchEnd::Failed(count, trouble) => {
                super::say(format_args!(
                    "banneret: {} could not be spoken to from this machine: {trouble}",
                    counted(count as u64, "target", "targets")
                ));
                Exit::Failed
            }
            DispatchEnd::All if worst.is_reached() => {
                let first = worst.first().unwrap_or("in an earlier part of this scan");
                super::say_reached(self.fail_on.map_or("", Severity::as_str), first);
                Exit::Findings
            }
            DispatchEnd::All => Exit::Done,
        })
    }
}

/// A scan that came to its end failed if there were targets, and this machine had nothing to reach any of
/// them by.
fn unless_in_vain(exit: Exit, progress: &Progress) -> Exit {
    let untried = progress.outcome(Outcome::NotTried);
    let is_in_vain = untried > 0 && untried == progress.finished();
    if exit == Exit::Done && is_in_vain { Exit::Failed } else { exit }
}

/// Too few open files are trouble of this machine, told before anything is written.
fn check_open_files(open_files: u64, threads: usize) -> anyhow::Result<()> {
    let least = limits::least_open_files(threads);
    if open_files >= least {
        return Ok(());
    }
    let wrong = anyhow::anyhow!(
        "the limit of open files is {open_files}, and a scan needs {least}; raise it with `ulimit -n {least}`"
    );
    Err(wrong.context(Unable))
}

fn state_of(fed: DispatchEnd) -> State {
    match fed {
        DispatchEnd::All => State::Complete,
        DispatchEnd::Stopped => State::Stopped,
        DispatchEnd::Failed(..) => State::Failed,
    }
}

/// Counts the targets that left no record.
fn add_unkept(summary: &mut Summary, progress: &Progress, fed: DispatchEnd) {
    let counted = counts(progress);
    let (by_outcome, by_verdict) = (&counted.outcomes, &counted.verdicts);
    summary.add_unkept(Ended { by_outcome, by_verdict, complete: fed == DispatchEnd::All }, &Mark::default());
}

/// The worst severity that a summary counts.
fn worst_of(summary: &Summary) -> Severity {
    let met = |severity: &Severity| summary.all.severity(*severity) > 0;
    Severity::ALL.into_iter().filter(met).max().unwrap_or(Severity::None)
}

impl Finished {
    fn quietly() -> Self {
        Self { exit: Exit::Done, summary: Summary::new(), written: Vec::new(), took: Duration::ZERO }
    }
}
