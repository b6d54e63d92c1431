//! One server for a monitoring system: one line on stdout and an exit code, whatever happens (Monitoring
//! Plugins Development Guidelines).

use super::{Checked, Server, server};
use crate::cli::args::CheckArgs;
use crate::cli::exit::{Exit, State};
use crate::cli::print;
use crate::judge::{Severity, Verdict};
use crate::record::Record;
use crate::record::neutral::Safe;
use crate::record::time;

/// What opens the line.
const SERVICE: &str = "SMTP IDENTITY";

/// Looks, and tells in one line. What can't be looked at is unknown.
pub(super) fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    match server::check(args) {
        Ok(checked) => tell(state(&checked), &story(&checked), &figures(&checked)),
        Err(wrong) => tell(State::Unknown, &crate::cli::sentence(&wrong), ""),
    }
}

/// How a plugin ends whose words can't be read; what is wrong with them stands on stderr.
pub fn usage() -> anyhow::Result<Exit> {
    tell(State::Unknown, "usage; see `banneret check --help`", "")
}

fn tell(state: State, story: &str, figures: &str) -> anyhow::Result<Exit> {
    // A pipe would open the figures.
    let story = Safe(story).to_string().replace('|', "/");
    let figures = if figures.is_empty() { String::new() } else { format!(" | {figures}") };
    print(format!("{SERVICE} {} - {story}{figures}\n", state.as_str()).as_bytes())?;
    Ok(Exit::Plugin(state))
}

/// The worst state of all servers.
fn state(checked: &Checked) -> State {
    let rank = |state: &State| match state {
        State::Ok => 0,
        State::Unknown => 1,
        State::Warning => 2,
        State::Critical => 3,
    };
    let states = checked.servers.iter().map(|server| match server {
        Server::Tried(record, _) => state_of(record),
        Server::Untried(..) => State::Unknown,
    });
    states.max_by_key(rank).unwrap_or(State::Unknown)
}

/// Whether nothing could be said of any of the servers.
pub(super) fn is_unknown(checked: &Checked) -> bool {
    checked.records().all(|record| state_of(record) == State::Unknown)
}

fn state_of(record: &Record) -> State {
    match (record.judgement.severity, record.judgement.verdict) {
        (Some(Severity::High), _) => State::Critical,
        (Some(Severity::Medium | Severity::Low), _) => State::Warning,
        (_, None | Some(Verdict::Undetermined)) => State::Unknown,
        _ => State::Ok,
    }
}

fn story(checked: &Checked) -> String {
    let stories = checked.servers.iter().map(|server| match server {
        Server::Tried(record, verified) => {
            let mut story = story_of(record);
            if let Some(outlook) = verified.as_ref().map(|verified| verified.outlook) {
                let clean = outlook.clean().map(|clean| format!(" until {}", time::to_string(clean)));
                story.extend([", ", outlook.word.as_str(), clean.as_deref().unwrap_or_default()]);
            }
            story
        }
        Server::Untried(at, trouble) => format!("{at} not tried: {trouble}"),
    });
    let stories = stories.collect::<Vec<_>>().join("; ");
    // Of an address each story says which it is.
    if checked.asked.parse::<std::net::IpAddr>().is_ok() {
        stories
    } else {
        format!("{}: {stories}", checked.asked)
    }
}

fn story_of(record: &Record) -> String {
    let judged = &record.judgement;
    let outcome = record.evidence.observation.outcome.as_str();
    let mut story = match record.target.ip {
        Some(ip) => format!("{} ", std::net::SocketAddr::new(ip, record.target.port)),
        None => String::new(),
    };
    story.push_str(judged.verdict.map_or(outcome, Verdict::as_str));
    if let Some(name) = &judged.banner_name {
        story.extend([" ", name]);
    }
    let findings: Vec<String> = judged
        .findings
        .iter()
        .map(|finding| {
            let is_accepted = judged.accepted.iter().any(|accepted| accepted.code == finding.code);
            let weight = if is_accepted { "accepted" } else { finding.severity.as_str() };
            format!("{} {weight}", finding.code.as_str())
        })
        .collect();
    if !findings.is_empty() {
        story.extend([" (", &findings.join(", "), ")"]);
    }
    story
}

/// How long the only server took, in milliseconds.
fn figures(checked: &Checked) -> String {
    let [Server::Tried(record, _)] = checked.servers.as_slice() else { return String::new() };
    let seen = &record.evidence.observation;
    let figure =
        |label: &str, time: std::time::Duration| format!("{label}={:.1}ms", time.as_secs_f64() * 1000.0);
    let figures =
        [seen.connect.map(|time| figure("connect", time)), seen.banner.map(|time| figure("banner", time))];
    figures.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
