//! What every server of the zone at the end of a way says, those that only the zone itself or the resolver
//! names included.

use std::net::IpAddr;
use std::time::Duration;

use super::{Cut, MAX_SERVERS, Walker};
use crate::name::DnsName;
use crate::resolve::delegation::exchange::{Ask, NoReply, Reply};
use crate::resolve::delegation::reply::{Meaning, meaning, seconds};
use crate::resolve::delegation::view::{ask_for_servers, name_servers};
use crate::resolve::delegation::{Basis, Leg, Listed, Said, Server, Trouble};
use crate::resolve::question::{Kind, Question};
use crate::resolve::wire::Data;

impl Walker<'_> {
    /// Asks every server of a zone, those that only the zone itself or the resolver names included.
    pub(super) fn hear(&mut self, zone: &DnsName, question: &Question) -> Leg {
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

    pub(super) fn ask_each(
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
    pub(super) fn resolver_servers(&self, zone: &DnsName) -> Option<(Vec<DnsName>, u32)> {
        let ask = ask_for_servers(self.resolver, zone);
        let reply = self.exchange.put(&[ask], &|_, _| true).pop().flatten()?;
        name_servers(&reply, zone)
    }

    pub(super) fn servers_by_the_zone(&mut self, cut: &Cut, zone: &DnsName) -> Vec<DnsName> {
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

    pub(super) fn absent_for(&mut self, cut: &Cut, zone: &DnsName) -> Option<Duration> {
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
    pub(super) fn undelegated(
        &self,
        zone: &DnsName,
        question: &Question,
        servers: &[Server],
    ) -> Option<DnsName> {
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
}
