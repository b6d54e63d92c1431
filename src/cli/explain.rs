//! `banneret explain`: verdicts, findings, outcomes and frequent questions in plain words. Asks nobody and
//! reads nothing.

use std::fmt::Write as _;

use anyhow::bail;

use super::args::ExplainArgs;
use super::exit::Exit;
use super::{print, terminal};
use crate::judge::explain::Subject;

/// So many letters of a word may be wrong, of each this many, for another one to be meant.
const LETTERS_FOR_A_SLIP: usize = 3;
/// The most words that are proposed in place of an unknown one.
const PROPOSED: usize = 3;

/// Explains one word, answers a question, or lists all.
pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let asked = args.words.join(" ");
    let told = match (args.words.as_slice(), Subject::parse(&asked)) {
        ([], _) => list(terminal::width()),
        (_, Some(subject)) => text(subject, terminal::width()),
        ([word], None) if !word.trim().contains(' ') => bail!("{}", unknown(word)),
        (_, None) => answer(&asked)?,
    };
    print(told.as_bytes())
}

/// What speaks best of a question, and what else does.
fn answer(question: &str) -> anyhow::Result<String> {
    let found = Subject::search(question);
    let Some((best, others)) = found.split_first() else {
        bail!("nothing here speaks of `{question}`; `banneret explain` lists all");
    };
    let mut told = text(*best, terminal::width());
    let others: Vec<&str> = others.iter().take(PROPOSED).map(|subject| subject.as_str()).collect();
    if !others.is_empty() {
        // Writing to a `String` does not fail.
        let _ = writeln!(told, "\nSee also: {}", others.join(", "));
    }
    Ok(told)
}

fn list(width: usize) -> String {
    let longest = Subject::all().map(|subject| subject.as_str().len()).max().unwrap_or(0);
    let mut told = String::new();
    let mut kind = "";
    for subject in Subject::all() {
        let of_kind = match subject {
            Subject::Verdict(_) => "Verdicts",
            Subject::Finding(_) => "Findings",
            Subject::Outcome(_) => "Outcomes",
            Subject::Topic(_) => "Questions",
        };
        if of_kind != kind {
            let gap = if kind.is_empty() { "" } else { "\n" };
            told.extend([gap, of_kind, "\n"]);
            kind = of_kind;
        }
        let word = format!("  {:<longest$}  ", subject.as_str());
        told.push_str(&terminal::paragraph(subject.title(), &word, &" ".repeat(longest + 4), width));
    }
    told
}

fn text(subject: Subject, width: usize) -> String {
    let mut told = format!("{}\n", subject.as_str());
    for paragraph in subject.text() {
        told.push('\n');
        told.push_str(&terminal::paragraph(&paragraph, "", "", width));
    }
    told
}

fn unknown(code: &str) -> String {
    let mut near = near(code);
    if near.is_empty() {
        // Whoever does not know the word may know what it is about.
        near.extend(Subject::search(code).iter().take(PROPOSED).map(|subject| subject.as_str()));
    }
    let listed: Vec<String> = near.iter().map(|word| format!("`{word}`")).collect();
    let advice = match listed.as_slice() {
        [] => "`banneret explain` lists all".to_owned(),
        [only] => format!("did you mean {only}?"),
        [most @ .., last] => format!("did you mean {} or {last}?", most.join(", ")),
    };
    format!("no verdict, finding, outcome or topic is called `{code}`; {advice}")
}

/// The words that may have been meant, the nearest first.
fn near(code: &str) -> Vec<&'static str> {
    let code = code.trim().to_ascii_lowercase().replace('-', "_");
    if code.is_empty() {
        return Vec::new();
    }
    // A part of a word is no slip, so it counts first.
    let slips = |word: &str| -> Option<(bool, usize)> {
        let distance = distance(&code, word);
        let near = distance <= word.len().max(code.len()) / LETTERS_FOR_A_SLIP;
        let part = code.len() >= LETTERS_FOR_A_SLIP && word.contains(&code);
        (near || part).then_some((!part, distance))
    };
    let words = Subject::all().map(Subject::as_str);
    let mut near: Vec<_> = words.filter_map(|word| slips(word).map(|slips| (slips, word))).collect();
    near.sort_unstable();
    near.into_iter().take(PROPOSED).map(|(_, word)| word).collect()
}

/// How many letters are to be put in, taken out or changed to make one word of another (Levenshtein).
pub(super) fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (at, &counterpart) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != counterpart);
            diagonal = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        for (one, other, letters) in [
            ("", "", 0),
            ("a", "", 1),
            ("ptr_missing", "ptr_mising", 1),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(one, other), letters, "{one} {other}");
            assert_eq!(distance(other, one), letters, "{other} {one}");
        }
    }

    #[test]
    fn slips_find_their_word_and_strangers_none() {
        for (typed, first) in [
            ("ptr_mising", Some("ptr_missing")),
            ("missmatch", Some("mismatch")),
            ("No-Pointer", None),
            ("unresolvable", Some("banner_unresolvable")),
            ("xyzzy", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(near(typed).first().copied(), first, "{typed}");
        }
    }

    #[test]
    fn every_word_of_the_list_is_explained() {
        let list = list(80);
        assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
        for subject in Subject::all() {
            assert!(list.contains(&format!("  {}  ", subject.as_str())) || list.contains(subject.as_str()));
            let text = text(subject, 80);
            assert!(text.starts_with(subject.as_str()) && text.lines().count() > 2, "{text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
    }
}
