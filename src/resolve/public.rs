//! Public resolvers that everybody knows, and how much of them is ours to take. Data and one look-up.

use std::net::IpAddr;
use std::num::NonZeroU32;

use crate::prefix::Prefix;

/// Packets a second to one of them, unless the user says a number: they limit each client (Google by default
/// to 1,500 a second), and drop or refuse what is above it.
const SHARE: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);

/// Whose, and where. Neighbours of the addresses that are advertised belong to the same service.
const NETWORKS: [(&str, &str); 39] = [
    ("Google", "8.8.8.0/24"),
    ("Google", "8.8.4.0/24"),
    ("Google", "2001:4860:4860::/48"),
    ("Cloudflare", "1.1.1.0/24"),
    ("Cloudflare", "1.0.0.0/24"),
    ("Cloudflare", "2606:4700:4700::/48"),
    ("Quad9", "9.9.9.0/24"),
    ("Quad9", "149.112.112.0/24"),
    ("Quad9", "2620:fe::/48"),
    ("OpenDNS", "208.67.220.0/24"),
    ("OpenDNS", "208.67.222.0/24"),
    ("OpenDNS", "2620:119:35::/48"),
    ("OpenDNS", "2620:119:53::/48"),
    ("Level 3", "4.2.2.0/29"),
    ("AdGuard", "94.140.14.0/24"),
    ("AdGuard", "94.140.15.0/24"),
    ("AdGuard", "2a10:50c0::/32"),
    ("CleanBrowsing", "185.228.168.0/24"),
    ("CleanBrowsing", "185.228.169.0/24"),
    ("CleanBrowsing", "2a0d:2a00::/32"),
    ("Control D", "76.76.2.0/24"),
    ("Control D", "76.76.10.0/24"),
    ("Control D", "2606:1a40::/32"),
    ("NextDNS", "45.90.28.0/24"),
    ("NextDNS", "45.90.30.0/24"),
    ("NextDNS", "2a07:a8c0::/32"),
    ("NextDNS", "2a07:a8c1::/32"),
    ("Mullvad", "194.242.2.0/24"),
    ("Mullvad", "2a07:e340::/32"),
    ("DNS.WATCH", "84.200.69.80/32"),
    ("DNS.WATCH", "84.200.70.40/32"),
    ("Hurricane Electric", "74.82.42.42/32"),
    ("Vercara", "64.6.64.0/23"),
    ("Vercara", "156.154.70.0/23"),
    ("Yandex", "77.88.8.0/24"),
    ("AliDNS", "223.5.5.0/24"),
    ("AliDNS", "223.6.6.0/24"),
    ("DNSPod", "119.29.29.0/24"),
    ("114DNS", "114.114.114.0/23"),
];

/// The most packets a second that a well-known public resolver is sent unless a user says more; `None` for
/// any other.
pub(super) fn share_of(upstream: IpAddr) -> Option<NonZeroU32> {
    let upstream = upstream.to_canonical();
    let mut known = NETWORKS.iter().filter_map(|(_, network)| Prefix::parse(network).ok());
    known.any(|network| network.contains(upstream)).then_some(SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_of_the_table_can_be_read() {
        for (service, network) in NETWORKS {
            assert!(Prefix::parse(network).is_ok(), "{service}: {network}");
        }
    }

    #[test]
    fn public_resolvers_are_known_and_others_are_not_taken_for_one() {
        for (ip, known) in [
            ("8.8.8.8", true),
            ("::ffff:8.8.4.4", true),
            ("2001:4860:4860::8844", true),
            ("1.1.1.3", true),
            ("9.9.9.10", true),
            ("4.2.2.6", true),
            ("4.2.2.8", false),
            ("8.8.9.8", false),
            ("127.0.0.53", false),
            ("192.0.2.53", false),
            ("10.8.8.8", false),
            ("2001:db8::8888", false),
        ] {
            assert_eq!(share_of(ip.parse().unwrap()).is_some(), known, "{ip}");
        }
    }
}
