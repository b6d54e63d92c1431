//! `banneret targets`: what a scan would visit, in its order. Sends nothing.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use anyhow::bail;

use super::args::TargetsArgs;
use super::exit::Exit;
use super::lists::{self, Loaded};
use crate::targets::Order;

/// Lists or counts.
pub fn run(args: &TargetsArgs) -> anyhow::Result<Exit> {
    let loaded = lists::load(&args.targets, &|kind| {
        bail!("exclusion `{kind}` is a name, and listing sends nothing; exclude its addresses")
    })?;
    if let Some(why) = lists::nothing_left(&loaded) {
        super::say(format_args!("banneret: {why}"));
    }
    let seed = args.targets.seed.unwrap_or_else(rand::random);
    let loaded = loaded.sampled(args.targets.max_targets, seed)?;
    let order = Order::new(Arc::clone(&loaded.set), seed, loaded.shard);
    let all = order.len().saturating_add(loaded.own_names().count() as u128);
    if let Some(why) = lists::nothing_in_shard(&loaded, all) {
        super::say(format_args!("banneret: {why}"));
    }
    let out = BufWriter::new(io::stdout().lock());
    let told = if args.count { count(out, all) } else { list(out, &loaded, &order) };
    super::printed(told)
}

fn count(mut out: impl Write, all: u128) -> io::Result<()> {
    writeln!(out, "{all}")?;
    out.flush()
}

fn list(mut out: impl Write, loaded: &Loaded, order: &Order) -> io::Result<()> {
    for visit in order.iter_from(0) {
        writeln!(out, "{}", visit.ip)?;
    }
    for entry in loaded.own_names() {
        writeln!(out, "{}", entry.kind)?;
    }
    out.flush()
}
