//! What one upstream has shown about one kind of question, and what an answer of its own is worth for that.
//!
//! A trust epoch is a time in which no control failed. An answer that counts against a host is believed if a
//! control was passed before it came and one that was sent after it came, both within one epoch and within
//! [`EPOCH`].
//!
//! By example: a control passes at 1 s. Denials come at 2 s and 3 s. A control sent at 3.1 s passes: both are
//! believed. A denial comes at 4 s, and the control sent after it fails: the epoch is over, and nobody knows
//! since when the upstream has been denying, so the denial of 4 s is not believed, whatever passes later.

use std::time::{Duration, Instant};

use crate::resolve::question::origin::Shown;

/// The longest time between the control before an answer and the control after it.
pub(super) const EPOCH: Duration = Duration::from_secs(60);

/// What an answer says against a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::resolve) enum Claim {
    /// That something does not exist. An upstream that denies what exists can say so of anybody.
    Denial,
    /// That a name is another or leads elsewhere. An upstream that invents answers can say so of anybody.
    Elsewhere,
    /// That a target's name leads somewhere. It counts against nobody, unless the upstream is known to invent
    /// answers.
    Target,
}

/// What an answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::resolve) enum Belief {
    /// No later control can confirm it.
    Lost,
    /// It waits for a control that was sent after it came.
    Waiting,
    /// Controls before and after have confirmed it.
    Confirmed,
}

/// A control that was passed.
#[derive(Debug, Clone, Copy)]
struct Pass {
    sent: Instant,
    answered: Instant,
}

/// What one upstream has shown about one kind of question, in this epoch.
#[derive(Debug, Default)]
pub(super) struct Standing {
    epoch: u32,
    finds: Option<Pass>,
    clean: Option<Pass>,
    /// Whether it was seen to answer for names that do not exist.
    invents: bool,
    /// Whether it was seen to deny a host that another upstream has confirmed, and has confirmed none itself.
    is_disputed: bool,
    /// Whether the last control that showed anything failed.
    is_failing: bool,
}

impl Standing {
    /// It found what exists.
    pub(super) fn found(&mut self, sent: Instant, now: Instant) {
        self.finds = Some(later(self.finds, Pass { sent, answered: now }));
        self.is_failing = self.is_out();
    }

    /// It found a host that was confirmed.
    pub(super) fn agreed(&mut self, sent: Instant, now: Instant) {
        self.is_disputed = false;
        self.found(sent, now);
    }

    /// It did not find what does not exist.
    pub(super) fn stayed_clean(&mut self, sent: Instant, now: Instant) {
        self.clean = Some(later(self.clean, Pass { sent, answered: now }));
        if std::mem::take(&mut self.invents) {
            self.is_failing = self.is_out();
        }
    }

    /// It denied or changed what exists: the epoch is over.
    pub(super) fn failed(&mut self) {
        *self = Self { epoch: self.epoch + 1, is_failing: true, finds: None, clean: None, ..*self };
    }

    /// It found what does not exist: the epoch is over.
    pub(super) fn invented(&mut self) {
        self.failed();
        self.invents = true;
    }

    /// It denied or changed what another upstream has confirmed: the epoch is over.
    pub(super) fn disputed(&mut self) {
        self.failed();
        self.is_disputed = true;
    }

    /// Whether it is known not to be believed, whatever it finds.
    pub(super) fn is_out(&self) -> bool {
        self.invents || self.is_disputed
    }

    /// The number of this epoch.
    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether the last control that showed anything failed.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing
    }

    /// Whether it was seen to answer for names that do not exist.
    pub(super) fn invents(&self) -> bool {
        self.invents
    }

    /// Whether it has been seen to find what exists, in this epoch.
    pub(super) fn finds(&self, now: Instant) -> bool {
        !self.is_out() && is_fresh(self.finds, now)
    }

    /// Whether it has been seen to invent nothing, in this epoch, however long ago.
    pub(super) fn was_clean(&self) -> bool {
        !self.is_out() && self.clean.is_some()
    }

    /// Whether an answer asked for now would have its control before it.
    pub(super) fn is_ready(&self, claim: Claim, now: Instant) -> bool {
        let clean = match claim {
            Claim::Denial => false,
            Claim::Elsewhere => is_fresh(self.clean, now),
            Claim::Target => true,
        };
        self.finds(now) || !self.is_out() && clean
    }

    /// What is to be kept with an answer that comes now.
    pub(super) fn shown(&self, now: Instant) -> Shown {
        let answered = |pass: Option<Pass>| pass.filter(|_| is_fresh(pass, now)).map(|pass| pass.answered);
        if self.is_out() {
            return Shown { epoch: self.epoch, finds: None, clean: None };
        }
        Shown { epoch: self.epoch, finds: answered(self.finds), clean: answered(self.clean) }
    }

    /// What an answer is worth that came with `shown`.
    pub(super) fn belief(&self, shown: Shown, came: Instant, claim: Claim, now: Instant) -> Belief {
        let before = match claim {
            _ if self.is_out() => return Belief::Lost,
            Claim::Target if self.is_ready(Claim::Elsewhere, now) => return Belief::Confirmed,
            Claim::Target => return Belief::Waiting,
            _ if shown.epoch != self.epoch => return Belief::Lost,
            Claim::Denial => shown.finds,
            Claim::Elsewhere => shown.finds.max(shown.clean),
        };
        let Some(before) = before.filter(|at| came.saturating_duration_since(*at) <= EPOCH) else {
            return Belief::Lost;
        };
        // What changes existing names is noticed by a control that is to find one; where none can be had, the
        // others do.
        let after = match claim {
            Claim::Elsewhere if self.clean.is_none() => None,
            Claim::Elsewhere if self.finds.is_none() => self.clean,
            _ => self.finds,
        };
        match after.filter(|pass| pass.sent >= came) {
            Some(pass) if pass.answered.saturating_duration_since(before) <= EPOCH => Belief::Confirmed,
            _ if now.saturating_duration_since(before) <= EPOCH => Belief::Waiting,
            _ => Belief::Lost,
        }
    }
}

fn is_fresh(pass: Option<Pass>, now: Instant) -> bool {
    pass.is_some_and(|pass| now.saturating_duration_since(pass.answered) <= EPOCH)
}

fn later(old: Option<Pass>, new: Pass) -> Pass {
    old.filter(|old| old.sent > new.sent).unwrap_or(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A history of one upstream in tenths of a second: what happens when.
    #[derive(Clone, Copy)]
    enum Event {
        Found,
        Clean,
        Failed,
        Invented,
        Disputed,
        Agreed,
    }
    use Event::{Agreed, Clean, Disputed, Failed, Found, Invented};

    /// What an answer that came at second 2 is worth at the end of a history.
    fn worth(claim: Claim, history: &[(u64, Event)]) -> Belief {
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        let mut standing = Standing::default();
        let mut shown = None;
        let mut now = at(2);
        for &(second, event) in history {
            now = at(second);
            if second > 2 {
                shown.get_or_insert_with(|| standing.shown(at(2)));
            }
            match event {
                Found => standing.found(now, now),
                Clean => standing.stayed_clean(now, now),
                Failed => standing.failed(),
                Invented => standing.invented(),
                Disputed => standing.disputed(),
                Agreed => standing.agreed(now, now),
            }
        }
        let shown = shown.unwrap_or_else(|| standing.shown(at(2)));
        standing.belief(shown, at(2), claim, now.max(at(2)))
    }

    #[test]
    fn an_answer_is_believed_between_two_controls_of_one_epoch() {
        use Belief::{Confirmed, Lost, Waiting};
        use Claim::{Denial, Elsewhere};
        for (claim, history, belief) in [
            (Denial, &[][..], Lost),
            (Denial, &[(1, Found)], Waiting),
            (Denial, &[(1, Clean), (3, Clean)], Lost),
            (Denial, &[(3, Found)], Lost),
            (Denial, &[(1, Found), (3, Found)], Confirmed),
            (Denial, &[(1, Found), (1, Clean), (3, Found)], Confirmed),
            (Denial, &[(1, Found), (3, Failed)], Lost),
            (Denial, &[(1, Found), (3, Failed), (4, Found)], Lost),
            (Denial, &[(1, Failed), (3, Found)], Lost),
            (Denial, &[(1, Found), (3, Invented), (4, Found)], Lost),
            (Denial, &[(1, Invented), (1, Found), (3, Found)], Lost),
            (Denial, &[(1, Disputed), (1, Found), (3, Found)], Lost),
            (Denial, &[(1, Found), (3, Disputed), (4, Found)], Lost),
            (Denial, &[(0, Disputed), (1, Agreed), (3, Found)], Confirmed),
            (Denial, &[(1, Found), (62, Found)], Lost),
            (Denial, &[(1, Found), (61, Found)], Confirmed),
            (Elsewhere, &[(1, Clean)], Waiting),
            (Elsewhere, &[(1, Clean), (3, Clean)], Confirmed),
            (Elsewhere, &[(1, Clean), (1, Found), (3, Clean)], Waiting),
            (Elsewhere, &[(1, Clean), (1, Found), (3, Found)], Confirmed),
            (Elsewhere, &[(1, Found), (3, Found)], Waiting),
            (Elsewhere, &[(1, Found), (3, Found), (3, Clean)], Confirmed),
            (Elsewhere, &[(1, Clean), (3, Invented)], Lost),
            (Elsewhere, &[(1, Clean), (1, Found), (3, Failed), (4, Found)], Lost),
        ] {
            let history: Vec<(u64, Event)> = history.to_vec();
            let told: Vec<u64> = history.iter().map(|(second, _)| *second).collect();
            assert_eq!(worth(claim, &history), belief, "{claim:?} {told:?}");
        }
    }
}
