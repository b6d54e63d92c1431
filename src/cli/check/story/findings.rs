//! Every finding by itself: why it stands, what it rests on, who cares, what to do and what not, how to check
//! it.

use super::Page;
use crate::cli::terminal::paragraph;
use crate::judge::advice::Advice;

impl Page<'_> {
    pub(super) fn findings(&mut self, advice: &[Advice]) {
        for one in advice {
            self.finding(one);
        }
    }

    fn finding(&mut self, one: &Advice) {
        self.text.push('\n');
        let head = format!("{} ({}); who can fix it: {}", one.code.as_str(), weight(one), one.fixer.as_str());
        self.text.push_str(&paragraph(&head, "  ", "    ", self.width));
        self.row("why", one.why);
        self.rows("seen", &one.evidence);
        self.row("who cares", one.cares);
        self.rows("what to do", &one.todo);
        self.rows("what not", &one.never);
        self.commands(&one.check);
    }
}

/// What a finding weighs, or that it is accepted, until when and why.
fn weight(one: &Advice) -> String {
    match &one.accepted {
        Some(accepted) => format!("accepted until {}: {}", accepted.until, accepted.reason),
        None => one.severity.as_str().to_owned(),
    }
}
