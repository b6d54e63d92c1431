//! A line of ZGrab2 (`zgrab2 smtp`, or `zgrab2 banner`) → a record. Every version since 2017 is read alike:
//! what one of them leaves out is not looked for.
//!
//! Form:
//! `{"ip": …, "domain": …, "data": {NAME: {"status": …, "protocol": "smtp", "port": …, "result": {"banner": …, "helo": …, "ehlo": …, "starttls": …, "tls": …}, "timestamp": …, "error": …}}}`,
//! NAME being `smtp` unless the user chose another. The first ones have `time` for `timestamp`, and neither
//! status nor protocol.

mod tls;

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::greeting::{Ended, hear};
use crate::evidence::{Observation, Outcome};
use crate::record::{Record, Target, time};
use crate::smtp::reply::{Reader, Reply};

/// The port of a line that names none.
const PORT: u16 = 25;
/// The most of a word that a message shows.
const SHOWN: usize = 40;

/// Reads one line; an error says what is wrong with it.
pub(super) fn read(line: &str, now: SystemTime) -> Result<Record, String> {
    let line: Value =
        serde_json::from_str(line).map_err(|wrong| format!("is not JSON (column {})", wrong.column()))?;
    let ip = match text(&line, "ip") {
        Some(ip) => {
            Some(ip.parse::<IpAddr>().map_err(|_| format!("has `{}` in `ip`", shown(ip)))?.to_canonical())
        }
        None => None,
    };
    let domain = text(&line, "domain");
    let service = service(&line).ok_or("holds no result of the `smtp` module")?;
    let observation = observe(service)?;
    let port = service.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    let asked = domain.map(str::to_owned).or_else(|| ip.map(|ip| ip.to_string())).unwrap_or_default();
    let target =
        Target { ip, port: port.unwrap_or(PORT), asked: asked.into(), inventory: None, unresolved: None };
    let time = text(service, "timestamp").or_else(|| text(service, "time"));
    let time = time.and_then(moment).unwrap_or(now);
    Ok(super::record(target, observation, time))
}

/// The result of the module that spoke SMTP.
fn service(line: &Value) -> Option<&Value> {
    let data = line.get("data")?.as_object()?;
    let is_smtp = |service: &&Value| text(service, "protocol") == Some("smtp");
    let has_banner =
        |service: &&Value| service.get("result").is_some_and(|result| text(result, "banner").is_some());
    data.get("smtp")
        .or_else(|| data.values().find(is_smtp))
        .or_else(|| data.values().find(has_banner))
        .filter(|service| service.is_object())
}

fn observe(service: &Value) -> Result<Observation, String> {
    let error = text(service, "error").unwrap_or_default();
    // The first ones had errors alone, whose words tell the rest.
    let status =
        text(service, "status").unwrap_or(if error.is_empty() { "success" } else { "unknown-error" });
    let result = service.get("result");
    let said = |field: &str| result.and_then(|result| text(result, field)).filter(|said| !said.is_empty());
    let secured = || result.and_then(|result| tls::read(result, status, error)).map(Box::new);
    let Some(banner) = said("banner") else {
        let tls = secured();
        let is_first = result.is_some_and(|result| result.get("implicit_tls") == Some(&Value::Bool(true)));
        let outcome = match tls.as_deref() {
            Some(tls) if is_first && tls::is_answered(tls.status) => Outcome::TlsFailed,
            _ => outcome(status, error)?,
        };
        let attempts = u8::from(!matches!(outcome, Outcome::Excluded | Outcome::Unresolved));
        return Ok(Observation { tls, ..Observation::bare(outcome, attempts) });
    };
    // What came behind the greeting may have timed out as well, and says nothing of it.
    let went_on = ["ehlo", "helo", "starttls"].iter().any(|field| said(field).is_some());
    let ended = if status == "io-timeout" && !went_on { Ended::Waited } else { Ended::Closed };
    let ehlo = said("ehlo").or_else(|| said("helo")).and_then(reply);
    Ok(Observation { ehlo, tls: secured(), attempts: 1, ..hear(banner.as_bytes(), ended) })
}

/// What the wire showed of a host that has no banner.
fn outcome(status: &str, error: &str) -> Result<Outcome, String> {
    let says = |words: &str| error.contains(words);
    Ok(match status {
        "connection-refused" => Outcome::Refused,
        "blocklisted-target" => Outcome::Excluded,
        "protocol-error" => Outcome::NotSmtp,
        // What follows is told apart by words alone: ZGrab2 has one status for several ends of a connection.
        _ if says("no such host") => Outcome::Unresolved,
        _ if says("no route to host") || says("network is unreachable") => Outcome::Unreachable,
        _ if says("connection refused") => Outcome::Refused,
        _ if says("connection reset") => Outcome::Reset,
        "connection-timeout" => Outcome::TimedOut,
        "connection-closed" => Outcome::Closed,
        _ if says("i/o timeout") && says("dial") => Outcome::TimedOut,
        _ if says("i/o timeout") => Outcome::Silent,
        _ if error.ends_with("EOF") => Outcome::Closed,
        "io-timeout" | "success" | "application-error" => Outcome::Silent,
        _ => return Err(format!("has the status `{}`, which says nothing of the server", shown(status))),
    })
}

fn reply(said: &str) -> Option<Reply> {
    let mut reader = Reader::default();
    reader.feed(said.as_bytes());
    reader.finish()
}

/// A point in time with any offset from UTC (RFC 3339 §5.6), as Go writes it.
fn moment(text: &str) -> Option<SystemTime> {
    if text.ends_with('Z') {
        return time::parse(text);
    }
    let (clock, offset) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let away = Duration::from_secs(hours.parse::<u64>().ok()? * 3600 + minutes.parse::<u64>().ok()? * 60);
    let local = time::parse(&format!("{clock}Z"))?;
    match offset.as_bytes().first() {
        Some(b'+') => local.checked_sub(away),
        Some(b'-') => local.checked_add(away),
        _ => None,
    }
}

fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field).and_then(Value::as_str)
}

fn shown(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Record, String> {
        read(text, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn a_whole_line_is_read() {
        let record = line(concat!(
            r#"{"ip":"192.0.2.1","domain":"mail.example.org","data":{"smtp":{"status":"success","protocol":"smtp","port":587,"#,
            r#""result":{"banner":"220 mail.example.org ESMTP Postfix\r\n","ehlo":"250-mail.example.org\r\n250 SIZE 100\r\n"},"#,
            r#""timestamp":"2026-01-02T05:04:05+02:00"}}}"#
        ))
        .unwrap();
        assert_eq!(record.target.ip, Some("192.0.2.1".parse().unwrap()));
        assert_eq!((record.target.port, &*record.target.asked), (587, "mail.example.org"));
        assert_eq!(time::to_string(record.time), "2026-01-02T03:04:05.000Z");
        let seen = record.evidence.observation;
        assert_eq!((seen.outcome, seen.attempts), (Outcome::Greeted, 1));
        assert_eq!(seen.greeting.unwrap().text.first(), b"mail.example.org ESMTP Postfix");
        assert_eq!(
            seen.ehlo.unwrap().text.lines().collect::<Vec<_>>(),
            [&b"mail.example.org"[..], b"SIZE 100"]
        );
    }

    #[test]
    fn every_end_has_its_outcome() {
        for (service, outcome) in [
            (r#""smtp":{"status":"connection-refused"}"#, Outcome::Refused),
            (r#""smtp":{"status":"connection-timeout"}"#, Outcome::TimedOut),
            (r#""smtp":{"status":"connection-closed","result":{}}"#, Outcome::Closed),
            (r#""smtp":{"status":"io-timeout","result":null}"#, Outcome::Silent),
            (
                r#""smtp":{"status":"unknown-error","error":"remote error: tls: handshake failure",
                    "result":{"implicit_tls":true,"tls":{"handshake_log":{}}}}"#,
                Outcome::TlsFailed,
            ),
            (r#""smtp":{"status":"protocol-error"}"#, Outcome::NotSmtp),
            (r#""smtp":{"status":"unknown-error","error":"read: connection reset by peer"}"#, Outcome::Reset),
            // The first version.
            (
                r#""smtp":{"result":{"banner":"220 a.example ESMTP\r\n"},"time":"2017-09-01T00:00:00Z"}"#,
                Outcome::Greeted,
            ),
            (
                r#""smtp":{"error":"dial tcp 192.0.2.1:25: i/o timeout","error_component":"connect"}"#,
                Outcome::TimedOut,
            ),
            (r#""smtp":{"error":"read tcp 192.0.2.1:25: i/o timeout"}"#, Outcome::Silent),
            (r#""smtp":{"error":"EOF"}"#, Outcome::Closed),
            // A server that hangs at STARTTLS has greeted.
            (
                r#""smtp":{"status":"io-timeout","result":{"banner":"220 a.example ESMTP\r\n","ehlo":"250 a\r\n","starttls":"220 go\r\n"}}"#,
                Outcome::Greeted,
            ),
            (
                r#""smtp":{"status":"io-timeout","result":{"implicit_tls":true,"tls":{"handshake_log":{}}}}"#,
                Outcome::Silent,
            ),
            (
                r#""smtp":{"status":"connection-timeout","error":"dial: no route to host"}"#,
                Outcome::Unreachable,
            ),
            (r#""smtp":{"status":"application-error","result":{"banner":"421 no\r\n"}}"#, Outcome::Rejected),
            (
                r#""mx":{"status":"success","protocol":"smtp","result":{"banner":"220 a.example ESMTP"}}"#,
                Outcome::Greeted,
            ),
            (
                r#""banner":{"status":"success","protocol":"banner","result":{"banner":"SSH-2.0-x"}}"#,
                Outcome::NotSmtp,
            ),
        ] {
            let record = line(&format!(r#"{{"ip":"192.0.2.1","data":{{{service}}}}}"#)).unwrap();
            assert_eq!(record.evidence.observation.outcome, outcome, "{service}");
        }
    }

    #[test]
    fn what_says_nothing_of_a_server_is_told() {
        for (text, told) in [
            ("{", "is not JSON (column 1)"),
            ("[]", "holds no result of the `smtp` module"),
            ("{}", "holds no result of the `smtp` module"),
            (
                r#"{"ip":"192.0.2.1","data":{"http":{"status":"success"}}}"#,
                "holds no result of the `smtp` module",
            ),
            (r#"{"ip":"192.0.2","data":{"smtp":{}}}"#, "has `192.0.2` in `ip`"),
            (
                r#"{"data":{"smtp":{"status":"what"}}}"#,
                "has the status `what`, which says nothing of the server",
            ),
        ] {
            assert_eq!(line(text).unwrap_err(), told);
        }
    }

    #[test]
    fn times_of_any_offset_are_read() {
        for (text, read) in [
            ("2026-01-02T03:04:05Z", Some("2026-01-02T03:04:05.000Z")),
            ("2026-01-02T03:04:05.5-01:30", Some("2026-01-02T04:34:05.500Z")),
            ("2026-01-02 03:04:05", None),
            ("é", None),
            ("", None),
        ] {
            assert_eq!(moment(text).map(time::to_string).as_deref(), read, "{text}");
        }
    }
}
