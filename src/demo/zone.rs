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

/// One line of the zone: whose, of which type, and the answer; an alias or a whole-name answer stands under every type.
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
        // An alias owns no other data, so it answers for every type (RFC 1034 §3.6.2).
        kinds
            .iter()
            .find_map(|(_, answer)| matches!(answer, Answer::Alias(_)).then(|| answer.clone()))
            .unwrap_or(Answer::NoData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for (owner, kind, answer) in [
            ("a.example", Some(Kind::A), address),
            ("A.Example", Some(Kind::Aaaa), Answer::NoData),
            ("a.example", None, Answer::NoData),
            ("b.example", Some(Kind::Aaaa), Answer::Alias(name("a.example"))),
            ("c.example", Some(Kind::A), Answer::NxDomain),
        ] {
            assert_eq!(zone.find(&name(owner), kind), answer, "{owner} {kind:?}");
        }
    }
}
