//! What is told of a scan in words: before it, after it, and in its place.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::super::{exit::Exit, lists::Loaded, print, say, terminal, upstreams::Voice};
use super::Session;
use crate::evidence::Outcome;
use crate::rate::Rate;
use crate::report::summary::{Summary, text};
use crate::scan::canary::Notice;
use crate::scan::course::{Course, Roster};
use crate::scan::lead::LeftOut;
use crate::scan::limits;
use crate::scan::pace::{Bound, in_force};
use crate::scan::progress::Progress;
use crate::scan::vantage::Doubt;
use crate::targets::Order;

const SECONDS_A_YEAR: f64 = 31_557_600.0;

impl Session {
    pub(super) fn announce(&self, course: &Course, concurrency: usize) {
        let turns = course.turns();
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        say(format_args!(
            "banneret: {turns} targets, port {}, seed {}, shard {}",
            ports.join(" and "),
            self.seed,
            self.loaded.shard
        ));
        for removed in self.loaded.set.removed().iter().filter(|removed| removed.addresses > 0) {
            say(format_args!("banneret: {} addresses excluded by {}", removed.addresses, removed.list));
        }
        say(format_args!("banneret: {}", self.pace(course, concurrency)));
    }

    /// The rate in force, and what bounds it.
    pub(super) fn pace(&self, course: &Course, concurrency: usize) -> String {
        let holding = self.probe.connect_timeout;
        let (rate, bound) =
            in_force(self.rate, self.prefix_rate, course.first_lap_blocks(), concurrency, holding);
        let why = match bound {
            Bound::Rate => "bounded by --rate".to_owned(),
            Bound::Prefixes => {
                format!("bounded by --prefix-rate over {} networks", course.first_lap_blocks())
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
pub(super) fn notice(quiet: bool) -> impl Fn(Notice) {
    move |notice| {
        if quiet {
            return;
        }
        say(match notice {
            Notice::NoWay(no_way) => return say(format_args!("banneret: {no_way}")),
            Notice::Lost => {
                "banneret: hosts that had greeted are silent now: new connections get lost on the way; going on with \
                 half as many at once"
            }
            Notice::Found => "banneret: hosts that had greeted answer again; the pace comes back",
        });
    }
}

/// Tells at once what speaks against the records.
pub(super) fn doubt(quiet: bool) -> fn(&Doubt) {
    if quiet { |_| {} } else { |doubt| say(format_args!("banneret: {doubt}")) }
}

/// Tells how much names led to beyond what is followed, and gives the line.
pub(super) fn left_out(left_out: &LeftOut, voice: Voice) -> Option<String> {
    let line = (!left_out.is_empty()).then(|| left_out.to_string())?;
    if voice == Voice::Loud {
        say(format_args!("banneret: {line}"));
    }
    Some(line)
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
    let roster = Roster::new(Arc::clone(set), Arc::clone(exclusions), names.clone(), session.ports.clone());
    let course = Course::new(Arc::new(roster.with_share(&order)), order, None);
    let own_names = session.loaded.own_names().count();
    let mut told =
        format!("{} targets, of which {own_names} host names; seed {}\n", course.turns(), session.seed);
    for removed in set.removed().iter().filter(|removed| removed.addresses > 0) {
        // Writing to a string does not fail.
        let _ = writeln!(told, "{} addresses excluded by {}", removed.addresses, removed.list);
    }
    told.push_str(&session.pace(&course, concurrency));
    told.push('\n');
    let (rate, _) = in_force(
        session.rate,
        session.prefix_rate,
        course.first_lap_blocks(),
        concurrency,
        session.probe.connect_timeout,
    );
    if let Rate::PerSecond(rate) = rate {
        let seconds = course.turns() as f64 / rate;
        let time = match Duration::try_from_secs_f64(seconds.ceil()) {
            Ok(time) => humantime::format_duration(time).to_string(),
            Err(_) => format!("{:.0e} years", seconds / SECONDS_A_YEAR),
        };
        let _ = writeln!(told, "at least {time} at that rate");
    }
    told.push_str("nothing was sent\n");
    print(told.as_bytes())
}
