//! Evidence → judgement: what the names say of each other, what is wrong, how much it matters.
//!
//! A pure function of evidence and of what the user said of the host, so that old records can be judged again
//! offline. The parts, each of which asks only those before it: words (`verdict`, `finding`), the banner
//! (`banner`), the PTR names (`ptr`, `fcrdns`, `relation`), what names look like (`shape`, `malformed`,
//! `defaults`, `brand`, `providers`, `generic`), what greets (`platform`), whose address it is (`tenancy`),
//! the rule of each finding (`verify`), what the rest of the run adds (`around`, counted by `run`), what the
//! user accepts (`accept`), and what one change would do (`what_if`).

pub mod accept;
pub mod advice;
pub mod around;
mod banner;
mod brand;
pub mod cause;
mod certificate;
mod defaults;
pub mod explain;
pub mod fcrdns;
pub mod finding;
pub mod fix;
pub mod generic;
mod malformed;
pub mod platform;
pub mod providers;
pub mod ptr;
pub mod receivers;
pub mod relation;
pub mod remedy;
pub mod run;
pub mod settings;
pub mod shape;
pub mod tenancy;
pub mod verdict;
mod verify;
pub mod what_if;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::SystemTime;

use crate::evidence::{Evidence, Observation, Resolution, Scanner};
use crate::smtp::greeting::Greeting;
use crate::targets::Inventory;
use accept::{Acceptances, Accepted};
use around::Around;
use platform::Row;
use providers::Providers;
use ptr::Ptr;
use remedy::Change;
use shape::{Shape, Support};
use what_if::Remedies;

pub use finding::{Circumstances, Code, Finding};
pub use platform::Platform;
pub use verdict::{Fcrdns, Relation, Severity, Tenancy, Verdict};

/// All that is said of one target. For outcomes that are not judged the optional parts are `None`, the lists
/// empty.
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
    /// The highest severity of the findings that are not accepted, `Severity::None` without any.
    pub severity: Option<Severity>,
    /// What is wrong or worth knowing, in the order of the documentation; accepted ones too.
    pub findings: Vec<Finding>,
    /// What the greeting gives away.
    pub platform: Option<Platform>,
    /// Whose address it is.
    pub tenancy: Tenancy,
    /// Those of the findings that the user accepts.
    pub accepted: Vec<Accepted>,
    /// The single changes after which nothing of weight would be found; `None` where nothing of weight is, or
    /// DNS did not tell enough.
    pub clears_by: Option<Remedies>,
    /// The changes that are proposed, one or several, in the order in which they are to be made; none where
    /// `clears_by` is `None`, or where nobody but a service can change anything.
    pub fix: Vec<Change>,
}

/// What a judgement heeds beside the evidence and the inventory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// What the rest of the run shows of the host.
    pub around: Around,
    /// What the user accepts, and the time by which its expiry is told.
    pub accepts: Option<(&'a Acceptances, SystemTime)>,
    /// Domains of providers, where the user knows of further ones.
    pub providers: Option<&'a Providers>,
}

impl<'a> Context<'a> {
    /// The domains of providers.
    fn providers(&self) -> &'a Providers {
        self.providers.unwrap_or(Providers::built_in())
    }
}

/// Judges one target by what was seen of it and what its owner said of it. Total: there is no evidence
/// without a judgement.
pub fn judge(evidence: &Evidence, inventory: &Inventory) -> Judgement {
    judge_in(&Context::default(), evidence, inventory)
}

/// Judges one target, and heeds what stands around it.
pub fn judge_in(context: &Context<'_>, evidence: &Evidence, inventory: &Inventory) -> Judgement {
    if !evidence.observation.outcome.is_judged() {
        return unjudged(inventory);
    }
    let seen = Seen::of(evidence, context.providers());
    let mut judgement = seen.judge(context.around, inventory);
    if let Some((acceptances, now)) = context.accepts {
        judgement.accepted = acceptances.accepted(&judgement.findings, now, || seen.subject(inventory));
        judgement.severity = Some(accept::highest(&judgement.findings, &judgement.accepted));
    }
    let cure = what_if::cure(&seen, context, inventory, &judgement);
    (judgement.clears_by, judgement.fix) = (cure.alone, cure.changes);
    Judgement {
        platform: seen.platform.map(|(platform, _)| platform),
        ehlo_name: seen.ehlo_name,
        banner_name: seen.banner.name,
        ..judgement
    }
}

/// Whose address it is, and by what sign.
pub fn tenancy_of(evidence: &Evidence, inventory: &Inventory) -> (Tenancy, tenancy::Reason) {
    tenancy_among(evidence, inventory, Providers::built_in())
}

/// The same, further domains of providers known.
pub fn tenancy_among(
    evidence: &Evidence,
    inventory: &Inventory,
    providers: &Providers,
) -> (Tenancy, tenancy::Reason) {
    if !evidence.observation.outcome.is_judged() {
        let signs =
            tenancy::Signs { banner: None, ptrs: &[], platform: None, providers: Providers::built_in() };
        return tenancy::tenancy(signs, inventory);
    }
    let seen = Seen::of(evidence, providers);
    let ptrs = seen.ptrs();
    let shape = Shape::of(&seen.banner, support(&seen.banner, &ptrs));
    seen.tenancy(shape, &ptrs, inventory)
}

fn unjudged(inventory: &Inventory) -> Judgement {
    let signs = tenancy::Signs { banner: None, ptrs: &[], platform: None, providers: Providers::built_in() };
    Judgement {
        banner_name: None,
        ehlo_name: None,
        fcrdns: None,
        relation: None,
        verdict: None,
        severity: None,
        findings: Vec::new(),
        platform: None,
        tenancy: tenancy::tenancy(signs, inventory).0,
        accepted: Vec::new(),
        clears_by: None,
        fix: Vec::new(),
    }
}

/// Evidence of a host that greeted, its names read once. A supposed change of one of them is another value of
/// this.
#[derive(Debug, Clone)]
pub(crate) struct Seen<'a> {
    ip: Option<IpAddr>,
    scanner: Option<&'a Scanner>,
    observation: &'a Observation,
    resolution: Option<&'a Resolution>,
    /// The name in the greeting of each conversation.
    samples: &'a [Option<Box<str>>],
    banner: Greeting,
    ehlo_name: Option<String>,
    platform: Option<(Platform, &'static Row)>,
    providers: &'a Providers,
}

impl<'a> Seen<'a> {
    fn of(evidence: &'a Evidence, providers: &'a Providers) -> Self {
        let banner = banner::banner(evidence);
        Self {
            ip: evidence.ip,
            scanner: evidence.scanner.as_deref(),
            observation: &evidence.observation,
            resolution: evidence.resolution.as_ref(),
            samples: &evidence.observation.samples,
            ehlo_name: banner::ehlo_name(evidence),
            platform: platform::platform(&evidence.observation, &banner, providers),
            banner,
            providers,
        }
    }

    /// The judgement, without what is accepted and what would help; its names and platform are left to the
    /// caller.
    fn judge(&self, around: Around, inventory: &Inventory) -> Judgement {
        let ptrs = self.ptrs();
        let shape = Shape::of(&self.banner, support(&self.banner, &ptrs));
        let (tenancy, reason) = self.tenancy(shape, &ptrs, inventory);
        let fcrdns = self.resolution.map(|resolution| fcrdns::fcrdns(resolution, self.ip));
        let relation = relation::relation(self.banner.name.as_deref(), &ptrs);
        let host = verify::Host {
            ip: self.ip,
            scanner: self.scanner,
            resolution: self.resolution,
            ptrs: &ptrs,
            fcrdns: fcrdns.unwrap_or(Fcrdns::TempError),
            relation,
            name: self.banner.name.as_deref(),
            shape,
            ehlo_name: self.ehlo_name.as_deref(),
            observation: self.observation,
            samples: self.samples,
            expected_name: inventory.expected_name.as_deref(),
            platform: self.platform.as_ref().map(|(_, row)| *row),
            tenancy,
        };
        let verdict = host.verdict();
        let mut codes = verify::verify(&host);
        let tenancy = around.complete(self.banner.name.is_some(), verdict, &mut codes, (tenancy, reason));
        let on = Circumstances { tenancy, outcome: self.observation.outcome, verdict: Some(verdict) };
        let findings: Vec<_> =
            codes.into_iter().map(|code| Finding { code, severity: code.severity_on(on) }).collect();
        Judgement {
            fcrdns,
            relation: Some(relation),
            verdict: Some(verdict),
            severity: Some(accept::highest(&findings, &[])),
            findings,
            tenancy,
            ..unjudged(inventory)
        }
    }

    fn ptrs(&self) -> Vec<Ptr<'a>> {
        self.resolution
            .map(|resolution| Ptr::all_among(resolution, self.ip, self.providers))
            .unwrap_or_default()
    }

    fn tenancy(&self, shape: Shape, ptrs: &[Ptr<'_>], inventory: &Inventory) -> (Tenancy, tenancy::Reason) {
        let usable = self.banner.name.as_deref().filter(|_| shape.is_usable());
        let platform = self.platform.as_ref().map(|(_, row)| *row);
        tenancy::tenancy(
            tenancy::Signs { banner: usable, ptrs, platform, providers: self.providers },
            inventory,
        )
    }

    /// The host as the user's acceptances speak of it.
    fn subject<'s>(&'s self, inventory: &'s Inventory) -> accept::Subject<'s> {
        let ptrs = self.resolution.iter().flat_map(|resolution| &resolution.names);
        let names = ptrs.map(|ptr| ptr.name.to_string()).chain(self.banner.name.clone()).collect();
        accept::Subject { ip: self.ip, names, tags: &inventory.tags }
    }
}

fn support(banner: &Greeting, ptrs: &[Ptr<'_>]) -> Support {
    let name = banner.name.as_deref();
    let is_confirmed = ptrs.iter().any(|ptr| ptr.is_confirmed() && name.is_some_and(|name| ptr.is(name)));
    if is_confirmed { Support::Confirmed } else { Support::None }
}
