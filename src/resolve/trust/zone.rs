//! Which zones an upstream can be tried with: those that belong to somebody, below a public suffix of the
//! root.

use crate::name::DnsName;

/// The trees of reverse names.
const REVERSE: [&[u8]; 2] = [b"\x07in-addr\x04arpa\0", b"\x03ip6\x04arpa\0"];

/// Whether a name in wire form, lower case, lies below another, and is not that name itself.
pub(super) fn is_below(name: &[u8], above: &[u8]) -> bool {
    let mut rest = name;
    while rest.len() > above.len() {
        let Some(next) = rest.get(usize::from(rest[0]) + 1..) else { return false };
        rest = next;
        if rest == above {
            return true;
        }
    }
    false
}

/// The one private zone under `arpa` (RFC 8375).
const HOME: &[u8] = b"\x04home\x04arpa\0";

/// Whether a zone lies below a top-level domain, `in-addr.arpa` or `ip6.arpa`. A private suffix of one label
/// that the root does not know, as `lan`, belongs to whoever serves it, and counts too.
pub(super) fn can_be_tried(zone: &DnsName) -> bool {
    let wire = zone.as_wire();
    if REVERSE.iter().any(|tree| is_below(wire, tree)) || wire == HOME || is_below(wire, HOME) {
        return true;
    }
    let mut labels = zone.labels();
    match (labels.next(), labels.next()) {
        (None, _) => false,
        (Some(only), None) => !psl::suffix(only).is_some_and(|suffix| suffix.is_known()) && only != b"arpa",
        (Some(_), Some(_)) => !is_below(wire, b"\x04arpa\0"),
    }
}

/// A name, and the names above it that can be zones to be tried.
pub(super) fn above(name: &DnsName) -> impl Iterator<Item = DnsName> + '_ {
    let mut rest = name.as_wire();
    std::iter::from_fn(move || {
        let zone = DnsName::from_wire(rest).filter(|_| rest.len() > 1)?;
        rest = rest.get(usize::from(rest[0]) + 1..)?;
        Some(zone)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_that_belong_to_somebody_can_be_tried() {
        for (zone, can) in [
            (".", false),
            ("com", false),
            ("org", false),
            ("arpa", false),
            ("in-addr.arpa", false),
            ("ip6.arpa", false),
            ("home.arpa", true),
            ("e164.arpa", false),
            ("192.in-addr.arpa", true),
            ("10.in-addr.arpa", true),
            ("2.0.192.in-addr.arpa", true),
            ("8.b.d.0.1.0.0.2.ip6.arpa", true),
            ("example.org", true),
            ("corp.internal", true),
            ("lan", true),
        ] {
            assert_eq!(can_be_tried(&DnsName::parse(zone).unwrap()), can, "{zone}");
        }
    }
}
