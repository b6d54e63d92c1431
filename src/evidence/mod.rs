//! What is known of one target: what the host showed and what DNS said, kept as seen, with no opinion.

pub mod certificate;
pub mod observation;
pub mod resolution;
pub mod tls;

pub use observation::{Observation, Outcome};
pub use resolution::{Forward, PtrName, Resolution, Status};
pub use tls::{Certificate, Tls, TlsStatus, X509Error};

/// All that a judgement may rest on.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// The address that was spoken to; `None` where a host name led to none.
    pub ip: Option<std::net::IpAddr>,
    /// What the host showed.
    pub observation: Observation,
    /// What DNS said; `None` where nothing was asked.
    pub resolution: Option<Resolution>,
}
