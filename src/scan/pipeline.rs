//! The whole stream: one dispatcher, a worker of conversations for each core, the resolver's own thread, one
//! writer.
//!
//! ```text
//! dispatcher ──batches──▶ worker × cores ──▶ resolver ──▶ writer ──▶ outputs, watermark, checkpoint
//!    ▲                    │  └────── nobody spoke ─────▲ │
//!    └─ places, time-outs ┘          addresses of names ─┘ (back to the dispatcher)
//! ```
//! When the dispatcher hangs up on the workers, each stage ends as the one before it has ended.

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::evidence::Scanner;
use crate::probe::{ConnectionTimes, FamilyAccess, LocalTrouble, Probe};
use crate::resolve::Resolver;
use crate::scan::ScanError;
use crate::scan::attempt::LookupSubject;
use crate::scan::dispatch::pace::Pace;
use crate::scan::dispatch::{self, DispatchEnd, Dispatcher};
use crate::scan::events::DispatchEvent;
use crate::scan::moderation::moderated;
use crate::scan::progress::Progress;
use crate::scan::sanity::vantage::VantageWarning;
use crate::scan::schedule::Schedule;
use crate::scan::schedule::live_exclusions::LiveExclusions;
use crate::scan::stop::{Level, Stop};
use crate::scan::worker;
use crate::scan::writer::{Inlets, Writer};

/// Batches that may wait for the writer: enough that a write to disk stops no worker.
const SEEN_BATCHES: usize = 64;
/// Batches that may wait for a worker while it starts one: a worker is never without work, and what waits is
/// no burst.
const BATCHES_AHEAD: usize = 1;

/// All that a scan is to do.
pub struct ScanPlan {
    /// The turns still to be taken.
    pub schedule: Schedule,
    /// Addresses of the set that an earlier run spoke to for a name.
    pub claimed: Vec<IpAddr>,
    /// Their pace.
    pub dispatcher: dispatch::DispatchSettings,
    /// Further attempts at a target that timed out.
    pub retries: u8,
    /// Conversations with each target that greets.
    pub samples: NonZeroU8,
    /// Who we are.
    pub scanner: Arc<Scanner>,
    /// Exclusions that come while it runs.
    pub added: Arc<LiveExclusions>,
    /// What this machine has to reach targets by.
    pub reach: Arc<FamilyAccess>,
    /// For what a person has to know at once.
    pub tell: dispatch::OnEvent,
    /// The same for what speaks against the records.
    pub say: fn(&VantageWarning),
    /// Where conversations note when connections began that were established.
    pub answers: Arc<ConnectionTimes>,
}

/// How a scan ended.
pub struct PipelineReport {
    /// Why no more was fed.
    pub fed: DispatchEnd,
    /// The writer, with its outputs and its watermark, all of it durable.
    pub writer: Writer,
}

/// Runs a scan to its end, with a thread of conversations for each probe; `writer` takes what they and the
/// resolver give. `Err` only where the scan cannot go on: whatever a target does is a record.
pub fn run<P: Probe + Send + 'static>(
    plan: ScanPlan,
    probes: Vec<P>,
    resolver: Resolver<LookupSubject>,
    writer: impl FnOnce(mpsc::UnboundedSender<DispatchEvent>) -> Writer,
    (progress, stop): (&Arc<Progress>, &Stop),
) -> Result<PipelineReport, ScanError> {
    let (notes, heard) = mpsc::unbounded_channel();
    let (seen, seen_by_writer) = mpsc::channel(SEEN_BATCHES);
    // Of each address that names lead to, one turn a port at the most.
    let (passed_over, passed_over_heard) = mpsc::unbounded_channel();
    let writer = writer(notes.clone());
    let (for_feeder, for_writer) = (runtime(&mut current())?, runtime(&mut current())?);
    let runtimes =
        probes.iter().map(|_| runtime(moderated(&mut current()))).collect::<Result<Vec<_>, _>>()?;
    let pace = Arc::new(Pace::new(plan.dispatcher.rate, probes.len()));
    thread::scope(|threads| {
        let mut workers = Vec::with_capacity(probes.len());
        for (number, (runtime, probe)) in runtimes.into_iter().zip(probes).enumerate() {
            let (batches, taken) = mpsc::channel(BATCHES_AHEAD);
            workers.push(batches);
            let settings = worker::WorkerSettings {
                number,
                retries: plan.retries,
                samples: plan.samples,
                scanner: Arc::clone(&plan.scanner),
                added: Arc::clone(&plan.added),
                pace: Arc::clone(&pace),
                stop: stop.clone(),
            };
            let outlets = worker::WorkerChannels {
                resolver: resolver.inbox.clone(),
                writer: seen.clone(),
                dispatcher: notes.clone(),
            };
            let progress = Arc::clone(progress);
            spawn(threads, "conversations", move || {
                runtime.block_on(worker::run(settings, probe, taken, outlets, progress));
            })?;
        }
        let outlets = dispatch::DispatchChannels {
            workers,
            resolver: resolver.inbox,
            passed_over,
            writer: seen.clone(),
            scanner: plan.scanner,
            notes: heard,
            tell: plan.tell,
            say: plan.say,
            answers: plan.answers,
        };
        let drawn = (plan.schedule, plan.reach);
        let dispatcher = Dispatcher::new(plan.dispatcher, drawn, outlets, Arc::clone(progress), stop.clone());
        let dispatcher = dispatcher.with_named(plan.claimed);
        let dispatcher = spawn(threads, "dispatcher", move || for_feeder.block_on(dispatcher.run()))?;
        drop((seen, notes));
        let inlets = Inlets {
            seen: seen_by_writer,
            solved: resolver.solved,
            passed_over: passed_over_heard,
            hurry: resolver.hurry,
        };
        let written = for_writer.block_on(writer.run(inlets, stop));
        if written.is_err() {
            stop.ask(Level::Now);
        }
        let fed = dispatcher.join().map_err(|_| ScanError::Panicked)?;
        let writer = written?;
        let fed = match fed {
            // All conversations were over, but not all names asked.
            DispatchEnd::All if writer.cut_off => DispatchEnd::Stopped,
            DispatchEnd::All if writer.undone > 0 => DispatchEnd::Failed(writer.undone, LocalTrouble::Defect),
            fed => fed,
        };
        Ok(PipelineReport { fed, writer })
    })
}

fn current() -> Builder {
    Builder::new_current_thread()
}

fn runtime(builder: &mut Builder) -> Result<Runtime, ScanError> {
    builder.enable_all().build().map_err(ScanError::Thread)
}

fn spawn<'threads, 'env, T: Send + 'threads>(
    threads: &'threads thread::Scope<'threads, 'env>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'threads,
) -> Result<thread::ScopedJoinHandle<'threads, T>, ScanError> {
    thread::Builder::new().name(name.to_owned()).spawn_scoped(threads, work).map_err(ScanError::Thread)
}
