//! A zone of as many names as one likes, served by NSD, and what a right resolution of each is. The zone is
//! text that NSD reads; the truth is told in texts, too, so that the crate's own reading of names does not
//! vouch for itself.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use banneret::evidence::resolution::MAX_PTR_NAMES;
use banneret::evidence::{Forward, Resolution, Status};

use super::server::{Server, servers};

const REVERSE_ZONE: &str = "10.in-addr.arpa";
const FORWARD_ZONE: &str = "example.net";
/// PTR names of a host that has more of them than a datagram holds.
const LARGE: u32 = 100;
/// One host in so many has.
const LARGE_EVERY: u32 = 2000;

/// The address of a host by its number; only its name is ever used.
pub fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from_be_bytes([10, 0, 0, 0]) + number)
}

/// What the reverse zone holds of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Nothing.
    Absent,
    /// The name, without a PTR record.
    NoData,
    /// A name that leads back.
    Plain,
    /// Two names that lead back.
    Two,
    /// An alias of a name with a PTR record (RFC 2317).
    Alias,
    /// A name that does not exist.
    Gone,
    /// A name that leads elsewhere.
    Elsewhere,
    /// A name with four addresses, the host's among them.
    Many,
    /// A name of octets that no host name has.
    Odd,
    /// More names than fit a datagram, none of which exists.
    Large,
}

impl Sort {
    pub fn of(number: u32) -> Self {
        match number % 20 {
            0..=2 => Self::Absent,
            3 => Self::NoData,
            4 => Self::Two,
            5 => Self::Alias,
            6 => Self::Gone,
            7 => Self::Elsewhere,
            8 => Self::Many,
            9 => Self::Odd,
            10 if number % LARGE_EVERY == 10 => Self::Large,
            _ => Self::Plain,
        }
    }
}

/// The PTR names of a host, as RFC 1035 §5.1 writes them.
pub fn names(number: u32) -> Vec<String> {
    let [_, b, c, d] = address(number).octets();
    let plain = if number.is_multiple_of(2) {
        format!("mail.c{number}.{FORWARD_ZONE}")
    } else {
        format!("10-{b}-{c}-{d}.static.{FORWARD_ZONE}")
    };
    match Sort::of(number) {
        Sort::Absent | Sort::NoData => Vec::new(),
        Sort::Two => vec![plain, format!("second.c{number}.{FORWARD_ZONE}")],
        Sort::Odd => vec![format!(r"x\000\255\032y{number}.{FORWARD_ZONE}")],
        Sort::Large => (0..LARGE).map(|nth| format!("n{nth}.gone.c{number}.{FORWARD_ZONE}")).collect(),
        _ => vec![plain],
    }
}

/// The addresses of each PTR name of a host.
pub fn forward(number: u32) -> Vec<Ipv4Addr> {
    let own = address(number);
    let [_, b, c, d] = own.octets();
    match Sort::of(number) {
        Sort::Absent | Sort::NoData | Sort::Gone | Sort::Large => Vec::new(),
        Sort::Elsewhere => vec![Ipv4Addr::new(192, 0, 2, d)],
        Sort::Many => [11, 12, 13].map(|a| Ipv4Addr::new(a, b, c, d)).into_iter().chain([own]).collect(),
        _ => vec![own],
    }
}

/// How hosts came out.
#[derive(Debug, Default)]
pub struct Count {
    /// Questions, PTR and forward.
    pub questions: usize,
    /// Of these, given up without any answer.
    pub timed_out: usize,
    /// Packets that the questions took.
    pub packets: u64,
    /// Answers that are not the zone's, told.
    pub wrong: Vec<String>,
}

impl Count {
    /// How many questions may end without an answer where one packet in twenty is lost: 5 in 100,000. All
    /// four packets of a question are lost once in 160,000 times.
    pub fn may_be_lost(&self) -> usize {
        (self.questions * 5).div_ceil(100_000)
    }

    /// Holds a resolution against the zone.
    pub fn add(&mut self, number: u32, told: &Resolution) {
        let truth = names(number);
        let ptr = match Sort::of(number) {
            Sort::Absent => Status::NxDomain,
            Sort::NoData => Status::NoData,
            _ => Status::Found,
        };
        self.questions += 1 + told.names.len();
        if told.ptr == Status::TimedOut {
            self.timed_out += 1;
            return;
        }
        let written: BTreeSet<String> = told.names.iter().map(|ptr| ptr.name.to_string()).collect();
        let known: BTreeSet<String> = truth.iter().cloned().collect();
        let right = told.ptr == ptr
            && told.ptr_count as usize == truth.len()
            && written.len() == truth.len().min(MAX_PTR_NAMES)
            && written.is_subset(&known);
        if !right {
            self.wrong.push(format!("{}: {told:?}", address(number)));
            return;
        }
        for ptr in &told.names {
            match ptr.forward.status {
                Status::TimedOut => self.timed_out += 1,
                _ if is_right(number, &ptr.forward) => {}
                _ => self.wrong.push(format!("{}: {ptr:?}", address(number))),
            }
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, packets, timed_out, wrong } = self;
        write!(f, "{questions} questions, {packets} packets: wrong {}, timed out {timed_out}", wrong.len())
    }
}

fn is_right(number: u32, told: &Forward) -> bool {
    let mut found = told.addresses.clone();
    found.sort_unstable();
    let mut truth: Vec<IpAddr> = forward(number).into_iter().map(IpAddr::V4).collect();
    truth.sort_unstable();
    let status = if truth.is_empty() { Status::NxDomain } else { Status::Found };
    told.status == status && found == truth
}

/// NSD with the zones of so many hosts. It ends with this program, however that ends.
pub fn serve(work: &Path, at: &[SocketAddrV4], hosts: u32) -> Server {
    let (reverse, forward) = zones(hosts);
    fs::write(work.join(REVERSE_ZONE), reverse).unwrap();
    fs::write(work.join(FORWARD_ZONE), forward).unwrap();
    let settings = work.join("nsd.conf");
    fs::write(&settings, nsd_settings(work, at)).unwrap();
    let tree = servers().join("nsd");
    let program = tree.join("usr/sbin/nsd");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command.env("LD_LIBRARY_PATH", tree.join("usr/lib/x86_64-linux-gnu"));
    command.arg("-d").arg("-c").arg(settings);
    let mut server = Server::start("nsd", work, &mut command);
    server.await_ready("an answer", || at.iter().all(|&at| answers(at)));
    server
}

/// No limit on answers to one client, and buffers for bursts of them.
fn nsd_settings(work: &Path, at: &[SocketAddrV4]) -> String {
    let work = work.display();
    let mut text = format!(
        "server:\n username: \"\"\n chroot: \"\"\n database: \"\"\n server-count: 1\n \
         zonesdir: \"{work}\"\n pidfile: \"{work}/nsd.pid\"\n xfrdfile: \"{work}/xfrd.state\"\n \
         zonelistfile: \"{work}/zone.list\"\n xfrdir: \"{work}\"\n rrl-ratelimit: 0\n rrl-whitelist-ratelimit: 0\n \
         minimal-responses: yes\n receive-buffer-size: 16777216\n send-buffer-size: 16777216\n tcp-count: 200\n\
         "
    );
    for at in at {
        let _ = writeln!(text, " ip-address: {}@{}", at.ip(), at.port());
    }
    text.push_str("remote-control:\n control-enable: no\n");
    for zone in [REVERSE_ZONE, FORWARD_ZONE] {
        let _ = write!(text, "zone:\n name: {zone}\n zonefile: {zone}\n");
    }
    text
}

fn zones(hosts: u32) -> (String, String) {
    let head = |zone| {
        format!(
            "$ORIGIN {zone}.\n$TTL 300\n@ SOA ns.{FORWARD_ZONE}. hostmaster.{FORWARD_ZONE}. 1 3600 600 86400 300\n\
             @ NS ns.{FORWARD_ZONE}.\n"
        )
    };
    let (mut reverse, mut ahead) = (head(REVERSE_ZONE), head(FORWARD_ZONE));
    for number in 0..hosts {
        let [_, b, c, d] = address(number).octets();
        let owner = format!("{d}.{c}.{b}");
        let owner = match Sort::of(number) {
            Sort::NoData => {
                let _ = writeln!(reverse, "{owner} TXT \"x\"");
                continue;
            }
            Sort::Alias => {
                let _ = writeln!(reverse, "{owner} CNAME {d}.classless.{c}.{b}");
                format!("{d}.classless.{c}.{b}")
            }
            _ => owner,
        };
        for name in names(number) {
            let _ = writeln!(reverse, "{owner} PTR {name}.");
            for ip in forward(number) {
                let _ = writeln!(ahead, "{name}. A {ip}");
            }
        }
    }
    (reverse, ahead)
}

/// Whether a question for the SOA of the forward zone, the one read last, is answered without an error.
fn answers(at: SocketAddrV4) -> bool {
    let question = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x07example\x03net\0\0\x06\0\x01";
    let asked = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        socket.connect(at)?;
        socket.send(question)?;
        let mut answer = [0; 512];
        socket.recv(&mut answer)?;
        Ok(answer[3] % 16 == 0)
    });
    asked.unwrap_or(false)
}
