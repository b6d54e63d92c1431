//! By what records are grouped, as the words of `--group-by` say it, and the groups that come of it.

use std::fmt;
use std::sync::Arc;

use super::groups::{Groups, Listing, OTHER};
use crate::judge::{Code, Severity, Tenancy, Verdict};
use crate::name::registrable;
use crate::prefix::{GROUP_V4, GROUP_V6, Prefix};
use crate::record::row::{PtrNames, Row};

/// What the records of a group have in common. A record that has none of it is in no group of that kind; one
/// with several (findings, PTR domains) is in each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The network of the address: a prefix of so many bits in IPv4 and in IPv6.
    Prefix(u8, u8),
    /// The autonomous system.
    Asn,
    /// The registrable domain of the banner's name.
    Domain,
    /// The registrable domain of a PTR name.
    PtrDomain,
    /// The platform.
    Platform,
    /// The banner's name.
    BannerName,
    /// A column of the target list.
    Tag(Arc<str>),
    /// The outcome.
    Outcome,
    /// The verdict.
    Verdict,
    /// The highest severity of the findings.
    Severity,
    /// A finding.
    Finding,
    /// Whose address it is.
    Tenancy,
}

/// A word that names no kind of groups.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KindError {
    /// No such kind.
    #[error(
        "`{0}` is nothing to group by; there are `prefix`, `prefix:16`, `asn`, `domain`, `ptr_domain`, `platform`, \
         `banner_name`, `tag:NAME`, `outcome`, `verdict`, `severity`, `finding` and `tenancy`"
    )]
    Unknown(String),
    /// A prefix that no address has.
    #[error(
        "`{0}` has no length that prefixes have; write `prefix:16`, or `prefix:16/32` to say that of IPv6, too"
    )]
    Length(String),
    /// A tag without a name.
    #[error("`{0}` names no tag; write `tag:customer` for the column `customer` of the target list")]
    Tag(String),
}

impl Kind {
    /// The networks that are paced as one.
    pub const NETWORK: Self = Self::Prefix(GROUP_V4, GROUP_V6);

    /// The kind a word stands for.
    pub fn parse(word: &str) -> Result<Self, KindError> {
        Ok(match word {
            "prefix" => Self::NETWORK,
            "asn" => Self::Asn,
            "domain" => Self::Domain,
            "ptr_domain" => Self::PtrDomain,
            "platform" => Self::Platform,
            "banner_name" => Self::BannerName,
            "outcome" => Self::Outcome,
            "verdict" => Self::Verdict,
            "severity" => Self::Severity,
            "finding" => Self::Finding,
            "tenancy" => Self::Tenancy,
            _ => match word.split_once(':') {
                Some(("prefix", lengths)) => {
                    lengths_of(lengths).ok_or_else(|| KindError::Length(word.to_owned()))?
                }
                Some(("tag", "")) => return Err(KindError::Tag(word.to_owned())),
                Some(("tag", name)) => Self::Tag(name.into()),
                _ => return Err(KindError::Unknown(word.to_owned())),
            },
        })
    }

    /// Hands each key of a row to `each`, as text.
    pub fn keys(&self, row: &Row<'_>, mut each: impl FnMut(&str)) {
        match self {
            Self::Prefix(v4, v6) => {
                if let Some(prefix) = prefix_of(row, *v4, *v6) {
                    each(&prefix.to_string());
                }
            }
            Self::Asn => {
                if let Some(asn) = row.asn {
                    each(&format!("AS{asn}"));
                }
            }
            _ => self.texts(row, each),
        }
    }

    /// The same for kinds whose keys are texts.
    fn texts(&self, row: &Row<'_>, mut each: impl FnMut(&str)) {
        let other = |field| row.odd.is_in(field).then_some(OTHER);
        match self {
            Self::Prefix(..) | Self::Asn => {}
            Self::Domain => row.banner_name.as_deref().and_then(registrable).into_iter().for_each(each),
            Self::PtrDomain => ptr_domains(row, each),
            Self::Platform => row.platform.as_deref().into_iter().for_each(each),
            Self::BannerName => {
                row.banner_name.as_deref().filter(|name| !name.is_empty()).into_iter().for_each(each);
            }
            Self::Tag(name) => row.tags.get(name).into_iter().for_each(each),
            Self::Outcome => each(row.outcome.as_str()),
            Self::Verdict => row.verdict.map(Verdict::as_str).or(other("verdict")).into_iter().for_each(each),
            Self::Severity => {
                row.severity.map(Severity::as_str).or(other("severity")).into_iter().for_each(each);
            }
            Self::Finding => row.findings.iter().map(Code::as_str).chain(other("findings")).for_each(each),
            Self::Tenancy => each(other("tenancy").unwrap_or(Tenancy::as_str(row.tenancy))),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(GROUP_V4, GROUP_V6) => f.write_str("prefix"),
            Self::Prefix(v4, GROUP_V6) => write!(f, "prefix:{v4}"),
            Self::Prefix(v4, v6) => write!(f, "prefix:{v4}/{v6}"),
            Self::Asn => f.write_str("asn"),
            Self::Domain => f.write_str("domain"),
            Self::PtrDomain => f.write_str("ptr_domain"),
            Self::Platform => f.write_str("platform"),
            Self::BannerName => f.write_str("banner_name"),
            Self::Tag(name) => write!(f, "tag:{name}"),
            Self::Outcome => f.write_str("outcome"),
            Self::Verdict => f.write_str("verdict"),
            Self::Severity => f.write_str("severity"),
            Self::Finding => f.write_str("finding"),
            Self::Tenancy => f.write_str("tenancy"),
        }
    }
}

fn lengths_of(text: &str) -> Option<Kind> {
    let length = |text: &str, most: u8| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|&length: &u8| plain && length <= most)
    };
    let (v4, v6) = match text.split_once('/') {
        Some((v4, v6)) => (v4, length(v6, 128)?),
        None => (text, GROUP_V6),
    };
    Some(Kind::Prefix(length(v4, 32)?, v6))
}

fn prefix_of(row: &Row<'_>, v4: u8, v6: u8) -> Option<Prefix> {
    row.ip.map(|ip| Prefix::of(ip, if ip.is_ipv4() { v4 } else { v6 }))
}

/// The registrable domain of each PTR name, once each. What is not written as host names are has none.
pub(super) fn ptr_domains(row: &Row<'_>, mut each: impl FnMut(&str)) {
    match &row.ptr_names {
        PtrNames::Wire([]) => {}
        PtrNames::Text(names) if names.len() <= 1 => {
            names.iter().filter_map(|name| domain_of(name)).for_each(each);
        }
        PtrNames::Wire([name]) => domain_of(&name.name.to_string()).into_iter().for_each(each),
        names => {
            let names = names.to_strings();
            let mut domains: Vec<&str> = names.iter().filter_map(|name| domain_of(name)).collect();
            domains.sort_unstable();
            domains.dedup();
            domains.into_iter().for_each(&mut each);
        }
    }
}

fn domain_of(name: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    registrable(name).filter(|domain| {
        name.bytes().all(plain) && !domain.as_bytes().split(|&b| b == b'.').any(<[u8]>::is_empty)
    })
}

/// Groups of a kind that was asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The kind.
    pub kind: Kind,
    groups: Keyed,
}

#[derive(Debug, Clone)]
enum Keyed {
    Prefixes(Groups<Prefix>),
    Texts(Groups<String>),
}

impl Asked {
    pub(super) fn new(kind: Kind, most: usize) -> Self {
        let groups = match kind {
            Kind::Prefix(..) => Keyed::Prefixes(Groups::new(most)),
            _ => Keyed::Texts(Groups::new(most)),
        };
        Self { kind, groups }
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        match (&mut self.groups, &self.kind) {
            (Keyed::Prefixes(groups), Kind::Prefix(v4, v6)) => {
                if let Some(prefix) = prefix_of(row, *v4, *v6) {
                    groups.add(&prefix, row);
                }
            }
            (Keyed::Texts(groups), kind) => kind.texts(row, |text| groups.add(text, row)),
            (Keyed::Prefixes(_), _) => {}
        }
    }

    pub(super) fn listing(&self) -> &dyn Listing {
        match &self.groups {
            Keyed::Prefixes(groups) => groups,
            Keyed::Texts(groups) => groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use crate::record::row::Tags;

    #[test]
    fn every_word_comes_back() {
        for word in [
            "prefix",
            "prefix:16",
            "prefix:0",
            "prefix:32",
            "prefix:16/32",
            "prefix:24/64",
            "asn",
            "domain",
            "ptr_domain",
            "platform",
            "banner_name",
            "tag:customer",
            "tag:a:b",
            "outcome",
            "verdict",
            "severity",
            "finding",
            "tenancy",
        ] {
            assert_eq!(Kind::parse(word).map(|kind| kind.to_string()), Ok(word.to_owned()));
        }
        assert_eq!(Kind::parse("prefix:24/48"), Ok(Kind::NETWORK));
    }

    #[test]
    fn other_words_are_refused_with_what_to_write() {
        for (word, told) in [
            ("", "is nothing to group by"),
            ("Prefix", "is nothing to group by"),
            ("customer", "is nothing to group by"),
            ("asn:1", "is nothing to group by"),
            ("prefix:", "has no length"),
            ("prefix:33", "has no length"),
            ("prefix:+8", "has no length"),
            ("prefix:16/", "has no length"),
            ("prefix:16/129", "has no length"),
            ("prefix:/48", "has no length"),
            ("tag:", "names no tag"),
        ] {
            let wrong = Kind::parse(word).unwrap_err().to_string();
            assert!(wrong.starts_with(&format!("`{word}` {told}")), "{wrong}");
        }
    }

    #[test]
    fn a_row_has_its_keys_and_none_of_what_it_lacks() {
        let whole = Row {
            ptr_names: PtrNames::Text(
                ["a.example.org", "b.example.org", "c.example.net", "localhost"].map(Into::into).to_vec(),
            ),
            tags: Tags::Text(vec![("customer".into(), "C-17".into()), ("empty".into(), "".into())]),
            unresolved: None,
            ..row([192, 0, 2, 1], Verdict::NoPtr, Severity::High)
        };
        let bare = Row {
            ip: None,
            verdict: None,
            severity: None,
            findings: std::iter::empty().collect(),
            banner_name: None,
            platform: None,
            asn: None,
            ..row([0; 4], Verdict::Match, Severity::None)
        };
        for (word, keys) in [
            ("prefix", &["192.0.2.0/24"][..]),
            ("prefix:16", &["192.0.0.0/16"]),
            ("asn", &["AS64500"]),
            ("domain", &["example.org"]),
            ("ptr_domain", &["example.net", "example.org"]),
            ("platform", &["postfix"]),
            ("banner_name", &["mail.example.org"]),
            ("tag:customer", &["C-17"]),
            ("tag:empty", &[]),
            ("tag:site", &[]),
            ("verdict", &["no_ptr"]),
            ("severity", &["high"]),
            ("finding", &["ptr_missing"]),
        ] {
            let kind = Kind::parse(word).unwrap();
            let of = |row: &Row<'_>| {
                let mut keys = Vec::new();
                kind.keys(row, |key| keys.push(key.to_owned()));
                keys
            };
            assert_eq!(of(&whole), keys, "{word}");
            assert_eq!(of(&bare), [""; 0], "{word}");
        }
        for (word, key) in [("outcome", "greeted"), ("tenancy", "unknown")] {
            Kind::parse(word).unwrap().keys(&bare, |found| assert_eq!(found, key));
        }
    }
}
