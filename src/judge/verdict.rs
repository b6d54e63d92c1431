//! The words of a judgement: verdict, relation, forward-confirmation result, severity, tenancy. They know no
//! evidence.

/// One word for each judged record, the worst reverse-DNS trouble first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// Some answer that DNS still owes could give another verdict.
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

    /// The verdict a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == word)
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

    /// The relation a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|relation| relation.as_str() == word)
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

    /// The result a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.as_str() == word)
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Expected here; nobody cares.
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

    /// The severity a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str() == word)
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

    /// The tenancy a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tenancy| tenancy.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_comes_back() {
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::parse(verdict.as_str()), Some(verdict));
        }
        for relation in Relation::ALL {
            assert_eq!(Relation::parse(relation.as_str()), Some(relation));
        }
        for result in Fcrdns::ALL {
            assert_eq!(Fcrdns::parse(result.as_str()), Some(result));
        }
        for severity in Severity::ALL {
            assert_eq!(Severity::parse(severity.as_str()), Some(severity));
        }
        for tenancy in Tenancy::ALL {
            assert_eq!(Tenancy::parse(tenancy.as_str()), Some(tenancy));
        }
    }

    #[test]
    fn other_words_are_nothing() {
        for word in ["", "Match", "no-ptr", "pass ", "critical", "customer"] {
            assert_eq!(Verdict::parse(word), None, "{word}");
            assert_eq!(Relation::parse(word), None, "{word}");
            assert_eq!(Fcrdns::parse(word), None, "{word}");
            assert_eq!(Severity::parse(word), None, "{word}");
            assert_eq!(Tenancy::parse(word), None, "{word}");
        }
    }
}
