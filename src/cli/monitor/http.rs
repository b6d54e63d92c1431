//! The least of HTTP/1.1 (RFC 9112) that lets metrics be fetched: one GET or HEAD a connection, bounded in
//! bytes, time and number. Listens where it was told and nowhere else.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::super::exit::Unable;
use super::Meter;
use super::Watched;

/// The longest request that is read, in bytes: a scraper's has some hundreds.
const LONGEST: usize = 8 << 10;
/// For one connection, from its acceptance to its end.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at once; a further one ends the oldest, so that those that say nothing keep nobody out.
const AT_ONCE: usize = 16;
/// After a connection that could not be accepted, as when descriptors have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until it is dropped.
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at an address; with port 0 the system chooses, and where that is goes to stderr.
    pub(super) fn start(address: SocketAddr, watched: Watched) -> anyhow::Result<Self> {
        Self::listen(address, watched, PATIENCE).map(|(server, bound)| {
            if address.port() == 0 {
                super::super::say(format_args!("banneret: metrics at http://{bound}/metrics"));
            }
            server
        })
    }

    fn listen(
        address: SocketAddr,
        watched: Watched,
        patience: Duration,
    ) -> anyhow::Result<(Self, SocketAddr)> {
        let listener = std::net::TcpListener::bind(address)
            .with_context(|| format!("metrics can't be offered at `{address}`"))
            .context(Unable)?;
        listener.set_nonblocking(true).context(Unable)?;
        let bound = listener.local_addr().context(Unable)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context(Unable)?;
        let (stop, stopped) = oneshot::channel();
        let meter = Arc::new(Mutex::new(Meter::new(watched)));
        let serve = move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, meter, patience) => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("metrics".to_owned()).spawn(serve).context(Unable)?;
        Ok((Self { stop: Some(stop), thread: Some(thread) }, bound))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, meter: Arc<Mutex<Meter>>, patience: Duration) {
    let mut open: VecDeque<AbortHandle> = VecDeque::with_capacity(AT_ONCE);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                open.retain(|conversation| !conversation.is_finished());
                if open.len() >= AT_ONCE
                    && let Some(oldest) = open.pop_front()
                {
                    oldest.abort();
                }
                let meter = Arc::clone(&meter);
                let conversation = tokio::spawn(async move {
                    // Whoever is slower than that, or goes, is owed nothing.
                    let _ = tokio::time::timeout(patience, converse(stream, &meter)).await;
                });
                open.push_back(conversation.abort_handle());
                // Those that were accepted have their turn before the next ones.
                tokio::task::yield_now().await;
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

async fn converse(mut stream: TcpStream, meter: &Mutex<Meter>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !is_whole(&request) && request.len() < LONGEST {
        match stream.read(&mut chunk).await? {
            0 => return Ok(()),
            length => request.extend_from_slice(&chunk[..length]),
        }
    }
    let answer =
        answer(&request, || meter.lock().unwrap_or_else(PoisonError::into_inner).metrics(Instant::now()));
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Whether the head of a request has ended. Bodies are not waited for: nothing here takes one.
fn is_whole(request: &[u8]) -> bool {
    request.windows(4).any(|end| end == b"\r\n\r\n") || request.windows(2).any(|end| end == b"\n\n")
}

/// What is said to a request.
fn answer(request: &[u8], metrics: impl FnOnce() -> String) -> String {
    let line = request.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default().trim_end_matches('\r');
    let words: Vec<&str> = line.split(' ').collect();
    let &[method, target, version] = words.as_slice() else {
        return plain("400 Bad Request", "no request\n");
    };
    if !is_whole(request) || !version.starts_with("HTTP/1.") {
        return plain("400 Bad Request", "no request that is understood\n");
    }
    let path = target.split('?').next().unwrap_or_default();
    let found = match path {
        "/metrics" => full("200 OK", "text/plain; version=0.0.4; charset=utf-8", &metrics()),
        "/" => plain("200 OK", "banneret: see /metrics\n"),
        _ => plain("404 Not Found", "there is /metrics\n"),
    };
    match method {
        "GET" => found,
        "HEAD" => found.split_inclusive("\r\n\r\n").next().unwrap_or_default().to_owned(),
        _ => full("405 Method Not Allowed\r\nAllow: GET, HEAD", PLAIN, "GET or HEAD\n"),
    }
}

const PLAIN: &str = "text/plain; charset=utf-8";

fn plain(status: &str, text: &str) -> String {
    full(status, PLAIN, text)
}

fn full(status: &str, kind: &str, text: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nX-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::super::tests::watched;
    use super::*;

    #[test]
    fn a_request_is_answered_by_its_line_and_nothing_else() {
        for (request, status, body) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "figures"),
            ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", "200 OK", "figures"),
            ("GET /metrics HTTP/1.1\n\n", "200 OK", "figures"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", ""),
            ("GET / HTTP/1.1\r\n\r\n", "200 OK", "banneret: see /metrics\n"),
            ("GET /../etc/passwd HTTP/1.1\r\n\r\n", "404 Not Found", "there is /metrics\n"),
            ("GET /metrics/ HTTP/1.1\r\n\r\n", "404 Not Found", "there is /metrics\n"),
            (
                "POST /metrics HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
                "405 Method Not Allowed",
                "GET or HEAD\n",
            ),
            ("GET /metrics HTTP/2.0\r\n\r\n", "400 Bad Request", "no request that is understood\n"),
            ("GET  /metrics HTTP/1.1\r\n\r\n", "400 Bad Request", "no request\n"),
            ("GET /metrics HTTP/1.1", "400 Bad Request", "no request that is understood\n"),
            ("\r\n\r\n", "400 Bad Request", "no request\n"),
            ("", "400 Bad Request", "no request\n"),
        ] {
            let answer = answer(request.as_bytes(), || "figures".to_owned());
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:?}: {answer}");
            assert_eq!(answer.split_once("\r\n\r\n").unwrap().1, body, "{request:?}");
            let length = answer.split("Content-Length: ").nth(1).unwrap().split('\r').next().unwrap();
            assert!(body.is_empty() || length.parse() == Ok(body.len()), "{answer}");
        }
        assert!(answer(b"\xff\xfe \x00 HTTP/1.1\r\n\r\n", String::new).starts_with("HTTP/1.1 400 "));
    }

    #[test]
    fn hostile_clients_are_bounded_and_keep_nobody_out_for_long() {
        let any = "127.0.0.1:0".parse().unwrap();
        // Longer than any test may take: whoever is served was not waiting for others to time out.
        let (server, address) = Server::listen(any, watched(), Duration::from_secs(3600)).unwrap();
        let connect = || std::net::TcpStream::connect(address).unwrap();
        let ask = |mut stream: std::net::TcpStream, request: &[u8]| {
            // It may be cut off before it has said all.
            let _ = stream.write_all(request);
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        };
        // Connections that say nothing or half of something, more than there is room for: the next one is
        // served at once.
        let stalled: Vec<_> = (0..AT_ONCE * 4)
            .map(|number| {
                let mut stream = connect();
                if number % 2 == 0 {
                    stream.write_all(b"GET /metrics HTTP/1.1\r\n").unwrap();
                }
                stream
            })
            .collect();
        for _ in 0..3 {
            assert!(
                ask(connect(), b"GET /metrics HTTP/1.1\r\n\r\n").contains("\nbanneret_scan_targets 400\n")
            );
        }
        drop(stalled);
        let endless = ask(connect(), &vec![b'a'; 4 * LONGEST]);
        assert!(endless.is_empty() || endless.starts_with("HTTP/1.1 400 "), "{endless}");
        for garbage in [&b"\x16\x03\x01\x02\x00\x01\x00\n\n"[..], b"\0\0\0\0\n\n", b"EHLO x\r\n\r\n"] {
            assert!(ask(connect(), garbage).starts_with("HTTP/1.1 400 "));
        }
        drop(server);
        assert!(std::net::TcpStream::connect(address).is_err(), "it stops with the scan");
    }

    #[test]
    fn an_address_that_is_taken_is_told() {
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let wrong = Server::start(address, watched()).err().unwrap();
        assert!(
            format!("{wrong:#}").contains(&format!("metrics can't be offered at `{address}`")),
            "{wrong:#}"
        );
    }
}
