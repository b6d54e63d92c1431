//! What ZGrab2 tells of TLS: the reply to STARTTLS, or TLS first (`--smtps`), then the log of a handshake.
//!
//! Form: `"starttls": "220 go ahead\r\n"`, `"implicit_tls": true`,
//! `"tls": {"handshake_log": {"server_hello": {"version": {"name": …}, "cipher_suite": {"name": …}, "supported_versions": {"selected_version": {"name": …}}}, "server_certificates": {"certificate": {"raw": BASE64}}, "server_finished": …}}`.
//! It does not say EHLO anew inside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{reply, text};
use crate::evidence::{Certificate, Tls, TlsStatus};

/// The log's TLS, if there is any; `status` and `error` are how the whole grab ended.
pub(super) fn read(result: &Value, status: &str, error: &str) -> Option<Tls> {
    let log = result.get("tls").and_then(|tls| tls.get("handshake_log"));
    let asked = text(result, "starttls");
    if asked.is_none() && log.is_none() {
        return None;
    }
    let code = asked.and_then(reply).and_then(|reply| reply.code);
    if let Some(code) = code.filter(|code| !(200..300).contains(&code.get())) {
        return Some(Tls { code: Some(code), ..Tls::bare(TlsStatus::Refused) });
    }
    let at = |path: &[&str]| path.iter().try_fold(log?, |value, field| value.get(field));
    let name = |path: &[&str]| at(path).and_then(Value::as_str).map(Box::from);
    let raw = at(&["server_certificates", "certificate", "raw"]).and_then(Value::as_str);
    let is_made = at(&["server_finished"]).is_some() || raw.is_some() && status == "success";
    if !is_made {
        return Some(Tls { code, ..Tls::bare(failure(status, error)) });
    }
    let selected = ["server_hello", "supported_versions", "selected_version", "name"];
    Some(Tls {
        code,
        version: name(&selected).or_else(|| name(&["server_hello", "version", "name"])),
        cipher: name(&["server_hello", "cipher_suite", "name"]),
        certificate: raw.and_then(|raw| STANDARD.decode(raw).ok()).map(|der| Certificate::read(&der)),
        ..Tls::bare(TlsStatus::Established)
    })
}

/// Whether a handshake failed by what the server said.
pub(super) fn is_answered(status: TlsStatus) -> bool {
    matches!(status, TlsStatus::Alert(_) | TlsStatus::Protocol | TlsStatus::LegacyOnly | TlsStatus::Plaintext)
}

/// What ended a handshake, by its status and by the words of Go's TLS.
fn failure(status: &str, error: &str) -> TlsStatus {
    const REMOTE: &str = "remote error: ";
    let remote = error.split_once(REMOTE).map(|(_, said)| said.trim_start_matches("tls: "));
    match (status, remote) {
        (_, Some(said)) if said.starts_with("protocol version") => TlsStatus::LegacyOnly,
        (_, Some(said)) => ALERTS
            .iter()
            .find(|(words, _)| said.starts_with(words))
            .map_or(TlsStatus::Protocol, |(_, number)| TlsStatus::Alert(*number)),
        _ if error.contains("unsupported protocol version") || error.contains("unsupported SSLv2") => {
            TlsStatus::LegacyOnly
        }
        _ if error.contains("connection reset") => TlsStatus::Reset,
        ("io-timeout" | "connection-timeout", _) => TlsStatus::TimedOut,
        ("connection-closed", _) => TlsStatus::Closed,
        _ if error.ends_with("EOF") => TlsStatus::Closed,
        _ => TlsStatus::Protocol,
    }
}

/// The alerts that a server ends a handshake by, in Go's words.
const ALERTS: &[(&str, u8)] = &[
    ("unexpected message", 10),
    ("bad record MAC", 20),
    ("record overflow", 22),
    ("handshake failure", 40),
    ("bad certificate", 42),
    ("illegal parameter", 47),
    ("error decoding message", 50),
    ("error decrypting message", 51),
    ("insufficient security level", 71),
    ("internal error", 80),
    ("unrecognized name", 112),
    ("certificate required", 116),
];

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use serde_json::json;

    use super::*;
    use crate::smtp::reply::Code;

    fn certificate() -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["mail.example.org".to_owned()]).unwrap();
        STANDARD.encode(params.self_signed(&key).unwrap().der())
    }

    #[test]
    fn a_handshake_that_was_made_is_read_of_every_version() {
        let hello = |more: Value| {
            let mut hello =
                json!({"version": {"name": "TLSv1.2", "value": 771}, "cipher_suite": {"name": "TLS_X"}});
            hello.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            hello
        };
        let old = hello(json!({}));
        let new =
            hello(json!({"supported_versions": {"selected_version": {"name": "TLSv1.3", "value": 772}}}));
        for (hello, starttls, version, code) in [
            (&old, json!({"starttls": "220 2.0.0 Ready to start TLS\r\n"}), "TLSv1.2", Some(220)),
            (&new, json!({"starttls": "220 go\r\n"}), "TLSv1.3", Some(220)),
            (&new, json!({"implicit_tls": true}), "TLSv1.3", None),
            (&old, json!({}), "TLSv1.2", None),
        ] {
            let mut result = starttls;
            result["tls"] = json!({"handshake_log": {
                "server_hello": hello,
                "server_certificates": {"certificate": {"raw": certificate(), "parsed": {}}},
            }});
            let tls = read(&result, "success", "").unwrap();
            assert_eq!((tls.status, tls.version.as_deref()), (TlsStatus::Established, Some(version)));
            assert_eq!((tls.code.map(Code::get), tls.cipher.as_deref()), (code, Some("TLS_X")));
            assert_eq!(tls.certificate.unwrap().names, ["mail.example.org".into()]);
        }
    }

    #[test]
    fn every_way_to_fail_is_told_apart() {
        use TlsStatus::{Alert, Closed, LegacyOnly, Protocol, Refused, Reset, TimedOut};
        let go = json!({"starttls": "220 go\r\n", "tls": {"handshake_log": {}}});
        let no = json!({"starttls": "454 4.7.0 TLS not available\r\n"});
        for (result, status, error, told) in [
            (&no, "application-error", "SMTP error code 454 returned", Refused),
            (&go, "io-timeout", "read tcp 192.0.2.1:25: i/o timeout", TimedOut),
            (&go, "connection-closed", "EOF", Closed),
            (&go, "unknown-error", "EOF", Closed),
            (&go, "unknown-error", "read: connection reset by peer", Reset),
            (&go, "unknown-error", "remote error: tls: internal error", Alert(80)),
            (&go, "unknown-error", "remote error: handshake failure", Alert(40)),
            (&go, "unknown-error", "remote error: tls: protocol version not supported", LegacyOnly),
            (&go, "unknown-error", "tls: server selected unsupported protocol version 301", LegacyOnly),
            (&go, "unknown-error", "tls: first record does not look like a TLS handshake", Protocol),
            (&go, "success", "", Protocol),
        ] {
            let tls = read(result, status, error).unwrap();
            assert_eq!((tls.status, &tls.certificate), (told, &None), "{status} {error}");
        }
        for none in [json!({}), json!({"tls": null}), json!({"tls": 7, "implicit_tls": true})] {
            assert_eq!(read(&none, "success", ""), None, "{none}");
        }
        let odd = json!({"starttls": "220 go\r\n", "tls": {"handshake_log": {"server_finished": 1,
            "server_certificates": {"certificate": {"raw": "no base64!"}}}}});
        let odd = read(&odd, "success", "").unwrap();
        assert_eq!((odd.status, odd.certificate), (TlsStatus::Established, None));
    }
}
