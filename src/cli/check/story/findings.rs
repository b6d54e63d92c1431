//! What is wrong, worst first: findings that ask for the same thing stand together, and what only informs takes a line.

use super::{Detail, Page};
use crate::cli::terminal::paragraph;
use crate::judge::Severity;
use crate::judge::advice::Advice;

/// Findings whose cure is told on a screen: the rest goes away with them, or can wait.
const MAX_GROUPS: usize = 2;
/// Commands that a screen shows; those of the first findings show the most.
const MAX_COMMANDS: usize = 5;

impl Page<'_> {
    pub(super) fn findings(&mut self, advice: &[Advice]) {
        if self.detail == Detail::All {
            for one in advice {
                self.group(&[one], &one.todo);
                self.rows("what not", &one.never);
                self.commands(&one.check);
            }
            return;
        }
        let (urgent, informing): (Vec<&Advice>, Vec<&Advice>) =
            advice.iter().partition(|one| one.severity >= Severity::Low && one.accepted.is_none());
        let mut groups = grouped(&urgent);
        let waiting = groups.split_off(groups.len().min(MAX_GROUPS));
        let mut told: Vec<&String> = Vec::new();
        for group in &groups {
            let todo = group.first().map(|first| first.todo.as_slice()).unwrap_or_default();
            let fresh: Vec<&String> = todo.iter().filter(|line| !told.contains(line)).collect();
            self.group(group, &fresh);
            told.extend(fresh);
        }
        if groups.is_empty() && !advice.is_empty() {
            self.text.push('\n');
        }
        for one in waiting.into_iter().flatten().chain(informing) {
            let text = format!("{} ({}): {}", one.code.as_str(), weight(one), one.why);
            self.text.push_str(&paragraph(&text, "  ", "    ", self.width));
        }
        if !advice.is_empty() {
            self.text.push('\n');
        }
        let never = groups.iter().flatten().flat_map(|one| one.never.iter().copied());
        self.rows("what not", distinct(never));
        let commands = distinct(advice.iter().flat_map(|one| one.check.iter().map(String::as_str)));
        self.commands(commands.into_iter().take(MAX_COMMANDS));
        if let Some(worst) = groups.first().and_then(|group| group.first()) {
            self.row("in full", &format!("-v; in plain words: banneret explain {}", worst.code.as_str()));
        }
    }

    /// One or more findings that ask for the same.
    fn group<T: AsRef<str>>(&mut self, group: &[&Advice], todo: &[T]) {
        let Some(first) = group.first() else { return };
        let codes: Vec<String> =
            group.iter().map(|one| format!("{} ({})", one.code.as_str(), weight(one))).collect();
        self.text.push('\n');
        let head = format!("{}; who can fix it: {}", codes.join(", "), first.fixer.as_str());
        self.text.push_str(&paragraph(&head, "  ", "    ", self.width));
        self.rows("why", group.iter().map(|one| one.why));
        // The names above show it, on a screen.
        if self.detail == Detail::All {
            self.rows("seen", distinct(group.iter().filter_map(|one| one.evidence.as_deref())));
            self.row("who cares", first.cares);
        }
        self.rows("what to do", todo);
    }
}

/// Findings that ask for the same of the same people, the worst first, in their order otherwise.
fn grouped<'a>(advice: &[&'a Advice]) -> Vec<Vec<&'a Advice>> {
    let mut sorted = advice.to_vec();
    sorted.sort_by_key(|one| std::cmp::Reverse(one.severity));
    let mut groups: Vec<Vec<&Advice>> = Vec::new();
    for one in sorted {
        let alike = |group: &&mut Vec<&Advice>| {
            group.first().is_some_and(|first| first.todo == one.todo && first.fixer == one.fixer)
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// What a finding weighs, or that it is accepted, until when and why.
fn weight(one: &Advice) -> String {
    match &one.accepted {
        Some(accepted) => format!("accepted until {}: {}", accepted.until, accepted.reason),
        None => one.severity.as_str().to_owned(),
    }
}

/// Each once, where it comes first.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for text in texts {
        if !distinct.contains(&text) {
            distinct.push(text);
        }
    }
    distinct
}
