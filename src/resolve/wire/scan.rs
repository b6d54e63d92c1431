//! What an answer says of the one question it must belong to. Section counts, owners, lengths and chains are
//! a stranger's claims: each is checked before it counts.

use std::collections::HashSet;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::octets::{u16_at, u32_at};
use super::{CLASS_IN, HEADER, name, stale};
use crate::evidence::Status;
use crate::name::DnsName;
use crate::resolve::question::{Exchange, Kind, Records};

/// CNAMEs and DNAMEs followed within one message; resolvers in the field stop at 8 to 16.
pub(super) const MAX_CHAIN: usize = 16;
/// Values compared one by one up to here, by hash above.
const FEW: usize = 16;

const TYPE_CNAME: u16 = 5;
const TYPE_SOA: u16 = 6;
const TYPE_DNAME: u16 = 39;

/// What a message says of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Records of the type asked, and the least TTL on the way to them, in seconds.
    Found(Records, u32),
    /// The name is another name for this one, of which the message says nothing.
    Alias(DnsName, u32),
    /// The name, or the one it is an alias for, has no such record (RFC 2308 §2.2).
    NoData(Absence),
    /// The name, or the one it is an alias for, does not exist.
    NxDomain(Absence),
    /// There is more than fits: ask over TCP (RFC 2181 §9).
    Truncated,
    /// No answer.
    Fault(Fault),
}

/// What a denial says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// The zone whose SOA proves it, at or above the name that is denied.
    pub zone: DnsName,
    /// The name that is denied, where aliases in the message lead to it; `None` for the name asked.
    pub target: Option<DnsName>,
    /// How many seconds it holds.
    pub ttl: u32,
}

/// Why a message settles nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// SERVFAIL or another failure code.
    ServFail,
    /// NOTIMP: the question, often its EDNS part, is of a kind that it does not answer.
    NotImp,
    /// REFUSED.
    Refused,
    /// FORMERR: the question, often its EDNS part, was not understood.
    FormErr,
    /// A CNAME loop or over-long chain, a lame referral, an answer for another name, neither answer nor SOA,
    /// a denial without the SOA of a zone at or above the name (policy zones send such), an answer marked as
    /// stale, or bytes that are no message.
    Unclear,
}

impl Fault {
    /// How a question ends of which this is the last that is known: never in a definite status.
    pub fn status(self) -> Status {
        match self {
            Self::ServFail | Self::NotImp => Status::ServFail,
            Self::Refused => Status::Refused,
            Self::FormErr | Self::Unclear => Status::Malformed,
        }
    }
}

/// Reads a message as the answer to one question; `None` if it belongs to another one (or is none at all).
/// The number is the caller's to check.
pub fn read(message: &[u8], asked: &DnsName, kind: Kind) -> Option<Reading> {
    super::answer_id(message)?;
    let flags = u16_at(message, 2)?;
    let rcode = flags & 0xf;
    let failure = match rcode {
        0 | 3 => None,
        1 => Some(Fault::FormErr),
        4 => Some(Fault::NotImp),
        5 => Some(Fault::Refused),
        _ => Some(Fault::ServFail),
    };
    // Some servers send failures as a bare header.
    if u16_at(message, 4)? == 0 && failure.is_some() {
        return failure.map(Reading::Fault);
    }
    let question_end = HEADER + asked.as_wire().len();
    let echoed = u16_at(message, 4)? == 1
        && message.get(HEADER..question_end)?.eq_ignore_ascii_case(asked.as_wire())
        && u16_at(message, question_end)? == kind.code()
        && u16_at(message, question_end + 2)? == CLASS_IN;
    if !echoed {
        return None;
    }
    if let Some(fault) = failure {
        return Some(Reading::Fault(fault));
    }
    if flags & 0x0200 != 0 {
        return Some(Reading::Truncated);
    }
    let scan = Scan { message, kind: kind.code(), answers: question_end + 4, count: u16_at(message, 6)? };
    let unclear = Reading::Fault(Fault::Unclear);
    Some(match scan.conclude(asked, kind, rcode == 3) {
        Some((_, end)) if stale::is_stale(message, end) => unclear,
        Some((reading, _)) => reading,
        None => unclear,
    })
}

struct Scan<'a> {
    message: &'a [u8],
    kind: u16,
    /// Where the answer section begins.
    answers: usize,
    /// How many records it claims.
    count: u16,
}

/// Where a chain of aliases leads.
struct Chain {
    /// Where it ends; `None` for the name asked itself.
    target: Option<DnsName>,
    hops: usize,
    ttl: u32,
}

struct Record {
    owner: usize,
    kind: u16,
    class: u16,
    ttl: u32,
    data: Range<usize>,
}

impl Scan<'_> {
    /// What the message says, and where its answer section ends; `None` where it breaks or contradicts
    /// itself.
    fn conclude(&self, asked: &DnsName, kind: Kind, denied: bool) -> Option<(Reading, usize)> {
        let chain = self.follow(asked)?;
        let name = chain.target.as_ref().unwrap_or(asked);
        let mut ttl = chain.ttl;
        let mut found = Values::new(kind, usize::from(self.count).min(FEW));
        let mut strangers = false;
        let mut at = self.answers;
        for _ in 0..self.count {
            let record = self.record(at)?;
            at = record.data.end;
            if record.kind == self.kind && record.class == CLASS_IN && self.owned(&record, name) {
                found.push(self.message, &record.data)?;
                ttl = ttl.min(record.ttl);
            } else if record.kind == self.kind || (record.kind == TYPE_CNAME && chain.hops == 0) {
                strangers = true;
            }
        }
        if let Some(records) = found.into_records() {
            return (!denied).then_some((Reading::Found(records, ttl), at));
        }
        if strangers {
            return None;
        }
        let soa = self.soa(at, name)?;
        let reading = match (denied, soa, chain.target) {
            (true, Some((zone, holds)), target) => {
                Reading::NxDomain(Absence { zone, target, ttl: holds.min(ttl) })
            }
            (false, Some((zone, holds)), target) => {
                Reading::NoData(Absence { zone, target, ttl: holds.min(ttl) })
            }
            (true, None, _) => return None,
            (false, None, target) => Reading::Alias(target?, ttl),
        };
        Some((reading, at))
    }

    /// Follows the aliases of a name as far as the answer section goes, in whatever order it is.
    fn follow(&self, asked: &DnsName) -> Option<Chain> {
        let mut chain = Chain { target: None, hops: 0, ttl: u32::MAX };
        loop {
            let before = chain.hops;
            let mut at = self.answers;
            for _ in 0..self.count {
                let record = self.record(at)?;
                at = record.data.end;
                let name = chain.target.as_ref().unwrap_or(asked);
                let target = match record.kind {
                    _ if record.class != CLASS_IN => None,
                    TYPE_CNAME if self.owned(&record, name) => {
                        Some(whole_name(self.message, record.data.clone())?)
                    }
                    TYPE_DNAME => self.moved(&record, name)?,
                    _ => None,
                };
                if let Some(target) = target {
                    chain.target = Some(target);
                    chain.ttl = chain.ttl.min(record.ttl);
                    chain.hops += 1;
                    if chain.hops > MAX_CHAIN {
                        return None;
                    }
                }
            }
            if chain.hops == before {
                return Some(chain);
            }
        }
    }

    /// Where a DNAME record moves `name` to: the CNAME that a server makes of it and may leave out (RFC 6672
    /// §2.2, §3.1). `None` inside where the name does not stand below its owner.
    #[expect(
        clippy::option_option,
        reason = "the outer one is a broken message, or a name that would be too long"
    )]
    fn moved(&self, record: &Record, name: &DnsName) -> Option<Option<DnsName>> {
        let owner = name::read(self.message, record.owner)?;
        if owner == *name || !name::is_above(owner.as_wire(), name.as_wire()) {
            return Some(None);
        }
        let target = whole_name(self.message, record.data.clone())?;
        let kept = name.as_wire().len() - owner.as_wire().len();
        let moved = [name.as_wire().get(..kept)?, target.as_wire()].concat();
        DnsName::from_wire(&moved).map(Some)
    }

    /// The zone of `name`, and how long it says that its absences hold; `None` inside without an SOA for it.
    #[expect(clippy::option_option, reason = "the outer one is a broken message")]
    fn soa(&self, mut at: usize, name: &DnsName) -> Option<Option<(DnsName, u32)>> {
        for _ in 0..u16_at(self.message, 8)? {
            let record = self.record(at)?;
            at = record.data.end;
            if record.kind != TYPE_SOA || record.class != CLASS_IN {
                continue;
            }
            let numbers = name::skip(self.message, name::skip(self.message, record.data.start)?)?;
            if numbers + 20 != record.data.end {
                return None;
            }
            let zone = name::read(self.message, record.owner)?;
            if name::is_above(zone.as_wire(), name.as_wire()) {
                let holds = record.ttl.min(seconds(u32_at(self.message, numbers + 16)?));
                return Some(Some((zone, holds)));
            }
        }
        Some(None)
    }

    fn owned(&self, record: &Record, name: &DnsName) -> bool {
        name::equals(self.message, record.owner, name.as_wire())
    }

    fn record(&self, owner: usize) -> Option<Record> {
        let fixed = name::skip(self.message, owner)?;
        let start = fixed + 10;
        let data = start..start + usize::from(u16_at(self.message, fixed + 8)?);
        self.message.get(data.clone())?;
        Some(Record {
            owner,
            kind: u16_at(self.message, fixed)?,
            class: u16_at(self.message, fixed + 2)?,
            ttl: seconds(u32_at(self.message, fixed + 4)?),
            data,
        })
    }
}

/// Values being collected.
enum Values {
    Names(Vec<DnsName>),
    Primaries(Vec<DnsName>),
    Addresses(Kind, Vec<IpAddr>),
    Exchanges(Vec<Exchange>),
}

impl Values {
    fn new(kind: Kind, expected: usize) -> Self {
        match kind {
            Kind::Soa => Self::Primaries(Vec::with_capacity(expected)),
            Kind::Ptr | Kind::Ns => Self::Names(Vec::with_capacity(expected)),
            Kind::A | Kind::Aaaa => Self::Addresses(kind, Vec::with_capacity(expected)),
            Kind::Mx => Self::Exchanges(Vec::with_capacity(expected)),
        }
    }

    /// `None` for data of the wrong shape.
    fn push(&mut self, message: &[u8], data: &Range<usize>) -> Option<()> {
        match self {
            Self::Names(names) => names.push(whole_name(message, data.clone())?),
            Self::Primaries(names) => {
                let numbers = name::skip(message, name::skip(message, data.start)?)?;
                if numbers + 20 != data.end {
                    return None;
                }
                names.push(name::read(message, data.start)?);
            }
            Self::Addresses(Kind::A, list) => {
                list.push(Ipv4Addr::from(<[u8; 4]>::try_from(message.get(data.clone())?).ok()?).into());
            }
            Self::Addresses(_, list) => {
                list.push(Ipv6Addr::from(<[u8; 16]>::try_from(message.get(data.clone())?).ok()?).into());
            }
            Self::Exchanges(list) => {
                let host = whole_name(message, data.start + 2..data.end)?;
                list.push(Exchange { preference: u16_at(message, data.start)?, host });
            }
        }
        Some(())
    }

    /// `None` if there are none.
    fn into_records(self) -> Option<Records> {
        match self {
            Self::Names(list) | Self::Primaries(list) => distinct(list).map(Records::Names),
            Self::Addresses(_, list) => distinct(list).map(Records::Addresses),
            Self::Exchanges(list) => distinct(list).map(Records::Exchanges),
        }
    }
}

/// The same values without later duplicates; `None` if there are none. Names are in lower case already (RFC
/// 4343).
fn distinct<V: Eq + Hash + Clone>(mut list: Vec<V>) -> Option<Vec<V>> {
    if list.len() > FEW {
        let mut seen = HashSet::with_capacity(list.len());
        list.retain(|value| seen.insert(value.clone()));
    } else {
        let mut kept = 0;
        for index in 0..list.len() {
            if !list[..kept].contains(&list[index]) {
                list.swap(kept, index);
                kept += 1;
            }
        }
        list.truncate(kept);
    }
    (!list.is_empty()).then_some(list)
}

/// The name that fills a record's data to its end.
fn whole_name(message: &[u8], data: Range<usize>) -> Option<DnsName> {
    if name::skip(message, data.start)? != data.end {
        return None;
    }
    name::read(message, data.start)
}

/// A TTL with the top bit set counts as zero (RFC 2181 §8).
fn seconds(ttl: u32) -> u32 {
    if ttl > u32::MAX >> 1 { 0 } else { ttl }
}
