//! Messages read beside hickory-proto, whole and broken, and by hand where the two must differ.

use hickory_resolver::proto::op::{Edns as HickoryEdns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::resolve::question::{Exchange, Records};

const NAMES: [&[&[u8]]; 7] = [
    &[b"mail", b"example", b"org"],
    &[b"MAIL", b"Example", b"org"],
    &[b"a.\0\xff", b"example", b"org"],
    &[b"1", b"2", b"0", b"192", b"in-addr", b"arpa"],
    &[b"1", b"0/25", b"2", b"0", b"192", b"in-addr", b"arpa"],
    &[b"example", b"org"],
    &[],
];

fn pick(random: &mut StdRng) -> Name {
    let labels = NAMES.choose(random).copied().unwrap_or_default();
    let mut name = Name::from_labels(labels.iter().copied()).unwrap();
    name.set_fqdn(true);
    name
}

fn ours(name: &Name) -> DnsName {
    let mut wire = Vec::new();
    for label in name {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend_from_slice(label);
    }
    wire.push(0);
    DnsName::from_wire(&wire).unwrap()
}

fn record_type(kind: Kind) -> RecordType {
    RecordType::from(kind.code())
}

/// A message of every shape, with a question of every kind; more sound ones than chance would make.
fn message(random: &mut StdRng) -> (Message, DnsName, Kind) {
    let kind = [Kind::Ptr, Kind::A, Kind::Aaaa, Kind::Mx][random.random_range(0..4)];
    let asked = pick(random);
    let mut message = Message::new(random.random(), MessageType::Response, OpCode::Query);
    message.add_query(Query::query(asked.clone(), record_type(kind)));
    message.metadata.truncation = random.random_ratio(1, 20);
    message.metadata.response_code =
        ResponseCode::from_low([0, 0, 0, 0, 3, 2, 5, 1][random.random_range(0..8)]);
    let mut owner = asked.clone();
    for _ in 0..random.random_range(0..4) {
        let target = pick(random);
        if random.random_ratio(1, 3) {
            message.add_answer(Record::from_rdata(
                owner.clone(),
                random.random(),
                RData::CNAME(CNAME(target.clone())),
            ));
            owner = target;
        }
        let owner = if random.random_ratio(1, 5) { pick(random) } else { owner.clone() };
        let asked_for = random.random_ratio(4, 5);
        let data = match kind {
            Kind::Ptr if asked_for => RData::PTR(PTR(pick(random))),
            Kind::A if asked_for => RData::A(A::new(192, 0, 2, random.random_range(0..3))),
            Kind::Aaaa if asked_for => {
                RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, random.random_range(0..3)))
            }
            Kind::Mx if asked_for => RData::MX(MX::new(random.random_range(0..3), pick(random))),
            _ => RData::NS(NS(pick(random))),
        };
        let mut record = Record::from_rdata(owner, random.random(), data);
        if random.random_ratio(1, 20) {
            record.dns_class = DNSClass::CH;
        }
        message.add_answer(record);
    }
    for _ in 0..random.random_range(0..3) {
        let zone = if random.random_ratio(1, 3) { pick(random) } else { Name::root() };
        let data = if random.random_ratio(1, 3) {
            RData::NS(NS(pick(random)))
        } else {
            RData::SOA(SOA::new(pick(random), pick(random), 1, 2, 3, 4, random.random()))
        };
        message.add_authority(Record::from_rdata(zone, random.random(), data));
    }
    if random.random_bool(0.5) {
        message.edns = Some(HickoryEdns::new());
    }
    (message, ours(&asked), kind)
}

/// What a decoded message says, told from values instead of bytes.
fn reference(message: &Message, asked: &DnsName, kind: Kind) -> Option<Reading> {
    let unclear = Some(Reading::Fault(Fault::Unclear));
    if message.metadata.message_type != MessageType::Response || message.metadata.op_code != OpCode::Query {
        return None;
    }
    let rcode = message.metadata.response_code.low();
    let fault = match rcode {
        0 | 3 => None,
        1 => Some(Fault::FormErr),
        4 => Some(Fault::NotImp),
        5 => Some(Fault::Refused),
        _ => Some(Fault::ServFail),
    };
    match &message.queries[..] {
        [] => return fault.map(Reading::Fault),
        [one] => {
            let same = ours(one.name()) == *asked
                && one.query_type() == record_type(kind)
                && one.query_class() == DNSClass::IN;
            if !same {
                return None;
            }
        }
        _ => return None,
    }
    if let Some(fault) = fault {
        return Some(Reading::Fault(fault));
    }
    if message.metadata.truncation {
        return Some(Reading::Truncated);
    }
    let ttl_of = |record: &Record| if record.ttl >> 31 == 1 { 0 } else { record.ttl };
    let (mut name, mut hops, mut ttl) = (asked.clone(), 0, u32::MAX);
    loop {
        let before = hops;
        for record in &message.answers {
            if let RData::CNAME(target) = &record.data
                && ours(&record.name) == name
                && record.dns_class == DNSClass::IN
            {
                name = ours(&target.0);
                ttl = ttl.min(ttl_of(record));
                hops += 1;
                if hops > 16 {
                    return unclear;
                }
            }
        }
        if before == hops {
            break;
        }
    }
    let wanted = message.answers.iter().filter(|record| record.record_type() == record_type(kind));
    let (own, strange): (Vec<&Record>, Vec<&Record>) =
        wanted.partition(|record| ours(&record.name) == name && record.dns_class == DNSClass::IN);
    let foreign_alias =
        hops == 0 && message.answers.iter().any(|record| record.record_type() == RecordType::CNAME);
    if !own.is_empty() {
        let ttl = own.iter().map(|record| ttl_of(record)).fold(ttl, u32::min);
        let records = values(&own);
        return if rcode == 3 { unclear } else { Some(Reading::Found(records, ttl)) };
    }
    if !strange.is_empty() || foreign_alias {
        return unclear;
    }
    let soa = message.authorities.iter().find_map(|record| {
        let RData::SOA(soa) = &record.data else { return None };
        let zone = ours(&record.name);
        let above = zone == DnsName::root()
            || name == zone
            || name.as_wire().ends_with(zone.as_wire()) && suffixes(&name).contains(&zone);
        let minimum = if soa.minimum >> 31 == 1 { 0 } else { soa.minimum };
        (above && record.dns_class == DNSClass::IN).then(|| (zone, ttl_of(record).min(minimum)))
    });
    let target = (hops > 0).then(|| name.clone());
    match (rcode, soa) {
        (3, Some((zone, soa))) => Some(Reading::NxDomain(Absence { zone, target, ttl: soa.min(ttl) })),
        (0, Some((zone, soa))) => Some(Reading::NoData(Absence { zone, target, ttl: soa.min(ttl) })),
        (0, None) if hops > 0 => Some(Reading::Alias(name, ttl)),
        _ => unclear,
    }
}

/// Records in order, each once.
fn records_of(records: &Records) -> Vec<String> {
    let mut all: Vec<String> = match records {
        Records::None => Vec::new(),
        Records::Names(names) => names.iter().map(ToString::to_string).collect(),
        Records::Addresses(addresses) => addresses.iter().map(ToString::to_string).collect(),
        Records::Exchanges(exchanges) => exchanges.iter().map(|exchange| format!("{exchange:?}")).collect(),
    };
    all.sort_unstable();
    all.dedup();
    all
}

fn suffixes(name: &DnsName) -> Vec<DnsName> {
    let labels: Vec<&[u8]> = name.labels().collect();
    (0..labels.len())
        .map(|from| {
            let mut wire: Vec<u8> = Vec::new();
            for label in &labels[from..] {
                wire.push(u8::try_from(label.len()).unwrap());
                wire.extend_from_slice(label);
            }
            wire.push(0);
            DnsName::from_wire(&wire).unwrap()
        })
        .collect()
}

fn values(records: &[&Record]) -> Records {
    let (mut names, mut addresses, mut exchanges) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        match &record.data {
            RData::PTR(name) if !names.contains(&ours(&name.0)) => names.push(ours(&name.0)),
            RData::A(ip) if !addresses.contains(&ip.0.into()) => addresses.push(ip.0.into()),
            RData::AAAA(ip) if !addresses.contains(&ip.0.into()) => addresses.push(ip.0.into()),
            RData::MX(mx) => {
                let exchange = Exchange { preference: mx.preference, host: ours(&mx.exchange) };
                if !exchanges.contains(&exchange) {
                    exchanges.push(exchange);
                }
            }
            _ => {}
        }
    }
    match (names.is_empty(), addresses.is_empty()) {
        (false, _) => Records::Names(names),
        (_, false) => Records::Addresses(addresses),
        _ => Records::Exchanges(exchanges),
    }
}

#[test]
fn queries_are_what_another_library_reads() {
    for labels in NAMES {
        let mut name = Name::from_labels(labels.iter().copied()).unwrap();
        name.set_fqdn(true);
        for (kind, edns) in [
            (Kind::Ptr, Edns::Offered),
            (Kind::A, Edns::Plain),
            (Kind::Aaaa, Edns::Offered),
            (Kind::Mx, Edns::Plain),
        ] {
            let mut query = Vec::new();
            write_query(&mut query, 0xbeef, &ours(&name), kind, edns);
            assert!(query.len() <= MAX_QUERY);
            let read = Message::from_vec(&query).unwrap();
            assert_eq!((read.metadata.id, read.metadata.message_type), (0xbeef, MessageType::Query));
            assert!(read.metadata.recursion_desired);
            assert_eq!(read.queries, [Query::query(name.clone(), record_type(kind))]);
            assert_eq!(
                read.edns.map(|edns| edns.max_payload()),
                (edns == Edns::Offered).then_some(EDNS_SIZE)
            );
        }
    }
}

#[test]
fn sound_messages_say_what_another_library_reads_in_them() {
    let mut random = StdRng::seed_from_u64(1);
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..20_000 {
        let (message, asked, kind) = message(&mut random);
        let bytes = message.to_vec().unwrap();
        let decoded = Message::from_vec(&bytes).unwrap();
        let reading = read(&bytes, &asked, kind);
        assert_eq!(reading, reference(&decoded, &asked, kind), "{decoded:?}");
        // What is taken apart says the same; of several aliases of one name it takes the first.
        let aliases = decoded.answers.iter().filter(|record| record.record_type() == RecordType::CNAME);
        let apart = sections(&bytes, &asked, kind).map(|sections| sections.chain(&asked, kind).1);
        match (&reading, apart) {
            _ if aliases.count() > 1 => {}
            (Some(Reading::NoData(absence)), Some(End::NoData(other, _)))
            | (Some(Reading::NxDomain(absence)), Some(End::NxDomain(other, _))) => {
                assert_eq!(absence.zone, other);
            }
            (Some(Reading::Found(records, _)), Some(End::Found(others, _))) => {
                assert_eq!(records_of(records), records_of(&others), "{decoded:?}");
            }
            (Some(Reading::Found(..) | Reading::NoData(..) | Reading::NxDomain(..)), other) => {
                panic!("{reading:?} {other:?} {decoded:?}")
            }
            _ => {}
        }
        *seen.entry(word(reading.as_ref())).or_default() += 1;
    }
    // The messages are worth reading: every kind of reading comes, none rarely.
    assert_eq!(seen.len(), 6, "{seen:?}");
    assert!(seen.values().all(|times| *times > 100), "{seen:?}");
}

#[test]
fn broken_messages_never_say_more_than_another_library_reads_in_them() {
    let mut random = StdRng::seed_from_u64(2);
    let (mut both, mut stricter) = (0, 0);
    for _ in 0..60_000 {
        let (message, asked, kind) = message(&mut random);
        let mut bytes = message.to_vec().unwrap();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(2..bytes.len());
            match random.random_range(0..4) {
                0 => bytes.truncate(at),
                1 => bytes[at] = random.random(),
                2 => bytes[at] ^= 1 << random.random_range(0..8),
                _ => bytes.insert(at, random.random()),
            }
            if bytes.len() < 4 {
                break;
            }
        }
        let reading = read(&bytes, &asked, kind);
        let Ok(decoded) = Message::from_vec(&bytes) else { continue };
        both += 1;
        let wanted = reference(&decoded, &asked, kind);
        if reading != wanted {
            // Stricter is right: a pointer into the header, data behind a name.
            assert!(
                matches!(reading, None | Some(Reading::Fault(Fault::Unclear))),
                "{reading:?} {wanted:?} {bytes:?}"
            );
            stricter += 1;
        }
    }
    assert!(both > 10_000 && stricter * 100 < both, "{stricter} of {both}");
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    let mut random = StdRng::seed_from_u64(3);
    let asked = DnsName::parse("mail.example.org").unwrap();
    for _ in 0..60_000 {
        let mut bytes = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 3, 0, 1, 0, 0];
        bytes.extend_from_slice(asked.as_wire());
        bytes.extend_from_slice(&[0, 12, 0, 1]);
        for _ in 0..random.random_range(0..120) {
            // Small numbers, pointers and types more often than chance makes them.
            let byte = match random.random_range(0..4) {
                0 => random.random(),
                1 => 0xc0,
                2 => random.random_range(0..40),
                _ => 0,
            };
            bytes.push(byte);
        }
        let reading = read(&bytes, &asked, Kind::Ptr);
        assert!(reading.is_some(), "the question is ours whatever follows");
        if let Some(sections) = sections(&bytes, &asked, Kind::Ptr) {
            sections.chain(&asked, Kind::Ptr);
        }
    }
}

fn word(reading: Option<&Reading>) -> &'static str {
    match reading {
        None => "not ours",
        Some(Reading::Found(..)) => "found",
        Some(Reading::Alias(..)) => "alias",
        Some(Reading::NoData(..)) => "no data",
        Some(Reading::NxDomain(..)) => "nxdomain",
        Some(Reading::Truncated) => "truncated",
        Some(Reading::Fault(_)) => "fault",
    }
}

#[test]
fn a_long_chain_of_pointers_is_cut_off() {
    let asked = DnsName::parse("a.example").unwrap();
    let mut bytes = vec![0, 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    bytes.extend_from_slice(asked.as_wire());
    bytes.extend_from_slice(&[0, 12, 0, 1]);
    // Each pointer leads to the one before it, the first to the question.
    let owner = bytes.len();
    bytes.extend_from_slice(&[0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 9]);
    let length = bytes.len();
    let hops = 40;
    bytes.extend_from_slice(&u16::try_from(2 * (hops + 1)).unwrap().to_be_bytes());
    let mut target = 12;
    for _ in 0..=hops {
        let at = bytes.len();
        bytes.extend_from_slice(&(0xc000 | u16::try_from(target).unwrap()).to_be_bytes());
        target = at;
    }
    assert_eq!(read(&bytes, &asked, Kind::Ptr), Some(Reading::Fault(Fault::Unclear)));
    // As an owner the same chain names the question, but nobody writes one so long.
    let _ = (owner, length);
    let name = super::name::read(&bytes, target);
    assert!(name.is_none(), "41 pointers are too many");
    assert!(super::name::read(&bytes, length + 2 + 2 * 20).is_some(), "21 are not");
}

#[test]
fn pointers_lead_backwards_and_never_into_the_header() {
    // At 12 the name `a`, at 15 a pointer and the name `b`.
    let message = |target: u8| [&[0; HEADER][..], &[1, b'a', 0, 0xc0, target, 1, b'b', 0]].concat();
    for (target, name) in [(12, Some("a")), (15, None), (17, None), (0, None), (11, None)] {
        let name = name.map(|name| DnsName::parse(name).unwrap());
        assert_eq!(super::name::read(&message(target), 15), name, "to {target}");
    }
}

#[test]
fn names_of_255_octets_are_names_and_longer_ones_are_not() {
    for (last, sound) in [(61, true), (62, false)] {
        let mut bytes = vec![0; HEADER];
        for length in [63, 63, 63, last] {
            bytes.push(length);
            bytes.extend(std::iter::repeat_n(b'a', usize::from(length)));
        }
        bytes.push(0);
        assert_eq!(super::name::read(&bytes, HEADER).is_some(), sound, "{last}");
    }
}

#[test]
fn an_answer_that_is_marked_as_stale_settles_nothing() {
    let asked = DnsName::parse("m.example.org").unwrap();
    let read_with = |options: &[u8]| {
        let mut message = vec![0, 1, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 1];
        message.extend_from_slice(asked.as_wire());
        message.extend_from_slice(&[0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1]);
        message.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, u8::try_from(options.len()).unwrap()]);
        message.extend_from_slice(options);
        let reading = read(&message, &asked, Kind::A);
        word(reading.as_ref())
    };
    for (options, told) in [
        (&[][..], "found"),
        (&[0, 15, 0, 2, 0, 3], "fault"),
        (&[0, 15, 0, 2, 0, 19], "fault"),
        (&[0, 15, 0, 2, 0, 18], "found"),
        (&[0, 10, 0, 2, 0, 3], "found"),
        (&[0, 10, 0, 0, 0, 15, 0, 5, 0, 3, b'o', b'l', b'd'], "fault"),
        (&[0, 15, 0, 9, 0, 3], "found"),
    ] {
        assert_eq!(read_with(options), told, "{options:?}");
    }
}

/// One record behind a question: its owner, type, time to live, and the name that it holds.
type Held = (&'static str, u16, u8, &'static str);

/// What is read in an answer to a PTR question that holds these records, in this order.
fn read_of(asked: &DnsName, records: &[Held]) -> Option<Reading> {
    let mut message = vec![0, 1, 0x81, 0x80, 0, 1, 0, u8::try_from(records.len()).unwrap(), 0, 0, 0, 0];
    message.extend_from_slice(asked.as_wire());
    message.extend_from_slice(&[0, 12, 0, 1]);
    for &(owner, kind, ttl, target) in records {
        let (owner, target) = (DnsName::parse(owner).unwrap(), DnsName::parse(target).unwrap());
        message.extend_from_slice(owner.as_wire());
        message.extend_from_slice(&kind.to_be_bytes());
        message.extend_from_slice(&[0, 1, 0, 0, 0, ttl]);
        message.extend_from_slice(&u16::try_from(target.as_wire().len()).unwrap().to_be_bytes());
        message.extend_from_slice(target.as_wire());
    }
    read(&message, asked, Kind::Ptr)
}

#[test]
fn a_dname_without_its_cname_is_followed_by_making_the_cname() {
    const PTR: u16 = 12;
    const CNAME: u16 = 5;
    const DNAME: u16 = 39;
    let name = |text: &str| DnsName::parse(text).unwrap();
    let found = |ttl| Some(Reading::Found(Records::Names(vec![name("m.example.org")]), ttl));
    let asked = name("1.2.0.192.in-addr.arpa");
    let dname: Held = ("2.0.192.in-addr.arpa", DNAME, 90, "rev.example.org");
    let ptr: Held = ("1.rev.example.org", PTR, 60, "m.example.org");
    for (records, wanted) in [
        (&[dname, ptr][..], found(60)),
        (&[ptr, dname], found(60)),
        (&[dname], Some(Reading::Alias(name("1.rev.example.org"), 90))),
        // The CNAME stands beside it: the time to live is the DNAME's (RFC 6672 section 3.1).
        (&[dname, ("1.2.0.192.in-addr.arpa", CNAME, 0, "1.rev.example.org"), ptr], found(60)),
        // One leads to the other, and both to a CNAME.
        (
            &[
                dname,
                ("example.org", DNAME, 9, "example.net"),
                ("1.rev.example.net", CNAME, 50, "x.example"),
                ("x.example", PTR, 60, "m.example.org"),
            ],
            found(9),
        ),
        // It moves what stands below its owner: neither the owner itself, nor what ends in the same letters.
        (
            &[("1.2.0.192.in-addr.arpa", DNAME, 90, "rev.example.org"), ptr],
            Some(Reading::Fault(Fault::Unclear)),
        ),
        (
            &[("3.0.192.in-addr.arpa", DNAME, 90, "rev.example.org"), ptr],
            Some(Reading::Fault(Fault::Unclear)),
        ),
        // It leads below itself, and so without an end.
        (&[("in-addr.arpa", DNAME, 90, "x.in-addr.arpa")], Some(Reading::Fault(Fault::Unclear))),
    ] {
        assert_eq!(read_of(&asked, records), wanted, "{records:?}");
    }
}

#[test]
fn a_name_that_a_dname_makes_too_long_is_none() {
    let asked = DnsName::parse(&format!("{}.example", ["a"; 110].join("."))).unwrap();
    let long: &'static str = Box::leak(["b"; 60].join(".").into_boxed_str());
    assert_eq!(read_of(&asked, &[("example", 39, 90, long)]), Some(Reading::Fault(Fault::Unclear)));
}
