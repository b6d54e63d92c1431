//! What one reply of a server means to who comes down from a zone above: an answer, an alias, a referral
//! further down, or nothing of use. Pure.

use std::net::IpAddr;
use std::time::Duration;

use super::exchange::{NoReply, Reply};
use super::{Said, Trouble};
use crate::evidence::Status;
use crate::name::DnsName;
use crate::resolve::question::{Answer, Question};
use crate::resolve::wire::{Data, End, Sections};

/// Where a referral leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Referral {
    /// The zone that is delegated.
    pub(super) zone: DnsName,
    /// Its servers.
    pub(super) servers: Vec<DnsName>,
    /// Addresses of servers that stand in the zone that refers, or below it (RFC 8499, glue).
    pub(super) glue: Vec<(DnsName, IpAddr)>,
    /// For how long it may be kept.
    pub(super) ttl: Duration,
}

/// What a reply means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The zone is found, or the server is of no use.
    Said(Said),
    /// Ask further down.
    Referral(Referral),
}

/// What a reply of a server of `zone` means.
pub(super) fn meaning(reply: &Reply, question: &Question, zone: &DnsName) -> Meaning {
    let sections = match reply {
        Ok(sections) => sections,
        Err(no_reply) => return Meaning::Said(Said::Trouble(trouble_of(*no_reply))),
    };
    let failed = match sections.code {
        0 | 3 => None,
        2 => Some(Trouble::ServFail),
        5 => Some(Trouble::Refused),
        code => Some(Trouble::Failed(code)),
    };
    if let Some(trouble) = failed {
        return Meaning::Said(Said::Trouble(trouble));
    }
    if let Some(referral) = referral(sections, question, zone) {
        return Meaning::Referral(referral);
    }
    if !sections.is_authoritative {
        return Meaning::Said(Said::Trouble(Trouble::Lame));
    }
    Meaning::Said(said(sections, question))
}

fn trouble_of(no_reply: NoReply) -> Trouble {
    match no_reply {
        NoReply::Silent => Trouble::Silent,
        NoReply::Closed => Trouble::Closed,
        NoReply::NoWay => Trouble::NoWay,
        NoReply::OutOfTime => Trouble::OutOfTime,
    }
}

/// A referral leads down: to a zone below the one whose server refers, at or above the name asked. One that
/// leads up or aside is a lame server's.
fn referral(sections: &Sections, question: &Question, zone: &DnsName) -> Option<Referral> {
    if sections.code != 0 || !sections.answers.is_empty() {
        return None;
    }
    let name_server = |held: &crate::resolve::wire::Held| match &held.data {
        Data::Ns(server) => Some((held.owner.clone(), server.clone(), held.ttl)),
        _ => None,
    };
    let all: Vec<_> = sections.authorities.iter().filter_map(name_server).collect();
    let (child, _, ttl) = all.first()?;
    let is_down = child != zone && zone.is_at_or_above(child) && child.is_at_or_above(&question.name);
    if !is_down {
        return None;
    }
    let servers: Vec<DnsName> =
        all.iter().filter(|(owner, ..)| owner == child).map(|(_, server, _)| server.clone()).collect();
    let glue = sections.additionals.iter().filter_map(|held| match held.data {
        Data::Address(ip) if zone.is_at_or_above(&held.owner) && servers.contains(&held.owner) => {
            Some((held.owner.clone(), ip))
        }
        _ => None,
    });
    let glue = glue.collect();
    Some(Referral { zone: child.clone(), servers, glue, ttl: seconds(*ttl) })
}

/// What is said with authority.
fn said(sections: &Sections, question: &Question) -> Said {
    let (links, _) = sections.chain(&question.name, question.kind);
    // What stands behind an alias may be another zone's, of which this server need not be one.
    if let Some(link) = links.first() {
        return Said::Alias(link.target.clone(), seconds(link.ttl));
    }
    match sections.chain(&question.name, question.kind).1 {
        End::Found(records, ttl) => Said::Answer(Answer::found(records, seconds(ttl))),
        End::NoData(zone, ttl) => Said::Answer(absent(Status::NoData, zone, ttl)),
        End::NxDomain(zone, ttl) => Said::Answer(absent(Status::NxDomain, zone, ttl)),
        End::Open => Said::Trouble(Trouble::Unclear),
    }
}

pub(super) fn absent(status: Status, zone: DnsName, ttl: u32) -> Answer {
    Answer { ttl: seconds(ttl), zone: Some(zone), ..Answer::bare(status) }
}

pub(super) fn seconds(ttl: u32) -> Duration {
    Duration::from_secs(u64::from(ttl))
}
