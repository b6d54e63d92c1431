//! The manifest of records that were judged again: what the manifests of its inputs say of targets that left
//! no record holds for it, too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;

use super::{ManifestError, OutputForm, SCHEMA, Told, put};
use crate::judge::Verdict;
use crate::record::time;
use crate::report::asn::About;
use crate::report::output::Written;

/// A run of `judge`.
#[derive(Debug)]
pub struct Judged<'a> {
    /// The program's version.
    pub version: &'a str,
    /// The command line, program first.
    pub command: &'a [String],
    /// The settings in force.
    pub settings: &'a Value,
    /// When the run began.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// The files that were judged.
    pub inputs: &'a [PathBuf],
    /// How the targets of their scans ended; `None` where a manifest is missing.
    pub carried: Option<Carried>,
    /// What the data say of themselves that tell who holds which network.
    pub asn_db: Option<&'a About>,
    /// What speaks against taking the records at their word.
    pub warnings: &'a [String],
    /// Its output.
    pub output: &'a Written,
}

/// How the targets of scans ended, their records judged anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// By outcome.
    pub by_outcome: BTreeMap<String, u64>,
    /// By verdict.
    pub by_verdict: BTreeMap<String, u64>,
    /// What the scans warn of.
    pub warnings: Vec<String>,
    /// Whether all of the scans came to their end.
    pub complete: bool,
    /// What the data say of themselves that told the scans who holds which network.
    pub asn_db: Option<About>,
}

impl Carried {
    /// Of no scan yet.
    pub fn new() -> Self {
        Self { complete: true, ..Self::default() }
    }

    /// Adds the scan whose manifest stands beside `input`, if it is that of so many records. `None` if there
    /// is none.
    #[must_use]
    pub fn with(mut self, input: &Path, records: u64) -> Option<Self> {
        let told = Told::read(&super::path_of(input)?).filter(|told| told.is_of(records))?;
        let ended = told.ended()?;
        for (counts, more) in
            [(&mut self.by_outcome, ended.by_outcome), (&mut self.by_verdict, ended.by_verdict)]
        {
            for (word, count) in more {
                *counts.entry(word.clone()).or_default() += count;
            }
        }
        self.complete &= ended.complete;
        for warning in told.warnings().iter().filter(|it| !self.warnings.contains(it)).collect::<Vec<_>>() {
            self.warnings.push(warning.clone());
        }
        self.asn_db = self.asn_db.or_else(|| told.asn_db().cloned());
        Some(self)
    }

    /// Moves records from their former verdict to that of today.
    pub fn judge_again(&mut self, (before, now): (Option<Verdict>, Option<Verdict>), records: u64) {
        if let Some(count) = before.and_then(|verdict| self.by_verdict.get_mut(verdict.as_str())) {
            *count = count.saturating_sub(records);
        }
        if let Some(verdict) = now {
            *self.by_verdict.entry(verdict.as_str().to_owned()).or_default() += records;
        }
    }
}

#[derive(Serialize)]
struct Form<'a> {
    schema: &'static str,
    version: &'a str,
    command: &'a [String],
    settings: &'a Value,
    inputs: Vec<String>,
    warnings: Vec<&'a String>,
    start: String,
    end: String,
    targets: Option<u64>,
    complete: Option<bool>,
    by_outcome: Option<&'a BTreeMap<String, u64>>,
    by_verdict: Option<&'a BTreeMap<String, u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asn_db: Option<&'a About>,
    outputs: [OutputForm<'a>; 1],
}

impl Judged<'_> {
    /// Puts it at `path`, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), ManifestError> {
        let carried = self.carried.as_ref();
        let form = Form {
            schema: SCHEMA,
            version: self.version,
            command: self.command,
            settings: self.settings,
            inputs: self.inputs.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            warnings: {
                let carried = carried.map_or(&[][..], |carried| &carried.warnings);
                carried.iter().chain(self.warnings.iter().filter(|own| !carried.contains(own))).collect()
            },
            start: time::to_string(self.start),
            end: time::to_string(self.end),
            targets: carried.map(|carried| carried.by_outcome.values().sum()),
            complete: carried.map(|carried| carried.complete),
            by_outcome: carried.map(|carried| &carried.by_outcome),
            by_verdict: carried.map(|carried| &carried.by_verdict),
            asn_db: self.asn_db.or_else(|| carried.and_then(|carried| carried.asn_db.as_ref())),
            outputs: [OutputForm::of(self.output)],
        };
        put(path, &form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::UNIX_EPOCH;

    fn scan(folder: &Path, name: &str, rows: u64, complete: Option<bool>) -> PathBuf {
        let path = folder.join(name);
        let counts = complete.map(|_| json!({"greeted": rows, "timed_out": 90}));
        let manifest = json!({
            "schema": SCHEMA, "by_outcome": counts, "by_verdict": complete.map(|_| json!({"match": rows})),
            "complete": complete, "outputs": [{"rows": rows}],
        });
        std::fs::write(super::super::path_of(&path).unwrap(), manifest.to_string()).unwrap();
        path
    }

    #[test]
    fn counts_are_carried_over_and_records_count_by_their_verdict_of_today() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["a.jsonl", "b.jsonl"].map(|name| scan(folder.path(), name, 3, Some(true)));
        let mut carried = Carried::new().with(&one, 3).unwrap().with(&two, 3).unwrap();
        carried.judge_again((Some(Verdict::Match), Some(Verdict::NoPtr)), 1);
        carried.judge_again((None, Some(Verdict::Undetermined)), 1);
        let output =
            Written { path: folder.path().join("c.jsonl"), rows: 6, length: 1, sha256: String::new() };
        let path = super::super::path_of(&output.path).unwrap();
        let manifest = Judged {
            version: "0.1.0",
            command: &[],
            settings: &json!({}),
            start: UNIX_EPOCH,
            end: UNIX_EPOCH,
            inputs: &[one, two],
            carried: Some(carried),
            asn_db: None,
            warnings: &[],
            output: &output,
        };
        manifest.write(&path).unwrap();
        let told: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(told["by_outcome"], json!({"greeted": 6, "timed_out": 180}));
        assert_eq!(told["by_verdict"], json!({"match": 5, "no_ptr": 1, "undetermined": 1}));
        assert_eq!((&told["targets"], &told["complete"]), (&json!(186), &json!(true)));
        let read = Told::read(&path).unwrap();
        assert!(read.is_of(6) && read.ended().is_some());
        Judged { carried: None, ..manifest }.write(&path).unwrap();
        let told: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((&told["by_outcome"], &told["targets"]), (&Value::Null, &Value::Null));
        assert!(Told::read(&path).unwrap().ended().is_none(), "not known, and said so");
    }

    #[test]
    fn one_input_of_which_no_scan_tells_makes_the_whole_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let stopped = scan(folder.path(), "a.jsonl", 3, Some(false));
        assert!(!Carried::new().with(&stopped, 3).unwrap().complete);
        assert_eq!(Carried::new().with(&stopped, 4), None, "of other records");
        assert_eq!(Carried::new().with(&folder.path().join("b.jsonl"), 3), None);
        assert_eq!(Carried::new().with(Path::new("-"), 3), None);
        let unknown = scan(folder.path(), "c.jsonl", 3, None);
        assert_eq!(Carried::new().with(&unknown, 3), None);
    }
}
