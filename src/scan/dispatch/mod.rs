//! Decides what starts when: the one place that draws turns, paces them, makes further attempts and gives
//! places out.
//!
//! Shards keep the overall pace, connection by connection, and take a batch only when the one before it has
//! started: so nothing gathers between here and there, and after a stall there is no burst. Turns come from
//! the order; what timed out is parked and tried again in passes of its own, and what has no place in the
//! order waits at the limiter. A pass never overlaps the order, so that a prefix is never paced twice.
//!
//! Names are resolved beside the order, and what they lead to has a pass once all of them are, or the order
//! has ended. Nothing here waits for a record to be written: the resolver holds back hosts until the last one
//! has come, so the end of the feed must not depend on them.

pub mod canary;
pub mod concurrency;
mod hearing;
pub mod host_locks;
pub mod loss;
mod names;
pub mod pace;
mod path;
pub mod prefix_limiter;

use std::collections::{HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use foldhash::fast::RandomState;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

use self::canary::{Canaries, CanaryConfig, PathEvent};
use self::concurrency::ConcurrencyLimiter;
use self::host_locks::HostLocks;
use self::loss::PathLoss;
use self::pace::LapPacer;
use self::prefix_limiter::PrefixLimiter;
use crate::evidence::{Observation, Outcome, Scanner};
use crate::probe::{ConnectionTimes, FamilyAccess, LocalTrouble};
use crate::rate::Rate;
use crate::resolve::Inbox;
use crate::scan::attempt::{Attempt, LookupSubject, ProbeResult};
use crate::scan::events::DispatchEvent;
use crate::scan::progress::Progress;
use crate::scan::sanity::vantage::VantageWarning;
use crate::scan::sanity::{self, SanityCheck};
use crate::scan::schedule::{Schedule, Turn};
use crate::scan::stop::{Level, Stop};

/// Targets that timed out, or are to be spoken to again, wait for their pass until so many have gathered, or
/// the order has ended. They are also what a checkpoint names one by one, so this bounds its size.
const MAX_PARKED: usize = 65_536;
/// The most targets at the limiter before nothing more is drawn.
const MAX_WAITING: usize = 65_536;
/// Turns that may lie between the first unfinished one and the newest before a pass is made: it bounds the
/// watermark's bits to 2 MB.
const MAX_SPAN: u128 = 1 << 24;
/// Targets at most that are begun before every name is resolved: what they show is kept until then, for a
/// name may lead to each of them. About a kilobyte each.
const MAX_EARLY: usize = 16_384;
/// How long a scan that was asked to end waits for conversations under way.
const DRAIN: Duration = Duration::from_secs(10);
/// A target that this machine could not speak to so many times, while it could speak to others in between, is
/// given up for this scan, undone.
const MAX_TROUBLES: u8 = 12;
/// While this machine can speak to nobody, so many targets show whether it can again; no more are drawn.
const ENOUGH_TO_TRY: usize = 64;

/// Targets that are left untried and written together.
const MOST_UNTRIED: usize = 1024;

/// How the scan is to be paced.
#[derive(Debug, Clone, Copy)]
pub struct DispatchSettings {
    /// Connections a second, overall: workers keep it, batches follow from it.
    pub rate: Rate,
    /// Connections a second for each prefix.
    pub prefix_rate: Rate,
    /// Conversations at once.
    pub concurrency: usize,
    /// How often hosts that greeted are looked at again.
    pub canaries: CanaryConfig,
    /// How long trouble of this machine or of its path is waited for.
    pub sanity: sanity::SanitySettings,
    /// What is known of attempts beforehand.
    pub loss: loss::LossSettings,
}

/// Where what a person has to know at once goes.
pub type OnEvent = Box<dyn Fn(PathEvent) + Send>;

/// Why no more is fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DispatchEnd {
    /// Every turn ended.
    All,
    /// It was asked to end.
    Stopped,
    /// Some targets could not be spoken to from this machine; they stay undone.
    Failed(usize, LocalTrouble),
}

/// The dispatcher and all that it knows.
pub struct Dispatcher {
    schedule: Schedule,
    /// The next turn, drawn but not yet sent.
    ahead: Option<Turn>,
    batch: usize,
    laps: LapPacer,
    /// How many blocks the last lap that was drawn from visits.
    lap_blocks: u128,
    limiter: PrefixLimiter<Attempt>,
    parked: Vec<Attempt>,
    /// Targets to be tried again after trouble of this machine.
    again: VecDeque<Attempt>,
    occupied: HostLocks<Attempt>,
    canaries: Canaries,
    sanity: SanityCheck,
    /// What the path asks for: looks at hosts that had greeted, and targets that show whether it works again.
    checks: VecDeque<(Instant, Attempt)>,
    /// Targets that may not be at fault are asked again from then on.
    recovered_at: Option<Instant>,
    loss: PathLoss,
    /// Targets that could not be connected to, to be written.
    settled: Vec<ProbeResult>,
    reach: Arc<FamilyAccess>,
    /// Who left them untried.
    scanner: Arc<Scanner>,
    /// Targets that this machine has nothing to reach by, to be written.
    untried: Vec<ProbeResult>,
    writer: Sender<Vec<ProbeResult>>,
    tell: OnEvent,
    say: fn(&VantageWarning),
    phase: Phase,
    places: ConcurrencyLimiter,
    /// Names that the resolver has.
    resolving: usize,
    /// These, and those that it is still to get.
    unresolved: usize,
    /// What names led to, before it has a pass.
    resolved: VecDeque<Attempt>,
    /// Addresses of the set that names lead to: their own turns are passed over.
    named: HashSet<IpAddr, RandomState>,
    /// The set's targets that were drawn before every name was resolved.
    early: HashSet<SocketAddr, RandomState>,
    /// How many targets were begun before every name was resolved.
    begun_early: usize,
    /// When what the order visited last is rested, in a pass.
    rested: Instant,
    stuck: usize,
    stuck_for: Option<LocalTrouble>,
    /// Whether any conversation was held since the last trouble.
    sound: bool,
    machine: path::Machine,
    patience: sanity::SanitySettings,
    given_up: Option<LocalTrouble>,
    notes: UnboundedReceiver<DispatchEvent>,
    workers: Vec<Sender<Vec<Attempt>>>,
    resolver: Option<Inbox<LookupSubject>>,
    passed_over: UnboundedSender<(u128, SocketAddr)>,
    progress: Arc<Progress>,
    stop: Stop,
}

/// Where the next batch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Turns, in order.
    Order,
    /// What was parked.
    Pass,
}

/// What the dispatcher speaks to.
pub struct DispatchChannels {
    /// One sender a worker.
    pub workers: Vec<Sender<Vec<Attempt>>>,
    /// For names.
    pub resolver: Inbox<LookupSubject>,
    /// For turns of the set that are passed over, for a name leads to their targets.
    pub passed_over: UnboundedSender<(u128, SocketAddr)>,
    /// What it hears.
    pub notes: UnboundedReceiver<DispatchEvent>,
    /// For targets that could not be connected to, or are left untried.
    pub writer: Sender<Vec<ProbeResult>>,
    /// Who leaves them so.
    pub scanner: Arc<Scanner>,
    /// What it has to tell.
    pub tell: OnEvent,
    /// What speaks against the records.
    pub say: fn(&VantageWarning),
    /// When connections began that were established.
    pub answers: Arc<ConnectionTimes>,
}

impl Dispatcher {
    /// A dispatcher at the schedule's first turn.
    pub fn new(
        settings: DispatchSettings,
        (schedule, reach): (Schedule, Arc<FamilyAccess>),
        outlets: DispatchChannels,
        progress: Arc<Progress>,
        stop: Stop,
    ) -> Self {
        let now = Instant::now();
        let mut laps = LapPacer::new(settings.prefix_rate);
        let mut rested = now;
        if schedule.is_resumed() {
            // Nobody knows which prefixes the run before visited last.
            laps.rest(now);
            rested += laps.interval();
        }
        Self {
            unresolved: schedule.names_left(),
            schedule,
            ahead: None,
            batch: pace::batch(settings.rate) as usize,
            laps,
            lap_blocks: u128::MAX,
            limiter: PrefixLimiter::new(settings.prefix_rate),
            parked: Vec::new(),
            again: VecDeque::new(),
            occupied: HostLocks::default(),
            canaries: Canaries::new(settings.canaries, now),
            sanity: SanityCheck::new(settings.sanity, outlets.answers),
            checks: VecDeque::new(),
            recovered_at: None,
            loss: PathLoss::new(settings.loss),
            settled: Vec::new(),
            reach,
            scanner: outlets.scanner,
            untried: Vec::new(),
            writer: outlets.writer,
            tell: outlets.tell,
            say: outlets.say,
            phase: Phase::Order,
            places: ConcurrencyLimiter::new(settings.concurrency, outlets.workers.len()),
            resolving: 0,
            resolved: VecDeque::new(),
            named: HashSet::default(),
            early: HashSet::default(),
            begun_early: 0,
            rested,
            stuck: 0,
            stuck_for: None,
            sound: true,
            machine: path::Machine::default(),
            patience: settings.sanity,
            given_up: None,
            notes: outlets.notes,
            workers: outlets.workers,
            resolver: Some(outlets.resolver),
            passed_over: outlets.passed_over,
            progress,
            stop,
        }
    }

    /// The same with addresses of the set that an earlier run spoke to for a name.
    #[must_use]
    pub fn with_named(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.named.extend(addresses);
        self
    }

    /// Feeds until all is done or the scan is to end; then hangs up on the workers.
    pub async fn run(mut self) -> DispatchEnd {
        let stop = self.stop.clone();
        let fed = tokio::select! {
            biased;
            () = stop.reached(Level::Drain) => DispatchEnd::Stopped,
            fed = self.feed() => fed,
        };
        self.tell_loss();
        if fed != DispatchEnd::All {
            self.resolver = None;
            let drained = tokio::time::timeout(DRAIN, self.drain());
            tokio::select! {
                () = stop.reached(Level::Now) => {}
                _ = drained => {}
            }
        }
        fed
    }

    async fn feed(&mut self) -> DispatchEnd {
        loop {
            while let Ok(note) = self.notes.try_recv() {
                self.hear(note);
            }
            self.follow_path(Instant::now());
            if let Some(trouble) = self.given_up {
                return self.give_up(trouble);
            }
            self.progress.waiting.store(self.waiting() as u64, Relaxed);
            self.pass_settled().await;
            self.send_names().await;
            let batch = self.gather().await;
            let untried = std::mem::take(&mut self.untried);
            let left_some = !untried.is_empty();
            if left_some {
                // The writer hears until all who speak to it are gone.
                let _ = self.writer.send(untried).await;
            }
            if !batch.is_empty() {
                self.send(batch).await;
            } else if self.release_held(Instant::now()) {
                // They are passed on or asked again.
            } else if left_some {
                // There may be more of them.
            } else if self.is_done() {
                return self
                    .stuck_for
                    .map_or(DispatchEnd::All, |trouble| DispatchEnd::Failed(self.stuck, trouble));
            } else {
                self.rest().await;
            }
        }
    }

    fn waiting(&self) -> usize {
        let for_attempts =
            self.limiter.len() + self.parked.len() + self.again.len() + self.occupied.waiting();
        for_attempts + self.resolved.len() + self.sanity.held() + self.checks.len()
    }

    /// What may start now, as far as there are places for it.
    async fn gather(&mut self) -> Vec<Attempt> {
        let now = Instant::now();
        let room = self.places.room(now).min(self.batch).min(self.loss.room(now));
        let mut batch = Vec::with_capacity(room);
        while batch.len() < room {
            let Some(attempt) = self.next_check(now) else { break };
            batch.extend(self.occupied.enter(attempt.ip, attempt));
        }
        if self.sanity.is_waiting() {
            return batch;
        }
        if self.phase == Phase::Pass {
            self.enter_resolved(now);
        }
        self.enter_again(now);
        while batch.len() < room {
            let Some(attempt) = self.limiter.pass(now) else { break };
            batch.extend(self.occupied.enter(attempt.ip, attempt));
        }
        if batch.is_empty() && room > 0 && !self.is_stalled() {
            self.choose_phase(now);
            if self.phase == Phase::Order {
                // Turns whose targets all have to wait are no batch.
                while self.draw(now, room, &mut batch).await > 0 && batch.is_empty() {}
            }
        }
        batch
    }

    /// Brings what this machine could not speak to before the limiter: something may have gone out for it.
    fn enter_again(&mut self, now: Instant) {
        if self.again.is_empty() {
            return;
        }
        if self.phase == Phase::Order {
            self.begin_pass(now);
        }
        for attempt in std::mem::take(&mut self.again) {
            self.limiter.enter(now + self.laps.interval(), attempt.ip, attempt);
        }
    }

    /// Draws turns of one lap; how many places in it they took.
    async fn draw(&mut self, now: Instant, room: usize, batch: &mut Vec<Attempt>) -> u32 {
        let (mut blocks, mut visits) = (0, 0);
        let may_wait = |dispatcher: &Self| {
            dispatcher.limiter.len() < MAX_WAITING && dispatcher.untried.len() < MOST_UNTRIED
        };
        while batch.len() < room && may_wait(self) && self.may_begin() {
            let Some(turn) = self.ahead.take().or_else(|| self.schedule.next()) else { break };
            match turn {
                turn @ Turn::Address { .. } if self.phase == Phase::Pass => {
                    self.ahead = Some(turn);
                    break;
                }
                Turn::Address { attempt, .. } | Turn::Stray(attempt) if self.reach.lacks(attempt.ip) => {
                    if !self.is_taken(&attempt) {
                        self.leave_untried(attempt);
                    }
                }
                Turn::Address { attempt, lap_blocks } => {
                    // A batch holds turns of one lap only, and no more than its pace lets start at once.
                    if visits > 0 && (lap_blocks != blocks || visits >= self.laps.batch(blocks)) {
                        self.ahead = Some(Turn::Address { attempt, lap_blocks });
                        break;
                    }
                    if lap_blocks > self.lap_blocks {
                        // The laps of a port visit fewer and fewer blocks; where the next port begins there
                        // are more again, and some of them would come too soon behind their last visit.
                        self.laps.rest(now);
                    }
                    (blocks, self.lap_blocks) = (lap_blocks, lap_blocks);
                    // A place in the lap is used up, also by whoever is spoken to later: the next ones come
                    // no sooner.
                    visits += 1;
                    if self.is_taken(&attempt) {
                        continue;
                    }
                    if self.limiter.is_slowed(attempt.ip) {
                        self.limiter.enter(now, attempt.ip, attempt);
                    } else {
                        batch.extend(self.occupied.enter(attempt.ip, attempt));
                    }
                }
                Turn::Stray(attempt) => {
                    if !self.is_taken(&attempt) {
                        self.limiter.enter(self.rested.max(now), attempt.ip, attempt);
                        self.phase = Phase::Pass;
                    }
                }
            }
        }
        if visits > 0 {
            if batch.is_empty() {
                self.laps.pass_over(now, visits, blocks);
            } else {
                tokio::time::sleep_until(self.laps.book(now, visits, blocks)).await;
            }
        }
        visits
    }

    async fn send(&mut self, batch: Vec<Attempt>) {
        // A worker ends only after the dispatcher hangs up. Places are taken only once the batch is sure to
        // go there.
        let Ok(slot) = self.workers[self.places.emptiest()].reserve().await else { return };
        self.places.take(batch.len());
        self.loss.started(Instant::now(), batch.len());
        slot.send(batch);
    }

    fn choose_phase(&mut self, now: Instant) {
        let span =
            self.parked.first().map_or(0, |attempt| self.schedule.position().saturating_sub(attempt.turn));
        let full = self.parked.len() >= MAX_PARKED || span > MAX_SPAN;
        let order_over = self.is_order_over();
        if self.phase == Phase::Order && !self.parked.is_empty() && self.release_held(now) {
            // All of them have one pass, or show first whether the path works.
            self.follow_path(now);
            if self.sanity.is_waiting() {
                return;
            }
        }
        let is_worth_it = match self.phase {
            Phase::Order => !order_over,
            Phase::Pass => !self.limiter.is_empty(),
        };
        if is_worth_it {
            self.look(now);
        }
        match self.phase {
            Phase::Order if !self.parked.is_empty() && (full || (order_over && self.places.taken() == 0)) => {
                self.begin_pass(now);
                for attempt in std::mem::take(&mut self.parked) {
                    let recovered = self.recovered_at.filter(|_| attempt.doubted > 0);
                    let start = recovered.map_or(self.rested, |at| at.max(self.rested));
                    self.limiter.enter(start, attempt.ip, attempt);
                }
            }
            Phase::Order if !self.resolved.is_empty() && (order_over || self.all_resolved()) => {
                self.begin_pass(now);
                self.enter_resolved(now);
            }
            Phase::Pass if self.limiter.is_empty() => {
                self.phase = Phase::Order;
                self.laps.rest(now);
            }
            _ => {}
        }
    }

    /// From now on the limiter alone says who starts.
    fn begin_pass(&mut self, now: Instant) {
        self.phase = Phase::Pass;
        // The prefixes that the order visited last get their interval's rest.
        self.rested = self.laps.rested(now);
    }

    /// This machine has nothing to reach the target by: that is all there will ever be to say of it.
    fn leave_untried(&mut self, attempt: Attempt) {
        if let Some(no_way) = self.reach.miss(attempt.ip) {
            (self.tell)(PathEvent::NoWay(no_way));
        }
        let observation = Observation::bare(Outcome::NotTried, 0);
        let scanner = Arc::clone(&self.scanner);
        self.untried.push(ProbeResult { attempt, observation, time: SystemTime::now(), scanner });
    }

    fn is_order_over(&self) -> bool {
        self.schedule.is_over() && self.ahead.is_none()
    }

    fn is_done(&self) -> bool {
        self.is_order_over()
            && self.places.taken() == 0
            && self.all_resolved()
            && self.resolved.is_empty()
            && self.parked.is_empty()
            && self.again.is_empty()
            && self.limiter.is_empty()
            && self.is_path_settled()
    }

    /// Waits for what could change: a note, or the time of the first at the limiter.
    async fn rest(&mut self) {
        let now = Instant::now();
        let order_over = self.is_order_over();
        let idle = self.places.taken() == 0 && self.limiter.is_empty() && self.places.room(now) > 0;
        if idle && order_over && !self.parked.is_empty() && !self.sanity.is_waiting() {
            // Nobody will say anything: the next pass is due.
            return;
        }
        let closed = self.places.closed_until(now).max(self.loss.closed_until(now));
        let limiter = self.limiter.due().filter(|_| !self.sanity.is_waiting());
        let due = match (limiter, closed) {
            (Some(limiter), None) if self.places.room(now) > 0 => Some(limiter),
            (_, Some(open)) => Some(open),
            _ => None,
        };
        let due = [due, self.path_due(now), self.names_due(now)].into_iter().flatten().min();
        let note = match due {
            Some(due) => tokio::time::timeout_at(due, self.notes.recv()).await.unwrap_or(None),
            None => self.notes.recv().await,
        };
        if let Some(note) = note {
            self.hear(note);
        }
    }

    /// Waits until no conversation is under way; further attempts are left for the resumed scan.
    async fn drain(&mut self) {
        self.limiter.clear();
        while self.places.taken() > 0 {
            let Some(note) = self.notes.recv().await else { return };
            if let DispatchEvent::Worker(report) = note {
                self.places.give_back(report.worker, report.ended, true);
                self.hear_of_path(Instant::now(), &report.met, report.failed, &report.checked);
            }
        }
        // What is held back is left for the resumed scan: nobody knows whether the path was at fault.
        self.follow_path(Instant::now());
        self.pass_settled().await;
    }
}

#[cfg(test)]
mod tests;
