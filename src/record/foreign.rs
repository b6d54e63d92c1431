//! What stands in a line or a row and this version does not know: words and fields of a later version, and
//! numbers that no field can hold. A record is read without them; words of the evidence and fields are kept,
//! so that it is written again as it was.

use super::extra::{ExtraField, Object};
use super::neutral::Safe;

/// The most of a word that is kept, in characters: several times the longest of ours.
const LONGEST: usize = 100;
/// The most oddities of one record that are kept: one for each of the PTR names that a record may have, and
/// some more.
const MOST: usize = 160;

/// What an oddity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddityKind {
    /// A word that a later version may know.
    Word,
    /// A number that the field can't hold: negative, or too large.
    Number,
}

/// Something in a field that this version can't take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// What it is.
    pub kind: OddityKind,
    /// The field, its objects before it, as `dns.ptr.status`.
    pub field: &'static str,
    /// Which of several of the field: of PTR names their number from 0.
    pub place: usize,
    /// What stands there.
    pub value: Box<str>,
}

impl std::fmt::Display for Oddity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` in `{}`", Safe(&self.value), self.field)
    }
}

/// The oddities of one record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oddities(Vec<Oddity>);

impl Oddities {
    /// All of them, in the order of reading.
    pub fn iter(&self) -> impl Iterator<Item = &Oddity> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something in a field is not known.
    pub fn is_in(&self, field: &str) -> bool {
        self.0.iter().any(|oddity| oddity.field == field)
    }

    /// `known`, or none and an oddity where the word is not known.
    pub(crate) fn word<T>(&mut self, field: &'static str, text: &str, known: Option<T>) -> Option<T> {
        self.word_at(field, 0, text, known)
    }

    pub(crate) fn word_at<T>(
        &mut self,
        field: &'static str,
        place: usize,
        text: &str,
        known: Option<T>,
    ) -> Option<T> {
        if known.is_none() {
            self.push(OddityKind::Word, field, place, text);
        }
        known
    }

    /// `fitting`, or none and an oddity where the field can't hold the number.
    pub(crate) fn number<T>(
        &mut self,
        field: &'static str,
        shown: &dyn std::fmt::Display,
        fitting: Option<T>,
    ) -> Option<T> {
        if fitting.is_none() {
            self.push(OddityKind::Number, field, 0, &shown.to_string());
        }
        fitting
    }

    fn push(&mut self, kind: OddityKind, field: &'static str, place: usize, text: &str) {
        if self.0.len() < MOST {
            let value = text.chars().take(LONGEST).collect();
            self.0.push(Oddity { kind, field, place, value });
        }
    }
}

/// What of a stored record this version does not know, to be written again as it stood: words of the
/// evidence, and fields. Almost no record has any of it, so it takes little room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign(Option<Box<Parts>>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Parts {
    words: Vec<Oddity>,
    fields: Vec<ExtraField>,
}

impl Foreign {
    /// Those of the oddities that are words in fields of the evidence, and these fields.
    pub(super) fn of(oddities: &Oddities, evidence: &[&str], fields: Vec<ExtraField>) -> Self {
        let is_kept = |it: &&Oddity| it.kind == OddityKind::Word && evidence.contains(&it.field);
        let words: Vec<Oddity> = oddities.iter().filter(is_kept).cloned().collect();
        Self((!words.is_empty() || !fields.is_empty()).then(|| Box::new(Parts { words, fields })))
    }

    /// The word that stood in a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.at(field, 0)
    }

    /// The word that stood in one of several of a field.
    pub fn at(&self, field: &str, place: usize) -> Option<&str> {
        let words = &self.0.as_deref()?.words;
        words.iter().find(|it| it.field == field && it.place == place).map(|it| &*it.value)
    }

    /// The fields of one of several such objects, each as `"name":value`.
    pub(super) fn fields(&self, object: Object, place: usize) -> impl Iterator<Item = &str> {
        let fields = self.0.iter().flat_map(|parts| &parts.fields);
        fields.filter(move |it| it.object == object && it.place == place).map(|it| &*it.text)
    }

    /// Whether there are any fields.
    pub(super) fn has_fields(&self) -> bool {
        self.0.as_deref().is_some_and(|parts| !parts.fields.is_empty())
    }

    /// Forgets the fields of all objects but some, each given with its place among several such.
    pub(super) fn retain_fields(&mut self, keep: impl Fn(Object, usize) -> bool) {
        if let Some(parts) = &mut self.0 {
            parts.fields.retain(|it| keep(it.object, it.place));
        }
    }
}
