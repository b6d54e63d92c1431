//! Well-known mail services whose names strangers borrow.

use crate::name;

/// The first labels of the services' own registrable domains, whatever the suffix (`yahoo.co.jp`), each with
/// the service that it belongs to. Sorted.
const BRANDS: &[(&str, &str)] = &[
    ("1e100", "google"),
    ("amazonaws", "amazon"),
    ("amazonses", "amazon"),
    ("aol", "yahoo"),
    ("fastmail", "fastmail"),
    ("gmail", "google"),
    ("gmx", "gmx"),
    ("google", "google"),
    ("googlemail", "google"),
    ("hotmail", "microsoft"),
    ("icloud", "apple"),
    ("mailchimp", "mailchimp"),
    ("mailgun", "mailgun"),
    ("mandrillapp", "mailchimp"),
    ("messagelabs", "symantec"),
    ("messagingengine", "fastmail"),
    ("microsoft", "microsoft"),
    ("mimecast", "mimecast"),
    ("office365", "microsoft"),
    ("outlook", "microsoft"),
    ("pphosted", "proofpoint"),
    ("protonmail", "proton"),
    ("sendgrid", "sendgrid"),
    ("yahoo", "yahoo"),
    ("yahoodns", "yahoo"),
    ("ymail", "yahoo"),
];

/// The service whose name a host name claims.
///
/// The name claims it if its registrable domain is the service's, or if the service's whole `com` domain
/// stands among its labels (`mx.google.com.kestrel.example`). A label alone is no claim:
/// `outlook.kestrel.example` is a common name for a web client.
pub(super) fn brand(name: &str) -> Option<&'static str> {
    let domain = name::registrable(name)?;
    let own = name::first_label(domain);
    owner(own).or_else(|| if name.contains(".com.") { claimed_inside(name) } else { None })
}

fn owner(label: &str) -> Option<&'static str> {
    let at = BRANDS.binary_search_by(|(known, _)| known.cmp(&label)).ok()?;
    BRANDS.get(at).map(|(_, service)| *service)
}

fn claimed_inside(name: &str) -> Option<&'static str> {
    let labels = name.split('.');
    labels
        .clone()
        .zip(labels.skip(1))
        .find_map(|(label, next)| if next == "com" { owner(label) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(BRANDS.is_sorted_by_key(|(label, _)| *label));
    }

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
