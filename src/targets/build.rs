//! Entries gathered into a [`TargetSet`]: overlaps settled, exclusions taken out, names kept once.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::io::BufRead;
use std::net::IpAddr;
use std::sync::Arc;

use crate::prefix::Prefix;
use crate::targets::cut::Cutter;
use crate::targets::digest::Digest;
use crate::targets::error::{BadLines, Purpose, TargetError};
use crate::targets::exclude::Exclusions;
use crate::targets::line::{Entry, Kind};
use crate::targets::list::{TargetList, read_argument};
use crate::targets::pieces::Pieces;
use crate::targets::set::{EntryRef, Removed, TargetSet};
use crate::targets::span::{self, Span, V4_FIRST, sweep};

/// Gathers what is to be scanned.
#[derive(Debug, Default)]
pub struct TargetSetBuilder {
    entries: Vec<Entry>,
    spans: Vec<Span>,
    /// Plain addresses, of which a long list has many.
    v4: Vec<u32>,
    v6: Vec<u128>,
    names: Vec<Entry>,
}

impl TargetSetBuilder {
    /// Starts with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one argument.
    pub fn argument(&mut self, text: &str) -> Result<(), TargetError> {
        self.add(read_argument(Purpose::Targets, text)?)
    }

    /// Reads a whole list; `name` is what messages call it. A line that can't be read goes to `report` if bad
    /// lines are skipped; else the first one is the error.
    pub fn read(
        &mut self,
        input: impl BufRead,
        name: &str,
        bad_lines: BadLines,
        report: &mut dyn FnMut(TargetError),
    ) -> Result<(), TargetError> {
        for entry in TargetList::new(input, Purpose::Targets, name) {
            match entry {
                Ok(entry) => self.add(entry)?,
                Err(error) if error.is_one_value() && bad_lines == BadLines::Skip => report(error),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Adds one entry. An autonomous system has to come as its prefixes ([`TargetSetBuilder::add_network`]).
    pub fn add(&mut self, entry: Entry) -> Result<(), TargetError> {
        match (&entry.kind, &entry.inventory) {
            (Kind::Asn(number), _) => return Err(TargetError::AsnUnknown(*number)),
            (Kind::Host(_) | Kind::Mx(_), _) => self.names.push(entry),
            (Kind::Address(ip), None) => match ip.to_canonical() {
                IpAddr::V4(v4) => self.v4.push(v4.to_bits()),
                IpAddr::V6(v6) => self.v6.push(v6.to_bits()),
            },
            _ => {
                let owner = self.next_owner()?;
                self.add_spans(&entry.kind, owner);
                self.entries.push(entry);
            }
        }
        Ok(())
    }

    /// Adds one entry that stands for many prefixes: an autonomous system.
    pub fn add_network(
        &mut self,
        entry: Entry,
        prefixes: impl IntoIterator<Item = Prefix>,
    ) -> Result<(), TargetError> {
        let owner = self.next_owner()?;
        for prefix in prefixes {
            self.add_spans(&Kind::Prefix(prefix), owner);
        }
        self.entries.push(entry);
        Ok(())
    }

    /// The set, without what is excluded.
    pub fn build(self, exclusions: Arc<Exclusions>) -> Result<TargetSet, TargetError> {
        let Self { mut entries, mut spans, mut v4, mut v6, names } = self;
        spans.sort_unstable_by_key(|span| span.first);
        v4.sort_unstable();
        v6.sort_unstable();
        let v6_below = v6.partition_point(|&key| key < V4_FIRST);
        let (below, above) = v6.split_at(v6_below);
        let plain = below.iter().copied().chain(v4.iter().map(|&v4| V4_FIRST | u128::from(v4)));
        let plain = plain.chain(above.iter().copied());
        let plain = plain.map(|key| Span { first: key, last: key, owner: EntryRef::ITSELF.owner() });

        let mut cutter = Cutter::new(exclusions.pieces(), exclusions.lists().count());
        let rank = |span: &Span| (span.last - span.first, tie_rank(&entries, span.owner));
        sweep(merge(spans.into_iter(), plain), rank, |span| cutter.push(span));
        let (mut pieces, counts) = cutter.finish();
        let count_of = |(list, addresses): (&str, u128)| Removed { list: list.into(), addresses, names: 0 };
        let mut removed: Vec<_> = exclusions.lists().zip(counts).map(count_of).collect();
        drop((v4, v6));
        pieces.shrink();
        entries.shrink_to_fit();
        if u32::try_from(pieces.len()).is_err() {
            return Err(TargetError::TooMany);
        }
        let names = keep_names(names, &exclusions, &mut removed);
        let digest = digest(&pieces, &entries, &names, &exclusions);
        Ok(TargetSet { pieces, entries, names, removed, exclusions, digest })
    }

    fn next_owner(&self) -> Result<u32, TargetError> {
        let owner = u32::try_from(self.entries.len()).map_err(|_| TargetError::TooMany)?;
        if owner == EntryRef::ITSELF.owner() { Err(TargetError::TooMany) } else { Ok(owner) }
    }

    fn add_spans(&mut self, kind: &Kind, owner: u32) {
        self.spans.extend(span::spans_of(kind).map(|(first, last)| Span { first, last, owner }));
    }
}

/// Of entries of one size: with an inventory, plain, by order.
fn tie_rank(entries: &[Entry], owner: u32) -> (u8, u32) {
    match entries.get(owner as usize) {
        Some(Entry { inventory: Some(_), .. }) => (0, owner),
        None => (1, owner),
        Some(_) => (2, owner),
    }
}

fn merge(one: impl Iterator<Item = Span>, other: impl Iterator<Item = Span>) -> impl Iterator<Item = Span> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if a.first <= b.first => one.next(),
        (Some(_), None) => one.next(),
        _ => other.next(),
    })
}

/// Names once each, without the excluded ones.
fn keep_names(names: Vec<Entry>, exclusions: &Exclusions, removed: &mut [Removed]) -> Vec<Entry> {
    let mut kept: Vec<Entry> = Vec::new();
    let mut places: HashMap<Kind, Option<usize>> = HashMap::new();
    for entry in names {
        match places.entry(entry.kind.clone()) {
            Slot::Occupied(place) => {
                // What is said of a name counts, wherever it is said first.
                if let Some(known) = place.get().and_then(|place| kept.get_mut(place)) {
                    known.inventory = known.inventory.take().or(entry.inventory);
                }
            }
            Slot::Vacant(place) => {
                let Some(list) = exclusions.blocked_name(&entry.kind) else {
                    place.insert(Some(kept.len()));
                    kept.push(entry);
                    continue;
                };
                place.insert(None);
                if let Some(removed) = removed.iter_mut().find(|removed| *removed.list == *list) {
                    removed.names += 1;
                }
            }
        }
    }
    kept
}

fn digest(pieces: &Pieces, entries: &[Entry], names: &[Entry], exclusions: &Exclusions) -> u128 {
    let mut digest = Digest::new();
    digest.number(pieces.len() as u128);
    for piece in pieces.iter() {
        digest.number(piece.first);
        digest.number(piece.count);
        digest.number(u128::from(piece.owner));
    }
    for entries in [entries, names] {
        digest.number(entries.len() as u128);
        for entry in entries {
            digest.text(&entry.kind.to_string());
            digest.inventory(entry.inventory.as_deref());
        }
    }
    for piece in exclusions.pieces() {
        digest.number(piece.first);
        digest.number(piece.count);
    }
    let mut excluded: Vec<_> = exclusions.names().keys().map(ToString::to_string).collect();
    excluded.sort_unstable();
    for name in &excluded {
        digest.text(name);
    }
    digest.finish()
}
