//! From the root down to the zone of a name, by what each zone delegates to, and on from alias to alias. The
//! resolver is asked where the way begins: for the servers of the root, which nobody moves. Where these can't
//! be asked, as inside a network of one's own, the way begins at the highest zone that the resolver names
//! servers for, and says so.

mod addresses;
mod begin;
mod hear;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::exchange::{Ask, Exchange, Manner, NoReply, Reply};
use super::reply::{Meaning, Referral, meaning};
use super::view::name_servers;
use super::{Basis, Leg, Said, Walk};
use crate::name::DnsName;
use crate::resolve::question::{Kind, Question};
use crate::resolve::settings::DNS_PORT;
use crate::resolve::wire::Data;

/// Aliases followed, as resolvers do.
const MAX_LEGS: usize = 8;
/// Zones below one another; `ip6.arpa` could have 34.
const MAX_DEPTH: usize = 34;
/// Servers of one zone that are asked: no zone that is looked after has more.
const MAX_SERVERS: usize = 16;
/// Servers of a zone that are asked at once for the way down, before the others are.
const AT_FIRST: usize = 3;
/// Servers of a zone that are asked whether they are there at all.
const AT_ONCE: usize = 6;
/// Names of servers that are looked up on the way to the address of another server.
const MAX_NESTED: u8 = 3;

/// The servers of a zone.
#[derive(Debug, Clone)]
struct Cut {
    basis: Basis,
    delegated_for: Option<Duration>,
    servers: Vec<(DnsName, Vec<IpAddr>)>,
}

/// Walks from zone to zone, and keeps those that it has met.
pub struct Walker<'a> {
    exchange: &'a dyn Exchange,
    resolver: SocketAddr,
    may_ask: &'a dyn Fn(IpAddr) -> bool,
    cuts: BTreeMap<DnsName, Cut>,
    is_primed: bool,
    /// Servers that did not answer are not waited for again.
    dead: BTreeMap<SocketAddr, NoReply>,
    nested: u8,
    has_heard: bool,
}

enum Step {
    Down(DnsName),
    Here,
}

impl<'a> Walker<'a> {
    /// Nothing known. Only addresses are asked that `may_ask` is true of, the resolver's aside.
    pub fn new(
        exchange: &'a dyn Exchange,
        resolver: SocketAddr,
        may_ask: &'a dyn Fn(IpAddr) -> bool,
    ) -> Self {
        let (cuts, dead) = (BTreeMap::new(), BTreeMap::new());
        Self { exchange, resolver, may_ask, cuts, is_primed: false, dead, nested: 0, has_heard: false }
    }

    /// Whether any server spoke for its zone: if none did, that is hardly the fault of all.
    pub fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// The way of one question.
    pub fn walk(&mut self, question: &Question) -> Walk {
        let mut walk = Walk { question: question.clone(), legs: Vec::new(), is_endless: false };
        let mut name = question.name.clone();
        loop {
            if walk.legs.len() == MAX_LEGS || walk.legs.iter().any(|leg| leg.name == name) {
                walk.is_endless = true;
                return walk;
            }
            let leg = self.leg(&Question::new(name, question.kind));
            let next = leg.alias().map(|(target, _)| target.clone());
            walk.legs.push(leg);
            match next {
                Some(target) => name = target,
                None => return walk,
            }
        }
    }

    fn leg(&mut self, question: &Question) -> Leg {
        let Some(mut zone) = self.start(&question.name) else {
            return Leg {
                name: question.name.clone(),
                zone: DnsName::root(),
                basis: Basis::Resolver,
                absent_for: None,
                delegated_for: None,
                kept: None,
                undelegated: None,
                servers: Vec::new(),
            };
        };
        for _ in 0..MAX_DEPTH {
            match self.descend(&zone, question) {
                Step::Down(child) => zone = child,
                Step::Here => break,
            }
        }
        self.hear(&zone, question)
    }

    /// Keeps that a server is dead.
    fn bury(&mut self, at: SocketAddr, reply: Option<&Reply>) {
        if let Some(Err(no_reply @ (NoReply::Silent | NoReply::Closed | NoReply::NoWay))) = reply {
            self.dead.insert(at, *no_reply);
        }
    }

    /// Asks the servers of a zone where the name is: in a zone below, or here.
    fn descend(&mut self, zone: &DnsName, question: &Question) -> Step {
        let Some(cut) = self.cuts.get(zone).cloned() else { return Step::Here };
        let is_of_use =
            |reply: &Reply| !matches!(meaning(reply, question, zone), Meaning::Said(Said::Trouble(_)));
        let all: Vec<IpAddr> = cut.addresses().collect();
        let (first, rest) = all.split_at(all.len().min(AT_FIRST));
        for some in [first, rest] {
            let replies = self.put(some, question, &is_of_use);
            let of_use =
                some.iter().zip(replies).find_map(|(ip, reply)| Some((*ip, reply.filter(is_of_use)?)));
            let Some((ip, reply)) = of_use else { continue };
            return match meaning(&reply, question, zone) {
                Meaning::Referral(referral) => self.take(referral),
                Meaning::Said(_) => self.below_at_the_same_server(zone, &cut, question, (ip, &reply)),
            };
        }
        Step::Here
    }

    fn take(&mut self, referral: Referral) -> Step {
        let Referral { zone, servers, glue, ttl } = referral;
        let with_glue = |server: &DnsName| {
            glue.iter().filter(|(owner, _)| owner == server).map(|(_, ip)| *ip).collect::<Vec<_>>()
        };
        let servers: Vec<(DnsName, Vec<IpAddr>)> = servers
            .into_iter()
            .take(MAX_SERVERS)
            .map(|server| (server.clone(), with_glue(&server)))
            .collect();
        let servers = servers
            .into_iter()
            .map(|(server, glue)| {
                let addresses = if glue.is_empty() { self.addresses_of(&server) } else { glue };
                (server, one_of_each_family(&addresses))
            })
            .collect();
        self.cuts.insert(zone.clone(), Cut { basis: Basis::Parent, delegated_for: Some(ttl), servers });
        Step::Down(zone)
    }

    /// A server that has both a zone and the one above answers for the lower one at once: its SOA shows which
    /// it is.
    fn below_at_the_same_server(
        &mut self,
        zone: &DnsName,
        cut: &Cut,
        question: &Question,
        (ip, reply): (IpAddr, &Reply),
    ) -> Step {
        let Ok(sections) = reply else { return Step::Here };
        // An alias never stands where a zone begins, so its zone is that of the name above.
        let near = match sections.chain(&question.name, question.kind).0.first() {
            Some(link) if link.owner == question.name => question.name.parent(),
            Some(link) => Some(link.owner.clone()),
            None => Some(question.name.clone()),
        };
        let Some(near) = near.filter(|near| zone.is_at_or_above(near)) else { return Step::Here };
        let soa = Question::new(near.clone(), Kind::Soa);
        let replies = self.put(&[ip], &soa, &|_| true);
        let Some(Some(Ok(told))) = replies.into_iter().next() else { return Step::Here };
        let is_apex =
            told.answers.iter().any(|held| held.owner == near && matches!(held.data, Data::Soa(..)));
        let own = if is_apex { Some(near.clone()) } else { told.soa_above(&near).map(|(zone, _)| zone) };
        let Some(own) = own.filter(|own| own != zone && zone.is_at_or_above(own)) else { return Step::Here };
        if !self.cuts.contains_key(&own) {
            let ns = Question::new(own.clone(), Kind::Ns);
            let replies = self.put(&[ip], &ns, &|_| true);
            let told = replies.into_iter().flatten().next().and_then(|reply| name_servers(&reply, &own));
            let servers = match told {
                Some((names, _)) => self.addresses_of_all(&names),
                None => cut.servers.clone(),
            };
            self.cuts.insert(own.clone(), Cut { basis: cut.basis, delegated_for: None, servers });
        }
        Step::Down(own)
    }

    /// Puts one question to servers of a zone, those aside that are known to be dead or must not be asked.
    fn put(
        &mut self,
        servers: &[IpAddr],
        question: &Question,
        enough: &dyn Fn(&Reply) -> bool,
    ) -> Vec<Option<Reply>> {
        let mut replies: Vec<Option<Reply>> = Vec::with_capacity(servers.len());
        let (mut asks, mut places) = (Vec::new(), Vec::new());
        for (place, ip) in servers.iter().enumerate() {
            let at = SocketAddr::new(*ip, DNS_PORT);
            let known = if (self.may_ask)(*ip) { self.dead.get(&at).copied() } else { Some(NoReply::NoWay) };
            replies.push(known.map(Err));
            if known.is_none() {
                asks.push(Ask { at, question: question.clone(), manner: Manner::Authority });
                places.push(place);
            }
        }
        let heard = self.exchange.put(&asks, &|_, reply| enough(reply));
        for ((place, ask), reply) in places.into_iter().zip(asks).zip(heard) {
            let is_heard = |reply: &Reply| {
                reply.as_ref().is_ok_and(|said| said.is_authoritative || !said.authorities.is_empty())
            };
            self.has_heard |= reply.as_ref().is_some_and(is_heard);
            self.bury(ask.at, reply.as_ref());
            if let Some(slot) = replies.get_mut(place) {
                *slot = reply;
            }
        }
        replies
    }
}

impl Cut {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.servers.iter().flat_map(|(_, addresses)| addresses).copied()
    }
}

/// The first address of either family: a server behind several answers alike at each.
fn one_of_each_family(addresses: &[IpAddr]) -> Vec<IpAddr> {
    let first = |v4: bool| addresses.iter().copied().find(|ip| ip.is_ipv4() == v4);
    first(true).into_iter().chain(first(false)).collect()
}
