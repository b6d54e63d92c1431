//! The file of `--providers`: further domains of providers and of shared hosts, one a line. A domain stands
//! alone where its names are the default PTR names of a provider's customers, and with `shared` behind it
//! where many customers' mail shares its hosts. A mistake is an error with file, line and value.

use std::path::Path;

use anyhow::{Context, anyhow};

use super::small_file;
use crate::judge::providers::{ProviderKind, Providers};
use crate::name::HostName;
use crate::record::neutral::Safe;

/// Reads the file; without one there are no further domains.
pub(super) fn load(path: Option<&Path>) -> anyhow::Result<Providers> {
    let Some(path) = path else { return Ok(Providers::default()) };
    let shown = path.display();
    let text = small_file::text(path, small_file::BY_HAND)
        .with_context(|| format!("providers `{shown}` can't be read"))?;
    read(&text).map_err(|(line, what)| anyhow!("providers `{shown}` line {line}: {what}"))
}

/// The domains; an error holds the line's number and what is wrong with it.
fn read(text: &str) -> Result<Providers, (usize, String)> {
    let mut providers = Providers::default();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(domain) = words.next() else { continue };
        let wrong = |value: &str, what: &str| (index + 1, format!("`{}` {what}", Safe(value)));
        let name = HostName::parse(domain).map_err(|error| wrong(domain, &error.to_string()))?;
        if !name.is_qualified() {
            return Err(wrong(domain, "has one label; give the whole domain, as `customers.example.net`"));
        }
        let kind = match words.next() {
            None => ProviderKind::Network,
            Some("shared") => ProviderKind::SharedHosting,
            Some(word) => return Err(wrong(word, "is not known; behind a domain may stand `shared`")),
        };
        if let Some(word) = words.next() {
            return Err(wrong(word, "is one word too many; write one domain a line"));
        }
        providers.add(&name, kind);
    }
    Ok(providers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_with_its_line_and_value() {
        for (text, line, what) in [
            (
                "kestrel.example\nexample",
                2,
                "`example` has one label; give the whole domain, as `customers.example.net`",
            ),
            ("kestrel.example hosting", 1, "`hosting` is not known; behind a domain may stand `shared`"),
            (
                "# a list\n\nkestrel.example shared, heron.example",
                3,
                "`shared,` is not known; behind a domain may stand `shared`",
            ),
            (
                "kestrel.example shared heron.example",
                1,
                "`heron.example` is one word too many; write one domain a line",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), (line, what.to_owned()), "{text}");
        }
        assert_eq!(read("192.0.2.0/24").unwrap_err().0, 1);
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over() {
        for text in ["", "\u{feff}# nothing\r\n\r\n", "kestrel.example # ours\r\nweb.heron.example\tshared\n"]
        {
            assert!(read(text).is_ok(), "{text}");
        }
    }
}
