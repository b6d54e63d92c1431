//! From the root down to the zone of a name, by what each zone delegates to, and on from alias to alias. The resolver is
//! asked where the way begins: for the servers of the root, which nobody moves. Where these can't be asked, as inside a
//! network of one's own, the way begins at the highest zone that the resolver names servers for, and says so.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::exchange::{Ask, Exchange, Manner, NoReply, Reply};
use super::reply::{Meaning, Referral, meaning, seconds};
use super::view::{ask_for_servers, name_servers};
use super::{Basis, Leg, Listed, Said, Server, Trouble, Walk};
use crate::name::DnsName;
use crate::resolve::question::{Kind, Question};
use crate::resolve::settings::DNS_PORT;
use crate::resolve::wire::{Data, End};

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

    /// The nearest zone at or above `name` that is known.
    fn start(&mut self, name: &DnsName) -> Option<DnsName> {
        if !self.is_primed {
            self.is_primed = true;
            self.prime();
        }
        let known = |walker: &Self| {
            let mut upwards = std::iter::successors(Some(name.clone()), DnsName::parent);
            upwards.find(|zone| walker.cuts.contains_key(zone))
        };
        known(self).or_else(|| {
            self.ask_resolver_for_zones(name);
            known(self)
        })
    }

    /// Asks the resolver for the servers of the root, and takes them if one of them answers.
    fn prime(&mut self) {
        let root = DnsName::root();
        let ask = ask_for_servers(self.resolver, &root);
        let reply = self.exchange.put(&[ask], &|_, _| true).pop().flatten();
        let Some((names, _)) = reply.and_then(|reply| name_servers(&reply, &root)) else { return };
        let servers = self.addresses_by_resolver(&names[..names.len().min(MAX_SERVERS)]);
        let cut = Cut { basis: Basis::Parent, delegated_for: None, servers };
        if self.serves(&cut, &root) {
            self.cuts.insert(root, cut);
        }
    }

    /// Asks the resolver for the zones above a name, and takes the highest whose servers answer; the nearest where none
    /// does.
    fn ask_resolver_for_zones(&mut self, name: &DnsName) {
        let upwards = std::iter::successors(Some(name.clone()), DnsName::parent);
        let zones: Vec<DnsName> = upwards.filter(|zone| *zone != DnsName::root()).collect();
        let asks: Vec<Ask> = zones.iter().map(|zone| ask_for_servers(self.resolver, zone)).collect();
        let replies = self.exchange.put(&asks, &|_, _| false);
        let named = zones.into_iter().zip(replies).filter_map(|(zone, reply)| {
            let (servers, _) = name_servers(&reply?, &zone)?;
            Some((zone, servers))
        });
        let mut cuts = Vec::new();
        for (zone, names) in named.collect::<Vec<_>>() {
            let servers = self.addresses_by_resolver(&names[..names.len().min(MAX_SERVERS)]);
            cuts.push((zone, Cut { basis: Basis::Resolver, delegated_for: None, servers }));
        }
        self.find_dead(&cuts);
        let highest = (0..cuts.len()).rev().find(|&place| self.serves(&cuts[place].1, &cuts[place].0));
        let chosen = highest.unwrap_or(0);
        self.cuts.extend(cuts.into_iter().nth(chosen));
    }

    /// Asks servers of many zones at once whether they are there, so that the dead are waited for once.
    fn find_dead(&mut self, cuts: &[(DnsName, Cut)]) {
        let asks: Vec<Ask> = cuts
            .iter()
            .flat_map(|(zone, cut)| {
                let question = Question::new(zone.clone(), Kind::Soa);
                cut.addresses().filter(|ip| (self.may_ask)(*ip)).take(AT_ONCE).map(move |ip| Ask {
                    at: SocketAddr::new(ip, DNS_PORT),
                    question: question.clone(),
                    manner: Manner::Authority,
                })
            })
            .collect();
        let replies = self.exchange.put(&asks, &|_, _| false);
        for (ask, reply) in asks.iter().zip(replies) {
            self.bury(ask.at, reply.as_ref());
        }
    }

    /// Keeps that a server is dead.
    fn bury(&mut self, at: SocketAddr, reply: Option<&Reply>) {
        if let Some(Err(no_reply @ (NoReply::Silent | NoReply::Closed | NoReply::NoWay))) = reply {
            self.dead.insert(at, *no_reply);
        }
    }

    /// Whether a server of a zone answers for it.
    fn serves(&mut self, cut: &Cut, zone: &DnsName) -> bool {
        let question = Question::new(zone.clone(), Kind::Soa);
        let answers = |reply: &Reply| {
            matches!(meaning(reply, &question, zone), Meaning::Said(Said::Answer(_) | Said::Alias(..)))
        };
        let some: Vec<IpAddr> = cut.addresses().take(AT_ONCE).collect();
        self.put(&some, &question, &answers).iter().flatten().any(answers)
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

    /// A server that has both a zone and the one above answers for the lower one at once: its SOA shows which it is.
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
            let named = replies.into_iter().flatten().next().and_then(|reply| name_servers(&reply, &own));
            let servers = match named {
                Some((names, _)) => self.addresses_of_all(&names),
                None => cut.servers.clone(),
            };
            self.cuts.insert(own.clone(), Cut { basis: cut.basis, delegated_for: None, servers });
        }
        Step::Down(own)
    }

    /// Asks every server of a zone, those that only the zone itself or the resolver names included.
    fn hear(&mut self, zone: &DnsName, question: &Question) -> Leg {
        let cut = self.cuts.get(zone).cloned();
        let cut = cut.unwrap_or(Cut { basis: Basis::Resolver, delegated_for: None, servers: Vec::new() });
        let kept = self.resolver_servers(zone);
        let own = self.servers_by_the_zone(&cut, zone);
        let is_delegated = |name: &DnsName| cut.servers.iter().any(|(known, _)| known == name);
        let zone_only: Vec<DnsName> = own.into_iter().filter(|name| !is_delegated(name)).collect();
        let former = kept.iter().flat_map(|(names, _)| names);
        let former: Vec<DnsName> =
            former.filter(|name| !is_delegated(name) && !zone_only.contains(name)).cloned().collect();
        let mut all: Vec<(DnsName, Vec<IpAddr>, Listed)> = cut
            .servers
            .iter()
            .map(|(name, addresses)| (name.clone(), addresses.clone(), Listed::Delegated))
            .collect();
        for (names, listed) in [(zone_only, Listed::ZoneOnly), (former, Listed::ResolverOnly)] {
            all.extend(self.addresses_of_all(&names).into_iter().map(|(name, ips)| (name, ips, listed)));
        }
        let is_moved = all.iter().any(|(.., listed)| *listed == Listed::ResolverOnly);
        let servers = self.ask_each(all, question, zone);
        let undelegated = self.undelegated(zone, question, &servers);
        Leg {
            name: question.name.clone(),
            zone: zone.clone(),
            basis: cut.basis,
            absent_for: self.absent_for(&cut, zone),
            delegated_for: cut.delegated_for,
            kept: kept.filter(|_| is_moved).map(|(_, ttl)| seconds(ttl)),
            undelegated,
            servers,
        }
    }

    fn ask_each(
        &mut self,
        all: Vec<(DnsName, Vec<IpAddr>, Listed)>,
        question: &Question,
        zone: &DnsName,
    ) -> Vec<Server> {
        let asked: Vec<IpAddr> = all.iter().flat_map(|(_, addresses, _)| addresses).copied().collect();
        let mut replies = self.put(&asked, question, &|_| false).into_iter();
        let mut servers = Vec::new();
        for (name, addresses, listed) in all {
            let server = |ip, said| Server { name: name.clone(), ip, listed, said };
            if addresses.is_empty() {
                servers.push(server(None, Said::Trouble(Trouble::NoAddress)));
            }
            let mut own = Vec::new();
            for ip in addresses {
                let reply = replies.next().flatten().unwrap_or(Err(NoReply::Silent));
                let said = match meaning(&reply, question, zone) {
                    _ if !(self.may_ask)(ip) => Said::Trouble(Trouble::Excluded),
                    Meaning::Said(said) => said,
                    Meaning::Referral(referral) => Said::Trouble(Trouble::RefersTo(referral.zone)),
                };
                own.push(server(Some(ip), said));
            }
            // A machine without IPv6 sees those servers by their IPv4 addresses.
            let is_unseen = |server: &Server| server.said == Said::Trouble(Trouble::NoWay);
            if !own.iter().all(is_unseen) {
                own.retain(|server| !is_unseen(server));
            }
            servers.extend(own);
        }
        servers
    }

    /// The servers of a zone by what the resolver keeps, and for how many seconds.
    fn resolver_servers(&self, zone: &DnsName) -> Option<(Vec<DnsName>, u32)> {
        let ask = ask_for_servers(self.resolver, zone);
        let reply = self.exchange.put(&[ask], &|_, _| true).pop().flatten()?;
        name_servers(&reply, zone)
    }

    fn servers_by_the_zone(&mut self, cut: &Cut, zone: &DnsName) -> Vec<DnsName> {
        let ns = Question::new(zone.clone(), Kind::Ns);
        let all: Vec<IpAddr> = cut.addresses().collect();
        let replies = self.put(&all, &ns, &|_| false);
        let mut own = Vec::new();
        for (names, _) in replies.iter().flatten().filter_map(|reply| name_servers(reply, zone)) {
            own.extend(names);
        }
        own.sort_unstable();
        own.dedup();
        own.truncate(MAX_SERVERS);
        own
    }

    fn absent_for(&mut self, cut: &Cut, zone: &DnsName) -> Option<Duration> {
        let soa = Question::new(zone.clone(), Kind::Soa);
        let all: Vec<IpAddr> = cut.addresses().collect();
        let holds = |reply: &Reply| {
            let sections = reply.as_ref().ok().filter(|sections| sections.is_authoritative)?;
            sections.answers.iter().find_map(|held| match held.data {
                Data::Soa(_, minimum) if held.owner == *zone => Some(seconds(held.ttl.min(minimum))),
                _ => None,
            })
        };
        let replies = self.put(&all, &soa, &|reply| holds(reply).is_some());
        replies.iter().flatten().find_map(holds)
    }

    /// A zone that the resolver knows and that is denied to exist above.
    fn undelegated(&self, zone: &DnsName, question: &Question, servers: &[Server]) -> Option<DnsName> {
        let denies = |server: &Server| {
            server.counts() && matches!(&server.said, Said::Answer(answer) if answer.status.is_absent())
        };
        if !servers.iter().any(denies) {
            return None;
        }
        let upwards = std::iter::successors(Some(question.name.clone()), DnsName::parent);
        let between: Vec<DnsName> =
            upwards.take_while(|name| name != zone && *name != DnsName::root()).collect();
        let asks: Vec<Ask> = between.iter().map(|name| ask_for_servers(self.resolver, name)).collect();
        let replies = self.exchange.put(&asks, &|_, _| false);
        let mut known = between.into_iter().zip(replies);
        known.find_map(|(name, reply)| name_servers(&reply?, &name).map(|_| name))
    }

    fn addresses_of_all(&mut self, names: &[DnsName]) -> Vec<(DnsName, Vec<IpAddr>)> {
        let names = names.iter().take(MAX_SERVERS);
        names.map(|name| (name.clone(), one_of_each_family(&self.addresses_of(name)))).collect()
    }

    /// The addresses of a server, by the servers of its own zone; by the resolver where these say nothing.
    fn addresses_of(&mut self, name: &DnsName) -> Vec<IpAddr> {
        if self.nested < MAX_NESTED {
            self.nested += 1;
            let found: Vec<IpAddr> = [Kind::A, Kind::Aaaa]
                .into_iter()
                .flat_map(|kind| self.address_by_walk(&Question::new(name.clone(), kind)))
                .collect();
            self.nested -= 1;
            if !found.is_empty() {
                return found;
            }
        }
        self.addresses_by_resolver(std::slice::from_ref(name)).into_iter().flat_map(|(_, all)| all).collect()
    }

    /// The first answer with addresses: who is only to be reached need not be heard of by all.
    fn address_by_walk(&mut self, question: &Question) -> Vec<IpAddr> {
        let Some(mut zone) = self.start(&question.name) else { return Vec::new() };
        for _ in 0..MAX_DEPTH {
            match self.descend(&zone, question) {
                Step::Down(child) => zone = child,
                Step::Here => break,
            }
        }
        let all: Vec<IpAddr> = self.cuts.get(&zone).into_iter().flat_map(Cut::addresses).collect();
        let found = |reply: &Reply| match meaning(reply, question, &zone) {
            Meaning::Said(Said::Answer(answer)) => Some(answer.addresses().to_vec()),
            _ => None,
        };
        let replies = self.put(&all, question, &|reply| found(reply).is_some());
        replies.iter().flatten().find_map(found).unwrap_or_default()
    }

    fn addresses_by_resolver(&self, names: &[DnsName]) -> Vec<(DnsName, Vec<IpAddr>)> {
        let questions: Vec<Question> = names
            .iter()
            .flat_map(|name| [Kind::A, Kind::Aaaa].map(|kind| Question::new(name.clone(), kind)))
            .collect();
        let ask = |question: &Question| Ask {
            at: self.resolver,
            question: question.clone(),
            manner: Manner::Recursive,
        };
        let asks: Vec<Ask> = questions.iter().map(ask).collect();
        let replies = self.exchange.put(&asks, &|_, _| false);
        let found = questions.iter().zip(replies).map(|(question, reply)| {
            let sections = reply.and_then(Result::ok)?;
            match sections.chain(&question.name, question.kind).1 {
                End::Found(records, _) => Some(records),
                _ => None,
            }
        });
        let found: Vec<Vec<IpAddr>> = found
            .map(|records| match records {
                Some(crate::resolve::question::Records::Addresses(all)) => all,
                _ => Vec::new(),
            })
            .collect();
        let pairs = names.iter().zip(found.chunks(2));
        pairs.map(|(name, both)| (name.clone(), one_of_each_family(&both.concat()))).collect()
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
