//! The software or service behind a host: a table of shapes, searched in one pass.
//!
//! The greeting is asked first. Where it tells nothing, as after somebody has hidden it, the EHLO reply is a
//! second witness, and the names in it and in the certificate are a third: a service's own hosts are called
//! after it. Where all of them say nothing and the greeting is overwritten with asterisks, the firewall that
//! does so is told.
//!
//! The rows are data: `platforms.toml`, which says how to add one.
//!
//! A row is looked at only if one of its words stands in the reply, so the cost does not grow with the table.
//! The words are whole runs of letters and digits: `gsmtp` is not found in `gsmtpd`. By example:
//! `h ESMTP Exim 4.96` holds the words `h esmtp exim 4 96`; `exim` leads to one row, whose shape `ESMTP Exim`
//! is then looked for in line 1.

mod table;

use std::sync::LazyLock;

use super::defaults::is_under;
use super::providers::Providers;
use crate::evidence::{Observation, TlsStatus};
use crate::smtp::ehlo;
use crate::smtp::greeting::{Form, Greeting};
use crate::smtp::reply::{Reply, Text};
use table::ROWS;

pub use table::{Kind, Pieces, Place, Row, Rule, Setting, Shape};

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
    &ROWS
}

/// What a host's replies give away, with its row.
pub fn platform(
    observation: &Observation,
    banner: &Greeting,
    providers: &Providers,
) -> Option<(Platform, &'static Row)> {
    let text = &observation.greeting.as_ref()?.text;
    let seen = Seen { text, name: banner.name.as_deref(), observation, providers };
    let row = seen.by_greeting().or_else(|| seen.by_ehlo()).or_else(|| seen.by_name());
    let row = row.or_else(|| (banner.form == Form::Masked).then(by_mask)?)?;
    let version = |marker: &&str| text.lines().find_map(|line| version_after(line, marker));
    Some((Platform { name: row.name, version: row.versions.iter().find_map(version) }, row))
}

/// The replies, ready to be compared.
struct Seen<'a> {
    text: &'a Text,
    /// The greeting's name in normal form.
    name: Option<&'a str>,
    observation: &'a Observation,
    providers: &'a Providers,
}

impl<'a> Seen<'a> {
    fn by_greeting(&self) -> Option<&'static Row> {
        best(&GREETINGS, self.text, |shape| self.fits(shape))
    }

    /// What stands in the reply to EHLO, before TLS or inside it.
    fn by_ehlo(&self) -> Option<&'static Row> {
        self.ehlos().find_map(|reply| best(&EHLOS, &reply.text, |shape| is_in_ehlo(shape, &reply.text)))
    }

    /// The service in whose own domains the host says it stands. In a provider's domain anybody's host may
    /// stand.
    fn by_name(&self) -> Option<&'static Row> {
        let said = self.ehlos().filter_map(ehlo::name);
        let shown = self.observation.tls.iter().filter(|tls| tls.status == TlsStatus::Established);
        let shown = shown.filter_map(|tls| tls.certificate.as_ref()).flat_map(|it| &it.names);
        let shown = shown.map(|name| name.strip_prefix("*.").unwrap_or(name).to_ascii_lowercase());
        said.chain(shown)
            .filter(|name| !self.providers.is_provider(name))
            .find_map(|name| SERVICES.iter().copied().find(|row| row.is_home_of(&name)))
    }

    fn ehlos(&self) -> impl Iterator<Item = &'a Reply> {
        let inside = self.observation.tls.as_ref().and_then(|tls| tls.ehlo.as_ref());
        self.observation.ehlo.iter().chain(inside)
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
            Shape::EhloExactly(..) | Shape::Ehlo(_) | Shape::Masked => false,
        }
    }
}

/// The firewall that overwrites greetings.
fn by_mask() -> Option<&'static Row> {
    ROWS.iter().find(|row| row.rules.iter().any(|rule| rule.shape.place() == Place::Mask))
}

fn is_in_ehlo(shape: &Shape, ehlo: &Text) -> bool {
    match shape {
        Shape::EhloExactly(all, also) => offers_exactly(ehlo, all, also),
        Shape::Ehlo(pieces) => in_order(ehlo.lines().skip(1), pieces),
        _ => false,
    }
}

/// The first row, in the order of the table, of which a shape fits: every word of the text is looked up once,
/// and no shape is tried twice, however often its word stands there.
fn best(index: &Index, text: &Text, fits: impl Fn(&Shape) -> bool) -> Option<&'static Row> {
    let mut best = None;
    let mut tried = [0u64; MOST_WORDS / 64];
    for line in text.lines() {
        for word in line.split(|b| !b.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            let Some(Entry { number, rules, .. }) = index.entry(word) else { continue };
            let (at, bit) = (number / 64, 1 << (number % 64));
            if tried[at] & bit != 0 {
                continue;
            }
            tried[at] |= bit;
            for &(row, rule) in rules {
                if best.is_none_or(|best| row < best) && fits(&rule.shape) {
                    best = Some(row);
                }
            }
        }
    }
    best.and_then(|best| ROWS.get(best))
}

/// The words that lead to rules, in buckets, so that a word is compared with very few.
struct Index {
    buckets: Vec<Vec<Entry>>,
}

/// A word, which of the words it is, and the rules that it leads to, each with the place of its row.
struct Entry {
    word: &'static str,
    number: usize,
    rules: Vec<(usize, &'static Rule)>,
}

/// The most words that may lead to rules; words beyond would lead nowhere, which a test rules out.
const MOST_WORDS: usize = 512;

/// Somewhat more than there are words.
const BUCKETS: usize = 512;

static GREETINGS: LazyLock<Index> = LazyLock::new(|| Index::build(Place::Greeting));
static EHLOS: LazyLock<Index> = LazyLock::new(|| Index::build(Place::Ehlo));
/// The rows with domains of their own.
static SERVICES: LazyLock<Vec<&'static Row>> =
    LazyLock::new(|| ROWS.iter().filter(|row| !row.domains.is_empty()).collect());

impl Index {
    fn build(place: Place) -> Self {
        let mut index = Self { buckets: (0..BUCKETS).map(|_| Vec::new()).collect() };
        let mut numbers = 0..MOST_WORDS;
        let rules =
            ROWS.iter().enumerate().flat_map(|(at, row)| row.rules.iter().map(move |rule| (at, rule)));
        for (row, rule) in rules.filter(|(_, rule)| rule.shape.place() == place) {
            let bucket = &mut index.buckets[bucket_of(rule.word.as_bytes())];
            match bucket.iter_mut().find(|entry| entry.word == rule.word) {
                Some(entry) => entry.rules.push((row, rule)),
                None => bucket.extend(numbers.next().map(|number| Entry {
                    word: rule.word,
                    number,
                    rules: vec![(row, rule)],
                })),
            }
        }
        index
    }

    fn entry(&self, word: &[u8]) -> Option<&Entry> {
        self.buckets[bucket_of(word)].iter().find(|known| known.word.as_bytes().eq_ignore_ascii_case(word))
    }
}

/// The bucket of a word, whatever its case: five bits each of its first and last byte, and its length.
fn bucket_of(word: &[u8]) -> usize {
    let letter = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(byte & 31));
    (letter(word.first()) ^ letter(word.last()) << 4 ^ word.len() << 1) % BUCKETS
}

/// Whether all pieces stand in the lines, one behind the other. A leading `^` ties the first piece to a
/// line's start.
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
    // Most pieces open with a space, of which a greeting has many: the byte behind it is looked for.
    let telling = usize::from(piece.len() > 1 && piece[0] == b' ');
    let byte = *piece.get(telling)?;
    let mut from = telling;
    while let Some(at) = text.get(from..)?.iter().position(|&b| b == byte) {
        let start = from + at - telling;
        if text[start..].starts_with(piece) {
            return Some(start);
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
fn offers_exactly(ehlo: &Text, all: &[&str], also: &[&str]) -> bool {
    let keyword = |line: &[u8]| -> Vec<u8> {
        line.split(|&b| b == b' ' || b == b'=').next().unwrap_or_default().to_ascii_uppercase()
    };
    let offered: Vec<_> = ehlo.lines().skip(1).map(keyword).collect();
    let has = |word: &&str| offered.iter().any(|keyword| keyword == word.as_bytes());
    let known = |keyword: &Vec<u8>| all.iter().chain(also.iter()).any(|word| keyword == word.as_bytes());
    all.iter().all(has) && offered.iter().all(known)
}

/// The word behind a marker that starts with a digit, a `v` or `V` before it left off.
fn version_after(text: &[u8], marker: &str) -> Option<String> {
    /// Longer ones are not versions.
    const LONGEST: usize = 40;
    let at = find(text, marker.as_bytes())? + marker.len();
    let rest = text[at..].trim_ascii_start();
    let rest = rest.strip_prefix(b"v").or_else(|| rest.strip_prefix(b"V")).unwrap_or(rest);
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let length = rest.iter().take_while(|b| fits(b)).count();
    let version = std::str::from_utf8(&rest[..length]).ok()?.trim_end_matches(['.', '-', '_']);
    let starts_with_digit = version.bytes().next().is_some_and(|b| b.is_ascii_digit());
    (starts_with_digit && version.len() <= LONGEST).then(|| version.to_owned())
}

#[cfg(test)]
mod tests;
