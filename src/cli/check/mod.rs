//! `banneret check`: one server, looked at as a scan would, and told of as a person, a program or a
//! monitoring system wants it.

mod conversation;
mod json;
mod look;
mod plugin;
mod server;
mod story;
mod verify;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};

use super::args::{CheckArgs, CheckWord};
use super::exit::Exit;
use super::{print, terminal};
use crate::judge::Severity;
use crate::judge::providers::Providers;
use crate::probe::LocalTrouble;
use crate::record::Record;
use crate::record::neutral::Safe;
use crate::scan::worst::Worst;
use verify::Verified;

pub use plugin::usage as usage_of_plugin;

/// What was asked for, and what was seen of it.
#[derive(Debug)]
struct Checked {
    /// The target in normal form.
    asked: String,
    /// Further domains of providers, by which it was judged.
    providers: Providers,
    /// One for each address and port; one without an address where there was none to speak to.
    servers: Vec<Server>,
}

/// One address and port.
#[derive(Debug)]
enum Server {
    /// It was tried; whatever came of it is the record's. Its names may have been verified, too.
    Tried(Box<Record>, Option<Box<Verified>>),
    /// This machine could not try it, which says nothing of the server.
    Untried(std::net::SocketAddr, LocalTrouble),
}

impl Checked {
    fn records(&self) -> impl Iterator<Item = &Record> {
        self.servers.iter().filter_map(|server| match server {
            Server::Tried(record, _) => Some(&**record),
            Server::Untried(..) => None,
        })
    }
}

/// Looks and tells.
pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    if args.nagios {
        return plugin::run(args);
    }
    if io::stderr().is_terminal() {
        let patience = humantime::format_duration(args.probe.greeting_timeout);
        let _ = writeln!(io::stderr(), "banneret: some servers greet late; up to {patience} are waited for");
    }
    if args.verify {
        let time = humantime::format_duration(args.verify_timeout);
        super::say(format_args!(
            "banneret: checking {}, then asking the zones' own servers; {time} at most, unless it greets later",
            Safe(&args.target)
        ));
    }
    let checked = server::check(args)?;
    let detail = if args.verbose > 0 { story::Detail::All } else { story::Detail::Screen };
    let told = match args.format {
        CheckWord::Text => story::text(&checked, detail, terminal::width()),
        CheckWord::Json => json::text(&checked)?,
    };
    print(told.as_bytes())?;
    let mut worst = Worst::new(Severity::None, args.fail_on.map(Severity::from));
    checked.records().for_each(|record| worst.see(record));
    if let (Some(word), Some(first)) = (args.fail_on, worst.first()) {
        super::say_reached(Severity::from(word).as_str(), first);
        return Ok(Exit::Findings);
    }
    Ok(if plugin::is_unknown(&checked) { Exit::Failed } else { Exit::Done })
}

/// Whether the words ask for a monitoring plugin, whose exit codes are others.
pub fn is_plugin(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().skip(1).take_while(|word| *word != "--");
    words.any(|word| word == "check") && words.any(|word| word == "--nagios")
}
