//! The summary as Markdown tables (GitHub Flavored Markdown §4.10). Strangers' text stands as character
//! references wherever it could be markup, a link or the end of a cell.

use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};

use super::text::percent;
use super::{Breakdown, Coverage, Grouping, Listed, Summary};
use crate::judge::Severity;
use crate::record::neutral::Safe;
use crate::report::table::grouped;

/// How many groups of a kind are listed.
const LISTED: usize = 20;

/// Writes the tables, a heading above each; of groups those that were asked for come first.
pub fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    for (file, why) in &summary.incomplete {
        writeln!(out, "\nNot complete: {why}: {}", Reference(file))?;
    }
    for (file, warning) in &summary.warnings {
        writeln!(out, "\nWarning: {}: {}", Reference(file), Reference(warning))?;
    }
    coverage(out, &summary.coverage())?;
    for breakdown in summary.breakdowns() {
        counts(out, &breakdown)?;
    }
    clones(out, &summary.clones.listed(), summary.shown(LISTED))?;
    let chosen = summary.chosen();
    let usual = summary.usual();
    let others = usual.iter().filter(|usual| chosen.iter().all(|chosen| chosen.kind != usual.kind));
    for grouping in chosen.iter().chain(others) {
        groups(out, summary, *grouping)?;
    }
    for source in &summary.sources {
        writeln!(out, "\n{}", Reference(source))?;
    }
    Ok(())
}

fn coverage(out: &mut dyn Write, coverage: &Coverage) -> io::Result<()> {
    if !coverage.is_known() {
        writeln!(out, "\nCoverage is {}.", coverage.why_unknown())?;
        if coverage.undetermined > 0 {
            writeln!(out, "\n| Undetermined for | Targets |\n| --- | ---: |")?;
        }
        for (why, count) in &coverage.why {
            writeln!(out, "| {} | {} |", Reference(why), grouped(*count))?;
        }
        return Ok(());
    }
    writeln!(out, "\n| Coverage | Targets | Share |\n| --- | ---: | ---: |")?;
    for (reach, count) in [
        ("asked", coverage.asked),
        ("answered", coverage.answered),
        ("judged", coverage.judged),
        ("undetermined", coverage.undetermined),
    ] {
        let share = percent(count as f64 / coverage.asked.max(1) as f64);
        writeln!(out, "| {reach} | {} | {} |", grouped(count), Reference(share))?;
    }
    for (why, count) in &coverage.why {
        let share = percent(*count as f64 / coverage.asked.max(1) as f64);
        writeln!(out, "| undetermined: {} | {} | {} |", Reference(why), grouped(*count), Reference(share))?;
    }
    Ok(())
}

fn counts(out: &mut dyn Write, breakdown: &Breakdown) -> io::Result<()> {
    let met = breakdown.met();
    if met.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| {} | Records | Share |\n| --- | ---: | ---: |", breakdown.kind)?;
    for (word, count) in met {
        let share = percent(count as f64 / breakdown.of.max(1) as f64);
        writeln!(out, "| {} | {} | {} |", Reference(word), grouped(count), Reference(share))?;
    }
    Ok(())
}

fn clones(out: &mut dyn Write, listed: &[(&str, u64)], shown: usize) -> io::Result<()> {
    if listed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| cloned images | Records |\n| --- | ---: |")?;
    for (name, records) in listed.iter().take(shown) {
        writeln!(out, "| {} | {} |", Reference(name), grouped(*records))?;
    }
    Ok(())
}

fn groups(out: &mut dyn Write, summary: &Summary, Grouping { kind, groups }: Grouping<'_>) -> io::Result<()> {
    let Listed { groups, more, .. } = groups.worst_listed(summary.shown(LISTED));
    if groups.is_empty() {
        return Ok(());
    }
    let title = kind.to_string();
    writeln!(
        out,
        "\n| {} | Records | High | Medium | Low |\n| --- | ---: | ---: | ---: | ---: |",
        Reference(&title)
    )?;
    for (key, tally) in groups {
        let [high, medium, low] =
            [Severity::High, Severity::Medium, Severity::Low].map(|it| grouped(tally.severity(it)));
        let label = summary.label(kind, &key);
        writeln!(out, "| {} | {} | {high} | {medium} | {low} |", Reference(label), grouped(tally.records))?;
    }
    if more > 0 {
        writeln!(out, "\n{} more by {}", grouped(more as u64), Reference(title))?;
    }
    Ok(())
}

/// Text in which everything that could mean something to a renderer is a character reference.
struct Reference<T>(T);

impl<T: Display> Display for Reference<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Safe(&self.0).to_string();
        let (mut before, mut rest) = (' ', text.chars().peekable());
        while let Some(character) = rest.next() {
            let within =
                before.is_ascii_alphanumeric() && rest.peek().is_some_and(char::is_ascii_alphanumeric);
            before = character;
            match character {
                // Without a bracket before them, parentheses link nothing.
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | ' ' | '/' | '%' | ',' | '(' | ')' => {
                    f.write_char(character)?;
                }
                // Within a word it emphasises nothing (CommonMark 0.31.2 §6.2).
                '_' if within => f.write_char('_')?,
                other if !other.is_ascii() => f.write_char(other)?,
                other => write!(f, "&#{};", u32::from(other))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_renders_is_left_of_a_text() {
        for (text, shown) in [
            ("mail.example.org", "mail.example.org"),
            ("banner_absent", "banner_absent"),
            ("_x_ __y__", "&#95;x&#95; &#95;&#95;y&#95;&#95;"),
            ("a|b", "a&#124;b"),
            ("<img src=x>", "&#60;img src&#61;x&#62;"),
            ("[x](http://example.org)", "&#91;x&#93;(http&#58;//example.org)"),
            ("`*&amp;", "&#96;&#42;&#38;amp&#59;"),
            ("bücher\u{1b}\n", "bücher&#92;x1b&#92;x0a"),
        ] {
            assert_eq!(Reference(text).to_string(), shown);
        }
    }
}
