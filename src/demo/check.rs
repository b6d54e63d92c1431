//! A scan's records held against the truth: every disagreement by name.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use super::block::{Block, Truth};
use crate::judge::what_if::Remedy;
use crate::judge::{Fcrdns, Relation, Verdict};
use crate::record::Record;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Records that agree with the truth in all that it tells.
    pub right: usize,
    /// Every disagreement, in the order of the records; one record may have several.
    pub wrong: Vec<Wrong>,
    /// Addresses of the block without a record, and who lives there: to be judged by what the scan was told
    /// to keep.
    pub unseen: Vec<Truth>,
}

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The address; `None` where the record has none.
    pub ip: Option<IpAddr>,
    /// Who lives there; `None` outside of the block.
    pub persona: Option<&'static str>,
    /// The field of the record.
    pub field: &'static str,
    /// What is true.
    pub expected: String,
    /// What the record says.
    pub got: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip {
            Some(ip) => write!(f, "{ip}")?,
            None => write!(f, "no address")?,
        }
        let persona = self.persona.unwrap_or("not in the block");
        write!(f, " ({persona}): {} should be `{}`, is `{}`", self.field, self.expected, self.got)
    }
}

/// Compares records one by one, for scans whose records are not kept in memory.
#[derive(Debug)]
pub struct Check<'b> {
    block: &'b Block,
    seen: HashSet<IpAddr>,
    report: Report,
}

/// Compares a scan's records with a block, in any order.
pub fn check<'r>(block: &Block, records: impl IntoIterator<Item = &'r Record>) -> Report {
    let mut check = Check::of(block);
    records.into_iter().for_each(|record| check.record(record));
    check.report()
}

impl<'b> Check<'b> {
    /// A check of a block, with no record yet.
    pub fn of(block: &'b Block) -> Self {
        Self { block, seen: HashSet::new(), report: Report::default() }
    }

    /// Compares one record.
    pub fn record(&mut self, record: &Record) {
        let before = self.report.wrong.len();
        self.compare(record);
        if self.report.wrong.len() == before {
            self.report.right += 1;
        }
    }

    /// The outcome, with the addresses that had no record.
    pub fn report(mut self) -> Report {
        self.report.unseen =
            self.block.truths().filter(|truth| !self.seen.contains(&truth.ip.into())).collect();
        self.report
    }

    fn compare(&mut self, record: &Record) {
        let ip = record.target.ip;
        let Some(truth) = ip.and_then(|ip| self.block.truth(ip)) else {
            self.report.wrong.push(Wrong {
                ip,
                persona: None,
                field: "ip",
                expected: format!("an address of {}", self.block.prefix()),
                got: ip.map_or("none".to_owned(), |ip| ip.to_string()),
            });
            return;
        };
        let mut wrong = |field, expected: String, got: String| {
            self.report.wrong.push(Wrong { ip, persona: Some(truth.persona), field, expected, got });
        };
        if !self.seen.insert(truth.ip.into()) {
            wrong("ip", "in one record".to_owned(), "in several".to_owned());
            return;
        }
        let judgement = &record.judgement;
        let mut compare = |field, expected: Option<&str>, got: Option<&str>| {
            if expected != got {
                wrong(field, expected.unwrap_or("none").to_owned(), got.unwrap_or("none").to_owned());
            }
        };
        compare("outcome", Some(truth.outcome.as_str()), Some(record.evidence.observation.outcome.as_str()));
        compare("banner_name", truth.banner_name.as_deref(), judgement.banner_name.as_deref());
        compare("fcrdns", truth.fcrdns.map(Fcrdns::as_str), judgement.fcrdns.map(Fcrdns::as_str));
        compare("verdict", truth.verdict.map(Verdict::as_str), judgement.verdict.map(Verdict::as_str));
        if let Some(relation) = truth.relation {
            compare("relation", Some(relation.as_str()), judgement.relation.map(Relation::as_str));
        }
        if let Some(status) = truth.ptr {
            let told = record.evidence.resolution.as_ref().map(|resolution| resolution.ptr.as_str());
            compare("ptr_status", Some(status.as_str()), told);
        }
        let clears = |words: &[&str]| if words.is_empty() { "none".to_owned() } else { words.join(";") };
        let told = judgement.clears_by.map(|by| by.iter().map(Remedy::as_str).collect::<Vec<_>>());
        compare("clears_by", truth.clears.map(clears).as_deref(), told.as_deref().map(clears).as_deref());
        let found: Vec<&str> = judgement.findings.iter().map(|finding| finding.code.as_str()).collect();
        let list = || if found.is_empty() { "none".to_owned() } else { found.join(";") };
        for code in truth.must.iter().filter(|code| !found.contains(code)) {
            wrong("findings", format!("with {code}"), list());
        }
        for code in truth.never.iter().filter(|code| found.contains(code)) {
            wrong("findings", format!("without {code}"), list());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::evidence::{Evidence, Observation, Outcome, Resolution, Status};
    use crate::judge::{Code, Finding, Judgement, Severity, Tenancy};
    use crate::prefix::Prefix;
    use crate::record::Target;

    fn block() -> Block {
        Block::new(Prefix::parse("127.25.0.0/22").unwrap(), 1).unwrap()
    }

    /// The address of a persona.
    fn home(block: &Block, persona: &str) -> Truth {
        block.truths().find(|truth| truth.persona == persona).unwrap()
    }

    /// A record that says what a truth says.
    fn right(truth: &Truth) -> Record {
        let ip = Some(IpAddr::V4(truth.ip));
        let resolution = truth.ptr.map(|ptr| Resolution { ptr, ..Resolution::not_asked() });
        let findings = if truth.must.contains(&"ptr_missing") {
            vec![Finding { code: Code::PtrMissing, severity: Severity::High }]
        } else {
            Vec::new()
        };
        Record {
            time: SystemTime::UNIX_EPOCH,
            target: Target { ip, port: 25, asked: "127.25.0.0/22".into(), inventory: None, unresolved: None },
            evidence: Evidence {
                ip,
                observation: Observation::bare(truth.outcome, 1),
                resolution,
                scanner: None,
            },
            judgement: Judgement {
                banner_name: truth.banner_name.clone(),
                ehlo_name: None,
                fcrdns: truth.fcrdns,
                relation: truth.relation,
                verdict: truth.verdict,
                severity: None,
                findings,
                platform: None,
                tenancy: Tenancy::Unknown,
                accepted: Vec::new(),
                fix: Vec::new(),
                clears_by: truth.clears.map(|by| by.iter().filter_map(|word| Remedy::parse(word)).collect()),
            },
            network: None,
            foreign: crate::record::Foreign::default(),
        }
    }

    fn fields(report: &Report) -> Vec<&'static str> {
        report.wrong.iter().map(|wrong| wrong.field).collect()
    }

    #[test]
    fn records_that_agree_are_right_and_the_rest_is_unseen() {
        let block = block();
        let records = [
            right(&home(&block, "postfix")),
            right(&home(&block, "no_ptr")),
            right(&home(&block, "refused")),
        ];
        let report = check(&block, &records);
        assert_eq!((report.right, report.wrong.len(), report.unseen.len()), (3, 0, 1021));
    }

    #[test]
    fn every_field_that_differs_is_named() {
        let block = block();
        let truth = home(&block, "no_ptr");
        for (field, change) in [
            ("outcome", (|record| record.evidence.observation.outcome = Outcome::Silent) as fn(&mut Record)),
            ("banner_name", |record| record.judgement.banner_name = None),
            ("fcrdns", |record| record.judgement.fcrdns = Some(Fcrdns::TempError)),
            ("verdict", |record| record.judgement.verdict = Some(Verdict::Match)),
            ("relation", |record| record.judgement.relation = Some(Relation::Exact)),
            ("ptr_status", |record| record.evidence.resolution = None),
            ("ptr_status", |record| {
                record.evidence.resolution =
                    Some(Resolution { ptr: Status::NoData, ..Resolution::not_asked() });
            }),
            ("findings", |record| record.judgement.findings.clear()),
            ("clears_by", |record| record.judgement.clears_by = None),
            ("ip", |record| record.target.ip = None),
            ("ip", |record| record.target.ip = Some([192, 0, 2, 1].into())),
        ] {
            let mut record = right(&truth);
            change(&mut record);
            let report = check(&block, [&record]);
            assert_eq!((fields(&report), report.right), (vec![field], 0));
        }
    }

    #[test]
    fn a_finding_drawn_from_an_unanswered_question_is_wrong() {
        let block = block();
        let truth = home(&block, "ptr_servfail");
        let mut record = right(&truth);
        record.judgement.findings.push(Finding { code: Code::PtrMissing, severity: Severity::High });
        let report = check(&block, [&record]);
        let told = format!(
            "{} (ptr_servfail): findings should be `without ptr_missing`, is `ptr_missing`",
            truth.ip
        );
        assert_eq!(report.wrong[0].to_string(), told);
    }

    #[test]
    fn a_target_with_two_records_is_wrong_once() {
        let block = block();
        let record = right(&home(&block, "postfix"));
        let report = check(&block, [&record, &record]);
        assert_eq!((report.right, fields(&report)), (1, vec!["ip"]));
    }
}
