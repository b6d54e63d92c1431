//! `openssl s_server` in all its moods: what the records say of how TLS went, and of its certificates what
//! openssl says.

use std::io::Write as _;
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use banneret::name::HostName;
use serde_json::Value;

use crate::support::namespace::{alone, await_some};
use crate::support::program::run;
use crate::support::schema::assert_lines;

/// The table of set-ups, as its head explains it.
const TABLE: &str = include_str!("tls.tsv");
/// Where TLS comes first, and where the server behind STARTTLS listens: each of them serves one conversation.
const PORTS: [u16; 2] = [465, 2465];
const KEYS: &[(&str, &[&str])] = &[
    ("ec", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("p521", &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("k1", &["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]),
    ("ed25519", &["ED25519"]),
    ("ed448", &["ED448"]),
    ("rsa", &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("rsa512", &["RSA", "-pkeyopt", "rsa_keygen_bits:512"]),
    ("pss", &["RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"]),
];

/// One row of the table.
struct Setup<'t> {
    name: &'t str,
    ip: Ipv4Addr,
    key: &'t str,
    certificate: &'t str,
    server: Vec<&'t str>,
    outcome: &'t str,
    status: &'t str,
    alert: Option<u64>,
}

fn setups() -> Vec<Setup<'static>> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).zip(1..);
    rows.map(|(row, number)| {
        let cells: Vec<&str> = row.split('\t').map(|cell| if cell == "-" { "" } else { cell }).collect();
        let [name, key, certificate, server, outcome, status, alert] = cells[..] else { panic!("{row}") };
        let server = server.split_whitespace().collect();
        let alert = alert.parse().ok();
        Setup {
            name,
            ip: Ipv4Addr::new(198, 18, 0, number),
            key,
            certificate,
            server,
            outcome,
            status,
            alert,
        }
    })
    .collect()
}

fn openssl(work: &Path, words: &[&str]) -> String {
    let ran = Command::new("openssl").args(words).current_dir(work).output().expect("openssl is there");
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("it is asked for UTF-8")
}

impl Setup<'_> {
    fn file(&self) -> String {
        format!("{}.pem", self.ip)
    }

    /// Makes its certificate.
    fn certify(&self, work: &Path) {
        let (file, key) = (self.file(), format!("{}.key", self.key));
        let config = work.join("req.cnf");
        let (mask, name) = match self.certificate.strip_prefix("mask=").and_then(|it| it.split_once(' ')) {
            Some((mask, name)) => (format!("MASK:{mask}"), name),
            None => ("utf8only".to_owned(), "mail.example.org"),
        };
        let text = format!(
            "[req]\ndistinguished_name=dn\nprompt=no\nutf8=yes\nstring_mask={mask}\n[dn]\nCN={name}\n"
        );
        std::fs::write(&config, text).unwrap();
        let long = format!("nsComment={}", "x".repeat(70_000));
        let mut words =
            vec!["req", "-x509", "-config", "req.cnf", "-key", &key, "-out", &file, "-days", "365"];
        if !self.certificate.starts_with("mask=") {
            let more = self.certificate.split_whitespace();
            words.extend(more.map(|word| if word == "nsComment=LONG" { &long } else { word }));
        }
        openssl(work, &words);
    }

    /// Starts a server that greets inside TLS.
    fn serve(&self, work: &Path, port: u16) -> Served {
        let mut command = Command::new("openssl");
        command.arg("s_server").args(["-accept", &format!("{}:{port}", self.ip)]).args(&self.server);
        if !self.server.contains(&"-nocert") {
            command.args(["-cert", &self.file(), "-key", &format!("{}.key", self.key)]);
        }
        if self.server.contains(&"-servername") {
            command.args(["-cert2", &self.file(), "-key2", &format!("{}.key", self.key)]);
        }
        let log = std::fs::File::create(work.join(format!("{}.{port}.log", self.ip))).unwrap();
        command.current_dir(work).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"220 mail.example.org ESMTP\r\n").unwrap();
        Served(child)
    }

    /// What openssl says of its certificate: hash, validity, names.
    fn facts(&self, work: &Path) -> (String, String, String, Vec<String>) {
        let file = self.file();
        let words = "-noout -fingerprint -sha256 -startdate -enddate -dateopt iso_8601 -ext subjectAltName -subject \
                     -nameopt utf8,sep_multiline";
        let words: Vec<&str> = ["x509", "-in", &file].into_iter().chain(words.split_whitespace()).collect();
        let told = openssl(work, &words);
        let after = |head: &str| told.lines().find_map(|line| line.strip_prefix(head)).unwrap().to_owned();
        let time = |head: &str| after(head).replace(' ', "T").replace('Z', ".000Z");
        let parts = || told.lines().flat_map(|line| line.split(", ")).flat_map(|part| part.split(" + "));
        let starting = |head: &str| -> Vec<String> {
            parts().filter_map(|part| part.trim().strip_prefix(head)).map(normal).collect()
        };
        let names = if told.contains("DNS:") { starting("DNS:") } else { starting("CN=") };
        let hash = after("sha256 Fingerprint=").replace(':', "").to_ascii_lowercase();
        (hash, time("notBefore="), time("notAfter="), names)
    }
}

/// A name as records have it: a host name in normal form, anything else in printable ASCII.
fn normal(name: &str) -> String {
    if let Ok(host) = HostName::parse(name) {
        return host.to_string();
    }
    let octet =
        |byte: u8| if byte.is_ascii() { char::from(byte).to_string() } else { format!("\\x{byte:02x}") };
    name.bytes().map(octet).collect()
}

/// A running server.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until somebody listens at every address.
fn await_listening(setups: &[Setup<'_>]) {
    await_some("every server listens", || {
        let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let listens = |setup: &Setup<'_>, port| {
            let local = u32::from_ne_bytes(setup.ip.octets());
            sockets.contains(&format!(" {local:08X}:{port:04X} 00000000:0000 0A "))
        };
        setups.iter().all(|setup| PORTS.iter().all(|&port| listens(setup, port))).then_some(())
    });
}

/// Offers STARTTLS at every address, and hands what follows to the server that listens there.
fn offer_starttls() {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 25)).unwrap();
    thread::spawn(move || {
        for client in listener.incoming().filter_map(Result::ok) {
            thread::spawn(move || relay(client));
        }
    });
}

fn relay(mut client: TcpStream) -> Option<()> {
    use std::io::Read as _;
    let mut said = [0; 512];
    for words in ["220 mail.example.org ESMTP\r\n", "250-mail.example.org\r\n250 STARTTLS\r\n", "220 go\r\n"]
    {
        client.write_all(words.as_bytes()).ok()?;
        if !words.starts_with("220 go") {
            client.read(&mut said).ok().filter(|&length| length > 0)?;
        }
    }
    let std::net::SocketAddr::V4(own) = client.local_addr().ok()? else { return None };
    let server = TcpStream::connect(SocketAddrV4::new(*own.ip(), PORTS[1])).ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut server = server;
    let _ = std::io::copy(&mut server, &mut client);
    client.shutdown(Shutdown::Write).ok()
}

#[test]
fn how_tls_went_and_what_certificates_say_is_what_openssl_was_told_and_says() {
    alone("tls::how_tls_went_and_what_certificates_say_is_what_openssl_was_told_and_says", |work| {
        for (name, words) in KEYS {
            let file = format!("{name}.key");
            openssl(work, &[&["genpkey", "-out", &file, "-algorithm"], *words].concat());
        }
        let setups = setups();
        for setup in &setups {
            setup.certify(work);
        }
        let served = setups.iter().flat_map(|setup| PORTS.map(|port| setup.serve(work, port)));
        let served: Vec<Served> = served.collect();
        await_listening(&setups);
        offer_starttls();
        let last = setups.last().unwrap().ip;
        let targets = format!("198.18.0.1-{last}");
        let scan = |port: &str, depth: &str| {
            let words = "scan --allow-reserved --ehlo-name scanner.example.com --keep all --progress never \
                         --resolver 127.0.0.1:1 --dns-timeout 50ms --prefix-rate unlimited --format jsonl -o -";
            let more = ["-p", port, "--probe", depth, &targets];
            let ran = run(&words.split_whitespace().chain(more).collect::<Vec<_>>()).ends(0);
            assert_lines(&ran.out)
        };
        // What is behind STARTTLS greets again in answer to EHLO; where TLS comes first, it has nothing more
        // to say.
        let records = [scan("465", "banner"), scan("25", "tls")].concat();
        assert_eq!(records.len(), setups.len() * 2);
        for setup in &setups {
            for record in records.iter().filter(|it| it["target"]["ip"] == setup.ip.to_string()) {
                assert_as_set_up(work, setup, record);
            }
        }
        drop(served);
    });
}

fn assert_as_set_up(work: &Path, setup: &Setup<'_>, record: &Value) {
    let (port, tls) = (&record["target"]["port"], &record["smtp"]["tls"]);
    let outcome = if *port == 465 { setup.outcome } else { "greeted" };
    let told = (record["outcome"].as_str().unwrap(), tls["status"].as_str(), tls["alert"].as_u64());
    assert_eq!(told, (outcome, Some(setup.status), setup.alert), "{} at {port}: {tls}", setup.name);
    // Where the server refuses us only after the handshake, its certificate has been seen.
    let is_shown =
        setup.status == "established" || setup.alert == Some(116) || setup.name.ends_with("tickets");
    let certificate = &tls["certificate"];
    assert_eq!(certificate.is_object(), is_shown, "{} at {port}: {tls}", setup.name);
    if is_shown && *port == 465 {
        let text = |field: &str| certificate[field].as_str().unwrap().to_owned();
        let names = certificate["names"].as_array().unwrap();
        let names: Vec<String> = names.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        let told = (text("sha256"), text("not_before"), text("not_after"), names);
        assert_eq!(told, setup.facts(work), "{}", setup.name);
        assert!(certificate["x509_error"].is_null() && tls["version"].is_string(), "{}: {tls}", setup.name);
    }
}
