//! What a host showed of TLS: whether it offers it, how the handshake went, and the certificate as it is.
//! Nothing here trusts or distrusts: a certificate is evidence of names, not of who speaks.

use std::time::SystemTime;

use crate::smtp::reply::{Code, Reply};

/// How far TLS came, one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsStatus {
    /// The handshake was made, and the peer has not gone back on it before a word was heard inside.
    Established,
    /// The reply to EHLO does not offer STARTTLS.
    NotOffered,
    /// Offered, and STARTTLS was answered by a refusal.
    Refused,
    /// No answer, or no handshake, in time.
    TimedOut,
    /// Closed instead of an answer or amid the handshake.
    Closed,
    /// Reset instead of an answer or amid the handshake.
    Reset,
    /// Plain text was said where the handshake was due, and nothing else.
    Plaintext,
    /// What was said is not TLS, or not as TLS is to be said.
    Protocol,
    /// The peer gave up with this alert (RFC 8446 §6).
    Alert(u8),
    /// The peer speaks nothing newer than TLS 1.1.
    LegacyOnly,
    /// We gave up: there was no end of tickets, key updates, warnings or octets, or a message was too large.
    EndedByUs,
    /// Of a stored record, a word that this version does not know.
    Other,
}

impl TlsStatus {
    /// The words of all, in the order of the documentation.
    pub const WORDS: [&'static str; 11] = [
        "established",
        "not_offered",
        "refused",
        "timed_out",
        "closed",
        "reset",
        "plaintext",
        "protocol",
        "alert",
        "legacy_only",
        "ended_by_us",
    ];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::NotOffered => "not_offered",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Plaintext => "plaintext",
            Self::Protocol => "protocol",
            Self::Alert(_) => "alert",
            Self::LegacyOnly => "legacy_only",
            Self::EndedByUs => "ended_by_us",
            Self::Other => "other",
        }
    }

    /// The number of the alert.
    pub fn alert(self) -> Option<u8> {
        if let Self::Alert(number) = self { Some(number) } else { None }
    }

    /// The status a word stands for, with the alert's number where it has one.
    pub fn parse(word: &str, alert: Option<u8>) -> Option<Self> {
        Some(match word {
            "established" => Self::Established,
            "not_offered" => Self::NotOffered,
            "refused" => Self::Refused,
            "timed_out" => Self::TimedOut,
            "closed" => Self::Closed,
            "reset" => Self::Reset,
            "plaintext" => Self::Plaintext,
            "protocol" => Self::Protocol,
            "alert" => Self::Alert(alert?),
            "legacy_only" => Self::LegacyOnly,
            "ended_by_us" => Self::EndedByUs,
            _ => return None,
        })
    }
}

/// What a host showed of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// How far it came.
    pub status: TlsStatus,
    /// The number of the alert that ended TLS after something had been heard inside.
    pub late_alert: Option<u8>,
    /// The code of the reply to STARTTLS: 220 where it was accepted, whatever came then.
    pub code: Option<Code>,
    /// `TLSv1.2`, `TLSv1.3`.
    pub version: Option<Box<str>>,
    /// The cipher suite by its registered name.
    pub cipher: Option<Box<str>>,
    /// The peer's own certificate.
    pub certificate: Option<Certificate>,
    /// The reply to the EHLO that was said anew inside TLS (RFC 3207 §4.2), where TLS began with STARTTLS.
    pub ehlo: Option<Reply>,
    /// Whether plain text came between the go-ahead for TLS and a handshake that then took place: text that a
    /// client which buffers would take for the server's secured words.
    pub injected: bool,
    /// That text, or what was said in place of a handshake; its first octets.
    pub plaintext: Vec<u8>,
}

impl Tls {
    /// The number of the alert by which the peer gave up, whenever it did.
    pub fn alert(&self) -> Option<u8> {
        self.status.alert().or(self.late_alert)
    }

    /// Nothing but the status.
    pub fn bare(status: TlsStatus) -> Self {
        Self {
            status,
            late_alert: None,
            code: None,
            version: None,
            cipher: None,
            certificate: None,
            ehlo: None,
            injected: false,
            plaintext: Vec::new(),
        }
    }
}

/// A certificate as far as it is looked at; never verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// The names it is for: those of the subject alternative name, else the common name. Host names in normal
    /// form, a leading `*.` kept; others as they stand, with `\xHH` for what is not printable ASCII.
    pub names: Vec<Box<str>>,
    /// How many there are; not all need stand in `names`.
    pub count: u32,
    /// From when it is valid; 1970 for any time before.
    pub not_before: Option<SystemTime>,
    /// Until when it is valid.
    pub not_after: Option<SystemTime>,
    /// SHA-256 of its octets.
    pub sha256: [u8; 32],
    /// What could not be read of it.
    pub error: Option<X509Error>,
}

/// What can't be read of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum X509Error {
    /// Not a certificate, or one that is cut or trailed by something else.
    Malformed,
    /// Its subject alternative name is malformed or stands there twice.
    Names,
}

impl X509Error {
    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Names => "names",
        }
    }

    /// The error a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Malformed, Self::Names].into_iter().find(|error| error.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for word in TlsStatus::WORDS {
            let status = TlsStatus::parse(word, Some(40)).unwrap();
            assert_eq!(status.as_str(), word);
            assert_eq!(status.alert().is_some(), word == "alert");
        }
        assert_eq!(TlsStatus::parse("alert", Some(70)), Some(TlsStatus::Alert(70)));
        for (word, alert) in [("alert", None), ("", None), ("ESTABLISHED", None), ("none", Some(1))] {
            assert_eq!(TlsStatus::parse(word, alert), None, "{word}");
        }
        for error in [X509Error::Malformed, X509Error::Names] {
            assert_eq!(X509Error::parse(error.as_str()), Some(error));
        }
        assert_eq!(X509Error::parse(""), None);
    }
}
