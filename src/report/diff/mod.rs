//! What changed between scans, by meaning: which hosts were fixed, which got worse, which are called otherwise.
//!
//! A host is an address and a port. Its trouble is the set of its findings that weigh at least low on it; an answer that
//! nobody got is no trouble and no cure, so a host that is undetermined on either side is neither fixed nor regressed.
//! By example: no PTR before, none now and the same name: still wrong; no PTR before, undetermined now: unknown.
//!
//! The last scan is compared with what all earlier ones together know ([`Scan::then`]): of two that is the first; of more
//! it tells since when a host is in trouble, and which hosts go back and forth.
//!
//! Memory grows with the hosts that spoke, one entry each for what is known and for the scan at hand; a hundred million
//! records are no problem, a hundred million mail servers are. Opens no file.

pub mod change;
pub mod csv;
pub mod html;
mod moved;
pub mod show;
pub mod state;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map;
use std::net::IpAddr;
use std::time::SystemTime;

use crate::record::row::Row;

pub use change::Change;
pub use state::{Agreement, State, change};

/// Who greets: address and port.
pub type Host = (IpAddr, u16);

/// One scan, or what several know, by host.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    hosts: HashMap<Host, State>,
}

/// One host on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Which host.
    pub host: Host,
    /// What became of it.
    pub change: Change,
    /// Before; `None` where no record of it is.
    pub old: Option<&'a State>,
    /// Now; `None` where no record of it is.
    pub new: Option<&'a State>,
    /// Of a host that is gone, the address that greets by its name now and did not before; of a new one, the address that
    /// greeted by its name before and does not now.
    pub moved: Option<IpAddr>,
}

impl Entry<'_> {
    /// Since when the host is in trouble without a sound record between; `None` if it is sound now.
    pub fn since(&self) -> Option<SystemTime> {
        let (old, new) = (self.old.and_then(|state| state.since), self.new?.since?);
        Some(old.unwrap_or(new).min(new))
    }
}

impl Scan {
    /// Takes one record. A record without an address is of no host.
    pub fn add(&mut self, row: &Row<'_>) {
        let Some(ip) = row.ip else { return };
        let state = State::of(row);
        match self.hosts.entry((ip, row.port)) {
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(state);
            }
            hash_map::Entry::Occupied(mut known) => known.get_mut().beside(state),
        }
    }

    /// Whether there is a record of the host that a row is about.
    pub fn knows(&self, row: &Row<'_>) -> bool {
        row.ip.is_some_and(|ip| self.hosts.contains_key(&(ip, row.port)))
    }

    /// What this scan and a later one know together: of each host the latest that is known.
    #[must_use]
    pub fn then(mut self, later: Self) -> Self {
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

    /// The hosts of this scan and of a later one, in the order of a report: by change, then by address and port. Hosts that
    /// greeted in neither are left out.
    pub fn compare<'a>(&'a self, later: &'a Self) -> Vec<Entry<'a>> {
        let both = self.hosts.iter().map(|(&host, old)| (host, Some(old), later.hosts.get(&host)));
        let added = later.hosts.iter().filter(|(host, _)| !self.hosts.contains_key(host));
        let added = added.map(|(&host, new)| (host, None, Some(new)));
        let entries = both.chain(added).filter_map(|(host, old, new)| {
            change(old, new).map(|change| Entry { host, change, old, new, moved: None })
        });
        let mut entries: Vec<_> = entries.collect();
        entries.sort_unstable_by_key(|entry| (entry.change, entry.host));
        moved::mark(&mut entries);
        entries
    }
}
