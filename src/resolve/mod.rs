//! Asking DNS: which questions a host leaves open, each asked once, through shared sockets, paced, with the
//! health of every upstream watched. Knows no SMTP conversation, no output, no order.

mod backend;
mod cache;
pub mod delegation;
mod direct;
mod engine;
mod error;
pub mod fake;
mod health;
mod hold;
pub mod inquiry;
mod keyed;
mod later;
mod plan;
mod public;
pub mod question;
pub mod service;
pub mod settings;
pub mod trust;
mod upstreams;
mod usefulness;
pub mod want;
pub mod wire;

pub use backend::{Resolve, Token};
pub use direct::ask;
pub use error::ResolveError;
pub use health::{Health, UpstreamHealth};
pub use question::origin::Origin;
pub use question::{Answer, Exchange, Kind, Question, Records, Transport};
pub use service::{
    Bounds, Ended, Hurry, Inbox, Resolver, start, start_on, start_telling, start_with, unserved,
};
pub use settings::{HELD_BACK, HOSTS_IN_FLIGHT, Rate, SecondPass, Settings, TrustPolicy, Unusable};
pub use trust::{HijackedAnswers, Trouble, UpstreamBehavior, UpstreamWarning, Useless};
pub use upstreams::{UpstreamError, Upstreams, parse_upstream, system_upstreams};
pub use want::{Addresses, Case, MailHost, MailHosts, Solution, Solved, Want};
