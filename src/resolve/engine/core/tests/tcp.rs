//! Answers that no datagram holds, and upstreams whose TCP is dropped on the way.

use super::*;

const TIMEOUT: Duration = Duration::from_secs(2);

fn truncated(_: Duration, query: &[u8]) -> Replies {
    let mut answer = reply(query, 0);
    answer[2] |= 2;
    vec![(RTT, answer)]
}

fn world(over_tcp: OverTcp, upstreams: Vec<Box<Manner<'_>>>) -> World<'_> {
    World { over_tcp, ..World::new(|settings| settings.timeout = TIMEOUT, upstreams) }
}

#[test]
fn a_question_ends_within_its_time_whatever_becomes_of_its_connection() {
    for over_tcp in [OverTcp::InVain, OverTcp::Lost] {
        let mut world = world(over_tcp, vec![Box::new(truncated)]);
        world.run(&mut (0..200));
        assert_eq!((world.count(Status::Malformed), world.packets.len()), (200, 200), "{over_tcp:?}");
        for (token, (_, at)) in &world.answers {
            let took = at.saturating_sub(world.packets[*token as usize].0);
            assert!((TIMEOUT..TIMEOUT + RTT).contains(&took), "{over_tcp:?}: {took:?}");
        }
    }
}

#[test]
fn where_tcp_is_dropped_there_is_time_left_to_ask_another_upstream() {
    for turn in [0, 1] {
        let mut upstreams: Vec<Box<Manner<'_>>> = vec![Box::new(truncated), Box::new(healthy)];
        upstreams.rotate_left(turn);
        let mut world = world(OverTcp::InVain, upstreams);
        world.run(&mut (0..500));
        assert_eq!(world.count(Status::Found), 500, "{turn}");
        let last = world.answers.values().map(|(_, at)| *at).max().unwrap();
        assert!(last < TIMEOUT, "{last:?}");
    }
}
