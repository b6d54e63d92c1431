//! Hostile and healthy upstream resolvers, and how the questions put to them end.

#[path = "dns/server.rs"]
mod server;

use std::sync::atomic::Ordering;
use std::time::Duration;

use banneret::evidence::Status;
use banneret::name::HostName;
use banneret::resolve::{Case, Settings, Solution, Want, start};
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

/// Asks each want of fresh servers playing the scene.
fn ask(scene: &Scene, want: Want) -> (Solution, usize) {
    let servers: Vec<Server> = scene.upstream.iter().cloned().map(Server::start).collect();
    let mut settings = Settings::new(servers.iter().map(|server| server.address).collect());
    settings.timeout = Duration::from_millis(scene.timeout_ms.unwrap_or(600));
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
