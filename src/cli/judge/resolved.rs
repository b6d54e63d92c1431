//! The DNS half of records, as far as they lack it: many are asked for at once, and handed on in the order in
//! which they came.
//!
//! By example: records 1, 2, 3 come in, 2 and 3 wait for DNS; 1 goes on at once, 3 is answered first and
//! waits for 2.

use std::collections::VecDeque;

use anyhow::Context;

use crate::cli::args::QuestionsWord;
use crate::cli::exit::Unable;
use crate::cli::upstreams::{Voice, Warnings};
use crate::evidence::Resolution;
use crate::record::Record;
use crate::resolve::{self, Case, Resolver, SecondPass, Settings, Solution, Solved, Want};

/// Records that wait for others at most: enough to keep a resolver busy, some megabytes.
const WINDOW: usize = 4096;
/// Cases that are asked for together.
const BATCH: usize = 64;

/// Takes a record that is complete.
pub(super) type Next<'n> = &'n mut dyn FnMut(Record) -> anyhow::Result<()>;

/// Records under way.
pub(super) struct Resolved {
    resolver: Resolver<u64>,
    questions: QuestionsWord,
    asked: Vec<Case<u64>>,
    window: VecDeque<Slot>,
    /// The number of the first in the window.
    first: u64,
}

enum Slot {
    Waiting(Box<Record>),
    Complete(Box<Record>),
}

impl Resolved {
    /// Starts the resolver.
    pub(super) fn start(settings: Settings, questions: QuestionsWord) -> anyhow::Result<Self> {
        let settings = Settings { held_back: WINDOW, second_pass: SecondPass::WhenIdle, ..settings };
        let resolver = {
            let warnings = Warnings::of(&settings, Voice::Loud);
            resolve::start_telling(settings, warnings.teller())?
        };
        Ok(Self { resolver, questions, asked: Vec::new(), window: VecDeque::new(), first: 0 })
    }

    /// Takes a record, and hands on all that are complete up to the first that waits.
    pub(super) fn take(&mut self, record: Record, next: Next<'_>) -> anyhow::Result<()> {
        let number = self.first + self.window.len() as u64;
        match want(&record, self.questions) {
            Some(want) => {
                self.asked.push(Case { want, carry: number });
                self.window.push_back(Slot::Waiting(Box::new(record)));
            }
            None => self.window.push_back(Slot::Complete(Box::new(record))),
        }
        if self.asked.len() >= BATCH {
            self.ask()?;
        }
        while let Ok(batch) = self.resolver.solved.try_recv() {
            self.learn(batch);
        }
        self.hand_on(next)?;
        while self.window.len() >= WINDOW {
            self.wait(next)?;
        }
        Ok(())
    }

    /// Hands on the rest.
    pub(super) fn finish(&mut self, next: Next<'_>) -> anyhow::Result<()> {
        self.hand_on(next)?;
        while !self.window.is_empty() {
            self.wait(next)?;
        }
        Ok(())
    }

    fn wait(&mut self, next: Next<'_>) -> anyhow::Result<()> {
        self.ask()?;
        let batch = self.resolver.solved.blocking_recv().context("the resolver has ended").context(Unable)?;
        self.learn(batch);
        self.hand_on(next)
    }

    fn ask(&mut self) -> anyhow::Result<()> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let cases = std::mem::take(&mut self.asked);
        self.resolver
            .inbox
            .send_blocking(cases)
            .map_err(|_| anyhow::anyhow!("the resolver has ended"))
            .context(Unable)
    }

    fn learn(&mut self, batch: Vec<Solved<u64>>) {
        for Solved { solution, carry } in batch {
            let place = carry.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
            let Some(slot) = place.and_then(|place| self.window.get_mut(place)) else { continue };
            if let (Slot::Waiting(record), Solution::Identity(resolution)) = (&*slot, solution) {
                let mut record = record.clone();
                record.answer(resolution);
                *slot = Slot::Complete(record);
            }
        }
    }

    fn hand_on(&mut self, next: Next<'_>) -> anyhow::Result<()> {
        while let Some(Slot::Complete(_)) = self.window.front() {
            self.first += 1;
            if let Some(Slot::Complete(record)) = self.window.pop_front() {
                next(*record)?;
            }
        }
        Ok(())
    }
}

/// What DNS is to be asked about a record: nothing of one that nobody greeted, else whatever its answers
/// leave open, or everything.
fn want(record: &Record, questions: QuestionsWord) -> Option<Want> {
    let evidence = &record.evidence;
    let ip = evidence.ip.filter(|_| evidence.observation.outcome.is_judged())?;
    let banner = evidence.greeting_source().name_to_resolve();
    let known = evidence.resolution.clone().filter(|_| questions == QuestionsWord::Open);
    let known = Box::new(known.unwrap_or_else(Resolution::not_asked));
    Some(Want::Rest { ip, banner, known })
}
