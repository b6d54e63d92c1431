//! Domains whose PTR names a provider hands out to its customers, and domains of shared mail hosting: data.
//!
//! A name in one of them says whose network it is, never whose host.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::LazyLock;

use super::brand::brand;
use crate::name::{self, HostName};

/// Providers of access, servers and clouds: the default PTR names of their customers' addresses. Sorted.
const NETWORKS: &[&str] = &[
    "1blu.de",
    "1e100.net",
    "a2hosting.com",
    "aliyun.com",
    "amazonaws.com",
    "aruba.it",
    "att.net",
    "bc.googleusercontent.com",
    "bell.ca",
    "bestsrv.de",
    "bredband2.com",
    "btcentralplus.com",
    "charter.com",
    "choopa.net",
    "clients.your-server.de",
    "cloudapp.azure.com",
    "cloudapp.net",
    "colocrossing.com",
    "comcast.net",
    "comcastbusiness.net",
    "contabo.host",
    "contabo.net",
    "contaboserver.net",
    "cox.net",
    "digitalocean.com",
    "dreamhost.com",
    "exoscale.com",
    "fastwebnet.it",
    "fdcservers.net",
    "googleusercontent.com",
    "happysrv.de",
    "hetzner.com",
    "hinet.net",
    "hosteurope.de",
    "hostinger.com",
    "hostwindsdns.com",
    "hstgr.cloud",
    "ionos.com",
    "kasserver.com",
    "kundenserver.de",
    "leaseweb.com",
    "leaseweb.net",
    "linode.com",
    "linodeusercontent.com",
    "mchost.ru",
    "megasrv.de",
    "myvps.jp",
    "netcup.net",
    "online.net",
    "onlinehome-server.info",
    "optonline.net",
    "orange.fr",
    "ovh.ca",
    "ovh.net",
    "ovh.us",
    "poneytelecom.eu",
    "psychz.net",
    "quadranet.com",
    "rackspace.com",
    "rr.com",
    "sakura.ne.jp",
    "scaleway.com",
    "secureserver.net",
    "serverkompetenz.net",
    "shaw.ca",
    "softlayer.com",
    "sprintdatacenter.net",
    "startdedicated.com",
    "startdedicated.de",
    "stratoserver.net",
    "t-dialin.net",
    "t-ipconnect.de",
    "timeweb.ru",
    "ultrasrv.de",
    "upcloud.host",
    "verizon.net",
    "virtua.com.br",
    "vultr.com",
    "vultrusercontent.com",
    "wanadoo.fr",
    "worldstream.nl",
    "your-server.de",
];

/// Hosts on which many customers' mail shares one address. Sorted.
const SHARED_HOSTING: &[&str] = &[
    "a2hosting.com",
    "bluehost.com",
    "dreamhost.com",
    "fasthosts.co.uk",
    "hostgator.com",
    "hostinger.com",
    "inmotionhosting.com",
    "kasserver.com",
    "kundenserver.de",
    "main-hosting.eu",
    "mxrouting.net",
    "one.com",
    "plesk.page",
    "prod.phx3.secureserver.net",
    "registrar-servers.com",
    "sgvps.net",
    "siteground.eu",
    "strato.de",
    "unifiedlayer.com",
    "web-hosting.com",
    "websitewelcome.com",
    "world4you.com",
];

/// Words in a host's own label that control panels and shared hosting put there.
const PANEL_WORDS: &[&str] =
    &["cpanel", "whm", "plesk", "directadmin", "ispconfig", "webhost", "webhosting", "shared"];

type Domains<T> = HashSet<T, foldhash::fast::RandomState>;

static IN_NETWORKS: LazyLock<Domains<&str>> = LazyLock::new(|| NETWORKS.iter().copied().collect());
static IN_SHARED_HOSTING: LazyLock<Domains<&str>> =
    LazyLock::new(|| SHARED_HOSTING.iter().copied().collect());

/// What a domain is known for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderKind {
    /// Its names are the default PTR names of customers' addresses.
    Network,
    /// Many customers' mail shares its hosts.
    SharedHosting,
}

/// The domains of providers: those of the tables, and further ones that the user knows of.
#[derive(Debug, Clone, Default)]
pub struct Providers {
    networks: Domains<Box<str>>,
    shared_hosting: Domains<Box<str>>,
}

impl Providers {
    /// Those of the tables alone.
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

    /// Whether a name is one that shared hosting gives to its hosts: by its domain, or by a word in its first label.
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
    fn the_tables_are_sorted() {
        assert!(NETWORKS.is_sorted() && SHARED_HOSTING.is_sorted());
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
    fn further_domains_stand_beside_those_of_the_tables() {
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
