//! The SMTP probe: one connection, one dialogue, one observation.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::connect::{Connected, Memory, connect};
use super::drive::{Leave, Timer, catch_up, drive};
use super::source::{SourceError, Sources};
use super::tls::{Handshakes, Shaken, TlsError, server_name};
use super::watch::Stream;
use super::wire::Plain;
use super::{Conversation, Depth, Handshake, LocalTrouble, Probe, Settings, Whom};
use crate::evidence::{Observation, Outcome, Tls, TlsStatus};
use crate::smtp::dialogue::{
    self, Dialogue, Ending, Failure, HangUp, Introduction, Patience, Purpose, Secured, Security, Step,
};
use crate::smtp::reply::Code;

/// The port on which TLS comes first (RFC 8314 §3.3).
pub const TLS_FIRST_PORT: u16 = 465;

/// Whether TLS comes before the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Opening {
    /// The greeting comes first, in plain.
    #[default]
    Plain,
    /// TLS comes first.
    Tls,
}

impl Opening {
    /// What a port is for.
    pub fn of(port: u16) -> Self {
        if port == TLS_FIRST_PORT { Self::Tls } else { Self::Plain }
    }
}

/// Why a scan can't begin.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A source address is not this machine's.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// EHLO was asked for, and there is no name of our own to say.
    #[error("EHLO needs a name of this machine, which has no qualified one; give `--ehlo-name`")]
    NoOwnName,
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// Speaks SMTP to targets, one connection for each call.
#[derive(Debug)]
pub struct Smtp {
    settings: Settings,
    introduction: Option<Introduction>,
    sources: Sources,
    memory: Memory,
    handshakes: Handshakes,
}

/// A connection over which TLS is to be spoken.
struct Line<'a, S> {
    stream: &'a mut S,
    end: HangUp,
    whom: &'a Whom<'a>,
}

impl Smtp {
    /// A probe with these settings; an error if a source address is not this machine's, or EHLO has no name
    /// to say.
    pub fn new(settings: Settings) -> Result<Self, SetupError> {
        let sources = Sources::new(&settings.sources)?;
        let purpose = if settings.depth == Depth::Tls { Purpose::Tls } else { Purpose::Names };
        let introduction = match (settings.depth, &settings.own_name) {
            (Depth::Banner, _) => None,
            (Depth::Ehlo | Depth::Tls, Some(own_name)) => {
                Some(Introduction::new(own_name).with_purpose(purpose))
            }
            (Depth::Ehlo | Depth::Tls, None) => return Err(SetupError::NoOwnName),
        };
        let handshakes = Handshakes::new()?;
        Ok(Self { settings, introduction, sources, memory: Memory::default(), handshakes })
    }

    /// Holds a conversation over any stream that has just connected, and says what was observed. How the
    /// stream is left is up to its owner.
    pub async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
    ) -> Result<Observation, LocalTrouble> {
        self.converse_on(stream, Opening::Plain).await
    }

    /// The same over a stream on which TLS may come first.
    pub async fn converse_on<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        opening: Opening,
    ) -> Result<Observation, LocalTrouble> {
        let start = Instant::now();
        let sleep = pin!(sleep_until(start));
        let port = if opening == Opening::Tls { TLS_FIRST_PORT } else { 0 };
        let whom = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into();
        let (observation, _) =
            self.listen(stream, HangUp::Closed, &whom, &mut Timer::new(start, sleep)).await?;
        Ok(observation)
    }

    async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut S,
        end: HangUp,
        whom: &Whom<'_>,
        timer: &mut Timer<'_>,
    ) -> Result<(Observation, Leave), LocalTrouble> {
        let patience =
            Patience { greeting: self.settings.greeting_timeout, host: self.settings.host_timeout };
        let mut dialogue = Dialogue::new(patience, self.introduction.as_ref(), timer.now());
        if Opening::of(whom.socket.port()) == Opening::Tls {
            dialogue = dialogue.tls_first();
        }
        let leave = drive(stream, &mut dialogue, end, timer).await?;
        if leave != Leave::Handshake {
            return Ok((observation(dialogue, None), leave));
        }
        // In a place of its own: conversations that never come to it don't pay for its room.
        let (leave, tls) = Box::pin(self.secure(Line { stream, end, whom }, &mut dialogue, timer)).await?;
        Ok((observation(dialogue, Some(tls)), leave))
    }

    /// Shakes hands and goes on inside TLS.
    async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        line: Line<'_, S>,
        dialogue: &mut Dialogue<'_>,
        timer: &mut Timer<'_>,
    ) -> Result<(Leave, Box<Tls>), LocalTrouble> {
        let deadline = match dialogue.step() {
            Step::Handshake { until } => timer.at(until),
            _ => None,
        };
        let ended = catch_up(line.stream, dialogue, timer).await;
        let is_early = dialogue.has_plaintext();
        let before = Plain::default();
        let whom = server_name(line.whom.name, line.whom.socket.ip());
        let shaken = match ended {
            Some(HangUp::Closed) => Ok(Shaken::Failed(TlsStatus::Closed)),
            Some(HangUp::Reset) => Ok(Shaken::Failed(TlsStatus::Reset)),
            None => self.handshakes.shake(line.stream, whom, &before, timer, deadline).await,
        };
        let is_settled = dialogue.is_settled();
        let shaken = match shaken {
            Ok(shaken) => shaken,
            Err(_) if is_settled => Shaken::Failed(TlsStatus::Reset),
            Err(trouble) => return Err(trouble),
        };
        let (is_late, text) = {
            let before = before.get();
            (before.record && !before.text.is_empty(), before.text.clone())
        };
        dialogue.hear(&text, timer.now());
        let injected = is_early || is_late;
        match shaken {
            Shaken::Made(mut session, mut tls) => {
                dialogue.secured(timer.now());
                let leave = drive(&mut *session, dialogue, line.end, timer).await?;
                session.end().await;
                tls.injected = injected;
                if let Some(status) = session.failed() {
                    if dialogue.tls_failed() {
                        tls.status = status;
                    } else {
                        tls.late_alert = status.alert();
                    }
                }
                Ok((leave, tls))
            }
            Shaken::Failed(status) => {
                dialogue.failed(failure(status));
                let leave = drive(&mut tokio::io::empty(), dialogue, line.end, timer).await?;
                Ok((leave, Box::new(Tls { injected, ..Tls::bare(status) })))
            }
        }
    }
}

impl Probe for Smtp {
    fn probe<'a>(
        &'a self,
        target: impl Into<Whom<'a>>,
    ) -> impl Future<Output = Result<Conversation, LocalTrouble>> {
        self.meet(target.into())
    }
}

impl Smtp {
    async fn meet(&self, whom: Whom<'_>) -> Result<Conversation, LocalTrouble> {
        let start = Instant::now();
        let patience = self.settings.connect_timeout.min(self.settings.host_timeout);
        // A wait beyond what the clock can say is as good as the kernel's own, which is about two minutes.
        let deadline = start.checked_add(patience).unwrap_or(start + Duration::from_secs(600));
        let sleep = pin!(sleep_until(deadline));
        let mut timer = Timer::new(start, sleep);
        let connecting = connect(whom.socket, &self.sources, &self.memory, &mut timer, deadline).await?;
        let Connected { mut stream, end, is_resent } = match connecting {
            Ok(connected) => connected,
            Err(outcome) => return Ok(Observation::bare(outcome, 1).into()),
        };
        let handshake = if is_resent { Handshake::Resent } else { Handshake::Clean };
        self.settings.answers.note(start, handshake);
        let (mut observation, leave) = self.listen(&mut stream, end, &whom, &mut timer).await?;
        observation.resent = is_resent;
        // Unless it is certain, one call more, and only for a mail server: of others nobody needs to know.
        let is_server = observation.outcome.is_judged();
        let local_ip = if is_server { self.local_ip(&whom, &stream) } else { None };
        if leave == Leave::Abort {
            // Without it the rest would linger here while the peer holds on. A peer that is gone needs no
            // reset.
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
        Ok(Conversation { observation, local_ip })
    }

    /// The socket's own address, which may be another for each target: routes choose it. A peer that has gone
    /// leaves it as it was.
    fn local_ip(&self, whom: &Whom<'_>, stream: &Stream) -> Option<IpAddr> {
        let asked = || SockRef::from(stream).local_addr().ok()?.as_socket().map(|own| own.ip());
        self.sources.only(whom.socket.ip()).or_else(asked)
    }
}

fn failure(status: TlsStatus) -> Failure {
    match status {
        TlsStatus::TimedOut => Failure::TimedOut,
        TlsStatus::Closed => Failure::Closed,
        TlsStatus::Reset => Failure::Reset,
        _ => Failure::Protocol,
    }
}

fn observation(dialogue: Dialogue<'_>, shaken: Option<Box<Tls>>) -> Observation {
    let connected = dialogue.connected();
    let heard = dialogue.finish();
    let outcome = match heard.ending {
        Ending::Said(said) => said.into(),
        Ending::Silent => Outcome::Silent,
        Ending::Closed => Outcome::Closed,
        Ending::Reset => Outcome::Reset,
        Ending::TlsFailed => Outcome::TlsFailed,
    };
    Observation {
        outcome,
        greeting: heard.greeting,
        ehlo: heard.ehlo,
        tls: heard.tls.map(|heard| tls(*heard, shaken)),
        samples: Vec::new(),
        truncated: heard.truncated,
        resent: false,
        attempts: 1,
        connect: Some(connected),
        banner: heard.banner,
    }
}

/// What the words say of TLS, and the handshake if it came to one.
fn tls(heard: Secured, shaken: Option<Box<Tls>>) -> Box<Tls> {
    let Secured { opening, security, plaintext, ehlo } = heard;
    let code = match (security, opening) {
        (Security::Refused(code), _) => code,
        // RFC 3207 §4: the one reply that lets a handshake begin.
        (_, dialogue::Opening::Asked) if shaken.is_some() => Code::new(220),
        _ => None,
    };
    let mut tls = shaken.unwrap_or_else(|| {
        let status = match security {
            Security::NotOffered => TlsStatus::NotOffered,
            Security::Refused(_) => TlsStatus::Refused,
            Security::Failed(Failure::TimedOut) => TlsStatus::TimedOut,
            Security::Failed(Failure::Closed) => TlsStatus::Closed,
            Security::Failed(Failure::Reset) => TlsStatus::Reset,
            Security::Begun | Security::Failed(Failure::Protocol) | Security::Made => TlsStatus::Protocol,
        };
        Box::new(Tls::bare(status))
    });
    tls.code = code;
    tls.plaintext = plaintext;
    tls.ehlo = ehlo;
    tls
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::ReadBuf;

    use super::*;

    fn smtp() -> Smtp {
        Smtp::new(Settings::default()).unwrap()
    }

    /// A stream on which something came in time, which is noticed at the third look, after the deadline has
    /// been: as on a machine that slept.
    struct Overslept {
        looks: usize,
        says: &'static [u8],
    }

    impl AsyncRead for Overslept {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            let this = self.get_mut();
            this.looks += 1;
            match this.looks {
                1 | 2 => Poll::Pending,
                _ if this.says.is_empty() => Poll::Pending,
                3 => Poll::Ready({
                    buf.put_slice(this.says);
                    Ok(())
                }),
                _ => Poll::Ready(Ok(())),
            }
        }
    }

    impl AsyncWrite for Overslept {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            octets: &[u8],
        ) -> Poll<std::io::Result<usize>> {
            Poll::Ready(Ok(octets.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_in_time_is_heard_though_time_is_noticed_first() {
        let smtp = smtp();
        for (says, outcome) in
            [(&b"220 mail.example.org ESMTP\r\n"[..], Outcome::Greeted), (b"", Outcome::Silent)]
        {
            let mut stream = Overslept { looks: 0, says };
            let bounded = tokio::time::timeout(Duration::from_secs(700), smtp.converse(&mut stream));
            let (observation, ()) = tokio::join!(bounded, tokio::time::advance(Duration::from_secs(600)));
            assert_eq!(observation.expect("it ends").unwrap().outcome, outcome);
        }
    }

    #[test]
    fn a_waiting_probe_is_small() {
        let smtp = smtp();
        let size = size_of_val(&smtp.probe("127.0.0.1:25".parse::<SocketAddr>().unwrap()));
        assert!(size <= 768, "{size} octets");
    }
}
