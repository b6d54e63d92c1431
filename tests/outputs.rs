//! What a scan writes: the same rows in every form, harmless whatever hosts say, for the targets that were
//! wished for.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "outputs/choices.rs"]
mod choices;
#[path = "outputs/existing.rs"]
mod existing;
#[path = "outputs/files.rs"]
mod files;
#[path = "outputs/hostile.rs"]
mod hostile;
#[path = "outputs/inside.rs"]
mod inside;
#[path = "outputs/monitors.rs"]
mod monitors;
#[path = "outputs/resumed.rs"]
mod resumed;
#[path = "outputs/samples.rs"]
mod samples;
#[path = "outputs/screen.rs"]
mod screen;
#[path = "outputs/stored.rs"]
mod stored;
mod support;
#[path = "outputs/world.rs"]
mod world;
