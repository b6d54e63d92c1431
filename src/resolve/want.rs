//! What the pipeline wants to know and what it gets. Knows no packet.

use std::net::IpAddr;

use super::question::{Answer, Question};
use crate::evidence::{Resolution, Status};
use crate::name::HostName;

/// What is wanted of DNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// All that DNS says of one host: its PTR names, where each leads, where the banner's name leads.
    Identity {
        /// The address spoken to.
        ip: IpAddr,
        /// The name in its greeting.
        banner: Option<HostName>,
    },
    /// The same, with every PTR name asked forward, up to [`crate::evidence::resolution::MOST_PTR_NAMES`].
    WholeIdentity {
        /// The address spoken to.
        ip: IpAddr,
        /// The name in its greeting.
        banner: Option<HostName>,
    },
    /// What earlier answers to the same left open; the definite ones among them stand.
    Rest {
        /// The address spoken to.
        ip: IpAddr,
        /// The name in its greeting.
        banner: Option<HostName>,
        /// The earlier answers.
        known: Box<Resolution>,
    },
    /// The answer to one question.
    Answer(Question),
    /// The addresses of a host name, of both families.
    Addresses(HostName),
    /// The mail exchangers of a domain and their addresses (RFC 5321 §5.1).
    MailHosts(HostName),
}

/// What came of a [`Want`], by the same names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Solution {
    /// Of [`Want::Identity`], [`Want::WholeIdentity`] and [`Want::Rest`].
    Identity(Resolution),
    /// Of [`Want::Answer`].
    Answer(Answer),
    /// Of [`Want::Addresses`].
    Addresses(Addresses),
    /// Of [`Want::MailHosts`].
    MailHosts(MailHosts),
}

/// Where a host name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// `found` if there is an address of either family; else absence only if both questions were settled so,
    /// else the trouble.
    pub status: Status,
    /// How the questions for IPv4 and for IPv6 addresses ended.
    pub families: [Status; 2],
    /// IPv4 before IPv6, each in the order of its answer.
    pub addresses: Vec<IpAddr>,
    /// Whether both questions were settled: there are no others.
    pub whole: bool,
}

/// Who takes the mail of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailHosts {
    /// `found` if there is a host to ask for, the implicit one included; `no_data` for a domain that takes no
    /// mail (RFC 7505); else how the MX question ended.
    pub status: Status,
    /// The hosts, the most preferred first, of equals by name.
    pub hosts: Vec<MailHost>,
    /// How many exchangers the domain publishes; more than are asked for are not among the hosts.
    pub published: usize,
    /// Whether every question was settled and no host was left out.
    pub whole: bool,
}

/// One mail exchanger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailHost {
    /// The lower, the sooner it is tried; 0 for the implicit one.
    pub preference: u16,
    /// Its name.
    pub name: crate::name::DnsName,
    /// Where it leads.
    pub addresses: Addresses,
}

/// A want and what the asker carries along with it.
#[derive(Debug)]
pub struct Case<T> {
    /// What is wanted.
    pub want: Want,
    /// Given back untouched.
    pub carry: T,
}

/// A solution and what the asker carried.
#[derive(Debug)]
pub struct Solved<T> {
    /// What came of it.
    pub solution: Solution,
    /// As it was given.
    pub carry: T,
}
