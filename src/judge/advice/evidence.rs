//! What a finding rests on, in one line: the names and addresses that were seen of this host.

use std::net::IpAddr;

use super::Case;
use crate::evidence::{Forward, PtrName, TlsStatus};
use crate::judge::fcrdns::Lead;
use crate::judge::finding::Code;
use crate::judge::generic;
use crate::judge::malformed;
use crate::judge::ptr::Ptr;

/// How many names or addresses a line tells.
const SHOWN: usize = 4;

/// What the finding rests on; `None` where the finding's name says it all.
pub(super) fn evidence(case: &Case<'_>, code: Code) -> Option<String> {
    let seen = Seen { case };
    match code {
        Code::PtrUnconfirmed | Code::PtrPartlyUnconfirmed => seen.ptrs(Lead::is_away),
        Code::StalePtr => seen.ptrs(|lead| lead == Lead::Elsewhere),
        Code::PtrMultiple => Some(format!("{} names", case.evidence.resolution.as_ref()?.ptr_count)),
        Code::PtrGeneric => seen.signs(),
        Code::PtrMalformed => seen.flawed(),
        Code::BannerUnqualified
        | Code::BannerDefault
        | Code::BannerPrivateName
        | Code::BannerPlaceholder
        | Code::BrandClaim
        | Code::UnfinishedSetup
        | Code::ClonedImage => seen.banner(),
        Code::BannerUnresolvable
        | Code::BannerResolvesElsewhere
        | Code::StaleBanner
        | Code::UnownedIdentity => {
            let forward = &case.evidence.resolution.as_ref()?.banner_forward;
            Some(format!("{} {}", seen.banner()?, leads(forward, case.evidence.ip)))
        }
        Code::BannerDiffers | Code::TwoIdentities | Code::PlatformIdentity => {
            Some(format!("greeting {}, PTR name {}", seen.banner()?, seen.confirmed()?))
        }
        Code::BannerRotates => seen.samples(),
        Code::EhloDiffers => {
            Some(format!("greeting {}, EHLO {}", seen.banner()?, case.judgement.ehlo_name.as_deref()?))
        }
        Code::CertificateDiffers => seen.certificate(),
        Code::ExpectedDiffers => {
            let expected = case.inventory.expected_name.as_deref()?.trim();
            Some(format!(
                "expected {expected}, greeting {}",
                seen.banner().unwrap_or_else(|| "without a name".into())
            ))
        }
        Code::PtrMissing
        | Code::BannerAbsent
        | Code::BannerMasked
        | Code::BannerLiteral
        | Code::BannerBareAddress => None,
    }
}

struct Seen<'s, 'c> {
    case: &'s Case<'c>,
}

impl Seen<'_, '_> {
    fn banner(&self) -> Option<String> {
        self.case.judgement.banner_name.clone()
    }

    fn names(&self) -> impl Iterator<Item = &PtrName> {
        self.case.evidence.resolution.iter().flat_map(|resolution| &resolution.names)
    }

    fn confirmed(&self) -> Option<String> {
        self.names()
            .find(|ptr| Lead::of(&ptr.forward, self.case.evidence.ip) == Lead::Here)
            .map(|ptr| ptr.name.to_string())
    }

    fn ptrs(&self, is_meant: impl Fn(Lead) -> bool) -> Option<String> {
        let meant = self.names().filter(|ptr| is_meant(Lead::of(&ptr.forward, self.case.evidence.ip)));
        joined(meant.map(|ptr| format!("{} {}", ptr.name, leads(&ptr.forward, self.case.evidence.ip))))
    }

    fn signs(&self) -> Option<String> {
        let ip = self.case.evidence.ip?;
        let resolution = self.case.evidence.resolution.as_ref()?;
        let ptrs = Ptr::all_among(resolution, Some(ip), self.case.providers);
        let told = ptrs.iter().filter_map(|ptr| {
            let sign: generic::Sign = ptr.sign()?;
            Some(format!("{}: {sign}", ptr.name()))
        });
        joined(told)
    }

    fn flawed(&self) -> Option<String> {
        let resolution = self.case.evidence.resolution.as_ref()?;
        let ptrs = Ptr::all_among(resolution, self.case.evidence.ip, self.case.providers);
        joined(ptrs.iter().filter(|ptr| malformed::fault(ptr).is_some()).map(|ptr| ptr.name().to_string()))
    }

    fn samples(&self) -> Option<String> {
        let mut names: Vec<&str> = Vec::new();
        for name in self.case.evidence.observation.samples.iter().flatten() {
            if !names.contains(&&**name) {
                names.push(name);
            }
        }
        joined(names.into_iter().map(str::to_owned))
    }

    fn certificate(&self) -> Option<String> {
        let tls = self.case.evidence.observation.tls.as_ref()?;
        let certificate = tls.certificate.as_ref().filter(|_| tls.status == TlsStatus::Established)?;
        joined(certificate.names.iter().map(ToString::to_string))
    }
}

fn leads(forward: &Forward, target: Option<IpAddr>) -> String {
    match Lead::of(forward, target) {
        Lead::Here => "leads here".to_owned(),
        Lead::Nowhere => "leads nowhere".to_owned(),
        Lead::Unknown => "leads nobody knows where".to_owned(),
        Lead::Elsewhere => {
            let addresses = joined(forward.addresses.iter().map(ToString::to_string));
            let addresses = addresses.unwrap_or_else(|| "other addresses".to_owned());
            // What the resolver says may differ from what the world sees.
            let inside = if forward.is_inside_view(target) { ", as seen from inside" } else { "" };
            format!("leads to {addresses}{inside}")
        }
    }
}

fn joined(parts: impl Iterator<Item = String>) -> Option<String> {
    let mut parts: Vec<String> = parts.collect();
    if parts.len() > SHOWN {
        let more = parts.split_off(SHOWN).len();
        parts.push(format!("and {more} more"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
