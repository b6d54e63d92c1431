//! `banneret demo`: a simulated provider block, scanned as any other, and checked against what it really is.

use std::num::NonZeroU8;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::args::{DemoArgs, TargetArgs};
use super::exit::Exit;
use super::lists;
use super::monitor::Places;
use super::session::Session;
use crate::demo::{Block, Check};
use crate::evidence::Scanner;
use crate::judge::accept::Acceptances;
use crate::judge::providers::Providers;
use crate::prefix::Prefix;
use crate::probe;
use crate::rate::Rate;
use crate::report::input::Input;
use crate::resolve;
use crate::scan::writer::Keep;

/// The block: a /22, like a small provider's.
const BLOCK: &str = "127.25.0.0/22";
/// Silent hosts of the block are waited for so long: on loopback, a moment is enough.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most disagreements that are listed.
const MAX_LISTED: usize = 20;

/// Serves, scans, checks.
pub fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    let block = Block::new(Prefix::parse(BLOCK)?, args.seed)?;
    let running = block.serve()?;
    let folder = args.output.clone().unwrap_or_else(|| std::env::temp_dir().join("banneret-demo"));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("folder `{}` can't be made", folder.display()))?;
    let outputs: Vec<PathBuf> = ["demo.jsonl", "demo.csv"].iter().map(|name| folder.join(name)).collect();
    let page = folder.join("demo.html");
    let targets = TargetArgs {
        targets: vec![BLOCK.to_owned()],
        allow_reserved: true,
        shard: "1/1".to_owned(),
        ..TargetArgs::default()
    };
    let mut resolver = resolve::Settings::new(vec![running.dns()]);
    resolver.rate = resolve::Rate::Unlimited;
    resolver.timeout = PATIENCE;
    let session = Session {
        exclusion_files: Vec::new(),
        loaded: lists::load(&targets, &|_| Ok(Vec::new()))?,
        seed: args.seed,
        ports: vec![running.smtp_port()],
        probe: probe::Settings {
            depth: probe::Depth::Banner,
            own_name: None,
            connect_timeout: PATIENCE,
            greeting_timeout: PATIENCE * 2,
            host_timeout: PATIENCE * 4,
            sources: Vec::new(),
            answers: std::sync::Arc::default(),
        },
        scanner: Arc::new(Scanner::default()),
        rate: Rate::Unlimited,
        prefix_rate: Rate::Unlimited,
        concurrency: None,
        retries: 0,
        samples: NonZeroU8::MIN,
        resolver,
        keep: Keep::All,
        accepts: Acceptances::default(),
        providers: Providers::default(),
        outputs: outputs.clone(),
        format: None,
        html: Some(page.clone()),
        subject: BLOCK.to_owned(),
        summary: None,
        fail_on: None,
        progress: args.progress,
        places: Places::default(),
        quiet: args.quiet,
        checkpoint: None,
        words: Vec::new(),
        resumed: None,
        settings: serde_json::json!({ "demo": BLOCK, "seed": args.seed }),
        warnings: Vec::new(),
    };
    let finished = session.run()?;
    if finished.exit != Exit::Done {
        return Ok(finished.exit);
    }
    // What counts is what stands in the file, so that is what is checked.
    let mut check = Check::of(&block);
    Input::open(&outputs[0], None)?.records(|record| check.record(&record))?;
    let report = check.report();
    let mut told: Vec<String> =
        report.wrong.iter().take(MAX_LISTED).map(|wrong| format!("wrong: {wrong}\n")).collect();
    let all = report.right + report.wrong.len();
    told.push(format!(
        "self-check: {} of {all} hosts judged right ({:.1} %), in {:.1} s\n",
        report.right,
        report.right as f64 / all.max(1) as f64 * 100.0,
        finished.took.as_secs_f64()
    ));
    told.extend(outputs.iter().map(|output| format!("records: {}\n", output.display())));
    told.push(format!("report: {}\n", page.display()));
    super::print(told.concat().as_bytes())?;
    Ok(if report.wrong.is_empty() { Exit::Done } else { Exit::Findings })
}
