//! What a resolver says to a question, record by record, and why it says nothing where it fails. Its answers
//! are not checked here: the planner's are, and these tell for how long each part of them is kept.

use std::net::SocketAddr;

use super::exchange::{Ask, Exchange, Manner, Reply};
use crate::name::DnsName;
use crate::resolve::question::{Kind, Question};
use crate::resolve::wire::{Data, End, Link};

/// SERVFAIL (RFC 1035 §4.1.1).
const SERVFAIL: u8 = 2;
/// Extended errors that speak of DNSSEC (RFC 8914 §4.2 to §4.3, §4.6 to §4.13): a resolver says them only
/// where it checks.
const DNSSEC_ERRORS: [u16; 10] = [1, 2, 5, 6, 7, 8, 9, 10, 11, 12];
/// What extended errors say, where that helps (RFC 8914 §4, RFC 9520 §3).
const ERRORS: [(u16, &str); 20] = [
    (1, "unsupported DNSKEY algorithm"),
    (2, "unsupported DS digest"),
    (3, "stale answer"),
    (5, "DNSSEC indeterminate"),
    (6, "DNSSEC bogus"),
    (7, "signature expired"),
    (8, "signature not yet valid"),
    (9, "DNSKEY missing"),
    (10, "RRSIGs missing"),
    (11, "no zone key bit set"),
    (12, "NSEC missing"),
    (13, "cached error"),
    (15, "blocked"),
    (16, "censored"),
    (17, "filtered"),
    (18, "prohibited"),
    (19, "stale NXDOMAIN answer"),
    (20, "not authoritative"),
    (22, "no reachable authority"),
    (23, "network error"),
];

/// What a resolver says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The aliases on the way, each with the time that it is kept for.
    pub links: Vec<Link>,
    /// What stands at their end.
    pub end: End,
    /// Whether it has checked the signatures of all of it.
    pub is_checked: bool,
    /// Why it says nothing, where it does not.
    pub why: Option<Why>,
}

/// Why a resolver fails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Why {
    /// Whether it gives the records to who asks it not to check signatures.
    pub is_dnssec: bool,
    /// What it says itself, in words.
    pub errors: Vec<&'static str>,
}

impl View {
    /// Asks the resolver; where it fails once more, without a look at signatures. `None` if it is silent.
    pub fn ask(exchange: &dyn Exchange, resolver: SocketAddr, question: &Question) -> Option<Self> {
        let sections = ask_one(exchange, resolver, question, Manner::Recursive)?.ok()?;
        let (links, end) = sections.chain(&question.name, question.kind);
        let failed = sections.code == SERVFAIL;
        let speaks_of_dnssec = sections.errors.iter().any(|code| DNSSEC_ERRORS.contains(code));
        let is_dnssec = failed && {
            let unchecked = ask_one(exchange, resolver, question, Manner::Unchecked);
            let answers = unchecked.is_some_and(|reply| {
                reply.is_ok_and(|told| told.chain(&question.name, question.kind).1 != End::Open)
            });
            answers || speaks_of_dnssec
        };
        let words = sections
            .errors
            .iter()
            .filter_map(|code| ERRORS.iter().find(|(known, _)| known == code).map(|(_, words)| *words));
        let why = (failed || end == End::Open).then(|| Why { is_dnssec, errors: words.collect() });
        Some(Self { links, end, is_checked: sections.is_checked, why })
    }
}

/// The name servers of a zone as the resolver knows them, and for how many seconds.
pub(super) fn name_servers(reply: &Reply, zone: &DnsName) -> Option<(Vec<DnsName>, u32)> {
    let sections = reply.as_ref().ok().filter(|sections| sections.code == 0)?;
    let own = sections.answers.iter().filter(|held| held.owner == *zone);
    let servers: Vec<(DnsName, u32)> = own
        .filter_map(|held| match &held.data {
            Data::Ns(server) => Some((server.clone(), held.ttl)),
            _ => None,
        })
        .collect();
    let ttl = servers.iter().map(|(_, ttl)| *ttl).min()?;
    Some((servers.into_iter().map(|(server, _)| server).collect(), ttl))
}

/// The question for the name servers of a zone, put to the resolver.
pub(super) fn ask_for_servers(resolver: SocketAddr, zone: &DnsName) -> Ask {
    Ask { at: resolver, question: Question::new(zone.clone(), Kind::Ns), manner: Manner::Recursive }
}

fn ask_one(exchange: &dyn Exchange, at: SocketAddr, question: &Question, manner: Manner) -> Option<Reply> {
    let ask = Ask { at, question: question.clone(), manner };
    exchange.put(&[ask], &|_, _| true).pop().flatten()
}
