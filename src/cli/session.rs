//! One scan from loaded targets to its exit code: what `scan` and `demo` have in common.

use std::collections::{HashMap, HashSet};
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};

use super::args::ProgressWord;
use super::bar::{Display, Watched};
use super::exit::Exit;
use super::exit::Unable;
use super::lists::Loaded;
use super::live::Live;
use super::resume::Resumed;
use crate::evidence::Outcome;
use crate::judge::Severity;
use crate::probe::{self, Smtp};
use crate::rate::Rate;
use crate::record::time;
use crate::report::file::{Committed, OutputError, Start, Written};
use crate::report::format::{Form, Format};
use crate::report::input::Input;
use crate::report::manifest::{self, Completion, Manifest};
use crate::report::summary::{MAX_GROUPS, Summary, json as summary_json, text as summary_text};
use crate::report::{atomic, sink};
use crate::resolve;
use crate::scan::ScanError;
use crate::scan::checkpoint::{Checkpoint, Counts};
use crate::scan::course::{Course, Roster};
use crate::scan::feeder::{self, Fed};
use crate::scan::keeper::{Keeper, counts};
use crate::scan::limits;
use crate::scan::outputs::{Output, Outputs};
use crate::scan::pace::{Bound, in_force};
use crate::scan::pipeline::{self, Plan};
use crate::scan::progress::Progress;
use crate::scan::stop::Stop;
use crate::scan::watermark::Watermark;
use crate::scan::writer::{Keep, Writer};
use crate::targets::Order;

/// Columns where no terminal tells.
const DEFAULT_WIDTH: usize = 100;
/// Groups of a kind that keep their own count where only the terminal shows the largest: a million names seen once each
/// would take some 100 MB.
const SHOWN_GROUPS: usize = 4096;
const SECONDS_A_YEAR: f64 = 31_557_600.0;

/// All that a scan is to do, settled.
pub struct Session {
    /// What to scan.
    pub loaded: Loaded,
    /// The order's key.
    pub seed: u64,
    /// At most so many targets.
    pub limit: Option<u128>,
    /// The ports.
    pub ports: Vec<u16>,
    /// How conversations go.
    pub probe: probe::Settings,
    /// Connections a second.
    pub rate: Rate,
    /// Connections a second for each prefix.
    pub prefix_rate: Rate,
    /// Conversations at once, as wished.
    pub concurrency: Option<usize>,
    /// Further attempts at a target that timed out.
    pub retries: u8,
    /// How DNS is asked.
    pub resolver: resolve::Settings,
    /// Which targets get a record.
    pub keep: Keep,
    /// Files for records; empty for the default of stdout.
    pub outputs: Vec<PathBuf>,
    /// Their format, where it was said.
    pub format: Option<Format>,
    /// Where the summary goes as JSON.
    pub summary: Option<PathBuf>,
    /// The severity at which the exit code is 1.
    pub fail_on: Option<Severity>,
    /// When progress is shown.
    pub progress: ProgressWord,
    /// Errors only.
    pub quiet: bool,
    /// Where progress is kept, if not beside the first output file.
    pub checkpoint: Option<PathBuf>,
    /// The command line as words that mean the same later.
    pub words: Vec<String>,
    /// The scan to go on with.
    pub resumed: Option<Resumed>,
    /// The settings in force, for the manifest.
    pub settings: serde_json::Value,
}

/// What a finished scan came to.
pub struct Finished {
    /// How the program is to end.
    pub exit: Exit,
    /// What was written, counted.
    pub summary: Summary,
    /// The outputs.
    pub written: Vec<Written>,
    /// How long it took.
    pub took: Duration,
}

impl Session {
    /// Scans to the end, whichever it is.
    pub fn run(self) -> anyhow::Result<Finished> {
        let open_files = limits::raise_open_files();
        let concurrency = limits::concurrency(open_files, self.concurrency);
        // Where that fails, the table grows as it is needed.
        let _ = limits::size_file_table(concurrency + 64);
        let shards = std::thread::available_parallelism().map_or(1, usize::from);

        let probes = (0..shards).map(|_| Smtp::new(self.probe.clone())).collect::<Result<Vec<_>, _>>()?;
        let Loaded { set, exclusions, names, shard, .. } = &self.loaded;
        let order = Arc::new(Order::new(Arc::clone(set), self.seed, *shard));
        let roster =
            Arc::new(Roster::new(Arc::clone(set), Arc::clone(exclusions), names.clone(), self.ports.clone()));
        let (watermark, claimed) = self.done_before()?;
        let pending = watermark.pending().collect();
        let course = Course::resume(Arc::clone(&roster), order, self.limit, watermark.high(), pending);
        let progress = Arc::new(Progress::default());
        progress.turns.store(u64::try_from(course.turns()).unwrap_or(u64::MAX), Relaxed);
        if let Some(resumed) = &self.resumed {
            progress.restore(&resumed.checkpoint.counts);
            let done = watermark.high() - watermark.pending().count() as u128;
            progress.turns_done.store(u64::try_from(done).unwrap_or(u64::MAX), Relaxed);
        }
        if !self.quiet {
            self.announce(&course, concurrency);
        }

        let began = self.began();
        let mut outputs = Outputs::new(self.open_outputs()?, self.summary_before()?);
        let mut keeper = self.keeper(began, &progress)?;
        // On disk before the first connection.
        keeper.save(&mut outputs, &watermark, &claimed)?;
        let worst = worst_of(outputs.summary());
        let resolver = resolve::start(self.resolver.clone())?;
        let stop = Stop::default();
        super::signals::listen(stop.clone()).context("signals can't be listened to")?;
        let watched = Watched { progress: Arc::clone(&progress), health: Arc::clone(&resolver.health) };
        let display = Display::start(watched, self.progress, self.quiet);

        let clock = Instant::now();
        let plan = Plan {
            course,
            feeder: feeder::Settings { rate: self.rate, prefix_rate: self.prefix_rate, concurrency },
            retries: self.retries,
            own_name: self.probe.own_name.clone(),
        };
        let keep = self.keep;
        let writer = |notes| Writer {
            roster,
            keep,
            outputs,
            keeper,
            watermark,
            notes,
            progress: Arc::clone(&progress),
            claimed,
            open: HashMap::new(),
            worst,
        };
        let ended = pipeline::run(plan, probes, resolver, writer, (&progress, &stop));
        drop(display);
        let ended = match ended {
            // The reader of the only output has seen enough: a quiet end, as of any filter.
            Err(ScanError::Output(OutputError::Closed { .. })) if self.outputs.len() <= 1 => {
                return Ok(Finished::quietly());
            }
            other => other?,
        };
        let (fed, worst, keeper) = (ended.fed, ended.writer.worst, ended.writer.keeper);
        let (written, summary) = ended.writer.outputs.finish()?;
        let took = clock.elapsed();
        self.write_manifest(&progress, &written, began, fed)?;
        self.write_summary(&summary)?;
        if !self.quiet {
            tell(&summary, &progress, took)?;
        }
        let kept = keeper.path().map(Path::to_owned);
        if fed == Fed::All {
            keeper.remove()?;
        } else if let (Some(path), false) = (&kept, self.quiet) {
            super::say(format_args!(
                "banneret: stopped early; go on with `banneret scan --resume {}`",
                path.display()
            ));
        }
        let exit = match fed {
            Fed::Stopped => Exit::Stopped,
            Fed::Stuck(count, trouble) => {
                super::say(format_args!(
                    "banneret: {count} targets could not be spoken to from this machine: {trouble}"
                ));
                Exit::Failed
            }
            Fed::All if self.fail_on.is_some_and(|severity| worst >= severity) => Exit::Findings,
            Fed::All => Exit::Done,
        };
        Ok(Finished { exit, summary, written, took })
    }

    /// Beside the first output that is a file.
    fn write_manifest(
        &self,
        progress: &Progress,
        written: &[Written],
        began: SystemTime,
        fed: Fed,
    ) -> anyhow::Result<()> {
        let Some(path) = self.outputs.iter().find_map(|output| manifest::path_of(output)) else {
            return Ok(());
        };
        let command: Vec<String> =
            std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        let resolvers: Vec<String> = self.resolver.upstreams.iter().map(SocketAddr::to_string).collect();
        let counts = counts(progress);
        let manifest = Manifest {
            version: env!("CARGO_PKG_VERSION"),
            command: &command,
            settings: &self.settings,
            seed: self.seed,
            shard: &self.loaded.shard.to_string(),
            targets: progress.turns.load(Relaxed),
            resolvers: &resolvers,
            start: began,
            end: SystemTime::now(),
            by_outcome: &counts.outcomes,
            by_verdict: &counts.verdicts,
            completion: if fed == Fed::All { Completion::Complete } else { Completion::Stopped },
            outputs: written,
        };
        manifest.write(&path).context(Unable)
    }

    fn write_summary(&self, summary: &Summary) -> anyhow::Result<()> {
        let Some(path) = &self.summary else { return Ok(()) };
        let mut text = Vec::new();
        summary_json::write(summary, &mut text)?;
        let written =
            if path == Path::new("-") { io::stdout().write_all(&text) } else { atomic::write(path, &text) };
        written.with_context(|| format!("summary `{}` can't be written", path.display())).context(Unable)
    }

    fn announce(&self, course: &Course, concurrency: usize) {
        let turns = course.turns();
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        super::say(format_args!(
            "banneret: {turns} targets, port {}, seed {}, shard {}",
            ports.join(" and "),
            self.seed,
            self.loaded.shard
        ));
        for removed in self.loaded.set.removed().iter().filter(|removed| removed.addresses > 0) {
            super::say(format_args!(
                "banneret: {} addresses excluded by {}",
                removed.addresses, removed.list
            ));
        }
        super::say(format_args!("banneret: {}", self.pace(course, concurrency)));
    }

    /// The rate in force, and what bounds it.
    fn pace(&self, course: &Course, concurrency: usize) -> String {
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

    fn open_outputs(&self) -> anyhow::Result<Vec<Output>> {
        let stdout = [PathBuf::from("-")];
        let default = self.outputs.is_empty();
        if default && io::stdout().is_terminal() && self.format.is_none() {
            let sink = Box::new(Live::start(terminal_width()));
            return Ok(vec![Output { path: stdout[0].clone(), sink }]);
        }
        let paths = if default { &stdout[..] } else { &self.outputs };
        let open = |(at, path): (usize, &PathBuf)| {
            let form = Form::of(path, self.format)?;
            let mark = self.resumed.as_ref().and_then(|resumed| resumed.checkpoint.outputs.get(at));
            let start = match mark {
                Some(mark) if path != Path::new("-") => {
                    Start::At(Committed { length: mark.length, rows: mark.rows })
                }
                _ => Start::New,
            };
            let sink = sink::open(path, form, &self.loaded.tags, start).map_err(ScanError::Output)?;
            Ok(Output { path: path.clone(), sink })
        };
        paths.iter().enumerate().map(open).collect()
    }

    /// The turns that an earlier run did, and the addresses that its names led to.
    fn done_before(&self) -> anyhow::Result<(Watermark, HashSet<IpAddr>)> {
        let Some(Resumed { path, checkpoint }) = &self.resumed else { return Ok(Default::default()) };
        if checkpoint.targets != digest(&self.loaded) {
            bail!(
                "the targets or exclusions are not those that checkpoint `{}` was made with; put the old lists back, or \
                 start anew",
                path.display()
            );
        }
        let watermark = checkpoint
            .watermark()
            .map_err(|wrong| anyhow::anyhow!("checkpoint `{}` {wrong}", path.display()))?;
        Ok((watermark, checkpoint.claimed.iter().copied().collect()))
    }

    /// The summary of what an earlier run wrote, read from its first file.
    fn summary_before(&self) -> anyhow::Result<Summary> {
        let groups = if self.summary.is_some() { MAX_GROUPS } else { SHOWN_GROUPS };
        let mut summary = Summary::with_groups(groups);
        let file = self.outputs.iter().find(|path| *path != Path::new("-"));
        if let (Some(_), Some(path)) = (&self.resumed, file) {
            Input::open(path, self.format)?.rows(|row| summary.add(row))?;
        }
        Ok(summary)
    }

    fn began(&self) -> SystemTime {
        let before = self.resumed.as_ref().and_then(|resumed| time::parse(&resumed.checkpoint.began));
        before.unwrap_or_else(SystemTime::now)
    }

    fn keeper(&self, began: SystemTime, progress: &Arc<Progress>) -> anyhow::Result<Keeper> {
        let beside = || {
            let mut name = self.outputs.iter().find(|path| *path != Path::new("-"))?.as_os_str().to_owned();
            name.push(".checkpoint");
            Some(PathBuf::from(name))
        };
        let resumed = self.resumed.as_ref();
        let path = resumed.map(|resumed| resumed.path.clone());
        let Some(path) =
            path.or_else(|| self.checkpoint.clone()).or_else(beside).filter(|_| !self.words.is_empty())
        else {
            return Ok(Keeper::none(Arc::clone(progress)));
        };
        if resumed.is_none() && path.exists() {
            bail!(
                "`{path}` is the checkpoint of an unfinished scan; go on with `banneret scan --resume {path}`, or remove it",
                path = path.display()
            );
        }
        let checkpoint = Checkpoint {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            arguments: self.words.clone(),
            folder: std::env::current_dir()?.to_string_lossy().into_owned(),
            seed: self.seed,
            targets: digest(&self.loaded),
            began: time::to_string(began),
            high: 0,
            pending: Vec::new(),
            outputs: Vec::new(),
            claimed: Vec::new(),
            counts: Counts::default(),
        };
        Ok(Keeper::new(path, checkpoint, Arc::clone(progress)))
    }
}

fn digest(loaded: &Loaded) -> String {
    format!("{:032x}", loaded.set.digest())
}

/// The worst severity that a summary counts.
fn worst_of(summary: &Summary) -> Severity {
    let met = |severity: &Severity| summary.all.severity(*severity) > 0;
    Severity::ALL.into_iter().filter(met).max().unwrap_or(Severity::None)
}

/// Columns of the terminal that stderr or stdout leads to.
fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(io::stdout())
        .or_else(|_| rustix::termios::tcgetwinsize(io::stderr()))
        .map_or(DEFAULT_WIDTH, |size| usize::from(size.ws_col).max(1))
}

/// What is told at the end, on stderr.
fn tell(summary: &Summary, progress: &Progress, took: Duration) -> io::Result<()> {
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
    summary_text::write(summary, terminal_width(), &mut told)?;
    // Nobody may be there to read it.
    let _ = io::stderr().write_all(&told);
    Ok(())
}

impl Finished {
    fn quietly() -> Self {
        Self { exit: Exit::Done, summary: Summary::new(), written: Vec::new(), took: Duration::ZERO }
    }
}

/// Tells what a scan would do.
pub fn dry_run(session: &Session) -> anyhow::Result<Exit> {
    let concurrency = limits::concurrency(limits::raise_open_files(), session.concurrency);
    let Loaded { set, exclusions, names, shard, .. } = &session.loaded;
    let order = Arc::new(Order::new(Arc::clone(set), session.seed, *shard));
    let roster = Roster::new(Arc::clone(set), Arc::clone(exclusions), names.clone(), session.ports.clone());
    let course = Course::new(Arc::new(roster), order, session.limit);
    let mut told =
        format!("{} targets, of which {} host names; seed {}\n", course.turns(), names.len(), session.seed);
    for removed in set.removed().iter().filter(|removed| removed.addresses > 0) {
        told.push_str(&format!("{} addresses excluded by {}\n", removed.addresses, removed.list));
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
        told.push_str(&format!("at least {time} at that rate\n"));
    }
    told.push_str("nothing was sent\n");
    super::print(told.as_bytes())
}
