//! The summary for a person at a terminal: counts with bars, the worst networks, nothing wider than the
//! window.

use std::io::{self, Write};

use super::{Breakdown, Coverage, Summary, Tally};
use crate::judge::Severity;
use crate::record::neutral::Safe;
use crate::report::table::{cell, clip, columns, grouped, padded};

/// How many of the worst networks are shown.
pub const WORST: usize = 10;
/// How many groups of a kind that was asked for are shown.
const CHOSEN: usize = 20;
/// The width assumed where a window is smaller: below it no column has room.
pub const NARROWEST: usize = 60;
/// The longest word in the left column: `banner_resolves_elsewhere`.
const WORD: usize = 26;
const COUNT: usize = 13;
const SHARE: usize = 8;
/// A longer bar says no more.
const LONGEST_BAR: usize = 40;

/// Writes the summary in lines of at most `width` columns.
pub fn write(summary: &Summary, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let width = width.max(NARROWEST);
    let total = summary.all.records;
    let noun = if total == 1 { "record" } else { "records" };
    writeln!(out, "{} {noun}", grouped(total))?;
    for (file, why) in &summary.incomplete {
        let line = format!("not complete: {why}: {}", Safe(file));
        writeln!(out, "{}", clip(&line, width))?;
    }
    for (file, warning) in &summary.warnings {
        writeln!(out, "{}", clip(&format!("warning: {}: {}", Safe(file), Safe(warning)), width))?;
    }
    for breakdown in summary.breakdowns() {
        section(out, width, &breakdown)?;
    }
    clones(summary, width, out)?;
    coverage(&summary.coverage(), width, out)?;
    let chosen = summary.chosen();
    if chosen.is_empty() {
        worst(summary, width, out)?;
    }
    for grouping in chosen {
        let title = Safe(format!("by {}", grouping.kind)).to_string();
        let listed = grouping.groups.worst_listed(summary.shown(CHOSEN));
        let rows: Vec<_> =
            listed.groups.iter().map(|(key, tally)| (summary.label(grouping.kind, key), tally)).collect();
        table(out, width, (&title, "group"), &rows, listed.more)?;
    }
    for source in &summary.sources {
        writeln!(out, "\n{}", clip(&Safe(source).to_string(), width))?;
    }
    Ok(())
}

/// How far the numbers reach, where that says more than the records: a line, and one for each cause of not
/// knowing.
fn coverage(coverage: &Coverage, width: usize, out: &mut dyn Write) -> io::Result<()> {
    if coverage.asked == 0 {
        return Ok(());
    }
    writeln!(out, "\ncoverage")?;
    if !coverage.is_known() {
        writeln!(out, "{}", clip(&format!("  {}", coverage.why_unknown()), width))?;
        return undetermined(coverage, width, out);
    }
    let stopped = match coverage.stopped {
        0 => "",
        _ => "; not all scans came to their end",
    };
    let line = format!(
        "  {} asked, {} answered, {} judged{stopped}",
        grouped(coverage.asked),
        grouped(coverage.answered),
        grouped(coverage.judged)
    );
    writeln!(out, "{}", clip(&line, width))?;
    undetermined(coverage, width, out)
}

fn undetermined(coverage: &Coverage, width: usize, out: &mut dyn Write) -> io::Result<()> {
    if coverage.undetermined > 0 {
        let why: Vec<String> =
            coverage.why.iter().map(|(word, count)| format!("{word} {}", grouped(*count))).collect();
        let line = format!("  {} undetermined: {}", grouped(coverage.undetermined), why.join(", "));
        writeln!(out, "{}", clip(&line, width))?;
    }
    Ok(())
}

fn section(out: &mut dyn Write, width: usize, breakdown: &Breakdown) -> io::Result<()> {
    let met = breakdown.met();
    if met.is_empty() {
        return Ok(());
    }
    let title = match breakdown.kind {
        "accepted" => "accepted findings",
        "what_if" => "what one change would clear, of the hosts in trouble",
        "standing" => "how they stand",
        "fixer" => "who has to fix what is wrong",
        kind => kind,
    };
    writeln!(out, "\n{title}")?;
    let room = (width - WORD - COUNT - SHARE - 3).min(LONGEST_BAR);
    for (word, count) in met {
        let share = count as f64 / breakdown.of.max(1) as f64;
        let line = format!(
            "  {word:<WORD$}{:>COUNT$}{:>SHARE$} {}",
            grouped(count),
            percent(share),
            bar(share, room)
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// What no record can say, being written before the others are seen.
fn clones(summary: &Summary, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let listed = summary.clones.listed();
    if listed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\ncloned images: one default or foreign name, many addresses")?;
    for (name, records) in listed.iter().take(summary.shown(WORST)) {
        let name = clip(&Safe(name).to_string(), NARROWEST - COUNT - 4);
        let line = format!("  {}{:>COUNT$}", padded(&name, NARROWEST - COUNT - 2), grouped(*records));
        writeln!(out, "{}", clip(&line, width))?;
    }
    let more = listed.len().saturating_sub(summary.shown(WORST));
    if more > 0 {
        writeln!(out, "  and {} more", grouped(more as u64))?;
    }
    Ok(())
}

fn worst(summary: &Summary, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let worst = summary.prefixes.worst();
    if worst.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> =
        worst.iter().take(summary.shown(WORST)).map(|(prefix, tally)| (prefix.to_string(), tally)).collect();
    table(out, width, ("worst networks", "network"), &shown, worst.len() - shown.len())
}

/// A table of groups, `more` of which are not shown. Long keys are cut so that the numbers have room.
fn table(
    out: &mut dyn Write,
    width: usize,
    (title, head): (&str, &str),
    rows: &[(String, &Tally)],
    more: usize,
) -> io::Result<()> {
    const HEADS: [&str; 4] = ["records", "high", "medium", "low"];
    /// The room of a number, if none needs more.
    const USUAL: usize = 10;
    const MARGIN: usize = 2;
    if rows.is_empty() {
        return Ok(());
    }
    let numbers: Vec<[String; 4]> = rows.iter().map(|(_, tally)| numbers(tally)).collect();
    let rooms: [usize; 4] = std::array::from_fn(|column| {
        let longest = numbers.iter().map(|numbers| numbers[column].len()).max().unwrap_or(0);
        USUAL.max(longest + MARGIN)
    });
    let aligned = |cells: [&str; 4]| {
        let mut line = String::new();
        for (cell, room) in cells.iter().zip(rooms) {
            line.extend([&" ".repeat(room.saturating_sub(cell.len())), *cell]);
        }
        line
    };
    let most = width.saturating_sub(MARGIN + rooms.iter().sum::<usize>()).max(head.len());
    let keys: Vec<String> = rows.iter().map(|(key, _)| cell(key, most)).collect();
    let room = keys.iter().map(|key| columns(key)).max().unwrap_or(0).max(head.len());
    writeln!(out, "\n{}", clip(title, width))?;
    let line = format!("  {}{}", padded(head, room), aligned(HEADS));
    writeln!(out, "{}", clip(&line, width))?;
    for (key, numbers) in keys.iter().zip(&numbers) {
        let cells = std::array::from_fn(|column| numbers[column].as_str());
        let line = format!("  {}{}", padded(key, room), aligned(cells));
        writeln!(out, "{}", clip(&line, width))?;
    }
    if more > 0 {
        writeln!(out, "  and {} more", grouped(more as u64))?;
    }
    Ok(())
}

/// The numbers of a group: its records, then those of high, medium and low severity.
fn numbers(tally: &Tally) -> [String; 4] {
    let of = |severity| grouped(tally.severity(severity));
    [grouped(tally.records), of(Severity::High), of(Severity::Medium), of(Severity::Low)]
}

/// A share with one decimal; what is not nothing never reads as nothing, what is not all never as all.
pub(crate) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.001 {
        return "<0.1 %".to_owned();
    }
    if share < 1.0 && share > 0.999 {
        return ">99.9 %".to_owned();
    }
    format!("{:.1} %", share * 100.0)
}

/// A bar in eighths of a column.
fn bar(share: f64, room: usize) -> String {
    const PARTS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is 0 to 1")]
    let eighths = ((share.clamp(0.0, 1.0) * (room * 8) as f64).round() as usize).max(1);
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(PARTS[eighths % 8]);
    }
    bar
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::tests::row;
    use super::super::{Ended, Kind, Mark};
    use super::*;
    use crate::judge::Verdict;

    fn shown(summary: &Summary, width: usize) -> String {
        let mut out = Vec::new();
        write(summary, width, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn block() -> Summary {
        let mut summary = Summary::new();
        for last in 0..=254 {
            summary.add(&row([192, 0, 2, last], Verdict::Match, Severity::None));
        }
        summary.add(&row([198, 51, 100, 1], Verdict::NoPtr, Severity::High));
        let nothing = BTreeMap::new();
        let ended = Ended { by_outcome: &nothing, by_verdict: &nothing, complete: true };
        summary.add_unkept(ended, &Mark::default());
        summary
    }

    #[test]
    fn the_summary_counts_and_names_the_worst() {
        assert_eq!(
            shown(&block(), 70),
            "\
256 records

outcome
  greeted                             256 100.0 % ████████████████████

verdict
  match                               255  99.6 % ███████████████████▉
  no_ptr                                1   0.4 % ▏

severity
  none                                255  99.6 % ███████████████████▉
  high                                  1   0.4 % ▏

finding
  ptr_missing                           1   0.4 % ▏

what one change would clear, of the hosts in trouble
  unknown                               1 100.0 % ████████████████████

how they stand
  fine                                255  99.6 % ███████████████████▉
  in_trouble                            1   0.4 % ▏

who has to fix what is wrong
  provider                              1 100.0 % ████████████████████

coverage
  256 asked, 256 answered, 256 judged

worst networks
  network           records      high    medium       low
  198.51.100.0/24         1         1         0         0
"
        );
    }

    #[test]
    fn nothing_scanned_is_one_line() {
        assert_eq!(shown(&Summary::new(), 80), "0 records\n");
    }

    #[test]
    fn no_line_is_wider_than_the_window() {
        let mut summary = block();
        let mut one = row([0; 4], Verdict::Unconfirmed, Severity::Medium);
        for third in 0..30 {
            one.ip = Some(std::net::IpAddr::from([0x2001, 0xdb8, 0xaaaa + third, 0, 0, 0, 0, 1]));
            summary.add(&one);
        }
        for width in 0..200 {
            let text = shown(&summary, width);
            for line in text.lines() {
                assert_eq!(clip(line, width.max(NARROWEST)), line, "at {width}");
            }
            assert!(text.contains("  and 21 more\n"));
        }
    }

    #[test]
    fn groups_that_were_asked_for_take_the_place_of_networks() {
        let mut summary = Summary::grouped(16, vec![Kind::Asn, Kind::Severity]);
        summary.add(&row([192, 0, 2, 1], Verdict::NoPtr, Severity::High));
        summary.add(&row([192, 0, 2, 2], Verdict::Undetermined, Severity::None));
        summary.sources.push("networks by some data of 2026-01-02".to_owned());
        let text = shown(&summary, 80);
        let (_, tail) = text.split_once("coverage\n").unwrap();
        assert_eq!(
            tail,
            "  not known: no manifest stands beside the records
  1 undetermined: forward_lookup 1

by asn
  group             records      high    medium       low
  AS64500 EXAMPLE         2         1         0         0

by severity
  group   records      high    medium       low
  high          1         1         0         0
  none          1         0         0         0

networks by some data of 2026-01-02
"
        );
    }

    #[test]
    fn numbers_stand_under_their_heads_whatever_the_names_and_however_many_digits() {
        let one = row([192, 0, 2, 1], Verdict::NoPtr, Severity::High);
        let mut tally = Tally::default();
        tally.add(&one);
        let labels = [
            "AS4294967295 Telefônica Brasil S.A – Ñandú",
            "AS4200000001 日本電信電話",
            "AS7 Telefo\u{302}nica",
            "AS64500 EXAMPLE \u{1b}[31m",
            "AS1",
        ];
        // The records are twice as many each time: more digits than a column has room for as a rule.
        for power in 0..40 {
            let rows: Vec<_> = labels.iter().map(|&label| (label.to_owned(), &tally)).collect();
            for width in [60, 80, 132] {
                let mut out = Vec::new();
                table(&mut out, width, ("by asn", "group"), &rows, 0).unwrap();
                let text = String::from_utf8(out).unwrap();
                let lines: Vec<&str> = text.lines().skip(2).collect();
                assert_eq!(lines.len(), 1 + labels.len(), "{text}");
                assert!(lines.iter().all(|line| columns(line) == columns(lines[0])), "{text}");
                let count = format!(" {} ", grouped(1 << power));
                assert!(lines[1..].iter().all(|line| line.contains(&count)), "{text}");
            }
            let copy = tally.clone();
            tally.merge(&copy);
        }
    }

    #[test]
    fn a_small_share_is_not_nothing_and_a_large_one_not_all() {
        for (share, text) in
            [(0.0, "0.0 %"), (0.000_01, "<0.1 %"), (0.5, "50.0 %"), (0.9999, ">99.9 %"), (1.0, "100.0 %")]
        {
            assert_eq!(percent(share), text);
        }
    }
}
