//! Target and exclusion lists, from arguments, files and stdin, to the set that a scan draws from.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::args::TargetArgs;
use crate::prefix::Prefix;
use crate::report::asn::AsnDb;
use crate::targets::{
    ARGUMENT_LIST, BadLines, Entry, Exclusions, ExclusionsBuilder, Kind, Purpose, ReservedPolicy, Shard, TargetError,
    TargetList, TargetSet, TargetSetBuilder, read_argument,
};

/// The widest IPv6 prefix of an autonomous system that is scanned, in bits: as many addresses as IPv4 has.
const WIDEST_V6: u8 = 96;
/// How many of the wider ones a message names.
const SHOWN_WIDE: usize = 3;

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
    /// Who holds which network.
    pub networks: Option<Arc<AsnDb>>,
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
    let networks = args.asn_db.as_deref().map(AsnDb::open).transpose()?.map(Arc::new);
    let exclusions = Arc::new(exclusions(args, addresses, networks.as_deref())?);
    let mut reading = Reading {
        builder: TargetSetBuilder::new(),
        bad_lines,
        skipped: 0,
        tags: Vec::new(),
        systems: networks.as_deref().map(Systems::new),
    };
    for text in &args.targets {
        reading.take(read_argument(Purpose::Targets, text))?;
    }
    for path in &args.input {
        for entry in open(Purpose::Targets, path)? {
            reading.take(entry)?;
        }
    }
    let Reading { mut builder, skipped, tags, systems, .. } = reading;
    for (entry, prefixes) in systems.map(Systems::targets).transpose()?.into_iter().flatten() {
        builder.add_network(entry, prefixes)?;
    }
    let set = Arc::new(builder.build(Arc::clone(&exclusions))?);
    let mine = set.names().iter().enumerate().filter(|(at, _)| shard.has(*at as u64));
    let names = mine.map(|(_, entry)| entry.clone()).collect();
    Ok(Loaded { set, exclusions, names, shard, tags, skipped, networks })
}

fn exclusions(
    args: &TargetArgs,
    addresses: NamesOf<'_>,
    networks: Option<&AsnDb>,
) -> anyhow::Result<Exclusions> {
    let policy = if args.allow_reserved { ReservedPolicy::Allow } else { ReservedPolicy::Exclude };
    let mut builder = ExclusionsBuilder::new(policy);
    let mut systems = networks.map(Systems::new);
    let mut add = |list: &str, entry: Entry| match (&mut systems, &entry.kind) {
        (Some(systems), Kind::Asn(_)) => {
            systems.push(list, entry);
            Ok(())
        }
        _ => builder.add(list, &entry),
    };
    for text in &args.exclude {
        add(ARGUMENT_LIST, read_argument(Purpose::Exclusions, text)?)?;
    }
    for path in &args.exclude_file {
        for entry in open(Purpose::Exclusions, path)? {
            add(&shown(path), entry?)?;
        }
    }
    for (list, _, prefixes) in systems.map(Systems::prefixes).transpose()?.into_iter().flatten() {
        builder.add_prefixes(&list, prefixes);
    }
    let names: Vec<(Kind, String)> =
        builder.names().map(|(kind, list)| (kind.clone(), list.to_owned())).collect();
    for (kind, list) in names {
        builder.add_addresses(&list, addresses(&kind)?);
    }
    Ok(builder.build())
}

/// Targets as they are read.
struct Reading<'a> {
    builder: TargetSetBuilder,
    bad_lines: BadLines,
    skipped: u64,
    tags: Vec<Arc<str>>,
    systems: Option<Systems<'a>>,
}

impl Reading<'_> {
    /// Takes a line, or deals with a bad one as wished.
    fn take(&mut self, read: Result<Entry, TargetError>) -> anyhow::Result<()> {
        let added = read.and_then(|entry| {
            note_tags(&entry, &mut self.tags);
            match (&mut self.systems, &entry.kind) {
                (Some(systems), Kind::Asn(_)) => {
                    systems.push("", entry);
                    Ok(())
                }
                _ => self.builder.add(entry),
            }
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

/// Autonomous systems as they are read, with the list that each stands in: the prefixes of all are looked for at once.
struct Systems<'a> {
    networks: &'a AsnDb,
    entries: Vec<(String, Entry)>,
}

impl<'a> Systems<'a> {
    fn new(networks: &'a AsnDb) -> Self {
        Self { networks, entries: Vec::new() }
    }

    fn push(&mut self, list: &str, entry: Entry) {
        self.entries.push((list.to_owned(), entry));
    }

    /// Each entry with its prefixes. A system that has none stops: it was named for a reason.
    fn prefixes(self) -> anyhow::Result<Vec<(String, Entry, Vec<Prefix>)>> {
        let number = |entry: &Entry| match entry.kind {
            Kind::Asn(number) => Some(number),
            _ => None,
        };
        let wanted: HashSet<u32> = self.entries.iter().filter_map(|(_, entry)| number(entry)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.networks.prefixes(&wanted)?;
        let with = |(list, entry): (String, Entry)| match number(&entry).and_then(|asn| found.get(&asn)) {
            Some(prefixes) => Ok((list, entry, prefixes.clone())),
            None => bail!("`{}` has no prefix in `{}`", entry.kind, self.networks.about().path),
        };
        self.entries.into_iter().map(with).collect()
    }

    /// The same for targets, without what no scan would come to the end of.
    fn targets(self) -> anyhow::Result<Vec<(Entry, Vec<Prefix>)>> {
        let mut targets = Vec::new();
        for (_, entry, prefixes) in self.prefixes()? {
            let fits = |prefix: &Prefix| prefix.first().is_ipv4() || prefix.length() >= WIDEST_V6;
            let (prefixes, wide): (Vec<Prefix>, Vec<Prefix>) = prefixes.into_iter().partition(fits);
            if !wide.is_empty() {
                let shown: Vec<String> = wide.iter().take(SHOWN_WIDE).map(Prefix::to_string).collect();
                let more = if wide.len() > SHOWN_WIDE { ", …" } else { "" };
                super::say(format_args!(
                    "banneret: of `{}`, {} IPv6 prefixes wider than /{WIDEST_V6} are left out, which no scan would come \
                     to the end of; name parts of them: {}{more}",
                    entry.kind,
                    wide.len(),
                    shown.join(", "),
                ));
            }
            targets.push((entry, prefixes));
        }
        Ok(targets)
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
