//! Domains whose PTR names a provider hands out to its customers, and domains of shared mail hosting.
//!
//! A name in one of them says whose network it is, never whose host. The domains are data: `providers.txt`.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::LazyLock;

use super::brand::brand;
use crate::name::{self, HostName};

/// The domains that are known, in the form of `--providers FILE`.
const DOMAINS: &str = include_str!("providers.txt");

/// Words in a host's own label that control panels and shared hosting put there.
const PANEL_WORDS: &[&str] =
    &["cpanel", "whm", "plesk", "directadmin", "ispconfig", "webhost", "webhosting", "shared"];

type Domains<T> = HashSet<T, foldhash::fast::RandomState>;

/// The domains of one kind.
fn known(kind: ProviderKind) -> Domains<&'static str> {
    lines(DOMAINS).filter(|(_, of)| *of == kind).map(|(domain, _)| domain).collect()
}

static IN_NETWORKS: LazyLock<Domains<&str>> = LazyLock::new(|| known(ProviderKind::Network));
static IN_SHARED_HOSTING: LazyLock<Domains<&str>> = LazyLock::new(|| known(ProviderKind::SharedHosting));

/// The domains of a text, each with what it is known for. A test reads the text, so nothing is wrong with it.
fn lines(text: &str) -> impl Iterator<Item = (&str, ProviderKind)> {
    text.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let domain = words.next()?;
        Some((domain, words.next().map_or(ProviderKind::Network, |_| ProviderKind::SharedHosting)))
    })
}

/// What a domain is known for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// Its names are the default PTR names of customers' addresses.
    Network,
    /// Many customers' mail shares its hosts.
    SharedHosting,
}

/// The domains of providers: those that are built in, and further ones that the user knows of.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    networks: Domains<Box<str>>,
    shared_hosting: Domains<Box<str>>,
}

impl Providers {
    /// Those that are built in, alone.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Providers> = LazyLock::new(Providers::default);
        &BUILT_IN
    }

    /// Adds a domain, whose names lie in it and below it.
    pub fn add(&mut self, domain: &HostName, kind: ProviderKind) {
        let domains = match kind {
            ProviderKind::Network => &mut self.networks,
            ProviderKind::SharedHosting => &mut self.shared_hosting,
        };
        domains.insert(domain.as_str().into());
    }

    /// Whether a name stands in a domain whose names a provider gives to its customers' addresses.
    pub(super) fn is_network(&self, name: &str) -> bool {
        stands_in(name, &IN_NETWORKS) || stands_in(name, &self.networks)
    }

    /// Whether a name stands in a domain of providers.
    pub(super) fn is_provider(&self, name: &str) -> bool {
        self.is_network(name) || self.is_shared(name)
    }

    /// Whether a name belongs to a provider or to a well-known service, and so is not the operator's to use.
    pub(super) fn is_others(&self, name: &str) -> bool {
        self.is_provider(name) || brand(name).is_some()
    }

    /// Whether a name is one that shared hosting gives to its hosts: by its domain, or by a word in its first
    /// label.
    pub(super) fn is_shared_hosting(&self, name: &str) -> bool {
        let label = name::first_label(name);
        let mut words = label.split(|c: char| !c.is_ascii_alphabetic());
        words.any(|word| PANEL_WORDS.contains(&word)) || self.is_shared(name)
    }

    fn is_shared(&self, name: &str) -> bool {
        stands_in(name, &IN_SHARED_HOSTING) || stands_in(name, &self.shared_hosting)
    }
}

/// Whether a name is one of the domains of a table, or lies below one.
fn stands_in<T: Borrow<str> + Eq + Hash>(name: &str, table: &Domains<T>) -> bool {
    if table.is_empty() {
        return false;
    }
    let mut rest = name;
    loop {
        let Some(dot) = rest.bytes().position(|b| b == b'.') else { return false };
        if table.contains(rest) {
            return true;
        }
        rest = &rest[dot + 1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_panel_names_are_told() {
        for name in [
            "cpanel12.kestrel.example",
            "whm.kestrel.example",
            "plesk-7.kestrel.example",
            "premium123.web-hosting.com",
            "box1234.bluehost.com",
            "vigorous-kepler.192-0-2-1.plesk.page",
        ] {
            assert!(Providers::built_in().is_shared_hosting(name), "{name}");
        }
        for name in [
            "mail.kestrel.example",
            "mail.cpanel.kestrel.example",
            "sharedmail.kestrel.example",
            "plesk.example",
        ] {
            assert_eq!(Providers::built_in().is_shared_hosting(name), name == "plesk.example", "{name}");
        }
    }

    #[test]
    fn the_known_domains_are_normal_sorted_and_each_once() {
        for kind in [ProviderKind::Network, ProviderKind::SharedHosting] {
            let domains: Vec<_> = lines(DOMAINS).filter(|(_, of)| *of == kind).map(|it| it.0).collect();
            assert!(domains.windows(2).all(|pair| pair[0] < pair[1]), "{domains:?}");
            for domain in domains {
                let read = HostName::parse(domain).unwrap();
                assert!(read.as_str() == domain && read.is_qualified(), "{domain}");
                assert!(
                    psl::suffix(domain.as_bytes())
                        .is_some_and(|suffix| suffix != domain || suffix.typ() == Some(psl::Type::Private)),
                    "{domain}"
                );
            }
        }
        assert!(lines(DOMAINS).count() >= 240);
        for line in DOMAINS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let words: Vec<_> = line.split('#').next().unwrap().split_whitespace().collect();
            assert!(matches!(words[..], [_] | [_, "shared"]), "{line}");
        }
    }

    #[test]
    fn providers_are_told_by_domain() {
        for (name, expected) in [
            ("ovh.net", true),
            ("net", false),
            ("static.1.2.0.192.clients.your-server.de", true),
            ("vmi123456.contaboserver.net", true),
            ("mail.kestrel.example", false),
            ("mail.notovh.net", false),
        ] {
            assert_eq!(Providers::built_in().is_provider(name), expected, "{name}");
        }
    }

    #[test]
    fn further_domains_stand_beside_those_that_are_built_in() {
        let mut providers = Providers::default();
        let domain = |name: &str| HostName::parse(name).unwrap();
        providers.add(&domain("kestrel.example"), ProviderKind::Network);
        providers.add(&domain("Web.Heron.example."), ProviderKind::SharedHosting);
        assert!(providers.is_network("ip7.kestrel.example") && providers.is_network("ip7.ovh.net"));
        assert!(!providers.is_shared_hosting("ip7.kestrel.example"));
        assert!(providers.is_shared_hosting("s1.web.heron.example"));
        assert!(providers.is_provider("web.heron.example") && !providers.is_network("web.heron.example"));
        assert!(!providers.is_provider("heron.example") && !providers.is_provider("notkestrel.example"));
    }
}
