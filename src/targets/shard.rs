//! Which part of a scan this machine does. Blocks are dealt out one by one, so all addresses of a /24 or /48
//! belong to one machine and its pace holds without a word between machines.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The most parts: more machines than blocks of a large scan make no sense.
pub const MAX_SHARDS: u32 = 65_536;

/// One part of several, written `K/N` and counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    /// From zero.
    index: u32,
    count: NonZeroU32,
}

/// Why a text is not a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// Not two numbers with a slash between.
    #[error("is not a shard; write `2/3` for the second of three")]
    Syntax,
    /// `0/3`, `4/3`, `1/0`.
    #[error("is no shard of {0}; the first is `1/{0}`, the last `{0}/{0}`")]
    Outside(u32),
    /// Over [`MAX_SHARDS`].
    #[error("has more than 65536 shards")]
    TooMany,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, count: NonZeroU32::MIN };

    /// Part `number` of `count`, from one.
    pub fn new(number: u32, count: u32) -> Result<Self, ShardError> {
        if count > MAX_SHARDS {
            return Err(ShardError::TooMany);
        }
        let count = NonZeroU32::new(count).ok_or(ShardError::Syntax)?;
        match number.checked_sub(1) {
            Some(index) if index < count.get() => Ok(Self { index, count }),
            _ => Err(ShardError::Outside(count.get())),
        }
    }

    /// Its number, from one.
    pub fn number(self) -> u32 {
        self.index + 1
    }

    /// How many there are.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// Whether something that stands at a place, from zero, in a row known to all shards is this one's.
    pub fn has(self, place: u64) -> bool {
        place % u64::from(self.count.get()) == u64::from(self.index)
    }

    /// How many of the first `places` are this one's.
    pub(super) fn share(self, places: u64) -> u64 {
        let (index, count) = (u64::from(self.index), u64::from(self.count.get()));
        (places + count - 1 - index) / count
    }

    /// The place of the first that is this one's; the others follow each [`Shard::count`] places.
    pub(super) fn first(self) -> u64 {
        u64::from(self.index)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u32>().ok().filter(|_| digits).ok_or(ShardError::Syntax)
        };
        let (shard, count) = text.split_once('/').ok_or(ShardError::Syntax)?;
        Self::new(number(shard)?, number(count)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number(), self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_read_and_written() {
        for text in ["1/1", "1/3", "3/3", "65536/65536"] {
            assert_eq!(text.parse::<Shard>().map(|s| s.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("1/1".parse(), Ok(Shard::WHOLE));
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for (text, error) in [
            ("", ShardError::Syntax),
            ("2", ShardError::Syntax),
            ("/", ShardError::Syntax),
            ("a/3", ShardError::Syntax),
            ("+1/3", ShardError::Syntax),
            ("1/3/4", ShardError::Syntax),
            ("-1/3", ShardError::Syntax),
            ("1/0", ShardError::Syntax),
            ("0/3", ShardError::Outside(3)),
            ("4/3", ShardError::Outside(3)),
            ("1/65537", ShardError::TooMany),
            ("1/99999999999", ShardError::Syntax),
        ] {
            assert_eq!(text.parse::<Shard>(), Err(error), "{text}");
        }
    }

    #[test]
    fn each_place_is_one_shards() {
        for count in 1..6 {
            for places in 0..20 {
                let shards: Vec<_> = (1..=count).map(|n| Shard::new(n, count).unwrap()).collect();
                assert_eq!(shards.iter().map(|s| s.share(places)).sum::<u64>(), places);
                for place in 0..places {
                    assert_eq!(shards.iter().filter(|s| s.has(place)).count(), 1);
                }
                for shard in shards {
                    assert_eq!((0..places).filter(|p| shard.has(*p)).count() as u64, shard.share(places));
                }
            }
        }
    }
}
