//! Outputs that are pipes which nobody reads: told, and over soon.

use std::path::Path;
use std::process::{Child, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::cli::{program, sound, write};

fn fifo(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    path.to_str().unwrap().to_owned()
}

fn start(words: &[&str]) -> Child {
    program(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn a_fifo_that_nobody_reads_ends_a_command_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let records = write(folder.path(), "a.jsonl", &[sound()]);
    let records = records.to_str().unwrap();
    let [report, page, comparison, judged] =
        ["report", "page", "comparison", "judged"].map(|name| fifo(folder.path(), name));
    // All at once: each waits for its reader before it gives up.
    let running = [
        (start(&["report", records, "-o", &report]), format!("report `{report}` can't be written")),
        (start(&["report", records, "--html", &page]), format!("report `{page}` can't be written")),
        (
            start(&["diff", records, records, "--html", &comparison]),
            format!("report `{comparison}` can't be written"),
        ),
        (
            start(&["judge", records, "-o", &judged, "--format", "jsonl"]),
            format!("output `{judged}` can't be opened"),
        ),
    ];
    for (child, told) in running {
        let ended = child.wait_with_output().unwrap();
        let reason = "nobody has read from this pipe for 10 s; start its reader first, or name a file";
        let err = String::from_utf8_lossy(&ended.stderr);
        assert!(err.ends_with(&format!("{told}: {reason}\n")) && err.lines().count() == 1, "{err}");
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(4), 0), "{told}");
    }
}
