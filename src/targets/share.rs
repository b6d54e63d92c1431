//! Which shard speaks to an address that a host name led to.
//!
//! An address of the set belongs to the shard that the order gives its block to. Any other address goes with
//! the block's shard too if the set has a part of that block, so that the pace of a network holds without a
//! word between machines; else a hash of the block and the seed decides, which is the same on all machines.

use std::net::IpAddr;
use std::sync::Arc;

use crate::targets::order::Order;
use crate::targets::scatter::mix;
use crate::targets::span::{self, Family};

/// Tells a shard's addresses from those of others.
#[derive(Debug)]
pub struct Share {
    order: Arc<Order>,
    /// The places of blocks that are not whole in the order's tables, sorted by their first piece.
    by_piece: Vec<u32>,
}

impl Share {
    /// The share of an order's shard. Takes 4 bytes for each block that is not whole, or nothing for a scan
    /// without shards.
    pub fn new(order: Arc<Order>) -> Self {
        let mut by_piece = Vec::new();
        if order.shard().count() > 1 {
            // A set has fewer than 2^32 pieces.
            by_piece.extend(0..u32::try_from(order.parts()).unwrap_or(u32::MAX));
            by_piece.sort_unstable_by_key(|&number| order.part(number as usize).map(|(piece, _)| piece));
        }
        Self { order, by_piece }
    }

    /// Whether this shard speaks to an address.
    pub fn has(&self, ip: IpAddr) -> bool {
        let shard = self.order.shard();
        shard.count() == 1 || shard.has(self.place(ip))
    }

    /// The place of an address's block in the row of all shards; for blocks without a place, a number like
    /// one.
    fn place(&self, ip: IpAddr) -> u64 {
        let key = span::key(ip.to_canonical());
        let family = Family::of(key);
        let block = key >> family.block_bits();
        let hashed = || {
            // A block's number has at most 48 bits.
            let number = u64::try_from(block).unwrap_or(u64::MAX);
            mix(mix(self.order.seed(), 5), number)
        };
        self.order.place_of_whole(key).or_else(|| self.place_of_part(key, family)).unwrap_or_else(hashed)
    }

    fn place_of_part(&self, key: u128, family: Family) -> Option<u64> {
        let first = u32::try_from(self.order.first_piece_of_block(key, family)?).ok()?;
        let piece = |number: u32| self.order.part(number as usize).map(|(piece, _)| piece);
        let at = self.by_piece.binary_search_by_key(&Some(first), |&number| piece(number)).ok()?;
        self.order.part(*self.by_piece.get(at)? as usize).map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::{ExclusionsBuilder, ReservedPolicy, Shard, TargetSetBuilder};

    fn shares(targets: &[&str], count: u32) -> Vec<Share> {
        let mut builder = TargetSetBuilder::new();
        for target in targets {
            builder.argument(target).unwrap();
        }
        let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
        let set = Arc::new(builder.build(exclusions).unwrap());
        (1..=count)
            .map(|number| {
                let shard = Shard::new(number, count).unwrap();
                Share::new(Arc::new(Order::new(Arc::clone(&set), 7, shard)))
            })
            .collect()
    }

    const SET: [&str; 7] = [
        "198.18.0.0/20",
        "198.18.64.0/26",
        "198.18.65.9",
        "198.18.65.77",
        "203.0.113.7",
        "2001:db8:1::/120",
        "2001:db8:2::/47",
    ];

    #[test]
    fn each_address_of_the_set_is_its_orders_shards() {
        for count in [1, 2, 3, 7] {
            for share in shares(&SET, count) {
                let order = &share.order;
                let own = order.iter_from(0).take(5000).all(|visit| share.has(visit.ip));
                assert!(own, "of {count}");
            }
        }
    }

    #[test]
    fn each_other_address_is_one_shards_and_goes_with_its_block() {
        let outside = (0..200u8).flat_map(|at| {
            let v6 = format!("2001:db8:{:x}::1", 0x100 + u16::from(at));
            [format!("192.0.{at}.9").parse().unwrap(), v6.parse().unwrap()]
        });
        let outside: Vec<IpAddr> = outside.collect();
        let shares = shares(&SET, 3);
        let holders = |ip: IpAddr| (0..3).filter(|&at| shares[at].has(ip)).collect::<Vec<_>>();
        let mut counts = [0; 3];
        for &ip in &outside {
            let holders = holders(ip);
            assert_eq!(holders.len(), 1, "{ip}");
            counts[holders[0]] += 1;
        }
        assert!(counts.iter().all(|&count| count > 80), "{counts:?}");
        for (one, other) in [
            ("192.0.9.9", "192.0.9.200"),
            ("198.18.64.1", "198.18.64.200"),
            ("198.18.65.9", "198.18.65.10"),
            ("203.0.113.7", "203.0.113.250"),
            ("2001:db8:1::1", "2001:db8:1:ffff::1"),
        ] {
            assert_eq!(holders(one.parse().unwrap()), holders(other.parse().unwrap()), "{one} {other}");
        }
    }
}
