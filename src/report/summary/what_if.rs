//! What one change would do over a whole run: hosts in trouble, counted by the single changes that clear
//! them.

use super::Counts;
use super::hosts::{Hosts, Met};
use crate::judge::Severity;
use crate::judge::what_if::{Remedies, Remedy, WEIGHT};
use crate::record::row::{Codes, Row};

/// The words, in the order of [`WhatIf::counts`].
pub const WORDS: [&str; 6] =
    ["ptr_alone", "banner_alone", "forward_alone", "no_single_change", "accepted", "unknown"];

const NO_SINGLE_CHANGE: usize = 3;
const ACCEPTED: usize = 4;
const UNKNOWN: usize = 5;

/// Hosts with findings of weight. One that several single changes clear, each alone, counts under each of
/// them.
#[derive(Debug, Clone, Default)]
pub struct WhatIf {
    /// Hosts with findings of weight, accepted or not.
    pub in_trouble: u64,
    /// By the words of [`WORDS`].
    pub counts: Counts<{ WORDS.len() }>,
    /// Those that were met, so that a host that several names led to counts once.
    met: Hosts,
}

impl WhatIf {
    pub(super) fn add(&mut self, row: &Row<'_>) {
        let Some(severity) = row.severity else { return };
        let is_accepted = severity < WEIGHT && heaviest(row, row.accepted) >= WEIGHT;
        if (severity < WEIGHT && !is_accepted) || self.met.add(row) == Met::Again {
            return;
        }
        if severity >= WEIGHT {
            self.in_trouble += 1;
            match row.clears_by {
                None => self.counts.add(UNKNOWN),
                Some(remedies) if remedies == Remedies::default() => self.counts.add(NO_SINGLE_CHANGE),
                Some(remedies) => remedies.iter().for_each(|remedy: Remedy| self.counts.add(remedy as usize)),
            }
        } else if is_accepted {
            self.in_trouble += 1;
            self.counts.add(ACCEPTED);
        }
    }
}

/// What these findings would weigh.
fn heaviest(row: &Row<'_>, codes: Codes) -> Severity {
    codes.iter().map(|code| row.weight(code)).max().unwrap_or(Severity::None)
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use crate::judge::{Code, Verdict};

    #[test]
    fn each_host_in_trouble_counts_under_what_would_clear_it() {
        let host_at = |last, severity, clears_by: Option<&[Remedy]>, accepted: &[Code]| Row {
            clears_by: clears_by.map(|remedies| remedies.iter().copied().collect()),
            accepted: accepted.iter().copied().collect(),
            ..row([192, 0, 2, last], Verdict::Mismatch, severity)
        };
        let mut last = 0;
        let mut host = |severity, clears_by: Option<&[Remedy]>, accepted: &[Code]| {
            last += 1;
            host_at(last, severity, clears_by, accepted)
        };
        let mut what_if = WhatIf::default();
        for row in [
            host(Severity::High, Some(&[Remedy::Ptr]), &[]),
            host(Severity::Low, Some(&[Remedy::Banner, Remedy::Forward]), &[]),
            host(Severity::Medium, Some(&[]), &[Code::PtrGeneric]),
            host(Severity::Medium, None, &[]),
            host(Severity::None, None, &[Code::PtrGeneric]),
            // Nothing of weight was accepted, and nothing of weight is there.
            host(Severity::Info, None, &[Code::PtrMultiple]),
            host(Severity::None, None, &[]),
        ] {
            what_if.add(&row);
        }
        // Another name led to the first of them.
        let again = host_at(1, Severity::High, Some(&[Remedy::Ptr]), &[]);
        what_if.add(&Row { asked: "mx:example.org".into(), ..again });
        let counts: Vec<u64> = (0..WORDS.len()).map(|at| what_if.counts.at(at)).collect();
        assert_eq!((what_if.in_trouble, counts), (5, vec![1, 1, 1, 1, 1, 1]));
    }

    #[test]
    fn a_remedy_counts_at_its_word() {
        for remedy in Remedy::ALL {
            assert_eq!(WORDS[remedy as usize], format!("{}_alone", remedy.as_str()));
        }
        assert_eq!(
            [WORDS[NO_SINGLE_CHANGE], WORDS[ACCEPTED], WORDS[UNKNOWN]],
            ["no_single_change", "accepted", "unknown"]
        );
    }
}
