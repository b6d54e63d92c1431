//! A record as one line of syslog (RFC 5424): a header, structured data, and a message for a person.
//!
//! Facility `local0`; severity warning, notice or informational for high, medium and all else. The enterprise
//! number in the names of the structured data is the one for examples (RFC 5612), as banneret has none of its
//! own. Nothing in a line acts on a terminal or ends it, and no value is longer than [`LONGEST`] characters:
//! those that are cut are named.

mod parameter;

use std::fmt::Write as _;

use serde_json::Value;

use super::neutral::Safe;
use super::{Record, json, label, time};
use crate::judge::Severity;
use parameter::{Element, FACTS};

pub use parameter::LONGEST;

/// `local0` (RFC 5424 §6.2.1), times eight.
const FACILITY: u8 = 16 << 3;
/// The longest name of a machine (§6.2.4), and of a kind of message (§6.2.7).
const HOST: usize = 255;
const ID: usize = 32;
/// The longest name of a parameter (§6.3.3, SD-NAME).
const NAME: usize = 32;
/// Opens the names of parameters that are no tag's; no tag's has it.
const NO_TAG: char = '~';
/// Says that the message is UTF-8 (§6.4).
const BOM: char = '\u{feff}';

/// Appends the line of a record, line feed included; `host` is the name of this machine.
pub fn encode(record: &Record, host: &str, line: &mut Vec<u8>) {
    let mut text = String::with_capacity(2048);
    let severity = match record.judgement.severity {
        Some(Severity::High) => 4,
        Some(Severity::Medium) => 5,
        _ => 6,
    };
    let id = record.judgement.verdict.map_or(record.outcome_word(), |verdict| verdict.as_str());
    // Writing to a `String` does not fail.
    let _ = write!(
        text,
        "<{}>1 {} {} banneret - {} ",
        FACILITY + severity,
        time::to_string(record.time),
        header(host, HOST),
        header(id, ID),
    );
    facts(&mut text, record);
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
    let word = judged.verdict.map_or(record.outcome_word(), |verdict| verdict.as_str());
    let mut text = format!("{} at {}: {}", cut(name), cut(&at), cut(word));
    if let Some(severity) = judged.severity {
        let _ = write!(text, " ({})", severity.as_str());
    }
    for finding in &judged.findings {
        let _ = write!(text, " {}", finding.code.as_str());
    }
    text
}

/// Every field of the record, as its own line tells it.
fn facts(text: &mut String, record: &Record) {
    let mut line = Vec::new();
    json::encode_known(record, &mut line);
    let told: Value = serde_json::from_slice(&line).unwrap_or_default();
    let mut element = Element::open(text, "banneret@32473");
    for fact in &FACTS {
        if let Some(value) = fact.value(&told) {
            element.put(fact.name, &value);
        }
    }
    element.close("cut");
}

/// The tags, by names that the form takes. A name that is too long for it is cut and numbered, and stands
/// whole as a value.
fn tags(text: &mut String, record: &Record) {
    let tags = record.target.inventory.as_deref().map_or(&[][..], |said| &said.tags);
    if tags.is_empty() {
        return;
    }
    let mut element = Element::open(text, "tags@32473");
    for (place, (tag, value)) in tags.iter().enumerate() {
        let name = label::for_parameter(tag);
        if name.len() <= NAME {
            element.put(&name, &parameter::text(value));
            continue;
        }
        let number = format!("{NO_TAG}{}", place + 1);
        element.put(&format!("{}{number}", &name[..NAME - number.len()]), &parameter::text(value));
        element.put(&number, &parameter::text(tag));
    }
    element.close("~cut");
}

/// A text that is shown and does nothing, cut to [`LONGEST`].
fn cut(text: &str) -> String {
    let shown = Safe(text).to_string();
    match shown.char_indices().nth(LONGEST) {
        Some((at, _)) => shown[..at].to_owned(),
        None => shown,
    }
}

/// A name for the header: printable ASCII, at most so much of it, `-` if none is left.
fn header(name: &str, longest: usize) -> String {
    let name: String = name.chars().filter(char::is_ascii_graphic).take(longest).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}
