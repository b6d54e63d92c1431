//! Target and exclusion lists, from arguments, files and stdin, to the set that a scan draws from.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::args::TargetArgs;
use crate::targets::{
    BadLines, Entry, Exclusions, ExclusionsBuilder, Kind, Purpose, ReservedPolicy, Shard, TargetError,
    TargetList, TargetSet, TargetSetBuilder, read_argument,
};

/// What the arguments ask for, loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The addresses, exclusions taken off.
    pub set: Arc<TargetSet>,
    /// What is never touched.
    pub exclusions: Arc<Exclusions>,
    /// Host names and `mx:` entries of this shard, in the order of the lists.
    pub names: Vec<Entry>,
    /// This machine's share.
    pub shard: Shard,
    /// Names of the further columns of CSV lists, each once, in the order in which they were met.
    pub tags: Vec<Arc<str>>,
    /// Lines that could not be read and were skipped.
    pub skipped: u64,
}

/// Where the addresses of an excluded host name come from.
pub type NamesOf<'a> = &'a dyn Fn(&Kind) -> anyhow::Result<Vec<IpAddr>>;

/// Reads all lists and builds the set. No target has been touched yet, so every error is one of usage.
pub fn load(args: &TargetArgs, addresses: NamesOf<'_>) -> anyhow::Result<Loaded> {
    let shard: Shard =
        args.shard.parse().map_err(|wrong| anyhow::anyhow!("--shard `{}` {wrong}", args.shard))?;
    if args.targets.is_empty() && args.input.is_empty() {
        bail!("no targets; name some, or a list with `--input FILE`");
    }
    let stdin = Path::new("-");
    if args.input.iter().chain(&args.exclude_file).filter(|path| *path == stdin).count() > 1 {
        bail!("stdin can be read once only; `-` stands for more than one list");
    }
    let bad_lines = if args.skip_bad_targets { BadLines::Skip } else { BadLines::Stop };
    let exclusions = Arc::new(exclusions(args, addresses)?);
    let mut reading = Reading { builder: TargetSetBuilder::new(), bad_lines, skipped: 0, tags: Vec::new() };
    for text in &args.targets {
        reading.take(read_argument(Purpose::Targets, text))?;
    }
    for path in &args.input {
        for entry in open(Purpose::Targets, path)? {
            reading.take(entry)?;
        }
    }
    let Reading { builder, skipped, tags, .. } = reading;
    let set = Arc::new(builder.build(Arc::clone(&exclusions))?);
    let mine = set.names().iter().enumerate().filter(|(at, _)| shard.has(*at as u64));
    let names = mine.map(|(_, entry)| entry.clone()).collect();
    Ok(Loaded { set, exclusions, names, shard, tags, skipped })
}

fn exclusions(args: &TargetArgs, addresses: NamesOf<'_>) -> anyhow::Result<Exclusions> {
    let policy = if args.allow_reserved { ReservedPolicy::Allow } else { ReservedPolicy::Exclude };
    let mut builder = ExclusionsBuilder::new(policy);
    for text in &args.exclude {
        builder.argument(text)?;
    }
    for path in &args.exclude_file {
        for entry in open(Purpose::Exclusions, path)? {
            builder.add(&shown(path), &entry?)?;
        }
    }
    let names: Vec<(Kind, String)> =
        builder.names().map(|(kind, list)| (kind.clone(), list.to_owned())).collect();
    for (kind, list) in names {
        builder.add_addresses(&list, addresses(&kind)?);
    }
    Ok(builder.build())
}

/// Targets as they are read.
struct Reading {
    builder: TargetSetBuilder,
    bad_lines: BadLines,
    skipped: u64,
    tags: Vec<Arc<str>>,
}

impl Reading {
    /// Takes a line, or deals with a bad one as wished.
    fn take(&mut self, read: Result<Entry, TargetError>) -> anyhow::Result<()> {
        let added = read.and_then(|entry| {
            note_tags(&entry, &mut self.tags);
            self.builder.add(entry)
        });
        match added {
            Err(wrong) if self.bad_lines == BadLines::Skip && wrong.is_one_value() => {
                super::say(format_args!("banneret: skipped: {wrong}"));
                self.skipped += 1;
                Ok(())
            }
            other => Ok(other?),
        }
    }
}

/// All rows of one list have the same columns, so a list whose first row is known is known.
fn note_tags(entry: &Entry, tags: &mut Vec<Arc<str>>) {
    for (name, _) in entry.inventory.iter().flat_map(|inventory| &inventory.tags) {
        if !tags.contains(name) {
            tags.push(Arc::clone(name));
        }
    }
}

fn open(purpose: Purpose, path: &Path) -> anyhow::Result<TargetList<Box<dyn BufRead>>> {
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(path)
            .with_context(|| format!("{purpose} list `{}` can't be opened", path.display()))?;
        Box::new(BufReader::new(file))
    };
    Ok(TargetList::new(input, purpose, &shown(path)))
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}
