//! How far TLS came, in words, and for whom the certificate was made out.

use super::Page;
use crate::evidence::{Certificate, Tls, TlsStatus};
use crate::probe::Opening;
use crate::record::escape::escape;
use crate::record::time;
use crate::report::table::clip;

/// Names of a certificate that are shown.
const MAX_NAMES: usize = 4;
/// Columns of a plain text that are shown.
const MAX_COLUMNS: usize = 120;
/// `2026-01-02` of a time.
const DAY: usize = 10;

impl Page<'_> {
    pub(super) fn tls(&mut self, tls: &Tls, port: u16) {
        self.row("TLS", &words(tls, Opening::of(port)));
        if tls.injected {
            self.row("", "injected: plain text came behind the go-ahead, before the handshake");
        }
        if !tls.plaintext.is_empty() {
            self.row("", &format!("in plain: {}", clip(&escape(&tls.plaintext), MAX_COLUMNS)));
        }
        if let Some(certificate) = &tls.certificate {
            self.row("certificate", &made_out(certificate));
        }
    }
}

/// The record's word, and what it means here.
fn words(tls: &Tls, opening: Opening) -> String {
    let word = tls.status.as_str();
    let is_accepted = tls.code.is_some_and(|code| code.get() == 220);
    let begun = match opening {
        Opening::Tls => "a handshake is begun",
        Opening::Plain if is_accepted => "STARTTLS is accepted",
        Opening::Plain => "STARTTLS is offered and asked for",
    };
    let ended = match tls.status {
        TlsStatus::Established => {
            let version = tls.version.as_deref().unwrap_or_default();
            let ended = tls.late_alert.map(|number| format!(", ended by {}", alert(number)));
            let cipher = tls.cipher.as_deref().unwrap_or_default();
            return format!("{word}, {version} {cipher}{}", ended.unwrap_or_default());
        }
        TlsStatus::NotOffered => return format!("{word}: the reply to EHLO does not name STARTTLS"),
        TlsStatus::Refused => {
            let code = tls.code.map(|code| format!(" by {}", code.get())).unwrap_or_default();
            return format!("{word}: STARTTLS is offered, and turned down{code}");
        }
        TlsStatus::TimedOut => "nothing more comes back: it stalls",
        TlsStatus::Closed => "the connection is closed",
        TlsStatus::Reset => "the connection is cut off",
        TlsStatus::Plaintext => "words come in place of a handshake",
        TlsStatus::Protocol => "what comes back is not TLS as it is to be spoken",
        TlsStatus::Alert(number) => {
            return format!("{}: {begun}, then the server breaks the handshake off", alert(number));
        }
        TlsStatus::Other => return word.to_owned(),
        TlsStatus::LegacyOnly => "the server speaks nothing newer than TLS 1.1",
        TlsStatus::EndedByUs => "more comes than TLS has need of, and we break it off",
    };
    format!("{word}: {begun}, then {ended}")
}

fn made_out(certificate: &Certificate) -> String {
    let names: Vec<&str> = certificate.names.iter().take(MAX_NAMES).map(AsRef::as_ref).collect();
    let count = usize::try_from(certificate.count).unwrap_or(usize::MAX);
    let more = count.saturating_sub(names.len());
    let mut told = vec![match names.as_slice() {
        [] => "names nobody".to_owned(),
        names if more > 0 => format!("{} and {more} more", names.join(", ")),
        names => names.join(", "),
    }];
    told.extend(certificate.error.map(|error| error.as_str().to_owned()));
    if let Some(end) = certificate.not_after.map(time::to_string) {
        told.push(format!("valid until {}", end.get(..DAY).unwrap_or(&end)));
    }
    told.join("; ")
}

/// An alert by its number, and its name if it has one.
fn alert(number: u8) -> String {
    let name = alert_name(number).map(|name| format!(" ({name})"));
    format!("alert {number}{}", name.unwrap_or_default())
}

/// The alerts that servers end handshakes by (RFC 8446 §6).
fn alert_name(number: u8) -> Option<&'static str> {
    Some(match number {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        47 => "illegal_parameter",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        109 => "missing_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::reply::Code;

    #[test]
    fn every_end_is_told_as_what_it_is() {
        use TlsStatus::{Alert, Closed, EndedByUs, NotOffered, Plaintext, Refused, TimedOut};
        for (status, code, opening, told) in [
            (NotOffered, None, Opening::Plain, "not_offered: the reply to EHLO does not name STARTTLS"),
            (Refused, Some(454), Opening::Plain, "refused: STARTTLS is offered, and turned down by 454"),
            (Refused, None, Opening::Plain, "refused: STARTTLS is offered, and turned down"),
            (
                TimedOut,
                Some(220),
                Opening::Plain,
                "timed_out: STARTTLS is accepted, then nothing more comes back: it stalls",
            ),
            (
                TimedOut,
                None,
                Opening::Plain,
                "timed_out: STARTTLS is offered and asked for, then nothing more comes back: it stalls",
            ),
            (
                TimedOut,
                None,
                Opening::Tls,
                "timed_out: a handshake is begun, then nothing more comes back: it stalls",
            ),
            (
                Alert(80),
                Some(220),
                Opening::Plain,
                "alert 80 (internal_error): STARTTLS is accepted, then the server breaks the handshake off",
            ),
            (
                Alert(3),
                None,
                Opening::Tls,
                "alert 3: a handshake is begun, then the server breaks the handshake off",
            ),
            (
                Closed,
                Some(220),
                Opening::Plain,
                "closed: STARTTLS is accepted, then the connection is closed",
            ),
            (
                EndedByUs,
                Some(220),
                Opening::Plain,
                "ended_by_us: STARTTLS is accepted, then more comes than TLS has need of, and we break it off",
            ),
            (
                Alert(116),
                None,
                Opening::Tls,
                "alert 116 (certificate_required): a handshake is begun, then the server breaks the handshake off",
            ),
            (
                Plaintext,
                None,
                Opening::Tls,
                "plaintext: a handshake is begun, then words come in place of a handshake",
            ),
        ] {
            let tls = Tls { code: code.and_then(Code::new), ..Tls::bare(status) };
            assert_eq!(words(&tls, opening), told);
        }
        let made = Tls {
            late_alert: Some(80),
            version: Some("TLSv1.3".into()),
            cipher: Some("TLS_X".into()),
            ..Tls::bare(TlsStatus::Established)
        };
        let told = "established, TLSv1.3 TLS_X, ended by alert 80 (internal_error)";
        assert_eq!(words(&made, Opening::Plain), told);
    }
}
