//! What the first records say of the place that is scanned from, rather than of the targets: whether packets
//! to port 25 leave it at all, and whether something on the way answers for everybody. It asks nobody; the
//! targets' own answers tell.
//!
//! By example: 256 targets of 40 networks were tried, and nothing came back from a single one: outbound port
//! 25 may be blocked. Or eight hosts of eight networks, whose PTR names are in eight domains, all greet as
//! `relay.example.net`, and no host of the scan has greeted otherwise: a relay on the way greets in their
//! place.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::evidence::Outcome;
use crate::judge::{Code, Fcrdns, Relation};
use crate::name::registrable;
use crate::prefix::Prefix;
use crate::probe::LocalTrouble;
use crate::record::Record;

/// The port whose way out providers block, and on whose way proxies stand.
const PORT: u16 = 25;
/// Targets without any answer that make a doubt while others are still to come: at one answer in fifty, so
/// many are silent once in 170 scans.
const SILENT: u64 = 256;
/// The least targets without any answer that make a doubt at the end.
const SILENT_AT_THE_END: u64 = 8;
/// The least networks that they are of: one network may well be empty.
const NETWORKS: usize = 4;
/// Networks, and domains of PTR names, in which one and the same name greets: nobody has that many hosts
/// under as many domains, greeting as one, and not one that greets otherwise before them.
const ALIKE: usize = 8;

/// What speaks against taking the records at their word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VantageWarning {
    /// Not one target answered.
    NothingAnswers {
        /// Targets.
        targets: u64,
    },
    /// Unrelated hosts greet by one name.
    OneName {
        /// The name.
        name: String,
    },
    /// The address that is scanned from has no name that leads back.
    OwnAddress {
        /// The address.
        ip: IpAddr,
        /// What DNS made of it.
        fcrdns: Fcrdns,
    },
    /// Every target refused at once.
    AllRefuse {
        /// Targets.
        targets: u64,
    },
    /// This machine had no path to the first targets.
    NoPath,
    /// Hosts that had greeted fail as all others do.
    PathLost {
        /// In which way.
        how: Outcome,
        /// How long the scan waits.
        wait: Duration,
    },
    /// Targets that had failed answered when they were asked again.
    Recovered,
    /// This machine can speak to nobody.
    Waiting {
        /// Why.
        trouble: LocalTrouble,
        /// How long the scan waits.
        wait: Duration,
    },
    /// Packets got lost.
    Lossy {
        /// The share of connections whose first SYN was lost.
        lost: Permille,
        /// The share of hosts that probably would have answered and did not.
        missed: Permille,
        /// Connections a second that the scan slowed down to.
        pace: Option<u64>,
    },
}

/// A share, shown as a percentage with one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permille(u16);

impl Permille {
    /// The nearest to a share between 0 and 1.
    pub fn of(share: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
        let permille = (share * 1000.0).round().clamp(0.0, 1000.0) as u16;
        Self(permille)
    }
}

impl fmt::Display for Permille {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} %", self.0 / 10, self.0 % 10)
    }
}

impl fmt::Display for VantageWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingAnswers { targets } => write!(
                f,
                "not one of {targets} targets answered: this network may block outbound port 25, as many providers do"
            ),
            Self::OneName { name } => write!(
                f,
                "{ALIKE} unrelated hosts greet as `{name}`: something on the way may answer in their place, and the records would tell of it alone"
            ),
            Self::OwnAddress { ip, fcrdns } => {
                let what = match fcrdns {
                    Fcrdns::PermError => "has no PTR record",
                    _ => "has no PTR name that leads back to it",
                };
                write!(
                    f,
                    "our own address `{ip}` {what}: some servers turn such clients away in their greeting"
                )
            }
            Self::AllRefuse { targets } => write!(
                f,
                "all of {targets} targets refused the connection: a firewall on this machine or on the way may refuse in their place"
            ),
            Self::NoPath => write!(
                f,
                "this machine or its gateway has no path to the first targets; look at its routes and its firewall"
            ),
            Self::PathLost { how, wait } => write!(
                f,
                "hosts that had greeted are `{how}` now, as all others are: the trouble is on this side; waiting for up \
                 to {wait}, and asking again what failed meanwhile",
                how = how.as_str(),
                wait = humantime::format_duration(*wait),
            ),
            Self::Recovered => write!(
                f,
                "targets that seemed to be out of reach answered when they were asked again: this machine or the path from \
                 it was in trouble, not they"
            ),
            Self::Waiting { trouble, wait } => write!(
                f,
                "this machine can't speak to any target: {trouble}; waiting for up to {wait}",
                wait = humantime::format_duration(*wait),
            ),
            Self::Lossy { lost, missed, pace } => {
                write!(f, "{lost} of the connections lost packets on the way")?;
                if let Some(pace) = pace {
                    write!(f, ", and the scan slowed down to {pace} a second")?;
                }
                write!(f, "; an estimated {missed} of the hosts that would have answered were missed for it")
            }
        }
    }
}

/// What was noticed so far; bounded, whatever comes.
#[derive(Debug)]
pub struct VantageCheck {
    say: fn(&VantageWarning),
    way: Way,
    names: Names,
}

/// Whether anything comes back.
#[derive(Debug)]
enum Way {
    Unknown { targets: u64, refused: u64, networks: Vec<Prefix> },
    Settled,
}

/// Whether hosts speak for themselves.
#[derive(Debug)]
enum Names {
    Unknown { name: Option<String>, networks: Vec<Prefix>, domains: Vec<String> },
    Settled,
}

impl Default for Way {
    fn default() -> Self {
        Self::Unknown { targets: 0, refused: 0, networks: Vec::new() }
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::Unknown { name: None, networks: Vec::new(), domains: Vec::new() }
    }
}

impl VantageCheck {
    /// Nothing was noticed yet; `say` is told each doubt once.
    pub fn new(say: fn(&VantageWarning)) -> Self {
        Self { say, way: Way::default(), names: Names::default() }
    }

    /// Looks at one more record; a doubt comes once.
    pub fn see(&mut self, record: &Record) -> Option<VantageWarning> {
        let ip = record.target.ip.filter(|_| record.target.port == PORT)?;
        let network = Prefix::group(ip);
        let outcome = record.evidence.observation.outcome;
        if matches!(outcome, Outcome::NotTried | Outcome::Excluded) {
            // Nothing was sent there, which says nothing of the way.
            return None;
        }
        let doubt = self.way.see(outcome, network).or_else(|| self.names.see(record, network));
        doubt.inspect(self.say)
    }

    /// There are no more records.
    pub fn end(&mut self) -> Option<VantageWarning> {
        self.way.doubt(SILENT_AT_THE_END).inspect(self.say)
    }
}

impl Way {
    fn see(&mut self, outcome: Outcome, network: Prefix) -> Option<VantageWarning> {
        let Self::Unknown { targets, refused, networks } = self else { return None };
        let is_refused = outcome == Outcome::Refused;
        let is_silent = matches!(outcome, Outcome::TimedOut | Outcome::Unreachable);
        // One answer of any kind settles it, and so do refusals amid silence.
        let is_uniform = if is_refused { *refused == *targets } else { is_silent && *refused == 0 };
        if !is_uniform {
            *self = Self::Settled;
            return None;
        }
        *targets += 1;
        *refused += u64::from(is_refused);
        remember(networks, network, NETWORKS);
        self.doubt(SILENT)
    }

    /// A doubt if at least so many targets were silent, or at least [`SILENT`] refused.
    fn doubt(&mut self, least: u64) -> Option<VantageWarning> {
        let Self::Unknown { targets, refused, networks } = self else { return None };
        let (targets, all_refuse) = (*targets, *refused > 0);
        if targets < if all_refuse { SILENT } else { least } || networks.len() < NETWORKS {
            return None;
        }
        *self = Self::Settled;
        Some(if all_refuse {
            VantageWarning::AllRefuse { targets }
        } else {
            VantageWarning::NothingAnswers { targets }
        })
    }
}

impl Names {
    fn see(&mut self, record: &Record, network: Prefix) -> Option<VantageWarning> {
        let Self::Unknown { name, networks, domains } = self else { return None };
        let judged = &record.judgement;
        let (Some(said), Some(resolution)) = (&judged.banner_name, &record.evidence.resolution) else {
            return None;
        };
        // Names that thousands of installers leave behind say nothing.
        if judged.findings.iter().any(|finding| is_common(finding.code)) {
            return None;
        }
        // A host whose own names are greeted by answers for itself.
        let is_own = matches!(judged.relation, Some(Relation::Exact | Relation::SameDomain));
        if is_own || name.get_or_insert_with(|| said.clone()) != said {
            *self = Self::Settled;
            return None;
        }
        remember(networks, network, ALIKE);
        for ptr in &resolution.names {
            let ptr = ptr.name.to_string();
            let domain = registrable(ptr.trim_end_matches('.')).map(str::to_owned);
            if let Some(domain) = domain {
                remember(domains, domain, ALIKE);
            }
        }
        if networks.len() < ALIKE || domains.len() < ALIKE {
            return None;
        }
        let doubt = VantageWarning::OneName { name: said.clone() };
        *self = Self::Settled;
        Some(doubt)
    }
}

/// Keeps what is new, up to so much.
fn remember<T: PartialEq>(seen: &mut Vec<T>, new: T, most: usize) {
    if seen.len() < most && !seen.contains(&new) {
        seen.push(new);
    }
}

fn is_common(code: Code) -> bool {
    matches!(
        code,
        Code::BannerDefault | Code::BannerPrivateName | Code::BannerUnqualified | Code::BannerPlaceholder
    )
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::evidence::{Evidence, Observation};
    use crate::judge::fixture::host;
    use crate::judge::judge;
    use crate::record::Target;
    use crate::targets::Inventory;

    fn record(ip: [u8; 4], evidence: Evidence) -> Record {
        let judgement = judge(&evidence, &Inventory::default());
        let target =
            Target { ip: Some(ip.into()), port: PORT, asked: "x".into(), inventory: None, unresolved: None };
        Record {
            time: SystemTime::UNIX_EPOCH,
            target,
            evidence,
            judgement,
            network: None,
            foreign: crate::record::Foreign::default(),
        }
    }

    fn bare(ip: [u8; 4], outcome: Outcome) -> Record {
        let observation = Observation::bare(outcome, 1);
        record(ip, Evidence { ip: Some(ip.into()), observation, resolution: None, scanner: None })
    }

    fn bare_at(ip: Option<IpAddr>, outcome: Outcome) -> Record {
        match ip {
            Some(IpAddr::V4(ip)) => bare(ip.octets(), outcome),
            _ => panic!("records here are of IPv4 targets"),
        }
    }

    /// A host that greets as `name`, with a PTR name in the domain of this number.
    fn greeting(network: u8, name: &str, domain: u8) -> Record {
        record(
            [10, network, 0, 1],
            host(&format!("220 {name} ESMTP"), &format!("mail.kestrel{domain}.net=here"), "elsewhere"),
        )
    }

    fn doubts(records: impl IntoIterator<Item = Record>) -> (Vec<VantageWarning>, Option<VantageWarning>) {
        let mut vantage = VantageCheck::new(|_| {});
        let seen = records.into_iter().filter_map(|record| vantage.see(&record)).collect();
        (seen, vantage.end())
    }

    #[test]
    fn silence_all_over_is_a_doubt_once_and_one_answer_ends_it() {
        let silent = |at: u16| {
            bare(
                [10, u8::try_from(at % 5).unwrap(), 0, u8::try_from(at / 5 % 250).unwrap()],
                Outcome::TimedOut,
            )
        };
        let (seen, end) = doubts((0..600).map(silent));
        assert_eq!((seen, end), (vec![VantageWarning::NothingAnswers { targets: 256 }], None));
        let (seen, end) = doubts((0..20).map(silent));
        assert_eq!((seen, end), (vec![], Some(VantageWarning::NothingAnswers { targets: 20 })));
        let refuses = |at| {
            let silent = silent(at);
            bare_at(silent.target.ip, Outcome::Refused)
        };
        assert_eq!(doubts((0..600).map(refuses)), (vec![VantageWarning::AllRefuse { targets: 256 }], None));
        assert_eq!(doubts((0..200).map(refuses)), (vec![], None), "a list of hosts without mail");
        let half = |at| if at % 2 == 0 { refuses(at) } else { silent(at) };
        assert_eq!(doubts((0..600).map(half)), (vec![], None), "some are silent and some refuse");
        for outcome in [Outcome::NotTried, Outcome::Excluded] {
            let unsent = std::iter::once(bare([10, 9, 9, 9], outcome));
            assert_eq!(
                doubts(unsent.chain((0..600).map(silent))),
                doubts((0..600).map(silent)),
                "{outcome:?}"
            );
        }
        for outcome in [Outcome::Greeted, Outcome::Refused, Outcome::Reset, Outcome::Silent, Outcome::Closed]
        {
            let answered = std::iter::once(bare([10, 9, 9, 9], outcome));
            assert_eq!(doubts(answered.chain((0..600).map(silent))), (vec![], None), "{outcome:?}");
        }
        // One network may be empty, and few targets say little.
        assert_eq!(doubts((0..600u16).map(|_| bare([10, 0, 0, 1], Outcome::TimedOut))), (vec![], None));
        assert_eq!(doubts((0..7).map(silent)), (vec![], None));
        let other_port = (0..600).map(silent).map(|mut record| {
            record.target.port = 587;
            record
        });
        assert_eq!(doubts(other_port), (vec![], None));
    }

    #[test]
    fn one_name_for_unrelated_hosts_is_a_doubt() {
        const RELAY: &str = "relay.carrier.net";
        let alike = |at| greeting(at, RELAY, at);
        let doubt = vec![VantageWarning::OneName { name: RELAY.to_owned() }];
        assert_eq!(doubts((0..20).map(alike)).0, doubt);
        assert_eq!(doubts((0..7).map(alike)).0, []);
        for (claim, records) in [
            (
                "one domain, as of a large service",
                (0..20).map(|at| greeting(at, RELAY, 1)).collect::<Vec<_>>(),
            ),
            ("one network, as of a shared host", (0..20).map(|at| greeting(1, RELAY, at)).collect()),
            (
                "another name before",
                std::iter::once(greeting(99, "mx.other.net", 99)).chain((0..20).map(alike)).collect(),
            ),
            (
                "another name amid",
                (0..7)
                    .map(alike)
                    .chain([greeting(99, "mx.other.net", 99)])
                    .chain((8..20).map(alike))
                    .collect(),
            ),
            ("a host that has that name", (0..20).map(|at| greeting(at, "mail.kestrel7.net", at)).collect()),
            ("a name of an installer", (0..20).map(|at| greeting(at, "localhost.localdomain", at)).collect()),
        ] {
            assert_eq!(doubts(records).0, [], "{claim}");
        }
    }
}
