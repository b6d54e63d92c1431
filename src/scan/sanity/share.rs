//! How many failures in a row are more than chance: it depends on how many targets answer, and on how many
//! are known.
//!
//! If it were chance, any order of the answers and failures so far would be as likely as any other. Where 256
//! of 512 targets answered, 21 failures in a row at the end come once in a million orders; where 5 did, some
//! 7,000 do. After three answers alone, it takes 180 failures.

/// The share is that of about so many targets before.
const MEMORY: f64 = 512.0;
/// A failure counts for no less than one where one in a thousand answers: it bounds how many are held.
const LEAST: f64 = 1e-3;

/// How seldom a run is by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rarity {
    /// Less than once in a million targets, and at least eight in a row: wherever it is in a scan.
    Anywhere,
    /// Less than once in a thousand, and at least three in a row: where nothing more is to come.
    AtTheEnd,
}

impl Rarity {
    fn bounds(self) -> (f64, usize) {
        match self {
            Self::Anywhere => (1e-6, 8),
            Self::AtTheEnd => (1e-3, 3),
        }
    }
}

/// The share of targets that answered lately, and the failures in a row since.
#[derive(Debug, Default)]
pub(super) struct Run {
    answered: f64,
    failed: f64,
    length: usize,
    /// The logarithm of how likely the run is.
    likelihood: f64,
}

impl Run {
    /// So many targets of 64 answered, as far as is known of others.
    pub(super) fn guess(answered: f64) -> Self {
        const WEIGHT: f64 = 64.0;
        Self { answered: answered * WEIGHT, failed: (1.0 - answered) * WEIGHT, ..Self::default() }
    }

    /// The share that answers.
    pub(super) fn share(&self) -> f64 {
        self.answered / (self.answered + self.failed).max(1.0)
    }

    /// So many more targets answered or failed, none of them of the run.
    pub(super) fn add(&mut self, answered: usize, failed: usize) {
        self.answered += answered as f64;
        self.failed += failed as f64;
        let all = self.answered + self.failed;
        if all > MEMORY {
            self.answered *= MEMORY / all;
            self.failed *= MEMORY / all;
        }
    }

    /// The run is longer by one.
    pub(super) fn grow(&mut self) {
        self.length += 1;
        let failed = self.failed + self.length as f64;
        let likely = failed / (self.answered + failed);
        self.likelihood += likely.min(1.0 - LEAST).ln();
    }

    /// The run is over.
    pub(super) fn end(&mut self) {
        (self.length, self.likelihood) = (0, 0.0);
    }

    /// Whether the run is no chance.
    pub(super) fn is_unlikely(&self, rarity: Rarity) -> bool {
        let (most, shortest) = rarity.bounds();
        self.length >= shortest && self.likelihood < most.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unlikely(mut run: Run, rarity: Rarity) -> usize {
        run.end();
        let lengths = 1..100_000;
        lengths
            .into_iter()
            .find(|_| {
                run.grow();
                run.is_unlikely(rarity)
            })
            .unwrap()
    }

    #[test]
    fn the_fewer_answer_the_longer_a_run_must_be() {
        for (answered, failed, anywhere, at_the_end) in [
            (1000, 0, 8, 3),
            (500, 12, 8, 3),
            (256, 256, 21, 11),
            (64, 0, 8, 3),
            (5, 507, 6_891, 1_521),
            (3, 0, 180, 17),
            (3, 1, 286, 26),
            (0, 9, 13_809, 6_905),
            (0, 0, 13_809, 6_905),
        ] {
            let run = || {
                let mut run = Run::default();
                run.add(answered, failed);
                run
            };
            let lengths = (unlikely(run(), Rarity::Anywhere), unlikely(run(), Rarity::AtTheEnd));
            assert_eq!(lengths, (anywhere, at_the_end), "{answered} answered, {failed} failed");
        }
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut run = Run::default();
        run.add(512, 0);
        run.add(0, 5000);
        assert!(run.share() < 0.1, "{}", run.share());
        run.add(5000, 0);
        assert_eq!(unlikely(run, Rarity::Anywhere), 8);
    }

    #[test]
    fn a_guess_is_outweighed_soon() {
        assert_eq!(unlikely(Run::guess(0.5), Rarity::Anywhere), 26);
        let mut run = Run::guess(0.99);
        run.add(0, 128);
        assert!(run.share() < 0.4, "{}", run.share());
    }
}
