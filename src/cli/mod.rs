//! What a person types and reads. The one place where errors become sentences and exit codes.

mod accept;
pub mod args;
pub mod bar;
pub mod check;
pub mod config;
mod defect;
mod environment;
pub mod demo;
pub mod diff;
mod excluded_names;
pub mod exclusion_watch;
mod exit;
pub mod explain;
mod files;
pub mod judge;
pub mod lists;
pub mod live;
mod manual;
pub mod monitor;
mod providers;
pub mod report;
pub mod resume;
pub mod scan;
pub mod session;
pub mod signals;
mod small_file;
pub mod solve;
pub mod targets;
pub mod terminal;
mod upstreams;
mod usage;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};

use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::record::neutral::Safe;
use args::{Cli, Command, ScanArgs};
use environment::Environment;
pub use exit::Exit;

/// Runs the program: reads the arguments, does what they say, and tells how to end.
pub fn run(arguments: &[OsString]) -> Exit {
    defect::tell();
    if arguments.get(1).is_some_and(|word| word == "scan") {
        // As early as can be; where it fails, the scan says so.
        let _ = signals::listen();
    }
    match dispatch(arguments) {
        Ok(exit) => exit,
        Err(wrong) => {
            say(format_args!("banneret: {}", sentence(&wrong)));
            let exit = exit_of(&wrong);
            // A monitoring system takes 2 for a host that is down.
            let of_plugin = exit == Exit::Usage && check::is_plugin(arguments);
            if of_plugin { check::usage_of_plugin().unwrap_or(exit) } else { exit }
        }
    }
}

/// An error and its causes in one line, each said once, safe for a terminal.
fn sentence(wrong: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in wrong.chain() {
        let cause = cause.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
        // Some errors hold the words of what caused them.
        if told.ends_with(&cause) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&cause);
    }
    Safe(told).to_string()
}

fn dispatch(arguments: &[OsString]) -> anyhow::Result<Exit> {
    if let Some(chapter) = manual::asked(arguments) {
        return print(chapter.text.as_bytes());
    }
    let command = Cli::command();
    let environment = Environment::of(&command, std::env::vars_os());
    let mut command = environment.heard_by(command);
    if config::is_heard(&command, arguments) {
        if let Some(wrong) = environment.mistake(&command) {
            anyhow::bail!(wrong);
        }
        if let Some(path) = config::named(arguments) {
            command = config::apply(command, &path)?;
        }
        if let Some(told) = environment.passed_over() {
            say(format_args!("banneret: {told}"));
        }
    }
    let matches = match command.clone().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(wrong) => return usage::tell(&wrong, &command, arguments),
    };
    let cli = Cli::from_arg_matches(&matches)?;
    match cli.command {
        Command::Scan(args) => run_scan(&args, &command, &matches),
        Command::Targets(args) => targets::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Judge(args) => judge::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, "banneret", &mut script);
            print(&script)
        }
        Command::Man { page } => manual::page(command, page.as_deref()),
    }
}

/// A scan as typed, or as its checkpoint says.
fn run_scan(args: &ScanArgs, command: &clap::Command, matches: &ArgMatches) -> anyhow::Result<Exit> {
    let of_scan = |matches: &ArgMatches| matches.subcommand_matches("scan").cloned().unwrap_or_default();
    let Some(path) = &args.output.resume else {
        return scan::run(args, &scan::Typed { command, matches: &of_scan(matches) }, None);
    };
    let (resumed, words) = resume::read(path, &of_scan(matches))?;
    let command = resume::deaf();
    let matches = command.clone().try_get_matches_from(words)?;
    match Cli::from_arg_matches(&matches)?.command {
        Command::Scan(args) => {
            scan::run(&args, &scan::Typed { command: &command, matches: &of_scan(&matches) }, Some(resumed))
        }
        _ => anyhow::bail!("checkpoint `{}` belongs to no scan", path.display()),
    }
}

/// Writes to stdout; a reader that went away ends the program quietly.
fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    printed(out.write_all(bytes).and_then(|()| out.flush()))
}

/// What a write to stdout came to.
fn printed(written: io::Result<()>) -> anyhow::Result<Exit> {
    match written {
        Err(wrong) if !is_closed(&wrong) => {
            Err(anyhow::Error::new(wrong).context("stdout can't be written").context(exit::Unable))
        }
        _ => Ok(Exit::Done),
    }
}

/// Whether the reader of a pipe went away; the writer of CSV wraps that in an error of its own.
fn is_closed(wrong: &io::Error) -> bool {
    let inner = wrong.get_ref().and_then(|inner| inner.downcast_ref::<csv::Error>());
    match inner.map(csv::Error::kind) {
        Some(csv::ErrorKind::Io(inner)) => inner.kind() == io::ErrorKind::BrokenPipe,
        _ => wrong.kind() == io::ErrorKind::BrokenPipe,
    }
}

/// Says a line on stderr. Nobody may be there to read it, which changes nothing.
fn say(line: impl Display) {
    let _ = terminal::beside_bar(|| writeln!(io::stderr(), "{line}"));
}

/// Says on stderr, also to those who want errors only, why the program ends with [`Exit::Findings`].
fn say_reached(severity: &str, first: &str) {
    say(format_args!("banneret: findings reached `--fail-on {severity}`; the first: {}", Safe(first)));
}

/// Trouble of this machine is one thing, what was typed another.
fn exit_of(wrong: &anyhow::Error) -> Exit {
    use crate::resolve::ResolveError;
    use crate::scan::ScanError;
    if wrong.is::<ScanError>() || wrong.is::<exit::Unable>() {
        return Exit::Failed;
    }
    match wrong.downcast_ref::<ResolveError>() {
        Some(ResolveError::Io(..) | ResolveError::Unusable(_)) => Exit::Failed,
        _ => Exit::Usage,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_other_trouble() {
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed(&closed()) && is_closed(&csv::Error::from(closed()).into()));
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert!(!is_closed(&full()) && !is_closed(&csv::Error::from(full()).into()));
    }

    #[test]
    fn a_cause_is_said_once_and_in_one_line() {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let holding = crate::report::input::InputError::Read { name: "a".to_owned(), source: missing() };
        assert_eq!(sentence(&holding.into()), "records `a` can't be read: entity not found");
        let chained = Err::<(), _>(missing()).context("folder `b` can't be made").unwrap_err();
        assert_eq!(sentence(&chained), "folder `b` can't be made: entity not found");
        assert_eq!(sentence(&anyhow::anyhow!("a\n  b\u{1b}[2J")), "a b\\x1b[2J");
    }
}
