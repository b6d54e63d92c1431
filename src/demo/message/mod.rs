//! DNS messages as the block's server reads and writes them (RFC 1035 §4.1): bytes in, bytes out.
//!
//! An encoder of its own, beside the one that the resolver uses: a fault that both shared would go unseen.

mod query;

use self::query::Query;
use super::zone::{Answer, Data, Fault, Kind, Zone, cut};
use crate::name::DnsName;

/// The most that is sent in one datagram, whatever the client offers: what crosses today's paths
/// unfragmented.
pub const MAX_DATAGRAM: usize = 1232;
/// What a client without EDNS takes (RFC 1035 §2.3.4).
const PLAIN_DATAGRAM: usize = 512;
/// Aliases followed for one answer; longer chains are left to the client.
const MAX_ALIASES: usize = 8;
const HEADER: usize = 12;
/// A pointer to the question's name, which always stands behind the header.
const TO_QUESTION: [u8; 2] = [0xc0, 12];
const TYPE_NS: u16 = 2;
const TYPE_CNAME: u16 = 5;
const TYPE_SOA: u16 = 6;
const TYPE_OPT: u16 = 41;
/// Octets of an OPT record without options.
const OPT_LENGTH: usize = 11;
const CLASS_IN: u16 = 1;
/// Seconds for which answers hold: short, so that a second scan asks again.
const TTL: u32 = 60;

const NO_ERROR: u8 = 0;
const FORM_ERR: u8 = 1;
const SERV_FAIL: u8 = 2;
const NX_DOMAIN: u8 = 3;
const NOT_IMP: u8 = 4;
const REFUSED: u8 = 5;

/// How a question came, which limits what may go back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// One datagram each way.
    Udp,
    /// A stream: any length.
    Tcp,
}

/// Writes the reply to one query into `reply`, cleared first. False where nothing is to be sent: not a query,
/// or the answer is silence.
pub fn respond(zone: &dyn Zone, query: &[u8], carrier: Carrier, reply: &mut Vec<u8>) -> bool {
    reply.clear();
    let Some(query) = Query::read(query) else { return false };
    let mut writer = Writer::open(reply, &query);
    if !writer.answer(zone, &query) {
        return false;
    }
    writer.close(&query, carrier);
    true
}

/// The content of an SOA record.
fn soa() -> Vec<u8> {
    let mut content = Vec::with_capacity(96);
    for label in [b"\x02ns".as_slice(), b"\x0ahostmaster"] {
        content.extend_from_slice(label);
        content.extend_from_slice(PROVIDER_WIRE);
    }
    for number in [1, 7200, 900, 1_209_600, TTL] {
        content.extend_from_slice(&number.to_be_bytes());
    }
    content
}

struct Writer<'r> {
    out: &'r mut Vec<u8>,
    answers: u16,
    authority: u16,
    /// Octets to take off the end of the whole message.
    cut: usize,
}

impl<'r> Writer<'r> {
    /// QR set, RD as it came, RA set: the server plays a resolver.
    fn open(out: &'r mut Vec<u8>, query: &Query<'_>) -> Self {
        out.extend_from_slice(&query.id);
        out.extend_from_slice(&[0x80 | query.recursion_desired, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(query.question);
        Self { out, answers: 0, authority: 0, cut: 0 }
    }

    /// Follows the zone's aliases to an answer. False for silence.
    fn answer(&mut self, zone: &dyn Zone, query: &Query<'_>) -> bool {
        let kind = Kind::of_code(query.kind);
        if let TYPE_SOA | TYPE_NS = query.kind
            && !matches!(zone.find(&query.name, None), Answer::Fault(_))
            && zone.is_served(&query.name)
        {
            self.apex(query.kind);
            return true;
        }
        let mut owner = TO_QUESTION.to_vec();
        let mut name = query.name.clone();
        for _ in 0..=MAX_ALIASES {
            match zone.find(&name, kind) {
                Answer::Records(records) => {
                    for data in &records {
                        self.data(&owner, data);
                    }
                    return true;
                }
                Answer::Alias(target) => {
                    self.record(&owner, TYPE_CNAME, target.as_wire());
                    owner = target.as_wire().to_vec();
                    name = target;
                }
                Answer::NoData => {
                    self.soa(&name);
                    return true;
                }
                Answer::NxDomain => {
                    self.code(NX_DOMAIN);
                    self.soa(&name);
                    return true;
                }
                Answer::Fault(fault) => return self.fault(fault, &owner, query),
            }
        }
        true
    }

    fn fault(&mut self, fault: Fault, owner: &[u8], query: &Query<'_>) -> bool {
        match fault {
            Fault::Silence => return false,
            Fault::ServFail => self.code(SERV_FAIL),
            Fault::Refused => self.code(REFUSED),
            Fault::NotImp => self.code(NOT_IMP),
            Fault::FormErr => self.code(FORM_ERR),
            Fault::Empty => self.code(NO_ERROR),
            Fault::Lame => {
                self.put(&[0], TYPE_NS, b"\x01a\x0croot-servers\x03net\0");
                self.authority += 1;
            }
            Fault::AliasLoop => {
                let mut back = b"\x04loop".to_vec();
                back.extend_from_slice(PROVIDER_WIRE);
                self.record(owner, TYPE_CNAME, &back);
                self.record(&back, TYPE_CNAME, query.name.as_wire());
            }
            Fault::OtherOwner => {
                let mut other = b"\x09elsewhere".to_vec();
                other.extend_from_slice(PROVIDER_WIRE);
                match Kind::of_code(query.kind) {
                    Some(Kind::Ptr) => self.record(&other, query.kind, query.name.as_wire()),
                    _ => self.record(&other, Kind::A.code(), &[192, 0, 2, 1]),
                }
            }
            Fault::PointerLoop => {
                let at = self.out.len();
                // A pointer to where it stands itself.
                let pointer = 0xc000 | u16::try_from(at & 0x3fff).unwrap_or(0);
                self.record(&pointer.to_be_bytes(), query.kind, &[0]);
            }
            Fault::CutShort => {
                self.record(owner, query.kind, query.name.as_wire());
                self.cut = 3 + query.offered.map_or(0, |_| OPT_LENGTH);
            }
        }
        true
    }

    fn data(&mut self, owner: &[u8], data: &Data) {
        let kind = data.kind().code();
        match data {
            Data::A(ip) => self.record(owner, kind, &ip.octets()),
            Data::Aaaa(ip) => self.record(owner, kind, &ip.octets()),
            Data::Ptr(name) => self.record(owner, kind, name.as_wire()),
            Data::Mx(preference, name) => {
                let mut content = preference.to_be_bytes().to_vec();
                content.extend_from_slice(name.as_wire());
                self.record(owner, kind, &content);
            }
        }
    }

    fn record(&mut self, owner: &[u8], kind: u16, content: &[u8]) {
        self.put(owner, kind, content);
        self.answers += 1;
    }

    /// The SOA, or the name server, of the zone that is asked about.
    fn apex(&mut self, kind: u16) {
        let content = if kind == TYPE_SOA { soa() } else { [b"\x02ns".as_slice(), PROVIDER_WIRE].concat() };
        self.record(&TO_QUESTION, kind, &content);
    }

    /// The SOA of the zone that a negative answer speaks for.
    fn soa(&mut self, name: &DnsName) {
        self.put(cut(name).as_wire(), TYPE_SOA, &soa());
        self.authority += 1;
    }

    fn put(&mut self, owner: &[u8], kind: u16, content: &[u8]) {
        self.out.extend_from_slice(owner);
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&CLASS_IN.to_be_bytes());
        self.out.extend_from_slice(&TTL.to_be_bytes());
        // A name has 255 octets at most, an SOA twice that and 20.
        self.out.extend_from_slice(&u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.out.extend_from_slice(content);
    }

    fn code(&mut self, code: u8) {
        self.out[3] = self.out[3] & 0xf0 | code;
    }

    /// Cuts what does not fit, sets the counts, adds OPT where the client had one.
    fn close(mut self, query: &Query<'_>, carrier: Carrier) {
        let extra = query.offered.map_or(0, |_| OPT_LENGTH);
        if self.out.len() + extra > query.limit(carrier) {
            // RFC 2181 §9: with TC set, the client asks again over TCP; nothing of a partial set is worth
            // sending.
            self.out.truncate(HEADER + query.question.len());
            self.out[2] |= 0x02;
            self.answers = 0;
            self.authority = 0;
        }
        self.out[6..8].copy_from_slice(&self.answers.to_be_bytes());
        self.out[8..10].copy_from_slice(&self.authority.to_be_bytes());
        if query.offered.is_some() {
            let size = u16::try_from(MAX_DATAGRAM).unwrap_or(u16::MAX).to_be_bytes();
            self.out.push(0);
            self.out.extend_from_slice(&TYPE_OPT.to_be_bytes());
            self.out.extend_from_slice(&size);
            self.out.extend_from_slice(&[0; 6]);
            self.out[11] = 1;
        }
        self.out.truncate(self.out.len().saturating_sub(self.cut));
    }
}

/// [`super::host::PROVIDER`] on the wire.
const PROVIDER_WIRE: &[u8] = b"\x0ekestrelhosting\x02sj\0";

#[cfg(test)]
mod tests;
