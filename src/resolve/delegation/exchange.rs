//! Single questions to servers that are named one by one, over UDP, and over TCP what does not fit: a thread
//! for each, since there are few. Knows no zone.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::resolve::question::Question;
use crate::resolve::wire::{self, Edns, Sections};

/// How long each packet of a question is waited for, and whether it offers EDNS: a lost one is sent again,
/// the last one goes without, for servers that drop what they do not understand.
const WAITS: [(Duration, Edns); 3] = [
    (Duration::from_millis(800), Edns::Offered),
    (Duration::from_millis(1200), Edns::Offered),
    (Duration::from_millis(1500), Edns::Plain),
];
/// The octet of a query that says whether recursion is desired, and the bit (RFC 1035 §4.1.1).
const RECURSION: (usize, u8) = (2, 0x01);
/// The octet that says whether checking is disabled, and the bit (RFC 4035 §3.2.2).
const CHECKING_DISABLED: (usize, u8) = (3, 0x10);
/// The octet of a query that asks whether signatures were checked, and the bit (RFC 6840 §5.7).
const CHECKED: (usize, u8) = (3, 0x20);
/// The largest answer over UDP that anybody sends to who offers less.
const ROOM: usize = 4096;

/// How a question is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// To a server of a zone: what it knows itself.
    Authority,
    /// To a resolver: whatever it takes to answer.
    Recursive,
    /// To a resolver that validates: the same, without a look at signatures.
    Unchecked,
}

/// One question to one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The server.
    pub at: SocketAddr,
    /// The question.
    pub question: Question,
    /// How it is put.
    pub manner: Manner,
}

/// Why a server gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// Nothing came back in time.
    Silent,
    /// Its machine says that no DNS server listens there.
    Closed,
    /// This machine has no way there.
    NoWay,
    /// The time for all questions was over before.
    OutOfTime,
}

/// What came back.
pub type Reply = Result<Sections, NoReply>;

/// Puts questions to servers.
pub trait Exchange {
    /// Puts all of them at once, and gives what came back, in their order. Ends early once a reply is
    /// `enough`; those that had not come by then are `None`.
    fn put(&self, asks: &[Ask], enough: &dyn Fn(usize, &Reply) -> bool) -> Vec<Option<Reply>>;
}

/// Asks over the network.
#[derive(Debug, Clone, Copy)]
pub struct Network {
    /// When all must be over.
    pub until: Instant,
}

impl Exchange for Network {
    fn put(&self, asks: &[Ask], enough: &dyn Fn(usize, &Reply) -> bool) -> Vec<Option<Reply>> {
        let (sender, replies) = mpsc::channel();
        for (place, ask) in asks.iter().enumerate() {
            let (ask, sender, until) = (ask.clone(), sender.clone(), self.until);
            let put = move || {
                // Nobody is left to tell once enough was said.
                sender.send((place, put_one(&ask, until))).ok();
            };
            // Without a thread the reply never comes, as from a server that is silent.
            thread::Builder::new().name("authority".to_owned()).spawn(put).ok();
        }
        drop(sender);
        let mut all: Vec<Option<Reply>> = vec![None; asks.len()];
        while let Ok((place, reply)) = replies.recv() {
            let is_enough = enough(place, &reply);
            if let Some(slot) = all.get_mut(place) {
                *slot = Some(reply);
            }
            if is_enough {
                return all;
            }
        }
        all.into_iter().map(|reply| reply.or(Some(Err(NoReply::Silent)))).collect()
    }
}

fn put_one(ask: &Ask, until: Instant) -> Reply {
    let unspecified = match ask.at.ip() {
        IpAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((unspecified, 0)).map_err(|_| NoReply::NoWay)?;
    socket.connect(ask.at).map_err(|_| NoReply::NoWay)?;
    let mut no_reply = NoReply::OutOfTime;
    let mut without_edns = false;
    for (wait, edns) in WAITS {
        let edns = if without_edns { Edns::Plain } else { edns };
        let gives_up = until.min(Instant::now() + wait);
        if gives_up <= Instant::now() {
            return Err(no_reply);
        }
        match put_datagram(&socket, ask, edns, gives_up) {
            Ok(sections) if sections.is_truncated => {
                return put_stream(ask, until.min(Instant::now() + wait)).ok_or(NoReply::Silent);
            }
            // FORMERR and NOTIMP: it does not understand EDNS (RFC 6891 §7).
            Ok(sections) if matches!(sections.code, 1 | 4) && edns == Edns::Offered => without_edns = true,
            Ok(sections) => return Ok(sections),
            Err(NoReply::NoWay) => return Err(NoReply::NoWay),
            Err(other) => no_reply = other,
        }
    }
    Err(no_reply)
}

fn query(ask: &Ask, id: u16, edns: Edns) -> Vec<u8> {
    let mut query = Vec::new();
    wire::write_query(&mut query, id, &ask.question.name, ask.question.kind, edns);
    let mut set = |(octet, bit): (usize, u8), is_set: bool| {
        if let Some(flags) = query.get_mut(octet) {
            *flags = if is_set { *flags | bit } else { *flags & !bit };
        }
    };
    set(RECURSION, ask.manner != Manner::Authority);
    set(CHECKING_DISABLED, ask.manner == Manner::Unchecked);
    set(CHECKED, ask.manner == Manner::Recursive);
    query
}

/// One packet, and what comes back until then; answers to something else are passed over.
fn put_datagram(socket: &UdpSocket, ask: &Ask, edns: Edns, until: Instant) -> Reply {
    let id = rand::random();
    socket.send(&query(ask, id, edns)).map_err(|error| kind_of(&error))?;
    let mut room = [0; ROOM];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || socket.set_read_timeout(Some(left)).is_err() {
            return Err(NoReply::Silent);
        }
        let length = socket.recv(&mut room).map_err(|error| kind_of(&error))?;
        let message = room.get(..length).unwrap_or_default();
        if let Some(sections) = taken(ask, message, id) {
            return Ok(sections);
        }
    }
}

fn taken(ask: &Ask, message: &[u8], id: u16) -> Option<Sections> {
    let is_ours = wire::answer_id(message)? == id;
    is_ours.then(|| wire::sections(message, &ask.question.name, ask.question.kind)).flatten()
}

fn kind_of(error: &io::Error) -> NoReply {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => NoReply::Closed,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::AddrNotAvailable => NoReply::NoWay,
        _ => NoReply::Silent,
    }
}

/// The same over TCP, each message behind its length (RFC 1035 §4.2.2).
fn put_stream(ask: &Ask, until: Instant) -> Option<Sections> {
    let left = || Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero());
    let mut stream = TcpStream::connect_timeout(&ask.at, left()?).ok()?;
    stream.set_write_timeout(left()).ok()?;
    let id = rand::random();
    let query = query(ask, id, Edns::Offered);
    let length = u16::try_from(query.len()).ok()?.to_be_bytes();
    stream.write_all(&[&length[..], &query].concat()).ok()?;
    let mut length = [0; 2];
    stream.set_read_timeout(Some(left()?)).ok()?;
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.set_read_timeout(Some(left()?)).ok()?;
    stream.read_exact(&mut message).ok()?;
    taken(ask, &message, id)
}
