//! `banneret scan`: arguments → a settled session → its exit code.

use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU32};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};
use clap::{ArgMatches, Command};

use super::accept;
use super::args::{DnsArgs, KeepWord, ProbeArgs, ProbeWord, ScanArgs};
use super::excluded_names::excluded_addresses;
use super::exit::Exit;
use super::files;
use super::lists;
use super::monitor::{ConcurrencyLimiter, Opening};
use super::providers;
use super::resume::{self, Resumed};
use super::session::{Session, dry_run};
use crate::evidence::Scanner;
use crate::judge::Severity;
use crate::name::HostName;
use crate::probe;
use crate::rate::Rate;
use crate::record::neutral::Safe;
use crate::report::format::Format;
use crate::resolve::{self, UpstreamError, Upstreams};
use crate::scan::writer::Keep;

/// The command line as it was read.
#[derive(Debug, Clone, Copy)]
pub struct Typed<'a> {
    /// Its definitions.
    pub command: &'a Command,
    /// What was found of `scan`.
    pub matches: &'a ArgMatches,
}

/// Scans, goes on with a scan, or tells what a scan would do.
pub fn run(args: &ScanArgs, typed: &Typed<'_>, resumed: Option<Resumed>) -> anyhow::Result<Exit> {
    let format = args.output.format.as_deref().map(Format::parse).transpose()?;
    let preflight = files::of_scan(args, format, resumed.as_ref())?;
    if args.dry_run {
        files::check(&preflight)?;
    } else {
        files::settle(&preflight)?;
    }
    let probe = probe_settings(&args.probe)?;
    let scanner = scanner(&args.probe, &probe);
    let counts = resumed.as_ref().map_or(&[][..], |resumed| &resumed.checkpoint.listed);
    let settings = || resolver_settings(&args.dns, args.dry_run);
    let loaded = lists::load_since(&args.targets, &|kind| excluded_addresses(kind, &settings), counts)?;
    let seed = args.targets.seed.unwrap_or_else(rand::random);
    let loaded = loaded.sampled(args.targets.max_targets, seed)?;
    // What is wrong with the targets is told before what is wrong with this machine.
    if let Some(why) = lists::nothing_left(&loaded).filter(|_| !args.dry_run) {
        bail!(why);
    }
    let mut resolver = settings()?;
    resolver.held_back = resolve::HELD_BACK;
    let words = match typed.command.find_subcommand("scan") {
        Some(scan) => resume::words(scan, typed.matches, seed)?,
        None => Vec::new(),
    };
    let session = Session {
        exclusion_files: args.targets.exclude_file.clone(),
        loaded,
        seed,
        ports: distinct(&args.probe.port),
        probe,
        scanner,
        rate: args.pace.rate,
        prefix_rate: args.pace.prefix_rate,
        concurrency: args.pace.concurrency.map(|count| count as usize),
        retries: args.probe.retries,
        samples: args.probe.samples,
        resolver,
        keep: match args.output.keep {
            KeepWord::Greeted => Keep::Greeted,
            KeepWord::Findings => Keep::Findings,
            KeepWord::All => Keep::All,
        },
        accepts: accept::load(args.output.accept.as_deref(), SystemTime::now())?,
        providers: providers::load(args.output.providers.as_deref())?,
        outputs: args.output.output.clone(),
        format,
        html: args.output.html.clone(),
        subject: subject(args),
        summary: args.output.summary.clone(),
        fail_on: args.output.fail_on.map(Severity::from),
        progress: args.output.progress,
        places: ConcurrencyLimiter {
            status: args.output.status.clone(),
            opening: if resumed.is_some() { Opening::AtEnd } else { Opening::Anew },
            metrics: args.output.metrics,
        },
        quiet: args.output.quiet,
        settings: super::config::in_force(typed.matches),
        warnings: Vec::new(),
        checkpoint: args.output.checkpoint.clone(),
        words,
        resumed,
    };
    if args.output.verbose > 0 {
        super::say(format_args!("banneret: settings {}", session.settings));
        if let Some(networks) = &session.loaded.networks {
            super::say(format_args!("banneret: {}", Safe(networks.about())));
        }
        for upstream in &session.resolver.upstreams {
            super::say(format_args!("banneret: resolver {upstream}"));
        }
    }
    if args.dry_run {
        return dry_run(&session);
    }
    Ok(session.run()?.exit)
}

/// What was asked for, in the words that were typed.
fn subject(args: &ScanArgs) -> String {
    let lists = args.targets.input.iter().map(|path| path.display().to_string());
    let words: Vec<String> = args.targets.targets.iter().cloned().chain(lists).collect();
    words.join(", ")
}

/// How conversations go, as typed.
pub(super) fn probe_settings(args: &ProbeArgs) -> anyhow::Result<probe::Settings> {
    if args.greeting_timeout > args.host_timeout {
        bail!("--greeting-timeout is longer than --host-timeout, which bounds the whole conversation");
    }
    let families = |v4: bool| args.source_ip.iter().any(|ip| ip.is_ipv4() == v4);
    if args.source_ip.iter().any(std::net::IpAddr::is_unspecified) && (families(true) || families(false)) {
        bail!("--source-ip needs an address of this machine, not the unspecified one");
    }
    Ok(probe::Settings {
        depth: match args.probe {
            ProbeWord::Banner => probe::Depth::Banner,
            ProbeWord::Ehlo => probe::Depth::Ehlo,
            ProbeWord::Tls => probe::Depth::Tls,
        },
        own_name: own_name(args.ehlo_name.as_deref())?,
        connect_timeout: args.connect_timeout,
        greeting_timeout: args.greeting_timeout,
        host_timeout: args.host_timeout,
        sources: args.source_ip.clone(),
        answers: std::sync::Arc::default(),
    })
}

/// Who we are, as far as a host could repeat it.
pub(super) fn scanner(args: &ProbeArgs, probe: &probe::Settings) -> Arc<Scanner> {
    let own_addresses = args.own_address.iter().map(IpAddr::to_canonical).collect();
    Arc::new(Scanner { name: probe.own_name.clone(), own_addresses, ..Scanner::default() })
}

/// The name typed, which must be a whole one; else this machine's, if it is.
fn own_name(typed: Option<&str>) -> anyhow::Result<Option<HostName>> {
    if let Some(typed) = typed {
        let name =
            HostName::parse(typed).map_err(|wrong| anyhow::anyhow!("--ehlo-name `{typed}` {wrong}"))?;
        if !name.is_qualified() {
            bail!("--ehlo-name `{typed}` has one label; give the whole name, as `scan.example.org`");
        }
        return Ok(Some(name));
    }
    let system = rustix::system::uname();
    let name = system.nodename().to_str().ok().and_then(|name| HostName::parse(name).ok());
    Ok(name.filter(HostName::is_qualified))
}

/// How DNS is asked, as typed; `idle` if nothing will be asked, so that nobody to ask is no error.
pub(super) fn resolver_settings(args: &DnsArgs, idle: bool) -> anyhow::Result<resolve::Settings> {
    let mut upstreams = Upstreams::default();
    for text in &args.resolver {
        match resolve::parse_upstream(text) {
            Err(wrong @ UpstreamError::Unreadable) => {
                return Err(wrong).with_context(|| format!("--resolver `{text}`"));
            }
            read => upstreams.add(text, read.map_err(|wrong| wrong.to_string())),
        }
    }
    if args.resolver.is_empty() && !idle {
        upstreams = resolve::system_upstreams()?;
    }
    if !idle {
        upstreams = upstreams.or_none()?;
    }
    let mut settings = resolve::Settings::new(upstreams.usable);
    settings.unusable = upstreams.unusable;
    settings.timeout = args.dns_timeout;
    settings.attempts = NonZeroU8::new(args.dns_attempts).unwrap_or(NonZeroU8::MIN);
    settings.rate = match args.dns_rate {
        None => resolve::Rate::Rising,
        Some(Rate::Unlimited) => resolve::Rate::Unlimited,
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=1e9")]
        Some(Rate::PerSecond(rate)) => {
            resolve::Rate::AtMost(NonZeroU32::new(rate.clamp(1.0, 1e9) as u32).unwrap_or(NonZeroU32::MIN))
        }
    };
    Ok(settings)
}

/// The ports, each once.
pub(super) fn distinct(ports: &[u16]) -> Vec<u16> {
    let mut seen = Vec::with_capacity(ports.len());
    for &port in ports {
        if !seen.contains(&port) {
            seen.push(port);
        }
    }
    seen
}
