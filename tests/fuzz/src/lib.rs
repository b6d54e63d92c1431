//! What must hold for any bytes whatever: one function for each place where strangers' bytes are read, each a
//! list of properties. Called by libFuzzer with bytes that it invents, and by `tests/corpus.rs` with those
//! that are committed.
//!
//! Reads no file and asks no clock; a broken property is a panic.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a broken property panics"
)]

pub mod certificate;
pub mod checkpoint;
pub mod dns;
pub mod draw;
pub mod escapes;
pub mod records;
pub mod safe;
pub mod smtp;
pub mod targets;
pub mod verdict;

/// The properties of one place, for one input.
pub type Body = fn(&[u8]);

/// Every place by its name: that of its folder below `tests/corpus` and of its file in `fuzz_targets`.
pub const TARGETS: [(&str, Body); 14] = [
    ("target_line", targets::line),
    ("target_list", targets::list),
    ("exclusions", targets::exclusions),
    ("reply", smtp::reply),
    ("greeting", smtp::greeting),
    ("ehlo", smtp::ehlo_reply),
    ("dialogue", smtp::dialogue),
    ("certificate", certificate::certificate),
    ("dns_answer", dns::answer),
    ("verdict", verdict::verdict),
    ("record_line", records::line),
    ("stored_csv", records::stored_csv),
    ("checkpoint", checkpoint::checkpoint),
    ("escapes", escapes::escapes),
];
