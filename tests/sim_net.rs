//! What the kernel and the network answer to a SYN, each answer made in a network namespace of its own:
//! routes that are missing or forbid, packet filters, few ports, few descriptors. What this machine says is
//! never a target's outcome.
//!
//! Each test runs itself again inside `unshare --net`, behind the commands that set the namespace up. It
//! needs root or unprivileged user namespaces, `ip` and `nft`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod support;

use std::fs::File;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use banneret::evidence::{Observation, Outcome};
use banneret::probe::{LocalTrouble, Probe, Settings, Smtp};
use support::namespace::{as_root, is_skipped};

/// Tells a test that it stands inside its namespace.
const INSIDE: &str = "TEST_NAMESPACE";

/// Runs the test of this name again in a namespace; whether this is that run.
fn is_inside(test: &str, setup: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if is_skipped(test) {
        return false;
    }
    let output = Command::new("unshare")
        .args(as_root())
        .args(["--net", "sh", "-ec"])
        .arg(format!("ip link set lo up; {setup}\nexec \"$0\" --exact \"$1\" --nocapture"))
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

fn smtp() -> Smtp {
    Smtp::new(Settings::default()).unwrap()
}

async fn outcome(smtp: &Smtp, target: &str) -> Result<Outcome, LocalTrouble> {
    let observed = smtp.probe(target.parse::<SocketAddr>().unwrap()).await?.observation;
    assert_eq!(observed, Observation::bare(observed.outcome, 1));
    Ok(observed.outcome)
}

/// Conversations that stand and are never answered; they last as long as the list.
async fn hold(smtp: &'static Smtp, targets: Vec<SocketAddr>) -> Vec<tokio::task::JoinHandle<()>> {
    let local = tokio::task::LocalSet::new();
    let mut held = Vec::new();
    for target in targets {
        held.push(local.spawn_local(async move {
            smtp.probe(target).await.unwrap();
        }));
    }
    local.run_until(tokio::task::yield_now()).await;
    // The set is polled no more, so that its conversations stay where they are.
    std::mem::forget(local);
    held
}

#[tokio::test]
async fn without_a_route_the_network_is_down_until_another_target_shows_that_it_is_not() {
    if !is_inside("without_a_route_the_network_is_down_until_another_target_shows_that_it_is_not", "") {
        return;
    }
    let smtp = smtp();
    assert_eq!(outcome(&smtp, "203.0.113.1:25").await, Err(LocalTrouble::NetworkDown));
    assert_eq!(outcome(&smtp, "[2001:db8::1]:25").await, Err(LocalTrouble::NetworkDown));
    assert_eq!(outcome(&smtp, "127.0.0.1:25").await, Ok(Outcome::Refused));
    assert_eq!(outcome(&smtp, "203.0.113.1:25").await, Err(LocalTrouble::NoPath));
    assert_eq!(outcome(&smtp, "[2001:db8::1]:25").await, Err(LocalTrouble::NoPath));
}

#[tokio::test]
async fn a_network_that_goes_down_is_no_targets_fault() {
    let setup = "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
        ip addr add 198.18.9.1/24 dev v0; ip route add default via 198.18.9.2";
    if !is_inside("a_network_that_goes_down_is_no_targets_fault", setup) {
        return;
    }
    let link =
        |state| assert!(Command::new("ip").args(["link", "set", "v0", state]).status().unwrap().success());
    let smtp =
        Smtp::new(Settings { connect_timeout: Duration::from_millis(20), ..Settings::default() }).unwrap();
    assert_eq!(outcome(&smtp, "203.0.113.1:25").await, Ok(Outcome::TimedOut));
    assert_eq!(
        outcome(&smtp, "[2001:db8::1]:25").await,
        Err(LocalTrouble::NoPath),
        "a family without a route"
    );
    link("down");
    assert_eq!(outcome(&smtp, "203.0.113.2:25").await, Err(LocalTrouble::NetworkDown));
    assert_eq!(outcome(&smtp, "[2001:db8::1]:25").await, Err(LocalTrouble::NetworkDown));
    link("up");
    assert_eq!(outcome(&smtp, "198.18.9.3:25").await, Ok(Outcome::TimedOut));
}

#[tokio::test]
async fn routes_that_forbid_speak_of_their_prefix() {
    let setup = "ip route add unreachable 198.18.1.0/24; ip route add blackhole 198.18.2.0/24
        ip route add prohibit 198.18.3.0/24; ip addr add 198.18.9.1/24 brd + dev lo";
    if !is_inside("routes_that_forbid_speak_of_their_prefix", setup) {
        return;
    }
    let smtp = smtp();
    assert_eq!(outcome(&smtp, "198.18.1.1:25").await, Err(LocalTrouble::NoPath));
    assert_eq!(outcome(&smtp, "198.18.2.1:25").await, Err(LocalTrouble::NoPath));
    assert_eq!(outcome(&smtp, "198.18.3.1:25").await, Err(LocalTrouble::Forbidden));
    assert_eq!(outcome(&smtp, "198.18.9.255:25").await, Ok(Outcome::Unreachable), "a broadcast address");
}

#[tokio::test]
async fn packet_filters_make_silence_refusals_and_unreachable_hosts() {
    let setup = "nft -f - <<E
        table inet t {
            chain i { type filter hook input priority 0
                tcp dport 101 drop
                tcp dport 102 reject with tcp reset
                tcp dport 103 reject with icmpx host-unreachable
                tcp dport 104 reject with icmpx admin-prohibited
            }
        }\nE";
    if !is_inside("packet_filters_make_silence_refusals_and_unreachable_hosts", setup) {
        return;
    }
    let quick =
        Smtp::new(Settings { connect_timeout: Duration::from_millis(50), ..Settings::default() }).unwrap();
    let smtp = smtp();
    let first = outcome(&smtp, "[::1]:103").await;
    assert_eq!(first, Err(LocalTrouble::NoPath), "for IPv6, whoever says it first is not known");
    for host in ["127.0.0.1", "[::1]"] {
        assert_eq!(outcome(&quick, &format!("{host}:101")).await, Ok(Outcome::TimedOut));
        let absolute = Settings { host_timeout: Duration::from_millis(50), ..Settings::default() };
        assert_eq!(
            outcome(&Smtp::new(absolute).unwrap(), &format!("{host}:101")).await,
            Ok(Outcome::TimedOut)
        );
        assert_eq!(outcome(&smtp, &format!("{host}:102")).await, Ok(Outcome::Refused));
        let (filtered, prohibited) = (format!("{host}:103"), format!("{host}:104"));
        let answers = tokio::join!(outcome(&smtp, &filtered), outcome(&smtp, &prohibited));
        assert_eq!(answers, (Ok(Outcome::Unreachable), Ok(Outcome::Unreachable)), "{host}");
    }
}

#[tokio::test]
async fn a_neighbour_that_does_not_answer_is_told_by_this_machine_and_not_by_the_target() {
    let setup = "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
        ip addr add 198.18.9.1/24 dev v0; ip route add 203.0.113.0/24 via 198.18.9.2
        echo 1 > /proc/sys/net/ipv4/neigh/v0/mcast_solicit
        echo 20 > /proc/sys/net/ipv4/neigh/v0/retrans_time_ms";
    if !is_inside("a_neighbour_that_does_not_answer_is_told_by_this_machine_and_not_by_the_target", setup) {
        return;
    }
    let smtp = smtp();
    for _ in 0..2 {
        assert_eq!(outcome(&smtp, "203.0.113.1:25").await, Err(LocalTrouble::NoPath));
    }
}

#[tokio::test]
async fn ports_run_out_for_one_host_alone_and_never_for_many() {
    let setup = "echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range";
    if !is_inside("ports_run_out_for_one_host_alone_and_never_for_many", setup) {
        return;
    }
    let server = TcpListener::bind("0.0.0.0:25").unwrap();
    let one: SocketAddr = "127.0.0.9:25".parse().unwrap();
    let many = |from: u8| {
        (from..from + 40).map(|host| SocketAddr::from(([127, 0, 1, host], 25))).collect::<Vec<_>>()
    };

    let system = Box::leak(Box::new(smtp()));
    let mut held = hold(system, many(0)).await;
    held.extend(hold(system, vec![one; 4]).await);
    assert!(held.iter().all(|conversation| !conversation.is_finished()));
    assert_eq!(outcome(system, "127.0.0.9:25").await, Err(LocalTrouble::Ports));

    let sources: Vec<IpAddr> = ["127.0.0.1", "127.0.0.2"].map(|ip| ip.parse().unwrap()).to_vec();
    let bound = Box::leak(Box::new(Smtp::new(Settings { sources, ..Settings::default() }).unwrap()));
    let held = hold(bound, many(100)).await;
    assert!(held.iter().all(|conversation| !conversation.is_finished()));
    let mut from = std::collections::BTreeMap::new();
    server.set_nonblocking(true).unwrap();
    while let Ok((_, peer)) = server.accept() {
        *from.entry(peer.ip().to_string()).or_insert(0) += 1;
    }
    assert_eq!(from.get("127.0.0.2"), Some(&20), "the sources take turns: {from:?}");
}

#[tokio::test]
async fn descriptors_that_run_out_are_no_targets_fault() {
    if !is_inside("descriptors_that_run_out_are_no_targets_fault", "ulimit -n 64") {
        return;
    }
    let smtp = smtp();
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    assert_eq!(outcome(&smtp, "127.0.0.1:25").await, Err(LocalTrouble::Descriptors));
    files.pop();
    assert_eq!(outcome(&smtp, "127.0.0.1:25").await, Ok(Outcome::Refused));
}
