//! One target, its evidence and its judgement: what every sink writes, and how it is written and read back.
//!
//! [`json`] writes the line of a record and [`mod@read`] takes it back; [`mod@column`] is the one list of CSV
//! columns; [`row`] is the short view that reports count. Nothing here opens a file or knows where a line
//! goes.

pub mod cell;
pub mod column;
pub mod ecs;
pub mod escape;
mod extra;
pub mod foreign;
pub(crate) mod field;
pub mod json;
pub mod label;
mod line;
pub mod list;
pub mod neutral;
pub mod read;
pub mod row;
pub mod syslog;
pub mod time;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use crate::evidence::{Evidence, Outcome, Resolution, Status};
use crate::judge::{Context, Judgement, judge_in};
use crate::prefix::Prefix;
use crate::targets::Inventory;
use extra::Object;
pub use foreign::Foreign;

/// The name of the record's form, first in each line. It changes only if a reader of the old one would be
/// misled.
pub const SCHEMA: &str = "banneret.record/1";

/// The JSON Schema (draft 2020-12) of a line.
pub const JSON_SCHEMA: &str = include_str!("record.schema.json");

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
    /// Of a host name or `mx:` entry, in a record without an address: what of it could not be resolved.
    pub unresolved: Option<Unresolved>,
}

/// What of a name could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unresolved {
    /// The family whose addresses are not known, where those of the other are; `None` for both.
    pub family: Option<AddressFamily>,
    /// How the question ended.
    pub status: Status,
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AddressFamily {
    /// A records.
    Ipv4,
    /// AAAA records.
    Ipv6,
}

impl AddressFamily {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }

    /// The family a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.as_str() == word)
    }
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
    /// Of a stored record: what this version does not know, and writes again as it stood.
    pub foreign: Foreign,
}

/// A target's story as far as it was seen, before anything is said of it. Scans, checks and stored records
/// all become records by [`Unjudged::judge`], so the same evidence gives the same words everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Unjudged {
    /// When the conversation ended.
    pub time: SystemTime,
    /// What was asked.
    pub target: Target,
    /// What was seen.
    pub evidence: Evidence,
    /// Whose network it is, where a data base was given.
    pub network: Option<Network>,
    /// Of a stored record: what this version does not know, and writes again as it stood.
    pub foreign: Foreign,
}

impl Unjudged {
    /// Judges it, and makes a record of it.
    pub fn judge(self, context: &Context<'_>) -> Record {
        let Self { time, target, evidence, network, foreign } = self;
        let judgement = match &target.inventory {
            Some(inventory) => judge_in(context, &evidence, inventory),
            None => judge_in(context, &evidence, &Inventory::default()),
        };
        Record { time, target, evidence, judgement, network, foreign }
    }
}

impl From<Record> for Unjudged {
    /// Forgets what was said of it.
    fn from(Record { time, target, evidence, network, foreign, judgement: _ }: Record) -> Self {
        Self { time, target, evidence, network, foreign }
    }
}

impl Record {
    /// The /24 or /48 of the target; `None` without an address.
    pub fn prefix(&self) -> Option<Prefix> {
        self.target.ip.map(Prefix::group)
    }

    /// The code of the greeting, 0 to 999.
    pub fn code(&self) -> Option<u16> {
        self.evidence.observation.greeting.as_ref()?.code.map(crate::smtp::reply::Code::get)
    }

    /// Puts what DNS says now in the place of what it said before. Fields that this version does not know
    /// stay only with answers that are the same as before.
    pub fn answer(&mut self, now: Resolution) {
        let before = self.evidence.resolution.as_ref();
        let names = |it: &Resolution| (it.ptr, it.ptr_count, it.names.clone());
        self.foreign.retain_fields(|object, place| match object {
            Object::Dns => before == Some(&now),
            Object::Ptr => before.map(names) == Some(names(&now)),
            Object::PtrName => before.and_then(|it| it.names.get(place)) == now.names.get(place),
            Object::BannerForward => before.map(|it| &it.banner_forward) == Some(&now.banner_forward),
            _ => true,
        });
        self.evidence.resolution = Some(now);
    }

    /// The word of the outcome, as it stood where this version does not know it.
    pub fn outcome_word(&self) -> &str {
        let outcome = self.evidence.observation.outcome;
        let foreign = if outcome == Outcome::Other { self.foreign.get(field::OUTCOME) } else { None };
        foreign.unwrap_or_else(|| outcome.as_str())
    }

    /// The same of a DNS status in one of several of a field.
    fn status_word(&self, status: Status, field: &str, place: usize) -> &str {
        let foreign = if status == Status::Other { self.foreign.at(field, place) } else { None };
        foreign.unwrap_or_else(|| status.as_str())
    }
}
