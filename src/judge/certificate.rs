//! Whether a certificate is for a name: by its own words alone, for nobody has verified it.

use crate::evidence::Observation;
use crate::evidence::{Certificate, TlsStatus};

/// Whether a host shows a certificate that is for other names than this one. Where it shows none, names
/// nobody, could not be read, or has more names than were kept, nobody knows.
pub(super) fn differs(observation: &Observation, name: &str) -> bool {
    let tls = observation.tls.as_ref().filter(|tls| tls.status == TlsStatus::Established);
    let Some(certificate) = tls.and_then(|tls| tls.certificate.as_ref()) else { return false };
    let is_known = certificate.error.is_none() && certificate.count as usize == certificate.names.len();
    is_known && !certificate.names.is_empty() && !is_for(certificate, name)
}

fn is_for(certificate: &Certificate, name: &str) -> bool {
    certificate.names.iter().any(|presented| presents(presented, name))
}

/// RFC 6125 §6.4.3: a wildcard is the whole left-most label and stands for exactly one.
fn presents(presented: &str, name: &str) -> bool {
    match presented.strip_prefix("*.") {
        Some(parent) => name
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
        None => presented.eq_ignore_ascii_case(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Outcome, Tls, X509Error};

    #[test]
    fn a_name_is_presented_as_it_stands_or_by_a_wildcard_for_its_first_label() {
        for (presented, name, is) in [
            ("mail.kestrel.example", "mail.kestrel.example", true),
            ("MAIL.Kestrel.example", "mail.kestrel.example", true),
            ("*.kestrel.example", "mail.kestrel.example", true),
            ("*.kestrel.example", "kestrel.example", false),
            ("*.kestrel.example", "a.mail.kestrel.example", false),
            ("*.kestrel.example", "mail.wren.example", false),
            ("*.kestrel.example", ".kestrel.example", false),
            ("*.*.kestrel.example", "a.mail.kestrel.example", false),
            ("m*.kestrel.example", "mail.kestrel.example", false),
            ("*", "mail", false),
            ("kestrel.example", "mail.kestrel.example", false),
            ("", "mail.kestrel.example", false),
        ] {
            assert_eq!(presents(presented, name), is, "{presented} for {name}");
        }
    }

    fn observation(status: TlsStatus, names: &[&str], count: u32, error: Option<X509Error>) -> Observation {
        let names = names.iter().map(|&name| name.into()).collect();
        let certificate = Certificate { names, count, error, ..Certificate::default() };
        let tls = Tls { certificate: Some(certificate), ..Tls::bare(status) };
        Observation { tls: Some(Box::new(tls)), ..Observation::bare(Outcome::Greeted, 1) }
    }

    #[test]
    fn only_a_certificate_that_is_wholly_known_can_differ() {
        use TlsStatus::{Alert, Established};
        let other = &["mail.wren.example"][..];
        for (status, names, count, error, expected) in [
            (Established, other, 1, None, true),
            (Established, &["mail.wren.example", "mail.kestrel.example"][..], 2, None, false),
            (Established, &["mail.wren.example", "*.kestrel.example"][..], 2, None, false),
            (Established, &[][..], 0, None, false),
            (Established, other, 65, None, false),
            (Established, other, 1, Some(X509Error::Names), false),
            (Alert(80), other, 1, None, false),
        ] {
            let observation = observation(status, names, count, error);
            assert_eq!(
                differs(&observation, "mail.kestrel.example"),
                expected,
                "{names:?} {count} {error:?}"
            );
        }
        assert!(!differs(&Observation::bare(Outcome::Greeted, 1), "mail.kestrel.example"));
    }
}
