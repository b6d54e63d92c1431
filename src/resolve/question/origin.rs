//! Where an answer came from: which upstream, when, and what that upstream had shown by then. Knows no
//! question.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::Answer;

/// Where an answer came from.
#[derive(Debug)]
pub struct Origin {
    /// The upstream, by its number in the settings.
    pub upstream: usize,
    /// When its answer came.
    pub came: Instant,
    /// What its upstream had shown about questions of this kind.
    pub(in crate::resolve) shown: Shown,
    /// What it had shown about the zone that a denial names.
    pub(in crate::resolve) zone: Option<Box<Shown>>,
    /// Set once controls before and after it have confirmed the answer; it stays so.
    confirmed: AtomicBool,
    /// An [`Existence`], by its number.
    existence: AtomicU8,
    /// What another upstream answered to the same question, if it was asked for a second opinion.
    pub(in crate::resolve) second: OnceLock<Arc<Answer>>,
}

/// Whether a name that was denied is there under another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::resolve) enum Existence {
    /// Nobody has asked, or nothing was shown.
    Unknown,
    /// The question is under way.
    Asked,
    /// No record of any type is there.
    Absent,
    /// Something is there.
    Present,
}

/// What an upstream had shown when an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::resolve) struct Shown {
    /// The trust epoch in which the answer came.
    pub(in crate::resolve) epoch: u32,
    /// When the last control that shows existing names to be found was answered, within the epoch.
    pub(in crate::resolve) finds: Option<Instant>,
    /// When the last control that shows that nothing is invented was answered, within the epoch.
    pub(in crate::resolve) clean: Option<Instant>,
}

impl Origin {
    /// Nothing is known of the upstream yet.
    pub fn new(upstream: usize, came: Instant) -> Self {
        Self {
            upstream,
            came,
            shown: Shown::default(),
            zone: None,
            confirmed: AtomicBool::new(false),
            existence: AtomicU8::new(Existence::Unknown as u8),
            second: OnceLock::new(),
        }
    }

    /// Whether controls have confirmed the answer.
    pub(in crate::resolve) fn is_confirmed(&self) -> bool {
        self.confirmed.load(Ordering::Relaxed)
    }

    /// Controls before and after have confirmed the answer.
    pub(in crate::resolve) fn confirm(&self) {
        self.confirmed.store(true, Ordering::Relaxed);
    }

    /// Whether the name that was denied is there under another type.
    pub(in crate::resolve) fn existence(&self) -> Existence {
        let number = self.existence.load(Ordering::Relaxed);
        let all = [Existence::Unknown, Existence::Asked, Existence::Absent, Existence::Present];
        all.into_iter().find(|it| *it as u8 == number).unwrap_or(Existence::Unknown)
    }

    /// Takes note of that.
    pub(in crate::resolve) fn set_existence(&self, existence: Existence) {
        self.existence.store(existence as u8, Ordering::Relaxed);
    }
}

impl Clone for Origin {
    fn clone(&self) -> Self {
        Self {
            confirmed: AtomicBool::new(self.is_confirmed()),
            existence: AtomicU8::new(self.existence() as u8),
            zone: self.zone.clone(),
            second: self.second.clone(),
            ..*self
        }
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        (self.upstream, self.came) == (other.upstream, other.came)
    }
}

impl Eq for Origin {}
