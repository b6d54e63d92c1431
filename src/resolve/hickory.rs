//! What hickory-resolver is here for: the system's list of upstreams, and DNS over TCP for answers that no datagram
//! holds. The only file that names it. Its `Resolver` is not used: that answers some names itself (all under
//! `127.in-addr.arpa`) and takes a CNAME loop or a lame referral for absence; here bytes go in and out, and the same
//! reader as for datagrams says what they mean.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::task::Waker;
use std::time::Duration;

use hickory_resolver::net::DnsStreamHandle;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::xfer::FirstAnswer;
use hickory_resolver::proto::op::SerialMessage;
use tokio::sync::{Semaphore, mpsc};

use super::engine::{TcpAsk, TcpReply};
use super::service::ResolveError;
use super::settings::DNS_PORT;
use super::wire::{self, Reading};

/// Connections at once: resolvers limit them per client, and close the rest.
const CONNECTIONS: usize = 16;
/// Connections tried for one question, and the pause before the second; doubled before the third.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// The upstream resolvers that the system is set to use.
pub fn system_upstreams() -> Result<Vec<SocketAddr>, ResolveError> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf()
        .map_err(|error| ResolveError::System(error.to_string()))?;
    let mut upstreams: Vec<SocketAddr> = Vec::new();
    for server in config.name_servers() {
        let port = server.connections.first().map_or(DNS_PORT, |connection| connection.port);
        let upstream = SocketAddr::new(server.ip, port);
        if !upstreams.contains(&upstream) {
            upstreams.push(upstream);
        }
    }
    if upstreams.is_empty() { Err(ResolveError::NoUpstream) } else { Ok(upstreams) }
}

/// Takes questions that need TCP; a thread of its own puts them, from the first one on.
pub(super) struct TcpDesk {
    upstreams: Vec<SocketAddr>,
    timeout: Duration,
    exit: Exit,
    asks: Option<mpsc::UnboundedSender<Pending>>,
}

/// Where replies go, and who is woken for them.
#[derive(Clone)]
struct Exit {
    reply: std_mpsc::Sender<TcpReply>,
    waker: Waker,
}

/// A question that comes back whatever happens to the task or the thread that has it.
struct Pending {
    reply: Option<TcpReply>,
    exit: Exit,
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            // Without the engine there is nobody left to tell.
            self.exit.reply.send(reply).ok();
            self.exit.waker.wake_by_ref();
        }
    }
}

impl TcpDesk {
    /// Replies go to `reply`, and wake `waker`.
    pub(super) fn new(
        upstreams: Vec<SocketAddr>,
        timeout: Duration,
        reply: std_mpsc::Sender<TcpReply>,
        waker: Waker,
    ) -> Self {
        Self { upstreams, timeout, exit: Exit { reply, waker }, asks: None }
    }

    /// Puts a question; the engine's slots bound how many wait.
    pub(super) fn ask(&mut self, ask: TcpAsk) {
        let pending = Pending { reply: Some(TcpReply { ask, reading: None }), exit: self.exit.clone() };
        let asks = self.asks.get_or_insert_with(|| {
            let (asks, taken) = mpsc::unbounded_channel();
            let office = Office { upstreams: self.upstreams.clone(), timeout: self.timeout };
            // Without a thread the channel is closed, and each question comes back unanswered.
            std::thread::Builder::new().name("resolve-tcp".to_owned()).spawn(move || office.run(taken)).ok();
            asks
        });
        asks.send(pending).ok();
    }
}

/// What the thread works with.
struct Office {
    upstreams: Vec<SocketAddr>,
    timeout: Duration,
}

impl Office {
    fn run(self, mut asks: mpsc::UnboundedReceiver<Pending>) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let office = Arc::new(self);
        runtime.block_on(async move {
            let gate = Arc::new(Semaphore::new(CONNECTIONS));
            while let Some(mut pending) = asks.recv().await {
                // The gate is never closed.
                let Ok(permit) = Arc::clone(&gate).acquire_owned().await else { return };
                let office = Arc::clone(&office);
                tokio::spawn(async move {
                    if let Some(reply) = &mut pending.reply {
                        reply.reading = office.put(&reply.ask).await;
                    }
                    drop(permit);
                });
            }
        });
    }

    async fn put(&self, ask: &TcpAsk) -> Option<Reading> {
        let upstream = *self.upstreams.get(ask.upstream)?;
        let tries = async {
            let mut pause = PAUSE;
            for left in (0..TRIES).rev() {
                if let Some(reading) = exchange(upstream, ask, self.timeout).await {
                    return Some(reading);
                }
                if left > 0 {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
            None
        };
        tokio::time::timeout(self.timeout, tries).await.ok().flatten()
    }
}

/// One question over a connection of its own: a server that closes early then costs no other question anything.
async fn exchange(upstream: SocketAddr, ask: &TcpAsk, timeout: Duration) -> Option<Reading> {
    let id = rand::random();
    let mut query = Vec::new();
    wire::write_query(&mut query, id, &ask.name, ask.kind, ask.edns);
    let (connect, mut sender) =
        TcpClientStream::new(upstream, None, Some(timeout), TokioRuntimeProvider::new());
    let stream = connect.await.ok()?;
    sender.send(SerialMessage::new(query, upstream)).ok()?;
    let answer = stream.first_answer().await.ok()?;
    let bytes = answer.bytes();
    (wire::answer_id(bytes)? == id).then(|| wire::read(bytes, &ask.name, ask.kind))?
}
