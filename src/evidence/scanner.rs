//! Who asked. A server may repeat our name or our address in its greeting; evidence that holds both can be
//! judged again at any time, and the echo is never taken for the server's own name.

use std::net::IpAddr;
use std::sync::Arc;

use crate::name::HostName;
use crate::smtp::greeting::Own;

/// How connections were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Engine {
    /// By the system's own TCP.
    #[default]
    Connect,
    /// Silent space crossed by SYNs of our own, conversations held by the system's TCP.
    Syn,
    /// The same without any state for targets that have not answered.
    Stateless,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Connect, Self::Syn, Self::Stateless];

    /// The word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Syn => "syn",
            Self::Stateless => "stateless",
        }
    }

    /// The engine a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.as_str() == word)
    }
}

/// Who asked, as far as a server could repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scanner {
    /// Our own name, as EHLO says it.
    pub name: Option<HostName>,
    /// The socket's own address; `None` where no mail server was spoken to.
    pub ip: Option<IpAddr>,
    /// How the connection was made.
    pub engine: Engine,
    /// Further addresses of ours, as hosts see us behind NAT.
    pub own_addresses: Arc<[IpAddr]>,
}

impl Scanner {
    /// The same scanner in one conversation, which it held from this address.
    #[must_use]
    pub fn from(&self, ip: Option<IpAddr>) -> Self {
        Self { ip: ip.map(|ip| ip.to_canonical()), ..self.clone() }
    }

    /// What of us may come back as an echo from the host at `peer`.
    pub(super) fn own(&self, peer: Option<IpAddr>) -> Own<'_> {
        Own { name: self.name.as_ref(), ip: self.ip, further: &self.own_addresses, peer }
    }
}
