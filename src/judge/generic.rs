//! PTR names that look assigned by the provider: the address in the name, or a word of access networks and
//! hosting.
//!
//! Only the part to the left of the registrable domain counts: `dynamic.example` may call itself what it
//! likes. In a private suffix (`compute.amazonaws.com`) the label before it is the provider's choice and
//! counts too. In a domain whose names a provider gives to its customers, a number is enough, or a word for a
//! customer alone.
//!
//! A name that says that nobody set one (`no-rdns`, `reverse-dns-not-set`, `undefined`), one that says what
//! was rented and no more (`hosted-by`, `dedicated-server`), a serial number (`v220240412345678901`) and the
//! domain of a network alone need no address.
//!
//! A mail word (`mail`, `mx`, `smtp`, `out`, …) excuses an address and words as `pool` and `static`, for
//! senders number their hosts by address and keep pools of them; it does not excuse a word of DSL, dial-up
//! and dynamic lines.
//!
//! For 192.0.2.1: `192-0-2-1.a.example`, `host-1.2.0.192.a.example`, `192000002001.a.example`,
//! `c0000201.a.example`, `x-2-1.a.example`, `dsl-7.a.example` are generic; `mail-192-0-2-1.a.example`,
//! `web2.a.example`, `a1.a.example` are not.

mod digits;
mod words;

use std::fmt;
use std::net::IpAddr;

use super::providers::Providers;
use digits::Runs;
use words::{Need, Words};

/// What kind of network a generic name tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// An address that changes hands: dial-up, DSL, cable, DHCP.
    Dynamic,
    /// A pool of addresses.
    Pool,
    /// A fixed address of a customer.
    Static,
    /// A virtual machine of a cloud.
    Cloud,
    /// A server of a hoster.
    Hosting,
    /// A stand-in for a name that nobody set.
    Unset,
    /// A serial number.
    Serial,
    /// Nothing but the address.
    Unnamed,
}

/// How much of the address the name holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// All of it, decimal.
    Decimal,
    /// All of it, decimal, last octet first.
    Reversed,
    /// All of it, as hexadecimal digits.
    Hex,
    /// All of it, as one number or as digits without separators.
    Packed,
    /// At least the last two octets or the last four groups.
    Partial,
    /// Nothing.
    None,
}

/// By what a name looks assigned by the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sign {
    /// The kind of network.
    pub class: Class,
    /// The address in the name.
    pub form: Form,
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Decimal => Some("the address in decimal"),
            Form::Reversed => Some("the address, its end first"),
            Form::Hex => Some("the address in hexadecimal"),
            Form::Packed => Some("the address as one number"),
            Form::Partial => Some("a part of the address"),
            Form::None => None,
        };
        let class = match self.class {
            Class::Dynamic => Some("a word of dynamic lines"),
            Class::Pool => Some("a word of pools"),
            Class::Static => Some("a word of static lines"),
            Class::Cloud => Some("a word of clouds"),
            Class::Hosting => Some("a word of hosting"),
            Class::Unset => Some("words that stand in for a name that nobody set"),
            Class::Serial => Some("a serial number"),
            Class::Unnamed => None,
        };
        let signs: Vec<&str> = [form, class].into_iter().flatten().collect();
        f.write_str(&signs.join(" and "))
    }
}

/// By what a PTR name in lower case looks assigned by the provider of an address; `None` if it does not.
pub fn sign(name: &str, ip: IpAddr) -> Option<Sign> {
    sign_among(name, ip, Providers::built_in())
}

/// The same, further domains of providers known.
pub fn sign_among(name: &str, ip: IpAddr, providers: &Providers) -> Option<Sign> {
    if words::says_unset(name) {
        return Some(Sign { class: Class::Unset, form: Form::None });
    }
    let host = host_part(name);
    if host.is_empty() {
        // A network's own domain as the name of an address: nobody set another.
        return providers.is_network(name).then_some(Sign { class: Class::Hosting, form: Form::None });
    }
    let words = Words::of(host);
    let form = form(name, host, ip);
    if words.is_line {
        return Some(Sign { class: Class::Dynamic, form });
    }
    if words.is_mail {
        return None;
    }
    let class =
        words.word.filter(|(_, need)| form != Form::None || is_met(*need, host)).map(|(class, _)| class);
    match (class, form) {
        (Some(class), form) => Some(Sign { class, form }),
        (None, Form::None) if words::is_stand_in(host) => Some(Sign { class: Class::Unset, form }),
        (None, Form::None) if is_customer(name, host, providers) => {
            Some(Sign { class: Class::Hosting, form })
        }
        (None, Form::None) if is_serial(host) => Some(Sign { class: Class::Serial, form }),
        (None, Form::None) => None,
        (None, form) => Some(Sign { class: words.hint.unwrap_or(Class::Unnamed), form }),
    }
}

fn is_met(need: Need, host: &str) -> bool {
    const LONG: usize = 4;
    let mut numbers = host.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
    match need {
        Need::Nothing => true,
        Need::Number => numbers.next().is_some(),
        Need::TwoNumbers => numbers.nth(1).is_some(),
        Need::LongNumber => numbers.any(|run| run.len() >= LONG),
    }
}

/// Whether a name stands for a customer and for nothing else: by what was rented alone, or, in the domain of
/// a network's customers, by a number (`li123-45`, `vps-1a2b3c4d`) or a word for a customer (`customer`).
fn is_customer(name: &str, host: &str, providers: &Providers) -> bool {
    const FEWEST: usize = 3;
    let is_numbered = || host.bytes().filter(u8::is_ascii_digit).count() >= FEWEST;
    words::says_rented(host) || (is_numbered() || words::says_customer(host)) && providers.is_network(name)
}

/// `v220240412345678901`: a letter or a few, and more digits than a person would choose.
fn is_serial(host: &str) -> bool {
    const MOST_LETTERS: usize = 3;
    const FEWEST_DIGITS: usize = 10;
    let label = host.split('.').next().unwrap_or(host);
    let digits = label.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    label.len() - digits.len() <= MOST_LETTERS
        && digits.len() >= FEWEST_DIGITS
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The labels that the provider chose.
fn host_part(name: &str) -> &str {
    let Some(suffix) = psl::suffix(name.as_bytes()) else { return name };
    let domain = match suffix.typ() {
        // With a rule as `*.compute-1.amazonaws.com` each customer's name is a suffix itself.
        Some(psl::Type::Private) if suffix.as_bytes().len() == name.len() => {
            return name.split('.').next().unwrap_or(name);
        }
        Some(psl::Type::Private) => suffix.as_bytes().len(),
        _ => match psl::domain(name.as_bytes()) {
            Some(domain) => domain.as_bytes().len(),
            None => return "",
        },
    };
    name.get(..name.len().saturating_sub(domain + 1)).unwrap_or("")
}

fn form(name: &str, host: &str, ip: IpAddr) -> Form {
    match ip {
        IpAddr::V4(v4) => {
            let octets = v4.octets();
            let form = Runs::of(host).form_of_v4(octets);
            // `host7.ip-192-0-2.example`: a domain for each block, the address in its own label.
            if form == Form::None && Runs::of(name).starts_with_block(octets) { Form::Partial } else { form }
        }
        IpAddr::V6(v6) => digits::form_of_v6(host, v6),
    }
}

#[cfg(test)]
mod tests;
