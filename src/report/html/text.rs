//! Text that is only text in HTML, and the base64 that a policy wants its hashes in.

use std::fmt::{self, Display, Write};

use crate::record::neutral::Safe;

/// Shows anything as text: what has a meaning in HTML, in text or in a quoted attribute, becomes a character
/// reference; control characters and those that reorder text are shown escaped.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Html<T>(pub(in crate::report) T);

impl<T: Display> Display for Html<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escape(f), "{}", Safe(&self.0))
    }
}

struct Escape<W>(W);

impl<W: Write> Write for Escape<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, special) = rest.split_at(at);
            self.0.write_str(plain)?;
            let (special, tail) = special.split_at(1);
            self.0.write_str(match special {
                "&" => "&amp;",
                "<" => "&lt;",
                ">" => "&gt;",
                "\"" => "&quot;",
                _ => "&#39;",
            })?;
            rest = tail;
        }
        self.0.write_str(rest)
    }
}

/// A file's name as a relative reference (RFC 3986 §4.2) in a quoted attribute: what is not unreserved is
/// percent-encoded, and `./` keeps a name with a colon from being a scheme.
#[derive(Debug, Clone, Copy)]
pub(super) struct Url<'a>(pub(super) &'a str);

impl Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("./")?;
        for byte in self.0.bytes() {
            let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            if plain { f.write_char(char::from(byte)) } else { write!(f, "%{byte:02X}") }?;
        }
        Ok(())
    }
}

/// Base64 with padding (RFC 4648 §4).
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0, |group, &byte| group << 8 | usize::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let sextet = group >> (18 - 6 * digit) & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[sextet]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        for (text, shown) in [
            ("mail.example.org", "mail.example.org"),
            (
                "</style><script>alert('x')</script>",
                "&lt;/style&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
            ),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a&amp;b", "a&amp;amp;b"),
            ("\u{202e}\u{1b}[2J\0", "\\u{202e}\\x1b[2J\\x00"),
            ("bücher 日本", "bücher 日本"),
        ] {
            assert_eq!(Html(text).to_string(), shown);
        }
    }

    #[test]
    fn a_file_is_named_and_nothing_else() {
        for (name, reference) in [
            ("a.fixes.csv", "./a.fixes.csv"),
            ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
            ("a b\"><script>#?.csv", "./a%20b%22%3E%3Cscript%3E%23%3F.csv"),
            ("bücher", "./b%C3%BCcher"),
        ] {
            assert_eq!(Url(name).to_string(), reference);
        }
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
