//! Asking DNS: which questions a host leaves open, each asked once, through shared sockets, paced, with the health of
//! every upstream watched. Knows no SMTP conversation, no output, no order.

pub mod health;
pub mod question;
pub mod service;
pub mod settings;
pub mod want;

pub use health::{Health, UpstreamHealth};
pub use question::{Answer, Exchange, Kind, Question, Records, Transport};
pub use service::{Ended, Inbox, ResolveError, Resolver, start, start_with};
pub use settings::{Rate, Settings, UpstreamError, parse_upstream};
pub use want::{Addresses, Case, MailHost, MailHosts, Solution, Solved, Want};
