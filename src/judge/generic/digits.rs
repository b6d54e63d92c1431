//! The address in a name: runs of digits compared with octets, runs of hexadecimal digits with the whole.

use std::net::Ipv6Addr;

use super::Form;

/// The most runs of decimal digits that a name is searched for: more hold no address.
const MOST_RUNS: usize = 24;

/// A run of decimal digits and where it stands.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    /// The value, saturated.
    value: u64,
    start: usize,
    end: usize,
}

/// The runs of decimal digits in a name, and the name.
pub(super) struct Runs<'a> {
    text: &'a str,
    found: [Run; MOST_RUNS],
    length: usize,
}

impl<'a> Runs<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let mut runs = Self { text, found: [Run::default(); MOST_RUNS], length: 0 };
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() && runs.length < MOST_RUNS {
            if !bytes[at].is_ascii_digit() {
                at += 1;
                continue;
            }
            let start = at;
            let mut value = 0u64;
            while at < bytes.len() && bytes[at].is_ascii_digit() {
                value = value.saturating_mul(10).saturating_add(u64::from(bytes[at] - b'0'));
                at += 1;
            }
            runs.found[runs.length] = Run { value, start, end: at };
            runs.length += 1;
        }
        runs
    }

    /// How much of an address the name holds.
    pub(super) fn form_of_v4(&self, octets: [u8; 4]) -> Form {
        let wanted = octets.map(u64::from);
        let mut reversed = wanted;
        reversed.reverse();
        let runs = &self.found[..self.length];
        let holds = |values: &[u64]| runs.windows(values.len()).any(|window| self.are(window, values));
        if holds(&wanted) {
            Form::Decimal
        } else if holds(&reversed) {
            Form::Reversed
        } else if holds_hex(self.text, octets) {
            Form::Hex
        } else if self.is_padded(octets) || self.is_number(octets) {
            Form::Packed
        } else if holds(&wanted[1..]) || holds(&reversed[..3]) || holds(&wanted[2..]) || holds(&reversed[..2])
        {
            Form::Partial
        } else {
            Form::None
        }
    }

    /// Whether the first three octets stand in the last label but one: `ip-192-0-2.example`.
    pub(super) fn starts_with_block(&self, octets: [u8; 4]) -> bool {
        let block = [u64::from(octets[0]), u64::from(octets[1]), u64::from(octets[2])];
        self.found[..self.length].windows(3).any(|window| self.are(window, &block))
    }

    /// Whether neighbouring runs hold the values, with one separator or a few letters between them.
    fn are(&self, window: &[Run], values: &[u64]) -> bool {
        window.iter().zip(values).all(|(run, value)| run.value == *value && run.end - run.start <= 3)
            && window.windows(2).all(|pair| self.is_separator(pair[0].end, pair[1].start, values.len()))
    }

    /// Two octets alone need one separator between them; with three or four, a few letters may stand there.
    fn is_separator(&self, from: usize, to: usize, octets: usize) -> bool {
        let between = &self.text.as_bytes()[from..to];
        match octets {
            2 => matches!(between, b"-" | b"." | b"x" | b"_"),
            _ => between.len() <= 4,
        }
    }

    /// `192000002001`, `001002000192`: each octet in three digits; or the last two or three so.
    fn is_padded(&self, octets: [u8; 4]) -> bool {
        let padded = |of: &[u8]| of.iter().fold(0u64, |value, octet| value * 1000 + u64::from(*octet));
        let [a, b, c, d] = octets;
        let whole = [padded(&[a, b, c, d]), padded(&[d, c, b, a])];
        let digits = |run: &Run| run.end - run.start;
        self.found[..self.length].iter().any(|run| match digits(run) {
            12 => whole.contains(&run.value),
            9 => run.value == padded(&[b, c, d]),
            _ => false,
        })
    }

    /// The address as one number.
    fn is_number(&self, octets: [u8; 4]) -> bool {
        let number = u64::from(u32::from_be_bytes(octets));
        let one_number = |run: &Run| run.value == number && run.end - run.start >= 8;
        self.found[..self.length].iter().any(one_number)
    }
}

/// Whether a run of letters and digits is the address in eight hexadecimal digits, either way round; a prefix
/// of letters that are no such digits may stand before it (`ip`, `h`, `x`).
fn holds_hex(text: &str, octets: [u8; 4]) -> bool {
    let mut reversed = octets;
    reversed.reverse();
    let number = u32::from_be_bytes(octets);
    let backward = u32::from_be_bytes(reversed);
    let runs =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| run.len() >= 8 && run.is_ascii());
    runs.into_iter().any(|run| {
        let (prefix, digits) = run.split_at(run.len() - 8);
        let ends_prefix = prefix.bytes().last().is_none_or(|b| !b.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16);
        ends_prefix && value.is_ok_and(|value| value == number || value == backward)
    })
}

/// How much of an IPv6 address a name holds.
pub(super) fn form_of_v6(host: &str, ip: Ipv6Addr) -> Form {
    if holds_nibbles(host, ip) {
        return Form::Reversed;
    }
    if holds_all_digits(host, ip) {
        return Form::Hex;
    }
    if host.split('.').any(|label| is_compressed(label, ip)) {
        return Form::Decimal;
    }
    if holds_groups(host, ip) { Form::Partial } else { Form::None }
}

/// `1.0.0.0.….8.b.d.0.1.0.0.2`: at least the last sixteen digits, last first, one a label; or first first.
fn holds_nibbles(host: &str, ip: Ipv6Addr) -> bool {
    const ENOUGH: usize = 16;
    let digits: Vec<u8> = ip.octets().iter().flat_map(|octet| [octet >> 4, octet & 15]).collect();
    let single = |part: &str| {
        let bytes = part.as_bytes();
        if bytes.len() == 1 { char::from(bytes[0]).to_digit(16) } else { None }
    };
    let mut forward = 0;
    let mut backward = 0;
    for part in host.split(['.', '-']) {
        let Some(digit) = single(part) else {
            (forward, backward) = (0, 0);
            continue;
        };
        let is = |at: Option<&u8>| at.is_some_and(|wanted| u32::from(*wanted) == digit);
        forward = if is(digits.get(forward)) { forward + 1 } else { usize::from(is(digits.first())) };
        backward = if backward < 32 && is(digits.get(31 - backward)) {
            backward + 1
        } else {
            usize::from(is(digits.last()))
        };
        if forward >= ENOUGH || backward >= ENOUGH {
            return true;
        }
    }
    false
}

/// All 32 hexadecimal digits in one run, or the eight groups written out with a separator; or the last
/// sixteen digits.
fn holds_all_digits(host: &str, ip: Ipv6Addr) -> bool {
    let whole = format!("{:032x}", u128::from(ip));
    host.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.ends_with(&whole) || run == &whole[16..])
}

/// `2001-db8--1`: the usual form with hyphens, whatever stands before it.
fn is_compressed(label: &str, ip: Ipv6Addr) -> bool {
    let is = |text: &str| text.replace('-', ":").parse::<Ipv6Addr>().is_ok_and(|read| read == ip);
    if label.matches('-').count() < 2 {
        return false;
    }
    is(label) || label.match_indices('-').any(|(at, _)| is(&label[at + 1..]))
}

/// At least four groups of the address, one behind the other, with hyphens or dots between: `0-0-0-1`,
/// `db8-1-2-3`.
fn holds_groups(host: &str, ip: Ipv6Addr) -> bool {
    const ENOUGH: usize = 4;
    let groups = ip.segments();
    let parts: Vec<Option<u16>> = host
        .split(['.', '-'])
        .map(|part| if part.len() <= 4 { u16::from_str_radix(part, 16).ok() } else { None })
        .collect();
    // Groups of zeros alone are in every short address, and in no name for long.
    let telling = |window: &[u16]| window.iter().filter(|group| **group != 0).count() >= 2;
    groups.windows(ENOUGH).filter(|window| telling(window)).any(|window| {
        parts.windows(ENOUGH).any(|parts| parts.iter().zip(window).all(|(part, group)| *part == Some(*group)))
    })
}
