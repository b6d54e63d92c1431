//! Records as other systems read them: the Elastic Common Schema with no field that it does not define, and
//! syslog whose every line keeps its grammar, whatever strangers are called.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test may fail by panic")]

mod support;

use std::net::IpAddr;

use banneret::record::neutral::acts;
use banneret::record::{Record, ecs, syslog};
use proptest::prelude::*;
use serde_json::Value;
use support::program::run;
use support::records::{any_record, healthy_record};

/// The fields that are used, each with its type, as the schema defines them (generated/csv/fields.csv of
/// elastic/ecs).
const FIELDS: &str = "\
@timestamp date
ecs.version keyword
message text
labels object
event.kind keyword
event.category keyword
event.type keyword
event.module keyword
event.dataset keyword
event.action keyword
event.outcome keyword
event.severity long
event.duration long
observer.product keyword
observer.type keyword
observer.version keyword
network.transport keyword
network.protocol keyword
network.type keyword
source.address keyword
source.ip ip
source.domain keyword
destination.address keyword
destination.ip ip
destination.port long
destination.domain keyword
destination.registered_domain keyword
destination.as.number long
destination.as.organization.name keyword
server.address keyword
server.ip ip
server.port long
server.domain keyword
server.registered_domain keyword
server.as.number long
server.as.organization.name keyword
dns.type keyword
dns.question.name keyword
dns.question.type keyword
dns.question.class keyword
dns.response_code keyword
dns.answers.name keyword
dns.answers.type keyword
dns.answers.class keyword
dns.answers.data keyword
tls.established boolean
tls.version keyword
tls.version_protocol keyword
tls.cipher keyword
tls.server.hash.sha256 keyword
tls.server.not_before date
tls.server.not_after date
tls.server.x509.alternative_names keyword
rule.id keyword
related.ip ip
related.hosts keyword
";

fn ecs_of(record: &Record) -> (String, Value) {
    let mut line = Vec::new();
    ecs::encode(record, &mut line);
    let line = String::from_utf8(line).unwrap();
    let value = serde_json::from_str(&line).unwrap();
    (line, value)
}

fn syslog_of(record: &Record, host: &str) -> String {
    let mut line = Vec::new();
    syslog::encode(record, host, &mut line);
    String::from_utf8(line).unwrap()
}

/// Every value below a path with its own path; list items have that of their list.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        // Their names are the user's, or ours.
        Value::Object(_) if ["labels", "banneret"].contains(&path) => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(value, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
        other => found.push((path.to_owned(), other.clone())),
    }
}

fn assert_field(path: &str, value: &Value) {
    let kind = FIELDS.lines().find_map(|line| line.strip_prefix(path)?.strip_prefix(' '));
    let text = value.as_str();
    match kind {
        Some("keyword" | "text") => assert!(text.is_some(), "{path}: {value}"),
        Some("date") => {
            assert!(text.is_some_and(|text| text.len() == 24 && text.ends_with('Z')), "{path}: {value}");
        }
        Some("long") => assert!(value.is_u64(), "{path}: {value}"),
        Some("ip") => assert!(text.is_some_and(|text| text.parse::<IpAddr>().is_ok()), "{path}: {value}"),
        Some("boolean") => assert!(value.is_boolean(), "{path}: {value}"),
        _ => panic!("the schema defines no `{path}`"),
    }
}

/// One line of syslog, taken apart by the grammar of RFC 5424 §6.
struct Parsed {
    priority: u16,
    header: Vec<String>,
    /// Element, parameter, value as it was before it was escaped.
    data: Vec<(String, String, String)>,
    message: String,
}

fn parse(line: &str) -> Parsed {
    let line = line.strip_suffix('\n').expect("a line ends");
    assert!(!line.contains('\n'));
    let (priority, rest) = line.strip_prefix('<').unwrap().split_once('>').unwrap();
    let mut words = rest.splitn(7, ' ');
    let header: Vec<String> = words.by_ref().take(6).map(str::to_owned).collect();
    for word in &header {
        assert!(!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()), "{word:?}");
    }
    let mut rest = words.next().unwrap();
    let mut data = Vec::new();
    while let Some(element) = rest.strip_prefix('[') {
        let (id, mut inside) = element.split_at(element.find([' ', ']']).unwrap());
        assert_name(id.split('@').next().unwrap());
        assert!(id.ends_with("@32473"), "{id}");
        while let Some(parameter) = inside.strip_prefix(' ') {
            let (name, value) = parameter.split_once("=\"").unwrap();
            assert_name(name);
            let mut plain = String::new();
            let mut characters = value.char_indices();
            let end = loop {
                match characters.next().expect("a value ends") {
                    (_, '\\') => {
                        let (_, escaped) = characters.next().unwrap();
                        assert!(matches!(escaped, '"' | '\\' | ']'), "\\{escaped}");
                        plain.push(escaped);
                    }
                    (at, '"') => break at,
                    (_, ']') => panic!("an unescaped ] in {value}"),
                    (_, character) => plain.push(character),
                }
            };
            data.push((id.to_owned(), name.to_owned(), plain));
            inside = &value[end + 1..];
        }
        rest = inside.strip_prefix(']').expect("an element ends");
    }
    let message = rest.strip_prefix(" \u{feff}").expect("the message is UTF-8 and says so").to_owned();
    Parsed { priority: priority.parse().unwrap(), header, data, message }
}

/// SD-NAME.
fn assert_name(name: &str) {
    assert!((1..=32).contains(&name.len()), "{name:?}");
    assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && !b"=]\"".contains(&byte)), "{name:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_field_is_used_that_the_schema_does_not_define(record in any_record()) {
        let (line, value) = ecs_of(&record);
        prop_assert_eq!(line.matches('\n').count(), 1);
        let mut found = Vec::new();
        leaves(&value, "", &mut found);
        for (path, value) in &found {
            assert_field(path, value);
        }
        for needed in ["@timestamp", "ecs.version", "event.kind", "event.category", "event.type", "event.outcome"] {
            prop_assert!(found.iter().any(|(path, _)| path == needed), "{}", needed);
        }
        prop_assert_eq!(value["banneret"]["outcome"].as_str(), Some(record.evidence.observation.outcome.as_str()));
    }

    #[test]
    fn every_line_of_syslog_keeps_the_grammar_and_its_values(record in any_record(), host in any::<String>()) {
        let line = syslog_of(&record, &host);
        let parsed = parse(&line);
        prop_assert!((128 + 4..=128 + 6).contains(&parsed.priority));
        prop_assert_eq!((&*parsed.header[0], &*parsed.header[3], &*parsed.header[4]), ("1", "banneret", "-"));
        prop_assert!(line.len() <= 64 << 10, "{} bytes", line.len());
        prop_assert!(!line.chars().any(|c| c != '\n' && c != '\u{feff}' && acts(c)), "{}", line);
        let value = |name: &str| parsed.data.iter().find(|(_, found, _)| found == name).map(|(.., value)| value.as_str());
        prop_assert_eq!(value("outcome"), Some(record.evidence.observation.outcome.as_str()));
        let ip = record.target.ip.map(|ip| ip.to_string());
        prop_assert_eq!(value("ip"), ip.as_deref());
        prop_assert!(!parsed.message.is_empty());
    }
}

#[test]
fn a_healthy_host_is_told_as_each_system_wants_it() {
    let record = healthy_record();
    let (_, value) = ecs_of(&record);
    for (pointer, told) in [
        ("/@timestamp", "2026-01-02T03:04:05.678Z"),
        ("/event/kind", "event"),
        ("/event/category/0", "network"),
        ("/event/outcome", "success"),
        ("/server/ip", "192.0.2.1"),
        ("/destination/domain", "mail.example.org"),
        ("/server/as/organization/name", "EXAMPLE"),
        ("/dns/question/name", "1.2.0.192.in-addr.arpa"),
        ("/dns/answers/0/data", "mail.example.org"),
        ("/dns/response_code", "NOERROR"),
        ("/network/type", "ipv4"),
        ("/labels/customer", "C-17"),
        ("/banneret/verdict", "match"),
        ("/banneret/banner/0", "mail.example.org ESMTP Postfix"),
    ] {
        assert_eq!(value.pointer(pointer), Some(&told.into()), "{pointer}");
    }
    assert_eq!((&value["server"]["port"], &value["event"]["duration"]), (&25.into(), &57_900_000.into()));
    assert_eq!(
        syslog_of(&record, "scan.example.net"),
        "<134>1 2026-01-02T03:04:05.678Z scan.example.net banneret - match [banneret@32473 ip=\"192.0.2.1\" port=\"25\" \
         asked=\"192.0.2.0/24\" outcome=\"greeted\" verdict=\"match\" severity=\"none\" findings=\"\" code=\"220\" \
         banner=\"mail.example.org ESMTP Postfix\" banner_name=\"mail.example.org\" ptr_status=\"found\" \
         ptr_names=\"mail.example.org\" fcrdns=\"pass\" relation=\"exact\" platform=\"postfix\" tenancy=\"unknown\" \
         scanner_ip=\"198.51.100.7\" scanner_name=\"scanner.example.net\" scanner_engine=\"connect\" \
         scanner_own_addresses=\"\" asn=\"64500\" as_name=\"EXAMPLE\" prefix=\"192.0.2.0/24\" accepted=\"\" \
         accepted_reasons=\"\" accepted_until=\"\" connect_ms=\"12.3\" banner_ms=\"45.6\" truncated=\"false\" \
         attempts=\"1\" ptr_count=\"1\" ptr_statuses=\"found\" ptr_addresses=\"192.0.2.1\" ptr_confirms=\"true\" \
         banner_forward_status=\"found\" banner_forward_addresses=\"192.0.2.1\" banner_forward_confirms=\"true\"]\
         [tags@32473 customer=\"C-17\"] \u{feff}mail.example.org at 192.0.2.1:25: match (none)\n"
    );
}

#[test]
fn no_two_tags_become_one_and_each_name_can_be_had_back() {
    let long = |end: &str| format!("a name of more than thirty-two characters {end}");
    let names = ["a.b", "a_b", "a b", "é", "à", "", "%", "~1", &long("1"), &long("2")];
    let mut record = healthy_record();
    let inventory = std::sync::Arc::make_mut(record.target.inventory.as_mut().unwrap());
    inventory.tags = names.iter().enumerate().map(|(at, name)| ((*name).into(), at.to_string())).collect();
    let (_, value) = ecs_of(&record);
    let labels = value["labels"].as_object().unwrap();
    assert_eq!(labels.len(), names.len(), "{labels:?}");
    assert_eq!((&labels["a%2Eb"], &labels["a_b"], &labels["%"]), (&"0".into(), &"1".into(), &"5".into()));
    let data = parse(&syslog_of(&record, "")).data;
    let tags: Vec<_> = data.iter().filter(|(element, ..)| element == "tags@32473").collect();
    let distinct: std::collections::BTreeSet<&str> = tags.iter().map(|(_, name, _)| &**name).collect();
    assert_eq!((tags.len(), distinct.len()), (names.len() + 2, names.len() + 2), "{tags:?}");
    let told = |name: &str| tags.iter().find(|(_, found, _)| found == name).map(|(.., value)| value.as_str());
    assert_eq!((told("a.b"), told("%C3%A9"), told("%")), (Some("0"), Some("3"), Some("5")));
    assert_eq!((told("a%20name%20of%20more%20than%20~9"), told("~9")), (Some("8"), Some(&*long("1"))));
}

#[test]
fn what_would_end_a_value_or_a_line_is_escaped() {
    for (name, told) in [
        ("a\"b", r#"a\"b"#),
        ("a]b", r"a\]b"),
        (r"a\b", r"a\\\\b"),
        (r"a\x0ab", r"a\\\\x0ab"),
        ("a\nb", r"a\\x0ab"),
        ("\u{1b}[31m", r"\\x1b[31m"),
        ("\u{202e}x", r"\\xe2\\x80\\xaex"),
        ("bücher.example", "bücher.example"),
    ] {
        let mut record = healthy_record();
        record.judgement.banner_name = Some(name.to_owned());
        let line = syslog_of(&record, "");
        assert!(line.contains(&format!(" banner_name=\"{told}\" ")), "{name:?}: {line}");
        assert!(line.starts_with("<134>1 2026-01-02T03:04:05.678Z - banneret - match "), "{line}");
        parse(&line);
    }
}

#[test]
fn stored_records_become_lines_of_other_systems_and_none_of_these_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let records = path("a.jsonl");
    let mut line = Vec::new();
    banneret::record::json::encode(&healthy_record(), &mut line);
    std::fs::write(&records, line.repeat(3)).unwrap();
    for (name, mark) in
        [("a.ecs.jsonl", "\"@timestamp\":"), ("a.ecs", "\"@timestamp\":"), ("a.syslog", ">1 2026-")]
    {
        let other = path(name);
        run(&["judge", &records, "-o", &other]).ends(0);
        let text = std::fs::read_to_string(&other).unwrap();
        assert_eq!(text.lines().filter(|line| line.contains(mark)).count(), 3, "{text}");
        for words in [&["report", &other][..], &["diff", &records, &other], &["judge", &other]] {
            let ran = run(words).ends(2);
            assert!(ran.err.contains("is for other systems and not read back"), "{words:?}: {}", ran.err);
        }
    }
    for (format, mark) in [("ecs", "{\"@timestamp\":"), ("syslog", "<134>1 ")] {
        let ran = run(&["judge", &records, "--format", format]).ends(0);
        assert!(
            ran.lines().iter().all(|line| line.starts_with(mark)) && ran.lines().len() == 3,
            "{}",
            ran.out
        );
    }
}
