//! Strangers' names made safe for a shell's command line.

/// The text as one word of a POSIX shell: as it is if it is a plain host name, else in single quotes.
pub(super) fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    // A hyphen or a plus in front would be read as an option, an at sign as a server.
    if text.bytes().all(plain) && !text.starts_with('-') && !text.is_empty() {
        return text.to_owned();
    }
    let safe: String = text.chars().filter(|c| !c.is_control()).collect();
    let safe = safe.replace('\'', r"'\''");
    if safe.starts_with(['-', '+', '@']) { format!("-q '{safe}'") } else { format!("'{safe}'") }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_is_no_plain_name_is_quoted() {
        for (text, word) in [
            ("mail.example.org", "mail.example.org"),
            ("a_b.example.org", "a_b.example.org"),
            ("$(reboot).example.org", "'$(reboot).example.org'"),
            ("a;b", "'a;b'"),
            ("a'b", r"'a'\''b'"),
            ("-f/etc/passwd", "-q '-f/etc/passwd'"),
            ("@192.0.2.9", "-q '@192.0.2.9'"),
            ("a\nb", "'ab'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(text), word);
        }
    }
}
