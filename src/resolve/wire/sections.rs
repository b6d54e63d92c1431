//! A whole message, section by section, for whoever asks the servers of a zone: who answers with authority,
//! where a referral leads, through which aliases an answer came. Total, as all readers here: a message that
//! breaks is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::octets::{u16_at, u32_at};
use super::{CLASS_IN, HEADER, name, stale};
use crate::name::DnsName;
use crate::resolve::question::{Exchange, Kind, Records};

/// Aliases followed within one message.
const MAX_CHAIN: usize = 16;

/// One message, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sections {
    /// The response code, without its extension (RFC 1035 §4.1.1).
    pub code: u8,
    /// Whether the server speaks with authority (AA).
    pub is_authoritative: bool,
    /// Whether there is more than fits (TC).
    pub is_truncated: bool,
    /// Whether a resolver has checked the signatures of all of it (AD, RFC 4035 §3.2.3).
    pub is_checked: bool,
    /// The answer section.
    pub answers: Vec<Held>,
    /// The authority section.
    pub authorities: Vec<Held>,
    /// The additional section, its OPT record left out.
    pub additionals: Vec<Held>,
    /// The extended errors (RFC 8914), in their order.
    pub errors: Vec<u16>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose it is.
    pub owner: DnsName,
    /// Its time to live, in seconds.
    pub ttl: u32,
    /// What it holds.
    pub data: Data,
}

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Another name for the owner (RFC 1035 §3.3.1).
    Cname(DnsName),
    /// Another name for all that stands below the owner (RFC 6672).
    Dname(DnsName),
    /// A name server (RFC 1035 §3.3.11).
    Ns(DnsName),
    /// The name of an address (RFC 1035 §3.3.12).
    Ptr(DnsName),
    /// The start of a zone: its primary server, and for how long absences hold (RFC 2308 §4).
    Soa(DnsName, u32),
    /// An IPv4 or IPv6 address.
    Address(IpAddr),
    /// A mail exchanger (RFC 1035 §3.3.9).
    Mx(Exchange),
    /// Something else.
    Other,
}

/// An alias on the way from the name asked to the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose it is: the name itself of a CNAME, a name above it of a DNAME.
    pub owner: DnsName,
    /// Where it leads.
    pub target: DnsName,
    /// Its time to live, in seconds.
    pub ttl: u32,
}

/// What stands at the end of the aliases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Records of the type asked, and their least time to live, in seconds.
    Found(Records, u32),
    /// Nothing of that type, by the SOA of this zone; for so many seconds.
    NoData(DnsName, u32),
    /// No such name, by the SOA of this zone; for so many seconds.
    NxDomain(DnsName, u32),
    /// The message does not say.
    Open,
}

/// Takes a message apart that answers one question; `None` if it belongs to another one, or breaks.
pub fn sections(message: &[u8], asked: &DnsName, kind: Kind) -> Option<Sections> {
    super::answer_id(message)?;
    let flags = u16_at(message, 2)?;
    let mut sections = Sections {
        code: u8::try_from(flags & 0xf).ok()?,
        is_authoritative: flags & 0x0400 != 0,
        is_truncated: flags & 0x0200 != 0,
        is_checked: flags & 0x0020 != 0,
        ..Sections::default()
    };
    // Some servers send failures as a bare header.
    if u16_at(message, 4)? == 0 && !matches!(sections.code, 0 | 3) {
        return Some(sections);
    }
    let question_end = HEADER + asked.as_wire().len();
    let echoed = u16_at(message, 4)? == 1
        && message.get(HEADER..question_end)?.eq_ignore_ascii_case(asked.as_wire())
        && u16_at(message, question_end)? == kind.code()
        && u16_at(message, question_end + 2)? == CLASS_IN;
    if !echoed {
        return None;
    }
    if sections.is_truncated {
        return Some(sections);
    }
    let mut at = question_end + 4;
    for section in 0..3 {
        for _ in 0..u16_at(message, 6 + 2 * section)? {
            let (held, end) = held(message, at)?;
            at = end;
            let Some(held) = held else { continue };
            match section {
                0 => sections.answers.push(held),
                1 => sections.authorities.push(held),
                _ => sections.additionals.push(held),
            }
        }
    }
    sections.errors = stale::extended_errors(message, question_end + 4);
    Some(sections)
}

/// The record at `at`, and where it ends; none of another class than IN.
fn held(message: &[u8], at: usize) -> Option<(Option<Held>, usize)> {
    let fixed = name::skip(message, at)?;
    let start = fixed + 10;
    let data = start..start + usize::from(u16_at(message, fixed + 8)?);
    message.get(data.clone())?;
    let end = data.end;
    if u16_at(message, fixed + 2)? != CLASS_IN {
        return Some((None, end));
    }
    let ttl = u32_at(message, fixed + 4)?;
    let held = Held {
        owner: name::read(message, at)?,
        // A TTL with the top bit set counts as zero (RFC 2181 §8).
        ttl: if ttl > u32::MAX >> 1 { 0 } else { ttl },
        data: content(message, u16_at(message, fixed)?, data)?,
    };
    Some((Some(held), end))
}

fn content(message: &[u8], kind: u16, data: Range<usize>) -> Option<Data> {
    let whole = |data: Range<usize>| {
        let is_whole = name::skip(message, data.start)? == data.end;
        is_whole.then(|| name::read(message, data.start)).flatten()
    };
    let bytes = message.get(data.clone())?;
    Some(match kind {
        1 => Data::Address(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        28 => Data::Address(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()),
        2 => Data::Ns(whole(data)?),
        5 => Data::Cname(whole(data)?),
        12 => Data::Ptr(whole(data)?),
        39 => Data::Dname(whole(data)?),
        15 => Data::Mx(Exchange {
            preference: u16_at(message, data.start)?,
            host: whole(data.start + 2..data.end)?,
        }),
        6 => {
            let numbers = name::skip(message, name::skip(message, data.start)?)?;
            if numbers + 20 != data.end {
                return None;
            }
            Data::Soa(name::read(message, data.start)?, u32_at(message, numbers + 16)?)
        }
        _ => Data::Other,
    })
}

impl Sections {
    /// The aliases that lead on from `asked`, and what stands at their end.
    pub fn chain(&self, asked: &DnsName, kind: Kind) -> (Vec<Link>, End) {
        let mut links: Vec<Link> = Vec::new();
        let mut name = asked.clone();
        while links.len() < MAX_CHAIN
            && let Some(link) = self.link(&name)
        {
            name = link.target.clone();
            links.push(link);
        }
        let end = self.end(&name, kind);
        (links, end)
    }

    /// Where a name leads by the aliases of the answer section; a DNAME before the CNAME that was made of it,
    /// whose time to live may be 0.
    fn link(&self, name: &DnsName) -> Option<Link> {
        let link = |held: &Held| {
            let target = match &held.data {
                Data::Dname(target) => moved(name, &held.owner, target)?,
                Data::Cname(target) if held.owner == *name => target.clone(),
                _ => return None,
            };
            Some(Link { owner: held.owner.clone(), target, ttl: held.ttl })
        };
        let is_dname = |held: &&Held| matches!(held.data, Data::Dname(_));
        let dname = self.answers.iter().filter(is_dname).find_map(link);
        dname.or_else(|| self.answers.iter().find_map(link))
    }

    fn end(&self, name: &DnsName, kind: Kind) -> End {
        let own = self.answers.iter().filter(|held| held.owner == *name);
        let (mut names, mut addresses, mut exchanges) = (Vec::new(), Vec::new(), Vec::new());
        let mut ttl = u32::MAX;
        for held in own {
            match (&held.data, kind) {
                (Data::Ns(host), Kind::Ns)
                | (Data::Ptr(host), Kind::Ptr)
                | (Data::Soa(host, _), Kind::Soa) => {
                    names.push(host.clone());
                }
                (Data::Address(ip), Kind::A | Kind::Aaaa) if Kind::of_family(*ip) == kind => {
                    addresses.push(*ip);
                }
                (Data::Mx(exchange), Kind::Mx) => exchanges.push(exchange.clone()),
                _ => continue,
            }
            ttl = ttl.min(held.ttl);
        }
        let records = match (names.is_empty(), addresses.is_empty(), exchanges.is_empty()) {
            (false, ..) => Records::Names(names),
            (_, false, _) => Records::Addresses(addresses),
            (_, _, false) => Records::Exchanges(exchanges),
            _ => {
                return match (self.soa_above(name), self.code) {
                    (Some((zone, ttl)), 0) => End::NoData(zone, ttl),
                    (Some((zone, ttl)), 3) => End::NxDomain(zone, ttl),
                    _ => End::Open,
                };
            }
        };
        if self.code == 0 { End::Found(records, ttl) } else { End::Open }
    }

    /// The zone at or above `name` by an SOA record of the authority section, and for how long its absences
    /// hold.
    pub fn soa_above(&self, name: &DnsName) -> Option<(DnsName, u32)> {
        self.authorities.iter().find_map(|held| match held.data {
            Data::Soa(_, minimum) if held.owner.is_at_or_above(name) => {
                Some((held.owner.clone(), held.ttl.min(minimum)))
            }
            _ => None,
        })
    }
}

/// Where a DNAME moves a name that stands below its owner (RFC 6672 §2.2).
fn moved(name: &DnsName, owner: &DnsName, target: &DnsName) -> Option<DnsName> {
    if owner == name || !owner.is_at_or_above(name) {
        return None;
    }
    let kept = name.as_wire().get(..name.as_wire().len() - owner.as_wire().len())?;
    DnsName::from_wire(&[kept, target.as_wire()].concat())
}
