//! Names inside the sentence of a greeting, and the words around them.

use super::word::Word;
use super::{LISTED, Own, is_enhanced_status, lists};

/// The words of a line, cut at white space and NULs (C programs send them behind a name).
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    pub(super) fn of(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    /// The same words without an enhanced status code in front (RFC 2034 §4).
    pub(super) fn after_status(self) -> Self {
        let mut rest = self.clone();
        match rest.next() {
            Some(word) if is_enhanced_status(word) => rest,
            _ => self,
        }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|&b| !is_space(b))?;
        let rest = &self.rest[start..];
        let end = rest.iter().position(|&b| is_space(b)).unwrap_or(rest.len());
        self.rest = &rest[end..];
        Some(&rest[..end])
    }
}

impl<'a> DoubleEndedIterator for Words<'a> {
    fn next_back(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().rposition(|&b| !is_space(b))? + 1;
        let start = self.rest[..end].iter().rposition(|&b| is_space(b)).map_or(0, |at| at + 1);
        let word = &self.rest[start..end];
        self.rest = &self.rest[..start];
        Some(word)
    }
}

/// Rule 2: the qualified name of the sentence behind the words that announce one.
pub(super) fn name_after(line: &Words<'_>, own: Own<'_>) -> Option<String> {
    let line = without_client(line.clone());
    let place = announced(line.clone()).and_then(|region| last_name(region, own));
    place.or_else(|| name_behind_server(line.clone(), own)).or_else(|| last_name(behind_welcome(line)?, own))
}

/// The last qualified name that nothing points away to.
fn last_name(mut region: Words<'_>, own: Own<'_>) -> Option<String> {
    while let Some(word) = region.next_back() {
        if !word.contains(&b'.') {
            continue;
        }
        let before = region.clone().next_back();
        if before.is_some_and(|before| is_one_of(before, POINTING)) {
            continue;
        }
        if let Some(name) = qualified(word, own) {
            return Some(name);
        }
    }
    None
}

/// `Server mail.example.org`, `Server at mail.example.org`, `Server - mail.example.org`.
fn name_behind_server(mut words: Words<'_>, own: Own<'_>) -> Option<String> {
    while let Some(word) = words.next() {
        if !is(word, "server") {
            continue;
        }
        let passed = |word: &&[u8]| {
            is_one_of(word, &["at", "is", "name"]) || !word.iter().any(u8::is_ascii_alphanumeric)
        };
        let name = words.clone().find(|word| !passed(word)).and_then(|word| qualified(word, own));
        if name.is_some() {
            return name;
        }
    }
    None
}

fn qualified(word: &[u8], own: Own<'_>) -> Option<String> {
    match Word::read(word) {
        Word::Host(name) if has_plain_suffix(&name) && !own.is_name(&name) && name != LISTED => Some(name),
        _ => None,
    }
}

/// Words that point away, to a page or a person, with the name of another host behind them.
const POINTING: &[&str] = &["see", "visit", "contact", "via", "by", "from", "for"];

/// Words before `on` after which a name is not the server's: `listed on` names the list.
const LISTING: &[&str] = &[
    "listed",
    "blocked",
    "blacklisted",
    "blocklisted",
    "found",
    "present",
    "rejected",
    "refused",
    "banned",
    "based",
    "information",
    "info",
    "details",
    "more",
    "appears",
    "is",
    "currently",
    "policy",
    "posted",
    "published",
];

/// What follows the first `ready at` or `on`.
fn announced(line: Words<'_>) -> Option<Words<'_>> {
    let mut words = line;
    let mut before = words.next()?;
    while let Some(word) = words.next() {
        let announces =
            is(word, "at") && is(before, "ready") || is(word, "on") && !is_one_of(before, LISTING);
        if announces {
            return Some(words);
        }
        before = word;
    }
    None
}

/// What follows `Welcome to` at the start, ornaments aside.
fn behind_welcome(mut line: Words<'_>) -> Option<Words<'_>> {
    let first = line.find(|word| !without_edges(word).is_empty())?;
    let opens = is(first, "welcome") && is(line.next()?, "to");
    opens.then_some(line)
}

/// The line up to `logging access from`: behind it Sendmail repeats the client.
fn without_client(line: Words<'_>) -> Words<'_> {
    let mut words = line.clone();
    while let Some(word) = words.next() {
        let mut next = words.clone();
        let mut follows = |expected| next.next().is_some_and(|word| is(word, expected));
        if is(word, "logging") && follows("access") && follows("from") {
            let end = line.rest.len() - words.rest.len() - word.len();
            return Words { rest: &line.rest[..end] };
        }
    }
    line
}

/// The protocol directly behind the first word, and what stands behind that.
pub(super) struct Protocol<'a> {
    /// `SMTP Server` and `SMTP service` are things that an adjective may stand before.
    pub(super) is_described: bool,
    /// `Microsoft ESMTP` is a product's way to say it.
    is_of_product: bool,
    behind: Words<'a>,
}

impl<'a> Protocol<'a> {
    /// Reads `SMTP`, `ESMTP`, `LMTP` or `Microsoft ESMTP`; `None` for other words.
    pub(super) fn opening(mut words: Words<'a>) -> Option<Self> {
        let word = words.next()?;
        let is_of_product = is(word, "microsoft");
        if is_of_product && !is(words.next()?, "esmtp") || !is_of_product && !is_one_of(word, PROTOCOLS) {
            return None;
        }
        let next = words.clone().next();
        let is_described =
            is(word, "smtp") && next.is_some_and(|next| is_one_of(next, &["server", "service"]));
        Some(Self { is_described, is_of_product, behind: words })
    }

    /// Whether a product other than `word` is named: directly, or behind one word (`Debian Sendmail`).
    pub(super) fn names_product_beside(&self, word: &str) -> bool {
        const NEAR: usize = 2;
        self.is_of_product
            || self.behind.clone().take(NEAR).any(|next| {
                let next = without_edges(next).to_ascii_lowercase();
                let next = std::str::from_utf8(&next).unwrap_or_default();
                let product = next.split('/').next().unwrap_or_default();
                product != word && lists::is_product(product)
            })
    }
}

const PROTOCOLS: &[&str] = &["smtp", "esmtp", "lmtp"];

/// Whether a word is that of a protocol, or of the product that stands before one.
pub(super) fn is_protocol(label: &str) -> bool {
    PROTOCOLS.contains(&label) || label == "microsoft"
}

/// Whether the last label is one that the public DNS or a private network would end with: letters, or an
/// A-label. In the midst of a sentence `v3.2r24` is no name.
fn has_plain_suffix(name: &str) -> bool {
    let suffix = name.rsplit('.').next().unwrap_or_default();
    suffix.starts_with("xn--") || suffix.len() > 1 && suffix.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether a word is the one given, whatever its case and the punctuation around it.
fn is(word: &[u8], expected: &str) -> bool {
    without_edges(word).eq_ignore_ascii_case(expected.as_bytes())
}

/// A word without the punctuation around it.
fn without_edges(word: &[u8]) -> &[u8] {
    let is_edge = |b: &u8| b.is_ascii_punctuation();
    let start = word.iter().position(|b| !is_edge(b)).unwrap_or(word.len());
    let end = word.iter().rposition(|b| !is_edge(b)).map_or(start, |at| at + 1);
    &word[start..end]
}

fn is_one_of(word: &[u8], expected: &[&str]) -> bool {
    expected.iter().any(|expected| is(word, expected))
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c' | 0)
}
