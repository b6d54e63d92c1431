//! The engine that asks: its core decides, its lanes carry, this file waits. Knows the clock, the sockets'
//! readiness and the way over TCP; what a question goes through is the core's.

mod core;
mod edns;
mod flow;
mod hickory;
mod keys;
mod lanes;
mod pace;
mod slots;
mod sys;
mod timers;
mod upstream;
mod window;

use std::sync::{Arc, mpsc};
use std::task::Waker;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use self::core::{Batch, Core, TcpReply};
use self::hickory::TcpDesk;
use self::keys::Lane;
use self::lanes::{Lanes, Sent, is_unreachable};
use self::sys::{Bell, Intake, MANY, Poll};
use super::backend::{Resolve, Token};
use super::error::ResolveError;
use super::health::Health;
use super::question::{Answer, Question};
use super::settings::Settings;

/// The mark of the bell; sockets' marks begin above.
const BELL: u64 = 0;
/// With so many questions under way, and fewer than so many answers at the last look, answers are let gather
/// for [`GATHER`]: waking up for each costs more than it gains.
const BUSY: usize = 128;
const FEW: usize = 24;
const GATHER: Duration = Duration::from_micros(500);
/// The most upstreams: what one word of flags holds.
const MOST_UPSTREAMS: usize = 64;

/// Asks upstream resolvers over UDP, and over TCP what does not fit.
pub(super) struct Engine {
    core: Core,
    lanes: Lanes,
    poll: Poll,
    bell: Arc<Bell>,
    intake: Intake,
    batch: Batch,
    marks: Vec<u64>,
    /// The time of the last look, and the answers that it brought.
    now: Instant,
    gathered: usize,
    desk: TcpDesk,
    replies: mpsc::Receiver<TcpReply>,
    health: Arc<Health>,
}

impl Engine {
    /// Opens the sockets; sends nothing yet.
    pub(super) fn open(mut settings: Settings) -> Result<Self, ResolveError> {
        if settings.upstreams.is_empty() {
            return Err(ResolveError::NoUpstream);
        }
        settings.upstreams.truncate(MOST_UPSTREAMS);
        let now = Instant::now();
        let poll = Poll::new().map_err(|error| ResolveError::Io("wait for DNS answers", error))?;
        let bell = Bell::new().map_err(|error| ResolveError::Io("wake the resolver", error))?;
        let bell = Arc::new(bell);
        poll.watch(&*bell, BELL).map_err(|error| ResolveError::Io("wake the resolver", error))?;
        let mut seeds = rand::rng();
        let lanes = Lanes::open(&mut settings.upstreams, &poll, StdRng::from_rng(&mut seeds))
            .map_err(|error| ResolveError::Io("open a socket to a DNS resolver", error))?;
        let (core, health) = Core::new(&settings, lanes.each(), StdRng::from_rng(&mut seeds), now);
        let (reply, replies) = mpsc::channel();
        let desk = TcpDesk::new(settings.upstreams, reply, Waker::from(Arc::clone(&bell)));
        Ok(Self {
            core,
            lanes,
            poll,
            bell,
            intake: Intake::new(),
            batch: Batch::default(),
            marks: Vec::new(),
            now,
            gathered: 0,
            desk,
            replies,
            health,
        })
    }

    fn send(&mut self, now: Instant) {
        while let Some(lane) = self.core.next_batch(now, &mut self.batch) {
            if self.lanes.send(lane, &self.batch, &self.poll, now) == Sent::Unreachable {
                self.core.unreachable(lane, now);
            }
        }
        for ask in self.core.take_tcp() {
            self.desk.ask(ask);
        }
    }

    /// Waits for input, a timer, the bell, or `until`, and takes the input.
    fn wait(&mut self, patience: Duration) {
        if self.core.under_way() >= BUSY && self.gathered < FEW && patience > GATHER {
            std::thread::sleep(GATHER);
        }
        self.marks.clear();
        // A poll of our own descriptors fails for no reason that passes; timers still end every question.
        if self.poll.wait(patience, &mut self.marks).is_err() {
            std::thread::sleep(GATHER);
        }
        let now = Instant::now();
        self.now = now;
        self.gathered = 0;
        let marks = std::mem::take(&mut self.marks);
        for &mark in &marks {
            if mark == BELL {
                self.bell.hush();
            } else {
                self.take(mark, now);
            }
        }
        self.marks = marks;
        while let Ok(reply) = self.replies.try_recv() {
            self.core.receive_tcp(reply, now);
        }
        self.lanes.drain(now);
    }

    /// Takes all that one socket has.
    fn take(&mut self, mark: u64, now: Instant) {
        // What keeps coming is left for the next look: timers must have their turn.
        for _ in 0..MANY {
            match self.lanes.receive(mark, &mut self.intake) {
                Some((lane, Ok(count))) => {
                    self.hand_over(lane, now);
                    self.gathered += count;
                    if count < MANY {
                        return;
                    }
                }
                Some((lane, Err(error))) if is_unreachable(&error) => self.core.unreachable(lane, now),
                _ => return,
            }
        }
    }

    fn hand_over(&mut self, lane: Lane, now: Instant) {
        for (datagram, whole) in self.intake.datagrams() {
            self.core.receive(lane, datagram, whole, now);
        }
    }
}

impl Resolve for Engine {
    fn room(&self) -> usize {
        self.core.room()
    }

    fn submit(&mut self, token: Token, question: &Question) {
        self.core.submit(token, question, self.now);
    }

    fn submit_to(&mut self, upstream: usize, token: Token, question: &Question) {
        self.core.submit_to(upstream, token, question, Instant::now());
    }

    fn set_aside(&mut self, upstream: usize) {
        self.core.set_aside(upstream, Instant::now());
    }

    fn turn(&mut self, patience: Duration, answers: &mut Vec<(Token, Answer)>) {
        let now = Instant::now();
        self.core.expire(now);
        self.send(now);
        let due = self.core.deadline(now).map_or(Duration::MAX, |at| at.saturating_duration_since(now));
        let patience = if self.core.has_answers() { Duration::ZERO } else { patience.min(due) };
        self.wait(patience);
        self.core.take_answers(answers);
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.bell))
    }

    fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }
}
