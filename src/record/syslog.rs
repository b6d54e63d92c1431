//! A record as one line of syslog (RFC 5424): a header, structured data, and a message for a person.
//!
//! Facility `local0`; severity warning, notice or informational for high, medium and all else. The enterprise number in
//! the names of the structured data is the one for examples (RFC 5612), as banneret has none of its own. Nothing in a line
//! acts on a terminal or ends it, and no value is longer than [`LONGEST`] characters.

use std::fmt::{Display, Write as _};

use super::neutral::Safe;
use super::{Record, escape, time};
use crate::judge::{Fcrdns, Relation, Severity, Verdict};
use crate::name::HostName;

/// `local0` (RFC 5424 §6.2.1), times eight.
const FACILITY: u8 = 16 << 3;
/// The longest value, in characters: twice what a name of DNS has.
pub const LONGEST: usize = 512;
/// The most tags, so that a line stays below what receivers take (RFC 5424 §6.1: 2 KiB at the least, 8 as a rule).
const TAGS: usize = 16;
/// The most PTR names.
const PTR_NAMES: usize = 4;
/// The longest name of a parameter (§6.3.3, SD-NAME).
const NAME: usize = 32;
/// Says that the message is UTF-8 (§6.4).
const BOM: char = '\u{feff}';

/// Appends the line of a record, line feed included; `host` is the name of this machine.
pub fn encode(record: &Record, host: &str, line: &mut Vec<u8>) {
    let mut text = String::with_capacity(1024);
    let severity = match record.judgement.severity {
        Some(Severity::High) => 4,
        Some(Severity::Medium) => 5,
        _ => 6,
    };
    let outcome = record.evidence.observation.outcome.as_str();
    let id = record.judgement.verdict.map_or(outcome, |verdict| verdict.as_str());
    // Writing to a `String` does not fail.
    let _ = write!(
        text,
        "<{}>1 {} {} banneret - {id} [banneret@32473",
        FACILITY + severity,
        time::to_string(record.time),
        header(host),
    );
    facts(&mut text, record);
    text.push(']');
    tags(&mut text, record);
    let _ = writeln!(text, " {BOM}{}", message(record));
    line.extend_from_slice(text.as_bytes());
}

/// What it comes to, for a person: one line.
pub fn message(record: &Record) -> String {
    let (target, judged) = (&record.target, &record.judgement);
    let name = judged.banner_name.as_deref().unwrap_or("(no name)");
    let at = target.ip.map_or_else(
        || target.asked.to_string(),
        |ip| std::net::SocketAddr::new(ip, target.port).to_string(),
    );
    let outcome = record.evidence.observation.outcome.as_str();
    let word = judged.verdict.map_or(outcome, |verdict| verdict.as_str());
    let mut text = format!("{} at {}: {word}", cut(name), cut(at));
    if let Some(severity) = judged.severity {
        let _ = write!(text, " ({})", severity.as_str());
    }
    for finding in &judged.findings {
        let _ = write!(text, " {}", finding.code.as_str());
    }
    text
}

fn facts(text: &mut String, record: &Record) {
    let (seen, judged) = (&record.evidence.observation, &record.judgement);
    let dns = record.evidence.resolution.as_ref();
    parameter(text, "ip", record.target.ip);
    parameter(text, "port", Some(record.target.port));
    parameter(text, "asked", Some(&record.target.asked));
    parameter(text, "outcome", Some(seen.outcome.as_str()));
    parameter(text, "verdict", judged.verdict.map(Verdict::as_str));
    parameter(text, "severity", judged.severity.map(Severity::as_str));
    let findings: Vec<&str> = judged.findings.iter().map(|finding| finding.code.as_str()).collect();
    parameter(text, "findings", Some(findings.join(",")).filter(|list| !list.is_empty()));
    parameter(text, "code", record.code());
    let banner = seen.greeting.as_ref().and_then(|greeting| greeting.text.lines().next());
    parameter(text, "banner", banner.map(escape::escape));
    parameter(text, "banner_name", judged.banner_name.as_deref());
    parameter(text, "ehlo_name", judged.ehlo_name.as_deref());
    parameter(text, "ptr_status", dns.map(|dns| dns.ptr.as_str()));
    for ptr in dns.iter().flat_map(|dns| &dns.names).take(PTR_NAMES) {
        parameter(text, "ptr_name", Some(&ptr.name));
    }
    parameter(text, "fcrdns", judged.fcrdns.filter(|_| dns.is_some()).map(Fcrdns::as_str));
    parameter(text, "relation", judged.relation.map(Relation::as_str));
    parameter(text, "platform", judged.platform.as_ref().map(|platform| platform.name));
    parameter(text, "tenancy", Some(judged.tenancy.as_str()));
    let scanner = record.evidence.scanner.as_ref();
    parameter(text, "scanner_ip", scanner.and_then(|scanner| scanner.ip));
    parameter(text, "scanner_name", scanner.and_then(|scanner| scanner.name.as_ref()).map(HostName::as_str));
    parameter(text, "asn", record.network.as_ref().map(|network| network.asn));
}

fn tags(text: &mut String, record: &Record) {
    let tags = record.target.inventory.as_deref().map_or(&[][..], |said| &said.tags);
    if tags.is_empty() {
        return;
    }
    text.push_str("[tags@32473");
    for (name, value) in tags.iter().take(TAGS) {
        let plain = |c: char| if c.is_ascii_graphic() && !"=]\"".contains(c) { c } else { '_' };
        let name: String = name.chars().map(plain).take(NAME).collect();
        parameter(text, if name.is_empty() { "_" } else { &name }, Some(value));
    }
    text.push(']');
}

/// One parameter; in its value `"`, `\` and `]` are escaped (§6.3.3), and what acts is shown.
fn parameter(text: &mut String, name: &str, value: Option<impl Display>) {
    let Some(value) = value else { return };
    let _ = write!(text, " {name}=\"");
    for character in cut(value).chars() {
        if matches!(character, '"' | '\\' | ']') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

/// A value that is shown and does nothing, cut to [`LONGEST`].
fn cut(value: impl Display) -> String {
    let shown = Safe(value).to_string();
    match shown.char_indices().nth(LONGEST) {
        Some((at, _)) => shown[..at].to_owned(),
        None => shown,
    }
}

/// A name for the header: printable ASCII, at most 255 of it, `-` if none is left (§6.2.4).
fn header(host: &str) -> String {
    let name: String = host.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}
