//! `banneret report`: record files → one summary, for whoever reads it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, anyhow, bail};

use super::args::ReportArgs;
use super::exit::{Exit, Unable};
use super::files::fixes_beside;
use super::{files, print, small_file, terminal};
use crate::record::neutral::Safe;
use crate::report::aggregate::{Beside, aggregate};
use crate::report::asn::AsnDb;
use crate::report::atomic;
use crate::report::format::{Format, FormatError};
use crate::report::html::fixes::Sheet;
use crate::report::html::{self, Page, Run};
use crate::report::input::{End, InputError};
use crate::report::manifest;
use crate::report::odd::OddRecords;
use crate::report::preflight::Preflight;
use crate::report::repeats::Repeats;
use crate::report::split::template::Template;
use crate::report::split::{Place, Split, SplitError};
use crate::report::summary::{Kind, MAX_GROUPS, Summary, View};
use crate::report::table::counted;

/// Counts and shows.
pub fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let view = match &args.format {
        Some(word) => View::parse(word)?,
        None => View::Terminal { width: terminal::width() },
    };
    let from = args.from.as_deref().map(Format::parse).transpose()?;
    let kinds = kinds(&args.group_by)?;
    let split_by = match (&args.split, kinds.as_slice()) {
        (None, _) => Kind::NETWORK,
        (Some(_), [kind]) => kind.clone(),
        (Some(_), _) => {
            bail!("--split needs one --group-by that says what each list is for, as `tag:customer`")
        }
    };
    check_stdin(&args.records)?;
    let preflight = files::of_report(args);
    files::settle(&preflight)?;
    let stdout = Path::new("-");
    let on_stdout = args.html.as_deref() == Some(stdout) && args.output == stdout;
    if on_stdout && args.format.is_some() {
        bail!("--format and `--html -` both write to stdout; name a file for the page");
    }
    let networks = args.asn_db.as_deref().map(AsnDb::open).transpose()?;
    let mut summary = Summary::grouped(MAX_GROUPS, kinds);
    summary.top = args.top;
    if args.html.is_some() {
        summary = summary.detailed();
    }
    let mut split =
        args.split.as_deref().map(|folder| split_into(folder, split_by, (args, &preflight))).transpose()?;
    let beside = Beside { networks: networks.as_ref(), split: split.as_mut() };
    let mut counted = aggregate(&args.records, from, summary, beside).map_err(say_from)?;
    if let Some(split) = split {
        tell_split(split)?;
    }
    tell_repeats(&counted.repeats);
    tell_empty(&counted.summary);
    counted.odd.iter().for_each(|(path, odd)| tell_odd(path, odd, "they count as `other`"));
    for (file, warning) in &counted.summary.warnings {
        super::say(format_args!(
            "banneret: of the records in `{file}` their manifest warns: {}",
            Safe(warning)
        ));
    }
    let mut exit = Exit::Done;
    for (path, end) in &counted.torn {
        if !tell_end(path, *end, Told::Counted) && !args.allow_partial {
            exit = Exit::Failed;
        }
    }
    for manifest in &counted.passed_over {
        super::say(format_args!(
            "banneret: manifest `{}` is not that of the records beside it; it counts for nothing",
            manifest.display()
        ));
    }
    if let Some(path) = &args.html {
        let names: Vec<String> = args.records.iter().map(|path| path.display().to_string()).collect();
        let run = |path: &PathBuf| Run { name: path.display().to_string(), manifest: manifest::beside(path) };
        let runs: Vec<Run> = args.records.iter().map(run).collect();
        write_html(&mut counted.summary, &names.join(", "), &runs, path)?;
        if on_stdout {
            return Ok(exit);
        }
    }
    let mut told = Vec::new();
    view.write(&counted.summary, &mut told)?;
    put(&args.output, &told)?;
    Ok(exit)
}

/// Says how many records were given twice.
fn tell_repeats(repeats: &Repeats) {
    let count = repeats.count();
    if count > 0 {
        let about = if repeats.is_exact() { "" } else { "about " };
        super::say(format_args!(
            "banneret: {about}{} given before (same target, entry and time); each counts as often as it is given",
            counted(count, "record was", "records were")
        ));
    }
}

/// Begins the lists of what to fix.
fn split_into(folder: &Path, kind: Kind, (args, files): (&ReportArgs, &Preflight)) -> anyhow::Result<Split> {
    let place = Place { folder, existing: files::existing(args.overwrite), taken: files.identities() };
    let template = match &args.mail_template {
        Some(path) => {
            let text = small_file::text(path, small_file::BY_HAND)
                .with_context(|| format!("mail template `{}` can't be read", path.display()))?;
            Template::parse(&text).map_err(|wrong| anyhow!("mail template `{}` {wrong}", path.display()))?
        }
        None => Template::default(),
    };
    Split::new(place, kind, template).context(Unable)
}

/// Says which of the groups asked for have no record: a tag that is misspelt has none.
fn tell_empty(summary: &Summary) {
    for grouping in summary.chosen() {
        if let (Kind::Tag(name), true) = (grouping.kind, summary.all.records > 0)
            && grouping.groups.worst_listed(1).groups.is_empty()
        {
            super::say(format_args!(
                "banneret: no record has the tag `{}`, so there is nothing to group by it; a tag is called as the column of \
                 the target list",
                Safe(name)
            ));
        }
    }
}

/// Ends lists of groups, and says what of it stands in none, and which lists stay that should not.
pub(super) fn tell_split(split: Split) -> anyhow::Result<()> {
    let without = split.without;
    let lists = match split.finish() {
        Err(wrong @ SplitError::Write { .. }) => return Err(wrong).context(Unable),
        finished => finished?,
    };
    if without > 0 {
        super::say(format_args!(
            "banneret: {} written; {} in none, for their records do not say in which",
            counted(lists.written as u64, "list", "lists"),
            counted(without, "host with something to fix is", "hosts with something to fix are")
        ));
    }
    for path in lists.changed {
        super::say(format_args!(
            "banneret: fix list `{}` is of an earlier report and was changed since, so it stays; remove it if it is done",
            path.display()
        ));
    }
    Ok(())
}

/// What `--group-by` says, each kind once.
fn kinds(words: &[String]) -> anyhow::Result<Vec<Kind>> {
    let mut kinds = Vec::new();
    for word in words {
        let kind = Kind::parse(word)?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// Writes the page to a file and the list of what is to be fixed beside it, or the page alone to stdout for
/// `-`.
pub(super) fn write_html(
    summary: &mut Summary,
    subject: &str,
    runs: &[Run],
    path: &Path,
) -> anyhow::Result<()> {
    let sheet = Sheet::new(
        summary.detail.as_mut().map(|detail| std::mem::take(&mut detail.fixes)).unwrap_or_default(),
    );
    let beside = fixes_beside(path);
    let name = beside.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let fixes = name.as_deref().map(|name| (&sheet, name));
    let mut page = Vec::new();
    html::write(summary, &Page { subject, made: SystemTime::now(), fixes, runs }, &mut page)?;
    let Some(beside) = &beside else { return put(path, &page) };
    let mut list = Vec::new();
    sheet.write(&mut list)?;
    // The list first: a page that is there leads to one that is.
    for (kind, path, written) in [
        ("list", beside.as_path(), atomic::write(beside, &list)),
        ("report", path, atomic::write(path, &page)),
    ] {
        written.with_context(|| format!("{kind} `{}` can't be written", path.display())).context(Unable)?;
    }
    Ok(())
}

/// Puts a file in place, whole or not at all; `-` is stdout.
pub(super) fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if path == Path::new("-") {
        return print(bytes).map(drop);
    }
    atomic::write(path, bytes)
        .with_context(|| format!("report `{}` can't be written", path.display()))
        .context(Unable)
}

/// An ending that says nothing is told with the flag that says it here.
pub(super) fn say_from(wrong: InputError) -> anyhow::Error {
    match wrong {
        InputError::Form(FormatError::Ending(name)) => anyhow!(
            "`{name}` has an ending that names no format; end it in `.jsonl`, `.csv` or `.parquet`, or say `--from`"
        ),
        other => other.into(),
    }
}

/// Stdin can be read but once.
pub(super) fn check_stdin<P: AsRef<Path>>(files: &[P]) -> anyhow::Result<()> {
    if files.iter().filter(|path| path.as_ref() == Path::new("-")).count() > 1 {
        bail!("stdin can be read once only; `-` stands for more than one file");
    }
    Ok(())
}

/// Says what of a file's records this version does not know, and what becomes of the words.
pub(super) fn tell_odd(path: &Path, odd: &OddRecords, fate: &str) {
    for line in odd.lines(&path.display().to_string(), fate) {
        super::say(format_args!("banneret: {line}"));
    }
}

/// What becomes of the records that stand before the end of half a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told {
    /// A report or a comparison is of them.
    Counted,
    /// They are judged.
    Judged,
}

/// Says that a file is not there as a whole, as a crash or half a download leaves it; whether it is.
pub(super) fn tell_end(path: &Path, end: End, told: Told) -> bool {
    let Some(why) = end.why() else { return true };
    let what = match told {
        Told::Counted => "counted",
        Told::Judged => "judged",
    };
    super::say(format_args!(
        "banneret: records `{}` are not complete: {why}; what stands before is {what} (`--allow-partial` ends with 0 all \
         the same)",
        path.display()
    ));
    false
}
