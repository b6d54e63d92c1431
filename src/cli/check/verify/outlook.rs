//! What a comparison comes to for a server: whether what was judged is what is published, and whether the
//! server is better off with it. Pure.

use std::time::SystemTime;

use super::compare::{Compared, Pending, Standing, pending};
use crate::judge::{Code, Finding, Judgement, Severity, Verdict};

/// What it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) struct Outlook {
    /// The one word.
    pub(in crate::cli::check) word: Word,
    /// For how long caches hide what is published, where they do.
    pub(in crate::cli::check) pending: Option<Pending>,
    /// What the change does to the server, where one is published.
    pub(in crate::cli::check) effect: Option<Effect>,
    /// When the questions were answered.
    pub(in crate::cli::check) now: SystemTime,
}

/// The word for a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) enum Word {
    /// What was judged is what is published, by every server of every zone.
    Current,
    /// What was judged is what is published, by those servers that say something.
    PartlyAnswered,
    /// With what is published the server is better off.
    FixedPendingCache,
    /// What is published differs, and makes it no better.
    ChangedPendingCache,
    /// The zones' servers contradict each other: which answer a receiver gets is chance.
    Divided,
    /// The resolver refuses what is published, for its signatures do not hold.
    DnssecBogus,
    /// A question that decides has no definite answer.
    Unknown,
}

/// What a change does to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) enum Effect {
    Better,
    Same,
    Worse,
}

/// What becomes of the server with what is published.
#[derive(Debug, Clone)]
pub(super) enum Then {
    /// It is judged so.
    Judged(Box<Judgement>),
    /// The name that was asked for leads to other machines.
    Elsewhere(Vec<Machine>),
    /// The name, which had no address, leads to some.
    Resolves,
    /// It can't be told.
    Unknown,
}

/// A machine that the name leads to.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    /// What is said of it; `None` where no mail server greets.
    pub(super) judgement: Option<Judgement>,
    /// Whether it greets with the name that was asked for, and whether the one that was looked at does.
    pub(super) greets_as_asked: Greets,
}

/// Which of two machines greet with the name that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Greets {
    /// Both, or neither.
    Alike,
    /// The one looked at alone.
    OldOnly,
    /// The other alone.
    NewOnly,
}

impl Word {
    /// The word for programs.
    pub(in crate::cli::check) fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::PartlyAnswered => "partly_answered",
            Self::FixedPendingCache => "fixed_pending_cache",
            Self::ChangedPendingCache => "changed_pending_cache",
            Self::Divided => "divided",
            Self::DnssecBogus => "dnssec_bogus",
            Self::Unknown => "unknown",
        }
    }
}

impl Effect {
    /// The word for programs.
    pub(in crate::cli::check) fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
        }
    }
}

impl Outlook {
    /// What the comparison comes to; `judged` is what is said of the server today.
    pub(super) fn of(compared: &[Compared], judged: &Judgement, then: &Then, now: SystemTime) -> Self {
        let any = |standing: Standing| compared.iter().any(|it| it.standing() == standing);
        let outlook = |word| Self { word, pending: None, effect: None, now };
        if any(Standing::Divided) {
            return outlook(Word::Divided);
        }
        if any(Standing::Bogus) {
            return outlook(Word::DnssecBogus);
        }
        // The first question is the one by which the others are known.
        let leads = compared.first().map(Compared::standing);
        let is_open = leads.is_none_or(|standing| standing == Standing::Unknown) || then.is_open();
        if is_open {
            return outlook(Word::Unknown);
        }
        if let Some(pending) = pending(compared) {
            let effect = then.effect(judged);
            let is_fix = effect == Some(Effect::Better);
            let word = if is_fix { Word::FixedPendingCache } else { Word::ChangedPendingCache };
            return Self { pending: Some(pending), effect, ..outlook(word) };
        }
        let is_whole = !any(Standing::Unknown) && compared.iter().all(Compared::is_whole);
        outlook(if is_whole { Word::Current } else { Word::PartlyAnswered })
    }

    /// From when on the resolver that was asked shows what is published, where it does not already.
    pub(in crate::cli::check) fn clean(&self) -> Option<SystemTime> {
        // A clock that can't say the time shows the latest it can.
        self.pending.map(|pending| self.now.checked_add(pending.here).unwrap_or(self.now))
    }

    /// From when on every resolver does: the change was made by now.
    pub(in crate::cli::check) fn clean_everywhere(&self) -> Option<SystemTime> {
        self.pending.map(|pending| self.now.checked_add(pending.everywhere).unwrap_or(self.now))
    }
}

impl Then {
    /// Whether an answer that decides is missing.
    fn is_open(&self) -> bool {
        match self {
            Self::Judged(then) => then.verdict == Some(Verdict::Undetermined),
            Self::Unknown => true,
            Self::Elsewhere(_) | Self::Resolves => false,
        }
    }

    fn effect(&self, judged: &Judgement) -> Option<Effect> {
        let compare = |then: &Judgement| match burden(then).cmp(&burden(judged)) {
            std::cmp::Ordering::Less => Effect::Better,
            std::cmp::Ordering::Equal => Effect::Same,
            std::cmp::Ordering::Greater => Effect::Worse,
        };
        match self {
            Self::Judged(then) => Some(compare(then)),
            Self::Elsewhere(boxes) => {
                let effects = boxes.iter().map(|it| match (&it.judgement, it.greets_as_asked) {
                    (None, _) | (_, Greets::OldOnly) => Effect::Worse,
                    (Some(then), greets) => match compare(then) {
                        Effect::Same if greets == Greets::NewOnly => Effect::Better,
                        effect => effect,
                    },
                });
                // The worst of them: mail may go to any.
                effects.reduce(|one, other| match (one, other) {
                    (Effect::Worse, _) | (_, Effect::Worse) => Effect::Worse,
                    (Effect::Same, _) | (_, Effect::Same) => Effect::Same,
                    _ => Effect::Better,
                })
            }
            Self::Resolves => Some(Effect::Better),
            Self::Unknown => None,
        }
    }
}

/// How much weighs on a host: the worst finding counts first, then the next; causes count with what they
/// cause. What the user accepts counts only between hosts that are equal without it.
fn burden(judgement: &Judgement) -> [Vec<Severity>; 2] {
    let is_accepted =
        |finding: &Finding| judgement.accepted.iter().any(|accepted| accepted.code == finding.code);
    let worst_first = |keep: &dyn Fn(&Finding) -> bool| {
        let counts = |it: &&Finding| it.severity > Severity::None && !is_cause(it.code) && keep(it);
        let weighty = judgement.findings.iter().filter(counts);
        let mut severities: Vec<Severity> = weighty.map(|finding| finding.severity).collect();
        severities.sort_unstable_by(|one, other| other.cmp(one));
        severities
    };
    [worst_first(&|finding| !is_accepted(finding)), worst_first(&|_| true)]
}

/// Whether a finding says what others come from.
fn is_cause(code: Code) -> bool {
    matches!(
        code,
        Code::StalePtr
            | Code::StaleBanner
            | Code::TwoIdentities
            | Code::UnfinishedSetup
            | Code::UnownedIdentity
            | Code::ClonedImage
    )
}
