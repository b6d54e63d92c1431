//! `banneret judge`: lines that hold what some scan saw → records with today's judgement, one for each line,
//! in the order of the lines.
//!
//! A line that can't be read becomes a record, too, so that line N of the input is record N of the output:
//! without an address, `not_smtp`, with what is wrong in the tag `unreadable`.
//!
//! Files are read twice: what one name at many addresses means is known only when all have been seen.

mod greeting;
mod lines;
mod resolved;
mod zgrab2;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, bail};

use super::args::{JudgeArgs, LinesWord, QuestionsWord};
use super::exit::{Exit, Unable};
use super::{accept, files, providers, report, scan};
use crate::evidence::{Evidence, InsideViews, Observation, Outcome};
use crate::judge::accept::Acceptances;
use crate::judge::providers::Providers;
use crate::judge::run::Run;
use crate::judge::{Context, Verdict, judge};
use crate::record::foreign::Oddities;
use crate::record::{Foreign, Record, Target, Unjudged, read};
use crate::report::asn::AsnDb;
use crate::report::format::{Form, Format, FormatError};
use crate::report::input::{End, Input};
use crate::report::manifest::{self, Carried, Judged};
use crate::report::odd::OddRecords;
use crate::report::{OutputError, Sink, Start, Written, atomic, parquet, sink};
use crate::scan::ScanError;
use crate::targets::Inventory;
use lines::{Length, Lines};
use resolved::Resolved;

/// The tag that says why a line has no evidence.
const UNREADABLE: &str = "unreadable";

/// Reads, judges, writes.
pub fn run(args: &JudgeArgs) -> anyhow::Result<Exit> {
    let format = args.format.as_deref().map(Format::parse).transpose()?;
    let forms = args.output.iter().map(|path| Form::of(path, format)).collect::<Result<Vec<_>, _>>()?;
    report::check_stdin(&args.records)?;
    for path in &args.records {
        check_form(path, args.from)?;
    }
    files::settle(&files::of_judge(args, format)?)?;
    let has_table = forms.iter().any(|form| form.format == Format::Csv);
    let tags = if has_table { tags(args)? } else { Vec::new() };
    let start = |questions| Resolved::start(scan::resolver_settings(&args.dns, false)?, questions);
    let desk = args.resolve.map(start).transpose()?;
    let now = SystemTime::now();
    let court = Court {
        accepts: accept::load(args.accept.as_deref(), now)?,
        providers: providers::load(args.providers.as_deref())?,
        run: first_pass(args, now)?,
        now,
        moves: RefCell::default(),
        views: Cell::default(),
    };
    let sinks = args.output.iter().zip(forms).map(|(path, form)| sink::open(path, form, &tags, Start::New));
    let sinks = sinks.collect::<Result<Sinks, _>>().map_err(ScanError::Output)?;
    let networks = args.asn_db.as_deref().map(AsnDb::open).transpose()?;
    let carried = (args.from == LinesWord::Records).then(Carried::new);
    match (Bench { sinks, court, desk, networks, carried, unreadable: 0, read: 0, is_whole: true }).work(args)
    {
        // Whoever read the records has seen enough.
        Err(wrong) if is_closed(&wrong) && args.output.len() == 1 => Ok(Exit::Done),
        ended => ended,
    }
}

fn is_closed(wrong: &anyhow::Error) -> bool {
    matches!(wrong.downcast_ref::<ScanError>(), Some(ScanError::Output(OutputError::Closed { .. })))
}

/// Records stand in JSONL only: a CSV row holds no whole record.
fn check_form(path: &Path, from: LinesWord) -> anyhow::Result<()> {
    if from != LinesWord::Records {
        return Ok(());
    }
    match Form::of(path, None) {
        Ok(Form { format: Format::Csv, .. }) => {
            bail!("`{}` is CSV, which holds no whole records; give the JSONL or Parquet file", path.display())
        }
        Ok(Form { format: Format::Ecs | Format::Syslog, .. }) => {
            bail!("`{}` is for other systems and not read back; give the JSONL file", path.display())
        }
        Ok(_) | Err(FormatError::Ending(_) | FormatError::Unknown(_)) => Ok(()),
        Err(wrong @ FormatError::Twice(_)) => Err(wrong.into()),
    }
}

fn open(path: &Path) -> anyhow::Result<Lines> {
    let is_parquet = Form::of(path, None).is_ok_and(|form| form.format == Format::Parquet);
    let asked = if is_parquet { None } else { Some(Format::Jsonl) };
    Ok(Lines::new(path, Input::open(path, asked)?.into_text()))
}

/// The tag columns of a table, which stand in its first line: the inputs are read once more for them.
fn tags(args: &JudgeArgs) -> anyhow::Result<Vec<Arc<str>>> {
    let mut tags: Vec<Arc<str>> = Vec::new();
    if args.from == LinesWord::Records {
        if args.records.iter().any(|path| path == Path::new("-")) {
            bail!(
                "records from stdin can't be read twice, as the tag columns of CSV need; write JSONL, or read a file"
            );
        }
        for path in &args.records {
            let mut lines = open(path)?;
            while let Some(line) = lines.next()? {
                let record = std::str::from_utf8(line.bytes).ok().and_then(|text| read::decode(text).ok());
                let inventory = record.and_then(|record| record.target.inventory);
                for (name, _) in inventory.iter().flat_map(|inventory| &inventory.tags) {
                    if !tags.contains(name) {
                        tags.push(Arc::clone(name));
                    }
                }
            }
        }
    }
    if !tags.iter().any(|tag| &**tag == UNREADABLE) {
        tags.push(UNREADABLE.into());
    }
    Ok(tags)
}

/// What the whole run shows of its hosts: all inputs are read once more for it. Nothing where one of them can
/// be read but once, as stdin and pipes.
fn first_pass(args: &JudgeArgs, now: SystemTime) -> anyhow::Result<Run> {
    let mut run = Run::default();
    if !args.records.iter().all(|path| path.is_file()) {
        return Ok(run);
    }
    for path in &args.records {
        let mut lines = open(path)?;
        while let Some(line) = lines.next()? {
            if let Ok((record, _)) = read_line(&line, args.from, now) {
                run.add(&record.evidence);
            }
        }
    }
    Ok(run)
}

/// Where records go: each to all of them.
type Sinks = Vec<Box<dyn Sink>>;

/// A former verdict, and that of today.
type Move = (Option<Verdict>, Option<Verdict>);

/// What a record is judged by, beside its own evidence.
struct Court {
    accepts: Acceptances,
    providers: Providers,
    run: Run,
    now: SystemTime,
    /// How many records went from which verdict to which.
    moves: RefCell<HashMap<Move, u64>>,
    /// The hosts that DNS told of as from inside a network.
    views: Cell<InsideViews>,
}

impl Court {
    /// Judges a record by the evidence in it, and hands it over.
    fn write(&self, sinks: &mut Sinks, record: Record) -> anyhow::Result<()> {
        let around = self.run.around(&record.evidence);
        let context =
            Context { around, accepts: Some((&self.accepts, self.now)), providers: Some(&self.providers) };
        let before = record.judgement.verdict;
        let record = Unjudged::from(record).judge(&context);
        *self.moves.borrow_mut().entry((before, record.judgement.verdict)).or_default() += 1;
        let InsideViews { hosts, judged } = self.views.get();
        let is_inside =
            record.evidence.resolution.as_ref().is_some_and(|it| it.is_inside_view(record.target.ip));
        self.views.set(InsideViews {
            hosts: hosts + u64::from(is_inside),
            judged: judged + u64::from(record.judgement.verdict.is_some()),
        });
        Ok(sinks.iter_mut().try_for_each(|sink| sink.write(&record)).map_err(ScanError::Output)?)
    }
}

/// What the work needs.
struct Bench {
    sinks: Sinks,
    court: Court,
    desk: Option<Resolved>,
    networks: Option<AsnDb>,
    /// What the scans of the inputs tell, as long as each of them does.
    carried: Option<Carried>,
    unreadable: u64,
    read: u64,
    /// Whether all inputs were read to their end.
    is_whole: bool,
}

impl Bench {
    fn work(mut self, args: &JudgeArgs) -> anyhow::Result<Exit> {
        for path in &args.records {
            self.read_file(path, args.from)?;
        }
        if let Some(desk) = &mut self.desk {
            desk.finish(&mut |record| self.court.write(&mut self.sinks, record))?;
        }
        let written = self.sinks.into_iter().map(Sink::finish).collect::<Result<Vec<_>, _>>();
        let written = written.map_err(ScanError::Output)?;
        let asked = args.format.as_deref().map(Format::parse).transpose()?;
        for written in &written {
            if Form::of(&written.path, asked)?.format == Format::Parquet {
                parquet::forget(&written.path);
            }
        }
        if let Some(carried) = &mut self.carried {
            self.court
                .moves
                .take()
                .into_iter()
                .for_each(|(verdicts, count)| carried.judge_again(verdicts, count));
        }
        let views = self.court.views.get().too_many();
        let warnings: Vec<String> = views.iter().map(InsideViews::to_string).collect();
        for warning in &warnings {
            super::say(format_args!("banneret: {warning}"));
        }
        for written in &written {
            let carried = self.carried.clone();
            let about = (self.court.now, self.networks.as_ref(), warnings.as_slice());
            write_manifest(args, written, carried, about)?;
        }
        if self.unreadable > 1 {
            let _ = writeln!(
                io::stderr(),
                "banneret: {} lines could not be read; their records say why in the tag `{UNREADABLE}`",
                self.unreadable
            );
        }
        if args.from == LinesWord::Records && self.unreadable > 0 && self.unreadable == self.read {
            bail!("not one line is a record; `--from` reads what other tools have seen");
        }
        Ok(if self.is_whole || args.allow_partial { Exit::Done } else { Exit::Failed })
    }

    fn read_file(&mut self, path: &Path, from: LinesWord) -> anyhow::Result<()> {
        let mut lines = open(path)?;
        let before = self.read - self.unreadable;
        let (mut odd, mut torn) = (OddRecords::default(), End::Whole);
        while let Some(line) = lines.next()? {
            let now = self.court.now;
            let read = read_line(&line, from, now);
            odd.add(read.as_ref().map_or(&Oddities::default(), |(_, met)| met));
            let mut record = read.map_or_else(
                |reason| {
                    if !line.is_ended && from == LinesWord::Records {
                        torn = End::Torn;
                    } else if self.unreadable == 0 {
                        let _ = writeln!(io::stderr(), "banneret: {} {reason}", line.place());
                    }
                    self.unreadable += 1;
                    unreadable(line.place(), reason, now)
                },
                |(record, _)| record,
            );
            self.read += 1;
            if let (None, Some(networks), Some(ip)) = (&record.network, &self.networks, record.target.ip) {
                record.network = networks.network(ip);
            }
            self.take(record)?;
        }
        report::tell_odd(path, &odd, "those of the evidence are kept, the others worked out anew");
        self.is_whole &= report::tell_end(path, lines.end().or(torn), report::Told::Judged);
        let records = self.read - self.unreadable - before;
        self.carried = self.carried.take().and_then(|carried| carried.with(path, records));
        Ok(())
    }

    fn take(&mut self, record: Record) -> anyhow::Result<()> {
        match &mut self.desk {
            Some(desk) => desk.take(record, &mut |record| self.court.write(&mut self.sinks, record)),
            None => self.court.write(&mut self.sinks, record),
        }
    }
}

/// Writes the manifest beside the output, if that is a file.
fn write_manifest(
    args: &JudgeArgs,
    written: &Written,
    carried: Option<Carried>,
    (start, networks, warnings): (SystemTime, Option<&AsnDb>, &[String]),
) -> anyhow::Result<()> {
    let Some(path) = manifest::path_of(&written.path).filter(|_| !atomic::is_stream(&written.path)) else {
        return Ok(());
    };
    let command: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let manifest = Judged {
        version: env!("CARGO_PKG_VERSION"),
        command: &command,
        settings: &serde_json::json!({ "from": format!("{:?}", args.from).to_lowercase(), "resolve": args.resolve.map(QuestionsWord::as_str) }),
        start,
        end: SystemTime::now(),
        inputs: &args.records,
        carried,
        asn_db: networks.map(AsnDb::about),
        warnings,
        output: written,
    };
    manifest.write(&path).context(Unable)
}

/// The record of a line, and what of a stored one this version does not know.
fn read_line(line: &lines::Line<'_>, from: LinesWord, now: SystemTime) -> Result<(Record, Oddities), String> {
    let seen = |record| (record, Oddities::default());
    match from {
        LinesWord::Records => stored(line),
        LinesWord::Zgrab2 => text(line).and_then(|text| zgrab2::read(text, now)).map(seen),
        LinesWord::Greetings => Ok(seen(greeting::read(line.bytes, line.place(), now))),
    }
}

fn text<'l>(line: &lines::Line<'l>) -> Result<&'l str, String> {
    if line.length == Length::Cut {
        return Err("is longer than 4 MiB".to_owned());
    }
    std::str::from_utf8(line.bytes).map_err(|_| "is not UTF-8".to_owned())
}

fn stored(line: &lines::Line<'_>) -> Result<(Record, Oddities), String> {
    read::decode_telling(text(line)?).map_err(|wrong| wrong.to_string())
}

/// A record of what was seen elsewhere; it is judged when it is written.
fn record(target: Target, observation: Observation, time: SystemTime) -> Record {
    let nobody = Evidence {
        ip: None,
        observation: Observation::bare(Outcome::Silent, 0),
        resolution: None,
        scanner: None,
    };
    let judgement = judge(&nobody, &Inventory::default());
    let evidence = Evidence { ip: target.ip, observation, resolution: None, scanner: None };
    Record { time, target, evidence, judgement, network: None, foreign: Foreign::default() }
}

fn unreadable(place: String, reason: String, time: SystemTime) -> Record {
    let inventory = Inventory { tags: vec![(UNREADABLE.into(), reason)], ..Inventory::default() };
    let target = Target {
        ip: None,
        port: 0,
        asked: place.into(),
        inventory: Some(Arc::new(inventory)),
        unresolved: None,
    };
    record(target, Observation::bare(Outcome::NotSmtp, 0), time)
}

/// An error of reading an input, told with its name.
fn unreadable_file(path: &Path, wrong: io::Error) -> anyhow::Error {
    anyhow::Error::new(wrong).context(format!("records `{}` can't be read", path.display()))
}
