//! Answers questions from a zone over UDP and TCP on one port of the loopback device, as a resolver would.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};

use super::batch::Batch;
use super::message::{Carrier, respond};
use super::zone::Zone;

/// Tries at a port that is free for both transports.
const PORT_TRIES: u32 = 16;
/// Room for datagrams that arrive while others are answered.
const RECEIVE_BUFFER: usize = 4 << 20;
/// The pause after a failed `accept`: out of descriptors, which only others' closing mends.
const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

/// Questions asked so far.
#[derive(Debug, Default)]
pub struct Questions {
    udp: AtomicU64,
    tcp: AtomicU64,
}

impl Questions {
    /// Those that came as datagrams.
    pub fn udp(&self) -> u64 {
        self.udp.load(Ordering::Relaxed)
    }

    /// Those that came over TCP.
    pub fn tcp(&self) -> u64 {
        self.tcp.load(Ordering::Relaxed)
    }
}

/// The two sockets, bound and not yet served.
#[derive(Debug)]
pub struct Sockets {
    udp: UdpSocket,
    tcp: TcpListener,
}

impl Sockets {
    /// Binds both to one port of an address; port 0 takes any that is free for both.
    pub fn bind(at: SocketAddrV4) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::bind_once(at) {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse && at.port() == 0 && tries < PORT_TRIES => {}
                done => return done,
            }
        }
    }

    /// Binds to a free port of 127.0.0.1.
    pub fn local() -> io::Result<Self> {
        Self::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))
    }

    fn bind_once(at: SocketAddrV4) -> io::Result<Self> {
        let udp = UdpSocket::bind(at)?;
        // A wish, which the kernel grants as far as its own limit goes.
        let _ = socket2::SockRef::from(&udp).set_recv_buffer_size(RECEIVE_BUFFER);
        let tcp = TcpListener::bind(udp.local_addr()?)?;
        udp.set_nonblocking(true)?;
        tcp.set_nonblocking(true)?;
        Ok(Self { udp, tcp })
    }

    /// Where they are.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// Answers for ever. Within a tokio runtime with I/O and time only.
    pub async fn serve(self, zone: Arc<dyn Zone>, questions: Arc<Questions>) -> io::Result<()> {
        let tcp = tokio::net::TcpListener::from_std(self.tcp)?;
        tokio::spawn(accept(tcp, Arc::clone(&zone), Arc::clone(&questions)));
        datagrams(tokio::net::UdpSocket::from_std(self.udp)?, &*zone, &questions).await
    }
}

async fn datagrams(socket: tokio::net::UdpSocket, zone: &dyn Zone, questions: &Questions) -> io::Result<()> {
    let mut batch = Batch::new();
    loop {
        socket.readable().await?;
        match socket.try_io(Interest::READABLE, || batch.receive(socket.as_fd())) {
            Ok(count) => {
                questions.udp.fetch_add(count as u64, Ordering::Relaxed);
                batch.answer(|query, reply| respond(zone, query, Carrier::Udp, reply));
                batch.send(socket.as_fd());
            }
            // Nothing there after all, or an earlier reply's ICMP error: neither ends the service.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, zone: Arc<dyn Zone>, questions: Arc<Questions>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (zone, questions) = (Arc::clone(&zone), Arc::clone(&questions));
        tokio::spawn(async move {
            // A peer that goes away ends its own stream and nothing else.
            let _ = stream_of(stream, &*zone, &questions).await;
        });
    }
}

/// Two octets of length before each message (RFC 1035 §4.2.2).
async fn stream_of(
    mut stream: tokio::net::TcpStream,
    zone: &dyn Zone,
    questions: &Questions,
) -> io::Result<()> {
    let mut query = Vec::new();
    let mut reply = Vec::new();
    loop {
        query.resize(usize::from(stream.read_u16().await?), 0);
        stream.read_exact(&mut query).await?;
        questions.tcp.fetch_add(1, Ordering::Relaxed);
        if !respond(zone, &query, Carrier::Tcp, &mut reply) {
            continue;
        }
        let Ok(length) = u16::try_from(reply.len()) else { return Ok(()) };
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend_from_slice(&reply);
        stream.write_all(&framed).await?;
    }
}
