//! Evidence → judgement: what the names say of each other, what is wrong, how much it matters.
//!
//! A pure function of evidence and of what the user said of the host, so that old records can be judged again offline.
//! The parts, each of which asks only those before it: words (`verdict`, `finding`), the banner (`banner`), the PTR
//! names (`ptr`, `fcrdns`, `relation`), what names look like (`shape`, `defaults`, `generic`, `providers`, `brand`), what
//! greets (`platform`), whose address it is (`tenancy`), and the rule of each finding (`verify`).

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
pub mod generic;
pub mod platform;
mod providers;
pub mod ptr;
pub mod receivers;
pub mod relation;
pub mod settings;
pub mod shape;
pub mod tenancy;
pub mod verdict;
mod verify;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use crate::evidence::Evidence;
use crate::smtp::greeting::Greeting;
use crate::targets::Inventory;
use ptr::Ptr;
use shape::{Shape, Support};

pub use finding::{Code, Finding};
pub use platform::Platform;
pub use verdict::{Fcrdns, Relation, Severity, Tenancy, Verdict};

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

/// Judges one target by what was seen of it and what its owner said of it. Total: there is no evidence without a
/// judgement.
pub fn judge(evidence: &Evidence, inventory: &Inventory) -> Judgement {
    if evidence.observation.outcome.is_judged() {
        of_greeting(evidence, inventory)
    } else {
        unjudged(inventory)
    }
}

/// Whose address it is, and by what sign.
pub fn tenancy_of(evidence: &Evidence, inventory: &Inventory) -> (Tenancy, tenancy::Reason) {
    if !evidence.observation.outcome.is_judged() {
        let signs = tenancy::Signs { banner: None, ptrs: &[], platform: None };
        return tenancy::tenancy(signs, inventory);
    }
    let banner = banner::banner(&evidence.observation);
    let ptrs = read_ptrs(evidence);
    let platform = platform::platform(&evidence.observation, &banner).map(|(_, row)| row);
    let shape = Shape::of(&banner, support(&banner, &ptrs));
    let usable = banner.name.as_deref().filter(|_| shape.is_usable());
    tenancy::tenancy(tenancy::Signs { banner: usable, ptrs: &ptrs, platform }, inventory)
}

fn unjudged(inventory: &Inventory) -> Judgement {
    let signs = tenancy::Signs { banner: None, ptrs: &[], platform: None };
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
    }
}

fn of_greeting(evidence: &Evidence, inventory: &Inventory) -> Judgement {
    let resolution = evidence.resolution.as_ref();
    let banner = banner::banner(&evidence.observation);
    let ehlo_name = banner::ehlo_name(&evidence.observation);
    let ptrs = read_ptrs(evidence);
    let (platform, row) = platform::platform(&evidence.observation, &banner).unzip();
    let shape = Shape::of(&banner, support(&banner, &ptrs));
    let usable = banner.name.as_deref().filter(|_| shape.is_usable());
    let signs = tenancy::Signs { banner: usable, ptrs: &ptrs, platform: row };
    let tenancy = tenancy::tenancy(signs, inventory).0;
    let fcrdns = resolution.map_or(Fcrdns::TempError, fcrdns::fcrdns);
    let relation = relation::relation(banner.name.as_deref(), &ptrs);
    let host = verify::Host {
        resolution,
        ptrs: &ptrs,
        fcrdns,
        relation,
        name: banner.name.as_deref(),
        shape,
        ehlo_name: ehlo_name.as_deref(),
        observation: &evidence.observation,
        expected_name: inventory.expected_name.as_deref(),
        platform: row,
        tenancy,
    };
    let verdict = host.verdict();
    let weigh = |code: Code| Finding { code, severity: code.severity(tenancy) };
    let findings: Vec<_> = verify::verify(&host).into_iter().map(weigh).collect();
    let severity = around::highest(&findings);
    Judgement {
        fcrdns: resolution.map(fcrdns::fcrdns),
        relation: Some(relation),
        verdict: Some(verdict),
        severity: Some(severity),
        findings,
        platform,
        tenancy,
        ehlo_name,
        banner_name: banner.name,
    }
}

fn read_ptrs(evidence: &Evidence) -> Vec<Ptr<'_>> {
    evidence.resolution.as_ref().map(|resolution| Ptr::all(resolution, evidence.ip)).unwrap_or_default()
}

fn support(banner: &Greeting, ptrs: &[Ptr<'_>]) -> Support {
    let Some(domain) = banner.name.as_deref().and_then(crate::name::registrable) else {
        return Support::None;
    };
    let borne_out = ptrs.iter().any(|ptr| ptr.is_confirmed() && ptr.domain() == Some(domain));
    if borne_out { Support::Confirmed } else { Support::None }
}
