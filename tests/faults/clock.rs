//! A clock that jumps, and a machine that sleeps in mid-scan.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::run::{end_of, said, send};
use super::support::namespace::alone;
use super::world::{SIZE, World};
use super::{MARGIN, midway, tries};

/// Longer than any timeout of the scan that sleeps.
const SLEEP: Duration = Duration::from_millis(2500);
/// No conversation here lasts so long, in milliseconds.
const LONG: f64 = 60_000.0;

/// Debian's libfaketime, the one for programs with threads.
fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    found.expect("libfaketime is there: run scripts/setup")
}

#[test]
fn a_clock_that_jumps_changes_no_pace_no_duration_and_no_record() {
    alone("clock::a_clock_that_jumps_changes_no_pace_no_duration_and_no_record", |work| {
        let world = World::start();
        let library = format!("LD_PRELOAD={}", library().display());
        tries("a clock that jumps an hour back, then a day on", &world, work, |scan, _| {
            let time = scan.directory.join("time");
            fs::write(&time, "+0").unwrap();
            let file = format!("FAKETIME_TIMESTAMP_FILE={}", time.display());
            // What counts durations on Linux does not jump.
            let faked = ["env", &library, &file, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
            let before = world.accepted();
            let mut child = scan.command_under(&faked).spawn().unwrap();
            for (hosts, jump) in [(SIZE / 3, "-1h"), (2 * SIZE / 3, "+1d")] {
                world.await_accepted(before + hosts, &mut child);
                fs::write(&time, jump).unwrap();
            }
            let ended = end_of(child);
            assert!(ended.status.success(), "{}", said(&ended));
            let mut days = Vec::new();
            for line in fs::read_to_string(&scan.outputs()[0]).unwrap().lines() {
                let record: Value = serde_json::from_str(line).unwrap();
                days.push(record["time"].as_str().unwrap()[..10].to_owned());
                for duration in ["connect_ms", "banner_ms"] {
                    let taken = record["smtp"][duration].as_f64().unwrap_or(0.0);
                    assert!((0.0..LONG).contains(&taken), "{line}");
                }
            }
            days.sort_unstable();
            assert_ne!(days.first(), days.last(), "the clock did jump");
            ended
        });
    });
}

#[test]
fn a_scan_that_sleeps_past_its_timeouts_blames_no_host_for_it() {
    alone("clock::a_scan_that_sleeps_past_its_timeouts_blames_no_host_for_it", |work| {
        let world = World::start();
        tries("SIGSTOP for longer than any timeout", &world, work, |scan, chance| {
            let target = world.accepted() + midway(chance).max(MARGIN);
            let brief =
                ["--connect-timeout=1s", "--greeting-timeout=2s", "--host-timeout=2s", "--dns-timeout=2s"];
            let mut child = scan.command().args(brief).spawn().unwrap();
            world.await_accepted(target, &mut child);
            send(&child, "STOP");
            // The sleep is the fault: nothing is waited for.
            thread::park_timeout(SLEEP);
            send(&child, "CONT");
            let ended = end_of(child);
            assert!(ended.status.success(), "{}", said(&ended));
            ended
        });
    });
}
