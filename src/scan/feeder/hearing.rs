//! What the feeder hears, and what it makes of it: conversations that ended, looks at hosts that had greeted, trouble of
//! this machine.

use std::sync::atomic::Ordering::Relaxed;

use tokio::time::Instant;

use super::{Feeder, MAX_TROUBLES, Note, Phase};
use crate::probe::LocalTrouble;
use crate::scan::aim::{Aim, Errand};
use crate::scan::canary::{Look, Notice};
use crate::scan::sanity::LookResult;

impl Feeder {
    /// Sends for a host that greeted, if it is time for one: a pass of its own, so that its prefix is not paced twice.
    pub(super) fn look(&mut self, now: Instant) {
        let Some(socket) = self.canaries.look(now) else { return };
        if self.occupied.holds(socket.ip()) {
            self.canaries.looked(now, Look::Void);
            return;
        }
        self.progress.looks.fetch_add(1, Relaxed);
        if self.phase == Phase::Order {
            self.begin_pass(now);
        }
        self.gate.enter(self.rested.max(now), socket.ip(), Aim::look(socket, Errand::Canary));
    }

    pub(super) fn looked(&mut self, now: Instant, look: Look) {
        if look == Look::Silent {
            self.progress.silent_looks.fetch_add(1, Relaxed);
        }
        let notice = self.canaries.looked(now, look);
        match notice {
            Some(Notice::Lost) => {
                self.progress.losses.fetch_add(1, Relaxed);
                self.places.lose();
            }
            Some(Notice::Found) => self.places.find(now),
            Some(Notice::NoWay(_)) | None => {}
        }
        notice.into_iter().for_each(&self.tell);
    }

    pub(super) fn hear(&mut self, note: Note) {
        let now = Instant::now();
        match note {
            Note::Shard(report) => {
                self.places.give_back(report.shard, report.ended, report.ended > report.troubled.len());
                if report.troubled.len() < report.ended {
                    self.sound = true;
                }
                for met in &report.met {
                    self.parked.extend(self.occupied.leave(met.socket.ip()));
                }
                self.hear_of_path(now, &report.met, report.failed, &report.checked);
                self.parked.extend(report.again);
                for ip in report.too_much {
                    self.gate.slow_down(now, ip);
                }
                if let Some(look) = report.look {
                    self.looked(now, look);
                }
                let is_trouble = |(_, trouble): &(Aim, LocalTrouble)| *trouble != LocalTrouble::Defect;
                if report.troubled.iter().any(is_trouble) {
                    self.places.shrink(now);
                }
                self.take_back(report.troubled);
            }
            Note::Resolved(aims) => self.take_resolved(aims),
        }
    }

    pub(super) fn take_back(&mut self, troubled: Vec<(Aim, LocalTrouble)>) {
        if troubled.is_empty() {
            return;
        }
        let alone = std::mem::take(&mut self.sound);
        for (mut aim, trouble) in troubled {
            // Trouble that all have is the machine's; only trouble that others do not have counts against a target.
            aim.troubles = aim.troubles.saturating_add(u8::from(alone));
            if !alone && trouble != LocalTrouble::Defect {
                self.machine_in_trouble(trouble);
            }
            if aim.errand == Errand::Canary {
                self.looked(Instant::now(), Look::Void);
            } else if aim.errand == Errand::PathCheck {
                self.sanity.looked(Instant::now(), LookResult::Void);
            } else if aim.troubles > MAX_TROUBLES || trouble == LocalTrouble::Defect {
                self.stuck += 1;
                self.stuck_for = Some(trouble);
            } else {
                self.again.push_back(aim);
            }
        }
    }
}
