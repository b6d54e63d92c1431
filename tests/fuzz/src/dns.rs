//! DNS answers as bytes: whatever comes, a reading is bounded, belongs to its question, and is definite only
//! if the message is.

use std::collections::HashSet;

use banneret::name::{DnsName, HostName};
use banneret::resolve::wire::{Edns, Fault, MAX_QUERY, Reading, answer_id, read, sections, write_query};
use banneret::resolve::{Kind, Records};

use super::draw::Draw;

/// The fixed part of a message (RFC 1035 §4.1.1).
const HEADER: usize = 12;
const KINDS: [Kind; 4] = [Kind::Ptr, Kind::A, Kind::Aaaa, Kind::Mx];

/// One message read as the answer to the question that it repeats.
pub fn answer(data: &[u8]) {
    let mut draw = Draw::new(data);
    let cut = usize::from(draw.number());
    let message = draw.rest();
    let (asked, kind) = question(message);
    let reading = read(message, &asked, kind);
    assert_eq!(read(message, &asked, kind), reading, "a reading depends on the message alone");
    // The reader that takes a message apart takes any.
    if let Some(sections) = sections(message, &asked, kind) {
        sections.chain(&asked, kind);
    }
    let Some(reading) = reading else { return };

    let id = answer_id(message).expect("an answer has a number");
    assert_eq!(message.get(..2), Some(&id.to_be_bytes()[..]));
    assert_reading(message, &asked, kind, &reading);

    // A shorter message never says anything else for certain.
    match read(&message[..cut % message.len()], &asked, kind) {
        None | Some(Reading::Fault(Fault::Unclear)) => {}
        Some(short) => assert_eq!(short, reading, "cut at {}", cut % message.len()),
    }
    // The case of letters in the question is nothing (RFC 4343), another question is not this one.
    let mut shouted = message.to_vec();
    let name = HEADER..(HEADER + asked.as_wire().len()).min(message.len());
    shouted[name].make_ascii_uppercase();
    assert_eq!(read(&shouted, &asked, kind), Some(reading.clone()));
    let other = DnsName::from_host(&HostName::parse("other.example.org").expect("a name"));
    if other != asked && message[4..6] != [0, 0] {
        assert_eq!(read(message, &other, kind), None, "an answer for {asked:?} counts for {other:?}");
    }
    assert_query(&asked, kind, id);
}

/// What must hold of any reading; the counts and codes are read here once more, by hand.
pub fn assert_reading(message: &[u8], asked: &DnsName, kind: Kind, reading: &Reading) {
    let number = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
    let code = number(2) & 15;
    assert!(message.len() >= HEADER && message[2] & 0xf8 == 0x80, "not an answer to a query");
    let echo = message.get(HEADER..HEADER + asked.as_wire().len());
    let is_echoed = number(4) == 1 && echo.is_some_and(|name| name.eq_ignore_ascii_case(asked.as_wire()));
    assert!(
        is_echoed || number(4) == 0 && matches!(reading, Reading::Fault(_)),
        "not an answer to this question"
    );
    match reading {
        Reading::Found(records, _) => {
            assert_eq!(code, 0, "records under a failure");
            assert!(count(records, kind) >= 1 && count(records, kind) <= usize::from(number(6)));
            assert!(message.len() >= HEADER + 11 * count(records, kind), "more records than octets");
        }
        Reading::Alias(name, _) => assert!(code == 0 && name != asked && number(6) > 0),
        Reading::NoData(..) => assert!(code == 0 && number(8) > 0, "absence without a zone to say so"),
        Reading::NxDomain(..) => assert!(code == 3 && number(8) > 0, "absence without a zone to say so"),
        Reading::Truncated => assert!(number(2) & 0x0200 != 0 && matches!(code, 0 | 3)),
        Reading::Fault(fault) => match fault {
            Fault::FormErr => assert_eq!(code, 1),
            Fault::Refused => assert_eq!(code, 5),
            Fault::NotImp => assert_eq!(code, 4),
            Fault::ServFail => assert!(!matches!(code, 0 | 1 | 3 | 4 | 5)),
            Fault::Unclear => assert!(matches!(code, 0 | 3)),
        },
    }
}

/// How many distinct records there are, all of the kind asked.
fn count(records: &Records, kind: Kind) -> usize {
    match records {
        Records::None => 0,
        Records::Names(names) => {
            assert!(matches!(kind, Kind::Ptr | Kind::Soa));
            names.iter().for_each(assert_name);
            distinct(names)
        }
        Records::Addresses(addresses) => {
            assert!(addresses.iter().all(|ip| Kind::of_family(*ip) == kind), "{addresses:?}");
            distinct(addresses)
        }
        Records::Exchanges(exchanges) => {
            assert_eq!(kind, Kind::Mx);
            for exchange in exchanges {
                assert_name(&exchange.host);
            }
            distinct(exchanges)
        }
    }
}

fn distinct<V: Eq + std::hash::Hash>(values: &[V]) -> usize {
    let count = values.iter().collect::<HashSet<_>>().len();
    assert_eq!(count, values.len(), "a record counts twice");
    count
}

/// A name of strangers fits a message, and comes back from the text that stands for it in records.
fn assert_name(name: &DnsName) {
    assert!(name.as_wire().len() <= 255 && name.labels().all(|label| (1..=63).contains(&label.len())));
    let text = name.to_string();
    assert!(text.bytes().all(|b| (0x21..=0x7e).contains(&b)), "{text:?}");
    assert_eq!(DnsName::parse(&text).as_ref(), Ok(name));
    if let Some(host) = name.to_host() {
        assert_eq!(DnsName::from_host(&host), *name);
    }
}

/// A query is bounded and is no answer to itself.
fn assert_query(asked: &DnsName, kind: Kind, id: u16) {
    for edns in [Edns::Offered, Edns::Plain] {
        let mut query = Vec::new();
        write_query(&mut query, id, asked, kind, edns);
        assert!(query.len() <= MAX_QUERY);
        assert_eq!((answer_id(&query), read(&query, asked, kind)), (None, None));
        query[2] |= 0x80;
        assert_eq!(read(&query, asked, kind), Some(Reading::Fault(Fault::Unclear)), "an echo is no answer");
    }
}

/// The question that a message repeats, where it can be read; an ordinary one else.
fn question(message: &[u8]) -> (DnsName, Kind) {
    let ordinary = || DnsName::reverse([192, 0, 2, 1].into());
    let body = message.get(HEADER..).unwrap_or_default();
    let mut end = 0;
    while let Some(&length @ 1..=63) = body.get(end) {
        end += 1 + usize::from(length);
    }
    let name = body.get(..=end).and_then(DnsName::from_wire);
    let code = body.get(end + 1..end + 3).map_or(12, |code| u16::from_be_bytes([code[0], code[1]]));
    let kind = KINDS.into_iter().find(|kind| kind.code() == code).unwrap_or(Kind::Ptr);
    (name.unwrap_or_else(ordinary), kind)
}
