//! A record as one line of JSON, its fields in the documented order, none left out.
//!
//! The bytes are put down directly: a scan writes this line for every target, and one reused buffer with no
//! allocation for a field is several times faster than a tree of values. Reading back is [`super::read`]'s.

use std::fmt::Display;
use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use super::escape::{self, Piece, hex};
use super::extra::Object;
use super::field;
use super::foreign::Foreign;
use super::{AddressFamily, Record, SCHEMA, Unresolved, time};
use crate::evidence::{Certificate, Evidence, Forward, Resolution, Scanner, Tls, TlsStatus, X509Error};
use crate::judge::{Fcrdns, Judgement, Relation, Severity, Verdict};
use crate::name::DnsName;
use crate::smtp::ehlo;
use crate::smtp::reply::Reply;

/// Appends the line of a record without fields that this version does not know: for forms that have no place
/// for them.
pub fn encode_known(record: &Record, line: &mut Vec<u8>) {
    if !record.foreign.has_fields() {
        return encode(record, line);
    }
    let mut known = record.clone();
    known.foreign.retain_fields(|_, _| false);
    encode(&known, line);
}

/// Appends the line of a record, line feed included. It is valid UTF-8 and holds no other line feed.
pub fn encode(record: &Record, line: &mut Vec<u8>) {
    put(line, r#"{"schema":""#);
    put(line, SCHEMA);
    put(line, r#"","time":""#);
    line.extend_from_slice(&time::format(record.time));
    put(line, "\",");
    target(line, record);
    put(line, r#","outcome":"#);
    string(line, record.outcome_word());
    put(line, r#","smtp":"#);
    smtp(line, record);
    put(line, r#","dns":"#);
    optional(line, record.evidence.resolution.as_ref(), |line, it| dns(line, it, record));
    judgement(line, &record.judgement);
    network(line, record);
    weighed(line, &record.judgement);
    put(line, r#","scanner":"#);
    optional(line, record.evidence.scanner.as_deref(), |line, it| scanner(line, it, &record.foreign));
    close(line, &record.foreign, (Object::Record, 0));
    put(line, "\n");
}

fn target(line: &mut Vec<u8>, record: &Record) {
    let target = &record.target;
    put(line, r#""target":{"ip":"#);
    optional(line, target.ip, quoted_address);
    put(line, r#","port":"#);
    number(line, u64::from(target.port));
    put(line, r#","asked":"#);
    string(line, &target.asked);
    let said = target.inventory.as_deref();
    put(line, r#","expected_name":"#);
    optional(line, said.and_then(|said| said.expected_name.as_deref()), string);
    put(line, r#","helo_name":"#);
    optional(line, said.and_then(|said| said.helo_name.as_deref()), string);
    put(line, r#","tags":{"#);
    for (index, (name, value)) in said.map_or(&[][..], |said| &said.tags).iter().enumerate() {
        comma(line, index);
        string(line, name);
        put(line, ":");
        string(line, value);
    }
    put(line, r#"},"unresolved":"#);
    optional(line, target.unresolved, |line, it| unresolved(line, it, record));
    close(line, &record.foreign, (Object::Target, 0));
}

fn unresolved(line: &mut Vec<u8>, what: Unresolved, record: &Record) {
    put(line, r#"{"family":"#);
    let family = what.family.map(AddressFamily::as_str);
    optional(line, family.or_else(|| record.foreign.get(field::UNRESOLVED_FAMILY)), string);
    put(line, r#","status":"#);
    string(line, record.status_word(what.status, field::UNRESOLVED_STATUS, 0));
    close(line, &record.foreign, (Object::Unresolved, 0));
}

fn smtp(line: &mut Vec<u8>, record: &Record) {
    let Record { evidence: Evidence { observation: seen, .. }, judgement: judged, .. } = record;
    put(line, r#"{"code":"#);
    let code = seen.greeting.as_ref().and_then(|greeting| greeting.code);
    optional(line, code, |line, code| number(line, u64::from(code.get())));
    put(line, r#","banner":"#);
    optional(line, seen.greeting.as_ref(), |line, greeting| lines(line, greeting.text.lines()));
    put(line, r#","banner_name":"#);
    optional(line, judged.banner_name.as_deref(), string);
    put(line, r#","ehlo_name":"#);
    optional(line, judged.ehlo_name.as_deref(), string);
    put(line, r#","extensions":"#);
    extensions(line, seen.ehlo.as_ref());
    put(line, r#","tls":"#);
    optional(line, seen.tls.as_deref(), |line, it| tls(line, it, &record.foreign));
    put(line, r#","truncated":"#);
    boolean(line, seen.truncated);
    put(line, r#","attempts":"#);
    number(line, u64::from(seen.attempts));
    put(line, r#","connect_ms":"#);
    optional(line, seen.connect.map(tenths), milliseconds);
    put(line, r#","banner_ms":"#);
    optional(line, seen.banner.map(tenths), milliseconds);
    put(line, r#","samples":"#);
    optional(line, Some(&seen.samples).filter(|names| !names.is_empty()), |line, names| {
        line.push(b'[');
        for (index, name) in names.iter().enumerate() {
            comma(line, index);
            optional(line, name.as_deref(), string);
        }
        line.push(b']');
    });
    close(line, &record.foreign, (Object::Smtp, 0));
}

/// The lines of an EHLO reply that name extensions: those behind the first, if it was accepted.
fn extensions(line: &mut Vec<u8>, reply: Option<&Reply>) {
    optional(line, reply.and_then(ehlo::accepted), |line, text| lines(line, text.lines().skip(1)));
}

fn tls(line: &mut Vec<u8>, seen: &Tls, foreign: &Foreign) {
    put(line, r#"{"status":"#);
    let status = if seen.status == TlsStatus::Other { foreign.get(field::TLS_STATUS) } else { None };
    string(line, status.unwrap_or_else(|| seen.status.as_str()));
    put(line, r#","alert":"#);
    optional(line, seen.alert(), |line, alert| number(line, u64::from(alert)));
    put(line, r#","code":"#);
    optional(line, seen.code, |line, code| number(line, u64::from(code.get())));
    put(line, r#","version":"#);
    optional(line, seen.version.as_deref(), string);
    put(line, r#","cipher":"#);
    optional(line, seen.cipher.as_deref(), string);
    put(line, r#","certificate":"#);
    optional(line, seen.certificate.as_ref(), |line, it| certificate(line, it, foreign));
    put(line, r#","ehlo_name":"#);
    optional(line, seen.ehlo.as_ref().and_then(ehlo::name).as_deref(), string);
    put(line, r#","extensions":"#);
    extensions(line, seen.ehlo.as_ref());
    put(line, r#","injected":"#);
    boolean(line, seen.injected);
    put(line, r#","plaintext":"#);
    optional(line, Some(&seen.plaintext).filter(|octets| !octets.is_empty()), |line, octets| {
        banner_line(line, octets);
    });
    close(line, foreign, (Object::Tls, 0));
}

fn certificate(line: &mut Vec<u8>, seen: &Certificate, foreign: &Foreign) {
    put(line, r#"{"names":["#);
    for (index, name) in seen.names.iter().enumerate() {
        comma(line, index);
        string(line, name);
    }
    put(line, r#"],"count":"#);
    number(line, u64::from(seen.count));
    for (field, point) in [("not_before", seen.not_before), ("not_after", seen.not_after)] {
        put(line, ",");
        word(line, field);
        put(line, ":");
        optional(line, point, |line, point| {
            line.push(b'"');
            line.extend_from_slice(&time::format(point));
            line.push(b'"');
        });
    }
    put(line, r#","sha256":""#);
    for byte in seen.sha256 {
        line.extend_from_slice(&hex(byte));
    }
    put(line, r#"","x509_error":"#);
    let error = seen.error.map(X509Error::as_str);
    optional(line, error.or_else(|| foreign.get(field::X509_ERROR)), string);
    close(line, foreign, (Object::Certificate, 0));
}

fn dns(line: &mut Vec<u8>, said: &Resolution, record: &Record) {
    put(line, r#"{"ptr":{"status":"#);
    string(line, record.status_word(said.ptr, field::PTR_STATUS, 0));
    put(line, r#","count":"#);
    number(line, u64::from(said.ptr_count));
    put(line, r#","names":["#);
    for (index, ptr) in said.names.iter().enumerate() {
        comma(line, index);
        put(line, r#"{"name":"#);
        dns_name(line, &ptr.name);
        put(line, ",");
        forward(line, &ptr.forward, record, (field::NAME_STATUS, index));
        close(line, &record.foreign, (Object::PtrName, index));
    }
    line.push(b']');
    close(line, &record.foreign, (Object::Ptr, 0));
    put(line, r#","fcrdns":"#);
    optional(line, record.judgement.fcrdns.map(Fcrdns::as_str), word);
    put(line, r#","banner_forward":{"#);
    forward(line, &said.banner_forward, record, (field::BANNER_FORWARD, 0));
    close(line, &record.foreign, (Object::BannerForward, 0));
    close(line, &record.foreign, (Object::Dns, 0));
}

fn forward(line: &mut Vec<u8>, forward: &Forward, record: &Record, (field, place): (&str, usize)) {
    put(line, r#""status":"#);
    string(line, record.status_word(forward.status, field, place));
    put(line, r#","addresses":["#);
    for (index, ip) in forward.addresses.iter().enumerate() {
        comma(line, index);
        quoted_address(line, *ip);
    }
    put(line, r#"],"confirms":"#);
    optional(line, forward.confirms(record.evidence.ip), boolean);
}

fn judgement(line: &mut Vec<u8>, judged: &Judgement) {
    put(line, r#","relation":"#);
    optional(line, judged.relation.map(Relation::as_str), word);
    put(line, r#","verdict":"#);
    optional(line, judged.verdict.map(Verdict::as_str), word);
    put(line, r#","severity":"#);
    optional(line, judged.severity.map(Severity::as_str), word);
    put(line, r#","findings":["#);
    for (index, finding) in judged.findings.iter().enumerate() {
        comma(line, index);
        word(line, finding.code.as_str());
    }
    put(line, r#"],"platform":"#);
    optional(line, judged.platform.as_ref(), |line, platform| {
        put(line, r#"{"name":"#);
        string(line, platform.name);
        put(line, r#","version":"#);
        optional(line, platform.version.as_deref(), string);
        put(line, "}");
    });
    put(line, r#","tenancy":""#);
    put(line, judged.tenancy.as_str());
    put(line, "\"");
}

fn network(line: &mut Vec<u8>, record: &Record) {
    put(line, r#","network":{"prefix":"#);
    optional(line, record.prefix(), |line, prefix| {
        put(line, "\"");
        address(line, prefix.first());
        put(line, "/");
        number(line, u64::from(prefix.length()));
        put(line, "\"");
    });
    put(line, r#","asn":"#);
    optional(line, record.network.as_ref(), |line, network| number(line, u64::from(network.asn)));
    put(line, r#","as_name":"#);
    let name = record.network.as_ref().and_then(|network| network.name.as_deref());
    optional(line, name, string);
    close(line, &record.foreign, (Object::Network, 0));
}

/// What the user accepts, and what one change would do.
fn weighed(line: &mut Vec<u8>, judged: &Judgement) {
    put(line, r#","accepted":["#);
    for (index, accepted) in judged.accepted.iter().enumerate() {
        comma(line, index);
        put(line, r#"{"code":"#);
        word(line, accepted.code.as_str());
        put(line, r#","reason":"#);
        string(line, &accepted.reason);
        put(line, r#","until":"#);
        string(line, &accepted.until);
        put(line, "}");
    }
    put(line, r#"],"clears_by":"#);
    optional(line, judged.clears_by, |line, remedies| {
        line.push(b'[');
        for (index, remedy) in remedies.iter().enumerate() {
            comma(line, index);
            word(line, remedy.as_str());
        }
        line.push(b']');
    });
    put(line, r#","fix":"#);
    optional(line, Some(&judged.fix).filter(|fix| !fix.is_empty()), |line, fix| {
        line.push(b'[');
        for (index, change) in fix.iter().enumerate() {
            comma(line, index);
            // A word and a host name need no escape.
            word(line, &change.to_string());
        }
        line.push(b']');
    });
}

fn scanner(line: &mut Vec<u8>, scanner: &Scanner, foreign: &Foreign) {
    put(line, r#"{"name":"#);
    // A host name needs no escape.
    optional(line, scanner.name.as_ref(), |line, name| word(line, name.as_str()));
    put(line, r#","ip":"#);
    optional(line, scanner.ip, quoted_address);
    put(line, r#","engine":"#);
    string(line, foreign.get(field::ENGINE).unwrap_or_else(|| scanner.engine.as_str()));
    put(line, r#","own_addresses":["#);
    for (index, ip) in scanner.own_addresses.iter().enumerate() {
        comma(line, index);
        quoted_address(line, *ip);
    }
    line.push(b']');
    close(line, foreign, (Object::Scanner, 0));
}

/// Ends an object, behind what a later version had put into it.
fn close(line: &mut Vec<u8>, foreign: &Foreign, (object, place): (Object, usize)) {
    if foreign.has_fields() {
        for field in foreign.fields(object, place) {
            line.push(b',');
            put(line, field);
        }
    }
    line.push(b'}');
}

fn put(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(text.as_bytes());
}

fn comma(line: &mut Vec<u8>, index: usize) {
    if index > 0 {
        line.push(b',');
    }
}

fn optional<T>(line: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        Some(value) => write(line, value),
        None => put(line, "null"),
    }
}

fn boolean(line: &mut Vec<u8>, value: bool) {
    put(line, if value { "true" } else { "false" });
}

/// One of our own words: nothing in it needs an escape.
fn word(line: &mut Vec<u8>, word: &str) {
    line.push(b'"');
    put(line, word);
    line.push(b'"');
}

fn lines<'a>(line: &mut Vec<u8>, lines: impl Iterator<Item = &'a [u8]>) {
    line.push(b'[');
    for (index, bytes) in lines.enumerate() {
        comma(line, index);
        banner_line(line, bytes);
    }
    line.push(b']');
}

/// Bytes of a stranger: the escape of [`escape`] first, then that of JSON strings.
fn banner_line(line: &mut Vec<u8>, bytes: &[u8]) {
    line.push(b'"');
    if bytes.iter().all(|&b| PLAIN[usize::from(b)]) {
        line.extend_from_slice(bytes);
    } else {
        escape::pieces(bytes, |piece| match piece {
            Piece::Plain(plain) => string_body(line, plain),
            Piece::Byte(byte) => {
                put(line, "\\\\x");
                line.extend_from_slice(&hex(byte));
            }
            Piece::Backslash => put(line, "\\\\\\\\"),
        });
    }
    line.push(b'"');
}

fn string(line: &mut Vec<u8>, text: &str) {
    line.push(b'"');
    string_body(line, text);
    line.push(b'"');
}

/// The inside of a JSON string (RFC 8259 §7).
fn string_body(line: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&b| ESCAPED[usize::from(b)]) {
        line.extend_from_slice(&rest[..at]);
        match rest[at] {
            special @ (b'"' | b'\\') => line.extend_from_slice(&[b'\\', special]),
            control => {
                put(line, "\\u00");
                line.extend_from_slice(&hex(control));
            }
        }
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
}

/// A name in the presentation form of its `Display`, whose common case needs no formatter.
fn dns_name(line: &mut Vec<u8>, name: &DnsName) {
    line.push(b'"');
    let start = line.len();
    for label in name.labels() {
        if !label.iter().all(|&b| PLAIN[usize::from(b)] && !matches!(b, b'.' | b' ' | b';')) {
            line.truncate(start);
            break;
        }
        if line.len() > start {
            line.push(b'.');
        }
        line.extend_from_slice(label);
    }
    if line.len() == start {
        string_body(line, &name.to_string());
    }
    line.push(b'"');
}

fn quoted_address(line: &mut Vec<u8>, ip: IpAddr) {
    line.push(b'"');
    address(line, ip);
    line.push(b'"');
}

fn address(line: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            number(line, u64::from(a));
            for octet in [b, c, d] {
                line.push(b'.');
                number(line, u64::from(octet));
            }
        }
        IpAddr::V6(v6) => display(line, v6),
    }
}

fn display(line: &mut Vec<u8>, value: impl Display) {
    // Writing to a `Vec` does not fail.
    let _ = write!(line, "{value}");
}

fn number(line: &mut Vec<u8>, value: u64) {
    // Most numbers are octets, counts and codes.
    match u16::try_from(value) {
        Ok(ones @ 0..10) => line.push(digit(ones)),
        Ok(tens @ 10..100) => line.extend_from_slice(&[digit(tens / 10), digit(tens % 10)]),
        Ok(hundreds @ 100..1000) => {
            let digits = [digit(hundreds / 100), digit(hundreds / 10 % 10), digit(hundreds % 10)];
            line.extend_from_slice(&digits);
        }
        _ => line.extend_from_slice(itoa::Buffer::new().format(value).as_bytes()),
    }
}

/// The digit of a number below ten.
fn digit(value: u16) -> u8 {
    b'0' + value.to_le_bytes()[0]
}

/// Tenths of a millisecond, half a tenth rounded up: the unit in which durations are told.
pub(super) fn tenths(duration: Duration) -> u64 {
    let micros = u64::from(duration.subsec_micros());
    duration.as_secs().saturating_mul(10_000).saturating_add((micros + 50) / 100)
}

/// Milliseconds with one decimal.
fn milliseconds(line: &mut Vec<u8>, tenths: u64) {
    number(line, tenths / 10);
    line.push(b'.');
    number(line, tenths % 10);
}

/// What is escaped in a JSON string: what JSON forbids, and the control character that it allows.
static ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        escaped[byte] = !PLAIN[byte];
        byte += 1;
    }
    escaped
};

/// ASCII that stands for itself in JSON and in our own escape.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        plain[byte] = byte != b'"' as usize && byte != b'\\' as usize;
        byte += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_tenths_rounded_half_up() {
        for (micros, told) in [
            (0, "0.0"),
            (49, "0.0"),
            (50, "0.1"),
            (12_349, "12.3"),
            (12_350, "12.4"),
            (45_000_000, "45000.0"),
        ] {
            let mut line = Vec::new();
            milliseconds(&mut line, tenths(Duration::from_micros(micros)));
            assert_eq!(String::from_utf8(line).unwrap(), told);
        }
    }
}
