//! How it was done and what it can't tell, and the manifests of the runs whose records were read.

use std::io::{self, Write};

use serde_json::Value;

use super::text::Html;
use crate::report::table::clip;

/// The most runs whose manifests are shown.
const MOST_RUNS: usize = 20;
/// The most that a page shows of one value, in columns.
const WIDEST: usize = 400;

/// A file of records, and the manifest beside it.
#[derive(Debug, Clone)]
pub struct Run {
    /// The file's name.
    pub name: String,
    /// What its manifest says; `None` where there is none.
    pub manifest: Option<Value>,
}

/// What a reader asks for first; the rest follows by name.
const FIRST: [&str; 10] =
    ["command", "version", "start", "end", "complete", "targets", "seed", "shard", "resolvers", "settings"];

/// What every reader has to know.
const METHOD: [(&str, &str); 7] = [
    (
        "What was seen",
        "The greeting of each mail server (220 and what follows), its PTR names, and the addresses of these names and of the name in the greeting.",
    ),
    (
        "Not HELO",
        "The greeting names the server role of a host. Receivers of its mail look at the name in HELO, which can't be seen by connecting (helo_observed: false). Usually the two are one setting, not always.",
    ),
    (
        "Unknown is not wrong",
        "A question of DNS that got no definite answer makes a host undetermined. It is never counted as a missing or wrong name.",
    ),
    (
        "A difference is weak",
        "Large services greet by other names than their PTR records, by design. Weight follows what receivers do: a PTR record that is missing or does not lead back first, a name that merely differs last.",
    ),
    (
        "Weight follows control",
        "On a shared host the provider owns both names, so a difference is expected there; on a host of one's own it looks unfinished.",
    ),
    (
        "Confirmed",
        "A PTR name counts if one of its addresses is the host's own (RFC 8601, iprev). Of several PTR names one is enough.",
    ),
    (
        "Out of scope",
        "SPF, DKIM, DMARC, content, reputation. A host that is fine here may still be refused for any of them.",
    ),
];

/// Writes the section on method and limits, and on data that others made.
pub(super) fn method(sources: &[String], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(
        b"<section class=\"wide\" id=\"method\"><h2>Method and limits</h2>\n<dl class=\"facts\">\n",
    )?;
    for (word, text) in METHOD {
        writeln!(out, "<dt>{}</dt><dd>{}</dd>", Html(word), Html(text))?;
    }
    for source in sources {
        writeln!(out, "<dt>Data of others</dt><dd>{}</dd>", Html(clip(source, WIDEST)))?;
    }
    out.write_all(b"</dl></section>\n")
}

/// Writes the section on the runs; nothing if none is known.
pub(super) fn runs(runs: &[Run], out: &mut dyn Write) -> io::Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    out.write_all(b"<section class=\"wide\" id=\"run\"><h2>Run</h2>\n")?;
    for run in runs.iter().take(MOST_RUNS) {
        writeln!(out, "<h3>{}</h3>", Html(clip(&run.name, WIDEST)))?;
        match &run.manifest {
            Some(Value::Object(fields)) => {
                out.write_all(b"<dl class=\"facts\">\n")?;
                let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(name, _)| place(name));
                for (name, value) in fields {
                    writeln!(
                        out,
                        "<dt>{}</dt><dd>{}</dd>",
                        Html(clip(name, WIDEST)),
                        Html(clip(&told(value), WIDEST))
                    )?;
                }
                out.write_all(b"</dl>\n")?;
            }
            _ => out.write_all(b"<p class=\"faint\">No manifest stands beside it.</p>\n")?,
        }
    }
    if runs.len() > MOST_RUNS {
        writeln!(out, "<p class=\"faint\">and {} more</p>", runs.len() - MOST_RUNS)?;
    }
    out.write_all(b"</section>\n")
}

/// A value as a person reads it: lists and objects one behind the other.
fn told(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().map(told).collect();
            words.join(" ")
        }
        Value::Object(fields) => {
            let words: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}: {}", told(value))).collect();
            words.join(", ")
        }
    }
}
