//! What the rules ask, answered from evidence: yes, no, or unknown.

use std::net::IpAddr;

use super::table::{Condition, Rule};
use super::{About, Effect};
use crate::evidence::Evidence;
use crate::judge::defaults;
use crate::judge::fcrdns::Lead;
use crate::judge::generic;
use crate::judge::malformed::{self, PtrFlaw};
use crate::judge::ptr::Ptr;
use crate::judge::{Fcrdns, Judgement};
use crate::name::HostName;
use crate::smtp::greeting::{Form, Greeting};
use crate::targets::Inventory;

/// An answer of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Unknown,
}

use Answer::{No, Unknown, Yes};

impl From<bool> for Answer {
    fn from(holds: bool) -> Self {
        if holds { Yes } else { No }
    }
}

/// What is known of a host as a client.
pub(super) struct Facts<'a> {
    ip: Option<IpAddr>,
    fcrdns: Fcrdns,
    ptrs: Vec<Ptr<'a>>,
    /// Whether every PTR name is among `ptrs`.
    whole: bool,
    helo: Helo,
    observed: bool,
    helo_lead: Lead,
}

/// The name in HELO: its text in normal form where it is one, and its form.
struct Helo {
    name: Option<String>,
    form: Form,
}

impl<'a> Facts<'a> {
    pub(super) fn of(evidence: &'a Evidence, inventory: &Inventory, judgement: &Judgement) -> Self {
        let resolution = evidence.resolution.as_ref();
        let ptrs = resolution.map(|r| Ptr::all(r, evidence.ip)).unwrap_or_default();
        let observed = inventory.helo_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let helo = observed.map_or_else(|| stand_in(evidence), Helo::read);
        let banner_lead = match resolution {
            Some(resolution) if helo.name.is_some() && helo.name == judgement.banner_name => {
                Lead::of(&resolution.banner_forward, evidence.ip)
            }
            _ => Lead::Unknown,
        };
        let same = ptrs.iter().find(|ptr| helo.name.as_deref().is_some_and(|name| ptr.is(name)));
        let helo_lead =
            if banner_lead == Lead::Unknown { same.map_or(Lead::Unknown, Ptr::lead) } else { banner_lead };
        Self {
            ip: evidence.ip,
            fcrdns: judgement.fcrdns.unwrap_or(Fcrdns::TempError),
            whole: resolution.is_some_and(crate::judge::fcrdns::is_whole),
            ptrs,
            helo,
            observed: observed.is_some(),
            helo_lead,
        }
    }

    pub(super) fn helo_name(&self) -> Option<&str> {
        self.helo.name.as_deref()
    }

    pub(super) fn is_observed(&self) -> bool {
        self.observed
    }

    /// What a rule does here.
    pub(super) fn effect(&self, rule: &Rule) -> Effect {
        if rule.condition.about() == About::Helo && self.is_nothing_known_of_helo() {
            return Effect::Unknown;
        }
        match self.answer(rule.condition) {
            Yes => rule.effect,
            No => Effect::Pass,
            Unknown => Effect::Unknown,
        }
    }

    /// A banner without a name says nothing of the name in HELO.
    fn is_nothing_known_of_helo(&self) -> bool {
        matches!(self.helo.form, Form::Absent | Form::Masked)
    }

    fn answer(&self, condition: Condition) -> Answer {
        match condition {
            Condition::NoPtr => self.no_ptr(),
            Condition::NoPtrOnIpv6 => match self.ip {
                Some(IpAddr::V4(_)) => No,
                Some(IpAddr::V6(_)) => self.no_ptr(),
                None => Unknown,
            },
            Condition::Unconfirmed => match self.fcrdns {
                Fcrdns::Pass => No,
                Fcrdns::Fail | Fcrdns::PermError => Yes,
                Fcrdns::TempError => Unknown,
            },
            Condition::UnconfirmedWithPtr => match self.fcrdns {
                Fcrdns::Pass | Fcrdns::PermError => No,
                Fcrdns::Fail => Yes,
                Fcrdns::TempError => Unknown,
            },
            Condition::UnconfirmedByOne => self.unconfirmed_by_one(),
            Condition::GenericPtr => self.generic_ptr(),
            Condition::UnconfirmedOrGeneric => {
                match (self.answer(Condition::Unconfirmed), self.generic_ptr()) {
                    (Yes, _) | (_, Yes) => Yes,
                    (No, No) => No,
                    _ => Unknown,
                }
            }
            Condition::PtrLocalhost => self.of_ptrs(|ptr| malformed::flaw(ptr) == Some(PtrFlaw::Localhost)),
            Condition::HeloIsNotPtr => self.helo_is_not_ptr(),
            Condition::HeloIsNotPtrOfSound => match self.fcrdns {
                Fcrdns::Pass => self.helo_is_not_ptr(),
                Fcrdns::Fail | Fcrdns::PermError => No,
                Fcrdns::TempError => Unknown,
            },
            Condition::HeloUnverified => self.helo_unverified(),
            Condition::HeloResolvesElsewhere => match self.helo_lead {
                Lead::Elsewhere => Yes,
                Lead::Here | Lead::Nowhere => No,
                Lead::Unknown => Unknown,
            },
            // No address in the target's family does not prove that there is none in the other, nor an MX
            // record.
            Condition::HeloWithoutAOrMx => match self.helo_lead {
                Lead::Here | Lead::Elsewhere => No,
                Lead::Nowhere | Lead::Unknown => Unknown,
            },
            Condition::HeloNotQualified => (!self.is_literal() && (self.is_bare() || !self.has_dot())).into(),
            Condition::HeloInvalid => (!self.is_literal() && (self.is_bare() || self.has_bad_bytes())).into(),
            Condition::HeloBareAddress => self.is_bare().into(),
            Condition::HeloOneLabel => (self.helo.name.is_some() && !self.has_dot()).into(),
            Condition::HeloOneLabelOrPrivate => {
                let private = self.helo_name().is_some_and(defaults::has_private_suffix);
                (private || self.helo.name.is_some() && !self.has_dot()).into()
            }
            Condition::HeloLocalhost => self.helo_name().is_some_and(is_localhost).into(),
            Condition::HeloGeneric => match (self.helo_name(), self.ip) {
                (Some(name), Some(ip)) => generic::sign(name, ip).is_some().into(),
                (None, _) => No,
                (_, None) => Unknown,
            },
        }
    }

    fn no_ptr(&self) -> Answer {
        match self.fcrdns {
            Fcrdns::PermError => Yes,
            Fcrdns::Pass | Fcrdns::Fail => No,
            Fcrdns::TempError if !self.ptrs.is_empty() => No,
            Fcrdns::TempError => Unknown,
        }
    }

    /// Postfix takes one PTR name, nobody knows which: it is certain only where all are alike.
    fn unconfirmed_by_one(&self) -> Answer {
        let away = self.ptrs.iter().all(|ptr| ptr.lead().is_away());
        let here = self.ptrs.iter().all(Ptr::is_confirmed);
        match self.fcrdns {
            Fcrdns::PermError => Yes,
            _ if self.ptrs.is_empty() || !self.whole => Unknown,
            _ if here => No,
            _ if away => Yes,
            _ => Unknown,
        }
    }

    fn generic_ptr(&self) -> Answer {
        self.of_ptrs(Ptr::is_generic)
    }

    fn of_ptrs(&self, test: impl Fn(&Ptr<'a>) -> bool) -> Answer {
        match self.fcrdns {
            Fcrdns::PermError => No,
            _ if self.ptrs.iter().any(&test) => Yes,
            _ if self.whole => No,
            _ => Unknown,
        }
    }

    fn helo_is_not_ptr(&self) -> Answer {
        let Some(name) = self.helo_name() else { return Yes };
        match self.fcrdns {
            Fcrdns::PermError => Yes,
            _ if self.ptrs.iter().any(|ptr| ptr.is(name)) => No,
            _ if self.whole => Yes,
            _ => Unknown,
        }
    }

    /// Exim: not the address in brackets, not the confirmed name, and not a name that leads here.
    fn helo_unverified(&self) -> Answer {
        if self.is_literal() {
            // The evidence does not keep which address stood there.
            return Unknown;
        }
        let Some(name) = self.helo_name() else { return Yes };
        if self.helo_lead == Lead::Here || self.ptrs.iter().any(|ptr| ptr.is_confirmed() && ptr.is(name)) {
            return No;
        }
        if self.helo_lead.is_away() && self.fcrdns != Fcrdns::TempError { Yes } else { Unknown }
    }

    fn is_literal(&self) -> bool {
        self.helo.form == Form::Literal
    }

    fn is_bare(&self) -> bool {
        self.helo.form == Form::BareAddress
    }

    fn has_dot(&self) -> bool {
        self.helo_name().is_some_and(|name| name.contains('.'))
    }

    /// Postfix lets underscores pass.
    fn has_bad_bytes(&self) -> bool {
        self.helo_name().is_none_or(|name| HostName::parse(&name.replace('_', "x")).is_err())
    }
}

fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.starts_with("localhost.") || name.ends_with(".localhost")
}

fn stand_in(evidence: &Evidence) -> Helo {
    let Greeting { name, form, .. } = crate::judge::banner::banner(evidence);
    Helo { name, form }
}

impl Helo {
    fn read(text: &str) -> Self {
        let address = |text: &str| text.parse::<IpAddr>().is_ok();
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if address(inner.strip_prefix("IPv6:").unwrap_or(inner)) {
                return Self { name: None, form: Form::Literal };
            }
        } else if address(text) {
            return Self { name: None, form: Form::BareAddress };
        }
        match HostName::parse(text) {
            Ok(host) => {
                let form = if host.is_qualified() { Form::Host } else { Form::SingleLabel };
                Self { name: Some(host.as_str().to_owned()), form }
            }
            Err(_) => Self { name: Some(text.to_ascii_lowercase()), form: Form::Placeholder },
        }
    }
}
