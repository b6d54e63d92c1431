//! Whose network an address is in: by every shape of data that makers ship, in records, groups and targets.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use banneret::report::asn::AsnDb;
use serde_json::{Value as Json, json};
use support::mmdb::{Value, mmdb};
use support::program::{measure, run};

fn geolite(number: u32, name: &'static str) -> Value {
    Value::Map(vec![
        ("autonomous_system_number", Value::Number(number)),
        ("autonomous_system_organization", Value::Text(name)),
    ])
}

fn ipinfo(number: &'static str, name: &'static str) -> Value {
    Value::Map(vec![
        ("asn", Value::Text(number)),
        ("as_name", Value::Text(name)),
        ("country", Value::Text("ZZ")),
    ])
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut out, text.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// One and the same world in the shapes of several makers.
fn shapes(folder: &Path) -> [PathBuf; 5] {
    let geolite = [
        ("192.0.0.0/16", geolite(64500, "OUTER")),
        ("192.0.2.0/24", geolite(64501, "INNER")),
        ("2001:db8::/32", geolite(64500, "OUTER")),
        ("2001:db9::/112", geolite(64502, "SIX")),
    ];
    let ipinfo = [
        ("192.0.0.0/16", ipinfo("AS64500", "OUTER")),
        ("192.0.2.0/24", ipinfo("AS64501", "INNER")),
        ("2001:db8::/32", ipinfo("AS64500", "OUTER")),
        ("2001:db9::/112", ipinfo("AS64502", "SIX")),
    ];
    let rows = [
        ["192.0.0.0", "192.0.255.255", "64500", "OUTER"],
        ["192.0.2.0", "192.0.2.255", "64501", "INNER"],
        ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "64500", "OUTER"],
        ["2001:db9::", "2001:db9::ffff", "64502", "SIX"],
    ];
    let csv: String = rows.iter().map(|row| row.join(",") + "\n").collect();
    let tsv = rows.map(|[start, end, asn, name]| [start, end, asn, "ZZ", name].join("\t")).join("\n");
    [
        put(folder, "geolite.mmdb", &mmdb("GeoLite2-ASN", &geolite)),
        put(folder, "ipinfo.MMDB", &mmdb("ipinfo lite", &ipinfo)),
        put(
            folder,
            "a.csv",
            format!("# Licence: PDDL\n# date: 2026-01-02\nstart,end,asn,name\n{csv}").as_bytes(),
        ),
        put(folder, "b.csv", csv.as_bytes()),
        put(folder, "ip2asn-combined.tsv.gz", &gzip(&tsv)),
    ]
}

#[test]
fn every_shape_of_data_tells_the_longest_prefix() {
    let folder = tempfile::tempdir().unwrap();
    for path in shapes(folder.path()) {
        let data = AsnDb::open(&path).unwrap();
        for (ip, found) in [
            ("192.0.2.1", Some((64501, "INNER"))),
            ("192.0.3.1", Some((64500, "OUTER"))),
            ("::ffff:192.0.2.1", Some((64501, "INNER"))),
            ("198.51.100.1", None),
            ("2001:db8::1", Some((64500, "OUTER"))),
            ("2001:db9::1", Some((64502, "SIX"))),
            ("2001:dba::1", None),
        ] {
            let network = data.network(ip.parse().unwrap());
            let told = network.as_ref().map(|it| (it.asn, it.name.as_deref().unwrap_or_default()));
            assert_eq!(told, found, "{ip} by {}", path.display());
        }
        let told = [64501, 64502, 64999].map(|asn| {
            data.prefixes(asn).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        });
        assert_eq!(told, ["192.0.2.0/24", "2001:db9::/112", ""], "{}", path.display());
    }
}

#[test]
fn data_say_whose_they_are_and_of_when() {
    let folder = tempfile::tempdir().unwrap();
    let [geolite, ipinfo, csv, bare, _] = shapes(folder.path()).map(|path| AsnDb::open(&path).unwrap());
    assert_eq!(
        geolite.about().to_string(),
        "networks by GeoLite2-ASN of 2026-01-02 (made for a test); GeoLite2 data created by MaxMind, \
         https://www.maxmind.com, under the GeoLite End User License Agreement"
    );
    assert!(ipinfo.about().licence.as_deref().unwrap().contains("CC BY-SA 4.0"));
    assert_eq!(csv.about().to_string(), "networks by a.csv of 2026-01-02; PDDL");
    assert!(bare.about().to_string().ends_with("; the data state no licence"));
    assert_eq!(bare.about().date.as_ref().map(String::len), Some(10), "the day of the file");
}

#[test]
fn what_is_no_data_is_told_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, told) in [
        ("a.mmdb", &b"no data"[..], "is no sound MMDB: "),
        (
            "a.csv",
            b"x,y\n",
            "line 1 names no columns that are known; write `start,end,asn,name` or `network,asn,name`",
        ),
        ("b.csv", b"# date: x\n\n192.0.2.0,192.0.2.9,x,A\n", "line 3 has no number of a system, as `64500`"),
    ] {
        let path = put(folder.path(), name, bytes);
        let ran = run(&["targets", "AS64500", "--asn-db", path.to_str().unwrap()]).ends(2);
        let head = format!("banneret: ASN data `{}` {told}", path.display());
        assert!(ran.err.starts_with(&head) && ran.err.lines().count() == 1, "{}", ran.err);
    }
    let ran = run(&["targets", "AS64500", "--asn-db", "missing.mmdb"]).ends(2);
    assert_eq!(
        ran.err,
        "banneret: ASN data `missing.mmdb` can't be read: No such file or directory (os error 2)\n"
    );
}

/// Ranges off the borders of prefixes: up to thirty prefixes each, and 700,000 of them are a whole routing
/// table.
#[test]
fn ranges_off_the_borders_of_prefixes_are_kept_as_ranges() {
    const RANGES: u32 = 100_000;
    const MOST: u64 = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let row = |at: u32| {
        let first = (at << 14) | 1;
        format!("{first},{},{},NET-{}\n", first + (1 << 14) - 3, 1 + at % 5000, at % 5000)
    };
    let table: String = (0..RANGES).map(row).collect();
    let data = put(folder.path(), "off.csv", table.as_bytes());
    let records = put(folder.path(), "a.jsonl", b"");
    let words = ["report", records.to_str().unwrap(), "--format", "json", "--asn-db", data.to_str().unwrap()];
    let cost = measure(&words);
    assert!(cost.memory < MOST, "{} MiB", cost.memory >> 20);
    let data = AsnDb::open(&data).unwrap();
    assert_eq!(data.network([0, 0, 64, 1].into()).unwrap().asn, 2);
    assert_eq!(data.network([0, 0, 64, 0].into()), None);
    assert_eq!(data.network([0, 0, 127, 255].into()), None);
    let prefixes = data.prefixes(2).unwrap();
    assert_eq!((prefixes.len(), prefixes[0].to_string()), (20 * 26, "0.0.64.1/32".to_owned()));
}

#[test]
fn a_system_is_a_target_and_an_exclusion_by_its_prefixes() {
    let folder = tempfile::tempdir().unwrap();
    let list = put(folder.path(), "never.txt", b"as64501 # asked by mail\n");
    for data in shapes(folder.path()) {
        let data = ["--allow-reserved", "--asn-db", data.to_str().unwrap(), "--count"];
        let count = |words: &[&str]| {
            let ran = run(&[&["targets"], words, &data[..]].concat()).ends(0);
            (ran.out.trim().parse::<u64>().unwrap(), ran.err)
        };
        assert_eq!(count(&["AS64501"]), (256, String::new()));
        assert_eq!(count(&["AS64502", "192.0.2.0/24"]).0, 65_536 + 256);
        assert_eq!(count(&["192.0.0.0/16", "-x", "AS64501"]).0, 65_536 - 256);
        assert_eq!(count(&["192.0.0.0/16", "--exclude-file", list.to_str().unwrap()]).0, 65_536 - 256);
        let (all, said) = count(&["AS64500"]);
        assert!((65_280..=65_536).contains(&all), "{all}");
        assert!(said.starts_with("banneret: of `AS64500`, "), "{said}");
        assert!(said.contains(" IPv6 prefixes wider than /96 are left out"), "{said}");
    }
    let data = shapes(folder.path())[0].to_str().unwrap().to_owned();
    let ran = run(&["targets", "AS64999", "--asn-db", &data]).ends(2);
    assert_eq!(ran.err, format!("banneret: `AS64999` has no prefix in `{data}`\n"));
    let ran = run(&["targets", "AS64500"]).ends(2);
    assert_eq!(
        ran.err,
        "banneret: target `AS64500` needs to know the prefixes of the network; add `--asn-db FILE`\n"
    );
}

#[test]
fn records_that_lack_their_network_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = shapes(folder.path())[0].to_str().unwrap().to_owned();
    let line = |ip: &str, asn: Json| {
        let record = json!({
            "schema": "banneret.record/1", "time": "2026-01-02T03:04:05.678Z", "outcome": "silent",
            "target": {"ip": ip, "port": 25, "asked": ip}, "tenancy": "unknown", "network": {"asn": asn},
        });
        format!("{record}\n")
    };
    let records =
        line("192.0.2.1", Json::Null) + &line("192.0.2.2", json!(65000)) + &line("198.51.100.1", Json::Null);
    let path = put(folder.path(), "a.jsonl", records.as_bytes());
    let path = path.to_str().unwrap();
    let report = run(&["report", path, "--format", "json", "--asn-db", &data]).ends(0).out;
    let report: Json = serde_json::from_str(&report).unwrap();
    let keys: Vec<_> = report["groups"]["asn"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (&group["key"], &group["name"]))
        .collect();
    assert_eq!(keys, [(&json!(64501), &json!("INNER")), (&json!(65000), &Json::Null)]);
    assert!(report["sources"][0].as_str().unwrap().contains("MaxMind"), "{report}");
    assert!(
        run(&["report", path, "--asn-db", &data])
            .ends(0)
            .out
            .contains("networks by GeoLite2-ASN of 2026-01-02")
    );
    let judged = run(&["judge", path, "--asn-db", &data]).ends(0).out;
    let asns: Vec<Json> = judged
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap()["network"]["asn"].clone())
        .collect();
    assert_eq!(asns, [json!(64501), json!(65000), Json::Null]);
}
