//! How the resolver is to work: upstreams, pace, patience. Knows no socket.

use std::fmt;
use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use super::public;

/// The port of DNS (RFC 1035 §4.2).
pub const DNS_PORT: u16 = 53;
/// Hosts whose questions are open at once. A dead delegation holds its host for the whole timeout; this many
/// let 1 in 10 be dead at 10,000 hosts a second, in a few megabytes.
pub const HOSTS_IN_FLIGHT: usize = 16_384;
/// Hosts that a scan holds back for a second pass: at about a kilobyte each, what a resolver that is away for
/// ten minutes leaves behind at 30 hosts a second, or one that restarts at any rate.
pub const HELD_BACK: usize = 16_384;

/// How many packets a second go to each upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// From 2,000, rising and falling as answers allow; to a well-known public resolver 1,000 and no more.
    Rising,
    /// The same, never above this.
    AtMost(NonZeroU32),
    /// From a much higher start, without a ceiling: for a resolver of one's own.
    Unlimited,
}

/// An upstream that this machine can't send to, and is not asked for that reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The upstream, as it was written.
    pub upstream: String,
    /// Why not.
    pub reason: String,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resolver `{}` can't be asked: {}", self.upstream, self.reason)
    }
}

/// How the resolver is to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The upstream resolvers, shared fairly.
    pub upstreams: Vec<SocketAddr>,
    /// Upstreams that were named and are left out, for this machine can't send to them.
    pub unusable: Vec<Unusable>,
    /// Packets a second to each upstream.
    pub rate: Rate,
    /// From the first packet of a question to giving it up.
    pub timeout: Duration,
    /// Packets within the timeout.
    pub attempts: NonZeroU8,
    /// Hosts whose questions are open at once; more wait in the inbox.
    pub hosts_in_flight: usize,
    /// Hosts at most that wait for a second pass because their answers settle nothing; 0: all have one pass.
    pub held_back: usize,
    /// When hosts have it.
    pub second_pass: SecondPass,
    /// On what grounds upstreams are believed.
    pub trust: TrustPolicy,
}

/// When hosts have their second pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondPass {
    /// As late as may be: at the end, when they have waited for long, or when too many wait.
    Late,
    /// When nothing else is being asked, too: for who can't go on before these hosts are solved.
    WhenIdle,
}

/// On what grounds upstreams are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustPolicy {
    /// What counts against a host is believed of those that pass controls before and after it.
    Earned,
    /// All is believed. For servers that are asked about their own zones, and for tests of the wire.
    Given,
}

impl Settings {
    /// The defaults of the command line, with these upstreams.
    pub fn new(upstreams: Vec<SocketAddr>) -> Self {
        Self {
            upstreams,
            unusable: Vec::new(),
            rate: Rate::Rising,
            // Recursive resolvers give up after about 10 s: less here would cut off their SERVFAIL.
            timeout: Duration::from_secs(15),
            attempts: NonZeroU8::MIN.saturating_add(3),
            hosts_in_flight: HOSTS_IN_FLIGHT,
            held_back: 0,
            second_pass: SecondPass::Late,
            trust: TrustPolicy::Earned,
        }
    }

    /// How many packets a second go to one upstream: a public resolver is everybody's, and gets less unless
    /// the user says a number.
    pub(super) fn rate_to(&self, upstream: SocketAddr) -> Rate {
        match (self.rate, public::share_of(upstream.ip())) {
            (Rate::Rising, Some(share)) => Rate::AtMost(share),
            (rate, _) => rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(ip: &str) -> SocketAddr {
        SocketAddr::new(ip.parse().unwrap(), DNS_PORT)
    }

    #[test]
    fn a_public_resolver_gets_less_unless_the_user_says_a_number() {
        let (public, own) = (address("9.9.9.9"), address("192.0.2.53"));
        let most = |rate| Rate::AtMost(NonZeroU32::new(rate).unwrap());
        for (rate, to_public, to_own) in [
            (Rate::Rising, most(1000), Rate::Rising),
            (most(50), most(50), most(50)),
            (most(5000), most(5000), most(5000)),
            (Rate::Unlimited, Rate::Unlimited, Rate::Unlimited),
        ] {
            let settings = Settings { rate, ..Settings::new(vec![public, own]) };
            assert_eq!((settings.rate_to(public), settings.rate_to(own)), (to_public, to_own), "{rate:?}");
        }
    }
}
