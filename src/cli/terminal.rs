//! The terminal of a person: how wide it is, and paragraphs that fit. What strangers said is neutralised before.

use std::io;

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

/// A paragraph broken at its spaces, every line behind `indent` but the first behind `first`; a word longer than a
/// line stays whole, for it may be a command's.
pub fn paragraph(text: &str, first: &str, indent: &str, width: usize) -> String {
    let width = width.clamp(NARROWEST_TEXT, WIDEST_TEXT);
    let mut told = first.to_owned();
    let mut used = first.chars().count();
    let mut begun = false;
    for word in text.split(' ') {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_break_at_spaces() {
        let text = "one two three four five six seven eight nine ten";
        assert_eq!(paragraph(text, "- ", "  ", 1), "- one two three four five six seven\n  eight nine ten\n");
        assert_eq!(paragraph("", "- ", "  ", 80), "- \n");
        let word = "x".repeat(200);
        assert_eq!(paragraph(&word, "", "", 80), format!("{word}\n"));
    }
}
