//! `banneret demo`: a simulated provider block, scanned as any other, and checked against what it really is.

use std::fs::DirBuilder;
use std::io;
use std::num::NonZeroU8;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use super::args::{DemoArgs, TargetArgs};
use super::exit::{Exit, Unable};
use super::monitor::ConcurrencyLimiter;
use super::session::Session;
use super::{files, lists};
use crate::demo::{Block, Check};
use crate::evidence::Scanner;
use crate::judge::accept::Acceptances;
use crate::judge::providers::Providers;
use crate::prefix::Prefix;
use crate::probe;
use crate::rate::Rate;
use crate::report::input::Input;
use crate::report::preflight::Existing;
use crate::resolve;
use crate::scan::writer::Keep;

/// The block: a /22, like a small provider's.
const BLOCK: &str = "127.25.0.0/22";
/// Silent hosts of the block are waited for so long: on loopback, a moment is enough.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most disagreements that are listed.
const MAX_LISTED: usize = 20;

/// The folder, and with `-2`, `-3` … behind its name if it is taken.
const FOLDER: &str = "banneret-demo";
/// The most folders that are tried; whoever has so many has them to tidy up.
const MOST_FOLDERS: u32 = 1000;
/// The records.
const OUTPUTS: [&str; 2] = ["demo.jsonl", "demo.csv"];
/// The report.
const PAGE: &str = "demo.html";
/// What a demo writes beside these.
const BESIDE: [&str; 3] = ["demo.jsonl.manifest.json", "demo.csv.manifest.json", "demo.fixes.csv"];

/// Makes a folder of a name that nothing has yet, not even a link, for this user alone to write to.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o755).create(folder)
}

/// Makes the first folder below `parent` whose name is free.
fn new_folder(parent: &Path) -> anyhow::Result<PathBuf> {
    for number in 1..=MOST_FOLDERS {
        let name = if number == 1 { FOLDER.to_owned() } else { format!("{FOLDER}-{number}") };
        let folder = if parent == Path::new(".") { PathBuf::from(name) } else { parent.join(name) };
        match make(&folder) {
            Ok(()) => return Ok(folder),
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
            Err(wrong) => {
                let told = format!("folder `{}` can't be made; name another with --output", folder.display());
                return Err(wrong).context(told).context(Unable);
            }
        }
    }
    bail!("`{FOLDER}` to `{FOLDER}-{MOST_FOLDERS}` are all taken; name a folder with --output")
}

/// Makes the folder that the user named, or takes one that is there if that was said.
fn chosen_folder(folder: &Path, existing: Existing) -> anyhow::Result<PathBuf> {
    let told = || format!("folder `{}` can't be made", folder.display());
    match make(folder) {
        Ok(()) => return Ok(folder.to_owned()),
        Err(wrong) if wrong.kind() != io::ErrorKind::AlreadyExists => {
            return Err(wrong).with_context(told).context(Unable);
        }
        Err(_) => {}
    }
    if existing == Existing::Keep {
        bail!("folder `{}` exists; name a new one, or say `--overwrite`", folder.display());
    }
    if !folder.symlink_metadata().is_ok_and(|data| data.is_dir()) {
        bail!("`{}` is no folder; name a new one", folder.display());
    }
    // Removed, not written to: what stands there may be a link to somewhere else.
    for name in OUTPUTS.iter().chain(&[PAGE]).chain(&BESIDE) {
        match std::fs::remove_file(folder.join(name)) {
            Err(wrong) if wrong.kind() != io::ErrorKind::NotFound => {
                let told = format!("`{}` can't be replaced", folder.join(name).display());
                return Err(wrong).context(told).context(Unable);
            }
            _ => {}
        }
    }
    Ok(folder.to_owned())
}

/// Serves, scans, checks.
pub fn run(args: &DemoArgs) -> anyhow::Result<Exit> {
    let block = Block::new(Prefix::parse(BLOCK)?, args.seed)?;
    let running = block.serve()?;
    let folder = match &args.output {
        Some(folder) => chosen_folder(folder, files::existing(args.overwrite))?,
        None => new_folder(Path::new("."))?,
    };
    let outputs: Vec<PathBuf> = OUTPUTS.iter().map(|name| folder.join(name)).collect();
    let page = folder.join(PAGE);
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
        places: ConcurrencyLimiter::default(),
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_demo_has_a_folder_of_its_own_and_no_link_is_followed() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        fs::create_dir(at("elsewhere")).unwrap();
        symlink(at("elsewhere"), at("banneret-demo")).unwrap();
        symlink(at("nowhere"), at("banneret-demo-2")).unwrap();
        fs::write(at("banneret-demo-4"), "").unwrap();
        assert_eq!(new_folder(parent.path()).unwrap(), at("banneret-demo-3"));
        assert_eq!(new_folder(parent.path()).unwrap(), at("banneret-demo-5"));
        assert!(!at("nowhere").exists() && fs::read_dir(at("elsewhere")).unwrap().next().is_none());
        let wrong = format!("{:#}", new_folder(&at("none")).unwrap_err());
        assert!(wrong.contains("banneret-demo` can't be made; name another with --output"), "{wrong}");
    }

    #[test]
    fn a_folder_that_is_there_is_taken_only_if_that_was_said_and_its_links_are_not_followed() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        assert_eq!(chosen_folder(&at("new"), Existing::Keep).unwrap(), at("new"));
        let wrong = chosen_folder(&at("new"), Existing::Keep).unwrap_err().to_string();
        assert!(wrong.contains("new` exists; name a new one, or say `--overwrite`"), "{wrong}");
        fs::write(at("precious"), "kept").unwrap();
        symlink(at("precious"), at("new/demo.jsonl")).unwrap();
        fs::write(at("new/notes"), "kept").unwrap();
        chosen_folder(&at("new"), Existing::Overwrite).unwrap();
        assert_eq!(fs::read_to_string(at("precious")).unwrap(), "kept");
        let left: Vec<_> = fs::read_dir(at("new")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["notes"]);
        symlink(at("new"), at("link")).unwrap();
        chosen_folder(&at("link"), Existing::Overwrite).unwrap_err();
    }
}
