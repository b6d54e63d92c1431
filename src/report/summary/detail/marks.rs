//! One mark for each IPv4 address, as long as they are few enough for a map of addresses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::judge::Verdict;
use crate::record::row::Row;

/// The most addresses that are told apart: a /18, whose map is some 2 MB of text. With more, a map shows
/// networks.
pub const MOST: usize = 1 << 14;

/// What is known of one address: its verdict, if it was judged.
pub type Mark = Option<Verdict>;

/// The marks of all addresses, or nothing if there are too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks(Option<BTreeMap<u32, Mark>>);

impl Default for Marks {
    fn default() -> Self {
        Self(Some(BTreeMap::new()))
    }
}

impl Marks {
    /// Takes up one record. Of several of one address the worst counts.
    pub fn add(&mut self, row: &Row<'_>) {
        let (Some(IpAddr::V4(ip)), Some(marks)) = (row.ip, &mut self.0) else { return };
        let mark = marks.entry(ip.to_bits()).or_insert(row.verdict);
        if weight(row.verdict) > weight(*mark) {
            *mark = row.verdict;
        }
        if marks.len() > MOST {
            self.0 = None;
        }
    }

    /// The addresses in order, each with its mark; `None` if they were too many.
    pub fn addresses(&self) -> Option<impl Iterator<Item = (u32, Mark)> + '_> {
        Some(self.0.as_ref()?.iter().map(|(&address, &mark)| (address, mark)))
    }
}

/// How much a mark matters on a map: trouble before soundness, what is unknown behind both.
pub fn weight(mark: Mark) -> usize {
    match mark {
        None => 0,
        Some(Verdict::Undetermined) => 1,
        // The list has the worst first.
        Some(verdict) => 1 + Verdict::ALL.len() - verdict as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::row;
    use super::*;
    use crate::judge::Severity;

    fn marks(rows: &[([u8; 4], Option<Verdict>)]) -> Marks {
        let mut marks = Marks::default();
        for &(ip, verdict) in rows {
            marks.add(&Row { verdict, ..row(ip, Verdict::Match, Severity::None) });
        }
        marks
    }

    #[test]
    fn the_worst_of_an_address_counts_and_what_is_unknown_hides_nothing() {
        for (verdicts, told) in [
            (&[Some(Verdict::Match), Some(Verdict::NoPtr)][..], Some(Verdict::NoPtr)),
            (&[Some(Verdict::NoPtr), Some(Verdict::Match)], Some(Verdict::NoPtr)),
            (&[Some(Verdict::Undetermined), Some(Verdict::Match)], Some(Verdict::Match)),
            (&[Some(Verdict::Undetermined), None], Some(Verdict::Undetermined)),
            (&[None, Some(Verdict::Related)], Some(Verdict::Related)),
            (&[None], None),
        ] {
            let rows: Vec<_> = verdicts.iter().map(|&verdict| ([192, 0, 2, 1], verdict)).collect();
            let marks: Vec<_> = marks(&rows).addresses().unwrap().collect();
            assert_eq!(marks, [(0xc000_0201, told)], "{verdicts:?}");
        }
    }

    #[test]
    fn too_many_addresses_are_none() {
        let mut marks = Marks::default();
        for number in 0..=u32::try_from(MOST).unwrap() {
            assert!(marks.addresses().is_some(), "{number}");
            let ip = (0xc612_0000 + number).to_be_bytes();
            marks.add(&row(ip, Verdict::Match, Severity::None));
        }
        assert!(marks.addresses().is_none());
    }
}
