//! The stream joined from fakes: no socket, no resolver, no file. What the conversations say is made up here, what becomes
//! of it is the scan's own doing.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use banneret::evidence::{Observation, Outcome, Status};
use banneret::judge::Severity;
use banneret::probe::{LocalTrouble, Probe, Whom};
use banneret::rate::Rate;
use banneret::record::Record;
use banneret::report::summary::Summary;
use banneret::report::{Committed, OutputError, Reach, Sink, Written};
use banneret::resolve::{self, Answer};
use banneret::scan::course::{Course, Roster};
use banneret::scan::feeder::{self, Fed};
use banneret::scan::keeper::Keeper;
use banneret::scan::outputs::{Output, Outputs};
use banneret::scan::pipeline::{self, Ended, Plan};
use banneret::scan::progress::Progress;
use banneret::scan::stop::Stop;
use banneret::scan::watermark::Watermark;
use banneret::scan::writer::{Keep, Writer};
use banneret::smtp::reply::{Code, Reply};
use banneret::targets::{ExclusionsBuilder, Order, ReservedPolicy, Shard, TargetSetBuilder};

/// How a fake host behaves at its n-th attempt.
type Behaviour = fn(IpAddr, usize) -> Result<Outcome, LocalTrouble>;

/// Made-up conversations.
#[derive(Clone)]
struct Fake {
    behaviour: Behaviour,
    attempts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Probe for Fake {
    async fn probe<'a>(&'a self, target: impl Into<Whom<'a>>) -> Result<Observation, LocalTrouble> {
        let ip = target.into().socket.ip();
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap();
            let attempt = attempts.entry(ip).or_default();
            *attempt += 1;
            *attempt
        };
        tokio::task::yield_now().await;
        let outcome = (self.behaviour)(ip, attempt)?;
        let mut observation = Observation::bare(outcome, 1);
        if outcome.is_judged() {
            let text = [b"mail.example.cloud ESMTP".as_slice()].into_iter().collect();
            observation.greeting = Some(Reply { code: Code::new(220), text });
        }
        Ok(observation)
    }
}

/// Keeps what it is given.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Record>>>);

impl Sink for Kept {
    fn write(&mut self, record: &Record) -> Result<(), OutputError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }

    fn flush(&mut self, _: Reach) -> Result<Committed, OutputError> {
        Ok(Committed::default())
    }

    fn finish(self: Box<Self>) -> Result<Written, OutputError> {
        Ok(Written { path: PathBuf::from("-"), rows: 0, length: 0, sha256: String::new() })
    }
}

fn scan(targets: &str, retries: u8, behaviour: Behaviour) -> (Ended, Vec<Record>) {
    let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
    let mut builder = TargetSetBuilder::new();
    builder.argument(targets).unwrap();
    let set = Arc::new(builder.build(Arc::clone(&exclusions)).unwrap());
    let order = Arc::new(Order::new(Arc::clone(&set), 7, Shard::WHOLE));
    let roster = Arc::new(Roster::new(set, exclusions, Vec::new(), vec![25]));
    let progress = Arc::new(Progress::default());
    let plan = Plan {
        course: Course::new(Arc::clone(&roster), order, None),
        feeder: feeder::Settings { rate: Rate::Unlimited, prefix_rate: Rate::Unlimited, concurrency: 64 },
        retries,
        samples: NonZeroU8::MIN,
        own_name: None,
    };
    let fake = Fake { behaviour, attempts: Arc::default() };
    let resolver = resolve::start_with(|_| Answer::bare(Status::NxDomain)).unwrap();
    let kept = Kept::default();
    let output = Output { path: PathBuf::from("-"), sink: Box::new(kept.clone()) };
    let writer = |notes| Writer {
        roster: Arc::clone(&roster),
        keep: Keep::All,
        outputs: Outputs::new(vec![output], Summary::new()),
        keeper: Keeper::none(Arc::clone(&progress)),
        watermark: Watermark::default(),
        notes,
        progress: Arc::clone(&progress),
        claimed: HashSet::new(),
        open: HashMap::new(),
        networks: None,
        worst: Severity::None,
    };
    let stop = Stop::default();
    let ended = pipeline::run(plan, vec![fake.clone(), fake], resolver, writer, (&progress, &stop)).unwrap();
    let records = kept.0.lock().unwrap().clone();
    (ended, records)
}

fn times(records: &[Record]) -> BTreeMap<IpAddr, usize> {
    let mut times = BTreeMap::new();
    for record in records {
        *times.entry(record.target.ip.unwrap()).or_default() += 1;
    }
    times
}

#[test]
fn every_target_becomes_one_record_whatever_it_does() {
    let (ended, records) = scan("198.18.0.0/20", 1, |ip, _| {
        let IpAddr::V4(v4) = ip else { return Ok(Outcome::Closed) };
        Ok(Outcome::ALL[usize::from(v4.octets()[3]) % 9])
    });
    assert_eq!(ended.fed, Fed::All);
    assert_eq!(times(&records).len(), 4096);
    assert_eq!(records.len(), 4096);
    assert_eq!(ended.writer.watermark.high(), 4096);
    assert_eq!(ended.writer.watermark.pending().count(), 0);
}

#[test]
fn what_timed_out_is_tried_again_and_counted_once() {
    let (_, records) = scan("198.18.0.0/22", 2, |_, attempt| {
        Ok(if attempt < 3 { Outcome::TimedOut } else { Outcome::Greeted })
    });
    assert_eq!((records.len(), times(&records).len()), (1024, 1024));
    for record in &records {
        let observation = &record.evidence.observation;
        assert_eq!((observation.outcome, observation.attempts), (Outcome::Greeted, 3));
    }
}

#[test]
fn trouble_of_this_machine_is_no_outcome_and_is_waited_out() {
    let (ended, records) =
        scan(
            "198.18.0.0/24",
            0,
            |_, attempt| {
                if attempt < 2 { Err(LocalTrouble::Ports) } else { Ok(Outcome::Refused) }
            },
        );
    assert_eq!(ended.fed, Fed::All);
    assert_eq!((records.len(), times(&records).len()), (256, 256));
    assert!(records.iter().all(|record| record.evidence.observation.outcome == Outcome::Refused));
}

#[test]
fn a_conversation_that_falls_over_ends_the_scan_and_leaves_its_target_undone() {
    let odd: IpAddr = "198.18.0.77".parse().unwrap();
    let (ended, records) = scan("198.18.0.0/24", 0, |ip, _| {
        assert!(ip.to_string() != "198.18.0.77", "a defect on purpose");
        Ok(Outcome::Refused)
    });
    assert_eq!(ended.fed, Fed::Stopped);
    assert!(!times(&records).contains_key(&odd));
    assert_eq!(times(&records).len(), records.len());
}
