//! What scans know of one host, and what two such states mean to each other.

use std::sync::Arc;
use std::time::SystemTime;

use super::change::Change;
use crate::evidence::Outcome;
use crate::judge::{Code, Severity, Verdict, remedy};
use crate::record::row::{Codes, Row};

/// So often sound and in trouble by turns, and a host is flapping: there, back, and there again.
const FLAPS: u32 = 2;

/// What scans know of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How the conversation went.
    pub outcome: Outcome,
    /// The verdict, if it was judged.
    pub verdict: Option<Verdict>,
    /// The findings that weigh at least low on this host.
    pub trouble: Codes,
    /// The highest weight among them.
    pub severity: Severity,
    /// Since when it is in trouble without a sound record between; `None` if it is sound.
    pub since: Option<SystemTime>,
    /// The name in the greeting.
    pub banner_name: Option<Box<str>>,
    /// The PTR names, sorted.
    pub ptr_names: Box<[String]>,
    /// Whether a scan has records of this host that contradict each other.
    pub agreement: Agreement,
    /// How often it went from sound to trouble or back, from scan to scan.
    pub turns: u32,
    /// What else the user said of it: name and value.
    pub tags: Arc<[Tag]>,
    /// The changes that would clear it.
    pub fix: Box<[remedy::Change]>,
}

/// A tag: its name and its value.
pub type Tag = (Box<str>, Box<str>);

/// Whether the records of one host in one scan say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// They do, or there is but one.
    Agreed,
    /// Another verdict or another name was met.
    Contradicted,
}

impl State {
    /// What one record says. What the user accepts is no trouble.
    pub fn of(row: &Row<'_>) -> Self {
        let weight = |code: Code| row.weight(code);
        let mut ptr_names = row.ptr_names.to_strings();
        ptr_names.sort_unstable();
        let findings = row.findings.without(row.accepted);
        let trouble: Codes = findings.iter().filter(|&code| weight(code) >= Severity::Low).collect();
        Self {
            outcome: row.outcome,
            verdict: row.verdict,
            trouble,
            severity: findings.iter().map(weight).max().unwrap_or(Severity::None),
            since: (!trouble.is_empty()).then_some(row.time),
            banner_name: row.banner_name.as_deref().map(Box::from),
            ptr_names: ptr_names.into_boxed_slice(),
            agreement: Agreement::Agreed,
            turns: 0,
            tags: row.tags.pairs().map(|(name, value)| (name.into(), value.into())).collect(),
            fix: row.fix.clone().into(),
        }
    }

    /// Takes in another record of the same scan. Of several that agree the last counts, but one that knows
    /// more stays before one that knows less.
    pub(super) fn beside(&mut self, other: Self) {
        let contradicted = self.agreement == Agreement::Contradicted || self.contradicts(&other);
        if self.is_unknown() || !other.is_unknown() {
            let since = self.since.filter(|_| other.since.is_some());
            *self = Self { since: since.min(other.since).or(other.since), ..other };
        }
        if contradicted {
            self.agreement = Agreement::Contradicted;
        }
    }

    /// Takes in what a later scan knows: an answer that nobody got, and silence, change nothing of what was
    /// known.
    pub(super) fn then(&mut self, later: Self) {
        if later.is_unknown() && !self.is_unknown() {
            return;
        }
        let turns = self.turns + u32::from(self.turns_to(&later));
        let contradicted = self.agreement == Agreement::Contradicted;
        let since = if later.is_sound() { None } else { self.since.or(later.since) };
        *self = Self { since, turns, ..later };
        if contradicted {
            self.agreement = Agreement::Contradicted;
        }
    }

    /// Whether it greeted.
    pub fn spoke(&self) -> bool {
        self.outcome.is_judged()
    }

    fn is_sound(&self) -> bool {
        self.trouble.is_empty()
    }

    fn is_unknown(&self) -> bool {
        self.verdict.is_none_or(|verdict| verdict == Verdict::Undetermined)
    }

    /// Whether a later state is sound where this one is not, or the other way round.
    fn turns_to(&self, later: &Self) -> bool {
        !self.is_unknown() && !later.is_unknown() && self.is_sound() != later.is_sound()
    }

    /// An answer that nobody got contradicts nothing.
    fn contradicts(&self, other: &Self) -> bool {
        let known = !self.is_unknown() && !other.is_unknown();
        known && (self.verdict != other.verdict || self.banner_name != other.banner_name)
    }
}

/// What became of one host; `None` if it greeted on neither side.
pub fn change(old: Option<&State>, new: Option<&State>) -> Option<Change> {
    let spoke = |state: Option<&'_ State>| state.is_some_and(State::spoke);
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) if old.spoke() && new.spoke() => (old, new),
        (old, new) if spoke(old) || spoke(new) => {
            // How it ended is not known to this version: perhaps it spoke.
            let is_other = |state: Option<&State>| state.is_some_and(|it| it.outcome == Outcome::Other);
            return Some(match spoke(old) {
                _ if is_other(old) || is_other(new) => Change::Unknown,
                true => Change::Gone,
                false => Change::New,
            });
        }
        _ => return None,
    };
    let contradicted = [old, new].iter().any(|state| state.agreement == Agreement::Contradicted);
    if contradicted || old.turns + u32::from(old.turns_to(new)) >= FLAPS {
        return Some(Change::Flapping);
    }
    if old.is_unknown() || new.is_unknown() {
        return Some(Change::Unknown);
    }
    Some(match (old.is_sound(), new.is_sound()) {
        (true, false) => Change::Regressed,
        (false, true) => Change::Fixed,
        (false, false) if new.severity > old.severity => Change::Regressed,
        (false, false) => Change::StillWrong,
        (true, true) if old.banner_name != new.banner_name || old.ptr_names != new.ptr_names => {
            Change::Renamed
        }
        (true, true) => Change::Same,
    })
}
