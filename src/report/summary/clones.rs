//! Names that hosts share which nobody renamed: one default or foreign name at many addresses, in bounded
//! memory.
//!
//! A record can't say so, for it is written before the others are seen; a summary can.

use std::collections::HashMap;

use crate::judge::around::{FOREIGN, MANY};
use crate::judge::run::Addresses;
use crate::record::row::Row;

/// Default and foreign names, each with its hosts.
#[derive(Debug, Clone)]
pub struct Clones {
    names: HashMap<String, Cloned>,
    most: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Cloned {
    addresses: Addresses,
    records: u64,
}

impl Clones {
    /// None yet; at least `most` names keep their own count.
    pub(super) fn new(most: usize) -> Self {
        Self { names: HashMap::new(), most }
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        let (Some(ip), Some(name)) = (row.ip, row.banner_name.as_deref()) else { return };
        if name.is_empty() || !FOREIGN.iter().any(|&code| row.findings.contains(code)) {
            return;
        }
        if let Some(cloned) = self.names.get_mut(name) {
            return cloned.add(ip);
        }
        if self.names.len() >= 2 * self.most {
            self.drop_smaller();
        }
        self.names.entry(name.to_owned()).or_default().add(ip);
    }

    fn drop_smaller(&mut self) {
        let mut counts: Vec<u64> = self.names.values().map(|cloned| cloned.records).collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let least = counts.get(self.most).copied().unwrap_or(0);
        self.names.retain(|_, cloned| cloned.records > least);
    }

    /// The names at [`MANY`] addresses or more, each with its records, the most frequent first; equal ones by
    /// name.
    pub fn listed(&self) -> Vec<(&str, u64)> {
        let many = self.names.iter().filter(|(_, cloned)| cloned.addresses.count() >= MANY);
        let mut listed: Vec<_> = many.map(|(name, cloned)| (name.as_str(), cloned.records)).collect();
        listed.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        listed
    }
}

impl Cloned {
    fn add(&mut self, ip: std::net::IpAddr) {
        self.addresses.add(ip);
        self.records += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use crate::judge::{Code, Severity, Verdict};

    fn named(last: u8, name: &str, code: Code) -> Row<'static> {
        let findings = std::iter::once(code).collect();
        let row = row([192, 0, 2, last], Verdict::NoName, Severity::Medium);
        Row { banner_name: Some(name.to_owned().into()), findings, ..row }
    }

    #[test]
    fn a_name_is_cloned_at_three_addresses_and_no_fewer() {
        let mut clones = Clones::new(100);
        for last in 1..=3 {
            clones.add(&named(last, "localhost", Code::BannerDefault));
            clones.add(&named(last, "mail.example.org", Code::PtrGeneric));
            // Twice at one address, as with two ports.
            clones.add(&named(last.min(2), "ex01.corp.local", Code::BannerPrivateName));
        }
        clones.add(&named(4, "localhost", Code::BannerDefault));
        assert_eq!(clones.listed(), [("localhost", 4)]);
    }

    #[test]
    fn names_are_bounded_and_the_frequent_ones_stay() {
        let mut clones = Clones::new(8);
        for last in 0..=255 {
            clones.add(&named(last, "localhost", Code::BannerDefault));
            clones.add(&named(last, &format!("host{last}"), Code::BannerUnqualified));
            assert!(clones.names.len() <= 16);
        }
        assert_eq!(clones.listed(), [("localhost", 256)]);
    }
}
