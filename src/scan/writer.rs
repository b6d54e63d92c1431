//! The end of the stream, on one thread: evidence is joined, judged, written, counted, and its turn is done.
//!
//! The targets of one name are written together, when the last of them has ended: so a turn is either wholly in the
//! outputs or not at all, and a resumed scan can draw it again without doubling a record.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{Receiver, UnboundedSender};
use tokio::time::{Instant, MissedTickBehavior};

use super::ScanError;
use super::aim::{Aim, Asked, Asking, Seen};
use super::claims::Claims;
use super::course::Roster;
use super::feeder::Note;
use super::keeper::Keeper;
use super::lead::{Lead, Leads, aims};
use super::outputs::Outputs;
use super::progress::{Fate, Progress};
use super::stop::{Level, Stop};
use super::vantage::Vantage;
use super::watermark::Watermark;
use super::worst::Worst;
use crate::evidence::{Evidence, Observation, Outcome, Resolution, Scanner};
use crate::judge::accept::Acceptances;
use crate::judge::providers::Providers;
use crate::judge::{Context, Judgement, Verdict};
use crate::record::{Record, Target, Unjudged};
use crate::report::asn::AsnDb;
use crate::resolve::{Hurry, Solution, Solved};

/// Progress is saved this often while records come.
const SAVE_EACH: Duration = Duration::from_millis(500);
/// How long answers of DNS are waited for after the scan was asked to end …
const DRAIN: Duration = Duration::from_secs(15);
/// … and, once no conversation is under way, how long after the last that came: a resolver that is away holds nobody up.
const LULL: Duration = Duration::from_secs(2);

/// Which targets get a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Those that sent anything.
    #[default]
    Greeted,
    /// Those with findings, and those that DNS told too little of: they may have some.
    Findings,
    /// Every one.
    All,
}

impl Keep {
    /// Whether a record is wanted.
    pub fn wants(self, outcome: Outcome, judgement: &Judgement) -> bool {
        match self {
            Self::Greeted => outcome.is_judged() || outcome == Outcome::NotSmtp,
            Self::Findings => {
                !judgement.findings.is_empty() || judgement.verdict == Some(Verdict::Undetermined)
            }
            Self::All => true,
        }
    }
}

/// What the writer works with.
pub struct Writer {
    /// Who asked for what, and what is not to be touched.
    pub roster: Arc<Roster>,
    /// Which targets get a record.
    pub keep: Keep,
    /// Findings that the user accepts.
    pub accepts: Acceptances,
    /// Further domains of providers.
    pub providers: Providers,
    /// Who we are.
    pub scanner: Arc<Scanner>,
    /// Where records go.
    pub outputs: Outputs,
    /// Where progress is kept.
    pub keeper: Keeper,
    /// Turns done so far.
    pub watermark: Watermark,
    /// For what names led to.
    pub notes: UnboundedSender<Note>,
    /// The figures.
    pub progress: Arc<Progress>,
    /// Addresses that names led to so far: each is spoken to once.
    pub claims: Claims,
    /// Names whose targets have not all ended.
    pub open: HashMap<u128, OpenName>,
    /// The worst finding so far.
    pub worst: Worst,
    /// Who holds which network.
    pub networks: Option<Arc<AsnDb>>,
    /// What the records say of the place that is scanned from.
    pub vantage: Vantage,
    /// Targets that could not be judged, which is a defect of this program: their turns stay undone.
    pub undone: usize,
    /// Whether the scan had to end before all that was under way was written: its turns stay undone.
    pub cut_off: bool,
}

/// A name whose targets have not all ended.
#[derive(Debug)]
pub struct OpenName {
    left: usize,
    records: Vec<Record>,
    /// The addresses that it led to.
    addresses: Vec<IpAddr>,
    /// Targets of it that could not be judged.
    undone: usize,
}

impl Writer {
    /// Writes until both streams have ended or the scan must stop; then makes all of it durable. Hosts that wait for a
    /// second pass over DNS when it must are written as they are: their mail servers are not to be asked twice.
    pub async fn run(
        mut self,
        mut seen: Receiver<Vec<Seen>>,
        (mut solved, hurry): (Receiver<Vec<Solved<Asking>>>, Hurry),
        stop: &Stop,
    ) -> Result<Self, ScanError> {
        let mut tick = tokio::time::interval_at(Instant::now() + SAVE_EACH, SAVE_EACH);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut seen_open, mut solved_open) = (true, true);
        let mut last = Instant::now();
        let cut_off = async {
            stop.reached(Level::Drain).await;
            hurry.ask();
            tokio::select! {
                () = tokio::time::sleep(DRAIN) => {}
                () = stop.reached(Level::Now) => {}
            }
        };
        tokio::pin!(cut_off);
        while seen_open || solved_open {
            tokio::select! {
                biased;
                () = &mut cut_off => { self.cut_off = true; break; }
                batch = solved.recv(), if solved_open => {
                    (solved_open, last) = (batch.is_some(), Instant::now());
                    for case in batch.into_iter().flatten() { self.solved(case)?; }
                },
                batch = seen.recv(), if seen_open => {
                    (seen_open, last) = (batch.is_some(), Instant::now());
                    for seen in batch.into_iter().flatten() { self.conclude(seen, None)?; }
                },
                () = tokio::time::sleep_until(last + LULL), if !seen_open && stop.level() != Level::Run => {
                    self.cut_off = true;
                    break;
                }
                _ = tick.tick() => self.save()?,
            }
        }
        self.progress.doubt(self.vantage.end());
        self.save()?;
        Ok(self)
    }

    fn solved(&mut self, case: Solved<Asking>) -> Result<(), ScanError> {
        match (case.carry, case.solution) {
            (Asking::Host(seen), Solution::Identity(resolution)) => self.conclude(*seen, Some(resolution)),
            (Asking::Name { turn, name }, Solution::Addresses(found)) => {
                let leads = Leads::of_host(self.roster.host(name), &found);
                self.led(turn, name, &leads)
            }
            (Asking::Name { turn, name }, Solution::MailHosts(found)) => {
                self.led(turn, name, &Leads::of_domain(&found))
            }
            // The resolver answers what it was asked; were it otherwise, the target would still have its record.
            (Asking::Host(seen), _) => self.conclude(*seen, Some(Resolution::not_asked())),
            (Asking::Name { turn, name }, Solution::Identity(_)) => self.led(turn, name, &Leads::default()),
        }
    }

    /// A name led to these addresses: each that is allowed and new becomes a target of the name's turn.
    fn led(&mut self, turn: u128, name: usize, leads: &Leads) -> Result<(), ScanError> {
        self.progress.left_out.count(leads);
        let leads = &leads.within[..];
        let mut fresh = Vec::new();
        let mut blocked = 0;
        for lead in leads {
            let ip = lead.ip.to_canonical();
            if self.roster.is_blocked(ip) {
                blocked += 1;
            } else if self.roster.draws(ip) || !self.claims.take(ip) {
                self.progress.merged.fetch_add(1, Relaxed);
            } else {
                fresh.push(Lead { ip, host: lead.host.clone() });
            }
        }
        if !fresh.is_empty() {
            let aims = aims(turn, name, &fresh, self.roster.ports());
            let addresses = fresh.iter().map(|lead| lead.ip).collect();
            self.open.insert(turn, OpenName { left: aims.len(), records: Vec::new(), addresses, undone: 0 });
            // The feeder hears until the scan is over.
            let _ = self.notes.send(Note::Late(aims));
            return Ok(());
        }
        if leads.is_empty() || blocked == leads.len() {
            self.progress.drawn.fetch_add(1, Relaxed);
            let outcome = if leads.is_empty() { Outcome::Unresolved } else { Outcome::Excluded };
            let target = self.target(
                None,
                self.roster.ports().first().copied().unwrap_or_default(),
                Asked::Name(name),
            );
            let scanner = Some(Arc::clone(&self.scanner));
            let evidence =
                Evidence { ip: None, observation: Observation::bare(outcome, 0), resolution: None, scanner };
            let time = SystemTime::now();
            let record = self.judged(Unjudged { time, target, evidence, network: None });
            self.emit(&record)?;
        }
        self.name_done(turn);
        Ok(())
    }

    fn name_done(&mut self, turn: u128) {
        self.turn_done(turn);
        let _ = self.notes.send(Note::NameDone);
    }

    fn turn_done(&mut self, turn: u128) {
        self.watermark.done(turn);
        self.progress.turns_done.fetch_add(1, Relaxed);
    }

    /// A target has all the evidence that it will get.
    fn conclude(&mut self, seen: Seen, resolution: Option<Resolution>) -> Result<(), ScanError> {
        let Seen { aim, observation, time, scanner } = seen;
        let Aim { turn, ip, port, asked, .. } = aim;
        let evidence = Evidence { ip: Some(ip), observation, resolution, scanner: Some(scanner) };
        let network = self.networks.as_ref().and_then(|networks| networks.network(ip));
        let unjudged = Unjudged { time, target: self.target(Some(ip), port, asked), evidence, network };
        // What a stranger said and this program can't judge must not end the scan.
        let record = catch_unwind(AssertUnwindSafe(|| self.judged(unjudged))).ok();
        let Some(open) = self.open.get_mut(&turn) else {
            match record {
                Some(record) => {
                    self.emit(&record)?;
                    self.turn_done(turn);
                }
                None => self.undone += 1,
            }
            return Ok(());
        };
        open.undone += usize::from(record.is_none());
        open.records.extend(record);
        open.left -= 1;
        let Some(OpenName { records, addresses, undone, .. }) =
            (open.left == 0).then(|| self.open.remove(&turn)).flatten()
        else {
            return Ok(());
        };
        if undone > 0 {
            self.undone += undone;
            let _ = self.notes.send(Note::NameDone);
            return Ok(());
        }
        for record in &records {
            self.emit(record)?;
        }
        self.claims.settle(&addresses);
        self.name_done(turn);
        Ok(())
    }

    fn target(&self, ip: Option<IpAddr>, port: u16, asked: Asked) -> Target {
        let (asked, inventory) = self.roster.asked(ip, asked);
        Target { ip, port, asked, inventory }
    }

    fn judged(&self, unjudged: Unjudged) -> Record {
        let context = Context {
            accepts: Some((&self.accepts, unjudged.time)),
            providers: Some(&self.providers),
            ..Context::default()
        };
        unjudged.judge(&context)
    }

    fn emit(&mut self, record: &Record) -> Result<(), ScanError> {
        let (outcome, judgement) = (record.evidence.observation.outcome, &record.judgement);
        let fate = if self.keep.wants(outcome, judgement) {
            self.outputs.write(record)?;
            Fate::Written
        } else {
            Fate::Dropped
        };
        self.worst.see(record);
        self.progress.count(outcome, judgement.verdict, fate);
        self.progress.doubt(self.vantage.see(record));
        Ok(())
    }

    fn save(&mut self) -> Result<(), ScanError> {
        self.keeper.save(&mut self.outputs, &self.watermark, &self.claims)
    }
}
