//! The target set: every address that is asked for and not excluded, once, with the entry that it came from.
//!
//! Where entries overlap, the most specific one (the fewest addresses) owns an address: of equals one with an
//! inventory, then a plain address, then the first. A plain address takes no entry: it is what it asks for.

use std::net::IpAddr;
use std::sync::Arc;

use crate::prefix::Prefix;
use crate::targets::Inventory;
use crate::targets::exclude::Exclusions;
use crate::targets::line::{Entry, Kind};
use crate::targets::pieces::Pieces;
use crate::targets::span::{self, Family};

/// Which entry a target came from; of the set that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntryRef(u32);

impl EntryRef {
    /// A plain address: its own entry.
    pub(super) const ITSELF: Self = Self(u32::MAX);

    pub(super) const fn of_owner(owner: u32) -> Self {
        Self(owner)
    }

    pub(super) const fn owner(self) -> u32 {
        self.0
    }
}

/// How much one exclusion list took away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The list's name.
    pub list: Box<str>,
    /// How many addresses that were asked for; one in several lists counts for the first.
    pub addresses: u128,
    /// How many names that were asked for.
    pub names: u64,
}

/// Every address to be scanned, once; the names whose addresses are not known yet; and what was left out.
#[derive(Debug)]
pub struct TargetSet {
    pub(super) pieces: Pieces,
    pub(super) entries: Vec<Entry>,
    pub(super) names: Vec<Entry>,
    pub(super) removed: Vec<Removed>,
    pub(super) exclusions: Arc<Exclusions>,
    pub(super) digest: u128,
}

impl TargetSet {
    /// How many addresses there are; those of names are not counted.
    pub fn len(&self) -> u128 {
        self.pieces.total()
    }

    /// Whether there is neither an address nor a name.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && self.names.is_empty()
    }

    /// Whether an address is scanned anyway, whatever else leads to it; O(log n).
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.pieces.find(span::key(ip)).is_some()
    }

    /// The entry that an address came from, if the address is in the set.
    pub fn owner(&self, ip: IpAddr) -> Option<EntryRef> {
        self.pieces.find(span::key(ip)).map(|piece| EntryRef(self.pieces.get(piece).owner))
    }

    /// The host names and mail domains to be resolved, in the order of the lists, each once.
    pub fn names(&self) -> &[Entry] {
        &self.names
    }

    /// What a target's entry asked for, in normal form; `ip` is the target.
    pub fn asked(&self, ip: IpAddr, entry: EntryRef) -> Box<str> {
        let asked = self.entry(entry).map_or_else(|| ip.to_string(), |entry| entry.kind.to_string());
        asked.into_boxed_str()
    }

    /// What the user said of a target's entry.
    pub fn inventory(&self, entry: EntryRef) -> Option<&Arc<Inventory>> {
        self.entry(entry)?.inventory.as_ref()
    }

    /// How much each exclusion list took away, the lists in order of their right to count.
    pub fn removed(&self) -> &[Removed] {
        &self.removed
    }

    /// What is never touched.
    pub fn exclusions(&self) -> &Arc<Exclusions> {
        &self.exclusions
    }

    /// A fingerprint of all that decides what is scanned, in which order, and what records say of it:
    /// addresses, entries with inventory, names, exclusions. The same on every machine and in every version.
    pub fn digest(&self) -> u128 {
        self.digest
    }

    /// The addresses as the fewest lines that read back as the same set, in ascending order.
    pub fn lines(&self) -> impl Iterator<Item = Kind> {
        let mut pieces = self.pieces.iter().map(|piece| (piece.first, piece.last())).peekable();
        std::iter::from_fn(move || {
            let (first, mut last) = pieces.next()?;
            while let Some((_, next)) = pieces.next_if(|(next, _)| {
                last.checked_add(1) == Some(*next) && Family::of(last) == Family::of(*next)
            }) {
                last = next;
            }
            Some(as_line(first, last))
        })
    }

    pub(super) fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    fn entry(&self, entry: EntryRef) -> Option<&Entry> {
        self.entries.get(entry.0 as usize)
    }
}

fn as_line(first: u128, last: u128) -> Kind {
    let (low, high) = (span::address(first), span::address(last));
    if first == last {
        return Kind::Address(low);
    }
    let bits = if low.is_ipv4() { 32 } else { 128 };
    let length = (first ^ last).leading_zeros() + bits - 128;
    let prefix = Prefix::of(low, u8::try_from(length).unwrap_or(0));
    if (prefix.first(), prefix.last()) == (low, high) { Kind::Prefix(prefix) } else { Kind::Range(low, high) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::targets::{BadLines, ExclusionsBuilder, ReservedPolicy, TargetSetBuilder, parse};

    fn exclusions(policy: ReservedPolicy, list: &str) -> Arc<Exclusions> {
        let mut builder = ExclusionsBuilder::new(policy);
        builder.read(list.as_bytes(), "no.txt").unwrap();
        Arc::new(builder.build())
    }

    fn build(list: &str, excluded: &str) -> TargetSet {
        let mut builder = TargetSetBuilder::new();
        builder.read(list.as_bytes(), "yes.txt", BadLines::Stop, &mut |_| ()).unwrap();
        builder.build(exclusions(ReservedPolicy::Allow, excluded)).unwrap()
    }

    fn lines(set: &TargetSet) -> Vec<String> {
        set.lines().map(|line| line.to_string()).collect()
    }

    fn asked(set: &TargetSet, ip: &str) -> Option<String> {
        let ip = ip.parse().unwrap();
        set.owner(ip).map(|entry| set.asked(ip, entry).into_string())
    }

    #[test]
    fn overlaps_count_once_and_exclusions_are_gone() {
        for (list, excluded, left, len) in [
            ("192.0.2.0/24\n192.0.2.7\n192.0.2.0/25", "", vec!["192.0.2.0/24"], 256),
            ("192.0.2.0/24", "192.0.2.0\n192.0.2.255", vec!["192.0.2.1-192.0.2.254"], 254),
            ("192.0.2.0/24\n192.0.3.0/24", "192.0.2.128/25", vec!["192.0.2.0/25", "192.0.3.0/24"], 384),
            ("192.0.2.1\n192.0.2.1\n192.0.2.2", "", vec!["192.0.2.1-192.0.2.2"], 2),
            ("192.0.2.0/24", "192.0.0.0/16", vec![], 0),
            (
                "192.0.2.250-192.0.3.5",
                "192.0.2.255-192.0.3.0",
                vec!["192.0.2.250-192.0.2.254", "192.0.3.1-192.0.3.5"],
                10,
            ),
            ("2001:db8::/120\n2001:db8::100-2001:db8::1ff", "", vec!["2001:db8::/119"], 512),
            ("255.255.255.0/24\n224.0.0.1\n0.0.0.0\nff02::1\n::", "", vec![], 0),
            ("mail.example.org", "", vec![], 0),
        ] {
            let set = build(list, excluded);
            assert_eq!(
                (lines(&set), set.len()),
                (left.into_iter().map(str::to_owned).collect(), len),
                "{list} - {excluded}"
            );
        }
    }

    #[test]
    fn the_most_specific_entry_owns_an_address() {
        let set = build(
            "198.51.100.0/24\n192.0.2.0/24\n192.0.2.64/26\n192.0.2.66\n192.0.2.60-192.0.2.70\n192.0.2.66/32\n\
             192.0.2.0-192.0.2.255\n2001:db8::/32",
            "",
        );
        for (ip, line) in [
            ("192.0.2.59", Some("192.0.2.0/24")),
            ("192.0.2.60", Some("192.0.2.60-192.0.2.70")),
            ("192.0.2.66", Some("192.0.2.66")),
            ("192.0.2.70", Some("192.0.2.60-192.0.2.70")),
            ("192.0.2.71", Some("192.0.2.64/26")),
            ("192.0.2.128", Some("192.0.2.0/24")),
            ("192.0.3.0", None),
            ("2001:db8:1::", Some("2001:db8::/32")),
        ] {
            assert_eq!(asked(&set, ip).as_deref(), line, "{ip}");
        }
    }

    #[test]
    fn of_equal_entries_the_one_with_an_inventory_owns_the_address() {
        let mut builder = TargetSetBuilder::new();
        for argument in ["192.0.2.1", "192.0.2.0/24"] {
            builder.argument(argument).unwrap();
        }
        let csv = "ip,customer\n192.0.2.1,one\n192.0.2.1,two\n192.0.2.0/24,net\nmail.example.org,name\n";
        builder.read(csv.as_bytes(), "hosts.csv", BadLines::Stop, &mut |_| ()).unwrap();
        builder.argument("mail.example.org").unwrap();
        let set = builder.build(exclusions(ReservedPolicy::Allow, "")).unwrap();
        let customer = |ip: &str| {
            let entry = set.owner(ip.parse().unwrap()).unwrap();
            set.inventory(entry).map(|inventory| inventory.tags[0].1.clone())
        };
        assert_eq!(customer("192.0.2.1").as_deref(), Some("one"));
        assert_eq!(customer("192.0.2.2").as_deref(), Some("net"));
        assert_eq!(set.names().len(), 1);
        assert_eq!(set.names()[0].inventory.as_ref().unwrap().tags[0].1, "name");
    }

    #[test]
    fn each_exclusion_list_says_how_much_it_took() {
        let mut builder = ExclusionsBuilder::new(ReservedPolicy::Exclude);
        builder.read(&b"11.0.0.0/24\nmail.example.org"[..], "a.txt").unwrap();
        builder.read(&b"11.0.0.0/23\n10.0.0.0/24"[..], "b.txt").unwrap();
        let mut targets = TargetSetBuilder::new();
        for argument in ["11.0.0.0/16", "10.0.0.0/16", "mail.example.org", "mail.example.net"] {
            targets.argument(argument).unwrap();
        }
        let set = targets.build(Arc::new(builder.build())).unwrap();
        let removed: Vec<_> = set.removed().iter().map(|r| (&*r.list, r.addresses, r.names)).collect();
        assert_eq!(removed, [("a.txt", 256, 1), ("b.txt", 512, 0), ("reserved addresses", 65536 - 256, 0)]);
        assert_eq!(set.len(), 65536 - 512);
        assert_eq!(set.names().iter().map(|n| n.kind.to_string()).collect::<Vec<_>>(), ["mail.example.net"]);
    }

    #[test]
    fn the_whole_of_both_families_is_a_set() {
        let set = build("0.0.0.0/0\n::/0", "");
        // 0/8, 224/4 and 240/4, each also as 6to4 /48s and behind the translation prefix; ::, ff00::/8, and
        // IPv4's keys.
        let v4_never = (1 << 24) + (2 << 28);
        let v6_never = 1 + (1 << 120) + v4_never * ((1 << 80) + 1) + (1 << 32);
        assert_eq!(set.len(), u128::MAX - v6_never + 1 + ((1 << 32) - v4_never));
        assert!(set.contains("2001:db8::1".parse().unwrap()) && set.contains("127.0.0.1".parse().unwrap()));
        assert_eq!(asked(&set, "::ffff:192.0.2.1").as_deref(), Some("0.0.0.0/0"));
    }

    #[test]
    fn an_autonomous_system_needs_its_prefixes() {
        let mut builder = TargetSetBuilder::new();
        assert_eq!(
            builder.argument("AS64500").unwrap_err().to_string(),
            "target `AS64500` needs to know the prefixes of the network; add `--asn-db FILE`"
        );
        let prefixes = ["192.0.2.0/24", "2001:db8::/32"].map(|text| Prefix::parse(text).unwrap());
        builder.add_network(Kind::Asn(64500).into(), prefixes).unwrap();
        let set = builder.build(exclusions(ReservedPolicy::Allow, "")).unwrap();
        assert_eq!(asked(&set, "2001:db8::9").as_deref(), Some("AS64500"));
        assert_eq!(set.len(), 256 + (1 << 96));
    }

    #[test]
    fn bad_lines_stop_or_are_reported() {
        let list = &b"192.0.2.1\n1.2.3\n192.0.2.2\n10.0.0.0/33\n"[..];
        let mut reports = Vec::new();
        let mut builder = TargetSetBuilder::new();
        builder.read(list, "mx.txt", BadLines::Skip, &mut |error| reports.push(error.to_string())).unwrap();
        assert_eq!(builder.build(exclusions(ReservedPolicy::Allow, "")).unwrap().len(), 2);
        assert_eq!(reports.len(), 2);
        assert_eq!(reports[1], "target list `mx.txt` line 4: `10.0.0.0/33` has a length over 32");
        let stopped = TargetSetBuilder::new().read(list, "mx.txt", BadLines::Stop, &mut |_| panic!());
        assert!(stopped.unwrap_err().to_string().contains("line 2: `1.2.3`"));
        let utf16 =
            TargetSetBuilder::new().read(&b"\xff\xfe1\0"[..], "mx.txt", BadLines::Skip, &mut |_| panic!());
        assert!(utf16.is_err(), "a list that is no text at all is never skipped");
    }

    #[test]
    fn the_digest_tells_every_difference_and_no_other() {
        let list = "192.0.2.1\n192.0.2.9\n198.51.100.0/24\nmail.example.org";
        let digest = build(list, "203.0.113.0/24").digest();
        assert_eq!(
            build("192.0.2.9\n192.0.2.1\n198.51.100.0/24\nmail.example.org", "203.0.113.0/24").digest(),
            digest
        );
        for (other, excluded) in [
            ("192.0.2.1\n192.0.2.8\n198.51.100.0/24\nmail.example.org", "203.0.113.0/24"),
            ("192.0.2.1\n192.0.2.9\n198.51.100.0/24", "203.0.113.0/24"),
            ("192.0.2.1\n192.0.2.9\n198.51.100.0-198.51.100.255\nmail.example.org", "203.0.113.0/24"),
            (list, "203.0.113.0/25"),
            (list, "203.0.113.0/24\nmail.example.net"),
            ("ip,c\n192.0.2.1,x\n192.0.2.9,\n198.51.100.0/24,\nmail.example.org,", "203.0.113.0/24"),
        ] {
            assert_ne!(build(other, excluded).digest(), digest, "{other} - {excluded}");
        }
    }

    /// Lines within two /24s, the edges of a /48, and the edge of IPv4's keys.
    fn line() -> impl Strategy<Value = String> {
        let v4 = (0_u32..512, 0_u32..512).prop_map(|(a, b)| {
            let ip = |n: u32| std::net::Ipv4Addr::from_bits((192 << 24 | 2 << 8) + n);
            format!("{}-{}", ip(a.min(b)), ip(a.max(b)))
        });
        let v6 = (0_u128..200, 0_u128..200).prop_map(|(a, b)| {
            let ip = |n: u128| std::net::Ipv6Addr::from_bits((0x2a00_u128 << 112 | 1 << 80) - 100 + n);
            format!("{}-{}", ip(a.min(b)), ip(a.max(b)))
        });
        let prefix = (0_u32..512, 24_u8..=32).prop_map(|(n, length)| {
            Prefix::of(IpAddr::from((((192 << 24) | 2 << 8) + n).to_be_bytes()), length).to_string()
        });
        prop_oneof![v4, v6, prefix]
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn membership_and_ownership_are_what_a_naive_look_says(
            wanted in proptest::collection::vec(line(), 0..8),
            unwanted in proptest::collection::vec(line(), 0..5),
        ) {
            let set = build(&wanted.join("\n"), &unwanted.join("\n"));
            let parsed = |lines: &[String]| lines.iter().map(|line| parse(line).unwrap()).collect::<Vec<_>>();
            let (wanted, unwanted) = (parsed(&wanted), parsed(&unwanted));
            let holds = |kind: &Kind, ip| span::spans_of(kind).any(|(a, b)| (a..=b).contains(&span::key(ip)));
            let size = |kind: &Kind| span::spans_of(kind).map(|(a, b)| b - a).sum::<u128>();
            let v4 = (0..600_u32).map(|n| IpAddr::from(((192 << 24 | 2 << 8) - 40 + n).to_be_bytes()));
            let v6 = (0..300_u128).map(|n| IpAddr::from(((0x2a00_u128 << 112 | 1 << 80) - 140 + n).to_be_bytes()));
            let mut count = 0;
            for ip in v4.chain(v6) {
                let allowed = !unwanted.iter().any(|kind| holds(kind, ip));
                let owner = wanted.iter().filter(|kind| holds(kind, ip) && allowed)
                    .min_by_key(|kind| (size(kind), !matches!(kind, Kind::Address(_))));
                let said = set.owner(ip).map(|entry| set.asked(ip, entry).into_string());
                prop_assert_eq!(said, owner.map(ToString::to_string), "{}", ip);
                prop_assert_eq!(set.contains(ip), owner.is_some());
                prop_assert_eq!(set.exclusions().blocked(ip).is_some(), !allowed);
                count += u128::from(owner.is_some());
            }
            prop_assert_eq!(set.len(), count);
        }

        #[test]
        fn a_printed_set_reads_back_as_itself(
            wanted in proptest::collection::vec(line(), 0..8),
            unwanted in proptest::collection::vec(line(), 0..5),
        ) {
            let set = build(&wanted.join("\n"), &unwanted.join("\n"));
            let again = build(&lines(&set).join("\n"), "");
            prop_assert_eq!(lines(&again), lines(&set));
            prop_assert_eq!(again.len(), set.len());
        }
    }
}
