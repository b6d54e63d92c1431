//! How many packets may be open at one upstream, sent and not answered, for a resolver works on only so many
//! questions at once. Those that are late are not counted: names of dead zones, which some resolvers work on
//! for ten seconds, must not keep the others out. Where they fill a resolver up, it fails at the others, and
//! the cut is the deeper. Knows no packet and no time.
//!
//! By example: 500 at first. While questions wait for a place and answers keep up, 625, 781, 976 in steps of
//! a tenth of a second. The resolver takes 900, and fails beyond: 976 is cut to 488, and failures end, so the
//! cut stays. Up to 780 (four fifths of 976) it rises by 4 % a step, and from there by half a per cent.

/// Packets open at first: about half of what resolvers work on at once by default, or a quarter. The
/// defaults, as each server of Debian 12 prints them itself:
///
/// - BIND 9.18: `recursive-clients 1000` (`named -C`).
/// - Unbound 1.17: `num-queries-per-thread` 1024 of one thread (`unbound-checkconf -o num-queries-per-thread`; 512 in some
///   builds, unbound.conf(5), which also says that further questions are dropped).
/// - `PowerDNS` Recursor 4.8: `max-mthreads=2048` (`pdns_recursor --config=default`).
const START: f64 = 500.0;
/// The same where no limit is wanted.
const START_UNLIMITED: f64 = 4096.0;
/// More than there are slots for packets of each question: no limit at all.
const MOST: f64 = 65_536.0;
/// No cut leaves fewer.
const LEAST: f64 = 10.0;
/// Growth for each step before the first cut that stayed; afterwards; and near where that cut was made.
const FAST: f64 = 1.25;
const SLOW: f64 = 1.04;
const NEAR: f64 = 1.005;
/// For so many steps it is remembered that questions waited.
const REMEMBERED: u32 = 10;
/// Where near begins.
const NEARNESS: f64 = 0.8;

/// Packets that are out to one upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Load {
    /// All that may be answered.
    pub(super) open: u32,
    /// Of these, those that were not answered in time.
    pub(super) late: u32,
}

#[derive(Debug)]
pub(super) struct Window {
    most: f64,
    /// Where the last cut that stayed was made.
    ceiling: Option<f64>,
    /// Whether questions waited for a place since the last step, and within how many steps they did at last.
    is_pressed: bool,
    pressed_for: u32,
}

impl Window {
    /// As many as every resolver takes.
    pub(super) fn new() -> Self {
        Self { most: START, ceiling: None, is_pressed: false, pressed_for: 0 }
    }

    /// For a resolver of one's own.
    pub(super) fn unlimited() -> Self {
        Self { most: START_UNLIMITED, ..Self::new() }
    }

    /// First packets that may go. What is asked once more waits for no place: it has waited already.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and never negative")]
    pub(super) fn room(&self, load: Load) -> usize {
        let in_time = load.open.saturating_sub(load.late);
        (self.most - f64::from(in_time)).max(0.0) as usize
    }

    /// Questions wait for a place.
    pub(super) fn press(&mut self) {
        self.is_pressed = true;
    }

    /// A step in which answers kept up, or not.
    pub(super) fn step(&mut self, keeps_up: bool) {
        let was_pressed = std::mem::take(&mut self.is_pressed);
        self.pressed_for = if was_pressed { REMEMBERED } else { self.pressed_for.saturating_sub(1) };
        if was_pressed && keeps_up {
            let growth = match self.ceiling {
                None => FAST,
                Some(ceiling) if self.most < NEARNESS * ceiling => SLOW,
                Some(_) => NEAR,
            };
            self.most = (self.most * growth).min(MOST);
        }
    }

    /// Halves it, or what is made use of it, if questions have waited for it lately: else something else was
    /// too much. Gives what it was.
    pub(super) fn cut(&mut self, load: Load) -> f64 {
        let before = self.most;
        if self.pressed_for == 0 && !self.is_pressed {
            return before;
        }
        let in_time = f64::from(load.open.saturating_sub(load.late));
        self.most = (self.most.min(in_time.max(self.most / 4.0)) / 2.0).max(LEAST);
        before
    }

    /// The cut did not help: it is as it was.
    pub(super) fn restore(&mut self, before: f64) {
        self.most = before;
    }

    /// The cut helped.
    pub(super) fn keep_cut(&mut self, before: f64) {
        if self.most < before {
            self.ceiling = Some(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_by_steps_that_were_pressed_and_well_and_closes_by_halves() {
        let mut window = Window::new();
        let full = |window: &Window| window.room(Load::default());
        assert_eq!(full(&window), 500);
        window.step(true);
        window.press();
        window.step(false);
        window.step(true);
        assert_eq!(full(&window), 500, "not without both");
        for most in [625, 781, 976] {
            window.press();
            window.step(true);
            assert_eq!(full(&window), most);
        }
        let before = window.cut(Load { open: 976, late: 0 });
        assert_eq!(full(&window), 488);
        assert_eq!(window.room(Load { open: 570, late: 176 }), 488 - 394, "the late ones are not counted");
        window.restore(before);
        assert_eq!(full(&window), 976);
        let before = window.cut(Load { open: 976, late: 0 });
        window.keep_cut(before);
        let mut steps = 0;
        while full(&window) < 780 {
            window.press();
            window.step(true);
            steps += 1;
        }
        assert_eq!(steps, 12);
        for _ in 0..10 {
            window.press();
            window.step(true);
        }
        assert!((800..830).contains(&full(&window)), "{window:?}");
        window.cut(Load { open: 1000, late: 700 });
        assert_eq!(full(&window), 150, "what is not made use of is cut, too");
        for _ in 0..REMEMBERED {
            window.step(true);
        }
        window.cut(Load { open: 100, late: 0 });
        assert_eq!(full(&window), 150, "what nobody waited for is not what was too much");
    }
}
