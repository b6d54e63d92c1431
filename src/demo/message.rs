//! DNS messages as the block's server reads and writes them (RFC 1035 §4.1): bytes in, bytes out.
//!
//! An encoder of its own, beside the one that the resolver uses: a fault that both shared would go unseen.

use super::zone::{Answer, Data, Fault, Kind, Zone};
use crate::name::DnsName;

/// The most that is sent in one datagram, whatever the client offers: what crosses today's paths unfragmented.
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

/// Writes the reply to one query into `reply`, cleared first. False where nothing is to be sent: not a query, or the
/// answer is silence.
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

/// What is read of a query: one question, and what EDNS adds.
struct Query<'m> {
    id: [u8; 2],
    recursion_desired: u8,
    /// The question as it came, letters in the case they had.
    question: &'m [u8],
    name: DnsName,
    kind: u16,
    /// The datagram size offered; `None` without EDNS (RFC 6891 §6.2.3).
    offered: Option<u16>,
}

impl<'m> Query<'m> {
    /// Reads a query with one question; `None` for what is none, which a server leaves unanswered.
    fn read(message: &'m [u8]) -> Option<Self> {
        let header = message.first_chunk::<HEADER>()?;
        // QR and the opcode are zero in a query; one question, no answer.
        if header[2] & 0xf8 != 0 || header[4..8] != [0, 1, 0, 0] {
            return None;
        }
        let mut end = HEADER;
        while *message.get(end)? != 0 {
            end += 1 + usize::from(message[end]);
        }
        end += 1;
        let name = DnsName::from_wire(message.get(HEADER..end)?)?;
        let &[kind_high, kind_low, _, _] = message.get(end..)?.first_chunk::<4>()?;
        let offered = match message.get(end + 4..) {
            // The OPT record has the root as its owner, and the size where the class would be.
            Some([0, 0, 41, high, low, ..]) if header[11] > 0 => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        };
        Some(Self {
            id: [header[0], header[1]],
            recursion_desired: header[2] & 1,
            question: &message[HEADER..end + 4],
            name,
            kind: u16::from_be_bytes([kind_high, kind_low]),
            offered,
        })
    }

    fn limit(&self, carrier: Carrier) -> usize {
        match carrier {
            Carrier::Tcp => usize::from(u16::MAX),
            Carrier::Udp => self
                .offered
                .map_or(PLAIN_DATAGRAM, |size| usize::from(size).clamp(PLAIN_DATAGRAM, MAX_DATAGRAM)),
        }
    }
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

    /// The SOA of the zone that a negative answer speaks for: the last two labels, `in-addr.arpa` for reverse names.
    fn soa(&mut self, name: &DnsName) {
        let labels: Vec<&[u8]> = name.labels().collect();
        let mut owner = Vec::new();
        for label in labels.iter().skip(labels.len().saturating_sub(2)) {
            owner.push(u8::try_from(label.len()).unwrap_or(0));
            owner.extend_from_slice(label);
        }
        owner.push(0);
        let mut content = Vec::with_capacity(96);
        for label in [b"\x02ns".as_slice(), b"\x0ahostmaster"] {
            content.extend_from_slice(label);
            content.extend_from_slice(PROVIDER_WIRE);
        }
        for number in [1, 7200, 900, 1_209_600, TTL] {
            content.extend_from_slice(&number.to_be_bytes());
        }
        self.put(&owner, TYPE_SOA, &content);
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
            // RFC 2181 §9: with TC set, the client asks again over TCP; nothing of a partial set is worth sending.
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
mod tests {
    use std::collections::HashSet;
    use std::net::Ipv4Addr;

    use hickory_resolver::proto::op::{Edns, Message, MessageType, OpCode, Query as Asked, ResponseCode};
    use hickory_resolver::proto::rr::{Name, RData, RecordType};

    use super::super::zone::{Entry, Held};
    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::parse(text).unwrap()
    }

    fn zone(lines: &[(&str, Kind, Answer)]) -> Held {
        let mut zone = Held::default();
        for (owner, kind, answer) in lines {
            zone.insert(Entry { owner: name(owner), kind: *kind, answer: answer.clone() });
        }
        zone
    }

    fn query(owner: &str, kind: RecordType, edns: Option<u16>) -> Vec<u8> {
        let mut message = Message::new(0x1234, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(Asked::query(Name::from_ascii(owner).unwrap(), kind));
        if let Some(size) = edns {
            let mut options = Edns::new();
            options.set_max_payload(size);
            message.edns = Some(options);
        }
        message.to_vec().unwrap()
    }

    /// The reply as a library that knows nothing of this one reads it.
    fn ask(zone: &Held, owner: &str, kind: RecordType) -> Message {
        let mut reply = Vec::new();
        assert!(
            respond(zone, &query(owner, kind, Some(1232)), Carrier::Udp, &mut reply),
            "no reply for {owner}"
        );
        let message = Message::from_vec(&reply).unwrap();
        assert_eq!((message.metadata.id, message.metadata.message_type), (0x1234, MessageType::Response));
        assert_eq!(message.queries[0].name().to_ascii(), owner);
        assert!(message.metadata.recursion_desired && message.metadata.recursion_available);
        assert!(message.edns.is_some());
        message
    }

    #[test]
    fn answers_are_read_by_another_library() {
        let address = Answer::Records(vec![Data::A(Ipv4Addr::new(192, 0, 2, 1))]);
        let pointer = Answer::Records(vec![Data::Ptr(name("mail.example.org"))]);
        let zone = zone(&[
            ("1.2.0.192.in-addr.arpa", Kind::Ptr, pointer),
            ("mail.example.org", Kind::A, address),
            ("mail.example.org", Kind::Mx, Answer::Records(vec![Data::Mx(10, name("mail.example.org"))])),
            (
                "mail.example.org",
                Kind::Aaaa,
                Answer::Records(vec![Data::Aaaa("2001:db8::1".parse().unwrap())]),
            ),
        ]);
        for (owner, kind, data) in [
            ("1.2.0.192.in-addr.arpa.", RecordType::PTR, "mail.example.org."),
            ("mail.example.org.", RecordType::A, "192.0.2.1"),
            ("MAIL.Example.Org.", RecordType::AAAA, "2001:db8::1"),
            ("mail.example.org.", RecordType::MX, "10 mail.example.org."),
        ] {
            let reply = ask(&zone, owner, kind);
            assert_eq!(reply.metadata.response_code, ResponseCode::NoError);
            assert_eq!(reply.answers.len(), 1);
            assert_eq!(reply.answers[0].name.to_ascii(), owner, "the case of the question comes back");
            assert_eq!(reply.answers[0].data.to_string(), data);
        }
    }

    #[test]
    fn absence_comes_with_the_soa_that_proves_it() {
        let zone = zone(&[("a.example.org", Kind::A, Answer::NoData)]);
        for (owner, code) in [
            ("a.example.org.", ResponseCode::NoError),
            ("b.example.org.", ResponseCode::NXDomain),
            ("1.2.0.192.in-addr.arpa.", ResponseCode::NXDomain),
        ] {
            let reply = ask(&zone, owner, RecordType::A);
            assert_eq!((reply.metadata.response_code, reply.answers.len()), (code, 0), "{owner}");
            assert!(matches!(reply.authorities[0].data, RData::SOA(_)), "{owner}");
            let apex = Name::from_ascii(owner).unwrap().trim_to(2);
            assert_eq!(reply.authorities[0].name, apex);
        }
    }

    #[test]
    fn an_alias_is_followed_within_the_answer() {
        let zone = zone(&[
            ("1.2.0.192.in-addr.arpa", Kind::Ptr, Answer::Alias(name("1.0/26.2.0.192.in-addr.arpa"))),
            (
                "1.0/26.2.0.192.in-addr.arpa",
                Kind::Ptr,
                Answer::Records(vec![Data::Ptr(name("m.example.org"))]),
            ),
        ]);
        let reply = ask(&zone, "1.2.0.192.in-addr.arpa.", RecordType::PTR);
        let shown: Vec<String> = reply.answers.iter().map(|r| format!("{} {}", r.name, r.data)).collect();
        assert_eq!(
            shown,
            [
                r"1.2.0.192.in-addr.arpa. 1.0\/26.2.0.192.in-addr.arpa.",
                r"1.0\/26.2.0.192.in-addr.arpa. m.example.org.",
            ]
        );
    }

    #[test]
    fn every_fault_shows_as_itself() {
        for fault in Fault::ALL {
            let zone = zone(&[("a.example.org", Kind::Ptr, Answer::Fault(fault))]);
            let mut bytes = Vec::new();
            let sent = respond(
                &zone,
                &query("a.example.org.", RecordType::PTR, Some(1232)),
                Carrier::Udp,
                &mut bytes,
            );
            assert_eq!(sent, fault != Fault::Silence, "{fault:?}");
            if !sent {
                continue;
            }
            let read = Message::from_vec(&bytes);
            if matches!(fault, Fault::PointerLoop | Fault::CutShort) {
                assert!(read.is_err(), "{fault:?}");
                continue;
            }
            let reply = read.unwrap();
            let code = reply.metadata.response_code;
            let has_soa = reply.authorities.iter().any(|record| record.record_type() == RecordType::SOA);
            assert!(!has_soa, "{fault:?} proves nothing");
            match fault {
                Fault::ServFail => assert_eq!(code, ResponseCode::ServFail),
                Fault::Refused => assert_eq!(code, ResponseCode::Refused),
                Fault::NotImp => assert_eq!(code, ResponseCode::NotImp),
                Fault::FormErr => assert_eq!(code, ResponseCode::FormErr),
                Fault::Empty => assert!(reply.answers.is_empty() && reply.authorities.is_empty()),
                Fault::Lame => assert_eq!(reply.authorities[0].record_type(), RecordType::NS),
                Fault::OtherOwner => assert_ne!(reply.answers[0].name.to_ascii(), "a.example.org."),
                Fault::AliasLoop => {
                    let owners: HashSet<&Name> = reply.answers.iter().map(|record| &record.name).collect();
                    let targets = reply.answers.iter().filter_map(|record| match &record.data {
                        RData::CNAME(target) => Some(&target.0),
                        _ => None,
                    });
                    assert_eq!(targets.collect::<HashSet<&Name>>(), owners);
                }
                Fault::Silence | Fault::PointerLoop | Fault::CutShort => unreachable!(),
            }
        }
    }

    #[test]
    fn what_does_not_fit_a_datagram_is_cut_and_whole_over_tcp() {
        let records =
            (0..40).map(|n| Data::Ptr(name(&format!("web-{n}.a-long-enough-name.example.org")))).collect();
        let zone = zone(&[("a.example.org", Kind::Ptr, Answer::Records(records))]);
        for (edns, carrier, whole) in [
            (None, Carrier::Udp, false),
            (Some(4096), Carrier::Udp, false),
            (None, Carrier::Tcp, true),
            (Some(512), Carrier::Tcp, true),
        ] {
            let mut bytes = Vec::new();
            assert!(respond(&zone, &query("a.example.org.", RecordType::PTR, edns), carrier, &mut bytes));
            let reply = Message::from_vec(&bytes).unwrap();
            assert_eq!(reply.metadata.truncation, !whole, "{edns:?} {carrier:?}");
            assert_eq!(reply.answers.len(), if whole { 40 } else { 0 });
            assert_eq!(reply.edns.is_some(), edns.is_some());
        }
    }

    #[test]
    fn what_is_no_query_gets_no_reply() {
        let good = query("a.example.org.", RecordType::A, None);
        let changed = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            bytes
        };
        for (why, bytes) in [
            ("empty", Vec::new()),
            ("half a header", good[..7].to_vec()),
            ("a response", changed(2, 0x81)),
            ("another opcode", changed(2, 0x28)),
            ("two questions", changed(5, 2)),
            ("an answer in the query", changed(7, 1)),
            ("a pointer in the name", changed(12, 0xc0)),
            ("a label beyond the end", changed(12, 63)),
            ("no type", good[..good.len() - 4].to_vec()),
        ] {
            let mut reply = Vec::new();
            assert!(!respond(&Held::default(), &bytes, Carrier::Udp, &mut reply), "{why}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
            let mut reply = Vec::new();
            respond(&Held::default(), &bytes, Carrier::Udp, &mut reply);
        }
    }
}
