//! Keeps the layers of the house: `src/lib.rs` declares the modules in the order of their dependencies, and
//! every file below `src` is read to see that it keeps to its place. Reads source text only; runs nothing of
//! the crate.

#![allow(clippy::expect_used, reason = "a test that cannot read the sources has failed")]

#[path = "layers/code.rs"]
mod code;
#[path = "layers/rooms.rs"]
mod rooms;
#[path = "layers/rules.rs"]
mod rules;
#[path = "layers/samples.rs"]
mod samples;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rules::{House, breaches};

#[test]
fn every_file_keeps_its_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        collect(root, &root.join(folder), &mut files);
    }
    files.sort();
    let law = fs::read_to_string(root.join("src/lib.rs")).expect("src/lib.rs is there");
    let house = House::read(&law);
    let found: Vec<_> = files.iter().flat_map(|(path, source)| breaches(&house, path, source)).collect();
    assert!(found.is_empty(), "{}", listed(&found));
}

#[test]
fn what_failed_once_is_kept_with_the_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(root, &root.join("src"), &mut files);
    for (path, source) in files {
        for (at, _) in source.match_indices("proptest! {\n") {
            let first = source[at..].lines().nth(1).unwrap_or_default().trim();
            assert!(
                first.starts_with("#![proptest_config(crate::property_tests::"),
                "{path}: a failure of `{first}` would be kept on the top level; use crate::property_tests"
            );
        }
    }
    assert!(!root.join("proptest-regressions").exists(), "it belongs into tests/regressions");
}

/// Within a room, too, reading order is dependency order: what a file imports never imports that file, by
/// whatever way.
#[test]
fn no_file_of_a_room_imports_one_that_imports_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(root, &root.join("src"), &mut files);
    let mut arrows = 0;
    for room in rooms::ROOMS {
        let imports = rooms::imports(room, &files);
        arrows += imports.values().map(BTreeSet::len).sum::<usize>();
        if let Some(circle) = rooms::circle(&imports) {
            panic!("src/{room}: {}", circle.join(" imports "));
        }
    }
    assert!(arrows > 200, "{arrows} imports were found");
}

/// Code moves; whoever is told where it is should find it there.
#[test]
fn the_files_that_contributors_are_told_of_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut told = 0;
    for name in ["README.md", ".github/CONTRIBUTING.md", "src/lib.rs"] {
        let text = fs::read_to_string(root.join(name)).expect("it is there");
        for path in text.split('`').skip(1).step_by(2) {
            let is_path = ["src/", "tests/", "benches/", "scripts/"].iter().any(|top| path.starts_with(top));
            if is_path && !path.contains(['*', '…']) {
                told += 1;
                let path = path.split(' ').next().unwrap_or(path);
                assert!(root.join(path).exists(), "{name} tells of `{path}`, which is not there");
            }
        }
    }
    assert!(told > 20, "{told} paths are told of");
}

/// One breach a line, as compilers print them, so that editors jump there.
fn listed(found: &[rules::Breach]) -> String {
    let mut text = format!("{} places break the house:\n", found.len());
    for breach in found {
        let _ = writeln!(text, "{}:{}: {}", breach.file, breach.line, breach.what);
    }
    text
}

/// Every Rust file below `folder`, by its path from the root.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be listed").path();
        // A crate of its own has rules of its own.
        if path.is_dir() && !path.join("Cargo.toml").exists() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root).expect("it is below the root").to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).expect("source is UTF-8")));
        }
    }
}
