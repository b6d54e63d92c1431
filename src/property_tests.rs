//! How property tests are run: how many cases, and where those that failed once are kept. Knows no property.

use proptest::test_runner::{Config, FileFailurePersistence};

/// Beside `src`, so that nothing of the tests stands on the top level of the repository.
const REGRESSIONS: FileFailurePersistence = FileFailurePersistence::SourceParallel("tests/regressions");

/// As many cases as proptest runs by itself.
pub(crate) fn usual() -> Config {
    Config { failure_persistence: Some(Box::new(REGRESSIONS)), ..Config::default() }
}

/// Another number of cases, where one is costly or many are needed.
pub(crate) fn cases(cases: u32) -> Config {
    Config { cases, ..usual() }
}
