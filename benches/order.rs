//! The target side at the size of the Internet: all of IPv4 less 100,000 excluded prefixes. Times are for one
//! call, or for one address where a bench counts items.

#![expect(clippy::expect_used, reason = "a bench on a broken input has nothing to measure")]

use std::fmt::Write;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use banneret::targets::{Order, Shard, TargetSet};
use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use internet::{chance, exclusions, opt_outs, set};

#[path = "support/internet.rs"]
#[allow(unreachable_pub, reason = "shared with other benches")]
mod internet;

/// The most that a bench holds at a time is part of what it shows.
#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

static OPT_OUTS: LazyLock<String> = LazyLock::new(opt_outs);

static HITLIST: LazyLock<String> = LazyLock::new(|| {
    chance(1_000_000).fold(String::new(), |mut list, number| {
        let _ = writeln!(list, "{}", Ipv4Addr::from_bits(number));
        list
    })
});

static INTERNET: LazyLock<Arc<TargetSet>> =
    LazyLock::new(|| Arc::new(set("0.0.0.0/0", &exclusions(&OPT_OUTS))));

#[divan::bench]
fn read_100_000_exclusions(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(100_000_u32)).bench(|| exclusions(&OPT_OUTS));
}

#[divan::bench]
fn build_all_of_ipv4(bencher: Bencher<'_, '_>) {
    let exclusions = exclusions(&OPT_OUTS);
    bencher.bench(|| set("0.0.0.0/0", &exclusions));
}

#[divan::bench]
fn order_all_of_ipv4(bencher: Bencher<'_, '_>) {
    bencher.bench(|| Order::new(Arc::clone(&INTERNET), 1, Shard::WHOLE));
}

#[divan::bench]
fn read_and_build_1_000_000_addresses(bencher: Bencher<'_, '_>) {
    let exclusions = exclusions("");
    bencher.counter(ItemsCount::new(1_000_000_u32)).bench(|| set(&HITLIST, &exclusions));
}

#[divan::bench]
fn read_and_build_1_000_000_ipv6_addresses(bencher: Bencher<'_, '_>) {
    let exclusions = exclusions("");
    let list = chance(1_000_000).fold(String::new(), |mut list, number| {
        let _ = writeln!(list, "2a00:{:x}:{:x}::{:x}", number >> 20, number >> 8 & 0xfff, number & 0xffff);
        list
    });
    bencher.counter(ItemsCount::new(1_000_000_u32)).bench(|| set(&list, &exclusions));
}

#[divan::bench]
fn order_1_000_000_addresses(bencher: Bencher<'_, '_>) {
    let set = Arc::new(set(&HITLIST, &exclusions("")));
    bencher.bench(|| Order::new(Arc::clone(&set), 1, Shard::WHOLE));
}

const WALKED: usize = 1_000_000;

fn walk(bencher: Bencher<'_, '_>, order: &Order, from: u128) {
    bencher.counter(ItemsCount::new(WALKED)).bench(|| {
        for visit in order.iter_from(from).take(WALKED) {
            black_box(visit);
        }
    });
}

/// Laps of whole blocks and parts alike.
#[divan::bench]
fn walk_all_of_ipv4(bencher: Bencher<'_, '_>) {
    let order = Order::new(Arc::clone(&INTERNET), 1, Shard::WHOLE);
    walk(bencher, &order, 0);
}

/// The end of a lap, where the parts of blocks stand.
#[divan::bench]
fn walk_parts_of_blocks(bencher: Bencher<'_, '_>) {
    let order = Order::new(Arc::clone(&INTERNET), 1, Shard::WHOLE);
    walk(bencher, &order, u128::from(order.lap_blocks(0)) - 50_000);
}

#[divan::bench]
fn walk_1_000_000_addresses(bencher: Bencher<'_, '_>) {
    let order = Order::new(Arc::new(set(&HITLIST, &exclusions(""))), 1, Shard::WHOLE);
    bencher.counter(ItemsCount::new(usize::try_from(order.len()).unwrap_or(WALKED))).bench(|| {
        for visit in order.iter_from(0) {
            black_box(visit);
        }
    });
}

#[divan::bench]
fn walk_one_of_sixteen_shards(bencher: Bencher<'_, '_>) {
    let order = Order::new(Arc::clone(&INTERNET), 1, Shard::new(5, 16).expect("a shard"));
    walk(bencher, &order, 0);
}

#[divan::bench]
fn nth(bencher: Bencher<'_, '_>) {
    let order = Order::new(Arc::clone(&INTERNET), 1, Shard::WHOLE);
    let share = order.len() >> 32;
    let turns: Vec<_> = chance(100_000).map(|number| u128::from(number) * share).collect();
    bencher.counter(ItemsCount::new(turns.len())).bench(|| {
        for turn in &turns {
            black_box(order.nth(*turn));
        }
    });
}

#[divan::bench]
fn turn_of(bencher: Bencher<'_, '_>) {
    let order = Order::new(Arc::clone(&INTERNET), 1, Shard::WHOLE);
    let ips: Vec<_> = chance(10_000).map(|number| IpAddr::from(number.to_be_bytes())).collect();
    bencher.counter(ItemsCount::new(ips.len())).bench(|| {
        for ip in &ips {
            black_box(order.turn_of(*ip));
        }
    });
}

#[divan::bench]
fn blocked(bencher: Bencher<'_, '_>) {
    let exclusions = INTERNET.exclusions();
    let ips: Vec<_> = chance(100_000).map(|number| IpAddr::from(number.to_be_bytes())).collect();
    bencher.counter(ItemsCount::new(ips.len())).bench(|| {
        for ip in &ips {
            black_box(exclusions.blocked(*ip));
        }
    });
}
