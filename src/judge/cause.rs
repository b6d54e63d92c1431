//! Why a finding stands, who can end it, and who cares: one row a code.

use super::finding::Code;
use super::verdict::Tenancy;

/// Who can do something about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fixer {
    /// Whoever runs the mail server.
    Customer,
    /// Whoever owns the address or the shared host.
    Provider,
    /// There is nothing to fix.
    Nobody,
}

impl Fixer {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Provider => "provider",
            Self::Nobody => "nobody",
        }
    }
}

/// Which side of the names a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The PTR record and where it leads: the owner of the address sets the first, the owner of the domain
    /// the second.
    Reverse,
    /// The name that the server gives.
    Banner,
    /// The address record of that name.
    Forward,
}

impl Code {
    /// Which side of the names it is about.
    pub fn side(self) -> Side {
        match self {
            Self::PtrMissing
            | Self::PtrUnconfirmed
            | Self::PtrPartlyUnconfirmed
            | Self::PtrMultiple
            | Self::PtrGeneric
            | Self::PtrMalformed
            | Self::StalePtr => Side::Reverse,
            Self::BannerUnresolvable | Self::BannerResolvesElsewhere | Self::StaleBanner => Side::Forward,
            _ => Side::Banner,
        }
    }

    /// Who can end it, as a rule: the owner of the address sets the PTR record, whoever runs the server the
    /// rest, which on a shared host is the provider too. For one host, whose changes are known, see
    /// [`super::fix::fixers`].
    pub fn fixer(self, tenancy: Tenancy) -> Fixer {
        match (self, self.side(), tenancy) {
            (Self::PlatformIdentity, ..)
            | (Self::BannerDiffers | Self::TwoIdentities, _, Tenancy::Shared) => Fixer::Nobody,
            (_, _, Tenancy::Shared) | (_, Side::Reverse, _) => Fixer::Provider,
            _ => Fixer::Customer,
        }
    }

    /// Why it stands, in one or two sentences.
    pub fn why(self) -> &'static str {
        match self {
            Self::PtrMissing => "The address has no PTR record: whoever asks DNS who it is gets no name.",
            Self::PtrUnconfirmed => {
                "The address has a PTR name, but that name does not lead back to the address, so anyone could have written it."
            }
            Self::PtrPartlyUnconfirmed => {
                "Of several PTR names only some lead back. Receivers that look at a single one see the host pass on one day and fail on the next."
            }
            Self::PtrMultiple => {
                "The address has more than one PTR name; most receivers look at one, and nobody controls which."
            }
            Self::PtrGeneric => {
                "The PTR name looks as a provider assigns it to every address, not as somebody chose it for a mail server."
            }
            Self::PtrMalformed => {
                "The PTR record holds something that can't be the name of a host on the Internet."
            }
            Self::BannerAbsent => "The greeting names no host at all.",
            Self::BannerMasked => {
                "A firewall on the way overwrites the greeting with asterisks; the server behind may be in order."
            }
            Self::BannerLiteral => {
                "The greeting gives the address in brackets in the place of a name: allowed, and it says nothing."
            }
            Self::BannerBareAddress => {
                "The greeting gives an address without brackets, which is neither a name nor an address literal."
            }
            Self::BannerUnqualified => {
                "The greeting gives one label without a domain, which means something inside one network only."
            }
            Self::BannerDefault => {
                "The name in the greeting is one that an installer, an image or a manual left behind."
            }
            Self::BannerPrivateName => {
                "The name in the greeting ends in a suffix that exists inside closed networks only."
            }
            Self::BannerPlaceholder => {
                "The name in the greeting is no name: a variable that nothing filled in, an identifier, or a slip of a tool."
            }
            Self::BannerUnresolvable => {
                "The name in the greeting has no address record for this kind of address."
            }
            Self::BannerResolvesElsewhere => {
                "The name in the greeting has addresses, and this is none of them."
            }
            Self::BannerDiffers => {
                "The name in the greeting and the confirmed PTR name belong to different domains. Each may be in order."
            }
            Self::BannerRotates => {
                "Two connections of one scan were greeted with two names: several machines, or one that makes names up."
            }
            Self::EhloDiffers => "The greeting and the reply to EHLO give different names.",
            Self::CertificateDiffers => {
                "The certificate was made out for names other than the one in the greeting."
            }
            Self::ExpectedDiffers => {
                "The name in the greeting is not the one that the inventory expects for this address."
            }
            Self::BrandClaim => {
                "The greeting uses the name of a well-known mail service whose own DNS does not know this address."
            }
            Self::StalePtr => {
                "The PTR name lives at another address: the record was probably left behind when the host or the address moved."
            }
            Self::StaleBanner => {
                "The name in the greeting lives at another address that greets as well: this host was probably copied from that one or replaced by it."
            }
            Self::TwoIdentities => {
                "Both names are sound, and they differ: the host has one identity for itself and another from the owner of the address."
            }
            Self::UnfinishedSetup => {
                "A default name in the greeting and the provider's PTR name on an address of one's own: the setup stopped half-way."
            }
            Self::UnownedIdentity => {
                "The greeting claims a domain that neither direction of DNS connects with this address."
            }
            Self::ClonedImage => {
                "Many addresses greet with the same default or foreign name: they were started from one image that nobody renamed."
            }
            Self::PlatformIdentity => {
                "This platform greets with another name than its PTR record by design, and its reverse DNS is sound."
            }
        }
    }

    /// What to do about it in one sentence, where no host is at hand; [`super::advice`] has the steps for
    /// one.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::PtrMultiple | Self::PtrPartlyUnconfirmed => {
                "Leave one PTR record, for the name that leads back to the address."
            }
            Self::BannerMasked => "Switch off the inspection of SMTP on the firewall.",
            Self::BannerDiffers | Self::TwoIdentities | Self::PlatformIdentity => "Nothing has to be done.",
            Self::BannerRotates => {
                "Find out whether several machines answer behind the address; give each its name, or all the same one."
            }
            Self::CertificateDiffers => "Have the certificate made out for the name in the greeting as well.",
            Self::ExpectedDiffers => {
                "Find out which is right, the inventory or the server, and correct the other."
            }
            Self::ClonedImage => {
                "Give each host its own name at first boot, and take the name out of the image."
            }
            _ => match self.side() {
                Side::Reverse => {
                    "Set one PTR record to a name of the host's own domain, and let that name lead to the address."
                }
                Side::Forward => {
                    "Let the name in the greeting lead to the address if it is the host's own; if it is not, greet with one that is."
                }
                Side::Banner => {
                    "Let the server call itself by a full name of its own domain, in the greeting and in HELO, with DNS agreeing."
                }
            },
        }
    }

    /// Who cares, in words; the rules with their replies are in [`super::receivers`].
    pub fn cares(self) -> &'static str {
        match self {
            Self::PtrMissing | Self::PtrUnconfirmed | Self::StalePtr => {
                "Most large receivers: Gmail, GMX, freenet and free.fr refuse or defer such clients, and Postfix, Exim and Sendmail have rules for it."
            }
            Self::PtrPartlyUnconfirmed | Self::PtrMultiple => {
                "Servers that take one PTR name, as Postfix does."
            }
            Self::PtrGeneric => {
                "Block lists of lines to homes, Cloudmark CSI, and the scores of rspamd and SpamAssassin."
            }
            Self::PtrMalformed => "Receivers that check names by the letter, and spam scores.",
            Self::BannerUnqualified
            | Self::BannerDefault
            | Self::BannerPrivateName
            | Self::BannerPlaceholder => {
                "Receivers see the name in HELO, not the greeting. If the server uses the same one there, Postfix's HELO rules, rspamd and SpamAssassin mind."
            }
            Self::BannerBareAddress => {
                "If HELO says the same: Postfix's HELO rules, rspamd and SpamAssassin."
            }
            Self::BannerUnresolvable
            | Self::BannerResolvesElsewhere
            | Self::StaleBanner
            | Self::UnownedIdentity => {
                "If HELO says the same: Postfix and Exim where so configured, and rspamd by a point or less."
            }
            Self::BannerDiffers | Self::TwoIdentities => {
                "Next to nobody: 0.4 points in SpamAssassin, and Fastmail if HELO says the same. Check tools report it more loudly than receivers do."
            }
            Self::UnfinishedSetup => {
                "Spam scores that add up: a default name and a provider's PTR name each cost some."
            }
            Self::BrandClaim => "Filters that know the services' own addresses.",
            Self::PlatformIdentity => "Nobody.",
            _ => "No receiver is known to look at it; it matters to the people who run the host.",
        }
    }
}
