//! The end of the stream, on one thread: evidence is joined, judged, written, counted, and its turn is done.
//!
//! A target that names lead to has a record for each of them, all written together. A name's turn is done
//! with the last of its targets; until then a checkpoint says which of them have their records, so that a
//! resumed scan, which resolves the name again, doubles none and leaves none out.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{Receiver, UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, MissedTickBehavior};

use crate::evidence::{Evidence, Observation, Outcome, Resolution, Scanner};
use crate::judge::accept::Acceptances;
use crate::judge::providers::Providers;
use crate::judge::{Context, Judgement, Verdict};
use crate::record::{Foreign, Record, Target, Unjudged, Unresolved};
use crate::report::asn::AsnDb;
use crate::resolve::{Hurry, Solution, Solved};
use crate::scan::ScanError;
use crate::scan::attempt::{Attempt, LookupSubject, ProbeResult, TargetSource};
use crate::scan::checkpoint::watermark::Watermark;
use crate::scan::checkpoint_writer::CheckpointWriter;
use crate::scan::events::DispatchEvent;
use crate::scan::outputs::Outputs;
use crate::scan::progress::{Progress, Retention};
use crate::scan::sanity::vantage::VantageCheck;
use crate::scan::schedule::Scope;
use crate::scan::schedule::named::{Asker, NamedTargets, Owner, Shown};
use crate::scan::schedule::resolved_address::{self, ResolvedAddresses};
use crate::scan::stop::{Level, Stop};
use crate::scan::worst::Worst;

/// Progress is saved this often while records come.
const SAVE_EACH: Duration = Duration::from_millis(500);
/// How long answers of DNS are waited for after the scan was asked to end …
const DRAIN: Duration = Duration::from_secs(15);
/// … and, once no conversation is under way, how long after the last that came: a resolver that is away holds
/// nobody up.
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
            Self::Greeted => outcome.has_spoken(),
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
    pub scope: Arc<Scope>,
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
    pub checkpoint_writer: CheckpointWriter,
    /// Turns done so far.
    pub watermark: Watermark,
    /// For what names led to.
    pub notes: UnboundedSender<DispatchEvent>,
    /// The figures.
    pub progress: Arc<Progress>,
    /// The targets that names lead to.
    pub named: NamedTargets,
    /// The worst finding so far.
    pub worst: Worst,
    /// Who holds which network.
    pub networks: Option<Arc<AsnDb>>,
    /// What the records say of the place that is scanned from.
    pub vantage: VantageCheck,
    /// Targets that could not be judged, which is a defect of this program: their turns stay undone.
    pub undone: usize,
    /// Whether the scan had to end before all that was under way was written: its turns stay undone.
    pub cut_off: bool,
}

/// What the writer hears from.
pub struct Inlets {
    /// Targets of which all is known.
    pub seen: Receiver<Vec<ProbeResult>>,
    /// Hosts and names from the resolver.
    pub solved: Receiver<Vec<Solved<LookupSubject>>>,
    /// Turns of the set that were passed over, for a name leads to their targets.
    pub passed_over: UnboundedReceiver<(u128, SocketAddr)>,
    /// Ends the waiting for second passes over DNS.
    pub hurry: Hurry,
}

impl Writer {
    /// Writes until both streams have ended or the scan must stop; then makes all of it durable. Hosts that
    /// wait for a second pass over DNS when it must are written as they are: their mail servers are not to be
    /// asked twice.
    pub async fn run(mut self, inlets: Inlets, stop: &Stop) -> Result<Self, ScanError> {
        let Inlets { mut seen, mut solved, mut passed_over, hurry } = inlets;
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
                Some((turn, socket)) = passed_over.recv() => self.passed_over(turn, socket),
                () = tokio::time::sleep_until(last + LULL), if !seen_open && stop.level() != Level::Run => {
                    self.cut_off = true;
                    break;
                }
                _ = tick.tick() => self.save()?,
            }
        }
        while let Ok((turn, socket)) = passed_over.try_recv() {
            self.passed_over(turn, socket);
        }
        self.progress.doubt(self.vantage.end());
        self.save()?;
        Ok(self)
    }

    fn solved(&mut self, case: Solved<LookupSubject>) -> Result<(), ScanError> {
        match (case.carry, case.solution) {
            (LookupSubject::Host(seen), Solution::Identity(resolution)) => {
                self.conclude(*seen, Some(resolution))
            }
            // The resolver answers what it was asked; were it otherwise, the target would still have its
            // record.
            (LookupSubject::Host(seen), _) => self.conclude(*seen, Some(Resolution::not_asked())),
            (LookupSubject::Name { turn, name }, solution) => {
                let leads = ResolvedAddresses::of(&solution, self.scope.host(name));
                self.led(Asker { turn, name }, &leads)
            }
        }
    }

    /// A name was resolved: each address that is allowed, and this shard's, is a target of it.
    fn led(&mut self, asker: Asker, leads: &ResolvedAddresses) -> Result<(), ScanError> {
        self.progress.left_out.count(leads);
        self.progress.failing_exchangers.count(leads);
        let Asker { turn, name } = asker;
        let (mut targets, mut hosts) = (Vec::new(), Vec::new());
        let mut blocked = 0;
        for lead in &leads.within {
            let ip = lead.ip.to_canonical();
            if self.scope.is_blocked(ip) {
                blocked += 1;
            } else if self.scope.speaks_to(ip) {
                targets.extend(self.scope.ports().iter().map(|&port| SocketAddr::new(ip, port)));
                hosts.extend(self.scope.ports().iter().map(|_| lead.host.clone()));
            }
        }
        let records = self.records_of_name(name, leads, blocked);
        let own_records = records.len() as u64;
        let joined = self.named.join(asker, &targets, records);
        self.progress.merged.fetch_add((joined.shared + joined.known.len()) as u64, Relaxed);
        self.progress.drawn.fetch_add(joined.targets as u64 + own_records, Relaxed);
        let fresh = joined
            .fresh
            .iter()
            .map(|&at| resolved_address::attempt(turn, name, targets[at], hosts[at].take()));
        // The dispatcher hears until the scan is over.
        let _ = self.notes.send(DispatchEvent::Resolved(fresh.collect()));
        for (socket, shown) in joined.known {
            self.conclude_for(asker, socket, Shown::clone(&shown))?;
            if let Some(turn) = self.named.take_turn(socket) {
                self.progress.drawn.fetch_sub(1, Relaxed);
                self.turn_done(turn);
            }
        }
        self.finish_name(asker)?;
        if self.named.all_resolved() {
            for (socket, turn, shown) in self.named.let_go() {
                self.conclude_of_set(socket, turn, Shown::clone(&shown))?;
            }
        }
        Ok(())
    }

    /// What is to be said of a name itself: that it could not be resolved, or half of it, or that all its
    /// addresses are excluded. Of several shards one says it.
    fn records_of_name(&self, name: usize, leads: &ResolvedAddresses, blocked: usize) -> Vec<Record> {
        let mut said: Vec<(Outcome, Option<Unresolved>)> =
            leads.unresolved.iter().map(|&what| (Outcome::Unresolved, Some(what))).collect();
        if !leads.within.is_empty() && blocked == leads.within.len() {
            said.insert(0, (Outcome::Excluded, None));
        }
        if !self.scope.answers_for(name) {
            said.clear();
        }
        let port = self.scope.ports().first().copied().unwrap_or_default();
        let record = |(outcome, unresolved)| {
            let target = Target { unresolved, ..self.target(None, port, TargetSource::Name(name)) };
            let (observation, scanner) = (Observation::bare(outcome, 0), Some(Arc::clone(&self.scanner)));
            let evidence = Evidence { ip: None, observation, resolution: None, scanner };
            self.judged(Unjudged {
                time: SystemTime::now(),
                target,
                evidence,
                network: None,
                foreign: Foreign::default(),
            })
        };
        said.into_iter().map(record).collect()
    }

    /// Ends the turn of a name if all its targets have their records.
    fn finish_name(&mut self, asker: Asker) -> Result<(), ScanError> {
        let Some(records) = self.named.finish(asker.turn) else { return Ok(()) };
        for record in &records {
            self.emit(record)?;
        }
        self.watermark.done(asker.turn);
        if self.scope.answers_for(asker.name) {
            self.progress.turns_done.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    fn passed_over(&mut self, turn: u128, socket: SocketAddr) {
        if self.named.pass_over(socket, turn) {
            self.turn_done(turn);
        }
    }

    fn turn_done(&mut self, turn: u128) {
        self.watermark.done(turn);
        self.progress.turns_done.fetch_add(1, Relaxed);
    }

    /// A target has all the evidence that it will get.
    fn conclude(&mut self, seen: ProbeResult, resolution: Option<Resolution>) -> Result<(), ScanError> {
        let ProbeResult { attempt, observation, time, scanner } = seen;
        let Attempt { turn, ip, port, asked, .. } = attempt;
        let socket = SocketAddr::new(ip, port);
        let set_turn = (asked == TargetSource::Set).then_some(turn);
        let shown = Shown { time, observation, resolution, scanner };
        match self.named.conclude(socket, set_turn, shown) {
            Owner::Set(shown) => self.conclude_of_set(socket, turn, shown),
            Owner::Unknown => Ok(()),
            Owner::Names(askers, shown, turn_of_set) => {
                for &asker in &askers {
                    self.conclude_for(asker, socket, Shown::clone(&shown))?;
                    self.finish_name(asker)?;
                }
                match turn_of_set {
                    Some(turn) => self.turn_done(turn),
                    None if self.scope.draws(ip) => self.named.claim(socket),
                    None => {}
                }
                if set_turn.is_some() {
                    // It was drawn for the set, and is counted for the names.
                    self.progress.drawn.fetch_sub(1, Relaxed);
                }
                Ok(())
            }
        }
    }

    /// Writes the record that a target of the set is by its own turn.
    fn conclude_of_set(&mut self, socket: SocketAddr, turn: u128, shown: Shown) -> Result<(), ScanError> {
        match self.record(socket, TargetSource::Set, shown) {
            Some(record) => {
                self.emit(&record)?;
                self.turn_done(turn);
            }
            None => self.undone += 1,
        }
        Ok(())
    }

    /// Writes the record that a target is for one of the names that lead to it.
    fn conclude_for(&mut self, asker: Asker, socket: SocketAddr, shown: Shown) -> Result<(), ScanError> {
        match self.record(socket, TargetSource::Name(asker.name), shown) {
            Some(record) => {
                self.emit(&record)?;
                self.named.settle(asker.turn, socket);
            }
            None => self.undone += 1,
        }
        Ok(())
    }

    /// What a stranger said and this program can't judge must not end the scan: `None` then.
    fn record(&self, socket: SocketAddr, asked: TargetSource, shown: Shown) -> Option<Record> {
        let Shown { time, observation, resolution, scanner } = shown;
        let (ip, port) = (socket.ip(), socket.port());
        let evidence = Evidence { ip: Some(ip), observation, resolution, scanner: Some(scanner) };
        let network = self.networks.as_ref().and_then(|networks| networks.network(ip));
        let unjudged = Unjudged {
            time,
            target: self.target(Some(ip), port, asked),
            evidence,
            network,
            foreign: Foreign::default(),
        };
        catch_unwind(AssertUnwindSafe(|| self.judged(unjudged))).ok()
    }

    fn target(&self, ip: Option<IpAddr>, port: u16, asked: TargetSource) -> Target {
        let (asked, inventory) = self.scope.asked(ip, asked);
        Target { ip, port, asked, inventory, unresolved: None }
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
            Retention::Written
        } else {
            Retention::Dropped
        };
        self.worst.see(record);
        self.progress.count(outcome, judgement.verdict, fate);
        self.progress.count_view(&record.evidence);
        self.progress.doubt(self.vantage.see(record));
        Ok(())
    }

    fn save(&mut self) -> Result<(), ScanError> {
        self.checkpoint_writer.save(&mut self.outputs, &self.watermark, &self.named)
    }
}
