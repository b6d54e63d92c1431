//! `banneret diff`: two scans, host by host.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::args::{DiffArgs, DiffWord};
use super::exit::Exit;
use super::{report, terminal};
use crate::report::diff::{Change, Scan, csv, show};
use crate::report::format::Format;
use crate::report::input::{End, Input};

/// Compares and shows.
pub fn run(args: &DiffArgs) -> anyhow::Result<Exit> {
    let from = args.from.as_deref().map(Format::parse).transpose()?;
    report::check_stdin(&[&args.old, &args.new])?;
    let (old, new) = (read(&args.old, from)?, read(&args.new, from)?);
    let entries = old.compare(&new);
    let mut out = BufWriter::new(io::stdout().lock());
    let told = match args.format {
        DiffWord::Text => show::text(&entries, terminal::width(), &mut out),
        DiffWord::Json => show::json(&entries, &mut out),
        DiffWord::Csv => csv::write(&entries, &mut out),
    };
    match told.and_then(|()| out.flush()) {
        Err(wrong) if wrong.kind() != io::ErrorKind::BrokenPipe => return Err(wrong.into()),
        _ => {}
    }
    let regressed = entries.iter().any(|entry| entry.change == Change::Regressed);
    Ok(if regressed && args.fail_on_regression { Exit::Findings } else { Exit::Done })
}

fn read(path: &Path, from: Option<Format>) -> anyhow::Result<Scan> {
    let mut scan = Scan::default();
    if Input::open(path, from).map_err(report::say_from)?.rows(|row| scan.add(row))? == End::Torn {
        report::tell_torn(path);
    }
    Ok(scan)
}
