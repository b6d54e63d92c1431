//! `banneret check`: one server, looked at as a scan would, and told of as a person, a program or a monitoring system
//! wants it.

mod json;
mod plugin;
mod server;
mod story;

use std::ffi::OsString;

use super::args::{CheckArgs, CheckWord};
use super::exit::Exit;
use super::{print, terminal};
use crate::judge::Severity;
use crate::probe::LocalTrouble;
use crate::record::Record;

pub use plugin::usage as usage_of_plugin;

/// What was asked for, and what was seen of it.
#[derive(Debug)]
pub(super) struct Checked {
    /// The target in normal form.
    asked: String,
    /// One for each address and port; one without an address where there was none to speak to.
    servers: Vec<Server>,
}

/// One address and port.
#[derive(Debug)]
pub(super) enum Server {
    /// It was tried; whatever came of it is the record's.
    Tried(Box<Record>),
    /// This machine could not try it, which says nothing of the server.
    Untried(std::net::SocketAddr, LocalTrouble),
}

impl Checked {
    fn records(&self) -> impl Iterator<Item = &Record> {
        self.servers.iter().filter_map(|server| match server {
            Server::Tried(record) => Some(&**record),
            Server::Untried(..) => None,
        })
    }
}

/// Looks and tells.
pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    if args.nagios {
        return plugin::run(args);
    }
    let checked = server::check(args)?;
    let told = match args.format {
        CheckWord::Text => story::text(&checked, terminal::width()),
        CheckWord::Json => json::text(&checked)?,
    };
    print(told.as_bytes())?;
    let worst = checked.records().filter_map(|record| record.judgement.severity).max();
    let reached = args.fail_on.is_some_and(|word| worst >= Some(Severity::from(word)));
    Ok(if reached { Exit::Findings } else { Exit::Done })
}

/// Whether the words ask for a monitoring plugin, whose exit codes are others.
pub fn is_plugin(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().skip(1).take_while(|word| *word != "--");
    words.next().is_some_and(|word| word == "check") && words.any(|word| word == "--nagios")
}
