//! How each upstream does, for people to watch while a scan runs. Written by the engine, read by anyone.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::question::Kind;

/// All upstreams, and the questions as a whole.
#[derive(Debug)]
pub struct Health {
    /// One for each upstream, in the order of the settings.
    pub upstreams: Vec<UpstreamHealth>,
    /// Questions that ended.
    pub answers: AtomicU64,
    /// Of these, definite ones.
    pub definite: AtomicU64,
}

/// Adds one to a number that only this thread writes.
pub(super) fn count(number: &AtomicU64) {
    number.store(number.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// One upstream.
#[derive(Debug)]
pub struct UpstreamHealth {
    /// Its address.
    pub address: SocketAddr,
    /// Packets sent to it.
    pub sent: AtomicU64,
    /// Packets from it that belong to a question.
    pub answered: AtomicU64,
    /// Packets that no answer came for in time.
    pub timeouts: AtomicU64,
    /// Answers with SERVFAIL or another failure code, REFUSED aside.
    pub servfail: AtomicU64,
    /// Answers with REFUSED.
    pub refused: AtomicU64,
    /// Questions that it settled.
    pub settled: ByKind,
    /// Answers that settle nothing though they carry no failure code: no answer to the question, or a denial
    /// without the SOA of a zone at or above the name.
    pub unclear: ByKind,
    /// Packets a second that it is given now.
    pub rate: AtomicU32,
    /// Whether it is asked; one that is down is only tried now and then.
    pub up: AtomicBool,
}

/// A number for each group of record types that resolvers treat alike.
#[derive(Debug, Default)]
pub struct ByKind {
    ptr: AtomicU64,
    address: AtomicU64,
    other: AtomicU64,
}

impl ByKind {
    /// The number for questions of this type.
    pub fn of(&self, kind: Kind) -> &AtomicU64 {
        match kind {
            Kind::Ptr => &self.ptr,
            Kind::A | Kind::Aaaa => &self.address,
            Kind::Mx | Kind::Ns | Kind::Soa => &self.other,
        }
    }

    /// The sum of all.
    pub fn sum(&self) -> u64 {
        [&self.ptr, &self.address, &self.other].map(|number| number.load(Ordering::Relaxed)).iter().sum()
    }
}

impl Health {
    /// Nothing sent yet, all up.
    pub fn new(upstreams: &[SocketAddr]) -> Self {
        let upstreams = upstreams
            .iter()
            .map(|&address| UpstreamHealth {
                address,
                sent: AtomicU64::new(0),
                answered: AtomicU64::new(0),
                timeouts: AtomicU64::new(0),
                servfail: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                settled: ByKind::default(),
                unclear: ByKind::default(),
                rate: AtomicU32::new(0),
                up: AtomicBool::new(true),
            })
            .collect();
        Self { upstreams, answers: AtomicU64::new(0), definite: AtomicU64::new(0) }
    }

    /// The numbers of the upstreams that are up; who asks nobody counts as one.
    pub fn up(&self) -> impl Iterator<Item = usize> {
        let up =
            self.upstreams.iter().enumerate().filter(|(_, upstream)| upstream.up.load(Ordering::Relaxed));
        up.map(|(number, _)| number).chain(self.upstreams.is_empty().then_some(0))
    }
}
