//! How many records of a file hold what this version does not know, and which is the first: for a line of
//! warning.

use crate::record::foreign::{Oddities, OddityKind};
use crate::report::table::grouped;

/// The odd records of one file.
#[derive(Debug, Clone, Default)]
pub struct OddRecords {
    read: u64,
    words: Met,
    numbers: Met,
}

#[derive(Debug, Clone, Default)]
struct Met {
    records: u64,
    /// The number of the first record, from 1, and what it holds.
    first: Option<(u64, String)>,
}

impl OddRecords {
    /// Takes the next record of the file.
    pub fn add(&mut self, odd: &Oddities) {
        self.read += 1;
        for (kind, met) in [(OddityKind::Word, &mut self.words), (OddityKind::Number, &mut self.numbers)] {
            if let Some(first) = odd.iter().find(|oddity| oddity.kind == kind) {
                met.records += 1;
                met.first.get_or_insert_with(|| (self.read, first.to_string()));
            }
        }
    }

    /// A line for each kind that was met; `fate` says what becomes of the words.
    pub fn lines(&self, name: &str, fate: &str) -> Vec<String> {
        let kinds = [
            (&self.words, "words that this version does not know", fate),
            (&self.numbers, "numbers that their field can't hold", "they are left out"),
        ];
        let line = |(met, what, fate): (&Met, &str, &str)| {
            let (number, first) = met.first.as_ref()?;
            let (records, have) = if met.records == 1 { ("record", "has") } else { ("records", "have") };
            let count = grouped(met.records);
            Some(format!(
                "records `{name}`: {count} {records} {have} {what}, the first is {first} in record {number}; {fate}"
            ))
        };
        kinds.into_iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_kind_is_shown_and_all_are_counted() {
        let mut met = OddRecords::default();
        met.add(&Oddities::default());
        assert!(met.lines("a", "").is_empty());
        for _ in 0..2 {
            let mut odd = Oddities::default();
            odd.word::<()>("verdict", "su\u{1b}perb", None);
            odd.number::<()>("smtp.connect_ms", &-5, None);
            met.add(&odd);
        }
        assert_eq!(
            met.lines("a.jsonl", "they count as `other`"),
            [
                "records `a.jsonl`: 2 records have words that this version does not know, the first is `su\\x1bperb` in \
                 `verdict` in record 2; they count as `other`",
                "records `a.jsonl`: 2 records have numbers that their field can't hold, the first is `-5` in \
                 `smtp.connect_ms` in record 2; they are left out",
            ]
        );
    }
}
