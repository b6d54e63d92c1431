//! TLS peers of every kind, sound and hostile, met in memory with time paused: what is observed of each, how
//! STARTTLS and TLS-first conversations go on, and that nothing said in plain gets inside.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use banneret::evidence::{Observation, Outcome, Tls, TlsStatus, X509Error};
use banneret::name::HostName;
use banneret::probe::{Depth, Opening, Settings, Smtp};
use banneret::smtp::reply::{Code, Reply};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig, SupportedProtocolVersion};

/// What happens once the server has said that TLS may begin.
#[derive(Clone)]
enum Then {
    /// It says this in plain and goes on to the next.
    Say(&'static [u8]),
    /// It lets so many milliseconds pass.
    Wait(u64),
    /// It reads the client's hello.
    Hello,
    /// It shakes hands and serves EHLO and QUIT inside.
    Serve(Arc<ServerConfig>),
    /// It shakes hands and then breaks off without notice.
    Break(Arc<ServerConfig>),
    /// It shakes hands, asks for new keys so many times, and greets.
    Rekey(Arc<ServerConfig>, usize),
    /// It says nothing more until the client has left.
    Stall,
    /// It closes.
    Close,
}

fn smtp(depth: Depth) -> Smtp {
    Smtp::new(Settings {
        depth,
        own_name: HostName::parse("scanner.example.com").ok(),
        ..Settings::default()
    })
    .unwrap()
}

/// The same chain for every client.
#[derive(Debug)]
struct Chain(Arc<CertifiedKey>);

impl ResolvesServerCert for Chain {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        assert_eq!(hello.server_name(), None, "an address is never named");
        Some(Arc::clone(&self.0))
    }
}

const TLS12: &[&SupportedProtocolVersion] = &[&rustls::version::TLS12];
const TLS13: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

fn config(
    versions: &[&'static SupportedProtocolVersion],
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = ring::sign::any_supported_type(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Chain(Arc::new(CertifiedKey::new(chain, key)))));
    Arc::new(config)
}

/// A server that is for `mail.example.org`, by certificates long expired.
fn server(versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let mut params =
        CertificateParams::new(["mail.example.org".to_owned(), "*.mx.example.org".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    config(versions, vec![certificate.der().clone()], &key)
}

/// A server that shows these octets for a certificate, with a key of its own.
fn showing(chain: Vec<Vec<u8>>) -> Arc<ServerConfig> {
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    config(TLS13, chain, &KeyPair::generate().unwrap())
}

async fn hear<S: AsyncRead + Unpin>(stream: &mut S, text: &str) {
    let mut said = vec![0; text.len()];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(said.escape_ascii().to_string(), text.escape_default().to_string());
}

/// Serves EHLO and QUIT, then closes as politely as it can.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    hear(stream, "EHLO scanner.example.com\r\n").await;
    stream.write_all(b"250-mx.example.org\r\n250-AUTH PLAIN\r\n250 SIZE 2000\r\n").await.unwrap();
    stream.flush().await.unwrap();
    hear(stream, "QUIT\r\n").await;
    stream.write_all(b"221 bye\r\n").await.unwrap();
    let _ = stream.shutdown().await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(rest, b"", "more than was to be heard");
}

/// Does all that `acts` say.
async fn act(mut stream: DuplexStream, acts: Vec<Then>) {
    for act in acts {
        match act {
            Then::Say(text) => stream.write_all(text).await.unwrap(),
            Then::Wait(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
            Then::Hello => {
                let mut header = [0; 5];
                stream.read_exact(&mut header).await.unwrap();
                let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
                stream.read_exact(&mut hello).await.unwrap();
            }
            Then::Serve(config) => {
                if let Ok(mut inside) = TlsAcceptor::from(config).accept(&mut stream).await {
                    serve(&mut inside).await;
                }
                return;
            }
            Then::Break(config) => {
                TlsAcceptor::from(config).accept(&mut stream).await.unwrap();
                return;
            }
            Then::Rekey(config, times) => {
                let mut inside = TlsAcceptor::from(config).accept(&mut stream).await.unwrap();
                for _ in 0..times {
                    inside.get_mut().1.refresh_traffic_keys().unwrap();
                    if inside.flush().await.is_err() {
                        return;
                    }
                }
                let _ = inside.write_all(b"220 mail.example.org ESMTP\r\n").await;
                let _ = inside.flush().await;
                let _ = inside.read_to_end(&mut Vec::new()).await;
                return;
            }
            Then::Stall => {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
            Then::Close => return,
        }
    }
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// A stream of which no more than so much is read at once.
struct Cut<S>(S, usize);

impl<S: AsyncRead + Unpin> AsyncRead for Cut<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut part = vec![0; self.1.min(buf.remaining())];
        let mut part = ReadBuf::new(&mut part);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut part))?;
        buf.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cut<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Meets a server that offers STARTTLS, says `answer` to it and then acts; no more than `cut` octets are read
/// at once.
async fn starttls(answer: &'static [u8], acts: Vec<Then>, cut: usize) -> Observation {
    let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
    let mut ours = Cut(ours, cut);
    let host = async move {
        theirs.write_all(b"220 mail.example.org ESMTP\r\n").await.unwrap();
        hear(&mut theirs, "EHLO scanner.example.com\r\n").await;
        theirs.write_all(b"250-mail.example.org\r\n250-SIZE 1000\r\n250 STARTTLS\r\n").await.unwrap();
        hear(&mut theirs, "STARTTLS\r\n").await;
        theirs.write_all(answer).await.unwrap();
        act(theirs, acts).await;
    };
    let client = async move {
        let observed = smtp(Depth::Tls).converse(&mut ours).await.unwrap();
        drop(ours);
        observed
    };
    let (observed, ()) = tokio::join!(client, host);
    assert_eq!(observed.outcome, Outcome::Greeted);
    assert_eq!(lines(observed.ehlo.as_ref()), ["mail.example.org", "SIZE 1000", "STARTTLS"]);
    observed
}

fn lines(reply: Option<&Reply>) -> Vec<String> {
    reply
        .map(|reply| reply.text.lines().map(|line| line.escape_ascii().to_string()).collect())
        .unwrap_or_default()
}

fn tls(observed: &Observation) -> &Tls {
    observed.tls.as_deref().unwrap()
}

const GO: &[u8] = b"220 go ahead\r\n";
const INSIDE: [&str; 3] = ["mx.example.org", "AUTH PLAIN", "SIZE 2000"];

#[tokio::test(start_paused = true)]
async fn a_sound_server_shows_its_certificate_and_is_spoken_to_inside() {
    for (versions, version) in [(TLS12, "TLSv1.2"), (TLS13, "TLSv1.3")] {
        for cut in [1, 7, 64 * 1024] {
            let observed = starttls(GO, vec![Then::Serve(server(versions))], cut).await;
            let tls = tls(&observed);
            assert_eq!((tls.status, tls.injected), (TlsStatus::Established, false));
            assert_eq!((tls.version.as_deref(), tls.code), (Some(version), Code::new(220)));
            assert!(tls.cipher.as_ref().unwrap().starts_with("TLS_"), "{tls:?}");
            assert_eq!(lines(tls.ehlo.as_ref()), INSIDE);
            let certificate = tls.certificate.as_ref().unwrap();
            assert_eq!(certificate.names, ["mail.example.org".into(), "*.mx.example.org".into()]);
            assert_eq!((certificate.count, certificate.error), (2, None));
            let lifetime =
                certificate.not_after.unwrap().duration_since(certificate.not_before.unwrap()).unwrap();
            assert_eq!(lifetime.as_secs(), 365 * 86_400);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_injected_behind_the_go_ahead_is_flagged_and_gets_nowhere() {
    const EVIL: &[u8] = b"250-evil.example\r\n250 X\r\n";
    const TOGETHER: &[u8] = b"220 go ahead\r\n250-evil.example\r\n250 X\r\n";
    let good = || Then::Serve(server(TLS13));
    for cut in [1, 5, 64 * 1024] {
        for (claim, answer, acts) in [
            ("in the same segment", TOGETHER, vec![good()]),
            ("at once", GO, vec![Then::Say(EVIL), good()]),
            ("50 ms later", GO, vec![Then::Wait(50), Then::Say(EVIL), good()]),
            ("500 ms later", GO, vec![Then::Wait(500), Then::Say(EVIL), good()]),
            ("in two parts", GO, vec![Then::Say(&EVIL[..7]), Then::Wait(90), Then::Say(&EVIL[7..]), good()]),
        ] {
            let observed = starttls(answer, acts, cut).await;
            let tls = tls(&observed);
            assert_eq!((tls.status, tls.injected), (TlsStatus::Established, true), "{claim} {cut}");
            assert_eq!(tls.plaintext.escape_ascii().to_string(), EVIL.escape_ascii().to_string(), "{claim}");
            assert_eq!(lines(tls.ehlo.as_ref()), INSIDE, "{claim}: only what was said inside counts");
            assert!(tls.certificate.is_some(), "{claim}");
        }
    }
}

/// A record of one fatal alert.
const fn alert(number: u8) -> [u8; 7] {
    [0x15, 3, 3, 0, 2, 2, number]
}

/// The hello of a server that speaks TLS 1.0.
const OLD_HELLO: &[u8] = &{
    let mut hello = [0x5a; 47];
    let head = [0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
    let mut at = 0;
    while at < head.len() {
        hello[at] = head[at];
        at += 1;
    }
    let tail = [0, 0xc0, 0x13, 0];
    let mut at = 0;
    while at < tail.len() {
        hello[43 + at] = tail[at];
        at += 1;
    }
    hello
};

#[tokio::test(start_paused = true)]
async fn each_way_to_fail_has_its_status() {
    use TlsStatus::{Alert, Closed, EndedByUs, LegacyOnly, Plaintext, Protocol, Refused, TimedOut};
    const HANDSHAKE_FAILURE: &[u8] = &alert(40);
    const INTERNAL_ERROR: &[u8] = &alert(80);
    const PROTOCOL_VERSION: &[u8] = &alert(70);
    const WARNING: &[u8] = &[0x15, 3, 3, 0, 2, 1, 90];
    let refused = |code| (Refused, Code::new(code));
    let other = |status| (status, Code::new(220));
    let unanswered = |status| (status, None);
    for (claim, answer, acts, (status, code)) in [
        ("refused for now", &b"454 TLS not available\r\n"[..], vec![], refused(454)),
        ("refused for good", b"502 no\r\n", vec![], refused(502)),
        ("no answer", b"", vec![Then::Stall], unanswered(TimedOut)),
        ("closed in place of an answer", b"", vec![Then::Close], unanswered(Closed)),
        ("silence", GO, vec![Then::Stall], other(TimedOut)),
        ("closed at once", GO, vec![Then::Close], other(Closed)),
        ("closed after the hello", GO, vec![Then::Hello, Then::Close], other(Closed)),
        ("half a record", GO, vec![Then::Hello, Then::Say(&OLD_HELLO[..9]), Then::Close], other(Closed)),
        (
            "half a record and silence",
            GO,
            vec![Then::Hello, Then::Say(&OLD_HELLO[..9]), Then::Stall],
            other(TimedOut),
        ),
        ("an alert", GO, vec![Then::Hello, Then::Say(HANDSHAKE_FAILURE), Then::Close], other(Alert(40))),
        ("another alert", GO, vec![Then::Hello, Then::Say(INTERNAL_ERROR)], other(Alert(80))),
        ("an alert for the version", GO, vec![Then::Hello, Then::Say(PROTOCOL_VERSION)], other(LegacyOnly)),
        ("TLS 1.0 alone", GO, vec![Then::Hello, Then::Say(OLD_HELLO)], other(LegacyOnly)),
        (
            "garbage",
            GO,
            vec![Then::Hello, Then::Say(b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8"), Then::Stall],
            other(Protocol),
        ),
        (
            "an odd record",
            GO,
            vec![Then::Hello, Then::Say(b"\x17\x03\x03\0\x04abcd"), Then::Stall],
            other(Protocol),
        ),
        (
            "a huge record",
            GO,
            vec![Then::Hello, Then::Say(b"\x16\x03\x03\xff\xff\x02"), Then::Stall],
            other(Protocol),
        ),
        ("a warning and silence", GO, vec![Then::Hello, Then::Say(WARNING), Then::Stall], other(TimedOut)),
        ("a complaint", GO, vec![Then::Hello, Then::Say(b"500 what?\r\n"), Then::Close], other(Plaintext)),
        (
            "a complaint and silence",
            GO,
            vec![Then::Hello, Then::Say(b"500 what?\r\n"), Then::Stall],
            other(Plaintext),
        ),
        ("no certificate", GO, vec![Then::Serve(showing(vec![]))], other(Protocol)),
        (
            "too large a certificate",
            GO,
            vec![Then::Serve(showing(vec![vec![0x30; 70_000]]))],
            other(EndedByUs),
        ),
    ] {
        let observed = starttls(answer, acts, 64 * 1024).await;
        let tls = tls(&observed);
        assert_eq!((tls.status, tls.code, tls.injected), (status, code, false), "{claim}: {tls:?}");
        assert_eq!((&tls.certificate, &tls.ehlo), (&None, &None), "{claim}");
        let plain: &[u8] = if status == Plaintext { b"500 what?\r\n" } else { b"" };
        assert_eq!(tls.plaintext, plain, "{claim}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_handshake_ends_by_a_limit_or_by_time() {
    for endless in
        [&b"\x15\x03\x03\0\x02\x01\x5a"[..], b"\x16\x03\x03\0\0", b"500 what?\r\n", b"\x14\x03\x03\0\x01\x01"]
    {
        let started = tokio::time::Instant::now();
        let mut acts = vec![Then::Hello];
        acts.extend((0..200).map(|_| Then::Say(endless)));
        let observed = starttls(GO, acts, 64 * 1024).await;
        assert_ne!(tls(&observed).status, TlsStatus::Established);
        assert!(started.elapsed() <= Duration::from_secs(90));
    }
}

#[tokio::test(start_paused = true)]
async fn odd_certificates_are_taken_as_they_are() {
    let key = KeyPair::generate().unwrap();
    let names = (0..1000).map(|n| format!("m{n}.example.org"));
    let many = CertificateParams::new(names.collect::<Vec<_>>()).unwrap().self_signed(&key).unwrap();
    let one = CertificateParams::new(["mail.example.org".to_owned()]).unwrap().self_signed(&key).unwrap();
    let bad = Some(X509Error::Malformed);
    for (claim, chain, count, error) in [
        ("garbage", vec![b"garbage".to_vec()], 0, bad),
        ("nothing", vec![Vec::new()], 0, bad),
        ("60 KB", vec![vec![0x30; 60_000]], 0, bad),
        ("a deep nest", vec![[0x30, 0x80].repeat(20_000)], 0, bad),
        ("a thousand names", vec![many.der().to_vec()], 1000, None),
        ("a long chain", vec![one.der().to_vec(); 100], 1, None),
        ("somebody else's key", vec![one.der().to_vec()], 1, None),
    ] {
        let observed = starttls(GO, vec![Then::Serve(showing(chain.clone()))], 64 * 1024).await;
        let tls = tls(&observed);
        assert_eq!(tls.status, TlsStatus::Established, "{claim}");
        assert_eq!(lines(tls.ehlo.as_ref()), INSIDE, "{claim}");
        let certificate = tls.certificate.as_ref().unwrap();
        assert_eq!((certificate.count, certificate.error), (count, error), "{claim}");
        assert!(certificate.names.len() <= 64, "{claim}");
    }
}

/// A certificate as `openssl req -x509` makes it with these words.
fn openssl(words: &[&str]) -> Vec<u8> {
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-keyout",
            "/dev/null",
            "-outform",
            "DER",
            "-subj",
            "/CN=mail.example.org",
        ])
        .args(words)
        .output()
        .unwrap();
    assert!(
        made.status.success() && !made.stdout.is_empty(),
        "{words:?}: {}",
        String::from_utf8_lossy(&made.stderr)
    );
    made.stdout
}

#[tokio::test(start_paused = true)]
async fn certificates_that_nobody_should_make_any_more_are_read_like_others() {
    let rsa = ["-newkey", "rsa:1024"];
    for (claim, words) in [
        ("512 bits", &["-newkey", "rsa:512"][..]),
        ("MD5", &[&rsa[..], &["-md5"]].concat()),
        ("a negative serial number", &[&rsa[..], &["-set_serial", "-5"]].concat()),
        (
            "addresses to fetch from",
            &[
                &rsa[..],
                &["-addext", "authorityInfoAccess=OCSP;URI:http://ocsp.example.org/"],
                &["-addext", "crlDistributionPoints=URI:http://crl.example.org/"],
            ]
            .concat(),
        ),
    ] {
        let observed = starttls(GO, vec![Then::Serve(showing(vec![openssl(words)]))], 64 * 1024).await;
        let tls = tls(&observed);
        assert_eq!(tls.status, TlsStatus::Established, "{claim}");
        let certificate = tls.certificate.as_ref().unwrap();
        assert_eq!(
            (&certificate.names[..], certificate.error),
            (&["mail.example.org".into()][..], None),
            "{claim}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_breaks_off_inside_has_still_shown_its_certificate() {
    for versions in [TLS12, TLS13] {
        let observed = starttls(GO, vec![Then::Break(server(versions))], 64 * 1024).await;
        let tls = tls(&observed);
        assert_eq!((tls.status, &tls.ehlo), (TlsStatus::Established, &None));
        assert_eq!(tls.certificate.as_ref().unwrap().count, 2);
    }
}

/// Meets a server on a port where TLS comes first.
async fn tls_first(depth: Depth, acts: Vec<Then>) -> Observation {
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let client = async move {
        let observed = smtp(depth).converse_on(&mut ours, Opening::Tls).await.unwrap();
        drop(ours);
        observed
    };
    let (observed, ()) = tokio::join!(client, act(theirs, acts));
    observed
}

#[tokio::test(start_paused = true)]
async fn where_tls_comes_first_the_greeting_is_heard_inside_it() {
    for (depth, introduces) in [(Depth::Banner, false), (Depth::Ehlo, true), (Depth::Tls, true)] {
        let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let host = async move {
            let mut inside = TlsAcceptor::from(server(TLS13)).accept(&mut theirs).await.unwrap();
            inside.write_all(b"220 mail.example.org ESMTP\r\n").await.unwrap();
            if introduces {
                serve(&mut inside).await;
            } else {
                hear(&mut inside, "QUIT\r\n").await;
            }
        };
        let client = async move { smtp(depth).converse_on(&mut ours, Opening::Tls).await.unwrap() };
        let (observed, ()) = tokio::join!(client, host);
        assert_eq!(observed.outcome, Outcome::Greeted);
        assert_eq!(lines(observed.greeting.as_ref()), ["mail.example.org ESMTP"]);
        assert_eq!(lines(observed.ehlo.as_ref()), if introduces { &INSIDE[..] } else { &[] });
        let tls = tls(&observed);
        assert_eq!((tls.status, &tls.ehlo), (TlsStatus::Established, &None));
        assert_eq!(tls.certificate.as_ref().unwrap().count, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_few_new_keys_are_taken_and_a_flood_of_them_is_ended_by_us() {
    let observed = tls_first(Depth::Banner, vec![Then::Rekey(server(TLS13), 20)]).await;
    assert_eq!((observed.outcome, tls(&observed).status), (Outcome::Greeted, TlsStatus::Established));
    let observed = starttls(GO, vec![Then::Rekey(server(TLS13), 200)], 64 * 1024).await;
    let tls = tls(&observed);
    assert_eq!((tls.status, tls.alert(), &tls.ehlo), (TlsStatus::EndedByUs, None, &None));
    assert!(tls.certificate.is_some() && tls.version.is_some(), "{tls:?}");
}

#[tokio::test(start_paused = true)]
async fn where_tls_comes_first_and_does_not_come_the_outcome_says_so() {
    use TlsStatus::{Alert, Closed, EndedByUs, Plaintext, TimedOut};
    const UNKNOWN_NAME: &[u8] = &alert(112);
    for (claim, acts, outcome, status) in [
        ("silence", vec![Then::Stall], Outcome::Silent, TimedOut),
        ("a close", vec![Then::Close], Outcome::Closed, Closed),
        ("an alert", vec![Then::Hello, Then::Say(UNKNOWN_NAME)], Outcome::TlsFailed, Alert(112)),
        (
            "a greeting in plain",
            vec![Then::Say(b"220 mail.example.org\r\n"), Then::Stall],
            Outcome::TlsFailed,
            Plaintext,
        ),
        (
            "a greeting in plain, and a close",
            vec![Then::Hello, Then::Say(b"220 a\r\n")],
            Outcome::TlsFailed,
            Plaintext,
        ),
        ("a flood of new keys", vec![Then::Rekey(server(TLS13), 200)], Outcome::TlsFailed, EndedByUs),
        ("silence inside", vec![Then::Break(server(TLS13))], Outcome::Closed, TlsStatus::Established),
    ] {
        let observed = tls_first(Depth::Banner, acts).await;
        assert_eq!(observed.outcome, outcome, "{claim}");
        assert_eq!(tls(&observed).status, status, "{claim}");
        assert_eq!((observed.greeting.is_none(), observed.truncated), (true, false), "{claim}");
    }
}
