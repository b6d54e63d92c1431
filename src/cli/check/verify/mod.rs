//! When a fix does not show: the zone's own servers are asked beside the resolver, and what greets at every address of
//! the name is listed, for a fix may have gone to the wrong box.

mod compare;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::time::{Duration, SystemTime};

use super::conversation::{Visit, speak};
use super::server::Look;
use crate::cli::solve::solve;
use crate::evidence::{Outcome, Status};
use crate::judge::Context;
use crate::name::{DnsName, HostName};
use crate::probe::LocalTrouble;
use crate::record::Record;
use crate::resolve::settings::DNS_PORT;
use crate::resolve::{self, Answer, Kind, Question, Settings, Solution, Want};

pub(super) use compare::{Compared, Outlook, Standing, content};
use compare::{Said, zones};

/// Servers of one zone that are asked: a fix that has reached four has left the first.
const MAX_SERVERS: usize = 4;
/// PTR names that are followed.
const MAX_NAMES: usize = 4;
/// Addresses of the banner's name that are looked at.
const MAX_DOORS: usize = 8;
/// The ports where a mail server greets.
const PORTS: [u16; 3] = [25, 465, 587];

/// What was found out.
#[derive(Debug)]
pub(super) struct Verified {
    /// Question by question.
    pub(super) compared: Vec<Compared>,
    /// What it comes to.
    pub(super) outlook: Outlook,
    /// The name whose addresses were looked at.
    pub(super) name: Option<HostName>,
    /// What greets there.
    pub(super) doors: Vec<Door>,
}

impl Verified {
    /// For how long the resolver keeps an answer that is not published any more.
    pub(super) fn left(&self) -> Option<Duration> {
        compare::left(&self.compared)
    }
}

/// One address and port that a name leads to.
#[derive(Debug)]
pub(super) struct Door {
    /// Where.
    pub(super) at: SocketAddr,
    /// What the wire showed.
    pub(super) outcome: Result<Outcome, LocalTrouble>,
    /// The name in the greeting.
    pub(super) banner_name: Option<String>,
    /// What the address's PTR question found.
    pub(super) ptr: Answer,
}

/// Asks the zones of a server's names, and looks behind the doors of its name. What is published is judged in the
/// `context` in which the record was. `None` for a server that was not judged.
pub(super) fn verify(
    look: &Look,
    record: &Record,
    context: &Context<'_>,
) -> anyhow::Result<Option<Verified>> {
    let (Some(ip), Some(resolution)) = (record.target.ip, &record.evidence.resolution) else {
        return Ok(None);
    };
    let banner = record.judgement.banner_name.as_deref().and_then(|name| HostName::parse(name).ok());
    let name = banner.filter(HostName::is_qualified);
    let forward = |name: DnsName| Question::new(name, Kind::of_family(ip));
    let ptr_names = resolution.names.iter().take(MAX_NAMES).map(|ptr| ptr.name.clone());
    let names = name.iter().map(DnsName::from_host).chain(ptr_names);
    let mut questions = vec![Question::ptr(ip)];
    add(&mut questions, names.map(forward));

    let time = SystemTime::now();
    let mut compared = compare(look, &questions)?;
    // A new PTR name has a forward address of its own.
    let mut further = questions.clone();
    let fresh = compared.iter().flat_map(|it| &it.said).flat_map(|said| said.answer.names());
    add(&mut further, fresh.take(MAX_NAMES).cloned().map(forward));
    compared.extend(compare(look, &further[questions.len()..])?);

    let outlook = Outlook::of(&compared, record, context, time);
    let doors = match &name {
        Some(name) => doors(look, name)?,
        None => Vec::new(),
    };
    Ok(Some(Verified { compared, outlook, name, doors }))
}

fn add(questions: &mut Vec<Question>, more: impl Iterator<Item = Question>) {
    for question in more {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
}

fn compare(look: &Look, questions: &[Question]) -> anyhow::Result<Vec<Compared>> {
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let cached = ask(look, questions.to_vec())?;
    let compared = questions.iter().zip(cached).map(|(question, cached)| {
        let said = authority(look, question)?;
        Ok(Compared { question: question.clone(), cached, said })
    });
    compared.collect()
}

/// What the resolver says, as far as it is believed.
fn ask(look: &Look, questions: Vec<Question>) -> anyhow::Result<Vec<Answer>> {
    let solutions = solve(questions.into_iter().map(Want::Answer).collect(), &look.settings)?;
    let answers = solutions.into_iter().map(|solution| match solution {
        Solution::Answer(answer) => answer,
        _ => Answer::bare(Status::NotAsked),
    });
    Ok(answers.collect())
}

/// What the servers of a question's zone say to it, each for itself.
fn authority(look: &Look, question: &Question) -> anyhow::Result<Vec<Said>> {
    let asked: Vec<Question> =
        zones(&question.name).into_iter().map(|zone| Question::new(zone, Kind::Ns)).collect();
    // A denial here counts against nobody, and need not be confirmed.
    let found = resolve::ask(look.settings.clone(), &asked)?;
    let Some(servers) = found.iter().map(Answer::names).find(|names| !names.is_empty()) else {
        return Ok(Vec::new());
    };
    let servers = &servers[..servers.len().min(MAX_SERVERS)];
    let both = servers
        .iter()
        .flat_map(|server| [Kind::A, Kind::Aaaa].map(|kind| Question::new(server.clone(), kind)));
    let addresses = resolve::ask(look.settings.clone(), &both.collect::<Vec<_>>())?;
    let first = |pair: &[Answer]| {
        let mut all = pair.iter().flat_map(Answer::addresses).copied();
        all.find(|ip| look.exclusions.blocked(*ip).is_none())
    };
    let reached =
        servers.iter().zip(addresses.chunks(2)).filter_map(|(server, pair)| Some((server, first(pair)?)));
    let reached: Vec<(&DnsName, IpAddr)> = reached.collect();
    std::thread::scope(|scope| {
        let asking: Vec<_> = reached
            .into_iter()
            .map(|(server, ip)| {
                let at = SocketAddr::new(ip, DNS_PORT);
                let settings = Settings { upstreams: vec![at], ..look.settings.clone() };
                let answer = scope.spawn(move || resolve::ask(settings, std::slice::from_ref(question)));
                (server.clone(), at, answer)
            })
            .collect();
        let said = asking.into_iter().filter_map(|(server, at, answer)| {
            // A thread that fell over is a server that said nothing.
            let answers = answer.join().ok()?;
            Some(answers.map(|mut answers| answers.pop().map(|answer| Said { server, at, answer })))
        });
        let said: Vec<Option<Said>> = said.collect::<Result<_, _>>()?;
        Ok(said.into_iter().flatten().collect())
    })
}

/// What greets at every address of a name.
fn doors(look: &Look, name: &HostName) -> anyhow::Result<Vec<Door>> {
    let Some(Solution::Addresses(found)) = solve(vec![Want::Addresses(name.clone())], &look.settings)?.pop()
    else {
        return Ok(Vec::new());
    };
    let allowed =
        found.addresses.iter().map(IpAddr::to_canonical).filter(|ip| look.exclusions.blocked(*ip).is_none());
    let addresses: Vec<IpAddr> = allowed.take(MAX_DOORS).collect();
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let questions: Vec<Question> = addresses.iter().copied().map(Question::ptr).collect();
    let ptrs = ask(look, questions)?;
    let visit = Visit { addresses: &addresses, ports: &PORTS, name: Some(name), samples: NonZeroU8::MIN };
    let seen = speak(look, &visit)?;
    let doors = seen.into_iter().map(|(at, spoken)| {
        let ptr = addresses.iter().position(|ip| *ip == at.ip()).and_then(|place| ptrs.get(place));
        Door {
            at,
            banner_name: spoken.as_ref().ok().and_then(|(seen, _)| seen.greeting_source().name()),
            outcome: spoken.map(|(seen, _)| seen.observation.outcome),
            ptr: ptr.cloned().unwrap_or(Answer::bare(Status::NotAsked)),
        }
    });
    Ok(doors.collect())
}
