//! A certificate read from its octets: bounded, total, and without any opinion of its worth.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::tls::{Certificate, X509Error};
use crate::name::HostName;

/// The most names that are kept: public authorities put at most 100 into one certificate, few need more than ten.
pub const MAX_NAMES: usize = 64;
/// The most octets of a name that are kept: those of the longest host name, a wildcard and its dot (RFC 1035 §2.3.4).
const MAX_NAME: usize = 255;
/// The last second that four digits of a year can say.
const LAST: u64 = 253_402_300_799;

impl Certificate {
    /// Reads what can be read: of any octets at least their hash.
    pub fn read(der: &[u8]) -> Self {
        let unread = Self { sha256: Sha256::digest(der).into(), ..Self::default() };
        let parsed = match X509Certificate::from_der(der) {
            Ok(([], parsed)) => parsed,
            Ok(_) | Err(_) => return Self { error: Some(X509Error::Malformed), ..unread },
        };
        let validity = parsed.validity();
        let read = Self {
            not_before: Some(point(validity.not_before)),
            not_after: Some(point(validity.not_after)),
            ..unread
        };
        match alternative_names(&parsed) {
            Err(error) => Self { error: Some(error), ..read },
            Ok(names) if names.is_empty() => {
                let common = parsed.subject().iter_common_name().map(|name| name.attr_value().data);
                read.with_names(&common.collect::<Vec<_>>())
            }
            Ok(names) => read.with_names(&names),
        }
    }

    fn with_names(self, names: &[&[u8]]) -> Self {
        let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
        Self { names: names.iter().take(MAX_NAMES).map(|name| shown(name)).collect(), count, ..self }
    }
}

/// The dNSName entries; none where the certificate has no such extension.
fn alternative_names<'a>(certificate: &'a X509Certificate<'_>) -> Result<Vec<&'a [u8]>, X509Error> {
    let extension = certificate.subject_alternative_name().map_err(|_| X509Error::Names)?;
    let names = extension.map(|extension| &extension.value.general_names).into_iter().flatten();
    let mut found = Vec::new();
    for name in names {
        match name {
            GeneralName::DNSName(name) => found.push(name.as_bytes()),
            GeneralName::Invalid(..) => return Err(X509Error::Names),
            _ => {}
        }
    }
    Ok(found)
}

/// A name in normal form if it is a host name, perhaps behind a wildcard; else as it stands, made printable.
fn shown(name: &[u8]) -> Box<str> {
    let text = std::str::from_utf8(name).unwrap_or_default();
    let (wildcard, host) = text.strip_prefix("*.").map_or(("", text), |host| ("*.", host));
    if let Ok(host) = HostName::parse(host) {
        return format!("{wildcard}{}", host.as_str()).into();
    }
    let mut shown = String::new();
    for &byte in name.iter().take(MAX_NAME) {
        match byte {
            b'\\' => shown.push_str("\\\\"),
            b' '..=b'~' => shown.push(char::from(byte)),
            // Writing to a `String` does not fail.
            _ => drop(write!(shown, "\\x{byte:02x}")),
        }
    }
    shown.into()
}

fn point(time: ASN1Time) -> SystemTime {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    UNIX_EPOCH + Duration::from_secs(seconds.min(LAST))
}
