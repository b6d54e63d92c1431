//! Further recursive servers in front of NSD, as people have them: BIND and `PowerDNS` Recursor. Through each
//! of them a host is told the same.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;

use super::dns::{AUTHORITATIVE, FORWARD_ZONES, TYPE_SOA, ZONES, try_ask};
use super::support::server::{Server, servers};

/// BIND.
pub(crate) const BIND: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 55);
/// `PowerDNS` Recursor.
pub(crate) const RECURSOR: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 56);

/// Starts both; NSD is there.
pub(crate) fn start(work: &Path) -> [Server; 2] {
    // BIND answers at addresses of interfaces alone.
    let words = ["addr", "add", &format!("{BIND}/32"), "dev", "lo"];
    assert!(Command::new("ip").args(words).status().unwrap().success());
    let settings = work.join("named.conf");
    fs::write(&settings, bind_settings(work)).unwrap();
    let mut named = program("bind", "named");
    named.arg("-f").arg("-c").arg(settings);
    let mut bind = Server::start("bind", work, &mut named);
    bind.await_ready("an answer", || try_ask(BIND, FORWARD_ZONES[0], TYPE_SOA).is_some());
    let directory = work.join("recursor");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("recursor.conf"), recursor_settings(&directory)).unwrap();
    let mut recursor = program("recursor", "pdns_recursor");
    recursor.arg(format!("--config-dir={}", directory.display()));
    let mut recursor = Server::start("recursor", work, &mut recursor);
    recursor.await_ready("an answer", || try_ask(RECURSOR, FORWARD_ZONES[0], TYPE_SOA).is_some());
    [bind, recursor]
}

fn program(tree: &str, name: &str) -> Command {
    let tree = servers().join(tree);
    let mut command = Command::new(tree.join("usr/sbin").join(name));
    command.env("LD_LIBRARY_PATH", tree.join("usr/lib/x86_64-linux-gnu"));
    command
}

fn bind_settings(work: &Path) -> String {
    let work = work.display();
    let mut text = format!(
        "options {{ directory \"{work}\"; listen-on port 53 {{ {BIND}; }}; listen-on-v6 {{ none; }}; \
         recursion yes; allow-query {{ any; }}; allow-recursion {{ any; }}; dnssec-validation no; \
         pid-file none; session-keyfile \"{work}/session.key\"; }};\ncontrols {{ }};\n\
         logging {{ category default {{ null; }}; }};\n"
    );
    for zone in ZONES {
        let _ = writeln!(
            text,
            "zone \"{zone}\" {{ type static-stub; server-addresses {{ {AUTHORITATIVE}; }}; }};"
        );
    }
    text
}

fn recursor_settings(directory: &Path) -> String {
    let zones: Vec<String> = ZONES.iter().map(|zone| format!("{zone}={AUTHORITATIVE}")).collect();
    format!(
        "local-address={RECURSOR}\nallow-from=0.0.0.0/0\ndont-query=\nforward-zones={}\ndnssec=off\n\
         security-poll-suffix=\nsocket-dir={}\nquery-local-address=0.0.0.0\nthreads=1\ndaemon=no\nquiet=yes\n",
        zones.join(","),
        directory.display()
    )
}
