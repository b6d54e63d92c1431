//! The hosts with something to fix, the worst of them in bounded memory.

use std::cmp::Reverse;
use std::net::IpAddr;

use crate::judge::cause::Fixer;
use crate::judge::fix::{HostFix, fixers};
use crate::judge::remedy::Change;
use crate::judge::what_if::WEIGHT;
use crate::judge::{Severity, Tenancy};
use crate::prefix::Prefix;
use crate::record::row::{Codes, Row};

/// How many hosts are kept: twice as many stand in memory at most, some 40 MB with names of usual length.
pub const MOST: usize = 1 << 16;
/// PTR names kept of a host; further ones help nobody to find it.
const NAMES: usize = 4;

/// One host with something to fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenHost {
    /// The address.
    pub ip: IpAddr,
    /// The TCP port.
    pub port: u16,
    /// The highest weight among its findings.
    pub severity: Severity,
    /// Its findings that weigh at least low.
    pub findings: Codes,
    /// Whose address it is.
    pub tenancy: Tenancy,
    /// The name in the greeting.
    pub banner_name: Option<Box<str>>,
    /// The first PTR names.
    pub ptr_names: Box<[String]>,
    /// The platform's name.
    pub platform: Option<Box<str>>,
    /// The number of the autonomous system.
    pub asn: Option<u32>,
    /// The entry that it came from.
    pub asked: Box<str>,
    /// The changes that would clear it, where they are known.
    pub changes: Box<[Change]>,
    /// The name that the user expects.
    pub expected_name: Option<Box<str>>,
    /// What else the user said of it: name and value.
    pub tags: Box<[(Box<str>, Box<str>)]>,
}

/// Findings of weight that are not accepted.
fn open(row: &Row<'_>) -> Codes {
    let open = row.findings.without(row.accepted);
    if open.is_empty() { open } else { open.iter().filter(|&code| row.weight(code) >= WEIGHT).collect() }
}

/// Who has to act on a host; nobody where nothing is to be fixed.
pub(in crate::report::summary) fn who_has_to_act(row: &Row<'_>) -> Option<Vec<Fixer>> {
    let open = open(row);
    (row.ip.is_some() && !open.is_empty()).then(|| fixers(&row.fix, open.iter(), row.tenancy))
}

impl BrokenHost {
    /// What is to be fixed on a host; `None` without an address or without trouble.
    pub fn of(row: &Row<'_>) -> Option<Self> {
        let findings = open(row);
        let (ip, severity) = (row.ip?, findings.iter().map(|code| row.weight(code)).max()?);
        let mut ptr_names = row.ptr_names.to_strings();
        ptr_names.truncate(NAMES);
        Some(Self {
            ip,
            port: row.port,
            severity,
            findings,
            tenancy: row.tenancy,
            banner_name: row.banner_name.as_deref().map(Box::from),
            ptr_names: ptr_names.into_boxed_slice(),
            platform: row.platform.as_deref().map(Box::from),
            asn: row.asn,
            asked: Box::from(&*row.asked),
            changes: row.fix.clone().into(),
            expected_name: row.expected_name.as_deref().map(Box::from),
            tags: row.tags.pairs().map(|(name, value)| (name.into(), value.into())).collect(),
        })
    }

    /// What is to be changed, ready to be rendered.
    pub fn fix(&self) -> HostFix<'_> {
        let (ip, port, tenancy) = (self.ip, self.port, self.tenancy);
        HostFix { ip, port, changes: &self.changes, platform: self.platform.as_deref(), tenancy }
    }

    /// Who has to do it.
    pub fn fixers(&self) -> Vec<Fixer> {
        fixers(&self.changes, self.findings.iter(), self.tenancy)
    }

    /// Its /24 or /48.
    pub fn prefix(&self) -> Prefix {
        Prefix::group(self.ip)
    }
}

/// The hosts with something to fix.
#[derive(Debug, Clone)]
pub struct Fixes {
    kept: Vec<BrokenHost>,
    most: usize,
    /// How many there were, those that are not kept included.
    pub met: u64,
}

impl Default for Fixes {
    fn default() -> Self {
        Self::keeping(MOST)
    }
}

impl Fixes {
    /// None yet; at least the `most` worst will be kept.
    pub fn keeping(most: usize) -> Self {
        Self { kept: Vec::new(), most, met: 0 }
    }

    /// Takes up one record; one with nothing to fix is passed over, as what the user accepts.
    pub fn add(&mut self, row: &Row<'_>) {
        let Some(fix) = BrokenHost::of(row) else { return };
        self.met += 1;
        self.kept.push(fix);
        if self.kept.len() >= 2 * self.most {
            self.drop_lighter();
        }
    }

    /// The worst of them, by network, address and port.
    pub fn sorted(mut self) -> Vec<BrokenHost> {
        self.drop_lighter();
        self.kept.sort_by_key(|fix| (fix.ip, fix.port));
        self.kept
    }

    fn drop_lighter(&mut self) {
        self.kept.sort_by_key(|fix| Reverse(fix.severity));
        self.kept.truncate(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::row;
    use super::*;
    use crate::judge::Code;
    use crate::judge::Verdict;

    #[test]
    fn the_worst_are_kept_and_all_are_counted() {
        let mut fixes = Fixes::keeping(2);
        for (last, code) in [
            (9, Code::BannerAbsent),
            (3, Code::PtrMissing),
            (7, Code::PtrMultiple),
            (1, Code::BannerAbsent),
            (2, Code::PtrMissing),
            (5, Code::BannerAbsent),
        ] {
            let findings = std::iter::once(code).collect();
            fixes.add(&Row { findings, ..row([192, 0, 2, last], Verdict::NoPtr, Severity::High) });
        }
        assert_eq!(fixes.met, 5, "what is only for information is not to be fixed");
        let kept: Vec<String> = fixes.sorted().iter().map(|fix| fix.ip.to_string()).collect();
        assert_eq!(kept, ["192.0.2.2", "192.0.2.3"]);
    }
}
