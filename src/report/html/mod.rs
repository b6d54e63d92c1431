//! The report as one HTML file that stands alone: no script, no other file, nothing fetched.
//!
//! Strangers' text passes through `text::Html` and nothing else. The page forbids everything but its own
//! style sheet (Content Security Policy with the sheet's hash), so shapes are SVG attributes, never `style=`.
//! The one other file that a page may lead to, and never loads, is the list of what is to be fixed
//! ([`fixes`]).

mod advice;
mod chart;
mod clones;
pub mod fixes;
mod groups;
mod hilbert;
mod hosts;
mod map;
mod run;
pub(super) mod text;

use std::fmt::Display;
use std::io::{self, Write};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::summary::text::percent;
use super::summary::{Breakdown, Summary};
use super::table::grouped;
use crate::judge::Severity;
use crate::record::time;
use fixes::{Place, Sheet};
use text::{Html, Url, base64};

pub use run::Run;

/// The style sheet, between its tags.
const STYLE: &str = include_str!("style.css");

/// What a reader wants to know first: how the servers stand, who has to act, what one change would do.
const ANSWERS: [&str; 3] = ["standing", "fixer", "what_if"];

/// What stands around the numbers.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What was scanned, or which files were read.
    pub subject: &'a str,
    /// When the page was made.
    pub made: SystemTime,
    /// What is to be fixed, and the name of the file beside the page that holds it.
    pub fixes: Option<(&'a Sheet, &'a str)>,
    /// The runs that the records come from.
    pub runs: &'a [Run],
}

/// Writes the page.
pub fn write(summary: &Summary, page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("banneret: {}", page.subject);
    head(&title, out)?;
    write!(
        out,
        "<header><h1>Mail server names</h1><p>{}</p><p class=\"faint\">made {} by banneret {}</p></header>\n<main>\n",
        Html(page.subject),
        time::to_string(page.made),
        env!("CARGO_PKG_VERSION"),
    )?;
    headline(summary, page.fixes, out)?;
    let (mut answers, numbers): (Vec<_>, Vec<_>) =
        summary.breakdowns().into_iter().partition(|it| ANSWERS.contains(&it.kind));
    answers.sort_by_key(|it| ANSWERS.iter().position(|kind| *kind == it.kind));
    columns(answers, out)?;
    hosts::hosts(page.fixes, out)?;
    advice::advice(summary, page.fixes, out)?;
    columns(numbers, out)?;
    clones::clones(&summary.clones.listed(), summary.shown(clones::LISTED), out)?;
    groups::tables(summary, page.fixes, out)?;
    map::map(summary, out)?;
    run::method(&summary.sources, out)?;
    run::runs(page.runs, out)?;
    out.write_all(b"</main>\n</body>\n</html>\n")
}

fn columns(breakdowns: Vec<Breakdown>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<div class=\"wide columns\">\n")?;
    for breakdown in breakdowns {
        chart::bars(&breakdown, out)?;
    }
    out.write_all(b"</div>\n")
}

/// Everything down to the body: the policy, the title, the style.
pub(super) fn head(title: &str, out: &mut dyn Write) -> io::Result<()> {
    let policy = format!("default-src 'none'; style-src 'sha256-{}'", base64(&Sha256::digest(STYLE)));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        Html(title),
    )
}

/// One figure above all others.
pub(super) fn figure(number: impl Display, word: &str, class: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<li><b class=\"{class}\">{}</b><span>{word}</span></li>", Html(number))
}

fn headline(summary: &Summary, fixes: Option<(&Sheet, &str)>, out: &mut dyn Write) -> io::Result<()> {
    let all = &summary.all;
    let judged = all.verdicts.total();
    out.write_all(b"<section class=\"wide\" id=\"headline\"><ul class=\"figures\">\n")?;
    figure(grouped(all.records), if all.records == 1 { "record" } else { "records" }, "", out)?;
    figure(grouped(judged), "mail servers", "", out)?;
    if judged > 0 {
        figure(percent(all.fine() as f64 / judged as f64), "of them fine", "none", out)?;
        for severity in [Severity::High, Severity::Medium, Severity::Low] {
            let count = all.severity(severity);
            figure(
                grouped(count),
                severity.as_str(),
                if count > 0 { severity.as_str() } else { "faint" },
                out,
            )?;
        }
        figure(grouped(all.not_known()), "not known: neither fine nor wrong", "faint", out)?;
    }
    out.write_all(b"</ul>\n")?;
    for (file, why) in &summary.incomplete {
        writeln!(out, "<p>Not complete: {why}: {}.</p>", Html(file))?;
    }
    let coverage = summary.coverage();
    if coverage.asked > 0 && !coverage.is_known() {
        writeln!(out, "<p>Coverage is {}.</p>", coverage.why_unknown())?;
    } else if coverage.asked > 0 {
        let [asked, answered, judged] = [coverage.asked, coverage.answered, coverage.judged].map(grouped);
        write!(out, "<p>{asked} targets asked, {answered} answered, {judged} judged")?;
        let mut gap = "; undetermined for";
        for (word, count) in &coverage.why {
            write!(out, "{gap} {word} {}", grouped(*count))?;
            gap = ",";
        }
        let stopped = if coverage.stopped > 0 { "; not all scans came to their end" } else { "" };
        writeln!(out, "{stopped}.</p>")?;
    }
    if let Some((sheet, file)) = fixes {
        let (listed, met) = sheet.counts();
        let cut = if listed < met {
            format!(": the {} worst of {} hosts", grouped(listed), grouped(met))
        } else {
            format!(": {} host{}", grouped(met), if met == 1 { "" } else { "s" })
        };
        writeln!(out, "<p><a href=\"{}\">What is to be fixed, as CSV</a>{cut}</p>", Url(file))?;
    }
    out.write_all(b"</section>\n")
}

/// A link to the rows of a group in the list.
fn link(file: &str, place: &Place) -> String {
    let Place { hosts, fragment } = place;
    let hosts = format!("{} host{}", grouped(*hosts as u64), if *hosts == 1 { "" } else { "s" });
    if fragment.is_empty() {
        return format!("<a href=\"{}\">{hosts}</a>", Url(file));
    }
    format!("<a href=\"{}#{fragment}\" title=\"{fragment}\">{hosts}</a>", Url(file))
}

#[cfg(test)]
mod tests;
