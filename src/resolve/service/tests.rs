//! The resolver's thread on a fake: what goes in comes out once, whoever is slow, and the end is an end.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::evidence::Status;
use crate::name::{DnsName, HostName};
use crate::resolve::question::{Kind, Records};
use crate::resolve::want::{Solution, Want};

fn case(number: u32) -> Case<u32> {
    let ip = IpAddr::from(Ipv4Addr::from(u32::from_be_bytes([198, 18, 0, 0]) + number));
    Case { want: Want::Identity { ip, banner: None }, carry: number }
}

fn told(question: &Question) -> Answer {
    match question.kind {
        Kind::Ptr => {
            let name = DnsName::parse("mail.example.org").expect("a name");
            Answer::found(Records::Names(vec![name]), Duration::from_secs(60))
        }
        _ => Answer::bare(Status::NxDomain),
    }
}

#[test]
fn every_case_comes_back_once_though_nobody_takes_them_for_long() {
    let mut resolver = start_with::<u32>(told).unwrap();
    let inbox = resolver.inbox;
    let feeder = std::thread::spawn(move || {
        for batch in 0..400 {
            inbox.send_blocking((batch * 100..batch * 100 + 100).map(case).collect()).unwrap();
        }
    });
    let mut carried = Vec::new();
    while let Some(batch) = resolver.solved.blocking_recv() {
        assert!((1..=BATCH).contains(&batch.len()));
        carried.extend(batch.iter().map(|solved| solved.carry));
        for solved in batch {
            let Solution::Identity(resolution) = solved.solution else { panic!("asked for an identity") };
            assert_eq!(
                (resolution.ptr, resolution.names[0].forward.status),
                (Status::Found, Status::NxDomain)
            );
        }
    }
    feeder.join().unwrap();
    carried.sort_unstable();
    assert!(carried.into_iter().eq(0..40_000));
    assert!(resolver.health.definite.load(Ordering::Relaxed) > 40_000);
}

#[test]
fn no_more_cases_are_taken_in_than_allowed() {
    for (hosts_in_flight, most) in [(500, 500 + 99), (10_000, READY + 99)] {
        let (inbox, cases) = mpsc::channel(100);
        for batch in 0..100 {
            assert!(inbox.try_send((batch * 100..batch * 100 + 100).map(case).collect()).is_ok());
        }
        let (names_inbox, names) = mpsc::channel(100);
        let resolve = FakeResolver::new(told);
        let mut worker = Worker {
            waker: resolve.waker(),
            health: resolve.health(),
            resolve,
            plan: Plan::new(0, Checks { upstreams: 0, patience: Duration::ZERO }),
            tell: Box::new(|_| ()),
            use_of_upstreams: UseOfUpstreams::new(0),
            reviewed: Instant::now(),
            cases: Some(cases),
            names: Some(names),
            exit: Exit { sender: mpsc::channel(1).0, reserving: None },
            hosts_in_flight,
            hurry: Arc::default(),
            second_pass: SecondPass::Late,
            convalescence: Duration::ZERO,
            over_since: None,
        };
        worker.take(Instant::now());
        assert!((most - 99..=most).contains(&worker.plan.open()), "{}", worker.plan.open());
        // Hosts that wait for their questions keep no name out.
        let want = Want::Addresses(HostName::parse("mx.example.org").unwrap());
        assert!(names_inbox.try_send(vec![Case { want, carry: 10_000 }]).is_ok());
        worker.take(Instant::now());
        let has_room = hosts_in_flight > most;
        assert_eq!(worker.plan.ready_names(), if has_room { 2 } else { 0 });
    }
}

#[test]
fn a_single_case_is_solved_at_once() {
    let mut resolver = start_with::<u32>(told).unwrap();
    for number in 0..3 {
        resolver.inbox.send_blocking(vec![case(number)]).unwrap();
        let batch = resolver.solved.blocking_recv().unwrap();
        assert_eq!(batch.into_iter().map(|solved| solved.carry).collect::<Vec<_>>(), [number]);
    }
}

#[test]
fn the_end_of_all_inboxes_is_the_end() {
    let Resolver { inbox, mut solved, .. } = start_with::<u32>(told).unwrap();
    let other = inbox.clone();
    drop(inbox);
    other.send_blocking(vec![case(1)]).unwrap();
    drop(other);
    assert_eq!(solved.blocking_recv().unwrap().len(), 1);
    assert!(solved.blocking_recv().is_none());
}

#[test]
fn cases_come_back_when_nobody_wants_solutions() {
    let Resolver { inbox, solved, .. } = start_with::<u32>(told).unwrap();
    drop(solved);
    let ended = loop {
        if let Err(ended) = inbox.send_blocking(vec![case(1)]) {
            break ended;
        }
    };
    assert_eq!(ended.0.len(), 1);
}

#[test]
fn an_engine_without_upstreams_does_not_start() {
    assert!(matches!(start::<u32>(Settings::new(Vec::new())), Err(ResolveError::NoUpstream)));
}

/// Fails until it has been asked so often.
fn failing_at_first(times: usize) -> impl FnMut(&Question) -> Answer + Send {
    let mut asked = 0;
    move |question| {
        asked += 1;
        if asked <= times { Answer::bare(Status::ServFail) } else { told(question) }
    }
}

#[test]
fn hosts_held_back_come_out_at_the_end_whole() {
    let bounds = Bounds { held_back: 100, ..Bounds::default() };
    let mut resolver = start_on::<u32>(FakeResolver::new(failing_at_first(50)), bounds).unwrap();
    resolver.inbox.send_blocking((0..80).map(case).collect()).unwrap();
    let first = resolver.solved.blocking_recv().unwrap();
    assert_eq!(first.len(), 30);
    drop(resolver.inbox);
    let mut rest = Vec::new();
    while let Some(batch) = resolver.solved.blocking_recv() {
        rest.extend(batch);
    }
    assert_eq!(rest.len(), 50);
    for solved in first.into_iter().chain(rest) {
        let Solution::Identity(resolution) = solved.solution else { panic!("asked for an identity") };
        assert_eq!(resolution.ptr, Status::Found);
    }
}

#[test]
fn who_waits_in_order_gets_hosts_held_back_when_nothing_else_is_asked() {
    let bounds = Bounds { held_back: 100, second_pass: SecondPass::WhenIdle, ..Bounds::default() };
    let mut resolver = start_on::<u32>(FakeResolver::new(failing_at_first(50)), bounds).unwrap();
    resolver.inbox.send_blocking((0..80).map(case).collect()).unwrap();
    let mut solved = Vec::new();
    // The inbox is still open.
    while solved.len() < 80 {
        solved.extend(resolver.solved.blocking_recv().unwrap());
    }
    for solved in solved {
        let Solution::Identity(resolution) = solved.solution else { panic!("asked for an identity") };
        assert_eq!(resolution.ptr, Status::Found);
    }
}

#[test]
fn in_a_hurry_hosts_held_back_come_out_as_they_are() {
    let bounds = Bounds { held_back: 100, ..Bounds::default() };
    let mut resolver = start_on::<u32>(FakeResolver::new(failing_at_first(usize::MAX)), bounds).unwrap();
    resolver.inbox.send_blocking((0..80).map(case).collect()).unwrap();
    resolver.hurry.ask();
    let mut carried = Vec::new();
    while carried.len() < 80 {
        carried.extend(resolver.solved.blocking_recv().unwrap().into_iter().map(|solved| solved.carry));
    }
    carried.sort_unstable();
    assert!(carried.into_iter().eq(0..80));
    drop(resolver.inbox);
    assert!(resolver.solved.blocking_recv().is_none());
}
