//! The reply to EHLO: the name by which a server answers, and the extensions that it offers (RFC 5321
//! §4.1.1.1). Reads lines, decides nothing.

use super::reply::{Code, Reply, Text};
use crate::name::HostName;

/// The code of a reply that names extensions (RFC 5321 §4.3.2).
const ACCEPTED: u16 = 250;

/// The name in the first line of a 250 reply to EHLO or HELO, in normal form: the server's domain stands
/// first, and it may be one label.
pub fn name(reply: &Reply) -> Option<String> {
    if reply.code.map(Code::get) != Some(ACCEPTED) {
        return None;
    }
    let line = std::str::from_utf8(reply.text.first()).ok()?;
    let mut words = line.split_ascii_whitespace();
    let first = HostName::parse(words.next()?).ok()?;
    // `Hello client.example` opens with no name; one label alone on its line is one.
    let is_name = first.is_qualified() || words.next().is_none();
    is_name.then(|| first.as_str().to_owned())
}

/// The text of a reply that was accepted; the lines behind its first name one extension each, parameters
/// behind it.
pub fn accepted(reply: &Reply) -> Option<&Text> {
    reply.code.is_some_and(|code| code.get() / 100 == 2).then_some(&reply.text)
}

/// Whether the reply accepts and offers an extension: its keyword stands first on a line behind the first, in
/// any case (RFC 5321 §2.4). A word further on, or in the greeting of line 1, offers nothing.
pub fn offers(reply: &Reply, keyword: &str) -> bool {
    accepted(reply).is_some_and(|text| text.lines().skip(1).any(|line| opens_with(line, keyword)))
}

fn opens_with(line: &[u8], keyword: &str) -> bool {
    let line = line.trim_ascii_start();
    let word = line.split(|b| b.is_ascii_whitespace() || *b == b'=').next().unwrap_or_default();
    word.eq_ignore_ascii_case(keyword.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::reply::Reader;
    use super::*;

    fn reply(said: &str) -> Reply {
        let mut reader = Reader::default();
        reader.feed(said.as_bytes());
        reader.finish().unwrap()
    }

    #[test]
    fn the_name_opens_the_reply() {
        for (said, expected) in [
            ("250-mail.kestrel.example\r\n250 SIZE\r\n", Some("mail.kestrel.example")),
            (
                "250-MAIL.kestrel.example. Hello client.example.net [192.0.2.9]\r\n",
                Some("mail.kestrel.example"),
            ),
            ("250 kestrel\r\n", Some("kestrel")),
            ("250-Hello client.example.net\r\n", None),
            ("250 [192.0.2.1]\r\n", None),
            ("250 192.0.2.1\r\n", None),
            ("250\r\n", None),
            ("251 mail.kestrel.example\r\n", None),
            ("502 mail.kestrel.example\r\n", None),
            ("421 mail.kestrel.example\r\n", None),
            ("mail.kestrel.example\r\n", None),
        ] {
            assert_eq!(name(&reply(said)).as_deref(), expected, "{said}");
        }
    }

    #[test]
    fn an_extension_is_offered_by_the_first_word_of_a_line() {
        for (said, offered) in [
            ("250-mail.example.org\r\n250 STARTTLS\r\n", true),
            ("250-mail.example.org\r\n250-SIZE 1000\r\n250 starttls\r\n", true),
            ("250-mail.example.org\r\n250-STARTTLS \r\n250 HELP\r\n", true),
            ("250-mail.example.org\r\n250-STARTTLS required\r\n250 HELP\r\n", true),
            ("250 STARTTLS\r\n", false),
            ("250-STARTTLS\r\n250 HELP\r\n", false),
            ("250-mail.example.org STARTTLS\r\n250 HELP\r\n", false),
            ("250-mail.example.org\r\n250 XSECURITY=NONE,STARTTLS\r\n", false),
            ("250-mail.example.org\r\n250 NOSTARTTLS\r\n", false),
            ("250-mail.example.org\r\n250 STARTTLSX\r\n", false),
            ("250-mail.example.org\r\n250 HELP STARTTLS\r\n", false),
            ("502-mail.example.org\r\n502 STARTTLS\r\n", false),
            ("mail.example.org\r\n", false),
        ] {
            assert_eq!(offers(&reply(said), "STARTTLS"), offered, "{said}");
        }
    }
}
