//! Upstream resolvers that are link-local, and such as this machine can't send to: the first are asked, the
//! others are left out and told of.

use std::fs;
use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::support::hosts::{RESOLVER, serve_hosts, serve_names};
use crate::support::namespace::alone;
use crate::support::program::{Ran, command};
use crate::{CERTAIN, Zone, greeting};

/// The number of the loopback interface in a namespace of its own.
const LOOPBACK: u32 = 1;

/// Answers at `fe80::1%lo` what the resolver of the namespace answers.
fn serve_link_local() {
    let words = ["addr", "add", "fe80::1/64", "dev", "lo", "nodad"];
    assert!(Command::new("ip").args(words).status().unwrap().success());
    let ip: Ipv6Addr = "fe80::1".parse().unwrap();
    let socket = UdpSocket::bind(SocketAddrV6::new(ip, 53, 0, LOOPBACK)).unwrap();
    let behind = UdpSocket::bind("127.0.0.1:0").unwrap();
    behind.connect(RESOLVER).unwrap();
    thread::spawn(move || {
        let mut message = [0; 2048];
        while let Ok((length, asker)) = socket.recv_from(&mut message) {
            behind.send(&message[..length]).unwrap();
            let length = behind.recv(&mut message).unwrap();
            socket.send_to(&message[..length], asker).unwrap();
        }
    });
}

/// Checks and scans one sound host; gives what both said on stderr, and the verdict that both came to.
fn look(work: &Path, resolver: &[&str]) -> (String, Option<String>) {
    let target = format!("198.18.{CERTAIN}.7");
    let words = ["--allow-reserved", "--dns-timeout", "3s", &target];
    let check: Ran =
        command(&[&["check", "--format", "json"], resolver, &words].concat()).output().unwrap().into();
    let file = work.join("scan.jsonl");
    fs::remove_file(&file).ok();
    let output = ["-o", file.to_str().unwrap(), "--progress", "never"];
    let scan: Ran = command(&[&["scan"], resolver, &words, &output].concat()).output().unwrap().into();
    assert_eq!(check.code, scan.code, "{check:?} {scan:?}");
    let verdict = |text: &str| text.split("\"verdict\":\"").nth(1)?.split('"').next().map(str::to_owned);
    let told = fs::read_to_string(&file).ok().and_then(|text| verdict(&text));
    assert_eq!(verdict(&check.out.replace(": ", ":")), told, "{check:?}");
    if check.code == Some(4) {
        assert_eq!((check.err.lines().count(), scan.err.lines().count()), (1, 1), "{check:?} {scan:?}");
    } else {
        assert_eq!(check.code, Some(0), "{check:?}");
    }
    (check.err + &scan.err, told)
}

#[test]
fn a_link_local_resolver_is_asked_in_its_zone_and_one_out_of_reach_is_left_out() {
    let name = "zone::a_link_local_resolver_is_asked_in_its_zone_and_one_out_of_reach_is_left_out";
    alone(name, |work| {
        serve_hosts(&[25], |ip, _| greeting(ip));
        let mut zone = Zone::default();
        zone.certain();
        serve_names(zone.0);
        serve_link_local();
        let list = work.join("resolv.conf");
        fs::write(&list, "").unwrap();
        let mounted = ["--bind", list.to_str().unwrap(), "/etc/resolv.conf"];
        assert!(Command::new("mount").args(mounted).status().unwrap().success());
        let bare = "resolver `fe80::1` can't be asked: it is link-local; name its interface";
        let no_interface = "resolver `fe80::1%br-lan.7` can't be asked: this machine has no interface";
        let garbage = "resolver `banana` can't be asked: `/etc/resolv.conf` has no address there";
        for (text, left_out, is_asked) in [
            ("nameserver fe80::1%lo\n", None, true),
            ("nameserver fe80::1%1\nnameserver 127.0.0.1\n", None, true),
            ("nameserver fe80::1\nnameserver 127.0.0.1\n", Some(bare), true),
            ("nameserver 127.0.0.1\r\nnameserver fe80::1%br-lan.7\r\n", Some(no_interface), true),
            ("nameserver banana\nnameserver 127.0.0.1\n", Some(garbage), true),
            ("nameserver fe80::1\n", Some(bare), false),
            ("nameserver banana\n", Some(garbage), false),
        ] {
            fs::write(&list, text).unwrap();
            assert_told(look(work, &[]), text, left_out, is_asked);
        }
        for (typed, left_out, is_asked) in [
            (&["fe80::1%lo"][..], None, true),
            (&["[fe80::1%lo]:53"], None, true),
            (&["fe80::1", RESOLVER], Some(bare), true),
            (&["fe80::1%br-lan.7", RESOLVER], Some(no_interface), true),
            (&["fe80::1%br-lan.7"], Some(no_interface), false),
        ] {
            let words: Vec<&str> = typed.iter().flat_map(|resolver| ["--resolver", resolver]).collect();
            assert_told(look(work, &words), &typed.join(" "), left_out, is_asked);
        }
    });
}

fn assert_told(
    (err, verdict): (String, Option<String>),
    resolver: &str,
    left_out: Option<&str>,
    is_asked: bool,
) {
    let wanted = is_asked.then(|| "match".to_owned());
    assert_eq!(verdict, wanted, "{resolver}: {err}");
    let lines = err.lines().filter(|line| line.contains("can't be asked")).count();
    assert_eq!(lines, left_out.map_or(0, |_| 2), "{resolver}: {err}");
    assert!(left_out.is_none_or(|part| err.contains(part)), "{resolver}: {err}");
}
