//! One scan of the world under a fault: started, hurt, and brought to its end by resuming. Knows the program by its
//! command line alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::support::namespace::await_some;
use super::world::{BLOCK, RESOLVER, World};

/// New connections for each second: the block takes some two seconds, so that progress is saved in between.
const RATE: &str = "500";
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
    seed: u64,
}

impl Scan {
    /// In a directory of its own below `work`.
    pub(crate) fn new(work: &Path, seed: u64) -> Self {
        let directory = tempfile::Builder::new().prefix("scan").tempdir_in(work).unwrap().keep();
        Self { directory, seed }
    }

    /// The files that hold the records, one of each way of writing.
    pub(crate) fn outputs(&self) -> [PathBuf; 3] {
        ["a.jsonl", "b.csv", "c.jsonl.zst"].map(|name| self.directory.join(name))
    }

    /// Where progress is kept.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.directory.join("progress")
    }

    /// For strace: only calls that touch an output.
    pub(crate) fn path_filters(&self) -> Vec<String> {
        self.outputs().iter().flat_map(|path| ["-P".to_owned(), path.display().to_string()]).collect()
    }

    fn arguments(&self) -> Vec<String> {
        let mut words = self.settings();
        words.extend(["--checkpoint".into(), self.checkpoint().display().to_string()]);
        words.extend(self.outputs().iter().flat_map(|path| ["-o".into(), path.display().to_string()]));
        words
    }

    fn settings(&self) -> Vec<String> {
        let mut words: Vec<String> = ["scan", BLOCK, "--allow-reserved", "--keep", "all", "--rate", RATE]
            .into_iter()
            .chain(["--prefix-rate", "unlimited", "--dns-rate", "unlimited", "--progress", "never", "-q"])
            .map(str::to_owned)
            .collect();
        words.extend(["--resolver".into(), format!("{RESOLVER}:53"), "--seed".into(), self.seed.to_string()]);
        words
    }

    /// The same scan with its records on standard output alone.
    pub(crate) fn command_to_stdout(&self) -> Command {
        let mut command = program(&["env"], &[&self.settings()[..], &["-o".into(), "-".into()]].concat());
        command.current_dir(&self.directory);
        command
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

    /// Brings a hurt scan to its end; one that had come to its end is left alone. Only one that had `met` nobody may have
    /// saved nothing, and is begun anew.
    pub(crate) fn finish(&self, ended: &Output, met: Met) {
        if ended.status.success() {
            assert!(!self.checkpoint().exists(), "a complete scan takes its checkpoint away");
            return;
        }
        let saved = self.checkpoint().exists();
        assert!(saved || met == Met::Nobody, "a checkpoint is on the disk before the first connection");
        for _ in 0..RESUMPTIONS {
            let mut next = if self.checkpoint().exists() { self.resumption() } else { self.anew() };
            let output = end_of(next.spawn().unwrap());
            if output.status.success() {
                assert!(!self.checkpoint().exists(), "a complete scan takes its checkpoint away");
                return;
            }
            assert_eq!(output.status.code(), Some(INTERRUPTED), "{}", said(&output));
        }
        panic!("{RESUMPTIONS} resumptions did not finish {}", self.directory.display());
    }

    fn anew(&self) -> Command {
        for path in self.outputs() {
            let _ = fs::remove_file(path);
        }
        self.command()
    }
}

fn program(wrapper: &[&str], arguments: &[String]) -> Command {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(env!("CARGO_BIN_EXE_banneret")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it and sends `signal` once the world has seen `connections` more; a scan that ends before is left to end.
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
