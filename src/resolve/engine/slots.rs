//! Questions under way, one to a slot. Their number bounds the engine's memory; a slot is taken from
//! submission to the one answer.

use std::time::{Duration, Instant};

use super::keys::Key;
use super::pace::Epoch;
use crate::name::DnsName;
use crate::resolve::backend::Token;
use crate::resolve::question::{Kind, Question};
use crate::resolve::wire::{Edns, Fault};

/// As many numbers as a question has packets by default; of more packets only the last ones are waited for.
const MOST_NUMBERS: usize = 4;

/// A slot and who had it: stale once the question has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ticket {
    pub(super) slot: u32,
    generation: u32,
}

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Waits for its turn to be sent.
    Queued,
    /// A packet is out and may still be answered in time.
    Sent,
    /// All packets are out and late; an answer may still come.
    Late,
    /// Failed, to be asked again after a pause.
    Parked,
    /// Asked over TCP.
    Tcp,
}

/// Who may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Whoever is up.
    Any,
    /// One upstream alone: the question is about that one.
    Alone,
}

/// The numbers of a question's last packets: late answers to them count. They stand in the slot itself, for
/// they are looked at with each packet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers([Option<Key>; MOST_NUMBERS]);

impl Numbers {
    /// Adds one; gives back the oldest if there are too many.
    pub(super) fn push(&mut self, key: Key) -> Option<Key> {
        let oldest = self.0[MOST_NUMBERS - 1];
        self.0.copy_within(..MOST_NUMBERS - 1, 1);
        self.0[0] = Some(key);
        oldest
    }

    /// That of the last packet, as long as it is waited for.
    pub(super) fn last(&self) -> Option<Key> {
        self.0[0]
    }

    /// Whether none is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, key: Key) {
        for place in self.0.iter_mut().filter(|place| **place == Some(key)) {
            *place = None;
        }
    }

    /// Takes all of them out.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Key> + use<> {
        std::mem::take(self).0.into_iter().flatten()
    }
}

/// Whose choice a question's letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Chance's, where the upstream repeats them.
    Drawn,
    /// Nobody's: an answer came back in others.
    Small,
}

/// One question under way.
#[derive(Debug)]
pub(super) struct Slot {
    generation: u32,
    /// Whether a question is in it.
    pub(super) taken: bool,
    pub(super) token: Token,
    /// What is asked: the question, or the name that it is an alias for.
    pub(super) name: DnsName,
    pub(super) kind: Kind,
    pub(super) state: State,
    pub(super) route: Route,
    /// Plain once an upstream has not understood the question with EDNS.
    pub(super) edns: Edns,
    /// What the last packet offered.
    pub(super) offered: Edns,
    pub(super) spelling: Spelling,
    /// Numbers under which answers may come.
    pub(super) keys: Numbers,
    /// Packets for `name`, and before for what it is an alias of.
    pub(super) packets: u8,
    pub(super) spent: u8,
    /// When the first packet went out, and the last.
    pub(super) first_sent: Option<Instant>,
    pub(super) last_sent: Instant,
    /// The upstream asked last, or to be asked next while queued.
    pub(super) upstream: usize,
    /// The epoch of the first packet, and whether it was counted as failed.
    pub(super) epoch: Epoch,
    pub(super) epoch_upstream: usize,
    pub(super) counted_failed: bool,
    /// Whether some packet of it was not answered in time.
    pub(super) was_late: bool,
    /// Answers that settled nothing, the last one, and which upstreams gave them (one bit each).
    pub(super) failures: u8,
    pub(super) fault: Option<Fault>,
    pub(super) blamed: u64,
    /// Aliases that were asked for by a question of their own, and the least TTL on the way.
    pub(super) depth: u8,
    pub(super) ttl: u32,
}

impl Slot {
    /// When to give up, once a packet is out.
    pub(super) fn gives_up(&self, timeout: Duration) -> Option<Instant> {
        self.first_sent.map(|at| at + timeout)
    }
}

#[derive(Debug)]
pub(super) struct Slots {
    places: Vec<Slot>,
    free: Vec<u32>,
    most: usize,
}

impl Slots {
    /// Room for `most` questions; memory is taken as they come.
    pub(super) fn new(most: usize) -> Self {
        Self { places: Vec::new(), free: Vec::new(), most }
    }

    /// How many more questions there is room for.
    pub(super) fn room(&self) -> usize {
        self.most.saturating_sub(self.taken())
    }

    /// How many are under way.
    pub(super) fn taken(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Takes a slot; the caller has looked for room.
    pub(super) fn take(&mut self, token: Token, question: &Question, now: Instant) -> Ticket {
        let (slot, generation) = match self.free.pop() {
            Some(slot) => (slot, self.places[slot as usize].generation),
            None => (u32::try_from(self.places.len()).unwrap_or(u32::MAX), 0),
        };
        let fresh = Slot {
            generation,
            taken: true,
            token,
            name: question.name.clone(),
            kind: question.kind,
            state: State::Queued,
            route: Route::Any,
            edns: Edns::Offered,
            offered: Edns::Offered,
            spelling: Spelling::Drawn,
            keys: Numbers::default(),
            packets: 0,
            spent: 0,
            first_sent: None,
            last_sent: now,
            upstream: 0,
            epoch: 0,
            epoch_upstream: 0,
            counted_failed: false,
            was_late: false,
            failures: 0,
            fault: None,
            blamed: 0,
            depth: 0,
            ttl: u32::MAX,
        };
        match self.places.get_mut(slot as usize) {
            Some(place) => *place = fresh,
            None => self.places.push(fresh),
        }
        Ticket { slot, generation }
    }

    /// Frees a slot; its ticket is stale from now on.
    pub(super) fn free(&mut self, slot: u32) {
        let place = &mut self.places[slot as usize];
        place.generation = place.generation.wrapping_add(1);
        place.taken = false;
        self.free.push(slot);
    }

    /// The question that a ticket stands for, if it has not ended.
    pub(super) fn get(&mut self, ticket: Ticket) -> Option<&mut Slot> {
        self.places.get_mut(ticket.slot as usize).filter(|slot| slot.generation == ticket.generation)
    }

    /// The question in a taken slot.
    pub(super) fn at(&mut self, slot: u32) -> &mut Slot {
        &mut self.places[slot as usize]
    }

    /// The ticket of a taken slot.
    pub(super) fn ticket(&self, slot: u32) -> Ticket {
        Ticket { slot, generation: self.places[slot as usize].generation }
    }
}
