//! Strangers' text made safe for a terminal: what could move the cursor, colour, reorder or hide is shown,
//! not done.
//!
//! Escaped are C0, DEL and C1 (`\x1b`), the bidirectional overrides and isolates U+202A–E and U+2066–69, the
//! invisible U+200B–F, the line and paragraph separators and the byte order mark (`\u{202e}`). Files keep the
//! text as it is; whoever prints to a person prints [`Safe`].

use std::fmt::{self, Display, Write};

/// Shows any text without letting it act on the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Safe<T>(pub T);

impl<T: Display> Display for Safe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Neutral(f), "{}", self.0)
    }
}

/// A writer that neutralises what passes through.
struct Neutral<W>(W);

impl<W: Write> Write for Neutral<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(acts) {
            let (plain, tail) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut characters = tail.chars();
            match characters.next().map(u32::from) {
                Some(code @ ..=0xff) => write!(self.0, "\\x{code:02x}")?,
                Some(code) => write!(self.0, "\\u{{{code:x}}}")?,
                None => {}
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Whether a terminal does something with a character instead of showing it.
pub fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        // Deprecated tag characters: a hidden copy of ASCII.
        || matches!(character, '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_is_shown() {
        for (text, shown) in [
            ("mail.example.org", "mail.example.org"),
            ("bücher ✉", "bücher ✉"),
            ("\x1b]52;c;ZXZpbA==\x07", r"\x1b]52;c;ZXZpbA==\x07"),
            ("a\r\nb\tc\0", r"a\x0d\x0ab\x09c\x00"),
            ("\u{9b}2J\u{7f}", r"\x9b2J\x7f"),
            ("gpj.\u{202e}exe\u{2066}\u{200b}", r"gpj.\u{202e}exe\u{2066}\u{200b}"),
            ("", ""),
        ] {
            assert_eq!(Safe(text).to_string(), shown);
        }
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn no_control_character_passes(text in any::<String>()) {
            prop_assert!(!Safe(&text).to_string().chars().any(acts));
        }

        #[test]
        fn what_does_not_act_stays(text in "[ -~é✉]{0,40}") {
            prop_assert_eq!(Safe(&text).to_string(), text);
        }
    }
}
