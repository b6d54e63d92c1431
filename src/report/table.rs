//! Rows of a table for a person at a terminal: one line a record, neutralised, never wider than the window.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use crate::judge::Severity;
use crate::record::neutral::Safe;
use crate::record::row::Row;

/// Whether lines carry colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Text alone.
    Plain,
    /// ANSI colours (ECMA-48 SGR) by severity.
    Ansi,
}

/// The window below which columns have no room.
const NARROWEST: usize = 60;
const ADDRESS: usize = 21;
const SEVERITY: usize = 8;
const VERDICT: usize = 13;
/// The most that a name takes, so that the findings are in sight.
const NAME: usize = 36;

/// The line above the rows.
pub fn header(width: usize) -> String {
    let name = name_width(width);
    let line = format!(
        "{:<ADDRESS$} {:<SEVERITY$} {:<VERDICT$} {:<name$} {:<name$} findings",
        "address", "severity", "verdict", "banner name", "PTR name"
    );
    clip(&line, width.max(NARROWEST))
}

/// The line of one record, without a line feed.
pub fn row(row: &Row<'_>, width: usize, paint: Paint) -> String {
    let width = width.max(NARROWEST);
    let name = name_width(width);
    let address = match row.ip {
        Some(ip) if row.port == 25 => ip.to_string(),
        Some(ip) => std::net::SocketAddr::new(ip, row.port).to_string(),
        None => cell(&row.asked, ADDRESS),
    };
    let severity = row.severity.map_or("-", Severity::as_str);
    let verdict = row.verdict.map_or(row.outcome.as_str(), |verdict| verdict.as_str());
    let banner_name = cell(row.banner_name.as_deref().unwrap_or("-"), name);
    let names = row.ptr_names.to_strings();
    let ptr_name = match names.as_slice() {
        [] => "-".to_owned(),
        [only] => cell(only, name),
        [first, ..] => cell(&format!("{first} +{}", names.len() - 1), name),
    };
    let mut findings = String::new();
    for code in row.findings.iter() {
        let gap = if findings.is_empty() { "" } else { " " };
        // Writing to a `String` does not fail.
        let _ = write!(findings, "{gap}{}", code.as_str());
    }
    let before = format!("{} ", padded(&address, ADDRESS));
    let (banner_name, ptr_name) = (padded(&banner_name, name), padded(&ptr_name, name));
    let behind = format!(" {verdict:<VERDICT$} {banner_name} {ptr_name} {findings}");
    let room = width.saturating_sub(columns(&before) + SEVERITY);
    let (on, off) = paint.around(row.severity);
    format!("{before}{on}{severity:<SEVERITY$}{off}{}", clip(&behind, room).trim_end())
}

impl Paint {
    fn around(self, severity: Option<Severity>) -> (&'static str, &'static str) {
        match (self, severity) {
            (Self::Ansi, Some(Severity::High)) => ("\x1b[1;31m", "\x1b[0m"),
            (Self::Ansi, Some(Severity::Medium)) => ("\x1b[33m", "\x1b[0m"),
            (Self::Ansi, Some(Severity::Low)) => ("\x1b[36m", "\x1b[0m"),
            _ => ("", ""),
        }
    }
}

/// A stranger's text, neutralised and cut to `width` columns.
pub fn cell(text: &str, width: usize) -> String {
    clip(&Safe(text).to_string(), width)
}

/// A text cut to `width` columns, an ellipsis in the last one if anything is missing.
pub fn clip(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut clipped = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += column_count(character);
        if used + 1 > width {
            break;
        }
        clipped.push(character);
    }
    clipped.push('…');
    clipped
}

/// A number of things in words: `1 target`, `2,000 targets`; what is counted is called by its word for one,
/// and by that for many.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number with its thousands apart: `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text with blanks behind it, so that it takes at least `width` columns.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// How many columns a text takes.
pub fn columns(text: &str) -> usize {
    text.chars().map(column_count).sum()
}

/// Blocks of marks that stand over another character.
const MARKS: [RangeInclusive<char>; 9] = [
    '\u{300}'..='\u{36f}',
    '\u{483}'..='\u{489}',
    '\u{591}'..='\u{5bd}',
    '\u{64b}'..='\u{65f}',
    '\u{1ab0}'..='\u{1aff}',
    '\u{1dc0}'..='\u{1dff}',
    '\u{20d0}'..='\u{20ff}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{fe20}'..='\u{fe2f}',
];
/// Blocks with wide characters (UAX #11: W and F).
const WIDE: [RangeInclusive<char>; 17] = [
    '\u{1100}'..='\u{115f}',
    '\u{231a}'..='\u{23ff}',
    '\u{25fd}'..='\u{25fe}',
    '\u{2600}'..='\u{27bf}',
    '\u{2b00}'..='\u{2bff}',
    '\u{2e80}'..='\u{a4cf}',
    '\u{a960}'..='\u{a97f}',
    '\u{ac00}'..='\u{d7a3}',
    '\u{f900}'..='\u{faff}',
    '\u{fe10}'..='\u{fe6f}',
    '\u{ff00}'..='\u{ff60}',
    '\u{ffe0}'..='\u{ffe6}',
    '\u{16fe0}'..='\u{18dff}',
    '\u{1aff0}'..='\u{1b2ff}',
    '\u{1d300}'..='\u{1d37f}',
    '\u{1f000}'..='\u{1faff}',
    '\u{20000}'..='\u{3fffd}',
];

/// The columns that a character takes, by its block.
fn column_count(character: char) -> usize {
    let is_in = |blocks: &[RangeInclusive<char>]| blocks.iter().any(|block| block.contains(&character));
    match character {
        ..'\u{300}' => 1,
        _ if is_in(&MARKS) => 0,
        _ if is_in(&WIDE) => 2,
        _ => 1,
    }
}

fn name_width(width: usize) -> usize {
    let fixed = ADDRESS + SEVERITY + VERDICT + 5;
    (width.saturating_sub(fixed + 20) / 2).clamp(12, NAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Outcome;
    use crate::judge::{Code, Tenancy, Verdict};
    use crate::record::neutral::acts;
    use crate::record::row::{PtrNames, Tags};
    use proptest::prelude::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    fn hostile() -> Row<'static> {
        Row {
            time: std::time::SystemTime::UNIX_EPOCH,
            ip: Some(std::net::IpAddr::from([192, 0, 2, 1])),
            port: 25,
            asked: "192.0.2.0/24".into(),
            outcome: Outcome::Greeted,
            verdict: Some(Verdict::NoPtr),
            severity: Some(Severity::High),
            findings: std::iter::once(Code::PtrMissing).collect(),
            banner_name: Some("a\u{1b}]0;owned\u{7}b".into()),
            ptr_status: None,
            ptr_names: PtrNames::Text(vec!["x.example".into(), "y.example".into()]),
            fcrdns: None,
            platform: None,
            tenancy: Tenancy::Unknown,
            asn: None,
            as_name: None,
            accepted: crate::record::row::Codes::default(),
            clears_by: None,
            fix: Vec::new(),
            expected_name: None,
            tags: Tags::Text(Vec::new()),
            unresolved: None,
            odd: crate::record::foreign::Oddities::default(),
        }
    }

    #[test]
    fn a_line_tells_one_record() {
        let line = row(&hostile(), 132, Paint::Plain);
        assert_eq!(
            line,
            "192.0.2.1             high     no_ptr        a\\x1b]0;owned\\x07b               \
             x.example +1                     ptr_missing"
        );
        assert_eq!(header(132).find("banner name"), line.find("a\\x1b"));
        assert_eq!(header(132).find("findings"), line.find("ptr_missing"));
        let painted = row(&hostile(), 132, Paint::Ansi);
        assert_eq!(painted.replace("\x1b[1;31m", "").replace("\x1b[0m", ""), line);
        let other =
            Row { ip: None, verdict: None, severity: None, outcome: Outcome::Unresolved, ..hostile() };
        assert!(row(&other, 132, Paint::Ansi).starts_with("192.0.2.0/24          -        unresolved "));
        let port = Row { ip: Some("2001:db8::1".parse().unwrap()), port: 587, ..hostile() };
        assert!(row(&port, 132, Paint::Plain).starts_with("[2001:db8::1]:587     high "));
    }

    #[test]
    fn columns_stand_in_line_whatever_the_script() {
        let plain = row(&hostile(), 132, Paint::Plain);
        let behind = |line: &str| columns(line.split_once("ptr_missing").unwrap().0);
        for name in
            ["Telefônica", "Telefo\u{302}nica", "日本語.example", "почта.example", "한국어", "“x” – 🛰"]
        {
            let names = PtrNames::Text(vec![name.into()]);
            let line = row(
                &Row { banner_name: Some(name.into()), ptr_names: names, ..hostile() },
                132,
                Paint::Plain,
            );
            assert_eq!(behind(&line), behind(&plain), "{line}");
        }
        for (text, count) in
            [("é", 1), ("e\u{301}", 1), ("日", 2), ("д", 1), ("█", 1), ("…", 1), ("🛰", 2), ("–", 1)]
        {
            assert_eq!(columns(text), count, "{text}");
        }
    }

    #[test]
    fn texts_are_cut_to_columns() {
        for (text, width, clipped) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("", 0, ""),
        ] {
            assert_eq!(clip(text, width), clipped);
        }
    }

    proptest! {
        #![proptest_config(crate::property_tests::usual())]

        #[test]
        fn no_cell_is_wider_than_asked_or_acts(text in any::<String>(), width in 1..50usize) {
            let cell = cell(&text, width);
            prop_assert!(columns(&cell) <= width);
            prop_assert!(!cell.chars().any(acts));
        }

        #[test]
        fn no_line_is_wider_than_the_window_or_acts(text in any::<String>(), width in 0..200usize) {
            let names = PtrNames::Text(vec![text.as_str().into()]);
            let hostile = Row { banner_name: Some(text.as_str().into()), ptr_names: names, ..hostile() };
            let line = row(&hostile, width, Paint::Plain);
            prop_assert!(columns(&line) <= width.max(NARROWEST), "{}", line);
            prop_assert!(!line.chars().any(acts));
        }
    }
}
