//! What may reach a person: text that a terminal shows and does not obey.

use std::fmt::Display;

use banneret::record::neutral::acts;

/// The longest message, in characters: a sentence, a file's name and a value cut short and escaped.
const MAX_MESSAGE: usize = 1500;

/// Asserts that a message is one line, harmless and bounded.
pub fn assert_message(message: &impl Display) {
    let text = message.to_string();
    assert!(!text.is_empty(), "an error says what is wrong");
    assert_harmless(&text);
    assert!(
        text.chars().count() <= MAX_MESSAGE,
        "{} characters in one message: {text}",
        text.chars().count()
    );
}

/// Asserts that nothing in a text moves the cursor, colours, reorders or hides.
pub fn assert_harmless(text: &str) {
    if let Some(found) = text.chars().find(|&character| acts(character) || is_control(character)) {
        panic!("U+{:04X} reaches the terminal in {text:?}", u32::from(found));
    }
}

/// The same question asked without the crate's own answer: C0, DEL and C1 (ECMA-48 §5), and what turns a line
/// around (Unicode Bidirectional Algorithm §2).
fn is_control(character: char) -> bool {
    matches!(u32::from(character), 0..=0x1f | 0x7f..=0x9f | 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069)
}
