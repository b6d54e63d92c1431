//! Rounds against invented upstreams, in invented time.

use super::*;
use crate::resolve::question::Records;

const TTL: Duration = Duration::from_secs(300);

fn known() -> Known {
    Known { ip: "192.0.2.1".parse().unwrap(), name: DnsName::parse("mail.example.org").unwrap(), ttl: TTL }
}

/// How an upstream answers a canary.
type Manner = fn(&Question) -> Answer;

fn honest(question: &Question) -> Answer {
    let known = known();
    if *question == Question::ptr(known.ip) {
        Answer::found(Records::Names(vec![known.name]), TTL)
    } else if question.name == known.name {
        Answer::found(Records::Addresses(vec![known.ip]), TTL)
    } else {
        Answer::bare(Status::NxDomain)
    }
}

fn denying(_: &Question) -> Answer {
    Answer::bare(Status::NxDomain)
}

fn emptying(_: &Question) -> Answer {
    Answer::bare(Status::NoData)
}

fn portal(question: &Question) -> Answer {
    match question.kind {
        Kind::Ptr => honest(question),
        _ => Answer::found(Records::Addresses(vec!["198.51.100.1".parse().unwrap()]), TTL),
    }
}

fn wildcard(question: &Question) -> Answer {
    match honest(question) {
        answer if answer.status == Status::Found => answer,
        _ => Answer::found(Records::Names(vec![DnsName::parse("wild.example.net").unwrap()]), TTL),
    }
}

fn renaming(question: &Question) -> Answer {
    match question.kind {
        Kind::Ptr => Answer::found(Records::Names(vec![DnsName::parse("wild.example.net").unwrap()]), TTL),
        _ => honest(question),
    }
}

fn failing(_: &Question) -> Answer {
    Answer::bare(Status::ServFail)
}

fn private(question: &Question) -> Answer {
    match honest(question) {
        answer if answer.status == Status::Found => answer,
        _ => Answer::bare(Status::Refused),
    }
}

/// A round that hosts 1 and 2 wait for, 3 having come after it began; who is freed, and how.
fn round(upstreams: &[Manner]) -> (&'static str, Vec<u32>, Vec<usize>) {
    let (mut canaries, now) = (Canaries::new(), Instant::now());
    canaries.learn(known(), now);
    assert_eq!((canaries.doubt(1, now), canaries.doubt(2, now)), (Ok(()), Ok(())));
    let mut put = Vec::new();
    assert!(canaries.begin(now, 0..upstreams.len(), &mut put).is_none());
    assert!(put.is_empty(), "they wait for company");
    if let Some(outcome) = canaries.begin(now + LONG, 0..upstreams.len(), &mut put) {
        return told(outcome);
    }
    assert_eq!(canaries.doubt(3, now + LONG), Ok(()));
    assert!(canaries.begin(now + LONG * 2, 0..upstreams.len(), &mut put).is_none(), "one round at a time");
    assert_eq!(put.len(), 3 * upstreams.len());
    let mut outcome = None;
    for Put { upstream, token, question } in put {
        assert!(is_canary(token) && outcome.is_none());
        outcome = canaries.answered(token, &upstreams[upstream](&question));
    }
    told(outcome.unwrap())
}

fn told(outcome: Outcome<u32>) -> (&'static str, Vec<u32>, Vec<usize>) {
    match outcome {
        Outcome::BorneOut(cases) => ("borne out", cases, Vec::new()),
        Outcome::Recovered(cases) => ("recovered", cases, Vec::new()),
        Outcome::Unclear(cases) => ("unclear", cases, Vec::new()),
        Outcome::Lies(cases, liars) => ("lies", cases, liars),
    }
}

#[test]
fn a_round_tells_who_lies_who_is_in_trouble_and_who_does_neither() {
    let cases: [(&[Manner], _, &[u32], &[usize]); 12] = [
        (&[honest], "borne out", &[1, 2], &[]),
        (&[honest, honest], "borne out", &[1, 2], &[]),
        (&[private], "borne out", &[1, 2], &[]),
        (&[denying], "lies", &[1, 2, 3], &[0]),
        (&[honest, emptying], "lies", &[1, 2, 3], &[1]),
        (&[portal, honest, denying], "lies", &[1, 2, 3], &[0, 2]),
        (&[wildcard], "lies", &[1, 2, 3], &[0]),
        (&[honest, renaming], "lies", &[1, 2, 3], &[1]),
        (&[failing, denying], "lies", &[1, 2, 3], &[1]),
        (&[honest, failing], "borne out", &[1, 2], &[]),
        (&[failing, failing], "unclear", &[1, 2], &[]),
        (&[], "unclear", &[1, 2], &[]),
    ];
    for (number, (upstreams, what, freed, liars)) in cases.into_iter().enumerate() {
        assert_eq!(round(upstreams), (what, freed.to_vec(), liars.to_vec()), "case {number}");
    }
}

#[test]
fn where_nothing_is_known_nobody_waits() {
    let (mut canaries, now) = (Canaries::new(), Instant::now());
    assert_eq!(canaries.doubt(1, now), Err(1));
    canaries.learn(Known { ttl: Duration::ZERO, ..known() }, now);
    assert_eq!(canaries.doubt(1, now), Err(1), "what does not hold is not known");
    canaries.learn(Known { ttl: Duration::from_secs(5), ..known() }, now);
    assert_eq!(canaries.doubt(1, now + Duration::from_secs(4)), Ok(()));
    assert_eq!(canaries.doubt(2, now + Duration::from_secs(5)), Err(2));
    canaries.learn(known(), now);
    assert_eq!(canaries.doubt(2, now + HOLDS), Err(2), "however long its TTL");
}

#[test]
fn what_came_between_a_bad_round_and_a_good_one_is_not_borne_out_and_what_is_known_stays_known() {
    let (mut canaries, now) = (Canaries::new(), Instant::now());
    canaries.learn(known(), now);
    let mut then = now;
    for (upstream, what) in [
        (honest as Manner, "borne out"),
        (denying, "lies"),
        (failing, "unclear"),
        (honest, "recovered"),
        (honest, "borne out"),
    ] {
        assert_eq!(canaries.doubt(1, then), Ok(()), "{what}");
        let mut put = Vec::new();
        canaries.begin(then + LONG, std::iter::once(0), &mut put);
        let outcomes: Vec<_> =
            put.iter().filter_map(|put| canaries.answered(put.token, &upstream(&put.question))).collect();
        assert_eq!(outcomes.into_iter().map(|outcome| told(outcome).0).collect::<Vec<_>>(), [what]);
        // Long after the TTL while all is not well.
        then = if matches!(what, "lies" | "unclear") { now + HOLDS * 100 } else { now };
    }
    assert_eq!(canaries.doubt(1, now + HOLDS), Err(1));
}

#[test]
fn many_do_not_wait_for_more() {
    let (mut canaries, now) = (Canaries::new(), Instant::now());
    canaries.learn(known(), now);
    for case in 0..MANY {
        assert!(canaries.due().is_none_or(|at| at > now));
        assert_eq!(canaries.doubt(case, now), Ok(()));
    }
    assert_eq!((canaries.due(), canaries.len()), (Some(now), MANY));
}
