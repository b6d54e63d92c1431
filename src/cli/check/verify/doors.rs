//! What greets at the addresses that names lead to, by the resolver and by what is published: each address
//! and port is spoken to once, and judged by what is published of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::conversation::{Visit, speak};
use super::super::look::Look;
use super::{Verifier, ask};
use crate::cli::solve::solve;
use crate::evidence::{Evidence, Observation, Outcome, Resolution, Status};
use crate::judge::{Context, Judgement, judge_in};
use crate::name::{DnsName, HostName};
use crate::probe::{LocalTrouble, Smtp};
use crate::record::Record;
use crate::resolve::{Answer, Kind, Question, Settings, Solution, TrustPolicy, Want};
use crate::targets::Inventory;

/// Addresses that are looked at for one server.
const MAX_DOORS: usize = 8;
/// The ports where a mail server greets.
const PORTS: [u16; 3] = [25, 465, 587];
/// The least time for a conversation.
const LEAST: Duration = Duration::from_secs(3);

/// One address and port that a name leads to.
#[derive(Debug, Clone)]
pub(in crate::cli::check) struct Door {
    /// Where.
    pub(in crate::cli::check) at: SocketAddr,
    /// Who says that a name leads there.
    pub(in crate::cli::check) led: LedBy,
    /// What the wire showed.
    pub(in crate::cli::check) outcome: Result<Outcome, LocalTrouble>,
    /// The name in the greeting.
    pub(in crate::cli::check) banner_name: Option<String>,
    /// What the resolver says to the address's PTR question.
    pub(in crate::cli::check) ptr: Answer,
    /// What is said of it by what is published; `None` where no mail server greets.
    pub(in crate::cli::check) judgement: Option<Judgement>,
}

/// Who says that a name leads to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli::check) enum LedBy {
    /// The resolver and the zone's own servers.
    Both,
    /// The resolver alone: it did so before.
    Cache,
    /// The zone's own servers alone: it will.
    Zone,
}

impl LedBy {
    /// The word for programs.
    pub(in crate::cli::check) fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Cache => "cache",
            Self::Zone => "zone",
        }
    }
}

/// What was seen at an address and port.
type Seen = Result<Evidence, LocalTrouble>;

/// Conversations, each held once.
pub(super) struct Visits<'a> {
    look: &'a Look,
    end: Instant,
    seen: BTreeMap<SocketAddr, Seen>,
}

impl<'a> Visits<'a> {
    /// Those that the check held already are not held again.
    pub(super) fn new(look: &'a Look, records: &[&Record], end: Instant) -> Self {
        let seen = records.iter().filter_map(|record| {
            let at = SocketAddr::new(record.target.ip?, record.target.port);
            Some((at, Ok(record.evidence.clone())))
        });
        Self { look, end, seen: seen.collect() }
    }

    /// What greets at the addresses of names.
    pub(super) fn visit(
        &mut self,
        verifier: &mut Verifier<'_>,
        record: &Record,
        names: &[DnsName],
        context: &Context<'_>,
    ) -> anyhow::Result<Vec<Door>> {
        let led = self.addresses(verifier, names)?;
        if led.is_empty() {
            return Ok(Vec::new());
        }
        verifier.budget.tell(format_args!("looking at what greets at {} addresses", led.len()));
        let addresses: Vec<IpAddr> = led.iter().map(|(ip, _)| *ip).collect();
        self.speak(&addresses, names.first())?;
        let ptrs =
            ask(&believing(&verifier.settings), addresses.iter().copied().map(Question::ptr).collect())?;
        let mut doors = Vec::new();
        for ((ip, led), ptr) in led.into_iter().zip(ptrs) {
            for port in PORTS {
                let at = SocketAddr::new(ip, port);
                let Some(seen) = self.seen.get(&at) else { continue };
                doors.push(Door {
                    at,
                    led,
                    outcome: seen.as_ref().map(|seen| seen.observation.outcome).map_err(Clone::clone),
                    banner_name: seen.as_ref().ok().and_then(|seen| seen.greeting_source().name()),
                    ptr: ptr.clone(),
                    judgement: seen
                        .as_ref()
                        .ok()
                        .and_then(|seen| judged(verifier, record, seen, ip, context)),
                });
            }
        }
        Ok(doors)
    }

    /// Where the names lead, and who says so; those that are published first.
    fn addresses(
        &self,
        verifier: &mut Verifier<'_>,
        names: &[DnsName],
    ) -> anyhow::Result<Vec<(IpAddr, LedBy)>> {
        let hosts: Vec<HostName> = names.iter().filter_map(DnsName::to_host).collect();
        let wants = hosts.iter().cloned().map(Want::Addresses).collect();
        let cached: Vec<IpAddr> = solve(wants, &believing(&verifier.settings))?
            .into_iter()
            .flat_map(|solution| match solution {
                Solution::Addresses(found) => found.addresses,
                _ => Vec::new(),
            })
            .map(|ip| ip.to_canonical())
            .collect();
        let published: Vec<IpAddr> = names
            .iter()
            .flat_map(|name| [Kind::A, Kind::Aaaa].map(|kind| Question::new(name.clone(), kind)))
            .map(|question| verifier.published(&question))
            .filter(|answer| answer.status == Status::Found)
            .flat_map(|answer| answer.addresses().to_vec())
            .map(|ip| ip.to_canonical())
            .collect();
        let mut led: Vec<(IpAddr, LedBy)> = Vec::new();
        for ip in published.iter().chain(&cached) {
            let by = match (published.contains(ip), cached.contains(ip)) {
                (true, true) => LedBy::Both,
                (true, false) => LedBy::Zone,
                _ => LedBy::Cache,
            };
            let is_new = led.iter().all(|(known, _)| known != ip);
            if is_new && self.look.exclusions.blocked(*ip).is_none() {
                led.push((*ip, by));
            }
        }
        led.truncate(MAX_DOORS);
        led.sort_unstable_by_key(|(ip, _)| *ip);
        Ok(led)
    }

    /// Speaks to those that were not spoken to: the ports at once, each address in a conversation that ends
    /// in time.
    fn speak(&mut self, addresses: &[IpAddr], name: Option<&DnsName>) -> anyhow::Result<()> {
        let left = self.end.saturating_duration_since(Instant::now()).max(LEAST);
        let mut probe = self.look.probe.clone();
        for patience in [&mut probe.connect_timeout, &mut probe.greeting_timeout, &mut probe.host_timeout] {
            *patience = (*patience).min(left);
        }
        probe.connect_timeout = probe.connect_timeout.min(left / 2);
        let smtp = Arc::new(Smtp::new(probe)?);
        let name = name.and_then(DnsName::to_host);
        let open = |port: u16| -> Vec<IpAddr> {
            addresses
                .iter()
                .copied()
                .filter(|ip| !self.seen.contains_key(&SocketAddr::new(*ip, port)))
                .collect()
        };
        let places: Vec<(u16, Vec<IpAddr>)> = PORTS.map(|port| (port, open(port))).to_vec();
        let look = self.look;
        let spoken = std::thread::scope(|scope| {
            let speaking: Vec<_> = places
                .iter()
                .map(|(port, addresses)| {
                    let (smtp, name) = (Arc::clone(&smtp), name.as_ref());
                    scope.spawn(move || {
                        let ports = std::slice::from_ref(port);
                        let samples = NonZeroU8::MIN;
                        speak(look, &smtp, 0, &Visit { addresses, ports, name, samples })
                    })
                })
                .collect();
            // A thread that fell over has seen nothing.
            speaking.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>()
        });
        for seen in spoken {
            self.seen.extend(seen?.into_iter().map(|(at, seen)| (at, seen.map(|(evidence, _)| evidence))));
        }
        Ok(())
    }
}

/// What a resolver says of addresses here counts against nobody: what is published does.
fn believing(settings: &Settings) -> Settings {
    Settings { trust: TrustPolicy::Given, ..settings.clone() }
}

fn judged(
    verifier: &mut Verifier<'_>,
    record: &Record,
    seen: &Evidence,
    ip: IpAddr,
    context: &Context<'_>,
) -> Option<Judgement> {
    if !seen.observation.outcome.is_judged() {
        return None;
    }
    let banner = seen.greeting_source().name().and_then(|name| HostName::parse(&name).ok());
    let resolution = verifier.resolution(ip, banner.as_ref());
    Some(judge(record, seen.observation.clone(), ip, resolution, context))
}

/// What is said of an address where that was seen, if that is what DNS says.
pub(super) fn judge(
    record: &Record,
    observation: Observation,
    ip: IpAddr,
    resolution: Resolution,
    context: &Context<'_>,
) -> Judgement {
    let scanner = record.evidence.scanner.clone();
    let evidence = Evidence { ip: Some(ip), observation, resolution: Some(resolution), scanner };
    let nothing = Inventory::default();
    judge_in(context, &evidence, record.target.inventory.as_deref().unwrap_or(&nothing))
}
