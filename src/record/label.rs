//! Names of tags in forms that take only some characters: percent-encoded (RFC 3986 §2.1), so that no two
//! names become one and each can be had back.
//!
//! Each octet of a character that the form does not take becomes `%HH`, as does each `%`; an empty name
//! becomes `%`.

use std::fmt::Write as _;

use super::neutral::acts;

/// A name for a field in a tree of fields, where dots part the names.
pub fn for_field(name: &str) -> String {
    let inner = |at: usize, length: usize| at > 0 && at + length < name.len();
    encode(name, |at, character| match character {
        '.' | '%' => false,
        ' ' => inner(at, 1),
        other => !acts(other) && !other.is_whitespace(),
    })
}

/// A name for a parameter of structured data (RFC 5424 §6.3.3), however long. A `~` is free for names that
/// are no tag's.
pub fn for_parameter(name: &str) -> String {
    encode(name, |_, character| {
        character.is_ascii_graphic() && !matches!(character, '%' | '=' | ']' | '"' | '~')
    })
}

fn encode(name: &str, takes: impl Fn(usize, char) -> bool) -> String {
    let mut encoded = String::with_capacity(name.len());
    for (at, character) in name.char_indices() {
        if takes(at, character) {
            encoded.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a `String` does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    if encoded.is_empty() { "%".to_owned() } else { encoded }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_two_names_become_one() {
        for (name, field, parameter) in [
            ("customer", "customer", "customer"),
            ("a.b", "a%2Eb", "a.b"),
            ("a_b", "a_b", "a_b"),
            ("a b", "a b", "a%20b"),
            (" a", "%20a", "%20a"),
            (" ", "%20", "%20"),
            ("", "%", "%"),
            ("%", "%25", "%25"),
            ("é", "é", "%C3%A9"),
            ("à", "à", "%C3%A0"),
            ("a]=\"~", "a]=\"~", "a%5D%3D%22%7E"),
            ("\u{1b}\u{202e}", "%1B%E2%80%AE", "%1B%E2%80%AE"),
        ] {
            assert_eq!(
                (for_field(name).as_str(), for_parameter(name).as_str()),
                (field, parameter),
                "{name:?}"
            );
        }
        let names =
            ["", " ", "  ", ".", "..", "%", "%2E", "_", "a.b", "a_b", "a%2Eb", "é", "e\u{301}", "\t", "~1"];
        for encode in [for_field, for_parameter] {
            let encoded: HashMap<String, &str> = names.iter().map(|name| (encode(name), *name)).collect();
            assert_eq!(encoded.len(), names.len(), "{encoded:?}");
        }
    }
}
