//! The name in a greeting. It is sought in line 1 by four rules, the first that yields one wins:
//!
//! 1. word 1, once an enhanced status code before it, brackets around it and punctuation behind it are taken off, if it
//!    still holds a dot, or is one of the forms that no host may have: `%HOST%`, `${HOST}`, `(none)`, `*.example.org`;
//! 2. under a 2xx code only: the last qualified name after `ready at` or `on`, or one after `Server`, or one after
//!    `Welcome to` at the start;
//! 3. word 1 as a single label, if `SMTP`, `ESMTP`, `LMTP` or `Microsoft ESMTP` follows directly, and it can be a host: it
//!    is no word of prose and no product (unless another product follows); where it reads as an adjective (`foo SMTP
//!    Server`) or the server refuses, it also needs a digit or a hyphen;
//! 4. none.
//!
//! What the server says of others is not its name: the client that it logs, a URL, a block list, ourselves.
//! Judges nothing: a default or private name is a name here.

pub(crate) mod lists;
mod phrase;
mod word;

use std::net::IpAddr;

use super::reply::Reply;
use super::said::{Said, is_enhanced_status};
use crate::name::HostName;
use phrase::Words;
use word::Word;

/// The most further names that are kept: greetings that name more are lists of something else.
pub const MAX_EXTRA_NAMES: usize = 8;

/// What rblsmtpd of ucspi-tcp calls itself towards clients that a block list holds.
const LISTED: &str = "rblsmtpd.local";

/// What a greeting says about who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The name as said, in normal form, whether usable or not; `None` if there is none, it is masked, or an
    /// address.
    pub name: Option<String>,
    /// What stands where the name belongs.
    pub form: Form,
    /// Other qualified names that lines 2 and on open with, each once; at most [`MAX_EXTRA_NAMES`].
    pub extra_names: Vec<String>,
    /// Whether and how the server turns us away.
    pub refusal: Option<Refusal>,
}

/// What stands where the name belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A host name of two labels or more.
    Host,
    /// A host name of one label.
    SingleLabel,
    /// A name that no host may have: an unexpanded variable, an underscore, a wildcard, `(none)`.
    Placeholder,
    /// An address in brackets (RFC 5321 §4.1.3).
    Literal,
    /// An address without brackets.
    BareAddress,
    /// Overwritten with asterisks by a firewall on the way.
    Masked,
    /// No host token at all.
    Absent,
}

/// How a server turns us away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// By a 4xx or 5xx code.
    Code,
    /// In words alone.
    Words,
    /// By a stand-in that greets clients which a block list holds.
    Listed,
}

/// Who we are, so that an echo is not taken for the server's name.
#[derive(Debug, Clone, Copy, Default)]
pub struct Own<'a> {
    /// Our own name.
    pub name: Option<&'a HostName>,
    /// The address that we spoke from.
    pub ip: Option<IpAddr>,
    /// Further addresses of ours, as others see us behind NAT.
    pub further: &'a [IpAddr],
    /// The address that we spoke to: where that is ours, too, a server names itself by it.
    pub peer: Option<IpAddr>,
}

impl Own<'_> {
    fn is_name(&self, name: &str) -> bool {
        self.name.is_some_and(|own| own.as_str() == name)
    }

    fn is_ip(&self, ip: IpAddr) -> bool {
        let is = |own: &IpAddr| own.to_canonical() == ip.to_canonical();
        self.ip.iter().chain(self.further).any(is) && !self.peer.iter().any(is)
    }
}

impl Greeting {
    /// Reads the name out of a greeting of any code, in time linear in its length. What is not SMTP names
    /// nobody.
    pub fn read(reply: &Reply, own: Own<'_>) -> Self {
        let said = Said::of(reply);
        if said == Said::NotSmtp {
            return Self::without_name(Form::Absent);
        }
        let code = match (said, reply.code) {
            (Said::Refusal, _) => Class::Refusal,
            (_, Some(code)) if code.get() / 100 == 2 => Class::Welcome,
            _ => Class::Other,
        };
        let mut greeting = Self::of_line(reply.text.first(), code, own);
        if greeting.refusal.is_none() && said == Said::Refusal {
            greeting.refusal = Some(if reply.code.is_some() { Refusal::Code } else { Refusal::Words });
        }
        for line in reply.text.lines().skip(1) {
            if greeting.extra_names.len() == MAX_EXTRA_NAMES {
                break;
            }
            let Some(Word::Host(name)) = Words::of(line).after_status().next().map(Word::read) else {
                continue;
            };
            let known = greeting.name.as_ref() == Some(&name) || greeting.extra_names.contains(&name);
            let is_of_others = own.is_name(&name) || name == LISTED || code.is_list(&name);
            if !known && !is_of_others {
                greeting.extra_names.push(name);
            }
        }
        greeting
    }

    fn of_line(line: &[u8], code: Class, own: Own<'_>) -> Self {
        if is_masked(line) {
            return Self::without_name(Form::Masked);
        }
        let words = Words::of(line).after_status();
        let mut rest = words.clone();
        let said = rest.next().unwrap_or_default();
        // Rule 1.
        let (unnamed, label) = match Word::read(said) {
            Word::Host(name) if name == LISTED => {
                return Self { refusal: Some(Refusal::Listed), ..Self::without_name(Form::Absent) };
            }
            Word::Host(name) if !own.is_name(&name) && !code.is_list(&name) => {
                return Self::with_name(name, Form::Host);
            }
            Word::Odd(name) if name.contains('.') || word::is_template(&name) => {
                return Self::with_name(name, Form::Placeholder);
            }
            Word::Literal(ip) if !own.is_ip(ip) => (Form::Literal, None),
            Word::Bare(ip) if !own.is_ip(ip) => (Form::BareAddress, None),
            Word::Label(name) => (Form::Absent, Some((name, Form::SingleLabel))),
            Word::Odd(name) => (Form::Absent, Some((name, Form::Placeholder))),
            _ => (Form::Absent, None),
        };
        // Rule 2.
        if code == Class::Welcome
            && let Some(name) = phrase::name_after(&words, own)
        {
            return Self::with_name(name, Form::Host);
        }
        // Rule 3.
        match label {
            Some((name, form)) if !own.is_name(&name) && is_host(said, &name, rest, code) => {
                Self::with_name(name, form)
            }
            _ => Self::without_name(unnamed),
        }
    }

    fn with_name(name: String, form: Form) -> Self {
        Self { name: Some(name), form, extra_names: Vec::new(), refusal: None }
    }

    fn without_name(form: Form) -> Self {
        Self { name: None, form, extra_names: Vec::new(), refusal: None }
    }
}

/// What kind of code the greeting has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// 2xx.
    Welcome,
    /// 4xx or 5xx, or no code and the plain words of a refusal.
    Refusal,
    /// Another code of SMTP.
    Other,
}

impl Class {
    /// Whether a name is that of the block list by which the server refuses.
    fn is_list(self, name: &str) -> bool {
        self == Self::Refusal && lists::is_of_block_list(name)
    }
}

/// Rule 3, for a first word as said and in normal form.
fn is_host(said: &[u8], name: &str, rest: Words<'_>, code: Class) -> bool {
    let Some(behind) = phrase::Protocol::opening(rest) else { return false };
    let has_mark = name.bytes().any(|b| b.is_ascii_digit() || b == b'-');
    let needs_mark = code == Class::Refusal || behind.is_described && !lists::is_default_label(name);
    (has_mark || !needs_mark)
        && !word::has_punctuation(said)
        && !phrase::is_protocol(name)
        && !lists::is_prose(name)
        && (!lists::is_product(name) || behind.names_product_beside(name))
}

/// What a Cisco PIX or ASA leaves of a greeting: asterisks, and the digits and spaces that it lets through.
fn is_masked(line: &[u8]) -> bool {
    line.contains(&b'*') && line.iter().all(|b| matches!(b, b'*' | b'2' | b'0' | b' ' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests;
