//! A small Internet: a root, the zones below it at servers of their own, and a resolver that begins at that
//! root and checks signatures. NSD serves the zones, Knot the signed one, Unbound resolves. Every zone has
//! two states, before a change and after it; the resolver keeps what it learnt before.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dns::{self, TYPE_PTR};
use super::support::server::{Server, servers};

/// The resolver.
pub(crate) const RESOLVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// The same one with conclusions from signed denials (RFC 8198).
pub(crate) const AGGRESSIVE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 52);
/// Of every record that says nothing else, in seconds.
pub(crate) const TIME_TO_LIVE: u32 = 600;
/// Of delegations, in seconds.
pub(crate) const DELEGATION: u32 = 900;
/// Of absences, in seconds.
pub(crate) const ABSENCE: u32 = 300;
/// Who serves: a name, and the last octets of its addresses in 198.18.0.0/24. The first address of each is
/// that of `ns.NAME.example`; all of them have names as `ns21.example`.
const OPERATORS: [(&str, &[u8]); 7] = [
    ("root", &[1]),
    ("rir", &[6]),
    ("host", &[2, 21, 22, 23, 24, 25]),
    ("customer", &[3]),
    ("old", &[4]),
    ("new", &[5]),
    ("stale", &[26]),
];
/// Knot, which signs.
const SIGNER: u8 = 8;
/// The signed zones, each with its records.
const SIGNED: [(&str, &str); 2] = [
    ("8.18.198.in-addr.arpa", "10 PTR mail.s8.example.\n11 PTR second.s8.example.\n"),
    ("16.18.198.in-addr.arpa", "10 PTR mail.s16.example.\n"),
];
/// Takes packets, and answers none.
const SILENT: u8 = 98;

/// Which state the zones are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Before,
    After,
}
use State::{After, Before};

/// A zone at one operator: its servers by the last octets of their addresses, and its records before and
/// after.
type Zone = (&'static str, &'static str, &'static [u8], &'static str, &'static str);

#[rustfmt::skip]
const ZONES: [Zone; 30] = [
    ("root", "example", &[1], FORWARD, FORWARD),
    ("rir", "18.198.in-addr.arpa", &[6], REVERSE_BEFORE, REVERSE_AFTER),
    // Plain.
    ("host", "1.18.198.in-addr.arpa", &[2], "10 PTR old.s1.example.", "10 PTR mail.s1.example."),
    ("host", "s1.example", &[2], "mail A 198.18.1.10\nold A 198.18.1.11", "mail A 198.18.1.10\nold A 198.18.1.11"),
    // RFC 2317: an alias into a zone of the customer's.
    ("host", "2.18.198.in-addr.arpa", &[2], "10 CNAME 10.0-31\n0-31 NS ns3.example.", "10 CNAME 10.0-31\n0-31 NS ns3.example."),
    ("customer", "0-31.2.18.198.in-addr.arpa", &[3], "10 PTR old.s2.example.", "10 PTR mail.s2.example."),
    ("host", "s2.example", &[2], "mail A 198.18.2.10\nold A 198.18.2.11", "mail A 198.18.2.10\nold A 198.18.2.11"),
    // DNAME: all of the reverse zone in a zone of the customer's.
    ("host", "3.18.198.in-addr.arpa", &[2], "@ DNAME rev.s3.example.", "@ DNAME rev.s3.example."),
    ("customer", "rev.s3.example", &[3], "10 PTR old.s3.example.", "10 PTR mail.s3.example."),
    ("host", "s3.example", &[2], "mail A 198.18.3.10\nold A 198.18.3.11\nrev NS ns3.example.", "mail A 198.18.3.10\nold A 198.18.3.11\nrev NS ns3.example."),
    // Moved to another provider; the old one serves on what it had.
    ("old", "4.18.198.in-addr.arpa", &[4], "10 300 PTR old.s4.example.", "10 300 PTR old.s4.example."),
    ("new", "4.18.198.in-addr.arpa", &[5], "10 PTR mail.s4.example.", "10 PTR mail.s4.example."),
    ("host", "s4.example", &[2], "mail A 198.18.4.10\nold A 198.18.4.11", "mail A 198.18.4.10\nold A 198.18.4.11"),
    // The wrong box.
    ("host", "5.18.198.in-addr.arpa", &[2], "10 PTR mail.s5.example.\n11 PTR other.s5.example.", "10 PTR mail.s5.example.\n11 PTR other.s5.example.\n20 PTR mail.s5.example."),
    ("host", "s5.example", &[2], "mail A 198.18.5.10\nother A 198.18.5.11", "mail A 198.18.5.11\nother A 198.18.5.11"),
    // Six servers, of which one misses the change.
    ("host", "6.18.198.in-addr.arpa", &[2, 21, 22, 23, 24, 26], "10 PTR old.s6.example.", "10 PTR mail.s6.example."),
    ("stale", "6.18.198.in-addr.arpa", &[2, 21, 22, 23, 24, 26], "10 PTR old.s6.example.", "10 PTR old.s6.example."),
    ("host", "s6.example", &[2], "mail A 198.18.6.10\nold A 198.18.6.11", "mail A 198.18.6.10\nold A 198.18.6.11"),
    // Nothing before.
    ("host", "7.18.198.in-addr.arpa", &[2], "", "10 PTR mail.s7.example."),
    ("host", "s7.example", &[2], "mail A 198.18.7.10", "mail A 198.18.7.10\nnew A 198.18.7.11"),
    ("host", "s8.example", &[2], "mail A 198.18.8.10\nsecond A 198.18.8.11", "mail A 198.18.8.10\nsecond A 198.18.8.11"),
    ("host", "s16.example", &[2], "mail A 198.18.16.10", "mail A 198.18.16.10"),
    // Its mail exchangers are in a zone that its server refuses, and nowhere.
    ("host", "s17.example", &[2], MX, MX),
    // Two of three servers are not there.
    ("host", "11.18.198.in-addr.arpa", &[2, 97, 98], "10 PTR mail.s11.example.", "10 PTR mail.s11.example."),
    ("host", "s11.example", &[2], "mail A 198.18.11.10", "mail A 198.18.11.10"),
    // An alias into a zone that its server refuses.
    ("host", "14.18.198.in-addr.arpa", &[2], "10 CNAME 10.0-31\n0-31 NS ns3.example.", "10 CNAME 10.0-31\n0-31 NS ns3.example."),
    // Sound, and nothing changes.
    ("host", "15.18.198.in-addr.arpa", &[2, 3], "10 PTR mail.s15.example.", "10 PTR mail.s15.example."),
    ("customer", "15.18.198.in-addr.arpa", &[2, 3], "10 PTR mail.s15.example.", "10 PTR mail.s15.example."),
    ("host", "s15.example", &[2], "mail A 198.18.15.10", "mail A 198.18.15.10"),
    // NSD is told to serve it, and has no file of it.
    ("customer", "12.18.198.in-addr.arpa", &[3], BROKEN, BROKEN),
];
const MX: &str = "@ MX 10 nowhere\n@ MX 20 mx.s18.example.\nnone MX 10 nowhere";
/// Stands for a zone whose file is missing.
const BROKEN: &str = "broken";

/// The zones of the hosts, all at one operator.
const FORWARD: &str = "
s1 NS ns2\ns2 NS ns2\ns3 NS ns2\ns4 NS ns2\ns5 NS ns2\ns6 NS ns2\ns7 NS ns2\ns8 NS ns2\ns11 NS ns2\ns15 NS ns2\ns16 NS ns2
s17 NS ns2\ns18 NS ns3
";
/// Below the registry: 9 is delegated to who refuses it, 10 to an address where nobody listens, 12 to who
/// fails, 13 to who is silent.
const REVERSE: &str = "
1 NS ns2.example.\n2 NS ns2.example.\n3 NS ns2.example.\n5 NS ns2.example.
6 NS ns2.example.\n6 NS ns21.example.\n6 NS ns22.example.\n6 NS ns23.example.\n6 NS ns24.example.\n6 NS ns26.example.
7 NS ns2.example.\n8 NS ns8.example.
9 NS ns3.example.\n10 NS ns97.example.\n11 NS ns2.example.\n11 NS ns97.example.\n11 NS ns98.example.
12 NS ns3.example.\n13 NS ns98.example.\n14 NS ns2.example.\n15 NS ns2.example.\n15 NS ns3.example.\n16 NS ns8.example.
";
const REVERSE_BEFORE: &str = "4 NS ns4.example.";
const REVERSE_AFTER: &str = "4 NS ns5.example.";

/// All servers, running.
#[derive(Debug)]
pub(crate) struct Internet {
    work: PathBuf,
    operators: Vec<Server>,
    signer: Option<Server>,
    _resolver: Server,
    _silent: UdpSocket,
}

impl Internet {
    /// Starts it as it is before the changes.
    pub(crate) fn start(work: &Path) -> Self {
        let anchors = make_keys(work);
        fs::write(work.join("unbound.conf"), resolver_settings(work, &anchors)).unwrap();
        let root = format!(". {TIME_TO_LIVE} NS ns1.example.\nns1.example. {TIME_TO_LIVE} A 198.18.0.1\n");
        fs::write(work.join("root.hints"), root).unwrap();
        let silent = UdpSocket::bind((Ipv4Addr::new(198, 18, 0, SILENT), 53)).unwrap();
        let operators = start_operators(work, Before);
        let signer = Some(start_signer(work));
        let mut resolver =
            Server::start("unbound", work, &mut program("unbound", "unbound", work, "unbound.conf"));
        resolver.await_ready("an answer", || answers(RESOLVER, "10.15.18.198.in-addr.arpa"));
        Self { work: work.to_owned(), operators, signer, _resolver: resolver, _silent: silent }
    }

    /// Starts a second resolver, which concludes from signed denials what does not exist.
    pub(crate) fn start_aggressive(&self) -> Server {
        let plain = fs::read_to_string(self.work.join("unbound.conf")).unwrap();
        let moved = plain.replace(&RESOLVER.to_string(), &AGGRESSIVE.to_string());
        let settings = "aggressive.conf";
        fs::write(self.work.join(settings), moved + " aggressive-nsec: yes\n").unwrap();
        let mut command = program("unbound", "unbound", &self.work, settings);
        let mut server = Server::start("unbound-aggressive", &self.work, &mut command);
        server.await_ready("an answer", || answers(AGGRESSIVE, "10.15.18.198.in-addr.arpa"));
        server
    }

    /// The server of the signed zones goes away.
    pub(crate) fn stop_signer(&mut self) {
        self.signer = None;
    }

    /// Makes all changes at once; the resolver is not told.
    pub(crate) fn change(&mut self) {
        self.operators.clear();
        self.operators = start_operators(&self.work, After);
        // The signed zone loses its keys, and is signed with others, which the resolver's anchor does not
        // hold.
        self.signer = None;
        fs::remove_dir_all(self.work.join("keys")).unwrap();
        make_keys(&self.work);
        self.signer = Some(start_signer(&self.work));
    }
}

fn answers(server: Ipv4Addr, name: &str) -> bool {
    dns::try_ask(server, name, TYPE_PTR).is_some_and(|answer| answer.code == dns::NOERROR)
}

fn start_operators(work: &Path, state: State) -> Vec<Server> {
    let start = |(operator, addresses): &(&str, &[u8])| {
        let home = work.join(operator);
        fs::create_dir_all(&home).unwrap();
        fs::write(home.join("nsd.conf"), operator_settings(&home, operator, addresses)).unwrap();
        for (_, zone, servers, before, after) in ZONES.iter().filter(|(at, ..)| at == operator) {
            let records = if state == Before { before } else { after };
            if *records != BROKEN {
                fs::write(home.join(zone), zone_file(zone, servers, records)).unwrap();
            }
        }
        if *operator == "root" {
            fs::write(home.join("root"), root_zone()).unwrap();
        }
        let mut server =
            Server::start(&format!("nsd-{operator}"), work, &mut program("nsd", "nsd", &home, "nsd.conf"));
        let first = Ipv4Addr::new(198, 18, 0, addresses[0]);
        server.await_ready("an answer", || dns::try_ask(first, "example", TYPE_PTR).is_some());
        server
    };
    OPERATORS.iter().map(start).collect()
}

fn program(tree: &str, name: &str, home: &Path, settings: &str) -> Command {
    let tree = servers().join(tree);
    let mut command = Command::new(tree.join("usr/sbin").join(name));
    command.env("LD_LIBRARY_PATH", tree.join("usr/lib/x86_64-linux-gnu"));
    command.arg("-c").arg(home.join(settings));
    if name != "knotd" && name != "keymgr" {
        command.arg("-d");
    }
    command
}

fn operator_settings(home: &Path, operator: &str, addresses: &[u8]) -> String {
    let home = home.display();
    let mut text = format!(
        "server:\n username: \"\"\n chroot: \"\"\n database: \"\"\n server-count: 1\n zonesdir: \"{home}\"\n \
         pidfile: \"{home}/nsd.pid\"\n xfrdfile: \"{home}/xfrd.state\"\n zonelistfile: \"{home}/zone.list\"\n \
         xfrdir: \"{home}\"\n"
    );
    for last in addresses {
        let _ = writeln!(text, " ip-address: 198.18.0.{last}@53");
    }
    text.push_str("remote-control:\n control-enable: no\n");
    for (_, zone, ..) in ZONES.iter().filter(|(at, ..)| *at == operator) {
        let _ = write!(text, "zone:\n name: {zone}\n zonefile: {zone}\n");
    }
    if operator == "root" {
        text.push_str("zone:\n name: .\n zonefile: root\n");
    }
    text
}

fn resolver_settings(work: &Path, anchors: &[String]) -> String {
    let work = work.display();
    let anchors: Vec<String> =
        anchors.iter().map(|anchor| format!(" trust-anchor: \"{anchor}\"\n")).collect();
    let anchors = anchors.concat();
    format!(
        "server:\n username: \"\"\n chroot: \"\"\n directory: \"{work}\"\n pidfile: \"\"\n use-syslog: no\n \
         interface: {RESOLVER}@53\n access-control: 0.0.0.0/0 allow\n module-config: \"validator iterator\"\n \
         root-hints: \"{work}/root.hints\"\n{anchors} do-ip6: no\n num-threads: 1\n \
         local-zone: \"18.198.in-addr.arpa.\" nodefault\n ede: yes\n"
    )
}

fn head(zone: &str, servers: &[u8]) -> String {
    let mut text = format!(
        "$ORIGIN {zone}.\n$TTL {TIME_TO_LIVE}\n@ SOA ns1.example. hostmaster.example. 1 3600 600 86400 {ABSENCE}\n"
    );
    for last in servers {
        let _ = writeln!(text, "@ NS ns{last}.example.");
    }
    text
}

fn zone_file(zone: &str, servers: &[u8], records: &str) -> String {
    let mut text = head(zone, servers);
    let delegated = |line: &str| line.replacen(" NS ", &format!(" {DELEGATION} NS "), 1);
    let shared = if zone == "18.198.in-addr.arpa" { REVERSE } else { "" };
    for line in records.lines().chain(shared.lines()) {
        let _ = writeln!(text, "{}", delegated(line));
    }
    if zone == "example" {
        for last in OPERATORS.iter().flat_map(|(_, all)| *all).chain(&[SIGNER, 97, SILENT]) {
            let _ = writeln!(text, "ns{last} A 198.18.0.{last}");
        }
    }
    text
}

fn root_zone() -> String {
    head("", &[1])
        + "example. NS ns1.example.\nns1.example. A 198.18.0.1\n18.198.in-addr.arpa. NS ns6.example.\n\
           ns6.example. A 198.18.0.6\n"
}

/// Makes keys for the signed zones, and gives their DS records.
fn make_keys(work: &Path) -> Vec<String> {
    let keys = work.join("keys");
    fs::create_dir_all(&keys).unwrap();
    let (home, keys) = (work.display(), keys.display());
    let mut settings = format!(
        "server:\n    listen: 198.18.0.{SIGNER}@53\n    rundir: \"{home}\"\n    pidfile: \"{home}/knot.pid\"\n\
         database:\n    storage: \"{keys}\"\n\
         policy:\n  - id: own\n    manual: on\n    single-type-signing: on\n    algorithm: ecdsap256sha256\n\
         zone:\n"
    );
    for (zone, records) in SIGNED {
        let _ = write!(
            settings,
            "  - domain: {zone}\n    file: \"{home}/{zone}\"\n    journal-content: none\n    zonefile-sync: -1\n    \
             zonefile-load: whole\n    dnssec-signing: on\n    dnssec-policy: own\n"
        );
        fs::write(work.join(zone), head(zone, &[SIGNER]) + records).unwrap();
    }
    fs::write(work.join("knot.conf"), settings).unwrap();
    let keymgr = |zone: &str, words: &[&str]| {
        let mut command = program("knot", "keymgr", work, "knot.conf");
        let ran = command.arg(zone).args(words).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    };
    let ds = |(zone, _): &(&str, &str)| {
        keymgr(zone, &["generate", "algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes"]);
        let all = keymgr(zone, &["ds"]);
        all.lines().find(|line| line.contains(" 13 2 ")).unwrap().to_owned()
    };
    SIGNED.iter().map(ds).collect()
}

fn start_signer(work: &Path) -> Server {
    let mut server = Server::start("knot", work, &mut program("knot", "knotd", work, "knot.conf"));
    server
        .await_ready("an answer", || answers(Ipv4Addr::new(198, 18, 0, SIGNER), "10.8.18.198.in-addr.arpa"));
    server
}

/// What greets where: the name in the greeting of each address.
pub(crate) fn greetings() -> BTreeMap<Ipv4Addr, &'static str> {
    let of = |third: u8, last: u8, name| (Ipv4Addr::new(198, 18, third, last), name);
    BTreeMap::from([
        of(1, 10, "mail.s1.example"),
        of(2, 10, "mail.s2.example"),
        of(3, 10, "mail.s3.example"),
        of(4, 10, "mail.s4.example"),
        of(5, 10, "mail.s5.example"),
        of(5, 11, "other.s5.example"),
        of(5, 20, "mail.s5.example"),
        of(6, 10, "mail.s6.example"),
        of(7, 10, "mail.s7.example"),
        of(7, 11, "new.s7.example"),
        of(8, 10, "mail.s8.example"),
        of(8, 11, "second.s8.example"),
        of(9, 10, "mail.s1.example"),
        of(10, 10, "mail.s1.example"),
        of(11, 10, "mail.s11.example"),
        of(12, 10, "mail.s1.example"),
        of(13, 10, "mail.s1.example"),
        of(14, 10, "mail.s1.example"),
        of(15, 10, "mail.s15.example"),
        of(16, 10, "mail.s16.example"),
    ])
}
