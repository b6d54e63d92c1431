//! How many failures in a row are more than chance: it depends on how many targets answer.
//!
//! Where half of the targets answer, twenty failures in a row come about once in a million targets; where one in a
//! hundred does, 1,375 do.

/// The share is that of about so many targets before.
const MEMORY: f64 = 512.0;
/// A run is no chance if it comes less than once in so many targets.
const RARE: f64 = 1e6;
/// The least share that is believed: it bounds how many failures are held.
const LEAST: f64 = 1e-3;
/// Fewer failures in a row are never a burst.
const SHORTEST: f64 = 8.0;

/// The share of targets that answered lately.
#[derive(Debug, Default)]
pub(super) struct Share {
    answered: f64,
    failed: f64,
}

impl Share {
    /// So many more targets answered or failed.
    pub(super) fn add(&mut self, answered: usize, failed: usize) {
        self.answered += answered as f64;
        self.failed += failed as f64;
        let all = self.answered + self.failed;
        if all > MEMORY {
            self.answered *= MEMORY / all;
            self.failed *= MEMORY / all;
        }
    }

    /// So many failures in a row are no chance.
    pub(super) fn unlikely_run(&self) -> usize {
        let share = (self.answered / (self.answered + self.failed + 1.0)).clamp(LEAST, 0.99);
        let run = RARE.ln() / -(1.0 - share).ln();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 8 and 13,809")]
        let run = run.ceil().max(SHORTEST) as usize;
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewer_answer_the_longer_a_run_must_be() {
        for (answered, failed, run) in
            [(1000, 0, 8), (500, 12, 8), (256, 256, 20), (5, 507, 1411), (0, 9, 13_809), (0, 0, 13_809)]
        {
            let mut share = Share::default();
            share.add(answered, failed);
            assert_eq!(share.unlikely_run(), run, "{answered} answered, {failed} failed");
        }
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut share = Share::default();
        share.add(512, 0);
        share.add(0, 5000);
        assert!(share.unlikely_run() > 140, "{}", share.unlikely_run());
        share.add(5000, 0);
        assert_eq!(share.unlikely_run(), 8);
    }
}
