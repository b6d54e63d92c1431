//! The software or service behind a greeting: a table of shapes, searched in one pass.
//!
//! A row is looked at only if one of its words stands in the greeting, so the cost does not grow with the table. The
//! words are whole runs of letters and digits: `gsmtp` is not found in `gsmtpd`. Ten rows by example: `h ESMTP Exim 4.96`
//! holds the words `h esmtp exim 4 96`; `exim` leads to one row, whose shape `ESMTP Exim` is then looked for in line 1.

mod table;

use std::sync::LazyLock;

use super::defaults::is_under;
use crate::evidence::Observation;
use crate::smtp::greeting::Greeting;
use crate::smtp::reply::Text;
use table::ROWS;

pub use table::{Kind, Row, Rule, Shape};

/// The software or service behind a greeting, as far as it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The name used in records: `postfix`, `exim`, …
    pub name: &'static str,
    /// The version, where the greeting gives it.
    pub version: Option<String>,
}

/// The row of a platform by its record name.
pub fn row(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

/// All rows, the more telling one first where two fit.
pub fn rows() -> &'static [Row] {
    ROWS
}

/// What a host's replies give away, with its row.
pub fn platform(observation: &Observation, banner: &Greeting) -> Option<(Platform, &'static Row)> {
    let seen = Seen::of(observation, banner)?;
    let row = &ROWS[seen.best_row()?];
    let version =
        row.version.and_then(|marker| seen.text.lines().find_map(|line| version_after(line, marker)));
    Some((Platform { name: row.name, version }, row))
}

/// The replies, ready to be compared.
struct Seen<'a> {
    text: &'a Text,
    ehlo: Option<&'a Text>,
    /// The greeting's name in normal form.
    name: Option<&'a str>,
}

impl<'a> Seen<'a> {
    fn of(observation: &'a Observation, banner: &'a Greeting) -> Option<Self> {
        let text = &observation.greeting.as_ref()?.text;
        let ehlo = observation.ehlo.as_ref().map(|reply| &reply.text);
        Some(Self { text, ehlo, name: banner.name.as_deref() })
    }

    fn best_row(&self) -> Option<usize> {
        let index = &*INDEX;
        let mut best = None;
        for line in self.text.lines() {
            let words = line.split(|b| !b.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            words.for_each(|word| self.try_rules(index.rules(word), &mut best));
        }
        self.try_rules(&index.wordless, &mut best);
        best
    }

    fn try_rules(&self, rules: &[(usize, &'static Rule)], best: &mut Option<usize>) {
        for &(row, rule) in rules {
            if best.is_none_or(|best| row < best) && self.fits(&rule.shape) {
                *best = Some(row);
            }
        }
    }

    fn fits(&self, shape: &Shape) -> bool {
        match shape {
            Shape::Line(pieces) => in_order(self.text.lines().take(1), pieces),
            Shape::Text(pieces) => in_order(self.text.lines(), pieces),
            Shape::Named(domains, pieces) => {
                self.name.is_some_and(|name| domains.iter().any(|domain| is_under(name, domain)))
                    && in_order(self.text.lines().take(1), pieces)
            }
            Shape::BehindTeaser(pieces) => {
                !in_order(self.text.lines().take(1), pieces) && in_order(self.text.lines().skip(1), pieces)
            }
            Shape::HexTag => has_hex_tag(self.text.first()),
            Shape::EhloExactly(extensions) => self.ehlo.is_some_and(|ehlo| offers_exactly(ehlo, extensions)),
            Shape::EhloHas(line) => {
                self.ehlo.is_some_and(|ehlo| ehlo.lines().any(|said| said == line.as_bytes()))
            }
        }
    }
}

/// The words that lead to rules. Few words begin with one letter, so a bucket is looked through in a few comparisons.
struct Index {
    buckets: Vec<Vec<Entry>>,
    /// Rules that no word leads to.
    wordless: Vec<(usize, &'static Rule)>,
}

/// A word and the rules that it leads to, each with the place of its row.
type Entry = (&'static str, Vec<(usize, &'static Rule)>);

static INDEX: LazyLock<Index> = LazyLock::new(Index::build);

impl Index {
    fn build() -> Self {
        let mut index = Self { buckets: (0..=255).map(|_| Vec::new()).collect(), wordless: Vec::new() };
        for (row, rule) in
            ROWS.iter().enumerate().flat_map(|(at, row)| row.rules.iter().map(move |rule| (at, rule)))
        {
            let Some(&first) = rule.word.as_bytes().first() else {
                index.wordless.push((row, rule));
                continue;
            };
            let bucket = &mut index.buckets[usize::from(first)];
            match bucket.iter_mut().find(|(word, _)| *word == rule.word) {
                Some((_, rules)) => rules.push((row, rule)),
                None => bucket.push((rule.word, vec![(row, rule)])),
            }
        }
        index
    }

    fn rules(&self, word: &[u8]) -> &[(usize, &'static Rule)] {
        let first = word.first().map_or(0, u8::to_ascii_lowercase);
        let bucket = &self.buckets[usize::from(first)];
        bucket
            .iter()
            .find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(word))
            .map_or(&[], |(_, rules)| rules)
    }
}

/// Whether all pieces stand in the lines, one behind the other. A leading `^` ties the first piece to a line's start.
fn in_order<'a>(lines: impl Iterator<Item = &'a [u8]>, pieces: &[&str]) -> bool {
    let mut pieces = pieces.iter().peekable();
    for line in lines {
        let mut rest = line;
        while let Some(piece) = pieces.peek() {
            let Some(end) = end_of(rest, piece) else { break };
            rest = &rest[end..];
            pieces.next();
        }
    }
    pieces.peek().is_none()
}

fn end_of(text: &[u8], piece: &str) -> Option<usize> {
    match piece.strip_prefix('^') {
        Some(start) => text.starts_with(start.as_bytes()).then_some(start.len()),
        None => find(text, piece.as_bytes()).map(|at| at + piece.len()),
    }
}

fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    let first = *piece.first()?;
    let mut from = 0;
    while let Some(at) = text.get(from..)?.iter().position(|&b| b == first) {
        if text[from + at..].starts_with(piece) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// `h ESMTP (0123…)`: at least sixteen hexadecimal digits in brackets end the line.
fn has_hex_tag(line: &[u8]) -> bool {
    const SHORTEST: usize = 16;
    let line = line.trim_ascii_end();
    let Some(at) = find(line, b" ESMTP (") else { return false };
    let Some(tag) = line[at + 8..].strip_suffix(b")") else { return false };
    tag.len() >= SHORTEST && tag.iter().all(u8::is_ascii_hexdigit)
}

/// Whether an EHLO reply offers all of the first and nothing but the second list, by keyword.
fn offers_exactly(ehlo: &Text, (all, also): &(&[&str], &[&str])) -> bool {
    let keyword = |line: &[u8]| -> Vec<u8> {
        line.split(|&b| b == b' ' || b == b'=').next().unwrap_or_default().to_ascii_uppercase()
    };
    let offered: Vec<_> = ehlo.lines().skip(1).map(keyword).collect();
    let has = |word: &&str| offered.iter().any(|keyword| keyword == word.as_bytes());
    let known = |keyword: &Vec<u8>| all.iter().chain(also.iter()).any(|word| keyword == word.as_bytes());
    all.iter().all(has) && offered.iter().all(known)
}

/// The word behind a marker that starts with a digit, a `v` before it left off.
fn version_after(text: &[u8], marker: &str) -> Option<String> {
    /// Longer ones are not versions.
    const LONGEST: usize = 40;
    let at = find(text, marker.as_bytes())? + marker.len();
    let rest = text[at..].trim_ascii_start();
    let rest = rest.strip_prefix(b"v").unwrap_or(rest);
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let length = rest.iter().take_while(|b| fits(b)).count();
    let version = std::str::from_utf8(&rest[..length]).ok()?.trim_end_matches(['.', '-', '_']);
    let starts_with_digit = version.bytes().next().is_some_and(|b| b.is_ascii_digit());
    (starts_with_digit && version.len() <= LONGEST).then(|| version.to_owned())
}

#[cfg(test)]
mod tests;
