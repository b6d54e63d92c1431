//! Settings from a TOML file, under those of the environment and of the command line.
//!
//! Each key of the file is a long flag without its dashes. Its value becomes that flag's default, so that the
//! environment and the command line win over it, and is read and checked just as if it had been typed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{ArgAction, Command};

use super::{environment, small_file};

/// The file that `--config` or `BANNERET_CONFIG` names, looked for before anything else is read.
pub fn named(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("BANNERET_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Commands that no settings reach, so that a shell starts and a manual is printed whatever stands in them.
const DEAF: [&str; 2] = ["completions", "man"];

/// Whether what was typed takes settings from elsewhere; a request for help does not.
pub fn is_heard(command: &Command, arguments: &[OsString]) -> bool {
    let mut typed = arguments.iter().skip(1).take_while(|word| *word != "--");
    let asks_help = |word: &OsString| word == "--help" || word == "-h";
    if arguments.get(1).is_some_and(|word| word == "help") {
        return false;
    }
    let sub = typed.find_map(|word| command.find_subcommand(word));
    sub.is_some_and(|sub| !DEAF.contains(&sub.get_name())) && !arguments.iter().any(asks_help)
}

/// Makes the values of a file the defaults of every command that has such flags.
pub fn apply(command: Command, path: &Path) -> anyhow::Result<Command> {
    let shown = path.display();
    let text = small_file::text(path, small_file::BY_HAND)
        .with_context(|| format!("settings `{shown}` can't be read"))?;
    let table = text.parse().map_err(|wrong: toml::de::Error| {
        let line = wrong.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
        anyhow::anyhow!("settings `{shown}` line {line} are not valid TOML: {}", wrong.message())
    })?;
    apply_table(command, &table).with_context(|| format!("settings `{shown}`"))
}

fn apply_table(mut command: Command, table: &toml::Table) -> anyhow::Result<Command> {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for (key, value) in table {
        let values = words(value)
            .with_context(|| format!("`{key}` must be a text, number, true or false, or a list of these"))?;
        let mut known = false;
        let mut takes_one = true;
        for name in &names {
            command = command.mut_subcommand(name, |sub| {
                let id = sub
                    .get_arguments()
                    .find(|arg| arg.get_long() == Some(key))
                    .map(|arg| arg.get_id().clone());
                let Some(id) = id else { return sub };
                known = true;
                let values = values.clone();
                sub.mut_arg(id, |arg| match arg.get_action() {
                    ArgAction::Append => {
                        takes_one = false;
                        arg.default_values(values)
                    }
                    _ => arg.default_value(values.into_iter().next_back().unwrap_or_default()),
                })
            });
        }
        if !known {
            bail!("{}", unknown_key(&command, key));
        }
        if takes_one && values.len() != 1 {
            bail!("`{key}` takes one value");
        }
    }
    Ok(command)
}

/// What is said of a key that is no flag.
fn unknown_key(command: &Command, key: &str) -> String {
    let typed = key.to_lowercase().replace('_', "-");
    match environment::nearest(command, &typed).filter(|flag| flag != key) {
        Some(flag) => format!("`{key}` is no flag of any command; did you mean `{flag}`?"),
        None => format!("`{key}` is no flag of any command; `banneret scan --help` lists them"),
    }
}

/// Every flag in force, by its long name, wherever its value came from.
pub fn in_force(matches: &clap::ArgMatches) -> serde_json::Value {
    let mut settings = serde_json::Map::new();
    // Groups of flags are named as their types are, and are no settings.
    for id in matches.ids().map(clap::Id::as_str).filter(|id| !id.starts_with(char::is_uppercase)) {
        // Groups of flags have names too, and no values.
        let Ok(Some(values)) = matches.try_get_raw(id) else { continue };
        let mut values: Vec<serde_json::Value> =
            values.map(|value| value.to_string_lossy().into_owned().into()).collect();
        let value = if values.len() == 1 { values.remove(0) } else { values.into() };
        settings.insert(id.replace('_', "-"), value);
    }
    settings.into()
}

fn words(value: &toml::Value) -> Option<Vec<String>> {
    use toml::Value::{Array, Boolean, Float, Integer, String};
    Some(match value {
        String(text) => vec![text.clone()],
        Integer(number) => vec![number.to_string()],
        Float(number) => vec![number.to_string()],
        Boolean(truth) => vec![truth.to_string()],
        Array(items) => {
            items.iter().map(|item| words(item)?.into_iter().next()).collect::<Option<Vec<_>>>()?
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::cli::args::{Cli, Command as Word};
    use crate::rate::Rate;

    fn scan(file: &str, typed: &[&str]) -> anyhow::Result<crate::cli::args::ScanArgs> {
        let command = apply_table(Cli::command(), &file.parse().unwrap())?;
        let matches = command.try_get_matches_from([&["banneret", "scan"], typed].concat())?;
        match Cli::from_arg_matches(&matches)?.command {
            Word::Scan(args) => Ok(*args),
            _ => bail!("not a scan"),
        }
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let file = "rate = 50\nport = [25, 587]\nallow-reserved = true\nconnect-timeout = \"2s\"";
        let args = scan(file, &["--rate", "7"]).unwrap();
        assert_eq!(args.pace.rate, Rate::PerSecond(7.0));
        assert_eq!(args.probe.port, [25, 587]);
        assert!(args.targets.allow_reserved);
        assert_eq!(args.probe.connect_timeout.as_secs(), 2);
        assert_eq!(scan(file, &[]).unwrap().pace.rate, Rate::PerSecond(50.0));
        assert_eq!(scan(file, &["--port", "465"]).unwrap().probe.port, [465]);
    }

    #[test]
    fn what_is_no_flag_or_no_value_is_refused() {
        for file in [
            "rat = 50",
            "rate = \"fast\"",
            "config = \"x\"",
            "port = {a = 1}",
            "rate = 1979-05-27",
            "rate = [1, 2]",
            "rate = []",
            "rate = nan",
            "rate = -1",
            "prefix_rate = 1",
        ] {
            assert!(scan(file, &[]).is_err(), "{file}");
        }
    }

    #[test]
    fn the_file_is_found_before_the_rest_is_read() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(named(&words(&["scan", "--config", "a.toml"])), Some("a.toml".into()));
        assert_eq!(named(&words(&["scan", "--config=a.toml"])), Some("a.toml".into()));
        assert_eq!(named(&words(&["scan", "--", "--config"])), None);
    }
}
