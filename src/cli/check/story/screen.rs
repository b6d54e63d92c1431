//! One server on a screen of 24 lines by 80 columns: how it stands and why, what was seen, the fix, how to
//! check it, and where to read more. The rest is told on request (`-v`).

use super::receivers::scores;
use super::{Page, leads, outcome, told, why_unresolved};
use crate::cli::terminal::paragraph;
use crate::evidence::{Outcome, Status};
use crate::judge::advice::{Advice, Case, advice};
use crate::judge::explain::Subject;
use crate::judge::fix::{HostFix, Step};
use crate::judge::receivers::{Applies, Effect, forecast};
use crate::judge::remedy::Remedy;
use crate::judge::{Severity, Verdict};
use crate::record::escape::escape;
use crate::record::neutral::Safe;
use crate::record::{Network, Record};
use crate::report::table::{clip, columns};
use crate::targets::Inventory;

/// Lines that a screen has beside the prompt's.
const LINES: usize = 23;
/// Where the second column of what was seen begins.
const SEEN: usize = 14;
/// Where the second column of the last lines begins.
const LAST: usize = 11;
/// What most names do, and the same where a line is short of room.
const BACK: &str = "(leads back to this address)";
const SHORT: &str = "(leads back)";
/// PTR names that are shown.
const MAX_NAMES: usize = 3;

impl Page<'_> {
    /// The whole screen of one server.
    pub(super) fn screen(&mut self, asked: &str, record: &Record) {
        let begun = self.text.len();
        let nothing = Inventory::default();
        let inventory = record.target.inventory.as_deref().unwrap_or(&nothing);
        let case = Case {
            evidence: &record.evidence,
            inventory,
            judgement: &record.judgement,
            port: record.target.port,
            providers: self.providers,
        };
        let advice = advice(&case);
        self.line(&format!("{}  {}", state(record), title(asked, record)));
        self.wrapped(&why(record, &advice), "");
        self.text.push('\n');
        self.seen(record);
        let tail = self.tail(asked, record, inventory, &advice);
        match case.fix() {
            Some(fix) => self.fix(&case, &fix),
            None => self.by_hand(asked, record, &advice),
        }
        let used = self.text[begun..].lines().count() + tail.lines().count();
        self.also(&advice, LINES.saturating_sub(used));
        self.text.push_str(&tail);
        self.squeeze(begun);
    }

    /// Takes out blank lines, the last ones first, where all lines are more than a screen has.
    fn squeeze(&mut self, begun: usize) {
        let mut lines: Vec<&str> = self.text[begun..].lines().collect();
        while lines.len() > LINES {
            let Some(blank) = lines.iter().rposition(|line| line.is_empty()) else { break };
            lines.remove(blank);
        }
        let kept = lines.join("\n");
        self.text.truncate(begun);
        self.text.push_str(&kept);
        self.text.push('\n');
    }

    fn wrapped(&mut self, text: &str, indent: &str) {
        let text = Safe(text).to_string();
        self.text.push_str(&paragraph(&text, indent, indent, self.width));
    }

    fn seen_row(&mut self, title: &str, text: &str) {
        let width = self.width.max(40);
        self.line(&clip(&format!("  {title:<SEEN$} {text}"), width));
    }

    /// A name and where it leads, on two lines where one has no room for both.
    fn name_row(&mut self, title: &str, name: &str, leads: &str) {
        let together = format!("{name} {leads}");
        if SEEN + 3 + columns(&together) <= self.width.max(40) {
            self.seen_row(title, &together);
        } else if SEEN + 3 + columns(name) + SHORT.len() < self.width.max(40) && leads == BACK {
            self.seen_row(title, &format!("{name} {SHORT}"));
        } else {
            self.seen_row(title, name);
            self.seen_row("", leads);
        }
    }

    fn seen(&mut self, record: &Record) {
        let (evidence, judged) = (&record.evidence, &record.judgement);
        let seen = &evidence.observation;
        if let Some(greeting) = &seen.greeting {
            let code = greeting.code.map(|code| format!("{:03} ", code.get())).unwrap_or_default();
            self.seen_row("greeting", &format!("{code}{}", escape(greeting.text.first())));
        }
        let resolution = evidence.resolution.as_ref();
        match (&judged.banner_name, resolution) {
            (Some(name), Some(resolution)) => {
                self.name_row("banner name", name, &leads(&resolution.banner_forward, evidence.ip));
            }
            (Some(name), None) => self.seen_row("banner name", name),
            (None, _) if judged.verdict.is_some() => self.seen_row("banner name", "none that can be told"),
            (None, _) => {}
        }
        if let Some(name) = &judged.ehlo_name {
            self.seen_row("EHLO name", name);
        }
        self.samples(seen);
        if let Some(tls) = &seen.tls {
            self.tls(tls, record.target.port);
        }
        if let Some(resolution) = resolution {
            if resolution.ptr != Status::Found {
                self.seen_row("PTR names", &told(resolution.ptr, "none"));
            }
            for (at, ptr) in resolution.names.iter().take(MAX_NAMES).enumerate() {
                let title = if at == 0 { "PTR names" } else { "" };
                self.name_row(title, &ptr.name.to_string(), &leads(&ptr.forward, evidence.ip));
            }
            let count = usize::try_from(resolution.ptr_count).unwrap_or(usize::MAX);
            let more = count.saturating_sub(resolution.names.len().min(MAX_NAMES));
            if more > 0 {
                self.seen_row("", &format!("and {more} more"));
            }
        }
        if let Some(Network { asn, name }) = &record.network {
            self.seen_row("network", &format!("AS{asn} {}", name.as_deref().unwrap_or_default()));
        }
        if let Some(platform) = &judged.platform {
            let version = platform.version.as_deref().unwrap_or_default();
            self.seen_row("platform", format!("{} {version}", platform.name).trim_end());
        }
    }

    fn fix(&mut self, case: &Case<'_>, fix: &HostFix<'_>) {
        let steps = fix.steps();
        self.text.push('\n');
        let head = match steps.as_slice() {
            [only] if only.remedy == Remedy::Banner => {
                format!("The fix: one setting, by the {}", only.who.as_str())
            }
            [only] => format!("The fix: one record, by the {}", only.who.as_str()),
            several => format!("The fix: {} changes, in this order", several.len()),
        };
        self.line(&head);
        if let Some(inside) = case.inside_view() {
            self.wrapped(&inside, "  ");
        }
        if let Some(agree) = fix.to_agree() {
            self.wrapped(agree, "  ");
        }
        let is_alone = steps.len() == 1;
        for (at, step) in steps.iter().enumerate() {
            let lead =
                if is_alone { "  ".to_owned() } else { format!("  {} {}: ", at + 1, step.who.as_str()) };
            self.step(&lead, step, is_alone);
        }
        self.text.push('\n');
        match steps.as_slice() {
            [only] => {
                self.line("Then check");
                let together = format!("  {:<38} -> {}", only.check, only.expected);
                if columns(&together) <= self.width {
                    self.line(&together);
                } else {
                    self.line(&format!("  {}", only.check));
                    self.line(&format!("    -> {}", only.expected));
                }
            }
            _ => self.line(&format!("Then check  banneret check {}, expected: FINE", fix.ip)),
        }
    }

    /// A record or command stands on a line of its own, to be copied whole.
    fn step(&mut self, lead: &str, step: &Step, is_alone: bool) {
        if let Some(record) = &step.record {
            self.line(&format!("{lead}{record}"));
            let panel = step.forms.iter().find(|(label, _)| *label == "panel");
            if let (Some((_, panel)), true) = (panel, is_alone) {
                self.wrapped(&format!("In a panel: {panel}"), "  ");
            }
            return;
        }
        let what =
            if is_alone { step.what.clone() } else { format!("greet, also in HELO, as {}", step.name) };
        self.text.push_str(&paragraph(&Safe(&what).to_string(), lead, "  ", self.width));
        let exact = || step.forms.iter().filter(|(label, _)| matches!(*label, "command" | "line"));
        if exact().next().is_none()
            && let Some((_, setting)) = step.forms.first()
        {
            self.wrapped(setting, "    ");
        }
        for (_, form) in exact() {
            let form = if is_alone { form.clone() } else { form.replace('\n', " && ") };
            form.lines().for_each(|line| self.line(&format!("    {line}")));
        }
    }

    /// What to do where no change is known that would clear it.
    fn by_hand(&mut self, asked: &str, record: &Record, advice: &[Advice]) {
        let ways = ways(asked, record);
        let todo = advice.iter().filter(|one| one.severity >= Severity::Low && one.accepted.is_none());
        let todo: Vec<&String> = todo.take(1).flat_map(|one| &one.todo).collect();
        if ways.is_empty() && todo.is_empty() {
            return;
        }
        self.text.push('\n');
        self.line("What you can do");
        for text in todo.into_iter().map(String::as_str).chain(ways.iter().map(String::as_str)) {
            self.text.push_str(&paragraph(&Safe(text).to_string(), "  - ", "    ", self.width));
        }
    }

    /// A sentence for each finding that the fix does not speak of, as many as there is room for.
    fn also(&mut self, advice: &[Advice], room: usize) {
        let mut minor: Vec<&Advice> =
            advice.iter().filter(|one| one.severity < Severity::Low || one.accepted.is_some()).collect();
        minor.sort_by_key(|one| std::cmp::Reverse(one.severity));
        let mut left = room.saturating_sub(1);
        let mut text = String::new();
        for one in minor {
            let sentence = format!("{}: {}", one.code.as_str(), one.why);
            let told = paragraph(&Safe(&sentence).to_string(), "  ", "    ", self.width);
            let lines = told.lines().count();
            if lines > left {
                break;
            }
            left -= lines;
            text.push_str(&told);
        }
        if text.is_empty() {
            return;
        }
        self.text.push('\n');
        self.text.push_str(&text);
    }

    /// The last lines: who cares, the codes, where to read more.
    fn tail(&self, asked: &str, record: &Record, inventory: &Inventory, advice: &[Advice]) -> String {
        let mut tail = String::from("\n");
        let mut row = |title: &str, text: &str| {
            let first = format!("{title:<LAST$}");
            tail.push_str(&paragraph(&Safe(text).to_string(), &first, &" ".repeat(LAST), self.width));
        };
        let judged = &record.judgement;
        if judged.verdict.is_some() {
            let cares = cares(record, inventory);
            if let Some(cares) = cares {
                row("Who cares", &cares);
            }
        }
        let first = judged.verdict.map_or(record.evidence.observation.outcome.as_str(), Verdict::as_str);
        let mut codes = vec![first.to_owned()];
        codes.extend(judged.severity.map(|severity| severity.as_str().to_owned()));
        codes.extend(advice.iter().map(code));
        row("Codes", &codes.join(", "));
        let worst = advice.iter().max_by_key(|one| (one.severity, std::cmp::Reverse(one.code)));
        let about = worst.map_or(first, |one| one.code.as_str());
        row("More", &format!("banneret explain {about}; all: banneret check -v {asked}"));
        tail
    }
}

/// A finding's code; of an accepted one until when, and why.
fn code(one: &Advice) -> String {
    let code = one.code.as_str();
    match &one.accepted {
        Some(accepted) => format!("{code} (accepted until {}: {})", accepted.until, accepted.reason),
        None => code.to_owned(),
    }
}

/// How it stands, in the words of a person.
fn state(record: &Record) -> &'static str {
    match (record.judgement.severity, record.judgement.verdict) {
        (Some(Severity::High), _) => "URGENT",
        (Some(Severity::Medium), _) => "SOON",
        (Some(Severity::Low), _) => "LATER",
        (_, None | Some(Verdict::Undetermined)) => "NOT KNOWN",
        _ => "FINE",
    }
}

fn title(asked: &str, record: &Record) -> String {
    let Some(ip) = record.target.ip else { return asked.to_owned() };
    let port = match record.target.port {
        25 => String::new(),
        port => format!(" port {port}"),
    };
    let name = record.judgement.banner_name.as_deref().map(|name| format!("{name} at ")).unwrap_or_default();
    let asked = if asked == ip.to_string() { String::new() } else { format!(", asked as {asked}") };
    format!("{name}{ip}{port}{asked}")
}

fn why(record: &Record, advice: &[Advice]) -> String {
    let judged = &record.judgement;
    let Some(verdict) = judged.verdict else {
        let seen = outcome(record.evidence.observation.outcome);
        let why = record.target.unresolved.map(|it| format!("; {}", why_unresolved(it.status)));
        return format!("{seen}{}", why.unwrap_or_default());
    };
    let open = advice.iter().filter(|one| one.severity >= Severity::Low && one.accepted.is_none());
    let worst = open.max_by_key(|one| (one.severity, std::cmp::Reverse(one.code)));
    match worst {
        Some(worst) => worst.why.to_owned(),
        None if verdict == Verdict::Undetermined => {
            "DNS gave no definite answer, so the names can't be judged. That is no fault of the mail server, and may pass."
                .to_owned()
        }
        None => format!("{}. Nothing has to be done.", Subject::Verdict(verdict).title().trim_end_matches('.')),
    }
}

/// Who refuses, who delays, who counts points, each named once; `None` where nobody does.
fn cares(record: &Record, inventory: &Inventory) -> Option<String> {
    let forecast = forecast(&record.evidence, inventory, &record.judgement);
    let named = |effect: fn(&Effect) -> bool| {
        let mut names: Vec<&str> = Vec::new();
        for it in
            forecast.reactions.iter().filter(|it| it.rule.applies == Applies::Always && effect(&it.effect))
        {
            if !names.contains(&it.rule.receiver) {
                names.push(it.rule.receiver);
            }
        }
        names.join(", ")
    };
    let parts = [
        ("refuse", named(|effect| *effect == Effect::Reject)),
        ("delay", named(|effect| *effect == Effect::Defer)),
    ];
    let points = scores(&forecast.reactions.iter().collect::<Vec<_>>());
    let told = parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| format!("{verb}: {names}"));
    let told: Vec<String> = told.chain((!points.is_empty()).then(|| points.join(", "))).collect();
    let observed = match (&forecast.helo_name, forecast.helo_observed) {
        (Some(name), true) => format!(" (HELO name {name}, as observed)"),
        _ => String::new(),
    };
    (!told.is_empty()).then(|| format!("{}{observed}", told.join("; ")))
}

/// Ways to go on by hand where nothing, or not enough, could be said.
fn ways(asked: &str, record: &Record) -> Vec<String> {
    let outcome = record.evidence.observation.outcome;
    let (port, at) = (record.target.port, record.target.ip.map(|ip| ip.to_string()));
    let at = at.unwrap_or_else(|| asked.to_owned());
    let knock = match port {
        465 => format!("openssl s_client -quiet -connect {at}:465"),
        _ => format!("nc -w 60 {at} {port}"),
    };
    let other_way = "Ask from another network: many providers block port 25 of their customers' lines.";
    let ways: &[&str] = match (record.judgement.verdict, outcome) {
        (Some(Verdict::Undetermined), _) => &[
            "Try again in a few minutes, or ask another resolver: --resolver ADDRESS",
            "Ask the zones' own servers: banneret check --verify",
            "If they stay silent, tell whoever runs the reverse zone: the owner of the address.",
        ],
        (None, Outcome::Silent | Outcome::Closed | Outcome::Reset) => &[
            "Wait longer: some servers greet after a minute (--greeting-timeout 5m); others turn unknown clients away.",
            other_way,
        ],
        (None, Outcome::Refused | Outcome::TimedOut | Outcome::Unreachable) => &[
            "If it only sends mail, nothing listens: look at the HELO name in mail that it sent.",
            other_way,
        ],
        (None, Outcome::Unresolved) if asked.starts_with("mx:") => {
            &["Look at the MX records: a lone `0 .` says that the domain takes no mail (null MX, RFC 7505)."]
        }
        (None, Outcome::Unresolved) => {
            &["Look for the name's spelling, and whether it has an address at all."]
        }
        (None, Outcome::NotSmtp) => {
            &["Another service answers there: try -p 587 or -p 465, or ask who runs it."]
        }
        (None, Outcome::TlsFailed) => &["Try the port without TLS first: -p 25 or -p 587."],
        _ => &[],
    };
    let mut ways: Vec<String> = ways.iter().map(|&way| way.to_owned()).collect();
    let by_hand =
        match (record.judgement.verdict, outcome) {
            (Some(Verdict::Undetermined), _) => Some(format!("dig -x {at}")),
            (Some(_), _) | (None, Outcome::Excluded | Outcome::NotTried) => None,
            (None, Outcome::Unresolved) => {
                let domain = asked.strip_prefix("mx:");
                Some(domain.map_or_else(
                    || format!("dig +short {asked}"),
                    |domain| format!("dig +short {domain} MX"),
                ))
            }
            (None, _) => Some(knock),
        };
    if let Some(command) = by_hand {
        ways.push(format!("By hand: `{command}`"));
    }
    if record.judgement.verdict.is_none() && record.target.ip.is_some() {
        ways.push(format!("The reverse name can be asked all the same: `dig +short -x {at}`"));
    }
    ways
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::evidence::{Evidence, Observation};
    use crate::judge::Context;
    use crate::record::{Foreign, Target, Unjudged};

    fn ended(asked: &str, ip: Option<&str>, outcome: Outcome) -> Record {
        let ip = ip.map(|ip| ip.parse().unwrap());
        let observation = Observation::bare(outcome, 1);
        let target = Target { ip, port: 25, asked: asked.into(), inventory: None, unresolved: None };
        let evidence = Evidence { ip, observation, resolution: None, scanner: None };
        let time = SystemTime::UNIX_EPOCH;
        Unjudged { time, target, evidence, network: None, foreign: Foreign::default() }
            .judge(&Context::default())
    }

    #[test]
    fn whatever_says_nothing_has_a_way_to_go_on_by_hand() {
        for (asked, ip, outcome, way) in [
            ("mx:example.org", None, Outcome::Unresolved, "null MX, RFC 7505"),
            ("mx:example.org", None, Outcome::Unresolved, "By hand: `dig +short example.org MX`"),
            ("mail.example.org", None, Outcome::Unresolved, "By hand: `dig +short mail.example.org`"),
            ("192.0.2.1", Some("192.0.2.1"), Outcome::Silent, "--greeting-timeout 5m"),
            ("192.0.2.1", Some("192.0.2.1"), Outcome::Silent, "By hand: `nc -w 60 192.0.2.1 25`"),
            ("192.0.2.1", Some("192.0.2.1"), Outcome::TimedOut, "from another network"),
            ("192.0.2.1", Some("192.0.2.1"), Outcome::Refused, "HELO name in mail that it sent"),
            ("192.0.2.1", Some("192.0.2.1"), Outcome::Refused, "`dig +short -x 192.0.2.1`"),
        ] {
            let ways = ways(asked, &ended(asked, ip, outcome));
            assert!(ways.iter().any(|it| it.contains(way)), "{asked} {outcome:?} {way}: {ways:?}");
        }
    }
}
