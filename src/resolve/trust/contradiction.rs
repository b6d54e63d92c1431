//! Who is asked for a second opinion, and pairs of upstreams that contradict each other though both are
//! trusted.

use std::time::Instant;

use super::kind::ControlKind;
use super::standing::Claim;
use super::{Reachable, Trust};
use crate::resolve::question::{Answer, Question};

/// Whose second opinion on an answer can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::resolve) enum Opinion {
    /// That of this upstream, which is trusted.
    Of(usize),
    /// Perhaps that of one that is being tried.
    Soon,
    /// There is no other upstream that is trusted.
    Nobodys,
}

/// Two upstreams that are both trusted, and what they contradict each other about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::resolve) struct Contradiction {
    /// The upstreams, by their number.
    pub(in crate::resolve) upstreams: [usize; 2],
    /// The first question on which they differ so much.
    pub(in crate::resolve) question: Question,
}

impl Trust {
    /// Who is to be asked for a second opinion on an answer.
    pub(in crate::resolve) fn second(
        &mut self,
        question: &Question,
        answer: &Answer,
        up: &[Reachable],
        now: Instant,
    ) -> Opinion {
        let Some(first) = answer.origin.as_ref().map(|origin| origin.upstream) else {
            return Opinion::Nobodys;
        };
        let others: Vec<Reachable> = up.iter().filter(|it| it.upstream != first).copied().collect();
        for claim in [Claim::Elsewhere, Claim::Denial] {
            if let Some(upstream) = self.trusted(question, answer, claim, &others, now) {
                return Opinion::Of(upstream);
            }
        }
        let kind = ControlKind::of(question);
        let mut opinion = Opinion::Nobodys;
        for Reachable { upstream, .. } in others {
            let Some(desk) = self.desks.get_mut(upstream).map(|desks| &mut desks[kind.index()]) else {
                continue;
            };
            // What it has shown is only too old.
            if desk.standing.was_clean() {
                desk.want_clean();
                opinion = Opinion::Soon;
            }
            if desk.is_on_trial() {
                opinion = Opinion::Soon;
            }
        }
        opinion
    }

    /// Two answers to a question are both believed, and can't both be true of a host.
    pub(in crate::resolve) fn contradict(&mut self, question: &Question, one: &Answer, other: &Answer) {
        let (Some(one), Some(other)) = (&one.origin, &other.origin) else { return };
        let mut upstreams = [one.upstream, other.upstream];
        upstreams.sort_unstable();
        if !self.contradicting.contains(&upstreams) {
            self.contradicting.push(upstreams);
            self.contradictions.push(Contradiction { upstreams, question: question.clone() });
        }
    }

    /// Pairs that were found since the last call, each once.
    pub(in crate::resolve) fn take_contradictions(&mut self) -> Vec<Contradiction> {
        std::mem::take(&mut self.contradictions)
    }
}
