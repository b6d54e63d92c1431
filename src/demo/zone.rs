//! What DNS holds of the block: a map from name and type to an answer, faults among them. Knows no message.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name::DnsName;

/// The types that are kept apart; a question for any other finds no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An IPv4 address (RFC 1035 §3.4.1).
    A,
    /// An IPv6 address (RFC 3596 §2.1).
    Aaaa,
    /// The name of an address (RFC 1035 §3.3.12).
    Ptr,
    /// A mail exchanger (RFC 1035 §3.3.9).
    Mx,
}

impl Kind {
    /// The number on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ptr => 12,
            Self::Mx => 15,
            Self::Aaaa => 28,
        }
    }

    /// The kind of a number on the wire.
    pub fn of_code(code: u16) -> Option<Self> {
        [Self::A, Self::Ptr, Self::Mx, Self::Aaaa].into_iter().find(|kind| kind.code() == code)
    }
}

/// The content of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// A.
    A(Ipv4Addr),
    /// AAAA.
    Aaaa(Ipv6Addr),
    /// PTR.
    Ptr(DnsName),
    /// MX: preference, exchanger.
    Mx(u16, DnsName),
}

impl Data {
    /// Its type.
    pub fn kind(&self) -> Kind {
        match self {
            Self::A(_) => Kind::A,
            Self::Aaaa(_) => Kind::Aaaa,
            Self::Ptr(_) => Kind::Ptr,
            Self::Mx(..) => Kind::Mx,
        }
    }
}

/// What a resolver in trouble, or a server in error, answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// SERVFAIL.
    ServFail,
    /// REFUSED.
    Refused,
    /// NOTIMP.
    NotImp,
    /// FORMERR.
    FormErr,
    /// No answer at all.
    Silence,
    /// NOERROR with a referral to servers that were not asked for: NS, no SOA.
    Lame,
    /// Two aliases that point at each other.
    AliasLoop,
    /// A record, but of another name.
    OtherOwner,
    /// NOERROR with neither answer nor SOA.
    Empty,
    /// A compression pointer to itself where a name should be (RFC 1035 §4.1.4 allows prior ones only).
    PointerLoop,
    /// A message that ends in the middle of a record.
    CutShort,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::ServFail,
        Self::Refused,
        Self::NotImp,
        Self::FormErr,
        Self::Silence,
        Self::Lame,
        Self::AliasLoop,
        Self::OtherOwner,
        Self::Empty,
        Self::PointerLoop,
        Self::CutShort,
    ];
}

/// What is answered to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records of the type.
    Records(Vec<Data>),
    /// The name is an alias of another, whatever the type.
    Alias(DnsName),
    /// The name exists, the type does not: an SOA says so (RFC 2308 §2.2).
    NoData,
    /// The name does not exist: an SOA says so (RFC 2308 §2.1).
    NxDomain,
    /// Trouble.
    Fault(Fault),
}

/// One line of the zone: whose, of which type, and the answer; an alias or a whole-name answer stands under
/// every type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The owner.
    pub owner: DnsName,
    /// The type.
    pub kind: Kind,
    /// The answer.
    pub answer: Answer,
}

/// Where answers come from.
pub trait Zone: Send + Sync {
    /// The answer to a question; aliases are not followed. A type that [`Kind`] does not know is `None`.
    fn find(&self, owner: &DnsName, kind: Option<Kind>) -> Answer;

    /// Whether a name is that of a zone which is served: it then has an SOA and a name server.
    fn is_served(&self, zone: &DnsName) -> bool {
        cut(zone) == *zone
    }
}

/// The zone that a name is in: the /24 or /48 of a reverse name, else the last two labels.
pub fn cut(name: &DnsName) -> DnsName {
    let labels: Vec<&[u8]> = name.labels().collect();
    let depth = match labels.as_slice() {
        [.., b"in-addr", b"arpa"] => 5,
        [.., b"ip6", b"arpa"] => 14,
        _ => 2,
    };
    let mut wire = Vec::with_capacity(name.as_wire().len());
    for label in &labels[labels.len().saturating_sub(depth)..] {
        wire.push(u8::try_from(label.len()).unwrap_or(0));
        wire.extend_from_slice(label);
    }
    wire.push(0);
    DnsName::from_wire(&wire).unwrap_or_else(DnsName::root)
}

/// A zone held in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    names: HashMap<DnsName, Vec<(Kind, Answer)>>,
}

impl Held {
    /// Adds a line. Two lines for one owner and type are one fact told twice; the first stays.
    pub fn insert(&mut self, entry: Entry) {
        let kinds = self.names.entry(entry.owner).or_default();
        if kinds.iter().all(|(kind, _)| *kind != entry.kind) {
            kinds.push((entry.kind, entry.answer));
        }
    }
}

impl Zone for Held {
    fn find(&self, owner: &DnsName, kind: Option<Kind>) -> Answer {
        let Some(kinds) = self.names.get(owner) else { return Answer::NxDomain };
        if let Some((_, answer)) = kinds.iter().find(|(held, _)| Some(*held) == kind) {
            return answer.clone();
        }
        // An alias owns no other data, so it answers for every type (RFC 1034 §3.6.2), and so does a name
        // that does not exist (RFC 8020 §2).
        kinds
            .iter()
            .find_map(|(_, it)| matches!(it, Answer::Alias(_) | Answer::NxDomain).then(|| it.clone()))
            .unwrap_or(Answer::NoData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_comes_from_a_zone_that_is_served() {
        let zone = Held::default();
        for (name, of) in [
            ("9.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa"),
            ("x.2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa"),
            ("mail.a.example", "a.example"),
            ("a.example", "a.example"),
            ("example", "example"),
            (".", "."),
        ] {
            let (name, of) = (DnsName::parse(name).unwrap(), DnsName::parse(of).unwrap());
            assert_eq!(cut(&name), of);
            assert!(zone.is_served(&of) && zone.is_served(&name) == (name == of), "{name}");
        }
        let host = DnsName::reverse("2001:db8:1:2::9".parse().unwrap());
        assert_eq!(cut(&host).to_string(), "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }

    #[test]
    fn absence_has_two_kinds_and_an_alias_answers_for_every_type() {
        let name = |text: &str| DnsName::parse(text).unwrap();
        let mut zone = Held::default();
        let address = Answer::Records(vec![Data::A(Ipv4Addr::new(192, 0, 2, 1))]);
        zone.insert(Entry { owner: name("a.example"), kind: Kind::A, answer: address.clone() });
        zone.insert(Entry {
            owner: name("b.example"),
            kind: Kind::A,
            answer: Answer::Alias(name("a.example")),
        });
        zone.insert(Entry { owner: name("d.example"), kind: Kind::A, answer: Answer::NxDomain });
        for (owner, kind, answer) in [
            ("a.example", Some(Kind::A), address),
            ("A.Example", Some(Kind::Aaaa), Answer::NoData),
            ("a.example", None, Answer::NoData),
            ("b.example", Some(Kind::Aaaa), Answer::Alias(name("a.example"))),
            ("c.example", Some(Kind::A), Answer::NxDomain),
            ("d.example", None, Answer::NxDomain),
        ] {
            assert_eq!(zone.find(&name(owner), kind), answer, "{owner} {kind:?}");
        }
    }
}
