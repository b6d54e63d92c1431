//! Scripted SMTP hosts, as data in `tests/sim/*.toml`, and what is to be observed of each.
//!
//! Every host is met in memory, with time paused and the bytes cut in three ways; and over loopback sockets,
//! unless its script needs time to pass. A script is a line for each thing that the host does:
//!
//! | line | the host |
//! | --- | --- |
//! | `say TEXT` | sends it (`\r`, `\n`, `\\`, `\xHH`) |
//! | `repeat N TEXT` | sends it so many times |
//! | `drip TIME TEXT` | sends it octet by octet, waiting before each |
//! | `wait TIME` | waits |
//! | `hear TEXT` | reads exactly this |
//! | `close` | sends FIN |
//! | `reset` | sends RST |
//!
//! Behind its script a host listens until the client has left. What it hears beyond `hear` fails the test,
//! and so does an octet that comes before the script got as far as `hear`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use banneret::evidence::{Observation, Outcome};
use banneret::name::HostName;
use banneret::probe::{Depth, Probe, Settings, Smtp};
use banneret::smtp::greeting::{Greeting, Own};
use banneret::smtp::reply::Code;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    host: Vec<Host>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Host {
    claim: String,
    script: String,
    outcome: String,
    code: Option<u16>,
    /// Lines of the greeting; the first characters of long ones, then `…`.
    #[serde(default)]
    banner: Vec<String>,
    name: Option<String>,
    /// Introduces itself, and gets this reply.
    ehlo: Option<Vec<String>>,
    #[serde(default)]
    truncated: bool,
    /// In memory, where time is exact.
    banner_ms: Option<u64>,
    /// How the client leaves, as sockets show it.
    #[serde(default)]
    left: Left,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
enum Left {
    #[default]
    Close,
    Reset,
    Either,
}

enum Act {
    Say(Vec<u8>),
    Repeat(usize, Vec<u8>),
    Drip(Duration, Vec<u8>),
    Wait(Duration),
    Hear(Vec<u8>),
    Close,
    Reset,
}

impl Host {
    fn acts(&self) -> Vec<Act> {
        self.script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| self.act(line))
            .collect()
    }

    fn act(&self, line: &str) -> Act {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let pair = || rest.split_once(' ').unwrap_or_else(|| panic!("{}: `{line}`", self.claim));
        let time = |text: &str| {
            humantime::parse_duration(text).unwrap_or_else(|_| panic!("{}: `{line}`", self.claim))
        };
        match verb {
            "say" => Act::Say(unescape(rest)),
            "repeat" => Act::Repeat(pair().0.parse().unwrap(), unescape(pair().1)),
            "drip" => Act::Drip(time(pair().0), unescape(pair().1)),
            "wait" => Act::Wait(time(rest)),
            "hear" => Act::Hear(unescape(rest)),
            "close" => Act::Close,
            "reset" => Act::Reset,
            _ => panic!("{}: no such act: `{line}`", self.claim),
        }
    }

    /// Whether the script, or the end of the conversation, needs time to pass.
    fn takes_time(&self) -> bool {
        let acts = self.acts();
        acts.iter().any(|act| matches!(act, Act::Wait(_) | Act::Drip(..)))
            || !acts.iter().any(|act| matches!(act, Act::Close | Act::Reset))
                && self.left == Left::Reset
                && !self.hits_a_limit()
    }

    fn hits_a_limit(&self) -> bool {
        self.acts().iter().any(|act| matches!(act, Act::Repeat(..)))
    }

    fn needs_a_socket(&self) -> bool {
        self.acts().iter().any(|act| matches!(act, Act::Reset))
    }

    fn smtp(&self) -> Smtp {
        let depth = if self.ehlo.is_some() { Depth::Ehlo } else { Depth::Banner };
        let own_name = HostName::parse("scanner.example.com").ok();
        Smtp::new(Settings { depth, own_name, ..Settings::default() }).unwrap()
    }

    /// Compares all that is observable.
    fn check(&self, observed: &Observation) {
        let claim = &self.claim;
        let outcome = Outcome::parse(&self.outcome).unwrap_or_else(|| panic!("{claim}: `{}`", self.outcome));
        assert_eq!(observed.outcome, outcome, "{claim}: {observed:?}");
        let greeting = observed.greeting.as_ref();
        assert_eq!(greeting.and_then(|it| it.code).map(Code::get), self.code, "{claim}");
        let lines: Vec<String> = greeting.map(|it| it.text.lines().map(escape).collect()).unwrap_or_default();
        assert_eq!(lines.len(), self.banner.len(), "{claim}: {lines:?}");
        for (line, expected) in lines.iter().zip(&self.banner) {
            match expected.strip_suffix('…') {
                Some(start) => {
                    assert!(line.starts_with(start) && line.len() > start.len(), "{claim}: {line}");
                }
                None => assert_eq!(line, expected, "{claim}"),
            }
        }
        let name = greeting.and_then(|it| Greeting::read(it, Own::default()).name);
        assert_eq!(name, self.name, "{claim}");
        assert_eq!(observed.truncated, self.truncated, "{claim}: {observed:?}");
        let ehlo = observed.ehlo.as_ref().map_or(Vec::new(), |it| it.text.lines().map(escape).collect());
        assert_eq!(ehlo, self.ehlo.clone().unwrap_or_default(), "{claim}");
        assert_eq!(observed.attempts, 1, "{claim}");
        assert!(observed.connect.is_some(), "{claim}");
    }
}

fn escape(line: &[u8]) -> String {
    line.escape_ascii().to_string()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'r') => bytes.push(b'\r'),
            Some(b'n') => bytes.push(b'\n'),
            Some(b'\\') => bytes.push(b'\\'),
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            other => panic!("no such escape: {other:?} in `{text}`"),
        }
    }
    bytes
}

/// Plays a host. A client that leaves ends the play; what it said too early, or too much, fails it.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &Host,
    reset: impl FnOnce(&mut S),
) -> Left {
    let mut heard = false;
    for act in host.acts() {
        if !heard {
            assert_quiet(stream, &host.claim).await;
        }
        let played = match act {
            Act::Say(text) => stream.write_all(&text).await,
            Act::Repeat(times, text) => stream.write_all(&text.repeat(times)).await,
            Act::Drip(pause, text) => drip(stream, pause, &text, host).await,
            Act::Wait(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
            Act::Hear(text) => {
                heard = true;
                let mut said = vec![0; text.len()];
                let got = stream.read_exact(&mut said).await.map(drop);
                assert_eq!(
                    said.escape_ascii().to_string(),
                    text.escape_ascii().to_string(),
                    "{}",
                    host.claim
                );
                got
            }
            Act::Close => stream.shutdown().await,
            Act::Reset => {
                reset(stream);
                return Left::Either;
            }
        };
        if played.is_err() {
            break;
        }
    }
    let mut surplus = Vec::new();
    let end = stream.read_to_end(&mut surplus).await;
    assert_eq!(surplus.escape_ascii().to_string(), "", "{}: more than was to be heard", host.claim);
    if end.is_ok() { Left::Close } else { Left::Reset }
}

async fn drip<S>(stream: &mut S, pause: Duration, text: &[u8], host: &Host) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for byte in text {
        tokio::time::sleep(pause).await;
        assert_quiet(stream, &host.claim).await;
        stream.write_all(&[*byte]).await?;
    }
    Ok(())
}

/// Fails if the client has said anything yet.
async fn assert_quiet<S: AsyncRead + Unpin>(stream: &mut S, claim: &str) {
    let mut buffer = [0; 16];
    let mut buffer = ReadBuf::new(&mut buffer);
    let early = poll_fn(|cx| {
        let polled = Pin::new(&mut *stream).poll_read(cx, &mut buffer);
        Poll::Ready(matches!(polled, Poll::Ready(Ok(()))).then(|| buffer.filled().to_vec()))
    })
    .await;
    if let Some(early) = early {
        assert_eq!(early.escape_ascii().to_string(), "", "{claim}: said too early");
    }
}

fn hosts() -> Vec<Host> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let hosts: Vec<Host> = files
        .iter()
        .flat_map(|path| {
            let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            file.host
        })
        .collect();
    assert!(hosts.len() > 40, "the data were not found: {} hosts", hosts.len());
    hosts
}

#[tokio::test(start_paused = true)]
async fn scripted_hosts_are_observed_as_they_are_in_memory() {
    for host in hosts().iter().filter(|host| !host.needs_a_socket()) {
        // Octet by octet, but for hosts that say a hundred thousand of them.
        let narrowest = if host.hits_a_limit() { 1000 } else { 1 };
        for pipe in [narrowest, 7.max(narrowest), 64 * 1024] {
            let (mut ours, mut theirs) = tokio::io::duplex(pipe);
            let client = async {
                let start = tokio::time::Instant::now();
                let observed = host.smtp().converse(&mut ours).await.unwrap();
                drop(ours);
                (observed, start.elapsed())
            };
            let ((observed, took), _) = tokio::join!(client, play(&mut theirs, host, |_| unreachable!()));
            host.check(&observed);
            if let Some(expected) = host.banner_ms {
                assert_eq!(
                    observed.banner.map(|time| time.as_millis()),
                    Some(expected.into()),
                    "{}",
                    host.claim
                );
            }
            assert!(took <= Duration::from_secs(90), "{}: took {took:?}", host.claim);
        }
    }
}

#[tokio::test]
async fn scripted_hosts_are_observed_as_they_are_over_sockets() {
    let mut met = 0;
    for host in hosts().iter().filter(|host| !host.takes_time()) {
        met += 1;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let smtp = host.smtp();
        let probe = smtp.probe(listener.local_addr().unwrap());
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            play(&mut stream, host, reset).await
        };
        let (observed, left) = tokio::join!(probe, server);
        host.check(&observed.unwrap().observation);
        if host.left != Left::Either && left != Left::Either {
            assert_eq!(left, host.left, "{}", host.claim);
        }
    }
    assert!(met > 30, "{met}");
}

#[tokio::test]
async fn a_silent_peer_is_left_by_a_reset_and_a_closed_port_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = listener.local_addr().unwrap();
    let settings = Settings { greeting_timeout: Duration::from_millis(50), ..Settings::default() };
    let smtp = Smtp::new(settings).unwrap();
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read(&mut [0; 16]).await.map_err(|error| error.kind())
    };
    let (observed, left) = tokio::join!(smtp.probe(target), server);
    let observed = observed.unwrap().observation;
    assert_eq!((observed.outcome, observed.greeting, observed.truncated), (Outcome::Silent, None, false));
    assert_eq!(left, Err(std::io::ErrorKind::ConnectionReset));

    drop(listener);
    let observed = smtp.probe(target).await.unwrap().observation;
    assert_eq!(observed, Observation::bare(Outcome::Refused, 1));
}

fn reset(stream: &mut TcpStream) {
    socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[test]
fn ehlo_is_never_said_without_a_name() {
    let error = Smtp::new(Settings { depth: Depth::Ehlo, ..Settings::default() }).unwrap_err();
    assert!(error.to_string().contains("--ehlo-name"), "{error}");
}
