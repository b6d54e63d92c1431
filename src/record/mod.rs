//! One target, its evidence and its judgement: what every sink writes.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use crate::evidence::Evidence;
use crate::judge::Judgement;
use crate::targets::Inventory;

/// What was to be spoken to, and who asked for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The address; `None` where a host name led to none.
    pub ip: Option<IpAddr>,
    /// The TCP port.
    pub port: u16,
    /// The entry that it came from, as it is written in normal form.
    pub asked: Box<str>,
    /// What the user said of it; shared by all targets of one entry.
    pub inventory: Option<Arc<Inventory>>,
}

/// The autonomous system of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The number.
    pub asn: u32,
    /// The name of its holder.
    pub name: Option<Arc<str>>,
}

/// One target's whole story.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When the conversation ended.
    pub time: SystemTime,
    /// What was asked.
    pub target: Target,
    /// What was seen.
    pub evidence: Evidence,
    /// What it means.
    pub judgement: Judgement,
    /// Whose network it is, where a data base was given.
    pub network: Option<Network>,
}
