//! What a name of the target list led to, and the targets that it makes. DNS is a stranger's: it does not
//! decide how many hosts are spoken to. Of the addresses of a name the lowest are taken, of the exchangers of
//! a domain the most preferred, so that each scan takes the same ones.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crate::evidence::Status;
use crate::name::{DnsName, HostName};
use crate::record::{AddressFamily, Unresolved};
use crate::resolve::{Addresses, MailHosts, Solution};
use crate::scan::attempt::{Attempt, TargetSource};

/// Addresses that a name leads to at most: no host that is looked for by its name has more.
pub const MOST_ADDRESSES: usize = 32;
/// Exchangers that a mail domain leads to at most; large providers publish five to ten.
pub const MOST_EXCHANGERS: usize = 16;

/// An address, and the host name that led to it.
#[derive(Debug, Clone)]
pub struct ResolvedAddress {
    /// The address.
    pub ip: IpAddr,
    /// The name; `None` where it is not one that a host can have.
    pub host: Option<Arc<HostName>>,
}

/// Where a name led, within bounds, and how much is beyond them.
#[derive(Debug, Default)]
pub struct ResolvedAddresses {
    /// Those to be spoken to, an address of several exchangers once for each.
    pub within: Vec<ResolvedAddress>,
    /// Addresses left out.
    pub addresses: usize,
    /// Exchangers left out, with all addresses that they may have.
    pub exchangers: usize,
    /// What is not known of it: the whole, or one family of addresses. Each is said once, whichever mail
    /// exchangers of one domain it is true of.
    pub unresolved: Vec<Unresolved>,
    /// The mail exchangers that are the cause, and how the questions for their addresses ended.
    pub failing: Vec<(DnsName, Status)>,
}

impl ResolvedAddresses {
    /// Reads what the resolver says of an entry; `host` is the name of one that is no `mx:` entry.
    pub fn of(solution: &Solution, host: Option<&HostName>) -> Self {
        let (mut leads, status) = match solution {
            Solution::Addresses(found) => (Self::of_host(host, found), found.status),
            Solution::MailHosts(found) => {
                let status = if found.status == Status::Found { of_hosts(found) } else { found.status };
                (Self::of_domain(found), status)
            }
            // The resolver answers what it was asked.
            Solution::Identity(_) | Solution::Answer(_) => (Self::default(), Status::NotAsked),
        };
        if leads.within.is_empty() {
            leads.unresolved = vec![Unresolved { family: None, status }];
        }
        leads
    }

    /// Of a host name.
    pub fn of_host(name: Option<&HostName>, found: &Addresses) -> Self {
        let mut leads = Self::default();
        leads.add(name, found);
        leads
    }

    /// Of a mail domain.
    pub fn of_domain(found: &MailHosts) -> Self {
        let mut leads = Self::default();
        for host in found.hosts.iter().take(MOST_EXCHANGERS) {
            leads.add(host.name.to_host().as_ref(), &host.addresses);
        }
        // Without any MX record the domain itself is asked for, and no exchanger is to be named.
        let all = found.hosts.iter().take(if found.published > 0 { MOST_EXCHANGERS } else { 0 });
        // Beside exchangers that can be spoken to, one that certainly has no address makes no difference.
        let is_nowhere = leads.within.is_empty();
        leads.failing = all
            .filter_map(|host| {
                let open = host.addresses.families.into_iter().find(|status| !status.is_definite());
                let absent = Some(host.addresses.status).filter(|_| is_nowhere);
                Some((host.name.clone(), open.or(absent)?))
            })
            .collect();
        leads.exchangers = found.published.max(found.hosts.len()).saturating_sub(MOST_EXCHANGERS);
        leads
    }

    fn add(&mut self, name: Option<&HostName>, found: &Addresses) {
        let host = name.cloned().map(Arc::new);
        let mut all: Vec<IpAddr> = found.addresses.iter().map(IpAddr::to_canonical).collect();
        all.sort_unstable();
        all.dedup();
        self.addresses += all.len().saturating_sub(MOST_ADDRESSES);
        all.truncate(MOST_ADDRESSES);
        self.within.extend(all.into_iter().map(|ip| ResolvedAddress { ip, host: host.clone() }));
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

/// Why no exchanger has an address: what is not known of one of them counts before what is known of the
/// others.
fn of_hosts(found: &MailHosts) -> Status {
    let statuses = || found.hosts.iter().map(|host| host.addresses.status);
    statuses().find(|status| !status.is_definite()).or_else(|| statuses().next()).unwrap_or(found.status)
}

/// Mail exchangers whose addresses could not be found, over all domains: records name the domain alone.
#[derive(Debug, Default)]
pub struct FailingExchangers {
    count: AtomicU64,
    /// The first few.
    first: Mutex<Vec<(DnsName, Status)>>,
}

/// Of so many exchangers the names are told.
const MOST_TOLD: usize = 8;

impl FailingExchangers {
    /// Counts those of one domain.
    pub fn count(&self, leads: &ResolvedAddresses) {
        self.count.fetch_add(leads.failing.len() as u64, Relaxed);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        for failing in &leads.failing {
            if first.len() < MOST_TOLD && !first.contains(failing) {
                first.push(failing.clone());
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }
}

impl fmt::Display for FailingExchangers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let named: Vec<String> =
            first.iter().map(|(name, status)| format!("`{name}` ({})", status.as_str())).collect();
        let more = if self.count.load(Relaxed) > first.len() as u64 { " and others" } else { "" };
        write!(
            f,
            "mail exchangers without an address that can be found: {}{more}; records of their domains say `unresolved`",
            named.join(", ")
        )
    }
}

/// How much was left out, over all names.
#[derive(Debug, Default)]
pub struct LeftOut {
    names: AtomicU64,
    addresses: AtomicU64,
    exchangers: AtomicU64,
}

impl LeftOut {
    /// Counts what a name led to beyond the bounds.
    pub fn count(&self, leads: &ResolvedAddresses) {
        if leads.addresses + leads.exchangers > 0 {
            self.names.fetch_add(1, Relaxed);
            self.addresses.fetch_add(leads.addresses as u64, Relaxed);
            self.exchangers.fetch_add(leads.exchangers as u64, Relaxed);
        }
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.names.load(Relaxed) == 0
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [names, addresses, exchangers] =
            [&self.names, &self.addresses, &self.exchangers].map(|count| count.load(Relaxed));
        write!(
            f,
            "{names} names lead further than is followed: {addresses} addresses and {exchangers} mail exchangers are \
             left out; at most {MOST_ADDRESSES} addresses of a name (the lowest) and {MOST_EXCHANGERS} exchangers of a \
             domain are looked at"
        )
    }
}

/// A target that a name led to.
pub fn attempt(turn: u128, name: usize, socket: SocketAddr, host: Option<Arc<HostName>>) -> Attempt {
    let first = Attempt::first(turn, socket.ip(), socket.port());
    Attempt { asked: TargetSource::Name(name), name: host, ..first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::MailHost;

    fn addresses(all: impl IntoIterator<Item = u32>) -> Addresses {
        let addresses = all.into_iter().map(|number| IpAddr::from((0xc612_0000 + number).to_be_bytes()));
        let families = [Status::Found, Status::NoData];
        Addresses { status: Status::Found, families, addresses: addresses.collect(), whole: true }
    }

    #[test]
    fn the_lowest_addresses_are_taken_in_whatever_order_they_came() {
        let name = HostName::parse("a.example.org").unwrap();
        let leads = ResolvedAddresses::of_host(Some(&name), &addresses((0..4000).rev()));
        assert!(leads.within.iter().map(|lead| lead.ip).eq(addresses(0..32).addresses));
        assert_eq!((leads.addresses, leads.exchangers), (3968, 0));
        assert!(leads.within.iter().all(|lead| lead.host.as_deref() == Some(&name)));
        let few = ResolvedAddresses::of_host(Some(&name), &addresses([5, 3, 5, 4]));
        assert_eq!((few.within.len(), few.addresses), (3, 0), "each once");
    }

    #[test]
    fn a_domain_without_an_address_says_what_is_not_known_before_what_is() {
        let host = |status: Status| MailHost {
            preference: 10,
            name: DnsName::parse("mx.example.org").unwrap(),
            addresses: Addresses { status, families: [status; 2], addresses: Vec::new(), whole: true },
        };
        for (status, hosts, why) in [
            (Status::Found, &[Status::NxDomain, Status::ServFail][..], Status::ServFail),
            (Status::Found, &[Status::TimedOut, Status::NxDomain], Status::TimedOut),
            (Status::Found, &[Status::NoData, Status::NxDomain], Status::NoData),
            (Status::NxDomain, &[], Status::NxDomain),
            (Status::ServFail, &[], Status::ServFail),
        ] {
            let hosts: Vec<MailHost> = hosts.iter().copied().map(host).collect();
            let found = MailHosts { status, published: hosts.len(), hosts, whole: true };
            let leads = ResolvedAddresses::of(&Solution::MailHosts(found), None);
            assert_eq!(leads.unresolved, [Unresolved { family: None, status: why }]);
            // The exchanger that is the cause is named.
            let failing = FailingExchangers::default();
            failing.count(&leads);
            let told = failing.to_string();
            assert_eq!(failing.is_empty(), status != Status::Found);
            assert_eq!(told.contains(&format!("`mx.example.org` ({})", why.as_str())), !failing.is_empty());
        }
    }

    #[test]
    fn of_a_domain_the_first_exchangers_are_taken() {
        let host = |number: u16| MailHost {
            preference: number,
            name: DnsName::parse(&format!("mx{number}.example.org")).unwrap(),
            addresses: addresses((0..40).map(|last| u32::from(number) * 256 + last)),
        };
        let hosts: Vec<MailHost> = (0..32).map(host).collect();
        let leads = ResolvedAddresses::of_domain(&MailHosts {
            status: Status::Found,
            hosts,
            published: 100,
            whole: false,
        });
        assert_eq!((leads.within.len(), leads.addresses, leads.exchangers), (16 * 32, 16 * 8, 84));
        let left_out = LeftOut::default();
        left_out.count(&ResolvedAddresses::default());
        assert!(left_out.is_empty());
        left_out.count(&leads);
        let told = left_out.to_string();
        assert!(
            told.starts_with("1 names lead further") && told.contains("128 addresses and 84 mail"),
            "{told}"
        );
    }
}
