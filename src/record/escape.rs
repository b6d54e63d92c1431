//! Bytes of strangers as text and back: nothing is lost, nothing but printable UTF-8 is left.
//!
//! A byte outside valid UTF-8 and each byte of a control character (C0, DEL, C1) becomes `\xHH`, a backslash
//! becomes `\\`, every other character stays. `caf\xe9 \ ok` as bytes is `caf\xe9 \\ ok` as text.

/// A stretch of the escaped form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text that stands for itself: no control character, no backslash.
    Plain(&'a str),
    /// A byte to be written `\xHH`.
    Byte(u8),
    /// A backslash, to be written `\\`.
    Backslash,
}

/// Why an escaped text does not stand for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has a backslash that starts neither `\\xHH` nor `\\\\`")]
pub struct EscapeError;

/// Hands the stretches of `bytes` in turn to `emit`: the rule of the escape, in one place for every writer.
pub fn pieces<'a>(bytes: &'a [u8], mut emit: impl FnMut(Piece<'a>)) {
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(at) = rest.find(|c: char| c == '\\' || c.is_control()) {
            let (plain, special) = rest.split_at(at);
            if !plain.is_empty() {
                emit(Piece::Plain(plain));
            }
            let length = special.chars().next().map_or(0, char::len_utf8);
            let (special, tail) = special.split_at(length);
            if special == "\\" {
                emit(Piece::Backslash);
            } else {
                special.bytes().for_each(|byte| emit(Piece::Byte(byte)));
            }
            rest = tail;
        }
        if !rest.is_empty() {
            emit(Piece::Plain(rest));
        }
        chunk.invalid().iter().for_each(|&byte| emit(Piece::Byte(byte)));
    }
}

/// Appends the escaped form of `bytes`.
pub fn push_escaped(bytes: &[u8], text: &mut String) {
    pieces(bytes, |piece| match piece {
        Piece::Plain(plain) => text.push_str(plain),
        Piece::Byte(byte) => {
            let [high, low] = hex(byte);
            text.extend(['\\', 'x', char::from(high), char::from(low)]);
        }
        Piece::Backslash => text.push_str("\\\\"),
    });
}

/// The escaped form of `bytes`.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    push_escaped(bytes, &mut text);
    text
}

/// The bytes that an escaped text stands for; `HH` in either case.
pub fn unescape(text: &str) -> Result<Vec<u8>, EscapeError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&b| b == b'\\') {
        bytes.extend_from_slice(&rest[..at]);
        rest = match &rest[at + 1..] {
            [b'\\', tail @ ..] => {
                bytes.push(b'\\');
                tail
            }
            [b'x', high, low, tail @ ..] => {
                bytes.push(nibble(*high)? << 4 | nibble(*low)?);
                tail
            }
            _ => return Err(EscapeError),
        };
    }
    bytes.extend_from_slice(rest);
    Ok(bytes)
}

/// The two digits of a byte, lower case.
pub(crate) fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

fn nibble(digit: u8) -> Result<u8, EscapeError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(EscapeError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_are_escaped_as_documented() {
        for (bytes, text) in [
            (&b"mail.example.org ESMTP"[..], "mail.example.org ESMTP"),
            (b"", ""),
            (b"caf\xe9", r"caf\xe9"),
            ("café ✉ 日本".as_bytes(), "café ✉ 日本"),
            (b"a\\b", r"a\\b"),
            (br"\x41", r"\\x41"),
            (b"\x00\x1b[2J\x7f\t\r", r"\x00\x1b[2J\x7f\x09\x0d"),
            ("\u{9b}31m".as_bytes(), r"\xc2\x9b31m"),
            (b"\xe2\x82", r"\xe2\x82"),
            (b"\xed\xa0\x80", r"\xed\xa0\x80"),
            (b"\xff\xfeok\xff", r"\xff\xfeok\xff"),
        ] {
            assert_eq!(escape(bytes), text);
            assert_eq!(unescape(text).as_deref(), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn either_case_of_hex_is_read_and_broken_escapes_are_refused() {
        assert_eq!(unescape(r"\xE9\xe9"), Ok(vec![0xe9, 0xe9]));
        for text in ["\\", r"a\", r"\x", r"\x4", r"\xg0", r"\x0g", r"\n", r"\u00e9", r"\X41", r"\\\"] {
            assert_eq!(unescape(text), Err(EscapeError), "{text}");
        }
    }

    #[test]
    fn every_byte_alone_comes_back_and_is_printable() {
        for byte in 0..=u8::MAX {
            let text = escape(&[byte]);
            assert!(!text.chars().any(char::is_control), "{byte:#x}");
            assert_eq!(unescape(&text), Ok(vec![byte]));
        }
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = escape(&bytes);
            prop_assert!(!text.chars().any(char::is_control));
            prop_assert_eq!(unescape(&text), Ok(bytes));
        }

        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            prop_assert_eq!(unescape(&escape(text.as_bytes())), Ok(text.into_bytes()));
        }

        #[test]
        fn unescape_is_total(text in "[\\\\x0-9a-f é]{0,20}") {
            let _ = unescape(&text);
        }
    }
}
