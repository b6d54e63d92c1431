//! `banneret report`: record files → one summary, for whoever reads it.

use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, anyhow, bail};

use super::args::ReportArgs;
use super::exit::{Exit, Unable};
use super::{print, terminal};
use crate::report::aggregate::aggregate;
use crate::report::asn::AsnDb;
use crate::report::atomic;
use crate::report::format::{Format, FormatError};
use crate::report::html::{self, Title};
use crate::report::input::InputError;
use crate::report::summary::{Kind, MAX_GROUPS, Summary, View};

/// Counts and shows.
pub fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let view = match &args.format {
        Some(word) => View::parse(word)?,
        None => View::Terminal { width: terminal::width() },
    };
    let from = args.from.as_deref().map(Format::parse).transpose()?;
    let kinds = kinds(&args.group_by)?;
    check_stdin(&args.records)?;
    let stdout = Path::new("-");
    let on_stdout = args.html.as_deref() == Some(stdout) && args.output == stdout;
    if on_stdout && args.format.is_some() {
        bail!("--format and `--html -` both write to stdout; name a file for the page");
    }
    let summary = Summary::grouped(MAX_GROUPS, kinds);
    let networks = args.asn_db.as_deref().map(AsnDb::open).transpose()?;
    let counted = aggregate(&args.records, from, summary, networks.as_ref()).map_err(say_from)?;
    counted.torn.iter().for_each(|torn| tell_torn(torn));
    for manifest in &counted.passed_over {
        super::say(format_args!(
            "banneret: manifest `{}` is not that of the records beside it; it counts for nothing",
            manifest.display()
        ));
    }
    if let Some(path) = &args.html {
        let names: Vec<String> = args.records.iter().map(|path| path.display().to_string()).collect();
        write_html(&counted.summary, &names.join(", "), path)?;
        if on_stdout {
            return Ok(Exit::Done);
        }
    }
    let mut told = Vec::new();
    view.write(&counted.summary, &mut told)?;
    if args.output == stdout {
        return print(&told);
    }
    put(&args.output, &told)?;
    Ok(Exit::Done)
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

/// Writes the page to a file, or to stdout for `-`.
pub(super) fn write_html(summary: &Summary, subject: &str, path: &Path) -> anyhow::Result<()> {
    let mut page = Vec::new();
    html::write(summary, &Title { subject, made: SystemTime::now() }, &mut page)?;
    if path == Path::new("-") {
        print(&page)?;
        return Ok(());
    }
    put(path, &page)
}

/// Puts a file in place, whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    atomic::write(path, bytes)
        .with_context(|| format!("report `{}` can't be written", path.display()))
        .context(Unable)
}

/// An ending that says nothing is told with the flag that says it here.
pub(super) fn say_from(wrong: InputError) -> anyhow::Error {
    match wrong {
        InputError::Form(FormatError::Ending(name)) => anyhow!(
            "`{name}` has an ending that names no format; end it in `.jsonl` or `.csv`, or say `--from`"
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

/// Says that a file ends in the middle of a record, as a crash leaves it.
pub(super) fn tell_torn(path: &Path) {
    let _ = writeln!(
        io::stderr(),
        "banneret: records `{}` end in the middle of a record; what stands before is counted",
        path.display()
    );
}
