//! What a greeting amounts to: a welcome, a refusal, or the words of another protocol. Looks at the code
//! alone, and at the words only where there is none. Knows nothing of how the conversation went on.

use super::reply::Reply;

/// What the first reply amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said {
    /// A 2xx or 3xx code.
    Welcome,
    /// A 4xx or 5xx code, or no code and the plain words of a mail server that refuses.
    Refusal,
    /// Anything else: SSH, HTTP, TLS, a code of no class that RFC 5321 §4.2.1 knows.
    NotSmtp,
}

impl Said {
    /// What a greeting amounts to.
    pub fn of(greeting: &Reply) -> Self {
        match greeting.code.map(|code| code.get() / 100) {
            Some(2 | 3) => Self::Welcome,
            Some(4 | 5) => Self::Refusal,
            None if is_plain_refusal(greeting.text.first()) => Self::Refusal,
            _ => Self::NotSmtp,
        }
    }
}

/// Words that turn a client away.
const REFUSING: &[&str] = &[
    "refused",
    "rejected",
    "denied",
    "blocked",
    "banned",
    "not allowed",
    "not permitted",
    "not accepted",
    "not accepting",
    "not welcome",
    "not authorized",
    "not authorised",
    "unavailable",
    "not available",
    "too many connections",
    "try again later",
    "try later",
    "poor reputation",
    "blacklisted",
    "blocklisted",
    "listed",
    "no reverse",
];

/// Words of which one at least shows that it is about mail.
const MAIL: &[&str] = &[
    "smtp",
    "mail",
    "mta",
    "mx",
    "spam",
    "rbl",
    "dnsbl",
    "blacklist",
    "blacklisted",
    "blocklist",
    "blocklisted",
    "spamhaus",
    "spamcop",
    "sender",
    "relay",
    "relaying",
    "postmaster",
    "ptr",
    "rdns",
];

/// How other protocols on this port open. Their texts may well say `mail` and `denied` too.
const OTHERS: &[&[u8]] =
    &[b"SSH-", b"HTTP/", b"RTSP/", b"SIP/", b"ICY ", b"* ", b"+OK", b"-ERR", b"@RSYNCD", b"RFB "];

/// Whether a text without code is plainly that of an SMTP server which refuses: readable, of no other
/// protocol, turning away, and about mail. An enhanced status code of a failure in front (RFC 3463 §2) is as
/// plain.
fn is_plain_refusal(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    if OTHERS.iter().any(|opening| text.starts_with(opening)) || text.starts_with(b"<") {
        return false;
    }
    if text.iter().any(|&b| b.is_ascii_control() && b != b'\t' && b != b'\r') {
        return false;
    }
    if opens_with_failure_status(text) {
        return true;
    }
    let lower = String::from_utf8_lossy(text).to_ascii_lowercase();
    let has = |phrase: &str| {
        lower.match_indices(phrase).any(|(at, _)| {
            let before = lower[..at].bytes().next_back();
            let after = lower[at + phrase.len()..].bytes().next();
            ![before, after].into_iter().flatten().any(|b| b.is_ascii_alphanumeric())
        })
    };
    REFUSING.iter().any(|phrase| has(phrase)) && MAIL.iter().any(|word| has(word))
}

fn opens_with_failure_status(text: &[u8]) -> bool {
    let word = text.split(|&b| b == b' ').next().unwrap_or_default();
    matches!(word.first(), Some(b'4' | b'5')) && is_enhanced_status(word) && text.len() > word.len()
}

/// Whether a word has the form of an enhanced status code: `2.0.0` (RFC 3463 §2).
pub(super) fn is_enhanced_status(word: &[u8]) -> bool {
    let mut parts = word.split(|&b| b == b'.');
    let class = parts.next().is_some_and(|class| matches!(class, b"2" | b"4" | b"5"));
    let mut digits =
        || parts.next().is_some_and(|p| (1..=3).contains(&p.len()) && p.iter().all(u8::is_ascii_digit));
    class && digits() && digits() && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::reply::Reader;

    fn said(bytes: &[u8]) -> Said {
        let mut reader = Reader::default();
        reader.feed(bytes);
        Said::of(&reader.finish().unwrap())
    }

    #[test]
    fn a_code_decides_whatever_the_words() {
        for (bytes, expected) in [
            (&b"220 mail.example.org ESMTP\r\n"[..], Said::Welcome),
            (b"220\r\n", Said::Welcome),
            (b"200 ok\r\n", Said::Welcome),
            (b"354 go on\r\n", Said::Welcome),
            (b"220 access denied, mail refused\r\n", Said::Welcome),
            (b"220-teaser\r\n554 second line\r\n", Said::Welcome),
            (b"421 4.7.0 busy\r\n", Said::Refusal),
            (b"450 later\r\n", Said::Refusal),
            (b"451 later\r\n", Said::Refusal),
            (b"500 no\r\n", Said::Refusal),
            (b"501 no\r\n", Said::Refusal),
            (b"520 no\r\n", Said::Refusal),
            (b"521 mail.example.org accepts no mail\r\n", Said::Refusal),
            (b"530 h denied access\r\n", Said::Refusal),
            (b"550 no\r\n", Said::Refusal),
            (b"552 no\r\n", Said::Refusal),
            (b"554-h\r\n554 no\r\n", Said::Refusal),
            (b"000 zeros\r\n", Said::NotSmtp),
            (b"100 news\r\n", Said::NotSmtp),
            (b"600 beyond\r\n", Said::NotSmtp),
            (b"999 beyond\r\n", Said::NotSmtp),
        ] {
            assert_eq!(said(bytes), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn without_a_code_only_a_plain_refusal_by_a_mail_server_counts() {
        for text in [
            "Your host is listed on an RBL; mail refused",
            "SMTP service unavailable",
            "You are not welcome to send mail here",
            "Mail from 192.0.2.99 rejected: blacklisted",
            "5.7.1 Client host blocked",
            "4.3.2 Too many connections",
            "Too many connections to this SMTP server, try again later",
            "MAIL SERVER: ACCESS DENIED",
            "2200 mail server: connection refused",
        ] {
            assert_eq!(said(text.as_bytes()), Said::Refusal, "{text}");
        }
        for bytes in [
            &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..],
            b"SSH-2.0-mail denied\r\n",
            b"HTTP/1.1 400 Bad Request\r\nServer: mail\r\n",
            b"HTTP/1.0 403 mail access denied\r\n",
            b"<html><title>mail access denied</title>\r\n",
            b"\x15\x03\x01\x00\x02\x02\x0a",
            b"\x16\x03\x01 mail denied\n",
            b"* OK [CAPABILITY IMAP4rev1] mail.example.org ready\r\n",
            b"* BYE mail access denied\r\n",
            b"+OK POP3 mail.example.org\r\n",
            b"-ERR mail access denied\r\n",
            b"Access denied\r\n",
            b"Connection refused\r\n",
            b"mail.example.org ESMTP Postfix\r\n",
            b"Welcome to our mail server\r\n",
            b"the mailman was denied entry\r\n",
            b"unlisted mail\r\n",
            b"2.0.0 mail.example.org\r\n",
            b"5.7.1\r\n",
            b"5.7.1234 no\r\n",
            b"10.0.19-MariaDB\0\r\n",
            b"2200 mail.example.org ESMTP\r\n",
            b"22 mail.example.org ESMTP\r\n",
            b"\xff\xfd\x18\xff\xfd\x20login: \n",
        ] {
            assert_eq!(said(bytes), Said::NotSmtp, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn enhanced_status_codes_are_three_numbers() {
        for word in ["2.0.0", "4.7.23", "5.7.999"] {
            assert!(is_enhanced_status(word.as_bytes()), "{word}");
        }
        for word in
            ["", "2", "2.0", "2.0.", "2..0", "3.0.0", "2.0.0.0", "2.0.0000", "2.a.0", "22.0.0", "2.0.0."]
        {
            assert!(!is_enhanced_status(word.as_bytes()), "{word}");
        }
    }
}
