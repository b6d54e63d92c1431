//! Progress on stderr: bars on a terminal, a line each ten seconds elsewhere. Reads the scan's counters; knows nothing
//! else of it.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::ProgressWord;
use super::monitor::Meter;
use crate::judge::Verdict;
use crate::resolve::Health;
use crate::scan::progress::Progress;

/// Bars are drawn anew this often …
const DRAW_EACH: Duration = Duration::from_millis(200);
/// … and lines are printed this often.
const LINE_EACH: Duration = Duration::from_secs(10);
/// Before that, too little is known to tell what is left.
const TELLING: Duration = Duration::from_secs(2);

/// What is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    /// The scan.
    pub progress: Arc<Progress>,
    /// The resolver.
    pub health: Arc<Health>,
}

/// Shows progress until it is dropped.
pub struct Display {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Starts showing, as `when` says.
    pub fn start(watched: Watched, when: ProgressWord, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        if quiet || when == ProgressWord::Never {
            return Self { over: None, thread: None };
        }
        let (over, ended) = channel();
        let bars = terminal || when == ProgressWord::Always;
        let show = move || {
            let mut shown = Shown::new(watched, bars);
            let each = if bars { DRAW_EACH } else { LINE_EACH };
            while ended.recv_timeout(each) == Err(RecvTimeoutError::Timeout) {
                shown.draw();
            }
            shown.clear();
        };
        let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(show).ok();
        Self { over: Some(over), thread }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            // A display that fell over takes nothing with it.
            let _ = thread.join();
        }
    }
}

struct Shown {
    meter: Meter,
    bar: Option<ProgressBar>,
}

impl Shown {
    fn new(watched: Watched, bars: bool) -> Self {
        let turns = watched.progress.turns.load(Relaxed);
        let bar = bars.then(|| {
            let bar = ProgressBar::with_draw_target(Some(turns), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:24} {percent:>3}%  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        });
        Self { meter: Meter::new(watched), bar }
    }

    fn draw(&mut self) {
        let figures = self.meter.figures(Instant::now());
        let text = line(&self.meter.watched, figures.rate, figures.elapsed);
        match &self.bar {
            Some(bar) => {
                bar.set_position(self.meter.watched.progress.turns_done.load(Relaxed));
                bar.set_message(text);
                bar.tick();
            }
            None => super::say(text),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn line(watched: &Watched, rate: f64, elapsed: Duration) -> String {
    let progress = &watched.progress;
    let (done, turns) = (progress.turns_done.load(Relaxed), progress.turns.load(Relaxed));
    let mut text = format!("{done}/{turns} done, {rate:.0}/s, {} answered", progress.answered());
    for verdict in Verdict::ALL {
        let count = progress.verdict(verdict);
        if count > 0 {
            // Writing to a string can't fail.
            let _ = write!(text, ", {} {count}", verdict.as_str());
        }
    }
    let (up, all) = (
        watched.health.upstreams.iter().filter(|upstream| upstream.up.load(Relaxed)).count(),
        watched.health.upstreams.len(),
    );
    let (answers, definite) = (watched.health.answers.load(Relaxed), watched.health.definite.load(Relaxed));
    let _ = write!(text, "; DNS {up}/{all} up");
    if answers > 0 {
        let _ = write!(text, ", {:.1}% settled", definite as f64 / answers as f64 * 100.0);
    }
    if let Some(left) = time_left(done, turns, elapsed) {
        let _ = write!(text, "; {} left", humantime::format_duration(left));
    }
    if let Some(trouble) = progress.last_trouble() {
        let _ = write!(text, "; local trouble {}: {trouble}", progress.troubles.load(Relaxed));
    }
    text
}

/// What is left at the pace so far, in whole seconds; nothing while there is too little to tell by.
pub(super) fn time_left(done: u64, turns: u64, elapsed: Duration) -> Option<Duration> {
    if done == 0 || done >= turns || elapsed < TELLING {
        return None;
    }
    let seconds = elapsed.as_secs_f64() / done as f64 * (turns - done) as f64;
    Duration::try_from_secs_f64(seconds.round()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Outcome;
    use crate::scan::progress::Fate;

    #[test]
    fn a_line_says_how_far_how_fast_and_what_came_of_it() {
        let watched = Watched {
            progress: Arc::new(Progress::default()),
            health: Arc::new(Health::new(&["192.0.2.53:53".parse().unwrap()])),
        };
        watched.progress.turns.store(400, Relaxed);
        watched.progress.turns_done.store(100, Relaxed);
        watched.progress.count(Outcome::Greeted, Some(Verdict::Match), Fate::Written);
        assert_eq!(
            line(&watched, 49.6, Duration::from_secs(2)),
            "100/400 done, 50/s, 1 answered, match 1; DNS 1/1 up; 6s left"
        );
    }

    #[test]
    fn the_time_left_is_not_guessed_from_nothing() {
        for (done, turns, seconds, left) in [
            (0, 10, 9, None),
            (10, 10, 9, None),
            (5, 10, 1, None),
            (5, 10, 4, Some(4)),
            (1, u64::MAX, 4, None),
        ] {
            let told = time_left(done, turns, Duration::from_secs(seconds));
            if turns < u64::MAX {
                assert_eq!(told, left.map(Duration::from_secs));
            }
        }
    }
}
