//! The world that is scanned: 1024 hosts that all answer on port 25, and their DNS, from two small servers in the test
//! itself. Every host is one function of its address, so the truth about each is known. Knows nothing of the scan.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What is scanned.
pub(crate) const BLOCK: &str = "198.18.4.0/22";
/// Who is asked.
pub(crate) const RESOLVER: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// Hosts in the block.
pub(crate) const SIZE: u32 = 1024;
const FIRST: u32 = u32::from_be_bytes([198, 18, 4, 0]);
/// Conversations at once; each lasts a millisecond.
const LISTENERS: usize = 16;
/// A scan that was killed in mid-conversation leaves it behind.
const PATIENCE: Duration = Duration::from_secs(2);
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
            _ => Self::Sound,
        }
    }
}

/// Everything that is true of the block.
pub(crate) fn truths() -> BTreeMap<String, Truth> {
    let addresses = (0..SIZE).map(|offset| Ipv4Addr::from(FIRST + offset));
    addresses.map(|address| (address.to_string(), truth(address))).collect()
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
        Persona::Sound => greeted("match"),
    }
}

fn name(address: Ipv4Addr) -> String {
    let [_, _, c, d] = address.octets();
    format!("mx-{c}-{d}.example.cloud")
}

/// The running world; it ends with the test's process.
#[derive(Debug, Clone)]
pub(crate) struct World {
    accepted: Arc<(Mutex<u32>, Condvar)>,
}

impl World {
    pub(crate) fn start() -> Self {
        let world = Self { accepted: Arc::default() };
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 25)).unwrap();
        for _ in 0..LISTENERS {
            let (listener, world) = (listener.try_clone().unwrap(), world.clone());
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    world.count();
                    // The peer may be gone at any moment.
                    let _ = converse(stream);
                }
            });
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

    fn count(&self) {
        *self.accepted.0.lock().unwrap() += 1;
        self.accepted.1.notify_all();
    }

    /// Connections since the start.
    pub(crate) fn accepted(&self) -> u32 {
        *self.accepted.0.lock().unwrap()
    }

    /// Waits until that many connections were accepted since the start; a scan that ends before that fails the test.
    pub(crate) fn await_accepted(&self, wanted: u32, scan: &mut Child) {
        let (count, changed) = &*self.accepted;
        let mut accepted = count.lock().unwrap();
        while *accepted < wanted {
            let (held, pause) = changed.wait_timeout(accepted, LOOK).unwrap();
            accepted = held;
            if pause.timed_out() && scan.try_wait().unwrap().is_some() {
                let mut said = String::new();
                let _ = scan.stderr.take().map(|mut stderr| stderr.read_to_string(&mut said));
                panic!("the scan ended after {} of {wanted} connections, said: {said}", *accepted);
            }
        }
    }
}

fn converse(mut stream: TcpStream) -> std::io::Result<()> {
    let IpAddr::V4(called) = stream.local_addr()?.ip() else { return Ok(()) };
    stream.set_read_timeout(Some(PATIENCE))?;
    let greeting = match Persona::of(called) {
        Persona::Closes => return Ok(()),
        Persona::Rejects => format!("554 {} denied\r\n", name(called)),
        Persona::OtherName => "220 mx.example.email ESMTP\r\n".to_owned(),
        _ => format!("220 {} ESMTP\r\n", name(called)),
    };
    stream.write_all(greeting.as_bytes())?;
    let mut said = [0; 512];
    // One command a read is all that a scanner sends here: QUIT.
    if stream.read(&mut said)? > 0 {
        stream.write_all(b"221 bye\r\n")?;
    }
    Ok(())
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
    // A response, authoritative, recursion desired and available; one question, and an SOA if the name is not there.
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
