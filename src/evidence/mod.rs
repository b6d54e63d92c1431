//! What is known of one target: what the host showed, what DNS said and who asked, kept as seen, with no
//! opinion.

pub mod certificate;
pub mod greeting;
pub mod inside;
pub mod observation;
pub mod resolution;
pub mod scanner;
pub mod tls;

use std::sync::Arc;

pub use greeting::GreetingSource;
pub use inside::InsideViews;
pub use observation::{Observation, Outcome};
pub use resolution::{Forward, PtrName, Resolution, Status};
pub use scanner::{Engine, Scanner};
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
    /// Who asked; `None` in records of version 0.1 and of other tools, which do not say.
    pub scanner: Option<Arc<Scanner>>,
}
