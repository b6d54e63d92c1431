//! What a run was and what came of it, beside each of its outputs: enough to run it again and to check its
//! files.

mod judged;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asn::About;
use super::atomic;
use super::output::Written;
use super::summary::Ended;
use crate::record::time;

pub use judged::{Carried, Judged};

/// The longest manifest that is read, in bytes: many times what a run with hundreds of outputs writes.
const LONGEST: u64 = 1 << 20;
/// The name of the manifest's form.
const SCHEMA: &str = "banneret.manifest/1";

/// Whether all targets had their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// They had.
    Complete,
    /// The run stopped before; it can be resumed.
    Stopped,
}

/// What further looks at hosts that had greeted came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Canaries {
    /// Looks.
    pub looks: u64,
    /// Looks without an answer.
    pub silent: u64,
    /// Times that the scan slowed down for it.
    pub slowdowns: u64,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Manifest<'a> {
    /// The program's version.
    pub version: &'a str,
    /// The command line, program first. Secrets do not belong on one.
    pub command: &'a [String],
    /// The settings in force, wherever each came from.
    pub settings: &'a Value,
    /// The seed of the order.
    pub seed: u64,
    /// The share of this machine, as `K/N`.
    pub shard: &'a str,
    /// How many targets the shard has.
    pub targets: u64,
    /// The upstream resolvers that were relied on.
    pub resolvers: &'a [String],
    /// What a reader of the records should know, one line each.
    pub warnings: &'a [String],
    /// When the run began.
    pub start: SystemTime,
    /// When it ended.
    pub end: SystemTime,
    /// Further looks at hosts that had greeted, in this run.
    pub canaries: Canaries,
    /// How many targets ended so, those without a record included.
    pub by_outcome: &'a BTreeMap<String, u64>,
    /// How many were judged so.
    pub by_verdict: &'a BTreeMap<String, u64>,
    /// Whether it came to the end.
    pub completion: Completion,
    /// What the data say of themselves that tell who holds which network.
    pub asn_db: Option<&'a About>,
    /// Its outputs, the first one first.
    pub outputs: &'a [Written],
}

/// Why a manifest is not there.
#[derive(Debug, thiserror::Error)]
#[error("manifest `{path}` can't be written: {source}", path = path.display())]
pub struct ManifestError {
    path: PathBuf,
    source: io::Error,
}

/// Where the manifest of an output stands: `FILE.manifest.json`; `None` for stdout.
pub fn path_of(output: &Path) -> Option<PathBuf> {
    let mut name = output.as_os_str().to_owned();
    name.push(".manifest.json");
    (output != Path::new("-")).then(|| PathBuf::from(name))
}

/// The manifest beside an output, as it stands; `None` if there is none that can be read.
pub fn beside(output: &Path) -> Option<Value> {
    serde_json::from_slice(&read(&path_of(output)?)?).ok()
}

fn put(path: &Path, form: &impl Serialize) -> Result<(), ManifestError> {
    let text = serde_json::to_vec_pretty(form).map_err(io::Error::from);
    let written = text.and_then(|mut text| {
        text.push(b'\n');
        atomic::write(path, &text)
    });
    written.map_err(|source| ManifestError { path: path.to_owned(), source })
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path).ok()?.take(LONGEST + 1).read_to_end(&mut text).ok()?;
    (text.len() as u64 <= LONGEST).then_some(text)
}

impl Manifest<'_> {
    /// The manifest as a value, for who shows it.
    pub fn value(&self) -> Value {
        serde_json::to_value(self.form()).unwrap_or_default()
    }

    /// Puts it at `path`, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), ManifestError> {
        put(path, &self.form())
    }

    fn form(&self) -> impl Serialize + '_ {
        Form {
            schema: SCHEMA,
            version: self.version,
            command: self.command,
            settings: self.settings,
            seed: self.seed,
            shard: self.shard,
            targets: self.targets,
            resolvers: self.resolvers,
            warnings: self.warnings,
            start: time::to_string(self.start),
            end: time::to_string(self.end),
            complete: self.completion == Completion::Complete,
            canaries: self.canaries,
            by_outcome: self.by_outcome,
            by_verdict: self.by_verdict,
            asn_db: self.asn_db,
            outputs: self.outputs.iter().map(OutputForm::of).collect(),
        }
    }
}

/// What a manifest tells of the records it stands beside.
#[derive(Debug, Clone, Deserialize)]
pub struct Told {
    schema: String,
    /// `None` where the run did not know of targets without a record, as in the other two.
    by_outcome: Option<BTreeMap<String, u64>>,
    by_verdict: Option<BTreeMap<String, u64>>,
    complete: Option<bool>,
    asn_db: Option<About>,
    /// Of before it was written down: none.
    #[serde(default)]
    warnings: Vec<String>,
    outputs: Vec<ToldFile>,
}

#[derive(Debug, Clone, Deserialize)]
struct ToldFile {
    rows: u64,
}

impl Told {
    /// Reads it; `None` if it is no manifest of this form.
    pub fn read(path: &Path) -> Option<Self> {
        let told: Self = serde_json::from_slice(&read(path)?).ok()?;
        (told.schema == SCHEMA).then_some(told)
    }

    /// Whether it is of outputs with so many records.
    pub fn is_of(&self, records: u64) -> bool {
        self.outputs.first().is_some_and(|first| first.rows == records)
    }

    /// What the data say of themselves that told who holds which network.
    pub fn asn_db(&self) -> Option<&About> {
        self.asn_db.as_ref()
    }

    /// What speaks against taking the records at their word.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// How the targets ended; `None` where that is not known.
    pub fn ended(&self) -> Option<Ended<'_>> {
        Some(Ended {
            by_outcome: self.by_outcome.as_ref()?,
            by_verdict: self.by_verdict.as_ref()?,
            complete: self.complete?,
        })
    }
}

#[derive(Serialize)]
struct Form<'a> {
    schema: &'static str,
    version: &'a str,
    command: &'a [String],
    settings: &'a Value,
    seed: u64,
    shard: &'a str,
    targets: u64,
    resolvers: &'a [String],
    warnings: &'a [String],
    start: String,
    end: String,
    complete: bool,
    canaries: Canaries,
    by_outcome: &'a BTreeMap<String, u64>,
    by_verdict: &'a BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asn_db: Option<&'a About>,
    outputs: Vec<OutputForm<'a>>,
}

#[derive(Serialize)]
struct OutputForm<'a> {
    path: String,
    rows: u64,
    length: u64,
    sha256: &'a str,
}

impl<'a> OutputForm<'a> {
    fn of(output: &'a Written) -> Self {
        let path = output.path.to_string_lossy().into_owned();
        Self { path, rows: output.rows, length: output.length, sha256: &output.sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_manifest_tells_the_run_and_its_files() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("a.jsonl");
        let path = path_of(&output).unwrap();
        assert!(path.ends_with("a.jsonl.manifest.json"));
        let written = Written { path: output, rows: 2, length: 8, sha256: "c3f9".to_owned() };
        let manifest = Manifest {
            version: "0.1.0",
            command: &["banneret".to_owned(), "scan".to_owned(), "192.0.2.0/31".to_owned()],
            settings: &json!({"rate": 1000.0}),
            seed: u64::MAX,
            shard: "1/1",
            targets: 2,
            resolvers: &["192.0.2.53:53".to_owned()],
            warnings: &["a resolver invents".to_owned()],
            start: UNIX_EPOCH,
            end: UNIX_EPOCH + Duration::from_millis(1500),
            canaries: Canaries { looks: 4, silent: 1, slowdowns: 0 },
            by_outcome: &[("greeted".to_owned(), 2)].into(),
            by_verdict: &BTreeMap::new(),
            completion: Completion::Complete,
            asn_db: None,
            outputs: std::slice::from_ref(&written),
        };
        manifest.write(&path).unwrap();
        assert_eq!(beside(&written.path), Some(manifest.value()));
        let read: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            read,
            json!({
                "schema": "banneret.manifest/1", "version": "0.1.0", "command": ["banneret", "scan", "192.0.2.0/31"],
                "settings": {"rate": 1000.0}, "seed": u64::MAX, "shard": "1/1", "targets": 2,
                "resolvers": ["192.0.2.53:53"], "warnings": ["a resolver invents"],
                "start": "1970-01-01T00:00:00.000Z", "end": "1970-01-01T00:00:01.500Z", "complete": true,
                "canaries": {"looks": 4, "silent": 1, "slowdowns": 0}, "by_outcome": {"greeted": 2}, "by_verdict": {},
                "outputs": [{"path": written.path, "rows": 2, "length": 8, "sha256": "c3f9"}],
            })
        );
    }

    #[test]
    fn stdout_has_no_manifest_and_a_failure_names_the_file() {
        assert_eq!(path_of(Path::new("-")), None);
        let error =
            ManifestError { path: "a.manifest.json".into(), source: io::ErrorKind::StorageFull.into() };
        assert_eq!(error.to_string(), "manifest `a.manifest.json` can't be written: no storage space");
    }
}
