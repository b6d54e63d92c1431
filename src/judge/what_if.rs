//! What one change would do: the host judged once more as if a PTR record, the banner, or one address record
//! were otherwise. A change counts if afterwards nothing of weight would be found and DNS were settled.
//!
//! Only names that the host has already are put in another's place, for nothing is known of others: the PTR
//! record may be set to a name that leads here, the banner to a confirmed PTR name that somebody chose, and
//! an address record may be added to a name that is in use. Names of providers and of well-known services are
//! nobody's to take.
//!
//! For `220 mail.a.example` at 192.0.2.1, which has the address `mail.a.example`, and the PTR name
//! `static-192-0-2-1.b.example`: a PTR record `mail.a.example` clears it, and no other single change does.

mod together;

use super::fcrdns::Lead;
use super::remedy::Change;
use super::shape::Support;
use super::{Context, Judgement, Seen, Severity, Verdict, defaults, generic, malformed};
use crate::evidence::{Forward, Outcome, PtrName, Resolution, Status};
use crate::name::{DnsName, HostName};
use crate::smtp::greeting::{Form, Greeting};
use crate::targets::Inventory;

pub use super::remedy::{Remedies, Remedy};

/// From here on a finding is of weight: what is for information needs no remedy.
pub const WEIGHT: Severity = Severity::Low;

/// What would clear a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cure {
    /// The single changes that would; `None` where there is nothing to clear, or where DNS did not tell
    /// enough.
    pub(super) alone: Option<Remedies>,
    /// The one that is proposed, or several where none is enough, in the order in which they are to be made.
    pub(super) changes: Vec<Change>,
}

/// What would clear a host, given how it is judged as it is.
pub(super) fn cure(
    seen: &Seen<'_>,
    context: &Context<'_>,
    inventory: &Inventory,
    judgement: &Judgement,
) -> Cure {
    // A refusal without a name does not show how the server greets others, so nobody knows what would clear
    // it.
    let is_nameless_refusal =
        seen.observation.outcome == Outcome::Rejected && seen.banner.form == Form::Absent;
    let is_settled = !is_nameless_refusal && judgement.verdict.is_some_and(|it| it != Verdict::Undetermined);
    let is_light = judgement.severity.is_none_or(|severity| severity < WEIGHT);
    let Some(resolution) = seen.resolution.filter(|_| is_settled && !is_light) else {
        return Cure::default();
    };
    let host = Host { seen, context, inventory, resolution };
    let helping = Remedy::ALL.into_iter().filter_map(|remedy| Some((remedy, host.helping(remedy)?)));
    let helping: Vec<(Remedy, DnsName)> = helping.collect();
    let first = helping.iter().find_map(|(remedy, name)| Some(change(*remedy, Some(host_name(name)?))));
    let changes = first.map_or_else(|| host.together(), |change| vec![change]);
    Cure { alone: Some(helping.iter().map(|(remedy, _)| *remedy).collect()), changes }
}

fn change(remedy: Remedy, name: Option<HostName>) -> Change {
    Change { remedy, name }
}

fn host_name(name: &DnsName) -> Option<HostName> {
    HostName::parse(&name.to_string()).ok()
}

fn with_ptr(ptr: PtrName, banner_forward: Forward) -> Resolution {
    Resolution { ptr: Status::Found, ptr_count: 1, names: vec![ptr], banner_forward }
}

struct Host<'s, 'e> {
    seen: &'s Seen<'e>,
    context: &'s Context<'s>,
    inventory: &'s Inventory,
    resolution: &'e Resolution,
}

impl Host<'_, '_> {
    /// The name with which one change alone clears the host.
    fn helping(&self, remedy: Remedy) -> Option<DnsName> {
        match remedy {
            Remedy::Ptr => self.ptr_helps(),
            Remedy::Banner => self.banner_helps(),
            Remedy::Forward => self.forward_helps(),
        }
    }

    fn ptr_helps(&self) -> Option<DnsName> {
        let banner = self.banner().filter(|name| !self.is_nobodys(&name.to_string()));
        let banner = banner.filter(|_| self.lead(&self.resolution.banner_forward) == Lead::Here);
        let banner = banner.map(|name| PtrName { name, forward: self.resolution.banner_forward.clone() });
        let several = self.resolution.names.len() > 1;
        let others = self.confirmed().filter(|_| several).cloned();
        let mut names = banner.into_iter().chain(others);
        let found = names.find(|ptr| {
            let resolution = with_ptr(ptr.clone(), self.resolution.banner_forward.clone());
            self.is_clear(&Seen { resolution: Some(&resolution), ..self.seen.clone() })
        });
        found.map(|ptr| ptr.name)
    }

    fn banner_helps(&self) -> Option<DnsName> {
        let mut confirmed = self.confirmed();
        let found = confirmed.find(|ptr| {
            let name = ptr.name.to_string();
            if self.is_assigned(&name)
                || self.is_others(&name)
                || self.seen.banner.name.as_deref() == Some(&name)
            {
                return false;
            }
            let resolution = Resolution { banner_forward: ptr.forward.clone(), ..self.resolution.clone() };
            self.is_clear(&self.greeting(name, &resolution))
        });
        found.map(|ptr| ptr.name.clone())
    }

    /// The host as if it greeted with another name.
    fn greeting<'r>(&'r self, name: String, resolution: &'r Resolution) -> Seen<'r> {
        let form = if name.contains('.') { Form::Host } else { Form::SingleLabel };
        let banner = Greeting { name: Some(name.clone()), form, extra_names: Vec::new(), refusal: None };
        Seen {
            resolution: Some(resolution),
            samples: &[],
            ehlo_name: Some(name),
            banner,
            ..self.seen.clone()
        }
    }

    fn forward_helps(&self) -> Option<DnsName> {
        // Nobody publishes an address for `localhost`, or for a name that no public zone holds.
        let ptrs = self.seen.ptrs();
        let is_flawed =
            |name: &DnsName| ptrs.iter().any(|ptr| ptr.name() == name && malformed::flaw(ptr).is_some());
        let banner = self.banner().map(|name| (name, &self.resolution.banner_forward));
        let names = self.resolution.names.iter().map(|ptr| (ptr.name.clone(), &ptr.forward)).chain(banner);
        let mut away = names
            .filter(|(name, forward)| self.lead(forward).is_away() && !self.is_nobodys(&name.to_string()))
            .filter(|(name, _)| !is_flawed(name));
        let found = away.find(|(name, forward)| {
            let added = self.leading_here(forward);
            let mut resolution = self.resolution.clone();
            if self.banner().as_ref() == Some(name) {
                resolution.banner_forward = added.clone();
            }
            resolution
                .names
                .iter_mut()
                .filter(|ptr| ptr.name == *name)
                .for_each(|ptr| ptr.forward = added.clone());
            self.is_clear(&Seen { resolution: Some(&resolution), ..self.seen.clone() })
        });
        found.map(|(name, _)| name)
    }

    fn is_others(&self, name: &str) -> bool {
        self.seen.providers.is_others(name)
    }

    /// A name that no operator can publish an address for: somebody else's, or out of a manual or an image.
    fn is_nobodys(&self, name: &str) -> bool {
        self.is_others(name) || defaults::is_default(name) || defaults::is_under_example_domain(name)
    }

    fn is_assigned(&self, name: &str) -> bool {
        self.seen.ip.is_some_and(|ip| generic::sign_among(name, ip, self.seen.providers).is_some())
    }

    /// Whether a host as supposed would be in order.
    fn is_clear(&self, supposed: &Seen<'_>) -> bool {
        let mut around = self.context.around;
        if supposed.banner.name != self.seen.banner.name {
            around = super::Around::default();
        }
        let judgement = supposed.judge(around, self.inventory);
        let mut accepted = Vec::new();
        if let Some((acceptances, now)) = self.context.accepts {
            accepted = acceptances.accepted(&judgement.findings, now, || supposed.subject(self.inventory));
        }
        judgement.verdict != Some(Verdict::Undetermined)
            && super::accept::highest(&judgement.findings, &accepted) < WEIGHT
    }

    /// The banner's name if it can be written into a zone and is not somebody else's.
    fn banner(&self) -> Option<DnsName> {
        let name = self.seen.banner.name.as_deref().filter(|name| !self.is_others(name))?;
        let is_usable = super::Shape::of(&self.seen.banner, Support::Confirmed).is_usable();
        DnsName::parse(name).ok().filter(|_| is_usable)
    }

    fn confirmed(&self) -> impl Iterator<Item = &PtrName> {
        self.resolution.names.iter().filter(|ptr| self.lead(&ptr.forward) == Lead::Here)
    }

    fn leading_here(&self, forward: &Forward) -> Forward {
        let addresses = forward.addresses.iter().copied().chain(self.seen.ip).collect();
        Forward { status: Status::Found, addresses }
    }

    fn lead(&self, forward: &Forward) -> Lead {
        Lead::of(forward, self.seen.ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::host;
    use crate::judge::judge;

    fn clears(greeting: &str, reverse: &str, banner: &str, inventory: &Inventory) -> Option<String> {
        let remedies = judge(&host(greeting, reverse, banner), inventory).clears_by?;
        Some(remedies.iter().map(Remedy::as_str).collect::<Vec<_>>().join(" "))
    }

    const OWN: &str = "220 mail.kestrel.example ESMTP";
    const GENERIC: &str = "static-192-0-2-1.isp.example";

    #[test]
    fn a_change_counts_if_nothing_of_weight_is_left_behind_it() {
        for (greeting, reverse, banner, remedies) in [
            // A PTR record to the banner's name, which leads here.
            (OWN, "nxdomain", "here", Some("ptr")),
            (OWN, "static-192-0-2-1.isp.example=here", "here", Some("ptr")),
            // One PTR name of several, the one that confirms; or the other made to confirm as well.
            (OWN, "mail.kestrel.example=here old.kestrel.example=elsewhere", "here", Some("ptr forward")),
            (
                "220 *****",
                "mail.kestrel.example=here a.example.net=no_data b.example.net=no_data",
                "not_asked",
                Some("ptr"),
            ),
            // The banner's name does not lead here: a PTR record to it would be no better.
            (OWN, "nxdomain", "nxdomain", Some("")),
            (OWN, "nxdomain", "servfail", Some("")),
            // The name in the greeting, as the PTR record has it.
            ("220 localhost ESMTP", "mail.kestrel.example=here", "not_asked", Some("banner")),
            ("220 ESMTP", "mail.kestrel.example=here", "not_asked", Some("banner")),
            ("220 [192.0.2.1] ESMTP", "mail.kestrel.example=here", "not_asked", Some("banner")),
            // The provider's name is not to be taken.
            ("220 localhost ESMTP", "static-192-0-2-1.isp.example=here", "not_asked", Some("")),
            ("220 localhost ESMTP", "server7.ovh.net=here", "not_asked", Some("")),
            // An address record.
            (OWN, "mail.kestrel.example=nxdomain", "nxdomain", Some("forward")),
            (OWN, "mail.kestrel.example=elsewhere", "elsewhere", Some("forward")),
            (OWN, "out.kestrel.example=no_data", "here", Some("ptr forward")),
            (OWN, "out.kestrel.example=here", "nxdomain", Some("banner forward")),
            (OWN, "out.kestrel.example=elsewhere", "nxdomain", Some("")),
            // Nothing to clear.
            (OWN, "mail.kestrel.example=here", "here", None),
            (OWN, "x.example.net=here", "here", None),
            ("220 mx.google.com ESMTP 1 - gsmtp", "x.1e100.net=here", "elsewhere", None),
            // Nobody knows.
            (OWN, "servfail", "here", None),
            ("220 localhost ESMTP", "servfail", "not_asked", None),
            ("220 localhost ESMTP", "mail.kestrel.example=timed_out", "not_asked", None),
        ] {
            assert_eq!(
                clears(greeting, reverse, banner, &Inventory::default()).as_deref(),
                remedies,
                "{greeting} | {reverse} | {banner}"
            );
        }
    }

    #[test]
    fn names_of_others_are_not_taken() {
        for greeting in ["220 mx.google.com ESMTP", "220 vmi1.contaboserver.net ESMTP"] {
            assert_eq!(
                clears(greeting, "nxdomain", "here", &Inventory::default()).as_deref(),
                Some(""),
                "{greeting}"
            );
        }
    }

    #[test]
    fn what_the_user_expects_is_heeded() {
        let expects = |name: &str| Inventory { expected_name: Some(name.to_owned()), ..Inventory::default() };
        let reverse = "mx.kestrel.example=here";
        for (expected, remedies) in [
            ("mx.kestrel.example", Some("banner")),
            ("mail.kestrel.example", None),
            ("www.kestrel.example", Some("")),
        ] {
            assert_eq!(clears(OWN, reverse, "here", &expects(expected)).as_deref(), remedies, "{expected}");
        }
    }

    #[test]
    fn what_is_accepted_needs_no_remedy() {
        use crate::judge::accept::{Acceptance, Acceptances};
        use crate::judge::{Code, judge_in};
        use std::time::SystemTime;
        let acceptances = Acceptances::new(vec![Acceptance {
            code: Code::PtrGeneric,
            network: None,
            names: None,
            tags: Vec::new(),
            reason: "so it is".into(),
            until: "1970-01-01".into(),
            ends: SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(86_400),
        }]);
        let context = Context { accepts: Some((&acceptances, SystemTime::UNIX_EPOCH)), ..Context::default() };
        let clears = |greeting: &str, reverse: &str, banner: &str| {
            judge_in(&context, &host(greeting, reverse, banner), &Inventory::default()).clears_by
        };
        let reverse = format!("{GENERIC}=here");
        assert_eq!(clears(OWN, &reverse, "here"), None);
        let forward = clears(OWN, &reverse, "nxdomain").unwrap();
        assert_eq!(forward.iter().collect::<Vec<_>>(), [Remedy::Forward]);
    }
}
