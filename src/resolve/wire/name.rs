//! Names inside a message, compressed or not (RFC 1035 §4.1.4). Bounded: pointers lead strictly backwards and
//! are counted, a name stays within 255 octets.

use super::HEADER;
use crate::name::{DnsName, MAX_WIRE_NAME};

/// Pointers followed in one name. Each compresses at least one label; real messages need two or three.
const MAX_POINTERS: usize = 32;
/// The two bits that make a length octet a pointer.
const POINTER: u8 = 0xc0;

/// Takes the name at `at` out of a message; `None` for a broken one.
pub(super) fn read(message: &[u8], at: usize) -> Option<DnsName> {
    let mut wire = [0; MAX_WIRE_NAME];
    let mut length = 0;
    for label in Labels::new(message, at) {
        let label = label?;
        let end = length + label.len();
        wire.get_mut(length..end)?.copy_from_slice(label);
        length = end;
    }
    DnsName::from_wire(&wire[..length])
}

/// Whether `upper` is `lower` or stands above it, both uncompressed.
pub(super) fn is_above(upper: &[u8], lower: &[u8]) -> bool {
    let mut rest = lower;
    loop {
        if rest == upper {
            return true;
        }
        let Some((&length, tail)) = rest.split_first() else { return false };
        let Some(next) = tail.get(usize::from(length)..).filter(|_| length > 0) else { return false };
        rest = next;
    }
}

/// A pointer to the first name behind the header: how nearly all owners repeat the question.
const TO_QUESTION: [u8; 2] = [POINTER, 12];

/// Whether the name at `at` equals an uncompressed lower-case one.
pub(super) fn equals(message: &[u8], at: usize, wire: &[u8]) -> bool {
    let repeats = message.get(at..at + 2).is_some_and(|pointer| pointer == TO_QUESTION);
    if repeats && message.get(HEADER..HEADER + wire.len()).is_some_and(|name| name.eq_ignore_ascii_case(wire))
    {
        return true;
    }
    let mut rest = wire;
    for label in Labels::new(message, at) {
        let Some(label) = label else { return false };
        let Some((own, tail)) = rest.split_at_checked(label.len()) else { return false };
        if !own.eq_ignore_ascii_case(label) {
            return false;
        }
        rest = tail;
    }
    rest.is_empty()
}

/// Where the name at `at` ends: behind its root octet or its first pointer.
pub(super) fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = *message.get(at)?;
        match length {
            0 => return Some(at + 1),
            1..=63 => at += 1 + usize::from(length),
            POINTER.. => return message.get(at + 1).map(|_| at + 2),
            _ => return None,
        }
    }
}

/// The labels of a name, each with its length octet, the root's last; `None` once where it breaks.
struct Labels<'a> {
    message: &'a [u8],
    at: Option<usize>,
    /// Pointers must lead below this: backwards only, so that none is followed twice.
    floor: usize,
    pointers: usize,
}

impl<'a> Labels<'a> {
    fn new(message: &'a [u8], at: usize) -> Self {
        Self { message, at: Some(at), floor: at, pointers: 0 }
    }

    fn step(&mut self, mut at: usize) -> Option<&'a [u8]> {
        loop {
            let length = *self.message.get(at)?;
            if length < 64 {
                let end = at + 1 + usize::from(length);
                let label = self.message.get(at..end)?;
                self.at = (length > 0).then_some(end);
                return Some(label);
            }
            let low = *self.message.get(at + 1)?;
            let target = usize::from(u16::from_be_bytes([length & !POINTER, low]));
            self.pointers += 1;
            // A pointer into the header names nothing.
            if length < POINTER || target < HEADER || target >= self.floor || self.pointers > MAX_POINTERS {
                return None;
            }
            self.floor = target;
            at = target;
        }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at.take()?;
        Some(self.step(at))
    }
}
