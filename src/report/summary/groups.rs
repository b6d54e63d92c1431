//! What is counted of records that have something in common, and the groups of one kind in bounded memory.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use crate::judge::{Severity, Verdict};
use crate::record::row::Row;

/// Counts of a closed set of values, in its own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts<const N: usize>([u64; N]);

impl<const N: usize> Counts<N> {
    /// The count of the value at an index of its set's list.
    pub fn at(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, index: usize) {
        if let Some(count) = self.0.get_mut(index) {
            *count += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    /// The sum.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl<const N: usize> Default for Counts<N> {
    fn default() -> Self {
        Self([0; N])
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

    /// What makes one group worse than another: more findings of high severity, then of medium, then of low.
    pub fn badness(&self) -> (u64, u64, u64) {
        (self.severity(Severity::High), self.severity(Severity::Medium), self.severity(Severity::Low))
    }

    pub(super) fn add(&mut self, row: &Row<'_>) {
        self.records += 1;
        if let Some(verdict) = row.verdict {
            self.verdicts.add(verdict as usize);
        }
        if let Some(severity) = row.severity {
            self.severities.add(severity as usize);
        }
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.verdicts.merge(&other.verdicts);
        self.severities.merge(&other.severities);
    }
}

/// Groups of one kind.
#[derive(Debug, Clone)]
pub struct Groups<K> {
    tallies: HashMap<K, Tally>,
    most: usize,
    /// What was summed up to stay within bounds.
    pub others: Tally,
}

impl<K: Hash + Ord + Clone> Groups<K> {
    pub(super) fn new(most: usize) -> Self {
        Self { tallies: HashMap::new(), most, others: Tally::default() }
    }

    pub(super) fn add<Q>(&mut self, key: &Q, row: &Row<'_>)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(tally) = self.tallies.get_mut(key) {
            return tally.add(row);
        }
        let mut tally = Tally::default();
        tally.add(row);
        self.tallies.insert(key.to_owned(), tally);
        if self.tallies.len() >= 2 * self.most {
            self.drop_smaller();
        }
    }

    fn drop_smaller(&mut self) {
        let kept: HashMap<K, Tally> =
            self.largest().iter().take(self.most).map(|&(key, tally)| (key.clone(), tally.clone())).collect();
        for (key, tally) in &self.tallies {
            if !kept.contains_key(key) {
                self.others.merge(tally);
            }
        }
        self.tallies = kept;
    }

    /// All groups, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Tally)> {
        self.tallies.iter()
    }

    /// All groups, the one with the most records first; equal ones by key.
    pub fn largest(&self) -> Vec<(&K, &Tally)> {
        let mut groups: Vec<_> = self.tallies.iter().collect();
        groups.sort_unstable_by(|a, b| b.1.records.cmp(&a.1.records).then_with(|| a.0.cmp(b.0)));
        groups
    }

    /// The `most` largest groups, and the sum of all others.
    pub fn listed(&self, most: usize) -> (Vec<(&K, &Tally)>, Tally) {
        let mut largest = self.largest();
        let mut others = self.others.clone();
        for (_, tally) in largest.drain(most.min(largest.len())..) {
            others.merge(tally);
        }
        (largest, others)
    }

    /// The groups with any finding of low severity or above, the worst first; equal ones by key.
    pub fn worst(&self) -> Vec<(&K, &Tally)> {
        let mut groups: Vec<_> =
            self.tallies.iter().filter(|(_, tally)| tally.badness() > (0, 0, 0)).collect();
        groups.sort_unstable_by(|a, b| b.1.badness().cmp(&a.1.badness()).then_with(|| a.0.cmp(b.0)));
        groups
    }
}
