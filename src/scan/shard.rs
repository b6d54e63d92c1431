//! One thread of conversations: batches of targets in, batches of what was seen out.
//!
//! A current-thread runtime and a task for each conversation; nothing leaves one by one. What was seen goes on when a
//! batch is full or twenty milliseconds old, and only then is its place given back: a slow stage behind this one is felt
//! by the feeder as places that stay taken.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender};
use tokio::task::LocalSet;

use super::aim::{Aim, Asking, Seen};
use super::feeder::Note;
use super::pace::Pace;
use super::progress::Progress;
use super::stop::{Level, Stop};
use crate::evidence::Outcome;
use crate::name::HostName;
use crate::probe::{LocalTrouble, Probe};
use crate::resolve::{Case, Inbox, Want};
use crate::smtp::greeting::{Greeting, Own};

/// What was seen goes on in batches of this many …
const BATCH: usize = 128;
/// … or when the first of them has waited so long.
const LINGER: Duration = Duration::from_millis(20);
/// The reply code for "too much, come back later" (RFC 5321 §3.8, §4.2.3).
const TOO_MUCH: u16 = 421;

/// What a shard tells the feeder.
#[derive(Debug, Default)]
pub struct Report {
    /// Which shard speaks.
    pub shard: usize,
    /// Conversations that ended: so many places are free again.
    pub ended: usize,
    /// Targets that timed out and have attempts left.
    pub again: Vec<Aim>,
    /// Targets that this machine could not speak to.
    pub troubled: Vec<(Aim, LocalTrouble)>,
    /// Addresses that answered 421.
    pub too_much: Vec<IpAddr>,
}

/// Where a shard's results go.
pub struct Outlets {
    /// Mail servers that spoke, for their names.
    pub resolver: Inbox<Asking>,
    /// All others, to be written.
    pub writer: Sender<Vec<Seen>>,
    /// What concerns the feeder.
    pub feeder: UnboundedSender<Note>,
}

/// A shard's own settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its number.
    pub number: usize,
    /// Further attempts at a target that timed out.
    pub retries: u8,
    /// Our own name, known as an echo when a greeting repeats it.
    pub own_name: Option<HostName>,
    /// When connections may start.
    pub pace: Arc<Pace>,
    /// Whether any may still start.
    pub stop: Stop,
}

/// Runs until the feeder hangs up; conversations that are under way then are dropped.
pub async fn run<P: Probe + 'static>(
    settings: Settings,
    probe: P,
    mut batches: Receiver<Vec<Aim>>,
    outlets: Outlets,
    progress: Arc<Progress>,
) {
    let shard = Rc::new(Shard {
        settings,
        probe,
        progress,
        ended: RefCell::default(),
        full: Notify::new(),
        some: Notify::new(),
    });
    let tasks = LocalSet::new();
    let feed = async {
        let outflow = tokio::task::spawn_local(Rc::clone(&shard).pass_on(outlets));
        while let Some(batch) = batches.recv().await {
            for aim in batch {
                if shard.may_start().await {
                    shard.progress.in_flight.fetch_add(1, Relaxed);
                    start(Rc::clone(&shard).converse(aim)).await;
                } else {
                    // Its turn stays undone.
                    shard.give_place_back();
                }
            }
        }
        // The feeder waits for every place before it hangs up, so nothing is left unless it means to drop it.
        outflow.abort();
    };
    tasks.run_until(feed).await;
}

/// Sends the SYN at once, however many others wait for their turn; the rest of the conversation waits among them.
async fn start(conversation: impl Future<Output = ()> + 'static) {
    let mut conversation = Box::pin(conversation);
    let is_over = poll_fn(|cx| Poll::Ready(conversation.as_mut().poll(cx).is_ready())).await;
    if !is_over {
        tokio::task::spawn_local(conversation);
    }
}

/// What conversations ended with since the last batch left.
#[derive(Default)]
struct Ended {
    seen: Vec<Seen>,
    report: Report,
}

struct Shard<P> {
    settings: Settings,
    probe: P,
    progress: Arc<Progress>,
    ended: RefCell<Ended>,
    /// The first conversation of a batch ended.
    some: Notify,
    /// A batch is full.
    full: Notify,
}

impl<P: Probe> Shard<P> {
    /// Waits until the next conversation may start; `false` if none may any more.
    async fn may_start(&self) -> bool {
        let Settings { pace, stop, .. } = &self.settings;
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

    async fn converse(self: Rc<Self>, mut aim: Aim) {
        let result = self.probe.probe(aim.socket()).await;
        self.progress.in_flight.fetch_sub(1, Relaxed);
        let mut ended = self.ended.borrow_mut();
        let count = ended.report.ended + 1;
        ended.report.ended = count;
        match result {
            Err(trouble) => {
                self.progress.trouble(trouble);
                ended.report.troubled.push((aim, trouble));
            }
            Ok(mut observation) => {
                aim.attempts = aim.attempts.saturating_add(1);
                observation.attempts = aim.attempts;
                if observation.outcome == Outcome::TimedOut && aim.attempts <= self.settings.retries {
                    self.progress.retried.fetch_add(1, Relaxed);
                    ended.report.again.push(aim);
                } else {
                    let code = observation.greeting.as_ref().and_then(|reply| reply.code);
                    if code.is_some_and(|code| code.get() == TOO_MUCH) {
                        self.progress.slowdowns.fetch_add(1, Relaxed);
                        ended.report.too_much.push(aim.ip);
                    }
                    ended.seen.push(Seen { aim, observation, time: SystemTime::now() });
                }
            }
        }
        match count {
            1 => self.some.notify_one(),
            BATCH => self.full.notify_one(),
            _ => {}
        }
    }

    /// Sends on what ended, batch by batch.
    async fn pass_on(self: Rc<Self>, outlets: Outlets) {
        loop {
            self.some.notified().await;
            // A batch that filled before is noticed at once: a notification is kept until it is waited for.
            let _ = tokio::time::timeout(LINGER, self.full.notified()).await;
            let ended = self.ended.take();
            let (mut hosts, mut others) = (Vec::new(), Vec::new());
            for seen in ended.seen {
                if seen.observation.outcome.is_judged() {
                    hosts.push(self.case(seen));
                } else {
                    others.push(seen);
                }
            }
            // The receivers live as long as the scan; when they are gone, it is over.
            if !hosts.is_empty() && outlets.resolver.send(hosts).await.is_err() {
                return;
            }
            if !others.is_empty() && outlets.writer.send(others).await.is_err() {
                return;
            }
            let report = Report { shard: self.settings.number, ..ended.report };
            if outlets.feeder.send(Note::Shard(report)).is_err() {
                return;
            }
        }
    }

    fn case(&self, seen: Seen) -> Case<Asking> {
        let own = Own { name: self.settings.own_name.as_ref(), ip: None };
        let name = seen.observation.greeting.as_ref().and_then(|reply| Greeting::read(reply, own).name);
        let banner = name.and_then(|name| HostName::parse(&name).ok());
        Case { want: Want::Identity { ip: seen.aim.ip, banner }, carry: Asking::Host(Box::new(seen)) }
    }
}
