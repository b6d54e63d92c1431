//! The commands that read records, and the one that looks at one server, as their users meet them: through
//! the program.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

#[path = "commands/accept.rs"]
mod accept;
#[path = "commands/agreement.rs"]
mod agreement;
#[path = "commands/bounds.rs"]
mod bounds;
#[path = "commands/carried.rs"]
mod carried;
#[path = "commands/check.rs"]
mod check;
#[path = "commands/cli.rs"]
mod cli;
#[path = "commands/explain.rs"]
mod explain;
#[path = "commands/families.rs"]
mod families;
#[path = "commands/judge.rs"]
mod judge;
#[path = "commands/later.rs"]
mod later;
#[path = "commands/partial.rs"]
mod partial;
#[path = "commands/pipes.rs"]
mod pipes;
#[path = "commands/report.rs"]
mod report;
#[path = "commands/stored.rs"]
mod stored;
mod support;
#[path = "commands/vantage.rs"]
mod vantage;
#[path = "commands/verify.rs"]
mod verify;
