//! Conversations with the addresses of one target, few enough to be looked at by a person. Knows no DNS and no judgement.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use tokio::task::JoinSet;

use super::server::Look;
use crate::cli::exit::Unable;
use crate::evidence::{Observation, Outcome};
use crate::name::HostName;
use crate::probe::{LocalTrouble, Probe, Smtp, Whom};
use crate::smtp::greeting::{Greeting, Own};

/// Between two conversations with one server: a scan's pace for a network, by default.
const BETWEEN: Duration = Duration::from_millis(100);

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

/// How a conversation went, and when it ended.
pub(super) type Spoken = Result<(Observation, SystemTime), LocalTrouble>;

/// Speaks to each address and port: many addresses at once, the ports of one in turn.
pub(super) fn speak(look: &Look, visit: &Visit<'_>) -> anyhow::Result<Vec<(SocketAddr, Spoken)>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context(Unable)?;
    let mut seen = runtime.block_on(async {
        let mut conversations = JoinSet::new();
        for (place, &ip) in visit.addresses.iter().enumerate() {
            let (smtp, ports, name) = (Arc::clone(&look.smtp), visit.ports.to_vec(), visit.name.cloned());
            let (retries, samples) = (look.retries, visit.samples);
            conversations.spawn(async move {
                let mut seen = Vec::with_capacity(ports.len());
                for port in ports {
                    let at = SocketAddr::new(ip, port);
                    let whom = Whom { socket: at, name: name.as_ref() };
                    let spoken = match persist(&smtp, whom, retries).await {
                        Ok(first) => sample(&smtp, whom, first, samples).await,
                        Err(trouble) => Err(trouble),
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

/// Tries once more where nothing came back, as often as wished.
async fn persist(smtp: &Smtp, whom: Whom<'_>, retries: u8) -> Spoken {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let observation = match smtp.probe(whom).await {
            // There are no others here who could show that it is not the target's own fault.
            Err(LocalTrouble::NoPath) => Observation::bare(Outcome::Unreachable, attempts),
            spoken => spoken?,
        };
        if observation.outcome != Outcome::TimedOut || attempts > retries {
            return Ok((Observation { attempts, ..observation }, SystemTime::now()));
        }
    }
}

/// Holds the further conversations with a server that greeted: the first one is the evidence, of the others the names are
/// kept. Who says that it is too much is left in peace.
async fn sample(
    smtp: &Smtp,
    whom: Whom<'_>,
    (mut observation, time): (Observation, SystemTime),
    samples: NonZeroU8,
) -> Spoken {
    if samples == NonZeroU8::MIN || !observation.outcome.is_judged() || is_too_much(&observation) {
        return Ok((observation, time));
    }
    observation.samples.push(name_of(&observation));
    for _ in 1..samples.get() {
        tokio::time::sleep(BETWEEN).await;
        let further = smtp.probe(whom).await?;
        observation.samples.push(name_of(&further));
        if is_too_much(&further) {
            break;
        }
    }
    Ok((observation, time))
}

/// RFC 5321 §3.8: 421 closes the channel, and asks for less.
fn is_too_much(observation: &Observation) -> bool {
    observation.greeting.as_ref().and_then(|reply| reply.code).is_some_and(|code| code.get() == 421)
}

/// The name in a greeting, as it will be judged.
fn name_of(observation: &Observation) -> Option<Box<str>> {
    let greeting = observation.greeting.as_ref().filter(|_| observation.outcome.is_judged())?;
    Greeting::read(greeting, Own::default()).name.map(String::into_boxed_str)
}
