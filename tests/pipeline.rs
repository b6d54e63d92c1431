//! The stream joined from fakes: no socket, no resolver, no file. What the conversations say is made up here,
//! what becomes of it is the scan's own doing.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "pipeline/names.rs"]
mod names;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use banneret::evidence::{Observation, Outcome, Status};
use banneret::judge::Severity;
use banneret::name::DnsName;
use banneret::probe::{ConnectionTimes, Conversation, FamilyAccess, Handshake, LocalTrouble, Probe, Whom};
use banneret::rate::Rate;
use banneret::record::Record;
use banneret::report::summary::Summary;
use banneret::report::{Committed, OutputError, Reach, Sink, Written};
use banneret::resolve::{self, Answer, Kind, Question, Records};
use banneret::scan::checkpoint::watermark::Watermark;
use banneret::scan::checkpoint_writer::CheckpointWriter;
use banneret::scan::dispatch::canary::{CanaryConfig, PathEvent};
use banneret::scan::dispatch::loss;
use banneret::scan::dispatch::{self, DispatchEnd};
use banneret::scan::failure::Failure;
use banneret::scan::outputs::{Output, Outputs};
use banneret::scan::pipeline::{self, PipelineReport, ScanPlan};
use banneret::scan::progress::Progress;
use banneret::scan::sanity;
use banneret::scan::sanity::vantage::{VantageCheck, VantageWarning};
use banneret::scan::schedule::named::NamedTargets;
use banneret::scan::schedule::{Schedule, Scope};
use banneret::scan::stop::{Level, Stop};
use banneret::scan::worst::Worst;
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
    spoken_to: Arc<Mutex<HashSet<IpAddr>>>,
    answers: Arc<ConnectionTimes>,
}

impl Fake {
    fn new(behaviour: Behaviour, answers: &Arc<ConnectionTimes>) -> Self {
        let answers = Arc::clone(answers);
        Self { behaviour, attempts: Arc::default(), spoken_to: Arc::default(), answers }
    }
}

impl Probe for Fake {
    async fn probe<'a>(&'a self, target: impl Into<Whom<'a>>) -> Result<Conversation, LocalTrouble> {
        let (ip, start) = (target.into().socket.ip(), tokio::time::Instant::now());
        assert!(self.spoken_to.lock().unwrap().insert(ip), "{ip} is spoken to twice at once");
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap();
            let attempt = attempts.entry(ip).or_default();
            *attempt += 1;
            *attempt
        };
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        let outcome = (self.behaviour)(ip, attempt);
        self.spoken_to.lock().unwrap().remove(&ip);
        let outcome = outcome?;
        if !Failure::is_one(outcome) {
            self.answers.note(start, Handshake::Clean);
        }
        let mut observation = Observation::bare(outcome, 1);
        if outcome.is_judged() {
            let text = [b"mail.example.cloud ESMTP".as_slice()].into_iter().collect();
            observation.greeting = Some(Reply { code: Code::new(220), text });
        }
        Ok(observation.into())
    }
}

/// How often a conversation waits.
const TURNS: usize = 20;

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

/// What came of a scan.
struct Came {
    ended: PipelineReport,
    records: Vec<Record>,
    notices: Vec<PathEvent>,
    progress: Arc<Progress>,
}

/// As fast as it goes.
fn unpaced() -> dispatch::DispatchSettings {
    dispatch::DispatchSettings {
        rate: Rate::Unlimited,
        prefix_rate: Rate::Unlimited,
        concurrency: 64,
        canaries: CanaryConfig::default(),
        sanity: sanity::SanitySettings::default(),
        loss: loss::LossSettings::default(),
    }
}

fn scan(targets: &str, retries: u8, behaviour: Behaviour) -> (PipelineReport, Vec<Record>) {
    let Came { ended, records, .. } = scan_as(unpaced(), targets, &[25], retries, behaviour);
    (ended, records)
}

fn scan_as(
    paced: dispatch::DispatchSettings,
    targets: &str,
    ports: &[u16],
    retries: u8,
    behaviour: Behaviour,
) -> Came {
    scan_until(&Stop::default(), paced, targets, ports, retries, behaviour)
}

/// The host that a made-up name is of: `h258.example.org` is 198.18.1.2.
fn host_of(name: &DnsName) -> Option<Ipv4Addr> {
    let name = name.to_host()?;
    let number: u32 = name.labels().next()?.strip_prefix('h')?.parse().ok()?;
    Some(Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + number))
}

/// The names of so many hosts.
fn host_names(count: usize) -> String {
    (0..count).map(|number| format!("h{number}.example.org")).collect::<Vec<_>>().join(" ")
}

/// Whoever looks up its PTR names waits until all conversations are over, asks for a stop, and gets no
/// answer.
const LAST: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 255, 254));

/// The same, with a stop that may be asked for: it is when the name of host 65,535 is looked up, or by
/// [`LAST`].
fn scan_until(
    stop: &Stop,
    paced: dispatch::DispatchSettings,
    targets: &str,
    ports: &[u16],
    retries: u8,
    behaviour: Behaviour,
) -> Came {
    let notices = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&notices);
    let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
    let mut builder = TargetSetBuilder::new();
    for target in targets.split_whitespace() {
        builder.argument(target).unwrap();
    }
    let set = Arc::new(builder.build(Arc::clone(&exclusions)).unwrap());
    let order = Arc::new(Order::new(Arc::clone(&set), 7, Shard::WHOLE));
    let entries = set.names().to_vec();
    let scope = Arc::new(Scope::new(set, exclusions, entries, ports.to_vec()));
    let progress = Arc::new(Progress::default());
    let schedule = Schedule::new(Arc::clone(&scope), order, None);
    progress.turns.store(schedule.turns().try_into().unwrap(), Relaxed);
    let named = NamedTargets::new(schedule.names_left());
    let plan = ScanPlan {
        schedule,
        claimed: Vec::new(),
        dispatcher: paced,
        retries,
        samples: NonZeroU8::MIN,
        scanner: Arc::default(),
        added: Arc::default(),
        reach: Arc::new(FamilyAccess::everything()),
        tell: Box::new(move |notice| heard.lock().unwrap().push(notice)),
        say: |_| {},
        answers: Arc::default(),
    };
    let fake = Fake::new(behaviour, &plan.answers);
    let (asked, conversations) = (stop.clone(), Arc::downgrade(&fake.attempts));
    let (_end, ended) = std::sync::mpsc::channel::<()>();
    let answer = move |question: &Question| match host_of(&question.name) {
        _ if *question == Question::ptr(LAST) => {
            while conversations.strong_count() > 0 {
                std::thread::yield_now();
            }
            asked.ask(Level::Drain);
            let _ = ended.recv();
            Answer::bare(Status::NxDomain)
        }
        Some(host) if question.kind == Kind::A => {
            if host.octets()[2..] == [255, 255] {
                asked.ask(Level::Drain);
            }
            let records = Records::Addresses(vec![host.into()]);
            Answer { status: Status::Found, records, ..Answer::bare(Status::Found) }
        }
        _ => Answer::bare(Status::NxDomain),
    };
    let resolver = resolve::start_with(answer).unwrap();
    let kept = Kept::default();
    let output = Output { path: PathBuf::from("-"), sink: Box::new(kept.clone()) };
    let writer = |notes| Writer {
        scope: Arc::clone(&scope),
        accepts: banneret::judge::accept::Acceptances::default(),
        providers: banneret::judge::providers::Providers::default(),
        scanner: Arc::default(),
        keep: Keep::All,
        outputs: Outputs::new(vec![output], Summary::new()),
        checkpoint_writer: CheckpointWriter::none(Arc::clone(&progress)),
        watermark: Watermark::default(),
        notes,
        progress: Arc::clone(&progress),
        named,
        cut_off: false,
        networks: None,
        worst: Worst::new(Severity::None, None),
        vantage: VantageCheck::new(|_| {}),
        undone: 0,
    };
    let ended = pipeline::run(plan, vec![fake.clone(), fake], resolver, writer, (&progress, stop)).unwrap();
    let records = kept.0.lock().unwrap().clone();
    let notices = notices.lock().unwrap().clone();
    Came { ended, records, notices, progress }
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
    assert_eq!(ended.fed, DispatchEnd::All);
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
fn more_names_than_may_be_open_wait_for_no_end_of_the_order() {
    let once_more = |_, attempt| Ok(if attempt < 2 { Outcome::TimedOut } else { Outcome::Greeted });
    let (ended, records) = scan(&host_names(5000), 1, once_more);
    assert_eq!((ended.fed, records.len(), times(&records).len()), (DispatchEnd::All, 5000, 5000));
}

#[test]
fn a_stop_while_the_last_names_are_asked_for_leaves_their_hosts_undone() {
    let stop = Stop::default();
    let greets = |_, _| Ok(Outcome::Greeted);
    let Came { ended, records, .. } = scan_until(&stop, unpaced(), "198.18.255.254", &[25], 1, greets);
    assert_eq!((ended.fed, records.len()), (DispatchEnd::Stopped, 0));
    assert_eq!(ended.writer.watermark.high(), 0, "it is for the resumed scan");
}

#[test]
fn a_name_that_is_not_done_at_the_stop_claims_nothing() {
    let stop = Stop::default();
    // Of the first thousand each second one is to have another attempt when it is time to stop.
    let behaviour = |ip: IpAddr, _| {
        let IpAddr::V4(v4) = ip else { return Ok(Outcome::Closed) };
        Ok(if v4.octets()[3] % 2 == 0 { Outcome::TimedOut } else { Outcome::Closed })
    };
    let targets = host_names(1000) + " h65535.example.org";
    let Came { ended, records, .. } = scan_until(&stop, unpaced(), &targets, &[25], 1, behaviour);
    let done = ended.writer.watermark.high() - ended.writer.watermark.pending().count() as u128;
    assert_eq!((ended.fed, records.len() as u128), (DispatchEnd::Stopped, done));
    assert!(done < 1001, "some were under way");
    assert!(ended.writer.named.partly_done().is_empty(), "each had one address, spoken to or not");
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
    assert_eq!(ended.fed, DispatchEnd::All);
    assert_eq!((records.len(), times(&records).len()), (256, 256));
    assert!(records.iter().all(|record| record.evidence.observation.outcome == Outcome::Refused));
}

#[test]
fn a_conversation_that_falls_over_leaves_its_target_undone_and_all_others_done() {
    let odd: IpAddr = "198.18.0.77".parse().unwrap();
    let (ended, records) = scan("198.18.0.0/24", 0, |ip, _| {
        assert!(ip.to_string() != "198.18.0.77", "a defect on purpose");
        Ok(Outcome::Refused)
    });
    assert_eq!(ended.fed, DispatchEnd::Failed(1, LocalTrouble::Defect));
    assert!(!times(&records).contains_key(&odd));
    assert_eq!((times(&records).len(), records.len()), (255, 255));
    assert_eq!(ended.writer.watermark.pending().count(), 1, "a resumed scan tries it again");
}

#[test]
fn an_address_has_one_conversation_at_a_time_whatever_its_ports() {
    // Hosts that greeted and then are silent look like trouble of the path, which is no matter here: it is
    // waited out in no time.
    let paced = dispatch::DispatchSettings {
        canaries: CanaryConfig { each: Duration::ZERO, seldom: Duration::ZERO },
        ..hasty()
    };
    // There are half as many addresses as places, so that the next port's turn comes while an address is
    // spoken to. Each time-out is tried again, and each that greets may be looked at again: the fake host
    // notices two at once.
    let ports: Vec<u16> = (1000..1024).collect();
    let targets = "198.18.0.0/29 198.18.1.0/29 198.18.2.0/29 198.18.3.0/29";
    let came = scan_as(paced, targets, &ports, 2, |ip, attempt| {
        let IpAddr::V4(v4) = ip else { return Ok(Outcome::Closed) };
        let last = usize::from(v4.octets()[3]);
        let is_silent = (attempt + last / 2).is_multiple_of(2) || last % 10 == 7;
        Ok(if is_silent { Outcome::TimedOut } else { Outcome::Greeted })
    });
    assert_eq!(came.ended.fed, DispatchEnd::All, "two at once fall over");
    assert_eq!(times(&came.records).values().copied().collect::<HashSet<_>>(), HashSet::from([24]));
    assert_eq!(came.records.len(), 24 * 32);
    let retried = came.progress.retried.load(Relaxed);
    assert!(retried >= 24 * 16, "{retried} asked again");
}

#[test]
fn when_hosts_that_greeted_fall_silent_it_is_told_and_slowed_and_nothing_of_it_is_written() {
    let moment = Duration::from_millis(1);
    let paced = dispatch::DispatchSettings {
        rate: Rate::PerSecond(4000.0),
        canaries: CanaryConfig { each: moment, seldom: moment },
        ..unpaced()
    };
    // A host's second attempt is the first look at it; every later one has an answer. Or somebody on the way
    // says that it can't be reached.
    let unwell: [Behaviour; 2] = [
        |_, attempt| Ok(if attempt == 2 { Outcome::TimedOut } else { Outcome::Greeted }),
        |_, attempt| Ok(if attempt == 2 { Outcome::Unreachable } else { Outcome::Greeted }),
    ];
    for came in unwell.map(|behaviour| scan_as(paced, "198.18.0.0/20", &[25], 1, behaviour)) {
        assert_fell_silent(&came);
    }
}

fn assert_fell_silent(came: &Came) {
    assert_eq!(came.ended.fed, DispatchEnd::All);
    assert_eq!(came.notices.first(), Some(&PathEvent::Lost));
    assert!(came.notices.contains(&PathEvent::Found), "{:?}", came.notices);
    let (looks, silent) = (came.progress.looks.load(Relaxed), came.progress.silent_looks.load(Relaxed));
    assert!(silent >= 3 && looks > silent, "{looks} looks, {silent} silent");
    let told = |wanted| came.notices.iter().filter(|&&notice| notice == wanted).count() as u64;
    assert_eq!(came.progress.losses.load(Relaxed), told(PathEvent::Lost));
    assert_eq!((came.records.len(), times(&came.records).len()), (4096, 4096));
    for record in &came.records {
        let observation = &record.evidence.observation;
        assert_eq!(
            (observation.outcome, observation.attempts),
            (Outcome::Greeted, 1),
            "the first answer stands"
        );
    }
}

/// As fast as it goes, and with little patience.
fn hasty() -> dispatch::DispatchSettings {
    let moment = Duration::from_millis(2);
    let give_up = Duration::from_secs(60);
    let sanity = sanity::SanitySettings { recovery: moment, beat: moment, rest: moment, give_up };
    dispatch::DispatchSettings { sanity, ..unpaced() }
}

/// Conversations of a scan, those among them that fall into an outage told from the others.
struct Outage(AtomicUsize);

impl Outage {
    const BEGIN: usize = 400;

    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Whether this conversation, looks and further attempts counted, is one of so many that fail.
    fn holds(&self, length: usize) -> bool {
        (Self::BEGIN..Self::BEGIN + length).contains(&self.0.fetch_add(1, Relaxed))
    }
}

#[test]
fn whatever_an_outage_looks_like_no_target_is_blamed_for_it() {
    // Longer than conversations at once and looks together.
    const LENGTH: usize = 120;
    static OUTAGES: [Outage; 4] = [const { Outage::new() }; 4];
    let fails: [Behaviour; 4] = [
        |_, _| Ok(if OUTAGES[0].holds(LENGTH) { Outcome::Refused } else { Outcome::Greeted }),
        |_, _| Ok(if OUTAGES[1].holds(LENGTH) { Outcome::Unreachable } else { Outcome::Greeted }),
        |_, _| Ok(if OUTAGES[2].holds(LENGTH) { Outcome::TimedOut } else { Outcome::Greeted }),
        |_, _| if OUTAGES[3].holds(LENGTH) { Err(LocalTrouble::NoPath) } else { Ok(Outcome::Greeted) },
    ];
    for (kind, behaviour) in fails.into_iter().enumerate() {
        let came = scan_as(hasty(), "198.18.0.0/22", &[25], 0, behaviour);
        assert_eq!(came.ended.fed, DispatchEnd::All, "{kind}");
        assert_eq!((came.records.len(), times(&came.records).len()), (1024, 1024), "{kind}");
        let blamed = came.records.iter().filter(|record| {
            let observation = &record.evidence.observation;
            (observation.outcome, observation.attempts) != (Outcome::Greeted, 1)
        });
        assert_eq!(blamed.count(), 0, "{kind}");
        let doubts = came.progress.doubts();
        assert!(matches!(doubts[..], [VantageWarning::PathLost { .. }]), "{kind}: one line: {doubts:?}");
    }
}

#[test]
fn targets_without_a_path_are_unreachable_once_they_were_asked_twice() {
    let dead = |ip: IpAddr| matches!(ip, IpAddr::V4(ip) if ip.octets()[2] == 1);
    let came = scan_as(hasty(), "198.18.0.0/22", &[25], 1, |ip, _| {
        let is_dead = matches!(ip, IpAddr::V4(ip) if ip.octets()[2] == 1);
        if is_dead { Err(LocalTrouble::NoPath) } else { Ok(Outcome::Greeted) }
    });
    assert_eq!((came.ended.fed, came.records.len()), (DispatchEnd::All, 1024));
    for record in &came.records {
        let observation = &record.evidence.observation;
        let right =
            if dead(record.target.ip.unwrap()) { (Outcome::Unreachable, 2) } else { (Outcome::Greeted, 1) };
        assert_eq!((observation.outcome, observation.attempts), right);
    }
    assert_eq!(came.progress.doubts(), [], "others answer");
}

#[test]
fn where_half_of_the_targets_refuse_nothing_is_told() {
    let came = scan_as(hasty(), "198.18.0.0/20", &[25], 1, |ip, _| {
        let IpAddr::V4(ip) = ip else { return Ok(Outcome::Closed) };
        // No pattern that the order could share.
        let mixed = u32::from(ip).wrapping_mul(0x9e37_79b9) >> 31;
        Ok(if mixed == 0 { Outcome::Refused } else { Outcome::Greeted })
    });
    assert_eq!((came.ended.fed, came.records.len()), (DispatchEnd::All, 4096));
    assert_eq!(came.progress.doubts(), []);
    let refused =
        came.records.iter().filter(|record| record.evidence.observation.outcome == Outcome::Refused).count();
    assert!((1500..2500).contains(&refused), "{refused}");
}

#[test]
fn a_path_or_a_machine_that_stays_broken_ends_the_scan_and_leaves_the_rest_undone() {
    static OUTAGES: [Outage; 3] = [const { Outage::new() }; 3];
    let fails: [(LocalTrouble, Behaviour); 3] = [
        (LocalTrouble::PathLost, |_, _| {
            Ok(if OUTAGES[0].holds(usize::MAX / 2) { Outcome::Refused } else { Outcome::Greeted })
        }),
        (LocalTrouble::PathLost, |_, _| {
            if OUTAGES[1].holds(usize::MAX / 2) { Err(LocalTrouble::NoPath) } else { Ok(Outcome::Greeted) }
        }),
        (LocalTrouble::NetworkDown, |_, _| {
            let is_down = OUTAGES[2].holds(usize::MAX / 2);
            if is_down { Err(LocalTrouble::NetworkDown) } else { Ok(Outcome::Greeted) }
        }),
    ];
    for (trouble, behaviour) in fails {
        let give_up = Duration::from_millis(300);
        let sanity = sanity::SanitySettings { give_up, ..hasty().sanity };
        let paced = dispatch::DispatchSettings { sanity, ..unpaced() };
        let came = scan_as(paced, "198.18.0.0/20", &[25], 1, behaviour);
        let (done, watermark) = (came.records.len(), &came.ended.writer.watermark);
        assert_eq!(came.ended.fed, DispatchEnd::Failed(4096 - done, trouble));
        assert_eq!(watermark.high() - watermark.pending().count() as u128, done as u128);
        let is_greeted = |record: &Record| record.evidence.observation.outcome == Outcome::Greeted;
        assert!(came.records.iter().all(is_greeted), "nothing is told of a target");
        assert_eq!(came.progress.doubts().len(), 1, "one line: {:?}", came.progress.doubts());
        // Those before, those under way, and those that show whether it works again.
        let drawn = came.progress.drawn.load(Relaxed);
        assert!(drawn <= 400 + 2 * 64 + 64, "the order waits: {drawn}");
    }
}

#[test]
fn before_any_host_greeted_what_is_refused_is_written_as_it_is() {
    let came = scan_as(hasty(), "198.18.0.0/22", &[25], 1, |_, _| Ok(Outcome::Refused));
    assert_eq!((came.ended.fed, came.records.len()), (DispatchEnd::All, 1024));
    assert!(came.records.iter().all(|record| record.evidence.observation.attempts == 1));
}
