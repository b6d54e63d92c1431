//! How a scan is told to end early.

use tokio::sync::watch;

/// How far the wish to end goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Go on.
    Run,
    /// Start nothing more; let what is under way end; save.
    Drain,
    /// Save what is written and return.
    Now,
}

/// The switch; whoever holds a clone may turn it.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<Level>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(Level::Run))
    }
}

impl Stop {
    /// Turns the switch; never back.
    pub fn ask(&self, level: Level) {
        self.0.send_if_modified(|now| {
            let further = level > *now;
            *now = (*now).max(level);
            further
        });
    }

    /// One level further than now: what a signal does.
    pub fn further(&self) {
        let next = if self.level() == Level::Run { Level::Drain } else { Level::Now };
        self.ask(next);
    }

    /// The level now.
    pub fn level(&self) -> Level {
        *self.0.borrow()
    }

    /// Waits until the switch stands at `level` or further.
    pub async fn reached(&self, level: Level) {
        let mut watch = self.0.subscribe();
        // The sender lives in `self`, so the wait ends only when the level is reached.
        let _ = watch.wait_for(|now| *now >= level).await;
    }
}
