//! The world that is scanned: hosts that all answer on port 25, and their DNS, from two small servers in the
//! test itself. Every host is one function of its address, so the truth about each is known. It also keeps an
//! eye on manners: who speaks before the greeting ends, and who holds two conversations with one address.
//! Knows nothing of the scan.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Child;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// A run of hosts that is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    first: u32,
    pub(crate) size: u32,
}

/// Most faults hit this one.
pub(crate) const SMALL: Block = Block { first: u32::from_be_bytes([198, 18, 4, 0]), size: SIZE };
/// So few that a scan of them can be hurt at each of its calls.
pub(crate) const TINY: Block = Block { size: 64, ..SMALL };
/// So many that a scan of them can be killed a hundred times.
pub(crate) const LARGE: Block = Block { first: u32::from_be_bytes([198, 18, 64, 0]), size: 20_000 };
/// Who is asked.
pub(crate) const RESOLVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// Hosts in the small block.
pub(crate) const SIZE: u32 = 1024;
/// Conversations at once; each lasts a millisecond.
const LISTENERS: usize = 16;
/// A scan that was killed in mid-conversation leaves it behind.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between the lines of a greeting: time for an impatient client to speak.
const PAUSE: Duration = Duration::from_millis(4);
/// Without a connection for this long, a look whether the scan still runs.
const LOOK: Duration = Duration::from_millis(200);

/// What a record of one host must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) outcome: &'static str,
    pub(crate) verdict: Option<&'static str>,
    pub(crate) banner_name: Option<String>,
}

/// How a host behaves: eight kinds in turn.
#[derive(Debug, Clone, Copy)]
enum Persona {
    Slow,
    NoPtr,
    Closes,
    Rejects,
    OtherName,
    Unconfirmed,
    Sound,
}

impl Persona {
    fn of(address: Ipv4Addr) -> Self {
        match address.octets()[3] & 7 {
            0 => Self::NoPtr,
            1 => Self::Closes,
            2 => Self::Rejects,
            3 => Self::OtherName,
            4 => Self::Unconfirmed,
            5 => Self::Slow,
            _ => Self::Sound,
        }
    }
}

/// Hosts that never end, where there are such.
pub(crate) const TARPITS: Block = Block { first: u32::from_be_bytes([198, 18, 32, 0]), size: 1000 };

impl Block {
    pub(crate) fn holds(self, ip: IpAddr) -> bool {
        let IpAddr::V4(ip) = ip else { return false };
        (self.first..self.first + self.size).contains(&u32::from(ip))
    }

    /// As a scan is told of it.
    pub(crate) fn targets(self) -> String {
        format!("{}-{}", Ipv4Addr::from(self.first), Ipv4Addr::from(self.first + self.size - 1))
    }

    /// Everything that is true of it.
    pub(crate) fn truths(self) -> BTreeMap<String, Truth> {
        let addresses = (0..self.size).map(|offset| Ipv4Addr::from(self.first + offset));
        addresses.map(|address| (address.to_string(), truth(address))).collect()
    }
}

fn truth(address: Ipv4Addr) -> Truth {
    let greeted =
        |verdict| Truth { outcome: "greeted", verdict: Some(verdict), banner_name: Some(name(address)) };
    match Persona::of(address) {
        Persona::NoPtr => greeted("no_ptr"),
        Persona::Closes => Truth { outcome: "closed", verdict: None, banner_name: None },
        Persona::Rejects => Truth { outcome: "rejected", ..greeted("match") },
        Persona::OtherName => Truth { banner_name: Some("mx.example.email".into()), ..greeted("mismatch") },
        Persona::Unconfirmed => greeted("unconfirmed"),
        Persona::Slow | Persona::Sound => greeted("match"),
    }
}

fn name(address: Ipv4Addr) -> String {
    let [_, _, c, d] = address.octets();
    format!("mx-{c}-{d}.example.cloud")
}

/// The running world; it ends with the test's process.
#[derive(Debug, Clone)]
pub(crate) struct World {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    /// Who takes the connections to tarpits.
    tarpits: Option<Sender<TcpStream>>,
}

/// What the servers saw.
#[derive(Debug, Default)]
struct Seen {
    accepted: u32,
    /// Conversations of each address under way.
    open: HashMap<IpAddr, u32>,
    /// Connections to an address that was spoken to already.
    crowded: u32,
    /// Clients that spoke before the greeting had ended.
    hasty: u32,
}

impl World {
    pub(crate) fn start() -> Self {
        Self::start_on(&[25], None)
    }

    /// With some hosts of another kind, whose connections go to somebody else.
    pub(crate) fn start_beside(tarpits: Sender<TcpStream>) -> Self {
        Self::start_on(&[25], Some(tarpits))
    }

    /// With hosts that listen on these ports.
    pub(crate) fn start_on(ports: &[u16], tarpits: Option<Sender<TcpStream>>) -> Self {
        let world = Self { seen: Arc::default(), tarpits };
        for &port in ports {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
            for _ in 0..LISTENERS {
                let (listener, world) = (listener.try_clone().unwrap(), world.clone());
                thread::spawn(move || {
                    for stream in listener.incoming().flatten() {
                        world.meet(stream);
                    }
                });
            }
        }
        let socket = UdpSocket::bind((RESOLVER, 53)).unwrap();
        thread::spawn(move || {
            let mut message = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut message) {
                if let Some(answer) = answer(&message[..length]) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        world
    }

    fn meet(&self, mut stream: TcpStream) {
        let Ok(called) = stream.local_addr().map(|called| called.ip()) else { return };
        if let (Some(tarpits), true) = (&self.tarpits, TARPITS.holds(called)) {
            let _ = tarpits.send(stream);
            return;
        }
        self.change(|seen| {
            seen.accepted += 1;
            let open = seen.open.entry(called).or_default();
            *open += 1;
            seen.crowded += u32::from(*open > 1);
        });
        // The peer may be gone at any moment.
        let hasty = converse(&mut stream).is_ok_and(|manners| manners == Manners::Hasty);
        // Before the stream is closed: the peer may be back at once.
        self.change(|seen| {
            seen.hasty += u32::from(hasty);
            let open = seen.open.entry(called).or_default();
            *open -= 1;
            if *open == 0 {
                seen.open.remove(&called);
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.0.lock().unwrap());
        self.seen.1.notify_all();
    }

    /// Connections since the start.
    pub(crate) fn accepted(&self) -> u32 {
        self.seen.0.lock().unwrap().accepted
    }

    /// Nobody spoke before a greeting had ended, and no address had two conversations at once.
    pub(crate) fn assert_polite(&self) {
        let seen = self.seen.0.lock().unwrap();
        assert_eq!((seen.hasty, seen.crowded), (0, 0), "hasty clients, crowded addresses");
    }

    /// Waits until that many connections were accepted since the start; a scan that ends before that fails
    /// the test.
    pub(crate) fn await_accepted(&self, wanted: u32, scan: &mut Child) {
        if !self.accepts_before_end(wanted, scan) {
            let mut said = String::new();
            let _ = scan.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
            panic!("the scan ended after {} of {wanted} connections, said: {said}", self.accepted());
        }
    }

    /// The same; whether they came before the scan's end.
    pub(crate) fn accepts_before_end(&self, wanted: u32, scan: &mut Child) -> bool {
        let (seen, changed) = &*self.seen;
        let mut seen = seen.lock().unwrap();
        while seen.accepted < wanted {
            let (held, pause) = changed.wait_timeout(seen, LOOK).unwrap();
            seen = held;
            if pause.timed_out() && seen.accepted < wanted && scan.try_wait().unwrap().is_some() {
                return false;
            }
        }
        true
    }
}

/// How a client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manners {
    /// It spoke before the greeting had ended.
    Hasty,
    Patient,
}

fn converse(stream: &mut TcpStream) -> std::io::Result<Manners> {
    let mut manners = Manners::Patient;
    let IpAddr::V4(called) = stream.local_addr()?.ip() else { return Ok(manners) };
    stream.set_read_timeout(Some(PATIENCE))?;
    let greeting = match Persona::of(called) {
        Persona::Closes => return Ok(manners),
        Persona::Rejects => format!("554 {} denied\r\n", name(called)),
        Persona::OtherName => "220 mx.example.email ESMTP\r\n".to_owned(),
        Persona::Slow => {
            stream.write_all(format!("220-{} ESMTP\r\n", name(called)).as_bytes())?;
            stream.set_read_timeout(Some(PAUSE))?;
            if stream.peek(&mut [0]).is_ok_and(|length| length > 0) {
                manners = Manners::Hasty;
            }
            stream.set_read_timeout(Some(PATIENCE))?;
            "220 at your service\r\n".to_owned()
        }
        _ => format!("220 {} ESMTP\r\n", name(called)),
    };
    stream.write_all(greeting.as_bytes())?;
    let mut said = [0; 512];
    // One command a read is all that a scanner sends here: QUIT.
    if stream.read(&mut said)? > 0 {
        stream.write_all(b"221 bye\r\n")?;
    }
    Ok(manners)
}

const TYPE_A: u16 = 1;
const TYPE_PTR: u16 = 12;

/// The answer to one question (RFC 1035 §4.1); none to what is no question.
fn answer(message: &[u8]) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    while *message.get(at)? != 0 {
        let length = usize::from(message[at]);
        labels.push(String::from_utf8_lossy(message.get(at + 1..=at + length)?).to_ascii_lowercase());
        at += length + 1;
    }
    let end = at + 5;
    let kind = u16::from_be_bytes([*message.get(at + 1)?, *message.get(at + 2)?]);
    let data = match kind {
        TYPE_PTR => ptr_name(&labels).map(|name| wire(&name)),
        TYPE_A => forward_address(&labels).map(|address| address.octets().to_vec()),
        _ => None,
    };
    let (code, answers) = if data.is_some() { (0, 1) } else { (3, 0) };
    let mut out = message.get(..2)?.to_vec();
    // A response, authoritative, recursion desired and available; one question, and an SOA if the name is not
    // there.
    out.extend_from_slice(&[0x85, 0x80 | code, 0, 1, 0, answers, 0, 1 - answers, 0, 0]);
    out.extend_from_slice(message.get(12..end)?);
    let (kind, data) = data.map_or_else(|| (6, soa()), |data| (kind, data));
    out.extend_from_slice(&[0xc0, 12]);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0, 1, 0, 0, 1, 44]);
    out.extend_from_slice(&u16::try_from(data.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&data);
    Some(out)
}

fn ptr_name(labels: &[String]) -> Option<String> {
    let octets: Vec<u8> = labels.iter().take(4).rev().filter_map(|label| label.parse().ok()).collect();
    let address = Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?);
    match Persona::of(address) {
        Persona::NoPtr => None,
        _ => Some(name(address)),
    }
}

fn forward_address(labels: &[String]) -> Option<Ipv4Addr> {
    let mut parts = labels.first()?.strip_prefix("mx-")?.split('-').map(str::parse::<u8>);
    let address = Ipv4Addr::new(198, 18, parts.next()?.ok()?, parts.next()?.ok()?);
    match Persona::of(address) {
        Persona::Unconfirmed => Some(Ipv4Addr::new(198, 18, 0, 98)),
        _ => Some(address),
    }
}

fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.');
    let mut out: Vec<u8> =
        labels.flat_map(|label| [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat()).collect();
    out.push(0);
    out
}

fn soa() -> Vec<u8> {
    let numbers = [1_u32, 3600, 600, 86400, 300].map(u32::to_be_bytes).concat();
    [wire("ns.example.cloud"), wire("hostmaster.example.cloud"), numbers].concat()
}
