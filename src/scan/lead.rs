//! What a name of the target list led to, and the targets that it makes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::aim::{Aim, Asked, Errand};
use crate::evidence::Status;
use crate::name::{DnsName, HostName};
use crate::record::{AddressFamily, Unresolved};
use crate::resolve::{Addresses, Solution};

/// What became of a name.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The addresses that it leads to.
    pub leads: Vec<Lead>,
    /// What is not known of it: the whole, or one family of addresses. Each is said once, whichever mail exchangers of
    /// one domain it is true of.
    pub unresolved: Vec<Unresolved>,
}

/// An address, and the host name that led to it.
#[derive(Debug, Clone)]
pub struct Lead {
    /// The address.
    pub ip: IpAddr,
    /// The name; `None` where it is not one that a host can have.
    pub host: Option<Arc<HostName>>,
}

impl Resolved {
    /// Reads what the resolver says of an entry; `host` is the name of one that is no `mx:` entry.
    pub fn of(solution: Solution, host: Option<&HostName>) -> Self {
        let mut resolved = Self::default();
        let status = match solution {
            Solution::Addresses(found) => {
                resolved.take(&found, host.cloned().map(Arc::new).as_ref());
                found.status
            }
            Solution::MailHosts(found) => {
                for host in &found.hosts {
                    resolved.take(&host.addresses, DnsName::to_host(&host.name).map(Arc::new).as_ref());
                }
                match (found.status, found.hosts.first()) {
                    // There are hosts, but none of them may have an address.
                    (Status::Found, Some(first)) => first.addresses.status,
                    (status, _) => status,
                }
            }
            // The resolver answers what it was asked.
            Solution::Identity(_) => Status::NotAsked,
        };
        if resolved.leads.is_empty() {
            resolved.unresolved = vec![Unresolved { family: None, status }];
        }
        resolved
    }

    fn take(&mut self, found: &Addresses, host: Option<&Arc<HostName>>) {
        self.leads.extend(found.addresses.iter().map(|&ip| Lead { ip, host: host.cloned() }));
        if found.addresses.is_empty() {
            if !found.status.is_definite() {
                self.miss(Unresolved { family: None, status: found.status });
            }
            return;
        }
        let families = AddressFamily::ALL.into_iter().zip(found.families);
        for (family, status) in families.filter(|(_, status)| !status.is_definite()) {
            self.miss(Unresolved { family: Some(family), status });
        }
    }

    fn miss(&mut self, unresolved: Unresolved) {
        if !self.unresolved.contains(&unresolved) {
            self.unresolved.push(unresolved);
        }
    }
}

/// A target that a name led to.
pub fn aim(turn: u128, name: usize, socket: SocketAddr, host: Option<Arc<HostName>>) -> Aim {
    Aim {
        errand: Errand::Record,
        turn,
        ip: socket.ip(),
        port: socket.port(),
        attempts: 0,
        troubles: 0,
        asked: Asked::Name(name),
        name: host,
        earlier: None,
    }
}
