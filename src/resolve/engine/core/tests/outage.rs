//! Upstreams that are away, for a while or for good, in invented time.

use super::*;

#[test]
fn an_upstream_that_falls_silent_for_a_while_loses_nothing_beside_another() {
    let outage = |now: Duration, query: &[u8]| {
        if (1..4).contains(&now.as_secs()) { Vec::new() } else { healthy(now, query) }
    };
    let mut world = World::new(|_| {}, vec![Box::new(outage), Box::new(healthy)]);
    world.run(&mut (0..100_000));
    assert_eq!(world.count(Status::Found), 100_000);
}

#[test]
fn a_short_outage_of_the_only_upstream_loses_nothing() {
    let outage = |now: Duration, query: &[u8]| {
        if (1..3).contains(&now.as_secs()) { Vec::new() } else { healthy(now, query) }
    };
    let mut world = World::new(|_| {}, vec![Box::new(outage)]);
    world.run(&mut (0..50_000));
    let lost = 50_000 - world.count(Status::Found);
    assert_eq!(lost, 0);
}

#[test]
fn with_all_upstreams_dead_questions_wait_and_then_time_out() {
    let mut world = World::new(|_| {}, vec![Box::new(silent), Box::new(silent)]);
    world.run(&mut (0..30_000));
    assert_eq!(world.count(Status::TimedOut), 30_000);
    assert!(world.took() < Duration::from_secs(60), "{:?}", world.took());
    assert!(world.packets.len() < 30_000, "{} packets to nobody", world.packets.len());
}

#[test]
fn what_was_never_asked_outlasts_an_outage_longer_than_its_timeout() {
    let outage = |now: Duration, query: &[u8]| {
        if (2..25).contains(&now.as_secs()) { Vec::new() } else { healthy(now, query) }
    };
    let rate = Rate::AtMost(NonZeroU32::new(1000).unwrap());
    let mut world = World::new(|settings| settings.rate = rate, vec![Box::new(outage)]);
    world.run(&mut (0..20_000));
    // Those that were sent into the silence before it was known for one.
    assert!(world.count(Status::TimedOut) < 5000, "{}", world.count(Status::TimedOut));
    assert_eq!(world.count(Status::Found) + world.count(Status::TimedOut), 20_000);
}

#[test]
fn a_slow_upstream_is_waited_for_and_one_that_is_slower_than_the_timeout_is_nobody() {
    for (seconds, status) in [(4, Status::Found), (10, Status::Found), (16, Status::TimedOut)] {
        let slow = |_: Duration, query: &[u8]| vec![(Duration::from_secs(seconds), reply(query, 0))];
        let mut world = World::new(|_| {}, vec![Box::new(slow)]);
        world.run(&mut (0..500));
        assert_eq!(world.count(status), 500, "answers after {seconds} s");
    }
}

#[test]
fn an_upstream_that_dies_half_way_leaves_half_of_the_answers_and_no_wrong_one() {
    for kind in [None, Some(2), Some(5)] {
        let dying = move |now: Duration, query: &[u8]| match kind {
            _ if now.as_secs() < 2 => healthy(now, query),
            None => Vec::new(),
            Some(rcode) => vec![(RTT, reply(query, rcode))],
        };
        let rate = Rate::AtMost(NonZeroU32::new(1000).unwrap());
        let mut world = World::new(|settings| settings.rate = rate, vec![Box::new(dying)]);
        world.run(&mut (0..4000));
        let definite = world.answers.values().filter(|(answer, _)| answer.status.is_definite()).count();
        assert_eq!((definite, world.answers.len()), (world.count(Status::Found), 4000), "{kind:?}");
        assert!((1800..2200).contains(&definite), "{kind:?}: {definite}");
    }
}

#[test]
fn a_question_for_one_upstream_is_put_to_no_other() {
    let failing = |_: Duration, query: &[u8]| vec![(RTT, reply(query, 2))];
    for (other, status) in
        [(Box::new(failing) as Box<Manner<'_>>, Status::ServFail), (Box::new(silent), Status::TimedOut)]
    {
        let mut world = World::new(|_| {}, vec![Box::new(healthy), other]);
        world.submit_to(1, 0);
        world.run(&mut std::iter::empty());
        assert_eq!(world.answers[&0].0.status, status);
        assert!(world.packets.iter().all(|packet| packet.1 == 1), "{:?}", world.packets);
    }
    // One that is set aside, or goes down, keeps it from nobody for longer than its time.
    let mut world = World::new(|_| {}, vec![Box::new(healthy), Box::new(healthy)]);
    world.core.set_aside(1, world.now);
    world.submit_to(1, 0);
    world.run(&mut std::iter::empty());
    assert_eq!(world.answers[&0].0.status, Status::TimedOut);
    world.core.set_aside(0, world.now);
    world.core.set_aside(1, world.now);
    assert!(world.core.upstreams.iter().any(Upstream::is_up), "somebody is left to ask");
}

#[test]
fn an_upstream_that_comes_back_is_used_again() {
    let dead_first =
        |now: Duration, query: &[u8]| if now.as_secs() < 10 { Vec::new() } else { healthy(now, query) };
    let mut world = World::new(|_| {}, vec![Box::new(dead_first)]);
    world.run(&mut (0..60_000));
    assert!(world.count(Status::Found) > 40_000, "{}", world.count(Status::Found));
    assert!(world.took() < Duration::from_secs(40), "{:?}", world.took());
}
