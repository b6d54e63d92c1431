//! Letters drawn by chance: who gets them, and what becomes of answers that do not repeat them.

use std::cell::RefCell;

use super::*;
use crate::resolve::wire::HEADER;

/// The letters of a query's name, length octets between them.
fn spelt(query: &[u8]) -> Vec<u8> {
    let length = query[HEADER..].iter().position(|&byte| byte == 0).unwrap();
    query[HEADER..HEADER + length].to_vec()
}

fn is_small(query: &[u8]) -> bool {
    !spelt(query).iter().any(u8::is_ascii_uppercase)
}

/// The answer, its question in small letters.
fn flattened(query: &[u8], rcode: u8) -> Vec<u8> {
    let mut answer = reply(query, rcode);
    answer[HEADER..query.len() - 11].make_ascii_lowercase();
    answer
}

#[test]
fn each_packet_is_spelt_anew_and_the_last_one_plainly() {
    let seen = RefCell::new(Vec::new());
    let upstream = |_: Duration, query: &[u8]| {
        seen.borrow_mut().push(spelt(query));
        Vec::new()
    };
    World::new(|_| {}, vec![Box::new(upstream)]).run(&mut (0..1));
    let seen = seen.into_inner();
    let [first, second, third, last] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!(last, b"\x02h0\x07example\x03org");
    for drawn in [first, second, third] {
        assert!(drawn.eq_ignore_ascii_case(last) && drawn != last, "{drawn:?}");
    }
    assert!(first != second && second != third && first != third, "{seen:?}");
}

#[test]
fn over_the_loopback_nothing_is_drawn() {
    for (address, drawn) in [("127.0.0.53:53", 0), ("[::1]:53", 0), ("[::ffff:127.0.0.1]:53", 0)] {
        let mixed = RefCell::new(0);
        let upstream = |now: Duration, query: &[u8]| {
            *mixed.borrow_mut() += usize::from(!is_small(query));
            healthy(now, query)
        };
        let change = |settings: &mut Settings| settings.upstreams = vec![address.parse().unwrap()];
        World::new(change, vec![Box::new(upstream)]).run(&mut (0..50));
        assert_eq!(*mixed.borrow(), drawn, "{address}");
    }
}

#[test]
fn a_forger_who_misses_the_letters_is_not_believed() {
    // He knows socket and number of every twentieth question, and answers before the upstream does.
    let upstream = |_: Duration, query: &[u8]| {
        let mut replies = vec![(RTT, reply(query, 0))];
        if number(query).is_multiple_of(20) && !is_small(query) {
            replies.push((RTT / 2, flattened(query, 3)));
        }
        replies
    };
    let mut world = World::new(|_| {}, vec![Box::new(upstream)]);
    world.run(&mut (0..10_000));
    assert_eq!(world.count(Status::Found), 10_000);
    assert!((10_000..10_700).contains(&world.packets.len()), "{} packets", world.packets.len());
}

#[test]
fn an_upstream_with_letters_of_its_own_answers_all_and_soon_at_one_packet_each() {
    for attempts in [1, 2, 4] {
        let own = |_: Duration, query: &[u8]| vec![(RTT, flattened(query, 0))];
        let change = |settings: &mut Settings| settings.attempts = NonZeroU8::new(attempts).unwrap();
        let mut world = World::new(change, vec![Box::new(own)]);
        world.run(&mut (0..10_000));
        assert_eq!(world.count(Status::Found), 10_000, "{attempts} attempts");
        let packets = world.packets.len();
        // What was under way when it was found out: a burst, and the packets of one answer's time.
        assert!(packets < 10_000 + 200, "{attempts} attempts: {packets} packets");
    }
}

#[test]
fn one_of_many_servers_behind_an_address_may_have_letters_of_its_own() {
    let mixed = |_: Duration, query: &[u8]| {
        let answer = if number(query).is_multiple_of(3) { flattened(query, 0) } else { reply(query, 0) };
        vec![(RTT, answer)]
    };
    let mut world = World::new(|_| {}, vec![Box::new(mixed)]);
    world.run(&mut (0..9000));
    assert_eq!(world.count(Status::Found), 9000);
    let packets = world.packets.len();
    assert!((11_900..12_100).contains(&packets), "a third is asked twice: {packets} packets");
}

#[test]
fn a_failure_without_a_question_counts_whatever_was_drawn() {
    let refusing = |_: Duration, query: &[u8]| vec![(RTT, bare(query, 5))];
    let mut world = World::new(|_| {}, vec![Box::new(refusing)]);
    world.run(&mut (0..1));
    assert_eq!(world.count(Status::Refused), 1);
    assert_eq!(world.packets.len(), 3);
}
