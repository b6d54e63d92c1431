//! The order of a scan: laps over the networks that the set touches, each network once a lap.
//!
//! Blocks are the /24s and /48s in which networks are paced. They stand in one row, those with more targets
//! first, and lap *l* visits the blocks that have more than *l* targets: a front part of the row. So a block
//! stands at the same place in every lap, and while a lap takes as long as a block has to rest, no block is
//! visited too soon: the order keeps the pace of each network, without a table of them.
//!
//! Ten targets in four blocks, A with four, B with three, C with two, D with one:
//!
//! ```text
//! turn   0 1 2 3 | 4 5 6 | 7 8 | 9       steps:  from lap 0, 4 blocks, turn 0
//! block  A B C D | A B C | A B | A               from lap 1, 3 blocks, turn 4
//! lap    0       | 1     | 2   | 3               from lap 2, 2 blocks, turn 7; from lap 3, 1 block, turn 9
//! ```
//!
//! The steps are all that is needed to find a turn: turn 5 is one turn behind turn 4, where laps of three
//! blocks begin, so it is lap 1 + 1 / 3 = 1 and place 1 % 3 = 1, block B. Which of B's three is visited in
//! lap 1 is a stride around them ([`super::scatter`]). Of two shards, the first has the places 0, 2, 4 … of
//! the row: here A and C.
//!
//! The row has four sections: whole IPv6 blocks, parts of IPv6 blocks with more targets than a whole IPv4
//! block, whole IPv4 blocks, all other parts. Whole blocks are visited by a golden stride around them, so
//! neighbours on the net are far apart in time; parts stand in a table, shuffled by the seed among those of
//! one size.

use std::net::IpAddr;
use std::sync::Arc;

use crate::targets::laps::{Step, find_steps};
use crate::targets::parts::{Part, find_parts};
use crate::targets::scatter::{
    in_v4_block, in_v6_block, lap_in_v4_block, lap_in_v6_block, lap_on_circle, mix, on_circle,
};
use crate::targets::set::{EntryRef, TargetSet};
use crate::targets::shard::Shard;
use crate::targets::span::{self, Family};
use crate::targets::whole::{Block, Whole};

/// One turn: the target that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Its number, from zero, within the shard.
    pub turn: u128,
    /// The target.
    pub ip: IpAddr,
    /// The entry of the set that it came from.
    pub entry: EntryRef,
}

/// The order of one shard of a set. Set, seed and shard give the same order on every machine and in every
/// version.
#[derive(Debug)]
pub struct Order {
    set: Arc<TargetSet>,
    seed: u64,
    shard: Shard,
    whole_v6: Whole,
    large: Vec<Part>,
    whole_v4: Whole,
    small: Vec<Part>,
    /// Where in the row each section ends.
    ends: [u64; 4],
    steps: Vec<Step>,
    len: u128,
}

/// Where a turn is.
pub(super) struct Spot {
    pub(super) step: usize,
    pub(super) lap: u128,
    /// In the row of all shards.
    pub(super) place: u64,
}

impl Order {
    /// The order of a shard. Takes time and memory in proportion to the pieces of the set, not to its
    /// addresses.
    pub fn new(set: Arc<TargetSet>, seed: u64, shard: Shard) -> Self {
        let pieces = set.pieces();
        let (large, small) = find_parts(pieces, [mix(seed, 1), mix(seed, 2)]);
        let whole_v6 = Whole::of(pieces, Family::V6, mix(seed, 3));
        let whole_v4 = Whole::of(pieces, Family::V4, mix(seed, 4));

        let lengths = [whole_v6.count(), large.len() as u64, whole_v4.count(), small.len() as u64];
        let mut ends = [0; 4];
        let mut end = 0;
        for (at, length) in ends.iter_mut().zip(lengths) {
            end += length;
            *at = end;
        }
        let sizes = small.iter().rev().map(|part| (part.size(pieces), 1));
        let sizes = sizes.chain([(Family::V4.block_size(), whole_v4.count())]);
        let sizes = sizes.chain(large.iter().rev().map(|part| (part.size(pieces), 1)));
        let sizes = sizes.chain([(Family::V6.block_size(), whole_v6.count())]);
        let (steps, len) = find_steps(sizes, end, shard);
        Self { set, seed, shard, whole_v6, large, whole_v4, small, ends, steps, len }
    }

    /// How many turns the shard has; ports are not counted.
    pub fn len(&self) -> u128 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The set that is drawn from.
    pub fn set(&self) -> &Arc<TargetSet> {
        &self.set
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The shard.
    pub fn shard(&self) -> Shard {
        self.shard
    }

    /// How many blocks of this shard the lap of a turn visits; none behind the last turn.
    pub fn lap_blocks(&self, turn: u128) -> u64 {
        self.spot(turn).map_or(0, |spot| self.steps[spot.step].own)
    }

    /// The visit of a turn; a few divisions.
    pub fn nth(&self, turn: u128) -> Option<Visit> {
        let spot = self.spot(turn)?;
        let (v4, v6) = (&self.whole_v4, &self.whole_v6);
        let (ip, entry) = match self.section(spot.place) {
            (Section::WholeV6, at) => self.visit_whole(Family::V6, v6.at(at), spot.lap),
            (Section::WholeV4, at) => self.visit_whole(Family::V4, v4.at(at), spot.lap),
            (section, at) => self.visit_part(section, at, spot.lap),
        };
        Some(Visit { turn, ip, entry })
    }

    /// The turn of an address; `None` if it is no target of this shard. Looks through the parts of equal
    /// size.
    pub fn turn_of(&self, ip: IpAddr) -> Option<u128> {
        let key = span::key(ip);
        let pieces = self.set.pieces();
        let number = pieces.find(key)?;
        let family = Family::of(key);
        let (place, lap) = if pieces.get(number).count >= family.block_size() {
            self.find_in_whole(family, key)?
        } else {
            self.find_in_part(family, key, number)?
        };
        if !self.shard.has(place) {
            return None;
        }
        let step = self.steps.get(self.steps.partition_point(|step| step.lap <= lap).checked_sub(1)?)?;
        let first_turn = step.turn + (lap - step.lap) * u128::from(step.own);
        let turn = first_turn + u128::from(self.own_place(place));
        (turn < self.len).then_some(turn)
    }

    /// The place of a block in the row of all shards, if the set has all of it; by any of its keys.
    pub(super) fn place_of_whole(&self, key: u128) -> Option<u64> {
        let (family, pieces) = (Family::of(key), self.set.pieces());
        let is_whole = pieces.get(pieces.find(key)?).count >= family.block_size();
        is_whole.then(|| self.find_in_whole(family, key)).flatten().map(|(place, _)| place)
    }

    /// The first of the pieces that the set has of a block that is not whole.
    pub(super) fn first_piece_of_block(&self, key: u128, family: Family) -> Option<usize> {
        let within = family.block_size() - 1;
        let pieces = self.set.pieces();
        let first = pieces.first_from(key & !within);
        (first < pieces.first_behind(key | within)).then_some(first)
    }

    /// How many blocks are not whole.
    pub(super) fn parts(&self) -> usize {
        self.large.len() + self.small.len()
    }

    /// One of them: its first piece, and its place in the row of all shards.
    pub(super) fn part(&self, number: usize) -> Option<(u32, u64)> {
        match number.checked_sub(self.large.len()) {
            None => self.large.get(number).map(|part| (part.piece, self.ends[0] + number as u64)),
            Some(small) => self.small.get(small).map(|part| (part.piece, self.ends[2] + small as u64)),
        }
    }

    /// A place in the row of all shards, as one in this shard's row.
    fn own_place(&self, place: u64) -> u64 {
        (place - self.shard.first()) / u64::from(self.shard.count())
    }

    pub(super) fn spot(&self, turn: u128) -> Option<Spot> {
        if turn >= self.len {
            return None;
        }
        let at = self.steps.partition_point(|step| step.turn <= turn).checked_sub(1)?;
        let step = &self.steps[at];
        let (behind, own) = (turn - step.turn, u128::from(step.own));
        let own_place = behind % own;
        // A place in a row of fewer than 2^64.
        let own_place = u64::try_from(own_place).unwrap_or(0);
        let place = self.shard.first() + own_place * u64::from(self.shard.count());
        Some(Spot { step: at, lap: step.lap + behind / own, place })
    }

    fn find_in_whole(&self, family: Family, key: u128) -> Option<(u64, u128)> {
        let number = u64::try_from(key >> family.block_bits()).ok()?;
        let offset = key & (family.block_size() - 1);
        let start = self.start_in(Block { number, owner: 0 });
        Some(match family {
            Family::V4 => {
                let place = self.ends[1] + self.whole_v4.place_of(self.whole_v4.index_of(number)?);
                (place, u128::from(lap_in_v4_block(u64::try_from(offset).ok()?, start)))
            }
            Family::V6 => {
                (self.whole_v6.place_of(self.whole_v6.index_of(number)?), lap_in_v6_block(offset, start))
            }
        })
    }

    fn find_in_part(&self, family: Family, key: u128, number: usize) -> Option<(u64, u128)> {
        let pieces = self.set.pieces();
        let within = family.block_size() - 1;
        let first = pieces.first_from(key & !within);
        let end = pieces.first_behind(key | within);
        let size = pieces.count(first, end - first);
        let (section, base) = if size > Family::V4.block_size() {
            (&self.large, self.ends[0])
        } else {
            (&self.small, self.ends[2])
        };
        let low = section.partition_point(|part| part.size(pieces) > size);
        let high = low + section[low..].partition_point(|part| part.size(pieces) == size);
        let at = low + section[low..high].iter().position(|part| part.piece as usize == first)?;
        let rank = pieces.before(number) - pieces.before(first) + (key - pieces.get(number).first);
        Some((base + at as u64, lap_on_circle(rank, self.start_in_part(section[at]), size)))
    }

    fn start_in(&self, block: Block) -> u64 {
        mix(self.seed, block.number)
    }

    fn start_in_part(&self, part: Part) -> u64 {
        mix(!self.seed, part.piece.into())
    }
}

/// The walk's side of the order: what [`Turns`] needs to go on without dividing.
impl Order {
    pub(super) fn ends(&self) -> [u64; 4] {
        self.ends
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(super) fn whole(&self, family: Family) -> &Whole {
        match family {
            Family::V4 => &self.whole_v4,
            Family::V6 => &self.whole_v6,
        }
    }

    /// The section in which a place of the row lies, and how far within.
    pub(super) fn section(&self, place: u64) -> (Section, u64) {
        let [v6, large, v4, _] = self.ends;
        if place < v6 {
            (Section::WholeV6, place)
        } else if place < large {
            (Section::Large, place - v6)
        } else if place < v4 {
            (Section::WholeV4, place - large)
        } else {
            (Section::Small, place - v4)
        }
    }

    /// The visit of a whole block, by its number among them.
    pub(super) fn visit_whole(&self, family: Family, index: u64, lap: u128) -> (IpAddr, EntryRef) {
        let (block, offset) = match family {
            Family::V4 => {
                let block = self.whole_v4.block(index);
                // A whole IPv4 block has 256 laps.
                (block, u128::from(in_v4_block(u64::try_from(lap).unwrap_or(0), self.start_in(block))))
            }
            Family::V6 => {
                let block = self.whole_v6.block(index);
                (block, in_v6_block(lap, self.start_in(block)))
            }
        };
        let key = u128::from(block.number) << family.block_bits() | offset;
        (span::address(key), EntryRef::of_owner(block.owner))
    }

    /// The visit of a part of a block, by its number in its section.
    pub(super) fn visit_part(&self, section: Section, number: u64, lap: u128) -> (IpAddr, EntryRef) {
        let pieces = self.set.pieces();
        let parts = if section == Section::Large { &self.large } else { &self.small };
        // A place within a table that is in memory.
        let part = parts[usize::try_from(number).unwrap_or(usize::MAX)];
        let rank = on_circle(lap, self.start_in_part(part), part.size(pieces));
        let (at, key) = pieces.nth(part.piece as usize, part.pieces as usize, rank);
        (span::address(key), EntryRef::of_owner(pieces.owner(at)))
    }
}

/// The sections of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    WholeV6,
    /// Parts of IPv6 blocks with more targets than a whole IPv4 block.
    Large,
    WholeV4,
    /// All other parts.
    Small,
}

#[cfg(test)]
mod tests;
