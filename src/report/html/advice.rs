//! What to do, finding by finding: why it stands, who can end it, who cares. The sentences are the judge's.

use std::io::{self, Write};

use super::fixes::Sheet;
use super::link;
use super::text::Html;
use crate::judge::{Code, Tenancy};
use crate::report::summary::Summary;
use crate::report::table::grouped;

/// Whose address it may be, as a person says it.
const TENANCIES: [(Tenancy, &str); 3] = [
    (Tenancy::Dedicated, "on a host of one's own"),
    (Tenancy::Shared, "on a shared host"),
    (Tenancy::Unknown, "where nobody knows"),
];

/// Writes the section; nothing if nothing was found.
pub(super) fn advice(
    summary: &Summary,
    fixes: Option<(&Sheet, &str)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let worst = |code: Code| TENANCIES.iter().map(|&(tenancy, _)| code.severity(tenancy)).max();
    let mut met: Vec<Code> = Code::ALL.into_iter().filter(|&code| summary.finding(code) > 0).collect();
    if met.is_empty() {
        return Ok(());
    }
    met.sort_by_key(|&code| std::cmp::Reverse((worst(code), summary.finding(code))));
    out.write_all(
        b"<section class=\"wide\" id=\"advice\"><h2>What to do</h2>\n<p class=\"faint\">Every finding that was met, the \
          weightiest first. Difference of names alone is a weak signal; a missing or unconfirmed PTR record is a \
          strong one.</p>\n<div class=\"cards\">\n",
    )?;
    for code in met {
        card(code, summary.finding(code), fixes, out)?;
    }
    out.write_all(b"</div></section>\n")
}

fn card(code: Code, count: u64, fixes: Option<(&Sheet, &str)>, out: &mut dyn Write) -> io::Result<()> {
    let word = code.as_str();
    let weights = by_tenancy(|tenancy| code.severity(tenancy).as_str());
    let who = by_tenancy(|tenancy| code.fixer(tenancy).as_str());
    let class = code.severity(Tenancy::Unknown).as_str();
    write!(
        out,
        "<article id=\"{word}\"><h3><span class=\"key {class}\"></span>{word}</h3>\n<p>{}</p>\n<dl><dt>hosts</dt><dd>{}</dd>",
        Html(code.why()),
        grouped(count),
    )?;
    if let Some((sheet, file)) = fixes
        && let Some(place) = sheet.place(|fix| fix.findings.contains(code))
    {
        write!(out, "<dt>to fix</dt><dd>{}</dd>", link(file, &place))?;
    }
    writeln!(
        out,
        "<dt>weight</dt><dd>{}</dd><dt>who can</dt><dd>{}</dd><dt>what</dt><dd>{}</dd><dt>who cares</dt><dd>{}</dd></dl></article>",
        Html(weights),
        Html(who),
        Html(code.remedy()),
        Html(code.cares()),
    )
}

/// A word for each tenancy; one if all are the same.
fn by_tenancy(word: impl Fn(Tenancy) -> &'static str) -> String {
    let [first, ..] = TENANCIES.map(|(tenancy, _)| word(tenancy));
    if TENANCIES.iter().all(|&(tenancy, _)| word(tenancy) == first) {
        return first.to_owned();
    }
    let told: Vec<String> =
        TENANCIES.iter().map(|&(tenancy, place)| format!("{} {place}", word(tenancy))).collect();
    told.join(", ")
}
