//! The built program as a user runs it: words go in; what it wrote, how it ended and what it cost come out.
//! Nothing of the caller's environment but `PATH` reaches it.

use std::ffi::OsString;
use std::fs;
use std::io::{PipeReader, Read as _, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use super::namespace::await_some;

/// Set to another build of the program, so that numbers can be measured of it: a debug build is slow.
const OTHER: &str = "TEST_PROGRAM";
/// What a pipe holds before a writer waits (pipe(7)).
const PIPE_ROOM: usize = 65_536;
/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(5);
/// Clock ticks a second, as user space counts them on every Linux (proc(5)).
const TICKS: u64 = 100;
/// How Rust programs end by panic.
const PANICKED: Option<i32> = Some(101);

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Asserts the exit code and hands the run on; both streams are shown if it is another.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert!(self.code == Some(code), "exit {:?}, not {code}\n{}\n{}", self.code, self.out, self.err);
        self
    }

    /// The lines of stdout.
    pub fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        assert!(output.status.code() != PANICKED, "it panicked: {output:?}");
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            err: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }
}

/// The program: the one built with this test, unless another is to be measured.
pub fn program() -> OsString {
    std::env::var_os(OTHER).unwrap_or_else(|| env!("CARGO_BIN_EXE_banneret").into())
}

/// The program, about to be run with these words.
pub fn command(words: &[&str]) -> Command {
    bare(Command::new(program()), words)
}

/// The program run by another one, as by `["strace", "-f"]`.
pub fn command_under(wrapper: &[&str], words: &[&str]) -> Command {
    let mut command = Command::new(wrapper[0]);
    command.args(&wrapper[1..]).arg(program());
    bare(command, words)
}

fn bare(mut command: Command, words: &[&str]) -> Command {
    command.args(words).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it.
#[track_caller]
pub fn run(words: &[&str]) -> Ran {
    command(words).output().expect("the program starts").into()
}

/// Runs it with something to read on stdin.
#[track_caller]
pub fn run_with_stdin(words: &[&str], stdin: &[u8]) -> Ran {
    let mut child = command(words).stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut pipe = child.stdin.take().expect("it was asked for");
    // It may end before it has read all.
    let _ = pipe.write_all(stdin);
    drop(pipe);
    child.wait_with_output().expect("it ends").into()
}

/// What a run had cost when its first output was ready.
#[derive(Debug)]
pub struct Cost {
    pub ran: Ran,
    /// The most memory that it ever held, in bytes.
    pub memory: u64,
    /// Processor time, in milliseconds.
    pub milliseconds: u64,
}

/// Runs it into a pipe that is full, so that it waits with its work done and all of its memory held; then
/// lets it go on.
pub fn measure(words: &[&str]) -> Cost {
    let (mut reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&vec![b'#'; PIPE_ROOM]).expect("it has room");
    let mut command = command(words);
    let mut child = command.stdout(writer).spawn().expect("the program starts");
    // It holds a copy of the pipe's end, which would never close.
    drop(command);
    await_some("it waits for the pipe", || writes_to_stdout(&mut child).then_some(()));
    let memory = peak_memory(child.id()).expect("it is alive");
    let milliseconds = processor_ticks(child.id()).expect("it is alive") * 1000 / TICKS;
    let out = drained(&mut reader);
    let mut ended: Ran = child.wait_with_output().expect("it ends").into();
    ended.out = out;
    Cost { ran: ended, memory, milliseconds }
}

/// Whether it stands in a call whose first argument is descriptor 1; panics if it ended without one.
fn writes_to_stdout(child: &mut Child) -> bool {
    assert!(child.try_wait().expect("it is ours").is_none(), "it ended before it wrote");
    let call = fs::read_to_string(format!("/proc/{}/syscall", child.id())).unwrap_or_default();
    call.split(' ').nth(1) == Some("0x1")
}

fn drained(reader: &mut PipeReader) -> String {
    let mut out = String::new();
    reader.read_to_string(&mut out).expect("it is UTF-8");
    out.split_off(PIPE_ROOM)
}

/// The most memory that a run held, as it was last seen before it ended.
pub fn watch_memory(child: &mut Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().expect("it is ours").is_none() {
        peak = peak_memory(child.id()).unwrap_or(peak);
        thread::park_timeout(LOOK);
    }
    peak
}

/// The most memory that a running process ever held, in bytes (`VmHWM`, proc(5)); nothing once it has ended.
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// Processor time of a process, in clock ticks: fields 14 and 15 of its `stat` (proc(5)).
fn processor_ticks(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}
