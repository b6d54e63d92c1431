//! The turns of a scan: the names of the target list, and every address of the set on the first port, in the
//! set's order, then on the next port. Names are drawn beside the addresses: what they lead to is to be known
//! early.
//!
//! With 3 names, 1,000 addresses and 2 ports, turns 0 to 2 are the names, 3 to 1,002 the addresses on the
//! first port, 1,003 to 2,002 those on the second. Every shard resolves all names, for only then does it know
//! which of the addresses that they lead to are its own.

pub mod live_exclusions;
pub mod named;
pub mod resolved_address;

use std::net::IpAddr;
use std::sync::Arc;

use crate::name::HostName;
use crate::resolve::Want;
use crate::scan::attempt::{Attempt, TargetSource};
use crate::scan::schedule::live_exclusions::LiveExclusions;
use crate::targets::{Entry, Exclusions, Inventory, Kind, Order, Shard, Share, TargetSet, Turns};

/// Who asked for what, and what is not to be touched: known to every stage that makes or checks a target.
#[derive(Debug)]
pub struct Scope {
    set: Arc<TargetSet>,
    exclusions: Arc<Exclusions>,
    added: Arc<LiveExclusions>,
    names: Vec<Entry>,
    ports: Vec<u16>,
    /// `None` where one machine does the whole scan.
    share: Option<(Shard, Share)>,
}

impl Scope {
    /// A scope of a set, of all names that stand beside it, and of the ports of the scan.
    pub fn new(set: Arc<TargetSet>, exclusions: Arc<Exclusions>, names: Vec<Entry>, ports: Vec<u16>) -> Self {
        Self { set, exclusions, added: Arc::default(), names, ports, share: None }
    }

    /// The same for the shard of an order.
    #[must_use]
    pub fn with_share(self, order: &Arc<Order>) -> Self {
        let of = order.shard();
        let share = (of != Shard::WHOLE).then(|| (of, Share::new(Arc::clone(order))));
        Self { share, ..self }
    }

    /// The same, with exclusions that may come while the scan runs.
    #[must_use]
    pub fn with_added(self, added: Arc<LiveExclusions>) -> Self {
        Self { added, ..self }
    }

    /// The ports, each target's first one first.
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Whether an address must not be touched.
    pub fn is_blocked(&self, ip: IpAddr) -> bool {
        self.exclusions.blocked(ip).is_some() || self.added.blocks(ip)
    }

    /// Whether an address has a turn of its own.
    pub fn draws(&self, ip: IpAddr) -> bool {
        self.set.contains(ip)
    }

    /// Whether this shard is the one that speaks to an address.
    pub fn speaks_to(&self, ip: IpAddr) -> bool {
        self.share.as_ref().is_none_or(|(_, share)| share.has(ip))
    }

    /// Whether this shard is the one that writes what is to be said of a name itself, not of an address of
    /// it.
    pub fn answers_for(&self, name: usize) -> bool {
        self.share.as_ref().is_none_or(|(shard, _)| shard.has(name as u64))
    }

    /// The host name of an entry by its number among the names; `None` for the mail domain of an `mx:` entry.
    pub fn host(&self, name: usize) -> Option<&HostName> {
        match &self.names.get(name)?.kind {
            Kind::Host(host) => Some(host),
            _ => None,
        }
    }

    /// What a record says of who asked.
    pub fn asked(&self, ip: Option<IpAddr>, asked: TargetSource) -> (Box<str>, Option<Arc<Inventory>>) {
        match (asked, ip) {
            (TargetSource::Name(name), _) => {
                let entry = self.names.get(name);
                let text = entry.map(|entry| entry.kind.to_string()).unwrap_or_default();
                (text.into_boxed_str(), entry.and_then(|entry| entry.inventory.clone()))
            }
            (TargetSource::Set, Some(ip)) => match self.set.owner(ip) {
                Some(owner) => (self.set.asked(ip, owner), self.set.inventory(owner).cloned()),
                None => (ip.to_string().into_boxed_str(), None),
            },
            (TargetSource::Set, None) => (Box::default(), None),
        }
    }
}

/// The turn of an address.
#[derive(Debug)]
pub enum Turn {
    /// An address in its place in the order; its lap visits so many blocks.
    Address {
        /// The target.
        attempt: Attempt,
        /// Blocks in this lap.
        lap_blocks: u128,
    },
    /// An address outside its place, for it was drawn in an earlier run.
    Stray(Attempt),
}

/// The turn of a name, which is to be resolved.
#[derive(Debug)]
pub struct NameTurn {
    /// Its turn.
    pub turn: u128,
    /// Its number among the names.
    pub name: usize,
    /// What to ask.
    pub want: Want,
}

/// The walk through the turns of one port.
struct Walk {
    turns: Turns<Arc<Order>>,
    port: u16,
    /// The first turn behind it.
    end: u128,
}

/// The turns still to be taken.
pub struct Schedule {
    scope: Arc<Scope>,
    order: Arc<Order>,
    /// How many names are drawn: so many turns stand before the first address.
    names: u128,
    pending_names: std::vec::IntoIter<u128>,
    next_name: u128,
    walk: Option<Walk>,
    pending: std::vec::IntoIter<u128>,
    next: u128,
    end: u128,
    over: bool,
    resumed: bool,
}

impl Schedule {
    /// All turns from the first, or at most `limit` of them.
    pub fn new(scope: Arc<Scope>, order: Arc<Order>, limit: Option<u128>) -> Self {
        Self::resume(scope, order, limit, 0, Vec::new())
    }

    /// The turns that were pending, then those from `next` on.
    pub fn resume(
        scope: Arc<Scope>,
        order: Arc<Order>,
        limit: Option<u128>,
        next: u128,
        mut pending: Vec<u128>,
    ) -> Self {
        let limit = limit.unwrap_or(u128::MAX);
        let addresses = order.len().saturating_mul(scope.ports.len() as u128).min(limit);
        let names = (scope.names.len() as u128).min(limit - addresses);
        let resumed = next > 0 || !pending.is_empty();
        pending.sort_unstable();
        let addresses_pending = pending.split_off(pending.partition_point(|&turn| turn < names));
        Self {
            scope,
            order,
            names,
            pending_names: pending.into_iter(),
            next_name: next.min(names),
            walk: None,
            pending: addresses_pending.into_iter(),
            next: next.max(names),
            end: addresses.saturating_add(names),
            over: false,
            resumed,
        }
    }

    /// Whether an earlier run did some of the turns.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// How many turns are this shard's, done ones included: every address of it on each port, and its share
    /// of the names.
    pub fn turns(&self) -> u128 {
        (self.end - self.names).saturating_add(self.own_names(self.names))
    }

    /// How many of the first so many names this shard answers for.
    fn own_names(&self, names: u128) -> u128 {
        let names = usize::try_from(names).unwrap_or(usize::MAX).min(self.scope.names.len());
        (0..names).filter(|&name| self.scope.answers_for(name)).count() as u128
    }

    /// How many turns of this shard an earlier run did.
    pub fn turns_done(&self) -> u128 {
        let pending = self.pending_names.as_slice().iter();
        let names_pending = pending.filter(|&&turn| self.scope.answers_for(index(turn))).count() as u128;
        let names = self.own_names(self.next_name) - names_pending;
        names + (self.next - self.names) - self.pending.len() as u128
    }

    /// The number of the next turn of an address.
    pub fn position(&self) -> u128 {
        self.next
    }

    /// Whether the last address has been drawn.
    pub fn is_over(&self) -> bool {
        self.over || (self.pending.len() == 0 && self.next >= self.end)
    }

    /// How many names are still to be drawn.
    pub fn names_left(&self) -> usize {
        self.pending_names.len() + index(self.names - self.next_name)
    }

    /// The next name.
    pub fn next_name(&mut self) -> Option<NameTurn> {
        let turn = self.pending_names.next().or_else(|| {
            let turn = self.next_name;
            (turn < self.names).then(|| {
                self.next_name += 1;
                turn
            })
        })?;
        let name = index(turn);
        let want = match &self.scope.names.get(name)?.kind {
            Kind::Host(host) => Want::Addresses(host.clone()),
            Kind::Mx(domain) => Want::MailHosts(domain.clone()),
            Kind::Address(_) | Kind::Prefix(_) | Kind::Range(..) | Kind::Asn(_) => return None,
        };
        Some(NameTurn { turn, name, want })
    }

    /// Whether an address has a turn of its own in some shard.
    pub fn draws(&self, ip: IpAddr) -> bool {
        self.scope.draws(ip)
    }

    /// How many blocks the first lap visits.
    pub fn first_lap_blocks(&self) -> u128 {
        u128::from(self.order.lap_blocks(0))
    }

    /// A walk from one turn on, to the last one with its port.
    fn walk_from(&self, turn: u128) -> Walk {
        let (each, at) = (self.order.len().max(1), turn - self.names);
        let turns = Arc::clone(&self.order).turns_from(at % each);
        let end = (at / each + 1).saturating_mul(each).saturating_add(self.names);
        Walk { turns, port: self.port_of(turn), end }
    }

    fn port_of(&self, turn: u128) -> u16 {
        let at = usize::try_from((turn - self.names) / self.order.len().max(1)).ok();
        at.and_then(|at| self.scope.ports.get(at)).copied().unwrap_or_default()
    }

    fn stray(&self, turn: u128) -> Option<Turn> {
        let visit = self.order.nth((turn - self.names) % self.order.len().max(1))?;
        Some(Turn::Stray(Attempt::first(turn, visit.ip, self.port_of(turn))))
    }
}

/// The number of a name by its turn; there are fewer than 2^32.
fn index(turn: u128) -> usize {
    usize::try_from(turn).unwrap_or(usize::MAX)
}

impl Iterator for Schedule {
    type Item = Turn;

    /// The next address.
    fn next(&mut self) -> Option<Turn> {
        if let Some(turn) = self.pending.next() {
            return self.stray(turn);
        }
        if self.next >= self.end {
            self.over = true;
            return None;
        }
        let turn = self.next;
        self.next += 1;
        let walk = match &mut self.walk {
            Some(walk) if turn < walk.end => walk,
            _ => {
                let walk = self.walk_from(turn);
                self.walk.insert(walk)
            }
        };
        let lap_blocks = u128::from(walk.turns.lap_blocks());
        let Some(visit) = walk.turns.next() else {
            self.over = true;
            return None;
        };
        Some(Turn::Address { attempt: Attempt::first(turn, visit.ip, walk.port), lap_blocks })
    }
}
