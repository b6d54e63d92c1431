//! The program against servers of the test's own, on real ports in a network namespace: STARTTLS on port 25,
//! TLS first on port 465, and several conversations with each target, one at a time and at the pace of its
//! network.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use support::namespace::alone;
use support::schema::assert_lines;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const RESOLVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// The only name that exists, and where it leads.
const NAME: &str = "mail.example.cloud";
const NAMED: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 9);

/// What the servers saw.
#[derive(Default)]
struct Seen {
    /// When conversations with an address began.
    began: HashMap<IpAddr, Vec<Instant>>,
    /// Conversations under way with an address.
    open: HashMap<IpAddr, usize>,
    /// The most that ever were.
    most: usize,
    /// Names in TLS handshakes, by address.
    names: Vec<(IpAddr, Option<String>)>,
}

type Log = Arc<Mutex<Seen>>;

fn acceptor() -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["*.other.example".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Serves both ports on every address, each conversation by a name of its own.
fn serve(log: &Log) {
    let (ready, wait) = std::sync::mpsc::channel();
    let log = Arc::clone(log);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let plain = TcpListener::bind("0.0.0.0:25").await.unwrap();
            let secure = TcpListener::bind("0.0.0.0:465").await.unwrap();
            ready.send(()).unwrap();
            let acceptor = acceptor();
            loop {
                let (stream, is_secure) = tokio::select! {
                    met = plain.accept() => (met.unwrap().0, false),
                    met = secure.accept() => (met.unwrap().0, true),
                };
                let (log, acceptor) = (Arc::clone(&log), acceptor.clone());
                let ip = stream.local_addr().unwrap().ip();
                let number = begin(&log, ip);
                tokio::spawn(async move {
                    if is_secure {
                        inside(stream, &acceptor, &log, ip, Some(number)).await;
                    } else {
                        plainly(stream, &acceptor, &log, ip, number).await;
                    }
                    *log.lock().unwrap().open.get_mut(&ip).unwrap() -= 1;
                });
            }
        });
    });
    wait.recv().unwrap();
}

fn begin(log: &Log, ip: IpAddr) -> usize {
    let mut log = log.lock().unwrap();
    let began = log.began.entry(ip).or_default();
    began.push(Instant::now());
    let number = began.len();
    let open = log.open.entry(ip).or_default();
    *open += 1;
    let open = *open;
    log.most = log.most.max(open);
    number
}

async fn plainly<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    acceptor: &TlsAcceptor,
    log: &Log,
    ip: IpAddr,
    number: usize,
) {
    let mut stream = BufReader::new(stream);
    if talk(&mut stream, Some(number), &["STARTTLS", "SIZE 1000"]).await {
        inside(stream.into_inner(), acceptor, log, ip, None).await;
    }
}

async fn inside<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    acceptor: &TlsAcceptor,
    log: &Log,
    ip: IpAddr,
    greets: Option<usize>,
) {
    let stream = acceptor.accept(stream).await.unwrap();
    let name = stream.get_ref().1.server_name().map(str::to_owned);
    log.lock().unwrap().names.push((ip, name));
    talk(&mut BufReader::new(stream), greets, &["AUTH PLAIN", "SIZE 2000"]).await;
}

/// Greets, perhaps, and answers commands; whether it is TLS's turn now.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    greets: Option<usize>,
    extensions: &[&str],
) -> bool {
    if let Some(number) = greets {
        stream.write_all(format!("220 m{number}.example.cloud ESMTP\r\n").as_bytes()).await.unwrap();
    }
    loop {
        stream.flush().await.unwrap();
        let mut line = String::new();
        if stream.read_line(&mut line).await.is_err() || line.is_empty() {
            return false;
        }
        let answer = match line.trim_end() {
            "EHLO scanner.example.com" => {
                format!("250-mx.example.cloud\r\n250-{}\r\n250 {}\r\n", extensions[0], extensions[1])
            }
            "STARTTLS" => "220 go ahead\r\n".to_owned(),
            "QUIT" => "221 bye\r\n".to_owned(),
            other => panic!("`{other}` was not to be said"),
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        match line.trim_end() {
            "STARTTLS" => return true,
            "QUIT" => {
                let _ = stream.shutdown().await;
                return false;
            }
            _ => {}
        }
    }
}

/// Answers that one name exists, and no other.
fn serve_names() {
    let socket = UdpSocket::bind(SocketAddr::from((RESOLVER, 53))).unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, asker)) = socket.recv_from(&mut buffer) {
            let query = &buffer[..length];
            let end = 12 + query[12..].iter().position(|&octet| octet == 0).unwrap() + 5;
            let wire: Vec<u8> = NAME
                .split('.')
                .flat_map(|label| std::iter::once(u8::try_from(label.len()).unwrap()).chain(label.bytes()))
                .chain([0, 0, 1])
                .collect();
            let exists = query[12..end - 2].eq_ignore_ascii_case(&wire);
            let flags: [u8; 10] = if exists {
                [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]
            } else {
                [0x81, 0x83, 0, 1, 0, 0, 0, 1, 0, 0]
            };
            let mut answer = [&query[..2], &flags, &query[12..end]].concat();
            if exists {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                answer.extend(NAMED.octets());
            } else {
                // SOA of the root: names of two empty labels and five numbers (RFC 1035 §3.3.13).
                answer.extend([0, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22]);
                answer.extend([0; 22]);
            }
            let _ = socket.send_to(&answer, asker);
        }
    });
}

fn scan(work: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = work.join("records.jsonl");
    let run = Command::new(env!("CARGO_BIN_EXE_banneret"))
        .args(["scan", "--allow-reserved", "--ehlo-name", "scanner.example.com", "--progress", "never"])
        .args(["--seed", "7", "--resolver", &RESOLVER.to_string(), "-o"])
        .arg(&output)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "the scan ended with {}: {said}", run.status);
    let lines = std::fs::read_to_string(&output).unwrap();
    assert_lines(&lines);
    std::fs::remove_file(&output).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn certificates_are_recorded_on_every_port_and_names_are_told_only_where_they_were_asked_for() {
    let name = "certificates_are_recorded_on_every_port_and_names_are_told_only_where_they_were_asked_for";
    alone(name, |work| {
        let log = Log::default();
        serve(&log);
        serve_names();
        let records = scan(work, &["-p", "25,465", "--probe", "tls", "198.18.0.7", NAME]);
        assert_eq!(records.len(), 4);
        for record in &records {
            let (smtp, port) = (&record["smtp"], &record["target"]["port"]);
            assert_eq!(record["outcome"], "greeted", "{record}");
            let tls = &smtp["tls"];
            assert_eq!((&tls["status"], &tls["version"]), (&json!("established"), &json!("TLSv1.3")));
            assert_eq!((&tls["injected"], &tls["plaintext"]), (&json!(false), &json!(null)));
            assert_eq!(tls["certificate"]["names"], json!(["*.other.example"]));
            let inside = json!(["AUTH PLAIN", "SIZE 2000"]);
            if *port == 25 {
                assert_eq!(smtp["extensions"], json!(["STARTTLS", "SIZE 1000"]));
                assert_eq!((&tls["ehlo_name"], &tls["extensions"]), (&json!("mx.example.cloud"), &inside));
            } else {
                assert_eq!((&smtp["extensions"], &tls["extensions"]), (&inside, &json!(null)));
            }
            let findings = record["findings"].as_array().unwrap();
            assert!(findings.contains(&json!("certificate_differs")), "{record}");
            assert!(findings.contains(&json!("ehlo_differs")), "{record}");
            assert_eq!(smtp["samples"], json!(null));
        }
        for (ip, name) in &log.lock().unwrap().names {
            assert_eq!(name.as_deref(), (*ip == NAMED).then_some(NAME), "{ip}");
        }
    });
}

#[test]
fn a_banner_scan_looks_at_no_tls() {
    alone("a_banner_scan_looks_at_no_tls", |work| {
        let log = Log::default();
        serve(&log);
        serve_names();
        let records = scan(work, &["198.18.0.7"]);
        assert_eq!(records[0]["smtp"]["tls"], json!(null));
        assert_eq!(records[0]["smtp"]["extensions"], json!(null));
        assert_eq!(log.lock().unwrap().names, []);
    });
}

#[test]
fn names_that_rotate_are_seen_in_conversations_one_after_the_other_at_the_pace_of_the_network() {
    let name = "names_that_rotate_are_seen_in_conversations_one_after_the_other_at_the_pace_of_the_network";
    alone(name, |work| {
        let log = Log::default();
        serve(&log);
        serve_names();
        let records = scan(work, &["--samples", "3", "198.18.0.0/30"]);
        assert_eq!(records.len(), 4);
        for record in &records {
            let names = ["m1.example.cloud", "m2.example.cloud", "m3.example.cloud"];
            assert_eq!(record["smtp"]["samples"], json!(names), "{record}");
            assert_eq!(record["smtp"]["banner_name"], names[0]);
            assert!(record["findings"].as_array().unwrap().contains(&json!("banner_rotates")));
        }
        let log = log.lock().unwrap();
        assert_eq!((log.began.len(), log.most), (4, 1), "never two at once with one address");
        let mut all: Vec<Instant> = log.began.values().flatten().copied().collect();
        all.sort();
        assert_eq!(all.len(), 12);
        // Ten a second for a network: eleven intervals of a tenth of a second, and none much shorter.
        assert!(all[11] - all[0] >= Duration::from_millis(1070), "{:?}", all[11] - all[0]);
    });
}
