//! Well-known mail services whose names strangers borrow.

use crate::name;

/// The services: the first label of the registrable domains that are one's own, whatever the suffix (`yahoo.co.jp`).
const BRANDS: &[&[&str]] = &[
    &["google", "googlemail", "gmail", "1e100"],
    &["outlook", "hotmail", "microsoft", "office365"],
    &["yahoo", "yahoodns", "ymail", "aol"],
    &["icloud"],
    &["amazonses", "amazonaws"],
    &["sendgrid"],
    &["mandrillapp", "mailchimp"],
    &["mailgun"],
    &["pphosted"],
    &["mimecast"],
    &["messagelabs"],
    &["protonmail"],
    &["gmx"],
    &["fastmail", "messagingengine"],
];

/// The service whose name a host name claims, as its place in the table.
///
/// The name claims it if its registrable domain is the service's, or if the service's whole `com` domain stands among
/// its labels (`mx.google.com.kestrel.example`). A label alone is no claim: `outlook.kestrel.example` is a common name
/// for a web client.
pub(super) fn brand(name: &str) -> Option<usize> {
    let domain = name::registrable(name)?;
    let own = domain.split('.').next()?;
    BRANDS
        .iter()
        .position(|labels| labels.contains(&own) || labels.iter().any(|label| names_com(name, label)))
}

fn names_com(name: &str, label: &str) -> bool {
    let mut labels = name.split('.').peekable();
    while let Some(at) = labels.next() {
        if at == label && labels.peek() == Some(&"com") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_claims_a_service_by_domain() {
        for (name, other, same) in [
            ("mx.google.com", "x.1e100.net", true),
            ("mta.yahoo.co.jp", "mta1.am0.yahoodns.net", true),
            ("mx.google.com", "mail.outlook.com", false),
            ("mx.google.com.kestrel.example", "gmail.com", true),
        ] {
            assert!(brand(name).is_some(), "{name}");
            assert_eq!(brand(name) == brand(other), same, "{name} {other}");
        }
        for name in
            ["outlook.kestrel.example", "google.kestrel.example", "mygoogle.com", "com", "localhost", "yahoo"]
        {
            assert_eq!(brand(name), None, "{name}");
        }
    }
}
