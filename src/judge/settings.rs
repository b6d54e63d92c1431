//! Where each platform sets the name that it gives. The settings stand in the platforms' rows, each with its
//! source: a setting that does not exist helps nobody.

use super::platform;

pub use super::platform::Setting;

/// What sets the name on a platform; empty where nobody but the service can, and where it is not known.
pub fn settings(platform: &str) -> impl Iterator<Item = &'static Setting> {
    platform::row(platform).into_iter().flat_map(|row| row.settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::platform::Kind;

    #[test]
    fn every_setting_has_a_source_and_is_of_a_platform_that_its_operator_sets_up() {
        let mut count = 0;
        for row in platform::rows() {
            for setting in settings(row.name) {
                assert!(!matches!(row.kind, Kind::Relay | Kind::Provider), "{}", row.name);
                assert!(!setting.by.is_empty() && !setting.by.ends_with('.'), "{}", row.name);
                assert!(setting.source.len() > 8, "{}: {}", row.name, setting.source);
                for exact in [setting.command, setting.line].into_iter().flatten() {
                    assert_eq!(exact.matches('{').count(), exact.matches("{name}").count(), "{}", row.name);
                    assert!(exact.contains("{name}"), "{}", row.name);
                }
                count += 1;
            }
        }
        assert!(count >= 24, "{count}");
    }
}
