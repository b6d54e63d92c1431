//! One scan of the world under a fault: started, hurt, and brought to its end by resuming. Knows the program
//! by its command line alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::support::namespace::await_some;
use super::support::program as built;
use super::world::{Block, RESOLVER, SMALL, World};

/// New connections for each second: the small block takes some two seconds, so that progress is saved in
/// between.
const RATE: u32 = 500;
/// Resumptions before a scan is said to make no headway.
const RESUMPTIONS: usize = 3;
const INTERRUPTED: i32 = 3;

/// Whether a scan had connected to any host when it was hurt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    Nobody,
    Hosts,
}

/// A scan and the directory that holds all of its files.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) directory: PathBuf,
    pub(crate) block: Block,
    seed: u64,
    rate: u32,
    more: Vec<String>,
}

impl Scan {
    /// In a directory of its own below `work`.
    pub(crate) fn new(work: &Path, seed: u64) -> Self {
        let directory = tempfile::Builder::new().prefix("scan").tempdir_in(work).unwrap().keep();
        Self { directory, block: SMALL, seed, rate: RATE, more: Vec::new() }
    }

    /// Of another block, at so many connections a second.
    pub(crate) fn of(self, block: Block, rate: u32) -> Self {
        Self { block, rate, ..self }
    }

    /// With further words on its command line.
    pub(crate) fn with(mut self, words: &[&str]) -> Self {
        self.more.extend(words.iter().map(ToString::to_string));
        self
    }

    /// The files that hold the records, one of each way of writing.
    pub(crate) fn outputs(&self) -> [PathBuf; 5] {
        ["a.jsonl", "b.csv", "c.jsonl.zst", "d.jsonl.gz", "e.parquet"].map(|name| self.directory.join(name))
    }

    /// The files that they are in while the scan runs.
    pub(crate) fn gathered(&self) -> [PathBuf; 5] {
        let mut files = self.outputs();
        files[4] = self.directory.join("e.parquet.jsonl.zst");
        files
    }

    /// Where it says what it was and what came of it.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.directory.join("a.jsonl.manifest.json")
    }

    /// Where progress is kept.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.directory.join("progress")
    }

    /// For strace: only calls that touch an output.
    pub(crate) fn path_filters(&self) -> Vec<String> {
        filters(self.gathered().iter())
    }

    /// For strace: only calls that touch any file of the scan, by a process of a single digit.
    pub(crate) fn all_filters(&self) -> Vec<String> {
        let replaced = [self.checkpoint(), self.manifest(), self.directory.join("e.parquet")];
        let beside = (1..10).flat_map(|process| {
            replaced.iter().map(move |path| PathBuf::from(format!("{}.{process}.tmp", path.display())))
        });
        let beside: Vec<PathBuf> = beside.collect();
        filters(self.gathered().iter().chain(&replaced).chain(&beside).chain([&self.directory]))
    }

    fn arguments(&self) -> Vec<String> {
        let mut words = self.settings();
        words.extend(["--checkpoint".into(), self.checkpoint().display().to_string()]);
        words.extend(self.outputs().iter().flat_map(|path| ["-o".into(), path.display().to_string()]));
        words
    }

    fn settings(&self) -> Vec<String> {
        let mut words: Vec<String> = ["scan", "--allow-reserved", "--overwrite", "--keep", "all"]
            .into_iter()
            .chain(["--prefix-rate", "unlimited", "--dns-rate", "unlimited", "--progress", "never", "-q"])
            .map(str::to_owned)
            .collect();
        words.extend([self.block.targets(), "--rate".into(), self.rate.to_string()]);
        words.extend(self.more.iter().cloned());
        words.extend(["--resolver".into(), format!("{RESOLVER}:53"), "--seed".into(), self.seed.to_string()]);
        words
    }

    /// The same scan with its records on standard output alone.
    pub(crate) fn command_to_stdout(&self) -> Command {
        let mut command = program(&["env"], &[&self.settings()[..], &["-o".into(), "-".into()]].concat());
        command.current_dir(&self.directory);
        command
    }

    /// The scan, with all that it has to say.
    pub(crate) fn command_loud(&self) -> Command {
        let words: Vec<String> = self.arguments().into_iter().filter(|word| word != "-q").collect();
        program(&["env"], &words)
    }

    /// The same scan with its records on standard output as well.
    pub(crate) fn command_to_all(&self) -> Command {
        program(&["env"], &[&self.arguments()[..], &["-o".into(), "-".into()]].concat())
    }

    /// The scan as it is typed.
    pub(crate) fn command(&self) -> Command {
        program(&["env"], &self.arguments())
    }

    /// The scan under something that hurts it, as `strace …` or `bash -c 'ulimit …'`.
    pub(crate) fn command_under(&self, wrapper: &[&str]) -> Command {
        program(wrapper, &self.arguments())
    }

    /// Going on from where it stopped.
    pub(crate) fn resumption(&self) -> Command {
        let words = ["scan".to_owned(), "--resume".into(), self.checkpoint().display().to_string()];
        program(&["env"], &[&words[..], &["--progress".into(), "never".into()]].concat())
    }

    /// Brings a hurt scan to its end; one that had come to its end is left alone. Only one that had `met`
    /// nobody may have saved nothing, and is begun anew.
    pub(crate) fn finish(&self, ended: &Output, met: Met) {
        if ended.status.success() {
            assert!(!self.checkpoint().exists(), "a complete scan takes its checkpoint away");
            return;
        }
        let saved = self.checkpoint().exists();
        if !saved && self.is_complete() {
            // Hurt after the last of it was done.
            return;
        }
        assert!(saved || met == Met::Nobody, "a checkpoint is on the disk before the first connection");
        for _ in 0..RESUMPTIONS {
            let mut next = self.next();
            let output = end_of(next.spawn().unwrap());
            if output.status.success() {
                assert!(!self.checkpoint().exists(), "a complete scan takes its checkpoint away");
                return;
            }
            assert_eq!(output.status.code(), Some(INTERRUPTED), "{}", said(&output));
        }
        panic!("{RESUMPTIONS} resumptions did not finish {}", self.directory.display());
    }

    /// Whether its manifest says so.
    fn is_complete(&self) -> bool {
        let text = fs::read_to_string(self.manifest()).unwrap_or_default();
        serde_json::from_str::<Value>(&text).is_ok_and(|manifest| manifest["complete"] == true)
    }

    /// Going on, or beginning anew where nothing was saved. What it may say on standard output is not
    /// listened to.
    pub(crate) fn next(&self) -> Command {
        let mut next = if self.checkpoint().exists() { self.resumption() } else { self.anew() };
        next.stdout(Stdio::null());
        next
    }

    fn anew(&self) -> Command {
        for path in self.outputs() {
            let _ = fs::remove_file(path);
        }
        self.command()
    }
}

fn filters<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Vec<String> {
    paths.flat_map(|path| ["-P".to_owned(), path.display().to_string()]).collect()
}

fn program(wrapper: &[&str], arguments: &[String]) -> Command {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(built::program()).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it and sends `signal` once the world has seen `connections` more; a scan that ends before is left
/// to end.
pub(crate) fn signalled(world: &World, command: &mut Command, signal: &str, connections: u32) -> Output {
    let target = world.accepted() + connections;
    let mut child = command.spawn().unwrap();
    world.await_accepted(target, &mut child);
    send(&child, signal);
    end_of(child)
}

/// Waits for the end of a scan, within bounds: one that hangs fails the test.
pub(crate) fn end_of(mut child: Child) -> Output {
    await_some("the end of the scan", || child.try_wait().unwrap());
    child.wait_with_output().unwrap()
}

/// Sends a signal to a process that this test started.
pub(crate) fn send(child: &Child, signal: &str) {
    let _ = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status();
}

/// How it ended and what it said, for messages.
pub(crate) fn said(output: &Output) -> String {
    format!("ended with {}, said: {}", output.status, String::from_utf8_lossy(&output.stderr))
}
