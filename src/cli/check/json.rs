//! One server for a program: each record as a scan would write it, with the advice and the receivers of the
//! screen.
//!
//! `{"asked": …, "servers": [{"record": {…}, "advice": [{"code", "severity", "accepted", "why", "evidence", "who_can_fix", "who_cares", "todo", "never", "check"}], "fix": {"agree", "steps": [{"set", "name", "who", "what", "record", "forms": [{"for", "text"}], "check", "expected"}]}, "receivers": {"version", "helo_name", "helo_observed", "rules": [{"receiver", "rule", "reply", "applies", "effect", "score"}]}, "verify": …}], "untried": [{"ip", "port", "trouble"}]}`,
//! `verify` null unless asked for:
//! `{"outlook", "effect", "clean", "clean_everywhere", "reasons", "questions": [{"name", "type", "standing", "cached", "ttl", "published", "servers": [{"name", "ip", "listed_by", "answer", "alias", "trouble"}], "path": [{"name", "zone", "servers_by", "alias", "servers"}]}], "doors": [{"ip", "port", "led_by", "outcome", "banner_name", "ptr", "verdict", "severity"}]}`

use serde::Serialize;
use serde_json::{Value, json};

use super::verify::{Compared, Effect as ChangeEffect, Standing, Verified};
use super::{Checked, Server};
use crate::judge::advice::{Case, advice};
use crate::judge::fix::{HostFix, Step};
use crate::judge::providers::Providers;
use crate::judge::receivers::{Applies, Effect, forecast};
use crate::judge::{Severity, Verdict};
use crate::record::{Record, json, time};
use crate::resolve::delegation::{Basis, Listed, Said, Server as ZoneServer, Trouble};
use crate::resolve::{Answer, Kind};
use crate::targets::Inventory;

/// The object and a line feed.
pub(super) fn text(checked: &Checked) -> serde_json::Result<String> {
    let tried = checked.servers.iter().filter_map(|server| match server {
        Server::Tried(record, verified) => Some((record, verified)),
        Server::Untried(..) => None,
    });
    let mut servers = Vec::new();
    for (record, verified) in tried {
        let mut told = server(record, &checked.providers)?;
        told["verify"] = verified.as_deref().map_or(Value::Null, verify);
        servers.push(told);
    }
    let untried = checked.servers.iter().filter_map(|server| match server {
        Server::Tried(..) => None,
        Server::Untried(at, trouble) => {
            Some(json!({ "ip": at.ip(), "port": at.port(), "trouble": trouble.to_string() }))
        }
    });
    let whole = Whole { asked: &checked.asked, servers, untried: untried.collect() };
    Ok(format!("{}\n", serde_json::to_string(&whole)?))
}

#[derive(Serialize)]
struct Whole<'a> {
    asked: &'a str,
    servers: Vec<Value>,
    untried: Vec<Value>,
}

fn verify(verified: &Verified) -> Value {
    let outlook = &verified.outlook;
    let doors = verified.doors.iter().map(|door| {
        let judged = door.judgement.as_ref();
        json!({
            "ip": door.at.ip(),
            "port": door.at.port(),
            "led_by": door.led.as_str(),
            "outcome": door.outcome.as_ref().ok().map(|outcome| outcome.as_str()),
            "banner_name": door.banner_name,
            "ptr": answer(&door.ptr),
            "verdict": judged.and_then(|judged| judged.verdict).map(Verdict::as_str),
            "severity": judged.and_then(|judged| judged.severity).map(Severity::as_str),
        })
    });
    json!({
        "outlook": outlook.word.as_str(),
        "effect": outlook.effect.map(ChangeEffect::as_str),
        "clean": outlook.clean().map(time::to_string),
        "clean_everywhere": outlook.clean_everywhere().map(time::to_string),
        "reasons": verified.reasons,
        "questions": verified.compared.iter().map(question).collect::<Vec<_>>(),
        "doors": doors.collect::<Vec<_>>(),
    })
}

fn question(it: &Compared) -> Value {
    let legs = &it.walk.legs;
    let path = legs.iter().map(|leg| {
        json!({
            "name": leg.name.to_string(),
            "zone": leg.zone.to_string(),
            "servers_by": match leg.basis {
                Basis::Parent => "parent",
                Basis::Resolver => "resolver",
            },
            "alias": leg.alias().map(|(target, _)| target.to_string()),
            "servers": leg.servers.iter().map(server_of_zone).collect::<Vec<_>>(),
        })
    });
    let standing = it.standing();
    // How long it is until the resolver asks anew for what differs.
    let ttl = if let Standing::Pending(pending) = standing { pending.here } else { it.cached.ttl };
    json!({
        "name": it.question.name.to_string(),
        "type": kind(it.question.kind),
        "standing": standing.as_str(),
        "cached": answer(&it.cached),
        "ttl": ttl.as_secs(),
        "published": it.published().map(answer),
        "servers": legs.last().map_or(&[][..], |leg| &leg.servers).iter().map(server_of_zone).collect::<Vec<_>>(),
        "path": path.collect::<Vec<_>>(),
    })
}

fn server_of_zone(server: &ZoneServer) -> Value {
    let listed = match server.listed {
        Listed::Delegated => "parent",
        Listed::ZoneOnly => "zone",
        Listed::ResolverOnly => "resolver",
    };
    let (said, alias) = match &server.said {
        Said::Answer(said) => (Some(answer(said)), None),
        Said::Alias(target, _) => (None, Some(target.to_string())),
        Said::Trouble(_) => (None, None),
    };
    json!({
        "name": server.name.to_string(),
        "ip": server.ip,
        "listed_by": listed,
        "answer": said,
        "alias": alias,
        "trouble": server.trouble().map(Trouble::as_str),
    })
}

fn answer(answer: &Answer) -> Value {
    let names = answer.names().iter().map(ToString::to_string);
    let addresses = answer.addresses().iter().map(ToString::to_string);
    json!({ "status": answer.status.as_str(), "found": names.chain(addresses).collect::<Vec<_>>() })
}

/// The name of a record type (RFC 1035 §3.2.2).
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Ptr => "PTR",
        Kind::A => "A",
        Kind::Aaaa => "AAAA",
        Kind::Mx => "MX",
        Kind::Ns => "NS",
        Kind::Soa => "SOA",
    }
}

/// The changes, each as a record or setting.
fn steps(fix: &HostFix<'_>) -> Vec<Value> {
    let step = |step: Step| {
        let forms = step.forms.iter().map(|(label, text)| json!({ "for": label, "text": text }));
        json!({
            "set": step.remedy.as_str(),
            "name": step.name,
            "who": step.who.as_str(),
            "what": step.what,
            "record": step.record,
            "forms": forms.collect::<Vec<_>>(),
            "check": step.check,
            "expected": step.expected,
        })
    };
    fix.steps().into_iter().map(step).collect()
}

fn server(record: &Record, providers: &Providers) -> serde_json::Result<Value> {
    let mut line = Vec::new();
    json::encode(record, &mut line);
    let line: Value = serde_json::from_slice(&line)?;
    let judged = &record.judgement;
    if judged.verdict.is_none() {
        return Ok(json!({ "record": line, "advice": [], "fix": null, "receivers": null }));
    }
    let nothing = Inventory::default();
    let inventory = record.target.inventory.as_deref().unwrap_or(&nothing);
    let port = record.target.port;
    let case = Case { evidence: &record.evidence, inventory, judgement: judged, port, providers };
    let advice: Vec<Value> = advice(&case)
        .iter()
        .map(|it| {
            json!({
                "code": it.code.as_str(),
                "severity": it.severity.as_str(),
                "accepted": it.accepted.as_ref().map(|it| json!({ "reason": *it.reason, "until": *it.until })),
                "why": it.why,
                "evidence": it.evidence,
                "who_can_fix": it.fixer.as_str(),
                "who_cares": it.cares,
                "todo": it.todo,
                "never": it.never,
                "check": it.check,
            })
        })
        .collect();
    let fix = case.fix().map(|fix| json!({ "agree": fix.to_agree(), "steps": steps(&fix) }));
    let forecast = forecast(&record.evidence, inventory, judged);
    let rules: Vec<Value> = forecast
        .reactions
        .iter()
        .map(|reaction| {
            let (effect, score) = match reaction.effect {
                Effect::Pass => ("pass", Value::Null),
                Effect::Defer => ("defer", Value::Null),
                Effect::Reject => ("reject", Value::Null),
                Effect::Score(least, most) => ("score", json!([least, most])),
                Effect::Unknown => ("unknown", Value::Null),
            };
            let applies = match reaction.rule.applies {
                Applies::Always => "always",
                Applies::IfConfigured => "if_configured",
                Applies::Sometimes => "sometimes",
            };
            json!({
                "receiver": reaction.rule.receiver,
                "rule": reaction.rule.name,
                "reply": Some(reaction.rule.reply).filter(|reply| !reply.is_empty()),
                "applies": applies,
                "effect": effect,
                "score": score,
            })
        })
        .collect();
    let receivers = json!({
        "version": forecast.version,
        "helo_name": forecast.helo_name,
        "helo_observed": forecast.helo_observed,
        "rules": rules,
    });
    Ok(json!({ "record": line, "advice": advice, "fix": fix, "receivers": receivers }))
}
