//! Speaking to one target: connect, listen, say goodbye. Every way in which a peer can fail is an outcome;
//! only trouble of this machine is an error. Knows no DNS, no output, no order.

mod answers;
mod connect;
mod drive;
mod family;
mod fault;
mod offender;
mod resent;
mod route;
mod smtp;
mod source;
mod tls;
mod watch;
mod wire;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::evidence::Observation;
use crate::name::HostName;

pub use answers::{ConnectionTimes, Handshake};
pub use family::{FamilyAccess, NoWay};
pub use route::source_towards;
pub use smtp::{Opening, SetupError, Smtp, TLS_FIRST_PORT};
pub use source::SourceError;
pub use tls::TlsError;
pub use watch::watched;

/// How far a conversation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// The greeting, then QUIT.
    #[default]
    Banner,
    /// The greeting, EHLO (HELO where EHLO is not known), then QUIT.
    Ehlo,
    /// The same, and TLS where it is offered: its certificate, EHLO again inside it, then QUIT.
    Tls,
}

/// Settings of every conversation of a scan.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How far to go.
    pub depth: Depth,
    /// Our own name, for EHLO, and known as an echo when a greeting repeats it.
    pub own_name: Option<HostName>,
    /// From SYN to connected.
    pub connect_timeout: Duration,
    /// From connected to the greeting's last line.
    pub greeting_timeout: Duration,
    /// Absolute, for one whole conversation.
    pub host_timeout: Duration,
    /// Addresses to connect from, in turn; the system's choice if empty.
    pub sources: Vec<IpAddr>,
    /// Where conversations note when connections began that were established.
    pub answers: Arc<ConnectionTimes>,
}

impl Default for Settings {
    /// As a scan has them unless it is told otherwise.
    fn default() -> Self {
        Self {
            depth: Depth::default(),
            own_name: None,
            connect_timeout: Duration::from_secs(5),
            greeting_timeout: Duration::from_secs(45),
            host_timeout: Duration::from_secs(90),
            sources: Vec::new(),
            answers: Arc::default(),
        }
    }
}

/// Trouble of this machine: never a target's outcome. The attempt is to be made again, later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LocalTrouble {
    /// EMFILE, ENFILE.
    #[error("no file descriptor is free")]
    Descriptors,
    /// EADDRNOTAVAIL, EADDRINUSE.
    #[error("no local port is free")]
    Ports,
    /// ENOBUFS, ENOMEM.
    #[error("the kernel is out of memory for sockets")]
    Memory,
    /// EPERM, EACCES: a control group, a security module, a `prohibit` route.
    #[error("this machine forbids it")]
    Forbidden,
    /// ENETDOWN, or no route at all from here.
    #[error("the local network is down")]
    NetworkDown,
    /// No route to this target, or this machine or its gateway says that it can't be reached. It may be the
    /// target's own fault: that shows when it is asked again while others answer.
    #[error("this machine or its gateway has no path to them")]
    NoPath,
    /// No connection gets through any more, not even to hosts that had greeted.
    #[error("no connection gets through, not even to hosts that had greeted")]
    PathLost,
    /// The conversation fell over.
    #[error("a conversation with them fell over, which is a defect of this program")]
    Defect,
    /// An error that no peer and no network can cause.
    #[error("the kernel answers `{0}` (errno)")]
    Other(i32),
}

/// Whom to speak to.
#[derive(Debug, Clone, Copy)]
pub struct Whom<'a> {
    /// Where.
    pub socket: SocketAddr,
    /// The name that led there, told in a TLS handshake; `None` where an address was asked for.
    pub name: Option<&'a HostName>,
}

impl From<SocketAddr> for Whom<'_> {
    fn from(socket: SocketAddr) -> Self {
        Self { socket, name: None }
    }
}

/// One conversation that was held, whatever came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// What the target showed.
    pub observation: Observation,
    /// Our own address in it, where a mail server spoke; nobody asks for it of others.
    pub local_ip: Option<IpAddr>,
}

impl From<Observation> for Conversation {
    /// One whose address is not known, as over a stream that is no socket.
    fn from(observation: Observation) -> Self {
        Self { observation, local_ip: None }
    }
}

/// One way of speaking to targets. It notes each connection in the scan's [`ConnectionTimes`] as soon as it
/// is established: silent targets are judged by what others did at the time.
pub trait Probe {
    /// Holds one conversation, from SYN to the last FIN.
    fn probe<'a>(
        &'a self,
        target: impl Into<Whom<'a>>,
    ) -> impl Future<Output = Result<Conversation, LocalTrouble>>;
}
