//! The concrete fix of one host: which record or setting to change, to which name, by whom, and how to check
//! it.
//!
//! [`super::what_if`] decides the changes, a record carries them, and every form renders them from here: the
//! screen of `check`, the list of fixes, the page, the mail to a customer. Knows no evidence.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::cause::Fixer;
use super::finding::Code;
use super::platform::{Kind, Row};
use super::remedy::{Change, Remedy};
use super::settings::settings;
use super::verdict::Tenancy;
use crate::name::{DnsName, HostName};

/// What stands for a name that has to be agreed on.
pub const OWN_NAME: &str = "mail.your-domain";
/// The time to live of the records that commands publish, in seconds: an hour.
const TTL: u32 = 3600;

impl Change {
    /// The name, or what stands for it.
    pub fn name(&self) -> &str {
        self.name.as_ref().map_or(OWN_NAME, HostName::as_str)
    }

    /// Who can make it. The owner of the address sets its PTR record; whoever runs the server sets the rest,
    /// which on a shared host is the provider too.
    pub fn fixer(&self, tenancy: Tenancy) -> Fixer {
        match (self.remedy, tenancy) {
            (Remedy::Ptr, _) | (_, Tenancy::Shared) => Fixer::Provider,
            _ => Fixer::Customer,
        }
    }
}

/// The changes that clear one host, with what rendering them needs.
#[derive(Debug, Clone, Copy)]
pub struct HostFix<'a> {
    /// The host's address.
    pub ip: IpAddr,
    /// The TCP port at which it greets.
    pub port: u16,
    /// The changes, in the order in which they are to be made.
    pub changes: &'a [Change],
    /// The record name of the platform, where it is told.
    pub platform: Option<&'a str>,
    /// Whose address it is.
    pub tenancy: Tenancy,
}

/// One change, rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which of the three.
    pub remedy: Remedy,
    /// Who can make it.
    pub who: Fixer,
    /// The name that it sets.
    pub name: String,
    /// What to do, in one sentence, with the exact record or name.
    pub what: String,
    /// The record as a zone file has it; `None` for a setting.
    pub record: Option<String>,
    /// The same for other tools, or the platform's own command or setting: label and text.
    pub forms: Vec<(&'static str, String)>,
    /// A command that shows whether it is done.
    pub check: String,
    /// What that command then prints.
    pub expected: String,
}

impl HostFix<'_> {
    /// The changes, rendered in their order.
    pub fn steps(&self) -> Vec<Step> {
        self.changes.iter().map(|change| self.step(change)).collect()
    }

    /// Who has to do something: each once.
    pub fn fixers(&self) -> Vec<Fixer> {
        let mut fixers: Vec<Fixer> = self.changes.iter().map(|it| it.fixer(self.tenancy)).collect();
        fixers.sort_unstable();
        fixers.dedup();
        fixers
    }

    /// What has to be settled first, where nothing offers a name: which kind of name, and who has to agree.
    pub fn to_agree(&self) -> Option<&'static str> {
        self.changes.iter().any(|it| it.name.is_none()).then_some(AGREE)
    }

    fn step(&self, change: &Change) -> Step {
        let who = change.fixer(self.tenancy);
        match change.remedy {
            Remedy::Ptr => self.ptr(change.name(), who),
            Remedy::Forward => self.forward(change.name(), who),
            Remedy::Banner => self.banner(change.name(), who),
        }
    }

    fn ptr(&self, name: &str, who: Fixer) -> Step {
        let owner = DnsName::reverse(self.ip);
        let record = format!("{owner}. IN PTR {name}.");
        let nsupdate = format!("update delete {owner}. PTR\nupdate add {owner}. {TTL} PTR {name}.\nsend");
        Step {
            remedy: Remedy::Ptr,
            who,
            name: name.to_owned(),
            what: format!("Set one PTR record, in the place of any that are there: `{record}`"),
            record: Some(record),
            forms: vec![
                ("nsupdate", nsupdate),
                ("PowerDNS", format!("pdnsutil replace-rrset ZONE {owner}. PTR {TTL} {name}.")),
                ("panel", format!("reverse DNS (PTR) of {}: {name}", self.ip)),
            ],
            check: format!("dig +short -x {}", self.ip),
            expected: format!("{name}."),
        }
    }

    fn forward(&self, name: &str, who: Fixer) -> Step {
        let kind = self.kind();
        let ip = self.ip;
        let record = format!("{name}. IN {kind} {ip}");
        Step {
            remedy: Remedy::Forward,
            who,
            name: name.to_owned(),
            what: format!("Publish an address record, beside those that are there: `{record}`"),
            record: Some(record),
            forms: vec![
                ("nsupdate", format!("update add {name}. {TTL} {kind} {ip}\nsend")),
                ("PowerDNS", format!("pdnsutil add-record ZONE {name}. {kind} {TTL} {ip}")),
                ("panel", format!("new record of type {kind}, name {name}, value {ip}")),
            ],
            check: format!("dig +short {name} {kind}"),
            expected: ip.to_string(),
        }
    }

    fn banner(&self, name: &str, who: Fixer) -> Step {
        let row = self.platform.and_then(super::platform::row);
        let forms = row.map_or_else(
            || vec![("setting", "the host name in the mail server's settings; then restart it".to_owned())],
            |row| ways(row, name),
        );
        let on = row.map(|row| format!(" ({})", row.title)).unwrap_or_default();
        let (ip, port) = (self.ip, self.port);
        let address = if ip.is_ipv6() { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
        let check = match port {
            465 => format!("openssl s_client -quiet -connect {address}"),
            _ => format!("nc -w 60 {ip} {port}"),
        };
        Step {
            remedy: Remedy::Banner,
            who,
            name: name.to_owned(),
            what: format!("Let the server{on} greet, and introduce itself when it sends (HELO), as `{name}`"),
            record: None,
            forms,
            check,
            expected: format!("220 {name} ..."),
        }
    }

    fn kind(&self) -> &'static str {
        if self.ip.is_ipv4() { "A" } else { "AAAA" }
    }
}

impl Step {
    /// What does it on the host's platform: commands, lines of the configuration, settings. Empty for a
    /// record.
    pub fn by(&self) -> String {
        let mut text = String::new();
        let forms = self.forms.iter().filter(|(label, _)| matches!(*label, "command" | "line" | "setting"));
        for (at, (_, form)) in forms.enumerate() {
            // Writing to a `String` does not fail.
            let _ = write!(text, "{}{}", if at == 0 { "" } else { "; " }, form.replace('\n', "; "));
        }
        text
    }
}

/// Which kind of name to agree on, and where it has to stand.
const AGREE: &str = "Neither DNS, greeting nor inventory offers a name. Agree on one under a domain of whoever runs \
     the server (as `mail.your-domain`), not the provider's, for this host alone. It goes into every place below.";

/// What sets the name on a platform: commands and lines that can be copied first.
fn ways(row: &Row, name: &str) -> Vec<(&'static str, String)> {
    let settings = || settings(row.name);
    let exact = settings().flat_map(|it| [("command", it.command), ("line", it.line)]);
    let exact = exact.filter_map(|(label, text)| Some((label, text?.replace("{name}", name))));
    let told = settings().map(|it| ("setting", format!("{}: {}", row.title, it.by)));
    let ways: Vec<_> = exact.chain(told).collect();
    if !ways.is_empty() {
        return ways;
    }
    let way = match row.kind {
        Kind::Provider | Kind::Relay => {
            format!("{} sets the name for its customers: ask there", row.title)
        }
        _ => format!("{}: the host name that it gives in SMTP", row.title),
    };
    vec![("setting", way)]
}

/// Who can fix a host: what its changes ask for, or else what its findings do. One rule for the page, the
/// lists and the findings.
pub fn fixers(changes: &[Change], findings: impl Iterator<Item = Code>, tenancy: Tenancy) -> Vec<Fixer> {
    let mut fixers: Vec<Fixer> = if changes.is_empty() {
        findings.map(|code| code.fixer(tenancy)).collect()
    } else {
        changes.iter().map(|change| change.fixer(tenancy)).collect()
    };
    fixers.sort_unstable();
    fixers.dedup();
    fixers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(words: &[&str], ip: &str, platform: Option<&str>) -> Vec<Step> {
        let changes: Vec<Change> = words.iter().map(|word| Change::parse(word).unwrap()).collect();
        let ip = ip.parse().unwrap();
        HostFix { ip, port: 25, changes: &changes, platform, tenancy: Tenancy::Unknown }.steps()
    }

    #[test]
    fn each_change_names_the_exact_record_and_who_sets_it() {
        let [forward, ptr, banner] = <[Step; 3]>::try_from(steps(
            &["forward=mail.example.org", "ptr=mail.example.org", "banner=mail.example.org"],
            "192.0.2.7",
            Some("postfix"),
        ))
        .unwrap();
        assert_eq!(forward.record.unwrap(), "mail.example.org. IN A 192.0.2.7");
        assert_eq!((forward.who, forward.check.as_str()), (Fixer::Customer, "dig +short mail.example.org A"));
        assert_eq!(ptr.record.unwrap(), "7.2.0.192.in-addr.arpa. IN PTR mail.example.org.");
        assert_eq!((ptr.who, ptr.expected.as_str()), (Fixer::Provider, "mail.example.org."));
        let labels: Vec<&str> = ptr.forms.iter().map(|(label, _)| *label).collect();
        assert_eq!(labels, ["nsupdate", "PowerDNS", "panel"]);
        assert_eq!(
            ptr.forms[0].1,
            "update delete 7.2.0.192.in-addr.arpa. PTR\n\
             update add 7.2.0.192.in-addr.arpa. 3600 PTR mail.example.org.\nsend"
        );
        assert_eq!(banner.forms[0].1, "postconf -e 'myhostname = mail.example.org'\npostfix reload");
        assert_eq!((banner.who, banner.record), (Fixer::Customer, None));
    }

    #[test]
    fn an_ipv6_host_has_the_records_of_its_family() {
        let steps = steps(&["forward=mail.example.org", "ptr=mail.example.org"], "2001:db8::1", None);
        assert_eq!(steps[0].record.as_deref(), Some("mail.example.org. IN AAAA 2001:db8::1"));
        assert!(
            steps[1]
                .record
                .as_deref()
                .unwrap()
                .ends_with(".8.b.d.0.1.0.0.2.ip6.arpa. IN PTR mail.example.org.")
        );
    }

    #[test]
    fn without_a_name_the_text_says_which_kind_to_agree_on() {
        let changes = [Change { remedy: Remedy::Ptr, name: None }];
        let ip = IpAddr::from([192, 0, 2, 7]);
        let fix = HostFix { ip, port: 25, changes: &changes, platform: None, tenancy: Tenancy::Dedicated };
        assert!(fix.to_agree().unwrap().contains("under a domain of whoever runs the server"));
        assert!(fix.steps()[0].what.contains("IN PTR mail.your-domain."));
        assert_eq!(fix.fixers(), [Fixer::Provider]);
    }

    #[test]
    fn on_a_shared_host_everything_is_the_providers() {
        let change = Change::parse("banner=mail.example.org").unwrap();
        assert_eq!(change.fixer(Tenancy::Shared), Fixer::Provider);
        assert_eq!(change.fixer(Tenancy::Dedicated), Fixer::Customer);
        let none = std::iter::empty;
        assert_eq!(fixers(&[change], none(), Tenancy::Shared), [Fixer::Provider]);
        let malformed = std::iter::once(Code::PtrMalformed);
        assert_eq!(fixers(&[], malformed, Tenancy::Dedicated), [Fixer::Provider]);
    }
}
