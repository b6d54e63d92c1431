//! Canaries: answers that count against a host are believed only when, after they came, every upstream has shown that it
//! still tells the truth about what is known. Pure; time is an argument.
//!
//! A resolver under load, or one that lost its own way out, may say NXDOMAIN to everything, or answer everything with its
//! own address. So hosts that are not borne out by DNS wait for a round, a fraction of a second, in which each upstream is
//! asked three questions that cost nobody anything:
//! - the PTR question and the forward question of a host of this very scan that DNS has borne out within the TTLs of the
//!   two answers, a minute at most: they stand in the upstream's own cache, whatever network it is in;
//! - a PTR question for a random label under `2.0.192.in-addr.arpa`, the reverse zone of TEST-NET-1 (RFC 5737), which
//!   resolvers answer by themselves (RFC 6303 §4.2) and in which that label does not exist. A name under `invalid.` would
//!   do no better, a name under a real zone would be asked of its servers.
//!
//! An upstream that denies or alters the former, or finds the latter, lies. One that fails to answer shows nothing, and
//! what it failed to answer counts against nobody; but one of them must tell the truth. Nor does it show anything if
//! nothing is known to be good yet, or if names of TEST-NET-1 are refused: no scan of a private network ends for that.
//!
//! By example: hosts 1 to 9 have no PTR. The round that they wait for goes well: they have none. Hosts 10 to 19 have none
//! either, but upstream B denies the known host as well: 10 to 19 are asked about again, as is whatever was under way, and
//! B is left alone for a while. So are those that wait for the next round that goes well: it shows that the lie is over,
//! not when it was. A lie shorter than the time between two rounds is not noticed.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::manners::absent;
use super::plan::Token;
use super::question::{Answer, Kind, Question};
use crate::evidence::Status;
use crate::name::DnsName;

/// Hosts that wait begin a round when they are so many, or the first has waited so long.
const MANY: usize = 256;
const LONG: Duration = Duration::from_millis(100);
/// After a round that went badly another one follows so soon, whoever waits for it.
const SOON: Duration = Duration::from_millis(500);
/// What is known is renewed when it is so old …
const RENEWED: Duration = Duration::from_secs(1);
/// … and holds at most so long.
const HOLDS: Duration = Duration::from_secs(60);
/// Questions to each upstream.
const EACH: u32 = 3;
/// Upstreams at most.
const UPSTREAMS: u32 = 64;
/// The most canaries under way at once.
pub(super) const MOST: usize = (EACH * UPSTREAMS) as usize;
/// The first of their tokens.
const FIRST: u32 = u32::MAX - EACH * UPSTREAMS;

/// A host that DNS has borne out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// Its address.
    pub(super) ip: IpAddr,
    /// Its PTR name that leads back.
    pub(super) name: DnsName,
    /// How long both answers hold.
    pub(super) ttl: Duration,
}

/// What a round came to, and who waited for it.
#[derive(Debug)]
pub(super) enum Outcome<C> {
    /// Some upstream tells the truth, and none lies, nor did at the round before.
    BorneOut(Vec<C>),
    /// Some upstream tells the truth now, and none lies; in between, when the answers came, it may have been otherwise.
    Recovered(Vec<C>),
    /// All were in trouble, or there was nobody to ask: it is not known whether they do.
    Unclear(Vec<C>),
    /// These lie, by their numbers.
    Lies(Vec<C>, Vec<usize>),
}

/// One question of a round.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) upstream: usize,
    pub(super) token: Token,
    pub(super) question: Question,
}

/// Who waits, and what is known.
#[derive(Debug)]
pub(super) struct Canaries<C> {
    known: Option<(Known, Instant)>,
    /// Whether the last round went well: else what is known is asked for until one does.
    is_well: bool,
    waiting: Vec<C>,
    /// Since when the first of them has.
    since: Option<Instant>,
    /// When the last round began.
    begun: Option<Instant>,
    round: Option<Round<C>>,
}

#[derive(Debug)]
struct Round<C> {
    members: Vec<C>,
    known: Known,
    open: usize,
    liars: Vec<usize>,
    truths: usize,
}

/// Whether a token is a canary's.
pub(super) fn is_canary(token: Token) -> bool {
    token.0 >= FIRST
}

impl<C> Canaries<C> {
    /// Nobody waits, nothing is known.
    pub(super) fn new() -> Self {
        Self { known: None, is_well: true, waiting: Vec::new(), since: None, begun: None, round: None }
    }

    /// Whether a host borne out now would be of use.
    pub(super) fn wants(&self, now: Instant) -> bool {
        self.known.as_ref().is_none_or(|(_, at)| now.saturating_duration_since(*at) >= RENEWED)
    }

    /// Takes note of a host that was borne out.
    pub(super) fn learn(&mut self, known: Known, now: Instant) {
        if known.ttl >= RENEWED {
            self.known = Some((known, now));
        }
    }

    /// Takes a host that is not borne out; gives it back if nothing is known by which anybody could be tried.
    pub(super) fn doubt(&mut self, case: C, now: Instant) -> Result<(), C> {
        if self.known(now).is_none() {
            return Err(case);
        }
        self.waiting.push(case);
        self.since.get_or_insert(now);
        Ok(())
    }

    /// Hosts that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.round.as_ref().map_or(0, |round| round.members.len())
    }

    /// When the next round is due.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.round.is_some() {
            return None;
        }
        let again = self.begun.filter(|_| !self.is_well).map(|at| at + SOON);
        let long = if self.waiting.len() >= MANY { Duration::ZERO } else { LONG };
        again.into_iter().chain(self.since.map(|at| at + long)).min()
    }

    /// Whether the last round went well; so it is before there was one.
    pub(super) fn is_well(&self) -> bool {
        self.is_well
    }

    /// Begins a round with those upstreams if it is due; without any, those who wait learn nothing.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        upstreams: impl Iterator<Item = usize>,
        put: &mut Vec<Put>,
    ) -> Option<Outcome<C>> {
        if self.due().is_none_or(|at| at > now) {
            return None;
        }
        self.since = None;
        self.begun = Some(now);
        let members = std::mem::take(&mut self.waiting);
        // What was known when they came is good enough for them.
        let Some((known, _)) = self.known.clone() else { return Some(Outcome::Unclear(members)) };
        let begun = put.len();
        for upstream in upstreams.take(UPSTREAMS as usize) {
            let forward = Question::new(known.name.clone(), Kind::of_family(known.ip));
            let questions = [Question::ptr(known.ip), forward].into_iter().chain(absent());
            // Fewer than 64 upstreams.
            let first = FIRST + EACH * u32::try_from(upstream).unwrap_or(0);
            put.extend((first..).zip(questions).map(|(token, question)| Put {
                upstream,
                token: Token(token),
                question,
            }));
        }
        let open = put.len() - begun;
        if open == 0 {
            self.is_well = false;
            return Some(Outcome::Unclear(members));
        }
        self.round = Some(Round { members, known, open, liars: Vec::new(), truths: 0 });
        None
    }

    /// Takes the answer to a canary; the last one of a round ends it.
    pub(super) fn answered(&mut self, token: Token, answer: &Answer) -> Option<Outcome<C>> {
        let round = self.round.as_mut()?;
        let number = token.0.checked_sub(FIRST)?;
        let told = match number % EACH {
            0 => round.known.is_named(answer),
            1 => round.known.is_found(answer),
            _ if answer.status == Status::Found => Told::Lie,
            _ => Told::Nothing,
        };
        match told {
            Told::Truth => round.truths += 1,
            Told::Nothing => {}
            Told::Lie => round.liars.push((number / EACH) as usize),
        }
        round.open -= 1;
        if round.open > 0 {
            return None;
        }
        let Round { mut members, mut liars, truths, .. } = self.round.take()?;
        let was_well = std::mem::replace(&mut self.is_well, liars.is_empty() && truths > 0);
        if self.is_well && was_well {
            return Some(Outcome::BorneOut(members));
        }
        if liars.is_empty() && truths == 0 {
            return Some(Outcome::Unclear(members));
        }
        members.append(&mut self.waiting);
        self.since = None;
        liars.sort_unstable();
        liars.dedup();
        Some(if self.is_well { Outcome::Recovered(members) } else { Outcome::Lies(members, liars) })
    }

    fn known(&self, now: Instant) -> Option<&Known> {
        let (known, at) = self.known.as_ref()?;
        let is_good = now.saturating_duration_since(*at) < known.ttl.min(HOLDS);
        (is_good || !self.is_well).then_some(known)
    }
}

/// What an answer says of who gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Truth,
    Lie,
    Nothing,
}

impl Known {
    fn is_named(&self, answer: &Answer) -> Told {
        tell(answer, answer.names().contains(&self.name))
    }

    fn is_found(&self, answer: &Answer) -> Told {
        tell(answer, answer.addresses().contains(&self.ip))
    }
}

fn tell(answer: &Answer, is_there: bool) -> Told {
    match (answer.status.is_definite(), is_there) {
        (_, true) => Told::Truth,
        (true, false) => Told::Lie,
        (false, false) => Told::Nothing,
    }
}

#[cfg(test)]
mod tests;
