//! A block of simulated hosts: who lives where, the truth about each, and the serving of all of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::descriptors;
use super::dns::{Questions, Sockets};
use super::host::Host;
use super::persona::{self, Life, Persona};
use super::script::{End, Script};
use super::smtp::{self, CanaryConfig, Tally};
use super::zone::Held;
use crate::evidence::{Outcome, Status};
use crate::judge::{Fcrdns, Relation, Verdict};
use crate::prefix::Prefix;

/// The shortest prefix that is taken, in bits: a listener for each of 16,384 addresses is as many as most
/// limits allow.
pub const SHORTEST: u8 = 18;
/// The block of `banneret demo`: in 127.0.0.0/8, away from 127.0.0.53 and 127.0.1.1, which systems use.
pub const DEMO_PREFIX: &str = "127.25.0.0/22";
/// The seed of `banneret demo`.
pub const DEMO_SEED: u64 = 25;
/// A greeting time-out that parts the slow from the silent: several times the longest wait of any healthy
/// host.
pub const GREETING_TIMEOUT: Duration = Duration::from_millis(2500);
/// Descriptors that are left to the rest of the program while a block is served.
const SPARE_DESCRIPTORS: u64 = 128;
/// Descriptors of the resolver and of both threads' runtimes.
const DNS_DESCRIPTORS: usize = 16;
/// Connections that may wait at one address.
const BACKLOG: i32 = 64;
/// Tries at a port that is free at every address.
const PORT_TRIES: u32 = 16;

/// Why a block can't be made or served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Not an IPv4 prefix of a length that can be served.
    #[error("block `{0}` can't be simulated: take an IPv4 prefix from /{SHORTEST} to /32")]
    Prefix(Prefix),
    /// Outside of the loopback network.
    #[error("block `{0}` is not served: only 127.0.0.0/8 and 198.18.0.0/15 are sure to reach nobody else")]
    Outside(Prefix),
    /// One listener for each address is more than may be open.
    #[error(
        "block `{prefix}` needs {needed} open files, the limit is {limit}: take a longer prefix or raise `ulimit -n`"
    )]
    Descriptors {
        /// The block.
        prefix: Prefix,
        /// Descriptors it takes, the spare ones included.
        needed: u64,
        /// Descriptors there may be.
        limit: u64,
    },
    /// The system refused a socket.
    #[error("can't listen at `{at}`: {error}")]
    Listen {
        /// Where.
        at: SocketAddrV4,
        /// Why.
        error: io::Error,
    },
    /// The system refused a thread, or the runtime on it.
    #[error("can't start to serve: {0}")]
    Start(io::Error),
}

/// What a right scan says of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The address.
    pub ip: Ipv4Addr,
    /// Who lives there: the code of the persona.
    pub persona: &'static str,
    /// The same for a person.
    pub about: &'static str,
    /// What the wire shows.
    pub outcome: Outcome,
    /// The name in the greeting, in normal form.
    pub banner_name: Option<String>,
    /// Forward-confirmed reverse DNS.
    pub fcrdns: Option<Fcrdns>,
    /// The one word.
    pub verdict: Option<Verdict>,
    /// How near the banner's name is to the nearest PTR name; `None` where it is not certain.
    pub relation: Option<Relation>,
    /// How the PTR question ended; `None` where it is not certain or not asked.
    pub ptr: Option<Status>,
    /// Findings that have to be there.
    pub must: &'static [&'static str],
    /// Findings that would be wrong.
    pub never: &'static [&'static str],
    /// The single changes that leave nothing of weight; `None` where nothing of weight is wrong or nothing is
    /// certain.
    pub clears: Option<&'static [&'static str]>,
}

/// A prefix, settled.
#[derive(Debug, Clone)]
pub struct Block {
    prefix: Prefix,
    homes: Vec<Home>,
    zone: Arc<Held>,
}

#[derive(Debug, Clone)]
struct Home {
    host: Host,
    persona: &'static Persona,
    script: Arc<Script>,
    banner_name: Option<String>,
}

impl Block {
    /// Settles a prefix. Equal prefix and seed make an equal block.
    pub fn new(prefix: Prefix, seed: u64) -> Result<Self, ServeError> {
        Self::settled(prefix, seed, |host| {
            let persona = persona::draw(host);
            (persona, (persona.live)(host))
        })
    }

    /// The same where `settle` says who lives at each address and how, as after some time in which hosts were
    /// fixed, broken, renamed and moved.
    pub fn settled(
        prefix: Prefix,
        seed: u64,
        settle: impl Fn(Host) -> (&'static Persona, Life),
    ) -> Result<Self, ServeError> {
        let (IpAddr::V4(first), IpAddr::V4(last)) = (prefix.first(), prefix.last()) else {
            return Err(ServeError::Prefix(prefix));
        };
        if prefix.length() < SHORTEST {
            return Err(ServeError::Prefix(prefix));
        }
        let mut zone = Held::default();
        let homes = (first.to_bits()..=last.to_bits()).map(|bits| {
            let host = Host { ip: Ipv4Addr::from_bits(bits), seed };
            let (persona, life) = settle(host);
            life.entries.into_iter().for_each(|entry| zone.insert(entry));
            Home { host, persona, script: Arc::new(life.script), banner_name: life.banner_name }
        });
        let homes = homes.collect();
        Ok(Self { prefix, homes, zone: Arc::new(zone) })
    }

    /// The prefix.
    pub fn prefix(&self) -> Prefix {
        self.prefix
    }

    /// The truth about an address; `None` outside of the block.
    pub fn truth(&self, ip: IpAddr) -> Option<Truth> {
        let (IpAddr::V4(ip), IpAddr::V4(first)) = (ip, self.prefix.first()) else { return None };
        let at = ip.to_bits().checked_sub(first.to_bits())?;
        self.homes.get(usize::try_from(at).ok()?).map(Home::truth)
    }

    /// The truth about every address, the lowest first.
    pub fn truths(&self) -> impl Iterator<Item = Truth> {
        self.homes.iter().map(Home::truth)
    }

    /// What DNS holds of the block.
    pub fn zone(&self) -> Arc<Held> {
        Arc::clone(&self.zone)
    }

    /// Descriptors that serving takes; each conversation takes one more for as long as it lasts.
    pub fn descriptors(&self) -> usize {
        self.listening().count() + DNS_DESCRIPTORS
    }

    /// What a host does once somebody has connected; `None` outside of the block.
    pub fn script(&self, ip: IpAddr) -> Option<&Script> {
        let (IpAddr::V4(ip), IpAddr::V4(first)) = (ip, self.prefix.first()) else { return None };
        let at = ip.to_bits().checked_sub(first.to_bits())?;
        self.homes.get(usize::try_from(at).ok()?).map(|home| &*home.script)
    }

    /// Serves every host at a port of the system's choice, the same for all, and DNS at 127.0.0.1.
    pub fn serve(&self) -> Result<Running, ServeError> {
        self.serve_on(0)
    }

    /// Serves every host at one port, 0 for the system's choice. Each address has a listener of its own, so
    /// that where nobody listens a connection is refused, and nothing outside this machine can reach any: a
    /// wildcard would do neither.
    pub fn serve_on(&self, port: u16) -> Result<Running, ServeError> {
        let harmless = [Prefix::of([127, 0, 0, 0].into(), 8), Prefix::of([198, 18, 0, 0].into(), 15)];
        if !harmless.iter().any(|network| network.contains(self.prefix.first())) {
            return Err(ServeError::Outside(self.prefix));
        }
        let needed = self.descriptors() as u64 + SPARE_DESCRIPTORS;
        let limit = descriptors::raise();
        if limit < needed {
            return Err(ServeError::Descriptors { prefix: self.prefix, needed, limit });
        }
        let (smtp_port, listeners) = self.listen(port)?;
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let sockets = Sockets::local().map_err(|error| ServeError::Listen { at: any, error })?;
        let dns = sockets.address().map_err(ServeError::Start)?;
        let tally = Arc::new(Tally::default());
        let questions = Arc::new(Questions::default());

        let counted = Arc::clone(&tally);
        let hosts = Serving::start("demo smtp", async move {
            for (listener, script) in listeners {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::spawn(smtp::accept(listener, script, Arc::clone(&counted)));
            }
            std::future::pending().await
        })?;
        let (zone, asked) = (self.zone(), Arc::clone(&questions));
        let names = Serving::start("demo dns", async move { sockets.serve(zone, asked).await })?;
        Ok(Running { smtp_port, dns, tally, questions, _serving: [hosts, names] })
    }

    fn listening(&self) -> impl Iterator<Item = &Home> {
        self.homes.iter().filter(|home| home.script.end != End::Refuse)
    }

    #[expect(clippy::type_complexity, reason = "named once, where it is made")]
    fn listen(&self, port: u16) -> Result<(u16, Vec<(TcpListener, Arc<Script>)>), ServeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.listen_once(port) {
                Err(ServeError::Listen { error, .. })
                    if error.kind() == io::ErrorKind::AddrInUse && port == 0 && tries < PORT_TRIES => {}
                done => return done,
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "named once, where it is made")]
    fn listen_once(&self, mut port: u16) -> Result<(u16, Vec<(TcpListener, Arc<Script>)>), ServeError> {
        let mut listeners = Vec::with_capacity(self.homes.len());
        for home in self.listening() {
            let at = SocketAddrV4::new(home.host.ip, port);
            let listener = listen_at(at).map_err(|error| ServeError::Listen { at, error })?;
            if port == 0 {
                port = listener.local_addr().map_err(|error| ServeError::Listen { at, error })?.port();
            }
            listeners.push((listener, Arc::clone(&home.script)));
        }
        Ok((port, listeners))
    }
}

impl Home {
    fn truth(&self) -> Truth {
        let expected = self.persona.truth;
        Truth {
            ip: self.host.ip,
            persona: self.persona.code,
            about: self.persona.about,
            outcome: expected.outcome,
            banner_name: self.banner_name.clone(),
            fcrdns: expected.fcrdns,
            verdict: expected.verdict,
            relation: expected.relation,
            ptr: expected.ptr,
            must: expected.must,
            never: expected.never,
            clears: expected.clears,
        }
    }
}

fn listen_at(at: SocketAddrV4) -> io::Result<TcpListener> {
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // A block can be served again at the port of the last one, whose conversations linger (RFC 9293 §3.6.1).
    socket.set_reuse_address(true)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// A block that is being served. Dropping it ends all conversations and both threads before it returns.
#[derive(Debug)]
pub struct Running {
    smtp_port: u16,
    dns: SocketAddr,
    tally: Arc<Tally>,
    questions: Arc<Questions>,
    _serving: [Serving; 2],
}

impl Running {
    /// The port at which every host listens that listens at all.
    pub fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    /// The address of the block's resolver, UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    /// How the peers behaved so far.
    pub fn manners(&self) -> CanaryConfig {
        self.tally.manners()
    }

    /// What was asked of DNS so far.
    pub fn questions(&self) -> &Questions {
        &self.questions
    }
}

/// A thread with a runtime of its own, which ends with its owner.
#[derive(Debug)]
pub(super) struct Serving {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Serving {
    /// Runs a service until it fails or its owner goes.
    pub(super) fn start(
        name: &str,
        service: impl Future<Output = io::Result<()>> + Send + 'static,
    ) -> Result<Self, ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ServeError::Start)?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            runtime.block_on(async move {
                tokio::select! {
                    _ = stopped => {}
                    // The service's own tasks go with the runtime.
                    _ = service => {}
                }
            });
        };
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(ServeError::Start)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic on it was printed there already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(prefix: &str, seed: u64) -> Result<Block, ServeError> {
        Block::new(Prefix::parse(prefix).unwrap(), seed)
    }

    #[test]
    fn equal_seeds_make_equal_blocks_and_others_do_not() {
        let [one, same, other] = [7, 7, 8].map(|seed| block(DEMO_PREFIX, seed).unwrap());
        assert!(one.truths().eq(same.truths()));
        assert_eq!(one.zone(), same.zone());
        assert!(
            one.truths().zip(other.truths()).filter(|(one, other)| one.persona != other.persona).count()
                > 300
        );
    }

    #[test]
    fn an_address_has_the_same_life_in_a_smaller_block() {
        let (large, small) = (block("127.25.0.0/22", 7).unwrap(), block("127.25.2.0/24", 7).unwrap());
        assert!(small.truths().all(|truth| large.truth(truth.ip.into()) == Some(truth.clone())));
    }

    #[test]
    fn truth_is_told_of_the_block_alone() {
        let block = block("127.25.2.0/30", 7).unwrap();
        let told = |ip: &str| block.truth(ip.parse().unwrap()).map(|truth| truth.ip.to_string());
        assert_eq!(told("127.25.2.3").as_deref(), Some("127.25.2.3"));
        for outside in ["127.25.2.4", "127.25.1.255", "2001:db8::1"] {
            assert_eq!(told(outside), None, "{outside}");
        }
    }

    #[test]
    fn what_can_not_be_simulated_or_served_is_refused_with_the_reason() {
        for (prefix, reason) in [
            (
                "2001:db8::/120",
                "block `2001:db8::/120` can't be simulated: take an IPv4 prefix from /18 to /32",
            ),
            ("127.0.0.0/17", "block `127.0.0.0/17` can't be simulated: take an IPv4 prefix from /18 to /32"),
        ] {
            assert_eq!(block(prefix, 1).unwrap_err().to_string(), reason);
        }
        let error = block("192.0.2.0/30", 1).unwrap().serve().unwrap_err().to_string();
        assert!(error.starts_with("block `192.0.2.0/30` is not served: only 127.0.0.0/8"), "{error}");
    }
}
