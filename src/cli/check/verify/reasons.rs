//! Why something can't be told, or not of every server: in plain words, each with who is meant. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use super::compare::{Compared, Fresh, FreshAnswer, content};
use crate::evidence::Status;
use crate::resolve::delegation::{Basis, Leg, Server, Trouble};

/// Servers of one zone that are named one by one; more are counted.
const MAX_NAMED: usize = 8;

/// What stands in the way of a plain answer, each reason once.
pub(in crate::cli::check) fn reasons(compared: &[Compared], has_heard: bool) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    if !has_heard {
        // Then it is hardly all of them that are at fault.
        reasons.push(
            "no name server of any zone was heard from this machine: its questions (port 53) may be blocked or answered \
             by another machine on the way, so nothing can be told of the zones' own servers"
                .to_owned(),
        );
    }
    let mut add = |reason: String| {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    };
    for it in compared {
        for leg in it.walk.legs.iter().filter(|_| has_heard) {
            of_leg(leg).into_iter().for_each(&mut add);
        }
        if it.walk.is_endless {
            add(format!("the aliases of `{}` lead in a circle, or too far", it.question.name));
        }
        of_resolver(it).into_iter().for_each(&mut add);
    }
    reasons
}

fn of_leg(leg: &Leg) -> Vec<String> {
    let zone = &leg.zone;
    let mut reasons = Vec::new();
    if leg.servers.is_empty() {
        reasons.push(format!(
            "no zone of `{}` was found: neither the root's servers nor the resolver name one",
            leg.name
        ));
        return reasons;
    }
    if leg.basis == Basis::Resolver {
        reasons.push(format!(
            "the zones above `{zone}` could not be asked: its servers are those that the resolver names, and a moved \
             delegation would not show"
        ));
    }
    if let Some(inside) = &leg.undelegated {
        reasons.push(format!(
            "`{zone}` does not delegate `{inside}`, which the resolver knows: the delegation was taken away, or the zone \
             is only seen from inside"
        ));
    }
    let by_trouble =
        leg.troubled().fold(BTreeMap::<String, Vec<&Server>>::new(), |mut all, (server, trouble)| {
            all.entry(text(trouble)).or_default().push(server);
            all
        });
    let all = leg.counted().count();
    for (trouble, servers) in by_trouble {
        let named: Vec<String> = servers.iter().take(MAX_NAMED).map(|server| place(server)).collect();
        let more = servers.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let share = match (servers.len(), all) {
            (1, 1) => "its only server".to_owned(),
            (bad, all) if bad == all => format!("all {all} of its servers"),
            (bad, all) => format!("{bad} of its {all} servers"),
        };
        reasons
            .push(format!("`{zone}` is delegated to {}{more}, which {trouble}: {share}", named.join(", ")));
    }
    let former: Vec<&Server> = leg.servers.iter().filter(|server| !server.counts()).collect();
    if let (Some(kept), false) = (leg.kept, former.is_empty()) {
        let names: Vec<String> = former.iter().map(|server| place(server)).collect();
        let kept = humantime::format_duration(kept);
        reasons.push(format!(
            "the resolver keeps the servers of `{zone}` from before for {kept} more: {}; it is not delegated to them",
            names.join(", ")
        ));
    }
    reasons
}

/// Why the resolver says nothing where the zone's servers do.
fn of_resolver(it: &Compared) -> Vec<String> {
    let name = &it.question.name;
    let mut reasons: Vec<String> = it.fresh.iter().filter_map(of_fresh).collect();
    if it.cached.status == Status::Untrusted {
        reasons.push(format!("what the resolver says of `{name}` is not believed"));
        return reasons;
    }
    if it.cached.status.is_definite() {
        return reasons;
    }
    let status = it.cached.status.as_str();
    let why = it.view.as_ref().and_then(|view| view.why.as_ref());
    let words = why.map(|why| why.errors.join(", ")).filter(|words| !words.is_empty());
    let words = words.map(|words| format!(" ({words})")).unwrap_or_default();
    let reason = match (it.published(), why) {
        (Some(published), Some(why)) if why.is_dnssec => format!(
            "the resolver says {status}{words} of `{name}`, the zone's own servers answer `{}`, and so does the resolver \
             when it need not check signatures: DNSSEC",
            content(published)
        ),
        (Some(published), _) => format!(
            "the resolver says {status}{words} of `{name}`, the zone's own servers answer `{}`: it does not reach them, \
             keeps an earlier failure, or DNSSEC does not hold; it does not show which",
            content(published)
        ),
        (None, _) => format!("the resolver says {status}{words} of `{name}`"),
    };
    reasons.push(reason);
    reasons
}

/// What a name that nobody had asked for shows of its zone.
fn of_fresh(fresh: &Fresh) -> Option<String> {
    let zone = &fresh.zone;
    match fresh.answer {
        FreshAnswer::Refused => Some(format!(
            "the resolver refuses a name of `{zone}` that it has to ask for, and gives it when it need not check \
             signatures: DNSSEC of the zone does not hold, and what the resolver kept from before hides it for a while"
        )),
        FreshAnswer::Fails => Some(format!(
            "the resolver fails at a name of `{zone}` that it has to ask for, and the zone's own servers do not: DNSSEC of \
             the zone does not hold, or the resolver does not reach them; what it kept from before hides it for a while"
        )),
        FreshAnswer::Checked(ago) if ago > Duration::ZERO => Some(format!(
            "the resolver checked the signatures of `{zone}` {} ago; if they were broken since then, that does not show yet",
            humantime::format_duration(ago)
        )),
        FreshAnswer::Checked(_) => None,
    }
}

fn place(server: &Server) -> String {
    match server.ip {
        Some(ip) => format!("{} ({ip})", server.name),
        None => server.name.to_string(),
    }
}

/// What a server does, behind "which".
pub(in crate::cli::check) fn text(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Silent => "does not answer".to_owned(),
        Trouble::Closed => "has no DNS server running".to_owned(),
        Trouble::Refused => "refuses".to_owned(),
        Trouble::ServFail => "fails (SERVFAIL)".to_owned(),
        Trouble::Failed(code) => format!("fails with code {code}"),
        Trouble::Lame => "does not serve the zone (lame)".to_owned(),
        Trouble::RefersTo(zone) => format!("sends on to other servers for `{zone}`"),
        Trouble::Unclear => "gives neither an answer nor a denial".to_owned(),
        Trouble::NoAddress => "has no address".to_owned(),
        Trouble::Excluded => "is at a reserved or excluded address and was not asked".to_owned(),
        Trouble::NoWay => "can't be reached from this machine".to_owned(),
        Trouble::OutOfTime => "was not asked, for the time was over".to_owned(),
    }
}
