//! A scan hurt at each of its calls in turn: the first write, the second, the third … until a run comes to
//! its end unhurt. Then the same for flushes, renames, and whatever else touches its files.

use std::fs;
use std::path::Path;

use super::run::{Met, Scan, end_of, said};
use super::support::namespace::alone;
use super::tally::Tally;
use super::world::{TINY, World};
use super::{STUCK, Size, size};

/// Connections a second: the scan saves at its start, its end, and once or twice in between.
const RATE: u32 = 100;
/// More calls of one kind than any scan of the tiny block makes.
const MOST: usize = 2000;

/// The calls of one kind, by strace's name for them.
#[derive(Debug, Clone, Copy)]
struct Calls {
    kind: &'static str,
    names: &'static str,
}

const WRITE: Calls = Calls { kind: "write", names: "write" };
const FLUSH: Calls = Calls { kind: "flush", names: "fsync,fdatasync" };
const RENAME: Calls = Calls { kind: "rename", names: "?rename,?renameat,?renameat2" };
const OPEN: Calls = Calls { kind: "open", names: "openat" };
const CUT: Calls = Calls { kind: "cut", names: "ftruncate" };
const REMOVE: Calls = Calls { kind: "removal", names: "?unlink,?unlinkat" };

/// What a call comes to.
#[derive(Debug, Clone, Copy)]
enum Hurt {
    Error(&'static str),
    Kill,
}

/// The N that are tried: all of them, or so few that it is soon over.
fn numbers() -> impl Iterator<Item = usize> {
    let step = |&n: &usize| match size() {
        Size::Full => Some(n + 1),
        Size::Short => Some(n * 3),
    };
    std::iter::successors(Some(1), step).take_while(|&n| n < MOST)
}

fn sweep(world: &World, work: &Path, calls: Calls, hurt: Hurt) {
    let fault = match hurt {
        Hurt::Error(error) => format!("{error} from the N-th {} of any file", calls.kind),
        Hurt::Kill => format!("SIGKILL at the N-th {} of any file", calls.kind),
    };
    let mut tally = Tally::default();
    let mut unhurt = None;
    for n in numbers() {
        let scan = Scan::new(work, 1).of(TINY, RATE);
        let log = scan.directory.join("strace");
        let inject = match hurt {
            // A disk that is full stays so; a flaw may pass.
            Hurt::Error(error) if n.is_multiple_of(2) => {
                format!("inject={}:error={error}:when={n}+", calls.names)
            }
            Hurt::Error(error) => format!("inject={}:error={error}:when={n}", calls.names),
            Hurt::Kill => format!("inject={}:signal=SIGKILL:when={n}", calls.names),
        };
        let (log_path, trace) = (log.display().to_string(), format!("trace={}", calls.names));
        // In a namespace of its own the scan has a number of one digit, and so have its temporary files.
        let mut words = vec!["unshare", "--pid", "--fork", "--kill-child", "strace", "-f", "-qq"];
        words.extend(["-o", &log_path, "-e", &trace, "-e", &inject]);
        let filters = scan.all_filters();
        words.extend(filters.iter().map(String::as_str));
        let before = world.accepted();
        let ended = end_of(scan.command_under(&words).spawn().unwrap());
        let log = fs::read_to_string(&log).unwrap_or_default();
        if !log.contains("(INJECTED)") && !log.contains("killed by SIGKILL") {
            assert!(ended.status.success(), "{fault}, {n}: {}", said(&ended));
            unhurt = Some(n);
            break;
        }
        if let Hurt::Error(_) = hurt {
            let code = ended.status.code();
            assert!(matches!(code, Some(0) | STUCK), "{fault}, {n}: {}", said(&ended));
            let told = String::from_utf8_lossy(&ended.stderr).into_owned();
            let lines = usize::from(code == STUCK);
            assert_eq!(told.lines().count(), lines, "{fault}, {n}: one line says what: {told}");
        }
        scan.finish(&ended, if world.accepted() == before { Met::Nobody } else { Met::Hosts });
        tally.count(&scan);
        if tally.is_bad() {
            println!("{fault}: N = {n}");
            break;
        }
    }
    println!("{fault}: {} tries, unhurt at N = {unhurt:?}", tally.tries());
    tally.conclude(&fault);
    assert!(unhurt.is_some(), "{fault}: every run was hurt");
}

fn sweep_all(name: &str, sweeps: &[(Calls, Hurt)]) {
    alone(name, |work| {
        let world = World::start();
        for &(calls, hurt) in sweeps {
            sweep(&world, work, calls, hurt);
        }
    });
}

#[test]
fn a_scan_killed_at_each_call_that_saves_loses_and_doubles_nothing() {
    sweep_all(
        "sweep::a_scan_killed_at_each_call_that_saves_loses_and_doubles_nothing",
        &[
            (WRITE, Hurt::Kill),
            (FLUSH, Hurt::Kill),
            (RENAME, Hurt::Kill),
            (CUT, Hurt::Kill),
            (REMOVE, Hurt::Kill),
        ],
    );
}

#[test]
fn a_scan_whose_files_fail_at_any_call_stops_and_completes_when_they_are_whole_again() {
    sweep_all(
        "sweep::a_scan_whose_files_fail_at_any_call_stops_and_completes_when_they_are_whole_again",
        &[
            (WRITE, Hurt::Error("ENOSPC")),
            (FLUSH, Hurt::Error("EIO")),
            (RENAME, Hurt::Error("EIO")),
            (OPEN, Hurt::Error("EACCES")),
            (CUT, Hurt::Error("EIO")),
            (REMOVE, Hurt::Error("EACCES")),
        ],
    );
}
