//! What the dispatcher hears, and what it makes of it: conversations that ended, looks at hosts that had
//! greeted, trouble of this machine.

use std::sync::atomic::Ordering::Relaxed;

use tokio::time::Instant;

use super::{Dispatcher, MAX_TROUBLES, Phase};
use crate::probe::LocalTrouble;
use crate::scan::attempt::{Attempt, AttemptKind};
use crate::scan::dispatch::canary::PathEvent;
use crate::scan::events::{CanaryResult, DispatchEvent};
use crate::scan::sanity::LookResult;

impl Dispatcher {
    /// Sends for a host that greeted, if it is time for one: a pass of its own, so that its prefix is not
    /// paced twice.
    pub(super) fn look(&mut self, now: Instant) {
        let Some(socket) = self.canaries.look(now) else { return };
        if self.occupied.holds(socket.ip()) {
            self.canaries.looked(now, CanaryResult::Void);
            return;
        }
        self.progress.looks.fetch_add(1, Relaxed);
        if self.phase == Phase::Order {
            self.begin_pass(now);
        }
        self.limiter.enter(self.rested.max(now), socket.ip(), Attempt::look(socket, AttemptKind::Canary));
    }

    pub(super) fn looked(&mut self, now: Instant, look: CanaryResult) {
        if look == CanaryResult::Silent {
            self.progress.silent_looks.fetch_add(1, Relaxed);
        }
        let notice = self.canaries.looked(now, look);
        match notice {
            Some(PathEvent::Lost) => {
                self.progress.losses.fetch_add(1, Relaxed);
                self.places.lose();
            }
            Some(PathEvent::Found) => self.places.find(now),
            Some(PathEvent::NoWay(_)) | None => {}
        }
        notice.into_iter().for_each(&self.tell);
    }

    pub(super) fn hear(&mut self, note: DispatchEvent) {
        let now = Instant::now();
        match note {
            DispatchEvent::Worker(report) => {
                self.places.give_back(report.worker, report.ended, report.ended > report.troubled.len());
                if report.troubled.len() < report.ended {
                    self.sound = true;
                }
                for met in &report.met {
                    self.parked.extend(self.occupied.leave(met.socket.ip()));
                }
                self.hear_of_path(now, &report.met, report.failed, &report.checked);
                self.parked.extend(report.again);
                for ip in report.too_much {
                    self.limiter.slow_down(now, ip);
                }
                if let Some(look) = report.look {
                    self.looked(now, look);
                }
                let is_trouble = |(_, trouble): &(Attempt, LocalTrouble)| *trouble != LocalTrouble::Defect;
                if report.troubled.iter().any(is_trouble) {
                    self.places.shrink(now);
                }
                self.take_back(report.troubled);
            }
            DispatchEvent::Resolved(attempts) => self.take_resolved(attempts),
        }
    }

    pub(super) fn take_back(&mut self, troubled: Vec<(Attempt, LocalTrouble)>) {
        if troubled.is_empty() {
            return;
        }
        let alone = std::mem::take(&mut self.sound);
        for (mut attempt, trouble) in troubled {
            // Trouble that all have is the machine's; only trouble that others do not have counts against a
            // target.
            attempt.troubles = attempt.troubles.saturating_add(u8::from(alone));
            if !alone && trouble != LocalTrouble::Defect {
                self.machine_in_trouble(trouble);
            }
            if attempt.errand == AttemptKind::Canary {
                self.looked(Instant::now(), CanaryResult::Void);
            } else if attempt.errand == AttemptKind::PathCheck {
                self.sanity.looked(Instant::now(), LookResult::Void);
            } else if attempt.troubles > MAX_TROUBLES || trouble == LocalTrouble::Defect {
                self.stuck += 1;
                self.stuck_for = Some(trouble);
            } else {
                self.again.push_back(attempt);
            }
        }
    }
}
