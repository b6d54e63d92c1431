//! Text cells that no spreadsheet runs, and of which an empty one is a null.
//!
//! A spreadsheet takes a cell that opens with `=`, `+`, `-`, `@`, a tab or a carriage return for a formula.
//! Such a text gets a `'` in front; so does one that would read as guarded already, and the guard can be
//! taken off again: `=a` becomes `'=a`, `'=a` becomes `''=a`, `'a` stays. An empty text becomes `'`, so `'`
//! becomes `''`. Numbers are never guarded.

/// Whether a text needs the guard. An empty one needs it where an empty cell is a null.
pub fn needs_guard(text: &str) -> bool {
    match text.trim_start_matches('\'') {
        "" => !text.is_empty(),
        rest => rest.starts_with(['=', '+', '-', '@', '\t', '\r']),
    }
}

/// The text without its guard, if it has one.
pub fn unguard(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(inner) if inner.is_empty() || needs_guard(inner) => inner,
        _ => text,
    }
}

/// The text of a cell; `None` for a null.
pub fn read(cell: &str) -> Option<&str> {
    if cell.is_empty() { None } else { Some(unguard(cell)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn guard(text: &str) -> String {
        if needs_guard(text) || text.is_empty() { format!("'{text}") } else { text.to_owned() }
    }

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded() {
        for (text, cell) in [
            ("=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\r=x", "'\r=x"),
            ("'=x", "''=x"),
            ("", "'"),
            ("'", "''"),
            ("''", "'''"),
            ("mail.example.org", "mail.example.org"),
            ("'quoted'", "'quoted'"),
            ("a=b", "a=b"),
            (" =b", " =b"),
        ] {
            assert_eq!(guard(text), cell);
            assert_eq!(read(cell), Some(text));
        }
        assert_eq!(read(""), None);
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn every_text_comes_back_and_none_can_run(text in "[='+@\t\r a-]{0,6}|\\PC{0,6}") {
            let cell = guard(&text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(read(&cell), Some(&*text));
        }
    }
}
