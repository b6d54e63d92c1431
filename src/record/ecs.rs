//! A record as one line of JSON in the Elastic Common Schema, for systems that expect their own field names.
//!
//! What the schema has a name for stands under that name; all else under `banneret`, which is no name of the
//! schema's: between them they hold every field of the record. What is not known is left out, as the schema
//! wants it. Nothing is read back from it.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Record, escape, json as jsonl, label, time};
use crate::evidence::{Certificate, Outcome, Resolution, Status, TlsStatus};
use crate::judge::Finding;
use crate::name::{DnsName, HostName, registrable};

/// The version of the schema whose fields are used.
pub const VERSION: &str = "8.11.0";

/// Appends the line of a record, line feed included.
pub fn encode(record: &Record, line: &mut Vec<u8>) {
    line.extend_from_slice(Value::Object(fields(record)).to_string().as_bytes());
    line.push(b'\n');
}

fn fields(record: &Record) -> Map<String, Value> {
    let mut root = Map::new();
    let (seen, judged) = (&record.evidence.observation, &record.judgement);
    set(&mut root, "@timestamp", time::to_string(record.time));
    set(&mut root, "ecs.version", VERSION);
    set(&mut root, "message", super::syslog::message(record));
    event(&mut root, record);
    set(&mut root, "observer.product", "banneret");
    set(&mut root, "observer.type", "scanner");
    set(&mut root, "observer.version", env!("CARGO_PKG_VERSION"));
    set(&mut root, "network.transport", "tcp");
    set(&mut root, "network.protocol", "smtp");
    set(&mut root, "network.type", record.target.ip.map(|ip| if ip.is_ipv4() { "ipv4" } else { "ipv6" }));
    // The one who asked, as the other peer of the flow.
    if let Some(scanner) = &record.evidence.scanner {
        let ip = scanner.ip.map(|ip| ip.to_string());
        set(&mut root, "source.address", ip.as_deref());
        set(&mut root, "source.ip", ip.as_deref());
        set(&mut root, "source.domain", scanner.name.as_ref().map(HostName::as_str));
    }
    // The one who answers, as the peer of a flow and by its role.
    for side in ["destination", "server"] {
        peer(&mut root, side, record);
    }
    if let (Some(ip), Some(dns)) = (record.target.ip, &record.evidence.resolution) {
        question(&mut root, ip, dns);
    }
    if let Some(tls) = &seen.tls {
        let established = tls.status == TlsStatus::Established;
        set(&mut root, "tls.established", Some(established).filter(|_| tls.status != TlsStatus::Other));
        set(
            &mut root,
            "tls.version",
            tls.version.as_deref().map(|version| version.trim_start_matches("TLSv")),
        );
        set(&mut root, "tls.version_protocol", tls.version.as_ref().map(|_| "tls"));
        set(&mut root, "tls.cipher", tls.cipher.as_deref());
        if let Some(certificate) = &tls.certificate {
            certified(&mut root, certificate);
        }
    }
    let found: Vec<&str> = judged.findings.iter().map(|&Finding { code, .. }| code.as_str()).collect();
    set(&mut root, "rule.id", found);
    related(&mut root, record);
    for (tag, value) in record.target.inventory.iter().flat_map(|said| &said.tags) {
        let Value::Object(labels) = root.entry("labels").or_insert_with(|| json!({})) else { continue };
        labels.insert(label::for_field(tag), value.clone().into());
    }
    root.insert("banneret".to_owned(), own(record));
    root
}

fn event(root: &mut Map<String, Value>, record: &Record) {
    let (seen, judged) = (&record.evidence.observation, &record.judgement);
    set(root, "event.kind", "event");
    set(root, "event.category", vec!["network"]);
    set(root, "event.type", vec!["connection", "info"]);
    set(root, "event.module", "banneret");
    set(root, "event.dataset", "banneret.record");
    set(root, "event.action", record.outcome_word());
    let outcome = match seen.outcome {
        Outcome::Greeted => "success",
        Outcome::NotTried | Outcome::Unresolved | Outcome::Excluded | Outcome::Other => "unknown",
        _ => "failure",
    };
    set(root, "event.outcome", outcome);
    set(root, "event.severity", judged.severity.map(|severity| severity as u64));
    let took = [seen.connect, seen.banner].into_iter().flatten().reduce(Duration::saturating_add);
    set(root, "event.duration", took.map(nanoseconds));
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn peer(root: &mut Map<String, Value>, side: &str, record: &Record) {
    let mut put = |field: &str, value: Option<Value>| set(root, &format!("{side}.{field}"), value);
    let address = record.target.ip.map_or_else(|| record.target.asked.to_string(), |ip| ip.to_string());
    put("address", Some(address.into()));
    put("ip", record.target.ip.map(|ip| ip.to_string().into()));
    put("port", Some(record.target.port.into()));
    let names = record.evidence.resolution.iter().flat_map(|dns| &dns.names);
    let confirmed = names
        .filter(|ptr| ptr.forward.confirms(record.evidence.ip) == Some(true))
        .map(|ptr| ptr.name.to_string())
        .next();
    put("registered_domain", confirmed.as_deref().and_then(registrable).map(Value::from));
    put("domain", confirmed.map(Value::from));
    let network = record.network.as_ref();
    put("as.number", network.map(|network| network.asn.into()));
    put("as.organization.name", network.and_then(|network| network.name.as_deref()).map(Value::from));
}

fn question(root: &mut Map<String, Value>, ip: IpAddr, dns: &Resolution) {
    let name = DnsName::reverse(ip).to_string();
    let code = match dns.ptr {
        Status::Found | Status::NoData => Some("NOERROR"),
        Status::NxDomain => Some("NXDOMAIN"),
        Status::ServFail => Some("SERVFAIL"),
        Status::Refused => Some("REFUSED"),
        Status::NotAsked | Status::Other => return,
        Status::TimedOut | Status::Malformed | Status::Untrusted => None,
    };
    let answer = |ptr: &crate::evidence::PtrName| json!({ "name": name, "type": "PTR", "class": "IN", "data": ptr.name.to_string() });
    let answers: Vec<Value> = dns.names.iter().map(answer).collect();
    set(root, "dns.type", if code.is_some() { "answer" } else { "query" });
    set(root, "dns.question.name", name.clone());
    set(root, "dns.question.type", "PTR");
    set(root, "dns.question.class", "IN");
    set(root, "dns.response_code", code);
    set(root, "dns.answers", answers);
}

fn certified(root: &mut Map<String, Value>, certificate: &Certificate) {
    let hash: Vec<u8> = certificate.sha256.iter().flat_map(|&byte| escape::hex(byte)).collect();
    let hash = String::from_utf8_lossy(&hash).to_ascii_uppercase();
    set(root, "tls.server.hash.sha256", hash);
    set(root, "tls.server.not_before", certificate.not_before.map(time::to_string));
    set(root, "tls.server.not_after", certificate.not_after.map(time::to_string));
    let names: Vec<&str> = certificate.names.iter().map(|name| &**name).collect();
    set(root, "tls.server.x509.alternative_names", names);
}

fn related(root: &mut Map<String, Value>, record: &Record) {
    let dns = record.evidence.resolution.as_ref();
    let forward =
        dns.iter().flat_map(|dns| dns.names.iter().map(|ptr| &ptr.forward).chain([&dns.banner_forward]));
    let mut ips: Vec<String> = record.target.ip.iter().map(IpAddr::to_string).collect();
    ips.extend(forward.flat_map(|forward| &forward.addresses).map(IpAddr::to_string));
    let mut hosts: Vec<String> =
        record.judgement.banner_name.iter().chain(&record.judgement.ehlo_name).cloned().collect();
    hosts.extend(dns.iter().flat_map(|dns| &dns.names).map(|ptr| ptr.name.to_string()));
    set(root, "related.ip", distinct(ips));
    set(root, "related.hosts", distinct(hosts));
}

fn distinct(words: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        if !kept.contains(&word) {
            kept.push(word);
        }
    }
    kept
}

/// What the schema has no name for.
fn own(record: &Record) -> Value {
    let told = told(record);
    let at = |pointer| told.pointer(pointer).cloned().unwrap_or_default();
    let mut own = Map::new();
    set(&mut own, "findings", at("/findings"));
    if let Value::Array(accepted) = at("/accepted") {
        set(&mut own, "accepted", accepted.iter().map(|it| &it["code"]).collect::<Vec<_>>());
        set(&mut own, "acceptances", accepted);
    }
    for (name, pointer) in OWN {
        keep(&mut own, name, at(pointer));
    }
    Value::Object(own)
}

/// Where a field under `banneret` stands in the record's own line.
const OWN: [(&str, &str); 33] = [
    ("outcome", "/outcome"),
    ("verdict", "/verdict"),
    ("severity", "/severity"),
    ("relation", "/relation"),
    ("fcrdns", "/dns/fcrdns"),
    ("platform", "/platform/name"),
    ("tenancy", "/tenancy"),
    ("engine", "/scanner/engine"),
    ("asked", "/target/asked"),
    ("expected_name", "/target/expected_name"),
    ("helo_name", "/target/helo_name"),
    ("unresolved", "/target/unresolved"),
    ("code", "/smtp/code"),
    ("banner", "/smtp/banner"),
    ("banner_name", "/smtp/banner_name"),
    ("ehlo_name", "/smtp/ehlo_name"),
    ("extensions", "/smtp/extensions"),
    ("samples", "/smtp/samples"),
    ("truncated", "/smtp/truncated"),
    ("attempts", "/smtp/attempts"),
    ("connect_ms", "/smtp/connect_ms"),
    ("banner_ms", "/smtp/banner_ms"),
    ("tls", "/smtp/tls"),
    ("tls_status", "/smtp/tls/status"),
    ("ptr_status", "/dns/ptr/status"),
    ("ptr_count", "/dns/ptr/count"),
    ("ptr_names", "/dns/ptr/names"),
    ("banner_forward", "/dns/banner_forward"),
    ("platform_version", "/platform/version"),
    ("prefix", "/network/prefix"),
    ("clears_by", "/clears_by"),
    ("fix", "/fix"),
    ("scanner", "/scanner"),
];

/// The record as its own line tells it, so that both forms say the same.
fn told(record: &Record) -> Value {
    let mut line = Vec::new();
    jsonl::encode_known(record, &mut line);
    serde_json::from_slice(&line).unwrap_or_default()
}

/// Puts a value under a name, without the nulls in it. An empty list stays, for it says something else than a
/// null.
fn keep(object: &mut Map<String, Value>, name: &str, value: Value) {
    if !value.is_null() {
        object.insert(name.to_owned(), without_nulls(value));
    }
}

/// A null that is an item of a list stays, for it has a place.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let known = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(known.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// Puts a value at a path of names with dots between; what is null or an empty list is left out.
fn set(object: &mut Map<String, Value>, path: &str, value: impl serde::Serialize) {
    let value = serde_json::to_value(value).unwrap_or_default();
    if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
        return;
    }
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            if let Value::Object(inner) = object.entry(first).or_insert_with(|| json!({})) {
                set(inner, rest, value);
            }
        }
    }
}
