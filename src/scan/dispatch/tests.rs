//! The dispatcher alone, with time paused: a stand-in for the workers notes when each conversation starts,
//! one for the resolver says where names lead.

use std::collections::BTreeMap;
use std::net::IpAddr;

use tokio::sync::mpsc::{self, UnboundedSender};

use super::*;
use crate::probe::FamilyAccess;
use crate::resolve::{Case, unserved};
use crate::scan::events::{Contact, WorkerReport};
use crate::scan::schedule::Scope;
use crate::scan::schedule::resolved_address;
use crate::targets::{ExclusionsBuilder, Order, ReservedPolicy, Shard, TargetSetBuilder};

/// What a dispatcher did.
struct DispatchEnd {
    /// When each conversation started, and where.
    started: Vec<(Duration, SocketAddr)>,
    /// Turns that were passed over.
    passed_over: Vec<SocketAddr>,
    /// How long it all took.
    lasted: Duration,
}

impl DispatchEnd {
    /// The most conversations that started in any so many milliseconds, in one /24.
    fn most_in(&self, milliseconds: u64) -> usize {
        let mut prefixes: BTreeMap<[u8; 3], Vec<Duration>> = BTreeMap::new();
        for (at, socket) in &self.started {
            let IpAddr::V4(ip) = socket.ip() else { continue };
            let [a, b, c, _] = ip.octets();
            prefixes.entry([a, b, c]).or_default().push(*at);
        }
        let width = Duration::from_millis(milliseconds);
        let fullest = |times: &Vec<Duration>| {
            let within =
                |&first: &Duration| times.iter().filter(|&&at| first <= at && at < first + width).count();
            times.iter().map(within).max()
        };
        prefixes.values().filter_map(fullest).max().unwrap_or(0)
    }
}

/// What is fed.
struct Given {
    targets: Vec<String>,
    ports: Vec<u16>,
    prefix_rate: f64,
    /// Where the name of this number leads, and after how long.
    leads: fn(usize) -> (Duration, Vec<IpAddr>),
    /// How a conversation ends, by the address and how often it was tried.
    ends: fn(SocketAddr, u8) -> End,
    /// Turns that an earlier run did.
    done: u128,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    Again,
    Troubled,
}

impl Given {
    fn new(targets: impl IntoIterator<Item = String>) -> Self {
        Self {
            targets: targets.into_iter().collect(),
            ports: vec![25],
            prefix_rate: 10.0,
            leads: |_| (Duration::ZERO, Vec::new()),
            ends: |_, _| End::Done,
            done: 0,
        }
    }

    async fn feed(self) -> DispatchEnd {
        let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
        let mut builder = TargetSetBuilder::new();
        for target in &self.targets {
            builder.argument(target).unwrap();
        }
        let set = Arc::new(builder.build(Arc::clone(&exclusions)).unwrap());
        let order = Arc::new(Order::new(Arc::clone(&set), 7, Shard::WHOLE));
        let names = set.names().to_vec();
        let scope = Arc::new(Scope::new(set, exclusions, names, self.ports.clone()));
        let schedule = Schedule::resume(scope, order, None, self.done, Vec::new());
        let (notes, heard) = mpsc::unbounded_channel();
        let (inbox, mut cases) = unserved();
        let (passed_over, mut passed) = mpsc::unbounded_channel();
        let (to_shard, mut batches) = mpsc::channel(1);
        let settings = DispatchSettings {
            rate: Rate::Unlimited,
            prefix_rate: Rate::PerSecond(self.prefix_rate),
            concurrency: 1000,
            canaries: CanaryConfig::default(),
            sanity: sanity::SanitySettings::default(),
            loss: loss::LossSettings::default(),
        };
        let outlets = DispatchChannels {
            workers: vec![to_shard],
            resolver: inbox,
            passed_over,
            notes: heard,
            writer: mpsc::channel(1).0,
            scanner: Arc::default(),
            tell: Box::new(|_| ()),
            say: |_| (),
            answers: Arc::default(),
        };
        let schedule = (schedule, Arc::new(FamilyAccess::everything()));
        let dispatcher = Dispatcher::new(settings, schedule, outlets, Arc::default(), Stop::default());
        let begin = Instant::now();
        let (leads, ends, ports) = (self.leads, self.ends, self.ports);
        let answered = notes.clone();
        let resolver = async move {
            let mut answers = Vec::new();
            while let Some(batch) = cases.recv().await {
                for Case { carry, .. } in batch {
                    let LookupSubject::Name { turn, name } = carry else { continue };
                    answers.push(tokio::spawn(answer(
                        answered.clone(),
                        leads(name),
                        (turn, name),
                        ports.clone(),
                    )));
                }
            }
            drop(answers);
        };
        let worker = async move {
            let mut started = Vec::new();
            while let Some(batch) = batches.recv().await {
                let at = begin.elapsed();
                let mut report = WorkerReport { ended: batch.len(), ..WorkerReport::default() };
                for mut attempt in batch {
                    let socket = attempt.whom().socket;
                    started.push((at, socket));
                    report.met.push(Contact::nobody(&attempt));
                    attempt.attempts += 1;
                    match ends(socket, attempt.attempts) {
                        End::Done => {}
                        End::Again => report.again.push(attempt),
                        End::Troubled => report.troubled.push((attempt, LocalTrouble::Ports)),
                    }
                }
                let _ = notes.send(DispatchEvent::Worker(report));
            }
            started
        };
        let run = async {
            let fed = dispatcher.run().await;
            (fed, begin.elapsed())
        };
        let ((fed, lasted), started, ()) = tokio::join!(run, worker, resolver);
        assert_eq!(fed, super::DispatchEnd::All);
        let passed_over = std::iter::from_fn(|| passed.try_recv().ok()).map(|(_, socket)| socket).collect();
        DispatchEnd { started, passed_over, lasted }
    }
}

async fn answer(
    notes: UnboundedSender<DispatchEvent>,
    (after, ips): (Duration, Vec<IpAddr>),
    (turn, name): (u128, usize),
    ports: Vec<u16>,
) {
    tokio::time::sleep(after).await;
    let sockets = ips.iter().flat_map(|&ip| ports.iter().map(move |&port| SocketAddr::new(ip, port)));
    let attempts = sockets.map(|socket| resolved_address::attempt(turn, name, socket, None)).collect();
    let _ = notes.send(DispatchEvent::Resolved(attempts));
}

fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("n{number}.example.org"))
}

/// An address of its own for each name, 200 in a network.
fn own(name: usize) -> IpAddr {
    let (network, last) = (name / 200, name % 200);
    IpAddr::from([198, 18, u8::try_from(network).unwrap(), u8::try_from(last).unwrap()])
}

#[tokio::test(start_paused = true)]
async fn the_feed_ends_as_soon_as_the_last_conversation_has_whatever_becomes_of_the_records() {
    for (count, each) in [(1, 20), (2_048, 20), (5_000, 20), (5_000, 1_000)] {
        let bare = Given { prefix_rate: 1_000.0, ..Given::new((0..count).map(|name| own(name).to_string())) };
        let bare = bare.feed().await;
        let given = Given { prefix_rate: 1_000.0, ..Given::new(names(count)) };
        let by_name = match each {
            20 => Given { leads: |name| (Duration::from_millis(20), vec![own(name)]), ..given },
            // As where the first packet of each question gets lost.
            _ => Given { leads: |name| (Duration::from_secs(1), vec![own(name)]), ..given },
        };
        let by_name = by_name.feed().await;
        assert_eq!((by_name.started.len(), bare.started.len()), (count, count));
        let longer = by_name.lasted.saturating_sub(bare.lasted);
        assert!(longer < Duration::from_secs(2), "{count} names at {each} ms each take {longer:?} longer");
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_of_names_beside_their_network_keep_its_pace() {
    // Each name leads into a network of the order, at the time of its first visits.
    let given = Given {
        leads: |name| (Duration::from_millis(110 * name as u64 + 50), vec![own(name * 50)]),
        ends: |_, attempts| if attempts < 2 { End::Again } else { End::Done },
        ..Given::new(names(12).chain(["198.18.0.0/23".to_owned(), "198.18.2.0/26".to_owned()]))
    };
    let fed = given.feed().await;
    assert_eq!(fed.started.len(), 2 * (512 + 64 + 2));
    assert!(fed.most_in(1_000) <= 11, "{} in a second", fed.most_in(1_000));
    assert!(fed.most_in(99) <= 1, "{} in 99 ms", fed.most_in(99));
}

#[tokio::test(start_paused = true)]
async fn the_pace_holds_where_a_port_ends_and_the_next_begins() {
    let targets =
        ["198.18.0.0/26", "198.18.4.0/26", "198.18.5.0/26", "198.18.1.0/27", "198.18.2.9", "198.18.3.0/28"];
    let given = Given { ports: vec![25, 465, 587], ..Given::new(targets.map(str::to_owned)) };
    let fed = given.feed().await;
    assert_eq!(fed.started.len(), 3 * (3 * 64 + 32 + 1 + 16));
    assert!(fed.most_in(99) <= 1, "{} in 99 ms", fed.most_in(99));
}

#[tokio::test(start_paused = true)]
async fn trouble_of_this_machine_is_no_way_around_the_pace() {
    let given = Given {
        ends: |_, attempts| if attempts < 3 { End::Troubled } else { End::Done },
        ..Given::new(["198.18.0.0/26".to_owned(), "198.18.1.0/27".to_owned()])
    };
    let fed = given.feed().await;
    assert_eq!(fed.started.len(), 3 * (64 + 32));
    assert!(fed.most_in(99) <= 1, "{} in 99 ms", fed.most_in(99));
    assert!(fed.most_in(1_000) <= 11, "{} in a second", fed.most_in(1_000));
}

#[tokio::test(start_paused = true)]
async fn a_resumed_scan_visits_nobody_before_its_network_is_rested() {
    let fed = Given { done: 5, ..Given::new(["198.18.0.0/28".to_owned()]) }.feed().await;
    assert_eq!(fed.started.len(), 11);
    assert!(fed.started[0].0 >= Duration::from_millis(100), "{:?}", fed.started[0].0);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_a_name_leads_to_is_spoken_to_once_whoever_comes_first() {
    // The first name is resolved before the order gets there, the second after: the prefix's turn speaks for
    // it.
    let given = Given {
        prefix_rate: 1_000.0,
        leads: |name| match name {
            0 => (Duration::ZERO, vec![own(7), own(8)]),
            _ => (Duration::from_secs(5), vec![own(0), own(9), own(250)]),
        },
        ..Given::new(names(2).chain(["198.18.0.0/24".to_owned()]))
    };
    let fed = given.feed().await;
    let mut sockets: Vec<_> = fed.started.iter().map(|(_, socket)| *socket).collect();
    sockets.sort_unstable();
    sockets.dedup();
    assert_eq!((fed.started.len(), sockets.len()), (257, 257), "256 of the prefix and one beside it");
    let mut passed: Vec<_> = fed.passed_over.iter().map(SocketAddr::ip).collect();
    passed.sort_unstable();
    assert_eq!(passed, [own(7), own(8)]);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_targets_are_begun_before_every_name_is_resolved() {
    let given = Given {
        prefix_rate: 1e6,
        leads: |_| (Duration::from_secs(60), Vec::new()),
        ..Given::new(names(1).chain(["198.18.0.0/17".to_owned()]))
    };
    let fed = given.feed().await;
    assert_eq!(fed.started.len(), 1 << 15);
    let early = fed.started.iter().filter(|(at, _)| *at < Duration::from_secs(60)).count();
    assert_eq!(early, MAX_EARLY);
}
