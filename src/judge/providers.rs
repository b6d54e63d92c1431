//! Domains whose PTR names a provider hands out to its customers, and domains of shared mail hosting: data.
//!
//! A name in one of them says whose network it is, never whose host.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::brand::brand;

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

type Domains = HashSet<&'static str, foldhash::fast::RandomState>;

static IN_NETWORKS: LazyLock<Domains> = LazyLock::new(|| NETWORKS.iter().copied().collect());
static IN_SHARED_HOSTING: LazyLock<Domains> = LazyLock::new(|| SHARED_HOSTING.iter().copied().collect());

/// Whether a name stands in a domain whose names a provider gives to its customers' addresses.
pub(super) fn is_network(name: &str) -> bool {
    stands_in(name, &IN_NETWORKS)
}

/// Whether a name stands in a domain of providers.
pub(super) fn is_provider(name: &str) -> bool {
    is_network(name) || stands_in(name, &IN_SHARED_HOSTING)
}

/// Whether a name belongs to a provider or to a well-known service, and so is not the operator's to use.
pub(super) fn is_others(name: &str) -> bool {
    is_provider(name) || brand(name).is_some()
}

/// Whether a name is one that shared hosting gives to its hosts: by its domain, or by a word in its first label.
pub(super) fn is_shared_hosting(name: &str) -> bool {
    let label = name.split('.').next().unwrap_or(name);
    let mut words = label.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| PANEL_WORDS.contains(&word)) || stands_in(name, &IN_SHARED_HOSTING)
}

/// Whether a name is one of the domains of a table, or lies below one.
fn stands_in(name: &str, table: &Domains) -> bool {
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
            assert!(is_shared_hosting(name), "{name}");
        }
        for name in [
            "mail.kestrel.example",
            "mail.cpanel.kestrel.example",
            "sharedmail.kestrel.example",
            "plesk.example",
        ] {
            assert_eq!(is_shared_hosting(name), name == "plesk.example", "{name}");
        }
    }

    #[test]
    fn the_tables_are_sorted() {
        assert!(NETWORKS.is_sorted() && SHARED_HOSTING.is_sorted());
    }

    #[test]
    fn providers_are_told_by_domain() {
        assert!(is_provider("ovh.net"));
        assert!(!is_provider("net"));
        assert!(is_provider("static.1.2.0.192.clients.your-server.de"));
        assert!(is_provider("vmi123456.contaboserver.net"));
        assert!(!is_provider("mail.kestrel.example"));
        assert!(!is_provider("mail.notovh.net"));
    }
}
