//! What is written is read back by the library that the resolver uses, which knows nothing of the writer.

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
    assert!(respond(zone, &query(owner, kind, Some(1232)), Carrier::Udp, &mut reply), "no reply for {owner}");
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
        ("mail.example.org", Kind::Aaaa, Answer::Records(vec![Data::Aaaa("2001:db8::1".parse().unwrap())])),
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
    for (owner, code, apex) in [
        ("a.example.org.", ResponseCode::NoError, "example.org."),
        ("b.example.org.", ResponseCode::NXDomain, "example.org."),
        ("1.2.0.192.in-addr.arpa.", ResponseCode::NXDomain, "2.0.192.in-addr.arpa."),
    ] {
        let reply = ask(&zone, owner, RecordType::A);
        assert_eq!((reply.metadata.response_code, reply.answers.len()), (code, 0), "{owner}");
        assert!(matches!(reply.authorities[0].data, RData::SOA(_)), "{owner}");
        assert_eq!(reply.authorities[0].name, Name::from_ascii(apex).unwrap());
        for kind in [RecordType::SOA, RecordType::NS] {
            let reply = ask(&zone, apex, kind);
            assert_eq!(reply.answers[0].record_type(), kind, "{apex} is served");
        }
    }
}

#[test]
fn an_alias_is_followed_within_the_answer() {
    let zone = zone(&[
        ("1.2.0.192.in-addr.arpa", Kind::Ptr, Answer::Alias(name("1.0/26.2.0.192.in-addr.arpa"))),
        ("1.0/26.2.0.192.in-addr.arpa", Kind::Ptr, Answer::Records(vec![Data::Ptr(name("m.example.org"))])),
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
        let sent =
            respond(&zone, &query("a.example.org.", RecordType::PTR, Some(1232)), Carrier::Udp, &mut bytes);
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
    #![proptest_config(crate::property_tests::usual())]

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let mut reply = Vec::new();
        respond(&Held::default(), &bytes, Carrier::Udp, &mut reply);
    }
}
