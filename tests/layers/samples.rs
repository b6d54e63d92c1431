//! Bad samples, one or more for each rule, and good ones that come close: a rule that nothing can break
//! guards nothing.

use super::code;
use super::rules::{House, breaches};

const LAW: &str = "\
// pure
pub mod name;
pub mod evidence;
pub mod judge;
// shells
pub mod probe;
pub mod resolve;
pub mod report;
// engine
pub mod scan;
// person
pub mod cli;
";

/// What is said of a file with a good head and this code below.
fn said(path: &str, code: &str) -> Vec<String> {
    said_of(path, &format!("//! What lives here.\n{code}"))
}

fn said_of(path: &str, source: &str) -> Vec<String> {
    let house = House::read(LAW);
    breaches(&house, path, source)
        .into_iter()
        .map(|breach| format!("{}: {}", breach.line, breach.what))
        .collect()
}

/// Each sample breaks one rule, on its line 2 (line 1 is the head), and the words name it.
fn assert_each_breaks(samples: &[(&str, &str, &str)]) {
    for (path, code, words) in samples {
        let said = said(path, code);
        let named = said.iter().any(|one| one.starts_with("2: ") && one.contains(words));
        assert!(named, "{path} with `{code}` ought to be told `{words}`, got {said:?}");
    }
}

fn assert_each_is_fine(samples: &[(&str, &str)]) {
    for (path, code) in samples {
        let said = said(path, code);
        assert!(said.is_empty(), "{path} with `{code}` is fine, got {said:?}");
    }
}

#[test]
fn a_module_that_names_one_below_it_is_told() {
    assert_each_breaks(&[
        ("src/name.rs", "use crate::judge::Verdict;", "`name` names `judge`"),
        ("src/name.rs", "use crate::{evidence, judge::Verdict};", "`name` names `judge`"),
        ("src/name.rs", "use crate::{evidence::{Reply, self}};", "`name` names `evidence`"),
        ("src/name.rs", "use banneret::scan;", "`name` names `scan`"),
        ("src/name.rs", "fn f() -> crate::judge::Verdict { todo!() }", "`name` names `judge`"),
        ("src/judge/mod.rs", "use super::probe;", "`judge` names `probe`"),
        ("src/judge/finding.rs", "use super::super::scan::Config;", "`judge` names `scan`"),
        ("src/judge/finding.rs", "use super::{super::cli, Severity};", "`judge` names `cli`"),
        ("src/scan/mod.rs", "pub use crate::cli;", "`scan` names `cli`"),
        ("src/name.rs", "#[cfg(test)] mod tests { use crate::judge; }", "`name` names `judge`"),
        ("src/name.rs", "mod inner { use super::super::judge; }", "`name` names `judge`"),
        ("src/stray.rs", "use crate::name;", "`stray` is not declared"),
    ]);
}

#[test]
fn a_module_that_takes_in_the_whole_crate_is_told() {
    assert_each_breaks(&[
        ("src/name.rs", "use crate::*;", "whole crate"),
        ("src/name.rs", "use super::*;", "whole crate"),
        ("src/judge/finding.rs", "use crate::{*};", "whole crate"),
    ]);
}

#[test]
fn a_module_that_names_those_above_it_is_fine() {
    assert_each_is_fine(&[
        ("src/judge/mod.rs", "use crate::evidence::Evidence; use crate::{name, evidence::{A, B}};"),
        ("src/judge/finding.rs", "use super::Severity; use super::super::name::HostName;"),
        ("src/judge/mod.rs", "#[cfg(test)]\nmod tests { use super::*; use crate::name; }"),
        ("src/cli/mod.rs", "use crate::{probe, resolve, report, scan};"),
        ("src/name.rs", "pub(crate) fn f() {} pub(super) struct A; pub(in crate::name) fn g() {}"),
        (
            "src/name.rs",
            "/// See [`crate::judge`].\n// use crate::judge;\n/* crate::judge /* x */ crate::judge */ fn f() {}",
        ),
        (
            "src/name.rs",
            "const A: &str = \"crate::judge \\\" crate::judge\"; const B: &str = r#\"\" crate::judge\"#;",
        ),
        ("src/name.rs", "fn quote<'a>(c: &'a char) -> bool { *c == '\"' || *c == '\\'' || b'\"' == 0 }"),
        ("src/main.rs", "fn main() { banneret::cli::run(); }"),
        ("src/lib.rs", "pub use crate::name::HostName;"),
    ]);
}

#[test]
fn a_shell_that_names_another_is_told_in_both_directions() {
    assert_each_breaks(&[
        ("src/probe/mod.rs", "use crate::resolve::Resolve;", "no shell knows another"),
        ("src/resolve/mod.rs", "use crate::probe::Probe;", "no shell knows another"),
        ("src/report/csv.rs", "use crate::{name, resolve};", "no shell knows another"),
        ("src/report/csv.rs", "#[cfg(test)] mod tests { use crate::probe; }", "no shell knows another"),
    ]);
}

#[test]
fn a_pure_module_given_the_world_is_told() {
    assert_each_breaks(&[
        ("src/judge/mod.rs", "use std::net::TcpStream;", "sockets"),
        ("src/judge/mod.rs", "use std::{fmt, net::{IpAddr, UdpSocket}};", "sockets"),
        ("src/judge/mod.rs", "fn f() { let _ = tokio::spawn(g()); }", "sockets"),
        ("src/judge/mod.rs", "use socket2::Socket;", "sockets"),
        ("src/judge/mod.rs", "fn f() -> i32 { libc::EINVAL }", "sockets"),
        ("src/judge/mod.rs", "#[cfg(test)] mod tests { use std::net::TcpListener; }", "sockets"),
        ("src/judge/tests.rs", "use std::net::TcpListener;", "sockets"),
        ("src/name.rs", "use std::fs;", "files"),
        ("src/name.rs", "use std::{fmt, fs::read};", "files"),
        ("src/name.rs", "fn f(file: &mut File) {}", "files"),
        ("src/evidence/mod.rs", "fn f() -> Instant { Instant::now() }", "the clock"),
        ("src/evidence/mod.rs", "fn f() { std::time::SystemTime::now(); }", "the clock"),
        ("src/evidence/mod.rs", "fn f(t: Instant) -> Duration { t.elapsed() }", "the clock"),
        ("src/name.rs", "async fn f() {}", "async"),
        ("src/name.rs", "fn f() { g().await }", "async"),
        ("src/name.rs", "fn f() { std::thread::yield_now() }", "threads"),
        ("src/name.rs", "fn f() { std::env::var(\"A\"); }", "environment"),
        ("src/name.rs", "use std::process::exit;", "processes"),
        ("src/name.rs", "fn f() { println!(\"x\") }", "prints"),
        ("src/name.rs", "fn f() { dbg!(1); }", "prints"),
        ("src/name.rs", "fn f() { std::io::stdout(); }", "standard streams"),
    ]);
}

#[test]
fn a_pure_module_may_hold_values_of_the_world_and_its_tests_may_do_more() {
    assert_each_is_fine(&[
        (
            "src/judge/mod.rs",
            "use std::net::IpAddr; use std::time::{Duration, Instant}; use std::path::Path;",
        ),
        ("src/judge/mod.rs", "fn f(now: Instant, elapsed: Duration) -> Instant { now + elapsed }"),
        (
            "src/judge/mod.rs",
            "#[cfg(test)] mod tests { fn f() { std::fs::read(\"a\"); Instant::now(); println!(); } }",
        ),
        ("src/judge/mod.rs", "// a TcpStream\nconst A: &str = \"println!() TcpStream async\";"),
        ("src/probe/mod.rs", "use tokio::net::TcpStream; async fn f() { Instant::now(); }"),
    ]);
}

#[test]
fn code_behind_a_test_item_is_code_again() {
    assert_each_breaks(&[
        ("src/name.rs", "#[cfg(test)] use std::fs; fn f() { std::env::args(); }", "environment"),
        ("src/name.rs", "#[cfg(test)] mod tests { fn f() {} } use std::fs;", "files"),
        ("src/name.rs", "#[cfg(test)] use std::{fmt}; use std::fs;", "files"),
        ("src/name.rs", "#[cfg(not(test))] use std::fs;", "files"),
    ]);
}

#[test]
fn a_crate_named_outside_its_home_is_told() {
    assert_each_breaks(&[
        ("src/resolve/plan.rs", "use hickory_resolver::Resolver;", "`hickory_resolver` is named outside"),
        ("src/scan/mod.rs", "fn f() -> anyhow::Result<()> { Ok(()) }", "`anyhow` is named outside"),
        ("src/scan/progress.rs", "use indicatif::ProgressBar;", "`indicatif` is named outside"),
        ("src/scan/config.rs", "#[derive(clap::Parser)] struct A;", "`clap` is named outside"),
    ]);
    assert_each_is_fine(&[
        ("src/resolve/engine/hickory.rs", "use hickory_resolver::Resolver;"),
        ("src/resolve/plan.rs", "#[cfg(test)] mod tests { use hickory_resolver::Resolver; }"),
        ("src/cli/args.rs", "use clap::Parser; use anyhow::Context;"),
    ]);
}

#[test]
fn printing_outside_the_person_layer_is_told() {
    assert_each_breaks(&[
        ("src/scan/mod.rs", "fn f() { eprintln!(\"x\") }", "prints with `eprintln!`"),
        ("src/report/jsonl.rs", "fn f() { print!(\"x\") }", "prints with `print!`"),
    ]);
    assert_each_is_fine(&[
        ("src/cli/scan.rs", "fn f() { eprintln!(\"x\") }"),
        ("src/scan/mod.rs", "fn print() {}"),
    ]);
}

#[test]
fn unsafe_without_its_reasons_is_told() {
    assert_each_breaks(&[
        ("src/probe/raw.rs", "unsafe fn f() {} // SAFETY: a", "`//!` does not say why"),
        ("src/probe/raw.rs", "fn f() { unsafe { g() } }", "without a `// SAFETY:` line"),
    ]);
    let good = "//! Raw packets: unsafe, for the kernel's ring has no safe form.\n// SAFETY: `x` outlives the call.\nunsafe { f() }\n";
    assert!(said_of("src/probe/raw.rs", good).is_empty());
    let broken = "//! Raw packets have no safe form.\n// SAFETY: `x` lives.\nlet a =\n    unsafe { f() };\n";
    assert!(said_of("src/probe/raw.rs", broken).is_empty());
    let bare = "//! Raw packets: unsafe, for the kernel's ring has no safe form.\n// SAFETY: a\nfn a() {}\nunsafe fn f() {}\n";
    assert!(said_of("src/probe/raw.rs", bare)[0].contains("SAFETY"));
}

#[test]
fn a_file_too_long_headless_or_emptily_named_is_told() {
    let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(600));
    assert!(said_of("src/name.rs", &long)[0].contains("601 lines, 600 is the most"));
    assert!(said_of("tests/cli.rs", &long)[0].contains("601 lines"));
    assert!(said_of("src/name.rs", &long[..long.len() - 10]).is_empty());
    assert!(said_of("src/name.rs", "fn f() {}\n")[0].contains("opens without"));
    assert!(said("src/judge/utils.rs", "")[0].contains("`utils` says nothing"));
}

#[test]
fn the_law_is_read_in_its_groups() {
    let house = House::read(LAW);
    assert_eq!(
        format!("{house:?}"),
        "House { order: [\"name\", \"evidence\", \"judge\", \"probe\", \"resolve\", \"report\", \"scan\", \"cli\"], pure: 3 }"
    );
}

#[test]
#[should_panic(expected = "the pure modules of src/lib.rs stand first")]
fn a_pure_module_declared_late_is_refused() {
    House::read("// shells\npub mod probe;\n// pure\npub mod name;\n");
}

#[test]
fn groups_of_paths_are_spread_out() {
    let tokens = code::tokens("use a::{b::{self, c as d}, *}; x::y::<u8>();");
    let paths: Vec<String> = code::paths(&tokens).iter().map(|path| path.segments.join("::")).collect();
    for wanted in ["a::b", "a::b::c", "a::*", "x::y"] {
        assert!(paths.iter().any(|path| path == wanted), "{wanted} is named, got {paths:?}");
    }
}
