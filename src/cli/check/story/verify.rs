//! Whether a fix is published, for how long it is hidden, and what greets behind the names' addresses.

use std::time::Duration;

use super::super::json::kind;
use super::super::verify::{Compared, Door, Effect, Outlook, Standing, Verified, Word, content, trouble};
use super::{Detail, Page};
use crate::judge::{Severity, Verdict};
use crate::record::time;
use crate::resolve::delegation::{Leg, Listed, Said, Server};

impl Page<'_> {
    pub(super) fn verified(&mut self, verified: &Verified) {
        self.text.push('\n');
        self.line(&format!("  verify: {}", verified.outlook.word.as_str()));
        self.row("", &meaning(&verified.outlook));
        for (place, reason) in verified.reasons.iter().enumerate() {
            self.row(if place == 0 { "why" } else { "" }, reason);
        }
        for compared in &verified.compared {
            self.compared(compared);
        }
        if verified.doors.is_empty() {
            return;
        }
        let names: Vec<String> = verified.names.iter().map(ToString::to_string).collect();
        self.text.push('\n');
        self.line(&format!("  what greets at the addresses of {}", names.join(", ")));
        for doors in verified.doors.chunk_by(|one, next| one.at.ip() == next.at.ip()) {
            let told: Vec<String> = doors.iter().map(door).collect();
            if let Some(first) = doors.first() {
                let led = match first.led.as_str() {
                    "cache" => ", by the old records only",
                    "zone" => ", by the new records",
                    _ => "",
                };
                let ptr = content(&first.ptr);
                self.row("", &format!("{} (PTR {ptr}{led}): {}", first.at.ip(), told.join(", ")));
            }
        }
    }

    fn compared(&mut self, compared: &Compared) {
        let Compared { question, cached, walk, .. } = compared;
        let last = walk.legs.last();
        let shown = compared.standing();
        let standing = match shown {
            Standing::Same if self.detail == Detail::Screen && compared.is_whole() => {
                format!("{}, the same everywhere", content(cached))
            }
            Standing::Same => {
                let fine =
                    last.map_or(0, |leg| leg.counted().filter(|server| server.trouble().is_none()).count());
                let all = last.map_or(0, |leg| leg.counted().count());
                format!("{}, the same at {fine} of {all} servers", content(cached))
            }
            Standing::Pending(_) => "another answer is published".to_owned(),
            Standing::Divided => "the servers contradict each other".to_owned(),
            Standing::Bogus => "published, and refused by the resolver".to_owned(),
            Standing::Unknown => "can't be told".to_owned(),
        };
        self.row(kind(question.kind), &format!("{}: {standing}", question.name));
        if shown == Standing::Same && self.detail == Detail::Screen && compared.is_whole() {
            return;
        }
        let left = match shown {
            Standing::Pending(pending) => format!(", for {} more", for_so_long(pending.here)),
            _ if cached.status.is_definite() => format!(", for {} more", for_so_long(cached.ttl)),
            _ => String::new(),
        };
        self.row("", &format!("resolver: {}{left}", content(cached)));
        for leg in &walk.legs {
            self.leg(leg);
        }
    }

    fn leg(&mut self, leg: &Leg) {
        self.row("", &format!("zone {}, {}:", leg.zone, leg.name));
        for server in &leg.servers {
            let at = server.ip.map(|ip| format!(" ({ip})")).unwrap_or_default();
            let listed = match server.listed {
                Listed::Delegated => "",
                Listed::ZoneOnly => ", named by the zone alone",
                Listed::ResolverOnly => ", not delegated to any more",
            };
            self.row("", &format!("{}{at}{listed}: {}", server.name, said(server)));
        }
    }
}

fn said(server: &Server) -> String {
    match &server.said {
        Said::Answer(answer) => content(answer),
        Said::Alias(target, _) => format!("an alias for {target}"),
        Said::Trouble(what) => trouble(what),
    }
}

/// What the word means, and from when on who sees what is published.
fn meaning(outlook: &Outlook) -> String {
    let times = || {
        let (Some(pending), Some(clean), Some(everywhere)) =
            (outlook.pending, outlook.clean(), outlook.clean_everywhere())
        else {
            return String::new();
        };
        let (here, full) = (for_so_long(pending.here), for_so_long(pending.everywhere));
        let (clean, everywhere) = (time::to_string(clean), time::to_string(everywhere));
        format!(
            "the resolver keeps the old answer for {here} more; this resolver shows it from {clean}, others up to {full} \
             after the change, by {everywhere}"
        )
    };
    match outlook.word {
        Word::Current => "what the zones' own servers say is what was judged".to_owned(),
        Word::PartlyAnswered => "what was heard agrees with what was judged, but not all was heard".to_owned(),
        Word::FixedPendingCache => format!("fixed: the fix is published, and {}", times()),
        Word::ChangedPendingCache => {
            let effect = match outlook.effect {
                Some(Effect::Worse) => "makes it worse",
                Some(Effect::Same) => "makes it no better",
                Some(Effect::Better) | None => "may make it better or worse",
            };
            format!("something else is published, which {effect}; {}", times())
        }
        Word::Divided => {
            "the servers of a zone contradict each other: some have not taken over the change".to_owned()
        }
        Word::DnssecBogus => {
            "the resolver refuses what the zone's own servers say, for DNSSEC does not hold: signatures, DNSKEY or DS are \
             wrong, or the resolver keeps old ones; who checks signatures sees nothing"
                .to_owned()
        }
        Word::Unknown => "it can't be told what is published, or what becomes of it".to_owned(),
    }
}

fn door(door: &Door) -> String {
    let outcome = match &door.outcome {
        Ok(outcome) => outcome.as_str().to_owned(),
        Err(trouble) => format!("not tried: {trouble}"),
    };
    let banner = door.banner_name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
    let judged = door.judgement.as_ref().and_then(|judged| Some((judged.verdict?, judged.severity?)));
    let judged =
        judged.map(|(verdict, severity)| format!(" ({})", words(verdict, severity))).unwrap_or_default();
    format!("{} {outcome}{banner}{judged}", door.at.port())
}

fn words(verdict: Verdict, severity: Severity) -> String {
    match severity {
        Severity::None => verdict.as_str().to_owned(),
        _ => format!("{}, {}", verdict.as_str(), severity.as_str()),
    }
}

/// Whole seconds, as `9m 58s`.
fn for_so_long(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}
