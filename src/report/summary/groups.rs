//! What is counted of records that have something in common, and the groups of one kind in bounded memory.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::hash::Hash;

use foldhash::quality::RandomState;

use crate::judge::{Severity, Verdict};
use crate::prefix::Prefix;
use crate::record::row::Row;

/// What stands for all values that this version does not know.
pub const OTHER: &str = "other";

/// Counts of a set of values, in its own order, and of the values that a later version may have added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts<const N: usize> {
    known: [u64; N],
    other: u64,
}

impl<const N: usize> Counts<N> {
    /// The count of the value at an index of its set's list.
    pub fn at(&self, index: usize) -> u64 {
        self.known.get(index).copied().unwrap_or(0)
    }

    /// The count of all values that this version does not know.
    pub fn other(&self) -> u64 {
        self.other
    }

    pub(super) fn add(&mut self, index: usize) {
        self.add_many(index, 1);
    }

    /// Counts what stands behind the end of the list as a value that is not known.
    pub(super) fn add_many(&mut self, index: usize, many: u64) {
        *self.known.get_mut(index).unwrap_or(&mut self.other) += many;
    }

    pub(super) fn add_other(&mut self) {
        self.other += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.known.iter_mut().zip(other.known).for_each(|(count, more)| *count += more);
        self.other += other.other;
    }

    /// The sum.
    pub fn total(&self) -> u64 {
        self.known.iter().sum::<u64>() + self.other
    }
}

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self { known: [0; N], other: 0 }
    }
}

/// What is counted of one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// All records.
    pub records: u64,
    /// By verdict, as [`Verdict::ALL`] has them; records without one are not among them.
    pub verdicts: Counts<{ Verdict::ALL.len() }>,
    /// By severity, as [`Severity::ALL`] has them; records without one are not among them.
    pub severities: Counts<{ Severity::ALL.len() }>,
    /// Of the undetermined, those without a finding of weight.
    not_known: u64,
}

impl Tally {
    /// How many records have a verdict.
    pub fn verdict(&self, verdict: Verdict) -> u64 {
        self.verdicts.at(verdict as usize)
    }

    /// How many records have a severity.
    pub fn severity(&self, severity: Severity) -> u64 {
        self.severities.at(severity as usize)
    }

    /// How many are judged, and nothing of weight was found.
    pub fn fine(&self) -> u64 {
        (self.severity(Severity::None) + self.severity(Severity::Info)).saturating_sub(self.not_known)
    }

    /// How many have no finding of weight, and are not fine all the same: DNS did not tell enough.
    pub fn not_known(&self) -> u64 {
        self.not_known
    }

    /// How many have a finding of weight.
    pub fn in_trouble(&self) -> u64 {
        self.severity(Severity::High) + self.severity(Severity::Medium) + self.severity(Severity::Low)
    }

    /// What makes one group worse than another: more findings of high severity, then of medium, then of low.
    pub fn badness(&self) -> (u64, u64, u64) {
        (self.severity(Severity::High), self.severity(Severity::Medium), self.severity(Severity::Low))
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        self.add_alike(Words::of(row), 1);
    }

    fn add_alike(&mut self, words: Words, many: u64) {
        self.records += many;
        let is = |place: Option<u8>, word: u8| place == Some(word);
        let is_light = is(words.severity, Severity::None as u8) || is(words.severity, Severity::Info as u8);
        if is_light && is(words.verdict, Verdict::Undetermined as u8) {
            self.not_known += many;
        }
        if let Some(verdict) = words.verdict {
            self.verdicts.add_many(verdict.into(), many);
        }
        if let Some(severity) = words.severity {
            self.severities.add_many(severity.into(), many);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.not_known += other.not_known;
        self.verdicts.merge(&other.verdicts);
        self.severities.merge(&other.severities);
    }
}

/// What a tally counts of one record: the places of its words in their sets, behind the end for a word that
/// is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Words {
    verdict: Option<u8>,
    severity: Option<u8>,
}

impl Words {
    fn of(row: &Row<'_>) -> Self {
        let unknown = |name| row.odd.is_in(name).then_some(u8::MAX);
        Self {
            verdict: row.verdict.map(|verdict| verdict as u8).or_else(|| unknown("verdict")),
            severity: row.severity.map(|severity| severity as u8).or_else(|| unknown("severity")),
        }
    }
}

/// The tally of one group among many. Most groups have one record, or a network's that are all alike: those
/// need a tenth of the room, and there may be some hundred thousand of them.
#[derive(Debug, Clone)]
enum Count {
    Alike { records: u32, words: Words },
    Mixed(Box<Tally>),
}

impl Count {
    fn add(&mut self, words: Words) {
        if let Self::Alike { records, words: before } = self
            && *before == words
            && let Some(more) = records.checked_add(1)
        {
            *records = more;
            return;
        }
        if let Self::Alike { .. } = self {
            *self = Self::Mixed(Box::new(self.tally()));
        }
        if let Self::Mixed(tally) = self {
            tally.add_alike(words, 1);
        }
    }

    fn records(&self) -> u64 {
        match self {
            Self::Alike { records, .. } => u64::from(*records),
            Self::Mixed(tally) => tally.records,
        }
    }

    fn tally(&self) -> Tally {
        match self {
            Self::Alike { records, words } => {
                let mut tally = Tally::default();
                tally.add_alike(*words, u64::from(*records));
                tally
            }
            Self::Mixed(tally) => (**tally).clone(),
        }
    }
}

/// What the records of a group have in common, for whoever shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A name, prefix or word.
    Text(String),
    /// The number of an autonomous system.
    Number(u32),
}

impl Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

impl From<&Prefix> for Key {
    fn from(prefix: &Prefix) -> Self {
        Self::Text(prefix.to_string())
    }
}

impl From<&u32> for Key {
    fn from(number: &u32) -> Self {
        Self::Number(*number)
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

/// Some groups of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The worst, in this order.
    pub groups: Vec<(Key, Tally)>,
    /// All others as one.
    pub others: Tally,
    /// How many these are, as far as they were told apart.
    pub more: usize,
}

/// Groups whatever their keys are, as views show them.
pub trait Listing {
    /// The `most` worst groups, and all others. Of two that are equally bad the larger comes first, then by
    /// key.
    fn worst_listed(&self, most: usize) -> Listed;
}

/// Groups of one kind.
#[derive(Debug, Clone)]
pub struct Groups<K> {
    /// Strangers choose most keys: the hash is keyed at random.
    counts: HashMap<K, Count, RandomState>,
    most: usize,
    /// What was summed up to stay within bounds.
    pub others: Tally,
}

impl<K: Hash + Ord + Clone> Groups<K> {
    pub(super) fn new(most: usize) -> Self {
        Self { counts: HashMap::default(), most, others: Tally::default() }
    }

    pub(super) fn add<Q>(&mut self, key: &Q, row: &Row<'_>)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let words = Words::of(row);
        if let Some(count) = self.counts.get_mut(key) {
            return count.add(words);
        }
        self.counts.insert(key.to_owned(), Count::Alike { records: 1, words });
        if self.counts.len() >= 2 * self.most {
            self.drop_smaller();
        }
    }

    fn drop_smaller(&mut self) {
        let mut groups: Vec<_> = self.counts.iter().map(|(key, count)| (count.records(), key)).collect();
        if groups.len() <= self.most {
            return;
        }
        let (_, &mut (records, key), _) = groups.select_nth_unstable_by(self.most, by_size);
        let key = key.clone();
        let Self { counts, others, .. } = self;
        counts.retain(|other, count| {
            let stays = by_size(&(count.records(), other), &(records, &key)) == Ordering::Less;
            if !stays {
                others.merge(&count.tally());
            }
            stays
        });
    }

    /// All groups, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, Tally)> {
        self.counts.iter().map(|(key, count)| (key, count.tally()))
    }

    /// All groups, the one with the most records first; equal ones by key.
    pub fn largest(&self) -> Vec<(&K, Tally)> {
        let mut groups: Vec<_> = self.iter().collect();
        groups.sort_unstable_by(|a, b| by_size(&(a.1.records, a.0), &(b.1.records, b.0)));
        groups
    }

    /// The `most` worst groups, and the sum of all others. Of two that are equally bad the larger comes
    /// first, then by key.
    pub fn listed(&self, most: usize) -> (Vec<(&K, Tally)>, Tally) {
        let mut groups: Vec<_> = self.iter().collect();
        groups.sort_unstable_by(by_badness);
        let mut others = self.others.clone();
        for (_, tally) in groups.drain(most.min(groups.len())..) {
            others.merge(&tally);
        }
        (groups, others)
    }

    /// The groups with any finding of low severity or above, the worst first; equal ones by size, then by
    /// key.
    pub fn worst(&self) -> Vec<(&K, Tally)> {
        let mut groups: Vec<_> = self.iter().filter(|(_, tally)| tally.badness() > (0, 0, 0)).collect();
        groups.sort_unstable_by(by_badness);
        groups
    }
}

impl<K: Hash + Ord + Clone> Listing for Groups<K>
where
    for<'k> Key: From<&'k K>,
{
    fn worst_listed(&self, most: usize) -> Listed {
        let (groups, others) = self.listed(most);
        let more = self.counts.len() - groups.len();
        Listed { groups: groups.into_iter().map(|(key, tally)| (key.into(), tally)).collect(), others, more }
    }
}

/// The larger first; equal ones by key.
fn by_size<K: Ord>(a: &(u64, &K), b: &(u64, &K)) -> Ordering {
    b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1))
}

fn by_badness<K: Ord>(a: &(&K, Tally), b: &(&K, Tally)) -> Ordering {
    let by_size = || by_size(&(a.1.records, a.0), &(b.1.records, b.0));
    b.1.badness().cmp(&a.1.badness()).then_with(by_size)
}
