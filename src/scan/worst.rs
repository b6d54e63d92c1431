//! The worst finding of a scan, and the first that is bad enough to be told at its end.

use std::net::SocketAddr;

use crate::judge::{Judgement, Severity};
use crate::record::Record;

/// How bad the records are so far.
#[derive(Debug, Clone)]
pub struct Worst {
    severity: Severity,
    from: Option<Severity>,
    first: Option<String>,
}

impl Worst {
    /// Starts from what an earlier part of the scan found; findings `from` this severity on are to be told.
    pub fn new(severity: Severity, from: Option<Severity>) -> Self {
        Self { severity, from, first: None }
    }

    /// Takes note of a record.
    pub fn see(&mut self, record: &Record) {
        let Some(severity) = record.judgement.severity else { return };
        self.severity = self.severity.max(severity);
        if self.first.is_none() && self.from.is_some_and(|from| severity >= from) {
            self.first = Some(told(record));
        }
    }

    /// Whether any finding was bad enough.
    pub fn is_reached(&self) -> bool {
        self.from.is_some_and(|from| self.severity >= from)
    }

    /// The first record that was bad enough, if it is of this run.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }
}

/// A record by its address and its worst finding: `192.0.2.7:25 ptr_missing (high)`.
pub fn told(record: &Record) -> String {
    let place = match record.target.ip {
        Some(ip) => SocketAddr::new(ip, record.target.port).to_string(),
        None => record.target.asked.to_string(),
    };
    let worst = worst_finding(&record.judgement);
    worst.map_or_else(|| place.clone(), |(code, severity)| format!("{place} {code} ({severity})"))
}

fn worst_finding(judgement: &Judgement) -> Option<(&'static str, &'static str)> {
    let counts = |code| judgement.accepted.iter().all(|accepted| accepted.code != code);
    let findings = judgement.findings.iter().filter(|finding| counts(finding.code));
    // The first of the worst.
    let worst = findings.rev().max_by_key(|finding| finding.severity)?;
    Some((worst.code.as_str(), worst.severity.as_str()))
}
