//! Tables of groups: the worst networks, and the largest systems, names, domains and platforms.

use std::fmt::Display;
use std::hash::Hash;
use std::io::{self, Write};

use super::fixes::Sheet;
use super::link;
use super::text::Html;
use crate::judge::{Severity, platform};
use crate::name::registrable;
use crate::report::summary::detail::BrokenHost;
use crate::report::summary::text::percent;
use crate::report::summary::{Groups, Summary, Tally};
use crate::report::table::{clip, grouped};

/// How many groups of a kind are listed.
const LISTED: usize = 25;
/// The most that a page shows of one name, in columns: a name of DNS has 253 characters.
const WIDEST: usize = 120;

/// Writes all tables.
pub(super) fn tables(
    summary: &Summary,
    fixes: Option<(&Sheet, &str)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let most = summary.shown(LISTED);
    let mut table = Table { fixes, out };
    let worst = summary.prefixes.worst();
    let networks = worst.into_iter().map(|(prefix, tally)| {
        let prefix = *prefix;
        Line::of(prefix, tally, move |fix| fix.prefix() == prefix)
    });
    table.section("Worst networks", "network", networks.take(most))?;
    let systems = listed(&summary.systems, most);
    let systems = systems.map(|(&asn, tally)| {
        Line::of(system(summary, asn), tally, move |fix: &BrokenHost| fix.asn == Some(asn))
    });
    table.section("Autonomous systems", "system", systems)?;
    let names = listed(&summary.banner_names, most);
    let greets_so = |name: &String| {
        let name = name.clone();
        move |fix: &BrokenHost| fix.banner_name.as_deref() == Some(name.as_str())
    };
    table.section(
        "Names in greetings",
        "name",
        names.map(|(name, tally)| Line::of(name, tally, greets_so(name))),
    )?;
    let domains = listed(&summary.domains, most);
    let within = |domain: &String| {
        let domain = domain.clone();
        move |fix: &BrokenHost| fix.banner_name.as_deref().and_then(registrable) == Some(domain.as_str())
    };
    table.section(
        "Domains of greetings",
        "domain",
        domains.map(|(name, tally)| Line::of(name, tally, within(name))),
    )?;
    let ptr_domains = listed(&summary.ptr_domains, most);
    let leads_into = |domain: &String| {
        let domain = domain.clone();
        move |fix: &BrokenHost| fix.ptr_names.iter().any(|name| registrable(name) == Some(domain.as_str()))
    };
    let ptr_domains = ptr_domains.map(|(name, tally)| Line::of(name, tally, leads_into(name)));
    table.section("Domains of PTR names", "domain", ptr_domains)?;
    let platforms = listed(&summary.platforms, most).map(|(name, tally)| {
        let title = platform::row(name).map_or(name.as_str(), |row| row.title);
        let name = name.clone();
        Line::of(title, tally, move |fix| fix.platform.as_deref() == Some(name.as_str()))
    });
    table.section("Platforms", "platform", platforms)?;
    for grouping in summary.chosen() {
        let title = format!("By {}", Html(grouping.kind));
        let groups = grouping.groups.worst_listed(most).groups;
        let label = |(key, tally)| Line::of(summary.label(grouping.kind, &key), tally, |_| false);
        table.section(&title, "group", groups.into_iter().map(label))?;
    }
    Ok(())
}

fn listed<K: Hash + Ord + Clone>(groups: &Groups<K>, most: usize) -> impl Iterator<Item = (&K, Tally)> {
    groups.listed(most).0.into_iter()
}

fn system(summary: &Summary, asn: u32) -> String {
    match summary.as_name(asn) {
        Some(name) => format!("AS{asn} {name}"),
        None => format!("AS{asn}"),
    }
}

/// One group, and which hosts of the list are of it.
struct Line {
    name: String,
    tally: Tally,
    is_meant: Box<dyn Fn(&BrokenHost) -> bool>,
}

impl Line {
    fn of(name: impl Display, tally: Tally, is_meant: impl Fn(&BrokenHost) -> bool + 'static) -> Self {
        Self { name: name.to_string(), tally, is_meant: Box::new(is_meant) }
    }
}

struct Table<'a> {
    fixes: Option<(&'a Sheet, &'a str)>,
    out: &'a mut dyn Write,
}

impl Table<'_> {
    fn section(&mut self, title: &str, kind: &str, lines: impl Iterator<Item = Line>) -> io::Result<()> {
        let mut lines = lines.peekable();
        if lines.peek().is_none() {
            return Ok(());
        }
        write!(
            self.out,
            "<section><h2>{title}</h2>\n<table class=\"groups\">\n<thead><tr><th scope=\"col\">{kind}</th><th scope=\"col\">records</th>\
             <th scope=\"col\">high</th><th scope=\"col\">medium</th><th scope=\"col\">low</th>\
             <th scope=\"col\">fine</th><th scope=\"col\">not known</th>"
        )?;
        if self.fixes.is_some() {
            self.out.write_all(b"<th scope=\"col\">to fix</th>")?;
        }
        self.out.write_all(b"</tr></thead>\n<tbody>\n")?;
        for line in lines {
            self.line(&line)?;
        }
        self.out.write_all(b"</tbody>\n</table></section>\n")
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let Line { name, tally, is_meant } = line;
        write!(
            self.out,
            "<tr><th scope=\"row\">{}</th><td>{}</td>",
            Html(clip(name, WIDEST)),
            grouped(tally.records)
        )?;
        for severity in [Severity::High, Severity::Medium, Severity::Low] {
            let count = tally.severity(severity);
            let class = if count > 0 { severity.as_str() } else { "faint" };
            write!(self.out, "<td class=\"{class}\">{}</td>", grouped(count))?;
        }
        let of_judged = |count: u64| count as f64 / tally.severities.total().max(1) as f64;
        write!(self.out, "<td>{}</td>", Html(percent(of_judged(tally.fine()))))?;
        write!(self.out, "<td class=\"faint\">{}</td>", grouped(tally.not_known()))?;
        if let Some((sheet, file)) = self.fixes {
            let to = sheet.place(is_meant).map_or_else(String::new, |place| link(file, &place));
            write!(self.out, "<td>{to}</td>")?;
        }
        self.out.write_all(b"</tr>\n")
    }
}
