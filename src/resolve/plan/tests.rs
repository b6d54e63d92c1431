//! From cases to questions and back, in invented time: who shares an answer, who is asked again, who is believed.

use std::time::Duration;

use super::*;
use crate::evidence::Status;
use crate::name::{DnsName, HostName};
use crate::resolve::question::{Kind, Records};
use crate::resolve::want::{Solution, Want};

fn identity(last: u8, banner: &str) -> Case<u8> {
    let ip = std::net::IpAddr::from([192, 0, 2, last]);
    Case { want: Want::Identity { ip, banner: Some(HostName::parse(banner).unwrap()) }, carry: last }
}

/// Every question so far, answered by a function.
fn answer_all(plan: &mut Plan<u8>, now: Instant, answer: impl Fn(&Question) -> Answer) -> Vec<Question> {
    let mut asked = Vec::new();
    while let Some((token, question)) = plan.next_question() {
        let question = question.clone();
        plan.answered(token, answer(&question), now);
        asked.push(question);
    }
    asked
}

fn by_kind(question: &Question) -> Answer {
    let ttl = Duration::from_secs(300);
    if question.kind == Kind::Ptr {
        return Answer::found(Records::Names(vec![DnsName::parse("mx.example.org").unwrap()]), ttl);
    }
    let all = (1..=100).map(|last| std::net::IpAddr::from([192, 0, 2, last]));
    Answer::found(Records::Addresses(all.collect()), ttl)
}

#[test]
fn hosts_that_wait_for_one_question_share_its_answer() {
    let (mut plan, now) = (Plan::new(0), Instant::now());
    for last in 1..=100 {
        plan.admit(identity(last, "mx.example.org"), now);
    }
    let asked = answer_all(&mut plan, now, by_kind);
    assert_eq!(asked.len(), 101, "100 PTR and one A");
    let mut carried: Vec<u8> = plan.take_solved(usize::MAX).into_iter().map(|solved| solved.carry).collect();
    carried.sort_unstable();
    assert_eq!((carried, plan.open()), ((1..=100).collect(), 0));
}

#[test]
fn a_kept_answer_is_not_asked_again_until_it_is_old() {
    let (mut plan, now) = (Plan::new(0), Instant::now());
    for (seconds, questions) in [(0, 2), (299, 1), (301, 2)] {
        let then = now + Duration::from_secs(seconds);
        plan.admit(identity(1, "mx.example.org"), then);
        assert_eq!(answer_all(&mut plan, then, by_kind).len(), questions, "after {seconds} s");
    }
    assert_eq!(plan.take_solved(usize::MAX).len(), 3);
}

#[test]
fn a_failure_is_asked_again_by_the_next_host() {
    let (mut plan, now) = (Plan::new(0), Instant::now());
    for _ in 0..2 {
        plan.admit(identity(1, "mx.example.org"), now);
        let asked = answer_all(&mut plan, now, |_| Answer::bare(Status::TimedOut));
        assert_eq!(asked.len(), 2);
    }
    let solved = plan.take_solved(usize::MAX);
    let Solution::Identity(resolution) = &solved[1].solution else { panic!() };
    assert_eq!((resolution.ptr, resolution.banner_forward.status), (Status::TimedOut, Status::TimedOut));
}

#[test]
fn an_answer_given_twice_counts_once() {
    let (mut plan, now) = (Plan::new(0), Instant::now());
    plan.admit(Case { want: Want::Addresses(HostName::parse("a.example.org").unwrap()), carry: 0 }, now);
    let token = plan.next_question().unwrap().0;
    plan.answered(token, Answer::bare(Status::NoData), now);
    plan.answered(token, Answer::bare(Status::NoData), now);
    assert_eq!((plan.solved(), plan.waiting()), (0, 1));
}

#[test]
fn solved_cases_leave_in_order_and_in_parts() {
    let (mut plan, now) = (Plan::new(0), Instant::now());
    for last in 1..=10 {
        plan.admit(identity(last, "mail.local"), now);
    }
    answer_all(&mut plan, now, |_| Answer::bare(Status::NxDomain));
    let parts: Vec<Vec<u8>> =
        [4, 4, 4].map(|most| plan.take_solved(most).into_iter().map(|solved| solved.carry).collect()).into();
    assert_eq!(parts, [vec![1, 2, 3, 4], vec![5, 6, 7, 8], vec![9, 10]]);
}

/// Everything asked in a second pass at the end.
fn second_pass(plan: &mut Plan<u8>, now: Instant) -> Vec<Question> {
    plan.ask_again(now, Reach::Somebody, Intake::Over);
    answer_all(plan, now, by_kind)
}

#[test]
fn only_what_was_not_settled_is_asked_again_and_once() {
    let (mut plan, now) = (Plan::new(10), Instant::now());
    plan.admit(identity(1, "mx.example.org"), now);
    plan.admit(identity(2, "mail.example.org"), now);
    answer_all(&mut plan, now, |question| match question.kind {
        Kind::Ptr => by_kind(question),
        _ if question.name == DnsName::parse("mail.example.org").unwrap() => Answer::bare(Status::ServFail),
        _ => by_kind(question),
    });
    assert_eq!((plan.solved(), plan.held_back(), plan.open()), (1, 1, 1));
    plan.ask_again(now, Reach::Somebody, Intake::Open);
    assert_eq!(plan.held_back(), 1, "not before the end");
    plan.ask_again(now, Reach::Nobody, Intake::Over);
    let asked = answer_all(&mut plan, now, |_| Answer::bare(Status::TimedOut));
    assert_eq!(asked, [Question::new(DnsName::parse("mail.example.org").unwrap(), Kind::A)]);
    assert_eq!((plan.solved(), plan.held_back(), plan.open()), (2, 0, 2), "there is no third pass");
    let Solution::Identity(resolution) = &plan.take_solved(9)[1].solution else { panic!() };
    assert_eq!((resolution.ptr, resolution.banner_forward.status), (Status::Found, Status::TimedOut));
    assert_eq!(resolution.names[0].forward.status, Status::Found);
}

#[test]
fn a_ptr_that_comes_in_the_second_pass_is_followed() {
    for status in [Status::ServFail, Status::Refused, Status::TimedOut, Status::Malformed] {
        let (mut plan, now) = (Plan::new(10), Instant::now());
        plan.admit(identity(1, "mx.example.org"), now);
        answer_all(&mut plan, now, |question| match question.kind {
            Kind::Ptr => Answer::bare(status),
            _ => by_kind(question),
        });
        assert_eq!(second_pass(&mut plan, now), [Question::ptr([192, 0, 2, 1].into())], "{status:?}");
        let Solution::Identity(resolution) = &plan.take_solved(9)[0].solution else { panic!() };
        assert_eq!(resolution.names[0].forward.confirms(Some([192, 0, 2, 1].into())), Some(true));
    }
}

#[test]
fn beyond_the_room_for_a_second_pass_hosts_are_solved_as_they_are() {
    let (mut plan, now) = (Plan::new(10), Instant::now());
    for last in 1..=20 {
        plan.admit(identity(last, "mail.local"), now);
    }
    answer_all(&mut plan, now, |_| Answer::bare(Status::TimedOut));
    assert_eq!((plan.solved(), plan.held_back()), (10, 10));
    assert_eq!(second_pass(&mut plan, now).len(), 11, "ten PTR, one A");
    assert_eq!(plan.take_solved(99).len(), 20);
}

/// The host at an address whose names fit, as the zone has it.
fn honest(question: &Question) -> Answer {
    let ttl = Duration::from_secs(300);
    let text = question.name.to_string();
    match question.kind {
        Kind::Ptr if text == "1.2.0.192.in-addr.arpa" => by_kind(question),
        Kind::Ptr => Answer { ttl, ..Answer::bare(Status::NxDomain) },
        _ => Answer::found(Records::Addresses(vec!["192.0.2.1".parse().unwrap()]), ttl),
    }
}

fn denying(_: &Question) -> Answer {
    Answer::bare(Status::NxDomain)
}

/// A plan that knows host 1 to be borne out.
fn knowing(held_back: usize, now: Instant) -> Plan<u8> {
    let mut plan = Plan::new(held_back);
    plan.admit(identity(1, "mx.example.org"), now);
    answer_all(&mut plan, now, honest);
    assert_eq!(plan.take_solved(9).len(), 1);
    plan
}

/// The round of canaries that is due, answered so; `others` are there to be asked.
fn round(plan: &mut Plan<u8>, now: Instant, others: Again, answer: fn(&Question) -> Answer) -> Vec<usize> {
    let mut put = Vec::new();
    plan.try_upstreams(now + Duration::from_secs(1), std::iter::once(0), &mut put);
    assert_eq!(put.len(), 3);
    put.iter()
        .flat_map(|put| plan.canary_answered(put.token, &answer(&put.question), |_| others, now))
        .collect()
}

fn solved(plan: &mut Plan<u8>) -> Vec<(u8, Status)> {
    let solved = plan.take_solved(usize::MAX).into_iter().map(|solved| match solved.solution {
        Solution::Identity(resolution) => (solved.carry, resolution.ptr),
        other => panic!("{other:?}"),
    });
    solved.collect()
}

#[test]
fn absence_is_believed_when_the_upstreams_have_shown_that_they_tell_the_truth() {
    let now = Instant::now();
    let mut plan = knowing(10, now);
    plan.admit(identity(2, "mail.local"), now);
    answer_all(&mut plan, now, honest);
    assert_eq!((plan.solved(), plan.waiting(), plan.open()), (0, 1, 1));
    assert!(round(&mut plan, now, Again::Now, honest).is_empty());
    assert_eq!((solved(&mut plan), plan.open()), (vec![(2, Status::NxDomain)], 0));
    let mut first = Plan::new(10);
    first.admit(identity(2, "mail.local"), now);
    answer_all(&mut first, now, denying);
    assert_eq!(
        solved(&mut first),
        [(2, Status::NxDomain)],
        "before anything is known, it is believed at once"
    );
}

#[test]
fn what_a_liar_said_is_asked_of_another_at_once_and_so_is_what_was_under_way() {
    let now = Instant::now();
    let mut plan = knowing(10, now);
    plan.admit(identity(1, "gone.example.org"), now);
    answer_all(&mut plan, now, denying);
    plan.admit(identity(3, "mail.local"), now);
    let (under_way, _) = plan.next_question().unwrap();
    assert_eq!(round(&mut plan, now, Again::Now, denying), [0]);
    assert_eq!((plan.solved(), plan.waiting()), (0, 2));
    plan.answered(under_way, Answer::bare(Status::NxDomain), now);
    let asked = answer_all(&mut plan, now, honest);
    assert_eq!(asked.len(), 4, "the PTR of 1 and 3, and the names of 1, which are not kept: {asked:?}");
    assert_eq!(solved(&mut plan), [(1, Status::Found)]);
    // The lie is over; when it was is not known.
    assert!(round(&mut plan, now, Again::Now, honest).is_empty());
    assert_eq!(answer_all(&mut plan, now, honest).len(), 1);
    assert!(round(&mut plan, now, Again::Now, honest).is_empty());
    assert_eq!(solved(&mut plan), [(3, Status::NxDomain)]);
}

#[test]
fn what_the_only_upstream_lied_about_waits_for_the_second_pass_or_settles_nothing() {
    for (held_back, then, status) in [
        (10, honest as fn(&Question) -> Answer, Status::Found),
        (10, denying, Status::Malformed),
        (0, honest, Status::Malformed),
    ] {
        let now = Instant::now();
        let mut plan = knowing(held_back, now);
        plan.admit(identity(1, "mx.example.org"), now);
        answer_all(&mut plan, now, denying);
        assert_eq!(round(&mut plan, now, Again::Later, denying), [0]);
        assert_eq!(plan.held_back(), held_back.min(1));
        if held_back > 0 {
            plan.ask_again(now, Reach::Somebody, Intake::Over);
            answer_all(&mut plan, now, then);
            if plan.solved() == 0 {
                assert_eq!(round(&mut plan, now, Again::Later, then), [0]);
            }
        }
        assert_eq!((solved(&mut plan), plan.open() + plan.held_back()), (vec![(1, status)], 0));
    }
}

#[test]
fn with_nobody_to_ask_absence_waits_for_the_second_pass() {
    let now = Instant::now();
    let mut plan = knowing(10, now);
    plan.admit(identity(2, "mail.local"), now);
    answer_all(&mut plan, now, honest);
    plan.try_upstreams(now + Duration::from_secs(1), std::iter::empty(), &mut Vec::new());
    assert_eq!((plan.solved(), plan.held_back()), (0, 1));
}

#[test]
fn nothing_that_was_said_in_a_lie_is_kept_or_believed_when_it_comes_late() {
    let now = Instant::now();
    let mut plan = knowing(10, now);
    plan.admit(identity(1, "gone.example.org"), now);
    answer_all(&mut plan, now, denying);
    assert_eq!(round(&mut plan, now, Again::Later, denying), [0]);
    // In the midst of the lie somebody else asks for the same name; both denials come when it is over.
    plan.admit(identity(4, "gone.example.org"), now);
    let tokens: Vec<Token> = std::iter::from_fn(|| plan.next_question().map(|(token, _)| token)).collect();
    let soon = now + Duration::from_secs(5);
    assert!(round(&mut plan, soon, Again::Later, honest).is_empty());
    for token in tokens {
        plan.answered(token, Answer { ttl: Duration::from_secs(300), ..Answer::bare(Status::NxDomain) }, now);
    }
    let asked = answer_all(&mut plan, now, honest);
    assert_eq!(asked.len(), 2, "{asked:?}");
    plan.hurry();
    let hosts = solved(&mut plan);
    assert_eq!(hosts, [(1, Status::Malformed)], "in a hurry no lie gets out either");
}
