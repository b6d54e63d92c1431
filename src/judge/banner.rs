//! The banner as the judgement reads it. The only place that knows how a name is found in a greeting.

use crate::evidence::Observation;
use crate::name::HostName;
use crate::smtp::reply::Reply;

/// What stands where the greeting's name belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// A name with a dot.
    Host,
    /// One label.
    SingleLabel,
    /// An address in brackets (RFC 5321 §4.1.3).
    Literal,
    /// An address without.
    BareAddress,
    /// Asterisks that a firewall wrote.
    Masked,
    /// Nothing.
    Absent,
    /// Something that a template left behind.
    Placeholder,
}

/// The name that a greeting gives, and its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Banner {
    /// The name as said, in normal form; `None` if absent, masked, or an address.
    pub(super) name: Option<String>,
    /// Its form.
    pub(super) form: Form,
}

impl Banner {
    /// Reads the greeting of a host that sent one.
    pub(super) fn of(observation: &Observation) -> Self {
        observation.greeting.as_ref().map_or(Self { name: None, form: Form::Absent }, read)
    }
}

/// The name in the first line of an EHLO reply, in normal form (RFC 5321 §4.1.1.1: the server's domain stands first).
pub(super) fn ehlo_name(observation: &Observation) -> Option<String> {
    let banner = read(observation.ehlo.as_ref()?);
    banner.name
}

fn read(reply: &Reply) -> Banner {
    let line = String::from_utf8_lossy(reply.text.first());
    let trimmed = line.trim();
    if trimmed.len() > 1 && trimmed.bytes().all(|b| matches!(b, b'*' | b'0' | b'2' | b' ')) {
        return Banner { name: None, form: Form::Masked };
    }
    let mut words = trimmed.split_whitespace();
    let first = words.next().unwrap_or_default();
    let next = words.next().unwrap_or_default();
    if let Some(inner) = first.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = inner.strip_prefix("IPv6:").unwrap_or(inner).parse::<std::net::IpAddr>();
        if address.is_ok() {
            return Banner { name: None, form: Form::Literal };
        }
    }
    if first.parse::<std::net::IpAddr>().is_ok() {
        return Banner { name: None, form: Form::BareAddress };
    }
    let bare = first.trim_matches(['[', ']', '(', ')', '<', '>']);
    if let Ok(host) = HostName::parse(bare) {
        if host.is_qualified() {
            return Banner { name: Some(host.as_str().to_owned()), form: Form::Host };
        }
        if matches!(next, "SMTP" | "ESMTP" | "LMTP") {
            return Banner { name: Some(host.as_str().to_owned()), form: Form::SingleLabel };
        }
    }
    if bare.contains(['%', '$', '_', '*']) {
        return Banner { name: Some(bare.to_ascii_lowercase()), form: Form::Placeholder };
    }
    Banner { name: None, form: Form::Absent }
}
