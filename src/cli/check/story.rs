//! One server on one screen, for a person: what it says, what DNS says, what is wrong, who minds, what to do. All that
//! strangers said is neutralised.

use std::fmt::Write as _;
use std::time::Duration;

use super::verify::{Compared, Outlook, Standing, Verified, content};
use super::{Checked, Server};
use crate::cli::terminal::paragraph;
use crate::evidence::{Forward, Observation, Outcome, Status};
use crate::judge::Verdict;
use crate::judge::advice::{Advice, Case, advice};
use crate::judge::explain::Subject;
use crate::judge::receivers::{Applies, Effect, Reaction, forecast};
use crate::record::{Network, Record};
use crate::record::escape::escape;
use crate::record::neutral::Safe;
use crate::record::time;
use crate::report::table::clip;
use crate::smtp::reply::Reply;
use crate::targets::Inventory;

/// Lines of a greeting that are shown.
const MAX_LINES: usize = 6;
/// Columns of each that are shown; what a greeting is about stands in front.
const MAX_COLUMNS: usize = 240;
/// PTR names that are shown.
const MAX_NAMES: usize = 8;
/// Addresses of a name that are shown.
const MAX_ADDRESSES: usize = 4;
/// Where the second column begins.
const COLUMN: usize = 14;

/// The whole screen.
pub(super) fn text(checked: &Checked, width: usize) -> String {
    let mut page = Page { text: String::new(), width };
    for (at, server) in checked.servers.iter().enumerate() {
        if at > 0 {
            page.text.push('\n');
        }
        match server {
            Server::Tried(record, verified) => {
                page.server(&checked.asked, record);
                if let Some(verified) = verified {
                    page.verified(verified);
                }
            }
            Server::Untried(at, trouble) => {
                page.head(&checked.asked, &format!("{} port {}", at.ip(), at.port()));
                page.row("outcome", &format!("not tried: {trouble}"));
            }
        }
    }
    page.text
}

struct Page {
    text: String,
    width: usize,
}

impl Page {
    fn head(&mut self, asked: &str, address: &str) {
        let is_address = address.split(' ').next() == Some(asked);
        let head = if is_address { address.to_owned() } else { format!("{address}, asked as {asked}") };
        self.line(&head);
    }

    fn server(&mut self, asked: &str, record: &Record) {
        match record.target.ip {
            Some(ip) => self.head(asked, &format!("{ip} port {}", record.target.port)),
            None => self.line(asked),
        }
        let seen = &record.evidence.observation;
        self.row("outcome", outcome(seen.outcome));
        if let Some(greeting) = &seen.greeting {
            self.greeting(greeting);
        }
        if let Some(Network { asn, name }) = &record.network {
            self.row("network", &format!("AS{asn} {}", name.as_deref().unwrap_or_default()));
        }
        self.names(record);
        let judged = &record.judgement;
        let Some(verdict) = judged.verdict else { return };
        if let Some(platform) = &judged.platform {
            let version = platform.version.as_deref().unwrap_or_default();
            self.row("platform", &format!("{} {version}", platform.name));
        }
        let nothing = Inventory::default();
        let inventory = record.target.inventory.as_deref().unwrap_or(&nothing);
        self.row("tenancy", judged.tenancy.as_str());
        self.row("verdict", &format!("{}: {}", verdict.as_str(), Subject::Verdict(verdict).title()));
        if let Some(text) = Subject::Verdict(verdict).text().get(1) {
            self.row("", text);
        }
        let case =
            Case { evidence: &record.evidence, inventory, judgement: judged, port: record.target.port };
        let advice = advice(&case);
        if advice.is_empty() && verdict != Verdict::Undetermined {
            self.row("findings", "none");
        }
        for advice in &advice {
            self.advice(advice);
        }
        self.receivers(record, inventory);
    }

    fn greeting(&mut self, greeting: &Reply) {
        let code = greeting.code.map(|code| format!("{:03} ", code.get())).unwrap_or_default();
        for (at, line) in greeting.text.lines().take(MAX_LINES).enumerate() {
            let title = if at == 0 { "greeting" } else { "" };
            self.row(title, &format!("{code}{}", clip(&escape(line), MAX_COLUMNS)));
        }
        if greeting.text.len() > MAX_LINES {
            self.row("", &format!("and {} lines more", greeting.text.len() - MAX_LINES));
        }
    }

    fn names(&mut self, record: &Record) {
        let judged = &record.judgement;
        let resolution = record.evidence.resolution.as_ref();
        match (&judged.banner_name, resolution) {
            (Some(name), Some(resolution)) => {
                self.row("banner name", &format!("{name} {}", leads(&resolution.banner_forward)));
            }
            (Some(name), None) => self.row("banner name", name),
            (None, _) if judged.verdict.is_some() => self.row("banner name", "none that can be told"),
            (None, _) => {}
        }
        if let Some(name) = &judged.ehlo_name {
            self.row("EHLO name", name);
        }
        self.further_names(&record.evidence.observation);
        let Some(resolution) = resolution else { return };
        if resolution.ptr != Status::Found {
            self.row("PTR names", &told(resolution.ptr, "none"));
        }
        for (at, ptr) in resolution.names.iter().take(MAX_NAMES).enumerate() {
            let title = if at == 0 { "PTR names" } else { "" };
            self.row(title, &format!("{} {}", ptr.name, leads(&ptr.forward)));
        }
        let shown = resolution.names.len().min(MAX_NAMES);
        let more = usize::try_from(resolution.ptr_count).unwrap_or(usize::MAX).saturating_sub(shown);
        if more > 0 {
            self.row("", &format!("and {more} more"));
        }
        if let Some(fcrdns) = judged.fcrdns {
            self.row("FCrDNS", fcrdns.as_str());
        }
    }

    /// The names of further conversations, and of the certificate.
    fn further_names(&mut self, seen: &Observation) {
        let all = seen.samples.len();
        let mut told: Vec<&Option<Box<str>>> = Vec::new();
        for name in &seen.samples {
            if told.contains(&name) {
                continue;
            }
            let count = seen.samples.iter().filter(|other| *other == name).count();
            let title = if told.is_empty() { "greetings" } else { "" };
            self.row(title, &format!("{} ({count} of {all})", name.as_deref().unwrap_or("no name")));
            told.push(name);
        }
        let Some(tls) = &seen.tls else { return };
        let version = tls.version.as_deref().unwrap_or_default();
        self.row("TLS", &format!("{} {version}", tls.status.as_str()));
        if let Some(certificate) = tls.certificate.as_ref().filter(|it| !it.names.is_empty()) {
            let names: Vec<&str> = certificate.names.iter().take(MAX_NAMES).map(AsRef::as_ref).collect();
            self.row("certificate", &names.join(", "));
        }
    }

    fn advice(&mut self, advice: &Advice) {
        self.text.push('\n');
        self.line(&format!(
            "  {}: {}; who can fix it: {}",
            advice.code.as_str(),
            advice.severity.as_str(),
            advice.fixer.as_str()
        ));
        self.row("why", advice.why);
        self.row("who cares", advice.cares);
        for (at, todo) in advice.todo.iter().enumerate() {
            self.row(if at == 0 { "what to do" } else { "" }, todo);
        }
        for (at, never) in advice.never.iter().enumerate() {
            self.row(if at == 0 { "what not" } else { "" }, never);
        }
        for (at, command) in advice.check.iter().enumerate() {
            // A command is copied whole.
            let title = if at == 0 { "by hand" } else { "" };
            self.line(&format!("    {title:<COLUMN$} {command}"));
        }
    }

    fn receivers(&mut self, record: &Record, inventory: &Inventory) {
        let forecast = forecast(&record.evidence, inventory, &record.judgement);
        let acting: Vec<&Reaction> = forecast
            .reactions
            .iter()
            .filter(|reaction| !matches!(reaction.effect, Effect::Pass | Effect::Unknown))
            .collect();
        let unknown = forecast.reactions.iter().filter(|reaction| reaction.effect == Effect::Unknown).count();
        let passed = forecast.reactions.len() - acting.len() - unknown;
        self.text.push('\n');
        self.line(&format!(
            "  receivers: {passed} rules are passed, {} act, {unknown} can't be told (rules of version {})",
            acting.len(),
            forecast.version
        ));
        match (&forecast.helo_name, forecast.helo_observed) {
            (Some(name), true) => self.row("HELO name", &format!("{name}, as observed")),
            (Some(name), false) => self.row(
                "HELO name",
                &format!(
                    "{name}: the banner's, as a stand-in; receivers see the one in HELO (`--helo-name`)"
                ),
            ),
            (None, _) => {}
        }
        for reaction in acting {
            let rule = reaction.rule;
            let reply = if rule.reply.is_empty() { String::new() } else { format!(" ({})", rule.reply) };
            let applies = match rule.applies {
                Applies::Always => "",
                Applies::IfConfigured => ", where it is switched on",
                Applies::Sometimes => ", at times",
            };
            self.row(rule.receiver, &format!("{}: {}{reply}{applies}", rule.name, effect(reaction.effect)));
        }
    }

    fn verified(&mut self, verified: &Verified) {
        self.text.push('\n');
        let clean = verified.outlook.clean().map(time::to_string).unwrap_or_default();
        self.line(&format!("  verify: {}", verified.outlook.as_str()));
        self.row(
            "",
            &match verified.outlook {
                Outlook::Current => "what the zones' own servers say is what was judged".to_owned(),
                Outlook::FixedPendingCache(_) => {
                    format!("the fix is published; caches may show the old answer until {clean}")
                }
                Outlook::ChangedPendingCache(_) => {
                    format!("something else is published, which makes it no better; all see it from {clean}")
                }
                Outlook::Divided => {
                    "the servers of a zone contradict each other: some have not taken over the change"
                        .to_owned()
                }
                Outlook::Unknown => "no server of the zones gave a definite answer".to_owned(),
            },
        );
        for compared in &verified.compared {
            self.compared(compared);
        }
        let Some(name) = verified.name.as_ref().filter(|_| !verified.doors.is_empty()) else { return };
        self.text.push('\n');
        self.line(&format!("  what greets at the addresses of {name}"));
        for door in &verified.doors {
            let outcome = match &door.outcome {
                Ok(outcome) => outcome.as_str().to_owned(),
                Err(trouble) => format!("not tried: {trouble}"),
            };
            let banner = door.banner_name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
            self.row("", &format!("{}: {outcome}{banner}; PTR {}", door.at, content(&door.ptr)));
        }
    }

    fn compared(&mut self, compared: &Compared) {
        let Compared { question, cached, said } = compared;
        let standing = match compared.standing() {
            Standing::Same => "the same",
            Standing::Pending(_) => "another answer is published",
            Standing::Divided => "the servers contradict each other",
            Standing::Unknown => "can't be told",
        };
        self.row(super::json::kind(question.kind), &format!("{}: {standing}", question.name));
        let left = humantime::format_duration(Duration::from_secs(cached.ttl.as_secs()));
        let left = if cached.status.is_definite() { format!(", for {left} more") } else { String::new() };
        self.row("", &format!("resolver: {}{left}", content(cached)));
        for said in said {
            self.row("", &format!("{} ({}): {}", said.server, said.at.ip(), content(&said.answer)));
        }
    }

    /// A line in two columns, the second one broken where it is too long.
    fn row(&mut self, title: &str, text: &str) {
        let first = format!("    {title:<COLUMN$} ");
        let indent = " ".repeat(COLUMN + 5);
        let text = Safe(text.trim_end()).to_string();
        self.text.push_str(&paragraph(&text, &first, &indent, self.width));
    }

    fn line(&mut self, text: &str) {
        // Writing to a `String` does not fail.
        let _ = writeln!(self.text, "{}", Safe(text));
    }
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Pass => "passes".to_owned(),
        Effect::Defer => "defers".to_owned(),
        Effect::Reject => "rejects".to_owned(),
        Effect::Score(least, most) if (least - most).abs() < f32::EPSILON => format!("{least} points"),
        Effect::Score(least, most) => format!("{least} to {most} points"),
        Effect::Unknown => "can't be told".to_owned(),
    }
}

/// Where a name leads, in words that follow it.
fn leads(forward: &Forward) -> String {
    if forward.status != Status::Found {
        return format!("({})", told(forward.status, "no address"));
    }
    let mut list: Vec<String> =
        forward.addresses.iter().take(MAX_ADDRESSES).map(ToString::to_string).collect();
    if forward.addresses.len() > MAX_ADDRESSES {
        list.push(format!("{} more", forward.addresses.len() - MAX_ADDRESSES));
    }
    match forward.confirms {
        Some(true) if forward.addresses.len() == 1 => "(leads back to this address)".to_owned(),
        Some(true) => format!("(leads back to this address: {})", list.join(", ")),
        Some(false) => format!("(leads elsewhere: {})", list.join(", ")),
        None => format!("(leads to {})", list.join(", ")),
    }
}

/// How a question ended that found nothing.
fn told(status: Status, nothing: &str) -> String {
    match status {
        Status::Found => "found".to_owned(),
        Status::NoData | Status::NxDomain => format!("{nothing}: {}", status.as_str()),
        Status::NotAsked => "not asked".to_owned(),
        _ => format!("unknown: {}", status.as_str()),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Greeted => "greeted",
        Outcome::Rejected => "rejected: the greeting turns us away",
        Outcome::Silent => "silent: connected, and no greeting in time",
        Outcome::Closed => "closed: connected, and closed without a greeting",
        Outcome::NotSmtp => "not_smtp: something else than SMTP was said",
        Outcome::Refused => "refused: nothing listens there, or a firewall says so",
        Outcome::TimedOut => "timed_out: no answer; a firewall may drop the packets, here or there",
        Outcome::Unreachable => "unreachable: the network says that there is no way",
        Outcome::Reset => "reset: connected, and cut off before a greeting",
        Outcome::Unresolved => "unresolved: the name has no address",
        Outcome::Excluded => "excluded: the name leads only to reserved addresses (`--allow-reserved`)",
    }
}
