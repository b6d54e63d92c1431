//! One upstream resolver: how fast it answers, whether it answers, how much it is given. Time is an argument;
//! knows no packet.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::edns::EdnsSupport;
use super::flow::Flow;
use super::pace::Pace;
use super::window::Load;
use crate::resolve::health::{Health, UpstreamHealth, count};
use crate::resolve::question::Kind;

/// The wait for an answer before any was seen.
const FIRST_WAIT: Duration = Duration::from_millis(800);
/// No wait is shorter: a resolver that is close still asks others far away.
const LEAST_WAIT: Duration = Duration::from_millis(300);
/// No first wait is longer.
const MOST_WAIT: Duration = Duration::from_millis(1500);
/// Packets in a row without an answer, and the silence, that make an upstream suspect.
const SILENT_PACKETS: u32 = 32;
const SILENCE: Duration = Duration::from_secs(1);
/// How long a suspect has to answer a probe before it is down: a block of dead delegations is a long row of
/// timeouts too, and no fault of the upstream's.
const PROOF: Duration = Duration::from_secs(2);
/// Port-unreachable messages in a row that put an upstream down at once.
const UNREACHABLE: u32 = 8;
/// The pause between probes; doubled after each one while the upstream is down.
const FIRST_REST: Duration = Duration::from_millis(500);
/// The longest pause.
const MOST_REST: Duration = Duration::from_secs(4);
/// Answers after which the share of REFUSED is looked at.
const JUDGED_ANSWERS: u32 = 200;
/// Answers in a row in other letters than the questions after which it is not asked in drawn letters any
/// more.
const MISSPELT: u8 = 8;
/// How long an upstream that mostly refuses is set aside.
const ASIDE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) pace: Pace,
    pub(super) edns: EdnsSupport,
    flow: Flow,
    index: usize,
    health: Arc<Health>,
    state: State,
    /// The mean time to an answer and its deviation, in microseconds.
    smoothed: Option<(u32, u32)>,
    last_answer: Instant,
    silent: u32,
    unreachable: u32,
    answers: u32,
    refused: u32,
    /// Whether somebody on the way could send answers in its name.
    is_remote: bool,
    /// Answers in a row that did not repeat the question's letters.
    misspelt: u8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Up,
    /// Asked as usual, and probed.
    Suspect {
        until: Instant,
        probe_at: Instant,
    },
    /// Only probed.
    Down {
        probe_at: Instant,
        rest: Duration,
    },
    /// Left alone.
    Aside {
        until: Instant,
    },
}

/// What may go to an upstream now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// Packets.
    pub(super) packets: usize,
    /// What its rate alone would let go.
    pub(super) tokens: usize,
}

/// How an answer sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Like an answer.
    Sound,
    /// A failure code.
    Failing,
    /// REFUSED.
    Refusing,
}

/// Whether an event changed what may be sent where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    None,
    WentDown,
    CameUp,
}

impl Upstream {
    /// Up, nothing known.
    pub(super) fn new(index: usize, pace: Pace, health: Arc<Health>, now: Instant) -> Self {
        let upstream = Self {
            pace,
            edns: EdnsSupport::new((health.upstreams.len() > 1).then_some(now)),
            flow: Flow::new(),
            index,
            state: State::Up,
            smoothed: None,
            last_answer: now,
            silent: 0,
            unreachable: 0,
            answers: 0,
            refused: 0,
            is_remote: !health.upstreams[index].address.ip().to_canonical().is_loopback(),
            misspelt: 0,
            health,
        };
        upstream.publish();
        upstream
    }

    /// Whether it is asked.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up | State::Suspect { .. })
    }

    /// What may go to it now.
    pub(super) fn allowance(&mut self, now: Instant) -> Allowance {
        let tokens = self.pace.allowance(now);
        if self.is_up() {
            Allowance { packets: tokens.min(self.flow.allowance(now)), tokens }
        } else {
            Allowance { packets: 0, tokens: usize::MAX }
        }
    }

    /// When it may be asked, if it may not at `now`; `None` while it is down.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.is_up().then(|| self.pace.next(now).max(self.flow.next(now)))
    }

    /// When it is to be probed, if it is in doubt whether it is there, or whether it drops EDNS.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        match self.state {
            State::Up => self.edns.probe_at(),
            State::Aside { .. } => None,
            State::Suspect { probe_at, .. } | State::Down { probe_at, .. } => Some(probe_at),
        }
    }

    /// How long to wait for an answer to a first packet.
    pub(super) fn wait(&self) -> Duration {
        let Some((mean, deviation)) = self.smoothed else { return FIRST_WAIT };
        let wait = u64::from(mean) + 4 * u64::from(deviation);
        Duration::from_micros(wait).clamp(LEAST_WAIT, MOST_WAIT)
    }

    /// A question went out.
    pub(super) fn sent(&mut self, now: Instant) {
        self.pace.sent();
        self.flow.sent(now);
        count(&self.seen().sent);
    }

    /// A probe went out.
    pub(super) fn probed(&mut self, now: Instant) {
        self.sent(now);
        self.edns.probed(now);
        match &mut self.state {
            State::Up | State::Aside { .. } => {}
            State::Suspect { probe_at, .. } => *probe_at = now + FIRST_REST,
            State::Down { probe_at, rest } => {
                *probe_at = now + *rest;
                *rest = (*rest * 2).min(MOST_REST);
            }
        }
    }

    /// An answer came, `after` the packet if that is known.
    pub(super) fn heard(&mut self, now: Instant, after: Option<Duration>, tone: Tone) -> Turn {
        count(&self.seen().answered);
        self.flow.heard();
        self.last_answer = now;
        self.silent = 0;
        self.unreachable = 0;
        if let Some(after) = after {
            self.measure(after);
        }
        self.answers += 1;
        match tone {
            Tone::Sound => self.pace.answered(),
            Tone::Failing => {
                self.pace.failed_at_once();
                count(&self.seen().servfail);
            }
            Tone::Refusing => {
                self.refused += 1;
                self.pace.failed_at_once();
                count(&self.seen().refused);
            }
        }
        match self.state {
            State::Up | State::Aside { .. } => Turn::None,
            State::Suspect { .. } => {
                self.state = State::Up;
                Turn::None
            }
            State::Down { .. } => self.come_up(),
        }
    }

    /// It settled a question of this type.
    pub(super) fn settled(&self, kind: Kind) {
        count(self.seen().settled.of(kind));
    }

    /// It answered a question of this type, and settled nothing.
    pub(super) fn unclear(&self, kind: Kind) {
        count(self.seen().unclear.of(kind));
    }

    /// Whether its questions are spelt by chance: not over the loopback, where nobody else answers, and not
    /// if it gives them back in letters of its own.
    pub(super) fn is_spelt_by_chance(&self) -> bool {
        self.is_remote && self.misspelt < MISSPELT
    }

    /// An answer repeated the letters that chance had chosen, or did not.
    pub(super) fn repeated(&mut self, letters: bool) {
        if self.is_spelt_by_chance() {
            self.misspelt = if letters { 0 } else { self.misspelt + 1 };
        }
    }

    /// Whether it refused most of its last answers; looked at once in a while.
    pub(super) fn mostly_refuses(&mut self) -> bool {
        if self.answers < JUDGED_ANSWERS {
            return false;
        }
        let mostly = self.refused > self.answers / 2;
        self.answers = 0;
        self.refused = 0;
        mostly
    }

    /// Leaves it alone for a while.
    pub(super) fn set_aside(&mut self, now: Instant) -> Turn {
        self.go_down(State::Aside { until: now + ASIDE })
    }

    /// Takes it back if it was set aside: there is no other.
    pub(super) fn recall(&mut self) -> Turn {
        if matches!(self.state, State::Aside { .. }) { self.come_up() } else { Turn::None }
    }

    /// A question was not answered in time.
    pub(super) fn timed_out(&mut self, now: Instant) -> Turn {
        count(&self.seen().timeouts);
        self.silent += 1;
        let silence = now.saturating_duration_since(self.last_answer);
        if self.state == State::Up && self.silent >= SILENT_PACKETS && silence >= SILENCE {
            self.state = State::Suspect { until: now + PROOF, probe_at: now };
        }
        Turn::None
    }

    /// Nobody listens there (ICMP port unreachable), or no route leads there.
    pub(super) fn unreachable(&mut self, now: Instant) -> Turn {
        self.unreachable += 1;
        if self.unreachable >= UNREACHABLE && self.is_up() {
            return self.go_down(State::Down { probe_at: now + FIRST_REST, rest: FIRST_REST });
        }
        Turn::None
    }

    /// Lets time pass.
    pub(super) fn tick(&mut self, load: Load, now: Instant) -> Turn {
        let before = self.pace.rate();
        let mean = self.smoothed.map_or(Duration::ZERO, |(mean, _)| Duration::from_micros(mean.into()));
        self.pace.tick(now, mean, self.wait(), load);
        if (self.pace.rate() - before).abs() > f64::EPSILON {
            self.publish();
        }
        match self.state {
            State::Suspect { until, .. } if now >= until => {
                self.go_down(State::Down { probe_at: now + FIRST_REST, rest: FIRST_REST })
            }
            State::Aside { until } if now >= until => self.come_up(),
            _ => Turn::None,
        }
    }

    fn come_up(&mut self) -> Turn {
        self.state = State::Up;
        self.publish();
        Turn::CameUp
    }

    fn go_down(&mut self, state: State) -> Turn {
        self.state = state;
        self.publish();
        Turn::WentDown
    }

    /// RFC 6298 §2.
    fn measure(&mut self, sample: Duration) {
        let sample = u32::try_from(sample.as_micros()).unwrap_or(u32::MAX / 8).min(u32::MAX / 8);
        self.smoothed = Some(match self.smoothed {
            None => (sample, sample / 2),
            Some((mean, deviation)) => ((7 * mean + sample) / 8, (3 * deviation + mean.abs_diff(sample)) / 4),
        });
    }

    fn seen(&self) -> &UpstreamHealth {
        &self.health.upstreams[self.index]
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, for show only"
    )]
    fn publish(&self) {
        self.seen().up.store(self.is_up(), Ordering::Relaxed);
        self.seen().rate.store(self.pace.rate() as u32, Ordering::Relaxed);
    }
}
