//! The numbers under which answers are waited for, on each socket its own, and the questions that they belong
//! to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use rand::Rng;
use rand::rngs::StdRng;

use super::window::Load;
use crate::resolve::wire::{Edns, Letters};

/// One of the sockets, numbered through all upstreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lane(pub(crate) u16);

/// A number on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u32);

impl Key {
    pub(super) fn new(lane: Lane, id: u16) -> Self {
        Self(u32::from(lane.0) << 16 | u32::from(id))
    }

    /// The socket.
    pub(super) fn lane(self) -> Lane {
        // The lane is in the high 16 bits.
        Lane(u16::try_from(self.0 >> 16).unwrap_or(0))
    }

    /// The number alone, as in a message.
    #[expect(clippy::cast_possible_truncation, reason = "the number is in the low 16 bits")]
    pub(super) fn id(self) -> u16 {
        self.0 as u16
    }
}

/// What waits for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The slot of its question.
    pub(super) slot: u32,
    /// How the question was spelt.
    pub(super) letters: Letters,
    /// Whether it offered EDNS.
    pub(super) edns: Edns,
    /// Whether no answer came in time.
    pub(super) is_late: bool,
}

/// From numbers to what waits for them.
#[derive(Debug)]
pub(super) struct Keys {
    all: HashMap<u32, Waiting, BuildHasherDefault<KeyHasher>>,
    /// Sockets to each upstream, and what is out there.
    lanes: u16,
    loads: Vec<Load>,
}

impl Keys {
    /// None in use; `lanes` sockets to each of so many upstreams.
    pub(super) fn new(upstreams: usize, lanes: u16) -> Self {
        Self { all: HashMap::default(), lanes: lanes.max(1), loads: vec![Load::default(); upstreams] }
    }

    /// What is out to an upstream.
    pub(super) fn load(&self, upstream: usize) -> Load {
        self.loads.get(upstream).copied().unwrap_or_default()
    }

    fn load_of(&mut self, key: Key) -> Option<&mut Load> {
        self.loads.get_mut(usize::from(key.lane().0 / self.lanes))
    }

    /// Takes a random number that is not in use on a socket (RFC 5452 §9.2).
    #[expect(clippy::cast_possible_truncation, reason = "any 16 random bits")]
    pub(super) fn insert_unused(&mut self, lane: Lane, waiting: Waiting, random: &mut StdRng) -> Key {
        loop {
            let key = Key::new(lane, random.next_u32() as u16);
            // Far fewer are in use than there are: a question has no more of them than packets.
            if let Entry::Vacant(place) = self.all.entry(key.0) {
                place.insert(waiting);
                if let Some(load) = self.load_of(key) {
                    load.open += 1;
                }
                return key;
            }
        }
    }

    /// What waits for a number.
    pub(super) fn get(&self, key: Key) -> Option<Waiting> {
        self.all.get(&key.0).copied()
    }

    /// Waits for a number no longer.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(waiting) = self.all.remove(&key.0) else { return };
        if let Some(load) = self.load_of(key) {
            load.open -= 1;
            load.late -= u32::from(waiting.is_late);
        }
    }

    /// No answer came to it in time.
    pub(super) fn is_late(&mut self, key: Key) {
        let waiting = self.all.get_mut(&key.0);
        let was = waiting.map(|waiting| std::mem::replace(&mut waiting.is_late, true));
        if was == Some(false)
            && let Some(load) = self.load_of(key)
        {
            load.late += 1;
        }
    }
}

/// Keys are random already: spreading their bits is enough.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u32(u32::from(byte));
        }
    }

    fn write_u32(&mut self, key: u32) {
        self.0 = (self.0 ^ u64::from(key)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
