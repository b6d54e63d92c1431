//! A scan that a person looks at: records as lines of a table on stdout, progress and messages on stderr,
//! both on one terminal.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::support::namespace::alone;
use crate::support::program::program;
use crate::support::screen::Screen;
use crate::world;

/// What a terminal of so many columns holds after a scan, `tail` being what the shell does with its streams.
fn scanned(columns: usize, tail: &str) -> Vec<String> {
    let words = world::words(&[
        "198.18.0.0/28",
        "-x",
        "198.18.0.15",
        // Slow enough for the line of progress to be drawn between the records.
        "--rate",
        "8",
        "--progress",
        "auto",
    ]);
    let written = on_a_terminal(columns, &format!("{} {tail}", words.join(" ")));
    Screen::of(written.as_bytes(), columns).lines()
}

/// What the program writes to a terminal of so many columns.
fn on_a_terminal(columns: usize, words: &str) -> String {
    let scan = format!("stty cols {columns} rows 24; exec {} {words}", program().to_string_lossy());
    let mut script = Command::new("script");
    script.args(["-qec", &scan, "/dev/null"]).stdin(Stdio::null()).env_clear();
    script.env("TERM", "xterm").env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let ended = script.output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn every_record_has_its_line_whole_beside_the_progress() {
    alone("screen::every_record_has_its_line_whole_beside_the_progress", |work| {
        world::start(work);
        for columns in [80, 100, 200] {
            let expected = scanned(columns, "2>/dev/null");
            let rows: BTreeSet<&String> =
                expected.iter().filter(|line| line.starts_with("198.18.")).collect();
            assert!(rows.len() > 8 && rows.iter().any(|line| line.contains(" high ")), "{expected:#?}");
            let shown = scanned(columns, "");
            let seen: BTreeSet<&String> = shown.iter().filter(|line| line.contains("198.18.")).collect();
            assert!(rows.is_subset(&seen), "{columns} columns: {rows:#?}\n{shown:#?}");
            for message in ["banneret: 15 targets, ", "15 targets in "] {
                assert!(shown.iter().any(|line| line.starts_with(message)), "{columns}: {shown:#?}");
            }
            // Nothing is left of the line that was drawn anew.
            assert!(!shown.iter().any(|line| line.contains("%  ") && line.contains("/s")), "{shown:#?}");
        }
    });
}

#[test]
fn the_line_of_progress_fits_the_terminal() {
    alone("screen::the_line_of_progress_fits_the_terminal", |work| {
        world::start(work);
        for columns in [30, 80, 100, 200] {
            // Without the table, each drawing starts at the left.
            let words = world::words(&["198.18.0.0/28", "--rate", "8", "--progress", "auto"]).join(" ");
            let text = on_a_terminal(columns, &format!("{words} -o {}/{columns}.jsonl", work.display()));
            let drawn: Vec<String> = text
                .split(['\r', '\n'])
                .map(|line| Screen::of(line.as_bytes(), 1000).lines().concat())
                .filter(|line| line.contains("%  "))
                .collect();
            assert!(drawn.len() > 3, "{text:?}");
            for line in drawn {
                assert!(line.chars().count() < columns, "{columns}: {line}");
                let last = line.rsplit([',', ';']).next().unwrap_or_default();
                let ends = ["done", "/s", "answered", "up", "settled", "left"];
                let whole = ends.iter().any(|end| last.ends_with(end))
                    || last.rsplit(' ').next().is_some_and(|count| count.parse::<u64>().is_ok())
                    || last.ends_with('%');
                assert!(whole, "{columns}: `{line}` is cut");
            }
        }
    });
}
