//! What integration tests share: records of every shape, the schema that each written line must keep, a
//! network namespace of a test's own, and real servers.

#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test may fail by panic; its programs have no outside"
)]

pub mod bulk;
pub mod evidence;
pub mod fleet;
pub mod hosts;
pub mod mmdb;
pub mod namespace;
pub mod program;
pub mod records;
pub mod schema;
pub mod screen;
pub mod server;
pub mod syns;
