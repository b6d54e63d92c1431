//! Target lines, lists and exclusions: what is read has a normal form that reads back, what is not is told in
//! one harmless line, and what is excluded is out of the set.

use std::io::BufReader;
use std::net::IpAddr;
use std::sync::Arc;

use banneret::name::HostName;
use banneret::prefix::Prefix;
use banneret::targets::{
    BadLines, Entry, ExclusionsBuilder, Kind, Place, Purpose, ReservedPolicy, TargetError, TargetList,
    TargetSet, TargetSetBuilder, parse, read_argument,
};

use super::draw::Draw;
use super::safe::{assert_harmless, assert_message};

/// One target as typed.
pub fn line(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parse(text) {
        Ok(kind) => assert_kind(&kind),
        Err(wrong) => assert_message(&wrong),
    }
    match read_argument(Purpose::Targets, text) {
        Ok(entry) => assert_eq!(entry, Entry::from(parse(text.trim()).expect("an argument is a line"))),
        Err(wrong) => {
            assert_message(&wrong);
            assert!(parse(text.trim()).is_err() || text.contains('\0'), "{text:?}: {wrong}");
        }
    }
}

/// A list, plain or CSV, handed over in pieces of any size.
pub fn list(data: &[u8]) {
    let mut draw = Draw::new(data);
    let piece = usize::from(draw.byte()).max(1);
    let bytes = draw.rest();
    let ends = |at: usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let lines = 1 + (0..bytes.len()).filter(|&at| ends(at)).count() as u64;
    let whole: Vec<_> = TargetList::new(bytes, Purpose::Targets, "list").collect();
    let pieces = TargetList::new(BufReader::with_capacity(piece, bytes), Purpose::Targets, "list");
    let told = |item: &Result<Entry, TargetError>| match item {
        Ok(entry) => format!("{entry:?}"),
        Err(wrong) => wrong.to_string(),
    };
    assert!(pieces.map(|item| told(&item)).eq(whole.iter().map(told)), "the pieces show in what is read");
    assert!(whole.len() as u64 <= lines, "{} items in {lines} lines", whole.len());
    for (at, item) in whole.iter().enumerate() {
        match item {
            Ok(entry) => assert_entry(entry),
            Err(wrong) => {
                assert_message(wrong);
                assert!(wrong.is_one_value() || at + 1 == whole.len(), "something comes behind `{wrong}`");
                if let TargetError::Value { place: Place::Line(_, _, number), .. } = wrong {
                    assert!((1..=lines).contains(number), "line {number} of {lines}");
                }
            }
        }
    }
    let entries: Vec<_> = whole.into_iter().filter_map(Result::ok).collect();
    if let Some(set) = set_of(&entries, ExclusionsBuilder::new(ReservedPolicy::Exclude)) {
        assert_lines_are_the_set(&set);
    }
}

/// A list of exclusions: read whole or not at all, and nothing that it names is in a set.
pub fn exclusions(data: &[u8]) {
    let mut draw = Draw::new(data);
    let policy = if draw.byte() & 1 == 0 { ReservedPolicy::Exclude } else { ReservedPolicy::Allow };
    let probe = IpAddr::from([draw.byte(), draw.byte(), draw.byte(), draw.byte()]);
    let bytes = draw.rest();
    let items: Vec<_> = TargetList::new(bytes, Purpose::Exclusions, "no.txt").collect();
    let mut builder = ExclusionsBuilder::new(policy);
    let read = builder.read(bytes, "no.txt");
    let is_whole =
        items.iter().all(|item| item.as_ref().is_ok_and(|entry| !matches!(entry.kind, Kind::Asn(_))));
    assert_eq!(read.is_ok(), is_whole, "an exclusion that can't be read stops the scan");
    if let Err(wrong) = read {
        return assert_message(&wrong);
    }
    let entries: Vec<_> = items.into_iter().filter_map(Result::ok).collect();
    let excluded = builder.build();
    for Entry { kind, .. } in &entries {
        match ends(kind) {
            Some((first, last)) => {
                for ip in [first, last] {
                    assert_eq!(excluded.blocked(ip), Some("no.txt"), "{ip} of {kind}");
                }
            }
            None => assert_eq!(excluded.blocked_name(kind), Some("no.txt"), "{kind}"),
        }
    }
    let is_named = entries
        .iter()
        .filter_map(|entry| ends(&entry.kind))
        .any(|(first, last)| first.is_ipv4() == probe.is_ipv4() && (first..=last).contains(&probe));
    let is_reserved = policy.excluded().any(|row| row.prefix.contains(probe));
    assert_eq!(excluded.blocked(probe).is_some(), is_named || is_reserved, "{probe}");

    let mut builder = ExclusionsBuilder::new(policy);
    builder.read(bytes, "no.txt").expect("it was read before");
    if let Some(set) = set_of(&entries, builder) {
        assert!(
            set.is_empty(),
            "{} addresses and {} names are left of what is excluded",
            set.len(),
            set.names().len()
        );
    }
}

fn assert_entry(entry: &Entry) {
    assert_kind(&entry.kind);
    let Some(said) = entry.inventory.as_deref() else { return };
    if let Some(name) = &said.expected_name {
        assert_eq!(
            HostName::parse(name).map(String::from).as_ref(),
            Ok(name),
            "an expected name is in normal form"
        );
    }
    if let Some(name) = &said.helo_name {
        assert!(!name.is_empty() && name.len() <= 255 && !name.contains(char::is_control), "{name:?}");
    }
    for (at, (name, _)) in said.tags.iter().enumerate() {
        assert!(
            !name.is_empty() && said.tags[..at].iter().all(|(other, _)| other != name),
            "two tags {name:?}"
        );
    }
}

/// The normal form reads back as the same, holds no character that acts, and names addresses as they are
/// dialled.
fn assert_kind(kind: &Kind) {
    let normal = kind.to_string();
    assert_eq!(parse(&normal).as_ref(), Ok(kind), "{normal}");
    assert_harmless(&normal);
    if let Some((first, last)) = ends(kind) {
        assert!(first <= last && first.is_ipv4() == last.is_ipv4(), "{normal}");
        if !matches!(kind, Kind::Prefix(_)) {
            assert_eq!((first, last), (first.to_canonical(), last.to_canonical()), "{normal}");
        }
    }
    match kind {
        Kind::Range(first, last) => assert!(first < last, "{normal} is one address"),
        Kind::Prefix(prefix) => assert_eq!(Prefix::of(prefix.first(), prefix.length()), *prefix),
        _ => {}
    }
}

/// The first and the last address, where a kind names addresses.
fn ends(kind: &Kind) -> Option<(IpAddr, IpAddr)> {
    match kind {
        Kind::Address(ip) => Some((*ip, *ip)),
        Kind::Prefix(prefix) => Some((prefix.first(), prefix.last())),
        Kind::Range(first, last) => Some((*first, *last)),
        Kind::Host(_) | Kind::Mx(_) | Kind::Asn(_) => None,
    }
}

/// The set of some entries, those of autonomous systems left out.
fn set_of(entries: &[Entry], exclusions: ExclusionsBuilder) -> Option<TargetSet> {
    let mut builder = TargetSetBuilder::new();
    for entry in entries.iter().filter(|entry| !matches!(entry.kind, Kind::Asn(_))) {
        builder.add(entry.clone()).ok()?;
    }
    builder.build(Arc::new(exclusions.build())).ok()
}

/// What a set says of itself, line by line, is read into a set of the same addresses.
fn assert_lines_are_the_set(set: &TargetSet) {
    let lines: Vec<String> = set.lines().map(|kind| kind.to_string()).collect();
    let mut builder = TargetSetBuilder::new();
    let joined = lines.join("\n");
    builder.read(joined.as_bytes(), "lines", BadLines::Stop, &mut |_| ()).expect("its lines are targets");
    let again = builder.build(Arc::clone(set.exclusions())).expect("it is no larger");
    assert_eq!(again.len(), set.len(), "{joined}");
    assert!(again.lines().map(|kind| kind.to_string()).eq(lines), "{joined}");
}
