//! Bars: how often each word of a closed set was met, as a table whose rows hold one SVG rectangle each.

use std::io::{self, Write};

use super::text::Html;
use crate::judge::{Code, Severity, Tenancy};
use crate::report::summary::Breakdown;
use crate::report::summary::text::percent;
use crate::report::table::grouped;

/// The width of a whole bar, in user units.
const WHOLE: f64 = 200.0;

/// Whither the words of a set lead.
enum Anchors {
    /// To the advice about each.
    Advice,
    /// Nowhere.
    None,
}

/// How a person reads a word that is no code of a record.
fn label(word: &str) -> &str {
    match word {
        "ptr_alone" => "one PTR record",
        "banner_alone" => "another name in the greeting",
        "forward_alone" => "one address record",
        "no_single_change" => "only several changes",
        "in_trouble" => "in trouble",
        "not_known" => "not known",
        "both" => "provider and customer",
        other => other,
    }
}

/// Writes the section of one closed set; nothing if none of its words was met.
pub(super) fn bars(breakdown: &Breakdown, out: &mut dyn Write) -> io::Result<()> {
    let mut met = breakdown.met();
    if breakdown.kind == "severity" {
        met.sort_by_key(|(word, _)| std::cmp::Reverse(Severity::parse(word)));
    }
    if met.is_empty() {
        return Ok(());
    }
    let (title, anchors) = match breakdown.kind {
        "finding" => ("Findings", Anchors::Advice),
        "verdict" => ("Verdicts", Anchors::None),
        "outcome" => ("Outcomes", Anchors::None),
        "severity" => ("Severity", Anchors::None),
        "accepted" => ("Accepted findings", Anchors::None),
        "what_if" => ("Hosts in trouble that one change would clear", Anchors::None),
        "standing" => ("How the mail servers stand", Anchors::None),
        "fixer" => ("Who has to fix what is wrong", Anchors::None),
        other => (other, Anchors::None),
    };
    write!(out, "<section><h2>{title}</h2>\n<table class=\"bars\">\n<tbody>\n")?;
    for (word, count) in met {
        let share = count as f64 / breakdown.of.max(1) as f64;
        let (name, class) = match anchors {
            Anchors::Advice => {
                let weight = Code::parse(word).map_or(Severity::Info, |code| code.severity(Tenancy::Unknown));
                (format!("<a href=\"#{word}\">{word}</a>"), weight.as_str())
            }
            Anchors::None => (label(word).to_owned(), word),
        };
        writeln!(
            out,
            "<tr><th scope=\"row\">{name}</th><td>{}</td><td>{}</td><td class=\"bar\"><svg viewBox=\"0 0 200 12\" \
             preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"{:.1}\" height=\"12\" rx=\"2\"/></svg></td></tr>",
            grouped(count),
            Html(percent(share)),
            (share * WHOLE).clamp(1.0, WHOLE),
        )?;
    }
    out.write_all(b"</tbody>\n</table></section>\n")
}
