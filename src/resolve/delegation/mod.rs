//! What the servers of a zone say, asked one by one, and which servers these are: found from the root
//! downwards, by what each parent delegates to, and not by what a resolver keeps. For
//! `banneret check --verify`, which asks few questions.
//!
//! By example: the PTR question of 192.0.2.1 leads from the root by four referrals to the servers of
//! `2.0.192.in-addr.arpa`. Each of them says that the name is an alias for `1.0-31.2.0.192.in-addr.arpa`, and
//! the way begins anew from the nearest zone known: that name is in a zone of other servers, one of which
//! refuses. So the walk has two legs, and the second one has a server that is lame.

mod exchange;
mod reply;
mod view;
mod walk;
#[cfg(test)]
mod walk_tests;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use self::reply::Meaning;
use super::question::{Answer, Question};
use super::settings::DNS_PORT;
use crate::name::DnsName;

pub use exchange::{Ask, Exchange, Manner, Network, NoReply, Reply};
pub use view::{View, Why};
pub use walk::Walker;

/// The way from a question to the zone that holds its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The question.
    pub question: Question,
    /// From alias to alias; the last one is where it ended.
    pub legs: Vec<Leg>,
    /// Whether the aliases lead in a circle, or further than is followed.
    pub is_endless: bool,
}

/// One name on the way, and what the servers of its zone say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The name.
    pub name: DnsName,
    /// The zone that it is in; the last one that was found, where the way ended before.
    pub zone: DnsName,
    /// How the zone's servers were found.
    pub basis: Basis,
    /// For how long the zone says that absences hold, where it was heard to.
    pub absent_for: Option<Duration>,
    /// For how long the delegation may be kept, where it was seen.
    pub delegated_for: Option<Duration>,
    /// For how long the resolver keeps servers that are delegated to no more, where it does.
    pub kept: Option<Duration>,
    /// A zone below that the resolver knows, and that this zone denies.
    pub undelegated: Option<DnsName>,
    /// Each server at each of its addresses.
    pub servers: Vec<Server>,
}

/// How the servers of a zone were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The zone above delegates to them.
    Parent,
    /// The resolver names them, for the zones above could not be asked.
    Resolver,
}

/// One server of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: DnsName,
    /// Where it was asked.
    pub ip: Option<IpAddr>,
    /// Who names it.
    pub listed: Listed,
    /// What it said.
    pub said: Said,
}

/// Who names a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The zone above delegates to it.
    Delegated,
    /// The zone itself names it, the zone above does not.
    ZoneOnly,
    /// The resolver alone names it: it was delegated to before.
    ResolverOnly,
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// With authority: records, or that there are none.
    Answer(Answer),
    /// With authority: the name is another name for this one, for so long.
    Alias(DnsName, Duration),
    /// Nothing of use.
    Trouble(Trouble),
}

/// Why a server says nothing of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing comes back.
    Silent,
    /// Its machine says that no DNS server listens there.
    Closed,
    /// REFUSED.
    Refused,
    /// SERVFAIL.
    ServFail,
    /// Another response code.
    Failed(u8),
    /// It answers without authority: it does not serve the zone.
    Lame,
    /// It sends the asker to the servers of another zone, which nobody else does.
    RefersTo(DnsName),
    /// Its answer says neither what there is nor that there is nothing.
    Unclear,
    /// Its name has no address.
    NoAddress,
    /// Its address is reserved or excluded, and was not asked.
    Excluded,
    /// This machine has no way to its address.
    NoWay,
    /// The time was over before it was asked.
    OutOfTime,
}

impl Trouble {
    /// The word for programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::ServFail => "servfail",
            Self::Failed(_) => "failed",
            Self::Lame => "lame",
            Self::RefersTo(_) => "refers_elsewhere",
            Self::Unclear => "unclear",
            Self::NoAddress => "no_address",
            Self::Excluded => "excluded",
            Self::NoWay => "no_way",
            Self::OutOfTime => "out_of_time",
        }
    }

    /// Whether it lies with the server, and not with this machine or its time.
    pub fn is_the_servers(&self) -> bool {
        !matches!(self, Self::Excluded | Self::NoWay | Self::OutOfTime)
    }
}

impl Server {
    /// Whether the world may come to ask it.
    pub fn counts(&self) -> bool {
        self.listed != Listed::ResolverOnly
    }

    /// What is wrong with it, if anything.
    pub fn trouble(&self) -> Option<&Trouble> {
        if let Said::Trouble(trouble) = &self.said { Some(trouble) } else { None }
    }
}

impl Leg {
    /// The servers that the world may come to ask.
    pub fn counted(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(|server| server.counts())
    }

    /// Where the name leads on, if a server says that it is an alias.
    pub fn alias(&self) -> Option<(&DnsName, Duration)> {
        self.counted().find_map(|server| match &server.said {
            Said::Alias(target, ttl) => Some((target, *ttl)),
            _ => None,
        })
    }

    /// Whether the servers that say something say different things.
    pub fn is_divided(&self) -> bool {
        let mut said =
            self.counted().map(|server| &server.said).filter(|said| !matches!(said, Said::Trouble(_)));
        let Some(first) = said.next() else { return false };
        said.any(|other| !agree(first, other))
    }

    /// Whether one of its servers that were of use answers another question about the same zone, too.
    pub fn answers(&self, exchange: &dyn Exchange, question: &Question) -> bool {
        let of_use = self.counted().filter(|server| server.trouble().is_none());
        let asks = of_use.filter_map(|server| {
            let at = SocketAddr::new(server.ip?, DNS_PORT);
            Some(Ask { at, question: question.clone(), manner: Manner::Authority })
        });
        let is_answer = |reply: &Reply| {
            matches!(
                reply::meaning(reply, question, &self.zone),
                Meaning::Said(Said::Answer(_) | Said::Alias(..))
            )
        };
        let replies = exchange.put(&asks.collect::<Vec<_>>(), &|_, reply| is_answer(reply));
        replies.iter().flatten().any(is_answer)
    }

    /// Servers that were of no use.
    pub fn troubled(&self) -> impl Iterator<Item = (&Server, &Trouble)> {
        self.counted().filter_map(|server| Some((server, server.trouble()?)))
    }
}

impl Walk {
    /// What is published: the answer at the end, if all servers that say something agree on the way there.
    pub fn published(&self) -> Option<&Answer> {
        if self.is_endless || self.legs.iter().any(Leg::is_divided) {
            return None;
        }
        self.legs.last()?.counted().find_map(|server| match &server.said {
            Said::Answer(answer) => Some(answer),
            _ => None,
        })
    }
}

fn agree(one: &Said, other: &Said) -> bool {
    match (one, other) {
        (Said::Answer(one), Said::Answer(other)) => one.says_the_same(other),
        (Said::Alias(one, _), Said::Alias(other, _)) => one == other,
        _ => false,
    }
}
