//! Several conversations with one target, one after the other, as one observation.
//!
//! By example: the first is turned away by 450 without a name, the second greets as `a.example`, the third as
//! `b.example`: the second is the evidence, and the names of all three are kept.

use std::num::NonZeroU8;

use crate::evidence::Outcome;
use crate::scan::attempt::{Attempt, Earlier, ProbeResult};

/// What is to become of a target after a conversation.
#[derive(Debug)]
pub enum Sampled {
    /// Another conversation is wanted.
    Further(Attempt),
    /// It has all the evidence that it will get.
    Enough(ProbeResult),
}

/// Joins what a conversation showed with what earlier ones did; `wanted` conversations in all. The first one
/// that gave a name is the evidence, else the first of all; of the others only the names are kept.
pub fn sample(seen: ProbeResult, wanted: NonZeroU8) -> Sampled {
    if seen.attempt.earlier.is_none() && (wanted == NonZeroU8::MIN || !seen.observation.outcome.is_judged()) {
        return Sampled::Enough(seen);
    }
    let name = seen.greeting_source().name().map(String::into_boxed_str);
    let ProbeResult { mut attempt, observation, time, scanner } = seen;
    let earlier = match attempt.earlier.take() {
        Some(mut earlier) => {
            let is_first_name = name.is_some() && earlier.names.iter().all(Option::is_none);
            // A name in a refusal says less than a greeting without one.
            let is_less =
                observation.outcome != Outcome::Greeted && earlier.observation.outcome == Outcome::Greeted;
            if is_first_name && !is_less {
                (earlier.observation, earlier.time, earlier.scanner) = (observation, time, scanner);
            }
            earlier.names.push(name);
            earlier
        }
        None => Box::new(Earlier { observation, time, names: vec![name], scanner }),
    };
    if earlier.names.len() < usize::from(wanted.get()) {
        return Sampled::Further(Attempt { earlier: Some(earlier), ..attempt });
    }
    let Earlier { mut observation, time, names, scanner } = *earlier;
    observation.samples = names;
    Sampled::Enough(ProbeResult { attempt, observation, time, scanner })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::evidence::Observation;
    use crate::scan::attempt::{AttemptKind, TargetSource};
    use crate::smtp::reply::{Code, Reply, Text};

    fn seen(attempt: Attempt, outcome: Outcome, text: &str) -> ProbeResult {
        let reply = Reply { code: Code::new(220), text: Text::from_iter([text]) };
        let greeting = Some(reply).filter(|_| outcome.is_judged());
        let observation = Observation { greeting, ..Observation::bare(outcome, 1) };
        ProbeResult { attempt, observation, time: SystemTime::UNIX_EPOCH, scanner: Arc::default() }
    }

    fn attempt() -> Attempt {
        Attempt {
            errand: AttemptKind::Record,
            turn: 7,
            ip: IpAddr::from([192, 0, 2, 1]),
            port: 25,
            attempts: 1,
            troubles: 0,
            doubted: 0,
            asked: TargetSource::Set,
            name: None,
            earlier: None,
        }
    }

    const fn wanted(count: u8) -> NonZeroU8 {
        NonZeroU8::new(count).unwrap()
    }

    #[test]
    fn so_many_conversations_make_one_observation_with_all_names() {
        let mut next = attempt();
        for (greeting, outcome) in [
            ("a.example.org ESMTP", Outcome::Greeted),
            ("b.example.org ESMTP", Outcome::Greeted),
            ("", Outcome::TimedOut),
        ] {
            next = match sample(seen(next, outcome, greeting), wanted(4)) {
                Sampled::Further(attempt) => attempt,
                Sampled::Enough(seen) => panic!("{seen:?}"),
            };
            assert_eq!(next.turn, 7);
        }
        let Sampled::Enough(last) = sample(seen(next, Outcome::Rejected, "c.example.org no"), wanted(4))
        else {
            panic!("four were wanted");
        };
        assert_eq!(last.observation.outcome, Outcome::Greeted, "the first one is the evidence");
        assert_eq!(last.observation.greeting.unwrap().text.first(), b"a.example.org ESMTP");
        let names: Vec<_> = last.observation.samples.iter().map(Option::as_deref).collect();
        assert_eq!(names, [Some("a.example.org"), Some("b.example.org"), None, Some("c.example.org")]);
        assert_eq!(last.attempt.earlier, None);
    }

    #[test]
    fn the_first_conversation_that_gave_a_name_is_the_evidence() {
        let (greeted, rejected) = (Outcome::Greeted, Outcome::Rejected);
        for (first, second, evidence) in [
            ((rejected, "busy"), (greeted, "a.example.org ESMTP"), "a.example.org ESMTP"),
            ((greeted, "ESMTP"), (greeted, "a.example.org ESMTP"), "a.example.org ESMTP"),
            ((rejected, "b.example.org busy"), (greeted, "a.example.org ESMTP"), "b.example.org busy"),
            ((greeted, "ESMTP"), (rejected, "a.example.org busy"), "ESMTP"),
            ((rejected, "busy"), (rejected, "still busy"), "busy"),
        ] {
            let Sampled::Further(attempt) = sample(seen(attempt(), first.0, first.1), wanted(2)) else {
                panic!("two were wanted");
            };
            let Sampled::Enough(last) = sample(seen(attempt, second.0, second.1), wanted(2)) else {
                panic!("two were wanted");
            };
            assert_eq!(last.observation.greeting.unwrap().text.first(), evidence.as_bytes());
            assert_eq!(last.observation.samples.len(), 2);
        }
    }

    #[test]
    fn where_one_is_wanted_or_nobody_greets_there_is_no_further_one() {
        for (outcome, count) in
            [(Outcome::Greeted, 1), (Outcome::Silent, 3), (Outcome::Refused, 3), (Outcome::NotSmtp, 3)]
        {
            let Sampled::Enough(last) = sample(seen(attempt(), outcome, "a.example.org"), wanted(count))
            else {
                panic!("{outcome:?}");
            };
            assert_eq!(last.observation.samples, []);
        }
    }

    #[test]
    fn a_server_that_asks_for_less_is_left_with_the_names_seen_so_far() {
        let Sampled::Further(attempt) = sample(seen(attempt(), Outcome::Greeted, "a.example.org"), wanted(9))
        else {
            panic!("nine were wanted");
        };
        let Sampled::Enough(last) = sample(seen(attempt, Outcome::Rejected, "b.example.org"), wanted(1))
        else {
            panic!("it asked for less");
        };
        assert_eq!(last.observation.samples, [Some("a.example.org".into()), Some("b.example.org".into())]);
    }
}
