//! A sample of a set: so many of its addresses and names, each as likely as any other, as a set of its own.
//! Seed and set give the same sample on every machine, so shards of it add up to it.
//!
//! Ten addresses, three wanted: numbers are drawn from 0 to 9, say 7, 2 and 7; the second 7 is drawn again,
//! say 4; the sample is the third, the fifth and the eighth address. Names stand behind the addresses, and
//! count one each.

use std::str::FromStr;
use std::sync::Arc;

use crate::targets::cut::Cutter;
use crate::targets::scatter::mix;
use crate::targets::set::TargetSet;
use crate::targets::span::Span;

/// The most numbers that are drawn: each takes 16 bytes.
const MOST_DRAWN: u128 = 1 << 24;
/// Parts of one percent.
const PARTS: u128 = 10_000;
/// Keeps the numbers apart from those that the order draws of the same seed.
const OWN: u64 = 0x5a4d_506c_6573_0001;

/// How large a sample is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleSize {
    /// So many targets, or all if there are fewer.
    Targets(u128),
    /// A share of all, in ten-thousandths of one percent, rounded up.
    Share(u32),
}

/// A text that is no size of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is neither a number of targets nor a share of them; write it as `1000` or `2.5%`, at most `100%`")]
pub struct SampleSizeError;

/// A sample that would take too much memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sample of {wanted} out of {all} targets is too large to be drawn; ask for at most {MOST_DRAWN}, or for all"
)]
pub struct SampleTooLarge {
    wanted: u128,
    all: u128,
}

impl FromStr for SampleSize {
    type Err = SampleSizeError;

    fn from_str(text: &str) -> Result<Self, SampleSizeError> {
        let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let Some(share) = text.strip_suffix('%') else {
            let count = text.parse().ok().filter(|_| is_plain(text));
            return count.map(Self::Targets).ok_or(SampleSizeError);
        };
        let (whole, rest) = share.split_once('.').unwrap_or((share, "0"));
        if !is_plain(whole) || !is_plain(rest) || rest.len() > 4 {
            return Err(SampleSizeError);
        }
        let parts = format!("{whole}{rest:0<4}").parse().map_err(|_| SampleSizeError)?;
        if parts == 0 || u128::from(parts) > 100 * PARTS {
            Err(SampleSizeError)
        } else {
            Ok(Self::Share(parts))
        }
    }
}

impl SampleSize {
    /// How many of so many targets.
    pub fn of(self, all: u128) -> u128 {
        match self {
            Self::Targets(count) => count.min(all),
            Self::Share(parts) => {
                let (parts, whole) = (u128::from(parts), 100 * PARTS);
                // Split, so that no product is too large.
                (all / whole * parts).saturating_add((all % whole * parts).div_ceil(whole))
            }
        }
    }
}

impl TargetSet {
    /// A sample of this set.
    pub fn sample(self: &Arc<Self>, size: SampleSize, seed: u64) -> Result<Arc<Self>, SampleTooLarge> {
        let all = self.len().saturating_add(self.names.len() as u128);
        let wanted = size.of(all);
        if wanted == all {
            return Ok(Arc::clone(self));
        }
        let left_out = all - wanted;
        let kept = if wanted <= left_out {
            Kept::Drawn(draw(wanted, all, seed).ok_or(SampleTooLarge { wanted, all })?)
        } else {
            Kept::Others(draw(left_out, all, seed).ok_or(SampleTooLarge { wanted, all })?)
        };
        let mut cutter = Cutter::new(std::iter::empty(), 0);
        let mut begin = 0;
        for number in 0..self.pieces.len() {
            let piece = self.pieces.get(number);
            for (first, last) in kept.runs(begin, begin.saturating_add(piece.count - 1)) {
                let (first, last) = (piece.first + (first - begin), piece.first + (last - begin));
                cutter.push(Span { first, last, owner: piece.owner });
            }
            // A set of all that there is has one address more than can be counted.
            begin = begin.saturating_add(piece.count);
        }
        let (mut pieces, _) = cutter.finish();
        pieces.shrink();
        let names = self.names.iter().zip(begin..);
        let names = names.filter(|(_, rank)| kept.runs(*rank, *rank).next().is_some());
        Ok(Arc::new(Self {
            pieces,
            entries: self.entries.clone(),
            names: names.map(|(entry, _)| entry.clone()).collect(),
            removed: self.removed.clone(),
            exclusions: Arc::clone(&self.exclusions),
            digest: digest(self.digest, wanted),
        }))
    }
}

/// That of the set, and how much of it is wanted; which of it, the seed says, and that is known beside the
/// digest.
fn digest(set: u128, wanted: u128) -> u128 {
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    let mixed = |salt: u64| {
        let wanted = mix(half(wanted) ^ OWN, half(wanted >> 64));
        u128::from(mix(half(set) ^ salt, half(set >> 64) ^ wanted))
    };
    mixed(1) << 64 | mixed(2)
}

/// Which numbers are kept; ascending.
enum Kept {
    Drawn(Vec<u128>),
    /// All but these.
    Others(Vec<u128>),
}

impl Kept {
    /// The runs of neighbouring numbers that are kept from one to another.
    fn runs(&self, from: u128, to: u128) -> impl Iterator<Item = (u128, u128)> + '_ {
        let (Self::Drawn(numbers) | Self::Others(numbers)) = self;
        let start = numbers.partition_point(|number| *number < from);
        let end = numbers.partition_point(|number| *number <= to);
        let mut numbers = numbers[start..end].iter().copied().peekable();
        let mut next = Some(from);
        std::iter::from_fn(move || match self {
            Self::Drawn(_) => {
                let first = numbers.next()?;
                let mut last = first;
                while numbers.next_if_eq(&(last + 1)).is_some() {
                    last += 1;
                }
                Some((first, last))
            }
            Self::Others(_) => loop {
                let first = next?;
                let hole = numbers.next();
                next = hole.map(|hole| hole + 1).filter(|next| *next <= to);
                let last = match hole {
                    None => to,
                    Some(hole) if hole == first => continue,
                    Some(hole) => hole - 1,
                };
                return Some((first, last));
            },
        })
    }
}

/// So many different numbers below `all`, ascending; each set of so many is as likely as any other.
fn draw(count: u128, all: u128, seed: u64) -> Option<Vec<u128>> {
    let count = usize::try_from(count).ok().filter(|_| count <= MOST_DRAWN)?;
    let mut numbers: Vec<u128> = Vec::with_capacity(count);
    let mut place = 0;
    while numbers.len() < count {
        // What was drawn twice is drawn again.
        for _ in numbers.len()..count {
            numbers.push(below(all, seed, place));
            place += 1;
        }
        numbers.sort_unstable();
        numbers.dedup();
    }
    Some(numbers)
}

/// A number below `all`.
fn below(all: u128, seed: u64, place: u64) -> u128 {
    let high = u128::from(mix(seed ^ OWN, place));
    if all <= 1 << 64 {
        // The odds differ by one part in 2^64 / all.
        return (high * all) >> 64;
    }
    let low = u128::from(mix(!seed ^ OWN, place));
    (high << 64 | low) % all
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::targets::{BadLines, ExclusionsBuilder, Order, ReservedPolicy, Shard, TargetSetBuilder};

    fn set(list: &str) -> Arc<TargetSet> {
        let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
        let mut builder = TargetSetBuilder::new();
        builder.read(list.as_bytes(), "yes.txt", BadLines::Stop, &mut |_| ()).unwrap();
        Arc::new(builder.build(exclusions).unwrap())
    }

    /// Every target of a set, by its text.
    fn targets(set: &Arc<TargetSet>) -> Vec<String> {
        let order = Order::new(Arc::clone(set), 1, Shard::WHOLE);
        let mut all: Vec<String> = order.iter_from(0).map(|visit| visit.ip.to_string()).collect();
        all.extend(set.names().iter().map(|entry| entry.kind.to_string()));
        all.sort_unstable();
        all
    }

    /// Five /24s, four neighbours in one entry, ten single addresses, a piece of IPv6, and four names.
    fn mixed() -> String {
        let mut lines = String::new();
        for third in [0, 7, 30, 90, 200] {
            writeln!(lines, "198.18.{third}.0/24").unwrap();
        }
        lines.push_str("198.18.64.0/22\n");
        for single in 0..10 {
            writeln!(lines, "192.0.2.{}", 3 + 20 * single).unwrap();
        }
        lines + "2001:db8::/122\na.example.org\nb.example.org\nmx:example.org\nc.example.org\n"
    }

    #[test]
    fn sizes_are_numbers_or_shares() {
        for (text, all, count) in [
            ("0", 10, 0),
            ("3", 10, 3),
            ("11", 10, 10),
            ("340282366920938463463374607431768211455", u128::MAX, u128::MAX),
            ("100%", 10, 10),
            ("100%", u128::MAX, u128::MAX),
            ("10%", 10, 1),
            ("10%", 11, 2),
            ("2.5%", 1000, 25),
            ("0.0001%", 1_000_000, 1),
            ("50%", u128::MAX - 1, u128::MAX / 2),
            ("1%", 0, 0),
        ] {
            assert_eq!(text.parse::<SampleSize>().map(|size| size.of(all)), Ok(count), "{text} of {all}");
        }
        for wrong in [
            "",
            "%",
            "-1",
            "+1",
            "1.5",
            "many",
            "0%",
            "0.0000%",
            "101%",
            "100.0001%",
            "1.%",
            ".5%",
            "1.00001%",
            "1 %",
        ] {
            assert_eq!(wrong.parse::<SampleSize>(), Err(SampleSizeError), "{wrong}");
        }
    }

    #[test]
    fn a_sample_holds_so_many_different_targets_of_the_set() {
        let set = set(&mixed());
        let all = targets(&set);
        for wanted in (0..=all.len()).step_by(97).chain([1, 2, all.len() - 1, all.len(), all.len() + 1]) {
            let sample = set.sample(SampleSize::Targets(wanted as u128), 7).unwrap();
            let drawn = targets(&sample);
            assert_eq!(drawn.len(), wanted.min(all.len()));
            assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
            assert!(drawn.iter().all(|target| all.binary_search(target).is_ok()), "{wanted}");
            let asked = |ip: &str| ip.parse().ok().and_then(|ip| Some(set.asked(ip, set.owner(ip)?)));
            let asked_of =
                |ip: &str| ip.parse().ok().and_then(|ip| Some(sample.asked(ip, sample.owner(ip)?)));
            assert!(drawn.iter().all(|target| asked(target) == asked_of(target)), "the entry stays");
        }
    }

    /// The goodness of fit of the counts of so many equally likely targets, each sample without putting back.
    fn chi_squared(counts: &[u32], samples: u32, wanted: usize) -> f64 {
        let expected = f64::from(samples) * wanted as f64 / counts.len() as f64;
        let variance = expected * (1.0 - wanted as f64 / counts.len() as f64);
        counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / variance).sum()
    }

    #[test]
    fn single_addresses_prefixes_and_names_are_equally_likely() {
        let set = set(&mixed());
        let all = targets(&set);
        for (wanted, samples) in [(16, 4000), (100, 2000), (1500, 200)] {
            let mut counts = vec![0; all.len()];
            for seed in 0..samples {
                let sample = set.sample(SampleSize::Targets(wanted as u128), u64::from(seed)).unwrap();
                for target in targets(&sample) {
                    counts[all.binary_search(&target).unwrap()] += 1;
                }
            }
            // Of so many degrees of freedom the mean, and five deviations on either side.
            let (freedom, fit) = ((all.len() - 1) as f64, chi_squared(&counts, samples, wanted));
            let deviation = (2.0 * freedom).sqrt();
            assert!((fit - freedom).abs() < 5.0 * deviation, "{wanted}: {fit} of {freedom} ± {deviation}");
            let expected = f64::from(samples) * wanted as f64 / all.len() as f64;
            for kind in ["192.0.2.", "example.org", "2001:db8::", "198.18.0.", "198.18.200.", "198.18.66."] {
                let of_kind = all.iter().zip(&counts).filter(|(target, _)| target.contains(kind));
                let (number, sum) = of_kind
                    .fold((0.0, 0.0), |(number, sum), (_, count)| (number + 1.0, sum + f64::from(*count)));
                let error = (sum / (number * expected) - 1.0).abs();
                assert!(error < 5.0 / (number * expected).sqrt(), "{wanted}: `{kind}` is off by {error}");
            }
        }
    }

    #[test]
    fn pairs_are_as_likely_as_they_should_be() {
        let set = set("192.0.2.0/29\n198.51.100.1\na.example.org\n");
        let all = targets(&set);
        let mut pairs = std::collections::HashMap::new();
        for seed in 0..9000 {
            *pairs.entry(targets(&set.sample(SampleSize::Targets(2), seed).unwrap())).or_insert(0_u32) += 1;
        }
        let number = all.len() * (all.len() - 1) / 2;
        assert_eq!(pairs.len(), number);
        let expected = 9000.0 / number as f64;
        let fit: f64 = pairs.values().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
        let freedom = (number - 1) as f64;
        assert!((fit - freedom).abs() < 5.0 * (2.0 * freedom).sqrt(), "{fit} of {freedom}");
    }

    #[test]
    fn the_shards_of_a_sample_add_up_to_it() {
        let set = set(&mixed());
        for (wanted, shards) in [(16, 4), (300, 3), (1500, 7)] {
            let sample = || set.sample(SampleSize::Targets(wanted), 11).unwrap();
            let mut drawn = Vec::new();
            for number in 1..=shards {
                let order = Order::new(sample(), 11, Shard::new(number, shards).unwrap());
                drawn.extend(order.iter_from(0).map(|visit| visit.ip));
            }
            let mut whole: Vec<_> =
                Order::new(sample(), 11, Shard::WHOLE).iter_from(0).map(|visit| visit.ip).collect();
            whole.sort_unstable();
            drawn.sort_unstable();
            assert_eq!(drawn, whole);
        }
    }

    #[test]
    fn a_digest_tells_samples_apart_and_large_sets_are_sampled_too() {
        let all = set("0.0.0.0/0\n::/0\na.example.org\n");
        let few = all.sample(SampleSize::Targets(1000), 3).unwrap();
        assert_eq!(few.len() + few.names().len() as u128, 1000);
        let more = all.sample(SampleSize::Targets(1001), 3).unwrap();
        assert!(few.digest() != all.digest() && few.digest() != more.digest());
        assert_eq!(few.digest(), all.sample(SampleSize::Targets(1000), 3).unwrap().digest());
        let wrong = all.sample("50%".parse().unwrap(), 3).unwrap_err().to_string();
        assert!(wrong.contains("is too large to be drawn; ask for at most 16777216"), "{wrong}");
    }
}
