//! What a name is by its looks: fit to be looked up by strangers, or one of the names that software, images
//! and closed networks leave behind. Asks no DNS; whether DNS bears such a name out is the caller's to say:
//! see [`Support`].

use super::defaults;
use crate::name;
use crate::smtp::greeting::{Form, Greeting};

/// What keeps a banner's name from being usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// There is no host token.
    Absent,
    /// A firewall overwrote it.
    Masked,
    /// An address in brackets.
    Literal,
    /// An address without.
    BareAddress,
    /// One label.
    Unqualified,
    /// A name that installers and images leave behind.
    Default,
    /// A suffix that is not for the public Internet.
    Private,
    /// A template, an identifier, a slip of a tool.
    Placeholder,
}

/// Whether the name is itself a forward-confirmed PTR name.
///
/// On the Internet a default, private or one-label name is a leftover. In a network of its own whose DNS
/// confirms it, it is a name like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It is.
    Confirmed,
    /// It is not, or nobody knows.
    None,
}

/// The flaws of a banner's name: none, one or several; and whether they count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    flaws: u8,
    support: Support,
}

/// The flaws that a name may have that DNS confirms.
const EXCUSED: u8 = bit(Flaw::Unqualified) | bit(Flaw::Default) | bit(Flaw::Private);

impl Shape {
    /// Looks at a banner.
    pub fn of(banner: &Greeting, support: Support) -> Self {
        let mut shape = Self { flaws: 0, support };
        match banner.form {
            Form::Absent => shape.add(Flaw::Absent),
            Form::Masked => shape.add(Flaw::Masked),
            Form::Literal => shape.add(Flaw::Literal),
            Form::BareAddress => shape.add(Flaw::BareAddress),
            Form::Placeholder if banner.name.is_none() => shape.add(Flaw::Placeholder),
            Form::Host | Form::SingleLabel | Form::Placeholder => {}
        }
        match &banner.name {
            Some(name) => shape.look(name),
            // A form without a name that promises one: nothing to use.
            None if shape.flaws == 0 => shape.add(Flaw::Absent),
            None => {}
        }
        shape
    }

    /// Whether it has a flaw.
    pub fn has(self, flaw: Flaw) -> bool {
        self.flaws & bit(flaw) != 0
    }

    /// Whether something can be done with the name.
    pub fn is_usable(self) -> bool {
        match self.support {
            Support::Confirmed => self.is_usable_if_confirmed(),
            Support::None => self.flaws == 0,
        }
    }

    /// Whether something could be done with the name if it were a forward-confirmed PTR name.
    pub fn is_usable_if_confirmed(self) -> bool {
        self.flaws & !EXCUSED == 0
    }

    fn add(&mut self, flaw: Flaw) {
        self.flaws |= bit(flaw);
    }

    fn look(&mut self, name: &str) {
        let made_of_labels = name.bytes().all(is_of_a_label);
        if !made_of_labels || is_container_id(name) || has_doubled_suffix(name) {
            self.add(Flaw::Placeholder);
        }
        if made_of_labels && !name.contains('.') {
            self.add(Flaw::Unqualified);
        }
        if defaults::is_default(name) || defaults::is_under_example_domain(name) {
            self.add(Flaw::Default);
        }
        if defaults::has_private_suffix(name) || defaults::is_under_test(name) {
            self.add(Flaw::Private);
        }
    }
}

const fn bit(flaw: Flaw) -> u8 {
    1 << (flaw as u8)
}

/// Anything else is a variable that nothing filled in, a wildcard, or an underscore. `(none)` is what Linux
/// says.
fn is_of_a_label(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'(' | b')')
}

/// The name that a container runtime gives: the first 12 hexadecimal digits of the identifier, or all 64.
fn is_container_id(name: &str) -> bool {
    let label = name::first_label(name);
    let whole = name.len() == label.len() || defaults::has_private_suffix(name);
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    // A word may be spelt with six letters; twelve of them without one digit would be a long word.
    whole
        && matches!(label.len(), 12 | 64)
        && label.bytes().all(hex)
        && label.bytes().any(|b| b.is_ascii_digit())
}

/// `mail.x.com.x.com`: a full name to which a tool added the search domain.
fn has_doubled_suffix(name: &str) -> bool {
    // The last label of all stands twice in such a name, which is sooner seen.
    let mut from_the_end = name.as_bytes().rsplit(|&byte| byte == b'.');
    let last = from_the_end.next();
    if !from_the_end.any(|label| Some(label) == last) {
        return false;
    }
    let Some(domain) = name::registrable(name) else { return false };
    let Some(host) = name.strip_suffix(domain).and_then(|host| host.strip_suffix('.')) else { return false };
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(name: &str, form: Form, support: Support) -> Vec<Flaw> {
        let name = (!name.is_empty()).then(|| name.to_owned());
        let banner = Greeting { name, form, extra_names: Vec::new(), refusal: None };
        let shape = Shape::of(&banner, support);
        let all = [
            Flaw::Absent,
            Flaw::Masked,
            Flaw::Literal,
            Flaw::BareAddress,
            Flaw::Unqualified,
            Flaw::Default,
            Flaw::Private,
            Flaw::Placeholder,
        ];
        all.into_iter().filter(|&flaw| shape.has(flaw)).collect()
    }

    fn flaws_of(name: &str) -> Vec<Flaw> {
        let form = if name.contains('.') { Form::Host } else { Form::SingleLabel };
        flaws(name, form, Support::None)
    }

    #[test]
    fn a_form_without_a_name_is_its_own_flaw() {
        for (form, flaw) in [
            (Form::Absent, Flaw::Absent),
            (Form::Masked, Flaw::Masked),
            (Form::Literal, Flaw::Literal),
            (Form::BareAddress, Flaw::BareAddress),
            (Form::Placeholder, Flaw::Placeholder),
            (Form::Host, Flaw::Absent),
        ] {
            assert_eq!(flaws("", form, Support::None), [flaw], "{form:?}");
        }
    }

    #[test]
    fn names_that_images_and_closed_networks_leave_are_told() {
        use Flaw::{Default, Placeholder, Private, Unqualified};
        let table: &[(&[&str], &[Flaw])] = &[
            (
                &[
                    "localhost",
                    "ubuntu",
                    "debian",
                    "centos",
                    "raspberrypi",
                    "hostname",
                    "mail",
                    "server",
                    "(none)",
                    "unknown",
                    "win-7k2a9b3c4d5",
                    "desktop-7k2a9b3",
                    "ip-10-0-0-1",
                    "vps12345",
                    "vmi123456",
                ],
                &[Unqualified, Default],
            ),
            (
                &["mx1", "kestrel", "win-server", "desktop-anna", "vpsadmin", "ip-10-0-0", "mail2"],
                &[Unqualified],
            ),
            (
                &[
                    "localhost.localdomain",
                    "mail.localdomain",
                    "deep.er.localdomain",
                    "ip-10-0-0-1.ec2.internal",
                    "ip-10-0-0-1.eu-west-1.compute.internal",
                    "web.novalocal",
                    "vm.c.project-1.internal",
                    "host-10-0-0-7.openstacklocal",
                    "win-7k2a9b3c4d5.firma.local",
                ],
                &[Default, Private],
            ),
            (&["server1.example.com", "mail.example.com", "example.net", "a.b.example.org"], &[Default]),
            (&["localhost.kestrel.example"], &[Default]),
            (
                &[
                    "ex01.corp.local",
                    "mail.lan",
                    "srv.firma.intern",
                    "mx.office.corp",
                    "nas.home",
                    "nas.home.arpa",
                    "a.invalid",
                    "mx.intra",
                    "x.internal",
                    "sink.test",
                    "foo.localhost",
                ],
                &[Private],
            ),
            (&["company.test", "mail.company.test"], &[Default, Private]),
            (
                &[
                    "%wpi_hostname%",
                    "${myhostname}",
                    "$hostname",
                    "*.kestrel.example",
                    "mail_1.kestrel.example",
                ],
                &[Placeholder],
            ),
            (&["mail.kestrel.example.kestrel.example", "x.co.uk.x.co.uk"], &[Placeholder]),
            (&["3f4e9a7c21bd"], &[Unqualified, Placeholder]),
            (&["3f4e9a7c21bd.localdomain"], &[Default, Private, Placeholder]),
        ];
        for (names, expected) in table {
            for name in *names {
                assert_eq!(flaws_of(name), *expected, "{name}");
            }
        }
    }

    #[test]
    fn names_that_only_look_like_those_are_usable() {
        for name in [
            "mail.kestrel.example",
            "ubuntu.kestrel.example",
            "local.kestrel.example",
            "localhost2.kestrel.example",
            "mail.localdomain.de",
            "internal.kestrel.example",
            "mylan.de",
            "corp.com",
            "myexample.com",
            "example.com.au",
            "example.company.de",
            "ip-10-0-0-1.kestrel.example",
            "vps12345.kestrel.example",
            "win-7k2a9b3c4d5.kestrel.example",
            "3f4e9a7c21bd.kestrel.example",
            "mail.mail.kestrel.example",
            "kestrel.kestrel.example",
            "x.com.kestrel.example",
            "test.de",
            "xn--bcher-kva.example",
            "1and1.de",
        ] {
            assert_eq!(flaws_of(name), [], "{name}");
        }
        // Twelve letters that happen to be hexadecimal digits are a word.
        assert_eq!(flaws_of("facadefacade"), [Flaw::Unqualified]);
    }

    #[test]
    fn a_name_without_a_public_domain_is_usable_where_dns_confirms_it_and_keeps_its_flaw() {
        let usable = |name: &str, support| {
            let form = if name.contains('.') { Form::Host } else { Form::SingleLabel };
            let banner =
                Greeting { name: Some(name.to_owned()), form, extra_names: Vec::new(), refusal: None };
            Shape::of(&banner, support).is_usable()
        };
        for name in ["mail.example.org", "mx.test", "mail.local", "localhost.localdomain", "mail", "vps12345"]
        {
            assert!(!flaws_of(name).is_empty(), "{name}");
            assert!(!usable(name, Support::None) && usable(name, Support::Confirmed), "{name}");
        }
        for name in ["mail.example.org.example.org", "mail_1.kestrel.example", "3f4e9a7c21bd", "%host%"] {
            assert!(!usable(name, Support::Confirmed), "{name}");
        }
    }
}
