//! A scripted DNS server on the loopback interface: replies are data, each packet is answered by the next
//! one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a fault of the test's own server ends the test")]
#![allow(clippy::struct_excessive_bools, reason = "the keys of a script")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde::Deserialize;

/// What one upstream does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    /// Replies to datagrams, in order, the last one again and again; none: silence. A TCP reply is `tcp`.
    #[serde(default)]
    pub(crate) udp: Vec<Reply>,
    /// The reply over TCP; none: nobody listens.
    pub(crate) tcp: Option<Reply>,
}

/// One reply. Records are `OWNER TTL TYPE DATA`; in them `@` is the name asked, `?` the type asked, `=` sound
/// data of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reply {
    pub(crate) rcode: u8,
    pub(crate) answer: Vec<String>,
    pub(crate) authority: Vec<String>,
    /// The TC bit.
    pub(crate) truncated: bool,
    /// FORMERR instead if the query holds an OPT record.
    pub(crate) formerr_to_edns: bool,
    /// Nothing behind the header, and no question counted.
    pub(crate) header_only: bool,
    /// No answer to this packet.
    pub(crate) silent: bool,
    /// Numbers, questions, bits that are not those of the query.
    pub(crate) wrong: Vec<Wrong>,
    /// The same letters in the other case, in question and owners.
    pub(crate) upper_case: bool,
    /// How many bytes are cut off at the end.
    pub(crate) cut: usize,
    /// So many records of the type asked, all different.
    pub(crate) many: usize,
    /// A chain of so many aliases, and sound data at its end.
    pub(crate) chain: usize,
    /// The connection is closed before the reply (TCP).
    pub(crate) close: bool,
    /// NOTIMP instead if the query holds an OPT record.
    pub(crate) notimp_to_edns: bool,
    /// No answer if the query holds an OPT record.
    pub(crate) drops_edns: bool,
    /// Sent before the others, each as a datagram of its own.
    pub(crate) before: Vec<Reply>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wrong {
    Id,
    Question,
    Type,
    Query,
    Opcode,
    Source,
}

/// A running server; dropped, it ends.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) packets: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(script: Script) -> Self {
        let (udp, tcp) = bind(script.tcp.is_some());
        let address = udp.local_addr().unwrap();
        let (packets, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let mut threads = Vec::new();
        if let (Some(listener), Some(reply)) = (tcp, script.tcp.clone()) {
            let over = Arc::clone(&over);
            threads.push(std::thread::spawn(move || serve_tcp(&listener, &reply, &over)));
        }
        let (count, ended) = (Arc::clone(&packets), Arc::clone(&over));
        threads.push(std::thread::spawn(move || serve_udp(&udp, &script.udp, &count, &ended)));
        Self { address, packets, over, threads }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(&[], self.address)).ok();
        TcpStream::connect(self.address).ok();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

/// The same free port for datagrams and connections.
fn bind(tcp: bool) -> (UdpSocket, Option<TcpListener>) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if !tcp {
            return (udp, None);
        }
        if let Ok(listener) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, Some(listener));
        }
    }
}

fn serve_udp(socket: &UdpSocket, replies: &[Reply], packets: &AtomicUsize, over: &AtomicBool) {
    // Each question has its own count, so that a script means the same whatever is asked beside it.
    let asked = Mutex::new(std::collections::HashMap::<Vec<u8>, usize>::new());
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut query = [0; 2048];
    while let Ok((length, peer)) = socket.recv_from(&mut query) {
        if over.load(Ordering::SeqCst) {
            return;
        }
        packets.fetch_add(1, Ordering::SeqCst);
        let query = &query[..length];
        let question = query[12..question_end(query)].to_vec();
        let mut asked = asked.lock().unwrap();
        let nth = asked.entry(question).or_default();
        let reply = replies.get(*nth).or(replies.last());
        *nth += 1;
        let silent = |reply: &Reply| reply.silent || reply.drops_edns && query[11] > 0;
        let Some(reply) = reply.filter(|reply| !silent(reply)) else { continue };
        for reply in reply.before.iter().chain([reply]) {
            let from = if reply.wrong.contains(&Wrong::Source) { &elsewhere } else { socket };
            from.send_to(&write(reply, query), peer).unwrap();
        }
    }
}

fn serve_tcp(listener: &TcpListener, reply: &Reply, over: &AtomicBool) {
    while let Ok((mut stream, _)) = listener.accept() {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            continue;
        }
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut query).is_err() || reply.close {
            continue;
        }
        let answer = write(reply, &query);
        let length = u16::try_from(answer.len()).unwrap();
        stream.write_all(&length.to_be_bytes()).and_then(|()| stream.write_all(&answer)).ok();
    }
}

fn question_end(query: &[u8]) -> usize {
    let mut at = 12;
    while query[at] != 0 {
        at += 1 + usize::from(query[at]);
    }
    at + 5
}

/// The message that a reply makes of a query.
pub(crate) fn write(reply: &Reply, query: &[u8]) -> Vec<u8> {
    let wrong = |what| reply.wrong.contains(&what);
    let end = question_end(query);
    let (name, kind) = (&query[12..end - 4], u16::from_be_bytes([query[end - 4], query[end - 3]]));
    let rcode = match query[11] {
        0 => reply.rcode,
        _ if reply.formerr_to_edns => 1,
        _ if reply.notimp_to_edns => 4,
        _ => reply.rcode,
    };
    let mut id = [query[0], query[1]];
    if wrong(Wrong::Id) {
        id[0] ^= 0x55;
    }
    let mut high = 0x81;
    if wrong(Wrong::Query) {
        high &= !0x80;
    }
    if wrong(Wrong::Opcode) {
        high |= 0x28;
    }
    if reply.truncated {
        high |= 2;
    }
    let mut message = vec![id[0], id[1], high, 0x80 | rcode];
    let is_whole = rcode == reply.rcode && (reply.notimp_to_edns || reply.formerr_to_edns);
    if reply.header_only && !is_whole {
        message.extend([0; 8]);
        return message;
    }
    let mut answers: Vec<String> = if rcode == reply.rcode { reply.answer.clone() } else { Vec::new() };
    answers.extend((0..reply.many).map(|n| format!("@ 300 ? ={n}")));
    if reply.chain > 0 {
        answers.push("@ 300 CNAME c0.example.net".to_owned());
        answers
            .extend((1..reply.chain).map(|n| format!("c{}.example.net 300 CNAME c{n}.example.net", n - 1)));
        answers.push(format!("c{}.example.net 300 ? =", reply.chain - 1));
    }
    for count in [1, answers.len(), reply.authority.len(), 0] {
        message.extend(u16::try_from(count).unwrap().to_be_bytes());
    }
    let mut question = query[12..end].to_vec();
    if wrong(Wrong::Question) {
        question[1] ^= 1;
    }
    if wrong(Wrong::Type) {
        let at = question.len() - 3;
        question[at] ^= 0x10;
    }
    if reply.upper_case {
        question.make_ascii_uppercase();
    }
    message.extend(question);
    for record in answers.iter().chain(&reply.authority) {
        write_record(&mut message, record, name, kind, reply.upper_case);
    }
    message.truncate(message.len() - reply.cut);
    message
}

fn write_record(message: &mut Vec<u8>, record: &str, asked: &[u8], kind: u16, upper_case: bool) {
    let mut fields = record.splitn(4, ' ');
    let [owner, ttl, type_name] = [(); 3].map(|()| fields.next().expect("OWNER TTL TYPE DATA"));
    let data = fields.next().unwrap_or_default();
    let mut owner = if owner == "@" { asked.to_vec() } else { wire(owner) };
    if upper_case {
        owner.make_ascii_uppercase();
    }
    message.extend(owner);
    let type_code = match type_name {
        "?" | "CH" => kind,
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "PTR" => 12,
        "TXT" => 16,
        "AAAA" => 28,
        other => panic!("no type `{other}`"),
    };
    message.extend(type_code.to_be_bytes());
    message.extend([0, if type_name == "CH" { 3 } else { 1 }]);
    message.extend(ttl.parse::<u32>().unwrap().to_be_bytes());
    let data = match (type_name, data) {
        (_, hex) if hex.starts_with("0x") => unhex(&hex[2..]),
        // A pointer to itself.
        (_, "loop") => (0xc000 | u16::try_from(message.len() + 2).unwrap()).to_be_bytes().to_vec(),
        (_, sound) if sound.starts_with('=') => sound_data(type_code, sound[1..].parse().unwrap_or(0)),
        ("A", ip) => ip.parse::<std::net::Ipv4Addr>().unwrap().octets().to_vec(),
        ("SOA", minimum) => {
            let mut data = [wire("ns.example.net"), wire("hostmaster.example.net")].concat();
            for number in [1, 7200, 3600, 86_400, minimum.parse::<u32>().unwrap()] {
                data.extend(number.to_be_bytes());
            }
            data
        }
        (_, "@") => asked.to_vec(),
        (_, below) if below.ends_with(".@") => {
            let label = &below.as_bytes()[..below.len() - 2];
            [&[u8::try_from(label.len()).unwrap()], label, asked].concat()
        }
        (_, name) => wire(name),
    };
    message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    message.extend(data);
}

/// The `nth` record data of a type that nobody could object to.
fn sound_data(kind: u16, nth: u32) -> Vec<u8> {
    match kind {
        1 => (u32::from(std::net::Ipv4Addr::new(192, 0, 2, 1)) + nth).to_be_bytes().to_vec(),
        28 => (0x2001_0db8 << 96 | u128::from(1 + nth)).to_be_bytes().to_vec(),
        15 => [vec![0, 10], wire("mx.example.org")].concat(),
        _ if nth == 0 => wire("m.example.org"),
        _ => wire(&format!("m{nth}.example.org")),
    }
}

fn wire(name: &str) -> Vec<u8> {
    banneret::name::DnsName::parse(name).unwrap().as_wire().to_vec()
}

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect()
}
