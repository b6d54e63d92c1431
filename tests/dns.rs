//! Hostile and healthy upstream resolvers, and how the questions put to them end.

#![allow(clippy::unwrap_used, reason = "a fault of the test's own set-up ends the test")]

#[path = "dns/server.rs"]
mod server;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use banneret::evidence::{Resolution, Status};
use banneret::name::HostName;
use banneret::resolve::{Case, Settings, Solution, TrustPolicy, Want, start};
use serde::Deserialize;
use server::{Script, Server};

#[derive(Debug, Deserialize)]
struct Book {
    case: Vec<Scene>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scene {
    claim: String,
    status: String,
    upstream: Vec<Script>,
    /// Records found.
    count: Option<usize>,
    /// Datagrams that one question takes.
    packets: Option<usize>,
    timeout_ms: Option<u64>,
}

/// What is tested is the wire: no scripted server could pass a control.
fn believing(upstreams: Vec<SocketAddr>) -> Settings {
    Settings { trust: TrustPolicy::Given, ..Settings::new(upstreams) }
}

/// Asks each want of fresh servers playing the scene.
fn ask(scene: &Scene, want: Want) -> (Solution, usize) {
    let servers: Vec<Server> = scene.upstream.iter().cloned().map(Server::start).collect();
    let mut settings = believing(servers.iter().map(|server| server.address).collect());
    // Silence is waited for to its end; whatever else is answered, on a busy machine late.
    let patience = if scene.status == "timed_out" { 1000 } else { 10_000 };
    settings.timeout = Duration::from_millis(scene.timeout_ms.unwrap_or(patience));
    let mut resolver = start(settings).unwrap();
    resolver.inbox.send_blocking(vec![Case { want, carry: () }]).unwrap();
    drop(resolver.inbox);
    let solved = resolver.solved.blocking_recv().unwrap().pop().unwrap();
    assert!(resolver.solved.blocking_recv().is_none(), "{}: solved once", scene.claim);
    (solved.solution, servers.iter().map(|server| server.packets.load(Ordering::SeqCst)).sum())
}

fn play(scene: &Scene) -> Result<(), String> {
    let status = Status::parse(&scene.status).unwrap();
    let ip = "192.0.2.1".parse().unwrap();
    let (solution, packets) = ask(scene, Want::Identity { ip, banner: None });
    let Solution::Identity(resolution) = solution else { panic!() };
    let count = scene.count.unwrap_or(1);
    let told = (resolution.ptr, resolution.ptr_count as usize);
    let wanted = (status, if status == Status::Found { count } else { 0 });
    if told != wanted {
        return Err(format!("{}: PTR {told:?}", scene.claim));
    }
    if scene.packets.is_some_and(|wanted| packets != wanted) {
        return Err(format!("{}: {packets} packets", scene.claim));
    }
    let (solution, _) = ask(scene, Want::Addresses(HostName::parse("m.example.org").unwrap()));
    let Solution::Addresses(addresses) = solution else { panic!() };
    let told = (addresses.status, addresses.addresses.len());
    let wanted = (status, if status == Status::Found { 2 * count } else { 0 });
    if told != wanted {
        return Err(format!("{}: addresses {told:?}", scene.claim));
    }
    Ok(())
}

#[test]
fn every_upstream_in_the_book_ends_as_it_says() {
    let book: Book = toml::from_str(include_str!("dns/upstreams.toml")).unwrap();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let scenes: Vec<_> = book.case.iter().map(|scene| scope.spawn(move || play(scene))).collect();
        scenes.into_iter().filter_map(|scene| scene.join().unwrap().err()).collect()
    });
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), book.case.len(), failures.join("\n"));
}

fn script(text: &str) -> Script {
    toml::from_str(text).unwrap()
}

/// Asks for the identity of so many hosts, all called `m.example.org`.
fn ask_many(settings: Settings, hosts: u32) -> Vec<(u32, Resolution)> {
    let mut resolver = start(settings).unwrap();
    let inbox = resolver.inbox;
    let feeder = std::thread::spawn(move || {
        for first in (0..hosts).step_by(100) {
            let batch = (first..hosts.min(first + 100)).map(|number| Case {
                want: Want::Identity {
                    ip: Ipv4Addr::from(u32::from_be_bytes([198, 18, 0, 0]) + number).into(),
                    banner: Some(HostName::parse("m.example.org").unwrap()),
                },
                carry: number,
            });
            inbox.send_blocking(batch.collect()).unwrap();
        }
    });
    let mut all = Vec::new();
    while let Some(batch) = resolver.solved.blocking_recv() {
        for solved in batch {
            let Solution::Identity(resolution) = solved.solution else { panic!("an identity was asked for") };
            all.push((solved.carry, resolution));
        }
    }
    feeder.join().unwrap();
    all.sort_by_key(|(number, _)| *number);
    all
}

#[test]
fn thousands_of_hosts_are_each_solved_once_and_share_a_name() {
    let server = Server::start(script(r#"udp = [{ answer = ["@ 300 ? ="] }]"#));
    let solved = ask_many(believing(vec![server.address]), 5000);
    assert!(solved.iter().map(|(number, _)| *number).eq(0..5000));
    assert!(solved.iter().all(|(_, resolution)| resolution.ptr == Status::Found));
    assert!(solved.iter().all(|(_, resolution)| resolution.banner_forward.status == Status::Found));
    let packets = server.packets.load(Ordering::SeqCst);
    assert!((5001..5100).contains(&packets), "{packets} packets for 5000 PTR names and one address");
}

#[test]
fn an_upstream_where_nobody_listens_costs_no_host_its_answer() {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start(script(r#"udp = [{ answer = ["@ 300 ? ="] }]"#));
    let solved = ask_many(believing(vec![closed, server.address]), 2000);
    assert_eq!(solved.iter().filter(|(_, resolution)| resolution.ptr == Status::Found).count(), 2000);
}

#[test]
fn a_silent_upstream_beside_a_good_one_costs_no_host_its_answer() {
    let [silent, good] =
        ["", r#"udp = [{ answer = ["@ 300 ? ="] }]"#].map(|text| Server::start(script(text)));
    let solved = ask_many(believing(vec![silent.address, good.address]), 2000);
    assert_eq!(solved.iter().filter(|(_, resolution)| resolution.ptr == Status::Found).count(), 2000);
}

#[test]
fn hosts_without_any_upstream_are_timed_out_and_never_without_a_name() {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = believing(vec![closed]);
    settings.timeout = Duration::from_millis(300);
    let solved = ask_many(settings, 1000);
    assert_eq!(solved.iter().filter(|(_, resolution)| resolution.ptr == Status::TimedOut).count(), 1000);
}

#[test]
fn names_of_any_bytes_come_through_whole_and_are_asked_as_they_stand() {
    // The label `a.`, NUL, 0xff, ESC, `[2`, then `example.org`.
    let odd = "0x07612e00ff1b5b32076578616d706c65036f726700";
    let text = format!(r#"udp = [{{ answer = ["@ 300 PTR {odd}", "@ 300 PTR =", "@ 300 A 198.18.0.0"] }}]"#);
    let server = Server::start(script(&text));
    let solved = ask_many(believing(vec![server.address]), 1);
    let resolution = &solved[0].1;
    assert_eq!(resolution.ptr_count, 2);
    assert_eq!(resolution.names[0].name.to_string(), r"a\.\000\255\027[2.example.org");
    assert_eq!(resolution.names[0].forward.confirms(Some([198, 18, 0, 0].into())), Some(true));
}

#[test]
fn a_lone_host_is_answered_at_once() {
    let server = Server::start(script(r#"udp = [{ answer = ["@ 300 ? ="] }]"#));
    let mut resolver = start(believing(vec![server.address])).unwrap();
    let mut fastest = Duration::MAX;
    for last in 1..20 {
        let before = std::time::Instant::now();
        let want = Want::Identity { ip: Ipv4Addr::new(192, 0, 2, last).into(), banner: None };
        resolver.inbox.send_blocking(vec![Case { want, carry: () }]).unwrap();
        assert_eq!(resolver.solved.blocking_recv().unwrap().len(), 1);
        fastest = fastest.min(before.elapsed());
    }
    assert!(fastest < Duration::from_millis(20), "{fastest:?}");
}

#[test]
fn loopback_addresses_are_asked_for_like_any_other() {
    let server = Server::start(script(r#"udp = [{ answer = ["@ 300 ? ="] }]"#));
    let mut resolver = start(believing(vec![server.address])).unwrap();
    let want = Want::Identity { ip: Ipv4Addr::new(127, 0, 0, 9).into(), banner: None };
    resolver.inbox.send_blocking(vec![Case { want, carry: () }]).unwrap();
    let solved = resolver.solved.blocking_recv().unwrap().pop().unwrap();
    let Solution::Identity(resolution) = solved.solution else { panic!("an identity was asked for") };
    assert_eq!(resolution.names[0].name.to_string(), "m.example.org");
    assert_eq!(server.packets.load(Ordering::SeqCst), 2, "one for the PTR name, one for its address");
}
