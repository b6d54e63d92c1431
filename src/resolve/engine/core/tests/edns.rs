//! Upstreams that want no EDNS: found out once, and not mistaken for a path that loses packets.

use std::cell::Cell;

use super::*;
use crate::resolve::wire::HEADER;

const QUESTIONS: u32 = 20_000;

fn offers_edns(query: &[u8]) -> bool {
    query[11] == 1
}

/// Does `rest` with queries that offer EDNS, and counts them.
fn plain_only(offered: &Cell<usize>, rest: fn(&[u8]) -> Replies) -> Box<Manner<'_>> {
    Box::new(move |now, query| {
        if offers_edns(query) {
            offered.set(offered.get() + 1);
            return rest(query);
        }
        healthy(now, query)
    })
}

const DROPS: fn(&[u8]) -> Replies = |_| Vec::new();
const REFUSALS: [fn(&[u8]) -> Replies; 5] = [
    |query| vec![(RTT, bare(query, 4))],
    |query| vec![(RTT, reply(query, 4))],
    |query| vec![(RTT, bare(query, 1))],
    |query| vec![(RTT, reply(query, 1))],
    |query| vec![(RTT, reply(query, 2))],
];

#[test]
fn who_answers_edns_with_a_failure_is_asked_with_it_at_the_start_only() {
    for (number, refuses) in REFUSALS.into_iter().enumerate() {
        let offered = Cell::new(0);
        let mut world = World::new(|_| {}, vec![plain_only(&offered, refuses)]);
        world.run(&mut (0..QUESTIONS));
        assert_eq!(world.count(Status::Found), QUESTIONS as usize, "{number}");
        let offered = offered.get();
        assert!(offered < 1500, "{number}: {offered} with EDNS");
    }
}

#[test]
fn who_drops_edns_costs_the_start_some_time_and_the_rest_nothing() {
    let offered = Cell::new(0);
    let mut world = World::new(|_| {}, vec![plain_only(&offered, DROPS)]);
    world.run(&mut (0..QUESTIONS));
    assert_eq!(world.count(Status::Found), QUESTIONS as usize);
    assert!(offered.get() < 3000, "{} with EDNS", offered.get());
    let slow = world.answers.values().filter(|(answer, _)| answer.attempts > 1).count();
    assert!(slow < 3000, "{slow} asked more than once");
    assert!(world.answers.values().all(|(answer, _)| answer.attempts <= 2), "once without it is enough");
}

#[test]
fn beside_an_upstream_that_takes_everything_it_is_found_out_as_well() {
    for turn in [0, 1] {
        let offered = Cell::new(0);
        let mut upstreams = vec![plain_only(&offered, DROPS), Box::new(healthy)];
        upstreams.rotate_left(turn);
        let rate = Rate::AtMost(NonZeroU32::new(1000).unwrap());
        let mut world = World::new(|settings| settings.rate = rate, upstreams);
        world.run(&mut (0..QUESTIONS));
        assert_eq!(world.count(Status::Found), QUESTIONS as usize);
        assert!(offered.get() < 3000, "{turn}: {} with EDNS", offered.get());
        assert_eq!(world.core.upstreams[turn].edns.offer(0, 4), Edns::Plain, "{turn}");
        let to_it = world.packets.iter().filter(|packet| packet.1 == turn).count();
        assert!(to_it > 2 * offered.get(), "{turn}: it takes its share, {to_it} packets");
    }
}

#[test]
fn a_few_questions_are_answered_too() {
    let offered = Cell::new(0);
    let mut world = World::new(|_| {}, vec![plain_only(&offered, DROPS)]);
    for token in 0..12 {
        world.run(&mut (token..token + 1));
    }
    assert_eq!((world.count(Status::Found), offered.get()), (12, 4));
}

#[test]
fn loss_is_not_mistaken_for_a_dropped_edns_part() {
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        let lossy = move |now: Duration, query: &[u8]| {
            if random.random_ratio(3, 5) { Vec::new() } else { healthy(now, query) }
        };
        let mut world = World::new(|_| {}, vec![Box::new(lossy)]);
        world.run(&mut (0..1000));
        assert_eq!(world.core.upstreams[0].edns.offer(0, 4), Edns::Offered, "seed {seed}");
    }
    // Not there for some seconds, and then for everybody.
    let late = |now: Duration, query: &[u8]| if now.as_secs() < 2 { Vec::new() } else { healthy(now, query) };
    let mut world = World::new(|_| {}, vec![Box::new(late)]);
    world.run(&mut (0..5000));
    assert_eq!(world.core.upstreams[0].edns.offer(0, 4), Edns::Offered);
}

#[test]
fn the_last_packet_goes_without_edns() {
    let seen = std::cell::RefCell::new(Vec::new());
    let upstream = |now: Duration, query: &[u8]| {
        let is_lost = number(query) == 1 && query[HEADER] != 0;
        if !is_lost {
            return healthy(now, query);
        }
        seen.borrow_mut().push(offers_edns(query));
        Vec::new()
    };
    let mut world = World::new(|_| {}, vec![Box::new(upstream)]);
    world.run(&mut (0..2));
    assert_eq!(*seen.borrow(), [true, true, true, false]);
}
