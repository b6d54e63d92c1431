//! The findings: their codes and what each weighs by tenancy. Knows no evidence; when each fires stands in
//! `verify`.

use super::verdict::{Severity, Tenancy, Verdict};
use crate::evidence::Outcome;

/// What the weight of a finding depends on beside its code. All of it stands in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// Whose address it is.
    pub tenancy: Tenancy,
    /// How the conversation went.
    pub outcome: Outcome,
    /// The verdict on the host.
    pub verdict: Option<Verdict>,
}

/// What can be found, in the order in which a record lists it. Codes never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// NXDOMAIN or no data for the address.
    PtrMissing,
    /// PTR names exist, and none resolves back to the address.
    PtrUnconfirmed,
    /// Of several PTR names some resolve back and some do not.
    PtrPartlyUnconfirmed,
    /// More than one PTR name.
    PtrMultiple,
    /// A PTR name that looks assigned by the provider.
    PtrGeneric,
    /// A PTR name that is no host name under a public suffix.
    PtrMalformed,
    /// The greeting names no host.
    BannerAbsent,
    /// A firewall has overwritten the greeting.
    BannerMasked,
    /// The greeting gives an address in brackets.
    BannerLiteral,
    /// The greeting gives an address without brackets.
    BannerBareAddress,
    /// The greeting's name is one label.
    BannerUnqualified,
    /// The greeting's name is one that an installer or image leaves behind.
    BannerDefault,
    /// The greeting's name ends in a suffix that is not for the public Internet.
    BannerPrivateName,
    /// The greeting's name is a template, an identifier, or misspelt by a tool.
    BannerPlaceholder,
    /// The greeting's name has no address in the target's family.
    BannerUnresolvable,
    /// The greeting's name has addresses, the target's not among them.
    BannerResolvesElsewhere,
    /// The greeting's name shares no registrable domain with a confirmed PTR name.
    BannerDiffers,
    /// Another attempt of the scan met another name.
    BannerRotates,
    /// The EHLO reply gives another name than the greeting.
    EhloDiffers,
    /// The certificate is for other names than the greeting's.
    CertificateDiffers,
    /// The greeting's name is not the one that the user expects.
    ExpectedDiffers,
    /// The greeting names a well-known mail service that does not bear it out.
    BrandClaim,
    /// A PTR name lives at another address.
    StalePtr,
    /// The greeting's name lives at another address that greets too.
    StaleBanner,
    /// The greeting's name and the PTR name both hold, and differ.
    TwoIdentities,
    /// A default name on an address with the provider's PTR, all to itself.
    UnfinishedSetup,
    /// The greeting claims a domain that neither direction of DNS supports.
    UnownedIdentity,
    /// One default or foreign name greets on many addresses.
    ClonedImage,
    /// Another name than the PTR's, as this platform means it to be.
    PlatformIdentity,
}

/// Why a finding weighs less on a host than it does as a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excuse {
    /// A refusal without a name is no evidence of how the server greets others.
    NamelessRefusal,
    /// A name without a public domain is a forward-confirmed PTR name all the same: so names look inside a
    /// network of one's own.
    ConfirmedName,
}

impl Code {
    /// All of them, in the order of a record.
    pub const ALL: [Self; 29] = [
        Self::PtrMissing,
        Self::PtrUnconfirmed,
        Self::PtrPartlyUnconfirmed,
        Self::PtrMultiple,
        Self::PtrGeneric,
        Self::PtrMalformed,
        Self::BannerAbsent,
        Self::BannerMasked,
        Self::BannerLiteral,
        Self::BannerBareAddress,
        Self::BannerUnqualified,
        Self::BannerDefault,
        Self::BannerPrivateName,
        Self::BannerPlaceholder,
        Self::BannerUnresolvable,
        Self::BannerResolvesElsewhere,
        Self::BannerDiffers,
        Self::BannerRotates,
        Self::EhloDiffers,
        Self::CertificateDiffers,
        Self::ExpectedDiffers,
        Self::BrandClaim,
        Self::StalePtr,
        Self::StaleBanner,
        Self::TwoIdentities,
        Self::UnfinishedSetup,
        Self::UnownedIdentity,
        Self::ClonedImage,
        Self::PlatformIdentity,
    ];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PtrMissing => "ptr_missing",
            Self::PtrUnconfirmed => "ptr_unconfirmed",
            Self::PtrPartlyUnconfirmed => "ptr_partly_unconfirmed",
            Self::PtrMultiple => "ptr_multiple",
            Self::PtrGeneric => "ptr_generic",
            Self::PtrMalformed => "ptr_malformed",
            Self::BannerAbsent => "banner_absent",
            Self::BannerMasked => "banner_masked",
            Self::BannerLiteral => "banner_literal",
            Self::BannerBareAddress => "banner_bare_address",
            Self::BannerUnqualified => "banner_unqualified",
            Self::BannerDefault => "banner_default",
            Self::BannerPrivateName => "banner_private_name",
            Self::BannerPlaceholder => "banner_placeholder",
            Self::BannerUnresolvable => "banner_unresolvable",
            Self::BannerResolvesElsewhere => "banner_resolves_elsewhere",
            Self::BannerDiffers => "banner_differs",
            Self::BannerRotates => "banner_rotates",
            Self::EhloDiffers => "ehlo_differs",
            Self::CertificateDiffers => "certificate_differs",
            Self::ExpectedDiffers => "expected_differs",
            Self::BrandClaim => "brand_claim",
            Self::StalePtr => "stale_ptr",
            Self::StaleBanner => "stale_banner",
            Self::TwoIdentities => "two_identities",
            Self::UnfinishedSetup => "unfinished_setup",
            Self::UnownedIdentity => "unowned_identity",
            Self::ClonedImage => "cloned_image",
            Self::PlatformIdentity => "platform_identity",
        }
    }

    /// The code a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    /// How much it matters on one host.
    pub fn severity_on(self, host: Circumstances) -> Severity {
        let usual = self.severity(host.tenancy);
        if self.excuse(host.outcome, host.verdict).is_some() { usual.min(Severity::Info) } else { usual }
    }

    /// Why it is for information only on a host with this outcome and verdict, if it is.
    pub fn excuse(self, outcome: Outcome, verdict: Option<Verdict>) -> Option<Excuse> {
        match self {
            Self::BannerAbsent if outcome == Outcome::Rejected => Some(Excuse::NamelessRefusal),
            Self::BannerUnqualified | Self::BannerDefault | Self::BannerPrivateName
                if verdict == Some(Verdict::Match) =>
            {
                Some(Excuse::ConfirmedName)
            }
            _ => None,
        }
    }

    /// How much it matters where the address is dedicated, shared, or nobody knows, as a rule; on one host it
    /// may weigh less: see [`Code::severity_on`].
    ///
    /// A compound code names the cause of plain ones that stand beside it, so it never weighs more than they
    /// do.
    pub fn severity(self, tenancy: Tenancy) -> Severity {
        use Severity::{High, Info, Low, Medium, None};
        let [dedicated, shared, unknown] = match self {
            Self::PtrMissing | Self::PtrUnconfirmed => [High; 3],
            Self::PtrMalformed
            | Self::BannerBareAddress
            | Self::BannerDefault
            | Self::BannerPrivateName
            | Self::BannerPlaceholder
            | Self::ExpectedDiffers => [Medium; 3],
            Self::BannerUnqualified => [Medium, Low, Medium],
            Self::PtrGeneric | Self::BannerUnresolvable | Self::UnfinishedSetup => [Medium, Low, Low],
            Self::BannerAbsent | Self::BannerLiteral | Self::BannerRotates | Self::BrandClaim => [Low; 3],
            Self::PtrPartlyUnconfirmed | Self::StalePtr | Self::ClonedImage => [Low, Info, Low],
            Self::BannerResolvesElsewhere | Self::StaleBanner | Self::UnownedIdentity => [Low, Info, Info],
            Self::BannerDiffers | Self::TwoIdentities => [Low, None, Info],
            Self::PtrMultiple | Self::BannerMasked | Self::EhloDiffers | Self::CertificateDiffers => {
                [Info; 3]
            }
            Self::PlatformIdentity => [None; 3],
        };
        match tenancy {
            Tenancy::Dedicated => dedicated,
            Tenancy::Shared => shared,
            Tenancy::Unknown => unknown,
        }
    }

    /// Whether it explains plain findings rather than adding one.
    pub fn is_compound(self) -> bool {
        self >= Self::StalePtr
    }
}

/// One finding on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub code: Code,
    /// How much it matters on this host.
    pub severity: Severity,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back_and_stand_in_order_once_each() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
        }
        assert!(Code::ALL.is_sorted());
        assert!(Code::ALL.windows(2).all(|pair| pair[0] != pair[1]));
        for word in ["", "ptr", "PTR_MISSING", "banner-absent"] {
            assert_eq!(Code::parse(word), None, "{word}");
        }
    }

    #[test]
    fn severities_follow_tenancy() {
        use Severity::{High, Info, Low, Medium, None};
        for (code, weights) in [
            (Code::PtrMissing, [High, High, High]),
            (Code::PtrUnconfirmed, [High, High, High]),
            (Code::PtrPartlyUnconfirmed, [Low, Info, Low]),
            (Code::PtrMultiple, [Info, Info, Info]),
            (Code::PtrGeneric, [Medium, Low, Low]),
            (Code::PtrMalformed, [Medium, Medium, Medium]),
            (Code::BannerAbsent, [Low, Low, Low]),
            (Code::BannerMasked, [Info, Info, Info]),
            (Code::BannerLiteral, [Low, Low, Low]),
            (Code::BannerBareAddress, [Medium, Medium, Medium]),
            (Code::BannerUnqualified, [Medium, Low, Medium]),
            (Code::BannerDefault, [Medium, Medium, Medium]),
            (Code::BannerPrivateName, [Medium, Medium, Medium]),
            (Code::BannerPlaceholder, [Medium, Medium, Medium]),
            (Code::BannerUnresolvable, [Medium, Low, Low]),
            (Code::BannerResolvesElsewhere, [Low, Info, Info]),
            (Code::BannerDiffers, [Low, None, Info]),
            (Code::BannerRotates, [Low, Low, Low]),
            (Code::EhloDiffers, [Info, Info, Info]),
            (Code::CertificateDiffers, [Info, Info, Info]),
            (Code::ExpectedDiffers, [Medium, Medium, Medium]),
            (Code::BrandClaim, [Low, Low, Low]),
            (Code::PlatformIdentity, [None, None, None]),
        ] {
            let said = [Tenancy::Dedicated, Tenancy::Shared, Tenancy::Unknown].map(|t| code.severity(t));
            assert_eq!(said, weights, "{}", code.as_str());
        }
    }

    #[test]
    fn two_circumstances_make_a_finding_lighter() {
        let on = |code: Code, outcome, verdict| {
            let tenancy = Tenancy::Unknown;
            code.severity_on(Circumstances { tenancy, outcome, verdict })
        };
        for code in Code::ALL {
            let usual = code.severity(Tenancy::Unknown);
            for outcome in [Outcome::Greeted, Outcome::Rejected] {
                for verdict in Verdict::ALL.map(Some).into_iter().chain([None]) {
                    let is_of_name = matches!(
                        code,
                        Code::BannerUnqualified | Code::BannerDefault | Code::BannerPrivateName
                    );
                    let is_lighter = code == Code::BannerAbsent && outcome == Outcome::Rejected
                        || verdict == Some(Verdict::Match) && is_of_name;
                    let expected = if is_lighter { Severity::Info } else { usual };
                    assert_eq!(
                        on(code, outcome, verdict),
                        expected,
                        "{} {outcome:?} {verdict:?}",
                        code.as_str()
                    );
                }
            }
        }
    }

    #[test]
    fn the_compound_codes_are_the_last_seven() {
        let compound: Vec<_> =
            Code::ALL.into_iter().filter(|code| code.is_compound()).map(Code::as_str).collect();
        assert_eq!(
            compound,
            [
                "stale_ptr",
                "stale_banner",
                "two_identities",
                "unfinished_setup",
                "unowned_identity",
                "cloned_image",
                "platform_identity"
            ]
        );
    }
}
