//! What the stages tell the dispatcher: where conversations were and how they ended, and what names led to.

use std::net::{IpAddr, SocketAddr};

use tokio::time::Instant;

use crate::evidence::{Observation, Outcome};
use crate::probe::{Handshake, LocalTrouble};
use crate::scan::attempt::Attempt;
use crate::scan::failure::Failure;
use crate::scan::sanity::LookResult;

/// What the dispatcher hears.
#[derive(Debug)]
pub enum DispatchEvent {
    /// A worker's conversations ended.
    Worker(WorkerReport),
    /// A name was resolved; these of its targets are spoken to for nobody else.
    Resolved(Vec<Attempt>),
}

/// What a worker tells the dispatcher.
#[derive(Debug, Default)]
pub struct WorkerReport {
    /// Which worker speaks.
    pub worker: usize,
    /// Conversations that ended: so many places are free again.
    pub ended: usize,
    /// Targets that greeted and are to be spoken to again.
    pub again: Vec<Attempt>,
    /// Targets that could not be connected to, or said nothing.
    pub failed: Vec<Failure>,
    /// Targets that this machine could not speak to.
    pub troubled: Vec<(Attempt, LocalTrouble)>,
    /// Addresses that answered 421.
    pub too_much: Vec<IpAddr>,
    /// Where each of these conversations was.
    pub met: Vec<Contact>,
    /// What a look at a host that had greeted came to.
    pub look: Option<CanaryResult>,
    /// What looks came to that were made because many targets failed.
    pub checked: Vec<LookResult>,
}

/// Where a conversation was.
#[derive(Debug, Clone, Copy)]
pub struct Contact {
    /// With whom.
    pub socket: SocketAddr,
    /// Whether a mail server greeted in it.
    pub greeted: bool,
    /// Whether it was connected to, and whether that took more than one SYN.
    pub connected: Option<Handshake>,
    /// Which attempt it was, counted from 1.
    pub attempt: u8,
    /// When it began, if it was held at all.
    pub held_since: Option<Instant>,
    /// Whether it is asked again after a failure that may not have been its own fault.
    pub was_doubted: bool,
}

impl Contact {
    /// A conversation that is not held.
    pub fn nobody(attempt: &Attempt) -> Self {
        Self {
            socket: attempt.whom().socket,
            greeted: false,
            connected: None,
            attempt: attempt.attempts.saturating_add(1),
            held_since: None,
            was_doubted: attempt.doubted > 0,
        }
    }

    /// What came of it.
    pub(super) fn heard(&mut self, since: Instant, observation: &Observation) {
        self.held_since = Some(since);
        self.greeted = observation.outcome == Outcome::Greeted;
        let handshake = if observation.resent { Handshake::Resent } else { Handshake::Clean };
        self.connected = (!Failure::is_one(observation.outcome)).then_some(handshake);
    }
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanaryResult {
    /// The host did something, whatever it was.
    Answered,
    /// It did not even answer the connection.
    Silent,
    /// It could not be looked at, or must not be any more.
    Void,
}
