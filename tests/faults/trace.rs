//! The system calls of a scan, as strace wrote them: how many there were, and whether they saved in the right
//! order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::run::{Scan, end_of, said};

/// One call: its thread, its name, and the text behind that.
#[derive(Debug)]
struct Call {
    thread: String,
    name: String,
    rest: String,
}

/// The calls of one scan, in order.
#[derive(Debug)]
pub(crate) struct Trace {
    calls: Vec<Call>,
}

/// Runs a whole scan and keeps the calls of these names, with strace's own `filters` on top.
pub(crate) fn traced(scan: &Scan, names: &str, filters: &[String]) -> Trace {
    let log = scan.directory.join("trace");
    let (file, trace) = (log.display().to_string(), format!("trace={names}"));
    let mut words = vec!["strace", "-fqqy", "-s", "0", "-e", "signal=none", "-o", &file, "-e", &trace];
    words.extend(filters.iter().map(String::as_str));
    let ended = end_of(scan.command_under(&words).spawn().unwrap());
    assert!(ended.status.success(), "{}", said(&ended));
    let text = fs::read_to_string(&log).unwrap();
    // A call that others interrupted is written once more where it ends.
    let lines = text.lines().filter(|line| !line.contains(" resumed>"));
    let calls = lines.filter_map(|line| {
        let (thread, call) = line.split_once(' ')?;
        let (name, rest) = call.trim_start().split_once('(')?;
        Some(Call { thread: thread.to_owned(), name: name.to_owned(), rest: rest.to_owned() })
    });
    Trace { calls: calls.collect() }
}

impl Trace {
    /// How often the busiest thread made its most frequent call: what strace's `when=` counts.
    pub(crate) fn most_of_one_thread(&self) -> usize {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for call in &self.calls {
            *counts.entry((&call.thread, &call.name)).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }

    /// Whenever a checkpoint takes its place, it and every output that it speaks of were flushed before; its
    /// directory is flushed after; the first is there before the first connection.
    pub(crate) fn assert_saved_in_order(&self, scan: &Scan) {
        let outputs: Vec<String> = scan.gathered().iter().map(|path| path.display().to_string()).collect();
        let checkpoint = scan.checkpoint().display().to_string();
        let directory = format!("<{}>", scan.directory.display());
        let (mut unsaved, mut renames, mut directory_is_saved) = (BTreeSet::new(), 0, true);
        for call in &self.calls {
            // With strace's `-y` the file stands behind its descriptor: `write(5</a/b>, …`.
            let file = call
                .rest
                .split_once('<')
                .and_then(|(_, rest)| rest.split_once('>'))
                .map_or("", |(file, _)| file);
            match call.name.as_str() {
                "write" | "pwrite64" | "writev"
                    if outputs.iter().any(|known| known == file) || file.starts_with(&checkpoint) =>
                {
                    unsaved.insert(file);
                }
                "fsync" | "fdatasync" => {
                    directory_is_saved |= call.rest.contains(&directory);
                    unsaved.remove(file);
                }
                "connect" if call.rest.contains("htons(25)") => {
                    assert!(renames > 0, "the checkpoint comes first");
                }
                name if name.starts_with("rename") && call.rest.contains(&format!("\"{checkpoint}\"")) => {
                    assert!(
                        unsaved.is_empty(),
                        "checkpoint {renames} was put in place before {unsaved:?} were flushed"
                    );
                    assert!(directory_is_saved, "checkpoint {renames} may be gone after a loss of power");
                    renames += 1;
                    directory_is_saved = false;
                }
                _ => {}
            }
        }
        assert!(renames > 1, "progress is saved each second, the scan takes two");
    }
}
