//! One line or argument read into an [`Entry`]. Knows no file, no CSV and no other line.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::name::{HostName, NameError};
use crate::prefix::{self, AddressError, Prefix, PrefixError};
use crate::targets::Inventory;

/// What one line asks for. [`fmt::Display`] writes its normal form, which reads back as the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One address.
    Address(IpAddr),
    /// All addresses of a prefix.
    Prefix(Prefix),
    /// All addresses from the first to the last, both included; one family, in ascending order.
    Range(IpAddr, IpAddr),
    /// The addresses of a host name.
    Host(HostName),
    /// The addresses of the mail servers of a domain (its MX hosts).
    Mx(HostName),
    /// All prefixes that an autonomous system announces.
    Asn(u32),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(ip) => ip.fmt(f),
            Self::Prefix(prefix) => prefix.fmt(f),
            Self::Range(first, last) => write!(f, "{first}-{last}"),
            Self::Host(name) => name.fmt(f),
            Self::Mx(domain) => write!(f, "mx:{domain}"),
            Self::Asn(number) => write!(f, "AS{number}"),
        }
    }
}

/// What one line asks for, and what its author said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is asked for.
    pub kind: Kind,
    /// The further columns of a CSV row; shared by all targets of the entry.
    pub inventory: Option<Arc<Inventory>>,
}

impl From<Kind> for Entry {
    fn from(kind: Kind) -> Self {
        Self { kind, inventory: None }
    }
}

/// What is wrong with a target; the sentence goes on behind the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Neither an address nor a name.
    #[error("is empty")]
    Empty,
    /// Digits and dots, or colons, that make no address.
    #[error("is not an address: {0}")]
    Address(AddressError),
    /// A prefix that is none.
    #[error("{0}")]
    Prefix(PrefixError),
    /// A host name that is none.
    #[error("is not a host name: it {0}")]
    Name(NameError),
    /// Behind `mx:` stands no domain.
    #[error("asks for the mail servers of what is no domain: it {0}")]
    Mx(NameError),
    /// `b-a`.
    #[error("is a range that ends before it starts; write `{1}-{0}`")]
    RangeReversed(IpAddr, IpAddr),
    /// `192.0.2.1-2001:db8::1`.
    #[error("is a range from one address family into the other")]
    RangeFamilies,
    /// `192.0.2.1-`, `2001:db8::1-9`.
    #[error("is a range without a whole last address; write `192.0.2.10-192.0.2.20`")]
    RangeEnd,
    /// `host:25`, `[::1]:25`.
    #[error("has a port; leave it off and set the ports of the scan with `--port`")]
    Port,
    /// Brackets that hold no address.
    #[error("has a bracket; write the address alone")]
    Bracket,
    /// `https://…`.
    #[error("is a URL; write the host alone")]
    Url,
    /// `user@example.org`.
    #[error("is a mail address; for the mail servers of its domain write `mx:{0}`")]
    Mailbox(HostName),
    /// A prefix or a range with blanks around its `/` or `-`; the same without.
    #[error("holds blanks; write `{0}`")]
    Blanks(String),
    /// A name without its domain.
    #[error("is one label, and no host can be found by that; write the whole name, as `mail.example.org`")]
    OneLabel,
    /// The same on the first line of a list.
    #[error(
        "is one label: write a host name whole, as `mail.example.org`, or, if this is a header, call the column \
         `target`"
    )]
    LoneLabel,
    /// Two words, or a list within a line.
    #[error("holds more than one target; write one a line")]
    Several,
    /// `AS4294967296`.
    #[error("is not the number of an autonomous system; write `AS64500`")]
    Asn,
    /// Over [`crate::targets::MAX_LINE`].
    #[error("is longer than 4096 bytes")]
    TooLong,
    /// Bytes that are no text.
    #[error("is not UTF-8; save the list as UTF-8 text")]
    NotUtf8,
    /// A zero byte: a binary file, or UTF-16.
    #[error("holds a NUL byte; save the list as UTF-8 text")]
    Nul,
    /// A CSV row with another number of columns than its header.
    #[error("stands in a row of {found} columns where the header has {header}")]
    Columns {
        /// In the row.
        found: usize,
        /// In the header.
        header: usize,
    },
    /// The `expected_name` of a CSV row.
    #[error("is no name that a host can be expected to have: it {0}")]
    ExpectedName(NameError),
    /// The `tenancy` of a CSV row.
    #[error("is no tenancy; write `shared` or `dedicated`, or leave it empty")]
    Tenancy,
    /// The `helo_name` of a CSV row.
    #[error("is no HELO name: it is longer than 255 octets or holds a control character")]
    HeloName,
}

/// Reads one target as typed: no blanks around it, no comment.
pub fn parse(text: &str) -> Result<Kind, LineError> {
    if text.is_empty() {
        return Err(LineError::Empty);
    }
    if text.contains("://") {
        return Err(LineError::Url);
    }
    if text.contains(|c: char| c.is_whitespace() || c == ',' || c == ';') {
        return Err(without_blanks(text).map_or(LineError::Several, LineError::Blanks));
    }
    if let Some(domain) = strip_word(text, "mx:") {
        return HostName::parse(domain).map(Kind::Mx).map_err(LineError::Mx);
    }
    if let Some(number) = strip_word(text, "as").filter(|rest| is_number(rest)) {
        return number.parse().map(Kind::Asn).map_err(|_| LineError::Asn);
    }
    if let Some((_, domain)) = text.split_once('@') {
        return Err(HostName::parse(domain).map_or_else(LineError::Name, LineError::Mailbox));
    }
    if text.contains(['[', ']']) {
        return parse_bracketed(text);
    }
    if text.contains('/') {
        return Prefix::parse(text).map(Kind::Prefix).map_err(|wrong| prefix_error(text, wrong));
    }
    if let Some((first, last)) = text.split_once('-')
        && is_numeric(first)
        && (is_numeric(last) || last.is_empty())
    {
        return parse_range(first, last);
    }
    if has_port(text) {
        return Err(LineError::Port);
    }
    if is_numeric(text) {
        return prefix::parse_address(text).map(Kind::Address).map_err(LineError::Address);
    }
    let host = HostName::parse(text).map_err(LineError::Name)?;
    // In normal form it may be no name any more: `AS64500.`, or wide digits.
    if host.as_str() != text {
        return parse(host.as_str());
    }
    if host.is_qualified() { Ok(Kind::Host(host)) } else { Err(LineError::OneLabel) }
}

/// A prefix or a range whose only fault is that there are blanks around its `/` or `-`; a dash of print
/// counts as `-`.
fn without_blanks(text: &str) -> Option<String> {
    let text = text.replace(['\u{2013}', '\u{2014}'], "-");
    let mark = text.find(['-', '/'])?;
    let (first, last) = (text[..mark].trim(), text[mark + 1..].trim());
    let joined = format!("{first}{}{last}", &text[mark..=mark]);
    if joined.contains(|c: char| c.is_whitespace() || c == ',' || c == ';') {
        return None;
    }
    matches!(parse(&joined), Ok(Kind::Prefix(_) | Kind::Range(..))).then_some(joined)
}

fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(rest)
}

/// Digits and dots, or anything with a colon: meant as an address, or as the short end of a range.
fn is_numeric(text: &str) -> bool {
    let dotted = |b: u8| b.is_ascii_digit() || b == b'.';
    text.contains(':') || !text.is_empty() && text.bytes().all(dotted)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// One colon: no IPv6 address has only one.
fn has_port(text: &str) -> bool {
    let Some((host, port)) = text.split_once(':') else { return false };
    !host.is_empty() && !port.contains(':') && port.bytes().all(|b| b.is_ascii_digit())
}

fn parse_bracketed(text: &str) -> Result<Kind, LineError> {
    let Some((inner, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) else {
        return Err(LineError::Bracket);
    };
    match rest.strip_prefix(':') {
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => Err(LineError::Port),
        None if rest.is_empty() => {
            prefix::parse_address(inner).map(Kind::Address).map_err(LineError::Address)
        }
        _ => Err(LineError::Bracket),
    }
}

fn prefix_error(text: &str, wrong: PrefixError) -> LineError {
    let address = text.split('/').next().unwrap_or_default();
    match wrong {
        // `example.org/24` is no attempt at an address.
        PrefixError::Address(_) if !is_numeric(address) => LineError::Name(NameError::BadCharacter),
        PrefixError::Address(wrong) => LineError::Address(wrong),
        other => LineError::Prefix(other),
    }
}

fn parse_range(first: &str, last: &str) -> Result<Kind, LineError> {
    let start = prefix::parse_address(first).map_err(LineError::Address)?;
    let end = match (start, last.parse::<u8>()) {
        // `192.0.2.10-20`: nothing else can be meant, for no top-level domain is all digits.
        (IpAddr::V4(start), Ok(octet)) if *last == octet.to_string() => {
            let [a, b, c, _] = start.octets();
            IpAddr::from([a, b, c, octet])
        }
        _ if last.contains(['.', ':']) => prefix::parse_address(last).map_err(LineError::Address)?,
        _ => return Err(LineError::RangeEnd),
    };
    if start.is_ipv4() != end.is_ipv4() {
        return Err(LineError::RangeFamilies);
    }
    if end < start {
        return Err(LineError::RangeReversed(start, end));
    }
    Ok(if start == end { Kind::Address(start) } else { Kind::Range(start, end) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_is_read_into_its_normal_form() {
        for (typed, normal) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7/32", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("192.0.2.10-192.0.2.20", "192.0.2.10-192.0.2.20"),
            ("192.0.2.10-20", "192.0.2.10-192.0.2.20"),
            ("192.0.2.10-192.0.2.10", "192.0.2.10"),
            ("2001:DB8::1-2001:db8::ff", "2001:db8::1-2001:db8::ff"),
            ("2001:db8:0:0::/120", "2001:db8::/120"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[192.0.2.1]", "192.0.2.1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:192.0.2.1-::ffff:192.0.2.9", "192.0.2.1-192.0.2.9"),
            ("::", "::"),
            ("Mail.Example.ORG.", "mail.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("192.0.2.10-20.example.net", "192.0.2.10-20.example.net"),
            ("mx:example.org", "mx:example.org"),
            ("MX:Example.org.", "mx:example.org"),
            ("AS64500", "AS64500"),
            ("as0", "AS0"),
            ("AS64500.", "AS64500"),
            ("\u{ff21}\u{ff33}64500", "AS64500"),
            ("as-1.example", "as-1.example"),
            ("mx.example.org", "mx.example.org"),
        ] {
            let kind = parse(typed).map_err(|e| format!("{typed}: {e}")).unwrap();
            assert_eq!(kind.to_string(), normal, "{typed}");
            assert_eq!(parse(normal), Ok(kind), "{typed}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused_with_the_reason() {
        for (typed, reason) in [
            ("", "is empty"),
            ("1.2.3", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("256.0.0.1", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("1.2.3.4.", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("2001:db8:::1", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("3221226015", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("0x7f.1", "is not a host name: it looks like an address"),
            (
                "010.0.0.1",
                "is not an address: an octet has a leading zero, which some programs read as octal; write it without",
            ),
            (
                "fe80::1%eth0",
                "is not an address: a zone (`%…`) means something on one machine only; leave it off",
            ),
            ("10.0.0.0/33", "has a length over 32"),
            ("2001:db8::/129", "has a length over 128"),
            ("192.0.2.5/24", "has bits set behind the prefix; the network is `192.0.2.0/24`"),
            ("192.0.2.0/", "has no length behind the `/`"),
            ("192.0.2/24", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("example.org/24", "is not a host name: it has a character that no host name may hold"),
            ("192.0.2.20-192.0.2.10", "is a range that ends before it starts; write `192.0.2.10-192.0.2.20`"),
            ("192.0.2.20-10", "is a range that ends before it starts; write `192.0.2.10-192.0.2.20`"),
            ("192.0.2.1-2001:db8::1", "is a range from one address family into the other"),
            ("::ffff:192.0.2.1-2001:db8::1", "is a range from one address family into the other"),
            ("192.0.2.1-", "is a range without a whole last address; write `192.0.2.10-192.0.2.20`"),
            ("192.0.2.1-256", "is a range without a whole last address; write `192.0.2.10-192.0.2.20`"),
            ("192.0.2.1-020", "is a range without a whole last address; write `192.0.2.10-192.0.2.20`"),
            ("2001:db8::1-9", "is a range without a whole last address; write `192.0.2.10-192.0.2.20`"),
            ("192.0.2.1-3.9", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("192.0.2.7:25", "has a port; leave it off and set the ports of the scan with `--port`"),
            ("mail.example.org:25", "has a port; leave it off and set the ports of the scan with `--port`"),
            ("[::1]:25", "has a port; leave it off and set the ports of the scan with `--port`"),
            ("[2001:db8::1", "has a bracket; write the address alone"),
            ("[2001:db8::]/64", "has a bracket; write the address alone"),
            ("[mail.example.org]", "is not an address: write it as `192.0.2.7` or `2001:db8::7`"),
            ("smtp://mail.example.org", "is a URL; write the host alone"),
            ("a@example.org", "is a mail address; for the mail servers of its domain write `mx:example.org`"),
            ("a.example b.example", "holds more than one target; write one a line"),
            ("192.0.2.1 - 192.0.2.9", "holds blanks; write `192.0.2.1-192.0.2.9`"),
            ("192.0.2.1 -192.0.2.9", "holds blanks; write `192.0.2.1-192.0.2.9`"),
            ("192.0.2.1 \u{2013} 9", "holds blanks; write `192.0.2.1-9`"),
            ("192.0.2.0 / 24", "holds blanks; write `192.0.2.0/24`"),
            ("2001:db8::1 - 2001:db8::9", "holds blanks; write `2001:db8::1-2001:db8::9`"),
            ("192.0.2.1 - 192.0.2.9 x", "holds more than one target; write one a line"),
            ("192.0.2.9 - 192.0.2.1", "holds more than one target; write one a line"),
            (
                "saddr",
                "is one label, and no host can be found by that; write the whole name, as `mail.example.org`",
            ),
            (
                "Host-7.",
                "is one label, and no host can be found by that; write the whole name, as `mail.example.org`",
            ),
            ("192.0.2.1,192.0.2.2", "holds more than one target; write one a line"),
            ("mx:", "asks for the mail servers of what is no domain: it is empty"),
            ("mx:192.0.2.1", "asks for the mail servers of what is no domain: it looks like an address"),
            ("AS4294967296", "is not the number of an autonomous system; write `AS64500`"),
            ("a..example", "is not a host name: it has an empty label"),
            ("under_score.example", "is not a host name: it has a character that no host name may hold"),
            ("192.0.2.*", "is not a host name: it has a character that no host name may hold"),
            ("１９２.0.2.1", "is not a host name: it looks like an address"),
        ] {
            match parse(typed) {
                Ok(kind) => panic!("`{typed}` was read as {kind:?}"),
                Err(wrong) => assert_eq!(wrong.to_string(), reason, "{typed}"),
            }
        }
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            if let Ok(kind) = parse(&text) {
                prop_assert_eq!(parse(&kind.to_string()), Ok(kind));
            }
        }

        #[test]
        fn near_misses_are_read_or_refused(text in "[0-9a-f.:/\\-\\[\\]%@mxAS]{0,24}") {
            if let Ok(kind) = parse(&text) {
                prop_assert_eq!(parse(&kind.to_string()), Ok(kind));
            }
        }
    }
}
