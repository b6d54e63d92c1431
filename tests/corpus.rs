//! Every committed input of the fuzz targets, with the properties that they must keep: what was once found
//! stays found, on the stable toolchain and within seconds. `scripts/fuzz` looks for new ones.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

#[path = "fuzz/src/lib.rs"]
mod fuzz;

use std::collections::HashSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// The most that the folder holds, in files and bytes: seeds are for reading, the many belong to a fuzzer's
/// own folder.
const MOST_FILES: usize = 300;
const MOST_BYTES: u64 = 500_000;

fn folder(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(of)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().expect("names are plain")).collect();
    names.sort();
    names
}

#[test]
fn every_committed_input_keeps_every_property() {
    let mut broken = Vec::new();
    for (target, body) in fuzz::TARGETS {
        let folder = folder("corpus").join(target);
        for name in names(&folder) {
            let data = fs::read(folder.join(&name)).unwrap();
            if catch_unwind(|| body(&data)).is_err() {
                broken.push(format!("tests/corpus/{target}/{name}"));
            }
        }
    }
    assert!(broken.is_empty(), "properties do not hold for\n{}", broken.join("\n"));
}

#[test]
fn every_front_of_every_committed_input_keeps_every_property() {
    /// Cuts of one input; all of a short one.
    const CUTS: usize = 24;
    for (target, body) in fuzz::TARGETS {
        let folder = folder("corpus").join(target);
        for name in names(&folder) {
            let data = fs::read(folder.join(&name)).unwrap();
            for left in (0..data.len()).step_by(data.len().div_ceil(CUTS).max(1)) {
                let front = &data[..left];
                assert!(
                    catch_unwind(|| body(front)).is_ok(),
                    "the first {left} bytes of tests/corpus/{target}/{name}"
                );
            }
        }
    }
}

#[test]
fn every_target_has_inputs_and_a_fuzzer_and_nothing_else_is_there() {
    let targets: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    assert_eq!(names(&folder("corpus")), sorted(targets.clone()));
    let fuzzers = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("fuzz/fuzz_targets")), sorted(fuzzers));
    let (mut files, mut bytes) = (0, 0);
    for target in &targets {
        let folder = folder("corpus").join(target);
        let mut seen = HashSet::new();
        let names = names(&folder);
        assert!(names.len() >= 3, "{target} has too few inputs");
        for name in names {
            let data = fs::read(folder.join(&name)).unwrap();
            files += 1;
            bytes += data.len() as u64;
            assert!(seen.insert(data), "tests/corpus/{target}/{name} is there twice");
        }
    }
    assert!(files < MOST_FILES && bytes < MOST_BYTES, "{files} files of {bytes} bytes");
}
