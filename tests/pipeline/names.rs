//! Targets given by name: who speaks to an address that several entries lead to, whose record it is, and that
//! no stage waits for one that waits for it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Wake, Waker};
use std::time::Duration;

use banneret::evidence::{Outcome, Status};
use banneret::judge::{Code, Severity};
use banneret::record::{AddressFamily, Record};
use banneret::report::summary::Summary;
use banneret::resolve::{self, Answer, Bounds, Exchange, Health, Kind, Question, Records, Resolve, Token};
use banneret::scan::checkpoint::PartlyDone;
use banneret::scan::checkpoint::watermark::Watermark;
use banneret::scan::checkpoint_writer::CheckpointWriter;
use banneret::scan::dispatch::DispatchEnd;
use banneret::scan::outputs::{Output, Outputs};
use banneret::scan::pipeline::{self, ScanPlan};
use banneret::scan::progress::Progress;
use banneret::scan::sanity::vantage::VantageCheck;
use banneret::scan::schedule::named::NamedTargets;
use banneret::scan::schedule::{Schedule, Scope};
use banneret::scan::stop::{Level, Stop};
use banneret::scan::worst::Worst;
use banneret::scan::writer::{Keep, Writer};
use banneret::targets::{
    ExclusionsBuilder, Order, Purpose, ReservedPolicy, Shard, TargetList, TargetSetBuilder,
};

use super::{Behaviour, Fake, Kept, unpaced};

/// How long a resolver that holds hosts back is asked nothing before the scan counts as standing still.
const STALL: Duration = Duration::from_secs(10);

/// Answers by a table, and tells when a scan stands still.
struct Zone {
    answers: Arc<dyn Fn(&Question) -> Answer + Send + Sync>,
    ready: Vec<(Token, Answer)>,
    alarm: Arc<Alarm>,
    stalled: Arc<Mutex<bool>>,
    stop: Stop,
}

#[derive(Default)]
struct Alarm {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.bell.notify_one();
    }
}

impl Resolve for Zone {
    fn room(&self) -> usize {
        1024 - self.ready.len()
    }

    fn submit(&mut self, token: Token, question: &Question) {
        self.ready.push((token, (self.answers)(question)));
    }

    fn submit_to(&mut self, _: usize, token: Token, question: &Question) {
        self.submit(token, question);
    }

    fn set_aside(&mut self, _: usize) {}

    fn turn(&mut self, patience: Duration, answers: &mut Vec<(Token, Answer)>) {
        if self.ready.is_empty() {
            let rung = self.alarm.rung.lock().unwrap();
            let (mut rung, waited) =
                self.alarm.bell.wait_timeout_while(rung, patience.min(STALL), |rung| !*rung).unwrap();
            if waited.timed_out() && patience > STALL {
                *self.stalled.lock().unwrap() = true;
                self.stop.ask(Level::Now);
            }
            *rung = false;
        }
        answers.append(&mut self.ready);
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.alarm))
    }

    fn health(&self) -> Arc<Health> {
        Arc::new(Health::new(&[]))
    }
}

/// What is scanned, and what DNS says.
struct Given {
    /// A target list: lines, or CSV with a header.
    list: String,
    ports: Vec<u16>,
    shard: Shard,
    answers: Arc<dyn Fn(&Question) -> Answer + Send + Sync>,
    behaviour: Behaviour,
    high: u128,
    pending: Vec<u128>,
    partly_done: Vec<PartlyDone>,
    claimed: Vec<IpAddr>,
    /// How many hosts and names may wait for a second pass over DNS.
    held_back: usize,
}

impl Given {
    fn new(list: impl Into<String>, answers: impl Fn(&Question) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            list: list.into(),
            ports: vec![25],
            shard: Shard::WHOLE,
            answers: Arc::new(answers),
            behaviour: |_, _| Ok(Outcome::Greeted),
            high: 0,
            pending: Vec::new(),
            partly_done: Vec::new(),
            claimed: Vec::new(),
            held_back: 16_384,
        }
    }

    fn scan(self) -> Scanned {
        let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
        let mut builder = TargetSetBuilder::new();
        for entry in TargetList::new(self.list.as_bytes(), Purpose::Targets, "list") {
            builder.add(entry.unwrap()).unwrap();
        }
        let set = Arc::new(builder.build(Arc::clone(&exclusions)).unwrap());
        let order = Arc::new(Order::new(Arc::clone(&set), 7, self.shard));
        let entries = set.names().to_vec();
        let scope = Scope::new(set, exclusions, entries, self.ports.clone()).with_share(&order);
        let scope = Arc::new(scope);
        let progress = Arc::new(Progress::default());
        let watermark = Watermark::resume(self.high, &self.pending);
        let schedule = Schedule::resume(Arc::clone(&scope), order, None, self.high, self.pending);
        let sockets = |&ip: &IpAddr| self.ports.iter().map(move |&port| (ip, port).into());
        let claimed: Vec<_> = self.claimed.iter().flat_map(sockets).collect();
        let named = NamedTargets::new(schedule.names_left()).resumed(self.partly_done, claimed);
        let plan = ScanPlan {
            schedule,
            claimed: self.claimed,
            reach: Arc::new(banneret::probe::FamilyAccess::everything()),
            dispatcher: unpaced(),
            retries: 1,
            samples: NonZeroU8::MIN,
            scanner: Arc::default(),
            added: Arc::default(),
            tell: Box::new(|_| ()),
            say: |_| {},
            answers: Arc::default(),
        };
        let (stop, stalled, alarm) = (Stop::default(), Arc::new(Mutex::new(false)), Arc::default());
        let zone = Zone {
            answers: self.answers,
            ready: Vec::new(),
            alarm,
            stalled: Arc::clone(&stalled),
            stop: stop.clone(),
        };
        let bounds = Bounds { held_back: self.held_back, ..Bounds::default() };
        let resolver = resolve::start_on(zone, bounds).unwrap();
        let kept = Kept::default();
        let output = Output { path: PathBuf::from("-"), sink: Box::new(kept.clone()) };
        let fake = Fake::new(self.behaviour, &plan.answers);
        let attempts = Arc::clone(&fake.attempts);
        let writer = |notes| Writer {
            scope: Arc::clone(&scope),
            accepts: banneret::judge::accept::Acceptances::default(),
            keep: Keep::All,
            providers: banneret::judge::providers::Providers::default(),
            scanner: Arc::default(),
            outputs: Outputs::new(vec![output], Summary::new()),
            checkpoint_writer: CheckpointWriter::none(Arc::clone(&progress)),
            watermark,
            notes,
            progress: Arc::clone(&progress),
            named,
            cut_off: false,
            networks: None,
            worst: Worst::new(Severity::None, None),
            vantage: VantageCheck::new(|_| {}),
            undone: 0,
        };
        let ended =
            pipeline::run(plan, vec![fake.clone(), fake], resolver, writer, (&progress, &stop)).unwrap();
        assert!(!*stalled.lock().unwrap(), "the scan stood still");
        let mark = &ended.writer.watermark;
        let scanned = Scanned {
            records: kept.0.lock().unwrap().clone(),
            conversations: attempts.lock().unwrap().iter().map(|(&ip, &count)| (ip, count)).collect(),
            done: mark.high() - mark.pending().count() as u128,
            pending: mark.pending().count(),
            drawn: progress.drawn.load(std::sync::atomic::Ordering::Relaxed),
        };
        assert_eq!(ended.fed, DispatchEnd::All);
        assert_eq!(scanned.drawn, scanned.records.len() as u64, "what is drawn is written");
        scanned
    }
}

struct Scanned {
    records: Vec<Record>,
    conversations: BTreeMap<IpAddr, usize>,
    done: u128,
    pending: usize,
    drawn: u64,
}

impl Scanned {
    /// Who asked for what, sorted.
    fn asked(&self) -> Vec<(String, String)> {
        let mut asked: Vec<_> = self
            .records
            .iter()
            .map(|record| {
                let ip = record.target.ip.map_or("-".to_owned(), |ip| ip.to_string());
                (record.target.asked.to_string(), ip)
            })
            .collect();
        asked.sort();
        asked
    }
}

fn found(addresses: &[&str]) -> Answer {
    let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
    Answer::found(Records::Addresses(addresses), Duration::from_secs(300))
}

/// `n7.example.org` leads to the seventh of so many addresses, counted around.
fn around(count: u32) -> impl Fn(&Question) -> Answer + Send + Sync + 'static {
    move |question| {
        let number: Option<u32> =
            question.name.to_host().and_then(|name| name.labels().next()?.strip_prefix('n')?.parse().ok());
        match (number, question.kind) {
            (Some(number), Kind::A) => {
                let low = number % count;
                let ip = IpAddr::from((0xc612_0000 + low).to_be_bytes());
                Answer::found(Records::Addresses(vec![ip]), Duration::from_secs(300))
            }
            (Some(_), _) => Answer::bare(Status::NoData),
            _ => Answer::bare(Status::NxDomain),
        }
    }
}

fn names(count: u32) -> String {
    (0..count).map(|number| format!("n{number}.example.org")).collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn hosts_without_definite_dns_hold_up_no_scan_by_name() {
    for status in [Status::ServFail, Status::Refused, Status::TimedOut, Status::Malformed] {
        for count in [1, 2_048, 5_000] {
            let addresses = around(count);
            let scanned = Given::new(names(count), move |question| match question.kind {
                Kind::Ptr => Answer::bare(status),
                _ => addresses(question),
            })
            .scan();
            assert_eq!((scanned.records.len(), scanned.pending), (count as usize, 0), "{status:?}");
            let undetermined =
                |record: &&Record| record.evidence.resolution.as_ref().is_some_and(|dns| dns.ptr == status);
            assert_eq!(scanned.records.iter().filter(undetermined).count(), count as usize);
        }
    }
}

#[test]
fn a_host_without_definite_dns_beside_a_name_holds_up_neither() {
    let addresses = around(1);
    let scanned = Given::new("198.18.9.9\nn0.example.org\n", move |question| match question.kind {
        Kind::Ptr if *question == Question::ptr("198.18.9.9".parse().unwrap()) => {
            Answer::bare(Status::ServFail)
        }
        _ => addresses(question),
    })
    .scan();
    assert_eq!(scanned.asked().len(), 2);
}

#[test]
fn names_that_lead_to_one_address_have_a_record_each_and_it_one_conversation() {
    let list = "target,expected_name,owner\n\
        198.18.0.0/29,,net\n\
        n1.example.org,mail.example.cloud,one\n\
        n9.example.org,other.example.org,nine\n\
        n17.example.org,,seventeen\n\
        mx:example.net,,mx\n";
    let addresses = around(8);
    let scanned = Given {
        ports: vec![25, 587],
        ..Given::new(list, move |question| match (question.kind, question.name.to_string().as_str()) {
            (Kind::Mx, _) => {
                let host = |name: &str| Exchange {
                    preference: 10,
                    host: banneret::name::DnsName::parse(name).unwrap(),
                };
                let hosts = vec![host("n1.example.org"), host("n25.example.org"), host("n2.example.org")];
                Answer::found(Records::Exchanges(hosts), Duration::from_secs(300))
            }
            _ => addresses(question),
        })
    }
    .scan();
    let mut asked = Vec::new();
    for (entry, last) in [
        ("198.18.0.0/29", 0),
        ("198.18.0.0/29", 3),
        ("198.18.0.0/29", 4),
        ("198.18.0.0/29", 5),
        ("198.18.0.0/29", 6),
        ("198.18.0.0/29", 7),
        ("mx:example.net", 1),
        ("mx:example.net", 2),
        ("n1.example.org", 1),
        ("n17.example.org", 1),
        ("n9.example.org", 1),
    ] {
        asked.extend([25, 587].map(|_| (entry.to_owned(), format!("198.18.0.{last}"))));
    }
    assert_eq!(scanned.asked(), asked);
    // A conversation for each port.
    assert_eq!(scanned.conversations.values().copied().collect::<Vec<_>>(), [2; 8]);
    assert_eq!((scanned.pending, scanned.done), (0, 4 + 16));
    for record in &scanned.records {
        let of_nine = &*record.target.asked == "n9.example.org";
        let differs = record.judgement.findings.iter().any(|it| it.code == Code::ExpectedDiffers);
        assert_eq!(differs, of_nine, "{}", record.target.asked);
        let owner = &record.target.inventory.as_deref().unwrap().tags[0].1;
        assert_eq!(owner == "nine", of_nine);
    }
}

#[test]
fn of_many_names_and_prefixes_each_entry_has_its_records_and_each_address_one_conversation() {
    let list = names(3000) + "198.18.0.0/22\n198.18.0.9\n";
    let scanned = Given {
        behaviour: |_, attempt| Ok(if attempt < 2 { Outcome::TimedOut } else { Outcome::Greeted }),
        ..Given::new(list, around(700))
    }
    .scan();
    assert_eq!(scanned.records.len(), 3000 + 1024 - 700);
    assert!(scanned.conversations.values().all(|&count| count == 2), "one try again each");
    assert_eq!((scanned.conversations.len(), scanned.pending), (1024, 0));
}

#[test]
fn shards_speak_to_each_address_once_and_to_every_one() {
    let list = names(400) + "198.18.0.0/28\n";
    let spread = |question: &Question| {
        let mut answer = around(100)(question);
        if let Records::Addresses(addresses) = &mut answer.records {
            // Each in a network of its own, some in that of the prefix.
            for ip in addresses {
                let IpAddr::V4(v4) = *ip else { continue };
                let low = v4.to_bits() & 0xff;
                *ip = if low < 20 { *ip } else { IpAddr::from((0xc612_0000 + (low << 8)).to_be_bytes()) };
            }
        }
        answer
    };
    let whole = Given::new(list.clone(), spread).scan();
    let mut conversations = BTreeMap::new();
    let (mut asked, mut turns) = (Vec::new(), 0);
    for number in 1..=3 {
        let shard = Shard::new(number, 3).unwrap();
        let scanned = Given { shard, ..Given::new(list.clone(), spread) }.scan();
        for (&ip, &count) in &scanned.conversations {
            *conversations.entry(ip).or_insert(0) += count;
        }
        asked.extend(scanned.asked());
        turns += scanned.records.len();
    }
    asked.sort();
    assert_eq!(asked, whole.asked());
    assert_eq!(conversations, whole.conversations);
    assert_eq!(turns, 400);
}

#[test]
fn a_resumed_scan_does_what_is_left_of_a_name_and_of_a_prefix_whose_address_it_leads_to() {
    // Turns 0 and 1 are the names, 2 to 9 the addresses. The first name led to 198.18.0.1 and .2 and has its
    // record of .1; the second is done, and led to .3; of the addresses none had its turn.
    let leads = |question: &Question| match (question.kind, question.name.to_string().as_str()) {
        (Kind::A, "a.example.org") => found(&["198.18.0.1", "198.18.0.2"]),
        (Kind::A, "b.example.org") => panic!("it is done"),
        (Kind::Ptr, _) => Answer::bare(Status::NxDomain),
        _ => Answer::bare(Status::NoData),
    };
    let scanned = Given {
        high: 2,
        pending: vec![0],
        partly_done: vec![PartlyDone { turn: 0, targets: vec!["198.18.0.1:25".parse().unwrap()] }],
        claimed: ["198.18.0.1", "198.18.0.3"].map(|ip| ip.parse().unwrap()).to_vec(),
        ..Given::new("198.18.0.0/29\na.example.org\nb.example.org\n", leads)
    }
    .scan();
    let mut asked: Vec<_> =
        [0, 4, 5, 6, 7].map(|last| ("198.18.0.0/29".to_owned(), format!("198.18.0.{last}"))).to_vec();
    asked.push(("a.example.org".to_owned(), "198.18.0.2".to_owned()));
    assert_eq!(scanned.asked(), asked);
    assert_eq!((scanned.done, scanned.pending), (10, 0));
}

#[test]
fn what_could_not_be_resolved_of_a_name_leaves_a_record_that_says_how() {
    let answers = |question: &Question| match (question.name.to_string().as_str(), question.kind) {
        ("half.example.org", Kind::A) => found(&["198.18.0.1"]),
        ("half.example.org", _) => Answer::bare(Status::TimedOut),
        ("other.example.org", Kind::Aaaa) => found(&["2001:db8::1"]),
        ("other.example.org", _) => Answer::bare(Status::ServFail),
        ("whole.example.org", Kind::A) => found(&["198.18.0.3"]),
        ("none.example.org", _) => Answer::bare(Status::Refused),
        ("gone.example.org", _) | (_, Kind::Ptr) => Answer::bare(Status::NxDomain),
        _ => Answer::bare(Status::NoData),
    };
    let list = "half.example.org\nother.example.org\nwhole.example.org\nnone.example.org\ngone.example.org\n";
    let scanned = Given { held_back: 0, ..Given::new(list, answers) }.scan();
    let said: HashMap<_, _> = scanned
        .records
        .iter()
        .filter(|record| record.target.ip.is_none())
        .map(|record| {
            let what = record.target.unresolved.unwrap();
            assert_eq!(record.evidence.observation.outcome, Outcome::Unresolved);
            (record.target.asked.to_string(), (what.family, what.status))
        })
        .collect();
    let expected = [
        ("half.example.org", (Some(AddressFamily::Ipv6), Status::TimedOut)),
        ("other.example.org", (Some(AddressFamily::Ipv4), Status::ServFail)),
        ("none.example.org", (None, Status::Refused)),
        ("gone.example.org", (None, Status::NxDomain)),
    ];
    assert_eq!(said, expected.map(|(name, what)| (name.to_owned(), what)).into());
    assert_eq!((scanned.records.len(), scanned.done), (7, 5));
}
