//! Faults on purpose: a scan of known hosts is killed, interrupted, starved and lied to by its own kernel,
//! then resumed, and every host must have exactly one right record in every output. `scripts/faults` runs
//! many tries and prints the table; here each fault has a few.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a harness that cannot go on has failed the test"
)]

#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/lists.rs"]
mod lists;
#[path = "faults/network.rs"]
mod network;
#[path = "faults/path.rs"]
mod path;
#[path = "faults/peers.rs"]
mod peers;
#[path = "faults/run.rs"]
mod run;
mod support;
#[path = "faults/sweep.rs"]
mod sweep;
#[path = "faults/tally.rs"]
mod tally;
#[path = "faults/trace.rs"]
mod trace;
#[path = "faults/world.rs"]
mod world;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use run::{Met, Scan, end_of, said, send, signalled};
use support::namespace::{alone, await_some};
use tally::Tally;
use trace::traced;
use world::{SIZE, World};

/// How often each fault is tried; `scripts/faults` sets more.
const TRIES: &str = "TEST_FAULTS_TRIES";
/// What chance is drawn from; printed, so that a run can be had again.
const SEED: &str = "TEST_FAULTS_SEED";
/// Hosts that must have been met before a fault, and be left after it.
const MARGIN: u32 = 20;
/// The program's word for input that cannot be read.
const UNREADABLE: Option<i32> = Some(2);
/// Its word for a scan that was stopped and can be resumed.
const STOPPED: Option<i32> = Some(3);
/// Its word for a scan that could not go on.
const STUCK: Option<i32> = Some(4);

/// Set to 1 by `scripts/faults full`: each call is hurt in turn, and crowds are as large as promised.
const FULL: &str = "TEST_FAULTS_FULL";

/// After how many hosts a fault comes.
type Moment = fn(&mut StdRng) -> u32;

/// How much is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Short,
    Full,
}

fn size() -> Size {
    if std::env::var_os(FULL).is_some_and(|value| value == "1") { Size::Full } else { Size::Short }
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().map_or(usual, |text| text.parse().expect("a number"))
}

/// Tries one fault on fresh scans: `hurt` starts the scan and gives how it ended; it is then finished and
/// counted.
fn tries(fault: &str, world: &World, work: &Path, mut hurt: impl FnMut(&Scan, &mut StdRng) -> Output) {
    let seed = number(SEED, 1);
    let mut chance = StdRng::seed_from_u64(seed);
    println!("{fault}: seed {seed}");
    let begin = Instant::now();
    let mut tally = Tally::default();
    for _ in 0..number(TRIES, 2) {
        let scan = Scan::new(work, chance.random());
        let before = world.accepted();
        let ended = hurt(&scan, &mut chance);
        scan.finish(&ended, if world.accepted() == before { Met::Nobody } else { Met::Hosts });
        tally.count(&scan);
    }
    println!("{fault}: {} tries in {:.1?}", tally.tries(), begin.elapsed());
    tally.conclude(fault);
}

/// Somewhere in the first half of the block: on a busy machine a scan goes on for a while before it hears of
/// what befalls it.
fn midway(chance: &mut StdRng) -> u32 {
    chance.random_range(MARGIN..SIZE / 2)
}

#[test]
fn a_scan_left_in_peace_records_every_host_once() {
    alone("a_scan_left_in_peace_records_every_host_once", |work| {
        let world = World::start();
        tries("none", &world, work, |scan, _| end_of(scan.command().spawn().unwrap()));
        world.assert_polite();
    });
}

#[test]
fn a_scan_killed_at_any_host_loses_and_doubles_nothing() {
    alone("a_scan_killed_at_any_host_loses_and_doubles_nothing", |work| {
        let world = World::start();
        tries("SIGKILL at a host, then again", &world, work, |scan, chance| {
            let first =
                signalled(&world, &mut scan.command(), "KILL", chance.random_range(1..SIZE - 3 * MARGIN));
            assert!(scan.checkpoint().exists(), "it is there before the first connection: {}", said(&first));
            signalled(&world, &mut scan.resumption(), "KILL", MARGIN)
        });
    });
}

#[test]
fn a_scan_whose_disk_fails_stops_and_completes_when_it_is_whole_again() {
    alone("a_scan_whose_disk_fails_stops_and_completes_when_it_is_whole_again", |work| {
        let world = World::start();
        for (kind, calls, error) in [("write", "write", "ENOSPC"), ("flush", "fsync,fdatasync", "EIO")] {
            let trial = Scan::new(work, 1);
            let paths = trial.path_filters();
            let most = traced(&trial, calls, &paths).most_of_one_thread();
            assert!(most > 0, "the outputs see a {calls}");
            tries(&format!("{error} from a {kind} of an output"), &world, work, |scan, chance| {
                // Not among the last: how many there are differs a little from scan to scan.
                let when = chance.random_range(1..=most.div_ceil(2));
                let inject = format!("inject={calls}:error={error}:when={when}+");
                let mut words = vec!["strace", "-fqq", "-o", "/dev/null", "-e", &inject];
                let paths = scan.path_filters();
                words.extend(paths.iter().map(String::as_str));
                let ended = end_of(scan.command_under(&words).spawn().unwrap());
                assert_eq!(ended.status.code(), STUCK, "{inject}: {}", said(&ended));
                ended
            });
        }
    });
}

#[test]
fn a_scan_on_a_full_disk_stops_and_completes_when_there_is_room() {
    alone("a_scan_on_a_full_disk_stops_and_completes_when_there_is_room", |work| {
        let world = World::start();
        tries("a disk of 256 KiB", &world, work, |scan, _| {
            let mount = |options: &str| {
                let words = ["-t", "tmpfs", "-o", options, "tmpfs"];
                let done = Command::new("mount").args(words).arg(&scan.directory).status().unwrap();
                assert!(done.success(), "a small disk can be had");
            };
            mount("size=256k");
            let ended = end_of(scan.command().spawn().unwrap());
            assert_eq!(ended.status.code(), STUCK, "{}", said(&ended));
            mount("remount,size=64m");
            ended
        });
    });
}

#[test]
fn a_line_torn_by_a_crash_is_cut_away() {
    alone("a_line_torn_by_a_crash_is_cut_away", |work| {
        let world = World::start();
        tries("a torn last line", &world, work, |scan, chance| {
            let ended = signalled(&world, &mut scan.command(), "KILL", midway(chance));
            for path in scan.gathered() {
                let torn = "{\"schema\":\"banneret.rec";
                fs::OpenOptions::new().append(true).open(path).unwrap().write_all(torn.as_bytes()).unwrap();
            }
            ended
        });
    });
}

#[test]
fn a_resumption_refuses_what_it_cannot_trust_and_touches_nothing() {
    alone("a_resumption_refuses_what_it_cannot_trust_and_touches_nothing", |work| {
        let world = World::start();
        tries("a spoiled checkpoint", &world, work, |scan, chance| {
            let target = world.accepted() + SIZE - 3 * MARGIN;
            let mut child = scan.command().spawn().unwrap();
            world.await_accepted(target, &mut child);
            await_some("a checkpoint that counts bytes of the first output", || {
                let saved = fs::read_to_string(scan.checkpoint()).unwrap();
                saved.split_once(r#""length":"#).filter(|(_, length)| !length.starts_with('0')).map(|_| ())
            });
            send(&child, "KILL");
            let ended = end_of(child);
            let files = [&scan.gathered()[..], &[scan.checkpoint()]].concat();
            let good: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
            let refuses = |what: &str| {
                let before: Vec<_> = scan.gathered().iter().map(|file| fs::read(file).unwrap()).collect();
                let ended = end_of(scan.resumption().spawn().unwrap());
                assert_eq!(ended.status.code(), UNREADABLE, "{what}: {}", said(&ended));
                let after: Vec<_> = scan.gathered().iter().map(|file| fs::read(file).unwrap()).collect();
                assert!(before == after, "{what}: a refusal changes no output");
            };
            let checkpoint = good.last().unwrap();
            for _ in 0..8 {
                let mut spoiled = checkpoint.clone();
                let at = chance.random_range(0..spoiled.len());
                spoiled[at] ^= 1 << chance.random_range(0..8);
                fs::write(scan.checkpoint(), &spoiled).unwrap();
                refuses(&format!("byte {at} is `{:#04x}`, was `{:#04x}`", spoiled[at], checkpoint[at]));
            }
            fs::write(scan.checkpoint(), &checkpoint[..checkpoint.len() / 2]).unwrap();
            refuses("half a checkpoint");
            fs::write(scan.checkpoint(), b"").unwrap();
            refuses("an empty checkpoint");
            fs::write(scan.checkpoint(), checkpoint).unwrap();
            fs::write(&files[0], b"").unwrap();
            refuses("an output shorter than the checkpoint says");
            fs::write(&files[0], &good[0]).unwrap();
            ended
        });
    });
}

#[test]
fn a_scan_asked_to_stop_saves_and_can_be_resumed() {
    alone("a_scan_asked_to_stop_saves_and_can_be_resumed", |work| {
        let world = World::start();
        let first = |_: &mut StdRng| 1;
        let last = |_: &mut StdRng| SIZE;
        let moments: [(&str, &[&str], Moment); 7] = [
            ("SIGINT at the start", &["INT"], first),
            ("SIGINT in the middle", &["INT"], midway),
            ("SIGINT at the end", &["INT"], last),
            ("SIGTERM", &["TERM"], midway),
            ("SIGHUP", &["HUP"], midway),
            ("SIGQUIT", &["QUIT"], midway),
            ("SIGINT twice", &["INT", "INT"], midway),
        ];
        for (fault, signals, moment) in moments {
            tries(fault, &world, work, |scan, chance| {
                let hosts = moment(chance);
                let target = world.accepted() + hosts;
                let mut child = scan.command().spawn().unwrap();
                world.await_accepted(target, &mut child);
                for signal in signals {
                    send(&child, signal);
                }
                let ended = end_of(child);
                let code = ended.status.code();
                // It may have been over before it heard.
                let may_be_done = hosts == SIZE && code == Some(0);
                assert!(code == STOPPED || may_be_done, "{fault}: {}", said(&ended));
                for path in &scan.outputs()[..2] {
                    let text = fs::read(path).unwrap();
                    assert!(
                        text.is_empty() || text.ends_with(b"\n"),
                        "{} ends in a torn record",
                        path.display()
                    );
                }
                ended
            });
        }
    });
}

#[test]
fn a_reader_that_leaves_one_of_several_outputs_costs_the_others_nothing() {
    alone("a_reader_that_leaves_one_of_several_outputs_costs_the_others_nothing", |work| {
        let world = World::start();
        tries("EPIPE from one of several outputs", &world, work, |scan, chance| {
            let target = world.accepted() + midway(chance);
            let mut child = scan.command_to_all().spawn().unwrap();
            world.await_accepted(target, &mut child);
            drop(child.stdout.take());
            let ended = end_of(child);
            assert_eq!(ended.status.code(), STOPPED, "{}", said(&ended));
            ended
        });
    });
}

#[test]
fn a_reader_that_leaves_ends_the_scan_quietly() {
    alone("a_reader_that_leaves_ends_the_scan_quietly", |work| {
        let world = World::start();
        let mut child = Scan::new(work, 1).command_to_stdout().spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ended = end_of(child);
        assert!(line.ends_with("}\n"), "{line}: {}", said(&ended));
        assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]), "{}", said(&ended));
        assert!(world.accepted() < SIZE, "nobody is met for a reader who has left");
    });
}

#[test]
fn a_slow_reader_slows_the_scan_and_loses_nothing() {
    alone("a_slow_reader_slows_the_scan_and_loses_nothing", |work| {
        let world = World::start();
        let mut child = Scan::new(work, 1).command_to_stdout().spawn().unwrap();
        // A pipe holds 64 KiB: the scan is held up long before its end.
        world.await_accepted(MARGIN, &mut child);
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        let mut tally = Tally::default();
        tally.count_text("standard output", &text);
        tally.conclude("a slow reader");
    });
}

#[test]
fn trouble_of_this_machine_is_never_told_of_a_host() {
    alone("trouble_of_this_machine_is_never_told_of_a_host", |work| {
        let world = World::start();
        let limit = ["bash", "-c", "ulimit -n 64; exec \"$@\"", "limited"];
        let strace = |inject| ["strace", "-fqq", "-o", "/dev/null", "-e", inject];
        let (ports, files) = (
            strace("inject=connect:error=EADDRNOTAVAIL:when=30+25"),
            strace("inject=socket:error=EMFILE:when=30+25"),
        );
        let faults =
            [("64 descriptors", &limit[..]), ("EADDRNOTAVAIL at times", &ports), ("EMFILE at times", &files)];
        for (fault, wrapper) in faults {
            tries(fault, &world, work, |scan, _| {
                let ended = end_of(scan.command_under(wrapper).spawn().unwrap());
                assert!(ended.status.success(), "{fault}: {}", said(&ended));
                ended
            });
        }
        // Lasting, it may be a reason to give up, to be told of the scan and of no host.
        let lasting = strace("inject=connect:error=EADDRNOTAVAIL:when=30..45");
        tries("EADDRNOTAVAIL for long", &world, work, |scan, _| {
            let ended = end_of(scan.command_under(&lasting).spawn().unwrap());
            assert!(matches!(ended.status.code(), Some(0) | STUCK), "{}", said(&ended));
            ended
        });
    });
}

#[test]
fn a_second_scan_into_the_same_files_is_refused() {
    alone("a_second_scan_into_the_same_files_is_refused", |work| {
        let world = World::start();
        tries("two at once", &world, work, |scan, _| {
            let target = world.accepted() + MARGIN;
            let mut first = scan.command().spawn().unwrap();
            world.await_accepted(target, &mut first);
            let second = end_of(scan.command().spawn().unwrap());
            assert!(matches!(second.status.code(), UNREADABLE | STUCK), "the second {}", said(&second));
            end_of(first)
        });
    });
}

#[test]
fn a_checkpoint_never_names_records_that_are_not_on_the_disk() {
    alone("a_checkpoint_never_names_records_that_are_not_on_the_disk", |work| {
        let _world = World::start();
        let scan = Scan::new(work, 1);
        let calls = "write,pwrite64,writev,fsync,fdatasync,connect,?rename,?renameat,?renameat2";
        traced(&scan, calls, &[]).assert_saved_in_order(&scan);
    });
}
