//! The hosts themselves: the worst of them, each with the record or setting that puts it right, folded. All
//! of them are in the list beside the page.

use std::io::{self, Write};

use super::fixes::Sheet;
use super::text::{Html, Url};
use crate::judge::Code;
use crate::judge::cause::Fixer;
use crate::report::summary::detail::BrokenHost;
use crate::report::table::grouped;

/// Hosts on the page.
const SHOWN: usize = 50;

/// Writes the section; nothing if nothing is to be fixed.
pub(super) fn hosts(fixes: Option<(&Sheet, &str)>, out: &mut dyn Write) -> io::Result<()> {
    let Some((sheet, file)) = fixes else { return Ok(()) };
    let worst = sheet.worst(SHOWN);
    if worst.is_empty() {
        return Ok(());
    }
    out.write_all(
        b"<section class=\"wide\" id=\"hosts\"><h2>What to set, host by host</h2>\n<p class=\"faint\">The worst first, with the \
          exact record or setting.</p>\n",
    )?;
    for host in &worst {
        one(host, out)?;
    }
    let (_, met) = sheet.counts();
    let more = met.saturating_sub(worst.len() as u64);
    if more > 0 {
        writeln!(out, "<p>and {} more, in <a href=\"{}\">the list</a></p>", grouped(more), Url(file))?;
    }
    out.write_all(b"</section>\n")
}

fn one(host: &BrokenHost, out: &mut dyn Write) -> io::Result<()> {
    let severity = host.severity.as_str();
    let codes: Vec<&str> = host.findings.iter().map(Code::as_str).collect();
    write!(
        out,
        "<details><summary><span class=\"key {severity}\"></span>{} {severity}: {}",
        Html(host.ip),
        codes.join(", ")
    )?;
    for (name, value) in &host.tags {
        write!(out, " &middot; {} {}", Html(name), Html(value))?;
    }
    out.write_all(b"</summary>\n<dl>")?;
    let said = host.banner_name.as_deref().unwrap_or("no name");
    let reverse = if host.ptr_names.is_empty() { "none".to_owned() } else { host.ptr_names.join(", ") };
    let mut rows = vec![("greets with", said.to_owned()), ("reverse name", reverse)];
    rows.extend(host.expected_name.as_deref().map(|name| ("expected name", name.to_owned())));
    let fixers: Vec<&str> = host.fixers().into_iter().map(Fixer::as_str).collect();
    rows.push(("who", fixers.join(" and ")));
    let fix = host.fix();
    rows.extend(fix.to_agree().map(|agree| ("first", agree.to_owned())));
    for step in fix.steps() {
        rows.push((step.who.as_str(), step.what.clone()));
        rows.extend(step.forms.iter().map(|(label, form)| (*label, form.replace('\n', " / "))));
        rows.push(("check", format!("{} \u{2192} {}", step.check, step.expected)));
    }
    if fix.changes.is_empty() {
        rows.extend(host.findings.iter().map(|code| ("what", code.remedy().to_owned())));
    }
    for (title, text) in rows {
        write!(out, "<dt>{title}</dt><dd>{}</dd>", Html(text))?;
    }
    out.write_all(b"</dl></details>\n")
}
