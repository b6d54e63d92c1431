//! How a scan stands as one JSON object a line: at once, then each second, and once more at its end.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::super::bar::Watched;
use super::super::exit::Unable;
use super::{Figures, Meter, State};
use crate::record::time;

/// The name of a line's form.
const SCHEMA: &str = "banneret.status/1";
/// Between two lines.
const EACH: Duration = Duration::from_secs(1);

/// The file and who writes to it.
pub struct Status {
    over: Option<Sender<State>>,
    thread: Option<JoinHandle<()>>,
}

impl Status {
    /// Opens the file anew and starts to tell.
    pub(super) fn start(path: &Path, watched: Watched) -> anyhow::Result<Self> {
        let file = File::create(path)
            .with_context(|| format!("status file `{}` can't be opened", path.display()))
            .context(Unable)?;
        let (over, ended) = channel();
        let mut lines = Lines { file: Some(file), path: path.to_owned(), meter: Meter::new(watched) };
        let tell = move || {
            loop {
                lines.write(State::Running);
                match ended.recv_timeout(EACH) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(state) => return lines.write(state),
                    Err(RecvTimeoutError::Disconnected) => return lines.write(State::Failed),
                }
            }
        };
        let thread = std::thread::Builder::new().name("status".to_owned()).spawn(tell).context(Unable)?;
        Ok(Self { over: Some(over), thread: Some(thread) })
    }

    /// Tells how it ended, and waits until that is written.
    pub(super) fn end(self, state: State) {
        if let Some(over) = &self.over {
            // Whoever fell over writes no more.
            let _ = over.send(state);
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Lines {
    /// `None` once it could not be written to.
    file: Option<File>,
    path: PathBuf,
    meter: Meter,
}

impl Lines {
    fn write(&mut self, state: State) {
        let Some(file) = &mut self.file else { return };
        let figures = self.meter.figures(Instant::now());
        let line = format!("{}\n", line(&self.meter.watched, &figures, state, SystemTime::now()));
        if let Err(wrong) = file.write_all(line.as_bytes()) {
            self.file = None;
            // A reader that left has seen enough.
            if wrong.kind() != io::ErrorKind::BrokenPipe {
                let path = self.path.display();
                super::super::say(format_args!(
                    "banneret: status file `{path}` can't be written, and ends here: {wrong}"
                ));
            }
        }
    }
}

/// One line, without its line feed.
fn line(watched: &Watched, figures: &Figures, state: State, now: SystemTime) -> Value {
    let progress = &watched.progress;
    let counts = |counts: &[(&'static str, u64)]| -> Map<String, Value> {
        counts.iter().map(|&(word, count)| (word.to_owned(), count.into())).collect()
    };
    let upstreams: Vec<Value> = watched
        .health
        .upstreams
        .iter()
        .map(|upstream| {
            json!({
                "address": upstream.address.to_string(),
                "up": upstream.up.load(Relaxed),
                "rate": upstream.rate.load(Relaxed),
                "sent": upstream.sent.load(Relaxed),
                "answered": upstream.answered.load(Relaxed),
                "timeouts": upstream.timeouts.load(Relaxed),
                "servfail": upstream.servfail.load(Relaxed),
                "refused": upstream.refused.load(Relaxed),
            })
        })
        .collect();
    json!({
        "schema": SCHEMA,
        "time": time::to_string(now),
        "state": state.as_str(),
        "elapsed_s": tenths(figures.elapsed.as_secs_f64()),
        "eta_s": figures.left.map(|left| left.as_secs()),
        "rate": tenths(figures.rate),
        "targets": progress.turns.load(Relaxed),
        "done": progress.turns_done.load(Relaxed),
        "drawn": progress.drawn.load(Relaxed),
        "in_flight": progress.in_flight.load(Relaxed),
        "waiting": progress.waiting.load(Relaxed),
        "written": progress.written.load(Relaxed),
        "dropped": progress.dropped.load(Relaxed),
        "merged": progress.merged.load(Relaxed),
        "retried": progress.retried.load(Relaxed),
        "slowdowns": progress.slowdowns.load(Relaxed),
        "outcomes": counts(&figures.outcomes),
        "verdicts": counts(&figures.verdicts),
        "dns": {
            "answers": watched.health.answers.load(Relaxed),
            "definite": watched.health.definite.load(Relaxed),
            "upstreams": upstreams,
        },
        "troubles": {
            "count": progress.troubles.load(Relaxed),
            "last": progress.last_trouble().map(|trouble| trouble.to_string()),
        },
    })
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::tests::{meter, watched};
    use super::*;

    #[test]
    fn a_line_holds_all_figures() {
        let mut meter = meter();
        let began = meter.first.at;
        let figures = meter.figures(began + Duration::from_millis(2345));
        let line = line(&meter.watched, &figures, State::Running, SystemTime::UNIX_EPOCH);
        assert_eq!((&line["schema"], &line["state"]), (&SCHEMA.into(), &"running".into()));
        assert_eq!(line["time"], "1970-01-01T00:00:00.000Z");
        assert_eq!((&line["elapsed_s"], &line["eta_s"]), (&2.3.into(), &7.into()));
        for (field, value) in
            [("targets", 400), ("done", 100), ("drawn", 110), ("in_flight", 10), ("written", 1)]
        {
            assert_eq!(line[field], value, "{field}");
        }
        assert_eq!((&line["outcomes"]["greeted"], &line["outcomes"]["silent"]), (&1.into(), &0.into()));
        assert_eq!(line["verdicts"]["match"], 1);
        assert_eq!(line["dns"]["upstreams"][0]["address"], "192.0.2.53:53");
        assert_eq!((&line["dns"]["upstreams"][0]["sent"], &line["dns"]["answers"]), (&4.into(), &3.into()));
        assert_eq!(line["troubles"], json!({ "count": 0, "last": null }));
    }

    #[test]
    fn the_file_begins_at_once_and_ends_with_how_it_ended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("status");
        for (end, word) in
            [(Some(State::Complete), "complete"), (Some(State::Stopped), "stopped"), (None, "failed")]
        {
            let status = Status::start(&path, watched()).unwrap();
            if let Some(state) = end {
                status.end(state);
            } else {
                drop(status);
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let told: Vec<Value> = text
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()["state"].clone())
                .collect();
            assert_eq!((told.first(), told.last()), (Some(&"running".into()), Some(&word.into())));
        }
    }

    #[test]
    fn a_file_that_can_not_be_had_is_told_and_a_full_one_ends_quietly() {
        let wrong = Status::start(Path::new("/nowhere/status"), watched()).err().unwrap();
        assert!(format!("{wrong:#}").contains("status file `/nowhere/status` can't be opened"), "{wrong:#}");
        Status::start(Path::new("/dev/full"), watched()).unwrap().end(State::Complete);
    }
}
