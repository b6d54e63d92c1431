//! The kinds of questions that an upstream is tried with, each for itself: some lie about one and not about
//! another.

use super::zone::is_below;
use crate::resolve::question::{Kind, Question};

/// A kind of control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum ControlKind {
    /// PTR under `in-addr.arpa`.
    PtrV4,
    /// PTR under `ip6.arpa`.
    PtrV6,
    /// IPv4 addresses, and all that has no kind of its own (MX, NS).
    A,
    /// IPv6 addresses.
    Aaaa,
}

impl ControlKind {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Self; 4] = [Self::PtrV4, Self::PtrV6, Self::A, Self::Aaaa];

    /// The kind of a question.
    pub(super) fn of(question: &Question) -> Self {
        match question.kind {
            Kind::Ptr if is_below(question.name.as_wire(), b"\x03ip6\x04arpa\0") => Self::PtrV6,
            Kind::Ptr => Self::PtrV4,
            Kind::Aaaa => Self::Aaaa,
            Kind::A | Kind::Mx | Kind::Ns | Kind::Soa => Self::A,
        }
    }

    /// The record type that is asked for.
    pub(super) fn record(self) -> Kind {
        match self {
            Self::PtrV4 | Self::PtrV6 => Kind::Ptr,
            Self::A => Kind::A,
            Self::Aaaa => Kind::Aaaa,
        }
    }

    /// Its number.
    pub(super) fn index(self) -> usize {
        self as usize
    }
}
