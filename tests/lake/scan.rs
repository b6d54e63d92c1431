//! A scan of hosts whose every word means harm, with all that a scan can look at, into every form at once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use banneret::demo::zone::{Answer, Data, Entry, Held, Kind};
use banneret::name::DnsName;
use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};

use crate::support::hosts::{RESOLVER, serve_names};
use crate::support::namespace::alone;
use crate::support::program::run;
use crate::{BY_DUCKDB, BY_PYARROW, CSV_BY_DUCKDB, CSV_BY_PYTHON, assert_same_values, python, report, whole};

/// What a stranger's text is made of.
const PIECES: &[&[u8]] = &[
    b"=cmd|' /C calc'!A0",
    b"@SUM(1+1)",
    b"-1",
    b"\x1b]52;c;aGk=\x07",
    b"\x1b[31mred",
    b"\x9b2J",
    b";",
    b";;",
    b"\\",
    b"\\x3b",
    b"\\-",
    b"'",
    b"''",
    b"\"",
    b",",
    b"]",
    b"=",
    b" ",
    b"\t",
    b"\0",
    b"\xff\xfe",
    "\u{202e}".as_bytes(),
    "\u{2028}".as_bytes(),
    "\u{feff}".as_bytes(),
    "é".as_bytes(),
    "\u{9b}".as_bytes(),
    b"</td><script>alert(1)</script>",
    b"mail.example.org",
    b"NULL",
    b"null",
    b"true",
    b"1e5",
    b"0x10",
    b"2026-01-02",
    b"%",
    b"%2E",
    b"~1",
    b"[x y=\"z\"]",
];

/// A text of such pieces, always the same for one number.
fn nasty(number: u32, place: u32) -> Vec<u8> {
    let mut state = u64::from(number) << 32 | u64::from(place) << 8 | 1;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    (0..next() % 5).flat_map(|_| PIECES[next() % PIECES.len()]).copied().collect()
}

/// The lines of a reply.
fn reply(code: &str, lines: &[Vec<u8>]) -> Vec<u8> {
    let mut reply = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        reply.extend(code.as_bytes());
        reply.push(if place + 1 < lines.len() { b'-' } else { b' ' });
        reply.extend(line);
        reply.extend(b"\r\n");
    }
    reply
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(198, 18, 1, 0)) + number)
}

fn name(number: u32) -> String {
    format!("mail{number}.customer{}.bv", number % 40)
}

fn greeting(number: u32) -> Vec<u8> {
    let first = [name(number).into_bytes(), b" ".to_vec(), nasty(number, 1)].concat();
    match number % 8 {
        0 => reply("220", &[nasty(number, 2), nasty(number, 3), Vec::new(), nasty(number, 4)]),
        1 => reply("554", &[first, nasty(number, 5)]),
        2 => reply("220", &[Vec::new()]),
        3 => [nasty(number, 6), b"\r\n".to_vec()].concat(),
        _ => reply("220", &[first, nasty(number, 7)]),
    }
}

/// Holds one conversation.
fn converse(mut stream: TcpStream, tls: &Arc<ServerConfig>) -> Option<()> {
    let IpAddr::V4(ip) = stream.local_addr().ok()?.ip() else { return None };
    let number = ip.to_bits() - address(0).to_bits();
    stream.write_all(&greeting(number)).ok()?;
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok().filter(|&length| length > 0)?;
        match line.trim_end() {
            "QUIT" => return stream.write_all(b"221 bye\r\n").ok(),
            "STARTTLS" => break,
            _ => {
                let said = [nasty(number, 8), nasty(number, 9), b"STARTTLS".to_vec()];
                stream.write_all(&reply("250", &said)).ok()?;
            }
        }
    }
    stream.write_all(b"220 go\r\n").ok()?;
    match number % 5 {
        0 => return stream.write_all(&[b"x".to_vec(), nasty(number, 10), b"\r\n".to_vec()].concat()).ok(),
        1 => return stream.write_all(&[0x15, 3, 3, 0, 2, 2, 80]).ok(),
        2 => stream.write_all(b"250 injected ; \\ \x1b\r\n").ok()?,
        _ => {}
    }
    let mut inside = StreamOwned::new(ServerConnection::new(Arc::clone(tls)).ok()?, stream);
    let mut said = [0; 512];
    while inside.read(&mut said).is_ok_and(|length| length > 0) {
        if said.starts_with(b"QUIT") {
            return inside.write_all(b"221 bye\r\n").ok();
        }
        inside.write_all(&reply("250", &[nasty(number, 11), Vec::new(), nasty(number, 12)])).ok()?;
    }
    Some(())
}

fn serve() {
    let key = KeyPair::generate().unwrap();
    let names = ["mail.example.org", "*.x.bv", "a;b", "\\x3b", "=1+1"].map(str::to_owned);
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 25)).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let config = Arc::clone(&config);
            thread::spawn(move || converse(stream, &config));
        }
    });
}

/// Own names for most, hostile ones beside them for some, none for a few.
fn zone(count: u32) -> Held {
    let mut zone = Held::default();
    let mut line =
        |owner: DnsName, kind, data| zone.insert(Entry { owner, kind, answer: Answer::Records(data) });
    for number in 1..=count {
        let (ip, own) = (address(number), DnsName::parse(&name(number)).unwrap());
        line(own.clone(), Kind::A, vec![Data::A(ip)]);
        let mut names = vec![Data::Ptr(own)];
        if number % 3 == 0 {
            let label: Vec<u8> = [b"x".to_vec(), nasty(number, 20)].concat().into_iter().take(40).collect();
            let wire = [&[u8::try_from(label.len()).unwrap()], &label[..], b"\x02bv\0"].concat();
            names.push(Data::Ptr(DnsName::from_wire(&wire).unwrap()));
        }
        if number % 7 != 0 {
            line(DnsName::reverse(ip.into()), Kind::Ptr, names);
        }
    }
    zone
}

/// The user's own list, with columns of every kind of name and cells of every kind.
fn list(count: u32) -> String {
    // In the order of a map's keys, which is all that Parquet keeps of it.
    let tags = [
        "%41",
        "=note",
        "a b",
        "a name of more than thirty-two characters, 1",
        "a name of more than thirty-two characters, 2",
        "a.b",
        "a_b",
        "customer",
        "~1",
        "à",
        "é",
    ];
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["target", "expected_name"].iter().chain(&tags)).unwrap();
    for number in 1..=count {
        let cell = |place: u32| {
            let text = String::from_utf8_lossy(&nasty(number, 30 + place)).replace('\0', "");
            text.replace(char::is_control, "")
        };
        let expected = if number % 4 == 0 { name(number + 1) } else { String::new() };
        let cells = (0..tags.len()).map(|place| cell(u32::try_from(place).unwrap()));
        table.write_record([address(number).to_string(), expected].into_iter().chain(cells)).unwrap();
    }
    table.write_record(["missing.bv", ""].into_iter().chain(["\u{202e};"; 11])).unwrap();
    String::from_utf8(table.into_inner().unwrap()).unwrap()
}

/// As many hosts as `TEST_HOSTS` says, or 200.
#[test]
fn a_scan_of_hostile_hosts_says_the_same_in_every_form_and_after_others_have_written_it_anew() {
    alone(
        "scan::a_scan_of_hostile_hosts_says_the_same_in_every_form_and_after_others_have_written_it_anew",
        |work| {
            let count: u32 = std::env::var("TEST_HOSTS").map_or(200, |count| count.parse().unwrap());
            let path = |name: &str| work.join(name);
            serve();
            // A tenth is scanned that no list tells anything of.
            let listed = count - count / 10;
            serve_names(zone(count));
            std::fs::write(path("list.csv"), list(listed)).unwrap();
            std::fs::write(path("as.csv"), "198.18.1.3,198.18.200.1,64500,\"=A;B \\x3b, 'C'\"\n").unwrap();
            std::fs::write(path("accept.toml"), ACCEPT).unwrap();
            let forms = ["a.jsonl", "a.csv", "a.parquet", "a.ecs.jsonl", "a.syslog"].map(path);
            let outputs: Vec<&str> = forms.iter().flat_map(|form| ["-o", form.to_str().unwrap()]).collect();
            let rest = format!("{}-{}", address(listed + 1), address(count));
            let (list, networks, accept) = (path("list.csv"), path("as.csv"), path("accept.toml"));
            let words = [
                "scan",
                "--allow-reserved",
                "--resolver",
                RESOLVER,
                "--prefix-rate",
                "unlimited",
                "--seed",
                "7",
                "--progress",
                "never",
                "--probe",
                "tls",
                "--ehlo-name",
                "scanner.example.net",
                "--greeting-timeout",
                "4s",
                "--samples",
                "2",
                "--keep",
                "all",
                "--own-address",
                "192.0.2.9",
                "-i",
                list.to_str().unwrap(),
                &rest,
                "--asn-db",
                networks.to_str().unwrap(),
                "--accept",
                accept.to_str().unwrap(),
            ];
            run(&words.into_iter().chain(outputs).collect::<Vec<_>>()).ends(0);
            let others = ["duckdb.csv", "python.csv", "duckdb.parquet", "pyarrow.parquet"].map(path);
            python("duckdb", CSV_BY_DUCKDB, &[&forms[1], &others[0]]);
            python("duckdb", CSV_BY_PYTHON, &[&forms[1], &others[1]]);
            python("duckdb", BY_DUCKDB, &[&forms[2], &others[2]]);
            python("pyarrow", BY_PYARROW, &[&forms[2], &others[3]]);
            let all: Vec<&Path> = forms[1..].iter().chain(&others).map(std::path::PathBuf::as_path).collect();
            println!("{}", assert_same_values(&forms[0], &all));
            let records = whole(&forms[0]);
            assert_eq!(records.len(), usize::try_from(count + 1).unwrap());
            for other in [&forms[2], &others[2], &others[3]] {
                for (told, expected) in whole(other).iter().zip(&records) {
                    assert_eq!(told, expected, "{}", other.display());
                }
            }
            let words =
                ["--format", "json", "--group-by", "tag:a.b", "--group-by", "tag:é", "--group-by", "finding"];
            let told = report(&forms[0], &words);
            for other in [&forms[1], &forms[2], &others[0], &others[1], &others[2], &others[3]] {
                assert_eq!(numbers(&report(other, &words)), numbers(&told), "{}", other.display());
            }
        },
    );
}

/// The numbers of a report, without what only a manifest tells: it stands beside the files of the scan alone.
fn numbers(report: &str) -> serde_json::Value {
    let mut report: serde_json::Value = serde_json::from_str(report).unwrap();
    let fields = report.as_object_mut().unwrap();
    fields.retain(|field, _| {
        field.starts_with("by_") || ["records", "groups", "what_if"].contains(&field.as_str())
    });
    assert!(fields.len() > 6, "{report}");
    report
}

const ACCEPT: &str = "[[accept]]\ncode = \"ptr_missing\"\naddress = \"198.18.0.0/16\"\nreason = \"= no ; names \\\\ here\"\nuntil = 2999-12-31\n";
