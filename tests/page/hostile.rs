//! A block in which every name means harm to whatever shows it.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use banneret::judge::{Code, Finding, Severity, Tenancy, Verdict};
use banneret::name::DnsName;
use banneret::record::{Network, Record};
use banneret::report::{Form, Start, sink};

use crate::support::program::run;
use crate::support::records::healthy_record;

/// Markup, terminal escapes, formulae, marks that reorder text, and what has no end.
const NAMES: &[&str] = &[
    "<script>window.hacked = 1</script>",
    "</style><script>window.hacked = 2</script><style>",
    "\"><img src=http://198.18.0.1/a.png onerror=window.hacked=3>",
    "' onmouseover='window.hacked=4",
    "<svg onload=window.hacked=5>",
    "javascript:window.hacked=6",
    "<base href=http://198.18.0.1/>",
    "\u{1b}[31mred\u{1b}]52;c;aGk=\u{7}",
    "=HYPERLINK(\"http://198.18.0.1\")",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "gpj.\u{202e}exe.moc\u{2066}\u{200f}\u{200b}",
    "مرحبا.بالعالم.example.org",
    "]]><!-- --><!DOCTYPE x><?php ?>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "&lt;script&gt;&#x3c;&NotEqualTilde;",
    "日本語日本語日本語日本語日本語日本語日本語日本語日本語",
    "Z̸̢̛a̷l̴g̵o̶.example.org",
];

/// Writes the records of the block, the page of them, and one of what changed from each host to its
/// neighbour.
pub(crate) fn pages(work: &Path) -> [PathBuf; 2] {
    let long = "w".repeat(63);
    let long = format!("{long}.{long}.{long}.example.org");
    let names: Vec<&str> = NAMES.iter().copied().chain([long.as_str()]).collect();
    // The file's own name is on the page, too.
    let records = work.join("<img src=x onerror=window.hacked=7> \u{202e}b.jsonl");
    let later = work.join("later.jsonl");
    for (path, shift) in [(&records, 0), (&later, 1)] {
        let mut sink = sink::open(path, Form::of(path, None).unwrap(), &[], Start::New).unwrap();
        for number in 0..512u16 {
            let Record { target, evidence, .. } = record(number, names[0]);
            let record = record(number + shift, names[usize::from(number + shift) % names.len()]);
            sink.write(&Record { target, evidence, ..record }).unwrap();
        }
        sink.finish().unwrap();
    }
    let mut manifest = records.clone().into_os_string();
    manifest.push(".manifest.json");
    let text = serde_json::json!({ "settings": { NAMES[0]: [NAMES[1], NAMES[2]] }, "command": NAMES });
    fs::write(manifest, text.to_string()).unwrap();
    let page = work.join("hostile.html");
    let changes = work.join("changes.html");
    let [old, new] = [&records, &later].map(|path| path.to_str().unwrap());
    run(&["report", old, "--html", page.to_str().unwrap()]).ends(0);
    run(&["diff", old, new, "--html", changes.to_str().unwrap()]).ends(0);
    [page, changes]
}

fn record(number: u16, name: &str) -> Record {
    let [third, last] = number.to_be_bytes();
    let mut record = healthy_record();
    let ip = IpAddr::from([198, 51, third, last]);
    record.target.ip = Some(ip);
    record.evidence.ip = Some(ip);
    record.target.asked = name.into();
    let verdict = Verdict::ALL[usize::from(number) % Verdict::ALL.len()];
    let code = Code::ALL[usize::from(number) % Code::ALL.len()];
    let severity = code.severity(Tenancy::Unknown);
    let judged = &mut record.judgement;
    (judged.verdict, judged.severity) = (Some(verdict), Some(severity.max(Severity::None)));
    judged.findings = vec![Finding { code, severity }];
    judged.banner_name = Some(name.to_owned());
    // A name may hold any octets (RFC 2181 §11).
    let label = &name.as_bytes()[..name.len().min(63)];
    let wire: Vec<u8> = [&[u8::try_from(label.len()).unwrap()], label, &[0]].concat();
    if let Some(dns) = &mut record.evidence.resolution {
        dns.names[0].name = DnsName::from_wire(&wire).unwrap();
    }
    record.network = Some(Network { asn: 64500 + u32::from(number) % 20, name: Some(Arc::from(name)) });
    record
}
