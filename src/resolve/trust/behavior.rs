//! What is told of an upstream that is not believed. Knows no control.

use std::net::{IpAddr, SocketAddr};

use super::useless::Useless;
use crate::name::DnsName;
use crate::resolve::question::{Answer, Question};

/// Hijacked answers that are kept of one upstream; each one in a different one would be a list without end.
const MOST_KEPT: usize = 4;

/// Why an upstream is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpstreamBehavior {
    /// It answers for names that do not exist.
    Inventing(HijackedAnswers),
    /// It denies, or answers differently, what exists: this name.
    Denying(DnsName),
    /// Nothing could be found that it was to know, so that its denials could not be checked.
    Unproven,
    /// Another upstream contradicts it, about this question among others, and neither has failed a control.
    Contradicting(SocketAddr, Question),
    /// It is of no use: not there, or nothing that it answers settles anything.
    Useless(Useless),
}

/// What an upstream is not believed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamWarning {
    /// The upstream.
    pub upstream: SocketAddr,
    /// Why.
    pub behavior: UpstreamBehavior,
}

/// What an upstream answers with for names that do not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HijackedAnswers {
    /// Addresses, each once.
    pub addresses: Vec<IpAddr>,
    /// PTR names, each once.
    pub names: Vec<DnsName>,
}

impl HijackedAnswers {
    /// Whether an answer holds one of them.
    pub(super) fn are_in(&self, answer: &Answer) -> bool {
        answer.addresses().iter().any(|address| self.addresses.contains(address))
            || answer.names().iter().any(|name| self.names.contains(name))
    }

    /// Takes in what an answer holds.
    pub(super) fn add(&mut self, answer: &Answer) {
        for address in answer.addresses() {
            if self.addresses.len() < MOST_KEPT && !self.addresses.contains(address) {
                self.addresses.push(*address);
            }
        }
        for name in answer.names() {
            if self.names.len() < MOST_KEPT && !self.names.contains(name) {
                self.names.push(name.clone());
            }
        }
    }
}
