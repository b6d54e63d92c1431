//! The whole stream: one feeder, a shard of conversations for each core, the resolver's own thread, one writer.
//!
//! ```text
//! feeder ──batches──▶ shard × cores ──▶ resolver ──▶ writer ──▶ outputs, watermark, checkpoint
//!    ▲                    │  └────── nobody spoke ─────▲ │
//!    └─ places, time-outs ┘          addresses of names ─┘ (back to the feeder)
//! ```
//! When the feeder hangs up on the shards, each stage ends as the one before it has ended.

use std::net::IpAddr;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::ScanError;
use super::added::Added;
use super::aim::Asking;
use super::course::Course;
use super::feeder::{self, Fed, Feeder};
use super::moderation::moderated;
use super::pace::Pace;
use super::progress::Progress;
use super::shard;
use super::stop::{Level, Stop};
use super::vantage::Doubt;
use super::writer::{Inlets, Writer};
use crate::evidence::Scanner;
use crate::probe::{ConnectionTimes, FamilyAccess, LocalTrouble, Probe};
use crate::resolve::Resolver;

/// Batches that may wait for the writer: enough that a write to disk stops no shard.
const SEEN_BATCHES: usize = 64;
/// Batches that may wait for a shard while it starts one: a shard is never without work, and what waits is no burst.
const BATCHES_AHEAD: usize = 1;

/// All that a scan is to do.
pub struct Plan {
    /// The turns still to be taken.
    pub course: Course,
    /// Addresses of the set that an earlier run spoke to for a name.
    pub claimed: Vec<IpAddr>,
    /// Their pace.
    pub feeder: feeder::Settings,
    /// Further attempts at a target that timed out.
    pub retries: u8,
    /// Conversations with each target that greets.
    pub samples: NonZeroU8,
    /// Who we are.
    pub scanner: Arc<Scanner>,
    /// Exclusions that come while it runs.
    pub added: Arc<Added>,
    /// What this machine has to reach targets by.
    pub reach: Arc<FamilyAccess>,
    /// For what a person has to know at once.
    pub tell: feeder::Tell,
    /// The same for what speaks against the records.
    pub say: fn(&Doubt),
    /// Where conversations note when connections began that were established.
    pub answers: Arc<ConnectionTimes>,
}

/// How a scan ended.
pub struct Ended {
    /// Why no more was fed.
    pub fed: Fed,
    /// The writer, with its outputs and its watermark, all of it durable.
    pub writer: Writer,
}

/// Runs a scan to its end, with a thread of conversations for each probe; `writer` takes what they and the resolver
/// give. `Err` only where the scan cannot go on: whatever a target does is a record.
pub fn run<P: Probe + Send + 'static>(
    plan: Plan,
    probes: Vec<P>,
    resolver: Resolver<Asking>,
    writer: impl FnOnce(mpsc::UnboundedSender<feeder::Note>) -> Writer,
    (progress, stop): (&Arc<Progress>, &Stop),
) -> Result<Ended, ScanError> {
    let (notes, heard) = mpsc::unbounded_channel();
    let (seen, seen_by_writer) = mpsc::channel(SEEN_BATCHES);
    // Of each address that names lead to, one turn a port at the most.
    let (passed_over, passed_over_heard) = mpsc::unbounded_channel();
    let writer = writer(notes.clone());
    let (for_feeder, for_writer) = (runtime(&mut current())?, runtime(&mut current())?);
    let runtimes =
        probes.iter().map(|_| runtime(moderated(&mut current()))).collect::<Result<Vec<_>, _>>()?;
    let pace = Arc::new(Pace::new(plan.feeder.rate, probes.len()));
    thread::scope(|scope| {
        let mut shards = Vec::with_capacity(probes.len());
        for (number, (runtime, probe)) in runtimes.into_iter().zip(probes).enumerate() {
            let (batches, taken) = mpsc::channel(BATCHES_AHEAD);
            shards.push(batches);
            let settings = shard::Settings {
                number,
                retries: plan.retries,
                samples: plan.samples,
                scanner: Arc::clone(&plan.scanner),
                added: Arc::clone(&plan.added),
                pace: Arc::clone(&pace),
                stop: stop.clone(),
                answers: Arc::clone(&plan.answers),
            };
            let outlets = shard::Outlets {
                resolver: resolver.inbox.clone(),
                writer: seen.clone(),
                feeder: notes.clone(),
            };
            let progress = Arc::clone(progress);
            spawn(scope, "conversations", move || {
                runtime.block_on(shard::run(settings, probe, taken, outlets, progress));
            })?;
        }
        let outlets = feeder::Outlets {
            shards,
            resolver: resolver.inbox,
            passed_over,
            writer: seen.clone(),
            scanner: plan.scanner,
            notes: heard,
            tell: plan.tell,
            say: plan.say,
            answers: plan.answers,
        };
        let drawn = (plan.course, plan.reach);
        let feeder = Feeder::new(plan.feeder, drawn, outlets, Arc::clone(progress), stop.clone());
        let feeder = feeder.with_named(plan.claimed);
        let feeder = spawn(scope, "feeder", move || for_feeder.block_on(feeder.run()))?;
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
        let fed = feeder.join().map_err(|_| ScanError::Panicked)?;
        let writer = written?;
        let fed = match fed {
            // All conversations were over, but not all names asked.
            Fed::All if writer.cut_off => Fed::Stopped,
            Fed::All if writer.undone > 0 => Fed::Stuck(writer.undone, LocalTrouble::Defect),
            fed => fed,
        };
        Ok(Ended { fed, writer })
    })
}

fn current() -> Builder {
    Builder::new_current_thread()
}

fn runtime(builder: &mut Builder) -> Result<Runtime, ScanError> {
    builder.enable_all().build().map_err(ScanError::Thread)
}

fn spawn<'scope, 'env, T: Send + 'scope>(
    scope: &'scope thread::Scope<'scope, 'env>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<thread::ScopedJoinHandle<'scope, T>, ScanError> {
    thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, work).map_err(ScanError::Thread)
}
