//! DNS of the block: NSD with the zones, Unbound before it with a cache, and a question asked by hand.
//! Written without the crate, so that one does not vouch for itself.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::block::{FORWARD, HOSTS, Host, Reverse, address};
use super::support::server::{Server, servers};

/// NSD: answers for its zones alone, never by asking others.
pub(crate) const AUTHORITATIVE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// Unbound: asks NSD, and keeps what it heard.
pub(crate) const CACHING: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 54);
/// The name of NSD, at which each zone says that it is served.
const SERVER: &str = "ns.example.cloud";
/// Of every record, in seconds.
pub(crate) const TIME_TO_LIVE: u32 = 300;

pub(crate) const TYPE_A: u16 = 1;
pub(crate) const TYPE_SOA: u16 = 6;
pub(crate) const TYPE_PTR: u16 = 12;
pub(crate) const NOERROR: u8 = 0;
pub(crate) const SERVFAIL: u8 = 2;
pub(crate) const NXDOMAIN: u8 = 3;

const REVERSE_ZONE: &str = "18.198.in-addr.arpa";
const CLASSLESS_ZONE: &str = "0-31.1.18.198.in-addr.arpa";
/// NSD is told to serve it and has no file of it: every question ends in SERVFAIL.
const BROKEN_ZONE: &str = "example.systems";
pub(crate) const FORWARD_ZONES: [&str; 2] = ["example.cloud", "example.email"];
pub(crate) const ZONES: [&str; 5] =
    [REVERSE_ZONE, CLASSLESS_ZONE, FORWARD_ZONES[0], FORWARD_ZONES[1], BROKEN_ZONE];

/// Both servers, running.
#[derive(Debug)]
pub(crate) struct Dns {
    work: PathBuf,
    authoritative: Option<Server>,
    _caching: Server,
}

impl Dns {
    pub(crate) fn start(work: &Path) -> Self {
        let zones = work.join("zones");
        fs::create_dir(&zones).unwrap();
        for (zone, text) in zone_files() {
            fs::write(zones.join(zone), text).unwrap();
        }
        fs::write(work.join("nsd.conf"), nsd_settings(work)).unwrap();
        fs::write(work.join("unbound.conf"), unbound_settings(work)).unwrap();
        let authoritative = start_nsd(work);
        let mut caching = Server::start("unbound", work, &mut program("unbound", work, "unbound.conf"));
        caching.await_ready("an answer", || try_ask(CACHING, FORWARD_ZONES[0], TYPE_SOA).is_some());
        Self { work: work.to_owned(), authoritative: Some(authoritative), _caching: caching }
    }

    /// Puts one name in the place of another, in every zone file of NSD; Unbound keeps what it knows.
    pub(crate) fn replace(&mut self, old: &str, new: &str) {
        self.authoritative = None;
        for zone in ZONES.iter().filter(|zone| **zone != BROKEN_ZONE) {
            let file = self.work.join("zones").join(zone);
            let text = fs::read_to_string(&file).unwrap().replace(old, new);
            fs::write(&file, text).unwrap();
        }
        self.authoritative = Some(start_nsd(&self.work));
    }
}

fn start_nsd(work: &Path) -> Server {
    let mut server = Server::start("nsd", work, &mut program("nsd", work, "nsd.conf"));
    server.await_ready("an answer", || try_ask(AUTHORITATIVE, FORWARD_ZONES[0], TYPE_SOA).is_some());
    server
}

fn program(name: &str, work: &Path, settings: &str) -> Command {
    let tree = servers().join(name);
    let mut command = Command::new(tree.join("usr/sbin").join(name));
    command.env("LD_LIBRARY_PATH", tree.join("usr/lib/x86_64-linux-gnu"));
    command.arg("-d").arg("-c").arg(work.join(settings));
    command
}

fn nsd_settings(work: &Path) -> String {
    let work = work.display();
    let mut text = format!(
        "server:\n username: \"\"\n chroot: \"\"\n database: \"\"\n server-count: 1\n \
         ip-address: {AUTHORITATIVE}@53\n zonesdir: \"{work}/zones\"\n pidfile: \"{work}/nsd.pid\"\n \
         xfrdfile: \"{work}/xfrd.state\"\n zonelistfile: \"{work}/zone.list\"\n xfrdir: \"{work}\"\n\
         remote-control:\n control-enable: no\n"
    );
    for zone in ZONES {
        let _ = write!(text, "zone:\n name: {zone}\n zonefile: {zone}\n");
    }
    text
}

fn unbound_settings(work: &Path) -> String {
    let mut text = format!(
        "server:\n username: \"\"\n chroot: \"\"\n directory: \"{}\"\n pidfile: \"\"\n use-syslog: no\n \
         interface: {CACHING}@53\n access-control: 0.0.0.0/0 allow\n module-config: \"iterator\"\n \
         local-zone: \"{REVERSE_ZONE}.\" nodefault\n do-ip6: no\n num-threads: 1\n",
        work.display()
    );
    for zone in ZONES {
        let _ = write!(text, "stub-zone:\n name: \"{zone}\"\n stub-addr: {AUTHORITATIVE}\n");
    }
    text
}

/// Every zone that has a file, with its text.
fn zone_files() -> Vec<(&'static str, String)> {
    let mut reverse = head(REVERSE_ZONE);
    let mut classless = head(CLASSLESS_ZONE);
    for Host { last, reverse: published, .. } in &HOSTS {
        let _ = match published {
            Reverse::Absent => Ok(()),
            // A name below it makes it exist.
            Reverse::NoData => writeln!(reverse, "below.{last}.1 TXT \"x\""),
            Reverse::Names(names) => {
                names.iter().try_for_each(|name| writeln!(reverse, "{last}.1 PTR {name}."))
            }
            Reverse::Classless(name) => writeln!(reverse, "{last}.1 CNAME {last}.{CLASSLESS_ZONE}.")
                .and_then(|()| writeln!(classless, "{last} PTR {name}.")),
        };
    }
    let mut files = vec![(REVERSE_ZONE, reverse), (CLASSLESS_ZONE, classless)];
    for zone in FORWARD_ZONES {
        let mut text = head(zone);
        if SERVER.ends_with(zone) {
            let _ = writeln!(text, "{SERVER}. A {AUTHORITATIVE}");
        }
        for (name, last) in FORWARD.iter().filter(|(name, _)| name.ends_with(zone)) {
            let _ = writeln!(text, "{name}. A {}", address(*last));
        }
        files.push((zone, text));
    }
    files
}

fn head(zone: &str) -> String {
    format!(
        "$ORIGIN {zone}.\n$TTL {TIME_TO_LIVE}\n@ SOA {SERVER}. hostmaster.example.cloud. 1 3600 600 86400 300\n\
         @ NS {SERVER}.\n"
    )
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u8,
    /// Records in the answer section, CNAMEs included.
    pub(crate) answers: u16,
    /// Records in the authority section.
    pub(crate) authority: u16,
    /// Targets of PTR records.
    pub(crate) names: Vec<String>,
    pub(crate) addresses: Vec<Ipv4Addr>,
    /// Of the last record, in seconds.
    pub(crate) time_to_live: u32,
}

/// Asks one question over UDP.
pub(crate) fn ask(server: Ipv4Addr, name: &str, kind: u16) -> Answer {
    try_ask(server, name, kind).unwrap_or_else(|| panic!("{server} is silent to {name}"))
}

/// The same; `None` if nothing comes back.
pub(crate) fn try_ask(server: Ipv4Addr, name: &str, kind: u16) -> Option<Answer> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket.connect((server, 53)).unwrap();
    let mut question = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(u8::try_from(label.len()).unwrap());
        question.extend_from_slice(label.as_bytes());
    }
    question.extend_from_slice(&[0, kind.to_be_bytes()[0], kind.to_be_bytes()[1], 0, 1]);
    socket.send(&question).ok()?;
    let mut message = [0; 1500];
    let length = socket.recv(&mut message).ok()?;
    Some(read_answer(&message[..length], question.len()))
}

/// Reads the message behind its question, which takes up as many bytes as it was asked with.
fn read_answer(message: &[u8], mut at: usize) -> Answer {
    let short = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let (answers, authority) = (short(6), short(8));
    let (mut names, mut addresses, mut time_to_live) = (Vec::new(), Vec::new(), 0);
    for _ in 0..answers {
        at = read_name(message, at).1;
        let (kind, length) = (short(at), usize::from(short(at + 8)));
        time_to_live = u32::from(short(at + 4)) << 16 | u32::from(short(at + 6));
        at += 10;
        match kind {
            TYPE_A => {
                addresses.push(Ipv4Addr::new(message[at], message[at + 1], message[at + 2], message[at + 3]));
            }
            TYPE_PTR => names.push(read_name(message, at).0),
            _ => {}
        }
        at += length;
    }
    Answer { code: message[3] & 15, answers, authority, names, addresses, time_to_live }
}

/// A name and the index behind it; pointers are followed (RFC 1035 §4.1.4).
fn read_name(message: &[u8], mut at: usize) -> (String, usize) {
    let (mut labels, mut end) = (Vec::new(), None);
    while message[at] != 0 {
        let length = usize::from(message[at]);
        if length < 64 {
            labels.push(String::from_utf8_lossy(&message[at + 1..=at + length]).into_owned());
            at += length + 1;
        } else {
            end.get_or_insert(at + 2);
            at = (length & 63) << 8 | usize::from(message[at + 1]);
        }
    }
    (labels.join("."), end.unwrap_or(at + 1))
}
