//! What one word of a greeting is: a host name, a label, an address, or none of these.

use std::net::IpAddr;

use crate::name::{HostName, MAX_HOST_NAME};

/// The longest word that is looked at, in octets: a host name, its brackets and what stands around it.
const MAX_WORD: usize = MAX_HOST_NAME + 16;

/// One word; names are in normal form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A host name with a dot.
    Host(String),
    /// A host name without.
    Label(String),
    /// A name that no host may have.
    Odd(String),
    /// An address in square brackets.
    Literal(IpAddr),
    /// An address.
    Bare(IpAddr),
    /// None of these.
    Other,
}

impl Word {
    /// Takes brackets, quotes and punctuation off a word and says what it is.
    pub(super) fn read(word: &[u8]) -> Self {
        // Most words hold nothing to take off, and no address, variable or underscore: a look at each octet
        // tells.
        if word.len() <= MAX_WORD
            && word.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
            && word.iter().any(u8::is_ascii_alphabetic)
        {
            let host = std::str::from_utf8(word).ok().and_then(|word| HostName::parse(word).ok());
            return host.map_or(Self::Other, Self::of_host);
        }
        let Some(word) = std::str::from_utf8(word).ok().filter(|word| word.len() <= MAX_WORD) else {
            return Self::Other;
        };
        let bracketed = word.trim_matches(is_punctuation);
        let bracketed =
            bracketed.strip_suffix('.').filter(|word| word.ends_with(is_bracket)).unwrap_or(bracketed);
        // `<id@host>`, as in the message ids that mail servers mint (RFC 5322 §3.6.4).
        let inner = match bracketed.strip_prefix('<').and_then(|id| id.rsplit_once('@')) {
            Some((_, host)) => host,
            None => bracketed,
        };
        let bare = inner.trim_matches(is_bracket).trim_matches(is_punctuation);
        if let Some(ip) = address(word).or_else(|| address(bare)) {
            return if bracketed.starts_with('[') { Self::Literal(ip) } else { Self::Bare(ip) };
        }
        if is_unset(bracketed) {
            return Self::Odd(bracketed.to_ascii_lowercase());
        }
        if let Ok(host) = HostName::parse(bare) {
            return Self::of_host(host);
        }
        match odd(bracketed, bare) {
            Some(name) => Self::Odd(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()),
            None => Self::Other,
        }
    }

    fn of_host(host: HostName) -> Self {
        if host.is_qualified() { Self::Host(host.into()) } else { Self::Label(host.into()) }
    }
}

/// A word as an address: bare, or as in an address literal (RFC 5321 §4.1.3) with or without its tag.
fn address(word: &str) -> Option<IpAddr> {
    let inner = word.trim_matches(is_bracket);
    let tag = inner.get(..5).filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    inner[tag.map_or(0, str::len)..].parse().ok()
}

/// The part of a word that is a name no host may have, as far as such names are met in the field.
fn odd<'a>(bracketed: &'a str, bare: &'a str) -> Option<&'a str> {
    let is_odd = |text: &&str| is_variable(text) || is_shell_variable(text);
    let is_other = |text: &&str| is_odd(text) || is_wildcard(text) || is_underscored(text);
    Some(bracketed).filter(is_odd).or_else(|| Some(bare).filter(is_other))
}

/// What Linux shows for a domain that nobody set.
fn is_unset(word: &str) -> bool {
    let Some((host, unset)) = word.len().checked_sub("(none)".len()).and_then(|at| word.split_at_checked(at))
    else {
        return false;
    };
    let is_host =
        || host.is_empty() || host.strip_suffix('.').is_some_and(|host| HostName::parse(host).is_ok());
    unset.eq_ignore_ascii_case("(none)") && is_host()
}

fn is_wildcard(word: &str) -> bool {
    word.strip_prefix("*.").is_some_and(|domain| HostName::parse(domain).is_ok())
}

/// A host name but for its underscores.
fn is_underscored(word: &str) -> bool {
    word.contains('_')
        && word.bytes().any(|b| b.is_ascii_alphanumeric())
        && word.bytes().all(is_host_byte)
        && HostName::parse(&word.replace('_', "x")).is_ok()
}

/// Whether a word holds a variable that a template left unexpanded, with nothing but what names are made of
/// around it: `%HOST%`, `${HOST}`, `$(host)`, `{{host}}`, `` `host` ``.
fn is_variable(word: &str) -> bool {
    let holds = |open: &str, close: &str| {
        word.split_once(open).and_then(|(_, tail)| tail.split_once(close)).is_some_and(|(inside, _)| {
            inside.bytes().any(|b| b.is_ascii_alphanumeric()) && inside.bytes().all(is_host_byte)
        })
    };
    word.bytes().all(is_template_byte)
        && (holds("%", "%") || holds("${", "}") || holds("$(", ")") || holds("{{", "}}") || holds("`", "`"))
}

/// Whether a word is one of the forms that stand where nobody set a name: a variable, or what Linux says.
pub(super) fn is_template(word: &str) -> bool {
    is_variable(word) || word == "(none)"
}

/// Whether punctuation clings to a word, as to one of a sentence. Brackets are none: servers put names into
/// them.
pub(super) fn has_punctuation(word: &[u8]) -> bool {
    let is_edge = |b: Option<&u8>| {
        b.is_some_and(|b| matches!(b, b',' | b';' | b':' | b'!' | b'?' | b'"' | b'\'' | b'.'))
    };
    let is_bracket = |b: &u8| matches!(b, b'[' | b']' | b'(' | b')' | b'<' | b'>');
    let start = word.iter().position(|b| !is_bracket(b)).unwrap_or(word.len());
    let end = word.iter().rposition(|b| !is_bracket(b)).map_or(start, |at| at + 1);
    is_edge(word.first())
        || is_edge(word.last())
        || is_edge(word.get(start))
        || is_edge(word[start..end].last())
}

/// `$host`: no template, yet Postfix shows it when its quotes were single ones.
fn is_shell_variable(word: &str) -> bool {
    word.strip_prefix('$').is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        && word.bytes().all(is_template_byte)
}

fn is_template_byte(b: u8) -> bool {
    is_host_byte(b) || matches!(b, b'%' | b'$' | b'{' | b'}' | b'(' | b')' | b'`')
}

/// Letters, digits, hyphens and dots, and the underscore that does not belong.
fn is_host_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')
}

fn is_bracket(c: char) -> bool {
    matches!(c, '[' | ']' | '(' | ')' | '<' | '>')
}

fn is_punctuation(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | '!' | '"' | '\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let host = |name: &str| Word::Host(name.to_owned());
        let label = |name: &str| Word::Label(name.to_owned());
        let odd = |name: &str| Word::Odd(name.to_owned());
        let literal = |ip: &str| Word::Literal(ip.parse().unwrap());
        let bare = |ip: &str| Word::Bare(ip.parse().unwrap());
        for (word, expected) in [
            ("Mail.Example.ORG", host("mail.example.org")),
            ("mail.example.org.", host("mail.example.org")),
            ("[mail.example.org]", host("mail.example.org")),
            ("[mail.example.org].", host("mail.example.org")),
            ("(mail.example.org)", host("mail.example.org")),
            ("(mail.example.org):", host("mail.example.org")),
            ("\"mail.example.org\",", host("mail.example.org")),
            ("<1234.56@mail.example.org>", host("mail.example.org")),
            ("<mail.example.org>", host("mail.example.org")),
            ("bücher.example", host("xn--bcher-kva.example")),
            ("192-0-2-1.example.net", host("192-0-2-1.example.net")),
            ("Foo", label("foo")),
            ("Welcome.", label("welcome")),
            ("[192.0.2.1]", literal("192.0.2.1")),
            ("[IPv6:2001:db8::1]", literal("2001:db8::1")),
            ("[ipv6:2001:DB8::1],", literal("2001:db8::1")),
            ("[2001:db8::1]", literal("2001:db8::1")),
            ("192.0.2.1", bare("192.0.2.1")),
            ("192.0.2.1,", bare("192.0.2.1")),
            ("(192.0.2.1)", bare("192.0.2.1")),
            ("2001:db8::1", bare("2001:db8::1")),
            ("::1", bare("::1")),
            ("%WPI_HOSTNAME%", odd("%wpi_hostname%")),
            ("mail.%DOMAIN%", odd("mail.%domain%")),
            ("${HOST}.example.org", odd("${host}.example.org")),
            ("$(hostname)", odd("$(hostname)")),
            ("{{inventory_hostname}}", odd("{{inventory_hostname}}")),
            ("`hostname`", odd("`hostname`")),
            ("$myhostname", odd("$myhostname")),
            ("[%HOST%]", odd("%host%")),
            ("*.Example.org", odd("*.example.org")),
            ("mail_1.example.org", odd("mail_1.example.org")),
            ("WIN_SRV", odd("win_srv")),
            ("(none)", odd("(none)")),
            ("localhost.(none)", odd("localhost.(none)")),
        ] {
            assert_eq!(Word::read(word.as_bytes()), expected, "{word}");
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = "a.".repeat(200);
        for word in [
            "",
            ".",
            "[]",
            "<>",
            "()",
            "...",
            "a..b",
            "-",
            "-a.example",
            "a-.example",
            "1.2.3",
            "4.96",
            "2.0.0",
            "192.0.2.256",
            "192.0.2.1/24",
            "12345",
            "user@example.org",
            "http://mail.example.org/",
            "https://mailinabox.email/)",
            "mail.example.org/esmtp",
            "8.15.2/8.15.2;",
            "100%",
            "%",
            "%%",
            "% %",
            "$",
            "$5",
            "${}",
            "{{}}",
            "``",
            "_",
            "__",
            "_.._",
            "*",
            "*.",
            "*.*",
            "*mail.example.org",
            "\u{1b}[31mmail.example.org",
            "mail.example.org\u{7f}",
            "mail\u{202e}.example.org",
            long.as_str(),
            longer.as_str(),
        ] {
            assert_eq!(Word::read(word.as_bytes()), Word::Other, "{word}");
        }
        assert_eq!(Word::read(b"mail\xfc.example.org"), Word::Other, "Latin-1");
    }
}
