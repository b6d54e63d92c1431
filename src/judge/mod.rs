//! Evidence → judgement: what the names say of each other, what is wrong, how much it matters. A pure function of
//! evidence and of what the user said of the host, so that old records can be judged again offline.

pub mod finding;

use crate::evidence::Evidence;
use crate::targets::Inventory;

pub use finding::{Code, Finding};

/// One word for each judged record, the worst reverse-DNS trouble first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// DNS gave no definite answer where one is needed.
    Undetermined,
    /// The address has no PTR record.
    NoPtr,
    /// No PTR name resolves back to the address.
    Unconfirmed,
    /// Reverse DNS is sound; the banner holds no usable name.
    NoName,
    /// Reverse DNS is sound; the banner's name shares no registrable domain with it.
    Mismatch,
    /// Reverse DNS is sound; the names differ and share a registrable domain.
    Related,
    /// The banner's name is a forward-confirmed PTR name.
    Match,
}

impl Verdict {
    /// All of them, the worst first.
    pub const ALL: [Self; 7] = [
        Self::Undetermined,
        Self::NoPtr,
        Self::Unconfirmed,
        Self::NoName,
        Self::Mismatch,
        Self::Related,
        Self::Match,
    ];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undetermined => "undetermined",
            Self::NoPtr => "no_ptr",
            Self::Unconfirmed => "unconfirmed",
            Self::NoName => "no_name",
            Self::Mismatch => "mismatch",
            Self::Related => "related",
            Self::Match => "match",
        }
    }
}

/// How near the banner's name is to the nearest PTR name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// The same name.
    Exact,
    /// The same registrable domain.
    SameDomain,
    /// Different registrable domains.
    Unrelated,
    /// One side is absent.
    None,
}

impl Relation {
    /// All of them, the nearest first.
    pub const ALL: [Self; 4] = [Self::Exact, Self::SameDomain, Self::Unrelated, Self::None];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::SameDomain => "same_domain",
            Self::Unrelated => "unrelated",
            Self::None => "none",
        }
    }
}

/// The four results of the forward-confirmed reverse DNS test (RFC 8601 §2.7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fcrdns {
    /// A PTR name resolves back to the address.
    Pass,
    /// PTR names exist, none resolves back.
    Fail,
    /// Could not be told now.
    TempError,
    /// No PTR published.
    PermError,
}

impl Fcrdns {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::TempError, Self::PermError];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Expected here; nobody minds.
    None,
    /// Worth knowing.
    Info,
    /// Looks unfinished.
    Low,
    /// Costs reputation.
    Medium,
    /// Mail is refused for it.
    High,
}

impl Severity {
    /// All of them, the lightest first.
    pub const ALL: [Self; 5] = [Self::None, Self::Info, Self::Low, Self::Medium, Self::High];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Whether the operator of the host has the address to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tenancy {
    /// Many customers share it; the provider owns the PTR.
    Shared,
    /// One operator.
    Dedicated,
    /// Nothing tells.
    Unknown,
}

impl Tenancy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Shared, Self::Dedicated, Self::Unknown];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Dedicated => "dedicated",
            Self::Unknown => "unknown",
        }
    }
}

/// The software or service behind a greeting, as far as it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The name used in records: `postfix`, `exim`, …
    pub name: &'static str,
    /// The version, where the greeting gives it.
    pub version: Option<String>,
}

/// All that is said of one target. For outcomes that are not judged the optional parts are `None`, the list empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The name in the greeting, in normal form, usable or not.
    pub banner_name: Option<String>,
    /// The name in the EHLO reply, in normal form.
    pub ehlo_name: Option<String>,
    /// Forward-confirmed reverse DNS.
    pub fcrdns: Option<Fcrdns>,
    /// How near the names are.
    pub relation: Option<Relation>,
    /// The one word.
    pub verdict: Option<Verdict>,
    /// The highest severity of the findings, `Severity::None` without any.
    pub severity: Option<Severity>,
    /// What is wrong or worth knowing, in the order of the documentation.
    pub findings: Vec<Finding>,
    /// What the greeting gives away.
    pub platform: Option<Platform>,
    /// Whose address it is.
    pub tenancy: Tenancy,
}

/// Judges one target by what was seen of it and what its owner said of it.
pub fn judge(evidence: &Evidence, inventory: &Inventory) -> Judgement {
    let _ = (evidence, inventory);
    Judgement {
        banner_name: None,
        ehlo_name: None,
        fcrdns: None,
        relation: None,
        verdict: None,
        severity: None,
        findings: Vec::new(),
        platform: None,
        tenancy: Tenancy::Unknown,
    }
}
