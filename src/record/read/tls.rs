//! What a line says of EHLO and TLS, back as evidence.

use super::{ReadError, bytes, code, field, known, natural};
use crate::evidence::{Certificate, Tls, TlsStatus, X509Error};
use crate::record::foreign::Oddities;
use crate::record::line::{CertificateLine, Str, TlsLine};
use crate::record::{escape, time};
use crate::smtp::reply::{self, Reply};

/// The code of an EHLO reply that names extensions (RFC 5321 §4.3.2).
const ACCEPTED: u16 = 250;

impl TlsLine<'_> {
    pub(super) fn into_tls(self, odd: &mut Oddities) -> Result<Tls, ReadError> {
        let word = self.status.ok_or(ReadError::Missing { field: "tls.status" })?;
        let alert = natural("smtp.tls.alert", self.alert, odd);
        let status = odd.word(field::TLS_STATUS, &word.0, TlsStatus::parse(&word.0, alert));
        let status = status.unwrap_or(TlsStatus::Other);
        let plain = |text: Str<'_>| known("tls.plaintext", &text.0, escape::unescape(&text.0).ok());
        Ok(Tls {
            status,
            late_alert: alert.filter(|_| status.alert().is_none()),
            code: code("smtp.tls.code", self.code, odd),
            version: self.version.map(|text| Box::from(&*text.0)),
            cipher: self.cipher.map(|text| Box::from(&*text.0)),
            certificate: self.certificate.map(|it| it.into_certificate(odd)).transpose()?,
            ehlo: ehlo_reply(self.ehlo_name, self.extensions)?,
            injected: self.injected.unwrap_or(false),
            plaintext: self.plaintext.map(plain).transpose()?.unwrap_or_default(),
        })
    }
}

impl CertificateLine<'_> {
    fn into_certificate(self, odd: &mut Oddities) -> Result<Certificate, ReadError> {
        let names: Vec<_> = self.names.unwrap_or_default().iter().map(|name| Box::from(&*name.0)).collect();
        let point = |field, text: Option<Str<'_>>| {
            text.map(|text| known(field, &text.0, time::parse(&text.0))).transpose()
        };
        let sha256 = self.sha256.ok_or(ReadError::Missing { field: "sha256" })?;
        Ok(Certificate {
            count: natural("smtp.tls.certificate.count", self.count, odd)
                .unwrap_or_else(|| u32::try_from(names.len()).unwrap_or(u32::MAX)),
            names,
            not_before: point("not_before", self.not_before)?,
            not_after: point("not_after", self.not_after)?,
            sha256: known("sha256", &sha256.0, octets(&sha256.0))?,
            error: self
                .x509_error
                .and_then(|word| odd.word(field::X509_ERROR, &word.0, X509Error::parse(&word.0))),
        })
    }
}

/// The reply to EHLO as far as its name and its extensions tell it.
pub(super) fn ehlo_reply(
    name: Option<Str<'_>>,
    extensions: Option<Vec<Str<'_>>>,
) -> Result<Option<Reply>, ReadError> {
    let Some(extensions) = extensions else { return Ok(None) };
    let mut text = reply::Text::default();
    text.push(name.unwrap_or_default().0.as_bytes());
    bytes("extensions", &extensions)?.iter().for_each(|line| text.push(line));
    Ok(Some(Reply { code: reply::Code::new(ACCEPTED), text }))
}

/// Thirty-two octets from their digits.
fn octets(digits: &str) -> Option<[u8; 32]> {
    let mut octets = [0; 32];
    if digits.len() != 2 * octets.len() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, octet) in octets.iter_mut().enumerate() {
        *octet = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(octets)
}
