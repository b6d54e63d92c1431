//! The summary as metrics in Prometheus' text format (version 0.0.4): gauges, because a later report may
//! count less.
//!
//! Words of a closed set are always there, zero or not, so that a series does not come and go. Of the open
//! sets only networks, systems, platforms and what was asked for are told, and of these the worst: names and
//! domains would be series without end.

use std::io::{self, Write};

use super::{Breakdown, Kind, Summary, Tally};
use crate::judge::Verdict;

/// How many groups of a kind become series, each once for every verdict.
const LISTED: usize = 100;
/// Kinds whose groups are told without being asked for.
const FEW: [Kind; 3] = [Kind::NETWORK, Kind::Asn, Kind::Platform];

/// Writes the metrics.
pub fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    head(out, "banneret_records", "Records read.")?;
    writeln!(out, "banneret_records {}", summary.all.records)?;
    for breakdown in summary.breakdowns() {
        words(out, &breakdown)?;
    }
    let clones = summary.clones.listed();
    head(
        out,
        "banneret_cloned_image_names",
        "Default or foreign names that three addresses or more greet with.",
    )?;
    writeln!(out, "banneret_cloned_image_names {}", clones.len())?;
    head(out, "banneret_cloned_image_records", "Records with one of these names.")?;
    let records: u64 = clones.iter().map(|(_, records)| records).sum();
    writeln!(out, "banneret_cloned_image_records {records}")?;
    coverage(summary, out)?;
    for usual in summary.usual().into_iter().filter(|usual| FEW.contains(usual.kind)) {
        let label = usual.kind.to_string();
        let metric = format!("banneret_{label}_verdict_records");
        head(out, &metric, &format!("Records by {label} and verdict, the worst groups."))?;
        for (key, tally) in usual.groups.worst_listed(summary.shown(LISTED)).groups {
            series(out, &metric, &format!("{label}=\"{}\"", escape(&key.to_string())), &tally)?;
        }
    }
    let chosen: Vec<_> = summary.chosen();
    if !chosen.is_empty() {
        let metric = "banneret_group_verdict_records";
        head(out, metric, "Records by what was asked for and verdict, the worst groups.")?;
        for grouping in chosen {
            let kind = escape(&grouping.kind.to_string());
            for (key, tally) in grouping.groups.worst_listed(summary.shown(LISTED)).groups {
                let labels = format!("group_by=\"{kind}\",key=\"{}\"", escape(&key.to_string()));
                series(out, metric, &labels, &tally)?;
            }
        }
    }
    Ok(())
}

/// How far the numbers reach, where the scans tell it.
fn coverage(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let metric = "banneret_complete";
    head(out, metric, "Whether all files were read to their end and all scans came to theirs.")?;
    writeln!(out, "{metric} {}", u8::from(summary.is_complete()))?;
    let coverage = summary.coverage();
    let metric = "banneret_coverage_known";
    head(out, metric, "Whether manifests of scans tell how many targets were asked.")?;
    writeln!(out, "{metric} {}", u8::from(coverage.is_known()))?;
    if !coverage.is_known() {
        return Ok(());
    }
    let metric = "banneret_coverage_records";
    head(out, metric, "How many targets were asked, answered, were judged, stayed undetermined.")?;
    for (reach, count) in [
        ("asked", coverage.asked),
        ("answered", coverage.answered),
        ("judged", coverage.judged),
        ("undetermined", coverage.undetermined),
    ] {
        writeln!(out, "{metric}{{reach=\"{reach}\"}} {count}")?;
    }
    Ok(())
}

fn head(out: &mut dyn Write, metric: &str, help: &str) -> io::Result<()> {
    writeln!(out, "# HELP {metric} {help}\n# TYPE {metric} gauge")
}

fn words(out: &mut dyn Write, breakdown: &Breakdown) -> io::Result<()> {
    let label = breakdown.kind;
    let metric = format!("banneret_{label}_records");
    head(out, &metric, &format!("Records by {label}."))?;
    for (word, count) in &breakdown.counts {
        writeln!(out, "{metric}{{{label}=\"{word}\"}} {count}")?;
    }
    Ok(())
}

fn series(out: &mut dyn Write, metric: &str, labels: &str, tally: &Tally) -> io::Result<()> {
    for verdict in Verdict::ALL.into_iter().filter(|&verdict| tally.verdict(verdict) > 0) {
        let (word, count) = (verdict.as_str(), tally.verdict(verdict));
        writeln!(out, "{metric}{{{labels},verdict=\"{word}\"}} {count}")?;
    }
    Ok(())
}

/// A label's value: backslash, double quote and line feed are escaped.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::row;
    use super::*;
    use crate::judge::Severity;
    use crate::record::row::Row;

    #[test]
    fn metrics_are_told_with_their_labels() {
        let mut summary = Summary::new();
        let hostile = Row {
            platform: Some("a\"b\\c\nd".into()),
            ..row([192, 0, 2, 1], Verdict::NoPtr, Severity::High)
        };
        summary.add(&hostile);
        let mut out = Vec::new();
        write(&summary, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "# TYPE banneret_records gauge",
            "banneret_records 1",
            "banneret_outcome_records{outcome=\"greeted\"} 1",
            "banneret_outcome_records{outcome=\"refused\"} 0",
            "banneret_verdict_records{verdict=\"no_ptr\"} 1",
            "banneret_severity_records{severity=\"high\"} 1",
            "banneret_finding_records{finding=\"ptr_missing\"} 1",
            "banneret_prefix_verdict_records{prefix=\"192.0.2.0/24\",verdict=\"no_ptr\"} 1",
            "banneret_asn_verdict_records{asn=\"64500\",verdict=\"no_ptr\"} 1",
            r#"banneret_platform_verdict_records{platform="a\"b\\c\nd",verdict="no_ptr"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(series.starts_with("banneret_") && value.parse::<u64>().is_ok(), "{line}");
        }
    }
}
