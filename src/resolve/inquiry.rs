//! What is still to be asked before a want is met, and what it comes to: pure. Knows no upstream, no cache,
//! no clock.

mod claims;
mod opinions;

use std::net::IpAddr;
use std::sync::Arc;

use super::question::{Answer, Kind, Question};
use super::trust::is_blocking;
use super::want::{Addresses, MailHost, MailHosts, Solution, Want};
use crate::evidence::resolution::{MAX_KEPT_ADDRESSES, MAX_PTR_NAMES, MOST_PTR_NAMES};
use crate::evidence::{Forward, PtrName, Resolution, Status};
use crate::name::{DnsName, HostName, registrable};

/// Mail exchangers of one domain whose addresses are asked; large providers publish five to ten.
pub const MAX_EXCHANGES: usize = 32;

/// Suffixes that are not DNS, or not a host's (RFC 6761 §6, RFC 6762 §3, RFC 7686 §2, RFC 3172 §2): asking
/// for a banner's name under one tells nothing and leaks.
const NOT_FOR_DNS: [&str; 5] = ["local", "localhost", "invalid", "onion", "arpa"];

/// One want and the answers to it so far.
#[derive(Debug, Clone)]
pub struct Inquiry {
    goal: Goal,
    asked: Vec<Asked>,
    /// How many of `asked` were handed out.
    handed: usize,
    /// How many of `asked` have no answer.
    open: usize,
}

#[derive(Debug, Clone)]
struct Asked {
    question: Question,
    answer: Option<Arc<Answer>>,
}

/// Which questions were asked for what, by their index.
#[derive(Debug, Clone)]
enum Goal {
    Identity {
        ip: IpAddr,
        /// The banner's name where DNS can know of it.
        banner: Option<DnsName>,
        choice: Choice,
        /// Definite answers of another time.
        known: Option<Box<Resolution>>,
    },
    Addresses,
    /// One question, as it stands.
    Answer,
    MailHosts {
        domain: DnsName,
        hosts: Vec<(u16, DnsName, [usize; 2])>,
    },
}

/// Which PTR names are asked forward.
#[derive(Debug, Clone)]
struct Choice {
    /// The banner's name, whether it is asked for or not.
    banner: Option<HostName>,
    most: usize,
}

impl Inquiry {
    /// Begins with the questions that need no answer before.
    pub fn new(want: &Want) -> Self {
        let mut inquiry = Self { goal: Goal::Addresses, asked: Vec::with_capacity(3), handed: 0, open: 0 };
        match want {
            Want::Identity { ip, banner } => {
                inquiry.ask_identity(*ip, Choice { banner: banner.clone(), most: MAX_PTR_NAMES }, None);
            }
            Want::WholeIdentity { ip, banner } => {
                inquiry.ask_identity(*ip, Choice { banner: banner.clone(), most: MOST_PTR_NAMES }, None);
            }
            Want::Rest { ip, banner, known } => {
                let choice = Choice { banner: banner.clone(), most: MAX_PTR_NAMES };
                inquiry.ask_identity(*ip, choice, Some(known.clone()));
            }
            Want::Answer(question) => {
                inquiry.goal = Goal::Answer;
                inquiry.ask(question.clone());
            }
            Want::Addresses(host) => {
                inquiry.ask_both(&DnsName::from_host(host));
            }
            Want::MailHosts(host) => {
                let domain = DnsName::from_host(host);
                inquiry.ask(Question::new(domain.clone(), Kind::Mx));
                inquiry.goal = Goal::MailHosts { domain, hosts: Vec::new() };
            }
        }
        inquiry
    }

    /// The next question to put, and the index under which [`Inquiry::learn`] wants its answer; each comes
    /// once.
    pub fn next_question(&mut self) -> Option<(usize, &Question)> {
        let from = self.handed.min(self.asked.len());
        let step = self.asked[from..].iter().position(|asked| asked.answer.is_none())?;
        let index = from + step;
        self.handed = index + 1;
        Some((index, &self.asked[index].question))
    }

    /// Whether it is about a host that was spoken to, and not about a name.
    pub fn is_of_host(&self) -> bool {
        matches!(self.goal, Goal::Identity { .. })
    }

    /// Whether every question that has its answer has a definite one.
    pub fn is_definite(&self) -> bool {
        self.asked.iter().filter_map(|asked| asked.answer.as_ref()).all(|answer| answer.status.is_definite())
    }

    /// Opens the questions again whose answers settle nothing; each is handed out once more.
    pub fn reopen(&mut self) {
        self.forget_if(|answer| !answer.status.is_definite());
    }

    /// A question that has its answer.
    pub(super) fn settled(&self, index: usize) -> Option<(&Question, &Arc<Answer>)> {
        let asked = self.asked.get(index)?;
        Some((&asked.question, asked.answer.as_ref()?))
    }

    /// Takes an answer back as one that nobody could confirm.
    pub(super) fn distrust(&mut self, index: usize) {
        if let Some(asked) = self.asked.get_mut(index) {
            asked.answer = Some(Arc::new(Answer::bare(Status::Untrusted)));
        }
    }

    /// Takes a former answer for one that settles nothing; tells whether it did.
    pub(super) fn restore(&mut self, index: usize, former: Arc<Answer>) -> bool {
        let answer = self.asked.get_mut(index).and_then(|asked| asked.answer.as_mut());
        let Some(answer) = answer.filter(|answer| !answer.status.is_definite()) else { return false };
        *answer = former;
        true
    }

    /// Opens one question again; it is handed out once more.
    pub(super) fn forget(&mut self, index: usize) {
        if let Some(asked) = self.asked.get_mut(index).filter(|asked| asked.answer.is_some()) {
            asked.answer = None;
            self.open += 1;
            self.handed = self.handed.min(index);
        }
    }

    fn forget_if(&mut self, forget: impl Fn(&Answer) -> bool) {
        for asked in &mut self.asked {
            if asked.answer.as_ref().is_some_and(|answer| forget(answer)) {
                asked.answer = None;
                self.open += 1;
            }
        }
        self.handed = 0;
    }

    /// Takes an answer; it may open further questions. A second one to the same question is ignored.
    pub fn learn(&mut self, index: usize, answer: &Arc<Answer>) {
        let Some(asked) = self.asked.get_mut(index).filter(|asked| asked.answer.is_none()) else { return };
        let is_blocked = matches!(self.goal, Goal::Identity { ip, .. } if is_blocking_answer(answer, ip));
        asked.answer =
            Some(if is_blocked { Arc::new(Answer::bare(Status::Malformed)) } else { Arc::clone(answer) });
        self.open -= 1;
        // The PTR or MX question comes first.
        match &self.goal {
            Goal::Identity { .. } if self.asked[index].question.kind == Kind::Ptr => self.ask_forward(answer),
            Goal::MailHosts { .. } if index == 0 => self.ask_exchanges(answer),
            _ => {}
        }
    }

    /// Whether every question has its answer.
    pub fn is_solved(&self) -> bool {
        self.open == 0
    }

    /// What it comes to; questions without an answer count as not asked.
    pub fn solution(&self) -> Solution {
        match &self.goal {
            Goal::Identity { ip, banner, choice, known } => {
                Solution::Identity(self.identity(*ip, banner.as_ref(), choice, known.as_deref()))
            }
            Goal::Answer => {
                Solution::Answer(self.answer(0).cloned().unwrap_or(Answer::bare(Status::NotAsked)))
            }
            Goal::Addresses => Solution::Addresses(self.addresses([0, 1])),
            Goal::MailHosts { hosts, .. } => Solution::MailHosts(self.mail_hosts(hosts)),
        }
    }

    fn ask(&mut self, question: Question) -> usize {
        if let Some(index) = self.asked.iter().position(|asked| asked.question == question) {
            return index;
        }
        self.asked.push(Asked { question, answer: None });
        self.open += 1;
        self.asked.len() - 1
    }

    fn ask_both(&mut self, name: &DnsName) -> [usize; 2] {
        [Kind::A, Kind::Aaaa].map(|kind| self.ask(Question::new(name.clone(), kind)))
    }

    fn ask_identity(&mut self, ip: IpAddr, choice: Choice, known: Option<Box<Resolution>>) {
        let ip = ip.to_canonical();
        let kind = Kind::of_family(ip);
        let banner = choice.banner.as_ref().filter(|host| is_for_dns(host)).map(DnsName::from_host);
        match known.as_deref().filter(|known| known.ptr.is_definite()) {
            None => drop(self.ask(Question::ptr(ip))),
            Some(known) => {
                for name in known.names.iter().filter(|name| !name.forward.status.is_definite()) {
                    self.ask(Question::new(name.name.clone(), kind));
                }
            }
        }
        let known_forward = known.as_deref().map(|known| &known.banner_forward);
        if let Some(name) = &banner
            && known_forward.is_none_or(|forward| !forward.status.is_definite())
        {
            self.ask(Question::new(name.clone(), kind));
        }
        self.goal = Goal::Identity { ip, banner, choice, known };
    }

    fn ask_forward(&mut self, ptr: &Answer) {
        let Goal::Identity { ip, choice, .. } = &self.goal else { return };
        let kind = Kind::of_family(*ip);
        for name in choice.among(ptr.names()) {
            self.ask(Question::new(name.clone(), kind));
        }
    }

    fn ask_exchanges(&mut self, mx: &Answer) {
        let Goal::MailHosts { domain, .. } = &self.goal else { return };
        let mut exchanges: Vec<(u16, DnsName)> = match mx.status {
            // RFC 5321 §5.1: without any MX record the domain itself is its mail host.
            Status::NoData => vec![(0, domain.clone())],
            _ => mx.exchanges().iter().map(|exchange| (exchange.preference, exchange.host.clone())).collect(),
        };
        // RFC 7505 §3: the root stands for no host at all.
        exchanges.retain(|(_, host)| *host != DnsName::root());
        exchanges.sort_by_cached_key(|(preference, host)| (*preference, host.to_string()));
        exchanges.truncate(MAX_EXCHANGES);
        let asked = exchanges
            .into_iter()
            .map(|(preference, host)| {
                let indices = self.ask_both(&host);
                (preference, host, indices)
            })
            .collect();
        if let Goal::MailHosts { hosts, .. } = &mut self.goal {
            *hosts = asked;
        }
    }

    fn answer(&self, index: usize) -> Option<&Answer> {
        self.asked.get(index).and_then(|asked| asked.answer.as_deref())
    }

    fn status(&self, index: usize) -> Status {
        self.answer(index).map_or(Status::NotAsked, |answer| answer.status)
    }

    fn identity(
        &self,
        ip: IpAddr,
        banner: Option<&DnsName>,
        choice: &Choice,
        known: Option<&Resolution>,
    ) -> Resolution {
        let settled = |forward: &&Forward| forward.status.is_definite();
        let banner_forward = match known.map(|known| &known.banner_forward).filter(settled) {
            Some(forward) => forward.clone(),
            None => banner.map_or_else(Forward::not_asked, |name| self.forward(ip, name)),
        };
        if let Some(known) = known.filter(|known| known.ptr.is_definite()) {
            let again = |name: &PtrName| match Some(&name.forward).filter(settled) {
                Some(_) => name.clone(),
                None => PtrName { name: name.name.clone(), forward: self.forward(ip, &name.name) },
            };
            let names = known.names.iter().map(again).collect();
            return Resolution { names, banner_forward, ..*known };
        }
        let ptr = self.answer(0);
        let names = ptr.into_iter().flat_map(|ptr| choice.among(ptr.names()));
        Resolution {
            ptr: self.status(0),
            ptr_count: ptr.map_or(0, |ptr| u32::try_from(ptr.names().len()).unwrap_or(u32::MAX)),
            names: names
                .map(|name| PtrName { name: name.clone(), forward: self.forward(ip, name) })
                .collect(),
            banner_forward,
        }
    }

    fn forward(&self, ip: IpAddr, name: &DnsName) -> Forward {
        let kind = Kind::of_family(ip);
        let asked =
            self.asked.iter().find(|asked| asked.question.kind == kind && asked.question.name == *name);
        let Some(answer) = asked.and_then(|asked| asked.answer.as_deref()) else {
            return Forward::not_asked();
        };
        let all = answer.addresses();
        let own = all.iter().position(|address| *address == ip);
        let mut addresses = all[..all.len().min(MAX_KEPT_ADDRESSES)].to_vec();
        if own.is_some_and(|index| index >= MAX_KEPT_ADDRESSES) {
            addresses.pop();
            addresses.push(ip);
        }
        Forward { status: answer.status, addresses }
    }

    fn addresses(&self, indices: [usize; 2]) -> Addresses {
        let addresses: Vec<IpAddr> = indices
            .iter()
            .filter_map(|&index| self.answer(index))
            .flat_map(|answer| answer.addresses().iter().copied())
            .collect();
        let [v4, v6] = indices.map(|index| self.status(index));
        let status = match (v4, v6) {
            _ if !addresses.is_empty() => Status::Found,
            (Status::NoData, Status::NoData) => Status::NoData,
            (v4, v6) if v4.is_absent() && v6.is_absent() => Status::NxDomain,
            (v4, v6) if v4.is_absent() => v6,
            (v4, _) => v4,
        };
        Addresses { status, families: [v4, v6], addresses, whole: v4.is_definite() && v6.is_definite() }
    }

    fn mail_hosts(&self, hosts: &[(u16, DnsName, [usize; 2])]) -> MailHosts {
        let hosts: Vec<MailHost> = hosts
            .iter()
            .map(|(preference, name, indices)| MailHost {
                preference: *preference,
                name: name.clone(),
                addresses: self.addresses(*indices),
            })
            .collect();
        let status = match (self.status(0), hosts.first()) {
            (Status::Found, None) => Status::NoData,
            (Status::NoData, Some(implicit)) => implicit.addresses.status,
            (status, _) => status,
        };
        let published = self.answer(0).map_or(0, |mx| mx.exchanges().len());
        let whole = self.status(0).is_definite()
            && published <= MAX_EXCHANGES
            && hosts.iter().all(|host| host.addresses.whole);
        MailHosts { status, hosts, published, whole }
    }
}

/// Whether an answer holds nothing but the addresses that filters give for names they block. For a host that
/// is itself at such an address, as in a demo, they are addresses like any other.
fn is_blocking_answer(answer: &Answer, ip: IpAddr) -> bool {
    let addresses = answer.addresses();
    !addresses.is_empty() && !ip.is_loopback() && addresses.iter().all(|ip| is_blocking(*ip))
}

impl Choice {
    /// The names that are asked forward, in the order of the answer: where there are too many, the one equal
    /// to the banner's name before all, then those in its registrable domain, then the first of the rest. So
    /// a name that could bring the host nearer to its banner is left out only for one that could as well.
    fn among<'a>(&self, all: &'a [DnsName]) -> Vec<&'a DnsName> {
        if all.len() <= self.most {
            return all.iter().collect();
        }
        let banner = self.banner.as_ref();
        let equal = banner.map(DnsName::from_host);
        let domain = banner.and_then(HostName::registrable);
        let rank = |name: &DnsName| match domain {
            _ if equal.as_ref() == Some(name) => 0,
            Some(domain) if registrable(&name.to_string()) == Some(domain) => 1,
            _ => 2,
        };
        let mut ranked: Vec<(u8, usize)> =
            all.iter().enumerate().map(|(index, name)| (rank(name), index)).collect();
        ranked.sort_unstable();
        ranked.truncate(self.most);
        ranked.sort_unstable_by_key(|(_, index)| *index);
        ranked.into_iter().map(|(_, index)| &all[index]).collect()
    }
}

/// Whether a banner's name is one that DNS can know of.
fn is_for_dns(host: &HostName) -> bool {
    let suffix = host.labels().next_back().unwrap_or_default();
    host.is_qualified() && !NOT_FOR_DNS.contains(&suffix)
}

#[cfg(test)]
mod tests;
