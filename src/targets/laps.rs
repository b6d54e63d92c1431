//! How many blocks each lap visits: a step for each size of block.

use crate::targets::shard::Shard;

/// From which lap on the laps have so many blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) lap: u128,
    /// Of all shards.
    pub(super) blocks: u64,
    /// Of this shard.
    pub(super) own: u64,
    /// This shard's turns in all laps before.
    pub(super) turn: u128,
}

/// The steps of a row of blocks, of which sizes come in ascending order, each with how many blocks have it.
pub(super) fn find_steps(
    sizes: impl Iterator<Item = (u128, u64)>,
    blocks: u64,
    shard: Shard,
) -> (Vec<Step>, u128) {
    let mut steps: Vec<Step> = Vec::new();
    let (mut lap, mut turn, mut blocks) = (0, 0, blocks);
    for (size, count) in sizes.filter(|&(_, count)| count > 0) {
        if size > lap {
            let own = shard.share(blocks);
            steps.push(Step { lap, blocks, own, turn });
            turn += (size - lap) * u128::from(own);
            lap = size;
        }
        blocks -= count;
    }
    steps.shrink_to_fit();
    (steps, turn)
}
