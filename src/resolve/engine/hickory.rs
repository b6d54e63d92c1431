//! What hickory-resolver is here for: DNS over TCP, for answers that no datagram holds. The only file that
//! names it. Its `Resolver` is not used: that answers some names itself (all under `127.in-addr.arpa`) and
//! takes a CNAME loop or a lame referral for absence; here bytes go in and out, and the same reader as for
//! datagrams says what they mean. Its reader of the system's list is not used either: it drops the zone of a
//! link-local address.

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
use tokio::time::{Instant, timeout_at};

use super::core::{TcpAsk, TcpReply};
use crate::resolve::wire::{self, Reading};

/// Connections to one upstream at once: resolvers limit them per client, and close the rest.
const CONNECTIONS: usize = 16;
/// Connections to all upstreams together, as long as each has one: descriptors are for conversations.
const ALL_CONNECTIONS: usize = 64;
/// Connections tried for one question, and the pause before the second; doubled before the third.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// Takes questions that need TCP; a thread of its own puts them, from the first one on.
pub(super) struct TcpDesk {
    upstreams: Vec<SocketAddr>,
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
    pub(super) fn new(upstreams: Vec<SocketAddr>, reply: std_mpsc::Sender<TcpReply>, waker: Waker) -> Self {
        Self { upstreams, exit: Exit { reply, waker }, asks: None }
    }

    /// Puts a question; the engine's slots bound how many wait.
    pub(super) fn ask(&mut self, ask: TcpAsk) {
        let pending = Pending { reply: Some(TcpReply { ask, reading: None }), exit: self.exit.clone() };
        let asks = self.asks.get_or_insert_with(|| {
            let (asks, taken) = mpsc::unbounded_channel();
            let office = Office::new(&self.upstreams);
            // Without a thread the channel is closed, and each question comes back unanswered.
            std::thread::Builder::new().name("resolve-tcp".to_owned()).spawn(move || office.run(taken)).ok();
            asks
        });
        asks.send(pending).ok();
    }
}

/// What the thread works with.
struct Office {
    upstreams: Vec<Counter>,
}

/// One upstream, and its places for connections. Each has its own, so that one whose TCP is dead keeps no
/// other waiting.
struct Counter {
    address: SocketAddr,
    places: Semaphore,
}

impl Office {
    fn new(upstreams: &[SocketAddr]) -> Self {
        let each = (ALL_CONNECTIONS / upstreams.len().max(1)).clamp(1, CONNECTIONS);
        let counter = |&address: &SocketAddr| Counter { address, places: Semaphore::new(each) };
        Self { upstreams: upstreams.iter().map(counter).collect() }
    }

    fn run(self, mut asks: mpsc::UnboundedReceiver<Pending>) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let office = Arc::new(self);
        runtime.block_on(async move {
            while let Some(mut pending) = asks.recv().await {
                let office = Arc::clone(&office);
                tokio::spawn(async move {
                    if let Some(reply) = &mut pending.reply {
                        reply.reading = office.put(&reply.ask).await;
                    }
                });
            }
        });
    }

    /// Ends when the time of the question does, a wait for a place included.
    async fn put(&self, ask: &TcpAsk) -> Option<Reading> {
        let counter = self.upstreams.get(ask.upstream)?;
        let tries = async {
            // The places are never closed.
            let _place = counter.places.acquire().await.ok()?;
            let mut pause = PAUSE;
            for left in (0..TRIES).rev() {
                if let Some(reading) = exchange(counter.address, ask).await {
                    return Some(reading);
                }
                if left > 0 {
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
            None
        };
        timeout_at(Instant::from_std(ask.until), tries).await.ok().flatten()
    }
}

/// One question over a connection of its own: a server that closes early then costs no other question
/// anything.
async fn exchange(upstream: SocketAddr, ask: &TcpAsk) -> Option<Reading> {
    let id = rand::random();
    let mut query = Vec::new();
    wire::write_query(&mut query, id, &ask.name, ask.kind, ask.edns);
    let left = Instant::from_std(ask.until).saturating_duration_since(Instant::now());
    let (connect, mut sender) = TcpClientStream::new(upstream, None, Some(left), TokioRuntimeProvider::new());
    let stream = connect.await.ok()?;
    sender.send(SerialMessage::new(query, upstream)).ok()?;
    let answer = stream.first_answer().await.ok()?;
    let bytes = answer.bytes();
    (wire::answer_id(bytes)? == id).then(|| wire::read(bytes, &ask.name, ask.kind))?
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::name::DnsName;
    use crate::resolve::question::Kind;
    use crate::resolve::wire::Edns;

    /// Answers NXDOMAIN to one question a connection, until the test's program ends.
    fn deny(listener: TcpListener) {
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut query = [0; 512];
                let Ok(length) = stream.read(&mut query) else { continue };
                let mut answer = query[..length].to_vec();
                (answer[4], answer[5]) = (0x81, 0x83);
                stream.write_all(&answer).ok();
            }
        });
    }

    /// An upstream that takes connections and never answers, and one that denies everything.
    fn upstreams() -> (TcpListener, Vec<SocketAddr>) {
        let [silent, denying] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = vec![silent.local_addr().unwrap(), denying.local_addr().unwrap()];
        deny(denying);
        (silent, addresses)
    }

    fn ask(upstream: usize, until: Duration) -> TcpAsk {
        let name = DnsName::parse("a.example.org").unwrap();
        TcpAsk::new(upstream, name, Kind::A, Edns::Plain, std::time::Instant::now() + until)
    }

    #[test]
    fn an_upstream_that_takes_connections_and_answers_none_keeps_no_other_waiting() {
        let (_silent, addresses) = upstreams();
        let (reply, replies) = std_mpsc::channel();
        let mut desk = TcpDesk::new(addresses, reply, Waker::noop().clone());
        (0..100).for_each(|_| desk.ask(ask(0, Duration::from_secs(3600))));
        (0..20).for_each(|_| desk.ask(ask(1, Duration::from_secs(60))));
        for _ in 0..20 {
            let reply = replies.recv().unwrap();
            assert_eq!(reply.ask.upstream, 1);
            // The NXDOMAIN of this server names no zone.
            assert_eq!(reply.reading, Some(Reading::Fault(wire::Fault::Unclear)));
        }
    }

    #[test]
    fn to_wait_for_a_place_takes_no_longer_than_the_question_has() {
        let (_silent, addresses) = upstreams();
        let (reply, replies) = std_mpsc::channel();
        let mut desk = TcpDesk::new(addresses, reply, Waker::noop().clone());
        let begin = std::time::Instant::now();
        (0..100).for_each(|_| desk.ask(ask(0, Duration::from_millis(500))));
        for _ in 0..100 {
            assert_eq!(replies.recv().unwrap().reading, None);
        }
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(2), "seven rounds would be 3.5 s: {took:?}");
    }
}
