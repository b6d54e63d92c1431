//! Real servers, real DNS, real port 25: Postfix, Exim, `OpenSMTPD`, Sendmail, Courier, Haraka, `aiosmtpd`
//! and `smtp-server` stand side by side in a network namespace that each test makes for itself, with NSD,
//! Unbound, BIND and `PowerDNS` Recursor for DNS, and the built program scans them. What was configured is
//! what the records must say. The servers come from `scripts/setup`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a harness that cannot go on has failed the test"
)]

#[path = "real/aggressive.rs"]
mod aggressive;
#[path = "real/block.rs"]
mod block;
#[path = "real/check.rs"]
mod check;
#[path = "real/dns.rs"]
mod dns;
#[path = "real/internet.rs"]
mod internet;
#[path = "real/records.rs"]
mod records;
#[path = "real/resolvers.rs"]
mod resolvers;
#[path = "real/smtp.rs"]
mod smtp;
mod support;
#[path = "real/tls.rs"]
mod tls;
#[path = "real/verify.rs"]
mod verify;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use block::{Kind, address};
use dns::{AUTHORITATIVE, CACHING, Dns, TYPE_A, TYPE_PTR};
use serde_json::Value;
use smtp::Client;
use support::namespace::{alone, await_some};

#[test]
fn every_server_greets_as_it_was_configured() {
    alone("every_server_greets_as_it_was_configured", |work| {
        let _servers = block::start(work, &block::HOSTS);
        for host in &block::HOSTS {
            let greeting = Client::connect(host.address()).reply();
            assert_eq!(greeting.code, host.expected.code, "{host:?} said {greeting:?}");
            let first = &greeting.lines[0];
            assert!(first.starts_with(host.starts), "{host:?} said {greeting:?}");
        }
    });
}

#[test]
fn dns_answers_as_it_was_configured() {
    alone("dns_answers_as_it_was_configured", |work| {
        let _dns = Dns::start(work);
        for server in [AUTHORITATIVE, CACHING] {
            let ptr = |last| dns::ask(server, &block::reverse_name(address(last)), TYPE_PTR);
            let a = |name: &str| dns::ask(server, name, TYPE_A);
            assert_eq!(ptr(1).names, ["mx1.example.cloud"], "{server}");
            assert_eq!((ptr(3).code, ptr(3).answers), (dns::NXDOMAIN, 0), "{server}");
            assert_eq!(ptr(5).names, ["osmtpd.example.cloud"], "through a CNAME, {server}");
            assert_eq!(ptr(6).names.len(), 3, "{server}");
            assert_eq!((ptr(11).code, ptr(11).answers, ptr(11).authority), (dns::NOERROR, 0, 1), "{server}");
            assert_eq!(a("mx1.example.cloud").addresses, [address(1)], "{server}");
            assert_eq!(a("mta7.example.cloud").code, dns::NXDOMAIN, "{server}");
            assert_eq!(a("mail.example.systems").code, dns::SERVFAIL, "{server}");
        }
    });
}

#[test]
fn a_scan_of_real_servers_records_what_was_configured() {
    alone("a_scan_of_real_servers_records_what_was_configured", |work| {
        let _dns = Dns::start(work);
        let _resolvers = resolvers::start(work);
        let _servers = block::start(work, &block::HOSTS);
        for resolver in [AUTHORITATIVE, CACHING, resolvers::BIND, resolvers::RECURSOR] {
            let (jsonl, csv) = scan(work, resolver);
            records::assert_as_configured(&jsonl, resolver);
            records::assert_same_rows(&jsonl, &csv);
        }
    });
}

#[test]
fn a_scan_takes_its_leave_of_every_postfix() {
    alone("a_scan_takes_its_leave_of_every_postfix", |work| {
        let _dns = Dns::start(work);
        let hosts = block::hosts_of(Kind::Postfix);
        let servers = block::start(work, &hosts);
        scan(work, CACHING);
        let said = await_some("a QUIT at every host", || {
            let said = servers[0].log();
            (said.matches(" quit=1 ").count() == hosts.len()).then_some(said)
        });
        assert!(!said.contains("lost connection") && !said.contains("PREGREET"), "{said}");
    });
}

/// Scans the whole block; gives the records as JSONL and as CSV.
fn scan(work: &Path, resolver: Ipv4Addr) -> (String, String) {
    let list = work.join("list.csv");
    std::fs::write(&list, block::target_list()).unwrap();
    let (jsonl, csv) = (work.join(format!("{resolver}.jsonl")), work.join(format!("{resolver}.csv")));
    let run = Command::new(env!("CARGO_BIN_EXE_banneret"))
        .args(["scan", "--allow-reserved", "-p", "25", "--keep", "all", "--prefix-rate", "unlimited"])
        .args(["--progress", "never", "--seed", "7", "--resolver", &format!("{resolver}:53")])
        .arg("-i")
        .arg(&list)
        .arg("-o")
        .arg(&jsonl)
        .arg("-o")
        .arg(&csv)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "the scan ended with {}: {said}", run.status);
    let read =
        |path| std::fs::read_to_string(path).expect("the scan wrote the output that it was told to write");
    (read(jsonl), read(csv))
}

#[test]
fn a_scan_that_asks_for_tls_records_how_it_went_at_each_server() {
    alone("a_scan_that_asks_for_tls_records_how_it_went_at_each_server", |work| {
        let _dns = Dns::start(work);
        let _servers = block::start(work, &block::HOSTS);
        let seen: BTreeMap<String, Value> = scan_for_tls(work)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|record| (record["target"]["ip"].as_str().unwrap().to_owned(), record))
            .collect();
        let accepted = Value::from(220);
        for (kind, status, alert) in [
            (Kind::Postfix, "established", Value::Null),
            // It runs under an account that may not read the key, and says so by 454.
            (Kind::Exim, "refused", Value::Null),
            (Kind::Aiosmtpd, "established", Value::Null),
            (Kind::SmtpServer, "established", Value::Null),
            (Kind::Haraka, "established", Value::Null),
            (Kind::OpenSmtpd, "alert", 80.into()),
            (Kind::Sendmail, "not_offered", Value::Null),
            (Kind::Courier, "timed_out", Value::Null),
        ] {
            for host in block::hosts_of(kind).iter().filter(|host| host.expected.outcome == "greeted") {
                let record = &seen[&host.address().to_string()];
                let (smtp, tls) = (&record["smtp"], &record["smtp"]["tls"]);
                assert_eq!(
                    (&tls["status"], &tls["alert"]),
                    (&Value::from(status), &alert),
                    "{host:?}: {record}"
                );
                assert!(smtp["ehlo_name"].is_string(), "{host:?}: {record}");
                let code = match status {
                    "refused" => 454.into(),
                    "not_offered" => Value::Null,
                    _ => accepted.clone(),
                };
                assert_eq!(tls["code"], code, "{host:?}: {record}");
                assert_eq!(tls["injected"], false, "{host:?}: {record}");
                let made = status == "established";
                assert_eq!(tls["extensions"].is_array(), made, "{host:?}: {record}");
                assert_eq!(tls["certificate"]["names"].as_array().is_some(), made, "{host:?}: {record}");
                if made {
                    assert_eq!(tls["certificate"]["names"][0], "mx.example.cloud", "{host:?}: {record}");
                    let offered = tls["extensions"].to_string().to_ascii_uppercase();
                    assert!(!offered.contains("STARTTLS"), "no TLS inside TLS, {host:?}: {record}");
                }
            }
        }
    });
}

/// Scans the whole block as far as TLS; gives the records as JSONL. Courier's stall is the one wait.
fn scan_for_tls(work: &Path) -> String {
    let list = work.join("list.csv");
    std::fs::write(&list, block::target_list()).unwrap();
    let jsonl = work.join("tls.jsonl");
    let run = Command::new(env!("CARGO_BIN_EXE_banneret"))
        .args(["scan", "--allow-reserved", "--probe", "tls", "--ehlo-name", "scanner.example.email"])
        .args(["--greeting-timeout", "10s", "--prefix-rate", "unlimited", "--progress", "never"])
        .args(["--seed", "7", "--resolver", &format!("{CACHING}:53"), "-i"])
        .arg(&list)
        .arg("-o")
        .arg(&jsonl)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "the scan ended with {}: {said}", run.status);
    let lines = std::fs::read_to_string(jsonl).expect("the scan wrote its output");
    support::schema::assert_lines(&lines);
    lines
}

#[test]
fn courier_accepts_starttls_and_then_stalls() {
    alone("courier_accepts_starttls_and_then_stalls", |work| {
        let _servers = block::start(work, &block::hosts_of(Kind::Courier));
        let mut client = Client::connect(address(7));
        client.reply();
        assert!(client.ask("EHLO scanner.example.email").lines.iter().any(|line| line == "STARTTLS"));
        assert_eq!(client.ask("STARTTLS").code, 220);
        assert!(client.is_silent_to(&smtp::CLIENT_HELLO), "no byte of a handshake comes back");
    });
}

#[test]
fn opensmtpd_offers_starttls_and_fails_the_handshake() {
    alone("opensmtpd_offers_starttls_and_fails_the_handshake", |work| {
        let _servers = block::start(work, &block::hosts_of(Kind::OpenSmtpd));
        let run = Command::new("openssl")
            .args(["s_client", "-starttls", "smtp", "-connect", &format!("{}:25", address(5))])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(said.contains("alert number 80"), "the handshake dies by alert 80, said: {said}");
    });
}

#[test]
fn unbound_answers_from_its_cache_after_the_zone_has_changed() {
    alone("unbound_answers_from_its_cache_after_the_zone_has_changed", |work| {
        let mut dns = Dns::start(work);
        let name = block::reverse_name(address(2));
        assert_eq!(dns::ask(CACHING, &name, TYPE_PTR).names, ["mail.example.email"]);
        dns.replace("mail.example.email", "fixed.example.email");
        assert_eq!(dns::ask(AUTHORITATIVE, &name, TYPE_PTR).names, ["fixed.example.email"]);
        let cached = dns::ask(CACHING, &name, TYPE_PTR);
        assert_eq!(cached.names, ["mail.example.email"]);
        assert!(cached.time_to_live <= dns::TIME_TO_LIVE, "{cached:?}");
    });
}
