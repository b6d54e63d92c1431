//! The names that a host gives itself, taken from what it showed.
//!
//! Evidence holds neither our name nor our address, so an echo of them can't be told from the server's own name here.

use crate::evidence::Observation;
use crate::name::HostName;
use crate::smtp::greeting::{Form, Greeting, Own};

/// The greeting of a host that sent one, read.
pub(super) fn banner(observation: &Observation) -> Greeting {
    match &observation.greeting {
        Some(reply) => Greeting::read(reply, Own::default()),
        None => Greeting { name: None, form: Form::Absent, extra_names: Vec::new(), refusal: None },
    }
}

/// The name in the first line of a 250 reply to EHLO or HELO, in normal form (RFC 5321 §4.1.1.1: the server's domain
/// stands first, and it may be one label).
pub(super) fn ehlo_name(observation: &Observation) -> Option<String> {
    let reply = observation.ehlo.as_ref().filter(|reply| reply.code.is_some_and(|code| code.get() == 250))?;
    let line = std::str::from_utf8(reply.text.first()).ok()?;
    let mut words = line.split_ascii_whitespace();
    let first = HostName::parse(words.next()?).ok()?;
    // `Hello client.example` opens with no name; one label alone on its line is one.
    let is_name = first.is_qualified() || words.next().is_none();
    is_name.then(|| first.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::fixture::{greeted, reply};

    #[test]
    fn the_ehlo_name_opens_the_reply() {
        for (said, name) in [
            ("250-mail.kestrel.example\n250 SIZE", Some("mail.kestrel.example")),
            ("250-MAIL.kestrel.example. Hello client.example.net [192.0.2.9]", Some("mail.kestrel.example")),
            ("250 kestrel", Some("kestrel")),
            ("250-Hello client.example.net", None),
            ("250 [192.0.2.1]", None),
            ("250 192.0.2.1", None),
            ("250", None),
            ("502 mail.kestrel.example", None),
            ("421 mail.kestrel.example", None),
        ] {
            let observation = Observation { ehlo: Some(reply(said)), ..greeted("220 x") };
            assert_eq!(ehlo_name(&observation).as_deref(), name, "{said}");
        }
    }
}
