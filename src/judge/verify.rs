//! The verdict, and which findings hold: one rule for each, from definite evidence only.

use std::net::IpAddr;

use super::brand::brand;
use super::certificate;
use super::fcrdns::{self, Lead};
use super::finding::Code;
use super::malformed;
use super::platform::Row;
use super::ptr::Ptr;
use super::relation;
use super::shape::{Flaw, Shape};
use super::verdict::{Fcrdns, Relation, Tenancy, Verdict};
use crate::evidence::{Observation, Resolution, Scanner, Status};
use crate::name::HostName;

/// One host, read and measured: all that the rules look at.
pub(super) struct Host<'a> {
    pub(super) ip: Option<IpAddr>,
    pub(super) scanner: Option<&'a Scanner>,
    pub(super) resolution: Option<&'a Resolution>,
    pub(super) ptrs: &'a [Ptr<'a>],
    pub(super) fcrdns: Fcrdns,
    pub(super) relation: Relation,
    pub(super) name: Option<&'a str>,
    pub(super) shape: Shape,
    pub(super) ehlo_name: Option<&'a str>,
    pub(super) observation: &'a Observation,
    pub(super) samples: &'a [Option<Box<str>>],
    pub(super) expected_name: Option<&'a str>,
    pub(super) platform: Option<&'static Row>,
    pub(super) tenancy: Tenancy,
}

/// The codes that hold, in the order of a record.
pub(super) fn verify(host: &Host<'_>) -> Vec<Code> {
    let mut codes = Vec::new();
    host.reverse(&mut codes);
    host.looks(&mut codes);
    host.forward(&mut codes);
    host.compared(&mut codes);
    host.causes(&mut codes);
    if host.is_platforms_own() {
        // A service numbers its own machines, and names them as it likes.
        let expected = [
            Code::PtrGeneric,
            Code::BannerUnresolvable,
            Code::BannerResolvesElsewhere,
            Code::BannerDiffers,
            Code::TwoIdentities,
        ];
        let before = codes.len();
        codes.retain(|code| !expected.contains(code) && *code != Code::UnownedIdentity);
        if codes.len() < before {
            codes.push(Code::PlatformIdentity);
        }
    }
    codes.sort_unstable();
    codes
}

impl<'a> Host<'a> {
    /// The ladder of verdicts, from the top. The forward lookup of the banner's name has no part in it.
    ///
    /// Where a name confirms, the answers still open can only bring the banner's name nearer to a confirmed
    /// one. So all of them agree on the verdict if the two extremes do: none of the open names leads here,
    /// and all of them do.
    pub(super) fn verdict(&self) -> Verdict {
        match self.fcrdns {
            Fcrdns::TempError => Verdict::Undetermined,
            Fcrdns::PermError => Verdict::NoPtr,
            Fcrdns::Fail => Verdict::Unconfirmed,
            Fcrdns::Pass => {
                let verdict = self.by_relation(self.relation);
                let may_come_nearer = || {
                    let nearest = relation::at_best(self.name, self.ptrs);
                    self.by_relation(nearest) != verdict
                };
                let is_open = self.any(|ptr| ptr.lead() == Lead::Unknown);
                let is_undetermined = is_open && may_come_nearer()
                    || verdict == Verdict::Mismatch && self.may_lack_a_relative();
                if is_undetermined { Verdict::Undetermined } else { verdict }
            }
        }
    }

    /// Whether a name of the banner's domain may be among those that nobody asked. Today those that were
    /// asked are the nearest; records that don't say who asked are of before, when only the one equal to the
    /// banner's came first.
    fn may_lack_a_relative(&self) -> bool {
        self.scanner.is_none() && !self.resolution.is_some_and(fcrdns::is_whole)
    }

    /// The verdict on a host with sound reverse DNS, by how near its names are.
    fn by_relation(&self, relation: Relation) -> Verdict {
        match relation {
            Relation::Exact if self.shape.is_usable_if_confirmed() => Verdict::Match,
            _ if !self.shape.is_usable() => Verdict::NoName,
            Relation::Exact => Verdict::Match,
            Relation::SameDomain => Verdict::Related,
            Relation::Unrelated | Relation::None => Verdict::Mismatch,
        }
    }

    fn reverse(&self, codes: &mut Vec<Code>) {
        match self.fcrdns {
            Fcrdns::PermError => codes.push(Code::PtrMissing),
            Fcrdns::Fail => codes.push(Code::PtrUnconfirmed),
            Fcrdns::Pass if self.any(|ptr| ptr.lead().is_away()) => codes.push(Code::PtrPartlyUnconfirmed),
            Fcrdns::Pass | Fcrdns::TempError => {}
        }
        if self.resolution.is_some_and(|r| r.ptr == Status::Found && r.ptr_count > 1) {
            codes.push(Code::PtrMultiple);
        }
        if self.any(Ptr::is_generic) {
            codes.push(Code::PtrGeneric);
        }
        if self.any(|ptr| malformed::fault(ptr).is_some()) {
            codes.push(Code::PtrMalformed);
        }
    }

    fn looks(&self, codes: &mut Vec<Code>) {
        let rules = [
            (Flaw::Absent, Code::BannerAbsent),
            (Flaw::Masked, Code::BannerMasked),
            (Flaw::Literal, Code::BannerLiteral),
            (Flaw::BareAddress, Code::BannerBareAddress),
            (Flaw::Unqualified, Code::BannerUnqualified),
            (Flaw::Default, Code::BannerDefault),
            (Flaw::Private, Code::BannerPrivateName),
            (Flaw::Placeholder, Code::BannerPlaceholder),
        ];
        codes.extend(rules.into_iter().filter(|(flaw, _)| self.shape.has(*flaw)).map(|(_, code)| code));
    }

    fn forward(&self, codes: &mut Vec<Code>) {
        match self.banner_lead() {
            Lead::Nowhere => codes.push(Code::BannerUnresolvable),
            Lead::Elsewhere => codes.push(Code::BannerResolvesElsewhere),
            Lead::Here | Lead::Unknown => {}
        }
    }

    fn compared(&self, codes: &mut Vec<Code>) {
        if self.differs() {
            codes.push(Code::BannerDiffers);
        }
        if let (Some(ehlo), Some(name)) = (self.ehlo_name, self.name)
            && ehlo != name
        {
            codes.push(Code::EhloDiffers);
        }
        if self.name.is_some_and(|name| certificate::differs(self.observation, name)) {
            codes.push(Code::CertificateDiffers);
        }
        if self.rotates() {
            codes.push(Code::BannerRotates);
        }
        if self.differs_from_expected() {
            codes.push(Code::ExpectedDiffers);
        }
        if self.claims_a_brand() {
            codes.push(Code::BrandClaim);
        }
    }

    /// Whether two greetings of one scan gave two names; one without a name says nothing.
    fn rotates(&self) -> bool {
        let mut names = self.samples.iter().flatten();
        let first = names.next();
        names.any(|name| Some(name) != first)
    }

    fn causes(&self, codes: &mut Vec<Code>) {
        if self.any(|ptr| ptr.lead() == Lead::Elsewhere) {
            codes.push(Code::StalePtr);
        }
        if self.differs() && self.banner_lead() == Lead::Here {
            codes.push(Code::TwoIdentities);
        }
        let generic = self.any(Ptr::is_generic);
        let is_default = self.shape.has(Flaw::Default) && !self.shape.is_usable();
        if self.tenancy == Tenancy::Dedicated && generic && is_default {
            codes.push(Code::UnfinishedSetup);
        }
        if self.is_unowned() {
            codes.push(Code::UnownedIdentity);
        }
    }

    fn any(&self, test: impl Fn(&Ptr<'a>) -> bool) -> bool {
        self.ptrs.iter().any(test)
    }

    /// Where the banner's name leads; unknown without a name.
    fn banner_lead(&self) -> Lead {
        match (self.name, self.resolution) {
            (Some(_), Some(resolution)) => Lead::of(&resolution.banner_forward, self.ip),
            _ => Lead::Unknown,
        }
    }

    fn differs(&self) -> bool {
        self.verdict() == Verdict::Mismatch
    }

    /// A masked or absent name is no other name than the expected one; an address is.
    fn differs_from_expected(&self) -> bool {
        let Some(expected) = self.expected_name.map(str::trim).filter(|name| !name.is_empty()) else {
            return false;
        };
        match self.name {
            Some(name) => match HostName::parse(expected) {
                Ok(expected) => expected.as_str() != name,
                Err(_) => !expected.eq_ignore_ascii_case(name),
            },
            None => self.shape.has(Flaw::Literal) || self.shape.has(Flaw::BareAddress),
        }
    }

    fn claims_a_brand(&self) -> bool {
        let Some(claimed) = self.name.and_then(brand) else { return false };
        self.knows_every_name()
            && !self.any(|ptr| ptr.lead() == Lead::Unknown && brand(ptr.text()) == Some(claimed))
            && !self.any(|ptr| ptr.is_confirmed() && brand(ptr.text()) == Some(claimed))
    }

    /// Every PTR name is known, none is in the banner's domain, and the banner's name does not lead here.
    fn is_unowned(&self) -> bool {
        self.knows_every_name()
            && self.shape.is_usable()
            && self.banner_lead().is_away()
            && !self.shares_a_domain()
    }

    /// Whether every PTR name that the address has is at hand, or it has none.
    fn knows_every_name(&self) -> bool {
        match self.fcrdns {
            Fcrdns::Pass | Fcrdns::Fail => self.resolution.is_some_and(fcrdns::is_whole),
            Fcrdns::PermError => true,
            Fcrdns::TempError => false,
        }
    }

    fn shares_a_domain(&self) -> bool {
        let Some(domain) = self.name.and_then(crate::name::registrable) else { return false };
        self.any(|ptr| ptr.domain() == Some(domain))
    }

    /// Whether a known service greets, and DNS bears out that it is that service.
    fn is_platforms_own(&self) -> bool {
        let (Some(row), Some(name)) = (self.platform, self.name) else { return false };
        self.fcrdns == Fcrdns::Pass
            && row.is_home_of(name)
            && self.any(|p| p.is_confirmed() && row.is_home_of(p.text()))
    }
}
