//! A query as the block's server reads it: one question, and what EDNS adds.

use super::{Carrier, HEADER, MAX_DATAGRAM, PLAIN_DATAGRAM};
use crate::name::DnsName;

/// What is read of a query: one question, and what EDNS adds.
pub(super) struct Query<'m> {
    pub(super) id: [u8; 2],
    pub(super) recursion_desired: u8,
    /// The question as it came, letters in the case they had.
    pub(super) question: &'m [u8],
    pub(super) name: DnsName,
    pub(super) kind: u16,
    /// The datagram size offered; `None` without EDNS (RFC 6891 §6.2.3).
    pub(super) offered: Option<u16>,
}

impl<'m> Query<'m> {
    /// Reads a query with one question; `None` for what is none, which a server leaves unanswered.
    pub(super) fn read(message: &'m [u8]) -> Option<Self> {
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

    /// The octets that the reply may have.
    pub(super) fn limit(&self, carrier: Carrier) -> usize {
        match carrier {
            Carrier::Tcp => usize::from(u16::MAX),
            Carrier::Udp => self
                .offered
                .map_or(PLAIN_DATAGRAM, |size| usize::from(size).clamp(PLAIN_DATAGRAM, MAX_DATAGRAM)),
        }
    }
}
