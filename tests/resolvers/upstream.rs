//! Upstream resolvers that behave in one way each, honest and not: 128 hosts of `198.18.0.0/25` and of
//! `2001:db8::/121`, every fourth of which has no PTR name. Small on purpose: each message is built by hand,
//! so that SOA records and TTLs can be what a liar makes them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const A: u16 = 1;
const NS: u16 = 2;
const SOA: u16 = 6;
const PTR: u16 = 12;
const AAAA: u16 = 28;

const OPT: u16 = 41;

/// How an upstream answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behavior {
    Honest,
    /// NXDOMAIN to everything, the SOA made up of the name asked.
    DeniesAll,
    /// NODATA to everything, the SOA that of the root.
    EmptiesAll,
    /// NODATA to everything, the SOA made up of the name asked.
    EmptiesAllInZone,
    /// PTR is denied, with a made-up zone.
    DeniesPtr,
    /// All but PTR is denied, with a made-up zone.
    DeniesForward,
    /// PTR is denied with the SOA of the true zone; all else is honest.
    DeniesPtrInTrueZone,
    /// The same by NODATA.
    EmptiesPtrInTrueZone,
    /// IPv4 and IPv6 addresses are denied with the SOA of the true zone; all else is honest.
    DeniesForwardInTrueZone,
    /// The same by NODATA.
    EmptiesForwardInTrueZone,
    /// Honest in a world in which no host has a PTR name.
    WithoutPtr,
    /// One name for every address, one address for every name.
    Invents,
    /// NXDOMAIN without any SOA to everything: a policy zone.
    Policy,
    /// NXDOMAIN with the SOA of another zone to everything: a policy zone, too.
    PolicyElsewhere,
    /// REFUSED to everything.
    Refuses,
    /// SERVFAIL to everything.
    Fails,
    /// Honest to 60 questions, and REFUSED to all others.
    RefusesLater,
    /// The same with SERVFAIL.
    FailsLater,
    /// The same with silence.
    SilentLater,
    /// Honest and denying by turns of a quarter of a second.
    Flaps,
    /// Honest, but for every eighth host: those of one such row have no PTR name, and names of another lead
    /// elsewhere.
    Deviates,
    /// Silent about fixed names, zones and random labels, and denies PTR.
    SilentForControls,
}

/// An upstream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upstream {
    pub(crate) behavior: Behavior,
    /// Of every record.
    pub(crate) ttl: u32,
    /// Before each answer.
    pub(crate) delay: Duration,
    /// Whether the names of the Internet exist for it: those of the root servers, and `com` and `org`.
    pub(crate) has_internet: bool,
}

impl Upstream {
    pub(crate) fn of(behavior: Behavior) -> Self {
        Self { behavior, ttl: 300, delay: Duration::ZERO, has_internet: false }
    }

    /// Answers at an address until the program ends; counts the questions.
    pub(crate) fn serve(self, at: &str) -> Arc<AtomicU64> {
        let socket = UdpSocket::bind(at).expect("the port is free here");
        let asked = Arc::<AtomicU64>::default();
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let began = Instant::now();
            let mut query = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut query) {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let Some(question) = Question::read(&query[..length]) else { continue };
                if let Some(reply) = self.reply(&question, number, began) {
                    if !self.delay.is_zero() {
                        // A resolver that is farther away, not a wait for something to happen.
                        thread::park_timeout(self.delay);
                    }
                    socket.send_to(&reply, peer).ok();
                }
            }
        });
        asked
    }

    #[expect(clippy::match_same_arms, reason = "each behavior has its arms side by side")]
    fn reply(&self, question: &Question, number: u64, began: Instant) -> Option<Vec<u8>> {
        let parent = question.name.split_once('.').map_or("", |(_, parent)| parent);
        let made_up = |rcode| question.reply(rcode, &[], Some(parent), self.ttl);
        let honest = || self.honest(question);
        let is_forward = matches!(question.kind, A | AAAA);
        Some(match self.behavior {
            Behavior::Honest => honest(),
            Behavior::DeniesAll => made_up(3),
            Behavior::EmptiesAll => question.reply(0, &[], Some(""), self.ttl),
            Behavior::EmptiesAllInZone => made_up(0),
            Behavior::DeniesPtr if question.kind == PTR => question.reply(3, &[], Some("arpa"), self.ttl),
            Behavior::DeniesPtr => honest(),
            Behavior::DeniesForward if question.kind == PTR => honest(),
            Behavior::DeniesForward => made_up(3),
            Behavior::DeniesPtrInTrueZone if question.kind == PTR => {
                question.reply(3, &[], Some(&zone(&question.name)), self.ttl)
            }
            Behavior::EmptiesPtrInTrueZone if question.kind == PTR => {
                question.reply(0, &[], Some(&zone(&question.name)), self.ttl)
            }
            Behavior::DeniesForwardInTrueZone if is_forward => {
                question.reply(3, &[], Some(&zone(&question.name)), self.ttl)
            }
            Behavior::EmptiesForwardInTrueZone if is_forward => {
                question.reply(0, &[], Some(&zone(&question.name)), self.ttl)
            }
            Behavior::WithoutPtr if address(&question.name).is_some() => {
                question.reply(3, &[], Some(&zone(&question.name)), self.ttl)
            }
            Behavior::DeniesPtrInTrueZone
            | Behavior::EmptiesPtrInTrueZone
            | Behavior::DeniesForwardInTrueZone
            | Behavior::EmptiesForwardInTrueZone
            | Behavior::WithoutPtr => honest(),
            Behavior::Invents if question.kind == PTR => {
                question.reply(0, &[(PTR, wire("parked.example"))], None, self.ttl)
            }
            Behavior::Invents if question.kind == A => {
                question.reply(0, &[(A, vec![203, 0, 113, 9])], None, self.ttl)
            }
            Behavior::Invents => question.reply(0, &[], Some(""), self.ttl),
            Behavior::Policy => question.reply(3, &[], None, self.ttl),
            Behavior::PolicyElsewhere => question.reply(3, &[], Some("rpz.example"), self.ttl),
            Behavior::Refuses => question.reply(5, &[], None, self.ttl),
            Behavior::Fails => question.reply(2, &[], None, self.ttl),
            Behavior::RefusesLater if number > 60 => question.reply(5, &[], None, self.ttl),
            Behavior::FailsLater if number > 60 => question.reply(2, &[], None, self.ttl),
            Behavior::SilentLater if number > 60 => return None,
            Behavior::RefusesLater | Behavior::FailsLater | Behavior::SilentLater => honest(),
            Behavior::Flaps if (began.elapsed().as_millis() / 250).is_multiple_of(2) => honest(),
            Behavior::Flaps => made_up(3),
            Behavior::Deviates if question.kind == PTR && deviates(&question.name) == Some(1) => {
                question.reply(3, &[], Some(&zone(&question.name)), self.ttl)
            }
            Behavior::Deviates if question.kind == A && deviates(&question.name) == Some(2) => {
                question.reply(0, &[(A, vec![203, 0, 113, 9])], None, self.ttl)
            }
            Behavior::Deviates => honest(),
            Behavior::SilentForControls if question.kind == PTR && address(&question.name).is_some() => {
                made_up(3)
            }
            Behavior::SilentForControls => return None,
        })
    }

    fn honest(&self, question: &Question) -> Vec<u8> {
        let Question { name, kind, .. } = question;
        let found = |data| question.reply(0, &[(*kind, data)], None, self.ttl);
        let zone = zone(name);
        let denied = |rcode| question.reply(rcode, &[], Some(&zone), self.ttl);
        if self.has_internet
            && let Some((host, ip)) = root_server(name)
        {
            return match *kind {
                PTR if host.is_empty() => denied(0),
                PTR => found(wire(&host)),
                A if host.is_empty() => found(ip.octets().to_vec()),
                _ => denied(0),
            };
        }
        if *name == zone && !zone.is_empty() && (self.has_internet || zone.contains('.')) {
            return match *kind {
                SOA => found(soa(self.ttl)),
                NS => found(wire("ns.fleet.example")),
                _ => denied(0),
            };
        }
        match (*kind, address(name), host(name)) {
            (PTR, Some(ip), _) if has_ptr(ip) => found(wire(&own_name(ip))),
            (A, _, Some(IpAddr::V4(ip))) => found(ip.octets().to_vec()),
            (AAAA, _, Some(IpAddr::V6(ip))) => found(ip.octets().to_vec()),
            (_, _, Some(_)) => denied(0),
            (_, Some(ip), _) if has_ptr(ip) => denied(0),
            _ => denied(3),
        }
    }
}

/// Whether the host at an address has a PTR name.
pub(crate) fn has_ptr(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[3] % 4 != 3,
        IpAddr::V6(ip) => ip.octets()[15] % 4 != 3,
    }
}

/// The row of eight that a host is in, by its name or by its address.
fn deviates(name: &str) -> Option<u8> {
    match address(name).or_else(|| host(name))? {
        IpAddr::V4(ip) => Some(ip.octets()[3] % 8),
        IpAddr::V6(_) => None,
    }
}

/// What a host calls itself: its address in letters, for a name with digits looks like a provider's.
pub(crate) fn own_name(ip: IpAddr) -> String {
    let digits = match ip {
        IpAddr::V4(ip) => format!("{:08x}", u32::from(ip)),
        IpAddr::V6(ip) => format!("{:032x}", u128::from(ip)),
    };
    let letters: String = digits.chars().filter_map(|it| it.to_digit(16)).map(letter).collect();
    format!("mail.{letters}.fleet.example")
}

fn letter(digit: u32) -> char {
    char::from_u32(u32::from('a') + digit).unwrap()
}

fn host(name: &str) -> Option<IpAddr> {
    let letters = name.strip_prefix("mail.")?.strip_suffix(".fleet.example")?;
    let bits = letters.chars().fold(0_u128, |bits, it| bits << 4 | (u128::from(it) - u128::from('a')) & 15);
    let ip = match u32::try_from(bits) {
        Ok(bits) => IpAddr::V4(bits.into()),
        Err(_) => IpAddr::V6(bits.into()),
    };
    (own_name(ip) == name).then_some(ip)
}

fn address(name: &str) -> Option<IpAddr> {
    if let Some(digits) = name.strip_suffix(".ip6.arpa") {
        let digits: String = digits.split('.').rev().collect();
        let bits = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
        return Some(Ipv6Addr::from(bits).into()).filter(|_| bits >> 96 == 0x2001_0db8);
    }
    let mut octets: Vec<u8> =
        name.strip_suffix(".in-addr.arpa")?.split('.').map_while(|it| it.parse().ok()).collect();
    octets.reverse();
    let octets: [u8; 4] = octets.try_into().ok()?;
    (octets[0] == 198 && octets[1] & 0xfe == 18).then(|| Ipv4Addr::from(octets).into())
}

/// The name of a root server that an address has, or its address.
fn root_server(name: &str) -> Option<(String, Ipv4Addr)> {
    let known = [
        ("a", [198, 41, 0, 4]),
        ("f", [192, 5, 5, 241]),
        ("i", [192, 36, 148, 17]),
        ("k", [193, 0, 14, 129]),
    ];
    known.into_iter().find_map(|(letter, [a, b, c, d])| {
        let host = format!("{letter}.root-servers.net");
        let reverse = format!("{d}.{c}.{b}.{a}.in-addr.arpa");
        let ip = Ipv4Addr::new(a, b, c, d);
        if *name == host { Some((String::new(), ip)) } else { (*name == reverse).then_some((host, ip)) }
    })
}

/// The zone that an honest denial comes from.
fn zone(name: &str) -> String {
    let labels: Vec<&str> = name.split('.').collect();
    let depth = match labels.as_slice() {
        [.., "in-addr", "arpa"] => 5,
        [.., "ip6", "arpa"] => 10,
        [.., "fleet", "example"] => 2,
        [.., "com" | "org"] => 1,
        _ => 0,
    };
    labels[labels.len().saturating_sub(depth)..].join(".")
}

struct Question {
    id: [u8; 2],
    name: String,
    kind: u16,
    bytes: Vec<u8>,
    has_opt: bool,
}

impl Question {
    fn read(query: &[u8]) -> Option<Self> {
        let mut at = 12;
        let mut labels = Vec::new();
        while let Some(length) = query.get(at).map(|&length| usize::from(length)).filter(|&length| length > 0)
        {
            labels.push(String::from_utf8_lossy(query.get(at + 1..at + 1 + length)?).to_ascii_lowercase());
            at += 1 + length;
        }
        let kind = u16::from_be_bytes(query.get(at + 1..at + 3)?.try_into().ok()?);
        Some(Self {
            id: query.get(..2)?.try_into().ok()?,
            name: labels.join("."),
            kind,
            bytes: query.get(12..at + 5)?.to_vec(),
            has_opt: query.get(11) == Some(&1),
        })
    }

    fn reply(&self, rcode: u8, answers: &[(u16, Vec<u8>)], soa_of: Option<&str>, ttl: u32) -> Vec<u8> {
        let mut out = self.id.to_vec();
        let count = |count: usize| u16::try_from(count).unwrap().to_be_bytes();
        out.extend_from_slice(&[0x81, 0x80 | rcode, 0, 1]);
        out.extend_from_slice(&count(answers.len()));
        out.extend_from_slice(&count(usize::from(soa_of.is_some())));
        out.extend_from_slice(&count(usize::from(self.has_opt)));
        out.extend_from_slice(&self.bytes);
        for (kind, data) in answers {
            record(&mut out, &[0xc0, 12], *kind, ttl, data);
        }
        if let Some(zone) = soa_of {
            record(&mut out, &wire(zone), SOA, ttl, &soa(ttl));
        }
        if self.has_opt {
            out.extend_from_slice(&[0, 0, u8::try_from(OPT).unwrap(), 4, 208, 0, 0, 0, 0, 0, 0]);
        }
        out
    }
}

fn record(out: &mut Vec<u8>, owner: &[u8], kind: u16, ttl: u32, data: &[u8]) {
    out.extend_from_slice(owner);
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0, 1]);
    out.extend_from_slice(&ttl.to_be_bytes());
    out.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    out.extend_from_slice(data);
}

fn soa(ttl: u32) -> Vec<u8> {
    let mut data = [wire("ns.fleet.example"), wire("hostmaster.fleet.example")].concat();
    for number in [1, 7200, 900, 1_209_600, ttl] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    data
}

fn wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    wire
}
