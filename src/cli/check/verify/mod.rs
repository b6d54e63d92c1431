//! When a fix does not show: the zones' own servers are asked beside the resolver, and what greets at every
//! address that the old and the new records lead to is listed and judged, for a fix may have gone to the
//! wrong box.

mod compare;
mod doors;
mod outlook;
mod reasons;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use super::look::Look;
use crate::cli::say;
use crate::cli::solve::solve;
use crate::evidence::resolution::MOST_PTR_NAMES;
use crate::evidence::{Forward, Outcome, PtrName, Resolution, Status};
use crate::judge::Context;
use crate::name::{DnsName, HostName};
use crate::record::Record;
use crate::resolve::delegation::{Ask, Exchange, Leg, Manner, Network, View, Walk, Walker};
use crate::resolve::wire::End;
use crate::resolve::{Answer, Kind, Question, Settings, Solution, Want};

pub(super) use compare::{Compared, Standing, content};
use compare::{Fresh, FreshAnswer};
pub(super) use doors::Door;
pub(super) use outlook::{Effect, Outlook, Word};
use outlook::{Greets, Machine, Then};
pub(super) use reasons::text as trouble;

/// How long resolvers keep a denial at most by default, in seconds: Unbound (`cache-max-negative-ttl`) and
/// `PowerDNS` Recursor (`max-negative-ttl`); BIND (`max-ncache-ttl`).
const MOST_ABSENT: [u32; 2] = [3600, 10_800];
/// Resolvers that are tried for one that answers.
const MAX_UPSTREAMS: usize = 8;
/// PTR names that are followed.
const MAX_NAMES: usize = 16;
/// What is left for the zones' servers however late the server itself answered, and for what greets.
const LEAST: Duration = Duration::from_secs(5);

/// What was found out.
#[derive(Debug)]
pub(super) struct Verified {
    /// Question by question.
    pub(super) compared: Vec<Compared>,
    /// What it comes to.
    pub(super) outlook: Outlook,
    /// What stands in the way of a plain answer.
    pub(super) reasons: Vec<String>,
    /// The names whose addresses were looked at.
    pub(super) names: Vec<DnsName>,
    /// What greets there.
    pub(super) doors: Vec<Door>,
}

/// How long all of it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// When the check began.
    pub(super) began: Instant,
    /// From then on.
    pub(super) time: Duration,
    /// Whether what is being done is told.
    pub(super) voice: Voice,
}

/// Whether what is being done is told on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// A line for each step on stderr.
    Loud,
    /// Nothing.
    Quiet,
}

impl Budget {
    fn tell(&self, what: std::fmt::Arguments<'_>) {
        if self.voice == Voice::Loud {
            say(format_args!("banneret: {what}"));
        }
    }

    /// When all must be over, and when the zones' servers must have spoken.
    fn ends(&self) -> (Instant, Instant) {
        let now = Instant::now();
        let end = (self.began + self.time).max(now + LEAST);
        (end, now + (end - now) * 3 / 5)
    }
}

/// Verifies every server that was judged, and every name that had no address; `None` for the others. What is
/// published is judged in the context in which the record was.
pub(super) fn verify<'c>(
    look: &Look,
    records: &[&Record],
    context: impl Fn(&Record) -> Context<'c>,
    budget: &Budget,
) -> anyhow::Result<Vec<Option<Verified>>> {
    let (end, heard_by) = budget.ends();
    let network = Network { until: heard_by };
    let Some(resolver) = living(&network, &look.settings.upstreams) else {
        return Ok(records.iter().map(|_| None).collect());
    };
    let may_ask = |ip: IpAddr| look.exclusions.blocked(ip.to_canonical()).is_none();
    let left = heard_by.saturating_duration_since(Instant::now());
    let settings = Settings { timeout: look.settings.timeout.min(left), ..look.settings.clone() };
    let mut verifier = Verifier {
        settings,
        exchange: &network,
        walker: Walker::new(&network, resolver, &may_ask),
        budget,
        known: Vec::new(),
        fresh: BTreeMap::new(),
    };
    let mut stages = Vec::with_capacity(records.len());
    for record in records {
        stages.push(verifier.questions(record)?);
    }
    let mut visits = doors::Visits::new(look, records, end);
    let mut all = Vec::with_capacity(records.len());
    for (record, stage) in records.iter().zip(stages) {
        let Some((questions, now)) = stage else {
            all.push(None);
            continue;
        };
        let context = context(record);
        let names = verifier.names(record, &questions);
        let doors = visits.visit(&mut verifier, record, &names, &context)?;
        let then = verifier.then(record, &doors, &context);
        let compared: Vec<Compared> = questions.iter().filter_map(|it| verifier.find(it)).cloned().collect();
        let outlook = Outlook::of(&compared, &record.judgement, &then, now);
        let reasons = reasons::reasons(&compared, verifier.walker.has_heard());
        all.push(Some(Verified { compared, outlook, reasons, names, doors }));
    }
    Ok(all)
}

/// Compares questions, each once.
struct Verifier<'a> {
    settings: Settings,
    exchange: &'a dyn Exchange,
    walker: Walker<'a>,
    budget: &'a Budget,
    known: Vec<Compared>,
    /// What the resolver says to a name that nobody has asked for, of each zone that was met.
    fresh: BTreeMap<DnsName, Option<FreshAnswer>>,
}

impl Verifier<'_> {
    /// The questions that decide on a record, compared, and when; `None` where there is nothing to verify.
    fn questions(&mut self, record: &Record) -> anyhow::Result<Option<(Vec<Question>, SystemTime)>> {
        let now = SystemTime::now();
        let asked = asked_host(record);
        let Some(ip) = record.target.ip else {
            let Some(name) = asked.filter(|_| record.evidence.observation.outcome == Outcome::Unresolved)
            else {
                return Ok(None);
            };
            let questions = [Kind::A, Kind::Aaaa].map(|kind| Question::new(name.clone(), kind)).to_vec();
            self.compare(&questions, None)?;
            return Ok(Some((questions, now)));
        };
        let Some(resolution) = &record.evidence.resolution else { return Ok(None) };
        let forward = |name: DnsName| Question::new(name, Kind::of_family(ip));
        let ptr_names = resolution.names.iter().take(MAX_NAMES).map(|ptr| ptr.name.clone());
        let names = banner_of(record).into_iter().chain(asked).chain(ptr_names);
        let mut questions = vec![Question::ptr(ip)];
        add(&mut questions, names.map(forward));
        self.compare(&questions, Some(resolution))?;
        // A new PTR name has a forward address of its own.
        let fresh =
            self.find(&questions[0]).and_then(Compared::published).map(Answer::names).unwrap_or_default();
        let fresh: Vec<Question> = fresh.iter().take(MAX_NAMES).cloned().map(forward).collect();
        add(&mut questions, fresh.into_iter());
        self.compare(&questions, Some(resolution))?;
        Ok(Some((questions, now)))
    }

    fn find(&self, question: &Question) -> Option<&Compared> {
        self.known.iter().find(|it| it.question == *question)
    }

    /// Compares those that are not known yet. The resolver is asked while the zones' servers are.
    fn compare(&mut self, questions: &[Question], earlier: Option<&Resolution>) -> anyhow::Result<()> {
        let new: Vec<Question> = questions.iter().filter(|it| self.find(it).is_none()).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let (failed, fine): (Vec<Question>, Vec<Question>) =
            new.iter().cloned().partition(|it| earlier.and_then(|known| failure(known, it)).is_some());
        let settings = self.settings.clone();
        let (cached, walks) = std::thread::scope(|scope| {
            let asking = scope.spawn(move || {
                let answers = ask(&settings, fine.clone())?;
                anyhow::Ok(fine.into_iter().zip(answers).collect::<Vec<_>>())
            });
            let walks: Vec<_> = new
                .iter()
                .map(|question| {
                    self.budget.tell(format_args!("asking the servers of the zone of {}", question.name));
                    self.walker.walk(question)
                })
                .collect();
            // A thread that fell over is a resolver that said nothing.
            (asking.join().unwrap_or_else(|_| Ok(Vec::new())), walks)
        });
        let mut cached = cached?;
        // What failed a moment ago is not waited for again.
        let failures = failed.into_iter().map(|question| {
            let status = earlier.and_then(|known| failure(known, &question)).unwrap_or(Status::NotAsked);
            (question, Answer::bare(status))
        });
        cached.extend(failures);
        for (question, walk) in new.into_iter().zip(walks) {
            let answer =
                cached.iter().find(|(asked, _)| *asked == question).map(|(_, answer)| answer.clone());
            let cached = answer.unwrap_or(Answer::bare(Status::NotAsked));
            let upstream = cached.origin.as_ref().map_or(0, |origin| origin.upstream);
            let resolver = self.settings.upstreams.get(upstream).copied();
            let view = resolver.and_then(|resolver| View::ask(self.exchange, resolver, &question));
            let fresh = resolver.map(|resolver| self.fresh(resolver, &walk)).unwrap_or_default();
            self.known.push(Compared { question, cached, view, walk, fresh });
        }
        Ok(())
    }

    /// What the resolver says to names in the zones on the way that are in no cache: what it keeps may hide a
    /// zone that it can't ask, or whose signatures do not hold.
    fn fresh(&mut self, resolver: SocketAddr, walk: &Walk) -> Vec<Fresh> {
        let mut all = Vec::new();
        for leg in walk.legs.iter().filter(|leg| leg.zone != DnsName::root()) {
            let answer = match self.fresh.get(&leg.zone) {
                Some(known) => *known,
                None => self.fresh_answer(resolver, leg),
            };
            self.fresh.insert(leg.zone.clone(), answer);
            all.extend(answer.map(|answer| Fresh { zone: leg.zone.clone(), answer }));
        }
        all
    }

    fn fresh_answer(&self, resolver: SocketAddr, leg: &Leg) -> Option<FreshAnswer> {
        let label = format!("banneret-{:016x}", rand::random::<u64>());
        let name = DnsName::parse(&format!("{label}.{}", leg.zone)).ok()?;
        let question = Question::new(name, Kind::A);
        let view = View::ask(self.exchange, resolver, &question)?;
        match (view.why, view.end) {
            (Some(why), _) if why.is_dnssec => Some(FreshAnswer::Refused),
            (Some(_), _) => leg.answers(self.exchange, &question).then_some(FreshAnswer::Fails),
            (None, End::NxDomain(_, left) | End::NoData(_, left)) => {
                let full = leg.absent_for.filter(|_| view.is_checked)?;
                // What a resolver has just asked for it keeps no longer than it keeps any denial.
                let ago = if MOST_ABSENT.contains(&left) {
                    Duration::ZERO
                } else {
                    full.saturating_sub(Duration::from_secs(u64::from(left)))
                };
                Some(FreshAnswer::Checked(ago))
            }
            (None, _) => None,
        }
    }

    /// What is published; an open question where that is not known.
    fn published(&mut self, question: &Question) -> Answer {
        if let Some(compared) = self.find(question) {
            return compared.published().cloned().unwrap_or(Answer::bare(Status::ServFail));
        }
        let walk = self.walker.walk(question);
        walk.published().cloned().unwrap_or(Answer::bare(Status::ServFail))
    }

    /// What DNS would say of an address and of the name in its greeting if everybody saw what is published.
    fn resolution(&mut self, ip: IpAddr, banner: Option<&HostName>) -> Resolution {
        let ptr = self.published(&Question::ptr(ip));
        let mut forward = |name: &DnsName| {
            let answer = self.published(&Question::new(name.clone(), Kind::of_family(ip)));
            Forward { status: answer.status, addresses: answer.addresses().to_vec() }
        };
        let mut names = Vec::new();
        for (place, name) in ptr.names().iter().take(MOST_PTR_NAMES).enumerate() {
            let forward = if place < MAX_NAMES { forward(name) } else { Forward::not_asked() };
            names.push(PtrName { name: name.clone(), forward });
        }
        Resolution {
            ptr: ptr.status,
            ptr_count: u32::try_from(ptr.names().len()).unwrap_or(u32::MAX),
            names,
            banner_forward: banner.map_or_else(Forward::not_asked, |name| forward(&DnsName::from_host(name))),
        }
    }

    /// The names whose addresses are looked at: the banner's, the one asked for, those that are published for
    /// the address.
    fn names(&self, record: &Record, questions: &[Question]) -> Vec<DnsName> {
        let mut names: Vec<DnsName> = Vec::new();
        let published = questions.first().and_then(|first| self.find(first)).and_then(Compared::published);
        let ptr_names = published.map(Answer::names).unwrap_or_default().iter().cloned();
        for name in banner_of(record).into_iter().chain(asked_host(record)).chain(ptr_names) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// What becomes of a server with what is published.
    fn then(&mut self, record: &Record, doors: &[Door], context: &Context<'_>) -> Then {
        let Some(ip) = record.target.ip else { return self.then_of_name(record) };
        if let Some(name) = asked_host(record) {
            let published = self.published(&Question::new(name.clone(), Kind::of_family(ip)));
            if published.status == Status::Found && !published.addresses().contains(&ip) {
                let there = doors.iter().filter(|door| {
                    door.at.port() == record.target.port && published.addresses().contains(&door.at.ip())
                });
                let text = name.to_string();
                let did = record.judgement.banner_name.as_deref() == Some(&*text);
                let machine = |door: &Door| Machine {
                    judgement: door.judgement.clone(),
                    greets_as_asked: match (did, door.banner_name.as_deref() == Some(&*text)) {
                        (true, false) => Greets::OldOnly,
                        (false, true) => Greets::NewOnly,
                        _ => Greets::Alike,
                    },
                };
                return Then::Elsewhere(there.map(machine).collect());
            }
        }
        let banner = record.judgement.banner_name.as_deref().and_then(|name| HostName::parse(name).ok());
        let resolution = self.resolution(ip, banner.as_ref());
        Then::Judged(Box::new(doors::judge(
            record,
            record.evidence.observation.clone(),
            ip,
            resolution,
            context,
        )))
    }

    fn then_of_name(&mut self, record: &Record) -> Then {
        let Some(name) = asked_host(record) else { return Then::Unknown };
        let both =
            [Kind::A, Kind::Aaaa].map(|kind| self.published(&Question::new(name.clone(), kind)).status);
        if both.contains(&Status::Found) {
            Then::Resolves
        } else if both.iter().all(|status| status.is_absent()) {
            Then::Judged(Box::new(record.judgement.clone()))
        } else {
            Then::Unknown
        }
    }
}

/// A resolver that answers, by which the way to the zones begins; the first where none does.
fn living(exchange: &dyn Exchange, upstreams: &[SocketAddr]) -> Option<SocketAddr> {
    let question = Question::new(DnsName::root(), Kind::Ns);
    let ask = |&at: &SocketAddr| Ask { at, question: question.clone(), manner: Manner::Recursive };
    let asks: Vec<Ask> = upstreams.iter().take(MAX_UPSTREAMS).map(ask).collect();
    let replies = exchange.put(&asks, &|_, reply| reply.is_ok());
    let alive = replies.iter().position(|reply| matches!(reply, Some(Ok(_))));
    upstreams.get(alive.unwrap_or(0)).copied()
}

/// The host name that a record was asked for by, if it was.
fn asked_host(record: &Record) -> Option<DnsName> {
    if record.target.asked.parse::<IpAddr>().is_ok() {
        return None;
    }
    HostName::parse(&record.target.asked).ok().map(|name| DnsName::from_host(&name))
}

fn banner_of(record: &Record) -> Option<DnsName> {
    let banner = record.judgement.banner_name.as_deref().and_then(|name| HostName::parse(name).ok());
    banner.filter(HostName::is_qualified).map(|name| DnsName::from_host(&name))
}

/// How a question ended that has failed already.
fn failure(known: &Resolution, question: &Question) -> Option<Status> {
    let status = match question.kind {
        Kind::Ptr => known.ptr,
        _ => known.names.iter().find(|ptr| ptr.name == question.name)?.forward.status,
    };
    let is_failure = !status.is_definite() && status != Status::NotAsked;
    is_failure.then_some(status)
}

fn add(questions: &mut Vec<Question>, more: impl Iterator<Item = Question>) {
    for question in more {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
}

/// What the resolver says, as far as it is believed.
fn ask(settings: &Settings, questions: Vec<Question>) -> anyhow::Result<Vec<Answer>> {
    let solutions = solve(questions.into_iter().map(Want::Answer).collect(), settings)?;
    let answers = solutions.into_iter().map(|solution| match solution {
        Solution::Answer(answer) => answer,
        _ => Answer::bare(Status::NotAsked),
    });
    Ok(answers.collect())
}
