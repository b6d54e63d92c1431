//! The controls of one upstream and one kind of question: which are due, and what their answers show. The
//! first that can be had is enough: a host that this upstream has confirmed itself, else fixed names, else
//! the zone that a denial names (see [`super::zones`]). An upstream that has confirmed no host is asked about
//! one that another has confirmed: if it denies that one, its denials are worth nothing beside the other's
//! answers.

use std::time::{Duration, Instant};

use super::control::{Control, Showing};
use super::fixed::{self, KnownHost};
use super::kind::ControlKind;
use super::standing::Standing;

/// The least time between two rounds of controls to one upstream, unless many answers wait.
const GAP: Duration = Duration::from_millis(100);
/// Answers that wait and do not leave others time to gather.
const MANY: u32 = 64;
/// The pause after a failed control.
const SOON: Duration = Duration::from_millis(250);
/// Controls take at most one in so many of the packets that an upstream is given.
const SHARE: u32 = 20;
/// Rounds under way at once: of an upstream that is slow, or silent.
const MOST_ROUNDS: u32 = 8;
/// A confirmed host is replaced by a fresh one when it is so old …
const RENEWED: Duration = Duration::from_secs(1);
/// … and is not used any more when it is so old: names change. Its TTL says nothing here, for it may be zero.
const HOLDS: Duration = Duration::from_secs(60);
/// Fixed names that are asked for at once as long as none was found.
const FIXED_AT_ONCE: usize = 3;
/// If no fixed name is found, they are asked for again after this time: there may be no way to the Internet.
const FIXED_AGAIN: Duration = Duration::from_secs(5);
/// How long zones wait for fixed names to be answered.
const FIXED_FIRST: Duration = Duration::from_millis(500);
/// How long it holds that nothing is invented before it is looked at again.
const CLEAN_HOLDS: Duration = Duration::from_secs(20);
/// The same while it is not known, or answers wait for it.
const CLEAN_AGAIN: Duration = Duration::from_millis(500);

/// What the caller has to do about an answer to a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing changed.
    Nothing,
    /// A control was passed.
    Passed,
    /// What exists was denied or changed: this name.
    Failed(crate::name::DnsName),
    /// What does not exist was found.
    Invented,
}

#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) standing: Standing,
    /// A host that this upstream has confirmed, and when.
    confirmed: Option<(KnownHost, Instant)>,
    /// How the last question about it ended.
    confirmed_showed: Option<Showing>,
    /// Whether a first round is due, before any answer waits for it.
    is_primed: bool,
    /// Answers that wait for a round.
    wanted: u32,
    last_round: Option<Instant>,
    rounds: u32,
    /// Fixed names that were found at some time, and those denied, a bit each.
    fixed_found: u32,
    fixed_denied: u32,
    fixed_asked: Option<Instant>,
    fixed_open: u32,
    next_fixed: usize,
    clean_wanted: bool,
    clean_asked: Option<Instant>,
    clean_open: u32,
    /// The round in which something invented was found.
    invented_in: Option<Instant>,
    prefix_asked: Option<Instant>,
    /// Whether hosts have waited for it in vain.
    pub(super) is_exhausted: bool,
}

impl Desk {
    /// Questions of this kind are about to be asked.
    pub(super) fn prime(&mut self) {
        self.is_primed = true;
    }

    /// An answer waits for controls.
    pub(super) fn want(&mut self) {
        self.wanted = self.wanted.saturating_add(1);
    }

    /// Nothing waits any more, as far as is known.
    pub(super) fn want_nothing(&mut self) {
        self.wanted = 0;
        self.clean_wanted = false;
    }

    /// An answer waits for a look at what is invented.
    pub(super) fn want_clean(&mut self) {
        self.want();
        self.clean_wanted = true;
    }

    /// Takes note of a host that this upstream has confirmed.
    pub(super) fn learn(&mut self, host: impl FnOnce() -> KnownHost, now: Instant) {
        let is_old = |(_, at): &(KnownHost, Instant)| now >= *at + RENEWED;
        if self.confirmed.as_ref().is_none_or(is_old) {
            self.confirmed = Some((host(), now));
            self.confirmed_showed = None;
        }
    }

    /// When the next round is due, of an upstream that is given `rate` packets a second.
    pub(super) fn due(&self, rate: u32, now: Instant) -> Option<Instant> {
        let Some(last) = self.last_round else { return (self.is_primed || self.wanted > 0).then_some(now) };
        if self.wanted == 0 || self.rounds >= MOST_ROUNDS {
            return None;
        }
        if self.wanted >= MANY && !self.standing.is_failing() && self.rounds == 0 {
            return Some(last);
        }
        let gap = if self.standing.is_failing() { SOON } else { GAP };
        // A round is one or two packets.
        let paced = Duration::from_secs(1) * (2 * SHARE) / rate.max(1);
        Some(last + gap.max(paced.min(Duration::from_secs(2))))
    }

    /// The controls of the round that is due now.
    pub(super) fn begin(
        &mut self,
        kind: ControlKind,
        shared: Option<&KnownHost>,
        now: Instant,
    ) -> Vec<Control> {
        self.wanted = 0;
        self.last_round = Some(now);
        let mut controls = Vec::new();
        let confirmed = self.confirmed(now).cloned();
        if let Some(host) = &confirmed {
            controls.push(Control::Confirmed(host.clone()));
            self.rounds += 1;
        } else if let Some(host) = shared {
            controls.push(Control::Shared(host.clone()));
            self.rounds += 1;
        }
        if confirmed.is_none() || !self.is_confirmed_good() {
            self.begin_fixed(kind, now, &mut controls);
        }
        if self.is_clean_due(now) {
            self.clean_asked = Some(now);
            self.clean_wanted = false;
            self.clean_open += 2;
            controls.extend([Control::Absent, Control::Absent]);
            if kind == ControlKind::Aaaa && self.prefix_asked.replace(now).is_none() {
                controls.push(Control::Dns64);
            }
        }
        controls
    }

    fn begin_fixed(&mut self, kind: ControlKind, now: Instant, controls: &mut Vec<Control>) {
        let again = self.fixed_asked.is_none_or(|at| now.saturating_duration_since(at) >= FIXED_AGAIN);
        if self.fixed_found == 0 && !again {
            return;
        }
        let count = if self.fixed_found == 0 { FIXED_AT_ONCE } else { 1 };
        let is_known = |number: &usize| self.fixed_found == 0 || self.fixed_found >> number & 1 == 1;
        let turn = (0..fixed::COUNT).map(|step| (self.next_fixed + step) % fixed::COUNT);
        let numbers: Vec<usize> = turn.filter(is_known).take(count).collect();
        for number in numbers {
            if let Some(host) = fixed::host(number, kind) {
                controls.push(Control::Fixed(number, host));
                self.next_fixed = number + 1;
                self.fixed_open += 1;
                self.rounds += 1;
            }
        }
        self.fixed_asked = Some(now);
    }

    fn is_clean_due(&self, now: Instant) -> bool {
        let again = if self.standing.invents() || self.clean_wanted { CLEAN_AGAIN } else { CLEAN_HOLDS };
        self.clean_asked.is_none_or(|at| now.saturating_duration_since(at) >= again)
    }

    /// Whether zones are to be tried, for nothing else can be had.
    pub(super) fn needs_zones(&self, now: Instant) -> bool {
        if self.standing.finds(now) || self.confirmed(now).is_some() && self.is_confirmed_good() {
            return false;
        }
        match self.fixed_asked {
            None => false,
            Some(at) => self.fixed_open == 0 || now.saturating_duration_since(at) >= FIXED_FIRST,
        }
    }

    /// Takes the answer to a control; `finds_others` says whether the upstream finds fixed names of another
    /// kind.
    pub(super) fn answered(
        &mut self,
        control: &Control,
        showing: Showing,
        sent: Instant,
        now: Instant,
        finds_others: bool,
    ) -> Verdict {
        match control {
            Control::Confirmed(host) => {
                self.rounds = self.rounds.saturating_sub(1);
                self.confirmed_answered(host, showing, sent, now)
            }
            Control::Shared(host) => {
                self.rounds = self.rounds.saturating_sub(1);
                match showing {
                    Showing::Found => {
                        self.standing.agreed(sent, now);
                        self.is_exhausted = false;
                        self.learn(|| host.clone(), now);
                        Verdict::Passed
                    }
                    Showing::Denied | Showing::Changed => {
                        self.standing.disputed();
                        Verdict::Failed(host.name.clone())
                    }
                    Showing::Failed | Showing::Silent => Verdict::Nothing,
                }
            }
            Control::Fixed(number, host) => {
                self.rounds = self.rounds.saturating_sub(1);
                self.fixed_open = self.fixed_open.saturating_sub(1);
                self.fixed_answered(*number, host, showing, sent, now, finds_others)
            }
            Control::Absent => {
                self.clean_open = self.clean_open.saturating_sub(1);
                match showing {
                    Showing::Found | Showing::Changed => {
                        self.standing.invented();
                        self.invented_in = Some(sent);
                        Verdict::Invented
                    }
                    Showing::Denied | Showing::Failed => {
                        // The other label of this round may have been found, or may yet be.
                        let is_whole = self.clean_open == 0 && self.invented_in != Some(sent);
                        if !self.standing.invents() || is_whole {
                            self.standing.stayed_clean(sent, now);
                        }
                        Verdict::Passed
                    }
                    Showing::Silent => Verdict::Nothing,
                }
            }
            Control::Zone(..) | Control::Existence(..) | Control::Dns64 => Verdict::Nothing,
        }
    }

    fn confirmed_answered(
        &mut self,
        host: &KnownHost,
        showing: Showing,
        sent: Instant,
        now: Instant,
    ) -> Verdict {
        if self.confirmed.as_ref().is_some_and(|(known, _)| known == host) {
            self.confirmed_showed = Some(showing);
        }
        match showing {
            Showing::Found => {
                self.standing.agreed(sent, now);
                self.pass(sent, now)
            }
            Showing::Denied | Showing::Changed => {
                self.fixed_asked = self.fixed_asked.filter(|_| self.fixed_found > 0);
                self.standing.failed();
                Verdict::Failed(host.name.clone())
            }
            Showing::Failed | Showing::Silent => Verdict::Nothing,
        }
    }

    fn fixed_answered(
        &mut self,
        number: usize,
        host: &KnownHost,
        showing: Showing,
        sent: Instant,
        now: Instant,
        finds_others: bool,
    ) -> Verdict {
        let bit = 1 << number;
        match showing {
            Showing::Found => {
                self.fixed_found |= bit;
                if matches!(self.confirmed_showed, Some(Showing::Denied | Showing::Changed)) {
                    // The host has changed its names meanwhile.
                    self.confirmed = None;
                    self.confirmed_showed = None;
                }
                self.pass(sent, now)
            }
            Showing::Denied => {
                self.fixed_denied |= bit;
                // Without the Internet their absence is the truth. Not so for who has found this very name,
                // or finds the names of the same hosts in another kind and denies several in this one.
                let is_selective = finds_others
                    && self.fixed_found == 0
                    && self.fixed_denied.count_ones() as usize >= FIXED_AT_ONCE;
                if self.fixed_found & bit == 0 && !is_selective {
                    return Verdict::Nothing;
                }
                self.standing.failed();
                Verdict::Failed(host.name.clone())
            }
            Showing::Changed | Showing::Failed | Showing::Silent => Verdict::Nothing,
        }
    }

    fn pass(&mut self, sent: Instant, now: Instant) -> Verdict {
        self.standing.found(sent, now);
        self.is_exhausted = false;
        Verdict::Passed
    }

    /// Whether the host that it has confirmed was still found when it was asked for last.
    fn is_confirmed_good(&self) -> bool {
        matches!(self.confirmed_showed, None | Some(Showing::Found))
    }

    /// Whether it is being tried now, or is about to be for the first time.
    pub(super) fn is_on_trial(&self) -> bool {
        !self.standing.is_out()
            && (self.rounds + self.clean_open > 0 || self.is_primed && self.last_round.is_none())
    }

    /// Whether fixed names were found.
    pub(super) fn finds_fixed(&self) -> bool {
        self.fixed_found > 0
    }

    fn confirmed(&self, now: Instant) -> Option<&KnownHost> {
        let (host, at) = self.confirmed.as_ref()?;
        (now.saturating_duration_since(*at) < HOLDS).then_some(host)
    }
}
