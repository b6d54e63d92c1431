//! Target and exclusion lists, from arguments, files and stdin, to the set that a scan draws from.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::args::TargetArgs;
use super::late::Late;
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
    /// What the exclusion files hold, and what of it came after the start of a scan that is resumed.
    pub late: Late,
    /// What is done about reserved addresses.
    pub policy: ReservedPolicy,
}

/// Where the addresses of an excluded host name come from.
pub type NamesOf<'a> = &'a dyn Fn(&Kind) -> anyhow::Result<Vec<IpAddr>>;

/// Reads all lists and builds the set. No target has been touched yet, so every error is one of usage.
pub fn load(args: &TargetArgs, addresses: NamesOf<'_>) -> anyhow::Result<Loaded> {
    load_since(args, addresses, &[])
}

/// The same for a scan whose exclusion files held so many entries when it began.
pub fn load_since(args: &TargetArgs, addresses: NamesOf<'_>, counts: &[u64]) -> anyhow::Result<Loaded> {
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
    let policy = if args.allow_reserved { ReservedPolicy::Allow } else { ReservedPolicy::Exclude };
    let mut late = Late::default();
    let exclusions =
        Arc::new(exclusions(args, ExclusionsBuilder::new(policy), addresses, (counts, &mut late))?);
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
    Ok(Loaded { set, exclusions, names, shard, tags, skipped, late, policy })
}

fn exclusions(
    args: &TargetArgs,
    mut builder: ExclusionsBuilder,
    addresses: NamesOf<'_>,
    (counts, late): (&[u64], &mut Late),
) -> anyhow::Result<Exclusions> {
    for text in &args.exclude {
        builder.argument(text)?;
    }
    for (at, path) in args.exclude_file.iter().enumerate() {
        let most = counts.get(at).copied().unwrap_or(u64::MAX);
        let mut count = 0;
        for entry in open(Purpose::Exclusions, path)? {
            let entry = entry?;
            if count < most {
                builder.add(&shown(path), &entry)?;
                late.know(&entry);
                count += 1;
            } else {
                late.take(&shown(path), entry, addresses)?;
            }
        }
        late.counts.push(count);
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

pub(super) fn open(purpose: Purpose, path: &Path) -> anyhow::Result<TargetList<Box<dyn BufRead>>> {
    let input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(path)
            .with_context(|| format!("{purpose} list `{}` can't be opened", path.display()))?;
        Box::new(BufReader::new(file))
    };
    Ok(TargetList::new(input, purpose, &shown(path)))
}

pub(super) fn shown(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}
