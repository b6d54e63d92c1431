//! What keeps a PTR name from being the name of a host on the Internet. Looks at the name, and at DNS only
//! where it bears out a name that the public DNS does not hold.

use super::defaults;
use super::ptr::Ptr;

/// Why a PTR name is no name for a host on the Internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PtrFlaw {
    /// An underscore, a space, any byte that no host name holds (RFC 952), or the root.
    NotAHostName,
    /// An address.
    Address,
    /// `localhost`.
    Localhost,
    /// A suffix that is not for the public Internet.
    Private,
    /// Below the reverse tree itself: the final dot is missing in the zone file.
    ReverseTree,
    /// No such top-level domain.
    UnknownTld,
}

/// What is wrong with a PTR name, if anything. Where DNS leads there and back, a name outside the public DNS
/// is that of a network of its own, which has names of its own.
pub(super) fn fault(ptr: &Ptr<'_>) -> Option<PtrFlaw> {
    flaw(ptr).filter(|_| !(ptr.is_confirmed() && is_outside_public_dns(ptr)))
}

/// What is wrong with a PTR name by its looks, if anything.
pub(super) fn flaw(ptr: &Ptr<'_>) -> Option<PtrFlaw> {
    let host = match host_name(ptr) {
        Ok(host) => host,
        Err(flaw) => return Some(flaw),
    };
    if host == "localhost" || host.starts_with("localhost.") || host.ends_with(".localhost") {
        Some(PtrFlaw::Localhost)
    } else if host.ends_with(".in-addr.arpa") || host.ends_with(".ip6.arpa") {
        Some(PtrFlaw::ReverseTree)
    } else if defaults::has_private_suffix(host) || defaults::is_under_test(host) {
        Some(PtrFlaw::Private)
    } else if !has_known_tld(host) {
        Some(PtrFlaw::UnknownTld)
    } else {
        None
    }
}

/// The text, if all its labels are those of a host name (RFC 952, RFC 1123 §2.1).
fn host_name<'a>(ptr: &'a Ptr<'_>) -> Result<&'a str, PtrFlaw> {
    let mut last = None;
    for label in ptr.name().labels() {
        let fits = label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        if !fits || label.first() == Some(&b'-') || label.last() == Some(&b'-') {
            return Err(PtrFlaw::NotAHostName);
        }
        last = Some(label);
    }
    match last {
        None => Err(PtrFlaw::NotAHostName),
        Some(label) if label.iter().all(u8::is_ascii_digit) => Err(PtrFlaw::Address),
        Some(_) => Ok(ptr.text()),
    }
}

/// Whether a name stands where no public DNS holds any, but for the reverse tree.
fn is_outside_public_dns(ptr: &Ptr<'_>) -> bool {
    let Ok(host) = host_name(ptr) else { return false };
    let is_reverse = host.ends_with(".in-addr.arpa") || host.ends_with(".ip6.arpa");
    !is_reverse
        && (defaults::has_private_suffix(host) || defaults::is_under_test(host) || !has_known_tld(host))
}

fn has_known_tld(name: &str) -> bool {
    let tld = name.rsplit('.').next().unwrap_or(name);
    // `example` is not delegated and never will be (RFC 2606 §2); documentation and this project's own tests
    // live there.
    matches!(tld, "example" | "test") || psl::suffix(tld.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::{HERE, ptr};

    #[test]
    fn ptr_names_that_no_host_can_have_are_told() {
        for (name, expected) in [
            ("mail_1.kestrel.example", Some(PtrFlaw::NotAHostName)),
            (r"mail\032x.kestrel.example", Some(PtrFlaw::NotAHostName)),
            (r"a\.b.kestrel.example", Some(PtrFlaw::NotAHostName)),
            (r"\255.kestrel.example", Some(PtrFlaw::NotAHostName)),
            ("-x.kestrel.example", Some(PtrFlaw::NotAHostName)),
            (".", Some(PtrFlaw::NotAHostName)),
            ("192.0.2.1", Some(PtrFlaw::Address)),
            ("1.2.0.192.in-addr.arpa", Some(PtrFlaw::ReverseTree)),
            ("mail.kestrel.example.2.0.192.in-addr.arpa", Some(PtrFlaw::ReverseTree)),
            ("localhost", Some(PtrFlaw::Localhost)),
            ("localhost.localdomain", Some(PtrFlaw::Localhost)),
            ("localhost.kestrel.example", Some(PtrFlaw::Localhost)),
            ("mail.local", Some(PtrFlaw::Private)),
            ("ip-10-0-0-1.ec2.internal", Some(PtrFlaw::Private)),
            ("x.invalid", Some(PtrFlaw::Private)),
            ("x.test", Some(PtrFlaw::Private)),
            ("mail", Some(PtrFlaw::UnknownTld)),
            ("mail.kestrel.notatld", Some(PtrFlaw::UnknownTld)),
            ("mail.kestrel.example", None),
            ("mail.example.org", None),
            ("192-0-2-1.dyn.kestrel.example", None),
            ("xn--bcher-kva.de", None),
            ("3com.net", None),
            ("mx.kestrel.co.uk", None),
            ("mx.kestrel.photography", None),
        ] {
            let resolution = ptr(&format!("{name}=elsewhere"));
            assert_eq!(flaw(&Ptr::all(&resolution, Some(HERE.into()))[0]), expected, "{name}");
        }
        for name in ["x.test", "mail.local", "mail", "localhost", "mail.kestrel.notatld"] {
            let resolution = ptr(&format!("{name}=here"));
            assert_eq!(
                fault(&Ptr::all(&resolution, Some(HERE.into()))[0]),
                None,
                "{name} in its own network"
            );
        }
        for name in ["mail_1.lan", "localhost.kestrel.example", "1.2.0.192.in-addr.arpa"] {
            let resolution = ptr(&format!("{name}=here"));
            assert!(fault(&Ptr::all(&resolution, Some(HERE.into()))[0]).is_some(), "{name}");
        }
    }
}
