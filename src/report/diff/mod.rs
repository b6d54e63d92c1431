//! What changed between two scans, by meaning: which hosts were fixed, which got worse, which are called otherwise.
//!
//! A host is an address and a port. Its trouble is the set of its findings that weigh at least low on it; an answer that
//! nobody got is no trouble and no cure, so a host that is undetermined on either side is neither fixed nor regressed.
//! By example: no PTR before, none now and the same name: still wrong; no PTR before, undetermined now: unknown.
//!
//! Both sets are held in memory, one entry a host that spoke; see [`Scan::add`]. Opens no file.

pub mod csv;
pub mod show;

use std::collections::HashMap;
use std::net::IpAddr;

use crate::evidence::Outcome;
use crate::judge::{Code, Severity, Verdict};
use crate::record::row::{Codes, Row};

/// Who greets: address and port.
pub type Host = (IpAddr, u16);

/// What became of a host. The order is that of a report: what needs a person comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Sound before, in trouble now; or in trouble that weighs more.
    Regressed,
    /// In trouble before and now.
    StillWrong,
    /// Several records of one scan contradict each other.
    Flapping,
    /// In trouble before, sound now.
    Fixed,
    /// Sound before and now, under another name.
    Renamed,
    /// Greets now, did not before.
    New,
    /// Greeted before, does not now.
    Gone,
    /// DNS gave no definite answer before or now.
    Unknown,
    /// Sound before and now, under the same names.
    Same,
}

impl Change {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 9] = [
        Self::Regressed,
        Self::StillWrong,
        Self::Flapping,
        Self::Fixed,
        Self::Renamed,
        Self::New,
        Self::Gone,
        Self::Unknown,
        Self::Same,
    ];

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::StillWrong => "still_wrong",
            Self::Flapping => "flapping",
            Self::Fixed => "fixed",
            Self::Renamed => "renamed",
            Self::New => "new",
            Self::Gone => "gone",
            Self::Unknown => "unknown",
            Self::Same => "same",
        }
    }
}

/// What one scan knows of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How the conversation went.
    pub outcome: Outcome,
    /// The verdict, if it was judged.
    pub verdict: Option<Verdict>,
    /// The findings that weigh at least low on this host.
    pub trouble: Codes,
    /// The highest weight among them.
    pub severity: Severity,
    /// The name in the greeting.
    pub banner_name: Option<Box<str>>,
    /// The PTR names, sorted.
    pub ptr_names: Box<[String]>,
    /// Whether the scan has records of this host that contradict each other.
    pub agreement: Agreement,
}

/// Whether the records of one host in one scan say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// They do, or there is but one.
    Agreed,
    /// Another verdict or another name was met.
    Contradicted,
}

/// One scan, by host.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    hosts: HashMap<Host, State>,
}

/// One host on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Which host.
    pub host: Host,
    /// What became of it.
    pub change: Change,
    /// Before; `None` where no record of it is.
    pub old: Option<&'a State>,
    /// Now; `None` where no record of it is.
    pub new: Option<&'a State>,
}

impl State {
    fn of(row: &Row<'_>) -> Self {
        let weight = |code: Code| code.severity(row.tenancy);
        let mut ptr_names = row.ptr_names.to_strings();
        ptr_names.sort_unstable();
        Self {
            outcome: row.outcome,
            verdict: row.verdict,
            trouble: row.findings.iter().filter(|&code| weight(code) >= Severity::Low).collect(),
            severity: row.findings.iter().map(weight).max().unwrap_or(Severity::None),
            banner_name: row.banner_name.as_deref().map(Box::from),
            ptr_names: ptr_names.into_boxed_slice(),
            agreement: Agreement::Agreed,
        }
    }

    fn is_sound(&self) -> bool {
        self.trouble.is_empty()
    }

    fn is_unknown(&self) -> bool {
        self.verdict.is_none_or(|verdict| verdict == Verdict::Undetermined)
    }

    /// An answer that nobody got contradicts nothing.
    fn contradicts(&self, other: &Self) -> bool {
        let known = !self.is_unknown() && !other.is_unknown();
        known && (self.verdict != other.verdict || self.banner_name != other.banner_name)
    }
}

impl Scan {
    /// Takes one record. Of several that agree the last counts, but one that knows more stays before one that knows less.
    /// A record without an address is of no host.
    pub fn add(&mut self, row: &Row<'_>) {
        let Some(ip) = row.ip else { return };
        let state = State::of(row);
        match self.hosts.entry((ip, row.port)) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(state);
            }
            std::collections::hash_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                let contradicted = known.agreement == Agreement::Contradicted || known.contradicts(&state);
                if known.is_unknown() || !state.is_unknown() {
                    *known = state;
                }
                if contradicted {
                    known.agreement = Agreement::Contradicted;
                }
            }
        }
    }

    /// The hosts of this scan and of a later one, in the order of a report: by change, then by address and port. Hosts that
    /// greeted in neither are left out.
    pub fn compare<'a>(&'a self, later: &'a Self) -> Vec<Entry<'a>> {
        let both = self.hosts.iter().map(|(&host, old)| (host, Some(old), later.hosts.get(&host)));
        let added = later.hosts.iter().filter(|(host, _)| !self.hosts.contains_key(host));
        let added = added.map(|(&host, new)| (host, None, Some(new)));
        let entries = both
            .chain(added)
            .filter_map(|(host, old, new)| change(old, new).map(|change| Entry { host, change, old, new }));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_unstable_by_key(|entry| (entry.change, entry.host));
        entries
    }
}

/// What became of one host; `None` if it greeted on neither side.
pub fn change(old: Option<&State>, new: Option<&State>) -> Option<Change> {
    let spoke = |state: Option<&'_ State>| state.is_some_and(|state| state.outcome.is_judged());
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) if spoke(Some(old)) && spoke(Some(new)) => (old, new),
        (old, _) if spoke(old) => return Some(Change::Gone),
        (_, new) if spoke(new) => return Some(Change::New),
        _ => return None,
    };
    if old.agreement == Agreement::Contradicted || new.agreement == Agreement::Contradicted {
        return Some(Change::Flapping);
    }
    if old.is_unknown() || new.is_unknown() {
        return Some(Change::Unknown);
    }
    Some(match (old.is_sound(), new.is_sound()) {
        (true, false) => Change::Regressed,
        (false, true) => Change::Fixed,
        (false, false) if new.severity > old.severity => Change::Regressed,
        (false, false) => Change::StillWrong,
        (true, true) if old.banner_name != new.banner_name || old.ptr_names != new.ptr_names => {
            Change::Renamed
        }
        (true, true) => Change::Same,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Tenancy;
    use crate::record::row::{PtrNames, Tags};
    use std::time::SystemTime;

    pub(super) fn row(last: u8, verdict: Verdict, findings: &[Code]) -> Row<'static> {
        Row {
            time: SystemTime::UNIX_EPOCH,
            ip: Some(IpAddr::from([192, 0, 2, last])),
            port: 25,
            asked: "192.0.2.0/24".into(),
            outcome: Outcome::Greeted,
            verdict: Some(verdict),
            severity: None,
            findings: findings.iter().copied().collect(),
            banner_name: Some("mail.example.org".into()),
            ptr_status: None,
            ptr_names: PtrNames::Text(vec!["mail.example.org".into()]),
            fcrdns: None,
            platform: None,
            tenancy: Tenancy::Unknown,
            asn: None,
            as_name: None,
            accepted: crate::record::row::Codes::default(),
            clears_by: None,
            tags: Tags::Text(Vec::new()),
        }
    }

    pub(super) fn scan(rows: &[Row<'static>]) -> Scan {
        let mut scan = Scan::default();
        for row in rows {
            scan.add(row);
        }
        scan
    }

    fn named(row: Row<'static>, name: &'static str) -> Row<'static> {
        Row { banner_name: Some(name.into()), ..row }
    }

    fn refused() -> Row<'static> {
        Row { outcome: Outcome::Refused, verdict: None, banner_name: None, ..sound() }
    }

    fn sound() -> Row<'static> {
        row(1, Verdict::Match, &[])
    }

    fn no_ptr() -> Row<'static> {
        row(1, Verdict::NoPtr, &[Code::PtrMissing])
    }

    fn generic() -> Row<'static> {
        row(1, Verdict::Mismatch, &[Code::PtrGeneric])
    }

    fn undetermined() -> Row<'static> {
        row(1, Verdict::Undetermined, &[])
    }

    #[test]
    fn a_change_is_told_by_its_meaning() {
        let light = || row(1, Verdict::Mismatch, &[Code::PtrMultiple]);
        let ptr_renamed = Row { ptr_names: PtrNames::Text(vec!["mx.example.org".into()]), ..sound() };
        for (old, new, change) in [
            (vec![no_ptr()], vec![sound()], Some(Change::Fixed)),
            (vec![sound()], vec![no_ptr()], Some(Change::Regressed)),
            (vec![generic()], vec![no_ptr()], Some(Change::Regressed)),
            (vec![no_ptr()], vec![generic()], Some(Change::StillWrong)),
            (vec![no_ptr()], vec![no_ptr()], Some(Change::StillWrong)),
            (vec![sound()], vec![named(sound(), "mx.example.org")], Some(Change::Renamed)),
            (vec![sound()], vec![ptr_renamed], Some(Change::Renamed)),
            (vec![no_ptr()], vec![named(no_ptr(), "mx.example.org")], Some(Change::StillWrong)),
            (vec![], vec![sound()], Some(Change::New)),
            (vec![refused()], vec![no_ptr()], Some(Change::New)),
            (vec![sound()], vec![], Some(Change::Gone)),
            (vec![no_ptr()], vec![refused()], Some(Change::Gone)),
            (vec![no_ptr()], vec![undetermined()], Some(Change::Unknown)),
            (vec![undetermined()], vec![no_ptr()], Some(Change::Unknown)),
            (vec![sound(), no_ptr()], vec![sound()], Some(Change::Flapping)),
            (vec![no_ptr()], vec![sound(), named(sound(), "b.example.org")], Some(Change::Flapping)),
            (vec![sound()], vec![sound()], Some(Change::Same)),
            (vec![sound()], vec![light()], Some(Change::Same)),
            (vec![refused()], vec![refused()], None),
            (vec![refused()], vec![], None),
        ] {
            let (old, new) = (scan(&old), scan(&new));
            let entries = old.compare(&new);
            assert_eq!(entries.first().map(|entry| entry.change), change, "{old:?} → {new:?}");
        }
    }

    #[test]
    fn an_answer_that_nobody_got_neither_contradicts_nor_displaces_one_that_came() {
        for records in [[no_ptr(), undetermined()], [undetermined(), no_ptr()], [no_ptr(), refused()]] {
            let old = scan(&records);
            let new = scan(&[sound()]);
            assert_eq!(old.compare(&new)[0].change, Change::Fixed);
        }
    }

    #[test]
    fn ports_are_hosts_of_their_own_and_names_without_address_none() {
        let submission = Row { port: 587, ..no_ptr() };
        let old = scan(&[sound(), submission.clone(), Row { ip: None, ..sound() }]);
        let new = scan(&[sound(), Row { port: 465, ..sound() }]);
        let changes: Vec<_> = old.compare(&new).iter().map(|entry| (entry.host.1, entry.change)).collect();
        assert_eq!(changes, [(465, Change::New), (587, Change::Gone), (25, Change::Same)]);
    }

    #[test]
    fn a_scan_against_itself_is_the_same_or_still_wrong_and_turned_round_its_opposite() {
        let states = [sound(), no_ptr(), generic(), undetermined(), refused()];
        for old in &states {
            for new in &states {
                let (a, b) = (scan(std::slice::from_ref(old)), scan(std::slice::from_ref(new)));
                let forth = a.compare(&b).first().map(|entry| entry.change);
                let back = b.compare(&a).first().map(|entry| entry.change);
                let opposite = match forth {
                    Some(Change::Fixed) => Some(Change::Regressed),
                    Some(Change::New) => Some(Change::Gone),
                    Some(Change::Gone) => Some(Change::New),
                    Some(Change::Regressed) if !old.findings.is_empty() => Some(Change::StillWrong),
                    Some(Change::Regressed) => Some(Change::Fixed),
                    Some(Change::StillWrong) if old.verdict != new.verdict => Some(Change::Regressed),
                    other => other,
                };
                assert_eq!(back, opposite, "{old:?} → {new:?}");
            }
        }
    }
}
