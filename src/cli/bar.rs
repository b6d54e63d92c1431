//! Progress on stderr: bars on a terminal, a line each ten seconds elsewhere. Reads the scan's counters;
//! knows nothing else of it.

use std::io::IsTerminal;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::ProgressWord;
use super::monitor::{Figures, Meter, Watched};
use super::terminal;
use crate::judge::Verdict;
use crate::report::table::columns;

/// Bars are drawn anew this often …
const DRAW_EACH: Duration = Duration::from_millis(200);
/// … and lines are printed this often.
const LINE_EACH: Duration = Duration::from_secs(10);

/// Shows progress until it is dropped.
pub struct Display {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Display {
    /// Starts showing, as `when` says.
    pub fn start(watched: Watched, when: ProgressWord, quiet: bool) -> Self {
        if quiet || when == ProgressWord::Never {
            return Self { over: None, thread: None };
        }
        let (over, ended) = channel();
        let (drawn, each) =
            if std::io::stderr().is_terminal() { (Drawn::Bar, DRAW_EACH) } else { (Drawn::Lines, LINE_EACH) };
        let show = move || {
            let mut shown = Shown::new(watched, drawn);
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
    fn new(watched: Watched, when: Drawn) -> Self {
        let turns = watched.progress.turns.load(Relaxed);
        let bar = (when == Drawn::Bar)
            .then(|| ProgressBar::with_draw_target(Some(turns), ProgressDrawTarget::stderr()));
        terminal::put_bar(bar.clone());
        Self { meter: Meter::new(watched), bar }
    }

    fn draw(&mut self) {
        let figures = self.meter.figures(Instant::now());
        let fields = fields(&self.meter.watched, &figures);
        let Some(bar) = &self.bar else { return super::say(fit(&fields, usize::MAX)) };
        // The last column stays free, for a terminal that goes on to the next line when it is filled.
        let width = terminal::width_of_stderr().saturating_sub(1);
        let (length, template) = template(width);
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        bar.set_position(self.meter.watched.progress.turns_done.load(Relaxed));
        bar.set_message(fit(&fields, width.saturating_sub(length)));
        bar.tick();
    }

    fn clear(&self) {
        terminal::put_bar(None);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How progress looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drawn {
    /// One line, drawn anew.
    Bar,
    /// A line after the other.
    Lines,
}

/// What stands before the fields, and how many columns it takes: a bar where there is room for it.
fn template(width: usize) -> (usize, String) {
    let bar = match width {
        ..80 => return (6, "{percent:>3}%  {msg}".to_owned()),
        80..120 => 12,
        _ => 24,
    };
    (bar + 7, format!("{{bar:{bar}}} {{percent:>3}}%  {{msg}}"))
}

/// One figure of the line.
#[derive(Debug)]
struct Field {
    /// Where room is short, the fields of the lowest numbers stay.
    rank: u8,
    /// What parts it from the field before.
    gap: &'static str,
    text: String,
}

/// The figures of a scan in the order in which they are read.
fn fields(watched: &Watched, figures: &Figures) -> Vec<Field> {
    let progress = &watched.progress;
    let (done, turns) = (progress.turns_done.load(Relaxed), progress.turns.load(Relaxed));
    let field = |rank, gap, text| Field { rank, gap, text };
    let mut fields = vec![
        field(0, "", format!("{done}/{turns} done")),
        field(1, ", ", format!("{:.0}/s", figures.ended_rate)),
        field(4, ", ", format!("{} answered", progress.answered())),
    ];
    for verdict in Verdict::ALL {
        let count = progress.verdict(verdict);
        if count > 0 {
            fields.push(field(6, ", ", format!("{} {count}", verdict.as_str())));
        }
    }
    let (up, all) = (
        watched.health.upstreams.iter().filter(|upstream| upstream.up.load(Relaxed)).count(),
        watched.health.upstreams.len(),
    );
    let (answers, definite) = (watched.health.answers.load(Relaxed), watched.health.definite.load(Relaxed));
    fields.push(field(if up < all { 3 } else { 5 }, "; ", format!("DNS {up}/{all} up")));
    if answers > 0 {
        let settled = definite as f64 / answers as f64 * 100.0;
        fields.push(field(7, ", ", format!("{settled:.1}% settled")));
    }
    if let Some(left) = figures.left {
        fields.push(field(2, "; ", format!("{} left", humantime::format_duration(left))));
    }
    if let Some(trouble) = progress.last_trouble() {
        let count = progress.troubles.load(Relaxed);
        fields.push(field(3, "; ", format!("local trouble {count}: {trouble}")));
    }
    fields
}

/// As many whole fields as `width` columns hold, those of the lowest ranks.
fn fit(fields: &[Field], width: usize) -> String {
    let mut kept = vec![false; fields.len()];
    let mut by_rank: Vec<usize> = (0..fields.len()).collect();
    by_rank.sort_by_key(|&at| fields[at].rank);
    let joined = |kept: &[bool]| {
        let mut text = String::new();
        for (field, _) in fields.iter().zip(kept).filter(|(_, kept)| **kept) {
            if !text.is_empty() {
                text.push_str(field.gap);
            }
            text.push_str(&field.text);
        }
        text
    };
    for at in by_rank {
        kept[at] = true;
        // A short field of a higher rank may still fit where a long one does not.
        kept[at] = columns(&joined(&kept)) <= width;
    }
    joined(&kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::monitor::tests::watched;
    use crate::probe::LocalTrouble;

    fn figures(left: Option<u64>) -> Figures {
        let mut figures = Meter::new(watched()).figures(Instant::now());
        figures.ended_rate = 49.6;
        figures.left = left.map(Duration::from_secs);
        figures
    }

    #[test]
    fn a_line_says_how_far_how_fast_and_what_came_of_it() {
        let watched = watched();
        let line = |left| fit(&fields(&watched, &figures(left)), usize::MAX);
        assert_eq!(line(None), "100/400 done, 50/s, 1 answered, match 1; DNS 1/1 up, 0.0% settled");
        assert!(line(Some(6)).ends_with("; 6s left"));
    }

    #[test]
    fn whole_fields_go_as_the_terminal_narrows() {
        let watched = watched();
        watched.progress.trouble(LocalTrouble::Descriptors);
        let fields = fields(&watched, &figures(Some(75)));
        for (width, line) in [
            (
                200,
                "100/400 done, 50/s, 1 answered, match 1; DNS 1/1 up, 0.0% settled; 1m 15s left; local trouble 1: \
                 no file descriptor is free",
            ),
            (80, "100/400 done, 50/s; 1m 15s left; local trouble 1: no file descriptor is free"),
            (70, "100/400 done, 50/s, 1 answered, match 1; DNS 1/1 up; 1m 15s left"),
            (40, "100/400 done, 50/s, match 1; 1m 15s left"),
            (18, "100/400 done, 50/s"),
            (12, "100/400 done"),
            (5, "50/s"),
        ] {
            assert_eq!(fit(&fields, width), line, "{width}");
        }
    }

    #[test]
    fn the_line_fits_with_what_stands_before_it() {
        for width in [1, 40, 79, 80, 99, 119, 120, 199] {
            let (length, template) = template(width);
            let bar = template.split(['{', '}']).find_map(|part| part.strip_prefix("bar:"));
            let bar: usize = bar.map_or(0, |columns| columns.parse::<usize>().unwrap() + 1);
            assert_eq!(length, bar + "100%  ".len(), "{width}: {template}");
        }
    }
}
