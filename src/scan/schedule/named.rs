//! The targets that names lead to: each is spoken to once, and makes a record for every name that leads to
//! it.
//!
//! By example: `a.example` and `b.example` lead to 192.0.2.1, which stands in a prefix of the list, too.
//! Whoever comes first speaks to it, one of the names or the prefix's own turn. What it shows becomes two
//! records, one for each name, and the prefix's turn is done without one. As long as names are unresolved,
//! what was shown is kept, for a further name may lead there: the dispatcher begins only so many
//! conversations until then. Later nothing is kept but who waits.
//!
//! What bounds this: an entry for each address and port that names lead to, some 150 bytes, until its
//! conversation has ended; the names themselves are in memory anyway.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use foldhash::fast::RandomState;

use crate::evidence::{Observation, Resolution, Scanner};
use crate::record::Record;
use crate::scan::checkpoint::PartlyDone;

/// What a target showed, whoever asked for it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// When its conversation ended.
    pub time: SystemTime,
    /// What it showed.
    pub observation: Observation,
    /// What DNS says of it.
    pub resolution: Option<Resolution>,
    /// Who asked it.
    pub scanner: Arc<Scanner>,
}

/// A name by its turn.
pub type NameTurn = u128;

/// The targets that names lead to.
#[derive(Debug, Default)]
pub struct NamedTargets {
    targets: HashMap<SocketAddr, Target, RandomState>,
    names: HashMap<NameTurn, OpenName, RandomState>,
    /// Names that may still lead somewhere.
    unresolved: usize,
    /// What an earlier run did of names that it did not finish.
    partly_done: HashMap<NameTurn, Vec<SocketAddr>>,
    /// Targets of the set that have their records by name, and whose own turns are still to come.
    claimed: HashSet<SocketAddr, RandomState>,
}

#[derive(Debug, Default)]
struct Target {
    /// The names that wait for it.
    askers: Vec<Asker>,
    /// The turn that the set has for it, if that was passed over or is what spoke to it.
    turn: Option<u128>,
    /// What it showed, while further names may lead to it.
    shown: Option<Arc<Shown>>,
}

/// A name that leads to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Its turn.
    pub turn: NameTurn,
    /// Its number among the names.
    pub name: usize,
}

/// A name some of whose targets have not ended.
#[derive(Debug, Default)]
struct OpenName {
    /// How many.
    left: usize,
    /// Those that have.
    done: Vec<SocketAddr>,
    /// What is to be said of the name itself, once all of them have.
    records: Vec<Record>,
}

/// What a name that was resolved leads to, as far as it was not known before.
#[derive(Debug, Default)]
pub struct Joined {
    /// Targets that nobody was to speak to, by their place in what was given.
    pub fresh: Vec<usize>,
    /// Targets that have been spoken to.
    pub known: Vec<(SocketAddr, Arc<Shown>)>,
    /// Targets that others ask for, too.
    pub shared: usize,
    /// Targets that make a record for this name.
    pub targets: usize,
}

/// Whose a conversation was.
#[derive(Debug)]
pub enum Owner {
    /// Names lead there: each has a record of it. The set's turn for it, if one was met, is done.
    Names(Vec<Asker>, Box<Shown>, Option<u128>),
    /// It is the set's alone.
    Set(Shown),
    /// A name may still lead there: it is kept.
    Unknown,
}

impl NamedTargets {
    /// So many names that are still to be resolved.
    pub fn new(unresolved: usize) -> Self {
        Self { unresolved, ..Self::default() }
    }

    /// The same for a scan that is resumed.
    #[must_use]
    pub fn resumed(
        self,
        partly_done: impl IntoIterator<Item = PartlyDone>,
        claimed: impl IntoIterator<Item = SocketAddr>,
    ) -> Self {
        let partly_done = partly_done.into_iter().map(|name| (name.turn.into(), name.targets)).collect();
        Self { partly_done, claimed: claimed.into_iter().collect(), ..self }
    }

    /// A name was resolved, and leads to these targets; `records` say what is to be said of itself.
    pub fn join(&mut self, asker: Asker, targets: &[SocketAddr], records: Vec<Record>) -> Joined {
        self.unresolved = self.unresolved.saturating_sub(1);
        let done = self.partly_done.remove(&asker.turn).unwrap_or_default();
        let mut joined = Joined::default();
        for (at, socket) in targets.iter().enumerate() {
            if done.contains(socket) {
                continue;
            }
            let target = self.targets.entry(*socket).or_default();
            if target.askers.last() == Some(&asker) {
                // Another mail exchanger of the same domain leads there.
                continue;
            }
            joined.targets += 1;
            match &target.shown {
                Some(shown) => joined.known.push((*socket, Arc::clone(shown))),
                None if target.askers.is_empty() && target.turn.is_none() => joined.fresh.push(at),
                None => joined.shared += 1,
            }
            target.askers.push(asker);
        }
        self.names.insert(asker.turn, OpenName { left: joined.targets, done, records });
        joined
    }

    /// Whether every name was resolved, so that no further one can lead anywhere.
    pub fn all_resolved(&self) -> bool {
        self.unresolved == 0
    }

    /// A conversation has ended; `turn` is the set's, if it was that which spoke.
    pub fn conclude(&mut self, socket: SocketAddr, turn: Option<u128>, shown: Shown) -> Owner {
        let is_last = self.all_resolved();
        let Some(mut target) = self.targets.remove(&socket) else {
            if is_last {
                return Owner::Set(shown);
            }
            let target = Target { turn, shown: Some(Arc::new(shown)), ..Target::default() };
            self.targets.insert(socket, target);
            return Owner::Unknown;
        };
        let set_turn = turn.or(target.turn.take());
        let askers = target.askers.clone();
        if !is_last {
            self.targets.insert(socket, Target { shown: Some(Arc::new(shown.clone())), ..target });
        }
        Owner::Names(askers, Box::new(shown), set_turn)
    }

    /// What was kept of a target is the record of a name that came later: the set's turn for it is done.
    pub fn take_turn(&mut self, socket: SocketAddr) -> Option<u128> {
        self.targets.get_mut(&socket)?.turn.take()
    }

    /// All names are resolved: what was kept for further ones is let go. Gives back what no name led to.
    pub fn let_go(&mut self) -> Vec<(SocketAddr, u128, Arc<Shown>)> {
        let mut of_set = Vec::new();
        self.targets.retain(|socket, target| {
            let Some(shown) = target.shown.take() else { return true };
            of_set.extend(target.turn.map(|turn| (*socket, turn, shown)));
            false
        });
        self.targets.shrink_to_fit();
        of_set
    }

    /// The set's own turn for a target was passed over, for a name leads there; whether it is done with that.
    pub fn pass_over(&mut self, socket: SocketAddr, turn: u128) -> bool {
        self.claimed.remove(&socket);
        match self.targets.get_mut(&socket).filter(|target| target.shown.is_none()) {
            Some(target) => {
                target.turn = Some(turn);
                false
            }
            None => true,
        }
    }

    /// A target of the set has its records by name; the set's own turn for it is still to come.
    pub fn claim(&mut self, socket: SocketAddr) {
        self.claimed.insert(socket);
    }

    /// The addresses whose turns in the set are to be passed over, ascending.
    pub fn claimed(&self) -> Vec<IpAddr> {
        let addresses: BTreeSet<IpAddr> = self.claimed.iter().map(SocketAddr::ip).collect();
        addresses.into_iter().collect()
    }

    /// A target of a name has its record.
    pub fn settle(&mut self, turn: NameTurn, socket: SocketAddr) {
        if let Some(name) = self.names.get_mut(&turn) {
            name.left = name.left.saturating_sub(1);
            name.done.push(socket);
        }
    }

    /// If all targets of a name have their records: those that say something of itself.
    pub fn finish(&mut self, turn: NameTurn) -> Option<Vec<Record>> {
        let is_done = self.names.get(&turn).is_some_and(|name| name.left == 0);
        is_done.then(|| self.names.remove(&turn)).flatten().map(|name| name.records)
    }

    /// The names some of whose targets have their records and some not, for a checkpoint.
    pub fn partly_done(&self) -> Vec<PartlyDone> {
        let open = self.names.iter().map(|(turn, name)| (turn, &name.done));
        let open = open.chain(&self.partly_done).filter(|(_, done)| !done.is_empty());
        let sorted: BTreeMap<_, _> = open.collect();
        let partly = sorted.into_iter().map(|(&turn, done)| {
            // There are fewer than 2^32 names.
            PartlyDone { turn: u64::try_from(turn).unwrap_or(u64::MAX), targets: done.clone() }
        });
        partly.collect()
    }
}
