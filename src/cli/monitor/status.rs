//! How a scan stands as one JSON object a line: at once, then each second, and once more at its end.
//!
//! Nobody may read them, and the scan waits for nobody: a pipe that is full misses lines, whole ones, and
//! gets further lines as soon as it has room. A FIFO that nobody reads yet is opened when somebody does.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use serde_json::{Map, Value, json};

use super::super::exit::Unable;
use super::Watched;
use super::{Figures, Meter, Opening, State};
use crate::record::time;

/// The name of a line's form.
pub const SCHEMA: &str = "banneret.status/1";
/// Between two lines.
const EACH: Duration = Duration::from_secs(1);

/// A pipe without room gets so long to take the last line …
const LAST_LINE: Duration = Duration::from_millis(250);
/// … and a file system that hangs so long for everything.
const LONGEST_END: Duration = Duration::from_secs(1);

/// The file and who writes to it.
pub struct Status {
    over: Option<Sender<State>>,
    /// Ends when the thread does.
    done: Receiver<()>,
}

impl Status {
    /// Opens the file and starts to tell.
    pub(super) fn start(path: &Path, opening: Opening, watched: Watched) -> anyhow::Result<Self> {
        let place = open(path, opening)
            .with_context(|| format!("status file `{}` can't be opened", path.display()))
            .context(Unable)?;
        let (over, ended) = channel();
        let (alive, done) = channel();
        let mut lines = Lines { place, rest: Vec::new(), path: path.to_owned(), meter: Meter::new(watched) };
        let tell = move || {
            let _alive: Sender<()> = alive;
            loop {
                lines.write(State::Running);
                match ended.recv_timeout(EACH) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(state) => return lines.end(state),
                    Err(RecvTimeoutError::Disconnected) => return lines.end(State::Failed),
                }
            }
        };
        std::thread::Builder::new().name("status".to_owned()).spawn(tell).context(Unable)?;
        Ok(Self { over: Some(over), done })
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
        // It ends when the thread has written all, or when it has had its time.
        let _ = self.done.recv_timeout(LONGEST_END);
    }
}

/// Where lines go.
#[derive(Debug)]
enum Place {
    Open(File),
    /// A FIFO that nobody reads.
    Unread,
    /// It could not be written to.
    Closed,
}

/// Opens without ever waiting; what is no pipe, terminal or device takes no notice of that.
fn open(path: &Path, opening: Opening) -> io::Result<Place> {
    let never_wait = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = File::options();
    options.create(true).custom_flags(never_wait.bits().cast_signed());
    match opening {
        Opening::Anew => options.write(true).truncate(true),
        Opening::AtEnd => options.append(true),
    };
    match options.open(path) {
        Ok(file) => Ok(Place::Open(file)),
        Err(wrong) if Errno::from_io_error(&wrong) == Some(Errno::NXIO) && is_fifo(path) => Ok(Place::Unread),
        Err(wrong) => Err(wrong),
    }
}

fn is_fifo(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.file_type().is_fifo())
}

struct Lines {
    place: Place,
    /// What of a line found no room yet: no other line is begun before it has ended.
    rest: Vec<u8>,
    path: PathBuf,
    meter: Meter,
}

impl Lines {
    /// Writes a line if there is somebody to read it, and room.
    fn write(&mut self, state: State) {
        if matches!(self.place, Place::Unread) {
            self.place = open(&self.path, Opening::AtEnd).unwrap_or(Place::Closed);
        }
        self.push();
        if self.rest.is_empty() && matches!(self.place, Place::Open(_)) {
            self.add(state);
            self.push();
        }
    }

    /// Writes the last line, for which there may have to be room first.
    fn end(&mut self, state: State) {
        let until = Instant::now() + LAST_LINE;
        if matches!(self.place, Place::Unread) {
            self.place = open(&self.path, Opening::AtEnd).unwrap_or(Place::Closed);
        }
        self.add(state);
        loop {
            self.push();
            let left = until.saturating_duration_since(Instant::now());
            let Place::Open(file) = &self.place else { return };
            if self.rest.is_empty() || left.is_zero() {
                return;
            }
            let wait = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
            let _ = poll(&mut [PollFd::new(file, PollFlags::OUT)], Some(&wait));
        }
    }

    fn add(&mut self, state: State) {
        let figures = self.meter.figures(Instant::now());
        let line = line(&self.meter.watched, &figures, state, SystemTime::now());
        self.rest.extend_from_slice(line.to_string().as_bytes());
        self.rest.push(b'\n');
    }

    /// Writes as much as there is room for.
    fn push(&mut self) {
        while let Place::Open(file) = &mut self.place
            && !self.rest.is_empty()
        {
            match file.write(&self.rest) {
                Ok(written) => drop(self.rest.drain(..written)),
                Err(wrong) if wrong.kind() == io::ErrorKind::Interrupted => {}
                Err(wrong) if wrong.kind() == io::ErrorKind::WouldBlock => return,
                Err(wrong) => self.close(&wrong),
            }
        }
    }

    fn close(&mut self, wrong: &io::Error) {
        self.rest.clear();
        // A reader that left has seen enough; of a FIFO there may be another one.
        if wrong.kind() == io::ErrorKind::BrokenPipe {
            self.place = if is_fifo(&self.path) { Place::Unread } else { Place::Closed };
            return;
        }
        self.place = Place::Closed;
        let path = self.path.display();
        super::super::say(format_args!(
            "banneret: status file `{path}` can't be written, and ends here: {wrong}"
        ));
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
            let status = Status::start(&path, Opening::Anew, watched()).unwrap();
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
        let before = std::fs::read_to_string(&path).unwrap();
        Status::start(&path, Opening::AtEnd, watched()).unwrap().end(State::Complete);
        let after = std::fs::read_to_string(&path).unwrap();
        assert!(after.starts_with(&before) && after.lines().count() > before.lines().count(), "{after}");
    }

    /// A pipe without room, the path by which its writing end can be opened, and who keeps that end open.
    fn full_pipe() -> (io::PipeReader, String, io::PipeWriter) {
        let (reader, writer) = io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut filling = File::options().write(true).custom_flags(flags).open(&path).unwrap();
        while filling.write(&[b'#'; 4096]).is_ok() {}
        (reader, path, writer)
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_nobody_up() {
        let (mut reader, path, writer) = full_pipe();
        let status = Status::start(Path::new(&path), Opening::Anew, watched()).unwrap();
        status.end(State::Complete);
        drop(writer);
        let mut read = String::new();
        io::Read::read_to_string(&mut reader, &mut read).unwrap();
        assert!(read.bytes().all(|byte| byte == b'#'), "it had no room for a line, nor for a part of one");
    }

    #[test]
    fn a_pipe_that_is_read_again_goes_on_with_whole_lines() {
        let (mut reader, path, writer) = full_pipe();
        let path = PathBuf::from(path);
        let place = open(&path, Opening::Anew).unwrap();
        let mut lines = Lines { place, rest: Vec::new(), path, meter: Meter::new(watched()) };
        lines.write(State::Running);
        // Room for a part of what waits now.
        let waiting = lines.rest.len();
        assert!(waiting > 0);
        let mut room = [0; 4096];
        io::Read::read_exact(&mut reader, &mut room).unwrap();
        lines.write(State::Running);
        lines.end(State::Complete);
        drop((lines, writer));
        let mut read = String::new();
        io::Read::read_to_string(&mut reader, &mut read).unwrap();
        let states: Vec<Value> = read
            .trim_start_matches('#')
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["state"].clone())
            .collect();
        assert_eq!(states.first(), Some(&"running".into()));
        assert_eq!(states.last(), Some(&"complete".into()));
    }

    #[test]
    fn a_fifo_is_written_to_as_soon_as_and_as_long_as_somebody_reads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        Status::start(&path, Opening::Anew, watched()).unwrap().end(State::Complete);
        let place = open(&path, Opening::Anew).unwrap();
        let mut lines = Lines { place, rest: Vec::new(), path: path.clone(), meter: Meter::new(watched()) };
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        for _ in 0..2 {
            lines.write(State::Running);
            assert!(matches!(lines.place, Place::Unread), "{:?}", lines.place);
            let reader = File::options().read(true).custom_flags(flags).open(&path).unwrap();
            lines.write(State::Running);
            let mut line = String::new();
            io::BufRead::read_line(&mut io::BufReader::new(&reader), &mut line).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["state"], "running");
            drop(reader);
            lines.write(State::Running);
        }
    }

    #[test]
    fn a_file_that_can_not_be_had_is_told_and_a_full_one_ends_quietly() {
        let wrong = Status::start(Path::new("/nowhere/status"), Opening::Anew, watched()).err().unwrap();
        assert!(format!("{wrong:#}").contains("status file `/nowhere/status` can't be opened"), "{wrong:#}");
        Status::start(Path::new("/dev/full"), Opening::Anew, watched()).unwrap().end(State::Complete);
    }
}
