//! Names as hosts say them and as DNS holds them.
//!
//! [`HostName`] is a name that follows the rules for hosts (RFC 952, RFC 1123 §2.1) in normal form: lower
//! case, no trailing dot, A-labels. [`DnsName`] is any name that fits a DNS message (RFC 1035 §3.1), bytes
//! and all: a PTR record may hold what no host would call itself. Knows no greeting and no record; asks
//! nobody.

use std::borrow::Borrow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// The longest host name in text form, in octets (RFC 1035 §2.3.4: 255 on the wire, less the length octets).
pub const MAX_HOST_NAME: usize = 253;
/// The longest label, in octets (RFC 1035 §2.3.4).
pub const MAX_LABEL: usize = 63;
/// The longest name on the wire, length octets and root included (RFC 1035 §2.3.4).
pub const MAX_WIRE_NAME: usize = 255;

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing between the ends.
    #[error("is empty")]
    Empty,
    /// Over [`MAX_HOST_NAME`].
    #[error("is longer than 253 octets")]
    TooLong,
    /// Two dots in a row, or a dot first.
    #[error("has an empty label")]
    EmptyLabel,
    /// Over [`MAX_LABEL`].
    #[error("has a label longer than 63 octets")]
    LabelTooLong,
    /// Something other than letters, digits and inner hyphens.
    #[error("has a character that no host name may hold")]
    BadCharacter,
    /// All digits at the end: an address, or meant as one (RFC 1123 §2.1).
    #[error("looks like an address")]
    Address,
    /// Not valid as an internationalised name (RFC 5891).
    #[error("is not a valid internationalised name")]
    Idna,
}

/// A host name in normal form: lower case, no trailing dot, A-labels; letters, digits and inner hyphens only.
///
/// One label is a host name too; [`HostName::is_qualified`] tells.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(Box<str>);

impl HostName {
    /// Reads a name as typed or as said; a trailing dot is taken off, U-labels become A-labels (RFC 5891).
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| NameError::Idna)?
        };
        check_host(&ascii)?;
        Ok(Self(ascii.into_boxed_str()))
    }

    /// The name in normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels, the leftmost first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether it has two labels or more.
    pub fn is_qualified(&self) -> bool {
        self.0.contains('.')
    }

    /// The registrable domain by the Public Suffix List, its private section included; `None` for a public
    /// suffix itself and for a single label.
    pub fn registrable(&self) -> Option<&str> {
        registrable(&self.0)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0.into_string()
    }
}

impl Borrow<str> for HostName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for HostName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// All of a name up to its first dot.
pub fn first_label(name: &str) -> &str {
    let end = name.bytes().position(|byte| byte == b'.').unwrap_or(name.len());
    &name[..end]
}

/// The registrable domain of a name in normal form (Public Suffix List, private section included).
pub fn registrable(name: &str) -> Option<&str> {
    psl::domain_str(name)
}

/// The octets of a host name's labels (RFC 952, RFC 1123 §2.1), by value: a scan looks at each octet of each
/// name.
static IN_LABEL: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0_u8;
    while octet < 128 {
        table[octet as usize] = octet.is_ascii_alphanumeric() || octet == b'-';
        octet += 1;
    }
    table
};

fn check_host(name: &str) -> Result<(), NameError> {
    if name.len() > MAX_HOST_NAME {
        return Err(NameError::TooLong);
    }
    let mut last: &[u8] = &[];
    for label in name.as_bytes().split(|&b| b == b'.') {
        let (Some(first), Some(end)) = (label.first(), label.last()) else {
            return Err(NameError::EmptyLabel);
        };
        if label.len() > MAX_LABEL {
            return Err(NameError::LabelTooLong);
        }
        if !label.iter().all(|&b| IN_LABEL[usize::from(b)]) || *first == b'-' || *end == b'-' {
            return Err(NameError::BadCharacter);
        }
        last = label;
    }
    if last.iter().all(u8::is_ascii_digit) {
        return Err(NameError::Address);
    }
    Ok(())
}

/// A name in DNS wire form (RFC 1035 §3.1), uncompressed, root octet included, ASCII letters in lower case.
///
/// Two names are equal when DNS holds them equal (RFC 4343). Clones share the bytes: one name stands in a
/// question, a cache, an answer and a record at once.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName(Arc<[u8]>);

impl DnsName {
    /// The root.
    pub fn root() -> Self {
        Self(Arc::from([0]))
    }

    /// Takes a whole uncompressed wire name; `None` if it is cut short, over-long, or holds a pointer.
    pub fn from_wire(wire: &[u8]) -> Option<Self> {
        let mut at = 0;
        loop {
            let length = usize::from(*wire.get(at)?);
            if length == 0 {
                break;
            }
            if length > MAX_LABEL {
                return None;
            }
            at += 1 + length;
        }
        if at + 1 != wire.len() || wire.len() > MAX_WIRE_NAME {
            return None;
        }
        let mut name = Arc::<[u8]>::from(wire);
        // Length octets are at most 63, so they are never letters. The bytes are not shared yet.
        Arc::get_mut(&mut name)?.make_ascii_lowercase();
        Some(Self(name))
    }

    /// The wire form of a host name.
    pub fn from_host(host: &HostName) -> Self {
        let mut wire = Vec::with_capacity(host.0.len() + 2);
        for label in host.labels() {
            // A label of a `HostName` holds at most 63 octets.
            wire.push(u8::try_from(label.len()).unwrap_or(0));
            wire.extend_from_slice(label.as_bytes());
        }
        wire.push(0);
        Self(wire.into())
    }

    /// Reads RFC 1035 §5.1 presentation form (`\.` and `\DDD` escapes), as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut wire = vec![0u8];
        let mut start = 0;
        let mut bytes = text.bytes();
        if text == "." {
            return Ok(Self::root());
        }
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        while let Some(byte) = bytes.next() {
            let value = match byte {
                b'.' => {
                    close_label(&mut wire, &mut start)?;
                    continue;
                }
                b'\\' => read_escape(&mut bytes)?,
                other => other.to_ascii_lowercase(),
            };
            wire.push(value);
        }
        if wire.len() > start + 1 {
            close_label(&mut wire, &mut start)?;
        }
        if wire.len() > MAX_WIRE_NAME {
            return Err(NameError::TooLong);
        }
        Ok(Self(wire.into()))
    }

    /// The name under which the PTR records of an address stand: `in-addr.arpa` (RFC 1035 §3.5) or `ip6.arpa`
    /// (RFC 3596 §2.5).
    pub fn reverse(ip: IpAddr) -> Self {
        // What a v6 address takes; a v4 one takes less than half.
        let mut room = [0; 74];
        let mut length = 0;
        let mut put = |bytes: &[u8]| {
            room[length..length + bytes.len()].copy_from_slice(bytes);
            length += bytes.len();
        };
        match ip {
            IpAddr::V4(v4) => {
                for octet in v4.octets().iter().rev() {
                    let (label, digits) = decimal_label(*octet);
                    put(&label[..=digits]);
                }
                put(b"\x07in-addr\x04arpa\0");
            }
            IpAddr::V6(v6) => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                for octet in v6.octets().iter().rev() {
                    for nibble in [octet & 15, octet >> 4] {
                        put(&[1, HEX[usize::from(nibble)]]);
                    }
                }
                put(b"\x03ip6\x04arpa\0");
            }
        }
        Self(Arc::from(&room[..length]))
    }

    /// The wire form, root octet included.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Whether this name is `lower` or stands above it.
    pub fn is_at_or_above(&self, lower: &Self) -> bool {
        std::iter::successors(Some(lower.clone()), Self::parent).any(|name| name == *self)
    }

    /// The name without its first label; `None` of the root.
    pub fn parent(&self) -> Option<Self> {
        let (&length, rest) = self.0.split_first()?;
        let rest = rest.get(usize::from(length)..).filter(|_| length > 0)?;
        Some(Self(Arc::from(rest)))
    }

    /// The labels, the leftmost first, without the root.
    pub fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (&length, tail) = rest.split_first()?;
            if length == 0 {
                return None;
            }
            let (label, after) = tail.split_at_checked(usize::from(length))?;
            rest = after;
            Some(label)
        })
    }

    /// The same name as a host name, if it is one.
    pub fn to_host(&self) -> Option<HostName> {
        let mut text = String::with_capacity(self.0.len());
        for label in self.labels() {
            if !label.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
                return None;
            }
            if !text.is_empty() {
                text.push('.');
            }
            text.extend(label.iter().map(|&b| char::from(b)));
        }
        HostName::parse(&text).ok()
    }
}

/// RFC 1035 §5.1 presentation form, without the final dot (the root is `.`): `\.` and `\\` for those two,
/// `\DDD` (decimal) for what is not printable ASCII, and for `;`, which stands between the names of a list.
impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        if self.0.len() <= 1 {
            return f.write_str(".");
        }
        for (index, label) in self.labels().enumerate() {
            if index > 0 {
                f.write_char('.')?;
            }
            let is_plain = |&byte: &u8| matches!(byte, 0x21..=0x7e) && !matches!(byte, b'.' | b'\\' | b';');
            if let Ok(plain) = std::str::from_utf8(label)
                && label.iter().all(is_plain)
            {
                f.write_str(plain)?;
                continue;
            }
            for &byte in label {
                match byte {
                    b'.' | b'\\' => {
                        f.write_char('\\')?;
                        f.write_char(char::from(byte))?;
                    }
                    b';' => f.write_str("\\059")?,
                    0x21..=0x7e => f.write_char(char::from(byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DnsName({self})")
    }
}

/// A label of one to three digits, its length octet first, and how many they are.
fn decimal_label(octet: u8) -> ([u8; 4], usize) {
    let [hundreds, tens, ones] = [b'0' + octet / 100, b'0' + octet / 10 % 10, b'0' + octet % 10];
    match octet {
        100.. => ([3, hundreds, tens, ones], 3),
        10.. => ([2, tens, ones, 0], 2),
        _ => ([1, ones, 0, 0], 1),
    }
}

fn close_label(wire: &mut Vec<u8>, start: &mut usize) -> Result<(), NameError> {
    let length = wire.len() - *start - 1;
    if length == 0 {
        return Err(NameError::EmptyLabel);
    }
    if length > MAX_LABEL {
        return Err(NameError::LabelTooLong);
    }
    wire[*start] = u8::try_from(length).map_err(|_| NameError::LabelTooLong)?;
    *start = wire.len();
    wire.push(0);
    Ok(())
}

fn read_escape(bytes: &mut std::str::Bytes<'_>) -> Result<u8, NameError> {
    let first = bytes.next().ok_or(NameError::BadCharacter)?;
    if !first.is_ascii_digit() {
        return Ok(first.to_ascii_lowercase());
    }
    let mut value = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit).ok_or(NameError::BadCharacter)?;
        value = value * 10 + u16::from(digit - b'0');
    }
    u8::try_from(value).map(|b| b.to_ascii_lowercase()).map_err(|_| NameError::BadCharacter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_read_into_normal_form() {
        for (typed, normal) in [
            ("mail.example.org", "mail.example.org"),
            ("MAIL.Example.ORG.", "mail.example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("1and1.example", "1and1.example"),
            ("192-0-2-1.dyn.example.net", "192-0-2-1.dyn.example.net"),
        ] {
            assert_eq!(HostName::parse(typed).unwrap().as_str(), normal, "{typed}");
        }
    }

    #[test]
    fn what_is_no_host_name_is_refused_with_the_reason() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = format!("{}example", "abcdefg.".repeat(32));
        for (typed, reason) in [
            ("", NameError::Empty),
            (".", NameError::Empty),
            ("a..b", NameError::EmptyLabel),
            (".a", NameError::EmptyLabel),
            (long_label.as_str(), NameError::LabelTooLong),
            (long_name.as_str(), NameError::TooLong),
            ("under_score.example", NameError::BadCharacter),
            ("-a.example", NameError::BadCharacter),
            ("a-.example", NameError::BadCharacter),
            ("%WPI_HOSTNAME%", NameError::BadCharacter),
            ("a b.example", NameError::BadCharacter),
            ("192.0.2.1", NameError::Address),
            ("1.2.3", NameError::Address),
        ] {
            assert_eq!(HostName::parse(typed), Err(reason), "{typed}");
        }
    }

    #[test]
    fn the_registrable_domain_follows_the_whole_public_suffix_list() {
        for (name, domain) in [
            ("mail.example.org", Some("example.org")),
            ("a.b.example.co.uk", Some("example.co.uk")),
            ("co.uk", None),
            ("localhost", None),
            ("shop.myshopify.com", Some("shop.myshopify.com")),
        ] {
            assert_eq!(HostName::parse(name).unwrap().registrable(), domain, "{name}");
        }
    }

    #[test]
    fn reverse_names_are_those_of_the_rfcs() {
        for (ip, name) in [
            ("192.0.2.10", "10.2.0.192.in-addr.arpa"),
            ("203.0.113.255", "255.113.0.203.in-addr.arpa"),
            ("2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
        ] {
            let reverse = DnsName::reverse(ip.parse().unwrap());
            assert_eq!(reverse.to_string(), name);
            assert_eq!(DnsName::from_wire(reverse.as_wire()), Some(reverse.clone()));
        }
    }

    #[test]
    fn presentation_form_is_decimal_and_comes_back() {
        let wire = b"\x04a\\.\xbb\0\0";
        assert_eq!(DnsName::from_wire(wire), None, "nothing stands behind the root");
        let wire = b"\x05A.\\\xbb\x00\x04Te;t\0";
        let name = DnsName::from_wire(wire).unwrap();
        assert_eq!(name.to_string(), r"a\.\\\187\000.te\059t");
        assert_eq!(DnsName::parse(&name.to_string()), Ok(name));
        assert_eq!(DnsName::parse("."), Ok(DnsName::root()));
        assert_eq!(DnsName::root().to_string(), ".");
    }

    #[test]
    fn broken_presentation_form_is_refused() {
        for text in ["", "a..b", r"a\", r"\25", r"\256.b", r"\2x5"] {
            assert!(DnsName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_dns_name_turns_into_a_host_name_only_if_it_is_one() {
        let host = HostName::parse("mail.example.org").unwrap();
        assert_eq!(DnsName::from_host(&host).to_host(), Some(host));
        assert_eq!(DnsName::parse("under_score.example").unwrap().to_host(), None);
        assert_eq!(DnsName::parse(r"a\.b.example").unwrap().to_host(), None);
        assert_eq!(DnsName::root().to_host(), None);
    }
}
