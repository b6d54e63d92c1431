//! The greeting of a host, read in one place: what it is judged by, the name that DNS is asked for, and the
//! names of further conversations all come from here. Decides nothing about a name.

use std::net::IpAddr;

use super::{Evidence, Observation, Scanner};
use crate::name::HostName;
use crate::smtp::greeting::{Form, Greeting, Own};

/// A conversation, as its greeting is read.
#[derive(Debug, Clone, Copy)]
pub struct GreetingSource<'a> {
    /// The address that was spoken to.
    pub ip: Option<IpAddr>,
    /// What the host showed.
    pub observation: &'a Observation,
    /// Who asked; `None` where nobody knows.
    pub scanner: Option<&'a Scanner>,
}

impl GreetingSource<'_> {
    /// The greeting, an echo of ourselves left out; without any greeting one that names nobody.
    pub fn greeting(self) -> Greeting {
        let own = self.scanner.map_or_else(Own::default, |scanner| scanner.own(self.ip));
        match &self.observation.greeting {
            Some(reply) => Greeting::read(reply, own),
            None => Greeting { name: None, form: Form::Absent, extra_names: Vec::new(), refusal: None },
        }
    }

    /// The name in the greeting of a mail server, in normal form, usable or not.
    pub fn name(self) -> Option<String> {
        if !self.observation.outcome.is_judged() {
            return None;
        }
        self.greeting().name
    }

    /// The name that DNS is asked for an address: that of the greeting, if a host can have it.
    pub fn name_to_resolve(self) -> Option<HostName> {
        self.name().and_then(|name| HostName::parse(&name).ok())
    }
}

impl Evidence {
    /// The conversation in it.
    pub fn greeting_source(&self) -> GreetingSource<'_> {
        GreetingSource { ip: self.ip, observation: &self.observation, scanner: self.scanner.as_deref() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Outcome;
    use crate::smtp::reply::{Code, Reply, Text};

    const HERE: [u8; 4] = [192, 0, 2, 1];
    const OURS: [u8; 4] = [198, 51, 100, 7];
    const OUTSIDE: [u8; 4] = [203, 0, 113, 9];

    fn scanner() -> Scanner {
        Scanner {
            name: HostName::parse("scanner.example.net").ok(),
            ip: Some(OURS.into()),
            own_addresses: [IpAddr::from(OUTSIDE)].into(),
            ..Scanner::default()
        }
    }

    fn observation(text: &str) -> Observation {
        let greeting = Some(Reply { code: Code::new(220), text: Text::from_iter([text]) });
        Observation { greeting, ..Observation::bare(Outcome::Greeted, 1) }
    }

    #[test]
    fn an_echo_of_ourselves_is_not_the_servers_name() {
        for (text, form, without) in [
            ("scanner.example.net ESMTP", Form::Absent, Form::Host),
            ("[198.51.100.7] ESMTP", Form::Absent, Form::Literal),
            ("198.51.100.7 ESMTP", Form::Absent, Form::BareAddress),
            ("[203.0.113.9] ESMTP", Form::Absent, Form::Literal),
            ("[IPv6:::ffff:203.0.113.9] ESMTP", Form::Absent, Form::Literal),
            ("[192.0.2.1] ESMTP", Form::Literal, Form::Literal),
            ("mail.example.org ESMTP", Form::Host, Form::Host),
        ] {
            let (seen, scanner) = (observation(text), scanner());
            let source =
                GreetingSource { ip: Some(HERE.into()), observation: &seen, scanner: Some(&scanner) };
            assert_eq!(source.greeting().form, form, "{text}");
            assert_eq!(
                GreetingSource { scanner: None, ..source }.greeting().form,
                without,
                "{text}, nobody known"
            );
            assert_eq!(source.name_to_resolve().is_some(), form == Form::Host, "{text}");
        }
    }

    #[test]
    fn a_host_that_we_scan_on_our_own_address_names_itself_by_it() {
        let (seen, scanner) = (observation("[198.51.100.7] ESMTP"), scanner());
        let source = GreetingSource { ip: Some(OURS.into()), observation: &seen, scanner: Some(&scanner) };
        assert_eq!(source.greeting().form, Form::Literal);
    }

    #[test]
    fn only_a_mail_server_that_spoke_has_a_name() {
        let seen = Observation { outcome: Outcome::NotSmtp, ..observation("mail.example.org ESMTP") };
        let source = GreetingSource { ip: Some(HERE.into()), observation: &seen, scanner: None };
        assert_eq!((source.name(), source.name_to_resolve()), (None, None));
    }
}
