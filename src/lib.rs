//! banneret: which mail servers introduce themselves by a name that DNS does not confirm, why, and who can
//! fix it.
//!
//! *Targets are drawn in a keyed order, probed, resolved, judged, and each becomes exactly one record.*
//!
//! This is the library of the program `banneret`, which scans in bulk and prints reports; its [`guide`] says
//! how to use it. The library does the same from Rust. There are three usual ways in.
//!
//! # Judge what you know already
//!
//! [`judge::judge`] is a function of evidence alone. It sends nothing and reads nothing.
//!
//! ```
//! use std::net::IpAddr;
//!
//! use banneret::evidence::{Evidence, Forward, Observation, Outcome, PtrName, Resolution, Status};
//! use banneret::judge::{Verdict, judge};
//! use banneret::name::DnsName;
//! use banneret::smtp::reply::{Code, Reply, Text};
//! use banneret::targets::Inventory;
//!
//! let ip: IpAddr = "192.0.2.7".parse()?;
//! let greeting = Reply { code: Code::new(220), text: Text::from_iter(["localhost.localdomain ESMTP"]) };
//! let evidence = Evidence {
//!     ip: Some(ip),
//!     observation: Observation { greeting: Some(greeting), ..Observation::bare(Outcome::Greeted, 1) },
//!     resolution: Some(Resolution {
//!         ptr: Status::Found,
//!         ptr_count: 1,
//!         names: vec![PtrName {
//!             name: DnsName::parse("smtp.example.org")?,
//!             forward: Forward { status: Status::Found, addresses: vec![ip] },
//!         }],
//!         banner_forward: Forward { status: Status::NxDomain, addresses: Vec::new() },
//!     }),
//!     scanner: None,
//! };
//! let judgement = judge(&evidence, &Inventory::default());
//! assert_eq!(judgement.banner_name.as_deref(), Some("localhost.localdomain"));
//! assert_eq!(judgement.verdict, Some(Verdict::NoName));
//! for finding in &judgement.findings {
//!     println!("{}: {}", finding.severity.as_str(), finding.code.as_str());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scan, with a sink of your own
//!
//! A [`scan::Scan`] takes a set of targets and gives each record to the sinks. [`report::sink::open`] opens
//! the usual ones: JSONL, CSV, Parquet and so on. The scan below visits sixteen simulated servers on the
//! loopback device.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use banneret::demo::Block;
//! use banneret::prefix::Prefix;
//! use banneret::probe;
//! use banneret::record::Record;
//! use banneret::report::{Committed, OutputError, Reach, Sink, Written};
//! use banneret::resolve;
//! use banneret::scan::writer::Keep;
//! use banneret::scan::{Scan, ScanConfig};
//! use banneret::targets::{BadLines, ExclusionsBuilder, ReservedPolicy, TargetSetBuilder};
//!
//! /// Prints each record as it comes.
//! struct Printed;
//!
//! impl Sink for Printed {
//!     fn write(&mut self, record: &Record) -> Result<(), OutputError> {
//!         let verdict = record.judgement.verdict.map_or("-", |verdict| verdict.as_str());
//!         println!("{} {verdict}", record.target.asked);
//!         Ok(())
//!     }
//!
//!     fn flush(&mut self, _: Reach) -> Result<Committed, OutputError> {
//!         Ok(Committed::default())
//!     }
//!
//!     fn finish(self: Box<Self>) -> Result<Written, OutputError> {
//!         Ok(Written { path: "-".into(), rows: 0, length: 0, sha256: String::new() })
//!     }
//! }
//!
//! // A small block of servers with a DNS server of its own, on 127.25.0.0/28.
//! let block = Block::new(Prefix::parse("127.25.0.0/28")?, 7)?.serve()?;
//!
//! // Loopback is reserved space, which a scan leaves out unless it is told otherwise.
//! let exclusions = Arc::new(ExclusionsBuilder::new(ReservedPolicy::Allow).build());
//! let mut targets = TargetSetBuilder::new();
//! let list = "target\n127.25.0.0/28\n";
//! targets.read(list.as_bytes(), "list", BadLines::Stop, &mut |_| {})?;
//! let targets = targets.build(Arc::clone(&exclusions))?;
//!
//! let config = ScanConfig {
//!     ports: vec![block.smtp_port()],
//!     probe: probe::Settings { greeting_timeout: Duration::from_secs(2), ..probe::Settings::default() },
//!     keep: Keep::All,
//!     ..ScanConfig::default()
//! };
//! let resolver = resolve::start(resolve::Settings::new(vec![block.dns()]))?;
//! let report = Scan::new(targets, exclusions, config)?.run(resolver, vec![Box::new(Printed)])?;
//! assert_eq!(report.summary.all.records, 16);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Read records and count
//!
//! [`report::input::Input`] reads what a scan has written, compressed or not, in bounded memory.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::path::Path;
//!
//! use banneret::report::input::Input;
//!
//! # let block = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/0.1/records.jsonl.zst"));
//! # #[cfg(any())]
//! let block = Path::new("block.jsonl.zst");
//! let mut verdicts: BTreeMap<&str, u64> = BTreeMap::new();
//! let end = Input::open(block, None)?.records(|record| {
//!     if let Some(verdict) = record.judgement.verdict {
//!         *verdicts.entry(verdict.as_str()).or_default() += 1;
//!     }
//! })?;
//! // A file that was cut off is read as far as it goes; this says so.
//! assert_eq!(end.why(), None);
//! for (verdict, count) in &verdicts {
//!     println!("{verdict:12} {count}");
//! }
//! # assert!(verdicts.contains_key("match"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The modules
//!
//! `src/lib.rs` declares the modules in reading order, which is also the order of the data and of the
//! dependencies: **a module names only modules declared above it**. The first group is pure: values in,
//! values out, no sockets, files, clocks, tasks or printing. Each shell knows one outside thing and no other
//! shell. The engine joins them and draws nothing. `tests/layers.rs` keeps all of this.
//!
//! # Invariants
//! 1. One target in, one outcome counted: `drawn = written + dropped by --keep + in flight`. Nothing
//!    vanishes.
//! 2. A refusal, a timeout, a reset or garbage is an outcome, not an error. `Err` means that the *scan*
//!    cannot go on.
//! 3. Evidence is kept as seen. [`judge`] is a function of evidence alone, so old scans can be judged again
//!    offline.
//! 4. Unknown is not wrong: SERVFAIL, a timeout, a question never asked do not become a finding against a
//!    host.
//! 5. Same seed, same input, same shard: same turns. A checkpoint is small because order is arithmetic.
//! 6. Every queue is bounded; memory does not grow with the number of targets. A slow stage slows the one
//!    before it, and nothing else.
//! 7. Strangers' text reaches a terminal neutralised, HTML escaped, CSV harmless, JSON valid.
//! 8. Traits live with their stage; every stage can be run alone in a test with fakes, with time paused or
//!    passed in.

// pure
#[cfg(test)]
mod property_tests;
pub mod name;
pub mod prefix;
pub mod rate;
pub mod targets;
pub mod smtp;
pub mod evidence;
pub mod judge;
pub mod record;
// shells
pub mod probe;
pub mod resolve;
pub mod report;
// engine
pub mod scan;
pub mod demo;
// person
pub mod guide;
#[doc(hidden)]
pub mod cli;
