//! Target and exclusion lists, from arguments, files and stdin, to the set that a scan draws from.

mod late_entries;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

pub use self::late_entries::LateEntries;
use super::args::TargetArgs;
use crate::prefix::Prefix;
use crate::report::asn::AsnDb;
use crate::report::expand::Expanded;
use crate::targets::{
    ARGUMENT_LIST, BadLines, Entry, Exclusions, ExclusionsBuilder, Kind, Purpose, RESERVED_LIST,
    ReservedPolicy, SampleSize, Shard, TargetError, TargetList, TargetSet, TargetSetBuilder, read_argument,
};

/// The widest IPv6 prefix of an autonomous system that is scanned, in bits: as many addresses as IPv4 has.
const WIDEST_V6: u8 = 96;
/// How many lines that can't be read are told one by one.
const MAX_TOLD: u64 = 20;
/// How many of the wider ones a message names.
const SHOWN_WIDE: usize = 3;

/// What the arguments ask for, loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The addresses, exclusions taken off.
    pub set: Arc<TargetSet>,
    /// What is never touched.
    pub exclusions: Arc<Exclusions>,
    /// Host names and `mx:` entries, in the order of the lists: of all shards, for each resolves them all.
    pub names: Vec<Entry>,
    /// This machine's share.
    pub shard: Shard,
    /// Names of the further columns of CSV lists, each once, in the order in which they were met.
    pub tags: Vec<Arc<str>>,
    /// Lines that could not be read and were skipped.
    pub skipped: u64,
    /// What the exclusion files hold, and what of it came after the start of a scan that is resumed.
    pub late: LateEntries,
    /// What is done about reserved addresses.
    pub policy: ReservedPolicy,
    /// Who holds which network.
    pub networks: Option<Arc<AsnDb>>,
}

impl Loaded {
    /// The names that this shard answers for.
    pub fn own_names(&self) -> impl Iterator<Item = &Entry> {
        let names = self.names.iter().enumerate().filter(|(at, _)| self.shard.has(*at as u64));
        names.map(|(_, entry)| entry)
    }
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
    if shard.count() > 1 && args.seed.is_none() {
        bail!(
            "--shard `{shard}` needs `--seed N`, the same on every machine: each seed divides the targets in its own way"
        );
    }
    if args.targets.is_empty() && args.input.is_empty() {
        bail!("no targets; name some, or a list with `--input FILE`");
    }
    let stdin = Path::new("-");
    if args.input.iter().chain(&args.exclude_file).filter(|path| *path == stdin).count() > 1 {
        bail!("stdin can be read once only; `-` stands for more than one list");
    }
    let bad_lines = if args.skip_bad_targets { BadLines::Skip } else { BadLines::Stop };
    let policy = if args.allow_reserved { ReservedPolicy::Allow } else { ReservedPolicy::Exclude };
    let networks = args.asn_db.as_deref().map(AsnDb::open).transpose()?.map(Arc::new);
    let mut late = LateEntries::new(networks.clone());
    let exclusions =
        Arc::new(exclusions(args, ExclusionsBuilder::new(policy), addresses, (counts, &mut late))?);
    let mut reading = Reading {
        builder: TargetSetBuilder::new(),
        bad_lines,
        bad: BadLinesTold::default(),
        tags: Vec::new(),
        networks: networks.as_deref(),
    };
    for text in &args.targets {
        reading.take(read_argument(Purpose::Targets, text))?;
    }
    for path in &args.input {
        for entry in open(Purpose::Targets, path)? {
            reading.take(entry)?;
        }
    }
    let Reading { builder, bad, tags, .. } = reading;
    let skipped = bad.end(bad_lines)?;
    let set = Arc::new(builder.build(Arc::clone(&exclusions))?);
    let names = set.names().to_vec();
    Ok(Loaded { set, exclusions, names, shard, tags, skipped, late, policy, networks })
}

impl Loaded {
    /// A sample of it, if one is wanted: the same for every shard of one seed.
    pub fn sampled(self, size: Option<SampleSize>, seed: u64) -> anyhow::Result<Self> {
        let Some(size) = size else { return Ok(self) };
        let set = self.set.sample(size, seed).context("--max-targets")?;
        Ok(Self { names: set.names().to_vec(), set, ..self })
    }
}

fn exclusions(
    args: &TargetArgs,
    mut builder: ExclusionsBuilder,
    addresses: NamesOf<'_>,
    (counts, late): (&[u64], &mut LateEntries),
) -> anyhow::Result<Exclusions> {
    for text in &args.exclude {
        for entry in spread(late.networks.as_deref(), read_argument(Purpose::Exclusions, text)?)? {
            builder.add(ARGUMENT_LIST, &entry)?;
        }
    }
    let mut bad = BadLinesTold::default();
    for (at, path) in args.exclude_file.iter().enumerate() {
        let most = counts.get(at).copied().unwrap_or(u64::MAX);
        let mut count = 0;
        for entry in open(Purpose::Exclusions, path)? {
            let entry = match entry {
                // A scan that leaves out half of an opt-out list is worse than none.
                Err(wrong) if wrong.is_one_value() => {
                    bad.tell(wrong, BadLines::Stop);
                    continue;
                }
                other => other?,
            };
            if count < most {
                for entry in spread(late.networks.as_deref(), entry)? {
                    builder.add(&shown(path), &entry)?;
                    late.know(&entry);
                }
                count += 1;
            } else {
                late.take(&shown(path), entry, addresses)?;
            }
        }
        late.counts.push(count);
    }
    bad.end(BadLines::Stop)?;
    let names: Vec<(Kind, String)> =
        builder.names().map(|(kind, list)| (kind.clone(), list.to_owned())).collect();
    for (kind, list) in names {
        builder.add_addresses(&list, addresses(&kind)?);
    }
    Ok(builder.build())
}

/// Lines that can't be read. The first of them are told, so that a person can mend more than one a run.
#[derive(Debug, Default)]
pub(super) struct BadLinesTold {
    count: u64,
    /// The only one, told at the end as the error that it is.
    only: Option<TargetError>,
}

impl BadLinesTold {
    /// Takes note of one.
    pub(super) fn tell(&mut self, wrong: TargetError, bad_lines: BadLines) {
        self.count += 1;
        match (bad_lines, self.count) {
            (BadLines::Stop, 1) => self.only = Some(wrong),
            (BadLines::Stop, ..=MAX_TOLD) => {
                if let Some(first) = self.only.take() {
                    super::say(format_args!("banneret: {first}"));
                }
                super::say(format_args!("banneret: {wrong}"));
            }
            (BadLines::Skip, ..=MAX_TOLD) => super::say(format_args!("banneret: skipped: {wrong}")),
            _ => {}
        }
    }

    /// All lines are read: how many were skipped, or an error if none may be.
    pub(super) fn end(self, bad_lines: BadLines) -> anyhow::Result<u64> {
        let more = self.count.saturating_sub(MAX_TOLD);
        match (bad_lines, self.only) {
            (BadLines::Stop, Some(only)) => Err(only.into()),
            (BadLines::Stop, None) if self.count > MAX_TOLD => {
                bail!("{} lines can't be read, of which the first {MAX_TOLD} are told", self.count)
            }
            (BadLines::Stop, None) if self.count > 0 => bail!("{} lines can't be read", self.count),
            _ => {
                if more > 0 {
                    super::say(format_args!("banneret: skipped: {more} more lines, {} in all", self.count));
                }
                Ok(self.count)
            }
        }
    }
}

/// What is said where exclusions leave nothing of the targets; `None` if there is something to do.
pub fn nothing_left(loaded: &Loaded) -> Option<String> {
    if !loaded.set.is_empty() {
        return None;
    }
    let removed: Vec<String> = loaded
        .set
        .removed()
        .iter()
        .filter(|removed| removed.addresses > 0 || removed.names > 0)
        .map(|removed| {
            let names =
                if removed.names > 0 { format!(" and {} names", removed.names) } else { String::new() };
            let plural = if removed.addresses == 1 { "" } else { "es" };
            format!("{} address{plural}{names} by {}", removed.addresses, removed.list)
        })
        .collect();
    if removed.is_empty() {
        return Some("no targets: the lists hold none".to_owned());
    }
    let is_reserved = loaded.set.removed().iter().any(|it| it.addresses > 0 && *it.list == *RESERVED_LIST);
    let advice = if is_reserved { "; `--allow-reserved` scans reserved addresses, too" } else { "" };
    Some(format!("no target is left, for all are excluded: {}{advice}", removed.join(", ")))
}

/// Why this shard has none of the targets, if it has none and there are some.
pub fn nothing_in_shard(loaded: &Loaded, in_shard: u128) -> Option<String> {
    let shard = loaded.shard;
    (in_shard == 0 && !loaded.set.is_empty()).then(|| {
        format!(
            "shard {shard} has none of the targets: each /24 or /48 is one machine's as a whole, and there are fewer of \
             them than shards"
        )
    })
}

/// Targets as they are read.
struct Reading<'a> {
    builder: TargetSetBuilder,
    bad_lines: BadLines,
    bad: BadLinesTold,
    tags: Vec<Arc<str>>,
    networks: Option<&'a AsnDb>,
}

impl Reading<'_> {
    /// Takes a line, or deals with a bad one as wished.
    fn take(&mut self, read: Result<Entry, TargetError>) -> anyhow::Result<()> {
        let added = match read {
            Ok(entry) => {
                note_tags(&entry, &mut self.tags);
                match (self.networks, &entry.kind) {
                    (Some(networks), Kind::Asn(_)) => {
                        let prefixes = within_reach(networks, &entry)?;
                        self.builder.add_network(entry, prefixes)
                    }
                    _ => self.builder.add(entry),
                }
            }
            Err(wrong) => Err(wrong),
        };
        match added {
            Err(wrong) if wrong.is_one_value() => {
                self.bad.tell(wrong, self.bad_lines);
                Ok(())
            }
            other => Ok(other?),
        }
    }
}

/// What an excluded entry stands for: an autonomous system for each of its prefixes, anything else for
/// itself.
pub(super) fn spread(networks: Option<&AsnDb>, entry: Entry) -> anyhow::Result<Vec<Entry>> {
    match (networks, &entry.kind) {
        (Some(networks), Kind::Asn(_)) => Ok(prefixes(networks, &entry)?
            .into_iter()
            .map(|prefix| Entry::from(Kind::Prefix(prefix)))
            .collect()),
        _ => Ok(vec![entry]),
    }
}

/// The prefixes of an autonomous system. One that has none stops: it was named for a reason.
fn prefixes(networks: &AsnDb, entry: &Entry) -> anyhow::Result<Vec<Prefix>> {
    let Kind::Asn(number) = entry.kind else { return Ok(Vec::new()) };
    let prefixes = networks.prefixes(number)?;
    if prefixes.is_empty() {
        bail!("`{}` has no prefix in `{}`", entry.kind, networks.about().path);
    }
    Ok(prefixes)
}

/// The same for a target, without what no scan would come to the end of.
fn within_reach(networks: &AsnDb, entry: &Entry) -> anyhow::Result<Vec<Prefix>> {
    let fits = |prefix: &Prefix| prefix.first().is_ipv4() || prefix.length() >= WIDEST_V6;
    let (prefixes, wide): (Vec<Prefix>, Vec<Prefix>) =
        prefixes(networks, entry)?.into_iter().partition(|it| fits(it));
    if !wide.is_empty() {
        let shown: Vec<String> = wide.iter().take(SHOWN_WIDE).map(Prefix::to_string).collect();
        let more = if wide.len() > SHOWN_WIDE { ", …" } else { "" };
        super::say(format_args!(
            "banneret: of `{}`, {} IPv6 prefixes wider than /{WIDEST_V6} are left out, which no scan would come to the \
             end of; name parts of them: {}{more}",
            entry.kind,
            wide.len(),
            shown.join(", "),
        ));
    }
    Ok(prefixes)
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
    let source: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(path)
            .with_context(|| format!("{purpose} list `{}` can't be opened", path.display()))?;
        Box::new(BufReader::new(file))
    };
    let expanded =
        Expanded::new(source).with_context(|| format!("{purpose} list `{}` can't be read", shown(path)))?;
    let input: Box<dyn BufRead> = Box::new(BufReader::new(expanded));
    Ok(TargetList::new(input, purpose, &shown(path)))
}

pub(super) fn shown(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}
