//! banneret: which mail servers introduce themselves by a name that DNS does not bear out, why, and who can fix it.
//!
//! *Targets are drawn in a keyed order, probed, resolved, judged, and each becomes exactly one record.*
//!
//! The modules stand below in reading order, which is also the order of the data and of the dependencies: **a module
//! names only modules declared above it**. The first group is pure: values in, values out, no sockets, files, clocks,
//! tasks or printing. Each shell knows one outside thing and no other shell. The engine joins them and draws nothing.
//! `tests/layers.rs` keeps all of this.
//!
//! # Invariants
//! 1. One target in, one outcome counted: `drawn = written + dropped by --keep + in flight`. Nothing vanishes.
//! 2. A refusal, a timeout, a reset or garbage is an outcome, not an error. `Err` means that the *scan* cannot go on.
//! 3. Evidence is kept as seen. [`judge`] is a function of evidence alone, so old scans can be judged again offline.
//! 4. Unknown is not wrong: SERVFAIL, a timeout, a question never asked do not become a finding against a host.
//! 5. Same seed, same input, same shard: same turns. A checkpoint is small because order is arithmetic.
//! 6. Every queue is bounded; memory does not grow with the number of targets. A slow stage slows the one before it,
//!    and nothing else.
//! 7. Strangers' text reaches a terminal neutralised, HTML escaped, CSV harmless, JSON valid.
//! 8. Traits live with their stage; every stage can be run alone in a test with fakes, with time paused or passed in.

// pure
#[cfg(test)]
mod property_tests;
pub mod name;
pub mod prefix;
pub mod rate;
pub mod targets;
pub mod smtp;
pub mod evidence;
pub mod judge;
pub mod record;
// shells
pub mod probe;
pub mod resolve;
pub mod report;
// engine
pub mod scan;
pub mod demo;
// person
pub mod guide;
pub mod cli;
