//! Upstreams that take only so much: so many questions at once, or so many a second. In invented time.

use super::*;

/// How a resolver behaves that works on only so many questions at once, and on names of dead zones for ten
/// seconds.
#[derive(Debug, Clone, Copy)]
struct Recursion {
    most: usize,
    /// What a sound name takes.
    takes: Duration,
    /// One name in so many is of a dead zone; 0: none.
    dead: u32,
    /// The failure code beyond `most`, or none: silence.
    beyond: Option<u8>,
}

const DEAD_TAKES: Duration = Duration::from_secs(10);

/// Such a resolver; keeps the most that were open at once in each tenth of a second.
fn recursive(it: Recursion, open_by_tenth: &mut Vec<usize>) -> impl FnMut(Duration, &[u8]) -> Replies {
    let mut ends: BinaryHeap<Reverse<Duration>> = BinaryHeap::new();
    // Who asks for a name that is being worked on waits for the same end.
    let mut dead_ends: BTreeMap<u32, Duration> = BTreeMap::new();
    move |now, query| {
        while ends.peek().is_some_and(|end| end.0 <= now) {
            ends.pop();
        }
        let tenth = usize::try_from(now.as_millis() / 100).unwrap();
        if open_by_tenth.len() <= tenth {
            open_by_tenth.resize(tenth + 1, 0);
        }
        open_by_tenth[tenth] = open_by_tenth[tenth].max(ends.len());
        if ends.len() >= it.most {
            return it.beyond.map(|rcode| (RTT, reply(query, rcode))).into_iter().collect();
        }
        let is_dead = it.dead > 0 && number(query).is_multiple_of(it.dead);
        let (takes, rcode) = if is_dead {
            let end = dead_ends.entry(number(query)).or_insert(now + DEAD_TAKES);
            *end = if *end <= now { now + DEAD_TAKES } else { *end };
            (end.saturating_sub(now), 2)
        } else {
            (it.takes, 0)
        };
        ends.push(Reverse(now + takes));
        vec![(takes, reply(query, rcode))]
    }
}

/// Packets in each tenth of a second.
fn packets_by_tenth(world: &World<'_>) -> Vec<usize> {
    let mut tenths = vec![0; usize::try_from(world.took().as_millis() / 100).unwrap() + 1];
    for (at, ..) in &world.packets {
        tenths[usize::try_from(at.as_millis() / 100).unwrap()] += 1;
    }
    tenths
}

#[test]
fn a_resolver_that_takes_so_many_questions_at_once_is_asked_no_more_of_them() {
    let slow = Duration::from_millis(150);
    // At best it takes 3 s, and with dead zones, each packet to which takes a place for up to ten seconds,
    // about 140 s.
    let rows = [(0, Some(2), 20, 9.0), (0, None, 20, 9.0), (0, Some(5), 20, 9.0), (5, Some(2), 1600, 300.0)];
    for (dead, beyond, lost, seconds) in rows {
        let it = Recursion { most: 1000, takes: slow, dead, beyond };
        let mut open = Vec::new();
        let mut world = World::new(|_| {}, vec![Box::new(recursive(it, &mut open))]);
        world.run(&mut (0..20_000));
        let sound = 20_000 - 20_000_u32.checked_div(dead).unwrap_or(0);
        let failed = sound as usize - world.count(Status::Found);
        let (took, packets) = (world.took(), packets_by_tenth(&world));
        let most = packets.iter().max().unwrap();
        drop(world);
        assert!(open[0] <= 520 && open.iter().take(2).all(|&open| open <= 800), "{it:?}: {open:?}");
        assert!(failed <= lost, "{it:?}: {failed} failed, {most} packets at most in a tenth");
        assert!(took.as_secs_f64() < seconds, "{it:?}: {took:?}");
    }
}

/// Takes so many packets in each second, as they come, and drops the others.
fn limited_by_the_second(rate: usize) -> impl FnMut(Duration, &[u8]) -> Replies {
    let mut second = (0, 0);
    move |now, query| {
        if second.0 != now.as_secs() {
            second = (now.as_secs(), 0);
        }
        second.1 += 1;
        if second.1 <= rate { healthy(now, query) } else { Vec::new() }
    }
}

#[test]
fn a_limit_far_below_the_first_rate_loses_few_questions() {
    let mut world = World::new(|_| {}, vec![Box::new(limited_by_the_second(200))]);
    world.run(&mut (0..8_000));
    let (lost, took) = (8_000 - world.count(Status::Found), world.took());
    // At best it takes 40 s. Those of the first second, before the limit is known, are asked again by a
    // second pass.
    assert!(lost <= 450 && took.as_secs() < 80, "{lost} lost, {took:?}");
}

#[test]
fn the_rate_in_force_is_never_far_above_what_is_answered() {
    // A pause of a second after each three.
    let pausing =
        |now: Duration, query: &[u8]| if now.as_secs() % 4 == 3 { Vec::new() } else { healthy(now, query) };
    let mut world = World::new(|_| {}, vec![Box::new(pausing)]);
    for _ in 0..20 {
        let next = u32::try_from(world.answers.len()).unwrap();
        world.run(&mut (next..next + 2_000));
        let rate = world.core.upstreams[0].pace.rate();
        assert!(rate <= 2.0 * 25_000.0, "{rate}: at most 500 are open for 20 ms each");
    }
}

#[test]
fn a_failure_code_to_a_probe_counts_as_one() {
    // Silent until it is suspect and probed, then failing.
    let upstream = |now: Duration, query: &[u8]| {
        if now < Duration::from_secs(4) { Vec::new() } else { vec![(RTT, reply(query, 2))] }
    };
    let mut world = World::new(|_| {}, vec![Box::new(upstream)]);
    world.run(&mut (0..200));
    let seen = &world.health.upstreams[0];
    let count = |it: &std::sync::atomic::AtomicU64| it.load(std::sync::atomic::Ordering::Relaxed);
    assert!(count(&seen.answered) > 0);
    assert_eq!(count(&seen.servfail), count(&seen.answered));
}

#[test]
fn failure_codes_count_as_such_whatever_letters_they_come_in() {
    // In small letters: such an answer is not believed, and the question is asked once more.
    for in_small_letters in [false, true] {
        for rcode in [1, 2, 4, 5] {
            let upstream = move |_: Duration, query: &[u8]| {
                let mut answer = reply(query, rcode);
                if in_small_letters {
                    answer[crate::resolve::wire::HEADER..query.len() - 11].make_ascii_lowercase();
                }
                vec![(RTT, answer)]
            };
            let mut world = World::new(|_| {}, vec![Box::new(upstream)]);
            world.run(&mut (0..200));
            let seen = &world.health.upstreams[0];
            let count = |it: &std::sync::atomic::AtomicU64| it.load(std::sync::atomic::Ordering::Relaxed);
            let failures = count(&seen.servfail) + count(&seen.refused);
            assert!(failures > 0, "code {rcode}");
            assert_eq!(failures, count(&seen.answered), "code {rcode}, small letters {in_small_letters}");
        }
    }
}
