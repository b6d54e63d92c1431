//! What a scan tells programs while it runs: lines of status, and metrics.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::files::{json_rows, read};
use crate::support::namespace::alone;
use crate::world;

#[test]
fn a_scan_is_watched_by_file_and_over_http_until_it_ends() {
    alone("monitors::a_scan_is_watched_by_file_and_over_http_until_it_ends", |work| {
        world::start(work);
        let [status, records] =
            ["status", "a.jsonl"].map(|name| work.join(name).to_str().unwrap().to_owned());
        let words = [
            "198.18.0.0/28",
            "--keep",
            "all",
            "--status",
            &status,
            "--metrics",
            "127.0.0.1:0",
            "-o",
            &records,
            // Paced, so that it is still at work when it is looked at.
            "--rate",
            "10",
        ];
        let mut child = world::command_of(&words).spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = told
            .find_map(|line| line.unwrap().strip_prefix("banneret: metrics at http://").map(str::to_owned));
        let address = address.unwrap().strip_suffix("/metrics").unwrap().to_owned();
        let metrics = fetch(&address);
        assert!(metrics.contains("\nbanneret_scan_targets 16\n"), "{metrics}");
        assert!(metrics.contains("\nbanneret_dns_upstream_up{upstream=\"127.0.0.1:53\"} 1\n"), "{metrics}");
        told.for_each(drop);
        assert!(child.wait().unwrap().success());
        assert!(TcpStream::connect(&address).is_err(), "metrics end with the scan");

        let text = read(status.as_ref());
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let (first, last) = (&lines[0], lines.last().unwrap());
        assert_eq!((&first["state"], &last["state"]), (&"running".into(), &"complete".into()));
        assert_eq!(
            (&last["targets"], &last["done"], &last["in_flight"]),
            (&16.into(), &16.into(), &0.into())
        );
        let rows = json_rows(&read(records.as_ref()));
        assert_eq!(last["written"], rows.len());
        for (field, column) in [("outcomes", 3), ("verdicts", 4)] {
            for (word, count) in last[field].as_object().unwrap() {
                let met = rows.iter().filter(|row| row[column] == *word).count();
                assert_eq!(count, met, "{word}");
            }
        }
        assert_eq!(last["dns"]["upstreams"][0]["up"], true);
        assert!(last["dns"]["answers"].as_u64() > Some(0));
    });
}

fn fetch(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
    body.to_owned()
}

#[test]
fn a_place_that_can_not_be_had_stops_the_scan_before_the_first_packet() {
    alone("monitors::a_place_that_can_not_be_had_stops_the_scan_before_the_first_packet", |work| {
        world::start(work);
        let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let held = held.local_addr().unwrap().to_string();
        for (flags, told) in [
            (["--status", "/nowhere/status"], "status file `/nowhere/status` can't be written: No such file"),
            (["--metrics", held.as_str()], "metrics can't be offered at"),
        ] {
            let ran = world::scan(&[&["198.18.0.1", "-q"], &flags[..]].concat()).ends(4);
            assert!(ran.err.contains(told) && ran.out.is_empty(), "{ran:?}");
        }
        world::scan(&["198.18.0.1", "--metrics", "9100"]).ends(2);
    });
}
