//! One server for a person: what it says, what DNS says, what is wrong, who cares, what to do. On one screen
//! ([`screen`]) or, for `-v`, in full. All that strangers said is neutralised.

mod findings;
mod overview;
mod receivers;
mod screen;
mod tls;
mod verify;

use std::fmt::Write as _;
use std::net::IpAddr;

use super::{Checked, Server};
use crate::cli::terminal::paragraph;
use crate::evidence::{Forward, Observation, Outcome, Resolution, Status};
use crate::judge::advice::{Case, advice};
use crate::judge::explain::Subject;
use crate::judge::providers::Providers;
use crate::judge::{Fcrdns, Verdict, tenancy_among};
use crate::record::escape::escape;
use crate::record::neutral::Safe;
use crate::record::{Network, Record};
use crate::report::table::clip;
use crate::smtp::reply::Reply;
use crate::targets::Inventory;

/// Lines of a greeting that are shown.
const MAX_LINES: usize = 4;
/// Columns of each that are shown; what a greeting is about stands in front.
const MAX_COLUMNS: usize = 160;
/// PTR names that are shown.
const MAX_NAMES: usize = 8;
/// Addresses of a name that are shown.
const MAX_ADDRESSES: usize = 4;
/// Where the second column begins.
const COLUMN: usize = 14;

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What fits on a screen.
    Screen,
    /// Everything.
    All,
}

/// The whole text.
pub(super) fn text(checked: &Checked, detail: Detail, width: usize) -> String {
    let mut page = Page { text: String::new(), detail, width, providers: &checked.providers };
    let several = checked.servers.len() > 1;
    if several {
        page.overview(checked);
    }
    for (at, server) in checked.servers.iter().enumerate() {
        if several && detail == Detail::Screen && overview::says_all(server) {
            continue;
        }
        if several || at > 0 {
            page.text.push('\n');
        }
        match server {
            Server::Tried(record, verified) => {
                match detail {
                    Detail::Screen => page.screen(&checked.asked, record),
                    Detail::All => page.server(&checked.asked, record),
                }
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

struct Page<'p> {
    text: String,
    detail: Detail,
    width: usize,
    providers: &'p Providers,
}

impl Page<'_> {
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
        if let Some(unresolved) = record.target.unresolved {
            self.row("", why_unresolved(unresolved.status));
        }
        if let Some(greeting) = &seen.greeting {
            self.greeting(greeting);
        }
        if let Some(Network { asn, name }) = &record.network {
            self.row("network", &format!("AS{asn} {}", name.as_deref().unwrap_or_default()));
        }
        self.names(record);
        let judged = &record.judgement;
        let Some(verdict) = judged.verdict else { return };
        let nothing = Inventory::default();
        let inventory = record.target.inventory.as_deref().unwrap_or(&nothing);
        let server = match &judged.platform {
            Some(platform) => {
                format!("{} {}", platform.name, platform.version.as_deref().unwrap_or_default())
            }
            None => "not told by the greeting".to_owned(),
        };
        let (tenancy, reason) = tenancy_among(&record.evidence, inventory, self.providers);
        let reason = reason.as_str();
        self.row("platform", &format!("{}; tenancy {}: {reason}", server.trim_end(), tenancy.as_str()));
        self.row("verdict", &format!("{}: {}", verdict.as_str(), Subject::Verdict(verdict).title()));
        if let Some(text) = Subject::Verdict(verdict).text().get(1) {
            self.row("", text);
        }
        let case = Case {
            evidence: &record.evidence,
            inventory,
            judgement: judged,
            port: record.target.port,
            providers: self.providers,
        };
        let advice = advice(&case);
        if advice.is_empty() && verdict != Verdict::Undetermined {
            self.row("findings", "none");
        }
        self.findings(&advice);
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
                let to = leads(&resolution.banner_forward, record.evidence.ip);
                self.row("banner name", &format!("{name} {to}"));
            }
            (Some(name), None) => self.row("banner name", name),
            (None, _) if judged.verdict.is_some() => self.row("banner name", "none that can be told"),
            (None, _) => {}
        }
        if let Some(name) = &judged.ehlo_name {
            self.row("EHLO name", name);
        }
        self.samples(&record.evidence.observation);
        if let Some(tls) = &record.evidence.observation.tls {
            self.tls(tls, record.target.port);
        }
        if let Some(resolution) = resolution {
            self.ptr_names(resolution, record.evidence.ip);
        }
        if let Some(fcrdns) = judged.fcrdns {
            self.row("FCrDNS", fcrdns_words(fcrdns));
        }
    }

    fn ptr_names(&mut self, resolution: &Resolution, ip: Option<IpAddr>) {
        if resolution.ptr != Status::Found {
            self.row("PTR names", &told(resolution.ptr, "none"));
        }
        for (at, ptr) in resolution.names.iter().take(MAX_NAMES).enumerate() {
            let title = if at == 0 { "PTR names" } else { "" };
            self.row(title, &format!("{} {}", ptr.name, leads(&ptr.forward, ip)));
        }
        let shown = resolution.names.len().min(MAX_NAMES);
        let more = usize::try_from(resolution.ptr_count).unwrap_or(usize::MAX).saturating_sub(shown);
        if more > 0 {
            self.row("", &format!("and {more} more"));
        }
    }

    /// The names of further conversations.
    fn samples(&mut self, seen: &Observation) {
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
    }

    /// A line in two columns, the second one broken where it is too long.
    fn row(&mut self, title: &str, text: &str) {
        let first = format!("    {title:<COLUMN$} ");
        let indent = " ".repeat(COLUMN + 5);
        let text = Safe(text.trim_end()).to_string();
        self.text.push_str(&paragraph(&text, &first, &indent, self.width));
    }

    /// The same; `None` in a row's place is no row.
    fn rows<T: AsRef<str>>(&mut self, title: &str, texts: impl IntoIterator<Item = T>) {
        for (at, text) in texts.into_iter().enumerate() {
            self.row(if at == 0 { title } else { "" }, text.as_ref());
        }
    }

    /// Commands are copied whole, so they are not broken.
    fn commands<T: AsRef<str>>(&mut self, commands: impl IntoIterator<Item = T>) {
        for (at, command) in commands.into_iter().enumerate() {
            let title = if at == 0 { "by hand" } else { "" };
            self.line(&format!("    {title:<COLUMN$} {}", command.as_ref()));
        }
    }

    fn line(&mut self, text: &str) {
        // Writing to a `String` does not fail.
        let _ = writeln!(self.text, "{}", Safe(text));
    }
}

/// Where a name leads, in words that follow it.
fn leads(forward: &Forward, target: Option<IpAddr>) -> String {
    if forward.status != Status::Found {
        return format!("({})", told(forward.status, "no address"));
    }
    let mut list: Vec<String> =
        forward.addresses.iter().take(MAX_ADDRESSES).map(ToString::to_string).collect();
    if forward.addresses.len() > MAX_ADDRESSES {
        list.push(format!("{} more", forward.addresses.len() - MAX_ADDRESSES));
    }
    match forward.confirms(target) {
        Some(true) if forward.addresses.len() == 1 => "(leads back to this address)".to_owned(),
        Some(true) => format!("(leads back to this address: {})", list.join(", ")),
        Some(false) if forward.is_inside_view(target) => {
            format!("(leads elsewhere: {}, as seen from inside)", list.join(", "))
        }
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

/// Forward-confirmed reverse DNS for a person: the words of RFC 8601 are for programs.
fn fcrdns_words(fcrdns: Fcrdns) -> &'static str {
    match fcrdns {
        Fcrdns::Pass => "pass",
        Fcrdns::Fail => "fail: no PTR name leads back to the address",
        Fcrdns::TempError => "not known: DNS gave no definite answer",
        Fcrdns::PermError => "none: the address has no PTR name",
    }
}

/// Why a name has no address.
fn why_unresolved(status: Status) -> &'static str {
    match status {
        Status::NxDomain => "nxdomain: there is no such name",
        Status::NoData => "no_data: the name exists, and has no address, or takes no mail",
        Status::ServFail => {
            "servfail: the resolver could not get an answer of the zone's servers, or refuses it"
        }
        Status::Refused => "refused: the resolver does not answer us",
        Status::TimedOut => "timed_out: the resolver did not answer in time",
        Status::Malformed => "malformed: the answer settles nothing: a lame server, or aliases in a circle",
        Status::Untrusted => {
            "untrusted: the resolver that denies it is not believed, or another one contradicts it"
        }
        Status::Found | Status::NotAsked | Status::Other => "it was not asked for",
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
        Outcome::NotTried => "not_tried: this machine has nothing to reach addresses of that family by",
        Outcome::TlsFailed => "tls_failed: TLS comes first here, and no handshake was made",
        Outcome::Unresolved => "unresolved: the name has no address",
        Outcome::Excluded => "excluded: the name leads only to reserved addresses (`--allow-reserved`)",
        Outcome::Other => "other: a word of a later version",
    }
}
