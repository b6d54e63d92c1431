//! TLS as a witness: handshakes that accept any certificate, for what it says and not for whom it trusts.
//! Knows no SMTP.
//!
//! No certificate is verified, nothing is fetched, no session is resumed. The name of a server is sent only
//! if the target was asked for by name.

use std::future::{Future as _, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    self, AlertDescription, ClientConfig, DigitallySignedStruct, InvalidMessage, PeerIncompatible,
    PeerMisbehaved, ProtocolVersion, SignatureScheme,
};
use tokio_rustls::{Connect, TlsConnector};

use super::LocalTrouble;
use super::drive::Timer;
use super::fault::{Fault, When};
use super::wire::{Plain, TooMuch, Wire};
use crate::evidence::{Certificate, Outcome, Tls, TlsStatus};
use crate::name::HostName;

/// What is read at once of a peer that is gone: an alert takes a few dozen octets.
const LAST_WORDS: usize = 512;

/// Makes handshakes; one for all conversations of a thread.
pub(super) struct Handshakes(TlsConnector);

/// Why there is no TLS on this machine: a defect of this program.
#[derive(Debug, thiserror::Error)]
#[error("TLS can't be set up: {0}")]
pub struct TlsError(#[from] rustls::Error);

impl std::fmt::Debug for Handshakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handshakes")
    }
}

/// A handshake that came to an end.
pub(super) enum Shaken<'a, S> {
    /// It was made.
    Made(Box<Session<Wire<'a, S>>>, Box<Tls>),
    /// It was not.
    Failed(TlsStatus),
}

impl Handshakes {
    pub(super) fn new() -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Witness))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Shakes hands, until `deadline` at the latest. What came in plain before it is left in `before`. An
    /// error is trouble of this machine.
    pub(super) async fn shake<'a, S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &'a mut S,
        whom: ServerName<'static>,
        before: &'a Plain,
        timer: &mut Timer<'_>,
        deadline: Option<Instant>,
    ) -> Result<Shaken<'a, S>, LocalTrouble> {
        let mut connect: Pin<&mut Connect<_>> = pin!(self.0.connect(whom, Wire::new(stream, before)));
        let shaken = poll_fn(|cx| match connect.as_mut().poll(cx) {
            Poll::Ready(shaken) => Poll::Ready(Some(shaken)),
            Poll::Pending => match deadline {
                Some(deadline) => timer.poll_until(deadline, cx).map(|()| None),
                None => Poll::Pending,
            },
        })
        .await;
        let status = match shaken {
            Some(Ok(stream)) => {
                let seen = seen(&stream);
                return Ok(Shaken::Made(Box::new(Session { stream, failed: None }), Box::new(seen)));
            }
            Some(Err(error)) => status(&error)?,
            None => TlsStatus::TimedOut,
        };
        let before = before.get();
        let is_plain = !before.record && !before.text.is_empty();
        Ok(Shaken::Failed(if is_plain { TlsStatus::Plaintext } else { status }))
    }
}

/// Whom to name in the handshake; an address is never named (RFC 6066 §3).
pub(super) fn server_name(name: Option<&HostName>, ip: IpAddr) -> ServerName<'static> {
    let name = name.and_then(|name| ServerName::try_from(name.as_str().to_owned()).ok());
    name.unwrap_or_else(|| ServerName::IpAddress(ip.into()))
}

/// What an error of the handshake says of the peer, or of this machine.
fn status(error: &io::Error) -> Result<TlsStatus, LocalTrouble> {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Ok(match error {
            rustls::Error::AlertReceived(AlertDescription::ProtocolVersion)
            | rustls::Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
                TlsStatus::LegacyOnly
            }
            rustls::Error::AlertReceived(alert) => TlsStatus::Alert(u8::from(*alert)),
            wrong if is_limit(wrong) => TlsStatus::EndedByUs,
            _ => TlsStatus::Protocol,
        });
    }
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TooMuch>) {
        return Ok(TlsStatus::EndedByUs);
    }
    if error.raw_os_error().is_none() {
        // The library tells an end of the stream so; a pipe in memory, an end while we write.
        let is_end = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe);
        return Ok(if is_end { TlsStatus::Closed } else { TlsStatus::Protocol });
    }
    match Fault::of(error, When::Later) {
        Fault::Outcome(Outcome::TimedOut) => Ok(TlsStatus::TimedOut),
        Fault::Outcome(_) | Fault::NoRoute => Ok(TlsStatus::Reset),
        Fault::Local(trouble) => Err(trouble),
    }
}

/// Whether an error is a limit of ours and no fault in what was said.
fn is_limit(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge)
            | rustls::Error::PeerMisbehaved(
                PeerMisbehaved::TooManyEmptyFragments
                    | PeerMisbehaved::TooManyKeyUpdateRequests
                    | PeerMisbehaved::TooManyRenegotiationRequests
                    | PeerMisbehaved::TooManyWarningAlertsReceived
            )
    )
}

fn seen<S>(stream: &TlsStream<S>) -> Tls {
    let (_, session) = stream.get_ref();
    let leaf = session.peer_certificates().and_then(|chain| chain.first());
    Tls {
        version: session.protocol_version().map(version),
        cipher: session.negotiated_cipher_suite().and_then(|suite| cipher(suite.suite())),
        certificate: leaf.map(|leaf| Certificate::read(leaf)),
        ..Tls::bare(TlsStatus::Established)
    }
}

fn version(version: ProtocolVersion) -> Box<str> {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".into(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".into(),
        other => format!("{other:?}").into(),
    }
}

/// The registered name: the library tells suites of TLS 1.3 apart by a prefix of its own.
fn cipher(suite: rustls::CipherSuite) -> Option<Box<str>> {
    let name = suite.as_str()?;
    Some(name.strip_prefix("TLS13_").map_or_else(|| name.into(), |rest| format!("TLS_{rest}").into()))
}

/// A stream inside TLS, whose end is told as that of any stream: an end without notice is an end, a record
/// that can't be read is a reset, and the reason is kept. What TLS still has to send goes out before anything
/// is awaited.
pub(super) struct Session<S> {
    stream: TlsStream<S>,
    failed: Option<TlsStatus>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Says the end of TLS, as far as that goes out at once.
    pub(super) async fn end(&mut self) {
        poll_fn(|cx| {
            let _ = Pin::new(&mut self.stream).poll_shutdown(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// How TLS itself failed, if it did: an end of the connection below it is none of its own.
    pub(super) fn failed(&self) -> Option<TlsStatus> {
        self.failed
    }

    /// Keeps the reason of an error that is TLS's own: it has no number, and is the peer's doing.
    fn reset(&mut self, error: io::Error) -> io::Error {
        if error.raw_os_error().is_some() {
            return error;
        }
        let reason = match alert(&error) {
            Some(number) => Ok(TlsStatus::Alert(number)),
            None => status(&error),
        };
        self.failed = self.failed.or(reason.ok().filter(|&reason| reason != TlsStatus::Closed));
        io::Error::from_raw_os_error(libc::ECONNRESET)
    }

    /// What the peer said before it went away, as an alert, is there to be read when a write to it fails.
    fn unsent(&mut self, error: io::Error, cx: &mut Context<'_>) -> io::Error {
        let mut scratch = [0; LAST_WORDS];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(Err(error)) => return self.reset(error),
                Poll::Ready(Ok(())) | Poll::Pending => return self.reset(error),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Session<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Poll::Ready(Err(error)) = Pin::new(&mut this.stream).poll_flush(cx) {
            return Poll::Ready(Err(this.unsent(error, cx)));
        }
        Poll::Ready(match ready!(Pin::new(&mut this.stream).poll_read(cx, buf)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            read => read.map_err(|error| this.reset(error)),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Session<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, octets));
        Poll::Ready(written.map_err(|error| this.unsent(error, cx)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The alert in an error.
fn alert(error: &io::Error) -> Option<u8> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => Some(u8::from(*alert)),
        _ => None,
    }
}

/// Accepts every certificate and every signature.
#[derive(Debug)]
struct Witness;

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    /// All that a server may have a key for, outdated ones included: to see its certificate is the point.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            // The same with keys that are for nothing else (RFC 8446 §4.2.3, rsa_pss_pss_*).
            SignatureScheme::Unknown(0x0809),
            SignatureScheme::Unknown(0x080a),
            SignatureScheme::Unknown(0x080b),
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}
