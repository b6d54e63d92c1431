//! Which files a command reads and writes: told, compared and made sure of before anything is sent.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::{DiffArgs, JudgeArgs, ReportArgs, ScanArgs};
use super::config;
use super::exit::Unable;
use super::resume::Resumed;
use crate::report::format::{Form, Format};
use crate::report::preflight::{Before, Existing, Preflight, PreflightError, Writing, is_leftover};
use crate::report::{atomic, manifest, parquet};

/// How metrics for Prometheus begin.
const METRICS: &[u8] = b"# HELP banneret_records ";
/// The longest line of a status file that is looked at, in bytes.
const LONGEST_STATUS: u64 = 1 << 16;

/// Makes sure that a command may begin, and removes what killed runs of the same outputs left.
pub(super) fn settle(preflight: &Preflight) -> anyhow::Result<()> {
    check(preflight)?;
    preflight.remove_leftovers();
    Ok(())
}

/// Makes sure that a command may begin.
pub(super) fn check(preflight: &Preflight) -> anyhow::Result<()> {
    match preflight.check() {
        Err(wrong @ PreflightError::Unwritable { .. }) => Err(wrong).context(Unable),
        checked => Ok(checked?),
    }
}

/// The files of a scan, in the words of its command line.
pub(super) fn of_scan(
    args: &ScanArgs,
    format: Option<Format>,
    resumed: Option<&Resumed>,
) -> anyhow::Result<Preflight> {
    let output = &args.output;
    let mut files = begin(output.overwrite);
    files.reads("target list", &args.targets.input);
    files.reads("exclusion list", &args.targets.exclude_file);
    files.reads("network data", &args.targets.asn_db);
    files.reads("list of accepted findings", &output.accept);
    files.reads("list of providers", &output.providers);
    let before = if resumed.is_some() { Before::Ours } else { Before::Unknown };
    let checkpoint = match resumed {
        Some(resumed) => Some(resumed.path.clone()),
        None => output.checkpoint.clone().or_else(|| first_file(&output.output).map(checkpoint_beside)),
    };
    if resumed.is_none() {
        files.resumed_by(checkpoint.clone().unwrap_or_default());
    }
    for path in &output.output {
        records(&mut files, path, format, before)?;
    }
    if output.output.is_empty() {
        files.writes("output", Path::new("-"), Writing::Rows, before);
    }
    for (flag, path) in [("checkpoint", &checkpoint), ("status", &output.status)] {
        if path.as_deref() == Some(Path::new("-")) {
            bail!("--{flag} can't be stdout; name a file");
        }
    }
    if let Some(path) = &checkpoint {
        files.writes("checkpoint", path, Writing::Whole, before);
    }
    if let Some(path) = &output.html {
        page(&mut files, path, before);
    }
    if let Some(path) = &output.summary {
        files.writes("summary", path, Writing::Whole, before);
    }
    if let Some(path) = &output.status {
        let before = if resumed.is_some() && is_status(path) { Before::Ours } else { Before::Unknown };
        files.writes("status file", path, Writing::Rows, before);
    }
    Ok(files)
}

/// The files of `judge`.
pub(super) fn of_judge(args: &JudgeArgs, format: Option<Format>) -> anyhow::Result<Preflight> {
    let mut files = begin(args.overwrite);
    files.reads("records", &args.records);
    files.reads("network data", &args.asn_db);
    files.reads("list of accepted findings", &args.accept);
    files.reads("list of providers", &args.providers);
    files.resumed_by(first_file(&args.output).map(checkpoint_beside).unwrap_or_default());
    for path in &args.output {
        records(&mut files, path, format, Before::Unknown)?;
    }
    Ok(files)
}

/// Where the list of what is to be fixed stands: `report.fixes.csv` beside `report.html`; nowhere if the page
/// is a stream.
pub(super) fn fixes_beside(page: &Path) -> Option<PathBuf> {
    if page == Path::new("-") || atomic::is_stream(page) {
        return None;
    }
    let is_html = page.extension().is_some_and(|ending| ending == "html" || ending == "htm");
    let mut name = if is_html { page.file_stem()? } else { page.file_name()? }.to_owned();
    name.push(".fixes.csv");
    Some(page.with_file_name(name))
}

/// The files of `report`, those of `--split` aside, whose names are in the records.
pub(super) fn of_report(args: &ReportArgs) -> Preflight {
    let mut files = begin(args.overwrite);
    files.reads("records", &args.records);
    files.reads("network data", &args.asn_db);
    files.reads("mail template", &args.mail_template);
    let stdout = Path::new("-");
    // The page on stdout takes the place of the text.
    if args.html.as_deref() != Some(stdout) || args.output != stdout {
        let is_ours = args.format.as_deref() == Some("prometheus") && is_metrics(&args.output);
        let before = if is_ours { Before::Ours } else { Before::Unknown };
        files.writes("report", &args.output, Writing::Whole, before);
    }
    if let Some(path) = &args.html {
        page(&mut files, path, Before::Unknown);
    }
    files
}

/// The files of `diff`.
pub(super) fn of_diff(args: &DiffArgs) -> Preflight {
    let mut files = begin(args.overwrite);
    files.reads("records", &args.records);
    let stdout = Path::new("-");
    if args.html.as_deref() != Some(stdout) {
        files.writes("comparison", stdout, Writing::Rows, Before::Unknown);
    }
    if let Some(path) = &args.html {
        files.writes("page", path, Writing::Whole, Before::Unknown);
    }
    files
}

/// The files of any command so far: its settings.
fn begin(overwrite: bool) -> Preflight {
    let words: Vec<OsString> = std::env::args_os().collect();
    let mut files = Preflight::new(existing(overwrite));
    files.reads("settings file", config::named(&words));
    files
}

/// What `--overwrite` says.
pub(super) fn existing(overwrite: bool) -> Existing {
    if overwrite { Existing::Overwrite } else { Existing::Keep }
}

/// The outputs that are files: not stdout, no device, no pipe.
pub(super) fn files(outputs: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    outputs.iter().filter(|path| *path != Path::new("-") && !atomic::is_stream(path))
}

fn first_file(outputs: &[PathBuf]) -> Option<&PathBuf> {
    files(outputs).next()
}

/// Where the checkpoint of a scan stands whose first file is `output`.
pub(super) fn checkpoint_beside(output: impl AsRef<Path>) -> PathBuf {
    let mut name = output.as_ref().as_os_str().to_owned();
    name.push(".checkpoint");
    PathBuf::from(name)
}

/// An output of records and what stands beside it.
fn records(files: &mut Preflight, path: &Path, format: Option<Format>, before: Before) -> anyhow::Result<()> {
    let is_parquet = Form::of(path, format)?.format == Format::Parquet;
    files.writes("output", path, if is_parquet { Writing::FileOnly } else { Writing::Rows }, before);
    if path == Path::new("-") || atomic::is_stream(path) {
        return Ok(());
    }
    if is_parquet {
        let gathered = parquet::gathered(path);
        let is_ours = before == Before::Ours || is_leftover(&gathered, &checkpoint_beside(path));
        let before = if is_ours { Before::Ours } else { Before::Unknown };
        files.writes("unfinished file", &gathered, Writing::FileOnly, before);
        files.writes("unfinished file", &atomic::beside(path), Writing::FileOnly, Before::Ours);
    }
    if let Some(path) = manifest::path_of(path) {
        // It follows its output, which is not there any more if nobody has asked about it.
        let before = if manifest::Told::read(&path).is_some() { Before::Ours } else { before };
        files.writes("manifest", &path, Writing::Whole, before);
    }
    Ok(())
}

fn page(files: &mut Preflight, path: &Path, before: Before) {
    files.writes("page", path, Writing::Whole, before);
    if let Some(beside) = fixes_beside(path) {
        files.writes("list of fixes", &beside, Writing::Whole, before);
    }
}

/// Whether metrics stand there that an earlier report wrote.
fn is_metrics(path: &Path) -> bool {
    let mut found = [0; METRICS.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut found)).is_ok()
        && found == METRICS
}

/// Whether lines of status stand there that an earlier run wrote.
fn is_status(path: &Path) -> bool {
    let mut line = Vec::new();
    let read = path.is_file()
        && File::open(path)
            .and_then(|file| BufReader::new(file.take(LONGEST_STATUS)).read_until(b'\n', &mut line))
            .is_ok();
    let told = serde_json::from_slice::<serde_json::Value>(&line).ok();
    read && told.is_some_and(|told| told["schema"] == super::monitor::status::SCHEMA)
}
