//! The turns of a scan, one after the other: every address of the set on the first port, in the set's order, then on the
//! next port, then the names of the target list.
//!
//! With 1,000 addresses, 2 ports and 3 names, turns 0 to 999 are the addresses on the first port, 1,000 to 1,999 those on
//! the second, 2,000 to 2,002 the names.

use std::net::IpAddr;
use std::sync::Arc;

use super::added::Added;
use super::aim::{Aim, Asked, Errand};
use crate::name::HostName;
use crate::resolve::Want;
use crate::targets::{Entry, Exclusions, Inventory, Kind, Order, TargetSet, Turns};

/// Who asked for what, and what is not to be touched: known to every stage that makes or checks a target.
#[derive(Debug)]
pub struct Roster {
    set: Arc<TargetSet>,
    exclusions: Arc<Exclusions>,
    added: Arc<Added>,
    names: Vec<Entry>,
    ports: Vec<u16>,
}

impl Roster {
    /// A roster of a set, of the names that stand beside it (this shard's share), and of the ports of the scan.
    pub fn new(set: Arc<TargetSet>, exclusions: Arc<Exclusions>, names: Vec<Entry>, ports: Vec<u16>) -> Self {
        Self { set, exclusions, added: Arc::default(), names, ports }
    }

    /// The same, with exclusions that may come while the scan runs.
    #[must_use]
    pub fn with_added(self, added: Arc<Added>) -> Self {
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

    /// The host name of an entry by its number among the names; `None` for the mail domain of an `mx:` entry.
    pub fn host(&self, name: usize) -> Option<&HostName> {
        match &self.names.get(name)?.kind {
            Kind::Host(host) => Some(host),
            _ => None,
        }
    }

    /// What a record says of who asked.
    pub fn asked(&self, ip: Option<IpAddr>, asked: Asked) -> (Box<str>, Option<Arc<Inventory>>) {
        match (asked, ip) {
            (Asked::Name(name), _) => {
                let entry = self.names.get(name);
                let text = entry.map(|entry| entry.kind.to_string()).unwrap_or_default();
                (text.into_boxed_str(), entry.and_then(|entry| entry.inventory.clone()))
            }
            (Asked::Set, Some(ip)) => match self.set.owner(ip) {
                Some(owner) => (self.set.asked(ip, owner), self.set.inventory(owner).cloned()),
                None => (ip.to_string().into_boxed_str(), None),
            },
            (Asked::Set, None) => (Box::default(), None),
        }
    }
}

/// One turn.
#[derive(Debug)]
pub enum Turn {
    /// An address in its place in the order; its lap visits so many blocks.
    Address {
        /// The target.
        aim: Aim,
        /// Blocks in this lap.
        lap_blocks: u128,
    },
    /// An address outside its place, for it was drawn in an earlier run.
    Stray(Aim),
    /// A name to be resolved.
    Name {
        /// Its turn.
        turn: u128,
        /// Its number among the names.
        name: usize,
        /// What to ask.
        want: Want,
    },
}

/// The walk through the turns of one port.
struct Walk {
    turns: Turns<Arc<Order>>,
    port: u16,
    /// The first turn behind it.
    end: u128,
}

/// The turns still to be taken.
pub struct Course {
    roster: Arc<Roster>,
    order: Arc<Order>,
    walk: Option<Walk>,
    pending: std::vec::IntoIter<u128>,
    next: u128,
    end: u128,
    over: bool,
}

impl Course {
    /// All turns from the first, or at most `limit` of them.
    pub fn new(roster: Arc<Roster>, order: Arc<Order>, limit: Option<u128>) -> Self {
        Self::resume(roster, order, limit, 0, Vec::new())
    }

    /// The turns that were pending, then those from `next` on.
    pub fn resume(
        roster: Arc<Roster>,
        order: Arc<Order>,
        limit: Option<u128>,
        next: u128,
        pending: Vec<u128>,
    ) -> Self {
        let all =
            order.len().saturating_mul(roster.ports.len() as u128).saturating_add(roster.names.len() as u128);
        let end = limit.map_or(all, |limit| limit.min(all));
        Self { roster, order, walk: None, pending: pending.into_iter(), next, end, over: false }
    }

    /// How many turns there are, done ones included.
    pub fn turns(&self) -> u128 {
        self.end
    }

    /// The next turn's number.
    pub fn position(&self) -> u128 {
        self.next
    }

    /// Whether the last turn has been taken.
    pub fn is_over(&self) -> bool {
        self.over || (self.pending.len() == 0 && self.next >= self.end)
    }

    /// How many blocks the first lap visits.
    pub fn first_lap_blocks(&self) -> u128 {
        u128::from(self.order.lap_blocks(0))
    }

    /// A walk from one turn on, to the last one with its port.
    fn walk_from(&self, turn: u128) -> Walk {
        let each = self.order.len().max(1);
        let turns = Arc::clone(&self.order).turns_from(turn % each);
        Walk { turns, port: self.port_of(turn), end: (turn / each + 1).saturating_mul(each) }
    }

    fn port_of(&self, turn: u128) -> u16 {
        let at = usize::try_from(turn / self.order.len().max(1)).ok();
        at.and_then(|at| self.roster.ports.get(at)).copied().unwrap_or_default()
    }

    fn name(&self, turn: u128) -> Option<Turn> {
        let first = self.order.len().saturating_mul(self.roster.ports.len() as u128);
        let name = usize::try_from(turn.checked_sub(first)?).ok()?;
        let want = match &self.roster.names.get(name)?.kind {
            Kind::Host(host) => Want::Addresses(host.clone()),
            Kind::Mx(domain) => Want::MailHosts(domain.clone()),
            Kind::Address(_) | Kind::Prefix(_) | Kind::Range(..) | Kind::Asn(_) => return None,
        };
        Some(Turn::Name { turn, name, want })
    }

    fn stray(&self, turn: u128) -> Option<Turn> {
        if let Some(name) = self.name(turn) {
            return Some(name);
        }
        let visit = self.order.nth(turn % self.order.len().max(1))?;
        Some(Turn::Stray(aim(turn, visit.ip, self.port_of(turn))))
    }
}

impl Iterator for Course {
    type Item = Turn;

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
                if let Some(name) = self.name(turn) {
                    return Some(name);
                }
                let walk = self.walk_from(turn);
                self.walk.insert(walk)
            }
        };
        let lap_blocks = u128::from(walk.turns.lap_blocks());
        let Some(visit) = walk.turns.next() else {
            self.over = true;
            return None;
        };
        Some(Turn::Address { aim: aim(turn, visit.ip, walk.port), lap_blocks })
    }
}

fn aim(turn: u128, ip: IpAddr, port: u16) -> Aim {
    Aim {
        errand: Errand::Record,
        turn,
        ip,
        port,
        attempts: 0,
        troubles: 0,
        doubted: 0,
        asked: Asked::Set,
        name: None,
        earlier: None,
    }
}
