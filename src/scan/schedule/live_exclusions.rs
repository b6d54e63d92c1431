//! Exclusions that were added while the scan ran. They leave the order as it is, for a checkpoint counts its
//! turns: an address of them keeps its turn and is `excluded` when that comes.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use crate::targets::Exclusions;

/// All that was added so far.
#[derive(Debug, Default)]
pub struct LiveExclusions {
    /// Whether there is anything: most scans never take the lock.
    any: AtomicBool,
    exclusions: RwLock<Option<Arc<Exclusions>>>,
}

impl LiveExclusions {
    /// From now on these are what was added; they hold what was added before.
    pub fn renew(&self, exclusions: Exclusions) {
        *self.exclusions.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(exclusions));
        self.any.store(true, Relaxed);
    }

    /// Whether an address must not be touched any more.
    pub fn blocks(&self, ip: IpAddr) -> bool {
        self.any.load(Relaxed) && {
            let held = self.exclusions.read().unwrap_or_else(PoisonError::into_inner);
            held.as_ref().is_some_and(|exclusions| exclusions.blocked(ip).is_some())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::{ExclusionsBuilder, ReservedPolicy};

    #[test]
    fn what_was_added_is_blocked_from_then_on() {
        let added = LiveExclusions::default();
        let ip = IpAddr::from([198, 18, 0, 1]);
        assert!(!added.blocks(ip));
        let mut builder = ExclusionsBuilder::new(ReservedPolicy::Allow);
        builder.argument("198.18.0.0/24").unwrap();
        added.renew(builder.build());
        assert!(added.blocks(ip));
        assert!(!added.blocks(IpAddr::from([198, 18, 1, 1])));
    }
}
