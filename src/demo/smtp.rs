//! Plays scripts to whoever connects, and notes how the peers behave. Knows no DNS and no truth.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::script::{Act, Answer, End, Manner, Script, Verb};

/// The longest command line that is waited for, twice what RFC 5321 §4.5.3.1.4 allows.
const MAX_COMMAND: usize = 1024;
/// The pause after a failed `accept`: out of descriptors, which only others' closing mends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// How the peers of a block behaved, as far as its hosts saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CanaryConfig {
    /// Connections accepted.
    pub connections: u64,
    /// Connections on which something was said before the greeting ended.
    pub early: u64,
    /// Conversations that ended with QUIT.
    pub quits: u64,
    /// Commands other than EHLO, HELO, NOOP, RSET, QUIT.
    pub improper: u64,
    /// The most connections that one address held at once.
    pub most_at_once: u32,
}

/// The running count behind [`CanaryConfig`].
#[derive(Debug, Default)]
pub struct Tally {
    connections: AtomicU64,
    early: AtomicU64,
    quits: AtomicU64,
    improper: AtomicU64,
    most_at_once: AtomicU32,
}

impl Tally {
    /// The counts so far.
    pub fn manners(&self) -> CanaryConfig {
        CanaryConfig {
            connections: self.connections.load(Ordering::Relaxed),
            early: self.early.load(Ordering::Relaxed),
            quits: self.quits.load(Ordering::Relaxed),
            improper: self.improper.load(Ordering::Relaxed),
            most_at_once: self.most_at_once.load(Ordering::Relaxed),
        }
    }
}

/// Accepts connections at one address for ever, and plays the script to each.
pub async fn accept(listener: TcpListener, script: Arc<Script>, tally: Arc<Tally>) {
    let open = Arc::new(AtomicU32::new(0));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        tally.connections.fetch_add(1, Ordering::Relaxed);
        let at_once = open.fetch_add(1, Ordering::Relaxed) + 1;
        tally.most_at_once.fetch_max(at_once, Ordering::Relaxed);
        let (script, tally, open) = (Arc::clone(&script), Arc::clone(&tally), Arc::clone(&open));
        tokio::spawn(async move {
            // A peer that goes away ends its own conversation and nothing else.
            let _ = play(stream, &script, &tally).await;
            open.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

async fn play(mut stream: TcpStream, script: &Script, tally: &Tally) -> io::Result<()> {
    let mut early = false;
    for act in &script.acts {
        match act {
            Act::Send(bytes) => {
                early = early || has_spoken(&stream);
                stream.write_all(bytes).await?;
            }
            Act::Wait(time) => sleep(*time).await,
            Act::Repeat { bytes, times, pause } => {
                for _ in 0..*times {
                    stream.write_all(bytes).await?;
                    sleep(*pause).await;
                }
            }
        }
    }
    if early {
        tally.early.fetch_add(1, Ordering::Relaxed);
    }
    match &script.end {
        End::Converse(manner) => converse(&mut stream, manner, tally).await,
        End::Hold => drain(&mut stream).await,
        End::Close | End::Refuse => Ok(()),
        End::Reset => socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
    }
}

/// Whether bytes lie unread; they stay.
fn has_spoken(stream: &TcpStream) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    socket2::SockRef::from(stream).peek(&mut byte).is_ok_and(|read| read > 0)
}

async fn converse(stream: &mut TcpStream, manner: &Manner, tally: &Tally) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(128);
    loop {
        while let Some(end) = buffer.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            match Verb::of(&line) {
                Verb::Quit => _ = tally.quits.fetch_add(1, Ordering::Relaxed),
                Verb::Other => _ = tally.improper.fetch_add(1, Ordering::Relaxed),
                Verb::Ehlo | Verb::Helo | Verb::Noop => {}
            }
            match manner.answer(&line) {
                Answer::Say(reply) => stream.write_all(reply.as_bytes()).await?,
                Answer::Bye(reply) => return stream.write_all(reply.as_bytes()).await,
            }
        }
        if buffer.len() > MAX_COMMAND || stream.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
    }
}

async fn drain(stream: &mut TcpStream) -> io::Result<()> {
    let mut unread = [0; 256];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::script::{PLAIN, POSTFIX};
    use super::*;

    /// Plays a script to a peer that says its lines once the greeting is whole, and returns all that the peer
    /// read.
    async fn hear(script: Script, says: &[u8]) -> (Vec<u8>, io::Result<usize>, CanaryConfig) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let tally = Arc::new(Tally::default());
        let server = tokio::spawn(accept(listener, Arc::new(script), Arc::clone(&tally)));
        let mut peer = TcpStream::connect(to).await.unwrap();
        let mut heard = Vec::new();
        while !says.is_empty() && !heard.ends_with(b"\n") {
            peer.read_buf(&mut heard).await.unwrap();
        }
        peer.write_all(says).await.unwrap();
        let end = peer.read_to_end(&mut heard).await;
        server.abort();
        (heard, end, tally.manners())
    }

    #[tokio::test]
    async fn a_mail_server_plays_byte_for_byte() {
        let script = Script::greeting("220 mail.example.org ESMTP", "mail.example.org", PLAIN);
        let (heard, end, manners) = hear(script, b"EHLO scan.example.net\r\nQUIT\r\n").await;
        let expected = "220 mail.example.org ESMTP\r\n\
                        250-mail.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n\
                        221 2.0.0 Bye\r\n";
        assert_eq!(String::from_utf8(heard).unwrap(), expected);
        assert!(end.is_ok());
        assert_eq!(
            manners,
            CanaryConfig { connections: 1, early: 0, quits: 1, improper: 0, most_at_once: 1 }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_is_a_fin_and_a_reset_is_an_rst() {
        let (heard, end, _) = hear(Script::raw(b"421 busy\r\n".as_slice(), End::Close), b"").await;
        assert_eq!((heard.as_slice(), end.is_ok()), (b"421 busy\r\n".as_slice(), true));
        let wait = Act::Wait(Duration::from_secs(1));
        let (_, end, _) = hear(Script::mute(End::Reset).after(wait), b"").await;
        assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test(start_paused = true)]
    async fn acts_come_in_order_with_their_waits() {
        let script = Script::raw(b"220 last\r\n".as_slice(), End::Close)
            .after(Act::Wait(Duration::from_secs(6)))
            .after(Act::Repeat {
                bytes: b"220-x\r\n".as_slice().into(),
                times: 3,
                pause: Duration::from_secs(1),
            });
        let start = tokio::time::Instant::now();
        let (heard, _, _) = hear(script, b"").await;
        assert_eq!(heard, b"220-x\r\n220-x\r\n220-x\r\n220 last\r\n");
        assert!(start.elapsed() >= Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn who_speaks_before_the_greeting_ends_is_noted() {
        // The peer says its line behind the teaser, before the greeting's last line.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = listener.local_addr().unwrap();
        let tally = Arc::new(Tally::default());
        let script = Script::greeting("220 mail.example.org ESMTP", "mail.example.org", POSTFIX)
            .after(Act::Wait(Duration::from_secs(1)))
            .after(Act::Send(b"220-wait\r\n".as_slice().into()));
        let server = tokio::spawn(accept(listener, Arc::new(script), Arc::clone(&tally)));
        let mut peer = TcpStream::connect(to).await.unwrap();
        peer.write_all(b"MAIL FROM:<>\r\nQUIT\r\n").await.unwrap();
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).await.unwrap();
        server.abort();
        let manners = tally.manners();
        assert_eq!((manners.early, manners.improper, manners.quits), (1, 1, 1));
    }
}
