//! A certificate read from its octets: bounded, total, and without any opinion of its worth.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::{Any, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::tls::{Certificate, X509Error};
use crate::name::HostName;

/// The most names that are kept: public authorities put at most 100 into one certificate, few need more than
/// ten.
pub const MAX_NAMES: usize = 64;
/// The most octets of a name that are kept: those of the longest host name, a wildcard and its dot (RFC 1035
/// §2.3.4).
const MAX_NAME: usize = 255;
/// The last second that four digits of a year can say.
const LAST: u64 = 253_402_300_799;

impl Certificate {
    /// Reads what can be read: of any octets at least their hash.
    pub fn read(der: &[u8]) -> Self {
        let unread = Self { sha256: Sha256::digest(der).into(), ..Self::default() };
        let Ok(([], parsed)) = X509Certificate::from_der(der) else {
            return Self { error: Some(X509Error::Malformed), ..unread };
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
                let common = parsed.subject().iter_common_name().map(|name| octets(name.attr_value()));
                read.with_names(&common.collect::<Vec<_>>())
            }
            Ok(names) => read.with_names(&names.into_iter().map(Cow::Borrowed).collect::<Vec<_>>()),
        }
    }

    fn with_names(self, names: &[Cow<'_, [u8]>]) -> Self {
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

/// The octets of a text, as UTF-8 where its type has another alphabet: two or four octets a character (X.680
/// §41), or Latin-1, which is what Teletex strings hold in practice. A text that breaks its type stays as it
/// stands.
fn octets<'a>(text: &'a Any<'_>) -> Cow<'a, [u8]> {
    let data: &[u8] = text.data;
    let read: Option<String> = match text.header.tag() {
        Tag::BmpString => {
            let (units, rest) = data.as_chunks::<2>();
            let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
            char::decode_utf16(units).collect::<Result<_, _>>().ok().filter(|_| rest.is_empty())
        }
        Tag::UniversalString => {
            let (units, rest) = data.as_chunks::<4>();
            let units = units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit)));
            units.collect::<Option<_>>().filter(|_| rest.is_empty())
        }
        Tag::TeletexString => Some(data.iter().copied().map(char::from).collect()),
        _ => None,
    };
    read.map_or(Cow::Borrowed(data), |text| Cow::Owned(text.into_bytes()))
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
    let (seconds, last) = (time.timestamp(), LAST);
    let distance = Duration::from_secs(seconds.unsigned_abs().min(last));
    // Certificates may say years from 1950 on in two digits, and any year in four (RFC 5280 §4.1.2.5).
    if seconds < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::string::Ia5String;
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn certificate(
        common: &[&str],
        alternatives: &[&str],
        adapt: impl FnOnce(&mut CertificateParams),
    ) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        for name in common {
            params.distinguished_name.push(DnType::CommonName, DnValue::Utf8String((*name).to_owned()));
        }
        let names = alternatives.iter().map(|&name| SanType::DnsName(Ia5String::try_from(name).unwrap()));
        params.subject_alt_names = names.collect();
        adapt(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn names(der: &[u8]) -> (Vec<String>, u32, Option<X509Error>) {
        let read = Certificate::read(der);
        (read.names.iter().map(ToString::to_string).collect(), read.count, read.error)
    }

    #[test]
    fn the_names_are_those_of_the_subject_alternative_else_the_common_one() {
        for (common, alternatives, expected) in [
            (&[][..], &["mail.example.org"][..], &["mail.example.org"][..]),
            (&["other.example.net"], &["mail.example.org"], &["mail.example.org"]),
            (&["mail.example.org"], &[], &["mail.example.org"]),
            (&[], &["MAIL.Example.ORG", "*.Example.org"], &["mail.example.org", "*.example.org"]),
            (&["*.example.org"], &[], &["*.example.org"]),
            (&["Example Mail Server"], &[], &["Example Mail Server"]),
            (&["mail.example.org\0.example.net"], &[], &["mail.example.org\\x00.example.net"]),
            (&["büro"], &[], &["xn--bro-hoa"]),
            (&["größer & größer"], &[], &["gr\\xc3\\xb6\\xc3\\x9fer & gr\\xc3\\xb6\\xc3\\x9fer"]),
            (&["a\\b"], &[], &["a\\\\b"]),
            (
                &[],
                &["\x1b]52;c;x\x07", "<script>alert(1)</script>"],
                &["\\x1b]52;c;x\\x07", "<script>alert(1)</script>"],
            ),
            (&[], &[], &[]),
        ] {
            let (found, count, error) = names(&certificate(common, alternatives, |_| {}));
            assert_eq!(found, expected);
            assert_eq!((count as usize, error), (expected.len(), None), "{expected:?}");
        }
    }

    #[test]
    fn a_text_of_any_type_is_read_as_its_characters() {
        let mail = "mail.größe.example";
        let wide = |width: usize, text: &str| {
            let unit = |c: char| u32::from(c).to_be_bytes()[4 - width..].to_vec();
            text.chars().flat_map(unit).collect::<Vec<u8>>()
        };
        for (tag, data, told) in [
            (12, mail.as_bytes().to_vec(), "mail.xn--gre-6ka8i.example"),
            (19, b"mail.example.org".to_vec(), "mail.example.org"),
            (20, b"mail.gr\xf6\xdfe.example".to_vec(), "mail.xn--gre-6ka8i.example"),
            (28, wide(4, mail), "mail.xn--gre-6ka8i.example"),
            (30, wide(2, mail), "mail.xn--gre-6ka8i.example"),
            (30, wide(2, "Größe & Maß"), "Gr\\xc3\\xb6\\xc3\\x9fe & Ma\\xc3\\x9f"),
            (30, b"\0a\0".to_vec(), "\\x00a\\x00"),
            (30, b"\xd8\0\0a".to_vec(), "\\xd8\\x00\\x00a"),
            (28, b"\xff\0\0a".to_vec(), "\\xff\\x00\\x00a"),
            (22, b"a\xff".to_vec(), "a\\xff"),
        ] {
            let text = Any::from_tag_and_data(Tag(tag), &data);
            assert_eq!(&*shown(&octets(&text)), told, "{tag}");
        }
    }

    #[test]
    fn names_of_other_kinds_are_no_names() {
        let der = certificate(&["mail.example.org"], &[], |params| {
            params.subject_alt_names = vec![
                SanType::IpAddress([192, 0, 2, 1].into()),
                SanType::Rfc822Name(Ia5String::try_from("root@example.org").unwrap()),
            ];
        });
        assert_eq!(names(&der).0, ["mail.example.org"]);
    }

    #[test]
    fn not_all_of_many_names_are_kept() {
        let many: Vec<String> = (0..1000).map(|n| format!("m{n}.example.org")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let (found, count, error) = names(&certificate(&[], &many, |_| {}));
        assert_eq!((found.len(), count, error), (MAX_NAMES, 1000, None));
        let long = "x".repeat(60_000);
        assert_eq!(names(&certificate(&[&long], &[], |_| {})).0[0].len(), MAX_NAME);
    }

    #[test]
    fn validity_is_told_as_it_stands() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        let before = |seconds| Some(UNIX_EPOCH - Duration::from_secs(seconds));
        for (from, until, not_before, not_after) in [
            ((2020, 1, 1), (2021, 1, 1), at(1_577_836_800), at(1_609_459_200)),
            ((2021, 1, 1), (2020, 1, 1), at(1_609_459_200), at(1_577_836_800)),
            ((1950, 1, 1), (9999, 12, 31), before(631_152_000), at(LAST + 1 - 86_400)),
        ] {
            let read = Certificate::read(&certificate(&["a.example.org"], &[], |params| {
                params.not_before = date_time_ymd(from.0, from.1, from.2);
                params.not_after = date_time_ymd(until.0, until.1, until.2);
            }));
            assert_eq!((read.not_before, read.not_after, read.error), (not_before, not_after, None));
        }
    }

    #[test]
    fn of_any_octets_there_is_a_hash() {
        let der = certificate(&["mail.example.org"], &[], |_| {});
        let read = Certificate::read(&der);
        assert_eq!(read.sha256[..], Sha256::digest(&der)[..]);
        for odd in [&b""[..], b"\x30\x00", b"garbage", &der[..der.len() - 1], &[&der[..], b"\0"].concat()] {
            let read = Certificate::read(odd);
            assert_eq!(read.error, Some(X509Error::Malformed), "{}", odd.len());
            assert_eq!((read.sha256[..].to_vec(), read.count), (Sha256::digest(odd).to_vec(), 0));
        }
    }

    proptest! {
        #![proptest_config(crate::property_tests::cases(64))]

        #[test]
        fn reading_is_total(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut der = certificate(&["a.example.org"], &["*.example.org", "b.example.org"], |_| {});
            for (at, octet) in changes {
                let at = at.index(der.len());
                der[at] = octet;
            }
            let read = Certificate::read(&der);
            prop_assert!(read.names.len() <= MAX_NAMES);
            prop_assert!(read.names.iter().all(|name| name.bytes().all(|b| (b' '..=b'~').contains(&b))));
        }

        #[test]
        fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Certificate::read(&octets);
        }
    }
}
