//! The command line as scripts rely on it: help, exit codes, messages word for word, what is read and what is
//! refused.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "cli/counts.rs"]
mod counts;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/messages.rs"]
mod messages;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/streams.rs"]
mod streams;
mod support;
#[path = "cli/targets.rs"]
mod targets;
