//! What the zone's own servers say beside what a resolver keeps: how the two stand, and from when on everybody sees the
//! new answer. Pure: asks nobody.
//!
//! By example: the resolver has no PTR name and keeps that for 600 s more, both servers of the zone have one: the fix is
//! published, and shows in 600 s at the latest.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use crate::evidence::resolution::MOST_PTR_NAMES;
use crate::evidence::{Evidence, Forward, PtrName, Resolution, Status};
use crate::judge::{Context, Finding, Judgement, Severity, judge_in};
use crate::name::{DnsName, HostName};
use crate::record::Record;
use crate::resolve::{Answer, Kind, Question, Records};
use crate::targets::Inventory;

/// What one server of a zone says.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::check) struct Said {
    /// Its name.
    pub(in crate::cli::check) server: DnsName,
    /// Where it was asked.
    pub(in crate::cli::check) at: SocketAddr,
    /// What it said.
    pub(in crate::cli::check) answer: Answer,
}

/// One question, and what was said to it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::check) struct Compared {
    /// The question.
    pub(in crate::cli::check) question: Question,
    /// What the resolver says, and for how long it will.
    pub(in crate::cli::check) cached: Answer,
    /// What the zone's own servers say.
    pub(in crate::cli::check) said: Vec<Said>,
}

/// How the zone's servers and the resolver stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) enum Standing {
    /// They say the same.
    Same,
    /// The zone says another thing, and the resolver keeps the old one for so long.
    Pending(Duration),
    /// The zone's servers contradict each other.
    Divided,
    /// One side gave no definite answer.
    Unknown,
}

impl Standing {
    /// The word for programs.
    pub(in crate::cli::check) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Pending(_) => "pending_cache",
            Self::Divided => "divided",
            Self::Unknown => "unknown",
        }
    }
}

/// What the comparison comes to for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) enum Outlook {
    /// What was judged is what is published.
    Current,
    /// With what is published the server is better off; everybody sees it from then on.
    FixedPendingCache(SystemTime),
    /// What is published differs, and makes it no better.
    ChangedPendingCache(SystemTime),
    /// The zones' servers contradict each other: which answer a receiver gets is chance.
    Divided,
    /// No server of a zone gave a definite answer.
    Unknown,
}

impl Outlook {
    /// The word for programs.
    pub(in crate::cli::check) fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::FixedPendingCache(_) => "fixed_pending_cache",
            Self::ChangedPendingCache(_) => "changed_pending_cache",
            Self::Divided => "divided",
            Self::Unknown => "unknown",
        }
    }

    /// From when on everybody sees what is published, where that is not so already.
    pub(in crate::cli::check) fn clean(self) -> Option<SystemTime> {
        match self {
            Self::FixedPendingCache(clean) | Self::ChangedPendingCache(clean) => Some(clean),
            _ => None,
        }
    }

    /// What a comparison comes to for the host of `record`, which was judged in `context`; the questions were
    /// answered at `now`.
    pub(in crate::cli::check) fn of(
        compared: &[Compared],
        record: &Record,
        context: &Context<'_>,
        now: SystemTime,
    ) -> Self {
        let standings = || compared.iter().map(Compared::standing);
        if standings().any(|standing| standing == Standing::Divided) {
            return Self::Divided;
        }
        let Some(left) = left(compared) else {
            return if standings().any(|standing| standing == Standing::Same) {
                Self::Current
            } else {
                Self::Unknown
            };
        };
        // A clock that can't say the time shows the latest it can.
        let clean = now.checked_add(left).unwrap_or(now);
        let Some(resolution) = published(compared, record) else { return Self::ChangedPendingCache(clean) };
        let evidence = Evidence { resolution: Some(resolution), ..record.evidence.clone() };
        let nothing = Inventory::default();
        let then = judge_in(context, &evidence, record.target.inventory.as_deref().unwrap_or(&nothing));
        if burden(&then) < burden(&record.judgement) {
            Self::FixedPendingCache(clean)
        } else {
            Self::ChangedPendingCache(clean)
        }
    }
}

/// For how long the resolver keeps the last of the answers that are not published any more.
pub(super) fn left(compared: &[Compared]) -> Option<Duration> {
    let pending = compared.iter().filter_map(|it| match it.standing() {
        Standing::Pending(ttl) => Some(ttl),
        _ => None,
    });
    pending.max()
}

/// How much weighs on a host: the worst finding counts first, then the next. What the user accepts counts only between
/// hosts that are equal without it.
fn burden(judgement: &Judgement) -> [Vec<Severity>; 2] {
    let is_accepted =
        |finding: &Finding| judgement.accepted.iter().any(|accepted| accepted.code == finding.code);
    let worst_first = |keep: &dyn Fn(&Finding) -> bool| {
        let weighty = judgement.findings.iter().filter(|it| it.severity > Severity::None && keep(it));
        let mut severities: Vec<Severity> = weighty.map(|finding| finding.severity).collect();
        severities.sort_unstable_by(|one, other| other.cmp(one));
        severities
    };
    [worst_first(&|finding| !is_accepted(finding)), worst_first(&|_| true)]
}

impl Compared {
    /// How the two sides stand.
    pub(in crate::cli::check) fn standing(&self) -> Standing {
        let mut definite =
            self.said.iter().map(|said| &said.answer).filter(|answer| answer.status.is_definite());
        let Some(first) = definite.next() else { return Standing::Unknown };
        if definite.any(|other| !is_same(first, other)) {
            return Standing::Divided;
        }
        if is_same(first, &self.cached) {
            Standing::Same
        } else if self.cached.status.is_definite() {
            Standing::Pending(self.cached.ttl)
        } else {
            Standing::Unknown
        }
    }

    /// What is published, as far as that is known: the zone's answer, else the resolver's.
    pub(in crate::cli::check) fn published(&self) -> &Answer {
        let definite = self.said.iter().map(|said| &said.answer).find(|answer| answer.status.is_definite());
        definite.unwrap_or(&self.cached)
    }
}

/// Whether two answers say the same, in whatever order. That a name has nothing of a type and that there is no such name
/// comes to the same for a host.
fn is_same(one: &Answer, other: &Answer) -> bool {
    if one.status.is_absent() && other.status.is_absent() {
        return true;
    }
    let names = |answer: &Answer| {
        let mut names = answer.names().to_vec();
        names.sort_unstable_by(|a, b| a.as_wire().cmp(b.as_wire()));
        names
    };
    let addresses = |answer: &Answer| {
        let mut addresses = answer.addresses().to_vec();
        addresses.sort_unstable();
        addresses
    };
    one.status == other.status && names(one) == names(other) && addresses(one) == addresses(other)
}

/// What DNS would say of the host if everybody saw what is published.
fn published(compared: &[Compared], record: &Record) -> Option<Resolution> {
    let ip = record.target.ip?;
    let answer =
        |question: &Question| compared.iter().find(|it| it.question == *question).map(Compared::published);
    let forward = |name: DnsName| {
        let answer = answer(&Question::new(name, Kind::of_family(ip)));
        answer.map_or_else(Forward::not_asked, leads)
    };
    let ptr = answer(&Question::ptr(ip))?;
    let names = ptr.names().iter().take(MOST_PTR_NAMES);
    let banner = record.judgement.banner_name.as_deref().and_then(|name| HostName::parse(name).ok());
    Some(Resolution {
        ptr: ptr.status,
        ptr_count: u32::try_from(ptr.names().len()).unwrap_or(u32::MAX),
        names: names.map(|name| PtrName { name: name.clone(), forward: forward(name.clone()) }).collect(),
        banner_forward: banner.map_or_else(Forward::not_asked, |name| forward(DnsName::from_host(&name))),
    })
}

fn leads(answer: &Answer) -> Forward {
    let addresses = match &answer.records {
        Records::Addresses(addresses) => addresses.clone(),
        _ => Vec::new(),
    };
    Forward { status: answer.status, addresses }
}

/// The name, and the zones that it may be in, the nearest first; the root is nobody's to change.
pub(super) fn zones(name: &DnsName) -> Vec<DnsName> {
    let mut wire = name.as_wire();
    let mut zones = Vec::new();
    while let Some((&length, rest)) = wire.split_first()
        && length > 0
    {
        zones.extend(DnsName::from_wire(wire));
        wire = rest.get(usize::from(length)..).unwrap_or_default();
    }
    zones
}

/// How a question that found nothing ended, or what was found.
pub(in crate::cli::check) fn content(answer: &Answer) -> String {
    let found: Vec<String> = match &answer.records {
        Records::Names(names) => names.iter().map(ToString::to_string).collect(),
        Records::Addresses(addresses) => addresses.iter().map(ToString::to_string).collect(),
        Records::Exchanges(_) | Records::None => Vec::new(),
    };
    match answer.status {
        Status::Found => found.join(", "),
        status => status.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn names(list: &[&str], ttl: u64) -> Answer {
        Answer::found(Records::Names(list.iter().map(|text| name(text)).collect()), Duration::from_secs(ttl))
    }

    fn absent(status: Status, ttl: u64) -> Answer {
        Answer { ttl: Duration::from_secs(ttl), ..Answer::bare(status) }
    }

    fn compared(cached: Answer, said: &[Answer]) -> Compared {
        let said = said.iter().map(|answer| Said {
            server: name("ns.example.net"),
            at: "192.0.2.53:53".parse().unwrap(),
            answer: answer.clone(),
        });
        Compared { question: Question::ptr([192, 0, 2, 1].into()), cached, said: said.collect() }
    }

    #[test]
    fn a_cache_stands_to_its_zone_in_one_of_four_ways() {
        let (old, new) = (names(&["a.example"], 600), names(&["b.example"], 3600));
        let failed = Answer::bare(Status::ServFail);
        for (cached, said, standing) in [
            (&old, vec![old.clone(), names(&["a.example"], 60)], Standing::Same),
            (
                &names(&["a.example", "b.example"], 1),
                vec![names(&["b.example", "a.example"], 2)],
                Standing::Same,
            ),
            (&absent(Status::NxDomain, 5), vec![absent(Status::NoData, 9)], Standing::Same),
            (&old, vec![new.clone(), failed.clone()], Standing::Pending(Duration::from_secs(600))),
            (&absent(Status::NxDomain, 300), vec![new.clone()], Standing::Pending(Duration::from_secs(300))),
            (&old, vec![absent(Status::NxDomain, 1)], Standing::Pending(Duration::from_secs(600))),
            (&old, vec![new.clone(), old.clone()], Standing::Divided),
            (&old, vec![failed.clone()], Standing::Unknown),
            (&old, vec![], Standing::Unknown),
            (&failed, vec![new.clone()], Standing::Unknown),
        ] {
            assert_eq!(compared(cached.clone(), &said).standing(), standing, "{cached:?} {said:?}");
        }
    }

    #[test]
    fn a_name_is_in_one_of_its_zones() {
        let told: Vec<String> = zones(&name("a.b.example")).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["a.b.example", "b.example", "example"]);
        assert!(zones(&DnsName::root()).is_empty());
    }
}
