//! Where the servers of a zone are, by what is published of their names.

use std::net::IpAddr;

use super::{Cut, MAX_DEPTH, MAX_NESTED, MAX_SERVERS, Step, Walker, one_of_each_family};
use crate::name::DnsName;
use crate::resolve::delegation::Said;
use crate::resolve::delegation::exchange::{Ask, Manner, Reply};
use crate::resolve::delegation::reply::{Meaning, meaning};
use crate::resolve::question::{Kind, Question, Records};
use crate::resolve::wire::End;

impl Walker<'_> {
    pub(super) fn addresses_of_all(&mut self, names: &[DnsName]) -> Vec<(DnsName, Vec<IpAddr>)> {
        let names = names.iter().take(MAX_SERVERS);
        names.map(|name| (name.clone(), one_of_each_family(&self.addresses_of(name)))).collect()
    }

    /// The addresses of a server, by the servers of its own zone; by the resolver where these say nothing.
    pub(super) fn addresses_of(&mut self, name: &DnsName) -> Vec<IpAddr> {
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
    pub(super) fn address_by_walk(&mut self, question: &Question) -> Vec<IpAddr> {
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

    pub(super) fn addresses_by_resolver(&self, names: &[DnsName]) -> Vec<(DnsName, Vec<IpAddr>)> {
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
                Some(Records::Addresses(all)) => all,
                _ => Vec::new(),
            })
            .collect();
        let pairs = names.iter().zip(found.chunks(2));
        pairs.map(|(name, both)| (name.clone(), one_of_each_family(&both.concat()))).collect()
    }
}
