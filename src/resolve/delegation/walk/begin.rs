//! Where a way begins: at the root, or at the highest zone that the resolver names servers for.

use std::net::{IpAddr, SocketAddr};

use super::{AT_ONCE, Cut, MAX_SERVERS, Walker};
use crate::name::DnsName;
use crate::resolve::delegation::exchange::{Ask, Manner, Reply};
use crate::resolve::delegation::reply::{Meaning, meaning};
use crate::resolve::delegation::view::{ask_for_servers, name_servers};
use crate::resolve::delegation::{Basis, Said};
use crate::resolve::question::{Kind, Question};
use crate::resolve::settings::DNS_PORT;

impl Walker<'_> {
    /// The nearest zone at or above `name` that is known.
    pub(super) fn start(&mut self, name: &DnsName) -> Option<DnsName> {
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
    pub(super) fn prime(&mut self) {
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

    /// Asks the resolver for the zones above a name, and takes the highest whose servers answer; the nearest
    /// where none does.
    pub(super) fn ask_resolver_for_zones(&mut self, name: &DnsName) {
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
    pub(super) fn find_dead(&mut self, cuts: &[(DnsName, Cut)]) {
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

    /// Whether a server of a zone answers for it.
    pub(super) fn serves(&mut self, cut: &Cut, zone: &DnsName) -> bool {
        let question = Question::new(zone.clone(), Kind::Soa);
        let answers = |reply: &Reply| {
            matches!(meaning(reply, &question, zone), Meaning::Said(Said::Answer(_) | Said::Alias(..)))
        };
        let some: Vec<IpAddr> = cut.addresses().take(AT_ONCE).collect();
        self.put(&some, &question, &answers).iter().flatten().any(answers)
    }
}
