//! From cases to questions and back, in invented time: who shares an answer, who is asked again, who is
//! believed.

use std::time::Duration;

use super::*;
use crate::evidence::Status;
use crate::name::{DnsName, HostName};
use crate::resolve::question::origin::Origin;
use crate::resolve::question::{Kind, Records};
use crate::resolve::want::{Solution, Want};

/// All is believed.
const GIVEN: Checks = Checks { upstreams: 0, patience: Duration::ZERO };

pub(super) fn identity(last: u8, banner: &str) -> Case<u8> {
    let ip = std::net::IpAddr::from([192, 0, 2, last]);
    Case { want: Want::Identity { ip, banner: Some(HostName::parse(banner).unwrap()) }, carry: last }
}

/// Every question so far, answered by a function.
fn answer_all(plan: &mut Plan<u8>, now: Instant, answer: impl Fn(&Question) -> Answer) -> Vec<Question> {
    let mut asked = Vec::new();
    while let Some((token, question, _)) = plan.next_question() {
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
    let (mut plan, now) = (Plan::new(0, GIVEN), Instant::now());
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
    let (mut plan, now) = (Plan::new(0, GIVEN), Instant::now());
    for (seconds, questions) in [(0, 2), (299, 1), (301, 2)] {
        let then = now + Duration::from_secs(seconds);
        plan.admit(identity(1, "mx.example.org"), then);
        assert_eq!(answer_all(&mut plan, then, by_kind).len(), questions, "after {seconds} s");
    }
    assert_eq!(plan.take_solved(usize::MAX).len(), 3);
}

#[test]
fn a_failure_is_asked_again_by_the_next_host() {
    let (mut plan, now) = (Plan::new(0, GIVEN), Instant::now());
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
fn names_of_the_target_list_are_asked_for_before_hosts() {
    let mut plan = Plan::new(8, GIVEN);
    let now = Instant::now();
    plan.admit(identity(1, "mail.example.net"), now);
    let want = Want::Addresses(HostName::parse("mx.example.org").unwrap());
    plan.admit(Case { want, carry: 2 }, now);
    assert_eq!(plan.ready(), 4);
    let kinds: Vec<Kind> = std::iter::from_fn(|| Some(plan.next_question()?.1.kind)).collect();
    assert_eq!(kinds, [Kind::A, Kind::Aaaa, Kind::Ptr, Kind::A], "A alone of a host at 192.0.2.1");
}

#[test]
fn an_answer_given_twice_counts_once() {
    let (mut plan, now) = (Plan::new(0, GIVEN), Instant::now());
    plan.admit(Case { want: Want::Addresses(HostName::parse("a.example.org").unwrap()), carry: 0 }, now);
    let token = plan.next_question().unwrap().0;
    plan.answered(token, Answer::bare(Status::NoData), now);
    plan.answered(token, Answer::bare(Status::NoData), now);
    assert_eq!((plan.solved(), plan.waiting()), (0, 1));
}

#[test]
fn solved_cases_leave_in_order_and_in_parts() {
    let (mut plan, now) = (Plan::new(0, GIVEN), Instant::now());
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
    let (mut plan, now) = (Plan::new(10, GIVEN), Instant::now());
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
        let (mut plan, now) = (Plan::new(10, GIVEN), Instant::now());
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
    let (mut plan, now) = (Plan::new(10, GIVEN), Instant::now());
    for last in 1..=20 {
        plan.admit(identity(last, "mail.local"), now);
    }
    answer_all(&mut plan, now, |_| Answer::bare(Status::TimedOut));
    assert_eq!((plan.solved(), plan.held_back()), (10, 10));
    assert_eq!(second_pass(&mut plan, now).len(), 11, "ten PTR, one A");
    assert_eq!(plan.take_solved(99).len(), 20);
}

/// How an upstream of the tests below answers.
pub(super) type Manner = fn(&Question) -> Answer;
/// A PTR status, and whether the first name confirms.
type Said = (Status, Option<bool>);

/// Hosts 1 to 99 of a zone of its own, without the Internet: from 50 on they have no PTR name.
pub(super) fn honest(question: &Question) -> Answer {
    let ttl = Duration::ZERO;
    let text = question.name.to_string();
    let reverse = text.strip_suffix(".2.0.192.in-addr.arpa").and_then(|last| last.parse::<u8>().ok());
    let host = text.strip_prefix("mail").and_then(|it| it.strip_suffix(".example.org")?.parse::<u8>().ok());
    let is_zone = text == "2.0.192.in-addr.arpa" || text == "example.org";
    match question.kind {
        Kind::Ptr if reverse.is_some_and(|last| last < 50) => {
            let name = format!("mail{}.example.org", reverse.unwrap_or(0));
            Answer::found(Records::Names(vec![DnsName::parse(&name).unwrap()]), ttl)
        }
        Kind::A if host.is_some() => {
            Answer::found(Records::Addresses(vec![[192, 0, 2, host.unwrap_or(0)].into()]), ttl)
        }
        Kind::Soa | Kind::Ns if is_zone => Answer::found(Records::Names(vec![DnsName::root()]), ttl),
        _ if reverse.is_some_and(|last| last < 50) => empty("2.0.192.in-addr.arpa"),
        _ if host.is_some() => empty("example.org"),
        _ => denied(if text.ends_with("arpa") { "2.0.192.in-addr.arpa" } else { "example.org" }),
    }
}

pub(super) fn denied(zone: &str) -> Answer {
    Answer { zone: Some(DnsName::parse(zone).unwrap()), ..Answer::bare(Status::NxDomain) }
}

fn empty(zone: &str) -> Answer {
    Answer { status: Status::NoData, ..denied(zone) }
}

fn denying(question: &Question) -> Answer {
    let text = question.name.to_string();
    denied(text.split_once('.').map_or(".", |(_, parent)| parent))
}

pub(super) fn inventing(question: &Question) -> Answer {
    match question.kind {
        Kind::Ptr => {
            Answer::found(Records::Names(vec![DnsName::parse("parked.example").unwrap()]), Duration::ZERO)
        }
        _ => Answer::found(Records::Addresses(vec!["203.0.113.1".parse().unwrap()]), Duration::ZERO),
    }
}

pub(super) fn denying_only_ptr(question: &Question) -> Answer {
    if question.kind == Kind::Ptr { denied("2.0.192.in-addr.arpa") } else { honest(question) }
}

/// NODATA to every PTR question, and honest about all else.
fn emptying_only_ptr(question: &Question) -> Answer {
    if question.kind == Kind::Ptr { empty("2.0.192.in-addr.arpa") } else { honest(question) }
}

fn denying_only_forward(question: &Question) -> Answer {
    let is_forward = matches!(question.kind, Kind::A | Kind::Aaaa);
    if is_forward { denied("example.org") } else { honest(question) }
}

fn emptying_only_forward(question: &Question) -> Answer {
    let is_forward = matches!(question.kind, Kind::A | Kind::Aaaa);
    if is_forward { empty("example.org") } else { honest(question) }
}

fn is_of_hosts(question: &Question) -> bool {
    question.kind == Kind::A && question.name.to_string().ends_with("example.org")
}

/// Hosts' addresses are denied with the SOA of the root.
fn denying_forward_at_the_root(question: &Question) -> Answer {
    if is_of_hosts(question) { denied(".") } else { honest(question) }
}

/// NODATA with an SOA made up of the name asked.
fn emptying_forward_in_made_up_zones(question: &Question) -> Answer {
    if is_of_hosts(question) { empty(&question.name.to_string()) } else { honest(question) }
}

/// Hosts' addresses are denied as policy zones do.
fn blocking_forward(question: &Question) -> Answer {
    if is_of_hosts(question) { Answer::bare(Status::Malformed) } else { honest(question) }
}

/// An honest one whose hosts have no PTR names at all.
fn without_ptr(question: &Question) -> Answer {
    if question.name.to_string().ends_with("2.0.192.in-addr.arpa") && question.kind == Kind::Ptr {
        return denied("2.0.192.in-addr.arpa");
    }
    let answer = honest(question);
    if answer.status == Status::NoData && question.name.to_string().ends_with("arpa") {
        return denied("2.0.192.in-addr.arpa");
    }
    answer
}

/// Reverse names moved to another zone by a DNAME, in which there are none.
fn behind_an_alias(question: &Question) -> Answer {
    let text = question.name.to_string();
    let target = text.strip_suffix("2.0.192.in-addr.arpa").map(|host| format!("{host}rev.example.net"));
    match question.kind {
        Kind::Soa | Kind::Ns if text == "rev.example.net" => {
            Answer::found(Records::Names(vec![DnsName::root()]), Duration::ZERO)
        }
        _ if text.ends_with(".rev.example.net") => denied("rev.example.net"),
        _ => match target.filter(|_| text.len() > "2.0.192.in-addr.arpa".len()) {
            Some(target) => Answer { target: DnsName::parse(&target).ok(), ..denied("rev.example.net") },
            None => honest(question),
        },
    }
}

/// The same, but something is at the names that it denies.
fn contradicting_itself_behind_an_alias(question: &Question) -> Answer {
    let is_denied = question.kind == Kind::Soa && question.name.to_string().ends_with(".rev.example.net");
    if is_denied { empty("rev.example.net") } else { behind_an_alias(question) }
}

/// The same, but there is no such zone as it names.
fn behind_an_alias_to_nowhere(question: &Question) -> Answer {
    let is_zone = question.name.to_string() == "rev.example.net";
    if is_zone { denied("example.net") } else { behind_an_alias(question) }
}

/// It denies that hosts have PTR names, and fails wherever it could be tried.
fn failing_on_all_but_hosts(question: &Question) -> Answer {
    let answer = denying_only_ptr(question);
    let is_host = question.kind == Kind::Ptr && question.name.to_string().len() < 25;
    let is_found = question.kind == Kind::A && answer.status == Status::Found;
    if is_host || is_found { answer } else { Answer::bare(Status::ServFail) }
}

fn silent(_: &Question) -> Answer {
    Answer::bare(Status::TimedOut)
}

/// Lets time pass in steps of 10 ms, each answer coming a step after its question, until all is solved or
/// `until`.
fn pass_time(plan: &mut Plan<u8>, upstreams: &[Manner], now: Instant, until: Duration) -> Duration {
    let mut turn = 0;
    let in_turn = || {
        turn += 1;
        turn % upstreams.len()
    };
    pass_time_asking(plan, upstreams, in_turn, now, until)
}

/// The same; who is asked what goes to no upstream alone, is chosen by `choose`.
pub(super) fn pass_time_asking(
    plan: &mut Plan<u8>,
    upstreams: &[Manner],
    mut choose: impl FnMut() -> usize,
    mut now: Instant,
    until: Duration,
) -> Duration {
    let start = now;
    while plan.open() > plan.solved() && now - start < until {
        plan.reachable((0..upstreams.len()).map(|upstream| Reachable { upstream, rate: 10_000 }));
        let mut put = Vec::new();
        plan.begin_controls(now, &mut put);
        let mut asked: Vec<(usize, Token, Question)> =
            put.into_iter().map(|put| (put.upstream, put.token, put.question)).collect();
        while let Some((token, question, pinned)) = plan.next_question() {
            asked.push((pinned.unwrap_or_else(&mut choose), token, question.clone()));
        }
        now += Duration::from_millis(10);
        for (upstream, token, question) in asked {
            // Who is silent costs others the wait for a timeout, which is left out here.
            let answer = upstreams[upstream](&question);
            let origin = answer.status.is_definite().then(|| Origin::new(upstream, now));
            let answer = Answer { origin, ..answer };
            if crate::resolve::trust::is_control(token) {
                plan.control_answered(token, &answer, now);
            } else {
                plan.answered(token, answer, now);
            }
        }
        plan.review(true, now);
    }
    now - start
}

/// What hosts are told by these upstreams: the PTR status and whether the first name confirms, of a host that
/// has a PTR name and one that has none.
fn told(upstreams: &[Manner]) -> Vec<Said> {
    let now = Instant::now();
    let checks = Checks { upstreams: upstreams.len(), patience: Duration::from_secs(4) };
    let mut plan = Plan::new(0, checks);
    let hosts = [1, 2, 3, 4, 51, 52, 53, 54];
    for last in hosts {
        plan.admit(identity(last, &format!("mail{last}.example.org")), now);
    }
    let took = pass_time(&mut plan, upstreams, now, Duration::from_secs(60));
    assert!(took < Duration::from_secs(7), "{took:?}");
    let mut solved = plan.take_solved(usize::MAX);
    assert_eq!((solved.len(), plan.open()), (hosts.len(), 0));
    solved.sort_by_key(|solved| solved.carry);
    let ip = |last: u8| std::net::IpAddr::from([192, 0, 2, last]);
    let mut told: Vec<_> = solved
        .into_iter()
        .map(|solved| match solved.solution {
            Solution::Identity(it) => {
                let first = it.names.first();
                (it.ptr, first.and_then(|name| name.forward.confirms(Some(ip(solved.carry)))))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    told.dedup();
    told
}

#[test]
fn hosts_are_told_the_truth_where_an_upstream_can_be_believed_and_nothing_else_otherwise() {
    let truth = [(Status::Found, Some(true)), (Status::NxDomain, None)];
    let unknown = [(Status::Untrusted, None)];
    let no_ptr = [(Status::NxDomain, None)];
    let unconfirmed = [(Status::Found, None), (Status::Untrusted, None)];
    let cases: [(&str, &[Manner], &[Said]); 22] = [
        ("only PTR denied", &[denying_only_ptr], &unknown),
        ("only PTR empty", &[emptying_only_ptr], &unknown),
        ("only forward denied", &[denying_only_forward], &unconfirmed),
        ("only forward empty", &[emptying_only_forward], &unconfirmed),
        ("forward denied at the root", &[denying_forward_at_the_root], &unconfirmed),
        ("forward empty, made up", &[emptying_forward_in_made_up_zones], &unconfirmed),
        ("forward blocked", &[blocking_forward], &unconfirmed),
        ("a zone without PTR names", &[without_ptr], &no_ptr),
        ("no PTR names behind an alias", &[behind_an_alias], &no_ptr),
        ("an alias, found out", &[contradicting_itself_behind_an_alias], &unknown),
        ("an alias to no zone", &[behind_an_alias_to_nowhere], &unknown),
        ("honest", &[honest], &truth),
        ("denying", &[denying], &unknown),
        ("inventing", &[inventing], &unknown),
        ("silent for controls", &[failing_on_all_but_hosts], &unknown),
        ("honest, denying", &[honest, denying], &truth),
        ("denying, honest", &[denying, honest], &truth),
        ("inventing, honest", &[inventing, honest], &truth),
        ("only PTR denied, honest", &[denying_only_ptr, honest], &truth),
        ("silent for controls, honest", &[failing_on_all_but_hosts, honest], &truth),
        ("two that deny", &[denying, denying], &unknown),
        ("denying, inventing", &[denying, inventing], &unknown),
    ];
    for (what, upstreams, told_by_them) in cases {
        assert_eq!(told(upstreams), told_by_them, "{what}");
    }
    assert_eq!(told(&[silent]), [(Status::TimedOut, None)]);
}

#[test]
fn in_a_hurry_no_denial_gets_out_that_waits_for_a_control() {
    let now = Instant::now();
    let mut plan = Plan::new(10, Checks { upstreams: 1, patience: Duration::from_secs(4) });
    plan.admit(identity(51, "mail51.example.org"), now);
    let upstreams: [Manner; 1] = [failing_on_all_but_hosts];
    pass_time(&mut plan, &upstreams, now, Duration::from_millis(500));
    assert_eq!((plan.held(), plan.solved()), (1, 0));
    let then = now + Duration::from_millis(500);
    plan.hurry(then);
    assert_eq!((plan.held(), plan.solved()), (1, 0), "a control may still come");
    pass_time(&mut plan, &upstreams, then, Duration::from_secs(2));
    let Solution::Identity(resolution) = &plan.take_solved(9)[0].solution else { panic!() };
    assert_eq!((resolution.ptr, plan.open()), (Status::Untrusted, 0));
}

#[test]
fn who_is_not_believed_is_told_of_once() {
    let now = Instant::now();
    let mut plan = Plan::new(0, Checks { upstreams: 1, patience: Duration::from_secs(4) });
    let upstreams: [Manner; 1] = [denying];
    for last in 1..=9 {
        plan.admit(identity(last, "mail.example.org"), now);
    }
    pass_time(&mut plan, &upstreams, now, Duration::from_secs(9));
    let warnings = plan.take_warnings();
    assert!(matches!(warnings[..], [(0, UpstreamBehavior::Denying(_))]), "{warnings:?}");
}

thread_local! {
    static PTR_ASKED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    static ZONE_ASKED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// As `behind_an_alias`, but the zone at its end can't be had at first. Counts how often hosts' names are
/// asked for.
fn slow_about_the_alias(question: &Question) -> Answer {
    let text = question.name.to_string();
    if question.kind == Kind::Ptr && text.ends_with(".2.0.192.in-addr.arpa") && text.len() < 25 {
        PTR_ASKED.set(PTR_ASKED.get() + 1);
    }
    if question.kind == Kind::Soa && text == "rev.example.net" {
        ZONE_ASKED.set(ZONE_ASKED.get() + 1);
        if ZONE_ASKED.get() <= 6 {
            return Answer::bare(Status::ServFail);
        }
    }
    behind_an_alias(question)
}

#[test]
fn a_denial_is_put_again_once_the_zone_that_it_names_is_found_and_not_before() {
    let now = Instant::now();
    let mut plan = Plan::new(0, Checks { upstreams: 1, patience: Duration::from_secs(4) });
    // The zone of the greeting's name is found at once, which says nothing about the PTR question.
    for last in [51, 52] {
        plan.admit(identity(last, "gone.example.org"), now);
    }
    pass_time(&mut plan, &[slow_about_the_alias as Manner], now, Duration::from_secs(9));
    for solved in plan.take_solved(9) {
        let Solution::Identity(it) = solved.solution else { panic!() };
        assert_eq!((it.ptr, it.banner_forward.status), (Status::NxDomain, Status::NxDomain));
    }
    assert_eq!((plan.open(), PTR_ASKED.get()), (0, 4), "each twice");
}
