//! What the answers to a want say: against the host, or for the upstream that gave them. Knows no upstream
//! but by number.

use std::net::IpAddr;

use super::{Asked, Goal, Inquiry};
use crate::evidence::{Resolution, Status};
use crate::name::DnsName;
use crate::resolve::later::LookupFailure;
use crate::resolve::question::{Answer, Kind, Question};
use crate::resolve::trust::Claim;

impl Inquiry {
    /// The answers that say something against the host, or against the name, and are to be checked before
    /// they count.
    pub(in crate::resolve) fn claims(&self) -> Vec<(usize, Claim)> {
        let mut claims = Vec::new();
        match &self.goal {
            Goal::Identity { ip, banner, known, .. } => {
                self.claims_of_host(*ip, banner.as_ref(), known.as_deref(), &mut claims);
            }
            Goal::Answer => self.claim_of_target(0, &mut claims),
            Goal::Addresses => self.claims_of_name([0, 1], &mut claims),
            Goal::MailHosts { hosts, .. } => {
                self.claim_of_target(0, &mut claims);
                for (_, _, indices) in hosts {
                    self.claims_of_name(*indices, &mut claims);
                }
            }
        }
        claims
    }

    fn claims_of_host(
        &self,
        ip: IpAddr,
        banner: Option<&DnsName>,
        known: Option<&Resolution>,
        claims: &mut Vec<(usize, Claim)>,
    ) {
        let ptr = self.asked.first().filter(|first| first.question.kind == Kind::Ptr);
        let ptr = ptr.and_then(|asked| asked.answer.as_deref());
        let is_ptr_name = |name: &DnsName| match (ptr, known) {
            (Some(ptr), _) => ptr.names().contains(name),
            (None, Some(known)) => known.names.iter().any(|ptr| ptr.name == *name),
            (None, None) => false,
        };
        let mut leads_back = false;
        for (index, asked) in self.asked.iter().enumerate() {
            let Some(answer) = asked.answer.as_deref().filter(|_| asked.question.kind != Kind::Ptr) else {
                continue;
            };
            let is_ptr_name = is_ptr_name(&asked.question.name);
            let is_here = answer.addresses().contains(&ip);
            leads_back |= is_here && is_ptr_name;
            // A name of a PTR answer that was taken back is nobody's any more.
            if is_here || !is_ptr_name && Some(&asked.question.name) != banner {
                continue;
            }
            match answer.status {
                Status::Found => claims.push((index, Claim::Elsewhere)),
                status if status.is_absent() => claims.push((index, Claim::Denial)),
                _ => {}
            }
        }
        match ptr.map(|ptr| ptr.status) {
            Some(status) if status.is_absent() => claims.push((0, Claim::Denial)),
            // Whoever invents PTR names invents ones that lead nowhere.
            Some(Status::Found) if !leads_back => claims.push((0, Claim::Elsewhere)),
            _ => {}
        }
    }

    /// Where the same upstream finds the one family and not the other, that it denies is as good as what it
    /// finds.
    fn claims_of_name(&self, indices: [usize; 2], claims: &mut Vec<(usize, Claim)>) {
        let upstream = |index: usize| self.answer(index)?.origin.as_ref().map(|origin| origin.upstream);
        let [one, other] = indices;
        for (index, pair) in [(one, other), (other, one)] {
            let is_found_beside = self.status(index) == Status::NoData
                && self.status(pair) == Status::Found
                && upstream(index) == upstream(pair);
            if !is_found_beside {
                self.claim_of_target(index, claims);
            }
        }
    }

    fn claim_of_target(&self, index: usize, claims: &mut Vec<(usize, Claim)>) {
        match self.status(index) {
            Status::Found => claims.push((index, Claim::Target)),
            status if status.is_absent() => claims.push((index, Claim::Denial)),
            _ => {}
        }
    }

    /// How it failed, if some answer that it has settles nothing, those aside that nobody could confirm.
    pub(in crate::resolve) fn failure(&self) -> Option<LookupFailure> {
        let answers = self.asked.iter().filter_map(|asked| asked.answer.as_deref());
        let failed = answers.filter(|it| !it.status.is_definite() && it.status != Status::Untrusted);
        let of = |it: &Answer| if it.was_late { LookupFailure::Late } else { LookupFailure::AtOnce };
        failed.map(of).max()
    }

    /// Whether some answer was none to its question, as those of filters and policy zones.
    pub(in crate::resolve) fn has_malformed(&self) -> bool {
        let answers = self.asked.iter().filter_map(|asked| asked.answer.as_deref());
        answers.map(|answer| answer.status).any(|status| status == Status::Malformed)
    }

    /// Names that an upstream has shown to lead to the host's address: by the number of the upstream, the
    /// questions that it answered so. The PTR question counts where the same upstream has the one name for
    /// the address that leads back.
    pub(in crate::resolve) fn confirmed_by(&self, mut take: impl FnMut(usize, &Question, IpAddr, &DnsName)) {
        let Goal::Identity { ip, .. } = self.goal else { return };
        let ptr = self.asked.first().filter(|first| first.question.kind == Kind::Ptr);
        for asked in &self.asked {
            // Of several records a server may give some now and others later.
            let Some(answer) = asked.answer.as_deref().filter(|answer| answer.addresses() == [ip]) else {
                continue;
            };
            let Some(origin) = &answer.origin else { continue };
            take(origin.upstream, &asked.question, ip, &asked.question.name);
            let sole = |ptr: &&Asked| {
                ptr.answer.as_deref().is_some_and(|ptr| {
                    ptr.names() == std::slice::from_ref(&asked.question.name)
                        && ptr.origin.as_ref().is_some_and(|other| other.upstream == origin.upstream)
                })
            };
            if let Some(ptr) = ptr.filter(sole) {
                take(origin.upstream, &ptr.question, ip, &asked.question.name);
            }
        }
    }
}
