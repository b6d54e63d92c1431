//! A scan in numbers, counted record by record in bounded memory.
//!
//! A [`Summary`] is fed rows and holds counts only; [`json`] and [`text`] show it. Groups (networks, systems,
//! domains, platforms, names, and what was asked for) are exact up to [`MAX_GROUPS`] keys of a kind. When
//! twice as many have been seen, the smaller half is summed up under no key, so that the large ones stay: a
//! key that comes back later starts anew, and what was summed up of it is missing from its group.

pub mod clones;
pub mod coverage;
pub mod csv;
pub mod detail;
pub mod groups;
pub mod hosts;
pub mod json;
pub mod kind;
pub mod markdown;
pub mod prometheus;
pub mod text;
pub mod top;
pub mod view;
pub mod what_if;

pub use coverage::{Basis, Coverage, Ended, Mark};
pub use detail::Detail;
pub use groups::{Counts, Groups, Key, Listed, Listing, Tally};
pub use hosts::Hosts;
pub use kind::{Kind, KindError};
pub use top::{Top, TopError};
pub use view::{View, ViewError};

use std::collections::HashMap;

use crate::evidence::Outcome;
use crate::judge::cause::Fixer;
use crate::judge::{Code, Severity, Verdict};
use crate::name::registrable;
use crate::prefix::Prefix;
use crate::record::row::Row;
use clones::Clones;
use what_if::WhatIf;

/// How many keys of one kind keep their own count: twice as many stand in memory at most, some 20 MiB
/// for each kind, and more than a report shows.
pub const MAX_GROUPS: usize = 1 << 16;

/// The kinds of groups that are always counted, in the order of [`Summary::usual`].
const USUAL: [Kind; 6] =
    [Kind::NETWORK, Kind::Asn, Kind::Domain, Kind::PtrDomain, Kind::Platform, Kind::BannerName];

/// How a mail server stands: what is fine and what is not known are two things.
pub const STANDINGS: [&str; 3] = ["in_trouble", "fine", "not_known"];

/// Who has to act where something of weight is wrong.
pub const FIXERS: [&str; 4] = ["provider", "customer", "both", "nobody"];

/// The counts of a closed set of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakdown {
    /// What the words say: `outcome`, `verdict`, `severity`, `finding`, `accepted`, `what_if`, `standing`,
    /// `fixer`.
    pub kind: &'static str,
    /// How many records could have counted.
    pub of: u64,
    /// All words in the order of the documentation, each with its records; `other` behind them if there are
    /// words that this version does not know.
    pub counts: Vec<(&'static str, u64)>,
}

impl Breakdown {
    /// The words that were met, the most frequent first.
    pub fn met(&self) -> Vec<(&'static str, u64)> {
        let mut met: Vec<_> = self.counts.iter().copied().filter(|&(_, count)| count > 0).collect();
        met.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        met
    }
}

/// The numbers of a scan.
#[derive(Debug, Clone)]
pub struct Summary {
    /// All records.
    pub all: Tally,
    /// The hosts that they are of.
    pub hosts: Hosts,
    /// By outcome, as [`Outcome::ALL`] has them.
    pub outcomes: Counts<{ Outcome::ALL.len() }>,
    /// By finding, as [`Code::ALL`] has them; a record counts under each of its findings that is not
    /// accepted.
    pub findings: Counts<{ Code::ALL.len() }>,
    /// By accepted finding.
    pub accepted: Counts<{ Code::ALL.len() }>,
    /// By what would clear them.
    pub what_if: WhatIf,
    /// Records with a finding of weight, by who has to act, as [`FIXERS`] has them.
    pub fixers: Counts<{ FIXERS.len() }>,
    /// Default and foreign names that many addresses share.
    pub clones: Clones,
    /// By /24 or /48.
    pub prefixes: Groups<Prefix>,
    /// By autonomous system.
    pub systems: Groups<u32>,
    /// By registrable domain of the banner's name.
    pub domains: Groups<String>,
    /// By registrable domain of a PTR name; a record with PTR names in several domains counts in each.
    pub ptr_domains: Groups<String>,
    /// By platform.
    pub platforms: Groups<String>,
    /// By the banner's name.
    pub banner_names: Groups<String>,
    /// Single hosts, where a page is to show them.
    pub detail: Option<Detail>,
    /// How many of the worst groups of a kind are shown; where `None`, each view shows as many as suit it.
    pub top: Option<Top>,
    /// Files that were not there as a whole, each with what is wrong with it.
    pub incomplete: Vec<(String, &'static str)>,
    /// What the manifests of files warn of, each with the file.
    pub warnings: Vec<(String, String)>,
    /// Data from elsewhere that stands in the records: whose, of when, under which licence; a line each.
    pub sources: Vec<String>,
    chosen: Vec<Kind>,
    more: Vec<kind::Asked>,
    reach: coverage::Reach,
    as_names: HashMap<u32, String>,
}

/// Groups of one kind, whatever their keys are.
#[derive(Clone, Copy)]
pub struct Grouping<'a> {
    /// The kind.
    pub kind: &'a Kind,
    /// The groups.
    pub groups: &'a dyn Listing,
}

impl Default for Summary {
    fn default() -> Self {
        Self::with_groups(MAX_GROUPS)
    }
}

impl Summary {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing counted yet; at least `most` keys of a kind will keep their own count.
    pub fn with_groups(most: usize) -> Self {
        Self::grouped(most, Vec::new())
    }

    /// The same, with groups of these kinds beside the usual ones.
    pub fn grouped(most: usize, chosen: Vec<Kind>) -> Self {
        let more = chosen.iter().filter(|kind| !USUAL.contains(kind)).cloned();
        Self {
            more: more.map(|kind| kind::Asked::new(kind, most)).collect(),
            chosen,
            top: None,
            incomplete: Vec::new(),
            warnings: Vec::new(),
            sources: Vec::new(),
            reach: coverage::Reach::default(),
            ptr_domains: Groups::new(most),
            all: Tally::default(),
            hosts: Hosts::default(),
            outcomes: Counts::default(),
            findings: Counts::default(),
            accepted: Counts::default(),
            what_if: WhatIf::default(),
            fixers: Counts::default(),
            clones: Clones::new(most),
            prefixes: Groups::new(most),
            systems: Groups::new(most),
            domains: Groups::new(most),
            platforms: Groups::new(most),
            banner_names: Groups::new(most),
            detail: None,
            as_names: HashMap::new(),
        }
    }

    /// The same, with single hosts for a page.
    #[must_use]
    pub fn detailed(self) -> Self {
        Self { detail: Some(Detail::default()), ..self }
    }

    /// Counts one record.
    pub fn add(&mut self, row: &Row<'_>) {
        self.all.add(row);
        self.hosts.add(row);
        if let Some(detail) = &mut self.detail {
            detail.add(row);
        }
        self.outcomes.add(row.outcome as usize);
        row.findings.without(row.accepted).iter().for_each(|code| self.findings.add(code as usize));
        row.accepted.iter().for_each(|code| self.accepted.add(code as usize));
        for (field, counts) in [("findings", &mut self.findings), ("accepted", &mut self.accepted)] {
            if row.odd.is_in(field) {
                counts.add_other();
            }
        }
        self.what_if.add(row);
        if let Some(fixers) = detail::who_has_to_act(row) {
            self.fixers.add(fixer_word(&fixers));
        }
        self.clones.add(row);
        if let Some(prefix) = row.prefix() {
            self.prefixes.add(&prefix, row);
        }
        if let Some(asn) = row.asn {
            self.systems.add(&asn, row);
            if let Some(name) = row.as_name.as_deref()
                && !self.as_names.contains_key(&asn)
                && self.as_names.len() < 2 * MAX_GROUPS
            {
                self.as_names.insert(asn, name.to_owned());
            }
        }
        if let Some(name) = row.banner_name.as_deref().filter(|name| !name.is_empty()) {
            self.banner_names.add(name, row);
            if let Some(domain) = registrable(name) {
                self.domains.add(domain, row);
            }
        }
        kind::ptr_domains(row, |domain| self.ptr_domains.add(domain, row));
        if let Some(platform) = row.platform.as_deref() {
            self.platforms.add(platform, row);
        }
        self.more.iter_mut().for_each(|asked| asked.add(row));
        self.reach.add(row);
    }

    /// The groups that are always counted.
    pub fn usual(&self) -> [Grouping<'_>; USUAL.len()] {
        let groups: [&dyn Listing; USUAL.len()] = [
            &self.prefixes,
            &self.systems,
            &self.domains,
            &self.ptr_domains,
            &self.platforms,
            &self.banner_names,
        ];
        let mut kinds = USUAL.iter();
        groups.map(|groups| Grouping { kind: kinds.next().unwrap_or(&Kind::NETWORK), groups })
    }

    /// The groups that were asked for, in the order of asking.
    pub fn chosen(&self) -> Vec<Grouping<'_>> {
        let of = |kind: &Kind| {
            let more = || self.more.iter().find(|asked| asked.kind == *kind);
            let usual = self.usual().into_iter().find(|usual| usual.kind == kind);
            usual.or_else(|| more().map(|asked| Grouping { kind: &asked.kind, groups: asked.listing() }))
        };
        self.chosen.iter().filter_map(of).collect()
    }

    /// The usual groups, then those that were asked for beside them.
    pub fn groupings(&self) -> Vec<Grouping<'_>> {
        let more = self.more.iter().map(|asked| Grouping { kind: &asked.kind, groups: asked.listing() });
        self.usual().into_iter().chain(more).collect()
    }

    /// How many of the worst groups of a kind a view shows that shows `usual` of them unless told otherwise.
    pub fn shown(&self, usual: usize) -> usize {
        self.top.map_or(usual, |top| top.0)
    }

    /// How a person reads a key: a system by its number and its holder's name.
    pub fn label(&self, kind: &Kind, key: &Key) -> String {
        match (kind, key) {
            (Kind::Asn, Key::Number(asn)) => match self.as_name(*asn) {
                Some(name) => format!("AS{asn} {name}"),
                None => format!("AS{asn}"),
            },
            _ => key.to_string(),
        }
    }

    /// How many records have an outcome.
    pub fn outcome(&self, outcome: Outcome) -> u64 {
        self.outcomes.at(outcome as usize)
    }

    /// How many records have a finding.
    pub fn finding(&self, code: Code) -> u64 {
        self.findings.at(code as usize)
    }

    /// The counts of the closed sets: outcome, verdict, severity, finding, accepted finding, what one change
    /// would clear.
    pub fn breakdowns(&self) -> [Breakdown; 8] {
        let judged = self.all.verdicts.total();
        let outcomes = Outcome::ALL.map(|it| (it.as_str(), self.outcome(it)));
        let verdicts = Verdict::ALL.map(|it| (it.as_str(), self.all.verdict(it)));
        let severities = Severity::ALL.map(|it| (it.as_str(), self.all.severity(it)));
        let findings = Code::ALL.map(|it| (it.as_str(), self.finding(it)));
        let accepted = Code::ALL.map(|it| (it.as_str(), self.accepted.at(it as usize)));
        let what_if = what_if::WORDS.iter().enumerate().map(|(at, &word)| (word, self.what_if.counts.at(at)));
        let standings = [self.all.in_trouble(), self.all.fine(), self.all.not_known()];
        let standings = STANDINGS.into_iter().zip(standings);
        let fixers = FIXERS.into_iter().enumerate().map(|(at, word)| (word, self.fixers.at(at)));
        let with = |counts: &[(&'static str, u64)], other: u64| {
            let other = Some((groups::OTHER, other)).filter(|&(_, count)| count > 0);
            counts.iter().copied().chain(other).collect()
        };
        let Tally { verdicts: of_verdicts, severities: of_severities, .. } = &self.all;
        [
            Breakdown {
                kind: "outcome",
                of: self.all.records,
                counts: with(&outcomes, self.outcomes.other()),
            },
            Breakdown { kind: "verdict", of: judged, counts: with(&verdicts, of_verdicts.other()) },
            Breakdown { kind: "severity", of: judged, counts: with(&severities, of_severities.other()) },
            Breakdown { kind: "finding", of: judged, counts: with(&findings, self.findings.other()) },
            Breakdown { kind: "accepted", of: judged, counts: with(&accepted, self.accepted.other()) },
            Breakdown { kind: "what_if", of: self.what_if.in_trouble, counts: what_if.collect() },
            Breakdown { kind: "standing", of: judged, counts: standings.collect() },
            Breakdown { kind: "fixer", of: self.all.in_trouble(), counts: fixers.collect() },
        ]
    }

    /// Whether all records were counted: no file was half a file, and no scan stopped early that tells of
    /// itself.
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_empty() && self.coverage().stopped == 0
    }

    /// The holder of an autonomous system, as a record named it.
    pub fn as_name(&self, asn: u32) -> Option<&str> {
        self.as_names.get(&asn).map(String::as_str)
    }
}

/// The place of a host in [`FIXERS`].
fn fixer_word(fixers: &[Fixer]) -> usize {
    match (fixers.contains(&Fixer::Provider), fixers.contains(&Fixer::Customer)) {
        (true, false) => 0,
        (false, true) => 1,
        (true, true) => 2,
        (false, false) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Tenancy;
    use crate::record::row::{Codes, PtrNames, Tags};
    use proptest::prelude::*;
    use std::net::IpAddr;
    use std::time::SystemTime;

    pub(super) fn row(ip: [u8; 4], verdict: Verdict, severity: Severity) -> Row<'static> {
        Row {
            time: SystemTime::UNIX_EPOCH,
            ip: Some(IpAddr::from(ip)),
            port: 25,
            asked: "192.0.2.0/24".into(),
            outcome: Outcome::Greeted,
            verdict: Some(verdict),
            severity: Some(severity),
            findings: std::iter::once(Code::PtrMissing).filter(|_| verdict == Verdict::NoPtr).collect(),
            banner_name: Some("mail.example.org".into()),
            ptr_status: None,
            ptr_names: PtrNames::Wire(&[]),
            fcrdns: None,
            platform: Some("postfix".into()),
            tenancy: Tenancy::Unknown,
            asn: Some(64500),
            as_name: Some("EXAMPLE".into()),
            accepted: Codes::default(),
            clears_by: None,
            fix: Vec::new(),
            expected_name: None,
            tags: Tags::Text(Vec::new()),
            unresolved: None,
            odd: crate::record::foreign::Oddities::default(),
        }
    }

    #[test]
    fn a_value_counts_at_its_place_in_its_list() {
        let places = |at: Vec<usize>| assert!(at.iter().copied().eq(0..at.len()));
        places(Outcome::ALL.iter().map(|&it| it as usize).collect());
        places(Verdict::ALL.iter().map(|&it| it as usize).collect());
        places(Severity::ALL.iter().map(|&it| it as usize).collect());
        places(Code::ALL.iter().map(|&it| it as usize).collect());
    }

    #[test]
    fn every_record_counts_once_in_each_kind() {
        let mut summary = Summary::new();
        summary.add(&row([192, 0, 2, 1], Verdict::Match, Severity::None));
        summary.add(&row([192, 0, 2, 2], Verdict::NoPtr, Severity::High));
        summary.add(&row([198, 51, 100, 1], Verdict::NoPtr, Severity::High));
        let silent = Row {
            outcome: Outcome::Silent,
            verdict: None,
            severity: None,
            banner_name: None,
            platform: None,
            asn: None,
            ..row([192, 0, 2, 3], Verdict::Match, Severity::None)
        };
        summary.add(&silent);
        summary.add(&Row { ip: None, outcome: Outcome::Unresolved, ..silent });

        assert_eq!(summary.all.records, 5);
        assert_eq!((summary.outcome(Outcome::Greeted), summary.outcome(Outcome::Unresolved)), (3, 1));
        assert_eq!((summary.all.verdict(Verdict::NoPtr), summary.all.verdicts.total()), (2, 3));
        assert_eq!((summary.all.severity(Severity::High), summary.all.severities.total()), (2, 3));
        assert_eq!(summary.finding(Code::PtrMissing), 2);
        let prefixes: Vec<_> =
            summary.prefixes.largest().iter().map(|(key, tally)| (key.to_string(), tally.records)).collect();
        assert_eq!(prefixes, [("192.0.2.0/24".to_owned(), 3), ("198.51.100.0/24".to_owned(), 1)]);
        assert_eq!(summary.domains.largest()[0].0, "example.org");
        assert_eq!(summary.as_name(64500), Some("EXAMPLE"));
    }

    #[test]
    fn the_worst_come_first_and_the_sound_not_at_all() {
        let mut summary = Summary::new();
        for (third, severity, times) in [
            (1, Severity::None, 50),
            (2, Severity::Low, 20),
            (3, Severity::High, 1),
            (4, Severity::Medium, 9),
            (5, Severity::High, 2),
        ] {
            for last in 0..times {
                summary.add(&row([192, 0, third, last], Verdict::Match, severity));
            }
        }
        let worst: Vec<String> = summary.prefixes.worst().iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(worst, ["192.0.5.0/24", "192.0.3.0/24", "192.0.4.0/24", "192.0.2.0/24"]);
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn groups_are_bounded_and_no_record_is_lost(keys in proptest::collection::vec(0..60u8, 0..400)) {
            let mut summary = Summary::with_groups(8);
            for &key in &keys {
                summary.add(&row([192, 0, key, 1], Verdict::Match, Severity::None));
            }
            let groups = summary.prefixes.largest();
            prop_assert!(groups.len() < 16);
            let kept: u64 = groups.iter().map(|(_, tally)| tally.records).sum();
            prop_assert_eq!(kept + summary.prefixes.others.records, keys.len() as u64);
        }

        #[test]
        fn a_group_larger_than_all_others_together_stays(others in proptest::collection::vec(1..60u8, 0..200)) {
            let mut summary = Summary::with_groups(4);
            for &key in &others {
                summary.add(&row([192, 0, key, 1], Verdict::Match, Severity::None));
                summary.add(&row([192, 0, 0, 1], Verdict::Match, Severity::None));
                summary.add(&row([192, 0, 0, 2], Verdict::Match, Severity::None));
            }
            if let Some((_, tally)) = summary.prefixes.largest().first() {
                prop_assert_eq!(tally.records, 2 * others.len() as u64);
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_fine() {
        let mut summary = Summary::new();
        summary.add(&row([192, 0, 2, 1], Verdict::Match, Severity::None));
        summary.add(&row([192, 0, 2, 2], Verdict::Undetermined, Severity::Info));
        summary.add(&row([192, 0, 2, 3], Verdict::Undetermined, Severity::Medium));
        summary.add(&row([192, 0, 2, 4], Verdict::NoPtr, Severity::High));
        let all = &summary.all;
        assert_eq!((all.in_trouble(), all.fine(), all.not_known()), (2, 1, 1));
        let standing = summary.breakdowns().into_iter().find(|it| it.kind == "standing").unwrap();
        assert_eq!(standing.counts, [("in_trouble", 2), ("fine", 1), ("not_known", 1)]);
        let mut json = Vec::new();
        View::Json.write(&summary, &mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["by_standing"], serde_json::json!({ "in_trouble": 2, "fine": 1, "not_known": 1 }));
        let mut metrics = Vec::new();
        View::Prometheus.write(&summary, &mut metrics).unwrap();
        let metrics = String::from_utf8(metrics).unwrap();
        assert!(metrics.contains("banneret_standing_records{standing=\"not_known\"} 1\n"), "{metrics}");
    }

    #[test]
    fn who_has_to_act_is_told_by_the_changes_or_else_by_the_findings() {
        use crate::judge::remedy::Change;
        let mut summary = Summary::new();
        for (last, codes, changes) in [
            (1, &[Code::PtrMalformed][..], &[][..]),
            (2, &[Code::PtrUnconfirmed, Code::StalePtr], &["forward=mail.example.org"]),
            (3, &[Code::PtrMissing], &["forward=a.example.org", "ptr=a.example.org"]),
        ] {
            let findings = codes.iter().copied().collect();
            let fix = changes.iter().map(|word| Change::parse(word).unwrap()).collect();
            summary.add(&Row {
                findings,
                fix,
                ..row([192, 0, 2, last], Verdict::Unconfirmed, Severity::High)
            });
        }
        let fixer = summary.breakdowns().into_iter().find(|it| it.kind == "fixer").unwrap();
        assert_eq!(fixer.counts, [("provider", 1), ("customer", 1), ("both", 1), ("nobody", 0)]);
    }
}
