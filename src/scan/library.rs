//! A scan in one call, for programs that use this crate as a library. It joins the stages of `pipeline` with
//! the defaults of the command line, keeps no checkpoint, and prints nothing.

use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::available_parallelism;

use super::{limits, sanity};
use crate::evidence::Scanner;
use crate::judge::Severity;
use crate::judge::accept::Acceptances;
use crate::judge::providers::Providers;
use crate::probe::{self, FamilyAccess, SetupError, Smtp};
use crate::rate::Rate;
use crate::report::Sink;
use crate::report::summary::{Ended, Mark, Summary};
use crate::resolve::Resolver;
use crate::scan::ScanError;
use crate::scan::attempt::LookupSubject;
use crate::scan::checkpoint::watermark::Watermark;
use crate::scan::checkpoint_writer::{CheckpointWriter, counts};
use crate::scan::dispatch::canary::CanaryConfig;
use crate::scan::dispatch::loss;
use crate::scan::dispatch::{self, DispatchEnd};
use crate::scan::outputs::{Output, Outputs};
use crate::scan::pipeline::{self, ScanPlan};
use crate::scan::progress::Progress;
use crate::scan::sanity::vantage::VantageCheck;
use crate::scan::schedule::named::NamedTargets;
use crate::scan::schedule::{Schedule, Scope};
use crate::scan::stop::Stop;
use crate::scan::worst::Worst;
use crate::scan::writer::{Keep, Writer};
use crate::targets::{Exclusions, Order, Shard, TargetSet};

/// Conversations at once unless the caller says otherwise: they fit the usual soft limit of 1,024 open files,
/// which a library leaves as it is.
const CONCURRENCY: usize = 500;

/// How a scan is to go.
#[derive(Debug, Clone)]
pub struct ScanConfig {
    /// The ports; each address has one conversation for each.
    pub ports: Vec<u16>,
    /// The key of the order: the same seed and targets give the same order.
    pub seed: u64,
    /// New connections a second in all.
    pub rate: Rate,
    /// New connections a second for each /24 (IPv4) or /48 (IPv6).
    pub prefix_rate: Rate,
    /// Conversations at once. Each needs a file descriptor.
    pub concurrency: usize,
    /// Further attempts at a target that timed out.
    pub retries: u8,
    /// How each conversation goes.
    pub probe: probe::Settings,
    /// Which targets get a record.
    pub keep: Keep,
}

impl Default for ScanConfig {
    /// The defaults of the command line: port 25, greeting and QUIT, 1,000 connections a second and 10 for
    /// each network. Only the number of conversations at once is lower, and the seed is 0.
    fn default() -> Self {
        Self {
            ports: vec![25],
            seed: 0,
            rate: Rate::PerSecond(1000.0),
            prefix_rate: Rate::PerSecond(10.0),
            concurrency: CONCURRENCY,
            retries: 1,
            probe: probe::Settings::default(),
            keep: Keep::default(),
        }
    }
}

/// A scan that is ready to start.
pub struct Scan {
    set: Arc<TargetSet>,
    exclusions: Arc<Exclusions>,
    config: ScanConfig,
    probes: Vec<Smtp>,
    stop: Stop,
}

/// What a scan came to.
#[derive(Debug)]
pub struct ScanReport {
    /// Why it ended.
    pub ended: DispatchEnd,
    /// Counts over all targets, those without a record included.
    pub summary: Summary,
    /// Reasons to doubt the records, a line each; for example, that port 25 may be blocked.
    pub warnings: Vec<String>,
}

impl Scan {
    /// A scan of a set. `exclusions` are checked again for each address that a host name leads to.
    ///
    /// # Errors
    /// A source address is not this machine's, or EHLO is wanted and there is no name to say.
    pub fn new(set: TargetSet, exclusions: Arc<Exclusions>, config: ScanConfig) -> Result<Self, SetupError> {
        let threads = available_parallelism().map_or(1, usize::from);
        let probes = (0..threads).map(|_| Smtp::new(config.probe.clone())).collect::<Result<_, _>>()?;
        Ok(Self { set: Arc::new(set), exclusions, config, probes, stop: Stop::default() })
    }

    /// A switch by which another thread can end the scan early.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Scans to the end, and gives each record to every sink. It blocks: an async program calls it on a
    /// blocking thread.
    ///
    /// `resolver` answers DNS: [`resolve::start`](crate::resolve::start) makes one that asks upstreams,
    /// [`resolve::start_with`](crate::resolve::start_with) one that asks a function.
    ///
    /// # Errors
    /// Only what stops a scan: a thread can't be started, or a sink fails. What a target does is a record.
    pub fn run(
        self,
        resolver: Resolver<LookupSubject>,
        sinks: Vec<Box<dyn Sink>>,
    ) -> Result<ScanReport, ScanError> {
        let Self { set, exclusions, config, probes, stop } = self;
        let order = Arc::new(Order::new(Arc::clone(&set), config.seed, Shard::WHOLE));
        let names = set.names().to_vec();
        let scope = Arc::new(Scope::new(set, exclusions, names, config.ports.clone()));
        let schedule = Schedule::new(Arc::clone(&scope), order, None);
        let progress = Arc::new(Progress::default());
        progress.turns.store(u64::try_from(schedule.turns()).unwrap_or(u64::MAX), Relaxed);
        let leads = NamedTargets::new(schedule.names_left());
        let output = |sink| Output { path: PathBuf::from("-"), sink };
        let outputs = Outputs::new(sinks.into_iter().map(output).collect(), Summary::new());
        let scanner = Arc::new(Scanner { name: config.probe.own_name.clone(), ..Scanner::default() });
        let plan = plan(&config, schedule, Arc::clone(&scanner));
        let writer = |notes| Writer {
            scope,
            keep: config.keep,
            accepts: Acceptances::default(),
            providers: Providers::default(),
            scanner,
            outputs,
            checkpoint_writer: CheckpointWriter::none(Arc::clone(&progress)),
            watermark: Watermark::default(),
            notes,
            progress: Arc::clone(&progress),
            named: leads,
            worst: Worst::new(Severity::None, None),
            networks: None,
            vantage: VantageCheck::new(|_| {}),
            undone: 0,
            cut_off: false,
        };
        let ended = pipeline::run(plan, probes, resolver, writer, (&progress, &stop))?;
        let (_, mut summary) = ended.writer.outputs.finish()?;
        let counted = counts(&progress);
        let (by_outcome, by_verdict) = (&counted.outcomes, &counted.verdicts);
        let complete = ended.fed == DispatchEnd::All;
        summary.add_unkept(Ended { by_outcome, by_verdict, complete }, &Mark::default());
        let warnings = progress.doubts().iter().map(ToString::to_string).collect();
        Ok(ScanReport { ended: ended.fed, summary, warnings })
    }
}

fn plan(config: &ScanConfig, schedule: Schedule, scanner: Arc<Scanner>) -> ScanPlan {
    let syns = limits::syns_within(config.probe.connect_timeout);
    ScanPlan {
        schedule,
        claimed: Vec::new(),
        dispatcher: dispatch::DispatchSettings {
            rate: config.rate,
            prefix_rate: config.prefix_rate,
            concurrency: config.concurrency.max(1),
            canaries: CanaryConfig::default(),
            sanity: sanity::SanitySettings::default(),
            loss: loss::LossSettings { syns, retries: config.retries },
        },
        retries: config.retries,
        samples: NonZeroU8::MIN,
        scanner,
        added: Arc::default(),
        reach: Arc::new(FamilyAccess::find(&config.probe.sources)),
        tell: Box::new(|_| {}),
        say: |_| {},
        answers: Arc::clone(&config.probe.answers),
    }
}
