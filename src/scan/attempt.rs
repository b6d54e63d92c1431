//! One target under way, small enough that many can wait.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use crate::evidence::{GreetingSource, Observation, Scanner};
use crate::name::HostName;
use crate::probe::Whom;

/// Who asked for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetSource {
    /// An address of the set: its owner is looked up when the record is made.
    Set,
    /// A host name or `mx:` entry, by its number among the names.
    Name(usize),
}

/// What a conversation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptKind {
    /// Its target's record.
    Record,
    /// To see whether the path still bears: see [`crate::scan::dispatch::canary`].
    Canary,
    /// To see whether a burst of failures is the path's: see [`crate::scan::sanity`].
    PathCheck,
}

/// One target under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it is for.
    pub errand: AttemptKind,
    /// The turn it came from; the targets of one name share theirs.
    pub turn: u128,
    /// The address.
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// Attempts that timed out so far.
    pub attempts: u8,
    /// Attempts that this machine could not make.
    pub troubles: u8,
    /// Times that it failed for what may not be its own fault, and was asked again.
    pub doubted: u8,
    /// Who asked.
    pub asked: TargetSource,
    /// The host name that led to the address, where one did.
    pub name: Option<Arc<HostName>>,
    /// What earlier conversations showed, where another is wanted to see whether the name rotates.
    pub earlier: Option<Box<Earlier>>,
}

/// What the conversations with a target showed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// What the first one showed.
    pub observation: Observation,
    /// When that ended.
    pub time: SystemTime,
    /// The name in the greeting of each.
    pub names: Vec<Option<Box<str>>>,
    /// Who held the first one.
    pub scanner: Arc<Scanner>,
}

impl Attempt {
    /// The first one at an address of the set, for its record.
    pub fn first(turn: u128, ip: IpAddr, port: u16) -> Self {
        Self {
            errand: AttemptKind::Record,
            turn,
            ip,
            port,
            attempts: 0,
            troubles: 0,
            doubted: 0,
            asked: TargetSource::Set,
            name: None,
            earlier: None,
        }
    }

    /// Another look at a host that greeted. No turn of the order has it.
    pub fn look(socket: SocketAddr, errand: AttemptKind) -> Self {
        Self { errand, ..Self::first(u128::MAX, socket.ip(), socket.port()) }
    }

    /// Whom to speak to.
    pub fn whom(&self) -> Whom<'_> {
        Whom { socket: SocketAddr::new(self.ip, self.port), name: self.name.as_deref() }
    }
}

/// A target that was spoken to.
#[derive(Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// The target.
    pub attempt: Attempt,
    /// What it showed.
    pub observation: Observation,
    /// When the conversation ended.
    pub time: SystemTime,
    /// Who spoke to it.
    pub scanner: Arc<Scanner>,
}

impl ProbeResult {
    /// The conversation, as its greeting is read.
    pub fn greeting_source(&self) -> GreetingSource<'_> {
        GreetingSource {
            ip: Some(self.attempt.ip),
            observation: &self.observation,
            scanner: Some(&self.scanner),
        }
    }
}

/// What goes through the resolver: a host that wants its names resolved, or a name that wants addresses.
#[derive(Debug)]
pub enum LookupSubject {
    /// A mail server that spoke.
    Host(Box<ProbeResult>),
    /// A name of the target list.
    Name {
        /// Its turn.
        turn: u128,
        /// Its number among the names.
        name: usize,
    },
}
