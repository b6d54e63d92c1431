//! A simulated provider block with ground truth, for `banneret demo`, tests and benches.
//!
//! A [`Block`] is a prefix and a seed. Who lives at an address ([`persona`]), what it is called ([`host`]),
//! what it says ([`script`]) and what DNS holds of it ([`zone`]) follow from these two alone; so does the
//! [`Truth`], which stands in the table beside each persona, written by hand: nothing here calls the judge,
//! or a check of the judge could not fail. [`Block::serve`] plays it all on the loopback device,
//! [`check::check`] holds a scan's records against it.
//!
//! Every name lies under `.bv` or `.sj`: top-level domains that exist, so that the Public Suffix List knows
//! them, and that take no registrations, so that no name here is anybody's. (The documentation names won't
//! do: `example.com` is itself a finding.) A few platforms can only be told by their true names; these, too,
//! are asked of the block's own DNS and nobody else.
//!
//! Must not know: the scan, the judge's rules, the resolver.

pub mod block;
pub mod check;
pub mod host;
pub mod persona;
pub mod script;
pub mod zone;

mod batch;
mod descriptors;
pub mod dns;
pub mod load;
pub mod message;
pub mod plain;
pub mod smtp;

pub use block::{Block, Running, ServeError, Truth};
pub use check::{Check, Report, check};
