//! What is told of a scan in words: before it, after it, and in its place.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::super::lists::{Loaded, nothing_in_shard};
use super::super::{exit::Exit, print, say, terminal, upstreams::Voice};
use super::Session;
use crate::evidence::Outcome;
use crate::rate::Rate;
use crate::report::summary::{Summary, text};
use crate::scan::dispatch::canary::PathEvent;
use crate::scan::dispatch::pace::{Bound, in_force};
use crate::scan::limits;
use crate::scan::progress::Progress;
use crate::scan::sanity::vantage::VantageWarning;
use crate::scan::schedule::{Schedule, Scope};
use crate::targets::Order;

const SECONDS_A_YEAR: f64 = 31_557_600.0;

impl Session {
    pub(super) fn announce(&self, schedule: &Schedule, concurrency: usize) {
        let targets = targets(schedule.turns());
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        say(format_args!(
            "banneret: {targets}, port {}, seed {}, shard {}",
            ports.join(" and "),
            self.seed,
            self.loaded.shard
        ));
        for removed in self.loaded.set.removed().iter().filter(|removed| removed.addresses > 0) {
            say(format_args!("banneret: {} excluded by {}", addresses(removed.addresses), removed.list));
        }
        if let Some(why) = nothing_in_shard(&self.loaded, schedule.turns()) {
            say(format_args!("banneret: {why}"));
        }
        say(format_args!("banneret: {}", self.pace(schedule, concurrency)));
    }

    /// The rate in force, and what bounds it.
    pub(super) fn pace(&self, schedule: &Schedule, concurrency: usize) -> String {
        let holding = self.probe.connect_timeout;
        let blocks = schedule.first_lap_blocks();
        // Nobody knows yet in which networks names are.
        let prefix_rate = if blocks == 0 { Rate::Unlimited } else { self.prefix_rate };
        let (rate, bound) = in_force(self.rate, prefix_rate, blocks, concurrency, holding);
        let why = match bound {
            Bound::Rate => "bounded by --rate".to_owned(),
            Bound::Prefixes => {
                let networks = if blocks == 1 { "network" } else { "networks" };
                format!("bounded by --prefix-rate over {blocks} {networks}")
            }
            Bound::Descriptors => "bounded by --concurrency if most targets are silent".to_owned(),
            Bound::Machine => "bounded by this machine alone".to_owned(),
        };
        let rate = match rate {
            Rate::Unlimited => "unlimited connections".to_owned(),
            Rate::PerSecond(rate) => {
                let digits = format!("{rate:.6}");
                format!("{} connections", digits.trim_end_matches('0').trim_end_matches('.'))
            }
        };
        format!("{rate} a second, {why}; at most {concurrency} conversations at once")
    }
}

/// Tells at once what a person could do something about.
pub(super) fn notice(quiet: bool) -> impl Fn(PathEvent) {
    move |notice| {
        if quiet {
            return;
        }
        say(match notice {
            PathEvent::NoWay(no_way) => return say(format_args!("banneret: {no_way}")),
            PathEvent::Lost => {
                "banneret: hosts that had greeted are silent now: new connections get lost on the way; going on with \
                 half as many at once"
            }
            PathEvent::Found => "banneret: hosts that had greeted answer again; the pace comes back",
        });
    }
}

/// Tells at once what speaks against the records.
pub(super) fn doubt(quiet: bool) -> fn(&VantageWarning) {
    if quiet { |_| {} } else { |doubt| say(format_args!("banneret: {doubt}")) }
}

/// Tells what names led to beyond what is followed, and which mail exchangers have no address that can be
/// found; gives the lines.
pub(super) fn of_names(progress: &Progress, voice: Voice) -> Vec<String> {
    let left_out = (!progress.left_out.is_empty()).then(|| progress.left_out.to_string());
    let failing = &progress.failing_exchangers;
    let failing = (!failing.is_empty()).then(|| failing.to_string());
    let lines: Vec<String> = left_out.into_iter().chain(failing).collect();
    if voice == Voice::Loud {
        for line in &lines {
            say(format_args!("banneret: {line}"));
        }
    }
    lines
}

/// What is told at the end, on stderr.
pub(super) fn tell(summary: &Summary, progress: &Progress, took: Duration) -> io::Result<()> {
    let mut told = Vec::new();
    let finished = progress.finished();
    writeln!(
        told,
        "{finished} targets in {}: {} records written, {} left out by --keep",
        humantime::format_duration(Duration::from_secs_f64((took.as_secs_f64() * 10.0).round() / 10.0)),
        progress.written.load(Relaxed),
        progress.dropped.load(Relaxed),
    )?;
    for outcome in Outcome::ALL {
        let count = progress.outcome(outcome);
        if count > 0 {
            writeln!(told, "  {:<12} {count}", outcome.as_str())?;
        }
    }
    let (looks, silent) = (progress.looks.load(Relaxed), progress.silent_looks.load(Relaxed));
    if looks > 0 {
        writeln!(
            told,
            "  {looks} further looks at hosts that had greeted: {silent} silent, {} times slowed down",
            progress.losses.load(Relaxed)
        )?;
    }
    text::write(summary, terminal::width(), &mut told)?;
    // Nobody may be there to read it.
    let _ = io::stderr().write_all(&told);
    Ok(())
}

/// Tells what a scan would do.
pub fn dry_run(session: &Session) -> anyhow::Result<Exit> {
    let concurrency = limits::concurrency(limits::raise_open_files(), session.concurrency);
    let Loaded { set, exclusions, names, shard, .. } = &session.loaded;
    let order = Arc::new(Order::new(Arc::clone(set), session.seed, *shard));
    let scope = Scope::new(Arc::clone(set), Arc::clone(exclusions), names.clone(), session.ports.clone());
    let schedule = Schedule::new(Arc::new(scope.with_share(&order)), order, None);
    let own_names = session.loaded.own_names().count();
    let names = if own_names == 1 { "name" } else { "names" };
    let mut told =
        format!("{}, of which {own_names} host {names}; seed {}\n", targets(schedule.turns()), session.seed);
    for removed in set.removed().iter().filter(|removed| removed.addresses > 0) {
        // Writing to a string does not fail.
        let _ = writeln!(told, "{} excluded by {}", addresses(removed.addresses), removed.list);
    }
    if let Some(why) = nothing_in_shard(&session.loaded, schedule.turns()) {
        let _ = writeln!(told, "{why}");
    }
    told.push_str(&session.pace(&schedule, concurrency));
    told.push('\n');
    let most = u32::from(session.samples.get());
    if let Some(least) = least_seconds(session, &schedule).filter(|_| schedule.turns() > 0) {
        let _ = match most {
            1 => writeln!(told, "at least {} at that rate", duration(least)),
            _ => writeln!(
                told,
                "at least {} at that rate, and up to {} as more of the targets greet (--samples {most})",
                duration(least),
                duration(least * f64::from(most))
            ),
        };
    }
    told.push_str("nothing was sent\n");
    print(told.as_bytes())
}

/// How long the first conversations with all targets take at least; `None` where nothing but this machine
/// bounds them. Names are bounded by the overall rate alone, for their networks are not known before they are
/// resolved.
fn least_seconds(session: &Session, schedule: &Schedule) -> Option<f64> {
    let all = schedule.turns() as f64;
    let of_addresses = all - session.loaded.own_names().count() as f64;
    let each_network = session.prefix_rate.per_second() * schedule.first_lap_blocks().max(1) as f64;
    let seconds = (all / session.rate.per_second()).max(of_addresses / each_network);
    (seconds > 0.0).then_some(seconds)
}

fn duration(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds.ceil()) {
        Ok(time) => humantime::format_duration(time).to_string(),
        Err(_) => format!("{:.0e} years", seconds / SECONDS_A_YEAR),
    }
}

fn targets(count: u128) -> String {
    format!("{count} {}", if count == 1 { "target" } else { "targets" })
}

fn addresses(count: u128) -> String {
    format!("{count} {}", if count == 1 { "address" } else { "addresses" })
}
