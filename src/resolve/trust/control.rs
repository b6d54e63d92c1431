//! One control: a question whose answer is known beforehand, and what the actual answer shows of the
//! upstream.

use std::sync::Arc;

use rand::RngExt;

use super::fixed::KnownHost;
use super::kind::ControlKind;
use crate::evidence::Status;
use crate::name::DnsName;
use crate::resolve::question::{Answer, Kind, Question};

/// Letters of a label that exists nowhere: more than chance or an index of all names finds.
const LETTERS: usize = 24;

/// What a control is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Control {
    /// A host that this upstream has confirmed itself is found.
    Confirmed(KnownHost),
    /// A host that another upstream has confirmed is found.
    Shared(KnownHost),
    /// A fixed name, by its number, is found.
    Fixed(usize, KnownHost),
    /// A name that exists nowhere is not found.
    Absent,
    /// A part of the zone that a denial names.
    Zone(DnsName, ZonePart),
    /// Whether the name of a denial is there under another type.
    Existence(DnsName, Arc<Answer>),
    /// Which prefix the upstream makes IPv6 addresses up under, if any (RFC 7050).
    Dns64,
}

/// What is asked of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ZonePart {
    /// It has an SOA.
    Soa,
    /// It has name servers.
    Servers,
    /// It does not hold a random label.
    Absent,
}

/// What an answer to a control shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Showing {
    /// What exists was found.
    Found,
    /// What exists was denied.
    Denied,
    /// Something else was found.
    Changed,
    /// SERVFAIL, REFUSED, an answer that settles nothing.
    Failed,
    /// No answer.
    Silent,
}

/// What an answer shows that was to hold something.
pub(super) fn showing(control: &Control, kind: ControlKind, answer: &Answer) -> Showing {
    let is_right = match control {
        Control::Confirmed(host) | Control::Shared(host) | Control::Fixed(_, host) => match kind {
            ControlKind::PtrV4 | ControlKind::PtrV6 => answer.names().contains(&host.name),
            ControlKind::A | ControlKind::Aaaa => answer.addresses().contains(&host.ip),
        },
        Control::Absent | Control::Zone(..) | Control::Existence(..) | Control::Dns64 => true,
    };
    match answer.status {
        Status::Found if is_right => Showing::Found,
        Status::Found => Showing::Changed,
        status if status.is_absent() => Showing::Denied,
        Status::TimedOut | Status::NotAsked => Showing::Silent,
        _ => Showing::Failed,
    }
}

/// Questions for names that exist nowhere. Who rewrites absence does it for names that a person may have
/// mistyped, so labels under `com` and `org` are asked for, which the servers of these zones answer out of
/// their memory. Under the reverse zones of the documentation prefixes resolvers answer by themselves (RFC
/// 6303 §4.2, §4.6).
pub(super) fn absent(kind: ControlKind) -> impl Iterator<Item = Question> {
    let zones: [&str; 2] = match kind {
        ControlKind::PtrV4 => ["2.0.192.in-addr.arpa", "org"],
        ControlKind::PtrV6 => ["8.b.d.0.1.0.0.2.ip6.arpa", "org"],
        ControlKind::A | ControlKind::Aaaa => ["com", "org"],
    };
    let name = |zone: &str| DnsName::parse(&format!("{}.{zone}", random_label())).ok();
    zones.into_iter().filter_map(name).map(move |name| Question::new(name, kind.record()))
}

/// The three questions about a zone.
pub(super) fn about(zone: &DnsName, kind: ControlKind) -> Option<[(ZonePart, Question); 3]> {
    let mut wire = vec![u8::try_from(LETTERS).ok()?];
    wire.extend_from_slice(random_label().as_bytes());
    wire.extend_from_slice(zone.as_wire());
    let absent = DnsName::from_wire(&wire)?;
    Some([
        (ZonePart::Soa, Question::new(zone.clone(), Kind::Soa)),
        (ZonePart::Servers, Question::new(zone.clone(), Kind::Ns)),
        (ZonePart::Absent, Question::new(absent, kind.record())),
    ])
}

/// The question that shows the prefix of DNS64.
pub(super) fn dns64() -> Option<Question> {
    Some(Question::new(DnsName::parse("ipv4only.arpa").ok()?, Kind::Aaaa))
}

fn random_label() -> String {
    let mut random = rand::rng();
    (0..LETTERS).map(|_| char::from(random.random_range(b'a'..=b'z'))).collect()
}
