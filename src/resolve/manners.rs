//! How upstreams behave, found out before a scan relies on them: some answer for names that do not exist, some refuse,
//! some are not there. Asks questions of its own, of each upstream by itself.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::time::Duration;

use rand::RngExt;

use super::service::{ResolveError, start};
use super::settings::Settings;
use super::want::{Case, Solution, Want};
use crate::evidence::Status;
use crate::name::HostName;

/// Names that nobody has registered, under top-level domains that everybody resolves.
const SUFFIXES: [&str; 3] = ["com", "net", "org"];
/// Letters in such a name: more than chance or an index of all names finds.
const LETTERS: usize = 24;
/// How long one upstream is given.
const PATIENCE: Duration = Duration::from_secs(5);

/// How one upstream behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Names that do not exist do not exist.
    Honest,
    /// It answers for names that do not exist, with this address: absence can't be seen through it.
    Inventing(IpAddr),
    /// It refuses, or fails, or does not answer: the commonest status.
    Useless(Status),
}

/// Tries each upstream of the settings; takes at most about five seconds.
pub fn try_upstreams(settings: &Settings) -> Result<Vec<(SocketAddr, Manner)>, ResolveError> {
    let tries: Vec<_> = settings
        .upstreams
        .iter()
        .map(|&upstream| {
            let settings = Settings {
                upstreams: vec![upstream],
                timeout: settings.timeout.min(PATIENCE),
                attempts: settings.attempts.min(NonZeroU8::MIN.saturating_add(2)),
                ..settings.clone()
            };
            (upstream, ask(settings))
        })
        .collect();
    tries
        .into_iter()
        .map(|(upstream, solved)| {
            let manner = match solved? {
                Some(mut solved) => {
                    let mut seen = Vec::new();
                    while let Some(batch) = solved.blocking_recv() {
                        seen.extend(batch.into_iter().map(|solved| solved.solution));
                    }
                    judge(&seen)
                }
                None => Manner::Useless(Status::TimedOut),
            };
            Ok((upstream, manner))
        })
        .collect()
}

type Solved = tokio::sync::mpsc::Receiver<Vec<super::want::Solved<()>>>;

/// Puts the questions; `None` where no route leads to the upstream.
fn ask(settings: Settings) -> Result<Option<Solved>, ResolveError> {
    let resolver = match start(settings) {
        Ok(resolver) => resolver,
        Err(ResolveError::Io(..)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let cases = SUFFIXES
        .iter()
        .filter_map(|suffix| invented(suffix))
        .map(|name| Case { want: Want::Addresses(name), carry: () });
    resolver.inbox.send_blocking(cases.collect()).ok();
    Ok(Some(resolver.solved))
}

fn invented(suffix: &str) -> Option<HostName> {
    let mut random = rand::rng();
    let letters: String = (0..LETTERS).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect();
    HostName::parse(&format!("{letters}.{suffix}")).ok()
}

/// One invented address is enough; else the best that was seen.
fn judge(seen: &[Solution]) -> Manner {
    let addresses = seen.iter().filter_map(|solution| match solution {
        Solution::Addresses(addresses) => Some(addresses),
        _ => None,
    });
    let mut manner = Manner::Useless(Status::TimedOut);
    for found in addresses {
        match (found.addresses.first(), found.status) {
            (Some(&address), _) => return Manner::Inventing(address),
            (None, status) if status.is_definite() => manner = Manner::Honest,
            (None, status) if manner != Manner::Honest && status != Status::TimedOut => {
                manner = Manner::Useless(status);
            }
            _ => {}
        }
    }
    manner
}
