//! Entries of exclusion files that came after the order was made: they count from then on, and are kept
//! apart.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::report::asn::AsnDb;
use crate::targets::{Entry, Exclusions, ExclusionsBuilder, Kind, ReservedPolicy};

/// What exclusion files hold, and what of it came late.
#[derive(Debug, Default)]
pub struct LateEntries {
    /// Of each file, how many entries count from the start.
    pub counts: Vec<u64>,
    /// Who holds which network, for what is excluded by a system's number.
    pub networks: Option<Arc<AsnDb>>,
    known: HashSet<Kind>,
    entries: Vec<(String, Entry, Vec<IpAddr>)>,
}

impl LateEntries {
    /// Nothing yet.
    pub fn new(networks: Option<Arc<AsnDb>>) -> Self {
        Self { networks, ..Self::default() }
    }

    /// Notes an entry that counts from the start.
    pub fn know(&mut self, entry: &Entry) {
        self.known.insert(entry.kind.clone());
    }

    /// Takes an entry that came late; whether any of it is new.
    pub fn take(
        &mut self,
        list: &str,
        entry: Entry,
        addresses: &dyn Fn(&Kind) -> anyhow::Result<Vec<IpAddr>>,
    ) -> anyhow::Result<bool> {
        let mut any = false;
        for entry in super::spread(self.networks.as_deref(), entry)? {
            any |= self.take_one(list, entry, addresses)?;
        }
        Ok(any)
    }

    fn take_one(
        &mut self,
        list: &str,
        entry: Entry,
        addresses: &dyn Fn(&Kind) -> anyhow::Result<Vec<IpAddr>>,
    ) -> anyhow::Result<bool> {
        if self.known.contains(&entry.kind) {
            return Ok(false);
        }
        // What can't be excluded is told now, and not known: it is tried again at the next look.
        ExclusionsBuilder::new(ReservedPolicy::Allow).add(list, &entry)?;
        let found = addresses(&entry.kind)?;
        self.known.insert(entry.kind.clone());
        self.entries.push((list.to_owned(), entry, found));
        Ok(true)
    }

    /// All that came late; `None` if nothing did.
    pub fn exclusions(&self, policy: ReservedPolicy) -> Option<Exclusions> {
        let mut builder = ExclusionsBuilder::new(policy);
        for (list, entry, addresses) in &self.entries {
            // It was added to another one before.
            builder.add(list, entry).ok()?;
            builder.add_addresses(list, addresses.iter().copied());
        }
        (!self.entries.is_empty()).then(|| builder.build())
    }
}
