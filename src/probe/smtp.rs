//! The SMTP probe: one connection, one dialogue, one observation.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::connect::{Connected, connect};
use super::drive::{Leave, Timer, drive};
use super::route::Witness;
use super::source::{SourceError, Sources};
use super::{Depth, LocalTrouble, Probe, Settings};
use crate::evidence::{Observation, Outcome};
use crate::smtp::dialogue::{Dialogue, Ending, HangUp, Heard, Introduction, Patience};

/// Why a scan can't begin.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A source address is not this machine's.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// EHLO was asked for, and there is no name of our own to say.
    #[error("EHLO needs a name of this machine, which has no qualified one; give `--ehlo-name`")]
    NoOwnName,
}

/// Speaks SMTP to targets, one connection for each call.
#[derive(Debug)]
pub struct Smtp {
    settings: Settings,
    introduction: Option<Introduction>,
    sources: Sources,
    witness: Witness,
}

impl Smtp {
    /// A probe with these settings; an error if a source address is not this machine's, or EHLO has no name to say.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let sources = Sources::new(&settings.sources)?;
        let introduction = match (settings.depth, &settings.own_name) {
            (Depth::Banner, _) => None,
            (Depth::Ehlo, Some(own_name)) => Some(Introduction::new(own_name)),
            (Depth::Ehlo, None) => return Err(SetupError::NoOwnName),
        };
        Ok(Self { settings, introduction, sources, witness: Witness::default() })
    }

    /// Holds a conversation over any stream that has just connected, and says what was observed. How the stream is
    /// left is up to its owner.
    pub async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
    ) -> Result<Observation, LocalTrouble> {
        let start = Instant::now();
        let sleep = pin!(sleep_until(start));
        let (observation, _) = self.listen(stream, HangUp::Closed, Timer::new(start, sleep)).await?;
        Ok(observation)
    }

    async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        end: HangUp,
        timer: Timer<'_>,
    ) -> Result<(Observation, Leave), LocalTrouble> {
        let connected = timer.now();
        let patience =
            Patience { greeting: self.settings.greeting_timeout, host: self.settings.host_timeout };
        let mut dialogue = Dialogue::new(patience, self.introduction.as_ref(), connected);
        let leave = drive(stream, &mut dialogue, end, timer).await?;
        Ok((observation(dialogue.finish(), connected), leave))
    }
}

impl Probe for Smtp {
    async fn probe(&self, target: SocketAddr) -> Result<Observation, LocalTrouble> {
        let start = Instant::now();
        let patience = self.settings.connect_timeout.min(self.settings.host_timeout);
        // A wait beyond what the clock can say is as good as the kernel's own, which is about two minutes.
        let deadline = start.checked_add(patience).unwrap_or(start + Duration::from_secs(600));
        let sleep = pin!(sleep_until(deadline));
        let mut timer = Timer::new(start, sleep);
        let connecting = connect(target, &self.sources, &self.witness, timer.reborrow(), deadline).await?;
        let Connected { mut stream, end } = match connecting {
            Ok(connected) => connected,
            Err(outcome) => return Ok(Observation::bare(outcome, 1)),
        };
        let (observation, leave) = self.listen(&mut stream, end, timer).await?;
        if leave == Leave::Abort {
            // Without it the rest would linger here while the peer holds on. A peer that is gone needs no reset.
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
        Ok(observation)
    }
}

fn observation(heard: Heard, connected: Duration) -> Observation {
    let outcome = match heard.ending {
        Ending::Said(said) => said.into(),
        Ending::Silent => Outcome::Silent,
        Ending::Closed => Outcome::Closed,
        Ending::Reset => Outcome::Reset,
    };
    Observation {
        outcome,
        greeting: heard.greeting,
        ehlo: heard.ehlo,
        truncated: heard.truncated,
        attempts: 1,
        connect: Some(connected),
        banner: heard.banner,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp() -> Smtp {
        let settings = Settings {
            depth: Depth::Banner,
            own_name: None,
            connect_timeout: Duration::from_secs(5),
            greeting_timeout: Duration::from_secs(45),
            host_timeout: Duration::from_secs(90),
            sources: Vec::new(),
        };
        Smtp::new(settings).unwrap()
    }

    #[test]
    fn a_waiting_probe_is_small() {
        let smtp = smtp();
        let size = size_of_val(&smtp.probe("127.0.0.1:25".parse().unwrap()));
        assert!(size < 1024, "{size} octets");
    }
}
