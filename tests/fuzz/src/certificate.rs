//! A certificate of any octets: read or not, its record is valid, bounded, printable, and comes back.

use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use banneret::evidence::certificate::MAX_NAMES;
use banneret::evidence::{Certificate, Evidence, Observation, Outcome, Tls, TlsStatus};
use banneret::judge::judge;
use banneret::record::{Record, Target, json, read};
use banneret::smtp::reply::{Code, Reply};
use banneret::targets::Inventory;

/// The longest name as shown: each of its octets may take four characters.
const MAX_SHOWN: usize = 4 * 255;
/// The end of the last year that records can say.
const END: Duration = Duration::from_secs(253_402_300_800);

/// Reads the octets, then writes and reads the record of a host that showed them.
pub fn certificate(data: &[u8]) {
    let certificate = Certificate::read(data);
    assert!(certificate.names.len() <= MAX_NAMES.min(certificate.count as usize));
    for name in &certificate.names {
        assert!(name.len() <= MAX_SHOWN && name.bytes().all(|b| matches!(b, b' '..=b'~')), "{name:?}");
    }
    for time in [certificate.not_before, certificate.not_after].into_iter().flatten() {
        assert!((UNIX_EPOCH..UNIX_EPOCH + END).contains(&time), "{time:?}");
    }
    assert!(certificate.error.is_none() || certificate.names.is_empty(), "{certificate:?}");

    let text = [b"mail.example.org ESMTP".as_slice()].into_iter().collect();
    let tls = Tls { certificate: Some(certificate.clone()), ..Tls::bare(TlsStatus::Established) };
    let observation = Observation {
        greeting: Some(Reply { code: Code::new(220), text }),
        tls: Some(Box::new(tls)),
        ..Observation::bare(Outcome::Greeted, 1)
    };
    let ip = IpAddr::from([192, 0, 2, 1]);
    let evidence = Evidence { ip: Some(ip), observation, resolution: None, scanner: None };
    let judgement = judge(&evidence, &Inventory::default());
    let target =
        Target { ip: Some(ip), port: 25, asked: "192.0.2.1".into(), inventory: None, unresolved: None };
    let record = Record {
        time: UNIX_EPOCH,
        target,
        evidence,
        judgement,
        network: None,
        foreign: banneret::record::Foreign::default(),
    };
    let mut line = Vec::new();
    json::encode(&record, &mut line);
    let line = String::from_utf8(line).expect("a line is UTF-8");
    assert_eq!(line.matches('\n').count(), 1);
    let again = read::decode(&line).expect("what is written is a record");
    let read = again.evidence.observation.tls.and_then(|tls| tls.certificate).expect("it has a certificate");
    assert_eq!((&read.names, read.count, read.sha256, read.error), {
        (&certificate.names, certificate.count, certificate.sha256, certificate.error)
    });
}
