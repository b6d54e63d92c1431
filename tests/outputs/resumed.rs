//! A scan that stopped, and what somebody did to its files meanwhile.

use std::fs;
use std::os::unix::process::parent_id;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::namespace::{alone, await_some};
use crate::support::program::{Ran, command};
use crate::world;

/// A scan that was killed with some of its records on disk.
fn killed(work: &Path, name: &str) -> (PathBuf, PathBuf) {
    let output = work.join(name);
    let checkpoint = work.join(format!("{name}.checkpoint"));
    let words = ["198.18.0.0/24", "--rate", "20", "-q", "-o", output.to_str().unwrap()];
    let mut child = world::command_of(&words).spawn().unwrap();
    let gathered = work.join(format!("{name}.jsonl.zst"));
    let file = if name.ends_with(".parquet") { gathered } else { output };
    let saved = || Some(length(&checkpoint)?).filter(|&length| length > 0);
    await_some("records are in the checkpoint", saved);
    child.kill().unwrap();
    child.wait().unwrap();
    (file, checkpoint)
}

/// The length of the output that a checkpoint counts.
fn length(checkpoint: &Path) -> Option<u64> {
    body(checkpoint)?["outputs"][0]["length"].as_u64()
}

fn body(checkpoint: &Path) -> Option<Value> {
    let text = fs::read_to_string(checkpoint).ok()?;
    serde_json::from_str(text.split_once('\n')?.1).ok()
}

fn resume(checkpoint: &Path) -> Ran {
    let words = ["scan", "--progress", "never", "-q", "--resume", checkpoint.to_str().unwrap()];
    command(&words).output().unwrap().into()
}

#[test]
fn an_output_that_was_edited_meanwhile_is_refused() {
    alone("resumed::an_output_that_was_edited_meanwhile_is_refused", |work| {
        world::start(work);
        for name in ["a.jsonl", "b.parquet"] {
            let (file, checkpoint) = killed(work, name);
            let sound = fs::read(&file).unwrap();
            let mut edited = sound.clone();
            edited[10] ^= 1;
            fs::write(&file, &edited).unwrap();
            let ran = resume(&checkpoint).ends(2);
            assert!(ran.err.contains(" differs from what was written to it: its first "), "{}", ran.err);
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
            assert_eq!(fs::read(&file).unwrap(), edited, "a refusal changes nothing");
            fs::write(&file, &sound).unwrap();
            let again = world::scan(&["198.18.0.1", "-q", "-o", work.join(name).to_str().unwrap()]).ends(2);
            let way_out = format!("go on with its scan by `banneret scan --resume {}`", checkpoint.display());
            assert!(again.err.contains(&way_out), "{}", again.err);
            assert_eq!(fs::read(&file).unwrap(), sound);
        }
        // One without a hash, as the version before wrote it, is gone on from as it was then.
        let checkpoint = work.join("a.jsonl.checkpoint");
        let mut told = body(&checkpoint).unwrap();
        told["outputs"][0].as_object_mut().unwrap().remove("sha256").unwrap();
        let checkpoint_of: banneret::scan::checkpoint::Checkpoint = serde_json::from_value(told).unwrap();
        fs::write(&checkpoint, checkpoint_of.encode()).unwrap();
        assert!(fs::read_to_string(&checkpoint).unwrap().contains("\"sha256\":null"));
        resume(&checkpoint).ends(0);
    });
}

#[test]
fn what_a_killed_run_left_is_gone_after_the_next_one() {
    alone("resumed::what_a_killed_run_left_is_gone_after_the_next_one", |work| {
        world::start(work);
        let path = |name: &str| work.join(name).to_str().unwrap().to_owned();
        let left = ["a.parquet.99999999.tmp", "a.parquet.manifest.json.99999999.tmp", "p.html.99999999.tmp"];
        let stays = [format!("a.parquet.{}.tmp", parent_id()), "b.parquet.99999999.tmp".to_owned()];
        for name in left.iter().map(ToString::to_string).chain(stays.iter().cloned()) {
            fs::write(work.join(name), "part").unwrap();
        }
        // What gathers for Parquet, as a killed `judge` leaves it: no checkpoint needs it.
        world::scan(&["198.18.0.1", "-q", "-o", &path("c.jsonl.zst")]).ends(0);
        fs::rename(work.join("c.jsonl.zst"), work.join("a.parquet.jsonl.zst")).unwrap();
        world::scan(&["198.18.0.1", "-q", "-o", &path("a.parquet"), "--html", &path("p.html")]).ends(0);
        for name in left.iter().chain(&["a.parquet.jsonl.zst"]) {
            assert!(!work.join(name).exists(), "{name} is gone");
        }
        for name in stays {
            assert_eq!(fs::read_to_string(work.join(&name)).unwrap(), "part", "{name} stays");
        }
    });
}

#[test]
fn status_goes_on_at_its_end_and_nowhere_else() {
    alone("resumed::status_goes_on_at_its_end_and_nowhere_else", |work| {
        world::start(work);
        let (_, checkpoint) = killed(work, "a.jsonl");
        let status = work.join("status");
        let resumed = |path: &Path| {
            let words = ["scan", "--progress", "never", "-q", "--status", path.to_str().unwrap(), "--resume"];
            Ran::from(command(&[&words[..], &[checkpoint.to_str().unwrap()]].concat()).output().unwrap())
        };
        fs::write(&status, "what somebody needs\n").unwrap();
        assert!(resumed(&status).ends(2).err.contains("status file `"));
        let first = "{\"schema\":\"banneret.status/1\",\"state\":\"running\"}\n";
        fs::write(&status, first).unwrap();
        resumed(&status).ends(0);
        let text = fs::read_to_string(&status).unwrap();
        assert!(text.starts_with(first) && text.lines().count() > 1, "{text}");
    });
}

#[test]
fn a_pipe_that_nobody_reads_and_clients_that_say_nothing_hold_no_scan_up() {
    alone("resumed::a_pipe_that_nobody_reads_and_clients_that_say_nothing_hold_no_scan_up", |work| {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        world::start(work);
        let fifo = work.join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        // Full, with a reader that never reads.
        let flags = libc::O_NONBLOCK;
        let mut pipe = fs::File::options().read(true).write(true).custom_flags(flags).open(&fifo).unwrap();
        while pipe.write(&[b'#'; 4096]).is_ok() {}
        let words = ["198.18.0.1", "-q", "--status", fifo.to_str().unwrap()];
        assert_eq!(world::scan(&words).ends(0).lines().len(), 1);
        drop(pipe);
        // Nobody there at all.
        assert_eq!(world::scan(&words).ends(0).lines().len(), 1);
    });
}
