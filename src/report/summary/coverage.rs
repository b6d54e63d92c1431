//! How much of what was asked the numbers speak of: targets asked, targets that answered, verdicts that could
//! not be reached and why.
//!
//! Records alone know only targets that left one. Where a scan told elsewhere how all of its targets ended
//! (in its manifest, or because it is this very run), those without a record are counted, too: see
//! [`Summary::add_unkept`].

use std::collections::BTreeMap;

use super::{Counts, Summary};
use crate::evidence::{Outcome, Status};
use crate::judge::Verdict;
use crate::record::row::Row;

/// What stood in the way of a verdict where the PTR answer was definite.
const FORWARD: &str = "forward_lookup";
/// Undetermined targets that left no record.
const NOT_KEPT: &str = "not_kept";

/// Whence the numbers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Records alone.
    Records,
    /// The scans' own counts of all targets.
    Scans,
    /// These for some files, records alone for others.
    Both,
}

impl Basis {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Scans => "scans",
            Self::Both => "both",
        }
    }
}

impl Coverage {
    /// Whether the scans told how all of their targets ended. Records alone do not know of those that left
    /// none.
    pub fn is_known(&self) -> bool {
        self.basis == Basis::Scans
    }

    /// Why it is not known, for a person.
    pub fn why_unknown(&self) -> &'static str {
        match self.basis {
            Basis::Scans => "",
            Basis::Records => "not known: no manifest stands beside the records",
            Basis::Both => "not known: a manifest stands beside only some of the records",
        }
    }
}

/// How far the numbers reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Targets that had their turn.
    pub asked: u64,
    /// Those that sent anything.
    pub answered: u64,
    /// Those that were judged.
    pub judged: u64,
    /// Those of them for which DNS gave no definite answer.
    pub undetermined: u64,
    /// What stood in the way, the most frequent first: how the PTR question ended, `forward_lookup` where
    /// that was definite, `not_kept` where no record says.
    pub why: Vec<(&'static str, u64)>,
    /// Whence the numbers come.
    pub basis: Basis,
    /// Scans among them that stopped before their end.
    pub stopped: u64,
}

/// What is counted towards coverage beside the records' own counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// Undetermined records by the status of their PTR answer; the last is none of its own.
    unknown: Counts<{ Status::ALL.len() + 1 }>,
    unkept: Counts<{ Outcome::ALL.len() }>,
    unkept_judged: u64,
    unkept_undetermined: u64,
    scans: u64,
    bare_files: u64,
    stopped: u64,
}

impl Reach {
    pub(super) fn add(&mut self, row: &Row<'_>) {
        if row.verdict == Some(Verdict::Undetermined) {
            let status = row.ptr_status.filter(|status| !status.is_definite());
            self.unknown.add(status.map_or(Status::ALL.len(), |status| status as usize));
        }
    }
}

/// The counts of a summary at one moment: those of a file are what came after.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    outcomes: Counts<{ Outcome::ALL.len() }>,
    judged: u64,
    undetermined: u64,
}

/// How all targets of one scan ended, whether they left a record or not.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// By outcome.
    pub by_outcome: &'a BTreeMap<String, u64>,
    /// By verdict.
    pub by_verdict: &'a BTreeMap<String, u64>,
    /// Whether all targets had their turn.
    pub complete: bool,
}

impl Summary {
    /// Where the counts stand now.
    pub fn mark(&self) -> Mark {
        Mark {
            outcomes: self.outcomes.clone(),
            judged: self.all.verdicts.total(),
            undetermined: self.all.verdict(Verdict::Undetermined),
        }
    }

    /// How many records were added since.
    pub fn records_since(&self, mark: &Mark) -> u64 {
        self.outcomes.total() - mark.outcomes.total()
    }

    /// Counts the targets of a scan that left no record among those added since `mark`.
    pub fn add_unkept(&mut self, ended: Ended<'_>, mark: &Mark) {
        let told = |counts: &BTreeMap<String, u64>, word: &str| counts.get(word).copied().unwrap_or(0);
        for outcome in Outcome::ALL {
            let index = outcome as usize;
            let kept = self.outcomes.at(index) - mark.outcomes.at(index);
            let unkept = told(ended.by_outcome, outcome.as_str()).saturating_sub(kept);
            self.reach.unkept.add_many(index, unkept);
        }
        // Of words that this version does not know none is missing either.
        let known: u64 = Outcome::ALL.iter().map(|outcome| told(ended.by_outcome, outcome.as_str())).sum();
        let kept = self.outcomes.other() - mark.outcomes.other();
        let others = ended.by_outcome.values().sum::<u64>().saturating_sub(known).saturating_sub(kept);
        self.reach.unkept.add_many(Outcome::ALL.len(), others);
        let judged = ended.by_verdict.values().sum::<u64>();
        self.reach.unkept_judged += judged.saturating_sub(self.all.verdicts.total() - mark.judged);
        let undetermined = told(ended.by_verdict, Verdict::Undetermined.as_str());
        let kept = self.all.verdict(Verdict::Undetermined) - mark.undetermined;
        self.reach.unkept_undetermined += undetermined.saturating_sub(kept);
        self.reach.scans += 1;
        self.reach.stopped += u64::from(!ended.complete);
    }

    /// Notes that of the records of one file no scan tells more.
    pub fn add_bare_file(&mut self) {
        self.reach.bare_files += 1;
    }

    /// How far the numbers reach.
    pub fn coverage(&self) -> Coverage {
        let Self { reach, .. } = self;
        let asked = |outcome: Outcome| self.outcome(outcome) + reach.unkept.at(outcome as usize);
        let answered = Outcome::ALL.into_iter().filter(|it| it.has_spoken()).map(asked);
        let mut why: Vec<_> =
            Status::ALL.iter().map(|&it| (it.as_str(), reach.unknown.at(it as usize))).collect();
        why.push((FORWARD, reach.unknown.at(Status::ALL.len())));
        why.push((NOT_KEPT, reach.unkept_undetermined));
        why.retain(|&(_, count)| count > 0);
        why.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        Coverage {
            asked: self.all.records + reach.unkept.total(),
            answered: answered.sum(),
            judged: self.all.verdicts.total() + reach.unkept_judged,
            undetermined: self.all.verdict(Verdict::Undetermined) + reach.unkept_undetermined,
            why,
            basis: match (reach.scans, reach.bare_files) {
                (0, _) => Basis::Records,
                (_, 0) => Basis::Scans,
                _ => Basis::Both,
            },
            stopped: reach.stopped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use crate::judge::Severity;

    fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
        pairs.iter().map(|&(word, count)| (word.to_owned(), count)).collect()
    }

    fn summary() -> Summary {
        let mut summary = Summary::new();
        summary.add(&row([192, 0, 2, 1], Verdict::Match, Severity::None));
        for status in [Some(Status::TimedOut), Some(Status::TimedOut), Some(Status::Found), None] {
            let unknown = row([192, 0, 2, 2], Verdict::Undetermined, Severity::None);
            summary.add(&Row { ptr_status: status, ..unknown });
        }
        let silent = row([192, 0, 2, 3], Verdict::Match, Severity::None);
        summary.add(&Row { outcome: Outcome::Silent, verdict: None, severity: None, ..silent });
        summary
    }

    #[test]
    fn records_alone_tell_what_they_know() {
        let coverage = summary().coverage();
        assert_eq!((coverage.asked, coverage.answered, coverage.judged), (6, 5, 5));
        assert_eq!(coverage.why, [("timed_out", 2), (FORWARD, 2)]);
        assert_eq!((coverage.undetermined, coverage.basis, coverage.stopped), (4, Basis::Records, 0));
    }

    #[test]
    fn targets_without_a_record_are_counted_where_the_scan_tells_of_them() {
        let mut summary = summary();
        let mark = summary.mark();
        summary.add(&row([198, 51, 100, 1], Verdict::NoPtr, Severity::High));
        let (by_outcome, by_verdict) = (
            counts(&[("greeted", 3), ("timed_out", 90), ("refused", 7)]),
            counts(&[("match", 1), ("no_ptr", 1), ("undetermined", 1)]),
        );
        let ended = Ended { by_outcome: &by_outcome, by_verdict: &by_verdict, complete: false };
        summary.add_unkept(ended, &mark);
        let coverage = summary.coverage();
        assert_eq!((coverage.asked, coverage.answered, coverage.judged), (6 + 100, 5 + 3, 5 + 3));
        assert_eq!(coverage.why, [("timed_out", 2), (FORWARD, 2), (NOT_KEPT, 1)]);
        assert_eq!((coverage.undetermined, coverage.basis, coverage.stopped), (5, Basis::Scans, 1));
        summary.add_bare_file();
        assert_eq!(summary.coverage().basis, Basis::Both);
    }
}
