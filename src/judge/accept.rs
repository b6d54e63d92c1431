//! Findings that the user accepts, for a reason and for a time: which of a host's findings they are. Reads no
//! file and no clock. What is accepted stays in the record; it only no longer weighs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::finding::{Code, Finding};
use super::verdict::Severity;
use crate::name::HostName;
use crate::prefix::Prefix;

/// One of a host's findings that the user accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Which.
    pub code: Code,
    /// Why.
    pub reason: Arc<str>,
    /// The last day on which it is accepted, as `2026-12-31`.
    pub until: Arc<str>,
}

/// Names that an acceptance is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// One name.
    One(String),
    /// All below a domain, with the dot in front.
    Below(String),
}

impl Names {
    /// Reads `mail.example.org` or `*.example.org`.
    pub fn parse(text: &str) -> Self {
        let normal = |text: &str| match HostName::parse(text) {
            Ok(name) => name.as_str().to_owned(),
            // What is no host name can stand in a greeting all the same.
            Err(_) => text.trim_end_matches('.').to_ascii_lowercase(),
        };
        match text.strip_prefix("*.") {
            Some(domain) => Self::Below(format!(".{}", normal(domain))),
            None => Self::One(normal(text)),
        }
    }

    fn hold(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Below(domain) => name.len() > domain.len() && name.ends_with(domain.as_str()),
        }
    }
}

/// Which findings on which hosts are accepted; what is not said does not narrow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The finding.
    pub code: Code,
    /// Hosts with an address in it.
    pub network: Option<Prefix>,
    /// Hosts whose banner or PTR name is one of these.
    pub names: Option<Names>,
    /// Hosts with all of these tags.
    pub tags: Vec<(String, String)>,
    /// Why.
    pub reason: Arc<str>,
    /// The last day, as `2026-12-31`.
    pub until: Arc<str>,
    /// The moment from which it accepts nothing: the end of that day, UTC.
    pub ends: SystemTime,
}

/// A host, as acceptances speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Its address.
    pub ip: Option<IpAddr>,
    /// Its PTR names and the name in its greeting.
    pub names: Vec<String>,
    /// What the target list says further.
    pub tags: &'a [(Arc<str>, String)],
}

impl Acceptance {
    /// Whether it accepts nothing any more.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        now >= self.ends
    }

    fn covers(&self, host: &Subject<'_>) -> bool {
        let has_tag = |(name, value): &(String, String)| {
            host.tags.iter().any(|(tag, held)| **tag == **name && held == value)
        };
        self.network.is_none_or(|network| host.ip.is_some_and(|ip| network.contains(ip)))
            && self.names.as_ref().is_none_or(|names| host.names.iter().any(|name| names.hold(name)))
            && self.tags.iter().all(has_tag)
    }
}

/// All that is accepted, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acceptances(Vec<Acceptance>);

impl Acceptances {
    /// These.
    pub fn new(acceptances: Vec<Acceptance>) -> Self {
        Self(acceptances)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Acceptance> {
        self.0.iter()
    }

    /// Those of a host's findings that are accepted now, by the first that covers it. `subject` is only asked
    /// for where it matters.
    pub(super) fn accepted<'s>(
        &self,
        findings: &[Finding],
        now: SystemTime,
        subject: impl Fn() -> Subject<'s>,
    ) -> Vec<Accepted> {
        let of = |code: Code| self.0.iter().filter(move |it| it.code == code && !it.is_expired(now));
        if findings.iter().all(|finding| of(finding.code).next().is_none()) {
            return Vec::new();
        }
        let host = subject();
        let first = |finding: &Finding| of(finding.code).find(|acceptance| acceptance.covers(&host));
        let accepted = findings.iter().filter_map(first).map(|acceptance| Accepted {
            code: acceptance.code,
            reason: Arc::clone(&acceptance.reason),
            until: Arc::clone(&acceptance.until),
        });
        accepted.collect()
    }
}

/// The highest severity of the findings that are not accepted, `Severity::None` without any.
pub(super) fn highest(findings: &[Finding], accepted: &[Accepted]) -> Severity {
    let counts = |finding: &&Finding| accepted.iter().all(|accepted| accepted.code != finding.code);
    findings.iter().filter(counts).map(|finding| finding.severity).max().unwrap_or(Severity::None)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::evidence::Evidence;
    use crate::judge::fixture::host;
    use crate::judge::{Context, Judgement, Severity, judge_in};
    use crate::targets::Inventory;

    const END: Duration = Duration::from_secs(1_000_000);

    fn acceptance(code: Code) -> Acceptance {
        Acceptance {
            code,
            network: None,
            names: None,
            tags: Vec::new(),
            reason: "the provider sets no PTR".into(),
            until: "1970-01-12".into(),
            ends: SystemTime::UNIX_EPOCH + END,
        }
    }

    fn judged(evidence: &Evidence, acceptances: Vec<Acceptance>, after: Duration) -> Judgement {
        let acceptances = Acceptances::new(acceptances);
        let accepts = Some((&acceptances, SystemTime::UNIX_EPOCH + after));
        let tags = vec![("customer".into(), "C-17".to_owned())];
        let inventory = Inventory { tags, ..Inventory::default() };
        judge_in(&Context { accepts, ..Context::default() }, evidence, &inventory)
    }

    /// A host with `ptr_generic` (low) and `banner_unqualified`, `banner_default` (medium).
    fn unfinished() -> Evidence {
        host("220 localhost ESMTP", "static-192-0-2-1.kestrel.example=here", "not_asked")
    }

    #[test]
    fn what_is_accepted_stays_and_no_longer_weighs() {
        use Code::{BannerDefault, BannerUnqualified, PtrGeneric, PtrMissing};
        for (codes, accepted, severity) in [
            (&[PtrGeneric][..], 1, Severity::Medium),
            (&[BannerUnqualified, BannerDefault], 2, Severity::Low),
            (&[BannerUnqualified, BannerDefault, PtrGeneric], 3, Severity::None),
            (&[PtrMissing], 0, Severity::Medium),
            (&[], 0, Severity::Medium),
        ] {
            let all = codes.iter().map(|&code| acceptance(code)).collect();
            let judgement = judged(&unfinished(), all, Duration::ZERO);
            assert_eq!(judgement.findings.len(), 3);
            assert_eq!(
                (judgement.accepted.len(), judgement.severity),
                (accepted, Some(severity)),
                "{codes:?}"
            );
        }
    }

    #[test]
    fn an_acceptance_ends_with_its_day() {
        for (after, accepted) in
            [(Duration::ZERO, 1), (END.saturating_sub(Duration::from_nanos(1)), 1), (END, 0), (END * 2, 0)]
        {
            let judgement = judged(&unfinished(), vec![acceptance(Code::PtrGeneric)], after);
            assert_eq!(judgement.accepted.len(), accepted, "{after:?}");
        }
    }

    #[test]
    fn an_acceptance_is_for_the_hosts_that_it_names() {
        let network =
            |text: &str| Acceptance { network: Prefix::parse(text).ok(), ..acceptance(Code::PtrGeneric) };
        let name =
            |text: &str| Acceptance { names: Some(Names::parse(text)), ..acceptance(Code::PtrGeneric) };
        let tag = |name: &str, value: &str| Acceptance {
            tags: vec![(name.to_owned(), value.to_owned())],
            ..acceptance(Code::PtrGeneric)
        };
        for (acceptance, covers) in [
            (network("192.0.2.0/24"), true),
            (network("192.0.2.1/32"), true),
            (network("198.51.100.0/24"), false),
            (name("static-192-0-2-1.kestrel.example"), true),
            (name("Static-192-0-2-1.KESTREL.example."), true),
            (name("localhost"), true),
            (name("*.kestrel.example"), true),
            (name("*.trel.example"), false),
            (name("*.static-192-0-2-1.kestrel.example"), false),
            (name("kestrel.example"), false),
            (tag("customer", "C-17"), true),
            (tag("customer", "C-1"), false),
            (tag("Customer", "C-17"), false),
            (Acceptance { network: Prefix::parse("198.51.100.0/24").ok(), ..tag("customer", "C-17") }, false),
        ] {
            let shown = format!("{acceptance:?}");
            let judgement = judged(&unfinished(), vec![acceptance], Duration::ZERO);
            assert_eq!(!judgement.accepted.is_empty(), covers, "{shown}");
        }
        let nowhere = Evidence { ip: None, ..unfinished() };
        let judgement = judged(&nowhere, vec![network("0.0.0.0/0")], Duration::ZERO);
        assert!(judgement.accepted.is_empty());
    }
}
