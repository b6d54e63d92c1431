//! The report as one HTML file that stands alone: no script, no other file, nothing fetched.
//!
//! Strangers' text passes through `text::Html` and nothing else. The page forbids everything but its own style sheet
//! (Content Security Policy with the sheet's hash), so shapes are SVG attributes, never `style=`.

mod chart;
mod hilbert;
mod text;

use std::fmt::Display;
use std::io::{self, Write};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::summary::text::{WORST, percent};
use super::summary::{Summary, Tally};
use super::table::grouped;
use crate::judge::Severity;
use crate::record::time;
use text::{Html, base64};

/// How many groups of a kind are listed.
const LISTED: usize = 25;
/// The style sheet, between its tags.
const STYLE: &str = include_str!("style.css");

/// What stands above the numbers.
#[derive(Debug, Clone)]
pub struct Title<'a> {
    /// What was scanned, or which files were read.
    pub subject: &'a str,
    /// When the page was made.
    pub made: SystemTime,
}

/// Writes the page.
pub fn write(summary: &Summary, title: &Title<'_>, out: &mut dyn Write) -> io::Result<()> {
    let policy = format!("default-src 'none'; style-src 'sha256-{}'", base64(&Sha256::digest(STYLE)));
    let subject = Html(title.subject);
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>banneret: {subject}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><h1>Mail server names</h1><p>{subject}</p><p class=\"faint\">{} records; made {}</p></header>\n<main>\n",
        grouped(summary.all.records),
        time::to_string(title.made),
    )?;
    for breakdown in summary.breakdowns() {
        chart::bars(&breakdown, out)?;
    }
    clones(&summary.clones.listed(), out)?;
    hilbert::map(&summary.prefixes, out)?;
    let worst = summary.prefixes.worst();
    table("Worst networks", "network", worst.iter().take(WORST).map(|&(key, tally)| (key, tally)), out)?;
    let systems = summary.systems.listed(LISTED).0;
    let systems = systems.iter().map(|&(asn, tally)| (system(summary, *asn), tally));
    let systems: Vec<_> = systems.collect();
    table("Autonomous systems", "system", systems.iter().map(|(key, tally)| (key, *tally)), out)?;
    table("Names in greetings", "name", summary.banner_names.listed(LISTED).0.into_iter(), out)?;
    table("Domains", "domain", summary.domains.listed(LISTED).0.into_iter(), out)?;
    table("Platforms", "platform", summary.platforms.listed(LISTED).0.into_iter(), out)?;
    out.write_all(b"</main>\n</body>\n</html>\n")
}

fn clones(listed: &[(&str, u64)], out: &mut dyn Write) -> io::Result<()> {
    if listed.is_empty() {
        return Ok(());
    }
    out.write_all(
        b"<section><h2>Cloned images</h2>\n<table>\n<thead><tr><th scope=\"col\">default or foreign name</th>\
          <th scope=\"col\">records</th></tr></thead>\n<tbody>\n",
    )?;
    for (name, records) in listed.iter().take(LISTED) {
        writeln!(out, "<tr><th scope=\"row\">{}</th><td>{}</td></tr>", Html(name), grouped(*records))?;
    }
    out.write_all(b"</tbody>\n</table></section>\n")
}

fn system(summary: &Summary, asn: u32) -> String {
    match summary.as_name(asn) {
        Some(name) => format!("AS{asn} {name}"),
        None => format!("AS{asn}"),
    }
}

fn table<'a, K: Display + 'a>(
    title: &str,
    kind: &str,
    groups: impl Iterator<Item = (&'a K, &'a Tally)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut groups = groups.peekable();
    if groups.peek().is_none() {
        return Ok(());
    }
    write!(
        out,
        "<section><h2>{title}</h2>\n<table>\n<thead><tr><th scope=\"col\">{kind}</th><th scope=\"col\">records</th>\
         <th scope=\"col\">high</th><th scope=\"col\">medium</th><th scope=\"col\">low</th>\
         <th scope=\"col\">sound</th></tr></thead>\n<tbody>\n"
    )?;
    for (key, tally) in groups {
        write!(out, "<tr><th scope=\"row\">{}</th><td>{}</td>", Html(key), grouped(tally.records))?;
        for severity in [Severity::High, Severity::Medium, Severity::Low] {
            let count = tally.severity(severity);
            let class = if count > 0 { severity.as_str() } else { "faint" };
            write!(out, "<td class=\"{class}\">{}</td>", grouped(count))?;
        }
        let sound = tally.severity(Severity::None) + tally.severity(Severity::Info);
        let share = sound as f64 / tally.severities.total().max(1) as f64;
        writeln!(out, "<td>{}</td></tr>", Html(percent(share)))?;
    }
    out.write_all(b"</tbody>\n</table></section>\n")
}

#[cfg(test)]
mod tests;
