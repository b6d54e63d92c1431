//! Turns one after another: the order walked with additions and comparisons only.

use std::borrow::Borrow;
use std::sync::Arc;

use crate::targets::order::{Order, Section, Visit};
use crate::targets::span::Family;

/// The turns of an order from one on. Holds the order by reference or by `Arc`.
#[derive(Debug, Clone)]
pub struct Turns<O> {
    order: O,
    turn: u128,
    step: usize,
    lap: u128,
    /// Of the next visit, in the row of all shards.
    place: u64,
    v4: Walk,
    v6: Walk,
}

impl Order {
    /// The turns from one on, each in a few nanoseconds.
    pub fn iter_from(&self, turn: u128) -> Turns<&Self> {
        Turns::new(self, turn)
    }

    /// The same for a task that keeps the order itself.
    pub fn turns_from(self: Arc<Self>, turn: u128) -> Turns<Arc<Self>> {
        Turns::new(self, turn)
    }
}

/// A walk around the whole blocks of a family.
#[derive(Debug, Clone, Copy)]
struct Walk {
    count: u64,
    /// From one of this shard's blocks to the next.
    step: u64,
    /// Where it begins in each lap.
    first: u64,
    at: u64,
}

impl Walk {
    /// The walk of a section that stands in the row from `from` to `to`, with the next visit at `place`.
    fn new(order: &Order, family: Family, from: u64, to: u64, place: u64) -> Self {
        let whole = order.whole(family);
        let (first, every) = (order.shard().first(), u64::from(order.shard().count()));
        let own = |place: u64| first + place.saturating_sub(first).div_ceil(every) * every;
        let at = |place: u64| if place < to { whole.at(place - from) } else { 0 };
        let begin = at(own(from));
        Self {
            count: whole.count(),
            step: whole.step(every),
            first: begin,
            at: if place > from { at(place) } else { begin },
        }
    }

    fn next(&mut self) -> u64 {
        let at = self.at;
        self.at += self.step;
        if self.at >= self.count {
            self.at -= self.count;
        }
        at
    }
}

impl<O: Borrow<Order>> Turns<O> {
    pub(super) fn new(order: O, turn: u128) -> Self {
        let this = order.borrow();
        let turn = turn.min(this.len());
        let (step, lap, place) = this.spot(turn).map_or((0, 0, 0), |spot| (spot.step, spot.lap, spot.place));
        let [v6, large, v4, _] = this.ends();
        let v6 = Walk::new(this, Family::V6, 0, v6, place);
        let v4 = Walk::new(this, Family::V4, large, v4, place);
        Self { order, turn, step, lap, place, v4, v6 }
    }

    /// The number of the next turn.
    pub fn turn(&self) -> u128 {
        self.turn
    }

    /// How many blocks of this shard the lap of the next turn visits: a prefix that may be visited p times a
    /// second allows p times as many visits. None behind the last turn.
    pub fn lap_blocks(&self) -> u64 {
        let order = self.order.borrow();
        if self.turn >= order.len() {
            return 0;
        }
        order.steps()[self.step].own
    }

    /// The order.
    pub fn order(&self) -> &Order {
        self.order.borrow()
    }

    fn go_on(&mut self) {
        let order = self.order.borrow();
        self.turn += 1;
        self.place += u64::from(order.shard().count());
        if self.place < order.steps()[self.step].blocks {
            return;
        }
        self.lap += 1;
        if order.steps().get(self.step + 1).is_some_and(|next| next.lap == self.lap) {
            self.step += 1;
        }
        self.place = order.shard().first();
        self.v4.at = self.v4.first;
        self.v6.at = self.v6.first;
    }
}

impl<O: Borrow<Order>> Iterator for Turns<O> {
    type Item = Visit;

    fn next(&mut self) -> Option<Visit> {
        let order = self.order.borrow();
        if self.turn >= order.len() {
            return None;
        }
        let (ip, entry) = match order.section(self.place) {
            (Section::WholeV6, _) => order.visit_whole(Family::V6, self.v6.next(), self.lap),
            (Section::WholeV4, _) => order.visit_whole(Family::V4, self.v4.next(), self.lap),
            (section, at) => order.visit_part(section, at, self.lap),
        };
        let visit = Visit { turn: self.turn, ip, entry };
        self.go_on();
        Some(visit)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.order.borrow().len() - self.turn);
        (left.unwrap_or(usize::MAX), left.ok())
    }
}
