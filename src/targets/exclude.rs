//! Exclusions: what is never touched, in any phase, and which list says so.
//!
//! Reserved addresses are one list among the others. A line that can't be read is always an error here: a
//! scan that leaves out half of an opt-out list is worse than none.

use std::collections::HashMap;
use std::io::BufRead;
use std::net::IpAddr;

use crate::prefix::Prefix;
use crate::targets::error::{Purpose, TargetError};
use crate::targets::line::{Entry, Kind};
use crate::targets::list::{TargetList, read_argument};
use crate::targets::pieces::{Piece, Pieces};
use crate::targets::reserved::{ReservedPolicy, leading_to};
use crate::targets::span::{self, Span, sweep};

/// What the list of the arguments of `--exclude` is called.
pub const ARGUMENT_LIST: &str = "--exclude";
/// What the list of the registries is called.
pub const RESERVED_LIST: &str = "reserved addresses";

/// Gathers exclusions, list by list.
#[derive(Debug)]
pub struct ExclusionsBuilder {
    policy: ReservedPolicy,
    lists: Vec<Box<str>>,
    spans: Vec<Span>,
    names: Vec<(Kind, u32)>,
}

impl ExclusionsBuilder {
    /// Starts with the reserved addresses that the policy leaves out.
    pub fn new(policy: ReservedPolicy) -> Self {
        Self { policy, lists: Vec::new(), spans: Vec::new(), names: Vec::new() }
    }

    /// Reads one argument of `--exclude`.
    pub fn argument(&mut self, text: &str) -> Result<(), TargetError> {
        self.add(ARGUMENT_LIST, &read_argument(Purpose::Exclusions, text)?)
    }

    /// Reads a whole list; `name` is what messages and counts call it. The first line that can't be read is
    /// an error.
    pub fn read(&mut self, input: impl BufRead, name: &str) -> Result<(), TargetError> {
        for entry in TargetList::new(input, Purpose::Exclusions, name) {
            self.add(name, &entry?)?;
        }
        Ok(())
    }

    /// Adds one entry to a list. A name is kept for [`ExclusionsBuilder::names`]; an autonomous system has to
    /// come as its prefixes ([`ExclusionsBuilder::add_prefixes`]).
    pub fn add(&mut self, list: &str, entry: &Entry) -> Result<(), TargetError> {
        if let Kind::Asn(number) = entry.kind {
            return Err(TargetError::AsnUnknown(number));
        }
        let owner = self.owner_of(list);
        if let Kind::Host(_) | Kind::Mx(_) = entry.kind {
            self.names.push((entry.kind.clone(), owner));
        }
        self.add_kind(&entry.kind, owner);
        Ok(())
    }

    /// Adds addresses to a list: those of an excluded name.
    pub fn add_addresses(&mut self, list: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        let owner = self.owner_of(list);
        for ip in addresses {
            self.add_kind(&Kind::Address(ip), owner);
        }
    }

    /// Adds prefixes to a list: those of an excluded autonomous system.
    pub fn add_prefixes(&mut self, list: &str, prefixes: impl IntoIterator<Item = Prefix>) {
        let owner = self.owner_of(list);
        for prefix in prefixes {
            self.add_kind(&Kind::Prefix(prefix), owner);
        }
    }

    /// The excluded names, each with its list: their addresses are to be asked for and added before the scan.
    pub fn names(&self) -> impl Iterator<Item = (&Kind, &str)> {
        self.names.iter().map(|(kind, owner)| (kind, &*self.lists[*owner as usize]))
    }

    /// The exclusions as one. Where lists overlap, the first one counts; the reserved addresses are the last.
    pub fn build(mut self) -> Exclusions {
        let reserved = self.owner_of(RESERVED_LIST);
        for row in self.policy.excluded() {
            self.add_kind(&Kind::Prefix(row.prefix), reserved);
        }
        self.spans.sort_unstable_by_key(|span| span.first);
        let mut pieces = Pieces::default();
        sweep(self.spans.into_iter(), |span| span.owner, |span| pieces.push(span));
        pieces.shrink();
        let mut names = HashMap::new();
        for (kind, owner) in self.names {
            names.entry(kind).or_insert(owner);
        }
        Exclusions { lists: self.lists, pieces, names }
    }

    fn owner_of(&mut self, list: &str) -> u32 {
        let owner = self.lists.iter().position(|known| **known == *list).unwrap_or_else(|| {
            self.lists.push(list.into());
            self.lists.len() - 1
        });
        // Lists are named one by one by a person.
        u32::try_from(owner).unwrap_or(u32::MAX)
    }

    fn add_kind(&mut self, kind: &Kind, owner: u32) {
        for (first, last) in span::spans_of(kind) {
            self.spans.push(Span { first, last, owner });
            // With the reserved addresses lifted, a network can also be reached through IPv6 addresses that
            // embed it.
            if let (ReservedPolicy::Allow, IpAddr::V4(first), IpAddr::V4(last)) =
                (self.policy, span::address(first), span::address(last))
            {
                for (first, last) in leading_to(first, last) {
                    self.spans.push(Span { first: first.to_bits(), last: last.to_bits(), owner });
                }
            }
        }
    }
}

/// All that is never touched.
#[derive(Debug)]
pub struct Exclusions {
    lists: Vec<Box<str>>,
    pieces: Pieces,
    names: HashMap<Kind, u32>,
}

impl Exclusions {
    /// The list that excludes an address; O(log n). To be asked again wherever an address comes from
    /// elsewhere than the set: a resolved name, a raw answer.
    pub fn blocked(&self, ip: IpAddr) -> Option<&str> {
        let piece = self.pieces.find(span::key(ip))?;
        Some(self.list(self.pieces.get(piece).owner))
    }

    /// The list that excludes a host name or the mail servers of a domain, by that very name.
    pub fn blocked_name(&self, kind: &Kind) -> Option<&str> {
        self.names.get(kind).map(|owner| self.list(*owner))
    }

    /// The names of the lists, in order of their right to count an address; the reserved addresses are the
    /// last.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.lists.iter().map(|list| &**list)
    }

    /// How many addresses are excluded, the reserved ones included.
    pub fn total(&self) -> u128 {
        self.pieces.total()
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece> {
        self.pieces.iter()
    }

    pub(super) fn names(&self) -> &HashMap<Kind, u32> {
        &self.names
    }

    fn list(&self, owner: u32) -> &str {
        self.lists.get(owner as usize).map_or(RESERVED_LIST, |list| list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::line::parse;

    #[test]
    fn an_address_is_blocked_by_the_first_list_that_names_it() {
        let mut builder = ExclusionsBuilder::new(ReservedPolicy::Exclude);
        builder.read(&b"11.0.0.0/8 # ticket 7\n10.1.0.0/16\n2a00::/32\n"[..], "opt-outs.txt").unwrap();
        builder.argument("11.0.0.1-11.0.0.9").unwrap();
        builder.argument("12.0.0.1").unwrap();
        let exclusions = builder.build();
        assert_eq!(
            exclusions.lists().collect::<Vec<_>>(),
            ["opt-outs.txt", "--exclude", "reserved addresses"]
        );
        for (ip, list) in [
            ("11.0.0.5", Some("opt-outs.txt")),
            ("::ffff:11.0.0.5", Some("opt-outs.txt")),
            ("10.1.2.3", Some("opt-outs.txt")),
            ("10.2.0.0", Some("reserved addresses")),
            ("12.0.0.1", Some("--exclude")),
            ("12.0.0.2", None),
            ("2a00::1", Some("opt-outs.txt")),
            ("2a01::1", None),
            ("64:ff9b::1", Some("reserved addresses")),
        ] {
            assert_eq!(exclusions.blocked(ip.parse().unwrap()), list, "{ip}");
        }
    }

    #[test]
    fn lifting_the_reserved_keeps_what_is_never_scanned_and_what_leads_to_an_excluded_network() {
        let mut builder = ExclusionsBuilder::new(ReservedPolicy::Allow);
        builder.argument("198.51.100.0/24").unwrap();
        let exclusions = builder.build();
        for (ip, list) in [
            ("127.0.0.1", None),
            ("10.0.0.1", None),
            ("2001:db8::1", None),
            ("2002:c633:6400::1", Some("--exclude")),
            ("2002:c633:6500::1", None),
            ("64:ff9b::198.51.100.7", Some("--exclude")),
            ("2002:e000:1::1", Some("reserved addresses")),
            ("64:ff9b::255.255.255.255", Some("reserved addresses")),
            ("224.0.0.1", Some("reserved addresses")),
            ("0.1.2.3", Some("reserved addresses")),
            ("255.255.255.255", Some("reserved addresses")),
            ("::", Some("reserved addresses")),
            ("ff02::1", Some("reserved addresses")),
        ] {
            assert_eq!(exclusions.blocked(ip.parse().unwrap()), list, "{ip}");
        }
    }

    #[test]
    fn a_bad_line_is_always_fatal() {
        let mut builder = ExclusionsBuilder::new(ReservedPolicy::Exclude);
        let error = builder.read(&b"11.0.0.0/8\n12.0.0.1/8\n13.0.0.0/8"[..], "opt-outs.txt").unwrap_err();
        assert_eq!(
            error.to_string(),
            "exclusion list `opt-outs.txt` line 2: `12.0.0.1/8` has bits set behind the prefix; the network is `12.0.0.0/8`"
        );
        assert!(builder.argument("AS64500").is_err());
        assert!(builder.argument("12.0.0.0/8 13.0.0.0/8").is_err());
    }

    #[test]
    fn an_excluded_name_is_blocked_itself_and_by_its_addresses() {
        let mut builder = ExclusionsBuilder::new(ReservedPolicy::Exclude);
        builder.read(&b"mail.example.org\n"[..], "opt-outs.txt").unwrap();
        builder.argument("mx:example.net").unwrap();
        let names: Vec<_> = builder.names().map(|(kind, list)| (kind.to_string(), list.to_owned())).collect();
        assert_eq!(
            names,
            [
                ("mail.example.org".to_owned(), "opt-outs.txt".to_owned()),
                ("mx:example.net".to_owned(), "--exclude".to_owned())
            ]
        );
        builder.add_addresses("opt-outs.txt", ["11.0.0.7".parse().unwrap()]);
        builder.add_prefixes("opt-outs.txt", [Prefix::parse("12.0.0.0/8").unwrap()]);
        let exclusions = builder.build();
        assert_eq!(exclusions.blocked("11.0.0.7".parse().unwrap()), Some("opt-outs.txt"));
        assert_eq!(exclusions.blocked("12.0.0.7".parse().unwrap()), Some("opt-outs.txt"));
        assert_eq!(exclusions.blocked_name(&parse("mail.example.org").unwrap()), Some("opt-outs.txt"));
        assert_eq!(exclusions.blocked_name(&parse("mx:example.net").unwrap()), Some("--exclude"));
        assert_eq!(exclusions.blocked_name(&parse("example.net").unwrap()), None);
    }
}
