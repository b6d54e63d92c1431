//! Records against the table: each host has one, and it says what was configured; both files hold the same
//! rows. Knows the record by its written form alone.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::block::{EMPTY, HOSTS, Host, address};
use super::support::schema::assert_lines;

/// Every host and the empty address have one record each, as the table says.
pub(crate) fn assert_as_configured(jsonl: &str, resolver: Ipv4Addr) {
    let mut records: BTreeMap<String, Value> = BTreeMap::new();
    for record in assert_lines(jsonl) {
        let ip = text(&record["target"]["ip"]).expect("every target here is an address");
        assert!(records.insert(ip.clone(), record).is_none(), "{ip} has two records");
    }
    let mut wrong = Vec::new();
    for host in &HOSTS {
        match records.remove(&host.address().to_string()) {
            Some(record) => {
                wrong.extend(differences(host, &record).map(|what| format!("{}: {what}", host.address())));
            }
            None => wrong.push(format!("{}: no record", host.address())),
        }
    }
    let empty = records.remove(&address(EMPTY).to_string()).expect("the empty address has a record");
    assert_eq!(empty["outcome"], "refused", "{empty}");
    assert_eq!((&empty["verdict"], &empty["dns"]), (&Value::Null, &Value::Null), "{empty}");
    assert!(records.is_empty(), "nobody asked for {:?}", records.keys());
    assert!(wrong.is_empty(), "through {resolver}:\n{}", wrong.join("\n"));
}

/// What a record says against what was configured, each difference a line.
fn differences(host: &Host, record: &Value) -> impl Iterator<Item = String> {
    let want = host.expected;
    let (smtp, dns) = (&record["smtp"], &record["dns"]);
    let mut pairs = vec![
        ("schema", Some("banneret.record/1".to_owned()), text(&record["schema"])),
        ("outcome", Some(want.outcome.to_owned()), text(&record["outcome"])),
        ("code", Some(want.code.to_string()), Some(smtp["code"].to_string())),
        ("banner_name", want.banner_name.map(str::to_owned), text(&smtp["banner_name"])),
        ("ptr status", Some(want.ptr.to_owned()), text(&dns["ptr"]["status"])),
        ("ptr names", Some(sorted(host.ptr_names())), Some(sorted(ptr_names(record)))),
        ("fcrdns", Some(want.fcrdns.to_owned()), text(&dns["fcrdns"])),
        ("relation", Some(want.relation.to_owned()), text(&record["relation"])),
        ("verdict", Some(want.verdict.to_owned()), text(&record["verdict"])),
        ("customer", Some(format!("C-{}", host.last)), text(&record["target"]["tags"]["customer"])),
        ("ehlo_name", None, text(&smtp["ehlo_name"])),
    ];
    if want.platform.is_some() {
        pairs.push(("platform", want.platform.map(str::to_owned), text(&record["platform"]["name"])));
    }
    if let Some((status, confirms)) = want.banner_forward {
        let forward = &dns["banner_forward"];
        pairs.push(("banner forward", Some(status.to_owned()), text(&forward["status"])));
        pairs.push((
            "banner confirms",
            confirms.map(|known| known.to_string()),
            forward["confirms"].as_bool().map(|known| known.to_string()),
        ));
    }
    let findings = record["findings"].to_string();
    for code in want.findings {
        let found = findings.contains(&format!("\"{code}\""));
        pairs.push((
            "findings",
            Some((*code).to_owned()),
            if found { Some((*code).to_owned()) } else { Some(findings.clone()) },
        ));
    }
    let differing = pairs.into_iter().filter(|(_, want, got)| want != got);
    differing.map(|(field, want, got)| format!("{field} is {got:?}, configured was {want:?}"))
}

/// Both files have the same hosts, and say the same of each in the fields that a reader looks at first.
pub(crate) fn assert_same_rows(jsonl: &str, csv: &str) {
    let from_json: BTreeMap<String, Vec<String>> = jsonl
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|record| (text(&record["target"]["ip"]).unwrap_or_default(), fields(&record)))
        .collect();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column =
        |name: &str| header.iter().position(|known| known == name).unwrap_or_else(|| panic!("no {name}"));
    let columns = [
        "outcome",
        "verdict",
        "severity",
        "code",
        "banner_name",
        "ptr_status",
        "ptr_names",
        "fcrdns",
        "relation",
        "tag_customer",
    ];
    let places = columns.map(column);
    let mut from_csv = BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        let said = places.iter().map(|place| row[*place].to_owned()).collect();
        let ip = row[column("ip")].to_owned();
        assert!(from_csv.insert(ip.clone(), said).is_none(), "{ip} stands twice in the CSV");
    }
    assert_eq!(from_json, from_csv);
}

/// The fields of `columns` above, as the CSV has them.
fn fields(record: &Value) -> Vec<String> {
    let (smtp, dns) = (&record["smtp"], &record["dns"]);
    let number = |value: &Value| value.as_u64().map(|number| number.to_string());
    let said = [
        text(&record["outcome"]),
        text(&record["verdict"]),
        text(&record["severity"]),
        number(&smtp["code"]),
        text(&smtp["banner_name"]),
        text(&dns["ptr"]["status"]),
        Some(ptr_names(record).join(";")),
        text(&dns["fcrdns"]),
        text(&record["relation"]),
        text(&record["target"]["tags"]["customer"]),
    ];
    said.into_iter().map(Option::unwrap_or_default).collect()
}

fn ptr_names(record: &Value) -> Vec<String> {
    let names = record["dns"]["ptr"]["names"].as_array().into_iter().flatten();
    names.filter_map(|name| text(&name["name"])).collect()
}

fn sorted(mut names: Vec<String>) -> String {
    names.sort();
    names.join(" ")
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
