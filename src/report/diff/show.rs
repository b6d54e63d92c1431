//! A comparison for a person at a terminal, and as JSON lines for a program.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{Change, Entry, State};
use crate::judge::{Code, Verdict};
use crate::record::time;
use crate::report::table::{cell, clip, columns, grouped};

/// The window below which columns have no room.
const NARROWEST: usize = 60;
/// The most that a host name takes.
const NAME: usize = 40;
/// The longest word: `still_wrong`.
const WORD: usize = 12;
const ADDRESS: usize = 22;
/// A time without its hour: `2026-01-02`.
const DAY: usize = 10;

/// How many hosts of each change, in the order of a report.
pub fn counts(entries: &[Entry<'_>]) -> [(Change, u64); Change::ALL.len()] {
    Change::ALL.map(|change| (change, entries.iter().filter(|entry| entry.change == change).count() as u64))
}

/// Writes one line a host, those that did not change left out, and the counts below; at most `width` columns.
/// Where a line has no room for what became of its names, that stands on lines of its own below.
pub fn text(entries: &[Entry<'_>], width: usize, out: &mut dyn Write) -> io::Result<()> {
    let width = width.max(NARROWEST);
    let changed = entries.iter().filter(|entry| entry.change != Change::Same);
    for entry in changed {
        let address = entry.host.address();
        let begin = format!("{:<WORD$} {address:<ADDRESS$} ", entry.change.as_str());
        let line = format!("{begin}{}", story(entry));
        if columns(&line) <= width {
            writeln!(out, "{line}")?;
            continue;
        }
        writeln!(out, "{}", clip(&format!("{begin}{}", became(entry)), width))?;
        for part in moves(entry).into_iter().chain(asked(entry)).chain(tags(entry)) {
            let line = format!("{:WORD$}   {part}", "");
            writeln!(out, "{}", clip(&line, width))?;
        }
    }
    if !entries.is_empty() {
        writeln!(out)?;
    }
    for (change, count) in counts(entries) {
        writeln!(out, "{:<WORD$} {:>12}", change.as_str(), grouped(count))?;
    }
    Ok(())
}

/// Writes one JSON object a host, those that did not change included.
pub fn json(entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    for entry in entries {
        serde_json::to_writer(&mut *out, &Line::of(entry))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// What a person wants to know of it, in one line.
pub(super) fn story(entry: &Entry<'_>) -> String {
    let mut story = became(entry);
    for (place, part) in moves(entry).iter().enumerate() {
        story.extend([if place == 0 { "; " } else { ", " }, part]);
    }
    if let Some(asked) = asked(entry) {
        story.extend([" (", &asked, ")"]);
    }
    if let Some(tags) = tags(entry) {
        story.extend([" [", &tags, "]"]);
    }
    story
}

/// The name that it was asked for by.
fn asked(entry: &Entry<'_>) -> Option<String> {
    entry.host.asked.as_deref().map(|name| format!("asked as {}", cell(name, NAME)))
}

/// What the user says of it.
fn tags(entry: &Entry<'_>) -> Option<String> {
    let tags: Vec<String> = entry
        .tags()
        .iter()
        .map(|(name, value)| format!("{}={}", cell(name, NAME), cell(value, NAME)))
        .collect();
    (!tags.is_empty()).then(|| tags.join(", "))
}

/// Where its names came from and went.
fn moves(entry: &Entry<'_>) -> Vec<String> {
    match (entry.change, entry.moved_to, entry.moved_from) {
        (_, None, None) => Vec::new(),
        (Change::Gone, Some(to), _) => vec![format!("now at {to}")],
        (Change::New, _, Some(from)) => vec![format!("was at {from}")],
        (_, Some(to), Some(from)) if to == from => vec![format!("swapped names with {to}")],
        (_, to, from) => {
            let to = to.map(|to| format!("its old name is now at {to}"));
            let from = from.map(|from| format!("its new name was at {from}"));
            to.into_iter().chain(from).collect()
        }
    }
}

fn became(entry: &Entry<'_>) -> String {
    let (old, new) = (entry.old, entry.new);
    match entry.change {
        Change::New => new.map(standing).unwrap_or_default(),
        Change::Gone => {
            let now = new.map_or("no record", |state| state.outcome.as_str());
            format!("{} → {now}", old.map(standing).unwrap_or_default())
        }
        Change::Renamed => match (old, new) {
            (Some(old), Some(new)) if old.banner_name == new.banner_name => {
                format!("PTR {} → {}", names(old), names(new))
            }
            (Some(old), Some(new)) => format!("{} → {}", name(old), name(new)),
            _ => String::new(),
        },
        _ => match (old, new) {
            (Some(old), Some(new)) => {
                let mut story = format!("{} {}", name(new), verdicts(old, new));
                for (sign, codes) in
                    [('+', new.trouble.without(old.trouble)), ('-', old.trouble.without(new.trouble))]
                {
                    codes.iter().for_each(|code| story.extend([" ", &format!("{sign}{}", code.as_str())]));
                }
                if let (Change::StillWrong | Change::Flapping, Some(since)) = (entry.change, entry.since()) {
                    story.extend([" since ", &time::to_string(since)[..DAY]]);
                }
                story
            }
            _ => String::new(),
        },
    }
}

fn standing(state: &State) -> String {
    let mut story = format!("{} {}", name(state), verdict(state));
    state.trouble.iter().for_each(|code| story.extend([" ", code.as_str()]));
    story
}

fn verdicts(old: &State, new: &State) -> String {
    if old.verdict == new.verdict {
        verdict(new).to_owned()
    } else {
        format!("{} → {}", verdict(old), verdict(new))
    }
}

fn verdict(state: &State) -> &'static str {
    state.verdict.map_or("-", |verdict| verdict.as_str())
}

fn name(state: &State) -> String {
    cell(state.banner_name.as_deref().unwrap_or("(no name)"), NAME)
}

fn names(state: &State) -> String {
    match &*state.ptr_names {
        [] => "none".to_owned(),
        [only] => cell(only, NAME),
        [first, rest @ ..] => format!("{} +{}", cell(first, NAME), rest.len()),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    change: &'static str,
    ip: std::net::IpAddr,
    port: u16,
    old: Option<Side<'a>>,
    new: Option<Side<'a>>,
    since: Option<String>,
    moved_to: Option<std::net::IpAddr>,
    moved_from: Option<std::net::IpAddr>,
    asked: Option<&'a str>,
    tags: BTreeMap<&'a str, &'a str>,
    fix: Vec<String>,
}

#[derive(Serialize)]
struct Side<'a> {
    outcome: &'static str,
    verdict: Option<&'static str>,
    banner_name: Option<&'a str>,
    ptr_names: &'a [String],
    trouble: Vec<&'static str>,
}

impl<'a> Line<'a> {
    fn of(entry: &Entry<'a>) -> Self {
        Self {
            change: entry.change.as_str(),
            ip: entry.host.ip,
            port: entry.host.port,
            old: entry.old.map(Side::of),
            new: entry.new.map(Side::of),
            since: entry.since().map(time::to_string),
            moved_to: entry.moved_to,
            moved_from: entry.moved_from,
            asked: entry.host.asked.as_deref(),
            tags: entry.tags().iter().map(|(name, value)| (&**name, &**value)).collect(),
            fix: entry.new.iter().flat_map(|state| &state.fix).map(ToString::to_string).collect(),
        }
    }
}

impl<'a> Side<'a> {
    fn of(state: &'a State) -> Self {
        Self {
            outcome: state.outcome.as_str(),
            verdict: state.verdict.map(Verdict::as_str),
            banner_name: state.banner_name.as_deref(),
            ptr_names: &state.ptr_names,
            trouble: state.trouble.iter().map(Code::as_str).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{row, scan};
    use super::*;
    use crate::evidence::Outcome;
    use crate::record::neutral::acts;
    use crate::record::row::{PtrNames, Row};

    fn shown(old: &[Row<'static>], new: &[Row<'static>], width: usize) -> String {
        let (old, new) = (scan(old), scan(new));
        let mut out = Vec::new();
        text(&old.compare(&new), width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_change_is_one_line_in_the_order_of_need() {
        let sound = |last| row(last, Verdict::Match, &[]);
        let no_ptr = |last| row(last, Verdict::NoPtr, &[Code::PtrMissing]);
        let refused = |last| Row { outcome: Outcome::Refused, verdict: None, ..sound(last) };
        let old = [no_ptr(1), sound(2), no_ptr(3), sound(4), sound(6), sound(7), sound(8)];
        let new = [
            sound(1),
            no_ptr(2),
            no_ptr(3),
            Row { banner_name: Some("mx.example.net".into()), ..sound(4) },
            Row { port: 587, ..no_ptr(5) },
            refused(6),
            sound(8),
        ];
        assert_eq!(
            shown(&old, &new, 120),
            "\
regressed    192.0.2.2              mail.example.org match → no_ptr +ptr_missing
still_wrong  192.0.2.3              mail.example.org no_ptr since 1970-01-01
fixed        192.0.2.1              mail.example.org no_ptr → match -ptr_missing
renamed      192.0.2.4              mail.example.org → mx.example.net
new          192.0.2.5:587          mail.example.org no_ptr ptr_missing
gone         192.0.2.6              mail.example.org match → refused
gone         192.0.2.7              mail.example.org match → no record

regressed               1
still_wrong             1
flapping                0
fixed                   1
renamed                 1
new                     1
gone                    2
unknown                 0
same                    1
"
        );
    }

    #[test]
    fn nothing_of_a_name_reaches_the_terminal_as_it_is() {
        let hostile = Row {
            banner_name: Some("\u{1b}[2J\u{202e}x".into()),
            ptr_names: PtrNames::Text(vec!["\u{9b}31m".repeat(80).into()]),
            ..row(1, Verdict::Match, &[])
        };
        let other = Row { banner_name: Some("日本".repeat(100).into()), ..row(1, Verdict::Match, &[]) };
        let renamed = Row { ptr_names: PtrNames::Text(Vec::new()), ..hostile.clone() };
        for (old, new) in [(&hostile, &other), (&hostile, &renamed)] {
            for width in [0, 60, 80, 200] {
                let text = shown(std::slice::from_ref(old), std::slice::from_ref(new), width);
                for line in text.lines() {
                    assert!(!line.chars().any(acts), "{line}");
                    assert_eq!(clip(line, width.max(NARROWEST)), line);
                }
            }
        }
    }

    #[test]
    fn the_lines_of_a_program_hold_both_sides() {
        let old = scan(&[row(1, Verdict::NoPtr, &[Code::PtrMissing])]);
        let new = scan(&[]);
        let mut out = Vec::new();
        json(&old.compare(&new), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"change":"gone","ip":"192.0.2.1","port":25,"old":{"outcome":"greeted","verdict":"no_ptr","#,
                r#""banner_name":"mail.example.org","ptr_names":["mail.example.org"],"trouble":["ptr_missing"]},"new":null,"#,
                r#""since":null,"moved_to":null,"moved_from":null,"asked":null,"tags":{},"fix":[]}"#,
                "\n"
            )
        );
    }
}
