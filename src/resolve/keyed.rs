//! Questions as keys: hashed once, however many tables they stand in. The hash is keyed at random, for
//! strangers choose the names.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};

use super::question::Question;

/// A question and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keyed {
    hash: u64,
    pub(super) question: Question,
}

impl Keyed {
    /// Hashes a question; keys that meet must be made with one state.
    pub(super) fn new(question: Question, state: &RandomState) -> Self {
        Self { hash: state.hash_one(&question), question }
    }

    /// The hash.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }
}

impl Hash for Keyed {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.hash);
    }
}

/// A table by question.
pub(super) type ByQuestion<V> = HashMap<Keyed, V, BuildHasherDefault<Passed>>;

/// Passes a finished hash on.
#[derive(Debug, Default)]
pub(super) struct Passed(u64);

impl Hasher for Passed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
