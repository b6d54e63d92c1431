//! Names inside the sentence of a greeting, and the words around them.

use super::word::Word;
use super::{LISTED, Own, is_enhanced_status};

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

/// Rule 2: the last qualified name of the sentence behind the words that announce one.
pub(super) fn name_after(line: &Words<'_>, own: Own<'_>) -> Option<String> {
    let mut region = announced(without_client(line.clone()))?;
    while let Some(word) = region.next_back() {
        if !word.contains(&b'.') {
            continue;
        }
        let before = region.clone().next_back();
        if before.is_some_and(|before| is_one_of(before, POINTING)) {
            continue;
        }
        match Word::read(word) {
            Word::Host(name) if has_plain_suffix(&name) && !own.is_name(&name) && name != LISTED => {
                return Some(name);
            }
            _ => {}
        }
    }
    None
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

/// What follows the first words that announce a name.
fn announced(line: Words<'_>) -> Option<Words<'_>> {
    let mut words = line;
    let mut before = words.next()?;
    if is(before, "server") {
        return Some(words);
    }
    let mut is_second = true;
    while let Some(word) = words.next() {
        let announces = is(word, "at") && is(before, "ready")
            || is_second && is(word, "to") && is(before, "welcome")
            || is(word, "on") && !is_one_of(before, LISTING);
        if announces {
            return Some(words);
        }
        before = word;
        is_second = false;
    }
    None
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

/// Whether the words open with `SMTP`, `ESMTP`, `LMTP` or `Microsoft ESMTP`.
pub(super) fn opens_with_protocol(mut words: Words<'_>) -> bool {
    match words.next() {
        Some(word) if is(word, "microsoft") => words.next().is_some_and(|word| is(word, "esmtp")),
        Some(word) => is_one_of(word, &["smtp", "esmtp", "lmtp"]),
        None => false,
    }
}

/// Whether a word in front of the protocol is no label: the protocol itself, or the first word of a sentence
/// (`No SMTP service here`, RFC 7504 §3).
pub(super) fn is_no_label(word: &[u8]) -> bool {
    is_one_of(
        word,
        &["smtp", "esmtp", "lmtp", "microsoft", "no", "not", "the", "this", "our", "your", "an", "welcome"],
    )
}

/// Whether the last label is one that the public DNS or a private network would end with: letters, or an A-label. In the
/// midst of a sentence `v3.2r24` is no name.
fn has_plain_suffix(name: &str) -> bool {
    let suffix = name.rsplit('.').next().unwrap_or_default();
    suffix.starts_with("xn--") || suffix.len() > 1 && suffix.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether a word is the one given, whatever its case and the punctuation around it.
fn is(word: &[u8], expected: &str) -> bool {
    let is_edge = |b: &u8| b.is_ascii_punctuation();
    let start = word.iter().position(|b| !is_edge(b)).unwrap_or(word.len());
    let end = word.iter().rposition(|b| !is_edge(b)).map_or(start, |at| at + 1);
    word[start..end].eq_ignore_ascii_case(expected.as_bytes())
}

fn is_one_of(word: &[u8], expected: &[&str]) -> bool {
    expected.iter().any(|expected| is(word, expected))
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\x0b' | b'\x0c' | 0)
}
