//! A small network with one of each: what its hosts say, what DNS holds of them, what its filter does.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use banneret::demo::zone::{Answer, Data, Entry, Held, Kind};
use banneret::name::DnsName;

use crate::support::hosts::{RESOLVER, serve_hosts, serve_names};
use crate::support::program::{Ran, command};

/// What hosts by their last octet say at port 25; at port 587 all are healthy.
fn greeting(ip: Ipv4Addr, port: u16) -> Vec<u8> {
    match (port, ip.octets()) {
        (25, [.., 0, 2]) => HOSTILE.to_vec(),
        (25, [.., 0, 3]) => b"220 =HYPERLINK(\"http://evil.example\") ESMTP\r\n".to_vec(),
        (25, [.., 0, 4]) => b"554 mail.h4.bv no thanks\r\n".to_vec(),
        (25, [.., 0, 5]) => b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
        (25, [.., 0, 6]) => Vec::new(),
        (_, [.., third, last]) => format!("220 mail.h{third}x{last}.bv ESMTP Postfix\r\n").into_bytes(),
    }
}

/// A greeting that means harm to whatever shows it.
pub(crate) const HOSTILE: &[u8] =
    b"220-=cmd|' /C calc'!A0\r\n220-\x1b]52;c;aGk=\x07\x1b[31mred\x9b2J\r\n220-a\x00b\xff \xe2\x80\xae\xc2\x9b</td><script>alert(1)</script>\r\n220 @SUM(1+1)\r\n";

/// A PTR name that means harm to whatever shows it.
const WICKED: &[u8] = b"\x0c\x1b]52;c;aGk=\x07\x08\xe2\x80\xae\xc2\x9b=1+\x02bv\0";

/// Dropped for ever, refused, and dropped once.
const FILTER: &str = "table ip world {\n chain in {\n type filter hook input priority 0;\n \
    ip daddr 198.18.0.7 tcp dport 25 drop\n \
    ip daddr 198.18.0.8 tcp dport 25 reject with tcp reset\n \
    ip daddr 198.18.0.9 tcp dport 25 tcp flags syn quota until 61 bytes drop\n }\n}\n";

/// Starts all of it.
pub(crate) fn start(work: &Path) {
    serve_hosts(&[25, 587], greeting);
    serve_names(zone());
    let filter = work.join("filter");
    std::fs::write(&filter, FILTER).unwrap();
    let done = Command::new("nft").arg("-f").arg(filter).status().expect("`nft` is there: run scripts/setup");
    assert!(done.success(), "the filter is set");
}

fn zone() -> Held {
    let mut zone = Held::default();
    let name = |text: &str| DnsName::parse(text).unwrap();
    let mut line = |owner: DnsName, kind, data| {
        zone.insert(Entry { owner, kind, answer: Answer::Records(data) });
    };
    for (third, lasts) in [(0_u8, 1..=15_u8), (5, 1..=3)] {
        for last in lasts {
            let ip = Ipv4Addr::new(198, 18, third, last);
            let own = format!("mail.h{third}x{last}.bv");
            // The tenth has no name, which is a finding of high severity.
            let names = match (third, last) {
                (0, 10) => Vec::new(),
                // A name may hold any octets (RFC 2181 §11).
                (0, 2) => vec![Data::Ptr(DnsName::from_wire(WICKED).unwrap())],
                _ => vec![Data::Ptr(name(&own))],
            };
            if !names.is_empty() {
                line(DnsName::reverse(ip.into()), Kind::Ptr, names);
            }
            line(name(&own), Kind::A, vec![Data::A(ip)]);
        }
    }
    let far = (1..=2).map(|last| Data::A(Ipv4Addr::new(198, 18, 5, last))).collect();
    line(name("mail.far.bv"), Kind::A, far);
    line(name("mail.kept-out.bv"), Kind::A, vec![Data::A(Ipv4Addr::new(198, 18, 0, 15))]);
    let hosts = [(10, "mail.far.bv"), (20, "mail.h5x3.bv"), (30, "mail.h0x1.bv")];
    line(name("dom.bv"), Kind::Mx, hosts.map(|(preference, host)| Data::Mx(preference, name(host))).into());
    zone
}

/// A scan of it that takes no longer than it must.
pub(crate) fn scan(words: &[&str]) -> Ran {
    command_of(words).output().unwrap().into()
}

/// The same, about to be run.
pub(crate) fn command_of(words: &[&str]) -> Command {
    let words = self::words(words);
    command(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The words of such a scan; of a flag given twice, the last counts.
pub(crate) fn words(further: &[&str]) -> Vec<String> {
    let common = [
        "scan",
        "--allow-reserved",
        "--resolver",
        RESOLVER,
        "--dns-timeout",
        "2s",
        "--connect-timeout",
        "700ms",
        "--greeting-timeout",
        "2s",
        "--prefix-rate",
        "unlimited",
        "--seed",
        "7",
        "--progress",
        "never",
    ];
    let is_again = |at: usize| common[at].starts_with("--") && further.contains(&common[at]);
    let kept = (0..common.len()).filter(|&at| !is_again(at) && (at == 0 || !is_again(at - 1)));
    kept.map(|at| common[at]).chain(further.iter().copied()).map(str::to_owned).collect()
}
