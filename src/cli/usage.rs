//! What is said of words that can't be read, and help. Words may come from a stranger, so they are made safe.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};

use clap::Command;
use clap::error::{Error, ErrorKind};

use super::exit::Exit;
use super::{check, print, printed};
use crate::record::neutral::{Safe, acts};

/// Prints help to stdout, or what is wrong to stderr, and says how the program ends.
pub(super) fn tell(wrong: &Error, command: &Command, arguments: &[OsString]) -> anyhow::Result<Exit> {
    if matches!(wrong.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return help(wrong);
    }
    // Nobody may be there to read it, which changes nothing.
    let _ = if is_plain(arguments) { wrong.print() } else { complain(wrong, command, arguments) };
    if check::is_plugin(arguments) { check::usage_of_plugin() } else { Ok(Exit::Usage) }
}

/// In colour on a terminal only, where no disk is full.
fn help(wrong: &Error) -> anyhow::Result<Exit> {
    if io::stdout().is_terminal() {
        return printed(wrong.print().and_then(|()| io::stdout().flush()));
    }
    print(wrong.render().to_string().as_bytes())
}

/// Whether no word or variable holds anything that a terminal would do.
fn is_plain(arguments: &[OsString]) -> bool {
    let acts_on_terminal = |text: &OsStr| text.to_string_lossy().contains(acts);
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("BANNERET_"));
    !arguments.iter().any(|word| acts_on_terminal(word))
        && !ours.map(|(_, value)| value).any(|it| acts_on_terminal(&it))
}

/// Reads the words once more, escaped, so that the message shows them so.
fn complain(wrong: &Error, command: &Command, arguments: &[OsString]) -> io::Result<()> {
    let escaped = arguments.iter().map(|word| Safe(word.to_string_lossy()).to_string());
    let again = command.clone().try_get_matches_from(escaped).err();
    let text =
        again.filter(|again| again.kind() == wrong.kind()).as_ref().unwrap_or(wrong).render().to_string();
    let mut err = io::stderr().lock();
    // What a variable held is in there as it was.
    text.lines().try_for_each(|line| writeln!(err, "{}", Safe(line)))
}
