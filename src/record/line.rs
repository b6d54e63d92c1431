//! A line of JSON as it stands: every field optional, nothing looked at yet. What its words mean is
//! [`super::read`]'s.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

/// Text that is borrowed from the line where it holds no escape.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Str<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A number of whatever size: whether its field can hold it, is seen later.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    /// A natural one.
    Natural(u64),
    /// A negative one, one with a fraction, or a very large one.
    Other(f64),
}

impl Number {
    /// The number where it is a natural one that fits.
    pub(super) fn natural<T: TryFrom<u64>>(self) -> Option<T> {
        let number = match self {
            Self::Natural(number) => number,
            // Other programs write `220.0` for 220, as in a column that has nulls.
            Self::Other(number) => number.to_string().parse().ok()?,
        };
        T::try_from(number).ok()
    }

    /// The number with its fraction, if it has one.
    pub(super) fn real(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "a number that large is no duration either way")]
            Self::Natural(number) => number as f64,
            Self::Other(number) => number,
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Natural(number) => number.fmt(f),
            // Very large ones are a row of zeros otherwise.
            Self::Other(number) if number.abs() >= 1e15 => write!(f, "{number:e}"),
            Self::Other(number) => number.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number::Natural(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                #[expect(clippy::cast_precision_loss, reason = "it is shown to a person, no more")]
                Ok(u64::try_from(number).map_or(Number::Other(number as f64), Number::Natural))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number::Other(number))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A line as it stands.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    pub(super) schema: Option<Str<'a>>,
    pub(super) time: Option<Str<'a>>,
    pub(super) target: Option<TargetLine<'a>>,
    pub(super) outcome: Option<Str<'a>>,
    pub(super) smtp: Option<SmtpLine<'a>>,
    pub(super) dns: Option<DnsLine<'a>>,
    pub(super) relation: Option<Str<'a>>,
    pub(super) verdict: Option<Str<'a>>,
    pub(super) severity: Option<Str<'a>>,
    pub(super) findings: Option<Vec<Str<'a>>>,
    pub(super) platform: Option<PlatformLine<'a>>,
    pub(super) tenancy: Option<Str<'a>>,
    pub(super) network: Option<NetworkLine<'a>>,
    pub(super) accepted: Option<Vec<AcceptedLine<'a>>>,
    pub(super) clears_by: Option<Vec<Str<'a>>>,
    pub(super) fix: Option<Vec<Str<'a>>>,
    pub(super) scanner: Option<ScannerLine<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ScannerLine<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Str<'a>>,
    pub(super) ip: Option<IpAddr>,
    pub(super) engine: Option<Str<'a>>,
    pub(super) own_addresses: Option<Vec<IpAddr>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TargetLine<'a> {
    #[serde(borrow)]
    pub(super) ip: Option<Str<'a>>,
    pub(super) port: Option<Number>,
    pub(super) asked: Option<Str<'a>>,
    pub(super) expected_name: Option<Str<'a>>,
    pub(super) helo_name: Option<Str<'a>>,
    pub(super) tags: Option<Tags<'a>>,
    pub(super) unresolved: Option<UnresolvedLine<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct UnresolvedLine<'a> {
    #[serde(borrow)]
    pub(super) family: Option<Str<'a>>,
    pub(super) status: Option<Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct SmtpLine<'a> {
    pub(super) code: Option<Number>,
    #[serde(borrow)]
    pub(super) banner: Option<Vec<Str<'a>>>,
    pub(super) banner_name: Option<Str<'a>>,
    pub(super) ehlo_name: Option<Str<'a>>,
    pub(super) extensions: Option<Vec<Str<'a>>>,
    pub(super) tls: Option<TlsLine<'a>>,
    pub(super) samples: Option<Vec<Option<Str<'a>>>>,
    pub(super) truncated: Option<bool>,
    pub(super) attempts: Option<Number>,
    pub(super) connect_ms: Option<Number>,
    pub(super) banner_ms: Option<Number>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TlsLine<'a> {
    #[serde(borrow)]
    pub(super) status: Option<Str<'a>>,
    pub(super) alert: Option<Number>,
    pub(super) code: Option<Number>,
    pub(super) version: Option<Str<'a>>,
    pub(super) cipher: Option<Str<'a>>,
    pub(super) certificate: Option<CertificateLine<'a>>,
    pub(super) ehlo_name: Option<Str<'a>>,
    pub(super) extensions: Option<Vec<Str<'a>>>,
    pub(super) injected: Option<bool>,
    pub(super) plaintext: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CertificateLine<'a> {
    #[serde(borrow)]
    pub(super) names: Option<Vec<Str<'a>>>,
    pub(super) count: Option<Number>,
    pub(super) not_before: Option<Str<'a>>,
    pub(super) not_after: Option<Str<'a>>,
    pub(super) sha256: Option<Str<'a>>,
    pub(super) x509_error: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DnsLine<'a> {
    #[serde(borrow)]
    pub(super) ptr: Option<PtrLine<'a>>,
    pub(super) fcrdns: Option<Str<'a>>,
    pub(super) banner_forward: Option<ForwardLine<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PtrLine<'a> {
    #[serde(borrow)]
    pub(super) status: Option<Str<'a>>,
    pub(super) count: Option<Number>,
    pub(super) names: Option<Vec<PtrNameLine<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PtrNameLine<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    pub(super) status: Option<Str<'a>>,
    pub(super) addresses: Option<Vec<IpAddr>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ForwardLine<'a> {
    #[serde(borrow)]
    pub(super) status: Option<Str<'a>>,
    pub(super) addresses: Option<Vec<IpAddr>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PlatformLine<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
    pub(super) version: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NetworkLine<'a> {
    pub(super) asn: Option<Number>,
    #[serde(borrow)]
    pub(super) as_name: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct AcceptedLine<'a> {
    #[serde(borrow)]
    pub(super) code: Str<'a>,
    pub(super) reason: Option<Str<'a>>,
    pub(super) until: Option<Str<'a>>,
}

/// What a short view takes of a line; the rest is passed over without being looked at.
#[derive(Debug, Deserialize)]
pub(super) struct RowLine<'a> {
    #[serde(borrow)]
    pub(super) schema: Option<Str<'a>>,
    pub(super) time: Option<Str<'a>>,
    pub(super) target: Option<TargetRow<'a>>,
    pub(super) outcome: Option<Str<'a>>,
    pub(super) smtp: Option<SmtpRow<'a>>,
    pub(super) dns: Option<DnsRow<'a>>,
    pub(super) verdict: Option<Str<'a>>,
    pub(super) severity: Option<Str<'a>>,
    pub(super) findings: Option<Vec<Str<'a>>>,
    pub(super) platform: Option<NameRow<'a>>,
    pub(super) tenancy: Option<Str<'a>>,
    pub(super) network: Option<NetworkLine<'a>>,
    pub(super) accepted: Option<Vec<AcceptedLine<'a>>>,
    pub(super) clears_by: Option<Vec<Str<'a>>>,
    pub(super) fix: Option<Vec<Str<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TargetRow<'a> {
    #[serde(borrow)]
    pub(super) ip: Option<Str<'a>>,
    pub(super) port: Option<Number>,
    pub(super) asked: Option<Str<'a>>,
    pub(super) expected_name: Option<Str<'a>>,
    pub(super) tags: Option<Tags<'a>>,
    pub(super) unresolved: Option<UnresolvedLine<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct SmtpRow<'a> {
    #[serde(borrow)]
    pub(super) banner_name: Option<Str<'a>>,
    pub(super) code: Option<Number>,
    pub(super) attempts: Option<Number>,
    pub(super) connect_ms: Option<Number>,
    pub(super) banner_ms: Option<Number>,
    pub(super) tls: Option<TlsRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TlsRow {
    pub(super) alert: Option<Number>,
    pub(super) code: Option<Number>,
    pub(super) certificate: Option<CertificateRow>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CertificateRow {
    pub(super) count: Option<Number>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DnsRow<'a> {
    #[serde(borrow)]
    pub(super) ptr: Option<PtrRow<'a>>,
    pub(super) fcrdns: Option<Str<'a>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PtrRow<'a> {
    #[serde(borrow)]
    pub(super) status: Option<Str<'a>>,
    pub(super) count: Option<Number>,
    pub(super) names: Option<Vec<NameRow<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NameRow<'a> {
    #[serde(borrow)]
    pub(super) name: Str<'a>,
}

/// Tags in the order of the line.
#[derive(Debug, Default)]
pub(super) struct Tags<'a>(pub(super) Vec<(Str<'a>, Str<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Tags<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Tags<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tags")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut tags: Vec<(Str<'de>, Str<'de>)> = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    tags.push(pair);
                }
                let mut names: Vec<&str> = tags.iter().map(|(name, _)| &*name.0).collect();
                names.sort_unstable();
                // As any other member that a line has twice: which of the two is meant?
                if names.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Err(A::Error::custom("a tag stands there twice"));
                }
                Ok(Tags(tags))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
