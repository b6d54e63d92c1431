//! The short view of a record that reports and comparisons count: from a record in hand, a JSONL line or a
//! CSV row.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::column::{COLUMNS, NO_REMEDY, TAG};
use super::field::{self, ReadError, known};
use super::foreign::Oddities;
use super::line::RowLine;
use super::list::JOIN;
use super::{AddressFamily, Record, Unresolved, cell, time};
use crate::evidence::{Outcome, PtrName, Status};
use crate::judge::remedy::Change;
use crate::judge::what_if::{Remedies, Remedy};
use crate::judge::{Circumstances, Code, Fcrdns, Finding, Severity, Tenancy, Verdict};
use crate::prefix::Prefix;
use crate::smtp::reply;

/// A set of finding codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Codes(u64);

const _: () = assert!(Code::ALL.len() <= 64, "a set of codes is one bit for each in a u64");

impl Codes {
    /// Adds a code.
    pub fn insert(&mut self, code: Code) {
        self.0 |= 1 << (code as u32);
    }

    /// Whether a code is in.
    pub fn contains(self, code: Code) -> bool {
        self.0 & 1 << (code as u32) != 0
    }

    /// The codes, in the order of the documentation.
    pub fn iter(self) -> impl Iterator<Item = Code> {
        Code::ALL.iter().copied().filter(move |&code| self.contains(code))
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl FromIterator<Code> for Codes {
    fn from_iter<I: IntoIterator<Item = Code>>(codes: I) -> Self {
        let mut set = Self::default();
        codes.into_iter().for_each(|code| set.insert(code));
        set
    }
}

/// The PTR names of a row, as evidence or as text.
#[derive(Debug, Clone, PartialEq)]
pub enum PtrNames<'a> {
    /// From a record in hand.
    Wire(&'a [PtrName]),
    /// From a file, in presentation form.
    Text(Vec<Cow<'a, str>>),
}

impl PtrNames<'_> {
    /// The names in presentation form, in the order of the answer.
    pub fn to_strings(&self) -> Vec<String> {
        match self {
            Self::Wire(names) => names.iter().map(|ptr| ptr.name.to_string()).collect(),
            Self::Text(names) => names.iter().map(|name| name.clone().into_owned()).collect(),
        }
    }
}

/// The tags of a row, header and value, in the order of the target list.
#[derive(Debug, Clone, PartialEq)]
pub enum Tags<'a> {
    /// From a record in hand.
    Inventory(&'a [(Arc<str>, String)]),
    /// From a file.
    Text(Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

impl Tags<'_> {
    /// The value of a tag; `None` where the row has no such tag, or an empty one, which a table can't tell
    /// apart.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = match self {
            Self::Inventory(tags) => {
                tags.iter().find(|(tag, _)| **tag == *name).map(|(_, value)| value.as_str())
            }
            Self::Text(tags) => tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| &**value),
        };
        value.filter(|value| !value.is_empty())
    }

    /// All of them, name and value, empty ones left out.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let (inventory, text) = match self {
            Self::Inventory(tags) => (*tags, &[][..]),
            Self::Text(tags) => (&[][..], tags.as_slice()),
        };
        let inventory = inventory.iter().map(|(name, value)| (&**name, value.as_str()));
        let text = text.iter().map(|(name, value)| (&**name, &**value));
        inventory.chain(text).filter(|(_, value)| !value.is_empty())
    }
}

/// What reports need of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// When the conversation ended.
    pub time: SystemTime,
    /// The address.
    pub ip: Option<IpAddr>,
    /// The TCP port.
    pub port: u16,
    /// The entry that it came from.
    pub asked: Cow<'a, str>,
    /// How the conversation went.
    pub outcome: Outcome,
    /// The one word.
    pub verdict: Option<Verdict>,
    /// The highest severity of the findings.
    pub severity: Option<Severity>,
    /// What is wrong.
    pub findings: Codes,
    /// The name in the greeting.
    pub banner_name: Option<Cow<'a, str>>,
    /// How the PTR question ended; `None` where DNS was not asked.
    pub ptr_status: Option<Status>,
    /// The PTR names.
    pub ptr_names: PtrNames<'a>,
    /// Forward-confirmed reverse DNS.
    pub fcrdns: Option<Fcrdns>,
    /// The platform's name.
    pub platform: Option<Cow<'a, str>>,
    /// Whose address it is.
    pub tenancy: Tenancy,
    /// The number of the autonomous system.
    pub asn: Option<u32>,
    /// The name of its holder.
    pub as_name: Option<Cow<'a, str>>,
    /// Those of the findings that the user accepts.
    pub accepted: Codes,
    /// The single changes after which nothing of weight would be found.
    pub clears_by: Option<Remedies>,
    /// The changes that are proposed, in the order in which they are to be made.
    pub fix: Vec<Change>,
    /// The name that the user expects.
    pub expected_name: Option<Cow<'a, str>>,
    /// What the user said of the host.
    pub tags: Tags<'a>,
    /// Of a name, in a row without an address: what of it could not be resolved.
    pub unresolved: Option<Unresolved>,
    /// What of the fields above this version does not know.
    pub odd: Oddities,
}

impl<'a> Row<'a> {
    /// What a finding weighs on this host.
    pub fn weight(&self, code: Code) -> Severity {
        let Self { tenancy, outcome, verdict, .. } = *self;
        code.severity_on(Circumstances { tenancy, outcome, verdict })
    }

    /// The view of a record; copies no text.
    pub fn of(record: &'a Record) -> Self {
        let judged = &record.judgement;
        let dns = record.evidence.resolution.as_ref();
        let network = record.network.as_ref();
        Self {
            time: record.time,
            ip: record.target.ip,
            port: record.target.port,
            asked: Cow::Borrowed(&record.target.asked),
            outcome: record.evidence.observation.outcome,
            verdict: judged.verdict,
            severity: judged.severity,
            findings: judged.findings.iter().map(|&Finding { code, .. }| code).collect(),
            banner_name: judged.banner_name.as_deref().map(Cow::Borrowed),
            ptr_status: dns.map(|dns| dns.ptr),
            ptr_names: PtrNames::Wire(dns.map_or(&[], |dns| &dns.names)),
            fcrdns: judged.fcrdns.filter(|_| dns.is_some()),
            platform: judged.platform.as_ref().map(|platform| Cow::Borrowed(platform.name)),
            tenancy: judged.tenancy,
            asn: network.map(|network| network.asn),
            as_name: network.and_then(|network| network.name.as_deref()).map(Cow::Borrowed),
            accepted: judged.accepted.iter().map(|accepted| accepted.code).collect(),
            clears_by: judged.clears_by,
            fix: judged.fix.clone(),
            expected_name: record
                .target
                .inventory
                .as_deref()
                .and_then(|said| said.expected_name.as_deref())
                .map(Cow::Borrowed),
            tags: Tags::Inventory(record.target.inventory.as_deref().map_or(&[], |said| &said.tags)),
            unresolved: record.target.unresolved,
            odd: Oddities::default(),
        }
    }

    /// The view of a JSONL line; borrows from it where it can.
    pub fn from_json(line: &'a str) -> Result<Self, ReadError> {
        RowLine::parse(line)?.into_row()
    }

    /// The entry that it came from, if that is a name or `mx:` and a domain. An address, a prefix, a range or
    /// the number of a system stands for addresses, not for a host by its name.
    pub fn asked_name(&self) -> Option<&str> {
        let asked = &*self.asked;
        let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
        let is_system =
            |number: &str| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        let is_name = !asked.is_empty()
            && !asked.contains('/')
            && !is_address(asked)
            && !asked.strip_prefix("AS").is_some_and(is_system)
            && !asked.split_once('-').is_some_and(|(first, last)| is_address(first) && is_address(last));
        is_name.then_some(asked)
    }

    /// The /24 or /48 of the target.
    pub fn prefix(&self) -> Option<Prefix> {
        self.ip.map(Prefix::group)
    }
}

/// The remedies in a cell: one word stands for none, so that an empty cell can be a null.
fn remedies(text: &str, odd: &mut Oddities) -> Option<Remedies> {
    if text == NO_REMEDY {
        return Some(Remedies::default());
    }
    let words = text.split(JOIN).filter_map(|word| odd.word("clears_by", word, Remedy::parse(word)));
    let known: Vec<Remedy> = words.collect();
    (!known.is_empty()).then(|| known.into_iter().collect())
}

fn unresolved(family: Option<&str>, status: Option<&str>, odd: &mut Oddities) -> Option<Unresolved> {
    let status = status?;
    let family = family.and_then(|word| odd.word(field::UNRESOLVED_FAMILY, word, AddressFamily::parse(word)));
    let status = odd.word(field::UNRESOLVED_STATUS, status, Status::parse(status)).unwrap_or(Status::Other);
    Some(Unresolved { family, status })
}

/// Numbers that a row has no use for are looked at all the same: every command says which are absurd.
fn look_at_numbers<'c>(cell: impl Fn(&'static str) -> Option<&'c str>, odd: &mut Oddities) {
    if let Some(text) = cell("code") {
        odd.number("code", &text, text.parse().ok().and_then(reply::Code::new));
    }
    for name in ["connect_ms", "banner_ms"] {
        if let Some(text) = cell(name) {
            let duration = |ms: f64| Duration::try_from_secs_f64(ms / 1000.0).ok();
            // Spreadsheets of many countries write a comma for the point.
            odd.number(name, &text, text.replace(',', ".").parse().ok().and_then(duration));
        }
    }
}

/// A name without the byte order mark that a file of UTF-8 may open with.
fn without_mark(name: &str) -> &str {
    name.strip_prefix('\u{feff}').unwrap_or(name)
}

/// Where the columns of a CSV file stand.
#[derive(Debug, Clone)]
pub struct Header {
    positions: [Option<usize>; COLUMNS.len()],
    tags: Vec<(Box<str>, usize)>,
}

impl Header {
    /// Reads the header row; the order is free and further columns are passed over. Fails without `ip` or
    /// `outcome`.
    pub fn read<'h>(names: impl Iterator<Item = &'h str>) -> Result<Self, ReadError> {
        let mut positions = [None; COLUMNS.len()];
        let mut tags: Vec<(Box<str>, usize)> = Vec::new();
        for (position, name) in names.map(without_mark).enumerate() {
            if let Some(tag) = name.strip_prefix(TAG) {
                if tags.iter().all(|(known, _)| **known != *tag) {
                    tags.push((tag.into(), position));
                }
            } else if let Some(index) = COLUMNS.iter().position(|column| column.name == name) {
                positions[index].get_or_insert(position);
            }
        }
        let header = Self { positions, tags };
        for needed in ["ip", "outcome"] {
            header.position(needed).ok_or(ReadError::Column { column: needed })?;
        }
        Ok(header)
    }

    /// Whether a row is a header once more, perhaps of other columns: it has the names that each must have,
    /// and no outcome.
    pub fn is_again<'c>(&self, cells: &(impl Iterator<Item = &'c str> + Clone)) -> bool {
        let mut outcome = self.position("outcome").and_then(|at| cells.clone().nth(at));
        let has = |name| cells.clone().map(without_mark).any(|cell| cell == name);
        outcome.take_if(|word| Outcome::parse(word).is_none()).is_some() && has("ip") && has("outcome")
    }

    /// Reads one row, given how to get the cell at a position. Missing columns are read as empty cells.
    pub fn row<'c>(&'c self, get: impl Fn(usize) -> Option<&'c str>) -> Result<Row<'c>, ReadError> {
        let cell = |name| self.position(name).and_then(&get).and_then(cell::read);
        let list = |name| cell(name).into_iter().flat_map(|text| text.split(JOIN));
        let text = |name| cell(name).map(Cow::Borrowed);
        let outcome = cell("outcome").ok_or(ReadError::Missing { field: "outcome" })?;
        let mut odd = Oddities::default();
        look_at_numbers(cell, &mut odd);
        let mut codes = |name| -> Codes {
            let words: Vec<&str> = list(name).collect();
            words.into_iter().filter_map(|word| odd.word(name, word, Code::parse(word))).collect()
        };
        let (findings, accepted) = (codes("findings"), codes("accepted"));
        let changes: Vec<&str> = list("fix").collect();
        let fix = changes.into_iter().filter_map(|word| odd.word("fix", word, Change::parse(word))).collect();
        Ok(Row {
            time: match cell("time") {
                Some(text) => known("time", text, time::parse(text))?,
                None => SystemTime::UNIX_EPOCH,
            },
            ip: cell("ip").map(|text| known("ip", text, text.parse().ok())).transpose()?,
            port: cell("port").map_or(25, |text| odd.number("port", &text, text.parse().ok()).unwrap_or(0)),
            asked: text("asked").unwrap_or_default(),
            outcome: odd.word(field::OUTCOME, outcome, Outcome::parse(outcome)).unwrap_or(Outcome::Other),
            verdict: cell("verdict").and_then(|word| odd.word("verdict", word, Verdict::parse(word))),
            severity: cell("severity").and_then(|word| odd.word("severity", word, Severity::parse(word))),
            findings,
            banner_name: text("banner_name"),
            ptr_status: cell("ptr_status")
                .map(|word| odd.word(field::PTR_STATUS, word, Status::parse(word)).unwrap_or(Status::Other)),
            ptr_names: PtrNames::Text(list("ptr_names").map(Cow::Borrowed).collect()),
            fcrdns: cell("fcrdns").and_then(|word| odd.word("fcrdns", word, Fcrdns::parse(word))),
            platform: text("platform"),
            tenancy: cell("tenancy")
                .and_then(|word| odd.word("tenancy", word, Tenancy::parse(word)))
                .unwrap_or(Tenancy::Unknown),
            asn: cell("asn").and_then(|text| odd.number("asn", &text, text.parse().ok())),
            as_name: text("as_name"),
            accepted,
            clears_by: cell("clears_by").and_then(|text| remedies(text, &mut odd)),
            fix,
            expected_name: text("expected_name"),
            tags: Tags::Text(self.tags_of(&get)),
            unresolved: unresolved(cell("unresolved_family"), cell("unresolved_status"), &mut odd),
            odd,
        })
    }

    fn tags_of<'c>(&'c self, get: &impl Fn(usize) -> Option<&'c str>) -> Vec<(Cow<'c, str>, Cow<'c, str>)> {
        let cells = self.tags.iter().filter_map(|(tag, position)| Some((&**tag, get(*position)?)));
        cells.filter_map(|(tag, cell)| Some((tag.into(), cell::read(cell)?.into()))).collect()
    }

    fn position(&self, name: &str) -> Option<usize> {
        COLUMNS.iter().position(|column| column.name == name).and_then(|index| self.positions[index])
    }
}
