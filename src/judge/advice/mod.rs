//! What to do about a finding, what not to do, and how to see for oneself: sentences and commands for one
//! host.
//!
//! Strangers' names go into commands and zone lines: whatever is no plain host name is quoted for a shell,
//! and left out of a zone.

mod evidence;
mod shell;

use std::net::IpAddr;

use super::accept::Accepted;
use super::cause::{Fixer, Side};
use super::finding::{Code, Excuse, Finding};
use super::fix::{HostFix, OWN_NAME};
use super::platform::Kind;
use super::providers::Providers;
use super::remedy::{Change, Remedy};
use super::settings::settings;
use super::shape::{Shape, Support};
use super::what_if::WEIGHT;
use super::{Fcrdns, Judgement, Severity};
use crate::evidence::Evidence;
use crate::name::{DnsName, HostName};
use crate::smtp::greeting::{Form, Greeting};
use crate::targets::Inventory;
use shell::quoted;

/// One host, as advice needs it. `judgement` is [`super::judge`]'s of the same evidence.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What was seen.
    pub evidence: &'a Evidence,
    /// What the user said.
    pub inventory: &'a Inventory,
    /// What it means.
    pub judgement: &'a Judgement,
    /// The TCP port that was spoken to.
    pub port: u16,
    /// Whose domains are providers', as it was judged by.
    pub providers: &'a Providers,
}

/// What is to be said about one finding on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The finding.
    pub code: Code,
    /// How much it matters here.
    pub severity: Severity,
    /// By what the user accepts it.
    pub accepted: Option<Accepted>,
    /// Why it stands.
    pub why: &'static str,
    /// The names and addresses that it rests on; strangers' text.
    pub evidence: Option<String>,
    /// Who can end it.
    pub fixer: Fixer,
    /// Who cares.
    pub cares: &'static str,
    /// What to do, in order; empty where there is nothing.
    pub todo: Vec<String>,
    /// What not to do.
    pub never: Vec<&'static str>,
    /// Commands that show it.
    pub check: Vec<String>,
}

/// Advice for every finding of a host, in the order of the record.
pub fn advice(case: &Case<'_>) -> Vec<Advice> {
    case.judgement.findings.iter().map(|finding| advise(case, *finding)).collect()
}

/// Zone lines that would make forward and reverse DNS of the host agree: the PTR record for whoever owns the
/// address, the address record for whoever owns the domain. `None` without an address.
pub fn zone_lines(case: &Case<'_>) -> Option<[String; 2]> {
    let ip = case.evidence.ip?;
    let name = case.proposed_name().unwrap_or_else(|| OWN_NAME.to_owned());
    let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
    Some([format!("{}. IN PTR {name}.", DnsName::reverse(ip)), format!("{name}. IN {kind} {ip}")])
}

fn advise(case: &Case<'_>, Finding { code, severity }: Finding) -> Advice {
    let fixer = case.fixer(code, severity);
    Advice {
        code,
        severity,
        accepted: case.judgement.accepted.iter().find(|accepted| accepted.code == code).cloned(),
        why: case.excuse(code).map_or(code.why(), |excuse| why_excused(excuse)),
        evidence: evidence::evidence(case, code),
        fixer,
        cares: code.cares(),
        todo: case.todo(code, severity, fixer),
        never: case.never(code),
        check: case.check(code),
    }
}

fn why_excused(excuse: Excuse) -> &'static str {
    match excuse {
        Excuse::NamelessRefusal => {
            "The refusal names no host, which does not show how the server greets clients that it accepts."
        }
        Excuse::ConfirmedName => {
            "Strangers can't look this name up. DNS confirms it in both directions all the same, so inside its own network it is a name like any other."
        }
    }
}

impl Case<'_> {
    fn excuse(&self, code: Code) -> Option<Excuse> {
        code.excuse(self.evidence.observation.outcome, self.judgement.verdict)
    }

    /// The changes that would clear the host, ready to be rendered; `None` where none is known.
    pub fn fix(&self) -> Option<HostFix<'_>> {
        let changes = self.judgement.fix.as_slice();
        let platform = self.judgement.platform.as_ref().map(|platform| platform.name);
        let (ip, tenancy) = (self.evidence.ip?, self.judgement.tenancy);
        (!changes.is_empty()).then_some(HostFix { ip, port: self.port, changes, platform, tenancy })
    }

    /// The changes that end a finding on this host: those on its own side of the names, or else all of them.
    fn changes(&self, code: Code, severity: Severity) -> impl Iterator<Item = &Change> {
        let changes = if severity >= WEIGHT { self.judgement.fix.as_slice() } else { &[] };
        let meant = match code.side() {
            Side::Reverse => Remedy::Ptr,
            Side::Banner => Remedy::Banner,
            Side::Forward => Remedy::Forward,
        };
        let is_met = changes.iter().any(|change| change.remedy == meant);
        changes.iter().filter(move |change| !is_met || change.remedy == meant)
    }

    /// Who can end a finding on this host: whoever makes the change that does, or else as its code has it.
    fn fixer(&self, code: Code, severity: Severity) -> Fixer {
        let tenancy = self.judgement.tenancy;
        let general = code.fixer(tenancy);
        if general == Fixer::Nobody {
            return general;
        }
        self.changes(code, severity).map(|change| change.fixer(tenancy)).max().unwrap_or(general)
    }

    /// The changes in sentences; empty where none is known that would end the finding.
    fn todo_of_fix(&self, code: Code, severity: Severity) -> Vec<String> {
        let Some(fix) = self.fix().filter(|_| self.changes(code, severity).next().is_some()) else {
            return Vec::new();
        };
        let mut todo: Vec<String> = Vec::new();
        match code {
            Code::ExpectedDiffers => todo.push(
                "Find out which is right, the inventory or the server. If it is the inventory:".to_owned(),
            ),
            Code::ClonedImage => todo.push(
                "Give each host its own name at first boot, and take the name out of the image.".to_owned(),
            ),
            _ => {}
        }
        todo.extend(self.inside_view());
        todo.extend(fix.to_agree().map(str::to_owned));
        for step in fix.steps() {
            todo.push(format!("{}.", step.what));
            let by = step.by();
            todo.extend((!by.is_empty()).then(|| format!("Set by: {by}.")));
        }
        if let [Change { remedy: Remedy::Forward, name: Some(name) }] = fix.changes {
            let ptrs = self.evidence.resolution.iter().flat_map(|resolution| &resolution.names);
            let is_ptr = ptrs.into_iter().any(|ptr| ptr.name.to_string() == name.as_str());
            if is_ptr && self.judgement.banner_name.as_deref() == Some(name.as_str()) {
                todo.push(
                    "If the name is to stay at its present address alone, this host needs another one, in PTR record, \
                     address record and greeting: PTR record and greeting are alike already."
                        .to_owned(),
                );
            }
        }
        if code == Code::PtrMalformed {
            todo.push(
                "End the name with a dot in a zone file, or the reverse zone's own name is added to it."
                    .to_owned(),
            );
        }
        todo
    }

    /// What is to be done first where DNS shows private addresses for a public host.
    pub fn inside_view(&self) -> Option<String> {
        let resolution = self.evidence.resolution.as_ref()?;
        let forwards = resolution.names.iter().map(|ptr| &ptr.forward).chain([&resolution.banner_forward]);
        forwards.into_iter().any(|forward| forward.is_inside_view(self.evidence.ip)).then(|| {
            "The resolver gives private addresses, which is a view from inside: ask one that the rest of the world \
             uses (`--resolver`) before you change anything."
                .to_owned()
        })
    }

    /// What not to do. A confirmed PTR name that is proposed for the greeting is the operator's own.
    fn never(&self, code: Code) -> Vec<&'static str> {
        let is_own = |ptr: &str| {
            let greets = |it: &Change| {
                it.remedy == Remedy::Banner && it.name.as_ref().is_some_and(|name| name.as_str() == ptr)
            };
            self.judgement.fix.iter().any(greets)
        };
        let ptrs = self.evidence.resolution.iter().flat_map(|resolution| &resolution.names);
        let is_fix = ptrs.into_iter().any(|ptr| is_own(&ptr.name.to_string()));
        never(code).into_iter().filter(|line| !is_fix || *line != COPY).collect()
    }

    fn todo(&self, code: Code, severity: Severity, fixer: Fixer) -> Vec<String> {
        let mut todo = self.todo_of_fix(code, severity);
        if !todo.is_empty() && fixer != Fixer::Nobody {
            return todo;
        }
        todo.clear();
        match self.excuse(code) {
            Some(Excuse::NamelessRefusal) => {
                todo.push(
                    "Look at the greeting once more from an address that the server accepts.".to_owned(),
                );
                return todo;
            }
            Some(Excuse::ConfirmedName) => {
                todo.push(
                    "Nothing has to be done, unless the host sends mail to the Internet: then give it a name of a public domain."
                        .to_owned(),
                );
                return todo;
            }
            None => {}
        }
        match (fixer, code.side()) {
            (Fixer::Nobody, _) => return todo,
            (_, Side::Reverse) => self.todo_reverse(code, fixer, &mut todo),
            (Fixer::Provider, _) => todo.push(
                "The host belongs to the provider: report it there, or send through a service whose names you control."
                    .to_owned(),
            ),
            (Fixer::Customer, Side::Forward) => self.todo_forward(&mut todo),
            (Fixer::Customer, Side::Banner) => self.todo_banner(code, &mut todo),
        }
        todo
    }

    fn todo_reverse(&self, code: Code, fixer: Fixer, todo: &mut Vec<String>) {
        let who = match fixer {
            Fixer::Customer => "In the provider's panel, or by its support,",
            _ => "Ask the provider, who owns the reverse zone, or use its panel: there",
        };
        // Where one name is confirmed, the others are too many; no record is missing.
        let is_surplus = code == Code::StalePtr && self.judgement.fcrdns == Some(Fcrdns::Pass);
        if matches!(code, Code::PtrMultiple | Code::PtrPartlyUnconfirmed) || is_surplus {
            todo.push(format!("{who} leave one PTR record, for the name that leads back to the address."));
            return;
        }
        todo.push(format!("{who} set one PTR record to a name of your own domain."));
        if let Some([reverse, forward]) = zone_lines(self) {
            todo.push(format!("In the reverse zone: `{reverse}`"));
            let is_published = self.leads_here()
                && self.proposed_name().is_some_and(|name| Some(name.as_str()) == self.own_banner());
            todo.push(if is_published {
                format!("In your domain's zone stands already: `{forward}`")
            } else {
                format!("In your domain's zone, before that: `{forward}`")
            });
        }
        if code == Code::PtrMalformed {
            todo.push(
                "End the name with a dot in a zone file, or the reverse zone's own name is added to it."
                    .to_owned(),
            );
        }
    }

    fn todo_forward(&self, todo: &mut Vec<String>) {
        match (self.own_banner(), self.evidence.ip) {
            (Some(name), Some(ip)) => {
                let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
                todo.push(format!("If the name is yours, publish `{name}. IN {kind} {ip}`; if it is not, greet with one that is."));
            }
            _ => todo.push(format!(
                "Greet with a name of your own domain that leads to this address, as `{OWN_NAME}`."
            )),
        }
        self.push_settings(todo);
    }

    fn todo_banner(&self, code: Code, todo: &mut Vec<String>) {
        match code {
            Code::BannerMasked => {
                todo.push("On the firewall, switch off the inspection of SMTP (`inspect esmtp` on a Cisco ASA, `fixup protocol smtp` on a PIX).".to_owned());
            }
            Code::BannerDiffers | Code::TwoIdentities => {
                todo.push("Nothing has to be done. To have one name, set the PTR record to the name in the greeting, which you own.".to_owned());
            }
            Code::CertificateDiffers => {
                todo.push("Have the certificate made out for the name in the greeting as well; senders that check names look at the MX name.".to_owned());
            }
            Code::ExpectedDiffers => {
                todo.push(
                    "Find out which is right, the inventory or the server, and correct the other.".to_owned(),
                );
                self.push_settings(todo);
            }
            Code::BannerRotates => {
                todo.push("Find out whether several machines answer behind the address; give each its name, or all the same one.".to_owned());
            }
            Code::ClonedImage => {
                todo.push(
                    "Give each host its own name at first boot, and take the name out of the image."
                        .to_owned(),
                );
                self.push_settings(todo);
            }
            _ => {
                let name = self.proposed_name().unwrap_or_else(|| OWN_NAME.to_owned());
                todo.push(format!(
                    "Let the server call itself `{name}` in greeting and HELO, with DNS agreeing."
                ));
                self.push_settings(todo);
            }
        }
    }

    fn push_settings(&self, todo: &mut Vec<String>) {
        let Some(platform) = &self.judgement.platform else {
            todo.push("Look for the host name in the mail server's settings, and restart it.".to_owned());
            return;
        };
        let row = super::platform::row(platform.name);
        let title = row.map_or(platform.name, |row| row.title);
        let before = todo.len();
        todo.extend(settings(platform.name).map(|setting| format!("On {title}: {}.", setting.by)));
        if todo.len() > before {
            return;
        }
        todo.push(match row.map(|row| row.kind) {
            Some(Kind::Provider | Kind::Relay) => {
                format!("{title} sets the name for its customers: ask there.")
            }
            _ => format!("On {title}, look for the host name that it gives in SMTP."),
        });
    }

    /// Commands for a person's own eyes: reverse, forward, greeting, certificate.
    fn check(&self, code: Code) -> Vec<String> {
        let Some(ip) = self.evidence.ip else { return Vec::new() };
        let kind = if ip.is_ipv4() { "A" } else { "AAAA" };
        let mut check = Vec::new();
        if code.side() == Side::Reverse
            || matches!(code, Code::BannerDiffers | Code::PlatformIdentity)
            || code.is_compound()
        {
            check.push(format!("dig -x {ip} +short"));
            let names = self.evidence.resolution.iter().flat_map(|resolution| &resolution.names);
            check.extend(
                names
                    .take(SHOWN_NAMES)
                    .map(|ptr| format!("dig {} {kind} +short", quoted(&ptr.name.to_string()))),
            );
        }
        if code.side() != Side::Reverse {
            check.push(self.greeting_command(code, ip));
        }
        if code.side() == Side::Forward || code.is_compound() && code.side() == Side::Banner {
            check.extend(
                self.judgement.banner_name.as_ref().map(|name| format!("dig {} {kind} +short", quoted(name))),
            );
        }
        check
    }

    fn greeting_command(&self, code: Code, ip: IpAddr) -> String {
        let port = self.port;
        let address = if ip.is_ipv6() { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
        let name = self.judgement.banner_name.as_ref().filter(|name| HostName::parse(name).is_ok());
        let server = name.map(|name| format!(" -servername {}", quoted(name))).unwrap_or_default();
        match (code, port) {
            (_, 465) => format!("openssl s_client -quiet -connect {address}{server}"),
            (Code::CertificateDiffers, _) => {
                format!("openssl s_client -starttls smtp -connect {address}{server}")
            }
            // Some servers greet after half a minute.
            _ => format!("nc -w 60 {ip} {port}"),
        }
    }

    /// Whether the banner's name is known to lead to the address.
    fn leads_here(&self) -> bool {
        self.evidence
            .resolution
            .as_ref()
            .is_some_and(|it| it.banner_forward.confirms(self.evidence.ip) == Some(true))
    }

    /// The banner's name if it is a usable host name.
    fn own_banner(&self) -> Option<&str> {
        let name = self.judgement.banner_name.as_deref()?;
        let form = if name.contains('.') { Form::Host } else { Form::SingleLabel };
        let greeting = Greeting { name: Some(name.to_owned()), form, extra_names: Vec::new(), refusal: None };
        let is_host = HostName::parse(name).is_ok();
        (is_host && Shape::of(&greeting, Support::None).is_usable()).then_some(name)
    }

    /// A name that the host could have: the user's, or the one in the greeting, unless it is somebody else's.
    fn proposed_name(&self) -> Option<String> {
        let expected =
            self.inventory.expected_name.as_deref().and_then(|name| HostName::parse(name.trim()).ok());
        if let Some(expected) = expected {
            return Some(expected.as_str().to_owned());
        }
        let name = self.own_banner()?;
        (!self.providers.is_others(name)).then(|| name.to_owned())
    }
}

/// The most PTR names that commands are written for.
const SHOWN_NAMES: usize = 4;

const COPY: &str = "Do not copy the provider's PTR name into the greeting: it is the provider's, and the next customer's too.";

fn never(code: Code) -> Vec<&'static str> {
    const CLAIM: &str = "Do not greet with a name whose DNS you do not control.";
    match code {
        Code::PlatformIdentity => vec!["Do not ask the platform to change it."],
        Code::PtrUnconfirmed | Code::StalePtr => {
            vec!["Do not set the PTR record to a name whose address record you can't change.", COPY]
        }
        Code::BannerMasked => vec!["Do not rename the server for what the firewall does."],
        Code::BannerDiffers | Code::TwoIdentities | Code::UnownedIdentity | Code::UnfinishedSetup => {
            vec![COPY, CLAIM]
        }
        code if code.side() == Side::Banner => vec![COPY, CLAIM],
        Code::PtrGeneric => vec![COPY],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
