//! All of IPv4 less 100,000 excluded prefixes: the largest set that there is, with the longest list of
//! opt-outs.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

use banneret::targets::{
    BadLines, Exclusions, ExclusionsBuilder, ReservedPolicy, TargetSet, TargetSetBuilder,
};

/// Chance that is the same in each run (an LCG of Knuth's).
pub fn chance(count: u64) -> impl Iterator<Item = u32> {
    (0..count).scan(0x5eed_u64, |state, _| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(*state >> 32).ok()
    })
}

/// 100,000 prefixes of 16 to 32 bits, mostly short of a /24.
pub fn opt_outs() -> String {
    chance(100_000).fold(String::new(), |mut list, number| {
        let length = 32 - (number & 0xff).trailing_ones();
        let length = if number % 16 == 0 { 16 + length % 8 } else { length };
        let network = u64::from(number) >> (32 - length) << (32 - length);
        let _ = writeln!(list, "{}/{length}", Ipv4Addr::from_bits(u32::try_from(network).unwrap_or(0)));
        list
    })
}

pub fn exclusions(list: &str) -> Arc<Exclusions> {
    let mut builder = ExclusionsBuilder::new(ReservedPolicy::Exclude);
    builder.read(list.as_bytes(), "opt-outs.txt").expect("the list is sound");
    Arc::new(builder.build())
}

pub fn set(list: &str, exclusions: &Arc<Exclusions>) -> TargetSet {
    let mut builder = TargetSetBuilder::new();
    builder.read(list.as_bytes(), "targets.txt", BadLines::Stop, &mut |_| ()).expect("the list is sound");
    builder.build(Arc::clone(exclusions)).expect("the set is small enough")
}
