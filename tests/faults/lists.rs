//! Lists that change, stall or are missing, and what must not get into any file.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::thread;

use serde_json::Value;

use super::run::{Scan, end_of, said, send};
use super::support::namespace::alone;
use super::support::syns::Syns;
use super::tally::Tally;
use super::world::{SIZE, SMALL, World};
use super::{MARGIN, STOPPED, UNREADABLE};

/// The upper half of the small block.
const UPPER: &str = "198.18.6.0/23";
/// One address of it that is excluded from the start.
const FIRST: &str = "198.18.6.77";
/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

fn is_upper(record: &Value) -> bool {
    record["target"]["ip"]
        .as_str()
        .is_some_and(|ip| ip.starts_with("198.18.6.") || ip.starts_with("198.18.7."))
}

#[test]
fn what_is_excluded_in_mid_scan_is_not_touched_any_more_and_a_resumed_scan_knows() {
    alone("lists::what_is_excluded_in_mid_scan_is_not_touched_any_more_and_a_resumed_scan_knows", |work| {
        let world = World::start();
        let list = work.join("opt-out.txt");
        fs::write(&list, format!("{FIRST} # ticket 1\n")).unwrap();
        let words = ["--exclude-file", list.to_str().unwrap()];
        let scan = Scan::new(work, 1).of(SMALL, 80).with(&words);
        let listener = Syns::listen();
        let mut command = scan.command_loud();
        let mut child = command.spawn().unwrap();
        world.await_accepted(MARGIN, &mut child);
        let mut file = fs::File::options().append(true).open(&list).unwrap();
        writeln!(file, "{UPPER} # ticket 2").unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let told = lines.find(|line| line.contains("more excluded by")).expect("it is told");
        assert_eq!(told, format!("banneret: 1 more excluded by `{}`", list.display()));
        let known = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        send(&child, "INT");
        let said_after: Vec<String> = lines.collect();
        assert_eq!(child.wait().unwrap().code(), STOPPED, "{said_after:?}");

        // Its first line is another now: the order was made without it.
        fs::write(&list, format!("198.18.4.1\n{UPPER}\n")).unwrap();
        let refused = end_of(scan.resumption().spawn().unwrap());
        assert_eq!(refused.status.code(), UNREADABLE, "{}", said(&refused));
        fs::write(&list, format!("{FIRST} # ticket 1\n{UPPER} # ticket 2\n198.18.5.0/25\n")).unwrap();
        let ended = end_of(scan.resumption().spawn().unwrap());
        assert!(ended.status.success(), "{}", said(&ended));

        let late: Vec<_> = listener
            .end()
            .into_iter()
            .filter(|syn| syn.port == 25 && u128::from(syn.time) > known)
            .filter(|syn| [6, 7].contains(&syn.ip.octets()[2]))
            .collect();
        assert!(late.is_empty(), "{} addresses were met after they were excluded: {:?}", late.len(), late[0]);
        let text = fs::read_to_string(&scan.outputs()[0]).unwrap();
        let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            records.len(),
            SIZE as usize - 1,
            "each target has its record, but the one that never was any"
        );
        let excluded: Vec<&Value> = records.iter().filter(|record| record["outcome"] == "excluded").collect();
        let upper = excluded.iter().filter(|record| is_upper(record)).count();
        assert!(upper > SIZE as usize / 4, "{upper} of them excluded");
        assert!(excluded.len() > upper, "and those of the line that was added while it stood still");
        assert!(
            excluded
                .iter()
                .all(|record| record["verdict"].is_null() && record["findings"] == Value::Array(vec![]))
        );
        assert!(known > u128::from(SECOND), "the clock is set");
    });
}

#[test]
fn a_list_that_changed_between_start_and_resumption_is_refused_and_the_old_one_goes_on() {
    alone(
        "lists::a_list_that_changed_between_start_and_resumption_is_refused_and_the_old_one_goes_on",
        |work| {
            let world = World::start();
            let list = work.join("mx.txt");
            let text = "198.18.4.0/23\n198.18.6.0/23\n";
            fs::write(&list, text).unwrap();
            let scan = Scan::new(work, 1).with(&["-i", list.to_str().unwrap()]);
            let mut child = scan.command().spawn().unwrap();
            world.await_accepted(world.accepted() + SIZE / 2, &mut child);
            send(&child, "KILL");
            end_of(child);
            for other in ["198.18.4.0/23\n", "198.18.4.0/23\n198.18.6.0/23\n198.18.9.1\n", ""] {
                fs::write(&list, other).unwrap();
                let ended = end_of(scan.resumption().spawn().unwrap());
                assert_eq!(ended.status.code(), UNREADABLE, "{other:?}: {}", said(&ended));
            }
            fs::remove_file(&list).unwrap();
            let ended = end_of(scan.resumption().spawn().unwrap());
            assert_eq!(ended.status.code(), UNREADABLE, "no list: {}", said(&ended));
            fs::write(&list, text).unwrap();
            let ended = end_of(scan.resumption().spawn().unwrap());
            assert!(ended.status.success(), "{}", said(&ended));
            let mut tally = Tally::default();
            tally.count(&scan);
            tally.conclude("a list that changed before the resumption");
        },
    );
}

#[test]
fn a_pipe_that_stalls_is_waited_for_and_nobody_is_met_before_its_end() {
    alone("lists::a_pipe_that_stalls_is_waited_for_and_nobody_is_met_before_its_end", |work| {
        let world = World::start();
        let scan = Scan::new(work, 1).with(&["-i", "-"]);
        let mut child = scan.command().stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(b"198.18.4.0/23\n198.18.").unwrap();
        // Whatever it does in the meantime is done before it reads the rest.
        thread::park_timeout(std::time::Duration::from_millis(300));
        assert_eq!(world.accepted(), 0, "the list has not ended");
        pipe.write_all(b"6.0/23").unwrap();
        drop(pipe);
        let ended = end_of(child);
        assert!(ended.status.success(), "{}", said(&ended));
        let mut tally = Tally::default();
        tally.count(&scan);
        tally.conclude("a pipe that stalls in mid-line");
    });
}

#[test]
fn what_the_environment_holds_gets_into_no_file() {
    alone("lists::what_the_environment_holds_gets_into_no_file", |work| {
        let world = World::start();
        let scan = Scan::new(work, 1);
        let secret = "correct-horse-battery-staple";
        let mut command = scan.command();
        command.envs([("API_TOKEN", secret), ("DATABASE_PASSWORD", secret), ("HTTPS_PROXY", secret)]);
        let mut child = command.spawn().unwrap();
        world.await_accepted(SIZE / 2, &mut child);
        send(&child, "INT");
        let ended = end_of(child);
        assert_eq!(ended.status.code(), STOPPED, "{}", said(&ended));
        let names: Vec<_> =
            fs::read_dir(&scan.directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(names.contains(&scan.checkpoint()) && names.contains(&scan.manifest()), "{names:?}");
        for path in names {
            let bytes = fs::read(&path).unwrap();
            let held = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!held, "{} holds a secret", path.display());
        }
    });
}
