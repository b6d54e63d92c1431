//! Whether two sets of answers to one want, of different upstreams, come to different words about the host.
//! Addresses that differ make no difference as long as the host's own is in both or in neither: large names
//! lead here and there by turns, or by who asks. Knows no upstream.

use std::net::IpAddr;

use super::{Goal, Inquiry};
use crate::evidence::{Resolution, Status};
use crate::name::{DnsName, HostName, registrable};
use crate::resolve::question::{Answer, Kind};
use crate::resolve::trust::Claim;

/// What a host is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Some answer is missing.
    Open,
    NoPtr,
    Unconfirmed,
    /// Some PTR name leads back; how near such a name is to the banner's, if no open one may be nearer.
    Confirmed(Option<Nearness>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Equal,
    SameDomain,
    Other,
}

/// Where a name leads, as seen from one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    Here,
    Elsewhere,
    Nowhere,
}

impl Word {
    fn contradicts(self, other: Self) -> bool {
        match (self, other) {
            (Self::Open, _) | (_, Self::Open) => false,
            (Self::Confirmed(one), Self::Confirmed(other)) => {
                one.zip(other).is_some_and(|(one, other)| one != other)
            }
            (one, other) => one != other,
        }
    }
}

impl Inquiry {
    /// The questions whose answers decide a word against the host, or that a target's name does not exist.
    pub(in crate::resolve) fn decisive(&self) -> Vec<usize> {
        let claims = self.claims();
        let Goal::Identity { ip, banner, .. } = &self.goal else {
            let denials = claims.into_iter().filter(|(_, claim)| *claim == Claim::Denial);
            return denials.filter(|_| !matches!(self.goal, Goal::Answer)).map(|(index, _)| index).collect();
        };
        let ptr = self.ptr();
        let is_ptr_name = |name: &DnsName| ptr.is_some_and(|(_, answer)| answer.names().contains(name));
        if claims.is_empty() && banner.as_ref().is_none_or(is_ptr_name) {
            return Vec::new();
        }
        let mut indices: Vec<usize> = claims.iter().map(|(index, _)| *index).collect();
        match self.word(*ip) {
            Word::NoPtr | Word::Unconfirmed => {}
            Word::Confirmed(Some(Nearness::Other)) if banner.is_some() => {
                indices.extend(ptr.map(|(index, _)| index));
            }
            // The greeting's name has a finding of its own.
            Word::Confirmed(_) | Word::Open => {
                indices.retain(|&index| Some(&self.asked[index].question.name) == banner.as_ref());
            }
        }
        indices
    }

    /// The questions that this and the first opinion answer so differently that the host would be told
    /// another word.
    pub(in crate::resolve) fn contradictions(&self, first: &Self) -> Vec<usize> {
        let both = first.asked.iter().zip(&self.asked).enumerate();
        let both = both.filter_map(|(index, (one, other))| {
            Some((index, &one.question, one.answer.as_deref()?, other.answer.as_deref()?))
        });
        let both = both.filter(|(.., one, other)| one.status.is_definite() && other.status.is_definite());
        let Goal::Identity { ip, banner, .. } = &self.goal else {
            let is_found =
                both.filter(|(.., one, other)| one.status.is_absent() && !other.status.is_absent());
            return is_found.map(|(index, ..)| index).collect();
        };
        let is_other_word = first.word(*ip).contradicts(self.word(*ip));
        let ptr = first.ptr();
        let is_ptr_name = |name: &DnsName| ptr.is_some_and(|(_, answer)| answer.names().contains(name));
        let differ = both.filter(|(_, question, one, other)| match question.kind {
            Kind::Ptr if one.status.is_absent() != other.status.is_absent() => true,
            Kind::Ptr => is_other_word && !one.says_the_same(other),
            _ if is_ptr_name(&question.name) || banner.as_ref() != Some(&question.name) => {
                is_other_word && (lead(one, *ip) == Lead::Here) != (lead(other, *ip) == Lead::Here)
            }
            _ => lead(one, *ip) != lead(other, *ip),
        });
        differ.map(|(index, ..)| index).collect()
    }

    fn ptr(&self) -> Option<(usize, &Answer)> {
        let first = self.asked.first().filter(|first| first.question.kind == Kind::Ptr)?;
        Some((0, first.answer.as_deref()?))
    }

    fn word(&self, ip: IpAddr) -> Word {
        let Goal::Identity { banner, choice, known, .. } = &self.goal else { return Word::Open };
        let resolution = self.identity(ip, banner.as_ref(), choice, known.as_deref());
        word(&resolution, ip, choice.banner.as_ref())
    }
}

fn lead(answer: &Answer, ip: IpAddr) -> Lead {
    match answer.status {
        Status::Found if answer.addresses().contains(&ip) => Lead::Here,
        Status::Found => Lead::Elsewhere,
        _ => Lead::Nowhere,
    }
}

fn word(resolution: &Resolution, ip: IpAddr, banner: Option<&HostName>) -> Word {
    match resolution.ptr {
        status if status.is_absent() => return Word::NoPtr,
        Status::Found => {}
        _ => return Word::Open,
    }
    let (mut nearest, mut at_best) = (None::<Nearness>, None::<Nearness>);
    let mut is_open = resolution.names.len() < resolution.ptr_count as usize;
    for ptr in &resolution.names {
        let near = nearness(&ptr.name, banner);
        let confirms = ptr.forward.confirms(Some(ip));
        let is_away = confirms == Some(false) || ptr.forward.status.is_absent();
        if confirms == Some(true) {
            nearest = Some(nearest.map_or(near, |it| it.min(near)));
        } else if !is_away {
            is_open = true;
            at_best = Some(at_best.map_or(near, |it| it.min(near)));
        }
    }
    match (nearest, at_best) {
        (Some(nearest), Some(open)) if open < nearest => Word::Confirmed(None),
        (Some(nearest), _) => Word::Confirmed(Some(nearest)),
        (None, _) if is_open => Word::Open,
        (None, _) => Word::Unconfirmed,
    }
}

fn nearness(name: &DnsName, banner: Option<&HostName>) -> Nearness {
    let Some(banner) = banner else { return Nearness::Other };
    if *name == DnsName::from_host(banner) {
        return Nearness::Equal;
    }
    let domain = banner.registrable();
    let is_same = domain.is_some() && registrable(&name.to_string()) == domain;
    if is_same { Nearness::SameDomain } else { Nearness::Other }
}
