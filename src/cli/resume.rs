//! Going on with a scan: a command line as words that mean the same later, and the way back from a
//! checkpoint.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command, CommandFactory};

use super::args::Cli;
use super::small_file;
use crate::report::format::{Form, Format};
use crate::report::parquet;
use crate::scan::checkpoint::Checkpoint;

/// Flags of how a run is shown, not of what it does: a resumed run takes those that are typed with it.
const SHOWN: [&str; 5] = ["progress", "quiet", "verbose", "status", "metrics"];
/// Flags that have done their part when the words are made.
const SPENT: [&str; 3] = ["resume", "config", "dry_run"];

/// A checkpoint and the scan that it belongs to.
#[derive(Debug)]
pub struct Resumed {
    /// Its file.
    pub path: PathBuf,
    /// What it holds.
    pub checkpoint: Checkpoint,
}

/// The words of a scan that mean the same on any later day: defaults, environment and settings file included,
/// the seed settled.
pub fn words(command: &Command, matches: &ArgMatches, seed: u64) -> anyhow::Result<Vec<String>> {
    let (mut words, mut positional) =
        (vec!["banneret".to_owned(), command.get_name().to_owned()], Vec::new());
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        if SHOWN.contains(&id) || SPENT.contains(&id) || id == "seed" || id == "help" {
            continue;
        }
        if matches!(arg.get_action(), ArgAction::SetTrue) {
            let long = arg.get_long().filter(|_| matches.get_flag(id));
            words.extend(long.map(|long| format!("--{long}")));
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            let Some(value) = value.to_str() else {
                bail!("`{}` is not UTF-8, so it can't be kept in a checkpoint", value.to_string_lossy());
            };
            match arg.get_long() {
                Some(long) => words.push(format!("--{long}={value}")),
                None => positional.push(value.to_owned()),
            }
        }
    }
    words.push(format!("--seed={seed}"));
    words.push("--".to_owned());
    words.extend(positional);
    Ok(words)
}

/// Reads a checkpoint and goes where its scan was started; gives the words to run again, with what was typed
/// now of how it is to be shown.
pub fn read(path: &Path, typed: &ArgMatches) -> anyhow::Result<(Resumed, Vec<OsString>)> {
    let command = Cli::command();
    for arg in command.find_subcommand("scan").into_iter().flat_map(Command::get_arguments) {
        let id = arg.get_id().as_str();
        let by_hand =
            typed.try_contains_id(id).is_ok() && typed.value_source(id) == Some(ValueSource::CommandLine);
        if by_hand && id != "resume" && !SHOWN.contains(&id) {
            let flag = arg.get_long().map_or_else(|| "TARGET".to_owned(), |long| format!("--{long}"));
            bail!(
                "`{flag}` can't be changed on the way; a resumed scan has the settings it was started with"
            );
        }
    }
    if typed.try_contains_id("config").is_ok()
        && typed.value_source("config") == Some(ValueSource::CommandLine)
    {
        bail!("`--config` can't be changed on the way; a resumed scan has the settings it was started with");
    }
    let shown = path.display();
    let file = small_file::bytes(path, small_file::CHECKPOINT)
        .with_context(|| format!("checkpoint `{shown}` can't be read"))?;
    let checkpoint =
        Checkpoint::decode(&file).map_err(|wrong| anyhow::anyhow!("checkpoint `{shown}` {wrong}"))?;
    if checkpoint.arguments.get(1).is_none_or(|word| word != "scan") {
        bail!("checkpoint `{shown}` holds no command line of a scan; start the scan anew");
    }
    let asked = checkpoint.arguments.iter().find_map(|word| word.strip_prefix("--format="));
    let format = asked.and_then(|word| Format::parse(word).ok());
    for output in &checkpoint.outputs {
        let path = Path::new(&checkpoint.folder).join(&output.path);
        let file = match Form::of(&path, format) {
            // Until a scan is complete, what is to be Parquet stands as lines.
            Ok(Form { format: Format::Parquet, .. }) => parquet::gathered(&path),
            _ => path,
        };
        let length = fs::metadata(file).map_or(0, |data| data.len());
        if output.path != "-" && length < output.length {
            bail!(
                "output `{}` holds {length} bytes, fewer than the {} that checkpoint `{shown}` counts: it is another file or was changed",
                output.path,
                output.length
            );
        }
    }
    let path = std::path::absolute(path)?;
    let mut words: Vec<OsString> = checkpoint.arguments.iter().map(OsString::from).collect();
    let mut display = Vec::new();
    for flag in ["progress", "status", "metrics"] {
        if let Some(value) = typed.get_raw(flag).and_then(|mut raw| raw.next_back()) {
            display.push(format!("--{flag}").into());
            // A file is named from where it was typed, not from where the scan was started.
            let is_file = flag == "status" && value != "-";
            display.push(if is_file { std::path::absolute(value)?.into() } else { value.to_owned() });
        }
    }
    if typed.get_flag("quiet") {
        display.push("--quiet".into());
    }
    words.splice(2..2, display);
    std::env::set_current_dir(&checkpoint.folder).with_context(|| {
        format!("folder `{}`, where the scan was started, can't be entered", checkpoint.folder)
    })?;
    Ok((Resumed { path, checkpoint }, words))
}

/// The command line's definitions, deaf to the environment: a checkpoint holds all that was set.
pub fn deaf() -> Command {
    let mut command = Cli::command();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command =
            command.mut_subcommand(name, |sub| sub.mut_args(|arg| arg.env(clap::builder::Resettable::Reset)));
    }
    command
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;
    use crate::cli::args::{Command as Word, ScanArgs};

    fn scan(words: &[String]) -> (ScanArgs, ArgMatches, Command) {
        let mut command = deaf();
        command.build();
        let matches = command.clone().try_get_matches_from(words).unwrap();
        let sub = command.find_subcommand("scan").unwrap().clone();
        let of_scan = matches.subcommand_matches("scan").unwrap().clone();
        match Cli::from_arg_matches(&matches).unwrap().command {
            Word::Scan(args) => (*args, of_scan, sub),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_checkpoint_without_a_scans_words_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.checkpoint");
        let body = r#"{"version":"0.1.0","arguments":[],"folder":".","seed":7,"targets":"00","began":"","high":"0",
            "pending":[],"outputs":[],"claimed":[],
            "counts":{"drawn":0,"written":0,"dropped":0,"outcomes":{},"verdicts":{}}}"#;
        let checkpoint: Checkpoint = serde_json::from_str(body).unwrap();
        fs::write(&path, checkpoint.encode()).unwrap();
        let (_, typed, _) = scan(&["banneret".to_owned(), "scan".to_owned()]);
        let wrong = read(&path, &typed).unwrap_err().to_string();
        assert!(wrong.ends_with("holds no command line of a scan; start the scan anew"), "{wrong}");
    }

    #[test]
    fn the_words_kept_mean_what_was_typed() {
        let typed = [
            "banneret",
            "scan",
            "-x",
            "192.0.2.9",
            "--rate",
            "0.5",
            "-p",
            "25,587",
            "--allow-reserved",
            "-q",
            "-i",
            "a b.csv",
            "192.0.2.0/24",
            "mx:example.org",
        ];
        let (first, matches, command) = scan(&typed.map(str::to_owned));
        let kept = words(&command, &matches, 77).unwrap();
        let (again, ..) = scan(&kept);
        assert_eq!(again.targets.seed, Some(77));
        assert_eq!(again.targets.targets, first.targets.targets);
        assert_eq!(again.targets.input, first.targets.input);
        assert_eq!(again.targets.exclude, first.targets.exclude);
        assert_eq!(again.probe.port, [25, 587]);
        assert_eq!(again.pace.rate, first.pace.rate);
        assert!(again.targets.allow_reserved && !again.output.quiet);
    }
}
