//! What a scan needs to go on after it was killed: small, for the order is arithmetic.
//!
//! The file is one line that names its form and its checksum, and a line of JSON. It is replaced as a whole,
//! and only after the records that it counts are on disk.

pub mod watermark;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::record::neutral::Safe;
use crate::report::Committed;
use crate::scan::checkpoint::watermark::Watermark;
use crate::targets::Shard;

/// The targets of a name that have their records, of a name that has others that don't: what a checkpoint
/// keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartlyDone {
    /// The turn of the name.
    pub turn: u64,
    /// The targets.
    pub targets: Vec<SocketAddr>,
}

/// The form's name, first in the file. It changes with whatever an older reader would misunderstand.
const FORM: &str = "banneret.checkpoint/2";
/// The form before: the turns of names stood behind those of addresses.
const FORM_1: &str = "banneret.checkpoint/1";

/// Why a checkpoint can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a checkpoint, or one of another version.
    #[error("is not a checkpoint of the form {FORM}")]
    Form,
    /// Cut short or altered.
    #[error("is damaged: its checksum does not fit")]
    Damaged,
    /// The checksum fits, the contents do not.
    #[error("can't be read: {}", Safe(.0))]
    Contents(String),
}

/// An output as far as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputMark {
    /// Its path, absolute; `-` for stdout.
    pub path: String,
    /// Bytes up to which it is whole.
    pub length: u64,
    /// Records in these bytes.
    pub rows: u64,
    /// The SHA-256 hash of these bytes, in hex; earlier versions kept none.
    #[serde(default)]
    pub sha256: Option<String>,
}

impl OutputMark {
    /// An output of this name, which is whole so far.
    pub fn new(path: String, committed: Committed) -> Self {
        let Committed { length, rows, sha256 } = committed;
        Self { path, length, rows, sha256: sha256.map(|hash| hex(&hash)) }
    }

    /// Up to where it is whole.
    pub fn committed(&self) -> Result<Committed, CheckpointError> {
        let Self { length, rows, sha256, .. } = self;
        let sha256 = match sha256 {
            Some(text) => Some(unhex(text).ok_or_else(|| {
                CheckpointError::Contents(format!("`{text}` is no SHA-256 hash of an output"))
            })?),
            None => None,
        };
        Ok(Committed { length: *length, rows: *rows, sha256 })
    }
}

/// A scan's progress and all that it depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The program's version.
    pub version: String,
    /// The command line in force, defaults, environment and settings file included, one word each.
    pub arguments: Vec<String>,
    /// The folder in which it was typed.
    pub folder: String,
    /// The order's key.
    pub seed: u64,
    /// A hash of targets and exclusions.
    pub targets: String,
    /// Of each exclusion file, how many entries it had at the start: those behind came late, and leave the
    /// order alone.
    #[serde(default)]
    pub listed: Vec<u64>,
    /// When the scan began, RFC 3339.
    pub began: String,
    /// One above the highest turn done.
    #[serde(with = "decimal")]
    pub high: u128,
    /// Turns below that are not done, as `7` or `7-9`.
    pub pending: Vec<String>,
    /// The outputs.
    pub outputs: Vec<OutputMark>,
    /// Addresses of the set that have their records by a name, and whose own turns are still to come.
    pub claimed: Vec<IpAddr>,
    /// Names that have some of their records.
    #[serde(default)]
    pub partly_done: Vec<PartlyDone>,
    /// Where the turns of names stand.
    #[serde(default)]
    pub numbering: Numbering,
    /// What became of the targets so far.
    pub counts: Counts,
}

/// Where the turns of names stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbering {
    /// Behind those of addresses, and of one shard alone: as the first form had it.
    #[default]
    NamesLast,
    /// Before them.
    NamesFirst,
}

/// How many turns of each kind there are, to tell the ones from the others.
#[derive(Debug, Clone, Copy)]
pub struct TurnCounts {
    /// Of addresses, in this shard.
    pub addresses: u128,
    /// Of names, in all shards.
    pub names: u128,
    /// Whose turns they are.
    pub shard: Shard,
}

/// What became of the targets so far, records dropped by `--keep` included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Targets that left the order and ended.
    pub drawn: u64,
    /// Records written.
    pub written: u64,
    /// Records dropped by `--keep`.
    pub dropped: u64,
    /// Judged hosts with a name that leads to private addresses only.
    #[serde(default)]
    pub inside_views: u64,
    /// By outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// By verdict.
    pub verdicts: BTreeMap<String, u64>,
}

impl Checkpoint {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        // A struct of texts and numbers always has a JSON form.
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut file = format!("{FORM} {}\n", hex(&Sha256::digest(&body))).into_bytes();
        file.extend(body);
        file.push(b'\n');
        file
    }

    /// Reads the file's bytes.
    pub fn decode(file: &[u8]) -> Result<Self, CheckpointError> {
        let end = file.iter().position(|&b| b == b'\n').ok_or(CheckpointError::Form)?;
        let (head, body) = (&file[..end], &file[end + 1..]);
        let head = std::str::from_utf8(head).map_err(|_| CheckpointError::Form)?;
        let form = head.strip_prefix(FORM).or_else(|| head.strip_prefix(FORM_1));
        let checksum = form.and_then(|rest| rest.strip_prefix(' ')).ok_or(CheckpointError::Form)?;
        let body = body.strip_suffix(b"\n").ok_or(CheckpointError::Damaged)?;
        if hex(&Sha256::digest(body)) != checksum {
            return Err(CheckpointError::Damaged);
        }
        serde_json::from_slice(body).map_err(|wrong| CheckpointError::Contents(wrong.to_string()))
    }

    /// Whether it is of a version that took the first turns of the order for the sample of `--max-targets`,
    /// and had one.
    pub fn has_other_sample(&self) -> bool {
        let is_sampled = self.arguments.iter().any(|word| word.starts_with("--max-targets="));
        self.numbering == Numbering::NamesLast && is_sampled
    }

    /// The turns done.
    pub fn watermark(&self) -> Result<Watermark, CheckpointError> {
        Ok(Watermark::resume(self.high, &self.pending_turns()?))
    }

    /// The same progress with the turns of names before those of addresses.
    pub fn with_names_first(mut self, counts: TurnCounts) -> Result<Self, CheckpointError> {
        if self.numbering == Numbering::NamesFirst {
            return Ok(self);
        }
        let TurnCounts { addresses, names, shard } = counts;
        let pending = self.pending_turns()?;
        let is_done = |turn: u128| turn < self.high && pending.binary_search(&turn).is_err();
        // A shard knew its own names only, by their number among these.
        let (own, step) = (u128::from(shard.number() - 1), u128::from(shard.count()));
        let name_done = |name: u128| name % step == own && is_done(addresses + name / step);
        let addresses_done = self.high.min(addresses);
        let last_name = (0..names).rev().find(|&name| name_done(name));
        let high = match addresses_done {
            0 => last_name.map_or(0, |name| name + 1),
            done => names + done,
        };
        let names_pending = (0..names.min(high)).filter(|&name| !name_done(name));
        let behind = pending.iter().filter(|&&turn| turn < addresses_done).map(|turn| turn + names);
        self.pending = runs(names_pending.chain(behind));
        self.high = high;
        // They were not of the set, whose turns spoke for every name that led to it.
        self.claimed.clear();
        self.numbering = Numbering::NamesFirst;
        Ok(self)
    }

    /// The turns that are not done below [`Checkpoint::high`]; an error for more or older ones than a scan
    /// leaves.
    pub fn pending_turns(&self) -> Result<Vec<u128>, CheckpointError> {
        let wrong = |text: &str| CheckpointError::Contents(format!("`{text}` is no run of turns"));
        let mut turns: Vec<u128> = Vec::new();
        for run in &self.pending {
            let (first, last) = run.split_once('-').unwrap_or((run, run));
            let first: u128 = first.parse().map_err(|_| wrong(run))?;
            let last: u128 = last.parse().map_err(|_| wrong(run))?;
            let is_known = first <= last && last < self.high && self.high - first <= MAX_SPAN;
            if !is_known || last - first >= MAX_PENDING - turns.len() as u128 {
                return Err(wrong(run));
            }
            turns.extend(first..=last);
        }
        Ok(turns)
    }
}

/// More turns than are ever under way at once, and what fits memory.
const MAX_PENDING: u128 = 1 << 24;
/// More turns than are drawn while one is under way: half an hour at two million a second. As bits, 512 MiB.
const MAX_SPAN: u128 = 1 << 32;

/// Turns as runs: 3, 7, 8, 9 as `3`, `7-9`.
pub fn runs(turns: impl Iterator<Item = u128>) -> Vec<String> {
    let mut runs = Vec::new();
    let mut open: Option<(u128, u128)> = None;
    for turn in turns {
        match &mut open {
            Some((_, last)) if *last + 1 == turn => *last = turn,
            _ => {
                runs.extend(open.map(run));
                open = Some((turn, turn));
            }
        }
    }
    runs.extend(open.map(run));
    runs
}

fn run((first, last): (u128, u128)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// A turn's number as text: JSON numbers of other readers end at 2^53.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARKED: Committed = Committed { length: 123, rows: 2, sha256: Some([0xa5; 32]) };

    fn sample() -> Checkpoint {
        Checkpoint {
            version: "0.1.0".into(),
            arguments: vec!["scan".into(), "--rate".into(), "50".into()],
            folder: "/tmp".into(),
            seed: 7,
            targets: "00ff".into(),
            listed: vec![3],
            began: "2026-01-02T03:04:05Z".into(),
            high: 1000,
            pending: runs([3, 7, 8, 9].into_iter()),
            outputs: vec![OutputMark::new("/tmp/a.jsonl".into(), MARKED)],
            claimed: vec!["192.0.2.1".parse().unwrap()],
            partly_done: vec![PartlyDone { turn: 7, targets: vec!["192.0.2.9:25".parse().unwrap()] }],
            numbering: Numbering::NamesFirst,
            counts: Counts { drawn: 5, written: 2, dropped: 3, ..Counts::default() },
        }
    }

    #[test]
    fn a_checkpoint_comes_back() {
        let checkpoint = sample();
        assert_eq!(Checkpoint::decode(&checkpoint.encode()), Ok(checkpoint.clone()));
        assert_eq!(checkpoint.pending, ["3", "7-9"]);
        assert_eq!(checkpoint.pending_turns().unwrap(), [3, 7, 8, 9]);
        let far = Checkpoint { high: u128::from(u64::MAX) + 9, pending: Vec::new(), ..sample() };
        assert_eq!(Checkpoint::decode(&far.encode()), Ok(far));
    }

    #[test]
    fn an_output_comes_back_with_its_hash_or_without_one_from_an_earlier_version() {
        let mark = OutputMark::new("a.jsonl".into(), MARKED);
        assert_eq!(mark.committed(), Ok(MARKED));
        let earlier: OutputMark =
            serde_json::from_str(r#"{"path":"a.jsonl","length":123,"rows":2}"#).unwrap();
        assert_eq!(earlier.committed(), Ok(Committed { sha256: None, ..MARKED }));
        for wrong in [String::new(), "a5".into(), "g".repeat(64), "+".repeat(64), "é".repeat(32)] {
            let mark = OutputMark { sha256: Some(wrong), ..mark.clone() };
            mark.committed().unwrap_err();
        }
    }

    #[test]
    fn a_checkpoint_of_the_first_form_is_read_with_its_names_behind() {
        let old = Checkpoint { partly_done: Vec::new(), numbering: Numbering::NamesLast, ..sample() };
        let text = String::from_utf8(old.encode()).unwrap();
        let (_, body) = text.split_once('\n').unwrap();
        let body = body.replace(r#""partly_done":[],"numbering":"names_last","#, "");
        assert!(!body.contains("numbering"), "{body}");
        let sum = hex(&Sha256::digest(body.trim_end()));
        assert_eq!(Checkpoint::decode(format!("{FORM_1} {sum}\n{body}").as_bytes()), Ok(old));
    }

    #[test]
    fn turns_of_the_first_form_are_the_same_turns_with_names_before() {
        let whole = Shard::WHOLE;
        let second_of_three = Shard::new(2, 3).unwrap();
        // Addresses, names, shard, high and pending before, high and pending now.
        for (addresses, names, shard, before, now) in [
            (10, 0, whole, (4, vec![1]), (4, vec![1])),
            (10, 3, whole, (4, vec![1]), (7, vec![0, 1, 2, 4])),
            (10, 3, whole, (13, vec![9, 11]), (13, vec![1, 12])),
            (10, 3, whole, (11, vec![]), (13, vec![1, 2])),
            (0, 3, whole, (2, vec![0]), (2, vec![0])),
            (0, 3, whole, (0, vec![]), (0, vec![])),
            (10, 3, whole, (0, vec![]), (0, vec![])),
            // Names 1, 4 and 7 were this shard's first, second and third.
            (10, 8, second_of_three, (13, vec![3, 11]), (18, vec![0, 2, 3, 4, 5, 6, 11])),
            (0, 8, second_of_three, (2, vec![]), (5, vec![0, 2, 3])),
        ] {
            let old = Checkpoint {
                high: before.0,
                pending: runs(before.1.into_iter()),
                numbering: Numbering::NamesLast,
                ..sample()
            };
            let new = old.with_names_first(TurnCounts { addresses, names, shard }).unwrap();
            assert_eq!((new.high, new.pending_turns().unwrap()), now, "{addresses} {names} {shard}");
            assert_eq!(new.clone().with_names_first(TurnCounts { addresses, names, shard }), Ok(new));
        }
    }

    #[test]
    fn no_altered_byte_and_no_cut_goes_unnoticed() {
        let file = sample().encode();
        for at in 0..file.len() {
            assert!(Checkpoint::decode(&file[..at]).is_err(), "cut at {at}");
            let mut altered = file.clone();
            altered[at] ^= 1;
            assert!(Checkpoint::decode(&altered).is_err(), "byte {at} altered");
        }
    }

    #[test]
    fn runs_that_make_no_sense_are_refused() {
        for bad in ["x", "9-7", "1-", "-", "5-99999999999999999999999999", ""] {
            let mut checkpoint = sample();
            checkpoint.pending = vec![bad.into()];
            assert!(checkpoint.pending_turns().is_err(), "{bad}");
        }
    }

    #[test]
    fn more_or_older_pending_turns_than_a_scan_leaves_are_refused() {
        for (high, pending) in [
            (1 << 60, vec!["0"]),
            (1 << 100, vec!["0"]),
            (u128::MAX, vec!["1"]),
            (1 << 25, vec!["0-16777216"]),
            (1 << 25, vec!["0-16777214", "16777215", "16777216"]),
            (1 << 33, vec!["4294967295"]),
        ] {
            let checkpoint =
                Checkpoint { high, pending: pending.iter().map(ToString::to_string).collect(), ..sample() };
            assert!(checkpoint.watermark().is_err(), "{pending:?} below {high}");
        }
        let checkpoint = Checkpoint { high: 1 << 33, pending: vec!["4294967296".into()], ..sample() };
        assert_eq!(checkpoint.watermark().unwrap().pending().next(), Some(1 << 32));
    }

    #[test]
    fn what_a_checkpoint_says_wrong_is_shown_harmless() {
        let checkpoint = Checkpoint { pending: vec!["\u{1b}[2J".into()], ..sample() };
        let wrong = checkpoint.pending_turns().unwrap_err();
        assert_eq!(wrong.to_string(), r"can't be read: `\x1b[2J` is no run of turns");
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn runs_say_what_turns_said(turns in proptest::collection::btree_set(0u128..500, 0..200)) {
            let mut checkpoint = sample();
            checkpoint.pending = runs(turns.iter().copied());
            prop_assert_eq!(checkpoint.pending_turns().unwrap(), turns.into_iter().collect::<Vec<_>>());
        }
    }
}
