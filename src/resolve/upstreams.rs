//! Who may be asked: upstream resolvers as a user types them, as the system is set to use them
//! (resolv.conf(5)), and which of them this machine can send to at all. Sends nothing: to connect a UDP
//! socket only looks up the way.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};

use super::error::ResolveError;
use super::settings::{DNS_PORT, Unusable};

const SYSTEM_LIST: &str = "/etc/resolv.conf";

/// A text that names no upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It is no address.
    #[error(
        "is not an address of a resolver; write it as `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:53` or \
         `fe80::53%eth0`"
    )]
    Unreadable,
    /// It is an address in the zone of an interface that is not there.
    #[error("this machine has no interface `{0}`")]
    NoInterface(String),
}

/// Upstreams, told apart by whether this machine can send to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Upstreams {
    /// Each once, in the order in which they were named.
    pub usable: Vec<SocketAddr>,
    /// The others.
    pub unusable: Vec<Unusable>,
}

impl Upstreams {
    /// Takes one in.
    pub fn add(&mut self, written: &str, read: Result<SocketAddr, String>) {
        let tried = read.and_then(|upstream| match try_way(upstream) {
            Ok(()) => Ok(upstream),
            Err(error) => Err(reason(upstream, &error)),
        });
        match tried {
            Ok(upstream) if self.usable.contains(&upstream) => {}
            Ok(upstream) => self.usable.push(upstream),
            Err(reason) => self.unusable.push(Unusable { upstream: written.to_owned(), reason }),
        }
    }

    /// Nobody to ask is an error, which says why.
    pub fn or_none(self) -> Result<Self, ResolveError> {
        if !self.usable.is_empty() {
            return Ok(self);
        }
        if self.unusable.is_empty() {
            return Err(ResolveError::NoUpstream);
        }
        let all: Vec<String> = self.unusable.iter().map(ToString::to_string).collect();
        Err(ResolveError::Unusable(all.join("; ")))
    }
}

/// The upstream resolvers that the system is set to use.
pub fn system_upstreams() -> Result<Upstreams, ResolveError> {
    let text = fs::read(SYSTEM_LIST).map_err(|error| ResolveError::System(error.to_string()))?;
    Ok(listed(&text))
}

/// The upstreams of a resolv.conf(5): the first word behind each `nameserver`. The crates that read this file
/// drop the zone of an address, or take interfaces such as `br-lan` and `eth0.7` for none.
fn listed(text: &[u8]) -> Upstreams {
    let mut upstreams = Upstreams::default();
    for line in String::from_utf8_lossy(text).lines() {
        let mut words = line.split(['#', ';']).next().unwrap_or_default().split_whitespace();
        if let (Some("nameserver"), Some(written)) = (words.next(), words.next()) {
            upstreams.add(
                written,
                read_ip(written, DNS_PORT).map_err(|wrong| match wrong {
                    UpstreamError::Unreadable => format!("`{SYSTEM_LIST}` has no address there"),
                    wrong @ UpstreamError::NoInterface(_) => wrong.to_string(),
                }),
            );
        }
    }
    upstreams
}

/// Reads `ADDR[:PORT]`, the port 53 if left off: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`,
/// `[2001:db8::53]:53`, and with the zone of a link-local address (RFC 4007 §11) `fe80::53%eth0`,
/// `[fe80::53%eth0]:53`.
pub fn parse_upstream(text: &str) -> Result<SocketAddr, UpstreamError> {
    let address = if let Some(rest) = text.strip_prefix('[') {
        let (ip, port) =
            rest.split_once(']').filter(|(ip, _)| ip.contains(':')).ok_or(UpstreamError::Unreadable)?;
        read_ip(ip, if port.is_empty() { DNS_PORT } else { read_port(port.strip_prefix(':'))? })?
    } else if let Ok(address) = text.parse::<std::net::SocketAddrV4>() {
        address.into()
    } else {
        read_ip(text, DNS_PORT)?
    };
    if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() {
        return Err(UpstreamError::Unreadable);
    }
    Ok(address)
}

fn read_port(text: Option<&str>) -> Result<u16, UpstreamError> {
    let digits = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(UpstreamError::Unreadable)
}

/// An address, for IPv6 with its zone.
fn read_ip(text: &str, port: u16) -> Result<SocketAddr, UpstreamError> {
    let Some((ip, zone)) = text.split_once('%') else {
        let ip: IpAddr = text.parse().map_err(|_| UpstreamError::Unreadable)?;
        return Ok(SocketAddr::new(ip, port));
    };
    let ip: Ipv6Addr = ip.parse().map_err(|_| UpstreamError::Unreadable)?;
    // The kernel takes `lo:1` for `lo`.
    if zone.is_empty() || zone.contains([':', '/', ']']) {
        return Err(UpstreamError::Unreadable);
    }
    let no_interface = |_| UpstreamError::NoInterface(zone.to_owned());
    let number = match zone.parse() {
        Ok(number) => number,
        Err(_) => interface(zone).map_err(no_interface)?,
    };
    Ok(SocketAddrV6::new(ip, port, 0, number).into())
}

/// The number of an interface.
fn interface(name: &str) -> io::Result<u32> {
    // Any socket will do (netdevice(7)); one of this family is there on machines without any network.
    let socket = std::os::unix::net::UnixDatagram::unbound()?;
    Ok(rustix::net::netdevice::name_to_index(&socket, name)?)
}

/// Whether this machine has a way to an upstream.
fn try_way(upstream: SocketAddr) -> io::Result<()> {
    let any: IpAddr = match upstream.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0))?.connect(upstream)
}

/// Why this machine has no way to an upstream, in words that help.
fn reason(upstream: SocketAddr, error: &io::Error) -> String {
    match upstream {
        SocketAddr::V6(at) if at.ip().is_unicast_link_local() && at.scope_id() == 0 => {
            format!("it is link-local; name its interface, as `{}%eth0`", at.ip())
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_read_with_and_without_a_port_and_a_zone() {
        for (typed, read) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("192.0.2.53:5353", "192.0.2.53:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
            ("::ffff:192.0.2.53", "[::ffff:192.0.2.53]:53"),
            ("fe80::1%7", "[fe80::1%7]:53"),
            ("[fe80::1%7]", "[fe80::1%7]:53"),
            ("[fe80::1%7]:5353", "[fe80::1%7]:5353"),
            // The loopback interface is the first one of every network namespace.
            ("fe80::1%lo", "[fe80::1%1]:53"),
            ("[fe80::1%lo]:5353", "[fe80::1%1]:5353"),
        ] {
            assert_eq!(parse_upstream(typed), Ok(read.parse().unwrap()), "{typed}");
        }
    }

    #[test]
    fn what_names_no_upstream_is_refused() {
        for typed in [
            "",
            "dns.example",
            "192.0.2.53:",
            "192.0.2.53:0",
            "192.0.2.53:65536",
            "192.0.2",
            "[192.0.2.53]",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "192.0.2.53 ",
            "192.0.2.53:53:53",
            "[2001:db8::1]53",
            "[2001:db8::1]:+53",
            "[2001:db8::1]:",
            "[2001:db8::1",
            "2001:db8::1]:53",
            "010.0.0.1",
            "192.0.2.53%lo",
            "fe80::1%",
            "fe80::1%lo:53x]",
        ] {
            let wrong = parse_upstream(typed);
            assert!(wrong.is_err(), "{typed}: {wrong:?}");
        }
        assert_eq!(
            parse_upstream("fe80::1%br-lan.7"),
            Err(UpstreamError::NoInterface("br-lan.7".to_owned()))
        );
    }

    #[test]
    fn the_systems_list_is_read_to_its_last_usable_line() {
        let list =
            b"# a comment\r\nsearch a.example\r\n nameserver\t127.0.0.53 # local\nnameserver 127.0.0.53\n\
            nameserver banana\nnameserver ::1;\nnameserver fe80::1%eth-99.1\nnameserver fe80::1\n\
            options timeout:1 use-vc\nnameservers 192.0.2.1\n\xff\nnameserver\n";
        let Upstreams { usable, unusable } = listed(list);
        assert_eq!(usable.first(), Some(&"127.0.0.53:53".parse().unwrap()));
        assert_eq!(usable.iter().filter(|upstream| upstream.is_ipv4()).count(), 1, "each once: {usable:?}");
        let told: Vec<String> = unusable.iter().map(ToString::to_string).collect();
        for line in [
            "resolver `banana` can't be asked: `/etc/resolv.conf` has no address there",
            "resolver `fe80::1%eth-99.1` can't be asked: this machine has no interface `eth-99.1`",
        ] {
            assert!(told.iter().any(|told| told == line), "{told:?}");
        }
        let bare = told.iter().find(|told| told.starts_with("resolver `fe80::1` ")).unwrap();
        assert!(bare.contains("name its interface, as `fe80::1%eth0`"), "{bare}");
    }

    #[test]
    fn nobody_to_ask_is_an_error_that_says_why() {
        assert!(matches!(listed(b"\n").or_none(), Err(ResolveError::NoUpstream)));
        let wrong = listed(b"nameserver banana\n").or_none().unwrap_err().to_string();
        assert!(wrong.contains("`banana`") && !wrong.contains('\n'), "{wrong}");
        assert!(listed(b"nameserver banana\nnameserver 127.0.0.1\n").or_none().is_ok());
    }
}
