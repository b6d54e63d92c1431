//! DNS messages as bytes (RFC 1035 §4): a question is written, an answer is read in place. Knows no socket,
//! no clock and no other question than the one it is given. Total: any bytes give a reading, none a panic.

mod letters;
mod name;
mod octets;
mod scan;
mod sections;
mod stale;
#[cfg(test)]
mod tests;

pub use letters::Letters;
pub use scan::{Absence, Fault, Reading, read};
pub use sections::{Data, End, Held, Link, Sections, sections};

use super::question::Kind;
use crate::name::{DnsName, MAX_WIRE_NAME};

/// The answer size that we offer: fits any path without fragments (RFC 9715 §3.2).
pub const EDNS_SIZE: u16 = 1232;
/// A query at its longest: header, name, type and class, OPT record.
pub const MAX_QUERY: usize = HEADER + MAX_WIRE_NAME + 4 + OPT.len();
/// The fixed part of a message (RFC 1035 §4.1.1).
pub(crate) const HEADER: usize = 12;

/// Class IN.
const CLASS_IN: u16 = 1;
/// An OPT record offering [`EDNS_SIZE`], version 0, no flags, no options (RFC 6891 §6.1.2).
const OPT: [u8; 11] = [0, 0, 41, EDNS_SIZE.to_be_bytes()[0], EDNS_SIZE.to_be_bytes()[1], 0, 0, 0, 0, 0, 0];

/// Whether a query offers EDNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edns {
    /// With an OPT record (RFC 6891).
    Offered,
    /// Plain RFC 1035, for those who answer FORMERR to the other.
    Plain,
}

/// Writes a query, recursion desired, one question, behind what `out` holds.
pub fn write_query(out: &mut Vec<u8>, id: u16, name: &DnsName, kind: Kind, edns: Edns) {
    let additional = u8::from(edns == Edns::Offered);
    let [high, low] = id.to_be_bytes();
    out.extend_from_slice(&[high, low, 1, 0, 0, 1, 0, 0, 0, 0, 0, additional]);
    out.extend_from_slice(name.as_wire());
    let [type_high, type_low] = kind.code().to_be_bytes();
    out.extend_from_slice(&[type_high, type_low, 0, 1]);
    if edns == Edns::Offered {
        out.extend_from_slice(&OPT);
    }
}

/// The number that an answer bears: `None` unless it is an answer (QR) to a standard query (opcode 0) at all.
pub fn answer_id(message: &[u8]) -> Option<u16> {
    let header = message.get(..HEADER)?;
    (header[2] & 0xf8 == 0x80).then(|| u16::from_be_bytes([header[0], header[1]]))
}
