//! The block of hosts: one table of which server stands at which address, the name it was given, its reverse
//! DNS, and what a record of it must say. DNS zones, server settings, target list and expectations all come
//! from this table.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;
use std::process::Command;

use super::dns::CACHING;
use super::support::server::{Server, servers};

/// What answers at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Postfix,
    Exim,
    OpenSmtpd,
    Sendmail,
    Courier,
    Aiosmtpd,
    SmtpServer,
    Haraka,
}

/// The PTR side of an address.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reverse {
    /// NXDOMAIN.
    Absent,
    /// The name exists, without a PTR.
    NoData,
    /// One or more PTR names.
    Names(&'static [&'static str]),
    /// One PTR name behind a CNAME into a classless zone (RFC 2317).
    Classless(&'static str),
}

/// One address with all that is to be known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host {
    /// The last octet.
    pub(crate) last: u8,
    pub(crate) kind: Kind,
    /// The name that the server is told to have, behind a mark of its script at times.
    pub(crate) setting: &'static str,
    /// How the first line of its greeting starts, behind the code.
    pub(crate) starts: &'static str,
    pub(crate) reverse: Reverse,
    pub(crate) expected: Expected,
}

/// What the record of a host must say; lists of findings may say more than is listed here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) outcome: &'static str,
    pub(crate) code: u16,
    pub(crate) banner_name: Option<&'static str>,
    pub(crate) ptr: &'static str,
    pub(crate) fcrdns: &'static str,
    /// The status of the banner name's own lookup and whether it confirms; `None` where no rule tells.
    pub(crate) banner_forward: Option<(&'static str, Option<bool>)>,
    pub(crate) relation: &'static str,
    pub(crate) verdict: &'static str,
    pub(crate) findings: &'static [&'static str],
    /// `None` where the greeting fits several.
    pub(crate) platform: Option<&'static str>,
}

/// A host with everything in order; the others are told by what differs.
const SOUND: Expected = Expected {
    outcome: "greeted",
    code: 220,
    banner_name: None,
    ptr: "found",
    fcrdns: "pass",
    banner_forward: Some(("found", Some(true))),
    relation: "exact",
    verdict: "match",
    findings: &[],
    platform: None,
};

/// The hosts. Their names are under `example` in domains whose registries keep that label for themselves,
/// since names under example.com, .net and .org are rightly taken for defaults.
pub(crate) const HOSTS: [Host; 16] = [
    Host {
        last: 1,
        kind: Kind::Postfix,
        setting: "mx1.example.cloud",
        starts: "mx1.example.cloud ESMTP Postfix",
        reverse: Reverse::Names(&["mx1.example.cloud"]),
        expected: Expected { banner_name: Some("mx1.example.cloud"), platform: Some("postfix"), ..SOUND },
    },
    Host {
        last: 2,
        kind: Kind::Postfix,
        setting: "mx2.example.cloud",
        starts: "mx2.example.cloud ESMTP Postfix",
        reverse: Reverse::Names(&["mail.example.email"]),
        expected: Expected {
            banner_name: Some("mx2.example.cloud"),
            relation: "unrelated",
            verdict: "mismatch",
            findings: &["banner_differs"],
            platform: Some("postfix"),
            ..SOUND
        },
    },
    Host {
        last: 3,
        kind: Kind::Postfix,
        setting: "mx3.example.cloud",
        starts: "mx3.example.cloud ESMTP Postfix",
        reverse: Reverse::Absent,
        expected: Expected {
            banner_name: Some("mx3.example.cloud"),
            ptr: "nxdomain",
            fcrdns: "permerror",
            relation: "none",
            verdict: "no_ptr",
            findings: &["ptr_missing"],
            platform: Some("postfix"),
            ..SOUND
        },
    },
    Host {
        last: 4,
        kind: Kind::Exim,
        setting: "exim.example.cloud",
        starts: "exim.example.cloud ESMTP Exim 4",
        reverse: Reverse::Names(&["exim.example.cloud"]),
        expected: Expected {
            banner_name: Some("exim.example.cloud"),
            fcrdns: "fail",
            banner_forward: Some(("found", Some(false))),
            verdict: "unconfirmed",
            findings: &["ptr_unconfirmed", "banner_resolves_elsewhere"],
            platform: Some("exim"),
            ..SOUND
        },
    },
    Host {
        last: 5,
        kind: Kind::OpenSmtpd,
        setting: "osmtpd.example.cloud",
        starts: "osmtpd.example.cloud ESMTP OpenSMTPD",
        reverse: Reverse::Classless("osmtpd.example.cloud"),
        expected: Expected {
            banner_name: Some("osmtpd.example.cloud"),
            platform: Some("opensmtpd"),
            ..SOUND
        },
    },
    Host {
        last: 6,
        kind: Kind::Sendmail,
        setting: "sendmail.example.cloud",
        starts: "sendmail.example.cloud ESMTP Sendmail 8",
        reverse: Reverse::Names(&["elsewhere.example.email", "gone.example.email", "sendmail.example.cloud"]),
        expected: Expected {
            banner_name: Some("sendmail.example.cloud"),
            findings: &["ptr_multiple", "ptr_partly_unconfirmed"],
            platform: Some("sendmail"),
            ..SOUND
        },
    },
    Host {
        last: 7,
        kind: Kind::Courier,
        setting: "mta7.example.cloud",
        starts: "mta7.example.cloud ESMTP",
        reverse: Reverse::Names(&["host7.example.cloud"]),
        expected: Expected {
            banner_name: Some("mta7.example.cloud"),
            banner_forward: Some(("nxdomain", None)),
            relation: "same_domain",
            verdict: "related",
            findings: &["banner_unresolvable"],
            ..SOUND
        },
    },
    Host {
        last: 8,
        kind: Kind::Aiosmtpd,
        setting: "a8.example.email",
        starts: "a8.example.email ESMTP aiosmtpd",
        reverse: Reverse::Names(&["mail.example.systems"]),
        expected: Expected {
            banner_name: Some("a8.example.email"),
            fcrdns: "temperror",
            relation: "unrelated",
            verdict: "undetermined",
            ..SOUND
        },
    },
    Host {
        last: 9,
        kind: Kind::Aiosmtpd,
        setting: "mail",
        starts: "mail ESMTP aiosmtpd",
        reverse: Reverse::Names(&["host9.example.cloud"]),
        expected: Expected {
            banner_name: Some("mail"),
            banner_forward: None,
            relation: "unrelated",
            verdict: "no_name",
            findings: &["banner_unqualified"],
            ..SOUND
        },
    },
    Host {
        last: 10,
        kind: Kind::SmtpServer,
        setting: "MX10.Example.CLOUD",
        starts: "MX10.Example.CLOUD ESMTP",
        reverse: Reverse::Names(&["mX10.exAmple.cloud"]),
        expected: Expected { banner_name: Some("mx10.example.cloud"), ..SOUND },
    },
    Host {
        last: 11,
        kind: Kind::Postfix,
        setting: "mx11.example.cloud",
        starts: "mx11.example.cloud ESMTP Postfix",
        reverse: Reverse::NoData,
        expected: Expected {
            banner_name: Some("mx11.example.cloud"),
            ptr: "no_data",
            fcrdns: "permerror",
            relation: "none",
            verdict: "no_ptr",
            findings: &["ptr_missing"],
            platform: Some("postfix"),
            ..SOUND
        },
    },
    Host {
        last: 12,
        kind: Kind::Postfix,
        setting: "reject:mx12.example.cloud",
        starts: "5.7.1 <unknown[198.18.",
        reverse: Reverse::Names(&["mx12.example.cloud"]),
        expected: Expected {
            outcome: "rejected",
            code: 554,
            banner_forward: None,
            relation: "none",
            verdict: "no_name",
            findings: &["banner_absent"],
            ..SOUND
        },
    },
    Host {
        last: 13,
        kind: Kind::Exim,
        setting: "notice:mx13.example.cloud",
        starts: "mx13.example.cloud ESMTP Exim 4",
        reverse: Reverse::Names(&["mx13.example.cloud"]),
        expected: Expected { banner_name: Some("mx13.example.cloud"), ..SOUND },
    },
    Host {
        last: 14,
        kind: Kind::Postfix,
        setting: "screen:mx14.example.cloud",
        starts: "mx14.example.cloud ESMTP wait",
        reverse: Reverse::Names(&["mx14.example.cloud"]),
        expected: Expected { banner_name: Some("mx14.example.cloud"), ..SOUND },
    },
    Host {
        last: 15,
        kind: Kind::Haraka,
        setting: "haraka.example.cloud",
        starts: "haraka.example.cloud ESMTP Haraka/3",
        reverse: Reverse::Names(&["haraka.example.email"]),
        expected: Expected {
            banner_name: Some("haraka.example.cloud"),
            relation: "unrelated",
            verdict: "mismatch",
            findings: &["banner_differs", "two_identities"],
            platform: Some("haraka"),
            ..SOUND
        },
    },
    Host {
        last: 16,
        kind: Kind::Postfix,
        setting: "default:vps-16",
        starts: "vps-16.localdomain ESMTP Postfix",
        reverse: Reverse::Names(&["198-18-1-16.static.example.cloud"]),
        expected: Expected {
            banner_name: Some("vps-16.localdomain"),
            banner_forward: None,
            relation: "unrelated",
            verdict: "no_name",
            findings: &["ptr_generic", "banner_default"],
            platform: Some("postfix"),
            ..SOUND
        },
    },
];

/// Nothing listens here.
pub(crate) const EMPTY: u8 = 20;

/// Every forward record, name and last octet. What is absent here does not exist; example.systems has lost
/// its zone.
pub(crate) const FORWARD: &[(&str, u8)] = &[
    ("mx1.example.cloud", 1),
    ("mx2.example.cloud", 2),
    ("mail.example.email", 2),
    ("mx3.example.cloud", 3),
    ("exim.example.cloud", 99),
    ("osmtpd.example.cloud", 5),
    ("elsewhere.example.email", 98),
    ("sendmail.example.cloud", 6),
    ("host7.example.cloud", 7),
    ("a8.example.email", 8),
    ("host9.example.cloud", 9),
    ("mx10.example.cloud", 10),
    ("mx11.example.cloud", 11),
    ("mx12.example.cloud", 12),
    ("mx13.example.cloud", 13),
    ("mx14.example.cloud", 14),
    ("haraka.example.cloud", 15),
    ("haraka.example.email", 15),
    ("198-18-1-16.static.example.cloud", 16),
];

impl Host {
    pub(crate) fn address(&self) -> Ipv4Addr {
        address(self.last)
    }

    /// Its PTR names as records have them.
    pub(crate) fn ptr_names(&self) -> Vec<String> {
        let names: Vec<&str> = match self.reverse {
            Reverse::Absent | Reverse::NoData => Vec::new(),
            Reverse::Names(names) => names.to_vec(),
            Reverse::Classless(name) => vec![name],
        };
        names.iter().map(|name| name.to_ascii_lowercase()).collect()
    }
}

/// An address of the block by its last octet.
pub(crate) fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, 1, last)
}

/// The name under which its PTR records stand (RFC 1035 §3.5).
pub(crate) fn reverse_name(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa")
}

pub(crate) fn hosts_of(kind: Kind) -> Vec<Host> {
    HOSTS.iter().filter(|host| host.kind == kind).copied().collect()
}

/// The hosts and the empty address, each with a column that is to travel with its record.
pub(crate) fn target_list() -> String {
    let lasts = HOSTS.iter().map(|host| host.last).chain([EMPTY]);
    let rows = lasts.map(|last| format!("{},C-{last}\n", address(last)));
    format!("target,customer\n{}", rows.collect::<String>())
}

/// Starts the servers of these hosts, one process tree a kind, and waits until every address is listened on.
pub(crate) fn start(work: &Path, hosts: &[Host]) -> Vec<Server> {
    make_certificate(work);
    let mut kinds: Vec<Kind> = Vec::new();
    for host in hosts.iter().filter(|host| matches!(host.kind, Kind::Courier | Kind::Postfix)).chain(hosts) {
        if !kinds.contains(&host.kind) {
            kinds.push(host.kind);
        }
    }
    // All start at once; only then is any of them awaited.
    let mut started: Vec<(Kind, Server)> =
        kinds.into_iter().map(|kind| (kind, start_kind(work, kind, hosts))).collect();
    for host in hosts {
        let (_, server) =
            started.iter_mut().find(|(kind, _)| *kind == host.kind).expect("its kind was started");
        server.await_listening(SocketAddrV4::new(host.address(), 25));
    }
    started.into_iter().map(|(_, server)| server).collect()
}

fn start_kind(work: &Path, kind: Kind, hosts: &[Host]) -> Server {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/servers");
    let overlaid = |name: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--uts", "bash"]).arg(scripts.join("overlay.sh"));
        command.arg(servers().join(name)).arg(scripts.join(format!("{name}.sh")));
        (name.to_owned(), command)
    };
    let (name, mut command) = match kind {
        Kind::Postfix => overlaid("postfix"),
        Kind::Exim => overlaid("exim"),
        Kind::OpenSmtpd => overlaid("opensmtpd"),
        Kind::Sendmail => overlaid("sendmail"),
        Kind::Courier => overlaid("courier"),
        Kind::Aiosmtpd => {
            let mut command = Command::new(servers().join("aiosmtpd/bin/python"));
            command.arg("-I").arg(scripts.join("aiosmtpd.py"));
            ("aiosmtpd".to_owned(), command)
        }
        Kind::SmtpServer => {
            let mut command = Command::new("node");
            command.arg(scripts.join("smtp-server.js"));
            command.env("NODE_PATH", servers().join("smtp-server/node_modules"));
            ("smtp-server".to_owned(), command)
        }
        Kind::Haraka => {
            let mut command = Command::new("unshare");
            command.args(["--mount", "bash", "-euo", "pipefail"]).arg(scripts.join("haraka.sh"));
            command.env("NODE_PATH", servers().join("haraka/node_modules"));
            ("haraka".to_owned(), command)
        }
    };
    let own = hosts.iter().filter(|host| host.kind == kind);
    let pairs: Vec<String> = own.map(|host| format!("{}={}", host.address(), host.setting)).collect();
    command.env("HOSTS", pairs.join(" ")).env("WORK", work).env("RESOLVER", CACHING.to_string());
    command.env("CERT", work.join("cert.pem")).env("KEY", work.join("key.pem"));
    Server::start(&name, work, &mut command)
}

fn make_certificate(work: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=mx.example.cloud",
        ])
        .args(["-addext", "subjectAltName=DNS:mx.example.cloud", "-keyout"])
        .arg(work.join("key.pem"))
        .arg("-out")
        .arg(work.join("cert.pem"))
        .output()
        .expect("`openssl` is there: run scripts/setup");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}
