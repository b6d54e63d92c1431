//! What changed between scans, by meaning: which hosts were fixed, which got worse, which are called
//! otherwise.
//!
//! A host is an address and a port, and the name by which it was asked for, if it was by one: two rows of an
//! inventory that lead to one address are two. Its trouble is the set of its findings that weigh at least low
//! on it; an answer that nobody got is no trouble and no cure, so a host that is undetermined on either side
//! is neither fixed nor regressed. By example: no PTR before, none now and the same name: still wrong; no PTR
//! before, undetermined now: unknown.
//!
//! The last scan is compared with what all earlier ones together know ([`Scan::then`]): of two that is the
//! first; of more it tells since when a host is in trouble, and which hosts go back and forth.
//!
//! Memory grows with the hosts that spoke, one entry each for what is known and for the scan at hand; a
//! hundred million records are no problem, a hundred million mail servers are. Opens no file.

pub mod change;
pub mod csv;
pub mod html;
mod moved;
pub mod show;
pub mod state;
#[cfg(test)]
mod tests;

use std::collections::hash_map;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use crate::prefix::Prefix;
use crate::record::row::Row;
use crate::report::summary::Kind;

pub use change::Change;
pub use state::{Agreement, State, Tag, change};

/// Who greets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    /// Its address.
    pub ip: IpAddr,
    /// The TCP port.
    pub port: u16,
    /// The name, or `mx:` and the domain, that led there; `None` of an address, a prefix or a range.
    pub asked: Option<Box<str>>,
}

impl Host {
    /// The host that a row is about; `None` of a row without an address.
    fn of(row: &Row<'_>) -> Option<Self> {
        Some(Self { ip: row.ip?, port: row.port, asked: row.asked_name().map(Box::from) })
    }

    /// Address and port, the usual port left out.
    pub fn address(&self) -> String {
        if self.port == 25 { self.ip.to_string() } else { SocketAddr::from((self.ip, self.port)).to_string() }
    }
}

/// One scan, or what several know, by host.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    hosts: HashMap<Host, State>,
    /// The tags that were met, each set once: the hosts of a customer share theirs.
    tags: HashSet<Arc<[Tag]>>,
}

/// One host on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Which host.
    pub host: &'a Host,
    /// What became of it.
    pub change: Change,
    /// Before; `None` where no record of it is.
    pub old: Option<&'a State>,
    /// Now; `None` where no record of it is.
    pub new: Option<&'a State>,
    /// The address that greets now by the name that this host had before, and did not before.
    pub moved_to: Option<IpAddr>,
    /// The address that greeted before by the name that this host has now, and does not now.
    pub moved_from: Option<IpAddr>,
}

impl<'a> Entry<'a> {
    /// What else the user says of it, or said where nothing is said now: name and value.
    pub fn tags(&self) -> &'a [Tag] {
        let sides = [self.new, self.old].into_iter().flatten().map(|state| &*state.tags);
        sides.into_iter().find(|tags| !tags.is_empty()).unwrap_or_default()
    }

    /// The groups of a kind that it is in; `None` of a kind that a comparison does not know.
    pub fn keys(&self, kind: &Kind) -> Option<Vec<String>> {
        match kind {
            Kind::Tag(name) => {
                let tag = self.tags().iter().find(|(tag, _)| **tag == **name);
                Some(tag.map(|(_, value)| value.to_string()).into_iter().collect())
            }
            Kind::Prefix(v4, v6) => {
                let length = if self.host.ip.is_ipv4() { *v4 } else { *v6 };
                Some(vec![Prefix::of(self.host.ip, length).to_string()])
            }
            _ => None,
        }
    }

    /// Since when the host is in trouble without a sound record between; `None` if it is sound now.
    pub fn since(&self) -> Option<SystemTime> {
        let (old, new) = (self.old.and_then(|state| state.since), self.new?.since?);
        Some(old.unwrap_or(new).min(new))
    }
}

impl Scan {
    /// Takes one record. A record without an address is of no host.
    pub fn add(&mut self, row: &Row<'_>) {
        let Some(host) = Host::of(row) else { return };
        let mut state = State::of(row);
        match self.tags.get(&state.tags) {
            Some(known) => state.tags = Arc::clone(known),
            None => _ = self.tags.insert(Arc::clone(&state.tags)),
        }
        match self.hosts.entry(host) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(state);
            }
            hash_map::Entry::Occupied(mut known) => known.get_mut().beside(state),
        }
    }

    /// Whether there is a record of the host that a row is about.
    pub fn knows(&self, row: &Row<'_>) -> bool {
        Host::of(row).is_some_and(|host| self.hosts.contains_key(&host))
    }

    /// What this scan and a later one know together: of each host the latest that is known.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
        self.tags.extend(later.tags);
        for (host, state) in later.hosts {
            match self.hosts.entry(host) {
                hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(state);
                }
                hash_map::Entry::Occupied(mut known) => known.get_mut().then(state),
            }
        }
        self
    }

    /// The hosts of this scan and of a later one, in the order of a report: by change, then by address and
    /// port. Hosts that greeted in neither are left out.
    pub fn compare<'a>(&'a self, later: &'a Self) -> Vec<Entry<'a>> {
        let both = self.hosts.iter().map(|(host, old)| (host, Some(old), later.hosts.get(host)));
        let added = later.hosts.iter().filter(|(host, _)| !self.hosts.contains_key(host));
        let added = added.map(|(host, new)| (host, None, Some(new)));
        let entries = both.chain(added).filter_map(|(host, old, new)| {
            change(old, new).map(|change| Entry { host, change, old, new, moved_to: None, moved_from: None })
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_unstable_by_key(|entry| (entry.change, entry.host));
        moved::mark(&mut entries);
        entries
    }
}
