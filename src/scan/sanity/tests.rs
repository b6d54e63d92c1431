//! Failures of made-up targets, with time passed in.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use super::*;
use crate::evidence::Observation;
use crate::scan::aim::Errand;

const SECOND: Duration = Duration::from_secs(1);
const KINDS: [Outcome; 3] = [Outcome::Refused, Outcome::Unreachable, Outcome::TimedOut];

fn host(network: u8, last: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::from([10, 0, network, last]), 25)
}

fn failure(number: u8, outcome: Outcome, at: Instant) -> Failure {
    let aim = Aim { attempts: 1, ..Aim::look(host(100, number), Errand::Record) };
    let observation = Observation::bare(outcome, 1);
    let (since, time) = (at, SystemTime::UNIX_EPOCH);
    let (blame, further, scanner) = (Blame::Far, Further::None, Arc::default());
    Failure { aim, observation, blame, further, since, at, time, scanner }
}

/// A scan in which all targets of five networks answered so far.
fn sound(begin: Instant) -> SanityCheck {
    let mut check = SanityCheck::new(Settings::default());
    for network in 0..5 {
        check.greeted(host(network, 1));
    }
    check.answered(begin, (500, 0), begin);
    check
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
    matches!(step, Step::AskAgain(aim) if aim.doubted == 1 && aim.attempts == 0)
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
    check.answered(now, (1, 0), now - SECOND / 2);
    assert_eq!(steps(&mut check, now), [], "that connection was before");
    check.answered(now + SECOND, (1, 0), now + SECOND);
    let done = steps(&mut check, now + SECOND);
    assert_eq!((done.len(), count(&done, is_settled)), (1, 1));
    check.failed(now + SECOND, failure(2, Outcome::Refused, now));
    assert_eq!(count(&steps(&mut check, now), is_settled), 1, "it failed before that connection");
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
        let [Step::Warn(doubt), Step::AskNow(aim)] = &told[..] else { panic!("{told:?}") };
        assert_eq!((doubt, aim.attempts), (&Doubt::PathLost { how: outcome, wait }, 0));
        let later = now + SECOND / 2;
        assert_eq!(steps(&mut check, later), []);
        check.failed(later, failure(99, outcome, later));
        assert_eq!((steps(&mut check, later), check.held()), (vec![], 8));
        let mended = later + SECOND;
        check.answered(mended, (1, 0), mended);
        let again = steps(&mut check, mended);
        assert_eq!((again.len(), count(&again, is_again)), (8, 8), "{again:?}");
        assert!(!check.is_waiting());
        // What failed meanwhile is heard of late, also of a target that was asked again before.
        for doubted in 0..2 {
            let mut late = failure(77, outcome, mended - SECOND);
            late.aim.doubted = doubted;
            check.failed(mended, late);
            assert!(matches!(steps(&mut check, mended)[..], [Step::AskAgain(_)]));
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
        for step in again {
            let Step::AskAgain(aim) = step else { panic!("{step:?}") };
            let aim = Aim { attempts: 1, ..aim };
            check.failed(now, Failure { aim, ..failure(0, Outcome::Refused, now) });
        }
        check.release();
        check.answered(now + SECOND, (1, 0), now + SECOND);
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
    for number in 0..5000_u16 {
        let now = begin + Duration::from_millis(u64::from(number));
        // Up to nine in a row.
        if number.is_multiple_of(2) || number % 100 < 18 {
            check.failed(now, failure(u8::try_from(number % 250).unwrap(), Outcome::Refused, now));
        } else {
            check.answered(now, (1, 0), now);
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
    let again = steps(&mut check, begin);
    assert_eq!((again.len(), count(&again, is_again)), (1, 1));
    let mut second = near(begin);
    second.aim.doubted = 1;
    check.failed(begin, second);
    let done = steps(&mut check, begin);
    let [Step::Settle(seen)] = &done[..] else { panic!("{done:?}") };
    assert_eq!((seen.observation.outcome, seen.observation.attempts), (Outcome::Unreachable, 2));
}

#[tokio::test(start_paused = true)]
async fn before_any_host_greeted_failures_are_written_as_they_are() {
    let begin = Instant::now();
    for outcome in KINDS {
        let mut check = SanityCheck::new(Settings::default());
        for number in 0..100 {
            check.failed(begin, failure(number, outcome, begin));
        }
        assert_eq!(count(&steps(&mut check, begin), is_settled), 100);
    }
    let mut check = SanityCheck::new(Settings::default());
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
                Step::AskNow(aim) => {
                    tried += 1;
                    check.failed(now, Failure { aim, ..failure(0, Outcome::Refused, now) });
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
    let mut check = sound(begin);
    check.recovered(begin);
    check.recovered(begin);
    assert_eq!(steps(&mut check, begin), [Step::Warn(Doubt::Recovered)]);
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
        again.aim.attempts = 2;
        check.failed(now, again);
        assert_eq!(steps(&mut check, now), []);
    }
    check.release();
    assert_eq!(count(&steps(&mut check, now), is_settled), 200);
}

#[tokio::test(start_paused = true)]
async fn who_is_silent_while_others_answer_gets_no_attempt_more_than_was_asked_for() {
    let begin = Instant::now();
    let mut check = suspicious(begin, Outcome::TimedOut);
    for _ in 0..3 {
        check.looked(begin + SECOND * 2, LookResult::Connected);
    }
    let done = steps(&mut check, begin + SECOND * 2);
    assert_eq!((done.len(), count(&done, is_settled)), (8, 8), "{done:?}");
}
