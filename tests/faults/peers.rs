//! Peers that never end: a thousand of them at once harm nobody else, take little memory, and are left when
//! their time is over.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::run::{Scan, end_of, said};
use super::support::namespace::alone;
use super::support::program::watch_memory;
use super::tally::Tally;
use super::world::{SMALL, TARPITS, TINY, World};

/// Connections a second: all are under way at once.
const RATE: u32 = 5000;
/// Between two octets of a tarpit that drips.
const DRIP: Duration = Duration::from_millis(40);
/// What a thousand conversations may add to the memory of a scan: of each greeting no more than 64 KiB are
/// kept.
const MEMORY: u64 = 100 << 20;

/// What a tarpit says, again and again.
fn words(address: Ipv4Addr) -> &'static [u8] {
    match address.octets()[3] & 3 {
        // One octet at a time, and no line ever ends.
        0 => b"2",
        // A greeting with lines without end.
        1 => b"220-mail.example.org and on\r\n",
        // As fast as anybody listens.
        2 => &[b'x'; 4096],
        // Silence.
        _ => b"",
    }
}

/// Keeps every tarpit going until its client leaves or the scan is over; gives how many there were.
fn serve(comers: &Receiver<TcpStream>, is_over: &AtomicBool) -> u32 {
    let (mut held, mut met) = (Vec::new(), 0);
    while !is_over.load(Ordering::Acquire) && met < TARPITS.size || !held.is_empty() {
        for stream in comers.try_iter() {
            stream.set_nonblocking(true).unwrap();
            held.push(stream);
            met += 1;
        }
        held.retain_mut(goes_on);
        thread::park_timeout(DRIP);
    }
    met
}

fn goes_on(stream: &mut TcpStream) -> bool {
    let Ok(std::net::SocketAddr::V4(own)) = stream.local_addr() else { return false };
    let waits = |result: std::io::Result<usize>| match result {
        Ok(count) => count > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    };
    let words = words(*own.ip());
    (words.is_empty() || waits(stream.write(words))) && waits(stream.read(&mut [0; 512]))
}

#[test]
fn a_thousand_tarpits_at_once_are_left_in_time_and_harm_nobody() {
    alone("peers::a_thousand_tarpits_at_once_are_left_in_time_and_harm_nobody", |work| {
        let (sender, comers) = channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let tarpits = thread::spawn(move || serve(&comers, &seen));
        let _world = World::start_beside(sender);
        let brief = ["--host-timeout=5s", "--greeting-timeout=5s"];
        let mut child = Scan::new(work, 1).of(SMALL, RATE).with(&brief).command().spawn().unwrap();
        let usual = watch_memory(&mut child);
        let scan = Scan::new(work, 2).of(SMALL, RATE).with(&brief).with(&[&TARPITS.targets()]);
        let mut child = scan.command().spawn().unwrap();
        let peak = watch_memory(&mut child);
        // They never let go: it is the scan that leaves each of them, and then ends.
        let ended = end_of(child);
        is_over.store(true, Ordering::Release);
        assert!(ended.status.success(), "{}", said(&ended));
        assert_eq!(tarpits.join().unwrap(), TARPITS.size);
        let text = fs::read_to_string(&scan.outputs()[0]).unwrap();
        let (mut trapped, mut others) = (0, String::new());
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            if TARPITS.holds(record["target"]["ip"].as_str().unwrap().parse().unwrap()) {
                trapped += 1;
                let limited = record["outcome"] == "silent" || record["smtp"]["truncated"] == true;
                assert!(limited || record["outcome"] == "not_smtp", "{line}");
            } else {
                others.push_str(line);
                others.push('\n');
            }
        }
        assert_eq!(trapped, TARPITS.size);
        let mut tally = Tally::default();
        tally.count_text("beside the tarpits", &others);
        tally.conclude("1,000 tarpits beside them");
        println!("memory: {} KiB as usual, {} KiB with {trapped} tarpits", usual >> 10, peak >> 10);
        assert!(usual > 0 && peak < usual + MEMORY, "{usual} bytes as usual, {peak} with tarpits");
    });
}

#[test]
fn each_address_has_one_conversation_at_a_time_and_nobody_speaks_before_the_greeting_has_ended() {
    alone(
        "peers::each_address_has_one_conversation_at_a_time_and_nobody_speaks_before_the_greeting_has_ended",
        |work| {
            let world = World::start_on(&[25, 587], None);
            let scan = Scan::new(work, 1).of(TINY, RATE).with(&["-p", "25,587", "--samples=2"]);
            let ended = end_of(scan.command().spawn().unwrap());
            assert!(ended.status.success(), "{}", said(&ended));
            world.assert_polite();
            let text = fs::read_to_string(&scan.outputs()[0]).unwrap();
            let mut sockets: Vec<String> = text
                .lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap())
                .map(|record| format!("{} {}", record["target"]["ip"], record["target"]["port"]))
                .collect();
            sockets.sort_unstable();
            sockets.dedup();
            assert_eq!(
                (text.lines().count(), sockets.len()),
                (2 * TINY.size as usize, 2 * TINY.size as usize)
            );
        },
    );
}
