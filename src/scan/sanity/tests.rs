//! Failures of made-up targets, with time passed in.

use std::net::IpAddr;
use std::time::SystemTime;

use super::*;
use crate::evidence::Observation;
use crate::probe::Handshake;
use crate::scan::attempt::AttemptKind;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const KINDS: [Outcome; 3] = [Outcome::Refused, Outcome::Unreachable, Outcome::TimedOut];

fn host(network: u8, last: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::from([10, 0, network, last]), 25)
}

fn failure(number: u8, outcome: Outcome, at: Instant) -> Failure {
    let attempt = Attempt { attempts: 1, ..Attempt::look(host(100, number), AttemptKind::Record) };
    let observation = Observation::bare(outcome, 1);
    let (since, time) = (at, SystemTime::UNIX_EPOCH);
    let (blame, further, scanner) = (Blame::Far, Further::None, Arc::default());
    Failure { attempt, observation, blame, further, since, at, time, scanner }
}

/// One that was silent for five seconds.
fn silence(number: u8, since: Instant) -> Failure {
    Failure { since, ..failure(number, Outcome::TimedOut, since + SECOND * 5) }
}

fn fresh() -> SanityCheck {
    SanityCheck::new(SanitySettings::default(), Arc::default())
}

/// So many targets were connected to, the last of them by a connection that began then.
fn answered(check: &mut SanityCheck, now: Instant, count: usize, began: Instant) {
    check.times.note(began, Handshake::Clean);
    let mut connected = Connected::default();
    (0..count).for_each(|_| connected.count(Class::First));
    check.answered(now, connected);
}

/// A scan in which all targets of five networks answered so far.
fn sound(begin: Instant) -> SanityCheck {
    let mut check = fresh();
    for network in 0..5 {
        check.greeted(host(network, 1));
    }
    answered(&mut check, begin, 500, begin);
    check
}

/// The looks come to this.
fn all_looked(check: &mut SanityCheck, now: Instant, look: LookResult) {
    (0..LOOKS).for_each(|_| check.looked(now, look));
}

/// What is to be done now, in a word for each kind of step: how often.
fn steps(check: &mut SanityCheck, now: Instant) -> Vec<Step> {
    std::iter::from_fn(|| check.poll(now)).collect()
}

fn count(steps: &[Step], is: fn(&Step) -> bool) -> usize {
    steps.iter().filter(|step| is(step)).count()
}

fn is_look(step: &Step) -> bool {
    matches!(step, Step::Look(_))
}

fn is_again(step: &Step) -> bool {
    matches!(step, Step::AskAgain(attempt) if attempt.doubted == 1 && attempt.attempts == 0)
}

fn is_settled(step: &Step) -> bool {
    matches!(step, Step::Settle(_))
}

fn is_warning(step: &Step) -> bool {
    matches!(step, Step::Warn(_))
}

/// Eight targets in a row fail, and three hosts are looked at.
fn suspicious(begin: Instant, outcome: Outcome) -> SanityCheck {
    let mut check = sound(begin);
    let now = begin + SECOND;
    for number in 0..8 {
        assert_eq!(steps(&mut check, now), [], "{number} are held back without a word");
        check.failed(now, failure(number, outcome, now));
    }
    let looks = steps(&mut check, now);
    assert_eq!((looks.len(), count(&looks, is_look)), (3, 3), "{looks:?}");
    assert!(check.is_waiting());
    check
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_written_when_a_later_connection_shows_that_the_path_works() {
    let begin = Instant::now();
    let mut check = sound(begin);
    let now = begin + SECOND;
    check.failed(now, failure(1, Outcome::Refused, now));
    answered(&mut check, now, 1, now - SECOND / 2);
    assert_eq!(
        (steps(&mut check, now + SECOND * 9), check.due(now)),
        (vec![], None),
        "that one began before"
    );
    let then = now + SECOND;
    answered(&mut check, then, 1, then);
    assert_eq!((steps(&mut check, then), check.due(then)), (vec![], Some(then + LATE)), "not at once");
    check.failed(then, failure(2, Outcome::Refused, now));
    let done = steps(&mut check, then + LATE);
    assert_eq!(
        (done.len(), count(&done, is_settled)),
        (2, 2),
        "the second failed before that connection, too"
    );
}

#[tokio::test(start_paused = true)]
async fn hosts_that_fail_as_the_targets_do_show_that_the_path_is_broken() {
    for outcome in KINDS {
        let begin = Instant::now();
        let mut check = suspicious(begin, outcome);
        let now = begin + SECOND * 2;
        for _ in 0..3 {
            check.looked(now, LookResult::Failed(outcome));
        }
        let told = steps(&mut check, now);
        let wait = Duration::from_secs(240);
        // One target a second shows whether it works again, from now on.
        let [Step::Warn(doubt), Step::AskNow(attempt)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((doubt, attempt.attempts), (&VantageWarning::PathLost { how: outcome, wait }, 0));
        let later = now + SECOND / 2;
        assert_eq!(steps(&mut check, later), []);
        check.failed(later, failure(99, outcome, later));
        assert_eq!((steps(&mut check, later), check.held()), (vec![], 8));
        let mended = later + SECOND;
        answered(&mut check, mended, 1, mended);
        let again = steps(&mut check, mended);
        assert_eq!((again.len(), count(&again, is_again)), (8, 8), "{again:?}");
        assert!(!check.is_waiting());
        // What failed meanwhile is heard of late, also of a target that was asked again before.
        for doubted in 0..2 {
            let mut late = failure(77, outcome, mended - SECOND);
            late.attempt.doubted = doubted;
            check.failed(mended, late);
            assert!(matches!(steps(&mut check, mended + LATE)[..], [Step::AskAgain(_)]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_that_answer_or_fail_otherwise_show_that_it_is_the_targets() {
    for look in [LookResult::Connected, LookResult::Failed(Outcome::TimedOut), LookResult::Void] {
        let begin = Instant::now();
        let mut check = suspicious(begin, Outcome::Refused);
        let now = begin + SECOND * 2;
        for _ in 0..3 {
            check.looked(now, look);
        }
        let again = steps(&mut check, now);
        assert_eq!((again.len(), count(&again, is_again)), (8, 8), "{look:?}: once more, without a word");
        // They fail again, and that is it.
        let now = now + SECOND * 10;
        for step in again {
            let Step::AskAgain(attempt) = step else { panic!("{step:?}") };
            let attempt = Attempt { attempts: 1, ..attempt };
            check.failed(now, Failure { attempt, ..failure(0, Outcome::Refused, now) });
        }
        check.release(now);
        let done = steps(&mut check, now + SECOND);
        assert_eq!(count(&done, is_settled), 8, "{done:?}");
        assert_eq!(count(&done, is_warning), 0, "{done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_half_of_the_targets_refuse_nobody_is_looked_at() {
    let begin = Instant::now();
    let mut check = sound(begin);
    check.failed(begin, failure(0, Outcome::Refused, begin));
    let mut settled = 0;
    for number in 0..6000_u16 {
        let now = begin + Duration::from_millis(u64::from(number));
        // Up to nine in a row.
        if number.is_multiple_of(2) || number % 100 < 18 {
            check.failed(now, failure(u8::try_from(number % 250).unwrap(), Outcome::Refused, now));
        } else {
            answered(&mut check, now, 1, now);
        }
        let done = steps(&mut check, now);
        settled += count(&done, is_settled);
        // At first they all answered, and a run was no chance.
        if number > 2500 {
            assert_eq!(count(&done, is_settled), done.len(), "at {number}: {done:?}");
        }
    }
    assert!(settled > 2000, "{settled}");
}

#[tokio::test(start_paused = true)]
async fn what_this_machine_says_of_a_target_is_asked_again_once() {
    let begin = Instant::now();
    let mut check = sound(begin);
    let near = |at| Failure { blame: Blame::Near, ..failure(1, Outcome::Unreachable, at) };
    check.failed(begin, near(begin));
    let again = steps(&mut check, begin + LATE);
    assert_eq!((again.len(), count(&again, is_again)), (1, 1));
    let mut second = near(begin);
    second.attempt.doubted = 1;
    check.failed(begin, second);
    let done = steps(&mut check, begin + LATE);
    let [Step::Settle(seen)] = &done[..] else { panic!("{done:?}") };
    assert_eq!((seen.observation.outcome, seen.observation.attempts), (Outcome::Unreachable, 2));
}

#[tokio::test(start_paused = true)]
async fn before_any_host_greeted_failures_are_written_as_they_are() {
    let begin = Instant::now();
    for outcome in KINDS {
        let mut check = fresh();
        for number in 0..100 {
            check.failed(begin, failure(number, outcome, begin));
        }
        assert_eq!(count(&steps(&mut check, begin), is_settled), 100);
    }
    let mut check = fresh();
    for number in 0..100 {
        let blame = Blame::Near;
        check.failed(begin, Failure { blame, ..failure(number, Outcome::Unreachable, begin) });
    }
    let done = steps(&mut check, begin);
    assert_eq!((count(&done, is_again), count(&done, is_warning)), (100, 1), "one warning");
}

#[tokio::test(start_paused = true)]
async fn a_path_that_stays_broken_is_given_up_once() {
    let begin = Instant::now();
    let mut check = suspicious(begin, Outcome::Refused);
    for _ in 0..3 {
        check.looked(begin, LookResult::Failed(Outcome::Refused));
    }
    let (mut given_up, mut tried) = (Vec::new(), 0);
    for second in 0..400 {
        let now = begin + SECOND * second;
        let done = steps(&mut check, now);
        for step in done {
            match step {
                Step::GiveUp => given_up.push(second),
                Step::AskNow(attempt) => {
                    tried += 1;
                    check.failed(now, Failure { attempt, ..failure(0, Outcome::Refused, now) });
                }
                Step::Look(_) | Step::Warn(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(given_up, [240]);
    assert!((180..240).contains(&tried), "{tried}");
    assert_eq!(check.held(), 8, "they are left for the resumed scan");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_recovers_is_told_of_once_and_not_after_another_warning() {
    let begin = Instant::now();
    let near = |at| Failure { blame: Blame::Near, ..failure(1, Outcome::Unreachable, at) };
    let mut check = sound(begin);
    check.recovered(begin);
    assert_eq!(steps(&mut check, begin), [], "there was no trouble");
    for (at, told) in [(begin, 1), (begin + SECOND * 30, 0), (begin + SECOND * 120, 1)] {
        check.failed(at, near(at));
        check.release(at);
        assert_eq!(count(&steps(&mut check, at), is_again), 1);
        check.recovered(at);
        check.recovered(at);
        let done = steps(&mut check, at);
        assert_eq!((done.len(), count(&done, is_warning)), (told, told), "{done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_connected_to_and_fell_silent_in_a_trouble_is_asked_again() {
    let begin = Instant::now();
    let silent = |since: u32, at: u32| {
        let failure = failure(1, Outcome::Silent, begin + SECOND * at);
        Failure { since: begin + SECOND * since, ..failure }
    };
    let mut check = sound(begin);
    check.failed(begin, silent(0, 45));
    assert_eq!(count(&steps(&mut check, begin), is_settled), 1, "no trouble came");
    check.troubled(begin + SECOND * 50);
    check.troubled(begin + SECOND * 59);
    for (since, at, is_again) in [(10, 49, false), (10, 55, true), (55, 100, true), (61, 106, false)] {
        check.failed(begin, silent(since, at));
        let done = steps(&mut check, begin);
        assert_eq!(matches!(done[..], [Step::AskAgain(_)]), is_again, "{since} to {at}: {done:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_over_targets_that_never_answered_looks_at_nobody() {
    let begin = Instant::now();
    let mut check = sound(begin);
    let now = begin + SECOND;
    for number in 0..200 {
        let mut again = failure(number, Outcome::TimedOut, now);
        again.attempt.attempts = 2;
        check.failed(now, again);
        assert_eq!(steps(&mut check, now), []);
    }
    check.release(now);
    assert_eq!(count(&steps(&mut check, now), is_settled), 200);
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_while_others_answer_is_silent_by_itself() {
    let begin = Instant::now();
    let mut check = sound(begin);
    answered(&mut check, begin + SECOND, 1, begin + SECOND);
    let now = begin + SECOND * 5;
    for number in 0..200 {
        check.failed(now, silence(number, begin));
        let done = steps(&mut check, now);
        assert_eq!((done.len(), count(&done, is_settled)), (1, 1), "no further attempt, nobody is looked at");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silence_of_all_that_is_over_when_it_is_noticed_is_no_target_s() {
    let begin = Instant::now();
    let mut check = sound(begin);
    // Everything is swallowed from second 1 to second 6. Then others begin and answer again, amid what had
    // failed.
    let mut again = 0;
    for number in 0..50 {
        let at = begin + SECOND * 6 + MILLISECOND * 10 * u32::from(number);
        check.failed(at, silence(number, at - SECOND * 5));
        for step in steps(&mut check, at) {
            match step {
                Step::Look(_) => check.looked(at, LookResult::Connected),
                Step::AskAgain(_) => again += 1,
                Step::Swallowed(from, until) => assert!(from == begin && until > begin + SECOND * 6),
                other => panic!("{other:?}"),
            }
        }
        answered(&mut check, at, 1, at);
    }
    let last = begin + SECOND * 10;
    again += count(&steps(&mut check, last), is_again);
    assert_eq!((again, check.held()), (50, 0));
}

#[tokio::test(start_paused = true)]
async fn what_fails_first_in_a_burst_is_no_target_s_though_a_connection_is_noticed_later() {
    let begin = Instant::now();
    let mut check = sound(begin);
    // The rule of the firewall comes in between: this connection began before it and was noticed after the
    // first refusal.
    let (first, noticed) = (begin + SECOND, begin + SECOND + MILLISECOND * 5);
    answered(&mut check, noticed, 1, noticed);
    check.failed(noticed, failure(50, Outcome::Refused, first));
    assert_eq!(steps(&mut check, noticed), [], "nothing is written yet");
    let now = noticed + MILLISECOND * 20;
    for number in 0..8 {
        check.failed(now, failure(number, Outcome::Refused, now));
    }
    assert_eq!(count(&steps(&mut check, now), is_look), 3);
    all_looked(&mut check, now, LookResult::Failed(Outcome::Refused));
    steps(&mut check, now);
    let mended = now + SECOND * 2;
    answered(&mut check, mended, 1, mended);
    let again = steps(&mut check, mended);
    assert_eq!(
        (again.len(), count(&again, is_again)),
        (8, 8),
        "the ninth shows whether the path works: {again:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reset_connection_at_the_begin_of_a_burst_belongs_to_it() {
    let begin = Instant::now();
    let mut check = sound(begin);
    let now = begin + SECOND;
    check.failed(now, failure(50, Outcome::Reset, now));
    for number in 0..7 {
        check.failed(now, failure(number, Outcome::Refused, now));
    }
    assert_eq!(count(&steps(&mut check, now), is_look), 3);
    all_looked(&mut check, now, LookResult::Failed(Outcome::Reset));
    steps(&mut check, now);
    answered(&mut check, now + SECOND, 1, now + SECOND);
    let again = steps(&mut check, now + SECOND);
    assert_eq!((again.len(), count(&again, is_again)), (7, 7), "the eighth shows whether the path works");
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_late_of_a_burst_that_was_cleared_belongs_to_it() {
    let begin = Instant::now();
    let mut check = suspicious(begin, Outcome::Refused);
    let cleared = begin + SECOND * 2;
    all_looked(&mut check, cleared, LookResult::Connected);
    assert_eq!(count(&steps(&mut check, cleared), is_again), 8);
    // A thread that stood still tells three seconds later what it saw in the burst, and what it saw since.
    let now = cleared + SECOND * 3;
    answered(&mut check, now, 1, now);
    let since = begin + SECOND;
    check.failed(now, Failure { since, ..failure(60, Outcome::Refused, now) });
    check.failed(now, failure(61, Outcome::Refused, now));
    let done = steps(&mut check, now + LATE);
    assert!(matches!(&done[..], [Step::AskAgain(_), Step::Settle(_)]), "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn a_burst_that_nobody_can_be_looked_at_for_is_asked_again() {
    let begin = Instant::now();
    let mut check = sound(begin);
    // Five hosts are known, so the third burst finds all of them looked at just now.
    for burst in 1..=4 {
        let now = begin + SECOND * burst;
        for number in 0..20 {
            check.failed(now, failure(number, Outcome::Refused, now));
        }
        let looks = count(&steps(&mut check, now), is_look);
        assert_eq!(looks, [3, 2, 0, 0][burst as usize - 1]);
        (0..looks).for_each(|_| check.looked(now, LookResult::Connected));
        answered(&mut check, now + SECOND / 2, 100, now + SECOND / 2);
        let again = steps(&mut check, now + SECOND / 2);
        assert_eq!((again.len(), count(&again, is_again)), (20, 20), "burst {burst}: {again:?}");
    }
}

/// Targets fail that were asked again before.
fn fail_again(check: &mut SanityCheck, now: Instant, doubted: u8, count: u8) {
    for number in 0..count {
        let mut again = failure(number, Outcome::Refused, now);
        again.attempt.doubted = doubted;
        check.failed(now, again);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_burst_in_the_pass_after_the_first_blames_nobody() {
    let begin = Instant::now();
    for (look, rounds) in [(LookResult::Failed(Outcome::Refused), 9), (LookResult::Connected, 2)] {
        let mut check = sound(begin);
        fail_again(&mut check, begin + SECOND, 0, 50);
        for round in 0..=rounds {
            let now = begin + SECOND * (20 * u32::from(round) + 1);
            let done = steps(&mut check, now);
            assert_eq!((done.len(), count(&done, is_look)), (3, 3), "{look:?} in round {round}: {done:?}");
            all_looked(&mut check, now, look);
            steps(&mut check, now);
            answered(&mut check, now + SECOND, 1, now + SECOND);
            assert_eq!(count(&steps(&mut check, now + SECOND), is_settled), 0);
            let next = now + SECOND * 20;
            fail_again(&mut check, next, round + 1, 50);
        }
    }
    // But nobody is asked for ever.
    let mut check = sound(begin);
    for (doubted, settled) in [(0, 0), (MOST_DOUBTED, 50)] {
        let now = begin + SECOND * (20 * u32::from(doubted) + 1);
        fail_again(&mut check, now, doubted, 50);
        all_looked(&mut check, now, LookResult::Connected);
        assert_eq!(count(&steps(&mut check, now), is_settled), settled);
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_a_scan_a_short_run_is_looked_into() {
    let begin = Instant::now();
    let now = begin + SECOND;
    for (length, looks) in [(2, 0), (3, 3), (7, 3)] {
        let mut check = sound(begin);
        for number in 0..length {
            check.failed(now, failure(number, Outcome::Refused, now));
        }
        check.release(now);
        let done = steps(&mut check, now);
        assert_eq!(
            (count(&done, is_look), check.held()),
            (looks, usize::from(length) * looks / 3),
            "{length}"
        );
    }
    let mut check = sound(begin);
    (0..4).for_each(|number| check.failed(now, failure(number, Outcome::Refused, now)));
    check.release(now);
    steps(&mut check, now);
    all_looked(&mut check, now, LookResult::Failed(Outcome::Refused));
    assert!(check.is_waiting(), "the path is broken");
}
