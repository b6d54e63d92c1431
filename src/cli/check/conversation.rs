//! Conversations with the addresses of one target, few enough to be looked at by a person. Knows no DNS and
//! no judgement.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::look::Look;
use crate::cli::exit::Unable;
use crate::evidence::{Evidence, Observation, Outcome, Scanner};
use crate::name::HostName;
use crate::probe::{Conversation, LocalTrouble, Probe, Smtp, Whom};

/// Between two conversations with one server: a scan's pace for a network, by default.
const BETWEEN: Duration = Duration::from_millis(100);

/// Addresses that are spoken to at once: enough for any name, and no burst for those who have many on one
/// machine.
const AT_ONCE: usize = 32;

/// Who is spoken to.
pub(super) struct Visit<'a> {
    /// The addresses.
    pub(super) addresses: &'a [IpAddr],
    /// The ports, each at every address.
    pub(super) ports: &'a [u16],
    /// The name that led to them, told in a TLS handshake.
    pub(super) name: Option<&'a HostName>,
    /// Conversations with each that greets.
    pub(super) samples: NonZeroU8,
}

/// What was seen in a conversation, DNS not asked yet, and when it ended.
pub(super) type Spoken = Result<(Evidence, SystemTime), LocalTrouble>;

/// Speaks to each address and port: many addresses at once, the ports of one in turn.
/// What timed out is tried so many times more.
pub(super) fn speak(
    look: &Look,
    smtp: &Arc<Smtp>,
    retries: u8,
    visit: &Visit<'_>,
) -> anyhow::Result<Vec<(SocketAddr, Spoken)>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context(Unable)?;
    let mut seen = runtime.block_on(async {
        let mut conversations = JoinSet::new();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        for (place, &ip) in visit.addresses.iter().enumerate() {
            let speaker = Speaker {
                smtp: Arc::clone(smtp),
                scanner: Arc::clone(&look.scanner),
                retries,
                samples: visit.samples,
            };
            let (ports, name) = (visit.ports.to_vec(), visit.name.cloned());
            let is_out_of_reach = look.reach.lacks(ip);
            if is_out_of_reach {
                look.reach.miss(ip);
            }
            let places = Arc::clone(&places);
            conversations.spawn(async move {
                // They are never closed.
                let _place = places.acquire().await;
                let mut seen = Vec::with_capacity(ports.len());
                for port in ports {
                    let at = SocketAddr::new(ip, port);
                    let whom = Whom { socket: at, name: name.as_ref() };
                    let spoken = if is_out_of_reach {
                        Ok((speaker.untried(ip), SystemTime::now()))
                    } else {
                        speaker.speak(whom).await
                    };
                    seen.push((at, spoken));
                }
                (place, seen)
            });
        }
        conversations.join_all().await
    });
    seen.sort_unstable_by_key(|(place, _)| *place);
    Ok(seen.into_iter().flat_map(|(_, seen)| seen).collect())
}

/// Speaks to one server after the other.
struct Speaker {
    smtp: Arc<Smtp>,
    scanner: Arc<Scanner>,
    /// Further attempts at what timed out.
    retries: u8,
    /// Conversations with a server that greets.
    samples: NonZeroU8,
}

impl Speaker {
    /// What is said of a server that this machine has nothing to reach by.
    fn untried(&self, ip: IpAddr) -> Evidence {
        let observation = Observation::bare(Outcome::NotTried, 0);
        Evidence { ip: Some(ip), observation, resolution: None, scanner: Some(Arc::clone(&self.scanner)) }
    }

    async fn speak(&self, whom: Whom<'_>) -> Spoken {
        let (first, time) = self.persist(whom).await?;
        self.sample(whom, first, time).await
    }

    /// Tries once more where nothing came back, as often as wished.
    async fn persist(&self, whom: Whom<'_>) -> Spoken {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let conversation = match self.smtp.probe(whom).await {
                // There are no others here who could show that it is not the target's own fault.
                Err(LocalTrouble::NoPath) => Observation::bare(Outcome::Unreachable, attempts).into(),
                spoken => spoken?,
            };
            let mut evidence = self.evidence(whom, conversation);
            if evidence.observation.outcome != Outcome::TimedOut || attempts > self.retries {
                evidence.observation.attempts = attempts;
                return Ok((evidence, SystemTime::now()));
            }
        }
    }

    /// Holds the further conversations with a server that greeted: the first one that gave a name is the
    /// evidence, else the first of all; of the others the names are kept. Who says that it is too much is
    /// left in peace.
    async fn sample(&self, whom: Whom<'_>, mut evidence: Evidence, mut time: SystemTime) -> Spoken {
        let observation = &evidence.observation;
        if self.samples == NonZeroU8::MIN || !observation.outcome.is_judged() || is_too_much(observation) {
            return Ok((evidence, time));
        }
        let mut names = vec![name_of(&evidence)];
        for _ in 1..self.samples.get() {
            tokio::time::sleep(BETWEEN).await;
            let further = self.evidence(whom, self.smtp.probe(whom).await?);
            let name = name_of(&further);
            // A name in a refusal says less than a greeting without one.
            let is_less = further.observation.outcome != Outcome::Greeted
                && evidence.observation.outcome == Outcome::Greeted;
            let is_first_name = !is_less && name.is_some() && names.iter().all(Option::is_none);
            names.push(name);
            let is_last = is_too_much(&further.observation);
            if is_first_name {
                let attempts = evidence.observation.attempts;
                (evidence, time) = (further, SystemTime::now());
                evidence.observation.attempts = attempts;
            }
            if is_last {
                break;
            }
        }
        evidence.observation.samples = names;
        Ok((evidence, time))
    }

    fn evidence(&self, whom: Whom<'_>, conversation: Conversation) -> Evidence {
        let Conversation { observation, local_ip } = conversation;
        let scanner = Some(Arc::new(self.scanner.from(local_ip)));
        Evidence { ip: Some(whom.socket.ip()), observation, resolution: None, scanner }
    }
}

/// RFC 5321 §3.8: 421 closes the channel, and asks for less.
fn is_too_much(observation: &Observation) -> bool {
    observation.greeting.as_ref().and_then(|reply| reply.code).is_some_and(|code| code.get() == 421)
}

/// The name in a greeting, as it will be judged.
fn name_of(evidence: &Evidence) -> Option<Box<str>> {
    evidence.greeting_source().name().map(String::into_boxed_str)
}
