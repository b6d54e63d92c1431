//! Whether one upstream understands EDNS (RFC 6891), learnt from its answers. Some drop queries with an OPT
//! record in silence, some answer them FORMERR, NOTIMP or SERVFAIL; a plain query is answered by all of
//! these. Time is an argument; knows no packet.
//!
//! A lost packet looks like a dropped one. So silence counts only for queries that were sent after a plain
//! one had been answered, and one good answer to any query with EDNS settles the matter. Eight questions to
//! an upstream that drops EDNS: 1 and 2 are silent, and answered when they are repeated without it; 3, 4 and
//! 5 are silent, too, and again answered without it; 6, 7, 8 and all others go without EDNS at once.

use std::time::{Duration, Instant};

use crate::resolve::wire::{Edns, Fault};

/// Queries with EDNS that get no good answer, while plain ones do, before EDNS is not offered any more.
const ENOUGH: u8 = 3;
/// The pause between two plain probes that are to tell silence from a dropped OPT record.
const PROBE_PAUSE: Duration = Duration::from_millis(500);

/// What is known of one upstream.
#[derive(Debug)]
pub(super) struct EdnsSupport {
    state: State,
    /// When the first plain query was answered.
    plain_since: Option<Instant>,
    /// Queries with EDNS that failed; those sent before `plain_since` are not counted once that is known.
    failed: u8,
    /// When the next probe may go; `None` for an upstream without another beside it, whose questions are
    /// repeated to itself and tell as much.
    next_probe: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No query with EDNS has had a good answer.
    Unknown,
    /// The same, and one was answered FORMERR or NOTIMP.
    Rejected,
    /// A query with EDNS had a good answer.
    Understood,
    /// It answers plain queries only.
    Missing,
}

impl EdnsSupport {
    /// Nothing known. Probes go from `first_probe` on, if ever.
    pub(super) fn new(first_probe: Option<Instant>) -> Self {
        Self { state: State::Unknown, plain_since: None, failed: 0, next_probe: first_probe }
    }

    /// Whether the next packet of a question offers EDNS, of which so many were sent and so many may be.
    pub(super) fn offer(&self, sent: u8, attempts: u8) -> Edns {
        match self.state {
            State::Missing => Edns::Plain,
            _ if sent == 0 => Edns::Offered,
            State::Unknown | State::Rejected => Edns::Plain,
            // Behind one address there may be several servers, and not all may understand it: the last packet
            // goes without, so that nobody loses an answer.
            State::Understood if sent + 1 >= attempts => Edns::Plain,
            State::Understood => Edns::Offered,
        }
    }

    /// A query with EDNS, sent at that time, was not answered in time.
    pub(super) fn unanswered(&mut self, sent: Instant) {
        if self.state == State::Unknown && self.plain_since.is_none_or(|since| sent >= since) {
            self.failed = self.failed.saturating_add(1);
        }
    }

    /// A query that was sent at that time, with EDNS or without, was answered; `fault` if the answer settles
    /// nothing.
    pub(super) fn answered(&mut self, edns: Edns, fault: Option<Fault>, sent: Instant, now: Instant) {
        match (edns, fault, self.state) {
            (Edns::Offered, None, _) => self.state = State::Understood,
            (Edns::Offered, Some(Fault::FormErr | Fault::NotImp), State::Unknown) => {
                self.state = State::Rejected;
            }
            (Edns::Offered, Some(Fault::ServFail), State::Unknown) => self.unanswered(sent),
            (Edns::Plain, None, State::Rejected) => self.state = State::Missing,
            (Edns::Plain, None, State::Unknown) if self.plain_since.is_none() => {
                self.plain_since = Some(now);
                self.failed = 0;
            }
            (Edns::Plain, None, State::Unknown) if self.failed >= ENOUGH => self.state = State::Missing,
            _ => {}
        }
    }

    /// When a plain probe is to tell whether it drops EDNS or is not there: the questions that it leaves open
    /// may all be repeated elsewhere.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        self.next_probe.filter(|_| self.state == State::Unknown && self.failed >= ENOUGH)
    }

    /// A probe went out.
    pub(super) fn probed(&mut self, now: Instant) {
        self.next_probe = self.next_probe.map(|_| now + PROBE_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What happened to one packet.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Silent,
        With(Option<Fault>),
        Without(Option<Fault>),
    }
    use Step::{Silent, With, Without};

    /// What a first packet offers after these, each sent and ended a second after the one before.
    fn after(steps: &[Step]) -> Edns {
        let mut now = Instant::now();
        let mut support = EdnsSupport::new(None);
        for step in steps {
            let sent = now;
            now += Duration::from_secs(1);
            match *step {
                Silent => support.unanswered(sent),
                With(fault) => support.answered(Edns::Offered, fault, sent, now),
                Without(fault) => support.answered(Edns::Plain, fault, sent, now),
            }
        }
        support.offer(0, 4)
    }

    #[test]
    fn edns_is_given_up_only_where_plain_queries_alone_are_answered() {
        let (form, not_imp, failed) = (Some(Fault::FormErr), Some(Fault::NotImp), Some(Fault::ServFail));
        let table: [(&[Step], Edns); 13] = [
            (&[], Edns::Offered),
            (&[With(form), Without(None)], Edns::Plain),
            (&[With(not_imp), Without(None)], Edns::Plain),
            (&[With(not_imp), Without(not_imp)], Edns::Offered),
            (&[With(None), With(form), Without(None)], Edns::Offered),
            (&[Silent, Without(None), Silent, Silent, Silent, Without(None)], Edns::Plain),
            (&[Silent, Without(None), With(failed), With(failed), With(failed), Without(None)], Edns::Plain),
            // Not there at first, and then answering whatever comes.
            (&[Silent, Silent, Silent, Silent, Without(None), Without(None)], Edns::Offered),
            (&[Silent, Without(None), Silent, Silent, Without(None)], Edns::Offered),
            (&[Silent, Without(None), Silent, Silent, Silent, Without(failed)], Edns::Offered),
            (
                &[Silent, Without(None), Silent, With(None), Silent, Silent, Silent, Without(None)],
                Edns::Offered,
            ),
            // A late answer undoes it.
            (&[With(form), Without(None), With(None)], Edns::Offered),
            (&[Silent, Silent, Silent, Silent, Silent, Silent], Edns::Offered),
        ];
        for (steps, offered) in table {
            assert_eq!(after(steps), offered, "{steps:?}");
        }
    }

    #[test]
    fn what_was_sent_before_a_plain_answer_is_not_held_against_edns() {
        let start = Instant::now();
        let mut support = EdnsSupport::new(Some(start));
        let at = |seconds| start + Duration::from_secs(seconds);
        support.answered(Edns::Plain, None, at(5), at(6));
        (0..5).for_each(|sent| support.unanswered(at(sent)));
        support.answered(Edns::Plain, None, at(6), at(7));
        assert_eq!((support.offer(0, 4), support.probe_at()), (Edns::Offered, None));
    }

    #[test]
    fn repetitions_go_without_edns_until_it_is_known_to_be_understood() {
        let mut support = EdnsSupport::new(None);
        let offers = |support: &EdnsSupport| [0, 1, 2, 3].map(|sent| support.offer(sent, 4) == Edns::Offered);
        assert_eq!(offers(&support), [true, false, false, false]);
        support.answered(Edns::Offered, None, Instant::now(), Instant::now());
        assert_eq!(offers(&support), [true, true, true, false]);
        assert_eq!(support.offer(0, 1), Edns::Offered, "the only packet");
    }
}
