//! Several changes at once, where no single one is enough: one name is chosen for the host, and PTR record,
//! address record and greeting are brought to it.
//!
//! For `220 mail.a.example` at 192.0.2.1, whose name has no address, and no PTR record: `mail.a.example` is
//! given the address, and then the PTR record. Where nothing offers a name that its operator may use, the
//! changes stand without one.

use super::super::platform::Kind;
use super::super::shape::{Shape, Support};
use super::super::{Verdict, malformed};
use super::{Host, change, host_name, with_ptr};
use crate::evidence::{Forward, PtrName, Status};
use crate::judge::fcrdns::Lead;
use crate::judge::remedy::Change;
use crate::judge::what_if::Remedy;
use crate::name::{DnsName, HostName};
use crate::smtp::greeting::{Form, Greeting};

impl Host<'_, '_> {
    /// The fewest changes that clear the host and leave one name in every place.
    pub(super) fn together(&self) -> Vec<Change> {
        let kind = self.seen.platform.as_ref().map(|(_, row)| row.kind);
        let mut best: Option<Vec<Change>> = None;
        for (name, forward) in self.candidates() {
            let Some(changes) = self.to_name(&name, forward.as_ref()) else { continue };
            if best.as_ref().is_none_or(|best| changes.len() < best.len()) {
                best = Some(changes);
            }
        }
        match best {
            Some(changes) => changes,
            // What a service sets for its customers is nobody else's to agree on.
            None if matches!(kind, Some(Kind::Provider | Kind::Relay)) => Vec::new(),
            None => [Remedy::Forward, Remedy::Ptr, Remedy::Banner].map(|remedy| change(remedy, None)).into(),
        }
    }

    /// Names that the host could have everywhere, the best first: the user's, the greeting's, a PTR name.
    fn candidates(&self) -> Vec<(DnsName, Option<Forward>)> {
        let expected = self.inventory.expected_name.as_deref().map(str::trim);
        let expected = expected.and_then(|name| HostName::parse(name).ok());
        let expected = expected.and_then(|name| DnsName::parse(name.as_str()).ok());
        let banner = self.banner().filter(|name| self.is_own(name));
        let known = |name: &DnsName| {
            let ptr = self.resolution.names.iter().find(|ptr| ptr.name == *name);
            let said = banner.as_ref() == Some(name);
            ptr.map(|ptr| ptr.forward.clone())
                .or_else(|| said.then(|| self.resolution.banner_forward.clone()))
        };
        if let Some(name) = expected {
            let forward = known(&name);
            return vec![(name, forward)];
        }
        let ptrs = self.seen.ptrs();
        let is_own = |ptr: &&PtrName| {
            let is_flawed = ptrs.iter().any(|it| *it.name() == ptr.name && malformed::flaw(it).is_some());
            !is_flawed && self.is_own(&ptr.name)
        };
        let (here, away): (Vec<&PtrName>, Vec<&PtrName>) = self
            .resolution
            .names
            .iter()
            .filter(is_own)
            .partition(|ptr| self.lead(&ptr.forward) == Lead::Here);
        let ptrs = here.into_iter().chain(away).map(|ptr| ptr.name.clone());
        let names = banner.iter().cloned().chain(ptrs);
        names.map(|name| (name.clone(), known(&name))).collect()
    }

    /// Whether its operator can have chosen the name, and can publish it.
    fn is_own(&self, name: &DnsName) -> bool {
        let text = name.to_string();
        let form = if text.contains('.') { Form::Host } else { Form::SingleLabel };
        let greeting = Greeting { name: Some(text.clone()), form, extra_names: Vec::new(), refusal: None };
        let is_usable = Shape::of(&greeting, Support::None).is_usable();
        is_usable && !self.is_assigned(&text) && !self.is_others(&text)
    }

    /// The changes that leave the host with this name alone; `None` if it would not be in order with it.
    fn to_name(&self, name: &DnsName, forward: Option<&Forward>) -> Option<Vec<Change>> {
        let said = host_name(name)?;
        let nothing = Forward { status: Status::NoData, addresses: Vec::new() };
        let forward = forward.unwrap_or(&nothing);
        let leads_here = self.lead(forward) == Lead::Here;
        let forward = if leads_here { forward.clone() } else { self.leading_here(forward) };
        let ptr = PtrName { name: name.clone(), forward: forward.clone() };
        let has_ptr = matches!(self.resolution.names.as_slice(), [only] if only.name == *name);
        let greets = self.seen.banner.name.as_deref() == Some(said.as_str());
        let resolution = with_ptr(ptr, forward);
        let supposed = self.greeting(said.as_str().to_owned(), &resolution);
        let verdict = supposed.judge(super::super::Around::default(), self.inventory).verdict;
        if verdict != Some(Verdict::Match) || !self.is_clear(&supposed) {
            return None;
        }
        let needed = [(Remedy::Forward, !leads_here), (Remedy::Ptr, !has_ptr), (Remedy::Banner, !greets)];
        let changes = needed.into_iter().filter(|(_, is_needed)| *is_needed);
        Some(changes.map(|(remedy, _)| change(remedy, Some(said.clone()))).collect())
    }
}
