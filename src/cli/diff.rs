//! `banneret diff`: scans, host by host.

use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};

use super::args::{DiffArgs, DiffWord};
use super::exit::{Exit, Unable};
use super::{files, report, terminal};
use crate::evidence::Outcome;
use crate::record::row::Row;
use crate::report::diff::{Change, Entry, Scan, csv, html, show};
use crate::report::format::Format;
use crate::report::input::Input;
use crate::report::odd::OddRecords;
use crate::report::split::{Place, Split};
use crate::report::summary::Kind;

/// Compares and shows.
pub fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let from = args.from.as_deref().map(Format::parse).transpose()?;
    report::check_stdin(&args.records)?;
    let kind = args.group_by.as_deref().map(Kind::parse).transpose()?;
    if let Some(kind) = kind.as_ref().filter(|kind| !matches!(kind, Kind::Tag(_) | Kind::Prefix(..))) {
        bail!("`{kind}` is nothing to split a comparison by; there are `tag:NAME`, `prefix` and `prefix:16`");
    }
    let preflight = files::of_diff(args);
    files::settle(&preflight)?;
    // Each of the two flags asks for the other.
    let split = match (&args.split, kind) {
        (Some(folder), Some(kind)) => {
            let existing = files::existing(args.overwrite);
            let place = Place { folder, existing, taken: preflight.identities() };
            Some((Split::of_rows(place, kind.clone(), csv::put_header).context(Unable)?, kind))
        }
        _ => None,
    };
    let on_stdout = args.html.as_deref() == Some(Path::new("-"));
    if on_stdout && args.format != DiffWord::Text {
        bail!("--format and `--html -` both write to stdout; name a file for the page");
    }
    let Some((last, earlier)) = args.records.split_last() else { return Ok(Exit::Usage) };
    let (mut known, mut is_whole) = (Scan::default(), true);
    for path in earlier {
        // Whoever did not speak then is told of by nothing.
        let (scan, read_all) = read(path, from, may_have_spoken)?;
        is_whole &= read_all;
        known = known.then(scan);
    }
    let (new, read_all) = read(last, from, |row| may_have_spoken(row) || known.knows(row))?;
    is_whole &= read_all;
    let entries = known.compare(&new);
    if let Some(path) = &args.html {
        let mut page = Vec::new();
        html::write(&entries, (&subject(&args.records), SystemTime::now()), &mut page)?;
        report::put(path, &page)?;
    }
    if let Some((split, kind)) = split {
        split_entries(split, &kind, &entries)?;
    }
    if !on_stdout {
        let mut out = BufWriter::new(io::stdout().lock());
        let told = match args.format {
            DiffWord::Text => show::text(&entries, terminal::width(), &mut out),
            DiffWord::Json => show::json(&entries, &mut out),
            DiffWord::Csv => csv::write(&entries, &mut out),
        };
        super::printed(told.and_then(|()| out.flush()))?;
    }
    if !is_whole && !args.allow_partial {
        return Ok(Exit::Failed);
    }
    let mut feared = args.fail_on.clone();
    if args.fail_on_regression {
        feared.push(Change::Regressed);
    }
    let Some(first) = entries.iter().find(|entry| feared.contains(&entry.change)) else {
        return Ok(Exit::Done);
    };
    let host = SocketAddr::from((first.host.ip, first.host.port));
    super::say_reached(first.change.as_str(), &host.to_string());
    Ok(Exit::Findings)
}

/// Writes what changed of each group, and says how many hosts are in none.
fn split_entries(mut split: Split, kind: &Kind, entries: &[Entry<'_>]) -> anyhow::Result<()> {
    for entry in entries.iter().filter(|entry| entry.change != Change::Same) {
        let keys = entry.keys(kind).unwrap_or_default();
        split.without += u64::from(keys.is_empty());
        for key in keys {
            split.append(key, |line| csv::put_row(entry, line));
        }
    }
    report::tell_split(split)
}

/// Whether a mail server spoke, or the record ends in a way that this version does not know.
fn may_have_spoken(row: &Row<'_>) -> bool {
    row.outcome.is_judged() || row.outcome == Outcome::Other
}

fn subject(records: &[PathBuf]) -> String {
    let names: Vec<String> = records.iter().map(|path| path.display().to_string()).collect();
    names.join(" → ")
}

fn read(
    path: &Path,
    from: Option<Format>,
    wanted: impl Fn(&Row<'_>) -> bool,
) -> anyhow::Result<(Scan, bool)> {
    let (mut scan, mut odd) = (Scan::default(), OddRecords::default());
    let input = Input::open(path, from).map_err(report::say_from)?;
    let end = input.rows(|row| {
        odd.add(&row.odd);
        if wanted(row) {
            scan.add(row);
        }
    })?;
    report::tell_odd(path, &odd, "findings among them count for nothing, other words make a host `unknown`");
    let is_whole = report::tell_end(path, end, report::Told::Counted);
    Ok((scan, is_whole))
}
