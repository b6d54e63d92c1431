//! One scan killed again and again, at any moment of its life, and resumed each time.

use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::run::{Met, Scan, end_of, send};
use super::support::namespace::alone;
use super::tally::Tally;
use super::world::{LARGE, SMALL, World};
use super::{SEED, Size, number, size};

/// A run of the large scan meets up to so many hosts before it is killed; half a second's worth and more is
/// often saved.
const HOSTS: u32 = 400;
/// And up to so long after the last of them.
const MOMENT: Duration = Duration::from_millis(100);

#[test]
fn a_scan_killed_again_and_again_loses_and_doubles_nothing() {
    alone("kills::a_scan_killed_again_and_again_loses_and_doubles_nothing", |work| {
        let world = World::start();
        let (block, kills) = match size() {
            Size::Full => (LARGE, 100),
            Size::Short => (SMALL, 5),
        };
        let seed = number(SEED, 1);
        let mut chance = StdRng::seed_from_u64(seed);
        let scan = Scan::new(work, chance.random()).of(block, 500);
        let mut killed = 0;
        while killed < kills {
            let wanted = world.accepted()
                + chance.random_range(0..HOSTS * block.size / LARGE.size.min(block.size * 4));
            let mut child = scan.next().spawn().unwrap();
            if world.accepts_before_end(wanted, &mut child) {
                // The moment is the fault: nothing is waited for.
                thread::park_timeout(MOMENT.mul_f64(chance.random()));
            }
            send(&child, "KILL");
            let ended = end_of(child);
            if ended.status.success() {
                break;
            }
            killed += 1;
        }
        println!("killed {killed} times, seed {seed}");
        assert!(killed >= kills / 2, "{killed} of {kills} kills fell into the scan's life");
        let last = end_of(scan.next().spawn().unwrap());
        let met = if scan.checkpoint().exists() || last.status.success() { Met::Hosts } else { Met::Nobody };
        scan.finish(&last, met);
        let mut tally = Tally::default();
        tally.count(&scan);
        tally.conclude(&format!("SIGKILL {killed} times in one scan of {}", block.size));
    });
}
