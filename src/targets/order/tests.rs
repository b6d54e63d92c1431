//! What the order promises, over sets of every shape.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::prefix::Prefix;
use crate::targets::{BadLines, ExclusionsBuilder, ReservedPolicy, TargetSetBuilder};

fn set(list: &str, excluded: &str) -> Arc<TargetSet> {
    let mut exclusions = ExclusionsBuilder::new(ReservedPolicy::Allow);
    exclusions.read(excluded.as_bytes(), "no.txt").unwrap();
    let mut builder = TargetSetBuilder::new();
    builder.read(list.as_bytes(), "yes.txt", BadLines::Stop, &mut |_| ()).unwrap();
    Arc::new(builder.build(Arc::new(exclusions.build())).unwrap())
}

fn addresses(set: &TargetSet) -> HashSet<IpAddr> {
    set.pieces().iter().flat_map(|piece| piece.first..=piece.last()).map(span::address).collect()
}

/// With `n` blocks in a lap, a visit lasts 1/n: then each block comes once in a time of 1 or more.
fn check_pace(order: &Order) {
    let (mut clock, mut due) = (0.0, HashMap::new());
    let mut turns = order.iter_from(0);
    loop {
        let blocks = turns.lap_blocks();
        let Some(visit) = turns.next() else { return };
        let block = Prefix::group(visit.ip);
        if let Some(due) = due.insert(block, clock + 1.0) {
            assert!(clock > due - 1e-6, "{block} comes {} too soon, at turn {}", due - clock, visit.turn);
        }
        clock += 1.0 / blocks as f64;
    }
}

/// All that holds for each shard of a set that is small enough to be listed.
fn check(set: &Arc<TargetSet>, seed: u64, shards: u32) {
    let wanted = addresses(set);
    let mut drawn = HashSet::new();
    let mut owner_of_block = HashMap::new();
    for number in 1..=shards {
        let order = Order::new(Arc::clone(set), seed, Shard::new(number, shards).unwrap());
        let visits: Vec<Visit> = order.iter_from(0).collect();
        assert_eq!(visits.len() as u128, order.len());
        check_pace(&order);
        let mut turns = order.iter_from(0);
        for (turn, visit) in visits.iter().enumerate() {
            let turn = turn as u128;
            assert_eq!(visit.turn, turn);
            assert!(drawn.insert(visit.ip), "{} twice", visit.ip);
            assert_eq!(set.owner(visit.ip), Some(visit.entry), "{}", visit.ip);
            assert_eq!(order.nth(turn), Some(*visit));
            assert_eq!(order.turn_of(visit.ip), Some(turn), "{}", visit.ip);

            let blocks = turns.lap_blocks();
            assert_eq!(order.lap_blocks(turn), blocks);
            assert_eq!(turns.next(), Some(*visit));
            let block = Prefix::group(visit.ip);
            assert!(*owner_of_block.entry(block).or_insert(number) == number, "{block} in two shards");
        }
        assert_eq!(turns.lap_blocks(), 0);
        assert_eq!((order.nth(order.len()), turns.next()), (None, None));
        for from in [
            0,
            1,
            order.len() / 3,
            order.len() / 2,
            order.len().saturating_sub(1),
            order.len(),
            order.len() + 7,
        ] {
            let skipped = usize::try_from(from).unwrap().min(visits.len());
            assert!(order.iter_from(from).eq(visits[skipped..].iter().copied()), "from {from}");
        }
    }
    assert_eq!(drawn, wanted);
}

#[test]
fn ten_targets_in_four_blocks_are_drawn_as_the_text_says() {
    let set = set("192.0.2.0/30\n198.51.100.1-198.51.100.3\n203.0.113.0/31\n2001:db8::1", "");
    let order = Order::new(Arc::clone(&set), 1, Shard::WHOLE);
    let names =
        [("192.0.2.0/24", 'A'), ("198.51.100.0/24", 'B'), ("203.0.113.0/24", 'C'), ("2001:db8::/48", 'D')];
    let name = |ip| names.iter().find(|(block, _)| Prefix::group(ip).to_string() == *block).unwrap().1;
    let drawn = |order: &Order| order.iter_from(0).map(|visit| name(visit.ip)).collect::<String>();
    assert_eq!(drawn(&order), "ABCDABCABA");
    let steps: Vec<_> = order.steps.iter().map(|step| (step.lap, step.blocks, step.turn)).collect();
    assert_eq!(steps, [(0, 4, 0), (1, 3, 4), (2, 2, 7), (3, 1, 9)]);
    let spot = order.spot(5).unwrap();
    assert_eq!((spot.lap, spot.place), (1, 1));
    assert_eq!(drawn(&Order::new(Arc::clone(&set), 1, "1/2".parse().unwrap())), "ACACAA");
    assert_eq!(drawn(&Order::new(set, 1, "2/2".parse().unwrap())), "BDBB");
}

#[test]
fn every_target_is_drawn_once_and_no_network_too_soon() {
    for (list, excluded) in [
        ("", ""),
        ("192.0.2.7", ""),
        ("2001:db8::7", ""),
        ("192.0.2.0/24", ""),
        ("192.0.2.0/23\n198.51.100.0/22", ""),
        ("192.0.0.0/20", "192.0.2.0/24\n192.0.7.9\n192.0.8.0-192.0.9.77"),
        ("192.0.2.0/24\n192.0.2.128/25\n192.0.3.0/24", ""),
        ("2001:db8::/119\n2001:db8:1::/118\n192.0.0.0/22\n203.0.113.0/28\n2001:db8:2::5", ""),
        ("2001:db8::/117\n2001:db8:1::/118\n203.0.113.0/24\n198.51.100.0/25", "2001:db8::20-2001:db8::7f"),
        ("192.0.2.1\n192.0.2.200\n198.51.100.3\n203.0.113.9\n203.0.113.11", ""),
        ("0:0:0:0:0:fffe:ffff:fff0-::1:0:0:f", ""),
    ] {
        let set = set(list, excluded);
        for seed in [0, 1, u64::MAX] {
            for shards in [1, 2, 3, 7] {
                check(&set, seed, shards);
            }
        }
    }
}

#[test]
fn a_row_of_the_csv_owns_its_address_in_the_order_too() {
    let set = set("ip,customer\n192.0.2.0/24,net\n192.0.2.7,host\n198.51.100.0/24,other\n", "");
    check(&set, 5, 2);
    let order = Order::new(Arc::clone(&set), 5, Shard::WHOLE);
    let of_host = order.iter_from(0).filter(|v| set.inventory(v.entry).unwrap().tags[0].1 == "host");
    assert_eq!(of_host.map(|v| v.ip.to_string()).collect::<Vec<_>>(), ["192.0.2.7"]);
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let set = set("192.0.0.0/18\n198.51.100.0/25\n2001:db8::/112\n192.0.64.1\n192.0.65.1\n192.0.66.1", "");
    let ips = |seed| {
        Order::new(Arc::clone(&set), seed, Shard::WHOLE).iter_from(0).map(|v| v.ip).collect::<Vec<_>>()
    };
    assert_eq!(ips(7), ips(7));
    assert_ne!(ips(7), ips(8));
    let one_block = Order::new(self::set("192.0.2.0/24", ""), 7, Shard::WHOLE).nth(0);
    assert_ne!(one_block, Order::new(self::set("192.0.2.0/24", ""), 8, Shard::WHOLE).nth(0));
}

#[test]
fn the_order_is_the_same_in_every_version() {
    let set =
        set("192.0.0.0/18\n198.51.100.0/25\n2001:db8::/112\n192.0.64.1\n192.0.65.1\n2001:db8:1::/48", "");
    let order = Order::new(set, 0x5eed, Shard::WHOLE);
    let drawn = [0, 1, 40, 66, 67, 9000, 100_000].map(|turn| order.nth(turn).unwrap().ip.to_string());
    // As drawn when the order was laid down: a checkpoint of then has to go on now.
    let then = [
        "2001:db8:1:fb75:6f52:6fe5:ec61:17a3",
        "2001:db8::7d8e",
        "192.0.63.4",
        "198.51.100.9",
        "192.0.64.1",
        "192.0.29.88",
        "2001:db8:1:9336:ad3d:5245:2bc7:54d6",
    ];
    assert_eq!(drawn, then);
}

#[test]
fn neighbouring_networks_are_far_apart_in_time() {
    let order = Order::new(set("10.0.0.0/12", ""), 3, Shard::WHOLE);
    let place: HashMap<Prefix, u128> =
        order.iter_from(0).take(4096).map(|v| (Prefix::group(v.ip), v.turn)).collect();
    for block in 0..4095_u32 {
        let at = |n: u32| place[&Prefix::group(IpAddr::from(((10 << 24) + n * 256).to_be_bytes()))];
        assert!(at(block).abs_diff(at(block + 1)) >= 16, "{block}");
    }
}

#[test]
fn sets_too_large_to_list_are_drawn_and_found_anywhere() {
    for (list, excluded) in [
        ("0.0.0.0/0", ""),
        ("::/0\n0.0.0.0/0", ""),
        ("2001:db8::/32", "2001:db8::1\n2001:db8:7::/49"),
        ("2001:db8::/64\n192.0.2.0/24\n198.51.100.7", ""),
        ("0.0.0.0/0\n2001:db8::/32\n2001:db8:0:1::/64", "11.0.0.0/9\n12.0.0.3\n2001:db8:1::/48"),
    ] {
        let set = set(list, excluded);
        for shard in ["1/1", "1/3", "3/3"] {
            let order = Order::new(Arc::clone(&set), 99, shard.parse().unwrap());
            let len = order.len();
            let laps =
                order.steps.iter().flat_map(|step| [step.turn.saturating_sub(2), step.turn, step.turn + 1]);
            let spread = (0..200).map(|n| len / 200 * n + n);
            for turn in laps.chain(spread).chain([len - 1]).filter(|turn| *turn < len) {
                let visit = order.nth(turn).unwrap();
                assert_eq!(order.turn_of(visit.ip), Some(turn), "{list} {shard} {turn} {visit:?}");
                assert_eq!(set.owner(visit.ip), Some(visit.entry));
                assert_eq!(set.exclusions().blocked(visit.ip), None);
                for (ahead, walked) in (turn..).zip(order.iter_from(turn).take(5)) {
                    assert_eq!(order.nth(ahead), Some(walked), "{list} {shard} {turn}");
                }
            }
        }
        let whole = Order::new(Arc::clone(&set), 99, Shard::WHOLE);
        assert_eq!(whole.len(), set.len());
        let thirds = (1..=3).map(|n| Order::new(Arc::clone(&set), 99, Shard::new(n, 3).unwrap()).len());
        assert_eq!(thirds.sum::<u128>(), set.len());
    }
}

#[test]
fn an_address_outside_has_no_turn() {
    let order = Order::new(set("192.0.2.0/24\n2001:db8::/64", "192.0.2.9"), 1, Shard::WHOLE);
    for ip in ["192.0.2.9", "192.0.3.0", "2001:db8:0:1::", "::", "255.255.255.255"] {
        assert_eq!(order.turn_of(ip.parse().unwrap()), None, "{ip}");
    }
}

/// Ranges over the edges of a few /24s and /48s.
fn line() -> impl Strategy<Value = String> {
    let v4 = (0..1300_u32, 0..600_u32).prop_map(|(from, more)| {
        let ip = |n: u32| std::net::Ipv4Addr::from_bits((198 << 24 | 51 << 16 | 98 << 8) + n);
        format!("{}-{}", ip(from), ip(from + more))
    });
    let v6 = (0..4_u128, -300..300_i32, 0..500_u128).prop_map(|(site, from, more)| {
        let edge = 0x2001_0db8_u128 << 96 | (site + 1) << 80;
        let from = edge.checked_add_signed(from.into()).unwrap();
        format!("{}-{}", std::net::Ipv6Addr::from_bits(from), std::net::Ipv6Addr::from_bits(from + more))
    });
    prop_oneof![v4, v6]
}

proptest! {
    #![proptest_config(crate::property_tests::cases(64))]
    #[test]
    fn any_set_is_drawn_once_in_any_shards(
        wanted in proptest::collection::vec(line(), 0..7),
        unwanted in proptest::collection::vec(line(), 0..5),
        seed: u64,
        shards in 1..5_u32,
    ) {
        check(&set(&wanted.join("\n"), &unwanted.join("\n")), seed, shards);
    }
}
