//! How upstreams behave, found out before a scan relies on them: some answer for names that do not exist, some refuse,
//! some are not there. Each is asked by itself, all at the same time.
//!
//! Who rewrites NXDOMAIN does it for names that a person may have mistyped, so names of no special use are asked: 24
//! random letters under `com` and `org`, two questions that the servers of these zones answer out of their memory. A name
//! under `invalid.` would be answered by the resolver itself, and show nothing. The third is a PTR question for such a
//! label in the reverse zone of TEST-NET-1, which costs nobody anything (RFC 6303 §4.2). In a network without the Internet
//! the first two fail, and show nothing either: that is no reason to stop or to warn.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::time::Duration;

use rand::RngExt;

use super::direct;
use super::question::{Answer, Kind, Question, Records};
use super::service::ResolveError;
use super::settings::Settings;
use crate::evidence::Status;
use crate::name::DnsName;

/// Zones that everybody resolves, and in which nobody has registered such a name.
const SUFFIXES: [&str; 2] = ["com", "org"];
/// Letters of a label that exists nowhere: more than chance or an index of all names finds.
const LETTERS: usize = 24;
/// How long one upstream is given.
const PATIENCE: Duration = Duration::from_secs(3);

/// How one upstream behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// Names that do not exist do not exist.
    Honest,
    /// It answers for names that do not exist: absence can't be seen through it.
    Inventing(Inventions),
    /// It refuses, or fails, or does not answer: the last status.
    Useless(Status),
}

/// What upstreams answer with for names that do not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inventions {
    /// Addresses, each once.
    pub addresses: Vec<IpAddr>,
    /// PTR names, each once.
    pub names: Vec<DnsName>,
}

impl Inventions {
    /// Whether an answer is one of them.
    pub fn contain(&self, answer: &Answer) -> bool {
        match &answer.records {
            Records::Addresses(addresses) => addresses.iter().any(|address| self.addresses.contains(address)),
            Records::Names(names) => names.iter().any(|name| self.names.contains(name)),
            Records::None | Records::Exchanges(_) => false,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.names.is_empty()
    }

    /// Takes those of another upstream in, too.
    fn append(&mut self, others: &Self) {
        for address in &others.addresses {
            if !self.addresses.contains(address) {
                self.addresses.push(*address);
            }
        }
        for name in &others.names {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
        }
    }
}

/// Tries each upstream of the settings, and settles on whom to rely: one that invents answers is asked only if none is
/// known to be honest, and then what it invented settles nothing. Takes at most about three seconds.
pub fn try_upstreams(settings: &mut Settings) -> Result<Vec<(SocketAddr, Manner)>, ResolveError> {
    let tried: Vec<(SocketAddr, Manner)> = std::thread::scope(|scope| {
        let upstreams = settings.upstreams.iter().copied();
        let tries: Vec<_> = upstreams
            .map(|upstream| {
                let alone = Settings {
                    upstreams: vec![upstream],
                    timeout: settings.timeout.min(PATIENCE),
                    attempts: settings.attempts.min(NonZeroU8::MIN.saturating_add(2)),
                    ..settings.clone()
                };
                (upstream, scope.spawn(move || try_one(alone)))
            })
            .collect();
        tries
            .into_iter()
            .map(|(upstream, manner)| {
                let lost = || Ok(Manner::Useless(Status::NotAsked));
                Ok((upstream, manner.join().unwrap_or_else(|_| lost())?))
            })
            .collect::<Result<_, ResolveError>>()
    })?;
    if tried.iter().any(|(_, manner)| *manner == Manner::Honest) {
        let invents = |upstream| {
            tried.iter().any(|(tried, manner)| *tried == upstream && matches!(manner, Manner::Inventing(_)))
        };
        settings.upstreams.retain(|&upstream| !invents(upstream));
    } else {
        for (_, manner) in &tried {
            if let Manner::Inventing(inventions) = manner {
                settings.inventions.append(inventions);
            }
        }
    }
    Ok(tried)
}

fn try_one(settings: Settings) -> Result<Manner, ResolveError> {
    let mut questions: Vec<Question> =
        SUFFIXES.iter().filter_map(|suffix| Some(Question::new(unregistered(suffix)?, Kind::A))).collect();
    questions.extend(absent());
    match direct::ask(settings, &questions) {
        Ok(answers) => Ok(judge(&answers)),
        // No route leads there.
        Err(ResolveError::Io(..)) => Ok(Manner::Useless(Status::TimedOut)),
        Err(wrong) => Err(wrong),
    }
}

/// A PTR question whose answer is NXDOMAIN, and that costs nobody anything.
pub(super) fn absent() -> Option<Question> {
    unregistered("2.0.192.in-addr.arpa").map(|name| Question::new(name, Kind::Ptr))
}

/// A name that exists nowhere.
fn unregistered(suffix: &str) -> Option<DnsName> {
    let mut random = rand::rng();
    let letters: String = (0..LETTERS).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect();
    DnsName::parse(&format!("{letters}.{suffix}")).ok()
}

/// One invention is enough; else the best that was seen.
fn judge(answers: &[Answer]) -> Manner {
    let mut inventions = Inventions::default();
    for answer in answers {
        inventions
            .append(&Inventions { addresses: answer.addresses().to_vec(), names: answer.names().to_vec() });
    }
    if !inventions.is_empty() {
        return Manner::Inventing(inventions);
    }
    // What resolvers answer by themselves says nothing of what others answer them.
    let public = &answers[..answers.len().min(SUFFIXES.len())];
    if public.iter().any(|answer| answer.status.is_definite()) {
        return Manner::Honest;
    }
    Manner::Useless(public.last().map_or(Status::NotAsked, |answer| answer.status))
}
