//! A comparison as a page that stands alone, made as the report's is ([`crate::report::html`]).

use std::io::{self, Write};
use std::time::SystemTime;

use super::show::{counts, story};
use super::{Change, Entry};
use crate::record::time;
use crate::report::html::{figure, head, text::Html};
use crate::report::table::grouped;

/// The most hosts of one change that are listed; the CSV holds all.
const LISTED: usize = 1000;

/// Writes the page; `subject` says what was compared.
pub fn write(
    entries: &[Entry<'_>],
    (subject, made): (&str, SystemTime),
    out: &mut dyn Write,
) -> io::Result<()> {
    head(&format!("banneret: {subject}"), out)?;
    write!(
        out,
        "<header><h1>What changed</h1><p>{}</p><p class=\"faint\">made {} by banneret {}</p></header>\n<main>\n\
         <section class=\"wide\" id=\"headline\"><ul class=\"figures\">\n",
        Html(subject),
        time::to_string(made),
        env!("CARGO_PKG_VERSION"),
    )?;
    for (change, count) in counts(entries) {
        figure(grouped(count), change.as_str(), if count > 0 { class(change) } else { "faint" }, out)?;
    }
    out.write_all(b"</ul></section>\n")?;
    for change in Change::ALL.into_iter().filter(|&change| change != Change::Same) {
        let met: Vec<_> = entries.iter().filter(|entry| entry.change == change).collect();
        if !met.is_empty() {
            section(change, &met, out)?;
        }
    }
    out.write_all(b"</main>\n</body>\n</html>\n")
}

/// The colour of a change.
fn class(change: Change) -> &'static str {
    match change {
        Change::Regressed => "high",
        Change::StillWrong | Change::Flapping => "medium",
        Change::Fixed => "none",
        Change::Renamed | Change::New | Change::Gone => "info",
        Change::Unknown | Change::Same => "",
    }
}

fn section(change: Change, entries: &[&Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    let word = change.as_str();
    write!(
        out,
        "<section class=\"wide\" id=\"{word}\"><h2>{word}</h2>\n<p class=\"faint\">{}</p>\n<table class=\"hosts\">\n<tbody>\n",
        Html(change.about()),
    )?;
    for entry in entries.iter().take(LISTED) {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td></tr>",
            Html(entry.host.address()),
            Html(story(entry)),
        )?;
    }
    out.write_all(b"</tbody>\n</table>\n")?;
    if entries.len() > LISTED {
        writeln!(out, "<p class=\"faint\">and {} more</p>", grouped((entries.len() - LISTED) as u64))?;
    }
    out.write_all(b"</section>\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{row, scan};
    use super::*;
    use crate::judge::{Code, Verdict};
    use crate::record::row::Row;

    #[test]
    fn the_page_tells_each_change_and_lets_no_name_act() {
        let hostile = |last| Row {
            banner_name: Some("<script>x</script>\u{202e}".into()),
            ..row(last, Verdict::NoPtr, &[Code::PtrMissing])
        };
        let (old, new) = (scan(&[hostile(1), hostile(2)]), scan(&[row(1, Verdict::Match, &[]), hostile(2)]));
        let mut out = Vec::new();
        write(&old.compare(&new), ("old → new", SystemTime::UNIX_EPOCH), &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        for part in [
            "<h1>What changed</h1><p>old → new</p>",
            "<b class=\"none\">1</b><span>fixed</span>",
            "<b class=\"faint\">0</b><span>regressed</span>",
            "<th scope=\"row\">192.0.2.1</th><td class=\"text\">mail.example.org no_ptr → match -ptr_missing</td>",
            "&lt;script&gt;x&lt;/script&gt;\\u{202e} no_ptr since 1970-01-01</td>",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        assert!(!page.contains("<script") && !page.contains('\u{202e}'));
    }
}
