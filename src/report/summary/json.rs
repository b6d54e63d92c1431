//! The summary as one JSON object: counts by word, and the groups of each kind, the worst first.
//!
//! Words that no record has are left out, records without a verdict or severity are in none of their counts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::groups::OTHER;
use super::what_if::{WORDS, WhatIf};
use super::{Counts, Coverage, FIXERS, Grouping, Key, Kind, Listed, STANDINGS, Summary, Tally};
use crate::evidence::Outcome;
use crate::judge::{Code, Severity, Verdict};

/// How many groups of a kind are listed unless told otherwise; the others are summed up in a last one whose
/// key is null.
pub const LISTED: usize = 1000;

/// Writes the summary, line feed included.
pub fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Whole(summary))?;
    out.write_all(b"\n")
}

struct Whole<'a>(&'a Summary);

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(summary) = self;
        let mut map = serializer.serialize_map(Some(11))?;
        map.serialize_entry("records", &summary.all.records)?;
        let coverage = summary.coverage();
        map.serialize_entry("coverage", &coverage.is_known().then_some(Reached(&coverage)))?;
        map.serialize_entry("undetermined", &Undetermined(&coverage))?;
        map.serialize_entry("by_outcome", &Words(&summary.outcomes, Outcome::ALL.map(Outcome::as_str)))?;
        map.serialize_entry("by_verdict", &verdicts(&summary.all))?;
        map.serialize_entry("by_severity", &severities(&summary.all))?;
        map.serialize_entry("by_finding", &Words(&summary.findings, Code::ALL.map(Code::as_str)))?;
        map.serialize_entry("groups", &Kinds(summary))?;
        map.serialize_entry("sources", &summary.sources)?;
        map.serialize_entry("by_accepted", &Words(&summary.accepted, Code::ALL.map(Code::as_str)))?;
        map.serialize_entry("what_if", &Cleared(&summary.what_if))?;
        map.serialize_entry("cloned_images", &Cloned(summary))?;
        map.serialize_entry("hosts", &summary.hosts.count())?;
        map.serialize_entry("hosts_exact", &summary.hosts.is_exact())?;
        map.serialize_entry("complete", &summary.is_complete())?;
        map.serialize_entry("incomplete", &Incomplete(summary))?;
        map.serialize_entry("warnings", &Warnings(summary))?;
        let all = &summary.all;
        let standings = [all.in_trouble(), all.fine(), all.not_known()];
        let standings = STANDINGS.into_iter().zip(standings);
        map.serialize_entry("by_standing", &standings.collect::<BTreeMap<_, _>>())?;
        map.serialize_entry("by_fixer", &Words(&summary.fixers, FIXERS))?;
        map.end()
    }
}

struct Reached<'a>(&'a Coverage);

impl Serialize for Reached<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(coverage) = self;
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry("asked", &coverage.asked)?;
        map.serialize_entry("answered", &coverage.answered)?;
        map.serialize_entry("judged", &coverage.judged)?;
        map.serialize_entry("undetermined", &coverage.undetermined)?;
        map.serialize_entry("why", &coverage.why.iter().copied().collect::<BTreeMap<_, _>>())?;
        map.serialize_entry("counted_by", coverage.basis.as_str())?;
        map.serialize_entry("stopped_scans", &coverage.stopped)?;
        map.end()
    }
}

/// Known of records alone, too.
struct Undetermined<'a>(&'a Coverage);

impl Serialize for Undetermined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("targets", &self.0.undetermined)?;
        map.serialize_entry("why", &self.0.why.iter().copied().collect::<BTreeMap<_, _>>())?;
        map.end()
    }
}

/// What one change would clear; every word, so that a reader can do sums.
struct Cleared<'a>(&'a WhatIf);

impl Serialize for Cleared<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + WORDS.len()))?;
        map.serialize_entry("in_trouble", &self.0.in_trouble)?;
        for (at, word) in WORDS.iter().enumerate() {
            map.serialize_entry(word, &self.0.counts.at(at))?;
        }
        map.end()
    }
}

struct Cloned<'a>(&'a Summary);

impl Serialize for Cloned<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let listed = self.0.clones.listed().into_iter().take(self.0.shown(LISTED));
        let clone = |(name, records)| serde_json::json!({ "banner_name": name, "records": records });
        serializer.collect_seq(listed.map(clone))
    }
}

/// The files that are half files.
struct Incomplete<'a>(&'a Summary);

impl Serialize for Incomplete<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = |(file, why): &(String, &str)| serde_json::json!({ "file": file, "why": why });
        serializer.collect_seq(self.0.incomplete.iter().map(file))
    }
}

/// What the manifests warn of.
struct Warnings<'a>(&'a Summary);

impl Serialize for Warnings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let one =
            |(file, warning): &(String, String)| serde_json::json!({ "file": file, "warning": warning });
        serializer.collect_seq(self.0.warnings.iter().map(one))
    }
}

struct Kinds<'a>(&'a Summary);

impl Serialize for Kinds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(summary) = self;
        let groupings = summary.groupings();
        serializer.collect_map(groupings.iter().map(|it| (it.kind.to_string(), List(summary, *it))))
    }
}

/// A set of counts under its words.
pub(in crate::report) struct Words<'a, const N: usize>(
    pub(in crate::report) &'a Counts<N>,
    pub(in crate::report) [&'static str; N],
);

impl<const N: usize> Serialize for Words<'_, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counted = self.1.iter().enumerate().map(|(index, &word)| (word, self.0.at(index)));
        let counted = counted.chain([(OTHER, self.0.other())]);
        serializer.collect_map(counted.filter(|&(_, count)| count > 0))
    }
}

struct List<'a>(&'a Summary, Grouping<'a>);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(summary, grouping) = self;
        let Listed { groups, others, more } = grouping.groups.worst_listed(summary.shown(LISTED));
        let mut list = serializer.serialize_seq(None)?;
        for (key, tally) in &groups {
            let name = match (grouping.kind, key) {
                (Kind::Asn, Key::Number(asn)) => summary.as_name(*asn),
                _ => None,
            };
            list.serialize_element(&Group { key: Some(key), name, tally, groups: None })?;
        }
        if others.records > 0 {
            // How many groups it stands for, those aside that were summed up to stay within memory.
            list.serialize_element(&Group { key: None, name: None, tally: &others, groups: Some(more) })?;
        }
        list.end()
    }
}

struct Group<'a> {
    key: Option<&'a Key>,
    name: Option<&'a str>,
    tally: &'a Tally,
    groups: Option<usize>,
}

impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.key {
            None => map.serialize_entry("key", &())?,
            Some(Key::Number(number)) => map.serialize_entry("key", number)?,
            Some(Key::Text(text)) => map.serialize_entry("key", text)?,
        }
        if let Some(name) = self.name {
            map.serialize_entry("name", name)?;
        }
        if let Some(groups) = self.groups {
            map.serialize_entry("groups", &groups)?;
        }
        map.serialize_entry("records", &self.tally.records)?;
        map.serialize_entry("by_verdict", &verdicts(self.tally))?;
        map.serialize_entry("by_severity", &severities(self.tally))?;
        map.end()
    }
}

fn verdicts(tally: &Tally) -> impl Serialize + '_ {
    Words(&tally.verdicts, Verdict::ALL.map(Verdict::as_str))
}

fn severities(tally: &Tally) -> impl Serialize + '_ {
    Words(&tally.severities, Severity::ALL.map(Severity::as_str))
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::super::{Ended, Mark};
    use super::*;
    use crate::record::row::Row;
    use serde_json::Value;

    fn shown(summary: &Summary) -> String {
        let mut out = Vec::new();
        write(summary, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_object_is_the_documented_one() {
        let mut summary = Summary::new();
        summary.add(&row([192, 0, 2, 1], Verdict::Match, Severity::None));
        summary.add(&row([192, 0, 2, 2], Verdict::NoPtr, Severity::High));
        summary.add(&Row {
            outcome: Outcome::Silent,
            verdict: None,
            severity: None,
            banner_name: None,
            platform: None,
            asn: None,
            ..row([198, 51, 100, 1], Verdict::Match, Severity::None)
        });
        let group = |key: &str| {
            format!(
                r#"[{{"key":{key},"records":2,"by_verdict":{{"no_ptr":1,"match":1}},"by_severity":{{"none":1,"high":1}}}}]"#
            )
        };
        let expected = [
            r#"{"records":3,"coverage":null,"undetermined":{"targets":0,"why":{}},"#,
            r#""by_outcome":{"greeted":2,"silent":1},"#,
            r#""by_verdict":{"no_ptr":1,"match":1},"by_severity":{"none":1,"high":1},"by_finding":{"ptr_missing":1},"#,
            r#""groups":{"prefix":["#,
            r#"{"key":"192.0.2.0/24","records":2,"by_verdict":{"no_ptr":1,"match":1},"by_severity":{"none":1,"high":1}},"#,
            r#"{"key":"198.51.100.0/24","records":1,"by_verdict":{},"by_severity":{}}],"asn":"#,
            &group(r#"64500,"name":"EXAMPLE""#),
            r#","domain":"#,
            &group(r#""example.org""#),
            r#","ptr_domain":[],"platform":"#,
            &group(r#""postfix""#),
            r#","banner_name":"#,
            &group(r#""mail.example.org""#),
            r#"},"sources":[],"by_accepted":{},"what_if":{"in_trouble":1,"ptr_alone":0,"banner_alone":0,"#,
            r#""forward_alone":0,"no_single_change":0,"accepted":0,"unknown":1},"cloned_images":[],"hosts":3,"hosts_exact":true,"complete":true,"incomplete":[],"warnings":[],"#,
            r#""by_standing":{"fine":1,"in_trouble":1,"not_known":0},"by_fixer":{"provider":1}}"#,
            "\n",
        ];
        assert_eq!(shown(&summary), expected.concat());
    }

    #[test]
    fn nothing_scanned_has_every_field() {
        let empty = [
            r#"{"records":0,"coverage":null,"undetermined":{"targets":0,"why":{}},"#,
            r#""by_outcome":{},"by_verdict":{},"by_severity":{},"#,
            r#""by_finding":{},"groups":{"prefix":[],"asn":[],"domain":[],"ptr_domain":[],"platform":[],"#,
            r#""banner_name":[]},"sources":[],"by_accepted":{},"what_if":{"in_trouble":0,"ptr_alone":0,"#,
            r#""banner_alone":0,"forward_alone":0,"no_single_change":0,"accepted":0,"unknown":0},"cloned_images":[],"#,
            r#""hosts":0,"hosts_exact":true,"complete":true,"incomplete":[],"warnings":[],"#,
            r#""by_standing":{"fine":0,"in_trouble":0,"not_known":0},"by_fixer":{}}"#,
            "\n",
        ];
        assert_eq!(shown(&Summary::new()), empty.concat());
    }

    #[test]
    fn coverage_is_told_where_the_scans_know_it_and_null_where_they_do_not() {
        let mut summary = Summary::new();
        let counts = BTreeMap::from([("timed_out".to_owned(), 5)]);
        let ended = Ended { by_outcome: &counts, by_verdict: &BTreeMap::new(), complete: true };
        summary.add_unkept(ended, &Mark::default());
        let value: Value = serde_json::from_str(&shown(&summary)).unwrap();
        assert_eq!(
            (&value["coverage"]["asked"], &value["coverage"]["counted_by"]),
            (&5.into(), &"scans".into())
        );
        summary.add_bare_file();
        let value: Value = serde_json::from_str(&shown(&summary)).unwrap();
        assert_eq!(value["coverage"], Value::Null, "of one file it is not known");
    }

    #[test]
    fn what_was_asked_for_stands_beside_the_usual_groups() {
        let kinds = ["severity", "prefix", "prefix:16"].map(|word| Kind::parse(word).unwrap());
        let mut summary = Summary::grouped(8, kinds.to_vec());
        summary.add(&row([192, 0, 2, 1], Verdict::NoPtr, Severity::High));
        let value: Value = serde_json::from_str(&shown(&summary)).unwrap();
        let kinds: Vec<&str> = value["groups"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(kinds.len(), 8, "{kinds:?}");
        assert_eq!(value["groups"]["severity"][0]["key"], "high");
        assert_eq!(value["groups"]["prefix:16"][0]["key"], "192.0.0.0/16");
    }

    #[test]
    fn groups_beyond_the_list_are_summed_up_under_null() {
        let mut summary = Summary::new();
        for number in 0..1003u16 {
            let [high, low] = number.to_be_bytes();
            summary.add(&row([198, 18 + high, low, 1], Verdict::Match, Severity::None));
        }
        let value: Value = serde_json::from_str(&shown(&summary)).unwrap();
        let groups = value["groups"]["prefix"].as_array().unwrap();
        assert_eq!(groups.len(), LISTED + 1);
        assert_eq!(groups[LISTED]["key"], Value::Null);
        assert_eq!((&groups[LISTED]["records"], &groups[LISTED]["groups"]), (&3.into(), &3.into()));
        for (top, listed) in [("all", 1003), ("5", 6)] {
            summary.top = Some(top.parse().unwrap());
            let value: Value = serde_json::from_str(&shown(&summary)).unwrap();
            assert_eq!(value["groups"]["prefix"].as_array().unwrap().len(), listed, "{top}");
        }
    }
}
