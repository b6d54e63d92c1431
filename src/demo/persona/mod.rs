//! The kinds of host that live in a block, each with what it says, what DNS holds of it, and the truth about
//! it.
//!
//! The truth beside a persona is the domain's rules applied by hand to that row. Only what is certain is in
//! it.

pub mod names;
pub mod reverse;
pub mod sound;
pub mod unknown;
pub mod wire;

use std::net::Ipv4Addr;

use super::host::{Host, mix, scatter};
use super::script::Script;
use super::zone::{Answer, Data, Entry, Kind};
use crate::evidence::{Outcome, Status};
use crate::judge::{Fcrdns, Relation, Verdict};
use crate::name::DnsName;

/// One kind of host.
#[derive(Debug)]
pub struct Persona {
    /// Its word in reports.
    pub code: &'static str,
    /// What it is, for a person.
    pub about: &'static str,
    /// How common it is in a tended, a mixed and a neglected /24; the unit is its column's sum.
    pub shares: [u16; 3],
    /// What a right scan says of it.
    pub truth: Expected,
    /// How one address lives it.
    pub live: fn(Host) -> Life,
}

/// What a right scan says, the banner's name aside, which differs from host to host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// What the wire showed.
    pub outcome: Outcome,
    /// Forward-confirmed reverse DNS; `None` where nothing is judged.
    pub fcrdns: Option<Fcrdns>,
    /// The one word; `None` where nothing is judged.
    pub verdict: Option<Verdict>,
    /// How near the banner's name is to the nearest PTR name; `None` where it is not certain.
    pub relation: Option<Relation>,
    /// How the PTR question ended; `None` where it is not certain or not asked.
    pub ptr: Option<Status>,
    /// Findings that have to be there.
    pub must: &'static [&'static str],
    /// Findings that would be wrong.
    pub never: &'static [&'static str],
    /// The single changes that leave nothing of weight; `None` where nothing of weight is wrong or nothing is
    /// certain.
    pub clears: Option<&'static [&'static str]>,
}

/// One address's part of the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// What it says.
    pub script: Script,
    /// What DNS holds of it.
    pub entries: Vec<Entry>,
    /// The name in its greeting, in normal form.
    pub banner_name: Option<String>,
}

/// Every persona, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Persona> {
    [sound::ROWS, names::ROWS, reverse::ROWS, unknown::ROWS, wire::ROWS].into_iter().flatten()
}

/// Who lives at an address: each persona once in every /22, the other addresses by the shares of their /24.
pub fn draw(host: Host) -> &'static Persona {
    let region = u64::from(host.ip.to_bits() >> 10);
    let slot = scatter(host.ip.to_bits(), host.seed ^ mix(region));
    let reserved = usize::try_from(slot).ok().and_then(|slot| all().nth(slot));
    reserved.unwrap_or_else(|| by_share(host, column(host, region)))
}

/// How well the /24 of a host is looked after: in every /22 one is tended, two are mixed, one is neglected.
fn column(host: Host, region: u64) -> usize {
    const COLUMNS: [usize; 4] = [0, 1, 2, 1];
    let turn = mix(host.seed.rotate_left(32) ^ region);
    let network = u64::from(host.ip.to_bits() >> 8);
    COLUMNS[(network.wrapping_add(turn) & 3) as usize]
}

fn by_share(host: Host, column: usize) -> &'static Persona {
    let total: u64 = all().map(|persona| u64::from(persona.shares[column])).sum();
    let mut left = host.pick("persona", total);
    for persona in all() {
        let share = u64::from(persona.shares[column]);
        if left < share {
            return persona;
        }
        left -= share;
    }
    // Not reached: `left` starts below the sum of the shares.
    &sound::ROWS[0]
}

/// Findings that a sound, matching host can't have.
const FAULTLESS: &[&str] = &[
    "ptr_missing",
    "ptr_unconfirmed",
    "banner_absent",
    "banner_masked",
    "banner_literal",
    "banner_bare_address",
    "banner_unqualified",
    "banner_default",
    "banner_private_name",
    "banner_placeholder",
    "banner_unresolvable",
    "banner_resolves_elsewhere",
    "banner_differs",
];
/// Findings that nobody may draw from an unanswered question about the PTR or its forward addresses.
const UNPROVEN: &[&str] =
    &["ptr_missing", "ptr_unconfirmed", "ptr_partly_unconfirmed", "banner_unresolvable"];

/// Sound reverse DNS and the same name in the banner.
const MATCH: Expected = sound(Verdict::Match).relation(Relation::Exact).never(FAULTLESS);
/// Sound reverse DNS, another name of the same domain in the banner.
const RELATED: Expected = sound(Verdict::Related).relation(Relation::SameDomain);
/// Sound reverse DNS, a name of another domain in the banner.
const MISMATCH: Expected =
    sound(Verdict::Mismatch).relation(Relation::Unrelated).never(&["ptr_missing", "ptr_unconfirmed"]);
/// Sound reverse DNS, no usable name in the banner.
const NO_NAME: Expected = sound(Verdict::NoName);
/// No PTR.
const NO_PTR: Expected = greeted(Fcrdns::PermError, Verdict::NoPtr)
    .ptr(Status::NxDomain)
    .relation(Relation::None)
    .must(&["ptr_missing"])
    .never(&["ptr_unconfirmed"]);
/// A PTR that leads elsewhere or nowhere.
const UNCONFIRMED: Expected = greeted(Fcrdns::Fail, Verdict::Unconfirmed)
    .ptr(Status::Found)
    .must(&["ptr_unconfirmed"])
    .never(&["ptr_missing", "ptr_partly_unconfirmed"]);
/// DNS owes an answer.
const UNDETERMINED: Expected = greeted(Fcrdns::TempError, Verdict::Undetermined).never(UNPROVEN);

const fn greeted(fcrdns: Fcrdns, verdict: Verdict) -> Expected {
    Expected {
        outcome: Outcome::Greeted,
        fcrdns: Some(fcrdns),
        verdict: Some(verdict),
        relation: None,
        ptr: None,
        must: &[],
        never: &[],
        clears: None,
    }
}

/// A PTR name that leads back.
const fn sound(verdict: Verdict) -> Expected {
    greeted(Fcrdns::Pass, verdict).ptr(Status::Found).never(&[
        "ptr_missing",
        "ptr_unconfirmed",
        "banner_differs",
    ])
}

/// No mail server spoke, so nothing is judged.
const fn unjudged(outcome: Outcome) -> Expected {
    Expected {
        outcome,
        fcrdns: None,
        verdict: None,
        relation: None,
        ptr: None,
        must: &[],
        never: &[],
        clears: None,
    }
}

impl Expected {
    const fn must(mut self, must: &'static [&'static str]) -> Self {
        self.must = must;
        self
    }

    const fn never(mut self, never: &'static [&'static str]) -> Self {
        self.never = never;
        self
    }

    const fn clears(mut self, by: &'static [&'static str]) -> Self {
        self.clears = Some(by);
        self
    }

    const fn relation(mut self, relation: Relation) -> Self {
        self.relation = Some(relation);
        self
    }

    const fn ptr(mut self, status: Status) -> Self {
        self.ptr = Some(status);
        self
    }

    const fn nameless(mut self) -> Self {
        self.relation = Some(Relation::None);
        self
    }

    const fn rejected(mut self) -> Self {
        self.outcome = Outcome::Rejected;
        self
    }
}

impl Life {
    /// A greeting whose name is also the one in the EHLO reply.
    fn says(lines: impl AsRef<[u8]>, name: &str, extensions: &'static [&'static str]) -> Self {
        Self::plays(Script::greeting(lines, name, extensions)).named(name)
    }

    /// Any behaviour; no name yet.
    fn plays(script: Script) -> Self {
        Self { script, entries: Vec::new(), banner_name: None }
    }

    /// The name in the greeting is this one.
    fn named(mut self, name: &str) -> Self {
        self.banner_name = Some(name.to_owned());
        self
    }

    /// There is no name in the greeting.
    fn nameless(mut self) -> Self {
        self.banner_name = None;
        self
    }

    /// The PTR records of the host's address.
    fn ptr(self, host: Host, names: &[&str]) -> Self {
        let records = names.iter().map(|name| Data::Ptr(dns(name))).collect();
        self.reverse(host, Answer::Records(records))
    }

    /// Any answer to the PTR question.
    fn reverse(self, host: Host, answer: Answer) -> Self {
        self.entry(DnsName::reverse(host.ip.into()), Kind::Ptr, answer)
    }

    /// A name's address.
    fn at(self, name: &str, ip: Ipv4Addr) -> Self {
        self.forward(name, Answer::Records(vec![Data::A(ip)]))
    }

    /// Any answer to the question for a name's IPv4 addresses.
    fn forward(self, name: &str, answer: Answer) -> Self {
        self.entry(dns(name), Kind::A, answer)
    }

    /// A PTR name that leads back.
    fn known_as(self, host: Host, name: &str) -> Self {
        self.ptr(host, &[name]).at(name, host.ip)
    }

    fn entry(mut self, owner: DnsName, kind: Kind, answer: Answer) -> Self {
        self.entries.push(Entry { owner, kind, answer });
        self
    }
}

/// A name of the table on the wire. One that can't be written becomes the root, which the table's test
/// forbids.
fn dns(name: &str) -> DnsName {
    DnsName::parse(name).unwrap_or_else(|_| DnsName::root())
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::name::HostName;

    fn block(first: [u8; 4], count: u32, seed: u64) -> impl Iterator<Item = Host> {
        let first = Ipv4Addr::from(first).to_bits();
        (first..first + count).map(move |bits| Host { ip: Ipv4Addr::from_bits(bits), seed })
    }

    #[test]
    fn every_persona_lives_in_every_22_whatever_the_seed() {
        for seed in [0, 1, 42, u64::MAX] {
            for first in [[127, 25, 0, 0], [127, 200, 64, 0], [198, 18, 4, 0]] {
                let seen: HashSet<&str> = block(first, 1024, seed).map(|host| draw(host).code).collect();
                assert_eq!(seen.len(), all().count(), "seed {seed}, {first:?}");
            }
        }
    }

    #[test]
    fn most_hosts_that_greet_are_sound_where_the_block_is_tended_and_few_where_it_is_neglected() {
        let mut matching = HashMap::new();
        for host in block([127, 25, 0, 0], 4096, 1) {
            let truth = draw(host).truth;
            if truth.outcome == Outcome::Greeted {
                let (right, all) =
                    matching.entry(column(host, u64::from(host.ip.to_bits() >> 10))).or_insert((0, 0));
                *right += u32::from(truth.verdict == Some(Verdict::Match));
                *all += 1;
            }
        }
        let percent = |column: usize| matching[&column].0 * 100 / matching[&column].1;
        assert!(percent(0) > 60 && percent(2) < 30 && percent(1) < percent(0) && percent(2) < percent(1));
    }

    #[test]
    fn codes_are_distinct_and_told_of() {
        let codes: HashSet<&str> = all().map(|persona| persona.code).collect();
        assert_eq!(codes.len(), all().count());
        for persona in all() {
            assert!(!persona.about.is_empty() && persona.about.len() < 100, "{}", persona.code);
        }
    }

    #[test]
    fn every_truth_is_whole() {
        for persona in all() {
            let truth = persona.truth;
            assert_eq!(truth.outcome.is_judged(), truth.verdict.is_some(), "{}", persona.code);
            assert_eq!(truth.outcome.is_judged(), truth.fcrdns.is_some(), "{}", persona.code);
            assert!(truth.must.iter().all(|code| !truth.never.contains(code)), "{}", persona.code);
            assert!(truth.verdict.is_some() || truth.must.is_empty(), "{}", persona.code);
            assert!(truth.verdict.is_some() || truth.clears.is_none(), "{}", persona.code);
            assert!(
                truth.verdict.is_some() || (truth.relation, truth.ptr) == (None, None),
                "{}",
                persona.code
            );
        }
    }

    #[test]
    fn a_name_in_the_truth_is_one_that_the_host_says() {
        for host in block([127, 25, 0, 0], 1024, 1) {
            let life = (draw(host).live)(host);
            let Some(name) = life.banner_name else { continue };
            let said = said(&life.script);
            let ascii = HostName::parse(&name).is_ok_and(|parsed| parsed.as_str().starts_with("xn--"))
                || name.contains(".xn--");
            assert!(ascii || said.to_lowercase().contains(&name), "{name} is not in {said:?}");
            assert_eq!(name, name.to_lowercase());
        }
    }

    #[test]
    fn every_name_of_the_table_can_be_written() {
        for host in block([127, 25, 0, 0], 1024, 1) {
            for entry in (draw(host).live)(host).entries {
                assert_ne!(entry.owner, DnsName::root());
                if let Answer::Records(records) = entry.answer {
                    assert!(!records.contains(&Data::Ptr(DnsName::root())), "{}", entry.owner);
                }
            }
        }
    }

    #[test]
    fn no_two_hosts_tell_dns_different_things_of_one_name() {
        let mut told: HashMap<(DnsName, Kind), Answer> = HashMap::new();
        for host in block([127, 25, 0, 0], 4096, 9) {
            for entry in (draw(host).live)(host).entries {
                let first =
                    told.entry((entry.owner.clone(), entry.kind)).or_insert_with(|| entry.answer.clone());
                assert_eq!(*first, entry.answer, "{} {:?}", entry.owner, entry.kind);
            }
        }
    }

    fn said(script: &Script) -> String {
        use super::super::script::Act;
        let mut bytes = Vec::new();
        for act in &script.acts {
            if let Act::Send(sent) | Act::Repeat { bytes: sent, .. } = act {
                bytes.extend_from_slice(sent);
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
