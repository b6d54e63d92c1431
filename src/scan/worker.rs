//! One thread of conversations: batches of targets in, batches of what was seen out.
//!
//! A current-thread runtime and a task for each conversation; nothing leaves one by one. What was seen goes
//! on when a batch is full or twenty milliseconds old, and only then is its place given back: a slow stage
//! behind this one is felt by the dispatcher as places that stay taken.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender};
use tokio::task::LocalSet;
use tokio::task::coop::unconstrained;
use tokio::time::Instant;

use crate::evidence::{Observation, Outcome, Scanner};
use crate::probe::{Conversation, LocalTrouble, Probe, watched};
use crate::resolve::{Case, Inbox, Want};
use crate::scan::attempt::{Attempt, AttemptKind, LookupSubject, ProbeResult};
use crate::scan::dispatch::pace::Pace;
use crate::scan::events::{CanaryResult, Contact, DispatchEvent, WorkerReport};
use crate::scan::failure::{Blame, Failure, Further};
use crate::scan::progress::Progress;
use crate::scan::sample::{Sampled, sample};
use crate::scan::sanity::LookResult;
use crate::scan::schedule::live_exclusions::LiveExclusions;
use crate::scan::stop::{Level, Stop};

/// What was seen goes on in batches of this many …
const BATCH: usize = 128;
/// … or when the first of them has waited so long.
const LINGER: Duration = Duration::from_millis(20);
/// Well below the usual timeouts of a conversation.
const BEAT: Duration = Duration::from_millis(500);
/// What the allocator (mimalloc) hands out quickly, in octets: each target needs a conversation's room.
const SMALL: usize = 1024;
/// The reply code for "too much, come back later" (RFC 5321 §3.8, §4.2.3).
const TOO_MUCH: u16 = 421;

/// Where a worker's results go.
pub struct WorkerChannels {
    /// Mail servers that spoke, for their names.
    pub resolver: Inbox<LookupSubject>,
    /// All others, to be written.
    pub writer: Sender<Vec<ProbeResult>>,
    /// What concerns the dispatcher.
    pub dispatcher: UnboundedSender<DispatchEvent>,
}

/// A worker's own settings.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Its number.
    pub number: usize,
    /// Further attempts at a target that timed out.
    pub retries: u8,
    /// Conversations with each target that greets.
    pub samples: NonZeroU8,
    /// Who we are.
    pub scanner: Arc<Scanner>,
    /// When connections may start.
    pub pace: Arc<Pace>,
    /// Whether any may still start.
    pub stop: Stop,
    /// Exclusions that came while the scan ran.
    pub added: Arc<LiveExclusions>,
}

/// Runs until the dispatcher hangs up; conversations that are under way then are dropped.
pub async fn run<P: Probe + 'static>(
    settings: WorkerSettings,
    probe: P,
    mut batches: Receiver<Vec<Attempt>>,
    outlets: WorkerChannels,
    progress: Arc<Progress>,
) {
    let worker = Rc::new(Worker {
        scanner: RefCell::new(Arc::clone(&settings.scanner)),
        settings,
        probe,
        progress,
        ended: RefCell::default(),
        full: Notify::new(),
        some: Notify::new(),
    });
    let tasks = LocalSet::new();
    let feed = async {
        let outflow = tokio::task::spawn_local(Rc::clone(&worker).pass_on(outlets));
        let beat = tokio::task::spawn_local(beat());
        // The beat is to be known before the first conversation sets a timer.
        tokio::task::yield_now().await;
        while let Some(batch) = batches.recv().await {
            for attempt in batch {
                // Asked again after the wait, which may have been long.
                let is_excluded = || worker.settings.added.blocks(attempt.ip);
                if !is_excluded() && !worker.may_start().await {
                    // Its turn stays undone.
                    worker.give_place_back();
                } else if is_excluded() {
                    worker.leave_out(attempt);
                } else {
                    worker.progress.in_flight.fetch_add(1, Relaxed);
                    start(Box::pin(Rc::clone(&worker).converse(attempt))).await;
                }
            }
        }
        // The dispatcher waits for every place before it hangs up, so nothing is left unless it means to drop
        // it.
        outflow.abort();
        beat.abort();
    };
    // Within the set of tasks: what is woken there needs no call to the system.
    tasks.run_until(watched(feed)).await;
}

/// Keeps a timer that ends before those of conversations: a timer that would be the first of all to end costs
/// a call to the system, and each conversation sets one.
async fn beat() {
    loop {
        tokio::time::sleep(BEAT).await;
    }
}

/// Sends the SYN at once, however many others wait for their turn; the rest of the conversation waits among
/// them.
async fn start(mut conversation: Pin<Box<impl Future<Output = ()> + 'static>>) {
    debug_assert!(size_of_val(&*conversation) <= SMALL, "{} octets", size_of_val(&*conversation));
    // A batch is longer than a task's budget, which each start takes from: behind its end each would wake
    // this thread.
    let first = poll_fn(|cx| Poll::Ready(conversation.as_mut().poll(cx).is_ready()));
    let is_over = unconstrained(first).await;
    if !is_over {
        tokio::task::spawn_local(conversation);
    }
}

/// What conversations ended with since the last batch left.
#[derive(Default)]
struct Batch {
    hosts: Vec<Case<LookupSubject>>,
    others: Vec<ProbeResult>,
    report: WorkerReport,
}

impl Batch {
    fn take(&mut self, fate: Disposition) {
        match fate {
            Disposition::Host(case) => self.hosts.push(case),
            Disposition::Other(seen) => self.others.push(seen),
            Disposition::Again(attempt) => self.report.again.push(attempt),
            Disposition::Failed(failure) => self.report.failed.push(failure),
            Disposition::Checked(look) => self.report.checked.push(look),
            Disposition::Looked(look) => self.report.look = Some(look),
            Disposition::Troubled(attempt, trouble) => self.report.troubled.push((attempt, trouble)),
        }
    }
}

/// What becomes of a target after a conversation.
enum Disposition {
    /// A mail server: its names are asked for.
    Host(Case<LookupSubject>),
    /// All that there is to say of it is known.
    Other(ProbeResult),
    /// It is to be spoken to again.
    Again(Attempt),
    /// It could not be connected to; whether it is to be asked again is not decided here.
    Failed(Failure),
    /// It was looked at, and that was all.
    Looked(CanaryResult),
    /// The same, because many targets failed.
    Checked(LookResult),
    /// This machine could not speak to it.
    Troubled(Attempt, LocalTrouble),
}

struct Worker<P> {
    settings: WorkerSettings,
    probe: P,
    progress: Arc<Progress>,
    ended: RefCell<Batch>,
    /// Who we were in the last conversation with a mail server.
    scanner: RefCell<Arc<Scanner>>,
    /// The first conversation of a batch ended.
    some: Notify,
    /// A batch is full.
    full: Notify,
}

impl<P: Probe> Worker<P> {
    /// Waits until the next conversation may start; `false` if none may any more.
    async fn may_start(&self) -> bool {
        let WorkerSettings { pace, stop, .. } = &self.settings;
        if stop.level() != Level::Run {
            return false;
        }
        if pace.is_due() {
            return true;
        }
        tokio::select! {
            biased;
            () = stop.reached(Level::Drain) => false,
            () = pace.wait() => true,
        }
    }

    fn give_place_back(&self) {
        self.ended.borrow_mut().report.ended += 1;
        self.some.notify_one();
    }

    async fn converse(self: Rc<Self>, attempt: Attempt) {
        let start = Instant::now();
        let spoken = held(pin!(self.probe.probe(attempt.whom()))).await;
        self.progress.in_flight.fetch_sub(1, Relaxed);
        let mut met = Contact::nobody(&attempt);
        let (spoken, blame) = match spoken.unwrap_or(Err(LocalTrouble::Defect)) {
            Err(LocalTrouble::NoPath) => (Ok(Observation::bare(Outcome::Unreachable, 1).into()), Blame::Near),
            spoken => (spoken, Blame::Far),
        };
        let fate = match spoken {
            Err(trouble) => Disposition::Troubled(attempt, trouble),
            Ok(conversation) => {
                let observation = &conversation.observation;
                met.heard(start, observation);
                let code = observation.greeting.as_ref().and_then(|reply| reply.code);
                let is_too_much = code.is_some_and(|code| code.get() == TOO_MUCH);
                if is_too_much {
                    self.progress.slowdowns.fetch_add(1, Relaxed);
                    self.ended.borrow_mut().report.too_much.push(attempt.ip);
                }
                // Who asked for less is not spoken to once more.
                let wanted = if is_too_much { NonZeroU8::MIN } else { self.settings.samples };
                let spare = attempt.clone();
                let fate = catch_unwind(AssertUnwindSafe(|| {
                    self.fate(attempt, conversation, (blame, start), wanted)
                }));
                fate.unwrap_or(Disposition::Troubled(spare, LocalTrouble::Defect))
            }
        };
        if let Disposition::Troubled(_, trouble) = &fate {
            self.progress.trouble(*trouble);
        }
        self.end(met, fate);
    }

    /// An address that was excluded while its target waited: nothing is sent to it.
    fn leave_out(&self, attempt: Attempt) {
        let met = Contact::nobody(&attempt);
        let fate = match attempt.errand {
            AttemptKind::Canary => Disposition::Looked(CanaryResult::Void),
            AttemptKind::PathCheck => Disposition::Checked(LookResult::Void),
            AttemptKind::Record => {
                let observation = Observation::bare(Outcome::Excluded, attempt.attempts);
                let scanner = Arc::clone(&self.settings.scanner);
                concluded(
                    ProbeResult { attempt, observation, time: SystemTime::now(), scanner },
                    NonZeroU8::MIN,
                )
            }
        };
        self.end(met, fate);
    }

    /// What is to become of a target after a conversation that was held; `wanted` conversations in all.
    fn fate(
        &self,
        mut attempt: Attempt,
        conversation: Conversation,
        (blame, since): (Blame, Instant),
        wanted: NonZeroU8,
    ) -> Disposition {
        let Conversation { mut observation, local_ip } = conversation;
        attempt.attempts = attempt.attempts.saturating_add(1);
        observation.attempts = attempt.attempts;
        let outcome = observation.outcome;
        let is_failed = Failure::is_one(outcome);
        match attempt.errand {
            // A host that has greeted is out of reach because of somebody on the way to it.
            AttemptKind::Canary if matches!(outcome, Outcome::TimedOut | Outcome::Unreachable) => {
                Disposition::Looked(CanaryResult::Silent)
            }
            AttemptKind::Canary => Disposition::Looked(CanaryResult::Answered),
            AttemptKind::PathCheck if is_failed => Disposition::Checked(LookResult::Failed(outcome)),
            AttemptKind::PathCheck => Disposition::Checked(LookResult::Connected),
            AttemptKind::Record if (is_failed || outcome == Outcome::Silent) && attempt.earlier.is_none() => {
                let has_further = outcome == Outcome::TimedOut && attempt.attempts <= self.settings.retries;
                let further = if has_further { Further::Attempt } else { Further::None };
                let (at, time) = (Instant::now(), SystemTime::now());
                let scanner = self.scanner(local_ip);
                Disposition::Failed(Failure {
                    attempt,
                    observation,
                    blame,
                    further,
                    since,
                    at,
                    time,
                    scanner,
                })
            }
            AttemptKind::Record => {
                let scanner = self.scanner(local_ip);
                concluded(ProbeResult { attempt, observation, time: SystemTime::now(), scanner }, wanted)
            }
        }
    }

    /// Who we are in a conversation that was held from this address. Most are held from one.
    fn scanner(&self, local_ip: Option<IpAddr>) -> Arc<Scanner> {
        if local_ip.is_none() {
            return Arc::clone(&self.settings.scanner);
        }
        let mut last = self.scanner.borrow_mut();
        if last.ip != local_ip {
            *last = Arc::new(self.settings.scanner.from(local_ip));
        }
        Arc::clone(&last)
    }

    /// A conversation has ended, or was not to be.
    fn end(&self, met: Contact, fate: Disposition) {
        let mut ended = self.ended.borrow_mut();
        ended.report.ended += 1;
        ended.report.met.push(met);
        ended.take(fate);
        match ended.report.ended {
            1 => self.some.notify_one(),
            BATCH => self.full.notify_one(),
            _ => {}
        }
    }

    /// Sends on what ended, batch by batch.
    async fn pass_on(self: Rc<Self>, outlets: WorkerChannels) {
        loop {
            self.some.notified().await;
            // A batch that filled before is noticed at once: a notification is kept until it is waited for.
            let _ = tokio::time::timeout(LINGER, self.full.notified()).await;
            let Batch { hosts, others, report } = self.ended.take();
            // The receivers live as long as the scan; when they are gone, it is over.
            if !hosts.is_empty() && outlets.resolver.send(hosts).await.is_err() {
                return;
            }
            if !others.is_empty() && outlets.writer.send(others).await.is_err() {
                return;
            }
            let report = WorkerReport { worker: self.settings.number, ..report };
            if outlets.dispatcher.send(DispatchEvent::Worker(report)).is_err() {
                return;
            }
        }
    }
}

fn concluded(seen: ProbeResult, wanted: NonZeroU8) -> Disposition {
    match sample(seen, wanted) {
        Sampled::Further(attempt) => Disposition::Again(attempt),
        Sampled::Enough(seen) if seen.observation.outcome.is_judged() => Disposition::Host(case(seen)),
        Sampled::Enough(seen) => Disposition::Other(seen),
    }
}

fn case(seen: ProbeResult) -> Case<LookupSubject> {
    let banner = seen.greeting_source().name_to_resolve();
    Case { want: Want::Identity { ip: seen.attempt.ip, banner }, carry: LookupSubject::Host(Box::new(seen)) }
}

/// Holds a conversation. One that falls over, a defect of this program, takes nobody with it, and is told by
/// `Err`.
async fn held<T>(mut conversation: Pin<&mut impl Future<Output = T>>) -> std::thread::Result<T> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| conversation.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
