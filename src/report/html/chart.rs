//! Bars: how often each word of a closed set was met, as a table whose rows hold one SVG rectangle each.

use std::io::{self, Write};

use super::text::Html;
use crate::report::summary::Breakdown;
use crate::report::summary::text::percent;
use crate::report::table::grouped;

/// The width of a whole bar, in user units.
const WHOLE: f64 = 200.0;

/// Writes the section of one closed set; nothing if none of its words was met.
pub(super) fn bars(breakdown: &Breakdown, out: &mut dyn Write) -> io::Result<()> {
    let met = breakdown.met();
    if met.is_empty() {
        return Ok(());
    }
    write!(out, "<section><h2>{}</h2>\n<table class=\"bars\">\n<tbody>\n", breakdown.kind)?;
    for (word, count) in met {
        let share = count as f64 / breakdown.of.max(1) as f64;
        writeln!(
            out,
            "<tr><th scope=\"row\">{word}</th><td>{}</td><td>{}</td><td><svg width=\"200\" height=\"12\" \
             aria-hidden=\"true\"><rect class=\"bar {word}\" width=\"{:.1}\" height=\"12\" rx=\"2\"/></svg></td></tr>",
            grouped(count),
            Html(percent(share)),
            (share * WHOLE).clamp(1.0, WHOLE),
        )?;
    }
    out.write_all(b"</tbody>\n</table></section>\n")
}
