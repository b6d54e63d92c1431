//! What integration tests share: records of every shape, and the schema that each written line must keep.

#![allow(dead_code, reason = "each test program uses its own part")]

pub mod records;
pub mod schema;
