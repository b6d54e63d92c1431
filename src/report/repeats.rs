//! Records that are given twice: the same file named twice, two outputs of one scan, records and what `judge`
//! made of them.
//!
//! A record is known again by its target, its entry and its time. Up to `MOST` different records the count is
//! exact. Beyond, only those are looked at whose hash ends in zeros, one more zero each time that there are
//! too many of them, and the count is that of the whole by their share: memory stays bounded.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::time::UNIX_EPOCH;

use crate::record::row::Row;

/// Different records that are told apart exactly: some 40 MiB.
const MOST: usize = 1 << 20;

/// How often records were given again.
#[derive(Debug, Clone, Default)]
pub struct Repeats {
    hasher: RandomState,
    seen: HashMap<u64, Seen>,
    /// Hashes that end in so many zeros are looked at.
    zeros: u32,
}

/// A record that was met.
#[derive(Debug, Clone, Copy)]
struct Seen {
    file: u32,
    again: u32,
}

impl Repeats {
    /// Takes a record of the file with this number.
    pub fn add(&mut self, row: &Row<'_>, file: usize) {
        let time = row.time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        self.add_key(self.hasher.hash_one((row.ip, row.port, &*row.asked, time)), file, row.ip.is_some());
        while self.seen.len() > MOST {
            self.zeros += 1;
            let zeros = self.zeros;
            self.seen.retain(|hash, _| hash.trailing_zeros() >= zeros);
        }
    }

    fn add_key(&mut self, hash: u64, file: usize, has_address: bool) {
        if hash.trailing_zeros() < self.zeros {
            return;
        }
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        match self.seen.entry(hash) {
            Entry::Vacant(place) => drop(place.insert(Seen { file, again: 0 })),
            // A name may leave a record for each of its halves in one file, alike in all of this.
            Entry::Occupied(place) if !has_address && place.get().file == file => {}
            Entry::Occupied(mut place) => place.get_mut().again += 1,
        }
    }

    /// How many records were given before; about, once there are many.
    pub fn count(&self) -> u64 {
        self.seen.values().map(|seen| u64::from(seen.again)).sum::<u64>() << self.zeros
    }

    /// Whether the count is exact.
    pub fn is_exact(&self) -> bool {
        self.zeros == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn row(json: &str) -> Row<'_> {
        Row::from_json(json).unwrap()
    }

    fn line(ip: &str, port: u16, asked: &str) -> String {
        let ip = if ip.is_empty() { "null".to_owned() } else { format!("\"{ip}\"") };
        format!(
            r#"{{"schema":"banneret.record/1","time":"2026-01-02T03:04:05.678Z","outcome":"silent",
            "target":{{"ip":{ip},"port":{port},"asked":"{asked}"}},"findings":[],"tenancy":"unknown"}}"#
        )
    }

    #[test]
    fn a_record_is_known_again_by_target_entry_and_time() {
        let mut repeats = Repeats::default();
        let first = line("192.0.2.1", 25, "192.0.2.0/24");
        repeats.add(&row(&first), 0);
        for other in [
            line("192.0.2.2", 25, "192.0.2.0/24"),
            line("192.0.2.1", 587, "192.0.2.0/24"),
            line("192.0.2.1", 25, "mail.example.org"),
        ] {
            repeats.add(&row(&other), 0);
        }
        let later = Row { time: UNIX_EPOCH + Duration::from_secs(1), ..row(&first) };
        repeats.add(&later, 0);
        assert_eq!(repeats.count(), 0);
        repeats.add(&row(&first), 0);
        repeats.add(&row(&first), 1);
        assert_eq!((repeats.count(), repeats.is_exact()), (2, true));
    }

    #[test]
    fn two_halves_of_a_name_in_one_file_are_no_repeat_and_in_two_files_they_are() {
        let half = line("", 25, "mail.example.org");
        let mut repeats = Repeats::default();
        repeats.add(&row(&half), 0);
        repeats.add(&row(&half), 0);
        assert_eq!(repeats.count(), 0);
        repeats.add(&row(&half), 1);
        repeats.add(&row(&half), 1);
        assert_eq!(repeats.count(), 2);
    }

    #[test]
    fn of_very_many_records_the_count_is_about_right_and_memory_bounded() {
        let mut repeats = Repeats { zeros: 6, ..Repeats::default() };
        for round in 0..2 {
            for number in 0..100_000_u64 {
                let hash = repeats.hasher.hash_one(number);
                repeats.add_key(hash, round, true);
            }
        }
        let count = repeats.count();
        assert!((80_000..120_000).contains(&count) && !repeats.is_exact(), "{count}");
        assert!(repeats.seen.len() < 2500, "{}", repeats.seen.len());
    }
}
