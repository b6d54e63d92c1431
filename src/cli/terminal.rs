//! The terminal of a person: how wide it is, who writes to it, and paragraphs that fit. What strangers said
//! is neutralised before.

use std::cell::Cell;
use std::io;
use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;

/// Columns where no terminal tells.
const DEFAULT_WIDTH: usize = 100;
/// Lines longer than this tire a reader.
const WIDEST_TEXT: usize = 110;
/// Below this, a paragraph is not broken any more.
const NARROWEST_TEXT: usize = 40;

/// Columns of the terminal that stdout or stderr leads to.
pub fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stdout())
        .or_else(|_| rustix::termios::tcgetwinsize(io::stderr()))
        .map_or(DEFAULT_WIDTH, |size| usize::from(size.ws_col).max(1))
}

/// Columns of the terminal that stderr leads to.
pub fn width_of_stderr() -> usize {
    rustix::termios::tcgetwinsize(io::stderr()).map_or(DEFAULT_WIDTH, |size| usize::from(size.ws_col).max(1))
}

/// The line that is drawn anew on this terminal, if there is one.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

thread_local! {
    /// Whether this thread has taken the bar away for what it is writing.
    static IS_WRITING: Cell<bool> = const { Cell::new(false) };
}

/// Says which line is drawn anew; `None` once none is.
pub fn put_bar(bar: Option<ProgressBar>) {
    *BAR.lock().unwrap_or_else(PoisonError::into_inner) = bar;
}

/// Writes lines to stdout or stderr where a bar may stand: it is taken away before, and drawn again behind
/// them. Without that, each would write over the other.
pub fn beside_bar<T>(write: impl FnOnce() -> T) -> T {
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // A defect that is told while something is written must not wait for itself.
    match bar.filter(|_| !IS_WRITING.get()) {
        None => write(),
        Some(bar) => {
            IS_WRITING.set(true);
            let written = bar.suspend(write);
            IS_WRITING.set(false);
            written
        }
    }
}

/// A paragraph broken at its spaces, every line behind `indent` but the first behind `first`. What stands in
/// backticks is to be copied and stays whole, as does a word longer than a line.
pub fn paragraph(text: &str, first: &str, indent: &str, width: usize) -> String {
    let width = width.clamp(NARROWEST_TEXT, WIDEST_TEXT);
    let mut told = first.to_owned();
    let mut used = first.chars().count();
    let mut begun = false;
    for word in words(text) {
        let length = word.chars().count();
        if begun && used + 1 + length > width {
            told.push('\n');
            told.push_str(indent);
            used = indent.chars().count();
        } else if begun {
            told.push(' ');
            used += 1;
        }
        told.push_str(word);
        used += length;
        begun = true;
    }
    told.push('\n');
    told
}

/// The parts of a text between spaces, those within backticks aside.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |letter| {
        is_quoted ^= letter == '`';
        letter == ' ' && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_break_at_spaces() {
        let text = "one two three four five six seven eight nine ten";
        assert_eq!(paragraph(text, "- ", "  ", 1), "- one two three four five six seven\n  eight nine ten\n");
        assert_eq!(paragraph("", "- ", "  ", 80), "- \n");
        let quoted = "a zone line: `host.example. IN A 192.0.2.1` and so on and on";
        assert_eq!(
            paragraph(quoted, "", "  ", 1),
            "a zone line:\n  `host.example. IN A 192.0.2.1` and so\n  on and on\n"
        );
        let word = "x".repeat(200);
        assert_eq!(paragraph(&word, "", "", 80), format!("{word}\n"));
    }
}
