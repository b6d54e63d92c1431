//! The resolver as the pipeline sees it: an inbox of cases, a stream of solutions, a thread between them.
//! What asks is behind [`Resolve`], so that the thread runs as well on a fake.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::backend::{Resolve, Token};
use super::engine::Engine;
use super::error::ResolveError;
use super::fake::FakeResolver;
use super::health::{Health, count};
use super::hold::MOST_HELD;
use super::later::{Intake, Reach};
use super::plan::{Checks, Plan};
use super::question::{Answer, Question};
use super::settings::{HOSTS_IN_FLIGHT, SecondPass, Settings, TrustPolicy};
use super::trust::{Contradiction, Put, Reachable, UpstreamBehavior, UpstreamWarning, is_control};
use super::usefulness::UseOfUpstreams;
use super::want::{Case, Solved};

/// Solved cases that leave together at most.
pub const BATCH: usize = 256;
/// Batches that wait in the inbox or at the exit; each side of the channel hides a scheduling delay of the
/// other.
const BATCHES: usize = 16;
/// With so many questions ready no further case is taken in: it would only wait here, and leave the
/// processor's cache before its turn comes.
const READY: usize = 512;
/// While upstreams are not well and hosts wait for a second pass, how often it is looked whether they are.
const LOOK: Duration = Duration::from_millis(100);
/// While hosts wait for controls, how often it is looked whether they have waited long enough.
const REVIEW: Duration = Duration::from_millis(50);
/// What a look at one such host may take of the thread's time: with many, looks are rarer.
const REVIEW_EACH: Duration = Duration::from_micros(20);
/// Hosts wait so many timeouts for controls after the last answers.
const HOLD: u32 = 2;
/// At the end those hosts wait so many timeouts for them, and are then asked about whoever is there.
const CONVALESCENCE: u32 = 2;
/// How long a solved case waits for company.
const COMPANY: Duration = Duration::from_millis(2);

/// A running resolver. When every [`Inbox`] is dropped and all cases are solved, its thread ends and `solved`
/// closes.
#[derive(Debug)]
pub struct Resolver<T> {
    /// Where cases go in.
    pub inbox: Inbox<T>,
    /// Where they come out, each exactly once, in the order in which they were solved.
    pub solved: mpsc::Receiver<Vec<Solved<T>>>,
    /// How the upstreams do.
    pub health: Arc<Health>,
    /// Ends the waiting for second passes.
    pub hurry: Hurry,
}

/// Tells a resolver that there is no time for second passes any more: hosts that wait for theirs come out as
/// they are, and names of the target list that do never come out.
#[derive(Debug, Clone)]
pub struct Hurry {
    asked: Arc<AtomicBool>,
    waker: Waker,
}

impl Hurry {
    /// Tells it, for good.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.waker.wake_by_ref();
    }
}

/// Where cases go in. Clones share one resolver.
#[derive(Debug)]
pub struct Inbox<T> {
    hosts: mpsc::Sender<Vec<Case<T>>>,
    /// Names of the target list have a queue of their own: hosts wait for what they lead to.
    names: mpsc::Sender<Vec<Case<T>>>,
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self { hosts: self.hosts.clone(), names: self.names.clone() }
    }
}

/// The resolver's thread is gone; what was not taken is given back.
#[derive(Debug, thiserror::Error)]
#[error("the resolver has ended")]
pub struct Ended<T>(pub Vec<Case<T>>);

impl<T> Inbox<T> {
    /// Hands in a batch (best 64 to 256 cases); waits while the resolver has as many open as it may.
    pub async fn send(&self, cases: Vec<Case<T>>) -> Result<(), Ended<T>> {
        self.hosts.send(cases).await.map_err(|back| Ended(back.0))
    }

    /// The same for names of the target list, which go before hosts.
    pub async fn send_names(&self, cases: Vec<Case<T>>) -> Result<(), Ended<T>> {
        self.names.send(cases).await.map_err(|back| Ended(back.0))
    }

    /// How many batches of names it takes without a wait.
    pub fn room_for_names(&self) -> usize {
        self.names.capacity()
    }

    /// The same as [`Inbox::send`] for a thread outside any async runtime.
    pub fn send_blocking(&self, cases: Vec<Case<T>>) -> Result<(), Ended<T>> {
        self.hosts.blocking_send(cases).map_err(|back| Ended(back.0))
    }
}

/// Starts a resolver on a thread of its own.
pub fn start<T: Send + 'static>(settings: Settings) -> Result<Resolver<T>, ResolveError> {
    start_telling(settings, |_| ())
}

/// The same; upstreams that are not believed are told of by `tell`, each cause once, from the resolver's
/// thread.
pub fn start_telling<T: Send + 'static>(
    settings: Settings,
    tell: impl FnMut(&UpstreamWarning) + Send + 'static,
) -> Result<Resolver<T>, ResolveError> {
    let bounds = Bounds {
        hosts_in_flight: settings.hosts_in_flight,
        held_back: settings.held_back,
        second_pass: settings.second_pass,
        convalescence: settings.timeout * CONVALESCENCE,
        hold: settings.timeout * HOLD,
    };
    let trust = settings.trust;
    start_worker(Engine::open(settings)?, bounds, trust, Box::new(tell))
}

/// Starts a resolver that asks nobody: every question is answered by a function. For tests of what stands on
/// it.
pub fn start_with<T: Send + 'static>(
    answer: impl FnMut(&Question) -> Answer + Send + 'static,
) -> Result<Resolver<T>, ResolveError> {
    start_on(FakeResolver::new(answer), Bounds::default())
}

/// How many cases may be where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Hosts whose questions are open at once.
    pub hosts_in_flight: usize,
    /// Hosts that wait for a second pass.
    pub held_back: usize,
    /// When they have it.
    pub second_pass: SecondPass,
    /// How long these wait at the end for upstreams that are not well.
    pub convalescence: Duration,
    /// How long hosts wait for controls after the last answers.
    pub hold: Duration,
}

impl Default for Bounds {
    /// Many in flight, one pass for each.
    fn default() -> Self {
        Self {
            hosts_in_flight: HOSTS_IN_FLIGHT,
            held_back: 0,
            second_pass: SecondPass::Late,
            convalescence: Duration::ZERO,
            hold: Duration::ZERO,
        }
    }
}

/// An inbox with no resolver behind it: cases come out as they were handed in. For tests and benches of what
/// feeds it.
pub fn unserved<T>() -> (Inbox<T>, mpsc::Receiver<Vec<Case<T>>>) {
    let (inbox, cases) = mpsc::channel(BATCHES);
    (Inbox { hosts: inbox.clone(), names: inbox }, cases)
}

/// Starts a resolver on anything that asks, within bounds. Upstreams that it has are believed as far as they
/// show themselves honest.
pub fn start_on<T: Send + 'static>(
    resolve: impl Resolve + 'static,
    bounds: Bounds,
) -> Result<Resolver<T>, ResolveError> {
    start_worker(resolve, bounds, TrustPolicy::Earned, Box::new(|_| ()))
}

pub(super) type Tell = Box<dyn FnMut(&UpstreamWarning) + Send>;

fn start_worker<T: Send + 'static>(
    resolve: impl Resolve + 'static,
    bounds: Bounds,
    trust: TrustPolicy,
    tell: Tell,
) -> Result<Resolver<T>, ResolveError> {
    let (hosts, cases) = mpsc::channel(BATCHES);
    let (names, names_taken) = mpsc::channel(BATCHES);
    let (exit, solved) = mpsc::channel(BATCHES);
    let health = resolve.health();
    let upstreams = match trust {
        TrustPolicy::Earned => health.upstreams.len(),
        TrustPolicy::Given => 0,
    };
    let hurry = Hurry { asked: Arc::default(), waker: resolve.waker() };
    let worker = Worker {
        waker: resolve.waker(),
        health: resolve.health(),
        resolve,
        plan: Plan::new(bounds.held_back, Checks { upstreams, patience: bounds.hold }),
        tell,
        use_of_upstreams: UseOfUpstreams::new(upstreams),
        reviewed: Instant::now(),
        cases: Some(cases),
        names: Some(names_taken),
        exit: Exit { sender: exit, reserving: None },
        hosts_in_flight: bounds.hosts_in_flight,
        hurry: Arc::clone(&hurry.asked),
        second_pass: bounds.second_pass,
        convalescence: bounds.convalescence,
        over_since: None,
    };
    std::thread::Builder::new()
        .name("resolve".to_owned())
        .spawn(move || worker.run())
        .map_err(|error| ResolveError::Io("start the resolver's thread", error))?;
    Ok(Resolver { inbox: Inbox { hosts, names }, solved, health, hurry })
}

struct Worker<T, R> {
    resolve: R,
    waker: Waker,
    health: Arc<Health>,
    plan: Plan<T>,
    tell: Tell,
    use_of_upstreams: UseOfUpstreams,
    /// When it was looked last whether hosts have waited long enough for controls.
    reviewed: Instant,
    /// `None` once every inbox is gone.
    cases: Option<mpsc::Receiver<Vec<Case<T>>>>,
    names: Option<mpsc::Receiver<Vec<Case<T>>>>,
    exit: Exit<T>,
    hosts_in_flight: usize,
    /// Set when there is no time for second passes.
    hurry: Arc<AtomicBool>,
    second_pass: SecondPass,
    convalescence: Duration,
    /// Since when only hosts are left that wait for a second pass.
    over_since: Option<Instant>,
}

impl<T: Send + 'static, R: Resolve> Worker<T, R> {
    fn run(mut self) {
        let mut answers = Vec::new();
        let mut since = Instant::now();
        let mut heard = 0;
        loop {
            let now = Instant::now();
            self.see_upstreams();
            self.take(now);
            // Hosts that are let go here may be the last before second passes.
            let due = self.review(now).min(self.ask_again(now)).min(self.put_controls(now));
            let due = due.min(self.look_at_use(now));
            while self.resolve.room() > 0 {
                let Some((token, question, upstream)) = self.plan.next_question() else { break };
                match upstream {
                    Some(upstream) => self.resolve.submit_to(upstream, token, question),
                    None => self.resolve.submit(token, question),
                }
            }
            let alone = heard == 0 || self.plan.waiting() == 0;
            let mut blocked = false;
            if alone || self.plan.solved() >= BATCH || since.elapsed() >= COMPANY {
                match self.deliver() {
                    Poll::Ready(Ok(())) => since = Instant::now(),
                    Poll::Ready(Err(Unwanted)) => return,
                    Poll::Pending => blocked = true,
                }
            }
            if self.cases.is_none() && self.names.is_none() && self.plan.open() + self.plan.held_back() == 0 {
                return;
            }
            let hurry = self.plan.solved() > 0 && !blocked;
            self.resolve.turn(if hurry { COMPANY } else { due }, &mut answers);
            let now = Instant::now();
            heard = answers.len();
            for (token, answer) in answers.drain(..) {
                if is_control(token) {
                    self.take_control(token, &answer, now);
                } else {
                    self.count(&answer);
                    self.plan.answered(token, answer, now);
                }
            }
        }
    }

    /// Takes note of the upstreams that can be asked now.
    fn see_upstreams(&mut self) {
        let health = &self.health;
        self.plan.reachable(health.up().map(|upstream| {
            let rate = health.upstreams.get(upstream).map_or(0, |it| it.rate.load(Ordering::Relaxed));
            Reachable { upstream, rate }
        }));
    }

    /// Looks at the hosts that wait for controls; tells how long nothing is due.
    fn review(&mut self, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.reviewed);
        let least = REVIEW_EACH * u32::try_from(self.plan.held()).unwrap_or(u32::MAX);
        if since >= least && self.plan.review(since >= REVIEW, now) {
            self.reviewed = now;
        }
        for (upstream, behavior) in self.plan.take_warnings() {
            if let Some(upstream) = self.health.upstreams.get(upstream) {
                (self.tell)(&UpstreamWarning { upstream: upstream.address, behavior });
            }
        }
        for Contradiction { upstreams, question } in self.plan.take_contradictions() {
            if let [Some(one), Some(other)] = upstreams.map(|it| self.health.upstreams.get(it)) {
                let behavior = UpstreamBehavior::Contradicting(other.address, question);
                (self.tell)(&UpstreamWarning { upstream: one.address, behavior });
            }
        }
        if self.plan.held() == 0 { Duration::MAX } else { REVIEW }
    }

    /// Looks now and then whether upstreams are of use; tells how long nothing is due.
    fn look_at_use(&mut self, now: Instant) -> Duration {
        if self.plan.waiting() + self.plan.held_back() == 0 {
            // Before the last solutions leave: whoever gets them may end.
            if self.plan.solved() > 0 {
                self.use_of_upstreams.last_look(&self.health, now, &mut self.tell);
            }
            return Duration::MAX;
        }
        self.use_of_upstreams.look(&self.health, now, &mut self.tell)
    }

    /// Puts the controls that are due; tells how long none is.
    fn put_controls(&mut self, now: Instant) -> Duration {
        let Some(due) = self.plan.controls_due(now) else { return Duration::MAX };
        if due > now {
            return due - now;
        }
        let mut controls = Vec::new();
        self.plan.begin_controls(now, &mut controls);
        for Put { upstream, token, question } in controls {
            self.resolve.submit_to(upstream, token, &question);
        }
        let next = self.plan.controls_due(now);
        next.map_or(Duration::MAX, |at| at.saturating_duration_since(now).max(Duration::from_millis(1)))
    }

    fn take_control(&mut self, token: Token, answer: &Answer, now: Instant) {
        if let Some(upstream) = self.plan.control_answered(token, answer, now) {
            self.resolve.set_aside(upstream);
        }
    }

    /// Begins the second passes that are due; tells how long nothing is due.
    fn ask_again(&mut self, now: Instant) -> Duration {
        if self.hurry.load(Ordering::Acquire) {
            self.plan.hurry(now);
        }
        if self.plan.held_back() == 0 {
            return Duration::MAX;
        }
        let is_well = self.plan.is_well();
        let reach = if is_well { Reach::Somebody } else { Reach::Nobody };
        let no_more = match self.second_pass {
            SecondPass::Late => self.cases.is_none() && self.names.is_none(),
            // What has come meanwhile was taken in before.
            SecondPass::WhenIdle => true,
        };
        let is_over = no_more && self.plan.waiting() == 0;
        let over_since = is_over.then(|| self.over_since.unwrap_or(now));
        self.over_since = over_since;
        let patience = over_since.map(|since| self.convalescence.saturating_sub(now.duration_since(since)));
        let mut due = self.plan.due(reach).map_or(Duration::MAX, |at| at.saturating_duration_since(now));
        match patience {
            Some(patience) if is_well || patience.is_zero() => self.plan.ask_again(now, reach, Intake::Over),
            patience => {
                self.plan.ask_again(now, reach, Intake::Open);
                due = due.min(patience.unwrap_or(Duration::MAX));
            }
        }
        // Nobody tells when an upstream comes up.
        if is_well { due } else { due.min(LOOK) }
    }

    /// Takes cases in as long as there is room for them.
    fn take(&mut self, now: Instant) {
        let mut context = Context::from_waker(&self.waker);
        while self.plan.open() < self.hosts_in_flight && self.plan.ready_names() < READY {
            let Some(names) = &mut self.names else { break };
            match names.poll_recv(&mut context) {
                Poll::Ready(Some(batch)) => batch.into_iter().for_each(|case| self.plan.admit(case, now)),
                Poll::Ready(None) => self.names = None,
                Poll::Pending => break,
            }
        }
        while self.plan.open() < self.hosts_in_flight
            && self.plan.held() < MOST_HELD
            && self.plan.ready() < READY
        {
            let Some(cases) = &mut self.cases else { return };
            match cases.poll_recv(&mut context) {
                Poll::Ready(Some(batch)) => batch.into_iter().for_each(|case| self.plan.admit(case, now)),
                Poll::Ready(None) => self.cases = None,
                Poll::Pending => return,
            }
        }
    }

    /// Sends all solved cases that the exit has room for; pending when it has none, woken when it has.
    fn deliver(&mut self) -> Poll<Result<(), Unwanted>> {
        while self.plan.solved() > 0 {
            let mut context = Context::from_waker(&self.waker);
            match self.exit.poll_permit(&mut context) {
                Poll::Ready(Ok(permit)) => drop(permit.send(self.plan.take_solved(BATCH))),
                Poll::Ready(Err(unwanted)) => return Poll::Ready(Err(unwanted)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn count(&self, answer: &Answer) {
        count(&self.health.answers);
        if answer.status.is_definite() {
            count(&self.health.definite);
        }
    }
}

/// Nobody takes solutions any more.
struct Unwanted;

type Permit<T> = mpsc::OwnedPermit<Vec<Solved<T>>>;
type Reserving<T> = dyn Future<Output = Result<Permit<T>, mpsc::error::SendError<()>>> + Send;

struct Exit<T> {
    sender: mpsc::Sender<Vec<Solved<T>>>,
    reserving: Option<Pin<Box<Reserving<T>>>>,
}

impl<T: Send + 'static> Exit<T> {
    fn poll_permit(&mut self, context: &mut Context<'_>) -> Poll<Result<Permit<T>, Unwanted>> {
        if self.reserving.is_none() {
            match self.sender.clone().try_reserve_owned() {
                Ok(permit) => return Poll::Ready(Ok(permit)),
                Err(mpsc::error::TrySendError::Closed(_)) => return Poll::Ready(Err(Unwanted)),
                Err(mpsc::error::TrySendError::Full(sender)) => {
                    self.reserving = Some(Box::pin(sender.reserve_owned()));
                }
            }
        }
        let Some(reserving) = &mut self.reserving else { return Poll::Pending };
        let Poll::Ready(result) = reserving.as_mut().poll(context) else { return Poll::Pending };
        self.reserving = None;
        Poll::Ready(result.map_err(|_| Unwanted))
    }
}

#[cfg(test)]
mod tests;
