//! A few questions put as they are, nothing kept and nothing joined, and every answer taken as it comes: for
//! whoever asks the servers of a zone about that zone.

use std::time::Duration;

use super::backend::{Resolve, Token};
use super::engine::Engine;
use super::error::ResolveError;
use super::question::{Answer, Question};
use super::settings::Settings;
use crate::evidence::Status;

/// Puts questions to the upstreams of `settings`, and gives an answer for each, in their order. Blocks until
/// the last one has come or was given up.
pub fn ask(settings: Settings, questions: &[Question]) -> Result<Vec<Answer>, ResolveError> {
    Ok(put(&mut Engine::open(settings)?, questions))
}

fn put(resolve: &mut impl Resolve, questions: &[Question]) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = vec![None; questions.len()];
    let mut waiting = (0u32..).zip(questions).peekable();
    let (mut open, mut came) = (questions.len(), Vec::new());
    while open > 0 {
        while resolve.room() > 0
            && let Some((number, question)) = waiting.next()
        {
            resolve.submit(Token(number), question);
        }
        resolve.turn(Duration::MAX, &mut came);
        for (Token(number), answer) in came.drain(..) {
            let place = usize::try_from(number).ok().and_then(|place| answers.get_mut(place));
            if let Some(place @ None) = place {
                *place = Some(answer);
                open -= 1;
            }
        }
    }
    answers.into_iter().map(|answer| answer.unwrap_or(Answer::bare(Status::NotAsked))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::fake::FakeResolver;
    use crate::resolve::question::Records;

    #[test]
    fn each_question_gets_its_own_answer() {
        let ip = |last: usize| std::net::IpAddr::from([192, 0, 2, u8::try_from(last % 256).unwrap()]);
        let questions: Vec<Question> = (0..3000).map(|last| Question::ptr(ip(last))).collect();
        let answer = |question: &Question| {
            Answer::found(Records::Names(vec![question.name.clone()]), Duration::from_secs(1))
        };
        let answers = put(&mut FakeResolver::new(answer), &questions);
        assert_eq!(answers.len(), 3000);
        for (question, answer) in questions.iter().zip(answers) {
            assert_eq!(answer.names(), std::slice::from_ref(&question.name));
        }
        assert!(put(&mut FakeResolver::new(answer), &[]).is_empty());
    }
}
